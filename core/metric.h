/* A metric's identity, and its one text form: NAMESPACE/NAME{Dim=value,Dim2="va,lue"}:STAT. The namespace ends at the last
 * '/' before '{' (or before the ':' of the statistic); dimensions' names and values with , } = " \ or blanks are quoted,
 * \ escapes (also a '/', ':' or '{' inside the metric's name). Dimensions
 * are kept sorted by name, so that equal metrics have equal texts: the text is the key in the cache. */
#ifndef CORE_METRIC_H
#define CORE_METRIC_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>

#define METRIC_DIMS 30

struct metric_dim { char *name, *value; };
struct metric_id {
	char *ns, *name, *stat;
	struct metric_dim *dims;
	unsigned ndims;
};

bool metric_parse(struct metric_id *m, const char *text, struct err *e); /* CONF on bad text; m is cleared then */
void metric_set(struct metric_id *m, const char *ns, const char *name, const char *stat); /* no dimensions yet */
void metric_add_dim(struct metric_id *m, const char *name, const char *value);
void metric_clear(struct metric_id *m);
void metric_text(const struct metric_id *m, struct buf *out);           /* appends the canonical text */
bool metric_stat_valid(const char *stat);                               /* Sum, Average, p95, TM(10%:90%), ... */

#endif
