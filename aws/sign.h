/* Signature Version 4, header form, in stages that can be tested one by one. Pure but for the signing-key cache, of
 * which each thread has its own. */
#ifndef AWS_SIGN_H
#define AWS_SIGN_H

#include "aws/op.h"
#include "core/hash.h"

#include <stdint.h>

struct sign_keys { const char *access_key, *secret_key, *session_token; /* token NULL or "": none */ };

struct sign_in {
	struct sign_keys keys;
	const char *region, *service;
	const char *host;          /* as the Host header goes out, with a non-default port */
	int64_t now;               /* seconds UTC, already corrected for clock skew */
	bool s3_style;             /* path as sent: no normalisation, no second encoding */
	bool raw_path;             /* the suite's peculiarity: segments kept, encoded once from raw; only tests set it */
	bool sign_body;            /* add x-amz-content-sha256 (s3_style does so always) */
	bool omit_token;           /* the token is sent but not signed */
};

/* Stage 1: only reads req, which must already hold x-amz-date etc.; `canonical` and `signed_headers` are appended to.
 * A Host header of req's own goes before in->host. The payload's hash is x-amz-content-sha256 when req holds it. False
 * when a buf is full or there are more than 64 headers. */
bool sign_canonical(const struct sign_in *in, const struct http_req *req, struct buf *canonical, struct buf *signed_headers);
bool sign_string(const struct sign_in *in, struct span canonical, struct buf *string_to_sign);
/* Stage 3: lower hex of the signature; derives the key, or takes it from the cache (one a key, day, region and service). */
void sign_signature(const struct sign_in *in, struct span string_to_sign, char hex[2 * HASH_SHA256 + 1]);
/* All stages: adds X-Amz-Security-Token, X-Amz-Date, x-amz-content-sha256 and Authorization to req, in place of older
 * ones: a request that is sent again is signed again. Without sign_body and s3_style an x-amz-content-sha256 of req's own
 * stays and is signed. NOCRED without a key, AUTH or CONF when a key, the token, the region or the host could break out
 * of its header, LIMIT when the request is too long. */
bool sign_request(const struct sign_in *in, struct http_req *req, struct err *e);
/* When a signature does not fit, a service tells what it was sent: the canonical request with its token, the key's id. */
void sign_mask(const struct sign_keys *k, struct err *e);
void sign_forget(void);        /* wipes this thread's key cache */

#endif
