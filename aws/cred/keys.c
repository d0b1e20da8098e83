#include "aws/cred/keys.h"

#include "core/hash.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static void drop(char **s)
{
	if (*s)
		hash_wipe(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void keys_put(char **slot, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;
	drop(slot);
	*slot = copy;
}

void keys_clear(struct keys *k)
{
	drop(&k->access_key);
	drop(&k->secret_key);
	drop(&k->session_token);
	drop(&k->account);
	*k = (struct keys){ 0 };
}

void keys_copy(struct keys *to, const struct keys *from)
{
	*to = (struct keys){ .expires = from->expires };
	keys_put(&to->access_key, from->access_key);
	keys_put(&to->secret_key, from->secret_key);
	keys_put(&to->session_token, from->session_token);
	keys_put(&to->account, from->account);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : !a && !b;
}

bool keys_same(const struct keys *a, const struct keys *b)
{
	return same(a->access_key, b->access_key) && same(a->secret_key, b->secret_key) &&
	       same(a->session_token, b->session_token);
}

/* Whatever is not plain ASCII was mangled on its way here. */
static bool plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

bool keys_valid(const struct keys *k, const char *where, struct err *e)
{
	const struct {
		const char *value, *name;
	} all[] = { { k->access_key, "access key" },
		        { k->secret_key, "secret key" },
		        { k->session_token, "session token" } };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (i < 2 && (!all[i].value || !*all[i].value))
			return err_set(e, ERR_NOCRED, where, "the %s is missing", all[i].name);
		if (all[i].value && !plain(all[i].value))
			return err_set(e, ERR_NOCRED, where, "the %s holds a character that no key has", all[i].name);
	}
	return true;
}
