/* The first contact with an account: nothing is configured and nothing is remembered of it. What exists is discovered with calls that
 * cost nothing, and no metric is asked for before somebody has said what to watch. The choice is saved as `discover --write` saves;
 * the engine then goes on with the configuration as it is now. */
#include "core/conf_write.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define EVERYTHING "\n[watch]\neverything = yes\n"

void first_begin(struct engine *g)
{
	if (!g->o.demo && g->conf->npipelines == 0 && !g->conf->watch_everything && g->nres == 0)
		g->first = FIRST_LOOKING;
}

static void over(struct engine *g)
{
	g->first = FIRST_OVER;
	g->next_poll_ms = g->next_discovery_ms = clock_mono_ms();
	g->dirty = true;
}

/* The account's number may have come only now, and with it what was known of it. */
void first_step(struct engine *g)
{
	bool listed = false;
	for (unsigned i = 0; i < nkinds; i++)
		listed = listed || g->kind_state[i].listed;
	if (g->first != FIRST_LOOKING || !listed)
		return;
	if (store_remembers(g))
		over(g);
	else
		g->first = FIRST_ASKING;
}

/* ---- what a choice would cost */

struct estimate {
	struct sched_row *row, **rows;
	unsigned n, metrics;
};

static void estimate_add(struct estimate *e, const struct kind *k)
{
	unsigned n = 0;
	for (unsigned i = 0; i < k->info.nmetrics; i++)
		n += k->info.metrics[i].from == FROM_CLOUDWATCH;
	e->row[e->n++] = (struct sched_row){ .metrics = n, .asked = 0 };
	e->metrics += n;
}

static struct first_cost estimate_end(struct engine *g, struct estimate *e)
{
	struct sched s = { .now = 1, .poll = g->o.poll_s, .rest = g->conf->poll_rest, .day_left = SCHED_DAY };
	s.budget = g->conf->budget_usd_per_day / USD_PER_METRIC;
	e->rows = xcalloc(e->n + 1u, sizeof *e->rows);
	for (unsigned i = 0; i < e->n; i++)
		e->rows[i] = &e->row[i];
	sched_plan(&s, e->rows, e->n);
	struct first_cost c = { .resources = e->n,
		                    .metrics = e->metrics,
		                    .usd_per_day = s.per_day * USD_PER_METRIC,
		                    .fill_usd = e->metrics * USD_PER_METRIC,
		                    .every = e->n ? e->row[0].every : g->conf->poll_rest,
		                    .slowed = s.slowed > 0 };
	free(e->row);
	free(e->rows);
	return c;
}

static struct estimate estimate_new(unsigned most)
{
	return (struct estimate){ .row = xcalloc(most + 1u, sizeof(struct sched_row)) };
}

static struct first_cost cost_of_graph(struct engine *g, const struct flow_graph *f, const struct flow_pipeline *p)
{
	struct estimate e = estimate_new(p->n);
	for (uint32_t i = p->first; i < p->first + p->n; i++)
		if (f->nodes[i].listed && kind_find(f->nodes[i].kind))
			estimate_add(&e, kind_find(f->nodes[i].kind));
	return estimate_end(g, &e);
}

static struct first_cost cost_of_group(struct engine *g, const struct group *p)
{
	struct estimate e = estimate_new(p->n);
	for (unsigned i = 0; i < p->n; i++)
		estimate_add(&e, p->v[i].kind);
	return estimate_end(g, &e);
}

static struct first_cost cost_of_stages(struct engine *g, unsigned pipeline)
{
	struct estimate e = estimate_new(g->nstages);
	for (unsigned i = 0; i < g->nstages; i++)
		if (pipeline == UINT_MAX || g->stages[i]->pipeline == pipeline)
			estimate_add(&e, g->stages[i]->kind);
	return estimate_end(g, &e);
}

void first_show(struct engine *g, struct snapshot *s)
{
	if (g->first != FIRST_ASKING)
		return;
	struct first_contact *f = arena_alloc(&s->mem, sizeof *f);
	struct first_cost *each = arena_array(&s->mem, g->npipelines, sizeof *each);
	for (unsigned i = 0; i < g->npipelines; i++)
		each[i] = cost_of_stages(g, i);
	*f = (struct first_contact){ .all = cost_of_stages(g, UINT_MAX), .pipelines = each };
	s->first = f;
}

/* ---- the choice */

/* One pipeline of the account's graph, or a new one of everything whose name begins alike. */
static void keep_only(struct flow_graph *f, const struct first_request *rq, struct flow_pipeline *only)
{
	struct flow_node *kept = arena_array(&f->mem, f->nnodes, sizeof *kept);
	uint32_t n = 0;
	for (uint32_t i = 0; i < f->nnodes; i++) {
		const struct flow_node *d = &f->nodes[i];
		bool in = rq->choice == FIRST_PREFIX
		              ? strncmp(d->name, rq->text, strlen(rq->text)) == 0
		              : d->pipeline != FLOW_NONE && strcmp(f->pipelines[d->pipeline].name, rq->text) == 0;
		if (in && d->listed)
			kept[n++] = *d;
	}
	size_t end = strlen(rq->text);
	while (rq->choice == FIRST_PREFIX && end > 1 && strchr("-_.:", rq->text[end - 1]))
		end--;
	*only = (struct flow_pipeline){ .name = arena_strndup(&f->mem, rq->text, end), .n = n };
	f->nodes = kept;
	f->nnodes = n;
	f->pipelines = only;
	f->npipelines = 1;
}

/* The sections to write; what they come to goes into the result. */
static void sections(struct engine *g, const struct task *t, const struct conf *have, struct buf *out)
{
	const struct first_request *rq = &t->rq.first;
	const char *target = g->o.target ? g->o.target->name : NULL;
	struct first_cost *cost = &t->result->first.cost;
	if (rq->choice == FIRST_EVERYTHING) {
		*cost = cost_of_stages(g, UINT_MAX);
		buf_adds(out, EVERYTHING);
	} else if (rq->choice == FIRST_TAG) {
		*cost = cost_of_group(g, t->work);
		conf_missing_group(have, NULL, rq->text, target, out);
	} else {
		struct flow_graph *f = flow_draw(g, NULL);
		struct flow_pipeline only;
		keep_only(f, rq, &only);
		*cost = cost_of_graph(g, f, &only);
		conf_missing(have, f, target, out);
		flow_free(f);
	}
}

/* From here on what the file says counts; what was found so far is found again under it. */
static bool go_on(struct engine *g, struct err *e)
{
	struct conf *now = conf_load(g->conf->path, e);
	if (!now)
		return false;
	poll_free(g);
	inventory_free(g);
	conf_free(g->own_conf);
	g->conf = g->own_conf = now;
	inventory_init(g);
	over(g);
	return true;
}

static void chosen(struct engine *g, struct task *t)
{
	struct result *r = t->result;
	struct buf out;
	struct conf *have = conf_load(g->conf->path, &r->err);
	if (!have)
		return;
	buf_init(&out, 16u << 20);
	sections(g, t, have, &out);
	if (r->first.cost.resources == 0 && t->rq.first.choice != FIRST_EVERYTHING)
		err_set(&r->err, ERR_NOTFOUND, t->rq.first.text, "nothing of what is watched is named so");
	else if (!t->rq.dry_run && conf_append(g->conf->path, buf_span(&out), &r->err))
		r->first.saved = go_on(g, &r->err);
	else if (!t->rq.dry_run && t->rq.first.choice == FIRST_EVERYTHING)
		over(g); /* it is not saved, and asked again next time */
	buf_clear(&out);
	conf_free(have);
}

void first_task_step(struct engine *g, struct task *t)
{
	const struct first_request *rq = &t->rq.first;
	if (g->round.active) /* its answers belong to what there is now */
		return;
	t->done = true;
	if (g->first != FIRST_ASKING) {
		err_set(&t->result->err, ERR_USAGE, "first contact", "it is over");
		return;
	}
	if (rq->choice == FIRST_TAG && t->state++ == 0) {
		t->work = group_new(g, rq->text, NULL, rq->text, UINT_MAX);
		task_need(g, t, NEED_LIST);
		t->done = false;
		return;
	}
	struct group *p = t->work;
	if (p && p->err.code != ERR_OK)
		t->result->err = p->err;
	else
		chosen(g, t);
	if (p && t->result->first.saved) /* went with the old inventory */
		return;
	if (p)
		group_drop(g, p);
}
