/* The steps of the requests about alarms and topics (inside.h has the task). */
#ifndef ENGINE_ALARM_REQUESTS_H
#define ENGINE_ALARM_REQUESTS_H

#include "engine/inside.h"

/* alarm_plan.c, alarm_apply.c: alarms as code */
void alarm_code_step(struct engine *g, struct task *t);
void alarm_apply_step(struct engine *g, struct task *t);
void alarm_code_abandon(struct task *t);
void alarm_code_forget(struct engine *g);
void topics_step(struct engine *g, struct task *t); /* topics.c */
void topics_abandon(struct task *t);
void alarm_act_step(struct engine *g, struct task *t); /* alarm_act.c */
void alarm_act_abandon(struct task *t);
void alarm_init_step(struct engine *g, struct task *t); /* alarm_init.c */
void alarm_init_abandon(struct task *t);

#endif
