/* Metric identities: their one text, there and back, and the statistics CloudWatch knows. */
#include "core/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, const char *ns, const char *name, unsigned ndims, const char *stat,
                  const char *canonical)
{
	struct metric_id m;
	struct err e = { 0 };
	assert_true(metric_parse(&m, text, &e));
	assert_string_equal(m.ns, ns);
	assert_string_equal(m.name, name);
	assert_string_equal(m.stat, stat);
	assert_int_equal(m.ndims, ndims);
	struct buf b;
	buf_init(&b, 65536);
	metric_text(&m, &b);
	assert_string_equal(b.p, canonical);
	buf_clear(&b);
	metric_clear(&m);
	assert_null(m.ns);
	assert_null(m.dims);
	assert_int_equal(m.ndims, 0);
}

static void forms(void **state)
{
	(void)state;
#define SAME(text, ns, name, nd, stat) check(text, ns, name, nd, stat, text)
	SAME("DataPipeline/RecordsProcessed{Stage=enrich}:Sum", "DataPipeline", "RecordsProcessed", 1, "Sum");
	SAME("AWS/SQS/Age:Maximum", "AWS/SQS", "Age", 0, "Maximum");
	SAME("Glue/glue.driver.x{JobName=j,JobRunId=ALL,Type=gauge}:Average", "Glue", "glue.driver.x", 3, "Average");
	SAME("NS/m:TM(10%:90%)", "NS", "m", 0, "TM(10%:90%)");
	SAME("a:b/c:Sum", "a:b", "c", 0, "Sum");
	SAME("NS/two words:p99.9", "NS", "two words", 0, "p99.9");
	SAME("NS/m{A=\"x,y\",B=\"q\\\"\\\\\"}:Sum", "NS", "m", 2, "Sum");
	SAME("NS/m{\"service class\"=5}:Sum", "NS", "m", 1, "Sum");
	SAME("NS/jvm\\/heap\\:used:Sum", "NS", "jvm/heap:used", 0, "Sum");
	check("NS/m{B=2, A=1}:Sum", "NS", "m", 2, "Sum", "NS/m{A=1,B=2}:Sum");
	check("NS/m{ A = 1 ,\tB = \"2\" }:Sum", "NS", "m", 2, "Sum", "NS/m{A=1,B=2}:Sum");
	check("NS/m{A=a b}:Sum", "NS", "m", 1, "Sum", "NS/m{A=\"a b\"}:Sum");
	check("NS/m{A=x=y}:Sum", "NS", "m", 1, "Sum", "NS/m{A=\"x=y\"}:Sum");
	check("NS/m{A=x\\,y}:Sum", "NS", "m", 1, "Sum", "NS/m{A=\"x,y\"}:Sum");
	check("NS/m{A=arn:aws:sqs/x}:Sum", "NS", "m", 1, "Sum", "NS/m{A=arn:aws:sqs/x}:Sum");
}

static void refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"/",
		"NS",
		"NS/",
		"/m:Sum",
		"NS/m",
		"NS/m:",
		"NS/m:sum",
		"NS/m:Sum ",
		"NSm:Sum",
		"NS/:Sum",
		"NS/m{}:Sum",
		"NS/m{A}:Sum",
		"NS/m{A=}:Sum",
		"NS/m{=1}:Sum",
		"NS/m{A=1:Sum",
		"NS/m{A=1}",
		"NS/m{A=1}Sum",
		"NS/m{A=1,}:Sum",
		"NS/m{A=\"1}:Sum",
		"NS/m{A=\"\"}:Sum",
		"NS/m{A=1,A=2}:Sum",
		"NS/m{A=\"1\"x}:Sum",
		"NS/m{A=1}:",
		"NS/m{A=1}:p101",
		"NS/m{A=1} :Sum",
		"NS/m\\",
		"\\",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct metric_id m;
		memset(&m, 0xA5, sizeof m);
		struct err e = { 0 };
		if (metric_parse(&m, bad[i], &e))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.code, ERR_CONF);
		assert_true(e.text[0]);
		assert_null(m.ns);
		assert_null(m.dims);
	}
	struct metric_id m;
	assert_false(metric_parse(&m, NULL, NULL));
}

static void dimension_limit(void **state)
{
	(void)state;
	for (unsigned n = METRIC_DIMS; n <= METRIC_DIMS + 1; n++) {
		struct buf b;
		struct metric_id m;
		buf_init(&b, 4096);
		buf_adds(&b, "NS/m");
		for (unsigned i = 0; i < n; i++)
			buf_addf(&b, "%cD%u=%u", i ? ',' : '{', i, i);
		buf_adds(&b, "}:Sum");
		assert_int_equal(metric_parse(&m, b.p, NULL), n <= METRIC_DIMS);
		assert_int_equal(m.ndims, n <= METRIC_DIMS ? n : 0);
		metric_clear(&m);
		buf_clear(&b);
	}
}

static void statistics(void **state)
{
	(void)state;
	static const char *const good[] = { "SampleCount", "Average",  "Sum",         "Minimum",      "Maximum", "IQM",
		                                "p0",          "p95",      "p99.9",       "p100",         "tm90",    "wm98",
		                                "tc90",        "ts90.5",   "TM(10%:90%)", "TM(:500)",     "TM(5%:)", "WM(1:2)",
		                                "TC(0.5:1.5)", "TS(:90%)", "PR(:300)",    "PR(100:2000)", "PR(-5:5)" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!metric_stat_valid(good[i]))
			fail_msg("refused: %s", good[i]);
	static const char *const bad[] = {
		"",           "sum",         "SUM",     "Averag",       "p",           "p101",        "p99.",
		"p-1",        "P95",         "p1e1",    "pp95",         "TM",          "TM()",        "TM(:)",
		"TM(10:90%)", "TM(90%:10%)", "TM(5:5)", "TM(10%:101%)", "tm(10%:90%)", "PR(10%:20%)", "PR(:300",
		"PR(:300) ",  "XX(:300)",    "IQM2",    "p 5"
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (metric_stat_valid(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	assert_false(metric_stat_valid(NULL));
}

static void built(void **state)
{
	(void)state;
	struct metric_id m;
	struct buf b;
	buf_init(&b, 1000);
	metric_set(&m, "AWS/Lambda", "Errors", "Sum");
	metric_add_dim(&m, "Resource", "f:live");
	metric_add_dim(&m, "FunctionName", "old");
	metric_add_dim(&m, "FunctionName", "f"); /* the newer value stays */
	metric_text(&m, &b);
	assert_string_equal(b.p, "AWS/Lambda/Errors{FunctionName=f,Resource=f:live}:Sum");
	metric_clear(&m);
	buf_clear(&b);
}

static uint64_t rng_state = 88172645463325252u;
static unsigned rng(unsigned below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (unsigned)(rng_state % below);
}

/* Never empty: CloudWatch has no empty names or values. */
static void random_word(char out[16])
{
	static const char chars[] = "aB0/{}:=,\"\\ \t.-_#;<\x01\x7f\xc3\xbc";
	unsigned n = 1 + rng(10);
	for (unsigned i = 0; i < n; i++)
		out[i] = chars[rng(sizeof chars - 1)];
	out[n] = '\0';
}

static void round_trip(void **state)
{
	(void)state;
	static const char *const stats[] = { "Sum", "p99.9", "TM(10%:90%)", "PR(:300)" };
	for (unsigned i = 0; i < 50000; i++) {
		struct metric_id m, back;
		struct err e = { 0 };
		char a[16], b[16];
		random_word(a);
		random_word(b);
		metric_set(&m, a, b, stats[rng(4)]);
		for (unsigned d = rng(5); d > 0; d--) {
			random_word(a);
			random_word(b);
			metric_add_dim(&m, a, b);
		}
		struct buf text, again;
		buf_init(&text, 4096);
		buf_init(&again, 4096);
		metric_text(&m, &text);
		if (!metric_parse(&back, text.p, &e))
			fail_msg("%s: %s", text.p, e.text);
		assert_string_equal(back.ns, m.ns);
		assert_string_equal(back.name, m.name);
		assert_string_equal(back.stat, m.stat);
		assert_int_equal(back.ndims, m.ndims);
		for (unsigned d = 0; d < m.ndims; d++) {
			assert_string_equal(back.dims[d].name, m.dims[d].name);
			assert_string_equal(back.dims[d].value, m.dims[d].value);
			assert_true(d == 0 || strcmp(m.dims[d - 1].name, m.dims[d].name) < 0);
		}
		metric_text(&back, &again);
		assert_string_equal(again.p, text.p);
		buf_clear(&text);
		buf_clear(&again);
		metric_clear(&m);
		metric_clear(&back);
	}
}

/* Any bytes: a verdict, never a crash; what is accepted has a text that is accepted again. */
static void random_texts(void **state)
{
	(void)state;
	unsigned accepted = 0;
	for (unsigned i = 0; i < 100000; i++) {
		static const char *const bits[] = { "NS", "/",  "m", "{",   "}", "A", "=",  ",",
			                                "\"", "\\", ":", "Sum", " ", "1", "p99" };
		char text[128] = "";
		size_t n = 0;
		if (rng(2))
			n = (size_t)strlen(memcpy(text, "NS/m", 5));
		for (unsigned k = rng(12); k > 0; k--) {
			const char *bit = bits[rng(sizeof bits / sizeof *bits)];
			memcpy(text + n, bit, strlen(bit) + 1);
			n += strlen(bit);
		}
		struct metric_id m;
		if (!metric_parse(&m, text, NULL))
			continue;
		accepted++;
		struct buf b;
		struct metric_id back;
		buf_init(&b, 4096);
		metric_text(&m, &b);
		assert_true(metric_parse(&back, b.p, NULL));
		metric_clear(&back);
		metric_clear(&m);
		buf_clear(&b);
	}
	assert_true(accepted > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),        cmocka_unit_test(refused), cmocka_unit_test(dimension_limit),
		cmocka_unit_test(statistics),   cmocka_unit_test(built),   cmocka_unit_test(round_trip),
		cmocka_unit_test(random_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
