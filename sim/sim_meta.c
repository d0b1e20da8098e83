/* Instance metadata and container credentials. */
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

#define ROLE "sluice-instance"
#define INSTANCE "i-0123456789abcdef0"
#define SIX_HOURS 21600

static void raw(struct sim_req *rq, const char *type)
{
	rq->answer->raw = true;
	rq->answer->type = type;
	buf_reset(&rq->answer->body);
}

static bool text(struct sim_req *rq, const char *s)
{
	raw(rq, "text/plain");
	buf_adds(&rq->answer->body, s);
	return true;
}

/* As both endpoints write them. */
static void credentials(struct sim_req *rq, const struct sim_grant *g, const char *role_arn)
{
	struct json_out o;
	bool instance = role_arn == NULL;
	raw(rq, instance ? "text/plain" : "application/json");
	json_out_init(&o, &rq->answer->body);
	json_out_object(&o, NULL);
	if (instance) {
		json_out_str(&o, "Code", "Success");
		json_out_time(&o, "LastUpdated", clock_wall());
		json_out_str(&o, "Type", "AWS-HMAC");
	} else {
		json_out_str(&o, "RoleArn", role_arn);
	}
	json_out_str(&o, "AccessKeyId", g->akid);
	json_out_str(&o, "SecretAccessKey", g->secret);
	json_out_str(&o, "Token", g->token);
	json_out_time(&o, "Expiration", g->until_ms / 1000);
	if (!instance)
		json_out_str(&o, "AccountId", SIM_ACCOUNT);
	json_out_object_end(&o);
}

/* ---- instance metadata */

static bool token(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *ttl = sim_header(rq, "x-aws-ec2-metadata-token-ttl-seconds");
	char inner[64], *end;
	struct buf b;
	(void)o;
	if (fault_inside(w, rq, FAULT_IMDS_V1))
		return sim_fail(f, WHY_NOT_FOUND, "Not Found");
	if (sim_header(rq, "x-forwarded-for"))
		return sim_fail(f, WHY_ACCESS_DENIED, "Forbidden");
	int64_t seconds = ttl ? strtoll(ttl, &end, 10) : 0;
	if (!ttl || *end || seconds < 1 || seconds > SIX_HOURS)
		return sim_fail(f, WHY_VALIDATION, "Bad Request");
	buf_init(&b, 256);
	int n = snprintf(inner, sizeof inner, "imds\n%" PRId64 "\n%016" PRIx64, clock_wall_ms() + seconds * 1000,
	                 world_random(w));
	hash_base64(&b, inner, (size_t)n);
	text(rq, b.p);
	buf_clear(&b);
	sim_answer_header(rq->answer, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "%" PRId64, seconds);
	return true;
}

static bool token_lives(const char *text_of)
{
	struct buf b;
	buf_init(&b, 256);
	bool ok = hash_unbase64(&b, span_of(text_of)) && b.n > 5 && strncmp(b.p, "imds\n", 5) == 0 &&
	          strtoll(b.p + 5, NULL, 10) > clock_wall_ms();
	buf_clear(&b);
	return ok;
}

/* Version 2 alone, unless a fault has it that this is an old one. */
static bool may(struct world *w, struct sim_req *rq, struct sim_fail *f)
{
	const char *t = sim_header(rq, "x-aws-ec2-metadata-token");
	if (t ? token_lives(t) : fault_inside(w, rq, FAULT_IMDS_V1) != NULL)
		return true;
	return sim_fail(f, WHY_UNAUTHORIZED, "Unauthorized");
}

static bool role(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	(void)o;
	return may(w, rq, f) && text(rq, ROLE);
}

static bool role_credentials(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char who[200];
	const char *name = json_get_str(rq->params, "Role");
	(void)o;
	if (!may(w, rq, f))
		return false;
	if (!name || strcmp(name, ROLE) != 0)
		return sim_fail(f, WHY_NOT_FOUND, "Not Found");
	snprintf(who, sizeof who, "arn:%s:sts::" SIM_ACCOUNT ":assumed-role/" ROLE "/" INSTANCE, w->partition);
	credentials(rq, grant_current(w, rq, who, SIX_HOURS), NULL);
	return true;
}

static bool region(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	(void)o;
	return may(w, rq, f) && text(rq, w->region);
}

static bool zone(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char name[48];
	(void)o;
	snprintf(name, sizeof name, "%sa", w->region);
	return may(w, rq, f) && text(rq, name);
}

static void imds_fail(struct sim_req *rq, const struct sim_fail *f)
{
	struct sim_answer *a = rq->answer;
	const char *title = f->why == WHY_UNAUTHORIZED ? "Unauthorized" : f->text;
	a->status = f->why == WHY_UNKNOWN_OPERATION ? 404 : a->status;
	a->type = "text/html";
	buf_addf(&a->body,
	         "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 "
	         "Transitional//EN\"\n\t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
	         "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>%d - ",
	         a->status);
	wr_xml_text(&a->body, title);
	buf_addf(&a->body, "</title>\n </head>\n <body>\n  <h1>%d - ", a->status);
	wr_xml_text(&a->body, title);
	buf_adds(&a->body, "</h1>\n </body>\n</html>\n");
}

#define META "/latest/meta-data/"
static const struct sim_op imds_ops[] = {
	{ "GetToken", SIM_READ, token, "PUT", "/latest/api/token", 200 },
	{ "GetRole", SIM_READ, role, "GET", META "iam/security-credentials", 200 },
	{ "GetCredentials", SIM_READ, role_credentials, "GET", META "iam/security-credentials/{Role}", 200 },
	{ "GetRegion", SIM_READ, region, "GET", META "placement/region", 200 },
	{ "GetZone", SIM_READ, zone, "GET", META "placement/availability-zone", 200 },
};

const struct sim_service sim_imds = {
	.name = "imds",
	.prefixes = "/latest/",
	.fail = imds_fail,
	.ops = imds_ops,
	.nops = sizeof imds_ops / sizeof *imds_ops,
};

/* ---- containers */

static bool container(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char who[200], role_arn[128];
	const char *said = sim_header(rq, "authorization");
	(void)o;
	if (!said || strcmp(said, SIM_CONTAINER_TOKEN) != 0)
		return sim_fail(f, WHY_UNAUTHORIZED, "the Authorization header holds no token of this container");
	snprintf(role_arn, sizeof role_arn, "arn:%s:iam::" SIM_ACCOUNT ":role/sluice-task", w->partition);
	snprintf(who, sizeof who, "arn:%s:sts::" SIM_ACCOUNT ":assumed-role/sluice-task/0123456789abcdef", w->partition);
	credentials(rq, grant_current(w, rq, who, SIX_HOURS), role_arn);
	return true;
}

static void container_fail(struct sim_req *rq, const struct sim_fail *f)
{
	struct json_out o;
	struct sim_answer *a = rq->answer;
	a->status = f->why == WHY_UNKNOWN_OPERATION ? 404 : a->status;
	a->type = "application/json";
	json_out_init(&o, &a->body);
	json_out_object(&o, NULL);
	json_out_str(&o, "code", sim_fail_shape(f->why));
	json_out_str(&o, "message", f->text);
	json_out_object_end(&o);
}

static const struct sim_op container_ops[] = {
	{ "GetPodCredentials", SIM_READ, container, "GET", "/v1/credentials", 200 },
	{ "GetTaskCredentials", SIM_READ, container, "GET", "/v2/credentials/{Id}", 200 },
};

const struct sim_service sim_container = {
	.name = "container",
	.prefixes = "/v1/credentials /v2/credentials/",
	.fail = container_fail,
	.ops = container_ops,
	.nops = sizeof container_ops / sizeof *container_ops,
};
