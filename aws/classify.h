/* What an answer that is no success means. The only place where AWS's names of errors are known. Pure. */
#ifndef AWS_CLASSIFY_H
#define AWS_CLASSIFY_H

#include "aws/op.h"

enum fault {
	FAULT_FINAL,
	FAULT_TRANSIENT, /* the service's fault: may go better next time */
	FAULT_THROTTLED,
	FAULT_EXPIRED, /* the keys are not, or no longer, taken: others may be */
	FAULT_SKEWED /* perhaps this machine's clock: the answer's Date tells */
};

enum fault classify(const struct op *op, const struct http_res *res, struct err *e);

#endif
