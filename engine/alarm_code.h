/* Alarms as code, shared by alarm_plan.c and alarm_apply.c: what was read and planned, kept until the next plan is made. */
#ifndef ENGINE_ALARM_CODE_H
#define ENGINE_ALARM_CODE_H

#include "alarms/plan.h"
#include "engine/alarm_facts.h"
#include "engine/alarm_requests.h"

struct tag_ask { /* of one live alarm that the file names */
	struct alarm_code *code;
	struct live_alarm *live;
	struct alarm_tags_in in;
	struct alarm_tags_out out;
	struct err err;
	bool asked;
};

struct alarm_code {
	struct arena mem;
	uint64_t id;
	struct alarm_file file;
	bool adopt, drift;
	struct describe_alarms_in in;
	struct describe_alarms_out out; /* the documents that live bodies are in */
	struct err err;
	bool answered;
	struct live_alarm *live;        /* sorted by name */
	unsigned nlive;
	struct tag_ask *tags;           /* one each of live */
	unsigned waiting;
	struct alarm_facts facts;
	struct alarm_plan plan;
	struct plan_act *acts;
};

/* "cloudwatch:PutMetricAlarm: denied: allow ...", raw. */
const char *alarm_code_why(struct arena *mem, const struct err *e);
/* Fills the result's plan from what is known now. */
void alarm_code_give(const struct alarm_code *c, struct alarm_code_result *r);

#endif
