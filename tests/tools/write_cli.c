/* For the peer tests: what the operations that write make of their input. A line of JSON is a case, a line of JSON is the request:
 *   {"op":"PutRecords","stream":S,"records":[{"data":base64,"key":K},..]}
 *   {"op":"PutMetricData","ns":S,"name":S,"dims":[[NAME,VALUE],..],"value":N,"unit":U or null}
 *     and "more":[VALUE,..] of the same metric in the same request
 *   {"op":"Publish","topic":S,"subject":S,"message":S}
 *   {"op":"Invoke","function":S,"payload":base64} */
#include "aws/op_cloudwatch.h"
#include "aws/op_kinesis.h"
#include "aws/op_lambda.h"
#include "aws/op_sns.h"
#include "aws/wire.h"
#include "core/mem.h"
#include "tests/tools/request.h"

#include <string.h>

static struct buf decoded(const struct json *q, const char *key)
{
	struct buf b;
	buf_init(&b, LINE_MOST);
	if (!hash_unbase64(&b, span_of(json_get_str(q, key))))
		fprintf(stderr, "bad base64 in %s\n", key);
	return b;
}

static bool build(const struct op *op, const void *in, struct buf *out)
{
	struct http_req rq;
	struct err e = { 0 };
	struct json_out o;
	http_req_init(&rq);
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	if (op->build(in, &rq, &e)) {
		wire_frame(op, &rq);
		put_request(&o, &rq);
	} else {
		json_out_str(&o, "error", e.text);
	}
	json_out_object_end(&o);
	http_req_clear(&rq);
	return o.ok;
}

static bool put_records(const struct json *q, struct buf *out)
{
	struct put_record records[PUT_RECORDS_MOST];
	struct buf data[PUT_RECORDS_MOST];
	unsigned n = 0;
	for (const struct json *r = json_first(json_get(q, "records")); r && n < PUT_RECORDS_MOST; r = json_next(r), n++) {
		data[n] = decoded(r, "data");
		records[n] = (struct put_record){ buf_span(&data[n]), json_get_str(r, "key") };
	}
	struct put_records_in in = { json_get_str(q, "stream"), records, n };
	bool ok = build(&op_put_records, &in, out);
	while (n)
		buf_clear(&data[--n]);
	return ok;
}

static bool put_metric(const struct json *q, struct buf *out)
{
	struct metric_id m = { 0 };
	struct put_metric_in in = { .metric = &m, .unit = put_metric_unit(json_get_str(q, "unit")) };
	metric_set(&m, json_get_str(q, "ns"), json_get_str(q, "name"), NULL);
	for (const struct json *d = json_first(json_get(q, "dims")); d; d = json_next(d))
		metric_add_dim(&m, json_str(json_first(d)), json_str(json_next(json_first(d))));
	json_num(json_get(q, "value"), &in.value);
	struct put_metric_in more[8];
	unsigned n = 0;
	for (const struct json *v = json_first(json_get(q, "more")); v && n < 8; v = json_next(v), n++) {
		more[n] = in;
		more[n].next = NULL;
		json_num(v, &more[n].value);
		*(n ? &more[n - 1].next : &in.next) = &more[n];
	}
	bool ok = build(&op_put_metric_data, &in, out);
	metric_clear(&m);
	return ok;
}

static bool invoke(const struct json *q, struct buf *out)
{
	struct buf payload = decoded(q, "payload");
	struct invoke_in in = { json_get_str(q, "function"), buf_span(&payload) };
	bool ok = build(&op_invoke_event, &in, out);
	buf_clear(&payload);
	return ok;
}

static bool publish(const struct json *q, struct buf *out)
{
	struct sns_publish_in in = { json_get_str(q, "topic"), json_get_str(q, "subject"), json_get_str(q, "message") };
	return build(&op_sns_publish, &in, out);
}

static bool answer(const struct json *q, struct buf *out)
{
	const char *op = json_get_str(q, "op");
	if (strcmp(op, "PutRecords") == 0)
		return put_records(q, out);
	if (strcmp(op, "Publish") == 0)
		return publish(q, out);
	return strcmp(op, "PutMetricData") == 0 ? put_metric(q, out) : invoke(q, out);
}

int main(void)
{
	return each_line(answer);
}
