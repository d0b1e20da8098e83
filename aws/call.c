/* One call's way: it waits in its operation's line for the gate, flies, and then is done, waits for a retry, or goes round
 * again for the next page. It is in exactly one list all that time. */
#include "aws/call.h"

#include "aws/address.h"
#include "aws/classify.h"
#include "aws/line.h"
#include "aws/pages.h"
#include "aws/retry.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATEST_MS 20000 /* after its first attempt began no further one begins: somebody waits for the answer */
#define RATE_DEFAULT 50
#define SKEW_LEAST 240 /* seconds; below, the clock is not what the service minds */

struct call {
	struct queued queued; /* first: what is in a list of calls is a call */
	struct aws *aws;
	uint64_t id, flight; /* flight: of http_submit */
	const struct op *op;
	void *in, *out;
	aws_done *done;
	void *ctx;
	enum call_class class;
	unsigned line; /* index of its operation's line */
	unsigned total_ms, attempt, most;
	struct pages pages;
	bool skew_tried, renewed, moved;
	const char *bucket;         /* of its request; borrowed from `in` */
	bool doubt;                 /* an attempt may have taken effect */
	uint64_t keys;              /* the set it was signed with last */
	int64_t signed_at;          /* the time of its last signature */
	int spent;                  /* quota of its last retry */
	int64_t wake, begun, since; /* since: when its first attempt began */
	char invocation[37];
	struct err err; /* in the `over` list */
};

struct aws {
	struct http *http;
	const struct account *account;
	struct cred *cred;
	struct line **lines; /* one an operation, as stats[] */
	struct aws_stat *stats;
	unsigned nlines, turn;
	struct calls delayed, flying, over;
	unsigned nflying, nfilling, busy; /* filling: those of CALL_HISTORY */
	struct aws_opts opts;
	struct buckets buckets;
	struct retry_quota quota;
	int64_t ahead; /* of the first answer's Date */
	bool clock_seen;
	uint64_t last_id;
	struct chance chance;
	bool closing;
};

static struct call *call_of(struct queued *q)
{
	return (struct call *)q;
}

static struct calls *waiting_of(const struct call *k)
{
	return &k->aws->lines[k->line]->waiting[k->class];
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
	struct err said = *e;
	said.in_doubt = e->code != ERR_OK && k->doubt;
	if (e->code != ERR_CANCELLED)
		st->last = said;
	if (e->code == ERR_OK)
		st->ok_at = clock_wall(), st->ok_ms = clock_mono_ms();
	else if (e->code != ERR_CANCELLED)
		st->failed++;
	drop_token(page_of(k, k->in));
	drop_token(page_of(k, k->out));
	c->busy--;
	k->done(k->ctx, k->op, k->in, k->out, &said);
	pages_clear(&k->pages);
	free(k);
}

static void fail_later(struct call *k, const struct err *e)
{
	k->err = *e;
	snprintf(k->err.where, sizeof k->err.where, "%s", k->op->iam);
	calls_add(&k->aws->over, &k->queued);
}

/* ---- sending */

/* After signing: these say nothing that a signature need protect. */
static void add_courtesy(const struct call *k, struct http_req *rq)
{
	char text[48];
	http_req_header(rq, "User-Agent", "sluice/" SLUICE_VERSION);
	http_req_header(rq, "amz-sdk-invocation-id", k->invocation);
	snprintf(text, sizeof text, "attempt=%u; max=%u", k->attempt, k->most);
	http_req_header(rq, "amz-sdk-request", text);
}

static http_done on_answer;
static bool submit(struct call *k, struct http_req *rq, struct buf *url, struct err *e)
{
	struct aws *c = k->aws;
	k->bucket = rq->bucket;
	if (!address_of(c->account, &c->buckets, k->op, rq, url, e) ||
	    !address_sign(c->account, &c->buckets, c->cred, k->op, buf_span(url), rq, &k->keys, e))
		return false;
	add_courtesy(k, rq);
	bool ok = buf_addspan(url, buf_span(&rq->path));
	if (ok && rq->query.n)
		ok = buf_addc(url, '?') && buf_addspan(url, buf_span(&rq->query));
	if (!ok)
		return err_set(e, ERR_LIMIT, k->op->iam, "the request is too large");
	struct http_send s = { .url = url->p,
		                   .req = rq,
		                   .take = &rq->body,
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
	k->signed_at = clock_wall();
	if (k->attempt == 1)
		k->since = k->begun;
	c->stats[k->line].attempts++;
	c->nflying++;
	c->nfilling += k->class == CALL_HISTORY;
	calls_add(&c->flying, &k->queued);
}

static void wake_delayed(struct aws *c, int64_t now)
{
	for (struct queued *q = c->delayed.head, *next; q; q = next) {
		next = q->next;
		if (call_of(q)->wake > now)
			continue;
		calls_drop(&c->delayed, q);
		calls_push(waiting_of(call_of(q)), q);
	}
}

/* May k's request be signed now? When there are no keys and none are coming, it fails for that reason. */
static bool has_keys(struct call *k)
{
	struct aws *c = k->aws;
	struct sign_keys keys;
	struct err e;
	if (k->op->open || !c->cred)
		return true;
	switch (cred_keys(c->cred, &keys, &k->keys, &e)) {
	case CRED_READY: return true;
	case CRED_FETCHING: return false;
	default: break;
	}
	calls_drop(waiting_of(k), &k->queued);
	k->err = e;
	calls_add(&c->over, &k->queued);
	return false;
}

/* One call of that class from each line in turn, so that a long line of one operation cannot starve the others. */
static bool pump_class(struct aws *c, enum call_class which, int64_t now)
{
	bool sent = false;
	for (unsigned i = 0; i < c->nlines && !line_full(which, c->nflying, c->nfilling); i++) {
		struct line *l = c->lines[(c->turn + i) % c->nlines];
		struct queued *q = l->waiting[which].head;
		if (!q || !has_keys(call_of(q)) || !gate_take(&l->gate, now))
			continue;
		calls_drop(&l->waiting[which], q);
		send_call(call_of(q));
		sent = true;
	}
	c->turn++;
	return sent;
}

/* Sends what gates and the number in flight allow. */
static void pump(struct aws *c)
{
	int64_t now = clock_mono_ms();
	wake_delayed(c, now);
	for (unsigned i = 0; i < CALL_CLASSES && !c->closing; i++)
		while (pump_class(c, i, now))
			;
}

/* ---- answers */

/* May it go again? Then it is queued and true is returned. undone: the attempt certainly had no effect. */
static bool retry(struct call *k, enum fault fault, bool undone, const struct http_res *res)
{
	struct aws *c = k->aws;
	k->doubt = k->doubt || !undone;
	bool late = clock_mono_ms() - k->since > LATEST_MS;
	struct retry_case r = { .fault = c->closing || late ? FAULT_FINAL : fault,
		                    .safe = k->op->idempotent || undone,
		                    .attempt = k->attempt,
		                    .most = k->most,
		                    .chance = chance_unit(&c->chance),
		                    .asked_ms = wire_retry_after_ms(res) };
	int64_t wait = retry_decide(&c->quota, &r, &k->spent);
	if (wait < 0)
		return false;
	k->wake = clock_mono_ms() + wait;
	k->attempt++;
	calls_add(&c->delayed, &k->queued);
	return true;
}

static int64_t machine_clock(void)
{
	return clock_wall() - clock_correction();
}

/* What AWS sends, asks for and accepts goes by its clock: one that is minutes off ours is followed. */
static void follow_clock(const struct call *k, int64_t ahead)
{
	if (llabs(ahead - clock_correction()) < SKEW_LEAST) /* or a call beside this one has learned it already */
		return;
	log_warn(LOG_AWS, "%s: this machine's clock is %lld s %s AWS's, which is followed", k->op->iam,
	         (long long)llabs(ahead), ahead > 0 ? "behind" : "ahead of");
	clock_correct(ahead);
}

static void hear_clock(struct call *k, const struct http_res *res)
{
	struct aws *c = k->aws;
	if (c->clock_seen || !wire_clock(res, clock_mono_ms() - k->begun, machine_clock(), &c->ahead))
		return;
	c->clock_seen = true;
	follow_clock(k, c->ahead);
}

/* A signature's time was refused: if it was far from the service's clock, that is followed, once. */
static bool adopt_clock(struct call *k, const struct http_res *res)
{
	int64_t took = clock_mono_ms() - k->begun, off, ahead;
	if (k->skew_tried || !wire_clock(res, took, k->signed_at + took / 1000, &off) || llabs(off) < SKEW_LEAST)
		return false;
	wire_clock(res, took, machine_clock(), &ahead);
	follow_clock(k, ahead);
	k->skew_tried = true;
	calls_push(waiting_of(k), &k->queued);
	return true;
}

static bool next_page(struct call *k, struct err *e)
{
	if (!pages_next(&k->pages, k->op, k->in, k->out, e))
		return false;
	k->attempt = 1;
	k->skew_tried = k->renewed = false;
	chance_uuid(&k->aws->chance, k->invocation);
	calls_push(waiting_of(k), &k->queued);
	return true;
}

static void on_success(struct call *k, const struct http_res *res)
{
	struct err e = { 0 };
	retry_quota_earn(&k->aws->quota, k->spent);
	k->spent = 0;
	gate_succeeded(&k->aws->lines[k->line]->gate);
	k->pages.bytes += res->body.n;
	if (k->op->read(res, k->out, &e)) {
		if (k->op->paged && ((struct page *)k->out)->token) {
			if (next_page(k, &e))
				return;
		}
	}
	if (e.code != ERR_OK) {
		k->doubt = true; /* it was done, whatever this answer is */
		cred_mask(k->aws->cred, &e);
		snprintf(e.where, sizeof e.where, "%s", k->op->iam);
		e.http = res->status;
		const char *id = http_res_header(res, "x-amzn-RequestId");
		snprintf(e.request_id, sizeof e.request_id, "%s", id ? id : "");
	}
	finish(k, &e);
}

/* Whoever cannot be sent in time is told now, and through `over`: its owner may start other calls at once. */
static void on_throttled(struct line *l)
{
	struct calls out;
	struct err e;
	calls_init(&out);
	gate_throttled(&l->gate, clock_mono_ms());
	line_shed(l, &out);
	for (struct queued *q; (q = out.head);) {
		calls_drop(&out, q);
		err_set(&e, ERR_THROTTLED, call_of(q)->op->iam, "left out while AWS throttles this account");
		fail_later(call_of(q), &e);
	}
}

/* Its keys were refused, so nothing was done: once more with others, if there are or will be any. */
static bool renew(struct call *k, const struct err *why)
{
	struct aws *c = k->aws;
	if (!c->cred || k->op->open || !cred_refused(c->cred, k->keys, why) || k->renewed || c->closing)
		return false;
	k->renewed = true;
	calls_push(waiting_of(k), &k->queued);
	return true;
}

/* S3 says that the bucket is in another region: nothing was done, and it is asked there, once. */
static bool moves(struct call *k, const struct http_res *res)
{
	struct aws *c = k->aws;
	if (k->moved || c->closing || !buckets_learn(&c->buckets, c->account, k->bucket, res))
		return false;
	k->moved = true;
	calls_push(waiting_of(k), &k->queued);
	return true;
}

static void on_refusal(struct call *k, const struct http_res *res)
{
	struct err e;
	enum fault fault = classify(k->op, res, &e);
	cred_mask(k->aws->cred, &e);
	bool undone = classify_undone(fault, &e);
	if (fault_throttled(fault))
		on_throttled(k->aws->lines[k->line]);
	if (fault == FAULT_SKEWED) {
		if (adopt_clock(k, res))
			return;
		fault = FAULT_FINAL;
	}
	if (fault == FAULT_EXPIRED) {
		if (renew(k, &e))
			return;
		fault = FAULT_FINAL;
	}
	if (moves(k, res))
		return;
	if (!retry(k, fault, undone, res))
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

bool aws_clock(const struct aws *c, int64_t *seconds)
{
	*seconds = c->ahead;
	return c->clock_seen;
}

static void on_answer(void *ctx, enum http_sent sent, const struct http_res *res, const struct err *e)
{
	struct call *k = ctx;
	struct aws *c = k->aws;
	calls_drop(&c->flying, &k->queued);
	c->nflying--;
	c->nfilling -= k->class == CALL_HISTORY;
	log_debug(LOG_AWS, "%s attempt %u: HTTP %d, %zu bytes, %lld ms%s%s", k->op->iam, k->attempt, res ? res->status : 0,
	          res ? res->body.n : 0, (long long)(clock_mono_ms() - k->begun), res ? "" : ": ", res ? "" : e->text);
	if (res)
		hear_clock(k, res);
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
	c->lines = xreallocarray(c->lines, c->nlines + 1u, sizeof *c->lines);
	c->stats = xreallocarray(c->stats, c->nlines + 1u, sizeof *c->stats);
	c->lines[c->nlines] = xcalloc(1, sizeof **c->lines);
	line_init(c->lines[c->nlines], op->rate ? op->rate : RATE_DEFAULT, clock_mono_ms());
	c->stats[c->nlines] = (struct aws_stat){ .op = op };
	return c->nlines++;
}

static void refuse(struct call *k)
{
	struct err e = { 0 };
	err_set(&e, ERR_GATE, k->op->iam, "this would write, and the gate has not let it through");
	fail_later(k, &e);
}

uint64_t aws_call_permitted(struct aws *c, const struct permit *p, enum call_class class, const struct op *op, void *in,
                            void *out, aws_done *done, void *ctx)
{
	struct call *k = xcalloc(1, sizeof *k);
	*k = (struct call){ .aws = c,
		                .id = ++c->last_id,
		                .op = op,
		                .in = in,
		                .out = out,
		                .done = done,
		                .ctx = ctx,
		                .class = class,
		                .line = line_of(c, op),
		                .total_ms = c->opts.total_ms,
		                .most = c->opts.attempts ? c->opts.attempts : c->account->attempts,
		                .attempt = 1 };
	uint64_t id = k->id;
	chance_uuid(&k->aws->chance, k->invocation);
	c->stats[k->line].calls++;
	c->busy++;
	if (op->effect == OP_READ || (p && p->op == op))
		calls_add(waiting_of(k), &k->queued);
	else
		refuse(k);
	pump(c);
	return id;
}

static struct calls *calls_at(struct aws *c, unsigned i)
{
	struct calls *fixed[] = { &c->flying, &c->delayed, &c->over };
	if (i < 3)
		return fixed[i];
	i -= 3;
	return i / CALL_CLASSES < c->nlines ? &c->lines[i / CALL_CLASSES]->waiting[i % CALL_CLASSES] : NULL;
}

/* k is in list l. */
static void cancel(struct calls *l, struct call *k)
{
	struct err e = { 0 };
	if (l == &k->aws->flying) {
		http_cancel(k->aws->http, k->flight); /* comes back through on_answer */
		return;
	}
	calls_drop(l, &k->queued);
	err_set(&e, ERR_CANCELLED, k->op->iam, "no answer came in time");
	finish(k, &e);
}

void aws_cancel(struct aws *c, uint64_t id)
{
	struct calls *l;
	for (unsigned i = 0; (l = calls_at(c, i)); i++) {
		for (struct queued *q = l->head; q; q = q->next) {
			if (call_of(q)->id != id)
				continue;
			cancel(l, call_of(q));
			return;
		}
	}
}

static void deliver_over(struct aws *c)
{
	uint64_t last = c->last_id; /* what callbacks start and what fails at once waits for the next tick */
	for (struct queued *q; (q = c->over.head) && call_of(q)->id <= last;) {
		struct err e = call_of(q)->err;
		calls_drop(&c->over, q);
		finish(call_of(q), &e);
	}
}

/* Then it is not the gate that decides when to look again. */
static bool awaits_keys(const struct call *k)
{
	struct sign_keys keys;
	uint64_t generation;
	return !k->op->open && k->aws->cred && cred_keys(k->aws->cred, &keys, &generation, NULL) != CRED_READY;
}

int aws_tick(struct aws *c)
{
	int wait = c->cred ? cred_turn(c->cred) : -1;
	deliver_over(c);
	pump(c);
	if (c->over.head)
		return 0;
	int64_t now = clock_mono_ms();
	for (struct queued *q = c->delayed.head; q; q = q->next) {
		int64_t wake = call_of(q)->wake;
		int left = wake > now ? (int)(wake - now) : 0;
		wait = wait < 0 || left < wait ? left : wait;
	}
	for (unsigned i = 0; i < c->nlines; i++) {
		struct queued *first = line_first(c->lines[i]);
		if (!first || line_full(call_of(first)->class, c->nflying, c->nfilling) || awaits_keys(call_of(first)))
			continue;
		int left = gate_wait(&c->lines[i]->gate, now);
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
	c->opts = *o;
}

struct aws *aws_new(struct http *h, const struct account *a, struct cred *cred)
{
	struct aws *c = xcalloc(1, sizeof *c);
	c->http = h;
	c->account = a;
	c->cred = cred;
	retry_quota_init(&c->quota);
	uint64_t seed;
	if (!hash_random(&seed, sizeof seed))
		seed = (uint64_t)clock_wall_ms() * 0x9e3779b97f4a7c15u;
	chance_init(&c->chance, seed);
	calls_init(&c->delayed);
	calls_init(&c->flying);
	calls_init(&c->over);
	return c;
}

static struct call *any_call(struct aws *c, struct calls **l)
{
	for (unsigned i = 0; (*l = calls_at(c, i)); i++)
		if ((*l)->head)
			return call_of((*l)->head);
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
	for (unsigned i = 0; i < c->nlines; i++)
		free(c->lines[i]);
	free(c->lines);
	free(c->stats);
	free(c);
}
