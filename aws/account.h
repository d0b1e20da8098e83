/* What the environment and AWS's own files say about one target: profile, region, endpoints, trust store, retries. Each value
 * remembers its source for doctor. Where its keys come from is chain.h's question, the keys themselves are cred.h's. Does not
 * change once it is loaded: any thread may read it. */
#ifndef AWS_ACCOUNT_H
#define AWS_ACCOUNT_H

#include "aws/cred/keys.h"
#include "aws/endpoint.h"
#include "aws/op.h"
#include "core/err.h"

#include <stdbool.h>

struct sourced {
	char *value;
	char source[96];
}; /* source: "AWS_REGION", "--region", "~/.aws/config [profile x]" */

struct account {
	struct sourced profile, region, endpoint_url, ca_bundle;
	struct sourced max_attempts, retry_mode, fips, dualstack, sts_endpoints; /* as they stand there */
	bool use_fips, use_dualstack;
	bool profile_asked;                           /* by --profile or the configuration: environment keys are pushed aside */
	char *config_file, *credentials_file;         /* where AWS's files are (they may be absent) */
	struct keys *fixed;                           /* given keys and no chain (the demo), or NULL */
	unsigned attempts;                            /* of one call, in all */
	char partition[16], suffix[32];               /* from the region */
	struct {
		char *service_env;
		struct sourced url;
	} * service_endpoints;
	unsigned nservice_endpoints;
};

/* explicit values win (NULL = not given). Always returns an account; e (if not NULL) gets the first problem: no region
 * (USAGE), unknown profile (CONF), malformed file (CONF); ERR_OK says that calls can be made, once there are keys. */
struct account_in {
	const char *profile, *region, *endpoint_url;
	const char *profile_from, *region_from, *endpoint_from;
};
struct account *account_load(const struct account_in *in, struct err *e);
/* An account of given values alone, environment and files ignored (the demo). from: what the values' source is called. */
struct account *account_static(const char *region, const char *endpoint_url, const char *access_key,
                               const char *secret_key, const char *from);
/* A copy that asks another region, for a service that lives there (SSO). */
struct account *account_in_region(const struct account *a, const char *region);
void account_free(struct account *a); /* wipes the keys; NULL is fine */
/* Appends scheme://host[:port] for one service. False: there is no region (USAGE) or no such endpoint (CONF). */
struct endpoint_in account_endpoint_in(const struct account *a, const struct service *s); /* what decides it; borrowed */
bool account_endpoint(const struct account *a, const struct service *s, struct buf *out, struct err *e);
/* The region that goes into its signature: the account's own but for AWS's global hosts. */
const char *account_signing_region(const struct account *a, const struct service *s);

#endif
