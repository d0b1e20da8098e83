/* The alarms below the stage table. */
#ifndef TUI_ALARMS_H
#define TUI_ALARMS_H

#include "tui/view.h"

struct list_lines alarms_lines(const struct view *v);
void alarms_draw(struct view *v, int y, int h);  /* its title is one of the h rows */

/* Shared with the alarms screen (scr_alarms.c). */
enum health alarm_health(const struct snapshot *snap, enum alarm_state s); /* what could not be read again is old */
void alarm_words(const struct alarm *a, char *what, size_t nwhat, char *on, size_t non); /* "ErrorRate", "orders-enrich" */
void alarm_condition(const struct alarm *a, const char *what, char *out, size_t size);   /* "Visible > 0" */

#endif
