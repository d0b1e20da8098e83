/* --check: one request, one result, one exit status. What is not known is never OK. */
#include "cli/args.h"
#include "cli/check.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What an outcome means for the exit status, after --unknown-is. SKIPPED counts as OK. */
static enum verdict_status weight(const struct cli_args *a, enum verdict_status s)
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

static int exit_status(const struct cli_args *a, const struct result *r)
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
	if (r->err.code != ERR_OK)
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

static int print(const struct cli *c, const struct result *r, int64_t took_ms)
{
	const struct cli_args *a = c->args;
	const struct check_format *f = check_format(c->format);
	struct verdict one;
	unsigned *order = worst_first(&r->check);
	struct check_view v = { .result = &r->check,
		                    .fail = &r->err,
		                    .order = order,
		                    .whole = whole(r, &one),
		                    .status = worst(r),
		                    .exit = exit_status(a, r),
		                    .verbose = a->verbose,
		                    .took_ms = took_ms };
	int status = v.exit;
	for (unsigned i = 0; i < (a->nout ? a->nout : 1); i++) {
		int one_status = print_to(c, &v, f, a->nout ? a->out[i] : NULL);
		status = one_status != v.exit ? one_status : status;
	}
	free(order);
	say(c, r);
	return status;
}

int cmd_check(const struct cli *c, struct engine *g)
{
	struct request rq = { .kind = REQUEST_CHECK, .check = c->args->check };
	rq.check.identity = cli_is_json(c); /* the object names the account */
	rq.check.deadline_s = c->deadline_s ? c->deadline_s : check_format(c->format)->seconds;
	int64_t begun = clock_mono_ms();
	struct result *r = engine_call(g, &rq);
	int status = print(c, r, clock_mono_ms() - begun);
	result_free(r);
	return status;
}
