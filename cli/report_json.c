/* report --format json: all of it, every point with a gap as null. */
#include "cli/events.h"
#include "cli/report.h"
#include "cli/status.h"

#include "core/text.h"

#include <math.h>

static void json_end(struct json_out *j, const struct snapshot *s)
{
	json_out_object(j, "end");
	json_out_time(j, "at", s->at);
	json_out_str(j, "from", s->phase == PHASE_PAST ? "history" : "poll");
	json_out_array(j, "stages");
	for (unsigned i = 0; i < s->nrows; i++) {
		const struct row *r = &s->rows[i];
		json_out_object(j, NULL);
		json_out_str(j, "name", r->name);
		json_out_str(j, "kind", r->kind->id);
		json_out_str(j, "resource", r->resource);
		json_out_str(j, "pipeline", r->pipeline < s->npipelines ? s->pipelines[r->pipeline].name : NULL);
		json_out_str(j, "health", health_name(r->health));
		json_out_str(j, "reason", r->reason ? r->reason : "");
		status_json_loss(j, &r->loss, s->at);
		json_out_object_end(j);
	}
	json_out_array_end(j);
	json_out_array(j, "alarms");
	for (unsigned i = 0; i < s->nalarms; i++) {
		json_out_object(j, NULL);
		json_out_str(j, "name", s->alarms[i].name);
		json_out_str(j, "state", alarm_state_name(s->alarms[i].state));
		json_out_time(j, "since", s->alarms[i].since);
		json_out_str(j, "reason", s->alarms[i].reason);
		json_out_object_end(j);
	}
	json_out_array_end(j);
	json_out_object_end(j);
}

static void json_chart(struct json_out *j, const struct report_chart *c)
{
	const struct result *a = c->answer;
	json_out_object(j, NULL);
	json_out_str(j, "stage", c->row->name);
	json_out_str(j, "kind", c->row->kind->id);
	json_out_str(j, "key", c->reading->info->key);
	json_out_str(j, "title", c->reading->info->title);
	json_out_str(j, "unit", unit_name(c->reading->info->unit));
	json_out_str(j, "error", a->err.code != ERR_OK ? a->err.text : NULL);
	if (a->err.code == ERR_OK) {
		json_out_str(j, "metric", a->history.metric);
		json_out_time(j, "from", a->history.from);
		json_out_int(j, "step", a->history.step);
		json_out_bool(j, "polled", a->history.polled);
		json_out_num(j, "threshold", c->threshold);
		json_out_int(j, "gaps", c->gaps);
		json_out_array(j, "values");
		for (unsigned i = 0; i < a->history.n; i++)
			json_out_num(j, NULL, a->history.v[i]);
		json_out_array_end(j);
	}
	json_out_object_end(j);
}

void report_json(struct out *o, const struct report *r)
{
	struct json_out j;
	const struct target *t = &r->end->target;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_time(&j, "generated", r->generated);
	json_out_time(&j, "from", r->from);
	json_out_time(&j, "to", r->to);
	json_out_str(&j, "account", t->account[0] ? t->account : NULL);
	json_out_str(&j, "region", t->region[0] ? t->region : NULL);
	json_end(&j, r->end);
	json_out_array(&j, "events");
	for (unsigned i = 0; i < r->events->n; i++)
		out_event(&j, &r->events->v[i]);
	json_out_array_end(&j);
	json_out_bool(&j, "more_events", r->events->more);
	json_out_str(&j, "events_note", r->end->events_note);
	json_out_array(&j, "charts");
	for (unsigned i = 0; i < r->ncharts; i++)
		json_chart(&j, &r->charts[i]);
	json_out_array_end(&j);
	json_out_int(&j, "stages_without_charts", r->left_out);
	json_out_object_end(&j);
	out_own(o, "\n");
}
