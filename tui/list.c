#include "tui/list.h"

#include <stddef.h>

static uint64_t id_of(const struct list_lines *lines, unsigned line)
{
	return lines->id(lines->ctx, line);
}

/* The nearest line that can be selected, looking first in the direction of `down`. */
static bool nearest(const struct list_lines *lines, unsigned from, bool down, unsigned *out)
{
	for (int pass = 0; pass < 2; pass++, down = !down)
		for (int64_t i = from; i >= 0 && i < lines->n; i += down ? 1 : -1)
			if (id_of(lines, (unsigned)i) != 0) {
				*out = (unsigned)i;
				return true;
			}
	return false;
}

void list_select(struct list *l, const struct list_lines *lines, unsigned line)
{
	bool down = line >= l->line;
	if (line >= lines->n)
		line = lines->n ? lines->n - 1 : 0;
	if (nearest(lines, line, down, &line)) {
		l->line = line;
		l->id = id_of(lines, line);
	} else {
		l->line = 0;
		l->id = 0;
	}
}

void list_sync(struct list *l, const struct list_lines *lines)
{
	if (l->id && l->line < lines->n && id_of(lines, l->line) == l->id)
		return;
	for (unsigned i = 0; l->id && i < lines->n; i++)
		if (id_of(lines, i) == l->id) {
			l->top = l->top + i > l->line ? l->top + i - l->line : 0; /* it stays where it is on the screen */
			l->line = i;
			return;
		}
	list_select(l, lines, l->line);
}

void list_move(struct list *l, const struct list_lines *lines, enum move m)
{
	unsigned page = l->page ? l->page : 1, half = page > 1 ? page / 2 : 1, step = 1;
	if (m == MOVE_HALF_DOWN || m == MOVE_HALF_UP)
		step = half;
	else if (m == MOVE_PAGE_DOWN || m == MOVE_PAGE_UP)
		step = page;
	switch (m) {
	case MOVE_FIRST: list_select(l, lines, 0); break;
	case MOVE_LAST: list_select(l, lines, lines->n); break;
	case MOVE_DOWN:
	case MOVE_HALF_DOWN:
	case MOVE_PAGE_DOWN: list_select(l, lines, l->line + step); break;
	case MOVE_UP:
	case MOVE_HALF_UP:
	case MOVE_PAGE_UP: list_select(l, lines, l->line > step ? l->line - step : 0); break;
	}
}

void list_scroll(struct list *l, unsigned n, unsigned page)
{
	l->page = page;
	if (page == 0)
		return;
	if (l->top + page > n)
		l->top = n > page ? n - page : 0;
	if (l->line < l->top)
		l->top = l->line;
	if (l->line >= l->top + page)
		l->top = l->line - page + 1;
	if (l->line == 1 && l->top == 1 && page > 1)
		l->top = 0; /* the heading above the first line */
}

/* ---- columns ---- */

#define RANKS 32

static unsigned grow(const struct list_column *col, unsigned n, unsigned left, uint8_t *width)
{
	for (unsigned rank = 0; rank < RANKS && left; rank++)
		for (unsigned i = 0; i < n; i++) {
			if (col[i].rank != rank || !width[i] || col[i].max <= width[i])
				continue;
			unsigned more = col[i].max - width[i] < (int)left ? (unsigned)(col[i].max - width[i]) : left;
			width[i] = (uint8_t)(width[i] + more);
			left -= more;
		}
	return left;
}

unsigned list_fit(const struct list_column *col, unsigned n, unsigned cells, uint8_t *width)
{
	unsigned left = cells, blank = 0;
	for (unsigned i = 0; i < n; i++)
		width[i] = 0;
	for (unsigned rank = 0; rank < RANKS; rank++)
		for (unsigned i = 0; i < n; i++) {
			if (col[i].rank != rank || left < col[i].min + blank)
				continue;
			left -= blank;
			width[i] = (uint8_t)(col[i].want < left ? col[i].want : left);
			left -= width[i];
			blank = 1;
		}
	return cells - grow(col, n, left, width);
}
