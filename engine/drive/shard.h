/* Reading a shard again, from one sequence number to another: for the sources that have records (kinesis.c, pointer.c). One
 * call at a time; never more of them than leaves the shard's other readers their share. */
#ifndef ENGINE_DRIVE_SHARD_H
#define ENGINE_DRIVE_SHARD_H

#include "engine/drive/drive.h"

#include "aws/op_kinesis.h"

struct shard_pace { /* of one shard, by whoever of us reads it */
	char *name;         /* STREAM/SHARD */
	int64_t free_ms;    /* monotonic: not read again before then */
};

struct shards {             /* what a drive keeps of them */
	struct shard_pace *v;
	unsigned n, cap;
	struct permit permit;   /* GetRecords */
};
bool shards_may_read(struct drive *d, struct shards *s); /* the gate's leave; false: it is in the result */
void shards_clear(struct shards *s);

enum shard_end {
	SHARD_READING,
	SHARD_READ,             /* all of it that there is: look at the records */
	SHARD_FULL,             /* as much as was wanted at once: begin again behind it */
	SHARD_CLOSED,           /* the shard ends before the range does: it goes on in its children */
	SHARD_ABSENT,           /* there is no such shard: all of its records have expired (or it never was) */
	SHARD_NO_STREAM,        /* the stream is not there */
	SHARD_STRANGE,          /* the service does not take the sequence number: it is none of this shard's */
	SHARD_FAILED            /* err says why */
};

struct shard_reader {       /* zero = idle */
	struct drive *d;
	struct shards *shards;
	const char *stream, *shard;            /* the caller's, as long as it reads */
	const char *first, *last;              /* sequence numbers; first NULL: from the oldest on; last NULL: to the tip */
	bool after;                            /* begins behind `first` */
	bool alone;                            /* nobody else reads this stream: we may take more */
	unsigned most;                         /* records; 0: no limit. Reading ends at the answer that brings as many */
	size_t most_bytes;
	struct stream_records records;         /* what came so far, none beyond `last` */
	bool on, flying, answered;
	enum { SHARD_ASK_ITERATOR, SHARD_ASK_RECORDS, SHARD_ASK_STREAM } asks;
	unsigned failures, empties, expired, heard; /* heard: how many of the records earlier answers brought */
	size_t heard_bytes;
	int64_t after_ms;                      /* monotonic */
	struct err err;
	struct iterator_in iterator_in;
	struct iterator_out iterator_out;
	struct records_in records_in;
	struct records_out records_out;
	struct describe_in describe_in;
	struct found found;
	char from[SEQUENCE_MOST + 1];          /* an iterator that expired is taken anew from here */
};
/* The names and limits are set; starts. The records of before are let go. */
void shard_begin(struct shard_reader *r, struct drive *d, struct shards *s);
enum shard_end shard_step(struct shard_reader *r, int64_t *wake_ms); /* *wake_ms: when to be called again (0: at the answer) */
void shard_clear(struct shard_reader *r);                             /* nothing is flying */

#endif
