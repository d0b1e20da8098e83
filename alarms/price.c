/* What an alarm costs a month, an estimate that is called one wherever it is shown. */
#include "alarms/plan.h"

#include <math.h>
#include <string.h>

#define STANDARD 0.10
#define HIGH_RESOLUTION 0.30
#define COMPOSITE 0.50

static double metric_usd(const struct json *period)
{
	double p = 60;
	json_num(period, &p);
	return p < 60 ? HIGH_RESOLUTION : STANDARD;
}

/* Each metric counts; a band counts as two more, its upper and its lower bound. */
static double queries_usd(const struct json *body)
{
	double usd = 0;
	for (const struct json *q = json_first(json_get(body, "Metrics")); q; q = json_next(q)) {
		const struct json *stat = json_get(q, "MetricStat");
		const char *expression = json_get_str(q, "Expression");
		if (stat)
			usd += metric_usd(json_get(stat, "Period"));
		else if (expression && strstr(expression, "ANOMALY_DETECTION_BAND"))
			usd += 2 * STANDARD;
		else if (expression && strncmp(expression, "SELECT", 6) == 0)
			return NAN; /* per metric analysed, and how many these are the query says */
	}
	return usd;
}

double alarm_usd(const struct json *body)
{
	enum form_kind k = form_kind_of(body);
	if (k == FORM_COMPOSITE)
		return COMPOSITE;
	if (k == FORM_LOG || json_get(body, "EvaluationCriteria"))
		return NAN;
	return json_get(body, "MetricName") ? metric_usd(json_get(body, "Period")) : queries_usd(body);
}
