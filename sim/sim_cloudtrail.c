/* CloudTrail: LookupEvents over what sim_trail.c keeps. */
#include "sim/sim_req.h"
#include "sim/sim_trail.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 50

struct lookup {
	const char *key, *value; /* NULL = no attribute */
	int64_t from, to, max;
	unsigned skip;
};

static const char *const keys[] = { "EventId",      "EventName",    "ReadOnly",    "Username",
	                                "ResourceType", "ResourceName", "EventSource", "AccessKeyId" };

static bool read_attribute(const struct sim_req *rq, struct lookup *l, struct sim_fail *f)
{
	const struct json *list, *one;
	if (!arg_list(rq, rq->args, "LookupAttributes", 100, &list, f))
		return false;
	if (!(one = json_first(list)))
		return true;
	if (json_next(one))
		return sim_fail(f, WHY_INVALID_LOOKUP, "You can specify only one lookup attribute.");
	if (!arg_need(rq, one, "AttributeKey", &l->key, f) || !arg_need(rq, one, "AttributeValue", &l->value, f))
		return false;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i], l->key) == 0)
			return true;
	return sim_fail(f, WHY_INVALID_LOOKUP, "%.80s is not a valid lookup attribute key.", l->key);
}

static bool read_lookup(const struct sim_req *rq, struct lookup *l, struct sim_fail *f)
{
	const char *token = NULL;
	char at[32] = "";
	*l = (struct lookup){ .from = INT64_MIN, .to = INT64_MAX, .max = PAGE };
	if (!read_attribute(rq, l, f) || !arg_time(rq, rq->args, "StartTime", &l->from, f) ||
	    !arg_time(rq, rq->args, "EndTime", &l->to, f) || !arg_int(rq, rq->args, "MaxResults", 1, PAGE, &l->max, f) ||
	    !arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	if (l->from > l->to)
		return sim_fail(f, WHY_INVALID_TIME_RANGE, "The start time must be before the end time.");
	if (token && *token && !token_read(token, "LookupEvents", at, sizeof at, f))
		return sim_fail(f, WHY_INVALID_TRAIL_TOKEN, "The token is invalid or was made for another request.");
	l->skip = (unsigned)strtoul(at, NULL, 10);
	return true;
}

static const char *attribute(const struct trail_event *e, const char *key)
{
	const char *const values[] = { e->id, e->name, "false", e->user, e->type, e->resource, e->source, e->akid };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i], key) == 0)
			return values[i];
	return NULL;
}

static bool wanted(const struct trail_event *e, const struct lookup *l)
{
	int64_t at = e->at_ms / 1000 * 1000;
	if (at < l->from || at > l->to)
		return false;
	const char *value = l->key ? attribute(e, l->key) : NULL;
	return !l->key || (value && strcmp(value, l->value) == 0);
}

static void tell(struct wr *o, const struct trail_event *e)
{
	wr_object(o, NULL);
	wr_str(o, "EventId", e->id);
	wr_str(o, "EventName", e->name);
	wr_str(o, "ReadOnly", "false");
	wr_str(o, "AccessKeyId", e->akid);
	wr_time(o, "EventTime", e->at_ms / 1000 * 1000);
	wr_str(o, "EventSource", e->source);
	wr_str(o, "Username", e->user);
	wr_list(o, "Resources", NULL);
	if (e->resource) {
		wr_object(o, NULL);
		wr_str(o, "ResourceType", e->type);
		wr_str(o, "ResourceName", e->resource);
		wr_object_end(o);
	}
	wr_list_end(o);
	wr_str(o, "CloudTrailEvent", e->document);
	wr_object_end(o);
}

/* Newest first. */
static bool lookup_events(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct lookup l;
	unsigned seen = 0, end;
	if (!read_lookup(rq, &l, f))
		return false;
	end = l.skip + (unsigned)l.max;
	wr_list(o, "Events", NULL);
	for (unsigned i = w->ntrail; i-- > 0 && seen <= end;) {
		if (!wanted(&w->trail[i], &l))
			continue;
		if (seen >= l.skip && seen < end)
			tell(o, &w->trail[i]);
		seen++;
	}
	wr_list_end(o);
	if (seen > end)
		token_write(o, "NextToken", "LookupEvents", "%u", end);
	return true;
}

static const struct sim_op ops[] = {
	{ .name = "LookupEvents", .effect = SIM_READ, .handle = lookup_events },
};

const struct sim_service sim_cloudtrail = {
	.name = "cloudtrail",
	.target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
	.json11 = true,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
