/* Keeping the history within its limits: what is old becomes coarse (coarse.h), what is older still goes, and when the file
 * would outgrow its cap the oldest is made coarse first and deleted then. Step by step, each a limited piece of work within
 * one transaction of the caller's: a point is in the file in one form or the other at any moment, and a crash costs nothing
 * but work. What is to be done is read off the file itself (its oldest rows), so there is no state to go wrong. */
#ifndef CACHE_KEEP_H
#define CACHE_KEEP_H

#include "cache/coarse.h"
#include "cache/db.h"
#include "cache/fold.h"
#include "cache/ticks.h"

#include <stdbool.h>
#include <stdint.h>

/* What is younger stays fine and is deleted only when nothing else is left: the console's charts live on it. */
#define KEEP_FINE_LEAST 86400

struct keep {
	int64_t retention;               /* seconds; 0: for ever */
	int64_t after[COARSE_LEVELS];    /* age from which points become coarse; 0: never */
	int64_t bytes;                   /* of the file, without its log; 0: no cap */
	uint8_t *how;                    /* enum combine by the file's series id, as far as it was asked */
	uint32_t nhow;
};

void keep_forget(struct keep *k); /* what was learnt of the file; the limits stay */
/* now: seconds; 0 when it is not known, then nothing goes for its age. About `points` of them. *more: there is more to do. */
int keep_step(struct keep *k, struct ticks *ts, struct db *d, int64_t now, int64_t points, bool *more);
/* The file is at its cap and a transaction needs pages now: the oldest rows go. *freed false: there are none. */
int keep_make_room(struct db *d, bool *freed);
int keep_cap(const struct keep *k, struct db *d); /* tells SQLite, which holds it whatever else happens */
bool keep_at_cap(const struct keep *k, struct db *d);

/* Coarse points of one series (the file's id) within [from, to), stored ones of that level; appends. */
int keep_read(struct db *d, enum coarse_level l, uint32_t series, int64_t from, int64_t to, struct coarse *out);
int keep_combine(struct keep *k, struct db *d, uint32_t series, enum combine *how);

/* The oldest point, within the two hours of its span unless it is coarse; -1 when there is none. For a person who asks. */
int keep_oldest(struct db *d, int64_t *t);

#endif
