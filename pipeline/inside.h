/* Private to pipeline/: the graph while it is being drawn. */
#ifndef PIPELINE_INSIDE_H
#define PIPELINE_INSIDE_H

#include "pipeline/discover.h"
#include "pipeline/graph.h"

struct node {
	const char *id, *kind, *name, *arn;   /* in the result's arena */
	const struct flow_resource *resource; /* NULL: only a relation names it */
	const char *pipeline;                 /* label; NULL: none */
	uint32_t layer, at;                   /* at: its place in the result */
	bool keep;
};

struct edge {
	uint32_t from, to;
	unsigned rule;                        /* index in RULES */
	const struct relation *relation;      /* NULL: from a resource's facts */
	bool confirmed, back;
};

struct drawing {
	const struct flow_facts *facts;
	struct flow_graph *flow;
	struct node *nodes;                   /* sorted by id */
	uint32_t nnodes, cnodes;
	struct edge *edges;                   /* sorted by from, to */
	uint32_t nedges, cedges;
	struct flow_verdict *verdicts;
	unsigned nverdicts, cverdicts;
};

const struct fact *fact_of(const struct flow_resource *r, const char *key); /* NULL when it has none; r may be NULL */

/* name.c: every component without a configured name gets one, and every node its pipeline's. g is the shape of d. */
void name_pipelines(struct drawing *d, const struct graph *g);
/* What all names begin with, up to a separator or a name's end; "" when that is nothing to call anybody by. */
size_t name_prefix(const char *const *names, unsigned n);

/* advice.c: what these edges and facts say is wrong with the wiring. */
void advise(struct drawing *d);

#endif
