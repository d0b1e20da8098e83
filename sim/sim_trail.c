#include "sim/sim_trail.h"

#include "core/clock.h"
#include "core/mem.h"
#include "sim/sim_grant.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MS (90ll * 86400000)
#define KEEP 20000
#define DOCUMENT_MAX (256u << 10)

/* ---- what an event is called, and about */

/* Lambda's events carry the version of its API. */
static const struct {
	const char *op, *name;
} lambda_names[] = {
	{ "UpdateFunctionCode", "UpdateFunctionCode20150331v2" },
	{ "UpdateFunctionConfiguration", "UpdateFunctionConfiguration20150331v2" },
	{ "PutFunctionConcurrency", "PutFunctionConcurrency20171031" },
	{ "DeleteFunctionConcurrency", "DeleteFunctionConcurrency20171031" },
	{ "PutFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig" },
};

static void event_name(const char *service, const char *op, char *out, size_t size)
{
	if (strcmp(service, "lambda") != 0) {
		snprintf(out, size, "%s", op);
		return;
	}
	for (size_t i = 0; i < sizeof lambda_names / sizeof *lambda_names; i++)
		if (strcmp(lambda_names[i].op, op) == 0) {
			snprintf(out, size, "%s", lambda_names[i].name);
			return;
		}
	snprintf(out, size, "%s20150331", op);
}

static const struct {
	const char *service, *member, *type;
} subjects[] = {
	{ "lambda", "FunctionName", "AWS::Lambda::Function" },
	{ "lambda", "UUID", "AWS::Lambda::EventSourceMapping" },
	{ "sqs", "QueueName", "AWS::SQS::Queue" },
	{ "sqs", "QueueUrl", "AWS::SQS::Queue" },
	{ "sqs", "SourceArn", "AWS::SQS::Queue" },
	{ "kinesis", "StreamName", "AWS::Kinesis::Stream" },
	{ "kinesis", "StreamARN", "AWS::Kinesis::Stream" },
	{ "monitoring", "AlarmName", "AWS::CloudWatch::Alarm" },
	{ "monitoring", "AlarmNames", "AWS::CloudWatch::Alarm" },
	{ "monitoring", "ResourceARN", "AWS::CloudWatch::Alarm" },
	{ "sns", "TopicArn", "AWS::SNS::Topic" },
	{ "sns", "Name", "AWS::SNS::Topic" },
	{ "sns", "SubscriptionArn", "AWS::SNS::Subscription" },
};

static const char *last_part(const char *text)
{
	const char *slash = strrchr(text, '/');
	return slash && strncmp(text, "http", 4) == 0 ? slash + 1 : world_arn_name(text);
}

static void subject_of(const struct trail_note *n, const char **name, const char **type)
{
	*name = *type = NULL;
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		if (strcmp(subjects[i].service, n->service) != 0)
			continue;
		const struct json *v = json_get(n->args, subjects[i].member);
		if (!v)
			v = json_get(n->params, subjects[i].member);
		const char *text = json_str(json_is_array(v) ? json_first(v) : v);
		if (text) {
			*name = last_part(text);
			*type = subjects[i].type;
			return;
		}
	}
}

/* ---- the document */

/* CloudTrail writes members with a small first letter. */
static void write_members(struct json_out *o, const struct json *from)
{
	for (const struct json *m = json_first(from); m; m = json_next(m))
		if (strcmp(json_key(m), "Action") != 0 && strcmp(json_key(m), "Version") != 0)
			json_tell(o, json_key(m), m, true);
}

/* arn:aws:sts::1:assumed-role/ROLE/SESSION is known by its session, a user by its name. */
static void write_identity(struct json_out *o, const struct world *w, const struct trail_note *n)
{
	const char *role = strstr(n->who, ":assumed-role/");
	char name[128], issuer[300];
	json_out_object(o, "userIdentity");
	json_out_str(o, "type", role ? "AssumedRole" : "IAMUser");
	json_out_str(o, "arn", n->who);
	json_out_str(o, "accountId", SIM_ACCOUNT);
	json_out_str(o, "accessKeyId", n->akid);
	if (role) {
		role += strlen(":assumed-role/");
		snprintf(name, sizeof name, "%.*s", (int)strcspn(role, "/"), role);
		snprintf(issuer, sizeof issuer, "arn:%s:iam::" SIM_ACCOUNT ":role/%s", w->partition, name);
		json_out_object(o, "sessionContext");
		json_out_object(o, "sessionIssuer");
		json_out_str(o, "type", "Role");
		json_out_str(o, "arn", issuer);
		json_out_str(o, "accountId", SIM_ACCOUNT);
		json_out_str(o, "userName", name);
		json_out_object_end(o);
		json_out_object_end(o);
	} else {
		json_out_str(o, "userName", world_arn_name(n->who));
	}
	json_out_object_end(o);
}

static char *document(struct world *w, const struct trail_note *n, const struct trail_event *e)
{
	struct buf b;
	struct json_out o;
	char request[37];
	world_uuid(w, request);
	buf_init(&b, DOCUMENT_MAX);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "eventVersion", "1.11");
	write_identity(&o, w, n);
	json_out_time(&o, "eventTime", e->at_ms / 1000);
	json_out_str(&o, "eventSource", e->source);
	json_out_str(&o, "eventName", e->name);
	json_out_str(&o, "awsRegion", w->region);
	json_out_str(&o, "sourceIPAddress", n->address ? n->address : "127.0.0.1");
	json_out_str(&o, "userAgent", n->agent);
	if (n->error) {
		json_out_str(&o, "errorCode", n->error);
		json_out_str(&o, "errorMessage", n->message);
	}
	json_out_object(&o, "requestParameters");
	write_members(&o, n->params);
	write_members(&o, n->args);
	json_out_object_end(&o);
	json_out_null(&o, "responseElements");
	json_out_str(&o, "requestID", request);
	json_out_str(&o, "eventID", e->id);
	json_out_bool(&o, "readOnly", false);
	json_out_str(&o, "eventType", "AwsApiCall");
	json_out_bool(&o, "managementEvent", true);
	json_out_str(&o, "recipientAccountId", SIM_ACCOUNT);
	json_out_str(&o, "eventCategory", "Management");
	json_out_object_end(&o);
	bool whole = o.ok && !buf_full(&b);
	char *text = buf_steal(&b);
	if (whole)
		return text;
	free(text); /* a request of many members: told without them */
	return n->args || n->params ? document(w,
	                                       &(struct trail_note){ .who = n->who,
	                                                             .akid = n->akid,
	                                                             .agent = n->agent,
	                                                             .address = n->address,
	                                                             .error = n->error,
	                                                             .message = n->message },
	                                       e)
	                            : xstrdup("{}");
}

/* ---- keeping them */

static void event_free(struct trail_event *e)
{
	free(e->name);
	free(e->source);
	free(e->user);
	free(e->akid);
	free(e->resource);
	free(e->type);
	free(e->document);
}

static void forget(struct world *w)
{
	unsigned gone = 0;
	while (gone < w->ntrail && (w->trail[gone].at_ms < w->now_ms - KEEP_MS || w->ntrail - gone >= KEEP))
		event_free(&w->trail[gone++]);
	if (gone)
		memmove(w->trail, w->trail + gone, (w->ntrail - gone) * sizeof *w->trail);
	w->ntrail -= gone;
}

void trail_add(struct world *w, const struct trail_note *n)
{
	char name[96], source[64];
	const char *subject, *type;
	event_name(n->service, n->op, name, sizeof name);
	snprintf(source, sizeof source, "%s.amazonaws.com", n->service);
	subject_of(n, &subject, &type);
	struct trail_event e = { .name = xstrdup(name),
		                     .source = xstrdup(source),
		                     .user = xstrdup(world_arn_name(n->who)),
		                     .akid = n->akid && *n->akid ? xstrdup(n->akid) : NULL,
		                     .resource = subject ? xstrdup(subject) : NULL,
		                     .type = type ? xstrdup(type) : NULL,
		                     .at_ms = n->at_ms };
	world_uuid(w, e.id);
	e.document = document(w, n, &e);
	forget(w);
	MEM_GROW(w->trail, w->ntrail, w->captrail);
	unsigned at = w->ntrail++;
	for (; at && w->trail[at - 1].at_ms > e.at_ms; at--)
		w->trail[at] = w->trail[at - 1];
	w->trail[at] = e;
}

/* What belongs to the data of a resource is no management event. */
static bool is_data_event(const char *op)
{
	static const char *const ops[] = { "SendMessage",        "SendMessageBatch",
		                               "ReceiveMessage",     "DeleteMessage",
		                               "DeleteMessageBatch", "ChangeMessageVisibility",
		                               "PutRecord",          "ChangeMessageVisibilityBatch",
		                               "PutRecords",         "Invoke",
		                               "PutMetricData",      "Publish",
		                               "PublishBatch" };
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (strcmp(ops[i], op) == 0)
			return true;
	return false;
}

void trail_request(struct world *w, const struct sim_req *rq, const struct sim_fail *f)
{
	char who[200];
	if (is_data_event(rq->op) || !rq->akid[0])
		return;
	grant_caller(w, rq->akid, who, sizeof who);
	const char *agent = sim_header(rq, "user-agent");
	trail_add(w, &(struct trail_note){ .service = rq->service,
	                                   .op = rq->op,
	                                   .who = who,
	                                   .akid = rq->akid,
	                                   .agent = agent ? agent : "",
	                                   .args = rq->args,
	                                   .params = rq->params,
	                                   .at_ms = w->now_ms,
	                                   .error = f ? sim_fail_shape(f->why) : NULL,
	                                   .message = f ? f->text : NULL });
}

void trail_past(struct world *w, const char *service, const char *op, const char *who, int64_t at_ms, const char *args)
{
	struct err e;
	struct json *root = json_parse(span_of(args), &e);
	trail_add(w, &(struct trail_note){ .service = service,
	                                   .op = op,
	                                   .who = who,
	                                   .akid = "ASIAEXAMPLEOFTHEPAST",
	                                   .agent = "aws-cli/2.31.9",
	                                   .address = "203.0.113.7",
	                                   .args = root,
	                                   .at_ms = at_ms });
	json_free(root);
}

void trail_free(struct world *w)
{
	for (unsigned i = 0; i < w->ntrail; i++)
		event_free(&w->trail[i]);
	free(w->trail);
}
