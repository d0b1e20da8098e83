#include "engine/drive/shard.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART_MS 1000 /* of reads of a shard that others read as well */
#define APART_ALONE_MS 250
#define BYTES_A_SECOND (1u << 20)
#define BYTES_ALONE (2u << 20)
#define FAILURES_MOST 6   /* in a row, beside what the call itself tried */
#define EMPTIES_MOST 2000 /* a long stretch without records is read in as many answers */
#define EXPIRED_MOST 5
#define BACKOFF_MS 1000

bool shards_may_read(struct drive *d, struct shards *s)
{
	struct consent c = d->t->rq.consent;
	struct result refused = { 0 };
	const struct gate_act act = { MODE_INSPECT, &op_get_records, "read records", false, 0 };
	c.yes = true;
	c.person = false;
	bool ok = gate_open(d->g->o.target, &c, &act, &s->permit, &refused);
	if (!ok)
		d->t->result->err = refused.err;
	return ok;
}

void shards_clear(struct shards *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	*s = (struct shards){ .v = NULL };
}

static struct shard_pace *pace_of(struct shards *s, const char *stream, const char *shard)
{
	char *name = xasprintf("%s/%s", stream, shard);
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0) {
			free(name);
			return &s->v[i];
		}
	MEM_GROW(s->v, s->n, s->cap);
	s->v[s->n] = (struct shard_pace){ .name = name };
	return &s->v[s->n++];
}

/* After an answer the shard rests for as long as its bytes take at our share of what it gives. */
static void rest(struct shard_reader *r, size_t bytes)
{
	struct shard_pace *p = pace_of(r->shards, r->stream, r->shard);
	int64_t apart = r->alone ? APART_ALONE_MS : APART_MS;
	int64_t ms = (int64_t)bytes * 1000 / (r->alone ? BYTES_ALONE : BYTES_A_SECOND);
	p->free_ms = clock_mono_ms() + (ms > apart ? ms : apart);
}

/* ---- calls */

static void on_done(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct shard_reader *r = ctx;
	(void)op, (void)in, (void)out;
	r->err = *e;
	r->answered = true;
}

static void call(struct shard_reader *r, const struct op *op, void *in, void *out)
{
	r->flying = true;
	r->answered = false;
	aws_call_permitted(r->d->g->aws, op->effect == OP_READ ? NULL : &r->shards->permit, CALL_ACT, op, in, out, on_done,
	                   r);
}

static bool ask_iterator(struct shard_reader *r)
{
	r->iterator_in = (struct iterator_in){ .stream = r->stream,
		                                   .shard = r->shard,
		                                   .sequence = r->from[0] ? r->from : r->first,
		                                   .after = r->from[0] ? true : r->after };
	call(r, &op_get_shard_iterator, &r->iterator_in, &r->iterator_out);
	return true;
}

static bool ask_records(struct shard_reader *r)
{
	char target[300];
	r->records_in = (struct records_in){ r->iterator_out.iterator, r->most };
	r->records_out.records = &r->records;
	snprintf(target, sizeof target, "%s/%s", r->stream, r->shard);
	if (!drive_announce(r->d, &op_get_records, target, "from %s on",
	                    r->iterator_in.sequence ? r->iterator_in.sequence : "the oldest"))
		return false;
	call(r, &op_get_records, &r->records_in, &r->records_out);
	return true;
}

/* A shard that is not found: is it the shard, or the stream? */
static bool ask_stream(struct shard_reader *r)
{
	r->describe_in = (struct describe_in){ r->stream, NULL };
	found_init(&r->found);
	call(r, kind_kinesis.describe, &r->describe_in, &r->found);
	return true;
}

static bool ask(struct shard_reader *r, int64_t *wake_ms)
{
	int64_t mono = clock_mono_ms(), free_ms = r->after_ms;
	if (r->asks == SHARD_ASK_RECORDS) {
		int64_t shard = pace_of(r->shards, r->stream, r->shard)->free_ms;
		free_ms = shard > free_ms ? shard : free_ms;
	}
	if (mono < free_ms) {
		*wake_ms = wake_sooner(*wake_ms, free_ms);
		return true;
	}
	return r->asks == SHARD_ASK_ITERATOR  ? ask_iterator(r)
	       : r->asks == SHARD_ASK_RECORDS ? ask_records(r)
	                                      : ask_stream(r);
}

/* ---- answers */

static enum shard_end failed(struct shard_reader *r)
{
	enum err_code code = r->err.code;
	if (r->asks == SHARD_ASK_STREAM) {
		found_clear(&r->found);
		return code == ERR_OK ? SHARD_ABSENT : code == ERR_NOTFOUND ? SHARD_NO_STREAM : SHARD_FAILED;
	}
	if (code == ERR_NOTFOUND) {
		r->asks = SHARD_ASK_STREAM;
		return SHARD_READING;
	}
	if (code == ERR_REFUSED && r->asks == SHARD_ASK_ITERATOR)
		return SHARD_STRANGE;
	if (code == ERR_CONFLICT && r->asks == SHARD_ASK_RECORDS && ++r->expired < EXPIRED_MOST) {
		r->asks = SHARD_ASK_ITERATOR;
		return SHARD_READING;
	}
	if (!err_retryable(code) || ++r->failures >= FAILURES_MOST)
		return SHARD_FAILED;
	r->after_ms = clock_mono_ms() + ((int64_t)BACKOFF_MS << (r->failures - 1));
	return SHARD_READING;
}

/* Beyond the range is nothing of ours. */
static bool passed_end(struct shard_reader *r)
{
	struct stream_records *v = &r->records;
	bool reached = r->last && v->n && sequence_compare(v->v[v->n - 1].sequence, r->last) >= 0;
	while (r->last && v->n && sequence_compare(v->v[v->n - 1].sequence, r->last) > 0)
		v->n--;
	return reached;
}

static enum shard_end hear_records(struct shard_reader *r, unsigned had, size_t had_bytes)
{
	const struct records_out *out = &r->records_out;
	bool news = r->records.n > had;
	rest(r, r->records.bytes - had_bytes);
	r->failures = r->expired = 0;
	r->empties = news ? 0 : r->empties + 1;
	if (news)
		snprintf(r->from, sizeof r->from, "%s", r->records.v[r->records.n - 1].sequence);
	if (passed_end(r))
		return SHARD_READ;
	if (!out->next[0])
		return r->last ? SHARD_CLOSED : SHARD_READ;
	if (!news && out->behind_ms == 0)
		return SHARD_READ;
	if (r->empties > EMPTIES_MOST) {
		err_set(&r->err, ERR_PARTIAL, "kinesis:GetRecords", "%u answers in a row without a record, and no end of it",
		        r->empties);
		return SHARD_FAILED;
	}
	if ((r->most && r->records.n >= r->most) || (r->most_bytes && r->records.bytes >= r->most_bytes))
		return SHARD_FULL;
	memcpy(r->iterator_out.iterator, out->next, sizeof out->next);
	return SHARD_READING;
}

static enum shard_end hear(struct shard_reader *r)
{
	unsigned had = r->heard;
	size_t had_bytes = r->heard_bytes;
	r->flying = r->answered = false;
	if (r->err.code != ERR_OK || r->asks == SHARD_ASK_STREAM)
		return failed(r);
	if (r->asks == SHARD_ASK_ITERATOR) {
		r->failures = 0;
		r->asks = SHARD_ASK_RECORDS;
		return SHARD_READING;
	}
	enum shard_end end = hear_records(r, had, had_bytes);
	r->heard = r->records.n;
	r->heard_bytes = r->records.bytes;
	return end;
}

void shard_begin(struct shard_reader *r, struct drive *d, struct shards *s)
{
	r->d = d;
	r->shards = s;
	stream_records_clear(&r->records);
	stream_records_init(&r->records);
	r->on = true;
	r->flying = r->answered = false;
	r->asks = SHARD_ASK_ITERATOR;
	r->failures = r->empties = r->expired = r->heard = 0;
	r->heard_bytes = 0;
	r->after_ms = 0;
	r->from[0] = '\0';
	err_clear(&r->err);
}

enum shard_end shard_step(struct shard_reader *r, int64_t *wake_ms)
{
	enum shard_end end = SHARD_READING;
	if (r->flying && !r->answered)
		return SHARD_READING;
	if (r->flying)
		end = hear(r);
	if (end == SHARD_READING && !ask(r, wake_ms)) { /* nothing is done that cannot be written down */
		err_set(&r->err, ERR_DB, "audit", "it cannot be written");
		end = SHARD_FAILED;
	}
	r->on = end == SHARD_READING;
	return end;
}

void shard_clear(struct shard_reader *r)
{
	stream_records_clear(&r->records);
	r->on = r->flying = false;
}
