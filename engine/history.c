/* REQUEST_HISTORY: the points of one metric, gap for gap, from the history file, the live series and, for what these lack, one
 * poll. A derived metric is computed point by point from its two operands. */
#include "core/mem.h"
#include "engine/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_POINTS 1000000
#define DAY 86400
#define HINT_METRICS 3

enum { RESOLVE, READ, WAIT_POLL, WAIT_HINT, FINISH };

/* What is known about one request between its steps. Measures live as long as the engine; stages do not. */
struct work {
	struct engine *g;
	struct task *t;
	struct metric_info info;
	struct measure *m[2];
	unsigned nm, first; /* from `first` on they are CloudWatch's: a direct reading's own points stand before its past */
	bool sparse[2];
	int64_t from, to;
	uint32_t step;
	unsigned n;
	double *v[2];
	struct batch *batch;
	struct err poll_err, direct_err; /* direct: why the service itself could not be asked */
	struct err list_err;             /* why no hint could be had */
	bool asked_more, polled, listed;
	struct list_metrics_in list_in;
	struct list_metrics_out list_out;
	uint64_t call;
};

static void finish(struct task *t)
{
	t->state = FINISH;
	t->done = true;
}

static void fail(struct task *t, const struct err *e)
{
	t->result->err = *e;
	finish(t);
}

/* ---- which series */

/* CloudWatch keeps one-minute points 15 days, five-minute ones 63, hourly ones 455 (aws-facts 4.4). */
static uint32_t step_for(int64_t from)
{
	int64_t age = clock_wall() - from;
	return age < 15 * DAY ? STEP : age < 63 * DAY ? 300 : 3600;
}

/* NAMESPACE/NAME...: a kind's keys and the roles hold no slash. */
static bool full_text(const struct history_request *rq)
{
	return strchr(rq->metric, '/') != NULL || (!rq->row && !rq->resource);
}

static struct measure *at_step(struct engine *g, struct measure *m, uint32_t step)
{
	return !m || step == STEP || !m->id.ns ? m : inventory_measure(g, &m->id, step, m->sparse);
}

static void operand(struct work *w, const struct stage *s, const char *key, unsigned i)
{
	const struct kind_info *k = &s->kind->info;
	for (unsigned j = 0; j < k->nmetrics; j++) {
		if (strcmp(k->metrics[j].key, key) != 0)
			continue;
		w->m[i] = at_step(w->g, s->m[j], w->step);
		w->sparse[i] = k->metrics[j].sparse;
	}
}

/* CloudWatch kept what the service says only of now: older points come from there, and never instead of a reading. */
static void add_past(struct work *w, const struct stage *s, const struct metric_info *info)
{
	struct metric_id id = { 0 };
	w->first = 1;
	if (!info->name)
		return;
	metric_set(&id, s->kind->info.ns, info->name, info->stat);
	metric_add_dim(&id, s->kind->info.dimension, s->resource);
	w->m[1] = inventory_measure(w->g, &id, w->step, true);
	w->nm = 2;
	metric_clear(&id);
}

static bool resolve_stage(struct work *w, const struct stage *s, struct err *e)
{
	struct measure *own;
	const char *key = w->t->rq.history.metric;
	const struct metric_info *info = stage_metric(s, key, &own);
	if (!info)
		return err_set(e, ERR_USAGE, key, "%s has no metric of this name; `status --format json` lists them",
		               s->kind->info.title);
	w->info = *info;
	if (own)
		w->m[0] = at_step(w->g, own, w->step);
	else if (info->a)
		operand(w, s, info->a, 0);
	else
		operand(w, s, info->key, 0);
	if (info->b)
		operand(w, s, info->b, 1);
	w->nm = info->b ? 2 : 1;
	if (info->from == FROM_DIRECT)
		add_past(w, s, info);
	return true;
}

static bool resolve_text(struct work *w, struct err *e)
{
	struct metric_id id = { 0 };
	if (!metric_parse(&id, w->t->rq.history.metric, e)) {
		if (e)
			e->code = ERR_USAGE;
		return false;
	}
	w->m[0] = inventory_measure(w->g, &id, w->step, false);
	w->nm = 1;
	w->info = (struct metric_info){ .title = "", .from = FROM_CLOUDWATCH };
	metric_clear(&id);
	return true;
}

static struct stage *find_stage(struct work *w, struct err *e)
{
	const struct history_request *rq = &w->t->rq.history;
	for (unsigned i = 0; rq->row && i < w->g->nstages; i++)
		if (w->g->stages[i]->id == rq->row)
			return w->g->stages[i];
	if (rq->row || !rq->resource) {
		err_set(e, ERR_NOTFOUND, rq->metric, "it is gone");
		return NULL;
	}
	return inventory_stage(w->g, rq->resource, e);
}

static bool online(const struct work *w)
{
	return !w->t->rq.history.offline && w->g->account_err.code == ERR_OK && !w->g->closing;
}

/* Asks once for what resolving may need: who we are (the history's key) and, for a name, what exists. */
static bool ask_more(struct work *w, unsigned needs)
{
	if (w->asked_more || !online(w) || !needs)
		return false;
	w->asked_more = true;
	task_need(w->g, w->t, needs);
	return true;
}

/* Who we are is the history's key; without a history nobody needs to know. */
static unsigned who(const struct work *w)
{
	return w->g->target.account[0] || !w->g->cache ? 0 : NEED_IDENTITY;
}

/* Not found because it could not be looked for. */
static const struct err *unlisted(const struct engine *g)
{
	if (g->account_err.code != ERR_OK)
		return &g->account_err;
	for (unsigned i = 0; i < nkinds; i++)
		if (g->kind_state[i].list.code != ERR_OK)
			return &g->kind_state[i].list;
	return NULL;
}

static bool ended(struct work *w, const struct err *e)
{
	const struct err *why = e->code == ERR_NOTFOUND && !w->t->rq.history.offline ? unlisted(w->g) : NULL;
	fail(w->t, why ? why : e);
	return false;
}

static bool resolve_by_text(struct work *w)
{
	struct err e = { 0 };
	if (ask_more(w, who(w)))
		return false;
	return resolve_text(w, &e) || ended(w, &e);
}

static bool resolve_by_name(struct work *w)
{
	struct err e = { 0 };
	const struct history_request *rq = &w->t->rq.history;
	struct stage *s = find_stage(w, &e);
	if (!s && e.code == ERR_NOTFOUND && !rq->row) {
		if (ask_more(w, who(w) | NEED_LIST | NEED_DESCRIBE))
			return false;
		s = rq->resource ? inventory_adhoc(w->g, rq->resource) : NULL;
	}
	if (!s || !resolve_stage(w, s, &e))
		return ended(w, &e);
	if (rq->row)
		return true;
	/* A direct reading's newest point comes from the service itself. */
	unsigned direct = w->info.from == FROM_DIRECT ? NEED_LIST | NEED_DESCRIBE | kind_bit(s->kind) : 0;
	if (direct)
		w->g->describe_only = s->resource;
	if (ask_more(w, who(w) | direct))
		return false;
	w->g->describe_only = NULL;
	const struct err *e_direct = direct ? stage_err(w->g, s, &w->info, NULL) : NULL;
	if (e_direct && online(w))
		w->direct_err = *e_direct;
	return true;
}

/* These three return false while they wait, or when the task has ended. */
static bool resolve(struct work *w)
{
	return full_text(&w->t->rq.history) ? resolve_by_text(w) : resolve_by_name(w);
}

/* ---- what is known */

static void put(struct work *w, unsigned i, int64_t t, double v)
{
	if (t < w->from || t >= w->to)
		return;
	w->v[i][(t - w->from) / w->step] = v;
}

struct into {
	struct work *w;
	unsigned i;
};

static void cached_point(void *ctx, int64_t t, double v)
{
	struct into *to = ctx;
	put(to->w, to->i, t, v);
}

static bool grid(struct work *w)
{
	const struct history_request *rq = &w->t->rq.history;
	int64_t to = rq->to ? rq->to : clock_wall() + 1;
	w->step = rq->offline ? STEP : step_for(rq->from);
	w->from = rq->from / w->step * w->step;
	w->to = (to + w->step - 1) / w->step * w->step;
	struct err e;
	if (w->from > 0 && w->to > w->from && (w->to - w->from) / w->step <= MOST_POINTS) {
		w->n = (unsigned)((w->to - w->from) / w->step);
		return true;
	}
	err_set(&e, ERR_USAGE, "history", "this range holds no time, or more than %d points", MOST_POINTS);
	fail(w->t, &e);
	return false;
}

static void read_known(struct work *w)
{
	for (unsigned i = 0; i < w->nm; i++) {
		struct measure *m = w->m[i];
		struct into to = { w, i };
		w->v[i] = xreallocarray(NULL, w->n, sizeof(double));
		for (unsigned k = 0; k < w->n; k++)
			w->v[i][k] = NAN;
		if (w->g->cache && m->cache_id)
			cache_read(w->g->cache, m->cache_id, w->from, w->to, cached_point, &to, NULL);
		for (unsigned k = 0; k < m->series.len; k++) {
			int64_t t = m->series.last - (int64_t)k * m->series.step;
			double v = series_at(&m->series, t);
			if (!isnan(v))
				put(w, i, t, v);
		}
	}
}

/* ---- the poll */

static void polled_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct work *w = ctx;
	unsigned i = query + w->first;
	if (i >= w->nm || !isfinite(v) || t < w->from || t >= w->to)
		return;
	struct measure *m = w->m[i];
	t -= t % w->step;
	double *at = &w->v[i][(t - w->from) / w->step];
	if (w->g->cache && m->cache_id && !(*at == v)) /* also when there was none: NAN equals nothing */
		cache_add(w->g->cache, m->cache_id, t, v);
	*at = v;
}

static void list_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct work *w = ctx;
	w->call = 0;
	w->listed = e->code == ERR_OK;
	w->list_err = *e;
	w->t->state = FINISH;
}

static bool any_value(const struct work *w)
{
	for (unsigned i = 0; i < w->nm; i++)
		for (unsigned k = 0; k < w->n; k++)
			if (!isnan(w->v[i][k]))
				return true;
	return false;
}

static void poll_done(struct batch *b, const struct err *e)
{
	struct work *w = b->ctx;
	w->poll_err = *e;
	for (unsigned i = 0; i < b->n && w->poll_err.code == ERR_OK; i++)
		batch_status_err(b, i, &w->poll_err);
	w->polled = w->poll_err.code == ERR_OK;
	for (unsigned i = w->first; i < w->nm && w->polled; i++)
		known_add(&w->m[i]->known, b->in.start, b->in.end);
	w->t->state = FINISH;
	if (w->polled && !any_value(w) && !w->t->rq.history.row && !w->g->closing) {
		w->list_in = (struct list_metrics_in){ .ns = w->m[w->first]->id.ns, .name = w->m[w->first]->id.name };
		w->call = aws_call(w->g->aws, &op_list_metrics, &w->list_in, &w->list_out, list_done, w);
		w->t->state = WAIT_HINT;
	}
}

/* The period that is still filling is nobody's last word: it is not asked for, and so not kept. */
static int64_t poll_end(const struct work *w)
{
	int64_t full = clock_wall() / w->step * w->step;
	return w->to < full ? w->to : full;
}

/* The console asks again and again for what the rounds keep up to date; only what is older than they reach costs a poll. */
static bool wants_poll(const struct work *w)
{
	if (!online(w) || w->first == w->nm || poll_end(w) <= w->from)
		return false;
	if (!w->t->rq.history.row)
		return engine_connect(w->g);
	for (unsigned i = w->first; i < w->nm; i++)
		if (!known_covers(&w->m[i]->known, w->from, w->from))
			return engine_connect(w->g);
	return false;
}

static void begin_poll(struct work *w)
{
	w->batch = batch_new(w->g, w->step);
	for (unsigned i = w->first; i < w->nm; i++)
		batch_add(w->batch, w->m[i]);
	w->batch->point = polled_point;
	w->batch->done = poll_done;
	w->batch->ctx = w;
	w->t->state = WAIT_POLL;
	batch_send(w->batch, w->from, poll_end(w));
}

/* ---- the result */

static char *metric_words(const struct work *w)
{
	if (w->nm == 1 || w->first)
		return xstrdup(w->m[0]->text);
	return w->info.from == FROM_RATIO ? xasprintf("100 * %s / %s", w->m[0]->text, w->m[1]->text)
	                                  : xasprintf("%s - %s", w->m[0]->text, w->m[1]->text);
}

/* CloudWatch finds nothing unless the dimensions match exactly: say which ones it has. */
static char *hint_words(const struct work *w)
{
	if (any_value(w))
		return NULL;
	if (w->list_err.code == ERR_DENIED) /* whatever else went wrong, the series is as empty without a hint */
		return xasprintf("whether CloudWatch knows this metric could not be asked: allow %s", w->list_err.action);
	if (!w->listed)
		return NULL;
	if (w->list_out.n == 0)
		return xstrdup(
		    "CloudWatch lists no metric of this namespace and name (one silent for two weeks is not listed)");
	struct buf b;
	buf_init(&b, 4096);
	buf_adds(&b, "CloudWatch lists this metric as ");
	for (unsigned i = 0; i < w->list_out.n && i < HINT_METRICS; i++) {
		buf_adds(&b, i ? ", " : "");
		metric_text(&w->list_out.metrics[i], &b);
	}
	if (w->list_out.n > HINT_METRICS)
		buf_addf(&b, " and %u more", w->list_out.n - HINT_METRICS);
	return buf_steal(&b);
}

/* The rounds have asked for all of it already. */
static bool covered(const struct work *w)
{
	for (unsigned i = 0; i < w->nm; i++)
		if (w->m[i]->err.code != ERR_OK ||
		    (w->m[i]->id.ns ? !known_covers(&w->m[i]->known, w->from, w->from) : !w->m[i]->known.read_at))
			return false;
	return true;
}

static bool zero_at(const struct work *w, unsigned i, unsigned k)
{
	int64_t t = w->from + (int64_t)k * w->step;
	return w->sparse[i] && known_covers(&w->m[i]->known, t, t + w->step);
}

/* Asked up to now, the slot of the period that is still filling is no gap: it is left out unless something is in it. */
static void drop_filling(struct work *w)
{
	if (w->t->rq.history.to || w->n < 2 || !isnan(w->v[0][w->n - 1]))
		return;
	w->n--;
	w->to -= w->step;
}

static void give(struct work *w)
{
	struct history_result *r = &w->t->result->history;
	for (unsigned k = 0; w->nm == 2 && w->first && k < w->n; k++)
		w->v[0][k] = isnan(w->v[0][k]) ? w->v[1][k] : w->v[0][k];
	for (unsigned k = 0; w->nm == 2 && !w->first && k < w->n; k++)
		w->v[0][k] = derive(&w->info, w->v[0][k], w->v[1][k], zero_at(w, 0, k), zero_at(w, 1, k));
	drop_filling(w);
	r->info = w->info;
	r->info.key = xstrdup(w->t->rq.history.metric);
	r->metric = metric_words(w);
	r->step = w->step;
	r->from = w->from;
	r->to = w->to;
	r->n = w->n;
	r->hint = hint_words(w);
	r->note = store_trouble(w->g);
	r->v = w->v[0];
	w->v[0] = NULL;
	r->polled = w->polled || covered(w);
	r->poll_error = w->g->account_err.code != ERR_OK && !w->t->rq.history.offline ? w->g->account_err : w->poll_err;
	if (w->direct_err.code != ERR_OK && !r->polled)
		r->poll_error = w->direct_err;
	if (w->g->cache && w->polled)
		cache_commit(w->g->cache, NULL);
	finish(w->t);
}

void history_step(struct engine *g, struct task *t)
{
	struct work *w = t->work;
	if (!w) {
		w = t->work = xcalloc(1, sizeof *w);
		w->g = g;
		w->t = t;
		if (!grid(w))
			return;
	}
	if (t->state == RESOLVE) {
		if (!resolve(w))
			return;
		t->state = READ;
	}
	if (t->state == READ) {
		read_known(w);
		t->state = FINISH;
		if (wants_poll(w))
			begin_poll(w);
	}
	if (t->state == FINISH && !t->done)
		give(w);
}

void history_abandon(struct task *t)
{
	struct work *w = t->work;
	if (!w)
		return;
	if (w->batch)
		batch_free(w->batch);
	free(w->v[0]);
	free(w->v[1]);
	free(w->list_in.page.token);
	list_metrics_out_clear(&w->list_out);
	free(w);
}
