/* One call's way: it waits in its operation's line for the gate, flies, and then is done, waits for a retry, or goes round
 * again for the next page. It is in exactly one list all that time. */
#include "aws/call.h"

#include "aws/classify.h"
#include "aws/gate.h"
#include "aws/sign.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLYING_MAX 32
#define ATTEMPTS 3u
#define LATEST_MS 20000 /* after its first attempt began no further one begins: somebody waits for the answer */
#define PAGES_MAX 10000
#define RATE_DEFAULT 50
#define DELAY_MAX 20.0 /* seconds between attempts */
#define BASE_TRANSIENT 0.05
#define BASE_THROTTLED 1.0
#define QUOTA 500 /* what retries may cost in all before successes earn it back */
#define COST_TRANSIENT 14
#define COST_THROTTLED 5
#define SKEW_LEAST 240 /* seconds; below, the clock is not what the service minds */

struct call {
	struct aws *aws;
	uint64_t id, flight; /* flight: of http_submit */
	const struct op *op;
	void *in, *out;
	aws_done *done;
	void *ctx;
	unsigned line; /* index of its operation's line */
	unsigned total_ms, attempt, pages, anchor_page;
	bool skew_tried;
	int64_t skew;               /* what its last signature was corrected by */
	int spent;                  /* quota of its last retry */
	int64_t wake, begun, since; /* since: when its first attempt began */
	char *anchor;               /* an earlier page's token: meeting it again means going in circles */
	char invocation[37];
	struct err err; /* in the `over` list */
	struct call *next, **self;
};

struct calls {
	struct call *head, **tail;
};

struct line {
	struct gate gate;
	struct calls waiting;
};

struct aws {
	struct http *http;
	const struct account *account;
	struct line *lines; /* one an operation, as stats[] */
	struct aws_stat *stats;
	unsigned nlines, turn;
	struct calls delayed, flying, over;
	unsigned nflying, busy, total_ms;
	int quota;
	int64_t skew;
	int64_t ahead; /* of the first answer's Date */
	bool clock_seen;
	uint64_t last_id, random;
	bool closing;
};

/* ---- lists */

static void calls_init(struct calls *l)
{
	l->head = NULL;
	l->tail = &l->head;
}

static void calls_add(struct calls *l, struct call *k)
{
	k->next = NULL;
	k->self = l->tail;
	*l->tail = k;
	l->tail = &k->next;
}

static void calls_push(struct calls *l, struct call *k)
{
	k->next = l->head;
	k->self = &l->head;
	if (l->head)
		l->head->self = &k->next;
	else
		l->tail = &k->next;
	l->head = k;
}

static void calls_drop(struct calls *l, struct call *k)
{
	*k->self = k->next;
	if (k->next)
		k->next->self = k->self;
	else
		l->tail = k->self;
}

/* ---- chance: for jitter and ids, no secret */

static uint64_t chance(struct aws *c)
{
	uint64_t x = c->random;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	c->random = x;
	return x * 0x2545f4914f6cdd1du;
}

static double chance_unit(struct aws *c)
{
	return (double)(chance(c) >> 11) * 0x1p-53;
}

static void new_invocation(struct call *k)
{
	uint64_t a = chance(k->aws), b = chance(k->aws);
	snprintf(k->invocation, sizeof k->invocation, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
	         (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff, ((unsigned)(b >> 48) & 0x3fff) | 0x8000,
	         (unsigned long long)(b & 0xffffffffffffu));
}

/* ---- the end of a call */

static struct page *page_of(const struct call *k, void *p)
{
	return k->op->paged ? p : NULL;
}

static void drop_token(struct page *p)
{
	if (p)
		wire_token(p, NULL);
}

/* k is in no list any more. */
static void finish(struct call *k, const struct err *e)
{
	struct aws *c = k->aws;
	struct aws_stat *st = &c->stats[k->line];
	if (e->code != ERR_CANCELLED)
		st->last = *e;
	if (e->code == ERR_OK)
		st->ok_at = clock_wall();
	else if (e->code != ERR_CANCELLED)
		st->failed++;
	drop_token(page_of(k, k->in));
	drop_token(page_of(k, k->out));
	c->busy--;
	k->done(k->ctx, k->op, k->in, k->out, e);
	free(k->anchor);
	free(k);
}

static void fail_later(struct call *k, const struct err *e)
{
	k->err = *e;
	snprintf(k->err.where, sizeof k->err.where, "%s", k->op->iam);
	calls_add(&k->aws->over, k);
}

/* ---- sending */

/* The Host header as curl writes it: without the scheme's own port. */
static void host_of(struct span url, char out[256])
{
	bool tls = url.n >= 8 && memcmp(url.p, "https://", 8) == 0;
	const char *port = tls ? ":443" : ":80";
	size_t skip = tls ? 8 : 7, n = url.n > skip ? url.n - skip : 0, k = strlen(port);
	const char *host = url.p + skip;
	if (n > k && memcmp(host + n - k, port, k) == 0)
		n -= k;
	snprintf(out, 256, "%.*s", (int)n, host);
}

static bool sign(struct call *k, struct span endpoint, struct http_req *rq, struct err *e)
{
	const struct account *a = k->aws->account;
	char host[256];
	host_of(endpoint, host);
	k->skew = k->aws->skew;
	struct sign_in in = {
		.keys = { a->access_key.value, a->secret_key.value, a->session_token.value },
		.region = a->region.value,
		.service = k->op->service->signing,
		.host = host,
		.now = clock_wall() + k->skew,
	};
	return sign_request(&in, rq, e);
}

/* After signing: these say nothing that a signature need protect. */
static void add_courtesy(const struct call *k, struct http_req *rq)
{
	char text[48];
	http_req_header(rq, "User-Agent", "sluice/" SLUICE_VERSION);
	http_req_header(rq, "amz-sdk-invocation-id", k->invocation);
	snprintf(text, sizeof text, "attempt=%u; max=%u", k->attempt, ATTEMPTS);
	http_req_header(rq, "amz-sdk-request", text);
}

static http_done on_answer;

static bool submit(struct call *k, struct http_req *rq, struct buf *url, struct err *e)
{
	struct aws *c = k->aws;
	if (!account_endpoint(c->account, k->op->service, url))
		return err_set(e, ERR_USAGE, k->op->iam, "no region is set");
	if (!c->account->access_key.value || !c->account->secret_key.value || !c->account->region.value)
		return err_set(e, ERR_NOCRED, k->op->iam, "no keys or no region to sign with");
	if (!sign(k, buf_span(url), rq, e))
		return false;
	add_courtesy(k, rq);
	bool ok = buf_addspan(url, buf_span(&rq->path));
	if (ok && rq->query.n)
		ok = buf_addc(url, '?') && buf_addspan(url, buf_span(&rq->query));
	if (!ok)
		return err_set(e, ERR_LIMIT, k->op->iam, "the request is too large");
	struct http_send s = { .url = url->p,
		                   .req = rq,
		                   .cap = k->op->cap,
		                   .total_ms = k->total_ms,
		                   .once = !k->op->idempotent,
		                   .done = on_answer,
		                   .ctx = k };
	k->flight = http_submit(c->http, &s);
	return true;
}

/* k is in no list. */
static void send_call(struct call *k)
{
	struct aws *c = k->aws;
	struct http_req rq;
	struct buf url;
	struct err e = { 0 };
	http_req_init(&rq);
	buf_init(&url, 128u * 1024);
	bool ok = k->op->build(k->in, &rq, &e);
	if (ok) {
		wire_frame(k->op, &rq);
		ok = submit(k, &rq, &url, &e);
	}
	http_req_clear(&rq);
	buf_clear(&url);
	if (!ok) {
		fail_later(k, &e);
		return;
	}
	k->begun = clock_mono_ms();
	if (k->attempt == 1)
		k->since = k->begun;
	c->stats[k->line].attempts++;
	c->nflying++;
	calls_add(&c->flying, k);
}

static void wake_delayed(struct aws *c, int64_t now)
{
	for (struct call *k = c->delayed.head, *next; k; k = next) {
		next = k->next;
		if (k->wake > now)
			continue;
		calls_drop(&c->delayed, k);
		calls_push(&c->lines[k->line].waiting, k);
	}
}

/* Sends what gates and the number in flight allow: one of each operation in turn, so that a long line of one cannot starve the
 * others. */
static void pump(struct aws *c)
{
	int64_t now = clock_mono_ms();
	wake_delayed(c, now);
	for (bool sent = !c->closing; sent;) {
		sent = false;
		for (unsigned i = 0; i < c->nlines && c->nflying < FLYING_MAX; i++) {
			struct line *l = &c->lines[(c->turn + i) % c->nlines];
			struct call *k = l->waiting.head;
			if (!k || !gate_take(&l->gate, now))
				continue;
			calls_drop(&l->waiting, k);
			send_call(k);
			sent = true;
		}
		c->turn++;
	}
}

/* ---- answers */

static void earn_quota(struct aws *c, struct call *k)
{
	c->quota += k->spent ? k->spent : 1;
	c->quota = c->quota < QUOTA ? c->quota : QUOTA;
	k->spent = 0;
}

static int64_t retry_delay(struct call *k, enum fault fault, const struct http_res *res)
{
	double base = fault == FAULT_THROTTLED ? BASE_THROTTLED : BASE_TRANSIENT;
	double t = chance_unit(k->aws) * fmin(ldexp(base, (int)k->attempt - 1), DELAY_MAX) * 1000;
	double asked = wire_retry_after_ms(res);
	return (int64_t)fmax(t, fmin(asked, t + 5000));
}

/* May it go again? Then it is queued and true is returned. undone: the request certainly had no effect. */
static bool retry(struct call *k, enum fault fault, bool undone, const struct http_res *res)
{
	struct aws *c = k->aws;
	int cost = fault == FAULT_THROTTLED ? COST_THROTTLED : COST_TRANSIENT;
	if (fault == FAULT_FINAL || c->closing || k->attempt >= ATTEMPTS || c->quota < cost)
		return false;
	if ((!k->op->idempotent && !undone) || clock_mono_ms() - k->since > LATEST_MS)
		return false;
	c->quota -= cost;
	k->spent = cost;
	k->wake = clock_mono_ms() + retry_delay(k, fault, res);
	k->attempt++;
	calls_add(&c->delayed, k);
	return true;
}

/* A signature's time was refused: if the service's clock is far from ours, its is taken, once. */
static bool adopt_clock(struct call *k, const struct http_res *res)
{
	int64_t theirs;
	if (k->skew_tried || http_res_header(res, "Age") || !wire_date(http_res_header(res, "Date"), &theirs))
		return false;
	int64_t offset = theirs - clock_wall();
	if (llabs(offset - k->skew) < SKEW_LEAST)
		return false;
	if (llabs(offset - k->aws->skew) >= SKEW_LEAST) { /* else a call beside this one has learned it already */
		log_warn(LOG_AWS, "%s: this machine's clock is %lld s off the service's", k->op->iam, (long long)offset);
		k->aws->skew = offset;
	}
	k->skew_tried = true;
	calls_push(&k->aws->lines[k->line].waiting, k);
	return true;
}

/* Tokens that repeat would have us ask for ever. The anchor moves on at powers of two, so a circle of any length is met. */
static bool next_page(struct call *k, struct err *e)
{
	struct page *in = k->in, *out = k->out;
	k->pages++;
	if (k->pages >= PAGES_MAX)
		return err_set(e, ERR_LIMIT, k->op->iam, "more than %d pages", PAGES_MAX);
	if (k->anchor && strcmp(k->anchor, out->token) == 0)
		return err_set(e, ERR_BADREPLY, k->op->iam, "the service gave the same page token twice");
	if (k->pages >= 2 * k->anchor_page) {
		free(k->anchor);
		k->anchor = xstrdup(out->token);
		k->anchor_page = k->pages;
	}
	free(in->token);
	in->token = out->token;
	out->token = NULL;
	k->attempt = 1;
	k->skew_tried = false;
	new_invocation(k);
	calls_push(&k->aws->lines[k->line].waiting, k);
	return true;
}

static void on_success(struct call *k, const struct http_res *res)
{
	struct err e = { 0 };
	earn_quota(k->aws, k);
	gate_succeeded(&k->aws->lines[k->line].gate);
	if (k->op->read(res, k->out, &e)) {
		if (k->op->paged && ((struct page *)k->out)->token) {
			if (next_page(k, &e))
				return;
		}
	}
	if (e.code != ERR_OK) {
		snprintf(e.where, sizeof e.where, "%s", k->op->iam);
		e.http = res->status;
		const char *id = http_res_header(res, "x-amzn-RequestId");
		snprintf(e.request_id, sizeof e.request_id, "%s", id ? id : "");
	}
	finish(k, &e);
}

static void on_refusal(struct call *k, const struct http_res *res)
{
	struct err e;
	enum fault fault = classify(k->op, res, &e);
	if (fault == FAULT_THROTTLED)
		gate_throttled(&k->aws->lines[k->line].gate, clock_mono_ms());
	if (fault == FAULT_SKEWED) {
		if (adopt_clock(k, res))
			return;
		fault = FAULT_FINAL;
	}
	if (!retry(k, fault, fault == FAULT_THROTTLED, res))
		finish(k, &e);
}

/* Nothing came, or no whole answer. */
static void on_loss(struct call *k, enum http_sent sent, const struct err *why)
{
	static const bool final[ERR_COUNT] = {
		[ERR_TLS] = true, [ERR_LIMIT] = true, [ERR_CONF] = true, [ERR_CANCELLED] = true, [ERR_INTERNAL] = true
	};
	struct err e = *why;
	snprintf(e.where, sizeof e.where, "%s", k->op->iam);
	if (!retry(k, final[e.code] ? FAULT_FINAL : FAULT_TRANSIENT, sent == HTTP_NOT_SENT, NULL))
		finish(k, &e);
}

static void see_clock(struct aws *c, const struct http_res *res)
{
	int64_t theirs;
	c->clock_seen = wire_date(http_res_header(res, "Date"), &theirs);
	c->ahead = c->clock_seen ? theirs - clock_wall() : 0;
}

bool aws_clock(const struct aws *c, int64_t *seconds)
{
	*seconds = c->ahead;
	return c->clock_seen;
}

static void on_answer(void *ctx, enum http_sent sent, const struct http_res *res, const struct err *e)
{
	struct call *k = ctx;
	struct aws *c = k->aws;
	calls_drop(&c->flying, k);
	c->nflying--;
	log_debug(LOG_AWS, "%s attempt %u: HTTP %d, %zu bytes, %lld ms%s%s", k->op->iam, k->attempt, res ? res->status : 0,
	          res ? res->body.n : 0, (long long)(clock_mono_ms() - k->begun), res ? "" : ": ", res ? "" : e->text);
	if (res && !c->clock_seen)
		see_clock(c, res);
	if (!res)
		on_loss(k, sent, e);
	else if (res->status >= 200 && res->status < 300)
		on_success(k, res);
	else
		on_refusal(k, res);
	pump(c);
}

/* ---- the face */

static unsigned line_of(struct aws *c, const struct op *op)
{
	for (unsigned i = 0; i < c->nlines; i++)
		if (c->stats[i].op == op)
			return i;
	/* Lists point back at the line's own head: the array may move only while they are mended. */
	c->lines = xreallocarray(c->lines, c->nlines + 1u, sizeof *c->lines);
	c->stats = xreallocarray(c->stats, c->nlines + 1u, sizeof *c->stats);
	for (unsigned i = 0; i < c->nlines; i++) {
		struct calls *w = &c->lines[i].waiting;
		if (w->head)
			w->head->self = &w->head;
		else
			w->tail = &w->head;
	}
	struct line *l = &c->lines[c->nlines];
	gate_init(&l->gate, op->rate ? op->rate : RATE_DEFAULT, clock_mono_ms());
	calls_init(&l->waiting);
	c->stats[c->nlines] = (struct aws_stat){ .op = op };
	return c->nlines++;
}

uint64_t aws_call(struct aws *c, const struct op *op, void *in, void *out, aws_done *done, void *ctx)
{
	struct call *k = xcalloc(1, sizeof *k);
	*k = (struct call){ .aws = c,
		                .id = ++c->last_id,
		                .op = op,
		                .in = in,
		                .out = out,
		                .done = done,
		                .ctx = ctx,
		                .line = line_of(c, op),
		                .total_ms = c->total_ms,
		                .attempt = 1 };
	uint64_t id = k->id;
	new_invocation(k);
	c->stats[k->line].calls++;
	c->busy++;
	calls_add(&c->lines[k->line].waiting, k);
	pump(c);
	return id;
}

static struct calls *list_at(struct aws *c, unsigned i)
{
	struct calls *fixed[] = { &c->flying, &c->delayed, &c->over };
	return i < 3 ? fixed[i] : i - 3 < c->nlines ? &c->lines[i - 3].waiting : NULL;
}

/* k is in list l. */
static void cancel(struct calls *l, struct call *k)
{
	struct err e = { 0 };
	if (l == &k->aws->flying) {
		http_cancel(k->aws->http, k->flight); /* comes back through on_answer */
		return;
	}
	calls_drop(l, k);
	err_set(&e, ERR_CANCELLED, k->op->iam, "no answer came in time");
	finish(k, &e);
}

void aws_cancel(struct aws *c, uint64_t id)
{
	struct calls *l;
	for (unsigned i = 0; (l = list_at(c, i)); i++) {
		for (struct call *k = l->head; k; k = k->next) {
			if (k->id != id)
				continue;
			cancel(l, k);
			return;
		}
	}
}

static void deliver_over(struct aws *c)
{
	uint64_t last = c->last_id; /* what callbacks start and what fails at once waits for the next tick */
	for (struct call *k; (k = c->over.head) && k->id <= last;) {
		struct err e = k->err;
		calls_drop(&c->over, k);
		finish(k, &e);
	}
}

int aws_tick(struct aws *c)
{
	deliver_over(c);
	pump(c);
	if (c->over.head)
		return 0;
	int64_t now = clock_mono_ms();
	int wait = -1;
	for (struct call *k = c->delayed.head; k; k = k->next) {
		int left = k->wake > now ? (int)(k->wake - now) : 0;
		wait = wait < 0 || left < wait ? left : wait;
	}
	for (unsigned i = 0; i < c->nlines && c->nflying < FLYING_MAX; i++) {
		if (!c->lines[i].waiting.head)
			continue;
		int left = gate_wait(&c->lines[i].gate, now);
		wait = wait < 0 || left < wait ? left : wait;
	}
	return wait;
}

unsigned aws_busy(const struct aws *c)
{
	return c->busy;
}

const struct aws_stat *aws_stats(const struct aws *c, unsigned *n)
{
	*n = c->nlines;
	return c->stats;
}

void aws_configure(struct aws *c, const struct aws_opts *o)
{
	c->total_ms = o->total_ms;
}

struct aws *aws_new(struct http *h, const struct account *a)
{
	struct aws *c = xcalloc(1, sizeof *c);
	c->http = h;
	c->account = a;
	c->quota = QUOTA;
	if (!hash_random(&c->random, sizeof c->random))
		c->random = (uint64_t)clock_wall_ms() * 0x9e3779b97f4a7c15u;
	c->random |= 1; /* zero would stay zero */
	calls_init(&c->delayed);
	calls_init(&c->flying);
	calls_init(&c->over);
	return c;
}

static struct call *any_call(struct aws *c, struct calls **l)
{
	for (unsigned i = 0; (*l = list_at(c, i)); i++)
		if ((*l)->head)
			return (*l)->head;
	return NULL;
}

void aws_free(struct aws *c)
{
	if (!c)
		return;
	struct calls *l;
	c->closing = true;
	for (struct call *k; (k = any_call(c, &l));) /* callbacks may start further calls: these end here too */
		cancel(l, k);
	free(c->lines);
	free(c->stats);
	free(c);
}
