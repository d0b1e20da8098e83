/* What an alarm file would change, as the faces see it. */
#ifndef CORE_MODEL_ALARM_PLAN_H
#define CORE_MODEL_ALARM_PLAN_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum plan_what { PLAN_SAME, PLAN_CREATE, PLAN_CHANGE, PLAN_REFUSED };
enum plan_outcome { PLAN_WAITING /* not yet, or no more */, PLAN_APPLIED /* and read back as it should be */, PLAN_FAILED /* certainly not */, PLAN_UNKNOWN };

struct plan_change { /* a setting; JSON values, NULL: not set */
	const char *path, *from, *to;
	bool fallback_from, fallback_to; /* that value is the API's default */
};
struct plan_step {
	enum plan_what what;
	const char *name, *kind;       /* kind: metric, composite, log; static */
	const struct plan_change *changes;
	unsigned nchanges;
	const char *why;               /* of PLAN_REFUSED, and of an outcome that is not APPLIED; NULL */
	const char *kept;              /* settings of the live alarm that this build does not know and that stay; NULL */
	const char **notes;            /* what the lints say, what the file's "//" says */
	unsigned nnotes;
	double usd, usd_before;        /* a month, an estimate; NAN: not known */
	enum plan_outcome outcome;
};
struct alarm_plan {
	const char *owner;
	struct plan_step *steps;       /* in the order they are applied: children before their composites */
	unsigned n;
	unsigned create, change, same, refused; /* of steps */
	unsigned applied, failed, unknown;      /* of an apply */
	double usd, usd_before;        /* a month, of the file's alarms; what is not known is not in it */
};

/* With all that it points to. */
struct alarm_plan alarm_plan_copy(struct arena *mem, const struct alarm_plan *p);
const char *plan_outcome_name(enum plan_outcome o); /* waiting, applied, failed, unknown */

#endif
