/* What went wrong, by value. One code per kind of failure decides everything that follows: whether to retry, which exit
 * status, which reason --check gives, what the reader is told to do. Callers compare codes, never texts. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdbool.h>

/*  X(CODE, name, retryable, exit status, --check code, what to do) */
#define ERR_CODES(X)                                                                                                    \
	X(OK,        "ok",          false, 0, "",            "")                                                            \
	X(DNS,       "dns",         true,  1, "UNREACHABLE", "check the host name and this machine's resolver")             \
	X(CONNECT,   "unreachable", true,  1, "UNREACHABLE", "check the endpoint, the network and the proxy")               \
	X(TLS,       "tls",         false, 1, "UNREACHABLE", "check the clock and the trust store (AWS_CA_BUNDLE)")         \
	X(TIMEOUT,   "timeout",     true,  1, "TIMEOUT",     "try again; the service or the line is slow")                  \
	X(HTTP,      "service",     true,  1, "ERROR",       "the service failed; try again later")                         \
	X(AUTH,      "auth",        false, 1, "AUTH",        "check or renew the credentials")                                       \
	X(NOCRED,    "no credentials", false, 2, "AUTH",     "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --profile") \
	X(DENIED,    "denied",      false, 1, "DENIED",      "allow the named IAM action")                                  \
	X(THROTTLED, "throttled",   true,  1, "THROTTLED",   "wait, or poll less")                                          \
	X(NOTFOUND,  "not found",   false, 1, "ERROR",       "check the name, the account and the region")                  \
	X(CONFLICT,  "conflict",    false, 1, "ERROR",       "look again, then repeat")                                     \
	X(REFUSED,   "refused",     false, 1, "ERROR",       "the service does not accept this request")                    \
	X(BADREPLY,  "bad reply",   false, 1, "BADREPLY",    "the answer was not AWS's; check the endpoint")                \
	X(PARTIAL,   "partial",     false, 1, "PARTIAL",     "the answer was not whole; ask again")                         \
	X(LIMIT,     "limit",       false, 1, "ERROR",       "ask for less")                                                \
	X(CANCELLED, "cancelled",   false, 1, "TIMEOUT",     "")                                                            \
	X(DB,        "database",    false, 1, "ERROR",       "the history file cannot be used; see --cache")                \
	X(DISK,      "disk",        false, 1, "ERROR",       "free some space or check the permissions")                    \
	X(CONF,      "configuration", false, 2, "BAD_CONFIG", "mend the configuration")                                        \
	X(USAGE,     "usage",       false, 2, "BAD_CONFIG",  "see sluice --help")                                           \
	X(INTERNAL,  "internal",    false, 1, "ERROR",       "this is a bug in sluice")

enum err_code {
#define X(code, name, retry, exit, check, hint) ERR_##code,
	ERR_CODES(X)
#undef X
	ERR_COUNT
};

struct err {
	enum err_code code;
	int http;          /* HTTP status when a service answered, else 0 */
	char where[64];    /* the operation, file:line or option that failed: "sqs:ListQueues" */
	char action[64];   /* the IAM action that was denied, "" otherwise */
	char text[256];    /* why, in the words of whoever knew; may hold remote text: filter it before showing (text.h) */
	char request_id[64];
};

/* Fills e (which may be NULL) and returns false, so that a failing function ends with `return err_set(...)`. */
bool err_set(struct err *e, enum err_code code, const char *where, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void err_clear(struct err *e);
/* Services repeat what they do not like. Wherever the text holds the secret (or, at its cut end, the beginning of one) stands
 * "***" afterwards. NULL or "": nothing to hide. */
void err_hide(struct err *e, const char *secret);

const char *err_name(enum err_code code);
const char *err_check_code(enum err_code code); /* NO_DATA and friends are not errors: they never come from here */
const char *err_hint(enum err_code code);
bool err_retryable(enum err_code code);
bool err_shared(enum err_code code); /* one cause fails every operation alike: it is said once */
int err_exit(enum err_code code);

/* One plain line, visible characters only: "sluice: WHERE: TEXT; HINT". Writes at most size bytes, always ends in NUL. */
void err_line(const struct err *e, char *out, unsigned long size);

#endif
