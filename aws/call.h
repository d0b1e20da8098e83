/* Runs operations of one target: build, sign, send, classify the error, retry (retry.h), follow pages, one rate gate and one line per
 * service operation (gate.h, line.h). One thread. AWS's error names become err codes here and nowhere else.
 * A list without an end is stopped by pages.h. */
#ifndef AWS_CALL_H
#define AWS_CALL_H

#include "aws/account.h"
#include "aws/cred/cred.h"
#include "aws/http/http.h"
#include "aws/op.h"

#include <stdint.h>

struct aws; /* one target: (partition, account, region) */

/* Borrows all three. cred NULL: only operations that need no signature can be called. A call whose keys are still on their way
 * waits in its line; one that the service refuses for its keys goes again, once, with the next set. */
struct aws *aws_new(struct http *h, const struct account *a, struct cred *cred);
void aws_free(struct aws *c); /* cancels; callbacks run with ERR_CANCELLED */

/* What a call is for. In each line and for the connections the first goes first; while the service throttles, calls that could not be
 * sent in time end with ERR_THROTTLED, the last class first, CALL_ACT never. */
enum call_class {
	CALL_ACT,     /* part of an act, or its verification */
	CALL_VISIBLE, /* what the reader looks at, and what a command was asked for */
	CALL_DISCOVERY,
	CALL_HISTORY, /* back-fill */
	CALL_HIDDEN,  /* what is in no one's sight */
	CALL_CLASSES
};

/* in and out must stay valid until done runs; in->page.token of a paged operation is written by the call (and freed at the
 * end). done runs exactly once from http_turn, aws_tick or aws_free; e->code is ERR_OK on success. After a failure `out` holds
 * the pages that did arrive, and e->in_doubt tells whether it may have taken effect all the same. done may start and cancel calls, but not free the aws it belongs to. */
typedef void aws_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e);
struct aws_opts {
	unsigned total_ms; /* per attempt; 0 = 20 s */
	unsigned attempts; /* in all; 0 = as the account says (AWS_MAX_ATTEMPTS, max_attempts) */
};
void aws_configure(struct aws *c, const struct aws_opts *o); /* of the calls made from now on */
/* The leave to do what is more than reading: one operation, until it is taken back. The engine's gate (engine/gate.c) alone writes
 * one; without it, or with another operation's, a call of an operation whose effect is not OP_READ ends with ERR_GATE, unsent. */
struct permit {
	const struct op *op; /* NULL: nothing is permitted */
};
/* Sends at once where gates allow; done never runs before this has returned. p is looked at now and not kept; NULL for reading. */
uint64_t aws_call_permitted(struct aws *c, const struct permit *p, enum call_class class, const struct op *op, void *in, void *out,
                            aws_done *done, void *ctx);
static inline uint64_t aws_call_as(struct aws *c, enum call_class class, const struct op *op, void *in, void *out, aws_done *done,
                                   void *ctx)
{
	return aws_call_permitted(c, NULL, class, op, in, out, done, ctx);
}
static inline uint64_t aws_call(struct aws *c, const struct op *op, void *in, void *out, aws_done *done, void *ctx)
{
	return aws_call_permitted(c, NULL, CALL_VISIBLE, op, in, out, done, ctx);
}
void aws_cancel(struct aws *c,
                uint64_t id); /* done runs with ERR_CANCELLED before this returns; unknown ids are ignored */
/* How far the service's clock is ahead of this machine's, by the first answer that said; false when none did. One that is four minutes
 * off or more is followed (clock_correct), and what was refused for its time is signed and sent again, once a call. */
bool aws_clock(const struct aws *c, int64_t *seconds);

/* Sends what waited for a rate gate or a retry delay; returns milliseconds until it wants to be called again, -1 = not. */
int aws_tick(struct aws *c);
unsigned aws_busy(const struct aws *c); /* calls not yet done */

/* Counters per operation, for doctor, cost and tests. */
struct aws_stat {
	const struct op *op;
	uint32_t calls, attempts, failed;
	struct err last;
	int64_t ok_at, ok_ms; /* last success, wall time and monotonic */
};
const struct aws_stat *aws_stats(const struct aws *c, unsigned *n);

/* Classifies an answer that is not a success (pure; exported for tests and for the fault suites). */
void aws_classify(const struct op *op, const struct http_res *res, struct err *e);

#endif
