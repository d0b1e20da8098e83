#include "aws/cred/assume.h"

#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool assume_session(const struct cred_source *s, char out[ASSUME_SESSION], struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";
	if (!s->session_name) {
		snprintf(out, ASSUME_SESSION, "sluice-%" PRId64, clock_wall());
		return true;
	}
	size_t n = strlen(s->session_name);
	if (n < 2 || n >= ASSUME_SESSION || strspn(s->session_name, allowed) != n)
		return err_set(e, ERR_CONF, s->where,
		               "the role's session name must be 2 to 64 letters, digits or _+=,.@-, which \"%.70s\" is not",
		               s->session_name);
	memcpy(out, s->session_name, n + 1);
	return true;
}

/* AWS's own words name the right that is missing, but not always the role. */
static void say_role(const struct cred_source *s, const struct op *op, struct err *e)
{
	char text[sizeof e->text];
	memcpy(text, e->text, sizeof text);
	snprintf(e->action, sizeof e->action, "%s", op->iam);
	if (!strstr(text, s->role_arn))
		snprintf(e->text, sizeof e->text, "the role %.100s may not be assumed: %.120s", s->role_arn, text);
}

bool assume(struct fetch *f, const struct cred_source *s, const struct op *op, struct assume_role *in,
            const struct keys *keys, struct keys *out, struct err *e)
{
	char session[ASSUME_SESSION];
	if (!assume_session(s, session, e))
		return false;
	in->role_arn = s->role_arn;
	in->session_name = session;
	in->duration_s = s->duration_s;
	if (fetch_op(f, op, keys, NULL, in, out, e))
		return true;
	err_hide(e, in->external_id);
	err_hide(e, in->code);
	err_hide(e, in->token);
	if (e->code == ERR_DENIED)
		say_role(s, op, e);
	return false;
}
