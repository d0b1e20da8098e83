/* The first-loss clock: when the oldest item of a resource is gone for good. Made by pipeline/loss.h, shown by the faces. */
#ifndef CORE_MODEL_LOSS_H
#define CORE_MODEL_LOSS_H

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

#endif
