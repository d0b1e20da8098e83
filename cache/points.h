/* The way of a point through the history: pending in memory, a tick row, a chunk; and back when it is read. */
#ifndef CACHE_POINTS_H
#define CACHE_POINTS_H

#include "cache/fold.h"
#include "cache/names.h"
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
	unsigned idle;  /* commits since the last read */
	int64_t before; /* what store_drop_before forgets; in seconds */
	int64_t limit;  /* of the folding at work: spans below */
	bool more;      /* it is not at its end */
};

void pending_add(struct pending *p, uint32_t series, int64_t t, double v);
void store_forget(struct store *s); /* everything known about the file; names and pending points stay */
void store_clear(struct store *s);
bool store_has_work(struct store *s);
int store_commit(
    struct store *s); /* names, ticks and a step of folding in one transaction; all stays pending on failure */
int store_fold_all(struct store *s);
int store_drop_before(struct store *s); /* whole spans only; then folds those that have ended */
/* The file's points and the pending ones, merged. id is the caller's. */
int store_read(struct store *s, bool writer, uint32_t id, int64_t from, int64_t to, struct points *out);

#endif
