#include "replay/watch.h"

#include <math.h>
#include <stdlib.h>

#define AT_ONCE 10.0  /* throttles of one minute */
#define FASTER 0.2    /* seconds a second */
#define SLOPE_MOST 64 /* values that are looked at: the newest */
#define NORMAL_S 3600

static double most(const double *v, unsigned n, double none)
{
	double m = none;
	for (unsigned i = 0; i < n; i++)
		m = isnan(v[i]) || v[i] <= m ? m : v[i];
	return m;
}

bool throttles_rise(const double *before, unsigned nbefore, const double *since, unsigned nsince)
{
	double usual = most(before, nbefore, 0);
	unsigned above = 0;
	for (unsigned i = 0; i < nsince; i++) {
		bool more = !isnan(since[i]) && since[i] > usual;
		above += more;
		if (more && since[i] >= usual + AT_ONCE)
			return true;
	}
	return above >= 2;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

double age_slope(const double *v, unsigned n)
{
	static const double minute = 60;
	double slopes[SLOPE_MOST * (SLOPE_MOST - 1) / 2];
	unsigned known = 0, k = 0, from = n > SLOPE_MOST ? n - SLOPE_MOST : 0;
	for (unsigned i = from; i < n; i++) {
		known += isnan(v[i]) ? 0 : 1;
		for (unsigned j = from; j < i; j++)
			if (!isnan(v[i]) && !isnan(v[j]))
				slopes[k++] = (v[i] - v[j]) / (minute * (i - j));
	}
	if (known < 3)
		return (double)NAN;
	qsort(slopes, k, sizeof *slopes, by_value);
	return k % 2 ? slopes[k / 2] : (slopes[k / 2 - 1] + slopes[k / 2]) / 2;
}

bool age_rises(const double *before, unsigned nbefore, const double *since, unsigned nsince)
{
	double now = age_slope(since, nsince), then = age_slope(before, nbefore);
	double oldest = most(before, nbefore, -1);
	if (isnan(now) || isnan(then))
		return false;
	return now > (then > 0 ? then : 0) + FASTER && most(since, nsince, -1) > oldest;
}

enum race race_of(double loss_in_s, double finish_in_s)
{
	if (isnan(loss_in_s) || isnan(finish_in_s))
		return RACE_UNKNOWN;
	return finish_in_s > loss_in_s ? RACE_LOST : finish_in_s > loss_in_s / 2 ? RACE_TIGHT : RACE_FINE;
}

double normal_rate(const double *sums, unsigned n, unsigned step)
{
	unsigned first = 0;
	double total = 0;
	while (first < n && isnan(sums[first]))
		first++;
	for (unsigned i = first; i < n; i++)
		total += isnan(sums[i]) ? 0 : sums[i];
	double seconds = (double)(n - first) * step;
	return seconds >= NORMAL_S && total > 0 ? total / seconds : (double)NAN;
}
