/* How fast, and whether at all: the rate, the canary's ramp, and the breaker. Pure; times are monotonic milliseconds. */
#ifndef REPLAY_PACE_H
#define REPLAY_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* ---- the rate: in no second more than `rate` messages, however the calls fall */
#define PACE_SLOTS 1024
#define PACE_RATE_MOST 1000.0
struct pace {
	double rate;
	unsigned at, n; /* a ring of what was sent within the last second */
	struct { int64_t ms; unsigned count; } sent[PACE_SLOTS];
	int64_t not_before; /* of rates below one a second */
};
void pace_init(struct pace *p, double rate);
/* How many of `wanted` may go now; 0: *wait_ms says when to ask again. */
unsigned pace_allows(struct pace *p, int64_t now_ms, unsigned wanted, int64_t *wait_ms);
void pace_sent(struct pace *p, int64_t now_ms, unsigned count);
/* What was counted since then leaves only now: what came in between (a slow disk) is no part of its second. */
void pace_left(struct pace *p, int64_t since_ms, int64_t now_ms);

/* ---- the ramp: 1, 5, 25, 125, 625, then the rest; a stage ends when each of its messages has a result */
struct ramp {
	unsigned stage;      /* from 0 */
	unsigned sent, done; /* in this stage */
};
#define RAMP_ALL UINT32_MAX
unsigned ramp_size(unsigned stage); /* RAMP_ALL: no limit */
unsigned ramp_room(const struct ramp *r);
void ramp_sent(struct ramp *r, unsigned n);
void ramp_unsent(struct ramp *r, unsigned n); /* it did not leave after all */
void ramp_done(struct ramp *r, unsigned n);   /* moves on to the next stage when this one is over */

/* ---- the breaker */
/* Lower bound of the 95 % Wilson interval of a failure rate. */
double wilson_low(unsigned failures, unsigned results);
double wilson_high(unsigned failures, unsigned results);
/* At least 3 results, 2 failures, and the bound above the tolerance. */
bool breaker_trips(unsigned failures, unsigned results, double tolerance);

#endif
