/* Which proxy a URL goes through, by the environment variables that curl reads and as curl reads them: https_proxy, HTTPS_PROXY,
 * http_proxy (never HTTP_PROXY: a web server's CGI programs get that from whoever asks), then all_proxy, ALL_PROXY; no_proxy,
 * NO_PROXY for exceptions (names and all below them, addresses, CIDR blocks, or * alone). Blank is not set. http.c hands curl the
 * outcome, so what is said here is what is done, whichever curl is installed. */
#ifndef AWS_PROXY_H
#define AWS_PROXY_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>

enum proxy_why {
	PROXY_NONE,     /* no variable is set for this scheme */
	PROXY_SET,
	PROXY_EXCEPTED, /* one is, but no_proxy names the host */
	PROXY_NEVER,    /* this machine itself, and link-local addresses and what stands in for them: metadata, container keys */
};

struct proxy {
	enum proxy_why why;
	const char *url;    /* of PROXY_SET; the environment's own bytes, which may hold a password: only proxy_mask() shows it */
	const char *source; /* the variable that decided, static: "https_proxy", "NO_PROXY"; NULL for NONE and NEVER */
};
struct proxy proxy_for(const char *url); /* scheme://host[:port][/...] */

/* Can curl use it? False (CONF) in words that name the variable and hold nothing of the value: what is malformed may be a password. */
bool proxy_valid(const struct proxy *p, struct err *e);

/* Appends scheme://host:port with three stars for each of user and password, so that a line can name the proxy. Of a malformed one,
 * which hides nothing at a known place, three stars alone. */
bool proxy_mask(struct buf *out, const char *url);

#define PROXY_WANTS_LOGIN 407 /* no service says this */
/* e, what went wrong on the way, becomes an error that names the proxy and its variable. status: what the proxy itself answered
 * in place of the service (then the class is CONNECT), or 0. */
void proxy_failed(const struct proxy *p, int status, struct err *e);

#endif
