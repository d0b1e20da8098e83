/* ReceiveMessage, and what is done with receipt handles; GetQueueUrl. Move tasks are op_sqs_move.c's. */
#include "aws/op_sqs.h"

#include "aws/wire.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_CAP (80u << 20) /* ten messages of 1 MiB, every byte of them written as \uXXXX */

/* ---- GetQueueUrl */

static bool url_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct queue_url_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "QueueName", q->name);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool url_read(const struct http_res *rs, void *out, struct err *e)
{
	struct queue_url_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const char *url = json_get_str(doc, "QueueUrl");
	bool ok = url && *url && strlen(url) < sizeof v->url;
	snprintf(v->url, sizeof v->url, "%s", ok ? url : "");
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "no QueueUrl in the answer");
}

const struct op op_get_queue_url = {
	.service = &service_sqs,
	.name = "GetQueueUrl",
	.iam = "sqs:GetQueueUrl",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 64u * 1024,
	.build = url_build,
	.read = url_read,
};

/* ---- ReceiveMessage */

static void all_of(struct json_out *o, const char *key)
{
	json_out_array(o, key);
	json_out_str(o, NULL, "All");
	json_out_array_end(o);
}

static bool receive_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct receive_in *q = in;
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "QueueUrl", q->url);
	json_out_int(&o, "MaxNumberOfMessages", q->max);
	json_out_int(&o, "VisibilityTimeout", q->visibility_s);
	json_out_int(&o, "WaitTimeSeconds", q->wait_s);
	all_of(&o, "MessageSystemAttributeNames");
	all_of(&o, "MessageAttributeNames");
	if (q->attempt_id)
		json_out_str(&o, "ReceiveRequestAttemptId", q->attempt_id);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static unsigned count(const struct json *object)
{
	unsigned n = 0;
	for (const struct json *c = json_first(object); c; c = json_next(c))
		n++;
	return n;
}

static void read_facts(struct message *m, const struct json *map)
{
	m->facts = arena_array(&m->mem, count(map), sizeof *m->facts);
	for (const struct json *c = json_first(map); c; c = json_next(c))
		if (json_str(c))
			m->facts[m->nfacts++] =
			    (struct message_fact){ arena_strdup(&m->mem, json_key(c)), arena_strdup(&m->mem, json_str(c)) };
}

static struct span keep(struct message *m, const void *p, size_t n)
{
	char *own = arena_alloc(&m->mem, n + 1);
	if (n)
		memcpy(own, p, n);
	return (struct span){ own, n };
}

static bool read_value(struct message *m, const struct json *c, struct message_attr *a)
{
	const char *text = json_get_str(c, "StringValue"), *binary = json_get_str(c, "BinaryValue");
	a->binary = strncmp(a->type, "Binary", 6) == 0;
	if (!a->binary) {
		a->value = keep(m, text, text ? strlen(text) : 0);
		return text != NULL;
	}
	struct buf b;
	buf_init(&b, 2u << 20);
	bool ok = binary && hash_unbase64(&b, span_of(binary));
	a->value = keep(m, b.p, b.n);
	buf_clear(&b);
	return ok;
}

static void read_attrs(struct message *m, const struct json *map)
{
	m->attrs = arena_array(&m->mem, count(map), sizeof *m->attrs);
	for (const struct json *c = json_first(map); c; c = json_next(c)) {
		struct message_attr *a = &m->attrs[m->nattrs++];
		const char *type = json_get_str(c, "DataType");
		a->name = arena_strdup(&m->mem, json_key(c));
		a->type = arena_strdup(&m->mem, type ? type : "");
		if (!type || !read_value(m, c, a))
			m->problem = "an attribute's value cannot be read";
	}
}

/* What SQS says it has sent must be what has come: a body that was changed on the way must not be passed on as the message. */
static void check_digests(struct message *m, const char *body, const char *attrs)
{
	uint8_t digest[HASH_MD5];
	char md5[33];
	hash_md5(m->body.p, m->body.n, digest);
	hash_hex(digest, sizeof digest, md5);
	m->md5 = arena_strdup(&m->mem, md5);
	if (!body || strcmp(md5, body) != 0)
		m->problem = "MD5OfBody is not the digest of the body that came";
	if (!m->nattrs)
		return;
	message_attrs_md5(m->attrs, m->nattrs, md5);
	m->attrs_md5 = arena_strdup(&m->mem, md5);
	if (!attrs || strcmp(md5, attrs) != 0)
		m->problem = "MD5OfMessageAttributes is not the digest of the attributes that came";
}

static struct message *read_message(const struct json *c)
{
	const char *id = json_get_str(c, "MessageId"), *handle = json_get_str(c, "ReceiptHandle"),
	           *body = json_get_str(c, "Body");
	if (!id || !handle)
		return NULL;
	struct message *m = xcalloc(1, sizeof *m);
	arena_init(&m->mem);
	m->id = arena_strdup(&m->mem, id);
	m->handle = arena_strdup(&m->mem, handle);
	m->body = keep(m, body, body ? strlen(body) : 0);
	m->received_ms = clock_wall_ms();
	if (!body)
		m->problem = "it has no body";
	read_facts(m, json_get(c, "Attributes"));
	read_attrs(m, json_get(c, "MessageAttributes"));
	check_digests(m, json_get_str(c, "MD5OfBody"), json_get_str(c, "MD5OfMessageAttributes"));
	return m;
}

static bool receive_read(const struct http_res *rs, void *out, struct err *e)
{
	struct receive_out *v = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = true;
	for (const struct json *c = wire_list(doc, "Messages", &ok); c && ok; c = json_next(c)) {
		struct message *m = v->n < SQS_BATCH ? read_message(c) : NULL;
		ok = m != NULL;
		if (ok)
			v->v[v->n++] = m;
	}
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "not a list of at most ten messages with ids and receipt handles");
}

const struct op op_receive_message = {
	.service = &service_sqs,
	.name = "ReceiveMessage",
	.iam = "sqs:ReceiveMessage",
	.effect = OP_PEEK,
	.cap = RECEIVE_CAP,
	.rate = 250,
	.build = receive_build,
	.read = receive_read,
};

/* ---- handles */

static const char *const ids[SQS_BATCH] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

static bool handles_build(const struct handles_in *q, bool visibility, struct http_req *rq, struct err *e)
{
	struct json_out o;
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "QueueUrl", q->url);
	json_out_array(&o, "Entries");
	for (unsigned i = 0; i < q->n; i++) {
		json_out_object(&o, NULL);
		json_out_str(&o, "Id", ids[i]);
		json_out_str(&o, "ReceiptHandle", q->handle[i]);
		if (visibility)
			json_out_int(&o, "VisibilityTimeout", q->visibility_s);
		json_out_object_end(&o);
	}
	json_out_array_end(&o);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

static bool delete_build(const void *in, struct http_req *rq, struct err *e)
{
	return handles_build(in, false, rq, e);
}

static bool visibility_build(const void *in, struct http_req *rq, struct err *e)
{
	return handles_build(in, true, rq, e);
}

static bool handles_read(const struct http_res *rs, struct handles_out *v, const char *where, struct err *e)
{
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	bool ok = batch_read_sqs(doc, ids, v->n, where, v->v, e);
	json_free(doc);
	return ok;
}

static bool delete_read(const struct http_res *rs, void *out, struct err *e)
{
	return handles_read(rs, out, "sqs:DeleteMessage", e);
}

static bool visibility_read(const struct http_res *rs, void *out, struct err *e)
{
	return handles_read(rs, out, "sqs:ChangeMessageVisibility", e);
}

const struct op op_delete_message_batch = {
	.service = &service_sqs,
	.name = "DeleteMessageBatch",
	.iam = "sqs:DeleteMessage",
	.effect = OP_WRITE,
	.idempotent = true,
	.cap = 1u << 20,
	.rate = 250,
	.build = delete_build,
	.read = delete_read,
};

const struct op op_change_visibility_batch = {
	.service = &service_sqs,
	.name = "ChangeMessageVisibilityBatch",
	.iam = "sqs:ChangeMessageVisibility",
	.effect = OP_WRITE,
	.idempotent = true,
	.cap = 1u << 20,
	.rate = 250,
	.build = visibility_build,
	.read = visibility_read,
};
