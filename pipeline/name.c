/* What a pipeline is called: as the configuration says, else by what its members' names begin with, else after its first source.
 * The name depends on the members alone, so it is the same tomorrow; two pipelines that would have one name both go by their source. */
#include "core/mem.h"
#include "pipeline/inside.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATORS "-_.:/ "
#define PREFIX_LEAST 2 /* letters: fewer say nothing */

static bool ends_at(const char *name, size_t n)
{
	return !name[n] || strchr(SEPARATORS, name[n]);
}

size_t name_prefix(const char *const *names, unsigned n)
{
	size_t len = n ? strlen(names[0]) : 0;
	for (unsigned i = 1; i < n; i++) {
		size_t k = 0;
		while (k < len && names[i][k] == names[0][k])
			k++;
		len = k;
	}
	for (; len >= PREFIX_LEAST; len--) {
		unsigned fits = 0;
		while (fits < n && ends_at(names[fits], len) && !strchr(SEPARATORS, names[fits][len - 1]))
			fits++;
		if (fits == n)
			return len;
	}
	return 0;
}

struct label {
	const char *configured; /* borrowed */
	char *name;
	uint32_t source; /* the lowest node of the first layer */
	uint32_t component;
	bool twice;
};

static int by_name(const void *a, const void *b)
{
	const struct label *x = *(struct label *const *)a, *y = *(struct label *const *)b;
	return strcmp(x->name, y->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void nothing(void *p)
{
	(void)p;
}

/* A name is PIPELINE of PIPELINE/NAME, so it holds no slash. */
static void plain(char *name)
{
	for (; *name; name++)
		if (*name == '/')
			*name = '-';
}

static void name_one(const struct drawing *d, struct label *l, const uint32_t *members, uint32_t n)
{
	const char **names = xcalloc(n, sizeof *names);
	l->source = members[0];
	for (uint32_t i = 0; i < n; i++) {
		const struct node *m = &d->nodes[members[i]];
		names[i] = m->name;
		if (m->layer < d->nodes[l->source].layer)
			l->source = members[i];
		if (!l->configured && m->resource)
			l->configured = m->resource->pipeline;
	}
	size_t len = name_prefix(names, n);
	l->name = len ? xstrndup(names[0], len) : xstrdup(d->nodes[l->source].name);
	plain(l->name);
	free(names);
}

/* Runs of equal names go by their sources, and what is still equal by a number. */
static void make_unique(const struct drawing *d, struct label *labels, uint32_t n)
{
	struct label **order = xcalloc(n + 1u, sizeof *order);
	void *taken = NULL;
	for (unsigned i = 0; i < d->facts->nresources; i++)
		if (d->facts->resources[i].pipeline)
			tsearch(d->facts->resources[i].pipeline, &taken, by_text);
	uint32_t unnamed = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!labels[i].configured)
			order[unnamed++] = &labels[i];
	if (unnamed > 1)
		qsort(order, unnamed, sizeof *order, by_name);
	for (uint32_t i = 1; i < unnamed; i++)
		if (strcmp(order[i - 1]->name, order[i]->name) == 0)
			order[i - 1]->twice = order[i]->twice = true;
	free(order);
	for (uint32_t i = 0; i < n; i++) {
		struct label *l = &labels[i];
		if (l->configured)
			continue;
		if (l->twice || tfind(l->name, &taken, by_text)) {
			free(l->name);
			l->name = xstrdup(d->nodes[l->source].name);
			plain(l->name);
		}
		for (unsigned k = 2; tfind(l->name, &taken, by_text); k++) {
			free(l->name);
			l->name = xasprintf("%s-%u", d->nodes[l->source].name, k);
			plain(l->name);
		}
		tsearch(l->name, &taken, by_text);
	}
	tdestroy(taken, nothing);
}

static void label_nodes(struct drawing *d, const struct graph *g, const struct label *labels)
{
	const char **names = xcalloc(g->ncomponents + 1u, sizeof *names);
	for (uint32_t i = 0; i < g->ncomponents; i++)
		names[i] = arena_strdup(&d->flow->mem, labels[i].configured ? labels[i].configured : labels[i].name);
	for (uint32_t i = 0; i < d->nnodes; i++) {
		struct node *n = &d->nodes[i];
		const char *own = n->resource ? n->resource->pipeline : NULL;
		n->pipeline = own ? own : g->component[i] != GRAPH_NONE ? names[g->component[i]] : NULL;
	}
	free(names);
}

void name_pipelines(struct drawing *d, const struct graph *g)
{
	uint32_t nc = g->ncomponents, *first = xcalloc(nc + 2u, sizeof *first), *next = xcalloc(nc + 1u, sizeof *next);
	uint32_t *members = xcalloc(d->nnodes + 1u, sizeof *members);
	struct label *labels = xcalloc(nc + 1u, sizeof *labels);
	for (uint32_t i = 0; i < d->nnodes; i++)
		if (g->component[i] != GRAPH_NONE)
			first[g->component[i] + 1]++;
	for (uint32_t c = 0; c < nc; c++)
		first[c + 1] += first[c];
	for (uint32_t i = 0; i < d->nnodes; i++)
		if (g->component[i] != GRAPH_NONE)
			members[first[g->component[i]] + next[g->component[i]]++] = i;
	for (uint32_t c = 0; c < nc; c++)
		name_one(d, &labels[c], members + first[c], first[c + 1] - first[c]);
	make_unique(d, labels, nc);
	label_nodes(d, g, labels);
	for (uint32_t c = 0; c < nc; c++)
		free(labels[c].name);
	free(labels);
	free(members);
	free(next);
	free(first);
}
