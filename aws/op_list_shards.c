/* Kinesis ListShards (JSON 1.1): what a stream consists of. By StreamName, or by NextToken alone: both together are refused. */
#include "aws/kind.h"
#include "aws/op_kinesis.h"
#include "aws/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	const struct parts_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_int(&o, "MaxResults", 1000);
	if (q->page.token)
		json_out_str(&o, "NextToken", q->page.token);
	else
		json_out_str(&o, "StreamName", q->name);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* A share of the keys' hashes, which are numbers of 128 bits: "37.5". */
static void add_share(struct found *f, const char *id, const char *key, const char *hash)
{
	char text[32], *end;
	if (!hash)
		return;
	double v = strtod(hash, &end);
	if (end == hash || *end)
		return;
	snprintf(text, sizeof text, "%.4f", v / 0x1p128 * 100);
	found_fact(f, id, key, text);
}

static bool read_shard(struct found *f, const struct json *s)
{
	const char *id = json_get_str(s, "ShardId");
	const struct json *hashes = json_get(s, "HashKeyRange"), *sequences = json_get(s, "SequenceNumberRange");
	if (!id)
		return false;
	found_add(f, id, NULL, NULL);
	found_fact(f, id, "parent", json_get_str(s, "ParentShardId"));
	add_share(f, id, "from", json_get_str(hashes, "StartingHashKey"));
	add_share(f, id, "to", json_get_str(hashes, "EndingHashKey"));
	if (json_get_str(sequences, "EndingSequenceNumber")) /* nothing is written to it any more */
		found_fact(f, id, "closed", "true");
	return true;
}

static bool read_shards(const struct http_res *rs, void *out, struct err *e)
{
	struct found *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *s = wire_list(doc, "Shards", &ok); s; s = json_next(s))
		ok = read_shard(f, s) && ok;
	wire_next(&f->page, doc, "NextToken", &ok);
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of shards");
}

const struct op op_list_shards = {
	.service = &service_kinesis,
	.name = "ListShards",
	.rate = 100,
	.iam = "kinesis:ListShards",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 2u * 1024 * 1024, /* 1000 shards of 600 bytes */
	.build = build,
	.read = read_shards,
};
