/* Operations: the requests they build, and the answers they read in every shape that services and emulators produce. */
#include "aws/kind.h"
#include "aws/op_cloudwatch.h"
#include "aws/op_group.h"
#include "aws/op_sts.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- requests */

static void build(const struct op *op, const void *in, struct http_req *rq)
{
	struct err e = { 0 };
	http_req_init(rq);
	if (!op->build(in, rq, &e))
		fail_msg("%s: %s", op->name, e.text);
	wire_frame(op, rq);
}

static const char *header(const struct http_req *rq, const char *name)
{
	const char *value = NULL;
	for (unsigned i = 0; i < rq->nheaders; i++)
		if (strcmp(rq->headers[i].name, name) == 0)
			value = rq->headers[i].value;
	return value;
}

static void builds(const struct op *op, const void *in, const char *line, const char *body)
{
	struct http_req rq;
	char got[256];
	build(op, in, &rq);
	snprintf(got, sizeof got, "%s %s%s%s", rq.method, rq.path.p, rq.query.n ? "?" : "", rq.query.n ? rq.query.p : "");
	assert_string_equal(got, line);
	assert_string_equal(rq.body.p ? rq.body.p : "", body);
	http_req_clear(&rq);
}

static void test_wires(void **state)
{
	(void)state;
	struct http_req rq;
	struct list_in in = { { NULL } };
	struct describe_alarms_in alarms = { .page = { NULL } };
	build(&op_describe_alarms, &alarms, &rq);
	assert_string_equal(header(&rq, "Content-Type"), "application/x-amz-json-1.0");
	assert_string_equal(header(&rq, "X-Amz-Target"), "GraniteServiceVersion20100801.DescribeAlarms");
	assert_string_equal(header(&rq, "x-amzn-query-mode"), "true");
	http_req_clear(&rq);
	build(kind_find("kinesis")->list, &in, &rq);
	assert_string_equal(header(&rq, "Content-Type"), "application/x-amz-json-1.1");
	assert_string_equal(header(&rq, "X-Amz-Target"), "Kinesis_20131202.ListStreams");
	assert_null(header(&rq, "x-amzn-query-mode"));
	http_req_clear(&rq);
	build(kind_find("lambda")->list, &in, &rq);
	assert_null(header(&rq, "Content-Type"));
	assert_null(header(&rq, "X-Amz-Target"));
	http_req_clear(&rq);
	build(&op_get_caller_identity, NULL, &rq);
	assert_string_equal(header(&rq, "Content-Type"), "application/x-www-form-urlencoded; charset=utf-8");
	http_req_clear(&rq);
}

static void test_requests(void **state)
{
	(void)state;
	struct list_in first = { { NULL } };
	struct list_in next = { { (char[]){ "t\"o k/en+=" } } };
	struct list_in by_token = { { (char[]){ "ttok" } } }, by_name = { { (char[]){ "nlast" } } };
	struct describe_in one = { "orders", "http://h/1/orders" };
	struct parts_in shards = { { NULL }, "orders" }, more_shards = { { (char[]){ "tok" } }, "orders" };
	struct sources_in sources = { { NULL }, "http://h/1/dlq" };
	struct group_in stack = { .page = { (char[]){ "tok" } }, .stack = "my stack" };
	struct group_in tag = { .page = { (char[]){ "tok" } }, .key = "team", .value = "or\"ders" },
	                any = { .key = "team" };
	struct list_metrics_in all = { { NULL }, NULL, NULL, false };
	struct list_metrics_in some = { { (char[]){ "tok" } }, "AWS/SQS", "M", true };
	struct describe_alarms_in alarms = { .page = { (char[]){ "tok" } } };
	builds(&op_get_caller_identity, NULL, "POST /", "Action=GetCallerIdentity&Version=2011-06-15");
	builds(kind_find("sqs")->list, &first, "POST /", "{\"MaxResults\":1000}");
	builds(kind_find("sqs")->list, &next, "POST /", "{\"MaxResults\":1000,\"NextToken\":\"t\\\"o k/en+=\"}");
	builds(kind_find("sqs")->describe, &one, "POST /",
	       "{\"QueueUrl\":\"http://h/1/orders\",\"AttributeNames\":[\"All\"]}");
	builds(kind_find("kinesis")->list, &first, "POST /", "{\"Limit\":100}");
	builds(kind_find("kinesis")->list, &by_token, "POST /", "{\"Limit\":100,\"NextToken\":\"tok\"}");
	builds(kind_find("kinesis")->list, &by_name, "POST /", "{\"Limit\":100,\"ExclusiveStartStreamName\":\"last\"}");
	builds(kind_find("kinesis")->describe, &one, "POST /", "{\"StreamName\":\"orders\"}");
	builds(kind_find("kinesis")->parts, &shards, "POST /", "{\"MaxResults\":1000,\"StreamName\":\"orders\"}");
	builds(kind_find("kinesis")->parts, &more_shards, "POST /", "{\"MaxResults\":1000,\"NextToken\":\"tok\"}");
	builds(kind_find("lambda")->list, &first, "GET /2015-03-31/functions?MaxItems=50", "");
	builds(kind_find("lambda")->list, &next, "GET /2015-03-31/functions?MaxItems=50&Marker=t%22o%20k%2Fen%2B%3D", "");
	builds(kind_find("lambda")->edges, &first, "GET /2015-03-31/event-source-mappings?MaxItems=100", "");
	builds(kind_find("sqs")->sources, &sources, "POST /", "{\"QueueUrl\":\"http://h/1/dlq\",\"MaxResults\":1000}");
	builds(&op_list_stack_resources, &stack, "POST /",
	       "Action=ListStackResources&Version=2010-05-15&StackName=my%20stack&NextToken=tok");
	builds(&op_get_resources, &tag, "POST /",
	       "{\"TagFilters\":[{\"Key\":\"team\",\"Values\":[\"or\\\"ders\"]}],\"ResourcesPerPage\":100,"
	       "\"PaginationToken\":\"tok\"}");
	builds(&op_get_resources, &any, "POST /", "{\"TagFilters\":[{\"Key\":\"team\"}],\"ResourcesPerPage\":100}");
	builds(&op_list_metrics, &all, "POST /", "{}");
	builds(&op_list_metrics, &some, "POST /",
	       "{\"Namespace\":\"AWS/SQS\",\"MetricName\":\"M\",\"RecentlyActive\":\"PT3H\",\"NextToken\":\"tok\"}");
	builds(
	    &op_describe_alarms, &alarms, "POST /",
	    "{\"AlarmTypes\":[\"MetricAlarm\",\"CompositeAlarm\",\"LogAlarm\"],\"MaxRecords\":100,\"NextToken\":\"tok\"}");
}

static void one_metric(struct metric_id *m)
{
	metric_set(m, "AWS/SQS", "NumberOfMessagesSent", "Sum");
	metric_add_dim(m, "QueueName", "or\"ders");
}

#define QUERY(id)                                                                                                      \
	"{\"Id\":\"" id                                                                                                    \
	"\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"AWS/SQS\",\"MetricName\":\"NumberOfMessagesSent\","                \
	"\"Dimensions\":[{\"Name\":\"QueueName\",\"Value\":\"or\\\"ders\"}]},\"Period\":60,\"Stat\":\"Sum\"}}"

static void test_metric_queries(void **state)
{
	(void)state;
	struct metric_queries q;
	struct metric_id m;
	one_metric(&m);
	metric_queries_init(&q, 60);
	assert_true(metric_queries_add(&q, &m));
	assert_true(metric_queries_add(&q, &m));
	struct get_metric_data_in in = { { NULL }, &q, 1767322800, 1767323100 };
	builds(&op_get_metric_data, &in, "POST /",
	       "{\"StartTime\":1767322800,\"EndTime\":1767323100,\"MetricDataQueries\":[" QUERY("m0") "," QUERY("m1") "]}");
	struct get_metric_data_in next = { { (char[]){ "a\"b" } }, &q, 60, 120 };
	builds(&op_get_metric_data, &next, "POST /",
	       "{\"StartTime\":60,\"EndTime\":120,\"MetricDataQueries\":[" QUERY("m0") "," QUERY(
	           "m1") "],\"NextToken\":\"a\\\"b\"}");
	while (q.n < 500)
		assert_true(metric_queries_add(&q, &m));
	size_t n = q.json.n;
	assert_false(metric_queries_add(&q, &m));
	assert_int_equal(q.json.n, n);
	metric_queries_clear(&q);
	metric_clear(&m);
}

static void test_no_half_query(void **state)
{
	(void)state;
	struct metric_queries q;
	struct metric_id m;
	one_metric(&m);
	metric_queries_init(&q, 60);
	q.json.max = sizeof QUERY("m0") + 100; /* room for one and a half */
	assert_true(metric_queries_add(&q, &m));
	assert_false(metric_queries_add(&q, &m));
	assert_int_equal(q.n, 1);
	assert_string_equal(q.json.p, QUERY("m0"));
	metric_queries_clear(&q);
	metric_clear(&m);
}

static void test_escaping(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1000);
	assert_true(wire_escape(&b, SPAN("AZaz09-._~ +/:=%\0\xc3\xa4")));
	assert_string_equal(b.p, "AZaz09-._~%20%2B%2F%3A%3D%25%00%C3%A4");
	buf_reset(&b);
	assert_true(wire_param(&b, "a", NULL));
	assert_true(wire_param(&b, "a", ""));
	assert_true(wire_param(&b, "b c", "d&e"));
	assert_string_equal(b.p, "a=&b%20c=d%26e");
	buf_clear(&b);
}

/* ---- answers: what they are read into, and what they come to as text */

struct got {
	struct found found;
	struct get_metric_data_out data;
	enum metric_status status[4];
	struct list_metrics_out metrics;
	struct describe_alarms_out alarms;
	struct caller_identity identity;
	struct buf points;
};

static void on_point(void *ctx, unsigned query, int64_t t, double v)
{
	assert_true(query < 4);
	assert_true(isfinite(v));
	buf_addf(ctx, "m%u %lld %g|", query, (long long)t, v);
}

static struct got *got_new(void)
{
	struct got *g = xcalloc(1, sizeof *g);
	found_init(&g->found);
	buf_init(&g->points, 1 << 20);
	for (unsigned i = 0; i < 4; i++)
		g->status[i] = METRIC_UNANSWERED;
	g->data = (struct get_metric_data_out){ .point = on_point, .ctx = &g->points, .status = g->status, .n = 3 };
	return g;
}

static void got_free(struct got *g)
{
	assert_int_equal(g->status[3], METRIC_UNANSWERED); /* beyond what was asked for */
	found_clear(&g->found);
	free(g->data.page.token);
	list_metrics_out_clear(&g->metrics);
	describe_alarms_out_clear(&g->alarms);
	buf_clear(&g->points);
	free(g);
}

static void *out_of(struct got *g, const struct op *op)
{
	return op == &op_get_metric_data       ? (void *)&g->data
	       : op == &op_list_metrics        ? (void *)&g->metrics
	       : op == &op_describe_alarms     ? (void *)&g->alarms
	       : op == &op_get_caller_identity ? (void *)&g->identity
	                                       : (void *)&g->found;
}

static bool read_span(const struct op *op, struct span body, struct got *g, struct err *e)
{
	struct http_res res = { .status = 200, .body = body };
	err_clear(e);
	bool ok = op->read(&res, out_of(g, op), e);
	assert_true(ok == (e->code == ERR_OK));
	assert_true(ok || e->code == ERR_BADREPLY);
	if (!ok)
		assert_true(e->text[0]);
	return ok;
}

static struct got *reads(const struct op *op, const char *body)
{
	struct err e;
	struct got *g = got_new();
	if (!read_span(op, span_of(body), g, &e))
		fail_msg("%s: %s\n%s", op->name, e.text, body);
	return g;
}

static void refuses(const struct op *op, const char *body)
{
	struct err e;
	struct got *g = got_new();
	if (read_span(op, span_of(body), g, &e))
		fail_msg("%s accepted %s", op->name, body);
	assert_null(g->data.page.token);
	got_free(g);
}

/* ---- GetMetricData */

static void points(const char *body, const char *expected, const char *token)
{
	struct got *g = reads(&op_get_metric_data, body);
	assert_string_equal(g->points.p ? g->points.p : "", expected);
	if (token)
		assert_string_equal(g->data.page.token, token);
	else
		assert_null(g->data.page.token);
	got_free(g);
}

#define RESULTS(x) "{\"MetricDataResults\":[" x "]}"

static const char aws_shape[] = RESULTS(
    "{\"Id\":\"m0\",\"Label\":\"orders\",\"Timestamps\":[1767322860,1767322800],\"Values\":[2.5,1],\"StatusCode\":"
    "\"Complete\"},"
    "{\"Id\":\"m1\",\"Label\":\"x\",\"Timestamps\":[],\"Values\":[],\"StatusCode\":\"Complete\",\"Messages\":[]}");

static void test_points_in_every_shape(void **state)
{
	(void)state;
	points(aws_shape, "m0 1767322860 2.5|m0 1767322800 1|", NULL);
	/* values before timestamps, Id last, fractions, ISO strings, exponents */
	points(RESULTS("{\"Values\":[1e3,-0.5],\"Timestamps\":[1767322860.0,1767322800.9],\"Id\":\"m2\"}"),
	       "m2 1767322860 1000|m2 1767322800 -0.5|", NULL);
	points(RESULTS("{\"Id\":\"m0\",\"Timestamps\":[\"2026-01-02T03:00:00Z\",\"2026-01-02T04:01:00.5+01:00\"],"
	               "\"Values\":[1,2]}"),
	       "m0 1767322800 1|m0 1767322860 2|", NULL);
	points(RESULTS("{\"Id\":\"m0\",\"Timestamps\":[1.76732286E9],\"Values\":[7]}"), "m0 1767322860 7|", NULL);
	/* null and absent are empty; unknown members are passed over, however deep */
	points(RESULTS("{\"Id\":\"m0\",\"Timestamps\":null,\"Values\":null,\"StatusCode\":null,\"Messages\":null}"), "",
	       NULL);
	points("{\"MetricDataResults\":null,\"NextToken\":null,\"Messages\":null}", "", NULL);
	points("{}", "", NULL);
	points("{\"New\":{\"a\":[{},[],1,\"x\"]},\"MetricDataResults\":[{\"Id\":\"m0\",\"New\":[[{}]],\"Timestamps\":[60],"
	       "\"Values\":[1]}]}",
	       "m0 60 1|", NULL);
	/* what nobody asked for is not handed on; a value that is no number is a gap */
	points(
	    RESULTS("{\"Id\":\"m3\",\"Timestamps\":[60],\"Values\":[1]},{\"Id\":\"q0\",\"Timestamps\":[60],\"Values\":[1]},"
	            "{\"Id\":\"m00\",\"Timestamps\":[60],\"Values\":[1]},{\"Timestamps\":[60],\"Values\":[1]},"
	            "{\"Id\":\"m\",\"Timestamps\":[60],\"Values\":[1]},{\"Id\":\"m1x\",\"Timestamps\":[60],\"Values\":[1]},"
	            "{\"Id\":\"m4294967296\",\"Timestamps\":[60],\"Values\":[1]}"),
	    "", NULL);
	points(RESULTS("{\"Id\":\"m0\",\"Timestamps\":[60,120,180,240],\"Values\":[\"NaN\",null,1e999,4]}"), "m0 240 4|",
	       NULL);
	/* tokens, escapes and all */
	points("{\"NextToken\":\"a\\/b\\u00e4\",\"MetricDataResults\":[]}", "", "a/b\xc3\xa4");
	points("{\"NextToken\":\"\"}", "", NULL);
	/* the same Id twice in one page is appended */
	points(
	    RESULTS(
	        "{\"Id\":\"m0\",\"Timestamps\":[60],\"Values\":[1]},{\"Id\":\"m0\",\"Timestamps\":[120],\"Values\":[2]}"),
	    "m0 60 1|m0 120 2|", NULL);
}

static void test_bad_points(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"1",
		"\"x\"",
		"null",
		"<html>down</html>",
		"{\"MetricDataResults\":{}}",
		"{\"MetricDataResults\":[1]}",
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[60],\"Values\":[]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[60]}"),
		RESULTS("{\"Id\":\"m0\",\"Values\":[60]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[\"yesterday\"],\"Values\":[1]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[true],\"Values\":[1]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[1e300],\"Values\":[1]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[60],\"Values\":[true]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[60],\"Values\":[[1]]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":{},\"Values\":[1]}"),
		RESULTS("{\"Id\":\"m0\",\"Timestamps\":[60],\"Values\":[1],\"Values\":[2]}"),
		RESULTS("{\"Id\":\"m0\",\"Id\":\"m1\",\"Timestamps\":[60],\"Values\":[1]}"),
		RESULTS("{\"Id\":1,\"Timestamps\":[60],\"Values\":[1]}"),
		RESULTS("{\"Id\":\"m0\",\"StatusCode\":7}"),
		"{\"NextToken\":7}",
		"{\"NextToken\":\"a\\u0000b\"}",
		"{\"Messages\":{}}",
		"{\"Messages\":[7]}",
		"{} {}",
		"{\"MetricDataResults\":[]",
		"{\"MetricDataResults\":[}",
		"{\"NextToken\":\"t\",\"MetricDataResults\":[7]}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(&op_get_metric_data, bad[i]);
}

static void test_status(void **state)
{
	(void)state;
	struct got *g = reads(
	    &op_get_metric_data,
	    "{\"MetricDataResults\":[{\"Id\":\"m0\",\"StatusCode\":\"PartialData\",\"Timestamps\":[60],\"Values\":[1]},"
	    "{\"Id\":\"m1\",\"StatusCode\":\"Forbidden\",\"Messages\":[{\"Code\":\"ArgumentError\",\"Value\":\"no "
	    "\\\"right\\\"\"}]},"
	    "{\"Id\":\"m2\"}],\"NextToken\":\"t\",\"Messages\":[{\"Value\":\"second\"}]}");
	assert_int_equal(g->status[0], METRIC_PARTIAL);
	assert_int_equal(g->status[1], METRIC_FORBIDDEN);
	assert_int_equal(g->status[2], METRIC_UNANSWERED); /* it says nothing: nothing is known */
	assert_string_equal(g->data.message, "ArgumentError: no \"right\"");
	struct err e;
	assert_true(read_span(
	    &op_get_metric_data,
	    SPAN(RESULTS("{\"Id\":\"m0\",\"StatusCode\":\"Complete\",\"Timestamps\":[120],\"Values\":[2]},"
	                 "{\"Id\":\"m2\",\"StatusCode\":\"InternalError\"},{\"Id\":\"m1\",\"StatusCode\":\"Odd\"}")),
	    g, &e));
	assert_int_equal(g->status[0], METRIC_COMPLETE); /* a later page's word counts */
	assert_int_equal(g->status[1], METRIC_PARTIAL);  /* a word we do not know is not "complete" */
	assert_int_equal(g->status[2], METRIC_INTERNAL_ERROR);
	assert_null(g->data.page.token);
	assert_string_equal(g->points.p, "m0 60 1|m0 120 2|");
	got_free(g);
}

static void count_point(void *ctx, unsigned query, int64_t t, double v)
{
	(void)query, (void)t, (void)v;
	++*(unsigned *)ctx;
}

static void test_most_points(void **state)
{
	(void)state;
	struct buf b;
	for (unsigned n = 100799; n <= 100801; n++) {
		unsigned seen = 0;
		struct get_metric_data_out out = { .point = count_point, .ctx = &seen, .n = 1 };
		struct err e = { 0 };
		buf_init(&b, 16 << 20);
		buf_adds(&b, "{\"MetricDataResults\":[{\"Id\":\"m0\",\"Timestamps\":[0");
		for (unsigned i = 1; i < n; i++)
			buf_addf(&b, ",%u", i * 60);
		buf_adds(&b, "],\"Values\":[0");
		for (unsigned i = 1; i < n; i++)
			buf_addf(&b, ",%u.5", i);
		buf_adds(&b, "]}]}");
		struct http_res res = { .status = 200, .body = buf_span(&b) };
		assert_true(op_get_metric_data.read(&res, &out, &e) == (n <= 100800)); /* status NULL is fine */
		assert_int_equal(seen, n <= 100800 ? n : 0);
		buf_clear(&b);
	}
}

/* ---- the others */

#define ALARM_DIMS "\"Dimensions\":[{\"Name\":\"Stage\",\"Value\":\"b\"},{\"Name\":\"A\",\"Value\":\"x\"}]"
static const char alarms_answer[] =
    "{\"MetricAlarms\":[{\"AlarmName\":\"High\",\"AlarmArn\":\"arn:1\",\"AlarmDescription\":\"d\",\"StateReason\":"
    "\"r\",\"StateValue\":\"ALARM\","
    "\"StateUpdatedTimestamp\":1767322900.5,\"StateTransitionedTimestamp\":1767322800,\"MetricName\":\"ErrorRate\","
    "\"Namespace\":\"DataPipeline\","
    "\"ExtendedStatistic\":\"p95\"," ALARM_DIMS
    ",\"Threshold\":5.5,\"ComparisonOperator\":\"GreaterThanThreshold\",\"ActionsEnabled\":false},"
    "{\"AlarmName\":\"Math\",\"StateValue\":\"OK\",\"StateUpdatedTimestamp\":\"2026-01-02T03:00:00Z\",\"Metrics\":[{"
    "\"Id\":\"m1\",\"MetricStat\":"
    "{\"Metric\":{\"Namespace\":\"N\",\"MetricName\":\"M\"},\"Period\":60,\"Stat\":\"Sum\"},\"ReturnData\":false},"
    "{\"Id\":\"e\",\"Expression\":\"m1*2\"}],\"Threshold\":1,\"ComparisonOperator\":\"LessThanOrEqualToThreshold\"},"
    "{\"AlarmName\":\"Band\",\"StateValue\":\"INSUFFICIENT_DATA\",\"Metrics\":[{\"Id\":\"m1\",\"MetricStat\":{"
    "\"Metric\":{\"Namespace\":\"N\","
    "\"MetricName\":\"M\"},\"Period\":60,\"Stat\":\"Sum\"},\"ReturnData\":true}],\"ComparisonOperator\":"
    "\"LessThanLowerThreshold\"},"
    "{\"AlarmName\":\"Prom\",\"StateValue\":\"NEW\",\"EvaluationCriteria\":{\"PromQLCriteria\":{\"Query\":\"up == "
    "0\"}}}],"
    "\"CompositeAlarms\":[{\"AlarmName\":\"Both\",\"AlarmRule\":\"ALARM(High) AND "
    "ALARM(Math)\",\"StateValue\":\"ALARM\"}],"
    "\"LogAlarms\":[{\"AlarmName\":\"Log\",\"StateValue\":\"OK\",\"ScheduledQueryConfiguration\":{"
    "\"AggregationExpression\":\"count(*)\"}}],"
    "\"NextToken\":\"n\"}";

static void test_alarms(void **state)
{
	(void)state;
	struct got *g = reads(&op_describe_alarms, alarms_answer);
	const struct alarm *a = g->alarms.alarms;
	assert_int_equal(g->alarms.n, 6);
	assert_string_equal(a[0].name, "High");
	assert_string_equal(a[0].arn, "arn:1");
	assert_string_equal(a[0].description, "d");
	assert_string_equal(a[0].reason, "r");
	assert_string_equal(a[0].metric,
	                    "DataPipeline/ErrorRate{A=x,Stage=b}:p95"); /* the canonical text: dimensions sorted */
	assert_string_equal(a[0].comparison, ">");
	assert_true(a[0].threshold == 5.5);
	assert_int_equal(a[0].state, ALARM_STATE_ALARM);
	assert_int_equal(a[0].since, 1767322800); /* of the transition, not of the update */
	assert_false(a[0].actions_enabled);
	assert_false(a[0].composite);
	assert_string_equal(a[1].metric, "m1*2");
	assert_string_equal(a[1].comparison, "<=");
	assert_int_equal(a[1].since, 1767322800);
	assert_true(a[1].actions_enabled);
	assert_string_equal(a[2].metric, "N/M:Sum");
	assert_string_equal(a[2].comparison, "");
	assert_true(isnan(a[2].threshold));
	assert_int_equal(a[2].state, ALARM_STATE_INSUFFICIENT);
	assert_int_equal(a[2].since, 0);
	assert_string_equal(a[3].metric, "up == 0");
	assert_int_equal(a[3].state, ALARM_STATE_UNKNOWN);
	assert_string_equal(a[4].metric, "ALARM(High) AND ALARM(Math)");
	assert_true(a[4].composite);
	assert_string_equal(a[5].metric, "count(*)");
	assert_string_equal(g->alarms.page.token, "n");
	got_free(g);
	g = reads(&op_describe_alarms, "{\"MetricAlarms\":null,\"NextToken\":null}");
	assert_int_equal(g->alarms.n, 0);
	assert_null(g->alarms.page.token);
	got_free(g);
	refuses(&op_describe_alarms, "{\"MetricAlarms\":[{\"StateValue\":\"OK\"}]}");
}

static const char metrics_answer[] =
    "{\"Metrics\":[{\"Namespace\":\"AWS/SQS\",\"MetricName\":\"M\",\"Dimensions\":[{\"Name\":\"Q\",\"Value\":\"x\"}]},"
    "{\"Namespace\":\"N\",\"MetricName\":\"M\",\"Dimensions\":null}],\"NextToken\":\"n\",\"OwningAccounts\":[]}";

static void test_list_metrics(void **state)
{
	(void)state;
	struct got *g = reads(&op_list_metrics, metrics_answer);
	assert_int_equal(g->metrics.n, 2);
	assert_string_equal(g->metrics.metrics[0].ns, "AWS/SQS");
	assert_string_equal(g->metrics.metrics[0].dims[0].value, "x");
	assert_null(g->metrics.metrics[0].stat);
	assert_int_equal(g->metrics.metrics[1].ndims, 0);
	assert_string_equal(g->metrics.page.token, "n");
	struct err e;
	assert_true(read_span(&op_list_metrics, SPAN("{\"Metrics\":[{\"Namespace\":\"N\",\"MetricName\":\"Z\"}]}"), g, &e));
	assert_int_equal(g->metrics.n, 3); /* pages add up */
	assert_null(g->metrics.page.token);
	got_free(g);
	refuses(&op_list_metrics, "{\"Metrics\":[{\"Namespace\":\"N\"}]}");
}

static const char identity_answer[] =
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
    "<Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>AIDA</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></"
    "GetCallerIdentityResponse>";

static void test_identity(void **state)
{
	(void)state;
	struct got *g = reads(&op_get_caller_identity, identity_answer);
	assert_string_equal(g->identity.account, "123456789012");
	assert_string_equal(g->identity.arn, "arn:aws:iam::123456789012:user/ops");
	assert_string_equal(g->identity.user_id, "AIDA");
	got_free(g);
	refuses(&op_get_caller_identity, "<html/>");
	refuses(&op_get_caller_identity, "{\"Account\":\"123456789012\"}");
	refuses(&op_get_caller_identity,
	        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>12345678901x</Account>"
	        "</GetCallerIdentityResult></GetCallerIdentityResponse>");
}

/* ---- kinds */

static const char *fact(const struct found *f, const char *key)
{
	const char *value = NULL;
	for (unsigned i = 0; i < f->nfacts; i++)
		if (strcmp(f->facts[i].key, key) == 0) {
			assert_null(value); /* once */
			value = f->facts[i].value;
		}
	return value ? value : "-";
}

static const char queues_answer[] = "{\"QueueUrls\":[\"https://sqs.eu-west-1.amazonaws.com/123456789012/"
                                    "orders\",\"http://127.0.0.1:4566/0/o.fifo\"],\"NextToken\":\"n\"}";

static void test_queues(void **state)
{
	(void)state;
	const struct op *op = kind_find("sqs")->list;
	struct got *g = reads(op, queues_answer);
	assert_int_equal(g->found.nres, 2);
	assert_string_equal(g->found.res[0].name, "orders");
	assert_string_equal(g->found.res[0].handle, "https://sqs.eu-west-1.amazonaws.com/123456789012/orders");
	assert_null(g->found.res[0].arn);
	assert_string_equal(g->found.res[1].name, "o.fifo");
	assert_string_equal(g->found.page.token, "n");
	got_free(g);
	g = reads(op, "{}"); /* no queue at all */
	assert_int_equal(g->found.nres, 0);
	assert_null(g->found.page.token);
	got_free(g);
	refuses(op, "{\"QueueUrls\":[\"nothing\"]}");
	refuses(op, "{\"QueueUrls\":[\"http://h/1/\"]}");
	refuses(op, "{\"QueueUrls\":[7]}");
}

#define DLQ_ARN "arn:aws:sqs:eu-west-1:123456789012:orders-dlq"
static const char queue_answer[] =
    "{\"Attributes\":{\"QueueArn\":\"arn:aws:sqs:eu-west-1:123456789012:orders\",\"ApproximateNumberOfMessages\":"
    "\"12\","
    "\"ApproximateNumberOfMessagesNotVisible\":\"3\",\"ApproximateNumberOfMessagesDelayed\":\"0\","
    "\"VisibilityTimeout\":\"30\","
    "\"MessageRetentionPeriod\":\"345600\",\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"" DLQ_ARN
    "\\\",\\\"maxReceiveCount\\\":\\\"5\\\"}\",\"Policy\":\"{}\"}}";

static void test_queue(void **state)
{
	(void)state;
	const struct op *op = kind_find("sqs")->describe;
	struct got *g = reads(op, queue_answer);
	const struct found *f = &g->found;
	assert_string_equal(f->res[0].arn, "arn:aws:sqs:eu-west-1:123456789012:orders");
	assert_string_equal(fact(f, "arn"), "arn:aws:sqs:eu-west-1:123456789012:orders");
	assert_string_equal(fact(f, "retention_s"), "345600");
	assert_string_equal(fact(f, "visibility_s"), "30");
	assert_string_equal(fact(f, "fifo"), "false");
	assert_string_equal(fact(f, "dlq"), DLQ_ARN);
	assert_string_equal(fact(f, "max_receive_count"), "5");
	assert_string_equal(f->facts[0].res, "orders");
	assert_int_equal(f->nvalues, 3);
	assert_string_equal(f->values[0].key, "visible");
	assert_true(f->values[0].v == 12);
	assert_string_equal(f->values[1].key, "in_flight");
	assert_true(f->values[1].v == 3);
	assert_int_equal(f->nedges, 1);
	assert_int_equal(f->edges[0].kind, RELATION_DLQ);
	assert_string_equal(f->edges[0].to, DLQ_ARN);
	got_free(g);
	/* a count that is not there is unknown, not 0; a policy that cannot be read is none */
	g = reads(op, "{\"Attributes\":{\"QueueArn\":\"arn:aws:sqs:r:1:q.fifo\",\"FifoQueue\":\"true\",\"RedrivePolicy\":"
	              "\"{oops\"}}");
	assert_int_equal(g->found.nvalues, 0);
	assert_int_equal(g->found.nedges, 0);
	assert_string_equal(fact(&g->found, "fifo"), "true");
	assert_string_equal(fact(&g->found, "dlq"), "-");
	got_free(g);
	refuses(op, "{}");
	refuses(op, "{\"Attributes\":{\"VisibilityTimeout\":\"30\"}}");
}

static const char streams_answer[] =
    "{\"StreamNames\":[\"a\",\"b\"],\"HasMoreStreams\":true,\"NextToken\":\"n\",\"StreamSummaries\":[{\"StreamName\":"
    "\"a\","
    "\"StreamARN\":\"arn:aws:kinesis:r:1:stream/"
    "a\",\"StreamStatus\":\"ACTIVE\"},{\"StreamName\":\"b\",\"StreamARN\":\"arn:b\"}]}";

static void test_streams(void **state)
{
	(void)state;
	const struct op *op = kind_find("kinesis")->list;
	struct got *g = reads(op, streams_answer);
	assert_int_equal(g->found.nres, 2); /* not four */
	assert_string_equal(g->found.res[0].arn, "arn:aws:kinesis:r:1:stream/a");
	assert_string_equal(g->found.page.token, "tn");
	got_free(g);
	g = reads(op, "{\"StreamNames\":[\"b\"],\"HasMoreStreams\":false,\"StreamSummaries\":[{\"StreamName\":\"a\","
	              "\"StreamARN\":\"x\"},"
	              "{\"StreamName\":\"b\",\"StreamARN\":\"y\"}]}"); /* more summaries than the page has names */
	assert_int_equal(g->found.nres, 1);
	assert_string_equal(g->found.res[0].name, "b");
	assert_string_equal(g->found.res[0].arn, "y");
	got_free(g);
	g = reads(op, "{\"StreamNames\":[\"a\",\"b\"],\"HasMoreStreams\":true}"); /* no token: by the last name */
	assert_int_equal(g->found.nres, 2);
	assert_null(g->found.res[0].arn);
	assert_string_equal(g->found.page.token, "nb");
	got_free(g);
	g = reads(op, "{\"StreamNames\":[\"a\"],\"HasMoreStreams\":false,\"NextToken\":\"n\"}"); /* the flag decides */
	assert_null(g->found.page.token);
	got_free(g);
	refuses(op, "{\"StreamNames\":[],\"HasMoreStreams\":true}");
}

static const char stream_answer[] = "{\"StreamDescriptionSummary\":{\"StreamName\":\"a\",\"StreamARN\":\"arn:aws:"
                                    "kinesis:r:1:stream/a\",\"StreamStatus\":\"ACTIVE\","
                                    "\"StreamModeDetails\":{\"StreamMode\":\"ON_DEMAND\"},\"RetentionPeriodHours\":24,"
                                    "\"EnhancedMonitoring\":[{\"ShardLevelMetrics\":[]},"
                                    "{\"ShardLevelMetrics\":[\"IncomingBytes\"]}],\"EncryptionType\":\"KMS\","
                                    "\"OpenShardCount\":4,\"ConsumerCount\":1}}";

static void test_stream(void **state)
{
	(void)state;
	const struct op *op = kind_find("kinesis")->describe;
	struct got *g = reads(op, stream_answer);
	const struct found *f = &g->found;
	assert_string_equal(f->res[0].name, "a");
	assert_string_equal(fact(f, "status"), "ACTIVE");
	assert_string_equal(fact(f, "mode"), "ON_DEMAND");
	assert_string_equal(fact(f, "retention_h"), "24");
	assert_string_equal(fact(f, "open_shards"), "4");
	assert_string_equal(fact(f, "consumers"), "1");
	assert_string_equal(fact(f, "encryption"), "KMS");
	assert_string_equal(fact(f, "enhanced"), "true");
	got_free(g);
	g = reads(op,
	          "{\"StreamDescriptionSummary\":{\"StreamName\":\"a\",\"StreamARN\":\"x\",\"EnhancedMonitoring\":[{}]}}");
	assert_string_equal(fact(&g->found, "enhanced"), "false");
	assert_string_equal(fact(&g->found, "consumers"), "-");
	got_free(g);
	refuses(op, "{\"StreamDescriptionSummary\":{\"StreamName\":\"a\"}}");
}

#define F_ARN "arn:aws:lambda:r:1:function:f"
static const char functions_answer[] = "{\"Functions\":[{\"FunctionName\":\"f\",\"FunctionArn\":\"" F_ARN
                                       "\",\"Runtime\":\"python3.12\",\"Timeout\":30,\"MemorySize\":256,"
                                       "\"LastModified\":\"2026-01-02T03:00:00.000+0000\",\"State\":\"Active\","
                                       "\"Environment\":{\"Variables\":{\"PASSWORD\":\"hunter2\"}}}],"
                                       "\"NextMarker\":\"n\"}";

static void test_functions(void **state)
{
	(void)state;
	const struct op *op = kind_find("lambda")->list;
	struct got *g = reads(op, functions_answer);
	const struct found *f = &g->found;
	assert_string_equal(f->res[0].name, "f");
	assert_string_equal(f->res[0].arn, F_ARN);
	assert_string_equal(fact(f, "runtime"), "python3.12");
	assert_string_equal(fact(f, "timeout_s"), "30");
	assert_string_equal(fact(f, "memory_mb"), "256");
	assert_string_equal(fact(f, "state"), "Active");
	assert_string_equal(fact(f, "last_modified"), "2026-01-02T03:00:00.000+0000");
	assert_string_equal(f->page.token, "n");
	for (unsigned i = 0; i < f->nfacts; i++)
		assert_null(strstr(f->facts[i].value, "hunter2"));
	assert_int_equal(f->nfacts, 5);
	got_free(g);
	g = reads(op, "{\"Functions\":[],\"NextMarker\":null}");
	assert_null(g->found.page.token);
	got_free(g);
	refuses(op, "{\"Functions\":[{\"FunctionName\":\"f\"}]}");
}

static const char mappings_answer[] =
    "{\"EventSourceMappings\":[{\"UUID\":\"u\",\"EventSourceArn\":\"arn:aws:kinesis:r:1:stream/"
    "a\",\"FunctionArn\":\"" F_ARN
    ":live\",\"State\":\"Disabled\",\"StateTransitionReason\":\"USER_INITIATED\",\"MaximumRetryAttempts\":-1,"
    "\"MaximumRecordAgeInSeconds\":3600,\"DestinationConfig\":{\"OnFailure\":{\"Destination\":\"" DLQ_ARN "\"}}},"
    "{\"EventSourceArn\":\"arn:aws:sqs:r:1:q\",\"FunctionArn\":\"" F_ARN
    "\",\"State\":\"Enabled\",\"DestinationConfig\":{\"OnFailure\":{}}},"
    "{\"FunctionArn\":\"" F_ARN
    "\",\"SelfManagedEventSource\":{}},{\"UUID\":\"without a function\"}],\"NextMarker\":\"n\"}";

static void test_mappings(void **state)
{
	(void)state;
	struct got *g = reads(kind_find("lambda")->edges, mappings_answer);
	const struct relation *e = g->found.edges;
	assert_int_equal(g->found.nedges, 3);
	assert_int_equal(e[0].kind, RELATION_MAPPING);
	assert_string_equal(e[0].from, "arn:aws:kinesis:r:1:stream/a");
	assert_string_equal(e[0].to, F_ARN); /* the alias is left out */
	assert_string_equal(e[0].state, "Disabled");
	assert_string_equal(e[0].reason, "USER_INITIATED");
	assert_string_equal(e[0].on_failure, DLQ_ARN);
	assert_int_equal(e[0].retries, -1);
	assert_int_equal(e[0].record_age_s, 3600);
	assert_int_equal(e[1].kind, RELATION_ON_FAILURE);
	assert_string_equal(e[1].from, F_ARN);
	assert_string_equal(e[1].to, DLQ_ARN);
	assert_int_equal(e[2].kind, RELATION_MAPPING);
	assert_string_equal(e[2].state, "Enabled");
	assert_null(e[2].on_failure);
	assert_true(e[2].retries == UNSAID && e[2].record_age_s == UNSAID); /* not said is not for ever */
	assert_string_equal(g->found.page.token, "n");
	got_free(g);
}

static const char sources_answer[] = "{\"queueUrls\":[\"http://h/1/orders\"],\"NextToken\":\"n\"}";

static const char shards_answer[] =
    "{\"Shards\":[{\"ShardId\":\"shardId-000000000000\",\"HashKeyRange\":{\"StartingHashKey\":\"0\",\"EndingHashKey\":"
    "\"170141183460469231731687303715884105727\"},\"SequenceNumberRange\":{\"StartingSequenceNumber\":\"49\","
    "\"EndingSequenceNumber\":\"50\"}},{\"ShardId\":\"shardId-000000000003\",\"ParentShardId\":\"shardId-"
    "000000000000\","
    "\"HashKeyRange\":{\"StartingHashKey\":\"85070591730234615865843651857942052864\",\"EndingHashKey\":"
    "\"170141183460469231731687303715884105727\"},\"SequenceNumberRange\":{\"StartingSequenceNumber\":\"51\"}}],"
    "\"NextToken\":\"n\"}";

static void test_shards(void **state)
{
	(void)state;
	const struct op *op = kind_find("kinesis")->parts;
	struct got *g = reads(op, shards_answer);
	assert_int_equal(g->found.nres, 2);
	assert_string_equal(g->found.res[1].name, "shardId-000000000003");
	static const char *const facts[][3] = {
		{ "shardId-000000000000", "from", "0.0000" },  { "shardId-000000000000", "to", "50.0000" },
		{ "shardId-000000000000", "closed", "true" },  { "shardId-000000000003", "parent", "shardId-000000000000" },
		{ "shardId-000000000003", "from", "25.0000" }, { "shardId-000000000003", "to", "50.0000" },
	};
	assert_int_equal(g->found.nfacts, sizeof facts / sizeof *facts);
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		assert_string_equal(g->found.facts[i].res, facts[i][0]);
		assert_string_equal(g->found.facts[i].key, facts[i][1]);
		assert_string_equal(g->found.facts[i].value, facts[i][2]);
	}
	assert_string_equal(g->found.page.token, "n");
	got_free(g);
	refuses(op, "{\"Shards\":[{\"HashKeyRange\":{}}]}");
	refuses(op, "{\"Shards\":{}}");
	refuses(op, "[]");
}

static void test_sources(void **state)
{
	(void)state;
	const struct op *op = kind_find("sqs")->sources;
	struct got *g = reads(op, sources_answer);
	assert_int_equal(g->found.nres, 1);
	assert_string_equal(g->found.res[0].name, "orders");
	assert_string_equal(g->found.page.token, "n");
	got_free(g);
	g = reads(op, "{}");
	assert_int_equal(g->found.nres, 0);
	got_free(g);
	refuses(op, "{\"queueUrls\":{}}");
}

#define STACK(members)                                                                                                 \
	"<ListStackResourcesResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">"                       \
	"<ListStackResourcesResult><StackResourceSummaries>" members                                                       \
	"</StackResourceSummaries><NextToken>n</NextToken></ListStackResourcesResult>"                                     \
	"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ListStackResourcesResponse>"
static const char stack_answer[] = STACK(
    "<member><LogicalResourceId>Q</LogicalResourceId><PhysicalResourceId>https://sqs.r.amazonaws.com/1/orders"
    "</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus>"
    "<DriftInformation><StackResourceDriftStatus>IN_SYNC</StackResourceDriftStatus></DriftInformation></member>"
    "<member><LogicalResourceId>Gone</LogicalResourceId><PhysicalResourceId>old</PhysicalResourceId>"
    "<ResourceType>AWS::Lambda::Function</ResourceType><ResourceStatus>DELETE_COMPLETE</ResourceStatus></member>"
    "<member><LogicalResourceId>Coming</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>"
    "<ResourceStatus>CREATE_IN_PROGRESS</ResourceStatus></member>");

static void test_stack(void **state)
{
	(void)state;
	struct got *g = reads(&op_list_stack_resources, stack_answer);
	assert_int_equal(g->found.nres, 1); /* neither what is gone nor what is not there yet */
	assert_string_equal(g->found.res[0].name, "https://sqs.r.amazonaws.com/1/orders");
	assert_string_equal(g->found.res[0].handle, "AWS::SQS::Queue");
	assert_string_equal(g->found.page.token, "n");
	got_free(g);
	refuses(&op_list_stack_resources, "<DescribeStacksResponse/>");
	refuses(&op_list_stack_resources, "<html><body>proxy</body></html>");
}

static const char tagged_answer[] =
    "{\"PaginationToken\":\"n\",\"ResourceTagMappingList\":[{\"ResourceARN\":\"arn:aws:sqs:r:1:orders\",\"Tags\":["
    "{\"Key\":\"team\",\"Value\":\"orders\"}]}]}";

static void test_tagged(void **state)
{
	(void)state;
	struct got *g = reads(&op_get_resources, tagged_answer);
	assert_int_equal(g->found.nres, 1);
	assert_string_equal(g->found.res[0].arn, "arn:aws:sqs:r:1:orders");
	assert_string_equal(g->found.page.token, "n");
	got_free(g);
	g = reads(&op_get_resources, "{\"PaginationToken\":\"\",\"ResourceTagMappingList\":[]}");
	assert_null(g->found.page.token);
	got_free(g);
	refuses(&op_get_resources, "{\"ResourceTagMappingList\":[{}]}");
	refuses(&op_get_resources, "{\"ResourceTagMappingList\":{}}");
}

/* ---- every answer, hurt in every way */

struct sample {
	const struct op *op;
	const char *body;
};

static unsigned samples(struct sample *out)
{
	const struct sample all[] = {
		{ &op_get_metric_data, aws_shape },
		{ &op_get_metric_data, "{\"Messages\":[{\"Code\":\"c\",\"Value\":\"v\"}],\"NextToken\":\"t\\n\","
		                       "\"MetricDataResults\":[{\"Values\":[1e2,null,\"NaN\"],"
		                       "\"Timestamps\":[\"2026-01-02T03:00:00Z\",60.5,120],\"X\":{},\"Id\":\"m1\","
		                       "\"StatusCode\":\"PartialData\",\"Messages\":[]}]}" },
		{ &op_describe_alarms, alarms_answer },
		{ &op_list_metrics, metrics_answer },
		{ &op_get_caller_identity, identity_answer },
		{ kind_find("sqs")->list, queues_answer },
		{ kind_find("sqs")->describe, queue_answer },
		{ kind_find("kinesis")->list, streams_answer },
		{ kind_find("kinesis")->describe, stream_answer },
		{ kind_find("lambda")->list, functions_answer },
		{ kind_find("lambda")->edges, mappings_answer },
		{ kind_find("sqs")->sources, sources_answer },
		{ kind_find("kinesis")->parts, shards_answer },
		{ &op_list_stack_resources, stack_answer },
		{ &op_get_resources, tagged_answer },
	};
	memcpy(out, all, sizeof all);
	return sizeof all / sizeof *all;
}

static bool read_copy(const struct sample *s, size_t n, long flip)
{
	char *copy = malloc(n ? n : 1); /* its own size, so that a sanitizer sees any step beyond */
	struct got *g = got_new();
	struct err e;
	memcpy(copy, s->body, n);
	if (flip >= 0)
		copy[flip / 8] = (char)(copy[flip / 8] ^ (1 << flip % 8));
	bool ok = read_span(s->op, (struct span){ copy, n }, g, &e);
	got_free(g);
	free(copy);
	return ok;
}

static void test_cut_anywhere(void **state)
{
	(void)state;
	struct sample all[20];
	unsigned n = samples(all), cuts = 0;
	for (unsigned i = 0; i < n; i++) {
		size_t whole = strlen(all[i].body);
		assert_true(read_copy(&all[i], whole, -1));
		for (size_t cut = 0; cut < whole; cut++, cuts++)
			assert_false(read_copy(&all[i], cut, -1)); /* no part of an answer passes for one */
	}
	print_message("%u answers cut %u times\n", n, cuts);
}

static void test_every_bit_flipped(void **state)
{
	(void)state;
	struct sample all[20];
	unsigned n = samples(all), accepted = 0, flips = 0;
	for (unsigned i = 0; i < n; i++)
		for (size_t bit = 0; bit < 8 * strlen(all[i].body); bit++, flips++)
			accepted += read_copy(&all[i], strlen(all[i].body), (long)bit);
	print_message("%u flips, %u of them still read as answers\n", flips, accepted);
}

static void test_strange_answers(void **state)
{
	(void)state;
	static const char *const strange[] = { "",
		                                   " \n",
		                                   "<!DOCTYPE html><html><body>502</body></html>",
		                                   "<html>",
		                                   "[]",
		                                   "null",
		                                   "7",
		                                   "{",
		                                   "\xff\xfe{}",
		                                   "\xef\xbb\xbf{}",
		                                   "{\"a\":1,\"a\":2",
		                                   "OK",
		                                   "{}x" };
	struct sample all[20];
	unsigned n = samples(all);
	for (unsigned i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof strange / sizeof *strange; k++)
			refuses(all[i].op, strange[k]);
}

/* A list that is something else is not an empty list: nothing there would be a finding, this is none. */
static void test_lists_that_are_none(void **state)
{
	(void)state;
	refuses(kind_find("sqs")->list, "{\"QueueUrls\":\"x\"}");
	refuses(kind_find("kinesis")->list, "{\"StreamNames\":[1,2],\"HasMoreStreams\":false}");
	refuses(kind_find("kinesis")->list, "{\"StreamNames\":{},\"HasMoreStreams\":false}");
	refuses(kind_find("lambda")->list, "{\"Functions\":{}}");
	refuses(kind_find("lambda")->edges, "{\"EventSourceMappings\":true}");
	refuses(&op_describe_alarms, "{\"MetricAlarms\":\"\"}");
	refuses(&op_list_metrics, "{\"Metrics\":0}");
}

/* A next page that cannot be asked for is no end. */
static void test_tokens_that_are_none(void **state)
{
	(void)state;
	refuses(kind_find("sqs")->list, "{\"QueueUrls\":[],\"NextToken\":7}");
	refuses(kind_find("kinesis")->list, "{\"StreamNames\":[\"a\"],\"HasMoreStreams\":true,\"NextToken\":[]}");
	refuses(kind_find("kinesis")->list, "{\"StreamNames\":[\"a\"],\"HasMoreStreams\":\"true\"}");
	refuses(kind_find("lambda")->list, "{\"Functions\":[],\"NextMarker\":{}}");
	refuses(kind_find("lambda")->edges, "{\"EventSourceMappings\":[],\"NextMarker\":true}");
	refuses(&op_describe_alarms, "{\"NextToken\":1.5}");
	refuses(&op_list_metrics, "{\"NextToken\":false}");
	refuses(&op_get_metric_data, "{\"MetricDataResults\":[],\"NextToken\":3}");
}

static void test_alarms_once(void **state)
{
	(void)state;
	struct alarm a[] = {
		{ .name = "b", .arn = "arn:b", .threshold = 1 },     { .name = "a", .arn = "arn:a", .threshold = 2 },
		{ .name = "b", .arn = "arn:b", .threshold = 3 },     { .name = "c", .threshold = 4 },
		{ .name = "b", .arn = "arn:b", .threshold = 5 },     { .name = "c", .threshold = 6 },
		{ .name = "a", .arn = "arn:other", .threshold = 7 }, /* the name is what AWS tells alarms apart by */
	};
	static const double left[] = { 5, 6, 7 }; /* the last word, in the order in which these came */
	struct describe_alarms_out o = { .alarms = a, .n = 7 };
	describe_alarms_once(&o);
	assert_int_equal(o.n, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(o.alarms[i].threshold == left[i]);
	describe_alarms_once(&o);
	assert_int_equal(o.n, 3);
	o.n = 0;
	describe_alarms_once(&o);
	assert_int_equal(o.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wires),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_metric_queries),
		cmocka_unit_test(test_no_half_query),
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_points_in_every_shape),
		cmocka_unit_test(test_bad_points),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_most_points),
		cmocka_unit_test(test_alarms),
		cmocka_unit_test(test_list_metrics),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_mappings),
		cmocka_unit_test(test_shards),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_tagged),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_every_bit_flipped),
		cmocka_unit_test(test_strange_answers),
		cmocka_unit_test(test_lists_that_are_none),
		cmocka_unit_test(test_tokens_that_are_none),
		cmocka_unit_test(test_alarms_once),
	};
	return clock_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
