/* The manual page as roff (man macros), made from the same tables as help: `sluice help --man > sluice.1`. */
#include "cli/manual.h"

#include "core/conf.h"

#include <string.h>

/* Written in the source, not taken from the clock: the page must come out the same wherever it is built. */
#define MAN_DATE "2026-11-23"

static void roff_char(struct buf *b, char c)
{
	switch (c) {
	case '\\': buf_adds(b, "\\e"); break;
	case '-': buf_adds(b, "\\-"); break; /* stays a minus, so that options can be copied */
	case '\'': buf_adds(b, "\\(aq"); break;
	case '"': buf_adds(b, "\\(dq"); break;
	case '~': buf_adds(b, "\\(ti"); break;
	default: buf_addc(b, c); break;
	}
}

/* Part of a line; no line may start a request. */
static void roff(struct buf *b, const char *text)
{
	if (*text == '.')
		buf_adds(b, "\\&");
	for (; *text; text++)
		roff_char(b, *text);
}

/* Lines of moderate length: roff fills them again. A sentence ends its line, as roff wants it. */
static void prose(struct buf *b, const char *text)
{
	size_t column = 0;
	for (const char *p = text; *p; p++, column++) {
		bool ends = p > text && p[-1] == '.';
		if (*p == ' ' && (ends || column + strcspn(p + 1, " ") > 70) && p[1] != '.') {
			buf_addc(b, '\n');
			column = 0;
		} else {
			roff_char(b, *p);
		}
	}
	buf_addc(b, '\n');
}

static void section(struct buf *b, const char *name)
{
	buf_addf(b, ".SH \"%s\"\n", name);
}

static void item(struct buf *b, const char *what, const char *text)
{
	buf_adds(b, ".TP\n\\fB");
	roff(b, what);
	buf_adds(b, "\\fR\n");
	prose(b, text);
}

static void option_item(struct buf *b, const struct cli_option *o)
{
	struct buf left;
	buf_init(&left, 200);
	manual_option(o, &left);
	item(b, left.p, o->help);
	buf_clear(&left);
}

static void synopsis(struct buf *b)
{
	section(b, "SYNOPSIS");
	const char *brk = "";
#define X(usage, what)                                                                                                 \
	buf_adds(b, brk);                                                                                                  \
	roff(b, usage);                                                                                                    \
	buf_addc(b, '\n');                                                                                                 \
	brk = ".br\n";
	MANUAL_USAGES(X)
#undef X
}

static void commands(struct buf *b)
{
	for (int i = 0; i < CMD_COUNT; i++) {
		const struct cli_command *cmd = &cli_commands[i];
		buf_adds(b, ".SS ");
		roff(b, cmd->name);
		buf_adds(b, *cmd->operands ? " " : "");
		roff(b, cmd->operands);
		buf_addc(b, '\n');
		prose(b, cmd->more);
		if (cmd->formats) {
			buf_adds(b, ".PP\nFormats: ");
			roff(b, cmd->formats);
			buf_adds(b, ".\n");
		}
		for (unsigned k = 0; k < cli_noptions; k++)
			if (manual_own(&cli_options[k]) && (cli_options[k].takers & (1U << i)))
				option_item(b, &cli_options[k]);
	}
}

static void conf_section(struct buf *b, const char *name)
{
	struct buf head;
	buf_init(&head, 200);
	buf_addf(&head, strcmp(name, "sluice") == 0 ? "[%s]" : "[%s \"NAME\"]", name);
	buf_adds(b, ".SS ");
	roff(b, head.p);
	buf_addc(b, '\n');
	buf_clear(&head);
}

static void conf_item(struct buf *b, const struct conf_key *k)
{
	struct buf what, help;
	buf_init(&what, 1024);
	buf_init(&help, 1024);
	buf_addf(&what, "%s = %s", k->key, k->type);
	buf_adds(&help, k->help);
	if (k->fallback && *k->fallback)
		buf_addf(&help, "; default %s", k->fallback);
	item(b, what.p, help.p);
	buf_clear(&what);
	buf_clear(&help);
}

static void configuration(struct buf *b)
{
	unsigned n;
	const struct conf_key *keys = conf_keys(&n);
	section(b, "CONFIGURATION");
	prose(b, "An INI file of sections and keys; # and ; start a comment. Unknown sections and keys are errors.");
	for (unsigned i = 0; i < n; i++) {
		if (i == 0 || strcmp(keys[i - 1].section, keys[i].section) != 0)
			conf_section(b, keys[i].section);
		conf_item(b, &keys[i]);
	}
}

static void rest(struct buf *b)
{
#define X(what, text) item(b, what, text);
	section(b, "EXIT STATUS");
	MANUAL_EXITS(X)
	section(b, "ENVIRONMENT");
	MANUAL_VARIABLES(X)
	section(b, "FILES");
	MANUAL_FILES(X)
	section(b, "EXAMPLES");
	MANUAL_EXAMPLES(X)
#undef X
}

void cli_man(struct buf *b)
{
	buf_adds(b, ".TH SLUICE 1 " MAN_DATE " \"sluice " SLUICE_VERSION "\" \"User Commands\"\n");
	section(b, "NAME");
	buf_adds(b, "sluice \\- " MANUAL_WHAT "\n");
	synopsis(b);
	section(b, "DESCRIPTION");
	prose(b, "sluice shows AWS data pipelines as they flow: queues, streams and functions, their backlog, errors and "
	         "alarms. "
	         "Without a command it opens the console. Common options may stand before or after the command.");
	section(b, "OPTIONS");
	for (unsigned i = 0; i < cli_noptions; i++)
		if (!manual_own(&cli_options[i]))
			option_item(b, &cli_options[i]);
	section(b, "COMMANDS");
	commands(b);
	configuration(b);
	rest(b);
}
