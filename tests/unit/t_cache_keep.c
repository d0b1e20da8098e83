/* The history within its limits: what roll-ups hold, what the cap leaves, how long the log grows, and files of other schemas. */
#include "cache_help.h"
#include "history_schema1.h"

#include "cache/coarse.h"
#include "core/mem.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#define DAY INT64_C(86400)
#define MIB ((int64_t)1 << 20)

/* ---- the codec */

static void a_statistic_says_how_points_combine(void **state)
{
	(void)state;
	static const struct {
		const char *metric;
		enum combine how;
	} t[] = {
		{ "AWS/SQS/NumberOfMessagesSent{QueueName=q}:Sum", COMBINE_SUM },
		{ "AWS/Lambda/Invocations{FunctionName=a}:SampleCount", COMBINE_SUM },
		{ "AWS/Lambda/Duration{FunctionName=Sum}:Average", COMBINE_MEAN },
		{ "direct:sqs/visible{name=q}", COMBINE_MEAN },
		{ "direct:sqs/visible{name=\"x:Sum\"}", COMBINE_MEAN },
		{ "A/B:Minimum", COMBINE_LEAST },
		{ "A/B:Maximum", COMBINE_MOST },
		{ "A/B{x=y}:p99", COMBINE_MOST },
		{ "A/B{x=y}:p99.9", COMBINE_MOST },
		{ "A/B:TM(10%:90%)", COMBINE_MOST },
		{ "A/Sum:IQM", COMBINE_MOST },
		{ "Sum", COMBINE_MOST },
		{ "", COMBINE_MOST },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		assert_int_equal(combine_of(t[i].metric), t[i].how);
}

static void coarse_points_survive_coding(void **state)
{
	(void)state;
	seed = 31;
	for (unsigned round = 0; round < 400; round++) {
		struct coarse c = { 0 }, back = { 0 };
		struct buf b;
		enum coarse_level l = round % 2 ? COARSE_HOUR : COARSE_5MIN;
		int64_t start = START / coarse_span(l) * coarse_span(l);
		buf_init(&b, 64 << 10);
		for (int64_t i = 0; i < COARSE_STEPS; i++)
			if (below(4))
				coarse_fold(&c, COMBINE_SUM, coarse_step(l), start + i * coarse_step(l), exp((double)below(1000) / 50),
				            1 + below(60));
		assert_true(coarse_encode(&b, l, start, &c));
		assert_true(coarse_decode(buf_span(&b), l, start, &back));
		assert_int_equal(back.n, c.n);
		for (size_t i = 0; i < c.n; i++)
			assert_true(back.p[i].t == c.p[i].t && back.p[i].n == c.p[i].n && back.p[i].v == c.p[i].v);
		for (unsigned k = 0; k < 20; k++) { /* damaged bytes: refused or points within the span, never a crash */
			back.n = 0;
			b.p[below((unsigned)b.n)] ^= (char)(1 << below(8));
			if (coarse_decode((struct span){ b.p, b.n - below(3) }, l, start, &back))
				for (size_t i = 0; i < back.n; i++)
					assert_true(back.p[i].t >= start && back.p[i].t < start + coarse_span(l) && isfinite(back.p[i].v));
		}
		buf_clear(&b);
		coarse_clear(&c);
		coarse_clear(&back);
	}
}

static void the_fuller_period_stays(void **state)
{
	(void)state;
	struct coarse a = { 0 }, b = { 0 };
	for (unsigned i = 0; i < 5; i++)
		coarse_fold(&a, COMBINE_SUM, 300, START + 60 * i, 1, 1);
	coarse_fold(&b, COMBINE_SUM, 300, START + 60, 100, 1);
	coarse_fold(&b, COMBINE_SUM, 300, START + 900, 7, 1);
	coarse_merge(&a, &b);
	assert_int_equal(a.n, 2);
	assert_true(a.p[0].v == 5 && a.p[0].n == 5 && a.p[1].v == 7);
	coarse_merge(&b, &a);
	assert_true(b.n == 2 && b.p[0].v == 5 && b.p[0].n == 5);
	coarse_clear(&a);
	coarse_clear(&b);
}

/* ---- roll-ups against a model */

struct coarse_list {
	size_t n;
	int64_t t[20000];
	double v[20000];
	uint32_t held[20000];
};
static struct coarse_list rolled;

static void take_coarse(void *ctx, int64_t t, double v, uint32_t n)
{
	struct coarse_list *l = ctx;
	l->t[l->n] = t;
	l->v[l->n] = v;
	l->held[l->n++] = n;
}

static size_t read_coarse(struct cache *c, uint32_t series, uint32_t step, int64_t from, int64_t to)
{
	struct err e = { 0 };
	rolled.n = 0;
	assert_true(cache_read_coarse(c, series, step, from, to, take_coarse, &rolled, &e));
	return rolled.n;
}

enum { STATS = 6, MINUTES = 4 * 1440 };
static const char *const metrics[STATS] = { "A/B{x=1}:Sum",     "A/B{x=1}:Average", "A/B{x=1}:Minimum",
	                                        "A/B{x=1}:Maximum", "A/B{x=1}:p99",     "direct:sqs/visible{name=q}" };
static double minute_of[STATS][MINUTES];

static double expected(unsigned s, int64_t from, int64_t to, uint32_t *n)
{
	double sum = 0, least = INFINITY, most = -INFINITY;
	*n = 0;
	for (int64_t m = from; m < to && m < MINUTES; m++) {
		double v = minute_of[s][m];
		if (isnan(v))
			continue;
		++*n;
		sum += v;
		least = fmin(least, v);
		most = fmax(most, v);
	}
	const double each[STATS] = { sum, sum / *n, least, most, most, sum / *n };
	return each[s];
}

/* Every period of the grid from START + 60 * from: its value, how many it holds, and no period where there was nothing. */
static void assert_rolled(struct cache *c, const uint32_t *ids, uint32_t step, int64_t from, int64_t to)
{
	for (unsigned s = 0; s < STATS; s++) {
		size_t n = read_coarse(c, ids[s], step, START + 60 * from, START + 60 * to), at = 0;
		for (int64_t m = from; m < to; m += step / 60) {
			uint32_t held;
			double v = expected(s, m, m + step / 60, &held);
			if (!held)
				continue;
			assert_true(at < n && rolled.t[at] == START + 60 * m);
			assert_int_equal(rolled.held[at], held);
			if (!(fabs(rolled.v[at] - v) <= 1e-9 * (fabs(v) + 1)))
				fail_msg("%s, minute %lld: %g, not %g", metrics[s], (long long)m, rolled.v[at], v);
			at++;
		}
		assert_int_equal(at, n);
	}
}

/* Random points, with single gaps, gaps of hours, and hours of which one point is left. */
static void fill_model(struct cache *c, uint32_t *ids)
{
	seed = 41;
	for (unsigned s = 0; s < STATS; s++)
		ids[s] = series_of(c, metrics[s]);
	for (int64_t m = 0; m < MINUTES; m++) {
		for (unsigned s = 0; s < STATS; s++) {
			bool gap = below(10) == 0 || (m / 60 % 11 == 3 && m % 60 != 17) || m / 60 % 13 == 5;
			minute_of[s][m] = gap ? NAN : below(2) ? below(1000) : exp((double)below(1000) / 100);
			if (!gap)
				cache_add(c, ids[s], START + 60 * m, minute_of[s][m]);
		}
		if (m % 10 == 9)
			commit(c);
	}
	commit(c);
}

static void points_become_coarse_with_age(void **state)
{
	(void)state;
	uint32_t ids[STATS];
	struct cache *c = open_cache();
	fill_model(c, ids);
	assert_rolled(c, ids, 300, 0, MINUTES); /* what is not rolled up is read as it would be */
	assert_rolled(c, ids, 3600, 0, MINUTES);
	struct cache_limits l = { .fine_age = DAY, .coarse_age = 3 * DAY };
	cache_limit(c, &l);
	int64_t now = START + 4 * DAY;
	assert_true(keep_all(c, now) > 0);
	assert_int_equal(ask("SELECT count(*) FROM chunk WHERE id >> 24 < 1763856000 / 7200 + 36"), 0);
	assert_int_equal(ask("SELECT count(*) FROM coarse WHERE id >> 56 = 0"), 2 * STATS);
	assert_int_equal(ask("SELECT count(*) FROM coarse WHERE id >> 56 = 1"), STATS);
	for (unsigned stage = 0; stage < 2; stage++) {
		assert_rolled(c, ids, 300, 1440, MINUTES);
		assert_rolled(c, ids, 3600, 0, MINUTES);
		for (unsigned s = 0; s < STATS; s++) { /* the newest day is as fine as it came */
			size_t n = read_range(c, ids[s], 0, INT64_MAX), at = 0;
			for (int64_t m = MINUTES - 1440; m < MINUTES; m++)
				if (!isnan(minute_of[s][m]))
					assert_point(at++, START + 60 * m, minute_of[s][m]);
			assert_int_equal(at, n);
			/* its last five-minute point before the newest day, of the hours that have any */
			int64_t end = cache_coarse_until(c, ids[s], 300, START, now);
			assert_true(end > START + 2 * DAY && end <= START + 3 * DAY);
			assert_int_equal(cache_coarse_until(c, ids[s], 300, START + 3 * DAY, now), 0);
		}
		cache_close(c);
		c = open_cache();
	}
	l.retention = 2 * DAY;
	cache_limit(c, &l);
	cache_add(c, series_of(c, metrics[0]), now - 60, 1); /* a newest point, without which nothing goes for its age */
	commit(c);
	keep_all(c, now);
	assert_int_equal(read_coarse(c, ids[0], 300, 0, START + 2 * DAY), 0);
	assert_true(read_coarse(c, ids[0], 300, START + 2 * DAY, now) > 400);
	cache_close(c);
}

/* A point that comes when its period is coarse already: never added to what may hold it. */
static void a_late_point_is_not_counted_twice(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	struct cache_limits l = { .fine_age = DAY };
	cache_limit(c, &l);
	uint32_t s = series_of(c, "A/B:Sum");
	for (int64_t m = 0; m < 3 * 1440; m++)
		if (m >= 5 && m != 11)
			cache_add(c, s, START + 60 * m, 1);
	assert_true(cache_fold(c, NULL));
	keep_all(c, START + 3 * DAY);
	cache_add(c, s, START + 60, 1);   /* its period was empty */
	cache_add(c, s, START + 360, 50); /* a revision: one point against four */
	for (int64_t m = 15; m < 20; m++) /* all of it again */
		cache_add(c, s, START + 60 * m, 2);
	assert_true(cache_fold(c, NULL));
	for (unsigned stage = 0; stage < 2; stage++) {
		static const double v[] = { 1, 5, 4, 10, 5 };
		static const uint32_t held[] = { 1, 5, 4, 5, 5 };
		assert_int_equal(read_coarse(c, s, 300, START, START + 1500), 5);
		for (unsigned i = 0; i < 5; i++)
			assert_true(rolled.v[i] == v[i] && rolled.held[i] == held[i]);
		keep_all(c, START + 3 * DAY);
	}
	assert_int_equal(ask("SELECT count(*) FROM chunk WHERE id >> 24 < 1763856000 / 7200 + 24"), 0);
	cache_close(c);
}

/* A clock that is years ahead takes nothing away, and neither does one before any point was given. */
static void a_wrong_clock_forgets_nothing(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	struct cache_limits l = { .retention = 10 * DAY, .fine_age = 5 * DAY };
	uint32_t s = series_of(c, "A/B:Sum");
	for (int64_t m = 0; m < 1440; m++)
		cache_add(c, s, START + 60 * m, 1);
	commit(c);
	cache_limit(c, &l);
	keep_all(c, START + 4000 * DAY);
	assert_int_equal(read_all(c, s), 1440);
	cache_close(c);
	c = open_cache();
	cache_limit(c, &l);
	keep_all(c, START + 4000 * DAY);
	assert_int_equal(read_all(c, series_of(c, "A/B:Sum")), 1440);
	cache_close(c);
}

/* ---- the cap */

static int64_t size_of(const char *suffix)
{
	struct stat st;
	char *name = xasprintf("%s%s", path, suffix);
	int64_t n = stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
	free(name);
	return n;
}

/* A mix: constants, sparse counts, noisy counters, averages with all their digits. */
static double mixed(unsigned series, int64_t minute)
{
	seed = series * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)minute;
	double noise = (double)(rnd() >> 11) / 9007199254740992.0;
	switch (series % 4) {
	case 0: return series;
	case 1: return noise < 0.04 ? 1 + floor(noise * 400) : 0;
	case 2: return floor(1000 + 300 * sin((double)minute / 229) + 60 * noise);
	default: return 100 * (1 + 0.2 * noise);
	}
}

struct run {
	unsigned series, days;
	bool goes;              /* not even hourly points of all days have room */
	int64_t cap, most, log; /* bytes: allowed, seen of the file, of its log */
	double longest;         /* seconds of a commit and its step */
};

static void run_days(struct cache *c, struct run *r, uint32_t *ids)
{
	for (unsigned i = 0; i < r->series; i++) {
		char metric[64];
		snprintf(metric, sizeof metric, "AWS/Lambda/M%u{FunctionName=f}:%s", i, i % 4 == 3 ? "Average" : "Sum");
		ids[i] = series_of(c, metric);
	}
	for (int64_t m = 0; m < r->days * 1440; m++) {
		struct timespec a, b;
		for (unsigned i = 0; i < r->series; i++)
			cache_add(c, ids[i], START + 60 * m, mixed(i, m));
		clock_gettime(CLOCK_MONOTONIC, &a);
		commit(c);
		assert_true(cache_keep(c, START + 60 * m, NULL, NULL));
		clock_gettime(CLOCK_MONOTONIC, &b);
		double took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
		r->longest = took > r->longest ? took : r->longest;
		r->most = size_of("") > r->most ? size_of("") : r->most;
		r->log = size_of("-wal") > r->log ? size_of("-wal") : r->log;
		assert_true(r->most <= r->cap);
		assert_true(r->log < 8 * MIB);
	}
}

/* What must be left: the newest day as it came; before it, without a hole, coarse points that say the truth. */
static int64_t assert_left(struct cache *c, const struct run *r, const uint32_t *ids)
{
	int64_t end = r->days * 1440, deepest = end;
	for (unsigned i = 0; i < r->series; i += r->series / 8) {
		assert_int_equal(read_range(c, ids[i], START + 60 * (end - 1440), START + 60 * end), 1440);
		for (int64_t m = 0; m < 1440; m++)
			assert_point((size_t)m, START + 60 * (end - 1440 + m), mixed(i, end - 1440 + m));
		size_t n = read_coarse(c, ids[i], 3600, 0, START + 60 * end);
		assert_true(n > 48);
		int64_t first = (rolled.t[0] - START) / 60;
		for (size_t k = 0; k < n; k++) {
			double v = 0;
			for (int64_t m = 0; m < 60; m++)
				v += mixed(i, (rolled.t[k] - START) / 60 + m);
			assert_int_equal(rolled.t[k], rolled.t[0] + 3600 * (int64_t)k);
			assert_int_equal(rolled.held[k], 60);
			v /= i % 4 == 3 ? 60 : 1;
			assert_true(fabs(rolled.v[k] - v) <= 1e-9 * (1 + v));
		}
		deepest = first < deepest ? first : deepest;
	}
	return deepest;
}

static void the_cap_holds(void **state)
{
	(void)state;
	bool more = getenv("SLUICE_LONG") && *getenv("SLUICE_LONG");
	struct run runs[] = {
		{ .series = 64, .days = 30, .cap = 5 * MIB / 2 },               /* roll-ups before their time */
		{ .series = 64, .days = 30, .cap = 3 * MIB / 8, .goes = true }, /* so little that they must go, too */
		{ .series = more ? 2000 : 0, .days = 30, .cap = 64 * MIB },     /* 86 million points */
	};
	for (unsigned i = 0; i < 3; i++) {
		struct run *r = &runs[i];
		struct cache_limits l = {
			.retention = 30 * DAY, .fine_age = 15 * DAY, .coarse_age = 63 * DAY, .bytes = r->cap
		};
		if (!r->series)
			continue;
		snprintf(path, sizeof path, "%s/h%u/history.db", folder, i);
		struct cache *c = open_cache();
		uint32_t *ids = xcalloc(r->series, sizeof *ids);
		cache_limit(c, &l);
		run_days(c, r, ids);
		int64_t first = assert_left(c, r, ids);
		assert_int_equal(first > 0, r->goes);
		print_message(
		    "%u series, %u days: file at most %.2f MiB of %.2f, log at most %.2f MiB; reaches back to day %.1f; "
		    "longest commit and step %.0f ms\n",
		    r->series, r->days, (double)r->most / MIB, (double)r->cap / MIB, (double)r->log / MIB, (double)first / 1440,
		    r->longest * 1e3);
		cache_close(c);
		c = open_cache();
		assert_int_equal(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
		free(ids);
		cache_close(c);
	}
}

/* A flood in one commit that the file has no room for: SQLite refuses at the cap, and the oldest makes room. */
static void a_flood_stays_below_the_cap(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	struct cache_limits l = { .bytes = MIB };
	cache_limit(c, &l);
	uint32_t ids[100];
	for (unsigned i = 0; i < 100; i++) {
		char metric[32];
		snprintf(metric, sizeof metric, "A/B%u:p99", i);
		ids[i] = series_of(c, metric);
	}
	for (int64_t day = 0; day < 4; day++)
		for (int64_t m = 0; m < 1440; m++)
			for (unsigned i = 0; i < 100; i++)
				cache_add(c, ids[i], START + day * DAY + 60 * m, mixed(3 + 4 * i, m));
	for (unsigned i = 0; i < 200; i++) {
		struct err e = { 0 };
		cache_commit(c, &e);
		cache_keep(c, START + 4 * DAY, NULL, &e);
		assert_true(size_of("") <= MIB);
	}
	commit(c);
	assert_true(read_all(c, ids[7]) > 0);
	assert_int_equal(got.t[got.n - 1], START + 4 * DAY - 60);
	cache_close(c);
	assert_true(size_of("") <= MIB);
}

static void a_lower_cap_frees_pages_that_are_used_again(void **state)
{
	(void)state;
	struct run r = { .series = 64, .days = 8, .cap = 100 * MIB };
	uint32_t ids[64];
	struct cache *c = open_cache();
	struct cache_limits l = { 0 };
	struct cache_facts f;
	cache_limit(c, &l);
	run_days(c, &r, ids);
	int64_t before = size_of("");
	l.bytes = before / 4 + 12 * 4096; /* the tables of events and states take pages, however empty */
	cache_limit(c, &l);
	keep_all(c, START + 8 * DAY);
	assert_true(cache_facts(c, &f, NULL));
	print_message("a file of %lld KiB, its cap lowered to %lld: %lld in use\n", (long long)before >> 10,
	              (long long)l.bytes >> 10, (long long)(f.bytes - f.unused) >> 10);
	assert_true(f.bytes - f.unused <= l.bytes);
	assert_left(c, &r, ids);
	before = f.bytes;
	for (int64_t m = 8 * 1440; m < 11 * 1440; m++) {
		for (unsigned i = 0; i < 64; i++)
			cache_add(c, ids[i], START + 60 * m, mixed(i, m));
		commit(c);
		cache_keep(c, START + 60 * m, NULL, NULL);
	}
	assert_int_equal(size_of(""), before);
	r.days = 11;
	assert_left(c, &r, ids);
	cache_close(c);
}

/* ---- the log */

/* Another program begins to read and does not end. The log stays short, nothing that was given is lost, and when the reader
 * has gone everything is in the file. */
static void a_long_read_does_not_grow_the_log(void **state)
{
	(void)state;
	enum { N = 500, TICKS = 900 };
	static uint32_t ids[N];
	struct cache *c = open_cache();
	struct err e = { 0 };
	int64_t most = 0, m = 0;
	sqlite3 *db;
	unsigned refused = 0;
	for (unsigned i = 0; i < N; i++) {
		char metric[32];
		snprintf(metric, sizeof metric, "A/B%u:p99", i);
		ids[i] = series_of(c, metric);
		cache_add(c, ids[i], START, mixed(3, i));
	}
	commit(c);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM tick", NULL, NULL, NULL), SQLITE_OK);
	for (m = 1; m < TICKS; m++) {
		for (unsigned i = 0; i < N; i++)
			cache_add(c, ids[i], START + 60 * m, mixed(3, m * N + i));
		refused += !cache_commit(c, &e);
		cache_keep(c, START + 60 * m, NULL, NULL);
		most = size_of("-wal") > most ? size_of("-wal") : most;
		assert_true(most < 8 * MIB);
	}
	assert_true(refused > 0);
	assert_non_null(strstr(e.text, "another program has been reading"));
	print_message("%u of %d commits waited; log at most %.2f MiB\n", refused, TICKS, (double)most / MIB);
	for (unsigned stage = 0; stage < 3; stage++) {
		for (unsigned i = 0; i < N; i += 50) {
			assert_int_equal(read_all(c, ids[i]), TICKS);
			for (m = 1; m < TICKS; m++)
				assert_point((size_t)m, START + 60 * m, mixed(3, m * N + i));
		}
		if (stage == 0) {
			sqlite3_close(db);
			commit(c);
			assert_true(ask("SELECT max(id) FROM tick") >> 24 == (START + 60 * (TICKS - 1)) / 7200);
		} else {
			cache_close(c);
			c = open_cache();
		}
	}
	cache_close(c);
}

/* ---- schemas */

static void make_schema1(void)
{
	sqlite3 *db;
	char *top = xasprintf("%s/h", folder);
	mkdir(top, 0700);
	free(top);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, history_schema1, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void assert_schema1_points(struct cache *c)
{
	uint32_t q = series_of(c, "AWS/SQS/NumberOfMessagesSent{QueueName=q}:Sum"),
	         f = series_of(c, "AWS/Lambda/Duration{FunctionName=f}:Average");
	assert_int_equal(q, 1);
	assert_int_equal(f, 2);
	assert_int_equal(read_all(c, f), 131);
	for (unsigned i = 0; i < 131; i++)
		assert_point(i, START + 60 * i, i / 8.0);
	assert_int_equal(read_all(c, q), 112);
	for (unsigned i = 0, at = 0; i < 131; i++)
		if (i % 7 != 3)
			assert_point(at++, START + 60 * i, i);
	assert_int_equal(read_coarse(c, q, 300, START, START + 300), 1);
	assert_true(rolled.v[0] == 0 + 1 + 2 + 4 && rolled.held[0] == 4);
}

static void a_file_of_the_schema_before_is_migrated(void **state)
{
	(void)state;
	make_schema1();
	assert_int_equal(ask("PRAGMA user_version"), 1);
	struct cache_facts facts;
	for (unsigned round = 0; round < 2; round++) {
		struct cache *c = open_cache();
		assert_null(cache_note(c));
		assert_int_equal(ask("PRAGMA user_version"), SCHEMA);
		assert_schema1_points(c);
		char *text = cache_get_text(c, TARGET, "inventory");
		assert_string_equal(text, "[]");
		free(text);
		assert_true(cache_facts(c, &facts, NULL));
		assert_true(facts.schema == SCHEMA && facts.oldest == START);
		cache_close(c);
	}
	struct cache *c = open_cache();
	struct cache_limits l = { .fine_age = DAY };
	cache_limit(c, &l);
	cache_add(c, 1, START + 2 * DAY, 1);
	commit(c);
	assert_true(cache_fold(c, NULL));
	keep_all(c, START + 2 * DAY);
	assert_int_equal(read_range(c, 1, 0, START + DAY), 0);
	assert_int_equal(read_coarse(c, 1, 300, START, START + 300), 1);
	assert_true(rolled.v[0] == 7 && rolled.held[0] == 4);
	cache_close(c);
}

/* A reader beside a writer of the schema before, which then gives way to one of ours. */
static void a_reader_reads_the_schema_before(void **state)
{
	(void)state;
	make_schema1();
	char *lock = xasprintf("%s.lock", path);
	int fd = open(lock, O_CREAT | O_RDWR, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	struct cache *c = open_cache();
	struct cache_facts facts;
	assert_false(cache_is_writer(c));
	assert_schema1_points(c);
	assert_true(cache_facts(c, &facts, NULL));
	assert_int_equal(facts.schema, 1);
	assert_int_equal(cache_coarse_until(c, 1, 300, 0, START + DAY), 0);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "CREATE TABLE coarse (id INTEGER PRIMARY KEY, body BLOB NOT NULL); PRAGMA user_version = 2",
	                 NULL, NULL, NULL),
	    SQLITE_OK);
	commit(c);
	assert_true(cache_facts(c, &facts, NULL));
	assert_int_equal(facts.schema, 2);
	/* And then one that is newer than we are: noticed with the next poll, without a word into the file. */
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1000", NULL, NULL, NULL), SQLITE_OK);
	struct err e = { 0 };
	assert_false(cache_commit(c, &e));
	assert_non_null(strstr(e.text, "schema 1000, this one knows"));
	assert_false(cache_commit(c, &e));
	sqlite3_close(db);
	close(fd);
	assert_false(cache_commit(c, &e)); /* the lock is free, the file still is not ours to write */
	cache_close(c);
	assert_int_equal(ask("PRAGMA user_version"), 1000);
	unlink(lock);
	free(lock);
}

static char *hash_file(const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix), *bytes = xcalloc(1, 1 << 20);
	int fd = open(name, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, bytes + 8, (1 << 20) - 8);
	assert_true(n > 0);
	memcpy(bytes, &n, sizeof n);
	close(fd);
	free(name);
	return bytes;
}

/* The newer sluice was killed: that the file is its stands in the log alone. Neither is touched. */
static void a_newer_schema_in_the_log_is_left_alone(void **state)
{
	(void)state;
	cache_close(open_cache());
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db;
		if (sqlite3_open(path, &db) ||
		    sqlite3_exec(db, "PRAGMA user_version = 1000; CREATE TABLE later (x)", NULL, NULL, NULL))
			_exit(1);
		_exit(0); /* without closing, as kill -9 */
	}
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	char *file = hash_file(""), *log = hash_file("-wal");
	struct err e = { 0 };
	assert_null(cache_open(path, &e));
	assert_int_equal(e.code, ERR_DB);
	assert_non_null(strstr(e.text, "schema 1000, this one knows"));
	char *file2 = hash_file(""), *log2 = hash_file("-wal");
	assert_memory_equal(file, file2, 1 << 20);
	assert_memory_equal(log, log2, 1 << 20);
	free(file), free(file2), free(log), free(log2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_statistic_says_how_points_combine),
		T(coarse_points_survive_coding),
		T(the_fuller_period_stays),
		T(points_become_coarse_with_age),
		T(a_late_point_is_not_counted_twice),
		T(a_wrong_clock_forgets_nothing),
		T(the_cap_holds),
		T(a_flood_stays_below_the_cap),
		T(a_lower_cap_frees_pages_that_are_used_again),
		T(a_long_read_does_not_grow_the_log),
		T(a_file_of_the_schema_before_is_migrated),
		T(a_reader_reads_the_schema_before),
		T(a_newer_schema_in_the_log_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
