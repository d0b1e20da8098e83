#include "sim/sim_req.h"
#include "sim/sim_sqs_msg.h"
#include "sim/world.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PURGE_MS 60000

/* ---- naming a queue */

void sqs_queue_url(const struct sim_req *rq, const char *name, char *out, size_t size)
{
	const char *host = sim_header(rq, "host"), *proto = sim_header(rq, "x-forwarded-proto");
	snprintf(out, size, "%s://%s/" SIM_ACCOUNT "/%s", proto && strcmp(proto, "https") == 0 ? "https" : "http",
	         host ? host : "localhost", name);
}

/* The URL's host is of no concern: the request came here. Old clients say it only in the path of the request. */
struct sim_queue *sqs_queue(struct world *w, const struct sim_req *rq, struct sim_fail *f)
{
	const char *url = NULL;
	struct sim_queue *q = NULL;
	if (!arg_str(rq, rq->args, "QueueUrl", &url, f))
		return NULL;
	if (!url && strlen(rq->path) > 1)
		url = rq->path;
	if (!url) {
		sim_fail(f, WHY_MISSING, "The request must contain the parameter QueueUrl.");
		return NULL;
	}
	const char *name = strrchr(url, '/');
	if (name)
		q = world_queue(w, name + 1);
	if (!q)
		sim_fail(f, WHY_QUEUE_NOT_FOUND, "The specified queue does not exist.");
	return q;
}

/* ---- attributes */

struct settable {
	const char *name;
	int64_t lo, hi;
	size_t at;
};
#define FIELD(member) offsetof(struct sim_queue, member)
static const struct settable settables[] = {
	{ "VisibilityTimeout", 0, 43200, FIELD(visibility_s) },
	{ "MessageRetentionPeriod", 60, 1209600, FIELD(retention_s) },
	{ "DelaySeconds", 0, 900, FIELD(delay_s) },
	{ "ReceiveMessageWaitTimeSeconds", 0, 20, FIELD(wait_s) },
	{ "MaximumMessageSize", 1024, 1048576, FIELD(max_bytes) },
};
static const struct {
	const char *name;
	size_t at;
} texts[] = {
	{ "Policy", FIELD(policy) },
	{ "RedriveAllowPolicy", FIELD(redrive_allow) },
	{ "KmsMasterKeyId", FIELD(kms_key) },
};

static bool bad_value(struct sim_fail *f, const char *name)
{
	return sim_fail(f, WHY_INVALID_ATTRIBUTE_VALUE, "Invalid value for the parameter %s.", name);
}

static bool set_redrive(struct world *w, struct sim_queue *q, const char *text, struct sim_fail *f)
{
	struct err e;
	int64_t max = 10;
	if (!*text) {
		free(q->dead_arn);
		q->dead_arn = NULL;
		return true;
	}
	struct json *policy = json_parse(span_of(text), &e);
	const char *arn = json_get_str(policy, "deadLetterTargetArn");
	const struct json *count = json_get(policy, "maxReceiveCount");
	bool ok = arn && (!count || json_loose_int(count, &max)) && max >= 1 && max <= 1000;
	if (ok && !world_queue(w, world_arn_name(arn))) {
		sim_fail(f, WHY_INVALID_ATTRIBUTE_VALUE,
		         "Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.", text);
	} else if (ok) {
		free(q->dead_arn);
		q->dead_arn = xstrdup(arn);
		q->max_receive = (unsigned)max;
		json_free(policy);
		return true;
	} else {
		bad_value(f, "RedrivePolicy");
	}
	json_free(policy);
	return false;
}

static bool set_number(struct sim_queue *q, const struct settable *s, const struct json *value, struct sim_fail *f)
{
	int64_t v;
	if (!json_str(value) || !json_loose_int(value, &v) || v < s->lo || v > s->hi)
		return bad_value(f, s->name);
	*(int64_t *)((char *)q + s->at) = v;
	return true;
}

static bool set_attribute(struct world *w, struct sim_queue *q, const char *name, const struct json *value,
                          struct sim_fail *f)
{
	const char *text = json_str(value);
	if (!text)
		return sim_fail(f, WHY_SERIALIZATION, "Attributes.%s: expected a string", name);
	for (size_t i = 0; i < sizeof settables / sizeof *settables; i++)
		if (strcmp(settables[i].name, name) == 0)
			return set_number(q, &settables[i], value, f);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(texts[i].name, name) == 0) {
			char **at = (char **)((char *)q + texts[i].at);
			free(*at);
			*at = *text ? xstrdup(text) : NULL;
			return true;
		}
	if (strcmp(name, "RedrivePolicy") == 0)
		return set_redrive(w, q, text, f);
	if (strcmp(name, "SqsManagedSseEnabled") == 0) {
		q->sse = strcmp(text, "true") == 0;
		return true;
	}
	if (strcmp(name, "FifoQueue") == 0 && strcmp(text, "true") == 0)
		return sim_fail(f, WHY_UNSUPPORTED, "FIFO queues are not simulated.");
	return sim_fail(f, WHY_INVALID_ATTRIBUTE, "Unknown Attribute %s.", name);
}

static bool set_attributes(struct world *w, const struct sim_req *rq, struct sim_queue *q, struct sim_fail *f)
{
	const struct json *attributes = json_get(rq->args, "Attributes");
	for (const struct json *a = json_first(attributes); a; a = json_next(a))
		if (!set_attribute(w, q, json_key(a), a, f))
			return false;
	q->modified_ms = w->now_ms;
	return true;
}

struct attr_out {
	struct wr *o;
	const struct json *wanted;
	bool all, any;
};

static bool is_wanted(const struct attr_out *a, const char *name)
{
	for (const struct json *n = json_first(a->wanted); n && !a->all; n = json_next(n))
		if (json_str(n) && strcmp(json_str(n), name) == 0)
			return true;
	return a->all;
}

static void say(struct attr_out *a, const char *name, const char *value)
{
	if (!value || !is_wanted(a, name))
		return;
	if (!a->any)
		wr_map(a->o, "Attributes", "Attribute");
	a->any = true;
	wr_map_str(a->o, name, value);
}

static void say_int(struct attr_out *a, const char *name, int64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRId64, value);
	say(a, name, text);
}

static void say_redrive(struct attr_out *a, const struct sim_queue *q)
{
	char text[512];
	if (!q->dead_arn)
		return;
	snprintf(text, sizeof text, "{\"deadLetterTargetArn\":\"%s\",\"maxReceiveCount\":%u}", q->dead_arn, q->max_receive);
	say(a, "RedrivePolicy", text);
}

static bool known_attribute(const char *name)
{
	static const char *const more[] = {
		"All",
		"RedrivePolicy",
		"ApproximateNumberOfMessages",
		"ApproximateNumberOfMessagesNotVisible",
		"ApproximateNumberOfMessagesDelayed",
		"CreatedTimestamp",
		"LastModifiedTimestamp",
		"QueueArn",
		"SqsManagedSseEnabled",
		"FifoQueue",
		"ContentBasedDeduplication",
		"KmsDataKeyReusePeriodSeconds",
		"DeduplicationScope",
		"FifoThroughputLimit",
	};
	bool found = false;
	for (size_t i = 0; i < sizeof settables / sizeof *settables; i++)
		found = found || strcmp(settables[i].name, name) == 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		found = found || strcmp(texts[i].name, name) == 0;
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		found = found || strcmp(more[i], name) == 0;
	return found;
}

static void count_or_recall(struct world *w, const struct sim_req *rq, struct sim_queue *q, struct queue_counts *c)
{
	const struct fault_on *on = fault_inside(w, rq, FAULT_LAGGING);
	queue_count(q, w->now_ms, c);
	if (on && q->told_ms && w->now_ms - q->told_ms < on->param * 1000) {
		*c = q->told;
	} else if (on) {
		q->told = *c;
		q->told_ms = w->now_ms;
	}
}

static bool get_queue_attributes(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct attr_out a = { .o = o };
	struct queue_counts c;
	char arn[256];
	struct sim_queue *q = sqs_queue(w, rq, f);
	if (!q || !arg_list(rq, rq->args, "AttributeNames", 64, &a.wanted, f))
		return false;
	for (const struct json *n = json_first(a.wanted); n; n = json_next(n)) {
		if (!json_str(n) || !known_attribute(json_str(n)))
			return sim_fail(f, WHY_INVALID_ATTRIBUTE, "Unknown Attribute %s.", json_str(n) ? json_str(n) : "");
		a.all = a.all || strcmp(json_str(n), "All") == 0;
	}
	queue_touch(w, q);
	count_or_recall(w, rq, q, &c);
	world_arn(w, "sqs", q->name, arn, sizeof arn);
	say(&a, "QueueArn", arn);
	say_int(&a, "ApproximateNumberOfMessages", c.visible);
	say_int(&a, "ApproximateNumberOfMessagesNotVisible", c.in_flight);
	say_int(&a, "ApproximateNumberOfMessagesDelayed", c.delayed);
	say_int(&a, "CreatedTimestamp", q->created_ms / 1000);
	say_int(&a, "LastModifiedTimestamp", q->modified_ms / 1000);
	for (size_t i = 0; i < sizeof settables / sizeof *settables; i++)
		say_int(&a, settables[i].name, *(int64_t *)((char *)q + settables[i].at));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		say(&a, texts[i].name, *(char **)((char *)q + texts[i].at));
	say_redrive(&a, q);
	say(&a, "SqsManagedSseEnabled", q->sse ? "true" : "false");
	if (a.any)
		wr_map_end(o);
	return true;
}

static bool set_queue_attributes(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_queue *q = sqs_queue(w, rq, f);
	(void)o;
	return q && set_attributes(w, rq, q, f);
}

/* ---- queues */

static bool valid_name(const char *name, struct sim_fail *f)
{
	size_t n = strlen(name);
	size_t fine = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
	if (n > 5 && strcmp(name + n - 5, ".fifo") == 0)
		return sim_fail(f, WHY_UNSUPPORTED, "FIFO queues are not simulated.");
	return (n <= 80 && fine == n) ||
	       sim_fail(f, WHY_INVALID_VALUE,
	                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

static bool tell_url(const struct sim_req *rq, struct wr *o, const struct sim_queue *q)
{
	char url[512];
	sqs_queue_url(rq, q->name, url, sizeof url);
	wr_str(o, "QueueUrl", url);
	return true;
}

/* Creating a queue that exists with the attributes it has is no error. */
static bool same_attributes(const struct sim_req *rq, const struct sim_queue *q)
{
	int64_t v;
	for (const struct json *a = json_first(json_get(rq->args, "Attributes")); a; a = json_next(a))
		for (size_t i = 0; i < sizeof settables / sizeof *settables; i++)
			if (strcmp(settables[i].name, json_key(a)) == 0 &&
			    (!json_loose_int(a, &v) || v != *(const int64_t *)((const char *)q + settables[i].at)))
				return false;
	return true;
}

static bool create_queue(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name;
	if (!arg_need(rq, rq->args, "QueueName", &name, f) || !valid_name(name, f))
		return false;
	struct sim_queue *q = world_queue(w, name);
	if (q && !same_attributes(rq, q))
		return sim_fail(f, WHY_QUEUE_EXISTS,
		                "A queue already exists with the same name and a different value for attribute");
	if (!q) {
		q = queue_new(w, name);
		if (!set_attributes(w, rq, q, f)) {
			queue_delete(w, q);
			return false;
		}
	}
	return tell_url(rq, o, q);
}

static bool delete_queue(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_queue *q = sqs_queue(w, rq, f);
	(void)o;
	if (q)
		queue_delete(w, q);
	return q != NULL;
}

static bool get_queue_url(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name;
	if (!arg_need(rq, rq->args, "QueueName", &name, f))
		return false;
	struct sim_queue *q = world_queue(w, name);
	if (!q)
		return sim_fail(f, WHY_QUEUE_NOT_FOUND, "The specified queue does not exist.");
	queue_touch(w, q);
	return tell_url(rq, o, q);
}

/* Where a page begins: at the name after the token's, or at the prefix. */
static bool page_start(const struct world *w, const struct sim_req *rq, const char *prefix, unsigned *at,
                       struct sim_fail *f)
{
	const char *token = NULL;
	char last[128];
	bool found;
	if (!arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	if (token && *token && !token_read(token, "ListQueues", last, sizeof last, f))
		return false;
	*at = world_find((void *const *)w->queues, w->nqueues, token && *token ? last : prefix, &found);
	*at += token && *token && found;
	return true;
}

static bool list_queues(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *prefix = "";
	int64_t max = 0;
	unsigned at, n = 0;
	char url[512];
	if (!arg_str(rq, rq->args, "QueueNamePrefix", &prefix, f) ||
	    !arg_int(rq, rq->args, "MaxResults", 1, 1000, &max, f) || !page_start(w, rq, prefix, &at, f))
		return false;
	for (; at < w->nqueues && n < (max ? max : 1000); at++, n++) {
		if (strncmp(w->queues[at]->name, prefix, strlen(prefix)) != 0)
			break;
		if (n == 0)
			wr_list(o, "QueueUrls", "QueueUrl");
		sqs_queue_url(rq, w->queues[at]->name, url, sizeof url);
		wr_str(o, NULL, url);
	}
	if (n)
		wr_list_end(o);
	/* Only who names a page size gets a token. */
	if (max && n == max && at < w->nqueues && strncmp(w->queues[at]->name, prefix, strlen(prefix)) == 0)
		token_write(o, "NextToken", "ListQueues", "%s", w->queues[at - 1]->name);
	return true;
}

/* The first queue after that name whose dead letters come here. */
static const struct sim_queue *next_source(const struct world *w, const struct sim_queue *q, const char *after)
{
	for (unsigned i = 0; i < w->nqueues; i++) {
		const struct sim_queue *from = w->queues[i];
		if (from->dead_arn && strcmp(world_arn_name(from->dead_arn), q->name) == 0 && strcmp(from->name, after) > 0)
			return from;
	}
	return NULL;
}

static bool list_sources(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *token = NULL;
	char last[128] = "", url[512];
	int64_t max = 0, n = 0;
	const struct sim_queue *q = sqs_queue(w, rq, f), *told = NULL;
	if (!q || !arg_int(rq, rq->args, "MaxResults", 1, 1000, &max, f) || !arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	if (token && *token && !token_read(token, "ListDeadLetterSourceQueues", last, sizeof last, f))
		return false;
	wr_list(o, rq->proto == PROTO_QUERY ? "QueueUrls" : "queueUrls", "QueueUrl");
	const struct sim_queue *from = next_source(w, q, last);
	for (; from && n < (max ? max : 1000); n++) {
		sqs_queue_url(rq, from->name, url, sizeof url);
		wr_str(o, NULL, url);
		told = from;
		from = next_source(w, q, from->name);
	}
	wr_list_end(o);
	if (from && max && told)
		token_write(o, "NextToken", "ListDeadLetterSourceQueues", "%s", told->name);
	return true;
}

static bool purge_queue(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_queue *q = sqs_queue(w, rq, f);
	(void)o;
	if (!q)
		return false;
	if (q->purged_ms && w->now_ms - q->purged_ms < PURGE_MS)
		return sim_fail(f, WHY_PURGING, "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q->name);
	queue_purge(w, q);
	return true;
}

/* ---- the service */

static const struct sim_rename renames[] = {
	{ "Attribute", "Attributes", true },
	{ "AttributeName", "AttributeNames", false },
	{ "MessageAttribute", "MessageAttributes", true },
	{ "MessageAttributeName", "MessageAttributeNames", false },
	{ "MessageSystemAttribute", "MessageSystemAttributes", true },
	{ "MessageSystemAttributeName", "MessageSystemAttributeNames", false },
	{ "SendMessageBatchRequestEntry", "Entries", false },
	{ "DeleteMessageBatchRequestEntry", "Entries", false },
	{ "ChangeMessageVisibilityBatchRequestEntry", "Entries", false },
	{ "Tag", "tags", true },
};

static const struct sim_op ops[] = {
	{ .name = "CreateQueue", .effect = SIM_WRITE, .handle = create_queue },
	{ .name = "DeleteQueue", .effect = SIM_WRITE, .handle = delete_queue },
	{ .name = "ListQueues", .effect = SIM_READ, .handle = list_queues },
	{ .name = "GetQueueUrl", .effect = SIM_READ, .handle = get_queue_url },
	{ .name = "GetQueueAttributes", .effect = SIM_READ, .handle = get_queue_attributes },
	{ .name = "SetQueueAttributes", .effect = SIM_WRITE, .handle = set_queue_attributes },
	{ .name = "PurgeQueue", .effect = SIM_WRITE, .handle = purge_queue },
	{ .name = "SendMessage", .effect = SIM_WRITE, .handle = sqs_send_message },
	{ .name = "SendMessageBatch", .effect = SIM_WRITE, .handle = sqs_send_batch },
	{ .name = "ReceiveMessage", .effect = SIM_PEEK, .handle = sqs_receive },
	{ .name = "DeleteMessage", .effect = SIM_WRITE, .handle = sqs_delete },
	{ .name = "DeleteMessageBatch", .effect = SIM_WRITE, .handle = sqs_delete_batch },
	{ .name = "ChangeMessageVisibility", .effect = SIM_WRITE, .handle = sqs_change_visibility },
	{ .name = "ChangeMessageVisibilityBatch", .effect = SIM_WRITE, .handle = sqs_change_visibility_batch },
	{ .name = "ListDeadLetterSourceQueues", .effect = SIM_READ, .handle = list_sources },
	{ .name = "StartMessageMoveTask", .effect = SIM_WRITE, .handle = sqs_start_move },
	{ .name = "ListMessageMoveTasks", .effect = SIM_READ, .handle = sqs_list_moves },
	{ .name = "CancelMessageMoveTask", .effect = SIM_WRITE, .handle = sqs_cancel_move },
};

const struct sim_service sim_sqs = {
	.name = "sqs",
	.target = "AmazonSQS",
	.version = "2012-11-05",
	.xmlns = "http://queue.amazonaws.com/doc/2012-11-05/",
	.flat = true,
	.legacy = true,
	.renames = renames,
	.nrenames = sizeof renames / sizeof *renames,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
