/* Runs operations of one target: build, sign, send, classify the error, retry with full jitter (3 attempts, retry quota),
 * follow pages, one rate gate per service operation. One thread. AWS's error names become err codes here and nowhere else.
 * A list of more than 1000 pages or 64 MiB in all ends with LIMIT, so that one without an end cannot fill the memory. */
#ifndef AWS_CALL_H
#define AWS_CALL_H

#include "aws/account.h"
#include "aws/http.h"
#include "aws/op.h"

#include <stdint.h>

struct aws; /* one target: (partition, account, region) */

struct aws *aws_new(struct http *h, const struct account *a); /* borrows both */
void aws_free(struct aws *c);                                 /* cancels; callbacks run with ERR_CANCELLED */

/* in and out must stay valid until done runs; in->page.token of a paged operation is written by the call (and freed at the
 * end). done runs exactly once from http_turn, aws_tick or aws_free; e->code is ERR_OK on success. After a failure `out` holds
 * the pages that did arrive. done may start and cancel calls, but not free the aws it belongs to. */
typedef void aws_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e);
struct aws_opts {
	unsigned total_ms; /* per attempt; 0 = 20 s */
};
void aws_configure(struct aws *c, const struct aws_opts *o); /* of the calls made from now on */
/* Sends at once where gates allow; done never runs before this has returned. */
uint64_t aws_call(struct aws *c, const struct op *op, void *in, void *out, aws_done *done, void *ctx);
void aws_cancel(struct aws *c,
                uint64_t id); /* done runs with ERR_CANCELLED before this returns; unknown ids are ignored */
/* How far the service's clock is ahead of ours, by the first answer that said; false when none did. */
bool aws_clock(const struct aws *c, int64_t *seconds);

/* Sends what waited for a rate gate or a retry delay; returns milliseconds until it wants to be called again, -1 = not. */
int aws_tick(struct aws *c);
unsigned aws_busy(const struct aws *c); /* calls not yet done */

/* Counters per operation, for doctor, cost and tests. */
struct aws_stat {
	const struct op *op;
	uint32_t calls, attempts, failed;
	struct err last;
	int64_t ok_at;
};
const struct aws_stat *aws_stats(const struct aws *c, unsigned *n);

/* Classifies an answer that is not a success (pure; exported for tests and for the fault suites). */
void aws_classify(const struct op *op, const struct http_res *res, struct err *e);

#endif
