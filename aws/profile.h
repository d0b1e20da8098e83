/* One profile out of AWS's two files, merged as AWS's tools merge them: the credentials file's values win over the config
 * file's, a section that comes twice is one section, [profile default] hides [default]. */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>

enum profile_file { PROFILE_CREDENTIALS, PROFILE_CONFIG, PROFILE_FILES };

struct setting {
	enum profile_file file;
	bool bare;
	char *parent, *key, *value;
}; /* parent: of a nested key, else NULL */

struct settings {
	struct setting *v;
	unsigned n, cap;
	bool found; /* the section is there, if only empty */
};

struct profile {
	char *name;
	char *path[PROFILE_FILES];
	bool in[PROFILE_FILES]; /* the profile has a section there */
	struct settings own;
	struct settings services;    /* [services NAME] of the config file, where the profile names one */
	struct settings sso_session; /* [sso-session NAME], likewise */
};

/* Files that are not there are fine (in[] tells); false on the first file that cannot be read or is malformed. */
bool profile_load(struct profile *p, const char *name, struct err *e);
void profile_clear(struct profile *p); /* wipes what it held */

/* The value of a key of either file, or of one of them; NULL when absent or blank. source, when not NULL, is told. */
const char *profile_get(const struct profile *p, const char *key, char source[96]);
const char *profile_get_in(const struct profile *p, enum profile_file file, const char *key, char source[96]);

/* A key of [sso-session NAME]; NULL when absent or blank. */
const char *profile_sso(const struct profile *p, const char *key);
/* FILE below the home folder: "~/.aws/FILE"; owned. */
char *profile_home_file(const char *file);

/* An environment variable; blank counts as not set. */
const char *profile_env(const char *name);

#endif
