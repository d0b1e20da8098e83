/* What one target's environment and AWS's files come to. Order everywhere: given explicitly, environment, profile. */
#include "aws/account.h"

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

/* It becomes a part of host names: nothing but what a region's name is made of may pass. */
static bool region_valid(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t n = strlen(s);
	return n && n <= 39 && strspn(s, allowed) == n && s[0] != '-' && s[n - 1] != '-';
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
	if (!region_valid(a->region.value)) {
		problem(first, ERR_USAGE, a->region.source, "\"%s\" is not a region's name, such as eu-west-1",
		        a->region.value);
		free(a->region.value);
		a->region.value = NULL;
	}
}

void account_partition(const char *region, char partition[16], char suffix[32])
{
	static const struct {
		const char *prefix, *partition, *suffix;
	} partitions[] = {
		{ "cn-", "aws-cn", "amazonaws.com.cn" },       { "us-gov-", "aws-us-gov", "amazonaws.com" },
		{ "eusc-", "aws-eusc", "amazonaws.eu" },       { "us-iso-", "aws-iso", "c2s.ic.gov" },
		{ "us-isob-", "aws-iso-b", "sc2s.sgov.gov" },  { "eu-isoe-", "aws-iso-e", "cloud.adc-e.uk" },
		{ "us-isof-", "aws-iso-f", "csp.hci.ic.gov" }, { "", "aws", "amazonaws.com" },
	};
	for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++) {
		if (region && strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) != 0)
			continue;
		if (!region && *partitions[i].prefix)
			continue;
		snprintf(partition, 16, "%s", partitions[i].partition);
		snprintf(suffix, 32, "%s", partitions[i].suffix);
		return;
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

/* Other hosts than asked for would be a quiet breach of somebody's rules. */
static void refuse_variants(const struct profile *p, struct err *first)
{
	static const struct {
		const char *env, *key;
	} variants[] = {
		{ "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint" },
		{ "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint" },
	};
	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
		char source[96];
		const char *env = profile_env(variants[i].env);
		const char *value = env ? env : profile_get(p, variants[i].key, source);
		if (is_true(value))
			problem(first, ERR_CONF, env ? variants[i].env : source,
			        "%s: this version knows the ordinary endpoints only", variants[i].key);
	}
}

bool account_endpoint(const struct account *a, const struct service *s, struct buf *out)
{
	const struct sourced *own = service_endpoint(a, s->env);
	if (own)
		return buf_adds(out, own->value);
	if (a->endpoint_url.value)
		return buf_adds(out, a->endpoint_url.value);
	return a->region.value && buf_addf(out, "https://%s.%s.%s", s->host, a->region.value, a->suffix);
}

/* ---- how often a call is tried */

#define ATTEMPTS_DEFAULT 3
#define ATTEMPTS_MOST 10

static void find_attempts(struct account *a, const struct profile *p, struct err *first)
{
	char *end;
	a->attempts = ATTEMPTS_DEFAULT;
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
	refuse_variants(&p, &first);
	if (!PUT_ENV(&a->ca_bundle, "AWS_CA_BUNDLE"))
		put_profile(&a->ca_bundle, &p, "ca_bundle");
	find_attempts(a, &p, &first);
	account_partition(a->region.value, a->partition, a->suffix);
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
	account_partition(region, a->partition, a->suffix);
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
	const struct sourced *from[] = { &a->profile,      &a->endpoint_url, &a->ca_bundle,
		                             &a->max_attempts, &a->fips,         &a->dualstack };
	struct sourced *to[] = { &c->profile, &c->endpoint_url, &c->ca_bundle, &c->max_attempts, &c->fips, &c->dualstack };
	for (size_t i = 0; i < sizeof from / sizeof *from; i++)
		*to[i] = copy_sourced(from[i]);
	put(&c->region, region, a->region.source);
	c->attempts = a->attempts;
	for (unsigned i = 0; i < a->nservice_endpoints; i++)
		add_service_endpoint(c, a->service_endpoints[i].service_env, a->service_endpoints[i].url.value,
		                     a->service_endpoints[i].url.source, &(struct err){ 0 });
	account_partition(region, c->partition, c->suffix);
	return c;
}

void account_free(struct account *a)
{
	if (!a)
		return;
	struct sourced *all[] = { &a->profile,      &a->region, &a->endpoint_url, &a->ca_bundle,
		                      &a->max_attempts, &a->fips,   &a->dualstack };
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
