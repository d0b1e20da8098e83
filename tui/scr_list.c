/* The overview, and the same of one pipeline alone: the nearest deadline and the problems in words, the flow, the stages with
 * their newest values, the chart of the selected one, alarms worst first, what changed. What there is decides how the rows of the
 * screen are shared. */
#include "tui/action.h"
#include "tui/alarms.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/pane.h"
#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>

#define BESIDE 160 /* columns from which two panes stand side by side */
#define FLOW_COLS 120
#define SIDE_LEAST 4 /* rows of alarms or of changes, their title included */
#define CHART_LEAST 7
#define CHART_MOST 15

static struct overview *state(struct view *v)
{
	return &v->overview;
}

const struct row *overview_only(const struct view *v)
{
	for (unsigned i = 0; i < v->depth; i++)
		if (v->stack[i] == SCREEN_PIPELINE)
			return view_row(v, v->overview.only_row);
	return NULL;
}

static bool holds_id(const uint64_t *ids, unsigned n, uint64_t id)
{
	while (n > 0 && ids[n - 1] != id)
		n--;
	return n > 0;
}

bool overview_marked(const struct view *v, uint64_t id)
{
	return holds_id(v->overview.marks, v->overview.nmarks, id);
}

static void sync_overview(struct view *v)
{
	if (!v->snap)
		return;
	stages_sync(v);
	struct list_lines alarms = alarms_lines(v), changes = changes_lines(v);
	list_sync(&v->overview.alarms, &alarms);
	list_sync(&v->overview.changes, &changes);
	if ((v->overview.focus == PANE_ALARMS && !alarms.n) || (v->overview.focus == PANE_CHANGES && !changes.n)) {
		v->overview.focus = PANE_STAGES;
		v->overview.zoomed = false;
	}
}

void overview_filter(struct view *v, const char *filter)
{
	snprintf(v->overview.filter, sizeof v->overview.filter, "%s", filter);
	sync_overview(v);
}

/* ---- who gets how many rows */

struct layout {
	int flow, stages, chart, alarms, changes;
	bool beside; /* alarms and changes share their rows */
};

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

static void share_sides(struct layout *l, int left, int alarms, int changes)
{
	int side = most(SIDE_LEAST, left / 4);
	l->alarms = left >= 9 && alarms ? least(alarms + 1, side) : 0;
	l->changes = left >= (l->alarms ? 13 : 9) && changes ? least(changes + 1, side) : 0;
	if (l->beside && l->alarms && l->changes)
		l->alarms = l->changes = most(l->alarms, l->changes);
	else
		l->beside = false;
}

/* What the stages leave: a chart when it is worth one, then whole lists. */
static void share_rest(const struct view *v, struct layout *l, int rest, int alarms, int changes)
{
	int chart = chart_want(v), keep = least(rest / 2, 6);
	if (chart && rest - keep >= CHART_LEAST)
		l->chart = least(rest - keep, CHART_MOST);
	else if (chart && rest >= CHART_LEAST)
		l->chart = least(rest, CHART_MOST);
	l->chart -= l->chart % 2 == 0 && l->chart; /* title, axis and an odd plot, which has a middle to label */
	rest -= l->chart;
	int more = least(rest, alarms + 1 - l->alarms);
	if (l->alarms && more > 0) {
		l->alarms += more;
		rest -= more;
	}
	if (l->beside) {
		l->changes = l->alarms;
		return;
	}
	more = least(rest, changes + 1 - l->changes);
	if (l->changes && more > 0)
		l->changes += more;
}

static struct layout lay_out(const struct view *v, int h)
{
	int alarms = (int)alarms_lines(v).n, changes = (int)changes_lines(v).n;
	alarms = alarms || !v->snap ? alarms
	                            : v->snap->nalarms > 0; /* that none of them watches this pipeline takes a line, too */
	int stages = most(3, (int)v->overview.nlines + 2), flow = 0;
	struct layout l = { .beside = v->canvas.cols >= BESIDE };
	if (overview_only(v))
		flow = h / 3;
	else if (v->canvas.cols >= FLOW_COLS && h >= 24)
		flow = h / 6;
	l.flow = flow >= 2 ? flow_want(v, flow) : 0;
	int left = h - l.flow;
	share_sides(&l, left, alarms, changes);
	int sides = l.beside ? l.alarms : l.alarms + l.changes;
	l.stages = least(stages, left - sides);
	if (l.stages < stages || left - sides - l.stages <= 0)
		return l;
	share_rest(v, &l, left - sides - l.stages, alarms, changes);
	return l;
}

static void draw_panes(struct view *v, int y, int h)
{
	struct layout l = lay_out(v, h);
	int w = v->canvas.cols, half = l.beside ? (w - 2) / 2 : w;
	if (l.flow)
		flow_pane(v, (struct area){ y, 0, l.flow, w });
	y += l.flow;
	stages_draw(v, (struct area){ y, 0, l.stages, w });
	y += l.stages;
	if (l.chart)
		chart_pane(v, (struct area){ y, 0, l.chart, w });
	y += l.chart;
	if (l.alarms)
		alarms_draw(v, (struct area){ y, 0, l.alarms, half });
	y += l.beside ? 0 : l.alarms;
	if (l.changes)
		changes_draw(v, (struct area){ y, l.beside ? half + 2 : 0, l.changes, l.beside ? w - half - 2 : w });
}

static void draw_zoomed(struct view *v, struct area a)
{
	switch (v->overview.focus) {
	case PANE_ALARMS: alarms_draw(v, a); return;
	case PANE_CHANGES: changes_draw(v, a); return;
	default: stages_draw(v, a); return;
	}
}

static void draw_overview(struct view *v, int y, int h)
{
	int lines = h < 12 ? 1 : h < 30 ? 2 : h < 50 ? 4 : 6;
	view_slots_keep(v, 0, NULL, 0);
	int used = frame_problems(v, y, lines);
	if (v->overview.zoomed)
		draw_zoomed(v, (struct area){ y + used, 0, h - used, v->canvas.cols });
	else
		draw_panes(v, y + used, h - used);
}

static struct list *focused(struct view *v, struct list_lines *lines)
{
	struct overview *o = state(v);
	switch (o->focus) {
	case PANE_ALARMS: *lines = alarms_lines(v); return &o->alarms;
	case PANE_CHANGES: *lines = changes_lines(v); return &o->changes;
	default: *lines = stages_lines(v); return &o->rows;
	}
}

static void move_overview(struct view *v, enum move m)
{
	struct list_lines lines;
	struct list *l = focused(v, &lines);
	list_move(l, &lines, m);
}

const struct screen screen_overview = {
	.name = "overview", .sync = sync_overview, .draw = draw_overview, .move = move_overview
};

static const char *pipeline_title(const struct view *v)
{
	const struct row *r = overview_only(v);
	return r && r->pipeline < v->snap->npipelines && v->snap->pipelines[r->pipeline].name
	           ? v->snap->pipelines[r->pipeline].name
	           : "pipeline";
}

const struct screen screen_pipeline = {
	.name = "pipeline", .title = pipeline_title, .draw = draw_overview, .move = move_overview
};

/* ---- actions ---- */

void act_open(struct view *v)
{
	const struct overview *o = &v->overview;
	uint64_t row = o->rows.id;
	if (view_screen(v) == SCREEN_ALARMS) {
		alarms_open(v);
		return;
	}
	if (o->focus == PANE_ALARMS && v->snap && o->alarms.line < alarms_lines(v).n)
		row = v->snap->alarms[alarm_place(v, o->alarms.line)].row;
	if (o->focus == PANE_ALARMS && !view_row(v, row)) { /* it is one of no stage: what is known of it */
		act_alarms(v);
		return;
	}
	if (o->focus == PANE_CHANGES || !view_row(v, row)) {
		view_note(v, "nothing to open here");
		return;
	}
	detail_show(v, row);
	view_push(v, SCREEN_DETAIL);
}

void act_go_overview(struct view *v)
{
	while (v->depth > 1)
		view_pop(v);
}

void pipeline_show(struct view *v, uint64_t row)
{
	act_go_overview(v);
	v->overview.only_row = row;
	view_push(v, SCREEN_PIPELINE);
}

void act_go_pipeline(struct view *v)
{
	uint64_t row = view_screen(v) == SCREEN_DETAIL ? v->detail.row : v->overview.rows.id;
	if (view_row(v, row))
		pipeline_show(v, row);
	else
		view_note(v, "no pipeline to show");
}

void act_pane(struct view *v)
{
	struct overview *o = state(v);
	enum pane was = o->focus;
	do
		o->focus = (o->focus + 1) % PANE_COUNT;
	while (o->focus != was &&
	       ((o->focus == PANE_ALARMS && !alarms_lines(v).n) || (o->focus == PANE_CHANGES && !changes_lines(v).n)));
	if (o->focus == was)
		view_note(v, "no other pane to go to");
	else if (o->focus == PANE_CHANGES) { /* the newest is what was in sight */
		struct list_lines lines = changes_lines(v);
		list_move(&o->changes, &lines, MOVE_LAST);
	}
}

void act_zoom_pane(struct view *v)
{
	v->overview.zoomed = !v->overview.zoomed;
}

void overview_sort(struct view *v, enum sort by)
{
	v->overview.sort = by;
	v->overview.reversed = false;
	sync_overview(v);
}

void act_sort(struct view *v)
{
	overview_sort(v, (v->overview.sort + 1) % SORT_COUNT);
}

void act_sort_reverse(struct view *v)
{
	if (v->overview.sort == SORT_FLOW) {
		view_note(v, "flow order has no other way round; s sorts");
		return;
	}
	v->overview.reversed = !v->overview.reversed;
	sync_overview(v);
}

/* In or out of a list of ids; false when it is full. */
static bool toggle(uint64_t *ids, unsigned *n, unsigned room, uint64_t id)
{
	for (unsigned i = 0; i < *n; i++)
		if (ids[i] == id) {
			memmove(&ids[i], &ids[i + 1], (--*n - i) * sizeof *ids);
			return true;
		}
	if (*n == room)
		return false;
	ids[(*n)++] = id;
	return true;
}

void act_mark(struct view *v)
{
	struct overview *o = state(v);
	if (o->focus != PANE_STAGES || !view_row(v, o->rows.id))
		view_note(v, "only stages can be marked");
	else if (!toggle(o->marks, &o->nmarks, MARKS_MOST, o->rows.id))
		view_note(v, "%d stages are marked already", MARKS_MOST);
	else
		move_overview(v, MOVE_DOWN);
}

void act_pin(struct view *v)
{
	struct overview *o = state(v);
	if (o->focus != PANE_STAGES || !view_row(v, o->rows.id)) {
		view_note(v, "only stages can be pinned");
		return;
	}
	if (!toggle(o->pins, &o->npins, PINS_MOST, o->rows.id))
		view_note(v, "%d stages are pinned already", PINS_MOST);
	else
		view_note(v, holds_id(o->pins, o->npins, o->rows.id) ? "pinned on top; * again lets it go"
		                                                     : "not pinned any more");
	sync_overview(v);
}

/* ---- problems, one after another */

static bool is_problem(const struct view *v, uint32_t at)
{
	return !(at & HEADING) && v->snap->rows[at].health >= HEALTH_UNKNOWN;
}

/* An alarm may watch what is no stage: where no stage is in trouble, those in ALARM are the problems. They stand first. */
static bool to_alarm(struct view *v, bool forward)
{
	struct list_lines lines = alarms_lines(v);
	unsigned n = 0, at = v->overview.alarms.line;
	bool shown = view_screen(v) == SCREEN_OVERVIEW || view_screen(v) == SCREEN_PIPELINE;
	while (n < lines.n && v->snap->alarms[alarm_place(v, n)].state == ALARM_STATE_ALARM)
		n++;
	if (!n || !shown)
		return false;
	if (v->overview.focus != PANE_ALARMS || at >= n)
		at = forward ? 0 : n - 1;
	else
		at = (at + (forward ? 1 : n - 1)) % n;
	v->overview.focus = PANE_ALARMS;
	list_select(&v->overview.alarms, &lines, at);
	return true;
}

static void to_problem(struct view *v, bool forward)
{
	struct list_lines lines = stages_lines(v);
	struct list *l = &v->overview.rows;
	for (unsigned i = 1; i <= lines.n; i++) {
		unsigned line = (l->line + (forward ? i : lines.n - i)) % lines.n;
		if (!is_problem(v, v->overview.line[line]))
			continue;
		v->overview.focus = PANE_STAGES;
		list_select(l, &lines, line);
		detail_show(v, l->id);
		return;
	}
	if (!to_alarm(v, forward))
		view_note(v, "no problem to go to");
}

void act_next_problem(struct view *v)
{
	to_problem(v, true);
}

void act_previous_problem(struct view *v)
{
	to_problem(v, false);
}
