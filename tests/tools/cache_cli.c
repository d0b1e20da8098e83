/* Drives the history from a script that kills it (tests/crash).
 *
 *   cache_cli write PATH SERIES MINUTE   commits a tick a minute from MINUTE on, for ever; prints each minute once it is
 *                                        committed. Every tick brings a first guess for its minute and the final value of
 *                                        the one before.
 *   cache_cli verify PATH SERIES         every series must hold minutes 0 .. n - 1, final but for the last; prints n
 *   cache_cli age PATH SERIES TICK       as write, with a tick a half hour of simulated time, points that become coarse after
 *                                        a day and two, and go after five
 *   cache_cli verify-aged PATH SERIES    hour by hour every seventh series must hold what its points add up to, without a hole,
 *                                        five days back at least; prints how many ticks there were */
#include "cache/cache.h"
#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START 1763856000
#define DAY 86400

#define SAMPLE 7 /* of the aged series every so-manieth is looked at */

static int64_t step = 60; /* seconds of simulated time a tick */
static const struct cache_limits aging = { .retention = 5 * DAY, .fine_age = DAY, .coarse_age = 2 * DAY };

static double final_value(unsigned series, int64_t minute)
{
	switch (series % 3) {
	case 0: return 7;
	case 1: return (double)(minute * 31 % 1000 + series);
	default: return exp(sin((double)minute + series));
	}
}

static double guess(unsigned series, int64_t minute)
{
	return final_value(series, minute) / 2;
}

static struct cache *open_file(const char *path, unsigned n, uint32_t *ids)
{
	struct err e = { 0 };
	struct cache *c = cache_open(path, &e);
	if (!c) {
		fprintf(stderr, "open: %s\n", e.text);
		exit(2);
	}
	if (cache_note(c)) {
		fprintf(stderr, "note: %s\n", cache_note(c));
		exit(3);
	}
	for (unsigned i = 0; i < n; i++) {
		char metric[32];
		snprintf(metric, sizeof metric, "series-%u:Sum", i);
		ids[i] = cache_series(c, "target", metric, 60);
	}
	return c;
}

static int write_for_ever(struct cache *c, unsigned n, const uint32_t *ids, int64_t minute)
{
	struct err e = { 0 };
	for (;; minute++) {
		for (unsigned i = 0; i < n; i++) {
			if (minute)
				cache_add(c, ids[i], START + step * (minute - 1), final_value(i, minute - 1));
			cache_add(c, ids[i], START + step * minute, guess(i, minute));
		}
		if (!cache_commit(c, &e)) {
			fprintf(stderr, "commit: %s\n", e.text);
			return 4;
		}
		if (!cache_keep(c, START + step * minute, NULL, &e)) {
			fprintf(stderr, "keep: %s\n", e.text);
			return 8;
		}
		char line[32];
		int len = snprintf(line, sizeof line, "%lld\n", (long long)minute);
		if (write(STDOUT_FILENO, line, (size_t)len) < 0)
			return 5;
	}
}

struct check {
	unsigned series;
	int64_t n;
	double last;
	bool bad;
};

static void check_point(void *ctx, int64_t t, double v)
{
	struct check *k = ctx;
	if (k->n && k->last != final_value(k->series, k->n - 1))
		k->bad = true;
	if (t != START + step * k->n)
		k->bad = true;
	k->last = v;
	k->n++;
}

static int verify(struct cache *c, unsigned n, const uint32_t *ids)
{
	int64_t minutes = -1;
	for (unsigned i = 0; i < n; i++) {
		struct err e = { 0 };
		struct check k = { .series = i };
		if (!cache_read(c, ids[i], 0, INT64_MAX, check_point, &k, &e)) {
			fprintf(stderr, "read: %s\n", e.text);
			return 6;
		}
		if (k.n && k.last != guess(i, k.n - 1))
			k.bad = true;
		if (k.bad || (minutes >= 0 && k.n != minutes)) {
			fprintf(stderr, "series %u: %lld points, wrong or not those of the others\n", i, (long long)k.n);
			return 7;
		}
		minutes = k.n;
	}
	printf("%lld\n", (long long)minutes);
	return 0;
}

/* ---- aged */

struct hours {
	int64_t first, last, n; /* times; how many */
	int64_t points;         /* that they hold, from the first on */
	unsigned series;
	bool bad;
};

static void last_point(void *ctx, int64_t t, double v)
{
	(void)v;
	*(int64_t *)ctx = t;
}

static void check_hour(void *ctx, int64_t t, double v, uint32_t held)
{
	struct hours *h = ctx;
	double sum = 0;
	int64_t tick = (t - START) / step;
	if (h->n++ == 0)
		h->first = t;
	else if (t != h->last + 3600) /* a hole */
		h->bad = true;
	h->last = t;
	for (int64_t i = 0; i < held; i++)
		sum += START + step * (tick + i) == h->points ? guess(h->series, tick + i) : final_value(h->series, tick + i);
	h->bad |= fabs(sum - v) > 1e-9 * (1 + fabs(v)) || held != (h->points - t >= step ? 2U : 1U);
}

static int verify_aged(struct cache *c, unsigned n, const uint32_t *ids)
{
	int64_t ticks = 0;
	for (unsigned i = 0; i < n; i += SAMPLE) {
		struct err e = { 0 };
		struct hours h = { .series = i };
		int64_t last = 0;
		if (!cache_read(c, ids[i], 0, INT64_MAX, last_point, &last, &e)) {
			fprintf(stderr, "read: %s\n", e.text);
			return 6;
		}
		h.points = last; /* the newest point is a guess */
		if (last && !cache_read_coarse(c, ids[i], 3600, 0, INT64_MAX, check_hour, &h, &e)) {
			fprintf(stderr, "read: %s\n", e.text);
			return 6;
		}
		int64_t must = last - aging.retention < START ? START : last - aging.retention;
		if (last && (h.bad || h.first > must || h.last + 3600 <= last || (i && last != START + step * (ticks - 1)))) {
			fprintf(stderr, "series %u: %lld hours from %lld to %lld, wrong or not all\n", i, (long long)h.n,
			        (long long)h.first, (long long)h.last);
			return 7;
		}
		ticks = last ? (last - START) / step + 1 : 0;
	}
	printf("%lld\n", (long long)ticks);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool aged = strcmp(what, "age") == 0 || strcmp(what, "verify-aged") == 0;
	bool writes = strcmp(what, "write") == 0 || strcmp(what, "age") == 0;
	if (argc != (writes ? 5 : 4) || !(writes || aged || strcmp(what, "verify") == 0)) {
		fprintf(stderr, "usage: cache_cli write|age PATH SERIES TICK | verify|verify-aged PATH SERIES\n");
		return 64;
	}
	unsigned n = (unsigned)strtoul(argv[3], NULL, 10);
	uint32_t *ids = xcalloc(n, sizeof *ids);
	struct cache *c = open_file(argv[2], n, ids);
	if (aged) {
		step = 1800;
		cache_limit(c, &aging);
	}
	int status = writes ? write_for_ever(c, n, ids, strtoll(argv[4], NULL, 10))
	             : aged ? verify_aged(c, n, ids)
	                    : verify(c, n, ids);
	cache_close(c);
	free(ids);
	return status;
}
