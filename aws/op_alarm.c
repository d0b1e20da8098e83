/* DescribeAlarmHistory and ListTagsForResource: what happened to an alarm, and who keeps it. */
#include "aws/op_cloudwatch.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- DescribeAlarmHistory */

static bool history_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct alarm_history_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "AlarmName", q->name);
	json_out_array(&o, "AlarmTypes"); /* absent means metric alarms only */
	json_out_str(&o, NULL, "MetricAlarm");
	json_out_str(&o, NULL, "CompositeAlarm");
	json_out_array_end(&o);
	if (q->from)
		json_out_int(&o, "StartDate", q->from);
	if (q->to)
		json_out_int(&o, "EndDate", q->to);
	json_out_int(&o, "MaxRecords", 100);
	json_out_str(&o, "ScanBy", "TimestampDescending");
	if (q->page.token)
		json_out_str(&o, "NextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* HistoryData is JSON in a string, versioned and only partly documented: what it does not have is left open. */
static const char *recent_points(struct arena *mem, const struct json *state)
{
	const struct json *data = json_get(state, "stateReasonData");
	struct json *inner = json_str(data) ? json_parse(span_of(json_str(data)), NULL) : NULL;
	const struct json *points = json_get(inner ? inner : data, "recentDatapoints");
	struct buf b;
	buf_init(&b, 200);
	for (const struct json *p = json_first(points); p; p = json_next(p)) {
		double v;
		char n[32];
		if (!json_num(p, &v))
			continue;
		text_exact(v, n);
		buf_addf(&b, "%s%s", b.n ? " " : "", n);
	}
	const char *text = b.n ? arena_strndup(mem, b.p, b.n) : NULL;
	buf_clear(&b);
	json_free(inner);
	return text;
}

static void read_data(struct arena *mem, const char *data, struct alarm_moment *m)
{
	struct json *doc = data ? json_parse(span_of(data), NULL) : NULL;
	const struct json *to = json_get(doc, "newState");
	const char *action = json_get_str(doc, "actionState");
	m->from = alarm_state_parse(json_get_str(json_get(doc, "oldState"), "stateValue"));
	m->to = alarm_state_parse(json_get_str(to, "stateValue"));
	m->reason = arena_strdup(mem, json_get_str(to, "stateReason"));
	m->points = recent_points(mem, to);
	m->failed = action && strcasecmp(action, "Succeeded") != 0 && strcasecmp(action, "InProgress") != 0;
	if (m->failed)
		m->reason = arena_strdup(mem, json_get_str(doc, "error"));
	json_free(doc);
}

/* "Alarm updated from OK to ALARM": where the data do not say it. */
static void read_summary(struct alarm_moment *m)
{
	char from[32], to[32];
	if (m->summary && sscanf(m->summary, "Alarm updated from %31[A-Z_] to %31[A-Z_]", from, to) == 2) {
		m->from = m->from ? m->from : alarm_state_parse(from);
		m->to = m->to ? m->to : alarm_state_parse(to);
	}
}

static bool read_moment(struct alarm_history_out *out, const struct json *i)
{
	int64_t ms;
	const char *type = json_get_str(i, "HistoryItemType");
	if (!type || !json_time_ms(json_get(i, "Timestamp"), &ms))
		return false;
	MEM_GROW(out->moments, out->n, out->cap);
	struct alarm_moment *m = &out->moments[out->n++];
	*m = (struct alarm_moment){ .at = ms / 1000,
		                        .type = arena_strdup(&out->mem, type),
		                        .summary = arena_strdup(&out->mem, json_get_str(i, "HistorySummary")) };
	read_data(&out->mem, json_get_str(i, "HistoryData"), m);
	if (strcmp(type, "StateUpdate") == 0)
		read_summary(m);
	return true;
}

static bool history_read(const struct http_res *rs, void *out, struct err *e)
{
	struct alarm_history_out *h = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *i = wire_list(doc, "AlarmHistoryItems", &ok); i && ok; i = json_next(i))
		ok = read_moment(h, i);
	wire_next(&h->page, doc, "NextToken", &ok);
	if (h->most && h->n >= h->most) {
		h->more = h->page.token || h->n > h->most;
		h->n = h->most;
		wire_token(&h->page, NULL);
	}
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of moments with type and time");
}

void alarm_history_out_clear(struct alarm_history_out *o)
{
	free(o->moments);
	free(o->page.token);
	arena_clear(&o->mem);
	*o = (struct alarm_history_out){ 0 };
}

const struct op op_describe_alarm_history = {
	.service = &service_cloudwatch,
	.name = "DescribeAlarmHistory",
	.iam = "cloudwatch:DescribeAlarmHistory",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.rate = 5,
	.cap = 4u * 1024 * 1024, /* 100 items of a summary of 255 and data of 4,095 characters */
	.build = history_build,
	.read = history_read,
};

/* ---- ListTagsForResource */

static bool tags_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct alarm_tags_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "ResourceARN", q->arn);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static void read_tag(struct alarm_tags_out *o, const char *raw, const char *value)
{
	static const char *const owners[] = { "owner", "ownedby", "team", "contact", NULL };
	static const char *const runbooks[] = { "runbook", "runbookurl", "playbook", NULL };
	char key[ALARM_TAG_KEY];
	alarm_plain_key(raw, key);
	enum alarm_manager m = alarm_manager_of(raw, value);
	if (m == ALARM_MANAGER_CLOUDFORMATION || (m != ALARM_MANAGER_HAND && o->manager == ALARM_MANAGER_HAND))
		o->manager = m;
	if (alarm_key_among(key, owners) && (!o->owner || strcmp(key, owners[0]) == 0)) {
		free(o->owner);
		o->owner = xstrdup(value);
	}
	if (alarm_key_among(key, runbooks) && !o->runbook)
		o->runbook = xstrdup(value);
}

static void keep_pair(struct alarm_tags_out *o, const char *key, const char *value)
{
	MEM_GROW(o->pairs, o->npairs, o->cpairs);
	o->pairs[o->npairs++] = xstrdup(key);
	MEM_GROW(o->pairs, o->npairs, o->cpairs);
	o->pairs[o->npairs++] = xstrdup(value);
}

static bool tags_read(const struct http_res *rs, void *out, struct err *e)
{
	struct alarm_tags_out *o = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	o->manager = ALARM_MANAGER_HAND;
	for (const struct json *t = wire_list(doc, "Tags", &ok); t && ok; t = json_next(t)) {
		const char *key = json_get_str(t, "Key"), *value = json_get_str(t, "Value");
		ok = key != NULL;
		if (ok)
			read_tag(o, key, value ? value : "");
		if (ok && o->whole)
			keep_pair(o, key, value ? value : "");
	}
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of tags");
}

void alarm_tags_out_clear(struct alarm_tags_out *o)
{
	for (unsigned i = 0; i < o->npairs; i++)
		free(o->pairs[i]);
	free(o->pairs);
	free(o->runbook);
	free(o->owner);
	*o = (struct alarm_tags_out){ .whole = o->whole };
}

const struct op op_list_alarm_tags = {
	.service = &service_cloudwatch,
	.name = "ListTagsForResource",
	.iam = "cloudwatch:ListTagsForResource",
	.effect = OP_READ,
	.idempotent = true,
	.rate = 8,
	.cap = 256u * 1024, /* 50 tags of 128 and 256 characters */
	.build = tags_build,
	.read = tags_read,
};
