/* When a run stops: the abort table, played 400 times a row on the breaker that the drive uses; and the rules beside it. */
#include "replay/pace.h"
#include "replay/watch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RUNS 400
#define MESSAGES 5000
#define TOLERANCE 0.05

/* ---- the abort table */

static uint64_t seed = 88172645463325252u;

static double chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int median(int v[RUNS])
{
	qsort(v, RUNS, sizeof *v, by_number);
	return v[RUNS / 2];
}

struct played {
	int sent, failed; /* medians */
	double aborted;   /* share */
};

static struct played play(double rate)
{
	static int sent[RUNS], failed[RUNS];
	int aborted = 0;
	for (int i = 0; i < RUNS; i++) {
		bool tripped = false;
		sent[i] = failed[i] = 0;
		while (!tripped && sent[i] < MESSAGES) {
			sent[i]++;
			failed[i] += chance() < rate;
			tripped = breaker_trips((unsigned)failed[i], (unsigned)sent[i], TOLERANCE);
		}
		aborted += tripped;
	}
	return (struct played){ median(sent), median(failed), (double)aborted / RUNS };
}

/* What is documented of the Wilson breaker; bounds are three standard deviations of 400 draws, and what a median may move. */
static void the_abort_table(void **state)
{
	(void)state;
	static const struct {
		double rate;
		int sent_low, sent_high, failed_low, failed_high;
		double aborted_low, aborted_high;
	} rows[] = {
		{ 1.00, 3, 3, 3, 3, 1, 1 },
		{ 0.50, 3, 4, 2, 3, 1, 1 },
		{ 0.20, 6, 13, 2, 3, 1, 1 },
		{ 0.10, 24, 60, 4, 8, 1, 1 },
		{ 0.05, 5000, 5000, 225, 255, 0.25, 0.42 },
		{ 0.02, 5000, 5000, 92, 108, 0, 0.06 },
		{ 0.005, 5000, 5000, 21, 28, 0, 0.02 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct played p = play(rows[i].rate);
		printf("%5.1f %%: median sent %d, failed %d, aborted %.0f %%\n", 100 * rows[i].rate, p.sent, p.failed,
		       100 * p.aborted);
		assert_in_range(p.sent, rows[i].sent_low, rows[i].sent_high);
		assert_in_range(p.failed, rows[i].failed_low, rows[i].failed_high);
		assert_true(p.aborted >= rows[i].aborted_low && p.aborted <= rows[i].aborted_high);
	}
}

/* ---- the others */

#define N (double)NAN
#define COUNT(v) (v), (unsigned)(sizeof(v) / sizeof *(v))

static void throttles(void **state)
{
	(void)state;
	static const double calm[] = { 0, 0, N, 0 }, busy[] = { 0, 7, 3 }, none[] = { N, N }, one[] = { 0, 1, 0 },
	                    two[] = { 1, 0, 1 }, many[] = { 10 }, eight[] = { 8, 8 }, six[] = { 6, 6, 6 };
	assert_false(throttles_rise(COUNT(calm), COUNT(none)));
	assert_false(throttles_rise(COUNT(calm), COUNT(one)));
	assert_true(throttles_rise(COUNT(calm), COUNT(two)));
	assert_true(throttles_rise(COUNT(calm), COUNT(many)));
	assert_false(throttles_rise(COUNT(busy), COUNT(many))); /* 3 more than it had, once */
	assert_false(throttles_rise(COUNT(busy), COUNT(six)));
	assert_true(throttles_rise(COUNT(busy), COUNT(eight)));
	assert_true(throttles_rise(NULL, 0, COUNT(two)));
}

static void ages(void **state)
{
	(void)state;
	static const double flat[] = { 5, 6, 5, 6, 5 }, grows[] = { 10, 70, 130, 190 }, slow[] = { 6, 8, 10, 12 },
	                    gap[] = { 10, N, 130, N, 250 }, few[] = { 10, 200 }, sinks[] = { 400, 300, 200 },
	                    faster[] = { 250, 330, 410 };
	assert_true(fabs(age_slope(COUNT(grows)) - 1) < 1e-9);
	assert_true(fabs(age_slope(COUNT(gap)) - 1) < 1e-9);
	assert_true(isnan(age_slope(COUNT(few))));
	assert_true(age_rises(COUNT(flat), COUNT(grows)));
	assert_true(age_rises(COUNT(flat), COUNT(gap)));
	assert_false(age_rises(COUNT(flat), COUNT(slow)));
	assert_false(age_rises(COUNT(flat), COUNT(few)));
	assert_false(age_rises(COUNT(few), COUNT(grows))); /* what it was before is not known */
	assert_false(age_rises(COUNT(grows), COUNT(grows)));
	assert_true(age_rises(COUNT(grows), COUNT(faster)));
	assert_false(age_rises(COUNT(sinks), COUNT(grows))); /* it was older before */
}

static void races(void **state)
{
	(void)state;
	assert_int_equal(race_of(100, 49), RACE_FINE);
	assert_int_equal(race_of(100, 51), RACE_TIGHT);
	assert_int_equal(race_of(100, 101), RACE_LOST);
	assert_int_equal(race_of(-5, 1), RACE_LOST);
	assert_int_equal(race_of(N, 1), RACE_UNKNOWN);
	assert_int_equal(race_of(1, N), RACE_UNKNOWN);
}

static void normal(void **state)
{
	(void)state;
	double day[288];
	for (unsigned i = 0; i < 288; i++)
		day[i] = i < 144 ? N : i % 2 ? 600 : N; /* known for half a day, active every other time */
	assert_true(fabs(normal_rate(COUNT(day), 300) - 1.0) < 0.01);
	for (unsigned i = 0; i < 288; i++)
		day[i] = i < 280 ? N : 600;
	assert_true(isnan(normal_rate(COUNT(day), 300))); /* 40 minutes */
	for (unsigned i = 0; i < 288; i++)
		day[i] = N;
	assert_true(isnan(normal_rate(COUNT(day), 300)));
	for (unsigned i = 0; i < 288; i++)
		day[i] = 0;
	assert_true(isnan(normal_rate(COUNT(day), 300))); /* nothing is sent there: 5 % of nothing is no rate */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_abort_table), cmocka_unit_test(throttles), cmocka_unit_test(ages),
		cmocka_unit_test(races),           cmocka_unit_test(normal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
