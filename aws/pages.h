/* Following a list's pages to its end, and not beyond: a service that repeats itself, or never ends, is stopped. Pure. */
#ifndef AWS_PAGES_H
#define AWS_PAGES_H

#include "aws/op.h"

#include <stddef.h>

#define PAGES_MAX 1000                /* of one list */
#define PAGES_BYTES_MAX (64u << 20)   /* of all its pages together: it must not fill the memory */

struct pages { /* of one call; zeroed at its start */
	unsigned n, anchor_at;
	char *anchor; /* an earlier page's token: meeting it again means going in circles */
	size_t bytes; /* of the answers so far */
};

/* out->token of the page that has just come becomes in->token of the next request. False: no further page is wanted; e says why
 * (LIMIT, BADREPLY; op names the operation). */
bool pages_next(struct pages *p, const struct op *op, struct page *in, struct page *out, struct err *e);
void pages_clear(struct pages *p);

#endif
