/* What a message's state may become: one table, and the one function that every change of a state goes through. Pure. */
#ifndef REPLAY_STATE_H
#define REPLAY_STATE_H

#include "core/model/replay.h"

/* What happens to a message.  X(EVENT, from, to) */
#define ITEM_MOVES(X)                                                                                                     \
	X(LEASE, SELECTED, LEASED)        /* received, its body the frozen one */                                            \
	X(LEASE, REMOVE_LOST, ACCEPTED)   /* received again: to be deleted, not sent */                                      \
	X(INTEND, LEASED, INTENT)         /* written before the call */                                                      \
	X(INTEND, EDITED, INTENT)                                                                                            \
	X(UNSEND, INTENT, LEASED)         /* it certainly did not leave, or was throttled */                                 \
	X(ACCEPT, INTENT, ACCEPTED)                                                                                          \
	X(REJECT, INTENT, REJECTED)                                                                                          \
	X(DOUBT, INTENT, UNKNOWN)         /* no answer, or we died before it came */                                         \
	X(ADVANCE, INTENT, LEASED)        /* a part of it was accepted; the rest follows */                                  \
	X(RETRY, REJECTED, LEASED)                                                                                           \
	X(GIVE_UP, REJECTED, POISON)                                                                                         \
	X(RESEND, UNKNOWN, LEASED)        /* received again, and policy or a person says so */                               \
	X(REMOVE, ACCEPTED, REMOVED)                                                                                         \
	X(REMOVE, REMOVE_LOST, REMOVED)   /* it is not in the queue any more */                                              \
	X(LOSE_HANDLE, ACCEPTED, REMOVE_LOST)                                                                                \
	X(SETTLE, ACCEPTED, VERIFIED)     /* its source deletes nothing (an object, a stream): there is nothing more to do */    \
	X(VERIFY, REMOVED, VERIFIED)                                                                                         \
	X(BOUNCE, REMOVED, BOUNCED)                                                                                          \
	X(BOUNCE, VERIFIED, BOUNCED)                                                                                         \
	X(LOSE_LEASE, LEASED, LEASE_LOST)                                                                                    \
	X(RETURN, LEASE_LOST, SELECTED)                                                                                      \
	X(VANISH, SELECTED, GONE)                                                                                            \
	X(VANISH, LEASE_LOST, GONE)                                                                                          \
	X(FIND, GONE, SELECTED)           /* it was only invisible for longer than we waited */                              \
	X(SKIP, SELECTED, SKIPPED)                                                                                           \
	X(SKIP, HELD, SKIPPED)                                                                                               \
	X(HOLD, SELECTED, HELD)                                                                                              \
	X(RELEASE, HELD, SELECTED)                                                                                           \
	X(EDIT, LEASED, EDITED)                                                                                              \
	X(LOSE_LEASE, EDITED, LEASE_LOST)                                                                                    \
	X(KNOW_BAD, SELECTED, POISON)     /* an earlier run saw it fail for good, and nobody asked for it by name */

enum item_event {
	MOVE_LEASE,
	MOVE_INTEND,
	MOVE_UNSEND,
	MOVE_ACCEPT,
	MOVE_REJECT,
	MOVE_DOUBT,
	MOVE_ADVANCE,
	MOVE_RETRY,
	MOVE_GIVE_UP,
	MOVE_RESEND,
	MOVE_REMOVE,
	MOVE_LOSE_HANDLE,
	MOVE_SETTLE,
	MOVE_VERIFY,
	MOVE_BOUNCE,
	MOVE_LOSE_LEASE,
	MOVE_RETURN,
	MOVE_VANISH,
	MOVE_FIND,
	MOVE_SKIP,
	MOVE_HOLD,
	MOVE_RELEASE,
	MOVE_EDIT,
	MOVE_KNOW_BAD,
	ITEM_EVENTS
};

/* False: that cannot happen to a message in this state; *to is then `from`. */
bool item_move(enum item_state from, enum item_event what, enum item_state *to);

/* Nothing more is done with it in this run, unless a person says so. */
bool item_ended(enum item_state s);
/* Can `replay resume` go on with it? */
bool run_unfinished(enum run_state s);

#endif
