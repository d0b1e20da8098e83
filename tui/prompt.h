/* The one line that can be typed: the filter of the overview, a command, what the palette looks for, the code of an MFA device. */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include "tui/view.h"

void prompt_open(struct view *v, const struct prompt_kind *kind, const char *text); /* text: what stands there already */
void prompt_remember(struct typed *t, const char *line);
void prompt_recall(struct typed *t, int direction, char text[FILTER_SIZE]); /* -1: an older one */
void prompt_type(struct view *v, uint32_t key);
void overview_filter(struct view *v, const char *filter); /* scr_list.c: applied while it is typed */

#endif
