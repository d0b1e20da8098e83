/* Where a service is asked: AWS's endpoint rules as one pattern and a table of exceptions. Pure: no environment, no files.
 * Source: the endpoint rule sets and partitions.json that AWS publishes with its SDKs (read in botocore 1.43.106); the peer
 * tests compare every row with them. A rule set makes a host for any region: it is no promise that the service runs there. */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "aws/op.h"

/* One of AWS's eight separate worlds; static. name stands in ARNs: arn:aws-cn:... */
struct partition { const char *name, *suffix, *dualstack; };
const struct partition *partition_of(const char *region); /* by AWS's patterns; NULL and what nothing matches give aws */
void endpoint_partition(const char *region, char partition[16], char suffix[32]);

/* It becomes a part of host names: letters, digits and inner hyphens alone, at most 39. */
bool endpoint_region_valid(const char *region);

struct endpoint_in {
	const char *region;      /* may be NULL beside a custom endpoint */
	bool fips, dualstack;    /* use_fips_endpoint, use_dualstack_endpoint */
	bool sts_legacy;         /* sts_regional_endpoints = legacy: sts.amazonaws.com for the regions that were there before 2019 */
	bool keep_host;          /* disable_host_prefix_injection: host_prefix is left out */
	const char *custom;      /* scheme://host[:port] without a slash at its end, that somebody set for this service; or NULL */
	const char *host_prefix; /* of one operation, dot included ("api." of MWAA), or NULL. It goes before a custom endpoint's name
	                          * too, as in the SDKs, but never before an IP address, which has no names below it. */
};

/* Appends scheme://host[:port]. False (CONF, in words for whoever wrote the configuration; nothing appended) when FIPS or
 * dual-stack meets a custom endpoint, or when the partition has no such endpoint for the service; USAGE without a region. */
bool endpoint_url(const struct endpoint_in *in, const struct service *s, struct buf *out, struct err *e);

/* The region that goes into the signature: the given one but for AWS's global hosts, whose rules name another. Borrowed from
 * in->region or static. */
const char *endpoint_signing_region(const struct endpoint_in *in, const struct service *s);

#endif
