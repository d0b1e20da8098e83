/* ListMessageMoveTasks, StartMessageMoveTask, CancelMessageMoveTask. */
#include "aws/op_sqs.h"

#include "aws/wire.h"

#include <stdio.h>
#include <string.h>

/* ---- ListMessageMoveTasks */

static bool moves_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct move_tasks_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "SourceArn", q->arn);
	json_out_int(&o, "MaxResults", 10);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static int64_t number(const struct json *c, const char *key)
{
	double v = 0;
	const struct json *n = json_get(c, key);
	return n && json_num(n, &v) && v > 0 && v < 9e15 ? (int64_t)v : 0;
}

static void read_task(const struct json *c, const char *status, struct move_tasks_out *v)
{
	const char *handle = json_get_str(c, "TaskHandle"), *why = json_get_str(c, "FailureReason");
	snprintf(v->status, sizeof v->status, "%s", status);
	snprintf(v->handle, sizeof v->handle, "%s", handle ? handle : "");
	snprintf(v->reason, sizeof v->reason, "%s", why ? why : "");
	v->moved = number(c, "ApproximateNumberOfMessagesMoved");
	v->to_move = number(c, "ApproximateNumberOfMessagesToMove");
	v->started_ms = number(c, "StartedTimestamp");
}

static bool moves_read(const struct http_res *rs, void *out, struct err *e)
{
	struct move_tasks_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	*v = (struct move_tasks_out){ 0 };
	for (const struct json *c = wire_list(doc, "Results", &ok); c; c = json_next(c)) {
		const char *status = json_get_str(c, "Status");
		if (!status)
			continue;
		bool runs = strcmp(status, "RUNNING") == 0 || strcmp(status, "CANCELLING") == 0;
		if (!v->status[0] || (runs && !v->running))
			read_task(c, status, v);
		v->running = v->running || runs;
	}
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of move tasks");
}

const struct op op_list_message_move_tasks = {
	.service = &service_sqs,
	.name = "ListMessageMoveTasks",
	.iam = "sqs:ListMessageMoveTasks",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 256u * 1024,
	.build = moves_build,
	.read = moves_read,
};

/* ---- StartMessageMoveTask */

static bool start_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct start_move_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "SourceArn", q->arn);
	if (q->to)
		json_out_str(&o, "DestinationArn", q->to);
	json_out_int(&o, "MaxNumberOfMessagesPerSecond", q->rate);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool start_read(const struct http_res *rs, void *out, struct err *e)
{
	struct start_move_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const char *handle = json_get_str(doc, "TaskHandle");
	bool ok = handle && *handle && strlen(handle) < sizeof v->handle;
	snprintf(v->handle, sizeof v->handle, "%s", ok ? handle : "");
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "no TaskHandle in the answer");
}

const struct op op_start_message_move_task = {
	.service = &service_sqs,
	.name = "StartMessageMoveTask",
	.iam = "sqs:StartMessageMoveTask",
	.effect = OP_WRITE,
	.cap = 64u * 1024,
	.build = start_build,
	.read = start_read,
};

/* ---- CancelMessageMoveTask */

static bool cancel_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct cancel_move_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "TaskHandle", q->handle);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool cancel_read(const struct http_res *rs, void *out, struct err *e)
{
	struct cancel_move_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	v->moved = number(doc, "ApproximateNumberOfMessagesMoved");
	json_free(doc);
	return true;
}

const struct op op_cancel_message_move_task = {
	.service = &service_sqs,
	.name = "CancelMessageMoveTask",
	.iam = "sqs:CancelMessageMoveTask",
	.effect = OP_WRITE,
	.cap = 64u * 1024,
	.build = cancel_build,
	.read = cancel_read,
};
