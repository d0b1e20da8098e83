/* A set of keys as some source of credentials gave it. Owned strings; whoever holds one wipes it. Never printed or logged, but
 * for the last four characters of the access key. */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct keys {
	char *access_key, *secret_key;
	char *session_token; /* NULL: long-lived keys have none */
	char *account;       /* 12 digits when the source said, else NULL */
	int64_t expires;     /* wall clock, seconds UTC; 0 = never */
};

void keys_clear(struct keys *k); /* wipes */
void keys_copy(struct keys *to, const struct keys *from); /* `to` is overwritten, not cleared */
bool keys_same(const struct keys *a, const struct keys *b); /* access key, secret and token */
/* Both keys are there and nothing in them that no key has (they go into headers). False: e says what is wrong, never with a
 * value; where is its `where`. */
bool keys_valid(const struct keys *k, const char *where, struct err *e);
/* Takes a copy of one value: put(&k->secret_key, text). NULL text: NULL. An older value is wiped. */
void keys_put(char **slot, const char *text);

#endif
