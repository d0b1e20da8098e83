/* What carries the messages: invocations of a function, and copies into a queue. The intent is on the disk before, the outcome after; what
 * an answer does not say is UNKNOWN, and never sent again silently. */
#include "engine/drive/source.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THROTTLES_MOST 5
#define BACKOFF_MS 500
#define BACKOFF_MOST_MS 30000
#define PAYLOAD_ROOM (64u << 20)

/* ---- which go next */

const char *feeding_queue(const struct drive *d, const struct entry *en)
{
	if (en->it.source_arn)
		return en->it.source_arn;
	return d->one_source ? d->one_source : d->run.source_arn;
}

/* In a FIFO queue a message waits for all before it in its group; one that failed for good, or may have been processed, blocks it. */
static bool in_order(const struct drive *d, unsigned at)
{
	const struct entry *en = &d->v[at];
	if (!d->run.fifo || !en->it.group_id)
		return true;
	for (unsigned i = 0; i < at; i++) {
		const struct entry *before = &d->v[i];
		bool over =
		    before->it.state == ITEM_VERIFIED || before->it.state == ITEM_REMOVED || before->it.state == ITEM_GONE;
		if (!over && before->it.group_id && strcmp(before->it.group_id, en->it.group_id) == 0)
			return false;
	}
	return true;
}

bool entry_ready(const struct drive *d, unsigned at, int64_t mono)
{
	const struct entry *en = &d->v[at];
	int64_t left = en->it.lease_until_ms - now_ms();
	return en->it.state == ITEM_LEASED && en->msg && !en->flying && en->not_before_ms <= mono &&
	       (!d->src->leases || left * 3 > (int64_t)d->run.lease_s * 1000) && (!d->src->ready || d->src->ready(d, at)) &&
	       in_order(d, at);
}

static const char *function_of(const struct drive *d, const struct entry *en)
{
	const char *own = d->src->function ? d->src->function(d, en) : NULL;
	return own ? own : d->run.dest;
}

static size_t weight(const struct entry *en)
{
	return message_bytes(en->msg) + 1200;
}

/* Fits it beside those that are in the batch already? */
static bool joins(const struct drive *d, const struct flight *f, const struct entry *en, size_t bytes)
{
	const struct entry *first = &d->v[f->at[0]];
	size_t most = d->run.mode == REPLAY_INVOKE ? EVENT_MOST : SQS_MESSAGE_BYTES;
	if (f->n == 0)
		return true;
	if (en->alone || first->alone || bytes + weight(en) > most)
		return false;
	if (d->run.fifo && en->it.group_id)
		for (unsigned i = 0; i < f->n; i++)
			if (d->v[f->at[i]].it.group_id && strcmp(d->v[f->at[i]].it.group_id, en->it.group_id) == 0)
				return false;
	return d->run.mode == REPLAY_REDRIVE || (strcmp(feeding_queue(d, first), feeding_queue(d, en)) == 0 &&
	                                         strcmp(function_of(d, first), function_of(d, en)) == 0);
}

static void choose(struct drive *d, struct flight *f, unsigned most)
{
	int64_t mono = clock_mono_ms();
	size_t bytes = 0;
	f->n = 0;
	f->detail[0] = '\0';
	if (d->src->ordered) {
		choose_ordered(d, f, most);
		return;
	}
	for (unsigned i = d->first; i < d->n && f->n < most; i++) {
		if (!entry_ready(d, i, mono) || !joins(d, f, &d->v[i], bytes))
			continue;
		bytes += weight(&d->v[i]);
		f->at[f->n++] = i;
	}
}

/* ---- an invocation */

static void on_flown(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct flight *f = ctx;
	(void)op, (void)in, (void)out;
	f->err = *e;
	f->answered = true;
}

/* False: it is larger than any invocation may be. */
static bool build_event(struct drive *d, struct flight *f)
{
	buf_init(&f->payload, PAYLOAD_ROOM);
	return d->src->event(d, f) && f->payload.n <= INVOKE_SYNC_BYTES;
}

static void invoke(struct drive *d, struct flight *f)
{
	unsigned total = (d->run.call_s + 15) * 1000;
	struct aws_opts opts = { .total_ms = total > 61000 ? total : 61000 };
	const struct replay_item *it = &d->v[f->at[0]].it;
	snprintf(f->context, sizeof f->context, "{\"custom\":{\"" STAMP_NAME "\":\"%s/%u/%u\",\"messages\":\"%u\"}}",
	         d->run.id, it->seq, it->replay_no, f->n);
	buf_init(&f->out.body, 8u << 20);
	f->in = (struct invoke_sync_in){ function_of(d, &d->v[f->at[0]]), buf_span(&f->payload), f->context };
	aws_configure(d->g->aws, &opts);
	aws_call_permitted(d->g->aws, &d->send, CALL_ACT, &op_invoke_sync, &f->in, &f->out, on_flown, f);
	aws_configure(d->g->aws, &(struct aws_opts){ 0 });
}

/* ---- copies */

static void send_copies(struct drive *d, struct flight *f)
{
	f->send = (struct send_in){ .url = d->run.dest_url, .n = f->n };
	for (unsigned i = 0; i < f->n; i++) {
		const struct entry *en = &d->v[f->at[i]];
		bool room = en->msg->nattrs < SQS_ATTRIBUTES || message_attr(en->msg, STAMP_NAME);
		dedup_id(d->run.source_arn, en->it.msg_id, en->it.replay_no, f->dedup[i]);
		snprintf(f->stamp[i], sizeof f->stamp[i], "%s/%u/%u", d->run.id, en->it.seq, en->it.replay_no);
		f->send.v[i] = (struct send_entry){ en->msg, d->run.fifo ? f->dedup[i] : NULL, room ? f->stamp[i] : NULL };
	}
	f->sent = (struct send_out){ .sent = &f->send };
	aws_call_permitted(d->g->aws, &d->send, CALL_ACT,
	                   d->run.fifo ? &op_send_message_batch_fifo : &op_send_message_batch, &f->send, &f->sent, on_flown,
	                   f);
}

/* ---- before it flies */

/* A batch that failed as a whole is one failure: whose it was shows when each goes alone. */
void count_results(struct drive *d, unsigned n, unsigned failed, bool as_one)
{
	d->results += as_one ? 1 : n;
	d->failures += as_one ? 1 : failed;
}

static unsigned next_number(struct drive *d, const struct entry *en)
{
	struct ledger_past past;
	if (en->it.replay_no)
		return en->it.replay_no;
	return 1 + (ledger_past(d->ledger, en->it.msg_id, d->run.id, &past) ? past.times : 0);
}

static void intend(struct drive *d, struct flight *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct entry *en = &d->v[f->at[i]];
		en->it.replay_no = next_number(d, en);
		en->it.intent_ms = now_ms();
		drive_shift(d, en, MOVE_INTEND, f->detail[0] ? f->detail : NULL);
	}
}

static const struct op *send_op(const struct drive *d)
{
	return d->run.mode == REPLAY_INVOKE ? &op_invoke_sync
	       : d->run.fifo                ? &op_send_message_batch_fifo
	                                    : &op_send_message_batch;
}

static void too_large(struct drive *d, struct flight *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct entry *en = &d->v[f->at[i]];
		en->alone = true;
		if (f->n > 1)
			continue;
		en->it.code = "TOO_LARGE";
		en->it.text =
		    arena_printf(d->mem, "its event is over 6 MB, which no invocation takes; it stays in %s", d->src->kept);
		drive_shift(d, en, MOVE_INTEND, NULL);
		drive_shift(d, en, MOVE_REJECT, "not sent: too large");
		drive_shift(d, en, MOVE_GIVE_UP, NULL);
		count_results(d, 1, 1, false);
	}
	drive_commit(d);
}

/* False: nothing of it may go, now or at all. */
static bool plan_flight(struct drive *d, struct flight *f)
{
	if (d->run.mode == REPLAY_INVOKE && !build_event(d, f)) {
		buf_clear(&f->payload);
		too_large(d, f);
		f->n = 0;
		return true;
	}
	const char *to = d->run.mode == REPLAY_INVOKE ? function_of(d, &d->v[f->at[0]]) : d->run.dest;
	if (!drive_announce(d, send_op(d), to, "message %u%s, %u of them", d->v[f->at[0]].it.seq, f->n > 1 ? " and on" : "",
	                    f->n)) {
		buf_clear(&f->payload);
		return false;
	}
	intend(d, f);
	f->d = d;
	f->on = true;
	f->answered = false;
	d->nflights++;
	for (unsigned i = 0; i < f->n; i++)
		d->v[f->at[i]].flying = true;
	pace_sent(&d->pace, clock_mono_ms(), f->n);
	ramp_sent(&d->ramp, f->n);
	return true;
}

/* The intents are on the disk: out with it. Else it never was. */
void launch(struct drive *d, struct flight *f, bool go)
{
	if (!go) {
		f->on = false;
		d->nflights--;
		for (unsigned i = 0; i < f->n; i++)
			d->v[f->at[i]].flying = false;
		buf_clear(&f->payload);
	} else if (d->run.mode == REPLAY_INVOKE) {
		invoke(d, f);
	} else {
		send_copies(d, f);
	}
}

static struct flight *idle_flight(struct drive *d)
{
	for (unsigned i = 0; i < FLIGHTS; i++)
		if (!d->flights[i].on)
			return &d->flights[i];
	return NULL;
}

/* The next that may go, in a flight of its own; NULL: none now. */
static struct flight *plan_next(struct drive *d, int64_t *wake_ms)
{
	struct flight *f = d->ending ? NULL : idle_flight(d);
	int64_t wait, mono = clock_mono_ms();
	unsigned room = ramp_room(&d->ramp), most = d->run.batch < room ? d->run.batch : room;
	if (!f || most == 0)
		return NULL;
	choose(d, f, most);
	if (f->n == 0)
		return NULL;
	unsigned may = pace_allows(&d->pace, mono, f->n, &wait);
	if (may == 0) {
		*wake_ms = wake_sooner(*wake_ms, mono + wait);
		return NULL;
	}
	f->n = may < f->n ? may : f->n;
	return plan_flight(d, f) ? f : NULL;
}

unsigned plan_flights(struct drive *d, struct flight **planned, int64_t *wake_ms)
{
	unsigned n = 0;
	for (struct flight *f; n < FLIGHTS && (f = plan_next(d, wake_ms));)
		if (f->n)
			planned[n++] = f;
	return n;
}

/* ---- what came back */

static const char *keep(struct drive *d, const char *text)
{
	return text && *text ? arena_strdup(d->mem, text) : NULL;
}

void drive_accept(struct drive *d, struct entry *en, const char *request_id)
{
	en->it.accepted_ms = now_ms();
	en->it.request_id = keep(d, request_id);
	en->it.code = en->it.text = NULL;
	drive_shift(d, en, MOVE_ACCEPT, NULL);
	if (d->src->deletes)
		return;
	drive_shift(d, en, MOVE_SETTLE, "the function's own answer");
	drop_message(en);
}

void reject(struct drive *d, struct entry *en, bool again, const char *code, const char *text)
{
	en->it.rejections++;
	en->it.code = keep(d, code);
	en->it.text = keep(d, text);
	en->alone = true;
	en->not_before_ms = clock_mono_ms() + BACKOFF_MS;
	drive_shift(d, en, MOVE_REJECT, en->it.code);
	drive_shift(d, en, again && en->it.rejections < REJECTIONS ? MOVE_RETRY : MOVE_GIVE_UP, NULL);
}

static void doubt(struct drive *d, struct entry *en, const struct err *e)
{
	en->it.code = keep(d, err_check_code(e->code));
	en->it.text = keep(d, e->text);
	en->it.request_id = keep(d, e->request_id);
	drive_shift(d, en, MOVE_DOUBT, "sent, and no answer says what became of it");
}

/* It was certainly not done: as if it had not been sent. */
static void unsend(struct drive *d, struct entry *en, int64_t wait_ms, const char *why)
{
	en->not_before_ms = clock_mono_ms() + wait_ms;
	drive_shift(d, en, MOVE_UNSEND, why);
	ramp_unsent(&d->ramp, 1);
}

static int64_t backoff(const struct drive *d)
{
	unsigned shift = d->throttles < 7 ? d->throttles : 7;
	int64_t ms = (int64_t)BACKOFF_MS << shift;
	return ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS;
}

/* The call as a whole failed: is that a reason to send nothing more? */
static void judge_failure(struct drive *d, const struct err *e, bool large)
{
	bool throttled = e->code == ERR_THROTTLED;
	if (e->in_doubt || large || e->code == ERR_CANCELLED)
		return;
	if (!throttled)
		drive_end(d, RUN_PAUSED, "%s: %s", e->where, e->text);
	else if (++d->throttles > THROTTLES_MOST)
		drive_end(d, RUN_PAUSED, "%s: throttled %u times in a row", e->where, d->throttles);
}

static void call_failed(struct drive *d, struct flight *f)
{
	const struct err *e = &f->err;
	bool large = e->code == ERR_LIMIT && !e->in_doubt, alone = large && f->n == 1;
	judge_failure(d, e, large);
	for (unsigned i = 0; i < f->n; i++) {
		struct entry *en = &d->v[f->at[i]];
		if (e->in_doubt) {
			doubt(d, en, e);
		} else if (alone) {
			reject(d, en, false, "TOO_LARGE", e->text);
			count_results(d, 1, 1, false);
		} else {
			en->alone = en->alone || large;
			unsend(d, en, large ? 0 : backoff(d), "not done");
		}
	}
	if (e->in_doubt || alone)
		ramp_done(&d->ramp, f->n);
}

static void hear_invocation(struct drive *d, struct flight *f)
{
	const char *ids[BATCH_MOST];
	bool failed[BATCH_MOST];
	struct verdict_of v = { .failed = failed };
	if (d->src->hear && d->src->hear(d, f))
		return;
	for (unsigned i = 0; i < f->n; i++)
		ids[i] = d->v[f->at[i]].it.msg_id;
	if (d->src->verdict)
		d->src->verdict(d, f, &v);
	else
		event_verdict(buf_span(&f->out.body), f->out.error[0] ? f->out.error : NULL, ids, f->n, d->run.partial, &v);
	if (d->src->ordered) {
		hear_ordered(d, f, &v);
		return;
	}
	for (unsigned i = 0; i < f->n; i++) {
		struct entry *en = &d->v[f->at[i]];
		if (failed[i]) {
			en->it.request_id = keep(d, f->out.request_id);
			reject(d, en, true, v.code, v.text);
		} else {
			drive_accept(d, en, f->out.request_id);
		}
	}
	count_results(d, f->n, v.nfailed, f->out.error[0] && f->n > 1);
	ramp_done(&d->ramp, f->n);
}

static void hear_copies(struct drive *d, struct flight *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct entry *en = &d->v[f->at[i]];
		const struct fated *v = &f->sent.v[i].fated;
		switch (v->fate) {
		case FATE_DONE:
			en->it.out_id = keep(d, f->sent.v[i].id);
			drive_accept(d, en, NULL);
			if (d->ramp.stage) { /* the canary's result is that it does not come back */
				count_results(d, 1, 0, false);
				ramp_done(&d->ramp, 1);
			}
			break;
		case FATE_RETRY: unsend(d, en, backoff(d), v->err.text[0] ? keep(d, v->err.text) : NULL); break;
		case FATE_FAILED:
			reject(d, en, true, err_check_code(v->err.code), v->err.text);
			count_results(d, 1, 1, false);
			ramp_done(&d->ramp, 1);
			break;
		default:
			doubt(d, en, &v->err);
			ramp_done(&d->ramp, 1);
			break;
		}
	}
}

static void hear(struct drive *d, struct flight *f)
{
	f->on = f->answered = false;
	d->nflights--;
	for (unsigned i = 0; i < f->n; i++)
		d->v[f->at[i]].flying = false;
	if (f->err.code != ERR_OK)
		call_failed(d, f);
	else if (d->run.mode == REPLAY_INVOKE)
		hear_invocation(d, f);
	else
		hear_copies(d, f);
	d->throttles = f->err.code == ERR_OK ? 0 : d->throttles;
	buf_clear(&f->payload);
	buf_clear(&f->out.body);
}

void hear_flights(struct drive *d)
{
	for (unsigned i = 0; i < FLIGHTS; i++)
		if (d->flights[i].on && d->flights[i].answered)
			hear(d, &d->flights[i]);
	if (!d->ending && breaker_trips(d->failures, d->results, d->run.tolerance))
		drive_end(
		    d, RUN_PAUSED,
		    "%u of %u results failed: with 95 %% confidence more than %.0f %% would; look at what fails, then resume",
		    d->failures, d->results, 100 * d->run.tolerance);
}
