#include "aws/address.h"

#include "aws/sign.h"
#include "aws/wire.h"
#include "aws/xml.h"
#include "core/clock.h"

#include <stdio.h>
#include <string.h>

static const char *region_of(const struct buckets *b, const char *bucket)
{
	unsigned held = b->n < BUCKETS_KNOWN ? b->n : BUCKETS_KNOWN;
	for (unsigned i = 0; bucket && i < held; i++)
		if (strcmp(b->v[i].name, bucket) == 0)
			return b->v[i].region;
	return NULL;
}

bool bucket_in_host(const char *bucket, bool tls)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t n = strlen(bucket);
	bool ends = n && strchr(".-", bucket[0]) == NULL && strchr(".-", bucket[n - 1]) == NULL;
	return n >= 3 && n <= 63 && strspn(bucket, allowed) == n && ends && !strstr(bucket, "..") &&
	       !(tls && strchr(bucket, '.')) && bucket[strspn(bucket, "0123456789.")] != '\0';
}

static bool prepend(struct buf *path, const char *bucket)
{
	struct buf after = *path;
	buf_init(path, after.max);
	bool ok = buf_addc(path, '/') && wire_escape(path, span_of(bucket)) &&
	          (after.n ? buf_addspan(path, buf_span(&after)) : buf_addc(path, '/'));
	buf_clear(&after);
	return ok;
}

bool address_of(const struct account *a, const struct buckets *b, const struct op *op, struct http_req *rq,
                struct buf *url, struct err *e)
{
	struct endpoint_in in = account_endpoint_in(a, op->service);
	const char *moved = region_of(b, rq->bucket);
	char front[80] = "";
	in.region = moved ? moved : in.region;
	bool in_host = rq->bucket && !in.custom && bucket_in_host(rq->bucket, true);
	if (in_host)
		snprintf(front, sizeof front, "%s.", rq->bucket);
	in.host_prefix = in_host ? front : NULL;
	if (rq->bucket && !in_host && !prepend(&rq->path, rq->bucket))
		return err_set(e, ERR_LIMIT, op->iam, "the request is too large");
	return endpoint_url(&in, op->service, url, e);
}

bool address_sign(const struct account *a, const struct buckets *b, struct cred *cred, const struct op *op,
                  struct span endpoint, struct http_req *rq, uint64_t *generation, struct err *e)
{
	char host[256];
	struct sign_keys keys;
	const char *moved = region_of(b, rq->bucket);
	if (op->open)
		return true;
	if (!cred || cred_keys(cred, &keys, generation, NULL) != CRED_READY || !a->region.value)
		return err_set(e, ERR_NOCRED, op->iam, "no keys or no region to sign with");
	wire_host(endpoint, host);
	struct sign_in in = {
		.keys = keys,
		.region = moved ? moved : account_signing_region(a, op->service),
		.service = op->service->signing,
		.host = host,
		.now = clock_wall(),
		.s3_style = op->service->wire == WIRE_REST_XML,
	};
	return sign_request(&in, rq, e);
}

/* ---- a bucket that lives elsewhere */

static bool on_element(void *ctx, const char *path, struct span value)
{
	char *region = ctx;
	if (strcmp(path, "Error/Region") == 0 && value.n < 40)
		snprintf(region, 40, "%.*s", (int)value.n, value.p);
	return true;
}

bool buckets_learn(struct buckets *b, const struct account *a, const char *bucket, const struct http_res *res)
{
	char region[40] = "";
	const char *header = http_res_header(res, "x-amz-bucket-region"), *asked = region_of(b, bucket);
	bool redirected = res->status == 301 || res->status == 307 || res->status == 400;
	if (!bucket || !redirected || strlen(bucket) >= sizeof b->v[0].name)
		return false;
	if (header)
		snprintf(region, sizeof region, "%s", header);
	else if (res->body.n)
		xml_read(res->body, on_element, region, NULL);
	asked = asked ? asked : a->region.value;
	if (!endpoint_region_valid(region) || (asked && strcmp(asked, region) == 0))
		return false;
	unsigned at = b->n++ % BUCKETS_KNOWN;
	for (unsigned i = 0; i < BUCKETS_KNOWN; i++)
		if (strcmp(b->v[i].name, bucket) == 0)
			at = i;
	snprintf(b->v[at].name, sizeof b->v[at].name, "%s", bucket);
	snprintf(b->v[at].region, sizeof b->v[at].region, "%s", region);
	return true;
}
