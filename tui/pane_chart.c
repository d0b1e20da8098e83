/* The chart of the selected row on the overview: its age with the way it is going when something may be lost, else what its kind
 * is watched by; beside it, where there is room for two, the next of its metrics. From the history alone: going up and down the
 * stages asks AWS nothing. */
#include "tui/plot.h"

#include <string.h>

#define BESIDE 160
#define CHARTS 2
#define RANGE (3 * 3600) /* what the engine's series hold */

static const struct row *selected(const struct view *v)
{
	return view_row(v, v->overview.rows.id);
}

static const struct metric_info *info_of(const struct row *r, const char *key)
{
	for (unsigned i = 0; i < r->nreadings; i++)
		if (strcmp(r->readings[i].info->key, key) == 0)
			return r->readings[i].info;
	return NULL;
}

/* The metrics worth a chart, the first first. */
static unsigned choose(const struct row *r, const struct metric_info *out[CHARTS])
{
	unsigned n = 0;
	const struct reading *wanted[] = { loss_at_risk(&r->loss) ? r->by_role[ROLE_AGE] : NULL, r->by_role[ROLE_ERROR],
		                               r->by_role[ROLE_BACKLOG] };
	const struct metric_info *spark = r->spark_key ? info_of(r, r->spark_key) : NULL;
	if (wanted[0])
		out[n++] = wanted[0]->info;
	else if (spark)
		out[n++] = spark;
	for (unsigned i = 1; i < 3 && n < CHARTS; i++)
		if (wanted[i] && (!n || wanted[i]->info != out[0]))
			out[n++] = wanted[i]->info;
	if (n < CHARTS && spark && (!n || spark != out[0]))
		out[n++] = spark;
	return n;
}

int chart_want(const struct view *v)
{
	const struct metric_info *m[CHARTS];
	const struct row *r = selected(v);
	return r && choose(r, m) ? 1 : 0;
}

/* Far enough back that the past has its place beside the way to the loss. */
static struct wish wish_of(const struct view *v, const struct row *r, int64_t *ahead)
{
	struct wish w = { .range = RANGE, .offline = true };
	int64_t until = loss_at_risk(&r->loss) && r->loss.from ? r->loss.high - v->now : 0;
	*ahead = until > 0 ? until + until / 20 : 0;
	for (unsigned i = 0; i < view_nranges && w.range < until / 3; i++)
		w.range = view_ranges[i].seconds > w.range ? view_ranges[i].seconds : w.range;
	if (*ahead > 3 * w.range)
		*ahead = 3 * w.range;
	return w;
}

void chart_pane(struct view *v, struct area a)
{
	const struct metric_info *m[CHARTS];
	const struct row *r = selected(v);
	int64_t ahead;
	unsigned n = r ? choose(r, m) : 0;
	n = a.w >= BESIDE ? n : n > 1 ? 1 : n;
	if (!n)
		return;
	const char *keys[CHARTS];
	for (unsigned i = 0; i < n; i++)
		keys[i] = m[i]->key;
	view_slots_keep(v, r->id, keys, n);
	struct wish w = wish_of(v, r, &ahead);
	int each = (a.w - 2 * ((int)n - 1)) / (int)n;
	for (unsigned i = 0; i < n; i++) {
		struct slot *s = view_slot(v, r->id, keys[i], w);
		struct area at = { a.y, a.x + (int)i * (each + 2), a.h, i + 1 == n ? a.w - (int)i * (each + 2) : each };
		if (s)
			plot_draw(v, at, r, m[i], s, ahead, false);
	}
}
