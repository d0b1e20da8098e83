/* PutAlarmMuteRule, DeleteAlarmMuteRule, ListAlarmMuteRules. */
#include "aws/op_mute.h"

#include "aws/op_cloudwatch.h"
#include "aws/wire.h"
#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_schedule(struct json_out *o, const struct put_mute_in *q)
{
	char at[CLOCK_RFC3339_SIZE], text[64];
	clock_rfc3339(q->at, at);
	json_out_object(o, "Rule");
	json_out_object(o, "Schedule");
	snprintf(text, sizeof text, "at(%.16s)", at); /* 2026-11-23T03:14 */
	json_out_str(o, "Expression", text);
	snprintf(text, sizeof text, "PT%" PRId64 "M", (q->seconds + 59) / 60);
	json_out_str(o, "Duration", text);
	json_out_str(o, "Timezone", "UTC");
	json_out_object_end(o);
	json_out_object_end(o);
}

static bool put_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct put_mute_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "Name", q->name);
	json_out_str(&o, "Description", q->why);
	put_schedule(&o, q);
	json_out_object(&o, "MuteTargets");
	json_out_array(&o, "AlarmNames");
	json_out_str(&o, NULL, q->alarm);
	json_out_array_end(&o);
	json_out_object_end(&o);
	json_out_array(&o, "Tags");
	json_out_object(&o, NULL);
	json_out_str(&o, "Key", "author");
	json_out_str(&o, "Value", q->author);
	json_out_object_end(&o);
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool done_read(const struct http_res *rs, void *out, struct err *e)
{
	struct mute_out *o = out;
	return wire_done(rs, o->request_id, e);
}

static bool delete_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct delete_mute_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "AlarmMuteRuleName", q->name);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool list_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct mutes_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "AlarmName", q->alarm);
	if (q->page.token)
		json_out_str(&o, "NextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* arn:aws:cloudwatch:REGION:ACCOUNT:alarm-mute-rule:NAME */
static const char *name_of(const char *arn)
{
	const char *at = arn ? strstr(arn, ":alarm-mute-rule:") : NULL;
	return at && strlen(at + 17) < MUTE_NAME ? at + 17 : NULL;
}

static bool list_read(const struct http_res *rs, void *out, struct err *e)
{
	struct mutes_out *v = out;
	bool ok = true;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const struct json *first = wire_list(doc, "AlarmMuteRuleSummaries", &ok);
	unsigned n = 0;
	for (const struct json *r = first; r; r = json_next(r))
		n++;
	const char **names = arena_array(&v->mem, v->n + n, sizeof *names);
	if (v->n)
		memcpy(names, v->names, v->n * sizeof *names);
	v->names = names;
	for (const struct json *r = first; r && ok; r = json_next(r)) {
		const char *name = name_of(json_str(json_get(r, "AlarmMuteRuleArn")));
		ok = name != NULL;
		if (ok)
			v->names[v->n++] = arena_strdup(&v->mem, name);
	}
	wire_next(&v->page, doc, "NextToken", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "cloudwatch:ListAlarmMuteRules", "the answer is not what was expected");
}

const struct op op_put_mute_rule = {
	.service = &service_cloudwatch,
	.name = "PutAlarmMuteRule",
	.iam = "cloudwatch:PutAlarmMuteRule",
	.effect = OP_WRITE,
	.idempotent = true,
	.rate = 3,
	.cap = 64u * 1024,
	.build = put_build,
	.read = done_read,
};

const struct op op_delete_mute_rule = {
	.service = &service_cloudwatch,
	.name = "DeleteAlarmMuteRule",
	.iam = "cloudwatch:DeleteAlarmMuteRule",
	.effect = OP_WRITE,
	.idempotent = true,
	.rate = 3,
	.cap = 64u * 1024,
	.build = delete_build,
	.read = done_read,
};

const struct op op_list_mute_rules = {
	.service = &service_cloudwatch,
	.name = "ListAlarmMuteRules",
	.iam = "cloudwatch:ListAlarmMuteRules",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.build = list_build,
	.read = list_read,
};
