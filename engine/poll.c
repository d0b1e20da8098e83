/* Asking CloudWatch for points: measures are packed side by side into as few GetMetricData requests as the limits allow. */
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_QUERIES 500
#define SIDE_BY_SIDE 5    /* statistics of one metric in one request that may bill as one */
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
	bill_batch(b->g, b);
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

/* ---- the answer */

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
	int64_t end = clock_wall() / STEP * STEP, period = b->q.period, to = end / period * period;
	b->correction = clock_correction();
	b->asked = clock_wall();
	int64_t now = mono_s();
	for (unsigned i = 0; i < b->n; i++)
		b->m[i]->asked = now;
	batch_send(b, to - (b->back + period - 1) / period * period, to);
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
	again->side_by_side = again->n;
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

static void query_ended(const struct batch *b, unsigned query)
{
	static const struct err fine;
	struct err said;
	bool good = b->status[query] == METRIC_COMPLETE && !b->out.limited;
	if (!good)
		batch_status_err(b, query, &said);
	err_hold(&b->m[query]->err, good ? &fine : &said);
}

static void plan_done(struct batch *b, const struct err *e)
{
	struct engine *g = b->g;
	if (e->code == ERR_OK && b->correction != clock_correction() && !g->closing) {
		batch_ask(b); /* its window was another time's: nothing there would say nothing about now */
		return;
	}
	bool again = e->code == ERR_OK && ask_again(b);
	int64_t held = clock_pause();
	for (unsigned i = 0; i < b->n; i++) {
		struct measure *m = b->m[i];
		if (again && b->status[i] == METRIC_INTERNAL_ERROR)
			continue;
		if (e->code != ERR_OK)
			err_hold(&m->err, e);
		else
			query_ended(b, i);
		if (!m->err)
			ingest_answered(b, m);
	}
	clock_hold(held);
	store_some(g);
	round_arrived(g);
}

/* ---- which batch: what reaches back as far and may share a request goes together */

enum { BACK_REREAD, BACK_FAR, BACK_FILL, BACKS };
#define FAR (25 * STEP)  /* as far as a console that nobody looks at lets pass between two polls */
#define AGAIN (5 * STEP) /* of what is settled at least so much is read again */

/* So far that what may still have come late is read again and no hole stays. */
static unsigned back_of(const struct measure *m)
{
	int64_t back = clock_wall() / STEP * STEP - m->known.to + AGAIN;
	if (!m->known.to || back > FAR)
		return BACK_FILL;
	return back > REREAD ? BACK_FAR : BACK_REREAD;
}

static int64_t back_seconds(const struct engine *g, unsigned back)
{
	int64_t fill = g->round.lookback;
	return back == BACK_FILL || (back == BACK_FAR && fill < FAR) ? fill : back == BACK_FAR ? FAR : REREAD;
}

void poll_more(struct engine *g, struct measure *const *m, unsigned n)
{
	struct batch *b = n ? batch_new(g, STEP) : NULL;
	for (unsigned i = 0; i < n; i++)
		if (batch_add(b, m[i]) && back_of(m[i]) == BACK_FILL)
			b->filling = true;
	if (!b)
		return;
	b->back = b->filling ? g->round.lookback : FAR;
	b->side_by_side = b->n;
	b->done = plan_done;
	b->next = g->again;
	g->again = b;
	round_expect(g);
	batch_ask(b);
}

struct packing {
	struct batch *open[2 * BACKS];
};

/* The statistics of one metric that are due, at most so many. */
#define GROUP 16
struct packed {
	struct measure *m[GROUP];
	unsigned n, back;
	bool percentiles;
};

static struct packed group_of_due(struct measure *first)
{
	struct packed p = { .percentiles = true };
	struct measure *m = first;
	do {
		if (m->due && !m->in_round && p.n < GROUP) {
			m->in_round = true;
			p.m[p.n++] = m;
			p.back = back_of(m) > p.back ? back_of(m) : p.back;
			p.percentiles = p.percentiles && measure_percentile(m);
		}
		m = m->sibling ? m->sibling : first;
	} while (m != first);
	return p;
}

/* Percentiles alone go apart: some peers answer a whole request with an error for one of them. */
static struct batch *batch_for(struct engine *g, struct packing *to, const struct packed *p)
{
	unsigned slot = p->back + (p->percentiles ? BACKS : 0u);
	uint32_t step = p->m[0]->series.step;
	int64_t back = back_seconds(g, p->back);
	unsigned points = (unsigned)(back / step + 1);
	struct batch *b = to->open[slot];
	if (b && b->q.period == step && (b->n + p->n) * points <= MOST_POINTS && b->n + p->n <= MOST_QUERIES)
		return b;
	b = batch_new(g, step);
	b->back = back;
	b->filling = p->back == BACK_FILL;
	b->done = plan_done;
	b->next = g->plan;
	g->plan = b;
	return to->open[slot] = b;
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

static bool add_all(struct batch *b, const struct packed *p)
{
	unsigned n = 0;
	while (n < p->n && batch_add(b, p->m[n]))
		n++;
	b->side_by_side += (n + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE;
	return n == p->n;
}

/* in_round keeps a measure that two stages share from being asked, and billed, twice. */
static void pack(struct engine *g, struct packing *to, struct measure *first)
{
	if (first->in_round)
		return;
	struct packed p = group_of_due(first);
	struct batch *b = batch_for(g, to, &p);
	unsigned had = b->n;
	if (add_all(b, &p))
		return;
	unsigned added = b->n - had; /* a request has a size, too */
	memmove(p.m, p.m + added, (p.n - added) * sizeof(struct measure *));
	p.n -= added;
	memset(to, 0, sizeof *to);
	if (add_all(batch_for(g, to, &p), &p))
		return;
	struct err e;
	err_set(&e, ERR_LIMIT, p.m[0]->text, "this metric does not fit into a request");
	err_hold(&p.m[0]->err, &e);
}

/* ---- the plan of a round */

static void add_due(struct engine *g, struct measure *m)
{
	if (!m || !m->id.ns || m->due)
		return;
	m->due = true;
	MEM_GROW(g->due, g->ndue, g->cdue);
	g->due[g->ndue++] = m;
}

static void add_stage(struct engine *g, struct stage *s)
{
	unsigned needs = g->round.needs;
	bool all = needs & NEED_METRICS, asked = needs & (NEED_METRICS | NEED_JUDGED), clocks = needs & NEED_CLOCKS;
	enum sched_turn turn = turns_of(g, s);
	for (unsigned k = 0; turn && k < s->kind->info.nmetrics; k++)
		if ((asked && turns_measure(g, s, k, !all || turn == SCHED_VITAL)) || (clocks && stage_clocked(s, k)))
			add_due(g, s->m[k]);
	for (unsigned r = ROLE_IN; s->own && asked && turn && r < ROLE_COUNT; r++)
		if (turns_own(g, s, (enum role)r, !all || turn == SCHED_VITAL))
			add_due(g, s->own[r].m);
}

static void find_due(struct engine *g)
{
	unsigned needs = g->round.needs;
	g->ndue = 0;
	for (unsigned i = 0; i < g->nmeasures; i++)
		g->measure_list[i]->due = g->measure_list[i]->in_round = false;
	for (unsigned i = 0; (needs & (NEED_METRICS | NEED_JUDGED | NEED_CLOCKS)) && i < g->nstages; i++)
		add_stage(g, g->stages[i]);
	for (unsigned i = 0; (needs & NEED_EXTRA) && i < g->nextra; i++)
		add_due(g, g->extra[i]);
}

/* Equal prints: the same metrics, as far back: the requests that were prepared serve again. */
static uint64_t print_of(const struct engine *g)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)g->round.lookback;
	for (unsigned i = 0; i < g->ndue; i++)
		h = (h ^ (uintptr_t)g->due[i] ^ back_of(g->due[i])) * 0x100000001b3u;
	return h;
}

static void pack_due(struct engine *g)
{
	struct packing to = { 0 };
	poll_free(g);
	for (unsigned i = 0; i < g->ndue; i++)
		pack(g, &to, g->due[i]);
	for (struct batch *b = g->plan; b; b = b->next)
		buf_fit(&b->q.json);
	g->plan_print = print_of(g);
	g->stages_changed = false;
}

void poll_plan(struct engine *g)
{
	find_due(g);
	pack_due(g);
}

static void batch_cancelled(struct batch *b)
{
	struct err e;
	err_set(&e, ERR_CANCELLED, op_get_metric_data.iam, "there was no time left to ask");
	for (unsigned i = 0; i < b->n; i++)
		err_hold(&b->m[i]->err, &e);
}

void poll_begin(struct engine *g)
{
	turns_take(g);
	find_due(g);
	if (!g->plan || g->plan_print != print_of(g))
		pack_due(g);
	g->stages_changed = false;
	turns_taken(g);
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
