/* GetShardIterator and GetRecords: requests as AWS's model has them, answers whole or refused. */
#include "aws/call.h"
#include "aws/op_kinesis.h"
#include "aws/wire.h"
#include "core/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void builds(const struct op *op, const void *in, const char *body)
{
	struct http_req rq;
	struct err e = { 0 };
	http_req_init(&rq);
	if (!op->build(in, &rq, &e))
		fail_msg("%s: %s", op->name, e.text);
	wire_frame(op, &rq);
	assert_string_equal(rq.body.p, body);
	assert_string_equal(rq.method, "POST");
	http_req_clear(&rq);
}

static void requests(void **state)
{
	(void)state;
	struct iterator_in at = { "orders", "shardId-000000000003", "4960", false },
	                   after = { "orders", "shardId-000000000003", "4960", true },
	                   oldest = { "orders", "shardId-000000000003", NULL, false };
	struct records_in all = { "AAA+/=", 0 }, some = { "i", 7 }, many = { "i", 20000 };
	builds(
	    &op_get_shard_iterator, &at,
	    "{\"StreamName\":\"orders\",\"ShardId\":\"shardId-000000000003\",\"ShardIteratorType\":\"AT_SEQUENCE_NUMBER\","
	    "\"StartingSequenceNumber\":\"4960\"}");
	builds(&op_get_shard_iterator, &after,
	       "{\"StreamName\":\"orders\",\"ShardId\":\"shardId-000000000003\",\"ShardIteratorType\":\"AFTER_SEQUENCE_"
	       "NUMBER\",\"StartingSequenceNumber\":\"4960\"}");
	builds(&op_get_shard_iterator, &oldest,
	       "{\"StreamName\":\"orders\",\"ShardId\":\"shardId-000000000003\",\"ShardIteratorType\":\"TRIM_HORIZON\"}");
	builds(&op_get_records, &all, "{\"ShardIterator\":\"AAA+/=\"}");
	builds(&op_get_records, &some, "{\"ShardIterator\":\"i\",\"Limit\":7}");
	builds(&op_get_records, &many, "{\"ShardIterator\":\"i\",\"Limit\":10000}");
	assert_int_equal(op_get_records.effect, OP_PEEK); /* nothing without the gate's leave */
}

static bool reads(const char *body, size_t n, struct records_out *out, struct err *e)
{
	struct http_res rs = { .status = 200, .body = { body, n } };
	*e = (struct err){ 0 };
	return op_get_records.read(&rs, out, e);
}

#define ONE                                                                                                            \
	"{\"SequenceNumber\":\"49600000000000000000000000000000000000000000000000000001\","                                \
	"\"ApproximateArrivalTimestamp\":1545084650.987,\"Data\":\"AAECAw==\",\"PartitionKey\":\"k\\u00e9y\"}"
#define TWO "{\"SequenceNumber\":\"2\",\"ApproximateArrivalTimestamp\":1.5e9,\"Data\":\"\",\"PartitionKey\":\"p\"}"

static void answers(void **state)
{
	(void)state;
	struct stream_records records;
	struct err e;
	struct records_out out = { .records = &records };
	const char *text = "{\"Records\":[" ONE "," TWO "],\"NextShardIterator\":\"next\",\"MillisBehindLatest\":1200}";
	stream_records_init(&records);
	assert_true(reads(text, strlen(text), &out, &e));
	assert_int_equal(records.n, 2);
	assert_string_equal(records.v[0].sequence, "49600000000000000000000000000000000000000000000000000001");
	assert_string_equal(records.v[0].key, "k\xc3\xa9y");
	assert_int_equal(records.v[0].data.n, 4);
	assert_memory_equal(records.v[0].data.p, "\0\1\2\3", 4);
	assert_int_equal(records.v[0].arrived_ms, 1545084650987);
	assert_int_equal(records.v[1].data.n, 0);
	assert_int_equal(records.v[1].arrived_ms, 1500000000000);
	assert_string_equal(out.next, "next");
	assert_int_equal(out.behind_ms, 1200);
	text = "{\"Records\":[],\"NextShardIterator\":null,\"MillisBehindLatest\":0,\"ChildShards\":[{\"ShardId\":"
	       "\"shardId-1\","
	       "\"ParentShards\":[\"shardId-0\"]},{\"ShardId\":\"shardId-2\",\"ParentShards\":[\"shardId-0\"]}]}";
	assert_true(reads(text, strlen(text), &out, &e)); /* appended to, not begun anew */
	assert_int_equal(records.n, 2);
	assert_string_equal(out.next, "");
	assert_int_equal(out.nchildren, 2);
	assert_string_equal(out.child[1], "shardId-2");
	stream_records_clear(&records);
}

/* What is not whole is no record, and leaves nothing behind. */
static void refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{}",
		"{\"Records\":7}",
		"{\"Records\":[" ONE ",{\"SequenceNumber\":\"3\",\"PartitionKey\":\"p\"}],\"NextShardIterator\":null}",
		"{\"Records\":[" ONE ",{\"SequenceNumber\":\"x\",\"Data\":\"\",\"PartitionKey\":\"p\"}]}",
		"{\"Records\":[" ONE ",{\"SequenceNumber\":\"3\",\"Data\":\"?\",\"PartitionKey\":\"p\"}]}",
		"{\"Records\":[" ONE ",{\"SequenceNumber\":\"3\",\"Data\":\"\"}]}",
		"{\"Records\":[" ONE "],\"NextShardIterator\":5}",
		"{\"Records\":[" ONE "],\"NextShardIterator\":null,\"ChildShards\":[{}]}",
	};
	struct stream_records records;
	struct err e;
	struct records_out out = { .records = &records };
	const char *text = "{\"Records\":[" ONE "," TWO "],\"NextShardIterator\":\"next\"}";
	stream_records_init(&records);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (reads(bad[i], strlen(bad[i]), &out, &e))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.code, ERR_BADREPLY);
		assert_int_equal(records.n, 0);
	}
	for (size_t n = 0; n < strlen(text); n++) {
		char *cut = malloc(n + 1); /* ends at its allocation: a read beyond is seen */
		memcpy(cut, text, n);
		assert_false(reads(cut, n, &out, &e));
		assert_int_equal(records.n, 0);
		free(cut);
	}
	stream_records_clear(&records);
}

static void iterators(void **state)
{
	(void)state;
	struct iterator_out out;
	struct err e = { 0 };
	struct http_res rs = { .status = 200, .body = SPAN("{\"ShardIterator\":\"AAAA\"}") };
	assert_true(op_get_shard_iterator.read(&rs, &out, &e));
	assert_string_equal(out.iterator, "AAAA");
	rs.body = SPAN("{\"ShardIterator\":\"\"}");
	assert_false(op_get_shard_iterator.read(&rs, &out, &e));
	rs.body = SPAN("{}");
	assert_false(op_get_shard_iterator.read(&rs, &out, &e));
	assert_int_equal(e.code, ERR_BADREPLY);
	rs =
	    (struct http_res){ .status = 400, .body = SPAN("{\"__type\":\"ExpiredIteratorException\",\"message\":\"m\"}") };
	aws_classify(&op_get_records, &rs, &e);
	assert_int_equal(e.code, ERR_CONFLICT); /* what a reader takes a new one for */
	rs.body = SPAN("{\"__type\":\"KMSDisabledException\",\"message\":\"m\"}");
	aws_classify(&op_get_records, &rs, &e);
	assert_int_equal(e.code, ERR_REFUSED);
	rs.body = SPAN("{\"__type\":\"ProvisionedThroughputExceededException\",\"message\":\"m\"}");
	aws_classify(&op_get_records, &rs, &e);
	assert_int_equal(e.code, ERR_THROTTLED);
}

static void sequences(void **state)
{
	(void)state;
	char longest[SEQUENCE_MOST + 2]; /* one digit more than fits, and the NUL */
	memset(longest, '9', sizeof longest);
	longest[SEQUENCE_MOST] = '\0';
	assert_true(sequence_valid("0") && sequence_valid("10") && sequence_valid(longest));
	longest[SEQUENCE_MOST] = '9';
	longest[SEQUENCE_MOST + 1] = '\0';
	assert_false(sequence_valid(NULL) || sequence_valid("") || sequence_valid("01") || sequence_valid("1x"));
	assert_false(sequence_valid("-1") || sequence_valid(longest));
	assert_true(sequence_compare("9", "10") < 0 && sequence_compare("10", "9") > 0);
	assert_true(sequence_compare("49", "50") < 0 && sequence_compare("50", "50") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),  cmocka_unit_test(answers),   cmocka_unit_test(refused),
		cmocka_unit_test(iterators), cmocka_unit_test(sequences),
	};
	return hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
