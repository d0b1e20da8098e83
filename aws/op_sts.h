/* STS (query wire, XML): who we are, which needs no permission, so it is the probe of credentials; and the keys of a role. */
#ifndef AWS_OP_STS_H
#define AWS_OP_STS_H

#include "aws/cred/keys.h"
#include "aws/op.h"

struct caller_identity {
	char account[16], arn[256], user_id[128];
};
extern const struct op op_get_caller_identity; /* in: NULL; out: struct caller_identity */

/* Borrowed; NULL: not sent. */
struct assume_role {
	const char *role_arn, *session_name;
	const char *external_id, *serial, *code; /* AssumeRole */
	const char *token;                       /* AssumeRoleWithWebIdentity: a secret */
	unsigned duration_s;                     /* 0: the service's hour */
};
/* in: struct assume_role; out: struct keys, empty before; the account is the role's. */
extern const struct op op_assume_role, op_assume_role_with_web_identity;

#endif
