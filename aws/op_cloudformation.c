/* CloudFormation: ListStackResources (query, XML). */
#include "aws/op_group.h"
#include "aws/wire.h"
#include "aws/xml.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct service service_cloudformation = {
	.id = "cloudformation",
	.host = "cloudformation",
	.signing = "cloudformation",
	.env = "CLOUDFORMATION",
	.version = "2010-05-15",
	.wire = WIRE_QUERY,
};

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct group_in *q = in;
	bool ok = wire_param(&rq->body, "StackName", q->stack) && wire_param(&rq->body, "NextToken", q->page.token);
	return ok || err_set(e, ERR_LIMIT, "xml", "the request is too large");
}

#define RESULT "ListStackResourcesResponse/ListStackResourcesResult"
#define MEMBER RESULT "/StackResourceSummaries/member"

struct summaries {
	struct found *found;
	char *id, *type, *status; /* of the member being read */
	bool whole;               /* the result's own end was seen */
};

static void drop_member(struct summaries *r)
{
	free(r->id);
	free(r->type);
	free(r->status);
	r->id = r->type = r->status = NULL;
}

static void put(char **slot, struct span v)
{
	free(*slot);
	*slot = xstrndup(v.p, v.n);
}

/* What was deleted stays in the list for a while; what is being made has no physical id yet. */
static void end_member(struct summaries *r)
{
	if (r->id && *r->id && r->type && !(r->status && strcmp(r->status, "DELETE_COMPLETE") == 0))
		found_add(r->found, r->id, NULL, r->type);
	drop_member(r);
}

static bool element(void *ctx, const char *path, struct span v)
{
	struct summaries *r = ctx;
	if (strcmp(path, MEMBER "/PhysicalResourceId") == 0)
		put(&r->id, v);
	else if (strcmp(path, MEMBER "/ResourceType") == 0)
		put(&r->type, v);
	else if (strcmp(path, MEMBER "/ResourceStatus") == 0)
		put(&r->status, v);
	else if (strcmp(path, MEMBER) == 0)
		end_member(r);
	else if (strcmp(path, RESULT "/NextToken") == 0) {
		char *token = xstrndup(v.p, v.n);
		wire_token(&r->found->page, token);
		free(token);
	} else if (strcmp(path, RESULT) == 0)
		r->whole = true;
	return true;
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct summaries r = { .found = out };
	wire_token(&r.found->page, NULL);
	bool ok = xml_read(rs->body, element, &r, e);
	drop_member(&r);
	return ok && (r.whole || err_set(e, ERR_BADREPLY, "xml", "not a list of a stack's resources"));
}

const struct op op_list_stack_resources = {
	.service = &service_cloudformation,
	.name = "ListStackResources",
	.iam = "cloudformation:ListStackResources",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 5,
	.cap = 4u * 1024 * 1024, /* a stack has 500 resources at the most */
	.build = build,
	.read = read,
};
