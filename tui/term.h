/* The terminal: up, down, paint, keys, resize, suspend. The only user of curses beside theme.c. Main thread only. */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include "tui/draw.h"
#include "tui/tui.h"

#include <stdint.h>

/* False with one line in why (visible characters only) when there is no usable terminal; it is untouched then. */
bool term_open(enum tui_color color, char *why, size_t size);
void term_close(void);               /* the terminal as it was found; fine when it is not open */
bool term_utf8(void);
unsigned term_level(void);           /* glyph level to start with: glyph.h */
void term_size(int *rows, int *cols);
void term_paint(const struct canvas *c); /* writes what differs from the last paint */
void term_forget(void);              /* the next paint writes everything */
uint32_t term_key(void);             /* K_NONE when no more is waiting */
bool term_gone(void);                /* the other end has hung up, or standard input has ended */
bool term_writable(void);            /* a paint would not wait for a slow line */

/* To the clipboard of whoever sits there: text that passed the filter. False with one line in why. */
bool term_copy(struct span text, char *why, size_t size);
void term_bell(void);
/* The window's title: filtered text; the one that was there comes back in term_close() and when the process is ended by a signal. Without
 * effect where the terminal has none, or could not be brought to give the old one back. */
void term_title(const char *title);

/* Readable when a signal asks for attention; term_signals() drains it and says what is to be done. */
enum term_signal { TERM_RESIZED = 1, TERM_STOP = 2, TERM_CONTINUED = 4 };
int term_signal_fd(void);
unsigned term_signals(void);
void term_suspend(void);             /* stops this process; returns when it is continued, the terminal ours again */
void term_resume(void);              /* after a stop that could not be seen coming */

#endif
