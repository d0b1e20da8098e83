/* Lambda: event source mappings. */
#include "sim/sim_lam.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPINGS_PAGE 100

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
	char arn[400], own[256], resource[80];
	bool stream = strstr(m->source_arn, ":kinesis:") != NULL;
	lam_arn(w, m->function, m->qualifier, arn, sizeof arn);
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
	wr_str(o, "LastProcessingResult",
	       w->law.held_ms && !w->law.passed && strcmp(m->function, "orders-enrich") == 0
	           ? "PROBLEM: Function call failed"
	           : "OK");
	wr_str(o, "StartingPosition", m->starting_position);
	wr_int(o, "ParallelizationFactor", m->parallel);
	wr_int(o, "MaximumRecordAgeInSeconds", m->record_age_s);
	wr_int(o, "MaximumRetryAttempts", m->retries);
	wr_bool(o, "BisectBatchOnFunctionError", m->bisect);
	wr_int(o, "TumblingWindowInSeconds", 0);
}

struct mapping_filter {
	const char *source, *function;
	char name[160], qualifier[130];
};

static bool mapping_wanted(const struct sim_mapping *m, const struct mapping_filter *want)
{
	return (!want->source || strcmp(want->source, m->source_arn) == 0) &&
	       (!want->function ||
	        (strcmp(want->name, m->function) == 0 && strcmp(want->qualifier, m->qualifier ? m->qualifier : "") == 0));
}

bool lam_list_mappings(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct mapping_filter want = { 0 };
	char last[64] = "";
	bool any, found = false;
	unsigned i = 0, n = 0;
	int64_t max = MAPPINGS_PAGE;
	if (!arg_int(rq, rq->params, "MaxItems", 1, 10000, &max, f) ||
	    !arg_str(rq, rq->params, "EventSourceArn", &want.source, f) ||
	    !arg_str(rq, rq->params, "FunctionName", &want.function, f) ||
	    !lam_marker(rq, "ListEventSourceMappings", last, sizeof last, &any, f))
		return false;
	if (want.function)
		lam_split_name(want.function, want.name, sizeof want.name, want.qualifier, sizeof want.qualifier);
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

static bool source_exists(const struct world *w, const char *arn)
{
	const char *name = world_arn_name(arn);
	return strstr(arn, ":sqs:") ? world_queue(w, name) != NULL : strstr(arn, ":kinesis:") && world_stream(w, name);
}

/* What is said; all else stays. */
static bool read_settings(const struct sim_req *rq, struct sim_mapping *m, struct sim_fail *f)
{
	const struct json *types, *failure = json_get(json_get(rq->args, "DestinationConfig"), "OnFailure");
	const char *to = json_get_str(failure, "Destination");
	if (!arg_int(rq, rq->args, "BatchSize", 1, 10000, &m->batch_size, f) ||
	    !arg_int(rq, rq->args, "MaximumBatchingWindowInSeconds", 0, 300, &m->window_s, f) ||
	    !arg_int(rq, rq->args, "ParallelizationFactor", 1, 10, &m->parallel, f) ||
	    !arg_int(rq, rq->args, "MaximumRetryAttempts", -1, 10000, &m->retries, f) ||
	    !arg_int(rq, rq->args, "MaximumRecordAgeInSeconds", -1, 604800, &m->record_age_s, f) ||
	    !arg_bool(rq, rq->args, "BisectBatchOnFunctionError", &m->bisect, f) ||
	    !arg_bool(rq, rq->args, "Enabled", &m->enabled, f) ||
	    !arg_list(rq, rq->args, "FunctionResponseTypes", 1, &types, f))
		return false;
	if (json_get(rq->args, "FunctionResponseTypes"))
		m->partial = json_first(types) != NULL;
	if (to) {
		free(m->on_failure);
		m->on_failure = xstrdup(to);
	}
	return true;
}

static bool read_mapping(const struct sim_req *rq, struct sim_mapping *m, struct sim_fail *f)
{
	const char *start = NULL;
	bool stream = strstr(m->source_arn, ":kinesis:") != NULL;
	m->batch_size = stream ? 100 : 10;
	m->parallel = 1;
	m->retries = m->record_age_s = -1;
	m->enabled = true;
	if (!read_settings(rq, m, f) || !arg_str(rq, rq->args, "StartingPosition", &start, f))
		return false;
	if (stream && !start)
		return sim_fail(f, WHY_INVALID_VALUE,
		                "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
		                "constraint: Member must not be null.");
	m->starting_position = start ? xstrdup(start) : NULL;
	return true;
}

bool lam_create_mapping(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *source, *function;
	char id[37];
	if (!arg_need(rq, rq->args, "EventSourceArn", &source, f) || !arg_need(rq, rq->args, "FunctionName", &function, f))
		return false;
	struct lam_target t;
	if (!lam_find(w, function, &t, f))
		return false;
	if (!source_exists(w, source))
		return sim_fail(f, WHY_INVALID_VALUE, "Event source does not exist: %.200s", source);
	struct sim_mapping *m = xcalloc(1, sizeof *m);
	world_uuid(w, id);
	m->uuid = xstrdup(id);
	m->source_arn = xstrdup(source);
	m->function = xstrdup(t.fn->name);
	m->qualifier = *t.qualifier ? xstrdup(t.qualifier) : NULL;
	m->modified_ms = w->now_ms;
	if (!read_mapping(rq, m, f)) {
		world_mapping_free(m);
		return false;
	}
	world_mapping_add(w, m);
	tell_mapping(w, o, m);
	return true;
}

static struct sim_mapping *mapping_named(const struct world *w, const struct sim_req *rq, struct sim_fail *f)
{
	const char *uuid = json_get_str(rq->params, "UUID");
	bool found;
	unsigned at = world_find((void *const *)w->mappings, w->nmappings, uuid ? uuid : "", &found);
	if (!found)
		sim_fail(f, WHY_LAMBDA_NOT_FOUND, "The resource you requested does not exist.");
	return found ? w->mappings[at] : NULL;
}

bool lam_get_mapping(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const struct sim_mapping *m = mapping_named(w, rq, f);
	if (m)
		tell_mapping(w, o, m);
	return m != NULL;
}

bool lam_update_mapping(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_mapping *m = mapping_named(w, rq, f);
	const char *function = NULL;
	struct lam_target t = { .fn = NULL };
	if (!m || !arg_str(rq, rq->args, "FunctionName", &function, f) || (function && !lam_find(w, function, &t, f)) ||
	    !read_settings(rq, m, f))
		return false;
	if (t.fn) {
		free(m->function);
		free(m->qualifier);
		m->function = xstrdup(t.fn->name);
		m->qualifier = *t.qualifier ? xstrdup(t.qualifier) : NULL;
	}
	m->modified_ms = w->now_ms;
	tell_mapping(w, o, m);
	return true;
}
