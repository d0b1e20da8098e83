#include "aws/sign.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADERS_MAX 64u /* signed in one request */
#define TEXT_MAX (1u << 20)
#define DATE "X-Amz-Date"
#define TOKEN "X-Amz-Security-Token"
#define CONTENT "x-amz-content-sha256"
#define AUTHORIZATION "Authorization"

static const char algorithm[] = "AWS4-HMAC-SHA256";

/* ---- the canonical request */

static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.' || c == '~';
}

/* Percent-encodes all but the unreserved characters and `also`. */
static bool encode(struct buf *out, struct span s, char also)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *p = s.p, *end = s.p + s.n;
	bool ok = true;
	while (ok && p < end) {
		const char *from = p;
		while (p < end && (unreserved(*p) || *p == also))
			p++;
		ok = buf_add(out, from, (size_t)(p - from));
		if (ok && p < end) {
			unsigned char c = (unsigned char)*p++;
			char mark[3] = { '%', hex[c >> 4], hex[c & 15] };
			ok = buf_add(out, mark, sizeof mark);
		}
	}
	return ok;
}

/* Drops the last of the segments after `root`. */
static void drop_segment(struct buf *out, size_t root)
{
	while (out->n > root && out->p[out->n - 1] != '/')
		out->n--;
	if (out->n > root)
		out->n--;
	out->p[out->n] = '\0';
}

/* Without empty and "." segments and with ".." resolved, each byte encoded once more; a final slash stays. */
static bool normal_path(struct buf *out, struct span path)
{
	size_t root = out->n;
	bool ok = buf_add(out, "", 0);
	for (const char *p = path.p, *end = path.p + path.n; ok && p < end;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		struct span segment = { p, (size_t)((slash ? slash : end) - p) };
		p = slash ? slash + 1 : end;
		if (segment.n == 0 || span_eq(segment, "."))
			continue;
		if (span_eq(segment, ".."))
			drop_segment(out, root);
		else
			ok = buf_addc(out, '/') && encode(out, segment, '/');
	}
	if (ok && (out->n == root || path.p[path.n - 1] == '/'))
		ok = buf_addc(out, '/');
	return ok;
}

static bool canonical_path(const struct sign_in *in, struct span path, struct buf *out)
{
	if (path.n == 0)
		return buf_addc(out, '/');
	if (in->raw_path)
		return encode(out, path, '/');
	return in->s3_style ? buf_addspan(out, path) : normal_path(out, path);
}

/* One k=v of the query, encoded, as places in a buf that may still move. */
struct pair {
	size_t key, nkey, value, nvalue;
	const struct buf *text;
};

static int compare_bytes(const char *a, size_t na, const char *b, size_t nb)
{
	int c = memcmp(a, b, na < nb ? na : nb);
	return c ? c : (na > nb) - (na < nb);
}

static int by_key_and_value(const void *va, const void *vb)
{
	const struct pair *a = va, *b = vb;
	const char *p = a->text->p;
	int c = compare_bytes(p + a->key, a->nkey, p + b->key, b->nkey);
	return c ? c : compare_bytes(p + a->value, a->nvalue, p + b->value, b->nvalue);
}

static bool read_pair(struct pair *out, struct span s, struct buf *text)
{
	const char *equals = memchr(s.p, '=', s.n);
	struct span key = { s.p, equals ? (size_t)(equals - s.p) : s.n };
	struct span value = { equals ? equals + 1 : "", equals ? s.n - key.n - 1 : 0 };
	*out = (struct pair){ .text = text, .key = text->n };
	if (!encode(text, key, '%'))
		return false;
	out->nkey = text->n - out->key;
	out->value = text->n;
	if (!encode(text, value, '%'))
		return false;
	out->nvalue = text->n - out->value;
	return true;
}

/* The query is already encoded: '%' stays, and only what should have been encoded is. */
static bool canonical_query(struct span query, struct buf *out)
{
	if (query.n == 0)
		return true;
	struct buf text;
	buf_init(&text, TEXT_MAX);
	bool ok = buf_add(&text, "", 0);
	size_t n = 0, room = 1;
	for (size_t i = 0; i < query.n; i++)
		room += query.p[i] == '&';
	struct pair *pairs = xreallocarray(NULL, room, sizeof *pairs);
	for (const char *p = query.p, *end = query.p + query.n; ok && n < room; n++) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		ok = read_pair(&pairs[n], (struct span){ p, (size_t)((amp ? amp : end) - p) }, &text);
		p = amp ? amp + 1 : end;
	}
	if (ok)
		qsort(pairs, n, sizeof *pairs, by_key_and_value);
	for (size_t i = 0; ok && i < n; i++)
		ok = (i == 0 || buf_addc(out, '&')) && buf_add(out, text.p + pairs[i].key, pairs[i].nkey) &&
		     buf_addc(out, '=') && buf_add(out, text.p + pairs[i].value, pairs[i].nvalue);
	free(pairs);
	buf_clear(&text);
	return ok;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Any case; the order is that of the lower-case names. */
static int compare_names(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}

/* What proxies and HTTP libraries change on the way is not signed. */
static bool is_signed(const struct sign_in *in, const char *name)
{
	static const char *const never[] = { "authorization",
		                                 "connection",
		                                 "expect",
		                                 "keep-alive",
		                                 "proxy-authenticate",
		                                 "proxy-authorization",
		                                 "te",
		                                 "trailer",
		                                 "transfer-encoding",
		                                 "upgrade",
		                                 "user-agent",
		                                 "x-amzn-trace-id" };
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (compare_names(name, never[i]) == 0)
			return false;
	return !(in->omit_token && compare_names(name, TOKEN) == 0);
}

struct header {
	const char *name, *value;
};

/* The headers to sign, sorted by name; those of one name stay in their order. Returns how many, or HEADERS_MAX + 1. */
static unsigned sorted_headers(const struct sign_in *in, const struct http_req *req, struct header sorted[HEADERS_MAX])
{
	unsigned n = 0;
	bool has_host = false;
	for (unsigned i = 0; i <= req->nheaders; i++) {
		struct header h = { "host", in->host };
		if (i < req->nheaders)
			h = (struct header){ req->headers[i].name, req->headers[i].value };
		else if (has_host)
			break;
		if (!is_signed(in, h.name))
			continue;
		if (n == HEADERS_MAX)
			return HEADERS_MAX + 1;
		has_host |= compare_names(h.name, "host") == 0;
		unsigned at = n++;
		for (; at > 0 && compare_names(sorted[at - 1].name, h.name) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = h;
	}
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Trimmed, each run of blanks within as one. */
static bool add_value(struct buf *out, const char *p)
{
	bool ok = true;
	while (is_blank(*p))
		p++;
	while (ok && *p) {
		const char *from = p;
		while (*p && !is_blank(*p))
			p++;
		ok = buf_add(out, from, (size_t)(p - from));
		while (is_blank(*p))
			p++;
		if (*p)
			ok = ok && buf_addc(out, ' ');
	}
	return ok;
}

static bool add_lower(struct buf *out, const char *s)
{
	size_t at = out->n;
	if (!buf_adds(out, s))
		return false;
	for (; at < out->n; at++)
		out->p[at] = lower(out->p[at]);
	return true;
}

static bool canonical_headers(const struct sign_in *in, const struct http_req *req, struct buf *out, struct buf *names)
{
	struct header h[HEADERS_MAX];
	unsigned n = sorted_headers(in, req, h);
	if (n > HEADERS_MAX)
		return false;
	bool ok = true;
	for (unsigned i = 0; ok && i < n; i++) {
		if (i && compare_names(h[i - 1].name, h[i].name) == 0)
			ok = buf_addc(out, ',');
		else
			ok = (i == 0 || (buf_addc(out, '\n') && buf_addc(names, ';'))) && add_lower(out, h[i].name) &&
			     buf_addc(out, ':') && add_lower(names, h[i].name);
		ok = ok && add_value(out, h[i].value);
	}
	return ok && buf_addc(out, '\n');
}

static void hex_sha256(struct span s, char hex[2 * HASH_SHA256 + 1])
{
	uint8_t hash[HASH_SHA256];
	hash_sha256(s.p, s.n, hash);
	hash_hex(hash, sizeof hash, hex);
}

static bool add_body_hash(const struct http_req *req, struct buf *out)
{
	for (unsigned i = 0; i < req->nheaders; i++)
		if (compare_names(req->headers[i].name, CONTENT) == 0)
			return buf_adds(out, req->headers[i].value);
	char hex[2 * HASH_SHA256 + 1];
	hex_sha256(buf_span(&req->body), hex);
	return buf_add(out, hex, sizeof hex - 1);
}

bool sign_canonical(const struct sign_in *in, const struct http_req *req, struct buf *canonical,
                    struct buf *signed_headers)
{
	size_t names = signed_headers->n;
	return buf_adds(canonical, req->method) && buf_addc(canonical, '\n') &&
	       canonical_path(in, buf_span(&req->path), canonical) && buf_addc(canonical, '\n') &&
	       canonical_query(buf_span(&req->query), canonical) && buf_addc(canonical, '\n') &&
	       canonical_headers(in, req, canonical, signed_headers) && buf_addc(canonical, '\n') &&
	       buf_add(canonical, signed_headers->p + names, signed_headers->n - names) && buf_addc(canonical, '\n') &&
	       add_body_hash(req, canonical);
}

/* ---- the string to sign */

#define STAMP_DAY 8 /* the first characters of a stamp */
struct stamp {
	char text[24];
};

static struct stamp stamp(int64_t now)
{
	struct stamp s;
	struct tm tm;
	time_t t = (time_t)now;
	if (!gmtime_r(&t, &tm) || strftime(s.text, sizeof s.text, "%Y%m%dT%H%M%SZ", &tm) == 0)
		memcpy(s.text, "19700101T000000Z", 17);
	return s;
}

static bool add_scope(const struct sign_in *in, const struct stamp *at, struct buf *out)
{
	return buf_add(out, at->text, STAMP_DAY) && buf_addc(out, '/') && buf_adds(out, in->region) && buf_addc(out, '/') &&
	       buf_adds(out, in->service) && buf_adds(out, "/aws4_request");
}

bool sign_string(const struct sign_in *in, struct span canonical, struct buf *string_to_sign)
{
	char hex[2 * HASH_SHA256 + 1];
	struct stamp at = stamp(in->now);
	hex_sha256(canonical, hex);
	return buf_adds(string_to_sign, algorithm) && buf_addc(string_to_sign, '\n') && buf_adds(string_to_sign, at.text) &&
	       buf_addc(string_to_sign, '\n') && add_scope(in, &at, string_to_sign) && buf_addc(string_to_sign, '\n') &&
	       buf_add(string_to_sign, hex, sizeof hex - 1);
}

/* ---- the signature */

/* Derived keys, found by a digest of all that they are derived from: the secret itself is not kept. */
struct cached {
	bool used;
	uint8_t id[HASH_SHA256], key[HASH_SHA256];
};
static _Thread_local struct cached cache[32];
static _Thread_local unsigned cache_next;

static void derive(const struct sign_in *in, const struct stamp *at, uint8_t key[HASH_SHA256])
{
	size_t n = strlen(in->keys.secret_key) + 4;
	char *secret = xmalloc(n);
	memcpy(secret, "AWS4", 4);
	memcpy(secret + 4, in->keys.secret_key, n - 4);
	hash_hmac_sha256(secret, n, at->text, STAMP_DAY, key);
	hash_wipe(secret, n);
	free(secret);
	hash_hmac_sha256(key, HASH_SHA256, in->region, strlen(in->region), key);
	hash_hmac_sha256(key, HASH_SHA256, in->service, strlen(in->service), key);
	hash_hmac_sha256(key, HASH_SHA256, "aws4_request", 12, key);
}

/* False when the parts are too long to be anybody's: then the key is derived each time. */
static bool identify(const struct sign_in *in, const struct stamp *at, uint8_t id[HASH_SHA256])
{
	char text[512];
	const char *parts[] = { in->keys.access_key, in->keys.secret_key, in->region, in->service };
	size_t n = STAMP_DAY;
	memcpy(text, at->text, n);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		size_t len = strlen(parts[i]) + 1; /* with its NUL, so that no two lists of parts are one text */
		if (len > sizeof text - n)
			return false;
		memcpy(text + n, parts[i], len);
		n += len;
	}
	hash_sha256(text, n, id);
	hash_wipe(text, n);
	return true;
}

static void signing_key(const struct sign_in *in, uint8_t key[HASH_SHA256])
{
	struct stamp at = stamp(in->now);
	uint8_t id[HASH_SHA256];
	if (!identify(in, &at, id)) {
		derive(in, &at, key);
		return;
	}
	for (size_t i = 0; i < sizeof cache / sizeof *cache; i++) {
		if (cache[i].used && memcmp(cache[i].id, id, sizeof id) == 0) {
			memcpy(key, cache[i].key, HASH_SHA256);
			return;
		}
	}
	derive(in, &at, key);
	struct cached *c = &cache[cache_next++ % (sizeof cache / sizeof *cache)];
	c->used = true;
	memcpy(c->id, id, sizeof id);
	memcpy(c->key, key, HASH_SHA256);
}

void sign_mask(const struct sign_keys *k, struct err *e)
{
	err_mask(e, k->session_token);
	err_mask(e, k->secret_key);
	err_mask(e, k->access_key);
}

void sign_forget(void)
{
	hash_wipe(cache, sizeof cache);
}

void sign_signature(const struct sign_in *in, struct span string_to_sign, char hex[2 * HASH_SHA256 + 1])
{
	uint8_t key[HASH_SHA256], signature[HASH_SHA256];
	signing_key(in, key);
	hash_hmac_sha256(key, sizeof key, string_to_sign.p, string_to_sign.n, signature);
	hash_hex(signature, sizeof signature, hex);
	hash_wipe(key, sizeof key);
}

/* ---- all of it */

/* A request that is sent again is signed again. */
static void drop_header(struct http_req *req, const char *name)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < req->nheaders; i++) {
		struct http_header h = req->headers[i];
		if (compare_names(h.name, name) == 0)
			http_header_clear(&h);
		else
			req->headers[kept++] = h;
	}
	req->nheaders = kept;
}

static bool one_word(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

/* These go into headers as they are: a line break in them would start another header. */
static bool check(const struct sign_in *in, struct err *e)
{
	const struct sign_keys *k = &in->keys;
	if (!k->access_key || !*k->access_key || !k->secret_key || !*k->secret_key)
		return err_set(e, ERR_NOCRED, "sign", "there is no access key");
	if (!one_word(k->access_key))
		return err_set(e, ERR_AUTH, "sign", "the access key id holds a blank or a control character");
	if (k->session_token && !one_word(k->session_token))
		return err_set(e, ERR_AUTH, "sign", "the session token holds a blank or a control character");
	if (!one_word(in->region) || !one_word(in->host))
		return err_set(e, ERR_CONF, "sign", "the region or the host holds a blank or a control character");
	return true;
}

static void add_headers(const struct sign_in *in, struct http_req *req)
{
	drop_header(req, AUTHORIZATION);
	drop_header(req, TOKEN);
	drop_header(req, DATE);
	if (in->keys.session_token && *in->keys.session_token)
		http_req_header(req, TOKEN, in->keys.session_token);
	struct stamp at = stamp(in->now);
	http_req_header(req, DATE, at.text);
	if (in->sign_body || in->s3_style) {
		char hex[2 * HASH_SHA256 + 1];
		drop_header(req, CONTENT);
		hex_sha256(buf_span(&req->body), hex);
		http_req_header(req, CONTENT, hex);
	}
}

/* The Authorization header, built behind the names of the signed headers that it repeats. */
static bool add_authorization(const struct sign_in *in, struct http_req *req, struct span names, const char *signature,
                              struct buf *out)
{
	struct stamp at = stamp(in->now);
	bool ok = buf_adds(out, algorithm) && buf_adds(out, " Credential=") && buf_adds(out, in->keys.access_key) &&
	          buf_addc(out, '/') && add_scope(in, &at, out) && buf_adds(out, ", SignedHeaders=") &&
	          buf_addspan(out, names) && buf_adds(out, ", Signature=") && buf_adds(out, signature);
	if (ok)
		http_req_header(req, AUTHORIZATION, out->p);
	return ok;
}

bool sign_request(const struct sign_in *in, struct http_req *req, struct err *e)
{
	struct buf text, names;
	char signature[2 * HASH_SHA256 + 1];
	if (!check(in, e))
		return false;
	buf_init_secret(&text, TEXT_MAX); /* the token is among what is signed */
	buf_init(&names, TEXT_MAX);
	add_headers(in, req);
	bool ok = sign_canonical(in, req, &text, &names);
	size_t n =
	    text.n; /* the string to sign goes behind the canonical request, which is hashed before anything is added */
	if (ok && (ok = sign_string(in, buf_span(&text), &text))) {
		sign_signature(in, (struct span){ text.p + n, text.n - n }, signature);
		buf_reset(&text);
		ok = add_authorization(in, req, buf_span(&names), signature, &text);
	}
	buf_clear(&text);
	buf_clear(&names);
	return ok || err_set(e, ERR_LIMIT, "sign", "the request is too long to sign");
}
