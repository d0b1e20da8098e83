/* Whose turn it is: intervals, the budget, over simulated days. No engine: each minute is one plan, and what is due is paid. */
#include "core/mem.h"
#include "engine/sched.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE 60
#define DAY_MINUTES 1440
#define MOST 4000

/* A console somewhere in the day, and its bill. */
struct day {
	struct sched s;
	struct sched_row row[MOST], *rows[MOST];
	unsigned n;
	int64_t midnight;               /* of s.now's clock: a multiple of a day is midnight UTC */
	double all, today;              /* billed */
	double minute[3 * DAY_MINUTES]; /* billed in each */
	double extra[3 * DAY_MINUTES];
	unsigned at;          /* minutes done */
	unsigned asked[MOST]; /* times asked whole */
};

static struct day *begin(unsigned rows, unsigned metrics, double budget, int64_t since_midnight)
{
	struct day *d = xcalloc(1, sizeof *d);
	d->n = rows;
	d->s = (struct sched){ .now = 1000 * SCHED_DAY + since_midnight, .poll = MINUTE, .budget = budget };
	for (unsigned i = 0; i < rows; i++) {
		d->row[i] = (struct sched_row){ .metrics = metrics, .vital = metrics / 2, .asked = SCHED_NEVER };
		d->rows[i] = &d->row[i];
	}
	return d;
}

static double beyond(const struct day *d)
{
	double sum = 0;
	for (unsigned i = d->at > DAY_MINUTES ? d->at - DAY_MINUTES : 0; i < d->at; i++)
		sum += d->extra[i];
	return sum;
}

static void minute(struct day *d)
{
	double paid = 0;
	int64_t of_day = d->s.now % SCHED_DAY;
	if (of_day < MINUTE)
		d->today = 0;
	d->s.day_left = SCHED_DAY - of_day;
	d->s.today = d->today;
	d->s.beyond = beyond(d);
	sched_plan(&d->s, d->rows, d->n);
	for (unsigned i = 0; i < d->n; i++) {
		struct sched_row *r = &d->row[i];
		paid += r->turn == SCHED_WHOLE ? r->metrics : r->turn == SCHED_VITAL ? r->vital : 0;
		if (r->turn != SCHED_WHOLE)
			continue;
		r->asked = d->s.now;
		d->asked[i]++;
	}
	d->all += paid;
	d->today += paid;
	d->minute[d->at] = paid;
	d->extra[d->at++] = d->s.filling;
	d->s.now += MINUTE;
	d->s.refresh = false;
}

static double any_day(const struct day *d)
{
	double most = 0, sum = 0;
	for (unsigned i = 0; i < d->at; i++) {
		sum += d->minute[i] - (i >= DAY_MINUTES ? d->minute[i - DAY_MINUTES] : 0);
		most = sum > most ? sum : most;
	}
	return most;
}

static void a_small_account_is_asked_every_five_minutes(void **state)
{
	(void)state;
	struct day *d = begin(20, 5, 100000, 0);
	d->row[3].class = SCHED_SELECTED;
	d->row[4].class = SCHED_TROUBLE;
	for (unsigned i = 0; i < 60; i++)
		minute(d);
	assert_int_equal(d->asked[3], 60);
	assert_int_equal(d->asked[4], 60);
	assert_int_equal(d->asked[0], 12);
	assert_int_equal(d->row[0].every, 300);
	assert_int_equal(d->row[3].every, 60);
	assert_int_equal(d->s.slowed, 0);
	assert_true(fabs(d->s.per_day - (10 * 1440 + 90 * 288)) < 1);
	free(d);
}

static void nobody_at_the_keys(void **state)
{
	(void)state;
	struct day *d = begin(20, 5, 100000, 0);
	d->row[3].class = SCHED_SELECTED;
	d->row[4].class = SCHED_TROUBLE;
	d->s.idle = true;
	for (unsigned i = 0; i < 60; i++)
		minute(d);
	assert_int_equal(d->asked[0], 4);
	assert_int_equal(d->row[0].every, 900);
	assert_int_equal(d->asked[3], 60);
	assert_int_equal(d->asked[4], 60);
	d->s.idle = false; /* what has waited longer than five minutes comes at once */
	minute(d);
	minute(d);
	d->s.idle = true;
	for (unsigned i = 0; i < 7; i++)
		minute(d);
	d->s.idle = false;
	minute(d);
	assert_int_equal(d->row[0].turn, SCHED_WHOLE);
	free(d);
}

/* The proof of the issue: 3,000 resources, a day, one dollar. */
static void three_thousand_rows_for_a_dollar(void **state)
{
	(void)state;
	static const int64_t starts[] = { 0, 1, 12 * 3600, 23 * 3600 + 50 * 60 };
	for (unsigned k = 0; k < 4; k++) {
		struct day *d = begin(3000, 5, 100000, starts[k]);
		for (unsigned i = 0; i < 5; i++)
			d->row[100 + i].class = SCHED_TROUBLE;
		for (unsigned i = 0; i < DAY_MINUTES; i++) {
			d->row[i / 10].class = d->row[i / 10].class == SCHED_TAIL ? SCHED_SELECTED : d->row[i / 10].class;
			minute(d);
			for (unsigned j = 0; j < 5; j++)
				assert_int_equal(d->row[100 + j].turn, SCHED_WHOLE);
			assert_int_equal(d->row[i / 10].turn, SCHED_WHOLE);
			if (d->row[i / 10].class == SCHED_SELECTED)
				d->row[i / 10].class = SCHED_TAIL;
		}
		assert_true(d->all <= 100000);
		assert_true(d->all > 90000);
		assert_true(d->minute[0] == 15000); /* all of them once, at the start */
		for (unsigned i = 0; i < 3000; i++)
			assert_true(d->asked[i] >= 1);
		assert_true(d->s.slowed > 2900);
		free(d);
	}
}

/* Each day, and each 24 hours that begin with one, cost no more than the budget; and the tail goes on moving. */
static void three_days(void **state)
{
	(void)state;
	struct day *d = begin(1000, 5, 50000, 9 * 3600);
	double calendar = 0;
	for (unsigned i = 0; i < 3 * DAY_MINUTES; i++) {
		minute(d);
		calendar = d->today > calendar ? d->today : calendar;
	}
	assert_true(calendar <= 50000);
	assert_true(any_day(d) <= 50000);
	assert_true(d->all > 0.9 * 3 * 50000);
	for (unsigned i = 0; i < 1000; i++) { /* fairly: nobody waits twice as long as another */
		assert_true(d->asked[i] >= d->asked[0] - 1);
		assert_true(d->asked[i] <= d->asked[0] + 1);
	}
	free(d);
}

/* What a row's interval says is what happens: its values may be called fresh for so long. */
static void a_slowed_row_comes_within_its_interval(void **state)
{
	(void)state;
	struct day *d = begin(1000, 5, 100000, 0);
	for (unsigned i = 0; i < 2 * DAY_MINUTES;
	     i++) { /* on the second day the first fill no longer counts, and all goes faster */
		minute(d);
		for (unsigned k = 0; k < 1000; k++)
			assert_true(d->s.now - d->row[k].asked <= d->row[k].every + 2 * MINUTE);
	}
	assert_true(d->row[0].every > 300);
	assert_true(d->row[0].slowed);
	free(d);
}

/* A console that is started again and again fills in what it may, and then waits like everybody. */
static void restarts_do_not_outspend(void **state)
{
	(void)state;
	struct day *d = begin(3000, 5, 100000, 0);
	for (unsigned i = 0; i < DAY_MINUTES; i++) {
		if (i % 30 == 0) {
			for (unsigned k = 0; k < 3000; k++)
				d->row[k].asked = SCHED_NEVER;
			d->s.saved = 0;
			d->s.planned_at = 0;
		}
		minute(d);
	}
	assert_true(d->all <= 100000);
	assert_true(beyond(d) <= 25000);
	free(d);
}

static void trouble_beyond_the_budget(void **state)
{
	(void)state;
	struct day *d = begin(100, 4, 100000, 0);
	for (unsigned i = 0; i < 60; i++)
		d->row[i].class = SCHED_TROUBLE;
	d->row[99].class = SCHED_SELECTED;
	for (unsigned i = 0; i < 600; i++) {
		minute(d);
		for (unsigned k = 0; k < 60; k++) /* what tells of the trouble comes at every poll, whatever it costs */
			assert_int_not_equal(d->row[k].turn, SCHED_NOT);
		assert_int_equal(d->row[99].turn, SCHED_WHOLE);
	}
	assert_int_equal(d->asked[0], 1);
	assert_int_equal(d->row[60].turn, SCHED_NOT);
	assert_true(fabs(d->s.per_day - (60 * 2 * 1440 + 4 * 1440)) < 1);
	free(d);
}

static void no_budget_no_limit(void **state)
{
	(void)state;
	struct day *d = begin(3000, 5, 0, 0);
	for (unsigned i = 0; i < 11; i++)
		minute(d);
	assert_int_equal(d->asked[0], 3);
	assert_int_equal(d->asked[2999], 3);
	assert_int_equal(d->s.slowed, 0);
	free(d);
}

static void a_budget_of_almost_nothing(void **state)
{
	(void)state;
	struct day *d = begin(50, 5, 100, 0); /* a tenth of a cent */
	for (unsigned i = 0; i < DAY_MINUTES; i++)
		minute(d);
	assert_true(d->all <= 100);
	assert_true(d->all >= 90);
	free(d);
}

static void a_refresh(void **state)
{
	(void)state;
	struct day *d = begin(100, 5, 100000, 0);
	minute(d);
	minute(d);
	d->s.refresh = true;
	minute(d);
	assert_int_equal(d->asked[99], 2);
	assert_true(d->extra[2] == 500); /* it comes on top: the tail makes up for it later */
	free(d);
	d = begin(3000, 5, 100000, 0);
	d->row[7].class = SCHED_TROUBLE;
	minute(d);
	d->s.refresh = true;
	minute(d);
	assert_int_equal(d->asked[7], 2);
	assert_true(d->minute[1] < 200); /* not fifteen cents for one key */
	free(d);
}

static void nothing_to_ask(void **state)
{
	(void)state;
	struct sched s = { .now = 1, .poll = 60, .budget = 100 };
	sched_plan(&s, NULL, 0);
	assert_true(s.per_day == 0);
	assert_int_equal(s.slowed, 0);
}

static void jitter(void **state)
{
	(void)state;
	uint64_t seed = 88172645463325252u;
	int64_t least = INT64_MAX, most = 0;
	for (unsigned i = 0; i < 10000; i++) {
		int64_t t = sched_jitter(&seed, 300);
		assert_true(t >= 270 && t <= 330);
		least = t < least ? t : least;
		most = t > most ? t : most;
	}
	assert_int_equal(least, 270);
	assert_int_equal(most, 330);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_account_is_asked_every_five_minutes),
		cmocka_unit_test(nobody_at_the_keys),
		cmocka_unit_test(three_thousand_rows_for_a_dollar),
		cmocka_unit_test(three_days),
		cmocka_unit_test(a_slowed_row_comes_within_its_interval),
		cmocka_unit_test(restarts_do_not_outspend),
		cmocka_unit_test(trouble_beyond_the_budget),
		cmocka_unit_test(no_budget_no_limit),
		cmocka_unit_test(a_budget_of_almost_nothing),
		cmocka_unit_test(a_refresh),
		cmocka_unit_test(nothing_to_ask),
		cmocka_unit_test(jitter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
