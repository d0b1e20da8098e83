/* Kinesis GetShardIterator and GetRecords (JSON 1.1): the records of a shard from a sequence number on. */
#include "aws/op_kinesis.h"
#include "aws/wire.h"
#include "core/hash.h"

#include <stdio.h>
#include <string.h>

static bool put_iterator(char out[SHARD_ITERATOR], const char *text, struct err *e)
{
	size_t n = strlen(text);
	if (n == 0 || n >= SHARD_ITERATOR)
		return err_set(e, ERR_BADREPLY, "json", "a shard iterator of %zu characters", n);
	memcpy(out, text, n + 1);
	return true;
}

static bool iterator_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct iterator_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "StreamName", q->stream);
	json_out_str(&o, "ShardId", q->shard);
	json_out_str(&o, "ShardIteratorType",
	             !q->sequence ? "TRIM_HORIZON"
	             : q->after   ? "AFTER_SEQUENCE_NUMBER"
	                          : "AT_SEQUENCE_NUMBER");
	if (q->sequence)
		json_out_str(&o, "StartingSequenceNumber", q->sequence);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool iterator_read(const struct http_res *rs, void *out, struct err *e)
{
	struct iterator_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const char *text = json_get_str(doc, "ShardIterator");
	bool ok = put_iterator(v->iterator, text ? text : "", e);
	json_free(doc);
	return ok;
}

const struct op op_get_shard_iterator = {
	.service = &service_kinesis,
	.name = "GetShardIterator",
	.iam = "kinesis:GetShardIterator",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 64u * 1024,
	.build = iterator_build,
	.read = iterator_read,
};

/* ---- GetRecords */

static bool records_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct records_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "ShardIterator", q->iterator);
	if (q->limit)
		json_out_int(&o, "Limit", q->limit < GET_RECORDS_MOST ? q->limit : GET_RECORDS_MOST);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* A record that is not whole must not pass for one. */
static bool read_record(struct stream_records *r, const struct json *from)
{
	const char *sequence = json_get_str(from, "SequenceNumber"), *key = json_get_str(from, "PartitionKey");
	const char *data = json_get_str(from, "Data");
	struct buf bytes;
	if (!sequence_valid(sequence) || !key || !data)
		return false;
	buf_init(&bytes, (size_t)16 << 20);
	bool ok = hash_unbase64(&bytes, span_of(data));
	if (ok) {
		struct stream_record *v = stream_records_add(r);
		v->sequence = arena_strdup(&r->mem, sequence);
		v->key = arena_strdup(&r->mem, key);
		v->data = (struct span){ arena_strndup(&r->mem, bytes.n ? bytes.p : "", bytes.n), bytes.n };
		json_time_ms(json_get(from, "ApproximateArrivalTimestamp"), &v->arrived_ms);
		r->bytes += bytes.n + strlen(key);
	}
	buf_clear(&bytes);
	return ok;
}

static bool read_children(struct records_out *v, const struct json *doc)
{
	bool ok = true;
	v->nchildren = 0;
	for (const struct json *c = wire_list(doc, "ChildShards", &ok); c && v->nchildren < CHILD_SHARDS;
	     c = json_next(c)) {
		const char *id = json_get_str(c, "ShardId");
		ok = ok && id && strlen(id) < SHARD_ID;
		if (ok)
			snprintf(v->child[v->nchildren++], SHARD_ID, "%s", id);
	}
	return ok;
}

static bool read_all(struct records_out *v, const struct json *doc, struct err *e)
{
	const struct json *next = json_get(doc, "NextShardIterator");
	bool ok = true;
	if (!json_get(doc, "Records"))
		return err_set(e, ERR_BADREPLY, "json", "no Records in the answer");
	for (const struct json *r = wire_list(doc, "Records", &ok); r && ok; r = json_next(r))
		ok = read_record(v->records, r);
	v->next[0] = '\0';
	v->behind_ms = -1;
	json_int(json_get(doc, "MillisBehindLatest"), &v->behind_ms);
	if (!ok || !read_children(v, doc) || (!json_is_null(next) && !json_str(next)))
		return err_set(e, ERR_BADREPLY, "json", "a record that is not whole, or no list of records");
	return json_is_null(next) || put_iterator(v->next, json_str(next), e);
}

static bool records_read(const struct http_res *rs, void *out, struct err *e)
{
	struct records_out *v = out;
	unsigned had = v->records->n;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = read_all(v, doc, e);
	if (!ok)
		v->records->n = had;
	json_free(doc);
	return ok;
}

const struct op op_get_records = {
	.service = &service_kinesis,
	.name = "GetRecords",
	.iam = "kinesis:GetRecords",
	.effect = OP_PEEK, /* it takes its share of what the shard gives to everybody */
	.idempotent = true,
	.cap = 32u * 1024 * 1024, /* 10 MiB in base64, and 10,000 times numbers and keys */
	.build = records_build,
	.read = records_read,
};
