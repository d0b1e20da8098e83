/* The guard against a second replay, level 1: an object locks/SHA256(source's ARN) in the target's lock_bucket. It is made with
 * If-None-Match, taken over and renewed with If-Match, every 20 s; it is worth 60 s (lock_lease), by S3's own clock for whoever wants it and, from the
 * moment its writing began, by ours for whoever has it. It holds a fence number that only grows. The holder stops a twelfth of it before
 * others may take it, and looks before each call that goes out (drive_announce): one that was stopped and wakes late does nothing more.
 * Level 2, always: the lock a source and host (drive_lock). Without a lock_bucket it is alone, and that is said. */
#ifndef ENGINE_DRIVE_GUARD_H
#define ENGINE_DRIVE_GUARD_H

#include "aws/op_s3.h"
#include "engine/gate.h"

#define GUARD_LEASE_S 60 /* unless the target says another; renewed after a third of it, not trusted in its last twelfth */
#define GUARD_HOST_ONLY "host only - two bastions could collide"

enum guard_state { GUARD_NONE, GUARD_LOOKING, GUARD_WRITING, GUARD_HELD, GUARD_LOST, GUARD_LEFT };

struct guard {
	enum guard_state state;
	bool flying, answered, renewing, leaving;
	bool looked;                        /* while renewing: it was refused, and is read to see whose it is */
	unsigned tries;
	const char *bucket;
	char key[80], owner[33], place[65]; /* place: whose process it would be that held it on this host and in this folder */
	char etag[130];
	int64_t fence, renewals, lease_ms;
	int64_t mono_ms, wall_ms;           /* when the newest write began that S3 has taken */
	int64_t began_mono, began_wall;     /* of the write under way */
	int64_t next_ms;                    /* monotonic: when it is renewed */
	uint64_t call;
	struct err err;
	struct permit get, put;
	struct get_object_in get_in;
	struct get_object_out got;
	struct put_object_in put_in;
	struct put_object_out done;
	struct buf body;
};

struct drive;
bool guard_begin(struct drive *d, struct err *e); /* what it needs; false: the gate does not let it */
/* True when that is over: it is held (or there is none), or the request has failed. A plan only looks. */
bool guard_take(struct drive *d);
void guard_turn(struct drive *d, int64_t *wake_ms); /* renews it */
bool guard_holds(struct drive *d);               /* false: lost; the run has been told to end */
bool guard_leave(struct drive *d, int64_t *wake_ms); /* so that the next need not wait; true: done, or not worth waiting for */
void guard_clear(struct drive *d);
const char *guard_words(struct arena *mem, const struct conf_target *t); /* the level in force, in words */

#endif
