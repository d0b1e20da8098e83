/* The ledger of replays: a SQLite file of its own, $XDG_STATE_HOME/sluice/ledger.db. Every function that writes has written to the disk
 * (synchronous=FULL) when it returns true; when it returns false nothing of what it was given is in the file, and whoever acts must
 * stop. One thread a handle; several processes may have the file open: one drives a run (the guard sees to that), others steer it
 * through `wanted` and read.
 *
 * Nothing here is believed unread: each message's row carries a digest, every change of a state is an event in a chain, and the manifest
 * covers what was frozen. ledger_load refuses a run whose rows were edited or are missing, and names the first. */
#ifndef CACHE_LEDGER_H
#define CACHE_LEDGER_H

#include "core/err.h"
#include "core/model/replay.h"

#include <stdbool.h>
#include <stddef.h>

struct ledger;

/* folder: sluice's own state folder, made when it is missing. NULL and e: ERR_NOTFOUND when there is no ledger to read, ERR_DB or ERR_DISK
 * otherwise. A ledger that cannot be read is never set aside: it says what was sent. */
struct ledger *ledger_open(const char *folder, bool write, struct err *e);
/* The same of another file in another folder: a run that was exported. */
struct ledger *ledger_open_named(const char *folder, const char *name, bool write, struct err *e);
void ledger_close(struct ledger *l); /* NULL is fine */
const char *ledger_path(const struct ledger *l);

/* ---- runs */
bool ledger_run_add(struct ledger *l, const struct replay_run *r, struct err *e);
/* Everything of it but `wanted`; a state that has changed becomes an event. */
bool ledger_run_save(struct ledger *l, const struct replay_run *r, struct err *e);
/* What another process wants of the driver: pause, stop, rate=N; NULL: nothing any more. False when there is no such run. */
bool ledger_want(struct ledger *l, const char *run, const char *word, struct err *e);
bool ledger_wanted(struct ledger *l, const char *run, char word[32]); /* false: nothing */
/* All of them, newest first, as they stand there; their strings in the arena. */
bool ledger_runs(struct ledger *l, struct arena *mem, struct replay_run **runs, unsigned *n, struct err *e);
/* One with its messages, each looked at: ERR_DB names what was tampered with. */
bool ledger_load(struct ledger *l, const char *run, struct arena *mem, struct replay_run *r, struct replay_item **items, unsigned *n,
                 struct err *e);

/* ---- messages */
bool ledger_items_add(struct ledger *l, const char *run, const struct replay_item *items, unsigned n, struct err *e);
/* A selection that was not confirmed yet is made anew. */
bool ledger_items_drop(struct ledger *l, const char *run, struct err *e);

struct ledger_change {
	const struct replay_item *item; /* its columns as they are to be, but for its state */
	enum item_state from, to;
	const char *detail;             /* why, in words; NULL */
};
/* All of them and their events, in one transaction. ERR_DB when a message is not in the state it should be changed from. */
bool ledger_commit(struct ledger *l, const char *run, const struct ledger_change *c, unsigned n, struct err *e);
/* The columns alone: a new handle, a longer lease. */
bool ledger_touch(struct ledger *l, const char *run, const struct replay_item *const *items, unsigned n, struct err *e);

struct ledger_past { /* what earlier runs made of a message */
	char run[RUN_ID];
	enum item_state state;
	int64_t at_ms;
	unsigned times; /* how many of them had sent it */
};
/* The newest run but `but` that had it; false: none. */
bool ledger_past(struct ledger *l, const char *msg_id, const char *but, struct ledger_past *p);

struct ledger_bad { char run[RUN_ID]; enum item_state state; bool group; }; /* group: all of its cause failed there */
/* Did it fail for good in another run (POISON or BOUNCED): by its id, by its body in the same queue, or, with two and none that went well, all
 * of its cause in the newest run that met it? */
bool ledger_bad_before(struct ledger *l, const char *source_arn, const struct replay_item *it, const char *but, struct ledger_bad *b);
/* A copy that run sent as its message seq: what that one was. False: not known here. */
bool ledger_copy_of(struct ledger *l, const char *run, unsigned seq, enum item_state *state);
struct ledger_done { char run[RUN_ID], by[64]; int64_t at_ms; };
/* The newest other run in which something with this business key was VERIFIED. */
bool ledger_done_before(struct ledger *l, const char *key, const char *but, struct ledger_done *d);

/* How often this queue was swept, this time included. */
bool ledger_peeked(struct ledger *l, const char *queue_arn, int64_t at_ms, unsigned *sweeps, struct err *e);

/* ---- time that was bought: the retention before the first of it, for the way back */
bool ledger_bought(struct ledger *l, const char *arn, int64_t *was_s); /* false: nothing is known of it */
bool ledger_buy(struct ledger *l, const char *arn, int64_t was_s, int64_t now_s, const char *by, struct err *e); /* keeps the oldest `was` */
bool ledger_buy_undone(struct ledger *l, const char *arn, struct err *e);

/* ---- handing over: a run, its messages and events as they are, in a ledger that has nothing of it (any more) */
struct ledger_whole {
	struct replay_run run;
	struct replay_item *items;
	struct ledger_event *events;
	unsigned nitems, nevents;
};
bool ledger_whole(struct ledger *l, const char *run, struct arena *mem, struct ledger_whole *w, struct err *e); /* checked, as by ledger_load */
/* In one transaction; what was there of this run goes. */
bool ledger_put_whole(struct ledger *l, const struct ledger_whole *w, struct err *e);
/* Do b's events begin with all of a's? Then b is a, gone on with. */
bool ledger_continues(const struct ledger_whole *a, const struct ledger_whole *b);
/* It is one file from then on, without companions; closes. */
bool ledger_close_whole(struct ledger *l, struct err *e);

/* ---- reading, for `show` */
struct ledger_event { unsigned seq; int64_t at_ms; const char *from, *to, *detail; }; /* seq 0: the run itself */
bool ledger_events(struct ledger *l, const char *run, struct arena *mem, struct ledger_event **v, unsigned *n, struct err *e);

#endif
