/* Cells in memory, and the only door to them: every text that reaches the terminal passes through draw_text(), which runs
 * the filter of core/text.h and clips by cells. Pure: no curses here, so that a test can draw a screen without a terminal.
 * Coordinates are row y, column x from 0; what lies outside the canvas is not drawn. */
#ifndef TUI_DRAW_H
#define TUI_DRAW_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Roles, not colours: theme.c says what they look like. Colour stands for state alone. */
enum style { STYLE_NORMAL, STYLE_STRONG, STYLE_FAINT, STYLE_ALARM, STYLE_WARN, STYLE_UNKNOWN, STYLE_STALE, STYLE_COUNT };
#define STYLE_REVERSE 0x80u            /* added to any of them: the selected row, a production target */

#define CELL_BYTES 14                  /* one grapheme cluster; marks beyond it are left out */
struct cell {
	char s[CELL_BYTES];                /* not terminated when full; s[0] == 0 in the second cell of a wide cluster */
	uint8_t width, style;
};
struct canvas {
	int rows, cols;
	struct cell *cell;
	int cursor_y, cursor_x;            /* where the reader's attention is; seen only when cursor_on */
	bool cursor_on;
	bool utf8;                         /* the terminal takes UTF-8; otherwise one '?' a cell for what is not ASCII */
	bool ascii;                        /* our own marks are ASCII too, whatever the terminal takes */
	struct buf scratch;
};

void canvas_init(struct canvas *c, bool utf8);
void canvas_size(struct canvas *c, int rows, int cols);  /* blank afterwards */
void canvas_blank(struct canvas *c);
void canvas_clear(struct canvas *c);                     /* frees */
void canvas_text(const struct canvas *c, struct buf *out); /* plain text, trailing blanks trimmed, '\n' after every row */
unsigned cell_bytes(const struct cell *cell);

/* Draws at most `width` cells and returns how many it used. */
int draw_text(struct canvas *c, int y, int x, int width, unsigned style, struct span text);
int draw_str(struct canvas *c, int y, int x, int width, unsigned style, const char *s);   /* NULL draws nothing */
int draw_fmt(struct canvas *c, int y, int x, int width, unsigned style, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
void draw_right(struct canvas *c, int y, int x, int width, unsigned style, const char *s); /* '#' all over when s is too wide: a cut number lies */
int draw_name(struct canvas *c, int y, int x, int width, unsigned style, const char *s);   /* shortened in the middle */
int draw_sentence(struct canvas *c, int y, int x, int width, unsigned style, const char *s); /* a cut end is marked '>' */
/* Over as many rows as it needs, at most h, broken between words; the rows used. */
int draw_words(struct canvas *c, int y, int h, int x, int width, unsigned style, const char *text);
void draw_style(struct canvas *c, int y, int x, int width, unsigned style);               /* flags of style added to what is there */
/* "-- TITLE ---------- note --" over the whole width given. */
void draw_rule(struct canvas *c, int y, int x, int width, bool blocks, const char *title, const char *note);

#endif
