/* Time: the parser's verdicts, own calendar beside libc's, durations, the frozen clock. */
#include "core/clock.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void parses(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} t[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-23T03:14:42Z", 1795403682000 },
		{ "2026-11-23T03:14:42.5Z", 1795403682500 },
		{ "2026-11-23T03:14:42.123456789Z", 1795403682123 },
		{ "2026-11-23T03:14:42.000+0000", 1795403682000 },
		{ "2026-11-23T04:14:42+01:00", 1795403682000 },
		{ "2026-11-22T21:44:42-05:30", 1795403682000 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "2038-01-19T03:14:08Z", 2147483648000 },
		{ "0001-01-01T00:00:00Z", -62135596800000 },
		{ "9999-12-31T23:59:59Z", 253402300799000 },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int64_t ms = 42;
		assert_true(clock_parse_rfc3339(t[i].text, strlen(t[i].text), &ms));
		assert_int_equal(ms, t[i].ms);
	}
}

static void refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11-23",
		"2026-11-23T03:14Z",
		"2026-11-23T03:14:42",
		"2026-11-23 03:14:42Z",
		"2026-11-23t03:14:42Z",
		"2026-11-23T03:14:42z",
		"2026-11-23T03:14:42Z ",
		" 2026-11-23T03:14:42Z",
		"2026-11-23T03:14:42.Z",
		"2026-11-23T03:14:42,5Z",
		"2026-11-23T03:14:42+1",
		"2026-11-23T03:14:42+24:00",
		"2026-11-23T03:14:42+01:60",
		"2026-11-23T03:14:42+01:",
		"2026-11-23T24:00:00Z",
		"2026-11-23T03:60:42Z",
		"2026-11-23T03:14:60Z",
		"2026-13-23T03:14:42Z",
		"2026-00-23T03:14:42Z",
		"2026-11-31T03:14:42Z",
		"2026-11-00T03:14:42Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"+026-11-23T03:14:42Z",
		"2026-1-23T03:14:42Z",
		"12026-11-23T03:14:42Z",
		"1795403682",
	};
	int64_t ms = 42;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(clock_parse_rfc3339(bad[i], strlen(bad[i]), &ms));
	assert_false(clock_parse_rfc3339(NULL, 0, &ms));
	/* every cut of a good text, in memory that ends where the text does */
	const char *whole = "2026-11-23T03:14:42.5+01:00";
	for (size_t n = 0; n < strlen(whole); n++) {
		char *cut = malloc(n ? n : 1);
		assert_non_null(cut);
		memcpy(cut, whole, n);
		assert_false(clock_parse_rfc3339(cut, n, &ms));
		free(cut);
	}
	assert_int_equal(ms, 42);
}

/* Every day from 1600 to 2400 and the turns of the day, beside gmtime_r, in zones that would show any leaning on TZ. */
static void calendar(void **state)
{
	(void)state;
	static const char *const zones[] = { "UTC", "Europe/Berlin", "America/St_Johns", "garbage//", ":" };
	for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
		setenv("TZ", zones[z], 1);
		tzset();
		int64_t step = z == 0 ? 86399 : 86399 * 97; /* the first zone walks the days, the others sample them */
		for (int64_t t = INT64_C(-11676096000); t < INT64_C(13569465600); t += step) {
			time_t tt = (time_t)t;
			struct tm tm;
			char want[64], got[CLOCK_RFC3339_SIZE], shorter[16];
			int64_t back;
			assert_non_null(gmtime_r(&tt, &tm)); /* the reference, not the way sluice does it */
			strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
			clock_rfc3339(t, got);
			assert_string_equal(got, want);
			assert_true(clock_parse_rfc3339(got, strlen(got), &back) && back == t * 1000);
			clock_hms(t, shorter);
			assert_string_equal(shorter, want + 11);
			clock_hm(t, shorter);
			assert_memory_equal(shorter, want + 11, 5);
			assert_string_equal(shorter + 5, "Z");
		}
	}
	unsetenv("TZ");
	tzset();
}

static void extremes(void **state)
{
	(void)state;
	char out[CLOCK_RFC3339_SIZE];
	clock_rfc3339(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59Z");
	clock_rfc3339(INT64_MAX, out);
	assert_string_equal(out, "292277026596-12-04T15:30:07Z");
	clock_rfc3339(INT64_MIN, out);
	assert_string_equal(out, "-292277022657-01-27T08:29:52Z");
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t s;
	} good[] = {
		{ "90s", 90 }, { "15m", 900 }, { "6h", 21600 }, { "3d", 259200 }, { "2w", 1209600 }, { "1s", 1 }, { "007s", 7 },
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		int64_t s = 0;
		assert_true(clock_parse_duration(good[i].text, &s));
		assert_int_equal(s, good[i].s);
	}
	static const char *const bad[] = { "",
		                               "s",
		                               "90",
		                               "0s",
		                               "-5m",
		                               "+5m",
		                               " 5m",
		                               "5 m",
		                               "5m ",
		                               "5M",
		                               "1h30m",
		                               "1.5h",
		                               "5y",
		                               "5ms",
		                               "0x5s",
		                               "99999999999999999999s",
		                               "9223372036854775807w" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int64_t s = 0;
		assert_false(clock_parse_duration(bad[i], &s));
	}
	int64_t s;
	assert_false(clock_parse_duration(NULL, &s));
}

static void frozen(void **state)
{
	(void)state;
	setenv("SLUICE_NOW", "2026-11-23T03:14:42.250Z", 1);
	assert_true(clock_init());
	assert_true(clock_frozen());
	assert_int_equal(clock_wall(), 1795403682);
	assert_int_equal(clock_wall_ms(), 1795403682250);
	setenv("SLUICE_NOW", "1969-12-31T23:59:59.5Z", 1);
	assert_true(clock_init());
	assert_int_equal(clock_wall(), -1);
	setenv("SLUICE_NOW", "yesterday", 1);
	assert_false(clock_init());
	assert_false(clock_frozen());
	setenv("SLUICE_NOW", "", 1);
	assert_true(clock_init());
	assert_false(clock_frozen());
	unsetenv("SLUICE_NOW");
	assert_true(clock_init());
	assert_false(clock_frozen());
	int64_t now = (int64_t)time(NULL);
	assert_in_range(clock_wall(), now, now + 5);
	int64_t mono = clock_mono_ms();
	assert_true(mono > 0 && clock_mono_ms() >= mono);
}

static void corrected(void **state)
{
	(void)state;
	int64_t before = clock_wall(), before_ms = clock_wall_ms(), mono = clock_mono_ms();
	clock_correct(-7200);
	assert_int_equal(clock_correction(), -7200);
	assert_in_range(before - clock_wall(), 7190, 7200);
	assert_in_range(before_ms - clock_wall_ms(), 7190000, 7200000);
	assert_in_range(clock_mono_ms() - mono, 0, 5000); /* timers do not notice */
	clock_correct(0);
	assert_in_range(clock_wall() - before, 0, 5);
	assert_int_equal(setenv("SLUICE_NOW", "2026-11-23T03:14:42Z", 1), 0);
	assert_true(clock_init());
	before = clock_wall();
	clock_correct(3600); /* a frozen clock stays where it is */
	assert_int_equal(clock_wall(), before);
	assert_int_equal(clock_correction(), 0);
	assert_int_equal(unsetenv("SLUICE_NOW"), 0);
	assert_true(clock_init());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),    cmocka_unit_test(refuses), cmocka_unit_test(calendar),  cmocka_unit_test(extremes),
		cmocka_unit_test(durations), cmocka_unit_test(frozen),  cmocka_unit_test(corrected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
