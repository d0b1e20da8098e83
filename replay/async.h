/* What Lambda leaves of an asynchronous invocation that it gave up: at an on-failure destination a record that names the
 * function and holds the event; in a function's dead-letter queue the event itself, beside attributes that say what failed. Either may come inside
 * an SNS notification. At an S3
 * destination a stream's batch comes whole, as text in `payload`. Pure. */
#ifndef REPLAY_ASYNC_H
#define REPLAY_ASYNC_H

#include "core/err.h"
#include "core/model/message.h"

enum async_found {
	ASYNC_NONE,   /* it is something else */
	ASYNC_BROKEN, /* it means to be one, and cannot be invoked again: e says why */
	ASYNC_FOUND
};
struct async_record {           /* strings in the caller's arena; payload in the message or the arena */
	const char *function_arn;   /* with the alias or version that was invoked; NULL: it names none (a function's dead-letter queue) */
	struct span payload;        /* the event, byte for byte */
	const char *condition;      /* RetriesExhausted ...; NULL */
};
enum async_found async_read(const struct message *m, struct arena *mem, struct async_record *r, struct err *e);

#endif
