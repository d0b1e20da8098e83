/* core/json.c: what the tree refuses, what it gives, and that what the writer writes is strict JSON and reads back. */
#include "core/json.h"
#include "core/scan.h"
#include "core/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 7;
static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static struct json *parse(const char *text)
{
	struct err e = { 0 };
	struct json *j = json_parse(span_of(text), &e);
	if (!j)
		fail_msg("%s: %s", text, e.text);
	return j;
}

static void refused(struct span text, const char *why)
{
	struct err e = { 0 };
	struct json *j = json_parse(text, &e);
	if (j)
		fail_msg("accepted: %.*s", (int)text.n, text.p);
	assert_int_equal(e.code, ERR_BADREPLY);
	if (!strstr(e.text, why))
		fail_msg("%.*s: refused as \"%s\"", (int)text.n, text.p, e.text);
}

/* ---- the gate */

static void refusals(void **state)
{
	(void)state;
	refused(SPAN(""), "a value was expected");
	refused(SPAN("<html>"), "not a value");
	refused(SPAN("{} x"), "text after the value");
	refused(SPAN("[1.]"), "a digit"); /* each of these cJSON alone would take */
	refused(SPAN("[01]"), "");
	refused(SPAN("[1,]"), "");
	refused(SPAN("[\"\t\"]"), "control character");
	refused(SPAN("\xef\xbb\xbf{}"), "");
	refused(SPAN("[\"\xff\"]"), "not UTF-8");
	refused(SPAN("[\"a\\u0000b\"]"), "\\u0000");
	refused(SPAN("{\"a\\u0000\":1}"), "\\u0000");
	refused(SPAN("[\"\\\\\\u0000\"]"), "\\u0000");
	refused(SPAN("{\"a\":1,\"a\":1}"), "\"a\" comes twice");
	refused(SPAN("{\"a\":1,\"b\":2,\"\\u0061\":3}"), "\"a\" comes twice");
	refused(SPAN("[[{\"x\":{\"\":1,\"\":2}}]]"), "\"\" comes twice");
	refused(SPAN("[\"\\ud800\"]"), "surrogate");
	refused(SPAN("[\"\\udc00x\"]"), "surrogate");
}

/* Some versions of cJSON cut these after 63 characters: then they must be refused. */
static void long_numbers_are_not_cut(void **state)
{
	(void)state;
	char text[200];
	for (size_t n = 60; n < sizeof text - 2; n++) {
		memset(text, '1', n);
		for (unsigned listed = 0; listed < 2; listed++) {
			if (listed) {
				text[0] = '[';
				text[n - 1] = ']';
			}
			struct json *j = json_parse((struct span){ text, n }, NULL);
			double v = 0, want;
			text[n] = '\0';
			want = strtod(text + listed, NULL);
			if (j)
				assert_true(json_num(listed ? json_first(j) : j, &v) && v == want);
			else
				assert_true(n > 63);
			json_free(j);
		}
	}
}

static void not_refused(void **state)
{
	(void)state;
	static const char *const fine[] = { "[\"\\\\u0000\"]",
		                                "{\"a\":1,\"A\":2}",
		                                "[{\"a\":1},{\"a\":1}]",
		                                "{\"a\":{\"a\":{\"a\":1}}}",
		                                "null",
		                                "\"\\ud83d\\ude00\"",
		                                " [ ] ",
		                                "{\"a\":1,\"ab\":2,\"\":3}" };
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		json_free(parse(fine[i]));
}

static struct buf many_keys(size_t n, size_t twin)
{
	struct buf b;
	buf_init(&b, 64 << 20);
	buf_addc(&b, '{');
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s\"key%zu\":0", i ? "," : "", i == twin ? n / 2 : i);
	buf_addc(&b, '}');
	return b;
}

static void many_keys_are_not_quadratic(void **state)
{
	(void)state;
	static const size_t sizes[] = { 2, 15, 16, 17, 18, 200, JSON_VALUES - 1 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i];
		struct buf whole = many_keys(n, n), twin = many_keys(n, n - 1 == n / 2 ? 0 : n - 1);
		struct err e = { 0 };
		struct json *j = json_parse(buf_span(&whole), &e);
		assert_non_null(j);
		json_free(j);
		assert_null(json_parse(buf_span(&twin), &e));
		buf_clear(&whole);
		buf_clear(&twin);
	}
}

/* As many values as a document may have, nested or not, and one more. */
static void values_are_counted(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		struct buf b;
		struct err e = { 0 };
		buf_init(&b, 16 << 20);
		buf_adds(&b, "[{\"k\":[]}");
		for (unsigned i = 3; i < JSON_VALUES + over; i++)
			buf_adds(&b, ",7");
		buf_adds(&b, "]");
		struct json *j = json_parse(buf_span(&b), &e);
		assert_int_equal(j == NULL, over);
		assert_int_equal(e.code, over ? ERR_LIMIT : ERR_OK);
		json_free(j);
		buf_clear(&b);
	}
}

/* cJSON gets the text without a NUL behind it. */
static void cut_anywhere(void **state)
{
	(void)state;
	static const char text[] = "{\"a\":[1,-2.5e3,\"x\\u00e4\\n\"],\"b\":{\"c\":null,\"d\":true},\"e\":false}";
	for (size_t n = 0; n < sizeof text; n++) {
		char *copy = malloc(n ? n : 1);
		assert_non_null(copy);
		memcpy(copy, text, n);
		struct json *j = json_parse((struct span){ copy, n }, NULL);
		assert_int_equal(j != NULL, n == sizeof text - 1);
		json_free(j);
		free(copy);
	}
}

/* ---- reading */

static void members_and_elements(void **state)
{
	(void)state;
	struct json *j = parse("{\"s\":\"x\",\"S\":\"y\",\"list\":[1,\"two\",{}],\"nothing\":null,\"none\":[]}");
	assert_true(json_is_object(j));
	assert_false(json_is_array(j));
	assert_string_equal(json_get_str(j, "s"), "x");
	assert_string_equal(json_get_str(j, "S"), "y");
	assert_null(json_get(j, "absent"));
	assert_null(json_get_str(j, "list"));
	const struct json *list = json_get(j, "list"), *e = json_first(list);
	double v;
	assert_true(json_is_array(list));
	assert_null(json_get(list, "s"));
	assert_null(json_key(e));
	assert_true(json_num(e, &v) && v == 1);
	assert_string_equal(json_str(e = json_next(e)), "two");
	assert_true(json_is_object(e = json_next(e)));
	assert_null(json_first(e));
	assert_null(json_next(e));
	assert_null(json_first(json_get(j, "nothing")));
	assert_null(json_first(json_get(j, "none")));
	assert_string_equal(json_key(json_first(j)), "s");
	assert_string_equal(json_key(json_next(json_first(j))), "S");
	json_free(j);
}

static void null_nodes(void **state)
{
	(void)state;
	double d;
	int64_t i;
	bool b;
	assert_null(json_get(NULL, "x"));
	assert_null(json_get_str(NULL, "x"));
	assert_null(json_first(NULL));
	assert_null(json_next(NULL));
	assert_null(json_key(NULL));
	assert_null(json_str(NULL));
	assert_false(json_is_object(NULL));
	assert_false(json_is_array(NULL));
	assert_false(json_num(NULL, &d));
	assert_false(json_int(NULL, &i));
	assert_false(json_bool(NULL, &b));
	assert_false(json_loose_int(NULL, &i));
	assert_false(json_time_ms(NULL, &i));
	json_free(NULL);
}

enum { INT = 1, LOOSE = 2, NUM = 4 };

static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		unsigned is;
		int64_t value;
	} t[] = {
		{ "0", INT | LOOSE | NUM, 0 },
		{ "-17", INT | LOOSE | NUM, -17 },
		{ "5.0", INT | LOOSE | NUM, 5 },
		{ "1e3", INT | LOOSE | NUM, 1000 },
		{ "5.5", NUM, 0 },
		{ "9007199254740991", INT | LOOSE | NUM, 9007199254740991 },
		{ "-9007199254740991", INT | LOOSE | NUM, -9007199254740991 },
		{ "9007199254740992", NUM, 0 }, /* a double cannot tell it from the next */
		{ "9007199254740993", NUM, 0 },
		{ "-9007199254740993", NUM, 0 },
		{ "1e400", 0, 0 },
		{ "-1e400", 0, 0 },
		{ "\"12\"", LOOSE, 12 },
		{ "\"-12\"", LOOSE, -12 },
		{ "\"9007199254740993\"", LOOSE, 9007199254740993 },
		{ "\"9223372036854775807\"", LOOSE, INT64_MAX },
		{ "\"9223372036854775808\"", 0, 0 },
		{ "\"\"", 0, 0 },
		{ "\" 12\"", 0, 0 },
		{ "\"12 \"", 0, 0 },
		{ "\"12x\"", 0, 0 },
		{ "\"012\"", 0, 0 },
		{ "\"1.5\"", 0, 0 },
		{ "\"[1]\"", 0, 0 },
		{ "null", 0, 0 },
		{ "true", 0, 0 },
		{ "[1]", 0, 0 },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct json *j = parse(t[i].json);
		int64_t v = 0, loose = 0;
		double d;
		unsigned is = 0;
		is |= json_int(j, &v) ? INT : 0;
		is |= json_loose_int(j, &loose) ? LOOSE : 0;
		is |= json_num(j, &d) ? NUM : 0;
		if (is != t[i].is || (is & INT && v != t[i].value) || (is & LOOSE && loose != t[i].value))
			fail_msg("%s: %u, %lld, %lld", t[i].json, is, (long long)v, (long long)loose);
		json_free(j);
	}
}

static void booleans(void **state)
{
	(void)state;
	struct json *j = parse("[true,false,1,\"true\",null]");
	const struct json *e = json_first(j);
	bool v = false;
	assert_true(json_bool(e, &v) && v);
	assert_true(json_bool(e = json_next(e), &v) && !v);
	while ((e = json_next(e)))
		assert_false(json_bool(e, &v));
	json_free(j);
}

static void times(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool ok;
		int64_t ms;
	} t[] = {
		{ "1767322800", true, 1767322800000 },
		{ "1.7673228E9", true, 1767322800000 },
		{ "1767322800.123", true, 1767322800123 },
		{ "1767322800.9996", true, 1767322801000 },
		{ "0", true, 0 },
		{ "-1.5", true, -1500 },
		{ "\"2026-01-02T03:00:00Z\"", true, 1767322800000 },
		{ "\"2026-01-02T03:00:00.250Z\"", true, 1767322800250 },
		{ "\"2026-01-02T04:00:00+01:00\"", true, 1767322800000 },
		{ "\"yesterday\"", false, 0 },
		{ "\"\"", false, 0 },
		{ "1e300", false, 0 },
		{ "1e400", false, 0 },
		{ "null", false, 0 },
		{ "true", false, 0 },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct json *j = parse(t[i].json);
		int64_t ms = 0;
		if (json_time_ms(j, &ms) != t[i].ok || (t[i].ok && ms != t[i].ms))
			fail_msg("%s: %lld", t[i].json, (long long)ms);
		json_free(j);
	}
}

/* ---- writing */

static struct buf out;
static struct json_out w;

static void begin(size_t max)
{
	buf_clear(&out);
	buf_init(&out, max);
	json_out_init(&w, &out);
}

static void assert_written(const char *want)
{
	assert_true(w.ok && w.done && w.depth == 0);
	assert_string_equal(out.p, want);
	assert_true(scan_valid(buf_span(&out), NULL));
}

static void a_document(void **state)
{
	(void)state;
	begin(1000);
	json_out_object(&w, NULL);
	assert_true(w.ok && !w.done);
	json_out_str(&w, "s", "x");
	json_out_array(&w, "a");
	json_out_int(&w, NULL, INT64_MIN);
	json_out_int(&w, NULL, INT64_MAX);
	json_out_object(&w, NULL);
	json_out_object_end(&w);
	json_out_array(&w, NULL);
	json_out_null(&w, NULL);
	json_out_array_end(&w);
	json_out_array_end(&w);
	json_out_bool(&w, "t", true);
	json_out_bool(&w, "", false);
	json_out_str(&w, "n", NULL);
	json_out_num(&w, "v", 12.345);
	json_out_num(&w, "nan", NAN);
	json_out_num(&w, "inf", -INFINITY);
	json_out_time(&w, "at", 1767323045);
	json_out_time(&w, "first", 1);
	json_out_time(&w, "never", 0);
	json_out_span(&w, "span", (struct span){ "abc", 2 });
	assert_false(w.done);
	json_out_object_end(&w);
	assert_written(
	    "{\"s\":\"x\",\"a\":[-9223372036854775808,9223372036854775807,{},[null]],\"t\":true,\"\":false,\"n\":null,"
	    "\"v\":12.345,\"nan\":null,\"inf\":null,\"at\":\"2026-01-02T03:04:05Z\",\"first\":\"1970-01-01T00:00:01Z\","
	    "\"never\":null,\"span\":\"ab\"}");
}

static void bare_roots(void **state)
{
	(void)state;
	begin(100);
	json_out_num(&w, NULL, 1e22);
	assert_true(w.ok && w.done && scan_valid(buf_span(&out), NULL));
	begin(100);
	json_out_str(&w, NULL, "");
	assert_written("\"\"");
	begin(100);
	json_out_array(&w, NULL);
	json_out_array_end(&w);
	assert_written("[]");
}

static void unsafe_characters(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} t[] = {
		{ "\"\\/", "\"\\\"\\\\/\"" },
		{ "\n\t\x1b[2J\x7f", "\"\\u000a\\u0009\\u001b[2J\\u007f\"" },
		{ "\xc2\x9b", "\"\\u009b\"" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\xe2\x80\xae", "\"a\\u202e\"" },          /* right-to-left override */
		{ "\xf3\xa0\x80\x81", "\"\\udb40\\udc01\"" }, /* a tag character */
		{ "\xe2\x80\xa8\xef\xbb\xbf", "\"\\u2028\\ufeff\"" },
		{ "\xff\xc0\xaf", "\"<0xFF><0xC0><0xAF>\"" },
		{ "\xed\xa0\x80", "\"<0xED><0xA0><0x80>\"" },
		{ "\xe2\x82", "\"<0xE2><0x82>\"" },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		begin(100);
		json_out_str(&w, NULL, t[i].in);
		assert_written(t[i].want);
	}
	begin(100);
	json_out_span(&w, NULL, (struct span){ "a\0b", 3 });
	assert_written("\"a\\u0000b\"");
	begin(100);
	json_out_object(&w, NULL);
	json_out_null(&w, "k\x1b\"");
	json_out_object_end(&w);
	assert_written("{\"k\\u001b\\\"\":null}");
}

/* Every code point: the text is valid, holds nothing unsafe, and reads back as what was put in. */
static void every_code_point(void **state)
{
	(void)state;
	struct buf back;
	buf_init(&back, 100);
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		char raw[4];
		unsigned n = text_encode(cp, raw);
		if (n == 0)
			continue;
		buf_reset(&out);
		json_out_init(&w, &out);
		json_out_span(&w, NULL, (struct span){ raw, n });
		for (size_t i = 0; i < out.n;) {
			uint32_t c;
			unsigned len = text_decode(out.p + i, out.n - i, &c);
			assert_true(len > 0 && text_is_safe(c));
			i += len;
		}
		struct scan s;
		buf_reset(&back);
		scan_init(&s, buf_span(&out));
		assert_int_equal(scan_next(&s), SCAN_STRING);
		assert_true(scan_string(&s, &back));
		assert_int_equal(scan_next(&s), SCAN_END);
		assert_int_equal(back.n, n);
		assert_memory_equal(back.p, raw, n);
	}
	buf_clear(&back);
}

static void misuse_spoils(void **state)
{
	(void)state;
	begin(1000);
	json_out_object(&w, NULL);
	json_out_int(&w, NULL, 1); /* no key */
	assert_false(w.ok);
	json_out_object_end(&w);
	assert_string_equal(out.p, "{");
	begin(1000);
	json_out_array(&w, NULL);
	json_out_int(&w, "key", 1);
	assert_false(w.ok);
	begin(1000);
	json_out_int(&w, "key", 1);
	assert_false(w.ok);
	begin(1000);
	json_out_array(&w, NULL);
	json_out_object_end(&w);
	assert_false(w.ok);
	begin(1000);
	json_out_array_end(&w);
	assert_false(w.ok);
	begin(1000);
	json_out_int(&w, NULL, 1);
	json_out_int(&w, NULL, 2);
	assert_false(w.ok);
	assert_string_equal(out.p, "1");
	begin(1000);
	for (unsigned i = 0; i < SCAN_DEPTH; i++)
		json_out_array(&w, NULL);
	assert_true(w.ok);
	json_out_array(&w, NULL);
	assert_false(w.ok);
}

static void as_deep_as_the_gate(void **state)
{
	(void)state;
	begin(10000);
	for (unsigned i = 0; i < SCAN_DEPTH; i++) {
		if (i % 2)
			json_out_array(&w, "a");
		else
			json_out_object(&w, NULL);
	}
	for (unsigned i = SCAN_DEPTH; i-- > 0;) {
		if (i % 2)
			json_out_array_end(&w);
		else
			json_out_object_end(&w);
	}
	assert_true(w.ok && w.done);
	struct json *j = json_parse(buf_span(&out), NULL);
	assert_non_null(j);
	json_free(j);
}

static void full_buffers_are_told(void **state)
{
	(void)state;
	static const char want[] = "{\"key\":\"a\\u001b<0xFF>z\",\"n\":1.5}";
	for (size_t max = 0; max < 40; max++) {
		begin(max);
		json_out_object(&w, NULL);
		json_out_str(&w, "key", "a\x1b\xffz");
		json_out_num(&w, "n", 1.5);
		json_out_object_end(&w);
		assert_int_equal(w.ok && w.done, max >= sizeof want - 1);
		assert_true(out.n <= max);
		if (w.ok)
			assert_written(want);
	}
}

/* ---- random trees there and back */

static void random_string(char *s, size_t size)
{
	static const char *const parts[] = { "a",    "Z",  "0",    " ",        "\"",           "\\",
		                                 "/",    "\n", "\x1b", "\xc3\xa4", "\xe2\x80\xae", "\xf0\x9f\x98\x80",
		                                 "u0041" };
	size_t n = draw() % 6, at = 0;
	*s = '\0';
	while (n-- && at + 5 < size)
		at += (size_t)snprintf(s + at, size - at, "%s", parts[draw() % (sizeof parts / sizeof *parts)]);
}

/* The same draws that wrote a value check it on the way back. */
static void write_random(unsigned depth, const char *key)
{
	char s[64];
	switch (draw() % (depth < 5 ? 8 : 6)) {
	case 0: json_out_null(&w, key); break;
	case 1: json_out_bool(&w, key, draw() % 2); break;
	case 2: json_out_int(&w, key, (int64_t)(draw() % (1ull << 53)) - (1ll << 52)); break;
	case 3: json_out_num(&w, key, (double)(int64_t)draw() / 1000); break;
	case 4:
	case 5:
		random_string(s, sizeof s);
		json_out_str(&w, key, s);
		break;
	case 6:
		json_out_array(&w, key);
		for (uint64_t n = draw() % 5; n--;)
			write_random(depth + 1, NULL);
		json_out_array_end(&w);
		break;
	default:
		json_out_object(&w, key);
		for (uint64_t n = draw() % 5; n--;) {
			snprintf(s, sizeof s, "k%d", (int)n);
			write_random(depth + 1, s);
		}
		json_out_object_end(&w);
	}
}

static void check_random(unsigned depth, const struct json *j, const char *key)
{
	char s[64];
	int64_t i;
	double d;
	bool b;
	assert_non_null(j);
	if (key)
		assert_string_equal(json_key(j), key);
	switch (draw() % (depth < 5 ? 8 : 6)) {
	case 0: assert_true(!json_bool(j, &b) && !json_num(j, &d) && !json_str(j)); break;
	case 1: assert_true(json_bool(j, &b) && b == draw() % 2); break;
	case 2: assert_true(json_int(j, &i) && i == (int64_t)(draw() % (1ull << 53)) - (1ll << 52)); break;
	case 3: assert_true(json_num(j, &d) && d == (double)(int64_t)draw() / 1000); break;
	case 4:
	case 5:
		random_string(s, sizeof s);
		assert_string_equal(json_str(j), s);
		break;
	case 6:
		assert_true(json_is_array(j));
		j = json_first(j);
		for (uint64_t n = draw() % 5; n--; j = json_next(j))
			check_random(depth + 1, j, NULL);
		assert_null(j);
		break;
	default:
		assert_true(json_is_object(j));
		j = json_first(j);
		for (uint64_t n = draw() % 5; n--; j = json_next(j)) {
			snprintf(s, sizeof s, "k%d", (int)n);
			check_random(depth + 1, j, s);
		}
		assert_null(j);
	}
}

static void random_trees(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t from = seed;
		begin(1 << 20);
		write_random(0, NULL);
		assert_true(w.ok && w.done);
		struct json *j = json_parse(buf_span(&out), NULL);
		assert_non_null(j);
		seed = from;
		check_random(0, j, NULL);
		json_free(j);
	}
}

static int finish(void **state)
{
	(void)state;
	buf_clear(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(long_numbers_are_not_cut),
		cmocka_unit_test(not_refused),
		cmocka_unit_test(many_keys_are_not_quadratic),
		cmocka_unit_test(values_are_counted),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(members_and_elements),
		cmocka_unit_test(null_nodes),
		cmocka_unit_test(numbers),
		cmocka_unit_test(booleans),
		cmocka_unit_test(times),
		cmocka_unit_test(a_document),
		cmocka_unit_test(bare_roots),
		cmocka_unit_test(unsafe_characters),
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(misuse_spoils),
		cmocka_unit_test(as_deep_as_the_gate),
		cmocka_unit_test(full_buffers_are_told),
		cmocka_unit_test(random_trees),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
