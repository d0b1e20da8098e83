/* What the wires have in common, so that an operation says only what is its own. Pure. */
#ifndef AWS_WIRE_H
#define AWS_WIRE_H

#include "aws/found.h"
#include "aws/op.h"
#include "core/json.h"
#include "core/metric.h"

/* After build(): method, path and content headers as the operation's wire wants them where build() left them out; on the
 * query wire build() writes the parameters alone, Action and Version are put before them here. */
void wire_frame(const struct op *op, struct http_req *rq);

/* The Host header as curl writes it for an endpoint: without the scheme's own port. */
void wire_host(struct span url, char out[256]);

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ : for labels of a path, values of a query and of a form. */
bool wire_escape(struct buf *out, struct span s);
/* Appends KEY=VALUE, escaped, with '&' where something stands already. Nothing for a NULL value. */
bool wire_param(struct buf *out, const char *key, const char *value);
/* CloudWatch's Dimensions:[{Name,Value}] of a metric, in its order; an empty list when there are none. */
void wire_dimensions(struct json_out *o, const struct metric_id *m);

/* The answer's document, which must be an object. */
struct json *wire_answer(const struct http_res *rs, struct err *e);
/* Absent, null and "" all say that there is no further page. */
void wire_token(struct page *p, const char *token);
/* The same out of an answer. A token that is no string clears *ok: a list must not pass for whole because its end was not understood.
 * With *ok false already there is no next page. */
void wire_next(struct page *p, const struct json *doc, const char *key, bool *ok);

/* A whole number (or one in a string) as a fact; nothing when it is not there. */
void wire_int_fact(struct found *f, const char *res, const char *key, const struct json *n);

/* The end of build() on the JSON wires. */
bool wire_built(struct json_out *o, struct err *e);

/* The first element of a list member. Absent and null are empty lists; anything else that is no list clears *ok: it is not AWS's
 * answer, and must not pass for "nothing there". */
const struct json *wire_list(const struct json *doc, const char *key, bool *ok);

/* An HTTP date ("Mon, 23 Nov 2026 03:14:42 GMT") in seconds; text may be NULL. */
bool wire_date(const char *text, int64_t *t);

/* How many seconds the service's clock is ahead of `now` by an answer's Date. False when it says none, when the answer came out of
 * a cache (Age), or when it took so long that its Date tells little. */
bool wire_clock(const struct http_res *res, int64_t took_ms, int64_t now, int64_t *ahead);

/* The answer of an operation that says nothing but that it is done: nothing, or an object. request_id gets the header's, "" without. */
bool wire_done(const struct http_res *rs, char request_id[64], struct err *e);

/* How long the service asks to wait, in milliseconds; -1 when it says nothing. */
double wire_retry_after_ms(const struct http_res *res);

#endif
