/* Private to engine/history*.c: a request for points between its steps, and the parts of its range. */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "engine/inside.h"

#define HISTORY_PARTS 3

/* A part of the range, on a grid of its own. */
struct part {
	int64_t from, to;
	uint32_t step;
	unsigned n;
	struct measure *m[2];
	double *v[2];
	uint32_t *held[2]; /* how many points a rolled-up one holds; 0: it is as it came */
	struct batch *batch;
};

/* What is known about one request between its steps. Measures live as long as the engine; stages do not. */
struct work {
	struct engine *g;
	struct task *t;
	struct metric_info info;
	struct measure *m[2];
	unsigned nm, first; /* from `first` on they are CloudWatch's: a direct reading's own points stand before its past */
	bool sparse[2];
	int64_t from, to;
	struct part parts[HISTORY_PARTS]; /* oldest first */
	unsigned nparts,
	    polling; /* polling: the part that is asked for, counted from the newest; those before it are done */
	struct err poll_err, direct_err; /* direct: why the service itself could not be asked */
	struct err list_err;             /* why no hint could be had */
	bool asked_more, polled, listed;
	bool by_file; /* the parts are as the file has them, not as CloudWatch would */
	struct list_metrics_in list_in;
	struct list_metrics_out list_out;
	uint64_t call;
};

bool history_online(const struct work *w);
bool history_in_file(const struct work *w); /* the file has rolled-up points of the range */
/* Lays the range out in parts and fills these with what is known. False and e (USAGE): they would hold too many points. */
bool history_read(struct work *w, struct err *e);
void history_join(struct work *w); /* two columns become one */
void history_give(const struct work *w, struct history_result *r); /* the parts' points, and nothing else of r */
void history_clear(struct work *w); /* the parts */

#endif
