/* Kinesis data streams: what they measure, ListStreams and DescribeStreamSummary (JSON 1.1). Streams are named by StreamName
 * throughout: with an ARN the request would belong to another host. */
#include "aws/kind.h"
#include "aws/op_kinesis.h"
#include "aws/wire.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

const struct service service_kinesis = {
	.id = "kinesis",
	.host = "kinesis",
	.signing = "kinesis",
	.env = "KINESIS",
	.target = "Kinesis_20131202",
	.version = "2013-12-02",
	.wire = WIRE_JSON11,
};

/* All are sparse: each is published by the calls it counts, so without a writer (Incoming*, WriteProvisioned*) or a reader
 * (GetRecords.*, ReadProvisioned*) there is none: AWS's own note on the iterator age is "absent if nobody calls GetRecords". */
static const struct metric_info metrics[] = {
	{ "in", "Records in", FROM_CLOUDWATCH, "IncomingRecords", "Sum", NULL, NULL, ROLE_IN, UNIT_COUNT, true },
	{ "incoming_bytes", "Bytes in", FROM_CLOUDWATCH, "IncomingBytes", "Sum", NULL, NULL, ROLE_NONE, UNIT_BYTES, true },
	{ "out", "Records read", FROM_CLOUDWATCH, "GetRecords.Records", "Sum", NULL, NULL, ROLE_OUT, UNIT_COUNT, true },
	{ "age", "Iterator age", FROM_CLOUDWATCH, "GetRecords.IteratorAgeMilliseconds", "Maximum", NULL, NULL, ROLE_AGE,
	  UNIT_MILLISECONDS, true },
	{ "write_throttled", "Writes throttled", FROM_CLOUDWATCH, "WriteProvisionedThroughputExceeded", "Sum", NULL, NULL,
	  ROLE_NONE, UNIT_COUNT, true },
	{ "read_throttled", "Reads throttled", FROM_CLOUDWATCH, "ReadProvisionedThroughputExceeded", "Sum", NULL, NULL,
	  ROLE_NONE, UNIT_COUNT, true },
};

/* ---- ListStreams. The next page is asked for by token or, where there is none, by the last name: the first character of
 * the page's token says which. */
#define BY_TOKEN 't'
#define BY_NAME 'n'

static bool list_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct list_in *q = in;
	const char *token = q->page.token;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_int(&o, "Limit", 100);
	if (token)
		json_out_str(&o, token[0] == BY_TOKEN ? "NextToken" : "ExclusiveStartStreamName", token + 1);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static const char *arn_in(const struct json *summaries, const char *name)
{
	for (const struct json *s = json_first(summaries); s; s = json_next(s)) {
		const char *n = json_get_str(s, "StreamName");
		if (n && strcmp(n, name) == 0)
			return json_get_str(s, "StreamARN");
	}
	return NULL;
}

/* The names are the page. Summaries carry the ARNs, but older services have none, and an emulator gives all on each page. */
static const char *read_streams(struct found *f, const struct json *doc, bool *ok)
{
	const char *last = NULL;
	for (const struct json *s = wire_list(doc, "StreamNames", ok); s; s = json_next(s)) {
		*ok = *ok && json_str(s);
		if (json_str(s))
			found_add(f, last = json_str(s), arn_in(json_get(doc, "StreamSummaries"), json_str(s)), NULL);
	}
	return last;
}

static bool list_read(const struct http_res *rs, void *out, struct err *e)
{
	struct found *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool names = true;
	const char *last = read_streams(f, doc, &names);
	const struct json *flag = json_get(doc, "HasMoreStreams");
	bool more = false;
	if (!json_bool(flag, &more) && !json_is_null(flag))
		names = false;
	wire_next(&f->page, doc, "NextToken", &names);
	char *token = f->page.token;
	f->page.token = NULL;
	if (more && token)
		f->page.token = xasprintf("%c%s", BY_TOKEN, token);
	else if (more && last)
		f->page.token = xasprintf("%c%s", BY_NAME, last);
	bool ok = !more || f->page.token;
	free(token);
	json_free(doc);
	if (!names)
		return err_set(e, ERR_BADREPLY, "json", "not a list of streams by name");
	return ok || err_set(e, ERR_BADREPLY, "json", "more streams are said to exist, but not where");
}

static const struct op op_list_streams = {
	.service = &service_kinesis,
	.name = "ListStreams",
	.rate = 5,
	.iam = "kinesis:ListStreams",
	.effect = OP_READ,
	.idempotent = true,
	.paged = true,
	.cap = 1024u * 1024, /* 100 streams of 500 bytes; an emulator tells all of them on each page */
	.build = list_build,
	.read = list_read,
};

/* ---- DescribeStreamSummary */

static bool describe_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct describe_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "StreamName", q->name);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* Is any shard-level metric switched on? (They are billed.) */
static bool enhanced(const struct json *monitoring)
{
	for (const struct json *m = json_first(monitoring); m; m = json_next(m))
		if (json_first(json_get(m, "ShardLevelMetrics")))
			return true;
	return false;
}

static bool describe_read(const struct http_res *rs, void *out, struct err *e)
{
	struct found *f = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const struct json *s = json_get(doc, "StreamDescriptionSummary");
	const char *name = json_get_str(s, "StreamName"), *arn = json_get_str(s, "StreamARN");
	bool ok = name && arn;
	if (ok) {
		found_add(f, name, arn, NULL);
		found_fact(f, name, "arn", arn);
		found_fact(f, name, "status", json_get_str(s, "StreamStatus"));
		found_fact(f, name, "mode", json_get_str(json_get(s, "StreamModeDetails"), "StreamMode"));
		wire_int_fact(f, name, "retention_h", json_get(s, "RetentionPeriodHours"));
		wire_int_fact(f, name, "open_shards", json_get(s, "OpenShardCount"));
		wire_int_fact(f, name, "consumers", json_get(s, "ConsumerCount"));
		found_fact(f, name, "encryption", json_get_str(s, "EncryptionType"));
		found_fact(f, name, "enhanced", enhanced(json_get(s, "EnhancedMonitoring")) ? "true" : "false");
	}
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "a stream without name or ARN");
}

static const struct op op_describe_stream_summary = {
	.service = &service_kinesis,
	.name = "DescribeStreamSummary",
	.rate = 20,
	.iam = "kinesis:DescribeStreamSummary",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 1024u * 1024,
	.build = describe_build,
	.read = describe_read,
};

const struct kind kind_kinesis = {
	.info = {
		.id = "kinesis", .title = "Kinesis stream", .ns = "AWS/Kinesis", .dimension = "StreamName",
		.metrics = metrics, .nmetrics = sizeof metrics / sizeof *metrics, .spark = "in",
		.no_error = "Kinesis does not fail records, it keeps them: trouble shows in the iterator age and the throttles",
	},
	.arn_service = "kinesis", .arn_prefix = "stream/", .list = &op_list_streams, .describe = &op_describe_stream_summary,
	.write = &op_put_records,
	.parts = &op_list_shards,
	.cfn_type = "AWS::Kinesis::Stream", .keeps = KEEPS_RECORDS,
};
