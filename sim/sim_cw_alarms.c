/* CloudWatch's operations on metric alarms. */
#include "sim/sim_alarm.h"
#include "sim/sim_cw.h"
#include "sim/world.h"

#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 100
#define NAMES 100

/* ---- PutMetricAlarm */

static bool pick(const char *text, const char *const *names, unsigned n, unsigned *v)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(names[i], text) == 0) {
			*v = i;
			return true;
		}
	return false;
}

static bool bad(struct sim_fail *f, const char *key, const char *value)
{
	return sim_fail(f, WHY_INVALID_VALUE, "The value '%.80s' for parameter %s is invalid.", value, key);
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static bool read_statistic(const struct sim_req *rq, struct sim_alarm *a, struct sim_fail *f)
{
	const char *stat = NULL, *extended = NULL;
	struct sim_stat parsed;
	if (!arg_str(rq, rq->args, "Statistic", &stat, f) || !arg_str(rq, rq->args, "ExtendedStatistic", &extended, f))
		return false;
	if (!stat == !extended)
		return sim_fail(f, WHY_INVALID_COMBINATION,
		                "Exactly one of Statistic and ExtendedStatistic must be specified.");
	if (!stat_parse(stat ? stat : extended, &parsed) || (parsed.kind == STAT_PERCENTILE) != (extended != NULL))
		return bad(f, stat ? "Statistic" : "ExtendedStatistic", stat ? stat : extended);
	a->stat = xstrdup(stat ? stat : extended);
	a->extended = extended != NULL;
	return true;
}

static bool read_what(const struct sim_req *rq, struct sim_alarm *a, struct sim_fail *f)
{
	const char *ns, *metric, *unit = NULL;
	struct sim_dim dims[SIM_DIMS];
	unsigned ndims;
	if (json_get(rq->args, "Metrics") || json_get(rq->args, "ThresholdMetricId") ||
	    json_get(rq->args, "EvaluationCriteria"))
		return sim_fail(f, WHY_VALIDATION, "Alarms on metric math, anomaly bands and PromQL are not simulated.");
	if (!arg_need(rq, rq->args, "MetricName", &metric, f) || !arg_need(rq, rq->args, "Namespace", &ns, f) ||
	    !arg_str(rq, rq->args, "Unit", &unit, f) || !cw_dims(rq, rq->args, false, dims, &ndims, f) ||
	    !read_statistic(rq, a, f))
		return false;
	a->ns = xstrdup(ns);
	a->metric = xstrdup(metric);
	a->unit = copy(unit);
	a->ndims = ndims;
	for (unsigned i = 0; i < ndims; i++)
		a->dims[i] = (struct sim_dim){ xstrdup(dims[i].name), xstrdup(dims[i].value) };
	return true;
}

static bool read_periods(const struct sim_req *rq, struct sim_alarm *a, struct sim_fail *f)
{
	if (!arg_int(rq, rq->args, "Period", 10, 604800, &a->period, f) ||
	    !arg_int(rq, rq->args, "EvaluationPeriods", 1, 1000, &a->n, f) ||
	    !arg_int(rq, rq->args, "DatapointsToAlarm", 1, 1000, &a->m, f))
		return false;
	if (a->period == 0 || a->n == 0)
		return sim_fail(f, WHY_MISSING, "The parameters Period and EvaluationPeriods must be specified.");
	if (a->period % 60 || a->period * a->n > (a->period < 3600 ? 86400 : 604800) || a->m > a->n)
		return sim_fail(f, WHY_INVALID_COMBINATION,
		                "Period must be a multiple of 60, Period times EvaluationPeriods at most a day (a week from "
		                "periods of an hour), DatapointsToAlarm at most EvaluationPeriods.");
	a->m_said = a->m != 0;
	a->m = a->m ? a->m : a->n;
	return true;
}

static bool read_threshold(const struct sim_req *rq, struct sim_alarm *a, struct sim_fail *f)
{
	const char *compare, *missing = NULL, *low = NULL;
	unsigned v;
	a->threshold = NAN;
	if (!arg_num(rq, rq->args, "Threshold", &a->threshold, f) ||
	    !arg_need(rq, rq->args, "ComparisonOperator", &compare, f) ||
	    !arg_str(rq, rq->args, "TreatMissingData", &missing, f) ||
	    !arg_str(rq, rq->args, "EvaluateLowSampleCountPercentile", &low, f))
		return false;
	if (isnan(a->threshold))
		return sim_fail(f, WHY_MISSING, "The parameter Threshold must be specified.");
	if (!pick(compare, sim_compare_names, 4, &v))
		return bad(f, "ComparisonOperator", compare);
	a->compare = v;
	v = MISSING_MISSING;
	if (missing && !pick(missing, sim_missing_names, 4, &v))
		return bad(f, "TreatMissingData", missing);
	a->missing = v;
	a->missing_said = missing != NULL;
	a->low_samples = copy(low);
	return true;
}

static const char *const action_keys[] = { "OKActions", "AlarmActions", "InsufficientDataActions" };

static bool read_actions(const struct sim_req *rq, struct sim_alarm *a, struct sim_fail *f)
{
	const struct json *list;
	a->actions_enabled = true;
	if (!arg_bool(rq, rq->args, "ActionsEnabled", &a->actions_enabled, f))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		unsigned n = 0;
		if (!arg_list(rq, rq->args, action_keys[i], ALARM_ACTIONS, &list, f))
			return false;
		for (const struct json *e = json_first(list); e; e = json_next(e)) {
			const char *arn = "";
			if (!node_str(rq, e, action_keys[i], &arn, f))
				return false;
			a->actions[i][n++] = xstrdup(arn);
		}
	}
	return true;
}

bool cw_put_alarm(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name, *description = NULL;
	struct sim_alarm *a = xcalloc(1, sizeof *a);
	(void)o;
	if (!arg_need(rq, rq->args, "AlarmName", &name, f) || !arg_str(rq, rq->args, "AlarmDescription", &description, f) ||
	    !read_what(rq, a, f) || !read_periods(rq, a, f) || !read_threshold(rq, a, f) || !read_actions(rq, a, f) ||
	    !cw_read_tags(rq, a, f)) {
		alarm_free(a);
		return false;
	}
	a->name = xstrdup(name);
	a->description = copy(description);
	alarm_add(w, a);
	return true;
}

/* ---- DescribeAlarms */

static void tell_actions(struct wr *o, const struct sim_alarm *a)
{
	for (unsigned i = 0; i < 3; i++) {
		wr_list(o, action_keys[i], NULL);
		for (unsigned k = 0; k < ALARM_ACTIONS && a->actions[i][k]; k++)
			wr_str(o, NULL, a->actions[i][k]);
		wr_list_end(o);
	}
}

static void tell_rule(struct wr *o, const struct sim_alarm *a)
{
	wr_str(o, "MetricName", a->metric);
	wr_str(o, "Namespace", a->ns);
	wr_str(o, a->extended ? "ExtendedStatistic" : "Statistic", a->stat);
	cw_tell_dims(o, a->dims, a->ndims);
	wr_int(o, "Period", a->period);
	wr_str(o, "Unit", a->unit);
	wr_int(o, "EvaluationPeriods", a->n);
	if (a->m_said)
		wr_int(o, "DatapointsToAlarm", a->m);
	wr_num(o, "Threshold", a->threshold);
	wr_str(o, "ComparisonOperator", sim_compare_names[a->compare]);
	if (a->missing_said)
		wr_str(o, "TreatMissingData", sim_missing_names[a->missing]);
	wr_str(o, "EvaluateLowSampleCountPercentile", a->low_samples);
}

static void tell_alarm(const struct world *w, struct wr *o, const struct sim_alarm *a)
{
	char arn[512];
	alarm_arn(w, a->name, arn, sizeof arn);
	wr_object(o, NULL);
	wr_str(o, "AlarmName", a->name);
	wr_str(o, "AlarmArn", arn);
	wr_str(o, "AlarmDescription", a->description);
	wr_time(o, "AlarmConfigurationUpdatedTimestamp", a->configured_ms);
	wr_bool(o, "ActionsEnabled", a->actions_enabled);
	tell_actions(o, a);
	wr_str(o, "StateValue", sim_state_names[a->state]);
	wr_str(o, "StateReason", a->reason);
	wr_str(o, "StateReasonData", a->reason_data);
	wr_time(o, "StateUpdatedTimestamp", a->updated_ms);
	wr_time(o, "StateTransitionedTimestamp", a->since_ms);
	tell_rule(o, a);
	wr_object_end(o);
}

struct alarm_filter {
	const struct json *names, *types;
	const char *prefix, *state, *action;
	bool metric;
};

static bool named(const struct alarm_filter *want, const char *name)
{
	for (const struct json *n = json_first(want->names); n; n = json_next(n))
		if (json_str(n) && strcmp(json_str(n), name) == 0)
			return true;
	return !want->names;
}

static bool acts(const struct sim_alarm *a, const char *prefix)
{
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < ALARM_ACTIONS && a->actions[i][k]; k++)
			if (strncmp(a->actions[i][k], prefix, strlen(prefix)) == 0)
				return true;
	return false;
}

static bool wanted(const struct sim_alarm *a, const struct alarm_filter *want)
{
	return want->metric && named(want, a->name) && strncmp(a->name, want->prefix, strlen(want->prefix)) == 0 &&
	       (!want->state || strcmp(want->state, sim_state_names[a->state]) == 0) &&
	       (!want->action || acts(a, want->action));
}

static bool read_types(struct alarm_filter *want, struct sim_fail *f)
{
	want->metric = !want->types;
	for (const struct json *n = json_first(want->types); n; n = json_next(n)) {
		const char *type = json_str(n) ? json_str(n) : "";
		if (strcmp(type, "MetricAlarm") == 0)
			want->metric = true;
		else if (strcmp(type, "CompositeAlarm") != 0 && strcmp(type, "LogAlarm") != 0)
			return bad(f, "AlarmTypes", type);
	}
	return true;
}

static bool read_alarm_filter(const struct sim_req *rq, struct alarm_filter *want, struct sim_fail *f)
{
	unsigned state;
	*want = (struct alarm_filter){ .prefix = "" };
	if (!arg_list(rq, rq->args, "AlarmNames", NAMES, &want->names, f) ||
	    !arg_list(rq, rq->args, "AlarmTypes", 3, &want->types, f) ||
	    !arg_str(rq, rq->args, "AlarmNamePrefix", &want->prefix, f) ||
	    !arg_str(rq, rq->args, "StateValue", &want->state, f) ||
	    !arg_str(rq, rq->args, "ActionPrefix", &want->action, f) || !read_types(want, f))
		return false;
	if (want->names && *want->prefix)
		return sim_fail(f, WHY_INVALID_COMBINATION, "AlarmNamePrefix and AlarmNames cannot both be specified.");
	return !want->state || pick(want->state, sim_state_names, 3, &state) || bad(f, "StateValue", want->state);
}

static bool read_start(const struct world *w, const struct sim_req *rq, unsigned *at, int64_t *max, struct sim_fail *f)
{
	const char *token = NULL;
	char last[300];
	bool found;
	*at = 0;
	*max = PAGE;
	if (!arg_int(rq, rq->args, "MaxRecords", 1, PAGE, max, f) || !arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	if (!token || !*token)
		return true;
	if (!token_read(token, "DescribeAlarms", last, sizeof last, f))
		return false;
	*at = world_find((void *const *)w->alarms, w->nalarms, last, &found);
	*at += found;
	return true;
}

static void tell_empty(struct wr *o, const char *key)
{
	wr_list(o, key, NULL);
	wr_list_end(o);
}

bool cw_describe_alarms(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct alarm_filter want;
	unsigned i;
	int64_t max, n = 0;
	const char *last = "";
	if (!read_alarm_filter(rq, &want, f) || !read_start(w, rq, &i, &max, f))
		return false;
	tell_empty(o, "CompositeAlarms");
	wr_list(o, "MetricAlarms", NULL);
	for (; i < w->nalarms && n < max; i++) {
		if (!wanted(w->alarms[i], &want))
			continue;
		tell_alarm(w, o, w->alarms[i]);
		last = w->alarms[i]->name;
		n++;
	}
	wr_list_end(o);
	while (i < w->nalarms && !wanted(w->alarms[i], &want))
		i++;
	if (i < w->nalarms)
		token_write(o, "NextToken", "DescribeAlarms", "%s", last);
	return true;
}

/* ---- changing what is there */

/* Calls fn for every named alarm that exists. */
static bool each_named(struct world *w, const struct sim_req *rq, void (*fn)(struct world *w, struct sim_alarm *a),
                       unsigned *missing, struct sim_fail *f)
{
	const struct json *names;
	*missing = 0;
	if (!arg_list(rq, rq->args, "AlarmNames", NAMES, &names, f))
		return false;
	if (!names)
		return sim_fail(f, WHY_MISSING, "The request must contain the parameter AlarmNames.");
	for (const struct json *n = json_first(names); n; n = json_next(n)) {
		struct sim_alarm *a = json_str(n) ? world_alarm(w, json_str(n)) : NULL;
		if (a)
			fn(w, a);
		else
			++*missing;
	}
	return true;
}

bool cw_delete_alarms(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	unsigned missing;
	(void)o;
	return each_named(w, rq, alarm_delete, &missing, f) &&
	       (!missing || sim_fail(f, WHY_NOT_FOUND, "%u of the named alarms do not exist.", missing));
}

static void enable(struct world *w, struct sim_alarm *a)
{
	(void)w;
	a->actions_enabled = true;
}

static void disable(struct world *w, struct sim_alarm *a)
{
	(void)w;
	a->actions_enabled = false;
}

bool cw_enable_actions(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	unsigned missing;
	(void)o;
	return each_named(w, rq, enable, &missing, f);
}

bool cw_disable_actions(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	unsigned missing;
	(void)o;
	return each_named(w, rq, disable, &missing, f);
}

bool cw_set_alarm_state(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name, *value, *reason, *data = NULL;
	unsigned state;
	(void)o;
	if (!arg_need(rq, rq->args, "AlarmName", &name, f) || !arg_need(rq, rq->args, "StateValue", &value, f) ||
	    !arg_need(rq, rq->args, "StateReason", &reason, f) || !arg_str(rq, rq->args, "StateReasonData", &data, f))
		return false;
	struct sim_alarm *a = world_alarm(w, name);
	if (!a)
		return sim_fail(f, WHY_NOT_FOUND, "Alarm %.255s does not exist.", name);
	if (!pick(value, sim_state_names, 3, &state))
		return bad(f, "StateValue", value);
	alarm_set_state(w, a, state, reason, data);
	return true;
}

/* ---- DescribeAlarmHistory */

static const char *const event_names[] = { "ConfigurationUpdate", "StateUpdate", "Action" };

struct history_filter {
	const char *alarm, *type;
	int64_t from, to, max;
	bool ascending;
};

static bool read_history(const struct sim_req *rq, struct history_filter *h, unsigned *skip, struct sim_fail *f)
{
	const char *order = "TimestampDescending", *token = NULL;
	char at[32];
	unsigned type;
	*h = (struct history_filter){ .from = 0, .to = INT64_MAX, .max = PAGE };
	*skip = 0;
	if (!arg_str(rq, rq->args, "AlarmName", &h->alarm, f) || !arg_str(rq, rq->args, "HistoryItemType", &h->type, f) ||
	    !arg_time(rq, rq->args, "StartDate", &h->from, f) || !arg_time(rq, rq->args, "EndDate", &h->to, f) ||
	    !arg_int(rq, rq->args, "MaxRecords", 1, PAGE, &h->max, f) || !arg_str(rq, rq->args, "ScanBy", &order, f) ||
	    !arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	h->ascending = strcmp(order, "TimestampAscending") == 0;
	if (h->type && !pick(h->type, event_names, 3, &type))
		return bad(f, "HistoryItemType", h->type);
	if (token && *token) {
		if (!token_read(token, "DescribeAlarmHistory", at, sizeof at, f))
			return false;
		*skip = (unsigned)strtoul(at, NULL, 10);
	}
	return true;
}

static void tell_event(struct wr *o, const struct alarm_event *e)
{
	wr_object(o, NULL);
	wr_str(o, "AlarmName", e->alarm);
	wr_str(o, "AlarmType", "MetricAlarm");
	wr_time(o, "Timestamp", e->at_ms);
	wr_str(o, "HistoryItemType", event_names[e->kind]);
	wr_str(o, "HistorySummary", e->summary);
	wr_str(o, "HistoryData", e->data);
	wr_object_end(o);
}

static bool remembered(const struct alarm_event *e, const struct history_filter *h)
{
	return (!h->alarm || strcmp(h->alarm, e->alarm) == 0) && (!h->type || strcmp(h->type, event_names[e->kind]) == 0) &&
	       e->at_ms >= h->from && e->at_ms <= h->to;
}

bool cw_alarm_history(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct history_filter h;
	unsigned skip, seen = 0;
	if (!read_history(rq, &h, &skip, f))
		return false;
	wr_list(o, "AlarmHistoryItems", NULL);
	for (unsigned i = 0; i < w->nevents && seen < skip + h.max + 1; i++) {
		const struct alarm_event *e = &w->events[h.ascending ? i : w->nevents - 1 - i];
		if (!remembered(e, &h))
			continue;
		if (seen >= skip && seen < skip + h.max)
			tell_event(o, e);
		seen++;
	}
	wr_list_end(o);
	if (seen > skip + h.max)
		token_write(o, "NextToken", "DescribeAlarmHistory", "%u", skip + (unsigned)h.max);
	return true;
}
