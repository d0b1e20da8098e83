/* CloudWatch Logs operations (JSON 1.1). Times are milliseconds here, as on the wire. */
#ifndef AWS_OP_LOGS_H
#define AWS_OP_LOGS_H

#include "aws/op.h"

#include <stdint.h>

/* ---- FilterLogEvents: lines of a log group, newest page first where the service can do that. No price, but few calls a second. */
struct filter_events_in {
	struct page page;
	const char *group;
	const char *const *streams; /* NULL: all */
	unsigned nstreams;          /* <= 100 */
	int64_t from_ms, to_ms;     /* [from, to] */
	const char *pattern;        /* <= 1024 characters; NULL: every line */
};
struct filter_events_out { /* zeroed by the caller, but for what it sets itself */
	struct page page;
	void (*event)(void *ctx, const char *stream, const char *id, int64_t at_ms, struct span message);
	void *ctx;
	unsigned pages, most_pages; /* most: no further page is asked for then; 0: no limit but that of every list */
	unsigned events;
	size_t bytes, most_bytes;   /* of messages; the same */
	bool more;                  /* there was a further page */
};
extern const struct op op_filter_log_events;

#endif
