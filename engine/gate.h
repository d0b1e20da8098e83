/* The one gate before every write. A request that acts passes here once, before its first call, and gets a permit for the one operation
 * it is about; aws_call_permitted() sends nothing without. In this order: what the process may do (--mode), what the target grants
 * at the most (grant), and that somebody wants it (a person who was asked, or --yes where nobody can be asked). A production target asks
 * a person for its name. A refusal is ERR_GATE (exit status 3) and says what would allow it. Pure but for what it fills. */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "aws/call.h"
#include "engine/engine.h"

struct gate_act {
	enum conf_mode needs; /* MODE_OPERATE for data, MODE_ADMIN for alarms, topics and retention */
	const struct op *op;
	const char *what;     /* in words: "put 3 records into stream orders" */
	bool counted;         /* of `count` things at once: who wants it says their number, not yes */
	unsigned count;
};

/* The first half alone: may this process do it at all, on this target? */
bool gate_may(const struct conf_target *target, const struct consent *c, const struct gate_act *act, struct err *e);

/* target NULL: nothing is configured, so nothing is forbidden there. Fills *p, or r's err, ask, question and name. */
bool gate_open(const struct conf_target *target, const struct consent *c, const struct gate_act *act, struct permit *p,
               struct result *r);

#endif
