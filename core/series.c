#include "core/series.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define SERIES_FIRST 16
/* What lies beyond, or before 1970, is no time: it is not kept, and nothing here overflows. */
#define TIME_MAX (INT64_MAX / 4)

#define WIDTH_LEAST 2
#define DECIMALS_MOST 6

void series_init(struct series *s, uint32_t step)
{
	*s = (struct series){ .step = step, .max = SERIES_MAX, .width = WIDTH_LEAST };
}

void series_init_wide(struct series *s, uint32_t step)
{
	series_init(s, step);
	s->width = 8;
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
	unsigned at = s->head + s->cap - back;
	return at >= s->cap ? at - s->cap : at;
}

/* ---- slots: the least integer of a width is the gap */

static const double tens[DECIMALS_MOST + 1] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6 };

/* The integer that stands for v; false: v is none that many decimals and bytes can hold, to the last bit. */
static bool packed(double v, unsigned width, unsigned decimals, int32_t *out)
{
	double scaled = v * tens[decimals], most = width == 2 ? INT16_MAX : INT32_MAX;
	if (!(scaled >= -most && scaled <= most))
		return false;
	*out = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
	double back = *out / tens[decimals];
	return memcmp(&back, &v, sizeof v) == 0; /* -0 is none, either */
}

static double get(const struct series *s, unsigned i)
{
	if (s->width == 8)
		return ((const double *)s->v)[i];
	int32_t n = s->width == 2 ? ((const int16_t *)s->v)[i] : ((const int32_t *)s->v)[i];
	if (n == (s->width == 2 ? INT16_MIN : INT32_MIN))
		return NAN;
	return s->decimals ? n / tens[s->decimals] : n;
}

/* v is a gap, or fits. */
static void put(struct series *s, unsigned i, double v)
{
	int32_t n = s->width == 2 ? INT16_MIN : INT32_MIN;
	if (s->width == 8) {
		((double *)s->v)[i] = v;
		return;
	}
	if (!isnan(v))
		packed(v, s->width, s->decimals, &n);
	if (s->width == 2)
		((int16_t *)s->v)[i] = (int16_t)n;
	else
		((int32_t *)s->v)[i] = n;
}

/* Everything anew, oldest first, in slots of another number or form. */
static void rebuild(struct series *s, unsigned cap, unsigned width, unsigned decimals)
{
	struct series to = *s;
	to.v = xreallocarray(NULL, cap, width);
	to.cap = (uint16_t)cap;
	to.width = (uint8_t)width;
	to.decimals = (uint8_t)decimals;
	for (unsigned i = 0; i < s->len; i++)
		put(&to, s->len - 1 - i, get(s, slot(s, i)));
	to.head = (uint16_t)(s->len ? s->len - 1 : 0);
	free(s->v);
	*s = to;
}

static bool all_fit(const struct series *s, unsigned width, unsigned decimals)
{
	int32_t n;
	for (unsigned i = 0; i < s->len; i++) {
		double v = get(s, slot(s, i));
		if (!isnan(v) && !packed(v, width, decimals, &n))
			return false;
	}
	return true;
}

/* Makes the form one that holds v beside what is there. */
static void make_fit(struct series *s, double v)
{
	int32_t n;
	if (s->width == 8 || packed(v, s->width, s->decimals, &n))
		return;
	unsigned cap = s->cap ? s->cap : SERIES_FIRST;
	for (unsigned width = s->width; width < 8; width *= 2)
		for (unsigned decimals = s->decimals; decimals <= DECIMALS_MOST; decimals++)
			if (packed(v, width, decimals, &n) && all_fit(s, width, decimals)) {
				rebuild(s, cap, width, decimals);
				return;
			}
	rebuild(s, cap, 8, 0);
}

static void grow(struct series *s, unsigned want)
{
	unsigned cap = s->cap ? s->cap : SERIES_FIRST;
	while (cap < want)
		cap += cap / 2;
	if (cap > s->max)
		cap = s->max;
	if (cap != s->cap)
		rebuild(s, cap, s->width, s->decimals);
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
		s->head = (uint16_t)(s->len && s->head + 1 < s->cap ? s->head + 1 : 0);
		put(s, s->head, NAN);
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
		put(s, slot(s, s->len - 1u), NAN);
	}
}

enum series_put series_put(struct series *s, int64_t t, double v)
{
	if (t < 0 || t > TIME_MAX)
		return SERIES_OLD;
	t = period_of(s, t);
	if (s->len == 0 || t > s->last) {
		advance(s, t);
		make_fit(s, v);
		put(s, s->head, v);
		return SERIES_NEW;
	}
	int64_t back = (s->last - t) / s->step;
	if (back >= s->max)
		return SERIES_OLD;
	if (back >= s->len)
		reach_back(s, (unsigned)back);
	double old = get(s, slot(s, (unsigned)back));
	if (old == v)
		return SERIES_SAME;
	make_fit(s, v);
	put(s, slot(s, (unsigned)back), v);
	return isnan(old) ? SERIES_NEW : SERIES_CHANGED;
}

double series_at(const struct series *s, int64_t t)
{
	if (s->len == 0 || t < 0 || (t = period_of(s, t)) > s->last)
		return NAN;
	int64_t back = (s->last - t) / s->step;
	return back < s->len ? get(s, slot(s, (unsigned)back)) : NAN;
}

bool series_newest(const struct series *s, int64_t *t, double *v)
{
	for (unsigned i = 0; i < s->len; i++) {
		double x = get(s, slot(s, i));
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
	int64_t back = (s->last - period_of(s, end)) / s->step + (int64_t)n - 1;
	for (unsigned i = 0; i < n; i++, back--)
		out[i] = back >= 0 && back < s->len ? get(s, slot(s, (unsigned)back)) : NAN;
}

unsigned series_count(const struct series *s, int64_t from, int64_t to)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->len; i++) {
		int64_t t = s->last - (int64_t)i * s->step;
		n += t >= from && t < to && !isnan(get(s, slot(s, i)));
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
		double x = get(s, slot(s, i));
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
