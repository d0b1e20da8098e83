/* What a history file holds, value for value, for a test that compares:
 *
 *   history_cli PATH TARGET STEP   reads a metric's text a line from stdin; prints for each of its points the line's number
 *                                  (from 0), the time and the value in hexadecimal */
#include "cache/cache.h"
#include "core/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(void *ctx, int64_t t, double v)
{
	printf("%u %lld %a\n", *(const unsigned *)ctx, (long long)t, v);
}

static void points_of(struct cache *c, const char *target, uint32_t step, const char *text, unsigned line)
{
	struct metric_id id = { 0 };
	struct err e = { 0 };
	struct buf canonical;
	buf_init(&canonical, 64 * 1024);
	if (!metric_parse(&id, text, &e)) {
		fprintf(stderr, "%s: %s\n", text, e.text);
		exit(2);
	}
	metric_text(&id, &canonical);
	if (!cache_read(c, cache_series(c, target, canonical.p, step), 0, INT64_MAX, print, &line, &e)) {
		fprintf(stderr, "%s\n", e.text);
		exit(2);
	}
	metric_clear(&id);
	buf_clear(&canonical);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	char line[8192];
	if (argc != 4)
		return 64;
	struct cache *c = cache_peek(argv[1], &e);
	if (!c) {
		fprintf(stderr, "open: %s\n", e.text);
		return 2;
	}
	for (unsigned i = 0; fgets(line, sizeof line, stdin); i++) {
		line[strcspn(line, "\n")] = '\0';
		points_of(c, argv[2], (uint32_t)strtoul(argv[3], NULL, 10), line, i);
	}
	cache_close(c);
	return 0;
}
