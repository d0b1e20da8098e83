/* Private to cli/: `alarms export`, `plan`, `drift` and `apply`, and how a plan is told. */
#ifndef CLI_ALARM_CODE_H
#define CLI_ALARM_CODE_H

#include "cli/args.h"
#include "cli/out.h"

int alarms_backtest(const struct cli *c, struct engine *g);
int alarms_enable(const struct cli *c, struct engine *g);
int alarms_disable(const struct cli *c, struct engine *g);
int alarms_set_state(const struct cli *c, struct engine *g);
int alarms_delete(const struct cli *c, struct engine *g);
int alarms_init(const struct cli *c, struct engine *g);
int alarms_export(const struct cli *c, struct engine *g);
int alarms_plan(const struct cli *c, struct engine *g);
int alarms_drift(const struct cli *c, struct engine *g);
int alarms_mute(const struct cli *c, struct engine *g);
int alarms_unmute(const struct cli *c, struct engine *g);
int alarms_apply(const struct cli *c, struct engine *g);

/* plan_print.c */
void plan_text(struct out *o, const struct alarm_code_result *r, bool drift);
void plan_outcomes_text(struct out *o, const struct alarm_code_result *r);
void plan_json(struct out *o, const struct alarm_code_result *r, bool applied);

#endif
