/* The event that Lambda's own poller would have built of queue messages, and what a function's answer says of each of them
 *. Pure. */
#ifndef REPLAY_EVENT_H
#define REPLAY_EVENT_H

#include "core/err.h"
#include "core/model/message.h"
#include "core/model/record.h"

#define EVENT_MOST (6u << 20) /* bytes: what a synchronous invocation takes */

/* Appends {"Records":[...]}. source_arn: the queue whose mapping invokes the function, not the one the messages lie in. False when out
 * has no room for it. */
bool event_sqs(struct buf *out, const struct message *const *m, unsigned n, const char *source_arn, const char *region);

/* The same of a stream's records, whole: what the KPL has aggregated goes as it lies there. */
struct event_stream { const char *arn, *region, *shard, *role; }; /* role: the function's, as invokeIdentityArn */
bool event_kinesis(struct buf *out, const struct stream_record *const *r, unsigned n, const struct event_stream *of);
/* Many user records in one, by the Kinesis Producer Library: its magic and its digest fit. */
bool record_is_aggregate(struct span data);

struct verdict_of {
	bool *failed;    /* the caller's, one a message */
	unsigned nfailed;
	bool named;      /* the function said which; else it failed as a whole */
	char code[64];   /* why, where any failed: errorType, ITEM_FAILED ... */
	char text[256];
};
/* A 200's body. function_error: the header X-Amz-Function-Error, NULL when there was none: with it all failed. partial: the mapping has
 * ReportBatchItemFailures, so that what is no such report fails all. Without, a report that can be read is honoured all the same: a
 * function that says a message failed is believed. */
void event_verdict(struct span body, const char *function_error, const char *const *ids, unsigned n, bool partial, struct verdict_of *v);

#endif
