#include "aws/wire.h"

#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLOCK_TOOK_MAX_MS (900 * 1000)
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static void frame_json(const struct op *op, struct http_req *rq)
{
	struct buf target;
	if (rq->body.n == 0)
		buf_adds(&rq->body, "{}");
	http_req_header(rq, "Content-Type",
	                op->service->wire == WIRE_JSON10 ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1");
	buf_init(&target, 256);
	buf_addf(&target, "%s.%s", op->service->target, op->name);
	http_req_header(rq, "X-Amz-Target", target.p);
	buf_clear(&target);
	if (op->service->query_compatible)
		http_req_header(rq, "x-amzn-query-mode", "true");
}

static void frame_query(const struct op *op, struct http_req *rq)
{
	struct buf params = rq->body;
	buf_init(&rq->body, params.max);
	wire_param(&rq->body, "Action", op->name);
	wire_param(&rq->body, "Version", op->service->version);
	if (params.n) {
		buf_addc(&rq->body, '&');
		buf_addspan(&rq->body, buf_span(&params));
	}
	buf_clear(&params);
	http_req_header(rq, "Content-Type", FORM);
}

void wire_frame(const struct op *op, struct http_req *rq)
{
	if (!rq->method)
		rq->method = "POST";
	if (rq->path.n == 0)
		buf_addc(&rq->path, '/');
	switch (op->service->wire) {
	case WIRE_JSON10:
	case WIRE_JSON11: frame_json(op, rq); break;
	case WIRE_QUERY: frame_query(op, rq); break;
	case WIRE_REST_XML: break;
	case WIRE_REST_JSON:
		if (rq->body.n)
			http_req_header(rq, "Content-Type", "application/json");
		break;
	}
}

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

bool wire_escape(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(unreserved(s.p[i]) ? buf_addc(out, s.p[i]) : buf_addf(out, "%%%02X", (unsigned char)s.p[i])))
			return false;
	return true;
}

bool wire_param(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return true;
	return (out->n == 0 || buf_addc(out, '&')) && wire_escape(out, span_of(key)) && buf_addc(out, '=') &&
	       wire_escape(out, span_of(value));
}

struct json *wire_answer(const struct http_res *rs, struct err *e)
{
	struct span body = rs->body;
	while (body.n && strchr(" \t\r\n", body.p[0]))
		body.p++, body.n--;
	if (body.n == 0 || body.p[0] == '<') {
		err_set(e, ERR_BADREPLY, "json", body.n ? "a page of HTML or XML where JSON was expected" : "an empty answer");
		return NULL;
	}
	struct json *doc = json_parse(rs->body, e);
	if (doc && !json_is_object(doc)) {
		err_set(e, ERR_BADREPLY, "json", "the answer is not a JSON object");
		json_free(doc);
		doc = NULL;
	}
	return doc;
}

void wire_token(struct page *p, const char *token)
{
	free(p->token);
	p->token = token && *token ? xstrdup(token) : NULL;
}

void wire_next(struct page *p, const struct json *doc, const char *key, bool *ok)
{
	const struct json *token = json_get(doc, key);
	if (!json_is_null(token) && !json_str(token))
		*ok = false;
	wire_token(p, *ok ? json_str(token) : NULL);
}

void wire_host(struct span url, char out[256])
{
	bool tls = url.n >= 8 && memcmp(url.p, "https://", 8) == 0;
	const char *port = tls ? ":443" : ":80";
	size_t skip = tls ? 8 : 7, n = url.n > skip ? url.n - skip : 0, k = strlen(port);
	const char *host = url.p + skip;
	if (n > k && memcmp(host + n - k, port, k) == 0)
		n -= k;
	snprintf(out, 256, "%.*s", (int)n, host);
}

void wire_int_fact(struct found *f, const char *res, const char *key, const struct json *n)
{
	char text[24];
	int64_t v;
	if (!json_loose_int(n, &v))
		return;
	snprintf(text, sizeof text, "%" PRId64, v);
	found_fact(f, res, key, text);
}

bool wire_built(struct json_out *o, struct err *e)
{
	return (o->ok && o->done) || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

bool wire_date(const char *text, int64_t *t)
{
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;
	if (!end || *end)
		return false;
	*t = timegm(&tm);
	return true;
}

bool wire_clock(const struct http_res *res, int64_t took_ms, int64_t now, int64_t *ahead)
{
	int64_t theirs;
	if (took_ms > CLOCK_TOOK_MAX_MS || http_res_header(res, "Age") || !wire_date(http_res_header(res, "Date"), &theirs))
		return false;
	*ahead = theirs - now;
	return true;
}

const struct json *wire_list(const struct json *doc, const char *key, bool *ok)
{
	const struct json *list = json_get(doc, key);
	if (json_is_null(list) || json_is_array(list))
		return json_first(list);
	*ok = false;
	return NULL;
}

/* Milliseconds the service asks us to wait; -1 when it says nothing. A date is not understood: seconds are the rule. */
double wire_retry_after_ms(const struct http_res *res)
{
	const char *ms = res ? http_res_header(res, "x-amz-retry-after") : NULL;
	const char *s = res ? http_res_header(res, "Retry-After") : NULL;
	const char *text = ms ? ms : s;
	char *end;
	double v = text ? strtod(text, &end) : -1;
	if (!text || end == text || *end || !(v >= 0))
		return -1;
	return ms ? v : v * 1000;
}

void wire_dimensions(struct json_out *o, const struct metric_id *m)
{
	json_out_array(o, "Dimensions");
	for (unsigned i = 0; i < m->ndims; i++) {
		json_out_object(o, NULL);
		json_out_str(o, "Name", m->dims[i].name);
		json_out_str(o, "Value", m->dims[i].value);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

bool wire_done(const struct http_res *rs, char request_id[64], struct err *e)
{
	const char *id = http_res_header(rs, "x-amzn-RequestId");
	snprintf(request_id, 64, "%s", id ? id : "");
	if (rs->body.n == 0)
		return true;
	struct json *doc = wire_answer(rs, e);
	json_free(doc);
	return doc != NULL;
}
