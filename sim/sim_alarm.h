/* CloudWatch metric alarms: the judgement over points (pure), and the alarms of the account, evaluated every simulated
 * minute over what is stored. */
#ifndef SIM_SIM_ALARM_H
#define SIM_SIM_ALARM_H

#include "sim/sim_metrics.h"
#include "sim/sim_topic.h"

#include <stdbool.h>
#include <stdint.h>

struct world;

enum sim_state { STATE_OK, STATE_ALARM, STATE_INSUFFICIENT };
enum sim_missing { MISSING_MISSING, MISSING_IGNORE, MISSING_BREACHING, MISSING_NOT_BREACHING };
enum sim_compare { COMPARE_GE, COMPARE_GT, COMPARE_LT, COMPARE_LE };

extern const char *const sim_state_names[3], *const sim_missing_names[4], *const sim_compare_names[4];

enum point { POINT_MISSING, POINT_GOOD, POINT_BREACHING };
/* pt: the evaluation range, oldest first. */
enum sim_state alarm_judge(const enum point *pt, unsigned npt, unsigned n, unsigned m, enum sim_missing missing,
                           enum sim_state current);

#define ALARM_ACTIONS 5
struct sim_alarm {
	char *name, *description;
	char *ns, *metric, *stat;      /* stat: Statistic or ExtendedStatistic */
	struct sim_dim dims[SIM_DIMS]; /* texts owned */
	unsigned ndims;
	char *unit; /* NULL = any */
	int64_t period, n, m;
	bool m_said;
	double threshold;
	enum sim_compare compare;
	enum sim_missing missing;
	bool missing_said, extended, actions_enabled;
	char *actions[3][ALARM_ACTIONS]; /* by enum sim_state */
	char *low_samples;
	enum sim_state state;
	char *reason, *reason_data;
	int64_t configured_ms, updated_ms, since_ms;
	struct sim_tag *tags;
	unsigned ntags, captags;
};

enum event_kind { EVENT_CONFIGURED, EVENT_STATE, EVENT_ACTION };
struct alarm_event {
	char *alarm;
	enum event_kind kind;
	int64_t at_ms;
	char *summary, *data;
};

struct sim_mute { /* an alarm mute rule */
	char *name, *why, **targets; /* alarms by name */
	unsigned ntargets;
	int64_t from_ms, to_ms;
};
void mutes_clear(struct world *w);
bool alarm_muted(const struct world *w, const char *alarm); /* now */

void alarm_free(struct sim_alarm *a);
void alarm_add(struct world *w, struct sim_alarm *a); /* replaces one of the same name, whose state it keeps */
void alarm_delete(struct world *w, struct sim_alarm *a);
void alarm_set_state(struct world *w, struct sim_alarm *a, enum sim_state s, const char *reason, const char *data);
void alarms_minute(struct world *w, int64_t minute); /* after this minute has ended */
void alarm_arn(const struct world *w, const char *name, char *out, size_t size);
void alarm_stamp(int64_t at_ms, char out[40]); /* 2026-11-23T02:41:00.000+0000 */
/* What is written about it (sim_alarm_said.c); the caller frees. */
char *alarm_configuration_data(const struct world *w, const struct sim_alarm *a, const char *type);
char *alarm_transition_data(const struct sim_alarm *a, enum sim_state s, const char *reason, const char *data); /* from a's state */
char *alarm_message(const struct world *w, const struct sim_alarm *a, enum sim_state before);
char *alarm_perform(struct world *w, const struct sim_alarm *a, enum sim_state before, const char *action, bool *done);
void alarm_event_free(struct alarm_event *e);

#endif
