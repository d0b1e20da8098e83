/* Classification of every kind of refusal, and the calls' way through gates, retries and pages. */
#include "aws/call.h"
#include "aws/gate.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "tests/unit/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

/* ---- operations of the tests' own */

struct echo_in {
	struct page page;
	bool refuse;
};
struct echo_out {
	struct page page;
	unsigned pages;
	char last[64];
};

static bool echo_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct echo_in *q = in;
	if (q->refuse)
		return err_set(e, ERR_CONF, "x", "not like this");
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "NextToken", q->page.token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool echo_read(const struct http_res *rs, void *out, struct err *e)
{
	struct echo_out *o = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const char *name = json_get_str(doc, "Name");
	snprintf(o->last, sizeof o->last, "%s", name ? name : "");
	o->pages++;
	wire_token(&o->page, json_get_str(doc, "NextToken"));
	json_free(doc);
	return true;
}

static const struct service service_test = {
	.id = "test", .host = "test", .signing = "test", .env = "TEST", .target = "T", .wire = WIRE_JSON10
};
#define ECHO(name_, ...)                                                                                               \
	{                                                                                                                  \
		.service = &service_test, .name = name_, .iam = "test:" name_, .effect = OP_READ, .build = echo_build,         \
		.read = echo_read, __VA_ARGS__                                                                                 \
	}
static const struct op op_echo = ECHO("Echo", .idempotent = true, .paged = true);
static const struct op op_other = ECHO("Other", .idempotent = true, .paged = true);
static const struct op op_third = ECHO("Third", .idempotent = true, .paged = true);
static const struct op op_write = ECHO("Write", .idempotent = false, .paged = true);
static const struct op op_slow = ECHO("Slow", .idempotent = true, .paged = true, .rate = 2);
static const struct op op_many = ECHO("Many", .idempotent = true, .paged = true, .rate = 1000);

/* ---- classification */

static enum err_code classify(int status, const char *name, const char *value, const char *body, struct err *e)
{
	struct http_header h[] = { { (char *)(uintptr_t)(name ? name : "x-nothing"),
		                         (char *)(uintptr_t)(value ? value : "") },
		                       { (char *)(uintptr_t) "X-AMZN-REQUESTID", (char *)(uintptr_t) "req-1" } };
	struct http_res res = { .status = status, .body = span_of(body), .headers = h, .nheaders = 2 };
	aws_classify(&op_echo, &res, e);
	assert_string_equal(e->where, "test:Echo");
	assert_int_equal(e->http, status);
	assert_true(e->text[0]);
	assert_true((e->code == ERR_DENIED && !strstr(e->text, "explicit deny")) == (e->action[0] != '\0'));
	return e->code;
}

/* One name in every envelope it may come in. */
static void in_every_envelope(int status, const char *name, enum err_code code)
{
	struct err e;
	char text[300];
	snprintf(text, sizeof text, "{\"__type\":\"%s\",\"message\":\"why\"}", name);
	assert_int_equal(classify(status, NULL, NULL, text, &e), code);
	assert_non_null(strstr(e.text, name));
	assert_non_null(strstr(e.text, "why"));
	assert_string_equal(e.request_id, "req-1");
	snprintf(text, sizeof text, "{\"__type\":\"com.amazonaws.x#%s\",\"Message\":\"why\"}", name);
	assert_int_equal(classify(status, NULL, NULL, text, &e), code);
	assert_non_null(strstr(e.text, "why"));
	snprintf(text, sizeof text, "{\"code\":\"%s:http://internal.amazon.com/x\"}", name);
	assert_int_equal(classify(status, NULL, NULL, text, &e), code);
	snprintf(text, sizeof text, "%s:http://internal.amazon.com/coral/", name);
	assert_int_equal(classify(status, "x-amzn-ErrorType", text, "{\"Type\":\"User\",\"message\":\"why\"}", &e), code);
	snprintf(text, sizeof text, "aws#%s", name);
	assert_int_equal(classify(status, "X-Amzn-Errortype", text, "", &e), code);
	snprintf(text, sizeof text, "%s;Sender", name);
	assert_int_equal(
	    classify(status, "x-amzn-query-error", text, "{\"__type\":\"ns#SomeNewShape\",\"message\":\"why\"}", &e), code);
	snprintf(text, sizeof text, "SomeNewShape (%s): why", name);
	assert_string_equal(e.text, text);
	snprintf(text, sizeof text,
	         "<ErrorResponse xmlns=\"u\"><Error><Type>Sender</Type><Code>%s</Code><Message>why</Message></Error>"
	         "<RequestId>inner</RequestId></ErrorResponse>",
	         name);
	assert_int_equal(classify(status, NULL, NULL, text, &e), code); /* XML on a JSON call */
	assert_non_null(strstr(e.text, "why"));
	snprintf(text, sizeof text,
	         "<Response><Errors><Error><Code>%s</Code></Error></Errors><RequestID>i</RequestID></Response>", name);
	assert_int_equal(classify(status, NULL, NULL, text, &e), code);
}

static void test_names(void **state)
{
	(void)state;
	static const char *const throttles[] = {
		"Throttling",
		"ThrottlingException",
		"ThrottledException",
		"RequestThrottledException",
		"TooManyRequestsException",
		"ProvisionedThroughputExceededException",
		"TransactionInProgressException",
		"RequestLimitExceeded",
		"BandwidthLimitExceeded",
		"LimitExceededException",
		"RequestThrottled",
		"SlowDown",
		"PriorRequestNotComplete",
		"EC2ThrottledException",
		"Throttled",
	};
	static const struct {
		int status;
		const char *name;
		enum err_code code;
	} names[] = {
		{ 400, "ExpiredTokenException", ERR_AUTH },
		{ 403, "ExpiredToken", ERR_AUTH },
		{ 403, "UnrecognizedClientException", ERR_AUTH },
		{ 403, "InvalidClientTokenId", ERR_AUTH },
		{ 403, "SignatureDoesNotMatch", ERR_AUTH },
		{ 403, "InvalidSignatureException", ERR_AUTH },
		{ 403, "RequestTimeTooSkewed", ERR_AUTH },
		{ 400, "IncompleteSignature", ERR_AUTH },
		{ 400, "AccessDeniedException", ERR_DENIED },
		{ 403, "AccessDenied", ERR_DENIED },
		{ 403, "AuthorizationError", ERR_DENIED },
		{ 403, "OptInRequired", ERR_DENIED },
		{ 400, "KMSAccessDeniedException", ERR_DENIED },
		{ 400, "QueueDoesNotExist", ERR_NOTFOUND },
		{ 400, "AWS.SimpleQueueService.NonExistentQueue", ERR_NOTFOUND },
		{ 404, "ResourceNotFoundException", ERR_NOTFOUND },
		{ 400, "ResourceNotFoundException", ERR_NOTFOUND },
		{ 404, "DashboardNotFoundError", ERR_NOTFOUND },
		{ 409, "ResourceConflictException", ERR_CONFLICT },
		{ 400, "ResourceInUseException", ERR_CONFLICT },
		{ 403, "AWS.SimpleQueueService.PurgeQueueInProgress", ERR_CONFLICT },
		{ 403, "OverLimit", ERR_LIMIT },
		{ 400, "LimitExceededFault", ERR_LIMIT },
		{ 413, "RequestTooLargeException", ERR_LIMIT },
		{ 500, "InternalFailure", ERR_HTTP },
		{ 500, "InternalServiceFault", ERR_HTTP },
		{ 503, "ServiceUnavailable", ERR_HTTP },
		{ 500, "NeverHeardOf", ERR_HTTP },
		{ 400, "RequestTimeout", ERR_TIMEOUT },
		{ 400, "ValidationException", ERR_REFUSED },
		{ 400, "InvalidParameterValue", ERR_REFUSED },
		{ 400, "InvalidNextToken", ERR_REFUSED },
		{ 400, "NeverHeardOf", ERR_REFUSED },
		{ 429, "NeverHeardOf", ERR_THROTTLED },
		{ 429, "ConcurrentModificationException", ERR_THROTTLED },
	};
	for (size_t i = 0; i < sizeof throttles / sizeof *throttles; i++) {
		in_every_envelope(400, throttles[i], ERR_THROTTLED);
		in_every_envelope(503, throttles[i], ERR_THROTTLED);
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		in_every_envelope(names[i].status, names[i].name, names[i].code);
}

static void test_without_names(void **state)
{
	(void)state;
	static const char html[] = "<!DOCTYPE html><html><head><title>Oops</title></head><body><p>x<br></body></html>";
	static const struct {
		int status;
		const char *body;
		enum err_code code;
	} bare[] = {
		{ 429, "", ERR_THROTTLED },
		{ 509, html, ERR_THROTTLED },
		{ 500, "", ERR_HTTP },
		{ 500, html, ERR_HTTP },
		{ 502, html, ERR_HTTP },
		{ 503, "{}", ERR_HTTP },
		{ 504, "oops", ERR_HTTP },
		{ 408, "", ERR_TIMEOUT },
		{ 413, "", ERR_LIMIT },
		{ 401, "", ERR_AUTH },
		{ 403, "", ERR_DENIED },
		{ 403, "{\"message\":\"no\"}", ERR_DENIED },
		{ 403, html, ERR_BADREPLY },
		{ 404, html, ERR_BADREPLY },
		{ 404, "", ERR_NOTFOUND },
		{ 404, "{\"Message\":\"no\"}", ERR_NOTFOUND },
		{ 400, html, ERR_BADREPLY },
		{ 400, "", ERR_REFUSED },
		{ 400, "{}", ERR_REFUSED },
		{ 400, "not json", ERR_BADREPLY },
		{ 400, "[1]", ERR_BADREPLY },
		{ 400, "{\"__type\":\"A\",", ERR_BADREPLY },
		{ 301, "", ERR_BADREPLY },
		{ 302, html, ERR_BADREPLY },
		{ 501, "", ERR_BADREPLY },
		{ 400, "{\"__type\":7,\"message\":[]}", ERR_REFUSED },
		{ 418, "", ERR_REFUSED },
		{ 500, "<Error><Code>Thrott", ERR_HTTP },
		{ 400, "{\"__type\":\"\",\"message\":\"\"}", ERR_REFUSED },
	};
	struct err e;
	for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
		if (classify(bare[i].status, NULL, NULL, bare[i].body, &e) != bare[i].code)
			fail_msg("%d %s: %s (%s)", bare[i].status, bare[i].body, err_name(e.code), e.text);
	classify(302, "Location", "http://evil.example/", "", &e);
	assert_non_null(strstr(e.text, "http://evil.example/"));
	classify(400, NULL, NULL, "{\"message\":\"just words\"}", &e);
	assert_string_equal(e.text, "HTTP 400: just words");
}

static void test_denied_action(void **state)
{
	(void)state;
	struct err e;
	classify(
	    400, NULL, NULL,
	    "{\"__type\":\"AccessDeniedException\",\"Message\":\"User: arn:aws:iam::1:user/u is not authorized to perform: "
	    "kms:Decrypt on resource: arn because no identity-based policy allows the kms:Decrypt action\"}",
	    &e);
	assert_string_equal(e.action, "kms:Decrypt"); /* not the operation's own */
	classify(403, NULL, NULL,
	         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User is not authorized to perform: "
	         "sqs:ListQueues</Message></Error></ErrorResponse>",
	         &e);
	assert_string_equal(e.action, "sqs:ListQueues");
	classify(403, NULL, NULL, "{\"__type\":\"AccessDenied\",\"message\":\"not authorized to perform: \\u001b[31m\"}",
	         &e);
	assert_string_equal(e.action, "test:Echo");
	classify(403, NULL, NULL, "{\"__type\":\"AccessDenied\",\"message\":\"Access to the resource is denied.\"}", &e);
	assert_string_equal(e.action, "test:Echo");
	assert_string_equal(e.resource, "");
	classify(
	    403, NULL, NULL,
	    "{\"__type\":\"AccessDenied\",\"message\":\"User: u is not authorized to perform: sqs:getqueueattributes on "
	    "resource: arn:aws:sqs:eu-west-1:1:orders because no identity-based policy allows it\"}",
	    &e);
	assert_string_equal(e.action, "sqs:getqueueattributes");
	assert_string_equal(e.resource, "arn:aws:sqs:eu-west-1:1:orders");
	classify(
	    403, NULL, NULL,
	    "{\"__type\":\"AccessDenied\",\"message\":\"User: u is not authorized to perform: sqs:ListQueues on resource: "
	    "arn:aws:sqs:::* with an explicit deny in a service control policy\"}",
	    &e);
	assert_string_equal(e.action, ""); /* allowing it would not help */
	assert_string_equal(e.resource, "");
}

static void test_cut_refusals(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"no \\u00e4\"}",
		"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate</Message></Error><RequestId>r</RequestId></"
		"ErrorResponse>",
	};
	for (size_t i = 0; i < 2; i++)
		for (size_t n = 0; n <= strlen(bodies[i]); n++) {
			char *copy = xstrndup(bodies[i], n);
			struct http_res res = { .status = 400, .body = { copy, n } };
			struct err e;
			aws_classify(&op_echo, &res, &e);
			assert_int_not_equal(e.code, ERR_OK);
			assert_true(e.text[0]);
			free(copy);
		}
}

/* ---- the gate, on a clock of its own */

static void test_gate(void **state)
{
	(void)state;
	struct gate g;
	gate_init(&g, 5, 1000);
	for (unsigned i = 0; i < 5; i++)
		assert_true(gate_take(&g, 1000)); /* a second's worth at once */
	assert_false(gate_take(&g, 1000));
	assert_int_equal(gate_wait(&g, 1000), 200);
	assert_false(gate_take(&g, 1199));
	assert_true(gate_take(&g, 1200));
	assert_int_equal(gate_wait(&g, 1300), 100);
	unsigned n = 0;
	for (int64_t t = 1200; t < 11200; t += 10)
		n += gate_take(&g, t);
	assert_in_range(n, 49, 50); /* never more than the rate */
	gate_throttled(&g, 20000);
	gate_throttled(&g, 20500); /* the same event */
	assert_true(g.rate == 2.5);
	assert_int_equal(gate_wait(&g, 20500), 400);
	for (unsigned i = 0; i < 20; i++)
		gate_throttled(&g, 30000 + 1000 * i);
	assert_true(g.rate == 0.5); /* it never stops for good */
	for (unsigned i = 0; i < 45; i++)
		gate_succeeded(&g);
	assert_true(g.rate > 4.9 && g.rate <= 5);
	gate_succeeded(&g);
	assert_true(g.rate == 5);
}

/* ---- calls against a server that plays a script */

struct bench {
	pthread_mutex_t lock; /* of what the server's thread shares: script, at, seen */
	struct tiny server;
	struct account *account;
	struct cred *cred;
	struct http *http;
	struct aws *aws;
	const char *const *script; /* one answer a request; the last one stays */
	unsigned at;
	char seen[16][2048]; /* the requests */
	char sending[512];   /* the server thread\'s alone */
};

static void play(struct tiny *t, const char *request, struct tiny_reply *r)
{
	struct bench *b = t->ctx;
	pthread_mutex_lock(&b->lock);
	snprintf(b->seen[b->at % 16], sizeof b->seen[0], "%s", request);
	snprintf(b->sending, sizeof b->sending, "%s", *b->script);
	if (b->script[1])
		b->script++;
	b->at++;
	pthread_mutex_unlock(&b->lock);
	if (strcmp(b->sending, "silent") == 0)
		r->silent = true;
	else if (strcmp(b->sending, "lost") == 0)
		r->close = true;
	else
		r->raw = b->sending;
}

/* Answers without a length end with the connection, so the server must close it. */
static void play_closing(struct tiny *t, const char *request, struct tiny_reply *r)
{
	play(t, request, r);
	r->close = r->close || r->raw;
}

static unsigned asked(struct bench *b)
{
	pthread_mutex_lock(&b->lock);
	unsigned n = b->at;
	pthread_mutex_unlock(&b->lock);
	return n;
}

static void set_script(struct bench *b, const char *const *script)
{
	pthread_mutex_lock(&b->lock);
	b->script = script;
	pthread_mutex_unlock(&b->lock);
}

static int set_up(void **state, void (*answer)(struct tiny *, const char *, struct tiny_reply *))
{
	struct bench *b = xcalloc(1, sizeof *b);
	char url[64];
	pthread_mutex_init(&b->lock, NULL);
	tiny_start(&b->server, answer, b);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", b->server.port);
	b->account = account_static("eu-west-1", url, "AKIDTEST", "secret", "test");
	b->cred = cred_new(b->account);
	b->http = http_new(NULL, NULL);
	b->aws = aws_new(b->http, b->account, b->cred);
	*state = b;
	return 0;
}

static int set_up_closing(void **state)
{
	return set_up(state, play_closing);
}

static int set_up_keeping(void **state)
{
	return set_up(state, play);
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	aws_free(b->aws);
	http_free(b->http);
	cred_free(b->cred);
	account_free(b->account);
	tiny_stop(&b->server);
	free(b);
	return 0;
}

struct one {
	struct echo_in in;
	struct echo_out out;
	struct err e;
	unsigned done;
	int64_t began, ended;
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct one *o = ctx;
	(void)op;
	assert_ptr_equal(in, &o->in);
	assert_ptr_equal(out, &o->out);
	assert_null(o->in.page.token);
	assert_null(o->out.page.token);
	o->e = *e;
	o->done++;
	o->ended = clock_mono_ms();
}

static uint64_t begin(struct bench *b, const struct op *op, struct one *o)
{
	memset(o, 0, sizeof *o);
	o->began = clock_mono_ms();
	uint64_t id = aws_call(b->aws, op, &o->in, &o->out, on_done, o);
	assert_int_equal(o->done, 0); /* never from within */
	return id;
}

static void turn(struct bench *b)
{
	int wait = aws_tick(b->aws);
	http_turn(b->http, wait < 0 || wait > 100 ? 100 : wait);
}

static void finish(struct bench *b, const struct one *o)
{
	int64_t end = clock_mono_ms() + 120000; /* a hang, not a slow machine */
	while (!o->done && clock_mono_ms() < end)
		turn(b);
	assert_int_equal(o->done, 1);
	asked(b); /* what the server wrote before is seen from here on */
}

static void call(struct bench *b, const struct op *op, const char *const *script, struct one *o)
{
	set_script(b, script);
	begin(b, op, o);
	finish(b, o);
}

static const struct aws_stat *stat_of(struct bench *b, const struct op *op)
{
	unsigned n;
	const struct aws_stat *s = aws_stats(b->aws, &n);
	for (unsigned i = 0; i < n; i++)
		if (s[i].op == op)
			return &s[i];
	fail_msg("no statistics of %s", op->name);
	return NULL;
}

#define ANSWER(status, headers, body) "HTTP/1.1 " status " X\r\n" headers "Connection: close\r\n\r\n" body
#define OK(body) ANSWER("200", "", body)
#define SCRIPT(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void header_of(const struct bench *b, unsigned i, const char *name, char out[128])
{
	char mark[64];
	snprintf(mark, sizeof mark, "\r\n%s: ", name);
	const char *p = strstr(b->seen[i], mark);
	if (!p)
		fail_msg("no %s in %s", name, b->seen[i]);
	p += strlen(mark);
	snprintf(out, 128, "%.*s", (int)strcspn(p, "\r"), p);
}

static void test_request(void **state)
{
	struct bench *b = *state;
	struct one o;
	char h[128], host[64];
	call(b, &op_echo, SCRIPT(OK("{\"Name\":\"x\"}")), &o);
	assert_int_equal(o.e.code, ERR_OK);
	assert_string_equal(o.out.last, "x");
	assert_memory_equal(b->seen[0], "POST / HTTP/1.1\r\n", 17);
	header_of(b, 0, "X-Amz-Target", h);
	assert_string_equal(h, "T.Echo");
	header_of(b, 0, "User-Agent", h);
	assert_string_equal(h, "sluice/" SLUICE_VERSION);
	header_of(b, 0, "amz-sdk-request", h);
	assert_string_equal(h, "attempt=1; max=3");
	header_of(b, 0, "amz-sdk-invocation-id", h);
	assert_int_equal(strlen(h), 36);
	assert_int_equal(h[14], '4');
	assert_non_null(strchr("89ab", h[19]));
	header_of(b, 0, "Authorization", h);
	assert_memory_equal(h, "AWS4-HMAC-SHA256 Credential=AKIDTEST/", 37);
	snprintf(host, sizeof host, "127.0.0.1:%u", b->server.port);
	header_of(b, 0, "Host", h);
	assert_string_equal(h, host);
	assert_null(strstr(b->seen[0], "secret"));
	assert_int_equal(stat_of(b, &op_echo)->calls, 1);
	assert_int_equal(stat_of(b, &op_echo)->attempts, 1);
	assert_int_equal(stat_of(b, &op_echo)->failed, 0);
	assert_true(stat_of(b, &op_echo)->ok_at > 0);
}

static void test_retry_until_good(void **state)
{
	struct bench *b = *state;
	struct one o;
	char id[3][128], h[128];
	call(b, &op_echo, SCRIPT(ANSWER("503", "", "<html>"), "lost", OK("{}")), &o);
	assert_int_equal(o.e.code, ERR_OK);
	assert_int_equal(b->at, 3);
	for (unsigned i = 0; i < 3; i++) {
		char want[32];
		header_of(b, i, "amz-sdk-invocation-id", id[i]);
		header_of(b, i, "amz-sdk-request", h);
		snprintf(want, sizeof want, "attempt=%u; max=3", i + 1);
		assert_string_equal(h, want);
	}
	assert_string_equal(id[0], id[1]);
	assert_string_equal(id[0], id[2]);
	assert_int_equal(stat_of(b, &op_echo)->attempts, 3);
	call(b, &op_echo, SCRIPT(OK("{}")), &o);
	header_of(b, 3, "amz-sdk-invocation-id", id[1]);
	assert_string_not_equal(id[0], id[1]); /* another call */
}

static void test_gives_up(void **state)
{
	struct bench *b = *state;
	struct one o;
	call(b, &op_echo, SCRIPT(ANSWER("500", "x-amzn-RequestId: r-9\r\n", "{\"__type\":\"InternalFailure\"}")), &o);
	assert_int_equal(o.e.code, ERR_HTTP);
	assert_int_equal(o.e.http, 500);
	assert_string_equal(o.e.where, "test:Echo");
	assert_string_equal(o.e.request_id, "r-9");
	assert_int_equal(b->at, 3);
	assert_int_equal(stat_of(b, &op_echo)->failed, 1);
	assert_int_equal(stat_of(b, &op_echo)->last.code, ERR_HTTP);
	assert_int_equal(stat_of(b, &op_echo)->ok_at, 0);
}

static void test_not_retried(void **state)
{
	struct bench *b = *state;
	static const struct {
		const char *answer;
		enum err_code code;
	} finals[] = {
		{ ANSWER("400", "", "{\"__type\":\"ValidationException\"}"), ERR_REFUSED },
		{ ANSWER("403", "", "{\"__type\":\"AccessDenied\"}"), ERR_DENIED },
		{ ANSWER("403", "", "{\"__type\":\"ExpiredToken\"}"), ERR_AUTH },
		{ ANSWER("403", "", "{\"__type\":\"SignatureDoesNotMatch\"}"), ERR_AUTH },
		{ ANSWER("404", "", "<html>"), ERR_BADREPLY },
		{ ANSWER("302", "Location: /\r\n", ""), ERR_BADREPLY },
		{ OK("<html>welcome</html>"), ERR_BADREPLY },
		{ OK("{\"cut"), ERR_BADREPLY },
		{ OK(""), ERR_BADREPLY },
	};
	struct one o;
	for (unsigned i = 0; i < sizeof finals / sizeof *finals; i++) {
		unsigned before = b->at;
		call(b, &op_echo, SCRIPT(finals[i].answer), &o);
		assert_int_equal(o.e.code, finals[i].code);
		assert_string_equal(o.e.where, "test:Echo");
		assert_int_not_equal(o.e.http, 0);
		assert_int_equal(b->at, before + 1);
	}
}

static void test_no_write_without_a_permit(void **state)
{
	static struct op ops[] = { ECHO("Peek", .paged = true), ECHO("Put", .paged = true) };
	struct bench *b = *state;
	ops[0].effect = OP_PEEK, ops[1].effect = OP_WRITE;
	for (unsigned i = 0; i < 2; i++) {
		const struct permit permits[] = { { NULL }, { &op_other }, { &ops[i] } };
		for (unsigned k = 0; k < 4; k++) { /* 0: none at all */
			struct one o = { .began = clock_mono_ms() };
			unsigned before = b->at;
			set_script(b, SCRIPT(OK("{}")));
			aws_call_permitted(b->aws, k ? &permits[k - 1] : NULL, CALL_ACT, &ops[i], &o.in, &o.out, on_done, &o);
			assert_int_equal(o.done, 0);
			finish(b, &o);
			assert_int_equal(o.e.code, k == 3 ? ERR_OK : ERR_GATE);
			assert_false(o.e.in_doubt);
			assert_int_equal(b->at - before, k == 3); /* what reached the service */
		}
		assert_int_equal(stat_of(b, &ops[i])->attempts, 1);
	}
}

static void test_what_may_have_been_done(void **state)
{
	struct bench *b = *state;
	struct one o;
	call(b, &op_write, SCRIPT("lost"), &o);
	assert_int_equal(o.e.code, ERR_CONNECT);
	assert_int_equal(b->at, 1);
	call(b, &op_write, SCRIPT(ANSWER("500", "", "")), &o); /* it may have been done all the same */
	assert_int_equal(o.e.code, ERR_HTTP);
	assert_int_equal(b->at, 2);
	call(b, &op_write, SCRIPT(ANSWER("400", "", "{\"__type\":\"Throttling\"}"), OK("{}")),
	     &o); /* that was certainly not */
	assert_int_equal(o.e.code, ERR_OK);
	assert_int_equal(b->at, 4);
}

/* Whoever acts must know whether the service may have done it. */
static void test_in_doubt(void **state)
{
	struct bench *b = *state;
	static const struct {
		const char *answers[3];
		bool doubt;
	} cases[] = {
		{ { "lost" }, true },
		{ { ANSWER("500", "", "") }, true },
		{ { ANSWER("503", "", "<html>") }, true },
		{ { ANSWER("408", "", "") }, true },
		{ { ANSWER("429", "", "<html>") }, true },
		{ { ANSWER("403", "", "<html>") }, true },
		{ { ANSWER("307", "Location: /\r\n", "") }, true },
		{ { OK("{\"cut") }, true },
		{ { ANSWER("400", "", "{\"__type\":\"Throttling\"}"), "lost" }, true },
		{ { ANSWER("400", "", "{\"__type\":\"Throttling\"}"), ANSWER("403", "", "{\"__type\":\"AccessDenied\"}") },
		  false },
		{ { ANSWER("400", "", "{\"__type\":\"ValidationException\"}") }, false },
		{ { ANSWER("400", "", "{\"__type\":\"Throttling\"}") }, false },
		{ { ANSWER("403", "", "{\"__type\":\"SignatureDoesNotMatch\"}") }, false },
		{ { ANSWER("413", "", "") }, false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct one o;
		call(b, &op_write, SCRIPT(cases[i].answers[0], cases[i].answers[1]), &o);
		assert_int_not_equal(o.e.code, ERR_OK);
		if (o.e.in_doubt != cases[i].doubt)
			fail_msg("case %u: %s", i, o.e.text);
	}
	struct one o;
	call(b, &op_echo, SCRIPT("lost", OK("{}")), &o);
	assert_int_equal(o.e.code, ERR_OK);
	assert_false(o.e.in_doubt);
	call(b, &op_echo, SCRIPT("lost", ANSWER("403", "", "{\"__type\":\"AccessDenied\"}")), &o);
	assert_true(o.e.in_doubt); /* by its first attempt */
	set_script(b, SCRIPT("silent"));
	uint64_t flying = begin(b, &op_write, &o);
	for (unsigned n = asked(b); asked(b) == n;)
		turn(b);
	aws_cancel(b->aws, flying);
	assert_true(o.e.in_doubt);
}

static void test_attempts(void **state)
{
	struct bench *b = *state;
	struct one o;
	char h[128];
	for (unsigned n = 1; n <= 5; n++) {
		unsigned before = b->at;
		char want[32];
		aws_configure(b->aws, &(struct aws_opts){ .attempts = n });
		call(b, &op_echo, SCRIPT(ANSWER("503", "", "")), &o);
		assert_int_equal(o.e.code, ERR_HTTP);
		assert_int_equal(b->at - before, n);
		header_of(b, (b->at - 1) % 16, "amz-sdk-request", h);
		snprintf(want, sizeof want, "attempt=%u; max=%u", n, n);
		assert_string_equal(h, want);
	}
	assert_int_equal(stat_of(b, &op_echo)->attempts, 15);
}

static void test_nobody_listens(void **state)
{
	struct bench *b = *state;
	struct one o, w;
	struct account *nowhere = account_static("eu-west-1", "http://127.0.0.1:1", "K", "S", "test");
	struct aws *c = aws_new(b->http, nowhere, b->cred), *kept = b->aws;
	b->aws = c;
	begin(b, &op_echo, &o);
	begin(b, &op_write, &w); /* nothing left this machine: it may go again */
	finish(b, &o);
	finish(b, &w);
	assert_int_equal(o.e.code, ERR_CONNECT);
	assert_int_equal(w.e.code, ERR_CONNECT);
	assert_int_equal(stat_of(b, &op_echo)->attempts, 3);
	assert_int_equal(stat_of(b, &op_write)->attempts, 3);
	aws_free(c);
	account_free(nowhere);
	b->aws = kept;
}

static void test_throttled(void **state)
{
	struct bench *b = *state;
	struct one o[2];
	b->script =
	    SCRIPT(ANSWER("400", "x-amz-retry-after: 1\r\n", "{\"__type\":\"Throttling\",\"message\":\"Rate exceeded\"}"));
	for (unsigned i = 0; i < 2; i++)
		begin(b, &op_echo, &o[i]);
	for (unsigned i = 0; i < 2; i++) {
		finish(b, &o[i]);
		assert_int_equal(o[i].e.code, ERR_THROTTLED);
		assert_non_null(strstr(o[i].e.text, "Rate exceeded"));
	}
	assert_int_equal(b->at, 6);
	assert_true(o[0].ended - o[0].began + o[1].ended - o[1].began >
	            20); /* four random waits of up to a second or two */
}

static void test_waits_as_asked(void **state)
{
	struct bench *b = *state;
	struct one o;
	call(b, &op_echo, SCRIPT(ANSWER("503", "x-amz-retry-after: 300\r\n", ""), OK("{}")), &o);
	assert_int_equal(o.e.code, ERR_OK);
	assert_in_range(o.ended - o.began, 300, 3000);
	call(b, &op_echo, SCRIPT(ANSWER("503", "Retry-After: 0.2\r\n", ""), OK("{}")), &o);
	assert_in_range(o.ended - o.began, 200, 3000);
	call(b, &op_echo, SCRIPT(ANSWER("503", "Retry-After: soon\r\n", ""), OK("{}")), &o);
	assert_in_range(o.ended - o.began, 0, 2000);
}

static void test_retry_quota(void **state)
{
	struct bench *b = *state;
	struct one o[20];
	set_script(b, SCRIPT(ANSWER("500", "", "")));
	for (unsigned i = 0; i < 20; i++)
		begin(b, &op_many, &o[i]);
	for (unsigned i = 0; i < 20; i++)
		finish(b, &o[i]);
	assert_int_equal(b->at, 20 + 500 / 14); /* a service in trouble is not asked three times by everybody */
	call(b, &op_many, SCRIPT(OK("{}")), &o[0]);
	assert_int_equal(o[0].e.code, ERR_OK);
}

/* ---- pages */

static void test_pages(void **state)
{
	struct bench *b = *state;
	struct one o;
	char first[128], second[128];
	call(b, &op_echo,
	     SCRIPT(OK("{\"NextToken\":\"a\"}"), OK("{\"NextToken\":\"b\\\"\"}"),
	            OK("{\"Name\":\"end\",\"NextToken\":\"\"}")),
	     &o);
	assert_int_equal(o.e.code, ERR_OK);
	assert_int_equal(o.out.pages, 3);
	assert_string_equal(o.out.last, "end");
	assert_non_null(strstr(b->seen[0], "{\"NextToken\":null}"));
	assert_non_null(strstr(b->seen[1], "{\"NextToken\":\"a\"}"));
	assert_non_null(strstr(b->seen[2], "{\"NextToken\":\"b\\\"\"}"));
	header_of(b, 0, "amz-sdk-invocation-id", first);
	header_of(b, 1, "amz-sdk-invocation-id", second);
	assert_string_not_equal(first, second);
	assert_int_equal(stat_of(b, &op_echo)->calls, 1);
	assert_int_equal(stat_of(b, &op_echo)->attempts, 3);
}

static void test_pages_break_off(void **state)
{
	struct bench *b = *state;
	struct one o;
	call(b, &op_echo,
	     SCRIPT(OK("{\"Name\":\"kept\",\"NextToken\":\"a\"}"), ANSWER("403", "", "{\"__type\":\"AccessDenied\"}")), &o);
	assert_int_equal(o.e.code, ERR_DENIED);
	assert_int_equal(o.out.pages, 1);
	assert_string_equal(o.out.last, "kept");
	call(b, &op_echo, SCRIPT(OK("{\"NextToken\":\"a\"}"), ANSWER("503", "", ""), OK("{}")),
	     &o); /* each page has its attempts */
	assert_int_equal(o.e.code, ERR_OK);
	assert_int_equal(o.out.pages, 2);
}

static void test_token_circles(void **state)
{
	struct bench *b = *state;
	struct one o;
	call(b, &op_echo, SCRIPT(OK("{\"NextToken\":\"same\"}")), &o);
	assert_int_equal(o.e.code, ERR_BADREPLY);
	assert_int_equal(b->at, 2);
#define P(t) OK("{\"NextToken\":\"" t "\"}")
	b->at = 0;
	call(b, &op_echo,
	     SCRIPT(P("1"), P("2"), P("a"), P("b"), P("c"), P("a"), P("b"), P("c"), P("a"), P("b"), P("c"), P("a"), P("b"),
	            OK("{}")),
	     &o);
	assert_int_equal(o.e.code, ERR_BADREPLY);
	assert_true(b->at < 13);
}

/* ---- the clock */

static void date(char out[64], int64_t offset)
{
	time_t t = (time_t)(clock_wall() + offset);
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static int64_t signed_at(const struct bench *b, unsigned i)
{
	char h[128];
	struct tm tm = { 0 };
	header_of(b, i, "X-Amz-Date", h);
	assert_non_null(strptime(h, "%Y%m%dT%H%M%SZ", &tm));
	return timegm(&tm);
}

static void skew_answer(char out[300], int64_t offset, const char *more)
{
	char d[64];
	date(d, offset);
	snprintf(out, 300,
	         "HTTP/1.1 403 X\r\nDate: %s\r\n%sConnection: close\r\n\r\n{\"__type\":\"InvalidSignatureException\","
	         "\"message\":\"Signature expired\"}",
	         d, more);
}

/* A list that never ends, each page with a token of its own and `filling` bytes to spare. */
static size_t filling;
static void play_endless(struct tiny *t, const char *request, struct tiny_reply *r)
{
	static char page[1 << 20];
	struct bench *b = t->ctx;
	(void)request;
	pthread_mutex_lock(&b->lock);
	unsigned at = b->at++;
	pthread_mutex_unlock(&b->lock);
	int n = snprintf(page, sizeof page, "HTTP/1.1 200 X\r\nContent-Length: %zu\r\n\r\n{\"NextToken\":\"%010u\"}",
	                 filling + 26, at);
	memset(page + n, ' ', filling);
	page[(size_t)n + filling] = '\0';
	r->raw = page;
}

static int set_up_endless(void **state)
{
	return set_up(state, play_endless);
}

static void test_pages_without_end(void **state)
{
	struct bench *b = *state;
	struct one o;
	filling = 0;
	begin(b, &op_many, &o);
	finish(b, &o);
	assert_int_equal(o.e.code, ERR_LIMIT);
	assert_string_equal(o.e.text, "more than 1000 pages");
	assert_int_equal(o.out.pages, 1000); /* what came is kept */
	assert_int_equal(b->at, 1000);
	filling = 1000000;
	begin(b, &op_many, &o);
	finish(b, &o);
	assert_int_equal(o.e.code, ERR_LIMIT);
	assert_string_equal(o.e.text, "more than 64 MiB in 68 pages");
}

static void test_clock_learned(void **state)
{
	struct bench *b = *state;
	struct one o;
	char late[300];
	skew_answer(late, 3600, "");
	call(b, &op_echo, SCRIPT(late, OK("{}")), &o);
	assert_int_equal(o.e.code, ERR_OK);
	assert_int_equal(b->at, 2);
	assert_in_range(signed_at(b, 1) - signed_at(b, 0), 3595, 3605);
	assert_in_range(clock_correction(), 3595, 3605);
	call(b, &op_other, SCRIPT(OK("{}")), &o); /* and kept for everything that follows */
	assert_in_range(signed_at(b, 2) - signed_at(b, 0), 3595, 3605);
	call(b, &op_echo, SCRIPT(late), &o); /* the clock is no longer what is wrong */
	assert_int_equal(o.e.code, ERR_AUTH);
	assert_int_equal(b->at, 4);
	clock_correct(0);
}

/* A good answer tells the time too: windows and ages go by it, not signatures alone. */
static void test_clock_told(void **state)
{
	struct bench *b = *state;
	struct one o;
	char d[64], answer[300];
	int64_t ahead, before = clock_wall();
	date(d, -86400);
	snprintf(answer, sizeof answer, "HTTP/1.1 200 X\r\nDate: %s\r\nAge: 1\r\nConnection: close\r\n\r\n{}", d);
	call(b, &op_echo, SCRIPT(answer), &o); /* out of a cache */
	assert_false(aws_clock(b->aws, &ahead));
	assert_int_equal(clock_correction(), 0);
	snprintf(answer, sizeof answer, "HTTP/1.1 200 X\r\nDate: %s\r\nConnection: close\r\n\r\n{}", d);
	call(b, &op_echo, SCRIPT(answer), &o);
	assert_true(aws_clock(b->aws, &ahead));
	assert_in_range(-ahead, 86395, 86405);
	assert_in_range(before - clock_wall(), 86390, 86405);
	assert_true(stat_of(b, &op_echo)->ok_ms >= o.began);
	clock_correct(0);
	aws_free(b->aws);
	b->aws = aws_new(b->http, b->account, b->cred);
	date(d, 200);
	snprintf(answer, sizeof answer, "HTTP/1.1 200 X\r\nDate: %s\r\nConnection: close\r\n\r\n{}", d);
	call(b, &op_echo, SCRIPT(answer), &o); /* known, but nothing to act upon */
	assert_true(aws_clock(b->aws, &ahead));
	assert_in_range(ahead, 195, 205);
	assert_int_equal(clock_correction(), 0);
}

static void test_clock_not_learned(void **state)
{
	struct bench *b = *state;
	struct one o;
	char answer[300], wild[300];
	skew_answer(answer, 200, ""); /* too little to be the reason */
	call(b, &op_echo, SCRIPT(answer), &o);
	assert_int_equal(o.e.code, ERR_AUTH);
	skew_answer(answer, 3600, "Age: 3600\r\n"); /* out of a cache */
	call(b, &op_echo, SCRIPT(answer), &o);
	assert_int_equal(o.e.code, ERR_AUTH);
	call(b, &op_echo, SCRIPT(ANSWER("403", "Date: today\r\n", "{\"__type\":\"RequestTimeTooSkewed\"}")), &o);
	assert_int_equal(o.e.code, ERR_AUTH);
	assert_int_equal(b->at, 3);
	skew_answer(answer, 3600, "");
	skew_answer(wild, -7200, "");
	call(b, &op_echo, SCRIPT(answer, wild, answer), &o); /* once a call */
	assert_int_equal(o.e.code, ERR_AUTH);
	assert_int_equal(b->at, 5);
	clock_correct(0);
}

/* ---- many calls */

static void test_number_in_flight(void **state)
{
	struct bench *b = *state;
	struct one *o = xcalloc(100, sizeof *o);
	set_script(b, SCRIPT("silent"));
	for (unsigned i = 0; i < 100; i++)
		begin(b, &op_many, &o[i]);
	assert_int_equal(http_busy(b->http), 32);
	assert_int_equal(aws_busy(b->aws), 100);
	assert_int_equal(aws_tick(b->aws), -1); /* only an answer can change anything */
	aws_free(b->aws);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(o[i].done, 1);
		assert_int_equal(o[i].e.code, ERR_CANCELLED);
		assert_string_equal(o[i].e.where, "test:Many");
	}
	assert_int_equal(http_busy(b->http), 0);
	b->aws = aws_new(b->http, b->account, b->cred);
	free(o);
}

static void test_all_are_answered(void **state)
{
	struct bench *b = *state;
	struct one *o = xcalloc(300, sizeof *o);
	set_script(b, SCRIPT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
	for (unsigned i = 0; i < 300; i++)
		begin(b, &op_many, &o[i]);
	for (unsigned i = 0; i < 300; i++) {
		finish(b, &o[i]);
		assert_int_equal(o[i].e.code, ERR_OK);
	}
	assert_true(atomic_load(&b->server.connections) <= 32);
	assert_int_equal(aws_busy(b->aws), 0);
	free(o);
}

static void test_gate_holds_calls(void **state)
{
	struct bench *b = *state;
	struct one o[3], p;
	set_script(b, SCRIPT(OK("{}")));
	for (unsigned i = 0; i < 3; i++)
		begin(b, &op_slow, &o[i]);
	begin(b, &op_echo, &p); /* another operation does not wait behind it */
	finish(b, &p);
	finish(b, &o[1]);
	assert_true(o[1].ended - o[1].began < 400);
	assert_int_equal(o[2].done, 0);
	int wait = aws_tick(b->aws);
	assert_in_range(wait, 1, 500);
	finish(b, &o[2]);
	assert_in_range(o[2].ended - o[2].began, 450, 3000);
}

static void test_best_class_first(void **state)
{
	struct bench *b = *state;
	static const enum call_class classes[] = { CALL_HIDDEN, CALL_HISTORY, CALL_DISCOVERY, CALL_VISIBLE, CALL_ACT };
	struct one first[2], o[5];
	set_script(b, SCRIPT(OK("{}")));
	for (unsigned i = 0; i < 2; i++) /* what the gate lets through at once */
		begin(b, &op_slow, &first[i]);
	for (unsigned i = 0; i < 5; i++) {
		memset(&o[i], 0, sizeof o[i]);
		aws_call_as(b->aws, classes[i], &op_slow, &o[i].in, &o[i].out, on_done, &o[i]);
	}
	for (unsigned i = 5; i-- > 0;) {
		finish(b, &o[i]);
		for (unsigned k = 0; k < i; k++)
			assert_int_equal(o[k].done, 0);
	}
}

static void test_left_out_while_throttled(void **state)
{
	struct bench *b = *state;
	struct one *o = xcalloc(60, sizeof *o);
	unsigned out[CALL_CLASSES] = { 0 };
	aws_configure(b->aws, &(struct aws_opts){ .attempts = 1 });
	set_script(b, SCRIPT(ANSWER("400", "", "{\"__type\":\"Throttling\"}"), OK("{}")));
	for (unsigned i = 0; i < 60; i++)
		aws_call_as(b->aws,
		            i < 20   ? CALL_ACT
		            : i < 40 ? CALL_VISIBLE
		                     : CALL_HIDDEN,
		            &op_slow, &o[i].in, &o[i].out, on_done, &o[i]);
	finish(b, &o[0]); /* throttled: the rate is 1 a second, of 58 that wait 30 can go in time */
	assert_int_equal(o[0].e.code, ERR_THROTTLED);
	assert_null(strstr(o[0].e.text, "left out"));
	turn(b);
	for (unsigned i = 2; i < 60; i++) {
		out[i < 20 ? CALL_ACT : i < 40 ? CALL_VISIBLE : CALL_HIDDEN] += o[i].done && o[i].e.code == ERR_THROTTLED;
		if (!o[i].done || o[i].e.code == ERR_OK)
			continue;
		assert_string_equal(o[i].e.text, "left out while AWS throttles this account");
		assert_string_equal(o[i].e.where, "test:Slow");
		assert_false(o[i].e.in_doubt);
	}
	assert_int_equal(out[CALL_ACT], 0);
	assert_int_equal(out[CALL_VISIBLE], 8);
	assert_int_equal(out[CALL_HIDDEN], 20);
	aws_free(b->aws);
	b->aws = aws_new(b->http, b->account, b->cred);
	free(o);
}

struct chain {
	struct bench *b;
	struct one one, next[3];
	unsigned n;
};

static void on_chain(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct chain *c = ctx;
	(void)op, (void)in, (void)out;
	c->one.e = *e;
	c->one.done++;
	const struct op *ops[] = { &op_other, &op_third,
		                       &op_slow }; /* none of them seen before: the lines grow meanwhile */
	for (unsigned i = 0; i < 3; i++)
		begin(c->b, ops[i], &c->next[i]);
}

static void test_calls_from_done(void **state)
{
	struct bench *b = *state;
	struct chain c = { .b = b };
	struct one waiting;
	set_script(b, SCRIPT(OK("{}")));
	aws_call(b->aws, &op_echo, &c.one.in, &c.one.out, on_chain, &c);
	begin(b, &op_many, &waiting);
	finish(b, &c.one);
	for (unsigned i = 0; i < 3; i++) {
		finish(b, &c.next[i]);
		assert_int_equal(c.next[i].e.code, ERR_OK);
	}
	finish(b, &waiting);
}

static void test_unbuildable(void **state)
{
	struct bench *b = *state;
	struct one o;
	set_script(b, SCRIPT(OK("{}")));
	memset(&o, 0, sizeof o);
	o.in.refuse = true;
	aws_call(b->aws, &op_echo, &o.in, &o.out, on_done, &o);
	assert_int_equal(o.done, 0);
	assert_int_equal(aws_tick(b->aws), -1);
	assert_int_equal(o.done, 1);
	assert_int_equal(o.e.code, ERR_CONF);
	assert_string_equal(o.e.where, "test:Echo");
	assert_int_equal(b->at, 0);
	assert_int_equal(aws_busy(b->aws), 0);
}

static void test_without_keys(void **state)
{
	struct bench *b = *state;
	struct one o;
	struct account none = { .endpoint_url = b->account->endpoint_url, .region = b->account->region, .attempts = 3 };
	struct aws *kept = b->aws;
	b->aws = aws_new(b->http, &none, NULL);
	begin(b, &op_echo, &o);
	finish(b, &o);
	assert_int_equal(o.e.code, ERR_NOCRED);
	aws_free(b->aws);
	none = (struct account){ .attempts = 3 };
	b->aws = aws_new(b->http, &none, b->cred);
	begin(b, &op_echo, &o);
	finish(b, &o);
	assert_int_equal(o.e.code, ERR_USAGE);
	aws_free(b->aws);
	b->aws = kept;
	assert_int_equal(b->at, 0);
}

static void test_cancel(void **state)
{
	struct bench *b = *state;
	struct one flying, delayed, waiting[3], over;
	set_script(b, SCRIPT("silent"));
	uint64_t id = begin(b, &op_echo, &flying);
	turn(b);
	aws_cancel(b->aws, id);
	assert_int_equal(flying.done, 1);
	assert_int_equal(flying.e.code, ERR_CANCELLED);
	aws_cancel(b->aws, id);
	assert_int_equal(flying.done, 1);
	set_script(b, SCRIPT(ANSWER("503", "x-amz-retry-after: 4000\r\n", "")));
	id = begin(b, &op_echo, &delayed);
	for (int64_t end = clock_mono_ms() + 3000; (asked(b) < 2 || http_busy(b->http)) && clock_mono_ms() < end;)
		turn(b);
	assert_in_range(aws_tick(b->aws), 1000, 4000);
	aws_cancel(b->aws, id);
	assert_int_equal(delayed.e.code, ERR_CANCELLED);
	set_script(b, SCRIPT("silent"));
	for (unsigned i = 0; i < 3; i++)
		id = begin(b, &op_slow, &waiting[i]);
	aws_cancel(b->aws, id);
	assert_int_equal(waiting[2].e.code, ERR_CANCELLED);
	assert_int_equal(waiting[1].done, 0);
	memset(&over, 0, sizeof over);
	over.in.refuse = true;
	id = aws_call(b->aws, &op_echo, &over.in, &over.out, on_done, &over);
	aws_cancel(b->aws, id);
	assert_int_equal(over.e.code, ERR_CANCELLED);
	assert_int_equal(aws_busy(b->aws), 2);
	assert_int_equal(stat_of(b, &op_echo)->failed, 0); /* our own doing says nothing about the service */
	aws_free(b->aws);
	assert_int_equal(waiting[0].e.code, ERR_CANCELLED);
	b->aws = aws_new(b->http, b->account, b->cred);
}

static void test_time_limit(void **state)
{
	struct bench *b = *state;
	struct one o;
	aws_configure(b->aws, &(struct aws_opts){ .total_ms = 100 });
	call(b, &op_write, SCRIPT("silent"), &o);
	assert_int_equal(o.e.code, ERR_TIMEOUT);
	assert_int_equal(b->at, 1);
	assert_in_range(o.ended - o.began, 80, 3000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_closing, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_without_names),
		cmocka_unit_test(test_denied_action),
		cmocka_unit_test(test_cut_refusals),
		cmocka_unit_test(test_gate),
		TEST(test_request),
		TEST(test_retry_until_good),
		TEST(test_gives_up),
		TEST(test_not_retried),
		TEST(test_no_write_without_a_permit),
		TEST(test_what_may_have_been_done),
		TEST(test_in_doubt),
		TEST(test_attempts),
		TEST(test_nobody_listens),
		TEST(test_throttled),
		TEST(test_waits_as_asked),
		TEST(test_retry_quota),
		TEST(test_pages),
		TEST(test_pages_break_off),
		TEST(test_token_circles),
		cmocka_unit_test_setup_teardown(test_pages_without_end, set_up_endless, tear_down),
		TEST(test_clock_learned),
		TEST(test_clock_not_learned),
		TEST(test_clock_told),
		TEST(test_number_in_flight),
		cmocka_unit_test_setup_teardown(test_all_are_answered, set_up_keeping, tear_down),
		TEST(test_gate_holds_calls),
		TEST(test_best_class_first),
		TEST(test_left_out_while_throttled),
		TEST(test_calls_from_done),
		TEST(test_unbuildable),
		TEST(test_without_keys),
		TEST(test_cancel),
		TEST(test_time_limit),
	};
	if (!clock_init() || !hash_init() || !http_global_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
