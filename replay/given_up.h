/* What Lambda leaves in a queue of a stream's batch that it gave up: a pointer to records, not the records. Pure. */
#ifndef REPLAY_GIVEN_UP_H
#define REPLAY_GIVEN_UP_H

#include "core/err.h"
#include "core/model/record.h"

enum given_up_found {
	POINTER_NONE,   /* the message is something else */
	POINTER_BROKEN, /* it means to be one, and cannot be followed: e says why */
	POINTER_FOUND
};
struct given_up { /* strings in the caller's arena */
	const char *stream_arn, *region, *account, *stream, *shard;
	const char *first, *last;         /* sequence numbers, both within it */
	const char *function_arn;         /* with the alias or version that was invoked */
	const char *condition, *error;    /* RetryAttemptsExhausted ...; responseContext.functionError, NULL */
	int64_t first_ms, last_ms;        /* approximate arrivals; 0: not told */
	unsigned records;                 /* batchSize: how many lie in the range */
};

/* body: of the queue's message, or of an SNS notification around it. */
enum given_up_found given_up_read(struct span body, struct arena *mem, struct given_up *p, struct err *e);

/* When the first of the records arrived, and in which stream (of Kinesis or of a DynamoDB table), also of a pointer that cannot be followed.
 * False: it does not say. */
bool given_up_since(struct span body, struct arena *mem, const char **stream_arn, int64_t *first_ms);

/* arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME; false when it is none. */
bool stream_arn_split(const char *arn, struct arena *mem, const char **region, const char **account, const char **name);
bool shard_id_valid(const char *s);

#endif
