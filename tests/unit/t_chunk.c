/* The codecs of the history: every value that goes in comes out bit for bit, and garbage goes nowhere. Random cases come
 * from a fixed seed, so that a failure repeats. */
#include "cache/chunk.h"
#include "cache/rice.h"
#include "cache/tick.h"
#include "core/mem.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH ((int64_t)CHUNK_SPAN)
#define BASE (LENGTH * 245000)

static uint64_t seed;

static uint64_t rnd(void)
{
	seed += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = seed;
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static unsigned below(unsigned n)
{
	return (unsigned)(rnd() % n);
}

static double uniform(void)
{
	return (double)(rnd() >> 11) / 9007199254740992.0;
}

/* Any finite double, subnormal ones and -0 included. */
static double any_double(void)
{
	for (;;) {
		uint64_t bits = rnd();
		double v;
		memcpy(&v, &bits, sizeof v);
		if (isfinite(v))
			return v;
	}
}

static void assert_bits(double got, double wanted)
{
	assert_memory_equal(&got, &wanted, sizeof got);
}

static size_t round_trip(const struct sample *p, size_t n)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	chunk_encode(&b, BASE, p, n);
	assert_false(buf_full(&b));
	/* The exact bytes in a block of their own, so that reading past them is an error the sanitizer sees. */
	char *exact = xmalloc(b.n);
	memcpy(exact, b.p, b.n);
	struct points ps = { 0 };
	assert_true(chunk_decode((struct span){ exact, b.n }, BASE, &ps));
	assert_int_equal(ps.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(ps.p[i].t, p[i].t);
		assert_bits(ps.p[i].v, p[i].v);
	}
	size_t bytes = b.n;
	points_clear(&ps);
	free(exact);
	buf_clear(&b);
	return bytes;
}

/* ---- shapes of times and values */

enum { T_EVEN, T_GAPS, T_SPARSE, T_RANDOM, T_SHAPES };

static size_t make_times(struct sample *p, unsigned shape)
{
	static const unsigned steps[] = { 1, 10, 60, 60, 60, 300, 3600 };
	unsigned step = steps[below(7)];
	size_t n = 0;
	for (int64_t t = BASE + (below(2) ? 0 : (int64_t)below(step)); t < BASE + LENGTH && n < 400; t += step) {
		if (shape == T_GAPS && below(20) == 0)
			t += step * (1 + (int64_t)below(5));
		if (shape == T_SPARSE)
			t += step * (int64_t)below(30);
		if (shape == T_RANDOM)
			t += below(100);
		if (t < BASE + LENGTH)
			p[n++].t = t;
	}
	if (n == 0)
		p[n++].t = BASE + LENGTH - 1;
	return n;
}

static double decimal(unsigned digits)
{
	char text[40];
	snprintf(text, sizeof text, "%.*f", (int)digits, uniform() * 500);
	return strtod(text, NULL);
}

enum {
	V_ZERO,
	V_CONSTANT,
	V_COUNTER,
	V_SPARSE,
	V_NOISE,
	V_NEGATIVE,
	V_CENTS,
	V_LATENCY,
	V_FULL,
	V_WALK,
	V_HALVES,
	V_ANY,
	V_EDGE,
	V_MIXED,
	V_SHAPES
};

static double edge(void)
{
	static const double edges[] = {
		0.0,          -0.0,          1,           -1,     DBL_MAX, -DBL_MAX,        DBL_MIN,    -DBL_MIN,
		DBL_TRUE_MIN, -DBL_TRUE_MIN, DBL_EPSILON, 0x1p53, -0x1p53, 0x1p53 - 1,      0x1p53 + 2, 0x1p63,
		-0x1p63,      1e22,          1e-9,        1e15,   0.1,     999999.999999999
	};
	return edges[below(sizeof edges / sizeof *edges)];
}

static double make_value(unsigned shape, double last)
{
	switch (shape) {
	case V_ZERO: return 0;
	case V_CONSTANT: return last;
	case V_COUNTER: return last + below(1000);
	case V_SPARSE: return below(30) ? 0 : below(50);
	case V_NOISE: return 1000 + below(100);
	case V_NEGATIVE: return (double)below(100000) - 50000;
	case V_CENTS: return decimal(2);
	case V_LATENCY: return decimal(below(4));
	case V_FULL: return 120 * exp(uniform() - 0.5);
	case V_WALK: return last + uniform() - 0.5;
	case V_HALVES: return below(4096) / 8.0;
	case V_ANY: return any_double();
	case V_EDGE: return edge();
	default: return below(3) ? below(10) : below(2) ? -decimal(9) : any_double();
	}
}

static void chunk_gives_back_every_bit(void **state)
{
	(void)state;
	struct sample p[400];
	seed = 1;
	for (unsigned round = 0; round < 40; round++)
		for (unsigned ts = 0; ts < T_SHAPES; ts++)
			for (unsigned vs = 0; vs < V_SHAPES; vs++) {
				size_t n = make_times(p, ts);
				double v = decimal(below(6));
				for (size_t i = 0; i < n; i++)
					p[i].v = v = isfinite(v) ? make_value(vs, v) : 0;
				round_trip(p, n);
			}
}

static void chunk_single_and_full(void **state)
{
	(void)state;
	static struct sample p[CHUNK_SPAN];
	seed = 2;
	for (unsigned i = 0; i < 500; i++) {
		p[0] = (struct sample){ BASE + (int64_t)below(CHUNK_SPAN), i % 2 ? edge() : any_double() };
		round_trip(p, 1);
	}
	for (unsigned shape = 0; shape < V_SHAPES; shape++) {
		double v = 1;
		for (size_t i = 0; i < CHUNK_SPAN; i++)
			p[i] = (struct sample){ BASE + (int64_t)i, v = isfinite(v) ? make_value(shape, v) : 0 };
		round_trip(p, CHUNK_SPAN);
	}
}

static size_t bytes_of(unsigned shape, unsigned every)
{
	struct sample p[120];
	size_t n = 0;
	double v = 5;
	for (unsigned i = 0; i < 120; i++)
		if (i % every == 0)
			p[n++] = (struct sample){ BASE + 60 * i, v = make_value(shape, v) };
	return round_trip(p, n);
}

/* What keeps the file small; the figures are rough upper bounds of a correct coder, not of this one. */
static void chunk_is_small(void **state)
{
	(void)state;
	seed = 3;
	assert_true(bytes_of(V_ZERO, 1) <= 6);
	assert_true(bytes_of(V_CONSTANT, 1) <= 6);
	assert_true(bytes_of(V_CONSTANT, 5) <= 7);
	assert_true(bytes_of(V_SPARSE, 1) <= 40);
	assert_true(bytes_of(V_NOISE, 1) <= 130);  /* 100 values: at least 100 bytes */
	assert_true(bytes_of(V_HALVES, 1) <= 320); /* 0 .. 512 in thousandths, 19 bits: at least 285 */
	assert_true(bytes_of(V_CENTS, 1) <= 260);  /* 50,000 values: at least 234 */
	assert_true(bytes_of(V_FULL, 1) <= 840);   /* 52 random bits: at least 780 */
	assert_true(bytes_of(V_ANY, 1) <= 1340);   /* never much more than the bare doubles, 960, whatever comes */
}

/* Truncated at every length, and every byte changed in turn: an error or finite, ascending points; never a crash. */
static void check_garbage(const char *p, size_t n)
{
	char *exact = xmalloc(n ? n : 1);
	memcpy(exact, p, n);
	struct points ps = { 0 };
	if (chunk_decode((struct span){ exact, n }, BASE, &ps))
		for (size_t i = 0; i < ps.n; i++) {
			assert_true(isfinite(ps.p[i].v));
			assert_true(ps.p[i].t >= BASE && ps.p[i].t < BASE + LENGTH);
			assert_true(i == 0 || ps.p[i - 1].t < ps.p[i].t);
		}
	points_clear(&ps);
	free(exact);
}

static void chunk_refuses_garbage(void **state)
{
	(void)state;
	struct sample p[400];
	seed = 4;
	for (unsigned vs = 0; vs < V_SHAPES; vs++) {
		struct buf b;
		buf_init(&b, 1 << 20);
		size_t n = make_times(p, vs % T_SHAPES);
		for (size_t i = 0; i < n; i++)
			p[i].v = make_value(vs, 3);
		chunk_encode(&b, BASE, p, n);
		for (size_t cut = 0; cut < b.n; cut++) {
			struct points ps = { 0 };
			char *exact = xmalloc(cut ? cut : 1);
			memcpy(exact, b.p, cut);
			assert_false(chunk_decode((struct span){ exact, cut }, BASE, &ps));
			points_clear(&ps);
			free(exact);
		}
		for (size_t at = 0; at < b.n && at < 200; at++) {
			char old = b.p[at];
			b.p[at] = (char)(old ^ (1 << below(8)));
			check_garbage(b.p, b.n);
			b.p[at] = (char)rnd();
			check_garbage(b.p, b.n);
			b.p[at] = old;
		}
		buf_clear(&b);
	}
	for (unsigned i = 0; i < 20000; i++) {
		char noise[64];
		for (unsigned k = 0; k < sizeof noise; k++)
			noise[k] = (char)(below(3) ? rnd() : 0);
		check_garbage(noise, below(sizeof noise));
	}
}

static void chunk_decodes_over_points(void **state)
{
	(void)state;
	struct sample odd[60], all[120];
	struct points ps = { 0 };
	struct buf b;
	buf_init(&b, 1 << 16);
	for (unsigned i = 0; i < 120; i++)
		all[i] = (struct sample){ BASE + 60 * i, i };
	for (unsigned i = 0; i < 60; i++)
		odd[i] = (struct sample){ BASE + 120 * i + 60, 1000 + i };
	chunk_encode(&b, BASE, all, 120);
	assert_true(chunk_decode(buf_span(&b), BASE, &ps));
	buf_reset(&b);
	chunk_encode(&b, BASE, odd, 60);
	assert_true(chunk_decode(buf_span(&b), BASE, &ps));
	assert_int_equal(ps.n, 120);
	for (unsigned i = 0; i < 120; i++)
		assert_bits(ps.p[i].v, i % 2 ? 1000 + i / 2 : i);
	points_clear(&ps);
	buf_clear(&b);
}

static void points_keep_order(void **state)
{
	(void)state;
	struct points ps = { 0 };
	double wanted[300];
	seed = 5;
	for (unsigned i = 0; i < 300; i++)
		wanted[i] = NAN;
	for (unsigned i = 0; i < 2000; i++) {
		unsigned t = below(300);
		points_put(&ps, t, wanted[t] = i);
	}
	size_t at = 0;
	for (unsigned t = 0; t < 300; t++)
		if (!isnan(wanted[t])) {
			assert_int_equal(ps.p[at].t, t);
			assert_bits(ps.p[at++].v, wanted[t]);
		}
	assert_int_equal(at, ps.n);
	points_clear(&ps);
}

static void rice_all_widths(void **state)
{
	(void)state;
	uint64_t u[300], back[300];
	seed = 6;
	for (unsigned k = 0; k < 64; k++)
		for (unsigned repeats = 0; repeats < 2; repeats++)
			for (unsigned n = 0; n < 300; n += 1 + below(40)) {
				for (unsigned i = 0; i < n; i++)
					u[i] = below(4) == 0 ? 0 : rnd() >> below(64);
				struct buf b;
				buf_init(&b, 1 << 16);
				rice_encode(&b, (struct rice){ k, repeats, 0 }, u, n);
				char *exact = xmalloc(b.n + 1);
				memcpy(exact, buf_span(&b).p, b.n);
				assert_true(rice_decode((struct span){ exact, b.n }, (struct rice){ k, repeats, 0 }, back, n));
				assert_memory_equal(u, back, n * sizeof *u);
				free(exact);
				buf_clear(&b);
			}
}

/* ---- ticks */

static size_t make_tick(struct keyed *p, size_t max, bool sorted)
{
	size_t n = 0;
	uint32_t series = 0;
	int64_t t = BASE + 60 * (int64_t)below(110);
	while (n < max) {
		series += 1 + (below(10) ? 0 : below(5000));
		if (series >= SERIES_LIMIT)
			break;
		unsigned points = below(8) ? 1 : 1 + below(12);
		for (unsigned i = 0; i < points && n < max; i++) {
			unsigned shape = below(V_SHAPES);
			int64_t at = t + (below(5) ? 0 : 60) + i;
			p[n++] = (struct keyed){ keyed_key(series, at), make_value(shape, 7) };
		}
	}
	if (!sorted)
		for (size_t i = n; i-- > 1;) {
			size_t k = rnd() % (i + 1);
			struct keyed swap = p[i];
			p[i] = p[k];
			p[k] = swap;
		}
	return n;
}

static void keys_hold_their_parts(void **state)
{
	(void)state;
	seed = 7;
	for (unsigned i = 0; i < 10000; i++) {
		int64_t t = (int64_t)(rnd() % (uint64_t)KEYED_T_MAX);
		uint32_t series = below(SERIES_LIMIT);
		uint64_t key = keyed_key(series, t);
		assert_int_equal(keyed_time(key), t);
		assert_int_equal(keyed_series(key), series);
		assert_int_equal(keyed_span(key), t / CHUNK_SPAN);
	}
	assert_int_equal(keyed_time(keyed_key(SERIES_LIMIT - 1, KEYED_T_MAX - 1)), KEYED_T_MAX - 1);
}

static void sorting_keeps_the_last_of_equals(void **state)
{
	(void)state;
	struct keyed p[3000];
	seed = 8;
	for (unsigned round = 0; round < 20; round++) {
		double last[40][50];
		for (unsigned s = 0; s < 40; s++)
			for (unsigned t = 0; t < 50; t++)
				last[s][t] = NAN;
		for (unsigned i = 0; i < 3000; i++) {
			unsigned s = below(40), t = below(50);
			p[i] = (struct keyed){ keyed_key(s * 700 + 1, BASE + t * 300), last[s][t] = i };
		}
		size_t n = keyed_sort(p, 3000), at = 0;
		for (size_t i = 1; i < n; i++)
			assert_true(p[i - 1].key < p[i].key);
		for (unsigned s = 0; s < 40; s++)
			for (unsigned t = 0; t < 50; t++)
				at += isnan(last[s][t]) ? 0 : 1;
		assert_int_equal(at, n);
		for (size_t i = 0; i < n; i++)
			assert_bits(p[i].v, last[(keyed_series(p[i].key) - 1) / 700][(keyed_time(p[i].key) - BASE) / 300]);
	}
}

/* Splits what spans two, as the writer does: tests give the first span only. */
static size_t one_span(struct keyed *p, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (keyed_span(p[i].key) == BASE / LENGTH)
			p[kept++] = p[i];
	return kept;
}

static void check_series(const struct tick *t, const struct keyed *p, size_t n)
{
	struct tick_cursor c;
	struct points ps = { 0 };
	uint32_t series = keyed_series(p[0].key);
	uint32_t hint = below(4) ? series / 32 : (uint32_t)rnd();
	tick_seek(t, series, &c, &hint);
	assert_int_equal(c.series, series);
	assert_true(tick_take(&c, &ps));
	assert_int_equal(ps.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(ps.p[i].t, keyed_time(p[i].key));
		assert_bits(ps.p[i].v, p[i].v);
	}
	points_clear(&ps);
}

static void tick_gives_back_every_series(void **state)
{
	(void)state;
	static struct keyed p[3000];
	seed = 9;
	for (unsigned round = 0; round < 60; round++) {
		struct buf b;
		struct tick t;
		buf_init(&b, 1 << 20);
		size_t n = keyed_sort(p, one_span(p, make_tick(p, 1 + below(3000), round % 2)));
		if (n == 0)
			continue;
		tick_encode(&b, p, n);
		assert_true(tick_open(&t, 1, BASE, buf_span(&b)));
		for (size_t i = 0, next; i < n; i = next) {
			for (next = i + 1; next < n && keyed_series(p[next].key) == keyed_series(p[i].key);)
				next++;
			check_series(&t, p + i, next - i);
		}
		struct tick_cursor c;
		uint32_t hint = 0;
		tick_seek(&t, keyed_series(p[n - 1].key) + 1, &c, &hint);
		assert_int_equal(c.series, 0);
		assert_false(c.bad);
		tick_close(&t);
		buf_clear(&b);
	}
}

static void tick_is_small(void **state)
{
	(void)state;
	static struct keyed p[10000];
	struct buf b;
	buf_init(&b, 1 << 20);
	for (uint32_t i = 0; i < 10000; i++)
		p[i] = (struct keyed){ keyed_key(i + 1, BASE + 60), i % 4 ? 0 : i % 1000 };
	tick_encode(&b, p, 10000);
	assert_true(b.n <= 16000);
	buf_clear(&b);
}

static void check_bad_tick(const char *p, size_t n)
{
	char *exact = xmalloc(n ? n : 1);
	memcpy(exact, p, n);
	struct tick t;
	if (tick_open(&t, 1, BASE, (struct span){ exact, n })) {
		struct tick_cursor c;
		struct points ps = { 0 };
		uint32_t hint = 0;
		tick_seek(&t, 1, &c, &hint);
		for (uint32_t last = 0; c.series; tick_next(&c)) {
			assert_true(c.series > last && c.series < SERIES_LIMIT);
			last = c.series;
			ps.n = 0;
			if (!tick_take(&c, &ps))
				continue;
			for (size_t i = 0; i < ps.n; i++)
				assert_true(isfinite(ps.p[i].v) && ps.p[i].t >= BASE && ps.p[i].t < BASE + LENGTH);
		}
		points_clear(&ps);
		tick_close(&t);
	}
	free(exact);
}

static void tick_refuses_garbage(void **state)
{
	(void)state;
	static struct keyed p[300];
	struct buf b;
	buf_init(&b, 1 << 20);
	seed = 10;
	for (unsigned round = 0; round < 5; round++) {
		size_t n = keyed_sort(p, one_span(p, make_tick(p, 300, true)));
		if (n == 0)
			continue;
		buf_reset(&b);
		tick_encode(&b, p, n);
		for (size_t cut = 0; cut < b.n; cut++)
			check_bad_tick(b.p, cut);
		for (size_t at = 0; at < b.n; at++) {
			char old = b.p[at];
			b.p[at] = (char)rnd();
			check_bad_tick(b.p, b.n);
			b.p[at] = old;
		}
	}
	buf_clear(&b);
	for (unsigned i = 0; i < 20000; i++) {
		char noise[48] = { 1 };
		for (unsigned k = 1; k < sizeof noise; k++)
			noise[k] = (char)(below(3) ? rnd() : below(8));
		check_bad_tick(noise, below(sizeof noise));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunk_gives_back_every_bit),
		cmocka_unit_test(chunk_single_and_full),
		cmocka_unit_test(chunk_is_small),
		cmocka_unit_test(chunk_refuses_garbage),
		cmocka_unit_test(chunk_decodes_over_points),
		cmocka_unit_test(points_keep_order),
		cmocka_unit_test(rice_all_widths),
		cmocka_unit_test(keys_hold_their_parts),
		cmocka_unit_test(sorting_keeps_the_last_of_equals),
		cmocka_unit_test(tick_gives_back_every_series),
		cmocka_unit_test(tick_is_small),
		cmocka_unit_test(tick_refuses_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
