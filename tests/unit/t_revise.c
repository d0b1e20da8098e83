/* The as-seen log: its bodies, what it says was known when, its limits, and what goes with the points it is about. */
#include "cache_help.h"

#include "cache/revise.h"
#include "cache/tick.h"
#include "core/mem.h"

#include <sys/wait.h>

#define DAY 86400
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* ---- bodies */

static double some_value(void)
{
	switch (below(5)) {
	case 0: return below(1000);
	case 1: return -(double)below(100000) / 8;
	case 2: return below(100000) / 100.0;
	case 3: return (double)(rnd() >> 11) / 1e9;
	default: return 0;
	}
}

static struct revision some_revision(int64_t base)
{
	int64_t seen = base + below(9000);
	return (struct revision){ .series = 1 + below(3) * below(3000),
		                      .t = base + 60 * below(CHUNK_SPAN / 60),
		                      .since = below(3) ? seen - below(600) : 0,
		                      .seen = seen,
		                      .old = below(3) ? some_value() : NAN };
}

static bool same(const struct revision *a, const struct revision *b)
{
	bool value = isnan(a->old) ? isnan(b->old) : memcmp(&a->old, &b->old, sizeof a->old) == 0;
	return value && a->series == b->series && a->t == b->t && a->since == b->since && a->seen == b->seen;
}

static void bodies(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= 500; round++) {
		seed = round;
		struct revision v[200];
		struct revisions out = { 0 };
		struct buf b;
		size_t n = below(200);
		for (size_t i = 0; i < n; i++)
			v[i] = some_revision(START);
		revise_sort(v, n);
		buf_init(&b, 1 << 20);
		revise_encode(&b, v, n, round % 2);
		assert_true(revise_decode(buf_span(&b), START, &out));
		assert_int_equal(out.n, n);
		assert_int_equal(out.lost, round % 2);
		for (size_t i = 0; i < n; i++)
			assert_true(same(&v[i], &out.v[i]));
		free(out.v);
		buf_clear(&b);
	}
}

/* What is damaged is refused or read as something, and nothing else happens (the sanitizers look on). */
static void damaged_bodies(void **state)
{
	(void)state;
	unsigned refused = 0;
	for (unsigned round = 1; round <= 3000; round++) {
		seed = round;
		struct revision v[20];
		struct revisions out = { 0 };
		struct buf b;
		for (size_t i = 0; i < 20; i++)
			v[i] = some_revision(START);
		revise_sort(v, 20);
		buf_init(&b, 1 << 20);
		revise_encode(&b, v, 20, false);
		for (unsigned k = 0; k <= below(3); k++)
			b.p[below((unsigned)b.n)] = (char)rnd();
		char *exact = xcalloc(1, b.n);
		size_t n = below(2) ? b.n : below((unsigned)b.n);
		memcpy(exact, b.p, n);
		refused += !revise_decode((struct span){ exact, n }, START, &out);
		for (size_t i = 0; i < out.n; i++)
			assert_true(out.v[i].t >= START && out.v[i].t < START + CHUNK_SPAN && out.v[i].series < SERIES_LIMIT);
		free(exact);
		free(out.v);
		buf_clear(&b);
	}
	assert_true(refused > 500);
}

/* ---- what was known when */

static size_t as_seen(struct cache *c, uint32_t series, int64_t seen, int64_t from, int64_t to)
{
	struct err e = { 0 };
	bool whole = false;
	got.n = 0;
	if (!cache_read_as_seen(c, series, seen, from, to, take, &got, &whole, &e))
		fail_msg("%s", e.text);
	assert_true(whole);
	return got.n;
}

struct revised {
	size_t n;
	struct cache_revision v[100];
};

static void take_revised(void *ctx, const struct cache_revision *r)
{
	struct revised *l = ctx;
	assert_true(l->n < 100);
	l->v[l->n++] = *r;
}

static void revised_of(struct cache *c, uint32_t series, int64_t from, int64_t to, struct revised *l)
{
	struct err e = { 0 };
	bool whole = false;
	l->n = 0;
	if (!cache_read_revisions(c, series, from, to, take_revised, l, &whole, &e))
		fail_msg("%s", e.text);
	assert_true(whole);
}

/* Three points: one that stays, one that grows twice, one that comes late. Before, and after, they are written and folded. */
static void known_then(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m"), other = series_of(c, "n");
	cache_add(c, s, START, 1);
	cache_add(c, s, START + 60, 10);
	cache_add(c, other, START, 7);
	commit(c);
	cache_revise(c, s, START + 60, 10, START + 200, START + 260);
	cache_add(c, s, START + 60, 20);
	commit(c);
	cache_revise(c, s, START + 60, 20, START + 260, START + 320);
	cache_add(c, s, START + 60, 30);
	cache_revise(c, s, START + 120, NAN, START + 260, START + 320);
	cache_add(c, s, START + 120, 5);
	for (unsigned round = 0; round < 4; round++) {
		if (round == 1)
			commit(c);
		if (round == 2)
			assert_true(cache_fold(c, NULL));
		if (round == 3) {
			cache_close(c);
			c = open_cache();
		}
		assert_int_equal(as_seen(c, s, START + 199, 0, INT64_MAX), 1); /* the second was not known yet */
		assert_int_equal(as_seen(c, s, START + 200, 0, INT64_MAX), 2);
		assert_point(1, START + 60, 10);
		assert_int_equal(as_seen(c, s, START + 260, 0, INT64_MAX), 2);
		assert_point(1, START + 60, 20);
		assert_int_equal(as_seen(c, s, START + 320, 0, INT64_MAX), 3);
		assert_point(1, START + 60, 30);
		assert_point(2, START + 120, 5);
		assert_int_equal(as_seen(c, s, START + 259, START + 60, START + 61), 1);
		assert_point(0, START + 60, 10);
		assert_int_equal(as_seen(c, other, START, 0, INT64_MAX), 1);
		struct revised l;
		revised_of(c, s, 0, INT64_MAX, &l);
		assert_int_equal(l.n, 2);
		assert_true(l.v[0].t == START + 60 && l.v[0].first == 10 && l.v[0].value == 30 && l.v[0].rev == 2);
		assert_true(l.v[0].first_seen == START + 200 && l.v[0].last_seen == START + 320);
		assert_true(l.v[1].t == START + 120 && isnan(l.v[1].first) && l.v[1].value == 5 && l.v[1].rev == 1);
		revised_of(c, other, 0, INT64_MAX, &l);
		assert_int_equal(l.n, 0);
	}
	assert_true(ask("SELECT count(*) FROM revision") == 2);
	cache_close(c);
}

/* Against a table that keeps everything: random revisions, committed at random, asked at every instant. */
#define POINTS 200
#define POLLS 60
static double table[POLLS + 1][2][POINTS]; /* [0]: before anything was known */

/* One poll of one series. What is not there at the first poll comes as a revision of a gap, or never. */
static void poll_once(struct cache *c, uint32_t series, int64_t base, unsigned poll, unsigned k)
{
	for (unsigned i = 0; i < POINTS; i++) {
		double *now = &table[poll][k][i], v = some_value();
		bool changes = poll == 1 ? below(2) : below(20) == 0;
		if (!changes || v == *now)
			continue;
		if (poll > 1)
			cache_revise(c, series, base + 60 * i, *now, base, base + poll);
		cache_add(c, series, base + 60 * i, v);
		*now = v;
	}
}

static void assert_as_in_table(struct cache *c, uint32_t series, int64_t base, unsigned poll, unsigned k)
{
	size_t n = 0;
	as_seen(c, series, base + poll, base, base + 60 * POINTS);
	for (unsigned i = 0; i < POINTS; i++)
		if (!isnan(table[poll][k][i]))
			assert_point(n++, base + 60 * i, table[poll][k][i]);
	assert_int_equal(got.n, n);
}

static void as_a_table_says(void **state)
{
	(void)state;
	for (unsigned round = 1; round < 12; round++) {
		seed = round;
		struct cache *c = open_cache();
		int64_t base = START + (int64_t)round * 30 * DAY;
		char name[32];
		uint32_t s[2];
		for (unsigned k = 0; k < 2; k++) {
			snprintf(name, sizeof name, "m%u.%u", round, k);
			s[k] = series_of(c, name);
			for (unsigned i = 0; i < POINTS; i++)
				table[0][k][i] = NAN;
		}
		for (unsigned poll = 1; poll <= POLLS; poll++) {
			memcpy(table[poll], table[poll - 1], sizeof table[poll]);
			for (unsigned k = 0; k < 2; k++)
				poll_once(c, s[k], base, poll, k);
			if (below(3) == 0)
				commit(c);
		}
		for (unsigned poll = 1; poll <= POLLS; poll++)
			for (unsigned k = 0; k < 2; k++)
				assert_as_in_table(c, s[k], base, poll, k);
		cache_close(c);
	}
}

static void a_reader_sees_it_and_adds_nothing(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	cache_add(c, s, START, 2);
	cache_revise(c, s, START, 1, START + 60, START + 120);
	commit(c);
	struct err e = { 0 };
	struct cache *r = cache_peek(path, &e);
	assert_non_null(r);
	assert_false(cache_is_writer(r));
	uint32_t rs = series_of(r, "m");
	cache_revise(r, rs, START, 9, START + 120, START + 180);
	assert_int_equal(as_seen(r, rs, START + 60, 0, INT64_MAX), 1);
	assert_point(0, START, 1);
	cache_close(r);
	assert_true(cache_is_writer(c));
	cache_close(c);
}

static void a_peek_makes_nothing(void **state)
{
	(void)state;
	assert_null(cache_peek(path, NULL));
	assert_int_equal(access(path, F_OK), -1);
	cache_close(open_cache());
	char *lock = xasprintf("%s.lock", path);
	unlink(lock);
	struct cache *c = cache_peek(path, NULL);
	assert_non_null(c);
	cache_close(c);
	assert_int_equal(access(lock, F_OK), -1);
	free(lock);
}

/* ---- limits */

static void only_so_many(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	struct cache_limits l = { .bytes = 16 << 20 }; /* whose share is below the least */
	cache_limit(c, &l);
	uint32_t s = series_of(c, "m");
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned k = 0; k < 100; k++)
			cache_revise(c, s, START + 60 * k, i + k / 3.0, START, START + i);
		cache_add(c, s, START, i);
		commit(c);
	}
	int64_t bytes = ask("SELECT sum(length(body)) FROM revision"), rows = ask("SELECT count(*) FROM revision");
	assert_true(bytes > REVISE_SPAN_LEAST / 2 && bytes <= REVISE_SPAN_LEAST + 16);
	assert_true(rows < 300);
	struct err e = { 0 };
	bool whole = true;
	got.n = 0;
	assert_true(cache_read_as_seen(c, s, START + 10, 0, START + 60, take, &got, &whole, &e));
	assert_false(whole);                /* said, not passed over */
	for (unsigned i = 0; i < 10; i++) { /* another span has its own room */
		cache_revise(c, s, START + CHUNK_SPAN, 1, START, START + CHUNK_SPAN + 60 + i);
		cache_add(c, s, START + CHUNK_SPAN, i);
		commit(c);
	}
	assert_true(
	    cache_read_as_seen(c, s, START + DAY, START + CHUNK_SPAN, START + 2 * CHUNK_SPAN, take, &got, &whole, &e));
	assert_true(whole);
	cache_close(c);
}

/* More at once than is held. */
static void a_flood(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	for (unsigned i = 0; i < REVISIONS_MAX + 1000; i++)
		cache_revise(c, s, START + 60 * (i % 100), i, START, START + i);
	cache_add(c, s, START, 1);
	commit(c);
	bool whole = true;
	assert_true(cache_read_as_seen(c, s, START, 0, INT64_MAX, take, &got, &whole, NULL));
	assert_false(whole);
	assert_true(ask("SELECT sum(length(body)) FROM revision") <= REVISE_SPAN_MOST + 16);
	cache_close(c);
}

/* What became coarse, or is gone, takes its revisions along. */
static void they_go_with_their_points(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	struct cache_limits l = { .fine_age = 2 * DAY };
	cache_limit(c, &l);
	uint32_t s = series_of(c, "m");
	for (int64_t t = START; t < START + 5 * DAY; t += 1800) {
		cache_add(c, s, t, 1);
		cache_revise(c, s, t, NAN, t + 180, t + 240);
		commit(c);
	}
	assert_true(cache_fold(c, NULL));
	assert_int_equal(ask("SELECT count(*) FROM revision"), 5 * 48);
	keep_all(c, START + 5 * DAY);
	int64_t fine = ask("SELECT min(id) >> 24 FROM chunk");
	assert_true(fine * CHUNK_SPAN > START + 2 * DAY);
	assert_int_equal(ask("SELECT min(id) >> 24 FROM revision"), fine);
	struct revised before;
	revised_of(c, s, START, START + DAY, &before);
	assert_int_equal(before.n, 0);
	cache_close(c);
}

/* A commit that fails keeps them, as it keeps points. */
static void a_failed_commit_keeps_them(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	cache_add(c, s, START, 1);
	commit(c);
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	cache_add(c, s, START, 2);
	cache_revise(c, s, START, 1, START + 60, START + 120);
	assert_false(cache_commit(c, NULL));
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	commit(c);
	assert_int_equal(ask("SELECT count(*) FROM revision"), 1);
	assert_int_equal(as_seen(c, s, START + 60, 0, INT64_MAX), 1);
	assert_point(0, START, 1);
	cache_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(damaged_bodies),
		T(known_then),
		T(as_a_table_says),
		T(a_reader_sees_it_and_adds_nothing),
		T(a_peek_makes_nothing),
		T(only_so_many),
		T(a_flood),
		T(they_go_with_their_points),
		T(a_failed_commit_keeps_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
