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

/* One row, its columns under each other; no blanks at its end. */
static void aligned(const struct table *t, unsigned row, const unsigned *width, struct out *o)
{
	struct buf line;
	buf_init(&line, 1 << 24);
	for (unsigned i = 0; i < t->columns; i++) {
		const char *cell = t->cells[row + i];
		int pad = (int)(width[i] - text_width(span_of(cell)));
		bool right = t->right & (1U << i);
		buf_addf(&line, "%s%*s%s%*s", i ? "  " : "", right ? pad : 0, "", cell, right ? 0 : pad, "");
	}
	while (line.n && line.p[line.n - 1] == ' ')
		line.p[--line.n] = '\0';
	out_ownf(o, "%s\n", line.p ? line.p : "");
	buf_clear(&line);
}

static void separated(const struct table *t, unsigned row, struct out *o)
{
	for (unsigned i = 0; i < t->columns; i++)
		out_ownf(o, "%s%c", t->cells[row + i], i + 1 == t->columns ? '\n' : '\t');
}

void table_print(struct table *t, struct out *o)
{
	unsigned *width = widths(t);
	for (unsigned row = 0; row + t->columns <= t->n; row += t->columns)
		if (o->tty)
			aligned(t, row, width, o);
		else
			separated(t, row, o);
	for (unsigned i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(width);
	free(t->cells);
	t->cells = NULL;
	t->n = t->cap = 0;
}
