/* Time travel in the console. In the past nothing is asked of AWS for the screen's sake, and nothing acts. */
#ifndef TUI_PAST_H
#define TUI_PAST_H

#include "tui/view.h"

bool past_instant(const char *text, int64_t now, int64_t *t); /* "-3h", "02:41", RFC 3339: not after now; false when it is none */
void past_arrived(struct view *v, struct result *r);          /* the answer of REQUEST_PAST; r stays the caller's */
void past_leave(struct view *v);

#endif
