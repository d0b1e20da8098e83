/* Asking what exists: list, describe and relate the resources of every kind, read the alarms, ask who we are. Every answer,
 * good or bad, ends in round_arrived. */
#include "core/log.h"
#include "core/mem.h"
#include "engine/changes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One question under way about a kind or a resource. */
struct ask {
	struct ask *next;
	struct engine *g;
	const struct kind *kind;
	char *name; /* describe: which resource; it may be gone when the answer comes */
	char *handle;
	struct list_in list;
	struct describe_in describe;
	struct found found;
};

static struct ask *ask_new(struct engine *g, const struct kind *k)
{
	struct ask *a = xcalloc(1, sizeof *a);
	a->g = g;
	a->kind = k;
	found_init(&a->found);
	return a;
}

static void ask_free(struct ask *a)
{
	found_clear(&a->found);
	free(a->list.page.token);
	free(a->name);
	free(a->handle);
	free(a);
}

static void describe(struct engine *g, struct res *r);
static bool everything(const struct engine *g);

/* A configured queue brings its dead-letter queue along, named or not. */
static void describe_dead_letters(struct engine *g, const struct found *f)
{
	for (unsigned i = 0; i < f->nedges && !everything(g) && !g->closing; i++) {
		struct res *to = f->edges[i].kind == RELATION_DLQ ? inventory_by_arn(g, f->edges[i].to) : NULL;
		if (to && !to->shown && to->round != g->round.number)
			describe(g, to);
	}
}

static void on_described(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask *a = ctx;
	struct engine *g = a->g;
	struct res *r = inventory_res(g, a->kind, a->name, false);
	if (r) {
		err_hold(&r->err, e);
		if (e->code == ERR_OK) {
			inventory_described(g, r, &a->found);
			inventory_related(g, &a->found);
			describe_dead_letters(g, &a->found);
		}
	}
	ask_free(a);
	round_arrived(g);
}

static void describe(struct engine *g, struct res *r)
{
	struct ask *a = ask_new(g, r->kind);
	r->round = g->round.number;
	a->name = xstrdup(r->name);
	a->handle = xstrdup(r->handle ? r->handle : r->name);
	a->describe = (struct describe_in){ a->name, a->handle };
	round_expect(g);
	aws_call(g->aws, r->kind->describe, &a->describe, &a->found, on_described, a);
}

static bool has_direct(const struct kind *k)
{
	for (unsigned i = 0; i < k->info.nmetrics; i++)
		if (k->info.metrics[i].from == FROM_DIRECT)
			return true;
	return false;
}

/* Is the account what matters, and not what a configuration names? */
static bool everything(const struct engine *g)
{
	return g->conf->npipelines == 0 || (g->round.needs & NEED_EVERYTHING);
}

/* A configuration names what matters; without one everything does. */
static bool wanted(const struct engine *g, const struct res *r, bool all)
{
	if (g->describe_only)
		return strcmp(r->name, g->describe_only) == 0;
	return r->shown || (all && everything(g));
}

/* A reading of the service itself keeps to its stage's turn, too; what no stage shows comes along with whoever brings it. */
static bool has_turn(const struct engine *g, const struct res *r)
{
	return !g->threaded || r->due;
}

static void describe_kind(struct engine *g, const struct kind *k)
{
	if (!k->describe || g->closing)
		return;
	bool all = g->round.needs & NEED_DESCRIBE;
	if (!all && !((g->round.needs & NEED_DIRECT) && has_direct(k)))
		return;
	if (g->conf->npipelines) /* stages find their resources before these are chosen */
		inventory_bind(g);
	for (unsigned i = 0; i < g->nres; i++)
		if (g->res[i]->kind == k && g->res[i]->round != g->round.number && wanted(g, g->res[i], all) &&
		    (all || has_turn(g, g->res[i])))
			describe(g, g->res[i]);
}

static void on_listed(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask *a = ctx;
	struct engine *g = a->g;
	struct kind_state *st = kind_state_of(g, a->kind);
	st->list = *e;
	if (e->code == ERR_OK) { /* a list that broke off half way says nothing about what is gone */
		st->listed = true;
		st->listed_round = g->round.number;
		inventory_listed(g, a->kind, &a->found);
	}
	g->round.lists_pending--;
	describe_kind(g, a->kind);
	ask_free(a);
	round_arrived(g);
}

static void on_edges(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask *a = ctx;
	struct engine *g = a->g;
	kind_state_of(g, a->kind)->edges = *e;
	a->next = g->edges;
	g->edges = a;
	round_arrived(g);
}

void discover_relate(struct engine *g)
{
	for (struct ask *a = g->edges, *next; a; a = next) {
		next = a->next;
		bool whole = kind_state_of(g, a->kind)->edges.code == ERR_OK;
		inventory_related(g, &a->found);
		flow_related(g, a->kind, &a->found, whole);
		if (whole)
			changes_mappings(g, a->kind, &a->found);
		ask_free(a);
	}
	g->edges = NULL;
}

static void ask_edges(struct engine *g, const struct kind *k)
{
	struct ask *a = ask_new(g, k);
	round_expect(g);
	aws_call_as(g->aws, CALL_DISCOVERY, k->edges, &a->list, &a->found, on_edges, a);
}

static void ask_list(struct engine *g, const struct kind *k)
{
	struct ask *a = ask_new(g, k);
	round_expect(g);
	g->round.lists_pending++;
	aws_call_as(g->aws, CALL_DISCOVERY, k->list, &a->list, &a->found, on_listed, a);
}

void discover_members(struct engine *g)
{
	unsigned n = g->nres;
	for (unsigned i = 0; i < n && !g->closing; i++) {
		struct res *r = g->res[i];
		if (r->shown && r->kind->describe && r->round != g->round.number && !g->describe_only &&
		    ((g->round.needs & NEED_DESCRIBE) || ((g->round.needs & NEED_DIRECT) && has_direct(r->kind))))
			describe(g, r);
	}
}

/* ---- whose a dead-letter queue is, by its own word */

struct ask_sources {
	struct engine *g;
	char *name;
	const struct kind *kind;
	struct sources_in in;
	char *handle;
	struct found found;
};

static void on_sources(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask_sources *a = ctx;
	struct engine *g = a->g;
	const struct res *r = inventory_res(g, a->kind, a->name, false);
	if (e->code != ERR_OK && g->sources_err.code == ERR_OK)
		g->sources_err = *e;
	if (e->code == ERR_OK && r)
		flow_sources(g, r, &a->found);
	found_clear(&a->found);
	free(a->in.page.token);
	free(a->handle);
	free(a->name);
	free(a);
	round_arrived(g);
}

void discover_sources(struct engine *g, struct res *dlq)
{
	struct ask_sources *a = xcalloc(1, sizeof *a);
	*a = (struct ask_sources){
		.g = g, .name = xstrdup(dlq->name), .kind = dlq->kind, .handle = xstrdup(dlq->handle ? dlq->handle : dlq->name)
	};
	a->in.handle = a->handle;
	found_init(&a->found);
	round_expect(g);
	aws_call_as(g->aws, CALL_DISCOVERY, dlq->kind->sources, &a->in, &a->found, on_sources, a);
}

unsigned kind_bit(const struct kind *k)
{
	for (unsigned i = 0; i < nkinds; i++)
		if (kinds[i] == k)
			return 1u << (i + NEED_KIND_SHIFT);
	return 0;
}

static bool asked_for(const struct engine *g, const struct kind *k)
{
	unsigned only = g->round.needs >> NEED_KIND_SHIFT << NEED_KIND_SHIFT;
	if (only)
		return only & kind_bit(k);
	if (everything(g))
		return true;
	for (unsigned i = 0; i < g->ngroups; i++) /* a stack may hold anything */
		if (g->groups[i]->pipeline != UINT_MAX)
			return true;
	for (unsigned i = 0; i < g->nstages; i++)
		if (g->stages[i]->kind == k)
			return true;
	return false;
}

void discover_begin(struct engine *g)
{
	for (unsigned i = 0; i < nkinds; i++) {
		if (!asked_for(g, kinds[i]))
			continue;
		if (g->round.needs & NEED_LIST)
			ask_list(g, kinds[i]);
		else
			describe_kind(g, kinds[i]);
		if ((g->round.needs & NEED_EDGES) && kinds[i]->edges)
			ask_edges(g, kinds[i]);
	}
}

/* ---- alarms */

struct ask_alarms {
	struct engine *g;
	struct describe_alarms_in in;
	struct describe_alarms_out out;
};

static void take_alarms(struct engine *g, struct ask_alarms *a)
{
	describe_alarms_out_clear(&g->alarms);
	g->alarms = a->out;
	a->out = (struct describe_alarms_out){ 0 };
	describe_alarms_once(&g->alarms);
	g->alarms_read = true;
	g->alarms_at = clock_wall();
	g->dirty = true;
	if (g->threaded && !g->closing)
		told_begin(g, NULL, CALL_HIDDEN);
}

static void on_alarms(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask_alarms *a = ctx;
	struct engine *g = a->g;
	bool again = e->code == ERR_REFUSED && !a->in.no_logs && !g->closing;
	if (again)
		g->no_log_alarms = true;
	else
		g->alarms_err = *e;
	if (e->code == ERR_OK) /* else the last good list stays, and its age with it */
		take_alarms(g, a);
	describe_alarms_out_clear(&a->out);
	free(a->in.page.token);
	free(a);
	if (again)
		alarms_begin(g);
	round_arrived(g);
}

void alarms_begin(struct engine *g)
{
	struct ask_alarms *a = xcalloc(1, sizeof *a);
	a->g = g;
	a->in.no_logs = g->no_log_alarms;
	round_expect(g);
	aws_call(g->aws, &op_describe_alarms, &a->in, &a->out, on_alarms, a);
}

/* ---- who we are */

struct ask_identity {
	struct engine *g;
	struct caller_identity out;
};

static void on_identity(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct ask_identity *a = ctx;
	struct engine *g = a->g;
	g->identity_err = *e;
	if (e->code == ERR_OK) {
		snprintf(g->target.caller, sizeof g->target.caller, "%s", a->out.arn);
		snprintf(g->target.account, sizeof g->target.account, "%s", a->out.account);
		store_account(g);
	}
	free(a);
	round_arrived(g);
}

void identity_begin(struct engine *g)
{
	struct ask_identity *a = xcalloc(1, sizeof *a);
	a->g = g;
	round_expect(g);
	aws_call(g->aws, &op_get_caller_identity, NULL, &a->out, on_identity, a);
}
