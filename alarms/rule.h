/* Threshold rules, pure: ranges as in monitoring-plugins, M of N over datapoints, slope of an age. */
#ifndef ALARMS_RULE_H
#define ALARMS_RULE_H

#include "core/err.h"
#include "core/series.h"

#include <stdbool.h>

/* "10" alerts outside 0..10; "10:" below 10; "~:10" above 10; "10:20" outside; "@10:20" inside. */
struct range {
	double low, high;
	bool inside;
	bool set;
};
bool range_parse(struct range *r, const char *text, struct err *e);
bool range_breached(const struct range *r, double v); /* NAN and an unset range never breach */
#define RANGE_TEXT 80
void range_text(const struct range *r, char out[RANGE_TEXT]); /* "> 5", "< 1000", "outside 10..20", "inside 10..20" */

enum rule_state { RULE_OK, RULE_BREACHED, RULE_NO_DATA, RULE_TOO_FEW };

struct rule {
	struct range range;
	unsigned m, n; /* M of the newest N real points */
	unsigned min_samples;
};
struct rule_result {
	enum rule_state state;
	double value; /* newest real point */
	int64_t at;
	unsigned samples, missing, breaching;
};

/* Judges the periods in [from, to) of s: takes the newest n real points (n = 0: 1). Fewer than min_samples real points is
 * TOO_FEW, none is NO_DATA. */
struct rule_result rule_eval(const struct rule *r, const struct series *s, int64_t from, int64_t to);

/* Is an age heading for loss: grows at >= 0.5 s/s over at least 10 points up to `to`, and is already >= 300 s? age in seconds * scale. */
bool rule_age_growing(const struct series *s, int64_t from, int64_t to, double scale, double *slope);

#endif
