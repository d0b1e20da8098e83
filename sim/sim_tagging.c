/* The resource groups tagging API: what the account's stack tagged, and alarms and topics with tags of their own, to be read. */
#include "sim/scenario.h"
#include "sim/sim_alarm.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTERS_MAX 50
#define VALUES_MAX 20

/* CloudFormation's own, and the stack's. */
static const struct sim_tag stack_tags[] = { { "aws:cloudformation:stack-name", SIM_STACK }, { "pipeline", "orders" } };

/* What has tags: the stack's members, alarms and topics. */
struct tagged {
	const char *service, *prefix, *name;
	const struct sim_tag *tags;
	unsigned ntags;
};

static bool exists(const struct world *w, const struct sim_member *m)
{
	if (strcmp(m->service, "sqs") == 0)
		return world_queue(w, m->name);
	return strcmp(m->service, "kinesis") == 0 ? world_stream(w, m->name) != NULL : world_function(w, m->name) != NULL;
}

/* The i-th; false past the last. name NULL: there is nothing there (any more). */
static bool tagged_at(const struct world *w, unsigned i, struct tagged *t)
{
	unsigned n;
	const struct sim_member *m = scenario_members(w, &n);
	*t = (struct tagged){ .name = NULL };
	if (i < n) {
		if (m[i].service && exists(w, &m[i]))
			*t = (struct tagged){ m[i].service, m[i].prefix, m[i].name, stack_tags, 2 };
		return true;
	}
	i -= n;
	if (i < w->nalarms) {
		const struct sim_alarm *a = w->alarms[i];
		*t = (struct tagged){ "cloudwatch", "alarm:", a->ntags ? a->name : NULL, a->tags, a->ntags };
		return true;
	}
	i -= w->nalarms;
	if (i >= w->ntopics)
		return false;
	const struct sim_topic *topic = w->topics[i];
	*t = (struct tagged){ "sns", "", topic->ntags ? topic->name : NULL, topic->tags, topic->ntags };
	return true;
}

/* One filter: a key, and any of its values; without values any will do. Filters are all to be met. */
static bool one_met(const struct sim_req *rq, const struct json *filter, const struct tagged *of, bool *met,
                    struct sim_fail *f)
{
	const char *key, *value;
	const struct json *values, *v;
	if (!arg_need(rq, filter, "Key", &key, f) || !arg_list(rq, filter, "Values", VALUES_MAX, &values, f))
		return false;
	const struct sim_tag *t = NULL;
	for (unsigned i = 0; i < of->ntags; i++)
		if (strcmp(of->tags[i].key, key) == 0)
			t = &of->tags[i];
	bool any = !json_first(values);
	for (v = json_first(values); v; v = json_next(v)) {
		if (!node_str(rq, v, "Values", &value, f))
			return false;
		any = any || (t && strcmp(t->value, value) == 0);
	}
	*met = *met && t && any;
	return true;
}

static bool filters_met(const struct sim_req *rq, const struct tagged *t, bool *met, struct sim_fail *f)
{
	const struct json *filters;
	*met = t->name != NULL;
	if (!arg_list(rq, rq->args, "TagFilters", FILTERS_MAX, &filters, f))
		return false;
	for (const struct json *one = json_first(filters); one; one = json_next(one))
		if (!one_met(rq, one, t, met, f))
			return false;
	return true;
}

/* "sqs" or "kinesis:stream" */
static bool type_wanted(const char *filter, const struct tagged *t)
{
	size_t n = strlen(t->service), k = strlen(t->prefix);
	if (strncmp(filter, t->service, n) != 0)
		return false;
	return !filter[n] || (filter[n] == ':' && k && strncmp(filter + n + 1, t->prefix, k - 1) == 0 && !filter[n + k]);
}

static bool wanted(const struct sim_req *rq, const struct tagged *t, bool *yes, struct sim_fail *f)
{
	const struct json *types;
	const char *type;
	if (!arg_list(rq, rq->args, "ResourceTypeFilters", 100, &types, f))
		return false;
	bool any = !json_first(types);
	for (const struct json *e = json_first(types); e; e = json_next(e)) {
		if (!node_str(rq, e, "ResourceTypeFilters", &type, f))
			return false;
		any = any || (t->name && type_wanted(type, t));
	}
	*yes = *yes && any;
	return true;
}

static void tell(const struct world *w, struct wr *o, const struct tagged *t)
{
	char arn[400], resource[300];
	snprintf(resource, sizeof resource, "%s%.255s", t->prefix, t->name);
	world_arn(w, t->service, resource, arn, sizeof arn);
	wr_object(o, NULL);
	wr_str(o, "ResourceARN", arn);
	wr_list(o, "Tags", NULL);
	for (unsigned i = 0; i < t->ntags; i++) {
		wr_object(o, NULL);
		wr_str(o, "Key", t->tags[i].key);
		wr_str(o, "Value", t->tags[i].value);
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
	unsigned i;
	struct tagged t;
	bool yes;
	if (!arg_int(rq, rq->args, "ResourcesPerPage", 1, 100, &most, f) ||
	    !arg_str(rq, rq->args, "PaginationToken", &token, f) ||
	    (token && *token && !token_read(token, "GetResources", from, sizeof from, f)))
		return false;
	wr_list(o, "ResourceTagMappingList", NULL);
	for (i = (unsigned)strtoul(from, NULL, 10); told < most && tagged_at(w, i, &t); i++) {
		if (!filters_met(rq, &t, &yes, f) || !wanted(rq, &t, &yes, f))
			return false;
		if (!yes)
			continue;
		tell(w, o, &t);
		told++;
	}
	wr_list_end(o);
	if (tagged_at(w, i, &t))
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
