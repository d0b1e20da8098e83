/* Lambda ListFunctionEventInvokeConfigs (REST with JSON): how long events wait that a function was asked to work on later. */
#ifndef AWS_OP_ASYNC_H
#define AWS_OP_ASYNC_H

#include "aws/op.h"

#include <stdint.h>

/* Both begin with a struct page (op.h). */
struct event_configs_in {
	struct page page;
	const char *function;
};
struct event_configs_out {
	struct page page;
	unsigned n;           /* configurations, one a qualifier; 0: Lambda's own 6 hours hold */
	bool latest;          /* there is one of the function itself ($LATEST) */
	int64_t least, most;  /* MaximumEventAgeInSeconds over them; where one says none, 6 hours */
};
extern const struct op op_list_event_configs;
#define EVENT_AGE_DEFAULT 21600

#endif
