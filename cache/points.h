/* The way of a point through the history: pending in memory, a tick row, a chunk; and back when it is read. */
#ifndef CACHE_POINTS_H
#define CACHE_POINTS_H

#include "cache/fold.h"
#include "cache/keep.h"
#include "cache/names.h"
#include "cache/revise.h"
#include "cache/ticks.h"

/* So many pending points are written without waiting for the commit (a back-fill is two million). */
#define PENDING_FLUSH ((size_t)64 << 10)
/* When they cannot be written: beyond, the oldest go. */
#define PENDING_MAX ((size_t)512 << 10)

struct pending {
	struct keyed *v; /* keys hold the caller's ids; in the order given */
	size_t n, cap;
	size_t lost; /* dropped since the last commit that succeeded */
};

struct store {
	struct db db;
	struct names names;
	struct ticks ticks;
	struct fold fold;
	struct pending pending;
	struct revise revise;
	struct keep keep;
	unsigned idle;  /* commits since the last read */
	unsigned held;  /* commits that waited for room in the log, one after the other */
	bool last;      /* closing: nothing waits any more */
	int64_t now;    /* of store_keep */
	unsigned keeps; /* how often it was called */
	int64_t limit;  /* of the folding at work: spans below */
	bool more;      /* it is not at its end */
};

void pending_add(struct pending *p, uint32_t series, int64_t t, double v);
void store_forget(struct store *s); /* everything known about the file; names and pending points stay */
void store_clear(struct store *s);
bool store_has_work(struct store *s);
/* Names, ticks and a step of folding in one transaction; all stays pending on failure, and while somebody's long reading
 * leaves no room in the log (which is a failure, DB_HELD, only when it lasts). */
int store_commit(struct store *s);
int store_fold_all(struct store *s);
int store_keep(struct store *s); /* one step of keep.h as of s->now; s->more */
int store_make_room(struct store *s); /* SQLITE_FULL when there is nothing to delete */
/* The file's points and the pending ones, merged. id is the caller's. */
int store_read(struct store *s, bool writer, uint32_t id, int64_t from, int64_t to, struct points *out);
/* The same as coarse points of that level: stored ones, and what is not rolled up yet as it would be. */
int store_read_coarse(struct store *s, bool writer, uint32_t id, enum coarse_level l, int64_t from, int64_t to,
                      struct coarse *out);
/* Its revisions within the range, pending ones included; ids are the caller's, sorted by revise_sort. */
int store_read_revisions(struct store *s, uint32_t id, int64_t from, int64_t to, struct revisions *out);
/* The end of the series' last coarse point of that level within the range; 0: it has none there. */
int store_coarse_end(struct store *s, uint32_t id, enum coarse_level l, int64_t from, int64_t to, int64_t *end);

#endif
