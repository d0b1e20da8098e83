/* Asks the person at the terminal for the code of an MFA device. Without a terminal there is nobody to ask. */
#include "cli/cli.h"

#include "core/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static bool read_line(int fd, char *out, size_t size)
{
	size_t n = 0;
	char c;
	while (read(fd, &c, 1) == 1 && c != '\n')
		if (n + 1 < size && c >= '0' && c <= '9')
			out[n++] = c;
	out[n] = '\0';
	return n >= 6;
}

static void put(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		return; /* a terminal that is gone answers nothing either */
}

bool cli_ask_code(void *ctx, const char *serial, char code[16])
{
	(void)ctx;
	struct termios old, quiet;
	char shown[256], question[320];
	if (!isatty(STDIN_FILENO))
		return false;
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool hidden = tcgetattr(fd, &old) == 0;
	if (hidden) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(fd, TCSAFLUSH, &quiet);
	}
	snprintf(question, sizeof question, "MFA code of %s: ", text_visible_to(shown, sizeof shown, serial));
	put(fd, question);
	bool ok = read_line(fd, code, 16);
	if (hidden)
		tcsetattr(fd, TCSAFLUSH, &old);
	put(fd, "\n");
	close(fd);
	return ok;
}
