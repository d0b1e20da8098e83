#include "replay/async.h"

#include "core/json.h"
#include "core/scan.h"

#include <string.h>

struct parts {
	struct span payload; /* of requestPayload: the raw JSON, blanks around it and all */
	bool has_payload, has_context, has_batch, has_text;
	char *text; /* of `payload`, decoded */
	size_t ntext;
	char *function, *condition;
	char *inner; /* of an SNS notification: its Message */
	size_t ninner;
	bool notification;
};

static char *string_of(struct scan *s, struct arena *mem, size_t *n)
{
	struct buf b;
	buf_init(&b, 64u << 20);
	char *out = scan_next(s) == SCAN_STRING && scan_string(s, &b) ? arena_strndup(mem, b.p ? b.p : "", b.n) : NULL;
	if (n)
		*n = b.n;
	buf_clear(&b);
	return out;
}

static bool read_context(struct scan *s, struct arena *mem, struct parts *p)
{
	enum scan_token t = scan_next(s);
	if (t != SCAN_OBJECT)
		return false;
	while ((t = scan_next(s)) == SCAN_KEY) {
		if (span_eq(s->text, "functionArn")) {
			if (!(p->function = string_of(s, mem, NULL)))
				return false;
		} else if (span_eq(s->text, "condition")) {
			if (!(p->condition = string_of(s, mem, NULL)))
				return false;
		} else if (!scan_skip(s)) {
			return false;
		}
	}
	return t == SCAN_OBJECT_END;
}

/* The value that follows, as it stands there. */
static bool raw_value(struct scan *s, struct span *v)
{
	const char *from = s->p;
	if (!scan_skip(s))
		return false;
	while (from < s->p && strchr(" \t\r\n:", *from))
		from++;
	*v = (struct span){ from, (size_t)(s->p - from) };
	return v->n > 0;
}

static bool read_member(struct scan *s, struct arena *mem, struct parts *p)
{
	if (span_eq(s->text, "requestContext"))
		return (p->has_context = true) && read_context(s, mem, p);
	if (span_eq(s->text, "requestPayload"))
		return (p->has_payload = true) && raw_value(s, &p->payload);
	if (span_eq(s->text, "payload")) {
		p->has_text = true;
		return (p->text = string_of(s, mem, &p->ntext)) != NULL;
	}
	if (span_eq(s->text, "Type")) {
		char *type = string_of(s, mem, NULL);
		p->notification = type && strcmp(type, "Notification") == 0;
		return type != NULL;
	}
	if (span_eq(s->text, "Message"))
		return (p->inner = string_of(s, mem, &p->ninner)) != NULL;
	if (s->text.n > 9 && memcmp(s->text.p + s->text.n - 9, "BatchInfo", 9) == 0)
		p->has_batch = true;
	return scan_skip(s);
}

static bool read_parts(struct span body, struct arena *mem, struct parts *p)
{
	struct scan s;
	enum scan_token t;
	scan_init(&s, body);
	if (scan_next(&s) != SCAN_OBJECT)
		return false;
	while ((t = scan_next(&s)) == SCAN_KEY)
		if (!read_member(&s, mem, p))
			return false;
	return t == SCAN_OBJECT_END;
}

static enum async_found broken(struct err *e, const char *why)
{
	err_set(e, ERR_BADREPLY, "on-failure record", "%s", why);
	return ASYNC_BROKEN;
}

/* arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER] */
static bool is_function_arn(const char *arn)
{
	const char *name = strstr(arn, ":function:");
	return strncmp(arn, "arn:", 4) == 0 && strlen(arn) < 256 && strstr(arn, ":lambda:") && name && name[10];
}

/* The original event as it lies in the queue. */
static enum async_found read_dead_letter(const struct message *m, struct async_record *r, struct err *e)
{
	const struct message_attr *code = message_attr(m, "ErrorCode"), *id = message_attr(m, "RequestID");
	if (!code || !id)
		return ASYNC_NONE;
	if (!scan_valid(m->body, NULL))
		return broken(e, "its event is not JSON");
	r->payload = m->body;
	return ASYNC_FOUND;
}

/* By itself, or in an SNS notification. */
static bool read_body(struct span body, struct arena *mem, struct parts *p)
{
	bool whole = scan_valid(body, NULL) && read_parts(body, mem, p);
	if (!whole || p->has_context || !p->notification || !p->inner)
		return whole;
	struct span inner = { p->inner, p->ninner };
	*p = (struct parts){ .text = NULL };
	return scan_valid(inner, NULL) && read_parts(inner, mem, p);
}

enum async_found async_read(const struct message *m, struct arena *mem, struct async_record *r, struct err *e)
{
	struct parts p = { .text = NULL };
	*r = (struct async_record){ .function_arn = NULL };
	bool whole = read_body(m->body, mem, &p);
	if (!p.has_context)
		return read_dead_letter(m, r, e);
	if (p.has_batch && !p.has_text)
		return ASYNC_NONE; /* a pointer to a stream's records */
	if (!whole)
		return broken(e, "it is not what Lambda writes");
	if (!p.function || !is_function_arn(p.function))
		return broken(e, "it names no function");
	if (p.condition && strcmp(p.condition, "Success") == 0)
		return broken(e, "it is of an invocation that succeeded");
	if (p.has_text && !scan_valid((struct span){ p.text, p.ntext }, NULL))
		return broken(e, "its payload is not JSON");
	if (!p.has_text && !p.has_payload)
		return broken(e, "it holds no requestPayload");
	*r = (struct async_record){ p.function, p.has_text ? (struct span){ p.text, p.ntext } : p.payload, p.condition };
	return ASYNC_FOUND;
}
