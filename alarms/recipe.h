/* The two alarms of the mission, HighErrorRate-NAME (> 5.0) and LowThroughput-NAME (< 1000), as an alarm file; pure. A stage's own metrics
 * come first, else its kind's recipe: lambda: Errors in percent of Invocations, and Invocations; sqs: messages arriving in its
 * dead-letter queue in percent of those and the deleted, and NumberOfMessagesDeleted; kinesis: throttled writes and reads in percent of the
 * records, and IncomingRecords. */
#ifndef ALARMS_RECIPE_H
#define ALARMS_RECIPE_H

#include "core/buf.h"
#include "core/json.h"
#include "core/metric.h"

#define RECIPE_ERROR 5.0
#define RECIPE_THROUGHPUT 1000.0
#define RECIPE_METRICS 3

struct recipe_in {
	const char *name;                            /* of the alarms: NAME */
	const char *kind;                            /* lambda, sqs, kinesis */
	const char *resource, *dlq;                  /* dlq: the queue's dead-letter queue; NULL */
	const struct metric_id *error, *throughput;  /* its own, with a statistic; NULL: the kind's recipe */
};
struct recipe_alarm {
	struct metric_id metrics[RECIPE_METRICS];    /* with their statistics */
	unsigned n;                                  /* 0: there is none, see why */
	const char *expression;                      /* over m1, m2, ...; NULL: it is the metric */
	const char *basis;                           /* in words: what it is about */
	const char *why;                             /* why there is none */
};
struct recipe { struct recipe_alarm error, throughput; };
bool recipe_of(const struct recipe_in *in, struct recipe *out); /* false: the kind has none. recipe_clear it either way */
void recipe_clear(struct recipe *r);
/* The file. unseen: of each alarm's metrics those that CloudWatch does not list, in words, or NULL. */
void recipe_file(struct json_out *o, const struct recipe_in *in, const struct recipe *r, const char *error_unseen, const char *throughput_unseen);

#endif
