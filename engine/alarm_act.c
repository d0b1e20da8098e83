/* REQUEST_ALARM_ACT: one thing done to one alarm: its actions on or off, its state set, the alarm deleted. It is read first: what is not there is
 * an error (EnableAlarmActions would say nothing), and whoever keeps it is named in the question. What was switched is read back. */
#include "alarms/plan.h"
#include "aws/op_alarm_write.h"
#include "core/mem.h"
#include "engine/alarm_requests.h"
#include "engine/audited.h"

#include <stdlib.h>
#include <string.h>

enum act_stage { LOOK, TAGS, SEND, READ };

struct act {
	enum act_stage stage;
	struct permit permit;
	bool flying;
	struct err err;
	struct describe_alarms_in in;
	struct describe_alarms_out out;
	struct alarm_tags_in tags_in;
	struct alarm_tags_out tags_out;
	struct alarm_act_in act_in;
	struct alarm_write_out done;
};

static const struct {
	const struct op *op;
	const char *words;
} acts[] = {
	[ALARM_ACT_ENABLE] = { &op_enable_alarm, "switch on the actions of alarm" },
	[ALARM_ACT_DISABLE] = { &op_disable_alarm, "switch off the actions of alarm" },
	[ALARM_ACT_SET_STATE] = { &op_set_alarm_state, "set the state of alarm" },
	[ALARM_ACT_DELETE] = { &op_delete_alarm, "delete alarm" },
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct act *a = ctx;
	a->err = *e;
	a->flying = false;
}

static void read_alarm(struct engine *g, const struct task *t, struct act *a)
{
	describe_alarms_out_clear(&a->out);
	a->in = (struct describe_alarms_in){ .no_logs = g->no_log_alarms, .name = t->rq.alarm_act.name };
	a->flying = true;
	aws_call_as(g->aws, CALL_ACT, &op_describe_alarms, &a->in, &a->out, on_done, a);
}

static const struct alarm *alarm_read(const struct act *a, const char *name)
{
	for (unsigned i = 0; i < a->out.n; i++)
		if (strcmp(a->out.alarms[i].name, name) == 0)
			return &a->out.alarms[i];
	return NULL;
}

/* ---- what is asked */

static const char *keeper(const struct act *a)
{
	if (a->err.code != ERR_OK)
		return "; who keeps it is not known";
	switch (a->tags_out.manager) {
	case ALARM_MANAGER_CLOUDFORMATION: return "; CloudFormation keeps it and will put it back";
	case ALARM_MANAGER_TERRAFORM: return "; Terraform keeps it and will put it back";
	default: return "";
	}
}

static void say(const struct alarm_act_request *rq, const struct act *a, struct result *r)
{
	bool state = rq->what == ALARM_ACT_SET_STATE;
	r->act.what = xasprintf("%s %s%s%s%s", acts[rq->what].words, rq->name, state ? " to " : "", state ? rq->state : "",
	                        keeper(a));
}

static bool valid(const struct alarm_act_request *rq, struct err *e)
{
	size_t n = 0;
	for (const char *p = rq->reason; p && *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	if (rq->what != ALARM_ACT_SET_STATE)
		return true;
	if (!rq->state || alarm_state_parse(rq->state) == ALARM_STATE_UNKNOWN)
		return err_set(e, ERR_USAGE, "STATE", "OK, ALARM or INSUFFICIENT_DATA, not '%.40s'",
		               rq->state ? rq->state : "");
	return (n >= 1 && n <= 1023) || err_set(e, ERR_USAGE, "REASON", "1 to 1023 characters");
}

/* ---- the steps */

static bool begin(struct engine *g, struct task *t)
{
	struct act *a = t->work = xcalloc(1, sizeof *a);
	struct err *e = &t->result->err;
	a->tags_out.whole = true;
	if (!valid(&t->rq.alarm_act, e))
		return false;
	if (g->closing || g->account_err.code != ERR_OK || !engine_connect(g)) {
		*e = g->account_err;
		return false;
	}
	read_alarm(g, t, a);
	return true;
}

/* False: it ends here. */
static bool looked(struct engine *g, struct task *t, struct act *a)
{
	struct err *e = &t->result->err;
	const struct alarm *found = alarm_read(a, t->rq.alarm_act.name);
	if (a->err.code == ERR_REFUSED && !a->in.no_logs) { /* it does not know the type LogAlarm */
		g->no_log_alarms = true;
		read_alarm(g, t, a);
		return true;
	}
	if (a->err.code != ERR_OK) {
		*e = a->err;
		return false;
	}
	if (!found)
		return err_set(e, ERR_NOTFOUND, t->rq.alarm_act.name, "there is no alarm of this name");
	a->stage = TAGS;
	a->tags_in.arn = found->arn ? found->arn : "";
	a->flying = true;
	aws_call_as(g->aws, CALL_ACT, &op_list_alarm_tags, &a->tags_in, &a->tags_out, on_done, a);
	return true;
}

static bool send(struct engine *g, struct task *t, struct act *a)
{
	const struct alarm_act_request *rq = &t->rq.alarm_act;
	struct result *r = t->result;
	say(rq, a, r);
	struct gate_act wish = { .needs = MODE_ADMIN, .op = acts[rq->what].op, .what = r->act.what };
	if (t->rq.dry_run || !audited_gate(g, &t->rq.consent, &wish, &a->permit, r) ||
	    !audited(g, t->rq.consent.mode, wish.op, rq->name, "announced", r->act.what, &r->err))
		return false;
	a->act_in = (struct alarm_act_in){ rq->name, rq->state, rq->reason };
	a->stage = SEND;
	a->flying = true;
	aws_call_permitted(g->aws, &a->permit, CALL_ACT, wish.op, &a->act_in, &a->done, on_done, a);
	return true;
}

static bool sent(struct engine *g, struct task *t, struct act *a)
{
	memcpy(t->result->act.request_id, a->done.request_id, sizeof a->done.request_id);
	if (a->err.code != ERR_OK) {
		t->result->err = a->err;
		return false;
	}
	if (t->rq.alarm_act.what == ALARM_ACT_SET_STATE) /* the next evaluation may have taken it back already */
		return false;
	a->stage = READ;
	read_alarm(g, t, a);
	return true;
}

static void read_back(struct task *t, struct act *a)
{
	const struct alarm *now = alarm_read(a, t->rq.alarm_act.name);
	struct err *e = &t->result->err;
	enum alarm_act_what what = t->rq.alarm_act.what;
	bool good = what == ALARM_ACT_DELETE ? !now : now && now->actions_enabled == (what == ALARM_ACT_ENABLE);
	if (a->err.code != ERR_OK)
		*e = a->err;
	else if (!good)
		err_set(e, ERR_CONFLICT, t->rq.alarm_act.name, "it was sent and taken, but read back it is not so");
}

void alarm_act_step(struct engine *g, struct task *t)
{
	if (t->state++ == 0) {
		t->done = !begin(g, t);
		return;
	}
	struct act *a = t->work;
	if (a->flying)
		return;
	switch (a->stage) {
	case LOOK: t->done = !looked(g, t, a); break;
	case TAGS: t->done = !send(g, t, a); break;
	case SEND: t->done = !sent(g, t, a); break;
	default:
		read_back(t, a);
		t->done = true;
		break;
	}
}

void alarm_act_abandon(struct task *t)
{
	struct act *a = t->work;
	if (!a)
		return;
	describe_alarms_out_clear(&a->out);
	alarm_tags_out_clear(&a->tags_out);
	free(a->in.page.token);
	free(a);
}
