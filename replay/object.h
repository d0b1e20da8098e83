/* An object of S3 as a replay's item, and the two events that tell a function of one. Pure. */
#ifndef REPLAY_OBJECT_H
#define REPLAY_OBJECT_H

#include "core/model/message.h"

struct object_facts {
	const char *bucket, *key;
	const char *etag, *version; /* etag with its quotation marks, as S3 tells it; "" where it is not known */
	int64_t size, modified_ms;
};

/* An item: id s3://BUCKET/KEY, and as its body what must stay the same for it to be what was frozen: key, version, ETag, size. */
struct message *object_message(const struct object_facts *o);
/* The same with what is stored in it as the body. */
struct message *object_content(const struct object_facts *o, struct span stored);
void object_of_message(const struct message *m, struct object_facts *o); /* borrowed from m */
/* The key in s3://BUCKET/KEY. */
const char *object_key(const char *id);

/* {"bucket","key","timestamp"}, the time that of the sending. False when out has no room. */
bool event_object(struct buf *out, const struct object_facts *o, int64_t now);
/* As S3 notifies of an object that was put, but without a sequencer: that is S3's alone to give. */
bool event_s3(struct buf *out, const struct object_facts *o, const char *region, const char *partition);

#endif
