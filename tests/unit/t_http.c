/* The transport against a server of a few lines that misbehaves in every way a real one does. */
#include "aws/http/http.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "tests/unit/tiny_server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

extern char **environ;

/* {"a":1} and 200,000 zeros, both compressed with gzip */
static const unsigned char small_gz[] = {
	31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 84, 178, 50, 172, 5, 0, 175, 172, 27, 86, 7, 0, 0, 0,
};
static const unsigned char bomb_gz[] = {
	31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 49, 1, 0, 0,   0,   194, 160, 245, 79,  109, 6,  127, 160, 0, 0, 0, 0,
	0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0,  0, 0, 0,   0,   0,   0,   0,   0,   0,   0,  0,   0,   0, 0, 0, 0,
	0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0,  0, 0, 0,   0,   0,   0,   0,   0,   0,   0,  0,   0,   0, 0, 0, 0,
	0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0,  0, 0, 0,   0,   0,   0,   0,   0,   0,   0,  0,   0,   0, 0, 0, 0,
	0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0,  0, 0, 0,   0,   0,   0,   0,   0,   0,   0,  0,   0,   0, 0, 0, 0,
	0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0,  0, 0, 0,   0,   0,   0,   0,   0,   0,   0,  0,   0,   0, 0, 0, 0,
	0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0,  0, 0, 0,   0,   0,   0,   0,   0,   0,   0,  0,   0,   0, 0, 0, 0,
	0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0,  0, 0, 128, 215, 0,   123, 88,  224, 92,  64, 13,  3,   0,
};

static char last[4096]; /* the last request */
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;

struct outcome {
	bool done;
	enum http_sent sent;
	int status;
	char body[256], header[64], text[256];
	size_t n;
	enum err_code code;
};

static void on_done(void *ctx, enum http_sent sent, const struct http_res *res, const struct err *e)
{
	struct outcome *o = ctx;
	assert_false(o->done);
	assert_true((res != NULL) == (sent == HTTP_ANSWERED));
	o->done = true;
	o->sent = sent;
	o->code = e->code;
	snprintf(o->text, sizeof o->text, "%s", e->text);
	if (!res)
		return;
	const char *h = http_res_header(res, "x-amzn-requestid");
	o->status = res->status;
	o->n = res->body.n;
	snprintf(o->body, sizeof o->body, "%.*s", (int)(res->body.n < 255 ? res->body.n : 255),
	         res->body.p ? res->body.p : "");
	snprintf(o->header, sizeof o->header, "%s", h ? h : "");
}

static void wait_for(struct http *h, const bool *done)
{
	int64_t end = clock_mono_ms() + 10000;
	while (!*done && clock_mono_ms() < end)
		http_turn(h, 100);
	assert_true(*done);
}

struct ask {
	const char *method, *body, *header, *value;
	size_t cap;
	unsigned total_ms;
	bool once, direct;
};

static uint64_t submit(struct http *h, const char *url, struct ask a, struct outcome *o)
{
	struct http_req rq;
	http_req_init(&rq);
	rq.method = a.method ? a.method : "POST";
	if (a.body)
		buf_adds(&rq.body, a.body);
	if (a.header)
		http_req_header(&rq, a.header, a.value);
	struct http_send s = { .url = url,
		                   .req = &rq,
		                   .cap = a.cap,
		                   .total_ms = a.total_ms,
		                   .once = a.once,
		                   .direct = a.direct,
		                   .done = on_done,
		                   .ctx = o };
	memset(o, 0, sizeof *o);
	uint64_t id = http_submit(h, &s);
	http_req_clear(&rq); /* as promised: it was copied */
	return id;
}

static void get(struct http *h, const char *url, struct ask a, struct outcome *o)
{
	assert_int_not_equal(submit(h, url, a, o), 0);
	wait_for(h, &o->done);
	assert_int_equal(http_busy(h), 0);
	pthread_mutex_lock(&last_lock); /* what the server wrote before is seen from here on */
	pthread_mutex_unlock(&last_lock);
}

/* ---- what the server does is chosen by the path */

static const char big_head[] = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
static char big[sizeof big_head + 5000], many_headers[100 * 1024], small_packed[512], bomb_packed[1024];
static size_t small_packed_n, bomb_packed_n;

#define PLAIN(body) "HTTP/1.1 200 OK\r\nx-amzn-RequestId: r-1\r\nContent-Length: 2\r\n\r\n" body

static const struct {
	const char *path;
	struct tiny_reply reply;
} answers[] = {
	{ "/a/../b%2Fc?x=%20y", { PLAIN("ok"), 0, false, false } },
	{ "/close", { PLAIN("ok"), 0, true, false } },
	{ "http://aws.invalid/by-proxy", { PLAIN("ok"), 0, true, false } },
	{ "/half", { "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", 0, true, false } },
	{ "/short", { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nokay and more", 0, true, false } },
	{ "/nolength", { "HTTP/1.1 200 OK\r\n\r\nuntil the end", 0, true, false } },
	{ "/chunked",
	  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nay!\r\n0\r\n\r\n", 0, false, false } },
	{ "/cutchunk", { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n30\r\nay", 0, true, false } },
	{ "/cuthead", { "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Le", 0, true, false } },
	{ "/cutinterim", { "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0, true, false } },
	{ "/badchunk", { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n", 0, true, false } },
	{ "/interim", { "HTTP/1.1 103 Early Hints\r\nx-amzn-RequestId: wrong\r\n\r\n" PLAIN("ok"), 0, false, false } },
	{ "/redirect", { "HTTP/1.1 302 Found\r\nLocation: /close\r\nContent-Length: 0\r\n\r\n", 0, false, false } },
	{ "/silent", { NULL, 0, false, true } },
	{ "/nothing", { NULL, 0, true, false } },
	{ "/old", { "this is no HTTP at all\r\n\r\n", 0, true, false } },
	{ "/empty", { "HTTP/1.1 204 No Content\r\n\r\n", 0, false, false } },
	{ "/big", { big, sizeof big_head - 1 + 5000, false, false } },
	{ "/headers", { many_headers, 0, false, false } },
};

static void by_path(struct tiny *t, const char *request, struct tiny_reply *r)
{
	pthread_mutex_lock(&last_lock);
	snprintf(last, sizeof last, "%s", request);
	pthread_mutex_unlock(&last_lock);
	const char *path = strchr(request, ' ') + 1;
	size_t n = strcspn(path, " ");
	if (n == 3 && memcmp(path, "/gz", n) == 0)
		*r = (struct tiny_reply){ small_packed, small_packed_n, false, false };
	if (n == 5 && memcmp(path, "/bomb", n) == 0)
		*r = (struct tiny_reply){ bomb_packed, bomb_packed_n, false, false };
	if (n == 5 && memcmp(path, "/dies", n) == 0) { /* answers every other request, drops the line at the others */
		bool answered = atomic_load(&t->requests) % 2 == 0;
		*r = (struct tiny_reply){ answered ? PLAIN("ok") : NULL, 0, !answered, false };
	}
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		if (strlen(answers[i].path) == n && memcmp(answers[i].path, path, n) == 0)
			*r = answers[i].reply;
}

static size_t pack(char *out, const unsigned char *gz, size_t n)
{
	int head = snprintf(out, 256, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n);
	memcpy(out + head, gz, n);
	return (size_t)head + n;
}

static void make_answers(void)
{
	memcpy(big, big_head, sizeof big_head);
	memset(big + sizeof big_head - 1, 'x', 5000);
	int n = snprintf(many_headers, sizeof many_headers, "HTTP/1.1 200 OK\r\n");
	for (unsigned i = 0; i < 1500; i++)
		n += snprintf(many_headers + n, sizeof many_headers - (size_t)n, "X-Header-%u: %048u\r\n", i, i);
	snprintf(many_headers + n, sizeof many_headers - (size_t)n, "Content-Length: 0\r\n\r\n");
	small_packed_n = pack(small_packed, small_gz, sizeof small_gz);
	bomb_packed_n = pack(bomb_packed, bomb_gz, sizeof bomb_gz);
}

/* ---- tests */

struct bench {
	struct tiny server;
	struct http *http;
	char url[128];
};

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof *b);
	tiny_start(&b->server, by_path, NULL);
	b->http = http_new(NULL, NULL);
	*state = b;
	return b->http ? 0 : -1;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	http_free(b->http);
	tiny_stop(&b->server);
	free(b);
	return 0;
}

static const char *url(struct bench *b, const char *path)
{
	snprintf(b->url, sizeof b->url, "http://127.0.0.1:%u%s", b->server.port, path);
	return b->url;
}

static void test_kept_connection(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	for (unsigned i = 0; i < 3; i++) {
		get(b->http, url(b, "/a/../b%2Fc?x=%20y"), (struct ask){ .body = "{}" }, &o);
		assert_int_equal(o.sent, HTTP_ANSWERED);
		assert_int_equal(o.status, 200);
		assert_string_equal(o.body, "ok");
		assert_string_equal(o.header, "r-1"); /* asked for in another case */
	}
	assert_int_equal(atomic_load(&b->server.connections), 1);
	assert_int_equal(atomic_load(&b->server.requests), 3);
}

static void test_request_as_given(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	get(b->http, url(b, "/a/../b%2Fc?x=%20y"), (struct ask){ .body = "abc", .header = "X-Amz-Target", .value = "T.Op" },
	    &o);
	assert_memory_equal(last, "POST /a/../b%2Fc?x=%20y HTTP/1.1\r\n", 34);
	assert_non_null(strstr(last, "\r\nX-Amz-Target: T.Op\r\n"));
	assert_non_null(strstr(last, "\r\nContent-Length: 3\r\n"));
	assert_non_null(strstr(last, "\r\n\r\nabc"));
	assert_null(strcasestr(last, "Expect:"));
	assert_null(strcasestr(last, "Content-Type:"));
	char host[64];
	snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%u\r\n", b->server.port);
	assert_non_null(strstr(last, host));
}

static void test_methods_on_one_handle(void **state)
{
	static const struct {
		const char *method, *body, *line;
	} ways[] = {
		{ "HEAD", NULL, "HEAD /empty " }, { "POST", "x", "POST /empty " },      { "GET", NULL, "GET /empty " },
		{ "PUT", "xy", "PUT /empty " },   { "DELETE", NULL, "DELETE /empty " }, { "HEAD", NULL, "HEAD /empty " },
		{ "GET", NULL, "GET /empty " },   { "POST", NULL, "POST /empty " },
	};
	struct bench *b = *state;
	struct outcome o;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		get(b->http, url(b, "/empty"), (struct ask){ .method = ways[i].method, .body = ways[i].body }, &o);
		assert_int_equal(o.status, 204);
		assert_memory_equal(last, ways[i].line, strlen(ways[i].line));
		const char *body = strstr(last, "\r\n\r\n") + 4;
		assert_string_equal(body, ways[i].body ? ways[i].body : "");
	}
	assert_int_equal(atomic_load(&b->server.connections), 1);
}

static void test_closing_server(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	for (unsigned i = 0; i < 3; i++) {
		get(b->http, url(b, "/close"), (struct ask){ .body = "{}" }, &o);
		assert_int_equal(o.status, 200);
	}
	assert_int_equal(atomic_load(&b->server.connections), 3);
}

static void test_good_forms(void **state)
{
	static const struct {
		const char *path, *body;
		int status;
	} forms[] = {
		{ "/short", "ok", 200 },      { "/nolength", "until the end", 200 },
		{ "/chunked", "okay!", 200 }, { "/interim", "ok", 200 },
		{ "/redirect", "", 302 },     { "/empty", "", 204 },
		{ "/gz", "{\"a\":1}", 200 },
	};
	struct bench *b = *state;
	struct outcome o;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		unsigned before = atomic_load(&b->server.requests);
		get(b->http, url(b, forms[i].path), (struct ask){ .body = "{}" }, &o);
		assert_int_equal(o.sent, HTTP_ANSWERED);
		assert_int_equal(o.status, forms[i].status);
		assert_string_equal(o.body, forms[i].body);
		assert_string_not_equal(o.header, "wrong");
		assert_int_equal(atomic_load(&b->server.requests), before + 1);
	}
}

static void test_bad_forms(void **state)
{
	static const struct {
		const char *path;
		enum err_code code, or_code; /* versions of curl differ in what they call it */
		size_t cap;
	} forms[] = {
		{ "/half", ERR_BADREPLY, ERR_BADREPLY, 0 },      { "/cutchunk", ERR_BADREPLY, ERR_BADREPLY, 0 },
		{ "/badchunk", ERR_CONNECT, ERR_BADREPLY, 0 },   { "/cuthead", ERR_BADREPLY, ERR_BADREPLY, 0 },
		{ "/cutinterim", ERR_CONNECT, ERR_BADREPLY, 0 }, { "/nothing", ERR_CONNECT, ERR_CONNECT, 0 },
		{ "/old", ERR_BADREPLY, ERR_BADREPLY, 0 },       { "/big", ERR_LIMIT, ERR_LIMIT, 4999 },
		{ "/headers", ERR_LIMIT, ERR_LIMIT, 0 },         { "/bomb", ERR_LIMIT, ERR_LIMIT, 10000 },
	};
	struct bench *b = *state;
	struct outcome o;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		get(b->http, url(b, forms[i].path), (struct ask){ .body = "{}", .cap = forms[i].cap }, &o);
		if (o.code != forms[i].code && o.code != forms[i].or_code)
			fail_msg("%s: %s (%s)", forms[i].path, err_name(o.code), o.text);
		assert_int_equal(o.sent, HTTP_MAYBE_SENT);
		assert_true(o.text[0]);
	}
	get(b->http, url(b, "/big"), (struct ask){ .body = "{}", .cap = 5000 }, &o); /* exactly the cap */
	assert_int_equal(o.n, 5000);
	get(b->http, url(b, "/bomb"), (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.n, 200000);
}

static void test_slow(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	int64_t begin = clock_mono_ms();
	get(b->http, url(b, "/silent"), (struct ask){ .body = "{}", .total_ms = 150 }, &o);
	assert_int_equal(o.code, ERR_TIMEOUT);
	assert_int_equal(o.sent, HTTP_MAYBE_SENT);
	assert_in_range(clock_mono_ms() - begin, 100, 5000);
}

static unsigned free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void test_nobody_there(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	char u[64];
	snprintf(u, sizeof u, "http://127.0.0.1:%u/", free_port());
	get(b->http, u, (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.code, ERR_CONNECT);
	assert_int_equal(o.sent, HTTP_NOT_SENT);
	get(b->http, "http://no-such-host.invalid/", (struct ask){ .body = "{}", .total_ms = 3000 }, &o);
	assert_true(o.code == ERR_DNS || o.code == ERR_TIMEOUT); /* the latter where the resolver itself is away */
	assert_int_equal(o.sent, HTTP_NOT_SENT);
	get(b->http, "ftp://127.0.0.1/", (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.sent, HTTP_NOT_SENT);
	assert_int_not_equal(o.code, ERR_OK);
}

static void test_plain_server_asked_for_tls(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	char u[64];
	snprintf(u, sizeof u, "https://127.0.0.1:%u/close", b->server.port);
	get(b->http, u, (struct ask){ .body = "{}", .total_ms = 500 }, &o);
	assert_true(o.code == ERR_TLS ||
	            o.code == ERR_TIMEOUT); /* our server waits for the end of a request that never is one */
	assert_int_equal(o.sent, HTTP_NOT_SENT);
}

static void test_once_is_never_repeated(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	get(b->http, url(b, "/dies"), (struct ask){ .body = "{}" }, &o);
	get(b->http, url(b, "/dies"), (struct ask){ .body = "{}", .once = true }, &o);
	assert_int_equal(o.sent, HTTP_MAYBE_SENT);
	assert_int_equal(o.code, ERR_CONNECT);
	assert_int_equal(atomic_load(&b->server.requests), 2);
	/* and what may be repeated, is: by curl, on a new connection */
	get(b->http, url(b, "/dies"), (struct ask){ .body = "{}" }, &o);
	get(b->http, url(b, "/dies"), (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.sent, HTTP_ANSWERED);
	assert_int_equal(atomic_load(&b->server.requests), 5);
	/* without a body there is nothing that cannot be rewound: it gets a connection of its own instead */
	unsigned before = atomic_load(&b->server.connections);
	get(b->http, url(b, "/dies"), (struct ask){ .method = "DELETE", .once = true }, &o);
	assert_int_equal(atomic_load(&b->server.connections), before + 1);
	assert_int_equal(atomic_load(&b->server.requests), 6);
}

static void test_once_with_a_body(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	get(b->http, url(b, "/close"), (struct ask){ .body = "the body", .once = true }, &o);
	assert_int_equal(o.status, 200);
	assert_non_null(strstr(last, "\r\nContent-Length: 8\r\n"));
	assert_non_null(strstr(last, "\r\n\r\nthe body"));
	assert_null(strcasestr(last, "Expect:"));
}

static void test_header_cannot_be_smuggled(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	get(b->http, url(b, "/close"), (struct ask){ .body = "{}", .header = "X-Token", .value = "a\r\nX-Evil: b" }, &o);
	assert_int_equal(o.sent, HTTP_NOT_SENT);
	assert_int_equal(o.code, ERR_INTERNAL);
	assert_int_equal(atomic_load(&b->server.requests), 0);
}

static void test_cancel(void **state)
{
	struct bench *b = *state;
	struct outcome o, p;
	uint64_t id = submit(b->http, url(b, "/silent"), (struct ask){ .body = "{}" }, &o);
	submit(b->http, url(b, "/a/../b%2Fc?x=%20y"), (struct ask){ .body = "{}" }, &p);
	wait_for(b->http, &p.done);
	assert_false(o.done);
	http_cancel(b->http, id);
	assert_true(o.done);
	assert_int_equal(o.code, ERR_CANCELLED);
	assert_int_equal(o.sent, HTTP_MAYBE_SENT);
	http_cancel(b->http, id); /* gone: nothing happens */
	http_cancel(b->http, 123456);
	assert_int_equal(http_busy(b->http), 0);
}

static void test_free_cancels(void **state)
{
	struct bench *b = *state;
	struct outcome o[3];
	for (unsigned i = 0; i < 3; i++)
		submit(b->http, url(b, "/silent"), (struct ask){ .body = "{}" }, &o[i]);
	http_turn(b->http, 20);
	http_free(b->http);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(o[i].code, ERR_CANCELLED);
	b->http = http_new(NULL, NULL);
}

struct again {
	struct http *http;
	const char *url;
	struct outcome o[5];
	unsigned n;
	struct http_send s;
	bool all;
};

static void on_again(void *ctx, enum http_sent sent, const struct http_res *res, const struct err *e)
{
	struct again *a = ctx;
	on_done(&a->o[a->n++], sent, res, e);
	a->all = a->n == 5;
	if (!a->all)
		http_submit(a->http, &a->s); /* from within done */
}

static void test_submit_within_done(void **state)
{
	struct bench *b = *state;
	struct http_req rq;
	http_req_init(&rq);
	buf_adds(&rq.body, "{}");
	struct again a = { .http = b->http };
	a.s = (struct http_send){ .url = url(b, "/a/../b%2Fc?x=%20y"), .req = &rq, .done = on_again, .ctx = &a };
	http_submit(b->http, &a.s);
	wait_for(b->http, &a.all);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(a.o[i].status, 200);
	http_req_clear(&rq);
}

static void test_many_at_once(void **state)
{
	struct bench *b = *state;
	struct outcome o[40];
	for (unsigned i = 0; i < 40; i++)
		submit(b->http, url(b, i % 2 ? "/close" : "/chunked"), (struct ask){ .body = "{}" }, &o[i]);
	assert_int_equal(http_busy(b->http), 40);
	for (unsigned i = 0; i < 40; i++) {
		wait_for(b->http, &o[i].done);
		assert_string_equal(o[i].body, i % 2 ? "ok" : "okay!");
	}
}

static void *wake_soon(void *ctx)
{
	usleep(20000);
	http_wakeup(ctx);
	return NULL;
}

static void test_wakeup(void **state)
{
	struct bench *b = *state;
	pthread_t t;
	int64_t begin = clock_mono_ms();
	pthread_create(&t, NULL, wake_soon, b->http);
	http_turn(b->http, 5000);
	assert_true(clock_mono_ms() - begin < 3000);
	pthread_join(t, NULL);
}

static void test_proxy_is_not_for_loopback(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	get(b->http, url(b, "/close"), (struct ask){ .body = "{}" }, &o);
	unsetenv("http_proxy");
	assert_int_equal(o.status, 200);
}

static void test_proxy(void **state)
{
	struct bench *b = *state;
	struct outcome o;
	char u[80]; /* 127.0.0.1 in a form that is not taken for loopback */
	snprintf(u, sizeof u, "http://0x7f.0.0.1:%u/close", b->server.port);
	setenv("http_proxy", "http://user:secret@127.0.0.1:1", 1);
	get(b->http, u, (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.code, ERR_CONNECT);
	assert_int_equal(o.sent, HTTP_NOT_SENT);
	assert_non_null(strstr(o.text, "by way of the proxy http://***:***@127.0.0.1:1 (http_proxy): "));
	get(b->http, u, (struct ask){ .body = "{}", .direct = true }, &o);
	assert_int_equal(o.status, 200);
	setenv("http_proxy", "http://user:secret@127.0.0.1:x", 1);
	get(b->http, u, (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.code, ERR_CONF);
	assert_int_equal(o.sent, HTTP_NOT_SENT);
	assert_string_equal(o.text, "http_proxy holds no proxy's address: its port is not a number");
	snprintf(u, sizeof u, "http://user:secret@127.0.0.1:%u", b->server.port); /* the server plays the proxy */
	setenv("http_proxy", u, 1);
	get(b->http, "http://aws.invalid/by-proxy", (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.status, 200);
	assert_non_null(strstr(last, "POST http://aws.invalid/by-proxy HTTP/1.1\r\n"));
	assert_non_null(strstr(last, "\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
	setenv("no_proxy", "0x7f.0.0.1", 1);
	snprintf(u, sizeof u, "http://0x7f.0.0.1:%u/close", b->server.port);
	get(b->http, u, (struct ask){ .body = "{}" }, &o);
	assert_int_equal(o.status, 200);
	unsetenv("no_proxy");
	unsetenv("http_proxy");
}

/* ---- TLS, with openssl's own server */

static bool run(const char *const argv[], pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&fa, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
	bool ok = posix_spawnp(pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, environ) == 0;
	posix_spawn_file_actions_destroy(&fa);
	return ok;
}

static bool run_whole(const char *const argv[])
{
	pid_t pid;
	int status;
	return run(argv, &pid) && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void ask_until_up(struct http *h, const char *u, struct outcome *o)
{
	for (unsigned i = 0; i < 100; i++) {
		get(h, u, (struct ask){ .method = "GET", .total_ms = 2000 }, o);
		if (o->code != ERR_CONNECT)
			return;
		usleep(30000);
	}
}

/* One request with the trust store that the environment and ca_bundle make. */
static enum err_code ask_tls(const char *u, const char *ca_bundle)
{
	struct outcome o;
	struct http *h = http_new(ca_bundle, NULL);
	assert_non_null(h);
	ask_until_up(h, u, &o);
	http_free(h);
	if (o.code == ERR_BADREPLY && strstr(o.text, "no length")) { /* openssl's server gives none; but it is trusted */
		assert_int_equal(o.sent, HTTP_MAYBE_SENT);
		return ERR_OK;
	}
	assert_int_equal(o.sent, HTTP_NOT_SENT);
	return o.code;
}

static void trust_cases(const char *dir, unsigned port)
{
	char u[64], wrong_host[64], cert[128], missing[128];
	snprintf(u, sizeof u, "https://localhost:%u/", port);
	snprintf(wrong_host, sizeof wrong_host, "https://127.0.0.1:%u/", port);
	snprintf(cert, sizeof cert, "%s/cert.pem", dir);
	snprintf(missing, sizeof missing, "%s/none.pem", dir);
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	assert_int_equal(ask_tls(u, NULL), ERR_TLS); /* nobody we know signed it */
	assert_int_equal(ask_tls(u, cert), ERR_OK);
	assert_int_equal(ask_tls(wrong_host, cert), ERR_TLS);
	assert_int_equal(ask_tls(u, missing), ERR_TLS);
	setenv("SSL_CERT_FILE", cert, 1);
	assert_int_equal(ask_tls(u, NULL), ERR_OK);
	assert_int_equal(ask_tls(u, "/etc/ssl/certs/ca-certificates.crt"), ERR_TLS); /* the named bundle alone counts */
	unsetenv("SSL_CERT_FILE");
	setenv("SSL_CERT_DIR", dir, 1);
	const char *const rehash[] = { "openssl", "rehash", dir, NULL };
	assert_true(run_whole(rehash));
	assert_int_equal(ask_tls(u, NULL), ERR_OK);
	unsetenv("SSL_CERT_DIR");
}

static void test_trust(void **state)
{
	(void)state;
	char dir[] = "/tmp/sluice-tls-XXXXXX", ca[64], key[64], cert[80], port[16];
	assert_non_null(mkdtemp(dir));
	snprintf(ca, sizeof ca, "%s/ca", dir);
	snprintf(key, sizeof key, "%s/key.pem", dir);
	snprintf(cert, sizeof cert, "%s/cert.pem", ca);
	snprintf(port, sizeof port, "%u", free_port());
	assert_int_equal(mkdir(ca, 0700), 0);
	const char *const make[] = { "openssl",  "req",
		                         "-x509",    "-newkey",
		                         "rsa:2048", "-nodes",
		                         "-days",    "2",
		                         "-subj",    "/CN=localhost",
		                         "-addext",  "subjectAltName=DNS:localhost",
		                         "-keyout",  key,
		                         "-out",     cert,
		                         NULL };
	const char *const serve[] = { "openssl", "s_server", "-quiet", "-www", "-accept", port,
		                          "-key",    key,        "-cert",  cert,   NULL };
	const char *const clean[] = { "rm", "-rf", dir, NULL };
	pid_t pid = 0;
	bool have = run_whole(make) && run(serve, &pid);
	if (have) {
		trust_cases(ca, (unsigned)strtoul(port, NULL, 10));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	run_whole(clean);
	if (!have) {
		print_message("SKIP: no openssl program to serve TLS\n");
		skip();
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kept_connection),
		TEST(test_request_as_given),
		TEST(test_methods_on_one_handle),
		TEST(test_closing_server),
		TEST(test_good_forms),
		TEST(test_bad_forms),
		TEST(test_slow),
		TEST(test_nobody_there),
		TEST(test_plain_server_asked_for_tls),
		TEST(test_once_is_never_repeated),
		TEST(test_once_with_a_body),
		TEST(test_header_cannot_be_smuggled),
		TEST(test_cancel),
		TEST(test_free_cancels),
		TEST(test_submit_within_done),
		TEST(test_many_at_once),
		TEST(test_wakeup),
		TEST(test_proxy_is_not_for_loopback),
		TEST(test_proxy),
		cmocka_unit_test(test_trust),
	};
	make_answers();
	if (!clock_init() || !hash_init() || !http_global_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
