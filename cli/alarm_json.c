#include "cli/alarm.h"

static void json_told(struct json_out *j, const struct alarm_target *t)
{
	char words[ALARM_WORDS];
	alarm_target_words(t, words);
	json_out_object(j, NULL);
	json_out_str(j, "when", t->when);
	json_out_str(j, "arn", t->arn);
	json_out_str(j, "name", t->name);
	json_out_bool(j, "topic", t->topic);
	json_out_bool(j, "known", t->known);
	if (t->known) {
		json_out_int(j, "confirmed", t->confirmed);
		json_out_int(j, "pending", t->pending);
		json_out_str(j, "protocols", t->protocols);
		json_out_time(j, "read", t->at);
	}
	json_out_str(j, "missing", t->missing);
	json_out_str(j, "unknown_because", t->why);
	json_out_str(j, "text", words);
	json_out_object_end(j);
}

static void json_heard(struct json_out *j, const struct alarm *a)
{
	static const char *const verdicts[] = { "unknown", "nobody", "somebody" };
	char words[ALARM_WORDS];
	json_out_object(j, "told");
	json_out_str(j, "in_alarm", verdicts[alarm_heard_words(a, words)]);
	json_out_str(j, "text", words);
	json_out_array(j, "targets");
	for (unsigned i = 0; i < a->ntold; i++)
		json_told(j, &a->told[i]);
	json_out_array_end(j);
	json_out_object_end(j);
}

static void json_local(struct json_out *j, const struct alarm *a)
{
	const struct alarm_local *l = &a->local;
	char words[ALARM_WORDS];
	alarm_local_words(a, words);
	json_out_object(j, "local");
	json_out_str(j, "state", l->state ? alarm_state_name(l->state) : NULL);
	json_out_bool(j, "kept", l->kept);
	json_out_int(j, "points", l->real);
	json_out_int(j, "breaching", l->breaching);
	json_out_num(j, "value", l->value);
	json_out_time(j, "at", l->at);
	json_out_bool(j, "depends_on_range", l->by_range);
	json_out_bool(j, "two_readings", l->by_reading);
	json_out_str(j, "approximate", l->approximate);
	json_out_str(j, "text", words[0] ? words : NULL);
	json_out_object_end(j);
}

static void json_evaluation(struct json_out *j, const struct alarm *a)
{
	json_out_str(j, "metric", a->metric);
	json_out_str(j, "statistic", a->stat);
	json_out_str(j, "comparison", a->comparison);
	json_out_num(j, "threshold", a->threshold);
	json_out_int(j, "period", a->period);
	json_out_int(j, "evaluation_periods", a->n);
	json_out_int(j, "datapoints_to_alarm", a->m);
	json_out_str(j, "treat_missing_data", a->missing);
	json_out_str(j, "evaluation_state", a->evaluation);
}

void alarm_json(struct json_out *j, const struct alarm *a)
{
	json_out_str(j, "name", a->name);
	json_out_str(j, "arn", a->arn);
	json_out_str(j, "kind", alarm_kind_name(a->kind));
	json_out_str(j, "state", alarm_state_name(a->state));
	json_out_time(j, "since", a->since);
	json_out_str(j, "reason", a->reason);
	json_out_str(j, "description", a->description);
	json_evaluation(j, a);
	json_out_bool(j, "actions_enabled", a->actions_enabled);
	json_out_str(j, "actions_held_back_by", a->held_back);
	json_out_str(j, "runbook", a->runbook);
	json_out_bool(j, "tags_read", a->tagged);
	json_out_str(j, "owner", a->owner);
	json_out_str(j, "manager", a->tagged ? alarm_manager_name(a->manager) : NULL);
	json_out_time(j, "configured", a->configured);
	json_heard(j, a);
	json_local(j, a);
}

void alarm_history_json(struct json_out *j, const struct alarm_moment *m, unsigned n, bool more)
{
	json_out_array(j, "history");
	for (unsigned i = 0; i < n; i++) {
		json_out_object(j, NULL);
		json_out_time(j, "time", m[i].at);
		json_out_str(j, "type", m[i].type);
		json_out_str(j, "from", m[i].from ? alarm_state_name(m[i].from) : NULL);
		json_out_str(j, "to", m[i].to ? alarm_state_name(m[i].to) : NULL);
		json_out_str(j, "summary", m[i].summary);
		json_out_str(j, "reason", m[i].reason);
		json_out_str(j, "points", m[i].points);
		json_out_bool(j, "failed", m[i].failed);
		json_out_object_end(j);
	}
	json_out_array_end(j);
	json_out_bool(j, "history_more", more);
}
