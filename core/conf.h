/* sluice's own configuration file (INI): read once at the start, immutable afterwards, owned by main. Any problem is
 * ERR_CONF with where = "FILE:LINE" and text = "KEY: why". */
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include "core/err.h"
#include "core/metric.h"
#include "core/model/kind.h"

#include <stdbool.h>
#include <stdint.h>

enum conf_mode { MODE_OBSERVE, MODE_INSPECT, MODE_OPERATE, MODE_ADMIN };

struct conf_target {
	char *name, *profile, *region, *endpoint_url;
	bool production;
	enum conf_mode grant;
	char *lock_bucket;                     /* where replays of one source keep each other away across hosts; NULL: on this host alone */
	int64_t lock_lease;                    /* seconds that such a lock is worth; 0: 60 */
	unsigned line;
};
struct conf_pipeline {
	char *name, *target, *runbook;
	char *tag, *stack;                     /* whose resources are its stages, beside those that are named; NULL */
	unsigned line;
};
struct conf_stage {
	char *pipeline, *name;                 /* [stage "PIPELINE/NAME"] */
	char *kind, *resource;                 /* resource = KIND:NAME, or an ARN (then kind is derived from it) */
	char *arn;                             /* NULL when given as KIND:NAME */
	struct metric_id metric[ROLE_COUNT];   /* the stage's own, by role; .name NULL when not set */
	unsigned line;
};
struct conf_check {
	char *name;
	char *pipeline, *stage;                /* stage = PIPELINE/NAME; both NULL with a full metric */
	char *metric;                          /* role name, kind's key, or NS/NAME{..}:STAT */
	char *warning, *critical;              /* ranges as in monitoring-plugins; NULL = none */
	unsigned m, n;                         /* 0,0 = 1 of 1 */
	int64_t window;                        /* seconds; 0 = default */
	char *no_data;                         /* ok warn crit unknown; NULL = unknown */
	unsigned min_samples;
	int64_t delay;                         /* seconds; -1 = auto */
	unsigned line;
};
struct conf_checks {                       /* [checks]: what --check does where neither its options nor a [check] say otherwise */
	struct conf_check each;                /* m, n, window, no_data, min_samples, delay alone */
	bool alarms, warn_is_ok, until_ok;
	char *in_alarm_is, *unknown_is, *format, *publish, *notify; /* NULL = not given */
	double dlq_max, max_usd;               /* below 0 = not given */
	int64_t ttl_min, for_s, timeout;       /* 0 = not given */
	unsigned fail_limit;
};

struct conf {
	char *path;                            /* NULL when there was no file */
	double budget_usd_per_day;             /* 0: no limit */
	int64_t poll_rest;                     /* seconds, default 5 min: how often what is neither selected nor in trouble is asked */
	bool watch_everything;                 /* [watch]: the first contact was answered so */
	int64_t retention;                     /* seconds, default 30 d */
	char *process_function;                /* what `process` starts, default data-processor */
	char *idempotency_path;                /* of replays; NULL: none */
	int64_t history_fine;                  /* seconds, default 15 d: then points are rolled up */
	int64_t history_max;                   /* bytes, default 256 MiB */
	bool bell, title;                      /* of the console, default yes */
	struct conf_target *targets; unsigned ntargets;
	struct conf_pipeline *pipelines; unsigned npipelines;
	struct conf_stage *stages; unsigned nstages;
	struct conf_check *checks; unsigned nchecks;
	struct conf_checks checking;
};

/* path NULL: the default file, whose absence is fine. A named file must exist. Returns NULL and fills e on any problem. */
struct conf *conf_load(const char *path, struct err *e);
struct conf *conf_parse(const char *name, struct span text, struct err *e); /* the pure middle; name is used in errors */
void conf_free(struct conf *c);

/* $XDG_CONFIG_HOME/sluice/config.ini, $XDG_CACHE_HOME/sluice/history.db (with the usual fallbacks below $HOME); owned by the
 * caller; NULL when neither variable is set. */
char *conf_default_path(void);
char *conf_default_cache(void);
char *conf_default_state(void); /* the folder $XDG_STATE_HOME/sluice */

/* The option table walks itself for help, the man page and the tests. */
struct conf_key { const char *section, *key, *type, *fallback, *help; };
const struct conf_key *conf_keys(unsigned *n);

#endif
