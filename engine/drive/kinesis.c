/* source_kinesis: a range of a shard, by hand. An item is a record, so that each has a state of its own and what is poison has a name; its id is
 * the event id that the function sees, SHARD:SEQUENCE. Records go in their order and stay where they are: there is nothing to delete, and how
 * far a shard has come is its last accepted record. A shard that ends within the range goes on in its children. */
#include "engine/drive/shard.h"
#include "engine/drive/source.h"

#include "core/mem.h"
#include "replay/given_up.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "kinesis:STREAM/SHARD@SEQ..SEQ"
#define READ_BYTES (16u << 20) /* taken at once */
#define SHARDS_MOST 64

struct kin {
	char *stream, *shard, *first, *last;
	struct shards shards;
	struct shard_reader reader;
	char *from;                       /* the reader's, of a shard read in parts */
	char todo[SHARDS_MOST][SHARD_ID]; /* while it is frozen: shards to be read, in their order */
	unsigned ntodo, at;
	const char *reading; /* the shard that is being read */
	unsigned aggregates;
	int64_t oldest_ms, newest_ms; /* arrivals of what was frozen */
	unsigned upto;                /* of the work: entries from `at0` to here are read together */
};

static struct kin *own(const struct drive *d)
{
	return d->own;
}

/* ---- names */

static bool read_name(struct kin *k, const char *text)
{
	const char *slash = strchr(text, '/'), *at = slash ? strchr(slash, '@') : NULL,
	           *dots = at ? strstr(at, "..") : NULL;
	if (!dots)
		return false;
	k->stream = xstrndup(text, (size_t)(slash - text));
	k->shard = xstrndup(slash + 1, (size_t)(at - slash - 1));
	k->first = xstrndup(at + 1, (size_t)(dots - at - 1));
	k->last = xstrdup(dots + 2);
	return name_valid(k->stream, 128, "") && shard_id_valid(k->shard) && sequence_valid(k->first) &&
	       sequence_valid(k->last);
}

static bool names(struct drive *d, const char *text, struct err *e)
{
	struct kin *k = d->own = xcalloc(1, sizeof *k);
	if (!read_name(k, text + strlen("kinesis:")))
		return err_set(e, ERR_USAGE, "SOURCE", FORM ", not '%.80s'", text);
	return sequence_compare(k->first, k->last) <= 0 ||
	       err_set(e, ERR_USAGE, "SOURCE", "the range ends before it begins");
}

static bool may_read(struct drive *d)
{
	return shards_may_read(d, &own(d)->shards);
}

static void clear(struct drive *d)
{
	struct kin *k = own(d);
	if (!k)
		return;
	shard_clear(&k->reader);
	shards_clear(&k->shards);
	free(k->stream);
	free(k->shard);
	free(k->first);
	free(k->last);
	free(k->from);
	free(k);
	d->own = NULL;
}

/* ---- what the stream and the function are like */

static bool ask_stream(struct drive *d)
{
	d->in.describe = (struct describe_in){ own(d)->stream, NULL };
	found_clear(&d->found);
	found_init(&d->found);
	read_aws(d, kind_kinesis.describe, &d->in.describe, &d->found);
	return true;
}

static const char *fact(const struct drive *d, const char *key)
{
	for (unsigned i = 0; i < d->found.nfacts; i++)
		if (strcmp(d->found.facts[i].key, key) == 0)
			return d->found.facts[i].value;
	return "";
}

static bool hear_stream(struct drive *d)
{
	const char *arn = fact(d, "arn"), *region, *account, *name;
	if (!stream_arn_split(arn, d->mem, &region, &account, &name))
		return err_set(&d->err, ERR_BADREPLY, "kinesis:DescribeStreamSummary", "the stream has no ARN");
	d->run.source_arn = arena_strdup(d->mem, arn);
	d->r->queue_arn = d->run.source_arn;
	d->run.source_url = "";
	d->run.account = account;
	d->run.region = region;
	d->retention_s = strtoll(fact(d, "retention_h"), NULL, 10) * 3600;
	d->one_source = d->run.source_arn;
	return true;
}

static bool any_reads(const struct drive *d)
{
	for (unsigned i = 0; i < d->mappings.n; i++)
		if (strcmp(d->mappings.v[i].state, "Disabled") != 0)
			return true;
	return false;
}

/* Other readers than mappings (enhanced fan-out aside, which has its own share) show nowhere. */
static bool hear_mappings(struct drive *d)
{
	struct kin *k = own(d);
	const struct function_mapping *m = mapping_of(d, d->run.source_arn);
	k->reader.alone = !any_reads(d);
	use_mapping(d, m);
	if (!m)
		drive_warn(d, "no event source mapping leads from %s to %s: records go one by one", k->stream, d->through);
	else if (m->windowed)
		drive_warn(d, "the mapping has a tumbling window: these events carry no window and no state");
	if (m && m->filters)
		drive_warn(d, "the mapping filters what it hands on; a replay hands on every record of the range");
	return true;
}

/* A resume goes through the function that the run's row names; its role stands in every event. */
static bool ask_through(struct drive *d)
{
	if (d->resumed)
		d->through = d->run.dest;
	return ask_function(d);
}

static const struct prepare_step steps[] = {
	{ ask_stream, hear_stream, true, false, NULL },
	{ ask_mappings, hear_mappings, false, false, NULL },
	{ ask_through, hear_function, true, false, NULL },
};

static void settle(struct drive *d)
{
	struct kin *k = own(d);
	d->run.source = arena_printf(d->mem, "kinesis:%s/%s@%s..%s", k->stream, k->shard, k->first, k->last);
	d->run.lease_s = 0;
}

/* ---- reading */

static void read_on(struct drive *d, const char *shard, const char *first, bool after, const char *last, unsigned most)
{
	struct kin *k = own(d);
	char *from = first ? xstrdup(first) : NULL;
	free(k->from);
	k->from = from;
	k->reading = shard;
	k->reader.stream = k->stream;
	k->reader.shard = shard;
	k->reader.first = from;
	k->reader.after = after;
	k->reader.last = last;
	k->reader.most = most;
	k->reader.most_bytes = READ_BYTES;
	shard_begin(&k->reader, d, &k->shards);
	d->sweep.on = true;
}

static void add_todo(struct kin *k, const char *shard)
{
	for (unsigned i = 0; i < k->ntodo; i++)
		if (strcmp(k->todo[i], shard) == 0)
			return; /* of a merge: it is the child of both */
	if (k->ntodo == SHARDS_MOST)
		return;
	memmove(k->todo[k->ntodo++], shard, strlen(shard) + 1);
}

/* The shard of an item is what stands before the colon of its id; its number what stands behind. */
static const char *number_of(const char *id)
{
	return strrchr(id, ':') + 1;
}

static void begin_work(struct drive *d)
{
	struct kin *k = own(d);
	unsigned n = 0, first = d->n;
	for (unsigned i = d->first; i < d->n && n < HOLD_MOST; i++) {
		const struct entry *en = &d->v[i];
		if (!en->asked || (first < d->n && strcmp(en->it.group_id, d->v[first].it.group_id) != 0))
			continue;
		first = n ? first : i;
		k->upto = i;
		n++;
	}
	if (n)
		read_on(d, d->v[first].it.group_id, number_of(d->v[first].it.msg_id), false, number_of(d->v[k->upto].it.msg_id),
		        HOLD_MOST);
}

static void begin(struct drive *d)
{
	struct kin *k = own(d);
	if (d->phase != PHASE_FREEZE) {
		begin_work(d);
		return;
	}
	k->ntodo = k->at = k->aggregates = 0;
	k->oldest_ms = k->newest_ms = 0;
	add_todo(k, k->shard);
	read_on(d, k->todo[0], k->first, false, k->last, d->run.limit);
}

/* ---- a record, as an item in hand */

static void add_fact(struct message *m, const char *name, const char *value)
{
	m->facts[m->nfacts++] = (struct message_fact){ name, value };
}

static struct message *message_of(const char *shard, const struct stream_record *r)
{
	struct message *m = xcalloc(1, sizeof *m);
	arena_init(&m->mem);
	m->id = arena_printf(&m->mem, "%s:%s", shard, r->sequence);
	m->handle = "";
	m->body = (struct span){ arena_strndup(&m->mem, r->data.n ? r->data.p : "", r->data.n), r->data.n };
	m->md5 = "";
	m->facts = arena_array(&m->mem, 3, sizeof *m->facts);
	add_fact(m, "PartitionKey", arena_strdup(&m->mem, r->key));
	add_fact(m, "MessageGroupId", arena_strdup(&m->mem, shard));
	add_fact(m, "SentTimestamp", arena_printf(&m->mem, "%" PRId64, r->arrived_ms));
	m->received_ms = now_ms();
	return m;
}

static bool room_in_hand(const struct drive *d)
{
	unsigned n = 0;
	size_t bytes = 0;
	for (unsigned i = d->first; i < d->n; i++)
		if (d->v[i].msg && !item_ended(d->v[i].it.state)) {
			n++;
			bytes += d->v[i].msg->body.n;
		}
	return n <= HOLD_MOST && bytes <= HOLD_BYTES;
}

static void note_span(struct kin *k, const struct stream_record *r)
{
	k->aggregates += record_is_aggregate(r->data);
	if (!k->oldest_ms || r->arrived_ms < k->oldest_ms)
		k->oldest_ms = r->arrived_ms;
	k->newest_ms = r->arrived_ms > k->newest_ms ? r->arrived_ms : k->newest_ms;
}

/* False: enough, or broken. */
static bool freeze_records(struct drive *d)
{
	struct kin *k = own(d);
	unsigned had = d->n;
	bool room = room_in_hand(d);
	for (unsigned i = 0; i < k->reader.records.n && !(d->run.limit && d->n >= d->run.limit); i++) {
		const struct stream_record *r = &k->reader.records.v[i];
		struct message *m = message_of(k->reading, r);
		if (!selects(d, m)) {
			message_free(m);
			continue;
		}
		note_span(k, r);
		struct entry *en = drive_add(d, m);
		room = room && d->n - d->first <= HOLD_MOST;
		if (!room)
			drop_message(en);
	}
	return drive_added(d, had) && !(d->run.limit && d->n >= d->run.limit);
}

/* ---- the freeze */

/* What will not be otherwise later is refused; nothing was sent. */
static bool fails(struct drive *d, const struct err *e, bool for_good)
{
	if (d->plan || (d->phase == PHASE_FREEZE && (for_good || !d->run.confirmed)))
		drive_fail(d, e);
	else
		drive_end(d, RUN_PAUSED, "%s: %s", e->where, e->text);
	return true;
}

static bool cannot(struct drive *d, enum shard_end end)
{
	struct kin *k = own(d);
	struct err e = k->reader.err;
	if (end == SHARD_NO_STREAM)
		err_set(&e, ERR_NOTFOUND, "kinesis:GetRecords", "the stream %s is not there (any more)", k->stream);
	else if (end == SHARD_ABSENT)
		err_set(&e, ERR_NOTFOUND, "kinesis:GetRecords",
		        "%s has no shard %s: it never had, or all of its records have expired", k->stream, k->reading);
	else if (end == SHARD_STRANGE)
		err_set(&e, ERR_USAGE, "SOURCE", "%s is no sequence number of %s: %s", k->reader.first, k->reading,
		        k->reader.err.text);
	return fails(d, &e, end != SHARD_FAILED);
}

/* The range begins where it was said to: records that have expired are missed at once, and not one by one. */
static bool begins_right(struct drive *d)
{
	struct kin *k = own(d);
	const struct stream_records *v = &k->reader.records;
	struct err e = { 0 };
	if (d->n || k->at || k->reader.after || (v->n && strcmp(v->v[0].sequence, k->first) == 0))
		return true;
	err_set(&e, ERR_NOTFOUND, "SOURCE",
	        "the record %s is not in %s (any more): %s%s; a stream keeps its records for %" PRId64 " h", k->first,
	        k->shard, v->n ? "the first that is there is " : "nothing of the range is there",
	        v->n ? v->v[0].sequence : "", d->retention_s / 3600);
	fails(d, &e, true);
	return false;
}

/* What is frozen has bounds: they are said before anybody confirms. */
static void tell_bounds(struct drive *d)
{
	struct kin *k = own(d);
	char from[CLOCK_RFC3339_SIZE] = "-", to[CLOCK_RFC3339_SIZE] = "-";
	if (!d->n)
		return;
	clock_rfc3339(k->oldest_ms / 1000, from);
	clock_rfc3339(k->newest_ms / 1000, to);
	drive_warn(d, "frozen: %u records, %s to %s, arrived %s to %s", d->n, d->v[0].it.msg_id, d->v[d->n - 1].it.msg_id,
	           from, to);
	if (k->aggregates)
		drive_warn(d, "%u of them hold many records each (KPL): they go whole, as the mapping hands them on",
		           k->aggregates);
	if (!d->run.limit && k->ntodo == 1 && strcmp(number_of(d->v[d->n - 1].it.msg_id), k->last) != 0 && !d->run.where)
		drive_warn(d, "the record %s, at which the range ends, is not there: it ends before", k->last);
}

static bool next_shard(struct drive *d)
{
	struct kin *k = own(d);
	if (++k->at >= k->ntodo)
		return false;
	read_on(d, k->todo[k->at], NULL, false, k->last, d->run.limit);
	return true;
}

/* True: over. */
static bool freeze_end(struct drive *d, enum shard_end end)
{
	struct kin *k = own(d);
	if (end != SHARD_READ && end != SHARD_FULL && end != SHARD_CLOSED)
		return cannot(d, end);
	if (!begins_right(d) || !freeze_records(d))
		return true;
	if (end == SHARD_FULL) {
		read_on(d, k->reading, k->reader.from, true, k->last, d->run.limit ? d->run.limit - d->n : 0);
		return false;
	}
	for (unsigned i = 0; end == SHARD_CLOSED && i < k->reader.records_out.nchildren; i++)
		add_todo(k, k->reader.records_out.child[i]);
	return !next_shard(d);
}

/* ---- in the work */

static void take_records(struct drive *d)
{
	struct kin *k = own(d);
	for (unsigned i = 0; i < k->reader.records.n && room_in_hand(d); i++) {
		struct message *m = message_of(k->reading, &k->reader.records.v[i]);
		struct entry *en = drive_find(d, m->id);
		char sha[SHA_HEX];
		body_hash(m->body.p, m->body.n, sha);
		if (!en || !en->asked) {
			message_free(m);
		} else if (strcmp(sha, en->it.body_sha256) != 0) {
			en->it.code = "CHANGED";
			en->it.text = "its data are not what was frozen";
			en->asked = false;
			if (en->it.state == ITEM_SELECTED)
				drive_shift(d, en, MOVE_HOLD, en->it.text);
			message_free(m);
		} else {
			drive_take(d, en, m);
		}
	}
}

/* Up to where the shard was read, what did not come is not there any more. */
static void miss(struct drive *d, enum shard_end end)
{
	struct kin *k = own(d);
	const struct stream_records *v = &k->reader.records;
	const char *seen = end == SHARD_FULL && v->n ? v->v[v->n - 1].sequence : NULL;
	for (unsigned i = d->first; i <= k->upto && i < d->n; i++) {
		struct entry *en = &d->v[i];
		if (!en->asked || strcmp(en->it.group_id, k->reading) != 0 || (v->n && !room_in_hand(d)) ||
		    (seen && sequence_compare(number_of(en->it.msg_id), seen) > 0))
			continue;
		en->it.code = "EXPIRED";
		en->it.text = "it is not in its shard any more: the stream's retention is over";
		drive_missed(d, en);
	}
}

static void work_end(struct drive *d, enum shard_end end)
{
	if (end == SHARD_NO_STREAM || end == SHARD_STRANGE || end == SHARD_FAILED) {
		cannot(d, end);
		return;
	}
	take_records(d);
	miss(d, end);
	drive_commit(d);
}

static bool step(struct drive *d)
{
	struct kin *k = own(d);
	int64_t wake = 0;
	if (!d->sweep.on)
		return true;
	enum shard_end end = d->ending && !k->reader.flying ? SHARD_READ : shard_step(&k->reader, &wake);
	d->sweep.flying = k->reader.flying;
	if (wake)
		d->t->wake_ms = wake_sooner(d->t->wake_ms, wake);
	if (end == SHARD_READING)
		return false;
	d->sweep.on = false;
	if (d->ending)
		return true;
	if (d->phase != PHASE_FREEZE) {
		work_end(d, end);
		return true;
	}
	if (!freeze_end(d, end))
		return false;
	tell_bounds(d);
	return true;
}

/* ---- the event */

static bool event(struct drive *d, struct flight *f)
{
	struct stream_record v[BATCH_MOST];
	const struct stream_record *r[BATCH_MOST];
	const struct event_stream of = { d->run.source_arn, d->run.region, d->v[f->at[0]].it.group_id, d->function.role };
	for (unsigned i = 0; i < f->n; i++) {
		const struct message *m = d->v[f->at[i]].msg;
		v[i] = (struct stream_record){ number_of(m->id), message_fact(m, "PartitionKey"), d->v[f->at[i]].it.sent_ms,
			                           m->body };
		r[i] = &v[i];
	}
	return event_kinesis(&f->payload, r, f->n, &of);
}

static void verdict(struct drive *d, const struct flight *f, struct verdict_of *v)
{
	const char *ids[BATCH_MOST];
	for (unsigned i = 0; i < f->n; i++)
		ids[i] = number_of(d->v[f->at[i]].it.msg_id);
	event_verdict(buf_span(&f->out.body), f->out.error[0] ? f->out.error : NULL, ids, f->n, d->run.partial, v);
}

const struct replay_source source_kinesis = {
	.prefix = "kinesis:",
	.form = FORM,
	.kept = "the stream",
	.ordered = true,
	.names = names,
	.may_read = may_read,
	.steps = steps,
	.nsteps = sizeof steps / sizeof *steps,
	.settle = settle,
	.begin = begin,
	.step = step,
	.event = event,
	.verdict = verdict,
	.clear = clear,
};
