/* The audit log's side of an act. */
#ifndef ENGINE_AUDITED_H
#define ENGINE_AUDITED_H

#include "cache/audit.h"
#include "engine/gate.h"
#include "engine/inside.h"

struct audited {
	struct audit_who who; /* points into what follows */
	char user[64], host[65], ssh[128];
};
void audited_who(const struct engine *g, enum conf_mode mode, struct audited *a);

/* One line about one call: true when it is on the disk (or when there is no folder for it, in tests). False: it must not be made.
 * outcome: announced, denied. */
bool audited(const struct engine *g, enum conf_mode mode, const struct op *op, const char *target, const char *outcome, const char *detail,
             struct err *e);
/* gate_open, and a line when it refuses for good (a question to a person is no refusal yet). */
bool audited_gate(const struct engine *g, const struct consent *c, const struct gate_act *act, struct permit *p, struct result *r);

#endif
