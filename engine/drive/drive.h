/* The inside of a replay: what engine/drive/ shares. A drive is one run (or plan) being worked on, a step each turn of the engine; all on
 * the engine's thread.
 *
 * The order that keeps the promise, for each message: its INTENT is in the ledger and the call announced in the audit log, both on the disk;
 * then the call; then ACCEPTED is on the disk; then it is deleted; then REMOVED is. Whatever dies in between leaves a state from
 * which the resume knows what may have happened. No state changes but through drive_shift(), none is believed before drive_commit(). */
#ifndef ENGINE_DRIVE_DRIVE_H
#define ENGINE_DRIVE_DRIVE_H

#include "aws/op_lambda.h"
#include "aws/op_sqs.h"
#include "cache/ledger.h"
#include "engine/audited.h"
#include "engine/gate.h"
#include "engine/inside.h"
#include "engine/drive/guard.h"
#include "replay/event.h"
#include "replay/group.h"
#include "replay/manifest.h"
#include "replay/pace.h"
#include "replay/state.h"

#define HOLD_MOST 1000               /* messages in hand: beyond, they are given back and received again when it is their turn */
#define HOLD_BYTES (64u << 20)
#define BATCH_MOST 100               /* of one invocation, whatever the mapping allows */
#define FLIGHTS 8
#define REMOVALS 4                   /* deletes at a time: one that is not full goes alone */
#define REJECTIONS 2                 /* then a message is POISON */
#define TOLERANCE 0.05
#define RATE_DEFAULT 10.0
#define EMPTIES 3                    /* empty long polls in a row: the end of the queue */
#define WAIT_S 1                     /* of a long poll */
#define MARGIN_MS 2000

struct entry {                       /* a message of the run */
	struct replay_item it;
	const char *cause;               /* of its group; NULL when it came out of the ledger */
	struct message *msg;             /* in hand; NULL: not received, or given back */
	const char *bad, *done;          /* what earlier runs say of it; NULL */
	bool flying, deleting;
	bool alone;                      /* it was in a batch that failed: from now on it goes by itself */
	bool asked;                      /* by this sweep's end it must be found */
	bool retold;                     /* its unknown outcome was acted on in this life of the run: not once more */
	unsigned deletes;                /* attempts that failed */
	const char *points_to;           /* of a pointer, once it was read: its stream's ARN, and when the first of its records arrived; NULL */
	int64_t first_ms;
	int64_t loss_ms;                 /* when what it points to is lost, wall clock; 0: by SentTimestamp and retention alone */
	int64_t not_before_ms;           /* monotonic */
};

struct flight {                      /* a call that carries messages */
	struct drive *d;
	bool on, answered;
	unsigned n, at[BATCH_MOST];      /* places of the entries */
	struct err err;
	struct invoke_sync_in in;
	struct invoke_sync_out out;
	struct send_in send;
	struct send_out sent;
	char dedup[SQS_BATCH][DEDUP_ID], stamp[SQS_BATCH][80];
	struct buf payload;
	char context[160];
	char detail[400];                /* which part of an item it is; "": all of it */
};

struct handles_call {                /* deletes, releases, heartbeats */
	struct drive *d;
	bool on, answered;
	unsigned n, at[SQS_BATCH];       /* places */
	int64_t after_ms;                /* monotonic: after a failure not before */
	struct err err;
	struct handles_in in;
	struct handles_out out;
};

struct replay_source;

enum phase_of { PHASE_PREPARE, PHASE_GUARD, PHASE_FREEZE, PHASE_CONFIRM, PHASE_RECOVER, PHASE_WORK, PHASE_CLOSE, PHASE_OVER };

struct sweep {
	bool on, flying, answered;
	unsigned empties, repeats, failures, others_n, others_cap, damaged;
	char **others;                   /* handles of what was met and is not ours: hidden until the sweep ends, so that it costs one receive each */
	struct receive_in in;
	struct receive_out out;
	struct err err;
	uint64_t *seen;                  /* hashes of the ids met in this sweep: a power of two of them, 0 = free */
	unsigned nseen, cseen;
	char attempt[33];                /* FIFO: of the receive under way; kept while its answer is not known */
};

struct drive {
	struct engine *g;
	struct task *t;
	struct replay_result *r;
	struct arena *mem;               /* r's: all strings of items */
	enum phase_of phase;
	bool plan, resumed, prepared_names;
	const struct replay_source *src; /* source.h: what kind of source it is */
	void *own;                       /* its row's */
	struct replay_run run;
	struct entry *v;
	unsigned n, cap, first;          /* first: all before it have ended */
	unsigned *index, nindex;         /* places sorted by message id; made anew when n grows */
	struct ledger *ledger;
	struct audit *audit;
	struct audited who;
	int lock;                        /* -1: not ours */
	struct guard guard;
	struct permit receive, visibility, remove, send;

	struct ledger_change *changes;
	unsigned nchanges, cchanges;
	bool gathering, held;            /* between drive_gather and drive_sync; something was announced there */
	bool broken;                     /* the ledger or the audit log could not be written: nothing more is done */

	/* preparing: one call at a time */
	unsigned step;
	bool asking, answered;
	struct err err;
	union {
		struct queue_url_in url;
		struct describe_in describe;
		struct sources_in sources;
		struct function_in function;
		struct mappings_in mappings;
		struct move_tasks_in moves;
	} in;
	struct caller_identity identity;
	struct queue_url_out url;
	struct found found, sources;
	struct function_out function;
	struct mappings_out mappings;
	struct move_tasks_out moves;
	char *queue_name, *to_name;
	const char *through;             /* the request's, with the mapping's alias where that was wanted; NULL: none */
	const char *one_source;          /* ARN of the only source queue; NULL: none, or several */
	int64_t retention_s, visibility_s, max_receive;
	struct move_tasks_in moves_in;

	struct sweep sweep;
	struct flight flights[FLIGHTS];
	unsigned nflights;
	struct handles_call removals[REMOVALS], release, beat;
	unsigned released;               /* of sweep.others, then of the entries, while closing */
	struct pace pace;
	struct ramp ramp;
	unsigned suspect;                /* ordered: from the first open entry to before this they failed together; 0: none have */
	unsigned results, failures, throttles;
	int64_t looked_ms;               /* when `wanted` was last read */
	bool ending;                     /* send nothing more; finish, give back, and be: */
	enum run_state ends_as;
	int64_t patience_ms;             /* wall clock: until then a receive whose answer nobody has may hide messages */
	bool verifying;                  /* the sweep under way looks for copies that came back */
	int64_t verify_from_ms;          /* since when it does, wall clock */
	bool told;                       /* rq.begun was called */
	struct peeking *peeking;         /* peeks.c's; NULL: nothing was looked at yet */
	struct run_watch *watch;             /* watch.c's; NULL: not begun */
};

/* drive.c */
void drive_warn(struct drive *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void drive_end(struct drive *d, enum run_state as, const char *fmt, ...) __attribute__((format(printf, 3, 4))); /* after what flies */
bool give_back(struct drive *d, bool all); /* as the source does it (source.h); true: done */
void drive_fail(struct drive *d, const struct err *e); /* before anything was frozen: the request fails */

/* ledger.c: states, and what is written before what */
struct entry *drive_find(struct drive *d, const char *msg_id);
struct entry *drive_add(struct drive *d, struct message *m);
bool drive_shift(struct drive *d, struct entry *en, enum item_event what, const char *detail); /* false: a bug, logged; nothing changed */
bool drive_commit(struct drive *d);  /* all shifts since the last one; false: broken */
bool drive_save(struct drive *d);    /* the run's row */
bool drive_touch(struct drive *d, struct entry *const *v, unsigned n);
/* What is announced and shifted between these two reaches the disk together, with one sync of either file; false: broken, and none of it may
 * be done. In between nothing is called and nothing waits. */
void drive_gather(struct drive *d);
bool drive_sync(struct drive *d);
/* A line in the audit log, on the disk; false: broken. */
bool drive_announce(struct drive *d, const struct op *op, const char *target, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void drive_note(struct drive *d, const char *action, const char *target, const char *outcome, const char *detail);
bool drive_lock(struct drive *d, struct err *e); /* the guard: ERR_GATE when another process replays this queue */
void drive_unlock(struct drive *d);
bool replay_driven(const struct engine *g, const struct replay_run *r); /* some process holds this queue's lock */
int64_t now_ms(void);                /* wall clock */

/* prepare.c */
bool prepare_names(struct drive *d, struct err *e); /* what can be checked without AWS */
bool prepare_step(struct drive *d);  /* true: all is known, or d->t->done */

/* sweep.c */
void sweep_begin(struct drive *d);
/* True when it is over. full: as much is in hand as may be, so that it may end early. */
bool sweep_step(struct drive *d);
bool release_step(struct drive *d, bool all); /* gives back the others, and with `all` what is in hand; true: done */
void sweep_clear(struct drive *d);
bool resends(const struct drive *d, const struct entry *en); /* an UNKNOWN one: is it to be sent again? */
void drop_message(struct entry *en);
bool selects(const struct drive *d, const struct message *m); /* --where */
bool where_valid(const char *where, struct err *e);

const char *feeding_queue(const struct drive *d, const struct entry *en); /* the queue whose mapping would have brought it to the function */

/* work.c: the run itself; send.c: what carries the messages */
void work_step(struct drive *d);
void wait_for(struct drive *d, int64_t until_ms); /* what is not seen before then may only be hidden */
void heed_release(struct drive *d);  /* what was not given back for certain comes back by itself, later */
void keep_held(struct drive *d, int64_t *wake_ms); /* heartbeats for what is in hand */
bool recover_step(struct drive *d);  /* after a crash or a pause: true when done */
bool work_flying(const struct drive *d);
/* What may go now, FLIGHTS at the most: announced and intended, between drive_gather and drive_sync; then sent, or not. */
unsigned plan_flights(struct drive *d, struct flight **planned, int64_t *wake_ms);
void launch(struct drive *d, struct flight *f, bool go);
void hear_flights(struct drive *d);  /* commits nothing */
int64_t wake_sooner(int64_t a, int64_t b);

/* verify.c: copies that were sent back into a queue are done when they have not come back to the dead-letter queue in time */
bool verify_waits(const struct drive *d);             /* there are copies whose time is not over, or that are not looked after yet */
bool verify_allows(const struct drive *d);            /* may another be sent already? */
void verify_begin(struct drive *d, bool idle, int64_t *wake_ms); /* starts a sweep when it is time */
bool verify_meets(struct drive *d, const struct message *m);     /* is it one of ours, come back? Then it is BOUNCED */
void verify_over(struct drive *d);                    /* the sweep has seen the whole queue */

/* peeks.c: what a look has shown, kept for the clocks. Nothing here can fail a replay. */
void peeks_begin(struct drive *d);                             /* a sweep begins */
void peeks_met(struct drive *d, const struct message *m);
void peeks_over(struct drive *d, bool whole);                  /* the sweep is over; whole: it met everything that was there */
void peeks_deleted(struct drive *d, const char *msg_id);       /* for certain */
void peeks_flush(struct drive *d);                             /* deletions, onto the disk */
void peeks_free(struct drive *d);
/* show.c: what the requests that the ledger answers share */
struct ledger *replay_ledger(struct engine *g, struct task *t, bool write); /* NULL: t's result says why */
const char *replay_which(struct ledger *l, const char *named, struct arena *mem, struct err *e); /* a run's id; NULL and e */
/* Nobody drives it, and nobody begins to until `fd` is closed; false and e (ERR_GATE): somebody does. */
bool replay_keep_away(const struct engine *g, const struct replay_run *r, int *fd, struct err *e);

/* past.c */
void past_look(struct drive *d, struct entry *en, const struct message *m); /* of one that has just been added */
void past_settle(struct drive *d);   /* all are frozen */

/* move.c */
bool move_names(struct drive *d, struct err *e); /* with --move-task: d->src becomes its row */
unsigned drive_count(const struct drive *d);     /* what is to be confirmed: of a move task, about so many */

void heed_wanted(struct drive *d); /* work.c: what another process wants of the run */

/* tell.c */
void tell_items(struct drive *d);    /* into the result */
void tell_groups(struct drive *d);
int64_t loss_of(const struct drive *d, unsigned at); /* wall clock; 0: not known */

#endif
