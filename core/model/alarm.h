/* A CloudWatch alarm as it is seen (changing one is the alarms folder's job). */
#ifndef CORE_MODEL_ALARM_H
#define CORE_MODEL_ALARM_H

#include <stdbool.h>
#include <stdint.h>

enum alarm_state { ALARM_STATE_UNKNOWN, ALARM_STATE_OK, ALARM_STATE_ALARM, ALARM_STATE_INSUFFICIENT };

/* Whom an action of an alarm reaches. */
struct alarm_target {
	const char *arn, *name;      /* name: of a topic or function, else the ARN's last part */
	const char *when;            /* static: ALARM, OK, INSUFFICIENT_DATA */
	bool topic;                  /* an SNS topic; else the rest says nothing */
	bool known;                  /* its subscriptions could be read */
	unsigned confirmed, pending; /* of known: subscriptions */
	const char *missing;         /* why nobody is reached for certain: "no such topic", "in another region", ...; NULL */
};

/* Who keeps the alarm, as far as its tags and name tell. */
enum alarm_manager { ALARM_MANAGER_UNKNOWN, ALARM_MANAGER_HAND, ALARM_MANAGER_CLOUDFORMATION, ALARM_MANAGER_TERRAFORM, ALARM_MANAGER_SLUICE };

struct alarm {
	const char *name, *arn, *description, *reason;
	const char *metric;      /* canonical metric text, or the expression, or the rule of a composite; may be NULL */
	const char *comparison;  /* ">", ">=", "<", "<=", "" */
	double threshold;        /* NAN when there is none */
	enum alarm_state state;
	int64_t since;           /* StateTransitionedTimestamp, else StateUpdatedTimestamp; 0 unknown */
	bool actions_enabled;
	bool composite;
	/* how it evaluates; 0 or NULL where the answer has none (a composite) */
	const char *stat, *missing;  /* "Sum", "p99"; TreatMissingData */
	unsigned period, n, m;       /* seconds; evaluation periods, datapoints to alarm */
	const char *runbook, *owner; /* a link in the description or a tag; a tag; NULL */
	enum alarm_manager manager;
	const struct alarm_target *told;
	unsigned ntold;
	uint64_t row;                /* the snapshot's row whose metric it watches; 0: none, or not one */
};

const char *alarm_state_name(enum alarm_state s);   /* OK ALARM INSUFFICIENT_DATA, "?" */
enum alarm_state alarm_state_parse(const char *s);  /* UNKNOWN for anything else */

const char *alarm_manager_name(enum alarm_manager m);

#endif
