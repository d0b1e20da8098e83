/* REQUEST_ERRORS: what a function's log says went wrong, grouped by shape. A few calls of FilterLogEvents over a bounded window: one
 * list of lines that look like errors, and for some shapes what their newest error's stream says just before it: START lines tell
 * request and version. What was read is kept for a minute. */
#include "pipeline/errors.h"
#include "aws/op_logs.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 8 /* answers */
#define KEPT_MS 60000
#define PAGES 5  /* of lines that look like errors */
#define NEWEST 3 /* shapes whose newest error is looked up, a page each */
#define BYTES (4u << 20)
#define BEFORE_MS (2 * 60 * 1000) /* before it, for its START: one environment does not do much in that time */

static const char looks_wrong[] =
    "?ERROR ?Error ?error ?Exception ?Traceback ?\"timed out\" ?FATAL ?CRITICAL ?SEVERE ?panic";
static const char tells_whose[] = "?\"START RequestId\" ?\"platform.start\" ?message ?messageId";

/* What was read of one log group over one window; shared by the tasks that tell it. */
struct error_log {
	char *group;
	int64_t from, to;
	int64_t mono_ms; /* when */
	struct errors *errors;
	unsigned events, calls;
	int64_t oldest_ms; /* of the lines; 0: none */
	bool more;         /* the window holds more than was read */
};
struct error_logs {
	struct error_log *kept[KEPT];
};

static void log_free(struct error_log *l)
{
	if (!l)
		return;
	errors_free(l->errors);
	free(l->group);
	free(l);
}

void error_logs_free(struct engine *g)
{
	for (unsigned i = 0; g->error_logs && i < KEPT; i++)
		log_free(g->error_logs->kept[i]);
	free(g->error_logs);
	g->error_logs = NULL;
}

static const struct error_log *kept(const struct engine *g, const char *group, int64_t span)
{
	for (unsigned i = 0; g->error_logs && i < KEPT; i++) {
		const struct error_log *l = g->error_logs->kept[i];
		if (l && strcmp(l->group, group) == 0 && l->to - l->from == span && clock_mono_ms() - l->mono_ms < KEPT_MS)
			return l;
	}
	return NULL;
}

/* In the place of the oldest. */
static void keep(struct engine *g, struct error_log *l)
{
	unsigned at = 0;
	if (!g->error_logs)
		g->error_logs = xcalloc(1, sizeof *g->error_logs);
	struct error_log **all = g->error_logs->kept;
	for (unsigned i = 0; i < KEPT && all[at]; i++)
		if (!all[i] || all[i]->mono_ms < all[at]->mono_ms)
			at = i;
	log_free(all[at]);
	all[at] = l;
}

struct errors_work {
	char *function, *group;
	struct error_log *log;
	struct filter_events_in in;
	struct filter_events_out out;
	struct error_open open[NEWEST];
	unsigned nopen, opened; /* opened: asked for already */
	bool calling;
};

/* ---- which function, which log group */

static const struct res *function_named(struct engine *g, const char *name)
{
	for (unsigned i = 0; i < g->nstages; i++)
		if (g->stages[i]->kind == &kind_lambda && strcmp(g->stages[i]->name, name) == 0)
			return inventory_res(g, &kind_lambda, g->stages[i]->resource, false);
	return inventory_res(g, &kind_lambda, name, false);
}

static const struct stage *stage_of_row(const struct engine *g, uint64_t row)
{
	for (unsigned i = 0; i < g->nstages; i++)
		if (g->stages[i]->id == row)
			return g->stages[i];
	return NULL;
}

/* A function that no list showed may still have a log under its name. */
static bool resolve(struct engine *g, struct task *t, struct errors_work *w)
{
	const struct errors_request *rq = &t->rq.errors;
	const struct stage *s = rq->row ? stage_of_row(g, rq->row) : NULL;
	if (rq->row && (!s || s->kind != &kind_lambda))
		return err_set(&t->result->err, ERR_USAGE, s ? s->name : "errors", "only functions write a log of their own");
	const char *name = s ? s->resource : rq->function;
	const struct res *r = s ? s->res : function_named(g, name);
	const struct kind_state *st = kind_state_of(g, &kind_lambda);
	if (!r && !s && st->list.code == ERR_OK && st->listed)
		return err_set(&t->result->err, ERR_NOTFOUND, name, "there is no function of this name");
	const struct fact *group = r ? res_fact(r, "log_group") : NULL;
	w->function = xstrdup(r ? r->name : name);
	w->group = group ? xstrdup(group->value) : xasprintf("/aws/lambda/%s", w->function);
	return true;
}

/* ---- reading */

static void on_event(void *ctx, const char *stream, const char *id, int64_t at_ms, struct span message)
{
	struct error_log *l = ((struct errors_work *)((struct task *)ctx)->work)->log;
	l->events++;
	if (!l->oldest_ms || at_ms < l->oldest_ms)
		l->oldest_ms = at_ms;
	errors_add(l->errors, stream, id, at_ms, message);
}

static void on_start(void *ctx, const char *stream, const char *id, int64_t at_ms, struct span message)
{
	struct errors_work *w = ((struct task *)ctx)->work;
	(void)id; /* a line of both lists counts once by its own id; this list adds none that counts */
	errors_add_context(w->log->errors, stream, at_ms, message);
}

static void on_lines(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct task *t = ctx;
	struct errors_work *w = t->work;
	w->calling = false;
	w->log->more = w->out.more;
	w->log->calls += w->out.pages;
	t->result->err = *e;
}

static void on_starts(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)op, (void)in, (void)out;
	struct errors_work *w = ((struct task *)ctx)->work;
	(void)e; /* without it some errors' requests are not known */
	w->calling = false;
	w->log->calls += w->out.pages;
}

static void call(struct engine *g, struct task *t, struct errors_work *w, unsigned pages, const char *pattern,
                 aws_done *done)
{
	free(w->in.page.token);
	w->in.page.token = NULL;
	w->in.group = w->group;
	w->in.pattern = pattern;
	free(w->out.page.token);
	w->out = (struct filter_events_out){
		.event = pattern == looks_wrong ? on_event : on_start, .ctx = t, .most_pages = pages, .most_bytes = BYTES
	};
	w->calling = true;
	aws_call(g->aws, &op_filter_log_events, &w->in, &w->out, done, t);
}

static void read_lines(struct engine *g, struct task *t, struct errors_work *w)
{
	const struct errors_request *rq = &t->rq.errors;
	w->log = xcalloc(1, sizeof *w->log);
	*w->log = (struct error_log){ .group = xstrdup(w->group), .from = rq->from, .to = rq->to, .errors = errors_new() };
	w->in.from_ms = rq->from * 1000;
	w->in.to_ms = rq->to * 1000;
	call(g, t, w, PAGES, looks_wrong, on_lines);
}

static void read_start(struct engine *g, struct task *t, struct errors_work *w)
{
	const struct error_open *o = &w->open[w->opened++];
	w->in.streams = &o->stream;
	w->in.nstreams = 1;
	w->in.from_ms = o->at_ms - BEFORE_MS;
	w->in.to_ms = o->at_ms;
	call(g, t, w, 1, tells_whose, on_starts);
}

/* ---- telling */

/* Where its failures are put, as far as it was seen. */
static const char *dead_letters(const struct engine *g, struct arena *mem, const char *function)
{
	const struct res *fn = inventory_res((struct engine *)g, &kind_lambda, function, false);
	char own[200];
	snprintf(own, sizeof own, "lambda:%.180s", function);
	for (unsigned i = 0; i < g->nres; i++) {
		const struct res *r = g->res[i];
		if (r->dlq && r->fed_by &&
		    (strcmp(r->fed_by, own) == 0 || (fn && fn->fed_by && strcmp(r->fed_by, fn->fed_by) == 0)))
			return arena_strdup(mem, r->name);
	}
	return NULL;
}

static void give(struct engine *g, struct task *t, const struct error_log *l, const char *function)
{
	struct errors_result *r = &t->result->errors;
	r->function = arena_strdup(&r->mem, function);
	r->log_group = arena_strdup(&r->mem, l->group);
	r->from = l->from;
	r->to = l->to;
	r->at = clock_wall();
	r->groups = errors_groups(l->errors, &r->mem, &r->n);
	r->lines = l->events;
	r->calls = l->calls;
	r->read_from = l->more && l->oldest_ms ? l->oldest_ms / 1000 : l->from;
	r->more = l->more;
	r->dead_letters = dead_letters(g, &r->mem, function);
	t->done = true;
}

static void explain(struct err *e, const struct errors_work *w)
{
	if (e->code == ERR_NOTFOUND)
		err_set(e, ERR_NOTFOUND, "logs:FilterLogEvents",
		        "there is no log group %.120s: it has never run, may not write, or logs elsewhere", w->group);
}

static void begin(struct engine *g, struct task *t)
{
	struct errors_work *w = t->work;
	const struct errors_request *rq = &t->rq.errors;
	t->done = true;
	if (g->account_err.code != ERR_OK) {
		t->result->err = g->account_err;
	} else if (resolve(g, t, w)) {
		const struct error_log *l = kept(g, w->group, rq->to - rq->from);
		if (l) {
			give(g, t, l, w->function);
		} else if (!g->closing && engine_connect(g)) {
			t->done = false;
			read_lines(g, t, w);
		} else {
			t->result->err = g->account_err;
		}
	}
}

static void end(struct engine *g, struct task *t)
{
	struct errors_work *w = t->work;
	explain(&t->result->err, w);
	t->done = true;
	if (t->result->err.code != ERR_OK)
		return;
	w->log->mono_ms = clock_mono_ms();
	give(g, t, w->log, w->function);
	keep(g, w->log);
	w->log = NULL;
}

void errors_step(struct engine *g, struct task *t)
{
	enum { ASK, BEGIN, LINES, STARTS };
	struct errors_work *w = t->work;
	if (!w)
		w = t->work = xcalloc(1, sizeof *w);
	if (t->state == ASK) {
		t->state = BEGIN;
		if (!t->rq.errors.row && !kind_state_of(g, &kind_lambda)->listed) {
			task_need(g, t, NEED_LIST | NEED_EDGES | kind_bit(&kind_lambda));
			return;
		}
	}
	if (t->state == BEGIN) {
		t->state = LINES;
		begin(g, t);
	}
	if (t->done || w->calling)
		return;
	if (t->state == LINES) {
		t->state = STARTS;
		if (t->result->err.code == ERR_OK)
			w->nopen = errors_open(w->log->errors, w->open, NEWEST);
	}
	if (w->opened < w->nopen && !g->closing)
		read_start(g, t, w);
	else
		end(g, t);
}

void errors_abandon(struct task *t)
{
	struct errors_work *w = t->work;
	if (!w)
		return;
	log_free(w->log);
	free(w->in.page.token);
	free(w->out.page.token);
	free(w->function);
	free(w->group);
	free(w);
}
