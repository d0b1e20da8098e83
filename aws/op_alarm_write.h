/* CloudWatch operations that change alarms. Each is granted three calls a second (tags: twenty). Whoever asks has checked the limits. */
#ifndef AWS_OP_ALARM_WRITE_H
#define AWS_OP_ALARM_WRITE_H

#include "aws/op.h"

struct alarm_write_out { char request_id[64]; }; /* of all of them; "" when the answer named none */

/* ---- PutMetricAlarm, PutCompositeAlarm, PutLogAlarm: all settings anew; the state stays. The body is sent as it is. */
struct put_alarm_in { const char *body; }; /* JSON */
extern const struct op op_put_metric_alarm, op_put_composite_alarm, op_put_log_alarm;

/* ---- TagResource, UntagResource */
struct alarm_tag_in {
	const char *arn;
	const char *const *words; /* key, value, key, value ...; of UntagResource keys alone */
	unsigned n;
};
extern const struct op op_tag_alarm, op_untag_alarm;

/* ---- DeleteAlarms (of one), EnableAlarmActions, DisableAlarmActions, SetAlarmState */
struct alarm_act_in {
	const char *name;
	const char *state, *reason; /* of SetAlarmState: OK, ALARM, INSUFFICIENT_DATA; up to 1023 characters */
};
extern const struct op op_delete_alarm, op_enable_alarm, op_disable_alarm, op_set_alarm_state;

#endif
