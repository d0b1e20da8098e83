#include "aws/op_async.h"

#include "aws/op_lambda.h"
#include "aws/wire.h"

#include <string.h>

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct event_configs_in *q = in;
	rq->method = "GET";
	bool ok = buf_adds(&rq->path, "/2019-09-25/functions/") && wire_escape(&rq->path, span_of(q->function)) &&
	          buf_adds(&rq->path, "/event-invoke-config/list") && wire_param(&rq->query, "MaxItems", "50") &&
	          wire_param(&rq->query, "Marker", q->page.token);
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static bool read_one(struct event_configs_out *o, const struct json *c)
{
	static const char itself[] = ":$LATEST";
	const char *arn = json_get_str(c, "FunctionArn");
	int64_t age = EVENT_AGE_DEFAULT;
	size_t n = arn ? strlen(arn) : 0;
	if (!arn)
		return false;
	json_int(json_get(c, "MaximumEventAgeInSeconds"), &age);
	o->latest = o->latest || (n >= sizeof itself && strcmp(arn + n - (sizeof itself - 1), itself) == 0);
	o->least = !o->n || age < o->least ? age : o->least;
	o->most = !o->n || age > o->most ? age : o->most;
	o->n++;
	return true;
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct event_configs_out *o = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *c = wire_list(doc, "FunctionEventInvokeConfigs", &ok); c && ok; c = json_next(c))
		ok = read_one(o, c);
	wire_next(&o->page, doc, "NextMarker", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of event invoke configurations");
}

const struct op op_list_event_configs = {
	.service = &service_lambda,
	.name = "ListFunctionEventInvokeConfigs",
	.iam = "lambda:ListFunctionEventInvokeConfigs",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 15,
	.cap = 1024u * 1024,
	.build = build,
	.read = read,
};
