/* How the keys of a target fare: for eyes, never the keys. */
#ifndef CORE_MODEL_CREDENTIAL_H
#define CORE_MODEL_CREDENTIAL_H

#include "core/err.h"

#include <stdint.h>

enum credential_state { CREDENTIAL_NONE, CREDENTIAL_FETCHING, CREDENTIAL_READY, CREDENTIAL_FAILED, CREDENTIAL_WANTS_CODE };

#define CREDENTIAL_SOON 3600 /* seconds: from here on the time that is left is worth saying */

struct credential {
	enum credential_state state;
	const char *from;       /* "an assumed role": what kind of source; NULL: none */
	const char *where;      /* the setting that names it; NULL: none */
	const char *mfa_serial; /* whose code is wanted; NULL: none */
	int64_t expires;        /* 0: never, or unknown */
	struct err err;         /* why there are none, or why new ones could not be had while the old ones still serve */
};

#endif
