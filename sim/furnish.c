/* The account of the scenarios as it stands when its history begins, and what people do to it on the way. */
#include "sim/scenario.h"

#include "core/mem.h"
#include "sim/sim_alarm.h"
#include "sim/sim_log.h"
#include "sim/sim_queue.h"
#include "sim/sim_stream.h"
#include "sim/sim_trail.h"
#include "sim/sim_version.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define DAY_MS 86400000ll

static int64_t ago_ms(const struct world *w, int64_t minutes)
{
	return (w->minute0 - minutes) * MINUTE_MS;
}

/* ---- queues, functions, mappings */

static struct sim_queue *add_queue(struct world *w, const char *name)
{
	struct sim_queue *q = queue_new(w, name);
	q->created_ms = q->modified_ms = w->now_ms - 41 * DAY_MS;
	q->visibility_s = 360;
	return q;
}

static struct sim_function *add_function(struct world *w, const char *name, const char *runtime, int64_t timeout,
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
		.modified_ms = ago_ms(w, 9 * 1440),
	};
	world_function_add(w, fn);
	log_group_of(w, fn)->created_ms = ago_ms(w, 41 * 1440);
	return fn;
}

/* A release changes the code: $LATEST is what was published last. */
static void add_version(struct world *w, struct sim_function *fn, unsigned number, int64_t at_ms, const char *what)
{
	char sha[48], id[37];
	world_stable_id(w, number, fn->timeout > 0 ? (uint64_t)fn->timeout : 0, id);
	snprintf(sha, sizeof sha, "%.8s%.4s%.4s%.4s%.12sAAAAAAAAAAA=", id, id + 9, id + 14, id + 19, id + 24);
	free(fn->sha256);
	fn->sha256 = xstrdup(sha);
	fn->modified_ms = at_ms;
	struct sim_version *v = version_publish(w, fn, what);
	v->number = number;
	v->modified_ms = at_ms;
}

static struct sim_mapping *add_mapping(struct world *w, const char *service, const char *source, const char *function)
{
	char arn[256], resource[160], id[37];
	struct sim_mapping *m = xcalloc(1, sizeof *m);
	bool stream = strcmp(service, "kinesis") == 0;
	snprintf(resource, sizeof resource, "%s%s", stream ? "stream/" : "", source);
	world_arn(w, service, resource, arn, sizeof arn);
	world_uuid(w, id);
	*m = (struct sim_mapping){ .uuid = xstrdup(id),
		                       .source_arn = xstrdup(arn),
		                       .function = xstrdup(function),
		                       .qualifier = xstrdup("live"),
		                       .enabled = true,
		                       .batch_size = stream ? 500 : 1,
		                       .window_s = stream ? 9 : 0,
		                       .modified_ms = ago_ms(w, 9 * 1440) };
	if (stream) {
		m->starting_position = xstrdup("TRIM_HORIZON");
		m->parallel = 1;
		m->retries = m->record_age_s = -1;
		world_arn(w, "sqs", "orders-enrich-fail", arn, sizeof arn);
		m->on_failure = xstrdup(arn);
	}
	world_mapping_add(w, m);
	return m;
}

/* ---- topics and alarms */

static void add_topics(struct world *w)
{
	struct sim_topic *t = topic_new(w, "oncall-data");
	topic_subscribe(w, t, "https", "https://events.pager.example/integration/4f2a/enqueue")->confirmed = true;
	topic_subscribe(w, t, "email", "oncall-data@example.com")->confirmed = true;
	t = topic_new(w, "data-mail");
	topic_subscribe(w, t, "email", "data-platform@example.com")->confirmed = true;
	t = topic_new(w, "data-batch");
	topic_subscribe(w, t, "email", "batch-owner@example.com"); /* who never answered */
	for (unsigned i = 0; i < w->ntopics; i++)
		tags_set(&w->topics[i]->tags, &w->topics[i]->ntags, &w->topics[i]->captags, "owner", "data-platform");
}

enum managed { BY_STACK, BY_TERRAFORM, BY_HAND };

struct alarm_seed {
	const char *name, *ns, *metric, *stat, *dim, *value, *what, *topic;
	enum sim_compare compare;
	double threshold;
	int64_t n;
	enum sim_missing missing;
	enum managed by;
	bool off; /* its actions */
};

#define OWNED(what, page) what ". Owner: data-platform. Runbook: https://wiki.example/runbooks/orders#" page
static const struct alarm_seed alarm_seeds[] = {
	{ "HighErrorRate", "DataPipeline", "ErrorRate", "Average", "Stage", "enrich",
	  OWNED("More than 5 % of the batches fail", "error-rate"), "oncall-data", COMPARE_GT, 5.0, 3, MISSING_MISSING,
	  BY_STACK, false },
	{ "LowThroughput", "DataPipeline", "RecordsProcessed", "Sum", "Stage", "enrich",
	  OWNED("Fewer than 1000 records a minute", "throughput"), "oncall-data", COMPARE_LT, 1000, 3, MISSING_BREACHING,
	  BY_STACK, false },
	{ "DlqNotEmpty", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "QueueName", "orders-load-dlq",
	  OWNED("Something was given up", "dead-letters"), "oncall-data", COMPARE_GT, 0, 1, MISSING_NOT_BREACHING, BY_STACK,
	  false },
	{ "IteratorAgeHigh", "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "Maximum", "StreamName", "orders-ingest",
	  OWNED("Records wait for more than 30 minutes", "iterator-age"), "data-mail", COMPARE_GT, 1800000, 1,
	  MISSING_MISSING, BY_TERRAFORM, false },
	{ "LoadBacklog", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "QueueName", "orders-load",
	  OWNED("More than 5,000 messages wait", "backlog"), "oncall-data", COMPARE_GT, 5000, 3, MISSING_NOT_BREACHING,
	  BY_TERRAFORM, false },
	{ "LoadAge", "AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", "QueueName", "orders-load",
	  "The oldest message waits for more than 15 minutes", "data-batch", COMPARE_GT, 900, 3, MISSING_NOT_BREACHING,
	  BY_HAND, false },
	{ "LoaderThrottles", "AWS/Lambda", "Throttles", "Sum", "FunctionName", "orders-loader",
	  "The loader is throttled. Owner: lake", "oncall-data", COMPARE_GT, 0, 1, MISSING_NOT_BREACHING, BY_HAND, true },
};

static void tag_alarm(struct sim_alarm *a, enum managed by)
{
	if (by == BY_STACK)
		tags_set(&a->tags, &a->ntags, &a->captags, "aws:cloudformation:stack-name", SIM_STACK);
	if (by == BY_TERRAFORM)
		tags_set(&a->tags, &a->ntags, &a->captags, "managed-by", "terraform");
	if (by != BY_HAND)
		tags_set(&a->tags, &a->ntags, &a->captags, "owner", "data-platform");
}

static void add_alarm(struct world *w, const struct alarm_seed *s)
{
	char topic[256];
	struct sim_alarm *a = xcalloc(1, sizeof *a);
	world_arn(w, "sns", s->topic, topic, sizeof topic);
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
		.actions_enabled = !s->off,
	};
	a->dims[0] = (struct sim_dim){ xstrdup(s->dim), xstrdup(s->value) };
	a->actions[STATE_ALARM][0] = xstrdup(topic);
	tag_alarm(a, s->by);
	alarm_add(w, a);
	free(a->reason);
	a->reason = xasprintf("Threshold Crossed: %lld out of the last %lld datapoints were not over the threshold (%g).",
	                      (long long)s->n, (long long)s->n, s->threshold);
	a->state = STATE_OK;
	a->configured_ms = a->updated_ms = a->since_ms = w->now_ms - 21 * DAY_MS;
}

/* ---- the account */

#define WHO(role, session) "arn:aws:sts::" SIM_ACCOUNT ":assumed-role/" role "/" session
#define DEPLOYER WHO("deployer", "dana.k")
#define DEVELOPER WHO("developer", "sam.w")
#define ONCALL WHO("oncall", "ops")

static void past(struct world *w, const char *service, const char *op, const char *who, int64_t minutes_ago,
                 const char *args)
{
	trail_past(w, service, op, who, ago_ms(w, minutes_ago), args);
}

static void add_releases(struct world *w, struct sim_function *enrich, struct sim_function *loader)
{
	add_version(w, enrich, 40, ago_ms(w, 23 * 1440), "release 40");
	add_version(w, enrich, 41, ago_ms(w, 9 * 1440), "release 41");
	add_version(w, loader, 16, ago_ms(w, 40 * 1440), "release 16");
	add_version(w, loader, 17, ago_ms(w, 12 * 1440), "release 17");
	alias_set(w, enrich, "live", 41);
	alias_set(w, loader, "live", 17);
	past(w, "lambda", "UpdateAlias", DEPLOYER, 9 * 1440 - 3,
	     "{\"FunctionName\":\"orders-enrich\",\"Name\":\"live\",\"FunctionVersion\":\"41\"}");
	past(w, "lambda", "UpdateAlias", DEPLOYER, 12 * 1440 - 4,
	     "{\"FunctionName\":\"orders-loader\",\"Name\":\"live\",\"FunctionVersion\":\"17\"}");
	past(w, "monitoring", "DisableAlarmActions", DEVELOPER, 12 * 1440 + 31, "{\"AlarmNames\":[\"LoaderThrottles\"]}");
}

void furnish(struct world *w)
{
	char arn[256];
	struct sim_stream *s = stream_new(w, "orders-ingest", 8);
	s->created_ms = w->now_ms - 41 * DAY_MS;
	s->shard_metrics = w->scenario->enhanced ? SHARD_METRICS_ALL : 0;
	struct sim_queue *load = add_queue(w, "orders-load");
	struct sim_queue *dead = add_queue(w, "orders-load-dlq");
	add_queue(w, "orders-enrich-fail");
	add_queue(w, "billing-events");
	dead->visibility_s = 30;
	world_arn(w, "sqs", dead->name, arn, sizeof arn);
	load->dead_arn = xstrdup(arn);
	load->max_receive = SCENARIO_RECEIVES;
	struct sim_function *enrich =
	    add_function(w, "orders-enrich", "python3.12", 30, "Adds customer and stock to each order");
	struct sim_function *loader =
	    add_function(w, "orders-loader", "python3.12", 60, "Writes enriched orders to the lake");
	add_function(w, "nightly-report", "nodejs20.x", 300, "Sales of the day, by mail");
	add_function(w, "thumbnailer", "python3.12", 15, "");
	add_releases(w, enrich, loader);
	add_mapping(w, "kinesis", "orders-ingest", "orders-enrich");
	add_mapping(w, "sqs", "orders-load", "orders-loader");
	add_topics(w);
	for (size_t i = 0; i < sizeof alarm_seeds / sizeof *alarm_seeds; i++)
		add_alarm(w, &alarm_seeds[i]);
}

/* ---- what happens on the way */

static void release(struct world *w, const char *function, unsigned number, int64_t k, const char *who,
                    const char *what)
{
	struct sim_function *fn = world_function(w, function);
	char args[200];
	if (!fn)
		return;
	add_version(w, fn, number, (k - 4) * MINUTE_MS, what);
	alias_set(w, fn, "live", number);
	snprintf(args, sizeof args, "{\"FunctionName\":\"%s\",\"Description\":\"%s\"}", function, what);
	trail_past(w, "lambda", "PublishVersion", who, (k - 4) * MINUTE_MS, args);
	snprintf(args, sizeof args, "{\"FunctionName\":\"%s\",\"Name\":\"live\",\"FunctionVersion\":\"%u\"}", function,
	         number);
	trail_past(w, "lambda", "UpdateAlias", who, k * MINUTE_MS, args);
}

static char *order_record(unsigned i, int64_t at_ms)
{
	return xasprintf("{\"order_id\":\"o-%u\",\"ts\":%lld,\"customer\":\"c-%06u\",\"lines\":[{\"s\":4812099,\"q\":%u}],"
	                 "\"note\":\"%0480u\","
	                 "\"schema\":2}",
	                 88085 + i, (long long)at_ms, i * 7919 % 1000000, 1 + i % 9, i);
}

/* An order of 48,112 lines: almost a megabyte. */
static char *huge_record(int64_t at_ms)
{
	struct buf b;
	buf_init(&b, 1u << 20);
	buf_addf(&b, "{\"order_id\":\"o-88121\",\"ts\":%lld,\"customer\":\"c-004812\",\"lines\":[", (long long)at_ms);
	for (unsigned i = 0; i < 48112; i++)
		buf_addf(&b, "%s{\"s\":%07u,\"q\":%u}", i ? "," : "", 1000000 + i, 1 + i % 9);
	buf_adds(&b, "],\"schema\":2}");
	return buf_steal(&b);
}

static void poison(struct world *w, int64_t k)
{
	struct sim_stream *s = world_stream(w, "orders-ingest");
	char key[32];
	unsigned tried = 0;
	for (unsigned i = 0; s && i < 500; i++) {
		int64_t at_ms = k * MINUTE_MS + i * 10;
		char *text = i == SCENARIO_POISON_AT ? huge_record(at_ms) : order_record(i, at_ms);
		do
			snprintf(key, sizeof key, "c-%u", tried++);
		while (stream_shard_of_key(s, key, NULL) != &s->shards[SCENARIO_HELD]);
		stream_keep(s, &s->shards[SCENARIO_HELD], key, span_of(text), at_ms);
		free(text);
	}
}

void furnish_minute(struct world *w, int64_t k)
{
	const struct scenario *s = w->scenario;
	if (s->released && k == w->minute0 - s->released)
		release(w, "orders-enrich", 42, k, DEPLOYER, s->pool ? "release 42: connection pool" : "release 42: schema 2");
	if (s->fixed && k == w->minute0 - s->fixed)
		release(w, "orders-loader", 18, k, ONCALL, "release 18: reads dates of zeros");
	if (s->poisoned && k == w->minute0 - s->poisoned)
		poison(w, k);
	struct sim_function *loader = world_function(w, "orders-loader");
	if (s->reserved && k == w->minute0 - s->reserved && loader) {
		loader->reserved_said = true;
		loader->reserved = 20;
		trail_past(w, "lambda", "PutFunctionConcurrency", DEVELOPER, k * MINUTE_MS,
		           "{\"FunctionName\":\"orders-loader\",\"ReservedConcurrentExecutions\":20}");
	}
}

/* ---- the stack */

static const struct sim_member members[] = {
	{ "AWS::Kinesis::Stream", "Ingest", "orders-ingest", "kinesis", "stream/", false },
	{ "AWS::SQS::Queue", "Load", "orders-load", "sqs", "", false },
	{ "AWS::SQS::Queue", "LoadDlq", "orders-load-dlq", "sqs", "", false },
	{ "AWS::SQS::Queue", "EnrichFailures", "orders-enrich-fail", "sqs", "", false },
	{ "AWS::Lambda::Function", "Enrich", "orders-enrich", "lambda", "function:", false },
	{ "AWS::Lambda::Function", "Loader", "orders-loader", "lambda", "function:", false },
	{ "AWS::Lambda::Function", "Validate", "orders-validate", NULL, NULL, true },
	{ "AWS::IAM::Role", "Role", "orders-role", NULL, NULL, false },
	{ "AWS::CloudWatch::Alarm", "ErrorRate", "HighErrorRate", NULL, NULL, false },
	{ "AWS::CloudWatch::Alarm", "Throughput", "LowThroughput", NULL, NULL, false },
	{ "AWS::CloudWatch::Alarm", "DeadLetters", "DlqNotEmpty", NULL, NULL, false },
};

const struct sim_member *scenario_members(const struct world *w, unsigned *n)
{
	*n = w->scenario->furnished ? sizeof members / sizeof *members : 0;
	return members;
}
