/* One virtual list for every table: which line is selected, which lines are visible, which columns fit. Selection is by id:
 * a refresh may move lines, the selection goes with its line. Costs nothing for lines that are not visible. */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include <stdbool.h>
#include <stdint.h>

/* What a list is of: n lines, each with an id; id 0 is a heading, which is never selected. */
struct list_lines {
	unsigned n;
	uint64_t (*id)(const void *ctx, unsigned line);
	const void *ctx;
};
struct list {
	uint64_t id;       /* selected; 0 = none yet */
	unsigned line;     /* where it was last seen */
	unsigned top;      /* first visible line */
	unsigned page;     /* lines visible at the last list_scroll */
};
enum move {
	MOVE_DOWN, MOVE_UP, MOVE_HALF_DOWN, MOVE_HALF_UP, MOVE_PAGE_DOWN, MOVE_PAGE_UP, MOVE_FIRST, MOVE_LAST
};

void list_sync(struct list *l, const struct list_lines *lines);   /* the lines have changed: find the selected one again */
void list_move(struct list *l, const struct list_lines *lines, enum move m);
void list_select(struct list *l, const struct list_lines *lines, unsigned line);
void list_scroll(struct list *l, unsigned n, unsigned page);      /* makes the selected line visible in `page` lines */

/* ---- columns */
struct list_column {
	const char *title;
	uint8_t min, want, max; /* cells */
	uint8_t rank;           /* 0 is served first */
	bool right;
};
/* Gives each column in rank order what it wants of `cells` cells, or what is left if that is at least its min; what then is
 * still left widens them in rank order, up to max. One blank between columns. width[i] = 0: not shown. Returns the cells used. */
unsigned list_fit(const struct list_column *col, unsigned n, unsigned cells, uint8_t *width);

#endif
