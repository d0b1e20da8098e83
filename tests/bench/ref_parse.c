/* Reference: cJSON reads one GetMetricData answer of 500 metrics x 200 points and every value in it is added up.
 * Ours: the operation's own reader on the same bytes. Prints nanoseconds a point and bytes of heap beyond the body. */
#include "aws/op_cloudwatch.h"
#include "core/buf.h"

#include <cjson/cJSON.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define METRICS 500
#define POINTS 200
#define ROUNDS 9

struct sum {
	double values;
	unsigned n;
};

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t heap_peak, heap_now;
static void *count_alloc(size_t n)
{
	void *p = malloc(n);
	heap_now += malloc_usable_size(p);
	heap_peak = heap_now > heap_peak ? heap_now : heap_peak;
	return p;
}
static void count_free(void *p)
{
	heap_now -= p != NULL ? malloc_usable_size(p) : 0;
	free(p);
}

static void write_answer(struct buf *b)
{
	buf_init(b, 64 << 20);
	buf_adds(b, "{\"MetricDataResults\":[");
	for (int m = 0; m < METRICS; m++) {
		buf_addf(b, "%s{\"Id\":\"m%d\",\"Label\":\"m%d\",\"StatusCode\":\"Complete\",\"Timestamps\":[", m ? "," : "", m,
		         m);
		for (int i = 0; i < POINTS; i++)
			buf_addf(b, "%s%d.0", i ? "," : "", 1790000000 - 60 * i);
		buf_adds(b, "],\"Values\":[");
		for (int i = 0; i < POINTS; i++)
			buf_addf(b, "%s%.17g", i ? "," : "", (double)((m * 37 + i * 11) % 100003) / (i % 3 ? 1.0 : 8.0));
		buf_adds(b, "]}");
	}
	buf_adds(b, "],\"Messages\":[]}");
}

static void add_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct sum *s = ctx;
	(void)query;
	(void)t;
	s->values += v;
	s->n++;
}

static struct sum read_ours(struct span body)
{
	struct sum s = { 0 };
	enum metric_status status[METRICS] = { 0 };
	struct get_metric_data_out out = { .point = add_point, .ctx = &s, .status = status, .n = METRICS };
	struct http_res res = { .status = 200, .body = body };
	struct err e = { 0 };
	if (!op_get_metric_data.read(&res, &out, &e))
		s.n = 0;
	free(out.page.token);
	return s;
}

static struct sum read_cjson(struct span body)
{
	struct sum s = { 0 };
	cJSON *doc = cJSON_ParseWithLength(body.p, body.n), *r, *v;
	cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(doc, "MetricDataResults"))
	{
		cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(r, "Values"))
		{
			s.values += v->valuedouble;
			s.n++;
		}
	}
	cJSON_Delete(doc);
	return s;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(const char *name, struct sum (*read)(struct span), struct span body)
{
	double took[ROUNDS];
	struct sum s = { 0 };
	for (int i = 0; i < ROUNDS; i++) {
		double before = now_ns();
		s = read(body);
		took[i] = now_ns() - before;
	}
	qsort(took, ROUNDS, sizeof took[0], by_size);
	printf("%s_ns_point %.2f\n%s_points %u\n%s_sum %.17g\n", name, took[ROUNDS / 2] / (METRICS * POINTS), name, s.n,
	       name, s.values);
}

int main(int argc, char **argv)
{
	struct buf body;
	struct mallinfo2 before;
	write_answer(&body);
	if (argc > 1) { /* the same bytes for another parser's program */
		FILE *f = fopen(argv[1], "w");
		if (f == NULL || fwrite(body.p, 1, body.n, f) != body.n || fclose(f) != 0)
			return 1;
	}
	before = mallinfo2();
	measure("ours", read_ours, buf_span(&body));
	struct mallinfo2 after = mallinfo2();
	/* The reader keeps nothing; what it took from the system in passing shows in the arena's size. */
	printf("ours_bytes %zu\nbody_bytes %zu\n", after.arena + after.hblkhd - before.arena - before.hblkhd, body.n);
	cJSON_Hooks hooks = { count_alloc, count_free };
	cJSON_InitHooks(&hooks);
	measure("cjson", read_cjson, buf_span(&body));
	printf("cjson_bytes %zu\n", heap_peak);
	buf_clear(&body);
	return 0;
}
