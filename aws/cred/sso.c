/* IAM Identity Center: the token that `aws sso login` keeps in a file buys the keys of a role. A token that came with a refresh
 * token (the sso-session form) is renewed here and goes back into the file, as AWS's tools do it. */
#include "aws/cred/cred.h"
#include "aws/cred/token_file.h"
#include "aws/op_sso.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"

#include <stdio.h>
#include <string.h>

#define REFRESH_BEFORE (15 * 60) /* seconds */
#define REFRESH_EVERY_MS 60000

struct token {
	char *access, *refresh, *client_id, *client_secret;
	int64_t expires, registered; /* until; 0: not said */
};

static void token_clear(struct token *t)
{
	char **all[] = { &t->access, &t->refresh, &t->client_id, &t->client_secret };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		keys_put(all[i], NULL);
}

static bool log_in(const struct cred_source *s, const char *why, struct err *e)
{
	return token_file_login(s->where, why, s->sso_session ? "aws sso login --sso-session" : "aws sso login --profile",
	                        s->sso_session ? s->sso_session : s->profile, e);
}

/* It goes into a header. */
static bool plain(const char *s)
{
	for (; s && *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return s;
}

static bool token_read(const struct fetch *f, const struct cred_source *s, struct token *t, struct buf *raw,
                       struct err *e)
{
	*t = (struct token){ 0 };
	struct json *doc = token_file_read(f, s->file, raw, e);
	if (!doc)
		return log_in(s, e->code == ERR_NOTFOUND ? "nobody is logged in" : "the file of the login cannot be read", e);
	keys_put(&t->access, json_get_str(doc, "accessToken"));
	keys_put(&t->refresh, json_get_str(doc, "refreshToken"));
	keys_put(&t->client_id, json_get_str(doc, "clientId"));
	keys_put(&t->client_secret, json_get_str(doc, "clientSecret"));
	token_file_time(json_get_str(doc, "registrationExpiresAt"), &t->registered);
	bool ok =
	    t->access && *t->access && plain(t->access) && token_file_time(json_get_str(doc, "expiresAt"), &t->expires);
	json_free(doc);
	return ok || log_in(s, "the file of the login holds no token", e);
}

/* ---- renewing the token */

/* Providers keep nothing, but the service must not be asked by each of their tries. */
static bool may_refresh(const char *file)
{
	static _Atomic uint64_t whose;
	static _Atomic int64_t when;
	uint8_t sum[HASH_SHA256];
	uint64_t id;
	hash_sha256(file, strlen(file), sum);
	memcpy(&id, sum, sizeof id);
	int64_t now = clock_mono_ms();
	if (atomic_load(&whose) == id && now - atomic_load(&when) < REFRESH_EVERY_MS)
		return false;
	atomic_store(&when, now);
	atomic_store(&whose, id);
	return true;
}

static bool refreshable(const struct cred_source *s, const struct token *t)
{
	int64_t now = clock_wall();
	return s->sso_session && t->refresh && t->client_id && t->client_secret && t->registered > now &&
	       t->expires - now < REFRESH_BEFORE;
}

static bool merged(struct buf *out, struct span raw, const struct created_token *t, int64_t expires)
{
	struct buf news;
	struct json_out o;
	buf_init(&news, 256u * 1024);
	json_out_init(&o, &news);
	json_out_object(&o, NULL);
	json_out_str(&o, "accessToken", t->access_token);
	json_out_time(&o, "expiresAt", expires);
	if (t->refresh_token)
		json_out_str(&o, "refreshToken", t->refresh_token);
	json_out_object_end(&o);
	bool ok = o.ok && o.done && token_file_merge(out, raw, buf_span(&news));
	if (news.p)
		hash_wipe(news.p, news.n);
	buf_clear(&news);
	return ok;
}

/* Unless somebody has logged in meanwhile: theirs is newer. The token serves this fetch even when it cannot be kept. */
static void keep(const struct fetch *f, const struct cred_source *s, const struct token *old,
                 const struct created_token *made, int64_t expires)
{
	struct token now;
	struct buf raw, text;
	struct err e = { 0 };
	buf_init(&raw, 0);
	buf_init(&text, 1024u * 1024);
	if (token_read(f, s, &now, &raw, &e) && strcmp(now.access, old->access) == 0) {
		if (!merged(&text, buf_span(&raw), made, expires))
			err_set(&e, ERR_LIMIT, s->file, "the renewed token does not fit");
		else
			token_file_write(s->file, buf_span(&text), &e);
	}
	if (e.code != ERR_OK)
		log_warn(LOG_AWS, "the renewed SSO token is not kept: %s: %s", e.where, e.text);
	struct buf *all[] = { &raw, &text };
	for (size_t i = 0; i < 2; i++) {
		if (all[i]->p)
			hash_wipe(all[i]->p, all[i]->n);
		buf_clear(all[i]);
	}
	token_clear(&now);
}

static bool refresh(struct fetch *f, const struct cred_source *s, struct token *t, struct err *e)
{
	struct create_token in = { t->client_id, t->client_secret, t->refresh };
	struct created_token made = { 0 };
	bool ok = fetch_op(f, &op_create_token, NULL, s->sso_region, &in, &made, e);
	if (ok && !plain(made.access_token))
		ok = err_set(e, ERR_BADREPLY, op_create_token.iam, "the new token holds a character that no token has");
	if (ok) {
		int64_t expires = clock_wall() + made.expires_in;
		keep(f, s, t, &made, expires);
		keys_put(&t->access, made.access_token);
		t->expires = expires;
		log_info(LOG_AWS, "the SSO token was renewed");
	}
	err_hide(e, t->client_secret);
	err_hide(e, t->refresh);
	created_token_clear(&made);
	return ok;
}

/* Was it the line or the service, so that nobody has to log in again? */
static bool passes(const struct err *e)
{
	return err_retryable(e->code) || e->code == ERR_CANCELLED || e->code == ERR_TLS || e->code == ERR_BADREPLY;
}

/* A token that can be used now. One that could not be renewed serves until its end. */
static bool fresh(struct fetch *f, const struct cred_source *s, struct token *t, struct err *e)
{
	struct err why = { 0 };
	bool can = refreshable(s, t), now = can && may_refresh(s->file);
	if (now && !refresh(f, s, t, &why))
		log_warn(LOG_AWS, "the SSO token could not be renewed: %s: %s", why.where, why.text);
	if (t->expires > clock_wall())
		return true;
	if (can && !now)
		return log_in(s, "the login has expired and could not be renewed a moment ago", e);
	if (why.code != ERR_OK && passes(&why)) {
		*e = why;
		return false;
	}
	return log_in(s, "the login has expired", e);
}

/* ---- the keys of the role */

static bool buy(struct fetch *f, const struct cred_source *s, const char *token, struct keys *out, struct err *e)
{
	struct get_role_credentials in = { token, s->sso_account, s->sso_role };
	char text[sizeof e->text];
	if (fetch_op(f, &op_get_role_credentials, NULL, s->sso_region, &in, out, e)) {
		keys_put(&out->account, s->sso_account);
		return true;
	}
	err_hide(e, token);
	if (e->code == ERR_AUTH || e->http == 401)
		return log_in(s, "the login is not valid any more", e);
	memcpy(text, e->text, sizeof text);
	if (e->code == ERR_DENIED || e->code == ERR_NOTFOUND)
		snprintf(e->text, sizeof e->text, "the role %.60s of account %.20s is not given to you: %.120s", s->sso_role,
		         s->sso_account, text);
	return false;
}

/* It becomes a part of the host name that the token is sent to. */
static bool region_valid(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n && n < 40 && !s[n];
}

bool cred_from_sso(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	struct token t;
	struct buf raw;
	if (!s->sso_account || !s->sso_role)
		return err_set(e, ERR_NOCRED, s->where, "sso_account_id and sso_role_name are both needed for keys");
	if (!region_valid(s->sso_region))
		return err_set(e, ERR_CONF, s->where, "sso_region \"%.60s\" is not a region's name", s->sso_region);
	buf_init(&raw, 0);
	bool ok = token_read(f, s, &t, &raw, e) && fresh(f, s, &t, e) && buy(f, s, t.access, out, e);
	if (raw.p)
		hash_wipe(raw.p, raw.n);
	buf_clear(&raw);
	token_clear(&t);
	return ok;
}
