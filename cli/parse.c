/* argv into struct cli. Three steps: the words are split into options and operands (each option of each command is known
 * from the start, so that options may stand anywhere), the command is settled, and then the options are checked against it
 * and set in the order given. */
#include "cli/args.h"
#include "cli/check.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* Named by the contract, not built yet: refused by name, so that no script believes it was heard. */
static const char *const later_options[] = { "--baseline", "--baseline-max-ratio", "--drift", "--quality", NULL };
static const char *const later_commands[] = { "quality", "cost", NULL };

struct word {
	const struct cli_option *option;
	const char *value;
};
struct words {
	struct cli *c;
	char **argv;
	int argc, i;
	struct word *word;
	unsigned n;
	bool plain; /* after -- */
};

static bool usage(struct err *e, const char *where, const char *why, const char *near)
{
	return near ? err_set(e, ERR_USAGE, where, "%s, did you mean %s?", why, near)
	            : err_set(e, ERR_USAGE, where, "%s", why);
}

static const struct cli_option *option_named(const char *name, size_t n)
{
	for (unsigned i = 0; i < cli_noptions; i++)
		if (strlen(cli_options[i].name) == n && memcmp(cli_options[i].name, name, n) == 0)
			return &cli_options[i];
	return NULL;
}

static const struct cli_option *option_lettered(char letter)
{
	for (unsigned i = 0; i < cli_noptions; i++)
		if (cli_options[i].letter == letter)
			return &cli_options[i];
	return NULL;
}

static bool in_list(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list;
}

static bool unknown_option(const char *name, struct err *e)
{
	if (in_list(later_options, name))
		return usage(e, name, "not in this version", NULL);
	const char *names[128];
	unsigned n = 0;
	for (; n < cli_noptions && n < 127; n++)
		names[n] = cli_options[n].name;
	names[n] = NULL;
	return usage(e, name, "unknown option", cli_near(name, names));
}

static const char *whole_name(const struct cli_option *o, const char *typed, char letter[3])
{
	if (typed[1] == '-')
		return o->name;
	memcpy(letter, (char[3]){ '-', o->letter, '\0' }, 3);
	return letter;
}

/* The value that stands in the next word. One that looks like an option is one that was forgotten. */
static bool next_value(struct words *w, const struct cli_option *o, const char *typed, const char **value,
                       struct err *e)
{
	char letter[3];
	const char *next = w->i + 1 < w->argc ? w->argv[w->i + 1] : NULL;
	if (!next || strncmp(next, "--", 2) == 0)
		return err_set(e, ERR_USAGE, whole_name(o, typed, letter), "needs a value: %s", o->arg);
	w->i++;
	*value = next;
	return true;
}

static bool split_long(struct words *w, const char *text, struct word *out, struct err *e)
{
	const char *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : strlen(text);
	const struct cli_option *o = option_named(text, n);
	if (!o) {
		char name[64];
		n = n < sizeof name ? n : sizeof name - 1;
		memcpy(name, text, n);
		name[n] = '\0';
		return unknown_option(name, e);
	}
	*out = (struct word){ o, equals ? equals + 1 : NULL };
	if (!o->arg)
		return !equals || usage(e, o->name, "takes no value", NULL);
	return equals || o->arg[0] == '[' || next_value(w, o, text, &out->value, e);
}

static bool split_short(struct words *w, const char *text, struct word *out, struct err *e)
{
	const struct cli_option *o = option_lettered(text[1]);
	if (!o)
		return usage(e, text, "unknown option", NULL);
	*out = (struct word){ o, text[2] ? text + 2 : NULL };
	if (!o->arg) { /* a flag's letter may be repeated: -vv */
		size_t n = strlen(text + 1);
		char letters[] = { text[1], '\0' };
		out->value = text + 1;
		return strspn(text + 1, letters) == n || usage(e, text, "unknown option", NULL);
	}
	return text[2] || next_value(w, o, text, &out->value, e);
}

static const struct cli_command *command_named(const char *name)
{
	for (int i = 0; i < CMD_COUNT; i++)
		if (strcmp(cli_commands[i].name, name) == 0 && i != CMD_CHECK)
			return &cli_commands[i];
	return NULL;
}

static bool unknown_command(const char *name, struct err *e)
{
	if (in_list(later_commands, name))
		return usage(e, name, "not in this version", NULL);
	const char *names[CMD_COUNT + 1] = { NULL };
	for (int i = 0; i < CMD_COUNT; i++)
		names[i] = cli_commands[i].name;
	return usage(e, *name ? name : "''", "unknown command",
	             strcmp(name, "check") == 0 ? "--check" : cli_near(name, names));
}

/* The first operand is the command; it is settled at once, so that an unknown one is named before its options are. */
static bool take_operand(struct words *w, char *text, struct err *e)
{
	struct cli *c = w->c;
	if (c->command) {
		c->argv[c->argc++] = text;
		return true;
	}
	c->command = command_named(text);
	return c->command || unknown_command(text, e);
}

static bool take_option(struct words *w, const char *text, struct err *e)
{
	struct word *word = &w->word[w->n];
	if (text[1] == '-' ? !split_long(w, text, word, e) : !split_short(w, text, word, e))
		return false;
	w->n++;
	w->c->args->help |= strcmp(word->option->name, "--help") == 0;
	w->c->args->version |= strcmp(word->option->name, "--version") == 0;
	return true;
}

/* An option, not an operand: "-" is none, nor is a negative number. */
static bool is_option(const struct words *w, const char *text)
{
	return !w->plain && text[0] == '-' && text[1] && !strchr("0123456789.", text[1]);
}

static bool split(struct words *w, struct err *e)
{
	for (; w->i < w->argc; w->i++) {
		char *text = w->argv[w->i];
		if (!w->plain && strcmp(text, "--") == 0)
			w->plain = true;
		else if (is_option(w, text) ? !take_option(w, text, e) : !take_operand(w, text, e))
			return false;
	}
	return true;
}

/* --check decides which exit status errors have, so it is looked for before anything can fail. */
static bool asks_check(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--check") == 0)
			return true;
	return false;
}

/* So is the format: a monitoring server wants to be told on standard output what is wrong with its own command line. */
static const char *asks_format(int argc, char **argv)
{
	const char *format = NULL;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strncmp(argv[i], "--format=", 9) == 0)
			format = argv[i] + 9;
		else if (strcmp(argv[i], "--format") == 0 && i + 1 < argc)
			format = argv[++i];
	return format;
}

static bool settle(struct cli *c, struct err *e)
{
	const struct cli_command *cmd = c->command;
	if (!cmd)
		return true;
	if (c->argc > cmd->max && cmd->id == CMD_CHECK)
		return usage(e, c->argv[0], "--check takes no command and no operand", NULL);
	if (c->argc > cmd->max)
		return err_set(e, ERR_USAGE, c->argv[cmd->max], "one too many; usage: sluice %s %s", cmd->name, cmd->operands);
	if (c->argc < cmd->min)
		return err_set(e, ERR_USAGE, cmd->name, "needs %s", cmd->operands);
	return true;
}

/* "only with --check", "only with status, history" */
static bool not_taken(const struct cli *c, const struct cli_option *o, struct err *e)
{
	struct buf b;
	buf_init(&b, 200);
	for (int i = 0; i < CMD_COUNT; i++)
		if (o->takers & (1U << i))
			buf_addf(&b, "%s%s", b.n ? ", " : "", cli_commands[i].name);
	err_set(e, ERR_USAGE, o->name, "only with %s, not with %s", b.p ? b.p : "",
	        c->command ? c->command->name : "the console");
	buf_clear(&b);
	return false;
}

static bool set_options(struct words *w, struct err *e)
{
	unsigned taker = w->c->command ? 1U << w->c->command->id : FOR_CONSOLE;
	for (unsigned i = 0; i < w->n; i++) {
		const struct cli_option *o = w->word[i].option;
		if (!(o->takers & taker))
			return not_taken(w->c, o, e);
		if (!o->set(w->c, w->word[i].value, e)) {
			struct err why = *e;
			return err_set(e, ERR_USAGE, o->name, "%s", why.text);
		}
	}
	return true;
}

static bool known_format(const struct cli *c, struct err *e)
{
	const struct cli_command *cmd = c->command;
	if (!c->format || cli_listed(cmd->formats, c->format))
		return true;
	return err_set(e, ERR_USAGE, "--format", "%s has %s, not '%s'", cmd->name, cmd->formats, c->format);
}

/* Each --metric gets its own ranges or the defaults. */
static bool finish_check(struct cli_args *a, const char *format, struct err *e)
{
	if (!a->check.nmetrics && (a->warning || a->critical))
		return usage(e, a->warning ? "-w" : "-c", "needs a --metric to belong to", NULL);
	for (unsigned i = 0; i < a->check.nmetrics; i++) {
		struct check_metric *m = &a->metrics[i];
		m->warning = m->warning ? m->warning : a->warning;
		m->critical = m->critical ? m->critical : a->critical;
	}
	if (a->nout > 1 && (!format || strcmp(format, "gitlab") != 0))
		return usage(e, "--out", "two files only with --format gitlab", NULL);
	if (a->fail_limit_said && a->until_ok)
		return usage(e, "--fail-limit", "belongs to --for alone, not to --until-ok", NULL);
	a->check.metrics = a->metrics;
	a->check.select = a->select;
	return true;
}

/* The demo has its own account and history. Whoever names another is told, lest they take it for theirs. */
static void say_unused(const struct cli *c)
{
	const char *const given[] = { c->config, c->profile, c->region, c->endpoint_url, c->cache };
	static const char *const names[] = { "--config", "--profile", "--region", "--endpoint-url", "--cache" };
	struct buf line;
	buf_init(&line, 200);
	for (unsigned i = 0; c->demo && i < sizeof given / sizeof given[0]; i++)
		if (given[i])
			buf_addf(&line, "%s%s", line.n ? ", " : "", names[i]);
	if (line.n) {
		buf_adds(&line, ": not used with --demo");
		cli_say(line.p);
	}
	buf_clear(&line);
}

static bool finish(struct cli *c, struct err *e)
{
	const char *no_color = getenv("NO_COLOR");
	say_unused(c);
	if (c->color == 0 && no_color && *no_color)
		c->color = 2;
	if (!c->command) {
		c->what = CLI_CONSOLE;
		return true;
	}
	c->what = c->command->id == CMD_SIM ? CLI_SIM : CLI_COMMAND;
	if (c->what == CLI_SIM && c->demo)
		return usage(e, "--demo", "sim is the embedded AWS itself; see --scenario", NULL);
	c->sim.region = c->region;
	return known_format(c, e) && (c->command->id != CMD_CHECK || finish_check(c->args, c->format, e));
}

static bool parse(struct words *w, struct err *e)
{
	struct cli *c = w->c;
	bool ok = split(w, e);
	if (c->args->help || c->args->version) /* asked before what is wrong was read */
		return true;
	return ok && settle(c, e) && set_options(w, e) && finish(c, e);
}

static int print_version(const struct cli *c)
{
	struct buf b;
	buf_init(&b, 100);
	buf_adds(&b, "sluice " SLUICE_VERSION "\n");
	return cli_print(c, &b);
}

static int print_help(const struct cli *c)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	cli_help(&b, c->command);
	const struct check_format *f = c->command && c->command->id == CMD_CHECK ? check_format(c->format) : NULL;
	int status = cli_print(c, &b);
	return status || !f ? status : f->help;
}

static int print_scenarios(const struct cli *c)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	for (unsigned i = 0; c->args->scenarios[i]; i++)
		buf_addf(&b, "%-14s %s\n", c->args->scenarios[i], c->args->scenario_help[i]);
	return cli_print(c, &b);
}

static void settle_exit(struct cli *c, bool ok, const struct err *e)
{
	if (!ok)
		c->status = cli_fail(c, e);
	else if (c->args->version)
		c->status = print_version(c);
	else if (c->args->help)
		c->status = print_help(c);
	else if (c->demo && strcmp(c->demo, "list") == 0)
		c->status = print_scenarios(c);
	else
		return;
	c->what = CLI_EXIT;
}

void cli_parse(struct cli *c, int argc, char **argv, const char *const *scenarios, const char *const *scenario_help)
{
	struct err e = { 0 };
	*c = (struct cli){ .what = CLI_EXIT, .args = xcalloc(1, sizeof *c->args) };
	c->args->scenarios = scenarios;
	c->args->scenario_help = scenario_help;
	c->args->unknown_is = VERDICT_UNKNOWN;
	c->args->check.delay_s = -1;
	c->argv = xcalloc((size_t)argc + 1, sizeof *c->argv);
	if (asks_check(argc, argv)) {
		c->command = &cli_commands[CMD_CHECK];
		c->format = asks_format(argc, argv);
	}
	struct words w = { .c = c, .argv = argv, .argc = argc, .i = 1, .word = xcalloc((size_t)argc + 1, sizeof *w.word) };
	settle_exit(c, parse(&w, &e), &e);
	free(w.word);
}

void cli_clear(struct cli *c)
{
	if (c->args) {
		free(c->args->metrics);
		free(c->args->select);
		free(c->args->dims);
	}
	free(c->args);
	free(c->argv);
	free(c->sim.faults);
	c->sim.faults = NULL;
	c->args = NULL;
	c->argv = NULL;
}
