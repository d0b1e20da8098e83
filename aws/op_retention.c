#include "aws/op_retention.h"

#include "aws/op_kinesis.h"
#include "aws/op_sqs.h"
#include "aws/wire.h"

#include <inttypes.h>
#include <stdio.h>

static bool nothing_read(const struct http_res *rs, void *out, struct err *e)
{
	(void)rs, (void)out, (void)e;
	return true;
}

static bool queue_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct queue_retention_in *q = in;
	struct json_out o;
	char seconds[24];
	snprintf(seconds, sizeof seconds, "%" PRId64, q->seconds);
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "QueueUrl", q->url);
	json_out_object(&o, "Attributes");
	json_out_str(&o, "MessageRetentionPeriod", seconds);
	json_out_object_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

const struct op op_set_queue_retention = {
	.service = &service_sqs,
	.name = "SetQueueAttributes",
	.iam = "sqs:SetQueueAttributes",
	.effect = OP_WRITE,
	.idempotent = true,
	.cap = 64u * 1024,
	.build = queue_build,
	.read = nothing_read,
};

static bool stream_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct stream_retention_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "StreamName", q->stream);
	json_out_int(&o, "RetentionPeriodHours", q->hours);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

const struct op op_increase_retention = {
	.service = &service_kinesis,
	.name = "IncreaseStreamRetentionPeriod",
	.iam = "kinesis:IncreaseStreamRetentionPeriod",
	.effect = OP_WRITE,
	.cap = 64u * 1024,
	.build = stream_build,
	.read = nothing_read,
};

const struct op op_decrease_retention = {
	.service = &service_kinesis,
	.name = "DecreaseStreamRetentionPeriod",
	.iam = "kinesis:DecreaseStreamRetentionPeriod",
	.effect = OP_WRITE,
	.cap = 64u * 1024,
	.build = stream_build,
	.read = nothing_read,
};
