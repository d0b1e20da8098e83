/* One AWS operation: two pure functions over structs. build() writes the request, read() adds an answer to `out`. Neither
 * does I/O, keeps state or knows about retries; the caller owns `in` and `out`. Service facts: AWS's published models. */
#ifndef AWS_OP_H
#define AWS_OP_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

enum op_wire { WIRE_JSON10, WIRE_JSON11, WIRE_QUERY, WIRE_REST_JSON, WIRE_REST_XML };
enum op_effect { OP_READ, OP_PEEK, OP_WRITE };

struct service {
	const char *id;      /* "sqs": logs, rate gates, and the prefix of IAM actions unless iam is set */
	const char *host;    /* endpoint prefix: "monitoring" */
	const char *signing; /* SigV4 service name */
	const char *env;     /* AWS_ENDPOINT_URL_<env>; lower-cased in [services] */
	const char *target;  /* X-Amz-Target prefix (JSON wires) */
	const char *version; /* API version (query wire) */
	enum op_wire wire;
	bool query_compatible; /* send x-amzn-query-mode: true */
};

struct http_header {
	char *name, *value;
};

/* A request before it is signed. path and query are already percent-encoded as they go on the wire. */
struct http_req {
	const char *method; /* static */
	struct buf path, query, body;
	const char *bucket;         /* S3: into the host or before the path, as the endpoint decides (address.h); borrowed from `in`; NULL */
	struct http_header *headers;
	unsigned nheaders, cap;
};
void http_req_init(struct http_req *r);
void http_req_clear(struct http_req *r);
void http_req_wipe(struct http_req *r); /* the same for one whose headers or body hold secrets */
void http_req_header(struct http_req *r, const char *name, const char *value);
void http_header_clear(struct http_header *h); /* wipes the value */

/* An answer, borrowed for the time of read(). */
struct http_res {
	int status;
	struct span body;
	const struct http_header *headers;
	unsigned nheaders;
};
const char *http_res_header(const struct http_res *r, const char *name); /* any case; NULL when absent */

/* First member of every `in` and `out` of a paged operation: read() replaces out->page.token (owned; NULL at the end),
 * call.c moves it to the next request's in->page.token and calls again until there is none. */
struct page {
	char *token;
};

struct op {
	const struct service *service;
	const char *name; /* GetMetricData */
	const char *iam;  /* cloudwatch:GetMetricData; also its name in logs, errors and api_health */
	enum op_effect effect;
	bool idempotent; /* may be sent again when the first answer was lost */
	bool paged;
	bool open;       /* needs no signature: a token in the request itself says who asks */
	size_t cap;    /* answer size limit in bytes; 0 = 16 MiB */
	unsigned rate; /* calls a second that the service grants an account; 0 = 50 */
	bool (*build)(const void *in, struct http_req *rq, struct err *e);
	bool (*read)(const struct http_res *rs, void *out, struct err *e);
};

#endif
