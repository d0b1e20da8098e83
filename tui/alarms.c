/* The alarms below the stage table: what CloudWatch says of them, worst first. */
#include "tui/alarms.h"

#include "core/metric.h"
#include "core/text.h"
#include "tui/chart.h"
#include "tui/fields.h"
#include "tui/frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where one pipeline is shown, those that watch a stage of it. */
static bool is_shown(const struct snapshot *s, const struct row *one, const struct alarm *a)
{
	const struct pipeline *p = one && one->pipeline < s->npipelines ? &s->pipelines[one->pipeline] : NULL;
	for (uint32_t i = 0; p && a->row && i < p->n; i++)
		if (s->rows[p->first + i].id == a->row)
			return true;
	return !p;
}

static unsigned shown_before(const struct view *v, unsigned end)
{
	const struct row *one = overview_only(v);
	unsigned n = 0;
	for (unsigned i = 0; one && i < end; i++)
		n += is_shown(v->snap, one, &v->snap->alarms[i]);
	return one ? n : end;
}

unsigned alarm_place(const struct view *v, unsigned line)
{
	const struct row *one = overview_only(v);
	unsigned i = 0;
	for (; one && i < v->snap->nalarms; i++)
		if (is_shown(v->snap, one, &v->snap->alarms[i]) && !line--)
			break;
	return one ? i : line;
}

/* The order of the snapshot is the alarms' own; the name is what stays. */
static uint64_t alarm_id(const void *ctx, unsigned line)
{
	const struct view *v = ctx;
	uint64_t h = 14695981039346656037u; /* FNV-1a; 0 would be a heading */
	for (const char *p = v->snap->alarms[alarm_place(v, line)].name; p && *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h ? h : 1;
}

struct list_lines alarms_lines(const struct view *v)
{
	return (struct list_lines){ .n = v->snap ? shown_before(v, v->snap->nalarms) : 0, .id = alarm_id, .ctx = v };
}

/* What could not be read again is old, whatever it said: OK is impossible on old data. */
enum health alarm_health(const struct snapshot *snap, enum alarm_state s)
{
	if (!snap->alarms_current)
		return s == ALARM_STATE_OK ? HEALTH_STALE : HEALTH_UNKNOWN;
	return s == ALARM_STATE_ALARM ? HEALTH_ALARM : s == ALARM_STATE_OK ? HEALTH_OK : HEALTH_UNKNOWN;
}

static const char *word_of(enum alarm_state s)
{
	return s == ALARM_STATE_ALARM          ? "ALARM"
	       : s == ALARM_STATE_OK           ? "ok"
	       : s == ALARM_STATE_INSUFFICIENT ? "no data"
	                                       : "?";
}

/* "ErrorRate" and "orders-enrich" out of the canonical text; an expression or a composite's rule stands as it is. */
void alarm_words(const struct alarm *a, char *what, size_t nwhat, char *on, size_t non)
{
	struct metric_id id = { 0 };
	struct err e;
	on[0] = '\0';
	if (a->composite || !a->metric || !metric_parse(&id, a->metric, &e)) {
		snprintf(what, nwhat, "%s", a->metric ? a->metric : "-");
		return;
	}
	snprintf(what, nwhat, "%s", id.name);
	if (id.ndims)
		snprintf(on, non, "%s", id.dims[0].value);
	metric_clear(&id);
}

/* Does it watch this metric of this row? */
bool alarm_watches(const struct alarm *a, const struct row *r, const struct metric_info *m)
{
	struct metric_id id = { 0 };
	struct err e;
	if (a->row != r->id || a->composite || !m->name || !a->metric || !metric_parse(&id, a->metric, &e))
		return false;
	bool same = id.name && strcmp(id.name, m->name) == 0;
	metric_clear(&id);
	return same;
}

/* What it watches, as the screen knows it; NULL when it watches nothing that is shown. */
const struct reading *alarm_reading(const struct view *v, const struct alarm *a, const struct row **row)
{
	const struct row *r = *row = a->row ? view_row(v, a->row) : NULL;
	for (unsigned i = 0; r && i < r->nreadings; i++)
		if (alarm_watches(a, r, r->readings[i].info))
			return &r->readings[i];
	return NULL;
}

enum column { C_NAME, C_ON, C_WHAT, C_NOW, C_STATE, C_SINCE, C_REASON, C_COUNT };
static const struct list_column columns[C_COUNT] = {
	[C_NAME] = { "", 14, 26, 44, 0, false },    [C_STATE] = { "", 7, 7, 7, 1, false },
	[C_SINCE] = { "", 5, 5, 5, 2, true },       [C_WHAT] = { "", 16, 22, 56, 3, false },
	[C_NOW] = { "", 7, 7, 7, 4, true },         [C_ON] = { "", 10, 20, 36, 5, false },
	[C_REASON] = { "", 24, 60, 200, 6, false },
};

/* "Visible > 0": what is measured and where it hurts. */
void alarm_condition(const struct alarm *a, const char *what, enum unit unit, char *out, size_t size)
{
	char limit[16];
	chart_label(a->threshold, unit, limit);
	if (isnan(a->threshold) || !a->comparison)
		snprintf(out, size, "%s", what);
	else
		snprintf(out, size, "%s %s %s", what, a->comparison, limit);
}

static void draw_cell(struct view *v, int y, int x, int width, enum column col, const struct alarm *a)
{
	struct canvas *c = &v->canvas;
	char what[200], on[160], text[256] = "-", since[TEXT_NUM] = "-";
	enum style style = style_of(alarm_health(v->snap, a->state));
	const struct row *r = NULL;
	const struct reading *rd = col == C_WHAT || col == C_NOW ? alarm_reading(v, a, &r) : NULL;
	if (col == C_ON || col == C_WHAT)
		alarm_words(a, what, sizeof what, on, sizeof on);
	if (col == C_WHAT)
		alarm_condition(a, what, rd ? rd->info->unit : UNIT_NONE, text, sizeof text);
	if (col == C_NOW && rd)
		reading_text(r, rd, v->snap->phase == PHASE_CACHED, text);
	if (a->since > 0)
		text_duration(v->now > a->since ? v->now - a->since : 0, since);
	switch (col) {
	case C_NAME: draw_name(c, y, x, width, style, a->name); break;
	case C_ON: draw_name(c, y, x, width, STYLE_NORMAL, on); break;
	case C_WHAT: draw_name(c, y, x, width, STYLE_NORMAL, text); break;
	case C_NOW: draw_right(c, y, x, width, text[0] == '~' ? STYLE_STALE : STYLE_NORMAL, text); break;
	case C_STATE: draw_str(c, y, x, width, style, word_of(a->state)); break;
	case C_SINCE: draw_right(c, y, x, width, STYLE_NORMAL, since); break;
	default: draw_sentence(c, y, x, width, STYLE_FAINT, a->actions_enabled ? a->reason : "its actions are off"); break;
	}
}

/* The name's column needs no more than the longest name; values need a column when one of those in sight is known. */
static void fit(const struct view *v, int cells_in_all, uint8_t width[C_COUNT])
{
	struct list_column fitted[C_COUNT];
	unsigned longest = 0;
	memcpy(fitted, columns, sizeof fitted);
	for (unsigned i = 0; i < v->snap->nalarms; i++) {
		unsigned cells = (unsigned)strlen(v->snap->alarms[i].name);
		longest = cells > longest ? cells : longest;
	}
	struct list_column *name = &fitted[C_NAME];
	if (longest < name->max)
		name->max = (uint8_t)(longest < name->min ? name->min : longest);
	if (name->want > name->max)
		name->want = name->max;
	bool known = false;
	const struct list *l = &v->overview.alarms;
	for (unsigned i = l->top; i < l->top + l->page && i < alarms_lines(v).n && !known; i++) {
		const struct row *r;
		known = alarm_reading(v, &v->snap->alarms[alarm_place(v, i)], &r) != NULL;
	}
	if (!known)
		fitted[C_NOW].rank = UINT8_MAX;
	list_fit(fitted, C_COUNT, (unsigned)(cells_in_all - GUTTER), width);
}

static void draw_alarm(struct view *v, const struct area *at, int y, const uint8_t *width, const struct alarm *a,
                       bool selected)
{
	struct canvas *c = &v->canvas;
	enum health h = alarm_health(v->snap, a->state);
	int x = at->x + GUTTER;
	draw_str(c, y, at->x + 1, 2, style_of(h), health_mark(h));
	for (unsigned i = 0; i < C_COUNT; i++) {
		if (!width[i])
			continue;
		draw_cell(v, y, x, width[i], (enum column)i, a);
		x += width[i] + 1;
	}
	if (selected && v->overview.focus == PANE_ALARMS)
		pane_select(v, at, y);
}

static void read_when(const struct snapshot *s, int64_t now, unsigned n, char *note, size_t size)
{
	char age[TEXT_NUM];
	text_duration(now > s->alarms_at ? now - s->alarms_at : 0, age);
	if (s->alarms_at)
		snprintf(note, size, "%u as read %s ago: not read since", n, age);
	else
		snprintf(note, size, "?? not read");
}

/* "2 not ok, 7 in all, worst first, for how long"; of one pipeline also how many there are beside. */
static void count_note(const struct view *v, unsigned n, char *note, size_t size)
{
	unsigned open = 0, others = v->snap->nalarms - n;
	for (unsigned i = 0; i < n; i++)
		open += v->snap->alarms[alarm_place(v, i)].state != ALARM_STATE_OK;
	if (!n)
		snprintf(note, size, "none watches this pipeline, %u other%s: 3", others, others == 1 ? "" : "s");
	else if (others)
		snprintf(note, size, "%u not ok, %u on this pipeline, %u other%s: 3", open, n, others, others == 1 ? "" : "s");
	else
		snprintf(note, size, "%u not ok, %u in all, worst first, for how long", open, n);
}

void alarms_draw(struct view *v, struct area a)
{
	struct list *l = &v->overview.alarms;
	const struct snapshot *s = v->snap;
	unsigned n = alarms_lines(v).n;
	char note[80] = "";
	uint8_t width[C_COUNT] = { 0 };
	list_scroll(l, n, a.h > 1 ? (unsigned)a.h - 1 : 0);
	if (n)
		fit(v, a.w, width);
	if (s && !s->alarms_current && s->phase == PHASE_LIVE)
		read_when(s, v->now, s->nalarms, note, sizeof note);
	else if (s && s->nalarms)
		count_note(v, n, note, sizeof note);
	pane_title(v, &a, "ALARMS", note);
	for (int i = 0; i < a.h - 1 && l->top + (unsigned)i < n; i++)
		draw_alarm(v, &a, a.y + 1 + i, width, &s->alarms[alarm_place(v, l->top + (unsigned)i)],
		           l->top + (unsigned)i == l->line);
}
