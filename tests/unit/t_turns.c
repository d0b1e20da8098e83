/* Whose turn it is, with the engine's own stages: what is never seen rests, what is looked at is asked, what is slowed is judged by its
 * last reading; and how what is due is packed. No network: the plan alone. */
#include "core/clock.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW "2026-11-23T03:14:42Z"

static struct conf conf;

static struct engine *world(void)
{
	struct engine *g = xcalloc(1, sizeof *g);
	conf.budget_usd_per_day = 1;
	g->conf = &conf;
	g->o.poll_s = 60;
	g->live = g->threaded = true;
	g->rounds_done = 1;
	g->round = (struct round){ .number = 2, .needs = NEED_METRICS | NEED_DIRECT, .lookback = LOOKBACK };
	atomic_store(&g->key_ms, clock_mono_ms());
	inventory_init(g);
	return g;
}

static void end(struct engine *g)
{
	poll_free(g);
	inventory_free(g);
	late_free(&g->late);
	free(g);
}

static struct stage *add(struct engine *g, const char *name)
{
	inventory_res(g, kind_find("lambda"), name, true)->described = true;
	inventory_bind(g);
	return inventory_stage(g, name, NULL);
}

static struct measure *measure(struct stage *s, const char *key)
{
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++)
		if (strcmp(s->kind->info.metrics[i].key, key) == 0)
			return s->m[i];
	fail_msg("no metric %s", key);
	return NULL;
}

static void put(struct engine *g, struct measure *m, unsigned n, int64_t ago, double v)
{
	int64_t last = (clock_wall() - ago) / 60 * 60;
	for (unsigned i = 0; i < n; i++)
		ingest_point(g, m, last - (int64_t)(n - 1 - i) * 60, v);
}

/* Everything of it was asked `ago` seconds before now, whole. */
static void asked(struct stage *s, int64_t ago)
{
	int64_t to = (clock_wall() - ago) / 60 * 60;
	s->sched.asked = mono_s() - ago;
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++) {
		if (!s->m[i])
			continue;
		known_add(&s->m[i]->known, to - LOOKBACK, to);
		s->m[i]->known.read_at = clock_wall() - ago;
		s->m[i]->asked = mono_s() - ago;
	}
}

static bool due(struct engine *g, const struct measure *m)
{
	for (unsigned i = 0; i < g->ndue; i++)
		if (g->due[i] == m)
			return true;
	return false;
}

static void plan(struct engine *g)
{
	g->round.replanned = false;
	turns_take(g);
	poll_plan(g);
}

static void what_is_never_seen_rests(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "enrich");
	plan(g);
	assert_int_equal(g->ndue, 6); /* nobody has ever asked */
	asked(s, 300);
	put(g, measure(s, "invocations"), 30, 420, 100);
	plan(g);
	assert_true(due(g, measure(s, "invocations")));
	assert_true(due(g, measure(s, "errors"))); /* the function is busy: its next error must be seen */
	assert_false(due(g, measure(s, "iterator_age")));
	assert_false(due(g, measure(s, "throttles")));
	measure(s, "iterator_age")->asked = mono_s() - REST;
	plan(g);
	assert_true(due(g, measure(s, "iterator_age")));
	assert_true(REST + 2 * STEP <= 15 * 60); /* with the minute in which it appears and the poll it waits for */
	end(g);
}

static void an_idle_function_rests_whole(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "enrich");
	asked(s, 300);
	plan(g);
	assert_int_equal(g->ndue, 0);
	put(g, measure(s, "invocations"), 1, 120, 1); /* it woke up */
	plan(g);
	assert_true(due(g, measure(s, "errors")));
	end(g);
}

static void the_selected_and_the_troubled_come_each_minute(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *a = add(g, "a"), *b = add(g, "b"), *c = add(g, "c");
	struct stage *all[] = { a, b, c };
	for (unsigned i = 0; i < 3; i++) {
		asked(all[i], 60);
		put(g, measure(all[i], "invocations"), 30, 120, 100);
	}
	b->health = HEALTH_ALARM;
	atomic_store(&g->focus, c->id);
	plan(g);
	assert_false(due(g, measure(a, "invocations")));
	assert_true(due(g, measure(b, "invocations")));
	assert_true(due(g, measure(c, "invocations")));
	assert_int_equal(a->sched.every, 300);
	atomic_store(&g->key_ms, clock_mono_ms() - 3600000);
	plan(g);
	assert_int_equal(a->sched.every, 900);
	assert_int_equal(b->sched.every, 60);
	assert_true(a->res->due == false && b->res->due);
	end(g);
}

static void a_selection_that_stays_is_asked_by_itself(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *a = add(g, "a"), *b = add(g, "b");
	int64_t wait, now = clock_mono_ms();
	asked(a, 200);
	asked(b, 200);
	atomic_store(&g->focus, a->id);
	atomic_store(&g->focused_ms, now);
	assert_false(turns_focus(g, now, &wait)); /* perhaps only passing */
	assert_true(wait > 0 && wait <= 2000);
	assert_true(turns_focus(g, now + 2000, &wait));
	g->round.turns = TURNS_FOCUS;
	plan(g);
	assert_int_equal(a->sched.turn, SCHED_WHOLE);
	assert_int_equal(b->sched.turn, SCHED_NOT);
	assert_false(turns_focus(g, now + 4000, &wait)); /* once */
	end(g);
}

/* 3 hours old, and as fresh as it can be: but what lies within its interval is no alarm of today's, nor is it idle. */
static void a_slowed_row_is_judged_by_its_last_reading(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "enrich");
	asked(s, 3 * 3600);
	put(g, measure(s, "invocations"), 30, 3 * 3600 + 120, 100);
	put(g, measure(s, "errors"), 30, 3 * 3600 + 120, 1);
	s->sched.every = 4 * 3600;
	judge_all(g);
	assert_int_equal(s->health, HEALTH_OK);
	s->sched.every = 3600; /* its turn has passed, and nobody came */
	judge_all(g);
	assert_int_not_equal(s->health, HEALTH_OK);
	assert_int_not_equal(s->health, HEALTH_IDLE);
	end(g);
}

static struct measure *stat(struct engine *g, const char *name, const char *of)
{
	struct metric_id id = { 0 };
	metric_set(&id, "NS", name, of);
	metric_add_dim(&id, "D", "x");
	struct measure *m = inventory_measure(g, &id, STEP, false);
	metric_clear(&id);
	return m;
}

static void statistics_go_side_by_side(void **state)
{
	(void)state;
	static const char *const stats[] = { "Sum", "Average", "Maximum", "Minimum", "SampleCount", "p99" };
	struct engine *g = world();
	struct measure *extra[12];
	unsigned n = 0;
	for (unsigned s = 0; s < 6; s++) { /* one statistic of both after the other */
		extra[n++] = stat(g, "A", stats[s]);
		extra[n++] = stat(g, "B", stats[s]);
	}
	g->extra = extra;
	g->nextra = n;
	g->round.needs = NEED_EXTRA;
	poll_plan(g);
	struct batch *b = g->plan;
	assert_null(b->next);
	assert_int_equal(b->n, 12);
	assert_int_equal(b->side_by_side, 4); /* five of each count as one, and one more each */
	for (unsigned i = 1; i < 6; i++) {
		assert_string_equal(b->m[i]->id.name, b->m[0]->id.name);
		assert_string_equal(b->m[6 + i]->id.name, b->m[6]->id.name);
	}
	g->nextra = 0;
	end(g);
}

static unsigned requests(const struct engine *g)
{
	unsigned n = 0;
	for (const struct batch *b = g->plan; b; b = b->next)
		n++;
	return n;
}

/* A steady poll needs no more requests than CloudWatch's limit of 500 metrics forces, the percentiles' beside the others'. */
static void as_few_requests_as_can_be(void **state)
{
	(void)state;
	static const unsigned sizes[] = { 10, 100, 1000, 4000 };
	for (unsigned k = 0; k < 4; k++) {
		struct engine *g = world();
		char name[32];
		conf.budget_usd_per_day = 0;
		for (unsigned i = 0; i < sizes[k]; i++) {
			snprintf(name, sizeof name, "f%u", i);
			inventory_res(g, kind_find("lambda"), name, true);
		}
		inventory_bind(g);
		for (unsigned i = 0; i < g->nstages; i++) {
			asked(g->stages[i], 60);
			for (unsigned m = 0; m < g->stages[i]->kind->info.nmetrics; m++)
				if (g->stages[i]->m[m])
					put(g, g->stages[i]->m[m], 1, 120, 1);
			g->stages[i]->health = HEALTH_ALARM;
		}
		plan(g);
		unsigned plain = 5 * sizes[k], percentiles = sizes[k];
		assert_int_equal(g->ndue, 6 * sizes[k]);
		assert_int_equal(requests(g), (plain + 499) / 500 + (percentiles + 499) / 500);
		end(g);
	}
	conf.budget_usd_per_day = 1;
}

static int setup(void **state)
{
	(void)state;
	setenv("SLUICE_NOW", NOW, 1);
	return clock_init() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_never_seen_rests),
		cmocka_unit_test(an_idle_function_rests_whole),
		cmocka_unit_test(the_selected_and_the_troubled_come_each_minute),
		cmocka_unit_test(a_selection_that_stays_is_asked_by_itself),
		cmocka_unit_test(a_slowed_row_is_judged_by_its_last_reading),
		cmocka_unit_test(statistics_go_side_by_side),
		cmocka_unit_test(as_few_requests_as_can_be),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
