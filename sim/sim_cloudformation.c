/* CloudFormation: the account's one stack, to be read. */
#include "core/mem.h"
#include "sim/scenario.h"
#include "sim/sim_req.h"
#include "sim/sim_sqs_msg.h"
#include "sim/world.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define PAGE 100

static void stack_arn(const struct world *w, char *out, size_t size)
{
	world_arn(w, "cloudformation", "stack/" SIM_STACK "/5f3c6f60-0e1b-11f1-8a57-0a1b2c3d4e5f", out, size);
}

/* By name or by ARN; without one DescribeStacks tells all. */
static bool named(const struct world *w, const char *name, struct sim_fail *f)
{
	char arn[256];
	unsigned n;
	scenario_members(w, &n);
	stack_arn(w, arn, sizeof arn);
	return (n && (strcmp(name, SIM_STACK) == 0 || strcmp(name, arn) == 0)) ||
	       sim_fail(f, WHY_VALIDATION, "Stack with id %.200s does not exist", name);
}

static bool describe_stacks(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name = NULL;
	char arn[256];
	unsigned n;
	if (!arg_str(rq, rq->args, "StackName", &name, f) || (name && !named(w, name, f)))
		return false;
	scenario_members(w, &n);
	stack_arn(w, arn, sizeof arn);
	wr_list(o, "Stacks", "member");
	if (n) {
		wr_object(o, NULL);
		wr_str(o, "StackId", arn);
		wr_str(o, "StackName", SIM_STACK);
		wr_time(o, "CreationTime", w->minute0 * 60000 - 41 * DAY_MS);
		wr_str(o, "StackStatus", "UPDATE_COMPLETE");
		wr_list(o, "Tags", "member");
		wr_object(o, NULL);
		wr_str(o, "Key", "pipeline");
		wr_str(o, "Value", "orders");
		wr_object_end(o);
		wr_list_end(o);
		wr_object_end(o);
	}
	wr_list_end(o);
	return true;
}

static void tell_member(const struct world *w, const struct sim_req *rq, struct wr *o, const struct sim_member *m)
{
	char url[512];
	bool queue = strcmp(m->type, "AWS::SQS::Queue") == 0;
	if (queue)
		sqs_queue_url(rq, m->name, url, sizeof url);
	wr_object(o, NULL);
	wr_str(o, "LogicalResourceId", m->logical);
	wr_str(o, "PhysicalResourceId", queue ? url : m->name);
	wr_str(o, "ResourceType", m->type);
	wr_time(o, "LastUpdatedTimestamp", w->minute0 * 60000 - 21 * DAY_MS);
	wr_str(o, "ResourceStatus", m->deleted ? "DELETE_COMPLETE" : "CREATE_COMPLETE");
	wr_object(o, "DriftInformation");
	wr_str(o, "StackResourceDriftStatus", "NOT_CHECKED");
	wr_object_end(o);
	wr_object_end(o);
}

static bool list_stack_resources(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name, *token = NULL;
	char from[32] = "0";
	unsigned n, i = 0;
	if (!arg_need(rq, rq->args, "StackName", &name, f) || !arg_str(rq, rq->args, "NextToken", &token, f) ||
	    !named(w, name, f) || (token && !token_read(token, "ListStackResources", from, sizeof from, f)))
		return false;
	const struct sim_member *m = scenario_members(w, &n);
	sscanf(from, "%u", &i);
	wr_list(o, "StackResourceSummaries", "member");
	for (unsigned told = 0; i < n && told < PAGE; i++, told++)
		tell_member(w, rq, o, &m[i]);
	wr_list_end(o);
	if (i < n)
		token_write(o, "NextToken", "ListStackResources", "%u", i);
	return true;
}

static const struct sim_op ops[] = {
	{ .name = "DescribeStacks", .effect = SIM_READ, .handle = describe_stacks },
	{ .name = "ListStackResources", .effect = SIM_READ, .handle = list_stack_resources },
};

const struct sim_service sim_cloudformation = {
	.name = "cloudformation",
	.version = "2010-05-15",
	.xmlns = "http://cloudformation.amazonaws.com/doc/2010-05-15/",
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
