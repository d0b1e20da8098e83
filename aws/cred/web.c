/* sts:AssumeRoleWithWebIdentity with a token that somebody else (Kubernetes, a CI service) keeps fresh in a file. */
#include "aws/cred/assume.h"
#include "aws/cred/cred.h"
#include "core/hash.h"
#include "core/ini.h"

#include <string.h>

#define TOKEN_LEAST 4
#define TOKEN_MOST 20000

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The token within the text, ended in place; NULL when it is none. */
static const char *token_in(struct buf *text)
{
	char *p = text->p;
	size_t n = text->n;
	while (n && is_space(p[n - 1]))
		n--;
	while (n && is_space(*p))
		p++, n--;
	if (n < TOKEN_LEAST || n > TOKEN_MOST || memchr(p, '\0', n))
		return NULL;
	p[n] = '\0';
	return p;
}

bool cred_from_web(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	struct buf text;
	struct err why = { 0 };
	struct assume_role in = { 0 };
	bool ok = false;
	if (!ini_read_file(s->file, &text, &why))
		err_set(e, ERR_NOCRED, s->where, "the token's file %.120s %.90s", s->file, why.text);
	else if (!(in.token = token_in(&text)))
		err_set(e, ERR_NOCRED, s->where, "%.150s holds no token of %d to %d characters", s->file, TOKEN_LEAST,
		        TOKEN_MOST);
	else
		ok = assume(f, s, &op_assume_role_with_web_identity, &in, NULL, out, e);
	if (text.p)
		hash_wipe(text.p, text.n);
	buf_clear(&text);
	return ok;
}
