/* What the tests of the history share: a folder that goes away, points read into an array, random numbers that repeat. */
#ifndef TESTS_UNIT_CACHE_HELP_H
#define TESTS_UNIT_CACHE_HELP_H

#include "cache/cache.h"

#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define START 1763856000 /* 2025-11-23T00:00:00Z, the start of a span */
#define TARGET "aws:123456789012:eu-west-1"
#define LIST_MAX 100000
#define SCHEMA 4 /* the version this sluice writes */

static char folder[64], path[128];

static inline int remove_one(const char *name, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(name);
}

static inline int setup(void **state)
{
	(void)state;
	/* Memory rather than disk where there is some: what is tested here does not depend on what fsync costs. */
	snprintf(folder, sizeof folder, "%s/sluice-t-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/h/history.db", folder);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct cache *open_cache(void)
{
	struct err e = { 0 };
	struct cache *c = cache_open(path, &e);
	if (!c)
		print_message("cache_open: %s\n", e.text);
	assert_non_null(c);
	return c;
}

static inline void commit(struct cache *c)
{
	struct err e = { 0 };
	if (!cache_commit(c, &e))
		fail_msg("cache_commit: %s", e.text);
}

/* All that the limits ask for, by steps as the engine does it. Returns how many. */
static inline unsigned keep_all(struct cache *c, int64_t now)
{
	struct err e = { 0 };
	bool more = true;
	unsigned steps = 0;
	for (; more; steps++) {
		if (!cache_keep(c, now, &more, &e))
			fail_msg("cache_keep: %s", e.text);
		assert_true(steps < 100000);
	}
	return steps;
}

/* Forgets what is older than `before`, and nothing else. */
static inline void forget_before(struct cache *c, int64_t before)
{
	struct cache_limits l = { .retention = 3600 };
	cache_limit(c, &l);
	keep_all(c, before + 3600);
}

struct list {
	size_t n;
	int64_t t[LIST_MAX];
	double v[LIST_MAX];
};
static struct list got;

static inline void take(void *ctx, int64_t t, double v)
{
	struct list *l = ctx;
	assert_true(l->n < LIST_MAX);
	l->t[l->n] = t;
	l->v[l->n++] = v;
}

/* Into `got`. */
static inline bool try_range(struct cache *c, uint32_t series, int64_t from, int64_t to)
{
	struct err e = { 0 };
	got.n = 0;
	return cache_read(c, series, from, to, take, &got, &e);
}

static inline size_t read_range(struct cache *c, uint32_t series, int64_t from, int64_t to)
{
	assert_true(try_range(c, series, from, to));
	return got.n;
}

static inline size_t read_all(struct cache *c, uint32_t series)
{
	return read_range(c, series, 0, INT64_MAX);
}

static inline void assert_point(size_t i, int64_t t, double v)
{
	assert_true(i < got.n);
	assert_int_equal(got.t[i], t);
	assert_memory_equal(&got.v[i], &v, sizeof v);
}

static inline uint32_t series_of(struct cache *c, const char *metric)
{
	return cache_series(c, TARGET, metric, 60);
}

/* One number straight from the file, as another program sees it. */
static inline int64_t ask(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static uint64_t seed;

static inline uint64_t rnd(void)
{
	seed += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = seed;
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline unsigned below(unsigned n)
{
	return (unsigned)(rnd() % n);
}

#endif
