/* How late a namespace's points are: learned from simulated hours with known delays, however often is polled; and what of a poll
 * teaches, is taken, or is a revision. */
#include "core/clock.h"
#include "core/json.h"
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t seed;

static double uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (double)(seed >> 11) / 9007199254740992.0;
}

/* ---- simulated hours */

enum { SERIES = 5, MINUTES = 600, START = 1763856000 };

/* A period's point: there from `first` seconds after its end on, as it stays from `last` on. */
struct life {
	double first, last;
};
static struct life life[SERIES][MINUTES];

static struct life quick(void)
{
	double at = 20 + 30 * uniform();
	return (struct life){ at, at };
}

static struct life one_in_ten_late(void)
{
	double at = uniform() < 0.9 ? 20 + 30 * uniform() : 150 + 50 * uniform();
	return (struct life){ at, at };
}

/* All there at once, but one in five changes until 100 s. */
static struct life growing(void)
{
	return (struct life){ 10, uniform() < 0.8 ? 10 : 60 + 40 * uniform() };
}

static struct life one_in_fifty_late(void)
{
	double at = uniform() < 0.98 ? 20 + 30 * uniform() : 300;
	return (struct life){ at, at };
}

static struct life very_late(void)
{
	double at = 400 + 60 * uniform();
	return (struct life){ at, at };
}

static void live(struct life (*of)(void))
{
	for (unsigned s = 0; s < SERIES; s++)
		for (unsigned i = 0; i < MINUTES; i++)
			life[s][i] = of();
}

static void look(struct watch *w, struct lateness *l, unsigned series, int64_t now)
{
	for (int64_t t = now / 60 * 60 - 600; t + 60 <= now; t += 60) {
		int64_t i = (t - START) / 60, age = now - t - 60;
		if (i < 0 || i >= MINUTES || (double)age < life[series][i].first)
			continue;
		watch_point(w, l, t, (double)age < life[series][i].last ? 1 : 2, now);
	}
	watch_look(w, l, now);
}

/* Ten hours of polls `every` seconds apart. */
static int64_t learned(struct life (*of)(void), int64_t every)
{
	struct watch w[SERIES] = { 0 };
	struct lateness l = { 0 };
	live(of);
	for (int64_t now = START + 4; now < START + 60 * MINUTES; now += every + (int64_t)(3 * uniform())) {
		for (unsigned s = 0; s < SERIES; s++)
			look(&w[s], &l, s, now);
		lateness_learn(&l, now);
	}
	return l.delay;
}

/* The 95th percentile, and what the grain of polls (a minute: periods age together) and of ages may add to it. */
static void percentile_of_convergence(void **state)
{
	(void)state;
	static const struct {
		struct life (*of)(void);
		int64_t truth;
	} t[] = { { quick, 49 }, { one_in_ten_late, 175 }, { growing, 90 }, { one_in_fifty_late, 49 }, { very_late, 300 } };
	for (seed = 1; seed < 4; seed++)
		for (unsigned i = 0; i < sizeof t / sizeof *t; i++)
			for (int64_t every = 60; every <= 300; every += 60) {
				uint64_t before = seed;
				int64_t delay = learned(t[i].of, every);
				seed = before;
				if (delay < t[i].truth || delay > t[i].truth + 60 + LATE_BIN)
					fail_msg("law %u, every %d s: learned %d, truth %d", i, (int)every, (int)delay, (int)t[i].truth);
			}
}

static void nothing_is_learned_of_little(void **state)
{
	(void)state;
	struct watch w = { 0 };
	struct lateness l = { 0 };
	seed = 7;
	live(quick);
	int64_t now = START + 4;
	for (unsigned i = 0; i < 60; i++, now += 60) {
		look(&w, &l, 0, now);
		lateness_learn(&l, now);
		assert_int_equal(l.delay, 0);
	}
	for (unsigned i = 0; i < 60; i++, now += 60) {
		look(&w, &l, 0, now);
		lateness_learn(&l, now);
	}
	assert_true(l.delay >= 60 && l.delay <= 75);
	/* And of nothing, nothing. */
	struct watch none = { 0 };
	struct lateness empty = { 0 };
	for (unsigned i = 0; i < 600; i++)
		watch_look(&none, &empty, START + 60 * i);
	lateness_learn(&empty, START + 36000);
	assert_int_equal(empty.delay, 0);
	assert_true(empty.points == 0);
}

/* A service that gets slow is followed within minutes, one that gets quick again within hours. */
static void it_grows_at_once_and_shrinks_slowly(void **state)
{
	(void)state;
	struct watch w[SERIES] = { 0 };
	struct lateness l = { 0 };
	seed = 3;
	live(quick);
	for (unsigned s = 0; s < SERIES; s++)
		for (unsigned i = 120; i < 180; i++)
			life[s][i] = (struct life){ 200, 200 };
	int64_t now = START + 4, grown = 0, shrunk = 0;
	for (; now < START + 60 * MINUTES; now += 60) {
		for (unsigned s = 0; s < SERIES; s++)
			look(&w[s], &l, s, now);
		lateness_learn(&l, now);
		if (now == START + 4 + 60 * 119)
			assert_true(l.delay >= 60 && l.delay <= 75);
		if (!grown && l.delay > 180)
			grown = now;
		if (grown && !shrunk && l.delay <= 75)
			shrunk = now;
	}
	assert_true(grown && grown < START + 60 * 150);
	assert_true(shrunk && shrunk < START + 60 * 480);
}

static void a_refresh_by_hand_counts_once(void **state)
{
	(void)state;
	struct watch w = { 0 };
	struct lateness l = { 0 };
	for (unsigned i = 0; i < 100; i++)
		watch_look(&w, &l, START + i);
	assert_int_equal(w.nlooks, 5);
	assert_int_equal(watch_first(&w, START + 1), START + 20);
	assert_int_equal(watch_first(&w, START + 81), 0);
}

static void kept_and_read_again(void **state)
{
	(void)state;
	struct late l = { 0 }, back = { 0 };
	struct buf b;
	struct err e = { 0 };
	for (unsigned i = 0; i < 3; i++) {
		char ns[16];
		snprintf(ns, sizeof ns, "N/%u", i);
		struct lateness *of = late_add(&l, ns);
		of->delay = i ? 60 * i : 0;
		of->points = 100 * i;
		of->halved = START;
		for (unsigned k = 0; k < LATE_BINS; k++) {
			of->looked[k] = k + 10.0 * i;
			of->final[k] = k;
		}
	}
	buf_init(&b, 1 << 20);
	late_write(&l, &b);
	struct json *doc = json_parse(buf_span(&b), &e);
	assert_non_null(doc);
	late_read(&back, doc);
	json_free(doc);
	assert_null(late_find(&back, "N/0")); /* nothing was learned of it */
	for (unsigned i = 1; i < 3; i++) {
		const struct lateness *x = late_find(&l, i == 1 ? "N/1" : "N/2"), *y = late_find(&back, x->ns);
		assert_non_null(y);
		assert_true(x->delay == y->delay && x->points == y->points && x->halved == y->halved);
		assert_memory_equal(x->looked, y->looked, sizeof x->looked);
		assert_memory_equal(x->final, y->final, sizeof x->final);
	}
	assert_int_equal(late_delay(&back, "N/2"), 120);
	assert_int_equal(late_delay(&back, "N/0"), LATE_UNKNOWN);
	assert_int_equal(late_delay(&back, NULL), LATE_UNKNOWN);
	buf_clear(&b);
	late_free(&back);
	late_free(&l);
}

/* A file that says nonsense says nothing. */
static void nonsense_is_passed_over(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"\"delay\":75000,", "\"delay\":-5,", "\"delay\":\"90\",", "", "\"delay\":90,\"bin\":30,", "\"delay\":1,",
	};
	for (unsigned i = 0; i <= sizeof wrong / sizeof *wrong; i++) {
		struct late l = { 0 };
		struct err e = { 0 };
		char counts[200] = "", text[1000];
		for (unsigned k = 0; k < LATE_BINS; k++)
			snprintf(counts + strlen(counts), sizeof counts - strlen(counts), "%s%u", k ? "," : "", 50u);
		bool last = i == sizeof wrong / sizeof *wrong;
		const char *head = last ? "\"delay\":90," : wrong[i];
		snprintf(text, sizeof text,
		         "[{\"namespace\":\"N\",%s%s\"points\":80,\"halved\":5,\"looked\":[%s],\"final\":[%s]},7,{}]", head,
		         strstr(head, "bin") ? "" : "\"bin\":15,", counts, counts);
		struct json *doc = json_parse(span_of(text), &e);
		assert_non_null(doc);
		late_read(&l, doc);
		assert_int_equal(late_delay(&l, "N"), last ? 90 : LATE_UNKNOWN);
		assert_int_equal(l.n, last);
		json_free(doc);
		late_free(&l);
	}
}

static void only_so_many_namespaces(void **state)
{
	(void)state;
	struct late l = { 0 };
	char ns[16];
	for (unsigned i = 0; i < LATE_NAMESPACES + 5; i++) {
		snprintf(ns, sizeof ns, "N%u", i);
		assert_int_equal(late_add(&l, ns) != NULL, i < LATE_NAMESPACES);
	}
	assert_int_equal(late_delay(&l, "N68"), LATE_UNKNOWN);
	late_free(&l);
}

/* ---- what the engine does with a poll's points */

static struct conf empty;

struct world {
	struct engine *g;
	struct measure *m;
	struct batch b;
	int64_t end; /* of the last full minute */
	char folder[64], path[128];
};

static struct world begin(void)
{
	struct world w = { .g = xcalloc(1, sizeof *w.g) };
	struct metric_id id = { 0 };
	w.g->conf = &empty;
	w.g->o.poll_s = 60;
	snprintf(w.g->target.account, sizeof w.g->target.account, "123456789012");
	snprintf(w.folder, sizeof w.folder, "/tmp/t_late.XXXXXX");
	assert_non_null(mkdtemp(w.folder));
	snprintf(w.path, sizeof w.path, "%s/history.db", w.folder);
	w.g->cache = cache_open(w.path, NULL);
	assert_non_null(w.g->cache);
	inventory_init(w.g);
	metric_set(&id, "Orders", "Made", "Sum");
	w.m = inventory_measure(w.g, &id, STEP, false);
	metric_clear(&id);
	assert_true(w.m->cache_id > 0);
	w.b.g = w.g;
	w.b.asked = clock_wall();
	w.b.correction = clock_correction();
	w.end = w.b.asked / 60 * 60;
	w.b.in.start = w.end - REREAD;
	w.b.in.end = w.end;
	return w;
}

static void end(struct world *w)
{
	static const char *const suffix[] = { "", "-wal", "-shm", ".lock" };
	char name[160];
	cache_close(w->g->cache);
	inventory_free(w->g);
	late_free(&w->g->late);
	free(w->g);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "%s%s", w->path, suffix[i]);
		unlink(name);
	}
	rmdir(w->folder);
	clock_correct(0);
}

static void count_one(void *ctx, const struct cache_revision *r)
{
	(void)r;
	++*(unsigned *)ctx;
}

static unsigned revisions(struct world *w)
{
	unsigned n = 0;
	bool whole;
	assert_true(cache_read_revisions(w->g->cache, w->m->cache_id, 0, INT64_MAX, count_one, &n, &whole, NULL) && whole);
	return n;
}

static void what_is_young_only_teaches(void **state)
{
	(void)state;
	struct world w = begin();
	int64_t to = (w.b.asked - LATE_UNKNOWN) / 60 * 60;
	for (int64_t t = w.b.in.start; t < w.b.in.end; t += 60)
		ingest_polled(&w.b, w.m, t, 5);
	ingest_answered(&w.b, w.m);
	int64_t at;
	double v;
	assert_true(series_newest(&w.m->series, &at, &v) && at == to - 60);
	assert_int_equal(w.m->known.to, to);
	assert_non_null(w.m->watch);
	assert_int_equal(w.m->watch->nlooks, 1);
	/* Where less was learned, more is taken. */
	w.m->late->delay = LATE_LEAST;
	for (int64_t t = w.b.in.start; t < w.b.in.end; t += 60)
		ingest_polled(&w.b, w.m, t, 5);
	ingest_answered(&w.b, w.m);
	to = (w.b.asked - LATE_LEAST) / 60 * 60;
	assert_int_equal(w.m->known.to, to);
	assert_true(series_newest(&w.m->series, &at, &v) && at == to - 60);
	assert_int_equal(revisions(&w), 0); /* what came when it was due is none */
	end(&w);
}

static void what_changed_is_a_revision(void **state)
{
	(void)state;
	struct world w = begin();
	int64_t t = w.b.in.start;
	ingest_polled(&w.b, w.m, t, 5);
	ingest_answered(&w.b, w.m);
	ingest_polled(&w.b, w.m, t, 5);
	assert_int_equal(revisions(&w), 0);
	ingest_polled(&w.b, w.m, t, 6);
	assert_int_equal(revisions(&w), 1);
	ingest_polled(&w.b, w.m, t + 60, 1); /* a gap that is none any more */
	assert_int_equal(revisions(&w), 2);
	ingest_polled(&w.b, w.m, t - 60, 1); /* before what was asked for: it was not known */
	assert_int_equal(revisions(&w), 2);
	end(&w);
}

/* A service's own reading is replaced by the next: that revises nothing. */
static void readings_are_no_revisions(void **state)
{
	(void)state;
	struct world w = begin();
	w.m = inventory_direct(w.g, kind_find("sqs"), "visible", "q");
	ingest_direct(w.g, w.m, w.end, 1);
	ingest_direct(w.g, w.m, w.end + 1, 2);
	assert_int_equal(revisions(&w), 0);
	end(&w);
}

static void some_polls_teach_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world w = begin();
		w.b.filling = i == 0;
		if (i == 1)
			clock_correct(600); /* between the question and the answer */
		w.m->series.step = i == 2 ? 300 : 60;
		ingest_polled(&w.b, w.m, w.b.in.start / 300 * 300, 5);
		ingest_answered(&w.b, w.m);
		assert_null(w.m->watch);
		ingest_learn(w.g);
		assert_int_equal(late_delay(&w.g->late, "Orders"), LATE_UNKNOWN);
		end(&w);
	}
}

/* Looks by another clock are forgotten: their ages would be wrong by as much. */
static void a_corrected_clock_begins_anew(void **state)
{
	(void)state;
	struct world w = begin();
	ingest_polled(&w.b, w.m, w.b.in.start, 5);
	ingest_answered(&w.b, w.m);
	assert_int_equal(w.m->watch->nlooks, 1);
	clock_correct(600);
	w.b.correction = clock_correction();
	w.b.asked = clock_wall();
	ingest_polled(&w.b, w.m, w.b.in.start + 600, 5);
	assert_int_equal(w.m->watch->nlooks, 0);
	ingest_answered(&w.b, w.m);
	assert_int_equal(w.m->watch->nlooks, 1);
	assert_true(w.g->late.v[0]->points == 0);
	end(&w);
}

static void learned_is_kept_per_target(void **state)
{
	(void)state;
	struct world w = begin();
	struct err e = { 0 };
	struct lateness *of = late_add(&w.g->late, "Orders");
	of->delay = 75;
	of->points = 100;
	w.g->late.changed = true;
	store_save(w.g);
	assert_false(w.g->late.changed);
	late_clear(&w.g->late);
	assert_int_equal(late_delay(&w.g->late, "Orders"), LATE_UNKNOWN);
	store_load(w.g);
	assert_int_equal(late_delay(&w.g->late, "Orders"), 75);
	/* Another account's points have their own delay. */
	late_clear(&w.g->late);
	snprintf(w.g->target.account, sizeof w.g->target.account, "210987654321");
	store_load(w.g);
	assert_int_equal(late_delay(&w.g->late, "Orders"), LATE_UNKNOWN);
	assert_int_equal(e.code, ERR_OK);
	end(&w);
}

/* Learned delay + the poll's interval + 2 periods. */
static void one_rule_of_staleness(void **state)
{
	(void)state;
	assert_int_equal(stale_after(75, 300, 60), 75 + 300 + 120);
	assert_int_equal(stale_after(LATE_UNKNOWN, 60, 300), 120 + 60 + 600);
}

int main(void)
{
	clock_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentile_of_convergence),
		cmocka_unit_test(nothing_is_learned_of_little),
		cmocka_unit_test(it_grows_at_once_and_shrinks_slowly),
		cmocka_unit_test(a_refresh_by_hand_counts_once),
		cmocka_unit_test(kept_and_read_again),
		cmocka_unit_test(nonsense_is_passed_over),
		cmocka_unit_test(only_so_many_namespaces),
		cmocka_unit_test(what_is_young_only_teaches),
		cmocka_unit_test(what_changed_is_a_revision),
		cmocka_unit_test(readings_are_no_revisions),
		cmocka_unit_test(some_polls_teach_nothing),
		cmocka_unit_test(a_corrected_clock_begins_anew),
		cmocka_unit_test(learned_is_kept_per_target),
		cmocka_unit_test(one_rule_of_staleness),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
