/* REQUEST_ALARM_APPLY: a plan that was made and shown comes true, one alarm after the other, children before their composites. Each is read
 * again before it is touched (there is no compare-and-set: one that somebody changed since the plan is left alone), each call is announced
 * in the audit log before it goes, and what was written is read back and compared. What is refused for itself does not stop the
 * others; what would stop any of them (no right, throttled, no connection) ends the apply, which says how far it came: done
 * again, it finishes. */
#include "aws/op_alarm_write.h"
#include "core/mem.h"
#include "engine/alarm_code.h"
#include "engine/audited.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS 5
#define LOOKS 4 /* at what was written, until it is what it should be */
#define LOOK_AGAIN_MS 700

enum apply_stage { LOOK, TAG, PUT, UNTAG, READ, READ_TAGS, NEXT };

struct apply {
	struct alarm_code *code;
	struct permit permits[OPS];
	unsigned npermits;
	unsigned at; /* step */
	enum apply_stage stage;
	bool flying, answered, written; /* written: of this alarm something was sent */
	unsigned looks;
	struct err err;
	struct describe_alarms_in in;
	struct describe_alarms_out out;
	struct alarm_tags_in tags_in;
	struct alarm_tags_out tags_out;
	struct put_alarm_in put;
	struct alarm_tag_in tag;
	struct alarm_write_out done;
};

static const struct op *put_op(const struct plan_act *a)
{
	return a->wish->kind == FORM_COMPOSITE ? &op_put_composite_alarm
	       : a->wish->kind == FORM_LOG     ? &op_put_log_alarm
	                                       : &op_put_metric_alarm;
}

/* ---- the gate: one permit an operation that the plan needs */

static void need(const struct op **ops, unsigned *n, const struct op *op)
{
	for (unsigned i = 0; i < *n; i++)
		if (ops[i] == op)
			return;
	ops[(*n)++] = op;
}

static unsigned needed(const struct alarm_code *c, const struct op *ops[OPS])
{
	unsigned n = 0;
	for (unsigned i = 0; i < c->plan.n; i++) {
		const struct plan_act *a = &c->acts[i];
		enum plan_what what = c->plan.steps[i].what;
		if (what != PLAN_CREATE && what != PLAN_CHANGE)
			continue;
		if (a->body)
			need(ops, &n, put_op(a));
		if (a->live && a->ntags)
			need(ops, &n, &op_tag_alarm);
		if (a->nuntag)
			need(ops, &n, &op_untag_alarm);
	}
	return n;
}

static bool gated(struct engine *g, struct task *t, struct apply *p)
{
	const struct op *ops[OPS];
	const struct alarm_plan *plan = &p->code->plan;
	unsigned n = needed(p->code, ops);
	char *what =
	    xasprintf("write %u alarms (%u new, %u changed)", plan->create + plan->change, plan->create, plan->change);
	bool ok = true;
	for (p->npermits = 0; ok && p->npermits < n; p->npermits++) {
		struct gate_act wish = { .needs = MODE_ADMIN, .op = ops[p->npermits], .what = what };
		ok = audited_gate(g, &t->rq.consent, &wish, &p->permits[p->npermits], t->result);
	}
	free(what);
	return ok;
}

static const struct permit *permit_of(const struct apply *p, const struct op *op)
{
	for (unsigned i = 0; i < p->npermits; i++)
		if (p->permits[i].op == op)
			return &p->permits[i];
	return NULL;
}

/* ---- calls */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct apply *p = ctx;
	p->err = *e;
	p->flying = false;
	p->answered = true;
}

static struct plan_step *step_of(const struct apply *p)
{
	return &p->code->plan.steps[p->at];
}

static const struct plan_act *act_of(const struct apply *p)
{
	return &p->code->acts[p->at];
}

static void read_alarm(struct engine *g, struct apply *p)
{
	describe_alarms_out_clear(&p->out);
	p->out.whole = true;
	p->in = (struct describe_alarms_in){ .no_logs = g->no_log_alarms, .name = step_of(p)->name };
	p->flying = true;
	aws_call_as(g->aws, CALL_ACT, &op_describe_alarms, &p->in, &p->out, on_done, p);
}

static const struct json *alarm_read(const struct apply *p)
{
	static const char *const lists[] = { "MetricAlarms", "CompositeAlarms", "LogAlarms" };
	for (unsigned d = 0; d < p->out.ndocs; d++)
		for (unsigned l = 0; l < 3; l++)
			for (const struct json *a = json_first(json_get(p->out.docs[d], lists[l])); a; a = json_next(a))
				if (strcmp(json_get_str(a, "AlarmName"), step_of(p)->name) == 0)
					return a;
	return NULL;
}

static void read_tags(struct engine *g, struct apply *p, const char *arn)
{
	alarm_tags_out_clear(&p->tags_out);
	p->tags_out.whole = true;
	p->tags_in.arn = arn;
	p->flying = true;
	aws_call_as(g->aws, CALL_ACT, &op_list_alarm_tags, &p->tags_in, &p->tags_out, on_done, p);
}

/* False: it could not be announced, and is not sent. */
static bool write_call(struct engine *g, struct task *t, struct apply *p, const struct op *op, void *in)
{
	struct err e = { 0 };
	const char *name = step_of(p)->name;
	if (!audited(g, t->rq.consent.mode, op, name, "announced", act_of(p)->live ? "apply: change" : "apply: create",
	             &e)) {
		t->result->err = e;
		return false;
	}
	p->written = true;
	p->flying = true;
	aws_call_permitted(g->aws, permit_of(p, op), CALL_ACT, op, in, &p->done, on_done, p);
	return true;
}

static bool send_tags(struct engine *g, struct task *t, struct apply *p)
{
	const struct plan_act *a = act_of(p);
	const char **words = arena_array(&p->code->mem, 2u * a->ntags, sizeof *words);
	for (unsigned i = 0; i < a->ntags; i++) {
		words[2 * i] = a->tags[i].key;
		words[2 * i + 1] = a->tags[i].value;
	}
	p->tag = (struct alarm_tag_in){ a->live->arn, words, 2 * a->ntags };
	return write_call(g, t, p, &op_tag_alarm, &p->tag);
}

static bool send_untag(struct engine *g, struct task *t, struct apply *p)
{
	const struct plan_act *a = act_of(p);
	p->tag = (struct alarm_tag_in){ a->live->arn, a->untag, a->nuntag };
	return write_call(g, t, p, &op_untag_alarm, &p->tag);
}

static bool send_put(struct engine *g, struct task *t, struct apply *p)
{
	p->put.body = act_of(p)->body;
	return write_call(g, t, p, put_op(act_of(p)), &p->put);
}

/* ---- outcomes */

static void end_step(struct engine *g, struct task *t, struct apply *p, enum plan_outcome outcome, const char *why)
{
	static const char *const words[] = { "denied", "success", "failure", "unknown" };
	struct plan_step *s = step_of(p);
	struct alarm_plan *plan = &p->code->plan;
	struct err ignored;
	s->outcome = outcome;
	s->why = why ? arena_strdup(&p->code->mem, why) : s->why;
	plan->applied += outcome == PLAN_APPLIED;
	plan->failed += outcome == PLAN_FAILED;
	plan->unknown += outcome == PLAN_UNKNOWN;
	if (p->written)
		audited(g, t->rq.consent.mode, put_op(act_of(p)), s->name, words[outcome], why, &ignored);
	p->stage = NEXT;
}

/* Would the next alarm fare the same? */
static bool stops_all(const struct err *e)
{
	return e->code != ERR_REFUSED && e->code != ERR_CONFLICT && e->code != ERR_NOTFOUND && e->code != ERR_LIMIT;
}

static void call_failed(struct engine *g, struct task *t, struct apply *p)
{
	bool reading = p->stage == READ || p->stage == READ_TAGS;
	const char *why = alarm_code_why(&p->code->mem, &p->err);
	if (reading)
		end_step(g, t, p, PLAN_UNKNOWN, arena_printf(&p->code->mem, "written, but not read back: %s", why));
	else
		end_step(g, t, p, p->err.in_doubt && p->written ? PLAN_UNKNOWN : PLAN_FAILED, why);
	if (stops_all(&p->err))
		t->result->err = p->err;
}

/* ---- one alarm */

static bool put_wrong(const struct apply *p, const char **why)
{
	return !plan_came_true(&p->code->mem, act_of(p), alarm_read(p), why);
}

static const char *tag_read(const struct alarm_tags_out *o, const char *key)
{
	for (unsigned i = 0; i + 1 < o->npairs; i += 2)
		if (strcmp(o->pairs[i], key) == 0)
			return o->pairs[i + 1];
	return NULL;
}

static bool tags_wrong(const struct apply *p, const char **why)
{
	const struct plan_act *a = act_of(p);
	*why = NULL;
	for (unsigned i = 0; i < a->ntags && !*why; i++) {
		const char *is = tag_read(&p->tags_out, a->tags[i].key);
		if (!is || strcmp(is, a->tags[i].value) != 0)
			*why = arena_printf(&p->code->mem, "its tag %s is not what was written", a->tags[i].key);
	}
	for (unsigned i = 0; i < a->nuntag && !*why; i++)
		if (tag_read(&p->tags_out, a->untag[i]))
			*why = arena_printf(&p->code->mem, "its tag %s is still there", a->untag[i]);
	return *why != NULL;
}

/* The newest word may be some hundred milliseconds behind what was written. */
static bool look_again(struct task *t, struct apply *p)
{
	if (++p->looks >= LOOKS)
		return false;
	t->wake_ms = clock_mono_ms() + LOOK_AGAIN_MS;
	return true;
}

/* Another stage to go through, or not: what it has nothing to do for is passed over. */
static enum apply_stage after(const struct plan_act *a, enum apply_stage s)
{
	if (s == LOOK && (!a->live || !a->ntags))
		s = TAG;
	if (s == TAG && !a->body)
		s = PUT;
	if (s == PUT && !a->nuntag)
		s = UNTAG;
	if (s == READ && !a->ntags && !a->nuntag)
		s = READ_TAGS;
	return s + 1;
}

static void took_look(struct engine *g, struct task *t, struct apply *p)
{
	const struct json *now = alarm_read(p);
	if (plan_untouched(&p->code->mem, act_of(p), now))
		p->stage = after(act_of(p), LOOK);
	else
		end_step(g, t, p, PLAN_FAILED,
		         !act_of(p)->live ? "refused: somebody has made it since the plan"
		         : now            ? "refused: somebody has changed it since the plan"
		                          : "refused: somebody has deleted it since the plan");
}

static void took(struct engine *g, struct task *t, struct apply *p)
{
	const char *why = NULL;
	bool reading = p->stage == READ || p->stage == READ_TAGS;
	if (p->err.code != ERR_OK) {
		call_failed(g, t, p);
	} else if (p->stage == LOOK) {
		took_look(g, t, p);
	} else if (reading && (p->stage == READ ? put_wrong : tags_wrong)(p, &why)) {
		if (!look_again(t, p))
			end_step(g, t, p, PLAN_FAILED, arena_printf(&p->code->mem, "written, but read back %s", why));
	} else {
		p->looks = 0;
		p->stage = after(act_of(p), p->stage);
		if (reading && p->stage == NEXT)
			end_step(g, t, p, PLAN_APPLIED, NULL);
	}
}

static bool send(struct engine *g, struct task *t, struct apply *p)
{
	const struct json *now = NULL;
	switch (p->stage) {
	case LOOK:
	case READ: read_alarm(g, p); break;
	case TAG: return send_tags(g, t, p);
	case PUT: return send_put(g, t, p);
	case UNTAG: return send_untag(g, t, p);
	default:
		now = alarm_read(p);
		read_tags(g, p, json_get_str(now, "AlarmArn"));
		break;
	}
	return true;
}

/* ---- the steps */

static bool begin(struct engine *g, struct task *t)
{
	struct apply *p = t->work = arena_alloc(&t->mem, sizeof *p);
	struct err *e = &t->result->err;
	p->code = g->alarm_code;
	p->stage = NEXT;
	if (!p->code || p->code->id != t->rq.alarm_code.plan || p->code->drift)
		return err_set(e, ERR_USAGE, "alarms apply", "there is no such plan");
	if (p->code->plan.applied + p->code->plan.failed + p->code->plan.unknown)
		return err_set(e, ERR_USAGE, "alarms apply", "this plan was applied already");
	if (t->rq.dry_run || p->code->plan.create + p->code->plan.change == 0 || !gated(g, t, p))
		return false;
	if (g->closing || g->account_err.code != ERR_OK || !engine_connect(g)) {
		*e = g->account_err;
		return false;
	}
	p->at = UINT32_MAX;
	return true;
}

/* False: there is none left, or none is to be begun. */
static bool next(const struct task *t, struct apply *p)
{
	if (t->result->err.code != ERR_OK || t->ending)
		return false;
	do {
		p->at++;
	} while (p->at < p->code->plan.n && step_of(p)->what != PLAN_CREATE && step_of(p)->what != PLAN_CHANGE);
	p->stage = LOOK;
	p->written = false;
	p->looks = 0;
	return p->at < p->code->plan.n;
}

static void end(struct task *t, struct apply *p)
{
	struct alarm_code_result *r = &t->result->alarm_code;
	describe_alarms_out_clear(&p->out);
	alarm_tags_out_clear(&p->tags_out);
	alarm_code_give(p->code, r);
	if (t->ending && t->result->err.code == ERR_OK && r->plan.applied < r->plan.create + r->plan.change)
		err_set(&t->result->err, ERR_CANCELLED, "alarms apply", "ended before all of it was written");
	t->done = true;
}

void alarm_apply_step(struct engine *g, struct task *t)
{
	if (t->state++ == 0 && !begin(g, t)) {
		struct apply *p = t->work;
		if (p->code && t->result->err.code == ERR_OK)
			end(t, p);
		t->done = true;
		return;
	}
	struct apply *p = t->work;
	if (p->flying || clock_mono_ms() < t->wake_ms)
		return;
	t->wake_ms = 0;
	if (p->answered) {
		p->answered = false;
		took(g, t, p);
		if (t->wake_ms)
			return;
	}
	if (p->stage == NEXT && !next(t, p)) {
		end(t, p);
		return;
	}
	if (!send(g, t, p)) /* what is not announced is not done, and nothing else is either */
		end_step(g, t, p, PLAN_FAILED, "it could not be announced in the audit log");
}
