/* A replay as the ledger keeps it, the engine drives it and the faces show it: one run over a frozen set of messages. What a state may
 * become is replay/state.h's to say, and nobody else's. Text that came from messages is raw (core/text.h). Times are wall-clock
 * milliseconds, 0 = not yet. */
#ifndef CORE_MODEL_REPLAY_H
#define CORE_MODEL_REPLAY_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* Of one message. The names are what the ledger, the commands and the screens say. */
#define REPLAY_ITEM_STATES(X)                                                                                             \
	X(SELECTED)    /* frozen: in the manifest, its message in the queue */                                               \
	X(LEASED)      /* received by us, invisible to others until lease_until_ms */                                        \
	X(INTENT)      /* about to be sent, or sent: on disk before the call */                                              \
	X(ACCEPTED)    /* the function (or queue) took it; not yet deleted */                                                \
	X(REMOVED)     /* deleted from the source queue */                                                                   \
	X(VERIFIED)    /* processed: the function's own answer, or no bounce within the verification window */               \
	X(BOUNCED)     /* came back to a dead-letter queue */                                                                \
	X(REMOVE_LOST) /* accepted, its handle too old to delete with: the next sweep deletes only */                        \
	X(UNKNOWN)     /* sent, and no answer came: it may have been processed */                                            \
	X(REJECTED)    /* refused by the function; passing: it is retried or POISON in the same transaction */               \
	X(POISON)      /* rejected as often as it may be; stays in the queue */                                              \
	X(LEASE_LOST)  /* its visibility has passed, or a crash lost it; passing */                                          \
	X(GONE)        /* not in the queue any more: expired, or taken by someone else */                                    \
	X(HELD)        /* an operator keeps it out for now */                                                                \
	X(EDITED)      /* an operator sends something else in its place */                                                   \
	X(SKIPPED)     /* an operator (or --limit of a stop) leaves it in the queue for good */
enum item_state {
#define X(name) ITEM_##name,
	REPLAY_ITEM_STATES(X)
#undef X
	ITEM_STATES
};

/* Of the run. The first four can be resumed. */
#define REPLAY_RUN_STATES(X)                                                                                              \
	X(FREEZING) /* the selection is being received; nothing has been sent */                                             \
	X(FROZEN)   /* selected and hashed; waits for somebody to confirm the count */                                       \
	X(RUNNING)                                                                                                           \
	X(PAUSED)   /* `reason` says why */                                                                                  \
	X(STOPPED)  /* given up by its operator */                                                                           \
	X(REFUSED)  /* never confirmed: nothing was sent */                                                                  \
	X(DONE)     /* every message is accounted for */                                                                     \
	X(ROUGH)    /* AWS moved them: its counts are approximate, and nothing was verified. Its name is DONE~ */            \
	X(HANDED)   /* exported: it goes on where it was adopted, never here */
enum run_state {
#define X(name) RUN_##name,
	REPLAY_RUN_STATES(X)
#undef X
	RUN_STATES
};

enum replay_mode { REPLAY_INVOKE, REPLAY_REDRIVE, REPLAY_MOVE }; /* through a function; back to a queue; that by SQS itself */
enum replay_unknown { UNKNOWN_HOLD, UNKNOWN_RESEND }; /* what is done with a message that may have been processed */

const char *item_state_name(enum item_state s);
const char *run_state_name(enum run_state s);
const char *replay_mode_name(enum replay_mode m);       /* invoke, redrive, move-task */
const char *replay_unknown_name(enum replay_unknown u); /* hold, resend */
/* False when it is no such name. */
bool item_state_named(const char *name, enum item_state *s);
bool run_state_named(const char *name, enum run_state *s);
bool replay_mode_named(const char *name, enum replay_mode *m);
bool replay_unknown_named(const char *name, enum replay_unknown *u);

#define RUN_ID 27   /* a ULID and its NUL */
#define SHA_HEX 65

struct replay_item {
	unsigned seq;           /* 1.. in the order they were frozen */
	const char *msg_id;
	const char *handle;     /* of the latest receive; NULL: none is held */
	int64_t lease_until_ms; /* until when that handle's message is ours */
	int64_t sent_ms;        /* SentTimestamp; 0 unknown */
	const char *group_id;   /* MessageGroupId; NULL */
	const char *source_arn; /* DeadLetterQueueSourceArn; NULL */
	char body_sha256[SHA_HEX];
	unsigned bytes;         /* of the body */
	const char *fp;         /* its group by cause (replay/group.h) */
	enum item_state state;
	unsigned replay_no;     /* which sending it is, from 1; 0: not sent yet */
	unsigned rejections;
	bool resent;            /* sent again after its outcome was unknown: a possible duplicate */
	int64_t intent_ms, accepted_ms, removed_ms;
	const char *out_id;     /* of a redrive: the copy's message id; NULL */
	const char *code, *text; /* of the last failure; NULL */
	const char *request_id; /* AWS's, of the last answer; NULL */
	const char *place;      /* where in its source it lies, in the source's own words; NULL: the message id says it */
	const char *key;        /* its business key (idempotency_path); NULL */
};

struct replay_run {
	char id[RUN_ID];
	const char *account, *region;
	const char *source;     /* as it was named: sqs:QUEUE */
	const char *source_arn, *source_url;
	const char *dest;       /* the function's or queue's ARN */
	const char *dest_url;   /* of a queue; NULL */
	enum replay_mode mode;
	enum run_state state;
	const char *wanted;     /* pause, stop: said by another process; NULL */
	const char *reason;     /* why it is PAUSED or REFUSED; NULL */
	const char *by, *host;  /* OS user and machine that started it */
	char manifest[SHA_HEX]; /* "" until frozen */
	double rate;            /* messages a second, never more in any one */
	double tolerance;       /* share of failures that is borne: 0.05 */
	unsigned batch;         /* messages a call, at most */
	unsigned limit;         /* 0 = all */
	bool confirmed;         /* `expected` was said by a person or --yes-i-mean */
	unsigned expected;
	enum replay_unknown unknown;
	unsigned lease_s;       /* visibility of what is received */
	unsigned verify_s;      /* redrive: so long a copy has to stay away from the dead-letter queue */
	unsigned call_s;        /* how long one call may take: the function's own timeout */
	bool fifo, partial;     /* the queue; the mapping honours partial batch responses */
	const char *where;      /* the selection; NULL = everything */
	int64_t hidden_until_ms; /* until then a receive whose answer was lost may hide messages */
	int64_t created_ms, started_ms, ended_ms;
	const char *origin;     /* what its source needs to be read again, in the source's own words; NULL */
	int64_t fence;          /* which driver: one more each time it was handed over */
	int64_t handed_ms;      /* since then it goes on elsewhere, and never here */
	const char *task;       /* of a move task under way: its handle; NULL */
	unsigned task_rate;     /* messages a second that it was started with */
	int64_t moved, to_move; /* what AWS says of all its tasks: approximate */
};

/* A summary that cannot lie: unaccounted = selected - all the others that end a message, and the run is DONE only with 0. */
struct replay_counts {
	unsigned by_state[ITEM_STATES];
	unsigned selected, verified, bounced, poison, unknown, gone, skipped;
	unsigned duplicates;  /* sent again after an unknown outcome: possible duplicates, each named in its item */
	unsigned pending;     /* still to be worked on */
	unsigned unaccounted; /* neither ended nor pending; always 0 */
};
void replay_count(const struct replay_item *items, unsigned n, struct replay_counts *c);

struct replay_group {       /* messages of one cause */
	const char *fp;         /* stable over sweeps: --where group=FP */
	const char *cause;      /* in words */
	unsigned n;
	int64_t first_ms, last_ms; /* SentTimestamp; 0 unknown */
	int64_t loss_ms;        /* when the first of them expires; 0 unknown */
	const char *sample;     /* a message id */
	unsigned known;         /* how many of them earlier runs have replayed or seen bounce */
	unsigned bad, done;     /* how many failed for good before; how many have the business key of something that went well */
};

const char *replay_dest_name(const char *dest); /* "orders-loader:live", "orders-load": of an ARN; "-" for none */

#endif
