/* What looks into queues have shown, from a replay's sweeps into cache/peek.h, and from there to the first-loss clocks. */
#include "cache/peek.h"

#include "core/log.h"
#include "core/mem.h"
#include "engine/drive/drive.h"
#include "replay/given_up.h"

#include <stdlib.h>

#define MET_MOST 100000 /* messages of one look: of a larger one only the first are kept, and it is not whole */
#define DELETED_MOST 64

struct peeking {
	struct arena mem; /* strings of `met` */
	int64_t at_ms;
	struct peeked *met;
	unsigned n, cap;
	bool cut;
	const char *deleted[DELETED_MOST]; /* the run's own strings */
	unsigned ndeleted;
};

static struct peeking *peeking(struct drive *d)
{
	if (!d->peeking) {
		d->peeking = xcalloc(1, sizeof *d->peeking);
		arena_init(&d->peeking->mem);
	}
	return d->peeking;
}

/* ---- the look */

static void forget(struct peeking *p)
{
	arena_clear(&p->mem);
	p->n = 0;
	p->cut = false;
}

void peeks_begin(struct drive *d)
{
	struct peeking *p = peeking(d);
	forget(p);
	p->at_ms = now_ms();
}

void peeks_met(struct drive *d, const struct message *m)
{
	struct peeking *p = peeking(d);
	const char *stream = NULL;
	int64_t arrived = 0;
	const char *sent = message_fact(m, "SentTimestamp");
	p->cut = p->cut || p->n == MET_MOST;
	if (p->cut)
		return;
	given_up_since(m->body, &p->mem, &stream, &arrived);
	MEM_GROW(p->met, p->n, p->cap);
	p->met[p->n++] = (struct peeked){ .id = arena_strdup(&p->mem, m->id),
		                              .sent_ms = sent ? strtoll(sent, NULL, 10) : 0,
		                              .arrived_ms = arrived,
		                              .stream = stream };
}

static void told(bool ok, const struct err *e)
{
	if (!ok)
		log_warn(LOG_ENGINE, "what was seen of the queue is not kept: %s: %s", e->where, e->text);
}

/* What others had in hand just then was not seen. */
void peeks_over(struct drive *d, bool whole)
{
	struct peeking *p = peeking(d);
	struct err e = { 0 };
	bool all = whole && !p->cut && d->phase == PHASE_FREEZE && !d->resumed && !d->ending && d->r->in_flight == 0;
	peeks_flush(d);
	if (p->n || all) {
		struct peeks *to = peek_open(d->g->o.state_path, true, &e);
		told(to && peek_save(to, d->run.source_arn, p->at_ms, all, p->met, p->n, &e), &e);
		peek_close(to);
	}
	forget(p);
}

/* ---- what is deleted */

void peeks_deleted(struct drive *d, const char *msg_id)
{
	struct peeking *p = peeking(d);
	if (p->ndeleted == DELETED_MOST)
		peeks_flush(d);
	p->deleted[p->ndeleted++] = msg_id;
}

void peeks_flush(struct drive *d)
{
	struct peeking *p = d->peeking;
	struct err e = { 0 };
	if (!p || !p->ndeleted)
		return;
	struct peeks *to = peek_open(d->g->o.state_path, true, &e);
	told(to && peek_removed(to, d->run.source_arn, p->deleted, p->ndeleted, &e), &e);
	peek_close(to);
	p->ndeleted = 0;
}

void peeks_free(struct drive *d)
{
	if (!d->peeking)
		return;
	arena_clear(&d->peeking->mem);
	free(d->peeking->met);
	free(d->peeking);
	d->peeking = NULL;
}
