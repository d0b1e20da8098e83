#include "aws/cred/chain.h"

#include "aws/http/uri.h"
#include "aws/profile.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_DEPTH 16 /* roles behind roles; AWS allows chains, nobody means a long one */

/* One walk: the profiles on the way here, so that a circle is met. */
struct walk {
	const char *names[CHAIN_DEPTH];
	unsigned n;
};

static struct cred_source *source_new(enum cred_from from, const char *where, const char *profile)
{
	struct cred_source *s = xcalloc(1, sizeof *s);
	s->from = from;
	snprintf(s->where, sizeof s->where, "%s", where);
	s->profile = profile ? xstrdup(profile) : NULL;
	return s;
}

void cred_source_free(struct cred_source *s)
{
	if (!s)
		return;
	char **secret[] = { &s->command, &s->token, &s->external_id };
	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		keys_put(secret[i], NULL);
	char *plain[] = { s->profile,     s->file,          s->role_arn,   s->session_name, s->mfa_serial,
		              s->sso_session, s->sso_start_url, s->sso_region, s->sso_account,  s->sso_role,
		              s->uri,         s->login_session, s->otherwise };
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		free(plain[i]);
	keys_clear(&s->keys);
	cred_source_free(s->base);
	free(s);
}

struct cred_source *chain_static(const struct keys *k, const char *where)
{
	struct cred_source *s = source_new(CRED_STATIC, where, NULL);
	keys_copy(&s->keys, k);
	return s;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* err_set answers false; a source that is not there is NULL. */
#define REFUSE(...) (err_set(__VA_ARGS__), NULL)

static bool is_true(const char *v)
{
	return v && span_eq_nocase(span_of(v), "true");
}

/* ---- keys as they stand. Both or none: half a pair is a mistake to tell. */

static struct cred_source *static_of(const struct keys *k, const char *const names[2], const char *where,
                                     const char *profile, struct err *e)
{
	const char *missing = !k->access_key ? names[0] : !k->secret_key ? names[1] : NULL;
	if (!k->access_key && !k->secret_key)
		return NULL;
	if (missing)
		return REFUSE(e, ERR_NOCRED, where, "%s is missing beside %s", missing,
		              missing == names[0] ? names[1] : names[0]);
	if (!keys_valid(k, where, e))
		return NULL;
	struct cred_source *s = chain_static(k, where);
	s->profile = copy(profile);
	return s;
}

static struct cred_source *of_environment(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w, (void)p;
	static const char *const names[2] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY" };
	struct keys k = { 0 };
	const char *token = profile_env("AWS_SESSION_TOKEN");
	int64_t until_ms;
	keys_put(&k.access_key, profile_env(names[0]));
	keys_put(&k.secret_key, profile_env(names[1]));
	keys_put(&k.session_token, token ? token : profile_env("AWS_SECURITY_TOKEN"));
	keys_put(&k.account, profile_env("AWS_ACCOUNT_ID"));
	const char *until = profile_env("AWS_CREDENTIAL_EXPIRATION");
	if (until && clock_parse_rfc3339(until, strlen(until), &until_ms))
		k.expires = until_ms / 1000;
	struct cred_source *s = static_of(&k, names, "environment", NULL, e);
	keys_clear(&k);
	return s;
}

static struct cred_source *of_file(const struct profile *p, enum profile_file file, struct err *e)
{
	static const char *const names[2] = { "aws_access_key_id", "aws_secret_access_key" };
	struct keys k = { 0 };
	char where[96] = "";
	for (unsigned i = 0; i < 2; i++)
		keys_put(i ? &k.secret_key : &k.access_key, profile_get_in(p, file, names[i], where));
	keys_put(&k.session_token, profile_get_in(p, file, "aws_session_token", NULL));
	keys_put(&k.account, profile_get(p, "aws_account_id", NULL));
	struct cred_source *s = static_of(&k, names, where, p->name, e);
	keys_clear(&k);
	return s;
}

static struct cred_source *of_credentials_file(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w;
	return of_file(p, PROFILE_CREDENTIALS, e);
}

static struct cred_source *of_config_file(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w;
	return of_file(p, PROFILE_CONFIG, e);
}

static struct cred_source *of_files(struct walk *w, const struct profile *p, struct err *e)
{
	struct cred_source *s = of_credentials_file(w, p, e);
	return s || e->code != ERR_OK ? s : of_config_file(w, p, e);
}

/* ---- the instance and the container */

char *chain_imds_endpoint(const char *profile, struct err *e)
{
	struct profile p;
	struct uri u;
	const char *why = NULL;
	bool loaded = profile_load(&p, profile, NULL);
	const char *mode = profile_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
	           *url = profile_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	mode = mode || !loaded ? mode : profile_get(&p, "ec2_metadata_service_endpoint_mode", NULL);
	url = url || !loaded ? url : profile_get(&p, "ec2_metadata_service_endpoint", NULL);
	char *found = NULL;
	if (is_true(profile_env("AWS_EC2_METADATA_DISABLED")))
		err_set(e, ERR_NOCRED, "AWS_EC2_METADATA_DISABLED", "EC2's metadata service is switched off");
	else if (url && (!uri_parse(url, &u, &why) || strchr(u.path, '?')))
		err_set(e, ERR_CONF, "ec2_metadata_service_endpoint", "\"%.80s\" is no http(s)://HOST[:PORT]: %s", url,
		        why ? why : "it holds a question");
	else if (url)
		found = xstrndup(url, strlen(url) - (url[strlen(url) - 1] == '/'));
	else if (mode && span_eq_nocase(span_of(mode), "ipv6"))
		found = xstrdup("http://[fd00:ec2::254]");
	else if (mode && !span_eq_nocase(span_of(mode), "ipv4"))
		err_set(e, ERR_CONF, "ec2_metadata_service_endpoint_mode", "\"%.40s\" is neither ipv4 nor ipv6", mode);
	else
		found = xstrdup("http://169.254.169.254");
	profile_clear(&p);
	return found;
}

static unsigned number_of(const char *text, unsigned least, unsigned most, unsigned otherwise)
{
	char *end;
	unsigned long v = text ? strtoul(text, &end, 10) : 0;
	return text && !*end && v >= least && v <= most ? (unsigned)v : otherwise;
}

void chain_imds_patience(unsigned *timeout_s, unsigned *attempts)
{
	*timeout_s = number_of(profile_env("AWS_METADATA_SERVICE_TIMEOUT"), 1, 60, 1);
	*attempts = number_of(profile_env("AWS_METADATA_SERVICE_NUM_ATTEMPTS"), 1, 10, 1);
}

static struct cred_source *of_imds(const char *profile, struct err *e)
{
	char *endpoint = chain_imds_endpoint(profile, e);
	if (!endpoint)
		return NULL;
	struct cred_source *s = source_new(CRED_IMDS, "EC2 metadata service", NULL);
	s->uri = endpoint;
	chain_imds_patience(&s->timeout_s, &s->attempts);
	return s;
}

static struct cred_source *of_container(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w, (void)p, (void)e;
	const char *relative = profile_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
	           *full = profile_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	if (!relative && !full)
		return NULL;
	struct cred_source *s = source_new(CRED_CONTAINER, "environment", NULL);
	s->relative = relative != NULL;
	s->uri = xasprintf("%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full);
	s->file = copy(profile_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
	keys_put(&s->token, s->file ? NULL : profile_env("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
	return s;
}

/* ---- roles */

static struct cred_source *plan_source(struct walk *w, const char *name, const char *from, struct err *e);

static struct cred_source *named_source(struct walk *w, const struct profile *p, const char *name, const char *where,
                                        struct err *e)
{
	struct cred_source *s = NULL;
	if (strcmp(name, "Environment") == 0) {
		s = of_environment(w, p, e);
		if (!s && e->code == ERR_OK)
			err_set(e, ERR_NOCRED, where, "credential_source is Environment, but AWS_ACCESS_KEY_ID is not set");
	} else if (strcmp(name, "EcsContainer") == 0) {
		s = of_container(w, p, e);
		if (!s)
			err_set(e, ERR_NOCRED, where,
			        "credential_source is EcsContainer, but AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
	} else if (strcmp(name, "Ec2InstanceMetadata") == 0) {
		s = of_imds(p->name, e);
	} else {
		err_set(e, ERR_CONF, where,
		        "credential_source \"%.40s\" is none of Environment, Ec2InstanceMetadata, EcsContainer", name);
	}
	return s;
}

/* STS would refuse it; taken for the default it would quietly give other hours than were asked for. */
static bool duration_fits(const struct profile *p, struct err *e)
{
	char where[96];
	const char *v = profile_get(p, "duration_seconds", where);
	return !v || number_of(v, 900, 43200, 0) ||
	       err_set(e, ERR_CONF, where, "duration_seconds is \"%.20s\": a number from 900 to 43200 is wanted", v);
}

static void role_settings(struct cred_source *s, const struct profile *p)
{
	s->role_arn = copy(profile_get(p, "role_arn", NULL));
	s->session_name = copy(profile_get(p, "role_session_name", NULL));
	s->mfa_serial = copy(profile_get(p, "mfa_serial", NULL));
	keys_put(&s->external_id, profile_get(p, "external_id", NULL));
	s->duration_s = number_of(profile_get(p, "duration_seconds", NULL), 900, 43200, 0);
}

/* A profile that names itself as its source means its own keys; any other circle never ends. */
static struct cred_source *base_of(struct walk *w, const struct profile *p, const char *source, const char *where,
                                   struct err *e)
{
	if (strcmp(source, p->name) != 0)
		return plan_source(w, source, p->name, e);
	struct cred_source *s = of_files(w, p, e);
	if (!s && e->code == ERR_OK)
		err_set(e, ERR_NOCRED, where, "the profile names itself as its source, but has no aws_access_key_id");
	return s;
}

static struct cred_source *of_role(struct walk *w, const struct profile *p, struct err *e)
{
	char where[96];
	const char *role = profile_get(p, "role_arn", where), *source = profile_get(p, "source_profile", NULL),
	           *named = profile_get(p, "credential_source", NULL);
	if (!role || (profile_get(p, "web_identity_token_file", NULL) && !source && !named))
		return NULL;
	if (source && named)
		return REFUSE(e, ERR_CONF, where,
		              "the profile has both source_profile and credential_source: one of them must go");
	if (!duration_fits(p, e))
		return NULL;
	if (!source && !named)
		return REFUSE(e, ERR_CONF, where,
		              "the profile has a role_arn, but no source_profile and no credential_source to assume it with");
	struct cred_source *base = source ? base_of(w, p, source, where, e) : named_source(w, p, named, where, e);
	if (!base)
		return NULL;
	struct cred_source *s = source_new(CRED_ROLE, where, p->name);
	s->base = base;
	role_settings(s, p);
	return s;
}

static struct cred_source *of_web_profile(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w;
	char where[96];
	const char *file = profile_get(p, "web_identity_token_file", where);
	if (!file)
		return NULL;
	if (!profile_get(p, "role_arn", NULL))
		return REFUSE(e, ERR_CONF, where, "web_identity_token_file is set, but role_arn is missing");
	struct cred_source *s = source_new(CRED_WEB, where, p->name);
	s->file = xstrdup(file);
	role_settings(s, p);
	return s;
}

static struct cred_source *of_web_environment(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w, (void)p;
	const char *file = profile_env("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = profile_env("AWS_ROLE_ARN");
	if (!file)
		return NULL;
	if (!role)
		return REFUSE(e, ERR_CONF, "environment", "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is missing");
	struct cred_source *s = source_new(CRED_WEB, "environment", NULL);
	s->file = xstrdup(file);
	s->role_arn = xstrdup(role);
	s->session_name = copy(profile_env("AWS_ROLE_SESSION_NAME"));
	return s;
}

/* ---- SSO, login, process */

/* ~/.aws/sso/cache/SHA1.json of the session's name or, in the legacy form, of the start URL. */
static char *sso_cache_file(const char *of)
{
	uint8_t sum[HASH_SHA1];
	char hex[2 * HASH_SHA1 + 1], name[2 * HASH_SHA1 + 32];
	hash_sha1(of, strlen(of), sum);
	hash_hex(sum, sizeof sum, hex);
	snprintf(name, sizeof name, "sso/cache/%s.json", hex);
	return profile_home_file(name);
}

static bool sso_settings_agree(const struct profile *p, const char *session, const char *where, struct err *e)
{
	const char *account = profile_get(p, "sso_account_id", NULL), *role = profile_get(p, "sso_role_name", NULL);
	if (!account != !role)
		return err_set(e, ERR_CONF, where, "%s is set, but %s is missing", account ? "sso_account_id" : "sso_role_name",
		               account ? "sso_role_name" : "sso_account_id");
	if (session && !p->sso_session.found)
		return err_set(e, ERR_CONF, where, "there is no [sso-session %.60s] in %.80s", session,
		               p->path[PROFILE_CONFIG]);
	static const char *const both[] = { "sso_region", "sso_start_url" };
	for (unsigned i = 0; session && i < 2; i++) {
		const char *here = profile_get(p, both[i], NULL), *there = profile_sso(p, both[i]);
		if (!there)
			return err_set(e, ERR_CONF, where, "%s is missing in [sso-session %.60s]", both[i], session);
		if (here && strcmp(here, there) != 0)
			return err_set(e, ERR_CONF, where, "%s differs from the one in [sso-session %.60s], where it belongs",
			               both[i], session);
	}
	if (!session && (!profile_get(p, "sso_region", NULL) || !account))
		return err_set(e, ERR_CONF, where, "sso_start_url is set, but %s is missing",
		               account ? "sso_region" : "sso_account_id");
	return true;
}

static struct cred_source *of_sso(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w;
	static const char *const marks[] = { "sso_session", "sso_start_url", "sso_account_id", "sso_role_name" };
	char where[96];
	bool any = false;
	for (size_t i = 0; i < sizeof marks / sizeof *marks && !any; i++)
		any = profile_get(p, marks[i], where);
	if (!any)
		return NULL;
	const char *session = profile_get(p, "sso_session", NULL);
	if (!session && !profile_get(p, "sso_start_url", NULL))
		return REFUSE(e, ERR_CONF, where, "sso_account_id is set, but neither sso_session nor sso_start_url");
	if (!sso_settings_agree(p, session, where, e))
		return NULL;
	struct cred_source *s = source_new(CRED_SSO, where, p->name);
	s->sso_session = copy(session);
	s->sso_start_url = xstrdup(session ? profile_sso(p, "sso_start_url") : profile_get(p, "sso_start_url", NULL));
	s->sso_region = xstrdup(session ? profile_sso(p, "sso_region") : profile_get(p, "sso_region", NULL));
	s->sso_account = copy(profile_get(p, "sso_account_id", NULL));
	s->sso_role = copy(profile_get(p, "sso_role_name", NULL));
	s->file = sso_cache_file(session ? session : s->sso_start_url);
	return s;
}

static struct cred_source *of_login(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w, (void)e;
	char where[96];
	uint8_t sum[HASH_SHA256];
	char hex[2 * HASH_SHA256 + 1];
	const char *session = profile_get(p, "login_session", where), *folder = profile_env("AWS_LOGIN_CACHE_DIRECTORY");
	if (!session)
		return NULL;
	struct cred_source *s = source_new(CRED_LOGIN, where, p->name);
	s->login_session = xstrdup(session);
	hash_sha256(session, strlen(session), sum);
	hash_hex(sum, sizeof sum, hex);
	char name[2 * HASH_SHA256 + 32];
	snprintf(name, sizeof name, "login/cache/%s.json", hex);
	s->file = folder ? xasprintf("%s/%s.json", folder, hex) : profile_home_file(name);
	return s;
}

static struct cred_source *of_process(struct walk *w, const struct profile *p, struct err *e)
{
	(void)w, (void)e;
	char where[96];
	const char *command = profile_get(p, "credential_process", where);
	if (!command)
		return NULL;
	bool there = profile_get_in(p, PROFILE_CREDENTIALS, "credential_process", NULL);
	struct cred_source *s = source_new(CRED_PROCESS, where, p->name);
	s->file = xstrdup(p->path[there ? PROFILE_CREDENTIALS : PROFILE_CONFIG]);
	keys_put(&s->command, command);
	return s;
}

/* ---- the order */

struct link {
	struct cred_source *(*of)(struct walk *w, const struct profile *p, struct err *e);
};

/* The first that has something, or something wrong. */
static struct cred_source *first_of(const struct link *links, size_t n, struct walk *w, const struct profile *p,
                                    struct err *e)
{
	struct cred_source *s = NULL;
	for (size_t i = 0; i < n && !s && e->code == ERR_OK; i++)
		s = links[i].of(w, p, e);
	return s;
}

static bool step(struct walk *w, const char *name, struct err *e)
{
	for (unsigned i = 0; i < w->n; i++)
		if (strcmp(w->names[i], name) == 0)
			return err_set(e, ERR_CONF, "source_profile",
			               "the profiles go round in a circle: \"%.60s\" comes back to itself", name);
	if (w->n == CHAIN_DEPTH)
		return err_set(e, ERR_CONF, "source_profile", "more than %d profiles name each other", CHAIN_DEPTH);
	w->names[w->n++] = name;
	return true;
}

/* What a profile comes to as somebody else's source: keys of its own win over a role of its own. */
static const struct link as_source[] = { { of_files }, { of_role },  { of_web_profile },
	                                     { of_sso },   { of_login }, { of_process } };

static struct cred_source *plan_source(struct walk *w, const char *name, const char *from, struct err *e)
{
	struct profile p;
	struct cred_source *s = NULL;
	if (!step(w, name, e))
		return NULL;
	if (profile_load(&p, name, e)) {
		if (!p.in[PROFILE_CREDENTIALS] && !p.in[PROFILE_CONFIG])
			err_set(e, ERR_CONF, "source_profile", "there is no profile \"%.60s\", which \"%.60s\" names as its source",
			        name, from);
		else if (!(s = first_of(as_source, sizeof as_source / sizeof *as_source, w, &p, e)) && e->code == ERR_OK)
			err_set(e, ERR_NOCRED, "source_profile",
			        "the profile \"%.60s\", which \"%.60s\" names as its source, has no credentials", name, from);
	}
	profile_clear(&p);
	w->n--;
	return s;
}

/* A profile that was asked for pushes the environment's own aside. */
static struct cred_source *walk_chain(struct walk *w, const struct profile *p, bool asked, struct err *e)
{
	static const struct link any[] = { { of_environment }, { of_role },    { of_web_environment },
		                               { of_web_profile }, { of_sso },     { of_credentials_file },
		                               { of_login },       { of_process }, { of_config_file },
		                               { of_container } };
	static const struct link named[] = { { of_role },  { of_web_profile }, { of_sso },         { of_credentials_file },
		                                 { of_login }, { of_process },     { of_config_file }, { of_container } };
	return asked ? first_of(named, sizeof named / sizeof *named, w, p, e)
	             : first_of(any, sizeof any / sizeof *any, w, p, e);
}

/* Nothing anywhere: what a reader would set. */
static void say_nothing(const struct profile *p, bool asked, struct err *e)
{
	if (p->in[PROFILE_CREDENTIALS] || p->in[PROFILE_CONFIG])
		err_set(e, ERR_NOCRED, "credentials", "%s the profile \"%.60s\" has no credentials",
		        asked ? "" : "AWS_ACCESS_KEY_ID is not set and", p->name);
	else
		err_set(e, ERR_NOCRED, "credentials", "AWS_ACCESS_KEY_ID is not set and there is no profile in %.120s",
		        p->path[PROFILE_CREDENTIALS]);
}

/* Only the instance is left. Most machines are none: then its provider says what else could be set. */
static struct cred_source *end_of_chain(const struct profile *p, bool asked, struct err *e)
{
	struct err off = { 0 };
	struct cred_source *s = of_imds(p->name, &off);
	say_nothing(p, asked, e);
	if (s) {
		s->otherwise = xstrdup(e->text);
		err_clear(e);
	} else if (off.code == ERR_CONF) {
		*e = off;
	}
	return s;
}

struct cred_source *chain_plan(const char *profile, bool asked, struct err *e)
{
	struct profile p;
	struct walk w = { .names = { profile }, .n = 1 };
	struct cred_source *s = NULL;
	err_clear(e);
	if (profile_load(&p, profile, e)) {
		s = walk_chain(&w, &p, asked, e);
		if (!s && e->code == ERR_OK)
			s = end_of_chain(&p, asked, e);
	}
	profile_clear(&p);
	return s;
}
