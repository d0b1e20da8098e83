/* --check: one request, one result, one exit status. What is not known is never OK. */
#include "cli/args.h"
#include "cli/check.h"

#include "core/mem.h"
#include "core/text.h"

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

static void cause(const void *result, unsigned i, struct buf *out)
{
	const struct check_result *r = result;
	const char *text = r->causes[i].text;
	text_visible(out, span_of(strncmp(text, "sluice: ", 8) == 0 ? text + 8 : text));
}

static void say(const struct cli *c, const struct result *r)
{
	if (r->check.ncauses)
		cli_say_causes(r->check.ncauses, cause, &r->check);
	else if (r->err.code != ERR_OK)
		cli_fail(c, &r->err);
	else if (!r->check.n)
		cli_say("--check: nothing was judged: no resource, alarm or metric was found or selected");
}

static int print(const struct cli *c, const struct result *r)
{
	struct out o;
	struct err e = { 0 };
	const struct cli_args *a = c->args;
	if (!a->out)
		out_init(&o);
	else if (!out_init_file(&o, a->out, &e))
		return cli_fail(c, &e);
	unsigned *order = worst_first(&r->check);
	struct check_view v = { &r->check, &r->err, order, worst(r), exit_status(a, r) };
	(cli_is_json(c) ? check_json : check_text)(&o, &v);
	free(order);
	int status = out_end(&o, c, v.exit);
	say(c, r);
	return status;
}

int cmd_check(const struct cli *c, struct engine *g)
{
	struct result *r = engine_call(g, &(struct request){ .kind = REQUEST_CHECK, .check = c->args->check });
	int status = print(c, r);
	result_free(r);
	return status;
}
