/* What was known when: the points of now, less what was noticed later. */
#include "cache/readers.h"
#include "cache/tick.h"

#include <math.h>
#include <stdlib.h>

void cache_revise(struct cache *c, uint32_t series, int64_t t, double old, int64_t since, int64_t seen)
{
	struct store *s = cache_store(c, NULL);
	if (!s || !cache_is_writer(c) || t < 0 || t >= KEYED_T_MAX || seen <= 0 || seen >= KEYED_T_MAX || isinf(old))
		return;
	const struct revision one = { .series = series, .t = t, .since = since, .seen = seen, .old = old };
	revise_add(&s->revise, &one);
}

struct both {
	struct points now;
	struct revisions past;
};

/* Points first: a revision that another process adds meanwhile then undoes nothing that was not read. */
static int read_once(struct store *s, bool writer, uint32_t series, int64_t from, int64_t to, struct both *r)
{
	int rc = store_read(s, writer, series, from, to, &r->now);
	return rc ? rc : store_read_revisions(s, series, from, to, &r->past);
}

static void forget(struct both *r)
{
	points_clear(&r->now);
	free(r->past.v);
	*r = (struct both){ 0 };
}

static bool read_both(struct cache *c, uint32_t series, int64_t *from, int64_t *to, struct both *r, struct err *e)
{
	struct store *s = cache_store(c, e);
	*from = *from < 0 ? 0 : *from;
	*to = *to > KEYED_T_MAX ? KEYED_T_MAX : *to;
	if (!s || *from >= *to)
		return s != NULL;
	int rc = read_once(s, cache_is_writer(c), series, *from, *to, r);
	if (cache_read_failed(c, rc)) {
		forget(r);
		rc = read_once(s, cache_is_writer(c), series, *from, *to, r);
	}
	return db_err(rc, cache_path(c), e);
}

/* Of the revisions of one time, [i, end), the value at `seen`; those noticed later are undone, the oldest of them last. False:
 * nothing was known of it. */
static bool undo(const struct revisions *past, size_t i, size_t end, int64_t seen, double *v)
{
	for (size_t k = end; k-- > i && past->v[k].seen > seen;) {
		*v = past->v[k].old;
		if (k == i && past->v[k].since > seen)
			*v = NAN;
	}
	return !isnan(*v);
}

static size_t same_time(const struct revisions *past, size_t i)
{
	size_t end = i;
	while (end < past->n && past->v[end].t == past->v[i].t)
		end++;
	return end;
}

static double value_at(const struct points *now, size_t *at, int64_t t)
{
	while (*at < now->n && now->p[*at].t < t)
		++*at;
	return *at < now->n && now->p[*at].t == t ? now->p[*at].v : NAN;
}

bool cache_read_as_seen(struct cache *c, uint32_t series, int64_t seen, int64_t from, int64_t to, cache_point *point,
                        void *ctx, bool *whole, struct err *e)
{
	struct both r = { 0 };
	bool ok = read_both(c, series, &from, &to, &r, e);
	for (size_t i = 0, k = 0; i < r.now.n && ok; i++) {
		double v = r.now.p[i].v;
		int64_t t = r.now.p[i].t;
		while (k < r.past.n && r.past.v[k].t < t)
			k++;
		size_t end = k < r.past.n && r.past.v[k].t == t ? same_time(&r.past, k) : k;
		if (t >= from && t < to && undo(&r.past, k, end, seen, &v))
			point(ctx, t, v);
	}
	*whole = !r.past.lost;
	forget(&r);
	return ok;
}

bool cache_read_revisions(struct cache *c, uint32_t series, int64_t from, int64_t to, cache_revised *each, void *ctx,
                          bool *whole, struct err *e)
{
	struct both r = { 0 };
	size_t at = 0;
	bool ok = read_both(c, series, &from, &to, &r, e);
	for (size_t i = 0, end; i < r.past.n && ok; i = end) {
		const struct revision *first = &r.past.v[i];
		end = same_time(&r.past, i);
		const struct cache_revision one = { .t = first->t,
			                                .first = first->old,
			                                .first_seen = first->since,
			                                .value = value_at(&r.now, &at, first->t),
			                                .last_seen = r.past.v[end - 1].seen,
			                                .rev = (unsigned)(end - i) };
		each(ctx, &one);
	}
	*whole = !r.past.lost;
	forget(&r);
	return ok;
}
