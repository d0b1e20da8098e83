/* The only user of curl: one multi handle, keep-alive, caps, deadlines. Belongs to one thread, but for http_wakeup.
 * Redirects are never followed; TLS and its trust store: aws/http/tls.h; what an answer may be: aws/http/reply.h. Proxies as
 * aws/http/proxy.h says; a failure on the way through one names it (its password never) with the variable as `where`. */
#ifndef AWS_HTTP_H
#define AWS_HTTP_H

#include "aws/op.h"

#include <stdint.h>

struct http;

bool http_global_init(struct err *e);                        /* OpenSSL and curl; before threads and the terminal */
struct http *http_new(const char *ca_bundle, struct err *e); /* ca_bundle: AWS_CA_BUNDLE or the profile's, or NULL */
void http_free(struct http *h); /* cancels what is under way; its callbacks run with ERR_CANCELLED */

enum http_sent { HTTP_NOT_SENT, HTTP_MAYBE_SENT, HTTP_ANSWERED };

/* Runs once, inside http_turn or http_free; res is borrowed. res is NULL unless HTTP_ANSWERED; e says why. */
typedef void http_done(void *ctx, enum http_sent sent, const struct http_res *res, const struct err *e);

struct http_send {
	const char *url;               /* complete, sent as it is (PATH_AS_IS) */
	const struct http_req *req;    /* signed; copied as needed: may be cleared after the call */
	struct buf *take;              /* NULL, or req's body: it is taken instead of copied, and empty then */
	size_t cap;                    /* answer cap in bytes, decoded */
	unsigned connect_ms, total_ms; /* 0 = 5 s (TLS included) and 20 s; 9 to 15 s without a byte end it, too, unless
	                                * total_ms is more than a minute */
	bool once; /* must not go out twice: curl by itself repeats what a dying kept connection swallowed */
	bool direct; /* never through a proxy, whatever the environment says: metadata and container keys under a name of their own */
	http_done *done;
	void *ctx;
};
uint64_t http_submit(struct http *h, const struct http_send *s); /* an id; 0 never */
void http_cancel(struct http *h, uint64_t id);                   /* done runs with ERR_CANCELLED before this returns */
unsigned http_busy(const struct http *h);
void http_turn(struct http *h,
               int timeout_ms);   /* waits at most timeout_ms for traffic, a wakeup or curl's own timers */
void http_wakeup(struct http *h); /* any thread: ends http_turn's wait */

#endif
