/* The simulated account: what exists and what was measured. One thread owns it. How it moves is motion.h's business. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/sim_lambda_run.h"
#include "sim/fault.h"
#include "sim/sim_metrics.h"

#include <stdbool.h>
#include <stdint.h>

#define SIM_ACCOUNT "123456789012"

struct sim_version;
struct sim_alias;
struct lived;
/* What becomes of asynchronous invocations. */
struct sim_async {
	bool set;
	int64_t retries, age_s, modified_ms;
	char *on_failure, *on_success;
};

struct sim_function {
	char *name, *runtime, *role, *handler, *description, *package_type, *arch, *sha256, *revision;
	char *dlq_arn;
	int64_t code_size, timeout, memory, storage, modified_ms;
	struct sim_version *versions; /* published, oldest first (sim_version.h) */
	unsigned nversions, capversions;
	struct sim_alias *aliases; /* sorted by name */
	unsigned naliases, capaliases;
	bool reserved_said;
	int64_t reserved; /* concurrency */
	struct sim_async async;
	struct lived *lived; /* by minute (sim_life.h) */
	unsigned nlived, caplived;
	unsigned fail_percent; /* of invocations */
	struct lambda_code code;
	uint64_t invocations;  /* by clients: which of them fail is a matter of counting, not of chance */
};

struct sim_mapping {
	char *uuid, *source_arn, *function, *starting_position;
	char *qualifier; /* alias or version of the function; NULL = none said */
	int64_t batch_size, window_s, parallel, retries, record_age_s, modified_ms;
	bool bisect, partial, enabled;
	char *on_failure;
};

struct scenario;
struct sim_queue;
struct sim_stream;
struct sim_alarm;
struct alarm_event;
struct sim_grant;
struct sim_move;
struct trail_event;
struct sim_topic;
struct log_group;
struct sim_bucket;

struct world {
	char region[40], partition[16];
	double speed;
	int64_t real0_ms, sim0_ms; /* the two clocks at the start */
	int64_t now_ms;            /* simulated, set by world_advance */
	int64_t minute;            /* the minute in progress: everything before it is settled */
	int64_t minute0;           /* the minute in progress at the start: scenarios are written backwards from it */
	uint64_t seed, noise;
	const struct scenario *scenario;
	struct faults faults; /* what goes wrong on purpose: a scenario's, the command line's, a test's */
	struct sim_metrics metrics;
	struct sim_queue **queues; /* sorted by name, as streams and functions are */
	unsigned nqueues, capqueues;
	struct sim_stream **streams;
	unsigned nstreams, capstreams;
	struct sim_function **functions;
	unsigned nfunctions, capfunctions;
	struct sim_mapping **mappings; /* sorted by uuid */
	unsigned nmappings, capmappings;
	struct sim_alarm **alarms; /* sorted by name */
	unsigned nalarms, capalarms;
	struct sim_mute *mutes;
	unsigned nmutes, capmutes;
	struct alarm_event *events; /* oldest first */
	unsigned nevents, capevents;
	struct sim_move *moves; /* oldest first */
	unsigned nmoves, capmoves;
	uint64_t move_number; /* of the newest */
	struct sim_grant *grants; /* oldest first */
	unsigned ngrants, capgrants;
	struct lambda_event *lambda_events; /* what Invoke has brought, oldest first */
	unsigned nlambda_events, caplambda_events;
	size_t events_bytes;
	struct trail_event *trail; /* oldest first */
	unsigned ntrail, captrail;
	int64_t lookup_ms[8]; /* the newest reads of it, for the fault lookup-rate */
	uint64_t nlookups;
	struct sim_topic **topics; /* sorted by name */
	unsigned ntopics, captopics;
	struct sim_bucket **buckets; /* sorted by name */
	unsigned nbuckets, capbuckets;
	struct log_group **groups; /* sorted by name */
	unsigned ngroups, capgroups;
	struct law_state {
		int64_t held_ms;                   /* since when a batch holds a shard; 0 = it does not */
		bool passed;                       /* the batch is through */
		double shard_behind, queue_behind; /* records and messages that wait because of something */
	} law;
	bool open; /* credential services and the control path answer: `sluice sim`, not --demo */
};

void world_arn(const struct world *w, const char *service, const char *resource, char *out, size_t size);
/* What a name stands for at the end of an ARN; the whole text when it is none. */
const char *world_arn_name(const char *arn);
void world_uuid(struct world *w, char out[37]);
/* Always the same for the same scenario, key and number. */
void world_stable_id(const struct world *w, uint64_t key, uint64_t number, char out[37]);
uint64_t world_random(struct world *w);
/* Evenly spread over 0..1, the same for the same scenario, key and minute whatever happened before. */
double world_noise(const struct world *w, unsigned key, int64_t minute);

/* Where a name stands, or belongs, in an array of pointers to structs that begin with their name. */
unsigned world_find(void *const *v, unsigned n, const char *name, bool *found);
#define WORLD_INSERT(v, n, cap, at, item)                                                                              \
	do {                                                                                                               \
		MEM_GROW(v, n, cap);                                                                                           \
		memmove(&(v)[(at) + 1], &(v)[at], ((n) - (at)) * sizeof *(v));                                                 \
		(v)[at] = (item);                                                                                              \
		(n)++;                                                                                                         \
	} while (0)
#define WORLD_REMOVE(v, n, at)                                                                                         \
	do {                                                                                                               \
		(n)--;                                                                                                         \
		memmove(&(v)[at], &(v)[(at) + 1], ((n) - (at)) * sizeof *(v));                                                 \
	} while (0)

struct sim_queue *world_queue(const struct world *w, const char *name); /* NULL when there is none */
struct sim_stream *world_stream(const struct world *w, const char *name);
struct sim_function *world_function(const struct world *w, const char *name);
struct sim_alarm *world_alarm(const struct world *w, const char *name);
void world_function_add(struct world *w, struct sim_function *fn);
void world_mapping_add(struct world *w, struct sim_mapping *m);
void world_function_free(struct sim_function *fn);
void world_mapping_free(struct sim_mapping *m);

/* A datapoint of a metric with one dimension; minute = the one in progress unless said. */
void world_put(struct world *w, const char *ns, const char *name, const char *dim, const char *value, const char *unit,
               int64_t minute, double v, double count);
/* The same with several. */
void world_put_dims(struct world *w, const char *ns, const char *name, const struct sim_dim *dims, unsigned ndims,
                    const char *unit, int64_t minute, const struct sim_set *set);
void world_put_set(struct world *w, const char *ns, const char *name, const char *dim, const char *value,
                   const char *unit, int64_t minute, const struct sim_set *set);

#endif
