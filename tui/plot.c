#include "tui/plot.h"

#include "core/text.h"
#include "tui/alarms.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/glyph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define THRESHOLD_FAR 4 /* times the highest point: a threshold further up would press the line flat */

static const char *range_name(int64_t seconds)
{
	for (unsigned i = 0; i < view_nranges; i++)
		if (view_ranges[i].seconds == seconds)
			return view_ranges[i].name;
	return "";
}

static double highest(const struct history_result *h)
{
	double most = 0;
	for (unsigned i = 0; i < h->n; i++)
		most = isfinite(h->v[i]) && h->v[i] > most ? h->v[i] : most;
	return most;
}

static void add_level(struct plotted *p, double at, const char *label)
{
	unsigned n = p->chart.nlevels;
	if (n == LEVELS_MOST)
		return;
	text_visible_to(p->label[n], sizeof p->label[n], label);
	p->level[n] = (struct chart_level){ at, p->label[n] };
	p->chart.nlevels = n + 1;
}

static void add_thresholds(const struct view *v, const struct row *r, const struct metric_info *m, double most,
                           struct plotted *p)
{
	for (unsigned i = 0; i < v->snap->nalarms; i++) {
		const struct alarm *a = &v->snap->alarms[i];
		char value[16], label[128];
		if (!isfinite(a->threshold) || !alarm_watches(a, r, m))
			continue;
		if (most > 0 && a->threshold > THRESHOLD_FAR * most)
			continue;
		bool other = a->stat && m->stat && strcmp(a->stat, m->stat) != 0;
		chart_label(a->threshold, m->unit, value);
		snprintf(label, sizeof label, "%.40s %s %s%s%.10s", a->name, a->comparison ? a->comparison : "", value,
		         other ? " of " : "", other ? a->stat : "");
		add_level(p, a->threshold, label);
	}
}

/* The age of the oldest on its way to the retention. */
static void add_loss(const struct view *v, const struct row *r, const struct metric_info *m, int64_t ahead,
                     struct plotted *p)
{
	const struct loss *l = &r->loss;
	double by = m->unit == UNIT_MILLISECONDS ? 1000 : 1;
	char label[64], d[TEXT_NUM];
	if (m->role != ROLE_AGE || !l->from || !(l->retention > 0) || !isfinite(l->age))
		return;
	text_duration(llround(l->retention), d);
	snprintf(label, sizeof label, "retention %s", d);
	struct chart *ch = &p->chart;
	double left = l->slope > 0 ? (l->retention - l->age) / l->slope : -1;
	if (left >= 0 && l->from >= ch->from) {
		int64_t end = l->from + llround(left), edge = v->now + ahead;
		bool ends = end <= edge;
		ch->forecast = (struct chart_forecast){ .from = l->from,
			                                    .to = ends ? end : edge,
			                                    .at = l->age * by,
			                                    .slope = l->slope * by,
			                                    .ends = ends,
			                                    .word = "loss" };
		if (ch->forecast.to > ch->to)
			ch->to = ch->forecast.to + (ch->forecast.to - ch->from) / 40;
		if (ends)
			add_level(p, l->retention * by, label);
	} else if (left < 0 && l->age * THRESHOLD_FAR > l->retention) {
		add_level(p, l->retention * by, label);
	}
}

void plot_make(const struct view *v, const struct row *r, const struct metric_info *m, const struct history_result *h,
               int64_t ahead, struct plotted *p)
{
	*p = (struct plotted){ .chart = { .from = h->from,
		                              .to = h->to,
		                              .step = h->step,
		                              .n = h->n,
		                              .v = h->v,
		                              .unit = m->unit,
		                              .cursor = v->detail.cursor,
		                              .now = v->now,
		                              .times = v->time_style } };
	p->chart.levels = p->level;
	add_loss(v, r, m, v->detail.end ? 0 : ahead, p);
	add_thresholds(v, r, m, highest(h), p);
}

static void cursor_note(const struct view *v, const struct plotted *p, const char *rolled, char *out, size_t size)
{
	char when[WHEN_SIZE], value[16];
	double at = chart_at(&p->chart, v->detail.cursor);
	when_text(v->time_style, v->detail.cursor, v->now, when);
	chart_label(at, p->chart.unit, value);
	snprintf(out, size, "%s  %s%s%s", when, isnan(at) ? "no datapoint" : value, rolled ? ", " : "",
	         rolled ? rolled : "");
}

/* How well the answer reaches. */
static void reach_note(const struct slot *s, const struct history_result *h, char *out, size_t size)
{
	out[0] = '\0';
	if (!h || s->pending)
		snprintf(out, size, ", asking...");
	else if (!h->polled && !s->wish.offline)
		snprintf(out, size, ", history only%s%s", h->poll_error.code ? ": " : "",
		         h->poll_error.code ? err_name(h->poll_error.code) : "");
}

/* What stands at the right of a chart's title: the point under the cursor, else how far and how well the answer reaches. */
static void note_text(const struct view *v, const struct slot *s, const struct plotted *p, char *out, size_t size)
{
	char when[WHEN_SIZE] = "", reach[80], coarse[48] = "";
	const struct history_result *h = s->answer && s->answer->err.code == ERR_OK ? &s->answer->history : NULL;
	const char *rolled = h && h->nparts ? h->parts[0].rolled : NULL; /* the oldest is the coarsest */
	if (h && v->detail.cursor && view_screen(v) == SCREEN_DETAIL) {
		cursor_note(v, p, rolled, out, size);
		return;
	}
	if (s->wish.end)
		when_text(v->time_style, s->wish.end, v->now, when);
	if (rolled)
		snprintf(coarse, sizeof coarse, ", %s of each %um", rolled, h->parts[0].step / 60);
	reach_note(s, h, reach, sizeof reach);
	snprintf(out, size, "%s%s%s%s%s%s", range_name(s->wish.range), when[0] ? " to " : "", when, reach, coarse,
	         p->chart.forecast.from ? ", dotted = forecast" : "");
}

static void draw_problem(struct view *v, const struct area *a, const struct err *e)
{
	struct canvas *c = &v->canvas;
	draw_fmt(c, a->y, a->x + 2, a->w - 2, STYLE_UNKNOWN, "?? %s", err_name(e->code));
	if (a->h > 1)
		draw_sentence(c, a->y + 1, a->x + 5, a->w - 5, STYLE_NORMAL, e->text);
	if (a->h > 2)
		draw_str(c, a->y + 2, a->x + 5, a->w - 5, STYLE_FAINT, err_hint(e->code));
}

static bool has_points(const struct history_result *h)
{
	for (unsigned i = 0; i < h->n; i++)
		if (isfinite(h->v[i]))
			return true;
	return false;
}

static void draw_answer(struct view *v, const struct area *a, const struct slot *s, const struct plotted *p)
{
	struct canvas *c = &v->canvas;
	int left = a->x + CHART_LABEL + 2, room = a->w - CHART_LABEL - 2;
	if (!s->answer) {
		draw_str(c, a->y + a->h / 2, left, room, STYLE_FAINT, "asking...");
		return;
	}
	if (s->answer->err.code != ERR_OK) {
		draw_problem(v, a, &s->answer->err);
		return;
	}
	const struct history_result *h = &s->answer->history;
	chart_draw(c, a->y, a->x, a->h, a->w, v->level, &p->chart);
	if (!has_points(h))
		draw_sentence(c, a->y + (a->h - 1) / 2, left, room, STYLE_FAINT,
		              h->hint              ? h->hint
		              : h->poll_error.code ? h->poll_error.text
		              : s->wish.offline    ? "no point in the history; Enter asks AWS"
		                                   : "no datapoint in this range");
}

void plot_draw(struct view *v, struct area a, const struct row *r, const struct metric_info *m, const struct slot *s,
               int64_t ahead, bool selected)
{
	static struct plotted p; /* drawing is one thread's */
	char title[300], note[200];
	bool counted = m->unit == UNIT_COUNT || m->unit == UNIT_BYTES; /* other labels carry their unit */
	bool of = view_screen(v) != SCREEN_DETAIL;
	if (s->answer && s->answer->err.code == ERR_OK)
		plot_make(v, r, m, &s->answer->history, ahead, &p);
	else
		p = (struct plotted){ .chart = { .unit = m->unit } };
	snprintf(title, sizeof title, "%.120s%s%s%s%s", of ? r->name : "", of ? "  " : "", m->title, counted ? "  " : "",
	         counted ? unit_short(m) : "");
	note_text(v, s, &p, note, sizeof note);
	pane_title(v, &a, title, note);
	if (selected)
		draw_str(&v->canvas, a.y, a.x, 1, STYLE_STRONG, v->level > GLYPH_ASCII ? "\xE2\x96\xB6" : ">");
	struct area inner = { a.y + 1, a.x, a.h - 1, a.w };
	draw_answer(v, &inner, s, &p);
}
