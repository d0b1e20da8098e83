/* REQUEST_ALARMS and REQUEST_ALARM: alarms alone, and one with everything that is known of it: whom it tells, its history, and what it
 * would be now by its own datapoints. Those come from the series that the rounds keep where these reach, else from one poll. */
#include "alarms/eval.h"
#include "core/mem.h"
#include "engine/alarm_backtest.h"
#include "engine/changes.h"

#include <stdlib.h>
#include <string.h>

#define RECENT 90 /* seconds: an alarm list of this age is told again as it is */
#define HOUR 3600
#define DAY 86400
#define LATE (5 * STEP) /* a series that ends this long ago says nothing of now */

/* ---- what to read */

struct points {
	struct eval_rule rule;
	enum eval_stat stat;
	bool composed; /* windows out of statistic sets of one minute */
	uint32_t step;
	unsigned width; /* steps in a window */
	struct metric_id id;
	const char *approximate, *why;
};

static const char *unread(const struct alarm *a)
{
	switch (a->kind) {
	case ALARM_METRIC: return NULL;
	case ALARM_MATH: return "it is metric math";
	case ALARM_BAND: return "its band is CloudWatch's own";
	case ALARM_PROMQL: return "it is a PromQL query";
	case ALARM_LOG: return "it is a query of logs";
	default: return "it is a rule over other alarms";
	}
}

static const char *roughly(const struct alarm *a, const struct points *p)
{
	if (a->unit)
		return "datapoints of every unit, the alarm counts one";
	if (a->wall_clock)
		return "windows by the clock in UTC";
	if (!p->composed && a->period > STEP)
		return "a percentile, over the clock's own periods";
	return a->few_samples_wait ? "few samples may keep its state" : NULL;
}

/* False: it cannot be evaluated here; p->why says why. p->id is to be cleared either way. */
static bool points_plan(const struct alarm *a, struct points *p)
{
	*p = (struct points){ .rule = { .n = a->n, .m = a->m, .threshold = a->threshold }, .why = unread(a) };
	if (p->why)
		return false;
	if (!a->n || !a->period || isnan(a->threshold) || !eval_compare_parse(a->comparison, &p->rule.compare) ||
	    !eval_missing_parse(a->missing, &p->rule.missing) || !a->metric || !metric_parse(&p->id, a->metric, NULL) ||
	    !p->id.stat) {
		p->why = "its settings are not all known";
		return false;
	}
	p->composed = a->period % STEP == 0 && eval_stat_parse(a->stat, &p->stat);
	p->step = p->composed ? STEP : a->period;
	p->width = p->composed ? a->period / STEP : 1;
	p->approximate = roughly(a, p);
	return true;
}

/* Where the newest window ends. Over more than a day CloudWatch evaluates by the hour. */
static int64_t newest_end(const struct alarm *a, const struct points *p, int64_t now)
{
	int64_t by = (int64_t)a->period * a->n > DAY ? HOUR : p->step;
	if (a->wall_clock && a->period <= DAY)
		by = a->period;
	return now / by * by;
}

static unsigned nwindows(const struct points *p)
{
	return eval_range_most(p->rule.n);
}

/* ---- the judgement */

static void tell(struct alarm *a, const struct points *p, const double *windows, int64_t end)
{
	static const enum alarm_state states[] = {
		[EVAL_OK] = ALARM_STATE_OK, [EVAL_ALARM] = ALARM_STATE_ALARM, [EVAL_INSUFFICIENT] = ALARM_STATE_INSUFFICIENT
	};
	struct eval_result r = eval(&p->rule, windows, nwindows(p));
	bool kept = r.state == EVAL_CURRENT;
	a->local = (struct alarm_local){ .state = kept ? a->state : states[r.state],
		                             .kept = kept,
		                             .real = r.real,
		                             .breaching = r.breaching,
		                             .value = r.newest,
		                             .at = isnan(r.newest) ? 0 : end - (int64_t)r.age * a->period,
		                             .by_range = r.by_range,
		                             .by_reading = r.by_reading,
		                             .approximate = p->approximate };
}

/* count windows, the newest ending where step `end` begins. minutes: one column, and of an average a second with the sample counts. */
static void make_windows(const struct points *p, double *const column[2], unsigned n, unsigned end, unsigned count,
                         double *out)
{
	struct eval_minutes m = { n, column[0], p->stat == EVAL_AVERAGE ? column[1] : column[0], column[0], column[0] };
	if (p->composed)
		eval_windows(p->stat, &m, end, p->width, count, out);
	else
		for (unsigned i = 0; i < count; i++)
			out[i] = end + i >= count && end + i - count < n ? column[0][end + i - count] : NAN;
}

/* An average of one minute is what it is; of more it wants each minute's samples. */
static bool wants_samples(const struct points *p)
{
	return p->composed && p->stat == EVAL_AVERAGE && p->width > 1;
}

/* ---- out of the rounds' series */

/* The series' slots over [from, to), when a gap in them is CloudWatch's own. */
static bool from_series(struct engine *g, const struct points *p, int64_t from, int64_t to, double *v)
{
	const struct measure *m = inventory_measure_known(g, &p->id, p->step);
	if (!m || wants_samples(p) || m->err || !known_covers(&m->known, from, to))
		return false;
	if (m->series.len && from < m->series.last - (int64_t)(m->series.max - 1) * p->step)
		return false;
	for (int64_t t = from; t < to; t += p->step)
		*v++ = series_at(&m->series, t);
	return true;
}

/* An average of one minute needs no sample counts: its own windows are its points. */
static struct points single(const struct points *p)
{
	struct points q = *p;
	q.composed = p->composed && p->width > 1;
	return q;
}

/* The end of what the rounds have read of its metric, when that is not long ago. */
static int64_t series_end(struct engine *g, const struct points *p, int64_t end)
{
	const struct measure *m = inventory_measure_known(g, &p->id, p->step);
	int64_t to = m && m->known.to ? m->known.to / p->step * p->step : 0;
	return to > end ? end : to < end - LATE ? 0 : to;
}

static void watch(struct engine *g, struct alarm *a)
{
	struct points p;
	if (!points_plan(a, &p)) {
		a->local = (struct alarm_local){ .value = NAN, .why = p.why };
	} else {
		int64_t end = series_end(g, &p, newest_end(a, &p, clock_wall()));
		unsigned n = nwindows(&p) * p.width;
		a->local = (struct alarm_local){ .value = NAN };
		if (end && n <= SERIES_WIDEST) {
			double *v = xcalloc(n, sizeof *v), *windows = xcalloc(nwindows(&p), sizeof *windows);
			struct points q = single(&p);
			if (from_series(g, &p, end - (int64_t)n * p.step, end, v)) {
				make_windows(&q, (double *[2]){ v, NULL }, n, n, nwindows(&p), windows);
				tell(a, &p, windows, end);
			}
			free(v);
			free(windows);
		}
		for (unsigned i = 0; i < g->nstages; i++)
			if (stage_has_metric(g->stages[i], &p.id, a->metric)) {
				a->row = g->stages[i]->id;
				break;
			}
	}
	metric_clear(&p.id);
}

void alarms_watch(struct engine *g)
{
	for (unsigned i = 0; i < g->alarms.n; i++)
		watch(g, &g->alarms.alarms[i]);
}

/* ---- REQUEST_ALARMS */

void alarms_step(struct engine *g, struct task *t)
{
	enum { ASK, READ, WAIT };
	if (t->state == ASK) {
		t->state = READ;
		task_need(g, t, NEED_ALARMS);
		return;
	}
	if (t->state == READ) {
		t->state = WAIT;
		if (g->account_err.code == ERR_OK && g->alarms_err.code == ERR_OK && !g->closing)
			told_begin(g, NULL, CALL_VISIBLE);
	}
	if (told_waiting(g, NULL) && !g->closing)
		return;
	t->result->err = g->account_err.code != ERR_OK ? g->account_err : g->alarms_err;
	t->result->status = snap_build(g);
	t->done = true;
}

/* ---- REQUEST_ALARM */

struct alarm_work {
	struct points p;
	bool planned;
	struct batch *batch;
	int64_t from, end; /* of the columns; end: where the newest window ends */
	unsigned n;        /* steps in a column */
	double *column[2];
	bool reading; /* a poll is under way */
	struct alarm_history_in history_in;
	struct alarm_history_out history;
	uint64_t history_call;
};

static struct alarm *alarm_named(struct engine *g, const char *name)
{
	for (unsigned i = 0; i < g->alarms.n; i++)
		if (strcmp(g->alarms.alarms[i].name, name) == 0)
			return &g->alarms.alarms[i];
	return NULL;
}

static void on_history(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct task *t = ctx;
	struct alarm_work *w = t->work;
	w->history_call = 0;
	t->result->alarm.history_err = *e;
}

static void on_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct alarm_work *w = ((struct task *)ctx)->work;
	int64_t at = t >= w->from ? (t - w->from) / w->p.step : -1;
	if (query < 2 && at >= 0 && at < w->n && isfinite(v))
		w->column[query][at] = v;
}

static void on_points(struct batch *b, const struct err *e)
{
	struct task *t = b->ctx;
	struct alarm_work *w = t->work;
	struct err *why = &t->result->alarm.points_err;
	*why = *e;
	for (unsigned i = 0; i < b->n && why->code == ERR_OK; i++)
		batch_status_err(b, i, why);
	w->reading = false;
}

/* Of an average over more than a minute: the sums and how many samples they are of. */
static void poll_points(struct engine *g, struct task *t, struct alarm_work *w)
{
	struct metric_id id = w->p.id;
	w->batch = batch_new(g, w->p.step);
	if (wants_samples(&w->p)) {
		id.stat = (char[]){ "Sum" };
		batch_add(w->batch, inventory_measure(g, &id, w->p.step, true));
		id.stat = (char[]){ "SampleCount" };
		batch_add(w->batch, inventory_measure(g, &id, w->p.step, true));
	} else {
		batch_add(w->batch, inventory_measure(g, &id, w->p.step, true));
	}
	w->batch->point = on_point;
	w->batch->done = on_points;
	w->batch->ctx = t;
	w->reading = true;
	t->result->alarm.metrics = w->batch->n;
	batch_send(w->batch, w->from, w->end);
}

static void begin_points(struct engine *g, struct task *t, struct alarm_work *w, struct alarm *a)
{
	w->planned = points_plan(a, &w->p);
	if (t->rq.alarm.backtest_from && w->planned) /* the first evaluation looks back */
		t->rq.alarm.points_from = t->rq.alarm.backtest_from - (int64_t)nwindows(&w->p) * a->period;
	int64_t from = t->rq.alarm.points_from;
	if (!w->planned) {
		a->local.why = w->p.why;
		return;
	}
	const struct points *p = &w->p;
	w->end = newest_end(a, p, clock_wall());
	w->from = w->end - (int64_t)nwindows(p) * p->width * p->step;
	if (from && from / p->step * p->step - (int64_t)p->width * p->step < w->from)
		w->from = from / p->step * p->step - (int64_t)p->width * p->step;
	w->n = (unsigned)((w->end - w->from) / p->step);
	for (unsigned i = 0; i < 2; i++) {
		w->column[i] = xcalloc(w->n, sizeof(double));
		for (unsigned k = 0; k < w->n; k++)
			w->column[i][k] = NAN;
	}
	if (!from_series(g, p, w->from, w->end, w->column[0]))
		poll_points(g, t, w);
}

static void begin_history(struct engine *g, struct task *t, struct alarm_work *w)
{
	const struct alarm_request *rq = &t->rq.alarm;
	if (!rq->history_from)
		return;
	w->history_in = (struct alarm_history_in){ .name = rq->name, .from = rq->history_from };
	w->history.most = rq->history_most;
	w->history_call = aws_call(g->aws, &op_describe_alarm_history, &w->history_in, &w->history, on_history, t);
}

/* One window a step, each ending with its step; in the result's memory. */
static struct alarm_line line_of(struct task *t, const struct alarm_work *w)
{
	struct alarm_result *r = &t->result->alarm;
	const struct points *p = &w->p;
	unsigned skip = p->width - 1;
	int64_t from = t->rq.alarm.points_from / p->step * p->step;
	if (!t->rq.alarm.points_from || from < w->from || w->n <= skip)
		return (struct alarm_line){ .n = 0 };
	unsigned first = (unsigned)((from - w->from) / p->step), n = first < w->n ? w->n - first : 0;
	struct points q = single(p);
	double *v = arena_array(&r->mem, n, sizeof *v);
	for (unsigned i = 0; i < n; i++)
		make_windows(&q, w->column, w->n, first + i + 1, 1, &v[i]);
	return (struct alarm_line){ .from = from, .to = w->end, .step = p->step, .n = n, .v = v };
}

/* ---- the back-test */

static void count_point(void *ctx, int64_t t, double v)
{
	(void)t, (void)v;
	++*(unsigned *)ctx;
}

struct first_sight {
	struct alarm_work *w;
	unsigned column, changed;
};

static void was_first(void *ctx, const struct cache_revision *rev)
{
	struct first_sight *s = ctx;
	struct alarm_work *w = s->w;
	int64_t at = rev->t >= w->from ? (rev->t - w->from) / w->p.step : -1;
	if (at < 0 || at >= w->n)
		return;
	s->changed++;
	w->column[s->column][at] = rev->first;
}

/* The columns as the history first had them; what it does not hold stays as it is. */
static void as_seen(struct engine *g, struct task *t, struct alarm_work *w, const struct eval_rule *rule)
{
	struct backtest_result *b = &t->result->alarm.backtest;
	struct err e;
	b->seen_whole = true;
	for (unsigned i = 0; i < w->batch->n; i++) {
		struct first_sight s = { .w = w, .column = i };
		bool whole = true;
		uint32_t id = w->batch->m[i]->cache_id;
		if (!id || !cache_read(g->cache, id, w->from, w->end, count_point, &b->held, &e) ||
		    !cache_read_revisions(g->cache, id, w->from, w->end, was_first, &s, &whole, &e))
			return;
		b->revised += s.changed;
		b->seen_whole = b->seen_whole && whole;
	}
	b->has_seen = b->held > 0;
	if (!b->has_seen)
		return;
	struct alarm_line line = line_of(t, w);
	backtest_seen(t, rule, &line);
}

static void give_backtest(struct engine *g, struct task *t, struct alarm_work *w)
{
	if (!t->rq.alarm.backtest_from || !t->result->alarm.line.n)
		return;
	backtest_final(g, t, &w->p.rule);
	if (g->cache && w->batch)
		as_seen(g, t, w, &w->p.rule);
}

static void give_points(struct task *t, const struct alarm_work *w)
{
	struct alarm_result *r = &t->result->alarm;
	if (!w->planned || !w->n || r->points_err.code != ERR_OK)
		return;
	struct points q = single(&w->p);
	double *windows = arena_array(&r->mem, nwindows(&w->p), sizeof *windows);
	make_windows(&q, w->column, w->n, w->n, nwindows(&w->p), windows);
	tell(&r->alarm, &w->p, windows, w->end);
	r->windows = windows;
	r->nwindows = nwindows(&w->p);
	r->windows_end = w->end;
	r->line = line_of(t, w);
}

static void give_history(struct alarm_result *r, const struct alarm_history_out *h)
{
	struct alarm_moment *moments = arena_array(&r->mem, h->n, sizeof *moments);
	for (unsigned i = 0; i < h->n; i++) {
		moments[i] = h->moments[i];
		moments[i].type = arena_strdup(&r->mem, h->moments[i].type);
		moments[i].summary = arena_strdup(&r->mem, h->moments[i].summary);
		moments[i].reason = arena_strdup(&r->mem, h->moments[i].reason);
		moments[i].points = arena_strdup(&r->mem, h->moments[i].points);
	}
	r->history = moments;
	r->nhistory = h->n;
	r->history_more = h->more;
}

static void give(struct engine *g, struct task *t, struct alarm_work *w)
{
	struct alarm_result *r = &t->result->alarm;
	told_fill(g, &r->mem, &r->alarm);
	give_points(t, w);
	give_history(r, &w->history);
	give_backtest(g, t, w);
	events_moments(g, &r->alarm, r->history, r->nhistory);
	r->at = clock_wall();
	r->read_at = g->alarms_at;
	t->done = true;
}

/* What is known of it now, in the result's own memory. */
static bool begin(struct engine *g, struct task *t)
{
	struct alarm_work *w = t->work = xcalloc(1, sizeof *w);
	struct alarm_result *r = &t->result->alarm;
	struct alarm *a = alarm_named(g, t->rq.alarm.name);
	const struct err *why = g->account_err.code != ERR_OK ? &g->account_err : &g->alarms_err;
	if (!a && why->code != ERR_OK)
		t->result->err = *why;
	else if (!a)
		err_set(&t->result->err, ERR_NOTFOUND, t->rq.alarm.name, "there is no alarm of this name");
	t->done = !a;
	if (!a)
		return false;
	r->alarm = alarm_copy(&r->mem, a);
	if (g->closing || !engine_connect(g)) {
		r->points_err = r->history_err = g->account_err;
		return true;
	}
	begin_history(g, t, w);
	if (t->rq.alarm.history_only)
		return true;
	told_begin(g, a->name, CALL_VISIBLE);
	begin_points(g, t, w, &r->alarm);
	return true;
}

void alarm_step(struct engine *g, struct task *t)
{
	enum { ASK, READ, WAIT };
	struct alarm_work *w;
	if (t->state == ASK) {
		t->state = READ;
		if (!g->alarms_read || clock_wall() - g->alarms_at > RECENT) {
			task_need(g, t, NEED_ALARMS);
			return;
		}
	}
	if (t->state == READ) {
		t->state = WAIT;
		if (!begin(g, t))
			return;
	}
	w = t->work;
	if (!w->reading && !w->history_call && !told_waiting(g, &t->result->alarm.alarm))
		give(g, t, w);
}

void alarm_abandon(struct task *t)
{
	struct alarm_work *w = t->work;
	if (!w)
		return;
	if (w->batch)
		batch_free(w->batch);
	alarm_history_out_clear(&w->history);
	free(w->history_in.page.token);
	free(w->column[0]);
	free(w->column[1]);
	metric_clear(&w->p.id);
	free(w);
}
