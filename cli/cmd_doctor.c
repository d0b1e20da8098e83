/* doctor: what was found, where it comes from, what to mend. The engine knows the account; what surrounds the process
 * (terminal, locale, colour, configuration file) is looked at here. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/mem.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct findings {
	struct finding *v;
	unsigned n, cap;
};

static struct finding *add(struct findings *f, const char *topic, const char *name, const char *source, char *value)
{
	MEM_GROW(f->v, f->n, f->cap);
	f->v[f->n] = (struct finding){ .topic = topic, .name = xstrdup(name), .source = xstrdup(source), .value = value };
	return &f->v[f->n++];
}

static void clear(struct findings *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].source);
		free(f->v[i].value);
	}
	free(f->v);
}

static void look_at_terminal(struct findings *f)
{
	const char *term = getenv("TERM");
	struct winsize w = { 0 };
	bool in = isatty(STDIN_FILENO), out = isatty(STDOUT_FILENO);
	struct finding *t = add(f, "terminal", "TERM", "environment", xstrdup(term && *term ? term : "not set"));
	if (in && out && (!term || !*term))
		err_set(&t->problem, ERR_CONF, "TERM", "is not set: the console cannot know this terminal; export TERM");
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col)
		add(f, "terminal", "size", "standard output", xasprintf("%ux%u", w.ws_col, w.ws_row));
	add(f, "terminal", "console", "standard input and output",
	    xstrdup(in && out ? "both are a terminal"
	                      : "no terminal here: status, history and --check work, the console does not"));
}

static void look_at_locale(struct findings *f)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *from = "no LC_ALL, LC_CTYPE or LANG", *value = "C";
	for (unsigned i = 0; i < 3; i++) {
		const char *v = getenv(names[i]);
		if (v && *v) {
			from = names[i];
			value = v;
			break;
		}
	}
	locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	const char *codeset = l ? nl_langinfo_l(CODESET, l) : "not installed: ASCII";
	add(f, "locale", "LC_CTYPE", from, xasprintf("%s (%s)", value, codeset));
	if (l)
		freelocale(l);
}

static void look_at_colour(const struct cli *c, struct findings *f)
{
	static const char *const whens[] = { "auto", "always", "never" };
	const char *no_color = getenv("NO_COLOR");
	const char *from = no_color && *no_color && c->color == 2 ? "NO_COLOR" : c->color ? "--color" : "default";
	add(f, "terminal", "colour", from, xstrdup(whens[c->color]));
}

static void look_at_config(const struct cli *c, struct findings *f)
{
	if (c->demo) {
		add(f, "configuration", "file", "--demo", xstrdup("not read"));
		return;
	}
	char *path = c->config ? xstrdup(c->config) : conf_default_path();
	const char *from = c->config ? "--config" : "default";
	if (!path)
		add(f, "configuration", "file", "no XDG_CONFIG_HOME, no HOME", xstrdup("none"));
	else
		add(f, "configuration", "file", from,
		    xasprintf("%s%s", path, access(path, F_OK) == 0 ? "" : " (not there, which is fine)"));
	free(path);
}

/* ---- the forms */
static bool fine(const struct finding *f)
{
	return f->problem.code == ERR_OK;
}

/* Why, and what to do about it. */
static void problem_text(const struct finding *f, struct buf *b)
{
	const struct err *e = &f->problem;
	if (fine(f))
		return;
	char statement[ERR_STATEMENT];
	if (*e->action)
		buf_addf(b, "%s; allow it: %s", e->text, err_statement(e, statement));
	else
		buf_addf(b, "%s%s%s", e->text, *err_hint(e->code) ? "; " : "", err_hint(e->code));
}

/* For eyes the source and what is wrong share the last column. */
static void add_row(struct table *t, const struct finding *f, bool tty)
{
	struct buf source, problem;
	buf_init(&source, 4096);
	buf_init(&problem, 2048);
	problem_text(f, &problem);
	bool has = f->source && *f->source;
	if (has)
		buf_addf(&source, tty ? "(%s)" : "%s", f->source);
	if (tty && problem.n)
		buf_addf(&source, "%s%s", has ? ": " : "", problem.p);
	table_add(t, fine(f) ? "ok" : "!!");
	table_add(t, f->topic);
	table_add(t, f->name);
	table_add(t, f->value);
	table_add(t, source.p);
	if (!tty)
		table_add(t, problem.p);
	buf_clear(&source);
	buf_clear(&problem);
}

static void print_text(struct out *o, const struct finding *const *v, unsigned n)
{
	struct table t;
	table_init(&t, o->tty ? 5 : 6, 0);
	for (unsigned i = 0; i < n; i++)
		add_row(&t, v[i], o->tty);
	table_print(&t, o);
}

static void json_problem(struct json_out *j, const struct err *e)
{
	if (e->code == ERR_OK) {
		json_out_null(j, "problem");
		return;
	}
	json_out_object(j, "problem");
	json_out_str(j, "code", err_check_code(e->code));
	json_out_str(j, "text", e->text);
	char statement[ERR_STATEMENT];
	json_out_str(j, "action", *e->action ? e->action : NULL);
	json_out_str(j, "statement", *err_statement(e, statement) ? statement : NULL);
	json_out_str(j, "hint", err_hint(e->code));
	json_out_object_end(j);
}

static void print_json(struct out *o, const struct finding *const *v, unsigned n)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_array(&j, "findings");
	for (unsigned i = 0; i < n; i++) {
		json_out_object(&j, NULL);
		json_out_bool(&j, "ok", fine(v[i]));
		json_out_str(&j, "topic", v[i]->topic);
		json_out_str(&j, "name", v[i]->name);
		json_out_str(&j, "value", v[i]->value);
		json_out_str(&j, "source", v[i]->source);
		json_problem(&j, &v[i]->problem);
		json_out_object_end(&j);
	}
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

/* Prints all findings and names the first one to mend. */
static int print(const struct cli *c, const struct finding *const *v, unsigned n)
{
	struct out o;
	unsigned first = 0;
	while (first < n && fine(v[first]))
		first++;
	out_init(&o);
	(cli_is_json(c) ? print_json : print_text)(&o, v, n);
	int status = out_end(&o, c, first < n);
	if (status <= 1 && first < n) {
		struct err e = v[first]->problem;
		if (!*e.where)
			snprintf(e.where, sizeof e.where, "%s %s", v[first]->topic, v[first]->name);
		cli_fail(c, &e);
	}
	return status;
}

static int report(const struct cli *c, struct findings *own, const struct doctor_result *d)
{
	unsigned n = 0;
	const struct finding **all = xcalloc(own->n + d->n + 1, sizeof *all);
	for (unsigned i = 0; i < own->n; i++)
		all[n++] = &own->v[i];
	for (unsigned i = 0; i < d->n; i++)
		all[n++] = &d->findings[i];
	int status = print(c, all, n);
	free(all);
	clear(own);
	return status;
}

static void look_around(const struct cli *c, struct findings *f)
{
	look_at_terminal(f);
	look_at_colour(c, f);
	look_at_locale(f);
	look_at_config(c, f);
}

static void add_failure(struct findings *f, const char *topic, const char *name, const struct err *why)
{
	add(f, topic, name, why->where, xstrdup("not usable"))->problem = *why;
}

int cmd_doctor(const struct cli *c, struct engine *g)
{
	struct findings own = { 0 };
	look_around(c, &own);
	struct result *r = engine_call(g, &(struct request){ .kind = REQUEST_DOCTOR });
	if (r->err.code != ERR_OK)
		add_failure(&own, "engine", "examination", &r->err);
	int status = report(c, &own, &r->doctor);
	result_free(r);
	return status;
}

int cmd_doctor_without(const struct cli *c, const struct err *why)
{
	struct findings own = { 0 };
	look_around(c, &own);
	add_failure(&own, why->code == ERR_CONF ? "configuration" : "engine", "start", why);
	return report(c, &own, &(struct doctor_result){ 0 });
}
