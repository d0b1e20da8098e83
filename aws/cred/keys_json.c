#include "aws/cred/keys_json.h"

#include "core/clock.h"

#include <string.h>

static void put(char **slot, const struct json *o, const char *name)
{
	const char *v = name ? json_get_str(o, name) : NULL;
	keys_put(slot, v && *v ? v : NULL);
}

/* False when it says something that is no time: then nothing is known about their end. */
static bool put_expires(struct keys *k, const struct json *o, const struct keys_names *n)
{
	const struct json *v = json_get(o, n->expires ? n->expires : n->expires_ms);
	const char *text = json_str(v);
	int64_t ms = 0;
	if (json_is_null(v))
		return true;
	bool ok = n->expires ? text && clock_parse_rfc3339(text, strlen(text), &ms) : json_int(v, &ms);
	k->expires = ms / 1000;
	return ok && k->expires > 0;
}

const char *keys_from_json(struct keys *out, const struct json *object, const struct keys_names *n)
{
	keys_clear(out);
	put(&out->access_key, object, n->access_key);
	put(&out->secret_key, object, n->secret_key);
	put(&out->session_token, object, n->session_token);
	put(&out->account, object, n->account);
	if (!out->access_key || !out->secret_key)
		return out->access_key ? "gave no secret key" : "gave no access key";
	if (!out->session_token && !json_is_null(json_get(object, n->session_token)) &&
	    !json_get_str(object, n->session_token))
		return "gave a session token that is no text";
	if (!put_expires(out, object, n))
		return "gave keys whose end cannot be read";
	return NULL;
}
