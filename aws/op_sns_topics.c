/* SNS: ListTopics, ListSubscriptionsByTopic whole, attributes, CreateTopic, Subscribe, Unsubscribe (query, XML). */
#include "aws/op_sns.h"

#include "aws/wire.h"
#include "aws/xml.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool built(bool ok, struct err *e)
{
	return ok || err_set(e, ERR_LIMIT, "xml", "the request is too large");
}

/* ---- lists */

static bool list_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct sns_list_in *q = in;
	return built(wire_param(&rq->body, "TopicArn", q->topic) && wire_param(&rq->body, "NextToken", q->page.token), e);
}

/* Path behind XxxResponse/XxxResult/: the same for both lists. */
static const char *inside(const char *path)
{
	const char *slash = strchr(path, '/');
	slash = slash ? strchr(slash + 1, '/') : NULL;
	return slash ? slash + 1 : "";
}

static bool is_result(const char *path)
{
	const char *slash = strchr(path, '/');
	return slash && !strchr(slash + 1, '/') && strlen(slash) > 6 && strcmp(slash + strlen(slash) - 6, "Result") == 0;
}

static void next_token(struct sns_list_out *o, struct span v)
{
	char *token = xstrndup(v.p, v.n);
	wire_token(&o->page, token);
	free(token);
}

static void add_topic(struct sns_list_out *o, struct span v)
{
	if (o->n == o->cap) {
		o->cap = o->cap ? 2 * o->cap : 32;
		o->topics = xreallocarray(o->topics, o->cap, sizeof *o->topics);
	}
	o->topics[o->n++] = arena_strndup(&o->mem, v.p, v.n);
}

static void add_sub(struct sns_list_out *o)
{
	MEM_GROW(o->subs, o->n, o->cap);
	o->subs[o->n++] = o->now;
	o->now = (struct sns_sub){ NULL, NULL, NULL };
}

static bool list_element(void *ctx, const char *path, struct span v)
{
	struct sns_list_out *o = ctx;
	const char *at = inside(path);
	if (strcmp(at, "Topics/member/TopicArn") == 0)
		add_topic(o, v);
	else if (strcmp(at, "Subscriptions/member/SubscriptionArn") == 0)
		o->now.arn = arena_strndup(&o->mem, v.p, v.n);
	else if (strcmp(at, "Subscriptions/member/Protocol") == 0)
		o->now.protocol = arena_strndup(&o->mem, v.p, v.n);
	else if (strcmp(at, "Subscriptions/member/Endpoint") == 0)
		o->now.endpoint = arena_strndup(&o->mem, v.p, v.n);
	else if (strcmp(at, "Subscriptions/member") == 0)
		add_sub(o);
	else if (strcmp(at, "NextToken") == 0)
		next_token(o, v);
	else if (is_result(path))
		o->whole = true;
	return true;
}

static bool list_read(const struct http_res *rs, void *out, struct err *e)
{
	struct sns_list_out *o = out;
	wire_token(&o->page, NULL);
	o->whole = false;
	return xml_read(rs->body, list_element, o, e) &&
	       (o->whole || err_set(e, ERR_BADREPLY, "xml", "not a list of SNS's"));
}

void sns_list_out_clear(struct sns_list_out *o)
{
	free(o->topics);
	free(o->subs);
	free(o->page.token);
	arena_clear(&o->mem);
	*o = (struct sns_list_out){ 0 };
}

/* ---- attributes */

static bool topic_attributes_build(const void *in, struct http_req *rq, struct err *e)
{
	return built(wire_param(&rq->body, "TopicArn", ((const struct sns_attributes_in *)in)->arn), e);
}

static bool subscription_attributes_build(const void *in, struct http_req *rq, struct err *e)
{
	return built(wire_param(&rq->body, "SubscriptionArn", ((const struct sns_attributes_in *)in)->arn), e);
}

static bool attributes_element(void *ctx, const char *path, struct span v)
{
	struct sns_attributes_out *o = ctx;
	const char *at = inside(path);
	bool key = strcmp(at, "Attributes/entry/key") == 0;
	if (key || (strcmp(at, "Attributes/entry/value") == 0 && o->n % 2)) {
		MEM_GROW(o->words, o->n, o->cap);
		o->words[o->n++] = arena_strndup(&o->mem, v.p, v.n);
	} else if (is_result(path)) {
		o->whole = true;
	}
	return true;
}

static bool attributes_read(const struct http_res *rs, void *out, struct err *e)
{
	struct sns_attributes_out *o = out;
	return xml_read(rs->body, attributes_element, o, e) &&
	       (o->whole || err_set(e, ERR_BADREPLY, "xml", "not attributes of SNS's"));
}

const char *sns_attribute(const struct sns_attributes_out *o, const char *key)
{
	for (unsigned i = 0; i + 1 < o->n; i += 2)
		if (strcmp(o->words[i], key) == 0)
			return o->words[i + 1][0] ? o->words[i + 1] : NULL;
	return NULL;
}

void sns_attributes_out_clear(struct sns_attributes_out *o)
{
	free(o->words);
	arena_clear(&o->mem);
	*o = (struct sns_attributes_out){ 0 };
}

/* ---- writes */

static bool create_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct sns_topic_in *q = in;
	return built(wire_param(&rq->body, "Name", q->name), e);
}

static bool attribute(struct http_req *rq, unsigned *n, const char *key, const char *value)
{
	char name[48];
	if (!value)
		return true;
	snprintf(name, sizeof name, "Attributes.entry.%u.key", ++*n);
	if (!wire_param(&rq->body, name, key))
		return false;
	snprintf(name, sizeof name, "Attributes.entry.%u.value", *n);
	return wire_param(&rq->body, name, value);
}

static bool subscribe_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct sns_topic_in *q = in;
	unsigned n = 0;
	return built(wire_param(&rq->body, "TopicArn", q->topic) && wire_param(&rq->body, "Protocol", q->protocol) &&
	                 wire_param(&rq->body, "Endpoint", q->endpoint) && attribute(rq, &n, "FilterPolicy", q->filter) &&
	                 attribute(rq, &n, "RedrivePolicy", q->redrive),
	             e);
}

static bool unsubscribe_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct sns_topic_in *q = in;
	return built(wire_param(&rq->body, "SubscriptionArn", q->subscription), e);
}

static bool arn_element(void *ctx, const char *path, struct span v)
{
	struct sns_topic_out *o = ctx;
	const char *at = inside(path);
	if (strcmp(at, "TopicArn") == 0 || strcmp(at, "SubscriptionArn") == 0)
		snprintf(o->arn, sizeof o->arn, "%.*s", (int)v.n, v.p);
	return true;
}

static bool arn_read(const struct http_res *rs, void *out, struct err *e)
{
	struct sns_topic_out *o = out;
	o->arn[0] = '\0';
	return xml_read(rs->body, arn_element, o, e) &&
	       (o->arn[0] || err_set(e, ERR_BADREPLY, "xml", "the answer names no ARN"));
}

static bool gone_read(const struct http_res *rs, void *out, struct err *e)
{
	return xml_read(rs->body, arn_element, out, e);
}

#define OP(op_name, api, what, again, pages, most, builder, reader)                                                    \
	const struct op op_name = {                                                                                        \
		.service = &service_sns,                                                                                       \
		.name = api,                                                                                                   \
		.iam = "sns:" api,                                                                                             \
		.effect = what,                                                                                                \
		.idempotent = again,                                                                                           \
		.paged = pages,                                                                                                \
		.rate = 30,                                                                                                    \
		.cap = most,                                                                                                   \
		.build = builder,                                                                                              \
		.read = reader,                                                                                                \
	}

OP(op_list_topics, "ListTopics", OP_READ, true, true, 1u << 20, list_build, list_read);
OP(op_list_topic_subscriptions, "ListSubscriptionsByTopic", OP_READ, true, true, 1u << 20, list_build, list_read);
OP(op_get_topic_attributes, "GetTopicAttributes", OP_READ, true, false, 1u << 20, topic_attributes_build,
   attributes_read);
OP(op_get_subscription_attributes, "GetSubscriptionAttributes", OP_READ, true, false, 1u << 20,
   subscription_attributes_build, attributes_read);
/* A topic that is there already with these attributes is the answer, and so is a subscription. */
OP(op_create_topic, "CreateTopic", OP_WRITE, true, false, 1u << 16, create_build, arn_read);
OP(op_subscribe, "Subscribe", OP_WRITE, true, false, 1u << 16, subscribe_build, arn_read);
OP(op_unsubscribe, "Unsubscribe", OP_WRITE, true, false, 1u << 16, unsubscribe_build, gone_read);
