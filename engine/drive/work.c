/* The run itself, a step a turn: hear what came back, keep what is held, delete what was accepted, send what may go, receive again what is
 * not in hand; and where a run begins that was broken off. */
#include "engine/drive/source.h"
#include "engine/drive/watch.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 300 /* how often `wanted` is read */
#define DELETES_MOST 5

int64_t wake_sooner(int64_t a, int64_t b)
{
	return a == 0 || b < a ? b : a;
}

static void on_handles(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct handles_call *c = ctx;
	(void)op, (void)in, (void)out;
	c->err = *e;
	c->answered = true;
}

static void send_handles(struct drive *d, struct handles_call *c, const struct op *op, const struct permit *p,
                         unsigned visibility_s)
{
	c->d = d;
	c->in.url = d->run.source_url;
	c->in.n = c->out.n = c->n;
	c->in.visibility_s = visibility_s;
	for (unsigned i = 0; i < c->n; i++)
		c->in.handle[i] = d->v[c->at[i]].it.handle;
	c->on = true;
	c->answered = false;
	aws_call_permitted(d->g->aws, p, CALL_ACT, op, &c->in, &c->out, on_handles, c);
}

void wait_for(struct drive *d, int64_t until_ms)
{
	int64_t with_margin = until_ms + MARGIN_MS;
	d->patience_ms = until_ms && with_margin > d->patience_ms ? with_margin : d->patience_ms;
}

void heed_release(struct drive *d)
{
	struct handles_call *c = &d->release;
	bool all = c->err.code == ERR_OK;
	for (unsigned i = 0; i < c->out.n && all; i++)
		all = c->out.v[i].fate == FATE_DONE;
	if (c->on && c->answered && !all)
		wait_for(d, now_ms() + (int64_t)d->run.lease_s * 1000);
}

/* ---- deleting: last of all, and only with the handle of the latest receive while it is worth something */

static void lose_handle(struct drive *d, struct entry *en, const char *why)
{
	drive_shift(d, en, MOVE_LOSE_HANDLE, why);
	wait_for(d, en->it.lease_until_ms); /* until then it is hidden, and not seeing it says nothing */
	en->it.lease_until_ms = 0;
	drop_message(en);
}

static void removed(struct drive *d, struct entry *en)
{
	en->it.removed_ms = now_ms();
	drive_shift(d, en, MOVE_REMOVE, NULL);
	peeks_deleted(d, en->it.msg_id);
	if (d->run.mode == REPLAY_INVOKE)
		drive_shift(d, en, MOVE_VERIFY, "the function's own answer");
	drop_message(en);
}

static void hear_removal(struct drive *d, struct handles_call *c)
{
	bool failed = c->err.code != ERR_OK;
	c->on = c->answered = false;
	if (failed && !err_retryable(c->err.code))
		drive_end(d, RUN_PAUSED, "%s: %s", c->err.where, c->err.text);
	for (unsigned i = 0; i < c->n; i++) {
		struct entry *en = &d->v[c->at[i]];
		const struct fated *v = &c->out.v[i];
		en->deleting = false;
		en->not_before_ms = clock_mono_ms() + (failed || v->fate != FATE_DONE ? 200 : 0);
		if (!failed && v->fate == FATE_DONE)
			removed(d, en);
		else if ((!failed && v->fate == FATE_FAILED) || ++en->deletes >= DELETES_MOST)
			lose_handle(d, en, "its delete failed: it is received again, and then only deleted");
	}
}

static void hear_removals(struct drive *d)
{
	for (unsigned i = 0; i < REMOVALS; i++)
		if (d->removals[i].on && d->removals[i].answered)
			hear_removal(d, &d->removals[i]);
}

static bool removing(const struct drive *d)
{
	bool any = false;
	for (unsigned i = 0; i < REMOVALS; i++)
		any = any || d->removals[i].on;
	return any;
}

/* What may be deleted next, from *from on. */
static void collect_removal(struct drive *d, struct handles_call *c, unsigned *from, int64_t *wake_ms)
{
	int64_t mono = clock_mono_ms(), now = now_ms();
	c->n = 0;
	for (; *from < d->n && c->n < SQS_BATCH; ++*from) {
		struct entry *en = &d->v[*from];
		if (en->it.state != ITEM_ACCEPTED || en->flying || en->deleting)
			continue;
		if (!en->it.handle || en->it.lease_until_ms < now + MARGIN_MS)
			lose_handle(d, en, "its visibility has passed: its handle may delete nothing any more");
		else if (en->not_before_ms > mono)
			*wake_ms = wake_sooner(*wake_ms, en->not_before_ms);
		else
			c->at[c->n++] = *from;
	}
}

/* Also while ending: what was accepted is deleted, or it would be sent again. While one is under way only full ones go beside it: the rest
 * fills up meanwhile. How many are in ready[], announced. */
static unsigned plan_removals(struct drive *d, struct handles_call **ready, int64_t *wake_ms)
{
	unsigned n = 0, from = d->first;
	bool busy = removing(d);
	for (unsigned k = 0; k < REMOVALS && from < d->n && !d->broken && d->src->deletes; k++) {
		struct handles_call *c = &d->removals[k];
		if (c->on)
			continue;
		collect_removal(d, c, &from, wake_ms);
		bool goes = c->n == SQS_BATCH || (c->n && !busy && n == 0);
		if (goes && drive_announce(d, &op_delete_message_batch, d->run.source_arn, "message %u%s, %u of them",
		                           d->v[c->at[0]].it.seq, c->n > 1 ? " and on" : "", c->n))
			ready[n++] = c;
	}
	return n;
}

static void delete_all(struct drive *d, struct handles_call *const *ready, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		for (unsigned i = 0; i < ready[k]->n; i++)
			d->v[ready[k]->at[i]].deleting = true;
		send_handles(d, ready[k], &op_delete_message_batch, &d->remove, 0);
	}
}

/* ---- heartbeats: at half of its time a message is held for all of it again; twelve hours after its first receive SQS ends that */

static void hear_beat(struct drive *d)
{
	struct handles_call *c = &d->beat;
	struct entry *kept[SQS_BATCH];
	unsigned n = 0;
	c->on = c->answered = false;
	for (unsigned i = 0; i < c->n; i++) {
		struct entry *en = &d->v[c->at[i]];
		if (!en->msg)
			continue;
		if (c->err.code == ERR_OK && c->out.v[i].fate == FATE_DONE) {
			en->it.lease_until_ms = now_ms() + (int64_t)d->run.lease_s * 1000 - MARGIN_MS;
			kept[n++] = en;
		} /* else its time runs out, and it is received again */
	}
	c->after_ms = n < c->n ? clock_mono_ms() + 1000 : 0;
	drive_touch(d, kept, n);
}

static void beat(struct drive *d, int64_t *wake_ms)
{
	struct handles_call *c = &d->beat;
	int64_t now = now_ms(), half = (int64_t)d->run.lease_s * 500, mono = clock_mono_ms();
	if (c->on || d->broken || mono < c->after_ms)
		return;
	c->n = 0;
	for (unsigned i = d->first; i < d->n && c->n < SQS_BATCH; i++) {
		struct entry *en = &d->v[i];
		int64_t left = en->it.lease_until_ms - now;
		if (!en->msg || en->deleting || left <= 0 || item_ended(en->it.state))
			continue;
		if (left > half)
			*wake_ms = wake_sooner(*wake_ms, mono + left - half + 1);
		else
			c->at[c->n++] = i;
	}
	if (c->n && drive_announce(d, &op_change_visibility_batch, d->run.source_arn, "%u held on to for %u s", c->n,
	                           d->run.lease_s))
		send_handles(d, c, &op_change_visibility_batch, &d->visibility, d->run.lease_s);
}

void keep_held(struct drive *d, int64_t *wake_ms)
{
	if (d->beat.answered)
		hear_beat(d);
	if (d->src->leases)
		beat(d, wake_ms);
}

/* ---- what is not in hand is received again */

static bool sendable(const struct drive *d, const struct entry *en)
{
	return en->it.state == ITEM_SELECTED || en->it.state == ITEM_REMOVE_LOST ||
	       (en->it.state == ITEM_UNKNOWN && resends(d, en));
}

static void lose_leases(struct drive *d)
{
	int64_t now = now_ms();
	for (unsigned i = d->first; i < d->n; i++) {
		struct entry *en = &d->v[i];
		if (en->it.state != ITEM_LEASED || en->flying || (en->msg && (!d->src->leases || en->it.lease_until_ms > now)))
			continue;
		drive_shift(d, en, MOVE_LOSE_LEASE, "its visibility has passed");
		drive_shift(d, en, MOVE_RETURN, NULL);
		drop_message(en);
	}
}

/* First in, first out: behind a message that failed for good, or may have been processed, the rest of its group stays. */
static void block_groups(struct drive *d)
{
	for (unsigned i = 0; d->run.fifo && i < d->n; i++) {
		const struct entry *bad = &d->v[i];
		bool blocks = bad->it.state == ITEM_POISON || bad->it.state == ITEM_HELD ||
		              (bad->it.state == ITEM_UNKNOWN && !sendable(d, bad));
		for (unsigned j = i + 1; blocks && bad->it.group_id && j < d->n; j++) {
			struct entry *en = &d->v[j];
			bool waits = (en->it.state == ITEM_LEASED && !en->flying) || en->it.state == ITEM_SELECTED;
			if (!waits || !en->it.group_id || strcmp(en->it.group_id, bad->it.group_id) != 0)
				continue;
			en->it.code = "BLOCKED";
			en->it.text = "an earlier message of its group failed";
			if (en->it.state == ITEM_LEASED) {
				drive_shift(d, en, MOVE_LOSE_LEASE, en->it.text);
				drive_shift(d, en, MOVE_RETURN, NULL);
			}
			drive_shift(d, en, MOVE_HOLD, en->it.text);
		}
	}
}

/* Asks for all that are not in hand; true: there are some. */
static bool ask_missing(struct drive *d)
{
	bool any = false;
	for (unsigned i = d->first; i < d->n; i++) {
		d->v[i].asked = sendable(d, &d->v[i]);
		any = any || d->v[i].asked;
	}
	return any;
}

static bool anything_open(struct drive *d, bool *in_hand)
{
	bool open = false;
	while (d->first < d->n && item_ended(d->v[d->first].it.state) && !sendable(d, &d->v[d->first]))
		d->first++; /* what of these is still held is given back at the end */
	*in_hand = false;
	for (unsigned i = d->first; i < d->n; i++) {
		const struct entry *en = &d->v[i];
		bool busy = en->it.state == ITEM_LEASED || en->it.state == ITEM_INTENT || en->it.state == ITEM_ACCEPTED;
		*in_hand = *in_hand || busy;
		open = open || busy || sendable(d, en);
	}
	return open;
}

/* ---- what others want */

static bool rate_of(const char *text, double *rate)
{
	char *end;
	double v = strtod(text, &end);
	bool ok = *text && !*end && v > 0 && v <= PACE_RATE_MOST;
	*rate = ok ? v : *rate;
	return ok;
}

void heed_wanted(struct drive *d)
{
	char word[32];
	int64_t mono = clock_mono_ms();
	if (mono - d->looked_ms < LOOK_MS || d->ending)
		return;
	d->looked_ms = mono;
	if (!ledger_wanted(d->ledger, d->run.id, word))
		return;
	if (strncmp(word, "rate=", 5) == 0 && rate_of(word + 5, &d->run.rate)) {
		pace_init(&d->pace, d->run.rate);
		drive_save(d);
	} else if (strcmp(word, "stop") == 0) {
		drive_end(d, RUN_STOPPED, "stopped by its operator");
	} else if (strcmp(word, "pause") == 0) {
		drive_end(d, RUN_PAUSED, "paused by its operator");
	}
	struct err e;
	ledger_want(d->ledger, d->run.id, NULL, &e);
}

/* ---- a turn */

bool work_flying(const struct drive *d)
{
	return d->nflights || removing(d) || d->beat.on || d->sweep.flying || d->release.on ||
	       (d->src->busy && d->src->busy(d));
}

static void refill(struct drive *d)
{
	if (!d->sweep.on && ask_missing(d))
		d->src->begin(d);
}

static bool sweeping(const struct drive *d)
{
	return d->sweep.on || d->sweep.flying || d->sweep.others_n || d->release.on;
}

/* Nothing is sent while messages are received: what is not in hand yet comes first in a FIFO queue. */
static bool sweep_busy(struct drive *d)
{
	return sweeping(d) && (!d->src->step(d) || !give_back(d, false));
}

static bool to_delete(const struct drive *d)
{
	for (unsigned i = d->first; i < d->n && !d->broken && d->guard.state != GUARD_LOST; i++)
		if (d->v[i].it.state == ITEM_ACCEPTED)
			return true;
	return false;
}

/* What may not be done yet wakes us when it may. */
static int64_t next_wake(const struct drive *d, int64_t wake)
{
	int64_t mono = clock_mono_ms();
	wake = wake_sooner(wake, mono + LOOK_MS);
	for (unsigned i = d->first; i < d->n; i++)
		if (d->v[i].not_before_ms > mono)
			wake = wake_sooner(wake, d->v[i].not_before_ms);
	return d->sweep.on && !d->sweep.flying ? mono : wake;
}

/* What has come back, what is to be deleted, what goes out next: all of it is on the disk with one sync of the ledger and one of the audit
 * log, however many calls there are; and then it is done. */
static void act(struct drive *d, bool may_send, int64_t *wake_ms)
{
	struct handles_call *removals[REMOVALS];
	struct flight *flights[FLIGHTS];
	int64_t planned = clock_mono_ms();
	drive_gather(d);
	unsigned deletes = plan_removals(d, removals, wake_ms), sends = 0;
	if (may_send)
		sends = plan_flights(d, flights, wake_ms);
	bool go = drive_sync(d) && guard_holds(d); /* a stop in between is noticed, too */
	if (go)
		delete_all(d, removals, deletes);
	if (sends)
		pace_left(&d->pace, planned, clock_mono_ms());
	for (unsigned i = 0; i < sends; i++)
		launch(d, flights[i], go);
}

/* What is left to do, when nothing is being received. */
static void go_on(struct drive *d, int64_t *wake_ms)
{
	bool in_hand, open = anything_open(d, &in_hand), idle = !in_hand && !work_flying(d);
	if (d->ending || (!open && !verify_waits(d)))
		d->phase = work_flying(d) || to_delete(d) ? PHASE_WORK : PHASE_CLOSE;
	else if (open && idle)
		refill(d);
	else if (!work_flying(d))
		verify_begin(d, !open, wake_ms);
}

void work_step(struct drive *d)
{
	int64_t wake = 0;
	hear_removals(d);
	hear_flights(d);
	heed_wanted(d);
	watch_step(d, &wake);
	lose_leases(d);
	keep_held(d, &wake);
	bool busy = sweep_busy(d);
	if (!busy)
		block_groups(d);
	if (!busy && d->src->turn)
		d->src->turn(d, &wake);
	act(d, !busy && verify_allows(d), &wake);
	if (!removing(d))
		peeks_flush(d); /* not after each: it is a third file */
	if (!busy)
		go_on(d, &wake);
	d->t->wake_ms = next_wake(d, wake);
}

/* ---- going on with a run */

/* What the ledger says of each message, as it is after a death at any moment: an intent without an outcome may have been sent. */
static void recover_states(struct drive *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		struct entry *en = &d->v[i];
		if (en->it.state == ITEM_INTENT) {
			en->it.code = "INTERRUPTED";
			en->it.text = "it may have been sent when the process ended";
			drive_shift(d, en, MOVE_DOUBT, en->it.text);
		} else if (en->it.state == ITEM_LEASED) {
			drive_shift(d, en, MOVE_LOSE_LEASE, "the process that held it has ended");
			drive_shift(d, en, MOVE_RETURN, NULL);
		} else if (en->it.state == ITEM_ACCEPTED && !d->src->deletes) {
			drive_shift(d, en, MOVE_SETTLE, "the function's own answer");
		} else if (en->it.state == ITEM_REMOVED && d->run.mode == REPLAY_INVOKE) {
			drive_shift(d, en, MOVE_VERIFY, "the function's own answer");
		} else if (en->it.state == ITEM_SKIPPED || en->it.state == ITEM_VERIFIED) {
			en->it.lease_until_ms = 0;
		}
	}
	drive_commit(d);
}

/* All handles that may still hold something are given back, so that nobody waits for their time to pass; not those of what is accepted: with
 * these it is deleted. */
static bool hold_nothing(struct drive *d)
{
	struct handles_call *c = &d->release;
	struct entry *given[SQS_BATCH];
	int64_t now = now_ms();
	if (c->on && !c->answered)
		return false;
	heed_release(d);
	c->on = false;
	c->n = 0;
	for (unsigned i = 0; i < d->n && c->n < SQS_BATCH; i++) {
		struct entry *en = &d->v[i];
		if (!en->it.handle || en->it.lease_until_ms <= now || en->it.state == ITEM_ACCEPTED ||
		    en->it.state == ITEM_VERIFIED)
			continue;
		c->at[c->n] = i;
		given[c->n++] = en;
		en->it.lease_until_ms = 0;
	}
	if (c->n == 0 || !drive_announce(d, &op_change_visibility_batch, d->run.source_arn, "%u given back", c->n))
		return true;
	send_handles(d, c, &op_change_visibility_batch, &d->visibility, 0);
	return !drive_touch(d, given, c->n);
}

bool recover_step(struct drive *d)
{
	if (!d->told) {
		d->told = true;
		recover_states(d);
	}
	return !d->src->leases || hold_nothing(d);
}
