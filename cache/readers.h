/* Between cache.c, which keeps the file open, and the files that read from it for cache.h's callers. */
#ifndef CACHE_READERS_H
#define CACHE_READERS_H

#include "cache/cache.h"
#include "cache/points.h"

struct store *cache_store(struct cache *c, struct err *e); /* its file open; NULL and e when it cannot be */
bool cache_read_failed(struct cache *c, int rc);           /* true: the file was mended, reading once more may work */
const char *cache_path(const struct cache *c);

#endif
