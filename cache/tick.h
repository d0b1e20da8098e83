/* The body of a tick row: the points of one poll that lie in one span of time, of all series. Pure; reading trusts nothing.
 *
 *   version   1 byte
 *   groups    varint: series - the one before, times 4, plus: 0 one point at the time of the single point before (first:
 *             base), 1 one point, whose time - base follows as varint, 2 several points: length and a chunk (chunk.h)
 *   value     of a single point: varint of its magnitude times 8 plus: 0 a whole number, 1 a negative one, 2..5 a decimal of
 *             1..4 digits, 7 eight bytes of a double follow (magnitude 0) */
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
uint64_t keyed_key(uint32_t series, int64_t t);
uint32_t keyed_series(uint64_t key);
int64_t keyed_time(uint64_t key);
int64_t keyed_span(uint64_t key); /* t / CHUNK_SPAN */
size_t keyed_sort(struct keyed *p, struct keyed *spare,
                  size_t n); /* of equal keys the last stays; returns how many remain */

/* p: sorted, no key twice, all of one span. */
void tick_encode(struct buf *out, const struct keyed *p, size_t n);

/* A tick in memory, checked whole and indexed: finding one series reads a few groups. */
struct tick_mark {
	uint32_t before, at, time; /* state in front of the group at `at` */
};
struct tick {
	int64_t id, base;
	uint8_t *body;
	size_t n;
	struct tick_mark *marks;
	size_t nmarks;
};
bool tick_open(struct tick *t, int64_t id, int64_t base, struct span body); /* copies body; false when it is no tick */
void tick_close(struct tick *t);

struct tick_cursor {
	struct reader r;
	int64_t base;
	uint32_t series, time; /* of the group the cursor is on; series 0: at the end */
	double v;              /* when chunk.n == 0 */
	struct span chunk;
	bool bad;
};
void tick_seek(const struct tick *t, uint32_t series,
               struct tick_cursor *c); /* the first group of that series or a later one */
void tick_next(struct tick_cursor *c);
bool tick_take(const struct tick_cursor *c, struct points *out);

#endif
