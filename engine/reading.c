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

static struct measure *measure_of(const struct stage *s, const char *key, bool *sparse)
{
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++) {
		if (strcmp(s->kind->info.metrics[i].key, key) != 0)
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
	for (unsigned i = 0; !own && i < s->kind->info.nmetrics; i++)
		if (&s->kind->info.metrics[i] == info)
			return s->m[i];
	return (struct measure *)own;
}

static bool zero_at(const struct measure *m, bool sparse, int64_t t)
{
	return sparse && known_covers(&m->known, t, t + m->series.step);
}

void stage_series(const struct stage *s, const struct metric_info *info, const struct measure *own, int64_t from,
                  struct series *out)
{
	bool sa = false, sb = false, two = derived(info);
	const struct measure *a = two ? measure_of(s, info->a, &sa) : own_or_kinds(s, info, own);
	const struct measure *b = two ? measure_of(s, info->b, &sb) : a;
	series_init(out, a ? a->series.step : STEP);
	if (!a || !b)
		return;
	series_widen(out, a->series.max);
	int64_t step = out->step, last = a->series.last > b->series.last ? a->series.last : b->series.last;
	int64_t first = last - (int64_t)(a->series.max - 1) * step;
	for (int64_t t = first > from ? first : (from + step - 1) / step * step; last && t <= last; t += step) {
		double v = series_at(&a->series, t);
		if (two)
			v = derive(info, v, series_at(&b->series, t), zero_at(a, sa, t), zero_at(b, sb, t));
		if (!isnan(v))
			series_put(out, t, v);
	}
}

/* Newest point of a derived metric, without building its series. */
static bool newest_derived(const struct stage *s, const struct metric_info *info, int64_t *at, double *v)
{
	bool sa = false, sb = false;
	const struct measure *a = measure_of(s, info->a, &sa), *b = measure_of(s, info->b, &sb);
	int64_t last = a->series.last > b->series.last ? a->series.last : b->series.last;
	for (int64_t i = 0; last && i < SERIES_MAX; i++) {
		*at = last - i * STEP;
		*v = derive(info, series_at(&a->series, *at), series_at(&b->series, *at), zero_at(a, sa, *at),
		            zero_at(b, sb, *at));
		if (!isnan(*v))
			return true;
	}
	return false;
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

const struct err *stage_err(const struct engine *g, const struct stage *s, const struct metric_info *info,
                            const struct measure *own)
{
	if (info->from == FROM_DIRECT)
		return direct_err(g, s);
	bool sparse;
	const struct measure *a = derived(info) ? measure_of(s, info->a, &sparse) : own_or_kinds(s, info, own);
	const struct measure *b = derived(info) ? measure_of(s, info->b, &sparse) : NULL;
	if (a && a->err)
		return a->err;
	return b ? b->err : NULL;
}

/* When it was last read; of two operands the older reading counts. 0: never. */
static int64_t read_at(const struct stage *s, const struct metric_info *info, const struct measure *own)
{
	bool sparse;
	const struct measure *a = derived(info) ? measure_of(s, info->a, &sparse) : own_or_kinds(s, info, own);
	const struct measure *b = derived(info) ? measure_of(s, info->b, &sparse) : a;
	if (!a || !b)
		return 0;
	return a->known.read_at < b->known.read_at ? a->known.read_at : b->known.read_at;
}

struct value stage_value(const struct engine *g, const struct stage *s, const struct metric_info *info,
                         struct measure *own)
{
	struct value out = { .v = NAN, .err = stage_err(g, s, info, own), .read_at = read_at(s, info, own) };
	bool some;
	out.asked = out.read_at > 0;
	if (derived(info)) {
		some = newest_derived(s, info, &out.at, &out.v);
	} else {
		const struct measure *m = own_or_kinds(s, info, own);
		some = m && series_newest(&m->series, &out.at, &out.v);
		if (some && info->from == FROM_DIRECT && m->known.read_at)
			out.at = m->known.read_at; /* the instant it was read, not its minute */
	}
	if (!some)
		return (struct value){ .v = NAN, .err = out.err, .asked = out.asked, .read_at = out.read_at };
	int64_t end = out.at + (info->from == FROM_DIRECT ? 0 : STEP);
	out.stale = clock_wall() - end > stale_after(stage_delay(g, s, own), stage_every(g, s, info), STEP);
	return out;
}

const struct metric_info *stage_metric(const struct stage *s, const char *key, struct measure **own)
{
	*own = NULL;
	for (unsigned r = ROLE_IN; r < ROLE_COUNT; r++) {
		if (strcmp(key, role_name((enum role)r)) != 0)
			continue;
		*own = s->own[r];
		return *own ? &s->own_info[r] : kind_role(&s->kind->info, (enum role)r);
	}
	return kind_metric(&s->kind->info, key);
}
