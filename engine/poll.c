/* Asking CloudWatch for points: measures are packed side by side into as few GetMetricData requests as the limits allow. */
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <stdlib.h>
#include <string.h>

#define MOST_QUERIES 500
#define MOST_POINTS 20000 /* a request: keeps an answer's parse short; the API's own limit is 100,800 */

bool measure_percentile(const struct measure *m)
{
	return m->id.stat && strcmp(m->id.stat, "Sum") != 0 && strcmp(m->id.stat, "Average") != 0 &&
	       strcmp(m->id.stat, "Maximum") != 0 && strcmp(m->id.stat, "Minimum") != 0 &&
	       strcmp(m->id.stat, "SampleCount") != 0;
}

/* ---- one request */

struct batch *batch_new(struct engine *g, uint32_t period)
{
	struct batch *b = xcalloc(1, sizeof *b);
	b->g = g;
	metric_queries_init(&b->q, period);
	return b;
}

bool batch_add(struct batch *b, struct measure *m)
{
	if (b->n == MOST_QUERIES || !metric_queries_add(&b->q, &m->id))
		return false;
	b->m = xreallocarray(b->m, b->n + 1u, sizeof(struct measure *));
	b->m[b->n++] = m;
	return true;
}

void batch_free(struct batch *b)
{
	metric_queries_clear(&b->q);
	free(b->m);
	free(b->status);
	free(b->in.page.token);
	free(b->out.page.token);
	free(b);
}

static void batch_point(void *ctx, unsigned query, int64_t t, double v)
{
	struct batch *b = ctx;
	if (query < b->n)
		ingest_polled(b, b->m[query], t, v);
}

static void batch_answered(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct batch *b = ctx;
	b->call = 0;
	b->done(b, e);
}

static void batch_submit(struct batch *b)
{
	for (unsigned i = 0; i < b->n; i++)
		b->status[i] = METRIC_UNANSWERED;
	b->g->metrics_asked += b->n;
	free(b->in.page.token);
	b->in.page.token = NULL;
	b->call = aws_call_as(b->g->aws, b->filling ? CALL_HISTORY : CALL_VISIBLE, &op_get_metric_data, &b->in, &b->out,
	                      batch_answered, b);
}

void batch_send(struct batch *b, int64_t from, int64_t to)
{
	if (!b->status)
		b->status = xcalloc(b->n, sizeof *b->status);
	b->in.queries = &b->q;
	b->in.start = from;
	b->in.end = to;
	b->out.point = b->point ? b->point : batch_point;
	b->out.ctx = b->point ? b->ctx : b;
	b->out.status = b->status;
	b->out.n = b->n;
	b->out.message[0] = '\0';
	b->out.limited = false;
	batch_submit(b);
}

/* ---- the plan of a round */

void batch_status_err(const struct batch *b, unsigned query, struct err *e)
{
	enum metric_status st = b->status[query];
	const char *where = op_get_metric_data.iam;
	const char *said = b->out.message[0] ? b->out.message : NULL;
	switch (st) {
	case METRIC_COMPLETE:
		err_clear(e);
		if (b->out.limited)
			err_set(e, ERR_PARTIAL, where, "%s", said ? said : "CloudWatch's answer was not whole");
		break;
	case METRIC_FORBIDDEN:
		err_set(e, ERR_DENIED, where, "%s", said ? said : "CloudWatch says Forbidden for this metric");
		break;
	case METRIC_PARTIAL:
		err_set(e, ERR_PARTIAL, where, "%s", said ? said : "CloudWatch returned only part of the data");
		break;
	case METRIC_INTERNAL_ERROR:
		err_set(e, ERR_HTTP, where, "%s", said ? said : "CloudWatch could not compute this metric");
		break;
	case METRIC_UNANSWERED: err_set(e, ERR_BADREPLY, where, "the answer left this metric out"); break;
	}
}

/* Up to now, by the clock as it is known: the period that is still filling is not asked for. That costs no more than up to where
 * points are settled, and teaches how late they are. */
static void batch_ask(struct batch *b)
{
	int64_t end = clock_wall() / STEP * STEP, back = b->filling ? b->g->round.lookback : REREAD;
	int64_t to = end / b->q.period * b->q.period;
	b->correction = clock_correction();
	b->asked = clock_wall();
	batch_send(b, to - (back + b->q.period - 1) / b->q.period * b->q.period, to);
}

static void plan_done(struct batch *b, const struct err *e);

/* A passing fault of CloudWatch's: what it could not compute is asked once more, that alone, for every metric asked is billed. */
static bool ask_again(struct batch *b)
{
	struct batch *again = NULL;
	for (unsigned i = 0; i < b->n && !b->retried && !b->g->closing; i++) {
		if (b->status[i] != METRIC_INTERNAL_ERROR)
			continue;
		again = again ? again : batch_new(b->g, b->q.period);
		batch_add(again, b->m[i]);
	}
	if (!again)
		return false;
	again->retried = true;
	again->filling = b->filling;
	again->correction = b->correction;
	again->asked = b->asked;
	again->done = plan_done;
	again->next = b->g->again;
	b->g->again = again;
	round_expect(b->g);
	batch_send(again, b->in.start, b->in.end);
	return true;
}

static void plan_done(struct batch *b, const struct err *e)
{
	struct engine *g = b->g;
	if (e->code == ERR_OK && b->correction != clock_correction() && !g->closing) {
		batch_ask(b); /* its window was another time's: nothing there would say nothing about now */
		return;
	}
	bool again = e->code == ERR_OK && ask_again(b);
	for (unsigned i = 0; i < b->n; i++) {
		struct measure *m = b->m[i];
		if (e->code != ERR_OK)
			m->err = *e;
		else if (again && b->status[i] == METRIC_INTERNAL_ERROR)
			continue;
		else
			batch_status_err(b, i, &m->err);
		if (m->err.code != ERR_OK)
			continue;
		ingest_answered(b, m);
		if (b->filling)
			g->stages_changed = true; /* it fits into a fuller batch from now on */
	}
	round_arrived(g);
}

/* Not yet filled, or a hole would stay: the line or the lid was down for longer than a poll reads again. */
static bool wants_filling(const struct measure *m)
{
	return m->known.to < clock_wall() / STEP * STEP - REREAD;
}

/* Percentiles go apart: some peers answer a whole request with an error for one of them. */
static struct batch *batch_for(struct engine *g, struct batch **open, const struct measure *m)
{
	bool filling = wants_filling(m);
	unsigned slot = (measure_percentile(m) ? 2u : 0u) + (filling ? 0u : 1u);
	unsigned points = (unsigned)((filling ? g->round.lookback : REREAD) / m->series.step + 1);
	struct batch *b = open[slot];
	if (b && b->q.period == m->series.step && (b->n + 1u) * points <= MOST_POINTS && b->n < MOST_QUERIES)
		return b;
	b = batch_new(g, m->series.step);
	b->filling = filling;
	b->done = plan_done;
	b->next = g->plan;
	g->plan = b;
	return open[slot] = b;
}

static void free_all(struct batch **list)
{
	for (struct batch *b = *list, *next; b; b = next) {
		next = b->next;
		batch_free(b);
	}
	*list = NULL;
}

void poll_free(struct engine *g)
{
	free_all(&g->plan);
	free_all(&g->again);
}

/* in_round keeps a measure that two stages share from being asked, and billed, twice. */
static void plan_measure(struct engine *g, struct batch **open, struct measure *m)
{
	if (!m || !m->id.ns || m->in_round)
		return;
	m->in_round = true;
	struct batch *b = batch_for(g, open, m);
	if (!batch_add(b, m)) {
		open[0] = open[1] = open[2] = open[3] = NULL;
		if (!batch_add(batch_for(g, open, m), m))
			err_set(&m->err, ERR_LIMIT, m->text, "this metric does not fit into a request");
	}
}

static void plan_stage(struct engine *g, struct batch **open, struct stage *s)
{
	bool all = g->round.needs & NEED_METRICS;
	for (unsigned k = 0; k < s->kind->info.nmetrics; k++)
		if (all || stage_judged(s, k))
			plan_measure(g, open, s->m[k]);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (all || r == ROLE_ERROR || r == ROLE_AGE)
			plan_measure(g, open, s->own[r]);
}

void poll_plan(struct engine *g)
{
	struct batch *open[4] = { NULL };
	poll_free(g);
	for (unsigned i = 0; i < g->nmeasures; i++)
		g->measure_list[i]->in_round = false;
	unsigned needs = g->round.needs;
	for (unsigned i = 0; (needs & (NEED_METRICS | NEED_JUDGED)) && i < g->nstages; i++)
		plan_stage(g, open, g->stages[i]);
	for (unsigned i = 0; (needs & NEED_EXTRA) && i < g->nextra; i++)
		plan_measure(g, open, g->extra[i]);
	g->planned = needs & NEED_POLL;
	g->stages_changed = false;
}

static void batch_cancelled(struct batch *b)
{
	for (unsigned i = 0; i < b->n; i++)
		err_set(&b->m[i]->err, ERR_CANCELLED, op_get_metric_data.iam, "there was no time left to ask");
}

static bool any_hole(const struct engine *g)
{
	for (const struct batch *b = g->plan; b; b = b->next)
		for (unsigned i = 0; i < b->n && !b->filling; i++)
			if (wants_filling(b->m[i]))
				return true;
	return false;
}

void poll_begin(struct engine *g)
{
	if (g->stages_changed || !g->plan || g->planned != (g->round.needs & NEED_POLL) || any_hole(g))
		poll_plan(g);
	free_all(&g->again);
	for (struct batch *b = g->plan; b; b = b->next) {
		if (g->closing) {
			batch_cancelled(b);
			continue;
		}
		round_expect(g);
		batch_ask(b);
	}
}
