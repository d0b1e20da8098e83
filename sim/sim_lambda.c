#include "sim/sim_invoke.h"
#include "sim/sim_lam.h"
#include "sim/sim_version.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_PAGE 50
#define SYNC_MAX (6u << 20)

/* ---- naming a function */

/* A name, name:alias, or an ARN with or without a qualifier. */
void lam_split_name(const char *text, char *name, size_t size, char *qualifier, size_t qsize)
{
	const char *mark = strstr(text, ":function:");
	const char *from = mark ? mark + 10 : text;
	size_t n = strcspn(from, ":");
	snprintf(name, size, "%.*s", (int)n, from);
	snprintf(qualifier, qsize, "%s", from[n] ? from + n + 1 : "");
}

void lam_arn(const struct world *w, const char *name, const char *qualifier, char *out, size_t size)
{
	char resource[340];
	snprintf(resource, sizeof resource, "function:%s%s%.128s", name, qualifier ? ":" : "", qualifier ? qualifier : "");
	world_arn(w, "lambda", resource, out, size);
}

bool lam_find(struct world *w, const char *text, struct lam_target *t, struct sim_fail *f)
{
	char name[160], arn[400];
	lam_split_name(text, name, sizeof name, t->qualifier, sizeof t->qualifier);
	lam_arn(w, name, *t->qualifier ? t->qualifier : NULL, arn, sizeof arn);
	t->fn = world_function(w, name);
	t->version = 0;
	return (t->fn && version_of(t->fn, t->qualifier, &t->version)) ||
	       sim_fail(f, WHY_LAMBDA_NOT_FOUND, "Function not found: %s", arn);
}

bool lam_target(struct world *w, const struct sim_req *rq, struct lam_target *t, struct sim_fail *f)
{
	const char *name = json_get_str(rq->params, "FunctionName"), *said = json_get_str(rq->params, "Qualifier");
	char arn[400];
	if (!lam_find(w, name ? name : "", t, f))
		return false;
	if (!said || !*said)
		return true;
	if (*t->qualifier && strcmp(t->qualifier, said) != 0)
		return sim_fail(f, WHY_INVALID_VALUE,
		                "The derived qualifier from the function name does not match the specified qualifier.");
	snprintf(t->qualifier, sizeof t->qualifier, "%s", said);
	lam_arn(w, t->fn->name, t->qualifier, arn, sizeof arn);
	return version_of(t->fn, said, &t->version) || sim_fail(f, WHY_LAMBDA_NOT_FOUND, "Function not found: %s", arn);
}

/* ---- telling */

static void tell_code(struct wr *o, const struct sim_function *fn, const struct sim_version *v)
{
	char when[CLOCK_RFC3339_SIZE], modified[48], number[16];
	int64_t at = v ? v->modified_ms : fn->modified_ms;
	clock_rfc3339(at / 1000, when);
	snprintf(modified, sizeof modified, "%.19s.%03d+0000", when, (int)(at % 1000));
	version_text(v ? v->number : 0, number);
	wr_str(o, "Description", v ? v->description : fn->description ? fn->description : "");
	wr_str(o, "LastModified", modified);
	wr_str(o, "CodeSha256", v ? v->sha256 : fn->sha256);
	wr_str(o, "Version", number);
	wr_str(o, "RevisionId", v ? v->revision : fn->revision);
}

void lam_tell(const struct world *w, struct wr *o, const struct lam_target *t)
{
	char arn[400];
	const struct sim_function *fn = t->fn;
	lam_arn(w, fn->name, *t->qualifier ? t->qualifier : NULL, arn, sizeof arn);
	wr_str(o, "FunctionName", fn->name);
	wr_str(o, "FunctionArn", arn);
	wr_str(o, "Runtime", fn->runtime);
	wr_str(o, "Role", fn->role);
	wr_str(o, "Handler", fn->handler);
	wr_int(o, "CodeSize", fn->code_size);
	wr_int(o, "Timeout", fn->timeout);
	wr_int(o, "MemorySize", fn->memory);
	tell_code(o, fn, t->version ? version_find(fn, t->version) : NULL);
	if (fn->dlq_arn) {
		wr_object(o, "DeadLetterConfig");
		wr_str(o, "TargetArn", fn->dlq_arn);
		wr_object_end(o);
	}
	wr_object(o, "TracingConfig");
	wr_str(o, "Mode", "PassThrough");
	wr_object_end(o);
	wr_str(o, "PackageType", fn->package_type);
	wr_list(o, "Architectures", NULL);
	wr_str(o, NULL, fn->arch);
	wr_list_end(o);
	wr_object(o, "EphemeralStorage");
	wr_int(o, "Size", fn->storage);
	wr_object_end(o);
	char group[160];
	snprintf(group, sizeof group, "/aws/lambda/%.128s", fn->name);
	wr_object(o, "LoggingConfig");
	wr_str(o, "LogFormat", "Text");
	wr_str(o, "LogGroup", group);
	wr_object_end(o);
}

static void tell_latest(const struct world *w, struct wr *o, struct sim_function *fn)
{
	struct lam_target t = { .fn = fn };
	lam_tell(w, o, &t);
}

/* ListFunctions leaves the states out. */
void lam_tell_states(struct wr *o, bool pending)
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
	struct lam_target t;
	if (!lam_target(w, rq, &t, f))
		return false;
	lam_tell(w, o, &t);
	lam_tell_states(o, is_pending(w, rq));
	return true;
}

/* All of it; its mappings stay, and bring nothing any more. One version alone is not simulated. */
static bool delete_function(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	bool found;
	(void)o;
	if (!lam_target(w, rq, &t, f))
		return false;
	unsigned at = world_find((void *const *)w->functions, w->nfunctions, t.fn->name, &found);
	WORLD_REMOVE(w->functions, w->nfunctions, at);
	world_function_free(t.fn);
	return true;
}

static bool get_function(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lam_target t;
	if (!lam_target(w, rq, &t, f))
		return false;
	wr_object(o, "Configuration");
	lam_tell(w, o, &t);
	lam_tell_states(o, is_pending(w, rq));
	wr_object_end(o);
	wr_object(o, "Code");
	wr_str(o, "RepositoryType", "S3");
	wr_object_end(o);
	wr_object(o, "Tags");
	wr_object_end(o);
	if (t.fn->reserved_said) {
		wr_object(o, "Concurrency");
		wr_int(o, "ReservedConcurrentExecutions", t.fn->reserved);
		wr_object_end(o);
	}
	return true;
}

/* ---- lists */

bool lam_marker(const struct sim_req *rq, const char *op, char *last, size_t size, bool *any, struct sim_fail *f)
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
	    !lam_marker(rq, "ListFunctions", last, sizeof last, &any, f))
		return false;
	if (any)
		i = world_find((void *const *)w->functions, w->nfunctions, last, &found) + found;
	if (max > FUNCTIONS_PAGE)
		max = FUNCTIONS_PAGE;
	wr_list(o, "Functions", NULL);
	for (; i < w->nfunctions && n < max; i++, n++) {
		wr_object(o, NULL);
		tell_latest(w, o, w->functions[i]);
		wr_object_end(o);
	}
	wr_list_end(o);
	if (i < w->nfunctions)
		token_write(o, "NextMarker", "ListFunctions", "%s", w->functions[i - 1]->name);
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
	tell_latest(w, o, fn);
	lam_tell_states(o, false);
	return true;
}

/* ---- Invoke */

static enum sim_shape forced(struct world *w, const struct sim_req *rq)
{
	if (fault_inside(w, rq, FAULT_TIMED_OUT))
		return SHAPE_TIMEOUT;
	return fault_inside(w, rq, FAULT_UNHANDLED) ? SHAPE_SIMULATED : SHAPE_NONE;
}

static void tell_error(struct sim_answer *a, const struct sim_run *run)
{
	struct json_out o;
	char message[400];
	shape_message(run, message, sizeof message);
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "errorType", shape_type(run->failure->shape));
	json_out_str(&o, "errorMessage", message);
	if (*shape_trace(run->failure->shape)) {
		json_out_str(&o, "requestId", run->id);
		json_out_array(&o, "stackTrace");
		for (const char *const *t = shape_trace(run->failure->shape); *t; t++)
			json_out_str(&o, NULL, *t);
		json_out_array_end(&o);
	}
	json_out_object_end(&o);
}

/* A function that says itself that it failed. */
static void tell_handled(struct sim_answer *a)
{
	struct json_out o;
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "errorMessage", "the order has no items");
	json_out_str(&o, "errorType", "OrderError");
	json_out_array(&o, "stackTrace");
	json_out_array_end(&o);
	json_out_object_end(&o);
}

static void tell_success(struct sim_answer *a, const struct sim_function *fn)
{
	struct json_out o;
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_int(&o, "statusCode", 200);
	json_out_str(&o, "function", fn->name);
	json_out_object_end(&o);
}

struct tail {
	struct log_sink sink;
	struct buf b;
};

static void add_line(struct log_sink *to, int64_t at_ms, const char *stream, const char *text)
{
	(void)at_ms, (void)stream;
	buf_adds(&((struct tail *)to)->b, text);
}

#define TAIL_MAX 350 /* what a header of an answer here holds, in base64 */
static void log_tail(struct sim_answer *a, const struct sim_run *run)
{
	struct tail t = { { add_line }, { 0 } };
	struct buf b;
	buf_init(&t.b, 8192);
	run_lines(run, &t.sink);
	size_t skip = t.b.n > TAIL_MAX ? t.b.n - TAIL_MAX : 0;
	buf_init(&b, 600);
	hash_base64(&b, t.b.p + skip, t.b.n - skip);
	sim_answer_header(a, "X-Amz-Log-Result", "%s", b.p);
	buf_clear(&b);
	buf_clear(&t.b);
}

static void answer_invoke(struct world *w, struct sim_req *rq, const struct sim_run *run, const struct buf *report)
{
	struct sim_answer *a = rq->answer;
	const char *log = sim_header(rq, "x-amz-log-type");
	a->type = "application/json";
	if (fault_inside(w, rq, FAULT_HANDLED))
		tell_handled(a), sim_answer_header(a, "X-Amz-Function-Error", "Handled");
	else if (run->failure)
		tell_error(a, run), sim_answer_header(a, "X-Amz-Function-Error", "Unhandled");
	else if (report->n)
		buf_addspan(&a->body, buf_span(report));
	else
		tell_success(a, run->fn);
	if (log && strcmp(log, "Tail") == 0)
		log_tail(a, run);
}

static void run_code(struct world *w, struct sim_req *rq, const struct lam_target *t, bool event)
{
	struct buf report;
	buf_init(&report, SYNC_MAX);
	enum sim_shape shape = lambda_run(w, t->fn, rq, &report) ? SHAPE_SIMULATED : SHAPE_NONE, said = forced(w, rq);
	struct sim_call call = {
		.version = t->version, .payload = rq->body, .id = rq->id, .failure = { said ? said : shape, "" }
	};
	sim_invoke(w, t->fn, &call);
	struct sim_run run = { .fn = t->fn,
		                   .version = t->version,
		                   .start_ms = w->now_ms,
		                   .ms = call.ms,
		                   .failure = call.failure.shape == SHAPE_NONE ? NULL : &call.failure };
	memcpy(run.id, call.request, sizeof run.id);
	if (event)
		rq->answer->status = 202;
	else
		answer_invoke(w, rq, &run, &report);
	buf_clear(&report);
}

static bool invoke(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_answer *a = rq->answer;
	const char *type = sim_header(rq, "x-amz-invocation-type");
	struct lam_target t;
	struct err e;
	(void)o;
	if (!lam_target(w, rq, &t, f))
		return false;
	char version[16];
	version_text(t.version, version);
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
	sim_answer_header(a, "X-Amz-Executed-Version", "%s", version);
	if (type && strcmp(type, "DryRun") == 0) {
		a->status = 204;
		return true;
	}
	run_code(w, rq, &t, type && strcmp(type, "Event") == 0);
	return true;
}

/* ---- the service */

#define FN "/2015-03-31/functions"
#define CONCURRENCY "/2017-10-31/functions/{FunctionName}/concurrency"
#define ASYNC "/2019-09-25/functions/{FunctionName}/event-invoke-config"
static const struct sim_op ops[] = {
	{ "ListFunctions", SIM_READ, list_functions, "GET", FN, 200 },
	{ "CreateFunction", SIM_WRITE, create_function, "POST", FN, 201 },
	{ "DeleteFunction", SIM_WRITE, delete_function, "DELETE", FN "/{FunctionName}", 204 },
	{ "GetFunction", SIM_READ, get_function, "GET", FN "/{FunctionName}", 200 },
	{ "GetFunctionConfiguration", SIM_READ, get_configuration, "GET", FN "/{FunctionName}/configuration", 200 },
	{ "ListVersionsByFunction", SIM_READ, lam_list_versions, "GET", FN "/{FunctionName}/versions", 200 },
	{ "PublishVersion", SIM_WRITE, lam_publish_version, "POST", FN "/{FunctionName}/versions", 201 },
	{ "UpdateFunctionCode", SIM_WRITE, lam_update_code, "PUT", FN "/{FunctionName}/code", 200 },
	{ "ListAliases", SIM_READ, lam_list_aliases, "GET", FN "/{FunctionName}/aliases", 200 },
	{ "CreateAlias", SIM_WRITE, lam_create_alias, "POST", FN "/{FunctionName}/aliases", 201 },
	{ "GetAlias", SIM_READ, lam_get_alias, "GET", FN "/{FunctionName}/aliases/{Name}", 200 },
	{ "UpdateAlias", SIM_WRITE, lam_update_alias, "PUT", FN "/{FunctionName}/aliases/{Name}", 200 },
	{ "DeleteAlias", SIM_WRITE, lam_delete_alias, "DELETE", FN "/{FunctionName}/aliases/{Name}", 204 },
	{ "GetFunctionConcurrency", SIM_READ, lam_get_concurrency, "GET",
	  "/2019-09-30/functions/{FunctionName}/concurrency", 200 },
	{ "PutFunctionConcurrency", SIM_WRITE, lam_put_concurrency, "PUT", CONCURRENCY, 200 },
	{ "DeleteFunctionConcurrency", SIM_WRITE, lam_delete_concurrency, "DELETE", CONCURRENCY, 204 },
	{ "GetFunctionEventInvokeConfig", SIM_READ, lam_get_async, "GET", ASYNC, 200 },
	{ "ListFunctionEventInvokeConfigs", SIM_READ, lam_list_async, "GET", ASYNC "/list", 200 },
	{ "PutFunctionEventInvokeConfig", SIM_WRITE, lam_put_async, "PUT", ASYNC, 200 },
	{ "Invoke", SIM_WRITE, invoke, "POST", FN "/{FunctionName}/invocations", 200 },
	{ "ListEventSourceMappings", SIM_READ, lam_list_mappings, "GET", "/2015-03-31/event-source-mappings", 200 },
	{ "GetEventSourceMapping", SIM_READ, lam_get_mapping, "GET", "/2015-03-31/event-source-mappings/{UUID}", 200 },
	{ "UpdateEventSourceMapping", SIM_WRITE, lam_update_mapping, "PUT", "/2015-03-31/event-source-mappings/{UUID}",
	  202 },
	{ "CreateEventSourceMapping", SIM_WRITE, lam_create_mapping, "POST", "/2015-03-31/event-source-mappings", 202 },
};

const struct sim_service sim_lambda = {
	.name = "lambda",
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
