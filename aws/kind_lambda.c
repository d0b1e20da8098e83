/* Lambda functions: what they measure, ListFunctions and ListEventSourceMappings (REST with JSON). */
#include "aws/kind.h"
#include "aws/op_lambda.h"
#include "aws/wire.h"

#include <string.h>

const struct service service_lambda = {
	.id = "lambda",
	.host = "lambda",
	.signing = "lambda",
	.env = "LAMBDA",
	.version = "2015-03-31",
	.wire = WIRE_REST_JSON,
};

/* All are sparse: every one is published by invocations (or by a mapping that polls), so an idle function has none. */
static const struct metric_info metrics[] = {
	{ "invocations", "Invocations", FROM_CLOUDWATCH, "Invocations", "Sum", NULL, NULL, ROLE_IN, UNIT_COUNT, true },
	{ "errors", "Errors", FROM_CLOUDWATCH, "Errors", "Sum", NULL, NULL, ROLE_NONE, UNIT_COUNT, true },
	{ "succeeded", "Invocations without error", FROM_DIFFERENCE, NULL, NULL, "invocations", "errors", ROLE_OUT,
	  UNIT_COUNT, true },
	{ "error_rate", "Error rate", FROM_RATIO, NULL, NULL, "errors", "invocations", ROLE_ERROR, UNIT_PERCENT, true },
	{ "duration_p95", "Duration p95", FROM_CLOUDWATCH, "Duration", "p95", NULL, NULL, ROLE_LATENCY, UNIT_MILLISECONDS,
	  true },
	{ "throttles", "Throttles", FROM_CLOUDWATCH, "Throttles", "Sum", NULL, NULL, ROLE_NONE, UNIT_COUNT, true },
	{ "concurrent", "Concurrent executions", FROM_CLOUDWATCH, "ConcurrentExecutions", "Maximum", NULL, NULL, ROLE_NONE,
	  UNIT_COUNT, true },
	{ "iterator_age", "Iterator age", FROM_CLOUDWATCH, "IteratorAge", "Maximum", NULL, NULL, ROLE_AGE,
	  UNIT_MILLISECONDS, true },
};

static bool page_build(struct http_req *rq, const char *path, const char *size, const char *marker, struct err *e)
{
	rq->method = "GET";
	bool ok = buf_adds(&rq->path, path) && wire_param(&rq->query, "MaxItems", size) &&
	          wire_param(&rq->query, "Marker", marker);
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

/* ---- ListFunctions */

static bool list_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct list_in *q = in;
	return page_build(rq, "/2015-03-31/functions", "50", q->page.token, e);
}

/* Where everybody's log is goes without saying. */
static void read_logging(struct found *f, const char *name, const char *group)
{
	static const char usual[] = "/aws/lambda/";
	if (group && (strncmp(group, usual, sizeof usual - 1) != 0 || strcmp(group + sizeof usual - 1, name) != 0))
		found_fact(f, name, "log_group", group);
}

/* Environment stays unread: it may hold secrets. */
static bool read_function(struct found *f, const struct json *c)
{
	const char *name = json_get_str(c, "FunctionName"), *arn = json_get_str(c, "FunctionArn");
	if (!name || !arn)
		return false;
	found_add(f, name, arn, NULL);
	found_fact(f, name, "runtime", json_get_str(c, "Runtime"));
	wire_int_fact(f, name, "timeout_s", json_get(c, "Timeout"));
	wire_int_fact(f, name, "memory_mb", json_get(c, "MemorySize"));
	found_fact(f, name, "state", json_get_str(c, "State"));
	read_logging(f, name, json_get_str(json_get(c, "LoggingConfig"), "LogGroup"));
	found_fact(f, name, "last_modified", json_get_str(c, "LastModified"));
	found_fact(f, name, "code_sha256", json_get_str(c, "CodeSha256"));
	return true;
}

static bool list_read(const struct http_res *rs, void *out, struct err *e)
{
	struct found *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *c = wire_list(doc, "Functions", &ok); c && ok; c = json_next(c))
		ok = read_function(f, c);
	wire_next(&f->page, doc, "NextMarker", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "the functions are not a list of functions with name and ARN");
}

static const struct op op_list_functions = {
	.service = &service_lambda,
	.name = "ListFunctions",
	.rate = 15,
	.iam = "lambda:ListFunctions",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 8u * 1024 * 1024, /* 50 functions, each with 4 KiB of environment at the most and what else it has */
	.build = list_build,
	.read = list_read,
};

/* ---- ListEventSourceMappings */

static bool edges_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct list_in *q = in;
	return page_build(rq, "/2015-03-31/event-source-mappings", "100", q->page.token, e);
}

/* A mapping may name an alias or a version; what is drawn and measured is the function: arn:P:lambda:R:A:function:NAME. */
static const char *function_arn(struct found *f, const char *arn)
{
	const char *p = arn;
	for (unsigned fields = 0; p && fields < 7; fields++) {
		p = strchr(p, ':');
		p += p != NULL;
	}
	return p ? arena_strndup(&f->mem, arn, (size_t)(p - arn - 1)) : arn;
}

/* What it is set to, under "SOURCE -> FUNCTION", for telling a change of it. */
static void mapping_facts(struct found *f, const char *id, const struct relation *r, const struct json *m)
{
	found_add(f, id, json_get_str(m, "EventSourceMappingArn"), r->to);
	found_fact(f, id, "from", r->from);
	found_fact(f, id, "to", r->to);
	found_fact(f, id, "state", r->state);
	found_fact(f, id, "reason", r->reason);
	found_fact(f, id, "on_failure", r->on_failure);
	wire_int_fact(f, id, "batch_size", json_get(m, "BatchSize"));
	wire_int_fact(f, id, "batching_window_s", json_get(m, "MaximumBatchingWindowInSeconds"));
	wire_int_fact(f, id, "parallelization", json_get(m, "ParallelizationFactor"));
	wire_int_fact(f, id, "retries", json_get(m, "MaximumRetryAttempts"));
	wire_int_fact(f, id, "record_age_s", json_get(m, "MaximumRecordAgeInSeconds"));
	wire_int_fact(f, id, "max_concurrency", json_get(json_get(m, "ScalingConfig"), "MaximumConcurrency"));
}

static void read_mapping(struct found *f, const struct json *m)
{
	const char *source = json_get_str(m, "EventSourceArn"), *arn = json_get_str(m, "FunctionArn");
	const char *failed = json_get_str(json_get(json_get(m, "DestinationConfig"), "OnFailure"), "Destination");
	if (!arn)
		return;
	failed = failed && *failed ? failed : NULL;
	struct relation r = { .kind = RELATION_MAPPING,
		                  .from = source,
		                  .to = function_arn(f, arn),
		                  .state = json_get_str(m, "State"),
		                  .reason = json_get_str(m, "StateTransitionReason"),
		                  .on_failure = failed,
		                  .retries = UNSAID,
		                  .record_age_s = UNSAID };
	json_int(json_get(m, "MaximumRetryAttempts"), &r.retries);
	json_int(json_get(m, "MaximumRecordAgeInSeconds"), &r.record_age_s);
	if (json_get_str(m, "UUID"))
		mapping_facts(f, json_get_str(m, "UUID"), &r, m);
	if (source) /* a self-managed Kafka has none */
		found_edge(f, &r);
	if (failed)
		found_edge(f, &(struct relation){ .kind = RELATION_ON_FAILURE, .from = r.to, .to = failed });
}

static bool edges_read(const struct http_res *rs, void *out, struct err *e)
{
	struct found *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *m = wire_list(doc, "EventSourceMappings", &ok); m; m = json_next(m))
		read_mapping(f, m);
	wire_next(&f->page, doc, "NextMarker", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "the event source mappings are not a list");
}

static const struct op op_list_event_source_mappings = {
	.service = &service_lambda,
	.name = "ListEventSourceMappings",
	.rate = 15,
	.iam = "lambda:ListEventSourceMappings",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 8u * 1024 * 1024, /* 100 mappings, each with filters of up to 40 KiB */
	.build = edges_build,
	.read = edges_read,
};

const struct kind kind_lambda = {
	.info = {
		.id = "lambda", .title = "Lambda function", .ns = "AWS/Lambda", .dimension = "FunctionName",
		.metrics = metrics, .nmetrics = sizeof metrics / sizeof *metrics, .spark = "invocations",
	},
	.arn_service = "lambda", .arn_prefix = "function:", .list = &op_list_functions, .edges = &op_list_event_source_mappings,
	.write = &op_invoke_event,
	.cfn_type = "AWS::Lambda::Function",
};
