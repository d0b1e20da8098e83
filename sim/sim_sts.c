#include "sim/sim_grant.h"
#include "sim/sim_req.h"
#include "sim/world.h"

#include <stdio.h>

static bool get_caller_identity(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	char arn[200];
	(void)f;
	grant_caller(w, rq->akid, arn, sizeof arn);
	wr_str(o, "Arn", arn);
	wr_str(o, "UserId", "AIDASLUICESIMULATED00");
	wr_str(o, "Account", SIM_ACCOUNT);
	return true;
}

static const struct sim_op ops[] = {
	{ .name = "GetCallerIdentity", .effect = SIM_READ, .handle = get_caller_identity },
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
