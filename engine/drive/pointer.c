/* What messages point to, read again: pointer.h says what for. Here is the reading; parcel.c sends. */
#include "engine/drive/pointer.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pointers_busy(const struct pointers *p)
{
	return p->asking || p->reader.flying;
}

static void parcel_free(struct parcel *v)
{
	stream_records_clear(&v->records);
	arena_clear(&v->mem);
	*v = (struct parcel){ .state = PARCEL_FREE };
}

struct parcel *parcel_of(struct pointers *p, unsigned at)
{
	for (unsigned i = 0; i < FLIGHTS; i++)
		if (p->parcels[i].state != PARCEL_FREE && p->parcels[i].at == at)
			return &p->parcels[i];
	return NULL;
}

bool pointers_ready(const struct pointers *p, unsigned at)
{
	for (unsigned i = 0; i < FLIGHTS; i++)
		if (p->parcels[i].state == PARCEL_READY && p->parcels[i].at == at)
			return true;
	return false;
}

void pointers_clear(struct pointers *p)
{
	shard_clear(&p->reader);
	shards_clear(&p->shards);
	for (unsigned i = 0; i < FLIGHTS; i++)
		if (p->parcels[i].state != PARCEL_FREE)
			parcel_free(&p->parcels[i]);
	for (unsigned i = 0; i < p->nfunctions; i++)
		free(p->functions[i]);
	for (unsigned i = 0; i < p->nstreams; i++) {
		arena_clear(&p->streams[i]->out.mem);
		free(p->streams[i]->out.v);
		free(p->streams[i]);
	}
	free(p->functions);
	free(p->streams);
	*p = (struct pointers){ .asking = false };
}

/* ---- what becomes of one that cannot be sent */

static void is_gone(struct drive *d, struct entry *en, const char *text)
{
	en->it.code = "EXPIRED";
	en->it.text = arena_strdup(d->mem, text);
	drive_shift(d, en, MOVE_LOSE_LEASE, en->it.text);
	drive_shift(d, en, MOVE_VANISH, en->it.text);
	drive_commit(d);
}

/* ---- what has to be known of a function and of a stream before */

static void on_known(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct pointers *p = ctx;
	(void)op, (void)in, (void)out;
	p->err = *e;
	p->answered = true;
}

static void know(struct drive *d, struct pointers *p, const struct op *op, void *in, void *out)
{
	p->asking = true;
	p->answered = false;
	aws_call_as(d->g->aws, CALL_ACT, op, in, out, on_known, p);
}

/* NULL: it is being asked for. */
static const struct pointed_function *function_of(struct drive *d, struct pointers *p, const char *arn)
{
	for (unsigned i = 0; i < p->nfunctions; i++)
		if (strcmp(p->functions[i]->arn, arn) == 0)
			return p->functions[i];
	MEM_GROW(p->functions, p->nfunctions, p->capfunctions);
	struct pointed_function *f = p->functions[p->nfunctions++] = xcalloc(1, sizeof *f);
	f->arn = arena_strdup(d->mem, arn);
	p->function_in.function = f->arn;
	p->asked_stream = false;
	know(d, p, &op_get_function_configuration, &p->function_in, &f->out);
	return NULL;
}

static const struct pointed_stream *stream_of(struct drive *d, struct pointers *p, const char *arn)
{
	for (unsigned i = 0; i < p->nstreams; i++)
		if (strcmp(p->streams[i]->arn, arn) == 0)
			return p->streams[i];
	MEM_GROW(p->streams, p->nstreams, p->capstreams);
	struct pointed_stream *s = p->streams[p->nstreams++] = xcalloc(1, sizeof *s);
	s->arn = arena_strdup(d->mem, arn);
	s->in.source = s->arn;
	arena_init(&s->out.mem);
	p->asked_stream = true;
	know(d, p, &op_list_mappings_of, &s->in, &s->out);
	return NULL;
}

/* What is not known of a stream makes us more careful, and stops nothing. */
static void hear_known(struct drive *d, struct pointers *p)
{
	p->asking = p->answered = false;
	if (p->asked_stream) {
		struct pointed_stream *s = p->streams[p->nstreams - 1];
		s->known = p->err.code == ERR_OK;
		if (!s->known)
			drive_warn(d, "who else reads %s is not known: %s: %s", s->arn, p->err.where, p->err.text);
		return;
	}
	p->functions[p->nfunctions - 1]->absent = p->err.code == ERR_NOTFOUND;
	if (p->err.code != ERR_OK && p->err.code != ERR_NOTFOUND) {
		free(p->functions[--p->nfunctions]);
		drive_end(d, RUN_PAUSED, "%s: %s", p->err.where, p->err.text);
	}
}

static bool others_read(const struct pointed_stream *s)
{
	for (unsigned i = 0; i < s->out.n; i++)
		if (strcmp(s->out.v[i].state, "Disabled") != 0)
			return true;
	return !s->known;
}

/* Of the mapping that gave the batch up; its function is told with the alias, as the record tells it. */
static bool reports(const struct pointed_stream *s, const char *function_arn)
{
	for (unsigned i = 0; i < s->out.n; i++)
		if (strcmp(s->out.v[i].function_arn, function_arn) == 0)
			return s->out.v[i].partial;
	return false;
}

/* ---- reading */

/* False: it has been kept out, or asks first. */
static bool can_follow(struct drive *d, struct pointers *p, struct entry *en, struct parcel *v)
{
	struct err e = { 0 };
	enum given_up_found found = given_up_read(en->msg->body, &v->mem, &v->p, &e);
	const char *through = d->run.dest && *d->run.dest ? d->run.dest : NULL;
	if (found != POINTER_FOUND) {
		drive_keep_out(d, en, "MALFORMED", found == POINTER_NONE ? "it is no on-failure record of a batch" : e.text);
		return false;
	}
	if (strcmp(v->p.region, d->run.region) != 0 || strcmp(v->p.account, d->run.account) != 0) {
		drive_keep_out(d, en, "ELSEWHERE", "its stream is of another account or region than its queue");
		return false;
	}
	if (!progress_read(en->it.out_id, &v->progress) || v->progress.done > v->p.records) {
		drive_keep_out(d, en, "MALFORMED", "what the ledger says of its records cannot be read");
		return false;
	}
	v->function = function_of(d, p, through ? through : v->p.function_arn);
	const struct pointed_stream *s = v->function ? stream_of(d, p, v->p.stream_arn) : NULL;
	if (!s)
		return false;
	if (v->function->absent) {
		drive_keep_out(d, en, "NO_FUNCTION", "the function that it names is not there: name one with --through");
		return false;
	}
	v->partial = reports(s, v->p.function_arn);
	p->reader.alone = !others_read(s);
	return true;
}

static void start(struct drive *d, struct pointers *p, struct parcel *v, unsigned at)
{
	arena_init(&v->mem);
	if (!can_follow(d, p, &d->v[at], v)) {
		parcel_free(v);
		return;
	}
	v->state = PARCEL_READING;
	v->at = at;
	p->reading = v;
	p->reader.stream = v->p.stream;
	p->reader.shard = v->p.shard;
	p->reader.after = v->progress.done > 0;
	p->reader.first = v->progress.done ? v->progress.upto : v->p.first;
	p->reader.last = v->p.last;
	p->reader.most = v->p.records - v->progress.done + 1; /* one more than there may be: so that is seen */
	p->reader.most_bytes = 0;
	shard_begin(&p->reader, d, &p->shards);
}

/* The range must hold what the pointer counts. NULL: it does, but for what has expired at its beginning. */
static const char *odd(struct drive *d, const struct parcel *v, const struct stream_records *r)
{
	unsigned expected = v->p.records - v->progress.done;
	bool at_first = r->n && !v->progress.done && strcmp(r->v[0].sequence, v->p.first) == 0;
	if (r->n > expected || (r->n < expected && at_first))
		return arena_printf(d->mem,
		                    "it counts %u records, and its range holds %s%u: the mapping reads a shard in parallel, or "
		                    "filters, and which they were is not told; by hand: kinesis:%s/%s@%s..%s",
		                    v->p.records, r->n > expected ? "at least " : "", r->n + v->progress.done, v->p.stream,
		                    v->p.shard, v->p.first, v->p.last);
	if (r->n && strcmp(r->v[r->n - 1].sequence, v->p.last) != 0)
		return arena_printf(d->mem, "its range should end at %s, which is not in %s", v->p.last, v->p.shard);
	return NULL;
}

static void have_records(struct drive *d, struct pointers *p, struct parcel *v)
{
	struct entry *en = &d->v[v->at];
	struct stream_records *r = &p->reader.records;
	unsigned expected = v->p.records - v->progress.done;
	const char *why = odd(d, v, r);
	if (why) {
		drive_keep_out(d, en, "RANGE_DIFFERS", why);
		parcel_free(v);
	} else if (r->n == 0) {
		is_gone(d, en, "its records have expired in the stream");
		parcel_free(v);
	} else {
		v->records = *r;
		stream_records_init(r);
		v->progress.gone += expected - v->records.n;
		v->progress.done += expected - v->records.n;
		v->base = v->progress.done;
		v->bisect = (struct bisect){ .at = v->base, .end = v->p.records };
		v->state = PARCEL_READY;
	}
}

static void finish_reading(struct drive *d, struct pointers *p, enum shard_end end)
{
	struct parcel *v = p->reading;
	struct entry *en = &d->v[v->at];
	p->reading = NULL;
	if (en->it.state != ITEM_LEASED || !en->msg || end == SHARD_FAILED) {
		if (end == SHARD_FAILED)
			drive_end(d, RUN_PAUSED, "%s: %s", p->reader.err.where, p->reader.err.text);
		parcel_free(v);
	} else if (end == SHARD_READ || end == SHARD_FULL || end == SHARD_CLOSED) {
		have_records(d, p, v);
	} else {
		if (end == SHARD_STRANGE)
			drive_keep_out(d, en, "MALFORMED", "its shard never gave its first sequence number");
		else
			is_gone(d, en,
			        end == SHARD_ABSENT ? "its shard is not there any more: its records have expired"
			                            : "its stream is not there any more, and no record of it");
		parcel_free(v);
	}
}

/* ---- a turn */

static void let_go(struct drive *d, struct pointers *p)
{
	for (unsigned i = 0; i < FLIGHTS; i++) {
		struct parcel *v = &p->parcels[i];
		if (v->state != PARCEL_READY)
			continue;
		const struct entry *en = &d->v[v->at];
		bool busy = en->msg && (en->it.state == ITEM_LEASED || en->it.state == ITEM_INTENT);
		if (!busy && !en->flying)
			parcel_free(v);
	}
}

static struct parcel *free_parcel(const struct drive *d, struct pointers *p)
{
	unsigned used = 0, room = ramp_room(&d->ramp);
	struct parcel *found = NULL;
	for (unsigned i = 0; i < FLIGHTS; i++) {
		used += p->parcels[i].state != PARCEL_FREE;
		found = p->parcels[i].state == PARCEL_FREE ? &p->parcels[i] : found;
	}
	return used < d->nflights || used - d->nflights < room ? found : NULL;
}

static void start_next(struct drive *d, struct pointers *p)
{
	struct parcel *v = free_parcel(d, p);
	for (unsigned i = d->first; v && i < d->n && !p->asking && !p->reader.on; i++)
		if (d->v[i].it.state == ITEM_LEASED && d->v[i].msg && !message_fact(d->v[i].msg, FUNCTION_FACT) &&
		    !parcel_of(p, i)) {
			start(d, p, v, i);
			v = free_parcel(d, p);
		}
}

void pointers_turn(struct drive *d, struct pointers *p, int64_t *wake_ms)
{
	let_go(d, p);
	if (p->asking && p->answered)
		hear_known(d, p);
	if (p->reader.on) {
		enum shard_end end = d->ending && !p->reader.flying ? SHARD_FAILED : shard_step(&p->reader, wake_ms);
		if (end != SHARD_READING) {
			p->reader.on = false;
			finish_reading(d, p, end);
		}
	}
	if (!d->ending && !p->asking && !p->reader.on)
		start_next(d, p);
}
