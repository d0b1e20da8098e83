#include "cli/check_gate.h"

#include "cli/args.h"
#include "cli/check.h"
#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERIOD 60

/* What the samples said of one check. newest is a copy. */
struct tally {
	struct verdict newest, worst_unknown;
	unsigned last, seen, count[VERDICT_CRITICAL + 1];
};
struct gate {
	struct tally *t;
	unsigned n, cap;
	unsigned taken, samples; /* so many of so many */
	bool failed;             /* the limit is passed: nothing can mend it */
};

/* ---- copies of verdicts, which the next poll's result must not take along */

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static void drop(struct verdict *v)
{
	char *const owned[] = { v->name, v->pipeline, v->resource, v->kind, v->reason, v->warning, v->critical };
	for (unsigned i = 0; i < sizeof owned / sizeof *owned; i++)
		free(owned[i]);
	*v = (struct verdict){ 0 };
}

static void keep(struct verdict *to, const struct verdict *from)
{
	drop(to);
	*to = *from;
	to->name = copy(from->name);
	to->pipeline = copy(from->pipeline);
	to->resource = copy(from->resource);
	to->kind = copy(from->kind);
	to->reason = copy(from->reason);
	to->warning = copy(from->warning);
	to->critical = copy(from->critical);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_check(const struct verdict *a, const struct verdict *b)
{
	return same(a->name, b->name) && same(a->kind, b->kind) && same(a->resource, b->resource) &&
	       same(a->pipeline, b->pipeline) && same(a->warning, b->warning) && same(a->critical, b->critical);
}

/* Results come in the same order as long as nothing changes, so the search begins where the last one ended. */
static struct tally *tally_of(struct gate *g, const struct verdict *v, unsigned *hint)
{
	for (unsigned i = 0; i < g->n; i++) {
		struct tally *t = &g->t[(*hint + i) % g->n];
		if (t->last != g->taken && same_check(&t->newest, v)) {
			*hint = (*hint + i + 1) % g->n;
			return t;
		}
	}
	MEM_GROW(g->t, g->n, g->cap);
	g->t[g->n] = (struct tally){ 0 };
	return &g->t[g->n++];
}

static void add(struct gate *g, const struct check_result *r, unsigned fail_limit)
{
	unsigned hint = 0;
	g->taken++;
	for (unsigned i = 0; i < r->n; i++) {
		const struct verdict *v = &r->verdicts[i];
		struct tally *t = tally_of(g, v, &hint);
		keep(&t->newest, v);
		t->seen++;
		t->last = g->taken;
		t->count[v->status]++;
		if (v->status == VERDICT_UNKNOWN)
			keep(&t->worst_unknown, v);
		g->failed = g->failed || t->count[VERDICT_CRITICAL] > fail_limit;
	}
}

/* ---- what they say together */

static void judged(struct verdict *v, enum verdict_status status, const char *code, char *reason)
{
	free(v->reason);
	v->reason = reason;
	v->status = status;
	v->code = code;
}

/* CRITICAL when more samples were than are borne; OK needs every sample of the whole time; whatever is neither is UNKNOWN. */
static void conclude(const struct gate *g, struct tally *t, unsigned fail_limit)
{
	struct verdict *v = &t->newest;
	const char *why = v->reason ? v->reason : "";
	unsigned bad = t->count[VERDICT_CRITICAL], warned = t->count[VERDICT_WARNING], lost = t->count[VERDICT_UNKNOWN];
	if (bad > fail_limit)
		judged(v, VERDICT_CRITICAL, NULL,
		       xasprintf("%u of %u samples critical, %u borne: %s", bad, t->seen, fail_limit, why));
	else if (lost)
		judged(v, VERDICT_UNKNOWN, t->worst_unknown.code,
		       xasprintf("%u of %u samples unknown: %s", lost, t->seen,
		                 t->worst_unknown.reason ? t->worst_unknown.reason : ""));
	else if (t->count[VERDICT_SKIPPED] == t->seen)
		return;
	else if (t->seen < g->samples)
		judged(v, VERDICT_UNKNOWN, "TOO_FEW", xasprintf("%u of %u samples: %s", t->seen, g->samples, why));
	else if (warned)
		judged(v, VERDICT_WARNING, NULL, xasprintf("%u of %u samples warned: %s", warned, t->seen, why));
	else
		judged(v, VERDICT_OK, NULL,
		       bad ? xasprintf("%u of %u samples critical, %u borne: %s", bad, t->seen, fail_limit, why)
		           : xasprintf("%u of %u samples: %s", t->seen, g->samples, why));
}

/* The last result speaks for all of them. */
static void put_together(struct gate *g, struct check_result *r, unsigned fail_limit)
{
	for (unsigned i = 0; i < r->n; i++)
		drop(&r->verdicts[i]);
	r->verdicts = xreallocarray(r->verdicts, g->n + 1, sizeof *r->verdicts);
	r->n = g->n;
	r->status = VERDICT_OK;
	for (unsigned i = 0; i < g->n; i++) {
		conclude(g, &g->t[i], fail_limit);
		r->verdicts[i] = g->t[i].newest;
		drop(&g->t[i].worst_unknown);
		if (r->verdicts[i].status != VERDICT_SKIPPED && r->verdicts[i].status > r->status)
			r->status = r->verdicts[i].status;
	}
	free(g->t);
}

/* ---- time */

unsigned check_samples(const struct check_run *run, int64_t period)
{
	return (unsigned)(run->for_s / period) + 1;
}

/* A check of longer periods says nothing new in between. */
static int64_t period_of(const struct check_result *r)
{
	int64_t least = 0;
	for (unsigned i = 0; i < r->n; i++)
		if (r->verdicts[i].period && (!least || r->verdicts[i].period < least))
			least = r->verdicts[i].period;
	return least ? least : PERIOD;
}

static void wait_until(int64_t ms)
{
	int64_t left;
	while (!clock_frozen() && (left = ms - clock_mono_ms()) > 0)
		nanosleep(&(struct timespec){ left / 1000, left % 1000 * 1000000 }, NULL);
}

static void say_sample(const struct check_run *run, unsigned i, unsigned of, const struct result *r)
{
	char text[100];
	static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	snprintf(text, sizeof text, "%u of %u: %s", i + 1, of, words[check_exit(run, r)]);
	if (run->verbose)
		cli_note("sample", text);
}

static bool hopeless(const struct result *r)
{
	return r->err.code != ERR_OK; /* no keys, no region, too dear: the next sample would say the same */
}

struct result *check_over_time(const struct check_run *run, struct engine *g, struct request *rq)
{
	struct gate gate = { 0 };
	struct result *r = NULL;
	int64_t begun = clock_mono_ms(), period = PERIOD;
	gate.samples = rq->check.polls = check_samples(run, period);
	for (unsigned i = 0; i < gate.samples; i++) {
		wait_until(begun + 1000 * period * i);
		result_free(r);
		r = engine_call(g, rq);
		rq->check.priced = false; /* the first has paid attention to all of them */
		say_sample(run, i, gate.samples, r);
		if (hopeless(r) || (run->until_ok && check_exit(run, r) == 0))
			break;
		if (i == 0) {
			period = period_of(&r->check);
			gate.samples = check_samples(run, period);
		}
		if (!run->until_ok)
			add(&gate, &r->check, run->fail_limit);
		if (gate.failed)
			break;
	}
	if (!run->until_ok)
		put_together(&gate, &r->check, run->fail_limit);
	return r;
}
