/* Items that go in their order, as a shard's records do: one call at a time, the first open ones and none beyond; what fails together is
 * halved until it is clear whose fault it is (replay/bisect.h says how), and what fails alone as often as it may is given up, so
 * that the rest goes on behind it. Behind an unknown outcome nothing goes on by itself. */
#include "engine/drive/source.h"

#include "core/mem.h"

#include <string.h>

static bool goes_again(const struct drive *d, const struct entry *en)
{
	return en->it.state == ITEM_UNKNOWN && resends(d, en);
}

static bool is_open(const struct drive *d, const struct entry *en)
{
	return !item_ended(en->it.state) || goes_again(d, en);
}

static bool blocked(struct drive *d)
{
	bool passes = d->t->rq.replay.unknown_said && d->run.unknown == UNKNOWN_HOLD;
	for (unsigned i = 0; i < d->n && !passes; i++) {
		struct entry *en = &d->v[i];
		if (en->it.state != ITEM_UNKNOWN || goes_again(d, en))
			continue;
		drive_end(d, RUN_PAUSED,
		          "what became of record %s is unknown, and those behind it wait for it: resume with --unknown resend "
		          "(it may be processed twice) or --unknown hold (the others go on without it)",
		          en->it.msg_id);
		return true;
	}
	return false;
}

static bool same_group(const struct entry *a, const struct entry *b)
{
	return a->it.group_id && b->it.group_id ? strcmp(a->it.group_id, b->it.group_id) == 0
	                                        : a->it.group_id == b->it.group_id;
}

/* Of what failed together the first half. */
static unsigned halved(const struct drive *d, unsigned first)
{
	unsigned n = 0;
	for (unsigned i = first; i < d->suspect; i++)
		n += is_open(d, &d->v[i]);
	return n ? (n + 1) / 2 : BATCH_MOST;
}

static unsigned first_open(const struct drive *d)
{
	unsigned first = 0;
	while (first < d->n && !is_open(d, &d->v[first]))
		first++;
	return first;
}

/* Beside those that are in f already. */
static bool joins(const struct drive *d, const struct flight *f, unsigned at)
{
	const struct entry *en = &d->v[at];
	return entry_ready(d, at, clock_mono_ms()) && (f->n == 0 || (!en->alone && same_group(&d->v[f->at[0]], en)));
}

void choose_ordered(struct drive *d, struct flight *f, unsigned most)
{
	size_t bytes = 0;
	f->n = 0;
	if (d->nflights || blocked(d))
		return;
	unsigned first = first_open(d);
	unsigned half = halved(d, first);
	most = half < most ? half : most;
	for (unsigned i = first; i < d->n && f->n < most; i++) {
		const struct entry *en = &d->v[i];
		if (!is_open(d, en))
			continue;
		if (!joins(d, f, i))
			return;
		bytes += message_bytes(en->msg) * 4 / 3 + 1200; /* in base64 */
		if (f->n && bytes > EVENT_MOST)
			return;
		f->at[f->n++] = i;
		if (en->alone)
			return;
	}
}

/* Not this one's fault, as far as it is known: it goes again, uncounted. */
static void once_more(struct drive *d, struct entry *en, const char *why)
{
	drive_shift(d, en, MOVE_REJECT, arena_strdup(d->mem, why)); /* it is read at the commit */
	drive_shift(d, en, MOVE_RETRY, NULL);
	ramp_unsent(&d->ramp, 1);
}

static void failed_alone(struct drive *d, struct entry *en, const struct verdict_of *v)
{
	reject(d, en, true, v->code, v->text);
	en->alone = false;
	if (en->it.state == ITEM_POISON) {
		count_results(d, 1, 1, false);
		ramp_done(&d->ramp, 1);
		drop_message(en);
	} else {
		ramp_unsent(&d->ramp, 1);
	}
}

void hear_ordered(struct drive *d, struct flight *f, const struct verdict_of *v)
{
	unsigned good = 0, at = 0;
	while (good < f->n && !v->failed[good])
		good++;
	for (; at < good; at++)
		drive_accept(d, &d->v[f->at[at]], f->out.request_id);
	count_results(d, good, 0, false);
	ramp_done(&d->ramp, good);
	if (at == f->n)
		return;
	bool named = f->n == 1 || v->named; /* the lowest that is reported: everything from it on goes again */
	d->suspect = f->at[named ? at : f->n - 1] + 1;
	if (named)
		failed_alone(d, &d->v[f->at[at++]], v);
	for (; at < f->n; at++)
		once_more(d, &d->v[f->at[at]], named ? "behind one that failed" : v->code);
}
