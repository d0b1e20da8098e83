#include "aws/op_cloudtrail.h"

#include "aws/wire.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct service service_cloudtrail = {
	.id = "cloudtrail",
	.host = "cloudtrail",
	.signing = "cloudtrail",
	.env = "CLOUDTRAIL",
	.target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
	.version = "2013-11-01",
	.wire = WIRE_JSON11,
};

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct lookup_events_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_array(&o, "LookupAttributes"); /* one is all it takes */
	json_out_object(&o, NULL);
	json_out_str(&o, "AttributeKey", "ReadOnly");
	json_out_str(&o, "AttributeValue", "false");
	json_out_object_end(&o);
	json_out_array_end(&o);
	json_out_int(&o, "StartTime", q->start);
	json_out_int(&o, "EndTime", q->end);
	json_out_int(&o, "MaxResults", 50);
	if (q->token)
		json_out_str(&o, "NextToken", q->token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* Lambda's names carry their API's version, and what came later behind a v: UpdateFunctionCode20150331v2. */
static const char *plain_name(struct arena *mem, const char *name)
{
	size_t n = strlen(name), end = n;
	while (end && name[end - 1] >= '0' && name[end - 1] <= '9')
		end--;
	if (end && end < n && name[end - 1] == 'v' && n - end <= 2) {
		n = --end;
		while (end && name[end - 1] >= '0' && name[end - 1] <= '9')
			end--;
	}
	return n - end >= 8 ? arena_strndup(mem, name, end) : arena_strdup(mem, name);
}

/* What a request calls the resource it is about, by the services that sluice watches. A URL or an ARN stands for its last part. */
static const char *const named[] = { "queueUrl",  "functionName", "streamName", "streamARN",
	                                 "alarmName", "topicArn",     "stackName",  "queueName" };

static const char *last_part(const char *s)
{
	const char *slash = strrchr(s, '/'), *colon = strrchr(s, ':');
	const char *cut = slash > colon ? slash : colon;
	return cut && cut[1] ? cut + 1 : s;
}

/* arn:aws:lambda:R:A:function:NAME[:ALIAS] */
static const char *function_of(struct arena *mem, const char *s)
{
	const char *f = strstr(s, ":function:");
	s = f ? f + 10 : s;
	return arena_strndup(mem, s, strcspn(s, ":"));
}

static const char *resource_of(struct arena *mem, const struct json *event, const struct json *doc)
{
	const struct json *rq = json_get(doc, "requestParameters"), *rs = json_get(doc, "responseElements");
	const char *function = json_get_str(rq, "functionName");
	if (!function)
		function = json_get_str(rs, "functionArn"); /* of an event source mapping that is changed by its id */
	if (function)
		return function_of(mem, function);
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (json_get_str(rq, named[i]))
			return arena_strdup(mem, last_part(json_get_str(rq, named[i])));
	const char *first = json_get_str(json_first(json_get(event, "Resources")), "ResourceName");
	return first ? arena_strdup(mem, last_part(first)) : NULL;
}

/* Of the parameters only those that say what was changed, and only short ones: a request may hold secrets (an environment). */
static const char *const telling[] = { "MessageRetentionPeriod",
	                                   "VisibilityTimeout",
	                                   "RedrivePolicy",
	                                   "retentionPeriodHours",
	                                   "targetShardCount",
	                                   "name",
	                                   "functionVersion",
	                                   "enabled",
	                                   "batchSize",
	                                   "timeout",
	                                   "memorySize",
	                                   "runtime",
	                                   "threshold",
	                                   "stateValue",
	                                   "reservedConcurrentExecutions" };
#define DETAIL_MOST 160

/* The value is what counts, and a line has few cells. */
static const struct {
	const char *key, *word;
} brief[] = { { "functionVersion", "version" }, { "reservedConcurrentExecutions", "reserved" } };

static void add_detail(struct buf *b, const struct json *m)
{
	char number[32];
	double v;
	bool flag;
	const char *text = json_str(m);
	if (!text && json_bool(m, &flag))
		text = flag ? "true" : "false";
	if (!text && json_num(m, &v)) {
		snprintf(number, sizeof number, "%.15g", v);
		text = number;
	}
	const char *key = json_key(m);
	for (size_t i = 0; i < sizeof brief / sizeof *brief; i++)
		if (strcmp(key, brief[i].key) == 0)
			key = brief[i].word;
	if (text && strlen(text) <= DETAIL_MOST)
		buf_addf(b, "%s%s=%s", b->n ? ", " : "", key, text);
}

static void add_details(struct buf *b, const struct json *object)
{
	for (const struct json *m = json_first(object); m; m = json_next(m))
		for (size_t i = 0; json_key(m) && i < sizeof telling / sizeof *telling; i++)
			if (strcmp(json_key(m), telling[i]) == 0)
				add_detail(b, m);
}

static const char *detail_of(struct arena *mem, const struct json *doc)
{
	struct buf b;
	const struct json *rq = json_get(doc, "requestParameters");
	buf_init(&b, 1024);
	add_details(&b, rq);
	if (json_is_object(json_get(rq, "attributes"))) /* SetQueueAttributes */
		add_details(&b, json_get(rq, "attributes"));
	const char *s = b.n ? arena_strndup(mem, b.p, b.n) : NULL;
	buf_clear(&b);
	return s;
}

static const char *caller_of(struct arena *mem, const struct json *event, const struct json *doc)
{
	const struct json *who = json_get(doc, "userIdentity");
	const char *arn = json_get_str(who, "arn"), *by = json_get_str(who, "invokedBy"),
	           *name = json_get_str(event, "Username");
	return arena_strdup(mem, arn ? arn : name ? name : by);
}

static const char *service_of(struct arena *mem, const char *source)
{
	size_t n = source ? strcspn(source, ".") : 0;
	bool cloudwatch = n == 10 && strncmp(source, "monitoring", n) == 0;
	return cloudwatch ? "cloudwatch" : arena_strndup(mem, source ? source : "", n);
}

/* CloudTrailEvent is JSON within a string; without it the summary tells what it can. */
static bool read_event(struct lookup_events_out *o, const struct json *e)
{
	const char *id = json_get_str(e, "EventId"), *name = json_get_str(e, "EventName"),
	           *text = json_get_str(e, "CloudTrailEvent");
	int64_t ms;
	if (!id || !name || !json_time_ms(json_get(e, "EventTime"), &ms) || ms < 1000)
		return false;
	struct json *doc = text ? json_parse(span_of(text), NULL) : NULL;
	MEM_GROW(o->events, o->n, o->cap);
	o->events[o->n++] = (struct trail_event){
		.id = arena_strdup(&o->mem, id),
		.name = plain_name(&o->mem, name),
		.at = ms / 1000,
		.service = service_of(&o->mem, json_get_str(e, "EventSource")),
		.by = caller_of(&o->mem, e, doc),
		.agent = arena_strdup(&o->mem, json_get_str(doc, "userAgent")),
		.error = arena_strdup(&o->mem, json_get_str(doc, "errorCode")),
		.resource = resource_of(&o->mem, e, doc),
		.detail = detail_of(&o->mem, doc),
	};
	json_free(doc);
	return true;
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct lookup_events_out *o = out;
	struct page next = { 0 };
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *v = wire_list(doc, "Events", &ok); v && ok; v = json_next(v))
		ok = read_event(o, v);
	wire_next(&next, doc, "NextToken", &ok);
	json_free(doc);
	free(o->token);
	o->token = next.token;
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of events with id, name and time");
}

void lookup_events_out_clear(struct lookup_events_out *o)
{
	arena_clear(&o->mem);
	free(o->events);
	free(o->token);
	*o = (struct lookup_events_out){ 0 };
}

const struct op op_lookup_events = {
	.service = &service_cloudtrail,
	.name = "LookupEvents",
	.iam = "cloudtrail:LookupEvents",
	.effect = OP_READ,
	.idempotent = true,
	.rate = 2,
	.cap = 16u * 1024 * 1024, /* 50 events of up to 256 KB, escaped once more */
	.build = build,
	.read = read,
};
