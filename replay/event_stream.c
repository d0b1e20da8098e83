/* The event that Lambda's poller builds of a stream's records, and whether one is an aggregate of many. */
#include "replay/event.h"

#include "core/hash.h"
#include "core/json.h"

#include <string.h>

static bool write_record(struct json_out *o, const struct stream_record *r, const struct event_stream *of)
{
	struct buf text;
	buf_init(&text, (size_t)16 << 20);
	bool ok = hash_base64(&text, r->data.p, r->data.n);
	json_out_object(o, NULL);
	json_out_object(o, "kinesis");
	json_out_str(o, "kinesisSchemaVersion", "1.0");
	json_out_str(o, "partitionKey", r->key);
	json_out_str(o, "sequenceNumber", r->sequence);
	json_out_str(o, "data", text.p ? text.p : "");
	json_out_num(o, "approximateArrivalTimestamp", (double)r->arrived_ms / 1000);
	json_out_object_end(o);
	json_out_str(o, "eventSource", "aws:kinesis");
	json_out_str(o, "eventVersion", "1.0");
	buf_reset(&text);
	ok = ok && buf_addf(&text, "%s:%s", of->shard, r->sequence);
	json_out_str(o, "eventID", text.p);
	json_out_str(o, "eventName", "aws:kinesis:record");
	json_out_str(o, "invokeIdentityArn", of->role);
	json_out_str(o, "awsRegion", of->region);
	json_out_str(o, "eventSourceARN", of->arn);
	json_out_object_end(o);
	buf_clear(&text);
	return ok;
}

bool event_kinesis(struct buf *out, const struct stream_record *const *r, unsigned n, const struct event_stream *of)
{
	struct json_out o;
	bool ok = true;
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_array(&o, "Records");
	for (unsigned i = 0; i < n && ok; i++)
		ok = write_record(&o, r[i], of);
	json_out_array_end(&o);
	json_out_object_end(&o);
	return ok && o.ok && o.done;
}

bool record_is_aggregate(struct span data)
{
	static const char magic[] = { '\xf3', '\x89', '\x9a', '\xc2' };
	uint8_t digest[HASH_MD5];
	if (data.n <= sizeof magic + HASH_MD5 || memcmp(data.p, magic, sizeof magic) != 0)
		return false;
	size_t n = data.n - sizeof magic - HASH_MD5;
	hash_md5(data.p + sizeof magic, n, digest);
	return memcmp(digest, data.p + sizeof magic + n, HASH_MD5) == 0;
}
