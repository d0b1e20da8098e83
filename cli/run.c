/* The command table, dispatch, and the lines on standard error. */
#include "cli/args.h"
#include "cli/check.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define X(id, name, operands, min, max, formats, engine, run, help, more)                                              \
	[CMD_##id] = { CMD_##id, name, operands, min, max, formats, engine, run, help, more },
const struct cli_command cli_commands[CMD_COUNT] = { CLI_COMMANDS(X) };
#undef X

static void say_clock(void)
{
	int64_t off = clock_correction();
	char line[128], age[TEXT_NUM];
	text_duration(off < 0 ? -off : off, age);
	snprintf(line, sizeof line, "clock: this machine's is %s %s AWS's, which is followed", age,
	         off > 0 ? "behind" : "ahead of");
	if (off)
		cli_say(line);
}

int cli_run(const struct cli *c, struct engine *g)
{
	int status = c->command->run(c, g);
	if (c->command->id != CMD_DOCTOR) /* which says it in its place */
		say_clock();
	return status;
}

bool cli_command_needs_engine(const struct cli_command *cmd)
{
	return cmd && cmd->engine;
}

bool cli_is_json(const struct cli *c)
{
	return c->format && strcmp(c->format, "json") == 0;
}

/* A line that cannot be written has nobody to tell. In a GitHub job standard error is read for commands, too. */
static void say(const char *line, size_t n)
{
	struct buf b;
	buf_init(&b, 65536);
	check_github_guard(&b, (struct span){ line, n });
	ssize_t written = write(STDERR_FILENO, b.p, b.n);
	(void)written;
	buf_clear(&b);
}

bool cli_is_visible(struct span s)
{
	for (size_t i = 0; i < s.n;) {
		uint32_t cp;
		unsigned n = text_decode(s.p + i, s.n - i, &cp);
		if (!n || !text_is_safe(cp))
			return false;
		i += n;
	}
	return true;
}

static void say_visible(const char *visible, const char *more)
{
	struct buf b;
	buf_init(&b, 16384);
	if (!buf_addf(&b, "sluice: %s%s\n", visible, more))
		buf_adds(&b, "sluice: the reason is too long to be printed\n");
	say(b.p, b.n);
	buf_clear(&b);
}

void cli_say(const char *text)
{
	struct buf b;
	buf_init(&b, 8192);
	text_visible(&b, span_of(text));
	say_visible(b.p ? b.p : "", "");
	buf_clear(&b);
}

void cli_note(const char *about, const char *text)
{
	char *line = xasprintf("note: %s: %s", about, text);
	cli_say(line);
	free(line);
}

void cli_note_files(const struct cli *c)
{
	struct file_note notes[FILE_NOTES];
	bool tells = c->command && (c->command->id == CMD_CHECK || c->command->id == CMD_DOCTOR);
	unsigned n = tells ? 0 : file_notes(notes);
	for (unsigned i = 0; i < n; i++)
		cli_note(notes[i].path, notes[i].text);
}

void cli_say_causes(unsigned n, unsigned most, void (*line)(const void *ctx, unsigned i, struct buf *out),
                    const void *ctx)
{
	for (unsigned i = 0; i < n && i < most; i++) {
		struct buf b;
		char more[32] = "";
		buf_init(&b, 8192);
		line(ctx, i, &b);
		if (i + 1 == most && n > most)
			snprintf(more, sizeof more, " (and %u more)", n - most);
		say_visible(b.p ? b.p : "", more);
		buf_clear(&b);
	}
}

void cli_say_err(const struct err *e)
{
	char line[1024];
	err_line(e, line, sizeof line - 1);
	size_t n = strlen(line);
	line[n++] = '\n';
	say(line, n);
}

int cli_fail(const struct cli *c, const struct err *e)
{
	bool check = c && c->command && c->command->id == CMD_CHECK;
	cli_say_err(e);
	if (check && c->format && strcmp(c->format, "nagios") == 0)
		check_nagios_fail(e);
	bool plan = c && c->command && c->command->id == CMD_ALARMS && c->argc > 0 && cli_listed("plan drift", c->argv[0]);
	return check ? 3 : plan ? 1 : err_exit(e->code);
}

int cli_run_without(const struct cli *c, const struct err *why)
{
	bool doctor = c->what == CLI_COMMAND && c->command->id == CMD_DOCTOR;
	return doctor ? cmd_doctor_without(c, why) : cli_fail(c, why);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static const char *pipeline_target(const struct cli *c, const struct conf *conf)
{
	if (!c->command || c->command->id != CMD_STATUS || c->argc < 1)
		return NULL;
	for (unsigned i = 0; i < conf->npipelines; i++)
		if (same(conf->pipelines[i].name, c->argv[0]))
			return conf->pipelines[i].target;
	return NULL;
}

/* --profile names another account, so a target of another profile must not lend it its region or its name; --region only
 * prefers among targets, as one account has many. */
const struct conf_target *cli_target(const struct cli *c, const struct conf *conf)
{
	const struct conf_target *found = NULL;
	const char *wanted = pipeline_target(c, conf);
	int best = -1;
	for (unsigned i = 0; i < conf->ntargets; i++) {
		const struct conf_target *t = &conf->targets[i];
		int score = 2 * same(t->name, wanted) + (c->region && same(t->region, c->region));
		if (c->profile && !same(t->profile, c->profile))
			continue;
		if (score > best) {
			best = score;
			found = t;
		}
	}
	return found;
}

bool cli_log(const struct cli *c, struct err *e)
{
	if (!c->log)
		return true;
	char *folder = conf_default_state();
	if (!folder)
		return err_set(e, ERR_CONF, "--log", "neither XDG_STATE_HOME nor HOME says where the log goes");
	char *path = xasprintf("%s/sluice.log", folder);
	bool ok = file_folder(folder, true, e) && log_open(path, c->log, e);
	free(path);
	free(folder);
	return ok;
}
