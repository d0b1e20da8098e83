/* What a stream's mapping puts into its on-failure queue: not the records, but where they are. Pure. */
#ifndef REPLAY_POINTER_H
#define REPLAY_POINTER_H

#include "core/arena.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct pointer {
	const char *stream; /* its ARN */
	int64_t first_ms;   /* approximateArrivalOfFirstRecord */
};
/* False: the body is no such pointer, or does not say when its records arrived. */
bool pointer_read(struct span body, struct arena *mem, struct pointer *out);

#endif
