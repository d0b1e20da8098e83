/* What changed: what things were like at each look is kept, a difference between two looks is an event, and what others say of the same
 * change (CloudTrail, alarms) joins it. Nothing here invents an instant: a change seen between two looks happened in [at, at_most].
 * Belongs to the engine's thread. */
#ifndef ENGINE_CHANGES_H
#define ENGINE_CHANGES_H

#include "cache/events.h"
#include "core/json.h"
#include "engine/inside.h"

/* ---- events.c: the list, and the one door into it */
#define EVENTS_SHOWN 200 /* in a snapshot */
struct events {       /* joined, newest first */
	struct arena mem;
	struct event *v;
	unsigned n;
};
void events_clear(struct events *l);
struct event event_copy(struct arena *a, const struct event *v);
/* Appends one event: kept in the history (what its key has told already is dropped), shown from the next snapshot on. source and service
 * are static. For whoever does something worth an event (a replay, a write). */
void events_add(struct engine *g, const struct event *v, const char *key);
void events_flush(struct engine *g);  /* into the file; and reads back what it has, also by other processes */
/* Those of [from, to] as the file, or without one the memory, has them: at most `most`, joined. */
void events_read(struct engine *g, int64_t from, int64_t to, unsigned most, struct events *out);
/* join.c, pure: CloudTrail's calls and sluice's own looks that tell of the same change become one event. v is newest first before and
 * after; returns how many are left. Strings that are made live in mem. */
unsigned events_join(struct event *v, unsigned n, struct arena *mem);
/* An alarm's state moved at `at` (at_most when it is not known exactly). from: UNKNOWN when nobody saw it before. */
void events_alarm(struct engine *g, const struct alarm *a, enum alarm_state from, int64_t at, int64_t at_most, const char *source);

/* The transitions that an alarm's history tells of. */
void events_moments(struct engine *g, const struct alarm *a, const struct alarm_moment *v, unsigned n);

/* ---- looks.c: what things were like */
struct look {
	char *subject;        /* "sqs:orders", "alarm:NAME", "mapping:UUID", "release:NAME", "list:sqs" */
	char *body;           /* JSON; "": it was not there */
	int64_t first, last;  /* seen so at every look from first on; last: when the newest look began */
	int64_t stored;       /* `last` as the file has it; 0: not at all */
	uint64_t round;       /* of the newest look */
};
/* The newest look at it; NULL: never looked. */
struct look *looks_find(struct engine *g, const char *subject);
/* It was like `body` at a moment between begun and now. Returns the body it had before, owned, when it differs; NULL else, and when this was
 * the first look. *since: when the look before began. */
char *looks_at(struct engine *g, const char *subject, const char *body, int64_t *since);
/* Each that begins with `prefix`, was there, and was not looked at in this round is not there any more. */
void looks_gone(struct engine *g, const char *prefix, void (*gone)(struct engine *g, const struct look *l, int64_t since));
void looks_flush(struct engine *g, bool all); /* what has changed, and how far the rest has come: all, or now and then */
void looks_account(struct engine *g);         /* the file's, once it is known whose they are */

/* What differs between two objects of "facts", in words: "retention 4d00h -> 1h00m, visibility 30s -> 1m00s"; false: nothing. */
bool facts_differ(const struct json *old, const struct json *now, struct buf *out);

/* ---- changes.c: what a round saw */
struct changes;
struct changes *changes_new(void);
void changes_free(struct changes *c);
void changes_mappings(struct engine *g, const struct kind *k, const struct found *f); /* a whole list of mappings */
void changes_round(struct engine *g); /* the round is over: what it saw is compared with what was known */
void changes_add(struct engine *g, const struct event *v, const char *subject);
char *found_facts_text(const struct found *f, const char *res); /* its facts as a JSON object; owned; NULL: too much */

/* ---- release.c, trail.c: who is asked beside the round's own questions, with NEED_CHANGES and where it is allowed */
void releases_begin(struct engine *g); /* versions and aliases, once the functions are listed */
void trail_begin(struct engine *g);    /* CloudTrail, from the round's beginning on */
void trail_take(struct engine *g);     /* what it said, at the round's end */
void trail_drop(struct changes *c);
/* An operation that nothing depends on: its failure is no problem among the others. It is said once (optional_note, owned; NULL: nothing
 * to say), and the operation is left alone for a while. */
/* Whose history it is must be known: asks once when it is not. False: the task waits, or has ended with why not. */
bool history_known(struct engine *g, struct task *t);
bool optional_op(const struct op *op);
bool optional_allowed(const struct engine *g, const struct op *op);
void optional_failed(struct engine *g, const struct op *op, const struct err *e);
void optional_works(struct engine *g, const struct op *op);
char *optional_note(const struct engine *g);

struct optional {
	const struct op *op; /* NULL: nothing has failed */
	int64_t at_ms;
	struct err err;
};

struct changes {
	void *tree;              /* looks by subject */
	struct look **v;
	unsigned n, cap;
	char target[TARGET_KEY]; /* whose they are; "": not known yet */
	int64_t flushed_ms;      /* when the looks last went into the file */
	struct event_put *put;   /* waiting for the file; strings owned by put_mem */
	unsigned nput, cput;
	struct arena put_mem;
	struct state *states;    /* likewise */
	unsigned nstates, cstates;
	struct arena state_mem;
	struct events list;      /* what the snapshot shows */
	struct events memory;    /* without a file: all there are */
	int64_t alarms_at;       /* of the list that was compared last */
	int64_t trail_to;        /* CloudTrail is read up to here; 0: not known */
	struct trail *trail;     /* what it said in this round */
	unsigned release_next;   /* round robin over the functions */
	struct optional optional[2]; /* releases; CloudTrail */
};

#endif
