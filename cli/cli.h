/* The command line, first half: what was asked for. main.c then starts the engine, the console or the embedded AWS. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "core/conf.h"
#include "core/err.h"
#include "engine/engine.h"

enum cli_what { CLI_EXIT /* done already: help, version, or an error that was printed */, CLI_CONSOLE, CLI_COMMAND, CLI_SIM };

struct cli_command;
struct cli {
	enum cli_what what;
	int status;                          /* with CLI_EXIT */
	const struct cli_command *command;   /* with CLI_COMMAND */
	int argc; char **argv;               /* the command's own arguments, options included */
	const char *config, *profile, *region, *endpoint_url, *cache, *format, *log;
	const char *demo;                    /* scenario; NULL = not a demo */
	int color;                           /* enum tui_color's values */
	enum conf_mode mode; bool mode_said;
	struct { unsigned port; const char *scenario; double speed; unsigned latency_ms; const char *region; } sim;
};

/* Parses argv (kept, not copied). Never exits; errors are one line on stderr and CLI_EXIT. Scenario names come from main. */
void cli_parse(struct cli *c, int argc, char **argv, const char *const *scenarios, const char *const *scenario_help);
/* Runs c->command against a (not started) engine; returns the exit status. */
int cli_run(const struct cli *c, struct engine *g);
bool cli_command_needs_engine(const struct cli_command *cmd);
/* One line on stderr through the filter; returns the exit status that belongs to the error. --check maps every failure to 3. */
int cli_fail(const struct cli *c, const struct err *e);

#endif
