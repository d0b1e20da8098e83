#include "engine/records.h"

#include "aws/op_kinesis.h"
#include "core/mem.h"
#include "core/scan.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

#define NO_KEY "default" /* of a record without a user_id */
#define KEY_BYTES 2048   /* room for one too long, so that it is seen to be */

static void fail(struct put_records_result *r, struct put_item *it, const char *code, const char *message)
{
	it->status = PUT_FAILED;
	it->code = code;
	it->message = arena_strdup(&r->mem, message);
	r->failed++;
}

/* ---- the partition key */

/* The value behind a key: a string, or a number as it stands. False: nothing that could name anyone. */
static bool take_value(const struct scan *behind, struct buf *out)
{
	struct scan s = *behind;
	enum scan_token t = scan_next(&s);
	buf_reset(out);
	if (t == SCAN_STRING)
		scan_string(&s, out); /* what does not fit is too long for a key, which is seen below */
	else if (t == SCAN_NUMBER)
		buf_addspan(out, s.text);
	return t == SCAN_STRING || t == SCAN_NUMBER;
}

/* The top-level user_id of a valid line; of several the last, as parsers have it. */
static bool find_user(struct span line, struct buf *out)
{
	struct scan s;
	struct buf name;
	bool found = false;
	scan_init(&s, line);
	if (scan_next(&s) != SCAN_OBJECT)
		return false;
	buf_init(&name, KEY_BYTES);
	while (scan_next(&s) == SCAN_KEY) {
		buf_reset(&name);
		if (scan_string(&s, &name) && span_eq(buf_span(&name), "user_id"))
			found = take_value(&s, out);
		if (!scan_skip(&s))
			break;
	}
	buf_clear(&name);
	return found && (out->n || buf_full(out));
}

/* Why it can be no partition key, or NULL. */
static const char *key_objection(const struct buf *key)
{
	unsigned characters = 0, n;
	uint32_t cp;
	for (size_t i = 0; i < key->n; i += n, characters++) {
		n = text_decode(key->p + i, key->n - i, &cp);
		if (!n || !cp)
			return "the partition key holds what is no character";
	}
	return buf_full(key) || characters > PUT_RECORD_KEY ? "the partition key has more than 256 characters" : NULL;
}

static void set_key(const struct put_records_request *rq, struct put_records_result *r, struct put_item *it)
{
	struct buf key;
	buf_init(&key, KEY_BYTES);
	if (rq->key || !find_user(it->data, &key)) {
		buf_reset(&key);
		buf_adds(&key, rq->key ? rq->key : NO_KEY);
	}
	const char *why = key_objection(&key);
	if (why)
		fail(r, it, "BAD_KEY", why);
	else
		it->key = arena_strndup(&r->mem, key.p, key.n);
	buf_clear(&key);
}

/* ---- lines */

static size_t size_of(const struct put_item *it)
{
	return it->data.n + strlen(it->key);
}

static void read_line(const struct put_records_request *rq, struct put_records_result *r, struct put_item *it)
{
	struct err e = { 0 };
	if (it->data.n > PUT_RECORD_RAISED) {
		fail(r, it, "TOO_LARGE", "a record has 10 MiB with its key at the most");
		return;
	}
	if (!scan_valid(it->data, &e)) {
		fail(r, it, "NOT_JSON", e.text);
		return;
	}
	set_key(rq, r, it);
	if (it->key && size_of(it) > PUT_RECORD_RAISED)
		fail(r, it, "TOO_LARGE", "a record has 10 MiB with its key at the most");
}

void records_read(const struct put_records_request *rq, struct put_records_result *r)
{
	unsigned line = 0, cap = 0;
	for (struct span rest = rq->text; rest.n;) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct span at = { rest.p, end ? (size_t)(end - rest.p) : rest.n };
		size_t passed = at.n + (end != NULL), blank = 0;
		rest.p += passed;
		rest.n -= passed;
		line++;
		while (blank < at.n && memchr(" \t\r", at.p[blank], 3))
			blank++;
		if (blank == at.n)
			continue;
		MEM_GROW(r->items, r->n, cap);
		r->items[r->n] = (struct put_item){ .line = line, .data = at };
		read_line(rq, r, &r->items[r->n++]);
	}
}

unsigned records_batch(const struct put_records_result *r, unsigned *next, unsigned *places, unsigned most)
{
	unsigned n = 0;
	size_t bytes = 0;
	for (; *next < r->n && n < most; ++*next) {
		const struct put_item *it = &r->items[*next];
		if (it->status != PUT_PLANNED)
			continue;
		size_t size = size_of(it);
		if (n && (size > PUT_RECORD_BYTES || bytes + size > PUT_RECORDS_BYTES))
			break;
		places[n++] = *next;
		bytes += size;
		if (size > PUT_RECORD_BYTES) {
			++*next;
			break;
		}
	}
	return n;
}
