/* Drives the history from a script that kills it (tests/crash).
 *
 *   cache_cli write PATH SERIES MINUTE   commits a tick a minute from MINUTE on, for ever; prints each minute once it is
 *                                        committed. Every tick brings a first guess for its minute and the final value of
 *                                        the one before.
 *   cache_cli verify PATH SERIES         every series must hold minutes 0 .. n - 1, final but for the last; prints n */
#include "cache/cache.h"
#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START 1763856000

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
		snprintf(metric, sizeof metric, "series-%u", i);
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
				cache_add(c, ids[i], START + 60 * (minute - 1), final_value(i, minute - 1));
			cache_add(c, ids[i], START + 60 * minute, guess(i, minute));
		}
		if (!cache_commit(c, &e)) {
			fprintf(stderr, "commit: %s\n", e.text);
			return 4;
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
	if (t != START + 60 * k->n)
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

int main(int argc, char **argv)
{
	bool writes = argc == 5 && strcmp(argv[1], "write") == 0;
	if (!writes && !(argc == 4 && strcmp(argv[1], "verify") == 0)) {
		fprintf(stderr, "usage: cache_cli write PATH SERIES MINUTE | verify PATH SERIES\n");
		return 64;
	}
	unsigned n = (unsigned)strtoul(argv[3], NULL, 10);
	uint32_t *ids = xcalloc(n, sizeof *ids);
	struct cache *c = open_file(argv[2], n, ids);
	int status = writes ? write_for_ever(c, n, ids, strtoll(argv[4], NULL, 10)) : verify(c, n, ids);
	cache_close(c);
	free(ids);
	return status;
}
