/* Ranges and M of N: the arithmetic every verdict rests on. */
#include "alarms/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void ranges(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double v;
		bool breached;
	} cases[] = {
		{ "5", 5, false },        { "5", 5.0000001, true }, { "5", -1, true },      { "5", 0, false },
		{ "1000:", 999.9, true }, { "1000:", 1000, false }, { "~:5", -1e9, false }, { "~:5", 5.1, true },
		{ "10:20", 9, true },     { "10:20", 15, false },   { "@10:20", 15, true }, { "@10:20", 21, false },
		{ "0", 0, false },        { "0", 1, true },         { "5", NAN, false },    { "1e3:", 999, true },
		{ "-5:5", -5, false },    { "-5:5", -6, true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct range r;
		struct err e;
		assert_true(range_parse(&r, cases[i].text, &e));
		if (range_breached(&r, cases[i].v) != cases[i].breached)
			fail_msg("%s of %g", cases[i].text, cases[i].v);
	}
	struct range unset = { 0 };
	assert_false(range_breached(&unset, 1e9));
}

static void bad_ranges(void **state)
{
	(void)state;
	static const char *const bad[] = { "",    "x",   "5x",   "20:10", ":",   "@",  "1:2:3",
		                               "nan", "inf", "0x10", "~",     "5 6", "--1" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct range r;
		struct err e = { 0 };
		bool ok = range_parse(&r, bad[i], &e);
		if (strcmp(bad[i], ":") == 0) { /* 0 to infinity: odd, but the plugins' grammar has it */
			assert_true(ok);
			continue;
		}
		if (ok)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(e.code, ERR_USAGE);
	}
}

static void range_words(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "5", "> 5" },       { "1000:", "< 1000" }, { "10:20", "outside 10..20" }, { "@10:20", "inside 10..20" },
		{ "~:2.5", "> 2.5" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct range r;
		char out[RANGE_TEXT];
		assert_true(range_parse(&r, cases[i].text, NULL));
		range_text(&r, out);
		assert_string_equal(out, cases[i].words);
	}
}

#define T0 ((int64_t)1767322800)

/* One character a minute: X breaches (9), 0 does not, - is missing. */
static struct series points(const char *s)
{
	struct series out;
	series_init(&out, 60);
	for (int i = 0; s[i]; i++)
		if (s[i] != '-')
			series_put(&out, T0 + i * 60, s[i] == 'X' ? 9 : 0);
	return out;
}

static void m_of_n(void **state)
{
	(void)state;
	static const struct {
		const char *points;
		unsigned m, n, min;
		enum rule_state want;
		unsigned samples, missing;
	} cases[] = {
		{ "00X", 1, 1, 0, RULE_BREACHED, 3, 0 },   { "XX0", 1, 1, 0, RULE_OK, 3, 0 },
		{ "XX0", 2, 3, 0, RULE_BREACHED, 3, 0 },   { "X0X0X", 3, 5, 0, RULE_BREACHED, 5, 0 },
		{ "X0X00", 3, 5, 0, RULE_OK, 5, 0 },       { "-----", 1, 1, 0, RULE_NO_DATA, 0, 5 },
		{ "X----", 1, 1, 0, RULE_BREACHED, 1, 4 }, { "0----", 1, 1, 3, RULE_TOO_FEW, 1, 4 },
		{ "X-X-X", 3, 3, 0, RULE_BREACHED, 3, 2 }, { "0X-X", 2, 2, 0, RULE_BREACHED, 3, 1 },
		{ "X", 3, 3, 0, RULE_TOO_FEW, 1, 0 }, /* one point can not make three */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct series s = points(cases[i].points);
		struct rule r = { .m = cases[i].m, .n = cases[i].n, .min_samples = cases[i].min };
		assert_true(range_parse(&r.range, "5", NULL));
		struct rule_result got = rule_eval(&r, &s, T0, T0 + 60 * (int64_t)strlen(cases[i].points));
		if (got.state != cases[i].want || got.samples != cases[i].samples || got.missing != cases[i].missing)
			fail_msg("%s: state %d samples %u missing %u", cases[i].points, got.state, got.samples, got.missing);
		series_clear(&s);
	}
}

static void window_is_half_open(void **state)
{
	(void)state;
	struct series s = points("0000X");
	struct rule r = { .n = 1 };
	assert_true(range_parse(&r.range, "5", NULL));
	assert_int_equal(rule_eval(&r, &s, T0, T0 + 240).state, RULE_OK);
	assert_int_equal(rule_eval(&r, &s, T0, T0 + 300).state, RULE_BREACHED);
	assert_int_equal(rule_eval(&r, &s, T0 + 300, T0 + 600).state, RULE_NO_DATA);
	series_clear(&s);
}

/* A value of exactly zero is a value: the LowThroughput case. */
static void zero_is_a_value(void **state)
{
	(void)state;
	struct series s = points("000");
	struct rule r = { .m = 3, .n = 3 };
	assert_true(range_parse(&r.range, "1000:", NULL));
	assert_int_equal(rule_eval(&r, &s, T0, T0 + 180).state, RULE_BREACHED);
	series_clear(&s);
}

static struct series ages(unsigned n, double first, double per_minute)
{
	struct series s;
	series_init(&s, 60);
	for (unsigned i = 0; i < n; i++)
		series_put(&s, T0 + (int64_t)i * 60, first + per_minute * i);
	return s;
}

static void growing_age(void **state)
{
	(void)state;
	static const struct {
		unsigned n;
		double first, per_minute, scale;
		bool want;
	} cases[] = {
		{ 15, 600, 60, 1, true },   { 15, 600000, 60000, 0.001, true }, { 15, 600, 0, 1, false },
		{ 15, 600, -60, 1, false }, { 9, 600, 60, 1, false },           { 15, 0, 10, 1, false },
		{ 15, 10000, 31, 1, true }, { 15, 10000, 29, 1, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct series s = ages(cases[i].n, cases[i].first, cases[i].per_minute);
		double slope;
		if (rule_age_growing(&s, T0, T0 + 900, cases[i].scale, &slope) != cases[i].want)
			fail_msg("case %zu: slope %g", i, slope);
		series_clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),      cmocka_unit_test(bad_ranges),          cmocka_unit_test(range_words),
		cmocka_unit_test(m_of_n),      cmocka_unit_test(window_is_half_open), cmocka_unit_test(zero_is_a_value),
		cmocka_unit_test(growing_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
