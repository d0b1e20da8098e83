/* What stands around every screen: row 1 (who, where, how it fares, how old), its rule, and the footer with the keys. */
#ifndef TUI_FRAME_H
#define TUI_FRAME_H

#include "tui/view.h"

#define FRAME_TOP 2       /* rows */
#define FRAME_BOTTOM 2
#define GUTTER 4          /* of every table: selection, mark of two cells, a blank */
#define LEAST_ROWS 12
#define LEAST_COLS 40

void frame_header(struct view *v);
void frame_footer(struct view *v);

enum style style_of(enum health h);
/* The problems in words, worst first: rows, and calls to AWS that failed. Returns the rows drawn, at least 1. */
void problems_sync(struct view *v); /* there is a new snapshot */
int frame_problems(struct view *v, int y, int most);
void frame_problem_lines(const struct view *v, struct buf *out); /* the same as text, one line each, filtered */

#endif
