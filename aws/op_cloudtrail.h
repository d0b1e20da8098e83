/* CloudTrail: LookupEvents (JSON 1.1), the only source of who did it. Management events of the last 90 days, the newest first, some
 * minutes late; two calls a second, an account and region. */
#ifndef AWS_OP_CLOUDTRAIL_H
#define AWS_OP_CLOUDTRAIL_H

#include "aws/op.h"
#include "core/arena.h"

#include <stdint.h>

/* Only events that are no reads. Not paged by call.c: an account may have any number of them, and whoever asks says when it is
 * enough. The token belongs to the same start and end. */
struct lookup_events_in {
	int64_t start, end; /* seconds, both included */
	const char *token;  /* of the page before; NULL: the first */
};
struct trail_event {
	const char *id, *name; /* never NULL; the name without a version at its end: UpdateAlias, not UpdateAlias20150331 */
	int64_t at;            /* never 0 */
	const char *service;   /* "sqs" of sqs.amazonaws.com; "" */
	const char *by;        /* the caller's ARN, else its user name; NULL */
	const char *agent;     /* userAgent; NULL */
	const char *error;     /* errorCode: it was refused; NULL */
	const char *resource;  /* the name of what it was about; NULL: the event does not say */
	const char *detail;    /* its request's parameters that matter, "MessageRetentionPeriod=3600"; NULL */
};
struct lookup_events_out {
	struct arena mem;
	struct trail_event *events;
	unsigned n, cap;
	char *token; /* of the next page; NULL: this was the last */
};
void lookup_events_out_clear(struct lookup_events_out *o);
extern const struct op op_lookup_events;

#endif
