#include "alarms/rule.h"

#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One bound: a number, or nothing (then fallback), or "~" for minus infinity. */
static bool bound_parse(const char *s, size_t n, double fallback, double *out)
{
	char copy[64], *end;
	if (n >= sizeof copy)
		return false;
	memcpy(copy, s, n);
	copy[n] = '\0';
	if (n == 0 || strcmp(copy, "~") == 0) {
		*out = n ? -INFINITY : fallback;
		return true;
	}
	if (!strchr("+-.0123456789", copy[0]))
		return false;
	*out = strtod(copy, &end);
	return *end == '\0' && isfinite(*out) && !strpbrk(copy, "xXpP");
}

bool range_parse(struct range *r, const char *text, struct err *e)
{
	*r = (struct range){ .low = 0, .high = INFINITY, .set = true };
	const char *s = text;
	if (*s == '@') {
		r->inside = true;
		s++;
	}
	const char *colon = strchr(s, ':');
	bool ok = colon ? bound_parse(s, (size_t)(colon - s), 0, &r->low) &&
	                      bound_parse(colon + 1, strlen(colon + 1), INFINITY, &r->high)
	                : *s && *s != '~' && bound_parse(s, strlen(s), 0, &r->high);
	if (ok && r->low <= r->high)
		return true;
	return err_set(e, ERR_USAGE, "range", "\"%.40s\" is not a range: use 10, 10:, ~:10, 10:20 or @10:20", text);
}

bool range_breached(const struct range *r, double v)
{
	if (!r->set || isnan(v))
		return false;
	bool within = v >= r->low && v <= r->high;
	return within == r->inside;
}

static const char *bound_text(double v, char out[32])
{
	if (isinf(v))
		return "";
	text_exact(v, out);
	return out;
}

void range_text(const struct range *r, char out[RANGE_TEXT])
{
	char a[32], b[32];
	const char *low = bound_text(r->low, a), *high = bound_text(r->high, b);
	if (r->inside)
		snprintf(out, RANGE_TEXT, "inside %s..%s", low, high);
	else if (isinf(r->high))
		snprintf(out, RANGE_TEXT, "< %s", low);
	else if (r->low == 0 || isinf(r->low))
		snprintf(out, RANGE_TEXT, "> %s", high);
	else
		snprintf(out, RANGE_TEXT, "outside %s..%s", low, high);
}

struct rule_result rule_eval(const struct rule *r, const struct series *s, int64_t from, int64_t to)
{
	struct rule_result out = { .state = RULE_NO_DATA, .value = NAN };
	unsigned n = r->n ? r->n : 1, m = r->m ? r->m : n, taken = 0;
	int64_t first = (from + s->step - 1) / s->step * s->step;
	int64_t slots = to > first ? (to - first + s->step - 1) / s->step : 0;
	for (int64_t i = slots - 1; i >= 0; i--) { /* newest first */
		double v = series_at(s, first + i * s->step);
		if (isnan(v)) {
			out.missing++;
			continue;
		}
		if (out.samples++ == 0) {
			out.value = v;
			out.at = first + i * s->step;
		}
		if (taken < n) {
			taken++;
			out.breaching += range_breached(&r->range, v);
		}
	}
	if (out.samples == 0)
		return out;
	bool open = out.breaching < m && out.breaching + (n - taken) >= m; /* the missing points could have breached it */
	if (out.samples < r->min_samples || open)
		out.state = RULE_TOO_FEW;
	else
		out.state = out.breaching >= m ? RULE_BREACHED : RULE_OK;
	return out;
}

#define GROWING_POINTS 10
#define GROWING_SLOPE 0.5
#define GROWING_AGE 300

bool rule_age_growing(const struct series *s, int64_t from, int64_t to, double scale, double *slope)
{
	int64_t at;
	double newest;
	*slope = NAN;
	if (series_count(s, from, to) < GROWING_POINTS || !series_newest(s, &at, &newest))
		return false;
	*slope = series_slope(s, from, to - 1) * scale;
	return *slope >= GROWING_SLOPE && newest * scale >= GROWING_AGE;
}
