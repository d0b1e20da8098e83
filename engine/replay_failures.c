/* source_failures: what Lambda left in a queue of what it gave up. An item is the message; what is sent of it goes by its shape. One that
 * points to a stream's batch is replay_pointer.c's; one of an asynchronous invocation holds its event, which goes to the function that it
 * names; one that has no known shape is kept out, and stays in the queue. */
#include "engine/replay_pointer.h"
#include "engine/replay_source.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "failures:QUEUE"
#define CALL_MOST_S 900 /* of a function that is not known beforehand */

struct failures {
	struct pointers pointers;
};

static struct failures *own(const struct drive *d)
{
	return d->own;
}

static bool names(struct drive *d, const char *text, struct err *e)
{
	const char *name = text + strlen("failures:");
	d->own = xcalloc(1, sizeof(struct failures));
	if (!name_valid(name, 80, ""))
		return err_set(e, ERR_USAGE, "SOURCE", FORM ", not '%.80s'", text);
	d->queue_name = xstrdup(name);
	return true;
}

static bool may_read(struct drive *d)
{
	return may_receive(d) && shards_may_read(d, &own(d)->pointers.shards);
}

static const struct prepare_step steps[] = {
	{ ask_url, hear_url, false, false, NULL },
	{ ask_queue, hear_queue, false, false, NULL },
	{ ask_moves, hear_moves, true, true, "whether a message move task is running is not known" },
	{ ask_function, hear_function, false, false, NULL },
};

static void settle(struct drive *d)
{
	d->run.source = arena_printf(d->mem, "failures:%s", d->queue_name);
	d->run.lease_s = lease_of(d); /* it is held on to for as long as a call takes */
	d->run.batch = 1;
	if (!d->run.call_s)
		d->run.call_s = CALL_MOST_S;
}

/* ---- an asynchronous invocation that failed */

enum async_found note_async(struct message *m, struct err *e)
{
	struct async_record r;
	struct arena mem;
	arena_init(&mem);
	enum async_found found = async_read(m, &mem, &r, e);
	if (found == ASYNC_FOUND) {
		struct message_fact *facts = arena_alloc(&m->mem, (m->nfacts + 1u) * sizeof *facts);
		if (m->nfacts)
			memcpy(facts, m->facts, m->nfacts * sizeof *facts);
		facts[m->nfacts++] =
		    (struct message_fact){ FUNCTION_FACT, arena_strdup(&m->mem, r.function_arn ? r.function_arn : "") };
		m->facts = facts;
	}
	arena_clear(&mem);
	return found;
}

bool async_event(struct drive *d, struct flight *f)
{
	struct arena mem;
	struct async_record r;
	struct err e;
	arena_init(&mem);
	bool ok = async_read(d->v[f->at[0]].msg, &mem, &r, &e) == ASYNC_FOUND && buf_addspan(&f->payload, r.payload);
	arena_clear(&mem);
	return ok;
}

static const char *invoked(const struct entry *en)
{
	return en->msg ? message_fact(en->msg, FUNCTION_FACT) : NULL;
}

/* Each message in hand is looked at once; what is no such record is left to the pointers, who say so when it is none of theirs either. */
static void look_at_new(struct drive *d)
{
	bool through = d->run.dest && *d->run.dest;
	for (unsigned i = d->first; i < d->n; i++) {
		struct entry *en = &d->v[i];
		struct err e = { 0 };
		if (en->it.state != ITEM_LEASED || !en->msg || en->flying || invoked(en) || parcel_of(&own(d)->pointers, i))
			continue;
		enum async_found found = note_async(en->msg, &e);
		if (found == ASYNC_BROKEN)
			drive_keep_out(d, en, "MALFORMED", e.text);
		else if (found == ASYNC_FOUND && !through && !*invoked(en))
			drive_keep_out(d, en, "NO_FUNCTION", "it names no function: name one with --through");
	}
}

/* ---- by shape */

static const char *function(const struct drive *d, const struct entry *en)
{
	const struct parcel *v = parcel_of(&own(d)->pointers, (unsigned)(en - d->v));
	const char *named = invoked(en);
	if (d->run.dest && *d->run.dest)
		return NULL;
	return named ? named : v ? v->p.function_arn : NULL;
}

static void turn(struct drive *d, int64_t *wake_ms)
{
	if (!d->ending)
		look_at_new(d);
	pointers_turn(d, &own(d)->pointers, wake_ms);
}

static bool ready(const struct drive *d, unsigned at)
{
	return invoked(&d->v[at]) || pointers_ready(&own(d)->pointers, at);
}

static bool event(struct drive *d, struct flight *f)
{
	return invoked(&d->v[f->at[0]]) ? async_event(d, f) : pointers_event(d, &own(d)->pointers, f);
}

static bool hear(struct drive *d, struct flight *f)
{
	bool pointer = parcel_of(&own(d)->pointers, f->at[0]) != NULL;
	if (pointer)
		pointers_hear(d, &own(d)->pointers, f);
	return pointer;
}

static bool busy(const struct drive *d)
{
	return pointers_busy(&own(d)->pointers);
}

static void clear(struct drive *d)
{
	if (!d->own)
		return;
	pointers_clear(&own(d)->pointers);
	free(d->own);
	d->own = NULL;
}

const struct replay_source source_failures = {
	.prefix = "failures:",
	.form = FORM,
	.kept = "the queue",
	.leases = true,
	.deletes = true,
	.through = true,
	.names = names,
	.may_read = may_read,
	.steps = steps,
	.nsteps = sizeof steps / sizeof *steps,
	.settle = settle,
	.begin = sweep_begin,
	.step = sweep_step,
	.give_back = release_step,
	.event = event,
	.function = function,
	.turn = turn,
	.ready = ready,
	.hear = hear,
	.busy = busy,
	.clear = clear,
};
