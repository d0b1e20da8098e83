/* Where credentials come from: AWS's standard chain, decided from the environment and AWS's files alone (no network). The
 * order and the settings' names are botocore's; its first hit wins, and a source that is configured but broken is an error,
 * never a reason to go on to the next. */
#ifndef AWS_CHAIN_H
#define AWS_CHAIN_H

#include "aws/cred/keys.h"
#include "core/err.h"

#include <stdbool.h>

enum cred_from {
	CRED_STATIC,    /* keys as they stand in the environment or a file */
	CRED_ROLE,      /* sts:AssumeRole with the keys of `base` */
	CRED_WEB,       /* sts:AssumeRoleWithWebIdentity with the token in `file` */
	CRED_SSO,       /* IAM Identity Center: the cached token in `file` buys keys of a role */
	CRED_LOGIN,     /* `aws login`: keys cached in `file` */
	CRED_PROCESS,   /* credential_process */
	CRED_CONTAINER, /* ECS, EKS Pod Identity */
	CRED_IMDS,      /* the EC2 instance's role */
	CRED_FROM_COUNT
};

/* One source with all it needs. Strings are owned; what a source does not use is NULL. */
struct cred_source {
	enum cred_from from;
	char where[96];           /* the setting that named it: "~/.aws/config [profile ops]", "environment" */
	char *profile;            /* the profile it stands in, for "aws sso login --profile NAME"; NULL: none */
	char *file;               /* what it reads at each fetch (WEB, SSO, LOGIN; CONTAINER: the authorization token's file);
	                           * PROCESS: where its command stands, which nobody else may write */
	struct cred_source *base; /* ROLE: owned */
	struct keys keys;         /* STATIC */
	char *role_arn, *session_name, *external_id, *mfa_serial; /* ROLE, WEB; session_name NULL: one is made up */
	unsigned duration_s;                                      /* ROLE; 0 = the service's hour */
	char *sso_session, *sso_start_url, *sso_region, *sso_account, *sso_role; /* SSO; sso_session NULL: the legacy form */
	char *login_session;                                                     /* LOGIN */
	char *command; /* PROCESS; may hold secrets: only its first word is ever shown */
	char *uri;     /* CONTAINER: the whole URI, as the environment gave it (not judged yet); IMDS: scheme://host[:port] */
	bool relative; /* CONTAINER: the URI was a path: the host is ECS's own */
	char *token;   /* CONTAINER: the authorization value; a secret */
	unsigned timeout_s, attempts; /* IMDS */
	char *otherwise; /* IMDS as the chain's end: what is not set either, for the message when it gives nothing; else NULL */
};

/* profile: the selected one ("default" when none was); asked: it was named by --profile or the configuration, which
 * pushes the environment's keys aside. NULL with e: CONF for a malformed file or a contradiction, NOCRED when there is
 * nothing, or half of something. */
struct cred_source *chain_plan(const char *profile, bool asked, struct err *e);
/* Keys that are at hand already (the demo, tests). */
struct cred_source *chain_static(const struct keys *k, const char *where);
void cred_source_free(struct cred_source *s); /* wipes; NULL is fine */

const char *cred_from_name(enum cred_from from); /* "static keys", "IAM Identity Center (SSO)" ...: for eyes */

/* EC2's metadata service: scheme://host of it, or NULL with e when it is switched off (NOCRED) or misnamed (CONF). */
char *chain_imds_endpoint(const char *profile, struct err *e);
void chain_imds_patience(unsigned *timeout_s, unsigned *attempts); /* AWS_METADATA_SERVICE_TIMEOUT and _NUM_ATTEMPTS */

#endif
