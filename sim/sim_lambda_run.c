#include "sim/sim_lambda_run.h"

#include "core/hash.h"
#include "core/mem.h"
#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_BYTES (256u << 20) /* of payloads; what comes after is not kept */

void lambda_code_read(struct lambda_code *c, const struct json *environment)
{
	const struct json *v = json_get(environment, "Variables");
	const char *fail_if = json_get_str(v, "FAIL_IF"), *partial = json_get_str(v, "PARTIAL");
	c->fail_if = fail_if && *fail_if ? xstrdup(fail_if) : NULL;
	c->partial = partial && strcmp(partial, "yes") == 0;
}

void lambda_code_clear(struct lambda_code *c)
{
	free(c->fail_if);
}

static void keep(struct world *w, const struct sim_function *fn, const struct sim_req *rq)
{
	const char *context = sim_header(rq, "x-amz-client-context");
	if (w->events_bytes + rq->body.n > EVENTS_BYTES)
		return;
	MEM_GROW(w->lambda_events, w->nlambda_events, w->caplambda_events);
	w->lambda_events[w->nlambda_events++] =
	    (struct lambda_event){ xstrdup(fn->name), xstrndup(rq->body.n ? rq->body.p : "", rq->body.n),
		                       context ? xstrdup(context) : NULL };
	w->events_bytes += rq->body.n;
}

static bool bad(const struct lambda_code *c, const char *body)
{
	return c->fail_if && body && strstr(body, c->fail_if);
}

/* The bytes of a stream's record, or of a message's body. */
static bool bad_record(const struct lambda_code *c, const struct json *r)
{
	const char *data = json_get_str(json_get(r, "kinesis"), "data");
	struct buf b;
	if (!data)
		return bad(c, json_get_str(r, "body"));
	buf_init(&b, (size_t)16 << 20);
	bool is = c->fail_if && hash_unbase64(&b, span_of(data)) && b.n &&
	          memmem(b.p, b.n, c->fail_if, strlen(c->fail_if)) != NULL;
	buf_clear(&b);
	return is;
}

static bool fails(const struct lambda_code *c, const struct json *records, struct json_out *o)
{
	bool any = false;
	for (const struct json *r = json_first(records); r; r = json_next(r)) {
		const char *sequence = json_get_str(json_get(r, "kinesis"), "sequenceNumber");
		if (!bad_record(c, r))
			continue;
		any = true;
		json_out_object(o, NULL);
		json_out_str(o, "itemIdentifier", sequence ? sequence : json_get_str(r, "messageId"));
		json_out_object_end(o);
	}
	return any;
}

bool lambda_run(struct world *w, const struct sim_function *fn, const struct sim_req *rq, struct buf *report)
{
	struct json_out o;
	const struct lambda_code *c = &fn->code;
	struct json *event = json_parse(rq->body, NULL);
	const struct json *records = json_get(event, "Records");
	if (w->open)
		keep(w, fn, rq);
	if (!records) {
		char *text = xstrndup(rq->body.n ? rq->body.p : "", rq->body.n);
		bool failed = bad(c, text);
		free(text);
		json_free(event);
		return failed;
	}
	json_out_init(&o, report);
	json_out_object(&o, NULL);
	json_out_array(&o, "batchItemFailures");
	bool any = fails(c, records, &o);
	json_out_array_end(&o);
	json_out_object_end(&o);
	if (!c->partial)
		buf_reset(report);
	json_free(event);
	return any && !c->partial;
}

void lambda_events_tell(const struct world *w, struct buf *out)
{
	struct json_out o;
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_array(&o, "invocations");
	for (unsigned i = 0; i < w->nlambda_events; i++) {
		const struct lambda_event *v = &w->lambda_events[i];
		json_out_object(&o, NULL);
		json_out_str(&o, "function", v->function);
		json_out_str(&o, "client_context", v->context);
		json_out_str(&o, "payload", v->payload);
		json_out_object_end(&o);
	}
	json_out_array_end(&o);
	json_out_object_end(&o);
}

void lambda_events_free(struct world *w)
{
	for (unsigned i = 0; i < w->nlambda_events; i++) {
		free(w->lambda_events[i].function);
		free(w->lambda_events[i].payload);
		free(w->lambda_events[i].context);
	}
	free(w->lambda_events);
}
