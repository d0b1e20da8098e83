/* The ticks that are not folded yet, as they lie in the file, and a copy of them in memory while somebody reads: 35 KB for
 * 10,000 series and a minute, at most a little over TICKS_BYTES. */
#ifndef CACHE_TICKS_H
#define CACHE_TICKS_H

#include "cache/db.h"
#include "cache/tick.h"

/* Beyond these folding no longer waits for the span to end. */
#define TICKS_BYTES (8 << 20)
#define TICKS_ROWS 1000

struct ticks {
	struct tick *v; /* by id */
	size_t n, cap;
	bool loaded;     /* v is the file's state */
	int64_t version; /* of the file, for a reader */
	bool counted;    /* rows and bytes are the file's state */
	int64_t rows, bytes;
};

static inline int64_t tick_id(int64_t span, int64_t number)
{
	return span << SERIES_BITS | number;
}
#define TICK_NUMBER_MAX ((INT64_C(1) << SERIES_BITS) - 1)

void ticks_forget(struct ticks *ts); /* the copy and the counts: after a rollback, or of another file */
void ticks_unload(struct ticks *ts); /* the copy alone */
int ticks_load(struct ticks *ts, struct db *d);
int ticks_refresh(struct ticks *ts, struct db *d); /* a reader's: loads again when the file has changed */
int ticks_count(struct ticks *ts, struct db *d);
/* Within a transaction of the caller's; on rollback: ticks_forget. */
int ticks_add(struct ticks *ts, struct db *d, int64_t span, struct span body);
int ticks_drop(struct ticks *ts, struct db *d, int64_t from, int64_t to);
size_t ticks_at(const struct ticks *ts, int64_t id); /* index of the first with that id or a later one */

#endif
