/* Invoke, asynchronously. */
#include "aws/op_lambda.h"

#include "aws/wire.h"

#include <stdio.h>

static bool invoke_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct invoke_in *q = in;
	http_req_header(rq, "X-Amz-Invocation-Type", "Event");
	bool ok = buf_adds(&rq->path, "/2015-03-31/functions/") && wire_escape(&rq->path, span_of(q->function)) &&
	          buf_adds(&rq->path, "/invocations") && buf_addspan(&rq->body, q->payload);
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

/* Any other success is not what Lambda says to an event: who knows what has become of it. */
static bool invoke_read(const struct http_res *rs, void *out, struct err *e)
{
	struct invoke_out *v = out;
	const char *id = http_res_header(rs, "x-amzn-RequestId");
	v->status = rs->status;
	snprintf(v->request_id, sizeof v->request_id, "%s", id ? id : "");
	return rs->status == 202 || err_set(e, ERR_BADREPLY, "Lambda", "HTTP %d where 202 was expected", rs->status);
}

const struct op op_invoke_event = {
	.service = &service_lambda,
	.name = "Invoke",
	.iam = "lambda:InvokeFunction",
	.effect = OP_WRITE,
	.cap = 64u * 1024,
	.build = invoke_build,
	.read = invoke_read,
};
