#include "sim/sim_req.h"
#include "sim/sim_stream.h"
#include "sim/world.h"

#include "core/hash.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_PAGE 100
#define SHARDS_PAGE 1000
#define ITERATOR_MS 300000
#define RECORD_MAX 1048576
#define RECORDS 500
#define REPLY_BYTES (10u << 20)

/* ---- naming things */

static void stream_arn(const struct world *w, const struct sim_stream *s, char *out, size_t size)
{
	char resource[160];
	snprintf(resource, sizeof resource, "stream/%s", s->name);
	world_arn(w, "kinesis", resource, out, size);
}

static struct sim_stream *find_stream(struct world *w, const struct sim_req *rq, struct sim_fail *f)
{
	const char *name = NULL, *arn = NULL;
	if (!arg_str(rq, rq->args, "StreamName", &name, f) || !arg_str(rq, rq->args, "StreamARN", &arn, f))
		return NULL;
	if (!name && !arn) {
		sim_fail(f, WHY_INVALID_ARGUMENT, "Either StreamName or StreamARN must be specified.");
		return NULL;
	}
	struct sim_stream *s = world_stream(w, name ? name : world_arn_name(arn));
	if (!s)
		sim_fail(f, WHY_STREAM_NOT_FOUND, "Stream %.128s under account " SIM_ACCOUNT " not found.",
		         name ? name : world_arn_name(arn));
	return s;
}

static bool need_shard(const struct sim_req *rq, struct sim_stream *s, const char *key, struct sim_shard **sh,
                       struct sim_fail *f)
{
	const char *id;
	if (!arg_need(rq, rq->args, key, &id, f))
		return false;
	*sh = stream_shard(s, id);
	return *sh || sim_fail(f, WHY_STREAM_NOT_FOUND,
	                       "Shard %.64s in stream %s under account " SIM_ACCOUNT " does not exist", id, s->name);
}

/* ---- streams */

static bool create_stream(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name, *mode = NULL;
	int64_t shards = 0;
	(void)o;
	const struct json *details = json_get(rq->args, "StreamModeDetails");
	if (!arg_need(rq, rq->args, "StreamName", &name, f) || !arg_int(rq, rq->args, "ShardCount", 1, 1000, &shards, f) ||
	    !arg_str(rq, details, "StreamMode", &mode, f))
		return false;
	if (strlen(name) > 128 ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != strlen(name))
		return sim_fail(f, WHY_VALIDATION,
		                "Value '%.140s' at 'streamName' failed to satisfy constraint: [a-zA-Z0-9_.-]+", name);
	if (world_stream(w, name))
		return sim_fail(f, WHY_ALREADY_EXISTS, "Stream %s under account " SIM_ACCOUNT " already exists.", name);
	bool on_demand = mode && strcmp(mode, "ON_DEMAND") == 0;
	if (!shards && !on_demand && mode)
		return sim_fail(f, WHY_VALIDATION, "ShardCount is required in PROVISIONED mode");
	stream_new(w, name, shards ? (unsigned)shards : 4)->on_demand = on_demand || !shards;
	return true;
}

static bool delete_stream(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_stream *s = find_stream(w, rq, f);
	(void)o;
	if (s)
		stream_delete(w, s);
	return s != NULL;
}

static void tell_mode(struct wr *o, const struct sim_stream *s)
{
	wr_object(o, "StreamModeDetails");
	wr_str(o, "StreamMode", s->on_demand ? "ON_DEMAND" : "PROVISIONED");
	wr_object_end(o);
}

static void tell_identity(const struct world *w, struct wr *o, const struct sim_stream *s)
{
	char arn[256];
	stream_arn(w, s, arn, sizeof arn);
	wr_str(o, "StreamName", s->name);
	wr_str(o, "StreamARN", arn);
	wr_str(o, "StreamStatus", "ACTIVE");
	tell_mode(o, s);
	wr_time(o, "StreamCreationTimestamp", s->created_ms);
}

static bool page_start(const struct world *w, const struct sim_req *rq, unsigned *at, struct sim_fail *f)
{
	const char *after = NULL, *token = NULL;
	char last[160];
	bool found;
	if (!arg_str(rq, rq->args, "ExclusiveStartStreamName", &after, f) || !arg_str(rq, rq->args, "NextToken", &token, f))
		return false;
	if (token && *token) {
		if (!token_read(token, "ListStreams", last, sizeof last, f))
			return sim_fail(f, WHY_INVALID_ARGUMENT, "NextToken is invalid.");
		after = last;
	}
	*at = 0;
	if (after) {
		*at = world_find((void *const *)w->streams, w->nstreams, after, &found);
		*at += found;
	}
	return true;
}

static bool list_streams(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	unsigned first = 0, end;
	int64_t limit = STREAMS_PAGE;
	if (!arg_int(rq, rq->args, "Limit", 1, 10000, &limit, f) || !page_start(w, rq, &first, f))
		return false;
	if (limit > STREAMS_PAGE)
		limit = STREAMS_PAGE;
	end = first + (unsigned)limit < w->nstreams ? first + (unsigned)limit : w->nstreams;
	wr_bool(o, "HasMoreStreams", end < w->nstreams);
	wr_list(o, "StreamNames", NULL);
	for (unsigned i = first; i < end; i++)
		wr_str(o, NULL, w->streams[i]->name);
	wr_list_end(o);
	wr_list(o, "StreamSummaries", NULL);
	for (unsigned i = first; i < end; i++) {
		wr_object(o, NULL);
		tell_identity(w, o, w->streams[i]);
		wr_object_end(o);
	}
	wr_list_end(o);
	if (end < w->nstreams)
		token_write(o, "NextToken", "ListStreams", "%s", w->streams[end - 1]->name);
	return true;
}

static void tell_monitoring(struct wr *o)
{
	wr_list(o, "EnhancedMonitoring", NULL);
	wr_object(o, NULL);
	wr_list(o, "ShardLevelMetrics", NULL);
	wr_list_end(o);
	wr_object_end(o);
	wr_list_end(o);
}

static bool describe_summary(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_stream *s = find_stream(w, rq, f);
	if (!s)
		return false;
	wr_object(o, "StreamDescriptionSummary");
	tell_identity(w, o, s);
	wr_int(o, "RetentionPeriodHours", s->retention_h);
	tell_monitoring(o);
	wr_str(o, "EncryptionType", "NONE");
	wr_int(o, "OpenShardCount", s->nshards);
	wr_int(o, "ConsumerCount", 0);
	wr_int(o, "MaxRecordSizeInKiB", 1024);
	wr_object_end(o);
	return true;
}

/* ---- shards */

static void tell_shard(struct wr *o, const struct sim_shard *sh)
{
	char from[48], to[48], seq[STREAM_SEQ];
	stream_hash_text(sh->from, from);
	stream_hash_text(sh->to, to);
	stream_seq_text(0, seq);
	wr_object(o, NULL);
	wr_str(o, "ShardId", sh->id);
	wr_object(o, "HashKeyRange");
	wr_str(o, "StartingHashKey", from);
	wr_str(o, "EndingHashKey", to);
	wr_object_end(o);
	wr_object(o, "SequenceNumberRange");
	wr_str(o, "StartingSequenceNumber", seq);
	wr_object_end(o);
	wr_object_end(o);
}

static void tell_shards(struct wr *o, const struct sim_stream *s, unsigned first, unsigned end)
{
	wr_list(o, "Shards", NULL);
	for (unsigned i = first; i < end; i++)
		tell_shard(o, &s->shards[i]);
	wr_list_end(o);
}

static bool describe_stream(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *after = NULL;
	int64_t limit = 100;
	struct sim_stream *s = find_stream(w, rq, f);
	if (!s || !arg_str(rq, rq->args, "ExclusiveStartShardId", &after, f) ||
	    !arg_int(rq, rq->args, "Limit", 1, 10000, &limit, f))
		return false;
	unsigned first = 0;
	while (after && first < s->nshards && strcmp(s->shards[first].id, after) <= 0)
		first++;
	unsigned end = first + (unsigned)limit < s->nshards ? first + (unsigned)limit : s->nshards;
	wr_object(o, "StreamDescription");
	tell_identity(w, o, s);
	tell_shards(o, s, first, end);
	wr_bool(o, "HasMoreShards", end < s->nshards);
	wr_int(o, "RetentionPeriodHours", s->retention_h);
	tell_monitoring(o);
	wr_str(o, "EncryptionType", "NONE");
	wr_object_end(o);
	return true;
}

/* A token stands for stream and place; nothing but MaxResults may stand beside it. */
static struct sim_stream *shards_start(struct world *w, const struct sim_req *rq, unsigned *first, struct sim_fail *f)
{
	const char *token = NULL, *after = NULL;
	char at[256], *nl;
	*first = 0;
	if (!arg_str(rq, rq->args, "NextToken", &token, f) || !arg_str(rq, rq->args, "ExclusiveStartShardId", &after, f))
		return NULL;
	if (!token || !*token) {
		struct sim_stream *s = find_stream(w, rq, f);
		while (s && after && *first < s->nshards && strcmp(s->shards[*first].id, after) <= 0)
			++*first;
		return s;
	}
	if (json_get(rq->args, "StreamName") || json_get(rq->args, "StreamARN")) {
		sim_fail(f, WHY_INVALID_ARGUMENT, "NextToken and StreamName cannot be provided together.");
		return NULL;
	}
	struct sim_stream *s = NULL;
	if (token_read(token, "ListShards", at, sizeof at, f) && (nl = strchr(at, '\n'))) {
		*nl = '\0';
		*first = (unsigned)strtoul(nl + 1, NULL, 10);
		s = world_stream(w, at);
	}
	if (!s)
		sim_fail(f, WHY_INVALID_ARGUMENT, "NextToken is invalid.");
	return s;
}

static bool list_shards(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	unsigned first;
	int64_t max = SHARDS_PAGE;
	struct sim_stream *s = shards_start(w, rq, &first, f);
	if (!s || !arg_int(rq, rq->args, "MaxResults", 1, 10000, &max, f))
		return false;
	unsigned end = max < SHARDS_PAGE ? first + (unsigned)max : first + SHARDS_PAGE;
	if (end > s->nshards)
		end = s->nshards;
	tell_shards(o, s, first, end);
	if (end < s->nshards)
		token_write(o, "NextToken", "ListShards", "%s\n%u", s->name, end);
	return true;
}

/* ---- writing */

struct incoming {
	const char *key;
	struct sim_shard *shard;
	struct buf data;
};

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
	if (in->data.n + strlen(in->key) > RECORD_MAX || strlen(in->key) > 256)
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

static bool put_record(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct incoming in;
	struct sim_stream *s = find_stream(w, rq, f);
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

static bool put_records(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const struct json *list;
	unsigned n = 0;
	double bytes = 0;
	struct sim_stream *s = find_stream(w, rq, f);
	if (!s || !arg_list(rq, rq->args, "Records", RECORDS, &list, f))
		return false;
	struct incoming *in = xcalloc(RECORDS, sizeof *in);
	bool ok = read_records(rq, list, s, in, &n, f);
	if (ok) {
		wr_int(o, "FailedRecordCount", 0);
		wr_list(o, "Records", NULL);
	}
	for (unsigned i = 0; i < n; i++) {
		if (ok) {
			wr_object(o, NULL);
			tell_record(w, o, s, &in[i]);
			wr_object_end(o);
			bytes += (double)(in[i].data.n + strlen(in[i].key));
		}
		buf_clear(&in[i].data);
	}
	free(in);
	if (!ok)
		return false;
	wr_list_end(o);
	wr_str(o, "EncryptionType", "NONE");
	put(w, s, "PutRecords.Bytes", "Bytes", bytes);
	put(w, s, "PutRecords.TotalRecords", "Count", n);
	put(w, s, "PutRecords.SuccessfulRecords", "Count", n);
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

static bool get_iterator(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *type;
	struct sim_shard *sh;
	uint64_t seq = 0;
	struct sim_stream *s = find_stream(w, rq, f);
	if (!s || !need_shard(rq, s, "ShardId", &sh, f) || !arg_need(rq, rq->args, "ShardIteratorType", &type, f))
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

static bool get_records(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct place p;
	int64_t limit = 10000, behind = 0;
	size_t bytes = 0;
	if (!arg_int(rq, rq->args, "Limit", 1, 10000, &limit, f) || !read_iterator(w, rq, &p, f))
		return false;
	unsigned i = 0, n = 0;
	while (i < p.sh->nrec && p.sh->rec[i].seq < p.seq)
		i++;
	wr_list(o, "Records", NULL);
	for (; i < p.sh->nrec && n < limit && bytes < REPLY_BYTES; i++, n++) {
		tell_kept(o, &p.sh->rec[i]);
		bytes += p.sh->rec[i].n;
		behind = w->now_ms - p.sh->rec[i].at_ms;
		p.seq = p.sh->rec[i].seq + 1;
	}
	wr_list_end(o);
	tell_iterator(w, o, "NextShardIterator", p.s, p.sh, p.seq);
	wr_int(o, "MillisBehindLatest", i < p.sh->nrec ? w->now_ms - p.sh->rec[i].at_ms : 0);
	put(w, p.s, "GetRecords.Records", "Count", n);
	put(w, p.s, "GetRecords.Bytes", "Bytes", (double)bytes);
	put(w, p.s, "GetRecords.Success", "Count", 1);
	put(w, p.s, "GetRecords.Latency", "Milliseconds", 8);
	put(w, p.s, "GetRecords.IteratorAgeMilliseconds", "Milliseconds", (double)behind);
	return true;
}

/* ---- the service */

static const struct sim_op ops[] = {
	{ .name = "CreateStream", .effect = SIM_WRITE, .handle = create_stream },
	{ .name = "DeleteStream", .effect = SIM_WRITE, .handle = delete_stream },
	{ .name = "ListStreams", .effect = SIM_READ, .handle = list_streams },
	{ .name = "DescribeStreamSummary", .effect = SIM_READ, .handle = describe_summary },
	{ .name = "DescribeStream", .effect = SIM_READ, .handle = describe_stream },
	{ .name = "ListShards", .effect = SIM_READ, .handle = list_shards },
	{ .name = "PutRecord", .effect = SIM_WRITE, .handle = put_record },
	{ .name = "PutRecords", .effect = SIM_WRITE, .handle = put_records },
	{ .name = "GetShardIterator", .effect = SIM_READ, .handle = get_iterator },
	{ .name = "GetRecords", .effect = SIM_READ, .handle = get_records },
};

const struct sim_service sim_kinesis = {
	.name = "kinesis",
	.target = "Kinesis_20131202",
	.json11 = true,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
