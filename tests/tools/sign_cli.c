/* For the peer tests: signs the requests that come as lines of JSON on stdin and writes one line for each: its Authorization
 * header, a tab, and its x-amz-content-sha256 if it has one. */
#include "aws/sign.h"
#include "tests/tools/lines.h"

static void fill(struct http_req *r, const struct json *j)
{
	r->method = json_get_str(j, "method");
	buf_adds(&r->path, json_get_str(j, "path"));
	buf_adds(&r->query, json_get_str(j, "query"));
	if (!hash_unbase64(&r->body, span_of(json_get_str(j, "body"))))
		fprintf(stderr, "bad body\n");
	for (const struct json *h = json_first(json_get(j, "headers")); h; h = json_next(h))
		http_req_header(r, json_str(json_first(h)), json_str(json_next(json_first(h))));
}

static bool sign_line(const struct json *j, struct buf *out)
{
	struct http_req r;
	struct err e = { 0 };
	struct sign_in in = {
		.keys = { json_get_str(j, "access"), json_get_str(j, "secret"), json_get_str(j, "token") },
		.region = json_get_str(j, "region"),
		.service = json_get_str(j, "service"),
		.host = json_get_str(j, "host"),
	};
	json_int(json_get(j, "now"), &in.now);
	json_bool(json_get(j, "s3"), &in.s3_style);
	json_bool(json_get(j, "sign_body"), &in.sign_body);
	http_req_init(&r);
	fill(&r, j);
	if (sign_request(&in, &r, &e)) {
		struct http_res view = { .headers = r.headers, .nheaders = r.nheaders };
		const char *content = http_res_header(&view, "x-amz-content-sha256");
		buf_addf(out, "%s\t%s", http_res_header(&view, "authorization"), content ? content : "");
	} else {
		buf_addf(out, "error: %s", e.text);
	}
	http_req_clear(&r);
	return true;
}

int main(void)
{
	int status = each_line(sign_line);
	sign_forget();
	return status;
}
