#include "tui/term.h"

#include "core/text.h"
#include "tui/clip.h"
#include "tui/glyph.h"
#include "tui/keys.h"
#include "tui/restore.h"
#include "tui/theme.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#define ESC_DELAY_MS 25
#define STALLED_MS 1000
/* xterm's stack of titles; where there is none the title is at least not ours any more. */
#define TITLE_KEEP "\x1b[22;2t"
#define TITLE_BACK "\x1b]2;\a\x1b[23;2t"

static struct {
	SCREEN *screen;
	WINDOW *keys;         /* a pad: reading from a window would refresh it */
	struct termios modes; /* as found */
	struct canvas shown;
	int cursor;
	bool utf8, titled;
	int signal_pipe[2];
} t = { .signal_pipe = { -1, -1 } };

/* ---- signals that are requests ---- */

static void on_request(int number)
{
	int saved = errno;
	char c = number == SIGWINCH ? 'w' : number == SIGTSTP ? 's' : 'c';
	ssize_t wrote = write(t.signal_pipe[1], &c, 1);
	(void)wrote; /* full: a wake-up is waiting already */
	errno = saved;
}

static void catch_requests(bool on)
{
	struct sigaction sa = { .sa_handler = on ? on_request : SIG_DFL, .sa_flags = SA_RESTART };
	sigaction(SIGWINCH, &sa, NULL);
	sigaction(SIGTSTP, &sa, NULL);
	sigaction(SIGCONT, &sa, NULL);
}

int term_signal_fd(void)
{
	return t.signal_pipe[0];
}

unsigned term_signals(void)
{
	char c[64];
	unsigned what = 0;
	for (ssize_t n; (n = read(t.signal_pipe[0], c, sizeof c)) > 0;)
		for (ssize_t i = 0; i < n; i++)
			what |= c[i] == 'w' ? TERM_RESIZED : c[i] == 's' ? TERM_STOP : TERM_CONTINUED;
	return what;
}

/* ---- up and down ---- */

/* Delays ($<5>) are for terminals of paper; written here they would be text. */
static void add_capability(char *out, size_t *n, const char *s)
{
	if (!s || s == (char *)-1)
		return;
	while (*s && *n < RESTORE_BYTES) {
		const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
		if (end)
			s = end + 1;
		else
			out[(*n)++] = *s++;
	}
}

/* What brings the terminal back, in the order in which endwin() would. */
static void prepare_restore(int rows)
{
	static const char *const names[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
	char bytes[RESTORE_BYTES];
	size_t n = 0;
	const char *move = tigetstr("cup");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (i + 1 == sizeof names / sizeof *names && move && move != (char *)-1)
			add_capability(bytes, &n, tparm(move, rows > 0 ? rows - 1 : 23, 0));
		add_capability(bytes, &n, tigetstr(names[i]));
	}
	if (t.titled)
		add_capability(bytes, &n, TITLE_BACK);
	restore_prepare(&t.modes, bytes, n);
}

static bool fail(char *why, size_t size, const char *term, const char *problem)
{
	char name[64];
	if (term)
		snprintf(why, size, "TERM: '%s' %s; set TERM, for example TERM=xterm", text_visible_to(name, sizeof name, term),
		         problem);
	else
		snprintf(why, size, "terminal: %s", problem);
	return false;
}

static bool usable(char *why, size_t size)
{
	const char *term = getenv("TERM");
	int found;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &t.modes) != 0)
		return fail(why, size, NULL, "standard input and output must be one; without one try sluice status");
	if (!term || !term[0])
		return fail(why, size, "", "names no terminal");
	if (setupterm(NULL, STDOUT_FILENO, &found) != OK)
		return fail(why, size, term, found == 1 ? "is a printer" : "is unknown here");
	const char *move = tigetstr("cup");
	if (move && move != (char *)-1)
		return true;
	del_curterm(cur_term);
	return fail(why, size, term, "cannot place its cursor");
}

static void set_modes(void)
{
	raw(); /* Ctrl-C, Ctrl-Z and Ctrl-S are keys */
	noecho();
	nonl();
	set_escdelay(ESC_DELAY_MS);
	typeahead(-1); /* else a frame goes out in hundreds of pieces, and a key in between leaves it half drawn */
	t.keys = newpad(1, 1);
	keypad(t.keys, TRUE);
	nodelay(t.keys, TRUE);
	curs_set(0);
	t.cursor = 0;
}

bool term_open(enum tui_color color, char *why, size_t size)
{
	setlocale(LC_CTYPE, "");
	t.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!usable(why, size))
		return false;
	prepare_restore(0);
	del_curterm(cur_term); /* newterm() makes its own */
	if (pipe2(t.signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return fail(why, size, NULL, "no pipe for signals; close some files");
	restore_arm();
	catch_requests(true); /* before newterm(), which would install its own handlers */
	restore_up(true);
	t.screen = newterm(NULL, stdout, stdin);
	if (!t.screen) {
		term_close();
		return fail(why, size, getenv("TERM"), "cannot be driven");
	}
	set_modes();
	theme_init(color);
	canvas_init(&t.shown, t.utf8);
	return true;
}

static bool write_out(const char *p, size_t n)
{
	struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };
	while (n > 0 && poll(&ready, 1, STALLED_MS) > 0 && ready.revents & POLLOUT) {
		ssize_t wrote = write(STDOUT_FILENO, p, n);
		if (wrote <= 0)
			break;
		p += wrote;
		n -= (size_t)wrote;
	}
	return n == 0;
}

static void title_back(void)
{
	if (t.titled)
		write_out(TITLE_BACK, strlen(TITLE_BACK));
	t.titled = false;
}

void term_close(void)
{
	title_back();
	if (t.screen) {
		endwin();
		if (t.keys)
			delwin(t.keys);
		delscreen(t.screen);
	}
	t.screen = NULL, t.keys = NULL;
	restore_up(false);
	restore_disarm();
	catch_requests(false);
	canvas_clear(&t.shown);
	for (int i = 0; i < 2; i++) {
		if (t.signal_pipe[i] >= 0)
			close(t.signal_pipe[i]);
		t.signal_pipe[i] = -1;
	}
}

bool term_utf8(void)
{
	return t.utf8;
}

/* The Linux console's fonts hold neither braille nor the eighth blocks. */
unsigned term_level(void)
{
	const char *term = getenv("TERM");
	if (!t.utf8 || !term || strncmp(term, "linux", 5) == 0 || strncmp(term, "dumb", 4) == 0)
		return GLYPH_ASCII;
	return GLYPH_BRAILLE;
}

void term_size(int *rows, int *cols)
{
	struct winsize ws;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0 &&
	    (ws.ws_row != LINES || ws.ws_col != COLS))
		resizeterm(ws.ws_row, ws.ws_col);
	*rows = LINES;
	*cols = COLS;
	prepare_restore(LINES);
}

/* ---- paint ---- */

/* Widths come from Unicode data in draw.c and from the C library here; where they differ curses would shift the line, so a
 * '?' stands for it: false then. */
static bool to_wide(const struct cell *cell, bool utf8, wchar_t out[CCHARW_MAX + 1])
{
	unsigned n = 0, bytes = cell_bytes(cell);
	bool fits = true;
	for (unsigned i = 0, len; i < bytes && n < CCHARW_MAX; i += len) {
		uint32_t cp;
		len = text_decode(cell->s + i, bytes - i, &cp);
		if (len == 0)
			break;
		out[n] = (wchar_t)cp;
		fits = fits && (cp < 0x7F || (utf8 && wcwidth(out[n]) == (n ? 0 : cell->width)));
		n++;
	}
	fits = fits && n > 0;
	if (!fits)
		out[0] = L'?';
	out[fits ? n : 1] = L'\0';
	return fits;
}

static void paint_cell(int y, int x, const struct cell *cell)
{
	wchar_t s[CCHARW_MAX + 1];
	cchar_t wide;
	attr_t attrs;
	short pair;
	bool fits = to_wide(cell, t.utf8, s);
	theme_look(cell->style, &attrs, &pair);
	setcchar(&wide, s, attrs, pair, NULL);
	mvadd_wchnstr(y, x, &wide, 1);
	if (!fits && cell->width == 2)
		mvadd_wchnstr(y, x + 1, &wide, 1);
}

static bool same(const struct cell *a, const struct cell *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static void paint_row(int y, const struct cell *now, const struct cell *before, int cols)
{
	for (int x = 0; x < cols; x++) {
		if (same(&now[x], &before[x]))
			continue;
		int last = x;
		while (last + 1 < cols && !same(&now[last + 1], &before[last + 1]))
			last++;
		while (x > 0 && now[x].s[0] == '\0')
			x--;
		for (; x <= last; x++)
			if (now[x].s[0] != '\0')
				paint_cell(y, x, &now[x]);
		x = last;
	}
}

void term_paint(const struct canvas *c)
{
	if (t.shown.rows != c->rows || t.shown.cols != c->cols) {
		canvas_size(&t.shown, c->rows, c->cols);
		erase();
	}
	for (int y = 0; y < c->rows; y++) {
		size_t at = (size_t)y * (size_t)c->cols;
		paint_row(y, c->cell + at, t.shown.cell + at, c->cols);
	}
	memcpy(t.shown.cell, c->cell, (size_t)c->rows * (size_t)c->cols * sizeof *c->cell);
	if (t.cursor != (c->cursor_on ? 1 : 0))
		curs_set(t.cursor = c->cursor_on ? 1 : 0);
	move(c->cursor_y, c->cursor_x);
	wnoutrefresh(stdscr);
	doupdate();
}

void term_forget(void)
{
	clearok(curscr, TRUE);
}

bool term_writable(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&p, 1, 0) > 0;
}

/* ---- beside the screen ---- */

bool term_copy(struct span text, char *why, size_t size)
{
	enum clip_via via = clip_via(getenv("TERM"), getenv("TMUX"), getenv("STY"));
	struct span fit = clip_fit(text);
	struct buf b;
	if (via == CLIP_NONE) {
		snprintf(why, size, "this terminal has no clipboard");
		return false;
	}
	buf_init(&b, 1 << 20);
	bool ok = clip_encode(&b, via, fit) && write_out(b.p, b.n);
	snprintf(why, size, ok ? fit.n < text.n ? "copied, cut to the first %zu bytes" : "copied %zu bytes" : "not copied",
	         fit.n);
	buf_clear(&b);
	return ok;
}

void term_bell(void)
{
	write_out("\a", 1);
}

static bool has_title(void)
{
	static const char *const names[] = { "xterm",     "tmux",  "rxvt", "st-",     "foot",
		                                 "alacritty", "kitty", "vte",  "konsole", "gnome" };
	const char *term = getenv("TERM");
	for (size_t i = 0; term && i < sizeof names / sizeof *names; i++)
		if (strncmp(term, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

void term_title(const char *title)
{
	char text[256];
	if (!has_title())
		return;
	if (!t.titled) {
		t.titled = true;
		prepare_restore(LINES);
		write_out(TITLE_KEEP, strlen(TITLE_KEEP));
	}
	int n = snprintf(text, sizeof text, "\x1b]2;%.200s\a", title);
	write_out(text, (size_t)n);
}

/* ---- keys ---- */

static uint32_t from_curses(wint_t code)
{
	switch (code) {
	case KEY_UP: return K_UP;
	case KEY_DOWN: return K_DOWN;
	case KEY_LEFT: return K_LEFT;
	case KEY_RIGHT: return K_RIGHT;
	case KEY_PPAGE: return K_PGUP;
	case KEY_NPAGE: return K_PGDN;
	case KEY_HOME: return K_HOME;
	case KEY_END: return K_END;
	case KEY_ENTER: return K_ENTER;
	case KEY_BACKSPACE: return K_BACKSPACE;
	default: return K_OTHER;
	}
}

uint32_t term_key(void)
{
	wint_t c;
	int got = wget_wch(t.keys, &c);
	if (got == ERR)
		return K_NONE;
	if (got == KEY_CODE_YES)
		return from_curses(c);
	if (c == '\n')
		return K_ENTER;
	if (c == '\b')
		return K_BACKSPACE;
	return c == 0 || c >= K_UP ? K_OTHER : c;
}

/* Readable without a byte to read: that is how a hang-up looks when SIGHUP is ignored. */
bool term_gone(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int waiting = 0;
	if (poll(&p, 1, 0) <= 0)
		return false;
	if (p.revents & (POLLERR | POLLNVAL | POLLHUP))
		return true;
	return ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0 || waiting == 0;
}

/* ---- suspend ---- */

static void come_back(void)
{
	restore_up(true);
	term_forget();
	t.cursor = -1;
	wrefresh(curscr);
}

void term_resume(void)
{
	endwin(); /* whoever had the terminal meanwhile may have changed its modes */
	come_back();
}

void term_suspend(void)
{
	title_back();
	endwin();
	restore_up(false);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP); /* ignored by the kernel where no shell could continue us */
	catch_requests(true);
	term_signals(); /* that we were continued is known */
	come_back();
}
