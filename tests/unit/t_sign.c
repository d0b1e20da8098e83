/* aws/sign.c: the published suite stage by stage, requests signed by botocore, and what the suite leaves open. */
#include "aws/sign.h"
#include "core/clock.h"
#include "core/ini.h"
#include "core/json.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static int setup(void **state)
{
	(void)state;
	return hash_init() ? 0 : -1;
}

/* ---- the suite: a folder a case, each with a request, a context and what four stages must give */

struct suite {
	char root[512];
	DIR *dir;
	unsigned cases, stages, failed;
};

static bool suite_open(struct suite *s)
{
	const char *base = getenv("SLUICE_SHARED");
	const char *const below[] = { "data/sigv4-suite/v4", "sigv4-suite/v4" };
	*s = (struct suite){ 0 };
	for (size_t i = 0; i < 2 && !s->dir; i++) {
		snprintf(s->root, sizeof s->root, "%s/%s", base ? base : "../shared", below[i]);
		s->dir = opendir(s->root);
	}
	return s->dir != NULL;
}

static struct buf suite_file(const struct suite *s, const char *name, const char *file)
{
	char path[1024];
	struct buf b;
	struct err e = { 0 };
	buf_init(&b, 1 << 20);
	snprintf(path, sizeof path, "%s/%s/%s", s->root, name, file);
	if (!ini_read_file(path, &b, &e))
		fail_msg("%s: %s", path, e.text);
	return b;
}

static struct span next_line(const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	struct span line = { *p, (size_t)((nl ? nl : end) - *p) };
	*p = nl ? nl + 1 : end;
	return line;
}

static void read_target(struct http_req *r, struct span line)
{
	static char method[16];
	const char *first = memchr(line.p, ' ', line.n), *last = memrchr(line.p, ' ', line.n);
	assert_non_null(first);
	assert_true(first < last);
	snprintf(method, sizeof method, "%.*s", (int)(first - line.p), line.p);
	r->method = method;
	struct span target = { first + 1, (size_t)(last - first - 1) };
	const char *mark = memchr(target.p, '?', target.n);
	size_t npath = mark ? (size_t)(mark - target.p) : target.n;
	assert_true(buf_add(&r->path, target.p, npath));
	if (mark)
		assert_true(buf_add(&r->query, mark + 1, target.n - npath - 1));
}

static void read_request(struct http_req *r, struct span text)
{
	const char *p = text.p, *end = text.p + text.n;
	http_req_init(r);
	read_target(r, next_line(&p, end));
	while (p < end) {
		struct span line = next_line(&p, end);
		if (line.n == 0)
			break;
		const char *more = p;
		while (p < end && (*p == ' ' || *p == '\t')) { /* a folded value goes on in the next line */
			struct span rest = next_line(&p, end);
			more = rest.p + rest.n;
			line.n = (size_t)(more - line.p);
		}
		char *name = strndup(line.p, line.n), *colon = strchr(name, ':');
		assert_non_null(colon);
		*colon = '\0';
		http_req_header(r, name, colon + 1);
		free(name);
	}
	assert_true(buf_add(&r->body, p, (size_t)(end - p)));
}

static struct json *read_context(struct span text, struct sign_in *in)
{
	struct err e = { 0 };
	struct json *c = json_parse(text, &e);
	assert_non_null(c);
	const struct json *keys = json_get(c, "credentials");
	const char *time = json_get_str(c, "timestamp");
	int64_t ms;
	bool normalize = true;
	assert_true(clock_parse_rfc3339(time, strlen(time), &ms));
	assert_true(json_bool(json_get(c, "normalize"), &normalize));
	*in = (struct sign_in){ .now = ms / 1000, .raw_path = !normalize, .host = "example.amazonaws.com" };
	in->keys.access_key = json_get_str(keys, "access_key_id");
	in->keys.secret_key = json_get_str(keys, "secret_access_key");
	in->keys.session_token = json_get_str(keys, "token");
	in->region = json_get_str(c, "region");
	in->service = json_get_str(c, "service");
	json_bool(json_get(c, "sign_body"), &in->sign_body);
	json_bool(json_get(c, "omit_session_token"), &in->omit_token);
	return c;
}

static void expect(struct suite *s, const char *name, const char *file, struct span got)
{
	struct buf want = suite_file(s, name, file);
	s->stages++;
	if (got.n != want.n || memcmp(got.p, want.p, want.n) != 0) {
		s->failed++;
		print_error("%s/%s: got\n%.*s\nwant\n%s\n", name, file, (int)got.n, got.p, want.p);
	}
	buf_clear(&want);
}

static void write_request(const struct http_req *r, struct buf *out)
{
	buf_addf(out, "%s %s%s%s HTTP/1.1\n", r->method, r->path.p, r->query.n ? "?" : "", r->query.n ? r->query.p : "");
	for (unsigned i = 0; i < r->nheaders; i++)
		buf_addf(out, "%s:%s\n", r->headers[i].name, r->headers[i].value);
	buf_addc(out, '\n');
	buf_addspan(out, buf_span(&r->body));
}

static void suite_case(struct suite *s, const char *name)
{
	struct buf context = suite_file(s, name, "context.json"), request = suite_file(s, name, "request.txt");
	struct buf canonical, names, string, whole;
	struct http_req r;
	struct sign_in in;
	struct err e = { 0 };
	char signature[2 * HASH_SHA256 + 1];
	struct json *c = read_context(buf_span(&context), &in);
	read_request(&r, buf_span(&request));
	buf_init(&canonical, 1 << 20);
	buf_init(&names, 1 << 20);
	buf_init(&string, 1 << 20);
	buf_init(&whole, 1 << 20);

	assert_true(sign_request(&in, &r, &e));
	assert_true(sign_canonical(&in, &r, &canonical, &names));
	expect(s, name, "header-canonical-request.txt", buf_span(&canonical));
	assert_true(sign_string(&in, buf_span(&canonical), &string));
	expect(s, name, "header-string-to-sign.txt", buf_span(&string));
	sign_signature(&in, buf_span(&string), signature);
	expect(s, name, "header-signature.txt", span_of(signature));
	write_request(&r, &whole);
	expect(s, name, "header-signed-request.txt", buf_span(&whole));

	buf_clear(&canonical);
	buf_clear(&names);
	buf_clear(&string);
	buf_clear(&whole);
	buf_clear(&context);
	buf_clear(&request);
	http_req_clear(&r);
	json_free(c);
	s->cases++;
}

static void published_suite(void **state)
{
	(void)state;
	struct suite s;
	if (!suite_open(&s)) {
		print_message("SKIP: the SigV4 suite is not here (%s)\n", s.root);
		skip();
	}
	for (struct dirent *d; (d = readdir(s.dir));)
		if (d->d_name[0] != '.')
			suite_case(&s, d->d_name);
	closedir(s.dir);
	print_message("SigV4 suite: %u cases, %u of %u stages equal\n", s.cases, s.stages - s.failed, s.stages);
	assert_int_equal(s.failed, 0);
	assert_int_equal(s.cases, 38);
	assert_int_equal(s.stages, 152);
}

/* ---- whole requests as botocore signs them: eu-west-1, 2026-01-02T03:04:05Z */

#define JSON10 "content-type", "application/x-amz-json-1.0", "x-amzn-query-mode", "true"
#define FORM "content-type", "application/x-www-form-urlencoded; charset=utf-8"
#define LAMBDA "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Amy-fn/"

static const struct golden {
	const char *id, *method, *service, *host, *path, *query;
	const char *headers[8]; /* name, value, ... */
	const char *body, *token;
	bool s3;
	const char *names, *canonical_sha256, *signature;
} goldens[] = {
	{ "A",
	  "POST",
	  "monitoring",
	  "monitoring.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  { JSON10, "x-amz-target", "GraniteServiceVersion20100801.GetMetricData" },
	  "{\"MetricDataQueries\": [{\"Id\": \"m1\", \"MetricStat\": {\"Metric\": {\"Namespace\": \"AWS/SQS\", "
	  "\"MetricName\": "
	  "\"NumberOfMessagesSent\", \"Dimensions\": [{\"Name\": \"QueueName\", \"Value\": \"orders\"}]}, \"Period\": 60, "
	  "\"Stat\": "
	  "\"Sum\"}}], \"StartTime\": 1767322800, \"EndTime\": 1767323100}",
	  NULL,
	  false,
	  "content-type;host;x-amz-date;x-amz-target;x-amzn-query-mode",
	  "38bbd47e8934eae82c3302ee02d5292d4ce4f84b88cec3a15c50c0a5f479c284",
	  "2e474a636309e5bb2fe7d64691cfbdab4f92de4d90f28a59157817bcddfcf0d3" },
	{ "B",
	  "POST",
	  "sqs",
	  "sqs.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  { JSON10, "x-amz-target", "AmazonSQS.ReceiveMessage" },
	  "{\"QueueUrl\": \"https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dlq\", \"MaxNumberOfMessages\": 10, "
	  "\"MessageSystemAttributeNames\": [\"All\"], \"MessageAttributeNames\": [\"All\"]}",
	  NULL,
	  false,
	  "content-type;host;x-amz-date;x-amz-target;x-amzn-query-mode",
	  NULL,
	  "ed97bff79e5e5547483294d11919213d1ed70b6ebb2c5c8fa3086c59871bb787" },
	{ "C",
	  "POST",
	  "sns",
	  "sns.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  { FORM },
	  "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aops&Message=a+b%26c%3D%"
	  "C3%A4"
	  "&Subject=x&MessageAttributes.entry.1.Name=sev&MessageAttributes.entry.1.Value.DataType=String"
	  "&MessageAttributes.entry.1.Value.StringValue=high",
	  NULL,
	  false,
	  "content-type;host;x-amz-date",
	  NULL,
	  "760f71f76e407e6a23b9e978843b40d3685961bacf4d34452088e4c853977cc5" },
	{ "D",
	  "POST",
	  "sts",
	  "sts.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  { FORM },
	  "Action=GetCallerIdentity&Version=2011-06-15",
	  NULL,
	  false,
	  "content-type;host;x-amz-date",
	  NULL,
	  "b87ee61678696c301b942d163db6c138bb8970c1f50b5998524a5508d8860576" },
	{ "D with a token",
	  "POST",
	  "sts",
	  "sts.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  { FORM },
	  "Action=GetCallerIdentity&Version=2011-06-15",
	  "TOKENEXAMPLE",
	  false,
	  "content-type;host;x-amz-date;x-amz-security-token",
	  NULL,
	  "2ccc29ad358b10b1263a8ff1c70da14c8c8abf428fba146d6bd41c5add61b9f7" },
	{ "E",
	  "POST",
	  "lambda",
	  "lambda.eu-west-1.amazonaws.com",
	  LAMBDA "invocations",
	  "Qualifier=%24LATEST",
	  { NULL },
	  "{\"a\":1}",
	  NULL,
	  false,
	  "host;x-amz-date",
	  NULL,
	  "97d95581d9c170b4ee769f902213e7ff140aa902a4aa0167cbc5db22979b6bb8" },
	{ "F",
	  "GET",
	  "lambda",
	  "lambda.eu-west-1.amazonaws.com",
	  LAMBDA "configuration",
	  "Qualifier=%24LATEST",
	  { NULL },
	  "",
	  NULL,
	  false,
	  "host;x-amz-date",
	  "e1d4dbac15875e97d49c87a5cbd393434b4e4f992a45a03588ef5652b7b05276",
	  "ff3194d128970830a96266656f60e4a89eeb382ebd5504be38e82d01b7dca858" },
	{ "G",
	  "GET",
	  "s3",
	  "my-bucket.s3.eu-west-1.amazonaws.com",
	  "/a%20b/c%2Bd/%C3%A4~%281%29.json",
	  "",
	  { "Range", "bytes=0-99", "x-amz-checksum-mode", "ENABLED" },
	  "",
	  NULL,
	  true,
	  "host;range;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
	  NULL,
	  "e9bd71756f86ab8cd6b2e95e7de6d79377e80f954e69d2c64f6cf2ca67d7646f" },
	{ "H",
	  "GET",
	  "s3",
	  "my-bucket.s3.eu-west-1.amazonaws.com",
	  "/",
	  "list-type=2&prefix=a%20b%2Fc%2Bd%2F%C3%A4&encoding-type=url",
	  { NULL },
	  "",
	  NULL,
	  true,
	  "host;x-amz-content-sha256;x-amz-date",
	  NULL,
	  "ee60e1c054baac1325d33b4ba0b9fff9690209e5b55a906a77627a1023a5767f" },
	{ "I",
	  "GET",
	  "execute-api",
	  "h.example.com",
	  "/a//b/./c/../d%20e",
	  "b=2&a=1&a=&c",
	  { "X-Foo", "  a   b  " },
	  "",
	  NULL,
	  false,
	  "host;x-amz-date;x-foo",
	  "8cbfdb1c61b553968c9e41ab90fe8cd84e7d65f2e866aa9295f3d501e5244c5a",
	  "8cfb2b225752d07335116132d01f7dbd81f45d8f50e6aae5369ffbe30f7bb1c7" },
	{ "J",
	  "GET",
	  "s3",
	  "my-bucket.s3.eu-west-1.amazonaws.com",
	  "/a%20b//c%2Bd/../%C3%A4~%281%29.json",
	  "",
	  { "Range", "bytes=0-99" },
	  "",
	  NULL,
	  true,
	  "host;range;x-amz-content-sha256;x-amz-date",
	  "83e607a6657604c739840b9df901706c28641321c548e2bee856eb8ee2526f0e",
	  "413796b868c8ec290f1de3ea7cce69534b3f764b1fc3d8629d8a1b616e581bd5" },
};

static struct sign_in plain_in(void)
{
	return (struct sign_in){ .keys = { KEY_ID, SECRET, NULL },
		                     .region = "eu-west-1",
		                     .service = "sqs",
		                     .host = "sqs.eu-west-1.amazonaws.com",
		                     .now = 1767323045 };
}

static const char *header(const struct http_req *r, const char *name)
{
	struct http_res view = { .headers = r->headers, .nheaders = r->nheaders };
	return http_res_header(&view, name);
}

static void golden_request(const struct golden *g)
{
	struct sign_in in = plain_in();
	struct http_req r;
	struct err e = { 0 };
	in.service = g->service;
	in.host = g->host;
	in.keys.session_token = g->token;
	in.s3_style = g->s3;
	http_req_init(&r);
	r.method = g->method;
	buf_adds(&r.path, g->path);
	buf_adds(&r.query, g->query);
	buf_adds(&r.body, g->body);
	for (unsigned i = 0; i < 8 && g->headers[i]; i += 2)
		http_req_header(&r, g->headers[i], g->headers[i + 1]);
	assert_true(sign_request(&in, &r, &e));

	char want[512], hex[2 * HASH_SHA256 + 1];
	snprintf(want, sizeof want,
	         "AWS4-HMAC-SHA256 Credential=" KEY_ID
	         "/20260102/eu-west-1/%s/aws4_request, SignedHeaders=%s, Signature=%s",
	         g->service, g->names, g->signature);
	if (strcmp(want, header(&r, "authorization")) != 0)
		fail_msg("request %s:\ngot  %s\nwant %s", g->id, header(&r, "authorization"), want);
	assert_string_equal(header(&r, "x-amz-date"), "20260102T030405Z");
	if (g->canonical_sha256) {
		struct buf canonical, names;
		uint8_t hash[HASH_SHA256];
		buf_init(&canonical, 1 << 20);
		buf_init(&names, 1 << 20);
		assert_true(sign_canonical(&in, &r, &canonical, &names));
		hash_sha256(canonical.p, canonical.n, hash);
		hash_hex(hash, sizeof hash, hex);
		assert_string_equal(hex, g->canonical_sha256);
		buf_clear(&canonical);
		buf_clear(&names);
	}
	http_req_clear(&r);
}

static void golden_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++)
		golden_request(&goldens[i]);
}

/* ---- canonical parts, one by one: the lines of the canonical request */

static char *canonical_of(const struct sign_in *in, const struct http_req *r, struct buf *names)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_true(sign_canonical(in, r, &b, names));
	return buf_steal(&b);
}

static char *canonical_line(const char *path, const char *query, unsigned line, bool s3)
{
	struct sign_in in = plain_in();
	struct http_req r;
	struct buf names;
	in.s3_style = s3;
	buf_init(&names, 4096);
	http_req_init(&r);
	buf_adds(&r.path, path);
	buf_adds(&r.query, query);
	char *all = canonical_of(&in, &r, &names), *p = all;
	while (line--)
		p = strchr(p, '\n') + 1;
	char *out = strndup(p, strcspn(p, "\n"));
	free(all);
	buf_clear(&names);
	http_req_clear(&r);
	return out;
}

static void paths(void **state)
{
	(void)state;
	static const struct {
		const char *sent, *general, *s3;
	} t[] = {
		{ "", "/", "/" },
		{ "/", "/", "/" },
		{ "//", "/", "//" },
		{ "/.", "/", "/." },
		{ "/..", "/", "/.." },
		{ "/../..", "/", "/../.." },
		{ "/a", "/a", "/a" },
		{ "/a/", "/a/", "/a/" },
		{ "/a/.", "/a", "/a/." },
		{ "/a/./", "/a/", "/a/./" },
		{ "/a/b/..", "/a", "/a/b/.." },
		{ "/a/b/../", "/a/", "/a/b/../" },
		{ "/a/../", "/", "/a/../" },
		{ "/../a", "/a", "/../a" },
		{ "//a///b//", "/a/b/", "//a///b//" },
		{ "/...", "/...", "/..." },
		{ "/.a/b.", "/.a/b.", "/.a/b." },
		{ "/%2E%2E/a", "/%252E%252E/a", "/%2E%2E/a" },
		{ "/%20", "/%2520", "/%20" },
		{ "/a:b@c", "/a%3Ab%40c", "/a:b@c" },
		{ "/-_.~", "/-_.~", "/-_.~" },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char *general = canonical_line(t[i].sent, "", 1, false), *s3 = canonical_line(t[i].sent, "", 1, true);
		assert_string_equal(general, t[i].general);
		assert_string_equal(s3, t[i].s3);
		free(general);
		free(s3);
	}
}

static void queries(void **state)
{
	(void)state;
	static const struct {
		const char *sent, *canonical;
	} t[] = {
		{ "", "" },
		{ "a", "a=" },
		{ "a=", "a=" },
		{ "=a", "=a" },
		{ "b=1&a=2", "a=2&b=1" },
		{ "a=2&a=1&a=&a", "a=&a=&a=1&a=2" },
		{ "a=1&a=2&a=0&a=10", "a=0&a=1&a=10&a=2" },
		{ "a=b=c", "a=b%3Dc" },
		{ "a-b=1&a=2", "a=2&a-b=1" }, /* sorted by key, not as one text: '-' is less than '=' */
		{ "a%2F=1&a=1", "a=1&a%2F=1" },
		{ "B=1&a=1&A=1", "A=1&B=1&a=1" },
		{ "p=%C3%A4%20b", "p=%C3%A4%20b" },
		{ "p=a/b:c", "p=a%2Fb%3Ac" },
		{ "a=1&&b=2", "=&a=1&b=2" },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char *got = canonical_line("/", t[i].sent, 2, false);
		assert_string_equal(got, t[i].canonical);
		free(got);
	}
}

static void headers_are_canonical(void **state)
{
	(void)state;
	struct sign_in in = plain_in();
	struct http_req r;
	struct buf names;
	buf_init(&names, 4096);
	http_req_init(&r);
	http_req_header(&r, "X-Two", " b \t c ");
	http_req_header(&r, "x-one", "");
	http_req_header(&r, "User-Agent", "sluice");
	http_req_header(&r, "Connection", "keep-alive");
	http_req_header(&r, "Expect", "");
	http_req_header(&r, "X-Amzn-Trace-Id", "Root=1");
	http_req_header(&r, "x-TWO", "a");
	http_req_header(&r, "X-Tw", "z");
	char *got = canonical_of(&in, &r, &names);
	assert_string_equal(got, "POST\n/\n\nhost:sqs.eu-west-1.amazonaws.com\nx-one:\nx-tw:z\nx-two:b c,a\n\n"
	                         "host;x-one;x-tw;x-two\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(names.p, "host;x-one;x-tw;x-two");
	free(got);
	buf_clear(&names);
	http_req_clear(&r);
}

static void unsigned_payload_is_taken_as_given(void **state)
{
	(void)state;
	struct sign_in in = plain_in();
	struct http_req r;
	struct buf names;
	buf_init(&names, 4096);
	http_req_init(&r);
	buf_adds(&r.body, "not hashed");
	http_req_header(&r, "X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD");
	char *got = canonical_of(&in, &r, &names);
	assert_string_equal(strrchr(got, '\n') + 1, "UNSIGNED-PAYLOAD");
	free(got);
	buf_clear(&names);
	http_req_clear(&r);
}

/* ---- the key cache, repetition and refusals */

static void signature_of(const struct sign_in *in, char hex[2 * HASH_SHA256 + 1])
{
	sign_signature(in, SPAN("text"), hex);
}

static void each_part_of_the_key_counts(void **state)
{
	(void)state;
	struct sign_in in[6];
	char hex[6][2 * HASH_SHA256 + 1], again[2 * HASH_SHA256 + 1];
	for (unsigned i = 0; i < 6; i++)
		in[i] = plain_in();
	in[1].keys.secret_key = "another";
	in[2].now += 86400;
	in[3].region = "eu-west-2";
	in[4].service = "sns";
	in[5].region = "eu-west-"; /* "eu-west-" + "1sqs" must not be "eu-west-1" + "sqs" */
	in[5].service = "1sqs";
	sign_forget();
	for (unsigned i = 0; i < 6; i++)
		signature_of(&in[i], hex[i]);
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(hex[i], hex[k]);
		signature_of(&in[i], again); /* from the cache */
		assert_string_equal(again, hex[i]);
	}
	sign_forget();
	for (unsigned i = 0; i < 6; i++) {
		signature_of(&in[i], again);
		assert_string_equal(again, hex[i]);
	}
}

static void more_keys_than_the_cache_holds(void **state)
{
	(void)state;
	static char hex[100][2 * HASH_SHA256 + 1];
	char region[32], again[2 * HASH_SHA256 + 1];
	struct sign_in in = plain_in();
	in.region = region;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 100; i++) {
			snprintf(region, sizeof region, "region-%u", i);
			signature_of(&in, round ? again : hex[i]);
			if (round)
				assert_string_equal(again, hex[i]);
		}
	}
	assert_string_not_equal(hex[0], hex[1]);
}

static void long_secrets_are_signed_without_the_cache(void **state)
{
	(void)state;
	char secret[2000], a[2 * HASH_SHA256 + 1], b[2 * HASH_SHA256 + 1];
	struct sign_in in = plain_in();
	memset(secret, 'x', sizeof secret);
	secret[sizeof secret - 1] = '\0';
	in.keys.secret_key = secret;
	signature_of(&in, a);
	signature_of(&in, b);
	assert_string_equal(a, b);
	secret[1500] = 'y';
	signature_of(&in, b);
	assert_string_not_equal(a, b);
}

static void signing_again_replaces(void **state)
{
	(void)state;
	struct sign_in in = plain_in();
	struct http_req r;
	struct err e = { 0 };
	in.keys.session_token = "first";
	http_req_init(&r);
	buf_adds(&r.path, "/");
	http_req_header(&r, "x-amz-target", "AmazonSQS.ListQueues");
	assert_true(sign_request(&in, &r, &e));
	char *first = strdup(header(&r, "authorization"));
	unsigned n = r.nheaders;
	in.now += 60;
	in.keys.session_token = "second";
	assert_true(sign_request(&in, &r, &e));
	assert_int_equal(r.nheaders, n);
	assert_string_equal(header(&r, "x-amz-security-token"), "second");
	assert_string_equal(header(&r, "X-AMZ-DATE"), "20260102T030505Z");
	assert_string_not_equal(header(&r, "authorization"), first);
	in.now -= 60;
	in.keys.session_token = "first";
	assert_true(sign_request(&in, &r, &e));
	assert_string_equal(header(&r, "authorization"), first);
	in.keys.session_token = "";
	assert_true(sign_request(&in, &r, &e));
	assert_null(header(&r, "x-amz-security-token"));
	free(first);
	http_req_clear(&r);
}

static enum err_code refusal(struct sign_in in)
{
	struct http_req r;
	struct err e = { 0 };
	http_req_init(&r);
	assert_false(sign_request(&in, &r, &e));
	assert_int_equal(r.nheaders, 0);
	assert_null(strstr(e.text, SECRET));
	http_req_clear(&r);
	return e.code;
}

static void refusals(void **state)
{
	(void)state;
	struct sign_in in = plain_in();
	in.keys.access_key = NULL;
	assert_int_equal(refusal(in), ERR_NOCRED);
	in.keys.access_key = "";
	assert_int_equal(refusal(in), ERR_NOCRED);
	in = plain_in();
	in.keys.secret_key = NULL;
	assert_int_equal(refusal(in), ERR_NOCRED);
	in = plain_in();
	in.keys.session_token = "token\r\nX-Evil: 1";
	assert_int_equal(refusal(in), ERR_AUTH);
	in = plain_in();
	in.keys.access_key = KEY_ID "\n";
	assert_int_equal(refusal(in), ERR_AUTH);
	in = plain_in();
	in.region = "eu west";
	assert_int_equal(refusal(in), ERR_CONF);
	in = plain_in();
	in.host = "h\nx";
	assert_int_equal(refusal(in), ERR_CONF);
}

static void too_many_headers(void **state)
{
	(void)state;
	struct sign_in in = plain_in();
	struct http_req r;
	struct err e = { 0 };
	http_req_init(&r);
	for (unsigned i = 0; i < 62; i++) /* with host and x-amz-date: 64 */
		http_req_header(&r, "x-n", "v");
	assert_true(sign_request(&in, &r, &e));
	http_req_header(&r, "x-n", "v");
	assert_false(sign_request(&in, &r, &e));
	assert_int_equal(e.code, ERR_LIMIT);
	http_req_clear(&r);
}

static void response_headers(void **state)
{
	(void)state;
	char name[] = "x-amzn-RequestId", value[] = "id", other[] = "other";
	struct http_header h[] = { { name, value }, { name, other } };
	struct http_res r = { .headers = h, .nheaders = 2 };
	assert_ptr_equal(http_res_header(&r, "X-Amzn-Requestid"), value);
	assert_null(http_res_header(&r, "x-amzn-RequestI"));
	assert_null(http_res_header(&r, "x-amzn-RequestIdx"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_suite),
		cmocka_unit_test(golden_requests),
		cmocka_unit_test(paths),
		cmocka_unit_test(queries),
		cmocka_unit_test(headers_are_canonical),
		cmocka_unit_test(unsigned_payload_is_taken_as_given),
		cmocka_unit_test(each_part_of_the_key_counts),
		cmocka_unit_test(more_keys_than_the_cache_holds),
		cmocka_unit_test(long_secrets_are_signed_without_the_cache),
		cmocka_unit_test(signing_again_replaces),
		cmocka_unit_test(refusals),
		cmocka_unit_test(too_many_headers),
		cmocka_unit_test(response_headers),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
