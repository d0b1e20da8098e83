/* The rules of composite alarms, as far as they name other alarms: who is whose child, in which order alarms can be written, and
 * who is in a ring (CloudWatch stops evaluating a ring, and none of it can be deleted). Pure. */
#ifndef ALARMS_COMPOSITE_H
#define ALARMS_COMPOSITE_H

#include "core/arena.h"
#include "core/err.h"

#include <stdbool.h>

struct children { const char **v; unsigned n; }; /* names, each once, in the order they stand */
/* False: it is no rule (e says what is wrong): ALARM("x") AND NOT (OK(y) OR TRUE), AT_LEAST(2, ALARM, (a, b)). */
bool composite_children(struct arena *mem, const char *rule, struct children *out, struct err *e);

struct family { const char *name; struct children children; };
/* order: indexes into v so that whoever is in no ring comes after its children, otherwise as they stand.
 * ring[i]: NULL, or what the ring is that v[i] is in ("a -> b -> a"), in mem. Names that are not in v are nobody's concern. */
void composite_order(struct arena *mem, const struct family *v, unsigned n, unsigned *order, const char **ring);

#endif
