#include "aws/cred/fetch.h"

#include "aws/call.h"
#include "aws/cred/cred.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <string.h>
#include <time.h>

#define SLICE_MS 100 /* how late a fetch notices that it shall stop */

void fetch_end(struct fetch *f)
{
	http_free(f->http);
	f->http = NULL;
}

bool fetch_goes_on(const struct fetch *f, struct err *e)
{
	if (f->stop && atomic_load(f->stop))
		return err_set(e, ERR_CANCELLED, "credentials", "stopped");
	if (clock_mono_ms() >= f->deadline_ms)
		return err_set(e, ERR_TIMEOUT, "credentials", "no answer came in time");
	return true;
}

static int slice(const struct fetch *f, int64_t ms)
{
	int64_t left = f->deadline_ms - clock_mono_ms();
	ms = ms < left ? ms : left;
	return ms < 0 ? 0 : ms < SLICE_MS ? (int)ms : SLICE_MS;
}

bool fetch_sleep(const struct fetch *f, int ms, struct err *e)
{
	int64_t until = clock_mono_ms() + ms;
	while (fetch_goes_on(f, e)) {
		int64_t left = until - clock_mono_ms();
		if (left <= 0)
			return true;
		int now = slice(f, left);
		nanosleep(&(struct timespec){ .tv_nsec = now * 1000000L }, NULL);
	}
	return false;
}

static bool client(struct fetch *f, struct err *e)
{
	if (!f->http)
		f->http = http_new(f->account->ca_bundle.value, e);
	return f->http;
}

/* ---- one exchange */

struct waiting {
	struct fetched *out;
	struct err *e;
	bool done;
};

static void on_answer(void *ctx, enum http_sent sent, const struct http_res *res, const struct err *e)
{
	struct waiting *w = ctx;
	w->out->sent = sent;
	w->done = true;
	if (!res) {
		*w->e = *e;
		return;
	}
	w->out->status = res->status;
	if (!buf_addspan(&w->out->body, res->body))
		err_set(w->e, ERR_LIMIT, "credentials", "the answer is too large");
}

bool fetch_http(struct fetch *f, const struct fetch_get *g, struct fetched *out, struct err *e)
{
	struct waiting w = { .out = out, .e = e };
	*out = (struct fetched){ 0 };
	buf_init_secret(&out->body, g->cap);
	err_clear(e);
	if (!client(f, e) || !fetch_goes_on(f, e))
		return false;
	uint64_t id = http_submit(f->http, &(struct http_send){ .url = g->url,
	                                                        .req = g->req,
	                                                        .cap = g->cap,
	                                                        .connect_ms = g->connect_ms,
	                                                        .total_ms = g->total_ms,
	                                                        .direct = g->direct,
	                                                        .done = on_answer,
	                                                        .ctx = &w });
	while (!w.done && fetch_goes_on(f, e))
		http_turn(f->http, slice(f, SLICE_MS));
	if (!w.done) {
		struct err why = *e;
		http_cancel(f->http, id);
		*e = why;
	}
	return e->code == ERR_OK;
}

void fetched_clear(struct fetched *x)
{
	if (x->body.p)
		hash_wipe(x->body.p, x->body.n);
	buf_clear(&x->body);
	x->status = 0;
}

/* ---- one operation */

struct called {
	struct err *e;
	bool done;
};

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct called *c = ctx;
	(void)op, (void)in, (void)out;
	c->done = true;
	*c->e = *e;
}

bool fetch_op(struct fetch *f, const struct op *op, const struct keys *keys, const char *region, void *in, void *out,
              struct err *e)
{
	struct called w = { .e = e };
	err_clear(e);
	if (!client(f, e))
		return false;
	struct account *a = region ? account_in_region(f->account, region) : NULL;
	struct cred *c = keys ? cred_fixed(keys) : NULL;
	struct aws *aws = aws_new(f->http, a ? a : f->account, c);
	aws_call(aws, op, in, out, on_done, &w);
	struct err why = { 0 };
	while (!w.done && fetch_goes_on(f, &why)) {
		int wait = aws_tick(aws);
		if (!w.done)
			http_turn(f->http, slice(f, wait < 0 ? SLICE_MS : wait));
	}
	bool late = !w.done;
	aws_free(aws);
	if (late)
		*e = why;
	cred_free(c);
	account_free(a);
	return e->code == ERR_OK;
}
