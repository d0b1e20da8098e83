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
	metric_clear(&m->id);
	series_clear(&m->series);
	free(m->text);
	free(m->err);
	free(m->watch);
	free(m);
}

/* Takes text. */
static struct measure *measure_intern(struct engine *g, char *text, uint32_t step, bool *added)
{
	struct measure key = { .text = text, .series.step = step };
	struct measure **found = tfind(&key, &g->measures, by_text);
	*added = !found;
	if (found) {
		free(text);
		return *found;
	}
	struct measure *m = xcalloc(1, sizeof *m);
	m->text = text;
	series_init(&m->series, step);
	tsearch(m, &g->measures, by_text);
	MEM_GROW(g->measure_list, g->nmeasures, g->cmeasures);
	g->measure_list[g->nmeasures++] = m;
	return m;
}

static void copy_id(struct metric_id *to, const struct metric_id *from)
{
	metric_set(to, from->ns, from->name, from->stat);
	for (unsigned i = 0; i < from->ndims; i++)
		metric_add_dim(to, from->dims[i].name, from->dims[i].value);
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
	struct measure *m = measure_intern(g, buf_steal(&text), step, &added);
	if (added) {
		copy_id(&m->id, id);
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
	struct measure *m = measure_intern(g, xasprintf("direct:%s/%s{name=%s}", k->info.id, key, name), STEP, &added);
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
	g->measures = g->bases = NULL;
	g->due = g->measure_list = NULL;
	g->ndue = g->cdue = g->nmeasures = g->cmeasures = 0;
}
