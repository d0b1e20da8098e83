/* An alarm's settings in one canonical form, pure: what PutMetricAlarm, PutCompositeAlarm and PutLogAlarm take and what DescribeAlarms
 * tells, each setting a line "path = value", sorted. Two bodies that mean the same have the same lines: dimensions by name, actions as
 * sets, queries by Id, numbers as doubles, and what is written but is the default anyhow is left out, as is what only AWS sets. */
#ifndef ALARMS_FORM_H
#define ALARMS_FORM_H

#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"

#include <stdbool.h>

enum form_kind { FORM_METRIC = 1, FORM_COMPOSITE = 2, FORM_LOG = 4 };
enum form_kind form_kind_of(const struct json *body);
const char *form_kind_name(enum form_kind k); /* metric, composite, log: as in "a composite alarm" */

struct form_line {
	const char *path;  /* Threshold, Dimensions.QueueName, AlarmActions[ARN], Metrics.m1.MetricStat.Period */
	const char *value; /* JSON */
	bool known;        /* false: this build knows no such setting */
};
struct form {
	struct form_line *v;
	unsigned n, cap;   /* sorted by path; v is malloc'ed, the texts are in the arena */
};
/* False: a setting has not the shape that the API wants; e names it. The rest is read all the same (of a live alarm nobody minds).
 * What is no setting ("//", "x-...", Tags) and AlarmName are left out. */
bool form_read(struct arena *mem, const struct json *body, struct form *out, struct err *e);
void form_clear(struct form *f);
const struct form_line *form_find(const struct form *f, const char *path); /* NULL: not there, or the default */
const char *form_default(const char *path); /* what stands where no line does: "true" of ActionsEnabled; NULL: nothing */

/* Of a body's member: may this kind of alarm be written with it? */
enum form_member { FORM_SETTING, FORM_READ_ONLY /* only AWS sets it */, FORM_NOT_OURS /* "//", x-..., for_each */, FORM_UNKNOWN, FORM_OTHER_KIND };
enum form_member form_member(enum form_kind k, const char *name);
const char *form_near(enum form_kind k, const char *name); /* a setting that is spelt nearly so; NULL */

#endif
