/* LookupEvents, ListVersionsByFunction and ListAliases: the requests, and what is read from answers in AWS's form. */
#include "aws/op_cloudtrail.h"
#include "aws/op_release.h"

#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool reads(const struct op *op, const char *body, void *out)
{
	struct err e = { 0 };
	struct http_res rs = { .status = 200, .body = span_of(body) };
	bool ok = op->read(&rs, out, &e);
	assert_true(ok || e.code == ERR_BADREPLY);
	return ok;
}

/* ---- CloudTrail */

static void test_lookup_is_asked(void **state)
{
	(void)state;
	struct http_req rq;
	struct err e = { 0 };
	http_req_init(&rq);
	assert_true(op_lookup_events.build(&(struct lookup_events_in){ 1767322800, 1767326400, "t/k+n=" }, &rq, &e));
	assert_string_equal(rq.body.p,
	                    "{\"LookupAttributes\":[{\"AttributeKey\":\"ReadOnly\",\"AttributeValue\":\"false\"}],"
	                    "\"StartTime\":1767322800,\"EndTime\":1767326400,\"MaxResults\":50,\"NextToken\":\"t/k+n=\"}");
	http_req_clear(&rq);
	assert_true(op_lookup_events.rate == 2 && op_lookup_events.effect == OP_READ && !op_lookup_events.paged);
	assert_string_equal(op_lookup_events.service->target, "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101");
}

#define EVENT(id, name, source, inner)                                                                                 \
	"{\"EventId\":\"" id "\",\"EventName\":\"" name                                                                    \
	"\",\"ReadOnly\":\"false\",\"EventTime\":1767322800.0,\"EventSource\":\"" source                                   \
	".amazonaws.com\",\"Username\":\"anna\",\"Resources\":[],\"CloudTrailEvent\":\"" inner "\"}"

static const char answer[] = "{\"Events\":[" EVENT(
    "1", "SetQueueAttributes", "sqs",
    "{\\\"userIdentity\\\":{\\\"arn\\\":\\\"arn:aws:sts::1:assumed-role/"
    "deploy/ci\\\"},\\\"userAgent\\\":\\\"Boto3\\\","
    "\\\"requestParameters\\\":{\\\"queueUrl\\\":\\\"https://"
    "sqs.eu-west-1.amazonaws.com/1/orders\\\",\\\"attributes\\\":"
    "{\\\"MessageRetentionPeriod\\\":\\\"3600\\\",\\\"Policy\\\":"
    "\\\"secret\\\"}}}") "," EVENT("2", "UpdateAlias20150331", "lambda",
                                   "{\\\"requestParameters\\\":{"
                                   "\\\"functionName\\\":\\\"arn:aws:"
                                   "lambda:eu-west-1:1:function:enrich:"
                                   "live\\\",\\\"name\\\":"
                                   "\\\"live\\\","
                                   "\\\"functionVersion\\\":\\\"42\\\"}"
                                   "}") "," EVENT("3",
                                                  "UpdateFunctionCode201"
                                                  "50331v2",
                                                  "lambda",
                                                  "{\\\"requestParameter"
                                                  "s\\\":{"
                                                  "\\\"functionName\\\":"
                                                  "\\\"enrich\\\","
                                                  "\\\"environment\\\":{"
                                                  "\\\"variables\\\":"
                                                  "\\\"x\\\"}}}") "," EVENT("4", "UpdateEventSourceMapping20150331",
                                                                            "lambda",
                                                                            "{\\\"requestParameters\\\":{"
                                                                            "\\\"uUID\\\":\\\"u-1\\\","
                                                                            "\\\"enabled\\\":false,"
                                                                            "\\\"batchSize\\\":7},"
                                                                            "\\\"responseElements\\\":"
                                                                            "{\\\"functionArn\\\":\\\"arn:aws:"
                                                                            "lambda:eu-west-1:1:function:"
                                                                            "loader\\\"}}") "," EVENT("5",
                                                                                                      "PutMetricAla"
                                                                                                      "rm",
                                                                                                      "monitoring",
                                                                                                      "{\\\"errorCo"
                                                                                                      "de\\\":"
                                                                                                      "\\\"AccessDe"
                                                                                                      "nied\\\","
                                                                                                      "\\\"requestP"
                                                                                                      "arameters\\"
                                                                                                      "\":{"
                                                                                                      "\\\"alarmNam"
                                                                                                      "e\\\":"
                                                                                                      "\\\"High\\\""
                                                                                                      ",\\\"thresho"
                                                                                                      "ld\\\":7.5}"
                                                                                                      "}") ","
                                                                                                           "{\"Even"
                                                                                                           "tId\":"
                                                                                                           "\"6\","
                                                                                                           "\"Event"
                                                                                                           "Name\":"
                                                                                                           "\"Delet"
                                                                                                           "eQueue"
                                                                                                           "\","
                                                                                                           "\"Event"
                                                                                                           "Time\":"
                                                                                                           "1767322"
                                                                                                           "801,"
                                                                                                           "\"Event"
                                                                                                           "Source"
                                                                                                           "\":"
                                                                                                           "\"sqs."
                                                                                                           "amazona"
                                                                                                           "ws."
                                                                                                           "com\","
                                                                                                           "\"Usern"
                                                                                                           "ame\":"
                                                                                                           "\"root"
                                                                                                           "\","
                                                                                                           "\"Resou"
                                                                                                           "rces\":"
                                                                                                           "[{"
                                                                                                           "\"Resou"
                                                                                                           "rceType"
                                                                                                           "\":"
                                                                                                           "\"AWS::"
                                                                                                           "SQS::"
                                                                                                           "Queue\""
                                                                                                           ",\"Reso"
                                                                                                           "urceNam"
                                                                                                           "e\":"
                                                                                                           "\"arn:"
                                                                                                           "aws:"
                                                                                                           "sqs:eu-"
                                                                                                           "west-1:"
                                                                                                           "1:"
                                                                                                           "old\"}]"
                                                                                                           ","
                                                                                                           "\"Cloud"
                                                                                                           "TrailEv"
                                                                                                           "ent\":"
                                                                                                           "\"not "
                                                                                                           "json\"}"
                                                                                                           ","
                                                                                                           "{\"Even"
                                                                                                           "tId\":"
                                                                                                           "\"7\","
                                                                                                           "\"Event"
                                                                                                           "Name\":"
                                                                                                           "\"Creat"
                                                                                                           "eRole\""
                                                                                                           ",\"Even"
                                                                                                           "tTime\""
                                                                                                           ":176732"
                                                                                                           "2802,"
                                                                                                           "\"Event"
                                                                                                           "Source"
                                                                                                           "\":"
                                                                                                           "\"iam."
                                                                                                           "amazona"
                                                                                                           "ws."
                                                                                                           "com\"}"
                                                                                                           "],"
                                                                                                           "\"NextT"
                                                                                                           "oken\":"
                                                                                                           "\"more"
                                                                                                           "\"}";

static void test_calls_are_read(void **state)
{
	(void)state;
	static const struct trail_event expected[] = {
		{ "1", "SetQueueAttributes", 1767322800, "sqs", "arn:aws:sts::1:assumed-role/deploy/ci", "Boto3", NULL,
		  "orders", "MessageRetentionPeriod=3600" },
		{ "2", "UpdateAlias", 1767322800, "lambda", "anna", NULL, NULL, "enrich", "name=live, version=42" },
		{ "3", "UpdateFunctionCode", 1767322800, "lambda", "anna", NULL, NULL, "enrich", NULL },
		{ "4", "UpdateEventSourceMapping", 1767322800, "lambda", "anna", NULL, NULL, "loader",
		  "enabled=false, batchSize=7" },
		{ "5", "PutMetricAlarm", 1767322800, "cloudwatch", "anna", NULL, "AccessDenied", "High", "threshold=7.5" },
		{ "6", "DeleteQueue", 1767322801, "sqs", "root", NULL, NULL, "old", NULL },
		{ "7", "CreateRole", 1767322802, "iam", NULL, NULL, NULL, NULL, NULL },
	};
	struct lookup_events_out o = { 0 };
	arena_init(&o.mem);
	assert_true(reads(&op_lookup_events, answer, &o));
	assert_int_equal(o.n, sizeof expected / sizeof *expected);
	for (unsigned i = 0; i < o.n; i++) {
		const struct trail_event *a = &o.events[i], *b = &expected[i];
		const char *const texts[][2] = {
			{ a->id, b->id },       { a->name, b->name },   { a->service, b->service },   { a->by, b->by },
			{ a->agent, b->agent }, { a->error, b->error }, { a->resource, b->resource }, { a->detail, b->detail }
		};
		assert_true(a->at == b->at);
		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
			assert_true((texts[k][0] == NULL) == (texts[k][1] == NULL));
			if (texts[k][0])
				assert_string_equal(texts[k][0], texts[k][1]);
		}
	}
	assert_string_equal(o.token, "more");
	assert_true(reads(&op_lookup_events, "{\"Events\":[]}", &o));
	assert_null(o.token);
	assert_int_equal(o.n, 7); /* a later page adds */
	static const char *const bad[] = { "[]", "{\"Events\":{}}",
		                               "{\"Events\":[{\"EventId\":\"1\",\"EventName\":\"x\"}]}",
		                               "{\"Events\":[{\"EventName\":\"x\",\"EventTime\":1767322800}]}",
		                               "{\"Events\":[],\"NextToken\":7}" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(reads(&op_lookup_events, bad[i], &o));
	lookup_events_out_clear(&o);
}

/* ---- releases */

static void asks(const struct op *op, const char *function, const char *token, const char *path, const char *query)
{
	struct http_req rq;
	struct err e = { 0 };
	struct release_in in = { .function = function, .page.token = (char *)token };
	http_req_init(&rq);
	assert_true(op->build(&in, &rq, &e));
	assert_string_equal(rq.method, "GET");
	assert_string_equal(rq.path.p, path);
	assert_string_equal(rq.query.p, query);
	http_req_clear(&rq);
}

static const char *fact(const struct release_out *o, const char *key)
{
	for (unsigned i = 0; i < o->found.nfacts; i++)
		if (strcmp(o->found.facts[i].key, key) == 0) {
			assert_string_equal(o->found.facts[i].res, "f");
			return o->found.facts[i].value;
		}
	return "-";
}

static void test_releases(void **state)
{
	(void)state;
	asks(&op_list_versions, "f", NULL, "/2015-03-31/functions/f/versions", "MaxItems=50");
	asks(&op_list_aliases, "a:b/c", "x=", "/2015-03-31/functions/a%3Ab%2Fc/aliases", "MaxItems=50&Marker=x%3D");
	struct release_out o = { .function = "f" };
	found_init(&o.found);
	/* Over pages the newest counts, whatever the order. */
	assert_true(reads(
	    &op_list_versions,
	    "{\"Versions\":[{\"Version\":\"$LATEST\"},{\"Version\":\"9\"},{\"Version\":\"10\"}],\"NextMarker\":\"n\"}",
	    &o));
	assert_string_equal(o.found.page.token, "n");
	assert_string_equal(fact(&o, "version"), "-");
	assert_true(reads(&op_list_versions, "{\"Versions\":[{\"Version\":\"2\"}]}", &o));
	assert_string_equal(fact(&o, "version"), "10");
	assert_true(reads(
	    &op_list_aliases,
	    "{\"Aliases\":[{\"Name\":\"live\",\"FunctionVersion\":\"9\",\"RoutingConfig\":{\"AdditionalVersionWeights\":"
	    "{\"10\":0.1}}},{\"Name\":\"test\",\"FunctionVersion\":\"$LATEST\"}]}",
	    &o));
	assert_string_equal(fact(&o, "alias live"), "9 (10 10%)");
	assert_string_equal(fact(&o, "alias test"), "$LATEST");
	assert_false(reads(&op_list_aliases, "{\"Aliases\":[{\"Name\":\"live\"}]}", &o));
	assert_false(reads(&op_list_aliases, "{\"Aliases\":7}", &o));
	assert_false(reads(&op_list_versions, "{\"Versions\":[{}]}", &o));
	found_clear(&o.found);
	/* Nothing published: no version to speak of. */
	assert_true(reads(&op_list_versions, "{\"Versions\":[{\"Version\":\"$LATEST\"}]}",
	                  &(struct release_out){ .function = "f" }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup_is_asked),
		cmocka_unit_test(test_calls_are_read),
		cmocka_unit_test(test_releases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
