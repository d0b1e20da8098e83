#include "core/series.h"

#include "core/mem.h"

#include <stdlib.h>

#define SERIES_FIRST 16
/* What lies beyond, or before 1970, is no time: it is not kept, and nothing here overflows. */
#define TIME_MAX (INT64_MAX / 4)

void series_init(struct series *s, uint32_t step)
{
	*s = (struct series){ .step = step, .max = SERIES_MAX };
}

void series_clear(struct series *s)
{
	unsigned max = s->max;
	free(s->v);
	series_init(s, s->step);
	series_widen(s, max);
}

void series_widen(struct series *s, unsigned max)
{
	max = max < SERIES_WIDEST ? max : SERIES_WIDEST;
	if (max > s->max)
		s->max = (uint16_t)max;
}

static int64_t period_of(const struct series *s, int64_t t)
{
	return t - ((t % s->step) + s->step) % s->step;
}

/* Slot of the period `back` periods before the newest. */
static unsigned slot(const struct series *s, unsigned back)
{
	return (s->head + s->cap - back) % s->cap;
}

static void grow(struct series *s, unsigned want)
{
	unsigned cap = s->cap ? s->cap : SERIES_FIRST;
	while (cap < want)
		cap *= 2;
	if (cap > s->max)
		cap = s->max;
	if (cap == s->cap)
		return;
	double *v = xreallocarray(NULL, cap, sizeof *v);
	for (unsigned i = 0; i < s->len; i++)
		v[s->len - 1 - i] = s->v[slot(s, i)];
	free(s->v);
	s->v = v;
	s->cap = (uint16_t)cap;
	s->head = (uint16_t)(s->len ? s->len - 1 : 0);
}

/* Makes t the newest slot; the periods between become gaps. */
static void advance(struct series *s, int64_t t)
{
	int64_t steps = s->len ? (t - s->last) / s->step : 1;
	if (steps >= s->max) { /* everything held is older than the ring is long */
		s->len = 0;
		steps = 1;
	}
	grow(s, s->len + (unsigned)steps);
	for (int64_t i = 0; i < steps; i++) {
		s->head = (uint16_t)(s->len ? (s->head + 1) % s->cap : 0);
		s->v[s->head] = NAN;
		if (s->len < s->cap)
			s->len++;
	}
	s->last = t;
}

/* Back-fill: extends the ring into the past with gaps until `back` exists. */
static void reach_back(struct series *s, unsigned back)
{
	grow(s, back + 1);
	while (s->len <= back) {
		s->len++;
		s->v[slot(s, s->len - 1u)] = NAN;
	}
}

enum series_put series_put(struct series *s, int64_t t, double v)
{
	if (t < 0 || t > TIME_MAX)
		return SERIES_OLD;
	t = period_of(s, t);
	if (s->len == 0 || t > s->last) {
		advance(s, t);
		s->v[s->head] = v;
		return SERIES_NEW;
	}
	int64_t back = (s->last - t) / s->step;
	if (back >= s->max)
		return SERIES_OLD;
	if (back >= s->len)
		reach_back(s, (unsigned)back);
	double *at = &s->v[slot(s, (unsigned)back)];
	enum series_put done = isnan(*at) ? SERIES_NEW : *at == v ? SERIES_SAME : SERIES_CHANGED;
	*at = v;
	return done;
}

double series_at(const struct series *s, int64_t t)
{
	if (s->len == 0 || t < 0 || (t = period_of(s, t)) > s->last)
		return NAN;
	int64_t back = (s->last - t) / s->step;
	return back < s->len ? s->v[slot(s, (unsigned)back)] : NAN;
}

bool series_newest(const struct series *s, int64_t *t, double *v)
{
	for (unsigned i = 0; i < s->len; i++) {
		double x = s->v[slot(s, i)];
		if (isnan(x))
			continue;
		*t = s->last - (int64_t)i * s->step;
		*v = x;
		return true;
	}
	return false;
}

void series_tail(const struct series *s, int64_t end, unsigned n, double *out)
{
	end = period_of(s, end);
	for (unsigned i = 0; i < n; i++)
		out[i] = series_at(s, end - (int64_t)(n - 1 - i) * s->step);
}

unsigned series_count(const struct series *s, int64_t from, int64_t to)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->len; i++) {
		int64_t t = s->last - (int64_t)i * s->step;
		n += t >= from && t < to && !isnan(s->v[slot(s, i)]);
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The newest SERIES_MAX points give 16,110 pairs: half a millisecond, asked for a few series a poll. */
double series_slope(const struct series *s, int64_t from, int64_t to)
{
	int64_t t[SERIES_MAX];
	double v[SERIES_MAX];
	unsigned n = 0;
	for (unsigned i = 0; i < s->len && n < SERIES_MAX; i++) {
		int64_t at = s->last - (int64_t)i * s->step;
		double x = s->v[slot(s, i)];
		if (at < from || at > to || isnan(x))
			continue;
		t[n] = at;
		v[n++] = x;
	}
	if (n < 3)
		return NAN;
	size_t pairs = (size_t)n * (n - 1) / 2, k = 0;
	double *slopes = xreallocarray(NULL, pairs, sizeof *slopes);
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = i + 1; j < n; j++)
			slopes[k++] = (v[i] - v[j]) / (double)(t[i] - t[j]);
	qsort(slopes, pairs, sizeof *slopes, by_value);
	double middle = pairs % 2 ? slopes[pairs / 2] : (slopes[pairs / 2 - 1] + slopes[pairs / 2]) / 2;
	free(slopes);
	return middle;
}
