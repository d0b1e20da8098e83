/* A made-up snapshot for the console's tests: the incident of a poison batch, as a poll would show it. */
#ifndef TESTS_PICTURE_H
#define TESTS_PICTURE_H

#include "core/mem.h"
#include "core/model/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PICTURE_NOW 1795403682 /* 2026-11-23T03:14:42Z */

static const struct metric_info picture_queue[] = {
	{ "sent", "Messages sent", FROM_CLOUDWATCH, "NumberOfMessagesSent", "Sum", NULL, NULL, ROLE_IN, UNIT_COUNT, true },
	{ "deleted", "Messages deleted", FROM_CLOUDWATCH, "NumberOfMessagesDeleted", "Sum", NULL, NULL, ROLE_OUT, UNIT_COUNT, true },
	{ "visible", "Messages visible", FROM_DIRECT, NULL, NULL, NULL, NULL, ROLE_BACKLOG, UNIT_COUNT, false },
	{ "age", "Age of oldest message", FROM_CLOUDWATCH, "ApproximateAgeOfOldestMessage", "Maximum", NULL, NULL, ROLE_AGE, UNIT_SECONDS, true },
};
static const struct metric_info picture_stream[] = {
	{ "records", "Incoming records", FROM_CLOUDWATCH, "IncomingRecords", "Sum", NULL, NULL, ROLE_IN, UNIT_COUNT, true },
	{ "read", "Records read", FROM_CLOUDWATCH, "GetRecords.Records", "Sum", NULL, NULL, ROLE_OUT, UNIT_COUNT, true },
	{ "bytes", "Incoming bytes", FROM_CLOUDWATCH, "IncomingBytes", "Sum", NULL, NULL, ROLE_NONE, UNIT_BYTES, true },
	{ "age", "Iterator age", FROM_CLOUDWATCH, "GetRecords.IteratorAgeMilliseconds", "Maximum", NULL, NULL, ROLE_AGE, UNIT_MILLISECONDS, false },
};
static const struct metric_info picture_function[] = {
	{ "invocations", "Invocations", FROM_CLOUDWATCH, "Invocations", "Sum", NULL, NULL, ROLE_IN, UNIT_COUNT, true },
	{ "succeeded", "Invocations without error", FROM_DIFFERENCE, NULL, NULL, "invocations", "errors", ROLE_OUT, UNIT_COUNT, true },
	{ "error_rate", "Error rate", FROM_RATIO, NULL, NULL, "errors", "invocations", ROLE_ERROR, UNIT_PERCENT, true },
	{ "duration_p95", "Duration p95", FROM_CLOUDWATCH, "Duration", "p95", NULL, NULL, ROLE_LATENCY, UNIT_MILLISECONDS, true },
};
#define PICTURE_KIND(id, title, ns, dim, m, spark, why) { id, title, ns, dim, m, sizeof m / sizeof *m, spark, why }
static const struct kind_info picture_sqs = PICTURE_KIND("sqs", "SQS queue", "AWS/SQS", "QueueName", picture_queue, "visible", "its dead-letter queue is its errors");
static const struct kind_info picture_kinesis = PICTURE_KIND("kinesis", "Kinesis stream", "AWS/Kinesis", "StreamName", picture_stream, "age", "throttles are its errors");
static const struct kind_info picture_lambda = PICTURE_KIND("lambda", "Lambda function", "AWS/Lambda", "FunctionName", picture_function, "invocations", NULL);

static void picture_row(struct snapshot *s, struct row *r, const char *name, const struct kind_info *kind, enum health h,
                        const char *reason, const double *values)
{
	*r = (struct row){ .name = name, .resource = name, .kind = kind, .health = h, .reason = reason, .spark_key = kind->spark };
	for (const char *p = name; *p; p++)
		r->id = r->id * 131 + (unsigned char)*p;
	struct reading *rd = arena_array(&s->mem, kind->nmetrics, sizeof *rd);
	for (unsigned i = 0; i < kind->nmetrics; i++) {
		bool direct = kind->metrics[i].from == FROM_DIRECT;
		rd[i] = (struct reading){ &kind->metrics[i], values[i], isnan(values[i]) ? 0 : direct ? PICTURE_NOW - 4 : PICTURE_NOW - 162, h == HEALTH_STALE };
		r->by_role[kind->metrics[i].role] = &rd[i];
	}
	r->by_role[ROLE_NONE] = NULL;
	r->readings = rd;
	r->nreadings = kind->nmetrics;
	for (unsigned i = 0; i < SPARK_LEN; i++)
		r->spark[i] = isnan(values[0]) ? SPARK_GAP : (uint8_t)(i * 9 / SPARK_LEN);
	s->count[h]++;
}

static struct snapshot *picture(void)
{
	struct snapshot *s = xcalloc(1, sizeof *s);
	arena_init(&s->mem);
	struct row *rows = arena_array(&s->mem, 6, sizeof *rows);
	picture_row(s, &rows[0], "orders-ingest", &picture_kinesis, HEALTH_ALARM, "oldest 6h09m, growing 1.00 s/s",
	            (double[]){ 24720, 21660, 1234567890, 22140000 });
	picture_row(s, &rows[1], "orders-enrich", &picture_lambda, HEALTH_ALARM, "error rate 7.8 % > 5 %, 3 of 3 points",
	            (double[]){ 21660, 19970, 7.8, 81.3 });
	picture_row(s, &rows[2], "orders-load", &picture_sqs, HEALTH_OK, "", (double[]){ 21660, 21600, 214, 14 });
	picture_row(s, &rows[3], "orders-loader", &picture_lambda, HEALTH_STALE, "the newest datapoint is 44m old", (double[]){ 21600, 21560, 0.2, 95 });
	picture_row(s, &rows[4], "orders-load-dlq", &picture_sqs, HEALTH_WARN, "1,291 messages in this dead-letter queue > 0",
	            (double[]){ 24, 0, 1291, 266400 });
	picture_row(s, &rows[5], "orders-curate", &picture_lambda, HEALTH_UNKNOWN, "lambda:ListFunctions: not authorized",
	            (double[]){ NAN, NAN, NAN, NAN });
	rows[4].dlq = true;
	static const struct fact facts[] = { { "retention_s", "345600" }, { "visibility_s", "30" }, { "fifo", "false" } };
	rows[4].facts = facts;
	rows[4].nfacts = 3;
	rows[4].fed_by = "sqs:orders-load";
	rows[4].arn = "arn:aws:sqs:eu-west-1:123456789012:orders-load-dlq";
	s->rows = rows;
	s->nrows = 6;
	struct pipeline *p = arena_array(&s->mem, 1, sizeof *p);
	*p = (struct pipeline){ "orders", HEALTH_ALARM, 0, 6 };
	s->pipelines = p;
	s->npipelines = 1;
	struct alarm *a = arena_array(&s->mem, 3, sizeof *a);
	a[0] = (struct alarm){ .name = "HighErrorRate", .metric = "DataPipeline/ErrorRate{Stage=orders-enrich}:Average", .comparison = ">", .threshold = 5,
		                   .state = ALARM_STATE_ALARM, .since = PICTURE_NOW - 1980, .actions_enabled = true, .reason = "Threshold Crossed: 3 datapoints" };
	a[1] = (struct alarm){ .name = "CurateHeartbeat", .metric = "DataPipeline/RunCompleted{Stage=orders-curate}:Sum", .comparison = "<", .threshold = 1,
		                   .state = ALARM_STATE_INSUFFICIENT, .since = PICTURE_NOW - 2640, .reason = "no data" };
	a[2] = (struct alarm){ .name = "AnyOfThem", .metric = "ALARM(HighErrorRate) OR ALARM(CurateHeartbeat)", .comparison = "", .threshold = NAN,
		                   .state = ALARM_STATE_OK, .since = PICTURE_NOW - 86400, .actions_enabled = true, .composite = true };
	s->alarms = a;
	s->nalarms = 3;
	s->alarms_at = PICTURE_NOW - 4;
	s->alarms_current = true;
	struct api_health *api = arena_array(&s->mem, 1, sizeof *api);
	*api = (struct api_health){ .op = "lambda:ListFunctions", .calls = 3, .failed = 3 };
	err_set(&api->last, ERR_DENIED, "lambda:ListFunctions", "User: arn:aws:iam::123456789012:user/ops is not authorized");
	snprintf(api->last.action, sizeof api->last.action, "lambda:ListFunctions");
	s->apis = api;
	s->napis = 1;
	snprintf(s->target.account, sizeof s->target.account, "123456789012");
	snprintf(s->target.region, sizeof s->target.region, "eu-west-1");
	s->cost.usd_per_day = s->cost.today_usd = NAN;
	s->phase = PHASE_LIVE;
	s->settled = true;
	s->at = PICTURE_NOW;
	s->polled_at = PICTURE_NOW - 4;
	s->data_to = PICTURE_NOW - 102;
	return s;
}

/* The same with a first-loss clock, links, events, costs, and alarms that know what they watch. */
static struct snapshot *picture_rich(void)
{
	struct snapshot *s = picture();
	struct row *rows = (struct row *)(uintptr_t)s->rows;
	rows[0].loss = (struct loss){ .state = LOSS_EXACT, .low = PICTURE_NOW + 64230, .high = PICTURE_NOW + 64230, .rate = 51,
		                          .what = "first record", .where = "shard 3", .basis = "age 6h09m, growing 1.00 s/s, retention 24h",
		                          .from = PICTURE_NOW - 102, .age = 22140, .slope = 1, .retention = 86400 };
	rows[2].loss = (struct loss){ .state = LOSS_SAFE };
	rows[4].loss = (struct loss){ .state = LOSS_BETWEEN, .low = PICTURE_NOW + 7200, .high = PICTURE_NOW + 79260, .rate = NAN,
		                          .what = "first message", .basis = "retention 4d" };
	struct row_link *l = arena_array(&s->mem, 3, sizeof *l);
	l[0] = (struct row_link){ .from = 0, .to = 1, .kind = "mapping", .rate = 361 };
	l[1] = (struct row_link){ .from = 2, .to = 3, .kind = "mapping", .rate = 360 };
	l[2] = (struct row_link){ .from = 2, .to = 4, .kind = "dlq", .rate = NAN };
	s->links = l;
	s->nlinks = 3;
	struct event *e = arena_array(&s->mem, 3, sizeof *e);
	e[0] = (struct event){ PICTURE_NOW - 2022, PICTURE_NOW - 2022, EVENT_ALARM, "cloudwatch", "HighErrorRate", NULL, "OK -> ALARM", NULL, "cloudwatch:DescribeAlarmHistory" };
	e[1] = (struct event){ PICTURE_NOW - 22182, PICTURE_NOW - 22182, EVENT_CALL, "lambda", "orders-enrich", NULL, "UpdateAlias", "dev", "cloudtrail:LookupEvents" };
	e[2] = (struct event){ PICTURE_NOW - 23022, PICTURE_NOW - 22602, EVENT_RELEASE, "lambda", "orders-enrich", NULL, "alias live v41 -> v42", NULL, "lambda:ListAliases" };
	s->events = e;
	s->nevents = 3;
	struct alarm *a = (struct alarm *)(uintptr_t)s->alarms;
	a[0].name = "DlqAge";
	a[0].metric = "AWS/SQS/ApproximateAgeOfOldestMessage{QueueName=orders-load-dlq}:Maximum";
	a[0].threshold = 86400;
	a[0].row = rows[4].id;
	s->cost.usd_per_day = 0.55;
	s->cost.today_usd = NAN;
	return s;
}

#endif
