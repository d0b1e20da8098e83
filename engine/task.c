/* Requests: copied in, worked on step by step beside the rounds, handed back as owned results. A kind of request is one row. */
#include "core/hash.h"
#include "core/mem.h"
#include "engine/alarm_requests.h"
#include "engine/inside.h"

#include <stdlib.h>
#include <string.h>

static void code_step(struct engine *g, struct task *t);

static void (*const steps[])(struct engine *, struct task *) = {
	[REQUEST_STATUS] = status_step, /* one a line */
	[REQUEST_HISTORY] = history_step,
	[REQUEST_CHECK] = check_step,
	[REQUEST_DOCTOR] = doctor_step,
	[REQUEST_IAM] = iam_step,
	[REQUEST_CODE] = code_step,
	[REQUEST_PUT_RECORDS] = put_records_step,
	[REQUEST_PROCESS] = process_step,
	[REQUEST_PUT_METRIC] = put_metric_step,
	[REQUEST_MUTE] = mute_step,
	[REQUEST_PUBLISH] = publish_step,
	[REQUEST_NOTIFY] = notify_step,
	[REQUEST_DISCOVER] = discover_step,
	[REQUEST_REPLAY_PLAN] = replay_step,
	[REQUEST_REPLAY_START] = replay_step,
	[REQUEST_REPLAY_RESUME] = replay_step,
	[REQUEST_REPLAY_STEER] = replay_steer_step,
	[REQUEST_REPLAY_SHOW] = replay_show_step,
	[REQUEST_REPLAY_EXPORT] = replay_export_step,
	[REQUEST_REPLAY_ADOPT] = replay_adopt_step,
	[REQUEST_REPLAY_ITEM] = replay_item_step,
	[REQUEST_REPLAY_BUY_TIME] = replay_buy_step,
	[REQUEST_REPLAY_LIST] = replay_list_step,
	[REQUEST_AUDIT] = audit_step,
	[REQUEST_ALARMS] = alarms_step,
	[REQUEST_ALARM] = alarm_step,
	[REQUEST_ERRORS] = errors_step,
	[REQUEST_TOPICS] = topics_step,
	[REQUEST_ALARM_ACT] = alarm_act_step,
	[REQUEST_ALARM_INIT] = alarm_init_step,
	[REQUEST_ALARM_EXPORT] = alarm_code_step,
	[REQUEST_ALARM_PLAN] = alarm_code_step,
	[REQUEST_ALARM_APPLY] = alarm_apply_step,
	[REQUEST_SHARDS] = shards_step,
	[REQUEST_FIRST] = first_task_step,
	[REQUEST_NOTE] = note_step,
	[REQUEST_PAST] = past_step,
	[REQUEST_EVENTS] = events_step,
};

static void drained_abandon(struct task *t);

/* What a request holds beside its result, done or not, is freed here; a kind without a row holds nothing. */
static void (*const abandons[])(struct task *) = {
	[REQUEST_HISTORY] = history_abandon, /* one a line */
	[REQUEST_PUT_METRIC] = put_metric_abandon, [REQUEST_MUTE] = mute_abandon,
	[REQUEST_PUBLISH] = telling_abandon,       [REQUEST_NOTIFY] = telling_abandon,
	[REQUEST_REPLAY_PLAN] = drained_abandon,   [REQUEST_REPLAY_START] = drained_abandon,
	[REQUEST_REPLAY_RESUME] = drained_abandon, [REQUEST_REPLAY_BUY_TIME] = replay_buy_abandon,
	[REQUEST_TOPICS] = topics_abandon,         [REQUEST_ALARM_ACT] = alarm_act_abandon,
	[REQUEST_ALARM_INIT] = alarm_init_abandon, [REQUEST_ALARM_EXPORT] = alarm_code_abandon,
	[REQUEST_ALARM_PLAN] = alarm_code_abandon, [REQUEST_ALARM_APPLY] = alarm_code_abandon,
	[REQUEST_ALARM] = alarm_abandon,           [REQUEST_ERRORS] = errors_abandon,
	[REQUEST_SHARDS] = shards_abandon,
};

static char *copy(struct arena *a, const char *s)
{
	return arena_strdup(a, s);
}

static void own_check(struct arena *a, struct check_request *c)
{
	struct check_metric *metrics = arena_array(a, c->nmetrics, sizeof *metrics);
	const char **select = arena_array(a, c->nselect, sizeof *select);
	for (unsigned i = 0; i < c->nmetrics; i++)
		metrics[i] = (struct check_metric){ copy(a, c->metrics[i].metric), copy(a, c->metrics[i].warning),
			                                copy(a, c->metrics[i].critical) };
	for (unsigned i = 0; i < c->nselect; i++)
		select[i] = copy(a, c->select[i]);
	c->metrics = metrics;
	c->select = select;
	c->no_data = copy(a, c->no_data);
}

static void own_act(struct arena *a, struct request *rq)
{
	rq->consent.typed = copy(a, rq->consent.typed);
	rq->consent.account = copy(a, rq->consent.account);
	if (rq->kind == REQUEST_PUT_RECORDS) { /* its text stays the caller's */
		rq->put_records.stream = copy(a, rq->put_records.stream);
		rq->put_records.key = copy(a, rq->put_records.key);
	} else if (rq->kind == REQUEST_PROCESS) {
		rq->process.function = copy(a, rq->process.function);
		rq->process.bucket = copy(a, rq->process.bucket);
		rq->process.key = copy(a, rq->process.key);
	} else if (rq->kind == REQUEST_ALARM_ACT) {
		rq->alarm_act.name = copy(a, rq->alarm_act.name);
		rq->alarm_act.state = copy(a, rq->alarm_act.state);
		rq->alarm_act.reason = copy(a, rq->alarm_act.reason);
	} else if (rq->kind == REQUEST_TOPICS) {
		const char **texts[] = { &rq->topics.topic,   &rq->topics.protocol,     &rq->topics.endpoint,
			                     &rq->topics.filter,  &rq->topics.dead_letters, &rq->topics.subscription,
			                     &rq->topics.subject, &rq->topics.message };
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
			*texts[i] = copy(a, *texts[i]);
	} else if (rq->kind == REQUEST_MUTE) {
		rq->mute.alarm = copy(a, rq->mute.alarm);
		rq->mute.reason = copy(a, rq->mute.reason);
	} else if (rq->kind == REQUEST_PUBLISH) {
		rq->publish.ns = copy(a, rq->publish.ns);
	} else if (rq->kind == REQUEST_NOTIFY) {
		rq->notify =
		    (struct notify_request){ copy(a, rq->notify.topic), copy(a, rq->notify.subject),
			                         copy(a, rq->notify.message), copy(a, rq->notify.key), copy(a, rq->notify.state) };
	} else if (rq->kind == REQUEST_PUT_METRIC) {
		struct put_metric_request *p = &rq->put_metric;
		const char **dims = arena_array(a, p->ndims, sizeof *dims);
		for (unsigned i = 0; i < p->ndims; i++)
			dims[i] = copy(a, p->dims[i]);
		p->ns = copy(a, p->ns);
		p->name = copy(a, p->name);
		p->value = copy(a, p->value);
		p->unit = copy(a, p->unit);
		p->dims = dims;
	}
}

static bool is_replay(enum request_kind k)
{
	return k >= REQUEST_REPLAY_PLAN && k <= REQUEST_REPLAY_LIST;
}

static bool is_alarm_code(enum request_kind k)
{
	return k >= REQUEST_ALARM_INIT && k <= REQUEST_ALARM_APPLY;
}

static void own_alarm_code(struct arena *a, struct alarm_code_request *c)
{
	const char **names = arena_array(a, c->nnames, sizeof *names);
	for (unsigned i = 0; i < c->nnames; i++)
		names[i] = copy(a, c->names[i]);
	c->names = names;
	c->file = copy(a, c->file);
}

static void own_replay(struct arena *a, struct replay_request *r)
{
	r->source = copy(a, r->source);
	r->run = copy(a, r->run);
	r->through = copy(a, r->through);
	r->to = copy(a, r->to);
	r->where = copy(a, r->where);
	r->word = copy(a, r->word);
	r->file = copy(a, r->file);
	r->item = copy(a, r->item);
	if (r->keys.p)
		r->keys.p = arena_strndup(a, r->keys.p, r->keys.n);
}

/* The caller's strings may be gone when the engine's thread looks at them. */
static void own_strings(struct task *t)
{
	struct arena *a = &t->mem;
	if (t->rq.kind == REQUEST_HISTORY) {
		t->rq.history.resource = copy(a, t->rq.history.resource);
		t->rq.history.metric = copy(a, t->rq.history.metric);
	}
	if (t->rq.kind == REQUEST_DISCOVER) {
		t->rq.discover.stack = copy(a, t->rq.discover.stack);
		t->rq.discover.tag = copy(a, t->rq.discover.tag);
	}
	if (t->rq.kind == REQUEST_FIRST)
		t->rq.first.text = copy(a, t->rq.first.text);
	if (t->rq.kind == REQUEST_ERRORS)
		t->rq.errors.function = copy(a, t->rq.errors.function);
	if (t->rq.kind == REQUEST_ALARM)
		t->rq.alarm.name = copy(a, t->rq.alarm.name);
	if (is_alarm_code(t->rq.kind))
		own_alarm_code(a, &t->rq.alarm_code);
	if (t->rq.kind == REQUEST_NOTE)
		t->rq.note.text = copy(a, t->rq.note.text);
	if (t->rq.kind == REQUEST_CHECK)
		own_check(a, &t->rq.check);
	if (is_replay(t->rq.kind))
		own_replay(a, &t->rq.replay);
	if (t->rq.kind == REQUEST_AUDIT)
		t->rq.audit.run = copy(a, t->rq.audit.run);
	own_act(a, &t->rq);
}

struct task *task_new(const struct request *rq, uint64_t id)
{
	struct task *t = xcalloc(1, sizeof *t);
	arena_init(&t->mem);
	t->rq = *rq;
	own_strings(t);
	t->result = xcalloc(1, sizeof *t->result);
	t->result->kind = rq->kind;
	t->result->id = id;
	return t;
}

static void drained_abandon(struct task *t)
{
	if (task_drains(t))
		replay_abandon(t);
}

void task_free(struct task *t)
{
	size_t kind = (size_t)t->rq.kind;
	if (kind < sizeof abandons / sizeof *abandons && abandons[kind])
		abandons[kind](t);
	result_free(t->result);
	arena_clear(&t->mem);
	free(t);
}

/* What was allowed for one account does nothing in another, nor where it is not known which one it is. */
static bool elsewhere(const struct engine *g, struct task *t)
{
	const char *meant = t->rq.consent.account, *is = g->target.account;
	if (t->work || !meant || strcmp(meant, is) == 0)
		return false;
	t->done = !err_set(&t->result->err, ERR_GATE, "account", "refused: it was allowed for account %s, this is %s",
	                   meant, is[0] ? is : "not known");
	return true;
}

void task_run(struct engine *g, struct task *t)
{
	if (!t->done && g->rounds_done >= t->waits_for && !elsewhere(g, t))
		steps[t->rq.kind](g, t);
}

void task_need(struct engine *g, struct task *t, unsigned needs)
{
	struct round *r = &g->round;
	if (r->active && (r->needs & needs) == needs) {
		t->waits_for = r->number;
		return;
	}
	g->wanted |= needs;
	t->waits_for = (r->active ? r->number : g->rounds_done) + 1;
}

bool task_tells_itself(const struct task *t)
{
	return t->rq.kind == REQUEST_CHECK || t->rq.kind == REQUEST_PUT_RECORDS || task_drains(t);
}

bool task_drains(const struct task *t)
{
	return t->rq.kind == REQUEST_ALARM_APPLY ||
	       (t->rq.kind >= REQUEST_REPLAY_PLAN && t->rq.kind <= REQUEST_REPLAY_RESUME);
}

static void code_step(struct engine *g, struct task *t)
{
	cred_code(g->cred, t->rq.code.code);
	hash_wipe(&t->rq.code, sizeof t->rq.code);
	t->done = true;
}

void status_step(struct engine *g, struct task *t)
{
	if (g->account_err.code != ERR_OK) {
		t->result->err = g->account_err;
		t->done = true;
		return;
	}
	if (t->state++ == 0) {
		task_need(g, t, NEED_ALL | NEED_CHANGES);
		return;
	}
	t->result->status = snap_build(g);
	t->done = true;
}

static void check_result_clear(struct check_result *c)
{
	struct verdicts vs = { .v = c->verdicts, .n = c->n, .cap = c->n };
	verdicts_clear(&vs);
	for (unsigned i = 0; i < c->ncauses; i++)
		free(c->causes[i].text);
	free(c->causes);
}

void result_free(struct result *r)
{
	if (!r)
		return;
	switch (r->kind) {
	case REQUEST_ALARMS:
	case REQUEST_STATUS: snapshot_free(r->status); break;
	case REQUEST_HISTORY:
		free(r->history.metric);
		free(r->history.v);
		free(r->history.held);
		free(r->history.parts);
		free(r->history.hint);
		free(r->history.note);
		free((char *)r->history.info.key);
		break;
	case REQUEST_PAST: snapshot_free(r->past); break;
	case REQUEST_EVENTS:
		arena_clear(&r->events.mem);
		free(r->events.v);
		break;
	case REQUEST_NOTE:
	case REQUEST_FIRST:
	case REQUEST_CODE: break;
	case REQUEST_ERRORS: arena_clear(&r->errors.mem); break;
	case REQUEST_TOPICS: arena_clear(&r->topics.mem); break;
	case REQUEST_ALARM_INIT:
	case REQUEST_ALARM_EXPORT:
	case REQUEST_ALARM_PLAN:
	case REQUEST_ALARM_APPLY: arena_clear(&r->alarm_code.mem); break;
	case REQUEST_ALARM: arena_clear(&r->alarm.mem); break;
	case REQUEST_SHARDS: arena_clear(&r->shards.mem); break;
	case REQUEST_PUT_RECORDS:
		arena_clear(&r->put_records.mem);
		free(r->put_records.items);
		break;
	case REQUEST_PROCESS:
	case REQUEST_PUBLISH:
	case REQUEST_NOTIFY:
	case REQUEST_ALARM_ACT:
	case REQUEST_MUTE:
	case REQUEST_PUT_METRIC: act_result_clear(&r->act); break;
	case REQUEST_DISCOVER: discover_result_clear(&r->discover); break;
	case REQUEST_REPLAY_PLAN:
	case REQUEST_REPLAY_START:
	case REQUEST_REPLAY_RESUME:
	case REQUEST_REPLAY_STEER:
	case REQUEST_REPLAY_SHOW:
	case REQUEST_REPLAY_EXPORT:
	case REQUEST_REPLAY_ADOPT:
	case REQUEST_REPLAY_ITEM:
	case REQUEST_REPLAY_BUY_TIME:
	case REQUEST_REPLAY_LIST: arena_clear(&r->replay.mem); break;
	case REQUEST_AUDIT: arena_clear(&r->audit.mem); break;
	case REQUEST_IAM: iam_result_clear(&r->iam); break;
	case REQUEST_CHECK: check_result_clear(&r->check); break;
	case REQUEST_DOCTOR:
		for (unsigned i = 0; i < r->doctor.n; i++) {
			free(r->doctor.findings[i].name);
			free(r->doctor.findings[i].value);
			free(r->doctor.findings[i].source);
		}
		free(r->doctor.findings);
		break;
	}
	free(r->question);
	free(r->name);
	free(r);
}
