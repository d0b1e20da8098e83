/* Lambda operations that act (REST with JSON). */
#ifndef AWS_OP_LAMBDA_H
#define AWS_OP_LAMBDA_H

#include "aws/op.h"

extern const struct service service_lambda;

/* ---- Invoke with X-Amz-Invocation-Type: Event. 202 says that Lambda has queued the event, nothing of how the function will fare. Not
 * idempotent: sent again after a lost answer, the function runs twice. */
#define INVOKE_EVENT_BYTES (1u << 20) /* of the payload; 256 KiB until 2025 */

struct invoke_in {
	const char *function; /* name, name:alias, partial or full ARN */
	struct span payload;  /* JSON; borrowed */
};
struct invoke_out {
	char request_id[64]; /* "" when the answer named none */
	int status;
};
extern const struct op op_invoke_event;

#endif
