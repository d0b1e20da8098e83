/* An http(s) URI taken apart, and which addresses keys may be asked of in the clear. Strict: what two readers could read in two
 * ways (127.1, 0177.0.0.1, a user before the host, a trailing dot, a zone) is refused, so that the host that is judged is the
 * host that is asked. Pure. */
#ifndef AWS_URI_H
#define AWS_URI_H

#include <stdbool.h>
#include <sys/socket.h>

#define URI_HOST 254

struct uri {
	bool tls;
	char host[URI_HOST];    /* lower case; a name or a canonical address, without brackets */
	bool address, v6;       /* it is one, not a name */
	unsigned port;
	bool port_given;
	const char *path;       /* borrowed from the text; with the query; "" when there is none */
};

/* False: why (a borrowed text) says what is wrong. */
bool uri_parse(const char *text, struct uri *u, const char **why);

/* The host's address when it is one; false for a name. */
bool uri_address(const struct uri *u, struct sockaddr_storage *out);
/* Is it this machine, or one of the addresses at which AWS hands keys to containers (169.254.170.2, 169.254.170.23,
 * fd00:ec2::23)? An IPv4 address in IPv6's clothes is not. */
bool uri_address_trusted(const struct sockaddr *a);

#endif
