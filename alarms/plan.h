/* What is between an alarm file and the account, and what would have to be written; pure. The rules are docs/alarms.md's:
 * a setting that this build does not know is kept or its alarm refused, never erased; an alarm that somebody else keeps is refused
 * unless it is adopted; children come before their composites; nobody in a ring is written. */
#ifndef ALARMS_PLAN_H
#define ALARMS_PLAN_H

#include "alarms/file.h"
#include "core/model/alarm.h"
#include "core/model/alarm_plan.h"

#define ALARM_OWNER_TAG "sluice:owner"

struct live_alarm {
	const char *name, *arn;
	enum form_kind kind;
	const struct json *body;   /* as DescribeAlarms told it */
	bool tags_known;
	const char *tags_why;      /* why not; NULL */
	const struct alarm_tag *tags;
	unsigned ntags;
};

/* What makes one step come true. Texts are in the plan's arena. */
struct plan_act {
	const struct wish *wish;
	const struct live_alarm *live;         /* NULL: it is created */
	const char *body;                      /* to be sent; NULL: only tags differ */
	const struct alarm_tag *tags;          /* to be put; of one that is created they are in the body */
	unsigned ntags;
	const char *const *untag;              /* keys to be taken away */
	unsigned nuntag;
};

struct plan_in {
	const struct alarm_file *file;
	const struct live_alarm *live;         /* all that there are, sorted by name */
	unsigned nlive;
	bool adopt;
	bool drift;                            /* the question is what others changed: refuses nobody for being kept by somebody else */
};
/* acts[i] belongs to out->steps[i]; both in mem. */
void plan_make(struct arena *mem, const struct plan_in *in, struct alarm_plan *out, struct plan_act **acts);
const struct live_alarm *plan_live(const struct plan_in *in, const char *name);
void plan_note(struct arena *mem, struct plan_step *s, const char *note); /* appends */

/* After it was written: is what was read back what was wished, with what was kept? False: *why says what is not. */
bool plan_came_true(struct arena *mem, const struct plan_act *a, const struct json *read, const char **why);
/* Is the alarm still as it was when the plan was made? */
bool plan_untouched(struct arena *mem, const struct plan_act *a, const struct json *now);

/* Dollars a month, us-east-1's prices, without the free ten; NAN for what has no published price. */
double alarm_usd(const struct json *body);

#endif
