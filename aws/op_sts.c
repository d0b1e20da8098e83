#include "aws/op_sts.h"

#include "aws/xml.h"

#include <stdio.h>
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
