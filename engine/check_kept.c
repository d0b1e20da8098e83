/* --dlq-max and --ttl-min: what is kept, and for how long still. */
#include "core/mem.h"
#include "core/text.h"
#include "engine/inside.h"
#include "pipeline/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "sqs:orders-load (Disabled)": is what feeds it shown? */
static bool fed_by_shown(struct engine *g, const struct res *r)
{
	for (unsigned i = 0; r->fed_by && i < g->nstages; i++) {
		const struct res *from = g->stages[i]->res;
		size_t n = from ? strlen(from->key) : 0;
		if (from && strncmp(r->fed_by, from->key, n) == 0 && (r->fed_by[n] == '\0' || r->fed_by[n] == ' '))
			return true;
	}
	return false;
}

/* A configuration names the queue; its dead-letter queue belongs to it, named or not. */
static void show_unshown_dlqs(struct engine *g)
{
	for (unsigned i = 0; i < g->nres; i++) {
		struct res *r = g->res[i];
		if (!r->dlq || r->shown || !fed_by_shown(g, r))
			continue;
		inventory_adhoc(g, r->key)->res = r;
		r->shown = true;
	}
}

void check_dlqs(struct engine *g, double max, struct verdicts *out)
{
	unsigned before = out->n;
	show_unshown_dlqs(g);
	for (unsigned i = 0; i < g->nstages; i++)
		judge_dlq(g, g->stages[i], max, out);
	if (out->n == before)
		verdict_set(verdicts_add(out, g, NULL, "dlq"), VERDICT_SKIPPED, "IDLE", "no dead-letter queue was found");
}

/* ---- first-loss clocks */

/* What kept us from knowing: a call that failed explains a clock that says nothing. */
static const struct err *clock_err(const struct engine *g, const struct stage *s)
{
	const struct kind_state *st = kind_state_of(g, s->kind), *mappings = kind_state_of(g, kind_find("lambda"));
	if (st->list.code != ERR_OK)
		return &st->list;
	if (s->res && s->res->err)
		return s->res->err;
	for (unsigned i = 0; i < s->kind->info.nmetrics; i++)
		if (stage_clocked(s, i) && s->m[i] && s->m[i]->err)
			return s->m[i]->err;
	return mappings->edges.code != ERR_OK ? &mappings->edges : NULL;
}

/* It is not certain on which side of the limit it is. */
static void say_unsure(const struct engine *g, struct verdict *v, const struct stage *s, const char *what,
                       const char *in, const char *limit)
{
	const struct loss *l = &s->loss;
	const struct err *e = clock_err(g, s);
	if (e)
		verdict_err(v, e);
	else if (l->state == LOSS_UNKNOWN)
		verdict_set(v, VERDICT_UNKNOWN, "NO_DATA", "something may be lost, nobody knows when%s%s", l->basis ? ": " : "",
		            l->basis ? l->basis : "");
	else
		verdict_set(v, VERDICT_UNKNOWN, "PARTIAL", "%s lost in %s, which may be nearer than %s: %s", what, in, limit,
		            l->basis);
}

/* Certainly nearer is CRITICAL, certainly not nearer is OK, and between is UNKNOWN. */
static void say_clock(const struct engine *g, struct verdict *v, const struct stage *s, int64_t least)
{
	const struct loss *l = &s->loss;
	int64_t now = clock_wall();
	bool low = loss_has_low(l), high = loss_has_high(l);
	char in[LOSS_IN], limit[TEXT_NUM], what[80];
	snprintf(what, sizeof what, "%s%s%s", l->what ? l->what : "first item", l->where ? " of " : "",
	         l->where ? l->where : "");
	loss_in(l, now, in);
	loss_kept((double)least, limit);
	v->value = low ? (double)(l->low - now) : high ? (double)(l->high - now) : NAN;
	if (l->state == LOSS_SAFE)
		verdict_set(v, VERDICT_OK, NULL, "nothing is at risk: %s", l->basis);
	else if (low && l->low - now >= least)
		verdict_set(v, VERDICT_OK, NULL, "%s lost in %s: %s", what, in, l->basis);
	else if (high && l->high <= now)
		verdict_set(v, VERDICT_CRITICAL, NULL, "%s is being lost: %s", what, l->basis);
	else if (high && l->high - now < least)
		verdict_set(v, VERDICT_CRITICAL, NULL, "%s lost in %s, nearer than %s: %s", what, in, limit, l->basis);
	else
		say_unsure(g, v, s, what, in, limit);
}

static void check_clock(struct engine *g, struct stage *s, int64_t least, struct verdicts *out)
{
	if (s->loss.state == LOSS_NONE && s->kind->keeps == KEEPS_NOTHING)
		return;
	struct verdict *v = verdicts_add(out, g, s, "ttl");
	v->unit = unit_name(UNIT_SECONDS);
	v->critical = xasprintf("%lld:", (long long)least);
	v->source = "live";
	if (!s->res && kind_state_of(g, s->kind)->listed)
		verdict_set(v, VERDICT_UNKNOWN, err_check_code(ERR_NOTFOUND), "no %s of this name in %s", s->kind->info.title,
		            g->target.region);
	else if (s->loss.state == LOSS_NONE)
		verdict_set(v, VERDICT_SKIPPED, "IDLE", "nobody is known to read it");
	else
		say_clock(g, v, s, least);
}

void check_clocks(struct engine *g, int64_t least, struct verdicts *out)
{
	unsigned before = out->n;
	show_unshown_dlqs(g);
	loss_all(g);
	for (unsigned i = 0; i < g->nstages; i++)
		check_clock(g, g->stages[i], least, out);
	if (out->n == before)
		verdict_set(verdicts_add(out, g, NULL, "ttl"), VERDICT_SKIPPED, "IDLE", "no queue and no stream was found");
}
