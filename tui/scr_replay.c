/* A dead-letter queue and what can be done about it: the groups in it, the plan, the runs. Nothing is received before the reader says so;
 * until then stands here what is known without. */
#include "core/clock.h"
#include "core/text.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/lease.h"
#include "tui/pane.h"
#include "tui/replay.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PLAN_ROWS 6
#define RUNS_LEAST 4

/* ---- what is known without receiving */

static void draw_head(struct view *v, int y)
{
	struct canvas *c = &v->canvas;
	struct replay_queue q;
	char backlog[FIELD_SIZE], kept[TEXT_NUM] = "?", line[400];
	replay_queue_of(v, &q);
	if (!q.row) {
		draw_sentence(c, y, 0, c->cols, STYLE_STRONG, "no queue is meant: select a dead-letter queue, then 4");
		draw_sentence(c, y + 1, 0, c->cols, STYLE_FAINT, "the runs that the ledger of this machine has are below");
		return;
	}
	for (unsigned i = 0; i < q.row->nfacts; i++) {
		int64_t s = 0;
		if (strcmp(q.row->facts[i].key, "retention_s") == 0 && sscanf(q.row->facts[i].value, "%" SCNd64, &s) == 1)
			text_duration(s, kept);
	}
	field_text(q.row, ROLE_BACKLOG, false, 12, backlog);
	snprintf(line, sizeof line, "%s  %s  %s", q.row->resource, v->level > 0 ? "\xE2\x86\x92" : "->",
	         q.through ? q.through : "no function is known");
	draw_sentence(c, y, 0, c->cols, STYLE_STRONG, line);
	snprintf(line, sizeof line, "%s visible   kept %s   %s   fed by %s%s", backlog, kept,
	         q.fifo ? "FIFO: in order, one of a group at a time" : "standard queue",
	         q.row->fed_by ? q.row->fed_by : "nothing known", q.row->dlq ? "" : "   NOT a dead-letter queue");
	draw_sentence(c, y + 1, 0, c->cols, STYLE_NORMAL, line);
}

/* ---- groups */

static void draw_group(struct view *v, const struct area *a, int y, const struct replay_group *g)
{
	struct canvas *c = &v->canvas;
	char first[WHEN_SIZE] = "?", loss[TEXT_NUM] = "?", prior[32] = "";
	if (g->first_ms)
		when_text(v->time_style, g->first_ms / 1000, v->now, first);
	if (g->loss_ms)
		text_duration(g->loss_ms / 1000 - v->now, loss);
	if (g->known)
		snprintf(prior, sizeof prior, "%u seen in runs", g->known);
	draw_fmt(c, y, a->x + GUTTER, 7, STYLE_NORMAL, "%7u", g->n);
	draw_str(c, y, a->x + GUTTER + 8, 14, STYLE_NORMAL, first);
	draw_fmt(c, y, a->x + GUTTER + 23, 8, g->loss_ms && g->loss_ms / 1000 - v->now < 86400 ? STYLE_WARN : STYLE_NORMAL,
	         "%8s", loss);
	int x = a->x + GUTTER + 32, room = a->w - x - (c->cols >= 120 && prior[0] ? 20 : 0);
	draw_sentence(c, y, x, room, STYLE_NORMAL, g->cause ? g->cause : "unknown");
	if (c->cols >= 120)
		draw_str(c, y, a->w - 19, 19, STYLE_FAINT, prior);
}

static void explain_nothing(struct view *v, const struct area *a)
{
	struct canvas *c = &v->canvas;
	const struct replay_view *p = &v->replay;
	char why[160], line[400];
	if (p->plan_pending) {
		draw_sentence(c, a->y + 1, 2, a->w - 2, STYLE_NORMAL, "receiving: what is not meant is given back at the end");
		return;
	}
	if (p->plan && p->plan_row == p->row && p->plan->err.code != ERR_OK) {
		snprintf(line, sizeof line, "%.80s: %.300s", p->plan->err.where, p->plan->err.text);
		draw_sentence(c, a->y + 1, 2, a->w - 2, STYLE_WARN, line);
		return;
	}
	draw_sentence(c, a->y + 1, 2, a->w - 2, STYLE_NORMAL,
	              "what is in it is not known: receiving tells, and hides messages for a while");
	bool may = lease_allows(v, MODE_INSPECT, why, sizeof why);
	snprintf(line, sizeof line, "%s", may ? "p receives, groups by cause and plans; nothing is sent" : why);
	draw_sentence(c, a->y + 2, 2, a->w - 2, STYLE_FAINT, line);
}

/* A list that shares its selection with another: this part is lines [from, from + n). */
static unsigned top_of(const struct list *l, unsigned from, unsigned n, unsigned page)
{
	unsigned line = l->line >= from && l->line < from + n ? l->line - from : 0;
	return line >= page && page ? line - page + 1 : 0;
}

static void draw_groups(struct view *v, struct area a)
{
	struct canvas *c = &v->canvas;
	const struct replay_result *p = replay_plan(v);
	char note[96] = "not received";
	if (p && p->sweeps > 1)
		snprintf(note, sizeof note, "%u messages, received %u times; a third changes its age", p->nitems, p->sweeps);
	else if (p)
		snprintf(note, sizeof note, "%u message%s in %u group%s", p->nitems, p->nitems == 1 ? "" : "s", p->ngroups,
		         p->ngroups == 1 ? "" : "s");
	pane_title(v, &a, "GROUPS  by cause", note);
	if (!p || a.h < 3) {
		if (a.h >= 3)
			explain_nothing(v, &a);
		return;
	}
	unsigned page = (unsigned)a.h - 2, top = top_of(&v->replay.list, 0, p->ngroups, page);
	draw_str(c, a.y + 1, a.x + GUTTER, a.w - GUTTER, STYLE_FAINT, "      N FIRST SENT      LOST IN  CAUSE");
	if (!p->ngroups)
		draw_sentence(c, a.y + 2, 2, a.w - 2, STYLE_NORMAL, "the queue is empty");
	for (unsigned i = 0; i < page && top + i < p->ngroups; i++) {
		int y = a.y + 2 + (int)i;
		draw_group(v, &a, y, &p->groups[top + i]);
		if (v->replay.list.id && v->replay.list.line == top + i)
			pane_select(v, &a, y);
	}
}

/* ---- the plan */

/* Lines from the top of an area, as long as there is room. */
struct paper {
	struct view *v;
	int y, end, x, w;
};

static void write_line(struct paper *p, enum style style, const char *text)
{
	if (p->y < p->end)
		draw_sentence(&p->v->canvas, p->y++, p->x, p->w, style, text);
}

static void write_plan(struct paper *p, const struct replay_result *r)
{
	char line[600], takes[TEXT_NUM] = "?";
	if (!isnan(r->seconds))
		text_duration((int64_t)r->seconds, takes);
	snprintf(line, sizeof line, "%u messages, about %s at %g a second, batches of %u, unknown: %s, %s %.200s",
	         r->nitems, takes, r->run.rate, r->run.batch, replay_unknown_name(r->run.unknown),
	         r->run.mode == REPLAY_INVOKE ? "through" : "back to", replay_dest_name(r->run.dest));
	write_line(p, STYLE_NORMAL, line);
	for (unsigned i = 0; i < r->nwarnings; i++) {
		snprintf(line, sizeof line, "! %.500s", r->warnings[i]);
		write_line(p, STYLE_WARN, line);
	}
	if (r->run.mode == REPLAY_INVOKE)
		write_line(p, STYLE_FAINT, "a function that deletes its messages itself does so before its answer is known");
}

static void draw_plan(struct view *v, struct area a)
{
	const struct replay_view *p = &v->replay;
	const struct replay_result *r = replay_plan(v);
	struct paper paper = { v, a.y + 1, a.y + a.h, a.x + 2, a.w - 2 };
	pane_title(v, &a, p->question[0] ? "CONFIRM" : "PLAN", r && !p->question[0] ? "a dry run: nothing is sent" : "");
	if (p->question[0]) {
		paper.y += draw_words(&v->canvas, paper.y, paper.end - paper.y, paper.x, paper.w, STYLE_STRONG, p->question);
		write_line(&paper, STYLE_NORMAL,
		           "frozen as it stands; nothing has been sent, and what is typed is what will run");
		return;
	}
	if (p->said[0])
		write_line(&paper, p->said_style, p->said);
	if (p->drive_pending)
		write_line(&paper, STYLE_STRONG, "a replay runs here; its run is the newest below");
	if (r)
		write_plan(&paper, r);
}

/* ---- the runs */

static enum style run_style(enum run_state s)
{
	return s == RUN_DONE ? STYLE_NORMAL : s == RUN_REFUSED || s == RUN_STOPPED ? STYLE_FAINT : STYLE_WARN;
}

static void draw_run(struct view *v, const struct area *a, int y, const struct replay_run *r)
{
	struct canvas *c = &v->canvas;
	char at[WHEN_SIZE], line[600];
	when_text(v->time_style, r->created_ms / 1000, v->now, at);
	draw_fmt(c, y, a->x + GUTTER, 6, STYLE_NORMAL, "..%s", r->id + RUN_ID - 5);
	draw_str(c, y, a->x + GUTTER + 7, 9, run_style(r->state), run_state_name(r->state));
	draw_str(c, y, a->x + GUTTER + 17, 14, STYLE_NORMAL, at);
	snprintf(line, sizeof line, "%s %s %s  by %s%s%s", r->source, v->level > 0 ? "\xE2\x86\x92" : "->",
	         replay_dest_name(r->dest), r->by ? r->by : "?", r->reason ? "  " : "", r->reason ? r->reason : "");
	int x = a->x + GUTTER + 32;
	draw_sentence(c, y, x, a->w - x, STYLE_NORMAL, line);
}

static void draw_runs(struct view *v, struct area a)
{
	const struct replay_result *p = replay_plan(v);
	const struct result *answer = v->replay.runs;
	unsigned n, from = p ? p->ngroups : 0, page = a.h > 1 ? (unsigned)a.h - 1 : 0;
	const struct replay_run *runs = replay_runs(v, &n);
	char note[64];
	snprintf(note, sizeof note, answer ? "%u in this machine's ledger" : "asking", n);
	pane_title(v, &a, "RUNS  newest first", note);
	if (answer && answer->err.code != ERR_OK && page)
		draw_sentence(&v->canvas, a.y + 1, 2, a.w - 2, STYLE_UNKNOWN, answer->err.text);
	else if (answer && !n && page)
		draw_sentence(&v->canvas, a.y + 1, 2, a.w - 2, STYLE_FAINT, "there is no run yet");
	for (unsigned i = 0, top = top_of(&v->replay.list, from, n, page); i < page && top + i < n; i++) {
		int y = a.y + 1 + (int)i;
		draw_run(v, &a, y, &runs[top + i]);
		if (v->replay.list.id && v->replay.list.line == from + top + i)
			pane_select(v, &a, y);
	}
}

static void draw_replay(struct view *v, int y, int h)
{
	const struct replay_result *p = replay_plan(v);
	unsigned n;
	replay_runs(v, &n);
	int w = v->canvas.cols, plan = PLAN_ROWS, rest = h - 2 - plan, groups = p ? (int)p->ngroups + 2 : 3;
	if (rest < 2 * RUNS_LEAST) { /* the smallest screens: what is confirmed comes first */
		plan = h > 8 ? 3 : 2;
		rest = h - 2 - plan;
	}
	groups = groups > rest - RUNS_LEAST ? rest - RUNS_LEAST : groups;
	groups = groups < 3 ? 3 : groups;
	draw_head(v, y);
	draw_groups(v, (struct area){ y + 2, 0, groups, w });
	draw_plan(v, (struct area){ y + 2 + groups, 0, plan, w });
	draw_runs(v, (struct area){ y + 2 + groups + plan, 0, rest - groups, w });
}

static void move_replay(struct view *v, enum move m)
{
	struct list_lines lines = replay_lines(v);
	list_move(&v->replay.list, &lines, m);
}

static const char *title(const struct view *v)
{
	const struct row *r = v->replay.row ? view_row(v, v->replay.row) : NULL;
	static char text[80];
	snprintf(text, sizeof text, "replay %.60s", r ? r->name : "");
	return text;
}

const struct screen screen_replay = { .name = "replay", .title = title, .draw = draw_replay, .move = move_replay };
