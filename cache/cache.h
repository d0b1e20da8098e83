/* History in SQLite: a tick row per poll (all series of that poll, delta-varint coded), folded into compressed per-series
 * chunks keyed by (time, series). One writer at a time (a lock file says which), any number of readers. Survives kill -9; a
 * file that is corrupt is set aside (history.db.corrupt-<time>) and a new one begun. Folder 0700, files 0600. One thread. */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cache;

/* Opens or creates. Becomes the writer when nobody else is; otherwise reads only (cache_is_writer). A newer schema is
 * refused (DB) and its file stays as it is. NULL and e when the file can neither be opened nor set aside. *note (may be NULL) gets a static or owned
 * sentence when something is worth telling ("read-only: process 123 writes this history", "the old file was damaged and ..."). */
struct cache *cache_open(const char *path, struct err *e);
/* For one look at what is there: never the writer, makes nothing, waits for nobody; NULL when there is no history. */
struct cache *cache_peek(const char *path, struct err *e);
void cache_close(struct cache *c);                       /* commits what is pending */
bool cache_is_writer(const struct cache *c);
const char *cache_note(const struct cache *c);           /* NULL when there is nothing to tell; valid until close */

/* The id of a series, interned: target = target_key(), metric = metric_text() or "direct:KIND/KEY{name=RESOURCE}". A reader that
 * meets an unknown series gets 0. Ids are stable for the life of the file. */
uint32_t cache_series(struct cache *c, const char *target, const char *metric, uint32_t step);

/* Appends to the pending tick. A point given again with another value is a revision: the later one wins on reading. No-op
 * for a reader. */
void cache_add(struct cache *c, uint32_t series, int64_t t, double v);
/* Writes the pending tick in one transaction, folding old ticks when enough have gathered. Call once a poll. */
bool cache_commit(struct cache *c, struct err *e);

/* Points with from <= t < to, ascending, one a time (latest revision), pending ones included. */
typedef void cache_point(void *ctx, int64_t t, double v);
bool cache_read(struct cache *c, uint32_t series, int64_t from, int64_t to, cache_point *point, void *ctx, struct err *e);

/* The as-seen log, of fine points only. A point that had changed when it was read again: from `old` (NAN: there was none), known
 * since `since` (0: nobody knows), noticed at `seen`. Give the new value to cache_add as well: both are kept with the next commit.
 * No-op for a reader. There is a limit a span of two hours (revise.h): what it cuts off makes *whole false where it is read. */
void cache_revise(struct cache *c, uint32_t series, int64_t t, double old, int64_t since, int64_t seen);
struct cache_revision {
	int64_t t;
	double first, value; /* NAN: there was no point */
	int64_t first_seen;  /* 0: nobody knows */
	int64_t last_seen;   /* the instant `value` was noticed */
	unsigned rev;        /* how often it had changed */
};
typedef void cache_revised(void *ctx, const struct cache_revision *r);
bool cache_read_revisions(struct cache *c, uint32_t series, int64_t from, int64_t to, cache_revised *each, void *ctx,
                          bool *whole, struct err *e);
/* As cache_read, but what was known at the instant `seen`. A point that never changed counts as known from its time on: the
 * caller's `to` leaves out what was not due yet at `seen`. */
bool cache_read_as_seen(struct cache *c, uint32_t series, int64_t seen, int64_t from, int64_t to, cache_point *point,
                        void *ctx, bool *whole, struct err *e);

/* Small named values beside the points, per target: what the first frame needs before any network answer (discovered
 * resources as JSON, alarms as JSON). NULL when absent; owned by the caller. */
bool cache_put_text(struct cache *c, const char *target, const char *name, const char *text, struct err *e);
char *cache_get_text(struct cache *c, const char *target, const char *name);

/* What the file may hold. Points older than fine_age become 5-minute points, those older than coarse_age hourly ones (as
 * CloudWatch does; coarse.h says how they combine), those older than retention go. When the file would outgrow `bytes`, the
 * oldest become coarse before their time and are deleted then.
 * What is freed is used again, not given back to the disk: a file larger than a cap that is set later stays as large. */
struct cache_limits {
	int64_t retention, fine_age, coarse_age; /* seconds; 0: for ever */
	int64_t bytes;                           /* the file without its log, which stays below 8 MiB; 0: no cap */
};
void cache_limit(struct cache *c, const struct cache_limits *l);
/* One limited step (some 10 ms) of what the limits ask for; once a poll, after the commit. *more (may be NULL): there is more
 * to do now. `now` is believed up to a day behind the newest point given; before one was given nothing goes for its age. */
bool cache_keep(struct cache *c, int64_t now, bool *more, struct err *e);

/* Points of the series on a grid of `step` (300 or 3600; otherwise USAGE): rolled-up ones and what would become one. n: how
 * many points of the series it holds. Periods without any are left out. */
typedef void cache_coarse_point(void *ctx, int64_t t, double v, uint32_t n);
bool cache_read_coarse(struct cache *c, uint32_t series, uint32_t step, int64_t from, int64_t to,
                       cache_coarse_point *point, void *ctx, struct err *e);
/* Before that time the series is rolled up to `step` (within the range; the end of its last such point); 0: nowhere. */
int64_t cache_coarse_until(struct cache *c, uint32_t series, uint32_t step, int64_t from, int64_t to);
enum cache_combine { CACHE_SUM, CACHE_MEAN, CACHE_LEAST, CACHE_MOST };
enum cache_combine cache_combines(const char *metric); /* what a coarse point of that series is */

/* What doctor shows. bytes: of the file; log: of its log; oldest: the oldest point, give or take two
 * hours; -1 when there is none. */
struct cache_facts {
	int64_t bytes, log, unused, cap, oldest;
	int schema;
};
bool cache_facts(struct cache *c, struct cache_facts *f, struct err *e);

bool cache_fold(struct cache *c, struct err *e);         /* folds now (tests, bench, close) */

#endif
