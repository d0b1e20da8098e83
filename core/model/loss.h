/* The first-loss clock: when the oldest item of a resource is gone for good. Made by pipeline/loss.h, shown by the faces. */
#ifndef CORE_MODEL_LOSS_H
#define CORE_MODEL_LOSS_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum loss_state {
	LOSS_NONE,     /* no clock runs here: this kind keeps nothing that expires, or too little is known to say even that */
	LOSS_SAFE,     /* nothing is at risk: shown as "-" */
	LOSS_EXACT,    /* low == high */
	LOSS_BETWEEN,  /* the truth lies in [low, high] */
	LOSS_AT_MOST,  /* only high is known: "<= 3d" */
	LOSS_AT_LEAST, /* only low is known: ">= 2h" */
	LOSS_UNKNOWN   /* something may be at risk, and nothing bounds it: "??", never "-" */
};

struct loss {
	enum loss_state state;
	int64_t low, high;       /* instants, seconds UTC; past ones: it is being lost now */
	double rate;             /* what is lost a second from then on; NAN: unknown */
	const char *what;        /* "first record", "first message", "first event": static */
	const char *where;       /* "shard 3"; NULL: the resource as a whole */
	const char *basis;       /* in words, what it was computed from: "age 6h09m growing 1.00 s/s, retention 24h" */
	int64_t drains_at;       /* SAFE because it drains: when it is empty; 0: not said */
	/* The line a chart draws on from the last point: the age at `from`, growing `slope` seconds a second towards `retention`. */
	int64_t from;            /* 0: nothing to draw */
	double age, slope, retention;
};

const char *loss_state_name(enum loss_state s);                 /* none safe exact between at_most at_least unknown */
bool loss_has_low(const struct loss *l), loss_has_high(const struct loss *l); /* is that bound known? */
bool loss_at_risk(const struct loss *l);                        /* there is a deadline, or there may be one: a LOSS IN other than "-" */
/* The nearest deadline first, then what is only known to last so long, then what is unknown, then the rest. For qsort. */
int loss_order(const struct loss *a, const struct loss *b);

/* How long: "17h50m", "2h..3d", "<=3d02h", ">=2h00m", "now", "??", and "-" when nothing is at risk or no clock runs. */
#define LOSS_IN 24
void loss_in(const struct loss *l, int64_t now, char out[LOSS_IN]);
/* What happens when: "first record expires 21:05Z", "first message expires 05:14Z .. 03:14Z+3" (days from today), "first message may
 * expire any time"; nothing when nothing is at risk. */
void loss_when(const struct loss *l, int64_t now, struct buf *out);
/* The deadline in one line of at most `cells`, for whoever bears this name (raw). From 100 cells on with what it was computed from:
 * "DATA LOSS  17h50m  first record expires 21:05Z     orders-ingest shard 3: age 6h09m, growing 1.00 s/s, retention 24h"
 * "DATA LOSS  first record expires 21:05Z, in 17h50m  orders-ingest shard 3" */
void loss_line(const struct loss *l, const char *name, int64_t now, unsigned cells, struct buf *out);

#endif
