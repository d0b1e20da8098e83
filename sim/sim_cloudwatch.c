#include "sim/sim_cw.h"
#include "sim/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_PAGE 500
#define PAST_MS (14ll * 86400000)
#define FUTURE_MS (2ll * 3600000)

/* ---- dimensions */

bool cw_dims(const struct sim_req *rq, const struct json *o, bool open, struct sim_dim *dims, unsigned *n,
             struct sim_fail *f)
{
	const struct json *list;
	*n = 0;
	if (!arg_list(rq, o, "Dimensions", SIM_DIMS, &list, f))
		return false;
	for (const struct json *d = json_first(list); d; d = json_next(d)) {
		struct sim_dim *dim = &dims[(*n)++];
		if (!arg_need(rq, d, "Name", &dim->name, f))
			return false;
		dim->value = NULL;
		if (open ? !arg_str(rq, d, "Value", &dim->value, f) : !arg_need(rq, d, "Value", &dim->value, f))
			return false;
	}
	return true;
}

void cw_tell_dims(struct wr *o, const struct sim_dim *dims, unsigned n)
{
	wr_list(o, "Dimensions", NULL);
	for (unsigned i = 0; i < n; i++) {
		wr_object(o, NULL);
		wr_str(o, "Name", dims[i].name);
		wr_str(o, "Value", dims[i].value);
		wr_object_end(o);
	}
	wr_list_end(o);
}

/* ---- PutMetricData */

struct datum {
	const char *name, *unit;
	struct sim_dim dims[SIM_DIMS];
	unsigned ndims;
	int64_t at_ms;
	double value; /* NAN when there is none */
	const struct json *values, *set;
	struct sim_metric *metric;
};

static bool put_values(const struct sim_req *rq, const struct json *item, const struct datum *d, struct sim_fail *f)
{
	const struct json *counts;
	if (!arg_list(rq, item, "Counts", 150, &counts, f))
		return false;
	const struct json *c = json_first(counts);
	for (const struct json *n = json_first(d->values); n; n = json_next(n), c = json_next(c)) {
		double v = 0, count = 1;
		if (!node_num(rq, n, "Values", &v, f) || !node_num(rq, c, "Counts", &count, f))
			return false;
		if (counts && (!c || count <= 0))
			return sim_fail(f, WHY_INVALID_VALUE,
			                "The parameters MetricData.member.Values and MetricData.member.Counts must be of "
			                "the same size, counts above 0.");
		metric_add(d->metric, d->at_ms / 60000, v, count);
	}
	return true;
}

static bool put_set(const struct sim_req *rq, const struct datum *d, struct sim_fail *f)
{
	struct sim_set s = { NAN, NAN, NAN, NAN };
	if (!arg_num(rq, d->set, "SampleCount", &s.count, f) || !arg_num(rq, d->set, "Sum", &s.sum, f) ||
	    !arg_num(rq, d->set, "Minimum", &s.min, f) || !arg_num(rq, d->set, "Maximum", &s.max, f))
		return false;
	if (!(s.count > 0) || isnan(s.sum) || !(s.min <= s.max))
		return sim_fail(f, WHY_INVALID_VALUE,
		                "The parameters MetricData.member.StatisticValues must be a whole, valid set.");
	metric_add_set(d->metric, d->at_ms / 60000, &s);
	return true;
}

static bool read_datum(const struct world *w, const struct sim_req *rq, const struct json *item, struct datum *d,
                       struct sim_fail *f)
{
	const struct json *set = json_get(item, "StatisticValues");
	d->unit = "None";
	d->at_ms = w->now_ms;
	d->value = NAN;
	d->set = json_is_object(set) ? set : NULL;
	return arg_need(rq, item, "MetricName", &d->name, f) && cw_dims(rq, item, false, d->dims, &d->ndims, f) &&
	       arg_time(rq, item, "Timestamp", &d->at_ms, f) && arg_str(rq, item, "Unit", &d->unit, f) &&
	       arg_num(rq, item, "Value", &d->value, f) && arg_list(rq, item, "Values", 150, &d->values, f);
}

static bool check_datum(const struct world *w, const struct datum *d, struct sim_fail *f)
{
	int given = !isnan(d->value) + (d->values != NULL) + (d->set != NULL);
	if (!metric_unit(d->unit))
		return sim_fail(f, WHY_INVALID_VALUE,
		                "The parameter MetricData.member.Unit must be a value in the set of units: %.60s", d->unit);
	if (d->at_ms < w->now_ms - PAST_MS || d->at_ms > w->now_ms + FUTURE_MS)
		return sim_fail(f, WHY_INVALID_VALUE,
		                "The parameter MetricData.member.Timestamp must specify a time within the past two "
		                "weeks and at most two hours ahead.");
	return given == 1 || sim_fail(f, WHY_INVALID_COMBINATION,
	                              "Exactly one of the parameters Value, Values and StatisticValues must be specified.");
}

static bool put_datum(struct world *w, const struct sim_req *rq, const char *ns, const struct json *item,
                      struct sim_fail *f)
{
	struct datum d;
	if (!read_datum(w, rq, item, &d, f) || !check_datum(w, &d, f))
		return false;
	d.metric = metrics_get(&w->metrics, ns, d.name, d.dims, d.ndims, true);
	d.metric->unit = metric_unit(d.unit);
	if (d.values)
		return put_values(rq, item, &d, f);
	if (d.set)
		return put_set(rq, &d, f);
	metric_add(d.metric, d.at_ms / 60000, d.value, 1);
	return true;
}

/* Unlike AWS this takes the AWS/ namespaces too: it is how a test gives a service's metric known values. */
static bool put_metric_data(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *ns;
	const struct json *data;
	(void)o;
	if (!arg_need(rq, rq->args, "Namespace", &ns, f) || !arg_list(rq, rq->args, "MetricData", 1000, &data, f))
		return false;
	if (!data)
		return sim_fail(f, WHY_MISSING, "The request must contain the parameter MetricData.");
	for (const struct json *item = json_first(data); item; item = json_next(item))
		if (!put_datum(w, rq, ns, item, f))
			return false;
	return true;
}

/* ---- ListMetrics */

struct metric_filter {
	const char *ns, *name;
	struct sim_dim dims[SIM_DIMS];
	unsigned ndims;
	int64_t newest;
};

static bool has_dim(const struct sim_metric *m, const struct sim_dim *d)
{
	for (unsigned i = 0; i < m->ndims; i++)
		if (strcmp(m->dims[i].name, d->name) == 0 && (!d->value || strcmp(m->dims[i].value, d->value) == 0))
			return true;
	return false;
}

static bool passes(const struct sim_metric *m, const struct metric_filter *want)
{
	if ((want->ns && strcmp(want->ns, m->ns) != 0) || (want->name && strcmp(want->name, m->name) != 0) ||
	    metric_newest(m) < want->newest)
		return false;
	for (unsigned i = 0; i < want->ndims; i++)
		if (!has_dim(m, &want->dims[i]))
			return false;
	return true;
}

static bool read_filter(const struct world *w, const struct sim_req *rq, struct metric_filter *want, struct sim_fail *f)
{
	const char *recent = NULL;
	*want = (struct metric_filter){ .newest = w->minute - 14 * 24 * 60 };
	if (!arg_str(rq, rq->args, "Namespace", &want->ns, f) || !arg_str(rq, rq->args, "MetricName", &want->name, f) ||
	    !arg_str(rq, rq->args, "RecentlyActive", &recent, f) ||
	    !cw_dims(rq, rq->args, true, want->dims, &want->ndims, f))
		return false;
	if (recent && strcmp(recent, "PT3H") != 0)
		return sim_fail(f, WHY_INVALID_VALUE, "The value %.40s for parameter RecentlyActive is invalid.", recent);
	if (recent)
		want->newest = w->minute - 3 * 60;
	return true;
}

static bool list_metrics(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct metric_filter want;
	const char *token = NULL;
	char at[32];
	unsigned i = 0, n = 0;
	if (!read_filter(w, rq, &want, f) || !arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	if (token && *token) {
		if (!token_read(token, "ListMetrics", at, sizeof at, f))
			return false;
		i = (unsigned)strtoul(at, NULL, 10);
	}
	wr_list(o, "Metrics", NULL);
	for (; i < w->metrics.n && n < LIST_PAGE; i++) {
		const struct sim_metric *m = w->metrics.all[i];
		if (!passes(m, &want))
			continue;
		n++;
		wr_object(o, NULL);
		wr_str(o, "Namespace", m->ns);
		wr_str(o, "MetricName", m->name);
		cw_tell_dims(o, m->dims, m->ndims);
		wr_object_end(o);
	}
	wr_list_end(o);
	while (i < w->metrics.n && !passes(w->metrics.all[i], &want))
		i++;
	if (i < w->metrics.n)
		token_write(o, "NextToken", "ListMetrics", "%u", i);
	return true;
}

/* ---- the service */

static const struct sim_op ops[] = {
	{ .name = "PutMetricData", .effect = SIM_WRITE, .handle = put_metric_data },
	{ .name = "GetMetricData", .effect = SIM_READ, .handle = cw_get_metric_data },
	{ .name = "GetMetricStatistics", .effect = SIM_READ, .handle = cw_get_metric_statistics },
	{ .name = "ListMetrics", .effect = SIM_READ, .handle = list_metrics },
	{ .name = "PutMetricAlarm", .effect = SIM_WRITE, .handle = cw_put_alarm },
	{ .name = "DescribeAlarms", .effect = SIM_READ, .handle = cw_describe_alarms },
	{ .name = "DeleteAlarms", .effect = SIM_WRITE, .handle = cw_delete_alarms },
	{ .name = "SetAlarmState", .effect = SIM_WRITE, .handle = cw_set_alarm_state },
	{ .name = "EnableAlarmActions", .effect = SIM_WRITE, .handle = cw_enable_actions },
	{ .name = "DisableAlarmActions", .effect = SIM_WRITE, .handle = cw_disable_actions },
	{ .name = "PutAlarmMuteRule", .effect = SIM_WRITE, .handle = cw_put_mute },
	{ .name = "GetAlarmMuteRule", .effect = SIM_READ, .handle = cw_get_mute },
	{ .name = "ListAlarmMuteRules", .effect = SIM_READ, .handle = cw_list_mutes },
	{ .name = "DeleteAlarmMuteRule", .effect = SIM_WRITE, .handle = cw_delete_mute },
	{ .name = "DescribeAlarmHistory", .effect = SIM_READ, .handle = cw_alarm_history },
	{ .name = "ListTagsForResource", .effect = SIM_READ, .handle = cw_list_tags },
	{ .name = "TagResource", .effect = SIM_WRITE, .handle = cw_tag },
	{ .name = "UntagResource", .effect = SIM_WRITE, .handle = cw_untag },
};

const struct sim_service sim_cloudwatch = {
	.name = "monitoring",
	.target = "GraniteServiceVersion20100801",
	.version = "2010-08-01",
	.xmlns = "http://monitoring.amazonaws.com/doc/2010-08-01/",
	.legacy = true,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
