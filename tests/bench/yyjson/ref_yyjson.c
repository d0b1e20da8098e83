/* Reference: yyjson on the bytes that ref_parse wrote. Built by bench.py with the yyjson.c it fetched; not part of the build.
 *   ref_yyjson FILE */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#define ROUNDS 9

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static unsigned read_all(const char *p, size_t n, double *sum)
{
	unsigned points = 0;
	size_t i, imax, k, kmax;
	yyjson_val *r, *v;
	yyjson_doc *doc = yyjson_read(p, n, 0);
	yyjson_val *results = yyjson_obj_get(yyjson_doc_get_root(doc), "MetricDataResults");
	*sum = 0;
	yyjson_arr_foreach(results, i, imax, r)
	{
		yyjson_arr_foreach(yyjson_obj_get(r, "Values"), k, kmax, v)
		{
			*sum += yyjson_get_num(v);
			points++;
		}
	}
	yyjson_doc_free(doc);
	return points;
}

int main(int argc, char **argv)
{
	static char body[64 << 20];
	double took[ROUNDS], sum = 0;
	unsigned points = 0;
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	size_t n = f != NULL ? fread(body, 1, sizeof body, f) : 0;
	for (int i = 0; i < ROUNDS; i++) {
		double before = now_ns();
		points = read_all(body, n, &sum);
		took[i] = now_ns() - before;
	}
	qsort(took, ROUNDS, sizeof took[0], by_size);
	printf("yyjson_ns_point %.2f\nyyjson_points %u\nyyjson_sum %.17g\n", points ? took[ROUNDS / 2] / points : 0.0,
	       points, sum);
	return points == 0;
}
