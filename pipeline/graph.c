#include "pipeline/graph.h"

#include "core/mem.h"

#include <stdlib.h>

/* ---- components: union by the lower number, so that each tree's root is its lowest node */

static uint32_t root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static void components(struct graph *g)
{
	uint32_t *parent = xcalloc(g->n + 1u, sizeof *parent);
	bool *joined = xcalloc(g->n + 1u, sizeof *joined);
	for (uint32_t i = 0; i < g->n; i++)
		parent[i] = i;
	for (uint32_t i = 0; i < g->nedges; i++) {
		uint32_t a = root(parent, g->edges[i].from), b = root(parent, g->edges[i].to);
		parent[a > b ? a : b] = a > b ? b : a;
		joined[g->edges[i].from] = joined[g->edges[i].to] = true;
	}
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t r = root(parent, i);
		if (!joined[i])
			g->component[i] = GRAPH_NONE;
		else
			g->component[i] = r == i ? g->ncomponents++ : g->component[r]; /* r < i: it has its number already */
	}
	free(parent);
	free(joined);
}

/* ---- cycles: a depth-first walk with a stack of its own; an edge to a node that is still open closes a cycle */

enum colour { UNSEEN, OPEN, CLOSED };

struct walk {
	struct graph *g;
	const uint32_t *first; /* of each node's edges; first[n] = nedges */
	uint32_t *next;        /* the edge to follow next */
	uint32_t *stack, depth;
	unsigned char *colour;
};

static void enter(struct walk *w, uint32_t node)
{
	w->colour[node] = OPEN;
	w->next[node] = w->first[node];
	w->stack[w->depth++] = node;
}

static void walk_from(struct walk *w, uint32_t start)
{
	enter(w, start);
	while (w->depth) {
		uint32_t node = w->stack[w->depth - 1];
		if (w->next[node] == w->first[node + 1]) {
			w->colour[node] = CLOSED;
			w->depth--;
			continue;
		}
		struct graph_edge *e = &w->g->edges[w->next[node]++];
		e->back = w->colour[e->to] == OPEN;
		if (w->colour[e->to] == UNSEEN)
			enter(w, e->to);
	}
}

/* What nothing leads to is where a reader would begin; then what lies on cycles alone, by number. */
static void cut_cycles(struct graph *g, const uint32_t *first)
{
	struct walk w = { .g = g,
		              .first = first,
		              .next = xcalloc(g->n + 1u, sizeof *w.next),
		              .stack = xcalloc(g->n + 1u, sizeof *w.stack),
		              .colour = xcalloc(g->n + 1u, 1) };
	bool *led_to = xcalloc(g->n + 1u, sizeof *led_to);
	for (uint32_t i = 0; i < g->nedges; i++)
		led_to[g->edges[i].to] = true;
	for (uint32_t i = 0; i < g->n; i++)
		if (!led_to[i])
			walk_from(&w, i);
	for (uint32_t i = 0; i < g->n; i++)
		if (w.colour[i] == UNSEEN)
			walk_from(&w, i);
	free(led_to);
	free(w.next);
	free(w.stack);
	free(w.colour);
}

/* ---- layers: a node's turn comes when all that lead to it have had theirs */

static void layers(struct graph *g, const uint32_t *first)
{
	uint32_t *waits = xcalloc(g->n + 1u, sizeof *waits), *queue = xcalloc(g->n + 1u, sizeof *queue), head = 0, tail = 0;
	for (uint32_t i = 0; i < g->nedges; i++)
		waits[g->edges[i].to] += !g->edges[i].back;
	for (uint32_t i = 0; i < g->n; i++)
		if (!waits[i])
			queue[tail++] = i;
	while (head < tail) {
		uint32_t node = queue[head++];
		for (uint32_t i = first[node]; i < first[node + 1]; i++) {
			const struct graph_edge *e = &g->edges[i];
			if (e->back)
				continue;
			if (g->layer[e->to] < g->layer[node] + 1)
				g->layer[e->to] = g->layer[node] + 1;
			if (--waits[e->to] == 0)
				queue[tail++] = e->to;
		}
	}
	free(waits);
	free(queue);
}

void graph_shape(struct graph *g)
{
	uint32_t *first = xcalloc(g->n + 2u, sizeof *first);
	g->ncomponents = 0;
	g->component = xcalloc(g->n + 1u, sizeof *g->component);
	g->layer = xcalloc(g->n + 1u, sizeof *g->layer);
	for (uint32_t i = 0; i < g->nedges; i++)
		first[g->edges[i].from + 1]++;
	for (uint32_t i = 0; i < g->n; i++)
		first[i + 1] += first[i];
	components(g);
	cut_cycles(g, first);
	layers(g, first);
	free(first);
}

void graph_clear(struct graph *g)
{
	free(g->component);
	free(g->layer);
	g->component = g->layer = NULL;
}
