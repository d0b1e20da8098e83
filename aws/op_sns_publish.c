/* SNS Publish: one message to everybody who subscribed to a topic (query, XML). */
#include "aws/op_sns.h"

#include "aws/wire.h"
#include "aws/xml.h"

#include <stdio.h>
#include <string.h>

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct sns_publish_in *q = in;
	bool ok = wire_param(&rq->body, "TopicArn", q->topic) && wire_param(&rq->body, "Message", q->message) &&
	          wire_param(&rq->body, "Subject", q->subject);
	return ok || err_set(e, ERR_LIMIT, "xml", "the request is too large");
}

static bool element(void *ctx, const char *path, struct span v)
{
	struct sns_publish_out *o = ctx;
	if (strcmp(path, "PublishResponse/PublishResult/MessageId") == 0)
		snprintf(o->message_id, sizeof o->message_id, "%.*s", (int)v.n, v.p);
	return true;
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct sns_publish_out *o = out;
	o->message_id[0] = '\0';
	return xml_read(rs->body, element, o, e) &&
	       (o->message_id[0] || err_set(e, ERR_BADREPLY, "xml", "the answer to Publish names no message"));
}

const struct op op_sns_publish = {
	.service = &service_sns,
	.name = "Publish",
	.iam = "sns:Publish",
	.effect = OP_WRITE, /* not idempotent: everybody hears it once more */
	.cap = 64u * 1024,
	.build = build,
	.read = read,
};
