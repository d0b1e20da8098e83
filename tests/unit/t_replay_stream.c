/* The pure half of a replay of a stream's records: on-failure records, the event, aggregates, bisecting. */
#include "core/hash.h"
#include "core/json.h"
#include "replay/bisect.h"
#include "replay/event.h"
#include "replay/given_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- pointers */

/* AWS's own example (Lambda developer guide), with a version behind the function's name. */
#define CONTEXT                                                                                                        \
	"\"requestContext\":{\"requestId\":\"c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5\",\"functionArn\":"                      \
	"\"arn:aws:lambda:us-east-2:123456789012:function:myfunction:live\",\"condition\":\"RetryAttemptsExhausted\","     \
	"\"approximateInvokeCount\":1},\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\","           \
	"\"functionError\":\"Unhandled\"},\"version\":\"1.0\",\"timestamp\":\"2019-11-14T00:38:06.021Z\""
#define INFO_OF(shard, first, last, size, arn)                                                                         \
	",\"KinesisBatchInfo\":{\"shardId\":\"" shard "\",\"startSequenceNumber\":\"" first                                \
	"\",\"endSequenceNumber\":\"" last "\",\"approximateArrivalOfFirstRecord\":\"2019-11-14T00:38:04.835Z\","          \
	"\"approximateArrivalOfLastRecord\":\"2019-11-14T00:38:05.580Z\",\"batchSize\":" size ",\"streamArn\":\"" arn      \
	"\"}"
#define FIRST "49601189658422359378836298521827638475320189012309704722"
#define LAST "49601189658422359378836298522902373528957594348623495186"
#define ARN "arn:aws:kinesis:us-east-2:123456789012:stream/mystream"
#define WHOLE "{" CONTEXT INFO_OF("shardId-000000000001", FIRST, LAST, "500", ARN) "}"

static enum given_up_found read_text(struct arena *mem, const char *text, struct given_up *p, struct err *e)
{
	*e = (struct err){ 0 };
	return given_up_read(span_of(text), mem, p, e);
}

static void check_whole(const struct given_up *p)
{
	assert_string_equal(p->stream_arn, ARN);
	assert_string_equal(p->stream, "mystream");
	assert_string_equal(p->region, "us-east-2");
	assert_string_equal(p->account, "123456789012");
	assert_string_equal(p->shard, "shardId-000000000001");
	assert_string_equal(p->first, FIRST);
	assert_string_equal(p->last, LAST);
	assert_string_equal(p->function_arn, "arn:aws:lambda:us-east-2:123456789012:function:myfunction:live");
	assert_string_equal(p->condition, "RetryAttemptsExhausted");
	assert_int_equal(p->records, 500);
	assert_int_equal(p->first_ms, 1573691884835);
	assert_int_equal(p->last_ms, 1573691885580);
}

static void pointers(void **state)
{
	(void)state;
	struct arena mem;
	struct given_up p;
	struct err e;
	struct buf b;
	struct json_out o;
	arena_init(&mem);
	assert_int_equal(read_text(&mem, WHOLE, &p, &e), POINTER_FOUND);
	check_whole(&p);
	assert_string_equal(p.error, "Unhandled");
	buf_init(&b, 1u << 16); /* the same in the envelope of a topic */
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "Type", "Notification");
	json_out_str(&o, "Message", WHOLE);
	json_out_object_end(&o);
	assert_int_equal(read_text(&mem, b.p, &p, &e), POINTER_FOUND);
	check_whole(&p);
	buf_clear(&b);
	arena_clear(&mem);
}

static void others(void **state)
{
	(void)state;
	static const char *const none[] = { "",
		                                "{}",
		                                "not JSON",
		                                "[1]",
		                                "{\"order\":1}",
		                                "{" CONTEXT "}",
		                                "{" CONTEXT ",\"requestPayload\":{\"a\":1}}",
		                                "{\"Type\":\"Notification\",\"Message\":\"hello\"}" };
	static const char *const broken[] = {
		"{" CONTEXT ",\"KinesisBatchInfo\":7}",
		"{" CONTEXT ",\"KinesisBatchInfo\":{}}",
		"{" CONTEXT ",\"DDBStreamBatchInfo\":{\"shardId\":\"s\"}}",
		"{" CONTEXT INFO_OF("shard/1", FIRST, LAST, "500", ARN) "}",
		"{" CONTEXT INFO_OF("s", LAST, FIRST, "500", ARN) "}",
		"{" CONTEXT INFO_OF("s", "-1", LAST, "500", ARN) "}",
		"{" CONTEXT INFO_OF("s", FIRST, "x", "500", ARN) "}",
		"{" CONTEXT INFO_OF("s", FIRST, LAST, "0", ARN) "}",
		"{" CONTEXT INFO_OF("s", FIRST, LAST, "10001", ARN) "}",
		"{" CONTEXT INFO_OF("s", FIRST, LAST, "\"5\"", ARN) "}",
		"{" CONTEXT INFO_OF("s", FIRST, LAST, "5", "arn:aws:sqs:r:1:q") "}",
		"{" CONTEXT INFO_OF("s", FIRST, LAST, "5", "arn:aws:kinesis:r:1:stream/") "}",
		"{\"requestContext\":{\"functionArn\":\"f\"}" INFO_OF("s", FIRST, LAST, "5", ARN) "}",
	};
	struct arena mem;
	struct given_up p;
	struct err e;
	arena_init(&mem);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_int_equal(read_text(&mem, none[i], &p, &e), POINTER_NONE);
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		if (read_text(&mem, broken[i], &p, &e) != POINTER_BROKEN)
			fail_msg("not seen to be broken: %s", broken[i]);
		assert_true(e.text[0] && e.code == ERR_BADREPLY);
	}
	arena_clear(&mem);
}

/* ---- the event */

static void event(void **state)
{
	(void)state;
	const struct stream_record one = { "49590338271490256608559692538361571095921575989136588898", "1", 1545084650987,
		                               SPAN("Hello, this is a test.") },
	                           two = { "7", "a\"b", 1500000000000, { "\0\xff", 2 } }, *both[] = { &one, &two };
	const struct event_stream of = { "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream", "us-east-2",
		                             "shardId-000000000006", "arn:aws:iam::123456789012:role/lambda-role" };
	struct buf b;
	buf_init(&b, 1u << 16);
	assert_true(event_kinesis(&b, both, 2, &of));
	assert_string_equal(
	    b.p,
	    "{\"Records\":[{\"kinesis\":{\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":\"1\",\"sequenceNumber\":"
	    "\"49590338271490256608559692538361571095921575989136588898\",\"data\":\"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==\","
	    "\"approximateArrivalTimestamp\":1545084650.987},\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\","
	    "\"eventID\":\"shardId-000000000006:49590338271490256608559692538361571095921575989136588898\","
	    "\"eventName\":\"aws:kinesis:record\",\"invokeIdentityArn\":\"arn:aws:iam::123456789012:role/lambda-role\","
	    "\"awsRegion\":\"us-east-2\",\"eventSourceARN\":"
	    "\"arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream\"},{\"kinesis\":{\"kinesisSchemaVersion\":"
	    "\"1.0\",\"partitionKey\":\"a\\\"b\",\"sequenceNumber\":\"7\",\"data\":\"AP8=\","
	    "\"approximateArrivalTimestamp\":1500000000},\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\","
	    "\"eventID\":\"shardId-000000000006:7\",\"eventName\":\"aws:kinesis:record\",\"invokeIdentityArn\":"
	    "\"arn:aws:iam::123456789012:role/lambda-role\",\"awsRegion\":\"us-east-2\",\"eventSourceARN\":"
	    "\"arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream\"}]}");
	buf_clear(&b);
	buf_init(&b, 100);
	assert_false(event_kinesis(&b, both, 2, &of)); /* no room is no event */
	buf_clear(&b);
}

static void aggregates(void **state)
{
	(void)state;
	char data[4 + 30 + 16] = "\xf3\x89\x9a\xc2";
	uint8_t digest[HASH_MD5];
	memset(data + 4, 'x', 30);
	hash_md5(data + 4, 30, digest);
	memcpy(data + 34, digest, sizeof digest);
	assert_true(record_is_aggregate((struct span){ data, sizeof data }));
	for (size_t n = 0; n < sizeof data; n++)
		assert_false(record_is_aggregate((struct span){ data, n }));
	data[20] = 'y';
	assert_false(record_is_aggregate((struct span){ data, sizeof data }));
}

/* ---- bisecting */

#define TRIES 2
struct run {
	unsigned n, calls, accepted[64], given_up[64];
	bool bad[64], partial;
};

/* A function that fails as a whole, or says which is the lowest that failed. */
static void try_once(struct run *r, struct bisect *b, unsigned most)
{
	unsigned n = bisect_next(b, most), good = 0, at = b->at;
	assert_true(n >= 1 && n <= most && at + n <= r->n);
	r->calls++;
	while (good < n && !r->bad[at + good])
		good++;
	if (good < n && !r->partial)
		good = 0;
	for (unsigned i = 0; i < good; i++)
		r->accepted[at + i]++;
	bisect_accept(b, good);
	if (good < n && good == 0 && bisect_fail(b, n, TRIES))
		r->given_up[at]++;
}

static void bisecting(void **state)
{
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 3000; round++) {
		struct run r = { .n = 1 + (unsigned)rand() % 64, .partial = rand() % 2 };
		unsigned nbad = 0, percent = (unsigned)rand() % 101, most = rand() % 2 ? 64 : 1 + (unsigned)rand() % 9;
		for (unsigned i = 0; i < r.n; i++)
			nbad += r.bad[i] = (unsigned)rand() % 100 < percent / (1 + (unsigned)rand() % 8);
		struct bisect b = { .end = r.n };
		while (bisect_next(&b, most) && r.calls < 5000)
			try_once(&r, &b, most);
		for (unsigned i = 0; i < r.n; i++) {
			assert_int_equal(r.accepted[i], !r.bad[i]);
			assert_int_equal(r.given_up[i], r.bad[i]);
		}
		assert_true(r.calls <= 1 + r.n / most + nbad * (1 + 6 + 1 + TRIES));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pointers),   cmocka_unit_test(others),    cmocka_unit_test(event),
		cmocka_unit_test(aggregates), cmocka_unit_test(bisecting),
	};
	return hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
