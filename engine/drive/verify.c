/* Sent is not done: a copy is VERIFIED when it has not come back to the dead-letter queue within its time, and BOUNCED when it has. Looking
 * costs each message there a receive, so it is done as rarely as it can be: after the canary, when too many are unverified, at the end. */
#include "engine/drive/drive.h"

#include <stdio.h>
#include <string.h>

#define UNVERIFIED_MOST 500

static bool is_waiting(const struct drive *d, const struct entry *en)
{
	return d->run.mode == REPLAY_REDRIVE && en->it.state == ITEM_REMOVED;
}

static int64_t due(const struct drive *d, const struct entry *en)
{
	return en->it.accepted_ms + (int64_t)d->run.verify_s * 1000;
}

static unsigned waiting(const struct drive *d, int64_t *last)
{
	unsigned n = 0;
	*last = 0;
	for (unsigned i = 0; i < d->n; i++) {
		if (!is_waiting(d, &d->v[i]))
			continue;
		n++;
		*last = due(d, &d->v[i]) > *last ? due(d, &d->v[i]) : *last;
	}
	return n;
}

bool verify_waits(const struct drive *d)
{
	int64_t last;
	return waiting(d, &last) > 0;
}

bool verify_allows(const struct drive *d)
{
	int64_t last;
	return d->run.mode == REPLAY_INVOKE || waiting(d, &last) < UNVERIFIED_MOST;
}

void verify_begin(struct drive *d, bool idle, int64_t *wake_ms)
{
	int64_t last, now = now_ms();
	unsigned n = waiting(d, &last);
	bool canary = n && d->ramp.stage == 0 && ramp_room(&d->ramp) == 0;
	if (d->sweep.on || n == 0 || !(idle || canary || n >= UNVERIFIED_MOST))
		return;
	if (now < last) {
		*wake_ms = wake_sooner(*wake_ms, clock_mono_ms() + last - now + 1);
		return;
	}
	d->verifying = true;
	d->verify_from_ms = now;
	sweep_begin(d);
}

/* By the stamp it carries, or by the id it was given when it was sent: a queue's own redrive keeps that. */
static struct entry *copy_of(struct drive *d, const struct message *m)
{
	const struct message_attr *stamp = message_attr(m, STAMP_NAME);
	unsigned seq = 0;
	if (stamp && !stamp->binary && stamp->value.n > RUN_ID && strncmp(stamp->value.p, d->run.id, RUN_ID - 1) == 0 &&
	    sscanf(stamp->value.p + RUN_ID, "%u/", &seq) == 1 && seq >= 1 && seq <= d->n)
		return &d->v[seq - 1];
	for (unsigned i = 0; i < d->n; i++)
		if (d->v[i].it.out_id && strcmp(d->v[i].it.out_id, m->id) == 0)
			return &d->v[i];
	return NULL;
}

static void judged(struct drive *d, bool failed)
{
	if (d->ramp.stage && !failed)
		return; /* it counted when it was sent */
	d->results += d->ramp.stage == 0;
	d->failures += failed;
	if (d->ramp.stage == 0)
		ramp_done(&d->ramp, 1);
}

bool verify_meets(struct drive *d, const struct message *m)
{
	struct entry *en = d->run.mode == REPLAY_REDRIVE ? copy_of(d, m) : NULL;
	if (!en || strcmp(en->it.msg_id, m->id) == 0)
		return false;
	if (en->it.state == ITEM_REMOVED || en->it.state == ITEM_VERIFIED) {
		en->it.code = "BOUNCED";
		en->it.text = "its copy came back to the dead-letter queue";
		drive_shift(d, en, MOVE_BOUNCE, en->it.text);
		judged(d, true);
	}
	return true;
}

void verify_over(struct drive *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		struct entry *en = &d->v[i];
		if (!is_waiting(d, en) || due(d, en) > d->verify_from_ms)
			continue;
		drive_shift(d, en, MOVE_VERIFY, "did not come back");
		judged(d, false);
	}
	drive_commit(d);
}
