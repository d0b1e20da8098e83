/* The keys of one target, alive: fetched from wherever the chain says, renewed before they expire, fetched again when the
 * service refuses them or a file that they came from changes. Belongs to the engine's thread; a fetch that has to wait runs
 * on a thread of its own when there is a console to keep alive (cred_threaded), else on the caller's. */
#ifndef AWS_CRED_H
#define AWS_CRED_H

#include "aws/account.h"
#include "aws/cred/chain.h"
#include "aws/cred/fetch.h"
#include "aws/sign.h"

#include <stdint.h>

/*  X(CODE, name for eyes, provider). A provider is one file of this folder and one row. It fills `out` (which is empty) and
 *  returns true, or says why not: NOCRED when there is nothing to be had, AUTH when somebody must renew something (the text
 *  names the command), DENIED when a role may not be assumed, else what the network said. */
#define CRED_PROVIDERS(X)                              \
	X(STATIC, "static keys", cred_from_static)         \
	X(ROLE, "assumed role", cred_from_role)            \
	X(WEB, "web identity", cred_from_web)              \
	X(SSO, "IAM Identity Center (SSO)", cred_from_sso) \
	X(LOGIN, "aws login", cred_from_login)             \
	X(PROCESS, "credential_process", cred_from_process) \
	X(CONTAINER, "container", cred_from_container)     \
	X(IMDS, "EC2 instance role", cred_from_imds)

typedef bool cred_provider(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e);
#define X(code, name, function) cred_provider function;
CRED_PROVIDERS(X)
#undef X
cred_provider cred_fetch; /* whatever the source is; checks what the provider gave */

/* The region of the EC2 instance that this is, from its metadata service; endpoint as chain_imds_endpoint() gave it. Costs a
 * second or two off EC2. False: NOCRED when there is no such service, else what it said. */
bool cred_imds_region(struct fetch *f, const char *endpoint, char region[40], struct err *e);

struct cred;
struct cred *cred_new(const struct account *a); /* borrows a, which names the chain's beginning */
struct cred *cred_fixed(const struct keys *k);  /* these keys and no others; a copy */
void cred_free(struct cred *c);                 /* ends a fetch under way, wipes; NULL is fine */

/* From now on a fetch that must wait gets a thread; wake(ctx) is called from it when it has ended. */
void cred_threaded(struct cred *c, void (*wake)(void *ctx), void *ctx);
void cred_deadline(struct cred *c, int64_t deadline_ms); /* monotonic: of fetches on the caller's thread; 0 = a minute each */
/* Who can be asked for an MFA code on the caller's thread: fills code and returns true. NULL: nobody. */
typedef bool cred_ask(void *ctx, const char *serial, char code[16]);
void cred_on_ask(struct cred *c, cred_ask *ask, void *ctx);
void cred_code(struct cred *c, const char *code); /* somebody typed one; the next turn uses it, once */

enum cred_state { CRED_NONE, CRED_FETCHING, CRED_READY, CRED_FAILED, CRED_WANTS_CODE };
/* Moves on: collects what a fetch brought, starts one when it is time. Milliseconds until it wants to be called again,
 * -1 = never. */
int cred_turn(struct cred *c);
/* READY: `out` borrows until the next cred_turn; generation names this set. Otherwise e (when not NULL) says why not;
 * FETCHING: the keys are on their way and e is OK. */
enum cred_state cred_keys(const struct cred *c, struct sign_keys *out, uint64_t *generation, struct err *e);
/* The service does not take this set any more: true when another one is worth waiting for. */
bool cred_refused(struct cred *c, uint64_t generation, const struct err *why);

/* Takes what a service echoes of these keys out of its words; c may be NULL. */
void cred_mask(const struct cred *c, struct err *e);

struct cred_info { /* borrowed until the next cred_turn */
	enum cred_state state;
	uint64_t generation;             /* 0: there were no keys yet */
	enum cred_from from;
	const char *where, *profile, *mfa_serial; /* NULL: none */
	const char *role_arn;
	char access_key[16];             /* "****WXYZ" or "" */
	bool token;
	const char *account;
	int64_t expires;                 /* 0: never, or no keys */
	struct err err;                  /* why the last fetch failed; OK when it did not */
};
void cred_look(const struct cred *c, struct cred_info *out);
/* What these credentials are, whatever the hour: the same text for the same user or role, NULL when nothing says so. Not for
 * eyes, and owned. */
char *cred_identity(const struct cred *c);

#endif
