/* Help on standard output, made from the tables. */
#include "cli/manual.h"
#include "cli/out.h"

#include <string.h>

#define COLUMNS 79
#define LEFT 29

void manual_option(const struct cli_option *o, struct buf *b)
{
	if (o->letter)
		buf_addf(b, "-%c, ", o->letter);
	buf_adds(b, o->name);
	if (o->arg && o->arg[0] == '[')
		buf_addf(b, "[=%.*s]", (int)strlen(o->arg) - 2, o->arg + 1);
	else if (o->arg)
		buf_addf(b, " %s", o->arg);
}

/* Words of text from column `column` on, broken before the margin; the first line is already at `at`. */
static void wrap(struct buf *b, const char *text, size_t at, size_t column)
{
	while (*text) {
		size_t n = strcspn(text, " ");
		if (at > column && at + 1 + n > COLUMNS) {
			buf_addf(b, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			buf_addc(b, ' ');
			at++;
		}
		buf_add(b, text, n);
		at += n;
		text += n + strspn(text + n, " ");
	}
	buf_addc(b, '\n');
}

static void row(struct buf *b, const char *left, const char *text)
{
	size_t n = strlen(left);
	buf_addf(b, "  %s", left);
	if (n + 4 > LEFT)
		buf_addf(b, "\n%*s", LEFT, "");
	else
		buf_addf(b, "%*s", (int)(LEFT - n - 2), "");
	wrap(b, text, LEFT, LEFT);
}

static void option_row(struct buf *b, const struct cli_option *o)
{
	struct buf left;
	buf_init(&left, 200);
	if (!o->letter)
		buf_adds(&left, "    ");
	manual_option(o, &left);
	row(b, left.p, o->help);
	buf_clear(&left);
}

static void common_options(struct buf *b)
{
	buf_adds(b, "\nOptions common to all, before or after the command:\n");
	for (unsigned i = 0; i < cli_noptions; i++)
		if (!manual_own(&cli_options[i]))
			option_row(b, &cli_options[i]);
}

static void command_rows(struct buf *b)
{
	buf_adds(b, "\nCommands:\n");
	for (int i = 0; i < CMD_COUNT; i++) {
		const struct cli_command *cmd = &cli_commands[i];
		struct buf left;
		buf_init(&left, 200);
		buf_addf(&left, "%s%s%s", cmd->name, *cmd->operands ? " " : "", cmd->operands);
		if (i != CMD_CHECK)
			row(b, left.p, cmd->help);
		buf_clear(&left);
	}
}

static void overview(struct buf *b)
{
	buf_adds(b, "sluice: " MANUAL_WHAT "\n\nUsage:\n");
#define X(usage, what) row(b, usage, what);
	MANUAL_USAGES(X)
#undef X
	command_rows(b);
	common_options(b);
	buf_adds(b, "\nExit status:\n");
#define X(status, meaning) row(b, status, meaning);
	MANUAL_EXITS(X)
#undef X
	buf_adds(b, "\nsluice help COMMAND tells more, sluice help check about --check.\n");
}

static void one_command(struct buf *b, const struct cli_command *cmd)
{
	buf_addf(b, "Usage: sluice %s%s%s [OPTIONS]\n\n", cmd->name, *cmd->operands ? " " : "", cmd->operands);
	wrap(b, cmd->more, 0, 0);
	if (cmd->formats)
		buf_addf(b, "\nFormats: %s\n", cmd->formats);
	bool any = false;
	for (unsigned i = 0; i < cli_noptions; i++) {
		const struct cli_option *o = &cli_options[i];
		if (!manual_own(o) || !(o->takers & (1U << cmd->id)))
			continue;
		if (!any)
			buf_adds(b, "\nOptions:\n");
		any = true;
		option_row(b, o);
	}
	common_options(b);
}

void cli_help(struct buf *b, const struct cli_command *cmd)
{
	if (cmd)
		one_command(b, cmd);
	else
		overview(b);
}

int cli_print(const struct cli *c, struct buf *b)
{
	struct out o;
	out_init(&o);
	out_own(&o, buf_full(b) || !b->p ? "" : b->p);
	buf_clear(b);
	return out_end(&o, c, 0);
}

static const struct cli_command *topic(const char *word, struct err *e)
{
	const char *names[CMD_COUNT + 1] = { NULL };
	for (int i = 0; i < CMD_COUNT; i++) {
		const char *name = cli_commands[i].name;
		names[i] = name + strspn(name, "-");
		if (strcmp(word, name) == 0 || strcmp(word, names[i]) == 0)
			return &cli_commands[i];
	}
	const char *near = cli_near(word, names);
	if (near)
		err_set(e, ERR_USAGE, word, "no such command, did you mean %s?", near);
	else
		err_set(e, ERR_USAGE, word, "no such command");
	return NULL;
}

int cmd_help(const struct cli *c, struct engine *g)
{
	(void)g;
	struct buf b;
	struct err e = { 0 };
	const struct cli_command *cmd = NULL;
	if (c->argc && !(cmd = topic(c->argv[0], &e)))
		return cli_fail(c, &e);
	buf_init(&b, 1 << 20);
	if (c->args->man)
		cli_man(&b);
	else
		cli_help(&b, cmd);
	return cli_print(c, &b);
}
