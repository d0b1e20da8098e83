#include "cache/coarse.h"

#include "cache/varint.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX (64 << 10)

void coarse_clear(struct coarse *c)
{
	free(c->p);
	*c = (struct coarse){ 0 };
}

/* The statistic stands at the end of the text, behind a ':'. */
static bool has_stat(const char *metric, const char *stat)
{
	size_t n = strlen(metric), m = strlen(stat);
	return n > m && metric[n - m - 1] == ':' && strcmp(metric + n - m, stat) == 0;
}

enum combine combine_of(const char *metric)
{
	if (strncmp(metric, "direct:", 7) == 0 || has_stat(metric, "Average"))
		return COMBINE_MEAN;
	if (has_stat(metric, "Sum") || has_stat(metric, "SampleCount"))
		return COMBINE_SUM;
	return has_stat(metric, "Minimum") ? COMBINE_LEAST : COMBINE_MOST;
}

static double combined(enum combine how, const struct coarse_point *p, double v, uint32_t n)
{
	switch (how) {
	case COMBINE_SUM: return p->v + v;
	case COMBINE_MEAN:
		return p->v + (v - p->v) * ((double)n / ((double)p->n + n)); /* of equal values exactly that value */
	case COMBINE_LEAST: return v < p->v ? v : p->v;
	default: return v > p->v ? v : p->v;
	}
}

void coarse_fold(struct coarse *c, enum combine how, int64_t step, int64_t t, double v, uint32_t n)
{
	struct coarse_point *last = c->n ? &c->p[c->n - 1] : NULL;
	t -= t % step;
	if (last && last->t == t) {
		last->v = combined(how, last, v, n);
		last->n += n;
		return;
	}
	MEM_GROW(c->p, c->n, c->cap);
	c->p[c->n++] = (struct coarse_point){ t, v, n };
}

void coarse_merge(struct coarse *c, const struct coarse *more)
{
	if (!more->n)
		return;
	struct coarse both = { 0 };
	both.cap = c->n + more->n;
	both.p = xreallocarray(NULL, both.cap, sizeof *both.p);
	for (size_t i = 0, k = 0; i < c->n || k < more->n;) {
		const struct coarse_point *a = i < c->n ? &c->p[i] : NULL, *b = k < more->n ? &more->p[k] : NULL;
		bool same = a && b && a->t == b->t;
		bool first = same ? a->n > b->n : !b || (a && a->t < b->t);
		both.p[both.n++] = first ? *a : *b;
		i += same || first;
		k += same || !first;
	}
	coarse_clear(c);
	*c = both;
}

bool coarse_encode(struct buf *out, enum coarse_level l, int64_t start, const struct coarse *c)
{
	struct points values = { 0 }, counts = { 0 };
	struct buf chunk;
	for (size_t i = 0; i < c->n; i++) {
		int64_t at = (c->p[i].t - start) / coarse_step(l);
		if (!isfinite(c->p[i].v))
			continue;
		points_put(&values, at, c->p[i].v);
		points_put(&counts, at, c->p[i].n);
	}
	bool any = values.n > 0;
	buf_init(&chunk, BODY_MAX);
	if (any) {
		chunk_encode(&chunk, 0, values.p, values.n);
		put_varint(out, chunk.n);
		buf_addspan(out, buf_span(&chunk));
		chunk_encode(out, 0, counts.p, counts.n);
	}
	buf_clear(&chunk);
	points_clear(&values);
	points_clear(&counts);
	return any;
}

bool coarse_decode(struct span body, enum coarse_level l, int64_t start, struct coarse *out)
{
	struct points values = { 0 }, counts = { 0 };
	struct reader r = reader_of(body);
	struct span first = read_span(&r, read_varint(&r)), rest = { (const char *)r.p, (size_t)(r.end - r.p) };
	bool ok = !r.bad && chunk_decode(first, 0, &values) && chunk_decode(rest, 0, &counts) && values.n == counts.n &&
	          values.p[values.n - 1].t < COARSE_STEPS;
	for (size_t i = 0; ok && i < values.n; i++)
		ok = values.p[i].t == counts.p[i].t && counts.p[i].v >= 1 && counts.p[i].v <= UINT32_MAX;
	for (size_t i = 0; ok && i < values.n; i++) {
		MEM_GROW(out->p, out->n, out->cap);
		out->p[out->n++] =
		    (struct coarse_point){ start + values.p[i].t * coarse_step(l), values.p[i].v, (uint32_t)counts.p[i].v };
	}
	points_clear(&values);
	points_clear(&counts);
	return ok;
}
