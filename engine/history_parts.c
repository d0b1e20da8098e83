/* The parts of a history request: which grid each has, what is known of it, and how they become one answer. */
#include "engine/history.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_POINTS 1000000
#define DAY 86400

bool history_online(const struct work *w)
{
	return !w->t->rq.history.offline && w->g->account_err.code == ERR_OK && !w->g->closing && w->g->first == FIRST_OVER;
}

/* ---- which grid */

static struct measure *at_step(struct engine *g, struct measure *m, uint32_t step)
{
	return !m || step == STEP || !m->id.ns ? m : inventory_measure(g, &m->id, step, m->sparse);
}

static int64_t up(int64_t t, int64_t step)
{
	return (t + step - 1) / step * step;
}

/* CloudWatch keeps one-minute points 15 days, five-minute ones 63, hourly ones 455. */
static void bounds_of_cloudwatch(int64_t bound[2])
{
	int64_t now = clock_wall();
	bound[0] = up(now - 63 * DAY, 3600);
	bound[1] = up(now - 15 * DAY, 300);
}

static void bounds_of_file(const struct work *w, int64_t bound[2])
{
	bound[0] = bound[1] = 0;
	for (unsigned i = 0; i < w->nm && w->g->cache; i++) {
		uint32_t id = w->m[i]->cache_id;
		int64_t hours = id ? cache_coarse_until(w->g->cache, id, 3600, w->from, w->to) : 0;
		int64_t minutes = id ? cache_coarse_until(w->g->cache, id, 300, w->from, w->to) : 0;
		bound[0] = hours > bound[0] ? hours : bound[0];
		bound[1] = minutes > bound[1] ? minutes : bound[1];
	}
}

bool history_in_file(const struct work *w)
{
	int64_t bound[HISTORY_PARTS];
	bounds_of_file(w, bound);
	return bound[0] || bound[1];
}

static void add_part(struct work *w, int64_t from, int64_t to, uint32_t step)
{
	from = from / step * step;
	to = up(to, step);
	if (to <= from)
		return;
	struct part *p = &w->parts[w->nparts++];
	*p = (struct part){ .from = from, .to = to, .step = step, .n = (unsigned)((to - from) / step) };
	for (unsigned i = 0; i < w->nm; i++)
		p->m[i] = at_step(w->g, w->m[i], step);
}

/* Where one part ends the next begins: a bound is a whole step of both. */
static bool lay_out(struct work *w, struct err *e)
{
	static const uint32_t steps[HISTORY_PARTS] = { 3600, 300, STEP };
	int64_t bound[HISTORY_PARTS], begin = w->from, points = 0;
	if (w->by_file)
		bounds_of_file(w, bound);
	else
		bounds_of_cloudwatch(bound);
	bound[2] = w->to;
	for (unsigned i = 0; i < HISTORY_PARTS; i++) {
		int64_t end = bound[i] < w->to ? bound[i] : w->to;
		if (end > begin)
			points += (end - begin) / steps[i] + 1;
		if (points > MOST_POINTS)
			break;
		if (end > begin)
			add_part(w, begin, end, steps[i]);
		begin = end > begin ? up(end, steps[i]) : begin;
	}
	return points <= MOST_POINTS ||
	       err_set(e, ERR_USAGE, "history", "this range holds more than %d points", MOST_POINTS);
}

void history_clear(struct work *w)
{
	for (unsigned k = 0; k < w->nparts; k++) {
		struct part *p = &w->parts[k];
		if (p->batch)
			batch_free(p->batch);
		for (unsigned i = 0; i < 2; i++) {
			free(p->v[i]);
			free(p->held[i]);
		}
	}
	w->nparts = w->polling = 0;
}

/* ---- what is known */

struct into {
	struct part *p;
	unsigned i;
	bool rolled;
};

static void put(const struct into *to, int64_t t, double v, uint32_t held)
{
	struct part *p = to->p;
	if (t < p->from || t >= p->to)
		return;
	int64_t k = (t - p->from) / p->step;
	p->v[to->i][k] = v;
	p->held[to->i][k] = held;
}

static void cached_point(void *ctx, int64_t t, double v)
{
	put(ctx, t, v, 0);
}

static void coarse_point(void *ctx, int64_t t, double v, uint32_t held)
{
	const struct into *to = ctx;
	put(to, t, v, to->rolled ? held : 0);
}

/* Rolled-up points first; over them what CloudWatch itself gave for this step. */
static void read_cached(struct work *w, struct into *to)
{
	struct part *p = to->p;
	const struct measure *base = w->m[to->i], *own = p->m[to->i];
	if (p->step == STEP && own->cache_id)
		cache_read(w->g->cache, own->cache_id, p->from, p->to, cached_point, to, NULL);
	to->rolled = true;
	if (p->step != STEP && base->cache_id)
		cache_read_coarse(w->g->cache, base->cache_id, p->step, p->from, p->to, coarse_point, to, NULL);
	to->rolled = false;
	if (p->step != STEP && own != base && own->cache_id)
		cache_read_coarse(w->g->cache, own->cache_id, p->step, p->from, p->to, coarse_point, to, NULL);
}

static void read_part(struct work *w, struct part *p)
{
	for (unsigned i = 0; i < w->nm; i++) {
		const struct series *s = &p->m[i]->series;
		struct into to = { p, i, false };
		p->v[i] = xreallocarray(NULL, p->n, sizeof(double));
		p->held[i] = xcalloc(p->n, sizeof(uint32_t));
		for (unsigned k = 0; k < p->n; k++)
			p->v[i][k] = NAN;
		if (w->g->cache)
			read_cached(w, &to);
		for (unsigned k = 0; k < s->len && s->step == p->step; k++) {
			int64_t t = s->last - (int64_t)k * s->step;
			double v = series_at(s, t);
			if (!isnan(v))
				put(&to, t, v, 0);
		}
	}
}

bool history_read(struct work *w, struct err *e)
{
	history_clear(w);
	w->by_file |= !history_online(w) || w->first == w->nm;
	if (!lay_out(w, e))
		return false;
	for (unsigned k = 0; k < w->nparts; k++)
		read_part(w, &w->parts[k]);
	return true;
}

/* ---- the answer */

static bool zero_at(const struct work *w, const struct part *p, unsigned i, unsigned k)
{
	int64_t t = p->from + (int64_t)k * p->step;
	return w->sparse[i] && known_covers(&p->m[i]->known, t, t + p->step);
}

/* Two columns become one: the past stands in for readings that are missing, or both are operands. */
static void join(const struct work *w, struct part *p)
{
	for (unsigned k = 0; k < p->n; k++) {
		uint32_t *held = &p->held[0][k], other = p->held[1][k];
		if (w->first) {
			*held = isnan(p->v[0][k]) ? other : *held;
			p->v[0][k] = isnan(p->v[0][k]) ? p->v[1][k] : p->v[0][k];
			continue;
		}
		p->v[0][k] = derive(&w->info, p->v[0][k], p->v[1][k], zero_at(w, p, 0, k), zero_at(w, p, 1, k));
		*held = *held && (!other || *held < other) ? *held : other;
	}
}

void history_join(struct work *w)
{
	for (unsigned i = 0; i < w->nparts && w->nm == 2; i++)
		join(w, &w->parts[i]);
}

static const char *combined(const struct work *w)
{
	static const char *const words[] = {
		[CACHE_SUM] = "sum", [CACHE_MEAN] = "mean", [CACHE_LEAST] = "lowest", [CACHE_MOST] = "highest"
	};
	return words[cache_combines(w->m[0]->text)];
}

void history_give(const struct work *w, struct history_result *r)
{
	r->parts = xcalloc(w->nparts, sizeof *r->parts);
	for (unsigned i = 0; i < w->nparts; i++)
		r->n += w->parts[i].n;
	r->v = xreallocarray(NULL, r->n + 1u, sizeof *r->v);
	r->held = xcalloc(r->n + 1u, sizeof *r->held);
	for (unsigned i = 0, at = 0; i < w->nparts; at += w->parts[i++].n) {
		const struct part *p = &w->parts[i];
		struct history_part *out = &r->parts[r->nparts++];
		*out = (struct history_part){ .from = p->from, .to = p->to, .step = p->step, .n = p->n };
		memcpy(r->v + at, p->v[0], p->n * sizeof *r->v);
		memcpy(r->held + at, p->held[0], p->n * sizeof *r->held);
		for (unsigned k = 0; k < p->n; k++)
			if (p->held[0][k] && !isnan(p->v[0][k]))
				out->rolled = combined(w);
	}
	r->step = w->parts[w->nparts - 1].step;
	r->from = w->parts[0].from;
	r->to = w->parts[w->nparts - 1].to;
}
