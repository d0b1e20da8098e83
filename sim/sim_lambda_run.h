/* What a simulated function's code does with an event, and what it was given. Its environment says how it fares, as configuration would:
 *   FAIL_IF=TEXT  a record (or the event) that holds TEXT fails
 *   PARTIAL=yes   then it reports the records' ids in batchItemFailures and is well otherwise; without, the invocation fails
 * Every event that an Invoke brought is kept, whole, and told through the control path (/_sluice/invocations): so a test can count
 * what was processed, and how often. */
#ifndef SIM_SIM_LAMBDA_RUN_H
#define SIM_SIM_LAMBDA_RUN_H

#include "sim/sim_req.h"

#include <stdbool.h>

struct sim_function;

struct lambda_code {
	char *fail_if;
	bool partial;
};
void lambda_code_read(struct lambda_code *c, const struct json *environment);
void lambda_code_clear(struct lambda_code *c);

/* True when it fails as a whole. report: appended to when it has item failures to tell. */
bool lambda_run(struct world *w, const struct sim_function *fn, const struct sim_req *rq, struct buf *report);

struct lambda_event { char *function, *payload, *context; };
void lambda_events_tell(const struct world *w, struct buf *out);
void lambda_events_free(struct world *w);

#endif
