/* What the readers of answers and the builders of requests make of what they are given, for the fault suites: a line of JSON
 * on standard input is a case, a line of JSON on standard output is what sluice read. One process takes any number.
 *
 *   {"do":"gate","body":B}    {"ok":..,"why":..}                    core/scan.h over the whole text
 *   {"do":"scan","body":B}    the same and "tree"                   its tokens, as the reader of datapoints takes them
 *   {"do":"json","body":B}    the same and "tree"                   core/json.h
 *   {"do":"xml","body":B}     {"ok":..,"why":..,"events":[[path,value],..]}
 *   {"do":"error","status":n,"headers":[[name,value],..],"body":B}  {"code":..,"http":..,"text":..,"request":..,"again":..}
 *   {"do":"header","headers":[..],"ask":[name,..]}                  {"header":{name:value or null,..}}
 *   {"do":"time","texts":[..]}                                      {"times":[milliseconds or null,..]}
 *   {"do":"build","wire":n,"name":..,"target":..,"version":..,"query_compatible":..,"tree":T or "form":[[k,v],..]}
 *              and, of a REST request, "method":..,"path":["/fixed/",{"label":..},..],"query":[[k,v],..],"headers":[..]
 *                             {"method":..,"path":..,"query":..,"headers":[..],"body":B}
 *
 * B is base64. In "tree" an object is {"o":[[key,value],..]}, so that a key that comes twice shows; a scalar is an object of
 * what each getter gives for it: "s" string, "i" integer, "n" number, "l" integer or one in a string, "t" instant in
 * milliseconds, "x" decoded base64, "b" boolean, "z" null. What a getter refuses is not there. */
#include "aws/classify.h"
#include "aws/wire.h"
#include "aws/xml.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/scan.h"
#include "tests/tools/lines.h"
#include "tests/tools/request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_verdict(struct json_out *o, bool ok, const struct err *e)
{
	json_out_bool(o, "ok", ok);
	if (!ok)
		json_out_str(o, "why", e->text);
}

/* ---- a tree as core/json.h gives it */

static void put_text(struct json_out *o, struct span s)
{
	struct buf raw;
	buf_init(&raw, LINE_MOST);
	json_out_span(o, "s", s);
	if (s.n && hash_unbase64(&raw, s))
		json_out_span(o, "x", buf_span(&raw));
	buf_clear(&raw);
}

static void put_scalar(struct json_out *o, const char *key, const struct json *n)
{
	int64_t i;
	double d;
	bool b;
	json_out_object(o, key);
	if (json_is_null(n))
		json_out_bool(o, "z", true);
	if (json_str(n))
		put_text(o, span_of(json_str(n)));
	if (json_int(n, &i))
		json_out_int(o, "i", i);
	if (json_num(n, &d))
		json_out_num(o, "n", d);
	if (json_loose_int(n, &i))
		json_out_int(o, "l", i);
	if (json_time_ms(n, &i))
		json_out_int(o, "t", i);
	if (json_bool(n, &b))
		json_out_bool(o, "b", b);
	json_out_object_end(o);
}

static void put_node(struct json_out *o, const char *key, const struct json *n)
{
	if (json_is_object(n)) {
		json_out_object(o, key);
		json_out_array(o, "o");
		for (const struct json *m = json_first(n); m; m = json_next(m)) {
			json_out_array(o, NULL);
			json_out_str(o, NULL, json_key(m));
			put_node(o, NULL, m);
			json_out_array_end(o);
		}
		json_out_array_end(o);
		json_out_object_end(o);
	} else if (json_is_array(n)) {
		json_out_array(o, key);
		for (const struct json *e = json_first(n); e; e = json_next(e))
			put_node(o, NULL, e);
		json_out_array_end(o);
	} else {
		put_scalar(o, key, n);
	}
}

static void do_json(const struct json *q, struct span body, struct json_out *o)
{
	struct err e = { 0 };
	struct json *doc = json_parse(body, &e);
	(void)q;
	put_verdict(o, doc != NULL, &e);
	if (doc)
		put_node(o, "tree", doc);
	json_free(doc);
}

/* ---- and as the scanner gives it */

static void do_gate(const struct json *q, struct span body, struct json_out *o)
{
	struct err e = { 0 };
	(void)q;
	put_verdict(o, scan_valid(body, &e), &e);
}

static void put_number(struct json_out *o, const struct scan *s)
{
	int64_t i;
	double d = scan_double(s);
	if (scan_int(s, &i))
		json_out_int(o, "i", i);
	if (isfinite(d))
		json_out_num(o, "n", d);
}

static void put_token(struct json_out *o, const char *key, const struct scan *s, enum scan_token t)
{
	struct buf text;
	json_out_object(o, key);
	if (t == SCAN_STRING) {
		buf_init(&text, LINE_MOST);
		scan_string(s, &text);
		json_out_span(o, "s", buf_span(&text));
		buf_clear(&text);
	} else if (t == SCAN_NUMBER) {
		put_number(o, s);
	} else if (t == SCAN_NULL) {
		json_out_bool(o, "z", true);
	} else {
		json_out_bool(o, "b", t == SCAN_TRUE);
	}
	json_out_object_end(o);
}

/* The text is known to be valid. A value in an object is the second of its pair, whose end it brings. */
static void put_tokens(struct json_out *o, struct scan *s)
{
	const char *key = "tree";
	uint64_t paired = 0; /* one bit a level: it is an object, so what ends in it ends a pair */
	for (enum scan_token t; (t = scan_next(s)) != SCAN_END && t != SCAN_ERROR; key = NULL) {
		if (t == SCAN_KEY) {
			struct buf text;
			buf_init(&text, LINE_MOST);
			scan_string(s, &text);
			json_out_array(o, NULL);
			json_out_span(o, NULL, buf_span(&text));
			buf_clear(&text);
			continue;
		}
		if (t == SCAN_OBJECT) {
			json_out_object(o, key);
			json_out_array(o, "o");
			paired |= 1ull << (s->depth - 1);
			continue;
		}
		if (t == SCAN_ARRAY) {
			json_out_array(o, key);
			paired &= ~(1ull << (s->depth - 1));
			continue;
		}
		if (t == SCAN_OBJECT_END || t == SCAN_ARRAY_END)
			json_out_array_end(o);
		else
			put_token(o, key, s, t);
		if (t == SCAN_OBJECT_END)
			json_out_object_end(o);
		if (s->depth && (paired >> (s->depth - 1) & 1))
			json_out_array_end(o);
	}
}

static void do_scan(const struct json *q, struct span body, struct json_out *o)
{
	struct err e = { 0 };
	struct scan s;
	bool ok = scan_valid(body, &e);
	(void)q;
	put_verdict(o, ok, &e);
	scan_init(&s, body);
	if (ok)
		put_tokens(o, &s);
}

/* ---- XML */

static bool on_element(void *ctx, const char *path, struct span value)
{
	struct json_out *o = ctx;
	json_out_array(o, NULL);
	json_out_str(o, NULL, path);
	json_out_span(o, NULL, value);
	json_out_array_end(o);
	return true;
}

static void do_xml(const struct json *q, struct span body, struct json_out *o)
{
	struct err e = { 0 };
	(void)q;
	json_out_array(o, "events");
	bool ok = xml_read(body, on_element, o, &e);
	json_out_array_end(o);
	put_verdict(o, ok, &e);
}

/* ---- errors, headers, times */

static struct http_header *headers_of(const struct json *list, unsigned *n)
{
	struct http_header *h = NULL;
	unsigned cap = 0;
	*n = 0;
	for (const struct json *e = json_first(list); e; e = json_next(e)) {
		MEM_GROW(h, *n, cap);
		h[(*n)++] = (struct http_header){ (char *)(uintptr_t)json_str(json_first(e)),
			                              (char *)(uintptr_t)json_str(json_next(json_first(e))) };
	}
	return h;
}

static void do_error(const struct json *q, struct span body, struct json_out *o)
{
	static const struct service service = { .id = "test" };
	static const struct op op = { .service = &service, .name = "Op", .iam = "test:Op" };
	int64_t status = 0;
	struct err e = { 0 };
	struct http_res res = { .body = body };
	struct http_header *h = headers_of(json_get(q, "headers"), &res.nheaders);
	json_int(json_get(q, "status"), &status);
	res.status = (int)status;
	res.headers = h;
	enum fault fault = classify(&op, &res, &e);
	json_out_str(o, "code", err_name(e.code));
	json_out_int(o, "http", e.http);
	json_out_str(o, "text", e.text);
	json_out_str(o, "request", e.request_id);
	json_out_bool(o, "again", fault != FAULT_FINAL);
	free(h);
}

static void do_header(const struct json *q, struct span body, struct json_out *o)
{
	struct http_res res = { .body = body };
	struct http_header *h = headers_of(json_get(q, "headers"), &res.nheaders);
	res.headers = h;
	json_out_object(o, "header");
	for (const struct json *a = json_first(json_get(q, "ask")); a; a = json_next(a))
		json_out_str(o, json_str(a), http_res_header(&res, json_str(a)));
	json_out_object_end(o);
	free(h);
}

static void do_time(const struct json *q, struct span body, struct json_out *o)
{
	(void)body;
	json_out_array(o, "times");
	for (const struct json *t = json_first(json_get(q, "texts")); t; t = json_next(t)) {
		const char *text = json_str(t);
		int64_t v;
		if (clock_parse_rfc3339(text, strlen(text), &v))
			json_out_int(o, NULL, v);
		else if (wire_date(text, &v))
			json_out_int(o, NULL, v * 1000);
		else
			json_out_null(o, NULL);
	}
	json_out_array_end(o);
}

/* ---- requests */

static void copy_tree(struct json_out *o, const char *key, const struct json *n)
{
	int64_t i;
	double d;
	bool b;
	if (json_is_object(n)) {
		json_out_object(o, key);
		for (const struct json *m = json_first(n); m; m = json_next(m))
			copy_tree(o, json_key(m), m);
		json_out_object_end(o);
	} else if (json_is_array(n)) {
		json_out_array(o, key);
		for (const struct json *e = json_first(n); e; e = json_next(e))
			copy_tree(o, NULL, e);
		json_out_array_end(o);
	} else if (json_str(n)) {
		json_out_str(o, key, json_str(n));
	} else if (json_int(n, &i)) {
		json_out_int(o, key, i);
	} else if (json_num(n, &d)) {
		json_out_num(o, key, d);
	} else if (json_bool(n, &b)) {
		json_out_bool(o, key, b);
	} else {
		json_out_null(o, key);
	}
}

static void add_params(struct buf *to, const struct json *pairs)
{
	for (const struct json *p = json_first(pairs); p; p = json_next(p))
		wire_param(to, json_str(json_first(p)), json_str(json_next(json_first(p))));
}

/* What a REST operation says of itself: method, path of fixed parts and labels, query, headers. */
static void add_place(struct http_req *rq, const struct json *q)
{
	if (json_get_str(q, "method"))
		rq->method = json_get_str(q, "method");
	for (const struct json *p = json_first(json_get(q, "path")); p; p = json_next(p)) {
		const struct json *label = json_get(p, "label");
		if (label)
			wire_escape(&rq->path, span_of(json_str(label)));
		else
			buf_adds(&rq->path, json_str(p));
	}
	add_params(&rq->query, json_get(q, "query"));
	for (const struct json *h = json_first(json_get(q, "headers")); h; h = json_next(h))
		http_req_header(rq, json_str(json_first(h)), json_str(json_next(json_first(h))));
}

static void do_build(const struct json *q, struct span body, struct json_out *o)
{
	int64_t wire = 0;
	struct service service = { .id = "test",
		                       .target = json_get_str(q, "target"),
		                       .version = json_get_str(q, "version") };
	struct op op = { .service = &service, .name = json_get_str(q, "name"), .iam = "test:Op" };
	struct http_req rq;
	struct json_out b;
	(void)body;
	json_int(json_get(q, "wire"), &wire);
	json_bool(json_get(q, "query_compatible"), &service.query_compatible);
	service.wire = (enum op_wire)wire;
	http_req_init(&rq);
	json_out_init(&b, &rq.body);
	if (json_get(q, "tree"))
		copy_tree(&b, NULL, json_get(q, "tree"));
	add_params(&rq.body, json_get(q, "form"));
	add_place(&rq, q);
	wire_frame(&op, &rq);
	put_request(o, &rq);
	http_req_clear(&rq);
}

/* ---- lines */

static const struct {
	const char *name;
	void (*run)(const struct json *q, struct span body, struct json_out *o);
} tasks[] = {
	{ "gate", do_gate },   { "scan", do_scan },     { "json", do_json }, { "xml", do_xml },
	{ "error", do_error }, { "header", do_header }, { "time", do_time }, { "build", do_build },
};

/* The body in memory of just its size, so that a sanitizer sees one byte too many. */
static struct span exact(const struct buf *b)
{
	char *copy = malloc(b->n ? b->n : 1);
	if (copy && b->n)
		memcpy(copy, b->p, b->n);
	return (struct span){ copy, copy ? b->n : 0 };
}

static bool answer(const struct json *q, struct buf *out)
{
	const char *name = json_get_str(q, "do");
	struct json_out o;
	struct buf body;
	bool known = false;
	buf_init(&body, LINE_MOST);
	if (!hash_unbase64(&body, span_of(json_get_str(q, "body"))))
		return false;
	struct span own = exact(&body);
	buf_clear(&body);
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	for (size_t i = 0; name && i < sizeof tasks / sizeof *tasks; i++) {
		if (strcmp(name, tasks[i].name) == 0) {
			tasks[i].run(q, own, &o);
			known = true;
		}
	}
	json_out_object_end(&o);
	free((char *)(uintptr_t)own.p);
	return known && o.ok && o.done;
}

int main(void)
{
	return each_line(answer);
}
