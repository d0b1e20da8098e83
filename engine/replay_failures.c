/* source_failures: what Lambda left in a queue of what it gave up. An item is the message; what is sent of it goes by its shape. One that
 * points to a stream's batch is replay_pointer.c's; one that has no known shape is kept out, and stays in the queue. */
#include "engine/replay_pointer.h"
#include "engine/replay_source.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "failures:QUEUE"

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
	d->run.lease_s = lease_of(d);
	d->run.batch = 1;
}

/* ---- by shape */

static const char *function(const struct drive *d, const struct entry *en)
{
	const struct parcel *v = parcel_of(&own(d)->pointers, (unsigned)(en - d->v));
	return d->run.dest && *d->run.dest ? NULL : v ? v->p.function_arn : NULL;
}

static void turn(struct drive *d, int64_t *wake_ms)
{
	pointers_turn(d, &own(d)->pointers, wake_ms);
}

static bool ready(const struct drive *d, unsigned at)
{
	return pointers_ready(&own(d)->pointers, at);
}

static bool event(struct drive *d, struct flight *f)
{
	return pointers_event(d, &own(d)->pointers, f);
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
