/* Reference: a program linked against the same libraries that only paints one 120x40 frame with ncurses and waits for a key. */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <curses.h>
#include <locale.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>

int main(void)
{
	setlocale(LC_CTYPE, "");
	initscr();
	start_color();
	use_default_colors();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	for (int y = 0; y < LINES; y++) {
		mvprintw(y, 0, "%-30s %10d %10d %8.2f %% ", "a-resource-of-this-account", y * 977, y * 13, y / 7.0);
		for (int x = 68; x < COLS - 1; x++)
			addch((chtype) " .:-=+*#"[(x * 7 + y * 3) % 8]);
	}
	refresh();
	int c = getch();
	endwin();
	/* Named so that the linker keeps all five. */
	printf("%d %s %s %s %s\n", c, curl_version(), sqlite3_libversion(), cJSON_Version(), OpenSSL_version(0));
	return 0;
}
