/* What state a CloudWatch alarm would have, from its datapoints, pure. After "Evaluating an alarm" and "Configuring how CloudWatch
 * alarms treat missing data" of the CloudWatch guide; both tables of the latter come out cell by cell (tests/unit/t_eval.c).
 *
 * CloudWatch looks at more than N periods, and does not say how many: eval_range() is an assumption, and a result that another
 * length would change says so (by_range). Where the guide's text and its tables leave two readings, the result says that too. */
#ifndef ALARMS_EVAL_H
#define ALARMS_EVAL_H

#include <stdbool.h>

enum eval_missing { EVAL_MISSING, EVAL_IGNORE, EVAL_BREACHING, EVAL_NOT_BREACHING };
enum eval_compare { EVAL_GT, EVAL_GE, EVAL_LT, EVAL_LE };
enum eval_state { EVAL_OK, EVAL_ALARM, EVAL_INSUFFICIENT, EVAL_CURRENT /* the state it has is kept */ };

struct eval_rule {
	unsigned n, m; /* EvaluationPeriods >= 1, DatapointsToAlarm in [1, n] */
	double threshold;
	enum eval_compare compare;
	enum eval_missing missing;
};
bool eval_compare_parse(const char *sign, enum eval_compare *c);    /* ">" ">=" "<" "<="; false for anything else, NULL too */
bool eval_missing_parse(const char *mode, enum eval_missing *m);    /* TreatMissingData as AWS spells it; NULL is "missing" */
bool eval_breaches(const struct eval_rule *r, double v);            /* NAN never; 0 is a value */

struct eval_result {
	enum eval_state state;
	unsigned real, breaching; /* of the points that decided: the newest n that are there, or all there are */
	double newest;            /* the newest point that is there; NAN: none in the range */
	unsigned age;             /* how many windows old that is; 0: the newest window */
	bool by_range;            /* another length of the range would give another state */
	bool by_reading;          /* old breaching points, an older good one, fewer points than M: the guide can be read both ways */
};
unsigned eval_range(unsigned n);      /* windows that are looked at for n periods: n + max(n / 3, 2) */
unsigned eval_range_most(unsigned n); /* windows to hand over, so that by_range can be told */
/* v: nv windows, oldest first; NAN: missing. Windows older than eval_range_most() are not looked at. */
struct eval_result eval(const struct eval_rule *r, const double *v, unsigned nv);

/* ---- the sliding windows of a period of a minute or more, out of statistic sets of one minute */
enum eval_stat { EVAL_SUM, EVAL_SAMPLES, EVAL_AVERAGE, EVAL_MINIMUM, EVAL_MAXIMUM };
bool eval_stat_parse(const char *stat, enum eval_stat *s); /* false: a percentile and its like, which do not compose */

struct eval_minutes { /* one after another, NAN where a minute has no samples; what the statistic does not need may be NULL */
	unsigned n;
	const double *sum, *samples, *low, *high;
};
/* The statistic over the minutes [first, first + width), cut to those there are; NAN when none of them has samples. */
double eval_window(enum eval_stat s, const struct eval_minutes *m, long first, unsigned width);
/* `count` windows of `width` minutes, oldest first, the newest ending where minute `end` begins. */
void eval_windows(enum eval_stat s, const struct eval_minutes *m, unsigned end, unsigned width, unsigned count, double *out);

#endif
