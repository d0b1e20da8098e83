/* What a stage's metric is worth: from its measure, or computed from two of them. */
#include "engine/inside.h"

#include <math.h>
#include <string.h>

int64_t stale_after(int64_t delay, int64_t every, uint32_t step)
{
	return delay + every + 2 * (int64_t)step;
}

/* A row that is asked rarely is not stale for it; discovery reads the services themselves every five minutes at least. */
int64_t stage_every(const struct engine *g, const struct stage *s, const struct metric_info *info)
{
	int64_t poll = g->o.poll_s, every = g->threaded && s->sched.every > poll ? s->sched.every : poll;
	return info->from == FROM_DIRECT && every > SCHED_REST ? SCHED_REST : every;
}

int64_t measure_every(const struct engine *g, const struct measure *m)
{
	return g->threaded && m->every ? m->every : g->o.poll_s;
}

int64_t stage_delay(const struct engine *g, const struct stage *s, const struct measure *own)
{
	return late_delay(&g->late, own && own->id.ns ? own->id.ns : s->kind->info.ns);
}

/* Asked for each metric of each stage at each poll: most keys differ in their first letter already. */
static bool same_key(const char *a, const char *b)
{
	return a == b || (*a == *b && strcmp(a, b) == 0);
}

static struct measure *measure_of(const struct stage *s, const char *key, bool *sparse)
{
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++) {
		if (!same_key(s->kind->info.metrics[i].key, key))
			continue;
		*sparse = s->kind->info.metrics[i].sparse;
		return s->m[i];
	}
	return NULL;
}

static bool derived(const struct metric_info *info)
{
	return info->from == FROM_RATIO || info->from == FROM_DIFFERENCE;
}

/* The rules of core/model/kind.h: an absent operand is absent, but for a sparse one beside a present other, where the service has
 * answered for that time. */
double derive(const struct metric_info *info, double a, double b, bool zero_a, bool zero_b)
{
	if (info->from == FROM_RATIO) {
		if (isnan(a) && zero_a && !isnan(b))
			a = 0;
		return isnan(a) || isnan(b) || b == 0 ? NAN : 100 * a / b;
	}
	if (isnan(b) && zero_b && !isnan(a))
		b = 0;
	return isnan(a) || isnan(b) ? NAN : fmax(a - b, 0);
}

static struct measure *own_or_kinds(const struct stage *s, const struct metric_info *info, const struct measure *own)
{
	size_t at = ((uintptr_t)info - (uintptr_t)s->kind->info.metrics) / sizeof *info;
	if (!own && at < s->kind->info.nmetrics && &s->kind->info.metrics[at] == info)
		return s->m[at];
	return (struct measure *)own;
}

static bool zero_at(const struct measure *m, bool sparse, int64_t t)
{
	return sparse && known_covers(&m->known, t, t + m->series.step);
}

/* Both operands of a derived metric. */
struct pair {
	const struct metric_info *info;
	const struct measure *a, *b;
	bool sparse_a, sparse_b;
};

static struct pair pair_of(const struct stage *s, const struct metric_info *info)
{
	struct pair p = { .info = info };
	p.a = measure_of(s, info->a, &p.sparse_a);
	p.b = measure_of(s, info->b, &p.sparse_b);
	return p;
}

/* What a metric is made of: two operands, or itself twice. */
static struct pair parts_of(const struct stage *s, const struct metric_info *info, const struct measure *own)
{
	struct pair p = { .info = info };
	if (derived(info))
		return pair_of(s, info);
	p.a = p.b = own_or_kinds(s, info, own);
	return p;
}

#define PIECE 16

/* The n <= PIECE values that end at `end`, oldest first. */
static void derived_tail(const struct pair *p, int64_t end, unsigned n, double *out)
{
	double a[PIECE], b[PIECE];
	int64_t step = p->a->series.step, t = end - (int64_t)(n - 1) * step;
	series_tail(&p->a->series, end, n, a);
	series_tail(&p->b->series, end, n, b);
	for (unsigned i = 0; i < n; i++, t += step)
		out[i] = derive(p->info, a[i], b[i], zero_at(p->a, p->sparse_a, t), zero_at(p->b, p->sparse_b, t));
}

const struct series *stage_points(const struct stage *s, const struct metric_info *info, const struct measure *own)
{
	const struct measure *m = derived(info) ? NULL : own_or_kinds(s, info, own);
	return m ? &m->series : NULL;
}

void stage_tail(const struct stage *s, const struct metric_info *info, const struct measure *own, int64_t end,
                unsigned n, double *out)
{
	const struct series *points = stage_points(s, info, own);
	if (points) {
		series_tail(points, end, n, out);
		return;
	}
	struct pair p = derived(info) ? pair_of(s, info) : (struct pair){ 0 };
	int64_t step = p.a && p.b ? p.a->series.step : STEP;
	for (unsigned done = 0; done < n; done += PIECE) {
		unsigned some = n - done < PIECE ? n - done : PIECE;
		int64_t last = end / step * step - (int64_t)(n - done - some) * step;
		for (unsigned i = 0; i < some; i++)
			out[done + i] = NAN;
		if (p.a && p.b)
			derived_tail(&p, last, some, out + done);
	}
}

void stage_series(const struct stage *s, const struct metric_info *info, const struct measure *own, int64_t from,
                  struct series *out)
{
	struct pair p = parts_of(s, info, own);
	series_init_wide(out, p.a ? p.a->series.step : STEP);
	if (!p.a || !p.b)
		return;
	series_widen(out, p.a->series.max);
	int64_t step = out->step, last = p.a->series.last > p.b->series.last ? p.a->series.last : p.b->series.last;
	int64_t first = last - (int64_t)(p.a->series.max - 1) * step, t = (from + step - 1) / step * step;
	for (t = first > from ? first : t; last && t <= last; t += PIECE * step) {
		double v[PIECE];
		unsigned n = (last - t) / step + 1 < PIECE ? (unsigned)((last - t) / step + 1) : PIECE;
		stage_tail(s, info, own, t + (int64_t)(n - 1) * step, n, v);
		for (unsigned i = 0; i < n; i++)
			if (!isnan(v[i]))
				series_put(out, t + (int64_t)i * step, v[i]);
	}
}

/* A direct reading comes with the resource's description: what kept us from that keeps us from this. */
static const struct err *direct_err(const struct engine *g, const struct stage *s)
{
	static const struct err gone = { .code = ERR_NOTFOUND, .text = "it was not found" };
	if (s->res)
		return s->res->err;
	const struct kind_state *st = kind_state_of(g, s->kind);
	return st->list.code != ERR_OK ? &st->list : st->listed ? &gone : NULL;
}

static const struct err *parts_err(const struct engine *g, const struct stage *s, const struct pair *p)
{
	if (p->info->from == FROM_DIRECT)
		return direct_err(g, s);
	if (p->a && p->a->err)
		return p->a->err;
	return p->b ? p->b->err : NULL;
}

const struct err *stage_err(const struct engine *g, const struct stage *s, const struct metric_info *info,
                            const struct measure *own)
{
	struct pair p = parts_of(s, info, own);
	return parts_err(g, s, &p);
}

/* When it was last read; of two operands the older reading counts. 0: never. */
static int64_t read_at(const struct pair *p)
{
	if (!p->a || !p->b)
		return 0;
	return p->a->known.read_at < p->b->known.read_at ? p->a->known.read_at : p->b->known.read_at;
}

/* Newest point of a derived metric, without building its series. */
static bool newest_derived(const struct pair *p, int64_t *at, double *v)
{
	int64_t last = p->a->series.last > p->b->series.last ? p->a->series.last : p->b->series.last;
	for (int64_t i = 0; last && i < SERIES_MAX; i++) {
		*at = last - i * STEP;
		derived_tail(p, *at, 1, v);
		if (!isnan(*v))
			return true;
	}
	return false;
}

struct value stage_value(const struct engine *g, const struct stage *s, const struct metric_info *info,
                         struct measure *own)
{
	struct pair p = parts_of(s, info, own);
	struct value out = { .v = NAN, .err = parts_err(g, s, &p), .read_at = read_at(&p) };
	bool some;
	out.asked = out.read_at > 0;
	if (derived(info)) {
		some = newest_derived(&p, &out.at, &out.v);
	} else {
		some = p.a && series_newest(&p.a->series, &out.at, &out.v);
		if (some && info->from == FROM_DIRECT && p.a->known.read_at)
			out.at = p.a->known.read_at; /* the instant it was read, not its minute */
	}
	if (!some)
		return (struct value){ .v = NAN, .err = out.err, .asked = out.asked, .read_at = out.read_at };
	int64_t end = out.at + (info->from == FROM_DIRECT ? 0 : STEP);
	out.stale = clock_wall() - end > stale_after(stage_delay(g, s, own), stage_every(g, s, info), STEP);
	return out;
}

struct measure *stage_own(const struct stage *s, enum role role)
{
	return s->own ? s->own[role].m : NULL;
}

const struct metric_info *stage_role(const struct stage *s, enum role role, struct measure **own)
{
	*own = stage_own(s, role);
	return *own ? &s->own[role].info : kind_role(&s->kind->info, role);
}

const struct metric_info *stage_metric(const struct stage *s, const char *key, struct measure **own)
{
	*own = NULL;
	for (unsigned r = ROLE_IN; r < ROLE_COUNT; r++) {
		if (strcmp(key, role_name((enum role)r)) != 0)
			continue;
		return stage_role(s, (enum role)r, own);
	}
	return kind_metric(&s->kind->info, key);
}
