/* S3 operations (REST with XML): objects listed, looked at, read, and written under a condition. `bucket` goes into the
 * host or the path as aws/address.h decides; a bucket of another region is found there. Keys and ETags are raw text; ETags keep their
 * quotation marks. */
#ifndef AWS_OP_S3_H
#define AWS_OP_S3_H

#include "aws/op.h"
#include "core/arena.h"

#include <stdint.h>

extern const struct service service_s3;

#define S3_KEY_BYTES 1024

/* ---- ListObjectsV2, with URL-encoded keys: a key may hold what XML cannot. Both begin with a struct page (op.h). */
struct s3_object { const char *key, *etag; int64_t size, modified_ms; };
struct list_objects_in { struct page page; const char *bucket, *prefix; };
struct list_objects_out {
	struct page page;
	struct arena mem;
	struct s3_object *v; /* freed by the caller, as mem is cleared */
	unsigned n, cap;
};
extern const struct op op_list_objects;

/* ---- HeadObject: its error has no body, so that 404 is all that says it is gone, and without s3:ListBucket that is a 403. */
struct object_in { const char *bucket, *key, *version; }; /* version NULL: the newest */
struct head_object_out { char etag[130], version[130]; int64_t size, modified_ms; }; /* "" and -1 where the answer says nothing */
extern const struct op op_head_object;

/* ---- GetObject, whole. A peek: it reads what somebody stored. */
struct get_object_in { const char *bucket, *key, *version, *if_match; }; /* if_match: else ERR_CONFLICT; NULL */
struct get_object_out {
	struct head_object_out head;
	int64_t now_ms;        /* the service's clock as it answered; 0 unknown */
	struct buf body;       /* initialised and cleared by the caller; its cap is the object's */
};
extern const struct op op_get_object;

/* ---- PutObject under a condition: ERR_CONFLICT when it does not hold. Not repeated when its answer is lost. */
struct put_object_in {
	const char *bucket, *key, *type;
	const char *if_match;  /* an ETag; NULL: */
	struct span body;      /* only if there is no such object (If-None-Match: *) */
};
struct put_object_out { char etag[130]; };
extern const struct op op_put_object;

#endif
