/* An SNS topic and who is subscribed to it, as it is seen. */
#ifndef CORE_MODEL_TOPIC_H
#define CORE_MODEL_TOPIC_H

#include <stdbool.h>

struct topic_sub {
	const char *arn;                 /* NULL: not confirmed (yet) */
	const char *protocol, *endpoint; /* endpoint: somebody's address; shown where it was asked for, logged nowhere */
	const char *filter, *filter_scope, *redrive; /* policies, JSON; NULL: none, or not read */
	bool raw, policies_known;
};
struct topic {
	const char *arn, *name;
	bool known;                      /* its attributes were read: */
	unsigned confirmed, pending;
	const char *display, *key;       /* key: what it is encrypted with; NULL */
	bool fifo;
	const struct topic_sub *subs;    /* of the one topic that was asked for */
	unsigned nsubs;
};

#endif
