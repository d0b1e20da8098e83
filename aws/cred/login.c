/* `aws login`: the keys that it keeps in a file, while they last (15 minutes at most; the CLI renews them, we do not). */
#include "aws/cred/cred.h"
#include "aws/cred/keys_json.h"
#include "aws/cred/token_file.h"
#include "core/clock.h"

static bool log_in(const struct cred_source *s, const char *why, struct err *e)
{
	return token_file_login(s->where, why, "aws login --profile", s->profile, e);
}

bool cred_from_login(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	static const struct keys_names names = { .access_key = "accessKeyId",
		                                     .secret_key = "secretAccessKey",
		                                     .session_token = "sessionToken",
		                                     .account = "accountId",
		                                     .expires = "expiresAt" };
	struct json *doc = token_file_read(f, s->file, NULL, e);
	if (!doc)
		return log_in(s, e->code == ERR_NOTFOUND ? "nobody is logged in" : "the file of the login cannot be read", e);
	const char *why = keys_from_json(out, json_get(doc, "accessToken"), &names);
	json_free(doc);
	if (why || !out->session_token || !out->expires)
		return log_in(s, "the file of the login holds no keys", e);
	return out->expires > clock_wall() || log_in(s, "the login has expired", e);
}
