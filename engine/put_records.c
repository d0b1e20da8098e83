/* REQUEST_PUT_RECORDS: batch after batch, and of each batch only the records that failed again, after a pause that grows. What the
 * service certainly refused may go again; what may have been done does not. Every record ends with an outcome of its own. */
#include "aws/op_kinesis.h"
#include "aws/retry.h"
#include "engine/audited.h"
#include "engine/gate.h"
#include "engine/inside.h"
#include "engine/records.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDS_MOST 8 /* of one record: with the pauses between them about a minute */
#define LOST_MOST 3  /* calls in a row without a good answer, before the rest is left unsent */

struct put {
	struct put_records_result *r;
	struct permit permit;
	unsigned next;                        /* the first item in no batch yet */
	unsigned places[PUT_RECORDS_MOST], n; /* of the batch under way: what has no outcome yet */
	unsigned sends, lost;
	struct put_record records[PUT_RECORDS_MOST];
	struct put_outcome outcomes[PUT_RECORDS_MOST];
	struct put_records_in in;
	struct put_records_out out;
	bool flying, answered, over; /* over: nothing more is sent */
	struct err err;              /* of the call that has come back */
	struct chance chance;
};

/* ---- outcomes */

static void end_item(struct put *p, unsigned place, enum put_status status, const char *code, const char *message)
{
	struct put_item *it = &p->r->items[place];
	it->status = status;
	it->code = code;
	it->message = message;
	*(status == PUT_OK ? &p->r->ok : status == PUT_FAILED ? &p->r->failed : &p->r->unknown) += 1;
}

static void end_by_err(struct put *p, unsigned place, enum put_status status, const struct err *e)
{
	end_item(p, place, status, err_check_code(e->code), arena_strdup(&p->r->mem, e->text));
}

/* True when the record at this place goes again. */
static bool settle_record(struct put *p, unsigned place, const struct put_outcome *o)
{
	struct put_item *it = &p->r->items[place];
	switch (o->fated.fate) {
	case FATE_DONE:
		it->shard = arena_strdup(&p->r->mem, o->shard);
		it->sequence = arena_strdup(&p->r->mem, o->sequence);
		end_item(p, place, PUT_OK, NULL, NULL);
		return false;
	case FATE_RETRY:
		if (p->sends < SENDS_MOST && !p->over)
			return true;
		end_by_err(p, place, PUT_FAILED, &o->fated.err);
		return false;
	case FATE_FAILED: end_by_err(p, place, PUT_FAILED, &o->fated.err); return false;
	default: end_by_err(p, place, PUT_UNKNOWN, &o->fated.err); return false;
	}
}

/* The call as a whole: what that says of each of its records. */
static void fate_of_call(struct put *p)
{
	const struct err *e = &p->err;
	enum fate fate = e->in_doubt ? FATE_UNKNOWN : e->code == ERR_THROTTLED ? FATE_RETRY : FATE_FAILED;
	if (p->r->cause.code == ERR_OK)
		p->r->cause = *e;
	for (unsigned i = 0; i < p->n; i++)
		p->outcomes[i].fated = (struct fated){ fate, *e };
	/* What is refused once is refused always, but for a record that is too large: that goes alone. */
	if (!e->in_doubt && e->code != ERR_THROTTLED && e->code != ERR_REFUSED)
		p->over = true;
	if (e->in_doubt && ++p->lost == LOST_MOST)
		p->over = true;
}

static void settle(struct put *p, struct task *t)
{
	unsigned again = 0;
	p->flying = p->answered = false;
	if (p->err.code != ERR_OK)
		fate_of_call(p);
	else
		p->lost = 0;
	for (unsigned i = 0; i < p->n; i++)
		if (settle_record(p, p->places[i], &p->outcomes[i]))
			p->places[again++] = p->places[i];
	if (again && p->sends == 1)
		p->r->again += again;
	p->n = again;
	if (again)
		t->wake_ms = clock_mono_ms() + (int64_t)retry_delay_ms(FAULT_THROTTLED, p->sends, chance_unit(&p->chance));
}

static void leave_rest(struct put *p)
{
	static const char why[] = "not sent: the call before it failed, or the run was ended (-t, a signal)";
	struct put_records_result *r = p->r;
	p->n = 0;
	for (unsigned i = 0; i < r->n; i++)
		if (r->items[i].status == PUT_PLANNED)
			end_item(p, i, PUT_FAILED, "NOT_SENT", why);
}

/* ---- sending */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct put *p = ctx;
	(void)op, (void)in, (void)out;
	p->err = *e;
	p->answered = true;
}

static void send_batch(struct engine *g, const struct task *t, struct put *p)
{
	char what[64];
	snprintf(what, sizeof what, "put %u records", p->n);
	if (!audited(g, t->rq.consent.mode, &op_put_records, p->in.stream, "announced", what, &p->r->cause)) {
		p->over = true;
		return;
	}
	for (unsigned i = 0; i < p->n; i++) {
		const struct put_item *it = &p->r->items[p->places[i]];
		p->records[i] = (struct put_record){ it->data, it->key };
		p->outcomes[i] = (struct put_outcome){ 0 };
	}
	p->in.records = p->records;
	p->in.n = p->out.n = p->n;
	p->out.v = p->outcomes;
	p->sends++;
	p->flying = true;
	aws_call_permitted(g->aws, &p->permit, CALL_ACT, &op_put_records, &p->in, &p->out, on_done, p);
}

static bool next_batch(struct put *p)
{
	if (p->n)
		return true;
	p->sends = 0;
	p->n = records_batch(p->r, &p->next, p->places, PUT_RECORDS_MOST);
	return p->n > 0;
}

/* ---- the request */

static bool stream_valid(const char *name, struct err *e)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t n = strlen(name);
	if (n >= 1 && n <= 128 && strspn(name, chars) == n)
		return true;
	return err_set(e, ERR_USAGE, "STREAM",
	               "a stream's name has 1 to 128 letters, digits, _ . and -, and no ARN is taken");
}

/* True when there is something to send and it may be sent. */
static bool begin(struct engine *g, struct task *t)
{
	struct put_records_request *rq = &t->rq.put_records;
	struct put_records_result *r = &t->result->put_records;
	if (!stream_valid(rq->stream, &t->result->err))
		return false;
	records_read(rq, r);
	if (t->rq.dry_run || r->failed == r->n)
		return false;
	char *what =
	    xasprintf("put %u record%s into stream %s", r->n - r->failed, r->n - r->failed == 1 ? "" : "s", rq->stream);
	struct gate_act act = { .needs = MODE_OPERATE, .op = &op_put_records, .what = what };
	struct put *p = t->work = arena_alloc(&t->mem, sizeof *p);
	*p = (struct put){ .r = r, .in = { .stream = rq->stream } };
	bool open = audited_gate(g, &t->rq.consent, &act, &p->permit, t->result);
	free(what);
	if (open && !engine_connect(g)) {
		t->result->err = g->account_err;
		return false;
	}
	chance_init(&p->chance, (uint64_t)clock_mono_ms());
	return open;
}

void put_records_step(struct engine *g, struct task *t)
{
	struct put *p = t->work;
	if (!p) {
		t->done = !begin(g, t);
		p = t->work;
	}
	if (t->done || (p->flying && !p->answered))
		return;
	if (p->answered)
		settle(p, t);
	p->over = p->over || g->closing;
	if (p->over || !next_batch(p)) {
		leave_rest(p);
		t->done = true;
		return;
	}
	if (clock_mono_ms() < t->wake_ms)
		return;
	t->wake_ms = 0;
	send_batch(g, t, p);
}
