/* The whole face the console and the commands see. They include this and core/, nothing else of sluice.
 *
 * Two ways to run one engine: a command calls engine_call(), which turns the engine on the caller's thread until the result is
 * there; the console calls engine_start(), which gives the engine a thread of its own, and then only hands things over:
 * snapshots come back through engine_take(), typed requests go in through engine_ask() and come back through
 * engine_answer(). Whoever receives an object owns it. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/model/alarm_plan.h"
#include "core/model/backtest.h"
#include "core/model/errors.h"
#include "core/model/flow.h"
#include "core/model/replay.h"
#include "core/model/snapshot.h"
#include "engine/ask_replay.h"
#include "core/model/topic.h"

#include <stdbool.h>
#include <stdint.h>

struct engine_options {      /* borrowed during engine_new, but for conf, which must outlive the engine */
	const struct conf *conf; /* never NULL */
	const char *profile, *region, *endpoint_url; /* from the command line; NULL = not given */
	const struct conf_target *target;            /* of conf: what the command line leaves open; NULL = none */
	const char *cache_path;                      /* NULL: no history is read or kept */
	const char *state_path; /* the folder of ledger and audit log, made when it is missing; NULL: no replays */
	bool demo; /* credentials and endpoint come from demo_*; the environment and AWS's files are ignored */
	const char *demo_endpoint, *demo_access_key, *demo_secret_key;
	unsigned poll_s;     /* 0 = 60 */
	unsigned deadline_s; /* of one engine_call; 0 = 60 */
	/* Commands: asks a person for an MFA code, on the caller's thread; false: there is nobody. NULL: never ask. */
	bool (*ask_code)(void *ctx, const char *serial, char code[16]);
};

struct engine;

/* Libraries that can fail to start (OpenSSL, curl). Call once, first thing, before the terminal is touched. */
bool engine_global_init(struct err *e);
struct engine *engine_new(const struct engine_options *o, struct err *e);
void engine_free(struct engine *g); /* stops the thread, commits the history */

/* ---- console: called on one thread, the faces' */
bool engine_start(struct engine *g, struct err *e);
int engine_fd(
    const struct engine *g); /* readable when a snapshot or an answer waits; engine_take and engine_answer drain it */
struct snapshot *engine_take(struct engine *g); /* the newest not yet taken, or NULL; free with snapshot_free, or: */
/* It is shown no more: the engine's thread frees it. A large one takes milliseconds, and locks of malloc's that the engine, whose
 * thread comes second, may hold: nobody at the keys is to wait for either. g or s NULL is fine. */
void engine_give_back(struct engine *g, struct snapshot *s);
bool engine_refresh(struct engine *g);          /* poll now; false when the engine has too much to do already */
/* Where the reader is: the row under their eyes (0: none), and that a key was pressed. What is looked at is asked at every poll, and
 * with nobody at the keys the rest is asked more rarely. Never waits. */
void engine_attend(struct engine *g, uint64_t row, bool key);

/* ---- typed requests */
struct history_request { /* points of one metric, gap for gap */
	const char
	    *resource; /* a stage's or resource's name, "KIND:NAME" when that is ambiguous; NULL: metric is a full text */
	uint64_t row;  /* instead of resource, when not 0: the snapshot's row */
	const char *metric; /* the kind's key, a role name, or NAMESPACE/NAME{dim=v}:STAT */
	int64_t from, to;   /* seconds; to = 0: now */
	bool offline;       /* the cache alone */
};
struct history_part { /* what is old is coarser: CloudWatch's doing, or the history file's, which rolls up what it keeps long */
	int64_t from, to;   /* from, from + step ... < to */
	uint32_t step;
	unsigned n;
	const char *rolled; /* some of its points were rolled up here, each from finer ones: sum, mean, lowest, highest; static. NULL */
};
struct history_result {
	struct metric_info info; /* title, unit; key as asked */
	char *metric;            /* canonical text, or the formula of a derived one */
	struct history_part *parts; /* oldest first, at least one; each begins where the one before ends */
	unsigned nparts;
	uint32_t step;              /* of the newest part */
	int64_t from, to;           /* of all parts */
	unsigned n;
	double *v;             /* n values, part after part, NAN where there is no point */
	uint32_t *held;        /* n numbers: how many points a rolled-up one holds; 0: it is as CloudWatch or the service gave it */
	bool polled;           /* a poll succeeded: gaps are the service's; false: they may be ours */
	struct err poll_error; /* why not, when it did not */
	char *note;                          /* trouble with the history file, or NULL */
	char *hint;            /* "CloudWatch lists this metric with other dimensions: ..." or NULL */
};

enum verdict_status {
	VERDICT_OK,
	VERDICT_SKIPPED,
	VERDICT_WARNING,
	VERDICT_UNKNOWN,
	VERDICT_CRITICAL
}; /* worse is larger */
struct verdict {
	char *name, *pipeline, *resource, *kind;
	enum verdict_status status;
	const char *code; /* static: NO_DATA TOO_FEW IDLE STALE ... and err_check_code(); NULL when there is none */
	char *reason;
	double value;             /* NAN: none */
	const char *unit;         /* static; NULL */
	char *warning, *critical; /* the ranges as given */
	int64_t window_start, window_end;
	uint32_t period;
	unsigned samples, missing;
	int64_t age_s;      /* of the newest point; -1 unknown */
	const char *source; /* live, cache; NULL */
};
struct check_metric {
	const char *metric;
	const char *warning, *critical;
}; /* NS/NAME{..}:STAT[@PERIOD], ranges or NULL */
struct check_request {
	bool identity; /* the account's id is wanted in the answer, at the price of one more call */
	bool alarms;   /* --alarms */
	bool in_alarm_said, in_alarm_is_warning;
	bool dlq;
	double dlq_max; /* --dlq-max N */
	int64_t ttl_min; /* --ttl-min: seconds that a first-loss clock may not be nearer than; 0: not asked for */
	const struct check_metric *metrics;
	unsigned nmetrics; /* --metric */
	unsigned m, n;
	int64_t window;
	unsigned min_samples; /* 0 = default */
	const char *no_data;  /* NULL = unknown */
	int64_t delay_s;      /* -1 = auto */
	const char *const *select;
	unsigned nselect; /* names; none = everything */
	unsigned deadline_s; /* of this call; 0 = the engine's */
	bool priced;         /* --max-cost: refuse before the first paid poll when `polls` of them would cost more */
	double max_usd;
	unsigned polls;      /* 0 = 1 */
};                    /* nothing named here and no [check] in conf: the defaults. What is left open is [checks]' to say. */
struct check_result {
	struct verdict *verdicts;
	unsigned n;
	enum verdict_status status;
	bool defaults; /* sluice's own defaults were judged */
	struct target target;
	unsigned metrics;
	double usd; /* what it cost, as AWS counts */
	struct {
		char *text;
	} * causes;
	unsigned ncauses; /* one line per cause for stderr */
};

struct finding {
	const char *topic;
	char *name, *value, *source;
	struct err problem; /* code OK: fine */
};
struct doctor_result {
	struct finding *findings;
	unsigned n;
};

struct iam_statement {
	const char *sid; /* static; NULL: none */
	char **actions, **resources;
	unsigned nactions, nresources;
};
struct iam_result { /* the least that AWS must allow: the statements of one policy */
	struct iam_statement *statements;
	unsigned n;
};

struct discover_request { /* neither: the whole account */
	const char *stack; /* a CloudFormation stack's name or ARN: its members are the pipeline */
	const char *tag;   /* KEY=VALUE or KEY */
};
struct discover_problem {
	const char *op; /* static: the operation, as its IAM action */
	struct err err; /* the first that failed */
	unsigned n;     /* how many of its calls */
};
struct discover_result {
	struct flow_graph *flow; /* NULL: nothing could be read */
	struct target target;
	struct discover_problem *problems; /* what is not in it, and why */
	unsigned nproblems;
	unsigned members, others; /* of the stack or tag: of kinds that are watched, and of others */
};

struct note_request { /* among the events, in the history file: no act, nothing of it leaves this machine */
	const char *text; /* one line of visible characters, 1000 bytes at most */
	bool incident;
};
struct note_result {
	int64_t at;
};

struct events_request { /* from the history file, the newest first */
	int64_t from, to;
	unsigned most;
};
struct events_result {
	struct arena mem;
	struct event *v;
	unsigned n;
	bool more; /* there are more than `most` */
};

struct past_request { /* a snapshot of that instant, from what the history has: values, alarm states and configuration as known of then */
	int64_t at;
};

struct shards_request {
	uint64_t row;                  /* the snapshot's, of a stream */
};
struct shard {
	const char *id, *parent;       /* parent NULL: none, or it is gone */
	bool closed;                   /* nothing is written to it any more; it may hold records */
	double from, to;               /* percent of the partition keys' hashes */
	double in, out, age;           /* records a second, seconds; NAN: no enhanced monitoring of it, or no point */
	int64_t at[3];                 /* of these: their periods' beginnings */
};
struct shards_result {
	struct arena mem;
	struct shard *v;
	unsigned n;
	bool enhanced;                 /* shard-level metrics are switched on; those of the first open shards were asked for */
	struct shard **measured;
	unsigned nmeasured;
	struct err metrics_err;
};

struct first_request { /* the answer to snapshot.first. A dry run only says what it would cost; else it is saved, and watched from then on */
	enum first_choice choice;
	const char *text; /* KEY=VALUE or KEY, the prefix, the pipeline's name; NULL: everything */
};
struct first_result {
	struct first_cost cost;
	bool saved; /* in the configuration. Everything is watched even when that fails: then err says why it will be asked again */
};

struct code_request { /* the code of the MFA device that snapshot.credential names */
	char code[16];
};

struct iam_request {
	enum conf_mode mode; /* what the policy is to allow */
};

/* ---- acts: requests that write. Each passes the gate (engine/gate.h) unless it is a dry run. */
struct consent {         /* what the face knows of the reader's will */
	enum conf_mode mode; /* the most this process may do */
	bool yes;            /* --yes, or a question answered with yes */
	bool person;         /* somebody sits at a terminal and can be asked */
	const char *typed;   /* what was typed when the target's name, or a number, was asked for; NULL = nothing */
	const char *account; /* the one it was given for: in another nothing is done; NULL = whichever it is */
	bool count_said;     /* --yes-i-mean COUNT: of what is done to so many things at once */
	unsigned count;
};
enum gate_ask { GATE_ASK_NOTHING, GATE_ASK_YES, GATE_ASK_NAME, GATE_ASK_COUNT };

struct put_records_request { /* JSON lines into a stream, one record a line, byte for byte without its line feed; blank lines are none */
	const char *stream;
	struct span text;              /* borrowed until the answer is there */
	const char *key;               /* of all records; NULL: each one's user_id, else "default" */
};
enum put_status { PUT_PLANNED /* dry run */, PUT_OK, PUT_FAILED, PUT_UNKNOWN /* may be in the stream: sent again it may be there twice */ };
struct put_item {
	unsigned line;                 /* of the text, from 1 */
	enum put_status status;
	struct span data;              /* within the request's text */
	const char *key;
	const char *shard, *sequence;  /* of PUT_OK, else NULL */
	const char *code, *message;    /* of the others: NOT_JSON, TOO_LARGE, BAD_KEY, NOT_SENT or err_check_code(); NULL when PUT_OK */
};
struct put_records_result {
	struct arena mem;
	struct put_item *items;
	unsigned n, ok, failed, unknown;
	unsigned again;                /* how many records had to be sent more than once */
	struct err cause;              /* the first call that failed as a whole */
};

struct process_request { /* an asynchronous invocation with {"bucket","key","timestamp"} */
	const char *function;          /* NULL: the configuration's process_function */
	const char *bucket, *key;
};
struct put_metric_request {
	const char *ns, *name, *value; /* as given: they are checked before anything is sent */
	const char *unit;              /* NULL: none */
	const char *const *dims;       /* NAME=VALUE each */
	unsigned ndims;
};
struct mute_request { /* of one alarm's actions */
	const char *alarm;
	const char *reason; /* of muting: always */
	int64_t seconds;    /* 0: an hour */
	bool off;           /* no more: every mute of sluice's that is on it ends */
};
struct publish_value {
	const char *check;             /* the dimension Check's value; NULL: no dimension */
	const char *metric, *unit;     /* its name; CloudWatch's unit in any case, NULL or what is none: none is said */
	double value;
};
struct publish_request { /* what a check found, as values of custom metrics; the array is borrowed until the answer is there */
	const char *ns;
	const struct publish_value *values;
	unsigned n;
};
struct notify_request { /* one message, unless this state was the last one told to this topic under this key */
	const char *topic;             /* ARN, of a standard topic in the target's region */
	const char *subject, *message; /* the caller has kept SNS's limits */
	const char *key;               /* what is watched: another key is another memory of what was told last */
	const char *state;             /* "" is where everything begins */
};
struct act_result { /* of acts of a call or few */
	char *what;                    /* what is, or would be, done, in words */
	char *body;                    /* process: the payload */
	char *function;                /* process */
	char *metric, *unit;           /* put-metric: NAMESPACE/NAME{dims}, and the unit in CloudWatch's spelling or NULL */
	double value;
	char *rule;                    /* mute: its name */
	int64_t until;                 /* mute: when it ends */
	char request_id[64];           /* "" when the answer named none, and in a dry run; of notify: the message's id */
	bool unchanged;                /* notify: this was the last one told already */
};

struct audit_entry { /* one line of the audit log */
	int64_t n, at_ms;
	const char *user, *host, *ssh_from, *account, *profile, *mode, *action, *target, *outcome, *run, *detail, *sum;
};
struct audit_request {
	bool verify;
	const char *run; /* NULL: all lines */
};
struct audit_result {
	struct arena mem;
	struct audit_entry *v; /* oldest first; none with verify */
	unsigned n;
	char last[65];         /* verify: digest of the newest line */
};

struct alarm_request { /* one alarm, and what it would be now by its own datapoints */
	const char *name;
	int64_t points_from;   /* of the line to draw, seconds; 0: none */
	int64_t history_from;  /* 0: no history */
	unsigned history_most; /* moments; 0: all */
	bool history_only;     /* neither its datapoints nor whom it tells are asked for */
	int64_t backtest_from; /* what its rule would have done since; 0: not asked */
};
struct alarm_line { /* what the alarm looks at, minute by minute: the statistic over the period that ends with each step */
	int64_t from, to; /* from, from + step ... < to */
	uint32_t step;
	unsigned n;
	const double *v;  /* NAN: no datapoint */
};
struct alarm_result {
	struct arena mem;
	struct alarm alarm;
	int64_t at, read_at;       /* of this answer; when CloudWatch told of the alarm */
	const struct alarm_moment *history; /* newest first */
	unsigned nhistory;
	bool history_more;
	struct err history_err;
	struct alarm_line line;    /* n 0: none was wanted, or none could be had */
	const double *windows;     /* what was judged, oldest first, NAN where there is none; the newest ends at windows_end */
	unsigned nwindows;
	int64_t windows_end;
	struct err points_err;     /* why its datapoints could not be read */
	unsigned metrics;          /* asked for, as AWS bills them */
	struct backtest_result backtest;
};

/* ---- alarms as code: the file's alarms beside the account's, and what has to be written to make them the same. A plan is kept
 * until the next one is made; what is applied is exactly the plan that was shown. */
struct alarm_code_request {
	struct span text;      /* the file; borrowed until the answer is there */
	const char *file;      /* its name, for errors */
	bool adopt;            /* write also what somebody else keeps */
	bool drift;            /* the question is what others changed */
	uint64_t plan;         /* of REQUEST_ALARM_APPLY: which one */
	const char *const *names; /* of REQUEST_ALARM_EXPORT (none: all) and _INIT (one) */
	unsigned nnames;
};
struct alarm_code_result {
	struct arena mem;
	struct alarm_plan plan;
	uint64_t id;           /* of the plan */
	const char *text;      /* of REQUEST_ALARM_EXPORT and _INIT: the file */
	struct { const char *text; } *causes; /* what could not be read, a line each */
	unsigned ncauses;
};

enum alarm_act_what { ALARM_ACT_ENABLE, ALARM_ACT_DISABLE, ALARM_ACT_SET_STATE, ALARM_ACT_DELETE };
struct alarm_act_request { /* one thing done to one alarm; the answer is an act_result */
	enum alarm_act_what what;
	const char *name;
	const char *state, *reason; /* of ALARM_ACT_SET_STATE: OK, ALARM, INSUFFICIENT_DATA, until the next evaluation; it fires actions */
};

enum topics_what { TOPICS_LIST, TOPICS_SHOW, TOPICS_CREATE, TOPICS_SUBSCRIBE, TOPICS_UNSUBSCRIBE, TOPICS_PUBLISH };
struct topics_request { /* of SNS; what is more than LIST and SHOW needs admin */
	enum topics_what what;
	const char *topic;                 /* its name or ARN; of CREATE its name */
	const char *protocol, *endpoint;   /* of SUBSCRIBE */
	const char *filter, *dead_letters; /* the same: a filter policy (JSON), a queue's ARN; NULL: none */
	const char *subscription;          /* of UNSUBSCRIBE: its ARN */
	const char *subject, *message;     /* of PUBLISH; subject NULL: none */
};
struct topics_result {
	struct arena mem;
	struct topic *v;                   /* of LIST all, by name; of SHOW the one */
	unsigned n;
	const char *what;                  /* what is, or would be, done, in words */
	const char *made;                  /* an ARN, "pending confirmation", a message's id; NULL in a dry run */
	struct err attributes_err;         /* the first that could not be read */
};

struct errors_request { /* what a function's log says went wrong */
	const char *function;  /* a stage's or a function's name */
	uint64_t row;          /* instead, when not 0: the snapshot's row */
	int64_t from, to;      /* seconds */
};
struct errors_result {
	struct arena mem;
	const char *function, *log_group;
	int64_t from, to, at;
	struct error_group *groups; /* the newest first */
	unsigned n, lines;          /* lines that were read; not all of them are errors */
	bool more;                  /* the window holds more than was read: counts are of [read_from, to] */
	int64_t read_from;
	unsigned calls;
	const char *dead_letters;   /* the queue that its failures end in; NULL: not seen */
};

enum request_kind {
	REQUEST_STATUS,
	REQUEST_HISTORY,
	REQUEST_CHECK,
	REQUEST_DOCTOR,
	REQUEST_IAM,
	REQUEST_CODE,
	REQUEST_PUT_RECORDS,
	REQUEST_PROCESS,
	REQUEST_PUT_METRIC,
	REQUEST_MUTE,          /* its answer is an act_result */
	REQUEST_PUBLISH,
	REQUEST_NOTIFY,
	REQUEST_DISCOVER,
	REQUEST_SHARDS,
	REQUEST_FIRST,
	REQUEST_ALARMS, /* a status of alarms alone, and whom they tell */
	REQUEST_ALARM,
	REQUEST_ERRORS,
	REQUEST_TOPICS,
	REQUEST_ALARM_ACT,     /* needs admin */
	REQUEST_ALARM_INIT,    /* two alarms for names[0], a pipeline or a resource, as a file */
	REQUEST_ALARM_EXPORT,  /* the account's alarms as a file */
	REQUEST_ALARM_PLAN,    /* reads, writes nothing */
	REQUEST_ALARM_APPLY,   /* a plan that was made. Needs admin */
	REQUEST_REPLAY_PLAN,   /* sweeps, groups and tells; sends nothing. Needs inspect */
	REQUEST_REPLAY_START,  /* freezes, asks (GATE_ASK_COUNT; the run's id is in the result) and runs. Needs operate */
	REQUEST_REPLAY_RESUME, /* goes on with a run, under the confirmation that is in the ledger */
	REQUEST_REPLAY_STEER,  /* tells whoever drives a run what is wanted */
	REQUEST_REPLAY_SHOW,   /* the ledger's: a run and its messages, checked */
	REQUEST_REPLAY_EXPORT, /* a run into a file, for a colleague to adopt; it cannot be gone on with here any more */
	REQUEST_REPLAY_ADOPT,  /* a run out of such a file. Needs operate */
	REQUEST_REPLAY_ITEM,   /* hold, skip or release of one message of a run that nobody drives. Needs operate */
	REQUEST_REPLAY_BUY_TIME, /* raises (or with `undo` lowers again) what `source` keeps its messages or records for. Needs admin */
	REQUEST_REPLAY_LIST,
	REQUEST_AUDIT,
	REQUEST_NOTE,
	REQUEST_PAST,
	REQUEST_EVENTS
};
struct request {
	enum request_kind kind;
	struct consent consent; /* of an act */
	bool dry_run;           /* of an act: everything but sending */
	union {
		struct history_request history;
		struct check_request check;
		struct iam_request iam;
		struct put_records_request put_records;
		struct process_request process;
		struct put_metric_request put_metric;
		struct mute_request mute;
		struct publish_request publish;
		struct notify_request notify;
		struct code_request code;
		struct discover_request discover;
		struct shards_request shards;
		struct first_request first;
		struct replay_request replay;
		struct audit_request audit;
		struct alarm_request alarm;
		struct errors_request errors;
		struct alarm_code_request alarm_code;
		struct alarm_act_request alarm_act;
		struct topics_request topics;
		struct note_request note;
		struct past_request past;
		struct events_request events;
	};
};
struct result {
	enum request_kind kind;
	uint64_t id;    /* of engine_ask */
	struct err err; /* the request as a whole failed; per-item failures are inside. in_doubt: an act may have been done */
	enum gate_ask ask; /* with ERR_GATE: the same request with this confirmed would pass */
	char *question;    /* then what to ask, without its question mark; and the name (or number) to type, of GATE_ASK_NAME and _COUNT */
	char *name;
	union {
		struct snapshot *status; /* also of REQUEST_ALARMS */
		struct history_result history;
		struct check_result check;
		struct doctor_result doctor;
		struct iam_result iam;
		struct put_records_result put_records;
		struct act_result act;
		struct discover_result discover;
		struct shards_result shards;
		struct first_result first;
		struct replay_result replay;
		struct audit_result audit;
		struct alarm_result alarm;
		struct errors_result errors;
		struct alarm_code_result alarm_code;
		struct topics_result topics;
		struct note_result note;
		struct snapshot *past;
		struct events_result events;
	};
};
void result_free(struct result *r); /* r itself too; NULL is fine */

/* Commands: turns the engine until done or the deadline. Never NULL. */
struct result *engine_call(struct engine *g, const struct request *rq);
/* From a signal handler, while engine_call runs: it ends as at its deadline, within a second. What was under way is in doubt; but a replay
 * sends nothing more, waits for what it has sent, gives back what it holds, and ends PAUSED. */
void engine_interrupt(struct engine *g);
/* Console: copies rq; 0 when the ring is full. The answer carries the id. */
uint64_t engine_ask(struct engine *g, const struct request *rq);
struct result *engine_answer(struct engine *g);

#endif
