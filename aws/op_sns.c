#include "aws/op_sns.h"

#include "aws/wire.h"
#include "aws/xml.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

const struct service service_sns = {
	.id = "sns",
	.host = "sns",
	.signing = "sns",
	.env = "SNS",
	.version = "2010-03-31",
	.wire = WIRE_QUERY,
};

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct list_subscriptions_in *q = in;
	bool ok = wire_param(&rq->body, "TopicArn", q->topic) && wire_param(&rq->body, "NextToken", q->page.token);
	return ok || err_set(e, ERR_LIMIT, "xml", "the request is too large");
}

#define RESULT "ListSubscriptionsByTopicResponse/ListSubscriptionsByTopicResult"
#define MEMBER RESULT "/Subscriptions/member"

struct member_read {
	struct list_subscriptions_out *out;
	char *arn, *protocol; /* of the member being read */
	bool whole;           /* the result's own end was seen */
};

static void put(char **slot, struct span v)
{
	free(*slot);
	*slot = xstrndup(v.p, v.n);
}

static void drop_member(struct member_read *r)
{
	free(r->arn);
	free(r->protocol);
	r->arn = r->protocol = NULL;
}

static void add_protocol(struct list_subscriptions_out *o, const char *name)
{
	for (unsigned i = 0; i < o->nprotocols; i++)
		if (strcmp(o->protocol[i], name) == 0)
			return;
	if (o->nprotocols < SNS_PROTOCOLS)
		o->protocol[o->nprotocols++] = xstrdup(name);
}

/* An unconfirmed subscription has no ARN but a word in its place: "PendingConfirmation", and "Deleted" for a while. */
static void end_member(struct member_read *r)
{
	if (r->arn && strncmp(r->arn, "arn:", 4) == 0) {
		r->out->confirmed++;
		add_protocol(r->out, r->protocol ? r->protocol : "?");
	} else if (!r->arn || strcmp(r->arn, "Deleted") != 0) {
		r->out->pending++;
	}
	drop_member(r);
}

static bool element(void *ctx, const char *path, struct span v)
{
	struct member_read *r = ctx;
	if (strcmp(path, MEMBER "/SubscriptionArn") == 0)
		put(&r->arn, v);
	else if (strcmp(path, MEMBER "/Protocol") == 0)
		put(&r->protocol, v);
	else if (strcmp(path, MEMBER) == 0)
		end_member(r);
	else if (strcmp(path, RESULT "/NextToken") == 0) {
		char *token = xstrndup(v.p, v.n);
		wire_token(&r->out->page, token);
		free(token);
	} else if (strcmp(path, RESULT) == 0)
		r->whole = true;
	return true;
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct member_read r = { .out = out };
	wire_token(&r.out->page, NULL);
	bool ok = xml_read(rs->body, element, &r, e);
	drop_member(&r);
	return ok && (r.whole || err_set(e, ERR_BADREPLY, "xml", "not a list of a topic's subscriptions"));
}

void list_subscriptions_out_clear(struct list_subscriptions_out *o)
{
	for (unsigned i = 0; i < o->nprotocols; i++)
		free(o->protocol[i]);
	free(o->page.token);
	*o = (struct list_subscriptions_out){ 0 };
}

const struct op op_list_subscriptions = {
	.service = &service_sns,
	.name = "ListSubscriptionsByTopic",
	.iam = "sns:ListSubscriptionsByTopic",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 10,
	.cap = 1u * 1024 * 1024, /* 100 subscriptions, endpoints of 2 KiB and more */
	.build = build,
	.read = read,
};
