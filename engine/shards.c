/* REQUEST_SHARDS: what a stream consists of, when somebody looks at it, and, where enhanced monitoring is on, what each of the first
 * open shards does. That is paid for by the metric: only while it is looked at, and of a few shards. */
#include "core/mem.h"
#include "engine/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEASURED_MOST 16  /* shards */
#define REACH (10 * STEP) /* the newest point may be so old */

enum { ASK, WAIT_LIST, WAIT_POINTS, FINISH };
enum { QUERY_IN, QUERY_OUT, QUERY_AGE, QUERIES };

struct shards_work {
	struct engine *g;
	struct task *t;
	const struct kind *kind;
	const char *name;
	bool enhanced;
	struct parts_in in;
	struct found found;
	struct batch *batch;
};

static void finish(struct task *t, const struct err *e)
{
	if (e)
		t->result->err = *e;
	t->state = FINISH;
	t->done = true;
}

/* A shard's facts stand together, in the order of the shards: one walk over both. */
static void give_shards(struct shards_result *r, const struct found *f)
{
	unsigned at = 0;
	arena_init(&r->mem);
	r->v = arena_array(&r->mem, f->nres, sizeof *r->v);
	r->n = f->nres;
	for (unsigned i = 0; i < f->nres; i++) {
		struct shard *s = &r->v[i];
		*s = (struct shard){
			.id = arena_strdup(&r->mem, f->res[i].name), .from = NAN, .to = NAN, .in = NAN, .out = NAN, .age = NAN
		};
		for (; at < f->nfacts && strcmp(f->facts[at].res, f->res[i].name) == 0; at++) {
			const struct found_fact *fact = &f->facts[at];
			if (strcmp(fact->key, "parent") == 0)
				s->parent = arena_strdup(&r->mem, fact->value);
			else if (strcmp(fact->key, "closed") == 0)
				s->closed = true;
			else
				*(strcmp(fact->key, "from") == 0 ? &s->from : &s->to) = strtod(fact->value, NULL);
		}
	}
}

/* ---- the points */

static void on_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct shards_work *w = ctx;
	struct shard *s = w->t->result->shards.measured[query / QUERIES];
	double *to = query % QUERIES == QUERY_IN ? &s->in : query % QUERIES == QUERY_OUT ? &s->out : &s->age;
	if (t < s->at[query % QUERIES])
		return;
	s->at[query % QUERIES] = t;
	*to = query % QUERIES == QUERY_AGE ? v / 1000 : v / STEP;
}

static void on_points(struct batch *b, const struct err *e)
{
	struct shards_work *w = b->ctx;
	w->t->result->shards.metrics_err = *e;
	for (unsigned i = 0; i < b->n && w->t->result->shards.metrics_err.code == ERR_OK; i++)
		batch_status_err(b, i, &w->t->result->shards.metrics_err);
	finish(w->t, NULL);
}

static bool add_query(struct shards_work *w, const struct shard *s, const char *metric, const char *stat)
{
	struct metric_id id = { 0 };
	metric_set(&id, w->kind->info.ns, metric, stat);
	metric_add_dim(&id, "ShardId", s->id);
	metric_add_dim(&id, w->kind->info.dimension, w->name);
	bool ok = batch_add(w->batch, inventory_measure(w->g, &id, STEP, true));
	metric_clear(&id);
	return ok;
}

/* False: there is nothing to ask. */
static bool ask_points(struct shards_work *w)
{
	struct shards_result *r = &w->t->result->shards;
	r->enhanced = w->enhanced;
	if (!r->enhanced)
		return false;
	r->measured = arena_array(&r->mem, MEASURED_MOST, sizeof *r->measured);
	w->batch = batch_new(w->g, STEP);
	for (unsigned i = 0; i < r->n && r->nmeasured < MEASURED_MOST; i++) {
		struct shard *s = &r->v[i];
		if (s->closed)
			continue;
		if (!add_query(w, s, "IncomingRecords", "Sum") || !add_query(w, s, "OutgoingRecords", "Sum") ||
		    !add_query(w, s, "IteratorAgeMilliseconds", "Maximum"))
			break;
		r->measured[r->nmeasured++] = s;
	}
	if (!r->nmeasured)
		return false;
	w->batch->point = on_point;
	w->batch->done = on_points;
	w->batch->ctx = w;
	w->t->state = WAIT_POINTS;
	int64_t now = clock_wall() / STEP * STEP;
	batch_send(w->batch, now - REACH, now);
	return true;
}

/* ---- the list */

static void on_list(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct shards_work *w = ctx;
	(void)op, (void)in, (void)out;
	if (e->code != ERR_OK) {
		finish(w->t, e);
		return;
	}
	give_shards(&w->t->result->shards, &w->found);
	if (!ask_points(w))
		finish(w->t, NULL);
}

static const struct stage *stage_of(const struct engine *g, uint64_t row)
{
	for (unsigned i = 0; i < g->nstages; i++)
		if (g->stages[i]->id == row)
			return g->stages[i];
	return NULL;
}

void shards_step(struct engine *g, struct task *t)
{
	struct err e = { 0 };
	const struct stage *s = stage_of(g, t->rq.shards.row);
	if (t->state != ASK)
		return;
	if (!s || !s->kind->parts) {
		err_set(&e, s ? ERR_USAGE : ERR_NOTFOUND, "shards", s ? "it has no parts to list" : "it is gone");
		finish(t, &e);
		return;
	}
	if (!engine_connect(g)) {
		finish(t, &g->account_err);
		return;
	}
	struct shards_work *w = t->work = xcalloc(1, sizeof *w);
	const struct fact *enhanced = s->res ? res_fact(s->res, "enhanced") : NULL;
	*w = (struct shards_work){ .g = g, .t = t, .kind = s->kind, .name = arena_strdup(&t->mem, s->resource) };
	w->enhanced = enhanced && strcmp(enhanced->value, "true") == 0;
	w->in.name = w->name;
	found_init(&w->found);
	t->state = WAIT_LIST;
	aws_call(g->aws, s->kind->parts, &w->in, &w->found, on_list, w);
}

void shards_abandon(struct task *t)
{
	struct shards_work *w = t->work;
	if (!w)
		return;
	free(w->in.page.token);
	found_clear(&w->found);
	if (w->batch)
		batch_free(w->batch);
	free(w);
}
