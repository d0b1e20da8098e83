/* The single door for datapoints: whatever a service said goes through here to the series, the history and the screen. */
#include "engine/inside.h"

#include <math.h>

/* CloudWatch takes points up to two hours ahead; one from next year would push everything real out of the ring. */
#define AHEAD (2 * 3600 + STEP)

void known_add(struct known *k, int64_t from, int64_t to)
{
	k->read_at = clock_wall();
	if (!k->to || from > k->to) { /* a hole between: only the newer part is known without one */
		k->from = from;
		k->to = to;
		return;
	}
	if (to < k->from) /* an old window apart: the file keeps its points, nothing is claimed between */
		return;
	k->from = from < k->from ? from : k->from;
	k->to = to > k->to ? to : k->to;
}

bool known_covers(const struct known *k, int64_t from, int64_t to)
{
	return k->to && k->from <= from && to <= k->to;
}

void ingest_point(struct engine *g, struct measure *m, int64_t t, double v)
{
	if (!isfinite(v) || t <= 0 || t > clock_wall() + AHEAD)
		return;
	enum series_put put = series_put(&m->series, t, v);
	if (put == SERIES_SAME || put == SERIES_OLD)
		return;
	g->dirty = true;
	if (g->cache && m->cache_id)
		cache_add(g->cache, m->cache_id, t - t % m->series.step, v);
}

/* A reading of the service itself stands for the minute it was taken in; a later one in the same minute replaces it. */
void ingest_direct(struct engine *g, struct measure *m, int64_t now, double v)
{
	ingest_point(g, m, now, v);
	m->known.read_at = now;
	err_clear(&m->err);
}
