/* The alarms below the stage table. */
#ifndef TUI_ALARMS_H
#define TUI_ALARMS_H

#include "tui/pane.h"

struct list_lines alarms_lines(const struct view *v);
void alarms_draw(struct view *v, struct area a);
bool alarm_watches(const struct alarm *a, const struct row *r, const struct metric_info *m); /* this metric of this row? */

#endif
