/* PutMetricAlarm and its like, DeleteAlarms, Enable- and DisableAlarmActions, SetAlarmState, TagResource, UntagResource. */
#include "aws/op_alarm_write.h"

#include "aws/op_cloudwatch.h"
#include "aws/wire.h"

static bool put_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct put_alarm_in *q = in;
	return buf_adds(&rq->body, q->body) || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static bool tag_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct alarm_tag_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "ResourceARN", q->arn);
	json_out_array(&o, "Tags");
	for (unsigned i = 0; i + 1 < q->n; i += 2) {
		json_out_object(&o, NULL);
		json_out_str(&o, "Key", q->words[i]);
		json_out_str(&o, "Value", q->words[i + 1]);
		json_out_object_end(&o);
	}
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool untag_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct alarm_tag_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "ResourceARN", q->arn);
	json_out_array(&o, "TagKeys");
	for (unsigned i = 0; i < q->n; i++)
		json_out_str(&o, NULL, q->words[i]);
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool names_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct alarm_act_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_array(&o, "AlarmNames");
	json_out_str(&o, NULL, q->name);
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool state_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct alarm_act_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "AlarmName", q->name);
	json_out_str(&o, "StateValue", q->state);
	json_out_str(&o, "StateReason", q->reason);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* None of them says anything but that it is done. */
static bool nothing_read(const struct http_res *rs, void *out, struct err *e)
{
	struct alarm_write_out *o = out;
	return wire_done(rs, o->request_id, e);
}

#define WRITE(op_name, api, again, per_second, builder)                                                                \
	const struct op op_name = {                                                                                        \
		.service = &service_cloudwatch,                                                                                \
		.name = api,                                                                                                   \
		.iam = "cloudwatch:" api,                                                                                      \
		.effect = OP_WRITE,                                                                                            \
		.idempotent = again,                                                                                           \
		.rate = per_second,                                                                                            \
		.cap = 64u * 1024,                                                                                             \
		.build = builder,                                                                                              \
		.read = nothing_read,                                                                                          \
	}

/* What overwrites everything may be sent twice; a state that is set twice may fire twice. */
WRITE(op_put_metric_alarm, "PutMetricAlarm", true, 3, put_build);
WRITE(op_put_composite_alarm, "PutCompositeAlarm", true, 3, put_build);
WRITE(op_put_log_alarm, "PutLogAlarm", true, 3, put_build);
WRITE(op_tag_alarm, "TagResource", true, 20, tag_build);
WRITE(op_untag_alarm, "UntagResource", true, 20, untag_build);
WRITE(op_delete_alarm, "DeleteAlarms", false, 3, names_build);
WRITE(op_enable_alarm, "EnableAlarmActions", true, 3, names_build);
WRITE(op_disable_alarm, "DisableAlarmActions", true, 3, names_build);
WRITE(op_set_alarm_state, "SetAlarmState", false, 3, state_build);
