/* The resource groups tagging API: what the account's stack tagged, to be read. */
#include "core/mem.h"
#include "sim/scenario.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <stdio.h>
#include <string.h>

#define FILTERS_MAX 50
#define VALUES_MAX 20

struct tag {
	const char *key, *value;
};
/* CloudFormation's own, and the stack's. */
static const struct tag tags[] = { { "aws:cloudformation:stack-name", SIM_STACK }, { "pipeline", "orders" } };
#define NTAGS (sizeof tags / sizeof *tags)

/* One filter: a key, and any of its values; without values any will do. Filters are all to be met. */
static bool one_met(const struct sim_req *rq, const struct json *filter, bool *met, struct sim_fail *f)
{
	const char *key, *value;
	const struct json *values, *v;
	if (!arg_need(rq, filter, "Key", &key, f) || !arg_list(rq, filter, "Values", VALUES_MAX, &values, f))
		return false;
	const struct tag *t = NULL;
	for (unsigned i = 0; i < NTAGS; i++)
		if (strcmp(tags[i].key, key) == 0)
			t = &tags[i];
	bool any = !json_first(values);
	for (v = json_first(values); v; v = json_next(v)) {
		if (!node_str(rq, v, "Values", &value, f))
			return false;
		any = any || (t && strcmp(t->value, value) == 0);
	}
	*met = *met && t && any;
	return true;
}

static bool filters_met(const struct sim_req *rq, bool *met, struct sim_fail *f)
{
	const struct json *filters;
	*met = true;
	if (!arg_list(rq, rq->args, "TagFilters", FILTERS_MAX, &filters, f))
		return false;
	for (const struct json *one = json_first(filters); one; one = json_next(one))
		if (!one_met(rq, one, met, f))
			return false;
	return true;
}

/* "sqs" or "kinesis:stream" */
static bool type_wanted(const char *filter, const struct sim_member *m)
{
	size_t n = strlen(m->service), k = strlen(m->prefix);
	if (strncmp(filter, m->service, n) != 0)
		return false;
	return !filter[n] || (filter[n] == ':' && k && strncmp(filter + n + 1, m->prefix, k - 1) == 0 && !filter[n + k]);
}

static bool wanted(const struct sim_req *rq, const struct sim_member *m, bool *yes, struct sim_fail *f)
{
	const struct json *types;
	const char *type;
	if (!arg_list(rq, rq->args, "ResourceTypeFilters", 100, &types, f))
		return false;
	*yes = m->service && !json_first(types);
	for (const struct json *t = json_first(types); t; t = json_next(t)) {
		if (!node_str(rq, t, "ResourceTypeFilters", &type, f))
			return false;
		*yes = *yes || (m->service && type_wanted(type, m));
	}
	return true;
}

static bool exists(const struct world *w, const struct sim_member *m)
{
	if (strcmp(m->service, "sqs") == 0)
		return world_queue(w, m->name);
	return strcmp(m->service, "kinesis") == 0 ? world_stream(w, m->name) != NULL : world_function(w, m->name) != NULL;
}

static void tell(const struct world *w, struct wr *o, const struct sim_member *m)
{
	char arn[256], resource[128];
	snprintf(resource, sizeof resource, "%s%s", m->prefix, m->name);
	world_arn(w, m->service, resource, arn, sizeof arn);
	wr_object(o, NULL);
	wr_str(o, "ResourceARN", arn);
	wr_list(o, "Tags", NULL);
	for (unsigned i = 0; i < NTAGS; i++) {
		wr_object(o, NULL);
		wr_str(o, "Key", tags[i].key);
		wr_str(o, "Value", tags[i].value);
		wr_object_end(o);
	}
	wr_list_end(o);
	wr_object_end(o);
}

static bool get_resources(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *token = NULL;
	char from[32] = "0";
	int64_t most = 50, told = 0;
	unsigned n, i = 0;
	bool met, yes;
	if (!arg_int(rq, rq->args, "ResourcesPerPage", 1, 100, &most, f) ||
	    !arg_str(rq, rq->args, "PaginationToken", &token, f) || !filters_met(rq, &met, f) ||
	    (token && *token && !token_read(token, "GetResources", from, sizeof from, f)))
		return false;
	const struct sim_member *m = scenario_members(w, &n);
	sscanf(from, "%u", &i);
	wr_list(o, "ResourceTagMappingList", NULL);
	for (; met && i < n && told < most; i++) {
		if (!wanted(rq, &m[i], &yes, f))
			return false;
		if (!yes || !exists(w, &m[i]))
			continue;
		tell(w, o, &m[i]);
		told++;
	}
	wr_list_end(o);
	if (met && i < n)
		token_write(o, "PaginationToken", "GetResources", "%u", i);
	else
		wr_str(o, "PaginationToken", "");
	return true;
}

static const struct sim_op ops[] = {
	{ .name = "GetResources", .effect = SIM_READ, .handle = get_resources },
};

const struct sim_service sim_tagging = {
	.name = "tagging",
	.target = "ResourceGroupsTaggingAPI_20170126",
	.json11 = true,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
