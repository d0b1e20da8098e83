/* The body of a tick row: the points of one poll that lie in one span of time, of all series. Pure; reading trusts nothing.
 *
 *   version   1 byte
 *   time      varint: what most points have, less the span's start
 *   blocks    varint: how many; of each two varints: its first series less that of the block before, its length in bytes.
 *             A block stands by itself, so that one series is found by reading one block
 *   groups    of a block: varint: series less the one before, times 4, plus: 0 one point at the time of the single point
 *             before (first: the tick's time), 1 one point, whose own time follows as varint, 2 several points: length and a
 *             chunk (chunk.h), 3 a row of series, one after the other, one point each at the time before: their number as
 *             varint, then the values
 *   value     of a single point: varint of its magnitude times 8 plus: 0 a whole number, 1 a negative one, 2..5 a decimal of
 *             1..4 digits. Or a first byte with 7 in its low bits and then the eight bytes of a double, or with 6 and then
 *             seven: of the exponent + 256 five bits in the first byte, then the mantissa, then the upper four */
#ifndef CACHE_TICK_H
#define CACHE_TICK_H

#include "cache/chunk.h"
#include "cache/varint.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_BITS 24
#define SERIES_LIMIT (UINT32_C(1) << SERIES_BITS) /* ids are below */

/* A point with its place: span of time, then series, then time, so that sorting by key is all a tick needs. */
struct keyed {
	uint64_t key;
	double v;
};
#define KEYED_T_MAX INT64_C(253402300800) /* the year 10000; times are 0 or more and below */
#define TIME_BITS 13 /* of a time within its span */
_Static_assert(CHUNK_SPAN <= 1 << TIME_BITS, "a time within a span fits its bits");

static inline uint64_t keyed_key(uint32_t series, int64_t t)
{
	uint64_t span = (uint64_t)t / CHUNK_SPAN, rest = (uint64_t)t % CHUNK_SPAN;
	return span << (SERIES_BITS + TIME_BITS) | (uint64_t)series << TIME_BITS | rest;
}

static inline uint32_t keyed_series(uint64_t key)
{
	return (uint32_t)(key >> TIME_BITS) & (SERIES_LIMIT - 1);
}

static inline int64_t keyed_span(uint64_t key) /* t / CHUNK_SPAN */
{
	return (int64_t)(key >> (SERIES_BITS + TIME_BITS));
}

static inline int64_t keyed_time(uint64_t key)
{
	return keyed_span(key) * CHUNK_SPAN + (int64_t)(key & ((1U << TIME_BITS) - 1));
}

/* One value as a tick holds it: at most TICK_VALUE_MAX bytes at p; returns what follows them. */
#define TICK_VALUE_MAX 10
uint8_t *value_write(uint8_t *p, double v);
double value_read(struct reader *r);

size_t keyed_sort(struct keyed *p, size_t n); /* of equal keys the last stays; returns how many remain */

/* p: sorted, no key twice, all of one span. */
void tick_encode(struct buf *out, const struct keyed *p, size_t n);

/* A tick in memory; only its list of blocks has been looked at. */
struct tick_block {
	uint32_t series, at; /* nothing below series; where it begins */
};
struct tick {
	int64_t id, base;
	uint8_t *body;
	size_t n;
	uint32_t time;
	uint32_t nblocks;
	struct tick_block *blocks; /* and one more, that begins where the last ends */
};
bool tick_open(struct tick *t, int64_t id, int64_t base, struct span body); /* copies body; false when it is no tick */
void tick_close(struct tick *t);

struct tick_cursor {
	const struct tick *t; /* borrowed */
	struct reader r;      /* the rest of the block */
	uint32_t block, row;  /* row: series left in the row of series the cursor is in */
	uint32_t series, time; /* of the group the cursor is on; series 0: at the end */
	double v;              /* when chunk.n == 0 */
	struct span chunk;
	bool bad;
};
/* On the first group of that series or a later one. *hint: the block where it was found in a tick like this one. */
void tick_seek(const struct tick *t, uint32_t series, struct tick_cursor *c, uint32_t *hint);
void tick_next(struct tick_cursor *c);
bool tick_take(const struct tick_cursor *c, struct points *out);

#endif
