/* Names to addresses, for whoever must know all of a name's addresses before one of them is asked. */
#ifndef AWS_RESOLVE_H
#define AWS_RESOLVE_H

#include "aws/cred/fetch.h"

#include <sys/socket.h>

#define RESOLVE_MOST 16

struct resolved {
	struct sockaddr_storage a[RESOLVE_MOST];
	unsigned n; /* above RESOLVE_MOST: there are more than fit, and nobody has seen them all */
};

/* Asks the system's resolver and waits at most wait_ms. A resolver that hangs is left behind with its thread, so that it holds up
 * neither the fetch nor its end. "localhost" is known without asking. False: DNS, TIMEOUT or CANCELLED. */
bool resolve_name(const struct fetch *f, const char *name, int wait_ms, struct resolved *out, struct err *e);

#endif
