#include "sim/sim_grant.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHAINED_MAX 3600

static bool get_caller_identity(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char arn[200], id[100] = "AIDASLUICESIMULATED00";
	(void)f;
	grant_caller(w, rq->akid, arn, sizeof arn);
	if (grant_find(w, rq->akid))
		snprintf(id, sizeof id, "AROASLUICESIMULATED00:%.70s", world_arn_name(arn));
	wr_str(o, "Arn", arn);
	wr_str(o, "UserId", id);
	wr_str(o, "Account", SIM_ACCOUNT);
	return true;
}

/* ---- roles */

struct wish {
	const char *role, *session;
	int64_t seconds;
};

static bool valid_session(const char *s)
{
	size_t n = strlen(s), fine = 0;
	while (s[fine] && (isalnum((unsigned char)s[fine]) || strchr("_+=,.@-", s[fine])))
		fine++;
	return n >= 2 && n <= 64 && fine == n;
}

static bool read_wish(const struct sim_req *rq, struct wish *want, struct sim_fail *f)
{
	want->seconds = 3600;
	if (!arg_need(rq, rq->args, "RoleArn", &want->role, f) ||
	    !arg_need(rq, rq->args, "RoleSessionName", &want->session, f) ||
	    !arg_int(rq, rq->args, "DurationSeconds", 900, 43200, &want->seconds, f))
		return false;
	if (strncmp(want->role, "arn:", 4) != 0 || !strstr(want->role, ":role/") || strlen(want->role) > 200)
		return sim_fail(f, WHY_VALIDATION, "%.120s is invalid", want->role);
	return valid_session(want->session) ||
	       sim_fail(f, WHY_VALIDATION,
	                "1 validation error detected: Value '%.70s' at 'roleSessionName' failed to satisfy constraint: "
	                "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
	                want->session);
}

static void tell_session(struct world *w, const struct sim_req *rq, struct wr *o, const struct wish *want)
{
	char who[200], id[100], account[13] = SIM_ACCOUNT;
	sscanf(want->role, "arn:%*[^:]:iam::%12[0-9]:", account);
	snprintf(who, sizeof who, "arn:%s:sts::%s:assumed-role/%.64s/%.64s", w->partition, account,
	         world_arn_name(want->role), want->session);
	const struct sim_grant *g = grant_new(w, who, grant_seconds(w, rq, want->seconds));
	wr_object(o, "Credentials");
	wr_str(o, "AccessKeyId", g->akid);
	wr_str(o, "SecretAccessKey", g->secret);
	wr_str(o, "SessionToken", g->token);
	wr_time(o, "Expiration", g->until_ms / 1000 * 1000);
	wr_object_end(o);
	snprintf(id, sizeof id, "AROASLUICESIMULATED00:%.64s", want->session);
	wr_object(o, "AssumedRoleUser");
	wr_str(o, "AssumedRoleId", id);
	wr_str(o, "Arn", who);
	wr_object_end(o);
}

/* Any six digits are the right ones, but 000000. */
static bool check_mfa(const struct sim_req *rq, struct sim_fail *f)
{
	const char *serial = NULL, *code = NULL;
	if (!arg_str(rq, rq->args, "SerialNumber", &serial, f) || !arg_str(rq, rq->args, "TokenCode", &code, f))
		return false;
	if (!serial)
		return true;
	if (!code || strlen(code) != 6 || strspn(code, "0123456789") != 6)
		return sim_fail(f, WHY_VALIDATION,
		                "1 validation error detected: Value at 'tokenCode' failed to satisfy constraint: Member must "
		                "satisfy regular expression pattern: [\\d]*");
	return strcmp(code, "000000") != 0 ||
	       sim_fail(f, WHY_ACCESS_DENIED, "MultiFactorAuthentication failed with invalid MFA one time pass code.");
}

static bool assume_role(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct wish want;
	if (!read_wish(rq, &want, f) || !check_mfa(rq, f))
		return false;
	if (want.seconds > CHAINED_MAX && grant_find(w, rq->akid))
		return sim_fail(f, WHY_VALIDATION,
		                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
		                "chaining.");
	tell_session(w, rq, o, &want);
	return true;
}

/* Not signed: the token says who asks. Its looks are checked, not its signature. */
static bool assume_with_web_identity(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	struct wish want;
	const char *token;
	if (!read_wish(rq, &want, f) || !arg_need(rq, rq->args, "WebIdentityToken", &token, f))
		return false;
	if (fault_inside(w, rq, FAULT_IDP_DOWN))
		return sim_fail(f, WHY_IDP_COMMUNICATION, "The identity provider (IDP) could not be reached. Try again.");
	if (strlen(token) < 4 || strlen(token) > 20000 || fault_inside(w, rq, FAULT_BAD_WEB_TOKEN))
		return sim_fail(f, WHY_INVALID_IDENTITY, "The web identity token provided could not be validated.");
	tell_session(w, rq, o, &want);
	wr_str(o, "SubjectFromWebIdentityToken", "system:serviceaccount:default:sluice");
	wr_str(o, "Provider", "https://oidc.example/id/SLUICE");
	wr_str(o, "Audience", "sts.amazonaws.com");
	return true;
}

static const struct sim_op ops[] = {
	{ .name = "GetCallerIdentity", .effect = SIM_READ, .handle = get_caller_identity },
	{ .name = "AssumeRole", .effect = SIM_WRITE, .handle = assume_role },
	{ .name = SIM_UNSIGNED_OP, .effect = SIM_WRITE, .handle = assume_with_web_identity },
};

const struct sim_service sim_sts = {
	.name = "sts",
	.target = "AWSSecurityTokenServiceV20110615",
	.json11 = true,
	.version = "2011-06-15",
	.xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
	.ops = ops,
	.nops = sizeof ops / sizeof *ops,
};
