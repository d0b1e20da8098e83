/* Reading points that have grown old: cache_read_coarse and its like. */
#include "cache/readers.h"

static bool level_of(uint32_t step, enum coarse_level *l)
{
	for (*l = COARSE_5MIN; *l < COARSE_LEVELS; ++*l)
		if (coarse_step(*l) == step)
			return true;
	return false;
}

static bool clip(int64_t *from, int64_t *to, uint32_t step)
{
	*from = *from < 0 ? 0 : *from - *from % step;
	*to = *to > KEYED_T_MAX ? KEYED_T_MAX : *to;
	return *from < *to;
}

bool cache_read_coarse(struct cache *c, uint32_t series, uint32_t step, int64_t from, int64_t to,
                       cache_coarse_point *point, void *ctx, struct err *e)
{
	struct coarse got = { 0 };
	enum coarse_level l;
	if (!level_of(step, &l))
		return err_set(e, ERR_USAGE, "cache", "%u s is no step of the history", (unsigned)step);
	if (!clip(&from, &to, step))
		return true;
	struct store *s = cache_store(c, e);
	if (!s)
		return false;
	int rc = store_read_coarse(s, cache_is_writer(c), series, l, from, to, &got);
	if (cache_read_failed(c, rc)) {
		got.n = 0;
		rc = store_read_coarse(s, cache_is_writer(c), series, l, from, to, &got);
	}
	for (size_t i = 0; i < got.n && rc == SQLITE_OK; i++)
		if (got.p[i].t >= from && got.p[i].t < to)
			point(ctx, got.p[i].t, got.p[i].v, got.p[i].n);
	coarse_clear(&got);
	return db_err(rc, cache_path(c), e);
}

int64_t cache_coarse_until(struct cache *c, uint32_t series, uint32_t step, int64_t from, int64_t to)
{
	enum coarse_level l;
	int64_t end = 0;
	struct store *s = level_of(step, &l) && clip(&from, &to, step) ? cache_store(c, NULL) : NULL;
	if (!s)
		return 0;
	int rc = store_coarse_end(s, series, l, from, to, &end);
	return rc ? 0 : end;
}

enum cache_combine cache_combines(const char *metric)
{
	switch (combine_of(metric)) {
	case COMBINE_SUM: return CACHE_SUM;
	case COMBINE_MEAN: return CACHE_MEAN;
	case COMBINE_LEAST: return CACHE_LEAST;
	default: return CACHE_MOST;
	}
}
