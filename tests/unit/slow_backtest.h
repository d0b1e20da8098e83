/* The back-test done slowly and written apart: each window anew out of single samples, each judgement as the four sentences of CloudWatch's
 * guide have it. For the unit test and the benchmark. */
#ifndef TESTS_UNIT_SLOW_BACKTEST_H
#define TESTS_UNIT_SLOW_BACKTEST_H

#include "alarms/backtest.h"

#include <math.h>

#define SAMPLES 4

struct past { /* the samples themselves */
	unsigned minutes;
	double (*sample)[SAMPLES];
	unsigned *n;
};

static inline double slow_window(const struct past *p, enum eval_stat s, long end, unsigned width)
{
	double sum = 0, low = INFINITY, high = -INFINITY;
	unsigned n = 0;
	for (long i = end - (long)width; i < end; i++)
		for (unsigned k = 0; i >= 0 && k < p->n[i]; k++) {
			double v = p->sample[i][k];
			sum += v;
			low = v < low ? v : low;
			high = v > high ? v : high;
			n++;
		}
	if (!n)
		return NAN;
	return s == EVAL_SUM ? sum : s == EVAL_SAMPLES ? n : s == EVAL_AVERAGE ? sum / n : s == EVAL_MINIMUM ? low : high;
}

static inline bool slow_breaches(const struct eval_rule *r, double v)
{
	return r->compare == EVAL_GT   ? v > r->threshold
	       : r->compare == EVAL_GE ? v >= r->threshold
	       : r->compare == EVAL_LT ? v < r->threshold
	                               : v <= r->threshold;
}

static inline enum eval_state slow_nothing(const struct eval_rule *r, enum eval_state now)
{
	const enum eval_state by_mode[] = { [EVAL_MISSING] = EVAL_INSUFFICIENT,
		                                [EVAL_IGNORE] = now,
		                                [EVAL_BREACHING] = EVAL_ALARM,
		                                [EVAL_NOT_BREACHING] = EVAL_OK };
	return by_mode[r->missing];
}

/* The windows from the newest on, as many as are looked at. */
static inline enum eval_state slow_judge(const struct eval_rule *r, const double *newest_first, unsigned range,
                                  enum eval_state now)
{
	unsigned real = 0, breaching = 0, oldest = 0;
	for (unsigned i = 0; i < range && real < r->n; i++) {
		if (isnan(newest_first[i]))
			continue;
		real++;
		if (slow_breaches(r, newest_first[i])) {
			breaching++;
			oldest = i + 1;
		}
	}
	if (real == r->n)
		return breaching >= r->m ? EVAL_ALARM : EVAL_OK;
	if (real == 0)
		return slow_nothing(r, now);
	if (r->missing == EVAL_BREACHING)
		return breaching + r->n - real >= r->m ? EVAL_ALARM : EVAL_OK;
	if (breaching >= r->m)
		return EVAL_ALARM;
	if (r->missing == EVAL_NOT_BREACHING || breaching < real)
		return EVAL_OK;
	return r->missing == EVAL_MISSING && oldest >= r->m ? EVAL_ALARM : now;
}

struct slow {
	unsigned fires, transitions, alarm, insufficient, longest;
};

static inline struct slow slow_test(const struct past *p, enum eval_stat s, const struct eval_rule *r, unsigned width,
                             unsigned every, unsigned from, enum eval_state *states)
{
	struct slow b = { 0 };
	enum eval_state now = EVAL_INSUFFICIENT;
	unsigned stay = 0, range = r->n + (r->n / 3 > 2 ? r->n / 3 : 2);
	for (unsigned i = 0; i < p->minutes; i++) {
		if (i >= from && (i - from) % every == 0) {
			double windows[64];
			for (unsigned k = 0; k < range; k++)
				windows[k] = slow_window(p, s, (long)i + 1 - (long)k * width, width);
			enum eval_state next = slow_judge(r, windows, range, now);
			b.transitions += next != now;
			b.fires += next == EVAL_ALARM && now != EVAL_ALARM;
			now = next;
		}
		states[i] = now;
		if (i < from)
			continue;
		stay = now == EVAL_ALARM ? stay + 1 : 0;
		b.longest = stay > b.longest ? stay : b.longest;
		b.alarm += now == EVAL_ALARM;
		b.insufficient += now == EVAL_INSUFFICIENT;
	}
	return b;
}

#endif
