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
	X(DENIED,    "denied",      false, 1, "DENIED",      "see the policies of the caller")                                  \
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
	X(GATE,      "not permitted", false, 3, "ERROR",     "")                                                            \
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
	bool in_doubt;     /* a request that was sent may have taken effect although no good answer came; false: certainly not */
	char where[64];    /* the operation, file:line or option that failed: "sqs:ListQueues" */
	char action[64];   /* the IAM action that was denied, "" otherwise */
	char resource[160]; /* ... and on which resource, where the service said; "" otherwise */
	char text[256];    /* why, in the words of whoever knew; may hold remote text: filter it before showing (text.h) */
	char request_id[64];
};

/* Fills e (which may be NULL) and returns false, so that a failing function ends with `return err_set(...)`. */
bool err_set(struct err *e, enum err_code code, const char *where, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* where = FILE:LINE (no line when 0) of an error that is already set; of a long name the end, behind a "~": it tells files
 * apart, and the line must not be lost. Returns false as well. */
bool err_at(struct err *e, const char *file, unsigned line);
/* Text of others may echo what we sent them: puts *** in the place of `secret` (NULL is fine), also where the text was cut in
 * the middle of it. One of less than 16 bytes stays: no real key is that short, but many a word is. */
void err_mask(struct err *e, const char *secret);
void err_hide(struct err *e, const char *secret); /* the same for secrets of any length: codes, external ids */
void err_mask_logins(struct err *e); /* the same for USER:PASSWORD@ of any URL in the text */
void err_clear(struct err *e);
/* An error where there seldom is one: *at is NULL when there is none, else owned. Code OK frees it. */
void err_hold(struct err **at, const struct err *e);
const char *err_name(enum err_code code);
const char *err_check_code(enum err_code code); /* NO_DATA and friends are not errors: they never come from here */
const char *err_hint(enum err_code code);
bool err_retryable(enum err_code code);
bool err_shared(enum err_code code); /* one cause fails every operation alike: it is said once */
int err_exit(enum err_code code);

/* The IAM statement that would allow what was denied, to be pasted into a policy: one line of JSON, visible characters only;
 * "" when nothing was denied. */
#define ERR_STATEMENT 400
const char *err_statement(const struct err *e, char out[ERR_STATEMENT]);

/* One plain line, visible characters only: "sluice: WHERE: TEXT; HINT". Writes at most size bytes, always ends in NUL. */
void err_line(const struct err *e, char *out, unsigned long size);

#endif
