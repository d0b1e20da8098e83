/* The alarms, worst first, and of the selected one what it looks at with its threshold, what it would be by its own datapoints, who
 * would really be told, who keeps it, and what happened to it. */
#include "core/clock.h"
#include "core/metric.h"
#include "core/text.h"
#include "tui/action.h"
#include "tui/alarms.h"
#include "tui/chart.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/pane.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIDE_BY_SIDE 160 /* columns from which the list has a neighbour */
#define HISTORY_S (7 * 86400)
#define MOMENTS 50 /* of history asked for: more than any screen shows */
#define UNANSWERED_MOST 2

static const struct alarm *selected(const struct view *v)
{
	const struct list *l = &v->alarms.list;
	return v->snap && l->id && l->line < v->snap->nalarms ? &v->snap->alarms[l->line] : NULL;
}

const struct alarm *alarms_selected(const struct view *v)
{
	return view_screen(v) == SCREEN_ALARMS ? selected(v) : NULL;
}

static const struct alarm_result *answer_of(const struct view *v, const struct alarm *a)
{
	const struct result *r = v->alarms.answer;
	return r && r->err.code == ERR_OK && strcmp(r->alarm.alarm.name, a->name) == 0 ? &r->alarm : NULL;
}

/* ---- the question about the selected alarm */

static int64_t range_of(const struct view *v)
{
	return view_ranges[v->detail.range].seconds;
}

static bool wants(const struct view *v)
{
	const struct alarm *a = selected(v);
	const struct alarms_view *s = &v->alarms;
	if (view_screen(v) != SCREEN_ALARMS || !a || v->snap->phase != PHASE_LIVE || strlen(a->name) >= sizeof s->name)
		return false;
	if (strcmp(s->name, a->name) != 0 || s->range != range_of(v))
		return true;
	return !s->pending && s->polled_at != v->snap->polled_at;
}

bool alarms_question(struct view *v, struct alarm_request *rq)
{
	if (v->alarms.unanswered >= UNANSWERED_MOST || !wants(v))
		return false;
	*rq = (struct alarm_request){ .name = selected(v)->name,
		                          .points_from = v->now - range_of(v),
		                          .history_from = v->now - HISTORY_S,
		                          .history_most = MOMENTS };
	return true;
}

void alarms_asked(struct view *v, uint64_t id)
{
	struct alarms_view *s = &v->alarms;
	snprintf(s->name, sizeof s->name, "%s", selected(v)->name);
	s->pending = id;
	s->range = range_of(v);
	s->polled_at = v->snap->polled_at;
	s->unanswered++;
}

void alarms_forget(struct view *v)
{
	struct alarms_view *s = &v->alarms;
	result_free(s->answer);
	s->answer = NULL;
	s->name[0] = '\0';
	s->pending = 0;
}

void alarms_answer(struct view *v, struct result *r)
{
	struct alarms_view *s = &v->alarms;
	if (s->unanswered)
		s->unanswered--;
	if (!s->pending || s->pending != r->id) {
		result_free(r); /* nobody waits for it any more */
		return;
	}
	s->pending = 0;
	result_free(s->answer);
	s->answer = r;
}

bool alarms_waiting(const struct view *v)
{
	return view_screen(v) == SCREEN_ALARMS && (v->alarms.pending || wants(v));
}

/* ---- the list */

/* The unit that the stage's kind knows for the metric: CloudWatch does not say one with an alarm. */
static enum unit unit_of(const struct view *v, const struct alarm *a)
{
	const struct row *r;
	const struct reading *rd = alarm_reading(v, a, &r);
	return rd ? rd->info->unit : UNIT_NONE;
}

static const struct alarm_local *local_of(const struct view *v, const struct alarm *a)
{
	const struct alarm_result *r = answer_of(v, a);
	return r && r->alarm.local.state != ALARM_STATE_UNKNOWN ? &r->alarm.local : &a->local;
}

enum column { C_NAME, C_ON, C_RULE, C_NOW, C_FOR, C_ACTS, C_TOLD, C_KEPT, C_COUNT };
static const struct list_column columns[C_COUNT] = {
	[C_NAME] = { "ALARM", 14, 24, 40, 0, false },
	[C_FOR] = { "FOR", 5, 5, 5, 1, true },
	[C_RULE] = { "RULE", 16, 24, 32, 2, false },
	[C_NOW] = { "NOW", 7, 7, 7, 3, true },
	[C_ACTS] = { "ACTS", 4, 4, 4, 4, false },
	[C_ON] = { "RESOURCE", 10, 15, 15, 5, false },
	[C_TOLD] = { "TOLD IN ALARM", 13, 34, 80, 6, false },
	[C_KEPT] = { "KEPT BY", 8, 14, 14, 7, false },
};

/* In the words of the stage's own table where there is one: "Iterator age > 30m". */
static void limit_text(const struct view *v, const struct alarm *a, char *out, size_t size)
{
	char what[200], on[160];
	const struct row *r;
	const struct reading *rd = alarm_reading(v, a, &r);
	alarm_words(a, what, sizeof what, on, sizeof on);
	alarm_condition(a, rd ? rd->info->title : what, unit_of(v, a), out, size);
}

/* What sluice's own evaluation compared; before there is one, the stage's newest value, as on the overview. */
static void now_text(const struct view *v, const struct alarm *a, char *out, size_t size)
{
	const struct alarm_local *l = local_of(v, a);
	const struct row *r;
	const struct reading *rd = l->state == ALARM_STATE_UNKNOWN ? alarm_reading(v, a, &r) : NULL;
	char text[256];
	if (rd) {
		reading_text(r, rd, v->snap->phase == PHASE_CACHED, text);
		snprintf(out, size, "%.15s", text);
	} else if (l->state == ALARM_STATE_UNKNOWN)
		snprintf(out, size, "-");
	else if (isnan(l->value))
		snprintf(out, size, "no data");
	else
		chart_label(l->value, unit_of(v, a), out);
}

static enum style heard_style(enum alarm_heard h)
{
	return h == HEARD_NOBODY ? STYLE_WARN : h == HEARD_UNKNOWN ? STYLE_UNKNOWN : STYLE_NORMAL;
}

static void draw_cell(struct view *v, int y, int x, int width, enum column col, const struct alarm *a)
{
	struct canvas *c = &v->canvas;
	char what[200], text[ALARM_WORDS], now[16], since[TEXT_NUM] = "-";
	enum style style = style_of(alarm_health(v->snap, a->state));
	enum alarm_heard heard;
	switch (col) {
	case C_NAME: draw_name(c, y, x, width, style, a->name); break;
	case C_ON:
		alarm_words(a, what, sizeof what, text, sizeof text);
		draw_name(c, y, x, width, STYLE_NORMAL, text[0] ? text : "-");
		break;
	case C_RULE:
		limit_text(v, a, text, sizeof text);
		draw_name(c, y, x, width, STYLE_NORMAL, text);
		break;
	case C_NOW:
		now_text(v, a, now, sizeof now);
		draw_right(c, y, x, width, STYLE_NORMAL, now);
		break;
	case C_FOR:
		if (a->since > 0)
			text_duration(v->now > a->since ? v->now - a->since : 0, since);
		draw_right(c, y, x, width, STYLE_NORMAL, since);
		break;
	case C_ACTS:
		draw_str(c, y, x, width, a->actions_enabled ? STYLE_NORMAL : STYLE_WARN, a->actions_enabled ? "on" : "OFF");
		break;
	case C_TOLD:
		heard = alarm_heard_words(a, text);
		draw_sentence(c, y, x, width, heard_style(heard), text);
		break;
	default: draw_str(c, y, x, width, STYLE_NORMAL, a->tagged ? alarm_manager_name(a->manager) : "?"); break;
	}
}

static void draw_line(struct view *v, int y, const struct area *at, const uint8_t *width, const struct alarm *a,
                      bool chosen)
{
	struct canvas *c = &v->canvas;
	int x = at->x + GUTTER;
	for (unsigned i = 0; i < C_COUNT; i++) {
		if (!width[i])
			continue;
		if (a)
			draw_cell(v, y, x, width[i], (enum column)i, a);
		else if (columns[i].right)
			draw_right(c, y, x, width[i], STYLE_FAINT, columns[i].title);
		else
			draw_str(c, y, x, width[i], STYLE_FAINT, columns[i].title);
		x += width[i] + 1;
	}
	if (!a)
		return;
	enum health h = alarm_health(v->snap, a->state);
	draw_str(c, y, at->x + 1, 2, style_of(h), h == HEALTH_OK ? "ok" : health_mark(h));
	if (!chosen)
		return;
	pane_select(v, at, y);
}

/* A name's column needs no more than the longest. */
static void fit(const struct view *v, int cells, uint8_t width[C_COUNT])
{
	struct list_column fitted[C_COUNT];
	unsigned longest = 14;
	memcpy(fitted, columns, sizeof fitted);
	for (unsigned i = 0; i < v->snap->nalarms; i++) {
		unsigned n = text_width(span_of(v->snap->alarms[i].name));
		longest = n > longest ? n : longest;
	}
	struct list_column *name = &fitted[C_NAME];
	name->max = longest < name->max ? (uint8_t)longest : name->max;
	name->want = name->want < name->max ? name->want : name->max;
	list_fit(fitted, C_COUNT, (unsigned)cells, width);
}

static void draw_list(struct view *v, const struct area *at)
{
	struct list *l = &v->alarms.list;
	uint8_t width[C_COUNT];
	fit(v, at->w - GUTTER, width);
	draw_line(v, at->y, at, width, NULL, false);
	list_scroll(l, v->snap->nalarms, (unsigned)at->h - 1);
	for (int i = 0; i < at->h - 1 && l->top + (unsigned)i < v->snap->nalarms; i++) {
		unsigned line = l->top + (unsigned)i;
		draw_line(v, at->y + 1 + i, at, width, &v->snap->alarms[line], line == l->line);
	}
}

/* ---- alarms that reach nobody */

/* Returns the rows used, the title included; none when there is nothing to say. */
static int draw_unheard(struct view *v, const struct area *at)
{
	struct canvas *c = &v->canvas;
	unsigned n = 0, unknown = 0;
	int y = at->y + 1;
	char words[ALARM_WORDS], note[48] = "";
	for (unsigned i = 0; i < v->snap->nalarms; i++) {
		enum alarm_heard h = alarm_heard_words(&v->snap->alarms[i], words);
		unknown += h == HEARD_UNKNOWN;
		if (h != HEARD_NOBODY || n++ >= (unsigned)at->h - 1)
			continue;
		draw_str(c, y, at->x + 1, 2, STYLE_WARN, "!");
		draw_name(c, y, at->x + GUTTER, 24, STYLE_NORMAL, v->snap->alarms[i].name);
		draw_sentence(c, y++, at->x + GUTTER + 26, at->w - GUTTER - 26, STYLE_NORMAL, words);
	}
	if (unknown)
		snprintf(note, sizeof note, "of %u it is not known", unknown);
	if (!n && !unknown)
		return 0;
	draw_rule(c, at->y, at->x, at->w, v->level > GLYPH_ASCII, "NOBODY IS TOLD", note);
	return y - at->y;
}

/* ---- one alarm */

struct text_lines {
	struct view *v;
	struct area at; /* what is left */
};

static void add_line(struct text_lines *t, const char *label, enum style style, const char *text)
{
	if (!text || !text[0] || t->at.h <= 0)
		return;
	draw_str(&t->v->canvas, t->at.y, t->at.x + 1, 9, STYLE_FAINT, label);
	draw_sentence(&t->v->canvas, t->at.y, t->at.x + 10, t->at.w - 10, style, text);
	t->at.y++;
	t->at.h--;
}

static void add_local(struct text_lines *t, const struct alarm *a)
{
	struct view *v = t->v;
	char words[ALARM_WORDS];
	const struct alarm_result *r = answer_of(v, a);
	struct alarm shown = *a;
	shown.local = *local_of(v, a);
	alarm_local_words(&shown, words);
	bool differs = shown.local.state != ALARM_STATE_UNKNOWN && shown.local.state != a->state;
	if (r && r->points_err.code != ERR_OK)
		snprintf(words, sizeof words, "its datapoints: %s", err_name(r->points_err.code));
	add_line(t, "sluice", differs ? STYLE_WARN : STYLE_NORMAL, words[0] ? words : "asking...");
}

static void add_keeper(struct text_lines *t, const struct alarm *a)
{
	char words[300];
	snprintf(words, sizeof words, "%s, owner %.120s", a->tagged ? alarm_manager_name(a->manager) : "? (tags not read)",
	         a->owner    ? a->owner
	         : a->tagged ? "not tagged"
	                     : "?");
	add_line(t, "kept by", STYLE_NORMAL, words);
	add_line(t, "runbook", STYLE_NORMAL, a->runbook);
}

static void add_told(struct text_lines *t, const struct alarm *a)
{
	char words[ALARM_WORDS], label[12];
	enum alarm_heard h = alarm_heard_words(a, words);
	add_line(t, "told", heard_style(h), words);
	for (unsigned i = 0; i < a->ntold; i++)
		if (strcmp(a->told[i].when, "ALARM") != 0) {
			alarm_target_words(&a->told[i], words);
			snprintf(label, sizeof label, "on %s", strcmp(a->told[i].when, "OK") == 0 ? "OK" : "no data");
			add_line(t, label, STYLE_NORMAL, words);
		}
}

/* What CloudWatch did at a transition stands beside it: that it acted is not that anybody heard. */
static bool acted_with(const struct alarm_moment *m, const struct alarm_moment *transition)
{
	return strcmp(m->type, "Action") == 0 && !m->failed && transition->to && m->at >= transition->at &&
	       m->at <= transition->at + 2;
}

static bool folded(const struct alarm_result *r, unsigned i)
{
	for (unsigned k = 0; k < r->nhistory; k++)
		if (acted_with(&r->history[i], &r->history[k]))
			return true;
	return false;
}

static const char *target_name(const char *summary)
{
	const char *arn = summary ? strstr(summary, "arn:") : NULL, *colon = arn ? strrchr(arn, ':') : NULL;
	return colon ? colon + 1 : "?";
}

static void moment_text(const struct alarm_result *r, const struct alarm_moment *m, char *out, size_t size)
{
	const char *why = m->points ? m->points : m->failed ? m->reason : NULL;
	if (!m->to) {
		snprintf(out, size, "%.160s%s%.120s", m->summary ? m->summary : m->type, why ? ": " : "", why ? why : "");
		return;
	}
	size_t n = (size_t)snprintf(out, size, "%s -> %s%s%.120s", alarm_state_name(m->from), alarm_state_name(m->to),
	                            why ? "  " : "", why ? why : "");
	for (unsigned i = 0; i < r->nhistory && n + 80 < size; i++)
		if (acted_with(&r->history[i], m))
			n += (size_t)snprintf(out + n, size - n, ", published to %.60s", target_name(r->history[i].summary));
}

static void draw_history(struct view *v, const struct area *at, const struct alarm *a)
{
	struct canvas *c = &v->canvas;
	const struct alarm_result *r = answer_of(v, a);
	if (at->h < 2)
		return;
	draw_rule(c, at->y, at->x, at->w, v->level > GLYPH_ASCII, "HISTORY", "7 days");
	if (!r || r->history_err.code != ERR_OK || !r->nhistory) {
		const char *why = !r ? "asking..." : r->history_err.code != ERR_OK ? r->history_err.text : "nothing happened";
		draw_sentence(c, at->y + 1, at->x + 1, at->w - 1, STYLE_FAINT, why);
		return;
	}
	int y = at->y + 1;
	for (unsigned i = 0; i < r->nhistory && y < at->y + at->h; i++) {
		char when[WHEN_SIZE], words[400];
		const struct alarm_moment *m = &r->history[i];
		if (folded(r, i))
			continue;
		when_text(v->time_style, m->at, v->now, when);
		moment_text(r, m, words, sizeof words);
		draw_str(c, y, at->x + 1, 13, STYLE_FAINT, when);
		draw_sentence(c, y++, at->x + 15, at->w - 15, m->failed ? STYLE_WARN : STYLE_NORMAL, words);
	}
}

static void draw_chart(struct view *v, const struct area *at, const struct alarm *a)
{
	struct canvas *c = &v->canvas;
	const struct alarm_result *r = answer_of(v, a);
	char words[ALARM_WORDS];
	int x = at->x + CHART_LABEL + 2, w = at->w - CHART_LABEL - 2, middle = at->y + at->h / 2;
	if (!r || !r->line.n) {
		const char *why = !r                             ? "asking..."
		                  : r->points_err.code != ERR_OK ? r->points_err.text
		                  : r->alarm.local.why           ? r->alarm.local.why
		                                                 : "no datapoint";
		draw_sentence(c, middle, x, w, STYLE_FAINT, why);
		return;
	}
	struct chart_level limit = { .at = a->threshold, .label = "threshold" };
	struct chart ch = { .from = r->line.from,
		                .to = r->line.to,
		                .step = r->line.step,
		                .n = r->line.n,
		                .v = r->line.v,
		                .unit = unit_of(v, a),
		                .levels = &limit,
		                .nlevels = isnan(a->threshold) ? 0u : 1u,
		                .now = v->now,
		                .times = v->time_style };
	chart_draw(c, at->y, at->x, at->h, at->w, v->level, &ch);
	bool any = false;
	for (unsigned i = 0; i < ch.n && !any; i++)
		any = isfinite(ch.v[i]);
	alarm_rule_words(a, words);
	if (!any)
		draw_sentence(c, middle, x, w, STYLE_FAINT, "no datapoint in this range");
}

/* Words and chart share the room: the words that say what to do first, the chart as high as that leaves. */
static void draw_one(struct view *v, const struct area *at, const struct alarm *a)
{
	struct canvas *c = &v->canvas;
	char words[ALARM_WORDS], note[40];
	int chart = at->h >= 40 ? 17 : at->h >= 24 ? 11 : at->h >= 15 ? 7 : at->h >= 11 ? 5 : 0;
	snprintf(note, sizeof note, "%s%s", view_ranges[v->detail.range].name, v->alarms.pending ? ", asking..." : "");
	draw_rule(c, at->y, at->x, at->w, v->level > GLYPH_ASCII, a->name, note);
	if (chart)
		draw_chart(v, &(struct area){ at->y + 1, at->x, chart, at->w }, a);
	struct text_lines t = { v, { at->y + 1 + chart, at->x, at->h - 1 - chart, at->w } };
	int history = t.at.h >= 14 ? t.at.h - 10 : t.at.h >= 9 ? t.at.h - 6 : t.at.h >= 7 ? 2 : 0;
	t.at.h -= history;
	int used = t.at.h;
	alarm_rule_words(a, words);
	add_line(&t, "rule", STYLE_NORMAL, words);
	add_local(&t, a);
	add_told(&t, a);
	add_line(&t, "is for", STYLE_NORMAL, a->description);
	add_keeper(&t, a);
	add_line(&t, "reason", STYLE_NORMAL, a->reason);
	used -= t.at.h;
	draw_history(v, &(struct area){ at->y + 1 + chart + used, at->x, t.at.h + history, at->w }, a);
}

/* ---- the screen */

static void draw_nothing(struct view *v, int y)
{
	const struct snapshot *s = v->snap;
	const char *text = !s || (!s->alarms_at && !s->settled) ? "asking AWS..."
	                   : !s->alarms_current                 ? "?? the alarms could not be read; the overview says why"
	                                                        : "there are no alarms in this account and region";
	draw_str(&v->canvas, y + 1, GUTTER, v->canvas.cols - GUTTER, STYLE_NORMAL, text);
}

static void draw_beside(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	int left = c->cols * 56 / 100, list = (int)v->snap->nalarms + 1;
	if (list > h * 2 / 3)
		list = h * 2 / 3;
	draw_list(v, &(struct area){ y, 0, list, left });
	draw_unheard(v, &(struct area){ y + list + 1, 0, h - list - 1, left });
	for (int i = 0; i < h; i++)
		draw_str(c, y + i, left + 1, 1, STYLE_FAINT, v->level > GLYPH_ASCII ? "\xE2\x94\x82" : "|");
	draw_one(v, &(struct area){ y, left + 3, h, c->cols - left - 3 }, selected(v));
}

static void draw_above(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	int list = (int)v->snap->nalarms + 1, most = h / 3 > 3 ? h / 3 : 3, unheard = 0;
	list = list < most ? list : most;
	draw_list(v, &(struct area){ y, 0, list, c->cols });
	if (h >= 30)
		unheard = draw_unheard(v, &(struct area){ y + list, 0, 5, c->cols });
	draw_one(v, &(struct area){ y + list + unheard, 0, h - list - unheard, c->cols }, selected(v));
}

static void sync_alarms(struct view *v)
{
	struct list_lines lines = alarms_lines(v);
	list_sync(&v->alarms.list, &lines);
}

static void draw_alarms(struct view *v, int y, int h)
{
	if (!selected(v))
		draw_nothing(v, y);
	else if (v->canvas.cols >= SIDE_BY_SIDE)
		draw_beside(v, y, h);
	else
		draw_above(v, y, h);
}

static void move_alarms(struct view *v, enum move m)
{
	struct list_lines lines = alarms_lines(v);
	list_move(&v->alarms.list, &lines, m);
}

const struct screen screen_alarms = { .name = "alarms", .sync = sync_alarms, .draw = draw_alarms, .move = move_alarms };

/* ---- actions */

/* From the overview's pane of alarms it is about the one selected there. */
void act_alarms(struct view *v)
{
	const struct overview *o = &v->overview;
	if (view_screen(v) == SCREEN_ALARMS)
		return;
	bool one = (view_screen(v) == SCREEN_OVERVIEW || view_screen(v) == SCREEN_PIPELINE) && o->focus == PANE_ALARMS &&
	           o->alarms.line < alarms_lines(v).n;
	unsigned place = one ? alarm_place(v, o->alarms.line) : 0;
	while (v->depth > 1) /* a place of its own, not one step further */
		view_pop(v);
	struct list_lines lines = alarms_lines(v);
	if (one)
		list_select(&v->alarms.list, &lines, place);
	view_push(v, SCREEN_ALARMS);
}

uint64_t alarms_row(const struct view *v)
{
	const struct alarm *a = selected(v);
	return a ? a->row : 0;
}

void alarms_open(struct view *v)
{
	const struct alarm *a = selected(v);
	if (!a || !a->row || !view_row(v, a->row)) {
		view_note(v, "it watches no stage that is shown");
		return;
	}
	detail_show(v, a->row);
	view_push(v, SCREEN_DETAIL);
}
