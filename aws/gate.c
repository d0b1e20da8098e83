#include "aws/gate.h"

#include <math.h>

#define RATE_MIN 0.5  /* as the SDKs' own limiter */
#define HALVE_MS 1000 /* calls that flew together are throttled together: that is one event */
#define RECOVERY 50   /* successes from nothing back to the limit */

void gate_init(struct gate *g, double limit, int64_t now)
{
	*g = (struct gate){ .limit = limit, .rate = limit, .tokens = limit, .at = now, .halved_at = now - HALVE_MS };
}

static void refill(struct gate *g, int64_t now)
{
	double most = fmax(g->rate, 1);
	g->tokens = fmin(most, g->tokens + (double)(now - g->at) / 1000 * g->rate);
	g->at = now;
}

bool gate_take(struct gate *g, int64_t now)
{
	refill(g, now);
	if (g->tokens < 1)
		return false;
	g->tokens -= 1;
	return true;
}

int gate_wait(struct gate *g, int64_t now)
{
	refill(g, now);
	return g->tokens >= 1 ? 0 : (int)ceil((1 - g->tokens) / g->rate * 1000);
}

void gate_throttled(struct gate *g, int64_t now)
{
	refill(g, now);
	g->tokens = fmin(g->tokens, 0);
	if (now - g->halved_at < HALVE_MS)
		return;
	g->rate = fmax(g->rate / 2, RATE_MIN);
	g->halved_at = now;
}

void gate_succeeded(struct gate *g)
{
	g->rate = fmin(g->limit, g->rate + g->limit / RECOVERY);
}
