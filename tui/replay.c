/* The replay screens' questions and answers, and what their keys ask for. */
#include "tui/replay.h"

#include "tui/action.h"
#include "tui/lease.h"
#include "tui/prompt.h"
#include "tui/write.h"

#include <stdio.h>
#include <string.h>

#define RUNS_S 5
#define RUN_LINE (UINT64_C(1) << 63)

/* ---- what is known */

static const struct row *fed_from(const struct view *v, const struct row *dlq)
{
	const char *name = dlq->fed_by && strncmp(dlq->fed_by, "sqs:", 4) == 0 ? dlq->fed_by + 4 : NULL;
	for (uint32_t i = 0; name && i < v->snap->nrows; i++) {
		const struct row *r = &v->snap->rows[i];
		if (strcmp(r->kind->id, "sqs") == 0 && r->resource && strcmp(r->resource, name) == 0)
			return r;
	}
	return NULL;
}

static const char *reader_of(const struct view *v, const struct row *queue)
{
	uint32_t at = (uint32_t)(queue - v->snap->rows);
	for (unsigned i = 0; i < v->snap->nlinks; i++) {
		const struct row_link *l = &v->snap->links[i];
		const struct row *to = &v->snap->rows[l->to];
		if (l->from == at && strcmp(l->kind, "mapping") == 0 && strcmp(to->kind->id, "lambda") == 0)
			return to->resource;
	}
	return queue->feeds && strncmp(queue->feeds, "lambda:", 7) == 0 ? queue->feeds + 7 : NULL;
}

void replay_queue_of(const struct view *v, struct replay_queue *q)
{
	const struct row *r = v->replay.row ? view_row(v, v->replay.row) : NULL;
	*q = (struct replay_queue){ .row = r };
	if (!r)
		return;
	const struct row *source = fed_from(v, r);
	q->through = source ? reader_of(v, source) : NULL;
	for (unsigned i = 0; i < r->nfacts; i++)
		q->fifo = q->fifo || (strcmp(r->facts[i].key, "fifo") == 0 && strcmp(r->facts[i].value, "true") == 0);
}

const struct replay_result *replay_plan(const struct view *v)
{
	const struct replay_view *p = &v->replay;
	return p->plan && p->plan_row == p->row && p->plan->err.code == ERR_OK ? &p->plan->replay : NULL;
}

const struct replay_result *replay_shown(const struct view *v)
{
	const struct result *r = v->replay.shown;
	return r && r->replay.has_run && strcmp(r->replay.run.id, v->replay.run) == 0 ? &r->replay : NULL;
}

const struct replay_run *replay_runs(const struct view *v, unsigned *n)
{
	const struct result *r = v->replay.runs;
	*n = r && r->err.code == ERR_OK ? r->replay.nruns : 0;
	return *n ? r->replay.runs : NULL;
}

bool replay_is_driven(const struct view *v, const struct replay_result *r)
{
	return r->driven || (v->replay.drive_pending && strcmp(v->replay.driven, r->run.id) == 0);
}

static bool is_left(const struct replay_item *it)
{
	return it->resent || it->rejections || it->state == ITEM_POISON || it->state == ITEM_BOUNCED ||
	       it->state == ITEM_UNKNOWN || it->state == ITEM_GONE || it->state == ITEM_HELD || it->state == ITEM_SKIPPED ||
	       it->state == ITEM_INTENT || it->state == ITEM_REMOVE_LOST;
}

unsigned replay_left(const struct replay_result *r)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->nitems; i++)
		n += is_left(&r->items[i]);
	return n;
}

const struct replay_item *replay_left_at(const struct replay_result *r, unsigned at)
{
	for (unsigned i = 0; i < r->nitems; i++)
		if (is_left(&r->items[i]) && at-- == 0)
			return &r->items[i];
	return NULL;
}

/* ---- the list: groups, then runs */

static unsigned ngroups(const struct view *v)
{
	const struct replay_result *p = replay_plan(v);
	return p ? p->ngroups : 0;
}

static uint64_t line_id(const void *ctx, unsigned line)
{
	const struct view *v = ctx;
	unsigned n, g = ngroups(v);
	uint64_t h = UINT64_C(1469598103934665603);
	const char *text = line < g ? replay_plan(v)->groups[line].fp : replay_runs(v, &n)[line - g].id;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return line < g ? (h & ~RUN_LINE) | 1 : h | RUN_LINE;
}

struct list_lines replay_lines(const struct view *v)
{
	unsigned n;
	replay_runs(v, &n);
	return (struct list_lines){ .n = ngroups(v) + n, .id = line_id, .ctx = v };
}

const struct replay_group *replay_group_selected(const struct view *v)
{
	const struct list *l = &v->replay.list;
	return l->id && l->line < ngroups(v) ? &replay_plan(v)->groups[l->line] : NULL;
}

const struct replay_run *replay_run_selected(const struct view *v)
{
	const struct list *l = &v->replay.list;
	unsigned n, g = ngroups(v);
	const struct replay_run *runs = replay_runs(v, &n);
	return l->id && l->line >= g && l->line - g < n ? &runs[l->line - g] : NULL;
}

void replay_clear(struct view *v)
{
	result_free(v->replay.plan);
	result_free(v->replay.runs);
	result_free(v->replay.shown);
}

/* ---- questions */

static void fill_act(struct view *v, struct request *rq)
{
	struct replay_act *a = &v->replay.act;
	*rq = (struct request){ .kind = a->kind, .consent = a->consent };
	rq->replay = (struct replay_request){ .source = a->source[0] ? a->source : NULL,
		                                  .run = a->run[0] ? a->run : NULL,
		                                  .through = a->through[0] ? a->through : NULL,
		                                  .as_mapped = true,
		                                  .redrive = a->redrive,
		                                  .where = a->where[0] ? a->where : NULL,
		                                  .word = a->word[0] ? a->word : NULL,
		                                  .unknown_said = a->resend,
		                                  .unknown = a->resend ? UNKNOWN_RESEND : UNKNOWN_HOLD };
	if (rq->consent.typed)
		rq->consent.typed = a->typed;
	if (rq->consent.account)
		rq->consent.account = v->lease.account;
}

static bool due(const struct view *v, uint64_t pending, int64_t at, int64_t every)
{
	return !pending && (at == 0 || (!v->frozen && v->mono - at >= every));
}

bool replay_question(struct view *v, struct request *rq)
{
	struct replay_view *p = &v->replay;
	if (p->act.wanted) {
		fill_act(v, rq);
	} else if (view_screen(v) == SCREEN_REPLAY && due(v, p->runs_pending, p->runs_at, RUNS_S)) {
		*rq = (struct request){ .kind = REQUEST_REPLAY_LIST };
	} else if (view_screen(v) == SCREEN_RUN && p->run[0] && due(v, p->show_pending, p->show_at, 1)) {
		*rq = (struct request){ .kind = REQUEST_REPLAY_SHOW, .replay = { .run = p->run } };
	} else {
		return false;
	}
	return true;
}

void replay_asked(struct view *v, const struct request *rq, uint64_t id)
{
	struct replay_view *p = &v->replay;
	switch (rq->kind) {
	case REQUEST_REPLAY_LIST:
		p->runs_pending = id;
		p->runs_at = v->mono;
		return;
	case REQUEST_REPLAY_SHOW:
		p->show_pending = id;
		p->show_at = v->mono;
		return;
	case REQUEST_REPLAY_PLAN:
		p->plan_pending = id;
		p->plan_row = p->row;
		break;
	case REQUEST_REPLAY_START:
	case REQUEST_REPLAY_RESUME:
		p->drive_pending = id;
		snprintf(p->driven, sizeof p->driven, "%s", p->act.run);
		break;
	default: break;
	}
	memset(&p->act, 0, sizeof p->act);
}

/* ---- answers */

static void say(struct view *v, enum style style, const char *text)
{
	snprintf(v->replay.said, sizeof v->replay.said, "%.159s", text);
	v->replay.said_style = style;
	view_note(v, "%.120s", v->replay.said);
}

static void say_err(struct view *v, const struct err *e)
{
	char line[sizeof e->where + sizeof e->text + 8];
	snprintf(line, sizeof line, "%s%s%s", e->where, e->where[0] ? ": " : "", e->text);
	say(v, STYLE_WARN, line);
}

static void take(struct result **slot, struct result *r)
{
	result_free(*slot);
	*slot = r;
}

static void count_typed(struct view *v)
{
	struct replay_view *p = &v->replay;
	char why[160];
	bool right = strcmp(v->prompt.text, p->count) == 0;
	p->question[0] = '\0';
	if (!right)
		say(v, STYLE_WARN, "that is not the number: nothing was sent; x c asks again");
	else if (!lease_allows(v, MODE_OPERATE, why, sizeof why))
		say(v, STYLE_WARN, why);
	if (!right || !lease_allows(v, MODE_OPERATE, why, sizeof why))
		return;
	p->act = (struct replay_act){ .wanted = true, .kind = REQUEST_REPLAY_START };
	snprintf(p->act.run, sizeof p->act.run, "%s", p->driven);
	snprintf(p->act.typed, sizeof p->act.typed, "%s", v->prompt.text);
	p->act.consent = lease_consent(v, p->act.typed, false);
	replay_open_run(v, p->driven);
}

static void count_unsaid(struct view *v)
{
	v->replay.question[0] = '\0';
	say(v, STYLE_NORMAL, "not confirmed: nothing was sent; x c asks again");
}

static void nothing(struct view *v)
{
	(void)v;
}

static const struct prompt_kind count_kind = {
	.label = "type the number of messages: ", .changed = nothing, .accepted = count_typed, .cancelled = count_unsaid
};

/* What was frozen waits for its number. Only who still looks at it is asked: keys that were meant for something else must not answer. */
static void ask_count(struct view *v, const struct result *r)
{
	struct replay_view *p = &v->replay;
	bool here = (view_screen(v) == SCREEN_REPLAY || view_screen(v) == SCREEN_RUN) && !v->prompt.open && !menu_open(v);
	snprintf(p->driven, sizeof p->driven, "%s", r->replay.run.id);
	if (!here || !lease_left(v)) {
		say(v, STYLE_NORMAL, "a selection is frozen and waits for its number: x c on the replay screen");
		return;
	}
	snprintf(p->count, sizeof p->count, "%s", r->name ? r->name : "");
	snprintf(p->question, sizeof p->question, "%s", r->question ? r->question : "");
	prompt_open(v, &count_kind, "");
}

static void driven(struct view *v, struct result *r)
{
	struct replay_view *p = &v->replay;
	const struct replay_result *a = &r->replay;
	char line[200];
	p->drive_pending = p->show_pending = 0;
	p->show_at = p->runs_at = 0;
	if (r->ask == GATE_ASK_COUNT) {
		ask_count(v, r);
	} else if (r->err.code != ERR_OK) {
		say_err(v, &r->err);
	} else {
		snprintf(line, sizeof line, "run ..%s is %s: %u of %u verified%s%s", a->run.id[0] ? a->run.id + RUN_ID - 5 : "",
		         run_state_name(a->run.state), a->counts.verified, a->counts.selected, a->run.reason ? "; " : "",
		         a->run.reason ? a->run.reason : "");
		say(v, a->counts.verified == a->counts.selected ? STYLE_NORMAL : STYLE_WARN, line);
	}
	result_free(r);
}

static void shown(struct view *v, struct result *r)
{
	struct replay_view *p = &v->replay;
	bool mine = r->id == p->show_pending;
	if (mine)
		p->show_pending = 0;
	if (!mine || !r->replay.has_run) {
		if (mine && r->err.code != ERR_OK)
			say_err(v, &r->err);
		result_free(r);
		return;
	}
	if (r->err.code != ERR_OK)
		say_err(v, &r->err);
	take(&p->shown, r);
}

static void steered(struct view *v, struct result *r)
{
	if (r->err.code != ERR_OK)
		say_err(v, &r->err);
	v->replay.show_at = 0;
	result_free(r);
}

bool replay_answer(struct view *v, struct result *r)
{
	struct replay_view *p = &v->replay;
	struct list_lines lines;
	switch (r->kind) {
	case REQUEST_REPLAY_PLAN:
		p->plan_pending = 0;
		if (r->err.code != ERR_OK)
			say_err(v, &r->err);
		take(&p->plan, r);
		break;
	case REQUEST_REPLAY_LIST:
		p->runs_pending = 0;
		take(&p->runs, r);
		break;
	case REQUEST_REPLAY_SHOW: shown(v, r); return true;
	case REQUEST_REPLAY_STEER: steered(v, r); return true;
	case REQUEST_REPLAY_START:
	case REQUEST_REPLAY_RESUME: driven(v, r); return true;
	default: return false;
	}
	lines = replay_lines(v);
	list_sync(&p->list, &lines);
	return true;
}
