/* The edges between the stages that are shown: which there are, from the newest drawing of what belongs together, and how much
 * goes over each, from the stages' own readings. */
#include "core/mem.h"
#include "engine/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kept_link {
	const struct stage *from, *to;
	const char *kind; /* static */
	bool inferred, back;
	const struct relation *mapping; /* a copy in g->links_mem; NULL */
};

void links_clear(struct engine *g)
{
	arena_clear(&g->links_mem);
	free(g->links);
	g->links = NULL;
	g->nlinks = 0;
}

/* The first stage of each resource, by the resource's place in g->res (which flow_draw has noted in it). */
static const struct stage **stages_of(const struct engine *g)
{
	const struct stage **of = xcalloc(g->nres + 1u, sizeof *of);
	for (unsigned i = 0; i < g->nstages; i++) {
		const struct stage *s = g->stages[i];
		if (s->res && !of[s->res->at])
			of[s->res->at] = s;
	}
	return of;
}

static const struct stage *stage_of(struct engine *g, const struct stage *const *of, const struct flow_node *n)
{
	const struct res *r = n->listed ? inventory_res(g, kind_find(n->kind), n->name, false) : NULL;
	return r ? of[r->at] : NULL;
}

/* ---- which mapping is behind an edge */

static int by_ends(const void *a, const void *b)
{
	const struct relation *x = *(const struct relation *const *)a, *y = *(const struct relation *const *)b;
	int d = strcmp(x->from, y->from);
	return d ? d : strcmp(x->to, y->to);
}

/* All mappings, by their ends. */
static const struct relation **mappings(const struct engine *g, unsigned *n)
{
	const struct relation **v = NULL;
	unsigned cap = 0;
	*n = 0;
	for (unsigned k = 0; k < nkinds; k++) {
		const struct relations *r = &g->kind_state[k].relations;
		for (unsigned i = 0; i < r->n; i++) {
			if (r->v[i].kind != RELATION_MAPPING || !r->v[i].from || !r->v[i].to)
				continue;
			MEM_GROW(v, *n, cap);
			v[(*n)++] = &r->v[i];
		}
	}
	if (*n > 1)
		qsort(v, *n, sizeof *v, by_ends);
	return v;
}

static const struct relation *mapping_of(struct engine *g, const struct relation *const *v, unsigned n,
                                         const struct flow_node *from, const struct flow_node *to)
{
	struct relation key = { .from = from->arn, .to = to->arn };
	const struct relation *at = &key, *const * found;
	if (!n || !key.from || !key.to)
		return NULL;
	found = bsearch(&at, v, n, sizeof *v, by_ends);
	if (!found)
		return NULL;
	struct relation *copy = arena_alloc(&g->links_mem, sizeof *copy);
	*copy = relation_copy(&g->links_mem, *found);
	return copy;
}

void links_keep(struct engine *g, const struct flow_graph *f)
{
	const struct stage **of = stages_of(g);
	unsigned nmaps;
	const struct relation **maps = mappings(g, &nmaps);
	links_clear(g);
	arena_init(&g->links_mem);
	g->links = xcalloc(f->nedges + 1u, sizeof *g->links);
	for (unsigned i = 0; i < f->nedges; i++) {
		const struct flow_edge *e = &f->edges[i];
		const struct stage *from = stage_of(g, of, &f->nodes[e->from]), *to = stage_of(g, of, &f->nodes[e->to]);
		if (from && to && from != to)
			g->links[g->nlinks++] =
			    (struct kept_link){ from,    to,
				                    e->kind, strcmp(e->strength, "configured") != 0,
				                    e->back, mapping_of(g, maps, nmaps, &f->nodes[e->from], &f->nodes[e->to]) };
	}
	free(maps);
	free(of);
}

/* ---- into the snapshot */

static double a_second(const struct row *r, enum role role)
{
	const struct reading *rd = r->by_role[role];
	if (!rd || rd->stale || !isfinite(rd->value))
		return NAN;
	return metric_is_sum(rd->info) ? rd->value / STEP : rd->value;
}

static int by_place(const void *a, const void *b)
{
	const struct row_link *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

/* A mapping carries what its source hands out; what failed is counted where it arrives. Where several share one end nobody
 * tells them apart. SQS does not count a redrive as a message sent: nothing tells the rate into a dead-letter queue. */
static void put_rates(struct row_link *links, unsigned n, const struct row *rows, const unsigned *out,
                      const unsigned *in)
{
	for (unsigned i = 0; i < n; i++) {
		struct row_link *l = &links[i];
		l->rate = NAN;
		if (strcmp(l->kind, "mapping") == 0 && out[l->from] == 1)
			l->rate = a_second(&rows[l->from], ROLE_OUT);
		else if (strcmp(l->kind, "on_failure") == 0 && in[l->to] == 1)
			l->rate = a_second(&rows[l->to], ROLE_IN);
	}
}

static void put_mapping(struct snapshot *s, struct row_link *l, const struct relation *m)
{
	if (!m)
		return;
	l->state = arena_strdup(&s->mem, m->state);
	l->reason = arena_strdup(&s->mem, m->reason);
	l->on_failure = arena_strdup(&s->mem, m->on_failure);
	l->retries = m->retries;
	l->record_age_s = m->record_age_s;
}

void links_give(const struct engine *g, struct snapshot *s)
{
	struct row_link *links = arena_array(&s->mem, g->nlinks, sizeof *links);
	unsigned *out = xcalloc(s->nrows + 1u, sizeof *out), *in = xcalloc(s->nrows + 1u, sizeof *in), n = 0;
	for (unsigned i = 0; i < g->nlinks; i++) {
		const struct kept_link *k = &g->links[i];
		uint32_t from = k->from->row, to = k->to->row;
		if (from >= s->nrows || to >= s->nrows)
			continue;
		links[n] = (struct row_link){ .from = from,
			                          .to = to,
			                          .kind = k->kind,
			                          .inferred = k->inferred,
			                          .back = k->back,
			                          .retries = UNSAID,
			                          .record_age_s = UNSAID };
		put_mapping(s, &links[n++], k->mapping);
		out[from] += strcmp(k->kind, "mapping") == 0;
		in[to]++;
	}
	put_rates(links, n, s->rows, out, in);
	if (n > 1)
		qsort(links, n, sizeof *links, by_place);
	free(out);
	free(in);
	s->links = links;
	s->nlinks = n;
}
