/* Private to cli/: an alarm as JSON, in `alarms list` and `alarms show` alike. */
#ifndef CLI_ALARM_H
#define CLI_ALARM_H

#include "core/json.h"
#include "core/model/alarm.h"

/* The members of an object that the caller has opened. */
void alarm_json(struct json_out *j, const struct alarm *a);
void alarm_history_json(struct json_out *j, const struct alarm_moment *m, unsigned n, bool more);

#endif
