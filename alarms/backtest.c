#include "alarms/backtest.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

/* The windows of one evaluation, oldest first; what lies before the column is missing. */
static struct eval_result evaluate(const struct backtest_in *in, unsigned at, double *room)
{
	unsigned most = eval_range_most(in->rule.n);
	for (unsigned k = 0; k < most; k++) {
		uint64_t back = (uint64_t)(most - 1 - k) * in->width;
		room[k] = back <= at ? in->windows[at - back] : NAN;
	}
	return eval(&in->rule, room, most);
}

enum point { GOOD, BREACHING, MISSING };

static unsigned char *points_of(const struct backtest_in *in)
{
	unsigned char *v = xmalloc(in->n + 1u);
	for (unsigned i = 0; i < in->n; i++)
		v[i] = isnan(in->windows[i]) ? MISSING : eval_breaches(&in->rule, in->windows[i]) ? BREACHING : GOOD;
	return v;
}

/* Where the newest N are all there, they decide alone, whatever the range: nearly always. False: they are not. */
static bool complete(const struct backtest_in *in, const unsigned char *point, unsigned at, enum eval_state *state)
{
	unsigned breaching = 0, last = (in->rule.n - 1) * in->width;
	if (last > at)
		return false;
	for (unsigned back = 0; back <= last; back += in->width) {
		unsigned char p = point[at - back];
		if (p == MISSING)
			return false;
		breaching += p;
	}
	*state = breaching >= in->rule.m ? EVAL_ALARM : EVAL_OK;
	return true;
}

/* The state after the evaluation at that step. */
static enum eval_state state_after(const struct backtest_in *in, const unsigned char *point, unsigned at,
                                   enum eval_state now, double *room, bool *by_range)
{
	enum eval_state state;
	if (complete(in, point, at, &state))
		return state;
	struct eval_result r = evaluate(in, at, room);
	*by_range = *by_range || r.by_range || r.by_reading;
	return r.state == EVAL_CURRENT ? now : r.state;
}

struct backtest backtest(const struct backtest_in *in, enum eval_state *states)
{
	struct backtest b = { 0 };
	double *room = xcalloc(eval_range_most(in->rule.n), sizeof *room);
	unsigned char *point = points_of(in);
	enum eval_state now = in->start;
	unsigned stay = 0;
	for (unsigned i = 0; states && i < in->from && i < in->n; i++)
		states[i] = now;
	for (unsigned i = in->from; i < in->n; i++) {
		if ((i - in->from) % in->every == 0) {
			enum eval_state next = state_after(in, point, i, now, room, &b.by_range);
			b.transitions += next != now;
			b.fires += next != now && next == EVAL_ALARM;
			now = next;
		}
		stay = now == EVAL_ALARM ? stay + 1 : 0;
		b.longest = stay > b.longest ? stay : b.longest;
		b.alarm += now == EVAL_ALARM;
		b.insufficient += now == EVAL_INSUFFICIENT;
		b.steps++;
		if (states)
			states[i] = now;
	}
	free(point);
	free(room);
	return b;
}

/* ---- the sweep */

static bool known(const struct sweep_row *rows, unsigned n, const struct sweep_row *r)
{
	for (unsigned i = 0; i < n; i++)
		if (rows[i].m == r->m && rows[i].n == r->n && rows[i].threshold == r->threshold)
			return true;
	return false;
}

unsigned backtest_sweep(const struct backtest_in *in, struct sweep_row rows[SWEEP_MOST])
{
	static const double factors[] = { 1, 0.5, 0.75, 1.5, 2 };
	static const unsigned others[][2] = { { 1, 1 }, { 2, 2 }, { 2, 3 }, { 3, 3 }, { 3, 5 }, { 5, 5 } };
	unsigned n = 0;
	double zero = in->rule.threshold == 0 ? 1 : 0; /* a factor of nothing is nothing: steps of one then */
	for (size_t f = 0; f < sizeof factors / sizeof *factors; f++)
		for (size_t k = 0; k <= sizeof others / sizeof *others && n < SWEEP_MOST; k++) {
			struct sweep_row r = { .threshold = in->rule.threshold * factors[f] + zero * (factors[f] - 1),
				                   .m = k ? others[k - 1][0] : in->rule.m,
				                   .n = k ? others[k - 1][1] : in->rule.n };
			struct backtest_in other = *in;
			if (known(rows, n, &r))
				continue;
			other.rule.threshold = r.threshold;
			other.rule.m = r.m;
			other.rule.n = r.n;
			r.result = backtest(&other, NULL);
			rows[n++] = r;
		}
	return n;
}

struct agreement backtest_agreement(const enum eval_state *ours, const enum eval_state *theirs, unsigned from,
                                    unsigned n)
{
	struct agreement a = { 0, 0 };
	for (unsigned i = from; i < n; i++) {
		if (theirs[i] == EVAL_CURRENT || ours[i] == EVAL_CURRENT)
			continue;
		a.of++;
		a.same += ours[i] == theirs[i];
	}
	return a;
}
