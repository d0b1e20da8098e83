/* One pass over AWS. Discovery, alarms and identity start together; metrics follow as soon as it is known what exists, which
 * after the first round is at once. Answers call round_arrived; when none is missing the round is judged and published. */
#include "core/log.h"
#include "engine/changes.h"

void round_expect(struct engine *g)
{
	g->round.pending++;
}

void round_arrived(struct engine *g)
{
	g->round.pending--;
}

void round_begin(struct engine *g, unsigned needs, int64_t lookback, enum round_turns turns)
{
	struct round *r = &g->round;
	*r = (struct round){ .active = true,
		                 .turns = turns,
		                 .needs = needs,
		                 .lookback = lookback,
		                 .number = g->rounds_done + 1,
		                 .begun_ms = clock_mono_ms() };
	log_debug(LOG_ENGINE, "round %llu begins, needs %#x", (unsigned long long)r->number, needs);
	turns_take(g);
	if (needs & NEED_EDGES)
		inventory_relations_begin(g);
	if (needs & NEED_IDENTITY)
		identity_begin(g);
	if (needs & (NEED_LIST | NEED_EDGES | NEED_DESCRIBE | NEED_DIRECT))
		discover_begin(g);
	if (needs & NEED_LIST)
		groups_begin(g);
	if (needs & NEED_ALARMS)
		alarms_begin(g);
	trail_begin(g);
}

static bool relations_complete(const struct engine *g)
{
	for (unsigned i = 0; i < nkinds; i++)
		if (g->kind_state[i].list.code != ERR_OK || g->kind_state[i].edges.code != ERR_OK)
			return false;
	for (unsigned i = 0; i < g->nres; i++)
		if (g->res[i]->err)
			return false;
	return true;
}

/* A round in which nobody answered is no poll: the age of the last one goes on growing. */
static bool anybody_answered(const struct engine *g)
{
	unsigned n = 0;
	const struct aws_stat *stats = g->aws ? aws_stats(g->aws, &n) : NULL;
	for (unsigned i = 0; i < n; i++)
		if (stats[i].op != &op_get_caller_identity && stats[i].ok_ms >= g->round.begun_ms)
			return true;
	return false;
}

static void round_end(struct engine *g)
{
	struct round *r = &g->round;
	r->active = false;
	g->rounds_done = r->number;
	g->live = true;
	discover_relate(g);
	if ((r->needs & NEED_ALL) == NEED_ALL && g->conf->npipelines == 0 && relations_complete(g))
		inventory_relations_end(g);
	if (!g->target.account[0])
		inventory_account(g);
	if (r->needs & NEED_EDGES)
		flow_redraw(g);
	if (anybody_answered(g))
		g->polled_at = clock_wall();
	ingest_learn(g);
	judge_all(g);
	changes_round(g);
	turns_rate(g);
	first_step(g);
	alarms_watch(g);
	if (g->cache)
		store_save(g);
	g->dirty = true;
	log_debug(LOG_ENGINE, "round %llu done", (unsigned long long)r->number);
}

void round_step(struct engine *g)
{
	struct round *r = &g->round;
	if (!r->active)
		return;
	if (r->lists_pending == 0 && !r->metrics_begun) {
		r->metrics_begun = true;
		inventory_bind(g);
		if (r->needs & NEED_POLL)
			poll_begin(g);
		releases_begin(g);
	}
	if (r->pending == 0 && r->metrics_begun && (r->needs & NEED_SOURCES) && !r->sources_begun) {
		r->sources_begun = true;
		discover_relate(g);
		flow_sources_begin(g);
	}
	closer_step(g);
	if (r->pending == 0 && r->metrics_begun)
		round_end(g);
}
