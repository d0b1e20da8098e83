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

struct profile {
	char *name;
	char *path[PROFILE_FILES];
	bool in[PROFILE_FILES]; /* the profile has a section there */
	struct setting *settings;
	unsigned nsettings, csettings;
	struct setting *services;
	unsigned nservices, cservices; /* [services NAME] of the config file */
};

/* Files that are not there are fine (in[] tells); false on the first file that cannot be read or is malformed. */
bool profile_load(struct profile *p, const char *name, struct err *e);
void profile_clear(struct profile *p); /* wipes what it held */

/* The value of a key of either file, or of one of them; NULL when absent or blank. source, when not NULL, is told. */
const char *profile_get(const struct profile *p, const char *key, char source[96]);
const char *profile_get_in(const struct profile *p, enum profile_file file, const char *key, char source[96]);

/* An environment variable; blank counts as not set. */
const char *profile_env(const char *name);

#endif
