/* The back-test against an evaluator that is slow and written apart, on ten thousand random series. */
#include "alarms/backtest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slow_backtest.h"

#define MINUTES 400

static unsigned any(unsigned n)
{
	return (unsigned)rand() % n;
}

/* Calm, rough and torn stretches; whole numbers, so that sums are exact, and 0 among them. */
static void make_past(struct past *p)
{
	unsigned holes = any(4), level = any(3);
	for (unsigned i = 0; i < MINUTES; i++) {
		if (any(40) == 0) {
			holes = any(4);
			level = any(3);
		}
		p->n[i] = holes == 3 || (holes && any(4) < holes) ? 0 : 1 + any(SAMPLES);
		for (unsigned k = 0; k < p->n[i]; k++)
			p->sample[i][k] = (double)any(4) * level;
	}
}

static void equal_to_the_slow_way(void **state)
{
	(void)state;
	static double sample[MINUTES][SAMPLES];
	static unsigned counts[MINUTES];
	struct past p = { MINUTES, sample, counts };
	static double sum[MINUTES], samples[MINUTES], low[MINUTES], high[MINUTES], windows[MINUTES];
	static enum eval_state fast_states[MINUTES], slow_states[MINUTES];
	unsigned fires = 0, unlike = 0;
	srand(20261128);
	for (unsigned series = 0; series < 10000; series++) {
		make_past(&p);
		for (unsigned i = 0; i < MINUTES; i++) {
			sum[i] = slow_window(&p, EVAL_SUM, i + 1L, 1);
			samples[i] = slow_window(&p, EVAL_SAMPLES, i + 1L, 1);
			low[i] = slow_window(&p, EVAL_MINIMUM, i + 1L, 1);
			high[i] = slow_window(&p, EVAL_MAXIMUM, i + 1L, 1);
		}
		struct eval_minutes m = { MINUTES, sum, samples, low, high };
		enum eval_stat s = (enum eval_stat)any(5);
		unsigned width = 1 + any(6), n = 1 + any(6);
		struct eval_rule r = { .n = n,
			                   .m = 1 + any(n),
			                   .threshold = any(8),
			                   .compare = (enum eval_compare)any(4),
			                   .missing = (enum eval_missing)any(4) };
		for (unsigned i = 0; i < MINUTES; i++)
			windows[i] = eval_window(s, &m, (long)i + 1 - width, width);
		struct backtest_in in = { .rule = r,
			                      .windows = windows,
			                      .n = MINUTES,
			                      .width = width,
			                      .every = any(5) ? 1 : 60,
			                      .from = any(100),
			                      .start = EVAL_INSUFFICIENT };
		struct backtest b = backtest(&in, fast_states);
		struct slow w = slow_test(&p, s, &r, width, in.every, in.from, slow_states);
		if (memcmp(fast_states, slow_states, sizeof fast_states) != 0)
			fail_msg("series %u: not the same states", series);
		assert_true(b.fires == w.fires && b.transitions == w.transitions && b.alarm == w.alarm &&
		            b.insufficient == w.insufficient && b.longest == w.longest && b.steps == MINUTES - in.from);
		fires += b.fires;
		unlike += b.fires > 1;
	}
	assert_true(fires > 10000 && unlike > 1000); /* it was about something */
}

static void sweeps(void **state)
{
	(void)state;
	double windows[60];
	for (unsigned i = 0; i < 60; i++)
		windows[i] = i % 10 < 2 ? 9 : i % 10 < 4 ? 6 : 1;
	struct backtest_in in = { .rule = { .n = 1, .m = 1, .threshold = 5, .compare = EVAL_GT },
		                      .windows = windows,
		                      .n = 60,
		                      .width = 1,
		                      .every = 1,
		                      .start = EVAL_OK };
	struct sweep_row rows[SWEEP_MOST];
	unsigned n = backtest_sweep(&in, rows);
	assert_true(n > 20 && rows[0].threshold == 5 && rows[0].m == 1 && rows[0].n == 1 && rows[0].result.fires == 6);
	for (unsigned i = 0; i < n; i++) {
		struct backtest_in other = in;
		other.rule.threshold = rows[i].threshold;
		other.rule.m = rows[i].m;
		other.rule.n = rows[i].n;
		assert_int_equal(backtest(&other, NULL).fires, rows[i].result.fires);
		for (unsigned k = 0; k < i; k++)
			assert_true(rows[k].threshold != rows[i].threshold || rows[k].m != rows[i].m || rows[k].n != rows[i].n);
	}
	in.rule.threshold = 0; /* a factor of nothing is nothing: other thresholds all the same */
	assert_true(backtest_sweep(&in, rows) > 20);
}

static void agreements(void **state)
{
	(void)state;
	const enum eval_state a[] = { EVAL_OK, EVAL_ALARM, EVAL_OK, EVAL_ALARM, EVAL_OK },
	                      b[] = { EVAL_OK, EVAL_OK, EVAL_OK, EVAL_CURRENT, EVAL_OK };
	struct agreement x = backtest_agreement(a, b, 1, 5);
	assert_true(x.same == 2 && x.of == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(equal_to_the_slow_way), cmocka_unit_test(sweeps),
		                                cmocka_unit_test(agreements) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
