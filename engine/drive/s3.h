/* Objects as a replay's items: what the rows s3://BUCKET/PREFIX and failures:s3://BUCKET/PREFIX share. An item is named s3://BUCKET/KEY, its
 * `place` is the version where one is known, and its body, which the manifest's digest is over, is either the object's own description
 * (replay/object.h) or what is stored in it. Each is looked at again, or read again, right before its turn. */
#ifndef ENGINE_DRIVE_S3_H
#define ENGINE_DRIVE_S3_H

#include "aws/op_s3.h"
#include "engine/drive/source.h"

#include "replay/object.h"

#define LOOKS FLIGHTS

struct look {                     /* at one object: HeadObject, or GetObject */
	struct drive *d;
	bool on, answered;
	unsigned at;                  /* freezing: the candidate; later: the entry */
	char *key;
	struct err err;
	struct object_in head_in;
	struct head_object_out head;
	struct get_object_in get_in;
	struct get_object_out got;
};

struct objects {
	char *bucket, *prefix;        /* prefix: a key's beginning; "" = all */
	bool contents;                /* an item is what is stored in the object */
	bool as_notification;         /* the event is S3's own */
	struct list_objects_in list_in;
	struct list_objects_out listed;
	const char **keys;            /* of --keys: borrowed from the request's text, which is ours */
	char *text;
	unsigned nkeys, ckeys;
	bool listing, answered, looking; /* a list is under way; it is there; candidates are looked at one by one */
	struct err err;
	struct look looks[LOOKS];
	unsigned next;                /* candidate, or entry */
	unsigned taken;               /* of this turn's */
	unsigned folders, absent, bad; /* left out: what the console made to look like folders, what is not there, what is no record */
	char why[200];                /* of the first that is bad */
};

/* s3.c */
bool objects_names(struct drive *d, const char *rest, bool contents, struct err *e); /* rest: BUCKET/PREFIX */
void objects_settle(struct drive *d, const char *scheme);
void objects_clear(struct drive *d);
static inline struct objects *objects_of(const struct drive *d) { return d->own; }

/* s3_look.c */
void objects_begin(struct drive *d);
bool objects_step(struct drive *d);

#endif
