/* SNS (query). */
#include "sim/sim_req.h"
#include "sim/sim_topic.h"
#include "sim/world.h"

#include "core/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 100
#define MESSAGE_MAX 262144

/* ---- naming */

static void topic_arn(const struct world *w, const struct sim_topic *t, char *out, size_t size)
{
	world_arn(w, "sns", t->name, out, size);
}

static struct sim_topic *topic_of(const struct world *w, const struct sim_req *rq, const char *key, struct sim_fail *f)
{
	const char *arn = NULL;
	if (!arg_str(rq, rq->args, key, &arn, f))
		return NULL;
	if (!arn || strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":sns:")) {
		sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: %s", key);
		return NULL;
	}
	struct sim_topic *t = topic_find(w, arn);
	if (!t)
		sim_fail(f, WHY_TOPIC_NOT_FOUND, "Topic does not exist");
	return t;
}

static struct sim_subscription *subscription_of(const struct world *w, const struct sim_req *rq, struct sim_topic **t,
                                                struct sim_fail *f)
{
	const char *arn;
	if (!arg_need(rq, rq->args, "SubscriptionArn", &arn, f))
		return NULL;
	for (unsigned i = 0; i < w->ntopics; i++)
		for (unsigned k = 0; k < w->topics[i]->nsubs; k++)
			if (strcmp(w->topics[i]->subs[k].id, world_arn_name(arn)) == 0) {
				*t = w->topics[i];
				return &w->topics[i]->subs[k];
			}
	sim_fail(f, WHY_TOPIC_NOT_FOUND, "Subscription does not exist");
	return NULL;
}

static bool first_of_page(const struct sim_req *rq, unsigned *at, struct sim_fail *f)
{
	const char *token = NULL;
	char text[32] = "";
	if (!arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	if (token && *token && !token_read(token, rq->op, text, sizeof text, f))
		return sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: NextToken");
	*at = (unsigned)strtoul(text, NULL, 10);
	return true;
}

/* ---- topics */

static bool list_topics(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char arn[300];
	unsigned i, n;
	if (!first_of_page(rq, &i, f))
		return false;
	wr_list(o, "Topics", NULL);
	for (n = 0; i < w->ntopics && n < PAGE; i++, n++) {
		topic_arn(w, w->topics[i], arn, sizeof arn);
		wr_object(o, NULL);
		wr_str(o, "TopicArn", arn);
		wr_object_end(o);
	}
	wr_list_end(o);
	if (i < w->ntopics)
		token_write(o, "NextToken", rq->op, "%u", i);
	return true;
}

static bool read_tags(const struct sim_req *rq, struct sim_topic *t, struct sim_fail *f)
{
	const struct json *tags;
	const char *key, *value;
	if (!arg_list(rq, rq->args, "Tags", 50, &tags, f))
		return false;
	for (const struct json *e = json_first(tags); e; e = json_next(e)) {
		value = "";
		if (!arg_need(rq, e, "Key", &key, f) || !arg_str(rq, e, "Value", &value, f))
			return false;
		tags_set(&t->tags, &t->ntags, &t->captags, key, value);
	}
	return true;
}

static bool create_topic(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name;
	char arn[300];
	if (!arg_need(rq, rq->args, "Name", &name, f))
		return false;
	if (strlen(name) > 256 ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name))
		return sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: Topic Name");
	struct sim_topic *t = topic_find(w, name);
	if (!t)
		t = topic_new(w, name);
	topic_arn(w, t, arn, sizeof arn);
	wr_str(o, "TopicArn", arn);
	return read_tags(rq, t, f);
}

static bool delete_topic(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	(void)o;
	struct sim_topic *t = topic_of(w, rq, "TopicArn", f);
	if (t)
		topic_delete(w, t);
	return t || f->why == WHY_TOPIC_NOT_FOUND;
}

static void tell_number(struct wr *o, const char *name, unsigned n)
{
	char text[16];
	snprintf(text, sizeof text, "%u", n);
	wr_map_str(o, name, text);
}

static bool get_topic_attributes(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char arn[300];
	struct sim_topic *t = topic_of(w, rq, "TopicArn", f);
	if (!t)
		return false;
	topic_arn(w, t, arn, sizeof arn);
	char *policy =
	    xasprintf("{\"Version\":\"2008-10-17\",\"Id\":\"__default_policy_ID\",\"Statement\":[{\"Sid\":"
	              "\"__default_statement_ID\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":["
	              "\"SNS:Publish\",\"SNS:Subscribe\"],\"Resource\":\"%s\",\"Condition\":{\"StringEquals\":{"
	              "\"AWS:SourceOwner\":\"" SIM_ACCOUNT "\"}}}]}",
	              arn);
	wr_map(o, "Attributes", NULL);
	wr_map_str(o, "Policy", policy);
	wr_map_str(o, "Owner", SIM_ACCOUNT);
	tell_number(o, "SubscriptionsPending", t->nsubs - topic_confirmed(t));
	wr_map_str(o, "TopicArn", arn);
	tell_number(o, "SubscriptionsConfirmed", topic_confirmed(t));
	wr_map_str(o, "DisplayName", t->display);
	tell_number(o, "SubscriptionsDeleted", t->deleted);
	if (t->kms_key)
		wr_map_str(o, "KmsMasterKeyId", t->kms_key);
	wr_map_end(o);
	free(policy);
	return true;
}

static bool set_topic_attributes(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name, *value = "";
	(void)o;
	struct sim_topic *t = topic_of(w, rq, "TopicArn", f);
	if (!t || !arg_need(rq, rq->args, "AttributeName", &name, f) || !arg_str(rq, rq->args, "AttributeValue", &value, f))
		return false;
	char **to = strcmp(name, "DisplayName") == 0      ? &t->display
	            : strcmp(name, "KmsMasterKeyId") == 0 ? &t->kms_key
	                                                  : NULL;
	if (!to)
		return sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: AttributeName");
	free(*to);
	*to = xstrdup(value);
	return true;
}

/* ---- subscriptions */

static void subscription_arn(const struct world *w, const struct sim_topic *t, const struct sim_subscription *s,
                             char *out, size_t size)
{
	char resource[320];
	snprintf(resource, sizeof resource, "%s:%s", t->name, s->id);
	world_arn(w, "sns", resource, out, size);
}

static void tell_subscription(const struct world *w, struct wr *o, const struct sim_topic *t,
                              const struct sim_subscription *s)
{
	char arn[400], topic[300];
	subscription_arn(w, t, s, arn, sizeof arn);
	topic_arn(w, t, topic, sizeof topic);
	wr_object(o, NULL);
	wr_str(o, "SubscriptionArn", s->confirmed ? arn : "PendingConfirmation");
	wr_str(o, "Owner", SIM_ACCOUNT);
	wr_str(o, "Protocol", s->protocol);
	wr_str(o, "Endpoint", s->endpoint);
	wr_str(o, "TopicArn", topic);
	wr_object_end(o);
}

/* only NULL: those of all topics */
static bool tell_page(const struct world *w, const struct sim_req *rq, struct wr *o, const struct sim_topic *only,
                      struct sim_fail *f)
{
	unsigned first, at = 0;
	if (!first_of_page(rq, &first, f))
		return false;
	wr_list(o, "Subscriptions", NULL);
	for (unsigned i = 0; i < w->ntopics; i++) {
		const struct sim_topic *t = w->topics[i];
		for (unsigned k = 0; (!only || only == t) && k < t->nsubs; k++, at++)
			if (at >= first && at < first + PAGE)
				tell_subscription(w, o, t, &t->subs[k]);
	}
	wr_list_end(o);
	if (at > first + PAGE)
		token_write(o, "NextToken", rq->op, "%u", first + PAGE);
	return true;
}

static bool list_subscriptions(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	return tell_page(w, rq, o, NULL, f);
}

static bool list_by_topic(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const struct sim_topic *t = topic_of(w, rq, "TopicArn", f);
	return t && tell_page(w, rq, o, t, f);
}

static bool get_subscription_attributes(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_topic *t;
	char arn[400], topic[300];
	const struct sim_subscription *s = subscription_of(w, rq, &t, f);
	if (!s)
		return false;
	subscription_arn(w, t, s, arn, sizeof arn);
	topic_arn(w, t, topic, sizeof topic);
	wr_map(o, "Attributes", NULL);
	wr_map_str(o, "Owner", SIM_ACCOUNT);
	wr_map_str(o, "RawMessageDelivery", s->raw ? "true" : "false");
	wr_map_str(o, "TopicArn", topic);
	wr_map_str(o, "Endpoint", s->endpoint);
	wr_map_str(o, "Protocol", s->protocol);
	wr_map_str(o, "PendingConfirmation", s->confirmed ? "false" : "true");
	wr_map_str(o, "ConfirmationWasAuthenticated", "false");
	wr_map_str(o, "SubscriptionArn", arn);
	if (s->filter)
		wr_map_str(o, "FilterPolicy", s->filter);
	wr_map_end(o);
	return true;
}

static bool known_protocol(const char *p)
{
	static const char *const all[] = { "http", "https",       "email",  "email-json", "sms",
		                               "sqs",  "application", "lambda", "firehose" };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i], p) == 0)
			return true;
	return false;
}

static bool subscribe(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *protocol, *endpoint;
	bool always = false;
	char arn[400];
	struct sim_topic *t = topic_of(w, rq, "TopicArn", f);
	if (!t || !arg_need(rq, rq->args, "Protocol", &protocol, f) || !arg_need(rq, rq->args, "Endpoint", &endpoint, f) ||
	    !arg_bool(rq, rq->args, "ReturnSubscriptionArn", &always, f))
		return false;
	if (!known_protocol(protocol))
		return sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: Does not support this protocol string: %.40s",
		                protocol);
	struct sim_subscription *s = topic_subscribe(w, t, protocol, endpoint);
	const struct json *attributes = json_get(rq->args, "Attributes");
	const char *raw = json_get_str(attributes, "RawMessageDelivery"),
	           *filter = json_get_str(attributes, "FilterPolicy");
	s->raw = raw && strcmp(raw, "true") == 0;
	free(s->filter);
	s->filter = filter ? xstrdup(filter) : NULL;
	subscription_arn(w, t, s, arn, sizeof arn);
	wr_str(o, "SubscriptionArn", s->confirmed || always ? arn : "pending confirmation");
	return true;
}

static bool unsubscribe(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_topic *t;
	(void)o;
	struct sim_subscription *s = subscription_of(w, rq, &t, f);
	if (s)
		topic_unsubscribe(t, s);
	return s != NULL;
}

/* The token is the end of the subscription's ARN: nobody here reads mail. */
static bool confirm(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *token;
	char arn[400];
	struct sim_topic *t = topic_of(w, rq, "TopicArn", f);
	if (!t || !arg_need(rq, rq->args, "Token", &token, f))
		return false;
	for (unsigned i = 0; i < t->nsubs; i++)
		if (strcmp(t->subs[i].id, token) == 0) {
			t->subs[i].confirmed = true;
			subscription_arn(w, t, &t->subs[i], arn, sizeof arn);
			wr_str(o, "SubscriptionArn", arn);
			return true;
		}
	return sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: Token");
}

/* ---- publishing */

static bool good_subject(const char *s)
{
	if (!s)
		return true;
	for (const char *p = s; *p; p++)
		if (!isprint((unsigned char)*p))
			return false;
	return *s && strlen(s) < 100;
}

/* With MessageStructure=json every protocol may have its own text; the default is the queues'. */
static bool publish(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *message, *subject = NULL, *structure = NULL;
	char id[37];
	struct sim_topic *t = topic_of(w, rq, json_get(rq->args, "TopicArn") ? "TopicArn" : "TargetArn", f);
	if (!t || !arg_need(rq, rq->args, "Message", &message, f) || !arg_str(rq, rq->args, "Subject", &subject, f) ||
	    !arg_str(rq, rq->args, "MessageStructure", &structure, f))
		return false;
	if (strlen(message) > MESSAGE_MAX)
		return sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: Message too long");
	if (!good_subject(subject))
		return sim_fail(f, WHY_INVALID_PARAMETER, "Invalid parameter: Subject");
	struct err e;
	struct json *parts = structure && strcmp(structure, "json") == 0 ? json_parse(span_of(message), &e) : NULL;
	const char *text = structure ? json_get_str(parts, "default") : message;
	if (text && json_get_str(parts, "sqs"))
		text = json_get_str(parts, "sqs");
	if (text)
		topic_publish(w, t, subject, text, json_get(rq->args, "MessageAttributes"), id);
	json_free(parts);
	if (!text)
		return sim_fail(f, WHY_INVALID_PARAMETER,
		                "Invalid parameter: Message Structure - No default entry in JSON message body");
	wr_str(o, "MessageId", id);
	return true;
}

/* ---- tags */

static bool list_tags(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const struct sim_topic *t = topic_of(w, rq, "ResourceArn", f);
	if (!t)
		return false;
	wr_list(o, "Tags", NULL);
	for (unsigned i = 0; i < t->ntags; i++) {
		wr_object(o, NULL);
		wr_str(o, "Key", t->tags[i].key);
		wr_str(o, "Value", t->tags[i].value);
		wr_object_end(o);
	}
	wr_list_end(o);
	return true;
}

static bool tag_resource(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_topic *t = topic_of(w, rq, "ResourceArn", f);
	(void)o;
	return t && read_tags(rq, t, f);
}

static const struct sim_op ops[] = {
	{ .name = "ListTopics", .effect = SIM_READ, .handle = list_topics },
	{ .name = "CreateTopic", .effect = SIM_WRITE, .handle = create_topic },
	{ .name = "DeleteTopic", .effect = SIM_WRITE, .handle = delete_topic },
	{ .name = "GetTopicAttributes", .effect = SIM_READ, .handle = get_topic_attributes },
	{ .name = "SetTopicAttributes", .effect = SIM_WRITE, .handle = set_topic_attributes },
	{ .name = "ListSubscriptions", .effect = SIM_READ, .handle = list_subscriptions },
	{ .name = "ListSubscriptionsByTopic", .effect = SIM_READ, .handle = list_by_topic },
	{ .name = "GetSubscriptionAttributes", .effect = SIM_READ, .handle = get_subscription_attributes },
	{ .name = "Subscribe", .effect = SIM_WRITE, .handle = subscribe },
	{ .name = "ConfirmSubscription", .effect = SIM_WRITE, .handle = confirm },
	{ .name = "Unsubscribe", .effect = SIM_WRITE, .handle = unsubscribe },
	{ .name = "Publish", .effect = SIM_WRITE, .handle = publish },
	{ .name = "ListTagsForResource", .effect = SIM_READ, .handle = list_tags },
	{ .name = "TagResource", .effect = SIM_WRITE, .handle = tag_resource },
};

/* Attributes and MessageAttributes come as X.entry.1.key and .value (or .Name and .Value). */
static const struct sim_rename renames[] = {
	{ "Attributes", "Attributes", true },
	{ "MessageAttributes", "MessageAttributes", true },
};

const struct sim_service sim_sns = {
	.name = "sns",
	.version = "2010-03-31",
	.xmlns = "http://sns.amazonaws.com/doc/2010-03-31/",
	.renames = renames,
	.nrenames = sizeof renames / sizeof *renames,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
