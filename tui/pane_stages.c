/* The stages: one line a row, in flow order under their pipeline's heading or sorted, with their newest values. */
#include "core/mem.h"
#include "tui/chart.h"
#include "tui/fields.h"
#include "tui/filter.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/pane.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines: rows that pass the filter, in order, under their pipeline's heading when there are several ---- */

static uint64_t line_id(const void *ctx, unsigned line)
{
	const struct view *v = ctx;
	uint32_t at = v->overview.line[line];
	return at & HEADING ? 0 : v->snap->rows[at].id;
}

struct list_lines stages_lines(const struct view *v)
{
	return (struct list_lines){ .n = v->snap ? v->overview.nlines : 0, .id = line_id, .ctx = v };
}

static double sort_number(const struct row *r, enum sort by)
{
	static const enum role roles[SORT_COUNT] = {
		[SORT_IN] = ROLE_IN,           [SORT_OUT] = ROLE_OUT, [SORT_ERROR] = ROLE_ERROR,
		[SORT_BACKLOG] = ROLE_BACKLOG, [SORT_AGE] = ROLE_AGE,
	};
	return by == SORT_STATE ? (double)r->health : field_number(r, roles[by]);
}

/* The largest first, what has no value last whichever way; equal ones stay in flow order. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct view *v = ctx;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct row *x = &v->snap->rows[i], *y = &v->snap->rows[j];
	int d;
	if (v->overview.sort == SORT_NAME) {
		d = strcmp(x->name, y->name);
	} else if (v->overview.sort == SORT_LOSS) {
		bool p = loss_at_risk(&x->loss), q = loss_at_risk(&y->loss);
		if (p != q)
			return p ? -1 : 1;
		d = loss_order(&x->loss, &y->loss);
	} else {
		double p = sort_number(x, v->overview.sort), q = sort_number(y, v->overview.sort);
		if (isnan(p) || isnan(q))
			return isnan(p) != isnan(q) ? (isnan(p) ? 1 : -1) : (i > j) - (i < j);
		d = (p < q) - (p > q);
	}
	d = v->overview.reversed ? -d : d;
	return d ? d : (i > j) - (i < j);
}

static void add_line(struct overview *o, uint32_t at)
{
	o->line[o->nlines++] = at;
}

/* What is pinned comes first, in the order it was pinned in. */
static void pins_first(struct view *v)
{
	struct overview *o = &v->overview;
	unsigned n = 0;
	for (unsigned p = 0; p < o->npins; p++)
		for (unsigned i = n; i < o->nlines; i++) {
			uint32_t at = o->line[i];
			if (at & HEADING || v->snap->rows[at].id != o->pins[p])
				continue;
			memmove(&o->line[n + 1], &o->line[n], (i - n) * sizeof *o->line);
			o->line[n++] = at;
			break;
		}
}

void stages_sync(struct view *v)
{
	struct overview *o = &v->overview;
	const struct snapshot *s = v->snap;
	const struct row *of = overview_only(v);
	bool one = of != NULL, headings = s->npipelines > 1 && o->sort == SORT_FLOW && !one;
	uint32_t last = UINT32_MAX;
	o->nlines = o->shown = o->longest = 0;
	o->line = xreallocarray(o->line, (size_t)s->nrows + s->npipelines, sizeof *o->line);
	for (uint32_t i = 0; i < s->nrows; i++) {
		const struct row *r = &s->rows[i];
		if (!filter_matches(s, r, o->filter, v->now) || (one && r->pipeline != of->pipeline))
			continue;
		if (headings && r->pipeline != last && r->pipeline < s->npipelines)
			add_line(o, HEADING | (last = r->pipeline));
		add_line(o, i);
		o->shown++;
		size_t cells = strlen(r->name);
		if (cells > o->longest)
			o->longest = (uint8_t)(cells < 255 ? cells : 255);
	}
	if (o->sort != SORT_FLOW)
		qsort_r(o->line, o->nlines, sizeof *o->line, compare, v);
	pins_first(v);
	struct list_lines lines = stages_lines(v);
	if (!v->keyed) /* nobody has chosen yet: the first line, whichever that is once all is read */
		o->rows = (struct list){ 0 };
	list_sync(&o->rows, &lines);
}

/* ---- the stage table ---- */

enum column { C_STAGE, C_KIND, C_IN, C_OUT, C_ERROR, C_BACKLOG, C_AGE, C_LOSS, C_LATENCY, C_SPARK, C_NOTE, C_COUNT };

/* What is wanted most on a narrow screen has the lowest rank. */
static const struct list_column columns[C_COUNT] = {
	[C_STAGE] = { "STAGE", 12, 16, 40, 0, false },      [C_AGE] = { "OLDEST", 6, 6, 6, 1, true },
	[C_LOSS] = { "LOSS IN", 8, 8, 8, 2, true },         [C_BACKLOG] = { "BACKLOG", 7, 7, 7, 3, true },
	[C_ERROR] = { "ERR%", 5, 5, 5, 4, true },           [C_IN] = { "IN/s", 6, 6, 6, 5, true },
	[C_KIND] = { "KIND", 7, 7, 11, 6, false },          [C_OUT] = { "OUT/s", 6, 6, 6, 7, true },
	[C_SPARK] = { "LAST", 6, 24, SPARK_LEN, 8, false }, [C_LATENCY] = { "LATENCY", 7, 7, 7, 10, true },
	[C_NOTE] = { "NOTE", 20, 40, 200, 9, false },
};

static const enum role column_role[C_COUNT] = {
	[C_IN] = ROLE_IN,           [C_OUT] = ROLE_OUT, [C_ERROR] = ROLE_ERROR,
	[C_BACKLOG] = ROLE_BACKLOG, [C_AGE] = ROLE_AGE, [C_LATENCY] = ROLE_LATENCY,
};

struct table {
	struct view *v;
	const struct area *a;
	uint8_t width[C_COUNT];
};

/* The names come before the history of minutes, but the column needs no more than the longest of them. */
static void table_fit(struct table *t, struct view *v, const struct area *a)
{
	struct list_column fitted[C_COUNT];
	memcpy(fitted, columns, sizeof fitted);
	struct list_column *stage = &fitted[C_STAGE];
	uint8_t longest = v->overview.longest > stage->min ? v->overview.longest : stage->min;
	if (a->w >= 100)
		stage->want = 24;
	else if (a->w < 60)
		stage->want = stage->min;
	stage->want = longest < stage->want ? longest : stage->want;
	stage->max = longest < stage->max ? longest : stage->max;
	t->v = v;
	t->a = a;
	list_fit(fitted, C_COUNT, (unsigned)a->w - GUTTER, t->width);
}

static void draw_head(const struct table *t, int y)
{
	struct canvas *c = &t->v->canvas;
	int x = t->a->x + GUTTER;
	for (unsigned i = 0; i < C_COUNT; i++) {
		char title[32];
		if (!t->width[i])
			continue;
		snprintf(title, sizeof title, "%s", columns[i].title);
		if (i == C_SPARK)
			snprintf(title, sizeof title, "LAST %um", t->width[i]); /* a cell a minute */
		if (columns[i].right)
			draw_right(c, y, x, t->width[i], STYLE_FAINT, title);
		else
			draw_str(c, y, x, t->width[i], STYLE_FAINT, title);
		x += t->width[i] + 1;
	}
}

static void draw_cell(const struct table *t, int y, int x, enum column col, const struct row *r, bool old)
{
	struct canvas *c = &t->v->canvas;
	char text[FIELD_SIZE], spark[SPARK_BYTES], note[256];
	int width = t->width[col];
	switch (col) {
	case C_STAGE: draw_name(c, y, x, width, style_of(r->health), r->name); return;
	case C_KIND:
		field_kind(r, text);
		draw_name(c, y, x, width, STYLE_NORMAL, text);
		return;
	case C_SPARK:
		spark_text(r->spark, SPARK_LEN, (unsigned)width, t->v->level, spark);
		draw_str(c, y, x, width, STYLE_NORMAL, spark);
		return;
	case C_NOTE:
		field_note(r, note, sizeof note);
		draw_sentence(c, y, x, width, STYLE_NORMAL, note);
		return;
	case C_LOSS:
		loss_in(&r->loss, t->v->now, text);
		draw_right(c, y, x, width, loss_at_risk(&r->loss) ? style_of(r->health) : STYLE_NORMAL, text);
		return;
	default: break;
	}
	field_text(r, column_role[col], old, width, text);
	draw_right(c, y, x, width, text[0] == '~' ? STYLE_STALE : STYLE_NORMAL, text);
}

static void draw_row(const struct table *t, int y, const struct row *r, bool selected)
{
	struct view *v = t->v;
	struct canvas *c = &v->canvas;
	bool old = v->snap->phase == PHASE_CACHED;
	int x = t->a->x + GUTTER;
	draw_str(c, y, t->a->x + 1, 2, style_of(r->health), health_mark(r->health));
	if (overview_marked(v, r->id))
		draw_str(c, y, t->a->x + 3, 1, STYLE_STRONG, "*");
	for (unsigned i = 0; i < C_COUNT; i++) {
		if (!t->width[i])
			continue;
		draw_cell(t, y, x, (enum column)i, r, old);
		x += t->width[i] + 1;
	}
	if (selected && v->overview.focus == PANE_STAGES)
		pane_select(v, t->a, y);
	else if (selected)
		draw_str(c, y, t->a->x, 1, STYLE_STRONG, v->level > GLYPH_ASCII ? "\xE2\x96\xB6" : ">");
}

static void draw_heading(struct view *v, int y, const struct pipeline *p)
{
	struct canvas *c = &v->canvas;
	draw_str(c, y, 1, 2, style_of(p->health), health_mark(p->health));
	int x = GUTTER + draw_name(c, y, GUTTER, c->cols - 30, STYLE_STRONG, p->name);
	draw_fmt(c, y, x + 1, c->cols - x - 1, STYLE_FAINT, "%s, %u stage%s", health_name(p->health), p->n,
	         p->n == 1 ? "" : "s");
}

static void rows_title(struct view *v, const struct area *a)
{
	static const char *const by[SORT_COUNT] = { "",     "state",   "name",   "IN/s",   "OUT/s",
		                                        "ERR%", "BACKLOG", "OLDEST", "LOSS IN" };
	const struct overview *o = &v->overview;
	const struct snapshot *s = v->snap;
	char title[200], note[120] = "";
	int n = snprintf(title, sizeof title, "STAGES");
	if (s && s->npipelines == 1 && s->pipelines[0].name)
		n += snprintf(title + n, sizeof title - (size_t)n, "  %.60s", s->pipelines[0].name);
	if (o->filter[0])
		snprintf(title + n, sizeof title - (size_t)n, "  /%.60s  %u of %u", o->filter, o->shown, s ? s->nrows : 0);
	if (o->sort != SORT_FLOW)
		snprintf(note, sizeof note, "by %s, %s first", by[o->sort],
		         o->sort == SORT_NAME   ? (o->reversed ? "last" : "a")
		         : o->sort == SORT_LOSS ? (o->reversed ? "latest" : "soonest")
		         : o->reversed          ? "least"
		                                : "most");
	else if (s && s->cache_note)
		snprintf(note, sizeof note, "history: %.80s", s->cache_note);
	pane_title(v, a, title, note);
}

void stages_draw(struct view *v, struct area a)
{
	int y = a.y, h = a.h;
	struct overview *o = &v->overview;
	struct table t;
	table_fit(&t, v, &a);
	rows_title(v, &a);
	draw_head(&t, y + 1);
	unsigned n = v->snap ? o->nlines : 0;
	list_scroll(&o->rows, n, h > 2 ? (unsigned)h - 2 : 0);
	for (int i = 0; i < h - 2 && o->rows.top + (unsigned)i < n; i++) {
		unsigned line = o->rows.top + (unsigned)i;
		uint32_t at = o->line[line];
		if (at & HEADING)
			draw_heading(v, y + 2 + i, &v->snap->pipelines[at & ~HEADING]);
		else
			draw_row(&t, y + 2 + i, &v->snap->rows[at], line == o->rows.line);
	}
	if (v->snap && n == 0 && o->filter[0])
		draw_str(&v->canvas, y + 2, GUTTER, v->canvas.cols - GUTTER, STYLE_FAINT, "nothing matches the filter");
}
