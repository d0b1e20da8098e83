/* Move tasks: the messages of a dead-letter queue go back to where they died, or elsewhere, at a rate. */
#include "sim/sim_sqs_msg.h"

#include "core/mem.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_MAX 500
#define RATE_OURS 100 /* when the caller names none */
#define TASKS_KEPT 100
#define NO_SOURCE "CouldNotDetermineMessageSource"

static const char *const status_names[] = { "RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED" };

/* ---- what time does */

static void arrive(struct world *w, struct sim_queue *to, struct sim_msg *m, int64_t now_ms)
{
	world_uuid(w, m->id);
	m->sent_ms = m->here_ms = m->visible_ms = now_ms;
	m->rx = m->rx_here = 0;
	m->first_rx_ms = 0;
	free((char *)m->source_arn);
	m->source_arn = NULL;
	queue_add(to, m);
	queue_touch(w, to);
}

static bool fail_task(struct sim_move *t, const char *reason)
{
	t->status = MOVE_FAILED;
	t->reason = reason;
	return false;
}

/* One message; false when there is no more to do. */
static bool move_one(struct world *w, struct sim_move *t, int64_t now_ms)
{
	struct sim_queue *from = world_queue(w, t->source);
	unsigned i = 0;
	if (t->fails_after >= 0 && t->moved >= t->fails_after)
		return fail_task(t, "AccessDenied");
	while (from && i < from->nmsg && from->msg[i]->visible_ms > now_ms)
		i++;
	if (!from || i == from->nmsg) {
		t->status = MOVE_COMPLETED;
		return false;
	}
	struct sim_msg *m = from->msg[i];
	const char *arn = t->destination ? t->destination : m->source_arn;
	struct sim_queue *to = arn ? world_queue(w, world_arn_name(arn)) : NULL;
	if (!to)
		return fail_task(t, arn ? "AWS.SimpleQueueService.NonExistentQueue" : NO_SOURCE);
	WORLD_REMOVE(from->msg, from->nmsg, i);
	arrive(w, to, m, now_ms);
	t->moved++;
	return true;
}

void sqs_moves_settle(struct world *w, int64_t now_ms)
{
	for (unsigned i = 0; i < w->nmoves; i++) {
		struct sim_move *t = &w->moves[i];
		if (t->status == MOVE_CANCELLING && now_ms >= t->cancelled_ms)
			t->status = MOVE_CANCELLED;
		int64_t due = (now_ms - t->started_ms) * t->rate / 1000;
		while (t->status == MOVE_RUNNING && t->moved < due && move_one(w, t, now_ms))
			;
	}
}

void sqs_moves_free(struct world *w)
{
	for (unsigned i = 0; i < w->nmoves; i++) {
		free(w->moves[i].source);
		free(w->moves[i].destination);
	}
	free(w->moves);
}

/* ---- tasks */

static bool is_dead_letter_queue(const struct world *w, const struct sim_queue *q)
{
	for (unsigned i = 0; i < w->nqueues; i++)
		if (w->queues[i]->dead_arn && strcmp(world_arn_name(w->queues[i]->dead_arn), q->name) == 0)
			return true;
	return false;
}

static struct sim_queue *named_queue(struct world *w, const char *arn, const char *key, struct sim_fail *f)
{
	struct sim_queue *q = strstr(arn, ":sqs:") ? world_queue(w, world_arn_name(arn)) : NULL;
	if (!q)
		sim_fail(f, WHY_LAMBDA_NOT_FOUND, "The resource that you specified for the %s parameter doesn't exist.", key);
	return q;
}

static bool is_active(const struct sim_move *t)
{
	return t->status == MOVE_RUNNING || t->status == MOVE_CANCELLING;
}

static bool has_active(const struct world *w, const char *source)
{
	for (unsigned i = 0; i < w->nmoves; i++)
		if (strcmp(w->moves[i].source, source) == 0 && is_active(&w->moves[i]))
			return true;
	return false;
}

static struct sim_move *new_task(struct world *w)
{
	if (w->nmoves == TASKS_KEPT) {
		free(w->moves[0].source);
		free(w->moves[0].destination);
		WORLD_REMOVE(w->moves, w->nmoves, 0);
	}
	MEM_GROW(w->moves, w->nmoves, w->capmoves);
	return &w->moves[w->nmoves++];
}

static void tell_handle(struct wr *o, const struct sim_move *t)
{
	token_write(o, "TaskHandle", "move", "%" PRIu64, t->number);
}

bool sqs_start_move(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *source, *destination = NULL;
	struct queue_counts c;
	int64_t rate = RATE_OURS;
	if (!arg_need(rq, rq->args, "SourceArn", &source, f) || !arg_str(rq, rq->args, "DestinationArn", &destination, f) ||
	    !arg_int(rq, rq->args, "MaxNumberOfMessagesPerSecond", 1, RATE_MAX, &rate, f))
		return false;
	struct sim_queue *q = named_queue(w, source, "SourceArn", f);
	if (!q || (destination && !named_queue(w, destination, "DestinationArn", f)))
		return false;
	if (!is_dead_letter_queue(w, q))
		return sim_fail(f, WHY_INVALID_VALUE, "Source queue must be configured as a Dead Letter Queue.");
	if (has_active(w, q->name))
		return sim_fail(f, WHY_UNSUPPORTED,
		                "There is already a task running. Only one active task is allowed for a source queue arn at a "
		                "given time.");
	const struct fault_on *on = fault_inside(w, rq, FAULT_MOVE_FAILS);
	queue_count(q, w->now_ms, &c);
	struct sim_move *t = new_task(w);
	*t = (struct sim_move){
		.number = ++w->move_number,
		.source = xstrdup(q->name),
		.destination = destination ? xstrdup(destination) : NULL,
		.rate = rate,
		.rate_said = json_get(rq->args, "MaxNumberOfMessagesPerSecond") != NULL,
		.to_move = c.visible,
		.started_ms = w->now_ms,
		.fails_after = on ? on->param : -1,
	};
	tell_handle(o, t);
	return true;
}

static void tell_task(const struct world *w, struct wr *o, const struct sim_move *t)
{
	char arn[256];
	world_arn(w, "sqs", t->source, arn, sizeof arn);
	wr_object(o, NULL);
	if (t->status == MOVE_RUNNING)
		tell_handle(o, t);
	wr_str(o, "Status", status_names[t->status]);
	wr_str(o, "SourceArn", arn);
	wr_str(o, "DestinationArn", t->destination);
	if (t->rate_said)
		wr_int(o, "MaxNumberOfMessagesPerSecond", t->rate);
	wr_int(o, "ApproximateNumberOfMessagesMoved", t->moved);
	wr_int(o, "ApproximateNumberOfMessagesToMove", t->to_move);
	wr_str(o, "FailureReason", t->reason);
	wr_int(o, "StartedTimestamp", t->started_ms);
	wr_object_end(o);
}

bool sqs_list_moves(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *source;
	int64_t max = 1;
	if (!arg_need(rq, rq->args, "SourceArn", &source, f) || !arg_int(rq, rq->args, "MaxResults", 1, 10, &max, f))
		return false;
	struct sim_queue *q = named_queue(w, source, "SourceArn", f);
	if (!q)
		return false;
	wr_list(o, "Results", "ListMessageMoveTasksResultEntry");
	for (unsigned i = w->nmoves; i-- > 0 && max > 0;) {
		if (strcmp(w->moves[i].source, q->name) != 0)
			continue;
		tell_task(w, o, &w->moves[i]);
		max--;
	}
	wr_list_end(o);
	return true;
}

bool sqs_cancel_move(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *handle;
	char text[32] = "";
	struct sim_move *t = NULL;
	if (!arg_need(rq, rq->args, "TaskHandle", &handle, f))
		return false;
	bool ours = token_read(handle, "move", text, sizeof text, f);
	for (unsigned i = 0; ours && i < w->nmoves; i++)
		if (w->moves[i].number == strtoull(text, NULL, 10))
			t = &w->moves[i];
	if (!t)
		return sim_fail(f, WHY_LAMBDA_NOT_FOUND, "The task handle does not name a task.");
	if (t->status != MOVE_RUNNING)
		return sim_fail(f, WHY_UNSUPPORTED, "Only active tasks can be cancelled.");
	const struct fault_on *on = fault_inside(w, rq, FAULT_SLOW_CANCEL);
	t->status = on ? MOVE_CANCELLING : MOVE_CANCELLED;
	t->cancelled_ms = w->now_ms + (on ? on->param * 1000 : 0);
	wr_int(o, "ApproximateNumberOfMessagesMoved", t->moved);
	return true;
}
