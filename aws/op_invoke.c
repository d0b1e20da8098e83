/* Invoke, asynchronously and not. */
#include "aws/op_lambda.h"

#include "aws/wire.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/scan.h"

#include <stdio.h>
#include <string.h>

static bool build(struct http_req *rq, const char *type, const char *function, struct span payload, struct err *e)
{
	http_req_header(rq, "X-Amz-Invocation-Type", type);
	bool ok = buf_adds(&rq->path, "/2015-03-31/functions/") && wire_escape(&rq->path, span_of(function)) &&
	          buf_adds(&rq->path, "/invocations") && buf_addspan(&rq->body, payload);
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static bool invoke_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct invoke_in *q = in;
	return build(rq, "Event", q->function, q->payload, e);
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

/* ---- RequestResponse */

static bool sync_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct invoke_sync_in *q = in;
	struct buf context;
	buf_init(&context, INVOKE_CONTEXT);
	if (q->context && hash_base64(&context, q->context, strlen(q->context)))
		http_req_header(rq, "X-Amz-Client-Context", context.p);
	buf_clear(&context);
	return build(rq, "RequestResponse", q->function, q->payload, e);
}

/* 202 would mean that it was queued, 204 that nothing was done: neither says that the function has run. */
static bool sync_read(const struct http_res *rs, void *out, struct err *e)
{
	struct invoke_sync_out *v = out;
	const char *id = http_res_header(rs, "x-amzn-RequestId"), *error = http_res_header(rs, "X-Amz-Function-Error");
	snprintf(v->request_id, sizeof v->request_id, "%s", id ? id : "");
	snprintf(v->error, sizeof v->error, "%s", error ? error : "");
	if (rs->status != 200)
		return err_set(e, ERR_BADREPLY, "Lambda", "HTTP %d where 200 was expected", rs->status);
	/* A proxy's page is a 200 as well. */
	if (!http_res_header(rs, "X-Amz-Executed-Version") && (rs->body.n == 0 || !scan_valid(rs->body, NULL)))
		return err_set(e, ERR_BADREPLY, "Lambda", "a 200 without a version and without JSON: not Lambda's");
	return buf_addspan(&v->body, rs->body) || err_set(e, ERR_LIMIT, "Lambda", "the function's answer is too large");
}

const struct op op_invoke_sync = {
	.service = &service_lambda,
	.name = "Invoke",
	.iam = "lambda:InvokeFunction",
	.effect = OP_WRITE,
	.cap = 8u << 20,
	.rate = 200,
	.build = sync_build,
	.read = sync_read,
};

/* ---- GetFunctionConfiguration. Environment stays unread: it may hold secrets. */

static bool function_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct function_in *q = in;
	rq->method = "GET";
	bool ok = buf_adds(&rq->path, "/2015-03-31/functions/") && wire_escape(&rq->path, span_of(q->function)) &&
	          buf_adds(&rq->path, "/configuration");
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static bool function_read(const struct http_res *rs, void *out, struct err *e)
{
	struct function_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const char *arn = json_get_str(doc, "FunctionArn"), *state = json_get_str(doc, "State");
	const char *role = json_get_str(doc, "Role");
	snprintf(v->arn, sizeof v->arn, "%s", arn ? arn : "");
	snprintf(v->state, sizeof v->state, "%s", state ? state : "");
	snprintf(v->role, sizeof v->role, "%s", role ? role : "");
	bool ok = arn && json_int(json_get(doc, "Timeout"), &v->timeout_s);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "no FunctionArn or no Timeout in the answer");
}

const struct op op_get_function_configuration = {
	.service = &service_lambda,
	.name = "GetFunctionConfiguration",
	.iam = "lambda:GetFunctionConfiguration",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 256u * 1024,
	.rate = 15,
	.build = function_build,
	.read = function_read,
};

/* ---- ListEventSourceMappings of one source */

static bool mappings_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct mappings_in *q = in;
	rq->method = "GET";
	bool ok = buf_adds(&rq->path, "/2015-03-31/event-source-mappings") &&
	          wire_param(&rq->query, "EventSourceArn", q->source) && wire_param(&rq->query, "MaxItems", "100") &&
	          wire_param(&rq->query, "Marker", q->page.token);
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static bool reports_items(const struct json *mapping)
{
	const struct json *c = json_first(json_get(mapping, "FunctionResponseTypes"));
	while (c && (!json_str(c) || strcmp(json_str(c), "ReportBatchItemFailures") != 0))
		c = json_next(c);
	return c != NULL;
}

static bool mappings_read(const struct http_res *rs, void *out, struct err *e)
{
	struct mappings_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *c = wire_list(doc, "EventSourceMappings", &ok); c; c = json_next(c)) {
		const char *source = json_get_str(c, "EventSourceArn"), *state = json_get_str(c, "State");
		const char *function = json_get_str(c, "FunctionArn");
		if (!source || !function)
			continue;
		int64_t window = 0;
		MEM_GROW(v->v, v->n, v->cap);
		struct function_mapping *m = &v->v[v->n++];
		*m = (struct function_mapping){ .source_arn = arena_strdup(&v->mem, source),
			                            .function_arn = arena_strdup(&v->mem, function),
			                            .state = arena_strdup(&v->mem, state ? state : ""),
			                            .batch_size = 1,
			                            .partial = reports_items(c) };
		json_int(json_get(c, "BatchSize"), &m->batch_size);
		m->filters = json_first(json_get(json_get(c, "FilterCriteria"), "Filters")) != NULL;
		m->windowed = json_int(json_get(c, "TumblingWindowInSeconds"), &window) && window > 0;
	}
	wire_next(&v->page, doc, "NextMarker", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "the event source mappings are not a list");
}

const struct op op_list_mappings_of = {
	.service = &service_lambda,
	.name = "ListEventSourceMappings",
	.iam = "lambda:ListEventSourceMappings",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 8u * 1024 * 1024,
	.rate = 15,
	.build = mappings_build,
	.read = mappings_read,
};
