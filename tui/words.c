#include "tui/words.h"

#include "core/clock.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define FAR (6 * 3600)

static void away(int64_t t, int64_t now, char out[WHEN_SIZE])
{
	char d[TEXT_NUM];
	text_duration(t > now ? t - now : now - t, d);
	if (t > now)
		snprintf(out, WHEN_SIZE, "in %s", d);
	else
		snprintf(out, WHEN_SIZE, "%s ago", d);
}

static void parts(enum time_style ts, int64_t t, struct tm *tm)
{
	time_t at = (time_t)t;
	*tm = (struct tm){ 0 };
	if (ts == TIMES_LOCAL)
		localtime_r(&at, tm);
	else
		gmtime_r(&at, tm);
}

void when_hm(enum time_style ts, int64_t t, int64_t now, char out[WHEN_SIZE])
{
	struct tm tm;
	if (ts == TIMES_AGE) {
		away(t, now, out);
		return;
	}
	parts(ts, t, &tm);
	snprintf(out, WHEN_SIZE, "%02d:%02d%s", tm.tm_hour, tm.tm_min, ts == TIMES_UTC ? "Z" : "");
}

static void with_day(enum time_style ts, int64_t t, int64_t near, bool zone, char out[WHEN_SIZE])
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	int64_t apart = t > near ? t - near : near - t;
	const char *z = zone && ts == TIMES_UTC ? "Z" : "";
	parts(ts, t, &tm);
	if (apart < DAY)
		snprintf(out, WHEN_SIZE, "%02d:%02d%s", tm.tm_hour, tm.tm_min, z);
	else if (apart < 300 * DAY)
		snprintf(out, WHEN_SIZE, "%d %s %02d:%02d%s", tm.tm_mday, months[tm.tm_mon % 12], tm.tm_hour, tm.tm_min, z);
	else
		snprintf(out, WHEN_SIZE, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

void when_text(enum time_style ts, int64_t t, int64_t now, char out[WHEN_SIZE])
{
	if (ts == TIMES_AGE)
		away(t, now, out);
	else
		with_day(ts, t, now, true, out);
}

void when_between(enum time_style ts, int64_t a, int64_t b, int64_t now, char out[WHEN_SIZE])
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	when_text(ts, b, now, to);
	if (a >= b || a / 60 == b / 60) {
		snprintf(out, WHEN_SIZE, "%s", to);
		return;
	}
	if (ts == TIMES_AGE)
		text_duration(a > now ? a - now : now - a, from);
	else
		with_day(ts, a, now, false, from);
	if (ts != TIMES_AGE && b - a > FAR) /* the clock alone could be read as the same day's */
		with_day(ts, b, b + DAY, true, to);
	snprintf(out, WHEN_SIZE, "%.20s..%.25s", from, ts == TIMES_AGE && b > now ? to + 3 : to);
}

const char *who_word(const char *by)
{
	const char *colon = strncmp(by, "arn:", 4) == 0 ? strrchr(by, ':') : NULL;
	const char *slash = colon ? strchr(colon, '/') : NULL; /* user/, assumed-role/: the name says more */
	return slash ? slash + 1 : colon ? colon + 1 : by;
}
