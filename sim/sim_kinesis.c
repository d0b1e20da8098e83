#include "sim/sim_kin.h"
#include "sim/world.h"

#include "core/hash.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_PAGE 100
#define SHARDS_PAGE 1000

/* ---- naming things */

static void stream_arn(const struct world *w, const struct sim_stream *s, char *out, size_t size)
{
	char resource[160];
	snprintf(resource, sizeof resource, "stream/%s", s->name);
	world_arn(w, "kinesis", resource, out, size);
}

struct sim_stream *kin_stream(struct world *w, const struct sim_req *rq, struct sim_fail *f)
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

bool kin_shard(const struct sim_req *rq, struct sim_stream *s, const char *key, struct sim_shard **sh,
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
	struct sim_stream *s = kin_stream(w, rq, f);
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

static void tell_shard_metrics(struct wr *o, const char *key, unsigned which)
{
	wr_list(o, key, NULL);
	for (unsigned i = 0; i < SHARD_METRICS_N; i++)
		if (which >> i & 1)
			wr_str(o, NULL, stream_shard_metrics[i]);
	wr_list_end(o);
}

static void tell_monitoring(struct wr *o, const struct sim_stream *s)
{
	wr_list(o, "EnhancedMonitoring", NULL);
	wr_object(o, NULL);
	tell_shard_metrics(o, "ShardLevelMetrics", s->shard_metrics);
	wr_object_end(o);
	wr_list_end(o);
}

static bool read_shard_metrics(const struct sim_req *rq, unsigned *which, struct sim_fail *f)
{
	const struct json *list;
	*which = 0;
	if (!arg_list(rq, rq->args, "ShardLevelMetrics", SHARD_METRICS_N, &list, f))
		return false;
	for (const struct json *e = json_first(list); e; e = json_next(e)) {
		const char *name = "";
		unsigned before = *which;
		if (!node_str(rq, e, "ShardLevelMetrics", &name, f))
			return false;
		for (unsigned i = 0; i < SHARD_METRICS_N; i++)
			if (strcmp(stream_shard_metrics[i], name) == 0)
				*which |= 1u << i;
		if (strcmp(name, "ALL") == 0)
			*which = SHARD_METRICS_ALL;
		else if (*which == before)
			return sim_fail(f, WHY_VALIDATION, "Value '%.60s' at 'shardLevelMetrics' failed to satisfy constraint",
			                name);
	}
	return true;
}

static bool change_monitoring(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	unsigned which;
	char arn[256];
	struct sim_stream *s = kin_stream(w, rq, f);
	if (!s || !read_shard_metrics(rq, &which, f))
		return false;
	unsigned before = s->shard_metrics;
	s->shard_metrics = rq->op[0] == 'E' ? before | which : before & ~which;
	stream_arn(w, s, arn, sizeof arn);
	wr_str(o, "StreamName", s->name);
	tell_shard_metrics(o, "CurrentShardLevelMetrics", before);
	tell_shard_metrics(o, "DesiredShardLevelMetrics", s->shard_metrics);
	wr_str(o, "StreamARN", arn);
	return true;
}

static bool change_retention(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	int64_t hours = 0;
	struct sim_stream *s = kin_stream(w, rq, f);
	bool up = rq->op[0] == 'I';
	(void)o;
	if (!s || !arg_int(rq, rq->args, "RetentionPeriodHours", 24, 8760, &hours, f))
		return false;
	if (up ? hours < s->retention_h : hours > s->retention_h || !hours)
		return sim_fail(f, WHY_INVALID_ARGUMENT,
		                "Requested retention period (%" PRId64
		                " hours) for stream %s can not be %s than existing retention "
		                "period (%" PRId64 " hours).",
		                hours, s->name, up ? "shorter" : "longer", s->retention_h);
	s->retention_h = hours;
	return true;
}

static bool describe_summary(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_stream *s = kin_stream(w, rq, f);
	if (!s)
		return false;
	wr_object(o, "StreamDescriptionSummary");
	tell_identity(w, o, s);
	wr_int(o, "RetentionPeriodHours", s->retention_h);
	tell_monitoring(o, s);
	wr_str(o, "EncryptionType", "NONE");
	wr_int(o, "OpenShardCount", stream_open_shards(s));
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
	wr_str(o, "ParentShardId", *sh->parent ? sh->parent : NULL);
	wr_str(o, "AdjacentParentShardId", *sh->adjacent ? sh->adjacent : NULL);
	wr_object(o, "HashKeyRange");
	wr_str(o, "StartingHashKey", from);
	wr_str(o, "EndingHashKey", to);
	wr_object_end(o);
	wr_object(o, "SequenceNumberRange");
	wr_str(o, "StartingSequenceNumber", seq);
	stream_seq_text(sh->closed, seq);
	wr_str(o, "EndingSequenceNumber", sh->closed ? seq : NULL);
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
	struct sim_stream *s = kin_stream(w, rq, f);
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
	tell_monitoring(o, s);
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
		struct sim_stream *s = kin_stream(w, rq, f);
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

/* ---- resharding */

static bool split_shard(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *at;
	struct sim_shard *sh;
	unsigned __int128 key = 0;
	struct sim_stream *s = kin_stream(w, rq, f);
	(void)o;
	if (!s || !kin_shard(rq, s, "ShardToSplit", &sh, f) || !arg_need(rq, rq->args, "NewStartingHashKey", &at, f))
		return false;
	return (stream_hash_parse(at, &key) && stream_split(s, sh, key)) ||
	       sim_fail(f, WHY_INVALID_ARGUMENT,
	                "NewStartingHashKey %.40s used in SplitShard() on shard %s in stream %s under account " SIM_ACCOUNT
	                " is not a valid number inside an open shard.",
	                at, sh->id, s->name);
}

static bool merge_shards(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_shard *a, *b;
	struct sim_stream *s = kin_stream(w, rq, f);
	(void)o;
	if (!s || !kin_shard(rq, s, "ShardToMerge", &a, f) || !kin_shard(rq, s, "AdjacentShardToMerge", &b, f))
		return false;
	return stream_merge(s, a, b) || sim_fail(f, WHY_INVALID_ARGUMENT,
	                                         "Shards %s and %s in stream %s under account " SIM_ACCOUNT
	                                         " are not an adjacent pair of open shards eligible for merging",
	                                         a->id, b->id, s->name);
}

/* ---- the service */

static const struct sim_op ops[] = {
	{ .name = "CreateStream", .effect = SIM_WRITE, .handle = create_stream },
	{ .name = "DeleteStream", .effect = SIM_WRITE, .handle = delete_stream },
	{ .name = "ListStreams", .effect = SIM_READ, .handle = list_streams },
	{ .name = "DescribeStreamSummary", .effect = SIM_READ, .handle = describe_summary },
	{ .name = "DescribeStream", .effect = SIM_READ, .handle = describe_stream },
	{ .name = "ListShards", .effect = SIM_READ, .handle = list_shards },
	{ .name = "SplitShard", .effect = SIM_WRITE, .handle = split_shard },
	{ .name = "MergeShards", .effect = SIM_WRITE, .handle = merge_shards },
	{ .name = "EnableEnhancedMonitoring", .effect = SIM_WRITE, .handle = change_monitoring },
	{ .name = "DisableEnhancedMonitoring", .effect = SIM_WRITE, .handle = change_monitoring },
	{ .name = "IncreaseStreamRetentionPeriod", .effect = SIM_WRITE, .handle = change_retention },
	{ .name = "DecreaseStreamRetentionPeriod", .effect = SIM_WRITE, .handle = change_retention },
	{ .name = "PutRecord", .effect = SIM_WRITE, .handle = kin_put_record },
	{ .name = "PutRecords", .effect = SIM_WRITE, .handle = kin_put_records },
	{ .name = "GetShardIterator", .effect = SIM_READ, .handle = kin_get_iterator },
	{ .name = "GetRecords", .effect = SIM_READ, .handle = kin_get_records },
};

const struct sim_service sim_kinesis = {
	.name = "kinesis",
	.target = "Kinesis_20131202",
	.json11 = true,
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
