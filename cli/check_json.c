/* --check as one JSON object: members may be added, none is ever left out. */
#include "cli/check.h"

#include "core/clock.h"

#include <math.h>

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static void json_window(struct json_out *j, const struct verdict *v)
{
	if (v->window_end <= 0) {
		json_out_null(j, "window");
		return;
	}
	json_out_object(j, "window");
	json_out_time(j, "start", v->window_start);
	json_out_time(j, "end", v->window_end);
	json_out_int(j, "period", v->period);
	json_out_object_end(j);
}

static void json_verdict(struct json_out *j, const struct verdict *v)
{
	json_out_object(j, NULL);
	json_out_str(j, "name", v->name);
	json_out_str(j, "pipeline", or_null(v->pipeline));
	json_out_str(j, "resource", or_null(v->resource));
	json_out_str(j, "kind", or_null(v->kind));
	json_out_str(j, "status", verdict_name(v->status));
	json_out_str(j, "code", or_null(v->code));
	json_out_str(j, "reason", v->reason ? v->reason : "");
	json_out_num(j, "value", v->value);
	json_out_str(j, "unit", v->unit);
	json_out_str(j, "warning", v->warning);
	json_out_str(j, "critical", v->critical);
	json_window(j, v);
	json_out_int(j, "samples", v->samples);
	json_out_int(j, "missing", v->missing);
	if (v->age_s >= 0)
		json_out_int(j, "age_seconds", v->age_s);
	else
		json_out_null(j, "age_seconds");
	json_out_str(j, "source", v->source);
	json_out_object_end(j);
}

static void json_failure(struct json_out *j, const struct err *e)
{
	if (e->code == ERR_OK) {
		json_out_null(j, "error");
		return;
	}
	json_out_object(j, "error");
	json_out_str(j, "code", err_check_code(e->code));
	json_out_str(j, "where", e->where);
	json_out_str(j, "text", e->text);
	json_out_object_end(j);
}

void check_json(struct out *o, const struct check_view *v)
{
	struct json_out j;
	const struct check_result *r = v->result;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "status", verdict_name(v->status));
	json_out_int(&j, "exit", v->exit);
	json_out_time(&j, "generated", clock_wall());
	json_out_str(&j, "account", or_null(r->target.account));
	json_out_str(&j, "region", or_null(r->target.region));
	json_out_bool(&j, "defaults", r->defaults);
	json_failure(&j, v->fail);
	json_out_object(&j, "cost");
	json_out_int(&j, "metrics", r->metrics);
	json_out_num(&j, "usd", round(r->usd * 1e6) / 1e6); /* no digits that nobody is billed */
	json_out_object_end(&j);
	json_out_array(&j, "checks");
	for (unsigned i = 0; i < r->n; i++)
		json_verdict(&j, &r->verdicts[v->order[i]]);
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}
