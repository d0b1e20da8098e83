/* Alarms in words and lines, for whoever shows them: the pane below the stages, the alarms screen, charts. */
#ifndef TUI_ALARMS_H
#define TUI_ALARMS_H

#include "tui/pane.h"

struct list_lines alarms_lines(const struct view *v);    /* all of them; where one pipeline is shown, those that watch it */
unsigned alarm_place(const struct view *v, unsigned line); /* in the snapshot */
void alarms_draw(struct view *v, struct area a);
bool alarm_watches(const struct alarm *a, const struct row *r, const struct metric_info *m); /* this metric of this row? */
enum health alarm_health(const struct snapshot *snap, enum alarm_state s);               /* what could not be read again is old */
void alarm_words(const struct alarm *a, char *what, size_t nwhat, char *on, size_t non); /* "ErrorRate", "orders-enrich" */
void alarm_condition(const struct alarm *a, const char *what, enum unit unit, char *out, size_t size); /* "Visible > 0" */
/* What it watches, as the screen knows it; NULL when it watches nothing that is shown. */
const struct reading *alarm_reading(const struct view *v, const struct alarm *a, const struct row **row);

const struct alarm *alarms_selected(const struct view *v); /* on the alarms screen; NULL: none */
/* mute.c: what tui.c is to ask; and its answer */
bool mute_question(struct view *v, struct request *rq);
void mute_answer(struct view *v, const struct result *r);

#endif
