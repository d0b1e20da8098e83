/* The local alarm evaluator: AWS's own tables, the simulator's evaluator (written apart from it), windows against a slow and plain
 * way to the same numbers. */
#include "alarms/eval.h"
#include "sim/sim_alarm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "missing_data.h"

static const char *const names[] = { "OK", "ALARM", "INSUFFICIENT_DATA", "CURRENT" };

/* Good is 0 and breaching 7, or the other way round: 0 is a value. */
static unsigned points_of(const char *text, bool zero_breaches, double *v)
{
	unsigned n = 0;
	for (; *text; text++)
		v[n++] = *text == '-' ? NAN : (*text == 'X') == zero_breaches ? 0 : 7;
	return n;
}

static struct eval_result eval_text(const char *points, bool zero_breaches, unsigned n, unsigned m, const char *mode)
{
	double v[64];
	struct eval_rule r = { .n = n, .m = m, .threshold = 5, .compare = zero_breaches ? EVAL_LT : EVAL_GT };
	assert_true(eval_missing_parse(mode, &r.missing));
	return eval(&r, v, points_of(points, zero_breaches, v));
}

static void check_row(const char *points, unsigned n, unsigned m, const char *mode, const char *wanted)
{
	for (int zero = 0; zero < 2; zero++) {
		enum eval_state s = eval_text(points, zero, n, m, mode).state;
		if (strcmp(names[s], wanted) != 0)
			fail_msg("%u of %u, %s, %s: %s instead of %s", m, n, points, mode, names[s], wanted);
	}
}

static void missing_data_tables(void **state)
{
	(void)state;
	missing_data_rows(check_row);
}

static void more_rows(void **state)
{
	(void)state;
	check_row("00000", 3, 3, "missing", "OK");
	check_row("XXX00", 1, 1, "missing", "OK");
	check_row("---X-", 3, 3, "missing", "CURRENT");
	check_row("----X", 3, 3, "missing", "CURRENT");
	check_row("X", 1, 1, "missing", "ALARM");
	check_row("", 3, 3, "missing", "INSUFFICIENT_DATA");
	check_row("XXXX0", 5, 3, "missing", "ALARM");
	check_row("---XX", 5, 2, "ignore", "ALARM");
	check_row("------X", 5, 1, "missing", "ALARM"); /* the range of five periods is seven */
}

static void comparisons(void **state)
{
	(void)state;
	static const struct {
		const char *sign;
		bool below, at, above;
	} cases[] = { { ">", false, false, true },
		          { ">=", false, true, true },
		          { "<", true, false, false },
		          { "<=", true, true, false } };
	for (size_t i = 0; i < 4; i++) {
		struct eval_rule r = { .n = 1, .m = 1, .threshold = 0 };
		assert_true(eval_compare_parse(cases[i].sign, &r.compare));
		assert_int_equal(eval_breaches(&r, -1), cases[i].below);
		assert_int_equal(eval_breaches(&r, 0), cases[i].at);
		assert_int_equal(eval_breaches(&r, 1), cases[i].above);
		assert_false(eval_breaches(&r, NAN));
	}
	enum eval_compare c;
	enum eval_missing m;
	assert_false(eval_compare_parse("", &c));
	assert_false(eval_compare_parse(NULL, &c));
	assert_true(eval_missing_parse(NULL, &m));
	assert_int_equal(m, EVAL_MISSING);
	assert_false(eval_missing_parse("- TreatMissingData: missing", &m));
}

/* What the reader is told beside the state. */
static void told(void **state)
{
	(void)state;
	struct eval_result r = eval_text("0XX-X", false, 3, 3, "missing");
	assert_int_equal(r.real, 3);
	assert_int_equal(r.breaching, 3);
	assert_true(r.newest == 7 && r.age == 0);
	assert_false(r.by_range);
	r = eval_text("0X-X-", false, 3, 3, "missing");
	assert_true(r.newest == 7 && r.age == 1);
	assert_true(r.by_range); /* a range of four would not hold the good point */
	r = eval_text("-----", false, 3, 3, "missing");
	assert_true(isnan(r.newest) && r.real == 0);
	r = eval_text("XXXX---", false, 3, 3, "missing"); /* seven windows are handed over, five are looked at */
	assert_int_equal(r.state, EVAL_ALARM);
	assert_int_equal(r.real, 2);
	assert_true(
	    eval_text("X-----", false, 3, 3, "missing").by_range); /* gone from a range of five, still in one of six */
	assert_true(eval_text("0-X--", false, 3, 3, "missing").by_reading);
	assert_false(eval_text("0-X--", false, 3, 2, "missing").by_reading); /* the table has this one */
	assert_int_equal(eval_range(3), 5);
	assert_int_equal(eval_range(1), 3);
	assert_int_equal(eval_range(30), 40);
}

/* ---- two readings of one page: they may differ only where the result itself says that the page can be read in two ways */

static unsigned differing;

static void against_sim(const char *points, unsigned len, unsigned n, unsigned m, enum eval_missing mode)
{
	enum point pt[16];
	for (unsigned i = 0; i < len; i++)
		pt[i] = points[i] == 'X' ? POINT_BREACHING : points[i] == '0' ? POINT_GOOD : POINT_MISSING;
	struct eval_result mine = eval_text(points, false, n, m, sim_missing_names[mode]);
	for (enum sim_state current = STATE_OK; current <= STATE_INSUFFICIENT; current++) {
		enum sim_state theirs = alarm_judge(pt, len, n, m, (enum sim_missing)mode, current);
		const char *state = mine.state == EVAL_CURRENT ? sim_state_names[current] : names[mine.state];
		bool same = strcmp(state, sim_state_names[theirs]) == 0;
		differing += !same;
		if (!same && !mine.by_reading)
			fail_msg("%u of %u, %s, %s: %s here, %s in the simulator", m, n, points, sim_missing_names[mode], state,
			         sim_state_names[theirs]);
	}
}

static void against_the_simulator(void **state)
{
	(void)state;
	unsigned compared = 0;
	for (unsigned n = 1; n <= 5; n++) {
		unsigned len = eval_range(n), all = 1;
		for (unsigned i = 0; i < len; i++)
			all *= 3;
		for (unsigned code = 0; code < all; code++) {
			char points[16] = "";
			unsigned left = code;
			for (unsigned i = 0; i < len; i++, left /= 3)
				points[i] = "0X-"[left % 3];
			for (unsigned m = 1; m <= n; m++)
				for (enum eval_missing mode = EVAL_MISSING; mode <= EVAL_NOT_BREACHING; mode++, compared++)
					against_sim(points, len, n, m, mode);
		}
	}
	printf("%u cases, each from three states; %u differ, each where the guide has two readings\n", compared, differing);
	assert_true(compared > 50000);
	assert_true(differing > 0); /* else by_reading were never needed */
}

/* ---- windows */

#define MINUTES 400
#define SAMPLES 6

static uint64_t seed = 88172645463325252u;
static unsigned dice(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

struct raw {
	unsigned n[MINUTES];
	double v[MINUTES][SAMPLES];
};

/* Sample by sample, as if every one were still there. */
static double plain(const struct raw *r, enum eval_stat s, long from, long to)
{
	double sum = 0, low = INFINITY, high = -INFINITY;
	unsigned n = 0;
	for (long i = from < 0 ? 0 : from; i < to && i < MINUTES; i++)
		for (unsigned k = 0; k < r->n[i]; k++, n++) {
			sum += r->v[i][k];
			low = r->v[i][k] < low ? r->v[i][k] : low;
			high = r->v[i][k] > high ? r->v[i][k] : high;
		}
	if (!n)
		return NAN;
	return (double[]){
		[EVAL_SUM] = sum, [EVAL_SAMPLES] = n, [EVAL_AVERAGE] = sum / n, [EVAL_MINIMUM] = low, [EVAL_MAXIMUM] = high
	}[s];
}

static void draw_raw(struct raw *r, double sets[4][MINUTES])
{
	for (unsigned i = 0; i < MINUTES; i++) {
		r->n[i] = dice(3) ? dice(SAMPLES + 1) : 0;
		for (unsigned k = 0; k < r->n[i]; k++)
			r->v[i][k] = (double)dice(21) - 10;
		for (unsigned s = 0; s < 2; s++)
			sets[s][i] = plain(r, (enum eval_stat)s, i, i + 1);
		sets[2][i] = plain(r, EVAL_MINIMUM, i, i + 1);
		sets[3][i] = plain(r, EVAL_MAXIMUM, i, i + 1);
	}
}

static void windows_of_random_series(void **state)
{
	(void)state;
	static struct raw raw;
	static double sets[4][MINUTES];
	unsigned compared = 0;
	for (unsigned round = 0; round < 200; round++) {
		draw_raw(&raw, sets);
		struct eval_minutes m = { MINUTES, sets[0], sets[1], sets[2], sets[3] };
		for (enum eval_stat s = EVAL_SUM; s <= EVAL_MAXIMUM; s++) {
			unsigned width = 1 + dice(30), count = 1 + dice(12), end = dice(MINUTES + 1);
			double out[12];
			eval_windows(s, &m, end, width, count, out);
			for (unsigned i = 0; i < count; i++, compared++) {
				long first = (long)end - (long)(count - i) * (long)width;
				double want = plain(&raw, s, first, first + (long)width);
				assert_true(isnan(want) ? isnan(out[i]) : fabs(out[i] - want) < 1e-9);
			}
		}
	}
	printf("%u windows\n", compared);
}

/* A window of the alarm's own slides by the minute: five minutes over the hour's end hold what both hours gave. */
static void a_window_slides(void **state)
{
	(void)state;
	double sum[10] = { 0, 0, 0, 4, 4, 4, 0, 0, 0, 0 }, out[1];
	struct eval_minutes m = { .n = 10, .sum = sum };
	struct eval_rule r = { .n = 1, .m = 1, .threshold = 10, .compare = EVAL_GT };
	eval_windows(EVAL_SUM, &m, 5, 5, 1, out); /* on the clock's own five minutes: 8, then 4 */
	assert_int_equal(eval(&r, out, 1).state, EVAL_OK);
	eval_windows(EVAL_SUM, &m, 10, 5, 1, out);
	assert_int_equal(eval(&r, out, 1).state, EVAL_OK);
	eval_windows(EVAL_SUM, &m, 7, 5, 1, out);
	assert_int_equal(eval(&r, out, 1).state, EVAL_ALARM);
	assert_true(out[0] == 12);
}

static void statistics(void **state)
{
	(void)state;
	enum eval_stat s;
	assert_true(eval_stat_parse("SampleCount", &s));
	assert_int_equal(s, EVAL_SAMPLES);
	assert_false(eval_stat_parse("p99", &s));
	assert_false(eval_stat_parse(NULL, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_data_tables),   cmocka_unit_test(more_rows),
		cmocka_unit_test(comparisons),           cmocka_unit_test(told),
		cmocka_unit_test(against_the_simulator), cmocka_unit_test(windows_of_random_series),
		cmocka_unit_test(a_window_slides),       cmocka_unit_test(statistics),
	};
	return cmocka_run_group_tests_name("eval", tests, NULL, NULL);
}
