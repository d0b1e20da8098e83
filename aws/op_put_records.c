/* PutRecords: many records in one call, an outcome each. */
#include "aws/op_kinesis.h"

#include "aws/wire.h"
#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>

static bool add_record(struct json_out *o, const struct put_record *r, struct buf *data)
{
	buf_reset(data);
	if (!hash_base64(data, r->data.p, r->data.n))
		return false;
	json_out_object(o, NULL);
	json_out_span(o, "Data", buf_span(data));
	json_out_str(o, "PartitionKey", r->key);
	json_out_object_end(o);
	return true;
}

static bool put_records_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct put_records_in *q = in;
	struct json_out o;
	struct buf data;
	bool fits = true;
	json_out_init(&o, &rq->body);
	buf_init_secret(&data, rq->body.max);
	json_out_object(&o, NULL);
	json_out_str(&o, "StreamName", q->stream);
	json_out_array(&o, "Records");
	for (unsigned i = 0; i < q->n && fits; i++)
		fits = add_record(&o, &q->records[i], &data);
	json_out_array_end(&o);
	json_out_object_end(&o);
	buf_clear(&data);
	return fits ? wire_built(&o, e) : err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static void keep(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

/* batch.c judges; where a done record lies is kept beside it. */
static void read_places(const struct json *doc, const struct fated *fates, struct put_records_out *out)
{
	bool ok = true;
	const struct json *r = wire_list(doc, "Records", &ok);
	for (unsigned i = 0; i < out->n; i++, r = json_next(r)) {
		bool done = fates[i].fate == FATE_DONE;
		out->v[i].fated = fates[i];
		keep(out->v[i].shard, sizeof out->v[i].shard, done ? json_get_str(r, "ShardId") : NULL);
		keep(out->v[i].sequence, sizeof out->v[i].sequence, done ? json_get_str(r, "SequenceNumber") : NULL);
	}
}

static bool put_records_read(const struct http_res *rs, void *out, struct err *e)
{
	struct put_records_out *p = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	struct fated *fates = xcalloc(p->n ? p->n : 1, sizeof *fates);
	bool ok = batch_read_kinesis(doc, p->n, "kinesis:PutRecords", fates, e);
	if (ok)
		read_places(doc, fates, p);
	free(fates);
	json_free(doc);
	return ok;
}

const struct op op_put_records = {
	.service = &service_kinesis,
	.name = "PutRecords",
	.iam = "kinesis:PutRecords",
	.effect = OP_WRITE,
	.cap = 2u * 1024 * 1024, /* 500 outcomes, each a shard and 129 digits or a message */
	.build = put_records_build,
	.read = put_records_read,
};
