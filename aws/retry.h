/* Whether a call that failed is tried again, and when: the AWS SDKs' standard mode with its constants of 2026 (attempts in all, full
 * jitter, a quota that all calls of a target share). Pure: chance comes in as a number, time goes out as one. */
#ifndef AWS_RETRY_H
#define AWS_RETRY_H

#include "aws/classify.h"

#include <stdint.h>

#define RETRY_QUOTA 500 /* a retry after throttling takes 5 of it, any other 14: a service in trouble is asked 100 times more, no more */
#define RETRY_DELAY_MAX_MS 20000

/* For jitter and ids: no secret may come from here. */
struct chance {
	uint64_t x;
};
void chance_init(struct chance *c, uint64_t seed);
uint64_t chance_draw(struct chance *c);
double chance_unit(struct chance *c); /* [0, 1) */
void chance_uuid(struct chance *c, char out[37]); /* version 4 */

/* Successes earn the quota back: what the call's last retry took, or 1. */
struct retry_quota {
	int left;
};
void retry_quota_init(struct retry_quota *q);
void retry_quota_earn(struct retry_quota *q, int spent);

struct retry_case {
	enum fault fault;
	bool safe;              /* it may be done twice, or this attempt certainly had no effect */
	unsigned attempt, most; /* the attempt that failed, from 1; attempts allowed in all */
	double chance;          /* [0, 1) */
	double asked_ms;        /* how long the service asks to wait; -1 = it said nothing */
};
/* Milliseconds to wait before the next attempt, and in *spent what it took from the quota; -1 = it is over, nothing taken. */
int64_t retry_decide(struct retry_quota *q, const struct retry_case *r, int *spent);

/* Full jitter before retry number `retry`, from 1: chance * min(base * 2^(retry-1), 20 s). */
double retry_delay_ms(enum fault fault, unsigned retry, double chance);

#endif
