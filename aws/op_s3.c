#include "aws/op_s3.h"

#include "aws/wire.h"
#include "aws/xml.h"
#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct service service_s3 = {
	.id = "s3",
	.host = "s3",
	.signing = "s3",
	.env = "S3",
	.version = "2006-03-01",
	.wire = WIRE_REST_XML,
};

static bool too_large(struct err *e)
{
	return err_set(e, ERR_LIMIT, "s3", "the request is too large");
}

/* A key's slashes are the path's own; "." and ".." are names like any other. */
static bool add_key(struct http_req *rq, const char *bucket, const char *key)
{
	rq->bucket = bucket;
	for (bool ok = true; ok;) {
		size_t n = strcspn(key, "/");
		ok = buf_addc(&rq->path, '/') && wire_escape(&rq->path, (struct span){ key, n });
		if (!key[n])
			return ok;
		key += n + 1;
	}
	return false;
}

/* ---- ListObjectsV2 */

static bool list_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct list_objects_in *q = in;
	rq->method = "GET";
	rq->bucket = q->bucket;
	bool ok = wire_param(&rq->query, "list-type", "2") && wire_param(&rq->query, "encoding-type", "url") &&
	          wire_param(&rq->query, "prefix", q->prefix) &&
	          wire_param(&rq->query, "continuation-token", q->page.token);
	return ok || too_large(e);
}

struct listing {
	struct list_objects_out *out;
	struct s3_object one; /* the one being read; its strings in out's arena */
	unsigned before;
	bool encoded, truncated, whole, bad;
	char *token;
};

static char *keep(struct listing *l, struct span v)
{
	return arena_strndup(&l->out->mem, v.n ? v.p : "", v.n);
}

static void end_object(struct listing *l)
{
	struct list_objects_out *o = l->out;
	if (!l->one.key || !*l->one.key) {
		l->bad = true;
		return;
	}
	MEM_GROW(o->v, o->n, o->cap);
	o->v[o->n++] = l->one;
	l->one = (struct s3_object){ .size = -1 };
}

static void of_object(struct listing *l, const char *name, struct span v)
{
	char text[32];
	snprintf(text, sizeof text, "%.*s", (int)(v.n < sizeof text ? v.n : sizeof text - 1), v.n ? v.p : "");
	if (strcmp(name, "Key") == 0)
		l->one.key = keep(l, v);
	else if (strcmp(name, "ETag") == 0)
		l->one.etag = keep(l, v);
	else if (strcmp(name, "Size") == 0)
		l->one.size = strtoll(text, NULL, 10);
	else if (strcmp(name, "LastModified") == 0)
		clock_parse_rfc3339(v.p, v.n, &l->one.modified_ms);
}

#define RESULT "ListBucketResult"

static bool element(void *ctx, const char *path, struct span v)
{
	struct listing *l = ctx;
	static const char object[] = RESULT "/Contents/";
	if (strncmp(path, object, sizeof object - 1) == 0)
		of_object(l, path + sizeof object - 1, v);
	else if (strcmp(path, RESULT "/Contents") == 0)
		end_object(l);
	else if (strcmp(path, RESULT "/EncodingType") == 0)
		l->encoded = span_eq(v, "url");
	else if (strcmp(path, RESULT "/IsTruncated") == 0)
		l->truncated = span_eq(v, "true");
	else if (strcmp(path, RESULT "/NextContinuationToken") == 0)
		l->token = keep(l, v);
	else if (strcmp(path, RESULT) == 0)
		l->whole = true;
	return true;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* In place. A NUL is no key's: false. */
static bool decode(char *s)
{
	char *to = s;
	for (; *s; s++) {
		char c = *s == '+' ? ' ' : *s;
		if (c == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			c = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		}
		if (!c)
			return false;
		*to++ = c;
	}
	*to = '\0';
	return true;
}

/* A list that is cut off, or does not say how it goes on, must not pass for the whole. */
static bool list_read(const struct http_res *rs, void *out, struct err *e)
{
	struct list_objects_out *o = out;
	struct listing l = { .out = o, .one = { .size = -1 }, .before = o->n };
	bool ok = xml_read(rs->body, element, &l, e);
	for (unsigned i = l.before; ok && l.encoded && i < o->n; i++)
		ok = decode((char *)(uintptr_t)o->v[i].key) || err_set(e, ERR_BADREPLY, "s3", "a key holds a NUL");
	if (ok && (!l.whole || l.bad || (l.truncated && (!l.token || !*l.token))))
		ok = err_set(e, ERR_BADREPLY, "s3", "the list of objects is not whole");
	wire_token(&o->page, ok && l.truncated ? l.token : NULL);
	return ok;
}

const struct op op_list_objects = {
	.service = &service_s3,
	.name = "ListObjectsV2",
	.iam = "s3:ListBucket",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.build = list_build,
	.read = list_read,
};

/* ---- HeadObject */

static bool object_build(struct http_req *rq, const char *bucket, const char *key, const char *version, struct err *e)
{
	return (add_key(rq, bucket, key) && wire_param(&rq->query, "versionId", version)) || too_large(e);
}

static bool head_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct object_in *q = in;
	rq->method = "HEAD";
	return object_build(rq, q->bucket, q->key, q->version, e);
}

/* "null" is the version of an object that has none. */
static void read_head(const struct http_res *rs, struct head_object_out *o)
{
	const char *etag = http_res_header(rs, "ETag"), *version = http_res_header(rs, "x-amz-version-id");
	const char *size = http_res_header(rs, "Content-Length");
	int64_t at;
	snprintf(o->etag, sizeof o->etag, "%s", etag ? etag : "");
	snprintf(o->version, sizeof o->version, "%s", version && strcmp(version, "null") != 0 ? version : "");
	o->size = size ? strtoll(size, NULL, 10) : -1;
	o->modified_ms = wire_date(http_res_header(rs, "Last-Modified"), &at) ? at * 1000 : 0;
}

static bool head_read(const struct http_res *rs, void *out, struct err *e)
{
	struct head_object_out *o = out;
	read_head(rs, o);
	return o->etag[0] || err_set(e, ERR_BADREPLY, "s3", "the answer names no ETag: it is not S3's");
}

const struct op op_head_object = {
	.service = &service_s3,
	.name = "HeadObject",
	.iam = "s3:GetObject",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 64u * 1024,
	.rate = 200,
	.build = head_build,
	.read = head_read,
};

/* ---- GetObject */

static bool get_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct get_object_in *q = in;
	rq->method = "GET";
	if (q->if_match)
		http_req_header(rq, "If-Match", q->if_match);
	return object_build(rq, q->bucket, q->key, q->version, e);
}

static bool get_read(const struct http_res *rs, void *out, struct err *e)
{
	struct get_object_out *o = out;
	int64_t now;
	read_head(rs, &o->head);
	o->now_ms = wire_date(http_res_header(rs, "Date"), &now) ? now * 1000 : 0;
	if (!o->head.etag[0])
		return err_set(e, ERR_BADREPLY, "s3", "the answer names no ETag: it is not S3's");
	buf_reset(&o->body);
	return buf_addspan(&o->body, rs->body) ||
	       err_set(e, ERR_LIMIT, "s3", "the object is larger than %zu bytes", o->body.max);
}

const struct op op_get_object = {
	.service = &service_s3,
	.name = "GetObject",
	.iam = "s3:GetObject",
	.effect = OP_PEEK,
	.idempotent = true,
	.rate = 200,
	.build = get_build,
	.read = get_read,
};

/* ---- PutObject */

static bool put_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct put_object_in *q = in;
	rq->method = "PUT";
	http_req_header(rq, q->if_match ? "If-Match" : "If-None-Match", q->if_match ? q->if_match : "*");
	http_req_header(rq, "Content-Type", q->type);
	return (add_key(rq, q->bucket, q->key) && buf_addspan(&rq->body, q->body)) || too_large(e);
}

static bool put_read(const struct http_res *rs, void *out, struct err *e)
{
	struct put_object_out *o = out;
	const char *etag = http_res_header(rs, "ETag");
	snprintf(o->etag, sizeof o->etag, "%s", etag ? etag : "");
	return o->etag[0] || err_set(e, ERR_BADREPLY, "s3", "the answer names no ETag: it is not S3's");
}

const struct op op_put_object = {
	.service = &service_s3,
	.name = "PutObject",
	.iam = "s3:PutObject",
	.effect = OP_WRITE,
	.cap = 64u * 1024,
	.build = put_build,
	.read = put_read,
};
