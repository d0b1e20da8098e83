/* S3 on the wire: keys of every kind, lists that are not whole, where a bucket is asked, and where it moves to. */
#include "aws/address.h"
#include "aws/op_s3.h"
#include "core/hash.h"
#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- requests */

static void keys_in_paths(void **state)
{
	static const struct {
		const char *key, *version, *path, *query;
	} cases[] = {
		{ "a b/c+d/\xc3\xa4~(1).json", NULL, "/a%20b/c%2Bd/%C3%A4~%281%29.json", "" },
		{ "a/../b//c", "v 1", "/a/../b//c", "versionId=v%201" },
		{ "/", NULL, "//", "" },
		{ "100%", "", "/100%25", "versionId=" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_req rq;
		struct err e = { 0 };
		struct object_in in = { "bucket", cases[i].key, cases[i].version };
		http_req_init(&rq);
		assert_true(op_head_object.build(&in, &rq, &e));
		assert_string_equal(rq.method, "HEAD");
		assert_string_equal(rq.bucket, "bucket");
		assert_string_equal(rq.path.p, cases[i].path);
		assert_string_equal(rq.query.p ? rq.query.p : "", cases[i].query);
		http_req_clear(&rq);
	}
}

static const char *header(const struct http_req *rq, const char *name)
{
	for (unsigned i = 0; i < rq->nheaders; i++)
		if (strcmp(rq->headers[i].name, name) == 0)
			return rq->headers[i].value;
	return NULL;
}

static void a_put_has_a_condition(void **state)
{
	struct http_req rq;
	struct err e = { 0 };
	struct put_object_in in = { "b", "locks/x", "application/json", NULL, SPAN("{}") };
	(void)state;
	http_req_init(&rq);
	assert_true(op_put_object.build(&in, &rq, &e));
	assert_string_equal(header(&rq, "If-None-Match"), "*");
	assert_null(header(&rq, "If-Match"));
	http_req_clear(&rq);
	in.if_match = "\"abc\"";
	assert_true(op_put_object.build(&in, &rq, &e));
	assert_string_equal(header(&rq, "If-Match"), "\"abc\"");
	assert_null(header(&rq, "If-None-Match"));
	assert_false(op_put_object.idempotent);
	assert_int_equal(op_put_object.effect, OP_WRITE);
	assert_int_equal(op_get_object.effect, OP_PEEK);
	http_req_clear(&rq);
}

/* ---- lists */

#define HEAD "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
#define URL "<EncodingType>url</EncodingType>"
#define OBJECT(key)                                                                                                    \
	"<Contents><Key>" key "</Key><LastModified>2026-11-23T03:14:42.123Z</LastModified>"                                \
	"<ETag>&quot;e1&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>"
#define TAIL "</ListBucketResult>"

static bool read_list(const char *xml, struct list_objects_out *o, struct err *e)
{
	struct http_res rs = { 200, span_of(xml), NULL, 0 };
	*o = (struct list_objects_out){ .n = 0 };
	arena_init(&o->mem);
	*e = (struct err){ 0 };
	return op_list_objects.read(&rs, o, e);
}

static void list_clear(struct list_objects_out *o)
{
	arena_clear(&o->mem);
	free(o->page.token);
	free(o->v);
}

static void a_list(void **state)
{
	struct list_objects_out o;
	struct err e;
	(void)state;
	assert_true(read_list(HEAD OBJECT("a+b%2Bc%C3%A4%01") OBJECT("d/%25") URL
	                      "<IsTruncated>true</IsTruncated>"
	                      "<NextContinuationToken>t</NextContinuationToken>" TAIL,
	                      &o, &e));
	assert_int_equal(o.n, 2);
	assert_string_equal(o.v[0].key, "a b+c\xc3\xa4\x01");
	assert_string_equal(o.v[1].key, "d/%");
	assert_string_equal(o.v[0].etag, "\"e1\"");
	assert_int_equal(o.v[0].size, 7);
	assert_true(o.v[0].modified_ms == 1795403682123);
	assert_string_equal(o.page.token, "t");
	list_clear(&o);
	/* Without the encoding a plus is a plus. */
	assert_true(read_list(HEAD "<IsTruncated>false</IsTruncated>" OBJECT("a+b%2B") TAIL, &o, &e));
	assert_string_equal(o.v[0].key, "a+b%2B");
	assert_null(o.page.token);
	list_clear(&o);
}

static void lists_that_are_not_whole(void **state)
{
	static const char *const bad[] = {
		"",
		"<html></html>",
		"{}",
		HEAD,
		HEAD OBJECT("a"),
		HEAD OBJECT("a") "<IsTruncated>true</IsTruncated>" TAIL,
		HEAD OBJECT("a") "<IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken>" TAIL,
		HEAD "<Contents><Size>1</Size></Contents>" TAIL,
		HEAD OBJECT("a%00b") URL TAIL,
		"<!DOCTYPE x [<!ENTITY a \"b\">]>" HEAD OBJECT("&a;") TAIL,
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct list_objects_out o;
		struct err e;
		if (read_list(bad[i], &o, &e))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.code, ERR_BADREPLY);
		assert_null(o.page.token);
		list_clear(&o);
	}
}

static void what_a_head_says(void **state)
{
	struct http_header h[] = { { (char *)(uintptr_t) "etag", (char *)(uintptr_t) "\"e\"" },
		                       { (char *)(uintptr_t) "Content-Length", (char *)(uintptr_t) "12" },
		                       { (char *)(uintptr_t) "x-amz-version-id", (char *)(uintptr_t) "null" },
		                       { (char *)(uintptr_t) "Last-Modified",
		                         (char *)(uintptr_t) "Mon, 23 Nov 2026 03:14:42 GMT" } };
	struct http_res rs = { 200, { NULL, 0 }, h, 4 };
	struct head_object_out o;
	struct err e = { 0 };
	(void)state;
	assert_true(op_head_object.read(&rs, &o, &e));
	assert_string_equal(o.etag, "\"e\"");
	assert_string_equal(o.version, "");
	assert_int_equal(o.size, 12);
	assert_true(o.modified_ms == 1795403682000);
	rs.nheaders = 0;
	assert_false(op_head_object.read(&rs, &o, &e));
}

/* ---- where a bucket is asked */

static void address(const char *bucket, const char *endpoint, const char *region, const char *url, const char *path)
{
	struct account *a = account_static(region, endpoint, "k", "s", "test");
	struct buckets none = { .n = 0 };
	struct http_req rq;
	struct buf out;
	struct err e = { 0 };
	http_req_init(&rq);
	buf_init(&out, 1024);
	buf_adds(&rq.path, "/key");
	rq.bucket = bucket;
	assert_true(address_of(a, &none, &op_head_object, &rq, &out, &e));
	assert_string_equal(out.p, url);
	assert_string_equal(rq.path.p, path);
	http_req_clear(&rq);
	buf_clear(&out);
	account_free(a);
}

static void addresses(void **state)
{
	(void)state;
	address("my-bucket", NULL, "eu-west-1", "https://my-bucket.s3.eu-west-1.amazonaws.com", "/key");
	address("my-bucket", NULL, "cn-north-1", "https://my-bucket.s3.cn-north-1.amazonaws.com.cn", "/key");
	address("my.bucket", NULL, "eu-west-1", "https://s3.eu-west-1.amazonaws.com", "/my.bucket/key");
	address("My_Bucket", NULL, "us-east-1", "https://s3.us-east-1.amazonaws.com", "/My_Bucket/key");
	address("my-bucket", "http://127.0.0.1:4566", "eu-west-1", "http://127.0.0.1:4566", "/my-bucket/key");
	address("my-bucket", "https://s3.example:9000", "eu-west-1", "https://s3.example:9000", "/my-bucket/key");
	static const char *const not_in_hosts[] = { "ab", "a..b", "-ab", "ab-", "ABC", "a_b", "1.2.3.4", "a.b" };
	for (size_t i = 0; i < sizeof not_in_hosts / sizeof *not_in_hosts; i++)
		assert_false(bucket_in_host(not_in_hosts[i], true));
	assert_true(bucket_in_host("a.b", false));
}

static void buckets_elsewhere(void **state)
{
	static const char body[] =
	    "<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region></Error>";
	struct http_header h = { (char *)(uintptr_t) "x-amz-bucket-region", (char *)(uintptr_t) "eu-central-1" };
	struct account *a = account_static("eu-west-1", NULL, "k", "s", "test");
	struct buckets known = { .n = 0 };
	struct http_res moved = { 301, { NULL, 0 }, &h, 1 }, told = { 400, SPAN(body), NULL, 0 },
	                denied = { 403, { NULL, 0 }, &h, 1 };
	(void)state;
	assert_false(buckets_learn(&known, a, "one", &denied));
	assert_false(buckets_learn(&known, a, NULL, &moved));
	assert_true(buckets_learn(&known, a, "one", &moved));
	assert_false(buckets_learn(&known, a, "one", &moved)); /* the second time it is no news: no circle */
	assert_true(buckets_learn(&known, a, "two", &told));
	h.value = (char *)(uintptr_t) "eu-west-1/../x";
	assert_false(buckets_learn(&known, a, "three", &moved));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = { "one", "two", "three" };
		static const char *const urls[] = { "https://one.s3.eu-central-1.amazonaws.com",
			                                "https://two.s3.us-west-2.amazonaws.com",
			                                "https://three.s3.eu-west-1.amazonaws.com" };
		struct http_req rq;
		struct buf out;
		struct err e = { 0 };
		http_req_init(&rq);
		buf_init(&out, 1024);
		rq.bucket = names[i];
		assert_true(address_of(a, &known, &op_head_object, &rq, &out, &e));
		assert_string_equal(out.p, urls[i]);
		http_req_clear(&rq);
		buf_clear(&out);
	}
	account_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_in_paths),
		cmocka_unit_test(a_put_has_a_condition),
		cmocka_unit_test(a_list),
		cmocka_unit_test(lists_that_are_not_whole),
		cmocka_unit_test(what_a_head_says),
		cmocka_unit_test(addresses),
		cmocka_unit_test(buckets_elsewhere),
	};
	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
