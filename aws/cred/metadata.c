#include "aws/cred/metadata.h"

#include "core/clock.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>

static const char *either(const struct json *j, const char *name, const char *other)
{
	const char *v = json_get_str(j, name);
	return v ? v : json_get_str(j, other);
}

static bool say(const struct json *j, char out[METADATA_SAID])
{
	const char *code = either(j, "Code", "code"), *message = either(j, "Message", "message");
	out[0] = '\0';
	if (code && strcmp(code, "Success") == 0)
		return false;
	if (code || message)
		snprintf(out, METADATA_SAID, "%.60s%s%.130s", code ? code : "", code && message ? ": " : "",
		         message ? message : "");
	return out[0];
}

void metadata_said(struct span body, char out[METADATA_SAID])
{
	struct json *j = json_parse(body, NULL);
	say(j, out);
	json_wipe(j);
}

static const char *const parts[] = { "AccessKeyId", "SecretAccessKey", "Token", "Expiration" };

static bool take(const struct json *j, const char *where, struct keys *out, struct err *e)
{
	const char *v[4], *account = json_get_str(j, "AccountId");
	int64_t until_ms;
	for (unsigned i = 0; i < 4; i++)
		if (!(v[i] = json_get_str(j, parts[i])) || !*v[i])
			return err_set(e, ERR_BADREPLY, where, "the answer has no %s", parts[i]);
	if (!clock_parse_rfc3339(v[3], strlen(v[3]), &until_ms))
		return err_set(e, ERR_BADREPLY, where, "the answer's Expiration is no instant: \"%.40s\"", v[3]);
	keys_put(&out->access_key, v[0]);
	keys_put(&out->secret_key, v[1]);
	keys_put(&out->session_token, v[2]);
	if (account && strlen(account) == 12 && strspn(account, "0123456789") == 12)
		keys_put(&out->account, account);
	out->expires = until_ms / 1000;
	return true;
}

bool metadata_keys(struct span body, const char *where, struct keys *out, struct err *e)
{
	char said[METADATA_SAID];
	struct err why = { 0 };
	struct json *j = json_parse(body, &why);
	bool ok = false;
	if (!j)
		err_set(e, ERR_BADREPLY, where, "the answer is no JSON document with keys: %.150s", why.text);
	else if (say(j, said))
		err_set(e, ERR_AUTH, where, "%s", said);
	else
		ok = take(j, where, out, e);
	json_wipe(j);
	return ok;
}
