/* S3 in path style, as far as a replay needs it: buckets, objects listed in pages, looked at, read, written under a condition, deleted. What
 * it answers is written from S3's API reference; it shares nothing with aws/op_s3.c. */
#include "sim/sim_bucket.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define PAGE_MOST 1000

static void http_date(int64_t ms, char out[40])
{
	struct tm tm;
	time_t t = (time_t)(ms / 1000);
	gmtime_r(&t, &tm);
	strftime(out, 40, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* Its own clock in every answer: the objects' times go by it. */
static struct buf *raw(struct sim_req *rq)
{
	char now[40];
	struct sim_answer *a = rq->answer;
	buf_reset(&a->body);
	a->raw = true;
	a->type = "application/xml";
	http_date(clock_wall_ms(), now);
	sim_answer_header(a, "Date", "%s", now);
	sim_answer_header(a, "x-amz-request-id", "%s", rq->id);
	return &a->body;
}

static bool find(struct world *w, struct sim_req *rq, struct sim_bucket **b, struct sim_fail *f)
{
	const char *name = json_get_str(rq->params, "Bucket");
	*b = bucket_find(w, name ? name : "");
	return *b || sim_fail(f, WHY_NO_SUCH_BUCKET, "The specified bucket does not exist");
}

/* ---- buckets */

static bool create_bucket(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name = json_get_str(rq->params, "Bucket");
	(void)o;
	if (bucket_find(w, name))
		return sim_fail(f, WHY_BUCKET_OWNED,
		                "Your previous request to create the named bucket succeeded and you already own it.");
	bucket_new(w, name);
	raw(rq);
	sim_answer_header(rq->answer, "Location", "/%s", name);
	return true;
}

static bool head_bucket(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_bucket *b;
	(void)o;
	if (!find(w, rq, &b, f))
		return false;
	raw(rq);
	sim_answer_header(rq->answer, "x-amz-bucket-region", "%s", w->region);
	return true;
}

/* ---- listing */

/* As S3 does it with encoding-type=url: slashes stay, a blank is a plus. */
static void put_key(struct buf *b, const char *key, bool encoded)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*/";
	if (!encoded) {
		wr_xml_text(b, key);
		return;
	}
	for (; *key; key++) {
		if (strchr(plain, *key))
			buf_addc(b, *key);
		else if (*key == ' ')
			buf_addc(b, '+');
		else
			buf_addf(b, "%%%02X", (unsigned char)*key);
	}
}

static void put_object_line(struct buf *b, const struct sim_object *o, bool encoded)
{
	struct tm tm;
	char at[40];
	time_t t = (time_t)(o->modified_ms / 1000);
	gmtime_r(&t, &tm);
	strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_adds(b, "<Contents><Key>");
	put_key(b, o->key, encoded);
	buf_addf(b, "</Key><LastModified>%s.%03dZ</LastModified><ETag>", at, (int)(o->modified_ms % 1000));
	wr_xml_text(b, o->etag);
	buf_addf(b, "</ETag><Size>%zu</Size><StorageClass>STANDARD</StorageClass></Contents>", o->n);
}

/* The token is the last key that was told, in hexadecimal: opaque, and good as long as the bucket is. */
static void put_token(struct buf *b, const char *key)
{
	buf_adds(b, "<NextContinuationToken>");
	for (; *key; key++)
		buf_addf(b, "%02x", (unsigned char)*key);
	buf_adds(b, "</NextContinuationToken>");
}

static bool read_token(const char *token, char *key, size_t size, struct sim_fail *f)
{
	size_t n = strlen(token) / 2;
	bool ok = strlen(token) % 2 == 0 && n > 0 && n < size;
	for (size_t i = 0; ok && i < n; i++) {
		unsigned v;
		ok = sscanf(token + 2 * i, "%2x", &v) == 1;
		key[i] = (char)v;
	}
	key[ok ? n : 0] = '\0';
	return ok || sim_fail(f, WHY_INVALID_ARGUMENT_S3, "The continuation token provided is incorrect");
}

struct page {
	const char *prefix, *after;
	unsigned room;
	bool encoded;
};

/* True: there is more than the page holds. */
static bool put_page(struct buf *x, const struct sim_bucket *b, const struct page *p, unsigned *n)
{
	const struct sim_object *last = NULL;
	*n = 0;
	for (unsigned i = 0; i < b->nobjects; i++) {
		const struct sim_object *v = b->objects[i];
		if (strncmp(v->key, p->prefix, strlen(p->prefix)) != 0 || strcmp(v->key, p->after) <= 0)
			continue;
		if (*n == p->room) {
			if (last)
				put_token(x, last->key);
			return true;
		}
		put_object_line(x, v, p->encoded);
		last = v;
		++*n;
	}
	return false;
}

static const char *param(const struct sim_req *rq, const char *name, const char *otherwise)
{
	const char *v = json_get_str(rq->params, name);
	return v ? v : otherwise;
}

static bool list_objects(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_bucket *b;
	char after[2048] = "";
	const char *token = param(rq, "continuation-token", NULL);
	unsigned n, most = (unsigned)strtoul(param(rq, "max-keys", "1000"), NULL, 10);
	struct page p = { param(rq, "prefix", ""), after, most < PAGE_MOST ? most : PAGE_MOST,
		              strcmp(param(rq, "encoding-type", ""), "url") == 0 };
	(void)o;
	if (!find(w, rq, &b, f) || (token && !read_token(token, after, sizeof after, f)))
		return false;
	if (!param(rq, "list-type", NULL))
		return sim_fail(f, WHY_NOT_IMPLEMENTED, "only list-type=2 is simulated");
	struct buf *x = raw(rq);
	buf_addf(x, XML "<ListBucketResult" NAMESPACE "><Name>%s</Name><Prefix>", b->name);
	put_key(x, p.prefix, p.encoded);
	buf_adds(x, "</Prefix>");
	bool cut = put_page(x, b, &p, &n);
	buf_addf(x, "<KeyCount>%u</KeyCount><MaxKeys>%u</MaxKeys>%s<IsTruncated>%s</IsTruncated></ListBucketResult>", n,
	         p.room, p.encoded ? "<EncodingType>url</EncodingType>" : "", cut ? "true" : "false");
	return true;
}

/* ---- objects */

static void tell(struct sim_req *rq, const struct sim_object *v)
{
	char at[40];
	http_date(v->modified_ms, at);
	sim_answer_header(rq->answer, "ETag", "%s", v->etag);
	sim_answer_header(rq->answer, "Last-Modified", "%s", at);
}

static bool object_of(struct world *w, struct sim_req *rq, struct sim_bucket **b, struct sim_object **v,
                      struct sim_fail *f)
{
	const char *key = json_get_str(rq->params, "Key");
	if (!find(w, rq, b, f))
		return false;
	*v = bucket_object(*b, key ? key : "");
	return true;
}

static bool get_object(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_bucket *b;
	struct sim_object *v;
	const char *match = sim_header(rq, "if-match");
	(void)o;
	if (!object_of(w, rq, &b, &v, f))
		return false;
	if (!v)
		return sim_fail(f, WHY_NO_SUCH_KEY, "The specified key does not exist.");
	if (match && strcmp(match, v->etag) != 0)
		return sim_fail(f, WHY_PRECONDITION, "At least one of the pre-conditions you specified did not hold");
	buf_add(raw(rq), v->body, v->n);
	rq->answer->type = v->type;
	tell(rq, v);
	return true;
}

static bool put_object(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_bucket *b;
	struct sim_object *v;
	const char *match = sim_header(rq, "if-match"), *none = sim_header(rq, "if-none-match");
	(void)o;
	if (!object_of(w, rq, &b, &v, f))
		return false;
	if (none && strcmp(none, "*") != 0)
		return sim_fail(f, WHY_NOT_IMPLEMENTED, "If-None-Match takes * alone");
	if (match && !v)
		return sim_fail(f, WHY_NO_SUCH_KEY, "The specified key does not exist.");
	if ((none && v) || (match && strcmp(match, v->etag) != 0))
		return sim_fail(f, WHY_PRECONDITION, "At least one of the pre-conditions you specified did not hold");
	v = bucket_put(b, json_get_str(rq->params, "Key"), rq->body, sim_header(rq, "content-type"));
	raw(rq);
	sim_answer_header(rq->answer, "ETag", "%s", v->etag);
	return true;
}

static bool delete_object(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_bucket *b;
	struct sim_object *v;
	(void)o;
	if (!object_of(w, rq, &b, &v, f))
		return false;
	if (v)
		bucket_remove(b, v->key);
	raw(rq);
	return true;
}

void sim_s3_fail(struct sim_req *rq, const struct sim_fail *f)
{
	struct sim_answer *a = rq->answer;
	a->type = "application/xml";
	sim_answer_header(a, "x-amz-request-id", "%s", rq->id);
	if (strcmp(rq->method, "HEAD") == 0)
		return;
	buf_addf(&a->body, XML "<Error><Code>%s</Code><Message>", sim_fail_legacy(f->why));
	wr_xml_text(&a->body, f->text);
	buf_addf(&a->body, "</Message><RequestId>%s</RequestId><HostId>sim</HostId></Error>", rq->id);
}

#define BUCKET "/{Bucket}"
#define OBJECT "/{Bucket}/{Key+}"

static const struct sim_op ops[] = {
	{ "CreateBucket", SIM_WRITE, create_bucket, "PUT", BUCKET, 200 },
	{ "HeadBucket", SIM_READ, head_bucket, "HEAD", BUCKET, 200 },
	{ "ListObjectsV2", SIM_READ, list_objects, "GET", BUCKET, 200 },
	{ "GetObject", SIM_READ, get_object, "GET", OBJECT, 200 },
	{ "HeadObject", SIM_READ, get_object, "HEAD", OBJECT, 200 },
	{ "PutObject", SIM_WRITE, put_object, "PUT", OBJECT, 200 },
	{ "DeleteObject", SIM_WRITE, delete_object, "DELETE", OBJECT, 204 },
};

const struct sim_service sim_s3 = {
	.name = "s3",
	.objects = true,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
