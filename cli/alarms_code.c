/* alarms export, plan, drift and apply. plan and drift alone have Terraform's exit status: 0 nothing to do, 2 something, 1 an error. */
#include "cli/alarm_code.h"

#include "core/file.h"

#include <stdio.h>

#define FILE_OF_ALARMS (16UL << 20)

static void say_causes(const struct alarm_code_result *r)
{
	for (unsigned i = 0; i < r->ncauses; i++)
		cli_say(r->causes[i].text);
}

/* ---- export, init: a file on standard output */

static int print_file(const struct cli *c, struct engine *g, enum request_kind kind)
{
	struct request rq = {
		.kind = kind, .alarm_code = { .names = (const char *const *)&c->argv[1], .nnames = (unsigned)c->argc - 1 }
	};
	struct result *r = engine_call(g, &rq);
	struct out o;
	int status;
	if (r->err.code != ERR_OK) {
		status = cli_fail(c, &r->err);
	} else {
		out_init(&o);
		buf_adds(&o.b, r->alarm_code.text);
		out_own(&o, "\n");
		status = out_end(&o, c, r->alarm_code.ncauses ? 1 : 0);
		say_causes(&r->alarm_code);
	}
	result_free(r);
	return status;
}

int alarms_export(const struct cli *c, struct engine *g)
{
	return print_file(c, g, REQUEST_ALARM_EXPORT);
}

int alarms_init(const struct cli *c, struct engine *g)
{
	return print_file(c, g, REQUEST_ALARM_INIT);
}

/* ---- plan, drift */

static bool read_file(const struct cli *c, struct buf *b, struct err *e)
{
	if (file_read(c->argv[1], FILE_ANY, FILE_OF_ALARMS, b, NULL, e))
		return true;
	e->code = ERR_USAGE;
	return false;
}

/* NULL: it failed, and that is told; *status is what to end with. */
static struct result *make_plan(const struct cli *c, struct engine *g, struct buf *file, bool drift, int *status)
{
	struct err e = { 0 };
	if (!read_file(c, file, &e)) {
		*status = cli_fail(c, &e);
		return NULL;
	}
	struct request rq = { .kind = REQUEST_ALARM_PLAN,
		                  .alarm_code = {
		                      .text = buf_span(file), .file = c->argv[1], .adopt = c->args->adopt, .drift = drift } };
	struct result *r = engine_call(g, &rq);
	if (r->err.code == ERR_OK)
		return r;
	*status = cli_fail(c, &r->err);
	result_free(r);
	return NULL;
}

static int differs(const struct alarm_code_result *r)
{
	return r->plan.refused || r->ncauses ? 1 : r->plan.create + r->plan.change ? 2 : 0;
}

static int compare(const struct cli *c, struct engine *g, bool drift)
{
	struct buf file = { 0 };
	struct out o;
	int status = 0;
	struct result *r = make_plan(c, g, &file, drift, &status);
	if (r) {
		out_init(&o);
		if (cli_is_json(c))
			plan_json(&o, &r->alarm_code, false);
		else
			plan_text(&o, &r->alarm_code, drift);
		status = out_end(&o, c, differs(&r->alarm_code));
		say_causes(&r->alarm_code);
	}
	result_free(r);
	buf_clear(&file);
	return status;
}

int alarms_plan(const struct cli *c, struct engine *g)
{
	return compare(c, g, false);
}

int alarms_drift(const struct cli *c, struct engine *g)
{
	return compare(c, g, true);
}

/* ---- apply: the plan is shown, somebody agrees, and exactly that is written */

static int outcome(const struct alarm_plan *p)
{
	return p->refused || p->applied < p->create + p->change;
}

static int tell(const struct cli *c, const struct result *r)
{
	struct out o;
	if (!r->alarm_code.plan.owner) /* refused as a whole: nothing was sent */
		return cli_fail(c, &r->err);
	out_init(&o);
	if (cli_is_json(c))
		plan_json(&o, &r->alarm_code, !c->args->dry_run);
	else if (!c->args->dry_run)
		plan_outcomes_text(&o, &r->alarm_code);
	int status = out_end(&o, c, 0);
	if (r->err.code != ERR_OK)
		status = cli_fail(c, &r->err);
	if (c->args->dry_run)
		return status;
	const struct alarm_plan *p = &r->alarm_code.plan;
	char line[200];
	snprintf(line, sizeof line, "%u of %u written and read back, %u failed, %u unknown, %u not begun, %u refused",
	         p->applied, p->create + p->change, p->failed, p->unknown,
	         p->create + p->change - p->applied - p->failed - p->unknown, p->refused);
	if (outcome(p))
		cli_say(line);
	return status ? status : outcome(p);
}

int alarms_apply(const struct cli *c, struct engine *g)
{
	struct buf file = { 0 };
	struct out o;
	int status = 0;
	struct result *r = make_plan(c, g, &file, false, &status);
	if (!r) {
		buf_clear(&file);
		return status;
	}
	say_causes(&r->alarm_code);
	out_init(&o);
	if (!cli_is_json(c))
		plan_text(&o, &r->alarm_code, false);
	status = out_end(&o, c, 0);
	struct request rq = { .kind = REQUEST_ALARM_APPLY, .alarm_code = { .plan = r->alarm_code.id } };
	result_free(r);
	if (status == 0) {
		r = cli_act(c, g, &rq);
		status = cli_act_status(tell(c, r));
		result_free(r);
	}
	buf_clear(&file);
	return status;
}
