/* status: the overview of one poll. It prints what it has; what could not be read is said and makes the status 1. */
#include "cli/args.h"
#include "cli/status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct api_health *status_problem(const struct snapshot *s, unsigned nth)
{
	for (unsigned i = 0; i < s->napis; i++)
		if (s->apis[i].last.code != ERR_OK && nth-- == 0)
			return &s->apis[i];
	return NULL;
}

unsigned status_problems(const struct snapshot *s)
{
	unsigned n = 0;
	while (status_problem(s, n))
		n++;
	return n;
}

void status_problem_line(const struct api_health *a, char out[1024])
{
	struct err e = a->last;
	if (!*e.where)
		snprintf(e.where, sizeof e.where, "%s", a->op);
	err_line(&e, out, 1024);
	const char *skip = strncmp(out, "sluice: ", 8) == 0 ? out + 8 : out;
	memmove(out, skip, strlen(skip) + 1);
}

/* The problems without those that say again what an earlier one said: one dead endpoint fails every operation. */
struct causes {
	const struct snapshot *s;
	unsigned nth[64], n;
};

static bool said_before(const struct causes *c, const struct err *e)
{
	for (unsigned i = 0; i < c->n; i++)
		if (status_problem(c->s, c->nth[i])->last.code == e->code && err_shared(e->code))
			return true;
	return false;
}

static struct causes causes_of(const struct snapshot *s)
{
	struct causes c = { .s = s };
	const struct api_health *a;
	for (unsigned i = 0; c.n < 64 && (a = status_problem(s, i)); i++)
		if (!said_before(&c, &a->last))
			c.nth[c.n++] = i;
	return c;
}

static void cause(const void *causes, unsigned i, struct buf *out)
{
	char line[1024];
	const struct causes *c = causes;
	status_problem_line(status_problem(c->s, c->nth[i]), line);
	buf_adds(out, line);
}

/* That another sluice writes the history is as it should be; that nobody can is not. */
static void say_history(const struct snapshot *s)
{
	if (s->cache_note && strncmp(s->cache_note, "read-only", 9) != 0)
		cli_note("history", s->cache_note);
}

static const struct pipeline *pipeline_named(const struct snapshot *s, const char *name, struct err *e)
{
	struct buf names;
	buf_init(&names, 150);
	for (unsigned i = 0; i < s->npipelines; i++) {
		if (strcmp(s->pipelines[i].name, name) == 0) {
			buf_clear(&names);
			return &s->pipelines[i];
		}
		buf_addf(&names, "%s%s", i ? ", " : "", s->pipelines[i].name);
	}
	err_set(e, ERR_NOTFOUND, name, "no such pipeline; there are: %s", names.n ? names.p : "none");
	buf_clear(&names);
	return NULL;
}

/* On a terminal the text already lists the problems; a second time on the same terminal would hide the rest. */
static void say_problems(const struct cli *c, const struct snapshot *s, bool said)
{
	unsigned n = status_problems(s);
	if (!n && !s->settled && !said)
		cli_say("status: not everything was read in time; try again with a longer -t");
	struct causes all = causes_of(s);
	if (cli_is_json(c) || !isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO))
		cli_say_causes(all.n, CAUSES, cause, &all);
	say_history(s);
}

static int print(const struct cli *c, const struct snapshot *s, bool said)
{
	struct out o;
	struct err e = { 0 };
	const struct pipeline *only = NULL;
	if (c->argc && !(only = pipeline_named(s, c->argv[0], &e)))
		return cli_fail(c, &e);
	out_init(&o);
	(cli_is_json(c) ? status_json : status_text)(&o, s, only);
	int status = out_end(&o, c, status_problems(s) || !s->settled);
	if (status <= 1)
		say_problems(c, s, said);
	return status;
}

int cmd_status(const struct cli *c, struct engine *g)
{
	struct result *r = engine_call(g, &(struct request){ .kind = REQUEST_STATUS });
	int status = r->status ? print(c, r->status, r->err.code != ERR_OK) : 1;
	if (r->err.code != ERR_OK)
		status = status == 141 ? status : cli_fail(c, &r->err);
	result_free(r);
	return status;
}
