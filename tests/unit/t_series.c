/* core/series.c against a model that keeps every point in a list and does everything the slow way. */
#include "core/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 3;
static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- the model */

#define POINTS 4000
struct point {
	int64_t t;
	double v;
};
struct model {
	struct point p[POINTS];
	unsigned n;
	int64_t last, step;
	bool any;
};

static int64_t floor_to(int64_t t, int64_t step)
{
	int64_t q = t / step;
	if (t % step < 0)
		q--;
	return q * step;
}

static struct point *model_find(struct model *m, int64_t t)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->p[i].t == t)
			return &m->p[i];
	return NULL;
}

static bool kept(const struct model *m, int64_t t)
{
	return m->any && t <= m->last && t > m->last - SERIES_MAX * m->step;
}

static enum series_put model_put(struct model *m, int64_t t, double v)
{
	t = floor_to(t, m->step);
	if (m->any && t <= m->last && !kept(m, t))
		return SERIES_OLD;
	if (!m->any || t > m->last) {
		m->last = t;
		m->any = true;
		unsigned n = 0;
		for (unsigned i = 0; i < m->n; i++)
			if (kept(m, m->p[i].t))
				m->p[n++] = m->p[i];
		m->n = n;
	}
	struct point *p = model_find(m, t);
	if (p) {
		enum series_put done = p->v == v ? SERIES_SAME : SERIES_CHANGED;
		p->v = v;
		return done;
	}
	assert_true(m->n < POINTS);
	m->p[m->n++] = (struct point){ t, v };
	return SERIES_NEW;
}

static double model_at(struct model *m, int64_t t)
{
	struct point *p = model_find(m, floor_to(t, m->step));
	return p ? p->v : NAN;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct point *)a)->t, y = ((const struct point *)b)->t;
	return (x > y) - (x < y);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double model_slope(struct model *m, int64_t from, int64_t to)
{
	static double slopes[SERIES_MAX * SERIES_MAX];
	unsigned points = 0, n = 0;
	qsort(m->p, m->n, sizeof *m->p, by_time);
	for (unsigned i = 0; i < m->n; i++) {
		if (m->p[i].t < from || m->p[i].t > to)
			continue;
		points++;
		for (unsigned k = i + 1; k < m->n; k++)
			if (m->p[k].t <= to)
				slopes[n++] = (m->p[k].v - m->p[i].v) / (double)(m->p[k].t - m->p[i].t);
	}
	if (points < 3)
		return NAN;
	qsort(slopes, n, sizeof *slopes, by_value);
	return n % 2 ? slopes[n / 2] : (slopes[n / 2 - 1] + slopes[n / 2]) / 2;
}

/* ---- comparing */

static void same(double a, double b)
{
	if (isnan(a) != isnan(b) || (!isnan(a) && memcmp(&a, &b, sizeof a) != 0))
		fail_msg("%.17g is not %.17g", a, b);
}

static void compare_points(struct series *s, struct model *m)
{
	int64_t t = 0, newest = 0;
	double v = 0;
	bool any = false;
	for (int64_t back = -3; back < SERIES_MAX + 3; back++) {
		int64_t at = m->last - back * m->step;
		same(series_at(s, at), model_at(m, at));
		same(series_at(s, at + m->step - 1), model_at(m, at));
	}
	for (unsigned i = 0; i < m->n; i++) {
		newest = any && newest > m->p[i].t ? newest : m->p[i].t;
		any = true;
	}
	assert_int_equal(series_newest(s, &t, &v), any);
	if (any) {
		assert_int_equal(t, newest);
		same(v, model_at(m, newest));
	}
}

static void compare_ranges(struct series *s, struct model *m)
{
	double out[SERIES_MAX + 40];
	unsigned n = (unsigned)(draw() % (sizeof out / sizeof *out));
	int64_t end =
	    m->last + (int64_t)(draw() % 40 * (uint64_t)m->step) - 20 * m->step + (int64_t)(draw() % (uint64_t)m->step);
	series_tail(s, end, n, out);
	for (unsigned i = 0; i < n; i++)
		same(out[i], model_at(m, floor_to(end, m->step) - (int64_t)(n - 1 - i) * m->step));
	int64_t from = m->last - (int64_t)(draw() % 200) * m->step - (int64_t)(draw() % 2),
	        to = from + (int64_t)(draw() % 200) * m->step;
	unsigned count = 0;
	for (unsigned i = 0; i < m->n; i++)
		count += m->p[i].t >= from && m->p[i].t < to;
	assert_int_equal(series_count(s, from, to), count);
}

/* Few of them, so that the same often comes again; which sorts there are differs from run to run. */
static double draw_value(unsigned sorts)
{
	static const double tens[] = { 10, 100, 1000, 1e6, 1e9 };
	static const double odd[] = { 32767,  -32767,  32768,      -32768,  2147483647., -2147483648., 4503599627370497.,
		                          1. / 3, 1e300,   -5e-324,    65535.5, 0.30000001,  123456.789,   0.1 + 0.2,
		                          3276.7, -3276.8, 214748364.7 };
	uint64_t sort = draw() % sorts;
	if (sort == 0)
		return (double)(draw() % 5);
	if (sort == 1)
		return ((double)(draw() % 2000) - 1000) / tens[draw() % 2];
	if (sort == 2)
		return (double)(draw() % 100000) / tens[draw() % 5];
	return odd[draw() % (sizeof odd / sizeof *odd)];
}

static void random_puts(unsigned puts, uint32_t step, unsigned spread, unsigned sorts)
{
	static struct model m;
	struct series s;
	int64_t now = (int64_t)(1700000000 + draw() % 1000);
	m = (struct model){ .step = step };
	series_init(&s, step);
	for (unsigned i = 0; i < puts; i++) {
		int64_t t = now - (int64_t)(draw() % spread) * step / 2;
		double v = draw_value(sorts);
		assert_int_equal(series_put(&s, t, v), model_put(&m, t, v));
		now += (int64_t)(draw() % 8 ? draw() % 2 * step : draw() % 64 ? draw() % (10 * step) : draw() % (400 * step));
		if (i % 16 == 0) {
			compare_points(&s, &m);
			compare_ranges(&s, &m);
		}
	}
	compare_points(&s, &m);
	for (unsigned i = 0; i < 4; i++) {
		int64_t from = m.last - (int64_t)(draw() % 190) * step, to = from + (int64_t)(draw() % 190) * step;
		double got = series_slope(&s, from, to), want = model_slope(&m, from, to);
		if (isnan(got) != isnan(want) || (!isnan(got) && fabs(got - want) > 1e-12 * fabs(want)))
			fail_msg("slope %.17g is not %.17g", got, want);
	}
	assert_true(s.len <= s.cap && s.cap <= SERIES_MAX);
	series_clear(&s);
	assert_null(s.v);
	assert_true(isnan(series_at(&s, now)));
}

static void like_the_model(void **state)
{
	(void)state;
	static const uint32_t steps[] = { 1, 60, 300, 86400 };
	for (unsigned i = 0; i < 120; i++)
		random_puts(200, steps[i % 4], i % 3 == 0 ? 4 : i % 3 == 1 ? 60 : 420, 1 + i / 3 % 4);
}

/* ---- by hand */

static void an_empty_one(void **state)
{
	(void)state;
	struct series s;
	int64_t t;
	double v, out[3];
	series_init(&s, 60);
	assert_true(isnan(series_at(&s, 0)));
	assert_false(series_newest(&s, &t, &v));
	assert_int_equal(series_count(&s, 0, INT64_MAX), 0);
	assert_true(isnan(series_slope(&s, 0, INT64_MAX)));
	series_tail(&s, 600, 3, out);
	assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
	series_clear(&s);
}

static void zero_is_no_gap(void **state)
{
	(void)state;
	struct series s;
	double out[4];
	series_init(&s, 60);
	assert_int_equal(series_put(&s, 0, 0), SERIES_NEW);
	assert_true(series_at(&s, 0) == 0 && series_at(&s, 59) == 0 && isnan(series_at(&s, 60)));
	assert_int_equal(series_put(&s, 600, 0), SERIES_NEW);
	assert_int_equal(series_put(&s, 659, 0), SERIES_SAME);
	assert_int_equal(series_put(&s, 780, 2), SERIES_NEW);
	series_tail(&s, 800, 4, out);
	assert_true(out[0] == 0 && isnan(out[1]) && isnan(out[2]) && out[3] == 2);
	assert_int_equal(series_put(&s, 660, 0), SERIES_NEW);
	assert_int_equal(series_put(&s, 600, -1), SERIES_CHANGED);
	assert_int_equal(series_count(&s, 600, 780), 2);
	assert_int_equal(series_count(&s, 600, 781), 3);
	series_clear(&s);
}

static void the_oldest_leave(void **state)
{
	(void)state;
	struct series s;
	series_init(&s, 60);
	for (int i = 0; i < SERIES_MAX + 1; i++)
		assert_int_equal(series_put(&s, 60 * i, i), SERIES_NEW);
	assert_true(isnan(series_at(&s, 0)));
	assert_true(series_at(&s, 60) == 1);
	assert_int_equal(series_put(&s, 59, 7), SERIES_OLD);
	assert_int_equal(series_put(&s, 60, 7), SERIES_CHANGED);
	int64_t last = 60 * SERIES_MAX;
	assert_int_equal(series_put(&s, last += 60 * (SERIES_MAX - 1), 8), SERIES_NEW);
	assert_int_equal(series_count(&s, 0, INT64_MAX), 2); /* it and the newest of before, which is now the oldest */
	assert_int_equal(series_put(&s, last += 60 * SERIES_MAX, 9), SERIES_NEW);
	assert_int_equal(series_count(&s, 0, INT64_MAX), 1);
	series_clear(&s);
}

/* What a point takes in memory. */
static void as_narrow_as_it_may(void **state)
{
	(void)state;
	static const struct {
		double v;
		unsigned width;
	} steps[] = { { 0, 2 },     { 120, 2 },   { 0.5, 2 },      { -12.25, 2 },      { 40000, 4 },
		          { 40000, 4 }, { 0.125, 4 }, { 123.4567, 4 }, { 5000000000., 8 }, { 1, 8 } };
	struct series s;
	series_init(&s, 60);
	for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
		series_put(&s, 60 * i, steps[i].v);
		assert_int_equal(s.width, steps[i].width);
		for (unsigned k = 0; k <= i; k++)
			same(series_at(&s, 60 * k), steps[k].v);
	}
	series_clear(&s);
	series_put(&s, 0, 1. / 3); /* and it begins anew */
	assert_int_equal(s.width, 8);
	series_clear(&s);
	series_put(&s, 0, 7);
	assert_int_equal(s.width, 2);
	series_clear(&s);
}

static void slopes(void **state)
{
	(void)state;
	struct series s;
	series_init(&s, 60);
	series_put(&s, 0, 10);
	series_put(&s, 60, 16);
	assert_true(isnan(series_slope(&s, 0, 60)));
	series_put(&s, 120, 22);
	assert_true(fabs(series_slope(&s, 0, 120) - 0.1) < 1e-15);
	for (int i = 3; i < 20; i++)
		series_put(&s, 60 * i, 10 + 6 * i);
	series_put(&s, 300, 100000); /* one wild point changes nothing */
	assert_true(fabs(series_slope(&s, 0, 60 * 20) - 0.1) < 1e-15);
	assert_true(isnan(series_slope(&s, 60 * 18, 60 * 19)));
	series_clear(&s);
}

/* What a broken or hostile endpoint can send as a time. */
static void wild_times(void **state)
{
	(void)state;
	static const int64_t wild[] = { INT64_MIN, INT64_MIN + 1, -1, INT64_MAX, INT64_MAX - 1 };
	for (unsigned i = 0; i < 5; i++) {
		for (unsigned k = 0; k < 5; k++) {
			struct series s;
			int64_t t = 0;
			double v = 0;
			series_init(&s, 60);
			assert_int_equal(series_put(&s, wild[i], 1), SERIES_OLD);
			assert_false(series_newest(&s, &t, &v));
			series_put(&s, 1700000040, 2);
			assert_int_equal(series_put(&s, wild[k], 3), SERIES_OLD);
			assert_true(series_newest(&s, &t, &v) && t == 1700000040 && v == 2);
			series_clear(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_the_model),      cmocka_unit_test(an_empty_one), cmocka_unit_test(zero_is_no_gap),
		cmocka_unit_test(the_oldest_leave),    cmocka_unit_test(slopes),       cmocka_unit_test(wild_times),
		cmocka_unit_test(as_narrow_as_it_may),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
