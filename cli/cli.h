/* The command line, first half: what was asked for. main.c then starts the engine, the console or the embedded AWS. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "core/conf.h"
#include "core/err.h"
#include "engine/engine.h"

enum cli_what { CLI_EXIT /* done already: help, version, or an error that was printed */, CLI_CONSOLE, CLI_COMMAND, CLI_SIM };

struct cli_command;
struct cli_args;
struct cli {
	enum cli_what what;
	int status;                          /* with CLI_EXIT */
	const struct cli_command *command;   /* with CLI_COMMAND */
	int argc; char **argv;               /* the command's operands; its options are in args */
	const char *config, *profile, *region, *endpoint_url, *cache, *format, *log;
	const char *demo;                    /* scenario; NULL = not a demo */
	int color;                           /* enum tui_color's values */
	enum conf_mode mode; bool mode_said;
	struct {
		unsigned port; const char *scenario; double speed; unsigned latency_ms; const char *region;
		const char **faults; unsigned nfaults, cfaults;
	} sim;
	unsigned deadline_s;                 /* -t; 0 = not given */
	const struct conf *conf;             /* set by main once it is read; NULL before */
	struct cli_args *args;               /* cli's own; cli_clear frees it */
};

/* Parses argv (kept, not copied). Never exits; errors are one line on stderr and CLI_EXIT. Scenario names come from main;
 * both arrays end with NULL. */
void cli_parse(struct cli *c, int argc, char **argv, const char *const *scenarios, const char *const *scenario_help);
void cli_clear(struct cli *c);
/* Runs c->command against a (not started) engine; returns the exit status. */
int cli_run(const struct cli *c, struct engine *g);
bool cli_command_needs_engine(const struct cli_command *cmd);
/* One line on stderr through the filter; returns the exit status that belongs to the error. --check maps every failure to 3. */
int cli_fail(const struct cli *c, const struct err *e);
/* There is no engine: cli_fail, but doctor still tells what it found. */
int cli_run_without(const struct cli *c, const struct err *why);

/* What was noted about the files read so far, a line each on stderr. Not for --check, whose streams a monitor reads, nor for
 * doctor, which lists it. */
void cli_note_files(const struct cli *c);

/* The configured target this run is about: the one the command's pipeline names, else the first; --profile and --region
 * choose among them. NULL when --profile names none of them, or there are none. */
const struct conf_target *cli_target(const struct cli *c, const struct conf *conf);
/* Starts the log that --log asks for, below $XDG_STATE_HOME; true without --log. */
bool cli_log(const struct cli *c, struct err *e);

/* ask.c: engine_options.ask_code on this terminal. */
bool cli_ask_code(void *ctx, const char *serial, char code[16]);

/* A private folder that goes when the process goes, however it ends: a small child holds the reading end of a pipe and
 * removes the folder when the writing end is gone. Open it before there are threads. */
struct cli_scratch { char *path; int pipe, pid; };
bool cli_scratch_open(struct cli_scratch *s, struct err *e);  /* below $TMPDIR, else /tmp; 0700 */
void cli_scratch_close(struct cli_scratch *s);                /* waits until the folder is gone; fine when never opened (zeroed) */

#endif
