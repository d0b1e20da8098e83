/* Log groups. Lines of what clients invoked are kept; those of a busy pipeline are made when they are read (sim_life.h). */
#ifndef SIM_SIM_LOG_H
#define SIM_SIM_LOG_H

#include "sim/sim_life.h"

#include <stdbool.h>
#include <stdint.h>

struct world;

struct log_line {
	int64_t at_ms;
	unsigned order; /* among those of one instant */
	char stream[80];
	char *text;
};
struct log_group {
	char *name;
	int64_t created_ms;
	struct log_line *lines; /* kept ones, in the order they came */
	unsigned nlines, caplines;
};

struct log_group *log_group_find(const struct world *w, const char *name); /* NULL: there is none */
struct log_group *log_group_of(struct world *w, const struct sim_function *fn); /* made when it is not there */
void log_run(struct world *w, const struct sim_run *run);                       /* keeps its lines */
void logs_free(struct world *w);

/* FilterLogEvents' patterns: terms that must all be there, "quoted" where they hold more than letters, digits and _; -term
 * must not; ?term: any of them, and then the others do not count. Owns its texts. */
struct log_filter {
	struct {
		char *text;
		char kind; /* '+', '-' or '?' */
	} term[32];
	unsigned n;
};
bool log_filter_parse(const char *pattern, struct log_filter *f); /* false: not of this kind. Clear it anyway */
void log_filter_clear(struct log_filter *f);

/* Lines of one minute, sorted by time. */
struct log_want {
	int64_t from_ms, to_ms; /* both inclusive */
	const char *stream;     /* whole name or, with prefix, its begin; NULL: any */
	bool prefix;
	const struct log_filter *filter;
};
struct log_found {
	struct log_line *line;
	unsigned n, cap;
	uint64_t looked; /* how many were looked at */
};
void log_minute(const struct world *w, const struct log_group *g, int64_t minute, const struct log_want *want,
                struct log_found *out); /* appends */
void log_found_clear(struct log_found *f);
int64_t log_oldest_ms(const struct world *w, const struct log_group *g); /* of its first line; INT64_MAX: none */

#endif
