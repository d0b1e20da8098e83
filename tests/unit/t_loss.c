/* The first-loss clock, rule by rule, and its words. What it says beside what happens: t_loss_sim.c. */
#include "core/arena.h"
#include "core/clock.h"
#include "pipeline/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795662840 /* 2026-11-26T03:14Z */
#define HOUR 3600
#define DAY 86400

static struct arena mem;

/* n points up to now, the newest `age`, each `slope` seconds a second before. */
static struct loss_trend aged(double age, double slope, unsigned n)
{
	struct series s;
	series_init(&s, 60);
	for (unsigned i = n; i-- > 0;)
		series_put(&s, NOW - 60 - (int64_t)i * 60, age - slope * 60 * i);
	struct loss_trend t = loss_trend(&s, 1, NOW);
	series_clear(&s);
	return t;
}

static struct loss_queue queue(double keeps, double age, double slope, double in, double out)
{
	return (struct loss_queue){ .now = NOW,
		                        .retention = keeps,
		                        .held = in * age,
		                        .in = in,
		                        .out = out,
		                        .counted = 600,
		                        .age = aged(age, slope, 30),
		                        .current = true,
		                        .steady = true };
}

static int64_t left(const struct loss *l)
{
	return l->low - NOW;
}

/* The four figures of the rule as it was first checked: (R - a) / (1 - out/in), and by the balance (in R - B) / (in - out). */
static void figures(void **state)
{
	(void)state;
	static const struct {
		double age, share;
		int64_t says;
	} rows[] = { { 500, 0.8, 15500 }, { 500, 0, 3100 }, { 200, 0.95, 68000 }, { 600, 0.75, 12000 } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double in = 400, slope = 1 - rows[i].share, age = rows[i].age;
		struct loss_queue q = queue(HOUR, age, 0, in, in * rows[i].share);
		q.age = (struct loss_trend){ NOW, age, slope, 1740, slope, 540, 60 };
		struct loss l = loss_queue(&mem, &q);
		assert_int_equal(l.state, LOSS_EXACT);
		assert_in_range(left(&l), rows[i].says - 1, rows[i].says + 1);
		assert_true(fabs(l.rate - in * slope) < 1e-9);
		assert_true(l.from == NOW && l.age == age && fabs(l.slope - slope) < 1e-9 && l.retention == HOUR);
	}
}

static void queue_at_no_risk(void **state)
{
	(void)state;
	struct loss_queue q = queue(4 * DAY, 14, 0, 360, 360);
	assert_int_equal(loss_queue(&mem, &q).state, LOSS_SAFE);
	q.held = 0; /* nothing is there, whatever else is unknown */
	q.retention = q.in = q.out = q.age.age = NAN;
	q.age.at = 0;
	assert_int_equal(loss_queue(&mem, &q).state, LOSS_SAFE);
	q = queue(4 * DAY, HOUR, -1, 100, 200); /* it drains */
	struct loss l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_SAFE);
	assert_int_equal(l.drains_at, NOW + HOUR);
	assert_int_equal(l.from, 0); /* and there is nothing to draw */
}

/* What is there does not go before the oldest of it would: as much as comes goes, and still nobody can say that nothing is lost. */
static void queue_in_balance_too_full(void **state)
{
	(void)state;
	struct loss_queue q = queue(4 * DAY, 3 * DAY, 0, 100, 101);
	struct loss l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_AT_LEAST);
	assert_int_equal(left(&l), DAY - 60);
}

static void queue_that_nobody_takes_from(void **state)
{
	(void)state;
	struct loss_queue q = queue(4 * DAY, DAY, 1, 5, 0);
	struct loss l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_EXACT);
	assert_int_equal(left(&l), 3 * DAY);
	q.age = aged(DAY, 0, 2); /* too few points for a slope: none is needed */
	l = loss_queue(&mem, &q);
	assert_int_equal(left(&l), 3 * DAY);
	q.age.at = 0; /* it is not even known how old it is */
	l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_AT_MOST);
	assert_int_equal(l.high, NOW + 4 * DAY);
	q.out = NAN; /* nor whether somebody takes from it */
	assert_int_equal(loss_queue(&mem, &q).state, LOSS_UNKNOWN);
}

static void queue_half_known(void **state)
{
	(void)state;
	struct loss_queue q = queue(NAN, HOUR, 0.5, 100, 50);
	assert_int_equal(loss_queue(&mem, &q).state, LOSS_UNKNOWN); /* nobody said how long it keeps */
	q = queue(4 * DAY, HOUR, 0.5, NAN, NAN);
	q.held = NAN;
	struct loss l = loss_queue(&mem, &q); /* the age alone */
	assert_int_equal(l.state, LOSS_EXACT);
	assert_in_range(left(&l), 2 * (4 * DAY - HOUR) - 10, 2 * (4 * DAY - HOUR) + 10);
	q.current = false; /* an old age has grown by as much as time went by, at most */
	l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_AT_LEAST);
	assert_int_equal(left(&l), 4 * DAY - HOUR - 60);
	q.steady = false;
	q.current = true;
	assert_int_equal(loss_queue(&mem, &q).state, LOSS_AT_LEAST);
}

static void queue_losing_already(void **state)
{
	(void)state;
	struct loss_queue q = queue(HOUR, HOUR - 20, 0, 100, 50);
	struct loss l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_EXACT);
	assert_true(l.low <= NOW);
}

/* Messages received three times or more are outside the age. */
static void queue_with_poison(void **state)
{
	(void)state;
	struct loss_queue q = queue(4 * DAY, 14, 0, 360, 360);
	q.hidden = true;
	struct loss l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_UNKNOWN);
	assert_non_null(strstr(l.basis, "age >= 14s"));
	q.redriven = true; /* they go to a dead-letter queue first, while somebody receives */
	assert_int_equal(loss_queue(&mem, &q).state, LOSS_SAFE);
	q = queue(4 * DAY, DAY, 1, 5, 0);
	q.hidden = q.redriven = true;
	l = loss_queue(&mem, &q);
	assert_int_equal(l.state, LOSS_AT_MOST);
	assert_int_equal(l.high, NOW + 3 * DAY);
}

static struct loss_dead dead(double keeps, double moved, double source)
{
	return (struct loss_dead){ .now = NOW,
		                       .retention = keeps,
		                       .held = 7,
		                       .age = aged(moved, 1, 30),
		                       .current = true,
		                       .source_retention = source };
}

static void dead_letter_queues(void **state)
{
	(void)state;
	struct loss_dead d = dead(14 * DAY, 2 * DAY, 4 * DAY);
	struct loss l = loss_dead(&mem, &d);
	assert_int_equal(l.state, LOSS_BETWEEN);
	assert_int_equal(left(&l), 8 * DAY - 60);
	assert_int_equal(l.high, NOW + 12 * DAY);
	assert_int_equal(l.from, 0); /* the age that CloudWatch has is not the one that counts */
	d.received = true;           /* the oldest may be outside the age */
	l = loss_dead(&mem, &d);
	assert_int_equal(l.state, LOSS_AT_MOST);
	assert_int_equal(l.high, NOW + 12 * DAY);
	d.received = false;
	d.source_retention = NAN; /* the longest there is: 14 days, and then nothing is left of the bound */
	assert_int_equal(loss_dead(&mem, &d).state, LOSS_AT_MOST);
	d.fifo = true;
	l = loss_dead(&mem, &d);
	assert_int_equal(l.state, LOSS_EXACT);
	assert_int_equal(left(&l), 12 * DAY);
	d.held = 0;
	assert_int_equal(loss_dead(&mem, &d).state, LOSS_SAFE);
}

static void dead_letters_looked_at(void **state)
{
	(void)state;
	struct loss_dead d = dead(4 * DAY, 29 * HOUR, 4 * DAY);
	int64_t sent[] = { NOW - HOUR, NOW - 74 * HOUR, NOW - DAY };
	d.sent = sent;
	d.nsent = 3;
	struct loss l = loss_dead(&mem, &d);
	assert_int_equal(l.state, LOSS_AT_MOST); /* a sample: another one may be older */
	assert_int_equal(l.high, NOW + 22 * HOUR);
	d.all = true;
	l = loss_dead(&mem, &d);
	assert_int_equal(l.state, LOSS_EXACT);
	assert_int_equal(left(&l), 22 * HOUR);
	assert_string_equal(l.basis, "sent 3d02h ago, retention 4d");
}

static void dead_letters_being_taken(void **state)
{
	(void)state;
	struct loss_dead d = dead(14 * DAY, HOUR, DAY);
	d.out = 1; /* seven seconds */
	assert_int_equal(loss_dead(&mem, &d).state, LOSS_SAFE);
	d.source_retention = 14 * DAY; /* one may expire before those seconds are over */
	assert_int_equal(loss_dead(&mem, &d).state, LOSS_UNKNOWN);
}

static void pointers(void **state)
{
	(void)state;
	struct loss_pointers p = { .now = NOW,
		                       .retention = 4 * DAY,
		                       .held = 3,
		                       .age = aged(6 * HOUR, 1, 30),
		                       .current = true,
		                       .stream_retention = DAY };
	struct loss l = loss_pointers(&mem, &p);
	assert_int_equal(l.state, LOSS_AT_MOST); /* the stream forgets, whatever the queue says */
	assert_int_equal(l.high, NOW + 18 * HOUR);
	int64_t arrived[] = { NOW - 7 * HOUR };
	p.arrived = arrived;
	p.narrived = 1;
	p.all = true;
	l = loss_pointers(&mem, &p);
	assert_int_equal(l.state, LOSS_EXACT);
	assert_int_equal(left(&l), 17 * HOUR);
	p.retention = HOUR; /* the message itself goes first */
	l = loss_pointers(&mem, &p);
	assert_int_equal(l.state, LOSS_AT_MOST);
	p.held = 0;
	assert_int_equal(loss_pointers(&mem, &p).state, LOSS_SAFE);
}

static struct loss one_reader(struct loss_reader r, double keeps)
{
	struct loss_stream s = { .now = NOW, .retention = keeps, .readers = &r, .nreaders = 1, .steady = true };
	return loss_stream(&mem, &s);
}

static void streams(void **state)
{
	(void)state;
	struct loss_reader r = {
		.where = "shard 3", .age = aged(22140, 1, 30), .current = true, .limit = NAN, .shards = 1
	};
	struct loss l = one_reader(r, DAY); /* a shard that one batch holds */
	assert_int_equal(l.state, LOSS_EXACT);
	assert_int_equal(left(&l), 17 * HOUR + 51 * 60);
	assert_string_equal(l.where, "shard 3");
	assert_string_equal(l.basis, "age 6h09m, growing 1.00 s/s, retention 24h");
	r.batch = 300; /* the first of the batch is older than its last, whose age it is */
	l = one_reader(r, DAY);
	assert_int_equal(left(&l), 17 * HOUR + 51 * 60 - 300);
	r.batch = 0;
	r.limit = 8 * HOUR; /* MaximumRecordAgeInSeconds: given up before it expires */
	l = one_reader(r, DAY);
	assert_int_equal(left(&l), 8 * HOUR - 22140);
	r = (struct loss_reader){ .age = aged(0.5, 0, 30), .current = true, .limit = NAN, .shards = 8 };
	assert_int_equal(one_reader(r, DAY).state, LOSS_SAFE);
	assert_int_equal(one_reader(r, NAN).state, LOSS_UNKNOWN);
	r.age = aged(6 * HOUR, 0.5, 30); /* the highest of eight: another may be as old and stand */
	l = one_reader(r, DAY);
	assert_int_equal(l.state, LOSS_BETWEEN);
	assert_int_equal(left(&l), 18 * HOUR);
	assert_in_range(l.high, NOW + 36 * HOUR - 5, NOW + 36 * HOUR + 5);
	struct loss_stream none = { .now = NOW, .retention = DAY };
	assert_int_equal(loss_stream(&mem, &none).state, LOSS_NONE);
}

static void reader_that_stopped(void **state)
{
	(void)state;
	struct loss_reader r = { .age = aged(HOUR, 0, 30), .silent = true, .limit = NAN, .shards = 4 };
	r.age.at = NOW - 2 * HOUR; /* nothing since: it grows by a second a second */
	struct loss l = one_reader(r, DAY);
	assert_int_equal(l.state, LOSS_EXACT);
	assert_int_equal(left(&l), 21 * HOUR);
	assert_int_equal(l.from, NOW - 2 * HOUR); /* drawn as a projection from the last point */
	assert_true(l.slope == 1);
	assert_non_null(strstr(l.basis, "nobody reads"));
	r.silent = false; /* nobody knows whether it was read */
	assert_int_equal(one_reader(r, DAY).state, LOSS_AT_LEAST);
	r.silent = r.caught_up = true;
	assert_int_equal(one_reader(r, DAY).state, LOSS_SAFE);
	r = (struct loss_reader){ .silent = true, .unread_from = NOW - HOUR, .limit = NAN };
	l = one_reader(r, DAY);
	assert_int_equal(l.state, LOSS_AT_MOST);
	assert_int_equal(l.high, NOW + 23 * HOUR);
	r.unread_from = 0;
	assert_int_equal(one_reader(r, DAY).state, LOSS_UNKNOWN);
}

static void nearest_of_readers(void **state)
{
	(void)state;
	struct loss_reader r[] = {
		{ .where = "shard 1", .age = aged(0.4, 0, 30), .current = true, .limit = NAN, .shards = 1 },
		{ .where = "shard 3", .age = aged(22140, 1, 30), .current = true, .limit = NAN, .shards = 1 },
		{ .where = "shard 4", .age = aged(HOUR, 1, 30), .current = true, .limit = NAN, .shards = 1 },
		{ .where = "shard 5", .limit = NAN },
	};
	struct loss_stream s = { .now = NOW, .retention = DAY, .readers = r, .nreaders = 3, .steady = true };
	struct loss l = loss_stream(&mem, &s);
	assert_string_equal(l.where, "shard 3");
	assert_int_equal(l.state, LOSS_EXACT);
	s.nreaders = 4; /* of one of them nothing is known: it may be nearer, and not later */
	l = loss_stream(&mem, &s);
	assert_int_equal(l.state, LOSS_AT_MOST);
	assert_int_equal(l.high, NOW + 17 * HOUR + 51 * 60);
	assert_string_equal(l.where, "shard 3");
	s.readers = &r[3];
	s.nreaders = 1;
	assert_int_equal(loss_stream(&mem, &s).state, LOSS_UNKNOWN);
}

static void events_of_a_function(void **state)
{
	(void)state;
	struct loss_async a = {
		.now = NOW, .least = LOSS_ASYNC_MOST, .most = LOSS_ASYNC_MOST, .age = aged(HOUR, 1, 30), .current = true
	};
	struct loss l = loss_async(&mem, &a);
	assert_int_equal(l.state, LOSS_EXACT);
	assert_int_equal(left(&l), 5 * HOUR); /* six hours, when nobody said less */
	assert_string_equal(l.what, "first event");
	a.least = a.most = 2 * HOUR;
	l = loss_async(&mem, &a);
	assert_int_equal(left(&l), HOUR);
	a.most = 4 * HOUR; /* an alias has a time of its own */
	l = loss_async(&mem, &a);
	assert_true(l.state == LOSS_BETWEEN && l.low == NOW + HOUR && l.high == NOW + 3 * HOUR);
	a.least = a.most = NAN; /* nobody may say: no longer than Lambda keeps any */
	l = loss_async(&mem, &a);
	assert_true(l.state == LOSS_AT_MOST && l.high == NOW + 5 * HOUR);
	a.over = true;
	assert_int_equal(loss_async(&mem, &a).state, LOSS_SAFE);
	a.age.at = 0;
	assert_int_equal(loss_async(&mem, &a).state, LOSS_NONE);
}

/* What just began shows in the newest points; what just ended, too. */
static void what_changed_lately(void **state)
{
	(void)state;
	struct series s;
	series_init(&s, 60);
	for (int i = 0; i < 60; i++)
		series_put(&s, NOW - 3600 + i * 60, i < 48 ? 0.5 : (i - 47) * 60);
	struct loss_reader r = { .age = loss_trend(&s, 1, NOW), .current = true, .limit = NAN, .shards = 1 };
	struct loss l = one_reader(r, DAY);
	assert_true(l.state == LOSS_EXACT || l.state == LOSS_BETWEEN);
	assert_in_range(left(&l), DAY - 720 - 60, DAY - 720 + 60);
	for (int i = 0; i < 60; i++)
		series_put(&s, NOW - 3600 + i * 60, i < 48 ? 600 + i * 60 : 3420 - (i - 47) * 200);
	r.age = loss_trend(&s, 1, NOW);
	l = one_reader(r, DAY);
	assert_int_equal(l.state, LOSS_SAFE);
	assert_true(l.drains_at > NOW);
	series_clear(&s);
}

/* ---- words */

static const char *line(const struct loss *l, const char *name, unsigned cells)
{
	static char text[512];
	struct buf b;
	buf_init(&b, 4096);
	loss_line(l, name, NOW, cells, &b);
	snprintf(text, sizeof text, "%s", b.p ? b.p : "");
	buf_clear(&b);
	return text;
}

static void words(void **state)
{
	(void)state;
	struct loss l = { .state = LOSS_EXACT,
		              .low = NOW + 17 * HOUR + 50 * 60 + 18,
		              .high = NOW + 17 * HOUR + 50 * 60 + 18,
		              .what = "first record",
		              .where = "shard 3",
		              .basis = "age 6h09m, growing 1.00 s/s, retention 24h" };
	assert_string_equal(line(&l, "orders-ingest", 120),
	                    "DATA LOSS  17h50m  first record expires 21:04Z     orders-ingest shard 3: age 6h09m, growing "
	                    "1.00 s/s, retention 24h");
	assert_string_equal(line(&l, "orders-ingest", 80),
	                    "DATA LOSS  first record expires 21:04Z, in 17h50m   orders-ingest shard 3");
	assert_int_equal(strlen(line(&l, "orders-ingest", 100)), 100);
	assert_int_equal(strlen(line(&l, "orders-ingest", 40)), 40);
	l.where = NULL;
	l.low = l.high = NOW + 22 * HOUR;
	l.what = "first message";
	assert_non_null(
	    strstr(line(&l, "orders-load-dlq", 120), "22h00m  first message expires 01:14Z+1  orders-load-dlq: "));
	l.low = NOW - 60;
	assert_non_null(strstr(line(&l, "q", 80), "first message expired 03:13Z "));
	assert_non_null(strstr(line(&l, "q\x1b[2J", 120), "now     first message expired 03:13Z"));
	assert_null(strchr(line(&l, "q\x1b[2J", 120), '\x1b'));
}

static void words_of_bounds(void **state)
{
	(void)state;
	char in[LOSS_IN];
	struct loss l = { .state = LOSS_BETWEEN, .low = NOW + 2 * HOUR, .high = NOW + 3 * DAY, .what = "first message" };
	loss_in(&l, NOW, in);
	assert_string_equal(in, "2h..3d");
	assert_string_equal(line(&l, "dlq", 80), "DATA LOSS  first message expires 05:14Z .. 03:14Z+3, in 2h..3d  dlq");
	l.state = LOSS_AT_MOST;
	loss_in(&l, NOW, in);
	assert_string_equal(in, "<=3d00h");
	assert_non_null(strstr(line(&l, "dlq", 80), "first message expires by 03:14Z+3, in <=3d00h"));
	l.state = LOSS_AT_LEAST;
	loss_in(&l, NOW, in);
	assert_string_equal(in, ">=2h00m");
	assert_non_null(strstr(line(&l, "dlq", 80), "first message lasts until 05:14Z"));
	l.state = LOSS_UNKNOWN;
	loss_in(&l, NOW, in);
	assert_string_equal(in, "??");
	assert_non_null(strstr(line(&l, "dlq", 120), "??      first message may expire any time"));
	l.state = LOSS_SAFE;
	loss_in(&l, NOW, in);
	assert_string_equal(in, "-");
	assert_string_equal(line(&l, "dlq", 120), "");
}

static void nearest_first(void **state)
{
	(void)state;
	const struct loss order[] = {
		{ .state = LOSS_EXACT, .low = 10, .high = 10 },
		{ .state = LOSS_AT_MOST, .high = 20 },
		{ .state = LOSS_BETWEEN, .low = 30, .high = 99 },
		{ .state = LOSS_AT_LEAST, .low = 5 },
		{ .state = LOSS_UNKNOWN },
		{ .state = LOSS_SAFE },
	};
	for (size_t i = 0; i + 1 < sizeof order / sizeof *order; i++) {
		assert_true(loss_order(&order[i], &order[i + 1]) < 0);
		assert_true(loss_order(&order[i + 1], &order[i]) > 0);
		assert_int_equal(loss_at_risk(&order[i]), i < 5);
	}
}

static int begin(void **state)
{
	(void)state;
	arena_init(&mem);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_clear(&mem);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(figures),
		TEST(queue_at_no_risk),
		TEST(queue_in_balance_too_full),
		TEST(queue_that_nobody_takes_from),
		TEST(queue_half_known),
		TEST(queue_losing_already),
		TEST(queue_with_poison),
		TEST(dead_letter_queues),
		TEST(dead_letters_looked_at),
		TEST(dead_letters_being_taken),
		TEST(pointers),
		TEST(streams),
		TEST(reader_that_stopped),
		TEST(nearest_of_readers),
		TEST(events_of_a_function),
		TEST(what_changed_lately),
		TEST(words),
		TEST(words_of_bounds),
		TEST(nearest_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
