#include "alarms/lint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY 86400

void body_metrics(const struct json *body, void (*each)(void *, const char *, const char *, const struct json *),
                  void *ctx)
{
	const char *ns = json_get_str(body, "Namespace"), *name = json_get_str(body, "MetricName");
	if (ns && name)
		each(ctx, ns, name, json_get(body, "Dimensions"));
	for (const struct json *q = json_first(json_get(body, "Metrics")); q; q = json_next(q)) {
		const struct json *m = json_get(json_get(q, "MetricStat"), "Metric");
		ns = json_get_str(m, "Namespace");
		name = json_get_str(m, "MetricName");
		if (ns && name)
			each(ctx, ns, name, json_get(m, "Dimensions"));
	}
}

struct linting {
	struct arena *mem;
	const struct lint_in *in;
	const struct plan_act *act;
	struct plan_step *step;
	bool aws, dynamodb; /* a metric of AWS's own */
};

static bool text_is(const struct json *body, const char *key, const char *value)
{
	const char *is = json_get_str(body, key);
	return is && strcmp(is, value) == 0;
}

/* ---- metrics */

/* Published only when something happens: no datapoint is no trouble. */
static bool counts_trouble(const char *name)
{
	static const char *const words[] = { "error", "fail", "throttle", "exceeded", "4xx", "5xx", "fault", "deadletter" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

static bool dead_letters(const struct json *dimensions)
{
	for (const struct json *d = json_first(dimensions); d; d = json_next(d)) {
		const char *value = json_get_str(d, "Value");
		if (text_is(d, "Name", "QueueName") && value && (strcasestr(value, "dlq") || strcasestr(value, "dead")))
			return true;
	}
	return false;
}

static void metric(void *ctx, const char *ns, const char *name, const struct json *dimensions)
{
	struct linting *l = ctx;
	const struct json *body = l->act->wish->body;
	const char *compare = json_get_str(body, "ComparisonOperator");
	bool above = compare && strncmp(compare, "Greater", 7) == 0;
	bool good = text_is(body, "TreatMissingData", "notBreaching") || text_is(body, "TreatMissingData", "ignore");
	l->aws = l->aws || strncmp(ns, "AWS/", 4) == 0;
	l->dynamodb = l->dynamodb || strcmp(ns, "AWS/DynamoDB") == 0;
	if (l->in->seen && l->in->seen(l->in->ctx, ns, name, dimensions) == LINT_NEVER)
		plan_note(
		    l->mem, l->step,
		    arena_printf(l->mem,
		                 "CloudWatch lists no metric %s/%s with these dimensions: never seen, or silent for two weeks",
		                 ns, name));
	if (above && counts_trouble(name) && !good)
		plan_note(l->mem, l->step,
		          arena_printf(
		              l->mem,
		              "%s has a datapoint only when there is trouble: TreatMissingData notBreaching lets the alarm end",
		              name));
	if (strcmp(name, "NumberOfMessagesSent") == 0 && dead_letters(dimensions))
		plan_note(l->mem, l->step,
		          "what redrive moves is not in NumberOfMessagesSent of a dead-letter queue: "
		          "ApproximateNumberOfMessagesVisible tells");
}

/* ---- who is told */

static const struct lint_topic *topic_of(const struct lint_in *in, const char *arn)
{
	for (unsigned i = 0; i < in->ntopics; i++)
		if (strcmp(in->topics[i].arn, arn) == 0)
			return &in->topics[i];
	return NULL;
}

static bool in_region(const char *arn, const char *region)
{
	const char *p = arn;
	for (unsigned i = 0; p && i < 3; i++)
		p = (p = strchr(p, ':')) ? p + 1 : NULL;
	size_t n = p ? strcspn(p, ":") : 0;
	return !region || !*region || (n == strlen(region) && strncmp(p, region, n) == 0);
}

static void action(struct linting *l, const char *arn)
{
	const struct lint_topic *t = topic_of(l->in, arn);
	if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":sns:"))
		return;
	if (!in_region(arn, l->in->region))
		plan_note(l->mem, l->step, arena_printf(l->mem, "%s is in another region: no alarm reaches it", arn));
	else if (t && t->missing)
		plan_note(l->mem, l->step, arena_printf(l->mem, "%s: %s", arn, t->missing));
	else if (t && t->known && !t->confirmed)
		plan_note(l->mem, l->step,
		          arena_printf(l->mem, "nobody is subscribed to %s%s", arn,
		                       t->pending ? ": what there is, is not confirmed" : ""));
}

static void actions(struct linting *l)
{
	const struct json *body = l->act->wish->body, *list = json_get(body, "AlarmActions");
	bool enabled = true;
	json_bool(json_get(body, "ActionsEnabled"), &enabled);
	if (!enabled)
		plan_note(l->mem, l->step, "its actions are off: it tells nobody");
	else if (!json_first(list))
		plan_note(l->mem, l->step, "no action: nobody is told when it goes into ALARM");
	for (const struct json *a = json_first(list); a; a = json_next(a))
		if (json_str(a))
			action(l, json_str(a));
}

/* ---- the rest */

static void settings(struct linting *l)
{
	const struct json *body = l->act->wish->body;
	const char *extended = json_get_str(body, "ExtendedStatistic");
	double period = 60;
	json_num(json_get(body, "Period"), &period);
	if (json_get(body, "Unit"))
		plan_note(l->mem, l->step, "Unit: datapoints of any other unit, and of none, do not count");
	if (period < 60 && l->aws)
		plan_note(l->mem, l->step, "Period below 60: AWS's own metrics have a datapoint a minute at the most");
	if (extended && extended[0] == 'p' && !json_get(body, "EvaluateLowSampleCountPercentile"))
		plan_note(l->mem, l->step,
		          "a percentile of few samples says little: EvaluateLowSampleCountPercentile ignore waits for enough");
	if (l->dynamodb && !json_get(body, "TreatMissingData"))
		plan_note(l->mem, l->step,
		          "AWS/DynamoDB: sources disagree on what missing data are then: say TreatMissingData");
}

/* Of the live alarm: for more than a day without data. */
static void state(struct linting *l)
{
	const struct json *live = l->act->live ? l->act->live->body : NULL;
	int64_t since = 0;
	if (!live || !text_is(live, "StateValue", "INSUFFICIENT_DATA"))
		return;
	if (json_time_ms(json_get(live, "StateTransitionedTimestamp"), &since) && l->in->now - since / 1000 > DAY)
		plan_note(l->mem, l->step, "it has been in INSUFFICIENT_DATA for more than a day");
}

void lint(struct arena *mem, const struct lint_in *in, const struct plan_act *a, struct plan_step *s)
{
	struct linting l = { .mem = mem, .in = in, .act = a, .step = s };
	body_metrics(a->wish->body, metric, &l);
	actions(&l);
	settings(&l);
	state(&l);
}
