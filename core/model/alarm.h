/* A CloudWatch alarm as it is seen (changing one is the alarms folder's job). */
#ifndef CORE_MODEL_ALARM_H
#define CORE_MODEL_ALARM_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum alarm_state { ALARM_STATE_UNKNOWN, ALARM_STATE_OK, ALARM_STATE_ALARM, ALARM_STATE_INSUFFICIENT };

/* What an alarm watches. DescribeAlarms says. */
enum alarm_kind {
	ALARM_METRIC,    /* one metric and statistic against a threshold */
	ALARM_MATH,      /* an expression over metrics */
	ALARM_BAND,      /* a metric against its anomaly detection band */
	ALARM_PROMQL,
	ALARM_LOG,       /* a scheduled query of CloudWatch Logs */
	ALARM_COMPOSITE  /* a rule over other alarms */
};

/* Whom an action of an alarm reaches. */
struct alarm_target {
	const char *arn, *name;      /* name: of a topic or function, else the ARN's last part */
	const char *when;            /* static: ALARM, OK, INSUFFICIENT_DATA */
	bool topic;                  /* an SNS topic; else the rest says nothing */
	bool known;                  /* its subscriptions could be read */
	unsigned confirmed, pending; /* of known: subscriptions */
	const char *protocols;       /* of the confirmed ones: "email, https"; NULL */
	const char *missing;         /* why nobody is reached for certain: "no such topic", "in another region", ...; NULL */
	const char *why;             /* why they are not known; NULL: not asked (yet) */
	int64_t at;                  /* when they were read; 0: never */
};

/* What sluice itself makes of the alarm's datapoints (alarms/eval.h), beside what CloudWatch says. */
struct alarm_local {
	enum alarm_state state;   /* UNKNOWN: not evaluated, see why */
	bool kept;                /* nothing decides: the state it has stays */
	unsigned real, breaching; /* of the datapoints that decided */
	double value;             /* the newest datapoint; NAN: none in the range */
	int64_t at;               /* its end */
	bool by_range, by_reading; /* what the result hangs on: eval.h */
	const char *approximate;  /* how these datapoints are not quite the alarm's own; static; NULL: they are */
	const char *why;          /* why it is not evaluated; NULL */
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
	enum alarm_kind kind;
	const char *evaluation;  /* EvaluationState: PARTIAL_DATA, EVALUATION_FAILURE, EVALUATION_ERROR; NULL: fine */
	const char *held_back;   /* its actions are, by: WaitPeriod, ExtensionPeriod, Alarm; NULL */
	int64_t configured;      /* AlarmConfigurationUpdatedTimestamp; 0 unknown */
	/* how it evaluates; 0 or NULL where the answer has none (a composite) */
	const char *stat, *missing;  /* "Sum", "p99"; TreatMissingData */
	unsigned period, n, m;       /* seconds; evaluation periods, datapoints to alarm */
	bool wall_clock;             /* its windows follow the clock's own boundaries */
	bool few_samples_wait;       /* EvaluateLowSampleCountPercentile=ignore */
	const char *unit;            /* only datapoints of this unit count; NULL: all */
	bool tagged;                 /* its tags were read: what owner, runbook and manager lack is not there */
	const char *runbook, *owner; /* a link in the description or a tag; a tag; NULL */
	enum alarm_manager manager;
	const struct alarm_target *told;
	unsigned ntold;
	uint64_t row;                /* the snapshot's row whose metric it watches; 0: none, or not one */
	struct alarm_local local;
};

/* DescribeAlarmHistory: something that happened to an alarm. */
struct alarm_moment {
	int64_t at;
	const char *type;            /* StateUpdate, Action, ConfigurationUpdate, ... */
	const char *summary;
	enum alarm_state from, to;   /* of a StateUpdate; else UNKNOWN */
	const char *reason;          /* of a StateUpdate: the new state's; of an Action that failed: why; NULL */
	const char *points;          /* of a StateUpdate: "5.2 5.6 6.1", as they were when it was evaluated; NULL */
	bool failed;                 /* an Action that did not succeed */
};

const char *alarm_state_name(enum alarm_state s);   /* OK ALARM INSUFFICIENT_DATA, "?" */
enum alarm_state alarm_state_parse(const char *s);  /* UNKNOWN for anything else */

struct alarm alarm_copy(struct arena *mem, const struct alarm *a); /* with all that it points to */
const char *alarm_manager_name(enum alarm_manager m);
/* alarm_tag.c: who keeps an alarm by one of its tags; HAND when the tag says nothing of it. */
enum alarm_manager alarm_manager_of(const char *key, const char *value);
#define ALARM_TAG_KEY 48
void alarm_plain_key(const char *key, char out[ALARM_TAG_KEY]);
bool alarm_key_among(const char *key, const char *const *keys); /* of a plain key; keys end with NULL */
const char *alarm_kind_name(enum alarm_kind k);     /* metric, math, anomaly band, PromQL, log, composite */

/* alarm.c: in words, raw (core/text.h filters). Who would be told if it went into ALARM now? */
enum alarm_heard { HEARD_UNKNOWN, HEARD_NOBODY, HEARD_SOMEBODY };
#define ALARM_WORDS 256
/* "sns oncall-data: 2 confirmed (https, email), 1 pending; lambda notify" or why nobody is: "actions are off". */
enum alarm_heard alarm_heard_words(const struct alarm *a, char out[ALARM_WORDS]);
/* One target alone: "sns oncall-data: 2 confirmed (https, email)". */
enum alarm_heard alarm_target_words(const struct alarm_target *t, char out[ALARM_WORDS]);
/* "would be ALARM now: 3 of 3 points > 5", and what that hangs on; "" when there is nothing to say yet. */
void alarm_local_words(const struct alarm *a, char out[ALARM_WORDS]);
/* "Errors{FunctionName=enrich} Sum > 5, 3 of 5 x 1m, missing = missing" */
void alarm_rule_words(const struct alarm *a, char out[ALARM_WORDS]);

#endif
