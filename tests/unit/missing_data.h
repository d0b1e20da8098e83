/* The documented cells of alarms over missing data, for every evaluator that must agree with them. */
#ifndef TESTS_UNIT_MISSING_DATA_H
#define TESTS_UNIT_MISSING_DATA_H

#include <stdio.h>
#include <stdlib.h>

/* Calls check for each of the 40; without the shared data the test is skipped, and says so. Include cmocka.h before. */
static inline void missing_data_rows(void (*check)(const char *points, unsigned n, unsigned m, const char *mode, const char *wanted))
{
	static const char *const below[] = { "data/", "" };
	const char *shared = getenv("SLUICE_SHARED");
	char path[512], line[256], points[64], mode[32], wanted[32];
	unsigned n, m, rows = 0;
	FILE *f = NULL;
	for (unsigned i = 0; i < 2 && !f; i++) {
		snprintf(path, sizeof path, "%s/%salarm-missing-data.tsv", shared ? shared : "../shared", below[i]);
		f = fopen(path, "r");
	}
	if (!f) {
		puts("SKIP: the tables of missing data are not here");
		skip();
	}
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "%u\t%u\t%63s\t%31s\t%31s", &n, &m, points, mode, wanted) == 5) {
			check(points, n, m, mode, wanted);
			rows++;
		}
	fclose(f);
	assert_int_equal(rows, 40);
}

#endif
