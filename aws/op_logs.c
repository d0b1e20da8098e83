#include "aws/op_logs.h"

#include "aws/wire.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_EVENTS 5000

static const struct service service_logs = {
	.id = "logs",
	.host = "logs",
	.signing = "logs",
	.env = "CLOUDWATCH_LOGS",
	.target = "Logs_20140328",
	.version = "2014-03-28",
	.wire = WIRE_JSON11,
};

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct filter_events_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "logGroupName", q->group);
	if (q->nstreams) {
		json_out_array(&o, "logStreamNames");
		for (unsigned i = 0; i < q->nstreams; i++)
			json_out_str(&o, NULL, q->streams[i]);
		json_out_array_end(&o);
	}
	json_out_int(&o, "startTime", q->from_ms);
	json_out_int(&o, "endTime", q->to_ms);
	if (q->pattern)
		json_out_str(&o, "filterPattern", q->pattern);
	json_out_int(&o, "limit", PAGE_EVENTS);
	json_out_bool(&o, "startFromHead",
	              false); /* newest first; a service that does not know this begins with the oldest */
	if (q->page.token)
		json_out_str(&o, "nextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool read_event(struct filter_events_out *out, const struct json *n)
{
	const char *message = json_get_str(n, "message"), *stream = json_get_str(n, "logStreamName");
	int64_t at;
	if (!message || !json_int(json_get(n, "timestamp"), &at))
		return false;
	struct span text = span_of(message);
	out->events++;
	out->bytes += text.n;
	if (out->event)
		out->event(out->ctx, stream ? stream : "", json_get_str(n, "eventId"), at, text);
	return true;
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct filter_events_out *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *n = wire_list(doc, "events", &ok); n && ok; n = json_next(n))
		ok = read_event(f, n);
	wire_next(&f->page, doc, "nextToken", &ok);
	f->pages++;
	if ((f->most_pages && f->pages >= f->most_pages) || (f->most_bytes && f->bytes >= f->most_bytes)) {
		f->more = f->page.token != NULL;
		wire_token(&f->page, NULL);
	}
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of events with message and time");
}

const struct op op_filter_log_events = {
	.service = &service_logs,
	.name = "FilterLogEvents",
	.iam = "logs:FilterLogEvents",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 4,
	.cap = 8u * 1024 * 1024, /* 1 MiB of lines, escaped */
	.build = build,
	.read = read,
};
