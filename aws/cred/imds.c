/* The keys of an EC2 instance's role, by version 2 of its metadata service and no other: without a token nothing is asked.
 * Version 1 answers whoever can make this machine send a GET, and a service that refuses tokens refuses sluice. */
#include "aws/cred/cred.h"
#include "aws/cred/metadata.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ROLES "/latest/meta-data/iam/security-credentials/"
#define RETRIES 3 /* of a service that is there and fails, quickly */
#define RETRY_MS 50
#define TOKEN_MOST 1024
#define ROLE_MOST 65 /* IAM: 64 */
#define OVERDUE_S 120
#define EXTEND_S (15 * 60) /* from here on cred.c would ask again: so it will, 2 to 10 minutes from now */
#define SERVICE "EC2 metadata service"

/* One visit: a second a step, and in all a little less than one attempt beyond the allowed ones: under two seconds. */
struct imds {
	struct fetch *f;
	const char *endpoint, *otherwise;
	unsigned timeout_ms, attempts;
	int64_t until;
	char token[TOKEN_MOST];
};

static void visit(struct imds *m, struct fetch *f, const char *endpoint, unsigned timeout_s, unsigned attempts)
{
	*m = (struct imds){ .f = f, .endpoint = endpoint, .timeout_ms = timeout_s * 1000, .attempts = attempts };
	m->until = clock_mono_ms() + (int64_t)m->timeout_ms * (attempts + 1) - m->timeout_ms / 10;
}

/* ---- one question */

static bool once(struct imds *m, const char *method, const char *url, struct fetched *got, struct err *e)
{
	int64_t left = m->until - clock_mono_ms();
	struct http_req rq;
	*got = (struct fetched){ 0 };
	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, SERVICE, "it is too slow: no time is left");
	http_req_init(&rq);
	rq.method = method;
	http_req_header(&rq, "User-Agent", "sluice/" SLUICE_VERSION);
	if (*m->token)
		http_req_header(&rq, "x-aws-ec2-metadata-token", m->token);
	else
		http_req_header(&rq, "x-aws-ec2-metadata-token-ttl-seconds", "21600");
	unsigned wait = left < m->timeout_ms ? (unsigned)left : m->timeout_ms;
	bool ok = fetch_http(
	    m->f,
	    &(struct fetch_get){
	        .url = url, .req = &rq, .connect_ms = wait, .total_ms = wait, .direct = true, .cap = METADATA_CAP },
	    got, e);
	http_req_wipe(&rq);
	return ok;
}

/* Is it worth another try? A service that is there, and failed or hung up, soon recovers; silence costs a whole timeout. */
static bool again(const struct imds *m, const struct fetched *got, bool ok, unsigned *fails, unsigned *silent,
                  const struct err *e)
{
	if (ok)
		return got->status >= 500 && (*fails)++ < RETRIES;
	switch (e->code) {
	case ERR_TIMEOUT: return ++*silent < m->attempts;
	case ERR_CONNECT: return got->sent == HTTP_NOT_SENT ? ++*silent < m->attempts : (*fails)++ < RETRIES;
	default: return false;
	}
}

/* True: an answer came, whatever its status. */
static bool ask(struct imds *m, const char *method, const char *path, const char *name, struct fetched *got,
                struct err *e)
{
	char url[512];
	unsigned fails = 0, silent = 0;
	if (snprintf(url, sizeof url, "%s%s%s", m->endpoint, path, name) >= (int)sizeof url)
		return err_set(e, ERR_CONF, SERVICE, "its URL is too long");
	for (;;) {
		bool ok = once(m, method, url, got, e);
		log_debug(LOG_AWS, "%s %s: HTTP %d%s%s", method, url, got->status, ok ? "" : ": ", ok ? "" : e->text);
		unsigned before = fails;
		if (!again(m, got, ok, &fails, &silent, e))
			return ok;
		fetched_clear(got);
		if (fails > before && !fetch_sleep(m->f, RETRY_MS << before, e))
			return false;
	}
}

/* Ends a visit for good. At the chain's end the reader wants to hear what else is not set. */
__attribute__((format(printf, 4, 5))) static bool nothing(const struct imds *m, enum err_code code, struct err *e,
                                                          const char *fmt, ...)
{
	char why[128];
	va_list args;
	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	if (m->otherwise)
		return err_set(e, code, "credentials", "%.160s; %s", m->otherwise, why);
	return err_set(e, code, SERVICE, "%s", why);
}

/* One line of characters that a header or a path may hold; a line's end behind it is forgiven. */
static bool one_word(struct span body, const char *allowed, char *out, size_t size)
{
	if (body.n && body.p[body.n - 1] == '\n')
		body.n--;
	if (body.n && body.p[body.n - 1] == '\r')
		body.n--;
	if (!body.n || body.n >= size)
		return false;
	for (size_t i = 0; i < body.n; i++) {
		unsigned char c = (unsigned char)body.p[i];
		if (allowed ? !c || !strchr(allowed, c) : c <= ' ' || c > '~' || c == '<' || c == '>')
			return false;
	}
	memcpy(out, body.p, body.n);
	out[body.n] = '\0';
	return true;
}

/* ---- the token */

static bool refused_token(const struct imds *m, int status, struct err *e)
{
	if (status == 403 || status == 404 || status == 405)
		return nothing(m, ERR_NOCRED, e, "EC2 instance metadata is switched off, or has no IMDSv2 (HTTP %d)", status);
	if (status == 400)
		return nothing(m, ERR_NOCRED, e, "what answers in place of EC2's metadata is none (HTTP 400)");
	if (status >= 500)
		return nothing(m, ERR_HTTP, e, "EC2's metadata service fails (HTTP %d)", status);
	return nothing(m, ERR_BADREPLY, e, "no EC2 metadata service, though something answers there (HTTP %d)", status);
}

static bool no_answer(const struct imds *m, const struct fetched *got, struct err *e)
{
	switch (e->code) {
	case ERR_CANCELLED:
	case ERR_CONF:
	case ERR_INTERNAL: return false;
	case ERR_LIMIT:
	case ERR_BADREPLY:
		return nothing(m, ERR_BADREPLY, e, "no EC2 metadata service, though something answers there: %.50s", e->text);
	case ERR_TIMEOUT:
		if (got->sent != HTTP_NOT_SENT)
			return nothing(m, ERR_NOCRED, e,
			               "EC2's metadata service gives no token: a container needs a hop limit >= 2");
		break;
	default: break;
	}
	return nothing(m, ERR_NOCRED, e, "EC2's metadata service does not answer");
}

static bool get_token(struct imds *m, struct err *e)
{
	struct fetched got;
	m->token[0] = '\0';
	bool ok = ask(m, "PUT", "/latest/api/token", "", &got, e);
	if (!ok)
		no_answer(m, &got, e);
	else if (got.status != 200)
		ok = refused_token(m, got.status, e);
	else if (!(ok = one_word(buf_span(&got.body), NULL, m->token, sizeof m->token)))
		nothing(m, ERR_BADREPLY, e, "what answers in place of EC2's metadata service gave no token");
	fetched_clear(&got);
	return ok;
}

/* ---- what the token opens */

static bool lost(const char *path, struct err *e)
{
	char text[120];
	snprintf(text, sizeof text, "%.100s", e->text);
	return err_set(e, e->code, SERVICE, "%s: %s", path, text);
}

/* True: the answer is 200. absent: what 404 means. */
static bool get(struct imds *m, const char *path, const char *name, const char *absent, struct fetched *got,
                struct err *e)
{
	for (bool renewed = false;; renewed = true) {
		if (!ask(m, "GET", path, name, got, e))
			return e->code == ERR_CANCELLED ? false : lost(path, e);
		if (got->status != 401 || renewed)
			break;
		fetched_clear(got);
		if (!get_token(m, e))
			return false;
	}
	switch (got->status) {
	case 200: return true;
	case 401: return nothing(m, ERR_NOCRED, e, "EC2's metadata service does not take its own token (HTTP 401)");
	case 403: return nothing(m, ERR_NOCRED, e, "EC2 instance metadata is switched off (HTTP 403)");
	case 404: return nothing(m, ERR_NOCRED, e, "%s", absent);
	default: break;
	}
	return err_set(e, got->status >= 500 ? ERR_HTTP : ERR_BADREPLY, SERVICE, "%s: HTTP %d", path, got->status);
}

static bool get_role(struct imds *m, char role[ROLE_MOST], struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";
	struct fetched got;
	bool ok = get(m, ROLES, "", "this EC2 instance has no role", &got, e);
	if (ok && (!one_word(buf_span(&got.body), allowed, role, ROLE_MOST) || strspn(role, ".") == strlen(role)))
		ok = err_set(e, ERR_BADREPLY, SERVICE, ROLES ": the answer is no role's name");
	fetched_clear(&got);
	return ok;
}

/* When the service has nothing newer (it has its bad hours too, and EC2's clock is right where ours may not be), keys at
 * their end are used on: the services of AWS are the ones that judge them. */
static void extend(struct keys *k)
{
	uint32_t chance = 0;
	int64_t now = clock_wall();
	if (k->expires - now > OVERDUE_S || !hash_random(&chance, sizeof chance))
		return;
	k->expires = now + EXTEND_S + 120 + (int64_t)(chance % 481);
	log_warn(LOG_AWS, "credentials: EC2's metadata service gave keys at their end; they are used on");
}

static bool get_keys(struct imds *m, const char *role, struct keys *out, struct err *e)
{
	char absent[ROLE_MOST + 40];
	struct fetched got;
	snprintf(absent, sizeof absent, "the role %s has no credentials", role);
	bool ok = get(m, ROLES, role, absent, &got, e) && metadata_keys(buf_span(&got.body), SERVICE, out, e);
	fetched_clear(&got);
	if (ok)
		extend(out);
	return ok;
}

bool cred_from_imds(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	struct imds m;
	char role[ROLE_MOST];
	visit(&m, f, s->uri, s->timeout_s, s->attempts);
	m.otherwise = s->otherwise;
	bool ok = get_token(&m, e) && get_role(&m, role, e) && get_keys(&m, role, out, e);
	hash_wipe(m.token, sizeof m.token);
	return ok;
}

bool cred_imds_region(struct fetch *f, const char *endpoint, char region[40], struct err *e)
{
	struct imds m;
	struct fetched got;
	unsigned timeout_s, attempts;
	chain_imds_patience(&timeout_s, &attempts);
	visit(&m, f, endpoint, timeout_s, attempts);
	region[0] = '\0';
	bool ok = get_token(&m, e);
	if (ok) {
		ok = get(&m, "/latest/meta-data/placement/region", "", "this EC2 instance does not know its region", &got, e);
		if (ok && !one_word(buf_span(&got.body), "abcdefghijklmnopqrstuvwxyz0123456789-", region, 40))
			ok = err_set(e, ERR_BADREPLY, SERVICE, "the answer is no region's name");
		fetched_clear(&got);
	}
	hash_wipe(m.token, sizeof m.token);
	return ok;
}
