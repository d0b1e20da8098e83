/* The document with keys that EC2's metadata service and those of containers hand out: {AccessKeyId, SecretAccessKey, Token,
 * Expiration}, with AccountId or without, and in its place when there are none {Code, Message} or {code, message}. Pure. */
#ifndef AWS_METADATA_H
#define AWS_METADATA_H

#include "aws/cred/keys.h"
#include "core/buf.h"

#define METADATA_CAP (64u << 10) /* of an answer; a real one has some 1,300 bytes */
#define METADATA_SAID 200

/* Fills `out` (which is empty). False: AUTH with the service's own words when it gave some, BADREPLY when the document is no
 * such one or lacks a part; AWS's always have a token and an end. Nothing of the keys gets into e. */
bool metadata_keys(struct span body, const char *where, struct keys *out, struct err *e);
/* What a document says went wrong, "CODE: MESSAGE"; "" when it says nothing or is none. Raw: filter it before showing. */
void metadata_said(struct span body, char out[METADATA_SAID]);

#endif
