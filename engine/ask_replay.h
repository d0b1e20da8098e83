/* What is asked of the engine about replays, and what it answers: a part of engine/engine.h, through which the faces see it. */
#ifndef ENGINE_ASK_REPLAY_H
#define ENGINE_ASK_REPLAY_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/model/replay.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- replay: messages of a dead-letter queue through a function, or back to a queue. What runs is exactly what was frozen and
 * confirmed; the ledger (state_path/ledger.db) has every message's state on the disk before anything is done to it. */
/* What a run goes on despite of: each of these pauses it otherwise. */
#define DESPITE_LOSS 1u      /* the first message is lost before it is over */
#define DESPITE_ALARMS 2u    /* an alarm goes off */
#define DESPITE_THROTTLES 4u /* its consumer is throttled more than before */
#define DESPITE_AGE 8u       /* what its consumer reads grows older faster than before */
struct replay_request {
	const char *source;       /* sqs:QUEUE or a queue's ARN; NULL where a run is meant */
	const char *run;          /* its id; NULL: the newest unfinished, else the newest */
	const char *through;      /* FUNCTION[:ALIAS]; NULL with redrive */
	bool as_mapped;           /* without an alias: the one that the queue's mapping invokes; else that is a warning */
	bool redrive;             /* back into the queue the messages came from, or `to` */
	bool move_task;           /* the same, by SQS itself */
	const char *to;           /* a queue's name or ARN; NULL */
	unsigned limit;           /* messages; 0 = all */
	double rate;              /* a second; 0 = 10, or what the run has */
	unsigned lease_s;         /* how long a message is held at a time; 0 = 6 times the function's timeout, within 60 s and 15 min */
	unsigned verify_s;        /* redrive: how long a bounce is waited for; 0 = maxReceiveCount x VisibilityTimeout + 60 s */
	struct span keys;         /* of an S3 source: these alone, one a line; p NULL: all below the prefix */
	bool as_s3_event;         /* of an S3 source: the event that S3 itself would have sent, not {bucket, key, timestamp} */
	const char *where;        /* group=FP, source=QUEUE, body~TEXT or attr.NAME=VALUE; NULL = everything */
	bool unknown_said;
	enum replay_unknown unknown;
	bool poison_again;        /* also what failed for good in an earlier run; what is named by `where` is meant anyhow */
	bool dedupe_send;         /* also what has the business key of something that was replayed well */
	const char *file;         /* of _EXPORT and _ADOPT: its path */
	bool copy, driver_gone;   /* _EXPORT: the run stays here. _ADOPT: somebody says that nobody drives it */
	const char *item;         /* of _ITEM: its number in the run, or its message id */
	unsigned hours;           /* of _BUY_TIME, a stream's: 0 = 168 */
	bool undo;
	unsigned despite;         /* DESPITE_... */
	unsigned watch_s;         /* how often all that is looked at; 0 = 60 */
	const char *word;         /* of REQUEST_REPLAY_STEER: pause, stop; of _ITEM: hold, skip, release */
	/* Called once, on the engine's thread, when the run is in the ledger and before anything is sent; NULL: nobody wants to know. */
	void (*begun)(void *ctx, const char *run);
	void *ctx;
};
struct replay_line { int64_t at_ms; unsigned seq; const char *from, *to, *detail; };
struct replay_bought {          /* of REQUEST_REPLAY_BUY_TIME */
	const char *arn, *what;     /* what: in words; arn NULL: nothing was looked at */
	int64_t was_s, now_s;       /* retention, before and (to be) after */
	double usd_per_day;         /* NAN: nothing, or not known */
	bool done;
};
struct replay_result {
	struct arena mem;
	bool has_run;
	struct replay_run run;
	struct replay_item *items;  /* all of the run's (or, of a plan, of the sweep) */
	unsigned nitems;
	struct replay_counts counts;
	struct replay_group *groups;
	unsigned ngroups;
	struct replay_run *runs;    /* of REQUEST_REPLAY_LIST, newest first */
	unsigned nruns;
	const char **warnings;
	unsigned nwarnings;
	struct replay_bought bought;
	const char *file, *file_sha; /* of _EXPORT and _ADOPT: its path and SHA-256 */
	const char *rate_why;       /* where the rate comes from; NULL */
	const char *guard;          /* what keeps a second replay away, in words; NULL */
	const char *function_arn, *queue_arn;
	unsigned sweeps;            /* how often this queue was swept; a third changes its age metric */
	unsigned in_flight;         /* messages others have received, when the plan was made */
	double seconds;             /* how long the run will take at its rate; NAN: not known */
	bool driven;                /* some process drives this run now */
};

#endif
