/* Kinesis operations on records (JSON 1.1). Streams are named by StreamName throughout (kind_kinesis.c says why). */
#ifndef AWS_OP_KINESIS_H
#define AWS_OP_KINESIS_H

#include "aws/batch.h"
#include "aws/op.h"
#include "core/model/record.h"

extern const struct service service_kinesis;

/* ---- PutRecords: 1 to 500 records and 10 MiB with their keys (5 MiB until 2025) a call. A record may have 1 MiB with its key, 10 MiB
 * where the stream's MaxRecordSizeInKiB was raised: the service alone knows. A 200 says nothing of the records: each has its
 * own outcome. Not idempotent: what was lost on the way back and is sent again is there twice. */
#define PUT_RECORDS_MOST 500
#define PUT_RECORDS_BYTES (5u << 20)
#define PUT_RECORD_BYTES (1u << 20)   /* of any stream */
#define PUT_RECORD_RAISED (10u << 20) /* of one whose limit was raised as far as it goes */
#define PUT_RECORD_KEY 256            /* characters, 1 at least */

struct put_record {
	struct span data; /* borrowed; goes as base64, byte for byte */
	const char *key;  /* UTF-8 */
};
struct put_records_in {
	const char *stream;
	const struct put_record *records;
	unsigned n;
};
struct put_outcome {
	struct fated fated;
	char shard[64], sequence[136]; /* "" unless done; at most 129 digits */
};
struct put_records_out {
	struct put_outcome *v; /* the caller's, one a record, in their order */
	unsigned n;
};
extern const struct op op_put_records;
extern const struct op op_list_shards; /* struct parts_in -> struct found: name; facts parent, from, to (% of the hashes), closed */

/* ---- GetShardIterator: where reading begins; lives five minutes. A sequence number that the stream never gave is refused
 * (InvalidArgumentException: ERR_REFUSED). What one gives whose record has expired is documented nowhere: the first record read tells. A
 * shard goes when the last of its records has: ERR_NOTFOUND, as for a stream that is gone. */
#define SHARD_ITERATOR 1024 /* 512 characters at the most; emulators write longer ones */
struct iterator_in {
	const char *stream, *shard;
	const char *sequence; /* NULL: from the oldest record on */
	bool after;           /* behind it, not at it */
};
struct iterator_out { char iterator[SHARD_ITERATOR]; };
extern const struct op op_get_shard_iterator;

/* ---- GetRecords: 5 a second and 2 MiB/s a shard, shared with everybody who reads it; at most 10,000 records or 10 MiB, and after such an
 * answer the shard rests for 5 s. An iterator that has expired is ERR_CONFLICT: take a new one. No records and behind_ms > 0 is no end. */
#define GET_RECORDS_MOST 10000
#define CHILD_SHARDS 8
struct records_in { const char *iterator; unsigned limit; }; /* 1..GET_RECORDS_MOST; 0: as many as there are */
struct records_out {
	struct stream_records *records;     /* the caller's: appended to */
	char next[SHARD_ITERATOR];          /* "": the shard is closed, and read to its end */
	int64_t behind_ms;                  /* -1: not told */
	char child[CHILD_SHARDS][SHARD_ID]; /* then: where it goes on */
	unsigned nchildren;
};
extern const struct op op_get_records;

#endif
