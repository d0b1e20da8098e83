/* Private to cache/: how the other tables' files reach the connection that cache.c keeps. */
#ifndef CACHE_WORK_H
#define CACHE_WORK_H

#include "cache/cache.h"
#include "cache/db.h"

/* SQLITE_OK or the failure; may be run more than once. */
typedef int cache_step(struct db *d, void *ctx);
/* Opens what is closed, tries again what a damaged or full file made fail. write: nothing is done for a reader (true). */
bool cache_work(struct cache *c, bool write, cache_step *step, void *ctx, struct err *e);
/* Runs the step on a writing connection of its own, whoever the writer is. The file must be of our schema. */
bool cache_beside(struct cache *c, cache_step *step, void *ctx, struct err *e);

#endif
