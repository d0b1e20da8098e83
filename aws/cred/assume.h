/* What the two ways to the keys of a role have in common. */
#ifndef AWS_ASSUME_H
#define AWS_ASSUME_H

#include "aws/cred/fetch.h"
#include "aws/op_sts.h"

#define ASSUME_SESSION 65

/* Asks STS in the account's region: op with `in`, to which role, session name and duration of s are added. keys NULL: unsigned.
 * Errors name the role and repeat nothing of in's secrets. */
bool assume(struct fetch *f, const struct cred_source *s, const struct op *op, struct assume_role *in,
            const struct keys *keys, struct keys *out, struct err *e);

/* The session's name: the setting, or "sluice-SECONDS". False (CONF) when the setting is none that AWS takes. */
bool assume_session(const struct cred_source *s, char out[ASSUME_SESSION], struct err *e);

#endif
