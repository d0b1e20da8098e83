#include "replay/event.h"

#include "core/hash.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>

/* ---- the event */

static void write_facts(struct json_out *o, const struct message *m)
{
	json_out_object(o, "attributes");
	for (unsigned i = 0; i < m->nfacts; i++)
		json_out_str(o, m->facts[i].name, m->facts[i].value);
	json_out_object_end(o);
}

static void write_attr(struct json_out *o, const struct message_attr *a)
{
	json_out_object(o, a->name);
	if (a->binary) {
		struct buf b;
		buf_init(&b, 2 * a->value.n + 8);
		hash_base64(&b, a->value.p, a->value.n);
		json_out_str(o, "binaryValue", b.p ? b.p : "");
		buf_clear(&b);
	} else {
		json_out_span(o, "stringValue", a->value);
	}
	json_out_array(o, "stringListValues");
	json_out_array_end(o);
	json_out_array(o, "binaryListValues");
	json_out_array_end(o);
	json_out_str(o, "dataType", a->type);
	json_out_object_end(o);
}

static void write_record(struct json_out *o, const struct message *m, const char *source_arn, const char *region)
{
	json_out_object(o, NULL);
	json_out_str(o, "messageId", m->id);
	json_out_str(o, "receiptHandle", m->handle);
	json_out_span(o, "body", m->body);
	write_facts(o, m);
	json_out_object(o, "messageAttributes");
	for (unsigned i = 0; i < m->nattrs; i++)
		write_attr(o, &m->attrs[i]);
	json_out_object_end(o);
	json_out_str(o, "md5OfBody", m->md5);
	if (m->attrs_md5)
		json_out_str(o, "md5OfMessageAttributes", m->attrs_md5);
	json_out_str(o, "eventSource", "aws:sqs");
	json_out_str(o, "eventSourceARN", source_arn);
	json_out_str(o, "awsRegion", region);
	json_out_object_end(o);
}

bool event_sqs(struct buf *out, const struct message *const *m, unsigned n, const char *source_arn, const char *region)
{
	struct json_out o;
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_array(&o, "Records");
	for (unsigned i = 0; i < n; i++)
		write_record(&o, m[i], source_arn, region);
	json_out_array_end(&o);
	json_out_object_end(&o);
	return o.ok && o.done;
}

/* ---- the answer */

static void fail_all(struct verdict_of *v, unsigned n, const char *code, const char *text)
{
	for (unsigned i = 0; i < n; i++)
		v->failed[i] = true;
	v->nfailed = n;
	snprintf(v->code, sizeof v->code, "%s", code);
	snprintf(v->text, sizeof v->text, "%s", text);
}

static void function_failed(const struct json *doc, const char *how, unsigned n, struct verdict_of *v)
{
	const char *type = json_get_str(doc, "errorType"), *text = json_get_str(doc, "errorMessage");
	fail_all(v, n, type && *type ? type : how, text ? text : "the function failed and did not say why");
}

/* False: it is no report of ours. */
static bool one_failed(const struct json *item, const char *const *ids, unsigned n, struct verdict_of *v)
{
	const char *id = json_get_str(item, "itemIdentifier");
	for (unsigned i = 0; id && i < n; i++)
		if (strcmp(ids[i], id) == 0) {
			v->nfailed += !v->failed[i];
			v->failed[i] = true;
			return true;
		}
	return false;
}

/* NULL: read, and honoured. Otherwise what is wrong with it. */
static const char *read_report(const struct json *doc, const char *const *ids, unsigned n, struct verdict_of *v)
{
	const struct json *list = json_get(doc, "batchItemFailures");
	if (!json_is_object(doc))
		return json_is_null(doc) ? NULL : "the answer is no report of item failures";
	if (json_is_null(list))
		return json_first(doc) && !list ? "the answer has no batchItemFailures" : NULL;
	if (!json_is_array(list))
		return "batchItemFailures is not a list";
	for (const struct json *i = json_first(list); i; i = json_next(i))
		if (!one_failed(i, ids, n, v))
			return "batchItemFailures names a message that was not in the batch, or none";
	return NULL;
}

void event_verdict(struct span body, const char *function_error, const char *const *ids, unsigned n, bool partial,
                   struct verdict_of *v)
{
	struct err e;
	bool *failed = v->failed;
	memset(failed, 0, n * sizeof *failed);
	*v = (struct verdict_of){ .failed = failed };
	struct json *doc = body.n ? json_parse(body, &e) : NULL;
	if (function_error) {
		function_failed(doc, function_error, n, v);
	} else if (body.n && !doc) {
		if (partial)
			fail_all(v, n, "BAD_REPORT", "the answer is not JSON, where item failures are reported");
	} else {
		const char *why = read_report(doc, ids, n, v);
		bool reports = json_get(doc, "batchItemFailures") != NULL;
		if (why && (partial || reports))
			fail_all(v, n, "BAD_REPORT", why);
		else if (v->nfailed)
			v->named = true, snprintf(v->code, sizeof v->code, "ITEM_FAILED"),
			snprintf(v->text, sizeof v->text, "reported in batchItemFailures");
	}
	json_free(doc);
}
