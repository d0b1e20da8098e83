/* Coarse points: what is left of points that have grown old. Pure; decoding trusts nothing.
 *
 * Two levels, CloudWatch's own: 5 minutes, an hour. A coarse point says how many points of the series it holds, so that a
 * period that was partly filled can be told from a full one. A period that held none has no coarse point: a gap stays a gap.
 * How points combine follows the series' statistic:
 *
 *   Sum, SampleCount          their sum
 *   Average, direct readings  their mean, each point counted once (a coarse one as often as the points it holds): how many
 *                             samples AWS had behind each is not known
 *   Minimum                   the least
 *   Maximum                   the greatest
 *   pNN and all others        the greatest. Percentiles of parts do not make the percentile of the whole; the greatest of them
 *                             is a bound it does not exceed, and for the rest (trimmed means and the like) no more than the
 *                             greatest value seen. Whoever shows it says "the highest"
 *
 * Body: varint, the length of the values; the values, then the counts, both as chunks (chunk.h) with base 0, whose times are
 * the steps since the span's start. */
#ifndef CACHE_COARSE_H
#define CACHE_COARSE_H

#include "cache/chunk.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coarse_level { COARSE_5MIN, COARSE_HOUR, COARSE_LEVELS };
#define COARSE_STEPS 288 /* of one span: a day, twelve days */

static inline int64_t coarse_step(enum coarse_level l) /* seconds */
{
	return l == COARSE_5MIN ? 300 : 3600;
}
static inline int64_t coarse_span(enum coarse_level l) /* seconds */
{
	return coarse_step(l) * COARSE_STEPS;
}

enum combine { COMBINE_UNKNOWN, COMBINE_SUM, COMBINE_MEAN, COMBINE_LEAST, COMBINE_MOST };
enum combine combine_of(const char *metric); /* from the series' text */

/* Coarse points in ascending time. {0} is empty; owns p. */
struct coarse {
	struct coarse_point {
		int64_t t;
		double v;
		uint32_t n; /* points it holds; at least 1 */
	} *p;
	size_t n, cap;
};
void coarse_clear(struct coarse *c);
/* Combines one point (which itself holds n) into the period it lies in; in ascending time. */
void coarse_fold(struct coarse *c, enum combine how, int64_t step, int64_t t, double v, uint32_t n);
/* Lays `more` over c. Where both have the period, the one that holds more points stays (of equals the later): never their
 * sum, for nobody knows which points they share. */
void coarse_merge(struct coarse *c, const struct coarse *more);

/* c: 1..COARSE_STEPS points within one span. Values that overflowed are left out; false when nothing is left. */
bool coarse_encode(struct buf *out, enum coarse_level l, int64_t start, const struct coarse *c);
bool coarse_decode(struct span body, enum coarse_level l, int64_t start, struct coarse *out); /* appends; false: damaged */

#endif
