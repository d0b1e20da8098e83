/* source_failures: what Lambda left in a queue of what it gave up. An item is the message; what is sent of it goes by its shape. One that
 * points to a stream's batch is pointer.c's; one of an asynchronous invocation holds its event, which goes to the function that it
 * names; one that has no known shape is kept out, and stays in the queue. */
#include "engine/drive/pointer.h"
#include "engine/drive/source.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "failures:QUEUE"
#define CALL_MOST_S 900 /* of a function that is not known beforehand */

#define STREAMS_MOST 16 /* that are asked how long they keep their records */

struct named {              /* a stream or a function that messages of the freeze name */
	const char *arn, *name; /* name: the stream's, to ask by */
	int64_t retention_s;    /* 0: not known, -1: it is not there */
};
struct failures {
	struct pointers pointers;
	struct named streams[STREAMS_MOST], functions[STREAMS_MOST];
	unsigned nstreams, nfunctions;
	unsigned asked;  /* how many streams have been */
	unsigned broken; /* messages that cannot be followed */
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

/* ---- what the freeze met: when it is lost, and what a plan has to say of it */

static struct named *find_named(struct named *v, unsigned n, const char *arn)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(v[i].arn, arn) == 0)
			return &v[i];
	return NULL;
}

/* NULL: there are too many. */
static struct named *name_it(struct drive *d, struct named *v, unsigned *n, const char *arn, const char *name)
{
	struct named *known = find_named(v, *n, arn);
	if (known || *n == STREAMS_MOST)
		return known;
	v[*n] = (struct named){ .arn = arena_strdup(d->mem, arn), .name = arena_strdup(d->mem, name) };
	return &v[(*n)++];
}

static void added(struct drive *d, struct entry *en)
{
	struct failures *f = own(d);
	struct arena mem;
	struct given_up p;
	struct err e;
	arena_init(&mem);
	bool found = given_up_read(en->msg->body, &mem, &p, &e) == POINTER_FOUND;
	f->broken += !found;
	if (found) {
		name_it(d, f->functions, &f->nfunctions, p.function_arn, NULL);
		struct named *s = name_it(d, f->streams, &f->nstreams, p.stream_arn, p.stream);
		en->points_to = s ? s->arn : NULL;
		en->first_ms = p.first_ms;
	}
	arena_clear(&mem);
}

static bool ask_stream(struct drive *d)
{
	struct failures *f = own(d);
	d->in.describe = (struct describe_in){ f->streams[f->asked].name, NULL };
	found_clear(&d->found);
	found_init(&d->found);
	read_aws(d, kind_kinesis.describe, &d->in.describe, &d->found);
	return false;
}

static void hear_stream(struct drive *d)
{
	struct named *s = &own(d)->streams[own(d)->asked++];
	d->asking = d->answered = false;
	if (d->err.code == ERR_NOTFOUND)
		s->retention_s = -1;
	for (unsigned i = 0; i < d->found.nfacts; i++)
		if (strcmp(d->found.facts[i].key, "retention_h") == 0)
			s->retention_s = strtoll(d->found.facts[i].value, NULL, 10) * 3600;
	if (d->err.code != ERR_OK)
		drive_warn(d, "how long %s keeps its records is not known: %s: %s", s->name, d->err.where, d->err.text);
	err_clear(&d->err);
}

/* A pointer is lost with the first of its records, whatever the queue says of it. */
static void set_losses(struct drive *d)
{
	struct failures *f = own(d);
	unsigned expired = 0;
	for (unsigned i = 0; i < d->n; i++) {
		struct entry *en = &d->v[i];
		const struct named *s = en->points_to ? find_named(f->streams, f->nstreams, en->points_to) : NULL;
		if (!s || s->retention_s <= 0 || !en->first_ms)
			continue;
		en->loss_ms = en->first_ms + s->retention_s * 1000;
		expired += en->loss_ms <= now_ms();
	}
	if (expired)
		drive_warn(
		    d, "%u of the messages point to records that have expired, all of them or the first: what is gone is said",
		    expired);
	if (f->broken)
		drive_warn(d, "%u of the messages are no on-failure records that can be followed: they are kept out, and stay",
		           f->broken);
	if (f->nfunctions > 1 && !(d->run.dest && *d->run.dest))
		drive_warn(d, "the records name %u functions: each gets its own, unless --through names one", f->nfunctions);
}

static bool frozen(struct drive *d)
{
	struct failures *f = own(d);
	if (d->asking && !d->answered)
		return false;
	if (d->asking)
		hear_stream(d);
	if (f->asked < f->nstreams)
		return ask_stream(d);
	set_losses(d);
	return true;
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
	.added = added,
	.frozen = frozen,
	.event = event,
	.function = function,
	.turn = turn,
	.ready = ready,
	.hear = hear,
	.busy = busy,
	.clear = clear,
};
