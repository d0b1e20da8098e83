/* Sending what a message points to, in as many calls as it takes, and what their answers make of it. */
#include "engine/drive/pointer.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 2 /* of a record alone */

/* In base64, with what stands around it. */
static size_t event_bytes(const struct stream_record *r)
{
	return r->data.n / 3 * 4 + strlen(r->key) + 700;
}

static struct stream_record *record_at(const struct parcel *v, unsigned at)
{
	return &v->records.v[at - v->base];
}

bool pointers_event(struct drive *d, struct pointers *p, struct flight *f)
{
	struct parcel *v = parcel_of(p, f->at[0]);
	unsigned most = bisect_next(&v->bisect, UINT32_MAX), n = 0;
	size_t bytes = 0;
	const struct stream_record **r = xcalloc(most, sizeof *r);
	while (n < most) {
		r[n] = record_at(v, v->bisect.at + n);
		bytes += event_bytes(r[n]);
		if (n && bytes > EVENT_MOST)
			break;
		n++;
	}
	v->part = n;
	snprintf(f->detail, sizeof f->detail, "records %u to %u of %u, %s to %s", v->bisect.at + 1, v->bisect.at + n,
	         v->p.records, r[0]->sequence, r[n - 1]->sequence);
	const struct event_stream of = { v->p.stream_arn, v->p.region, v->p.shard, v->function->out.role };
	bool ok = event_kinesis(&f->payload, r, n, &of);
	free(r);
	(void)d;
	return ok;
}

/* ---- the answer */

static void outcome(struct parcel *v, unsigned n)
{
	v->progress.done += n;
	snprintf(v->progress.upto, sizeof v->progress.upto, "%s", record_at(v, v->progress.done - 1)->sequence);
}

static void give_up_record(struct drive *d, struct parcel *v)
{
	unsigned at = v->progress.done;
	snprintf(v->progress.poison[v->progress.npoison++], SEQUENCE_MOST + 1, "%s", record_at(v, at)->sequence);
	outcome(v, 1);
	count_results(d, 1, 1, false);
}

static void keep_progress(struct drive *d, struct parcel *v, struct entry *en)
{
	char text[PROGRESS_TEXT];
	if (!v->progress.upto[0])
		return;
	progress_write(&v->progress, text);
	en->it.out_id = arena_strdup(d->mem, text);
}

static void tell_poison(struct drive *d, struct parcel *v, struct entry *en)
{
	const struct progress *p = &v->progress;
	unsigned rest = v->p.records - p->done;
	en->it.text =
	    arena_printf(d->mem, "%u of its %u records failed (the first: %s), %u were accepted%s%s", p->npoison,
	                 v->p.records, p->poison[0], p->done - p->npoison - p->gone, p->gone ? ", some had expired" : "",
	                 rest ? ", and the others were not sent any more" : "");
}

/* Every record has its outcome, or too many failed. */
static void end_parcel(struct drive *d, struct parcel *v, struct entry *en, const char *request_id)
{
	const struct progress *p = &v->progress;
	ramp_done(&d->ramp, 1);
	if (p->npoison) {
		tell_poison(d, v, en);
		drive_shift(d, en, MOVE_REJECT, en->it.text);
		drive_shift(d, en, MOVE_GIVE_UP, NULL);
	} else if (p->gone) {
		en->it.code = "EXPIRED";
		en->it.text = arena_printf(d->mem, "%u of its %u records had expired, the other %u were accepted", p->gone,
		                           v->p.records, v->p.records - p->gone);
		drive_shift(d, en, MOVE_ADVANCE, "the last of its records was accepted");
		drive_shift(d, en, MOVE_LOSE_LEASE, NULL);
		drive_shift(d, en, MOVE_VANISH, en->it.text);
	} else {
		drive_accept(d, en, request_id);
	}
}

static unsigned judged_good(struct parcel *v, const struct flight *f, struct verdict_of *verdict)
{
	const char **ids = xcalloc(v->part, sizeof *ids);
	unsigned good = 0;
	verdict->failed = xcalloc(v->part, sizeof *verdict->failed);
	for (unsigned i = 0; i < v->part; i++)
		ids[i] = record_at(v, v->bisect.at + i)->sequence;
	event_verdict(buf_span(&f->out.body), f->out.error[0] ? f->out.error : NULL, ids, v->part, v->partial, verdict);
	while (good < v->part && !verdict->failed[good])
		good++;
	free(verdict->failed);
	free(ids);
	return good;
}

/* True: a record was given up. */
static bool bisect_further(struct parcel *v, unsigned good, const struct verdict_of *verdict)
{
	bool named = v->part == 1 || verdict->named; /* the lowest that is reported */
	bisect_accept(&v->bisect, good);
	return good < v->part && bisect_fail(&v->bisect, named ? 1 : v->part, TRIES);
}

void pointers_hear(struct drive *d, struct pointers *p, struct flight *f)
{
	struct entry *en = &d->v[f->at[0]];
	struct parcel *v = parcel_of(p, f->at[0]);
	struct verdict_of verdict = { .failed = NULL };
	unsigned good = judged_good(v, f, &verdict);
	bool failed = good < v->part;
	if (good)
		outcome(v, good);
	count_results(d, good, 0, false);
	if (failed) {
		en->it.code = arena_strdup(d->mem, verdict.code);
		en->it.text = arena_strdup(d->mem, verdict.text);
		en->it.request_id = arena_strdup(d->mem, f->out.request_id);
	}
	if (bisect_further(v, good, &verdict))
		give_up_record(d, v);
	keep_progress(d, v, en);
	if (v->progress.done == v->p.records || v->progress.npoison == PROGRESS_POISON) {
		end_parcel(d, v, en, f->out.request_id);
		return;
	}
	ramp_unsent(&d->ramp, 1);
	if (failed) {
		drive_shift(d, en, MOVE_REJECT, en->it.code);
		drive_shift(d, en, MOVE_RETRY, NULL);
	} else {
		drive_shift(d, en, MOVE_ADVANCE, en->it.out_id);
	}
}
