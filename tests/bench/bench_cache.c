/* What the history costs beside a row per point with an index, in one run:  bench_cache FOLDER
 *
 * Both hold the same mix: 10,000 series, a point a minute; a quarter constant, a quarter sparse counts, a quarter noisy
 * counters, a quarter latencies with all their digits (averages, 52 random bits each). Lines for bench.py:
 * NAME|WHAT|OURS|REFERENCE|RATIO|GOAL|met or MISSED; other lines are remarks. The reference gets its index when all rows are
 * there, which packs it better than growing would: its figures are flattered. */
#include "cache/cache.h"
#include "core/mem.h"

#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SERIES = 10000, DAY = 1440, DAYS = 3, WATCHED = 50, ROUNDS = 9 };
#define START INT64_C(1763856000)

static char ours[300], theirs[300];
static uint32_t ids[SERIES];

/* ---- the mix */

static uint64_t mix_bits(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static double uniform(uint64_t bits)
{
	return (double)(bits >> 11) / 9007199254740992.0;
}

/* The same for the same place, so that what is read can be compared. */
static double mix(unsigned series, int64_t minute)
{
	uint64_t mine = mix_bits(series + 1), bits = mix_bits(mine ^ (uint64_t)minute * UINT64_C(0x9e3779b97f4a7c15));
	double noise = uniform(bits) + uniform(mix_bits(bits)) - 1, level = exp(2 + 6 * uniform(mine));
	switch (series % 4) {
	case 0: return series % 8 ? 0 : floor(level);
	case 1: return bits % 100 < 4 ? 1 + (double)(bits >> 32 & 15) : 0;
	case 2: return floor(level * (1 + 0.3 * sin((double)minute / 229)) + 3 * sqrt(level) * noise);
	default: return level * (1 + 0.2 * noise);
	}
}

/* ---- measuring */

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Bytes given to write(2) so far: log and file, each as often as it is written. */
static double written(void)
{
	char name[32];
	double n;
	FILE *f = fopen("/proc/self/io", "r");
	while (f && fscanf(f, "%31[^:]: %lf\n", name, &n) == 2)
		if (strcmp(name, "wchar") == 0) {
			fclose(f);
			return n;
		}
	if (f)
		fclose(f);
	return NAN;
}

static double size_of(const char *path)
{
	struct stat st;
	char *wal = xasprintf("%s-wal", path);
	double n = stat(path, &st) == 0 ? (double)st.st_size : NAN;
	n += stat(wal, &st) == 0 ? (double)st.st_size : 0;
	free(wal);
	return n;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, by_size);
	return v[n / 2];
}

static bool all_met = true;

static void line(const char *name, const char *what, double mine, double other, const char *unit, double limit)
{
	double ratio = mine / other;
	bool met = ratio <= limit;
	all_met &= met;
	printf("%s|%s|%.4g %s|%.4g %s|1/%.0f|<= 1/%.0f|%s\n", name, what, mine, unit, other, unit, 1 / ratio, 1 / limit,
	       met ? "met" : "MISSED");
	fflush(stdout);
}

/* A figure with a limit of its own; the reference, if any, is only told. */
static void line_limit(const char *name, const char *what, double mine, double other, const char *unit, double limit)
{
	char reference[32] = "-", ratio[32] = "-";
	bool met = mine <= limit;
	if (other > 0) {
		snprintf(reference, sizeof reference, "%.4g %s", other, unit);
		snprintf(ratio, sizeof ratio, "1/%.0f", other / mine);
	}
	all_met &= met;
	printf("%s|%s|%.4g %s|%s|%s|<= %g|%s\n", name, what, mine, unit, reference, ratio, limit, met ? "met" : "MISSED");
	fflush(stdout);
}

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_cache: %s: %s\n", what, why);
	exit(2);
}

/* ---- ours */

static struct cache *open_ours(void)
{
	struct err e = { 0 };
	struct cache *c = cache_open(ours, &e);
	if (!c || !cache_is_writer(c))
		die("open", c ? cache_note(c) : e.text);
	return c;
}

static void intern(struct cache *c)
{
	for (unsigned i = 0; i < SERIES; i++) {
		char metric[160];
		snprintf(metric, sizeof metric, "AWS/Lambda/%s{FunctionName=orders-pipeline-stage-%05u}:%s",
		         i % 4 == 3 ? "Duration" : "Invocations", i, i % 4 == 3 ? "Average" : "Sum");
		ids[i] = cache_series(c, "aws:123456789012:eu-west-1", metric, 60);
	}
}

static double values[SERIES];

static void make_minute(int64_t minute)
{
	for (unsigned i = 0; i < SERIES; i++)
		values[i] = mix(i, minute);
}

static void tick(struct cache *c, int64_t minute)
{
	struct err e = { 0 };
	for (unsigned i = 0; i < SERIES; i++)
		cache_add(c, ids[i], START + 60 * minute, values[i]);
	if (!cache_commit(c, &e))
		die("commit", e.text);
}

struct cost {
	double cpu, bytes;
	unsigned n;
};

static double longest;

static void add_cost(struct cost *sum, struct cost one)
{
	sum->cpu += one.cpu;
	sum->bytes += one.bytes;
	sum->n++;
}

static struct cost tick_cost(struct cache *c, int64_t minute)
{
	make_minute(minute);
	double t = cpu(), w = wall(), b = written();
	tick(c, minute);
	longest = fmax(longest, wall() - w);
	return (struct cost){ cpu() - t, written() - b, 1 };
}

struct sum {
	unsigned series;
	int64_t next;
	size_t n, wrong;
};

static void count(void *ctx, int64_t t, double v)
{
	struct sum *s = ctx;
	(void)t, (void)v;
	s->n++;
}

static void verify(void *ctx, int64_t t, double v)
{
	struct sum *s = ctx;
	double wanted = mix(s->series, s->next);
	if (t != START + 60 * s->next++ || memcmp(&v, &wanted, sizeof v) != 0)
		s->wrong++;
	s->n++;
}

static void verify_ours(struct cache *c, int64_t minutes)
{
	size_t n = 0;
	for (unsigned i = 0; i < SERIES; i += 61) {
		struct sum s = { .series = i };
		struct err e = { 0 };
		if (!cache_read(c, ids[i], 0, INT64_MAX, verify, &s, &e) || s.n != (size_t)minutes || s.wrong)
			die("read back", e.text[0] ? e.text : "not what was written");
		n += s.n;
	}
	printf("%zu points of every 61st series read back and compared: all bit for bit\n", n);
}

static double read_ours(struct cache *c, int64_t now)
{
	struct sum s = { 0 };
	double w = wall();
	for (unsigned i = 0; i < WATCHED; i++)
		cache_read(c, ids[i * (SERIES / WATCHED) + i % 4], START + 60 * (now - DAY), START + 60 * now, count, &s, NULL);
	if (s.n != WATCHED * DAY)
		die("read", "not all points came back");
	return wall() - w;
}

/* A child commits ticks until the log is long, and is killed; then opening is timed. */
static double open_after_kill(int64_t minute)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct cache *c = open_ours();
		intern(c);
		for (unsigned i = 0; i < 23; i++)
			tick(c, minute);
		raise(SIGKILL);
	}
	int status;
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status))
		die("open after kill", "the child was not killed");
	double w = wall();
	struct cache *c = open_ours();
	w = wall() - w;
	cache_close(c);
	return w;
}

/* ---- theirs: a row a point */

static void sql(sqlite3 *db, const char *text)
{
	char *why = NULL;
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		die(text, why);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
		die(text, sqlite3_errmsg(db));
	return st;
}

static void insert_minute(sqlite3 *db, sqlite3_stmt *insert, int64_t minute)
{
	for (unsigned i = 0; i < SERIES; i++) {
		sqlite3_bind_int64(insert, 1, i + 1);
		sqlite3_bind_int64(insert, 2, START + 60 * minute);
		sqlite3_bind_double(insert, 3, values[i]);
		if (sqlite3_step(insert) != SQLITE_DONE)
			die("insert", sqlite3_errmsg(db));
		sqlite3_reset(insert);
	}
}

static sqlite3 *build_theirs(void)
{
	sqlite3 *db;
	if (sqlite3_open(theirs, &db) != SQLITE_OK)
		die(theirs, sqlite3_errmsg(db));
	sql(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE point (series INTEGER, t INTEGER, v "
	        "REAL); BEGIN");
	sqlite3_stmt *insert = prepare(db, "INSERT INTO point VALUES (?, ?, ?)");
	for (int64_t minute = 0; minute < DAY; minute++) {
		make_minute(minute);
		insert_minute(db, insert, minute);
	}
	sqlite3_finalize(insert);
	sql(db, "COMMIT; PRAGMA cache_size = -200000; CREATE INDEX point_series ON point (series, t); PRAGMA cache_size = "
	        "-2000;"
	        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	return db;
}

static struct cost row_cost(sqlite3 *db, sqlite3_stmt *insert, int64_t minute)
{
	make_minute(minute);
	double t = cpu(), b = written();
	sql(db, "BEGIN");
	insert_minute(db, insert, minute);
	sql(db, "COMMIT");
	return (struct cost){ cpu() - t, written() - b, 1 };
}

static double read_theirs(sqlite3 *db)
{
	size_t n = 0;
	double w = wall();
	sqlite3_stmt *st = prepare(db, "SELECT t, v FROM point WHERE series = ? AND t >= ? AND t < ? ORDER BY t");
	for (unsigned i = 0; i < WATCHED; i++) {
		sqlite3_bind_int64(st, 1, i * (SERIES / WATCHED) + i % 4 + 1);
		sqlite3_bind_int64(st, 2, START);
		sqlite3_bind_int64(st, 3, START + 60 * DAY);
		while (sqlite3_step(st) == SQLITE_ROW)
			if (sqlite3_column_int64(st, 0) > 0 && isfinite(sqlite3_column_double(st, 1)))
				n++;
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	if (n != WATCHED * DAY)
		die("select", "not all rows came back");
	return wall() - w;
}

/* ---- the run: what is compared takes turns */

static double bytes_point;

static struct cache *build_ours(void)
{
	struct cache *c = open_ours();
	struct cost sum = { 0, 0, 0 };
	intern(c);
	for (int64_t minute = 0; minute < DAYS * DAY; minute++) {
		add_cost(&sum, tick_cost(c, minute));
		if (minute + 1 == DAY)
			bytes_point = size_of(ours) / SERIES / DAY;
	}
	printf("%.1f million points written; mean commit %.2f ms of CPU, longest %.1f ms by the clock\n",
	       SERIES * 1e-6 * DAYS * DAY, sum.cpu / sum.n * 1e3, longest * 1e3);
	printf("file after %d days: %.2f bytes a point\n", DAYS, size_of(ours) / SERIES / DAYS / DAY);
	return c;
}

static void compare_sizes(void)
{
	line_limit("H1", "bytes a point in the file, 10,000 series x 1 day", bytes_point, size_of(theirs) / SERIES / DAY,
	           "B/point", 2.6);
}

static void compare_reads(struct cache *c, sqlite3 *db)
{
	double mine[ROUNDS], other[ROUNDS], first = read_ours(c, DAYS * DAY + 240);
	read_theirs(db);
	for (unsigned i = 0; i < ROUNDS; i++) {
		mine[i] = read_ours(c, DAYS * DAY + 240);
		other[i] = read_theirs(db);
	}
	printf("the first read, which loads the ticks not folded yet, took %.1f ms\n", first * 1e3);
	line("H3", "newest 24 h of 50 series, warm (of 3 days; rows: of 1)", median(mine, ROUNDS) * 1e3,
	     median(other, ROUNDS) * 1e3, "ms", 1 / 50.0);
}

/* Two spans of ticks. The first forty of a span carry the folding of the one before, the others are bare ticks. A tick of
 * rows now and then; two before, because they split the packed index's pages, which later ones need not pay for. */
static void compare_ticks(struct cache *c, sqlite3 *db)
{
	struct cost bare = { 0, 0, 0 }, all = { 0, 0, 0 }, row = { 0, 0, 0 };
	sqlite3_stmt *insert = prepare(db, "INSERT INTO point VALUES (?, ?, ?)");
	for (int64_t i = 0; i < 240; i++) {
		struct cost one = tick_cost(c, DAYS * DAY + i);
		add_cost(&all, one);
		if (i % 120 >= 40)
			add_cost(&bare, one);
		if (i % 40)
			continue;
		one = row_cost(db, insert, DAY + i);
		if (i >= 80)
			add_cost(&row, one);
	}
	sqlite3_finalize(insert);
	double row_cpu = row.cpu / row.n * 1e3, row_mb = row.bytes / row.n / 1e6;
	double all_cpu = all.cpu / all.n * 1e3, all_mb = all.bytes / all.n / 1e6;
	line("H2", "a tick of 10,000 series: CPU", bare.cpu / bare.n * 1e3, row_cpu, "ms", 1 / 200.0);
	line("H2", "the same: bytes written (write(2), log and file)", bare.bytes / bare.n / 1e6, row_mb, "MB", 1 / 1000.0);
	printf("a tick and its share of folding: %.2f ms of CPU (1/%.0f), %.3f MB (1/%.0f)\n", all_cpu, row_cpu / all_cpu,
	       all_mb, row_mb / all_mb);
}

static void compare_opening(void)
{
	double times[ROUNDS];
	for (unsigned i = 0; i < ROUNDS; i++)
		times[i] = open_after_kill(DAYS * DAY + 239);
	line_limit("H3", "open after kill -9 at 45.6 million points", median(times, ROUNDS) * 1e3, 0, "ms", 5);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_cache FOLDER\n");
		return 64;
	}
	snprintf(ours, sizeof ours, "%s/bench-ours/history.db", argv[1]);
	snprintf(theirs, sizeof theirs, "%s/bench-rows.db", argv[1]);
	struct cache *c = build_ours();
	sqlite3 *db = build_theirs();
	compare_sizes();
	compare_ticks(c, db);
	compare_reads(c, db);
	verify_ours(c, DAYS * DAY + 240);
	sqlite3_close(db);
	cache_close(c);
	compare_opening();
	unlink(theirs);
	return all_met ? 0 : 1;
}
