/* The embedded AWS's alarms: the judgement against AWS's own tables, then whole alarms over stored points. */
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"
#include "sim/motion.h"
#include "sim/scenario.h"
#include "sim/sim_alarm.h"
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "missing_data.h"

static unsigned read_points(const char *text, enum point *pt)
{
	unsigned n = 0;
	for (; *text; text++)
		pt[n++] = *text == 'X' ? POINT_BREACHING : *text == '0' ? POINT_GOOD : POINT_MISSING;
	return n;
}

static enum sim_missing missing_of(const char *name)
{
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(sim_missing_names[i], name) == 0)
			return i;
	fail_msg("no mode %s", name);
	return 0;
}

static void check_row(const char *points, unsigned n, unsigned m, const char *mode, const char *wanted)
{
	enum point pt[64];
	unsigned npt = read_points(points, pt);
	for (enum sim_state current = STATE_OK; current <= STATE_INSUFFICIENT; current++) {
		enum sim_state s = alarm_judge(pt, npt, n, m, missing_of(mode), current);
		const char *want = strcmp(wanted, "CURRENT") == 0 ? sim_state_names[current] : wanted;
		if (strcmp(sim_state_names[s], want) != 0)
			fail_msg("%u of %u, %s, %s: %s instead of %s", m, n, points, mode, sim_state_names[s], want);
	}
}

static void missing_data_tables(void **state)
{
	(void)state;
	missing_data_rows(check_row);
}

/* What the tables leave out. */
static void more_rows(void **state)
{
	(void)state;
	check_row("00000", 3, 3, "missing", "OK");
	check_row("0XXX0", 3, 2, "missing", "ALARM");
	check_row("XXX00", 3, 2, "missing", "OK"); /* only the newest N count when none is missing */
	check_row("---XX", 3, 3, "missing", "CURRENT");
	check_row("----X", 3, 3, "missing", "CURRENT"); /* too young to be meant */
	check_row("----X", 3, 3, "ignore", "CURRENT");
	check_row("--XXX", 3, 3, "notBreaching", "ALARM");
	check_row("X", 1, 1, "missing", "ALARM");
	check_row("-", 1, 1, "missing", "INSUFFICIENT_DATA");
}

/* ---- an account with nothing in it, and a clock that stands still unless the test moves it */

static struct world *new_world(void)
{
	return motion_start(scenario_find("empty"), "eu-west-1", 1);
}

static struct sim_alarm *new_alarm(struct world *w, int64_t period, int64_t n, int64_t m, enum sim_missing missing)
{
	struct sim_alarm *a = xcalloc(1, sizeof *a);
	*a = (struct sim_alarm){ .name = xstrdup("a"),
		                     .ns = xstrdup("App"),
		                     .metric = xstrdup("Errors"),
		                     .stat = xstrdup("Sum"),
		                     .ndims = 1,
		                     .period = period,
		                     .n = n,
		                     .m = m,
		                     .threshold = 5,
		                     .compare = COMPARE_GT,
		                     .missing = missing,
		                     .actions_enabled = true };
	a->dims[0] = (struct sim_dim){ xstrdup("Stage"), xstrdup("x") };
	a->actions[STATE_ALARM][0] = xstrdup("arn:aws:sns:eu-west-1:123456789012:t");
	alarm_add(w, a);
	return a;
}

/* One minute with these values in it (none: nothing was measured). */
static void minute(struct world *w, unsigned n, const double *v)
{
	for (unsigned i = 0; i < n; i++)
		world_put(w, "App", "Errors", "Stage", "x", "Count", w->minute, v[i], 1);
	motion_run_to(w, w->minute + 1);
}

#define MINUTE(w, ...) minute(w, sizeof((double[]){ __VA_ARGS__ }) / sizeof(double), (double[]){ __VA_ARGS__ })

static void rises_and_falls(void **state)
{
	(void)state;
	struct world *w = new_world();
	struct sim_alarm *a = new_alarm(w, 60, 3, 2, MISSING_MISSING);
	assert_int_equal(a->state, STATE_INSUFFICIENT);
	MINUTE(w, 1, 2);
	assert_int_equal(a->state, STATE_OK);
	int64_t ok_since = a->since_ms;
	assert_true(ok_since == w->now_ms);
	MINUTE(w, 3, 3);
	assert_int_equal(a->state, STATE_OK);
	assert_true(a->since_ms == ok_since); /* judged again, not changed */
	MINUTE(w, 9);
	assert_int_equal(a->state, STATE_ALARM);
	assert_true(a->since_ms == w->minute * 60000);
	assert_non_null(strstr(a->reason, "2 out of the last 3 datapoints [9 ("));
	assert_non_null(
	    strstr(a->reason, "were greater than the threshold (5) (minimum 2 datapoints for OK -> ALARM transition)"));
	MINUTE(w, 0);
	MINUTE(w, 0);
	assert_int_equal(a->state, STATE_OK);
	motion_end(w);
}

static void silence(void **state)
{
	(void)state;
	static const struct {
		enum sim_missing mode;
		enum sim_state then;
	} modes[] = {
		{ MISSING_MISSING, STATE_INSUFFICIENT },
		{ MISSING_IGNORE, STATE_OK },
		{ MISSING_BREACHING, STATE_ALARM },
		{ MISSING_NOT_BREACHING, STATE_OK },
	};
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = new_world();
		struct sim_alarm *a = new_alarm(w, 60, 2, 2, modes[i].mode);
		MINUTE(w, 1);
		assert_int_equal(a->state, STATE_OK);
		motion_run_to(w, w->minute + 10);
		assert_int_equal(a->state, modes[i].then);
		motion_end(w);
	}
}

/* Periods longer than a minute slide with the minutes. */
static void long_period(void **state)
{
	(void)state;
	struct world *w = new_world();
	struct sim_alarm *a = new_alarm(w, 300, 1, 1, MISSING_NOT_BREACHING);
	MINUTE(w, 2);
	MINUTE(w, 2);
	assert_int_equal(a->state, STATE_OK);
	MINUTE(w, 2); /* 6 in five minutes */
	assert_int_equal(a->state, STATE_ALARM);
	MINUTE(w, 0);
	MINUTE(w, 0);
	assert_int_equal(a->state, STATE_ALARM);
	MINUTE(w, 0);
	assert_int_equal(a->state, STATE_OK);
	motion_end(w);
}

static void forced_state_lasts_until_judged(void **state)
{
	(void)state;
	struct world *w = new_world();
	struct sim_alarm *a = new_alarm(w, 60, 1, 1, MISSING_MISSING);
	MINUTE(w, 1);
	alarm_set_state(w, a, STATE_ALARM, "a drill", NULL);
	assert_int_equal(a->state, STATE_ALARM);
	assert_string_equal(a->reason, "a drill");
	MINUTE(w, 1);
	assert_int_equal(a->state, STATE_OK);
	motion_end(w);
}

static unsigned events_of(const struct world *w, enum event_kind kind)
{
	unsigned n = 0;
	for (unsigned i = 0; i < w->nevents; i++)
		n += w->events[i].kind == kind;
	return n;
}

static void history_and_actions(void **state)
{
	(void)state;
	struct world *w = new_world();
	struct sim_alarm *a = new_alarm(w, 60, 1, 1, MISSING_MISSING);
	MINUTE(w, 1);
	MINUTE(w, 9);
	MINUTE(w, 9);
	assert_int_equal(events_of(w, EVENT_CONFIGURED), 1);
	assert_int_equal(events_of(w, EVENT_STATE), 2);
	assert_int_equal(events_of(w, EVENT_ACTION), 1); /* once, on the transition */
	a->actions_enabled = false;
	MINUTE(w, 1);
	MINUTE(w, 9);
	assert_int_equal(a->state, STATE_ALARM);
	assert_int_equal(events_of(w, EVENT_STATE), 4);
	assert_int_equal(events_of(w, EVENT_ACTION), 1);
	struct err e;
	for (unsigned i = 0; i < w->nevents; i++) {
		struct json *data = json_parse(span_of(w->events[i].data), &e);
		assert_non_null(data);
		json_free(data);
	}
	motion_end(w);
}

static void an_update_keeps_the_state(void **state)
{
	(void)state;
	struct world *w = new_world();
	struct sim_alarm *a = new_alarm(w, 60, 1, 1, MISSING_MISSING);
	MINUTE(w, 9);
	int64_t since = a->since_ms;
	a = new_alarm(w, 60, 2, 2, MISSING_IGNORE);
	assert_int_equal(w->nalarms, 1);
	assert_int_equal(a->state, STATE_ALARM);
	assert_true(a->since_ms == since);
	alarm_delete(w, a);
	assert_null(world_alarm(w, "a"));
	motion_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_data_tables), cmocka_unit_test(more_rows),
		cmocka_unit_test(rises_and_falls),     cmocka_unit_test(silence),
		cmocka_unit_test(long_period),         cmocka_unit_test(forced_state_lasts_until_judged),
		cmocka_unit_test(history_and_actions), cmocka_unit_test(an_update_keeps_the_state),
	};
	setenv("SLUICE_NOW", "2026-11-23T03:14:42Z", 1);
	return clock_init() && hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
