#include "sim/sim_req.h"
#include "sim/world.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_PAGE 50
#define MAPPINGS_PAGE 100
#define SYNC_MAX (6u << 20)

/* ---- naming a function */

/* A name, name:alias, or an ARN with or without a qualifier. */
static void plain_name(const char *text, char *out, size_t size)
{
	const char *mark = strstr(text, ":function:");
	const char *name = mark ? mark + 10 : text;
	snprintf(out, size, "%.*s", (int)strcspn(name, ":"), name);
}

static struct sim_function *find_function(struct world *w, const char *text, struct sim_fail *f)
{
	char name[160], arn[300];
	plain_name(text, name, sizeof name);
	struct sim_function *fn = world_function(w, name);
	snprintf(arn, sizeof arn, "arn:%s:lambda:%s:" SIM_ACCOUNT ":function:%s", w->partition, w->region, name);
	if (!fn)
		sim_fail(f, WHY_LAMBDA_NOT_FOUND, "Function not found: %s", arn);
	return fn;
}

static struct sim_function *labelled(struct world *w, const struct sim_req *rq, struct sim_fail *f)
{
	const char *name = json_get_str(rq->params, "FunctionName");
	return find_function(w, name ? name : "", f);
}

static void function_arn(const struct world *w, const char *name, char *out, size_t size)
{
	char resource[200];
	snprintf(resource, sizeof resource, "function:%s", name);
	world_arn(w, "lambda", resource, out, size);
}

/* ---- telling */

static void tell_members(const struct world *w, struct wr *o, const struct sim_function *fn)
{
	char arn[256], when[CLOCK_RFC3339_SIZE], modified[48];
	function_arn(w, fn->name, arn, sizeof arn);
	clock_rfc3339(fn->modified_ms / 1000, when);
	snprintf(modified, sizeof modified, "%.19s.%03d+0000", when, (int)(fn->modified_ms % 1000));
	wr_str(o, "FunctionName", fn->name);
	wr_str(o, "FunctionArn", arn);
	wr_str(o, "Runtime", fn->runtime);
	wr_str(o, "Role", fn->role);
	wr_str(o, "Handler", fn->handler);
	wr_int(o, "CodeSize", fn->code_size);
	wr_str(o, "Description", fn->description ? fn->description : "");
	wr_int(o, "Timeout", fn->timeout);
	wr_int(o, "MemorySize", fn->memory);
	wr_str(o, "LastModified", modified);
	wr_str(o, "CodeSha256", fn->sha256);
	wr_str(o, "Version", "$LATEST");
	if (fn->dlq_arn) {
		wr_object(o, "DeadLetterConfig");
		wr_str(o, "TargetArn", fn->dlq_arn);
		wr_object_end(o);
	}
	wr_object(o, "TracingConfig");
	wr_str(o, "Mode", "PassThrough");
	wr_object_end(o);
	wr_str(o, "RevisionId", fn->revision);
	wr_str(o, "PackageType", fn->package_type);
	wr_list(o, "Architectures", NULL);
	wr_str(o, NULL, fn->arch);
	wr_list_end(o);
	wr_object(o, "EphemeralStorage");
	wr_int(o, "Size", fn->storage);
	wr_object_end(o);
}

/* ListFunctions leaves the states out. */
static void tell_states(struct wr *o, bool pending)
{
	wr_str(o, "State", pending ? "Pending" : "Active");
	if (pending) {
		wr_str(o, "StateReason", "The function is being created.");
		wr_str(o, "StateReasonCode", "Creating");
	}
	wr_str(o, "LastUpdateStatus", "Successful");
}

static bool is_pending(struct world *w, const struct sim_req *rq)
{
	return fault_inside(w, rq, FAULT_PENDING) != NULL;
}

static bool get_configuration(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_function *fn = labelled(w, rq, f);
	if (!fn)
		return false;
	tell_members(w, o, fn);
	tell_states(o, is_pending(w, rq));
	return true;
}

static bool get_function(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_function *fn = labelled(w, rq, f);
	if (!fn)
		return false;
	wr_object(o, "Configuration");
	tell_members(w, o, fn);
	tell_states(o, is_pending(w, rq));
	wr_object_end(o);
	wr_object(o, "Code");
	wr_str(o, "RepositoryType", "S3");
	wr_object_end(o);
	wr_object(o, "Tags");
	wr_object_end(o);
	return true;
}

/* ---- lists */

static bool marker(const struct sim_req *rq, const char *op, char *last, size_t size, bool *any, struct sim_fail *f)
{
	const char *text = NULL;
	if (!arg_str(rq, rq->params, "Marker", &text, f))
		return false;
	*any = text && *text;
	return !*any || token_read(text, op, last, size, f) || sim_fail(f, WHY_INVALID_VALUE, "Invalid Marker");
}

static bool list_functions(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char last[160] = "";
	bool any, found = false;
	unsigned i = 0, n = 0;
	int64_t max = FUNCTIONS_PAGE;
	if (!arg_int(rq, rq->params, "MaxItems", 1, 10000, &max, f) ||
	    !marker(rq, "ListFunctions", last, sizeof last, &any, f))
		return false;
	if (any)
		i = world_find((void *const *)w->functions, w->nfunctions, last, &found) + found;
	if (max > FUNCTIONS_PAGE)
		max = FUNCTIONS_PAGE;
	wr_list(o, "Functions", NULL);
	for (; i < w->nfunctions && n < max; i++, n++) {
		wr_object(o, NULL);
		tell_members(w, o, w->functions[i]);
		wr_object_end(o);
	}
	wr_list_end(o);
	if (i < w->nfunctions)
		token_write(o, "NextMarker", "ListFunctions", "%s", w->functions[i - 1]->name);
	return true;
}

static void tell_on_failure(struct wr *o, const struct sim_mapping *m)
{
	if (!m->on_failure)
		return;
	wr_object(o, "DestinationConfig");
	wr_object(o, "OnFailure");
	wr_str(o, "Destination", m->on_failure);
	wr_object_end(o);
	wr_object_end(o);
}

static void tell_mapping(const struct world *w, struct wr *o, const struct sim_mapping *m)
{
	char arn[256], own[256], resource[80];
	bool stream = strstr(m->source_arn, ":kinesis:") != NULL;
	function_arn(w, m->function, arn, sizeof arn);
	snprintf(resource, sizeof resource, "event-source-mapping:%s", m->uuid);
	world_arn(w, "lambda", resource, own, sizeof own);
	wr_str(o, "UUID", m->uuid);
	wr_str(o, "EventSourceMappingArn", own);
	wr_int(o, "BatchSize", m->batch_size);
	wr_int(o, "MaximumBatchingWindowInSeconds", m->window_s);
	wr_str(o, "EventSourceArn", m->source_arn);
	wr_str(o, "FunctionArn", arn);
	wr_time(o, "LastModified", m->modified_ms);
	wr_str(o, "State", m->enabled ? "Enabled" : "Disabled");
	wr_str(o, "StateTransitionReason", "USER_INITIATED");
	tell_on_failure(o, m);
	wr_list(o, "FunctionResponseTypes", NULL);
	if (m->partial)
		wr_str(o, NULL, "ReportBatchItemFailures");
	wr_list_end(o);
	if (!stream)
		return;
	wr_str(o, "LastProcessingResult", "OK");
	wr_str(o, "StartingPosition", m->starting_position);
	wr_int(o, "ParallelizationFactor", m->parallel);
	wr_int(o, "MaximumRecordAgeInSeconds", m->record_age_s);
	wr_int(o, "MaximumRetryAttempts", m->retries);
	wr_bool(o, "BisectBatchOnFunctionError", m->bisect);
	wr_int(o, "TumblingWindowInSeconds", 0);
}

struct mapping_filter {
	const char *source, *function;
	char name[160];
};

static bool mapping_wanted(const struct sim_mapping *m, const struct mapping_filter *want)
{
	return (!want->source || strcmp(want->source, m->source_arn) == 0) &&
	       (!want->function || strcmp(want->name, m->function) == 0);
}

static bool list_mappings(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct mapping_filter want = { 0 };
	char last[64] = "";
	bool any, found = false;
	unsigned i = 0, n = 0;
	int64_t max = MAPPINGS_PAGE;
	if (!arg_int(rq, rq->params, "MaxItems", 1, 10000, &max, f) ||
	    !arg_str(rq, rq->params, "EventSourceArn", &want.source, f) ||
	    !arg_str(rq, rq->params, "FunctionName", &want.function, f) ||
	    !marker(rq, "ListEventSourceMappings", last, sizeof last, &any, f))
		return false;
	if (want.function)
		plain_name(want.function, want.name, sizeof want.name);
	if (any)
		i = world_find((void *const *)w->mappings, w->nmappings, last, &found) + found;
	if (max > MAPPINGS_PAGE)
		max = MAPPINGS_PAGE;
	wr_list(o, "EventSourceMappings", NULL);
	for (; i < w->nmappings && n < max; i++) {
		if (!mapping_wanted(w->mappings[i], &want))
			continue;
		n++;
		wr_object(o, NULL);
		tell_mapping(w, o, w->mappings[i]);
		wr_object_end(o);
	}
	wr_list_end(o);
	unsigned next = i;
	while (next < w->nmappings && !mapping_wanted(w->mappings[next], &want))
		next++;
	if (next < w->nmappings)
		token_write(o, "NextMarker", "ListEventSourceMappings", "%s", w->mappings[i - 1]->uuid);
	return true;
}

/* ---- making */

static bool valid_name(const char *name)
{
	size_t n = strlen(name);
	return n && n <= 64 && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

static char *copy(const char *s, const char *otherwise)
{
	const char *from = s ? s : otherwise;
	return from ? xstrdup(from) : NULL;
}

static char *code_digest(const char *zip)
{
	uint8_t digest[HASH_SHA256];
	struct buf b;
	hash_sha256(zip ? zip : "", zip ? strlen(zip) : 0, digest);
	buf_init(&b, 64);
	hash_base64(&b, digest, sizeof digest);
	return buf_steal(&b);
}

static bool create_function(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name, *role, *runtime = NULL, *handler = NULL, *description = NULL, *package = NULL;
	int64_t timeout = 3, memory = 128;
	char id[37];
	if (!arg_need(rq, rq->args, "FunctionName", &name, f) || !arg_need(rq, rq->args, "Role", &role, f) ||
	    !arg_str(rq, rq->args, "Runtime", &runtime, f) || !arg_str(rq, rq->args, "Handler", &handler, f) ||
	    !arg_str(rq, rq->args, "Description", &description, f) || !arg_str(rq, rq->args, "PackageType", &package, f) ||
	    !arg_int(rq, rq->args, "Timeout", 1, 900, &timeout, f) ||
	    !arg_int(rq, rq->args, "MemorySize", 128, 10240, &memory, f))
		return false;
	if (!valid_name(name))
		return sim_fail(f, WHY_INVALID_VALUE, "Value '%.200s' at 'functionName' failed to satisfy constraint", name);
	if (world_function(w, name))
		return sim_fail(f, WHY_CONFLICT, "Function already exist: %s", name);
	const char *zip = json_get_str(json_get(rq->args, "Code"), "ZipFile");
	struct sim_function *fn = xcalloc(1, sizeof *fn);
	world_uuid(w, id);
	*fn = (struct sim_function){
		.name = xstrdup(name),
		.runtime = copy(runtime, NULL),
		.role = xstrdup(role),
		.handler = copy(handler, NULL),
		.description = copy(description, ""),
		.package_type = copy(package, "Zip"),
		.arch = xstrdup("x86_64"),
		.sha256 = code_digest(zip),
		.revision = xstrdup(id),
		.code_size = zip ? (int64_t)(strlen(zip) * 3 / 4) : 0,
		.timeout = timeout,
		.memory = memory,
		.storage = 512,
		.modified_ms = w->now_ms,
		.dlq_arn = copy(json_get_str(json_get(rq->args, "DeadLetterConfig"), "TargetArn"), NULL),
	};
	lambda_code_read(&fn->code, json_get(rq->args, "Environment"));
	world_function_add(w, fn);
	tell_members(w, o, fn);
	tell_states(o, false);
	return true;
}

static bool source_exists(const struct world *w, const char *arn)
{
	const char *name = world_arn_name(arn);
	return strstr(arn, ":sqs:") ? world_queue(w, name) != NULL : strstr(arn, ":kinesis:") && world_stream(w, name);
}

static bool read_mapping(const struct sim_req *rq, struct sim_mapping *m, struct sim_fail *f)
{
	const char *start = NULL;
	const struct json *types, *failure = json_get(json_get(rq->args, "DestinationConfig"), "OnFailure");
	bool stream = strstr(m->source_arn, ":kinesis:") != NULL;
	m->batch_size = stream ? 100 : 10;
	m->parallel = 1;
	m->retries = m->record_age_s = -1;
	m->enabled = true;
	if (!arg_int(rq, rq->args, "BatchSize", 1, 10000, &m->batch_size, f) ||
	    !arg_int(rq, rq->args, "MaximumBatchingWindowInSeconds", 0, 300, &m->window_s, f) ||
	    !arg_int(rq, rq->args, "ParallelizationFactor", 1, 10, &m->parallel, f) ||
	    !arg_int(rq, rq->args, "MaximumRetryAttempts", -1, 10000, &m->retries, f) ||
	    !arg_int(rq, rq->args, "MaximumRecordAgeInSeconds", -1, 604800, &m->record_age_s, f) ||
	    !arg_bool(rq, rq->args, "BisectBatchOnFunctionError", &m->bisect, f) ||
	    !arg_bool(rq, rq->args, "Enabled", &m->enabled, f) || !arg_str(rq, rq->args, "StartingPosition", &start, f) ||
	    !arg_list(rq, rq->args, "FunctionResponseTypes", 1, &types, f))
		return false;
	if (stream && !start)
		return sim_fail(f, WHY_INVALID_VALUE,
		                "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
		                "constraint: Member must not be null.");
	m->starting_position = copy(start, NULL);
	m->partial = json_first(types) != NULL;
	m->on_failure = copy(json_get_str(failure, "Destination"), NULL);
	return true;
}

static bool create_mapping(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *source, *function;
	char id[37];
	if (!arg_need(rq, rq->args, "EventSourceArn", &source, f) || !arg_need(rq, rq->args, "FunctionName", &function, f))
		return false;
	struct sim_function *fn = find_function(w, function, f);
	if (!fn)
		return false;
	if (!source_exists(w, source))
		return sim_fail(f, WHY_INVALID_VALUE, "Event source does not exist: %.200s", source);
	struct sim_mapping *m = xcalloc(1, sizeof *m);
	world_uuid(w, id);
	m->uuid = xstrdup(id);
	m->source_arn = xstrdup(source);
	m->function = xstrdup(fn->name);
	m->modified_ms = w->now_ms;
	if (!read_mapping(rq, m, f)) {
		world_mapping_free(m);
		return false;
	}
	world_mapping_add(w, m);
	tell_mapping(w, o, m);
	return true;
}

/* ---- Invoke */

/* How an invocation ends. */
struct ending {
	const char *error; /* X-Amz-Function-Error; NULL = well */
	const char *type, *message;
};

static struct ending ending_of(struct world *w, const struct sim_req *rq, const struct sim_function *fn, bool failed,
                               char text[160])
{
	char when[CLOCK_RFC3339_SIZE];
	if (fault_inside(w, rq, FAULT_HANDLED))
		return (struct ending){ "Handled", "OrderError", "the order has no items" };
	if (fault_inside(w, rq, FAULT_TIMED_OUT)) {
		clock_rfc3339(w->now_ms / 1000, when);
		snprintf(text, 160, "%s 8f507cfc-1b7a-4d1a-a2c8-1f2e3d4c5b6a Task timed out after %" PRId64 ".00 seconds", when,
		         fn->timeout);
		return (struct ending){ "Unhandled", "Sandbox.Timedout", text };
	}
	if (failed || fault_inside(w, rq, FAULT_UNHANDLED))
		return (struct ending){ "Unhandled", "SimulatedError", "simulated failure" };
	return (struct ending){ NULL, NULL, NULL };
}

static void payload(struct sim_answer *a, const struct sim_function *fn, const struct ending *end)
{
	struct json_out o;
	a->type = "application/json";
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	if (end->error) {
		json_out_str(&o, "errorMessage", end->message);
		json_out_str(&o, "errorType", end->type);
		json_out_array(&o, "stackTrace");
		json_out_array_end(&o);
	} else {
		json_out_int(&o, "statusCode", 200);
		json_out_str(&o, "function", fn->name);
	}
	json_out_object_end(&o);
}

static void log_tail(struct sim_answer *a, const struct sim_function *fn, double ms)
{
	char text[400];
	struct buf b;
	int n = snprintf(text, sizeof text,
	                 "START Version: $LATEST\nEND\nREPORT Duration: %.2f ms\tMemory Size: %" PRId64 " MB\n", ms,
	                 fn->memory);
	buf_init(&b, 600);
	hash_base64(&b, text, (size_t)n);
	sim_answer_header(a, "X-Amz-Log-Result", "%s", b.p);
	buf_clear(&b);
}

static void tell_ending(struct world *w, const struct sim_req *rq, const struct sim_function *fn, bool failed,
                        const struct buf *report)
{
	char text[160];
	struct sim_answer *a = rq->answer;
	struct ending end = ending_of(w, rq, fn, failed, text);
	if (report->n && !end.error) {
		a->type = "application/json";
		buf_addspan(&a->body, buf_span(report));
	} else {
		payload(a, fn, &end);
	}
	if (end.error)
		sim_answer_header(a, "X-Amz-Function-Error", "%s", end.error);
}

static bool invoke(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_answer *a = rq->answer;
	const char *type = sim_header(rq, "x-amz-invocation-type"), *log = sim_header(rq, "x-amz-log-type");
	struct sim_function *fn = labelled(w, rq, f);
	struct err e;
	double ms = 0;
	(void)o;
	if (!fn)
		return false;
	if (rq->body.n > SYNC_MAX)
		return sim_fail(f, WHY_TOO_LARGE, "Request must be smaller than %u bytes for the InvokeFunction operation",
		                SYNC_MAX);
	if (rq->body.n && !scan_valid(rq->body, &e))
		return sim_fail(f, WHY_INVALID_CONTENT, "Could not parse request body into json: %s", e.text);
	if (is_pending(w, rq))
		return sim_fail(f, WHY_CONFLICT,
		                "The operation cannot be performed at this time. The function is currently in the following "
		                "state: Pending");
	a->raw = true;
	buf_reset(&a->body);
	sim_answer_header(a, "X-Amz-Executed-Version", "$LATEST");
	if (type && strcmp(type, "DryRun") == 0) {
		a->status = 204;
		return true;
	}
	bool failed = world_invoke(w, fn, &ms);
	struct buf report;
	buf_init(&report, SYNC_MAX);
	failed = lambda_run(w, fn, rq, &report) || failed;
	if (type && strcmp(type, "Event") == 0) {
		a->status = 202;
		buf_clear(&report);
		return true;
	}
	tell_ending(w, rq, fn, failed, &report);
	if (log && strcmp(log, "Tail") == 0)
		log_tail(a, fn, ms);
	buf_clear(&report);
	return true;
}

/* ---- the service */

#define FN "/2015-03-31/functions"
static const struct sim_op ops[] = {
	{ "ListFunctions", SIM_READ, list_functions, "GET", FN, 200 },
	{ "CreateFunction", SIM_WRITE, create_function, "POST", FN, 201 },
	{ "GetFunction", SIM_READ, get_function, "GET", FN "/{FunctionName}", 200 },
	{ "GetFunctionConfiguration", SIM_READ, get_configuration, "GET", FN "/{FunctionName}/configuration", 200 },
	{ "Invoke", SIM_WRITE, invoke, "POST", FN "/{FunctionName}/invocations", 200 },
	{ "ListEventSourceMappings", SIM_READ, list_mappings, "GET", "/2015-03-31/event-source-mappings", 200 },
	{ "CreateEventSourceMapping", SIM_WRITE, create_mapping, "POST", "/2015-03-31/event-source-mappings", 202 },
};

const struct sim_service sim_lambda = {
	.name = "lambda",
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
