/* STS GetCallerIdentity (query wire, XML): who we are; needs no permission, so it is the probe of credentials. */
#ifndef AWS_OP_STS_H
#define AWS_OP_STS_H

#include "aws/op.h"

struct caller_identity {
	char account[16], arn[256], user_id[128];
};
extern const struct op op_get_caller_identity; /* in: NULL; out: struct caller_identity */

#endif
