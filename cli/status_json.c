/* status --format json: the object of the contract. */
#include "cli/status.h"

#include "cli/events.h"

#include <math.h>
#include <string.h>

/* A stage's own metric bears its role's name; where a kind's key is the same word, the stage's own stands. */
static bool shadowed(const struct row *r, unsigned i)
{
	for (unsigned k = i + 1; k < r->nreadings; k++)
		if (strcmp(r->readings[k].info->key, r->readings[i].info->key) == 0)
			return true;
	return false;
}

static void json_reading(struct json_out *j, const struct reading *m, int64_t now)
{
	json_out_object(j, m->info->key);
	json_out_num(j, "value", m->value);
	json_out_str(j, "unit", unit_name(m->info->unit));
	json_out_time(j, "at", m->at);
	if (m->at > 0)
		json_out_int(j, "age_seconds", now - m->at);
	else
		json_out_null(j, "age_seconds");
	json_out_bool(j, "stale", m->stale);
	json_out_object_end(j);
}

static void json_bound(struct json_out *j, const char *key, bool known, int64_t at, int64_t now)
{
	if (known)
		json_out_int(j, key, at - now);
	else
		json_out_null(j, key);
}

/* in_seconds and at: the nearer bound that is known; both and the bounds are null where there is none, and state says why. */
void status_json_loss(struct json_out *j, const struct loss *l, int64_t now)
{
	bool low = loss_has_low(l), high = loss_has_high(l);
	int64_t at = low ? l->low : high ? l->high : 0;
	if (l->state == LOSS_NONE) {
		json_out_null(j, "loss");
		return;
	}
	json_out_object(j, "loss");
	json_out_str(j, "state", loss_state_name(l->state));
	json_out_time(j, "at", at);
	json_bound(j, "in_seconds", low || high, at, now);
	json_bound(j, "low_seconds", low, l->low, now);
	json_bound(j, "high_seconds", high, l->high, now);
	json_out_str(j, "what", l->what);
	json_out_str(j, "where", l->where);
	json_out_str(j, "basis", l->basis);
	json_out_num(j, "lost_per_second", l->rate);
	json_out_time(j, "drains_at", l->drains_at);
	json_out_object_end(j);
}

static void json_stage(struct json_out *j, const struct row *r, int64_t now)
{
	json_out_object(j, NULL);
	json_out_str(j, "name", r->name);
	json_out_str(j, "kind", r->kind->id);
	json_out_str(j, "resource", r->resource);
	json_out_str(j, "arn", r->arn);
	json_out_bool(j, "dlq", r->dlq);
	json_out_str(j, "health", health_name(r->health));
	json_out_str(j, "reason", r->reason ? r->reason : "");
	json_out_object(j, "metrics");
	for (unsigned i = 0; i < r->nreadings; i++)
		if (!shadowed(r, i))
			json_reading(j, &r->readings[i], now);
	json_out_object_end(j);
	status_json_loss(j, &r->loss, now);
	json_out_object_end(j);
}

static void json_pipeline(struct json_out *j, const struct snapshot *s, const struct pipeline *p)
{
	json_out_object(j, NULL);
	json_out_str(j, "name", p->name);
	json_out_str(j, "health", health_name(p->health));
	json_out_array(j, "stages");
	for (uint32_t i = p->first; i < p->first + p->n; i++)
		json_stage(j, &s->rows[i], s->at);
	json_out_array_end(j);
	json_out_object_end(j);
}

static void json_alarm(struct json_out *j, const struct alarm *a)
{
	json_out_object(j, NULL);
	json_out_str(j, "name", a->name);
	json_out_str(j, "arn", a->arn);
	json_out_str(j, "state", alarm_state_name(a->state));
	json_out_time(j, "since", a->since);
	json_out_str(j, "metric", a->metric);
	json_out_str(j, "comparison", a->comparison);
	json_out_num(j, "threshold", a->threshold);
	json_out_str(j, "reason", a->reason);
	json_out_str(j, "description", a->description);
	json_out_bool(j, "actions_enabled", a->actions_enabled);
	json_out_bool(j, "composite", a->composite);
	json_out_object_end(j);
}

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static void json_target(struct json_out *j, const struct target *t)
{
	json_out_object(j, NULL);
	json_out_str(j, "account", or_null(t->account));
	json_out_str(j, "region", or_null(t->region));
	json_out_str(j, "partition", or_null(t->partition));
	json_out_str(j, "profile", or_null(t->profile));
	json_out_str(j, "endpoint", or_null(t->endpoint));
	json_out_object_end(j);
}

static void json_problem(struct json_out *j, const struct api_health *a)
{
	json_out_object(j, NULL);
	json_out_str(j, "operation", a->op);
	json_out_str(j, "code", err_check_code(a->last.code));
	json_out_str(j, "text", a->last.text);
	char statement[ERR_STATEMENT];
	json_out_str(j, "action", or_null(a->last.action));
	json_out_str(j, "statement", or_null(err_statement(&a->last, statement)));
	json_out_str(j, "request_id", or_null(a->last.request_id));
	json_out_object_end(j);
}

static double dollars(double usd)
{
	return round(usd * 1e6) / 1e6;
}

static void json_cost(struct json_out *j, const struct snapshot *s)
{
	json_out_object(j, "cost");
	json_out_int(j, "metrics", s->cost.metrics);
	json_out_int(j, "metrics_side_by_side", s->cost.side_by_side);
	json_out_num(j, "usd", dollars(s->cost.usd));
	json_out_num(j, "today_usd", dollars(s->cost.today_usd));
	json_out_num(j, "usd_per_day", dollars(s->cost.usd_per_day));
	json_out_num(j, "budget_usd_per_day", s->cost.budget);
	json_out_str(j, "top", s->cost.top);
	json_out_int(j, "top_percent", s->cost.top_percent);
	json_out_int(j, "slowed", s->cost.slowed);
	json_out_object_end(j);
}

void status_json(struct out *o, const struct snapshot *s, const struct pipeline *only)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_time(&j, "generated", s->at);
	json_out_time(&j, "polled", s->polled_at);
	json_out_time(&j, "data_to", s->data_to);
	json_out_bool(&j, "settled", s->settled);
	json_out_array(&j, "targets");
	json_target(&j, &s->target);
	json_out_array_end(&j);
	json_out_array(&j, "pipelines");
	for (unsigned i = 0; i < s->npipelines; i++)
		if (!only || only == &s->pipelines[i])
			json_pipeline(&j, s, &s->pipelines[i]);
	json_out_array_end(&j);
	json_out_array(&j, "alarms");
	for (unsigned i = 0; i < s->nalarms; i++)
		json_alarm(&j, &s->alarms[i]);
	json_out_array_end(&j);
	json_out_array(&j, "events");
	for (unsigned i = 0; i < s->nevents; i++)
		out_event(&j, &s->events[i]);
	json_out_array_end(&j);
	json_out_str(&j, "events_note", s->events_note);
	json_cost(&j, s);
	json_out_array(&j, "problems");
	for (unsigned i = 0; i < status_problems(s); i++)
		json_problem(&j, status_problem(s, i));
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}
