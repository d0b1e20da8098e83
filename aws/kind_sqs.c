/* SQS queues: what they measure, ListQueues and GetQueueAttributes (JSON 1.0, query-compatible). */
#include "aws/kind.h"
#include "aws/wire.h"

#include <string.h>

const struct service service_sqs = {
	.id = "sqs",
	.host = "sqs",
	.signing = "sqs",
	.env = "SQS",
	.target = "AmazonSQS",
	.version = "2012-11-05",
	.wire = WIRE_JSON10,
	.query_compatible = true,
};

/* All of CloudWatch's are sparse: SQS publishes only while a queue was active within six hours ("idle queue = no data"). The
 * counts come from the service itself: fresh, and there for idle queues too. */
static const struct metric_info metrics[] = {
	{ "sent", "Messages sent", FROM_CLOUDWATCH, "NumberOfMessagesSent", "Sum", NULL, NULL, ROLE_IN, UNIT_COUNT, true },
	{ "received", "Messages received", FROM_CLOUDWATCH, "NumberOfMessagesReceived", "Sum", NULL, NULL, ROLE_NONE,
	  UNIT_COUNT, true },
	{ "deleted", "Messages deleted", FROM_CLOUDWATCH, "NumberOfMessagesDeleted", "Sum", NULL, NULL, ROLE_OUT,
	  UNIT_COUNT, true },
	{ "visible", "Messages visible", FROM_DIRECT, "ApproximateNumberOfMessagesVisible", "Maximum", NULL, NULL,
	  ROLE_BACKLOG, UNIT_COUNT, false },
	{ "in_flight", "Messages in flight", FROM_DIRECT, "ApproximateNumberOfMessagesNotVisible", "Maximum", NULL, NULL,
	  ROLE_NONE, UNIT_COUNT, false },
	{ "delayed", "Messages delayed", FROM_DIRECT, "ApproximateNumberOfMessagesDelayed", "Maximum", NULL, NULL,
	  ROLE_NONE, UNIT_COUNT, false },
	{ "age", "Age of oldest message", FROM_CLOUDWATCH, "ApproximateAgeOfOldestMessage", "Maximum", NULL, NULL, ROLE_AGE,
	  UNIT_SECONDS, true },
	{ "empty_receives", "Empty receives", FROM_CLOUDWATCH, "NumberOfEmptyReceives", "Sum", NULL, NULL, ROLE_NONE,
	  UNIT_COUNT, true },
};

#define PAGE 1000 /* of a list: asked for, since without it no token ever comes and the list ends there */

/* ---- ListQueues */

static bool list_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct list_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_int(&o, "MaxResults", PAGE);
	if (q->page.token)
		json_out_str(&o, "NextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool read_urls(const struct http_res *rs, const char *key, struct found *f, struct err *e)
{
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *u = wire_list(doc, key, &ok); u && ok; u = json_next(u)) {
		const char *url = json_str(u), *slash = url ? strrchr(url, '/') : NULL;
		ok = slash && slash[1];
		if (ok)
			found_add(f, slash + 1, NULL, url);
	}
	wire_next(&f->page, doc, "NextToken", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of queue URLs with names");
}

static bool list_read(const struct http_res *rs, void *out, struct err *e)
{
	return read_urls(rs, "QueueUrls", out, e);
}

static const struct op op_list_queues = {
	.service = &service_sqs,
	.name = "ListQueues",
	.iam = "sqs:ListQueues",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 1024u * 1024, /* 1000 URLs of 150 bytes */
	.build = list_build,
	.read = list_read,
};

/* ---- GetQueueAttributes */

/* The queue's URL goes in the body alone: its host may be another than the one that is asked, and may not resolve. */
static bool describe_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct describe_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "QueueUrl", q->handle);
	json_out_array(&o, "AttributeNames");
	json_out_str(&o, NULL, "All");
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* The policy is JSON within a JSON string; one that cannot be read is as good as none. */
static void read_redrive(struct found *f, const char *name, const char *arn, const char *policy)
{
	struct json *doc = policy && *policy ? json_parse(span_of(policy), NULL) : NULL;
	const char *target = json_get_str(doc, "deadLetterTargetArn");
	if (target) {
		found_fact(f, name, "dlq", target);
		found_edge(f, &(struct relation){ .kind = RELATION_DLQ, .from = arn, .to = target });
	}
	wire_int_fact(f, name, "max_receive_count", json_get(doc, "maxReceiveCount"));
	json_free(doc);
}

static void read_counts(struct found *f, const char *name, const struct json *attributes)
{
	static const struct {
		const char *attribute, *key;
	} counts[] = {
		{ "ApproximateNumberOfMessages", "visible" },
		{ "ApproximateNumberOfMessagesNotVisible", "in_flight" },
		{ "ApproximateNumberOfMessagesDelayed", "delayed" },
	};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		int64_t n;
		if (json_loose_int(json_get(attributes, counts[i].attribute), &n))
			found_value(f, name, counts[i].key, (double)n);
	}
}

static bool describe_read(const struct http_res *rs, void *out, struct err *e)
{
	struct found *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const struct json *a = json_get(doc, "Attributes");
	const char *arn = json_get_str(a, "QueueArn"), *colon = arn ? strrchr(arn, ':') : NULL;
	bool ok = colon && colon[1];
	if (ok) {
		const char *name = colon + 1, *fifo = json_get_str(a, "FifoQueue");
		found_add(f, name, arn, NULL);
		found_fact(f, name, "arn", arn);
		found_fact(f, name, "retention_s", json_get_str(a, "MessageRetentionPeriod"));
		found_fact(f, name, "visibility_s", json_get_str(a, "VisibilityTimeout"));
		found_fact(f, name, "fifo", fifo ? fifo : "false");
		read_redrive(f, name, arn, json_get_str(a, "RedrivePolicy"));
		read_counts(f, name, a);
	}
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "no QueueArn among the attributes");
}

static const struct op op_get_queue_attributes = {
	.service = &service_sqs,
	.name = "GetQueueAttributes",
	.iam = "sqs:GetQueueAttributes",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 1024u * 1024,
	.build = describe_build,
	.read = describe_read,
};

/* ---- ListDeadLetterSourceQueues: the queues whose redrive policy names this one */

static bool sources_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct sources_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "QueueUrl", q->handle);
	json_out_int(&o, "MaxResults", PAGE);
	if (q->page.token)
		json_out_str(&o, "NextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool sources_read(const struct http_res *rs, void *out, struct err *e)
{
	return read_urls(rs, "queueUrls", out, e); /* with a small q, other than in ListQueues */
}

static const struct op op_list_dead_letter_source_queues = {
	.service = &service_sqs,
	.name = "ListDeadLetterSourceQueues",
	.iam = "sqs:ListDeadLetterSourceQueues",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 1024u * 1024, /* 1000 URLs of 150 bytes */
	.build = sources_build,
	.read = sources_read,
};

const struct kind kind_sqs = {
	.info = {
		.id = "sqs", .title = "SQS queue", .ns = "AWS/SQS", .dimension = "QueueName",
		.metrics = metrics, .nmetrics = sizeof metrics / sizeof *metrics, .spark = "visible",
		.no_error = "SQS has no error metric: the depth of a queue's dead-letter queue is its errors",
	},
	.arn_service = "sqs", .arn_prefix = "", .list = &op_list_queues, .describe = &op_get_queue_attributes,
	.sources = &op_list_dead_letter_source_queues, .cfn_type = "AWS::SQS::Queue", .keeps = KEEPS_MESSAGES,
};
