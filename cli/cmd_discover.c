/* discover: the account's pipelines with every edge's proof, and --write, which saves them to the configuration. What could not be
 * read is named; only when nothing could the command has failed. */
#include "cli/args.h"
#include "cli/flow.h"

#include "core/conf_write.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cause(const void *result, unsigned i, struct buf *out)
{
	const struct discover_result *r = result;
	struct err e = r->problems[i].err;
	char line[1024];
	if (!*e.where)
		snprintf(e.where, sizeof e.where, "%s", r->problems[i].op);
	err_line(&e, line, sizeof line);
	buf_adds(out, strncmp(line, "sluice: ", 8) == 0 ? line + 8 : line);
	if (r->problems[i].n > 1)
		buf_addf(out, " (%u calls)", r->problems[i].n);
}

static bool empty_group(const struct cli *c, const struct discover_result *r)
{
	return (c->args->stack || c->args->tag) && !r->members;
}

static void say_empty(const struct cli *c, const struct discover_result *r)
{
	const struct cli_args *a = c->args;
	const char *others = r->others ? "only resources of kinds that are not watched" : "nothing";
	char *text = a->stack ? xasprintf("discover: the stack %s holds %s", a->stack, others)
	                      : xasprintf("discover: the tag %s is carried by %s in %s", a->tag, others, r->target.region);
	cli_say(text);
	free(text);
}

/* ---- --write */

static struct conf_added missing(const struct cli *c, const struct conf *have, const struct discover_result *r,
                                 struct buf *out)
{
	const struct conf_target *t = c->demo ? NULL : cli_target(c, have);
	const char *target = t ? t->name : NULL;
	if (c->args->stack || c->args->tag)
		return conf_missing_group(have, c->args->stack, c->args->tag, target, out);
	return conf_missing(have, r->flow, target, out);
}

static int print_missing(const struct cli *c, const struct buf *sections)
{
	struct out o;
	out_init(&o);
	out_own(&o, sections->p ? sections->p : "");
	return out_end(&o, c, 0);
}

static void say_written(const char *path, struct conf_added n)
{
	char *text = xasprintf("discover: %u new pipeline%s and %u new stage%s in %s", n.pipelines,
	                       n.pipelines == 1 ? "" : "s", n.stages, n.stages == 1 ? "" : "s", path);
	cli_say(text);
	free(text);
}

/* The embedded account is nobody's: it goes into a configuration only when one was named for it. */
static bool writable(const struct cli *c, struct err *e)
{
	return !c->demo || c->config || c->args->dry_run ||
	       err_set(e, ERR_USAGE, "--write", "--demo keeps nothing: name a file with --config, or use --dry-run");
}

static int save(const struct cli *c, const struct discover_result *r)
{
	struct err e = { 0 };
	struct buf sections;
	struct conf *have = writable(c, &e) ? conf_load_or_none(c->config, &e) : NULL;
	char *path = c->config ? xstrdup(c->config) : conf_default_path();
	if (!have) {
		free(path);
		return cli_fail(c, &e);
	}
	buf_init(&sections, 16u << 20);
	struct conf_added n = missing(c, have, r, &sections);
	int status = 0;
	if (!n.pipelines && !n.stages)
		cli_say("discover: the configuration has all of it already");
	else if (c->args->dry_run)
		status = print_missing(c, &sections);
	else if (conf_append(c->config, buf_span(&sections), &e))
		say_written(path, n);
	else
		status = cli_fail(c, &e);
	buf_clear(&sections);
	conf_free(have);
	free(path);
	return status;
}

static int print(const struct cli *c, const struct discover_result *r)
{
	struct out o;
	bool dot = c->format && strcmp(c->format, "dot") == 0;
	out_init(&o);
	(cli_is_json(c) ? flow_json : dot ? flow_dot : flow_text)(&o, r);
	return out_end(&o, c, 0);
}

static bool usable(const struct cli *c, struct err *e)
{
	const struct cli_args *a = c->args;
	if (a->stack && a->tag)
		return err_set(e, ERR_USAGE, "--stack", "and --tag are two groups; give one");
	if (a->dry_run && !a->write)
		return err_set(e, ERR_USAGE, "--dry-run", "goes with --write: nothing is written without it");
	return !a->write || writable(c, e);
}

static int tell(const struct cli *c, const struct discover_result *d)
{
	const struct cli_args *a = c->args;
	bool empty = empty_group(c, d);
	int status = a->write && a->dry_run ? 0 : print(c, d);
	if (status == 0 && a->write) /* nothing would be watched, and a slip of the pen never be noticed */
		status = empty ? 1 : save(c, d);
	if (status <= 1) {
		if (empty)
			say_empty(c, d);
		cli_say_causes(d->nproblems, 3, cause, d);
	}
	return status;
}

int cmd_discover(const struct cli *c, struct engine *g)
{
	const struct cli_args *a = c->args;
	struct err e = { 0 };
	if (!usable(c, &e))
		return cli_fail(c, &e);
	struct result *r =
	    engine_call(g, &(struct request){ .kind = REQUEST_DISCOVER, .discover = { .stack = a->stack, .tag = a->tag } });
	int status = r->discover.flow ? tell(c, &r->discover) : 1;
	if (r->err.code != ERR_OK)
		status = cli_fail(c, &r->err);
	result_free(r);
	return status;
}
