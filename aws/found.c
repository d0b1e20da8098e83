#include "aws/found.h"

#include "core/mem.h"

#include <stdlib.h>

void found_init(struct found *f)
{
	*f = (struct found){ 0 };
	arena_init(&f->mem);
}

void found_clear(struct found *f)
{
	free(f->page.token);
	free(f->res);
	free(f->facts);
	free(f->values);
	free(f->edges);
	arena_clear(&f->mem);
	found_init(f);
}

void found_add(struct found *f, const char *name, const char *arn, const char *handle)
{
	MEM_GROW(f->res, f->nres, f->cres);
	f->res[f->nres++] =
	    (struct found_res){ arena_strdup(&f->mem, name), arena_strdup(&f->mem, arn), arena_strdup(&f->mem, handle) };
}

void found_fact(struct found *f, const char *res, const char *key, const char *value)
{
	if (!value)
		return;
	MEM_GROW(f->facts, f->nfacts, f->cfacts);
	f->facts[f->nfacts++] =
	    (struct found_fact){ arena_strdup(&f->mem, res), arena_strdup(&f->mem, key), arena_strdup(&f->mem, value) };
}

void found_value(struct found *f, const char *res, const char *key, double v)
{
	MEM_GROW(f->values, f->nvalues, f->cvalues);
	f->values[f->nvalues++] = (struct found_value){ arena_strdup(&f->mem, res), arena_strdup(&f->mem, key), v };
}

void found_edge(struct found *f, const struct relation *r)
{
	MEM_GROW(f->edges, f->nedges, f->cedges);
	f->edges[f->nedges++] = relation_copy(&f->mem, r);
}
