/* What the first-loss clocks ask beside what everybody is shown, after the rest of a round, of what may be in trouble alone, because it is
 * paid for by the metric: the iterator age of each shard of a stream whose age has begun to grow, where enhanced monitoring is on; and
 * the age of events that functions were asked to work on later, with how long Lambda keeps these. */
#include "aws/op_async.h"
#include "aws/op_kinesis.h"
#include "core/mem.h"
#include "engine/inside.h"
#include "pipeline/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEASURES_AT_ONCE 100  /* in a request */
#define SHARDS_MOST 16        /* of one stream; as many as the detail asks for (shards.c) */
#define SHARDS_KEPT (15 * 60) /* seconds: a list of shards, and what is configured, serve so long */
#define LATELY (15 * 60)      /* an age as old as that still says that there is trouble */

struct closer { /* of one resource */
	struct shard_age shards[SHARDS_MOST];
	unsigned nshards;
	bool all;              /* these are all of its shards */
	int64_t listed;        /* when they were asked for, monotonic seconds; 0: never */
	struct measure *async; /* NULL: never asked */
	int64_t configured;    /* as of listed: when that was asked */
	bool known;            /* that was answered once */
	double least, most;
};

static struct closer *closer_of(struct res *r)
{
	if (!r->closer)
		r->closer = xcalloc(1, sizeof *r->closer);
	return r->closer;
}

static void forget_shards(struct closer *c)
{
	for (unsigned i = 0; i < c->nshards; i++)
		free(c->shards[i].id);
	c->nshards = 0;
}

void closer_free(struct closer *c)
{
	if (!c)
		return;
	forget_shards(c);
	free(c);
}

const struct shard_age *closer_shards(const struct res *r, unsigned *n, bool *all)
{
	*n = r->closer ? r->closer->nshards : 0;
	*all = r->closer && r->closer->all;
	return r->closer ? r->closer->shards : NULL;
}

const struct measure *closer_async(const struct res *r, double *least, double *most)
{
	*least = *most = NAN;
	if (r->closer && r->closer->known) {
		*least = r->closer->least;
		*most = r->closer->most;
	}
	return r->closer ? r->closer->async : NULL;
}

static bool old(int64_t since)
{
	return !since || mono_s() - since >= SHARDS_KEPT;
}

/* ---- shards */

struct ask_shards {
	struct engine *g;
	char *name;
	struct parts_in in;
	struct found found;
};

static void ask_shard_ages(struct engine *g, struct res *r)
{
	struct measure *m[SHARDS_MOST];
	struct closer *c = r->closer;
	for (unsigned i = 0; i < c->nshards; i++) {
		struct metric_id id = { 0 };
		metric_set(&id, r->kind->info.ns, "IteratorAgeMilliseconds", "Maximum");
		metric_add_dim(&id, "ShardId", c->shards[i].id);
		metric_add_dim(&id, r->kind->info.dimension, r->name);
		m[i] = c->shards[i].m = inventory_measure(g, &id, STEP, true);
		metric_clear(&id);
	}
	poll_more(g, m, c->nshards);
}

static bool closed(const struct found *f, const char *id)
{
	for (unsigned i = 0; i < f->nfacts; i++)
		if (strcmp(f->facts[i].key, "closed") == 0 && strcmp(f->facts[i].res, id) == 0)
			return true;
	return false;
}

/* The open ones first: of a stream that was split often the closed ones are many. */
static void take_shards(struct closer *c, const struct found *f)
{
	forget_shards(c);
	for (unsigned closing = 0; closing < 2; closing++)
		for (unsigned i = 0; i < f->nres && c->nshards < SHARDS_MOST; i++)
			if (closed(f, f->res[i].name) == closing)
				c->shards[c->nshards++] = (struct shard_age){ xstrdup(f->res[i].name), closing, NULL };
	c->all = c->nshards == f->nres;
}

static void on_shards(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask_shards *a = ctx;
	struct engine *g = a->g;
	struct res *r = inventory_res(g, &kind_kinesis, a->name, false);
	if (e->code == ERR_OK && r) {
		take_shards(closer_of(r), &a->found);
		if (!g->closing)
			ask_shard_ages(g, r);
	}
	found_clear(&a->found);
	free(a->in.page.token);
	free(a->name);
	free(a);
	round_arrived(g);
}

static void list_shards(struct engine *g, const struct res *r)
{
	struct ask_shards *a = xcalloc(1, sizeof *a);
	r->closer->listed = mono_s(); /* also when that fails: then its age as a whole bounds it */
	a->g = g;
	a->name = xstrdup(r->name);
	a->in.name = a->name;
	found_init(&a->found);
	round_expect(g);
	aws_call_as(g->aws, CALL_DISCOVERY, r->kind->parts, &a->in, &a->found, on_shards, a);
}

/* Its age has begun to grow, and each shard's can be had. */
static bool wants_shards(const struct stage *s)
{
	const struct fact *enhanced = res_fact(s->res, "enhanced");
	const struct metric_info *age = kind_role(&s->kind->info, ROLE_AGE);
	const struct measure *m = s->m[age - s->kind->info.metrics];
	struct loss_trend t = loss_trend(m ? &m->series : NULL, 0.001, clock_wall());
	return enhanced && strcmp(enhanced->value, "true") == 0 && t.at && clock_wall() - t.at < LATELY &&
	       t.age >= LOSS_RISE;
}

static void look_at_stream(struct engine *g, struct stage *s)
{
	if (!wants_shards(s))
		return;
	if (!old(closer_of(s->res)->listed))
		ask_shard_ages(g, s->res);
	else
		list_shards(g, s->res);
}

/* ---- events that wait */

struct ask_configs {
	struct engine *g;
	char *name;
	struct event_configs_in in;
	struct event_configs_out out;
};

/* Where the function itself has none, its events may last as long as Lambda keeps any. */
static void on_configs(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask_configs *a = ctx;
	struct engine *g = a->g;
	struct res *r = inventory_res(g, &kind_lambda, a->name, false);
	if (e->code == ERR_OK && r) {
		struct closer *c = closer_of(r);
		c->known = true;
		c->least = a->out.n ? (double)a->out.least : EVENT_AGE_DEFAULT;
		c->most = a->out.latest ? (double)a->out.most : EVENT_AGE_DEFAULT;
	}
	free(a->in.page.token);
	free(a->out.page.token);
	free(a->name);
	free(a);
	round_arrived(g);
}

static void ask_configs(struct engine *g, const struct res *r)
{
	struct ask_configs *a = xcalloc(1, sizeof *a);
	r->closer->configured = mono_s();
	a->g = g;
	a->name = xstrdup(r->name);
	a->in.function = a->name;
	round_expect(g);
	aws_call_as(g->aws, CALL_DISCOVERY, &op_list_event_configs, &a->in, &a->out, on_configs, a);
}

/* A function that a mapping invokes gets its events from there. */
static bool mapped(const struct engine *g, const struct res *r)
{
	const struct relations *all = &kind_state_of(g, r->kind)->relations;
	for (unsigned i = 0; i < all->n; i++)
		if (all->v[i].kind == RELATION_MAPPING && r->arn && strcmp(all->v[i].to, r->arn) == 0)
			return true;
	return false;
}

/* Events wait for a function that was refused to run, or that failed and is to try them again; of others nobody pays to hear that none
 * do. Where its metrics were not asked for, nobody knows. */
static bool in_trouble(const struct engine *g, const struct stage *s)
{
	int64_t t;
	double v;
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++) {
		const char *key = s->kind->info.metrics[i].key;
		if (!s->m[i] || (strcmp(key, "errors") != 0 && strcmp(key, "throttles") != 0))
			continue;
		const struct series *points = &s->m[i]->series;
		if (!series_newest(points, &t, &v))
			continue;
		for (int64_t back = 0; back < LATELY; back += points->step)
			if (series_at(points, t - back) > 0)
				return true;
	}
	return !(g->round.needs & NEED_METRICS);
}

static bool wants_async(const struct engine *g, const struct stage *s)
{
	const struct closer *c = s->res->closer;
	bool rests = c && c->async && g->threaded && measure_never_seen(c->async) && mono_s() - c->async->asked < REST;
	return !rests && !mapped(g, s->res) && in_trouble(g, s);
}

static struct measure *async_measure(struct engine *g, struct stage *s)
{
	struct closer *c = closer_of(s->res);
	struct metric_id id = { 0 };
	metric_set(&id, s->kind->info.ns, "AsyncEventAge", "Maximum");
	metric_add_dim(&id, s->kind->info.dimension, s->res->name);
	c->async = inventory_measure(g, &id, STEP, true);
	metric_clear(&id);
	return c->async;
}

unsigned closer_metrics(const struct engine *g, const struct stage *s)
{
	if (!s->res)
		return 0;
	if (s->kind == &kind_lambda)
		return wants_async(g, s);
	if (s->kind != &kind_kinesis || !wants_shards(s))
		return 0;
	return s->res->closer && s->res->closer->listed ? s->res->closer->nshards : SHARDS_MOST;
}

/* ---- a round's: metrics first, then what their answers raise */

static void look_closer(struct engine *g)
{
	struct measure *m[MEASURES_AT_ONCE];
	unsigned n = 0;
	discover_relate(g);
	for (unsigned i = 0; i < g->nstages && !g->closing; i++) {
		struct stage *s = g->stages[i];
		if (!s->res || turns_of(g, s) != SCHED_WHOLE)
			continue;
		if (s->kind == &kind_kinesis)
			look_at_stream(g, s);
		else if (s->kind == &kind_lambda && wants_async(g, s))
			m[n++] = async_measure(g, s);
		if (n == MEASURES_AT_ONCE) {
			poll_more(g, m, n);
			n = 0;
		}
	}
	poll_more(g, m, n);
}

static void look_again(struct engine *g)
{
	for (unsigned i = 0; i < g->nres && !g->closing; i++) {
		const struct closer *c = g->res[i]->closer;
		if (c && c->async && c->async->series.len && old(c->configured))
			ask_configs(g, g->res[i]);
	}
}

void closer_step(struct engine *g)
{
	struct round *r = &g->round;
	if (!r->metrics_begun || !(r->needs & (NEED_METRICS | NEED_CLOCKS)))
		return;
	while (r->pending == 0 && r->closer < 2)
		(r->closer++ ? look_again : look_closer)(g);
}
