/* sts:AssumeRoleWithWebIdentity with a token that somebody else (Kubernetes, a CI service) keeps fresh in a file. */
#include "aws/assume.h"
#include "aws/cred.h"
#include "core/hash.h"
#include "core/ini.h"

#include <string.h>

#define TOKEN_LEAST 4
#define TOKEN_MOST 20000

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cuts the text in place; NULL with e when what is left is no token. */
static const char *token_in(struct buf *text, const char *path, struct err *e)
{
	char *p = text->p;
	size_t n = text->n;
	while (n && is_space(p[n - 1]))
		n--;
	while (n && is_space(*p))
		p++, n--;
	if (n >= TOKEN_LEAST && n <= TOKEN_MOST && !memchr(p, '\0', n)) {
		p[n] = '\0';
		return p;
	}
	err_set(e, ERR_NOCRED, "web_identity_token_file", "%s%.150s holds no token of %d to %d characters",
	        strlen(path) > 150 ? "..." : "", strlen(path) > 150 ? path + strlen(path) - 150 : path, TOKEN_LEAST,
	        TOKEN_MOST);
	return NULL;
}

bool cred_from_web(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	struct buf text;
	struct err why = { 0 };
	struct assume_role in = { 0 };
	bool ok = false;
	if (!ini_read_file(s->file, &text, &why))
		err_set(e, ERR_NOCRED, "web_identity_token_file", "%.150s %.90s", s->file, why.text);
	else if ((in.token = token_in(&text, s->file, e)))
		ok = assume(f, s, &op_assume_role_with_web_identity, &in, NULL, out, e);
	if (text.p)
		hash_wipe(text.p, text.n);
	buf_clear(&text);
	return ok;
}
