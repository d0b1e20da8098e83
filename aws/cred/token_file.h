/* The JSON files in which AWS's command line keeps what a login bought (~/.aws/sso/cache, ~/.aws/login/cache). It and others may
 * write them at any time. */
#ifndef AWS_TOKEN_FILE_H
#define AWS_TOKEN_FILE_H

#include "aws/cred/fetch.h"
#include "core/json.h"

/* The whole document, an object (json_free it); raw, when not NULL, gets its text (wipe and clear it in any case). What cannot be
 * read as JSON may be half written: it is read once more a little later. NULL with e: NOTFOUND when there is no file,
 * BADREPLY or CONF else; nothing of the content is in it. */
struct json *token_file_read(const struct fetch *f, const char *path, struct buf *raw, struct err *e);

/* Puts text in the file's place, at once and for good: whoever reads sees the old or the new, nobody else can read it. */
bool token_file_write(const char *path, struct span text, struct err *e);

/* raw's members with those of `news` (an object of ours, no member of it nested) in their place; the others as they stand there, byte
 * by byte. False when it does not fit into out. */
bool token_file_merge(struct buf *out, struct span raw, struct span news);

/* "2026-01-02T03:04:05Z", older CLIs: "...UTC". Seconds; false when it is no time. */
bool token_file_time(const char *text, int64_t *t);

/* Fills e (AUTH): WHY; run: COMMAND NAME, the name quoted where a shell would mind. Returns false. */
bool token_file_login(const char *where, const char *why, const char *command, const char *name, struct err *e);

#endif
