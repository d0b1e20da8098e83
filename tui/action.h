/* Every key, once. Keymap, footer and help screen are made from this table; no key is compared anywhere else. An action is
 * one row here and one function act_ID. */
#ifndef TUI_ACTION_H
#define TUI_ACTION_H

#include "tui/screen.h"

#include <stdint.h>

struct view;

#define IN(screen) (1u << SCREEN_##screen)
#define TABLES (IN(OVERVIEW) | IN(PIPELINE))
#define IN_PROMPT (1u << 31)
#define IN_SCREENS (~IN_PROMPT)

/*  X(ID, keys, where, group, footer hint or NULL, help) */
#define ACTIONS(X)                                                                                      \
	X(down, "j Down", IN_SCREENS, MOVE, NULL, "down")                                                      \
	X(up, "k Up", IN_SCREENS, MOVE, NULL, "up")                                                            \
	X(first, "g Home", IN_SCREENS, MOVE, NULL, "first")                                                    \
	X(last, "G End", IN_SCREENS, MOVE, NULL, "last")                                                       \
	X(half_down, "Ctrl-D", IN_SCREENS, MOVE, NULL, "half a page down")                                     \
	X(half_up, "Ctrl-U", IN_SCREENS, MOVE, NULL, "half a page up")                                         \
	X(page_down, "PgDn", IN_SCREENS, MOVE, NULL, "a page down")                                            \
	X(page_up, "PgUp", IN_SCREENS, MOVE, NULL, "a page up")                                                \
	X(open, "Enter l", TABLES | IN(ALARMS), MOVE, "open", "open the selected stage")                        \
	X(pane, "Tab", TABLES, MOVE, "pane", "to the alarms and back")                                   \
	X(next_problem, "n", TABLES | IN(DETAIL), MOVE, "problem", "next problem")                       \
	X(previous_problem, "N", TABLES | IN(DETAIL), MOVE, NULL, "previous problem")                    \
	X(go_overview, "1", IN_SCREENS, MOVE, NULL, "all pipelines")                                            \
	X(go_pipeline, "2 f", TABLES | IN(DETAIL), MOVE, "flow", "one pipeline and its flow")                   \
	X(alarms, "3", IN_SCREENS, MOVE, NULL, "alarms, and who is told")                                       \
	X(errors, "e", TABLES | IN(DETAIL) | IN(ALARMS), MOVE, "errors", "a function's errors")                 \
	X(events, "5", IN_SCREENS, MOVE, NULL, "what happened")                                                 \
	X(event, "Enter l", IN(EVENTS), MOVE, "open", "all of one event")                                       \
	X(event_filter, "/", IN(EVENTS), FIND, "filter", "filter events by words")                              \
	X(past, "t", IN_SCREENS & ~IN(FIRST), TIME, NULL, "a past instant; live again")                         \
	X(replay, "4 R", IN_SCREENS & ~IN(FIRST), MOVE, NULL, "replay: groups, plan, runs")                       \
	X(filter, "/", TABLES, FIND, "filter", "filter (!word leaves out)")                              \
	X(command, ":", IN_SCREENS, FIND, "command", "a command; Tab completes")                                \
	X(palette, "Ctrl-P", IN_SCREENS, FIND, "find", "find a stage, alarm, act")                              \
	X(sort, "s", TABLES, FIND, "sort", "sort by the next column")                                    \
	X(sort_reverse, "S", TABLES, FIND, NULL, "sort the other way round")                             \
	X(mark, "Space", TABLES, FIND, NULL, "mark, unmark")                                                    \
	X(pin, "*", TABLES, FIND, NULL, "pin on top, let go")                                                   \
	X(first_all, "a", IN(FIRST), FIRST, "everything", "watch all, in the budget")                          \
	X(first_pipeline, "p Enter", IN(FIRST), FIRST, "pipeline", "watch the selected pipeline")              \
	X(first_tag, "t", IN(FIRST), FIRST, "tag", "watch what carries a tag")                                 \
	X(first_prefix, "/", IN(FIRST), FIRST, "prefix", "watch what is named alike")                          \
	X(first_keep, "y", IN(FIRST), FIRST, "yes", "yes: save the choice, begin")                             \
	X(inspect, "I", IN_SCREENS & ~IN(FIRST), ACT, NULL, "allow inspecting, or not")                         \
	X(writes, "W", IN_SCREENS & ~IN(FIRST), ACT, NULL, "open writing for 15m, close it")                    \
	X(write, "x", IN_SCREENS & ~IN(FIRST), ACT, NULL, "a write: then a letter")                             \
	X(replay_plan, "p", IN(REPLAY), ACT, "plan", "receive, group, plan")                                    \
	X(replay_open, "Enter l", IN(REPLAY), ACT, "open", "open the selected run")                             \
	X(replay_pause, "p", IN(RUN), ACT, "pause", "pause the run")                                            \
	X(replay_faster, "+ =", IN(RUN), ACT, "faster", "a higher rate")                                        \
	X(replay_slower, "-", IN(RUN), ACT, "slower", "a lower rate")                                           \
	X(replay_stop, "S", IN(RUN), ACT, "stop", "stop the run for good")                                      \
	X(range_less, "[", IN(DETAIL) | IN(ALARMS) | IN(ERRORS), TIME, "shorter", "shorter range")                          \
	X(range_more, "]", IN(DETAIL) | IN(ALARMS) | IN(ERRORS), TIME, "longer", "longer range")                            \
	X(pan_past, "<", IN(DETAIL), TIME, NULL, "charts to the past")                                          \
	X(pan_now, ">", IN(DETAIL), TIME, NULL, "charts towards now")                                           \
	X(zoom_in, "+ =", IN(DETAIL), TIME, NULL, "shorter, around the cursor")                                 \
	X(zoom_out, "-", IN(DETAIL), TIME, NULL, "longer, around the cursor")                                   \
	X(cursor, "c", IN(DETAIL), TIME, "cursor", "cursor on the charts")                                     \
	X(cursor_left, "Left", IN(DETAIL), TIME, NULL, "cursor to the past")                                   \
	X(cursor_right, "Right", IN(DETAIL), TIME, NULL, "cursor towards now")                                 \
	X(freeze, "Z", IN_SCREENS, TIME, NULL, "freeze, unfreeze")                                              \
	X(times, "T", IN_SCREENS, TIME, NULL, "UTC, local time, ages")                                          \
	X(copy, "y", TABLES | IN(DETAIL), SHARE, "copy", "copy as Markdown (OSC 52)")                            \
	X(copy_command, "Y", TABLES | IN(DETAIL), SHARE, NULL, "copy as shell command")                         \
	X(zoom_pane, "z", TABLES, VIEW, NULL, "this pane alone")                                                \
	X(refresh, "r", IN_SCREENS, VIEW, "refresh", "ask AWS now")                                            \
	X(code, "A", IN_SCREENS, VIEW, NULL, "type the MFA code")                                              \
	X(glyphs, "V", IN_SCREENS, VIEW, NULL, "ASCII, blocks or braille")                                     \
	X(redraw, "Ctrl-L", IN_SCREENS | IN_PROMPT, VIEW, NULL, "paint the screen afresh")                     \
	X(help, "?", IN_SCREENS, VIEW, "help", "this help")                                                    \
	X(suspend, "Ctrl-Z", IN_SCREENS | IN_PROMPT, VIEW, NULL, "to the shell; fg returns")                   \
	X(interrupt, "Ctrl-C", IN_SCREENS | IN_PROMPT, VIEW, NULL, "cancel; twice: quit")                      \
	X(leave, "Esc h", IN_SCREENS, MOVE, NULL, "back; at top: filter off")                                  \
	X(back, "q", IN_SCREENS, MOVE, "back", "back; at top: quit")                                           \
	X(prompt_accept, "Enter", IN_PROMPT, PROMPT, "keep", "keep what is typed")                                \
	X(prompt_cancel, "Esc", IN_PROMPT, PROMPT, "cancel", "as it was")                           \
	X(prompt_up, "Up Ctrl-P", IN_PROMPT, PROMPT, NULL, "the one before")                                    \
	X(prompt_down, "Down Ctrl-N", IN_PROMPT, PROMPT, NULL, "the next one")                                  \
	X(prompt_complete, "Tab", IN_PROMPT, PROMPT, NULL, "complete a command")                                \
	X(prompt_erase, "Backspace", IN_PROMPT, PROMPT, NULL, "erase a character")                             \
	X(prompt_erase_all, "Ctrl-U", IN_PROMPT, PROMPT, NULL, "erase all")

#define ACTION_GROUPS(X)                                                                                \
	X(MOVE, "MOVE")                                                                                        \
	X(FIND, "FIND")                                                                                        \
	X(ACT, "ACT")                                                                                          \
	X(FIRST, "FIRST CONTACT")                                                                              \
	X(TIME, "TIME")                                                                                        \
	X(SHARE, "SHARE")                                                                                      \
	X(VIEW, "VIEW")                                                                                        \
	X(PROMPT, "WHILE TYPING")

enum action_group {
#define X(id, title) GROUP_##id,
	ACTION_GROUPS(X)
#undef X
	GROUP_COUNT
};

struct action {
	const char *name, *keys;
	unsigned where;
	enum action_group group;
	const char *hint, *help;
	void (*run)(struct view *v);
};
extern const struct action actions[];
extern const unsigned nactions;
const char *action_group_title(enum action_group g);

/* The action of a key in one of the places of `where`; NULL when the key does nothing there. */
const struct action *action_find(uint32_t key, unsigned where);

#define X(id, keys, where, group, hint, help) void act_##id(struct view *v);
ACTIONS(X)
#undef X

#endif
