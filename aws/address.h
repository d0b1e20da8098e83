/* Where a request goes and what it is signed for: the service's endpoint, and for S3 the bucket, which stands in the host's name or at the
 * path's beginning and may live in another region than the account's. Pure but for what buckets_learn() keeps. */
#ifndef AWS_ADDRESS_H
#define AWS_ADDRESS_H

#include "aws/account.h"
#include "aws/cred/cred.h"
#include "aws/op.h"

#define BUCKETS_KNOWN 32
struct buckets { /* those that S3 sent elsewhere; zeroed at first, nothing to free */
	struct { char name[256], region[40]; } v[BUCKETS_KNOWN];
	unsigned n; /* ever learned: the newest take the place of the oldest */
};

/* Appends scheme://host[:port]; with a bucket in the path's way (a custom endpoint, a name that is no host's or has a dot) rq's path gets it. */
bool address_of(const struct account *a, const struct buckets *b, const struct op *op, struct http_req *rq, struct buf *url, struct err *e);
/* Signs rq for that endpoint; *generation: which set of keys it was. */
bool address_sign(const struct account *a, const struct buckets *b, struct cred *cred, const struct op *op, struct span endpoint,
                  struct http_req *rq, uint64_t *generation, struct err *e);
/* A refusal of S3 that names the bucket's region, another one than was asked: true, and it is asked there from now on. */
bool buckets_learn(struct buckets *b, const struct account *a, const char *bucket, const struct http_res *res);
/* May a bucket's name be a part of a host's? tls: without dots, which no certificate's wildcard covers. */
bool bucket_in_host(const char *bucket, bool tls);

#endif
