/* The as-seen log: fine points that had changed when they were read again. A reading that found another value than the one
 * before, or a point where there had been none, leaves one revision; what never changed leaves nothing. So what was known of a
 * series at some instant is what is known now, less the revisions noticed later.
 *
 *   body      version, 1 byte; flags, 1 byte: 1 = others of this span are missing, for there were too many
 *   seen      varint, seconds: when the first of them was noticed
 *   revision  by series, then time, then instant: varint: series less the one before, times 2, plus 1 when there was no value;
 *             varint: time less the span's start; zigzag varint: instant less `seen`; varint: how long the old value had been
 *             known + 1, 0 = nobody knows; the old value as a tick holds it, if any
 *
 * They live as long as the fine points they are about: what becomes coarse, or goes, takes them along. */
#ifndef CACHE_REVISE_H
#define CACHE_REVISE_H

#include "cache/db.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct revision {
	uint32_t series; /* pending: the caller's id; read: the file's */
	int64_t t, since, seen; /* since: from when on `old` was known; 0: nobody knows */
	double old; /* NAN: there was no point */
};
struct revisions {
	struct revision *v;
	size_t n, cap;
	bool lost; /* there were more */
};

/* Pending ones; beyond, the newest are not kept. */
#define REVISIONS_MAX ((size_t)64 << 10)
/* Of one span of two hours, in bytes of bodies: 1/2048 of the file's cap, within these. */
#define REVISE_SPAN_LEAST (64 << 10)
#define REVISE_SPAN_MOST (1 << 20)

/* What is pending, and how full the span is that was written to last. */
struct revise {
	struct revisions pending;
	int64_t span, bytes; /* span -1: not counted */
	bool full;           /* the span has its mark already */
};

void revise_forget(struct revise *r); /* what was counted; pending ones stay */
void revise_clear(struct revise *r);
void revise_add(struct revise *r, const struct revision *one);

/* v: of one span, sorted by revise_sort. Appends. */
void revise_sort(struct revision *v, size_t n);
void revise_encode(struct buf *out, const struct revision *v, size_t n, bool lost);
bool revise_decode(struct span body, int64_t base, struct revisions *out); /* appends; false: damaged */

/* Within a transaction of the caller's. v: with the file's ids, sorted. most: the file's cap in bytes, 0 = none. */
int revise_write(struct revise *r, struct db *d, const struct revision *v, size_t n, bool lost, int64_t most);
/* Those of the series (the file's id) with from <= t < to; appends. lost: some are missing in that time. */
int revise_read(struct db *d, uint32_t series, int64_t from, int64_t to, struct revisions *out);
int revise_drop(struct db *d, int64_t before, int64_t rows); /* spans that end at `before` or earlier, oldest first */

#endif
