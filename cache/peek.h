/* What was seen in queues when somebody looked into them (a replay's plan or freeze): when each message had been sent, and what it points
 * to. A SQLite file of its own beside the ledger ($XDG_STATE_HOME/sluice/peeks.db), so that a clock that was made exact by a look is so
 * after a restart too. It holds no body. It decides nothing: where it cannot be read or written, clocks have bounds instead.
 * One thread a handle; several processes may have the file open. */
#ifndef CACHE_PEEK_H
#define CACHE_PEEK_H

#include "core/arena.h"
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct peeks;

struct peeks *peek_open(const char *folder, bool write, struct err *e); /* NULL and e: ERR_NOTFOUND when nobody has looked yet */
void peek_close(struct peeks *p);                                       /* NULL is fine */

struct peeked {              /* a message that was met */
	const char *id;
	int64_t sent_ms;         /* SentTimestamp; 0 not known */
	int64_t arrived_ms;      /* of a pointer to a stream's records, the first one's arrival; 0: it is none */
	const char *stream;      /* that stream's ARN; NULL */
};
/* A look that began then. A whole one replaces what was known of the queue; another one adds to a whole one, and replaces one that was not. */
bool peek_save(struct peeks *p, const char *queue_arn, int64_t at_ms, bool whole, const struct peeked *v, unsigned n, struct err *e);
/* Our own replay has deleted them from the queue. */
bool peek_removed(struct peeks *p, const char *queue_arn, const char *const *ids, unsigned n, struct err *e);

/* Until then others had taken nothing of it. */
bool peek_prove(struct peeks *p, const char *queue_arn, int64_t until_ms, struct err *e);

struct peek_stream { const char *arn; int64_t first_ms; }; /* the earliest arrival of what points into it */
struct peek_sum {            /* what is known of one queue */
	int64_t at_ms;           /* when the look began; 0: nobody has looked */
	int64_t proved_ms;       /* until when nobody else had taken anything of it, at least at_ms */
	bool whole;
	unsigned removed;        /* since, by our own replays */
	unsigned n;              /* messages met, not deleted by us, and sent after `since` */
	int64_t first_ms;        /* the earliest SentTimestamp of these; 0: there is none */
	bool dated;              /* each of them has one */
	struct peek_stream *streams;
	unsigned nstreams, npointers; /* npointers: how many of the n point somewhere */
};
/* Strings in the arena. False and e when the file cannot be read. */
bool peek_sum(struct peeks *p, const char *queue_arn, int64_t since_ms, struct arena *mem, struct peek_sum *out, struct err *e);

#endif
