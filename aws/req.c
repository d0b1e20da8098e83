#include "aws/op.h"
#include "core/hash.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES (64u << 10) /* far above any AWS limit; a cap, not a rule */
#define BODY_MAX_BYTES (16u << 20) /* PutRecords' 10 MiB in base64, with room */

void http_req_init(struct http_req *r)
{
	*r = (struct http_req){ .method = "POST" };
	buf_init(&r->path, PATH_MAX_BYTES);
	buf_init(&r->query, PATH_MAX_BYTES);
	buf_init_secret(&r->body, BODY_MAX_BYTES);
}

/* Session and bearer tokens are headers; a body may hold one as well. */
void http_header_clear(struct http_header *h)
{
	if (h->value)
		explicit_bzero(h->value, strlen(h->value));
	free(h->name);
	free(h->value);
}

void http_req_clear(struct http_req *r)
{
	for (unsigned i = 0; i < r->nheaders; i++)
		http_header_clear(&r->headers[i]);
	free(r->headers);
	buf_clear(&r->path);
	buf_clear(&r->query);
	buf_clear(&r->body);
	http_req_init(r);
}

void http_req_wipe(struct http_req *r)
{
	for (unsigned i = 0; i < r->nheaders; i++)
		hash_wipe(r->headers[i].value, strlen(r->headers[i].value));
	if (r->body.p)
		hash_wipe(r->body.p, r->body.n);
	http_req_clear(r);
}

void http_req_header(struct http_req *r, const char *name, const char *value)
{
	MEM_GROW(r->headers, r->nheaders, r->cap);
	r->headers[r->nheaders++] = (struct http_header){ .name = xstrdup(name), .value = xstrdup(value) };
}

const char *http_res_header(const struct http_res *r, const char *name)
{
	for (unsigned i = 0; i < r->nheaders; i++)
		if (span_eq_nocase(span_of(r->headers[i].name), name))
			return r->headers[i].value;
	return NULL;
}
