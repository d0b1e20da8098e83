#include "sim/scenario.h"

#include "core/mem.h"
#include "sim/sim_alarm.h"
#include "sim/sim_queue.h"
#include "sim/sim_stream.h"
#include "sim/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define DAY_MS 86400000ll

/* Minutes before the start at which something began; 0 = it did not. What is on the screen at the start follows. */
struct scenario {
	const char *name, *help;
	bool furnished;
	int64_t history;      /* minutes made before the start */
	int64_t poisoned;     /* a batch holds one shard */
	int64_t erring;       /* the error rate passes its threshold */
	int64_t dead_letters; /* the dead-letter queue fills */
	const char *fault;    /* as in fault.h; NULL = none */
};

#define DLQ_NOW 1291 /* messages at the start */

static const struct scenario scenarios[] = {
	{ "calm", "a healthy orders pipeline", true, 1440, 0, 0, 0, NULL },
	{ "dlq-growth", "a dead-letter queue that fills, the oldest messages near expiry", true, 1860, 0, 0, 1742, NULL },
	{ "poison-shard", "one batch holds a shard for hours, the error rate over its threshold", true, 1440, 369, 36, 0,
	  NULL },
	{ "denied", "calm, but this identity may not list the streams", true, 1440, 0, 0, 0, "kinesis:ListStreams=denied" },
	{ "throttled", "calm, but CloudWatch refuses every read of metrics", true, 1440, 0, 0, 0,
	  "cloudwatch:GetMetricData=throttle" },
	{ "empty", "an account with nothing in it", false, 0, 0, 0, 0, NULL },
};
#define NSCENARIOS (sizeof scenarios / sizeof *scenarios)

bool scenario_at(unsigned i, const char **name, const char **help)
{
	if (i >= NSCENARIOS)
		return false;
	*name = scenarios[i].name;
	*help = scenarios[i].help;
	return true;
}

const struct scenario *scenario_find(const char *name)
{
	for (unsigned i = 0; i < NSCENARIOS; i++)
		if (strcmp(scenarios[i].name, name ? name : "calm") == 0)
			return &scenarios[i];
	return NULL;
}

uint64_t scenario_seed(const struct scenario *s)
{
	uint64_t h = 0xcbf29ce484222325;
	for (const char *p = s->name; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	return h;
}

/* ---- the account at the start */

static struct sim_queue *add_queue(struct world *w, const char *name)
{
	struct sim_queue *q = queue_new(w, name);
	q->created_ms = q->modified_ms = w->now_ms - 41 * DAY_MS;
	q->visibility_s = 360;
	return q;
}

static void add_function(struct world *w, const char *name, const char *runtime, int64_t timeout,
                         const char *description)
{
	char role[256], id[37];
	struct sim_function *fn = xcalloc(1, sizeof *fn);
	world_uuid(w, id);
	snprintf(role, sizeof role, "arn:%s:iam::" SIM_ACCOUNT ":role/%s", w->partition, name);
	*fn = (struct sim_function){
		.name = xstrdup(name),
		.runtime = xstrdup(runtime),
		.role = xstrdup(role),
		.handler = xstrdup("app.handler"),
		.description = xstrdup(description),
		.package_type = xstrdup("Zip"),
		.arch = xstrdup("arm64"),
		.sha256 = xstrdup("vI0cSB9ieQ4V4OYmkxZb0Lr6vA9qJzGQ6Z8pnVg7lVY="),
		.revision = xstrdup(id),
		.code_size = 48211,
		.timeout = timeout,
		.memory = 512,
		.storage = 512,
		.modified_ms = w->now_ms - 9 * DAY_MS,
	};
	world_function_add(w, fn);
}

static void add_mapping(struct world *w, const char *service, const char *source, const char *function)
{
	char arn[256], id[37];
	struct sim_mapping *m = xcalloc(1, sizeof *m);
	bool stream = strcmp(service, "kinesis") == 0;
	snprintf(arn, sizeof arn, "%s%s", stream ? "stream/" : "", source);
	char *resource = xstrdup(arn);
	world_arn(w, service, resource, arn, sizeof arn);
	free(resource);
	world_uuid(w, id);
	*m = (struct sim_mapping){ .uuid = xstrdup(id),
		                       .source_arn = xstrdup(arn),
		                       .function = xstrdup(function),
		                       .enabled = true,
		                       .batch_size = 1,
		                       .partial = true,
		                       .modified_ms = w->now_ms - 9 * DAY_MS };
	if (stream) {
		m->starting_position = xstrdup("TRIM_HORIZON");
		m->parallel = 10;
		m->retries = m->record_age_s = -1;
	}
	world_mapping_add(w, m);
}

struct alarm_seed {
	const char *name, *ns, *metric, *stat, *dim, *value, *what;
	enum sim_compare compare;
	double threshold;
	int64_t n;
	enum sim_missing missing;
};

static const struct alarm_seed alarm_seeds[] = {
	{ "HighErrorRate", "DataPipeline", "ErrorRate", "Average", "Stage", "enrich", "More than 5 % of the records fail",
	  COMPARE_GT, 5.0, 3, MISSING_MISSING },
	{ "LowThroughput", "DataPipeline", "RecordsProcessed", "Sum", "Stage", "enrich", "Fewer than 1000 records a minute",
	  COMPARE_LT, 1000, 3, MISSING_MISSING },
	{ "DlqNotEmpty", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "QueueName", "orders-load-dlq",
	  "Something was given up", COMPARE_GT, 0, 1, MISSING_NOT_BREACHING },
	{ "IteratorAgeHigh", "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "Maximum", "StreamName", "orders-ingest",
	  "Records wait for more than 30 minutes", COMPARE_GT, 1800000, 1, MISSING_MISSING },
};

static void add_alarm(struct world *w, const struct alarm_seed *s)
{
	char topic[256];
	struct sim_alarm *a = xcalloc(1, sizeof *a);
	world_arn(w, "sns", "oncall-data", topic, sizeof topic);
	*a = (struct sim_alarm){
		.name = xstrdup(s->name),
		.description = xstrdup(s->what),
		.ns = xstrdup(s->ns),
		.metric = xstrdup(s->metric),
		.stat = xstrdup(s->stat),
		.ndims = 1,
		.period = 60,
		.n = s->n,
		.m = s->n,
		.m_said = true,
		.threshold = s->threshold,
		.compare = s->compare,
		.missing = s->missing,
		.missing_said = true,
		.actions_enabled = true,
	};
	a->dims[0] = (struct sim_dim){ xstrdup(s->dim), xstrdup(s->value) };
	a->actions[STATE_ALARM][0] = xstrdup(topic);
	alarm_add(w, a);
	free(a->reason);
	a->reason = xasprintf("Threshold Crossed: %lld out of the last %lld datapoints were not over the threshold (%g).",
	                      (long long)s->n, (long long)s->n, s->threshold);
	a->state = STATE_OK;
	a->configured_ms = a->updated_ms = a->since_ms = w->now_ms - 21 * DAY_MS;
}

static void furnish(struct world *w)
{
	char arn[256];
	struct sim_stream *s = stream_new(w, "orders-ingest", 8);
	s->created_ms = w->now_ms - 41 * DAY_MS;
	struct sim_queue *load = add_queue(w, "orders-load");
	struct sim_queue *dead = add_queue(w, "orders-load-dlq");
	add_queue(w, "orders-enrich-fail");
	add_queue(w, "billing-events");
	dead->visibility_s = 30;
	world_arn(w, "sqs", dead->name, arn, sizeof arn);
	load->dead_arn = xstrdup(arn);
	load->max_receive = 5;
	add_function(w, "orders-enrich", "python3.12", 30, "Adds customer and stock to each order");
	add_function(w, "orders-loader", "python3.12", 60, "Writes enriched orders to the lake");
	add_function(w, "nightly-report", "nodejs20.x", 300, "Sales of the day, by mail");
	add_function(w, "thumbnailer", "python3.12", 15, "");
	add_mapping(w, "kinesis", "orders-ingest", "orders-enrich");
	add_mapping(w, "sqs", "orders-load", "orders-loader");
	for (size_t i = 0; i < sizeof alarm_seeds / sizeof *alarm_seeds; i++)
		add_alarm(w, &alarm_seeds[i]);
}

static const struct sim_member members[] = {
	{ "AWS::Kinesis::Stream", "Ingest", "orders-ingest", "kinesis", "stream/", false },
	{ "AWS::SQS::Queue", "Load", "orders-load", "sqs", "", false },
	{ "AWS::SQS::Queue", "LoadDlq", "orders-load-dlq", "sqs", "", false },
	{ "AWS::SQS::Queue", "EnrichFailures", "orders-enrich-fail", "sqs", "", false },
	{ "AWS::Lambda::Function", "Enrich", "orders-enrich", "lambda", "function:", false },
	{ "AWS::Lambda::Function", "Loader", "orders-loader", "lambda", "function:", false },
	{ "AWS::Lambda::Function", "Validate", "orders-validate", NULL, NULL, true },
	{ "AWS::IAM::Role", "Role", "orders-role", NULL, NULL, false },
};

const struct sim_member *scenario_members(const struct world *w, unsigned *n)
{
	*n = w->scenario->furnished ? sizeof members / sizeof *members : 0;
	return members;
}

void scenario_start(struct world *w)
{
	if (w->scenario->fault)
		fault_switch(&w->faults, w->scenario->fault, NULL);
	if (!w->scenario->furnished)
		return;
	w->minute = w->minute0 - w->scenario->history;
	w->now_ms = w->minute * MINUTE_MS;
	furnish(w);
}

/* ---- the law of motion */

struct traffic {
	int64_t k;            /* the minute */
	double in, out;       /* records in this minute: written to the stream, read from it */
	double error_percent; /* of the enriching function */
	double age_ms;        /* of the iterator */
	double wobble;        /* -1..1; 0 in the last minute before the start, so that a frozen start shows round figures */
};

static double wobble(const struct world *w, unsigned key, int64_t k)
{
	return k == w->minute0 - 1 ? 0 : 2 * world_noise(w, key, k) - 1;
}

static bool since(const struct world *w, int64_t minutes_ago, int64_t k)
{
	return minutes_ago && k >= w->minute0 - minutes_ago;
}

static struct traffic traffic_of(const struct world *w, int64_t k)
{
	const struct scenario *s = w->scenario;
	struct traffic t = { .k = k, .wobble = wobble(w, 1, k) };
	double tide = sin((double)(k - w->minute0 + 1) * 2 * M_PI / 120);
	t.in = round(60 * 412 * (1 + 0.04 * tide + 0.002 * t.wobble));
	t.out = t.in;
	t.age_ms = round(900 + 300 * t.wobble);
	t.error_percent = 0.2 + 0.05 * wobble(w, 2, k);
	if (since(w, s->poisoned, k)) {
		t.out = round(t.in * 7 / 8);
		t.age_ms = (double)(k + 1 - (w->minute0 - s->poisoned)) * MINUTE_MS;
		t.error_percent = 4.1 + 0.3 * wobble(w, 2, k);
	}
	if (since(w, s->erring, k))
		t.error_percent = 7.8 + 0.4 * wobble(w, 2, k);
	t.error_percent = round(t.error_percent * 100) / 100;
	return t;
}

struct target {
	struct world *w;
	const char *ns, *dim, *value;
	int64_t k;
};

static void put(const struct target *t, const char *name, const char *unit, double v, double count)
{
	world_put(t->w, t->ns, name, t->dim, t->value, unit, t->k, v, count);
}

static void put_sum(const struct target *t, const char *name, const char *unit, double sum, double count)
{
	struct sim_set set = { count, sum, floor(sum / count * 0.6), ceil(sum / count * 1.7) };
	world_put_set(t->w, t->ns, name, t->dim, t->value, unit, t->k, &set);
}

static void law_stream(struct world *w, const struct traffic *t)
{
	struct target to = { w, "AWS/Kinesis", "StreamName", "orders-ingest", t->k };
	double calls = ceil(t->in / 100), reads = 8 * 60;
	put_sum(&to, "IncomingRecords", "Count", t->in, calls);
	put_sum(&to, "IncomingBytes", "Bytes", t->in * 620, calls);
	put_sum(&to, "PutRecords.TotalRecords", "Count", t->in, calls);
	put_sum(&to, "PutRecords.SuccessfulRecords", "Count", t->in, calls);
	put_sum(&to, "PutRecords.Bytes", "Bytes", t->in * 620, calls);
	put_sum(&to, "PutRecords.Latency", "Milliseconds", calls * (12 + t->wobble), calls);
	put(&to, "PutRecords.Success", "Count", 1, calls);
	put_sum(&to, "GetRecords.Records", "Count", t->out, reads);
	put_sum(&to, "GetRecords.Bytes", "Bytes", t->out * 620, reads);
	put_sum(&to, "GetRecords.Latency", "Milliseconds", reads * (9 + t->wobble), reads);
	put(&to, "GetRecords.Success", "Count", 1, reads);
	struct sim_set age = { reads, reads / 8 * t->age_ms + reads / 8 * 7 * 400, 0, t->age_ms };
	world_put_set(w, to.ns, "GetRecords.IteratorAgeMilliseconds", to.dim, to.value, "Milliseconds", t->k, &age);
}

/* Spread like real durations: a long tail to the right. */
static void put_durations(const struct target *t, double median_ms, double n)
{
	static const struct {
		double factor, share;
	} shape[] = {
		{ 0.55, 0.05 }, { 0.7, 0.10 }, { 0.8, 0.15 }, { 0.9, 0.15 }, { 1.0, 0.15 },
		{ 1.15, 0.15 }, { 1.4, 0.13 }, { 2.0, 0.09 }, { 3.4, 0.03 },
	};
	for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
		put(t, "Duration", "Milliseconds", round(100 * median_ms * shape[i].factor) / 100, round(n * shape[i].share));
}

struct calls {
	const char *name;
	double n, errors, median_ms, concurrency;
};

static void law_function(struct world *w, const struct traffic *t, const struct calls *c)
{
	struct target of[] = { { w, "AWS/Lambda", "FunctionName", c->name, t->k }, { w, "AWS/Lambda", NULL, NULL, t->k } };
	for (size_t i = 0; i < 2; i++) {
		struct sim_set errors = { c->n, c->errors, 0, c->errors > 0 };
		put(&of[i], "Invocations", "Count", 1, c->n);
		world_put_set(w, of[i].ns, "Errors", of[i].dim, of[i].value, "Count", t->k, &errors);
		put(&of[i], "Throttles", "Count", 0, c->n);
		put(&of[i], "ConcurrentExecutions", "Count", c->concurrency, 1);
		put_durations(&of[i], c->median_ms, c->n);
	}
}

static void law_functions(struct world *w, const struct traffic *t)
{
	double failing = since(w, w->scenario->dead_letters, t->k) ? 4 : 0;
	struct calls enrich = { "orders-enrich", t->out, round(t->out * t->error_percent / 100), 81 + 3 * t->wobble, 33 };
	struct calls loader = { "orders-loader", t->out, round(t->out * 0.002) + failing, 114 + 4 * t->wobble, 41 };
	law_function(w, t, &enrich);
	law_function(w, t, &loader);
	world_put(w, "AWS/Lambda", "IteratorAge", "FunctionName", enrich.name, "Milliseconds", t->k, t->age_ms, 1);
}

static void law_queue(struct world *w, const struct traffic *t)
{
	struct sim_queue *q = world_queue(w, "orders-load");
	struct target to = { w, "AWS/SQS", "QueueName", "orders-load", t->k };
	if (!q)
		return; /* somebody deleted it */
	double calls = ceil(t->out / 10), last = (double)(t->k - w->minute0 + 1);
	put_sum(&to, "NumberOfMessagesSent", "Count", t->out, calls);
	put_sum(&to, "NumberOfMessagesReceived", "Count", t->out, calls);
	put_sum(&to, "NumberOfMessagesDeleted", "Count", t->out, calls);
	put_sum(&to, "SentMessageSize", "Bytes", t->out * 540, t->out);
	put(&to, "NumberOfEmptyReceives", "Count", round(6 + 4 * t->wobble), 1);
	q->flow = (struct sim_flow){ round(214 + 90 * sin(last * 2 * M_PI / 7) + 40 * t->wobble),
		                         round(96 + 20 * t->wobble), round(14 + 5 * wobble(w, 3, t->k)) };
	queue_touch(w, q);
}

static void law_custom(struct world *w, const struct traffic *t)
{
	static const char *const stages[] = { "enrich", "loader" };
	double rate[] = { t->error_percent, round(20 + 4 * wobble(w, 4, t->k)) / 100 };
	for (size_t i = 0; i < 2; i++) {
		struct target to = { w, "DataPipeline", "Stage", stages[i], t->k };
		put(&to, "ErrorRate", "Percent", rate[i], 1);
		put(&to, "RecordsProcessed", "Count", t->out, 1);
	}
}

static int64_t dead_by(const struct world *w, int64_t end)
{
	int64_t span = w->scenario->dead_letters;
	return end <= w->minute0 - span ? 0 : (end - (w->minute0 - span)) * DLQ_NOW / span;
}

/* The first that died had been sent almost 45 hours before; by now it takes five minutes. */
static void add_dead_letter(struct world *w, struct sim_queue *dead, int64_t k, const char *source_arn)
{
	double span = (double)w->scenario->dead_letters, left = (double)(w->minute0 - k) / span;
	int64_t lag = (int64_t)(2694 * (left > 0 ? left : 0)) + 5;
	unsigned long long order = 10000000 + world_random(w) % 90000000, pick = world_random(w) % DLQ_NOW;
	char *body = pick < 1022 ? xasprintf("{\"order_id\":%llu,\"created\":\"0000-00-00 00:00:00\",\"amount\":%llu.90,"
	                                     "\"currency\":\"EUR\"}",
	                                     order, 5 + pick % 90)
	                         : xasprintf("{\"order_id\":%llu,\"created\":\"2026-11-20 07:12:31\",\"items\":%llu,"
	                                     "\"currency\":\"EUR\"}",
	                                     order, 900 + pick);
	struct sim_msg *m = queue_msg_new(w, body, (k - lag) * MINUTE_MS);
	m->here_ms = m->visible_ms = k * MINUTE_MS + (int64_t)(world_random(w) % MINUTE_MS);
	m->first_rx_ms = m->sent_ms + 2000;
	m->rx = 5;
	m->source_arn = xstrdup(source_arn);
	queue_add(dead, m);
	free(body);
}

static void law_dead_letters(struct world *w, const struct traffic *t)
{
	char arn[256];
	struct sim_queue *dead = world_queue(w, "orders-load-dlq");
	if (!w->scenario->dead_letters || !dead)
		return;
	world_arn(w, "sqs", "orders-load", arn, sizeof arn);
	for (int64_t n = dead_by(w, t->k + 1) - dead_by(w, t->k); n > 0; n--)
		add_dead_letter(w, dead, t->k, arn);
}

void scenario_minute(struct world *w, int64_t minute)
{
	if (!w->scenario->furnished)
		return;
	struct traffic t = traffic_of(w, minute);
	if (world_stream(w, "orders-ingest"))
		law_stream(w, &t);
	law_functions(w, &t);
	law_queue(w, &t);
	law_custom(w, &t);
	law_dead_letters(w, &t);
}
