/* A built request as members of an object: {"method":..,"path":..,"query":..,"headers":[[name,value],..],"body":base64}. */
#ifndef TESTS_REQUEST_H
#define TESTS_REQUEST_H

#include "aws/op.h"
#include "tests/tools/lines.h"

static inline void put_request(struct json_out *o, const struct http_req *rq)
{
	struct buf b64;
	buf_init(&b64, LINE_MOST);
	hash_base64(&b64, rq->body.p ? rq->body.p : "", rq->body.n);
	json_out_str(o, "method", rq->method);
	json_out_span(o, "path", buf_span(&rq->path));
	json_out_span(o, "query", buf_span(&rq->query));
	json_out_array(o, "headers");
	for (unsigned i = 0; i < rq->nheaders; i++) {
		json_out_array(o, NULL);
		json_out_str(o, NULL, rq->headers[i].name);
		json_out_str(o, NULL, rq->headers[i].value);
		json_out_array_end(o);
	}
	json_out_array_end(o);
	json_out_span(o, "body", buf_span(&b64));
	buf_clear(&b64);
}

#endif
