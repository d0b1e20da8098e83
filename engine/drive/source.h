/* The kinds of source a replay has: one row each, and the drive (engine/replay*.c) knows no other word about where its items come from. An
 * item is what is sent and judged by itself; taken in hand it is a struct message: `id` names it for good (in the manifest, the ledger, over
 * runs), `body` is what the manifest's digest is over, and what is not in a message of a queue is left empty.
 *
 * To add a kind:
 * 1. engine/drive/x.c with `const struct replay_source source_x`; what it keeps beside struct drive hangs on d->own (freed by .clear).
 * 2. A word in REPLAY_SOURCES below. The first row whose .form.prefix begins the name has it.
 * 3. .names reads the name, of a new run and before a resume (it has run.source then). .steps are asked one after the other, as
 *    engine/drive/prepare.c does it: ask_function and others there may be used again. .settle says what the run's
 *    row says: source (in the form of its name), source_arn (what the guard is about), account, region, lease_s.
 * 4. .begin and .step look for items: in PHASE_FREEZE for everything, each new one through drive_add() and then drive_added(); later for
 *    the entries that are `asked` (asked: SELECTED, or UNKNOWN and to be sent again), each through drive_take() or, when it is not there,
 *    drive_missed(). While calls are under way d->sweep.flying is true and d->sweep.on until it is over. What taking in hand again costs nothing is dropped
 *    after the freeze (drop_message), and not LEASED before its turn. It may end early: what is still
 *    `asked` is asked for again when nothing is in hand. drive_take_most() says how many may be of use at once.
 * 5. Without .deletes an accepted item is VERIFIED in the same transaction. Without .leases what is in hand stays ours until it is sent.
 * A run's unit test is tests/peers/test_replay_x.py; add its points to tests/crash. */
#ifndef ENGINE_DRIVE_SOURCE_H
#define ENGINE_DRIVE_SOURCE_H

#include "engine/drive/drive.h"
#include "replay/async.h"

struct prepare_step {
	bool (*ask)(struct drive *d);  /* false: it need not be asked */
	bool (*hear)(struct drive *d); /* false: d->err says why it ends here */
	bool again;                    /* also before a resume */
	bool optional; /* a service that does not know it, or does not let us, does not stop us: it is said */
	const char *what;
};

#define SQS_STEPS 8
extern const struct prepare_step sqs_steps[SQS_STEPS]; /* a move task's are a queue's */

struct replay_source {
	const char *prefix;            /* how a name of this kind begins: "sqs:" */
	const char *form;              /* the whole of it, for messages: "sqs:QUEUE" */
	const char *kept;              /* where an item stays that was not sent: "the queue" */
	bool redrives;                 /* its items can be sent to a queue, too */
	bool leases;                   /* what is in hand is hidden from others for run.lease_s and has to be kept, or given back */
	bool deletes;                  /* what was accepted is deleted from the source, last of all */
	bool ordered;                  /* its items go in their order, one call at a time (ordered.c) */
	bool through;                  /* its items say themselves which function they are for (.function): --through may be left out */
	bool (*is)(const char *text);  /* NULL: by the prefix */
	bool (*names)(struct drive *d, const char *text, struct err *e);
	bool (*may_read)(struct drive *d); /* the permits for what is not plain reading; NULL: none are needed */
	const struct prepare_step *steps;
	unsigned nsteps;
	void (*settle)(struct drive *d);   /* an error in d->err ends it */
	void (*begin)(struct drive *d);
	bool (*step)(struct drive *d);     /* true: over */
	void (*work)(struct drive *d);     /* a turn of the run; NULL: work_step() */
	/* With `all` lets go of what is in hand; what is met and not ours in any case. True: done. NULL: drive_let_go(). */
	bool (*give_back)(struct drive *d, bool all);
	/* The event of f's entries, appended to f->payload. False: it does not fit. */
	bool (*event)(struct drive *d, struct flight *f);
	/* Whom an item is for; NULL, here or as the answer: run.dest. Only items of one function share a call. */
	const char *(*function)(const struct drive *d, const struct entry *en);
	/* What a 200's body says of them, as event_verdict() does; NULL: event_verdict(), by the items' ids. */
	void (*verdict)(struct drive *d, const struct flight *f, struct verdict_of *v);
	/* Where an item in hand is not yet what is sent (it points to it): a turn of the work; may it be sent now; what its call's
	 * answer makes of it, in place of the verdict, with f->detail said beside its intent; is a call of its own under way? NULL: nothing. */
	void (*turn)(struct drive *d, int64_t *wake_ms);
	bool (*ready)(const struct drive *d, unsigned at);
	bool (*hear)(struct drive *d, struct flight *f); /* false: it is none of these */
	bool (*busy)(const struct drive *d);
	/* An item was met for the first time; everything is frozen: true when what has to be asked then is known. NULL: nothing. */
	void (*added)(struct drive *d, struct entry *en);
	bool (*frozen)(struct drive *d);
	void (*clear)(struct drive *d);    /* of d->own; NULL */
};

#define REPLAY_SOURCES(X) \
	X(source_sqs)             \
	X(source_failures_s3)     \
	X(source_failures)        \
	X(source_s3)              \
	X(source_kinesis)
#define X(row) extern const struct replay_source row;
REPLAY_SOURCES(X)
#undef X
extern const struct replay_source source_move; /* of --move-task: a queue, whose messages SQS itself moves (move.c) */

/* The row that a name belongs to; NULL and e: none. */
const struct replay_source *replay_source_of(const char *text, struct err *e);
bool resume_names(struct drive *d, struct err *e); /* d->src, by what the run's row says */

/* ---- for the rows */

/* prepare.c */
void read_aws(struct drive *d, const struct op *op, void *in, void *out); /* from .ask: d->err has the outcome in .hear */
/* Steps that more than one kind needs: mappings are those of d->one_source (NULL: all), and d->through is set; the function of --through. The
 * account (step 0 of every kind) is known before. */
bool ask_mappings(struct drive *d);
const struct function_mapping *mapping_of(const struct drive *d, const char *arn); /* from that source to d->through; NULL */
void use_mapping(struct drive *d, const struct function_mapping *m); /* its batch size, its partial responses, its alias; NULL: 1, none */
bool ask_function(struct drive *d);
bool hear_function(struct drive *d);
bool name_valid(const char *s, size_t most, const char *more); /* letters, digits, _.- and `more` */
unsigned lease_of(const struct drive *d); /* from how long one call may take */

/* send.c: what an answer makes of an entry; each is a change of its state that drive_commit() writes */
bool entry_ready(const struct drive *d, unsigned at, int64_t mono);
void drive_accept(struct drive *d, struct entry *en, const char *request_id);
void reject(struct drive *d, struct entry *en, bool again, const char *code, const char *text);
void count_results(struct drive *d, unsigned n, unsigned failed, bool as_one); /* for the breaker */

/* ordered.c: of .ordered kinds */
void choose_ordered(struct drive *d, struct flight *f, unsigned most);
void hear_ordered(struct drive *d, struct flight *f, const struct verdict_of *v);

/* sqs.c: of a queue, for kinds whose items are messages of one; d->queue_name says which */
bool may_receive(struct drive *d);
bool ask_url(struct drive *d);   /* run.source_url */
bool hear_url(struct drive *d);
bool ask_queue(struct drive *d); /* its ARN, with account and region; its retention */
bool hear_queue(struct drive *d);
bool ask_moves(struct drive *d); /* ends it where a move task runs */
bool hear_moves(struct drive *d);

/* failures.c: of an invocation that failed (replay/async.h), in hand: whom it names, "" for nobody. It is noted in the message's
 * facts, so that it is read once. */
#define FUNCTION_FACT "Function"
enum async_found note_async(struct message *m, struct err *e);
bool async_event(struct drive *d, struct flight *f);

/* take.c */
bool drive_added(struct drive *d, unsigned had); /* the entries from `had` on into the ledger; false: broken */
void drive_take(struct drive *d, struct entry *en, struct message *m); /* in hand: m is the entry's from now on */
void drive_hold(struct drive *d, struct entry *en, struct message *m); /* the same without a change of its state */
void drive_missed(struct drive *d, struct entry *en);                  /* asked for, and not there */
void drive_keep_out(struct drive *d, struct entry *en, const char *code, const char *text); /* LEASED: to HELD, where it stays; code is static */
bool drive_let_go(struct drive *d, bool all);
unsigned drive_take_most(const struct drive *d);

#endif
