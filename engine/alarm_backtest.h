/* The back-test of one alarm's answer (alarm_points.c has the datapoints). */
#ifndef ENGINE_ALARM_BACKTEST_H
#define ENGINE_ALARM_BACKTEST_H

#include "alarms/backtest.h"
#include "engine/inside.h"

/* By the result's line, which is there, and its history: all of the result's backtest but what concerns as-seen. */
void backtest_final(struct engine *g, struct task *t, const struct eval_rule *rule);
/* The same rule over the same span, by what the history first had. */
void backtest_seen(struct task *t, const struct eval_rule *rule, const struct alarm_line *line);

#endif
