/* The embedded AWS's faults: the table, how a switch is written, when it strikes. */
#include "core/buf.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"
#include "sim/fault.h"
#include "sim/motion.h"
#include "sim/scenario.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct world *world;

static void the_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		const struct fault *row = &fault_rows[i];
		assert_true(strlen(row->name) > 1 &&
		            strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(row->name));
		assert_true(strlen(row->help) > 10);
		assert_true((row->when == AT_BEFORE || row->when == AT_AFTER) == (row->act != NULL));
		assert_true(row->least <= row->otherwise && row->otherwise <= row->most);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(row->name, fault_rows[k].name);
	}
}

/* Every word of every row is a service or an operation that there is: a misspelt one would never strike. */
static void rows_name_what_there_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		char words[400], *rest = words;
		assert_true(snprintf(words, sizeof words, "%s", fault_rows[i].where) < (int)sizeof words);
		while (rest) {
			char spec[200];
			struct fault_on on;
			struct err e = { 0 };
			snprintf(spec, sizeof spec, "%s=%s", strsep(&rest, " "), fault_rows[i].name);
			if (!fault_parse(spec, &on, &e))
				fail_msg("%s: %s", spec, e.text);
			assert_int_equal(on.id, i);
		}
	}
}

static void good_switches(void **state)
{
	(void)state;
	struct fault_on on;
	assert_true(fault_parse("sqs:ReceiveMessage=throttle", &on, NULL));
	assert_string_equal(on.service, "sqs");
	assert_string_equal(on.op, "ReceiveMessage");
	assert_int_equal(on.id, FAULT_THROTTLE);
	assert_int_equal(on.times + on.after + on.seen + on.hits, 0);
	assert_true(on.p >= 1);
	assert_true(fault_parse("*=delay:250,times=3,after=2,p=0.25,seed=9", &on, NULL));
	assert_string_equal(on.op, "*");
	assert_int_equal(on.id, FAULT_DELAY);
	assert_int_equal(on.param, 250);
	assert_int_equal(on.times, 3);
	assert_int_equal(on.after, 2);
	assert_int_equal(on.seed, 9);
	assert_true(on.p > 0.24 && on.p < 0.26);
	assert_true(fault_parse("cloudwatch:*=clock:-7200", &on, NULL));
	assert_int_equal(on.param, -7200);
	assert_true(fault_parse("*=half", &on, NULL));
	assert_int_equal(on.param, -1);
	assert_true(fault_parse("lambda:Invoke=throttle:CallerRateLimitExceeded", &on, NULL));
	assert_int_equal(on.param, 4);
	assert_true(fault_parse("sqs:*=denied:scp", &on, NULL));
	assert_int_equal(on.param, 2);
}

static void bad_switches(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *says;
	} all[] = {
		{ "", "empty" },
		{ "sqs:ReceiveMessage", "lacks the =" },
		{ "=throttle", "write OP=FAULT" },
		{ "sqs=throttle", "no operation" },
		{ "sqs:Receive=throttle", "no operation 'Receive'" },
		{ "ses:SendEmail=throttle", "no service 'ses'" },
		{ "monitoring:ListMetrics=throttle", "no service 'monitoring'" },
		{ "sqs:*=throtle", "no fault 'throtle'" },
		{ "sqs:*=", "no fault ''" },
		{ "sqs:*=reset:3", "takes no parameter" },
		{ "sqs:*=delay:", "wants MS from 0 to 600000" },
		{ "sqs:*=delay:600001", "not '600001'" },
		{ "sqs:*=delay:1s", "not '1s'" },
		{ "sqs:*=denied:never", "identity|explicit|scp" },
		{ "sqs:*=reset,times", "no limit" },
		{ "sqs:*=reset,times=0", "times wants" },
		{ "sqs:*=reset,times=-1", "times wants" },
		{ "sqs:*=reset,p=0", "p wants" },
		{ "sqs:*=reset,p=1.5", "p wants" },
		{ "sqs:*=reset,every=2", "no limit" },
		{ "sqs:*=reset,", "no limit" },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct fault_on on;
		struct err e = { 0 };
		if (fault_parse(all[i].spec, &on, &e))
			fail_msg("'%s' was taken", all[i].spec);
		assert_int_equal(e.code, ERR_USAGE);
		if (!strstr(e.text, all[i].says))
			fail_msg("'%s': %s", all[i].spec, e.text);
	}
	char spec[400];
	memset(spec, 'x', sizeof spec - 1);
	spec[sizeof spec - 1] = '\0';
	assert_false(fault_parse(spec, &(struct fault_on){ 0 }, NULL));
}

/* ---- striking */

static struct sim_answer answer;

static enum fault_done call(const char *service, const char *op)
{
	struct sim_req rq = { .answer = &answer };
	struct sim_fail f;
	answer = (struct sim_answer){ .status = 200 };
	buf_init(&answer.body, 1 << 20);
	snprintf(rq.service, sizeof rq.service, "%s", service);
	snprintf(rq.op, sizeof rq.op, "%s", op);
	enum fault_done done = fault_before(world, &rq, &f);
	if (done == FAULT_PASS)
		fault_after(world, &rq);
	buf_clear(&answer.body);
	return done;
}

static void on(const char *spec)
{
	struct err e = { 0 };
	if (!fault_switch(&world->faults, spec, &e))
		fail_msg("%s", e.text);
}

static void whom_it_strikes(void **state)
{
	(void)state;
	fault_clear(&world->faults);
	on("sqs:SendMessage=throttle");
	on("cloudwatch:*=throttle");
	assert_int_equal(call("sqs", "SendMessage"), FAULT_REFUSE);
	assert_int_equal(call("sqs", "SendMessageBatch"), FAULT_PASS);
	assert_int_equal(call("monitoring", "ListMetrics"), FAULT_REFUSE);
	assert_int_equal(call("monitoring", "DescribeAlarms"), FAULT_REFUSE);
	assert_int_equal(call("kinesis", "ListStreams"), FAULT_PASS);
	assert_int_equal(world->faults.on[0].seen, 1);
	assert_int_equal(world->faults.on[0].hits, 1);
	assert_int_equal(world->faults.on[1].hits, 2);
}

static void how_often(void **state)
{
	(void)state;
	char seen[11] = "";
	fault_clear(&world->faults);
	on("sqs:*=throttle,after=3,times=4");
	for (unsigned i = 0; i < 10; i++)
		seen[i] = call("sqs", "ListQueues") == FAULT_REFUSE ? 'x' : '.';
	assert_string_equal(seen, "...xxxx...");
	assert_int_equal(world->faults.on[0].seen, 10);
	assert_int_equal(world->faults.on[0].hits, 4);
}

/* The same chance twice is the same row of strikes; another seed is another. */
static void by_chance(void **state)
{
	(void)state;
	enum { N = 1000 };
	char row[3][N + 1] = { "" };
	for (unsigned k = 0; k < 3; k++) {
		fault_clear(&world->faults);
		on(k < 2 ? "sqs:*=throttle,p=0.3" : "sqs:*=throttle,p=0.3,seed=2");
		for (unsigned i = 0; i < N; i++)
			row[k][i] = call("sqs", "ListQueues") == FAULT_REFUSE ? 'x' : '.';
		assert_in_range(world->faults.on[0].hits, 240, 360);
	}
	assert_string_equal(row[0], row[1]);
	assert_string_not_equal(row[0], row[2]);
}

/* Of two that would answer for the operation the first does; of those after it all do. */
static void several(void **state)
{
	(void)state;
	fault_clear(&world->faults);
	on("*=throttle,times=1");
	on("sqs:*=html");
	on("*=delay:5");
	on("*=delay:7");
	assert_int_equal(call("sqs", "ListQueues"), FAULT_REFUSE);
	assert_int_equal(world->faults.on[1].seen, 0);
	assert_int_equal(call("sqs", "ListQueues"), FAULT_ANSWER);
	assert_int_equal(answer.status, 503);
	assert_int_equal(call("kinesis", "ListStreams"), FAULT_PASS);
	assert_int_equal(answer.delay_ms, 12);
}

static void at_most_so_many(void **state)
{
	(void)state;
	struct err e = { 0 };
	fault_clear(&world->faults);
	for (unsigned i = 0; i < FAULT_SWITCHES; i++)
		on("*=delay:0");
	assert_false(fault_switch(&world->faults, "*=delay:0", &e));
	assert_non_null(strstr(e.text, "too many"));
	fault_clear(&world->faults);
	on("*=delay:0");
	assert_int_equal(world->faults.on[0].number > FAULT_SWITCHES, 1); /* a number is never given twice */
}

static void reports(void **state)
{
	(void)state;
	struct buf b;
	struct err e;
	struct sim_req rq = { .service = "monitoring", .op = "ListMetrics" };
	fault_clear(&world->faults);
	on("sqs:*=throttle,times=1");
	call("sqs", "ListQueues");
	fault_called(world, &rq);
	fault_called(world, &rq);
	buf_init(&b, 1 << 20);
	fault_report(&world->faults, &b);
	struct json *root = json_parse(buf_span(&b), &e);
	const struct json *first = json_first(json_get(root, "faults"));
	int64_t n = 0;
	assert_string_equal(json_get_str(first, "spec"), "sqs:*=throttle,times=1");
	assert_true(json_int(json_get(first, "hits"), &n) && n == 1);
	assert_true(json_int(json_get(json_get(root, "calls"), "cloudwatch:ListMetrics"), &n) && n == 2);
	json_free(root);
	buf_reset(&b);
	fault_list(&b);
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		assert_non_null(strstr(b.p, fault_rows[i].name));
	buf_clear(&b);
	fault_clear(&world->faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),       cmocka_unit_test(rows_name_what_there_is),
		cmocka_unit_test(good_switches),   cmocka_unit_test(bad_switches),
		cmocka_unit_test(whom_it_strikes), cmocka_unit_test(how_often),
		cmocka_unit_test(by_chance),       cmocka_unit_test(several),
		cmocka_unit_test(at_most_so_many), cmocka_unit_test(reports),
	};
	if (!clock_init() || !hash_init())
		return 1;
	world = motion_start(scenario_find("empty"), "eu-west-1", 1);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	motion_end(world);
	return failed;
}
