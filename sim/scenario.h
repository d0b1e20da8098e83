/* Scenarios: an account as it stands at the start, and the law by which its traffic moves from one minute to the next. The
 * history before the start is made by the same law, run from the past to the present. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

struct world;

bool scenario_at(unsigned i, const char **name, const char **help); /* false past the last */
const struct scenario *scenario_find(const char *name); /* NULL: calm; NULL when unknown */
uint64_t scenario_seed(const struct scenario *s);
void scenario_start(struct world *w); /* furnishes the account; w->minute goes back to where history begins */
void scenario_minute(struct world *w, int64_t minute); /* the traffic of one minute */

#endif
