/* The replay screens' keys, and the writes of theirs. */
#include "core/text.h"
#include "tui/action.h"
#include "tui/lease.h"
#include "tui/prompt.h"
#include "tui/replay.h"
#include "tui/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- where */

/* A dead-letter queue that is looked at is meant; of a pipeline that has just one, that one; else the queue itself. */
static uint64_t meant(const struct view *v)
{
	const struct row *r = view_row(v, view_focus(v)), *only = NULL;
	if (!r)
		return 0;
	uint64_t itself = strcmp(r->kind->id, "sqs") == 0 ? r->id : 0;
	if (r->dlq || r->pipeline >= v->snap->npipelines)
		return itself;
	const struct pipeline *p = &v->snap->pipelines[r->pipeline];
	for (uint32_t i = p->first; i < p->first + p->n; i++) {
		if (v->snap->rows[i].dlq && only)
			return itself;
		only = v->snap->rows[i].dlq ? &v->snap->rows[i] : only;
	}
	return only ? only->id : itself;
}

void act_replay(struct view *v)
{
	struct replay_view *p = &v->replay;
	struct list_lines lines;
	if (view_screen(v) == SCREEN_REPLAY)
		return;
	for (unsigned i = 1; i < v->depth; i++)
		if (v->stack[i] == SCREEN_REPLAY) {
			v->depth = i + 1;
			return;
		}
	p->row = meant(v);
	p->runs_at = 0;
	p->said[0] = '\0';
	view_push(v, SCREEN_REPLAY);
	lines = replay_lines(v);
	list_sync(&p->list, &lines);
}

void replay_open_run(struct view *v, const char *id)
{
	struct replay_view *p = &v->replay;
	snprintf(p->run, sizeof p->run, "%s", id);
	p->show_at = 0;
	p->show_pending = 0;
	if (view_screen(v) != SCREEN_RUN)
		view_push(v, SCREEN_RUN);
}

void act_replay_open(struct view *v)
{
	const struct replay_run *r = replay_run_selected(v);
	if (r)
		replay_open_run(v, r->id);
	else
		view_note(v, replay_group_selected(v) ? "x g replays this group alone" : "there is no run to open");
}

bool replay_may_leave(struct view *v)
{
	if (!v->replay.drive_pending || v->leaving)
		return true;
	v->leaving = true;
	view_note(v, "a replay runs here: q again pauses it, waits for what it has sent, and quits");
	return false;
}

/* ---- what is asked for */

static bool idle(struct view *v)
{
	if (!v->replay.drive_pending && !v->replay.plan_pending && !v->replay.act.wanted)
		return true;
	view_note(v, v->replay.plan_pending ? "a plan is being made: a moment"
	                                    : "a replay runs here already: it is stopped or ends first");
	return false;
}

static struct replay_act *act(struct view *v, enum request_kind kind)
{
	struct replay_act *a = &v->replay.act;
	*a = (struct replay_act){ .wanted = true, .kind = kind, .consent = lease_consent(v, NULL, false) };
	v->replay.said[0] = '\0';
	return a;
}

/* The queue that is meant, into a; false: a note says what is lacking. */
static bool name_queue(struct view *v, struct replay_act *a, bool through)
{
	struct replay_queue q;
	replay_queue_of(v, &q);
	if (!q.row || strcmp(q.row->kind->id, "sqs") != 0) {
		view_note(v, "no queue is selected: go to a dead-letter queue, then 4");
		return false;
	}
	if (through && !q.through) {
		view_note(v, "no function is known that reads what this queue was meant for; x b sends back to the queue");
		return false;
	}
	if (q.row->arn)
		snprintf(a->source, sizeof a->source, "%s", q.row->arn);
	else
		snprintf(a->source, sizeof a->source, "sqs:%s", q.row->resource);
	if (through)
		snprintf(a->through, sizeof a->through, "%s", q.through);
	return true;
}

void act_replay_plan(struct view *v)
{
	char why[160];
	struct replay_queue q;
	struct replay_act a = { 0 };
	if (!view_acts(v) || !idle(v))
		return;
	if (!lease_allows(v, MODE_INSPECT, why, sizeof why)) {
		view_note(v, "%s: receiving hides messages and counts as a receive", why);
		return;
	}
	replay_queue_of(v, &q);
	if (!name_queue(v, &a, q.through != NULL))
		return;
	struct replay_act *wish = act(v, REQUEST_REPLAY_PLAN);
	snprintf(wish->source, sizeof wish->source, "%s", a.source);
	snprintf(wish->through, sizeof wish->through, "%s", a.through);
	wish->redrive = !q.through;
}

static bool start(struct view *v, bool redrive, const char *group)
{
	struct replay_act a = { 0 };
	if (view_screen(v) != SCREEN_REPLAY) {
		view_note(v, "4 opens the replay screen of a queue first");
		return false;
	}
	if (!idle(v) || !name_queue(v, &a, !redrive))
		return false;
	struct replay_act *wish = act(v, REQUEST_REPLAY_START);
	snprintf(wish->source, sizeof wish->source, "%s", a.source);
	snprintf(wish->through, sizeof wish->through, "%s", a.through);
	wish->redrive = redrive;
	if (group)
		snprintf(wish->where, sizeof wish->where, "group=%s", group);
	view_note(v, "freezing what is there: nothing is sent before its number is typed");
	return true;
}

bool write_replay(struct view *v)
{
	return start(v, false, NULL);
}

bool write_redrive(struct view *v)
{
	return start(v, true, NULL);
}

bool write_group(struct view *v)
{
	const struct replay_group *g = replay_group_selected(v);
	if (!g)
		view_note(v, "no group is selected: p receives and groups them");
	return g && start(v, false, g->fp);
}

/* The run that going on is about: the open one, or the selected one. */
static const char *run_meant(const struct view *v)
{
	const struct replay_run *r = view_screen(v) == SCREEN_REPLAY ? replay_run_selected(v) : NULL;
	if (view_screen(v) == SCREEN_RUN)
		return v->replay.run[0] ? v->replay.run : NULL;
	return r ? r->id : NULL;
}

static bool goes_on(struct view *v, const char **id)
{
	*id = run_meant(v);
	const struct replay_result *r = replay_shown(v);
	if (!*id)
		view_note(v, "no run is selected: 4, and then a run");
	else if (r && strcmp(r->run.id, *id) == 0 && replay_is_driven(v, r))
		view_note(v, "this run is driven already");
	else
		return idle(v);
	return false;
}

static void resume(struct view *v)
{
	struct replay_act *a = act(v, REQUEST_REPLAY_RESUME);
	const char *id = run_meant(v);
	if (!id) {
		a->wanted = false;
		return;
	}
	snprintf(a->run, sizeof a->run, "%s", id);
	snprintf(a->typed, sizeof a->typed, "%s", v->menu.typed);
	a->consent = lease_consent(v, NULL, true);
	replay_open_run(v, a->run);
}

bool write_go_on(struct view *v)
{
	const char *id;
	if (!goes_on(v, &id))
		return false;
	snprintf(v->menu.question, sizeof v->menu.question,
	         "go on with run %s under the confirmation that is in its ledger?", id);
	v->menu.go = resume;
	return true;
}

/* ---- UNKNOWN again: the reader types how many may be processed twice */

static void resend_typed(struct view *v)
{
	const struct replay_result *r = replay_shown(v);
	char count[16], why[160];
	snprintf(count, sizeof count, "%u", r ? r->counts.unknown : 0);
	v->replay.question[0] = '\0';
	if (!r || strcmp(v->prompt.text, count) != 0)
		view_note(v, "that is not the number: nothing was sent");
	else if (!lease_allows(v, MODE_OPERATE, why, sizeof why))
		view_note(v, "%s: nothing was sent", why);
	else {
		resume(v);
		v->replay.act.resend = v->replay.act.wanted;
	}
}

static void resend_unsaid(struct view *v)
{
	v->replay.question[0] = '\0';
	view_note(v, "not confirmed: nothing was sent");
}

static void nothing(struct view *v)
{
	(void)v;
}

static const struct prompt_kind resend_kind = { .label = "type how many may be processed twice: ",
	                                            .changed = nothing,
	                                            .accepted = resend_typed,
	                                            .cancelled = resend_unsaid };

bool write_resend(struct view *v)
{
	const struct replay_result *r = replay_shown(v);
	const char *id;
	if (view_screen(v) != SCREEN_RUN || !r) {
		view_note(v, "open a run first: 4, Enter");
		return false;
	}
	if (!goes_on(v, &id))
		return false;
	if (!r->counts.unknown) {
		view_note(v, r->counts.by_state[ITEM_INTENT] ? "x c first: what was in flight becomes UNKNOWN, then you decide"
		                                             : "nothing is UNKNOWN in this run");
		return false;
	}
	snprintf(v->replay.question, sizeof v->replay.question,
	         "send %u message%s again of which no answer came: each may then be processed twice", r->counts.unknown,
	         r->counts.unknown == 1 ? "" : "s");
	prompt_open(v, &resend_kind, "");
	return true;
}

/* ---- a running job: through the ledger, whoever drives it */

static void steer(struct view *v, const char *word)
{
	const struct replay_result *r = replay_shown(v);
	char why[160];
	if (!view_acts(v) || !r)
		return;
	if (!lease_allows(v, MODE_OPERATE, why, sizeof why)) {
		view_note(v, "%s", why);
		return;
	}
	if (!replay_is_driven(v, r) && strcmp(word, "stop") != 0) {
		view_note(v, "nobody drives this run now; x c goes on with it");
		return;
	}
	struct replay_act *a = act(v, REQUEST_REPLAY_STEER);
	snprintf(a->run, sizeof a->run, "%s", r->run.id);
	snprintf(a->word, sizeof a->word, "%s", word);
	view_note(v, "asked for: %s", word);
}

void act_replay_pause(struct view *v)
{
	steer(v, "pause");
}

static void stop(struct view *v)
{
	steer(v, "stop");
}

/* What is stopped cannot be gone on with: that much is asked, though nothing is written to AWS by it. */
void act_replay_stop(struct view *v)
{
	const struct replay_result *r = replay_shown(v);
	char why[160];
	if (!view_acts(v) || !r)
		return;
	if (!lease_allows(v, MODE_OPERATE, why, sizeof why)) {
		view_note(v, "%s", why);
		return;
	}
	snprintf(v->menu.question, sizeof v->menu.question,
	         "stop this run for good? What is not sent stays in the queue, in no run; p only pauses");
	v->menu.chosen = 0;
	v->menu.go = stop;
}

static void rate(struct view *v, int direction)
{
	static const double steps[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 };
	const struct replay_result *r = replay_shown(v);
	double now = r ? r->run.rate : 0, to = now;
	char word[32];
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (direction < 0 && steps[i] < now)
			to = steps[i];
		if (direction > 0 && steps[i] > now && to <= now)
			to = steps[i];
	}
	snprintf(word, sizeof word, "rate=%g", to);
	if (r && to != now)
		steer(v, word);
}

void act_replay_faster(struct view *v)
{
	rate(v, 1);
}

void act_replay_slower(struct view *v)
{
	rate(v, -1);
}
