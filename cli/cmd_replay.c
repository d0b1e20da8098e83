/* replay: groups, plan, start, resume, status, show, list, pause, stop, verify. What a run did is told from the engine's result, whoever asked. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum action {
	ACT_GROUPS,
	ACT_PLAN,
	ACT_START,
	ACT_RESUME,
	ACT_STATUS,
	ACT_SHOW,
	ACT_LIST,
	ACT_PAUSE,
	ACT_STOP,
	ACT_VERIFY,
	ACTIONS_COUNT
};
static const struct {
	const char *name;
	enum request_kind kind;
	bool source; /* its operand is a SOURCE, and must be there; else a RUN, which may be left out */
} actions[ACTIONS_COUNT] = {
	[ACT_GROUPS] = { "groups", REQUEST_REPLAY_PLAN, true },  [ACT_PLAN] = { "plan", REQUEST_REPLAY_PLAN, true },
	[ACT_START] = { "start", REQUEST_REPLAY_START, true },   [ACT_RESUME] = { "resume", REQUEST_REPLAY_RESUME, false },
	[ACT_STATUS] = { "status", REQUEST_REPLAY_SHOW, false }, [ACT_SHOW] = { "show", REQUEST_REPLAY_SHOW, false },
	[ACT_LIST] = { "list", REQUEST_REPLAY_LIST, false },     [ACT_PAUSE] = { "pause", REQUEST_REPLAY_STEER, false },
	[ACT_STOP] = { "stop", REQUEST_REPLAY_STEER, false },    [ACT_VERIFY] = { "verify", REQUEST_REPLAY_SHOW, false },
};

static bool is_jsonl(const struct cli *c)
{
	return c->format && strcmp(c->format, "jsonl") == 0;
}

static bool machine(const struct cli *c)
{
	return cli_is_json(c) || is_jsonl(c);
}

/* ---- JSON */

static void json_ms(struct json_out *j, const char *key, int64_t ms)
{
	json_out_time(j, key, ms / 1000);
}

static void json_run(struct json_out *j, const struct replay_run *r)
{
	json_out_str(j, "run", r->id);
	json_out_str(j, "state", run_state_name(r->state));
	json_out_str(j, "reason", r->reason);
	json_out_str(j, "source", r->source);
	json_out_str(j, "source_arn", r->source_arn);
	json_out_str(j, "mode", replay_mode_name(r->mode));
	json_out_str(j, "destination", r->dest);
	json_out_str(j, "account", r->account);
	json_out_str(j, "region", r->region);
	json_out_str(j, "where", r->where);
	json_out_str(j, "manifest_sha256", r->manifest[0] ? r->manifest : NULL);
	json_out_num(j, "rate_per_second", r->rate);
	json_out_num(j, "tolerance", r->tolerance);
	json_out_int(j, "batch", r->batch);
	json_out_int(j, "limit", r->limit);
	json_out_int(j, "lease_seconds", r->lease_s);
	json_out_int(j, "verify_seconds", r->verify_s);
	json_out_bool(j, "confirmed", r->confirmed);
	json_out_int(j, "expected", r->expected);
	json_out_str(j, "unknown_policy", replay_unknown_name(r->unknown));
	json_out_str(j, "by", r->by);
	json_out_str(j, "host", r->host);
	json_ms(j, "created", r->created_ms);
	json_ms(j, "started", r->started_ms);
	json_ms(j, "ended", r->ended_ms);
}

static void json_counts(struct json_out *j, const struct replay_counts *c)
{
	json_out_int(j, "selected", c->selected);
	json_out_int(j, "verified", c->verified);
	json_out_int(j, "bounced", c->bounced);
	json_out_int(j, "poison", c->poison);
	json_out_int(j, "unknown", c->unknown);
	json_out_int(j, "gone", c->gone);
	json_out_int(j, "skipped", c->skipped);
	json_out_int(j, "duplicates", c->duplicates);
	json_out_int(j, "pending", c->pending);
	json_out_int(j, "unaccounted", c->unaccounted);
	json_out_object(j, "states");
	for (unsigned i = 0; i < ITEM_STATES; i++)
		if (c->by_state[i])
			json_out_int(j, item_state_name((enum item_state)i), c->by_state[i]);
	json_out_object_end(j);
}

static void json_item(struct json_out *j, const struct replay_item *it)
{
	json_out_object(j, NULL);
	json_out_int(j, "seq", it->seq);
	json_out_str(j, "message_id", it->msg_id);
	json_out_str(j, "state", item_state_name(it->state));
	json_out_bool(j, "possible_duplicate", it->resent);
	json_out_int(j, "replay_no", it->replay_no);
	json_out_int(j, "rejections", it->rejections);
	json_out_str(j, "code", it->code);
	json_out_str(j, "text", it->text);
	json_out_str(j, "group", it->fp);
	json_out_str(j, "message_group_id", it->group_id);
	json_out_str(j, "source_queue_arn", it->source_arn);
	json_out_str(j, "body_sha256", it->body_sha256);
	json_out_int(j, "bytes", it->bytes);
	json_out_str(j, "copy_message_id", it->out_id);
	json_out_str(j, "request_id", it->request_id);
	json_ms(j, "sent", it->sent_ms);
	json_ms(j, "intent", it->intent_ms);
	json_ms(j, "accepted", it->accepted_ms);
	json_ms(j, "removed", it->removed_ms);
	json_out_object_end(j);
}

static void json_groups(struct json_out *j, const struct replay_result *r)
{
	json_out_array(j, "groups");
	for (unsigned i = 0; i < r->ngroups; i++) {
		const struct replay_group *g = &r->groups[i];
		json_out_object(j, NULL);
		json_out_str(j, "group", g->fp);
		json_out_str(j, "cause", g->cause);
		json_out_int(j, "messages", g->n);
		json_out_int(j, "replayed_before", g->known);
		json_ms(j, "first_sent", g->first_ms);
		json_ms(j, "last_sent", g->last_ms);
		json_ms(j, "first_loss", g->loss_ms);
		json_out_str(j, "sample", g->sample);
		json_out_object_end(j);
	}
	json_out_array_end(j);
}

static void json_plan(struct json_out *j, const struct replay_result *r)
{
	json_out_bool(j, "dry_run", true);
	json_out_str(j, "source", r->run.source);
	json_out_str(j, "source_arn", r->queue_arn);
	json_out_str(j, "mode", replay_mode_name(r->run.mode));
	json_out_str(j, "destination", r->run.dest);
	json_out_int(j, "selected", r->nitems);
	json_out_num(j, "rate_per_second", r->run.rate);
	json_out_int(j, "batch", r->run.batch);
	json_out_bool(j, "partial_batch_responses", r->run.partial);
	json_out_int(j, "lease_seconds", r->run.lease_s);
	json_out_str(j, "unknown_policy", replay_unknown_name(r->run.unknown));
	json_out_num(j, "seconds", r->seconds);
	json_out_int(j, "in_flight", r->in_flight);
	json_out_int(j, "sweeps", r->sweeps);
	json_groups(j, r);
}

static void print_json(struct out *o, const struct replay_result *r, bool plan)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	if (plan) {
		json_plan(&j, r);
	} else {
		json_run(&j, &r->run);
		json_counts(&j, &r->counts);
		json_out_bool(&j, "driven", r->driven);
	}
	json_out_str(&j, "guard", r->guard);
	json_out_array(&j, "warnings");
	for (unsigned i = 0; i < r->nwarnings; i++)
		json_out_str(&j, NULL, r->warnings[i]);
	json_out_array_end(&j);
	json_out_array(&j, "items");
	for (unsigned i = 0; i < r->nitems; i++) {
		json_item(&j, &r->items[i]);
		out_own(o, ""); /* lets go of what is full */
	}
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void print_list_json(struct out *o, const struct replay_result *r)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_array(&j, "runs");
	for (unsigned i = 0; i < r->nruns; i++) {
		json_out_object(&j, NULL);
		json_run(&j, &r->runs[i]);
		json_out_object_end(&j);
	}
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

/* ---- text */

static void summary(struct out *o, const struct replay_result *r)
{
	const struct replay_counts *c = &r->counts;
	out_ownf(o, "%s\t%u selected: %u verified, %u bounced, %u poison, %u unknown (%s), %u gone, %u skipped",
	         run_state_name(r->run.state), c->selected, c->verified, c->bounced, c->poison, c->unknown,
	         r->run.unknown == UNKNOWN_HOLD ? "held" : "to be sent again", c->gone, c->skipped);
	if (c->pending)
		out_ownf(o, ", %u pending", c->pending);
	if (c->duplicates)
		out_ownf(o, "; %u possible duplicates", c->duplicates);
	out_ownf(o, "; %u unaccounted\n", c->unaccounted);
}

static void add_number(struct table *t, unsigned n)
{
	char text[16];
	snprintf(text, sizeof text, "%u", n);
	table_add(t, text);
}

static void print_items(struct out *o, const struct replay_result *r, bool all)
{
	struct table t;
	table_init(&t, 6, 1u << 1);
	for (unsigned i = 0; i < r->nitems; i++) {
		const struct replay_item *it = &r->items[i];
		if (!all && it->state == ITEM_VERIFIED && !it->resent)
			continue;
		table_add(&t, it->resent ? "item*" : "item");
		add_number(&t, it->seq);
		table_add(&t, it->msg_id);
		table_add(&t, item_state_name(it->state));
		table_add(&t, it->code ? it->code : "-");
		table_add(&t, it->text ? it->text : "-");
	}
	table_print(&t, o);
}

static void print_groups(struct out *o, const struct replay_result *r)
{
	struct table t;
	table_init(&t, 7, 1u << 2);
	for (unsigned i = 0; i < r->ngroups; i++) {
		const struct replay_group *g = &r->groups[i];
		char first[CLOCK_RFC3339_SIZE] = "-", loss[CLOCK_RFC3339_SIZE] = "-";
		if (g->first_ms)
			clock_rfc3339(g->first_ms / 1000, first);
		if (g->loss_ms)
			clock_rfc3339(g->loss_ms / 1000, loss);
		table_add(&t, "group");
		table_add(&t, g->fp);
		add_number(&t, g->n);
		table_add(&t, first);
		table_add(&t, loss);
		table_add(&t, g->sample);
		table_add(&t, g->cause);
	}
	table_print(&t, o);
}

static void print_plan(struct out *o, const struct replay_result *r)
{
	char takes[TEXT_NUM] = "-";
	if (!isnan(r->seconds))
		text_duration((int64_t)r->seconds, takes);
	out_ownf(o, "plan\t%u messages of ", r->nitems);
	out_text(o, r->run.source);
	out_own(o, r->run.mode == REPLAY_INVOKE ? "\tthrough " : "\tto ");
	out_text(o, replay_dest_name(r->run.dest));
	out_ownf(o, "\tbatches of %u\t%g a second at the most\tabout %s\tunknown: %s\n", r->run.batch, r->run.rate, takes,
	         replay_unknown_name(r->run.unknown));
	if (r->run.mode == REPLAY_INVOKE && r->run.dest && *r->run.dest)
		out_own(o, "risk\ta function that deletes its messages by itself deletes them before its answer is known\n");
}

static void print_list(struct out *o, const struct replay_result *r)
{
	struct table t;
	table_init(&t, 6, 0);
	for (unsigned i = 0; i < r->nruns; i++) {
		const struct replay_run *v = &r->runs[i];
		char at[CLOCK_RFC3339_SIZE];
		clock_rfc3339(v->created_ms / 1000, at);
		table_add(&t, v->id);
		table_add(&t, run_state_name(v->state));
		table_add(&t, at);
		table_add(&t, v->source);
		table_add(&t, v->dest);
		table_add(&t, v->reason ? v->reason : "-");
	}
	table_print(&t, o);
}

static void print_text(struct out *o, enum action a, const struct replay_result *r, bool plan)
{
	if (plan) {
		if (a != ACT_GROUPS)
			print_plan(o, r);
		print_groups(o, r);
		return;
	}
	if (a != ACT_START)
		out_ownf(o, "%s\t", r->run.id);
	summary(o, r);
	if (a != ACT_STATUS && a != ACT_VERIFY && a != ACT_PAUSE)
		print_items(o, r, a == ACT_SHOW);
}

/* ---- the command */

static void say_id(void *ctx, const char *run)
{
	const struct cli *c = ctx;
	struct out o;
	char line[64];
	if (cli_is_json(c)) {
		snprintf(line, sizeof line, "run %s", run);
		cli_say(line);
		return;
	}
	out_init(&o);
	out_ownf(&o, is_jsonl(c) ? "{\"version\":1,\"run\":\"%s\"}\n" : "%s\n", run);
	out_end(&o, c, 0);
}

static bool find_action(const struct cli *c, enum action *a, struct err *e)
{
	const char *names[ACTIONS_COUNT + 1] = { NULL };
	for (int i = 0; i < ACTIONS_COUNT; i++) {
		names[i] = actions[i].name;
		if (strcmp(c->argv[0], actions[i].name) == 0) {
			*a = (enum action)i;
			return true;
		}
	}
	const char *near = cli_near(c->argv[0], names);
	return near ? err_set(e, ERR_USAGE, "replay", "no action '%.40s', did you mean %s?", c->argv[0], near)
	            : err_set(e, ERR_USAGE, "replay", "no action '%.40s', see sluice help replay", c->argv[0]);
}

static bool fill(const struct cli *c, enum action a, struct request *rq, struct err *e)
{
	const char *operand = c->argc > 1 ? c->argv[1] : NULL;
	rq->kind = actions[a].kind;
	rq->replay = c->args->replay;
	if (actions[a].source && !operand)
		return err_set(e, ERR_USAGE, "replay", "%s needs a source: sqs:QUEUE", actions[a].name);
	if (a == ACT_LIST && operand)
		return err_set(e, ERR_USAGE, operand, "one too many; usage: sluice replay list");
	if (actions[a].source)
		rq->replay.source = operand;
	else
		rq->replay.run = operand;
	rq->replay.word = a == ACT_STOP ? "stop" : "pause";
	rq->replay.begun = a == ACT_START ? say_id : NULL;
	rq->replay.ctx = (void *)(uintptr_t)c;
	return true;
}

/* Done is only what was processed: all of it, or the exit status says that something is left. */
static int status_of(enum action a, const struct result *r, bool plan)
{
	const struct replay_counts *c = &r->replay.counts;
	if (plan || a == ACT_LIST || a == ACT_SHOW || a == ACT_STATUS || a == ACT_PAUSE || a == ACT_STOP || a == ACT_VERIFY)
		return 0;
	return r->replay.run.state == RUN_DONE && !c->bounced && !c->poison && !c->unknown && !c->gone && !c->pending ? 0
	                                                                                                              : 1;
}

/* It was broken off by something that says itself what it was: one line for both. */
static int say_broken(const struct cli *c, const struct result *r)
{
	const struct replay_run *run = &r->replay.run;
	struct err e = r->err;
	if (r->replay.has_run && run->state == RUN_PAUSED)
		err_set(&e, r->err.code, r->err.where, "run %s is PAUSED: %s", run->id, r->err.text);
	return cli_act_failed(c, &e);
}

static bool is_left(const struct replay_result *r, enum action a)
{
	return r->has_run && (r->run.state == RUN_PAUSED || r->run.state == RUN_STOPPED) && a != ACT_SHOW &&
	       a != ACT_STATUS;
}

static void say_rest(const struct replay_result *r, enum action a, bool broken)
{
	char line[700];
	for (unsigned i = 0; i < r->nwarnings; i++)
		cli_note("replay", r->warnings[i]);
	if (r->guard && a == ACT_START) {
		snprintf(line, sizeof line, "guard: %s", r->guard);
		cli_say(line);
	}
	if (!broken && is_left(r, a)) {
		snprintf(line, sizeof line, "run %s is %s: %s", r->run.id, run_state_name(r->run.state),
		         r->run.reason ? r->run.reason : "some of it is left");
		cli_say(line);
	}
	if (r->counts.unknown && (a == ACT_START || a == ACT_RESUME)) {
		snprintf(line, sizeof line,
		         "%u unknown: sent, and no answer says what became of them; `sluice replay resume %s --unknown resend` "
		         "sends "
		         "them again, and each may then be processed twice",
		         r->counts.unknown, r->run.id);
		cli_say(line);
	}
	if (a == ACT_PAUSE && !r->driven)
		cli_say("no process drives this run now: there is nothing to pause");
}

static int tell(const struct cli *c, enum action a, const struct result *r)
{
	struct out o;
	bool plan = r->kind == REQUEST_REPLAY_PLAN || c->args->dry_run;
	out_init(&o);
	if (a == ACT_LIST)
		(machine(c) ? print_list_json : print_list)(&o, &r->replay);
	else if (machine(c))
		print_json(&o, &r->replay, plan);
	else
		print_text(&o, a, &r->replay, plan);
	int status = out_end(&o, c, status_of(a, r, plan));
	say_rest(&r->replay, a, r->err.code != ERR_OK);
	return status;
}

int cmd_replay(const struct cli *c, struct engine *g)
{
	struct request rq = { 0 };
	struct err e = { 0 };
	enum action a = ACT_LIST;
	if (!find_action(c, &a, &e) || !fill(c, a, &rq, &e))
		return cli_fail(c, &e);
	struct result *r = cli_act(c, g, &rq);
	bool told = r->err.code == ERR_OK || (r->replay.has_run && r->replay.counts.selected && r->err.code != ERR_GATE);
	int status = told ? tell(c, a, r) : 0;
	if (r->err.code != ERR_OK)
		status = say_broken(c, r);
	result_free(r);
	return cli_act_status(status);
}
