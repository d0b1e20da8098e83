/* --check: one request, one result, one exit status. What is not known is never OK. */
#include "cli/args.h"
#include "cli/check.h"
#include "cli/check_gate.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_SECONDS 60

/* What an outcome means for the exit status, after --unknown-is. SKIPPED counts as OK. */
static enum verdict_status weight(const struct check_run *a, enum verdict_status s)
{
	if (s == VERDICT_SKIPPED)
		return VERDICT_OK;
	return s == VERDICT_UNKNOWN ? a->unknown_is : s;
}

static enum verdict_status worse(enum verdict_status a, enum verdict_status b)
{
	return a > b ? a : b;
}

/* Nothing judged is nothing known. */
static enum verdict_status worst(const struct result *r)
{
	const struct check_result *k = &r->check;
	enum verdict_status s = k->status;
	if (r->err.code != ERR_OK || !k->n)
		s = worse(s, VERDICT_UNKNOWN);
	for (unsigned i = 0; i < k->n; i++)
		s = worse(s, k->verdicts[i].status);
	return s == VERDICT_SKIPPED ? VERDICT_OK : s;
}

int check_exit(const struct check_run *a, const struct result *r)
{
	static const int exits[] = {
		[VERDICT_OK] = 0, [VERDICT_WARNING] = 1, [VERDICT_UNKNOWN] = 3, [VERDICT_CRITICAL] = 2
	};
	const struct check_result *k = &r->check;
	enum verdict_status s = weight(a, k->status);
	if (!k->n)
		s = worse(s, weight(a, VERDICT_UNKNOWN));
	for (unsigned i = 0; i < k->n; i++)
		s = worse(s, weight(a, k->verdicts[i].status));
	if (r->err.code != ERR_OK || a->untold)
		s = worse(s, VERDICT_UNKNOWN); /* a run that failed as a whole is no matter of taste */
	return s == VERDICT_WARNING && a->warn_is_ok ? 0 : exits[s];
}

/* Worst first, otherwise as judged. */
static unsigned *worst_first(const struct check_result *r)
{
	unsigned *order = xcalloc(r->n + 1, sizeof *order), n = 0;
	static const enum verdict_status ranks[] = { VERDICT_CRITICAL, VERDICT_UNKNOWN, VERDICT_WARNING, VERDICT_OK,
		                                         VERDICT_SKIPPED };
	for (unsigned k = 0; k < sizeof ranks / sizeof ranks[0]; k++)
		for (unsigned i = 0; i < r->n; i++)
			if (r->verdicts[i].status == ranks[k])
				order[n++] = i;
	return order;
}

/* The engine's lines are visible already; filtering them again would only mark the marks. */
static void cause(const void *result, unsigned i, struct buf *out)
{
	const struct check_result *r = result;
	const char *text = r->causes[i].text;
	text = strncmp(text, "sluice: ", 8) == 0 ? text + 8 : text;
	if (cli_is_visible(span_of(text)))
		buf_adds(out, text);
	else
		text_visible(out, span_of(text));
}

/* Where no call failed, what is unknown has its reason in itself: no data, a bad range, a name that nothing bears. */
static bool says_same(const struct verdict *a, const struct verdict *b)
{
	return a->status == VERDICT_UNKNOWN && a->code == b->code && a->reason && b->reason &&
	       strcmp(a->reason, b->reason) == 0;
}

struct unknowns {
	const struct verdict **v;
	unsigned n;
};

static struct unknowns unknowns(const struct check_result *r)
{
	struct unknowns u = { xcalloc(r->n + 1, sizeof *u.v), 0 };
	for (unsigned i = 0; i < r->n; i++) {
		bool said = r->verdicts[i].status != VERDICT_UNKNOWN;
		for (unsigned k = 0; k < u.n && !said; k++)
			said = says_same(u.v[k], &r->verdicts[i]);
		if (!said)
			u.v[u.n++] = &r->verdicts[i];
	}
	return u;
}

static void unknown(const void *list, unsigned i, struct buf *out)
{
	const struct verdict *v = ((const struct unknowns *)list)->v[i];
	text_visible(out, span_of(v->name));
	buf_adds(out, ": ");
	verdict_reason(v, out);
}

static void say(const struct cli *c, const struct result *r)
{
	const struct check_result *k = &r->check;
	if (r->err.code != ERR_OK && !k->ncauses) {
		cli_say_err(&r->err);
		return;
	}
	unsigned most = c->args->verbose > 2 ? UINT_MAX : CAUSES;
	if (k->ncauses) {
		cli_say_causes(k->ncauses, most, cause, k);
		return;
	}
	struct unknowns u = unknowns(k);
	cli_say_causes(u.n, most, unknown, &u);
	free(u.v);
	if (!k->n)
		cli_say("--check: nothing was judged: no resource, alarm or metric was found or selected");
}

/* For forms whose readers look at rows alone. */
static const struct verdict *whole(const struct result *r, struct verdict *v)
{
	static char name[] = "sluice --check", nothing[] = "nothing was judged";
	*v = (struct verdict){ .name = name, .status = VERDICT_UNKNOWN, .value = NAN, .age_s = -1 };
	v->code = r->err.code != ERR_OK ? err_check_code(r->err.code) : "NO_DATA";
	v->reason = r->err.code != ERR_OK ? (char *)r->err.text : nothing;
	return r->err.code != ERR_OK || !r->check.n ? v : NULL;
}

/* The format for one place: standard output (file NULL) or a file. */
static int print_to(const struct cli *c, struct check_view *v, const struct check_format *f, const char *file)
{
	struct out o;
	struct err e = { 0 };
	if (!file)
		out_init(&o);
	else if (!out_init_file(&o, file, f->mode, &e))
		return cli_fail(c, &e);
	v->file = file;
	f->print(&o, v);
	return out_end(&o, c, v->exit);
}

static int print(const struct cli *c, struct engine *g, struct check_run *run, const struct result *r, int64_t took_ms)
{
	const struct cli_args *a = c->args;
	struct verdict one;
	unsigned *order = worst_first(&r->check);
	struct check_view v = { .result = &r->check,
		                    .fail = &r->err,
		                    .order = order,
		                    .whole = whole(r, &one),
		                    .status = worst(r),
		                    .exit = check_exit(run, r),
		                    .verbose = a->verbose,
		                    .took_ms = took_ms };
	run->untold = !check_tell(c, g, run, &v);
	v.exit = check_exit(run, r);
	int status = v.exit;
	for (unsigned i = 0; i < (a->nout ? a->nout : 1); i++) {
		int one_status = print_to(c, &v, run->format, a->nout ? a->out[i] : NULL);
		status = one_status != v.exit ? one_status : status;
	}
	free(order);
	say(c, r);
	return status;
}

/* ---- how it runs: the options, else [checks], else what the format says */

static enum verdict_status level(const char *word)
{
	return !word                       ? VERDICT_UNKNOWN
	       : strcmp(word, "ok") == 0   ? VERDICT_OK
	       : strcmp(word, "warn") == 0 ? VERDICT_WARNING
	                                   : VERDICT_CRITICAL;
}

static bool settle_time(const struct cli_args *a, const struct conf_checks *k, struct check_run *run, struct err *e)
{
	run->for_s = a->for_s ? a->for_s : k->for_s;
	run->until_ok = a->until_ok || k->until_ok;
	run->fail_limit = a->fail_limit_said ? a->fail_limit : k->fail_limit;
	if (a->fail_limit_said && !run->for_s)
		return err_set(e, ERR_USAGE, "--fail-limit", "needs --for: one sample has no limit");
	if (run->until_ok && !run->for_s) { /* then -t is the time for all samples */
		run->for_s = run->deadline_s;
		run->deadline_s = run->deadline_s < SAMPLE_SECONDS ? run->deadline_s : SAMPLE_SECONDS;
	}
	return true;
}

static bool settle(const struct cli *c, struct check_run *run, struct check_request *rq, struct err *e)
{
	static const struct conf_checks none = { .max_usd = -1 };
	const struct conf_checks *k = c->conf ? &c->conf->checking : &none;
	const struct cli_args *a = c->args;
	run->format = check_format(c->format ? c->format : k->format);
	if (!run->format)
		return err_set(e, ERR_CONF, "[checks]", "format: --check has no form \"%s\"", k->format);
	run->warn_is_ok = a->warn_is_ok || k->warn_is_ok;
	run->unknown_is = a->unknown_is != VERDICT_UNKNOWN ? a->unknown_is : level(k->unknown_is);
	run->verbose = a->verbose;
	run->publish = a->publish ? a->publish : k->publish;
	run->notify = a->notify ? a->notify : k->notify;
	run->deadline_s = c->deadline_s ? c->deadline_s : k->timeout ? (unsigned)k->timeout : run->format->seconds;
	if (!settle_time(a, k, run, e))
		return false;
	rq->priced = a->max_cost_said || k->max_usd >= 0;
	rq->max_usd = a->max_cost_said ? a->max_usd : k->max_usd;
	rq->deadline_s = run->deadline_s;
	rq->identity = run->format->print == check_json; /* the object names the account */
	return true;
}

int cmd_check(const struct cli *c, struct engine *g)
{
	struct request rq = { .kind = REQUEST_CHECK, .check = c->args->check };
	struct check_run run = { 0 };
	struct err e = { 0 };
	if (!settle(c, &run, &rq.check, &e))
		return cli_fail(c, &e);
	int64_t begun = clock_mono_ms();
	struct result *r = run.for_s ? check_over_time(&run, g, &rq) : engine_call(g, &rq);
	int status = print(c, g, &run, r, clock_mono_ms() - begun);
	result_free(r);
	return status;
}
