/* What belongs together: resources as nodes, who hands records to whom as edges, each with its proof, what is connected as a
 * pipeline. One immutable result in one arena, made by pipeline/discover.h. Remote text in it is raw (core/text.h). */
#ifndef CORE_MODEL_FLOW_H
#define CORE_MODEL_FLOW_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define FLOW_NONE UINT32_MAX

struct flow_node {
	const char *id;      /* the ARN, or KIND:NAME while there is none */
	const char *kind;    /* a kind's id; of what sluice does not watch, the service in its ARN */
	const char *name;
	const char *arn;     /* NULL: not known */
	uint32_t pipeline;   /* index; FLOW_NONE: connected to nothing */
	uint32_t layer;      /* longest path from a source, in edges */
	bool listed;         /* false: only an edge names it */
};

struct flow_edge {
	uint32_t from, to;            /* indices of nodes */
	unsigned rule;                /* number of the rule in RULES(X) that proves it */
	const char *kind;             /* static, as the four below: mapping, dlq, on_failure */
	const char *strength;         /* configured, permitted, heuristic, traced */
	const char *operation, *field;
	const char *state;            /* of a mapping, as the service says it; NULL */
	bool confirmed;               /* a second rule proves it too */
	bool back;                    /* closes a cycle: the layers do not count it */
};

struct flow_verdict {
	const char *code;    /* static: stable word for scripts */
	uint32_t node;
	const char *text;
};

struct flow_pipeline { const char *name; uint32_t first, n; }; /* nodes [first, first + n), in flow order */

struct flow_graph {
	struct arena mem;
	const struct flow_node *nodes;       /* by pipeline, layer, id; the unconnected last */
	unsigned nnodes;
	const struct flow_edge *edges;       /* by from, to */
	unsigned nedges;
	const struct flow_pipeline *pipelines; /* by name */
	unsigned npipelines;
	const struct flow_verdict *verdicts; /* by node, code */
	unsigned nverdicts;
};

void flow_free(struct flow_graph *f); /* NULL is fine */

#endif
