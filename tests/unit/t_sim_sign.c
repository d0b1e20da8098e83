/* The service's side of SigV4 against requests that botocore signed, and against everything it must refuse. */
#include "core/clock.h"
#include "core/hash.h"
#include "sim/sim_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define AKID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define JSON10 "application/x-amz-json-1.0"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define NOW 1767323045 /* 2026-01-02T03:04:05Z */

struct golden {
	const char *name, *method, *host, *path, *query, *service, *body, *signed_headers, *signature;
	const char *canonical; /* SHA-256 of the canonical request, where it is known */
	struct sim_header more[4];
};

#define METRICS                                                                                                        \
	"{\"MetricDataQueries\": [{\"Id\": \"m1\", \"MetricStat\": {\"Metric\": {\"Namespace\": \"AWS/SQS\", "             \
	"\"MetricName\": "                                                                                                 \
	"\"NumberOfMessagesSent\", \"Dimensions\": [{\"Name\": \"QueueName\", \"Value\": \"orders\"}]}, \"Period\": 60, "  \
	"\"Stat\": \"Sum\"}}], \"StartTime\": 1767322800, \"EndTime\": 1767323100}"
#define RECEIVE                                                                                                        \
	"{\"QueueUrl\": \"https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dlq\", \"MaxNumberOfMessages\": 10, "    \
	"\"MessageSystemAttributeNames\": [\"All\"], \"MessageAttributeNames\": [\"All\"]}"
#define PUBLISH                                                                                                        \
	"Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aops&Message=a+b%26c%3D%"  \
	"C3%A4"                                                                                                            \
	"&Subject=x&MessageAttributes.entry.1.Name=sev&MessageAttributes.entry.1.Value.DataType=String"                    \
	"&MessageAttributes.entry.1.Value.StringValue=high"
#define FUNCTION "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Amy-fn"

static const struct golden goldens[] = {
	{ "A",
	  "POST",
	  "monitoring.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  "monitoring",
	  METRICS,
	  "content-type;host;x-amz-date;x-amz-target;x-amzn-query-mode",
	  "2e474a636309e5bb2fe7d64691cfbdab4f92de4d90f28a59157817bcddfcf0d3",
	  "38bbd47e8934eae82c3302ee02d5292d4ce4f84b88cec3a15c50c0a5f479c284",
	  { { "Content-Type", JSON10 },
	    { "X-Amz-Target", "GraniteServiceVersion20100801.GetMetricData" },
	    { "x-amzn-query-mode", "true" } } },
	{ "B",
	  "POST",
	  "sqs.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  "sqs",
	  RECEIVE,
	  "content-type;host;x-amz-date;x-amz-target;x-amzn-query-mode",
	  "ed97bff79e5e5547483294d11919213d1ed70b6ebb2c5c8fa3086c59871bb787",
	  NULL,
	  { { "Content-Type", JSON10 }, { "X-Amz-Target", "AmazonSQS.ReceiveMessage" }, { "x-amzn-query-mode", "true" } } },
	{ "C",
	  "POST",
	  "sns.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  "sns",
	  PUBLISH,
	  "content-type;host;x-amz-date",
	  "760f71f76e407e6a23b9e978843b40d3685961bacf4d34452088e4c853977cc5",
	  NULL,
	  { { "Content-Type", FORM } } },
	{ "D",
	  "POST",
	  "sts.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  "sts",
	  "Action=GetCallerIdentity&Version=2011-06-15",
	  "content-type;host;x-amz-date",
	  "b87ee61678696c301b942d163db6c138bb8970c1f50b5998524a5508d8860576",
	  NULL,
	  { { "Content-Type", FORM } } },
	{ "D with a token",
	  "POST",
	  "sts.eu-west-1.amazonaws.com",
	  "/",
	  "",
	  "sts",
	  "Action=GetCallerIdentity&Version=2011-06-15",
	  "content-type;host;x-amz-date;x-amz-security-token",
	  "2ccc29ad358b10b1263a8ff1c70da14c8c8abf428fba146d6bd41c5add61b9f7",
	  NULL,
	  { { "Content-Type", FORM }, { "X-Amz-Security-Token", "TOKENEXAMPLE" } } },
	{ "E",
	  "POST",
	  "lambda.eu-west-1.amazonaws.com",
	  FUNCTION "/invocations",
	  "Qualifier=%24LATEST",
	  "lambda",
	  "{\"a\":1}",
	  "host;x-amz-date",
	  "97d95581d9c170b4ee769f902213e7ff140aa902a4aa0167cbc5db22979b6bb8",
	  NULL,
	  { { 0 } } },
	{ "F",
	  "GET",
	  "lambda.eu-west-1.amazonaws.com",
	  FUNCTION "/configuration",
	  "Qualifier=%24LATEST",
	  "lambda",
	  "",
	  "host;x-amz-date",
	  "ff3194d128970830a96266656f60e4a89eeb382ebd5504be38e82d01b7dca858",
	  "e1d4dbac15875e97d49c87a5cbd393434b4e4f992a45a03588ef5652b7b05276",
	  { { 0 } } },
	{ "G",
	  "GET",
	  "my-bucket.s3.eu-west-1.amazonaws.com",
	  "/a%20b/c%2Bd/%C3%A4~%281%29.json",
	  "",
	  "s3",
	  "",
	  "host;range;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
	  "e9bd71756f86ab8cd6b2e95e7de6d79377e80f954e69d2c64f6cf2ca67d7646f",
	  NULL,
	  { { "Range", "bytes=0-99" }, { "x-amz-checksum-mode", "ENABLED" }, { "X-Amz-Content-SHA256", EMPTY } } },
	{ "H",
	  "GET",
	  "my-bucket.s3.eu-west-1.amazonaws.com",
	  "/",
	  "list-type=2&prefix=a%20b%2Fc%2Bd%2F%C3%A4&encoding-type=url",
	  "s3",
	  "",
	  "host;x-amz-content-sha256;x-amz-date",
	  "ee60e1c054baac1325d33b4ba0b9fff9690209e5b55a906a77627a1023a5767f",
	  NULL,
	  { { "X-Amz-Content-SHA256", EMPTY } } },
	{ "I",
	  "GET",
	  "h.example.com",
	  "/a//b/./c/../d%20e",
	  "b=2&a=1&a=&c",
	  "execute-api",
	  "",
	  "host;x-amz-date;x-foo",
	  "8cfb2b225752d07335116132d01f7dbd81f45d8f50e6aae5369ffbe30f7bb1c7",
	  "8cbfdb1c61b553968c9e41ab90fe8cd84e7d65f2e866aa9295f3d501e5244c5a",
	  { { "X-Foo", "  a   b  " } } },
	{ "J",
	  "GET",
	  "my-bucket.s3.eu-west-1.amazonaws.com",
	  "/a%20b//c%2Bd/../%C3%A4~%281%29.json",
	  "",
	  "s3",
	  "",
	  "host;range;x-amz-content-sha256;x-amz-date",
	  "413796b868c8ec290f1de3ea7cce69534b3f764b1fc3d8629d8a1b616e581bd5",
	  "83e607a6657604c739840b9df901706c28641321c548e2bee856eb8ee2526f0e",
	  { { "Range", "bytes=0-99" }, { "X-Amz-Content-SHA256", EMPTY } } },
};
#define NGOLDENS (sizeof goldens / sizeof *goldens)

static char authorization[2048];

static struct sim_req request_of(const struct golden *g)
{
	struct sim_req rq = { .method = g->method, .path = g->path, .query = g->query, .body = span_of(g->body) };
	snprintf(authorization, sizeof authorization,
	         "AWS4-HMAC-SHA256 Credential=" AKID "/20260102/eu-west-1/%s/aws4_request, SignedHeaders=%s, Signature=%s",
	         g->service, g->signed_headers, g->signature);
	rq.header[rq.nheader++] = (struct sim_header){ "Host", g->host };
	rq.header[rq.nheader++] = (struct sim_header){ "X-Amz-Date", "20260102T030405Z" };
	rq.header[rq.nheader++] = (struct sim_header){ "Authorization", authorization };
	for (unsigned i = 0; i < 4 && g->more[i].name; i++)
		rq.header[rq.nheader++] = g->more[i];
	return rq;
}

static bool verify_at(const struct sim_req *rq, const struct sim_key *key, int64_t now, struct sim_fail *f)
{
	struct sim_sign s;
	return sim_sign_read(rq, &s, f) && sim_sign_verify(rq, &s, key, &now, 1, f);
}

static const struct sim_key right = { AKID, SECRET, "eu-west-1", NULL };

static void golden_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < NGOLDENS; i++) {
		const struct golden *g = &goldens[i];
		struct sim_req rq = request_of(g);
		struct sim_sign s;
		struct sim_fail f = { 0 };
		struct buf canonical, to_sign;
		uint8_t digest[HASH_SHA256];
		char payload[65], hex[65], signature[65];
		hash_sha256(g->body, strlen(g->body), digest);
		hash_hex(digest, sizeof digest, payload);
		assert_true(sim_sign_read(&rq, &s, &f));
		buf_init(&canonical, 65536);
		buf_init(&to_sign, 4096);
		assert_true(sim_sign_canonical(&rq, &s, payload, &canonical));
		hash_sha256(canonical.p, canonical.n, digest);
		hash_hex(digest, sizeof digest, hex);
		if (g->canonical && strcmp(hex, g->canonical) != 0)
			fail_msg("%s: canonical request\n%s", g->name, canonical.p);
		sim_sign_string_to_sign(&s, buf_span(&canonical), &to_sign);
		sim_sign_signature(&s, SECRET, buf_span(&to_sign), signature);
		if (strcmp(signature, g->signature) != 0)
			fail_msg("%s: signature %s\n%s", g->name, signature, canonical.p);
		buf_clear(&canonical);
		buf_clear(&to_sign);
	}
}

static void verified_as_a_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < NGOLDENS; i++) {
		struct sim_req rq = request_of(&goldens[i]);
		struct sim_fail f = { 0 };
		bool token = strstr(goldens[i].name, "token") != NULL;
		if (verify_at(&rq, &right, NOW, &f) == token) /* this account has given no tokens out */
			fail_msg("%s: %s", goldens[i].name, f.text);
	}
}

static void refuses(struct sim_req *rq, const struct sim_key *key, int64_t now, enum sim_why why, const char *says)
{
	struct sim_fail f = { 0 };
	assert_false(verify_at(rq, key, now, &f));
	assert_string_equal(sim_fail_shape(f.why), sim_fail_shape(why));
	if (!strstr(f.text, says))
		fail_msg("\"%s\" does not say \"%s\"", f.text, says);
}

static void wrong_in_some_way(void **state)
{
	(void)state;
	struct sim_req rq = request_of(&goldens[0]);
	struct sim_key key = right;
	key.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX";
	refuses(&rq, &key, NOW, WHY_BAD_SIGNATURE, "does not match");
	key = right;
	key.akid = "AKIDOTHER";
	refuses(&rq, &key, NOW, WHY_UNKNOWN_KEY, "token included in the request is invalid");
	key = right;
	key.region = "us-east-1";
	refuses(&rq, &key, NOW, WHY_BAD_SIGNATURE, "scoped to a valid region");
	rq.body.n--;
	refuses(&rq, &right, NOW, WHY_BAD_SIGNATURE, "does not match");
	rq = request_of(&goldens[0]);
	rq.method = "PUT";
	refuses(&rq, &right, NOW, WHY_BAD_SIGNATURE, "does not match");
	rq = request_of(&goldens[0]);
	rq.query = "x=1";
	refuses(&rq, &right, NOW, WHY_BAD_SIGNATURE, "does not match");
	rq = request_of(&goldens[0]);
	rq.header[0].value = "evil.example";
	refuses(&rq, &right, NOW, WHY_BAD_SIGNATURE, "does not match");
	rq = request_of(&goldens[0]);
	rq.header[rq.nheader++] = (struct sim_header){ "x-amz-added", "1" };
	refuses(&rq, &right, NOW, WHY_BAD_SIGNATURE, "not signed: x-amz-added");
}

static void skew(void **state)
{
	(void)state;
	struct sim_req rq = request_of(&goldens[3]);
	struct sim_fail f = { 0 };
	struct sim_sign s;
	assert_true(verify_at(&rq, &right, NOW + 300, &f));
	assert_true(verify_at(&rq, &right, NOW - 300, &f));
	refuses(&rq, &right, NOW + 301, WHY_OUT_OF_TIME,
	        "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)");
	refuses(&rq, &right, NOW - 301, WHY_OUT_OF_TIME, "Signature not yet current: 20260102T030405Z");
	assert_true(sim_sign_read(&rq, &s, &f)); /* either clock will do */
	assert_true(sim_sign_verify(&rq, &s, &right, (int64_t[]){ NOW - 100000, NOW }, 2, &f));
	rq.header[1].value = "20260103T030405Z"; /* another day than the scope's */
	refuses(&rq, &right, NOW + 86400, WHY_BAD_SIGNATURE, "Credential scope");
}

static void malformed(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		enum sim_why why;
	} bad[] = {
		{ NULL, WHY_MISSING_TOKEN },
		{ "", WHY_INCOMPLETE_SIGNATURE },
		{ "Basic QUFBOkJCQg==", WHY_INCOMPLETE_SIGNATURE },
		{ "AWS4-HMAC-SHA256 ", WHY_INCOMPLETE_SIGNATURE },
		{ "AWS4-HMAC-SHA256 Credential=A/B/C, SignedHeaders=host, Signature=0", WHY_INCOMPLETE_SIGNATURE },
		{ "AWS4-HMAC-SHA256 Credential=A/20260102/r/s/aws4_request, SignedHeaders=, Signature=" EMPTY,
		  WHY_INCOMPLETE_SIGNATURE },
		{ "AWS4-HMAC-SHA256 Credential=A/20260102/r/s/aws4_request, SignedHeaders=host, Signature=12",
		  WHY_INCOMPLETE_SIGNATURE },
		{ "AWS4-HMAC-SHA256 Credential=" AKID
		  "/20260102/eu-west-1/sts/aws4_request, SignedHeaders=host;absent, Signature=" EMPTY,
		  WHY_BAD_SIGNATURE },
		{ "AWS4-HMAC-SHA256 Credential=" AKID
		  "/20260102/eu-west-1/sts/aws4_request, SignedHeaders=x-amz-date, Signature=" EMPTY,
		  WHY_BAD_SIGNATURE },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sim_req rq = request_of(&goldens[3]);
		struct sim_fail f = { 0 };
		rq.header[2] =
		    (struct sim_header){ bad[i].value ? "Authorization" : "x-other", bad[i].value ? bad[i].value : "" };
		assert_false(verify_at(&rq, &right, NOW, &f));
		assert_int_equal(f.why, bad[i].why);
	}
	struct sim_req rq = request_of(&goldens[3]);
	rq.header[1].name = "Date";
	refuses(&rq, &right, NOW, WHY_INCOMPLETE_SIGNATURE, "X-Amz-Date");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_requests),   cmocka_unit_test(verified_as_a_whole),
		cmocka_unit_test(wrong_in_some_way), cmocka_unit_test(skew),
		cmocka_unit_test(malformed),
	};
	return clock_init() && hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
