/* Private to cache/: events and states within the history's limits. */
#ifndef CACHE_KEEP_EVENTS_H
#define CACHE_KEEP_EVENTS_H

#include "cache/db.h"

#define EVENTS_MOST 50000 /* rows of each table, however large the file may be */
#define EVENTS_SHARE 16   /* each table may have this part of the file */
#define EVENTS_STEP 500   /* rows that go at a time */

/* Within the caller's transaction: what is older than the retention goes, and, when `whole`, the oldest beyond the share. */
int events_keep(struct db *d, int64_t now, int64_t retention, int64_t bytes, bool whole);

#endif
