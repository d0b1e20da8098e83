/* replay: groups, plan, start, resume, status, show, list, pause, stop, verify. What a run did is told from the engine's result, whoever asked. */
#include "cli/args.h"
#include "cli/input.h"
#include "cli/out.h"
#include "cli/replay.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MOST (256UL << 20) /* bytes of --keys */

/* What an action is given behind its name. */
enum operands {
	TAKES_SOURCE, /* SOURCE, which must be there */
	TAKES_RUN,    /* [RUN]: the newest unfinished, else the newest */
	TAKES_NOTHING,
	TAKES_RUN_FILE, /* [RUN] FILE */
	TAKES_FILE_RUN, /* FILE [RUN] */
	TAKES_MESSAGE   /* [RUN] MESSAGE */
};
/*  X(ID, name, what it asks of the engine, its operands, the word it passes on) */
#define REPLAY_ACTIONS(X)                                                                                              \
	X(GROUPS, "groups", REQUEST_REPLAY_PLAN, TAKES_SOURCE, NULL)                                                       \
	X(PLAN, "plan", REQUEST_REPLAY_PLAN, TAKES_SOURCE, NULL)                                                           \
	X(START, "start", REQUEST_REPLAY_START, TAKES_SOURCE, NULL)                                                        \
	X(RESUME, "resume", REQUEST_REPLAY_RESUME, TAKES_RUN, NULL)                                                        \
	X(STATUS, "status", REQUEST_REPLAY_SHOW, TAKES_RUN, NULL)                                                          \
	X(SHOW, "show", REQUEST_REPLAY_SHOW, TAKES_RUN, NULL)                                                              \
	X(LIST, "list", REQUEST_REPLAY_LIST, TAKES_NOTHING, NULL)                                                          \
	X(PAUSE, "pause", REQUEST_REPLAY_STEER, TAKES_RUN, "pause")                                                        \
	X(STOP, "stop", REQUEST_REPLAY_STEER, TAKES_RUN, "stop")                                                           \
	X(VERIFY, "verify", REQUEST_REPLAY_SHOW, TAKES_RUN, NULL)                                                          \
	X(EXPORT, "export", REQUEST_REPLAY_EXPORT, TAKES_RUN_FILE, NULL)                                                   \
	X(ADOPT, "adopt", REQUEST_REPLAY_ADOPT, TAKES_FILE_RUN, NULL)                                                      \
	X(HOLD, "hold", REQUEST_REPLAY_ITEM, TAKES_MESSAGE, "hold")                                                        \
	X(SKIP, "skip", REQUEST_REPLAY_ITEM, TAKES_MESSAGE, "skip")                                                        \
	X(RELEASE, "release", REQUEST_REPLAY_ITEM, TAKES_MESSAGE, "release")                                               \
	X(BUY, "buy-time", REQUEST_REPLAY_BUY_TIME, TAKES_SOURCE, NULL)

enum action {
#define X(id, ...) ACT_##id,
	REPLAY_ACTIONS(X)
#undef X
	    ACTIONS_COUNT
};
static const struct {
	const char *name;
	enum request_kind kind;
	enum operands takes;
	const char *word;
} actions[ACTIONS_COUNT] = {
#define X(id, name, kind, takes, word) { name, kind, takes, word },
	REPLAY_ACTIONS(X)
#undef X
};

static bool is_jsonl(const struct cli *c)
{
	return c->format && strcmp(c->format, "jsonl") == 0;
}

static bool machine(const struct cli *c)
{
	return cli_is_json(c) || is_jsonl(c);
}

/* ---- text */

static void summary(struct out *o, const struct replay_result *r)
{
	const struct replay_counts *c = &r->counts;
	if (r->run.mode == REPLAY_MOVE) {
		out_ownf(o, "%s\t~%lld of ~%lld moved by SQS; none of it is verified\n", run_state_name(r->run.state),
		         (long long)r->run.moved, (long long)r->run.to_move);
		return;
	}
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
	if (r->run.mode == REPLAY_MOVE)
		out_ownf(o, "plan\t~%lld messages of ", (long long)r->run.to_move);
	else
		out_ownf(o, "plan\t%u messages of ", r->nitems);
	out_text(o, r->run.source);
	out_own(o, r->run.mode == REPLAY_INVOKE ? "\tthrough " : "\tto ");
	out_text(o, replay_dest_name(r->run.dest));
	out_ownf(o, "\tbatches of %u\t%g a second at the most\tabout %s\tunknown: %s\n", r->run.batch, r->run.rate, takes,
	         replay_unknown_name(r->run.unknown));
	if (r->rate_why) {
		out_ownf(o, "rate\t%g a second: ", r->run.rate);
		out_text(o, r->rate_why);
		out_own(o, "\n");
	}
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
	if (r->file) {
		out_ownf(o, "%s\t%s\t", r->run.id, a == ACT_ADOPT ? "adopted" : "exported");
		out_text(o, r->file);
		out_ownf(o, "\tsha256 %s\n", r->file_sha);
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

static bool fill_operands(const struct cli *c, enum action a, struct replay_request *r, struct err *e)
{
	static const char *const lacks[] = { [TAKES_SOURCE] =
		                                     "a source: sqs:QUEUE, s3://BUCKET/PREFIX ... see sluice help replay",
		                                 [TAKES_RUN_FILE] = "a FILE",
		                                 [TAKES_FILE_RUN] = "a FILE",
		                                 [TAKES_MESSAGE] = "a MESSAGE: its number in the run, or its id" };
	static const int most[] = { [TAKES_SOURCE] = 1,   [TAKES_RUN] = 1,      [TAKES_NOTHING] = 0,
		                        [TAKES_RUN_FILE] = 2, [TAKES_FILE_RUN] = 2, [TAKES_MESSAGE] = 2 };
	enum operands takes = actions[a].takes;
	int n = c->argc - 1;
	const char *first = n > 0 ? c->argv[1] : NULL, *last = n > 0 ? c->argv[n] : NULL;
	if (n > most[takes])
		return err_set(e, ERR_USAGE, last, "one too many for replay %s", actions[a].name);
	if (!first && takes < sizeof lacks / sizeof *lacks && lacks[takes])
		return err_set(e, ERR_USAGE, "replay", "%s needs %s", actions[a].name, lacks[takes]);
	if (takes == TAKES_SOURCE)
		r->source = first;
	else if (takes == TAKES_FILE_RUN)
		r->file = first;
	else if (takes == TAKES_RUN_FILE)
		r->file = last;
	else if (takes == TAKES_MESSAGE)
		r->item = last;
	if (takes == TAKES_RUN)
		r->run = first;
	else if (takes != TAKES_SOURCE && n == 2)
		r->run = takes == TAKES_FILE_RUN ? last : first;
	return true;
}

static bool fill(const struct cli *c, enum action a, struct request *rq, struct err *e)
{
	rq->kind = actions[a].kind;
	rq->replay = c->args->replay;
	rq->replay.word = actions[a].word;
	rq->replay.begun = a == ACT_START ? say_id : NULL;
	rq->replay.ctx = (void *)(uintptr_t)c;
	return fill_operands(c, a, &rq->replay, e);
}

static bool read_keys(const struct cli *c, struct request *rq, struct buf *keys, struct err *e)
{
	if (!c->args->keys_file)
		return true;
	if (!cli_read_input(c->args->keys_file, KEYS_MOST, keys, e))
		return false;
	rq->replay.keys = (struct span){ keys->p ? keys->p : "", keys->n };
	return true;
}

static bool left(const struct replay_counts *c)
{
	return c->bounced || c->poison || c->unknown || c->gone || c->pending || c->by_state[ITEM_HELD];
}

/* Done is only what was processed: all of it, or the exit status says that something is left. */
static int status_of(enum action a, const struct result *r, bool plan)
{
	if (plan || (a != ACT_START && a != ACT_RESUME) || r->replay.run.state == RUN_ROUGH)
		return 0;
	return r->replay.run.state == RUN_DONE && !left(&r->replay.counts) ? 0 : 1;
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

static void say_begun(const struct replay_result *r)
{
	char line[700];
	if (r->rate_why && r->has_run) {
		snprintf(line, sizeof line, "rate: %g a second at the most, %s", r->run.rate, r->rate_why);
		cli_say(line);
	}
	if (r->guard) {
		snprintf(line, sizeof line, "guard: %s", r->guard);
		cli_say(line);
	}
}

static void say_rest(const struct replay_result *r, enum action a, bool broken)
{
	char line[700];
	for (unsigned i = 0; i < r->nwarnings; i++)
		cli_note("replay", r->warnings[i]);
	if (a == ACT_START)
		say_begun(r);
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
	if (a == ACT_EXPORT && r->run.state == RUN_HANDED)
		cli_say("handed over: it cannot be gone on with here; whoever has the file and the same account goes on with "
		        "`sluice replay "
		        "adopt FILE`, then `sluice replay resume`");
	if (a == ACT_ADOPT && r->file)
		cli_say("it is yours: `sluice replay resume` goes on with it");
	if (a == ACT_PAUSE && !r->driven)
		cli_say("no process drives this run now: there is nothing to pause");
}

static int tell(const struct cli *c, enum action a, const struct result *r)
{
	struct out o;
	bool plan = r->kind == REQUEST_REPLAY_PLAN || c->args->dry_run;
	out_init(&o);
	if (a == ACT_BUY)
		(machine(c) ? replay_bought_json : replay_bought_text)(&o, &r->replay);
	else if (a == ACT_LIST)
		(machine(c) ? replay_list_json : print_list)(&o, &r->replay);
	else if (machine(c))
		replay_json(&o, &r->replay, plan);
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
	struct buf keys;
	buf_init(&keys, KEYS_MOST);
	if (!find_action(c, &a, &e) || !fill(c, a, &rq, &e) || !read_keys(c, &rq, &keys, &e)) {
		buf_clear(&keys);
		return cli_fail(c, &e);
	}
	struct result *r = cli_act(c, g, &rq);
	buf_clear(&keys);
	bool told = r->err.code == ERR_OK || (r->replay.has_run && r->replay.counts.selected && r->err.code != ERR_GATE);
	int status = told ? tell(c, a, r) : 0;
	if (r->err.code != ERR_OK)
		status = say_broken(c, r);
	result_free(r);
	return cli_act_status(status);
}
