/* What one target's environment and AWS's files come to. Order everywhere: given explicitly, environment, profile. */
#include "aws/account.h"

#include "aws/endpoint.h"
#include "aws/profile.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* The first problem is the one to tell. */
static void keep(struct err *first, const struct err *e)
{
	if (first->code == ERR_OK)
		*first = *e;
}

__attribute__((format(printf, 4, 5))) static void problem(struct err *first, enum err_code code, const char *where,
                                                          const char *fmt, ...)
{
	char text[sizeof first->text];
	struct err e = { 0 };
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(&e, code, where, "%s", text);
	keep(first, &e);
}

static void put(struct sourced *s, const char *value, const char *source)
{
	free(s->value);
	s->value = xstrdup(value);
	snprintf(s->source, sizeof s->source, "%s", source);
}

/* The first of the variables that is set. */
static bool put_env(struct sourced *s, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const char *v = profile_env(names[i]);
		if (v) {
			put(s, v, names[i]);
			return true;
		}
	}
	return false;
}
#define PUT_ENV(s, ...)                                                                                                \
	put_env((s), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static bool put_profile(struct sourced *s, const struct profile *p, const char *key)
{
	char source[sizeof s->source];
	const char *v = profile_get(p, key, source);
	if (v)
		put(s, v, source);
	return v;
}

static bool is_true(const char *v)
{
	return v && span_eq_nocase(span_of(v), "true");
}

/* ---- profile and region */

static void find_profile(struct account *a, const struct account_in *in, struct profile *p, struct err *first)
{
	struct err e = { 0 };
	a->profile_asked = in->profile;
	if (in->profile)
		put(&a->profile, in->profile, in->profile_from ? in->profile_from : "--profile");
	else
		PUT_ENV(&a->profile, "AWS_PROFILE", "AWS_DEFAULT_PROFILE");
	const char *name = a->profile.value ? a->profile.value : "default";
	bool loaded = profile_load(p, name, &e);
	a->config_file = xstrdup(p->path[PROFILE_CONFIG]);
	a->credentials_file = xstrdup(p->path[PROFILE_CREDENTIALS]);
	if (!loaded) {
		keep(first, &e);
		return;
	}
	bool found = p->in[PROFILE_CREDENTIALS] || p->in[PROFILE_CONFIG];
	if (!found && strcmp(name, "default") != 0)
		problem(first, ERR_CONF, a->profile.source, "the profile \"%s\" is neither in %s nor in %s", name,
		        p->path[PROFILE_CREDENTIALS], p->path[PROFILE_CONFIG]);
}

static void find_region(struct account *a, const struct account_in *in, const struct profile *p, struct err *first)
{
	if (in->region)
		put(&a->region, in->region, in->region_from ? in->region_from : "--region");
	else if (!PUT_ENV(&a->region, "AWS_REGION", "AWS_DEFAULT_REGION"))
		put_profile(&a->region, p, "region");
	if (!a->region.value) {
		problem(first, ERR_USAGE, "region", "no region is set: use --region, AWS_REGION or region in the profile");
		return;
	}
	if (!endpoint_region_valid(a->region.value)) {
		problem(first, ERR_USAGE, a->region.source, "\"%s\" is not a region's name, such as eu-west-1",
		        a->region.value);
		free(a->region.value);
		a->region.value = NULL;
	}
}

/* ---- endpoints */

/* http(s)://HOST[:PORT], a slash at the end allowed. */
static bool endpoint_valid(const char *url)
{
	const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
	if (!host)
		return false;
	size_t n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]");
	return n && host[0] != ':' && host[n + strspn(host + n, "/")] == '\0';
}

/* Drops the slashes at the end; a URL that cannot serve is a problem and then none. */
static void check_endpoint(struct sourced *s, struct err *first)
{
	if (!s->value)
		return;
	if (endpoint_valid(s->value)) {
		for (size_t n = strlen(s->value); s->value[n - 1] == '/'; n--)
			s->value[n - 1] = '\0';
		return;
	}
	problem(first, ERR_CONF, s->source, "\"%s\" is no endpoint: http(s)://HOST[:PORT] is wanted", s->value);
	free(s->value);
	s->value = NULL;
}

static const struct sourced *service_endpoint(const struct account *a, const char *env)
{
	for (unsigned i = 0; i < a->nservice_endpoints; i++)
		if (a->service_endpoints[i].url.value && span_eq_nocase(span_of(env), a->service_endpoints[i].service_env))
			return &a->service_endpoints[i].url;
	return NULL;
}

static void add_service_endpoint(struct account *a, const char *env, const char *url, const char *source,
                                 struct err *first)
{
	if (service_endpoint(a, env)) /* added in order of precedence */
		return;
	a->service_endpoints =
	    xreallocarray(a->service_endpoints, a->nservice_endpoints + 1u, sizeof *a->service_endpoints);
	a->service_endpoints[a->nservice_endpoints].service_env = xstrdup(env);
	struct sourced *s = &a->service_endpoints[a->nservice_endpoints++].url;
	*s = (struct sourced){ 0 };
	put(s, url, source);
	check_endpoint(s, first);
}

#define ENDPOINT_ENV "AWS_ENDPOINT_URL_"

static void endpoints_of_env(struct account *a, struct err *first)
{
	size_t n = sizeof ENDPOINT_ENV - 1;
	for (char **v = environ; v && *v; v++) {
		const char *eq = strncmp(*v, ENDPOINT_ENV, n) == 0 ? strchr(*v, '=') : NULL;
		if (!eq || eq == *v + n)
			continue;
		char *name = xstrndup(*v, (size_t)(eq - *v));
		if (profile_env(name))
			add_service_endpoint(a, name + n, eq + 1, name, first);
		free(name);
	}
}

static void endpoints_of_profile(struct account *a, const struct profile *p, struct err *first)
{
	for (unsigned i = 0; i < p->services.n; i++) {
		const struct setting *s = &p->services.v[i];
		char source[96];
		if (!s->parent || !span_eq_nocase(span_of(s->key), "endpoint_url") || !s->value[0])
			continue;
		snprintf(source, sizeof source, "%.60s [services] %.20s", p->path[PROFILE_CONFIG], s->parent);
		add_service_endpoint(a, s->parent, s->value, source, first);
	}
}

static bool ignores_configured(const struct profile *p)
{
	const char *env = profile_env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	return is_true(env ? env : profile_get(p, "ignore_configured_endpoint_urls", NULL));
}

/* Each source speaks for all services or for one, and an earlier source's word for all beats a later one's for one. */
static void find_endpoints(struct account *a, const struct account_in *in, const struct profile *p, struct err *first)
{
	if (in->endpoint_url) {
		put(&a->endpoint_url, in->endpoint_url, in->endpoint_from ? in->endpoint_from : "--endpoint-url");
	} else if (!ignores_configured(p)) {
		endpoints_of_env(a, first);
		if (!PUT_ENV(&a->endpoint_url, "AWS_ENDPOINT_URL")) {
			endpoints_of_profile(a, p, first);
			put_profile(&a->endpoint_url, p, "endpoint_url");
		}
	}
	check_endpoint(&a->endpoint_url, first);
}

/* FIPS, dual-stack and STS's old ways: switches that choose among AWS's own hosts. */
static void find_variants(struct account *a, const struct profile *p, struct err *first)
{
	const struct {
		struct sourced *to;
		const char *env, *key;
		bool *on;
	} switches[] = {
		{ &a->fips, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &a->use_fips },
		{ &a->dualstack, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", &a->use_dualstack },
	};
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		if (!PUT_ENV(switches[i].to, switches[i].env))
			put_profile(switches[i].to, p, switches[i].key);
		const char *v = switches[i].to->value;
		*switches[i].on = is_true(v);
		if (v && !is_true(v) && !span_eq_nocase(span_of(v), "false"))
			problem(first, ERR_CONF, switches[i].to->source, "%s is \"%.40s\": true or false is wanted",
			        switches[i].key, v);
	}
	if (!PUT_ENV(&a->sts_endpoints, "AWS_STS_REGIONAL_ENDPOINTS"))
		put_profile(&a->sts_endpoints, p, "sts_regional_endpoints");
	const char *v = a->sts_endpoints.value;
	if (v && strcmp(v, "legacy") != 0 && strcmp(v, "regional") != 0)
		problem(first, ERR_CONF, a->sts_endpoints.source,
		        "sts_regional_endpoints is \"%.40s\": regional or legacy is wanted", v);
}

struct endpoint_in account_endpoint_in(const struct account *a, const struct service *s)
{
	const struct sourced *own = service_endpoint(a, s->env);
	return (struct endpoint_in){ .region = a->region.value,
		                         .fips = a->use_fips,
		                         .dualstack = a->use_dualstack,
		                         .sts_legacy = a->sts_endpoints.value && strcmp(a->sts_endpoints.value, "legacy") == 0,
		                         .custom = own ? own->value : a->endpoint_url.value };
}

bool account_endpoint(const struct account *a, const struct service *s, struct buf *out, struct err *e)
{
	struct endpoint_in in = account_endpoint_in(a, s);
	return endpoint_url(&in, s, out, e);
}

const char *account_signing_region(const struct account *a, const struct service *s)
{
	struct endpoint_in in = account_endpoint_in(a, s);
	return endpoint_signing_region(&in, s);
}

/* ---- how often a call is tried */

#define ATTEMPTS_DEFAULT 3
#define ATTEMPTS_MOST 10

static void find_attempts(struct account *a, const struct profile *p, struct err *first)
{
	char *end;
	a->attempts = ATTEMPTS_DEFAULT;
	if (!PUT_ENV(&a->retry_mode, "AWS_RETRY_MODE"))
		put_profile(&a->retry_mode, p, "retry_mode");
	if (!PUT_ENV(&a->max_attempts, "AWS_MAX_ATTEMPTS"))
		put_profile(&a->max_attempts, p, "max_attempts");
	if (!a->max_attempts.value)
		return;
	unsigned long n = strtoul(a->max_attempts.value, &end, 10);
	if (*end || n < 1 || a->max_attempts.value[0] == '-')
		problem(first, ERR_CONF, a->max_attempts.source, "max_attempts \"%.40s\" is not a number from 1 on",
		        a->max_attempts.value);
	else
		a->attempts = n < ATTEMPTS_MOST ? (unsigned)n : ATTEMPTS_MOST;
}

/* ---- */

struct account *account_load(const struct account_in *in, struct err *e)
{
	struct account *a = xcalloc(1, sizeof *a);
	struct profile p;
	struct err first = { 0 };
	find_profile(a, in, &p, &first);
	find_region(a, in, &p, &first);
	find_endpoints(a, in, &p, &first);
	find_variants(a, &p, &first);
	if (!PUT_ENV(&a->ca_bundle, "AWS_CA_BUNDLE"))
		put_profile(&a->ca_bundle, &p, "ca_bundle");
	find_attempts(a, &p, &first);
	endpoint_partition(a->region.value, a->partition, a->suffix);
	profile_clear(&p);
	if (e)
		*e = first;
	return a;
}

struct account *account_static(const char *region, const char *endpoint_url, const char *access_key,
                               const char *secret_key, const char *from)
{
	struct account *a = xcalloc(1, sizeof *a);
	put(&a->region, region, from);
	if (endpoint_url)
		put(&a->endpoint_url, endpoint_url, from);
	a->attempts = ATTEMPTS_DEFAULT;
	a->fixed = xcalloc(1, sizeof *a->fixed);
	keys_put(&a->fixed->access_key, access_key);
	keys_put(&a->fixed->secret_key, secret_key);
	endpoint_partition(region, a->partition, a->suffix);
	return a;
}

static struct sourced copy_sourced(const struct sourced *from)
{
	struct sourced s = *from;
	s.value = from->value ? xstrdup(from->value) : NULL;
	return s;
}

struct account *account_in_region(const struct account *a, const char *region)
{
	struct account *c = xcalloc(1, sizeof *c);
	const struct sourced *from[] = { &a->profile, &a->endpoint_url, &a->ca_bundle,    &a->max_attempts,
		                             &a->fips,    &a->dualstack,    &a->sts_endpoints };
	struct sourced *to[] = { &c->profile, &c->endpoint_url, &c->ca_bundle,    &c->max_attempts,
		                     &c->fips,    &c->dualstack,    &c->sts_endpoints };
	for (size_t i = 0; i < sizeof from / sizeof *from; i++)
		*to[i] = copy_sourced(from[i]);
	put(&c->region, region, a->region.source);
	c->attempts = a->attempts;
	c->use_fips = a->use_fips;
	c->use_dualstack = a->use_dualstack;
	for (unsigned i = 0; i < a->nservice_endpoints; i++)
		add_service_endpoint(c, a->service_endpoints[i].service_env, a->service_endpoints[i].url.value,
		                     a->service_endpoints[i].url.source, &(struct err){ 0 });
	endpoint_partition(region, c->partition, c->suffix);
	return c;
}

void account_free(struct account *a)
{
	if (!a)
		return;
	struct sourced *all[] = { &a->profile,    &a->region, &a->endpoint_url, &a->ca_bundle,    &a->max_attempts,
		                      &a->retry_mode, &a->fips,   &a->dualstack,    &a->sts_endpoints };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]->value);
	for (unsigned i = 0; i < a->nservice_endpoints; i++) {
		free(a->service_endpoints[i].service_env);
		free(a->service_endpoints[i].url.value);
	}
	if (a->fixed)
		keys_clear(a->fixed);
	free(a->fixed);
	free(a->config_file);
	free(a->credentials_file);
	free(a->service_endpoints);
	free(a);
}
