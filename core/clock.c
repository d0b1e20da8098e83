#include "core/clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400

static bool frozen;
static int64_t frozen_ms;
static int64_t speed = 1, begun_ms, begun_mono_ms; /* begun: when the clocks began to run fast */
static _Atomic int64_t correction;

static int64_t read_ms(clockid_t id)
{
	struct timespec ts = { 0 };
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool read_speed(const char *text)
{
	char *end;
	begun_ms = read_ms(CLOCK_REALTIME);
	begun_mono_ms = read_ms(CLOCK_MONOTONIC);
	speed = strtol(text, &end, 10);
	bool ok = *text && !*end && speed >= 1 && speed <= 10000;
	speed = ok ? speed : 1;
	return ok;
}

bool clock_init(void)
{
	const char *now = getenv("SLUICE_NOW"), *fast = getenv("SLUICE_SPEED");
	frozen = false;
	if (fast && fast[0] && !read_speed(fast))
		return false;
	if (!now || !now[0])
		return true;
	frozen = clock_parse_rfc3339(now, strlen(now), &frozen_ms);
	return frozen;
}

int clock_real_ms(int ms)
{
	return speed == 1 || ms <= 0 ? ms : (int)(ms / speed) + 1;
}

bool clock_frozen(void)
{
	return frozen;
}

void clock_correct(int64_t seconds)
{
	if (!frozen && speed == 1)
		atomic_store(&correction, seconds);
}

int64_t clock_correction(void)
{
	return atomic_load(&correction);
}

static _Thread_local int64_t held;

void clock_hold(int64_t t)
{
	held = t;
}

int64_t clock_pause(void)
{
	int64_t was = held;
	held = clock_wall();
	return was;
}

int64_t clock_wall_ms(void)
{
	if (held)
		return held * 1000;
	int64_t real = read_ms(CLOCK_REALTIME);
	return frozen ? frozen_ms : begun_ms + (real - begun_ms) * speed + 1000 * clock_correction();
}

/* Rounds towards the past, also before 1970. */
static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t clock_wall(void)
{
	return floor_div(clock_wall_ms(), 1000);
}

int64_t clock_mono_ms(void)
{
	return begun_mono_ms + (read_ms(CLOCK_MONOTONIC) - begun_mono_ms) * speed;
}

/* The proleptic Gregorian calendar counted in eras of 400 years that start on 1 March, so that the leap day comes last.
 * Own arithmetic: gmtime_r and timegm fail for large years and tie us to what libc thinks of TZ. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

static unsigned second_of_day(int64_t t)
{
	return (unsigned)(t - floor_div(t, DAY) * DAY);
}

void clock_rfc3339(int64_t t, char out[CLOCK_RFC3339_SIZE])
{
	int64_t year;
	unsigned month, day, s = second_of_day(t);
	civil_from_days(floor_div(t, DAY), &year, &month, &day);
	snprintf(out, CLOCK_RFC3339_SIZE, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02uZ", year, month % 100, day % 100,
	         s / 3600 % 100, s / 60 % 60, s % 60);
}

void clock_hms(int64_t t, char out[16])
{
	unsigned s = second_of_day(t);
	snprintf(out, 16, "%02u:%02u:%02uZ", s / 3600 % 100, s / 60 % 60, s % 60);
}

void clock_hm(int64_t t, char out[16])
{
	unsigned s = second_of_day(t);
	snprintf(out, 16, "%02u:%02uZ", s / 3600 % 100, s / 60 % 60);
}

struct reader {
	const char *p, *end;
	bool bad;
};

static unsigned take_digits(struct reader *r, unsigned count)
{
	unsigned v = 0;
	for (unsigned i = 0; i < count; i++) {
		if (r->bad || r->p == r->end || *r->p < '0' || *r->p > '9') {
			r->bad = true;
			return 0;
		}
		v = v * 10 + (unsigned)(*r->p++ - '0');
	}
	return v;
}

static bool take(struct reader *r, char c)
{
	if (r->bad || r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static void need(struct reader *r, char c)
{
	if (!take(r, c))
		r->bad = true;
}

/* Milliseconds; further digits are read and dropped. */
static unsigned take_fraction(struct reader *r)
{
	unsigned ms = 0, digits = 0;
	if (!take(r, '.'))
		return 0;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++, digits++)
		if (digits < 3)
			ms = ms * 10 + (unsigned)(*r->p - '0');
	if (digits == 0)
		r->bad = true;
	for (; digits < 3; digits++)
		ms *= 10;
	return ms;
}

/* Z, +hh:mm, or +hhmm as CloudWatch writes it inside alarm notifications. Seconds east of Greenwich. */
static int64_t take_offset(struct reader *r)
{
	if (take(r, 'Z'))
		return 0;
	int sign = take(r, '+') ? 1 : -1;
	if (sign < 0)
		need(r, '-');
	unsigned hours = take_digits(r, 2);
	take(r, ':');
	unsigned minutes = take_digits(r, 2);
	if (hours > 23 || minutes > 59)
		r->bad = true;
	return sign * (int64_t)(hours * 3600 + minutes * 60);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

bool clock_parse_rfc3339(const char *s, size_t n, int64_t *t_ms)
{
	if (!s)
		return false;
	struct reader r = { s, s + n, false };
	unsigned year = take_digits(&r, 4);
	need(&r, '-');
	unsigned month = take_digits(&r, 2);
	need(&r, '-');
	unsigned day = take_digits(&r, 2);
	need(&r, 'T');
	unsigned hour = take_digits(&r, 2);
	need(&r, ':');
	unsigned minute = take_digits(&r, 2);
	need(&r, ':');
	unsigned second = take_digits(&r, 2);
	unsigned ms = take_fraction(&r);
	int64_t offset = take_offset(&r);
	if (r.bad || r.p != r.end || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	int64_t t = days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
	*t_ms = t * 1000 + ms;
	return true;
}

bool clock_parse_duration(const char *s, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY }, { 'w', 7 * DAY },
	};
	if (!s || s[0] < '0' || s[0] > '9')
		return false;
	int64_t v = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
			return false;
	if (v == 0 || s[0] == '\0' || s[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].unit == s[0])
			return !__builtin_mul_overflow(v, units[i].seconds, seconds);
	return false;
}
