#include "aws/op_sts.h"

#include "aws/wire.h"
#include "aws/xml.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct service service_sts = {
	.id = "sts",
	.host = "sts",
	.signing = "sts",
	.env = "STS",
	.version = "2011-06-15",
	.wire = WIRE_QUERY,
};

static bool build(const void *in, struct http_req *rq, struct err *e)
{
	(void)in, (void)rq, (void)e;
	return true; /* the wire's Action and Version are all of it */
}

static bool member(void *ctx, const char *path, struct span value)
{
	static const char result[] = "GetCallerIdentityResponse/GetCallerIdentityResult/";
	struct caller_identity *out = ctx;
	if (strncmp(path, result, sizeof result - 1) != 0)
		return true;
	path += sizeof result - 1;
	if (strcmp(path, "Account") == 0)
		snprintf(out->account, sizeof out->account, "%.*s", (int)value.n, value.p);
	else if (strcmp(path, "Arn") == 0)
		snprintf(out->arn, sizeof out->arn, "%.*s", (int)value.n, value.p);
	else if (strcmp(path, "UserId") == 0)
		snprintf(out->user_id, sizeof out->user_id, "%.*s", (int)value.n, value.p);
	return true;
}

/* The account keys the history and names the target: nothing but the twelve digits will do. */
static bool account_valid(const char *s)
{
	return strlen(s) == 12 && strspn(s, "0123456789") == 12;
}

static bool read(const struct http_res *rs, void *out, struct err *e)
{
	struct caller_identity *id = out;
	*id = (struct caller_identity){ 0 };
	if (!xml_read(rs->body, member, id, e))
		return false;
	return account_valid(id->account) || err_set(e, ERR_BADREPLY, "xml", "no account of 12 digits in the answer");
}

const struct op op_get_caller_identity = {
	.service = &service_sts,
	.name = "GetCallerIdentity",
	.iam = "sts:GetCallerIdentity",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 64u * 1024,
	.build = build,
	.read = read,
};

/* ---- the keys of a role */

static bool assume_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct assume_role *q = in;
	char seconds[16];
	snprintf(seconds, sizeof seconds, "%u", q->duration_s);
	bool ok = wire_param(&rq->body, "RoleArn", q->role_arn) &&
	          wire_param(&rq->body, "RoleSessionName", q->session_name) &&
	          wire_param(&rq->body, "WebIdentityToken", q->token) &&
	          wire_param(&rq->body, "DurationSeconds", q->duration_s ? seconds : NULL) &&
	          wire_param(&rq->body, "ExternalId", q->external_id) && wire_param(&rq->body, "SerialNumber", q->serial) &&
	          wire_param(&rq->body, "TokenCode", q->code);
	return ok || err_set(e, ERR_LIMIT, "xml", "the request is too large");
}

struct assumed {
	const char *result; /* the path of the answer's members */
	struct keys *keys;
	bool dated;
};

static void put_span(char **slot, struct span v)
{
	char *text = xstrndup(v.p, v.n);
	keys_put(slot, text);
	hash_wipe(text, v.n);
	free(text);
}

/* arn:aws:sts::123456789012:assumed-role/NAME/SESSION: the account is its fifth field. */
static void put_account(struct keys *k, struct span arn)
{
	char account[16];
	const char *p = arn.p, *end = arn.p + arn.n;
	for (unsigned i = 0; i < 4 && p; i++)
		p = (p = memchr(p, ':', (size_t)(end - p))) ? p + 1 : NULL;
	const char *stop = p ? memchr(p, ':', (size_t)(end - p)) : NULL;
	if (!stop)
		return;
	snprintf(account, sizeof account, "%.*s", (int)(stop - p), p);
	if (account_valid(account))
		keys_put(&k->account, account);
}

static bool assumed_member(void *ctx, const char *path, struct span v)
{
	struct assumed *a = ctx;
	size_t n = strlen(a->result);
	int64_t ms;
	if (strncmp(path, a->result, n) != 0)
		return true;
	path += n;
	if (strcmp(path, "Credentials/AccessKeyId") == 0)
		put_span(&a->keys->access_key, v);
	else if (strcmp(path, "Credentials/SecretAccessKey") == 0)
		put_span(&a->keys->secret_key, v);
	else if (strcmp(path, "Credentials/SessionToken") == 0)
		put_span(&a->keys->session_token, v);
	else if (strcmp(path, "AssumedRoleUser/Arn") == 0)
		put_account(a->keys, v);
	else if (strcmp(path, "Credentials/Expiration") == 0 && (a->dated = clock_parse_rfc3339(v.p, v.n, &ms)))
		a->keys->expires = ms / 1000;
	return true;
}

static bool assumed_read(const struct http_res *rs, struct keys *k, const char *result, struct err *e)
{
	struct assumed a = { .result = result, .keys = k };
	keys_clear(k);
	if (!xml_read(rs->body, assumed_member, &a, e))
		return false;
	if (!k->access_key || !k->secret_key || !k->session_token || !a.dated)
		return err_set(e, ERR_BADREPLY, "xml", "the answer holds no whole set of keys with its end");
	return true;
}

static bool role_read(const struct http_res *rs, void *out, struct err *e)
{
	return assumed_read(rs, out, "AssumeRoleResponse/AssumeRoleResult/", e);
}

static bool web_read(const struct http_res *rs, void *out, struct err *e)
{
	return assumed_read(rs, out, "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/", e);
}

const struct op op_assume_role = {
	.service = &service_sts,
	.name = "AssumeRole",
	.iam = "sts:AssumeRole",
	.effect = OP_READ,
	.idempotent = true,
	.cap = 64u * 1024,
	.build = assume_build,
	.read = role_read,
};

const struct op op_assume_role_with_web_identity = {
	.service = &service_sts,
	.name = "AssumeRoleWithWebIdentity",
	.iam = "sts:AssumeRoleWithWebIdentity",
	.effect = OP_READ,
	.idempotent = true,
	.open = true,
	.cap = 64u * 1024,
	.build = assume_build,
	.read = web_read,
};
