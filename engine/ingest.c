/* The single door for datapoints: whatever a service said goes through here to the series, the history and the screen. */
#include "core/mem.h"
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

/* ---- how late points are */

int64_t measure_delay(const struct engine *g, const struct measure *m)
{
	int64_t learned = m->late && m->late->delay ? m->late->delay : LATE_UNKNOWN;
	return g->delay_said && g->said_delay < learned ? g->said_delay : learned;
}

/* Instants of another clock teach nothing. */
static void notice_clock(struct engine *g)
{
	if (g->late.correction == clock_correction())
		return;
	g->late.correction = clock_correction();
	for (unsigned i = 0; i < g->nmeasures; i++)
		if (g->measure_list[i]->watch)
			*g->measure_list[i]->watch = (struct watch){ 0 };
}

/* A back-fill is looked at once, long after its points came; and a poll whose clock was wrong looked at no one knows what. */
static struct watch *teaches(struct batch *b, struct measure *m)
{
	if (b->filling || m->series.step != LATE_STEP || clock_frozen() || b->correction != clock_correction())
		return NULL;
	notice_clock(b->g);
	if (!m->watch && m->late && m->late->watched < LATE_WATCHED) {
		m->watch = xcalloc(1, sizeof *m->watch);
		m->late->watched++;
	}
	return m->watch;
}

void ingest_learn(struct engine *g)
{
	int64_t now = clock_wall();
	for (unsigned i = 0; i < g->late.n && !clock_frozen(); i++)
		g->late.changed = lateness_learn(g->late.v[i], now) || g->late.changed;
}

/* ---- points */

/* Of what had been settled nothing should change; where it does all the same, what was known before is kept beside it. */
static void revise(struct engine *g, const struct measure *m, int64_t t, double old)
{
	int64_t due = t + m->series.step + measure_delay(g, m);
	cache_revise(g->cache, m->cache_id, t, old, m->watch ? watch_first(m->watch, due) : 0, clock_wall());
}

static void take(struct engine *g, struct measure *m, int64_t t, double v, int64_t now)
{
	if (!isfinite(v) || t <= 0 || t > now + AHEAD)
		return;
	double old = series_at(&m->series, t);
	enum series_put put = series_put(&m->series, t, v);
	if (put == SERIES_SAME || put == SERIES_OLD)
		return;
	g->dirty = true;
	if (!g->cache || !m->cache_id)
		return;
	t -= t % m->series.step;
	if (m->id.ns && (put == SERIES_CHANGED || known_covers(&m->known, t, t + m->series.step)))
		revise(g, m, t, old);
	cache_add(g->cache, m->cache_id, t, v);
	g->uncommitted++;
}

void ingest_point(struct engine *g, struct measure *m, int64_t t, double v)
{
	take(g, m, t, v, clock_wall());
}

void ingest_polled(struct batch *b, struct measure *m, int64_t t, double v)
{
	if (!m->late)
		m->late = late_add(&b->g->late, m->id.ns);
	struct watch *w = teaches(b, m);
	if (w)
		watch_point(w, m->late, t - t % LATE_STEP, v, clock_wall());
	if (t + m->series.step <= b->asked - measure_delay(b->g, m) || t < m->known.to)
		take(b->g, m, t, v, b->asked);
}

void ingest_answered(struct batch *b, struct measure *m)
{
	int64_t step = m->series.step, to = (b->asked - measure_delay(b->g, m)) / step * step;
	struct watch *w = teaches(b, m);
	if (w)
		watch_look(w, m->late, clock_wall());
	known_add(&m->known, b->in.start, to < b->in.end ? to : b->in.end);
}

/* A reading of the service itself stands for the minute it was taken in; a later one in the same minute replaces it. */
void ingest_direct(struct engine *g, struct measure *m, int64_t now, double v)
{
	static const struct err fine;
	ingest_point(g, m, now, v);
	m->known.read_at = now;
	err_hold(&m->err, &fine);
}
