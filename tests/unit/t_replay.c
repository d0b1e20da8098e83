/* The pure half of a replay: states, rate, ramp, breaker, events, verdicts, names, groups. */
#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"
#include "replay/event.h"
#include "replay/group.h"
#include "replay/manifest.h"
#include "replay/pace.h"
#include "replay/state.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- states */

/* No event leads past the intent, and none back out of what is processed. */
static void check_move(enum item_state from, enum item_state to)
{
	if (to == ITEM_ACCEPTED)
		assert_true(from == ITEM_INTENT || from == ITEM_REMOVE_LOST);
	if (to == ITEM_INTENT)
		assert_true(from == ITEM_LEASED || from == ITEM_EDITED);
	if (to == ITEM_REMOVED)
		assert_true(from == ITEM_ACCEPTED || from == ITEM_REMOVE_LOST);
	if (from == ITEM_VERIFIED)
		assert_int_equal(to, ITEM_BOUNCED);
	if (from == ITEM_POISON || from == ITEM_BOUNCED || from == ITEM_SKIPPED)
		fail_msg("%s is left", item_state_name(from));
}

static unsigned walk(bool *reached)
{
	unsigned moves = 0;
	for (int i = 0; i < ITEM_STATES * ITEM_EVENTS; i++) {
		enum item_state from = (enum item_state)(i / ITEM_EVENTS), to;
		bool moved = item_move(from, (enum item_event)(i % ITEM_EVENTS), &to);
		if (!moved)
			assert_int_equal(to, from);
		else
			check_move(from, to);
		moves += moved;
		reached[to] = reached[to] || reached[from];
	}
	return moves;
}

static void states(void **state)
{
	(void)state;
	bool reached[ITEM_STATES] = { [ITEM_SELECTED] = true };
	for (unsigned round = 0; round < ITEM_STATES; round++)
		assert_true(walk(reached) > 20);
	for (int s = 0; s < ITEM_STATES; s++)
		if (!reached[s])
			fail_msg("%s is never reached", item_state_name((enum item_state)s));
}

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < ITEM_STATES; i++) {
		enum item_state s;
		assert_true(item_state_named(item_state_name((enum item_state)i), &s) && (int)s == i);
	}
	for (int i = 0; i < RUN_STATES; i++) {
		enum run_state s;
		assert_true(run_state_named(run_state_name((enum run_state)i), &s) && (int)s == i);
	}
	enum item_state s;
	assert_false(item_state_named("selected", &s));
	assert_false(item_state_named(NULL, &s));
}

/* Every message is in exactly one sum. */
static void sums(void **state)
{
	(void)state;
	struct replay_item items[ITEM_STATES] = { { 0 } };
	struct replay_counts c;
	for (int i = 0; i < ITEM_STATES; i++)
		items[i].state = (enum item_state)i;
	replay_count(items, ITEM_STATES, &c);
	assert_int_equal(c.selected, ITEM_STATES);
	assert_int_equal(c.unaccounted, 0);
	assert_int_equal(c.verified + c.bounced + c.poison + c.unknown + c.gone, 5);
	for (int i = 0; i < ITEM_STATES; i++) {
		replay_count(&items[i], 1, &c);
		assert_int_equal(c.pending, !item_ended((enum item_state)i));
		assert_int_equal(c.unaccounted, 0);
	}
}

/* ---- rate, ramp, breaker */

/* Whatever is asked for, and when: in no window of a second is it more. */
static void rate(void **state)
{
	(void)state;
	static const double rates[] = { 0.5, 1, 3, 10, 47, 500 };
	uint64_t seed = 42;
	for (unsigned r = 0; r < sizeof rates / sizeof *rates; r++) {
		struct pace p;
		static int64_t at[200000];
		unsigned n = 0;
		int64_t now = 1000;
		pace_init(&p, rates[r]);
		while (now < 61000) {
			int64_t wait;
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			unsigned k = pace_allows(&p, now, 1 + (unsigned)(seed >> 60), &wait);
			if (k)
				pace_sent(&p, now, k);
			else
				assert_true(wait > 0);
			for (unsigned i = 0; i < k; i++)
				at[n++] = now;
			now += k ? (int64_t)(seed >> 62) : wait;
		}
		assert_true(n > 60 * rates[r] * 0.8);
		for (unsigned i = 0, first = 0; i < n; i++) {
			while (at[first] <= at[i] - 1000)
				first++;
			if (i - first + 1 > (rates[r] < 1 ? 1 : rates[r]))
				fail_msg("rate %g: %u in a second", rates[r], i - first + 1);
		}
	}
}

static void ramp(void **state)
{
	(void)state;
	static const unsigned sizes[] = { 1, 5, 25, 125, 625 };
	struct ramp r = { 0 };
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(ramp_room(&r), sizes[i]);
		ramp_sent(&r, sizes[i]);
		assert_int_equal(ramp_room(&r), 0);
		ramp_unsent(&r, 1);
		assert_int_equal(ramp_room(&r), 1);
		ramp_sent(&r, 1);
		ramp_done(&r, sizes[i]);
	}
	assert_int_equal(ramp_room(&r), RAMP_ALL);
}

static void breaker(void **state)
{
	(void)state;
	assert_false(breaker_trips(2, 2, 0.05)); /* too few results */
	assert_true(breaker_trips(3, 3, 0.05));
	assert_false(breaker_trips(1, 3, 0.05));
	assert_true(breaker_trips(2, 9, 0.05));
	assert_false(breaker_trips(5, 100, 0.05));
	assert_true(fabs(wilson_low(2, 9) - 0.0632) < 0.0005);
	/* What a clean canary proves, as it is said (the upper end; two-sided). */
	assert_true(wilson_high(0, 5) > 0.40 && wilson_high(0, 60) < 0.061 && wilson_high(0, 300) < 0.013);
	assert_true(wilson_low(0, 0) <= 0 && wilson_high(0, 0) >= 1);
}

/* The canary and the breaker by simulation: the share of runs that stop, and how early. */
static void abort_table(void **state)
{
	(void)state;
	static const struct {
		double p;
		unsigned sent_low, sent_high; /* the median */
		double aborted_low, aborted_high;
	} rows[] = { { 1, 3, 3, 1, 1 },
		         { 0.5, 3, 4, 1, 1 },
		         { 0.2, 5, 16, 1, 1 },
		         { 0.1, 20, 70, 0.98, 1 },
		         { 0.05, 5000, 5000, 0.2, 0.45 },
		         { 0.02, 5000, 5000, 0, 0.06 },
		         { 0.005, 5000, 5000, 0, 0.02 } };
	uint64_t seed = 7;
	for (unsigned r = 0; r < sizeof rows / sizeof *rows; r++) {
		unsigned aborted = 0, less = 0, more = 0;
		for (unsigned run = 0; run < 400; run++) {
			unsigned n = 0, failed = 0;
			bool trips = false;
			while (n < 5000 && !trips) {
				seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
				n++;
				failed += (double)(seed >> 11) / 9007199254740992.0 < rows[r].p;
				trips = breaker_trips(failed, n, 0.05);
			}
			aborted += trips;
			less += n < rows[r].sent_low;
			more += n > rows[r].sent_high;
		}
		if (less > 200 || more > 200 || aborted < 400 * rows[r].aborted_low || aborted > 400 * rows[r].aborted_high)
			fail_msg("at %g: %u of 400 aborted, %u sooner, %u later", rows[r].p, aborted, less, more);
	}
}

/* ---- events and verdicts */

static struct message example(void)
{
	static struct message_fact facts[] = { { "SentTimestamp", "1545082649183" }, { "ApproximateReceiveCount", "1" } };
	static struct message_attr attrs[] = { { "b", "Binary", { "\x01\x02", 2 }, true },
		                                   { "n", "Number.int", { "42", 2 }, false },
		                                   { "sev", "String", { "high", 4 }, false } };
	return (struct message){ .id = "m-1",
		                     .handle = "h",
		                     .body = SPAN("é\"\n\xf0\x9f\x98\x80"),
		                     .md5 = "d",
		                     .attrs_md5 = "e",
		                     .facts = facts,
		                     .nfacts = 2,
		                     .attrs = attrs,
		                     .nattrs = 3 };
}

static void event(void **state)
{
	(void)state;
	struct message m = example();
	const struct message *list[] = { &m, &m };
	struct buf b;
	buf_init(&b, 1 << 16);
	assert_true(event_sqs(&b, list, 2, "arn:aws:sqs:eu-west-1:1:q", "eu-west-1"));
	struct json *doc = json_parse(buf_span(&b), NULL);
	assert_non_null(doc);
	const struct json *r = json_first(json_get(doc, "Records")), *a = json_get(r, "messageAttributes");
	assert_string_equal(json_get_str(r, "messageId"), "m-1");
	assert_string_equal(json_get_str(r, "body"), "é\"\n\xf0\x9f\x98\x80");
	assert_string_equal(json_get_str(json_get(r, "attributes"), "SentTimestamp"), "1545082649183");
	assert_string_equal(json_get_str(json_get(a, "b"), "binaryValue"), "AQI=");
	assert_string_equal(json_get_str(json_get(a, "n"), "dataType"), "Number.int");
	assert_true(json_is_array(json_get(json_get(a, "n"), "stringListValues")));
	assert_string_equal(json_get_str(r, "eventSourceARN"), "arn:aws:sqs:eu-west-1:1:q");
	assert_non_null(json_next(r));
	json_free(doc);
	buf_clear(&b);
	buf_init(&b, 100);
	assert_false(event_sqs(&b, list, 2, "arn:aws:sqs:eu-west-1:1:q", "eu-west-1"));
	buf_clear(&b);
}

static void digests(void **state)
{
	(void)state;
	char md5[33];
	struct message m = example();
	message_attrs_md5(m.attrs, 3, md5);
	assert_string_equal(md5, "0c4c07e925889e719f3e618ac9af4425");
	const struct message_attr one = { "test_attribute_name_1", "String", SPAN("test_attribute_value_1"), false };
	message_attrs_md5(&one, 1, md5);
	assert_string_equal(md5, "ba056227cfd9533dba1f72ad9816d233");
}

static void verdicts(void **state)
{
	(void)state;
	static const char *const ids[] = { "a", "b", "c" };
	static const struct {
		const char *body, *error;
		bool partial;
		const char *failed; /* one letter a message: x failed */
		const char *code;
	} cases[] = {
		{ "", NULL, true, "...", "" },
		{ "null", NULL, true, "...", "" },
		{ "{}", NULL, true, "...", "" },
		{ "{\"batchItemFailures\":[]}", NULL, true, "...", "" },
		{ "{\"batchItemFailures\":null}", NULL, true, "...", "" },
		{ "{\"batchItemFailures\":[{\"itemIdentifier\":\"b\"}]}", NULL, true, ".x.", "ITEM_FAILED" },
		{ "{\"batchItemFailures\":[{\"itemIdentifier\":\"b\"},{\"itemIdentifier\":\"b\"}]}", NULL, true, ".x.",
		  "ITEM_FAILED" },
		{ "{\"batchItemFailures\":[{\"itemIdentifier\":\"b\"}]}", NULL, false, ".x.", "ITEM_FAILED" },
		{ "{\"batchItemFailures\":[{\"itemIdentifier\":\"z\"}]}", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"batchItemFailures\":[{\"itemIdentifier\":null}]}", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"batchItemFailures\":[{\"id\":\"a\"}]}", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"batchItemFailures\":\"a\"}", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"failures\":[]}", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"statusCode\":200}", NULL, false, "...", "" },
		{ "\"done\"", NULL, false, "...", "" },
		{ "\"done\"", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"batchItem", NULL, true, "xxx", "BAD_REPORT" },
		{ "{\"batchItem", NULL, false, "...", "" },
		{ "{\"errorType\":\"OrderError\",\"errorMessage\":\"no items\"}", "Unhandled", false, "xxx", "OrderError" },
		{ "{\"errorType\":\"OrderError\"}", "Handled", true, "xxx", "OrderError" },
		{ "", "Unhandled", true, "xxx", "Unhandled" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool failed[3];
		struct verdict_of v = { .failed = failed };
		event_verdict(span_of(cases[i].body), cases[i].error, ids, 3, cases[i].partial, &v);
		unsigned n = 0;
		for (unsigned k = 0; k < 3; k++) {
			n += failed[k];
			if (failed[k] != (cases[i].failed[k] == 'x'))
				fail_msg("case %u: %s", i, cases[i].body);
		}
		assert_int_equal(n, v.nfailed);
		assert_string_equal(v.code, cases[i].code);
	}
}

/* ---- names and groups */

static void ids(void **state)
{
	(void)state;
	char a[RUN_ID], b[RUN_ID], d[DEDUP_ID], e[DEDUP_ID], sha[SHA_HEX], other[SHA_HEX];
	uint8_t low[10] = { 0 }, high[10];
	memset(high, 0xff, sizeof high);
	run_id_make(1469918176385, low, a);
	assert_string_equal(a, "01ARYZ6S410000000000000000"); /* the ULID specification's own time */
	run_id_make(1469918176385, high, b);
	assert_string_equal(b, "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
	assert_true(run_id_valid(a) && !run_id_valid("01ARYZ6S41") && !run_id_valid("01ARYZ6S41000000000000000U"));
	dedup_id("arn:aws:sqs:eu-west-1:1:q", "m", 1, d);
	dedup_id("arn:aws:sqs:eu-west-1:1:q", "m", 2, e);
	body_hash("arn:aws:sqs:eu-west-1:1:q\nm\n1", 29, sha);
	assert_int_equal(strlen(d), 43);
	assert_true(strncmp(d, "sl-", 3) == 0 && strncmp(d + 3, sha, 40) == 0 && strcmp(d, e) != 0);
	struct replay_item items[2] = { { .seq = 1, .msg_id = "a", .fp = "f" }, { .seq = 2, .msg_id = "b", .fp = "f" } };
	manifest_hash(items, 2, sha);
	items[1].sent_ms = 5;
	manifest_hash(items, 2, other);
	assert_string_not_equal(sha, other);
}

static void groups(void **state)
{
	(void)state;
	struct message_fact from = { "DeadLetterQueueSourceArn", "arn:aws:sqs:eu-west-1:1:orders" };
	char fp[6][FP_LEN], cause[CAUSE_LEN];
	const char *const bodies[] = { "{\"a\":1,\"b\":[{\"c\":\"x\"}]}", "{\"b\":[{\"c\":\"y\"},{\"c\":\"z\"}],\"a\":2.5}",
		                           "{\"a\":\"1\",\"b\":[]}", "not json", "\xff\xfe" };
	for (unsigned i = 0; i < 5; i++) {
		struct message m = { .body = span_of(bodies[i]), .facts = &from, .nfacts = 1 };
		group_of_message(&m, fp[i], cause);
		assert_non_null(strstr(cause, "orders"));
	}
	assert_string_equal(fp[0], fp[1]); /* the same shape, whatever the order and the values */
	assert_string_not_equal(fp[0], fp[2]);
	assert_string_equal(fp[3], fp[4]);
	struct message m = {
		.body = SPAN(
		    "{\"requestContext\":{\"condition\":\"RetriesExhausted\"},\"responsePayload\":{\"errorType\":\"KeyError\","
		    "\"stackTrace\":[\"line 7\"]}}")
	};
	group_of_message(&m, fp[5], cause);
	assert_non_null(strstr(cause, "RetriesExhausted: KeyError at line 7"));
	struct message_attr code = { "ErrorCode", "Number", SPAN("429"), false };
	m = (struct message){ .body = SPAN("{}"), .attrs = &code, .nattrs = 1 };
	group_of_message(&m, fp[5], cause);
	assert_string_equal(cause, "429");
}

static int setup(void **state)
{
	(void)state;
	return hash_init() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states),  cmocka_unit_test(names),    cmocka_unit_test(sums),        cmocka_unit_test(rate),
		cmocka_unit_test(ramp),    cmocka_unit_test(breaker),  cmocka_unit_test(abort_table), cmocka_unit_test(event),
		cmocka_unit_test(digests), cmocka_unit_test(verdicts), cmocka_unit_test(ids),         cmocka_unit_test(groups),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
