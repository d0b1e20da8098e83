/* The evaluator behind the screen and --check: what may be OK, what is idle, what must stay unknown. No network: points are put
 * through the engine's own door. */
#include "core/clock.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW "2026-11-23T03:14:42Z"

static struct conf empty;

static struct engine *world_of(const struct conf *conf)
{
	struct engine *g = xcalloc(1, sizeof *g);
	g->conf = conf;
	g->o.poll_s = 60;
	g->live = true;
	g->rounds_done = 1;
	snprintf(g->target.region, sizeof g->target.region, "eu-west-1");
	inventory_init(g);
	return g;
}

static struct engine *world(void)
{
	return world_of(&empty);
}

static void end(struct engine *g)
{
	inventory_free(g);
	free(g);
}

static struct stage *add(struct engine *g, const char *kind, const char *name)
{
	inventory_res(g, kind_find(kind), name, true)->described = true;
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

static void answered(struct stage *s)
{
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++)
		if (s->m[i])
			known_add(&s->m[i]->known, clock_wall() / 60 * 60 - LOOKBACK, clock_wall() / 60 * 60);
}

/* n points, one a minute, the newest `ago` seconds before now. */
static void put(struct engine *g, struct measure *m, unsigned n, int64_t ago, double first, double step)
{
	int64_t last = (clock_wall() - ago) / 60 * 60;
	for (unsigned i = 0; i < n; i++)
		ingest_point(g, m, last - (int64_t)(n - 1 - i) * 60, first + step * i);
}

static enum health judged(struct engine *g, struct stage *s)
{
	judge_all(g);
	return s->health;
}

static void error_rate(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "lambda", "enrich");
	answered(s);
	assert_int_equal(judged(g, s), HEALTH_IDLE); /* an idle function is idle, neither failing nor unknown */
	put(g, measure(s, "invocations"), 15, 120, 100, 0);
	assert_int_equal(judged(g, s), HEALTH_OK); /* Errors absent beside Invocations is 0 */
	put(g, measure(s, "errors"), 3, 180, 6, 0);
	assert_int_equal(judged(g, s), HEALTH_ALARM);
	assert_non_null(strstr(s->reason, "error rate 6"));
	put(g, measure(s, "errors"), 1, 180, 5, 0); /* exactly the threshold is no breach: 3 of 3 are wanted */
	assert_int_equal(judged(g, s), HEALTH_OK);
	end(g);
}

static void stale_is_never_ok(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "lambda", "enrich");
	answered(s);
	put(g, measure(s, "invocations"), 60, 3600, 100, 0);
	assert_int_not_equal(judged(g, s), HEALTH_OK);
	struct value v = stage_value(g, s, kind_metric(&s->kind->info, "invocations"), NULL);
	assert_true(v.stale);
	assert_true(v.v == 100);
	end(g);
}

static void fails(struct err **at, enum err_code code, const char *where, const char *why)
{
	struct err e;
	err_set(&e, code, where, "%s", why);
	err_hold(at, &e);
}

static void a_failed_call_is_unknown(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "lambda", "enrich");
	answered(s);
	put(g, measure(s, "invocations"), 15, 120, 100, 0);
	fails(&measure(s, "errors")->err, ERR_THROTTLED, "cloudwatch:GetMetricData", "Rate exceeded");
	assert_int_equal(judged(g, s), HEALTH_UNKNOWN);
	struct verdicts vs = { 0 };
	judge_stage(g, s, &vs);
	assert_true(vs.n > 0);
	assert_string_equal(vs.v[0].code, "THROTTLED");
	verdicts_clear(&vs);
	end(g);
}

static void points_from_tomorrow_are_not_taken(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "lambda", "enrich");
	struct measure *m = measure(s, "invocations");
	put(g, m, 15, 120, 100, 0);
	int64_t last = m->series.last;
	ingest_point(g, m, clock_wall() + 86400, 1);
	ingest_point(g, m, clock_wall() - 300, NAN);
	ingest_point(g, m, clock_wall() - 300, INFINITY);
	assert_int_equal(m->series.last, last);
	assert_int_equal(series_count(&m->series, 0, clock_wall()), 15);
	end(g);
}

static void unasked_is_unknown(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "lambda", "enrich");
	assert_int_equal(judged(g, s), HEALTH_UNKNOWN);
	g->live = false;
	g->rounds_done = 0;
	assert_int_equal(judged(g, s), HEALTH_UNKNOWN);
	put(g, measure(s, "invocations"), 15, 120, 100, 0);
	assert_int_equal(judged(g, s), HEALTH_STALE); /* from the history alone */
	g->live = true;                               /* a slow round: still nothing was answered */
	assert_int_equal(judged(g, s), HEALTH_STALE);
	end(g);
}

static void dead_letters(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "sqs", "load-dlq");
	answered(s);
	struct measure *m = measure(s, "visible");
	ingest_direct(g, m, clock_wall(), 3);
	assert_int_not_equal(judged(g, s), HEALTH_ALARM); /* a queue may hold messages; a dead-letter queue may not */
	s->res->dlq = true;
	assert_int_equal(judged(g, s), HEALTH_ALARM);
	ingest_direct(g, m, clock_wall(), 0);
	assert_int_equal(judged(g, s), HEALTH_OK);
	fails(&s->res->err, ERR_DENIED, "sqs:GetQueueAttributes", "not authorized");
	assert_int_equal(judged(g, s), HEALTH_UNKNOWN);
	end(g);
}

static void old_count_is_unknown(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "sqs", "load-dlq");
	answered(s);
	s->res->dlq = true;
	ingest_direct(g, measure(s, "visible"), clock_wall() - 3600, 0);
	assert_int_equal(judged(g, s), HEALTH_UNKNOWN);
	end(g);
}

static void growing_age(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "kinesis", "ingest");
	answered(s);
	struct measure *m = measure(s, kind_role(&s->kind->info, ROLE_AGE)->key);
	put(g, m, 15, 120, 3600000, 60000); /* milliseconds: 1 s/s */
	assert_int_equal(judged(g, s), HEALTH_ALARM);
	assert_non_null(strstr(s->reason, "growing 1.00 s/s"));
	put(g, m, 15, 120, 400, 0);
	assert_int_equal(judged(g, s), HEALTH_OK);
	end(g);
}

/* The errors of minutes that were never asked for are not 0. */
static void an_operand_that_failed_is_not_zero(void **state)
{
	(void)state;
	struct engine *g = world();
	struct stage *s = add(g, "lambda", "enrich");
	put(g, measure(s, "invocations"), 15, 120, 100, 0);
	const struct metric_info *rate = kind_metric(&s->kind->info, "error_rate");
	assert_true(isnan(stage_value(g, s, rate, NULL).v));
	answered(s);
	assert_true(stage_value(g, s, rate, NULL).v == 0);
	fails(&measure(s, "errors")->err, ERR_THROTTLED, "cloudwatch:GetMetricData", "Rate exceeded");
	assert_non_null(stage_value(g, s, rate, NULL).err);
	end(g);
}

/* A window further on than what is known leaves a hole between: that is not claimed. */
static void what_is_known(void **state)
{
	(void)state;
	struct known k = { 0 };
	assert_false(known_covers(&k, 100, 100));
	known_add(&k, 1000, 2000);
	assert_true(known_covers(&k, 1000, 2000));
	known_add(&k, 1900, 2500);
	assert_true(known_covers(&k, 1000, 2500));
	known_add(&k, 500, 1000);
	assert_true(known_covers(&k, 500, 2500));
	known_add(&k, 100, 200);
	assert_true(known_covers(&k, 500, 2500));
	assert_false(known_covers(&k, 150, 150));
	known_add(&k, 3000, 3500);
	assert_false(known_covers(&k, 2400, 3500));
	assert_true(known_covers(&k, 3000, 3500));
}

static void gone(struct engine *g, const char *kind)
{
	struct found none;
	found_init(&none);
	kind_state_of(g, kind_find(kind))->listed = true;
	inventory_listed(g, kind_find(kind), &none);
	found_clear(&none);
}

static void a_configured_resource_that_is_gone(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct conf *conf =
	    conf_parse("test", SPAN("[pipeline \"o\"]\n[stage \"o/load\"]\nresource = sqs:orders-load\n"), &e);
	assert_non_null(conf);
	struct engine *g = world_of(conf);
	struct res *r = inventory_res(g, kind_find("sqs"), "orders-load", true);
	inventory_bind(g);
	struct stage *s = inventory_stage(g, "load", &e);
	assert_ptr_equal(s->res, r);
	answered(s);
	ingest_direct(g, measure(s, "visible"), clock_wall(), 3);
	assert_int_equal(judged(g, s), HEALTH_OK);
	gone(g, "sqs"); /* before anything binds again: nothing may look at it any more */
	assert_null(s->res);
	assert_int_equal(judged(g, s), HEALTH_UNKNOWN);
	assert_non_null(strstr(s->reason, "no SQS queue of this name"));
	err_set(&kind_state_of(g, s->kind)->list, ERR_DENIED, "sqs:ListQueues", "not authorized");
	assert_int_equal(judged(g, s), HEALTH_UNKNOWN);
	assert_int_equal(stage_err(g, s, kind_metric(&s->kind->info, "visible"), NULL)->code, ERR_DENIED);
	end(g);
	conf_free(conf);
}

static void derived_values(void **state)
{
	(void)state;
	const struct metric_info ratio = { .from = FROM_RATIO }, difference = { .from = FROM_DIFFERENCE };
	assert_true(derive(&ratio, 1, 4, false, false) == 25);
	assert_true(derive(&ratio, NAN, 4, true, true) == 0);
	assert_true(isnan(derive(&ratio, NAN, 4, false, true)));
	assert_true(isnan(derive(&ratio, 1, 0, true, true))); /* x/0 is no point, as in CloudWatch */
	assert_true(isnan(derive(&ratio, 1, NAN, true, true)));
	assert_true(derive(&difference, 5, 2, false, false) == 3);
	assert_true(derive(&difference, 2, 5, false, false) == 0);
	assert_true(derive(&difference, 5, NAN, true, true) == 5);
	assert_true(isnan(derive(&difference, NAN, 5, true, true)));
}

static void every_kind_has_its_roles(void **state)
{
	(void)state;
	for (unsigned i = 0; i < nkinds; i++) {
		const struct kind_info *k = &kinds[i]->info;
		assert_non_null(kind_role(k, ROLE_IN));
		assert_true((kind_role(k, ROLE_ERROR) != NULL) != (k->no_error != NULL));
		for (unsigned m = 0; m < k->nmetrics; m++) {
			const struct metric_info *info = &k->metrics[m];
			for (unsigned j = 0; j < m; j++) {
				assert_string_not_equal(info->key, k->metrics[j].key);
				assert_true(info->role == ROLE_NONE || info->role != k->metrics[j].role);
			}
			if (info->from == FROM_RATIO || info->from == FROM_DIFFERENCE) {
				assert_non_null(kind_metric(k, info->a));
				assert_non_null(kind_metric(k, info->b));
			}
		}
	}
}

static void a_name_of_two_needs_its_kind(void **state)
{
	(void)state;
	struct engine *g = world();
	struct err e = { 0 };
	add(g, "sqs", "orders");
	add(g, "lambda", "orders");
	assert_null(inventory_stage(g, "orders", &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(inventory_stage(g, "lambda:orders", &e)->kind->info.id, "lambda");
	assert_null(inventory_stage(g, "nobody", &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	end(g);
}

static int frozen(void **state)
{
	(void)state;
	setenv("SLUICE_NOW", NOW, 1);
	return clock_init() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_rate),
		cmocka_unit_test(stale_is_never_ok),
		cmocka_unit_test(a_failed_call_is_unknown),
		cmocka_unit_test(unasked_is_unknown),
		cmocka_unit_test(dead_letters),
		cmocka_unit_test(old_count_is_unknown),
		cmocka_unit_test(growing_age),
		cmocka_unit_test(derived_values),
		cmocka_unit_test(every_kind_has_its_roles),
		cmocka_unit_test(an_operand_that_failed_is_not_zero),
		cmocka_unit_test(what_is_known),
		cmocka_unit_test(a_configured_resource_that_is_gone),
		cmocka_unit_test(a_name_of_two_needs_its_kind),
		cmocka_unit_test(points_from_tomorrow_are_not_taken),
	};
	return cmocka_run_group_tests(tests, frozen, NULL);
}
