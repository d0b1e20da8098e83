/* What one answer says of how two resources belong together, before anybody made a graph of it. aws/ reads it, the engine keeps it,
 * pipeline/ draws edges from it. */
#ifndef CORE_MODEL_RELATION_H
#define CORE_MODEL_RELATION_H

#include "core/arena.h"

#include <stdint.h>

enum relation_kind {
	RELATION_MAPPING,    /* event source -> function */
	RELATION_DLQ,        /* queue -> its dead-letter queue, by the queue's own redrive policy */
	RELATION_ON_FAILURE, /* function -> where a mapping puts what failed */
	RELATION_DLQ_SOURCE  /* the same as DLQ, by what the dead-letter queue says */
};

#define UNSAID INT64_MIN /* the answer does not have this number */

struct relation {
	enum relation_kind kind;
	const char *from, *to;         /* ARNs */
	const char *state;             /* a mapping's: "Enabled", "Disabled", ...; NULL */
	const char *reason;            /* StateTransitionReason; NULL */
	const char *on_failure;        /* ARN of the mapping's on-failure destination; NULL: none */
	int64_t retries, record_age_s; /* a mapping of a stream: -1 = for ever; UNSAID */
};

struct relation relation_copy(struct arena *a, const struct relation *r); /* its strings in the arena */

#endif
