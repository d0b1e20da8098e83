/* What belongs together: keeps what answers said of it, has pipeline/ draw the account from that, and groups discovered stages by
 * the result. */
#include "core/mem.h"
#include "engine/inside.h"
#include "pipeline/discover.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- relations */

void relations_clear(struct relations *r)
{
	arena_clear(&r->mem);
	free(r->v);
	*r = (struct relations){ 0 };
}

static void add_relation(struct relations *to, const struct relation *r)
{
	MEM_GROW(to->v, to->n, to->cap);
	to->v[to->n++] = relation_copy(&to->mem, r);
}

/* What broke off half way replaces no whole answer. */
void flow_related(struct engine *g, const struct kind *k, const struct found *f, bool whole)
{
	struct kind_state *st = kind_state_of(g, k);
	if (!whole && st->related)
		return;
	st->related = whole;
	relations_clear(&st->relations);
	for (unsigned i = 0; i < f->nedges; i++)
		add_relation(&st->relations, &f->edges[i]);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The sources come as URLs; they live beside their dead-letter queue, so its ARN tells the rest of theirs. */
void flow_sources(struct engine *g, const struct res *dlq, const struct found *f)
{
	const char *colon = dlq->arn ? strrchr(dlq->arn, ':') : NULL;
	struct arena *mem = &g->sources.mem;
	if (!colon)
		return;
	for (unsigned i = 0; i < f->nres; i++) {
		char *from = xasprintf("%.*s:%s", (int)(colon - dlq->arn), dlq->arn, f->res[i].name);
		add_relation(&g->sources, &(struct relation){ .kind = RELATION_DLQ_SOURCE, .from = from, .to = dlq->arn });
		free(from);
	}
	const char **more = arena_array(mem, g->nsources_of + 1u, sizeof *more); /* few: one a dead-letter queue */
	if (g->nsources_of)
		memcpy(more, g->sources_of, g->nsources_of * sizeof *more);
	more[g->nsources_of++] = arena_strdup(mem, dlq->arn);
	qsort(more, g->nsources_of, sizeof *more, by_text);
	g->sources_of = more;
}

/* Of a stack or a tag only its own, and what its members redrive to, are asked. */
static bool concerns(struct engine *g, const struct group *p, const struct res *dlq)
{
	if (!p || group_has(p, dlq->kind, dlq->name))
		return true;
	for (unsigned i = 0; i < p->n; i++) {
		const struct fact *f = res_fact(inventory_res(g, p->v[i].kind, p->v[i].name, false), "dlq");
		if (f && dlq->arn && strcmp(f->value, dlq->arn) == 0)
			return true;
	}
	return false;
}

void flow_sources_begin(struct engine *g)
{
	const struct group *p = group_of(g, UINT_MAX);
	relations_clear(&g->sources);
	g->sources_of = NULL;
	g->nsources_of = 0;
	err_clear(&g->sources_err);
	for (unsigned i = 0; i < g->nres && !g->closing; i++) {
		struct res *r = g->res[i];
		if (r->dlq && r->handle && r->kind->sources && concerns(g, p, r))
			discover_sources(g, r);
	}
}

/* ---- the drawing */

struct facts {
	struct flow_facts f;
	struct flow_resource *res;
	unsigned nres;
	struct relation *rel;
	unsigned nrel, crel;
	struct arena mem;
};

static const char *known_arn(struct facts *d, const struct engine *g, const struct kind *k, const char *name,
                             const char *arn)
{
	if (arn || !g->target.account[0] || !g->target.region[0])
		return arn;
	char *made = arn_of(g, k, name);
	const char *kept = arena_strdup(&d->mem, made);
	free(made);
	return kept;
}

static void add_resource(struct facts *d, const struct engine *g, const struct res *r, const struct group *p)
{
	d->res[d->nres++] = (struct flow_resource){ .kind = r->kind->info.id,
		                                        .name = r->name,
		                                        .arn = known_arn(d, g, r->kind, r->name, r->arn),
		                                        .facts = r->facts,
		                                        .nfacts = r->nfacts,
		                                        .member = p && group_has(p, r->kind, r->name) };
}

/* Members that no list showed exist all the same: their group says so. */
static void add_unlisted(struct facts *d, struct engine *g, const struct group *p)
{
	for (unsigned i = 0; p && i < p->n; i++) {
		const struct member *m = &p->v[i];
		if (!inventory_res(g, m->kind, m->name, false))
			d->res[d->nres++] = (struct flow_resource){ .kind = m->kind->info.id,
				                                        .name = m->name,
				                                        .arn = known_arn(d, g, m->kind, m->name, NULL),
				                                        .member = true };
	}
}

static void add_relations(struct facts *d, const struct relations *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		MEM_GROW(d->rel, d->nrel, d->crel);
		d->rel[d->nrel++] = r->v[i];
	}
}

static void gather(struct facts *d, struct engine *g, const struct group *p)
{
	arena_init(&d->mem);
	d->res = xcalloc(g->nres + (p ? p->n : 0) + 1u, sizeof *d->res);
	const char **named = xcalloc(g->nres + 1u, sizeof *named);
	for (unsigned i = 0; i < g->nres; i++)
		g->res[i]->at = i;
	for (unsigned i = 0; i < g->nstages; i++) {
		const struct stage *s = g->stages[i];
		if ((s->conf || s->group) && s->res && !named[s->res->at])
			named[s->res->at] = g->pipelines[s->pipeline];
	}
	bool mappings = true;
	for (unsigned i = 0; i < g->nres; i++) {
		add_resource(d, g, g->res[i], p);
		d->res[i].pipeline = named[i];
	}
	add_unlisted(d, g, p);
	for (unsigned i = 0; i < nkinds; i++) {
		add_relations(d, &g->kind_state[i].relations);
		mappings = mappings && (!kinds[i]->edges || g->kind_state[i].related);
	}
	add_relations(d, &g->sources);
	free(named);
	d->f = (struct flow_facts){ .resources = d->res,
		                        .nresources = d->nres,
		                        .relations = d->rel,
		                        .nrelations = d->nrel,
		                        .mappings_known = mappings,
		                        .asked = g->sources_of,
		                        .nasked = g->nsources_of,
		                        .group = p ? p->name : NULL };
}

struct flow_graph *flow_draw(struct engine *g, const struct group *group)
{
	struct facts d = { .res = NULL };
	gather(&d, g, group);
	struct flow_graph *f = discover_flow(&d.f);
	arena_clear(&d.mem);
	free(d.res);
	free(d.rel);
	return f;
}

/* ---- discovered stages in discovered pipelines */

static unsigned kind_index(const struct kind *k)
{
	unsigned i = 0;
	while (kinds[i] != k)
		i++;
	return i;
}

static const char *group_name(const struct stage *s)
{
	return s->res ? s->res->group : NULL;
}

/* What is connected to nothing comes last, by kind and name. */
static int flow_order(const void *a, const void *b)
{
	const struct stage *x = *(struct stage *const *)a, *y = *(struct stage *const *)b;
	const char *p = group_name(x), *q = group_name(y);
	if (!p != !q)
		return p ? -1 : 1;
	int d = p ? strcmp(p, q) : 0;
	if (d)
		return d;
	if (p && x->res->place != y->res->place)
		return x->res->place < y->res->place ? -1 : 1;
	unsigned kx = kind_index(x->kind), ky = kind_index(y->kind);
	return kx != ky ? (kx > ky) - (kx < ky) : strcmp(x->resource, y->resource);
}

void flow_sort(struct engine *g)
{
	if (g->nstages > 1)
		qsort(g->stages, g->nstages, sizeof *g->stages, flow_order);
	inventory_pipelines_clear(g);
	const char *last = NULL;
	bool lone = false;
	for (unsigned i = 0; i < g->nstages; i++) {
		const char *name = group_name(g->stages[i]);
		bool same = name ? last && strcmp(last, name) == 0 : lone;
		if (!same)
			inventory_pipeline(g, name ? name : DISCOVERED);
		last = name;
		lone = !name;
		g->stages[i]->pipeline = g->npipelines - 1;
	}
	if (!g->npipelines) /* nothing is there, or not yet */
		inventory_pipeline(g, DISCOVERED);
}

static void put_group(struct res *r, const char *name, unsigned place)
{
	r->place = place;
	if (r->group && name && strcmp(r->group, name) == 0)
		return;
	free(r->group);
	r->group = name ? xstrdup(name) : NULL;
}

static void regroup(struct engine *g, const struct flow_graph *f)
{
	for (uint32_t i = 0; i < f->nnodes; i++) {
		const struct flow_node *n = &f->nodes[i];
		struct res *r = n->listed ? inventory_res(g, kind_find(n->kind), n->name, false) : NULL;
		if (r && n->pipeline == FLOW_NONE)
			put_group(r, NULL, 0);
		else if (r)
			put_group(r, f->pipelines[n->pipeline].name, i - f->pipelines[n->pipeline].first);
	}
	flow_sort(g);
}

void flow_redraw(struct engine *g)
{
	struct flow_graph *f = flow_draw(g, NULL);
	links_keep(g, f);
	if (g->conf->npipelines == 0)
		regroup(g, f);
	flow_free(f);
}

/* ---- REQUEST_DISCOVER */

static void add_problem(struct discover_result *r, const char *op, const struct err *e, unsigned n)
{
	if (e->code == ERR_OK)
		return;
	r->problems = xreallocarray(r->problems, r->nproblems + 1u, sizeof *r->problems);
	r->problems[r->nproblems++] = (struct discover_problem){ op, *e, n };
}

static void add_describe_problem(struct discover_result *r, const struct engine *g, const struct kind *k)
{
	const struct err *first = NULL;
	unsigned n = 0;
	for (unsigned i = 0; i < g->nres; i++)
		if (g->res[i]->kind == k && g->res[i]->err) {
			first = first ? first : g->res[i]->err;
			n++;
		}
	if (first)
		add_problem(r, k->describe->iam, first, n);
}

/* False: not one list could be read. */
static bool add_problems(struct discover_result *r, const struct engine *g)
{
	bool any = false;
	for (unsigned i = 0; i < nkinds; i++) {
		const struct kind_state *st = &g->kind_state[i];
		add_problem(r, kinds[i]->list->iam, &st->list, 1);
		if (kinds[i]->edges)
			add_problem(r, kinds[i]->edges->iam, &st->edges, 1);
		add_describe_problem(r, g, kinds[i]);
		if (kinds[i]->sources)
			add_problem(r, kinds[i]->sources->iam, &g->sources_err, 1);
		any = any || st->list.code == ERR_OK;
	}
	return any;
}

static void tell(struct engine *g, struct task *t, const struct group *p)
{
	struct result *out = t->result;
	struct discover_result *r = &out->discover;
	r->target = g->target;
	bool any = add_problems(r, g);
	if (p && !p->known) {
		out->err = p->err;
		return;
	}
	if (!any) {
		out->err = r->nproblems ? r->problems[0].err : g->account_err;
		return;
	}
	r->members = p ? p->n : 0;
	r->others = p ? p->others : 0;
	r->flow = flow_draw(g, p);
}

void discover_step(struct engine *g, struct task *t)
{
	const struct discover_request *rq = &t->rq.discover;
	if (g->account_err.code != ERR_OK) {
		t->result->err = g->account_err;
		t->done = true;
		return;
	}
	if (t->state++ == 0) {
		if (rq->stack || rq->tag)
			t->work = group_new(g, rq->stack ? rq->stack : rq->tag, rq->stack, rq->stack ? NULL : rq->tag, UINT_MAX);
		task_need(g, t, NEED_IDENTITY | NEED_LIST | NEED_DESCRIBE | NEED_EDGES | NEED_SOURCES | NEED_EVERYTHING);
		return;
	}
	tell(g, t, t->work);
	if (t->work)
		group_drop(g, t->work);
	t->done = true;
}

void discover_result_clear(struct discover_result *r)
{
	flow_free(r->flow);
	free(r->problems);
}
