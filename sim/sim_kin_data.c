/* Kinesis's operations on records. */
#include "sim/sim_kin.h"
#include "sim/world.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITERATOR_MS 300000
#define RECORD_MAX 1048576
#define RECORDS 500
#define REPLY_BYTES (10u << 20)
#define READ_BYTES (2 << 20) /* a second a shard */

/* ---- writing */

struct incoming {
	const char *key;
	struct sim_shard *shard;
	struct buf data;
};

/* The limit of a partition key counts characters, not bytes. */
static unsigned characters(const char *s)
{
	unsigned n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static bool read_record(const struct sim_req *rq, const struct json *from, struct sim_stream *s, struct incoming *in,
                        struct sim_fail *f)
{
	const char *data = NULL, *hash = NULL;
	buf_init(&in->data, 10 * RECORD_MAX);
	if (!arg_str(rq, from, "Data", &data, f) || !arg_need(rq, from, "PartitionKey", &in->key, f) ||
	    !arg_str(rq, from, "ExplicitHashKey", &hash, f))
		return false;
	if (!data || !hash_unbase64(&in->data, span_of(data)))
		return sim_fail(f, WHY_SERIALIZATION, "Data: expected base64");
	if (in->data.n + strlen(in->key) > RECORD_MAX || characters(in->key) > 256)
		return sim_fail(f, WHY_VALIDATION,
		                "Value at 'data' failed to satisfy constraint: Member must have length less than or equal "
		                "to %d, partition key included",
		                RECORD_MAX);
	in->shard = stream_shard_of_key(s, in->key, hash);
	return in->shard || sim_fail(f, WHY_INVALID_ARGUMENT,
	                             "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1].");
}

static void put(struct world *w, const struct sim_stream *s, const char *name, const char *unit, double v)
{
	world_put(w, "AWS/Kinesis", name, "StreamName", s->name, unit, w->minute, v, 1);
}

static void tell_record(struct world *w, struct wr *o, struct sim_stream *s, const struct incoming *in)
{
	char seq[STREAM_SEQ];
	stream_seq_text(stream_put(w, s, in->shard, in->key, buf_span(&in->data)), seq);
	wr_str(o, "ShardId", in->shard->id);
	wr_str(o, "SequenceNumber", seq);
}

bool kin_put_record(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct incoming in;
	struct sim_stream *s = kin_stream(w, rq, f);
	if (!s)
		return false;
	bool ok = read_record(rq, rq->args, s, &in, f);
	if (ok) {
		tell_record(w, o, s, &in);
		wr_str(o, "EncryptionType", "NONE");
		put(w, s, "PutRecord.Bytes", "Bytes", (double)(in.data.n + strlen(in.key)));
		put(w, s, "PutRecord.Success", "Count", 1);
		put(w, s, "PutRecord.Latency", "Milliseconds", 9);
	}
	buf_clear(&in.data);
	return ok;
}

/* All or none is read before anything is kept: a malformed record fails the call. */
static bool read_records(const struct sim_req *rq, const struct json *list, struct sim_stream *s, struct incoming *in,
                         unsigned *n, struct sim_fail *f)
{
	*n = 0;
	for (const struct json *r = json_first(list); r; r = json_next(r))
		if (!read_record(rq, r, s, &in[(*n)++], f))
			return false;
	return *n > 0 || sim_fail(f, WHY_VALIDATION,
	                          "Value '[]' at 'records' failed to satisfy constraint: Member must have length "
	                          "greater than or equal to 1");
}

/* Each time another of the two codes there are. */
static void tell_failed(struct wr *o, const struct sim_stream *s, const struct sim_shard *sh, bool throttled)
{
	char text[256];
	snprintf(text, sizeof text, "Rate exceeded for shard %s in stream %.128s under account " SIM_ACCOUNT ".", sh->id,
	         s->name);
	wr_str(o, "ErrorCode", throttled ? "ProvisionedThroughputExceededException" : "InternalFailure");
	wr_str(o, "ErrorMessage", throttled ? text : "Internal Service Failure");
}

/* Returns how many were kept. */
static unsigned keep_records(struct world *w, const struct sim_req *rq, struct wr *o, struct sim_stream *s,
                             const struct incoming *in, unsigned n, double *bytes)
{
	struct fault_on *on = fault_inside(w, rq, FAULT_FAILED_RECORDS);
	unsigned every = on ? (unsigned)on->param : n + 1, failed = n / every;
	if (on && !failed)
		fault_missed(on);
	wr_int(o, "FailedRecordCount", failed);
	wr_list(o, "Records", NULL);
	for (unsigned i = 0; i < n; i++) {
		wr_object(o, NULL);
		if ((i + 1) % every == 0) {
			tell_failed(o, s, in[i].shard, (i + 1) / every % 2 == 1);
		} else {
			tell_record(w, o, s, &in[i]);
			*bytes += (double)(in[i].data.n + strlen(in[i].key));
		}
		wr_object_end(o);
	}
	wr_list_end(o);
	return n - failed;
}

bool kin_put_records(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const struct json *list;
	unsigned n = 0, kept = 0;
	double bytes = 0;
	struct sim_stream *s = kin_stream(w, rq, f);
	if (!s || !arg_list(rq, rq->args, "Records", RECORDS, &list, f))
		return false;
	struct incoming *in = xcalloc(RECORDS, sizeof *in);
	bool ok = read_records(rq, list, s, in, &n, f);
	if (ok)
		kept = keep_records(w, rq, o, s, in, n, &bytes);
	for (unsigned i = 0; i < n; i++)
		buf_clear(&in[i].data);
	free(in);
	if (!ok)
		return false;
	wr_str(o, "EncryptionType", "NONE");
	put(w, s, "PutRecords.Bytes", "Bytes", bytes);
	put(w, s, "PutRecords.TotalRecords", "Count", n);
	put(w, s, "PutRecords.SuccessfulRecords", "Count", kept);
	put(w, s, "PutRecords.FailedRecords", "Count", n - kept);
	put(w, s, "PutRecords.Success", "Count", 1);
	put(w, s, "PutRecords.Latency", "Milliseconds", 12);
	return true;
}

/* ---- reading */

/* An iterator says: this stream, this shard, the first record with at least this number, until then. */
static void tell_iterator(const struct world *w, struct wr *o, const char *key, const struct sim_stream *s,
                          const struct sim_shard *sh, uint64_t seq)
{
	token_write(o, key, "iterator", "%s\n%s\n%" PRIu64 "\n%" PRId64, s->name, sh->id, seq, w->now_ms + ITERATOR_MS);
}

static bool start_at_time(const struct sim_req *rq, const struct sim_stream *s, const struct sim_shard *sh,
                          uint64_t *seq, struct sim_fail *f)
{
	int64_t t = -1;
	if (!arg_time(rq, rq->args, "Timestamp", &t, f))
		return false;
	if (t < 0)
		return sim_fail(f, WHY_INVALID_ARGUMENT, "Timestamp must be specified when iterator is of type AT_TIMESTAMP");
	*seq = s->seq + 1;
	for (unsigned i = sh->nrec; i-- > 0 && sh->rec[i].at_ms >= t;)
		*seq = sh->rec[i].seq;
	return true;
}

static bool start_at_number(const struct sim_req *rq, uint64_t *seq, bool after, struct sim_fail *f)
{
	const char *text;
	if (!arg_need(rq, rq->args, "StartingSequenceNumber", &text, f))
		return false;
	if (!stream_seq_parse(text, seq))
		return sim_fail(f, WHY_INVALID_ARGUMENT, "Invalid StartingSequenceNumber. It encodes no record of this shard.");
	*seq += after;
	return true;
}

bool kin_get_iterator(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *type;
	struct sim_shard *sh;
	uint64_t seq = 0;
	struct sim_stream *s = kin_stream(w, rq, f);
	if (!s || !kin_shard(rq, s, "ShardId", &sh, f) || !arg_need(rq, rq->args, "ShardIteratorType", &type, f))
		return false;
	bool ok = true;
	if (strcmp(type, "LATEST") == 0)
		seq = s->seq + 1;
	else if (strcmp(type, "AT_TIMESTAMP") == 0)
		ok = start_at_time(rq, s, sh, &seq, f);
	else if (strcmp(type, "AT_SEQUENCE_NUMBER") == 0 || strcmp(type, "AFTER_SEQUENCE_NUMBER") == 0)
		ok = start_at_number(rq, &seq, type[1] == 'F', f);
	else if (strcmp(type, "TRIM_HORIZON") != 0)
		ok = sim_fail(f, WHY_VALIDATION, "Value '%.60s' at 'shardIteratorType' failed to satisfy constraint", type);
	if (ok)
		tell_iterator(w, o, "ShardIterator", s, sh, seq);
	return ok;
}

struct place {
	struct sim_stream *s;
	struct sim_shard *sh;
	uint64_t seq;
};

static bool read_iterator(struct world *w, const struct sim_req *rq, struct place *p, struct sim_fail *f)
{
	const char *iterator;
	char text[512], *part[4], *rest = text;
	if (!arg_need(rq, rq->args, "ShardIterator", &iterator, f))
		return false;
	if (!token_read(iterator, "iterator", text, sizeof text, f))
		return sim_fail(f, WHY_INVALID_ARGUMENT, "Invalid ShardIterator.");
	for (unsigned i = 0; i < 4; i++)
		if (!(part[i] = strsep(&rest, "\n")))
			return sim_fail(f, WHY_INVALID_ARGUMENT, "Invalid ShardIterator.");
	if (strtoll(part[3], NULL, 10) < w->now_ms)
		return sim_fail(f, WHY_EXPIRED_ITERATOR,
		                "Iterator expired. The iterator was created more than 300 seconds ago.");
	p->s = world_stream(w, part[0]);
	p->sh = p->s ? stream_shard(p->s, part[1]) : NULL;
	p->seq = strtoull(part[2], NULL, 10);
	return p->sh ||
	       sim_fail(f, WHY_STREAM_NOT_FOUND, "Stream %.128s under account " SIM_ACCOUNT " not found.", part[0]);
}

static void tell_kept(struct wr *o, const struct sim_record *r)
{
	struct buf data;
	char seq[STREAM_SEQ];
	buf_init(&data, 2 * RECORD_MAX);
	hash_base64(&data, r->data, r->n);
	stream_seq_text(r->seq, seq);
	wr_object(o, NULL);
	wr_str(o, "SequenceNumber", seq);
	wr_time(o, "ApproximateArrivalTimestamp", r->at_ms);
	wr_str(o, "Data", data.p ? data.p : "");
	wr_str(o, "PartitionKey", r->key);
	wr_object_end(o);
	buf_clear(&data);
}

/* Five reads and so many bytes a second a shard: what is over that waits, or is refused. In real seconds. */
static bool within_limits(struct world *w, const struct sim_req *rq, const struct place *p, struct sim_fail *f)
{
	struct fault_on *on = fault_inside(w, rq, FAULT_READ_LIMITS);
	int64_t now = clock_mono_ms();
	struct sim_shard *sh = p->sh;
	int64_t *oldest = &sh->read_ms[sh->nread % 5];
	if (!on)
		return true;
	if ((sh->nread >= 5 && now - *oldest < 1000) || sh->busy_ms - now > 1000)
		return sim_fail(f, WHY_PROVISIONED,
		                "Rate exceeded for shard %s in stream %.128s under account " SIM_ACCOUNT ".", sh->id,
		                p->s->name);
	fault_missed(on);
	*oldest = now;
	sh->nread++;
	return true;
}

static void keep_busy(struct sim_shard *sh, size_t bytes)
{
	int64_t now = clock_mono_ms();
	sh->busy_ms = (sh->busy_ms > now ? sh->busy_ms : now) + (int64_t)bytes * 1000 / READ_BYTES;
}

static void tell_children(struct wr *o, const struct sim_stream *s, const struct sim_shard *closed)
{
	char from[48], to[48];
	wr_list(o, "ChildShards", NULL);
	for (unsigned i = 0; i < s->nshards; i++) {
		const struct sim_shard *sh = &s->shards[i];
		if (strcmp(sh->parent, closed->id) != 0 && strcmp(sh->adjacent, closed->id) != 0)
			continue;
		stream_hash_text(sh->from, from);
		stream_hash_text(sh->to, to);
		wr_object(o, NULL);
		wr_str(o, "ShardId", sh->id);
		wr_list(o, "ParentShards", NULL);
		wr_str(o, NULL, sh->parent);
		wr_str(o, NULL, *sh->adjacent ? sh->adjacent : NULL);
		wr_list_end(o);
		wr_object(o, "HashKeyRange");
		wr_str(o, "StartingHashKey", from);
		wr_str(o, "EndingHashKey", to);
		wr_object_end(o);
		wr_object_end(o);
	}
	wr_list_end(o);
}

/* The records from p->seq on, which moves past them; returns how many. */
static unsigned tell_records(const struct world *w, struct wr *o, struct place *p, int64_t limit, size_t *bytes,
                             int64_t *age_ms)
{
	unsigned i = 0, n = 0;
	while (i < p->sh->nrec && p->sh->rec[i].seq < p->seq)
		i++;
	for (; i < p->sh->nrec && n < limit && *bytes < REPLY_BYTES; i++, n++) {
		tell_kept(o, &p->sh->rec[i]);
		*bytes += p->sh->rec[i].n;
		*age_ms = w->now_ms - p->sh->rec[i].at_ms;
		p->seq = p->sh->rec[i].seq + 1;
	}
	return n;
}

static int64_t behind_ms(const struct world *w, const struct place *p)
{
	for (unsigned i = 0; i < p->sh->nrec; i++)
		if (p->sh->rec[i].seq >= p->seq)
			return w->now_ms - p->sh->rec[i].at_ms;
	return 0;
}

bool kin_get_records(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct place p;
	int64_t limit = 10000, age_ms = 0;
	size_t bytes = 0;
	if (!arg_int(rq, rq->args, "Limit", 1, 10000, &limit, f) || !read_iterator(w, rq, &p, f) ||
	    !within_limits(w, rq, &p, f))
		return false;
	const struct fault_on *trimmed = fault_inside(w, rq, FAULT_TRIMMED), *behind = fault_inside(w, rq, FAULT_BEHIND);
	if (trimmed)
		stream_trim(p.sh, (unsigned)trimmed->param);
	wr_list(o, "Records", NULL);
	unsigned n = behind ? 0 : tell_records(w, o, &p, limit, &bytes, &age_ms);
	wr_list_end(o);
	if (p.sh->closed && !behind && behind_ms(w, &p) == 0)
		tell_children(o, p.s, p.sh); /* read to its end: nothing follows but its children */
	else
		tell_iterator(w, o, "NextShardIterator", p.s, p.sh, p.seq);
	wr_int(o, "MillisBehindLatest", behind ? behind->param : behind_ms(w, &p));
	keep_busy(p.sh, bytes);
	put(w, p.s, "GetRecords.Records", "Count", n);
	put(w, p.s, "GetRecords.Bytes", "Bytes", (double)bytes);
	put(w, p.s, "GetRecords.Success", "Count", 1);
	put(w, p.s, "GetRecords.Latency", "Milliseconds", 8);
	put(w, p.s, "GetRecords.IteratorAgeMilliseconds", "Milliseconds", (double)age_ms);
	return true;
}
