/* The commands that are typed after ':'. One row here is all that a new one needs, and one function typed_ID. */
#ifndef TUI_COMMAND_H
#define TUI_COMMAND_H

#include "tui/view.h"

/*  X(ID, arguments, help, the i-th thing its argument can be or NULL) */
#define COMMANDS(X)                                                              \
	X(open, "NAME", "open a stage", arg_stage)                                    \
	X(pipeline, "[NAME]", "one pipeline and its flow", arg_pipeline)              \
	X(overview, "", "all pipelines", NULL)                                        \
	X(filter, "[WORDS]", "show what matches; none: all", NULL)                    \
	X(sort, "[COLUMN]", "sort by a column; none: flow order", arg_sort)           \
	X(range, "LENGTH", "how far back the charts reach", arg_range)                \
	X(times, "STYLE", "how instants are written", arg_times)                      \
	X(glyphs, "LEVEL", "what charts are drawn with", arg_glyphs)                  \
	X(note, "[kind=incident] TEXT", "a note among the events", NULL)              \
	X(then, "[-3h, 02:41]", "everything as it was then; none: live", NULL)        \
	X(unmark, "", "no marks and no pins any more", NULL)                          \
	X(bell, "on|off", "ring on a new alarm", arg_switch)                          \
	X(title, "on|off", "alarms in the window's title", arg_switch)                \
	X(keys, "", "all keys", NULL)                                                 \
	X(quit, "", "end sluice", NULL)

struct command {
	const char *name, *args, *help;
	bool (*run)(struct view *v, const char *args);                /* false: the arguments are none of its */
	const char *(*arg)(const struct view *v, unsigned i);         /* NULL: nothing to complete */
};
extern const struct command commands[];
extern const unsigned ncommands;

/* Completes text in place as far as all candidates agree, and lists these in hint when there are several. */
void command_complete(const struct view *v, char *text, size_t size, char *hint, size_t nhint);

#define X(id, args, help, arg) bool typed_##id(struct view *v, const char *args_given);
COMMANDS(X)
#undef X

#endif
