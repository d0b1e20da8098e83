#include "aws/retry.h"

#include <math.h>
#include <stdio.h>

#define BASE_TRANSIENT_MS 50.0
#define BASE_THROTTLED_MS 1000.0
#define COST_TRANSIENT 14
#define COST_THROTTLED 5
#define ASKED_BEYOND_MS 5000.0 /* what the service asks for may be this much longer than our own draw */

void chance_init(struct chance *c, uint64_t seed)
{
	c->x = seed | 1; /* zero would stay zero */
}

uint64_t chance_draw(struct chance *c)
{
	uint64_t x = c->x;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	c->x = x;
	return x * 0x2545f4914f6cdd1du;
}

double chance_unit(struct chance *c)
{
	return (double)(chance_draw(c) >> 11) * 0x1p-53;
}

void chance_uuid(struct chance *c, char out[37])
{
	uint64_t a = chance_draw(c), b = chance_draw(c);
	snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
	         (unsigned)a & 0xfff, ((unsigned)(b >> 48) & 0x3fff) | 0x8000, (unsigned long long)(b & 0xffffffffffffu));
}

void retry_quota_init(struct retry_quota *q)
{
	q->left = RETRY_QUOTA;
}

void retry_quota_earn(struct retry_quota *q, int spent)
{
	q->left += spent > 0 ? spent : 1;
	if (q->left > RETRY_QUOTA)
		q->left = RETRY_QUOTA;
}

double retry_delay_ms(enum fault fault, unsigned retry, double chance)
{
	double base = fault_throttled(fault) ? BASE_THROTTLED_MS : BASE_TRANSIENT_MS;
	return chance * fmin(ldexp(base, retry < 64 ? (int)retry - 1 : 63), RETRY_DELAY_MAX_MS);
}

int64_t retry_decide(struct retry_quota *q, const struct retry_case *r, int *spent)
{
	int cost = fault_throttled(r->fault) ? COST_THROTTLED : COST_TRANSIENT;
	bool again = r->fault == FAULT_TRANSIENT || fault_throttled(r->fault);
	if (!again || !r->safe || r->attempt >= r->most || q->left < cost)
		return -1;
	q->left -= cost;
	*spent = cost;
	double t = retry_delay_ms(r->fault, r->attempt, r->chance);
	return (int64_t)fmax(t, fmin(r->asked_ms, t + ASKED_BEYOND_MS));
}
