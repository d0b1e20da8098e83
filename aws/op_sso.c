#include "aws/op_sso.h"

#include "aws/cred/keys_json.h"
#include "aws/wire.h"

static const struct service service_sso = {
	.id = "sso",
	.host = "portal.sso",
	.signing = "awsssoportal",
	.env = "SSO",
	.version = "2019-06-10",
	.wire = WIRE_REST_JSON,
};

static const struct service service_oidc = {
	.id = "sso-oidc",
	.host = "oidc",
	.signing = "sso-oauth",
	.env = "SSO_OIDC",
	.version = "2019-06-10",
	.wire = WIRE_REST_JSON,
};

/* ---- GetRoleCredentials */

static bool role_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct get_role_credentials *q = in;
	rq->method = "GET";
	http_req_header(rq, "x-amz-sso_bearer_token", q->token);
	bool ok = buf_adds(&rq->path, "/federation/credentials") && wire_param(&rq->query, "account_id", q->account) &&
	          wire_param(&rq->query, "role_name", q->role);
	return ok || err_set(e, ERR_LIMIT, "json", "the request is too large");
}

static bool role_read(const struct http_res *rs, void *out, struct err *e)
{
	static const struct keys_names names = { .access_key = "accessKeyId",
		                                     .secret_key = "secretAccessKey",
		                                     .session_token = "sessionToken",
		                                     .expires_ms = "expiration" };
	struct keys *k = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	const char *why = keys_from_json(k, json_get(doc, "roleCredentials"), &names);
	json_free(doc);
	if (!why && (!k->session_token || !k->expires))
		why = "gave keys without a session token or an end";
	return !why || err_set(e, ERR_BADREPLY, "json", "the service %s", why);
}

const struct op op_get_role_credentials = {
	.service = &service_sso,
	.name = "GetRoleCredentials",
	.iam = "sso:GetRoleCredentials",
	.effect = OP_READ,
	.idempotent = true,
	.open = true,
	.cap = 64u * 1024,
	.build = role_build,
	.read = role_read,
};

/* ---- CreateToken */

static bool token_build(const void *in, struct http_req *rq, struct err *e)
{
	const struct create_token *q = in;
	struct json_out o;
	buf_adds(&rq->path, "/token");
	json_out_init(&o, &rq->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "clientId", q->client_id);
	json_out_str(&o, "clientSecret", q->client_secret);
	json_out_str(&o, "grantType", "refresh_token");
	json_out_str(&o, "refreshToken", q->refresh_token);
	json_out_object_end(&o);
	return wire_built(&o, e);
}

void created_token_clear(struct created_token *t)
{
	keys_put(&t->access_token, NULL);
	keys_put(&t->refresh_token, NULL);
	t->expires_in = 0;
}

static bool token_read(const struct http_res *rs, void *out, struct err *e)
{
	struct created_token *t = out;
	struct json *doc = wire_answer(rs, e);
	if (!doc)
		return false;
	created_token_clear(t);
	keys_put(&t->access_token, json_get_str(doc, "accessToken"));
	keys_put(&t->refresh_token, json_get_str(doc, "refreshToken"));
	bool ok = t->access_token && json_int(json_get(doc, "expiresIn"), &t->expires_in) && t->expires_in > 0;
	json_free(doc);
	return ok || err_set(e, ERR_BADREPLY, "json", "the answer holds no token with its end");
}

const struct op op_create_token = {
	.service = &service_oidc,
	.name = "CreateToken",
	.iam = "sso-oauth:CreateToken",
	.effect = OP_READ,
	.idempotent = true,
	.open = true,
	.cap = 64u * 1024,
	.build = token_build,
	.read = token_read,
};
