/* What the environment and AWS's own files say about one target: profile, region, endpoints, trust store, static keys. Each
 * value remembers its source for doctor. Credentials here are environment and profile keys; the other providers of the
 * standard chain come later and are refused by name rather than skipped. */
#ifndef AWS_ACCOUNT_H
#define AWS_ACCOUNT_H

#include "aws/op.h"
#include "core/err.h"

#include <stdbool.h>

struct sourced {
	char *value;
	char source[96];
}; /* source: "AWS_REGION", "--region", "~/.aws/config [profile x]" */

struct account {
	struct sourced profile, region, endpoint_url, ca_bundle;
	struct sourced access_key, secret_key, session_token; /* never printed, but for the access key's last 4 */
	char partition[16], suffix[32];                       /* from the region */
	struct {
		char *service_env;
		struct sourced url;
	} * service_endpoints;
	unsigned nservice_endpoints;
	struct {
		char *name;
		char *value;
	} * unsupported;
	unsigned nunsupported; /* credential settings this build cannot use */
};

/* explicit values win (NULL = not given). Always returns an account; e (if not NULL) gets the first problem: no region
 * (USAGE), unknown profile (CONF), malformed file (CONF), no credentials (NOCRED); ERR_OK says that calls can be made. */
struct account_in {
	const char *profile, *region, *endpoint_url;
	const char *profile_from, *region_from, *endpoint_from;
};
struct account *account_load(const struct account_in *in, struct err *e);
/* An account of given values alone, environment and files ignored (the demo). from: what the values' source is called. */
struct account *account_static(const char *region, const char *endpoint_url, const char *access_key,
                               const char *secret_key, const char *from);
void account_free(struct account *a); /* wipes the keys; NULL is fine */
void account_partition(const char *region, char partition[16], char suffix[32]);
/* scheme://host[:port] without a trailing slash, for one service. */
bool account_endpoint(const struct account *a, const struct service *s, struct buf *out);

#endif
