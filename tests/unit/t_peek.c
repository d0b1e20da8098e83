/* What looks into queues have shown: it is there after a restart, a whole look replaces, another adds, and what our replays delete goes. And
 * what a stream's mapping puts into its on-failure queue, read. */
#include "cache/peek.h"
#include "replay/given_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define QUEUE "arn:aws:sqs:eu-west-1:123456789012:dead"
#define STREAM "arn:aws:kinesis:eu-west-1:123456789012:stream/in"

static char folder[64];
static struct arena mem;

static int begin(void **state)
{
	(void)state;
	arena_init(&mem);
	snprintf(folder, sizeof folder, "/tmp/t_peek.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	static const char *const names[] = { "peeks.db", "peeks.db-wal", "peeks.db-shm" };
	char path[128];
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	arena_clear(&mem);
	return rmdir(folder);
}

static struct peek_sum sum_of(const char *queue, int64_t since)
{
	struct err e = { 0 };
	struct peek_sum s;
	struct peeks *p = peek_open(folder, false, &e);
	assert_non_null(p);
	assert_true(peek_sum(p, queue, since, &mem, &s, &e));
	peek_close(p);
	return s;
}

static void save(int64_t at, bool whole, const struct peeked *v, unsigned n)
{
	struct err e = { 0 };
	struct peeks *p = peek_open(folder, true, &e);
	assert_non_null(p);
	assert_true(peek_save(p, QUEUE, at, whole, v, n, &e));
	peek_close(p);
}

static void nobody_has_looked(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_null(peek_open(folder, false, &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	save(5000, true, NULL, 0);
	assert_int_equal(sum_of("arn:another", 0).at_ms, 0);
	struct peek_sum s = sum_of(QUEUE, 0);
	assert_true(s.at_ms == 5000 && s.whole && s.n == 0 && s.first_ms == 0 && s.dated);
}

static void looks_replace_and_add(void **state)
{
	(void)state;
	const struct peeked one[] = { { "a", 100, 0, NULL }, { "b", 50, 0, NULL } };
	const struct peeked two[] = { { "c", 70, 0, NULL }, { "b", 50, 0, NULL } };
	save(1000, false, one, 2);
	struct peek_sum s = sum_of(QUEUE, 0);
	assert_true(!s.whole && s.n == 2 && s.first_ms == 50);
	save(2000, false, two, 1); /* nothing whole was known: it stands for itself */
	s = sum_of(QUEUE, 0);
	assert_true(s.n == 1 && s.first_ms == 70 && s.at_ms == 2000);
	save(3000, true, one, 2);
	save(4000, false, two, 2); /* beside a whole one it adds */
	s = sum_of(QUEUE, 0);
	assert_true(s.whole && s.at_ms == 3000 && s.n == 3 && s.first_ms == 50);
	save(5000, true, two, 1);
	s = sum_of(QUEUE, 0);
	assert_true(s.whole && s.at_ms == 5000 && s.n == 1 && s.first_ms == 70);
}

static void what_expired_and_what_was_deleted(void **state)
{
	(void)state;
	const struct peeked v[] = { { "a", 100, 0, NULL }, { "b", 50, 0, NULL }, { "c", 200, 0, NULL } };
	static const char *const gone[] = { "a", "b" };
	struct err e = { 0 };
	save(1000, true, v, 3);
	struct peek_sum s = sum_of(QUEUE, 50);
	assert_true(s.n == 2 && s.first_ms == 100 && s.removed == 0 && s.proved_ms == 1000);
	struct peeks *p = peek_open(folder, true, &e);
	assert_true(peek_removed(p, QUEUE, gone, 2, &e) && peek_prove(p, QUEUE, 9000, &e) &&
	            peek_prove(p, QUEUE, 8000, &e));
	peek_close(p);
	s = sum_of(QUEUE, 0);
	assert_true(s.n == 1 && s.first_ms == 200 && s.removed == 2 && s.proved_ms == 9000);
	save(10000, true, v, 1);
	s = sum_of(QUEUE, 0);
	assert_true(s.removed == 0 && s.proved_ms == 10000 && s.n == 1);
}

static void what_has_no_date_is_said(void **state)
{
	(void)state;
	const struct peeked v[] = { { "a", 0, 0, NULL }, { "b", 50, 0, NULL } };
	save(1000, true, v, 2);
	struct peek_sum s = sum_of(QUEUE, 20);
	assert_true(s.n == 2 && !s.dated && s.first_ms == 50);
}

static void pointers_by_stream(void **state)
{
	(void)state;
	const struct peeked v[] = {
		{ "a", 90, 70, STREAM }, { "b", 95, 60, STREAM }, { "c", 99, 65, "arn:other" }, { "d", 99, 0, NULL }
	};
	save(1000, true, v, 4);
	struct peek_sum s = sum_of(QUEUE, 0);
	assert_true(s.n == 4 && s.npointers == 3 && s.nstreams == 2);
	assert_string_equal(s.streams[0].arn, STREAM);
	assert_int_equal(s.streams[0].first_ms, 60);
	assert_int_equal(s.streams[1].first_ms, 65);
}

static void a_pointer_is_read(void **state)
{
	(void)state;
	static const char real[] =
	    "{\"requestContext\":{\"condition\":\"RetryAttemptsExhausted\"},\"KinesisBatchInfo\":{\"shardId\":"
	    "\"shardId-000000000001\",\"approximateArrivalOfFirstRecord\":\"2019-11-14T00:38:04.835Z\","
	    "\"batchSize\":63,\"streamArn\":\"" STREAM "\"}}";
	static const char *const none[] = {
		"",
		"not JSON",
		"{}",
		"{\"KinesisBatchInfo\":{\"streamArn\":\"" STREAM "\"}}",
		"{\"KinesisBatchInfo\":{\"approximateArrivalOfFirstRecord\":\"2019-11-14T00:38:04Z\"}}",
		"{\"KinesisBatchInfo\":[]}"
	};
	static const char wrapped[] =
	    "{\"Type\":\"Notification\",\"Message\":\"{\\\"DDBStreamBatchInfo\\\":{\\\"approximateArrivalOfFirstRecord\\\":"
	    "\\\"2019-11-14T00:38:04.835Z\\\",\\\"streamArn\\\":\\\"" STREAM "\\\"}}\"}";
	const char *const some[] = { real, wrapped };
	for (unsigned i = 0; i < 2; i++) {
		const char *stream = NULL;
		int64_t first = 0;
		assert_true(given_up_since(span_of(some[i]), &mem, &stream, &first));
		assert_string_equal(stream, STREAM);
		assert_int_equal(first, 1573691884835);
	}
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
		const char *stream;
		int64_t first;
		assert_false(given_up_since(span_of(none[i]), &mem, &stream, &first));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_has_looked, begin, end),
		cmocka_unit_test_setup_teardown(looks_replace_and_add, begin, end),
		cmocka_unit_test_setup_teardown(what_expired_and_what_was_deleted, begin, end),
		cmocka_unit_test_setup_teardown(what_has_no_date_is_said, begin, end),
		cmocka_unit_test_setup_teardown(pointers_by_stream, begin, end),
		cmocka_unit_test_setup_teardown(a_pointer_is_read, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
