/* What a service's resources are and measure; data only. aws/kind_*.c fill these, everybody above reads them. */
#ifndef CORE_MODEL_KIND_H
#define CORE_MODEL_KIND_H

#include <stdbool.h>

enum role { ROLE_NONE, ROLE_IN, ROLE_OUT, ROLE_ERROR, ROLE_LATENCY, ROLE_BACKLOG, ROLE_AGE, ROLE_COUNT };
enum unit { UNIT_NONE, UNIT_COUNT, UNIT_PERCENT, UNIT_SECONDS, UNIT_MILLISECONDS, UNIT_BYTES };
enum metric_from {
	FROM_CLOUDWATCH, /* GetMetricData */
	FROM_DIRECT,     /* a reading of the service itself (GetQueueAttributes); one point a poll, at the poll's minute */
	FROM_RATIO,      /* 100 * a / b; absent where b is absent or 0; a absent where b is present counts as 0 when a is sparse */
	FROM_DIFFERENCE  /* a - b, never below 0; same rule for b */
};

struct metric_info {
	const char *key;      /* stable: JSON member, history's METRIC */
	const char *title;    /* for the chart */
	enum metric_from from;
	const char *name;     /* CloudWatch MetricName; of a direct reading: where its past can be read; else NULL */
	const char *stat;     /* CloudWatch statistic; NULL when name is */
	const char *a, *b;    /* keys of the operands of RATIO and DIFFERENCE */
	enum role role;       /* at most one metric a role */
	enum unit unit;
	bool sparse;          /* published only when something happens: none in a complete answer means idle, not unknown */
};

struct kind_info {
	const char *id;       /* sqs: JSON and kind: filters */
	const char *title;    /* SQS queue */
	const char *ns;       /* CloudWatch namespace */
	const char *dimension;/* whose value is the resource's name */
	const struct metric_info *metrics;
	unsigned nmetrics;
	const char *spark;    /* key of the metric the sparkline shows */
	const char *no_error; /* why there is no ROLE_ERROR metric, NULL when there is one */
};

const struct metric_info *kind_metric(const struct kind_info *k, const char *key);  /* NULL when unknown */
bool metric_is_sum(const struct metric_info *info);  /* its points are what a period holds, not a level: a rate is point / period */
const struct metric_info *kind_role(const struct kind_info *k, enum role role);
const char *unit_name(enum unit u);   /* CloudWatch's: Count, Percent, Seconds, Milliseconds, Bytes, None */
const char *role_name(enum role r);   /* in out error latency backlog age: the configuration's keys */

#endif
