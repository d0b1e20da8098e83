/* Lambda operations that act (REST with JSON). */
#ifndef AWS_OP_LAMBDA_H
#define AWS_OP_LAMBDA_H

#include "aws/op.h"
#include "core/arena.h"

#include <stdint.h>

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

/* ---- Invoke with RequestResponse: the function runs, and its answer is the verdict. A 200 says that it ran, not that it was well. Not
 * idempotent and never repeated by itself once it may have been sent. The call must be given more time than the function has. */
#define INVOKE_SYNC_BYTES (6u << 20) /* of the payload */
#define INVOKE_CONTEXT 3583          /* of the client context, in base64 */
struct invoke_sync_in {
	const char *function; /* as above */
	struct span payload;  /* borrowed */
	const char *context;  /* JSON for X-Amz-Client-Context; NULL */
};
struct invoke_sync_out {
	char request_id[64];
	char error[32];       /* X-Amz-Function-Error: Handled, Unhandled; "" = none */
	struct buf body;      /* initialised and cleared by the caller */
};
extern const struct op op_invoke_sync;

/* ---- GetFunctionConfiguration, as far as an invocation cares */
struct function_in { const char *function; };
struct function_out { char arn[256], state[24], role[256]; int64_t timeout_s; };
extern const struct op op_get_function_configuration;

/* ---- ListEventSourceMappings. By source, because a mapping to an alias is not listed under the function's bare name. Both begin
 * with a struct page (op.h). */
struct function_mapping {
	const char *source_arn, *function_arn, *state;
	int64_t batch_size;
	bool partial, filters, windowed; /* ReportBatchItemFailures; FilterCriteria; a tumbling window */
};
struct mappings_in { struct page page; const char *source; }; /* NULL: of all sources */
struct mappings_out {
	struct page page;
	struct arena mem;
	struct function_mapping *v; /* freed by the caller, as mem is cleared */
	unsigned n, cap;
};
extern const struct op op_list_mappings_of;

#endif
