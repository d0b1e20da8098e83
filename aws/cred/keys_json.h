/* Keys out of the JSON objects in which programs, files and services hand them over: the same five facts, other names. */
#ifndef AWS_KEYS_JSON_H
#define AWS_KEYS_JSON_H

#include "aws/cred/keys.h"
#include "core/json.h"

struct keys_names {
	const char *access_key, *secret_key; /* must be there */
	const char *session_token, *account; /* NULL: it knows none; absent, null and "" say nothing */
	const char *expires;                 /* ISO 8601; absent: never */
	const char *expires_ms;              /* instead: milliseconds since 1970 */
};

/* out is replaced. NULL when all is well, else what is wrong, to follow on the name of who gave it: "gave no AccessKeyId". */
const char *keys_from_json(struct keys *out, const struct json *object, const struct keys_names *n);

#endif
