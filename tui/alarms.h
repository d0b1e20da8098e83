/* The alarms below the stage table. */
#ifndef TUI_ALARMS_H
#define TUI_ALARMS_H

#include "tui/view.h"

struct list_lines alarms_lines(const struct view *v);
void alarms_draw(struct view *v, int y, int h);  /* its title is one of the h rows */

#endif
