/* core/scan.c: verdicts of JSONTestSuite, damage of all kinds, exact numbers. */
#include "core/ini.h"
#include "core/scan.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The same from run to run. */
static uint64_t seed = 1;
static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Exactly n bytes of their own, so that a sanitizer sees each read beyond them. */
static struct span exact(const void *p, size_t n)
{
	char *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, p, n);
	return (struct span){ copy, n };
}

static bool valid(const void *p, size_t n)
{
	struct span s = exact(p, n);
	bool ok = scan_valid(s, NULL);
	free((char *)(uintptr_t)s.p);
	return ok;
}

static bool valid_text(const char *text)
{
	return valid(text, strlen(text));
}

/* ---- JSONTestSuite: y_ must pass, n_ must not, and of the free i_ these pass */

static const char *const free_accepted[] = {
	/* the grammar allows any number; what it is worth is told by scan_double and scan_int */
	"i_number_double_huge_neg_exp.json",
	"i_number_huge_exp.json",
	"i_number_neg_int_huge_exp.json",
	"i_number_pos_double_huge_exp.json",
	"i_number_real_neg_overflow.json",
	"i_number_real_pos_overflow.json",
	"i_number_real_underflow.json",
	"i_number_too_big_neg_int.json",
	"i_number_too_big_pos_int.json",
	"i_number_very_big_negative_int.json",
	/* unpaired surrogates as escapes: scan_string makes them U+FFFD, json_parse refuses them */
	"i_object_key_lone_2nd_surrogate.json",
	"i_string_1st_surrogate_but_2nd_missing.json",
	"i_string_1st_valid_surrogate_2nd_invalid.json",
	"i_string_incomplete_surrogate_and_escape_valid.json",
	"i_string_incomplete_surrogate_pair.json",
	"i_string_incomplete_surrogates_escape_valid.json",
	"i_string_invalid_lonely_surrogate.json",
	"i_string_invalid_surrogate.json",
	"i_string_inverted_surrogates_U+1D11E.json",
	"i_string_lone_second_surrogate.json",
};
static const char *const free_refused[] = {
	/* not UTF-8 */
	"i_string_UTF-8_invalid_sequence.json",
	"i_string_UTF8_surrogate_U+D800.json",
	"i_string_invalid_utf-8.json",
	"i_string_iso_latin_1.json",
	"i_string_lone_utf8_continuation_byte.json",
	"i_string_not_in_unicode_range.json",
	"i_string_overlong_sequence_2_bytes.json",
	"i_string_overlong_sequence_6_bytes.json",
	"i_string_overlong_sequence_6_bytes_null.json",
	"i_string_truncated-utf-8.json",
	/* UTF-16, and a byte order mark */
	"i_string_UTF-16LE_with_BOM.json",
	"i_string_utf16BE_no_BOM.json",
	"i_string_utf16LE_no_BOM.json",
	"i_structure_UTF-8_BOM_empty_object.json",
	/* beyond SCAN_DEPTH */
	"i_structure_500_nested_arrays.json",
};

static bool listed(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}
#define LISTED(name, list) listed((name), (list), sizeof(list) / sizeof *(list))

static DIR *open_suite(char *root, size_t size)
{
	const char *base = getenv("SLUICE_SHARED");
	const char *const below[] = { "data/json-suite/test_parsing", "json-suite/test_parsing" };
	DIR *dir = NULL;
	for (size_t i = 0; i < 2 && !dir; i++) {
		snprintf(root, size, "%s/%s", base ? base : "../shared", below[i]);
		dir = opendir(root);
	}
	return dir;
}

static bool suite_verdict(const char *root, const char *name)
{
	char path[1024];
	struct buf b;
	struct err e = { 0 };
	snprintf(path, sizeof path, "%s/%s", root, name);
	if (!ini_read_file(path, &b, &e))
		fail_msg("%s: %s", path, e.text);
	bool ok = valid(buf_span(&b).p, b.n);
	buf_clear(&b);
	return ok;
}

static void json_test_suite(void **state)
{
	(void)state;
	char root[512];
	unsigned must[2] = { 0 }, may[2] = { 0 }, wrong = 0;
	DIR *dir = open_suite(root, sizeof root);
	if (!dir) {
		print_message("SKIP: JSONTestSuite is not here (%s)\n", root);
		skip();
	}
	for (struct dirent *d; (d = readdir(dir));) {
		const char *name = d->d_name;
		bool want = *name == 'y' || LISTED(name, free_accepted);
		if (*name == '.')
			continue;
		if (*name == 'i' && !want && !LISTED(name, free_refused))
			fail_msg("%s is in no table", name);
		++(*name == 'i' ? may : must)[want];
		if (suite_verdict(root, name) != want) {
			print_error("%s: must be %s\n", name, want ? "accepted" : "refused");
			wrong++;
		}
	}
	closedir(dir);
	print_message("JSONTestSuite: %u to accept, %u to refuse, %u free as tabled; %u wrong\n", must[1], must[0],
	              may[0] + may[1], wrong);
	assert_int_equal(wrong, 0);
	assert_int_equal(must[1], 95);
	assert_int_equal(must[0], 188);
	assert_int_equal(may[0] + may[1], 35);
}

/* ---- what the suite is about, without the suite */

static const char *const good[] = { "0",
	                                "-0",
	                                " [ ] ",
	                                "{}",
	                                "\"\"",
	                                "[1,2]",
	                                "{\"\":0}",
	                                "{\"a\":{\"b\":[null,true,false]}}",
	                                "\t\r\n 1e5 ",
	                                "-1.5E-7",
	                                "[0.0,1e+1]",
	                                "\"\\u0041\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	                                "\"\x7f\"",
	                                "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
	                                "\"\\ud83d\\ude00\"",
	                                "\"\\u0000\"" };
static const char *const bad[] = { "",
	                               " ",
	                               "[",
	                               "]",
	                               "[1",
	                               "[1,",
	                               "[1,]",
	                               "[,1]",
	                               "[1 2]",
	                               "{",
	                               "{1:2}",
	                               "{\"a\"}",
	                               "{\"a\":}",
	                               "{\"a\":1,}",
	                               "{,\"a\":1}",
	                               "{\"a\" 1}",
	                               "{\"a\":1 \"b\":2}",
	                               "[1}",
	                               "{\"a\":1]",
	                               "1 2",
	                               "[]]",
	                               "01",
	                               "-",
	                               "-a",
	                               "1.",
	                               ".5",
	                               "1e",
	                               "1e+",
	                               "+1",
	                               "0x1",
	                               "1.e5",
	                               "--1",
	                               "NaN",
	                               "Infinity",
	                               "tru",
	                               "trueX",
	                               "nul",
	                               "True",
	                               "\"",
	                               "\"\\",
	                               "\"\\x\"",
	                               "\"\\u12\"",
	                               "\"\\u12g4\"",
	                               "\"\\u123",
	                               "\"a\nb\"",
	                               "\"\x01\"",
	                               "'a'",
	                               "\"a",
	                               "\xef\xbb\xbf{}",
	                               "[1,\f2]",
	                               "[1]//",
	                               "\"\x80\"",
	                               "\"\xc0\xaf\"",
	                               "\"\xe0\x80\xaf\"",
	                               "\"\xed\xa0\x80\"",
	                               "\"\xf4\x90\x80\x80\"",
	                               "\"\xf8\x88\x80\x80\x80\"",
	                               "\"\xe2\x82\"",
	                               "\"\xff\"" };

static void grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!valid_text(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (valid_text(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	assert_false(valid("1\0", 2));
	assert_false(valid("[1]\0", 4));
	assert_false(valid("\"\0\"", 3));
	assert_false(scan_valid((struct span){ NULL, 0 }, NULL));
}

/* Each alignment of a special byte in a long string: the scanner reads eight at a time. */
static void strings_at_every_place(void **state)
{
	(void)state;
	static const char special[] = { '"', '\\', '\x1f', '\x7f', '\x80', '\0', ' ', '!' };
	static const bool fits[] = { false, false, false, true, false, false, true, true };
	char text[64];
	for (size_t n = 2; n < 48; n++) {
		for (size_t at = 1; at + 1 < n; at++) {
			for (size_t k = 0; k < sizeof special; k++) {
				memset(text, 'x', n);
				text[0] = text[n - 1] = '"';
				text[at] = special[k];
				/* an escaped x is no escape, and an escaped closing quote leaves the string open */
				assert_int_equal(valid(text, n), fits[k]);
			}
		}
	}
}

static void deep(void **state)
{
	(void)state;
	size_t n = 1000000;
	char *text = malloc(n);
	assert_non_null(text);
	memset(text, '[', n);
	assert_false(scan_valid((struct span){ text, n }, NULL));
	memset(text, '[', SCAN_DEPTH);
	memset(text + SCAN_DEPTH, ']', SCAN_DEPTH);
	assert_true(scan_valid((struct span){ text, 2 * SCAN_DEPTH }, NULL));
	memset(text, '[', SCAN_DEPTH + 1);
	memset(text + SCAN_DEPTH + 1, ']', SCAN_DEPTH + 1);
	struct err e = { 0 };
	assert_false(scan_valid((struct span){ text, 2 * SCAN_DEPTH + 2 }, &e));
	assert_int_equal(e.code, ERR_BADREPLY);
	assert_string_equal(e.text, "byte 64: nested too deeply");
	for (size_t i = 0; i + 5 <= n; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	assert_false(scan_valid((struct span){ text, n }, NULL));
	free(text);
}

static const char document[] = "{\"MetricDataResults\":[{\"Id\":\"m0\",\"Label\":\"a \\\"b\\\" \\u00e4\\ud83d\\ude00 "
                               "\xc3\xa4\",\"Timestamps\":[1767322800, "
                               "1.76732286E9],\r\n\t\"Values\":[12.345,-0.5e-3],\"StatusCode\":\"Complete\",\"Flags\":["
                               "true,false,null,{},[]]}],\"Messages\""
                               ":[{\"Code\":\"\",\"Value\":\"x\"}]}";

static void cut_anywhere(void **state)
{
	(void)state;
	size_t n = sizeof document - 1;
	assert_true(valid(document, n));
	for (size_t cut = 0; cut < n; cut++)
		assert_false(valid(document, cut)); /* an object: no beginning of it is whole */
	char number[] = "-12.5e+30";
	for (size_t cut = 0; cut < sizeof number; cut++)
		assert_int_equal(valid(number, cut), cut == 2 || cut == 3 || cut == 5 || cut >= 8);
}

/* Each byte made each other byte: no verdict is known, but whoever accepts must deliver tokens that fit each other. */
static bool walk(const char *p, size_t n)
{
	struct span copy = exact(p, n);
	struct scan s;
	struct buf b;
	unsigned depth = 0;
	enum scan_token t;
	buf_init(&b, 1000);
	scan_init(&s, copy);
	while ((t = scan_next(&s)) != SCAN_ERROR && t != SCAN_END) {
		int64_t v;
		buf_reset(&b);
		if (t == SCAN_OBJECT || t == SCAN_ARRAY)
			depth++;
		else if (t == SCAN_OBJECT_END || t == SCAN_ARRAY_END)
			depth--;
		else if (t == SCAN_KEY || t == SCAN_STRING)
			assert_true(scan_string(&s, &b));
		else if (t == SCAN_NUMBER && scan_int(&s, &v))
			assert_true(scan_double(&s) == (double)v);
		assert_int_equal(depth, s.depth);
	}
	if (t == SCAN_ERROR) {
		assert_non_null(s.why);
		assert_true(s.p >= copy.p && s.p <= copy.p + n);
		assert_int_equal(scan_next(&s), SCAN_ERROR);
		assert_false(scan_skip(&s));
	} else {
		assert_int_equal(depth, 0);
		assert_int_equal(scan_next(&s), SCAN_END);
	}
	buf_clear(&b);
	free((char *)(uintptr_t)copy.p);
	return t == SCAN_END;
}

static void any_byte_changed(void **state)
{
	(void)state;
	char text[sizeof document];
	unsigned accepted = 0;
	memcpy(text, document, sizeof text);
	for (size_t at = 0; at < sizeof document - 1; at++) {
		for (unsigned c = 0; c < 256; c++) {
			text[at] = (char)c;
			bool ok = walk(text, sizeof document - 1);
			assert_int_equal(ok, valid(text, sizeof document - 1));
			accepted += ok;
		}
		text[at] = document[at];
	}
	assert_true(accepted > 3000); /* letters within strings, digits within numbers */
}

static void random_bytes(void **state)
{
	(void)state;
	static const char alphabet[] = "{}[]:,\"\\/bfnrtu0123456789.eE+-truefalsn \n\x80\xc3\xa4";
	char text[40];
	for (unsigned i = 0; i < 100000; i++) {
		size_t n = draw() % sizeof text;
		for (size_t k = 0; k < n; k++)
			text[k] = alphabet[draw() % (sizeof alphabet - 1)];
		assert_int_equal(walk(text, n), scan_valid((struct span){ text, n }, NULL));
	}
}

/* ---- tokens */

static void tokens_in_order(void **state)
{
	(void)state;
	static const struct {
		enum scan_token token;
		const char *text;
		unsigned depth;
	} want[] = {
		{ SCAN_OBJECT, NULL, 1 },     { SCAN_KEY, "a", 1 },         { SCAN_ARRAY, NULL, 2 },
		{ SCAN_NUMBER, "-1.5e3", 2 }, { SCAN_STRING, "x", 2 },      { SCAN_TRUE, NULL, 2 },
		{ SCAN_FALSE, NULL, 2 },      { SCAN_NULL, NULL, 2 },       { SCAN_ARRAY, NULL, 3 },
		{ SCAN_ARRAY_END, NULL, 2 },  { SCAN_ARRAY_END, NULL, 1 },  { SCAN_KEY, "b\\u0041", 1 },
		{ SCAN_OBJECT, NULL, 2 },     { SCAN_OBJECT_END, NULL, 1 }, { SCAN_OBJECT_END, NULL, 0 },
		{ SCAN_END, NULL, 0 },
	};
	struct scan s;
	scan_init(&s, SPAN(" {\"a\" : [-1.5e3 ,\"x\",true,false,null,[ ]] , \"b\\u0041\":{ } } "));
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_int_equal(scan_next(&s), want[i].token);
		assert_int_equal(s.depth, want[i].depth);
		if (want[i].text)
			assert_true(span_eq(s.text, want[i].text));
		if (want[i].token == SCAN_KEY)
			assert_int_equal(s.escaped, want[i].text[1] == '\\');
	}
}

static void skipping(void **state)
{
	(void)state;
	struct scan s;
	scan_init(&s, SPAN("{\"a\":[1,{\"b\":[[]]}],\"c\":\"x\",\"d\":{},\"e\":-1}"));
	assert_int_equal(scan_next(&s), SCAN_OBJECT);
	for (const char *p = "acde"; *p; p++) {
		assert_int_equal(scan_next(&s), SCAN_KEY);
		assert_true(s.text.n == 1 && *s.text.p == *p);
		assert_true(scan_skip(&s));
		assert_int_equal(s.depth, 1);
	}
	assert_int_equal(scan_next(&s), SCAN_OBJECT_END);
	assert_int_equal(scan_next(&s), SCAN_END);
	assert_false(scan_skip(&s));

	scan_init(&s, SPAN("[1,[2,3],{\"a\":4},5]"));
	assert_int_equal(scan_next(&s), SCAN_ARRAY);
	for (unsigned i = 0; i < 4; i++)
		assert_true(scan_skip(&s));
	assert_false(scan_skip(&s)); /* the end of the list is no value */
	assert_int_equal(scan_next(&s), SCAN_ERROR);

	scan_init(&s, SPAN("[[1,[2,x]]]"));
	assert_int_equal(scan_next(&s), SCAN_ARRAY);
	assert_false(scan_skip(&s));
	scan_init(&s, SPAN("{\"a\":1}"));
	assert_int_equal(scan_next(&s), SCAN_OBJECT);
	assert_false(scan_skip(&s)); /* a key is no value */
}

/* ---- strings */

static void decoded(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		struct span want;
	} t[] = {
		{ "\"\"", { "", 0 } },
		{ "\"plain\"", { "plain", 5 } },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", { "\"\\/\b\f\n\r\t", 8 } },
		{ "\"\\u0041\\u00e4\\u20AC\"", { "A\xc3\xa4\xe2\x82\xac", 6 } },
		{ "\"\\ud83d\\ude00!\"", { "\xf0\x9f\x98\x80!", 5 } },
		{ "\"a\\u0000b\"", { "a\0b", 3 } },
		{ "\"\\ud800\"", { "\xef\xbf\xbd", 3 } },
		{ "\"\\udc00x\"", { "\xef\xbf\xbdx", 4 } },
		{ "\"\\ud800\\ud800\\udc00\"", { "\xef\xbf\xbd\xf0\x90\x80\x80", 7 } },
		{ "\"\\ud800\\u0041\"",
		  { "\xef\xbf\xbd"
		    "A",
		    4 } },
		{ "\"\\ud800\\ue000\"", { "\xef\xbf\xbd\xee\x80\x80", 6 } },
		{ "\"\\udbff\\udbff\"", { "\xef\xbf\xbd\xef\xbf\xbd", 6 } },
		{ "\"\\ud7ff\\ue000\"", { "\xed\x9f\xbf\xee\x80\x80", 6 } },
		{ "\"\\udbff\\udfff\"", { "\xf4\x8f\xbf\xbf", 4 } },
		{ "\"\\uD834\\\\uDd1e\"", { "\xef\xbf\xbd\\uDd1e", 9 } },
	};
	struct buf b;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct scan s;
		buf_reset(&b);
		buf_adds(&b, "<");
		scan_init(&s, span_of(t[i].json));
		assert_int_equal(scan_next(&s), SCAN_STRING);
		assert_true(scan_string(&s, &b));
		assert_int_equal(b.n, t[i].want.n + 1);
		assert_memory_equal(b.p + 1, t[i].want.p, t[i].want.n);
	}
	buf_clear(&b);
}

static void decoded_into_too_small_a_buffer(void **state)
{
	(void)state;
	static const char text[] = "\"ab\\u00e4cd\\n\""; /* 7 bytes decoded */
	for (size_t room = 0; room < 10; room++) {
		struct scan s;
		struct buf b;
		buf_init(&b, room + 2);
		buf_adds(&b, "<>");
		scan_init(&s, SPAN(text));
		assert_int_equal(scan_next(&s), SCAN_STRING);
		assert_int_equal(scan_string(&s, &b), room >= 7);
		assert_int_equal(b.n, room >= 7 ? 9 : 2);
		assert_int_equal(strncmp(b.p, "<>", 2), 0);
		buf_clear(&b);
	}
}

/* ---- numbers */

static struct scan number_of(const char *text)
{
	struct scan s;
	scan_init(&s, span_of(text));
	assert_int_equal(scan_next(&s), SCAN_NUMBER);
	assert_int_equal(s.text.n, strlen(text));
	return s;
}

static void same_double(const char *text)
{
	struct scan s = number_of(text);
	double got = scan_double(&s), want = strtod(text, NULL);
	if (memcmp(&got, &want, sizeof got) != 0)
		fail_msg("%s: got %a, want %a", text, got, want);
}

static void doubles(void **state)
{
	(void)state;
	static const char *const t[] = { "0",
		                             "-0",
		                             "0.0",
		                             "-0.0e5",
		                             "1",
		                             "-1",
		                             "12.345",
		                             "0.1",
		                             "0.30000000000000004",
		                             "1e22",
		                             "1e23",
		                             "1e-22",
		                             "1e-23",
		                             "9007199254740991",
		                             "9007199254740992",
		                             "9007199254740993",
		                             "9007199254740994",
		                             "9007199254740995",
		                             "-9007199254740993",
		                             "9007199254740993.0",
		                             "9007199254740993e0",
		                             "900719925474099.3",
		                             "9007199254740992999",
		                             "18446744073709551615",
		                             "18446744073709551616",
		                             "99999999999999999999",
		                             "1.7976931348623157e308",
		                             "1.7976931348623158e308",
		                             "1.7976931348623159e308",
		                             "1e308",
		                             "1e309",
		                             "1e400",
		                             "-1e400",
		                             "2.2250738585072011e-308",
		                             "2.2250738585072014e-308",
		                             "4.9e-324",
		                             "2.4703282292062327e-324",
		                             "2.4703282292062328e-324",
		                             "1e-400",
		                             "123456789012345678901234567890",
		                             "0.000000000000000000001",
		                             "8.5",
		                             "12.333333333333334",
		                             "1.7673228E9",
		                             "179769313486231580793e289",
		                             "0e999999999999",
		                             "1e-999999999999",
		                             "1e999999999999",
		                             "0.5e+0000000000000000000001" };
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		same_double(t[i]);
	struct scan s = number_of("1e400");
	assert_true(scan_double(&s) == HUGE_VAL);
	s = number_of("-1e400");
	assert_true(scan_double(&s) == -HUGE_VAL);
}

/* Doubles printed shortly, in full and with their midpoint's neighbourhood, and decimals of every length. */
static void random_doubles(void **state)
{
	(void)state;
	char text[64];
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t bits = draw();
		double v;
		memcpy(&v, &bits, sizeof v);
		if (!isfinite(v))
			continue;
		snprintf(text, sizeof text, "%.*g", 1 + (int)(draw() % 20), v);
		same_double(text);
		v = (double)(int64_t)(draw() % 2000000000) / (1 + (double)(draw() % 1000));
		snprintf(text, sizeof text, "%.17g", v); /* as averages come */
		same_double(text);
		snprintf(text, sizeof text, "%.*f", 1 + (int)(draw() % 19), v);
		same_double(text);
		snprintf(text, sizeof text, "%s%llu.%0*llue%d", i % 2 ? "-" : "", (unsigned long long)(draw() >> draw() % 64),
		         1 + (int)(draw() % 9), (unsigned long long)(draw() % 10), (int)(draw() % 60) - 30);
		same_double(text);
	}
}

/* Exactly between two doubles, and one digit beyond, far behind: the last place decides. */
static void far_ties(void **state)
{
	(void)state;
	char text[1400];
	for (size_t zeros = 0; zeros < 1200; zeros += 7) {
		for (unsigned k = 0; k < 3; k++) {
			static const char *const half[] = { "9007199254740993.",
				                                "0.500000000000000166533453693773481063544750213623046875",
				                                "2.47032822920623272088284396434110686182" };
			int n = snprintf(text, sizeof text, "%s", half[k]);
			memset(text + n, '0', zeros);
			snprintf(text + (size_t)n + zeros, sizeof text - (size_t)n - zeros, "%s", k < 2 ? "1" : "e-324");
			same_double(text);
			text[(size_t)n + zeros] = k < 2 ? '0' : 'e';
			same_double(text);
		}
	}
	memset(text, '7', 1300); /* no end of digits */
	text[1300] = '\0';
	same_double(text);
	text[1] = '.';
	same_double(text);
	memset(text, '0', 1300);
	text[1] = '.';
	text[1299] = '7';
	same_double(text);
}

static void integers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} t[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "0.000", true, 0 },
		{ "0e99999999999", true, 0 },
		{ "42", true, 42 },
		{ "-42", true, -42 },
		{ "1767322800", true, 1767322800 },
		{ "1.7673228E9", true, 1767322800 },
		{ "1.7673228005E9", false, 0 },
		{ "5.0", true, 5 },
		{ "5.5", false, 0 },
		{ "500e-2", true, 5 },
		{ "501e-2", false, 0 },
		{ "9007199254740991", true, 9007199254740991 },
		{ "9007199254740992", true, 9007199254740992 },
		{ "9007199254740993", true, 9007199254740993 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "-9223372036854775809", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "18446744073709551617", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "1e18", true, 1000000000000000000 },
		{ "1e19", false, 0 },
		{ "1e400", false, 0 },
		{ "1e-400", false, 0 },
		{ "12.0000000000000000000000000000", true, 12 },
		{ "12.0000000000000000000000000001", false, 0 },
		{ "12000000000000000000000000000e-27", true, 12 },
		{ "0.0000000000000000000000000012e28", true, 12 },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct scan s = number_of(t[i].text);
		int64_t v = 0;
		if (scan_int(&s, &v) != t[i].ok || v != t[i].want)
			fail_msg("%s: got %lld", t[i].text, (long long)v);
	}
}

static void random_integers(void **state)
{
	(void)state;
	char text[32];
	for (unsigned i = 0; i < 100000; i++) {
		int64_t want = (int64_t)(draw() >> draw() % 64), v;
		snprintf(text, sizeof text, "%lld", (long long)want);
		struct scan s = number_of(text);
		assert_true(scan_int(&s, &v));
		assert_true(v == want);
	}
}

/* Where a number ends within eight bytes of the end of the text, it is read byte by byte. */
static void numbers_near_the_end(void **state)
{
	(void)state;
	char text[64];
	for (unsigned pad = 0; pad < 16; pad++) {
		for (unsigned n = 1; n < 19; n++) {
			int len = snprintf(text, sizeof text, "[%.*s.5%*s]", (int)n, "123456789012345678", (int)pad, "");
			struct span copy = exact(text, (size_t)len);
			struct scan s;
			scan_init(&s, copy);
			assert_int_equal(scan_next(&s), SCAN_ARRAY);
			assert_int_equal(scan_next(&s), SCAN_NUMBER);
			assert_true(scan_double(&s) == strtod(text + 1, NULL));
			assert_int_equal(scan_next(&s), SCAN_ARRAY_END);
			assert_int_equal(scan_next(&s), SCAN_END);
			free((char *)(uintptr_t)copy.p);
		}
	}
}

static void reasons(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_false(scan_valid(SPAN("{\"a\":tru}"), &e));
	assert_int_equal(e.code, ERR_BADREPLY);
	assert_string_equal(e.where, "json");
	assert_string_equal(e.text, "byte 5: not a value");
	assert_false(scan_valid(SPAN("<html>"), &e));
	assert_string_equal(e.text, "byte 0: not a value");
	assert_false(scan_valid(SPAN(""), &e));
	assert_string_equal(e.text, "byte 0: the text ends where a value was expected");
	assert_false(scan_valid(SPAN("[1] x"), &e));
	assert_string_equal(e.text, "byte 4: text after the value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_test_suite),
		cmocka_unit_test(grammar),
		cmocka_unit_test(strings_at_every_place),
		cmocka_unit_test(deep),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(any_byte_changed),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(tokens_in_order),
		cmocka_unit_test(skipping),
		cmocka_unit_test(decoded),
		cmocka_unit_test(decoded_into_too_small_a_buffer),
		cmocka_unit_test(doubles),
		cmocka_unit_test(random_doubles),
		cmocka_unit_test(far_ties),
		cmocka_unit_test(integers),
		cmocka_unit_test(random_integers),
		cmocka_unit_test(numbers_near_the_end),
		cmocka_unit_test(reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
