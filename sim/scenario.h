/* Scenarios: an account as it stands at the start, and the law by which its traffic moves from one minute to the next. The
 * history before the start is made by the same law, run from the past to the present. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

struct world;

bool scenario_at(unsigned i, const char **name, const char **help); /* false past the last */
const struct scenario *scenario_find(const char *name); /* NULL: calm; NULL when unknown */

/* What a stack made, and tagged: the embedded account has one. A stack goes on listing what somebody deletes behind its back. */
struct sim_member {
	const char *type, *logical, *name; /* AWS::SQS::Queue */
	const char *service, *prefix;      /* of its ARN; NULL: it has no tags */
	bool deleted;                      /* by the stack itself: DELETE_COMPLETE, and gone */
};
#define SIM_STACK "orders-prod"
const struct sim_member *scenario_members(const struct world *w, unsigned *n); /* none in an empty account */

uint64_t scenario_seed(const struct scenario *s);
void scenario_start(struct world *w); /* furnishes the account; w->minute goes back to where history begins */
void scenario_minute(struct world *w, int64_t minute); /* the traffic of one minute */

#endif
