/* A driver's loop: each line of standard input is one JSON document, each gets one line of standard output. Any number of them, so
 * that a suite needs one process. */
#ifndef TESTS_LINES_H
#define TESTS_LINES_H

#include "core/hash.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MOST (256u << 20)

/* answer() writes the line without its end; false ends the program with 1 and says so. Returns main's status. */
static inline int each_line(bool (*answer)(const struct json *q, struct buf *out))
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	bool ok = hash_init();
	while (ok && (n = getline(&line, &cap, stdin)) > 0) {
		struct err e = { 0 };
		struct json *q = json_parse((struct span){ line, (size_t)n }, &e);
		struct buf out;
		buf_init(&out, LINE_MOST);
		ok = q && answer(q, &out) && puts(out.p ? out.p : "") >= 0;
		if (!ok)
			fprintf(stderr, "no answer to: %.200s %s\n", line, e.text);
		buf_clear(&out);
		json_free(q);
	}
	free(line);
	return !ok || fflush(stdout) != 0;
}

#endif
