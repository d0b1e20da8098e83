/* Something that happened, at an instant: what "what changed", the log of events and the report list. */
#ifndef CORE_MODEL_EVENT_H
#define CORE_MODEL_EVENT_H

#include <stdint.h>

/*  X(ID, word) - the word is JSON's and a filter's */
#define EVENT_KINDS(X)     \
	X(CONFIG, "config")     /* a resource's configuration differs from what it was */ \
	X(RELEASE, "release")   /* a function's version or alias moved */                 \
	X(ALARM, "alarm")       /* an alarm's state moved */                              \
	X(MAPPING, "mapping")   /* an event source mapping's state moved */               \
	X(CALL, "call")         /* CloudTrail: somebody called a writing operation */     \
	X(REPLAY, "replay")     /* a replay run began, paused, ended */                   \
	X(WRITE, "write")       /* sluice wrote something */                              \
	X(NOTE, "note")         /* a person's note */                                     \
	X(INCIDENT, "incident") /* a person's note that marks an incident */

enum event_kind {
#define X(id, word) EVENT_##id,
	EVENT_KINDS(X)
#undef X
	EVENT_KIND_COUNT
};

struct event {
	int64_t at, at_most;    /* it happened in [at, at_most]; equal when the instant is known, else between two looks */
	enum event_kind kind;
	const char *service;    /* a kind's id (lambda, sqs, cloudwatch), or "" */
	const char *subject;    /* the resource's or alarm's name; "" for notes */
	const char *arn;        /* NULL: unknown */
	const char *text;       /* "alias live v41 -> v42" */
	const char *by;         /* who: CloudTrail or sluice itself; NULL: not known */
	const char *source;     /* the operation (or "sluice") that says so */
};

const char *event_kind_name(enum event_kind k);

#endif
