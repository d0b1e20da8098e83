/* What CloudWatch would refuse, said before anything is sent: the limits of PutMetricAlarm and PutCompositeAlarm. */
#include "alarms/file.h"

#include "core/metric.h"

#include <string.h>

#define DAY 86400
#define ACTIONS 5
#define QUERIES_METRICS 10

static bool number(const struct wish *w, const char *key, double *v)
{
	return json_num(json_get(w->body, key), v);
}

static bool has(const struct wish *w, const char *key)
{
	const struct json *n = json_get(w->body, key);
	return !json_is_null(n) && !(json_is_array(n) && !json_first(n));
}

static bool one_of(const struct wish *w, const char *key, const char *const *list, struct err *e)
{
	const char *is = json_get_str(w->body, key);
	for (unsigned i = 0; is && list[i]; i++)
		if (strcmp(is, list[i]) == 0)
			return true;
	return !is || err_set(e, ERR_CONF, "", "%s: CloudWatch has no \"%.60s\"", key, is);
}

static bool within(const struct wish *w, const char *key, unsigned most, struct err *e)
{
	const char *text = json_get_str(w->body, key);
	size_t n = 0;
	for (const char *p = text; p && *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n <= most || err_set(e, ERR_CONF, "", "%s: %zu characters, %u at the most", key, n, most);
}

static bool actions(const struct wish *w, struct err *e)
{
	static const char *const keys[] = { "OKActions", "AlarmActions", "InsufficientDataActions" };
	for (unsigned i = 0; i < 3; i++) {
		unsigned n = 0;
		for (const struct json *a = json_first(json_get(w->body, keys[i])); a; a = json_next(a))
			n++;
		if (n > ACTIONS)
			return err_set(e, ERR_CONF, "", "%s: %u, %d at the most", keys[i], n, ACTIONS);
	}
	return true;
}

static bool period(const char *where, double p, struct err *e)
{
	bool ok = p == 10 || p == 20 || p == 30 || (p >= 60 && p == (double)((int)p / 60 * 60));
	return ok || err_set(e, ERR_CONF, "", "%s: 10, 20, 30 or a multiple of 60, not %g", where, p);
}

static bool evaluation(const struct wish *w, struct err *e)
{
	double n = 0, m = 0, p = 60;
	if (has(w, "EvaluationCriteria"))
		return true;
	if (!number(w, "EvaluationPeriods", &n) || n < 1)
		return err_set(e, ERR_CONF, "", "EvaluationPeriods: a whole number from 1 on");
	if (has(w, "DatapointsToAlarm") && (!number(w, "DatapointsToAlarm", &m) || m < 1 || m > n))
		return err_set(e, ERR_CONF, "", "DatapointsToAlarm: 1 to EvaluationPeriods (%g), not %g", n, m);
	if (has(w, "Period") && (!number(w, "Period", &p) || !period("Period", p, e)))
		return false;
	double most = p < 3600 ? DAY : 7 * DAY;
	return n * p <= most ||
	       err_set(e, ERR_CONF, "", "Period x EvaluationPeriods: %g seconds, %g at the most", n * p, most);
}

static bool threshold(const struct wish *w, struct err *e)
{
	static const char *const bands[] = { "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
		                                 "GreaterThanUpperThreshold", NULL };
	static const char *const all[] = { "GreaterThanOrEqualToThreshold",
		                               "GreaterThanThreshold",
		                               "LessThanThreshold",
		                               "LessThanOrEqualToThreshold",
		                               "LessThanLowerOrGreaterThanUpperThreshold",
		                               "LessThanLowerThreshold",
		                               "GreaterThanUpperThreshold",
		                               NULL };
	static const char *const missing[] = { "breaching", "notBreaching", "ignore", "missing", NULL };
	struct err ignored;
	if (!one_of(w, "ComparisonOperator", all, e) || !one_of(w, "TreatMissingData", missing, e))
		return false;
	if (has(w, "EvaluationCriteria"))
		return true;
	if (!has(w, "ComparisonOperator"))
		return err_set(e, ERR_CONF, "", "ComparisonOperator: is not there");
	bool band = one_of(w, "ComparisonOperator", bands, &ignored);
	if (has(w, "Threshold") == has(w, "ThresholdMetricId"))
		return err_set(e, ERR_CONF, "", "exactly one of Threshold and ThresholdMetricId");
	if (band != has(w, "ThresholdMetricId"))
		return err_set(e, ERR_CONF, "", "ComparisonOperator: %s",
		               band ? "wants a ThresholdMetricId" : "wants a Threshold");
	return true;
}

static bool one_metric(const struct wish *w, struct err *e)
{
	const char *extended = json_get_str(w->body, "ExtendedStatistic");
	static const char *const stats[] = { "SampleCount", "Average", "Sum", "Minimum", "Maximum", NULL };
	if (!has(w, "Namespace"))
		return err_set(e, ERR_CONF, "", "Namespace: is not there");
	if (!has(w, "Period"))
		return err_set(e, ERR_CONF, "", "Period: is not there");
	if (has(w, "Statistic") == (extended != NULL))
		return err_set(e, ERR_CONF, "", "exactly one of Statistic and ExtendedStatistic");
	if (extended && !metric_stat_valid(extended))
		return err_set(e, ERR_CONF, "", "ExtendedStatistic: CloudWatch has no \"%.60s\"", extended);
	return one_of(w, "Statistic", stats, e);
}

static bool one_query(const struct json *q, unsigned *metrics, struct err *e)
{
	const char *id = json_get_str(q, "Id");
	const struct json *stat = json_get(q, "MetricStat");
	double p;
	bool expression = json_get_str(q, "Expression") != NULL;
	if (!(id[0] >= 'a' && id[0] <= 'z') ||
	    id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")])
		return err_set(e, ERR_CONF, "", "Metrics: the Id \"%.60s\" is a-z, then letters, digits and _", id);
	if (expression == !json_is_null(stat))
		return err_set(e, ERR_CONF, "", "Metrics.%.60s: exactly one of MetricStat and Expression", id);
	*metrics += !expression;
	const struct json *metric = json_get(stat, "Metric");
	if (!expression && (!json_get_str(metric, "MetricName") || !json_get_str(metric, "Namespace") ||
	                    !json_get_str(stat, "Stat") || !json_num(json_get(stat, "Period"), &p)))
		return err_set(e, ERR_CONF, "",
		               "Metrics.%.60s.MetricStat: wants Metric (Namespace, MetricName), Period and Stat", id);
	return expression || period("Metrics: Period", p, e);
}

static bool queries(const struct wish *w, struct err *e)
{
	unsigned returned = 0, metrics = 0;
	const char *band = json_get_str(w->body, "ThresholdMetricId");
	bool found = !band;
	for (const struct json *q = json_first(json_get(w->body, "Metrics")); q; q = json_next(q)) {
		bool returns = true;
		if (!one_query(q, &metrics, e))
			return false;
		json_bool(json_get(q, "ReturnData"), &returns);
		returned += returns;
		found = found || strcmp(band, json_get_str(q, "Id")) == 0;
	}
	if (!found)
		return err_set(e, ERR_CONF, "", "ThresholdMetricId: no query has the Id \"%.60s\"", band);
	if (returned != 1 && !band)
		return err_set(e, ERR_CONF, "", "Metrics: exactly one query with ReturnData true, not %u", returned);
	return metrics <= QUERIES_METRICS ||
	       err_set(e, ERR_CONF, "", "Metrics: %u metrics, %d at the most", metrics, QUERIES_METRICS);
}

static bool metric_alarm(const struct wish *w, struct err *e)
{
	unsigned forms = (unsigned)has(w, "MetricName") + has(w, "Metrics") + has(w, "EvaluationCriteria");
	if (forms != 1)
		return err_set(e, ERR_CONF, "", "exactly one of MetricName, Metrics and EvaluationCriteria");
	if (has(w, "MetricName") && !one_metric(w, e))
		return false;
	return evaluation(w, e) && threshold(w, e) && (!has(w, "Metrics") || queries(w, e));
}

static bool composite_alarm(const struct wish *w, struct err *e)
{
	bool suppressed = has(w, "ActionsSuppressor");
	if (suppressed != has(w, "ActionsSuppressorWaitPeriod") || suppressed != has(w, "ActionsSuppressorExtensionPeriod"))
		return err_set(e, ERR_CONF, "",
		               "ActionsSuppressor, ...WaitPeriod and ...ExtensionPeriod stand together or not at all");
	return within(w, "AlarmRule", 10240, e);
}

bool wish_valid(const struct wish *w, struct err *e)
{
	if (!within(w, "AlarmDescription", 1024, e) || !actions(w, e))
		return false;
	return w->kind == FORM_METRIC ? metric_alarm(w, e) : w->kind == FORM_COMPOSITE ? composite_alarm(w, e) : true;
}
