#include "replay/group.h"

#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE_MOST 400 /* paths; what has more is told by these */
#define SHAPE_DEPTH 8

/* ---- the shape of a document: its key paths with their types, sorted, each once */

struct shape {
	char *path[SHAPE_MOST];
	unsigned n;
};

static const char *type_of(const struct json *n)
{
	double v;
	bool b;
	return json_is_object(n)  ? "object"
	       : json_is_array(n) ? "array"
	       : json_str(n)      ? "string"
	       : json_num(n, &v)  ? "number"
	       : json_bool(n, &b) ? "bool"
	                          : "null";
}

static void walk(struct shape *s, const struct json *n, const char *path, unsigned depth)
{
	if (s->n == SHAPE_MOST || depth == SHAPE_DEPTH)
		return;
	s->path[s->n++] = xasprintf("%s:%s", path, type_of(n));
	bool array = json_is_array(n);
	if (!array && !json_is_object(n))
		return;
	for (const struct json *c = json_first(n); c; c = json_next(c)) {
		char *below = array ? xasprintf("%s[]", path) : xasprintf("%s.%s", path, json_key(c));
		walk(s, c, below, depth + 1);
		free(below);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The document's own keys, for people: {order_id,items,...} */
static void tell_keys(const struct json *doc, struct buf *out)
{
	unsigned n = 0;
	buf_addc(out, '{');
	for (const struct json *c = json_first(doc); c && n < 6; c = json_next(c), n++)
		buf_addf(out, "%s%.40s", n ? "," : "", json_key(c));
	buf_adds(out, n == 6 ? ",...}" : "}");
}

static void shape_key(const struct json *doc, struct buf *key, struct buf *cause)
{
	struct shape s = { .n = 0 };
	walk(&s, doc, "$", 0);
	qsort(s.path, s.n, sizeof *s.path, by_text);
	buf_adds(key, "shape");
	for (unsigned i = 0; i < s.n; i++)
		if (i == 0 || strcmp(s.path[i], s.path[i - 1]) != 0)
			buf_addf(key, "\n%s", s.path[i]);
	for (unsigned i = 0; i < s.n; i++)
		free(s.path[i]);
	buf_adds(cause, "JSON ");
	if (json_is_object(doc))
		tell_keys(doc, cause);
	else
		buf_adds(cause, type_of(doc));
}

/* ---- what says why */

static bool on_failure(const struct json *doc, struct buf *key, struct buf *cause)
{
	const struct json *context = json_get(doc, "requestContext"), *answer = json_get(doc, "responsePayload");
	const char *condition = json_get_str(context, "condition"), *type = json_get_str(answer, "errorType");
	const char *frame = json_str(json_first(json_get(answer, "stackTrace")));
	if (!condition)
		return false;
	const char *error = type ? type : json_get_str(json_get(doc, "responseContext"), "functionError");
	buf_addf(key, "on-failure\n%s\n%s\n%s", condition, error ? error : "", frame ? frame : "");
	buf_addf(cause, "%s%s%s%s%.80s", condition, error ? ": " : "", error ? error : "", frame ? " at " : "",
	         frame ? frame : "");
	return true;
}

static bool error_attributes(const struct message *m, struct buf *key, struct buf *cause)
{
	static const char *const pairs[][2] = { { "ErrorCode", "ErrorMessage" }, { "ERROR_CODE", "ERROR_MESSAGE" } };
	for (unsigned i = 0; i < 2; i++) {
		const struct message_attr *code = message_attr(m, pairs[i][0]), *text = message_attr(m, pairs[i][1]);
		if (!code || code->binary)
			continue;
		size_t n = text && !text->binary ? text->value.n < 100 ? text->value.n : 100 : 0;
		buf_addf(key, "attribute\n%.*s\n%.*s", (int)code->value.n, code->value.p, (int)n, n ? text->value.p : "");
		buf_addf(cause, "%.*s%s%.*s", (int)code->value.n, code->value.p, n ? ": " : "", (int)n, n ? text->value.p : "");
		return true;
	}
	return false;
}

void group_of_message(const struct message *m, char fp[FP_LEN], char cause[CAUSE_LEN])
{
	struct buf key, text;
	uint8_t digest[HASH_SHA256];
	char hex[2 * HASH_SHA256 + 1];
	const char *source = message_fact(m, "DeadLetterQueueSourceArn"), *name = source ? strrchr(source, ':') : NULL;
	struct json *doc = json_parse(m->body, NULL);
	buf_init(&key, 1u << 20);
	buf_init(&text, 4096);
	if (!on_failure(doc, &key, &text) && !error_attributes(m, &key, &text)) {
		if (doc)
			shape_key(doc, &key, &text);
		else
			buf_adds(&key, "not JSON"), buf_adds(&text, "not JSON");
	}
	buf_addf(&key, "\n%s", source ? source : "");
	if (name)
		buf_addf(&text, " from %.80s", name + 1);
	json_free(doc);
	hash_sha256(key.p, key.n, digest);
	hash_hex(digest, sizeof digest, hex);
	memcpy(fp, hex, FP_LEN - 1);
	fp[FP_LEN - 1] = '\0';
	snprintf(cause, CAUSE_LEN, "%s", text.p ? text.p : "");
	buf_clear(&key);
	buf_clear(&text);
}
