/* What is released of a Lambda function: its published versions and its aliases (REST with JSON). */
#ifndef AWS_OP_RELEASE_H
#define AWS_OP_RELEASE_H

#include "aws/found.h"

/* struct release_in -> struct found: facts of the function's name. Versions: "version" = the newest published number (absent: none
 * was published). Aliases: "alias NAME" = the version it points to, and where it splits "42 (43 10%)". */
struct release_in {
	struct page page;
	const char *function; /* its name */
};
/* Where an answer goes: read() does not see the request. */
struct release_out {
	struct found found; /* page first */
	const char *function;
	int64_t newest;     /* of the versions seen so far */
};
extern const struct op op_list_versions, op_list_aliases;

#endif
