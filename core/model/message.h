/* A message of a queue as it was received: every byte and attribute of it, in an arena of its own. Raw remote text (core/text.h). */
#ifndef CORE_MODEL_MESSAGE_H
#define CORE_MODEL_MESSAGE_H

#include "core/arena.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct message_attr {
	const char *name, *type; /* type: String, Number, Binary, with what suffix they have (Number.int) */
	struct span value;       /* bytes; of Binary the decoded ones */
	bool binary;
};
struct message_fact { const char *name, *value; }; /* a system attribute: SentTimestamp, MessageGroupId ... */

struct message {
	struct arena mem;
	const char *id, *handle;
	struct span body;
	const char *md5, *attrs_md5;   /* as the service said them, and found right; attrs_md5 NULL without attributes */
	struct message_fact *facts;
	unsigned nfacts;
	struct message_attr *attrs;    /* in the answer's order */
	unsigned nattrs;
	const char *problem;           /* a digest that does not fit, a body that is not there: not to be sent anywhere; NULL = sound */
	int64_t received_ms;           /* wall clock */
};

const char *message_fact(const struct message *m, const char *name); /* NULL when it has none */
const struct message_attr *message_attr(const struct message *m, const char *name);
/* SQS's digest of attributes (sorted by name): lower hex. */
void message_attrs_md5(const struct message_attr *attrs, unsigned n, char out[33]);
void message_free(struct message *m); /* NULL is fine */

#endif
