/* A fixed-step ring of datapoints: the newest SERIES_MAX periods of one metric. NAN is a gap, never 0. Times are period
 * starts in seconds, multiples of step (put floors what is not). Owned by one thread.
 *
 * Points are held in the narrowest form that gives every one of them back bit for bit: nearly all metrics are counts or have a few
 * decimals, and an account's worth of doubles is what a console's memory would mostly be. Two or four bytes then hold the value
 * times a power of ten; what does not fit so makes the whole series doubles. */
#ifndef CORE_SERIES_H
#define CORE_SERIES_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define SERIES_MAX 180
#define SERIES_WIDEST 43200 /* 30 days of minutes */

struct series {
	int64_t last;      /* time of the newest slot; 0 = empty */
	uint32_t step;     /* seconds */
	uint16_t head;     /* index of the newest slot */
	uint16_t len, cap; /* slots in use and allocated; cap grows to max */
	uint16_t max;      /* SERIES_MAX unless widened */
	uint8_t width;     /* bytes a slot: 2, 4 or 8 */
	uint8_t decimals;  /* of width 2 and 4: a slot holds the value times 10^decimals */
	void *v;
};

/* OLD: before the ring's oldest slot, or no time at all: not kept. */
enum series_put { SERIES_SAME, SERIES_NEW, SERIES_CHANGED, SERIES_OLD };

void series_init(struct series *s, uint32_t step);
void series_init_wide(struct series *s, uint32_t step); /* for what is computed: doubles at once */
void series_clear(struct series *s);
void series_widen(struct series *s, unsigned max); /* holds at least this many slots from now on; at most SERIES_WIDEST */
enum series_put series_put(struct series *s, int64_t t, double v); /* v must be finite */
double series_at(const struct series *s, int64_t t);               /* of the period that t lies in; NAN when outside or a gap */
bool series_newest(const struct series *s, int64_t *t, double *v); /* newest real point */
/* Copies the n slots that end at `end` (inclusive), oldest first, gaps as NAN. */
void series_tail(const struct series *s, int64_t end, unsigned n, double *out);
unsigned series_count(const struct series *s, int64_t from, int64_t to); /* real points with from <= t < to */
/* Theil-Sen slope (value units per second) over the real points in [from, to]; NAN with fewer than 3. */
double series_slope(const struct series *s, int64_t from, int64_t to);

#endif
