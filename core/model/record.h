/* Records of a stream as they were read: what a replay hands to a function, byte for byte. Raw remote text (core/text.h). */
#ifndef CORE_MODEL_RECORD_H
#define CORE_MODEL_RECORD_H

#include "core/arena.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCE_MOST 129 /* digits of a sequence number */
#define SHARD_ID 129      /* of a shard, with its NUL */

struct stream_record {
	const char *sequence, *key; /* of the partition */
	int64_t arrived_ms;         /* ApproximateArrivalTimestamp; 0: not told */
	struct span data;           /* decoded */
};
struct stream_records { /* ascending, of one shard; everything in mem */
	struct arena mem;
	struct stream_record *v;
	unsigned n, cap;
	size_t bytes; /* of data and keys */
};
void stream_records_init(struct stream_records *r);
void stream_records_clear(struct stream_records *r);
struct stream_record *stream_records_add(struct stream_records *r); /* zeroed */

/* "0" or digits without leading zeros, at most 129: nothing else is one. */
bool sequence_valid(const char *s);
int sequence_compare(const char *a, const char *b); /* as numbers: <0, 0, >0; both valid */

#endif
