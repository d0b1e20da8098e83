#include "aws/http/http.h"

#include "aws/http/proxy.h"
#include "aws/http/reply.h"
#include "aws/http/sockets.h"
#include "aws/http/tls.h"
#include "core/clock.h"
#include "core/mem.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_MS 5000
#define TOTAL_MS 20000
#define STALL_S 15 /* without a byte: dead by then, unless the request may take long by its nature */
#define AVERAGE_S                                                                                                      \
	6 /* curl looks once a second at the last five: so long after the last byte it still sees some speed */
#define LONG_MS 60000
#define HEADER_BYTES_MAX (64u << 10)
#define CAP_DEFAULT (16u << 20)
#define KEEP_BYTES (16u << 10) /* a pooled transfer keeps buffers up to here; forty of them are kept */
#define SPARE_MAX 40
#define DNS_CACHE_S 60L
#define DOUBT_MS 10000

enum life { FREE, FLYING, REFUSED };

/* One request under way; pooled with its easy handle, which is what costs. */
struct transfer {
	struct http *http;
	CURL *easy;
	uint64_t id;
	enum life life;
	struct curl_slist *headers;
	struct buf request;
	size_t sent;     /* of request, when curl pulls it */
	const char *via; /* the variable that named a proxy for it; NULL: straight */
	struct reply reply;
	bool stale;     /* the kept connection it was given is of no use */
	struct err err; /* of a REFUSED one */
	char why[CURL_ERROR_SIZE];
	http_done *done;
	void *ctx;
	struct transfer *next, **self;
};

struct http {
	CURLM *multi;
	CURLSH *share; /* TLS sessions: resumed whichever handle connects again */
	struct transfer *busy, *spare;
	unsigned nbusy, nspare, nrefused;
	uint64_t last_id;
	struct tls_trust trust;
	struct sockets sockets;
	int64_t doubt_until; /* until then no address is taken from curl's cache */
};

bool http_global_init(struct err *e)
{
	CURLcode rc = curl_global_init(CURL_GLOBAL_SSL);
	if (rc != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl", "%s", curl_easy_strerror(rc));
	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_SSL))
		return err_set(e, ERR_INTERNAL, "libcurl", "this libcurl was built without TLS");
	return true;
}

/* ---- what curl calls */

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	return reply_data(&t->reply, p, size * n) ? size * n : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	return reply_line(&t->reply, (struct span){ p, size * n }) ? size * n : 0;
}

static size_t on_request(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t left = t->request.n - t->sent, most = size * n;
	size_t now = left < most ? left : most;
	if (now)
		memcpy(p, t->request.p + t->sent, now);
	t->sent += now;
	return now;
}

/* ---- connections */

/* Before a request goes out: on a kept connection nothing may wait to be read. It is the end of the line, or more than the last
 * answer was to be, which would be taken for this one's. */
static int on_ready(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct transfer *t = ctx;
	long made = 1;
	(void)to, (void)to_port;
	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &made);
	t->stale = made == 0 && sockets_readable(&t->http->sockets, from, from_port);
	return t->stale ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- transfers */

static void set_constants(struct http *h, struct transfer *t)
{
	CURL *c = t->easy;
	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
	curl_easy_setopt(c, CURLOPT_SHARE, h->share);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs must not hold up leaving */
#endif
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->why);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "");
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	tls_set_up(c, &h->trust);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, sockets_open);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, &h->sockets);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, sockets_close);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, &h->sockets);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_request);
	curl_easy_setopt(c, CURLOPT_READDATA, t);
}

static struct transfer *transfer_take(struct http *h)
{
	struct transfer *t = h->spare;
	if (t) {
		h->spare = t->next;
		h->nspare--;
	} else {
		t = xcalloc(1, sizeof *t);
		t->http = h;
		t->easy = curl_easy_init();
		buf_init_secret(&t->request, SIZE_MAX - 1); /* credentials are asked for and come this way, too */
		reply_init(&t->reply);
		if (t->easy)
			set_constants(h, t);
	}
	t->id = ++h->last_id;
	t->next = h->busy;
	t->self = &h->busy;
	if (t->next)
		t->next->self = &t->next;
	h->busy = t;
	h->nbusy++;
	return t;
}

static void transfer_free(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	buf_clear(&t->request);
	reply_clear(&t->reply);
	free(t);
}

/* Tokens are among them. */
static void drop_request_headers(struct transfer *t)
{
	for (struct curl_slist *l = t->headers; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(t->headers);
	t->headers = NULL;
}

/* The transfer is out of the busy list and its done has run. */
static void transfer_put(struct transfer *t)
{
	struct http *h = t->http;
	drop_request_headers(t);
	if (h->nspare == SPARE_MAX || !t->easy) {
		transfer_free(t);
		return;
	}
	reply_trim(&t->reply);
	if (t->request.cap > KEEP_BYTES)
		buf_clear(&t->request);
	else
		buf_reset(&t->request);
	t->life = FREE;
	t->next = h->spare;
	h->spare = t;
	h->nspare++;
}

/* Hands the outcome over; afterwards t may serve another request. */
static void finish(struct transfer *t, enum http_sent sent, const struct http_res *res, const struct err *e)
{
	struct http *h = t->http;
	if (t->life == FLYING)
		curl_multi_remove_handle(h->multi, t->easy);
	h->nrefused -= t->life == REFUSED;
	*t->self = t->next;
	if (t->next)
		t->next->self = t->self;
	h->nbusy--;
	t->done(t->ctx, sent, res, e);
	transfer_put(t);
}

/* ---- sending */

/* A header that could smuggle another one is a bug of ours: nothing is sent then. */
static bool one_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' && *s != '\t')
			return false;
	return true;
}

static bool add_header(struct transfer *t, const char *line)
{
	struct curl_slist *l = curl_slist_append(t->headers, line);
	if (l)
		t->headers = l;
	return l;
}

/* "Name;" is curl's way of saying: empty, but there. */
static bool put_header(struct buf *line, const struct http_header *h)
{
	return buf_adds(line, h->name) &&
	       (*h->value ? buf_adds(line, ": ") && buf_adds(line, h->value) : buf_addc(line, ';'));
}

static bool add_headers(struct transfer *t, const struct http_req *rq)
{
	struct buf line;
	bool typed = false, ok = true;
	buf_init_secret(&line, HEADER_BYTES_MAX);
	for (unsigned i = 0; i < rq->nheaders && ok; i++) {
		const struct http_header *h = &rq->headers[i];
		buf_reset(&line);
		typed = typed || span_eq_nocase(span_of(h->name), "Content-Type");
		ok = one_line(h->name) && one_line(h->value) && put_header(&line, h) && add_header(t, line.p);
	}
	buf_clear(&line);
	/* What curl would add by itself, unsigned and unasked. Answers are unpacked in reply.c: curl must not know. */
	return ok && add_header(t, "Accept-Encoding: gzip") && add_header(t, "Expect:") &&
	       (typed || add_header(t, "Content-Type:"));
}

/* The decision is ours, so that doctor can tell it; curl's own look at the environment is switched off. */
static bool set_proxy(struct transfer *t, const struct http_send *s)
{
	struct proxy p = { 0 };
	if (!s->direct)
		p = proxy_for(s->url);
	t->via = p.url ? p.source : NULL;
	return proxy_valid(&p, &t->err) && curl_easy_setopt(t->easy, CURLOPT_PROXY, p.url ? p.url : "") == CURLE_OK;
}

static void set_method(struct transfer *t, const struct http_req *rq, bool once)
{
	CURL *c = t->easy;
	bool head = strcmp(rq->method, "HEAD") == 0;
	bool post = t->request.n || strcmp(rq->method, "POST") == 0 || strcmp(rq->method, "PUT") == 0;
	/* A kept connection may be dead already; curl then repeats the request on a new one. What must go once is therefore
	 * pulled by curl and cannot be rewound; without a body, it gets a connection of its own. */
	bool pulled = once && t->request.n;
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, !post || pulled ? NULL : t->request.n ? t->request.p : "");
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, post ? (curl_off_t)t->request.n : (curl_off_t)-1);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, head ? NULL : rq->method);
	curl_easy_setopt(c, CURLOPT_NOBODY, 0L); /* a HEAD before this leaves it set */
	curl_easy_setopt(c, head ? CURLOPT_NOBODY : post ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, once && !pulled ? 1L : 0L);
}

static bool prepare(struct transfer *t, const struct http_send *s)
{
	unsigned total = s->total_ms ? s->total_ms : TOTAL_MS;
	CURL *c = t->easy;
	t->why[0] = '\0';
	t->sent = 0;
	t->stale = false;
	buf_reset(&t->request);
	if (s->take) {
		struct buf had = t->request;
		t->request = *s->take;
		*s->take = had;
	}
	reply_begin(&t->reply, s->cap ? s->cap : CAP_DEFAULT, strncasecmp(s->url, "https:", 6) == 0);
	if ((!s->take && !buf_addspan(&t->request, buf_span(&s->req->body))) || !add_headers(t, s->req))
		return false;
	set_method(t, s->req, s->once);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->connect_ms ? s->connect_ms : CONNECT_MS));
	curl_easy_setopt(c, CURLOPT_DNS_CACHE_TIMEOUT, clock_mono_ms() < t->http->doubt_until ? 0L : DNS_CACHE_S);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)total);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, total > LONG_MS ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, total > LONG_MS ? 0L : (long)(STALL_S - AVERAGE_S));
	return set_proxy(t, s) && curl_easy_setopt(c, CURLOPT_URL, s->url) == CURLE_OK;
}

uint64_t http_submit(struct http *h, const struct http_send *s)
{
	struct transfer *t = transfer_take(h);
	t->done = s->done;
	t->ctx = s->ctx;
	err_clear(&t->err);
	if (t->easy && prepare(t, s) && curl_multi_add_handle(h->multi, t->easy) == CURLM_OK) {
		t->life = FLYING;
	} else { /* told like any other outcome, in the next turn */
		t->life = REFUSED;
		h->nrefused++;
		if (t->err.code == ERR_OK)
			err_set(&t->err, ERR_INTERNAL, "http", "the request cannot be sent as it is");
	}
	return t->id;
}

/* ---- outcomes */

static enum err_code code_of(CURLcode rc)
{
	switch (rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return ERR_DNS;
	case CURLE_OPERATION_TIMEDOUT: return ERR_TIMEOUT;
	case CURLE_FILESIZE_EXCEEDED: return ERR_LIMIT;
	case CURLE_PARTIAL_FILE:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL: return ERR_BADREPLY;
	case CURLE_URL_MALFORMAT: return ERR_CONF;
	default: return ERR_CONNECT; /* refused, reset, nothing came */
	}
}

/* What the proxy answered when it was asked for a tunnel and did not give one; 0 when there was none to ask or it gave it. */
static long tunnel_refused(const struct transfer *t)
{
	long code = 0;
	if (t->via)
		curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &code);
	return code >= 200 && code < 300 ? 0 : code;
}

/* Did any byte of the request leave? When in doubt it did. */
static enum http_sent sent_of(const struct transfer *t)
{
	long bytes = 0;
	if (tunnel_refused(t))
		return HTTP_NOT_SENT; /* the bytes counted are those of CONNECT */
	return curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK && bytes == 0 ? HTTP_NOT_SENT
	                                                                                           : HTTP_MAYBE_SENT;
}

static void blame_proxy(const struct transfer *t, long status, struct err *e)
{
	struct proxy p = { PROXY_SET, getenv(t->via), t->via };
	proxy_failed(&p, (int)status, e);
}

/* Curl has one code for a line that breaks and for an answer that breaks the rules, and calls its own limits strange names. */
static enum err_code code_of_text(const struct transfer *t, CURLcode rc, const char **text)
{
	if (rc == CURLE_OPERATION_TIMEDOUT && strncmp(*text, "Resolving", 9) == 0) {
		*text = "the resolver does not answer";
		return ERR_DNS;
	}
	if (rc == CURLE_OPERATION_TIMEDOUT && strncmp(*text, "Operation too slow", 18) == 0) {
		*text = "the line went silent";
		return ERR_TIMEOUT;
	}
	if (t->reply.begun && (rc == CURLE_OUT_OF_MEMORY || strstr(*text, "Too large response headers"))) {
		*text = "the answer's headers are too large";
		return ERR_LIMIT;
	}
	return t->reply.begun && strstr(*text, "chunked-encod") ? ERR_BADREPLY : code_of(rc);
}

static enum err_code why_failed(const struct transfer *t, CURLcode rc, char *why, size_t size)
{
	const char *text = t->why[0] ? t->why : curl_easy_strerror(rc);
	enum err_code code = t->reply.code;
	if (code != ERR_OK) {
		text = t->reply.why;
	} else {
		code = tls_failure(t->easy, rc, text, &t->http->trust, why, size);
		if (code != ERR_OK)
			return code;
		code = code_of_text(t, rc, &text);
	}
	snprintf(why, size, "%s", text);
	return code;
}

static void finish_failed(struct transfer *t, CURLcode rc)
{
	struct err e = { 0 };
	char why[sizeof e.text];
	enum err_code code = why_failed(t, rc, why, sizeof why);
	enum http_sent sent = sent_of(t);
	if (sent == HTTP_NOT_SENT) /* the address may be an old one: the next try asks the resolver again */
		t->http->doubt_until = clock_mono_ms() + DOUBT_MS;
	err_set(&e, code, "http", "%s", why);
	err_mask_logins(&e); /* curl quotes a proxy that it does not understand */
	if (t->via)
		blame_proxy(t, tunnel_refused(t), &e);
	finish(t, sent, NULL, &e);
}

static void finish_answered(struct transfer *t)
{
	const struct reply *r = &t->reply;
	struct http_res res = { .status = r->status, .body = buf_span(&r->body), .headers = r->head, .nheaders = r->nhead };
	struct err e = { 0 };
	if (t->via && r->status == PROXY_WANTS_LOGIN) { /* of plain http, where a proxy answers in the service's place */
		blame_proxy(t, r->status, &e);
		finish(t, HTTP_MAYBE_SENT, NULL, &e);
		return;
	}
	finish(t, HTTP_ANSWERED, &res, &e);
}

static unsigned collect_refused(struct http *h)
{
	unsigned n = 0;
	for (struct transfer *t = h->busy; t && h->nrefused;) {
		if (t->life != REFUSED) {
			t = t->next;
			continue;
		}
		struct err e = t->err;
		finish(t, HTTP_NOT_SENT, NULL, &e);
		n++;
		t = h->busy; /* done may have changed the list */
	}
	return n;
}

/* Nothing of it has left: it goes again, on a connection of its own. */
static bool again(struct transfer *t)
{
	struct http *h = t->http;
	if (!t->stale)
		return false;
	t->stale = false;
	curl_multi_remove_handle(h->multi, t->easy);
	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
	return curl_multi_add_handle(h->multi, t->easy) == CURLM_OK;
}

static unsigned collect(struct http *h)
{
	unsigned n = collect_refused(h);
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
		char *private = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode rc = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
		struct transfer *t = (struct transfer *)(void *)private;
		if (again(t))
			continue;
		if (rc == CURLE_OK && reply_whole(&t->reply))
			finish_answered(t);
		else
			finish_failed(t, rc);
		n++;
	}
	return n;
}

/* ---- SIGPIPE: a TLS line that breaks while it is written to must not end the program. Blocked on this thread alone, and what
 * came meanwhile is taken off; a handler or default of the program's own stays untouched. */
struct pipe_guard {
	sigset_t before;
	bool armed;
};

static void guard_begin(struct pipe_guard *g)
{
	sigset_t pipe;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &g->before);
	g->armed = !sigismember(&g->before, SIGPIPE);
}

static void guard_end(const struct pipe_guard *g)
{
	if (!g->armed)
		return;
	sigset_t pipe;
	struct timespec now = { 0 };
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigtimedwait(&pipe, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &g->before, NULL);
}

void http_turn(struct http *h, int timeout_ms)
{
	struct pipe_guard guard;
	int running;
	guard_begin(&guard);
	curl_multi_perform(h->multi, &running);
	if (collect(h) == 0 && timeout_ms > 0) {
		curl_multi_poll(h->multi, NULL, 0, clock_real_ms(timeout_ms), NULL);
		curl_multi_perform(h->multi, &running);
		collect(h);
	}
	guard_end(&guard);
}

void http_wakeup(struct http *h)
{
	curl_multi_wakeup(h->multi);
}

unsigned http_busy(const struct http *h)
{
	return h->nbusy;
}

/* ---- life */

static void cancel(struct transfer *t)
{
	struct err e = { 0 };
	err_set(&e, ERR_CANCELLED, "http", "no answer came in time");
	if (t->via && t->life == FLYING)
		blame_proxy(t, 0, &e);
	finish(t, t->life == FLYING ? sent_of(t) : HTTP_NOT_SENT, NULL, &e);
}

void http_cancel(struct http *h, uint64_t id)
{
	for (struct transfer *t = h->busy; t; t = t->next) {
		if (t->id != id)
			continue;
		cancel(t);
		return;
	}
}

struct http *http_new(const char *ca_bundle, struct err *e)
{
	struct http *h = xcalloc(1, sizeof *h);
	h->multi = curl_multi_init();
	h->share = curl_share_init();
	if (!h->multi || !h->share ||
	    curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
		err_set(e, ERR_INTERNAL, "libcurl", "no multi handle");
		http_free(h);
		return NULL;
	}
	tls_trust_choose(&h->trust, ca_bundle);
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	struct pipe_guard guard;
	guard_begin(&guard);
	while (h->busy)
		cancel(h->busy);
	for (struct transfer *t = h->spare, *next; t; t = next) {
		next = t->next;
		transfer_free(t);
	}
	curl_multi_cleanup(h->multi);
	curl_share_cleanup(h->share);
	guard_end(&guard);
	tls_trust_clear(&h->trust);
	sockets_clear(&h->sockets);
	free(h);
}
