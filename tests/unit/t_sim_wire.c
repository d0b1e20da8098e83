/* The embedded AWS's wires: forms, answers, compressed bodies, and whole requests as far as the socket. */
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"
#include "sim/motion.h"
#include "sim/scenario.h"
#include "sim/sim_form.h"
#include "sim/sim_gzip.h"
#include "sim/sim_reply.h"
#include "sim/sim_wire.h"
#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* ---- gzip */

#define WORDS                                                                                                          \
	"queue582 lambda261 lambda507 value483 metric807 stream96 value29 metric443 orders712 value272 stream"             \
	"605 lambda923 alarm31 orders26 orders961 metric702 stream992 metric743 orders540 stream782 value961 "             \
	"value566 stream353 stream693 stream779 value975 shard948 orders426 lambda190 shard123 alarm917 metri"             \
	"c519 stream310 shard601 value866 metric603 orders491 stream761 metric424 queue375 alarm88 value679 l"             \
	"ambda797 queue533 metric379 value750 orders480 orders315 metric662 queue172 stream12 stream552 strea"             \
	"m414 alarm975 alarm470 shard675 orders392 queue531 stream436 orders492"

static const char dynamic[] =
    "\037\213\010\000\000\000\000\000\002\003\075\120\133\156\303\060\014\273\212\217\140\275\054\353\070\336\142"
    "\240\003\022\014\165\232\235\177\156\055\345\217\020\051\222\322\363\352\127\227\212\151\157\307\327\326\260"
    "\200\043\311\232\376\332\176\165\256\224\216\376\032\077\337\165\216\316\327\350\355\260\262\070\064\247\230"
    "\051\375\216\255\217\123\001\235\123\164\165\311\342\246\206\224\332\336\306\101\340\162\054\016\154\046\057"
    "\057\315\261\150\206\061\273\375\205\263\263\132\075\351\275\372\001\122\212\163\044\024\341\026\110\325\134"
    "\257\222\316\107\033\233\161\165\127\236\075\126\105\260\274\110\210\256\006\352\055\004\054\374\301\125\045"
    "\173\166\235\331\113\125\162\164\145\203\310\276\257\143\344\364\174\077\235\146\213\217\177\255\313\241\314"
    "\176\253\203\232\056\215\120\374\236\242\274\112\016\367\032\210\100\042\273\340\332\204\373\373\020\100\044"
    "\020\003\373\151\321\201\065\356\231\023\067\065\214\022\161\005\123\271\057\303\177\107\371\357\021\072\002"
    "\000\000";
static const char fixed[] =
    "\037\213\010\000\000\000\000\000\002\003\113\114\112\116\034\010\004\000\002\360\256\234\170\000\000\000";
static const char stored[] =
    "\037\213\010\000\000\000\000\000\004\003\001\005\000\372\377\160\154\141\151\156\317\142\040\031\005\000\000"
    "\000";

static void unzips(struct span in, const char *wanted)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	assert_true(sim_gunzip(in, &out));
	assert_int_equal(out.n, strlen(wanted));
	assert_memory_equal(out.p, wanted, out.n);
	buf_clear(&out);
}

static void gunzip(void **state)
{
	(void)state;
	char abc[121] = "";
	for (unsigned i = 0; i < 120; i++)
		abc[i] = "abc"[i % 3];
	unzips(SPAN(dynamic), WORDS);
	unzips(SPAN(fixed), abc);
	unzips(SPAN(stored), "plain");
}

/* Cut anywhere, or with one byte changed: never more than a refusal. A change in the header's time, flags or name may pass. */
static void damaged_gzip(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 4096);
	char copy[sizeof dynamic - 1];
	for (size_t n = 0; n < sizeof copy; n++) {
		assert_false(sim_gunzip((struct span){ dynamic, n }, &out));
		buf_reset(&out);
	}
	for (size_t i = 10; i < sizeof copy; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, dynamic, sizeof copy);
			copy[i] = (char)(copy[i] ^ 1 << bit);
			bool same = sim_gunzip((struct span){ copy, sizeof copy }, &out) && strcmp(out.p, WORDS) == 0;
			buf_reset(&out);
			assert_false(sim_gunzip((struct span){ copy, sizeof copy }, &out) && !same);
			buf_reset(&out);
		}
	buf_clear(&out);
	buf_init(&out, 100); /* a bomb ends at the cap */
	assert_false(sim_gunzip(SPAN(dynamic), &out));
	assert_true(out.n <= 100);
	buf_clear(&out);
}

/* ---- forms */

static void form_is(const char *form, const struct sim_rename *r, unsigned n, const char *json)
{
	struct buf out;
	buf_init(&out, 65536);
	assert_true(form_to_json(span_of(form), r, n, &out));
	assert_string_equal(out.p, json);
	buf_clear(&out);
}

static void forms(void **state)
{
	(void)state;
	static const struct sim_rename r[] = { { "Attribute", "Attributes", true },
		                                   { "AttributeName", "AttributeNames", false } };
	form_is("", NULL, 0, "{}");
	form_is("Action=X&Version=1&&a", NULL, 0, "{\"Action\":\"X\",\"Version\":\"1\",\"a\":\"\"}");
	form_is("a=1+2%2B%26%3d%C3%A4%zz", NULL, 0, "{\"a\":\"1 2+&=\xc3\xa4%zz\"}");
	form_is("N.member.1=a&N.member.2=b", NULL, 0, "{\"N\":[\"a\",\"b\"]}");
	form_is("D.member.1.Name=n&D.member.1.V.X=1&D.member.2.Name=m", NULL, 0,
	        "{\"D\":[{\"Name\":\"n\",\"V\":{\"X\":\"1\"}},{\"Name\":\"m\"}]}");
	form_is("AttributeName.1=All&Attribute.1.Name=Delay&Attribute.1.Value=3&Attribute.2.Name=P&Attribute.2.Value=", r,
	        2, "{\"AttributeNames\":[\"All\"],\"Attributes\":{\"Delay\":\"3\",\"P\":\"\"}}");
	form_is("AttributeName=single", r, 2, "{\"AttributeName\":\"single\"}");
}

static void absurd_forms(void **state)
{
	(void)state;
	struct buf out;
	char deep[400] = "a";
	for (unsigned i = 0; i < 150; i++)
		strncat(deep, ".a", 3);
	buf_init(&out, 65536);
	assert_false(form_to_json(span_of(deep), NULL, 0, &out));
	buf_reset(&out);
	assert_true(form_to_json(SPAN("a%00b=%00"), NULL, 0, &out));
	assert_string_equal(out.p, "{\"a\xef\xbf\xbd"
	                           "b\":\"\xef\xbf\xbd\"}");
	buf_clear(&out);
}

/* ---- answers */

static void sample(struct wr *o)
{
	wr_object(o, "Root");
	wr_str(o, "Name", "a<b>&\"c\"");
	wr_str(o, "Absent", NULL);
	wr_list(o, "Names", "Name");
	wr_str(o, NULL, "x");
	wr_str(o, NULL, "y");
	wr_list_end(o);
	wr_list(o, "Things", "Thing");
	wr_object(o, NULL);
	wr_int(o, "N", -3);
	wr_bool(o, "B", true);
	wr_object_end(o);
	wr_list_end(o);
	wr_map(o, "Attributes", "Attribute");
	wr_map_str(o, "k", "v");
	wr_map_object(o, "o");
	wr_num(o, "F", 0.1);
	wr_map_object_end(o);
	wr_map_end(o);
	wr_time(o, "T", 1767323045123);
	wr_object_end(o);
}

static void answer_is(enum wr_form form, const char *wanted)
{
	struct buf b;
	struct wr o;
	buf_init(&b, 65536);
	wr_init(&o, form, &b);
	if (form == WR_JSON)
		wr_object(&o, NULL);
	sample(&o);
	if (form == WR_JSON)
		wr_object_end(&o);
	assert_true(wr_ok(&o));
	assert_string_equal(b.p, wanted);
	buf_clear(&b);
}

static void answers(void **state)
{
	(void)state;
	answer_is(WR_JSON,
	          "{\"Root\":{\"Name\":\"a<b>&\\\"c\\\"\",\"Names\":[\"x\",\"y\"],\"Things\":[{\"N\":-3,\"B\":true}],"
	          "\"Attributes\":{\"k\":\"v\",\"o\":{\"F\":0.1}},\"T\":1767323045.123}}");
	answer_is(WR_XML_FLAT,
	          "<Root><Name>a&lt;b&gt;&amp;\"c\"</Name><Name>x</Name><Name>y</Name><Thing><N>-3</N><B>true</B></Thing>"
	          "<Attribute><Name>k</Name><Value>v</Value></Attribute>"
	          "<Attribute><Name>o</Name><Value><F>0.1</F></Value></Attribute><T>2026-01-02T03:04:05.123Z</T></Root>");
}

static void standard_xml(void **state)
{
	(void)state;
	struct buf b;
	struct wr o;
	buf_init(&b, 65536);
	wr_init(&o, WR_XML, &b);
	wr_list(&o, "Names", NULL);
	wr_str(&o, NULL, "x\r\x01");
	wr_list_end(&o);
	wr_times(&o, "Timestamps", (int64_t[]){ 1767323040 }, 1);
	wr_nums(&o, "Values", (double[]){ 1.5, -2 }, 2);
	wr_list(&o, "Empty", NULL);
	wr_list_end(&o);
	assert_string_equal(
	    b.p, "<Names><member>x&#13;?</member></Names><Timestamps><member>2026-01-02T03:04:00Z</member></Timestamps>"
	         "<Values><member>1.5</member><member>-2</member></Values><Empty></Empty>");
	buf_clear(&b);
}

/* Every double written in bulk reads back as itself. */
static void bulk_numbers(void **state)
{
	(void)state;
	double v[4000];
	unsigned n = 0;
	static const double some[] = { 0,
		                           -0.0,
		                           1,
		                           -1,
		                           0.1,
		                           0.05,
		                           0.000001,
		                           0.0000001,
		                           123456.789,
		                           999999999.999999,
		                           1e9,
		                           1e15,
		                           9007199254740992,
		                           1e300,
		                           5e-324,
		                           1.0 / 3,
		                           -2.5,
		                           0.30000000000000004,
		                           1234567.000001,
		                           7.8,
		                           100,
		                           4.35 };
	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		v[n++] = some[i];
	uint64_t x = 88172645463325252;
	while (n < sizeof v / sizeof *v) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		double d;
		memcpy(&d, &x, sizeof d);
		v[n] = n % 2 ? (double)(x % 100000000) / (double)(1 + x % 1000) : isfinite(d) ? d : 0;
		n++;
	}
	struct buf b;
	struct wr o;
	struct err e;
	buf_init(&b, 1 << 20);
	wr_init(&o, WR_JSON, &b);
	wr_object(&o, NULL);
	wr_nums(&o, "V", v, n);
	wr_times(&o, "T", (int64_t[]){ 1, -60, 1767323040 }, 3);
	wr_object_end(&o);
	struct json *root = json_parse(buf_span(&b), &e);
	assert_non_null(root);
	unsigned i = 0;
	for (const struct json *m = json_first(json_get(root, "V")); m; m = json_next(m), i++) {
		double back;
		assert_true(json_num(m, &back));
		if (back != v[i])
			fail_msg("%.17g came back as %.17g", v[i], back);
	}
	assert_int_equal(i, n);
	assert_non_null(strstr(b.p, "\"T\":[1,-60,1767323040]}"));
	json_free(root);
	buf_clear(&b);
}

/* ---- whole requests */

#define AKID "AKIDEXAMPLE"
static const struct sim_key key = { AKID, "secret", "eu-west-1", NULL };
static struct world *world;

struct ask {
	const char *service, *target, *type, *method, *path, *query, *encoding;
	struct span body;
	bool wrong;
};

static char auth[1024], when[17];
static struct sim_answer answer;

static void sign(struct sim_req *rq, const struct ask *a)
{
	const char *names = a->target ? "host;x-amz-date;x-amz-target" : "host;x-amz-date";
	struct sim_sign s = { .signed_headers = span_of(names) };
	struct buf canonical, to_sign;
	char payload[65], signature[65];
	uint8_t digest[HASH_SHA256];
	snprintf(s.date, sizeof s.date, "%s", when);
	snprintf(s.day, sizeof s.day, "%.8s", when);
	snprintf(s.region, sizeof s.region, "eu-west-1");
	snprintf(s.service, sizeof s.service, "%s", a->service);
	hash_sha256(rq->body.p, rq->body.n, digest);
	hash_hex(digest, sizeof digest, payload);
	buf_init(&canonical, 65536);
	buf_init(&to_sign, 4096);
	assert_true(sim_sign_canonical(rq, &s, payload, &canonical));
	sim_sign_string_to_sign(&s, buf_span(&canonical), &to_sign);
	sim_sign_signature(&s, a->wrong ? "wrong" : key.secret, buf_span(&to_sign), signature);
	snprintf(auth, sizeof auth,
	         "AWS4-HMAC-SHA256 Credential=" AKID "/%s/eu-west-1/%s/aws4_request, SignedHeaders=%s, Signature=%s", s.day,
	         s.service, names, signature);
	buf_clear(&canonical);
	buf_clear(&to_sign);
}

static void add(struct sim_req *rq, const char *name, const char *value)
{
	if (value)
		rq->header[rq->nheader++] = (struct sim_header){ name, value };
}

static int ask(const struct ask *a)
{
	struct sim_req rq = { .method = a->method ? a->method : "POST",
		                  .path = a->path ? a->path : "/",
		                  .query = a->query ? a->query : "",
		                  .body = a->body.n ? a->body : SPAN(""),
		                  .answer = &answer };
	buf_clear(&answer.body);
	answer = (struct sim_answer){ .status = 0 };
	add(&rq, "Host", "127.0.0.1:1");
	add(&rq, "X-Amz-Date", when);
	add(&rq, "X-Amz-Target", a->target);
	sign(&rq, a);
	add(&rq, "Authorization", auth);
	add(&rq, "Content-Type", a->type);
	add(&rq, "Content-Encoding", a->encoding);
	sim_wire_serve(world, &key, &rq);
	return answer.status;
}

static const char *extra(const char *name)
{
	for (unsigned i = 0; i < answer.nextra; i++)
		if (strcmp(answer.extra[i].name, name) == 0)
			return answer.extra[i].value;
	return "";
}

static void says(const char *text)
{
	if (!answer.body.p || !strstr(answer.body.p, text))
		fail_msg("no \"%s\" in %s", text, answer.body.p ? answer.body.p : "an empty body");
}

#define JSON10 "application/x-amz-json-1.0"
#define JSON11 "application/x-amz-json-1.1"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define SQS(op, text) (&(struct ask){ .service = "sqs", .target = "AmazonSQS." op, .type = JSON10, .body = SPAN(text) })
#define KINESIS(op, text)                                                                                              \
	(&(struct ask){ .service = "kinesis", .target = "Kinesis_20131202." op, .type = JSON11, .body = SPAN(text) })
#define CLOUDWATCH(op, text)                                                                                           \
	(&(struct ask){                                                                                                    \
	    .service = "monitoring", .target = "GraniteServiceVersion20100801." op, .type = JSON10, .body = SPAN(text) })
#define QUERY(name, text) (&(struct ask){ .service = (name), .type = FORM, .body = SPAN(text) })
#define LAMBDA(verb, where, text)                                                                                      \
	(&(struct ask){ .service = "lambda", .method = (verb), .path = (where), .body = SPAN(text) })

static int begin(void **state)
{
	(void)state;
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	world = motion_start(scenario_find("calm"), "eu-west-1", 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_clear(&answer.body);
	motion_end(world);
	return 0;
}

static void one_operation_three_wires(void **state)
{
	(void)state;
	assert_int_equal(ask(SQS("CreateQueue", "{\"QueueName\":\"w\",\"Attributes\":{\"DelaySeconds\":\"7\"}}")), 200);
	says("{\"QueueUrl\":\"http://127.0.0.1:1/123456789012/w\"}");
	assert_string_equal(answer.type, JSON10);
	assert_int_equal(ask(QUERY("sqs", "Action=GetQueueAttributes&Version=2012-11-05&AttributeName.1=DelaySeconds"
	                                  "&QueueUrl=http%3A%2F%2Fnowhere%2F123456789012%2Fw")),
	                 200);
	says("<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>7</Value></Attribute></"
	     "GetQueueAttributesResult>");
	assert_string_equal(answer.type, "text/xml");
	assert_int_equal(ask(QUERY("sts", "Action=GetCallerIdentity&Version=2011-06-15")), 200);
	says("<Account>123456789012</Account>");
	assert_int_equal(ask(LAMBDA("GET", "/2015-03-31/functions/orders-enrich/configuration", "")), 200);
	says("\"FunctionName\":\"orders-enrich\"");
	assert_int_equal(
	    ask(LAMBDA("GET",
	               "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aorders-enrich",
	               "")),
	    200);
	says("\"Configuration\":{\"FunctionName\":\"orders-enrich\"");
	assert_int_equal(ask(&(struct ask){ .service = "sqs",
	                                    .type = FORM,
	                                    .path = "/123456789012/w",
	                                    .body = SPAN("Action=DeleteQueue&Version=2012-11-05") }),
	                 200);
	assert_null(world_queue(world, "w"));
}

static void failures_in_each_envelope(void **state)
{
	(void)state;
	assert_int_equal(ask(SQS("GetQueueUrl", "{\"QueueName\":\"none\"}")), 400);
	says("{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"The specified queue does not exist.\"}");
	assert_string_equal(extra("x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender");
	assert_int_equal(ask(QUERY("sqs", "Action=GetQueueUrl&Version=2012-11-05&QueueName=none")), 400);
	says("<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>");
	assert_int_equal(ask(KINESIS("DescribeStreamSummary", "{\"StreamName\":\"none\"}")), 400);
	says(
	    "{\"__type\":\"ResourceNotFoundException\",\"message\":\"Stream none under account 123456789012 not found.\"}");
	assert_int_equal(ask(LAMBDA("GET", "/2015-03-31/functions/none", "")), 404);
	assert_string_equal(extra("x-amzn-ErrorType"), "ResourceNotFoundException");
	says("\"Type\":\"User\",\"Message\":\"Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none\"");
}

static void malformed_requests(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{", "[]", "\"x\"", "{\"a\":1,\"a\":2}", "{\"QueueName\":5}", "{} x", "{\"a\":\"\\u0000\"}", "nul"
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ask a = *SQS("CreateQueue", "");
		a.body = span_of(bad[i]);
		assert_int_equal(ask(&a), 400);
		says("#SerializationException");
	}
	assert_int_equal(ask(SQS("NoSuchThing", "{}")), 400);
	says("UnknownOperationException");
	assert_int_equal(ask(&(struct ask){ .service = "sqs", .target = "Kinesis_20131202.ListStreams", .type = JSON11 }),
	                 400);
	says("UnknownOperationException");
	assert_int_equal(ask(QUERY("sts", "Action=Nothing&Version=2011-06-15")), 400);
	says("<Code>InvalidAction</Code>");
	assert_int_equal(ask(QUERY("sts", "Action=GetCallerIdentity&Version=2001-01-01")), 400);
	says("<Code>InvalidAction</Code>");
	assert_int_equal(ask(QUERY("ec2", "Action=X&Version=1")), 400);
	says("not simulated");
	assert_int_equal(ask(LAMBDA("DELETE", "/2015-03-31/functions/x", "")), 400);
	assert_string_equal(extra("x-amzn-ErrorType"), "UnknownOperationException");
	assert_int_equal(ask(LAMBDA("POST", "/2015-03-31/functions", "{]")), 400);
	assert_string_equal(extra("x-amzn-ErrorType"), "SerializationException");
}

static void typed_as_aws_types(void **state)
{
	(void)state;
	assert_int_equal(ask(SQS("ListQueues", "{\"MaxResults\":\"5\"}")), 400);
	says("SerializationException");
	assert_int_equal(ask(SQS("ListQueues", "{\"MaxResults\":5.5}")), 400);
	assert_int_equal(ask(SQS("ListQueues", "{\"MaxResults\":null,\"QueueNamePrefix\":null}")), 200);
	assert_int_equal(ask(SQS("ListQueues", "{\"MaxResults\":0}")), 400);
	says("InvalidParameterValue");
	assert_int_equal(ask(QUERY("sqs", "Action=ListQueues&Version=2012-11-05&MaxResults=2")), 200);
	says("<NextToken>");
	assert_int_equal(ask(SQS("ListQueues", "{\"MaxResults\":1,\"NextToken\":\"bm9uc2Vuc2U=\"}")), 400);
	says("InvalidNextToken");
	assert_int_equal(ask(CLOUDWATCH("ListMetrics", "{\"Dimensions\":{}}")), 400);
	says("SerializationException");
	assert_int_equal(ask(QUERY("monitoring", "Action=ListMetrics&Version=2010-08-01&Dimensions=")), 200);
}

static void unsigned_and_wrongly_signed(void **state)
{
	(void)state;
	struct ask a = *SQS("ListQueues", "{}");
	a.wrong = true;
	assert_int_equal(ask(&a), 403);
	says("com.amazon.coral.service#InvalidSignatureException");
	assert_string_equal(extra("x-amzn-query-error"), "SignatureDoesNotMatch;Sender");
	a = *QUERY("sts", "Action=GetCallerIdentity&Version=2011-06-15");
	a.wrong = true;
	assert_int_equal(ask(&a), 403);
	says("<Code>SignatureDoesNotMatch</Code>");
	a = *LAMBDA("GET", "/2015-03-31/functions", "");
	a.wrong = true;
	assert_int_equal(ask(&a), 403);
	assert_string_equal(extra("x-amzn-ErrorType"), "InvalidSignatureException");
}

static void compressed_bodies(void **state)
{
	(void)state;
	struct ask a = *SQS("ListQueues", "");
	a.encoding = "gzip";
	a.body = SPAN(stored); /* "plain": no JSON */
	assert_int_equal(ask(&a), 400);
	says("SerializationException");
	a.body = SPAN("not gzip");
	assert_int_equal(ask(&a), 400);
	says("the gzip body is damaged");
	a.encoding = "br";
	assert_int_equal(ask(&a), 400);
	says("Content-Encoding br is not accepted");
}

static void faults(void **state)
{
	(void)state;
	assert_true(fault_switch(&world->faults, "kinesis:ListStreams=denied", NULL));
	assert_int_equal(ask(KINESIS("ListStreams", "{}")), 400);
	says("\"__type\":\"AccessDeniedException\",\"Message\":\"User: arn:aws:iam::123456789012:user/sluice is not "
	     "authorized to "
	     "perform: kinesis:ListStreams on resource: arn:aws:kinesis:eu-west-1:123456789012:*");
	assert_int_equal(ask(KINESIS("DescribeStreamSummary", "{\"StreamName\":\"orders-ingest\"}")), 200);
	fault_clear(&world->faults);
	assert_true(fault_switch(&world->faults, "cloudwatch:ListMetrics=throttle", NULL));
	assert_int_equal(ask(CLOUDWATCH("ListMetrics", "{}")), 400);
	says("#ThrottlingException\",\"message\":\"Rate exceeded\"");
	assert_string_equal(extra("x-amzn-query-error"), "Throttling;Sender");
	assert_int_equal(world->faults.on[0].hits, 1);
	fault_clear(&world->faults);
	assert_true(fault_switch(&world->faults, "cloudwatch:*=denied", NULL));
	assert_int_equal(ask(QUERY("monitoring", "Action=ListMetrics&Version=2010-08-01")), 403);
	says("<Code>AccessDenied</Code>");
	says("perform: cloudwatch:ListMetrics");
	fault_clear(&world->faults);
}

/* What an operation does is what its name says. */
static void effects(void **state)
{
	(void)state;
	unsigned n;
	const struct sim_service *const *s = sim_services(&n);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < s[i]->nops; k++) {
			const char *name = s[i]->ops[k].name;
			static const char *const begins[] = { "Get", "Head", "List", "Describe", "Lookup", "Filter" };
			bool reads = false;
			for (size_t b = 0; b < sizeof begins / sizeof *begins; b++)
				reads = reads || strncmp(name, begins[b], strlen(begins[b])) == 0;
			if ((s[i]->ops[k].effect == SIM_READ) != reads)
				fail_msg("%s", name);
			assert_non_null(s[i]->ops[k].handle);
			assert_true((s[i]->ops[k].path != NULL) ==
			            (strcmp(s[i]->name, "lambda") == 0 || s[i]->fail || s[i]->objects));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gunzip),
		cmocka_unit_test(damaged_gzip),
		cmocka_unit_test(forms),
		cmocka_unit_test(absurd_forms),
		cmocka_unit_test(answers),
		cmocka_unit_test(standard_xml),
		cmocka_unit_test(bulk_numbers),
		cmocka_unit_test(one_operation_three_wires),
		cmocka_unit_test(failures_in_each_envelope),
		cmocka_unit_test(malformed_requests),
		cmocka_unit_test(typed_as_aws_types),
		cmocka_unit_test(unsigned_and_wrongly_signed),
		cmocka_unit_test(compressed_bodies),
		cmocka_unit_test(faults),
		cmocka_unit_test(effects),
	};
	return clock_init() && hash_init() ? cmocka_run_group_tests(tests, begin, end) : 1;
}
