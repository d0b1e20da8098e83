/* What a provider of credentials does its work with: it runs on one thread, waits for its answers, and keeps nothing. The
 * thread is the caller's own (a command) or one made for this fetch (the console); either way it is not shared with the
 * engine: a fetch has a client (struct http) of its own. */
#ifndef AWS_FETCH_H
#define AWS_FETCH_H

#include "aws/account.h"
#include "aws/cred/chain.h"
#include "aws/http/http.h"
#include "aws/op.h"

#include <stdatomic.h>

struct fetch {
	const struct account *account; /* region, endpoints, trust store; only read */
	const char *code;              /* an MFA code that somebody typed; NULL: none */
	const atomic_bool *stop;       /* leave soon; NULL: never */
	int64_t deadline_ms;           /* monotonic; no step waits beyond it */
	struct http *http;             /* made at the first need */
};

void fetch_end(struct fetch *f); /* frees the client */

/* False when there is no more time or it was told to stop; e says so (TIMEOUT, CANCELLED). */
bool fetch_goes_on(const struct fetch *f, struct err *e);
bool fetch_sleep(const struct fetch *f, int ms, struct err *e);

/* One plain HTTP exchange, waited for. Redirects are not followed. */
struct fetched {
	int status;
	enum http_sent sent; /* of an exchange that failed: did the request leave? */
	struct buf body; /* wiped by fetched_clear: it may hold keys */
};
struct fetch_get {
	const char *url;
	const struct http_req *req; /* method, headers, body; as they go out */
	unsigned connect_ms, total_ms;
	bool direct; /* never through a proxy: link-local services */
	size_t cap;  /* of the answer */
};
bool fetch_http(struct fetch *f, const struct fetch_get *g, struct fetched *out, struct err *e); /* out is set in any case */
void fetched_clear(struct fetched *x);

/* One AWS operation, with call.c's retries, signed with `keys` (NULL for an op that needs none) in `region` (NULL: the
 * account's own). */
bool fetch_op(struct fetch *f, const struct op *op, const struct keys *keys, const char *region, void *in, void *out,
              struct err *e);

#endif
