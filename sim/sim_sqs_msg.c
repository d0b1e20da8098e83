#include "sim/sim_sqs_msg.h"

#include "core/hash.h"
#include "core/mem.h"
#include "core/text.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTRIBUTES 10
#define MESSAGE_MAX 1048576
#define RECEIVE_MAX 10
#define HOLD_MS 50

/* ---- receipt handles */

static void tell_handle(struct wr *o, const struct sim_queue *q, const struct sim_msg *m)
{
	token_write(o, "ReceiptHandle", "receipt", "%s\n%u\n%s", m->id, m->rx, q->name);
}

/* *m: the message, NULL when it is gone already. False: this is no handle of this queue. */
static bool read_handle(const struct sim_queue *q, const char *handle, struct sim_msg **m, struct sim_fail *f)
{
	char text[256], id[37];
	const char *name;
	if (!token_read(handle, "receipt", text, sizeof text, f) || strlen(text) < 40 || text[36] != '\n' ||
	    !(name = strrchr(text, '\n')) || strcmp(name + 1, q->name) != 0)
		return sim_fail(f, WHY_INVALID_HANDLE, "The input receipt handle is invalid.");
	memcpy(id, text, 36);
	id[36] = '\0';
	*m = queue_find(q, id);
	return true;
}

/* ---- sending */

static bool valid_text(const char *s)
{
	size_t n = strlen(s);
	while (n) {
		uint32_t cp;
		unsigned len = text_decode(s, n, &cp);
		if (len == 0 || (cp < 0x20 && cp != 9 && cp != 10 && cp != 13) || cp == 0xfffe || cp == 0xffff)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

static bool read_attribute(const struct json *n, struct sim_attr *a, struct sim_fail *f)
{
	const char *type = json_get_str(n, "DataType"), *text = json_get_str(n, "StringValue");
	const char *binary = json_get_str(n, "BinaryValue");
	struct buf b;
	buf_init(&b, MESSAGE_MAX);
	if (!type || !*type || strlen(json_key(n)) > 256)
		return sim_fail(f, WHY_INVALID_VALUE,
		                "The message attribute '%.100s' must contain a non-empty message attribute type.", json_key(n));
	a->binary = strncmp(type, "Binary", 6) == 0;
	bool known = a->binary || strncmp(type, "String", 6) == 0 || strncmp(type, "Number", 6) == 0;
	const char *value = a->binary ? binary : text;
	if (!known || !value || !(a->binary ? hash_unbase64(&b, span_of(value)) : buf_adds(&b, value)) || b.n == 0) {
		buf_clear(&b);
		return sim_fail(f, WHY_INVALID_VALUE,
		                "The message attribute '%.100s' has an invalid or empty value for its type '%.50s'.",
		                json_key(n), type);
	}
	a->n = b.n;
	a->value = buf_steal(&b);
	a->name = xstrdup(json_key(n));
	a->type = xstrdup(type);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sim_attr *)a)->name, ((const struct sim_attr *)b)->name);
}

static void free_attrs(struct sim_attr *attrs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		free(attrs[i].name);
		free(attrs[i].type);
		free(attrs[i].value);
	}
	free(attrs);
}

static bool read_attributes(const struct json *map, struct sim_attr **out, unsigned *n, struct sim_fail *f)
{
	struct sim_attr *attrs = xcalloc(ATTRIBUTES, sizeof *attrs);
	*n = 0;
	*out = NULL;
	for (const struct json *a = json_first(map); a; a = json_next(a)) {
		bool ok = *n < ATTRIBUTES ||
		          sim_fail(f, WHY_INVALID_VALUE, "Number of message attributes exceeds the allowed maximum [10].");
		if (!ok || !read_attribute(a, &attrs[*n], f)) {
			free_attrs(attrs, *n);
			return false;
		}
		++*n;
	}
	qsort(attrs, *n, sizeof *attrs, by_name);
	*out = attrs;
	return true;
}

struct draft {
	const char *body, *group, *trace;
	int64_t delay_s;
	struct sim_attr *attrs;
	unsigned nattrs;
	size_t bytes;
};

static bool read_trace(const struct json *map, struct draft *d, struct sim_fail *f)
{
	for (const struct json *a = json_first(map); a; a = json_next(a)) {
		d->trace = json_get_str(a, "StringValue");
		if (strcmp(json_key(a), "AWSTraceHeader") != 0 || !d->trace)
			return sim_fail(f, WHY_INVALID_VALUE, "The only message system attribute is AWSTraceHeader, a String.");
	}
	return true;
}

/* One message of SendMessage or of a batch's entry. */
static bool read_draft(const struct sim_req *rq, const struct json *from, const struct sim_queue *q, struct draft *d,
                       struct sim_fail *f)
{
	*d = (struct draft){ .delay_s = q->delay_s };
	if (!arg_need(rq, from, "MessageBody", &d->body, f) || !arg_int(rq, from, "DelaySeconds", 0, 900, &d->delay_s, f) ||
	    !arg_str(rq, from, "MessageGroupId", &d->group, f))
		return false;
	if (!valid_text(d->body))
		return sim_fail(f, WHY_INVALID_CONTENTS,
		                "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "
		                "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
	if (!read_trace(json_get(from, "MessageSystemAttributes"), d, f) ||
	    !read_attributes(json_get(from, "MessageAttributes"), &d->attrs, &d->nattrs, f))
		return false;
	d->bytes = strlen(d->body);
	for (unsigned i = 0; i < d->nattrs; i++)
		d->bytes += strlen(d->attrs[i].name) + strlen(d->attrs[i].type) + d->attrs[i].n;
	if (d->bytes <= (size_t)q->max_bytes)
		return true;
	free_attrs(d->attrs, d->nattrs);
	return sim_fail(f, WHY_INVALID_VALUE,
	                "One or more parameters are invalid. Reason: Message must be shorter than %" PRId64 " bytes.",
	                q->max_bytes);
}

static void tell_trace(struct wr *o, const char *trace)
{
	char name[] = "AWSTraceHeader", type[] = "String", md5[33];
	char *value = xstrdup(trace);
	struct sim_attr a = { name, type, value, strlen(value), false };
	queue_attrs_md5(&a, 1, md5);
	wr_str(o, "MD5OfMessageSystemAttributes", md5);
	free(value);
}

/* As a digest that does not fit would look. */
static void spoil_md5(struct world *w, const struct sim_req *rq, char *md5)
{
	if (fault_inside(w, rq, FAULT_WRONG_MD5))
		md5[0] = md5[0] == '0' ? '1' : '0';
}

static void tell_sent(struct world *w, const struct sim_req *rq, struct wr *o, struct sim_queue *q,
                      const struct draft *d)
{
	uint8_t digest[HASH_MD5];
	char md5[2 * HASH_MD5 + 1];
	struct sim_msg *m = queue_msg_new(w, d->body, w->now_ms);
	m->attrs = d->attrs;
	m->nattrs = d->nattrs;
	m->group = d->group ? xstrdup(d->group) : NULL;
	m->trace = d->trace ? xstrdup(d->trace) : NULL;
	queue_send(w, q, m, d->delay_s);
	hash_md5(d->body, strlen(d->body), digest);
	hash_hex(digest, sizeof digest, md5);
	spoil_md5(w, rq, md5);
	wr_str(o, "MessageId", m->id);
	wr_str(o, "MD5OfMessageBody", md5);
	if (m->trace)
		tell_trace(o, m->trace);
	if (m->nattrs == 0)
		return;
	queue_attrs_md5(m->attrs, m->nattrs, md5);
	wr_str(o, "MD5OfMessageAttributes", md5);
}

bool sqs_send_message(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct draft d;
	struct sim_queue *q = sqs_queue(w, rq, f);
	if (!q || !read_draft(rq, rq->args, q, &d, f))
		return false;
	tell_sent(w, rq, o, q, &d);
	return true;
}

/* ---- batches */

static bool valid_id(const char *id)
{
	size_t n = strlen(id);
	return n && n <= 80 && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

/* What makes a whole batch fail: its size and its ids. */
static bool check_entries(const struct json *entries, struct sim_fail *f)
{
	unsigned n = 0;
	for (const struct json *a = json_first(entries); a; a = json_next(a), n++) {
		const char *id = json_get_str(a, "Id");
		if (!id || !valid_id(id))
			return sim_fail(f, WHY_INVALID_BATCH_ID,
			                "A batch entry id can only contain alphanumeric characters, hyphens and "
			                "underscores. It can be at most 80 letters long.");
		for (const struct json *b = json_next(a); b; b = json_next(b))
			if (json_get_str(b, "Id") && strcmp(json_get_str(b, "Id"), id) == 0)
				return sim_fail(f, WHY_BATCH_IDS, "Id %s repeated.", id);
	}
	if (n == 0)
		return sim_fail(f, WHY_EMPTY_BATCH, "There should be at least one entry in the request.");
	return n <= 10 ||
	       sim_fail(f, WHY_BATCH_TOO_MANY, "Maximum number of entries per request are 10. You have sent %u.", n);
}

struct failed {
	const char *id;
	struct sim_fail why;
};

/* Bit by bit, which entries a fault has fail. */
struct spoiled {
	int64_t sender, service;
};

static int64_t read_mask(struct world *w, const struct sim_req *rq, const struct json *entries, enum fault_id id)
{
	unsigned n = 0;
	struct fault_on *on = fault_inside(w, rq, id);
	for (const struct json *e = json_first(entries); e; e = json_next(e))
		n++;
	if (!on || (on->param & ((1 << n) - 1)))
		return on ? on->param : 0;
	fault_missed(on);
	return 0;
}

static struct spoiled read_spoiled(struct world *w, const struct sim_req *rq, const struct json *entries)
{
	return (struct spoiled){ read_mask(w, rq, entries, FAULT_BATCH_SENDER),
		                     read_mask(w, rq, entries, FAULT_BATCH_SERVICE) };
}

static bool spoils(const struct spoiled *s, unsigned i, struct sim_fail *f)
{
	if (s->sender >> i & 1)
		return !sim_fail(f, WHY_INVALID_VALUE, "This entry is not valid.");
	return (s->service >> i & 1) && !sim_fail(f, WHY_INTERNAL_SQS, "An internal error occurred; try again.");
}

/* In JSON both lists are always there. */
static void tell_failed(struct wr *o, const struct failed *failed, unsigned n)
{
	wr_list(o, "Failed", "BatchResultErrorEntry");
	for (unsigned i = 0; i < n; i++) {
		wr_object(o, NULL);
		wr_str(o, "Id", failed[i].id);
		wr_bool(o, "SenderFault", sim_fail_status(failed[i].why.why) < 500);
		wr_str(o, "Code", sim_fail_legacy(failed[i].why.why));
		wr_str(o, "Message", failed[i].why.text);
		wr_object_end(o);
	}
	wr_list_end(o);
}

static bool check_batch_bytes(const struct json *entries, struct sim_fail *f)
{
	size_t bytes = 0;
	for (const struct json *e = json_first(entries); e; e = json_next(e))
		bytes += json_get_str(e, "MessageBody") ? strlen(json_get_str(e, "MessageBody")) : 0;
	return bytes <= MESSAGE_MAX ||
	       sim_fail(f, WHY_BATCH_TOO_LONG, "Batch requests cannot be longer than %d bytes. You have sent %zu bytes.",
	                MESSAGE_MAX, bytes);
}

bool sqs_send_batch(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct failed failed[10];
	unsigned nfailed = 0;
	const struct json *entries;
	struct sim_queue *q = sqs_queue(w, rq, f);
	if (!q || !arg_list(rq, rq->args, "Entries", 100, &entries, f) || !check_entries(entries, f) ||
	    !check_batch_bytes(entries, f))
		return false;
	struct spoiled spoiled = read_spoiled(w, rq, entries);
	unsigned i = 0;
	wr_list(o, "Successful", "SendMessageBatchResultEntry");
	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		struct draft d;
		struct sim_fail *why = &failed[nfailed].why;
		failed[nfailed].id = json_get_str(e, "Id");
		if (spoils(&spoiled, i++, why) || !read_draft(rq, e, q, &d, why)) {
			nfailed++;
			continue;
		}
		wr_object(o, NULL);
		wr_str(o, "Id", json_get_str(e, "Id"));
		tell_sent(w, rq, o, q, &d);
		wr_object_end(o);
	}
	wr_list_end(o);
	tell_failed(o, failed, nfailed);
	return true;
}

/* ---- receiving */

/* All, exact names, "prefix.*" and ".*" for message attributes. */
static bool asked_for(const struct json *names, const char *name, bool prefixes)
{
	for (const struct json *n = json_first(names); n; n = json_next(n)) {
		const char *s = json_str(n);
		if (!s)
			continue;
		size_t len = strlen(s);
		if (strcmp(s, "All") == 0 || strcmp(s, name) == 0)
			return true;
		if (prefixes && len >= 2 && strcmp(s + len - 2, ".*") == 0 && strncmp(s, name, len - 2) == 0)
			return true;
	}
	return false;
}

struct wanted {
	const struct json *system, *old, *message;
};

static bool system_wanted(const struct wanted *want, const char *name)
{
	return asked_for(want->system, name, false) || asked_for(want->old, name, false);
}

static void tell_system(struct wr *o, const struct sim_msg *m, const struct wanted *want)
{
	char sent[24], count[16], first[24];
	snprintf(sent, sizeof sent, "%" PRId64, m->sent_ms);
	snprintf(count, sizeof count, "%u", m->rx);
	snprintf(first, sizeof first, "%" PRId64, m->first_rx_ms);
	const struct {
		const char *name, *value;
	} all[] = {
		{ "SenderId", "AIDASLUICESIMULATED00" },
		{ "SentTimestamp", sent },
		{ "ApproximateReceiveCount", count },
		{ "ApproximateFirstReceiveTimestamp", first },
		{ "DeadLetterQueueSourceArn", m->source_arn },
		{ "AWSTraceHeader", m->trace },
		{ "MessageGroupId", m->group },
	};
	bool any = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (!all[i].value || !system_wanted(want, all[i].name))
			continue;
		if (!any)
			wr_map(o, "Attributes", "Attribute");
		any = true;
		wr_map_str(o, all[i].name, all[i].value);
	}
	if (any)
		wr_map_end(o);
}

static void tell_attribute(struct wr *o, const struct sim_attr *a)
{
	struct buf b;
	wr_map_object(o, a->name);
	if (a->binary) {
		buf_init(&b, 2 * MESSAGE_MAX);
		hash_base64(&b, a->value, a->n);
		wr_str(o, "BinaryValue", b.p);
		buf_clear(&b);
	} else {
		wr_str(o, "StringValue", a->value);
	}
	wr_str(o, "DataType", a->type);
	wr_map_object_end(o);
}

/* The MD5 covers the attributes that are told, no others. */
static void tell_attributes(struct wr *o, const struct sim_msg *m, const struct json *names)
{
	struct sim_attr told[ATTRIBUTES];
	unsigned n = 0;
	char md5[33];
	for (unsigned i = 0; i < m->nattrs; i++)
		if (asked_for(names, m->attrs[i].name, true))
			told[n++] = m->attrs[i];
	if (n == 0)
		return;
	queue_attrs_md5(told, n, md5);
	wr_str(o, "MD5OfMessageAttributes", md5);
	wr_map(o, "MessageAttributes", "MessageAttribute");
	for (unsigned i = 0; i < n; i++)
		tell_attribute(o, &told[i]);
	wr_map_end(o);
}

static void tell_message(struct world *w, const struct sim_req *rq, struct wr *o, const struct sim_queue *q,
                         const struct sim_msg *m, const struct wanted *want)
{
	uint8_t digest[HASH_MD5];
	char md5[33];
	hash_md5(m->body, strlen(m->body), digest);
	hash_hex(digest, sizeof digest, md5);
	spoil_md5(w, rq, md5);
	wr_object(o, NULL);
	wr_str(o, "MessageId", m->id);
	tell_handle(o, q, m);
	wr_str(o, "MD5OfBody", md5);
	wr_str(o, "Body", m->body);
	tell_system(o, m, want);
	tell_attributes(o, m, want->message);
	wr_object_end(o);
}

bool sqs_receive(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_msg *got[RECEIVE_MAX];
	struct wanted want;
	struct sim_queue *q = sqs_queue(w, rq, f);
	if (!q)
		return false;
	int64_t max = 1, visibility = q->visibility_s, wait = q->wait_s;
	if (!arg_int(rq, rq->args, "MaxNumberOfMessages", 1, RECEIVE_MAX, &max, f) ||
	    !arg_int(rq, rq->args, "VisibilityTimeout", 0, 43200, &visibility, f) ||
	    !arg_int(rq, rq->args, "WaitTimeSeconds", 0, 20, &wait, f) ||
	    !arg_list(rq, rq->args, "MessageSystemAttributeNames", 64, &want.system, f) ||
	    !arg_list(rq, rq->args, "AttributeNames", 64, &want.old, f) ||
	    !arg_list(rq, rq->args, "MessageAttributeNames", 64, &want.message, f))
		return false;
	unsigned n = queue_receive(w, q, (unsigned)max, visibility, got);
	double waited_ms = (double)rq->waited_ms * w->speed; /* the account's time, which may be fast */
	if (n == 0 && waited_ms < (double)wait * 1000) {
		rq->hold_ms = HOLD_MS;
		return true;
	}
	if (n == 0) {
		world_put(w, "AWS/SQS", "NumberOfEmptyReceives", "QueueName", q->name, "Count", w->minute, 1, 1);
		return true;
	}
	wr_list(o, "Messages", "Message");
	bool again = fault_inside(w, rq, FAULT_DUPLICATE) != NULL;
	for (unsigned i = 0; i < n; i++) {
		tell_message(w, rq, o, q, got[i], &want);
		if (again)
			got[i]->visible_ms = w->now_ms;
	}
	wr_list_end(o);
	return true;
}

/* ---- deleting, holding back */

static bool hand_in(struct world *w, const struct sim_req *rq, const struct json *from, struct sim_queue *q,
                    const char **handle, struct sim_msg **m, struct sim_fail *f)
{
	if (!arg_need(rq, from, "ReceiptHandle", handle, f) || !read_handle(q, *handle, m, f))
		return false;
	return !fault_inside(w, rq, FAULT_EXPIRED_HANDLE) ||
	       sim_fail(f, WHY_INVALID_VALUE,
	                "Value %.300s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
	                *handle);
}

static bool delete_one(struct world *w, const struct sim_req *rq, const struct json *from, struct sim_queue *q,
                       struct sim_fail *f)
{
	const char *handle;
	struct sim_msg *m;
	if (!hand_in(w, rq, from, q, &handle, &m, f))
		return false;
	if (m)
		queue_remove(q, m);
	queue_touch(w, q);
	world_put(w, "AWS/SQS", "NumberOfMessagesDeleted", "QueueName", q->name, "Count", w->minute, 1, 1);
	return true;
}

static bool change_one(struct world *w, const struct sim_req *rq, const struct json *from, struct sim_queue *q,
                       struct sim_fail *f)
{
	const char *handle;
	struct sim_msg *m;
	int64_t seconds = -1;
	if (!arg_int(rq, from, "VisibilityTimeout", 0, 43200, &seconds, f) || !hand_in(w, rq, from, q, &handle, &m, f))
		return false;
	if (seconds < 0)
		return sim_fail(f, WHY_MISSING, "The request must contain the parameter VisibilityTimeout.");
	if (!m || m->visible_ms <= w->now_ms)
		return sim_fail(f, WHY_NOT_INFLIGHT,
		                "Value %.300s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
		                "not available for visibility timeout change.",
		                handle);
	m->visible_ms = w->now_ms + seconds * 1000;
	queue_touch(w, q);
	return true;
}

bool sqs_delete(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_queue *q = sqs_queue(w, rq, f);
	(void)o;
	return q && delete_one(w, rq, rq->args, q, f);
}

bool sqs_change_visibility(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct sim_queue *q = sqs_queue(w, rq, f);
	(void)o;
	return q && change_one(w, rq, rq->args, q, f);
}

static bool each_entry(struct world *w, struct sim_req *rq, struct wr *o, const char *item,
                       bool (*one)(struct world *w, const struct sim_req *rq, const struct json *from,
                                   struct sim_queue *q, struct sim_fail *f),
                       struct sim_fail *f)
{
	struct failed failed[10];
	unsigned nfailed = 0, i = 0;
	const struct json *entries;
	struct sim_queue *q = sqs_queue(w, rq, f);
	if (!q || !arg_list(rq, rq->args, "Entries", 100, &entries, f) || !check_entries(entries, f))
		return false;
	struct spoiled spoiled = read_spoiled(w, rq, entries);
	wr_list(o, "Successful", item);
	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		struct sim_fail *why = &failed[nfailed].why;
		failed[nfailed].id = json_get_str(e, "Id");
		if (spoils(&spoiled, i++, why) || !one(w, rq, e, q, why)) {
			nfailed++;
			continue;
		}
		wr_object(o, NULL);
		wr_str(o, "Id", json_get_str(e, "Id"));
		wr_object_end(o);
	}
	wr_list_end(o);
	tell_failed(o, failed, nfailed);
	return true;
}

bool sqs_delete_batch(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	return each_entry(w, rq, o, "DeleteMessageBatchResultEntry", delete_one, f);
}

bool sqs_change_visibility_batch(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	return each_entry(w, rq, o, "ChangeMessageVisibilityBatchResultEntry", change_one, f);
}
