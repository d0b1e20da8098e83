/* SendMessageBatch: copies of messages, as they were received. */
#include "aws/op_sqs.h"

#include "aws/wire.h"
#include "core/hash.h"

#include <stdio.h>
#include <string.h>

#define SEND_CAP (1u << 20)

static const char *const ids[SQS_BATCH] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

size_t message_bytes(const struct message *m)
{
	size_t n = m->body.n;
	for (unsigned i = 0; i < m->nattrs; i++)
		n += strlen(m->attrs[i].name) + strlen(m->attrs[i].type) + m->attrs[i].value.n;
	return n;
}

/* The attributes of the copy: all of the message's but an older stamp, and the new one. Room for one more than it has. */
static unsigned copy_attrs(const struct send_entry *en, struct message_attr *out)
{
	unsigned n = 0;
	for (unsigned i = 0; i < en->m->nattrs; i++)
		if (!en->stamp || strcmp(en->m->attrs[i].name, STAMP_NAME) != 0)
			out[n++] = en->m->attrs[i];
	if (en->stamp)
		out[n++] = (struct message_attr){ STAMP_NAME, "String", span_of(en->stamp), false };
	return n;
}

static void write_attr(struct json_out *o, const struct message_attr *a)
{
	json_out_object(o, a->name);
	json_out_str(o, "DataType", a->type);
	if (a->binary) {
		struct buf b;
		buf_init(&b, 2 * a->value.n + 8);
		hash_base64(&b, a->value.p, a->value.n);
		json_out_str(o, "BinaryValue", b.p ? b.p : "");
		buf_clear(&b);
	} else {
		json_out_span(o, "StringValue", a->value);
	}
	json_out_object_end(o);
}

#define ATTRS_MOST (SQS_ATTRIBUTES + 2)

static void write_attrs(struct json_out *o, const struct send_entry *en)
{
	struct message_attr attrs[ATTRS_MOST];
	unsigned n = copy_attrs(en, attrs);
	if (!n)
		return;
	json_out_object(o, "MessageAttributes");
	for (unsigned i = 0; i < n; i++)
		write_attr(o, &attrs[i]);
	json_out_object_end(o);
}

static struct message_attr trace_of(const struct message *m)
{
	const char *trace = message_fact(m, "AWSTraceHeader");
	return (struct message_attr){ "AWSTraceHeader", "String", span_of(trace), false };
}

static void write_entry(struct json_out *o, const struct send_entry *en, const char *id)
{
	const struct message_attr trace = trace_of(en->m);
	json_out_object(o, NULL);
	json_out_str(o, "Id", id);
	json_out_span(o, "MessageBody", en->m->body);
	write_attrs(o, en);
	if (trace.value.n) {
		json_out_object(o, "MessageSystemAttributes");
		write_attr(o, &trace);
		json_out_object_end(o);
	}
	const char *group = message_fact(en->m, "MessageGroupId");
	if (group)
		json_out_str(o, "MessageGroupId", group);
	if (en->dedup)
		json_out_str(o, "MessageDeduplicationId", en->dedup);
	json_out_object_end(o);
}

static bool send_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct send_in *q = in;
	struct json_out o;
	for (unsigned i = 0; i < q->n; i++)
		if (q->v[i].m->nattrs > ATTRS_MOST - 1)
			return err_set(e, ERR_LIMIT, "json", "a message of more than %d attributes", SQS_ATTRIBUTES);
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "QueueUrl", q->url);
	json_out_array(&o, "Entries");
	for (unsigned i = 0; i < q->n; i++)
		write_entry(&o, &q->v[i], ids[i]);
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

/* NULL when all is well. */
static const char *check_copy(const struct send_entry *en, const struct json *told)
{
	struct message_attr attrs[ATTRS_MOST];
	const struct message_attr trace = trace_of(en->m);
	char md5[33];
	const char *body = json_get_str(told, "MD5OfMessageBody"), *of_attrs = json_get_str(told, "MD5OfMessageAttributes"),
	           *of_trace = json_get_str(told, "MD5OfMessageSystemAttributes");
	if (!body || strcmp(body, en->m->md5) != 0)
		return "SQS took another body than was sent: its MD5OfMessageBody is not ours";
	unsigned n = copy_attrs(en, attrs);
	message_attrs_md5(attrs, n, md5);
	if (n && (!of_attrs || strcmp(of_attrs, md5) != 0))
		return "SQS took other attributes than were sent: its MD5OfMessageAttributes is not ours";
	message_attrs_md5(&trace, 1, md5);
	if (trace.value.n && of_trace && strcmp(of_trace, md5) != 0)
		return "SQS took another AWSTraceHeader than was sent";
	return NULL;
}

static const struct json *told_of(const struct json *doc, const char *id)
{
	const struct json *c = json_first(json_get(doc, "Successful"));
	while (c && (!json_get_str(c, "Id") || strcmp(json_get_str(c, "Id"), id) != 0))
		c = json_next(c);
	return c;
}

static bool send_read(const struct http_res *rs, void *out, struct err *e)
{
	struct send_out *v = out;
	struct fated fates[SQS_BATCH];
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = batch_read_sqs(doc, ids, v->sent->n, "sqs:SendMessage", fates, e);
	for (unsigned i = 0; i < v->sent->n && ok; i++) {
		const struct json *told = fates[i].fate == FATE_DONE ? told_of(doc, ids[i]) : NULL;
		const char *id = json_get_str(told, "MessageId"), *wrong = told ? check_copy(&v->sent->v[i], told) : NULL;
		v->v[i].fated = fates[i];
		snprintf(v->v[i].id, sizeof v->v[i].id, "%s", id ? id : "");
		if (wrong) {
			v->v[i].fated.fate = FATE_UNKNOWN;
			err_set(&v->v[i].fated.err, ERR_BADREPLY, "sqs:SendMessage", "%s", wrong);
			v->v[i].fated.err.in_doubt = true;
		}
	}
	json_free(doc);
	return ok;
}

const struct op op_send_message_batch = {
	.service = &service_sqs,
	.name = "SendMessageBatch",
	.iam = "sqs:SendMessage",
	.effect = OP_WRITE,
	.cap = SEND_CAP,
	.rate = 250,
	.build = send_build,
	.read = send_read,
};

const struct op op_send_message_batch_fifo = {
	.service = &service_sqs,
	.name = "SendMessageBatch",
	.iam = "sqs:SendMessage",
	.effect = OP_WRITE,
	.idempotent = true, /* each has its deduplication id */
	.cap = SEND_CAP,
	.rate = 250,
	.build = send_build,
	.read = send_read,
};
