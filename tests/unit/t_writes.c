/* The operations that write: every answer they may get, good, partial, wrong and none. */
#include "aws/op_cloudwatch.h"
#include "aws/op_kinesis.h"
#include "aws/op_lambda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct http_res answer(int status, const char *body)
{
	static char name[] = "X-Amzn-RequestId", value[] = "r-1";
	static struct http_header id = { name, value };
	return (struct http_res){ .status = status, .body = span_of(body), .headers = &id, .nheaders = 1 };
}

/* ---- PutRecords */

#define N 3
#define IN(shard, number) "{\"ShardId\":\"" shard "\",\"SequenceNumber\":\"" number "\"}"
#define FAILED(code) "{\"ErrorCode\":\"" code "\",\"ErrorMessage\":\"why\"}"
#define RECORDS(...) "{\"FailedRecordCount\":0,\"Records\":[" __VA_ARGS__ "]}"

static void records(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		bool good;
		enum fate fates[N];
	} cases[] = {
		{ RECORDS(IN("a", "1") "," IN("b", "2") "," IN("a", "3")), true, { FATE_DONE, FATE_DONE, FATE_DONE } },
		{ RECORDS(IN("a", "1") "," FAILED("ProvisionedThroughputExceededException") "," FAILED("InternalFailure")),
		  true,
		  { FATE_DONE, FATE_RETRY, FATE_RETRY } },
		{ RECORDS(FAILED("KMSAccessDeniedException") "," FAILED("SomethingNew") "," IN("b", "9")),
		  true,
		  { FATE_FAILED, FATE_FAILED, FATE_DONE } },
		{ RECORDS("{},{\"ShardId\":\"a\"},{\"SequenceNumber\":\"1\",\"ErrorCode\":\"InternalFailure\"}"),
		  true,
		  { FATE_UNKNOWN, FATE_UNKNOWN, FATE_UNKNOWN } },
		{ RECORDS(IN("a", "1") "," IN("a", "2")), false, { FATE_UNKNOWN } },
		{ "{}", false, { FATE_UNKNOWN } },
		{ "{\"Records\":{}}", false, { FATE_UNKNOWN } },
		{ "[]", false, { FATE_UNKNOWN } },
		{ "", false, { FATE_UNKNOWN } },
		{ "<html>", false, { FATE_UNKNOWN } },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct put_outcome v[N] = { 0 };
		struct put_records_out out = { v, N };
		struct err e = { 0 };
		struct http_res res = answer(200, cases[i].body);
		if (op_put_records.read(&res, &out, &e) != cases[i].good)
			fail_msg("case %u: %s", i, e.text);
		assert_int_equal(e.code, cases[i].good ? ERR_OK : ERR_BADREPLY);
		for (unsigned k = 0; k < N; k++) {
			bool done = cases[i].fates[k] == FATE_DONE;
			assert_int_equal(v[k].fated.fate, cases[i].fates[k]);
			assert_int_equal(v[k].shard[0] != '\0', done); /* a place only for what is there */
			assert_int_equal(v[k].sequence[0] != '\0', done);
		}
		if (i == 0) {
			assert_string_equal(v[1].shard, "b");
			assert_string_equal(v[2].sequence, "3");
		}
	}
}

/* ---- Invoke, PutMetricData */

static void invocation(void **state)
{
	(void)state;
	for (int status = 200; status < 300; status++) {
		struct invoke_out out = { .status = -1 };
		struct err e = { 0 };
		struct http_res res = answer(status, "");
		assert_int_equal(op_invoke_event.read(&res, &out, &e), status == 202);
		assert_int_equal(e.code, status == 202 ? ERR_OK : ERR_BADREPLY);
		assert_int_equal(out.status, status);
		assert_string_equal(out.request_id, "r-1");
	}
}

static void metric(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		bool good;
	} cases[] = { { "", true },      { "{}", true },      { "{\"x\":1}", true }, { "[]", false },
		          { "null", false }, { "<html>", false }, { "{", false },        { "OK", false } };
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct put_metric_out out = { { 0 } };
		struct err e = { 0 };
		struct http_res res = answer(200, cases[i].body);
		if (op_put_metric_data.read(&res, &out, &e) != cases[i].good)
			fail_msg("case %u", i);
		assert_string_equal(out.request_id, "r-1");
	}
}

/* A lost answer must never be made up for by sending again. */
static void none_is_repeated(void **state)
{
	(void)state;
	static const struct op *const ops[] = { &op_put_records, &op_invoke_event, &op_put_metric_data };
	for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++) {
		assert_int_equal(ops[i]->effect, OP_WRITE);
		assert_false(ops[i]->idempotent);
		assert_false(ops[i]->paged);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(invocation),
		cmocka_unit_test(metric),
		cmocka_unit_test(none_is_repeated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
