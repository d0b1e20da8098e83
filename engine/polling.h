/* Asking CloudWatch for points, as poll.c does it for a round and others for themselves; and what a round asks besides. A part of
 * engine/inside.h, and like it the engine's thread's alone. */
#ifndef ENGINE_POLLING_H
#define ENGINE_POLLING_H

#include "aws/op_cloudwatch.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct measure;
struct res;
struct closer;
struct stage;

/* ---- a batch: one GetMetricData request for some measures, reused while they stay the same */
struct batch {
	struct engine *g;
	struct metric_queries q;
	struct measure **m;
	unsigned n;
	int64_t back; /* seconds before now that it asks for */
	bool filling; /* asks for the whole lookback */
	unsigned side_by_side; /* its metrics when five statistics of one count as one */
	struct get_metric_data_in in;
	struct get_metric_data_out out;
	enum metric_status *status;
	bool retried;
	int64_t correction; /* of the clock that chose its window */
	int64_t asked;      /* the instant by that clock */
	uint64_t call;
	struct batch *next;
	/* where the points go; NULL = ingest */
	void (*point)(void *ctx, unsigned query, int64_t t, double v);
	void (*done)(struct batch *b, const struct err *e);
	void *ctx;
};

/* poll.c */
struct batch *batch_new(struct engine *g, uint32_t period);
bool batch_add(struct batch *b, struct measure *m); /* false when it is full */
void batch_send(struct batch *b, int64_t from, int64_t to);
void batch_free(struct batch *b);
void batch_status_err(const struct batch *b, unsigned query, struct err *e); /* OK when that metric came whole */
void poll_plan(struct engine *g);                                            /* packs what is due into batches */
void poll_begin(struct engine *g); /* sends the plan; each answer ends in round_arrived */
void poll_free(struct engine *g);
bool measure_percentile(const struct measure *m);

void poll_more(struct engine *g, struct measure *const *m, unsigned n); /* within a round, what no stage shows */

/* closer.c: what the clocks ask of what may be in trouble, after the rest of a round */
struct shard_age {
	char *id;
	bool closed;
	struct measure *m; /* NULL: not asked yet */
};
void closer_step(struct engine *g); /* when the rest has been answered */
void closer_free(struct closer *c);
unsigned closer_metrics(const struct engine *g, const struct stage *s); /* how many would be billed now, when it is asked whole */
const struct shard_age *closer_shards(const struct res *r, unsigned *n, bool *all); /* all: these are all of its shards */
/* The age of a function's waiting events, NULL: not asked; and between which times Lambda gives them up, NAN: not known. */
const struct measure *closer_async(const struct res *r, double *least, double *most);

#endif
