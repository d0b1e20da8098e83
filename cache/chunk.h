/* The chunk codec: the points of one series within one span of time, as few bytes as they need, every finite double exactly
 * as it was (-0 included). Pure; decoding trusts nothing.
 *
 *   head      1 byte: how times are written (2 bits), how values are (2), their scale (4)
 *   count     varint, points - 1
 *   start     varint, first time - base; then, of more than one point, the step: the times' greatest common divisor
 *   times     nothing when there is no gap; or gaps: their number, then pairs (points before it, steps to the next point - 2);
 *             or each distance in steps
 *   values    as integers: of decimals v * 10^scale when that is exact for all, else the doubles' own bits, less the zeros
 *             that all end in. Zigzag varint of the first (or least), then Rice-coded differences to the point before (or to
 *             the least), whichever is shorter; a constant has none. */
#ifndef CACHE_CHUNK_H
#define CACHE_CHUNK_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds one chunk spans. Long enough that its head costs little a point, short enough that the ticks which wait for the
 * span to end stay few: they are read whole. */
#define CHUNK_SPAN 7200

struct sample {
	int64_t t;
	double v;
};

/* Points in ascending time, one a time. {0} is empty; owns p. */
struct points {
	struct sample *p;
	size_t n, cap;
};
void points_put(struct points *ps, int64_t t, double v); /* a time that is there already gets the new value */
void points_clear(struct points *ps);

/* p: 1..CHUNK_SPAN ascending points within [base, base + CHUNK_SPAN). Appends to out. */
void chunk_encode(struct buf *out, int64_t base, const struct sample *p, size_t n);
/* Puts a chunk's points into out. False when body is not a chunk of that span; out may hold some of it then. */
bool chunk_decode(struct span body, int64_t base, struct points *out);

#endif
