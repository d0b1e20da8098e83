#include "sim/sim_bucket.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_bucket *bucket_new(struct world *w, const char *name)
{
	bool found;
	struct sim_bucket *b = xcalloc(1, sizeof *b);
	b->name = xstrdup(name);
	unsigned at = world_find((void *const *)w->buckets, w->nbuckets, name, &found);
	WORLD_INSERT(w->buckets, w->nbuckets, w->capbuckets, at, b);
	return b;
}

struct sim_bucket *bucket_find(const struct world *w, const char *name)
{
	bool found;
	unsigned at = world_find((void *const *)w->buckets, w->nbuckets, name, &found);
	return found ? w->buckets[at] : NULL;
}

struct sim_object *bucket_object(const struct sim_bucket *b, const char *key)
{
	bool found;
	unsigned at = world_find((void *const *)b->objects, b->nobjects, key, &found);
	return found ? b->objects[at] : NULL;
}

static void object_free(struct sim_object *o)
{
	free(o->key);
	free(o->body);
	free(o->type);
	free(o);
}

void bucket_remove(struct sim_bucket *b, const char *key)
{
	bool found;
	unsigned at = world_find((void *const *)b->objects, b->nobjects, key, &found);
	if (!found)
		return;
	object_free(b->objects[at]);
	WORLD_REMOVE(b->objects, b->nobjects, at);
}

struct sim_object *bucket_put(struct sim_bucket *b, const char *key, struct span body, const char *type)
{
	bool found;
	uint8_t digest[HASH_MD5];
	char hex[2 * HASH_MD5 + 1];
	bucket_remove(b, key);
	struct sim_object *o = xcalloc(1, sizeof *o);
	o->key = xstrdup(key);
	o->body = xstrndup(body.n ? body.p : "", body.n);
	o->n = body.n;
	o->type = xstrdup(type ? type : "binary/octet-stream");
	o->modified_ms = clock_wall_ms();
	hash_md5(o->body, o->n, digest);
	hash_hex(digest, sizeof digest, hex);
	snprintf(o->etag, sizeof o->etag, "\"%s\"", hex);
	unsigned at = world_find((void *const *)b->objects, b->nobjects, key, &found);
	WORLD_INSERT(b->objects, b->nobjects, b->capobjects, at, o);
	return o;
}

void buckets_free(struct world *w)
{
	for (unsigned i = 0; i < w->nbuckets; i++) {
		struct sim_bucket *b = w->buckets[i];
		for (unsigned k = 0; k < b->nobjects; k++)
			object_free(b->objects[k]);
		free(b->objects);
		free(b->name);
		free(b);
	}
	free(w->buckets);
}
