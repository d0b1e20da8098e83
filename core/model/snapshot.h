/* What the engine shows the faces: one immutable picture, built in one arena, handed over whole (engine/engine.h).
 * Remote text in it is raw: whoever prints it passes it through the filter of core/text.h. Times are seconds UTC. */
#ifndef CORE_MODEL_SNAPSHOT_H
#define CORE_MODEL_SNAPSHOT_H

#include "core/arena.h"
#include "core/err.h"
#include "core/model/alarm.h"
#include "core/model/credential.h"
#include "core/model/event.h"
#include "core/model/first.h"
#include "core/model/health.h"
#include "core/model/kind.h"
#include "core/model/loss.h"
#include "core/model/target.h"

#include <stdbool.h>
#include <stdint.h>

#define SPARK_LEN 48
#define SPARK_GAP 255

struct reading {
	const struct metric_info *info; /* for a stage's own metric: a synthesised one (key = role name) */
	double value;                   /* NAN = no point */
	int64_t at;                     /* start of the period it stands for, or the instant of a direct reading; 0 = none */
	bool stale;                     /* older than the learned delay + the poll's interval + 2 periods */
};

struct fact { const char *key, *value; };      /* retention_s=345600, runtime=python3.12, dlq=ARN ... */

struct row {                                   /* one stage (or discovered resource), in flow order */
	uint64_t id;                               /* stable across snapshots: selection is by id, never by position */
	const struct kind_info *kind;
	const char *name;                          /* the stage's name */
	const char *resource;                      /* the resource's name */
	const char *arn;                           /* NULL until known */
	uint32_t pipeline;                         /* index */
	enum health health;
	const char *reason;                        /* why, in words; "" when ok */
	bool dlq;
	int64_t every;                             /* seconds between two polls of it */
	bool slowed;                               /* the budget has made that longer */
	const struct reading *readings;            /* one for each of the kind's metrics, then the stage's own */
	unsigned nreadings;
	const struct reading *by_role[ROLE_COUNT]; /* the stage's own metric wins over the kind's; NULL = no source, no cell */
	uint8_t spark[SPARK_LEN];                  /* 0..8 of the row's own maximum, oldest first; SPARK_GAP where there is none */
	const char *spark_key;
	const struct fact *facts;
	unsigned nfacts;
	struct loss loss;
	const char *fed_by, *feeds;                /* "kinesis:orders-ingest", from event source mappings and redrive policies; or NULL */
};

struct row_link {                              /* an edge between two rows of the snapshot */
	uint32_t from, to;                         /* row indices */
	const char *kind;                          /* static, as in flow_edge */
	bool inferred;                             /* not configured so, only likely */
	bool back;                                 /* closes a cycle */
	double rate;                               /* a second over the last minute; NAN: no metric tells */
	const char *state, *reason;                /* of a mapping: "Enabled", and why it is so; NULL: not said */
	const char *on_failure;                    /* of a mapping: the ARN where it puts what failed; NULL: nowhere */
	int64_t retries, record_age_s;             /* of a stream's mapping: -1 = for ever; UNSAID (relation.h) */
};

struct pipeline { const char *name; enum health health; uint32_t first, n; }; /* rows [first, first + n) */

struct api_health {                            /* one a service operation that was called */
	const char *op;                            /* "sqs:ListQueues": also the IAM action */
	struct err last;                           /* code OK when the last call succeeded */
	int64_t ok_at;                             /* last success; 0 = never */
	uint32_t calls, failed;
	bool aside;                                /* a round does without it: its failure is said where its answer would stand */
};

enum phase { PHASE_STARTING, PHASE_CACHED, PHASE_LIVE, PHASE_PAST };

struct snapshot {
	struct arena mem;
	struct snapshot *next;                     /* the engine's, of those that were given back */
	uint64_t gen;
	int64_t at;                                /* when it was built */
	enum phase phase;                          /* CACHED: values come from the history alone; PAST: all of it is as of `at` */
	struct target target;
	struct credential credential;
	const struct kind_info *const *kinds;
	unsigned nkinds;
	const struct pipeline *pipelines;
	unsigned npipelines;
	const struct row *rows;
	unsigned nrows;
	const struct alarm *alarms;                /* worst first */
	unsigned nalarms;
	int64_t alarms_at;                         /* when they were read; 0 = never */
	bool alarms_current;                       /* false: the last attempt failed, or there was none: what they say is old */
	const struct row_link *links;              /* by from, to */
	unsigned nlinks;
	const struct event *events;                /* newest first */
	unsigned nevents;
	const char *events_note;                   /* what they do not tell and why: "not who: cloudtrail:LookupEvents is denied"; NULL */
	const struct api_health *apis;
	unsigned napis;
	unsigned count[HEALTH_COUNT];              /* of rows */
	int64_t polled_at;                         /* last poll that finished; 0 = none yet */
	int64_t data_to;                           /* end of the newest period that any series has */
	bool settled;                              /* the first round (discovery, alarms, metrics) has finished, well or not */
	const struct first_contact *first;         /* it must be said what to watch before anything is paid for; NULL: nothing to say */
	const char *cache_note;                    /* "read-only: another sluice writes", or NULL */
	struct {
		unsigned metrics;                      /* asked so far, each statistic counted: the larger way to count */
		unsigned side_by_side;                 /* the same when up to five statistics of one metric in one request bill as one */
		double usd;                            /* of `metrics` */
		double today_usd;                      /* since midnight UTC, over restarts; NAN: not known */
		double usd_per_day;                    /* at this rate; NAN: too early to say */
		double budget;                         /* USD a day; 0: none */
		const char *top;                       /* the namespace that costs most; NULL */
		unsigned top_percent;
		unsigned slowed;                       /* rows whose polling the budget has slowed down */
	} cost;
};

void snapshot_free(struct snapshot *s);        /* NULL is fine */

#endif
