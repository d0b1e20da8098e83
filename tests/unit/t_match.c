#include "tui/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_what_matches(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		int matches;
	} cases[] = {
		{ "", "orders", 1 },
		{ "ord", "orders-ingest", 1 },
		{ "oi", "orders-ingest", 1 },
		{ "OING", "orders-ingest", 1 },
		{ "gest ord", "orders-ingest", 1 },
		{ "ordx", "orders-ingest", 0 },
		{ "to", "orders-ingest", 0 },
		{ "a", "", 0 },
		{ "   ", "x", 1 },
		{ "ord zz", "orders", 0 },
		{ "\xC3\xA4", "gr\xC3\xA4ser", 1 },
		{ "orders-ingestx", "orders-ingest", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if ((match_score(cases[i].pattern, cases[i].text) >= 0) != cases[i].matches)
			fail_msg("%s in %s", cases[i].pattern, cases[i].text);
}

/* The first of each row is what was meant. */
static void test_the_better_one_wins(void **state)
{
	(void)state;
	static const char *const cases[][3] = {
		{ "dlq", "orders-load-dlq", "delayed-large-queue" }, /* as it stands */
		{ "load", "orders-load", "upload-all" },             /* beginning a word */
		{ "ord", "orders", "borders" },                      /* beginning the text */
		{ "orders", "orders", "orders-ingest" },             /* shorter */
		{ "oi", "orders-ingest", "thermostatic" },           /* initials */
		{ "iah", "IteratorAgeHigh", "aviatahx" },            /* humps are beginnings */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (match_score(cases[i][0], cases[i][1]) <= match_score(cases[i][0], cases[i][2]))
			fail_msg("%s: %s (%d) and %s (%d)", cases[i][0], cases[i][1], match_score(cases[i][0], cases[i][1]),
			         cases[i][2], match_score(cases[i][0], cases[i][2]));
}

/* Any subsequence of a text matches it, whatever the case; nothing else does. */
static void test_against_the_definition(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int round = 0; round < 20000; round++) {
		char text[13] = "", pattern[6] = "";
		size_t n = 1 + (size_t)(rand_r(&seed) % 12), m = 1 + (size_t)(rand_r(&seed) % 5), k = 0;
		for (size_t i = 0; i < n; i++)
			text[i] = "abcA-B"[rand_r(&seed) % 6];
		for (size_t i = 0; i < m; i++)
			pattern[i] = "abc-"[rand_r(&seed) % 4];
		for (size_t i = 0; i < n && k < m; i++)
			k += (text[i] | 0x20) == (pattern[k] | 0x20);
		assert_int_equal(match_score(pattern, text) >= 0, k == m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_matches),
		cmocka_unit_test(test_the_better_one_wins),
		cmocka_unit_test(test_against_the_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
