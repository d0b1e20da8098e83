/* REQUEST_HISTORY: the points of one metric, gap for gap, from the history file, the live series and, for what these lack, one
 * poll. A derived metric is computed point by point from its two operands. What is old is coarser: the range falls into up to
 * three parts, each with the step it is to be had at, from CloudWatch or, where that is not asked, from the file. */
#include "engine/history.h"
#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HINT_METRICS 3

enum { RESOLVE, READ, POLL, WAIT_POLL, WAIT_HINT, FINISH };

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

/* NAMESPACE/NAME...: a kind's keys and the roles hold no slash. */
static bool full_text(const struct history_request *rq)
{
	return strchr(rq->metric, '/') != NULL || (!rq->row && !rq->resource);
}

static void operand(struct work *w, const struct stage *s, const char *key, unsigned i)
{
	const struct kind_info *k = &s->kind->info;
	for (unsigned j = 0; j < k->nmetrics; j++) {
		if (strcmp(k->metrics[j].key, key) != 0)
			continue;
		w->m[i] = s->m[j];
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
	w->m[1] = inventory_measure(w->g, &id, STEP, true);
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
		w->m[0] = own;
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
	w->m[0] = inventory_measure(w->g, &id, STEP, false);
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

/* Asks once for what resolving may need: who we are (the history's key) and, for a name, what exists. */
static bool ask_more(struct work *w, unsigned needs)
{
	if (w->asked_more || !history_online(w) || !needs)
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
	if (e_direct && history_online(w))
		w->direct_err = *e_direct;
	return true;
}

/* These three return false while they wait, or when the task has ended. */
static bool resolve(struct work *w)
{
	return full_text(&w->t->rq.history) ? resolve_by_text(w) : resolve_by_name(w);
}

/* ---- the poll */

static struct part *polled_part(struct work *w)
{
	return &w->parts[w->nparts - 1 - w->polling];
}

/* The end of the last period whose point does not change any more; a service's own reading is as it is. */
static int64_t settled(const struct work *w, const struct measure *m, int64_t step)
{
	return (clock_wall() - (m->id.ns ? late_delay(&w->g->late, m->id.ns) : 0)) / step * step;
}

/* `old` is NAN when there was none, and where only a roll-up was: it equals nothing. */
static void keep_point(struct work *w, const struct measure *m, int64_t t, double v, double old)
{
	if (!w->g->cache || !m->cache_id || old == v)
		return;
	if (!isnan(old))
		cache_revise(w->g->cache, m->cache_id, t, old, 0, clock_wall());
	cache_add(w->g->cache, m->cache_id, t, v);
}

static void polled_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct work *w = ctx;
	struct part *p = polled_part(w);
	unsigned i = query + w->first;
	if (i >= w->nm || !isfinite(v) || t < p->from || t >= p->to)
		return;
	struct measure *m = p->m[i];
	t -= t % p->step;
	int64_t k = (t - p->from) / p->step;
	keep_point(w, m, t, v, p->held[i][k] ? NAN : p->v[i][k]);
	p->v[i][k] = v;
	p->held[i][k] = 0;
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
	for (unsigned part = 0; part < w->nparts; part++)
		for (unsigned i = 0; i < w->nm; i++)
			for (unsigned k = 0; k < w->parts[part].n; k++)
				if (!isnan(w->parts[part].v[i][k]))
					return true;
	return false;
}

/* The period that is still filling is nobody's last word: it is not asked for, and so not kept. */
static int64_t poll_end(const struct part *p)
{
	int64_t full = clock_wall() / p->step * p->step;
	return p->to < full ? p->to : full;
}

static void ask_for_hint(struct work *w)
{
	if (any_value(w) || w->t->rq.history.row || w->g->closing)
		return;
	w->list_in = (struct list_metrics_in){ .ns = w->m[w->first]->id.ns, .name = w->m[w->first]->id.name };
	w->call = aws_call(w->g->aws, &op_list_metrics, &w->list_in, &w->list_out, list_done, w);
	w->t->state = WAIT_HINT;
}

/* What could not be asked is shown as the file has it, which may be on another grid. */
static void fall_back(struct work *w)
{
	if (w->by_file || !history_in_file(w))
		return;
	w->by_file = true;
	w->t->state = READ;
}

static void poll_done(struct batch *b, const struct err *e)
{
	struct work *w = b->ctx;
	w->poll_err = *e;
	for (unsigned i = 0; i < b->n && w->poll_err.code == ERR_OK; i++)
		batch_status_err(b, i, &w->poll_err);
	bool ok = w->poll_err.code == ERR_OK;
	for (unsigned i = w->first; i < w->nm && ok; i++) {
		struct measure *m = polled_part(w)->m[i];
		int64_t to = settled(w, m, m->series.step);
		known_add(&m->known, b->in.start, to < b->in.end ? to : b->in.end);
	}
	w->polling++;
	w->polled = ok && w->polling == w->nparts;
	w->t->state = !ok || w->polled ? FINISH : POLL;
	if (w->polled)
		ask_for_hint(w);
	else if (!ok)
		fall_back(w);
}

/* The console asks again and again for what the rounds keep up to date; only what is older than they reach costs a poll. */
static bool wants_poll(const struct work *w)
{
	const struct part *oldest = &w->parts[0];
	if (!history_online(w) || w->poll_err.code != ERR_OK || w->first == w->nm || poll_end(oldest) <= oldest->from)
		return false;
	if (!w->t->rq.history.row)
		return engine_connect(w->g);
	for (unsigned i = w->first; i < w->nm; i++)
		if (!known_covers(&oldest->m[i]->known, oldest->from, oldest->from))
			return engine_connect(w->g);
	return false;
}

/* The newest part first. One that has no full period yet is passed over. */
static void begin_poll(struct work *w)
{
	while (w->polling + 1 < w->nparts && poll_end(polled_part(w)) <= polled_part(w)->from)
		w->polling++;
	struct part *p = polled_part(w);
	p->batch = batch_new(w->g, p->step);
	for (unsigned i = w->first; i < w->nm; i++)
		batch_add(p->batch, p->m[i]);
	p->batch->point = polled_point;
	p->batch->done = poll_done;
	p->batch->ctx = w;
	w->t->state = WAIT_POLL;
	batch_send(p->batch, p->from, poll_end(p));
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
	const struct part *oldest = &w->parts[0];
	for (unsigned i = 0; i < w->nm; i++) {
		const struct measure *m = oldest->m[i];
		if (m->err || (m->id.ns ? !known_covers(&m->known, oldest->from, oldest->from) : !m->known.read_at))
			return false;
	}
	return true;
}

/* Asked up to now, the slots of periods that are still filling, or whose points are not due yet, are no gaps: they are left out
 * unless something is in them. */
static void drop_filling(struct work *w)
{
	struct part *p = &w->parts[w->nparts - 1];
	int64_t due = settled(w, w->m[0], p->step);
	while (!w->t->rq.history.to && p->n > 1 && p->to > due && isnan(p->v[0][p->n - 1])) {
		p->n--;
		p->to -= p->step;
	}
}

static void give(struct work *w)
{
	struct history_result *r = &w->t->result->history;
	history_join(w);
	drop_filling(w);
	history_give(w, r);
	r->info = w->info;
	r->info.key = xstrdup(w->t->rq.history.metric);
	r->metric = metric_words(w);
	r->hint = hint_words(w);
	r->note = store_trouble(w->g);
	r->polled = w->polled || covered(w);
	r->poll_error = w->g->account_err.code != ERR_OK && !w->t->rq.history.offline ? w->g->account_err : w->poll_err;
	if (w->direct_err.code != ERR_OK && !r->polled)
		r->poll_error = w->direct_err;
	if (w->g->cache && w->polled)
		cache_commit(w->g->cache, NULL);
	finish(w->t);
}

static bool range(struct work *w)
{
	const struct history_request *rq = &w->t->rq.history;
	struct err e;
	w->from = rq->from;
	w->to = rq->to ? rq->to : clock_wall() + 1;
	if (w->from > 0 && w->to > w->from)
		return true;
	err_set(&e, ERR_USAGE, "history", "this range holds no time");
	fail(w->t, &e);
	return false;
}

void history_step(struct engine *g, struct task *t)
{
	struct work *w = t->work;
	if (!w) {
		w = t->work = xcalloc(1, sizeof *w);
		w->g = g;
		w->t = t;
		if (!range(w))
			return;
	}
	if (t->state == RESOLVE) {
		if (!resolve(w))
			return;
		t->state = READ;
	}
	if (t->state == READ) {
		struct err e = { 0 };
		if (!history_read(w, &e)) {
			fail(t, &e);
			return;
		}
		t->state = wants_poll(w) ? POLL : FINISH;
	}
	if (t->state == POLL)
		begin_poll(w);
	if (t->state == FINISH && !t->done)
		give(w);
}

void history_abandon(struct task *t)
{
	struct work *w = t->work;
	if (!w)
		return;
	history_clear(w);
	free(w->list_in.page.token);
	list_metrics_out_clear(&w->list_out);
	free(w);
}
