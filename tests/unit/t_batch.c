/* Batches of ten: every pattern of success and failure of a send and of a delete, in any order, with entries missing, told twice or
 * told both ways, against a model that shares nothing with the reader but its definition. */
#include "aws/batch.h"
#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N 10

static const char *const ids[N] = { "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9" };

struct failure {
	const char *json; /* what stands after the Id */
	enum fate fate;
	enum err_code code;
};
/* Index 0 is what patterns use; the others take turns. */
static const struct failure failures[] = {
	{ "\"SenderFault\":false,\"Code\":\"InternalError\",\"Message\":\"try later\"", FATE_RETRY, ERR_HTTP },
	{ "\"SenderFault\":true,\"Code\":\"ReceiptHandleIsInvalid\"", FATE_FAILED, ERR_REFUSED },
	{ "\"SenderFault\":true,\"Code\":\"InvalidMessageContents\",\"Message\":null", FATE_FAILED, ERR_REFUSED },
	{ "\"SenderFault\":true,\"Code\":\"RequestThrottled\"", FATE_RETRY, ERR_THROTTLED },
	{ "\"SenderFault\":false,\"Code\":\"SomethingNew\"", FATE_RETRY, ERR_HTTP },
	{ "\"Code\":\"InternalError\"", FATE_RETRY, ERR_HTTP },
	{ "\"Code\":\"SomethingNew\"", FATE_FAILED, ERR_REFUSED },
	{ "\"SenderFault\":\"no\"", FATE_FAILED, ERR_REFUSED },
};

static void read_text(const char *text, struct fated *out, bool good)
{
	struct json *doc = json_parse(span_of(text), NULL);
	struct err e = { 0 };
	assert_non_null(doc);
	assert_int_equal(batch_read_sqs(doc, ids, N, "sqs:SendMessageBatch", out, &e), good);
	assert_int_equal(e.code, good ? ERR_OK : ERR_BADREPLY);
	json_free(doc);
}

/* One list of the answer: who says whether id i stands in it, forwards or backwards. */
static void list(struct buf *b, const char *name, unsigned who, bool backwards, bool send, const unsigned *kind)
{
	const char *comma = "";
	buf_addf(b, "\"%s\":[", name);
	for (unsigned k = 0; k < N; k++) {
		unsigned i = backwards ? N - 1 - k : k;
		if (!(who >> i & 1))
			continue;
		buf_addf(b, "%s{\"Id\":\"%s\"", comma, ids[i]);
		if (kind)
			buf_addf(b, ",%s", failures[kind[i]].json);
		else if (send)
			buf_addf(b, ",\"MessageId\":\"id-%u\",\"MD5OfMessageBody\":\"d41d8cd98f00b204e9800998ecf8427e\"", i);
		buf_adds(b, "}");
		comma = ",";
	}
	buf_adds(b, "]");
}

static void check(const struct fated *f, enum fate fate, enum err_code code)
{
	assert_int_equal(f->fate, fate);
	assert_int_equal(f->err.code, code);
	assert_int_equal(f->err.in_doubt, fate == FATE_UNKNOWN);
	assert_int_equal(f->err.text[0] == '\0', fate == FATE_DONE);
}

static void check_again(const struct fated *f, bool harmless)
{
	unsigned again[N], n = batch_again(f, N, harmless, again), at = 0;
	for (unsigned i = 0; i < N; i++)
		if (f[i].fate == FATE_RETRY || (harmless && f[i].fate == FATE_UNKNOWN))
			assert_int_equal(again[at++], i);
	assert_int_equal(at, n);
}

/* bits: who succeeded. gone: who stands in neither list. both: who stands in both. */
static void one(unsigned bits, unsigned gone, unsigned both, unsigned variant, bool send)
{
	struct fated f[N];
	struct buf b;
	unsigned kind[N], failed = ((~bits & 0x3ff) | both) & ~gone, done = (bits | both) & ~gone;
	for (unsigned i = 0; i < N; i++)
		kind[i] = variant ? (i + variant + bits) % (sizeof failures / sizeof *failures) : 0;
	buf_init(&b, 65536);
	buf_adds(&b, "{");
	list(&b, variant & 1 ? "Failed" : "Successful", variant & 1 ? failed : done, variant & 2, send,
	     variant & 1 ? kind : NULL);
	buf_adds(&b, ",");
	list(&b, variant & 1 ? "Successful" : "Failed", variant & 1 ? done : failed, variant & 4, send,
	     variant & 1 ? NULL : kind);
	buf_adds(&b, "}");
	read_text(b.p, f, true);
	for (unsigned i = 0; i < N; i++) {
		const struct failure *how = &failures[kind[i]];
		if ((gone | both) >> i & 1)
			check(&f[i], FATE_UNKNOWN, ERR_BADREPLY);
		else if (bits >> i & 1)
			check(&f[i], FATE_DONE, ERR_OK);
		else
			check(&f[i], how->fate, how->code);
	}
	check_again(f, true);
	check_again(f, false);
	buf_clear(&b);
}

static void test_every_pattern(void **state)
{
	(void)state;
	unsigned entries = 0;
	for (unsigned send = 0; send < 2; send++)
		for (unsigned bits = 0; bits < 1u << N; bits++)
			for (unsigned variant = 0; variant < 8; variant++) {
				one(bits, 0, 0, variant, send);
				one(bits, bits * 37 & 0x3ff, 0, variant, send);                 /* some in neither list */
				one(bits, 0, bits * 53 & 0x3ff, variant, send);                 /* some in both */
				one(bits, 1u << bits % N, 1u << (bits + 3) % N, variant, send); /* one of each */
				entries += 4 * N;
			}
	assert_int_equal(entries, 2 * 1024 * 8 * 4 * N);
}

static void test_told_twice(void **state)
{
	(void)state;
	struct fated f[N];
	read_text("{\"Successful\":[{\"Id\":\"m0\"},{\"Id\":\"m0\"}],\"Failed\":["
	          "{\"Id\":\"m1\",\"SenderFault\":false,\"Code\":\"InternalError\"},{\"Id\":\"m1\",\"SenderFault\":true,"
	          "\"Code\":\"Bad\"},"
	          "{\"Id\":\"m2\",\"SenderFault\":true,\"Code\":\"Bad\"},{\"Id\":\"m2\",\"SenderFault\":false,\"Code\":"
	          "\"InternalError\"}]}",
	          f, true);
	check(&f[0], FATE_DONE, ERR_OK);
	check(&f[1], FATE_FAILED, ERR_REFUSED);
	check(&f[2], FATE_FAILED, ERR_REFUSED);
	read_text("{\"Failed\":[{\"Id\":\"m0\",\"SenderFault\":false,\"Code\":\"InternalError\"},{\"Id\":\"m0\","
	          "\"SenderFault\":false,"
	          "\"Code\":\"InternalError\"}],\"Successful\":[{\"Id\":\"m0\"},{\"Id\":\"m0\"}]}",
	          f, true);
	check(&f[0], FATE_UNKNOWN, ERR_BADREPLY);
}

static void test_strange_answers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "{}", true },
		{ "{\"Successful\":null,\"Failed\":null}", true },
		{ "{\"Successful\":[{\"Id\":\"m10\"},{\"Id\":\"\"},{\"Id\":null},{\"Id\":7},{},null,3,[]]}", true },
		{ "{\"Failed\":[{\"Id\":\"M0\",\"SenderFault\":false},\"m0\"]}", true },
		{ "{\"Successful\":{\"Id\":\"m0\"}}", false },
		{ "{\"Successful\":[{\"Id\":\"m0\"}],\"Failed\":\"none\"}", false },
		{ "[]", false },
		{ "[{\"Id\":\"m0\"}]", false },
		{ "7", false },
	};
	for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct fated f[N];
		unsigned again[N];
		memset(f, 0x55, sizeof f);
		read_text(cases[k].text, f, cases[k].good);
		for (unsigned i = 0; i < N; i++)
			check(&f[i], FATE_UNKNOWN, ERR_BADREPLY);
		assert_int_equal(batch_again(f, N, false, again), 0);
		assert_int_equal(batch_again(f, N, true, again), N);
	}
}

/* ---- Kinesis */

#define RECORD_OK "{\"SequenceNumber\":\"49\",\"ShardId\":\"shardId-000000000000\",\"ErrorCode\":null}"
#define RECORD_SLOW "{\"ErrorCode\":\"ProvisionedThroughputExceededException\",\"ErrorMessage\":\"Rate exceeded\"}"
#define RECORD_BAD "{\"ErrorCode\":\"KMSAccessDeniedException\",\"ErrorMessage\":\"no\"}"

static void read_records(const char *text, unsigned n, struct fated *f, bool good)
{
	struct json *doc = json_parse(span_of(text), NULL);
	struct err e = { 0 };
	assert_non_null(doc);
	assert_int_equal(batch_read_kinesis(doc, n, "kinesis:PutRecords", f, &e), good);
	assert_int_equal(e.code, good ? ERR_OK : ERR_BADREPLY);
	json_free(doc);
}

/* All 1,024 patterns of throttled and stored, the count of failures always a lie. */
static void test_records(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 1u << N; bits++) {
		struct fated f[N];
		struct buf b;
		buf_init(&b, 65536);
		buf_addf(&b, "{\"FailedRecordCount\":%u,\"Records\":[", bits % 3);
		for (unsigned i = 0; i < N; i++)
			buf_addf(&b, "%s%s", i ? "," : "", bits >> i & 1 ? RECORD_OK : i == 9 ? RECORD_BAD : RECORD_SLOW);
		buf_adds(&b, "]}");
		read_records(b.p, N, f, true);
		for (unsigned i = 0; i < N; i++)
			if (bits >> i & 1)
				check(&f[i], FATE_DONE, ERR_OK);
			else
				check(&f[i], i == 9 ? FATE_FAILED : FATE_RETRY, i == 9 ? ERR_DENIED : ERR_THROTTLED);
		check_again(f, false);
		buf_clear(&b);
	}
}

static void test_strange_records(void **state)
{
	(void)state;
	static const char *const unknown[] = {
		"{\"Records\":[{},{}]}",
		"{\"Records\":[{\"ErrorCode\":\"\"},{\"SequenceNumber\":\"\",\"ErrorCode\":null}]}",
		"{\"Records\":[{\"ErrorCode\":\"InternalFailure\",\"SequenceNumber\":\"1\"},7]}",
	};
	static const char *const bad[] = {
		"{}",
		"{\"Records\":null}",
		"{\"Records\":{}}",
		"{\"FailedRecordCount\":0,\"Records\":[" RECORD_OK "]}", /* one of two: which? */
		"{\"Records\":[" RECORD_OK "," RECORD_OK "," RECORD_OK "]}",
		"[]",
	};
	struct fated f[2];
	for (unsigned k = 0; k < sizeof unknown / sizeof *unknown; k++) {
		read_records(unknown[k], 2, f, true);
		check(&f[0], FATE_UNKNOWN, ERR_BADREPLY);
		check(&f[1], FATE_UNKNOWN, ERR_BADREPLY);
	}
	for (unsigned k = 0; k < sizeof bad / sizeof *bad; k++) {
		read_records(bad[k], 2, f, false);
		check(&f[0], FATE_UNKNOWN, ERR_BADREPLY);
		check(&f[1], FATE_UNKNOWN, ERR_BADREPLY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pattern),   cmocka_unit_test(test_told_twice),
		cmocka_unit_test(test_strange_answers), cmocka_unit_test(test_records),
		cmocka_unit_test(test_strange_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
