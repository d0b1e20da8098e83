/* The console: owns the terminal and the signals from tui_run on; never touches network, disk or a parse. */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "engine/engine.h"

enum tui_color { TUI_COLOR_AUTO, TUI_COLOR_ALWAYS, TUI_COLOR_NEVER };
struct tui_options {
	struct engine *engine;     /* started */
	enum tui_color color;
	const char *target_name;   /* row 1: the configured target's or profile's name; NULL = profile */
	bool production;
	enum conf_mode grant;      /* the most that W can open */
	bool quiet, untitled;      /* no bell on a new alarm; the window keeps its title */
	const char *demo;          /* the scenario: row 1 says DEMO instead of the endpoint; NULL = no demo */
};
/* Returns the exit status: 0, or 2 without a usable terminal (one plain line on stderr). */
int tui_run(const struct tui_options *o);

#endif
