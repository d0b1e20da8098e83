/* IAM Identity Center: the portal, where a session's access token becomes keys, and OIDC, where it is renewed. */
#include "sim/sim_meta.h"

#include "core/clock.h"
#include "core/hash.h"
#include "sim/sim_grant.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EIGHT_HOURS 28800
#define ONE_HOUR 3600

/* Tokens made here say themselves what they are and until when. */
static void make_token(struct world *w, const char *kind, int64_t until_ms, struct buf *out)
{
	char inner[80];
	int n = snprintf(inner, sizeof inner, "%s\n%" PRId64 "\n%016" PRIx64, kind, until_ms, world_random(w));
	hash_base64(out, inner, (size_t)n);
}

static bool token_good(const char *text, const char *kind, const char *always)
{
	struct buf b;
	size_t n = strlen(kind);
	if (strcmp(text, always) == 0)
		return true;
	buf_init(&b, 256);
	bool ok = hash_unbase64(&b, span_of(text)) && b.n > n && strncmp(b.p, kind, n) == 0 && b.p[n] == '\n' &&
	          strtoll(b.p + n + 1, NULL, 10) > clock_wall_ms();
	buf_clear(&b);
	return ok;
}

/* ---- the portal */

static bool get_role_credentials(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *bearer = sim_header(rq, "x-amz-sso_bearer_token"), *role = json_get_str(rq->params, "role_name");
	const char *account = json_get_str(rq->params, "account_id");
	char who[200];
	if (!role || !account)
		return sim_fail(f, WHY_INVALID_REQUEST, "role_name and account_id are required");
	if (!bearer || !token_good(bearer, "access", SIM_ACCESS_TOKEN))
		return sim_fail(f, WHY_UNAUTHORIZED, "Session token not found or invalid");
	if (strcmp(account, SIM_ACCOUNT) != 0)
		return sim_fail(f, WHY_FORBIDDEN, "No access");
	snprintf(who, sizeof who, "arn:%s:sts::" SIM_ACCOUNT ":assumed-role/AWSReservedSSO_%.64s_0123456789abcdef/sluice",
	         w->partition, role);
	const struct sim_grant *g = grant_new(w, who, grant_seconds(w, rq, ONE_HOUR));
	wr_object(o, "roleCredentials");
	wr_str(o, "accessKeyId", g->akid);
	wr_str(o, "secretAccessKey", g->secret);
	wr_str(o, "sessionToken", g->token);
	wr_int(o, "expiration", g->until_ms);
	wr_object_end(o);
	return true;
}

static void portal_fail(struct sim_req *rq, const struct sim_fail *f)
{
	struct json_out o;
	struct sim_answer *a = rq->answer;
	a->type = "application/json";
	sim_answer_header(a, "x-amzn-ErrorType", "%s", sim_fail_shape(f->why));
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "message", f->text);
	json_out_object_end(&o);
}

static const struct sim_op sso_ops[] = {
	{ "GetRoleCredentials", SIM_READ, get_role_credentials, "GET", "/federation/credentials", 200 },
};

const struct sim_service sim_sso = {
	.name = "sso",
	.prefixes = "/federation/",
	.fail = portal_fail,
	.ops = sso_ops,
	.nops = sizeof sso_ops / sizeof *sso_ops,
};

/* ---- OIDC */

static bool create_token(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *id = json_get_str(rq->args, "clientId"), *secret = json_get_str(rq->args, "clientSecret");
	const char *grant = json_get_str(rq->args, "grantType"), *refresh = json_get_str(rq->args, "refreshToken");
	struct buf b;
	if (!id || !secret || !grant)
		return sim_fail(f, WHY_INVALID_REQUEST, "clientId, clientSecret and grantType are required");
	if (strcmp(id, SIM_CLIENT_ID) != 0 || strcmp(secret, SIM_CLIENT_SECRET) != 0)
		return sim_fail(f, WHY_INVALID_CLIENT, "Invalid client");
	if (strcmp(grant, "refresh_token") != 0)
		return sim_fail(f, WHY_UNSUPPORTED_GRANT, "Only refresh_token is simulated");
	if (!refresh || !token_good(refresh, "refresh", SIM_REFRESH_TOKEN))
		return sim_fail(f, WHY_INVALID_GRANT, "Invalid refresh token provided");
	int64_t seconds = grant_seconds(w, rq, EIGHT_HOURS);
	buf_init(&b, 256);
	make_token(w, "access", clock_wall_ms() + seconds * 1000, &b);
	wr_str(o, "accessToken", b.p);
	buf_reset(&b);
	make_token(w, "refresh", clock_wall_ms() + 90ll * 86400000, &b);
	wr_str(o, "refreshToken", b.p);
	buf_clear(&b);
	wr_str(o, "tokenType", "Bearer");
	wr_int(o, "expiresIn", seconds);
	return true;
}

/* The words of RFC 6749 beside AWS's. */
static const char *rfc_word(enum sim_why why)
{
	return why == WHY_INVALID_GRANT       ? "invalid_grant"
	       : why == WHY_INVALID_CLIENT    ? "invalid_client"
	       : why == WHY_SESSION_EXPIRED   ? "expired_token"
	       : why == WHY_UNSUPPORTED_GRANT ? "unsupported_grant_type"
	                                      : "invalid_request";
}

static void oidc_fail(struct sim_req *rq, const struct sim_fail *f)
{
	struct json_out o;
	struct sim_answer *a = rq->answer;
	a->type = "application/json";
	sim_answer_header(a, "x-amzn-ErrorType", "%s", sim_fail_shape(f->why));
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "error", rfc_word(f->why));
	json_out_str(&o, "error_description", f->text);
	json_out_object_end(&o);
}

static const struct sim_op oidc_ops[] = {
	{ "CreateToken", SIM_WRITE, create_token, "POST", "/token", 200 },
};

const struct sim_service sim_oidc = {
	.name = "oidc",
	.prefixes = "/token",
	.fail = oidc_fail,
	.ops = oidc_ops,
	.nops = sizeof oidc_ops / sizeof *oidc_ops,
};
