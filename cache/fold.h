/* Folding: ticks that wait become chunks, one span after the other, oldest first, a limited number of points a transaction.
 * While a span is at work its points may lie both in ticks and chunks; that is harmless, for reading lays ticks over chunks
 * and a tick laid over what was made of it changes nothing. So a crash at any point costs nothing but work. */
#ifndef CACHE_FOLD_H
#define CACHE_FOLD_H

#include "cache/db.h"
#include "cache/ticks.h"

#include <stdint.h>

/* Seconds after a span's end until it is folded: what comes later than that costs its chunks a second writing. */
#define FOLD_GRACE 600

struct fold {
	bool loaded;
	int64_t done;   /* spans below were folded once since they ended */
	int64_t span;   /* at work; -1: none */
	int64_t upto;   /* its last tick when the work began */
	uint32_t next;  /* series below are finished */
	int64_t newest; /* the newest time that was given, within reason */
};

int fold_load(struct fold *f, struct db *d);
int64_t fold_ended(const struct fold *f); /* spans below are over and out of grace */
bool fold_due(const struct fold *f, const struct ticks *ts);
/* One step within the caller's transaction: about `points` of them, of spans below `limit`. *more says whether any are left.
 * On rollback: f->loaded = false. */
int fold_step(struct fold *f, struct ticks *ts, struct db *d, int64_t limit, int64_t points, bool *more);
int fold_due_step(struct fold *f, struct ticks *ts, struct db *d, int64_t points);

/* Reads a chunk into out (nothing when there is none). */
int chunk_read(struct db *d, int64_t span, uint32_t series, struct points *out, bool *found);

#endif
