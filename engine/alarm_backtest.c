#include "engine/alarm_backtest.h"

#include "cache/events.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define HOUR 3600
#define DAY 86400
#define NEAR 1800 /* seconds: an incident is noted a while after it began, or before it ended */
#define INCIDENTS 200

static struct backtest_in test_of(const struct task *t, const struct eval_rule *rule, const struct alarm_line *line)
{
	const struct alarm *a = &t->result->alarm.alarm;
	int64_t from = t->rq.alarm.backtest_from;
	unsigned skip = from > line->from ? (unsigned)((from - line->from) / line->step) : 0;
	bool hourly = (int64_t)a->period * rule->n > DAY;
	return (struct backtest_in){ .rule = *rule,
		                         .windows = line->v,
		                         .n = line->n,
		                         .width = a->period / line->step,
		                         .every = hourly && line->step < HOUR ? HOUR / line->step : 1,
		                         .from = skip < line->n ? skip : line->n,
		                         .start = EVAL_INSUFFICIENT };
}

static struct backtest_count count_of(const struct eval_rule *rule, const struct backtest *b, uint32_t step)
{
	return (struct backtest_count){ .threshold = rule->threshold,
		                            .m = rule->m,
		                            .n = rule->n,
		                            .fires = b->fires,
		                            .transitions = b->transitions,
		                            .alarm_s = (int64_t)b->alarm * step,
		                            .longest_s = (int64_t)b->longest * step,
		                            .insufficient_s = (int64_t)b->insufficient * step,
		                            .unsure = b->by_range };
}

/* ---- incidents that somebody noted */

struct noted {
	int64_t at[INCIDENTS];
	unsigned n;
};

static void note(void *ctx, const struct event *v)
{
	struct noted *all = ctx;
	if (v->kind == EVENT_INCIDENT && all->n < INCIDENTS)
		all->at[all->n++] = v->at;
}

static void incidents(struct engine *g, int64_t from, int64_t to, struct noted *all)
{
	char key[TARGET_KEY];
	struct err e;
	all->n = 0;
	if (!g->cache)
		return;
	target_key(&g->target, key);
	cache_events(g->cache, key, from, to, 10000, note, all, &e);
}

/* The stays in ALARM near which one of them lies. */
static unsigned real_fires(const struct noted *all, const enum eval_state *states, const struct backtest_in *in,
                           const struct alarm_line *line)
{
	unsigned n = 0;
	for (unsigned i = in->from, end; i < in->n; i = end) {
		end = i + 1;
		if (states[i] != EVAL_ALARM)
			continue;
		while (end < in->n && states[end] == EVAL_ALARM)
			end++;
		int64_t from = line->from + (int64_t)i * line->step - NEAR, to = line->from + (int64_t)end * line->step + NEAR;
		bool real = false;
		for (unsigned k = 0; k < all->n; k++)
			real = real || (all->at[k] >= from && all->at[k] <= to);
		n += real;
	}
	return n;
}

/* ---- what CloudWatch's own history says */

static enum eval_state state_of(enum alarm_state s)
{
	static const enum eval_state as[] = { [ALARM_STATE_UNKNOWN] = EVAL_CURRENT,
		                                  [ALARM_STATE_OK] = EVAL_OK,
		                                  [ALARM_STATE_ALARM] = EVAL_ALARM,
		                                  [ALARM_STATE_INSUFFICIENT] = EVAL_INSUFFICIENT };
	return as[s];
}

/* The state at each step's end; before the rule was as it is now it is not known. History comes newest first. */
static void their_states(const struct alarm_result *r, const struct alarm_line *line, enum eval_state *v)
{
	enum alarm_state now = r->alarm.state;
	unsigned k = 0;
	for (unsigned i = line->n; i-- > 0;) {
		int64_t end = line->from + (int64_t)(i + 1) * line->step;
		for (; k < r->nhistory && r->history[k].at > end; k++)
			if (r->history[k].to) /* a StateUpdate */
				now = r->history[k].from;
		v[i] = end < r->alarm.configured ? EVAL_CURRENT : state_of(now);
	}
}

static void agree(struct task *t, const struct backtest_in *in, const struct alarm_line *line,
                  const enum eval_state *ours)
{
	struct alarm_result *r = &t->result->alarm;
	enum eval_state *theirs = xcalloc(line->n, sizeof *theirs);
	if (r->history_err.code == ERR_OK) {
		their_states(r, line, theirs);
		struct agreement a = backtest_agreement(ours, theirs, in->from, in->n);
		r->backtest.compared_s = (int64_t)a.of * line->step;
		r->backtest.agreed_s = (int64_t)a.same * line->step;
		for (unsigned i = 0; i < r->nhistory; i++)
			r->backtest.their_fires +=
			    r->history[i].to == ALARM_STATE_ALARM && r->history[i].at >= t->rq.alarm.backtest_from;
	}
	free(theirs);
}

/* ---- */

static void sweep(struct task *t, const struct backtest_in *in, uint32_t step)
{
	struct backtest_result *b = &t->result->alarm.backtest;
	struct sweep_row rows[SWEEP_MOST];
	unsigned n = backtest_sweep(in, rows);
	struct backtest_count *v = arena_array(&t->result->alarm.mem, n, sizeof *v);
	for (unsigned i = 0; i < n; i++) {
		struct eval_rule rule = in->rule;
		rule.threshold = rows[i].threshold;
		rule.m = rows[i].m;
		rule.n = rows[i].n;
		v[i] = count_of(&rule, &rows[i].result, step);
	}
	b->sweep = v;
	b->nsweep = n;
}

void backtest_final(struct engine *g, struct task *t, const struct eval_rule *rule)
{
	struct backtest_result *b = &t->result->alarm.backtest;
	const struct alarm_line *line = &t->result->alarm.line;
	struct backtest_in in = test_of(t, rule, line);
	enum eval_state *states = xcalloc(line->n, sizeof *states);
	struct backtest done = backtest(&in, states);
	struct noted noted;
	b->done = true;
	b->from = line->from + (int64_t)in.from * line->step;
	b->to = line->to;
	b->step = line->step;
	b->final = count_of(rule, &done, line->step);
	incidents(g, b->from - NEAR, b->to + NEAR, &noted);
	b->incidents = noted.n;
	b->final.real = real_fires(&noted, states, &in, line);
	agree(t, &in, line, states);
	sweep(t, &in, line->step);
	free(states);
}

void backtest_seen(struct task *t, const struct eval_rule *rule, const struct alarm_line *line)
{
	struct backtest_in in = test_of(t, rule, line);
	struct backtest done = backtest(&in, NULL);
	t->result->alarm.backtest.seen = count_of(rule, &done, line->step);
}
