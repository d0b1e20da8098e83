/* A CloudWatch alarm as it is seen (changing one is the alarms folder's job). */
#ifndef CORE_MODEL_ALARM_H
#define CORE_MODEL_ALARM_H

#include <stdbool.h>
#include <stdint.h>

enum alarm_state { ALARM_STATE_UNKNOWN, ALARM_STATE_OK, ALARM_STATE_ALARM, ALARM_STATE_INSUFFICIENT };

struct alarm {
	const char *name, *arn, *description, *reason;
	const char *metric;      /* canonical metric text, or the expression, or the rule of a composite; may be NULL */
	const char *comparison;  /* ">", ">=", "<", "<=", "" */
	double threshold;        /* NAN when there is none */
	enum alarm_state state;
	int64_t since;           /* StateTransitionedTimestamp, else StateUpdatedTimestamp; 0 unknown */
	bool actions_enabled;
	bool composite;
};

const char *alarm_state_name(enum alarm_state s);   /* OK ALARM INSUFFICIENT_DATA, "?" */
enum alarm_state alarm_state_parse(const char *s);  /* UNKNOWN for anything else */

#endif
