/* Datapoints of the simulated account: per metric and minute a statistic set, and the raw values (bounded) that
 * percentiles need. */
#ifndef SIM_SIM_METRICS_H
#define SIM_SIM_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_DIMS 30
#define SIM_RAW_MAX 256

struct sim_dim {
	const char *name, *value;
};
struct sim_set {
	double count, sum, min, max;
};

struct sim_raw {
	unsigned n, cap;
	struct {
		double v, count;
	} at[];
};
struct sim_point {
	int64_t minute; /* minutes since 1970 */
	struct sim_set set;
	struct sim_raw *raw; /* NULL: every value was the same (set.min), or, with blind, unknown */
	bool blind;          /* statistic sets came in: no percentiles */
};

struct sim_metric {
	char *ns, *name;
	struct sim_dim *dims; /* sorted by name */
	unsigned ndims;
	uint64_t hash;
	const char *unit;     /* of the first point; interned, never freed */
	struct sim_point *pt; /* ascending by minute */
	unsigned npt, cap;
	struct sim_metric *next;
};

struct sim_metrics {
	struct sim_metric **bucket;
	struct sim_metric **all; /* in the order they were born */
	unsigned nbucket, n, cap;
};

void metrics_init(struct sim_metrics *ms);
void metrics_clear(struct sim_metrics *ms);
/* dims need not be sorted. make: create what is not there; otherwise NULL. */
struct sim_metric *metrics_get(struct sim_metrics *ms, const char *ns, const char *name, const struct sim_dim *dims,
                               unsigned ndims, bool make);
const char *metric_unit(const char *name); /* CloudWatch's spelling of a unit, NULL when it has no such unit */

void metric_add(struct sim_metric *m, int64_t minute, double value, double count);
void metric_add_set(struct sim_metric *m, int64_t minute, const struct sim_set *set);
bool metric_has(const struct sim_metric *m, int64_t minute);
int64_t metric_newest(const struct sim_metric *m); /* minute; INT64_MIN when it has no point */
void metric_forget(struct sim_metric *m, int64_t before_minute);

/* Sum Average Minimum Maximum SampleCount or pNN */
struct sim_stat {
	enum { STAT_COUNT, STAT_AVERAGE, STAT_SUM, STAT_MIN, STAT_MAX, STAT_PERCENTILE } kind;
	double p;
};
bool stat_parse(const char *text, struct sim_stat *s);
/* Over from <= minute < to. False when there is nothing to tell. */
bool metric_stat(const struct sim_metric *m, int64_t from, int64_t to, const struct sim_stat *s, double *v);
bool metric_set_of(const struct sim_metric *m, int64_t from, int64_t to, struct sim_set *set);
/* Index of the first point at or after the minute. */
unsigned metric_seek(const struct sim_metric *m, int64_t minute);

#endif
