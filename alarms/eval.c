#include "alarms/eval.h"

#include <math.h>
#include <string.h>

bool eval_compare_parse(const char *sign, enum eval_compare *c)
{
	static const char *const signs[] = { [EVAL_GT] = ">", [EVAL_GE] = ">=", [EVAL_LT] = "<", [EVAL_LE] = "<=" };
	for (unsigned i = 0; sign && i < sizeof signs / sizeof *signs; i++)
		if (strcmp(sign, signs[i]) == 0) {
			*c = (enum eval_compare)i;
			return true;
		}
	return false;
}

bool eval_missing_parse(const char *mode, enum eval_missing *m)
{
	static const char *const modes[] = { "missing", "ignore", "breaching", "notBreaching" };
	for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(mode ? mode : "missing", modes[i]) == 0) {
			*m = (enum eval_missing)i;
			return true;
		}
	return false;
}

bool eval_breaches(const struct eval_rule *r, double v)
{
	switch (r->compare) {
	case EVAL_GT: return v > r->threshold;
	case EVAL_GE: return v >= r->threshold;
	case EVAL_LT: return v < r->threshold;
	default: return v <= r->threshold; /* false for NAN, as all of them */
	}
}

/* ---- the judgement */

unsigned eval_range(unsigned n)
{
	return n + (n / 3 > 2 ? n / 3 : 2);
}

unsigned eval_range_most(unsigned n)
{
	return n + 2 * (eval_range(n) - n);
}

struct tally {
	unsigned real, breaching;
	unsigned oldest; /* breaching point: its position from the newest window, which is 1 */
	bool newer_good; /* than that one */
};

static struct tally tally_of(const struct eval_rule *r, const double *v, unsigned nv)
{
	struct tally t = { 0 };
	bool good = false;
	for (unsigned position = 1; position <= nv && t.real < r->n; position++) {
		double x = v[nv - position];
		if (isnan(x))
			continue;
		t.real++;
		if (!eval_breaches(r, x)) {
			good = true;
			continue;
		}
		t.breaching++;
		t.oldest = position;
		t.newer_good = good;
	}
	return t;
}

/* Fewer points than N, and fillers that are neither good nor bad. */
static enum eval_state judge_unfilled(const struct eval_rule *r, const struct tally *t)
{
	if (t->breaching >= r->m)
		return EVAL_ALARM;
	if (t->breaching < t->real)
		return EVAL_OK;
	return r->missing == EVAL_MISSING && t->oldest >= r->m ? EVAL_ALARM
	                                                       : EVAL_CURRENT; /* premature, but old enough to be meant */
}

static enum eval_state judge(const struct eval_rule *r, const struct tally *t)
{
	bool alarm = t->breaching >= r->m;
	if (t->real >= r->n || (t->real && r->missing == EVAL_NOT_BREACHING))
		return alarm ? EVAL_ALARM : EVAL_OK;
	if (t->real == 0)
		return (enum eval_state[]){ EVAL_INSUFFICIENT, EVAL_CURRENT, EVAL_ALARM, EVAL_OK }[r->missing];
	if (r->missing == EVAL_BREACHING)
		return t->breaching + (r->n - t->real) >= r->m ? EVAL_ALARM : EVAL_OK;
	return judge_unfilled(r, t);
}

/* The text of the premature rule asks only that nothing newer than the oldest breaching point is good; the table for M = 2 shows
 * OK where an older point is good, and none of its cells has fewer points than M. */
static bool two_readings(const struct eval_rule *r, const struct tally *t)
{
	return r->missing == EVAL_MISSING && t->real < r->n && t->real < r->m && t->breaching && t->breaching < t->real &&
	       t->oldest >= r->m && !t->newer_good;
}

static struct tally look(const struct eval_rule *r, const double *v, unsigned nv, unsigned range)
{
	unsigned n = nv < range ? nv : range;
	return tally_of(r, v + (nv - n), n);
}

struct eval_result eval(const struct eval_rule *r, const double *v, unsigned nv)
{
	struct tally t = look(r, v, nv, eval_range(r->n));
	struct eval_result out = { .state = judge(r, &t), .real = t.real, .breaching = t.breaching, .newest = NAN };
	out.by_reading = two_readings(r, &t);
	for (unsigned range = r->n; range <= eval_range_most(r->n) && !out.by_range; range++) {
		struct tally other = look(r, v, nv, range);
		out.by_range = judge(r, &other) != out.state;
	}
	for (unsigned age = 0; age < eval_range(r->n) && age < nv; age++)
		if (!isnan(v[nv - 1 - age])) {
			out.newest = v[nv - 1 - age];
			out.age = age;
			break;
		}
	return out;
}

/* ---- windows */

bool eval_stat_parse(const char *stat, enum eval_stat *s)
{
	static const char *const stats[] = { "Sum", "SampleCount", "Average", "Minimum", "Maximum" };
	for (unsigned i = 0; stat && i < sizeof stats / sizeof *stats; i++)
		if (strcmp(stat, stats[i]) == 0) {
			*s = (enum eval_stat)i;
			return true;
		}
	return false;
}

static double total(const double *v, unsigned from, unsigned to)
{
	double sum = NAN;
	for (unsigned i = from; i < to; i++)
		if (!isnan(v[i]))
			sum = isnan(sum) ? v[i] : sum + v[i];
	return sum;
}

static double extreme(const double *v, unsigned from, unsigned to, bool high)
{
	double most = NAN;
	for (unsigned i = from; i < to; i++)
		if (isnan(most) || (high ? v[i] > most : v[i] < most))
			most = isnan(v[i]) ? most : v[i];
	return most;
}

double eval_window(enum eval_stat s, const struct eval_minutes *m, long first, unsigned width)
{
	long last = first + (long)width;
	unsigned from = first < 0 ? 0 : (unsigned)first, to = last < 0 ? 0 : last > (long)m->n ? m->n : (unsigned)last;
	switch (s) {
	case EVAL_SUM: return total(m->sum, from, to);
	case EVAL_SAMPLES: return total(m->samples, from, to);
	case EVAL_AVERAGE: {
		double samples = total(m->samples, from, to);
		return samples > 0 ? total(m->sum, from, to) / samples : NAN;
	}
	case EVAL_MINIMUM: return extreme(m->low, from, to, false);
	default: return extreme(m->high, from, to, true);
	}
}

void eval_windows(enum eval_stat s, const struct eval_minutes *m, unsigned end, unsigned width, unsigned count,
                  double *out)
{
	for (unsigned i = 0; i < count; i++)
		out[i] = eval_window(s, m, (long)end - (long)(count - i) * (long)width, width);
}
