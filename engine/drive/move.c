/* --move-task: SQS itself moves the messages of a dead-letter queue, for what outgrows one machine. The run is like any other, its
 * row, guard, clock, abort rules and audit log; but it has no messages of its own, its counts are AWS's and approximate, and the most that it
 * becomes is DONE~. A task cannot be changed: the ramp (10, 50, 200, 500 a second), a new rate, a pause and a stop are each a cancel, and
 * then another task or none. That one is about to be started is on the disk before, its handle after; whether one whose answer was
 * lost began, ListMessageMoveTasks says. */
#include "engine/drive/source.h"
#include "engine/drive/watch.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MS 500    /* between two looks at the task */
#define STEP_S 60      /* of the ramp, at the least: one look at everything else */
#define BEGUN "?"      /* run.task: it was about to be started, and no answer says whether it was */
#define SKEW_MS 300000 /* between AWS's clock and ours */
#define LISTS_MOST 10  /* that failed, one after the other */

static const unsigned ramp[] = { 10, 50, 200, MOVE_RATE_MOST };
#define RAMP (sizeof ramp / sizeof *ramp)

struct move {
	bool flying, answered, looked;
	const struct op *op;
	struct err err;
	int64_t base;             /* moved by the tasks before this one */
	int64_t next_ms, step_ms; /* monotonic: the next look; since when this step is on */
	unsigned step, failures;
	bool cancelling, asked; /* a cancel was taken; one was sent at all */
	struct start_move_in start;
	struct start_move_out started;
	struct cancel_move_in cancel;
	struct cancel_move_out cancelled;
	struct move_tasks_in list_in;
	struct move_tasks_out list;
};

/* ---- the row */

static bool names(struct drive *d, const char *text, struct err *e)
{
	return source_sqs.names(d, text, e);
}

static void settle(struct drive *d)
{
	source_sqs.settle(d);
	if (d->t->rq.replay.rate <= 0)
		d->run.rate = MOVE_RATE_MOST;
	if (d->plan)
		drive_warn(d, "a move task has no canary: send one back by itself first (--redrive --limit 1), and look at "
		              "what becomes of it");
}

bool move_names(struct drive *d, struct err *e)
{
	const struct replay_request *rq = &d->t->rq.replay;
	if (d->src != &source_sqs)
		return err_set(e, ERR_USAGE, "--move-task", "only from a queue, not from %s", d->src->form);
	if (rq->through || rq->redrive)
		return err_set(e, ERR_USAGE, "--move-task", "not together with --through or --redrive");
	if (rq->where || rq->limit)
		return err_set(e, ERR_USAGE, "--move-task", "moves all there is: not together with --where or --limit");
	if (rq->rate > MOVE_RATE_MOST || (rq->rate > 0 && rq->rate < 1))
		return err_set(e, ERR_USAGE, "--rate", "of a move task: 1 to %d a second", MOVE_RATE_MOST);
	d->src = &source_move;
	return true;
}

unsigned drive_count(const struct drive *d)
{
	if (d->run.mode != REPLAY_MOVE)
		return d->n;
	return d->resumed && d->run.confirmed ? d->run.expected : (unsigned)d->run.to_move;
}

static void begin(struct drive *d)
{
	(void)d;
}

static bool step(struct drive *d)
{
	(void)d;
	return true;
}

static bool give_none(struct drive *d, bool all)
{
	(void)all;
	const struct move *m = d->own;
	return !m || !m->flying || m->answered;
}

static void clear(struct drive *d)
{
	free(d->own);
	d->own = NULL;
}

/* ---- calls */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct move *m = ctx;
	(void)op, (void)in, (void)out;
	m->err = *e;
	m->answered = true;
}

static void call(struct drive *d, struct move *m, const struct permit *p, const struct op *op, void *in, void *out)
{
	m->op = op;
	m->flying = true;
	m->answered = false;
	aws_call_permitted(d->g->aws, p, CALL_ACT, op, in, out, on_done, m);
}

static void look(struct drive *d, struct move *m)
{
	m->next_ms = clock_mono_ms() + LIST_MS;
	m->list_in.arn = d->run.source_arn;
	call(d, m, NULL, &op_list_message_move_tasks, &m->list_in, &m->list);
}

static unsigned rate_now(const struct drive *d, const struct move *m)
{
	unsigned most = d->run.rate < 1 ? 1 : d->run.rate > MOVE_RATE_MOST ? MOVE_RATE_MOST : (unsigned)d->run.rate;
	return ramp[m->step] < most ? ramp[m->step] : most;
}

static void start(struct drive *d, struct move *m)
{
	const char *to = *d->run.dest && d->run.dest_url ? d->run.dest : NULL;
	d->run.task_rate = rate_now(d, m);
	d->run.task = BEGUN;
	d->run.hidden_until_ms = d->patience_ms = now_ms(); /* when it was about to be */
	if (!drive_announce(d, &op_start_message_move_task, d->run.source_arn, "to %s, %u a second",
	                    to ? to : "where each came from", d->run.task_rate) ||
	    !drive_save(d))
		return;
	m->start = (struct start_move_in){ d->run.source_arn, to, d->run.task_rate };
	call(d, m, &d->send, &op_start_message_move_task, &m->start, &m->started);
}

static void cancel(struct drive *d, struct move *m)
{
	if (!drive_announce(d, &op_cancel_message_move_task, d->run.source_arn, "%u a second, about %" PRId64 " moved",
	                    d->run.task_rate, d->run.moved))
		return;
	m->cancelling = m->asked = true;
	m->cancel.handle = d->run.task;
	call(d, m, &d->remove, &op_cancel_message_move_task, &m->cancel, &m->cancelled);
}

/* ---- what they said */

static void no_task(struct drive *d, struct move *m)
{
	d->run.task = NULL;
	d->run.task_rate = 0;
	m->cancelling = m->asked = false;
	m->base = d->run.moved;
	d->run.origin = arena_printf(d->mem, "%" PRId64, m->base); /* what the tasks before the next one moved */
	drive_save(d);
}

static void hear_start(struct drive *d, struct move *m)
{
	if (m->err.code == ERR_OK) {
		d->run.task = arena_strdup(d->mem, m->started.handle);
		m->step_ms = clock_mono_ms();
		drive_save(d);
	} else if (!m->err.in_doubt) {
		drive_end(d, RUN_PAUSED, "%s: %s", m->err.where, m->err.text);
		no_task(d, m);
	} /* else the list says whether it began */
}

static void over(struct drive *d, struct move *m)
{
	bool ours = m->asked;
	if (strcmp(m->list.status, "FAILED") == 0)
		drive_end(d, RUN_PAUSED, "the move task failed: %s",
		          m->list.reason[0] ? m->list.reason : "AWS does not say why");
	else if (strcmp(m->list.status, "CANCELLED") == 0 && !ours)
		drive_end(d, RUN_PAUSED, "somebody else cancelled the move task");
	bool done = strcmp(m->list.status, "COMPLETED") == 0;
	if (done && d->run.moved < d->run.to_move)
		drive_warn(d, "about %" PRId64 " were moved where about %" PRId64 " lay: look at what is left", d->run.moved,
		           d->run.to_move);
	no_task(d, m);
	if (done && (!d->ending || d->ends_as == RUN_PAUSED)) { /* it was over before it could be paused */
		d->ending = false;
		d->phase = PHASE_CLOSE;
	}
}

/* Is the task that the list tells of this run's? One that was begun without an answer is known by when it was. */
static bool is_ours(const struct drive *d, const struct move *m)
{
	const char *task = d->run.task;
	if (!task || !m->list.status[0])
		return false;
	if (strcmp(task, BEGUN) == 0)
		return m->list.started_ms + SKEW_MS >= d->run.hidden_until_ms;
	return !m->list.handle[0] || strcmp(m->list.handle, task) == 0;
}

static void take_list(struct drive *d, struct move *m)
{
	if (m->list.running && m->list.handle[0] && strcmp(d->run.task, BEGUN) == 0) {
		d->run.task = arena_strdup(d->mem, m->list.handle);
		m->step_ms = clock_mono_ms();
	}
	int64_t moved = m->base + m->list.moved;
	d->run.moved = moved > d->run.moved ? moved : d->run.moved;
	drive_save(d);
	if (d->run.moved > d->run.to_move + d->run.to_move / 2 + 20)
		drive_end(d, RUN_PAUSED,
		          "about %" PRId64 " were moved where about %" PRId64 " lay: they come back as fast as they are moved",
		          d->run.moved, d->run.to_move);
	if (!m->list.running)
		over(d, m);
}

static void hear_list(struct drive *d, struct move *m)
{
	if (m->err.code != ERR_OK) {
		if (++m->failures >= LISTS_MOST || !err_retryable(m->err.code))
			drive_end(d, RUN_PAUSED, "%s: %s; the task may still run", m->err.where, m->err.text);
		m->looked = m->failures < LISTS_MOST ? m->looked : true;
		return;
	}
	m->failures = 0;
	m->looked = true;
	if (is_ours(d, m))
		take_list(d, m);
	else if (m->list.running)
		drive_end(d, RUN_PAUSED, "another move task is %s on this queue", m->list.status);
	else if (d->run.task)
		no_task(d, m); /* it never began */
}

static void hear(struct drive *d, struct move *m)
{
	m->flying = m->answered = false;
	if (m->op == &op_start_message_move_task)
		hear_start(d, m);
	else if (m->op == &op_list_message_move_tasks)
		hear_list(d, m);
	else if (m->err.code != ERR_OK) { /* over meanwhile, or not heard: the list says */
		m->cancelling = m->looked = false;
		m->next_ms = 0;
		m->failures++;
	}
}

/* ---- a turn */

static bool next_step(const struct drive *d, const struct move *m)
{
	unsigned watch = d->t->rq.replay.watch_s ? d->t->rq.replay.watch_s : STEP_S;
	return m->step + 1 < RAMP && ramp[m->step] < d->run.rate && clock_mono_ms() - m->step_ms >= (int64_t)watch * 1000;
}

static bool is_running(const struct drive *d)
{
	return d->run.task && strcmp(d->run.task, BEGUN) != 0;
}

/* The end: nothing may run on that nobody watches. */
static void end_step(struct drive *d, struct move *m)
{
	if (!d->run.task || d->broken || m->failures >= LISTS_MOST)
		d->phase = PHASE_CLOSE;
	else if (is_running(d) && !m->cancelling && m->looked)
		cancel(d, m);
	else if (clock_mono_ms() >= m->next_ms)
		look(d, m);
}

static void go_on(struct drive *d, struct move *m)
{
	if (!d->run.task && m->looked && d->run.to_move == 0) {
		d->phase = PHASE_CLOSE;
	} else if (!d->run.task && m->looked) {
		start(d, m);
	} else if (is_running(d) && !m->cancelling && m->looked &&
	           (next_step(d, m) || d->run.task_rate != rate_now(d, m))) {
		m->step += next_step(d, m);
		cancel(d, m);
	} else if (clock_mono_ms() >= m->next_ms) {
		look(d, m);
	}
}

static void work(struct drive *d)
{
	struct move *m = d->own;
	int64_t wake = 0;
	if (!m) {
		m = d->own = xcalloc(1, sizeof *m);
		m->base = d->run.origin ? strtoll(d->run.origin, NULL, 10) : 0;
	}
	if (m->flying && m->answered)
		hear(d, m);
	heed_wanted(d);
	watch_step(d, &wake);
	if (!m->flying && d->phase == PHASE_WORK)
		(d->ending ? end_step : go_on)(d, m);
	d->t->wake_ms = wake_sooner(wake, m->next_ms > clock_mono_ms() ? m->next_ms : clock_mono_ms() + 100);
}

const struct replay_source source_move = {
	.prefix = "sqs:",
	.form = "sqs:QUEUE",
	.kept = "the queue",
	.names = names,
	.steps = sqs_steps,
	.nsteps = SQS_STEPS,
	.settle = settle,
	.begin = begin,
	.step = step,
	.work = work,
	.give_back = give_none,
	.clear = clear,
};
