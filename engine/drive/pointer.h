/* Messages that point to a stream's batch (replay/given_up.h): an item is the message, and what is sent of it are the records that it points to,
 * read again, in as many calls as it takes: whole at first, halved where they fail. Its place in between is in the ledger before the next
 * call goes, so that a crash leaves in doubt only what was under way. The message ends ACCEPTED, to be deleted, when every record was. */
#ifndef ENGINE_DRIVE_POINTER_H
#define ENGINE_DRIVE_POINTER_H

#include "engine/drive/shard.h"
#include "engine/drive/source.h"

#include "replay/bisect.h"
#include "replay/given_up.h"
#include "replay/progress.h"

enum parcel_state { PARCEL_FREE, PARCEL_READING, PARCEL_READY };
struct parcel {                     /* what a message in hand points to */
	enum parcel_state state;
	unsigned at;                    /* place of its entry */
	struct arena mem;
	struct given_up p;
	struct progress progress;
	struct stream_records records;  /* from progress.done, as it was when they were read, on */
	unsigned base;
	struct bisect bisect;           /* of all that the pointer counts */
	unsigned part;                  /* of the call under way: how many records */
	const struct pointed_function *function;
	bool partial;                   /* the mapping that gave it up reports item failures */
};

/* What is asked once for all that name it. */
struct pointed_function { const char *arn; struct function_out out; bool absent; };
struct pointed_stream { const char *arn; struct mappings_in in; struct mappings_out out; bool known; };

struct pointers {
	struct shards shards;
	struct shard_reader reader;
	struct parcel parcels[FLIGHTS], *reading;
	struct pointed_function **functions;
	unsigned nfunctions, capfunctions;
	struct pointed_stream **streams;
	unsigned nstreams, capstreams;
	struct function_in function_in;
	struct err err;
	bool asking, answered;          /* about the newest of the functions, or of the streams */
	bool asked_stream;
};

bool pointers_busy(const struct pointers *p); /* a call is under way */
/* A turn of the work: lets go of what is over, reads what is next. */
void pointers_turn(struct drive *d, struct pointers *p, int64_t *wake_ms);
/* The records of the entry are there: it may be sent. */
bool pointers_ready(const struct pointers *p, unsigned at);
bool pointers_event(struct drive *d, struct pointers *p, struct flight *f);
void pointers_hear(struct drive *d, struct pointers *p, struct flight *f);
void pointers_clear(struct pointers *p);
struct parcel *parcel_of(struct pointers *p, unsigned at); /* NULL: none */

#endif
