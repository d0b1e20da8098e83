/* CloudWatch's operations that read datapoints. */
#include "sim/sim_cw.h"
#include "sim/world.h"

#include "core/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES 500
#define POINTS_MAX 100800
#define STATISTICS_MAX 1440

/* ---- GetMetricData */

struct query {
	const char *id, *label;
	struct sim_stat stat;
	const struct sim_metric *metric; /* NULL: there is none */
	int64_t period;                  /* minutes; 0: of a resolution that is not stored */
	bool returned;
};

struct points {
	int64_t *t;
	double *v;
	unsigned n, cap;
};

static bool valid_id(const char *id)
{
	size_t n = strlen(id);
	return id[0] >= 'a' && id[0] <= 'z' && n <= 255 &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static bool valid_period(int64_t p)
{
	return p == 1 || p == 5 || p == 10 || p == 20 || p == 30 || (p >= 60 && p % 60 == 0);
}

static bool read_stat(struct query *q, const char *stat, struct sim_fail *f)
{
	return stat_parse(stat, &q->stat) ||
	       sim_fail(f, WHY_VALIDATION,
	                "The value '%.80s' for Stat of '%.80s' is not simulated; Sum, Average, Minimum, Maximum, "
	                "SampleCount and percentiles are.",
	                stat, q->id);
}

static bool read_metric_stat(struct world *w, const struct sim_req *rq, const struct json *ms, struct query *q,
                             struct sim_fail *f)
{
	struct sim_dim dims[SIM_DIMS];
	unsigned ndims;
	const struct json *metric = json_get(ms, "Metric");
	const char *ns, *name, *stat, *unit = NULL;
	int64_t period = 0;
	if (!arg_need(rq, metric, "Namespace", &ns, f) || !arg_need(rq, metric, "MetricName", &name, f) ||
	    !arg_need(rq, ms, "Stat", &stat, f) || !arg_str(rq, ms, "Unit", &unit, f) ||
	    !arg_int(rq, ms, "Period", 1, 86400 * 7, &period, f) || !cw_dims(rq, metric, false, dims, &ndims, f) ||
	    !read_stat(q, stat, f))
		return false;
	if (!valid_period(period))
		return sim_fail(f, WHY_VALIDATION,
		                "The parameter MetricDataQueries.member.MetricStat.Period must be 1, 5, 10, 20, 30 or a "
		                "multiple of 60.");
	q->period = period / 60;
	q->metric = metrics_get(&w->metrics, ns, name, dims, ndims, false);
	if (unit && q->metric && strcmp(unit, q->metric->unit) != 0)
		q->metric = NULL;
	if (!q->label)
		q->label = name;
	return true;
}

static bool read_query(struct world *w, const struct sim_req *rq, const struct json *n, struct query *q,
                       struct sim_fail *f)
{
	const struct json *ms = json_get(n, "MetricStat");
	const char *expression = NULL;
	*q = (struct query){ .returned = true };
	if (!arg_need(rq, n, "Id", &q->id, f) || !arg_str(rq, n, "Label", &q->label, f) ||
	    !arg_bool(rq, n, "ReturnData", &q->returned, f) || !arg_str(rq, n, "Expression", &expression, f))
		return false;
	if (!valid_id(q->id))
		return sim_fail(f, WHY_VALIDATION,
		                "The value %.80s for parameter MetricDataQueries.member.Id is not matching the expected "
		                "pattern ^[a-z][a-zA-Z0-9_]*$.",
		                q->id);
	if (expression)
		return sim_fail(f, WHY_VALIDATION, "Error in expression '%.80s': metric math is not simulated.", q->id);
	return read_metric_stat(w, rq, ms, q, f);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct query *)a)->id, ((const struct query *)b)->id);
}

static bool distinct_ids(const struct query *q, unsigned n, struct sim_fail *f)
{
	struct query *sorted = xreallocarray(NULL, n ? n : 1, sizeof *sorted);
	const char *twice = NULL;
	memcpy(sorted, q, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_id);
	for (unsigned i = 1; i < n && !twice; i++)
		if (strcmp(sorted[i - 1].id, sorted[i].id) == 0)
			twice = sorted[i].id;
	free(sorted);
	return !twice ||
	       sim_fail(f, WHY_VALIDATION, "The values for parameter id in MetricDataQueries are not unique: %.80s", twice);
}

static bool read_queries(struct world *w, const struct sim_req *rq, struct query *q, unsigned *n, struct sim_fail *f)
{
	const struct json *list;
	*n = 0;
	if (!arg_list(rq, rq->args, "MetricDataQueries", 100000, &list, f))
		return false;
	for (const struct json *m = json_first(list); m; m = json_next(m)) {
		if (*n == QUERIES)
			return sim_fail(f, WHY_VALIDATION, "The collection MetricDataQueries must not have a size greater than %d.",
			                QUERIES);
		if (!read_query(w, rq, m, &q[(*n)++], f))
			return false;
	}
	if (*n == 0)
		return sim_fail(f, WHY_MISSING, "The parameter MetricDataQueries is required.");
	return distinct_ids(q, *n, f);
}

static void add_point(struct points *p, int64_t minute, double v)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 256;
		p->t = xreallocarray(p->t, p->cap, sizeof *p->t);
		p->v = xreallocarray(p->v, p->cap, sizeof *p->v);
	}
	p->t[p->n] = minute * 60;
	p->v[p->n++] = v;
}

/* What faults have this call do; 0 and false: nothing. */
struct whims {
	int64_t spread, partial, internal, forbidden; /* the last three: every nth result */
	int64_t late, holes, straggling, revised;
	int64_t now; /* the minute in progress */
	bool max_metrics;
};

static int64_t whim(struct world *w, const struct sim_req *rq, enum fault_id id)
{
	const struct fault_on *on = fault_inside(w, rq, id);
	return on ? on->param : 0;
}

/* Those that GetMetricStatistics knows, too. */
static struct whims whims_of_points(struct world *w, const struct sim_req *rq)
{
	return (struct whims){
		.late = whim(w, rq, FAULT_LATE),
		.holes = whim(w, rq, FAULT_HOLES),
		.straggling = whim(w, rq, FAULT_STRAGGLING),
		.revised = whim(w, rq, FAULT_REVISED),
		.now = w->minute,
	};
}

static void read_whims(struct world *w, const struct sim_req *rq, struct whims *m)
{
	*m = whims_of_points(w, rq);
	m->spread = whim(w, rq, FAULT_SPREAD);
	m->partial = whim(w, rq, FAULT_PARTIAL_DATA);
	m->internal = whim(w, rq, FAULT_INTERNAL_ERROR);
	m->forbidden = whim(w, rq, FAULT_FORBIDDEN);
	m->max_metrics = fault_inside(w, rq, FAULT_MAX_METRICS) != NULL;
}

struct span_of_time {
	int64_t from, to;
};

/* The newest minutes are not there yet. */
static void hold_late(const struct world *w, const struct whims *m, struct span_of_time *when)
{
	if (m->late && when->to > w->minute + 1 - m->late)
		when->to = w->minute + 1 - m->late;
}

static bool in_hole(const struct whims *m, int64_t start, int64_t period)
{
	return m->holes && (start / period) % m->holes == 0;
}

/* Up to which minute this metric's points have come. */
static int64_t arrived(const struct whims *m, const struct sim_metric *metric, int64_t to)
{
	int64_t late = m->straggling ? (int64_t)(metric->hash % (uint64_t)(m->straggling + 1)) : 0;
	return late && to > m->now - late ? m->now - late : to;
}

/* A sum that grows: by equal steps from the minute in progress on. */
static double so_far(const struct whims *m, const struct sim_stat *s, int64_t end, double v)
{
	int64_t age = m->now + 1 - end; /* 0: in progress */
	if (!m->revised || age > m->revised || (s->kind != STAT_COUNT && s->kind != STAT_SUM))
		return v;
	return floor(v * (double)(age + 1) / (double)(m->revised + 2));
}

/* Periods lie on the clock's grid; only those that hold something are visited. */
static void collect(const struct query *q, int64_t from, int64_t to, bool ascending, const struct whims *whims,
                    struct points *p)
{
	p->n = 0;
	if (!q->metric || q->period == 0)
		return;
	const struct sim_metric *m = q->metric;
	to = arrived(whims, m, to);
	for (unsigned i = metric_seek(m, from - from % q->period); i < m->npt && m->pt[i].minute < to;) {
		int64_t start = m->pt[i].minute - m->pt[i].minute % q->period;
		double v;
		if (!in_hole(whims, start, q->period) && metric_stat(m, start, start + q->period, &q->stat, &v))
			add_point(p, start, so_far(whims, &q->stat, start + q->period, v));
		while (i < m->npt && m->pt[i].minute < start + q->period)
			i++;
	}
	for (unsigned i = 0; !ascending && i < p->n / 2; i++) {
		unsigned k = p->n - 1 - i;
		int64_t t = p->t[i];
		double v = p->v[i];
		p->t[i] = p->t[k], p->v[i] = p->v[k];
		p->t[k] = t, p->v[k] = v;
	}
}

static void tell_message(struct wr *o, const char *code, const char *value)
{
	wr_list(o, "Messages", NULL);
	if (code) {
		wr_object(o, NULL);
		wr_str(o, "Code", code);
		wr_str(o, "Value", value);
		wr_object_end(o);
	}
	wr_list_end(o);
}

static void tell_result(struct wr *o, const struct query *q, const struct points *p, unsigned first, unsigned n)
{
	wr_object(o, NULL);
	wr_str(o, "Id", q->id);
	wr_str(o, "Label", q->label);
	wr_times(o, "Timestamps", p->t + first, n);
	wr_nums(o, "Values", p->v + first, n);
	wr_str(o, "StatusCode", first + n < p->n ? "PartialData" : "Complete");
	wr_object_end(o);
}

static bool nth(int64_t every, unsigned i)
{
	return every && (i + 1) % every == 0;
}

/* True when this result is one that a fault has fail, and is told. */
static bool tell_failed(struct wr *o, const struct query *q, const struct whims *m, unsigned i)
{
	bool forbidden = nth(m->forbidden, i);
	if (!forbidden && !nth(m->internal, i))
		return false;
	wr_object(o, NULL);
	wr_str(o, "Id", q->id);
	wr_str(o, "Label", q->label);
	wr_times(o, "Timestamps", NULL, 0);
	wr_nums(o, "Values", NULL, 0);
	wr_str(o, "StatusCode", forbidden ? "Forbidden" : "InternalError");
	if (forbidden)
		tell_message(o, "Forbidden", "Not allowed to read the metrics of this account");
	else
		tell_message(o, "InternalError", "The data could not be read, try again");
	wr_object_end(o);
	return true;
}

struct page {
	unsigned query, point, room;
}; /* where it begins; datapoints it may hold */

static bool read_page(const struct sim_req *rq, struct page *pg, struct sim_fail *f)
{
	const char *token = NULL;
	char at[64];
	int64_t max = POINTS_MAX;
	*pg = (struct page){ 0 };
	if (!arg_str(rq, rq->args, "NextToken", &token, f) ||
	    !arg_int(rq, rq->args, "MaxDatapoints", 1, POINTS_MAX, &max, f))
		return false;
	pg->room = (unsigned)max;
	if (!token || !*token)
		return true;
	return token_read(token, "GetMetricData", at, sizeof at, f) &&
	       (sscanf(at, "%u.%u", &pg->query, &pg->point) == 2 ||
	        sim_fail(f, WHY_INVALID_TOKEN, "The token is invalid."));
}

/* [StartTime, EndTime) in whole minutes, StartTime rounded down as AWS does by its age. */
static bool read_times(const struct world *w, const struct sim_req *rq, struct span_of_time *s, struct sim_fail *f)
{
	int64_t from = -1, to = -1;
	if (!arg_time(rq, rq->args, "StartTime", &from, f) || !arg_time(rq, rq->args, "EndTime", &to, f))
		return false;
	if (from < 0 || to < 0)
		return sim_fail(f, WHY_MISSING, "The parameters StartTime and EndTime are required.");
	if (from >= to)
		return sim_fail(f, WHY_VALIDATION, "The parameter StartTime must be less than the parameter EndTime.");
	int64_t age = w->now_ms - from, grid = age < 15 * 86400000ll ? 1 : age < 63 * 86400000ll ? 5 : 60;
	s->from = from / 60000 / grid * grid;
	s->to = (to + 59999) / 60000;
	return true;
}

static void tell_page(struct wr *o, const struct query *q, unsigned n, const struct page *pg,
                      const struct span_of_time *when, bool ascending, const struct whims *whims)
{
	struct points p = { 0 };
	unsigned room = pg->room, i, first = pg->point;
	wr_list(o, "MetricDataResults", NULL);
	for (i = pg->query; i < n && room; i++, first = 0) {
		if (!q[i].returned || tell_failed(o, &q[i], whims, i))
			continue;
		collect(&q[i], when->from, when->to, ascending, whims, &p);
		if (nth(whims->partial, i) && p.n > 1) {
			tell_result(o, &q[i], &p, 0, p.n / 2); /* PartialData: there is more, and no way to it */
			continue;
		}
		if (first > p.n)
			first = p.n;
		unsigned fits = p.n - first < room ? p.n - first : room;
		tell_result(o, &q[i], &p, first, fits);
		room -= fits;
		if (first + fits < p.n) {
			first += fits;
			break;
		}
	}
	wr_list_end(o);
	tell_message(o, whims->max_metrics ? "MaxMetricsExceeded" : NULL,
	             "The maximum number of metrics was reached; not all of them are in the results");
	if (i < n)
		token_write(o, "NextToken", "GetMetricData", "%u.%u", i, first);
	free(p.t);
	free(p.v);
}

static bool read_order(const struct sim_req *rq, bool *ascending, struct sim_fail *f)
{
	const char *order = "TimestampDescending";
	if (!arg_str(rq, rq->args, "ScanBy", &order, f))
		return false;
	*ascending = strcmp(order, "TimestampAscending") == 0;
	return *ascending || strcmp(order, "TimestampDescending") == 0 ||
	       sim_fail(f, WHY_INVALID_VALUE, "The value %.60s for parameter ScanBy is invalid.", order);
}

bool cw_get_metric_data(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct query *q = xcalloc(QUERIES, sizeof *q);
	struct span_of_time when;
	struct page pg;
	bool ascending = false;
	unsigned n;
	bool ok = read_times(w, rq, &when, f) && read_order(rq, &ascending, f) && read_page(rq, &pg, f) &&
	          read_queries(w, rq, q, &n, f);
	if (ok) {
		struct whims whims;
		read_whims(w, rq, &whims);
		if (whims.spread && whims.spread < pg.room)
			pg.room = (unsigned)whims.spread;
		hold_late(w, &whims, &when);
		tell_page(o, q, n, &pg, &when, ascending, &whims);
	}
	free(q);
	return ok;
}

/* ---- GetMetricStatistics */

#define STATS_ASKED 16

static bool add_stats(const struct sim_req *rq, const char *key, const char **names, unsigned *n, struct sim_fail *f)
{
	const struct json *list;
	struct sim_stat s;
	if (!arg_list(rq, rq->args, key, 10, &list, f))
		return false;
	for (const struct json *e = json_first(list); e && *n < STATS_ASKED; e = json_next(e)) {
		if (!node_str(rq, e, key, &names[*n], f))
			return false;
		if (!names[*n] || !stat_parse(names[*n], &s))
			return sim_fail(f, WHY_INVALID_VALUE, "The value %.60s for parameter %s is not supported.",
			                names[*n] ? names[*n] : "", key);
		++*n;
	}
	return true;
}

/* A map, which the two wires write each in its own way. */
static void tell_extended(struct wr *o, const struct sim_metric *m, int64_t from, int64_t to, const char *const *names,
                          unsigned n)
{
	struct sim_stat s;
	double v;
	wr_object(o, "ExtendedStatistics");
	for (unsigned i = 0; i < n; i++) {
		if (!stat_parse(names[i], &s) || s.kind != STAT_PERCENTILE || !metric_stat(m, from, to, &s, &v))
			continue;
		if (o->form == WR_JSON) {
			wr_num(o, names[i], v);
			continue;
		}
		wr_object(o, "entry");
		wr_str(o, "key", names[i]);
		wr_num(o, "value", v);
		wr_object_end(o);
	}
	wr_object_end(o);
}

static void tell_statistics(struct wr *o, const struct sim_metric *m, int64_t from, int64_t to,
                            const struct whims *whims, const char *const *names, unsigned n)
{
	struct sim_stat s;
	struct sim_set set;
	double v;
	if (!metric_set_of(m, from, to, &set))
		return;
	wr_object(o, NULL);
	wr_time(o, "Timestamp", from * 60000);
	bool extended = false;
	for (unsigned i = 0; i < n; i++) {
		stat_parse(names[i], &s);
		if (s.kind != STAT_PERCENTILE && metric_stat(m, from, to, &s, &v))
			wr_num(o, names[i], so_far(whims, &s, to, v));
		extended = extended || s.kind == STAT_PERCENTILE;
	}
	if (extended)
		tell_extended(o, m, from, to, names, n);
	wr_str(o, "Unit", m->unit);
	wr_object_end(o);
}

/* period in minutes; 0: of a resolution that is not stored */
static void tell_datapoints(struct wr *o, const struct sim_metric *m, const struct span_of_time *when, int64_t period,
                            const struct whims *whims, const char *const *names, unsigned n)
{
	wr_list(o, "Datapoints", NULL);
	int64_t to = m ? arrived(whims, m, when->to) : 0;
	for (int64_t t = when->from; m && period && t < to; t += period)
		if (!in_hole(whims, t, period))
			tell_statistics(o, m, t, t + period, whims, names, n);
	wr_list_end(o);
}

bool cw_get_metric_statistics(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *ns, *name, *stats[STATS_ASKED] = { NULL };
	struct sim_dim dims[SIM_DIMS];
	unsigned ndims, nstats = 0;
	struct span_of_time when;
	int64_t period = 0;
	if (!arg_need(rq, rq->args, "Namespace", &ns, f) || !arg_need(rq, rq->args, "MetricName", &name, f) ||
	    !cw_dims(rq, rq->args, false, dims, &ndims, f) || !read_times(w, rq, &when, f) ||
	    !arg_int(rq, rq->args, "Period", 1, 86400 * 7, &period, f) || !add_stats(rq, "Statistics", stats, &nstats, f) ||
	    !add_stats(rq, "ExtendedStatistics", stats, &nstats, f))
		return false;
	if (!valid_period(period) || nstats == 0)
		return sim_fail(f, WHY_INVALID_VALUE,
		                "The parameters Period and Statistics or ExtendedStatistics must be specified.");
	if (period >= 60 && (when.to - when.from) / (period / 60) > STATISTICS_MAX)
		return sim_fail(f, WHY_INVALID_COMBINATION,
		                "You have requested up to %" PRId64 " datapoints, which exceeds the limit of %d.",
		                (when.to - when.from) / (period / 60), STATISTICS_MAX);
	struct whims whims = whims_of_points(w, rq);
	hold_late(w, &whims, &when);
	const struct sim_metric *m = metrics_get(&w->metrics, ns, name, dims, ndims, false);
	wr_str(o, "Label", name);
	tell_datapoints(o, m, &when, period / 60, &whims, stats, nstats);
	return true;
}
