/* Whose turn it is in a round: the stages as sched.h wants them, the row that is looked at, and who is at the keys. */
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_MS (30 * 60 * 1000) /* no key for so long: nobody is there */
#define SETTLE_MS 2000           /* a selection that stays so long is looked at */

int64_t mono_s(void)
{
	return clock_mono_ms() / 1000 + 1; /* never 0 */
}

/* ---- what has never had a point */

bool measure_never_seen(const struct measure *m)
{
	return m->series.len == 0 && !m->err && m->known.read_at && m->known.to - m->known.from >= LOOKBACK - REREAD;
}

static bool seen(const struct stage *s, const char *key)
{
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++)
		if (strcmp(s->kind->info.metrics[i].key, key) == 0)
			return s->m[i] && s->m[i]->series.len;
	return false;
}

/* The Errors of a function that is busy: absent is what it says, and the next one may not. */
static bool beside_one_seen(const struct stage *s, unsigned metric)
{
	const struct kind_info *k = &s->kind->info;
	const char *key = k->metrics[metric].key;
	for (unsigned i = 0; i < k->nmetrics; i++) {
		const struct metric_info *two = &k->metrics[i];
		if (two->a && two->b &&
		    ((strcmp(two->a, key) == 0 && seen(s, two->b)) || (strcmp(two->b, key) == 0 && seen(s, two->a))))
			return true;
	}
	return false;
}

/* What is always absent is asked for rarely: it costs as much as what is there. */
static bool rests(const struct engine *g, const struct measure *m)
{
	return g->threaded && measure_never_seen(m) && mono_s() - m->asked < REST - STEP / 2;
}

bool turns_measure(const struct engine *g, const struct stage *s, unsigned metric, bool vital)
{
	const struct measure *m = s->m[metric];
	return m && m->id.ns && (!vital || (s->judged >> metric & 1)) && (!rests(g, m) || beside_one_seen(s, metric));
}

bool turns_own(const struct engine *g, const struct stage *s, enum role role, bool vital)
{
	const struct measure *m = stage_own(s, role);
	bool judged = role == ROLE_ERROR || role == ROLE_AGE;
	return m && (!vital || judged) && (judged || !rests(g, m));
}

/* How many metrics of it are asked for, and how many of these when only what is judged is. */
static unsigned count(const struct engine *g, const struct stage *s, unsigned *vital)
{
	unsigned n = closer_metrics(g, s);
	*vital = 0;
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++) {
		bool asked = turns_measure(g, s, i, false);
		n += asked;
		*vital += asked && (s->judged >> i & 1);
	}
	for (unsigned r = ROLE_IN; s->own && r < ROLE_COUNT; r++) {
		n += turns_own(g, s, (enum role)r, false);
		*vital += turns_own(g, s, (enum role)r, true);
	}
	return n;
}

/* ---- the plan */

enum sched_turn turns_of(const struct engine *g, const struct stage *s)
{
	return g->threaded ? s->sched.turn : SCHED_WHOLE;
}

static enum sched_class class_of(const struct engine *g, const struct stage *s)
{
	if (s->id == atomic_load(&g->focus))
		return SCHED_SELECTED;
	return s->health == HEALTH_ALARM || s->health == HEALTH_WARN ? SCHED_TROUBLE : SCHED_TAIL;
}

static struct sched_row **rows_of(struct engine *g)
{
	struct sched_row **rows = xcalloc(g->nstages + 1u, sizeof *rows);
	for (unsigned i = 0; i < g->nstages; i++) {
		struct stage *s = g->stages[i];
		struct sched_row *r = rows[i] = &s->sched;
		if (!r->asked)
			r->asked = SCHED_NEVER;
		r->metrics = count(g, s, &r->vital);
		r->class = class_of(g, s);
	}
	return rows;
}

static void set_terms(struct engine *g, struct sched *s)
{
	s->now = mono_s();
	s->poll = g->o.poll_s;
	s->rest = g->conf->poll_rest;
	s->idle = clock_mono_ms() - atomic_load(&g->key_ms) >= IDLE_MS;
	s->budget = g->conf->budget_usd_per_day / USD_PER_METRIC;
	s->today = bill_today(g);
	s->beyond = bill_beyond_day(g);
	s->day_left = SCHED_DAY - clock_wall() % SCHED_DAY;
}

/* Only what was just selected; the others keep their place in the line. */
static void only_focus(struct engine *g)
{
	g->sched.filling = 0;
	for (unsigned i = 0; i < g->nstages; i++) {
		struct sched_row *r = &g->stages[i]->sched;
		bool it = g->stages[i]->id == g->focus_asked;
		r->turn = it ? SCHED_WHOLE : SCHED_NOT;
		unsigned vital;
		g->sched.filling += it ? count(g, g->stages[i], &vital) : 0;
	}
}

static void mark_resources(struct engine *g)
{
	for (unsigned i = 0; i < g->nres; i++)
		g->res[i]->due = false;
	for (unsigned i = 0; i < g->nstages; i++)
		if (g->stages[i]->res && g->stages[i]->sched.turn != SCHED_NOT)
			g->stages[i]->res->due = true;
}

static void set_every(struct measure *m, int64_t every)
{
	if (m && (!m->every || every < m->every))
		m->every = every;
}

static void mark_measures(struct engine *g)
{
	for (unsigned i = 0; i < g->nmeasures; i++)
		g->measure_list[i]->every = 0;
	for (unsigned i = 0; i < g->nstages; i++) {
		const struct stage *s = g->stages[i];
		for (unsigned k = 0; k < s->kind->info.nmetrics; k++)
			set_every(s->m[k], s->sched.every);
		for (unsigned r = ROLE_IN; s->own && r < ROLE_COUNT; r++)
			set_every(s->own[r].m, s->sched.every);
	}
}

static void plan(struct engine *g, bool refresh)
{
	struct sched_row **rows = rows_of(g);
	set_terms(g, &g->sched);
	g->sched.refresh = refresh;
	sched_plan(&g->sched, rows, g->nstages);
	free(rows);
	mark_measures(g);
}

/* What discovery has found since the round's first plan takes part in its second, which stands in the first one's place. */
void turns_take(struct engine *g)
{
	if (!g->threaded || !(g->round.needs & (NEED_METRICS | NEED_DIRECT)))
		return;
	if (g->round.replanned)
		g->sched = g->sched_before;
	g->sched_before = g->sched;
	g->round.replanned = true;
	if (g->round.turns == TURNS_FOCUS)
		only_focus(g);
	else
		plan(g, g->round.turns == TURNS_ALL);
	mark_resources(g);
}

void turns_taken(struct engine *g)
{
	int64_t now = mono_s();
	for (unsigned i = 0; i < g->nstages; i++)
		if (turns_of(g, g->stages[i]) == SCHED_WHOLE)
			g->stages[i]->sched.asked = now;
	if (g->threaded)
		bill_beyond(g, g->sched.filling);
}

bool turns_focus(struct engine *g, int64_t now_ms, int64_t *wait_ms)
{
	uint64_t focus = atomic_load(&g->focus);
	*wait_ms = INT64_MAX;
	if (!focus || focus == g->focus_asked || g->round.active || !g->live)
		return false;
	int64_t since = now_ms - atomic_load(&g->focused_ms);
	if (since < SETTLE_MS) {
		*wait_ms = SETTLE_MS - since;
		return false;
	}
	g->focus_asked = focus;
	for (unsigned i = 0; i < g->nstages; i++)
		if (g->stages[i]->id == focus)
			return g->stages[i]->sched.asked == SCHED_NEVER ||
			       mono_s() - g->stages[i]->sched.asked >= (int64_t)g->o.poll_s / 2;
	return false;
}

void turns_rate(struct engine *g)
{
	struct sched s = { 0 };
	struct sched_row *copy = xcalloc(g->nstages + 1u, sizeof *copy), **rows = rows_of(g);
	for (unsigned i = 0; i < g->nstages; i++) {
		copy[i] = *rows[i];
		rows[i] = &copy[i];
	}
	set_terms(g, &s);
	s.idle = s.idle && g->threaded;
	sched_plan(&s, rows, g->nstages);
	g->usd_per_day = s.per_day * USD_PER_METRIC;
	free(copy);
	free(rows);
}

/* ---- from the faces' thread */

void engine_attend(struct engine *g, uint64_t row, bool key)
{
	int64_t now = clock_mono_ms();
	bool moved = atomic_exchange(&g->focus, row) != row;
	bool back = key && now - atomic_exchange(&g->key_ms, now) >= IDLE_MS;
	if (moved)
		atomic_store(&g->focused_ms, now);
	if (back)
		atomic_store(&g->awake, true);
	if (moved || back)
		engine_wake(g);
}
