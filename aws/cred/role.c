/* sts:AssumeRole with the keys of another source. */
#include "aws/cred/assume.h"
#include "aws/cred/cred.h"

bool cred_from_role(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	struct keys base;
	struct assume_role in = { .external_id = s->external_id, .serial = s->mfa_serial };
	if (s->mfa_serial && !f->code)
		return err_set(e, ERR_NOCRED, s->where, "a code of the MFA device %.100s is needed for the role %.100s",
		               s->mfa_serial, s->role_arn);
	in.code = s->mfa_serial ? f->code : NULL;
	if (!cred_fetch(f, s->base, &base, e))
		return false;
	bool ok = assume(f, s, &op_assume_role, &in, &base, out, e);
	keys_clear(&base);
	return ok;
}
