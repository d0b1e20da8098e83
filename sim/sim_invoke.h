/* Running a function: how its version takes the payload, what that does to metrics and to its log. */
#ifndef SIM_SIM_INVOKE_H
#define SIM_SIM_INVOKE_H

#include "core/buf.h"
#include "sim/sim_life.h"

#include <stdbool.h>

/* A fault of the code: from which version on, up to which one (0: all later ones), and on what. */
struct sim_defect {
	const char *function;
	unsigned from, to;
	enum sim_shape shape;
	bool (*strikes)(struct span payload); /* NULL: it does not depend on it */
	unsigned percent;                     /* of the invocations that it strikes; 0 = all */
};

struct sim_call {
	unsigned version;    /* 0 = $LATEST */
	struct span payload; /* of an event or a message */
	const char *id;      /* of the request; NULL: made up */
	struct sim_failure failure; /* what came of it; SHAPE_NONE: well */
	double ms;
	char request[37];
};
/* True when it failed. Failures by chance come evenly: of 100 invocations of a function that fails 7 percent, exactly 7. */
bool sim_invoke(struct world *w, struct sim_function *fn, struct sim_call *call);
/* What the version would fail on, whatever the chance; SHAPE_NONE: it takes it. */
enum sim_shape sim_defect_of(const struct world *w, const struct sim_function *fn, unsigned version, struct span payload);

bool strikes_zero_date(struct span payload);
bool strikes_many_items(struct span payload);
bool strikes_huge_record(struct span payload);

#endif
