/* Events: what CloudTrail, alarms and sluice's own looks tell of the same change becomes one; what differs is put into words. */
#include "engine/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct event look(int64_t at, int64_t most, enum event_kind k, const char *service, const char *subject,
                         const char *text)
{
	return (struct event){
		.at = at, .at_most = most, .kind = k, .service = service, .subject = subject, .text = text, .source = "look"
	};
}

static struct event call(int64_t at, const char *service, const char *subject, const char *text, const char *by)
{
	struct event v = look(at, at, EVENT_CALL, service, subject, text);
	v.by = by;
	v.source = "cloudtrail:LookupEvents";
	return v;
}

static unsigned join(struct event *v, unsigned n)
{
	struct arena mem;
	arena_init(&mem);
	unsigned left = events_join(v, n, &mem);
	arena_clear(&mem);
	return left;
}

static void test_a_call_gives_its_instant_and_its_author(void **state)
{
	(void)state;
	struct event v[] = { look(100, 160, EVENT_CONFIG, "sqs", "q", "retention 4d00h -> 1h00m"),
		                 call(130, "sqs", "q", "SetQueueAttributes MessageRetentionPeriod=3600", "anna") };
	assert_int_equal(join(v, 2), 1);
	assert_true(v[0].kind == EVENT_CONFIG && v[0].at == 130 && v[0].at_most == 130);
	assert_string_equal(v[0].by, "anna");
	assert_string_equal(v[0].text, "retention 4d00h -> 1h00m");
	assert_string_equal(v[0].source, "cloudtrail:LookupEvents");
}

/* Another time, resource, service or kind of call; a second is borne, as the clocks are two. */
static void test_what_does_not_belong_stays_apart(void **state)
{
	(void)state;
	const struct {
		int64_t at;
		const char *service, *subject, *text;
		unsigned left;
	} cases[] = {
		{ 97, "sqs", "q", "SetQueueAttributes", 2 },   { 163, "sqs", "q", "SetQueueAttributes", 2 },
		{ 98, "sqs", "q", "SetQueueAttributes", 1 },   { 162, "sqs", "q", "SetQueueAttributes", 1 },
		{ 130, "sqs", "q2", "SetQueueAttributes", 2 }, { 130, "kinesis", "q", "SetQueueAttributes", 2 },
		{ 130, "sqs", "q", "PurgeQueue", 2 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct event v[] = { look(100, 160, EVENT_CONFIG, "sqs", "q", "retention 4d00h -> 1h00m"),
			                 call(cases[i].at, cases[i].service, cases[i].subject, cases[i].text, "anna") };
		assert_int_equal(join(v, 2), cases[i].left);
	}
}

static void test_several_calls(void **state)
{
	(void)state;
	struct event one[] = { look(100, 160, EVENT_CONFIG, "sqs", "q", "x"),
		                   call(120, "sqs", "q", "SetQueueAttributes", "anna"),
		                   call(140, "sqs", "q", "SetQueueAttributes", "anna") };
	assert_int_equal(join(one, 3), 1);
	assert_true(one[0].at == 120 && one[0].at_most == 140); /* by her, but which of the two is not known */
	assert_string_equal(one[0].by, "anna");
	struct event two[] = { look(100, 160, EVENT_CONFIG, "sqs", "q", "x"),
		                   call(120, "sqs", "q", "SetQueueAttributes", "anna"),
		                   call(140, "sqs", "q", "SetQueueAttributes", "bert") };
	assert_int_equal(join(two, 3), 3);
	for (unsigned i = 0; i < 3; i++)
		if (two[i].kind == EVENT_CONFIG)
			assert_null(two[i].by);
	/* One call may have changed several things. */
	struct event both[] = { look(100, 160, EVENT_RELEASE, "lambda", "f", "version 42 published"),
		                    look(100, 160, EVENT_RELEASE, "lambda", "f", "timeout 3s -> 9s, code ab -> cd"),
		                    look(100, 160, EVENT_RELEASE, "lambda", "f", "alias live v41 -> v42"),
		                    call(130, "lambda", "f", "UpdateFunctionCode", "deploy") };
	assert_int_equal(join(both, 4), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true((both[i].by != NULL) == !strstr(both[i].text, "alias"));
}

static void test_an_alarm_told_twice(void **state)
{
	(void)state;
	/* The alarm itself at its first look, and its history, which also knows what it was before. */
	struct event v[] = { look(200, 200, EVENT_ALARM, "cloudwatch", "a", "ALARM: 3 datapoints"),
		                 look(200, 200, EVENT_ALARM, "cloudwatch", "a", "OK -> ALARM: 3 datapoints") };
	assert_int_equal(join(v, 2), 1);
	assert_string_equal(v[0].text, "OK -> ALARM: 3 datapoints");
	struct event bracket[] = { look(150, 260, EVENT_ALARM, "cloudwatch", "a", "OK -> ALARM"),
		                       look(200, 200, EVENT_ALARM, "cloudwatch", "a", "ALARM") };
	assert_int_equal(join(bracket, 2), 1);
	assert_true(bracket[0].at == 200 && bracket[0].at_most == 200);
	/* One that comes and goes has moved each time. */
	struct event flapping[] = { look(200, 200, EVENT_ALARM, "cloudwatch", "a", "OK -> ALARM"),
		                        look(230, 230, EVENT_ALARM, "cloudwatch", "a", "ALARM -> OK"),
		                        look(260, 260, EVENT_ALARM, "cloudwatch", "a", "OK -> ALARM"),
		                        look(260, 260, EVENT_ALARM, "cloudwatch", "b", "OK -> ALARM") };
	assert_int_equal(join(flapping, 4), 4);
	assert_int_equal(join(NULL, 0), 0);
}

static void test_newest_first(void **state)
{
	(void)state;
	struct event v[] = { look(1, 1, EVENT_NOTE, "", "", "a"), look(9, 9, EVENT_NOTE, "", "", "b"),
		                 look(3, 20, EVENT_CONFIG, "sqs", "q", "c"), look(5, 5, EVENT_NOTE, "", "", "d") };
	assert_int_equal(join(v, 4), 4);
	assert_true(v[0].at_most == 20 && v[1].at == 9 && v[2].at == 5 && v[3].at == 1);
}

static void words(const char *old, const char *now, const char *expected)
{
	struct json *a = json_parse(span_of(old), NULL), *b = json_parse(span_of(now), NULL);
	struct buf text;
	buf_init(&text, 4096);
	assert_true(a && b);
	assert_true(facts_differ(a, b, &text) == (*expected != '\0'));
	assert_string_equal(text.p ? text.p : "", expected);
	buf_clear(&text);
	json_free(a);
	json_free(b);
}

static void test_differences_in_words(void **state)
{
	(void)state;
	words("{\"retention_s\":\"345600\"}", "{\"retention_s\":\"345600\"}", "");
	words("{\"retention_s\":\"345600\",\"visibility_s\":\"30\"}", "{\"retention_s\":\"3600\",\"visibility_s\":\"60\"}",
	      "retention 4d00h -> 1h00m, visibility 30s -> 1m");
	words("{\"retention_h\":\"24\",\"memory_mb\":\"128\"}", "{\"retention_h\":\"48\",\"memory_mb\":\"256\"}",
	      "retention 24 h -> 48 h, memory 128 MB -> 256 MB");
	words("{}", "{\"dlq\":\"arn:aws:sqs:eu-west-1:123456789012:orders-dlq\"}", "dlq none -> orders-dlq");
	words("{\"dlq\":\"arn:aws:sqs:eu-west-1:123456789012:orders-dlq\"}", "{}", "dlq orders-dlq -> none");
	words("{\"code_sha256\":\"abcdefghijkl\"}", "{\"code_sha256\":\"01234567890\"}", "code abcdefgh -> 01234567");
	words("{\"last_modified\":\"a\",\"arn\":\"b\"}", "{\"last_modified\":\"c\",\"arn\":\"d\"}",
	      ""); /* told in other ways */
	words("{\"retention_s\":\"\"}", "{\"retention_s\":\"-1\"}", "retention  -> -1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call_gives_its_instant_and_its_author),
		cmocka_unit_test(test_what_does_not_belong_stays_apart),
		cmocka_unit_test(test_several_calls),
		cmocka_unit_test(test_an_alarm_told_twice),
		cmocka_unit_test(test_newest_first),
		cmocka_unit_test(test_differences_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
