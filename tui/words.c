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

/* ---- the first-loss clock */

static void left(int64_t t, int64_t now, bool brief, char out[TEXT_NUM])
{
	int64_t s = t > now ? t - now : 0;
	if (brief)
		text_duration_brief(s, out);
	else
		text_duration(s, out);
}

void loss_cell(const struct loss *l, int64_t now, char out[LOSS_CELL])
{
	char a[TEXT_NUM], b[TEXT_NUM];
	left(l->low, now, l->state != LOSS_EXACT, a);
	left(l->high, now, true, b);
	switch (l->state) {
	case LOSS_NONE:
	case LOSS_SAFE: snprintf(out, LOSS_CELL, "-"); return;
	case LOSS_UNKNOWN: snprintf(out, LOSS_CELL, "??"); return;
	case LOSS_EXACT: snprintf(out, LOSS_CELL, "%.8s", l->low <= now ? "now" : a); return;
	case LOSS_AT_LEAST: snprintf(out, LOSS_CELL, ">=%.5s", a); return;
	case LOSS_AT_MOST:
	case LOSS_BETWEEN: break;
	}
	if (l->high <= now)
		snprintf(out, LOSS_CELL, "now");
	else if (l->state == LOSS_AT_MOST)
		snprintf(out, LOSS_CELL, "<=%.5s", b);
	else
		snprintf(out, LOSS_CELL, "%.4s..%.4s", a, b);
}

bool loss_runs(const struct loss *l)
{
	return l->state != LOSS_NONE && l->state != LOSS_SAFE;
}

int64_t loss_soonest(const struct loss *l)
{
	switch (l->state) {
	case LOSS_EXACT:
	case LOSS_BETWEEN:
	case LOSS_AT_LEAST: return l->low;
	case LOSS_AT_MOST: return l->high;
	default: return INT64_MAX;
	}
}

/* "expires 21:05Z", as certain as it is. */
static void expires(const struct loss *l, enum time_style ts, int64_t now, char *out, size_t size)
{
	char low[WHEN_SIZE], high[WHEN_SIZE];
	when_text(ts, l->low, now, low);
	when_text(ts, l->high, now, high);
	switch (l->state) {
	case LOSS_EXACT: snprintf(out, size, "%s %s", l->low <= now ? "expired" : "expires", low); return;
	case LOSS_AT_LEAST: snprintf(out, size, "expires not before %s", low); return;
	case LOSS_AT_MOST: snprintf(out, size, "expires by %s at the latest", high); return;
	case LOSS_BETWEEN:
		when_between(ts, l->low, l->high, now, low);
		snprintf(out, size, "expires %s", low);
		return;
	default: snprintf(out, size, "may expire, and nothing tells when"); return;
	}
}

void loss_sentence(const struct loss *l, enum time_style ts, int64_t now, char *out, size_t size)
{
	char cell[LOSS_CELL], when[2 * WHEN_SIZE];
	loss_cell(l, now, cell);
	expires(l, ts, now, when, sizeof when);
	bool over = strcmp(cell, "now") == 0;
	snprintf(out, size, "DATA LOSS %s%s: %s%s%s %s%s%s", over ? "" : "in ", cell, l->what ? l->what : "the oldest",
	         l->where ? " of " : "", l->where ? l->where : "", when, l->basis ? "; " : "", l->basis ? l->basis : "");
}
