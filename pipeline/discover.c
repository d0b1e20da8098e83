#include "pipeline/discover.h"

#include "core/mem.h"
#include "pipeline/inside.h"

#include <stdlib.h>
#include <string.h>

const struct fact *fact_of(const struct flow_resource *r, const char *key)
{
	for (unsigned i = 0; r && i < r->nfacts; i++)
		if (strcmp(r->facts[i].key, key) == 0)
			return &r->facts[i];
	return NULL;
}

/* ---- nodes: what was listed, and what a relation names beside it */

/* Passes n colons; NULL when there are fewer. */
static const char *past_colons(const char *s, unsigned n)
{
	while (s && n--) {
		s = strchr(s, ':');
		s += s != NULL;
	}
	return s;
}

/* Of an ARN that no list named: arn:P:SERVICE:R:A:NAME, ...:TYPE:NAME or ...:TYPE/NAME/MORE. */
static void name_arn(struct arena *mem, struct node *n)
{
	const char *service = past_colons(n->arn, 2), *rest = past_colons(service, 3);
	n->kind = "unknown";
	n->name = n->arn;
	if (!rest || !*rest)
		return;
	n->kind = arena_strndup(mem, service, strcspn(service, ":"));
	const char *sep = strpbrk(rest, "/:");
	const char *name = sep && sep[1] ? sep + 1 : rest;
	n->name = arena_strndup(mem, name, strcspn(name, "/:"));
}

static void add_node(struct drawing *d, struct node n)
{
	MEM_GROW(d->nodes, d->nnodes, d->cnodes);
	d->nodes[d->nnodes++] = n;
}

static void add_resource(struct drawing *d, const struct flow_resource *r)
{
	struct arena *mem = &d->flow->mem;
	struct node n = { .kind = arena_strdup(mem, r->kind),
		              .name = arena_strdup(mem, r->name),
		              .arn = arena_strdup(mem, r->arn),
		              .resource = r };
	n.id = n.arn ? n.arn : arena_printf(mem, "%s:%s", n.kind, n.name);
	add_node(d, n);
}

static void add_arn(struct drawing *d, const char *arn)
{
	if (!arn || !*arn)
		return;
	struct node n = { .arn = arena_strdup(&d->flow->mem, arn) };
	n.id = n.arn;
	add_node(d, n);
}

/* Those with a resource first, so that what a relation names again falls to it. */
static int by_id(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int diff = strcmp(x->id, y->id);
	return diff ? diff : (y->resource != NULL) - (x->resource != NULL);
}

static void gather_nodes(struct drawing *d)
{
	const struct flow_facts *f = d->facts;
	for (unsigned i = 0; i < f->nresources; i++) {
		add_resource(d, &f->resources[i]);
		const struct fact *dlq = fact_of(&f->resources[i], "dlq");
		add_arn(d, dlq ? dlq->value : NULL);
	}
	for (unsigned i = 0; i < f->nrelations; i++) {
		add_arn(d, f->relations[i].from);
		add_arn(d, f->relations[i].to);
	}
	if (d->nnodes > 1)
		qsort(d->nodes, d->nnodes, sizeof *d->nodes, by_id);
	uint32_t n = 0;
	for (uint32_t i = 0; i < d->nnodes; i++) {
		if (n && strcmp(d->nodes[n - 1].id, d->nodes[i].id) == 0)
			continue;
		d->nodes[n] = d->nodes[i];
		if (!d->nodes[n].resource)
			name_arn(&d->flow->mem, &d->nodes[n]);
		n++;
	}
	d->nnodes = n;
}

static uint32_t find_node(const struct drawing *d, const char *id)
{
	struct node want = { .id = id };
	uint32_t lo = 0, hi = d->nnodes;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int diff = strcmp(d->nodes[mid].id, want.id);
		if (diff == 0)
			return mid;
		if (diff < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return FLOW_NONE;
}

/* ---- edges: each rule walks the facts it is about */

static void add_edge(struct drawing *d, unsigned rule, const char *from, const char *to, const struct relation *r)
{
	uint32_t a = from ? find_node(d, from) : FLOW_NONE, b = to ? find_node(d, to) : FLOW_NONE;
	if (a == FLOW_NONE || b == FLOW_NONE)
		return;
	MEM_GROW(d->edges, d->nedges, d->cedges);
	d->edges[d->nedges++] = (struct edge){ .from = a, .to = b, .rule = rule, .relation = r };
}

static void edges_of(struct drawing *d, unsigned rule, enum relation_kind kind)
{
	for (unsigned i = 0; i < d->facts->nrelations; i++) {
		const struct relation *r = &d->facts->relations[i];
		if (r->kind == kind)
			add_edge(d, rule, r->from, r->to, r);
	}
}

static void rule_mapping(struct drawing *d, unsigned rule)
{
	edges_of(d, rule, RELATION_MAPPING);
}

static void rule_on_failure(struct drawing *d, unsigned rule)
{
	edges_of(d, rule, RELATION_ON_FAILURE);
}

static void rule_redrive(struct drawing *d, unsigned rule)
{
	for (uint32_t i = 0; i < d->nnodes; i++) {
		const struct fact *dlq = fact_of(d->nodes[i].resource, "dlq");
		if (dlq)
			add_edge(d, rule, d->nodes[i].id, dlq->value, NULL);
	}
}

static void rule_sources(struct drawing *d, unsigned rule)
{
	edges_of(d, rule, RELATION_DLQ_SOURCE);
}

struct rule {
	unsigned number;
	const char *kind, *strength, *operation, *field;
	void (*draw)(struct drawing *d, unsigned rule);
};

static const struct rule rules[] = {
#define X(number, id, kind, strength, operation, field, function)                                                      \
	{ number, kind, strength, operation, field, function },
	RULES(X)
#undef X
};

static int by_ends(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	int diff = strcmp(rules[x->rule].kind, rules[y->rule].kind);
	return diff ? diff : (x->rule > y->rule) - (x->rule < y->rule);
}

/* One edge of a kind between two nodes: the first rule is its proof, a second one confirms it. Two mappings between the same two
 * (filters may differ) are drawn once: an enabled one stands for both, since records flow. */
static void merge_edges(struct drawing *d)
{
	uint32_t n = 0;
	if (d->nedges > 1)
		qsort(d->edges, d->nedges, sizeof *d->edges, by_ends);
	for (uint32_t i = 0; i < d->nedges; i++) {
		struct edge *e = &d->edges[i], *last = n ? &d->edges[n - 1] : NULL;
		if (!last || last->from != e->from || last->to != e->to ||
		    strcmp(rules[last->rule].kind, rules[e->rule].kind) != 0) {
			d->edges[n++] = *e;
			continue;
		}
		last->confirmed = last->confirmed || last->rule != e->rule;
		const char *state = e->relation ? e->relation->state : NULL;
		if (state && strcmp(state, "Enabled") == 0)
			last->relation = e->relation;
	}
	d->nedges = n;
}

/* ---- what of it is shown */

/* A group is its members, and whom they deal with. */
static void choose(struct drawing *d)
{
	bool all = !d->facts->group;
	for (uint32_t i = 0; i < d->nnodes; i++) {
		struct node *n = &d->nodes[i];
		bool member = n->resource && n->resource->member;
		n->keep = all || member;
		if (!all)
			n->pipeline = member ? d->facts->group : NULL;
	}
	uint32_t kept = 0;
	for (uint32_t i = 0; i < d->nedges; i++) {
		const struct edge *e = &d->edges[i];
		const struct flow_resource *a = d->nodes[e->from].resource, *b = d->nodes[e->to].resource;
		if (!all && !(a && a->member) && !(b && b->member))
			continue;
		d->nodes[e->from].keep = d->nodes[e->to].keep = true;
		d->edges[kept++] = *e;
	}
	d->nedges = kept;
}

static void shape(struct drawing *d)
{
	struct graph g = { .n = d->nnodes, .nedges = d->nedges };
	g.edges = xcalloc(g.nedges + 1u, sizeof *g.edges);
	for (uint32_t i = 0; i < g.nedges; i++)
		g.edges[i] = (struct graph_edge){ .from = d->edges[i].from, .to = d->edges[i].to };
	graph_shape(&g);
	for (uint32_t i = 0; i < g.nedges; i++)
		d->edges[i].back = g.edges[i].back;
	for (uint32_t i = 0; i < g.n; i++)
		d->nodes[i].layer = g.layer[i];
	if (!d->facts->group)
		name_pipelines(d, &g);
	graph_clear(&g);
	free(g.edges);
}

/* ---- the result */

static int in_flow_order(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	if (!x->pipeline || !y->pipeline) {
		if (x->pipeline || y->pipeline)
			return x->pipeline ? -1 : 1;
		return strcmp(x->id, y->id);
	}
	int diff = strcmp(x->pipeline, y->pipeline);
	if (diff)
		return diff;
	return x->layer != y->layer ? (x->layer > y->layer) - (x->layer < y->layer) : strcmp(x->id, y->id);
}

static void tell_node(struct flow_graph *f, struct flow_node *out, struct flow_pipeline *pipes, const struct node *n)
{
	uint32_t at = (uint32_t)(out - f->nodes);
	if (n->pipeline && (!f->npipelines || strcmp(pipes[f->npipelines - 1].name, n->pipeline) != 0))
		pipes[f->npipelines++] = (struct flow_pipeline){ .name = arena_strdup(&f->mem, n->pipeline), .first = at };
	if (n->pipeline)
		pipes[f->npipelines - 1].n++;
	*out = (struct flow_node){ .id = n->id,
		                       .kind = n->kind,
		                       .name = n->name,
		                       .arn = n->arn,
		                       .pipeline = n->pipeline ? f->npipelines - 1 : FLOW_NONE,
		                       .layer = n->layer,
		                       .listed = n->resource != NULL };
}

static void tell_nodes(struct drawing *d)
{
	struct flow_graph *f = d->flow;
	struct node **order = xcalloc(d->nnodes + 1u, sizeof *order);
	uint32_t n = 0;
	for (uint32_t i = 0; i < d->nnodes; i++)
		if (d->nodes[i].keep)
			order[n++] = &d->nodes[i];
	if (n > 1)
		qsort(order, n, sizeof *order, in_flow_order);
	struct flow_node *nodes = arena_array(&f->mem, n, sizeof *nodes);
	struct flow_pipeline *pipes = arena_array(&f->mem, n, sizeof *pipes);
	f->nodes = nodes;
	f->nnodes = n;
	f->pipelines = pipes;
	for (uint32_t i = 0; i < n; i++) {
		order[i]->at = i;
		tell_node(f, &nodes[i], pipes, order[i]);
	}
	free(order);
}

static int flow_edge_order(const void *a, const void *b)
{
	const struct flow_edge *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return strcmp(x->kind, y->kind);
}

static void tell_edges(struct drawing *d)
{
	struct flow_graph *f = d->flow;
	struct flow_edge *edges = arena_array(&f->mem, d->nedges, sizeof *edges);
	for (uint32_t i = 0; i < d->nedges; i++) {
		const struct edge *e = &d->edges[i];
		const struct rule *r = &rules[e->rule];
		edges[i] = (struct flow_edge){ .from = d->nodes[e->from].at,
			                           .to = d->nodes[e->to].at,
			                           .rule = r->number,
			                           .kind = r->kind,
			                           .strength = r->strength,
			                           .operation = r->operation,
			                           .field = r->field,
			                           .state = e->relation ? arena_strdup(&f->mem, e->relation->state) : NULL,
			                           .confirmed = e->confirmed,
			                           .back = e->back };
	}
	if (d->nedges > 1)
		qsort(edges, d->nedges, sizeof *edges, flow_edge_order);
	f->edges = edges;
	f->nedges = d->nedges;
}

static int verdict_order(const void *a, const void *b)
{
	const struct flow_verdict *x = a, *y = b;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	int diff = strcmp(x->code, y->code);
	return diff ? diff : strcmp(x->text, y->text);
}

/* The advice names nodes of the drawing; readers want places in the result, and nothing about what is not shown. */
static void tell_verdicts(struct drawing *d)
{
	struct flow_graph *f = d->flow;
	struct flow_verdict *out = arena_array(&f->mem, d->nverdicts, sizeof *out);
	for (unsigned i = 0; i < d->nverdicts; i++) {
		const struct node *n = &d->nodes[d->verdicts[i].node];
		if (!n->keep || (d->facts->group && !n->pipeline))
			continue;
		out[f->nverdicts] = d->verdicts[i];
		out[f->nverdicts++].node = n->at;
	}
	if (f->nverdicts > 1)
		qsort(out, f->nverdicts, sizeof *out, verdict_order);
	f->verdicts = out;
}

struct flow_graph *discover_flow(const struct flow_facts *facts)
{
	struct drawing d = { .facts = facts, .flow = xcalloc(1, sizeof *d.flow) };
	arena_init(&d.flow->mem);
	gather_nodes(&d);
	for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
		rules[i].draw(&d, i);
	merge_edges(&d);
	choose(&d);
	shape(&d);
	tell_nodes(&d);
	tell_edges(&d);
	advise(&d);
	tell_verdicts(&d);
	free(d.nodes);
	free(d.edges);
	free(d.verdicts);
	return d.flow;
}
