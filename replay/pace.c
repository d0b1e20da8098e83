#include "replay/pace.h"

#include <math.h>

#define WINDOW_MS 1050 /* a second, and what the line may push together */
#define Z 1.959963984540054

void pace_init(struct pace *p, double rate)
{
	*p = (struct pace){ .rate = rate < PACE_RATE_MOST ? rate : PACE_RATE_MOST };
}

static void forget(struct pace *p, int64_t now_ms)
{
	while (p->n && p->sent[p->at].ms + WINDOW_MS <= now_ms) {
		p->at = (p->at + 1) % PACE_SLOTS;
		p->n--;
	}
}

unsigned pace_allows(struct pace *p, int64_t now_ms, unsigned wanted, int64_t *wait_ms)
{
	unsigned most = p->rate >= 1 ? (unsigned)p->rate : 1, used = 0;
	forget(p, now_ms);
	for (unsigned i = 0; i < p->n; i++)
		used += p->sent[(p->at + i) % PACE_SLOTS].count;
	*wait_ms = 0;
	if (now_ms < p->not_before) {
		*wait_ms = p->not_before - now_ms;
		return 0;
	}
	if (used >= most || p->n == PACE_SLOTS) {
		*wait_ms = p->sent[p->at].ms + WINDOW_MS - now_ms;
		return 0;
	}
	return wanted < most - used ? wanted : most - used;
}

void pace_sent(struct pace *p, int64_t now_ms, unsigned count)
{
	unsigned slot = (p->at + p->n) % PACE_SLOTS;
	p->sent[slot].ms = now_ms;
	p->sent[slot].count = count;
	p->n++;
	if (p->rate < 1)
		p->not_before = now_ms + (int64_t)ceil(1000 * count / p->rate);
}

void pace_left(struct pace *p, int64_t since_ms, int64_t now_ms)
{
	for (unsigned i = p->n; i > 0; i--) {
		int64_t *ms = &p->sent[(p->at + i - 1) % PACE_SLOTS].ms;
		if (*ms < since_ms)
			break;
		*ms = now_ms;
	}
	if (p->rate < 1 && p->not_before > since_ms)
		p->not_before += now_ms - since_ms;
}

unsigned ramp_size(unsigned stage)
{
	static const unsigned sizes[] = { 1, 5, 25, 125, 625 };
	return stage < sizeof sizes / sizeof *sizes ? sizes[stage] : RAMP_ALL;
}

unsigned ramp_room(const struct ramp *r)
{
	unsigned size = ramp_size(r->stage);
	return size == RAMP_ALL ? RAMP_ALL : size > r->sent ? size - r->sent : 0;
}

void ramp_sent(struct ramp *r, unsigned n)
{
	r->sent += n;
}

void ramp_unsent(struct ramp *r, unsigned n)
{
	r->sent -= n < r->sent ? n : r->sent;
}

void ramp_done(struct ramp *r, unsigned n)
{
	r->done += n;
	if (ramp_size(r->stage) != RAMP_ALL && r->done >= ramp_size(r->stage))
		*r = (struct ramp){ .stage = r->stage + 1 };
}

static double bound(unsigned failures, unsigned results, double sign)
{
	if (!results)
		return sign < 0 ? 0 : 1;
	double n = results, p = failures / n, z2 = Z * Z;
	return (p + z2 / (2 * n) + sign * Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n);
}

double wilson_low(unsigned failures, unsigned results)
{
	return bound(failures, results, -1);
}

double wilson_high(unsigned failures, unsigned results)
{
	return bound(failures, results, 1);
}

bool breaker_trips(unsigned failures, unsigned results, double tolerance)
{
	return results >= 3 && failures >= 2 && wilson_low(failures, results) > tolerance;
}
