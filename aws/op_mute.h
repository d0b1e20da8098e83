/* CloudWatch alarm mute rules: while a rule is active its alarms' actions do not run; state and history go on. Each write
 * is granted three calls a second. */
#ifndef AWS_OP_MUTE_H
#define AWS_OP_MUTE_H

#include "aws/op.h"
#include "core/arena.h"

#include <stdint.h>

#define MUTE_NAME 256 /* bytes of a rule's name, and its NUL */
#define MUTE_LEAST_S 60
#define MUTE_MOST_S (15 * 86400)

/* ---- PutAlarmMuteRule: makes it, or overwrites all of the one of that name. Always with the alarm: what a rule without targets would
 * mute is not documented. */
struct put_mute_in {
	const char *name, *alarm;
	const char *why;     /* becomes its Description */
	const char *author;  /* becomes its tag "author" */
	int64_t at;          /* seconds since 1970: to the minute */
	int64_t seconds;
};
struct mute_out { char request_id[64]; }; /* "" when the answer named none */
extern const struct op op_put_mute_rule;

/* ---- DeleteAlarmMuteRule */
struct delete_mute_in { const char *name; };
extern const struct op op_delete_mute_rule; /* out: struct mute_out */

/* ---- ListAlarmMuteRules of one alarm */
struct mutes_in {
	struct page page;
	const char *alarm;
};
struct mutes_out {
	struct page page;
	struct arena mem;   /* made by the caller */
	const char **names; /* in mem */
	unsigned n;
};
extern const struct op op_list_mute_rules;

#endif
