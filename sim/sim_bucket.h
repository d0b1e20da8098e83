/* Buckets of S3 and their objects: what sim_s3.c lists, gives and takes. Times are this machine's (clock_wall_ms), not the simulated ones: a
 * client compares Last-Modified with the answer's Date. */
#ifndef SIM_SIM_BUCKET_H
#define SIM_SIM_BUCKET_H

#include "core/buf.h"

#include <stdint.h>

struct world;

struct sim_object {
	char *key;
	char *body, *type;
	size_t n;
	char etag[36]; /* in quotation marks */
	int64_t modified_ms;
};

struct sim_bucket {
	char *name;
	struct sim_object **objects; /* sorted by key, byte by byte, as S3 lists them */
	unsigned nobjects, capobjects;
};

struct sim_bucket *bucket_new(struct world *w, const char *name); /* added to the world */
struct sim_bucket *bucket_find(const struct world *w, const char *name); /* NULL: there is none */
struct sim_object *bucket_object(const struct sim_bucket *b, const char *key); /* NULL */
struct sim_object *bucket_put(struct sim_bucket *b, const char *key, struct span body, const char *type); /* new, or in the old one's place */
void bucket_remove(struct sim_bucket *b, const char *key);
void buckets_free(struct world *w);

#endif
