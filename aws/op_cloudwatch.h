/* CloudWatch operations (JSON 1.0, query-compatible). */
#ifndef AWS_OP_CLOUDWATCH_H
#define AWS_OP_CLOUDWATCH_H

#include "aws/op.h"
#include "core/arena.h"
#include "core/metric.h"
#include "core/model/alarm.h"

#include <stdint.h>

extern const struct service service_cloudwatch;

/* ---- GetMetricData: <= 500 queries, <= 100,800 points a call; billed per metric.
 * The query array is prepared once and reused with other times (building and escaping 500 queries costs more than sending). */
struct json;
struct metric_queries {
	struct buf json;
	unsigned n;
	uint32_t period;
}; /* json: the array's inside; query i has Id "m<i>" */
void metric_queries_init(struct metric_queries *q, uint32_t period);
bool metric_queries_add(struct metric_queries *q, const struct metric_id *m); /* false at 500 */
void metric_queries_clear(struct metric_queries *q);

struct get_metric_data_in {
	struct page page;
	const struct metric_queries *queries;
	int64_t start, end; /* seconds, [start, end) */
};
enum metric_status { METRIC_COMPLETE, METRIC_PARTIAL, METRIC_INTERNAL_ERROR, METRIC_FORBIDDEN, METRIC_UNANSWERED };
struct get_metric_data_out {
	struct page page;
	/* Called for each point as it is read, any order, t in seconds as sent (may be off the period's grid). */
	void (*point)(void *ctx, unsigned query, int64_t t, double v);
	void *ctx;
	enum metric_status *status;
	unsigned n;        /* the caller sets n and METRIC_UNANSWERED; a later page's status replaces an earlier one's */
	char message[128]; /* first Messages[] entry, "" if none */
	bool limited;      /* the answer as a whole has a message: something is not in it (MaxMetricsExceeded); the caller clears it */
};
extern const struct op op_get_metric_data;

/* ---- ListMetrics: all dimension sets of a namespace and/or name. */
struct list_metrics_in {
	struct page page;
	const char *ns, *name; /* either may be NULL */
	bool recent;           /* RecentlyActive PT3H */
};
struct list_metrics_out {
	struct page page;
	struct metric_id *metrics;
	unsigned n, cap; /* stat is NULL */
};
void list_metrics_out_clear(struct list_metrics_out *o);
extern const struct op op_list_metrics;

/* ---- DescribeAlarms: AlarmTypes names metric, composite and log alarms, else only metric alarms come. */
struct describe_alarms_in {
	struct page page;
	bool no_logs; /* a service that does not know the type LogAlarm refuses the whole call */
	const char *name; /* this alarm alone; NULL: all */
};
struct describe_alarms_out {
	struct page page;
	struct arena mem;
	struct alarm *alarms;
	unsigned n, cap;
	bool whole;          /* the caller's: the answers themselves are wanted, not what is made of them above */
	struct json **docs;  /* of whole: each page's */
	unsigned ndocs, cdocs;
};
void describe_alarms_out_clear(struct describe_alarms_out *o);
/* A list that changes while its pages are read may give an alarm twice: the last word about it stays. */
void describe_alarms_once(struct describe_alarms_out *o);
extern const struct op op_describe_alarms;

/* ---- DescribeAlarmHistory: what happened to one alarm, newest first; kept for 30 days. Paged: who wants only the newest stops. */
struct alarm_history_in {
	struct page page;
	const char *name;
	int64_t from, to; /* seconds; 0: unbounded */
};
struct alarm_history_out {
	struct page page;
	struct arena mem;
	struct alarm_moment *moments;
	unsigned n, cap, most; /* most: the caller's; from so many on no further page is asked for. 0: all */
	bool more;             /* there were more than that */
};
void alarm_history_out_clear(struct alarm_history_out *o);
extern const struct op op_describe_alarm_history;

/* ---- ListTagsForResource: what an alarm's tags say of who keeps it (core/model/alarm.h). */
struct alarm_tags_in {
	const char *arn;
};
struct alarm_tags_out { /* strings owned */
	char *runbook, *owner;
	enum alarm_manager manager; /* HAND when no tag says else */
	bool whole;      /* the caller's: every tag is wanted */
	char **pairs;    /* of whole: key, value, key, value ... */
	unsigned npairs, cpairs;
};
void alarm_tags_out_clear(struct alarm_tags_out *o);
extern const struct op op_list_alarm_tags;

/* ---- PutMetricData, as far as single values go; no Timestamp: they count where they arrive. Whoever asks has checked the
 * limits: namespace not AWS/..., |value| <= 2^360, 30 dimensions, 1000 values and a megabyte in all. */
struct put_metric_in {
	const struct metric_id *metric; /* stat is not looked at */
	double value;
	const char *unit; /* one that put_metric_unit gave; NULL: none is said */
	const struct put_metric_in *next; /* another value of the same namespace in the same request; NULL */
};
struct put_metric_out {
	char request_id[64]; /* "" when the answer named none */
};
extern const struct op op_put_metric_data;
/* CloudWatch's spelling of a unit given in any case; NULL when there is no such unit. */
const char *put_metric_unit(const char *name);

#endif
