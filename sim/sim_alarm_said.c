/* What CloudWatch writes about an alarm: in its history, and to the topics that its actions name. */
#include "sim/sim_alarm.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "sim/sim_reply.h"
#include "sim/sim_topic.h"
#include "sim/world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64u << 10)

void alarm_arn(const struct world *w, const char *name, char *out, size_t size)
{
	char resource[300];
	snprintf(resource, sizeof resource, "alarm:%s", name);
	world_arn(w, "cloudwatch", resource, out, size);
}

void alarm_stamp(int64_t at_ms, char out[40])
{
	char whole[CLOCK_RFC3339_SIZE];
	clock_rfc3339(at_ms / 1000, whole);
	snprintf(out, 40, "%.19s.%03d+0000", whole, (int)(at_ms % 1000));
}

static void tell_actions(struct json_out *o, const struct sim_alarm *a, const char *const keys[3])
{
	for (unsigned i = 0; i < 3; i++) {
		json_out_array(o, keys[i]);
		for (unsigned k = 0; k < ALARM_ACTIONS && a->actions[i][k]; k++)
			json_out_str(o, NULL, a->actions[i][k]);
		json_out_array_end(o);
	}
}

static void tell_dims(struct json_out *o, const struct sim_alarm *a)
{
	json_out_array(o, "dimensions");
	for (unsigned i = 0; i < a->ndims; i++) {
		json_out_object(o, NULL);
		json_out_str(o, "name", a->dims[i].name);
		json_out_str(o, "value", a->dims[i].value);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

/* ---- history */

char *alarm_configuration_data(const struct world *w, const struct sim_alarm *a, const char *type)
{
	static const char *const actions[] = { "okactions", "alarmActions", "insufficientDataActions" };
	char arn[512];
	struct buf b;
	struct json_out o;
	bool gone = strcmp(type, "Delete") == 0;
	alarm_arn(w, a->name, arn, sizeof arn);
	buf_init(&b, TEXT_MAX);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "version", "1.0");
	json_out_str(&o, "type", type);
	json_out_object(&o, gone ? "deletedAlarm" : strcmp(type, "Create") == 0 ? "createdAlarm" : "updatedAlarm");
	json_out_str(&o, "alarmName", a->name);
	json_out_str(&o, "alarmArn", arn);
	json_out_str(&o, "alarmDescription", a->description);
	json_out_str(&o, "namespace", a->ns);
	json_out_str(&o, "metricName", a->metric);
	tell_dims(&o, a);
	json_out_str(&o, a->extended ? "extendedStatistic" : "statistic", a->stat);
	json_out_int(&o, "period", a->period);
	json_out_int(&o, "evaluationPeriods", a->n);
	if (a->m_said)
		json_out_int(&o, "datapointsToAlarm", a->m);
	json_out_num(&o, "threshold", a->threshold);
	json_out_str(&o, "comparisonOperator", sim_compare_names[a->compare]);
	json_out_str(&o, "treatMissingData", sim_missing_names[a->missing]);
	json_out_bool(&o, "actionsEnabled", a->actions_enabled);
	tell_actions(&o, a, actions);
	json_out_str(&o, "stateValue", sim_state_names[a->state]);
	json_out_object_end(&o);
	json_out_object_end(&o);
	return buf_steal(&b);
}

static void tell_state(struct json_out *o, const char *key, enum sim_state s, const char *reason, const char *data)
{
	struct err e;
	struct json *more = data ? json_parse(span_of(data), &e) : NULL;
	json_out_object(o, key);
	json_out_str(o, "stateValue", sim_state_names[s]);
	json_out_str(o, "stateReason", reason);
	if (more)
		json_tell(o, "stateReasonData", more, false);
	json_out_object_end(o);
	json_free(more);
}

char *alarm_transition_data(const struct sim_alarm *a, enum sim_state s, const char *reason, const char *data)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, TEXT_MAX);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "version", "1.0");
	tell_state(&o, "oldState", a->state, a->reason, a->reason_data);
	tell_state(&o, "newState", s, reason, data);
	json_out_object_end(&o);
	return buf_steal(&b);
}

/* ---- the message */

static const char *region_name(const char *region)
{
	static const char *const names[][2] = {
		{ "eu-west-1", "EU (Ireland)" },
		{ "eu-central-1", "EU (Frankfurt)" },
		{ "us-east-1", "US East (N. Virginia)" },
		{ "us-west-2", "US West (Oregon)" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i][0], region) == 0)
			return names[i][1];
	return region;
}

static void tell_trigger(struct json_out *o, const struct sim_alarm *a)
{
	char stat[32];
	snprintf(stat, sizeof stat, "%s", a->stat);
	for (char *p = stat; *p && !a->extended; p++)
		*p = (char)toupper((unsigned char)*p);
	json_out_object(o, "Trigger");
	json_out_str(o, "MetricName", a->metric);
	json_out_str(o, "Namespace", a->ns);
	json_out_str(o, "StatisticType", a->extended ? "ExtendedStatistic" : "Statistic");
	json_out_str(o, a->extended ? "ExtendedStatistic" : "Statistic", stat);
	json_out_str(o, "Unit", a->unit);
	json_out_array(o, "Dimensions");
	for (unsigned i = 0; i < a->ndims; i++) {
		json_out_object(o, NULL);
		json_out_str(o, "value", a->dims[i].value);
		json_out_str(o, "name", a->dims[i].name);
		json_out_object_end(o);
	}
	json_out_array_end(o);
	json_out_int(o, "Period", a->period);
	json_out_int(o, "EvaluationPeriods", a->n);
	if (a->m_said)
		json_out_int(o, "DatapointsToAlarm", a->m);
	json_out_str(o, "ComparisonOperator", sim_compare_names[a->compare]);
	json_out_num(o, "Threshold", a->threshold);
	json_out_str(o, "TreatMissingData", sim_missing_names[a->missing]);
	json_out_str(o, "EvaluateLowSampleCountPercentile", a->low_samples ? a->low_samples : "");
	json_out_object_end(o);
}

char *alarm_message(const struct world *w, const struct sim_alarm *a, enum sim_state before)
{
	static const char *const actions[] = { "OKActions", "AlarmActions", "InsufficientDataActions" };
	char arn[512], configured[40], changed[40];
	struct buf b;
	struct json_out o;
	alarm_arn(w, a->name, arn, sizeof arn);
	alarm_stamp(a->configured_ms, configured);
	alarm_stamp(a->since_ms, changed);
	buf_init(&b, TEXT_MAX);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "AlarmName", a->name);
	json_out_str(&o, "AlarmDescription", a->description);
	json_out_str(&o, "AWSAccountId", SIM_ACCOUNT);
	json_out_str(&o, "AlarmConfigurationUpdatedTimestamp", configured);
	json_out_str(&o, "NewStateValue", sim_state_names[a->state]);
	json_out_str(&o, "NewStateReason", a->reason);
	json_out_str(&o, "StateChangeTime", changed);
	json_out_str(&o, "Region", region_name(w->region));
	json_out_str(&o, "AlarmArn", arn);
	json_out_str(&o, "OldStateValue", sim_state_names[before]);
	tell_actions(&o, a, actions);
	tell_trigger(&o, a);
	json_out_object_end(&o);
	return buf_steal(&b);
}

/* Publishes to a topic of this account; other actions are only noted. Returns the history's data; *done: it could be done. */
char *alarm_perform(struct world *w, const struct sim_alarm *a, enum sim_state before, const char *action, bool *done)
{
	char id[37], subject[200];
	struct buf b;
	struct json_out o;
	bool topic = strstr(action, ":sns:") != NULL;
	struct sim_topic *t = topic ? topic_find(w, action) : NULL;
	char *message = alarm_message(w, a, before), *published = NULL;
	*done = !topic || t;
	snprintf(subject, sizeof subject, "%s: \"%.60s\" in %s", sim_state_names[a->state], a->name,
	         region_name(w->region));
	if (t)
		topic_publish(w, t, subject, message, NULL, id);
	buf_init(&b, 2 * TEXT_MAX);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "default", message);
	json_out_object_end(&o);
	published = buf_steal(&b);
	free(message);
	buf_init(&b, 4 * TEXT_MAX);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "actionState", *done ? "Succeeded" : "Failed");
	json_out_int(&o, "stateUpdateTimestamp", a->since_ms);
	json_out_str(&o, "notificationResource", action);
	json_out_str(&o, "publishedMessage", published);
	json_out_str(&o, "error", *done ? NULL : "Resource not found");
	json_out_object_end(&o);
	free(published);
	return buf_steal(&b);
}
