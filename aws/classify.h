/* What an answer that is no success means. The only place where AWS's names of errors are known. Pure. */
#ifndef AWS_CLASSIFY_H
#define AWS_CLASSIFY_H

#include "aws/op.h"

enum fault {
	FAULT_FINAL,
	FAULT_TRANSIENT, /* the service's fault: may go better next time */
	FAULT_THROTTLED, /* AWS's own word for it: the request was refused before anything was done */
	FAULT_CROWDED,   /* a bare 429 or 509, perhaps a proxy's: as throttled, but nobody says that nothing was done */
	FAULT_EXPIRED,   /* the keys are not, or no longer, taken: others may be */
	FAULT_SKEWED     /* perhaps this machine's clock: the answer's Date tells */
};

static inline bool fault_throttled(enum fault f)
{
	return f == FAULT_THROTTLED || f == FAULT_CROWDED;
}

/* A name alone, as batches give it entry by entry. One that is not known is the request's own fault: ERR_REFUSED. */
enum fault classify_name(const char *name, enum err_code *code);
enum fault classify(const struct op *op, const struct http_res *res, struct err *e);
/* Did the answer so classified certainly have no effect? Only AWS's own word says so: a proxy's page, a redirect and a fault of the
 * service leave it open. */
bool classify_undone(enum fault fault, const struct err *e);

#endif
