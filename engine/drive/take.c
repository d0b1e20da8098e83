/* What every kind of source does with an item that it has found: into the ledger while the run is frozen, in hand when it is its turn, and
 * what becomes of one that is not there. */
#include "engine/drive/source.h"

#include "core/mem.h"

#include <stdlib.h>

bool drive_added(struct drive *d, unsigned had)
{
	struct err e = { 0 };
	if (d->plan || d->n == had)
		return true;
	struct replay_item *fresh = xcalloc(d->n - had, sizeof *fresh);
	for (unsigned i = had; i < d->n; i++)
		fresh[i - had] = d->v[i].it;
	bool ok = ledger_items_add(d->ledger, d->run.id, fresh, d->n - had, &e);
	free(fresh);
	if (!ok) {
		d->broken = true;
		d->t->result->err = e;
		drive_end(d, RUN_PAUSED, "%s: %s", e.where, e.text);
	}
	return ok;
}

void drive_hold(struct drive *d, struct entry *en, struct message *m)
{
	drop_message(en);
	en->msg = m;
	en->asked = false;
	en->it.handle = arena_strdup(d->mem, m->handle);
	en->it.lease_until_ms = d->src->leases ? m->received_ms + (int64_t)d->run.lease_s * 1000 : 0;
}

void drive_take(struct drive *d, struct entry *en, struct message *m)
{
	drive_hold(d, en, m);
	if (en->it.state == ITEM_GONE)
		drive_shift(d, en, MOVE_FIND, NULL);
	if (en->it.state == ITEM_SELECTED || en->it.state == ITEM_REMOVE_LOST) {
		drive_shift(d, en, MOVE_LEASE, NULL);
	} else if (en->it.state == ITEM_UNKNOWN) {
		en->it.resent = en->retold = true;
		drive_shift(d, en, MOVE_RESEND, "its outcome was unknown; it is sent again, and may be processed twice");
	} else {
		drive_touch(d, &en, 1);
	}
}

void drive_missed(struct drive *d, struct entry *en)
{
	en->asked = false;
	if (en->it.state == ITEM_SELECTED) {
		drive_shift(d, en, MOVE_VANISH,
		            d->src->deletes ? "not in the queue: expired, or taken by someone else"
		                            : "it is not there any more");
	} else if (en->it.state == ITEM_REMOVE_LOST) {
		en->it.removed_ms = now_ms();
		drive_shift(d, en, MOVE_REMOVE, "not in the queue any more");
		if (d->run.mode == REPLAY_INVOKE)
			drive_shift(d, en, MOVE_VERIFY, NULL);
	} else if (en->it.state == ITEM_UNKNOWN) {
		en->retold = true; /* nothing is there to be sent again: it was processed, has expired, or somebody took it */
	}
}

unsigned drive_take_most(const struct drive *d)
{
	unsigned room = ramp_room(&d->ramp), most = FLIGHTS * d->run.batch;
	unsigned second = d->run.rate < 1 ? 1 : (unsigned)d->run.rate;
	most = most < second ? most : second;
	most = most < room ? most : room;
	return most ? most : 1;
}

void drive_keep_out(struct drive *d, struct entry *en, const char *code, const char *text)
{
	en->it.code = code;
	en->it.text = arena_strdup(d->mem, text);
	drive_shift(d, en, MOVE_LOSE_LEASE, en->it.text);
	drive_shift(d, en, MOVE_RETURN, NULL);
	drive_shift(d, en, MOVE_HOLD, en->it.text);
	drive_commit(d);
}

bool drive_let_go(struct drive *d, bool all)
{
	for (unsigned i = 0; all && i < d->n; i++) {
		struct entry *en = &d->v[i];
		if (!en->msg || en->flying)
			continue;
		if (en->it.state == ITEM_LEASED) {
			drive_shift(d, en, MOVE_LOSE_LEASE, "let go");
			drive_shift(d, en, MOVE_RETURN, NULL);
		}
		drop_message(en);
	}
	drive_commit(d);
	sweep_clear(d);
	return true;
}
