/* The shape of a directed graph, in numbers alone: what is connected, how long the longest way to a node is, where a cycle is cut.
 * Nodes are 0 .. n-1 and their number decides every tie, so whoever numbers them in a stable order gets a stable picture.
 * Linear in nodes and edges; nothing recurses, so a chain of any length is fine. Pure. */
#ifndef PIPELINE_GRAPH_H
#define PIPELINE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#define GRAPH_NONE UINT32_MAX

struct graph_edge {
	uint32_t from, to;
	bool back; /* set here: on a cycle, and not counted by the layers; leaving these out leaves no cycle */
};

struct graph {
	uint32_t n, nedges;
	struct graph_edge *edges; /* the caller's, sorted by from, then to */
	uint32_t *component;      /* set here, owned: numbered by each one's lowest node; GRAPH_NONE for a node without edges */
	uint32_t *layer;          /* set here, owned: edges of the longest path that ends in it */
	uint32_t ncomponents;
};

void graph_shape(struct graph *g); /* n, nedges and edges given */
void graph_clear(struct graph *g); /* not the edges */

#endif
