/* What is allowed and yet mostly a mistake in an alarm; pure. Each finding is a note of the plan's step. */
#ifndef ALARMS_LINT_H
#define ALARMS_LINT_H

#include "alarms/plan.h"
#include "core/metric.h"

enum lint_seen { LINT_NOT_KNOWN, LINT_SEEN, LINT_NEVER /* CloudWatch does not list it: no point for two weeks */ };
struct lint_topic {
	const char *arn;
	bool known;              /* its subscriptions were read */
	unsigned confirmed, pending;
	const char *missing;     /* why nobody is reached for certain; NULL */
};
struct lint_in {
	int64_t now;             /* seconds */
	const char *region;      /* topics elsewhere are reached by no alarm */
	const struct lint_topic *topics;
	unsigned ntopics;
	enum lint_seen (*seen)(const void *ctx, const char *ns, const char *name, const struct json *dimensions);
	const void *ctx;
};
void lint(struct arena *mem, const struct lint_in *in, const struct plan_act *a, struct plan_step *s);

/* Calls each for every metric that a body names. */
void body_metrics(const struct json *body, void (*each)(void *ctx, const char *ns, const char *name, const struct json *dimensions), void *ctx);

#endif
