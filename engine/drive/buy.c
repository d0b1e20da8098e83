/* REQUEST_REPLAY_BUY_TIME: a queue keeps its messages for fourteen days, a stream its records for more hours, so that what failed is not lost
 * before somebody can replay it; and back again. What it was before is in the ledger first. Needs admin. */
#include "engine/drive/drive.h"

#include "aws/op_cloudwatch.h"
#include "aws/op_retention.h"
#include "core/mem.h"
#include "core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTS_S (15 * 60) /* until a changed retention of a queue is sure to act */
#define NEAR_S (20 * 60) /* nearer than this it may come too late */
#define AGE_S (15 * 60)
#define STREAM_HOURS 168
#define HOUR_USD 0.02 /* an open shard and hour beyond 24 h: us-east-1's list price */

struct buying {
	unsigned step;
	bool flying, answered, queue;
	struct err err;
	char name[136], url[1024];
	struct queue_url_in url_in;
	struct queue_url_out url_out;
	struct describe_in describe;
	struct found found;
	struct metric_queries queries;
	enum metric_status status;
	struct get_metric_data_in age_in;
	struct get_metric_data_out age_out;
	double age; /* of the oldest message; NAN: not known */
	int64_t age_at;
	struct permit permit;
	struct queue_retention_in queue_in;
	struct stream_retention_in stream_in;
	char none;
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct buying *b = ctx;
	(void)op, (void)in, (void)out;
	b->err = *e;
	b->answered = true;
}

static void call(struct engine *g, struct buying *b, const struct permit *p, const struct op *op, void *in, void *out)
{
	b->flying = true;
	b->answered = false;
	aws_call_permitted(g->aws, p, p ? CALL_ACT : CALL_VISIBLE, op, in, out, on_done, b);
}

static const char *fact(const struct buying *b, const char *key)
{
	for (unsigned i = 0; i < b->found.nfacts; i++)
		if (strcmp(b->found.facts[i].key, key) == 0)
			return b->found.facts[i].value;
	return NULL;
}

static int64_t fact_number(const struct buying *b, const char *key)
{
	const char *text = fact(b, key);
	return text ? strtoll(text, NULL, 10) : 0;
}

/* ---- what is meant */

static bool names(struct task *t, struct buying *b)
{
	const char *s = t->rq.replay.source, *name = s;
	bool arn = strncmp(s, "arn:", 4) == 0;
	b->queue = strncmp(s, "sqs:", 4) == 0 || (arn && strstr(s, ":sqs:"));
	if (strncmp(s, "sqs:", 4) == 0)
		name = s + 4;
	else if (strncmp(s, "kinesis:", 8) == 0)
		name = s + 8;
	else if (arn)
		name = strrchr(s, b->queue ? ':' : '/') ? strrchr(s, b->queue ? ':' : '/') + 1 : "";
	else
		name = "";
	size_t n = strcspn(name, "/@"); /* of a stream's range, the stream */
	snprintf(b->name, sizeof b->name, "%.*s", (int)(n < 128 ? n : 128), name);
	return b->name[0] || err_set(&t->result->err, ERR_USAGE, "SOURCE",
	                             "sqs:QUEUE or kinesis:STREAM, or the ARN of one, not '%.80s'", s);
}

/* ---- what it is now */

static void point(void *ctx, unsigned query, int64_t at, double v)
{
	struct buying *b = ctx;
	(void)query;
	if (at >= b->age_at)
		b->age = v;
	b->age_at = at > b->age_at ? at : b->age_at;
}

static void ask_age(struct engine *g, struct buying *b)
{
	struct metric_id m;
	int64_t to = clock_wall() / 60 * 60;
	metric_set(&m, "AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum");
	metric_add_dim(&m, "QueueName", b->name);
	metric_queries_init(&b->queries, 60);
	metric_queries_add(&b->queries, &m);
	metric_clear(&m);
	b->status = METRIC_UNANSWERED;
	b->age_in = (struct get_metric_data_in){ .queries = &b->queries, .start = to - AGE_S, .end = to };
	b->age_out = (struct get_metric_data_out){ .point = point, .ctx = b, .status = &b->status, .n = 1 };
	bill_beyond(g, 1);
	call(g, b, NULL, &op_get_metric_data, &b->age_in, &b->age_out);
}

/* ---- the act */

static void warn(struct replay_result *r, const char *text)
{
	const char **longer = arena_array(&r->mem, r->nwarnings + 1u, sizeof *longer);
	if (r->nwarnings)
		memcpy(longer, r->warnings, r->nwarnings * sizeof *longer);
	longer[r->nwarnings++] = text;
	r->warnings = longer;
}

/* Where the first message goes before the change is sure to act, buying may buy nothing: it is said, and has to be meant. */
static bool in_time(struct task *t, const struct buying *b)
{
	struct replay_result *r = &t->result->replay;
	char left[TEXT_NUM];
	double first = (double)r->bought.was_s - b->age;
	if (!b->queue || t->rq.replay.undo)
		return true;
	if (isnan(b->age)) {
		warn(r, "how old the oldest message is is not known: a queue's new retention may take 15 minutes to act");
		return true;
	}
	if (first >= NEAR_S)
		return true;
	text_duration(first > 0 ? (int64_t)first : 0, left);
	warn(r, arena_printf(&r->mem,
	                     "the first message may be lost in %s, and a queue's new retention may take 15 minutes to act",
	                     left));
	return t->rq.replay.despite & DESPITE_LOSS || err_set(&t->result->err, ERR_GATE, "buy-time",
	                                                      "the first message may be lost in %s, and a new retention "
	                                                      "may take 15 minutes to act: replay now, or --despite "
	                                                      "loss does it all the same",
	                                                      left);
}

/* What is to be, and why not. */
static bool settle(struct engine *g, struct task *t, struct buying *b)
{
	struct replay_result *r = &t->result->replay;
	struct replay_bought *v = &r->bought;
	struct err *e = &t->result->err;
	const char *arn = fact(b, "arn");
	if (!arn)
		return err_set(e, ERR_BADREPLY, "buy-time", "it has no ARN");
	v->arn = arena_strdup(&r->mem, arn);
	v->was_s = b->queue ? fact_number(b, "retention_s") : fact_number(b, "retention_h") * 3600;
	v->now_s =
	    b->queue ? QUEUE_RETENTION_MOST : (int64_t)(t->rq.replay.hours ? t->rq.replay.hours : STREAM_HOURS) * 3600;
	if (t->rq.replay.undo) {
		struct ledger *l = ledger_open(g->o.state_path, true, e);
		bool known = l && ledger_bought(l, arn, &v->now_s);
		ledger_close(l);
		if (!l)
			return false;
		if (!known)
			return err_set(e, ERR_USAGE, "--undo", "no time was bought for %s from here", b->name);
	}
	double shards = (double)fact_number(b, "open_shards");
	v->usd_per_day = !b->queue && v->now_s > 86400 && shards > 0 ? HOUR_USD * 24 * shards : (double)NAN;
	if (!t->rq.replay.undo && v->now_s <= v->was_s)
		return err_set(e, ERR_USAGE, "buy-time", "%s keeps what it holds for %" PRId64 " h already", b->name,
		               v->was_s / 3600);
	return in_time(t, b);
}

static char *in_words(const struct buying *b, const struct replay_bought *v, bool undo)
{
	char was[TEXT_NUM], now[TEXT_NUM], price[96] = "";
	text_duration(v->was_s, was);
	text_duration(v->now_s, now);
	if (!isnan(v->usd_per_day))
		snprintf(price, sizeof price, ", for about %.2f USD a day more than at 24 h (us-east-1's list price)",
		         v->usd_per_day);
	return xasprintf("keep what %s %s holds for %s instead of %s%s%s", b->queue ? "queue" : "stream", b->name, now, was,
	                 price, undo && v->now_s < v->was_s ? ": what is older than that is lost at once" : "");
}

static bool act(struct engine *g, struct task *t, struct buying *b)
{
	struct replay_result *r = &t->result->replay;
	struct replay_bought *v = &r->bought;
	bool less = v->now_s < v->was_s;
	const struct op *op = b->queue ? &op_set_queue_retention : less ? &op_decrease_retention : &op_increase_retention;
	char *what = in_words(b, v, t->rq.replay.undo);
	v->what = arena_strdup(&r->mem, what);
	free(what);
	const struct gate_act wish = { MODE_ADMIN, op, v->what, false, 0 };
	if (t->rq.dry_run || !audited_gate(g, &t->rq.consent, &wish, &b->permit, t->result))
		return false;
	struct audited who = { 0 };
	audited_who(g, t->rq.consent.mode, &who);
	struct ledger *l = ledger_open(g->o.state_path, true, &t->result->err);
	bool kept = l && (t->rq.replay.undo || ledger_buy(l, v->arn, v->was_s, v->now_s, who.user, &t->result->err));
	ledger_close(l);
	if (!kept || !audited(g, t->rq.consent.mode, op, v->arn, "announced", v->what, &t->result->err))
		return false;
	b->queue_in = (struct queue_retention_in){ b->url, v->now_s };
	b->stream_in = (struct stream_retention_in){ b->name, (unsigned)(v->now_s / 3600) };
	call(g, b, &b->permit, op, b->queue ? (void *)&b->queue_in : (void *)&b->stream_in, &b->none);
	return true;
}

/* ---- step by step */

static bool begin(struct engine *g, struct task *t)
{
	struct err *e = &t->result->err;
	struct buying *b = t->work = arena_alloc(&t->mem, sizeof *b);
	const struct gate_act may = { MODE_ADMIN, &op_set_queue_retention, "buy time", false, 0 };
	arena_init(&t->result->replay.mem);
	t->result->replay.bought.usd_per_day = (double)NAN;
	found_init(&b->found);
	b->age = (double)NAN;
	if (!g->o.state_path)
		return err_set(e, ERR_CONF, "buy-time", "neither XDG_STATE_HOME nor HOME says where the ledger goes");
	if (!names(t, b) || (!t->rq.dry_run && !gate_may(g->o.target, &t->rq.consent, &may, e)))
		return false;
	if (!engine_connect(g)) {
		*e = g->account_err;
		return false;
	}
	b->url_in.name = b->name;
	b->describe = (struct describe_in){ b->name, b->url };
	if (b->queue)
		call(g, b, NULL, &op_get_queue_url, &b->url_in, &b->url_out);
	else
		call(g, b, NULL, kind_kinesis.describe, &b->describe, &b->found);
	b->step = b->queue ? 0 : 1;
	return true;
}

/* True: the next call is under way. */
static bool next(struct engine *g, struct task *t, struct buying *b)
{
	switch (b->step++) {
	case 0:
		snprintf(b->url, sizeof b->url, "%s", b->url_out.url);
		call(g, b, NULL, kind_sqs.describe, &b->describe, &b->found);
		return true;
	case 1:
		if (!b->queue)
			return next(g, t, b);
		ask_age(g, b);
		return true;
	case 2: return settle(g, t, b) && act(g, t, b);
	default: {
		struct ledger *l = t->rq.replay.undo ? ledger_open(g->o.state_path, true, &t->result->err) : NULL;
		if (l)
			ledger_buy_undone(l, t->result->replay.bought.arn, &t->result->err);
		ledger_close(l);
		t->result->replay.bought.done = true;
		return false;
	}
	}
}

void replay_buy_step(struct engine *g, struct task *t)
{
	if (t->state++ == 0) {
		t->done = !begin(g, t);
		return;
	}
	struct buying *b = t->work;
	if (!b->answered)
		return;
	b->flying = b->answered = false;
	bool age = b->step == 2 && b->queue; /* it may stay unknown */
	if (b->err.code != ERR_OK && !age) {
		t->result->err = b->err;
		t->done = true;
		return;
	}
	t->done = !next(g, t, b);
}

void replay_buy_abandon(struct task *t)
{
	struct buying *b = t->work;
	if (!b)
		return;
	found_clear(&b->found);
	metric_queries_clear(&b->queries);
	t->work = NULL;
}
