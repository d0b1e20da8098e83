#include "cli/flow.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *pipeline_of(const struct flow_graph *f, const struct flow_node *n)
{
	return n->pipeline == FLOW_NONE ? NULL : f->pipelines[n->pipeline].name;
}

/* ---- text. A pipe gets one line a thing: what it is, then columns that stay where they are. */

static void pipe_text(struct out *o, const struct discover_result *r)
{
	const struct flow_graph *f = r->flow;
	struct table t;
	table_init(&t, 9, 0);
	for (unsigned i = 0; i < f->nnodes; i++) {
		const struct flow_node *n = &f->nodes[i];
		const char *pipeline = pipeline_of(f, n);
		const char *cells[] = { "node", pipeline ? pipeline : "", n->kind, n->name, n->id, "", "", "", "" };
		for (unsigned k = 0; k < 9; k++)
			table_add(&t, cells[k]);
	}
	for (unsigned i = 0; i < f->nedges; i++) {
		const struct flow_edge *e = &f->edges[i];
		const char *cells[] = { "edge",
			                    f->nodes[e->from].id,
			                    f->nodes[e->to].id,
			                    e->kind,
			                    e->strength,
			                    e->operation,
			                    e->field,
			                    e->state ? e->state : "",
			                    e->back        ? "back"
			                    : e->confirmed ? "confirmed"
			                                   : "" };
		for (unsigned k = 0; k < 9; k++)
			table_add(&t, cells[k]);
	}
	for (unsigned i = 0; i < f->nverdicts; i++) {
		const struct flow_verdict *v = &f->verdicts[i];
		const char *cells[] = { "verdict", v->code, f->nodes[v->node].id, v->text, "", "", "", "", "" };
		for (unsigned k = 0; k < 9; k++)
			table_add(&t, cells[k]);
	}
	for (unsigned i = 0; i < r->nproblems; i++) {
		const struct discover_problem *p = &r->problems[i];
		const char *cells[] = { "problem", p->op, err_check_code(p->err.code), p->err.text, "", "", "", "", "" };
		for (unsigned k = 0; k < 9; k++)
			table_add(&t, cells[k]);
	}
	table_print(&t, o);
}

static void eye_node(struct table *t, const struct flow_node *n)
{
	table_add(t, "");
	table_add(t, n->name);
	table_add(t, n->kind);
	table_add(t, n->listed ? "" : "not listed here");
	table_add(t, "");
}

static void eye_edge(struct table *t, const struct flow_graph *f, const struct flow_edge *e)
{
	char how[128], to[300], proof[200];
	bool state = e->state && strcmp(e->state, "Enabled") != 0;
	snprintf(how, sizeof how, "%s%s%.60s%s", e->kind, state ? ", " : "", state ? e->state : "",
	         e->back ? ", closes a cycle" : "");
	snprintf(to, sizeof to, "  -> %.256s", f->nodes[e->to].name);
	snprintf(proof, sizeof proof, "%s %s%s", e->operation, e->field, e->confirmed ? ", confirmed" : "");
	table_add(t, "");
	table_add(t, to);
	table_add(t, f->nodes[e->to].kind);
	table_add(t, how);
	table_add(t, proof);
}

static void eye_text(struct out *o, const struct discover_result *r)
{
	const struct flow_graph *f = r->flow;
	struct table t;
	uint32_t last = UINT32_MAX - 1;
	unsigned edge = 0;
	table_init(&t, 5, 0);
	for (uint32_t i = 0; i < f->nnodes; i++) {
		const struct flow_node *n = &f->nodes[i];
		if (n->pipeline != last) {
			table_add(&t, n->pipeline == FLOW_NONE ? "(unconnected)" : pipeline_of(f, n));
			for (unsigned k = 1; k < 5; k++)
				table_add(&t, "");
			last = n->pipeline;
		}
		eye_node(&t, n);
		for (; edge < f->nedges && f->edges[edge].from == i; edge++)
			eye_edge(&t, f, &f->edges[edge]);
	}
	table_print(&t, o);
	for (unsigned i = 0; i < f->nverdicts; i++) {
		const struct flow_verdict *v = &f->verdicts[i];
		out_own(o, i ? "" : "\n");
		out_ownf(o, "%s  ", v->code);
		out_text(o, f->nodes[v->node].name);
		out_own(o, ": ");
		out_text(o, v->text);
		out_own(o, "\n");
	}
}

void flow_text(struct out *o, const struct discover_result *r)
{
	(o->tty ? eye_text : pipe_text)(o, r);
}

/* ---- JSON */

static void json_node(struct json_out *j, const struct flow_graph *f, const struct flow_node *n)
{
	json_out_object(j, NULL);
	json_out_str(j, "id", n->id);
	json_out_str(j, "kind", n->kind);
	json_out_str(j, "name", n->name);
	json_out_str(j, "arn", n->arn);
	json_out_str(j, "pipeline", pipeline_of(f, n));
	json_out_int(j, "layer", n->layer);
	json_out_bool(j, "listed", n->listed);
	json_out_object_end(j);
}

static void json_edge(struct json_out *j, const struct flow_graph *f, const struct flow_edge *e)
{
	json_out_object(j, NULL);
	json_out_str(j, "from", f->nodes[e->from].id);
	json_out_str(j, "to", f->nodes[e->to].id);
	json_out_str(j, "kind", e->kind);
	json_out_str(j, "strength", e->strength);
	json_out_object(j, "proof");
	json_out_str(j, "operation", e->operation);
	json_out_str(j, "field", e->field);
	json_out_int(j, "rule", e->rule);
	json_out_bool(j, "confirmed", e->confirmed);
	json_out_object_end(j);
	json_out_str(j, "state", e->state);
	json_out_bool(j, "back", e->back);
	json_out_object_end(j);
}

static void json_problem(struct json_out *j, const struct discover_problem *p)
{
	char statement[ERR_STATEMENT];
	json_out_object(j, NULL);
	json_out_str(j, "operation", p->op);
	json_out_str(j, "code", err_check_code(p->err.code));
	json_out_str(j, "text", p->err.text);
	json_out_str(j, "action", *p->err.action ? p->err.action : NULL);
	json_out_str(j, "statement", *err_statement(&p->err, statement) ? statement : NULL);
	json_out_int(j, "calls", p->n);
	json_out_object_end(j);
}

void flow_json(struct out *o, const struct discover_result *r)
{
	const struct flow_graph *f = r->flow;
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_time(&j, "generated", clock_wall());
	json_out_str(&j, "account", *r->target.account ? r->target.account : NULL);
	json_out_str(&j, "region", *r->target.region ? r->target.region : NULL);
	json_out_array(&j, "nodes");
	for (unsigned i = 0; i < f->nnodes; i++)
		json_node(&j, f, &f->nodes[i]);
	json_out_array_end(&j);
	json_out_array(&j, "edges");
	for (unsigned i = 0; i < f->nedges; i++)
		json_edge(&j, f, &f->edges[i]);
	json_out_array_end(&j);
	json_out_array(&j, "verdicts");
	for (unsigned i = 0; i < f->nverdicts; i++) {
		json_out_object(&j, NULL);
		json_out_str(&j, "code", f->verdicts[i].code);
		json_out_str(&j, "node", f->nodes[f->verdicts[i].node].id);
		json_out_str(&j, "text", f->verdicts[i].text);
		json_out_object_end(&j);
	}
	json_out_array_end(&j);
	json_out_array(&j, "problems");
	for (unsigned i = 0; i < r->nproblems; i++)
		json_problem(&j, &r->problems[i]);
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

/* ---- DOT. A quoted string ends at a quote; a backslash begins one of graphviz's own escapes. */

static void dot_text(struct out *o, const char *any)
{
	struct out plain = { .fd = -1 };
	buf_init(&plain.b, 1 << 20);
	out_text(&plain, any);
	for (const char *s = plain.b.p ? plain.b.p : ""; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(&o->b, '\\');
		buf_addc(&o->b, *s);
	}
	buf_clear(&plain.b);
	out_own(o, "");
}

static void dot_node(struct out *o, const struct flow_node *n)
{
	out_own(o, "    \"");
	dot_text(o, n->id);
	out_own(o, "\" [label=\"");
	dot_text(o, n->name);
	out_own(o, "\\n");
	dot_text(o, n->kind);
	out_ownf(o, "\"%s];\n", n->listed ? "" : ", style=dashed");
}

static void dot_edge(struct out *o, const struct flow_graph *f, const struct flow_edge *e)
{
	out_own(o, "  \"");
	dot_text(o, f->nodes[e->from].id);
	out_own(o, "\" -> \"");
	dot_text(o, f->nodes[e->to].id);
	out_ownf(o, "\" [label=\"%s", e->kind);
	if (e->state && strcmp(e->state, "Enabled") != 0) {
		out_own(o, "\\n");
		dot_text(o, e->state);
	}
	out_ownf(o, "\", tooltip=\"%s %s\"%s%s];\n", e->operation, e->field,
	         strcmp(e->kind, "mapping") == 0 ? "" : ", style=dashed", e->back ? ", constraint=false" : "");
}

void flow_dot(struct out *o, const struct discover_result *r)
{
	const struct flow_graph *f = r->flow;
	out_own(o, "digraph sluice {\n  rankdir=LR;\n  node [shape=box];\n");
	for (unsigned p = 0; p < f->npipelines; p++) {
		const struct flow_pipeline *pipe = &f->pipelines[p];
		out_ownf(o, "  subgraph \"cluster_%u\" {\n    label=\"", p);
		dot_text(o, pipe->name);
		out_own(o, "\";\n");
		for (uint32_t i = pipe->first; i < pipe->first + pipe->n; i++)
			dot_node(o, &f->nodes[i]);
		out_own(o, "  }\n");
	}
	for (uint32_t i = 0; i < f->nnodes; i++)
		if (f->nodes[i].pipeline == FLOW_NONE)
			dot_node(o, &f->nodes[i]);
	for (unsigned i = 0; i < f->nedges; i++)
		dot_edge(o, f, &f->edges[i]);
	out_own(o, "}\n");
}
