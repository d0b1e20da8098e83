/* A screen is one file and one row here. It draws the rows between the header and the footer. */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "tui/list.h"

struct view;

/*  X(ID, variable) - in scr_*.c */
#define SCREENS(X)                  \
	X(OVERVIEW, screen_overview)    \
	X(PIPELINE, screen_pipeline)    \
	X(DETAIL, screen_detail)        \
	X(ALARMS, screen_alarms)        \
	X(ERRORS, screen_errors)        \
	X(EVENTS, screen_events)        \
	X(EVENT, screen_event)          \
	X(REPLAY, screen_replay)        \
	X(RUN, screen_run)              \
	X(HELP, screen_help)            \
	X(FIRST, screen_first)

enum screen_id {
#define X(id, variable) SCREEN_##id,
	SCREENS(X)
#undef X
	SCREEN_COUNT
};

struct screen {
	const char *name;
	const char *(*title)(const struct view *v);      /* row 1; NULL = name */
	void (*sync)(struct view *v);                    /* the snapshot or the filter has changed */
	void (*draw)(struct view *v, int y, int h);      /* over the whole width */
	void (*move)(struct view *v, enum move m);
};

const struct screen *screen_get(enum screen_id id);

#endif
