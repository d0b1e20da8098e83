/* Measures: one series each, interned by its metric's text, however many stages show it. */
#include "core/mem.h"
#include "engine/inside.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
	const struct measure *x = a, *y = b;
	int d = strcmp(x->text, y->text);
	return d ? d : (x->series.step > y->series.step) - (x->series.step < y->series.step);
}

static void measure_free(struct measure *m)
{
	series_clear(&m->series);
	free(m->err);
	free(m->watch);
}

static struct measure *measure_intern(struct engine *g, const char *text, uint32_t step, bool *added)
{
	struct measure key = { .text = (char *)text, .series.step = step };
	struct measure **found = tfind(&key, &g->measures, by_text);
	*added = !found;
	if (found)
		return *found;
	struct measure *m = arena_alloc(&g->measures_mem, sizeof *m);
	m->text = arena_strdup(&g->words_mem, text);
	series_init(&m->series, step);
	tsearch(m, &g->measures, by_text);
	MEM_GROW(g->measure_list, g->nmeasures, g->cmeasures);
	g->measure_list[g->nmeasures++] = m;
	return m;
}

/* Namespaces, names, statistics and dimensions' names are few, however many measures there are. */
static char *atom(struct engine *g, const char *s)
{
	for (unsigned i = 0; s && i < g->natoms; i++)
		if (strcmp(g->atoms[i], s) == 0)
			return (char *)g->atoms[i];
	char *copy = arena_strdup(&g->words_mem, s);
	if (s && g->natoms < sizeof g->atoms / sizeof *g->atoms)
		g->atoms[g->natoms++] = copy;
	return copy;
}

static void copy_id(struct engine *g, struct metric_id *to, const struct metric_id *from)
{
	to->ns = atom(g, from->ns);
	to->name = atom(g, from->name);
	to->stat = atom(g, from->stat);
	to->dims = arena_array(&g->words_mem, from->ndims, sizeof *to->dims);
	to->ndims = from->ndims;
	for (unsigned i = 0; i < from->ndims; i++) {
		to->dims[i].name = atom(g, from->dims[i].name);
		to->dims[i].value = arena_strdup(&g->words_mem, from->dims[i].value);
	}
}

/* Of its text what comes before the statistic: whoever shares it goes side by side into one request. */
static size_t base_len(const struct measure *m)
{
	return strlen(m->text) - strlen(m->id.stat ? m->id.stat : "");
}

static int by_base(const void *a, const void *b)
{
	const struct measure *x = a, *y = b;
	size_t n = base_len(x), k = base_len(y);
	int d = memcmp(x->text, y->text, n < k ? n : k);
	d = d ? d : (n > k) - (n < k);
	return d ? d : (x->series.step > y->series.step) - (x->series.step < y->series.step);
}

static void join_siblings(struct engine *g, struct measure *m)
{
	struct measure *first = *(struct measure **)tsearch(m, &g->bases, by_base);
	m->sibling = m;
	if (first == m)
		return;
	m->sibling = first->sibling;
	first->sibling = m;
}

struct measure *inventory_measure(struct engine *g, const struct metric_id *id, uint32_t step, bool sparse)
{
	struct buf text;
	bool added;
	buf_init(&text, 64 * 1024);
	metric_text(id, &text);
	struct measure *m = measure_intern(g, buf_span(&text).p, step, &added);
	buf_clear(&text);
	if (added) {
		copy_id(g, &m->id, id);
		m->sparse = sparse;
		join_siblings(g, m);
		store_points(g, m);
	}
	return m;
}

struct measure *inventory_measure_known(struct engine *g, const struct metric_id *id, uint32_t step)
{
	struct buf text;
	buf_init(&text, 64 * 1024);
	metric_text(id, &text);
	struct measure key = { .text = text.p, .series.step = step };
	struct measure **found = text.p ? tfind(&key, &g->measures, by_text) : NULL;
	buf_clear(&text);
	return found ? *found : NULL;
}

struct measure *inventory_direct(struct engine *g, const struct kind *k, const char *key, const char *name)
{
	bool added;
	char *text = xasprintf("direct:%s/%s{name=%s}", k->info.id, key, name);
	struct measure *m = measure_intern(g, text, STEP, &added);
	free(text);
	if (added)
		store_points(g, m);
	return m;
}

static void nothing(void *p)
{
	(void)p;
}

void measures_free(struct engine *g)
{
	tdestroy(g->measures, nothing);
	tdestroy(g->bases, nothing);
	free(g->due);
	for (unsigned i = 0; i < g->nmeasures; i++)
		measure_free(g->measure_list[i]);
	free(g->measure_list);
	arena_clear(&g->measures_mem);
	arena_clear(&g->words_mem);
	g->natoms = 0;
	g->measures = g->bases = NULL;
	g->due = g->measure_list = NULL;
	g->ndue = g->cdue = g->nmeasures = g->cmeasures = 0;
}
