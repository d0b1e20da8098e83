#include "cli/out.h"

#include "core/mem.h"
#include "core/text.h"

#include <stdlib.h>

void table_init(struct table *t, unsigned columns, unsigned right)
{
	*t = (struct table){ .columns = columns, .right = right };
}

void table_add(struct table *t, const char *any)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	text_visible(&b, span_of(any));
	MEM_GROW(t->cells, t->n, t->cap);
	t->cells[t->n++] = buf_steal(&b);
}

static unsigned *widths(const struct table *t)
{
	unsigned *width = xcalloc(t->columns, sizeof *width);
	for (unsigned i = 0; i < t->n; i++) {
		unsigned w = text_width(span_of(t->cells[i]));
		if (w > width[i % t->columns])
			width[i % t->columns] = w;
	}
	return width;
}

/* The last column needs no blanks behind it. */
static void aligned(const struct table *t, unsigned i, unsigned width, struct out *o)
{
	unsigned column = i % t->columns, w = text_width(span_of(t->cells[i]));
	int pad = (int)(width - w);
	bool right = t->right & (1U << column), last = column + 1 == t->columns;
	out_ownf(o, "%*s%s%*s%s", right ? pad : 0, "", t->cells[i], right || last ? 0 : pad, "", last ? "\n" : "  ");
}

void table_print(struct table *t, struct out *o)
{
	unsigned *width = widths(t);
	for (unsigned i = 0; i < t->n; i++) {
		unsigned column = i % t->columns;
		if (o->tty)
			aligned(t, i, width[column], o);
		else
			out_ownf(o, "%s%c", t->cells[i], column + 1 == t->columns ? '\n' : '\t');
		free(t->cells[i]);
	}
	free(width);
	free(t->cells);
	t->cells = NULL;
	t->n = t->cap = 0;
}
