/* ListMetrics and DescribeAlarms (GetMetricData, the hot one, has a file of its own). */
#include "aws/op_cloudwatch.h"

#include "aws/wire.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct service service_cloudwatch = {
	.id = "cloudwatch",
	.host = "monitoring",
	.signing = "monitoring",
	.env = "CLOUDWATCH",
	.target = "GraniteServiceVersion20100801",
	.version = "2010-08-01",
	.wire = WIRE_JSON10,
	.query_compatible = true,
};

/* ---- metrics, as they stand in both answers */

static void read_dims(const struct json *dims, struct metric_id *m)
{
	for (const struct json *d = json_first(dims); d && m->ndims < METRIC_DIMS; d = json_next(d)) {
		const char *name = json_get_str(d, "Name"), *value = json_get_str(d, "Value");
		if (name && value)
			metric_add_dim(m, name, value);
	}
}

static bool read_metric(const struct json *o, const char *stat, struct metric_id *m)
{
	const char *ns = json_get_str(o, "Namespace"), *name = json_get_str(o, "MetricName");
	if (!ns || !name)
		return false;
	metric_set(m, ns, name, stat);
	read_dims(json_get(o, "Dimensions"), m);
	return true;
}

/* ---- ListMetrics */

static bool list_metrics_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct list_metrics_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	if (q->ns)
		json_out_str(&o, "Namespace", q->ns);
	if (q->name)
		json_out_str(&o, "MetricName", q->name);
	if (q->recent)
		json_out_str(&o, "RecentlyActive", "PT3H");
	if (q->page.token)
		json_out_str(&o, "NextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool list_metrics_read(const struct http_res *rs, void *out, struct err *e)
{
	struct list_metrics_out *l = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *m = wire_list(doc, "Metrics", &ok); m && ok; m = json_next(m)) {
		struct metric_id id;
		ok = read_metric(m, NULL, &id);
		if (!ok)
			break;
		MEM_GROW(l->metrics, l->n, l->cap);
		l->metrics[l->n++] = id;
	}
	wire_next(&l->page, doc, "NextToken", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "a metric without namespace or name");
}

void list_metrics_out_clear(struct list_metrics_out *o)
{
	for (unsigned i = 0; i < o->n; i++)
		metric_clear(&o->metrics[i]);
	free(o->metrics);
	free(o->page.token);
	*o = (struct list_metrics_out){ 0 };
}

const struct op op_list_metrics = {
	.service = &service_cloudwatch,
	.name = "ListMetrics",
	.rate = 25,
	.iam = "cloudwatch:ListMetrics",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 8u * 1024 * 1024, /* 500 metrics; with 30 dimensions of 500 bytes each */
	.build = list_metrics_build,
	.read = list_metrics_read,
};

/* ---- DescribeAlarms */

static bool describe_alarms_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct describe_alarms_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_array(&o, "AlarmTypes");
	json_out_str(&o, NULL, "MetricAlarm");
	json_out_str(&o, NULL, "CompositeAlarm");
	if (!q->no_logs)
		json_out_str(&o, NULL, "LogAlarm");
	json_out_array_end(&o);
	if (q->name) {
		json_out_array(&o, "AlarmNames");
		json_out_str(&o, NULL, q->name);
		json_out_array_end(&o);
	}
	json_out_int(&o, "MaxRecords", 100);
	if (q->page.token)
		json_out_str(&o, "NextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static const char *comparison_sign(const char *op)
{
	static const struct {
		const char *name, *sign;
	} signs[] = {
		{ "GreaterThanThreshold", ">" },
		{ "GreaterThanOrEqualToThreshold", ">=" },
		{ "LessThanThreshold", "<" },
		{ "LessThanOrEqualToThreshold", "<=" },
	};
	for (size_t i = 0; op && i < sizeof signs / sizeof *signs; i++)
		if (strcmp(op, signs[i].name) == 0)
			return signs[i].sign;
	return ""; /* the bands of anomaly detection have no one threshold */
}

static const char *metric_in(struct arena *mem, const struct json *o, const char *stat)
{
	struct metric_id id;
	if (!read_metric(o, stat, &id))
		return NULL;
	struct buf text;
	buf_init(&text, 64u * 1024);
	metric_text(&id, &text);
	const char *kept = arena_strndup(mem, text.p ? text.p : "", text.n);
	metric_clear(&id);
	buf_clear(&text);
	return kept;
}

/* Of a math alarm's queries the one that is returned is the one that is judged. */
static const char *returned_query(struct arena *mem, const struct json *queries)
{
	for (const struct json *q = json_first(queries); q; q = json_next(q)) {
		bool returned = true;
		json_bool(json_get(q, "ReturnData"), &returned);
		if (!returned)
			continue;
		const struct json *stat = json_get(q, "MetricStat");
		const char *expression = json_get_str(q, "Expression");
		if (expression)
			return arena_strdup(mem, expression);
		return metric_in(mem, json_get(stat, "Metric"), json_get_str(stat, "Stat"));
	}
	return NULL;
}

static const char *judged(struct arena *mem, const struct json *a)
{
	const struct json *promql = json_get(json_get(a, "EvaluationCriteria"), "PromQLCriteria");
	const char *stat = json_get_str(a, "Statistic"), *text = json_get_str(a, "AlarmRule");
	if (!text)
		text = json_get_str(promql, "Query");
	if (!text)
		text = json_get_str(json_get(a, "ScheduledQueryConfiguration"), "AggregationExpression");
	if (text)
		return arena_strdup(mem, text);
	if (json_get_str(a, "MetricName"))
		return metric_in(mem, a, stat ? stat : json_get_str(a, "ExtendedStatistic"));
	return returned_query(mem, json_get(a, "Metrics"));
}

static int64_t seconds_of(const struct json *time)
{
	int64_t ms;
	return json_time_ms(time, &ms) ? ms / 1000 : 0;
}

static enum alarm_kind kind_of(const struct json *a)
{
	if (json_get_str(a, "AlarmRule"))
		return ALARM_COMPOSITE;
	if (json_get(json_get(a, "EvaluationCriteria"), "PromQLCriteria"))
		return ALARM_PROMQL;
	if (json_get(a, "ScheduledQueryConfiguration"))
		return ALARM_LOG;
	const char *comparison = json_get_str(a, "ComparisonOperator");
	if (json_get_str(a, "ThresholdMetricId") || (comparison && !comparison_sign(comparison)[0]))
		return ALARM_BAND;
	for (const struct json *q = json_first(json_get(a, "Metrics")); q; q = json_next(q))
		if (json_get_str(q, "Expression"))
			return ALARM_MATH;
	return ALARM_METRIC;
}

static unsigned count_of(const struct json *n)
{
	int64_t v;
	return json_int(n, &v) && v > 0 && v < INT32_MAX ? (unsigned)v : 0;
}

/* An alarm over the Metrics of one MetricStat has its period and statistic there. */
static void read_evaluation(struct arena *mem, const struct json *a, struct alarm *out)
{
	const struct json *of = json_get(json_first(json_get(a, "Metrics")), "MetricStat");
	const char *stat = json_get_str(a, "Statistic"), *low = json_get_str(a, "EvaluateLowSampleCountPercentile");
	if (!of || out->kind != ALARM_METRIC)
		of = a;
	stat = stat ? stat : json_get_str(a, "ExtendedStatistic");
	out->stat = arena_strdup(mem, stat ? stat : json_get_str(of, "Stat"));
	out->unit = arena_strdup(mem, json_get_str(of, "Unit"));
	out->missing = arena_strdup(mem, json_get_str(a, "TreatMissingData"));
	out->period = count_of(json_get(of, "Period"));
	out->n = count_of(json_get(a, "EvaluationPeriods"));
	out->m = count_of(json_get(a, "DatapointsToAlarm"));
	if (out->kind == ALARM_LOG) {
		out->n = count_of(json_get(a, "QueryResultsToEvaluate"));
		out->m = count_of(json_get(a, "QueryResultsToAlarm"));
	}
	if (!out->m || out->m > out->n)
		out->m = out->n; /* DatapointsToAlarm is left out where it is EvaluationPeriods */
	out->few_samples_wait = low && strcmp(low, "ignore") == 0;
	out->wall_clock = json_get(json_get(a, "EvaluationWindow"), "WallClockWindow") != NULL;
}

/* The last part of an ARN, behind ':' or '/'. */
static const char *arn_end(const char *arn)
{
	const char *last = arn;
	for (const char *p = arn; *p; p++)
		if ((*p == ':' || *p == '/') && p[1])
			last = p + 1;
	return last;
}

/* ARN:...:lambda:REGION:ACCOUNT:function:NAME or :NAME:ALIAS: the alias alone would say nothing. */
static const char *action_name(const char *arn)
{
	const char *function = strstr(arn, ":function:");
	return function ? function + strlen(":function:") : arn_end(arn);
}

static void read_actions(struct arena *mem, const struct json *a, struct alarm *out)
{
	static const struct {
		const char *key, *when;
	} lists[] = { { "AlarmActions", "ALARM" },
		          { "OKActions", "OK" },
		          { "InsufficientDataActions", "INSUFFICIENT_DATA" } };
	unsigned most = 0;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		for (const struct json *n = json_first(json_get(a, lists[i].key)); n; n = json_next(n))
			most++;
	struct alarm_target *told = arena_array(mem, most, sizeof *told);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		for (const struct json *n = json_first(json_get(a, lists[i].key)); n; n = json_next(n)) {
			const char *arn = arena_strdup(mem, json_str(n));
			if (arn)
				told[out->ntold++] =
				    (struct alarm_target){ .arn = arn,
					                       .name = action_name(arn),
					                       .when = lists[i].when,
					                       .topic = strncmp(arn, "arn:", 4) == 0 && strstr(arn, ":sns:") };
		}
	out->told = told;
}

/* The first link of the description. */
static const char *link_in(struct arena *mem, const char *text)
{
	const char *plain = text ? strstr(text, "http://") : NULL, *link = text ? strstr(text, "https://") : NULL;
	link = link && (!plain || link < plain) ? link : plain;
	size_t n = link ? strcspn(link, " \t\r\n<>\"'`|") : 0;
	while (n && strchr(").,;]", link[n - 1]))
		n--;
	return n > strlen("https://") ? arena_strndup(mem, link, n) : NULL;
}

static void read_alarm(struct arena *mem, const struct json *a, struct alarm *out)
{
	*out = (struct alarm){
		.name = arena_strdup(mem, json_get_str(a, "AlarmName")),
		.arn = arena_strdup(mem, json_get_str(a, "AlarmArn")),
		.description = arena_strdup(mem, json_get_str(a, "AlarmDescription")),
		.reason = arena_strdup(mem, json_get_str(a, "StateReason")),
		.metric = judged(mem, a),
		.comparison = comparison_sign(json_get_str(a, "ComparisonOperator")),
		.threshold = NAN,
		.state = alarm_state_parse(json_get_str(a, "StateValue")),
		/* StateUpdatedTimestamp moves also when the state does not: second choice. */
		.since = seconds_of(json_get(a, "StateTransitionedTimestamp")),
		.configured = seconds_of(json_get(a, "AlarmConfigurationUpdatedTimestamp")),
		.actions_enabled = true,
		.kind = kind_of(a),
		.evaluation = arena_strdup(mem, json_get_str(a, "EvaluationState")),
		.held_back = arena_strdup(mem, json_get_str(a, "ActionsSuppressedBy")),
		.local = { .value = NAN },
	};
	out->composite = out->kind == ALARM_COMPOSITE;
	if (!out->since)
		out->since = seconds_of(json_get(a, "StateUpdatedTimestamp"));
	json_num(json_get(a, "Threshold"), &out->threshold);
	json_bool(json_get(a, "ActionsEnabled"), &out->actions_enabled);
	out->runbook = link_in(mem, out->description);
	read_evaluation(mem, a, out);
	read_actions(mem, a, out);
}

static bool read_alarms(struct describe_alarms_out *out, const struct json *doc, const char *key)
{
	bool ok = true;
	for (const struct json *a = wire_list(doc, key, &ok); a; a = json_next(a)) {
		if (!json_get_str(a, "AlarmName"))
			return false;
		if (out->whole)
			continue;
		MEM_GROW(out->alarms, out->n, out->cap);
		read_alarm(&out->mem, a, &out->alarms[out->n++]);
	}
	return ok;
}

static bool describe_alarms_read(const struct http_res *rs, void *out, struct err *e)
{
	struct describe_alarms_out *d = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = read_alarms(d, doc, "MetricAlarms") && read_alarms(d, doc, "CompositeAlarms") &&
	          read_alarms(d, doc, "LogAlarms");
	wire_next(&d->page, doc, "NextToken", &ok);
	if (d->whole) {
		MEM_GROW(d->docs, d->ndocs, d->cdocs);
		d->docs[d->ndocs++] = doc;
	} else {
		json_free(doc);
	}
	return ok || err_set(e, ERR_BADREPLY, "json", "the alarms are not a list of alarms with names");
}

void describe_alarms_out_clear(struct describe_alarms_out *o)
{
	for (unsigned i = 0; i < o->ndocs; i++)
		json_free(o->docs[i]);
	free(o->docs);
	free(o->alarms);
	free(o->page.token);
	arena_clear(&o->mem);
	*o = (struct describe_alarms_out){ .whole = o->whole };
}

/* A name is an alarm's identity within an account and region. */
static int by_name_then_place(const void *x, const void *y)
{
	const struct alarm *const *a = x, *const *b = y;
	int order = strcmp((*a)->name, (*b)->name);
	return order ? order : *a < *b ? -1 : *a > *b;
}

void describe_alarms_once(struct describe_alarms_out *o)
{
	unsigned kept = 0;
	struct alarm **sorted = xcalloc(o->n ? o->n : 1, sizeof(struct alarm *));
	for (unsigned i = 0; i < o->n; i++)
		sorted[i] = &o->alarms[i];
	qsort(sorted, o->n, sizeof(struct alarm *), by_name_then_place);
	for (unsigned i = 0; i + 1 < o->n; i++)
		if (strcmp(sorted[i]->name, sorted[i + 1]->name) == 0)
			sorted[i]->name = NULL; /* the last of the same stays */
	for (unsigned i = 0; i < o->n; i++)
		if (o->alarms[i].name)
			o->alarms[kept++] = o->alarms[i];
	o->n = kept;
	free(sorted);
}

const struct op op_describe_alarms = {
	.service = &service_cloudwatch,
	.name = "DescribeAlarms",
	.rate = 9,
	.iam = "cloudwatch:DescribeAlarms",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 8u * 1024 * 1024, /* 100 alarms of up to 80 KiB: rule, description, reason, actions, metrics */
	.build = describe_alarms_build,
	.read = describe_alarms_read,
};
