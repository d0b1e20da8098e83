/* One stage: what it is, its metrics with value and age, and charts of as many of them as have room. */
#include "core/clock.h"
#include "core/text.h"
#include "tui/action.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOUDWATCH_KEEPS (455 * 86400LL)
#define CHART_FIRST 7 /* rows that the one chart there always is gets at least */
#define CHART_MOST 18
#define CHART_LEAST 9 /* rows of a chart, its title and axis included, before a second one is worth its place */

static const struct row *shown(const struct view *v)
{
	return view_row(v, v->detail.row);
}

/* Readings never move, so their place is their identity. */
static uint64_t metric_id_of(const void *ctx, unsigned line)
{
	(void)ctx;
	return line + 1u;
}

static struct list_lines metric_lines(const struct view *v)
{
	const struct row *r = shown(v);
	return (struct list_lines){ .n = r ? r->nreadings : 0, .id = metric_id_of };
}

/* ---- facts ---- */

struct flow {
	struct canvas *c;
	int y, x, left; /* rows left */
};

/* One after another, as whole items, over the rows there are. */
static void flow_add(struct flow *f, const char *label, const char *value)
{
	char text[400];
	if (!value || !value[0] || f->left <= 0)
		return;
	snprintf(text, sizeof text, "%s %.300s", label, value);
	int cells = (int)text_width(span_of(text)), room = f->c->cols - GUTTER - 1;
	if (f->x > GUTTER && f->x + cells > f->c->cols) {
		f->x = GUTTER;
		f->y++;
		if (--f->left <= 0)
			return;
	}
	int at = draw_str(f->c, f->y, f->x, room, STYLE_FAINT, label) + 1;
	f->x += at + draw_name(f->c, f->y, f->x + at, room - at, STYLE_NORMAL, value) + 2;
}

/* A key says its unit at its end: retention_s=345600 reads "retention 4d00h", memory_mb=512 "memory 512 MB". */
static void flow_fact(struct flow *f, const struct fact *fact)
{
	static const struct {
		const char *end, *unit;
	} units[] = { { "_mb", " MB" }, { "_h", "h" }, { "_days", "d" } };
	char key[48], value[200], *after = NULL;
	snprintf(key, sizeof key, "%s", fact->key);
	snprintf(value, sizeof value, "%s", fact->value ? fact->value : "");
	long long number = strtoll(value, &after, 10);
	char *end = after != value && *after == '\0' ? strrchr(key, '_') : NULL;
	if (end && strcmp(end, "_s") == 0) {
		*end = '\0';
		text_duration(number, value);
	}
	for (size_t i = 0; end && i < sizeof units / sizeof *units; i++)
		if (strcmp(end, units[i].end) == 0) {
			*end = '\0';
			snprintf(value, sizeof value, "%lld%s", number, units[i].unit);
		}
	for (char *p = key; *p; p++)
		*p = *p == '_' ? ' ' : *p;
	flow_add(f, key, value);
}

/* Returns the rows used. */
static int draw_facts(struct view *v, int y, int rows, const struct row *r)
{
	struct flow f = { .c = &v->canvas, .y = y, .x = GUTTER, .left = rows };
	const struct snapshot *s = v->snap;
	char slowed[64] = "";
	if (r->slowed)
		field_slowed(r, slowed, sizeof slowed);
	flow_add(&f, "note", slowed);
	flow_add(&f, "fed by", r->fed_by);
	flow_add(&f, "feeds", r->feeds);
	if (r->resource && strcmp(r->resource, r->name) != 0)
		flow_add(&f, "resource", r->resource);
	for (unsigned i = 0; i < r->nfacts; i++)
		if (strcmp(r->facts[i].key, "arn") != 0)
			flow_fact(&f, &r->facts[i]);
	if (r->pipeline < s->npipelines)
		flow_add(&f, "pipeline", s->pipelines[r->pipeline].name);
	flow_add(&f, "arn", r->arn);
	flow_add(&f, "endpoint", v->options->demo ? NULL : s->target.endpoint);
	flow_add(&f, "note", r->by_role[ROLE_ERROR] ? NULL : r->kind->no_error);
	return f.left > 0 ? f.y - y + (f.x > GUTTER) : rows;
}

static void draw_head(struct view *v, int y, const struct row *r)
{
	struct canvas *c = &v->canvas;
	draw_str(c, y, 1, 2, style_of(r->health), health_mark(r->health));
	int x = GUTTER;
	x += draw_str(c, y, x, c->cols - x, STYLE_NORMAL, r->kind->title);
	x += draw_str(c, y, x, c->cols - x, STYLE_NORMAL, r->dlq ? " (dead letters)  " : "  ");
	x += draw_name(c, y, x, c->cols / 2, STYLE_STRONG, r->name) + 2;
	x += draw_str(c, y, x, c->cols - x, style_of(r->health), health_name(r->health)) + 2;
	draw_sentence(c, y, x, c->cols - x, STYLE_NORMAL, r->reason);
}

/* ---- metrics ---- */

enum column { C_TITLE, C_VALUE, C_UNIT, C_AT, C_AGE, C_KEY, C_SOURCE, C_COUNT };
static const struct list_column columns[C_COUNT] = {
	[C_TITLE] = { "METRIC", 14, 26, 36, 0, false },
	[C_VALUE] = { "VALUE", 8, 8, 8, 1, true },
	[C_AGE] = { "AGE", 5, 5, 5, 2, true },
	[C_UNIT] = { "UNIT", 10, 10, 12, 3, false },
	[C_AT] = { "AT", 6, 6, 6, 4, false },
	[C_KEY] = { "KEY", 10, 14, 20, 5, false },
	[C_SOURCE] = { "SOURCE", 20, 40, 80, 6, false },
};

/* Where the number comes from, so that it can be looked up elsewhere. */
static void source_text(const struct row *r, const struct metric_info *m, char *out, size_t size)
{
	switch (m->from) {
	case FROM_CLOUDWATCH:
		snprintf(out, size, "CloudWatch %s %s", m->name ? m->name : "", m->stat ? m->stat : "");
		break;
	case FROM_DIRECT: snprintf(out, size, "%s itself", r->kind->id); break;
	case FROM_RATIO: snprintf(out, size, "100 * %s / %s", m->a, m->b); break;
	case FROM_DIFFERENCE: snprintf(out, size, "%s - %s", m->a, m->b); break;
	}
}

static void draw_cell(struct view *v, int y, int x, int width, enum column col, const struct row *r,
                      const struct reading *rd)
{
	struct canvas *c = &v->canvas;
	char text[200] = "-";
	switch (col) {
	case C_TITLE: draw_name(c, y, x, width, STYLE_NORMAL, rd->info->title); return;
	case C_KEY: draw_name(c, y, x, width, STYLE_FAINT, rd->info->key); return;
	case C_UNIT: draw_str(c, y, x, width, STYLE_FAINT, unit_short(rd->info)); return;
	case C_SOURCE:
		source_text(r, rd->info, text, sizeof text);
		draw_name(c, y, x, width, STYLE_FAINT, text);
		return;
	case C_AT:
		if (rd->at > 0)
			clock_hm(rd->at, text);
		draw_str(c, y, x, width, STYLE_NORMAL, text);
		return;
	case C_AGE:
		if (rd->at > 0)
			text_duration(v->now > rd->at ? v->now - rd->at : 0, text);
		break;
	default: reading_text(r, rd, v->snap->phase == PHASE_CACHED, text); break;
	}
	draw_right(c, y, x, width, rd->stale ? STYLE_STALE : STYLE_NORMAL, text);
}

static void draw_metric(struct view *v, int y, const uint8_t *width, const struct row *r, const struct reading *rd,
                        bool selected)
{
	struct canvas *c = &v->canvas;
	int x = GUTTER;
	for (unsigned i = 0; i < C_COUNT; i++) {
		if (!width[i])
			continue;
		if (rd)
			draw_cell(v, y, x, width[i], (enum column)i, r, rd);
		else if (columns[i].right)
			draw_right(c, y, x, width[i], STYLE_FAINT, columns[i].title);
		else
			draw_str(c, y, x, width[i], STYLE_FAINT, columns[i].title);
		x += width[i] + 1;
	}
	if (rd && rd->stale)
		draw_str(c, y, 1, 1, STYLE_STALE, "~");
	if (selected)
		pane_select(v, &(struct area){ .x = 0, .w = c->cols }, y);
}

/* Title and heading only where they leave room for metrics. */
static void draw_metrics(struct view *v, int y, int h, const struct row *r)
{
	struct canvas *c = &v->canvas;
	struct list *l = &v->detail.metrics;
	uint8_t width[C_COUNT];
	list_fit(columns, C_COUNT, (unsigned)c->cols - GUTTER, width);
	if (h >= 4) {
		draw_rule(c, y, 0, c->cols, v->level > GLYPH_ASCII, "METRICS", "newest values; j k choose");
		draw_metric(v, y + 1, width, r, NULL, false);
		y += 2, h -= 2;
	}
	list_scroll(l, r->nreadings, (unsigned)h);
	for (int i = 0; i < h && l->top + (unsigned)i < r->nreadings; i++) {
		unsigned line = l->top + (unsigned)i;
		draw_metric(v, y + i, width, r, &r->readings[line], line == l->line);
	}
}

/* ---- charts ---- */

static struct wish wish_of(const struct view *v)
{
	return (struct wish){ .range = view_ranges[v->detail.range].seconds, .end = v->detail.end };
}

static void draw_chart(struct view *v, struct area a, const struct row *r, const struct reading *rd, bool selected)
{
	struct slot *s = view_slot(v, r->id, rd->info->key, wish_of(v));
	v->detail.chart_width = a.w;
	if (s)
		plot_draw(v, a, r, rd->info, s, s->wish.range, selected);
}

/* Wider and higher screens get more charts, not larger ones: in reading order, a page of them around the selected metric. */
struct page {
	int cols, rows, w, h; /* of one chart */
	unsigned first, count;
};

static struct page page_of(const struct view *v, int h, const struct row *r)
{
	struct page p = { .cols = v->canvas.cols >= 160 ? 2 : 1, .rows = h / CHART_LEAST < 1 ? 1 : h / CHART_LEAST };
	while (p.rows > 1 && ((p.rows - 1) * p.cols >= (int)r->nreadings || p.rows * p.cols > CHARTS_MAX))
		p.rows--;
	p.count = (unsigned)(p.rows * p.cols);
	if (p.count > r->nreadings)
		p.count = r->nreadings;
	p.first = v->detail.metrics.line / p.count * p.count;
	if (p.first + p.count > r->nreadings)
		p.first = r->nreadings - p.count;
	p.w = (v->canvas.cols - (p.cols - 1) * 2) / p.cols;
	p.h = h / p.rows < CHART_MOST ? h / p.rows : CHART_MOST;
	if (p.h > 5 && p.h % 2 == 0)
		p.h--; /* title, axis and an odd plot, which has a middle to label */
	return p;
}

/* What stays on the screen keeps its slot, and with it its answer. */
static void keep_slots(struct view *v, const struct page *p, const struct row *r)
{
	const char *keys[CHARTS_MAX];
	for (unsigned i = 0; i < p->count; i++)
		keys[i] = r->readings[p->first + i].info->key;
	view_slots_keep(v, r->id, keys, p->count);
}

/* Returns the rows used. */
static int draw_charts(struct view *v, int y, int h, const struct row *r)
{
	struct page p = page_of(v, h, r);
	keep_slots(v, &p, r);
	for (unsigned i = 0; i < p.count; i++) {
		int at_y = y + (int)i / p.cols * p.h, at_x = (int)i % p.cols * (p.w + 2);
		draw_chart(v, (struct area){ at_y, at_x, p.h, p.w }, r, &r->readings[p.first + i],
		           p.count > 1 && p.first + i == v->detail.metrics.line);
	}
	return p.rows * p.h;
}

/* ---- the screen ---- */

struct layout {
	int facts, charts, shards, why, metrics;
};

/* A chart and the metrics to choose from come first, then why, then what is left goes to charts. */
static struct layout lay_out(const struct view *v, int h, const struct row *r)
{
	struct layout l = { .facts = h < 14 ? 0 : h < 30 ? 1 : 4 };
	int room = h - 1 - l.facts, table = (int)r->nreadings + 2, why = why_want(v, r);
	if (h >= 16) {
		int most = h < 30 ? 4 : h / 5;
		int shards = shards_want(v);
		l.shards = shards < most ? shards : most;
		if (!l.shards) /* why says more than one more metric would */
			most += h < 30 ? 2 : 0;
		l.why = why < most ? why : most;
		room -= l.why + l.shards;
	}
	if (room - table < CHART_FIRST)
		table = room - CHART_FIRST > 2 ? room - CHART_FIRST : 2;
	l.metrics = table;
	l.charts = room - table;
	return l;
}

static void draw_detail(struct view *v, int y, int h)
{
	const struct row *r = shown(v);
	if (!r || r->nreadings == 0) {
		draw_str(&v->canvas, y + 1, GUTTER, v->canvas.cols - GUTTER, STYLE_NORMAL,
		         "this stage is not there any more; q goes back");
		return;
	}
	struct layout l = lay_out(v, h, r);
	draw_head(v, y, r);
	int facts = draw_facts(v, y + 1, l.facts, r);
	l.charts += l.facts - facts;
	y += 1 + facts;
	int charts = draw_charts(v, y, l.charts, r);
	l.metrics += l.charts - charts;
	y += charts;
	if (l.shards)
		shards_pane(v, (struct area){ y, 0, l.shards, v->canvas.cols });
	y += l.shards;
	if (l.why)
		why_pane(v, (struct area){ y, 0, l.why, v->canvas.cols }, r);
	y += l.why;
	draw_metrics(v, y, l.metrics, r);
}

static void move_detail(struct view *v, enum move m)
{
	struct list_lines lines = metric_lines(v);
	list_move(&v->detail.metrics, &lines, m);
}

static void sync_detail(struct view *v)
{
	struct list_lines lines = metric_lines(v);
	list_sync(&v->detail.metrics, &lines);
}

static const char *title_detail(const struct view *v)
{
	const struct row *r = shown(v);
	return r ? r->name : "?";
}

/* What runs out first; else the metric of the sparkline, which is what the kind is watched by. */
static const struct metric_info *first_metric(const struct row *r)
{
	const struct reading *age = r->by_role[ROLE_AGE];
	if (loss_at_risk(&r->loss) && age)
		return age->info;
	for (unsigned i = 0; i < r->nreadings; i++)
		if (r->spark_key && strcmp(r->readings[i].info->key, r->spark_key) == 0)
			return r->readings[i].info;
	return NULL;
}

void detail_show(struct view *v, uint64_t id)
{
	struct detail *d = &v->detail;
	const struct row *r = view_row(v, id);
	if (d->row == id && r)
		return;
	d->row = id;
	d->cursor = d->end = 0;
	d->metrics = (struct list){ 0 };
	struct list_lines lines = metric_lines(v);
	const struct metric_info *first = r ? first_metric(r) : NULL;
	for (unsigned i = 0; first && i < r->nreadings; i++)
		if (r->readings[i].info == first)
			list_select(&d->metrics, &lines, i);
	sync_detail(v);
}

const struct screen screen_detail = {
	.name = "detail", .title = title_detail, .sync = sync_detail, .draw = draw_detail, .move = move_detail
};

/* ---- actions ---- */

static void set_range(struct view *v, unsigned range)
{
	v->detail.range = range;
	view_note(v, "range %s", view_ranges[range].name);
}

/* To the past or back; at now the charts follow again. */
static void set_end(struct view *v, int64_t end)
{
	struct detail *d = &v->detail;
	int64_t range = view_ranges[d->range].seconds, oldest = v->now - CLOUDWATCH_KEEPS + range;
	d->end = end >= v->now ? 0 : end < oldest ? oldest : end;
	char when[WHEN_SIZE];
	when_text(v->time_style, d->end, v->now, when);
	view_note(v, d->end ? "range %s to %s" : "range %s to now", view_ranges[d->range].name, when);
}

static void pan(struct view *v, int direction)
{
	int64_t half = view_ranges[v->detail.range].seconds / 2;
	set_end(v, (v->detail.end ? v->detail.end : v->now) + direction * half);
}

void act_pan_past(struct view *v)
{
	pan(v, -1);
}

void act_pan_now(struct view *v)
{
	pan(v, 1);
}

/* The next range, around the cursor where there is one, else with the same end. */
static void zoom(struct view *v, int direction)
{
	struct detail *d = &v->detail;
	if (direction < 0 ? d->range == 0 : d->range + 1 == view_nranges) {
		view_note(v, "range %s: no further", view_ranges[d->range].name);
		return;
	}
	d->range = (unsigned)((int)d->range + direction);
	if (d->cursor)
		set_end(v, d->cursor + view_ranges[d->range].seconds / 2);
	else
		set_range(v, d->range);
}

void act_zoom_in(struct view *v)
{
	zoom(v, -1);
}

void act_zoom_out(struct view *v)
{
	zoom(v, 1);
}

void act_range_less(struct view *v)
{
	set_range(v, v->detail.range ? v->detail.range - 1 : 0);
}

void act_range_more(struct view *v)
{
	set_range(v, v->detail.range + 1 < view_nranges ? v->detail.range + 1 : v->detail.range);
}

/* The chart of the selected metric, once its answer is there. */
static bool selected_chart(const struct view *v, struct plotted *p)
{
	const struct row *r = shown(v);
	const struct detail *d = &v->detail;
	for (unsigned i = 0; r && d->metrics.line < r->nreadings && i < CHARTS_MAX; i++) {
		const struct slot *s = &d->slot[i];
		const struct metric_info *m = r->readings[d->metrics.line].info;
		if (!s->answer || s->answer->err.code != ERR_OK || s->shown_row != d->row || strcmp(s->metric, m->key) != 0)
			continue;
		plot_make(v, r, m, &s->answer->history, s->wish.range, p);
		return true;
	}
	return false;
}

/* Starts at the newest point that is there. */
void act_cursor(struct view *v)
{
	struct plotted p;
	const struct chart *ch = &p.chart;
	if (v->detail.cursor || !selected_chart(v, &p)) {
		v->detail.cursor = 0;
		return;
	}
	unsigned i = ch->n;
	while (i > 1 && !isfinite(ch->v[i - 1]))
		i--;
	v->detail.cursor = ch->from + (int64_t)(i ? i - 1 : 0) * ch->step;
}

static void move_cursor(struct view *v, int direction)
{
	struct plotted p;
	const struct chart *ch = &p.chart;
	if (!selected_chart(v, &p))
		return;
	if (!v->detail.cursor)
		act_cursor(v);
	int64_t step = chart_cell_seconds(ch, v->detail.chart_width) / ch->step * ch->step;
	int64_t last = ch->from + (int64_t)(ch->n ? ch->n - 1 : 0) * ch->step, at = v->detail.cursor + direction * step;
	v->detail.cursor = at < ch->from ? ch->from : at > last ? last : at;
}

void act_cursor_left(struct view *v)
{
	move_cursor(v, -1);
}

void act_cursor_right(struct view *v)
{
	move_cursor(v, 1);
}
