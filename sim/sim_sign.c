#include "sim/sim_sign.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SKEW 300
#define QUERY_MAX 512 /* pairs in a query string */

/* ---- the Authorization header */

static struct span cut(struct span *rest, char at)
{
	const char *p = rest->n ? memchr(rest->p, at, rest->n) : NULL;
	struct span part = { rest->p, p ? (size_t)(p - rest->p) : rest->n };
	size_t used = part.n + (p ? 1 : 0);
	rest->p += used;
	rest->n -= used;
	return part;
}

/* AKID/20260102/eu-west-1/sqs/aws4_request */
static bool read_scope(struct span scope, struct sim_sign *s)
{
	return sim_copy(s->akid, sizeof s->akid, cut(&scope, '/')) && sim_copy(s->day, sizeof s->day, cut(&scope, '/')) &&
	       strlen(s->day) == 8 && sim_copy(s->region, sizeof s->region, cut(&scope, '/')) &&
	       sim_copy(s->service, sizeof s->service, cut(&scope, '/')) && span_eq(scope, "aws4_request");
}

static bool read_part(struct span part, struct sim_sign *s)
{
	struct span key = span_trim(cut(&part, '='));
	if (span_eq(key, "Credential"))
		return read_scope(part, s);
	if (span_eq(key, "SignedHeaders"))
		s->signed_headers = part;
	else if (span_eq(key, "Signature"))
		return sim_copy(s->signature, sizeof s->signature, part);
	return true;
}

bool sim_sign_read(const struct sim_req *rq, struct sim_sign *s, struct sim_fail *f)
{
	*s = (struct sim_sign){ 0 };
	const char *authorization = sim_header(rq, "authorization"), *date = sim_header(rq, "x-amz-date");
	if (!authorization)
		return sim_fail(f, WHY_MISSING_TOKEN, "Missing Authentication Token");
	if (strncmp(authorization, ALGORITHM " ", sizeof ALGORITHM) != 0)
		return sim_fail(f, WHY_INCOMPLETE_SIGNATURE, "Unsupported AWS 'algorithm' in the Authorization header");
	struct span rest = span_of(authorization + sizeof ALGORITHM);
	while (rest.n)
		if (!read_part(span_trim(cut(&rest, ',')), s))
			return sim_fail(f, WHY_INCOMPLETE_SIGNATURE,
			                "Credential must have exactly 5 slash-delimited elements, e.g. "
			                "keyid/date/region/service/term");
	if (!s->akid[0] || !s->signed_headers.n || strlen(s->signature) != 64)
		return sim_fail(f, WHY_INCOMPLETE_SIGNATURE,
		                "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.");
	if (!date || !sim_copy(s->date, sizeof s->date, span_trim(span_of(date))) || strlen(s->date) != 16)
		return sim_fail(f, WHY_INCOMPLETE_SIGNATURE,
		                "Authorization header requires existence of a 'X-Amz-Date' header.");
	return true;
}

/* ---- canonical request */

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-_.~", c) != NULL;
}

static void add_encoded(struct buf *out, char c, bool keep_slash)
{
	if (c && (unreserved(c) || (keep_slash && c == '/')))
		buf_addc(out, c);
	else
		buf_addf(out, "%%%02X", (unsigned char)c);
}

/* Drops "." and empty segments and resolves "..", keeping a trailing slash. */
static void clean_path(const char *path, struct buf *out)
{
	struct span rest = span_of(path);
	bool slash = true;
	while (rest.n) {
		struct span part = cut(&rest, '/');
		slash = span_eq(part, "") || span_eq(part, ".") || span_eq(part, "..");
		if (span_eq(part, ".."))
			while (out->n && out->p[--out->n] != '/')
				;
		else if (!slash) {
			buf_addc(out, '/');
			buf_addspan(out, part);
		}
	}
	size_t n = strlen(path);
	if (slash || (n && path[n - 1] == '/') || out->n == 0)
		buf_addc(out, '/');
}

static void add_path(const struct sim_req *rq, const struct sim_sign *s, struct buf *out)
{
	struct buf clean;
	if (strcmp(s->service, "s3") == 0) { /* the one service that takes the path as it is */
		buf_adds(out, rq->path[0] ? rq->path : "/");
		return;
	}
	buf_init(&clean, 64 * 1024);
	clean_path(rq->path, &clean);
	for (size_t i = 0; i < clean.n; i++)
		add_encoded(out, clean.p[i], true);
	buf_clear(&clean);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* The query string's bytes, percent-decoded, encoded again in the one canonical way. */
static void add_recoded(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		int hi = text.p[i] == '%' && i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_digit(text.p[i + 2]) : -1;
		if (lo >= 0) {
			add_encoded(out, (char)(hi * 16 + lo), false);
			i += 2;
		} else {
			add_encoded(out, text.p[i], false);
		}
	}
}

struct pair {
	char *key, *value;
};

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = strcmp(x->key, y->key);
	return c ? c : strcmp(x->value, y->value);
}

static char *recoded(struct span text)
{
	struct buf b;
	buf_init(&b, 3 * text.n + 1);
	buf_adds(&b, "");
	add_recoded(&b, text);
	return b.p ? buf_steal(&b) : xstrdup("");
}

static bool add_query(const struct sim_req *rq, struct buf *out)
{
	struct pair pairs[QUERY_MAX];
	unsigned n = 0;
	struct span rest = span_of(rq->query);
	while (rest.n && n < QUERY_MAX) {
		struct span value = cut(&rest, '&'), key;
		if (value.n == 0)
			continue;
		key = cut(&value, '=');
		pairs[n++] = (struct pair){ recoded(key), recoded(value) };
	}
	qsort(pairs, n, sizeof *pairs, by_pair);
	for (unsigned i = 0; i < n; i++) {
		buf_addf(out, "%s%s=", i ? "&" : "", pairs[i].key);
		buf_adds(out, pairs[i].value);
		free(pairs[i].key);
		free(pairs[i].value);
	}
	return rest.n == 0;
}

/* Trimmed, inner runs of blanks as one blank. */
static void add_value(struct buf *out, const char *v)
{
	bool gap = false, any = false;
	for (; *v; v++) {
		if (strchr(" \t\r\n", *v)) {
			gap = any;
			continue;
		}
		if (gap)
			buf_addc(out, ' ');
		buf_addc(out, *v);
		gap = false;
		any = true;
	}
}

static bool add_header(const struct sim_req *rq, struct span name, struct buf *out)
{
	bool found = false;
	buf_addspan(out, name);
	buf_addc(out, ':');
	for (unsigned i = 0; i < rq->nheader; i++) {
		if (!span_eq_nocase(name, rq->header[i].name))
			continue;
		if (found)
			buf_addc(out, ',');
		add_value(out, rq->header[i].value);
		found = true;
	}
	buf_addc(out, '\n');
	return found;
}

bool sim_sign_canonical(const struct sim_req *rq, const struct sim_sign *s, const char *payload, struct buf *out)
{
	buf_addf(out, "%s\n", rq->method);
	add_path(rq, s, out);
	buf_addc(out, '\n');
	if (!add_query(rq, out))
		return false;
	buf_addc(out, '\n');
	struct span rest = s->signed_headers;
	while (rest.n)
		if (!add_header(rq, cut(&rest, ';'), out))
			return false;
	buf_addc(out, '\n');
	buf_addspan(out, s->signed_headers);
	buf_addf(out, "\n%s", payload);
	return !buf_full(out);
}

void sim_sign_string_to_sign(const struct sim_sign *s, struct span canonical, struct buf *out)
{
	uint8_t digest[HASH_SHA256];
	char hex[2 * HASH_SHA256 + 1];
	hash_sha256(canonical.p, canonical.n, digest);
	hash_hex(digest, sizeof digest, hex);
	buf_addf(out, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", s->date, s->day, s->region, s->service, hex);
}

void sim_sign_signature(const struct sim_sign *s, const char *secret, struct span to_sign, char out[65])
{
	uint8_t k[HASH_SHA256];
	char *first = xasprintf("AWS4%s", secret);
	hash_hmac_sha256(first, strlen(first), s->day, strlen(s->day), k);
	hash_wipe(first, strlen(first));
	free(first);
	hash_hmac_sha256(k, sizeof k, s->region, strlen(s->region), k);
	hash_hmac_sha256(k, sizeof k, s->service, strlen(s->service), k);
	hash_hmac_sha256(k, sizeof k, "aws4_request", 12, k);
	hash_hmac_sha256(k, sizeof k, to_sign.p, to_sign.n, k);
	hash_hex(k, sizeof k, out);
	hash_wipe(k, sizeof k);
}

/* ---- the verdict */

static bool is_signed(const struct sim_sign *s, const char *name)
{
	struct span rest = s->signed_headers;
	while (rest.n)
		if (span_eq_nocase(cut(&rest, ';'), name))
			return true;
	return false;
}

/* What an attacker could change on the way must be under the signature. */
static bool check_coverage(const struct sim_req *rq, const struct sim_sign *s, struct sim_fail *f)
{
	if (!is_signed(s, "host"))
		return sim_fail(f, WHY_BAD_SIGNATURE,
		                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
	for (unsigned i = 0; i < rq->nheader; i++)
		if (strncasecmp(rq->header[i].name, "x-amz-", 6) == 0 && !is_signed(s, rq->header[i].name))
			return sim_fail(f, WHY_BAD_SIGNATURE, "There were headers present in the request which were not signed: %s",
			                rq->header[i].name);
	return true;
}

static void compact(int64_t t, char out[17])
{
	struct tm tm;
	time_t at = (time_t)t;
	gmtime_r(&at, &tm);
	strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

static bool check_date(const struct sim_sign *s, const int64_t *now, unsigned nnow, struct sim_fail *f)
{
	int64_t t_ms = 0;
	const char *d = s->date;
	char text[32];
	int n = snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6, d + 9, d + 11, d + 13);
	if (d[8] != 'T' || d[15] != 'Z' || !clock_parse_rfc3339(text, (size_t)n, &t_ms) || strncmp(d, s->day, 8) != 0)
		return sim_fail(f, WHY_BAD_SIGNATURE,
		                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
		                "'%s' != '%.8s', from '%s'.",
		                s->day, d, d);
	int64_t t = t_ms / 1000;
	for (unsigned i = 0; i < nnow; i++)
		if (t >= now[i] - SKEW && t <= now[i] + SKEW)
			return true;
	bool late = t < now[0];
	char edge[17], server[17];
	compact(late ? now[0] - SKEW : now[0] + SKEW, edge);
	compact(now[0], server);
	return sim_fail(f, WHY_OUT_OF_TIME,
	                late ? "Signature expired: %s is now earlier than %s (%s - 5 min.)"
	                     : "Signature not yet current: %s is still later than %s (%s + 5 min.)",
	                s->date, edge, server);
}

static bool check_payload(const struct sim_req *rq, char hex[2 * HASH_SHA256 + 1], struct sim_fail *f)
{
	uint8_t digest[HASH_SHA256];
	const char *said = sim_header(rq, "x-amz-content-sha256");
	hash_sha256(rq->body.p, rq->body.n, digest);
	hash_hex(digest, sizeof digest, hex);
	if (said && strcmp(said, hex) != 0)
		return sim_fail(f, WHY_BAD_SIGNATURE,
		                "The provided 'x-amz-content-sha256' header does not match what was computed.");
	return true;
}

bool sim_sign_verify(const struct sim_req *rq, const struct sim_sign *s, const struct sim_key *key, const int64_t *now,
                     unsigned nnow, struct sim_fail *f)
{
	char payload[2 * HASH_SHA256 + 1], wanted[65];
	struct buf canonical, to_sign;
	const char *token = sim_header(rq, "x-amz-security-token");
	if (strcmp(s->akid, key->akid) != 0 || strcmp(token ? token : "", key->token ? key->token : "") != 0)
		return sim_fail(f, WHY_UNKNOWN_KEY, "The security token included in the request is invalid.");
	if (strcmp(s->region, key->region) != 0)
		return sim_fail(f, WHY_BAD_SIGNATURE, "Credential should be scoped to a valid region, not '%s'.", s->region);
	if (!check_coverage(rq, s, f) || !check_date(s, now, nnow, f) || !check_payload(rq, payload, f))
		return false;
	buf_init(&canonical, 1024 * 1024);
	buf_init(&to_sign, 1024);
	bool ok = sim_sign_canonical(rq, s, payload, &canonical);
	if (ok) {
		sim_sign_string_to_sign(s, buf_span(&canonical), &to_sign);
		sim_sign_signature(s, key->secret, buf_span(&to_sign), wanted);
		ok = hash_same(wanted, s->signature, 64);
	}
	buf_clear(&canonical);
	buf_clear(&to_sign);
	return ok || sim_fail(f, WHY_BAD_SIGNATURE,
	                      "The request signature we calculated does not match the signature you provided. Check your "
	                      "AWS Secret Access Key and signing method. Consult the service documentation for details.");
}
