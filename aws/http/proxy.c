#include "aws/http/proxy.h"

#include "aws/profile.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* ---- the host of a URL */

static struct span scheme_of(const char *url)
{
	const char *end = strstr(url, "://");
	return (struct span){ url, end ? (size_t)(end - url) : 0 };
}

/* Between :// and the port or path; an IPv6 address without its brackets, a name without the dot at its end. */
static struct span host_of(const char *url)
{
	struct span scheme = scheme_of(url);
	const char *host = url + (scheme.n ? scheme.n + 3 : 0);
	if (*host == '[')
		return (struct span){ host + 1, strcspn(host + 1, "]/?#") };
	struct span h = { host, strcspn(host, ":/?#") };
	if (h.n && h.p[h.n - 1] == '.')
		h.n--;
	return h;
}

struct address {
	int family; /* AF_INET, AF_INET6; 0: it is a name */
	unsigned char bytes[16];
};

static struct address address_of(struct span s)
{
	struct address a = { 0 };
	char text[64];
	if (s.n >= sizeof text)
		return a;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = AF_INET6;
	return a;
}

static bool same_network(const struct address *a, const struct address *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return !rest || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

/* NETWORK/BITS, or one address. */
static bool in_network(const struct address *a, struct span block)
{
	const char *slash = memchr(block.p, '/', block.n);
	unsigned all = a->family == AF_INET ? 32 : 128, bits = 0;
	struct span network = { block.p, slash ? (size_t)(slash - block.p) : block.n };
	if (network.n >= 2 && network.p[0] == '[' && network.p[network.n - 1] == ']')
		network = (struct span){ network.p + 1, network.n - 2 };
	struct address n = address_of(network);
	for (const char *d = slash ? slash + 1 : NULL; d && d < block.p + block.n && bits <= all; d++) {
		if (*d < '0' || *d > '9')
			return false;
		bits = bits * 10 + (unsigned)(*d - '0');
	}
	return bits <= all && same_network(a, &n, bits ? bits : all); /* curl takes /0 for no mask at all */
}

/* ---- who never gets one */

static bool ends_in(struct span s, const char *tail)
{
	size_t n = strlen(tail);
	return s.n > n && span_eq_nocase((struct span){ s.p + s.n - n, n }, tail);
}

/* Proxies are for the world outside, and keys come from these addresses. */
static bool is_near(struct span host)
{
	static const char *const near[] = { "127.0.0.0/8", "169.254.0.0/16", "::1", "fe80::/10", "fd00:ec2::/32" };
	struct address a = address_of(host);
	for (size_t i = 0; a.family && i < sizeof near / sizeof *near; i++)
		if (in_network(&a, span_of(near[i])))
			return true;
	return span_eq_nocase(host, "localhost") || ends_in(host, ".localhost");
}

/* ---- NO_PROXY */

/* example.com and .example.com are both for example.com and everything below it. */
static bool names(struct span token, struct span host)
{
	if (token.n && token.p[token.n - 1] == '.')
		token.n--;
	if (token.n && token.p[0] == '.')
		token = (struct span){ token.p + 1, token.n - 1 };
	char name[256];
	if (!token.n || token.n >= sizeof name || token.n > host.n ||
	    (token.n < host.n && host.p[host.n - token.n - 1] != '.'))
		return false;
	memcpy(name, token.p, token.n);
	name[token.n] = '\0';
	return span_eq_nocase((struct span){ host.p + host.n - token.n, token.n }, name);
}

static bool is_excepted(struct span host, const char *list)
{
	struct address a = address_of(host);
	if (strcmp(list, "*") == 0)
		return true;
	for (const char *s = list; *s;) {
		s += strspn(s, BLANKS ",");
		struct span token = { s, strcspn(s, BLANKS ",") };
		if (token.n && (a.family ? in_network(&a, token) : names(token, host)))
			return true;
		s += token.n;
	}
	return false;
}

/* ---- */

static const char *first_set(const char *const *variables, const char **source)
{
	for (; *variables; variables++) {
		const char *v = profile_env(*variables);
		if (!v)
			continue;
		*source = *variables;
		return v;
	}
	return NULL;
}

struct proxy proxy_for(const char *url)
{
	static const char *const https[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL };
	static const char *const http[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL };
	static const char *const exceptions[] = { "no_proxy", "NO_PROXY", NULL };
	struct proxy p = { 0 };
	struct span host = host_of(url);
	if (is_near(host))
		return (struct proxy){ .why = PROXY_NEVER };
	p.url = first_set(span_eq_nocase(scheme_of(url), "https") ? https : http, &p.source);
	if (!p.url)
		return p;
	const char *except_source = NULL, *list = first_set(exceptions, &except_source);
	if (list && is_excepted(host, list))
		return (struct proxy){ .why = PROXY_EXCEPTED, .source = except_source };
	p.why = PROXY_SET;
	return p;
}

/* ---- the proxy's own URL */

struct parts {
	struct span scheme, host, port;
	bool has_user, has_password;
};

static bool scheme_known(struct span s)
{
	static const char *const known[] = { "http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (span_eq_nocase(s, known[i]))
			return true;
	return false;
}

/* What curl's own reader would refuse, misread, or (an encoded NUL) take for no proxy at all. */
static const char *login_problem(struct span login)
{
	for (size_t i = 0; i < login.n; i++) {
		unsigned char c = (unsigned char)login.p[i];
		if (c <= ' ' || c == 127)
			return "there is a blank in the user or password: write it as %20";
		if (c == '@')
			return "there is an @ in the user or password: write it as %40";
		if (c == '%' && i + 2 < login.n && login.p[i + 1] == '0' && login.p[i + 2] == '0')
			return "there is a %00 in the user or password";
	}
	return NULL;
}

static const char *host_problem(const struct parts *p)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	if (!p->host.n)
		return "it names no host";
	if (p->host.p[0] == '[') {
		bool v6 = p->host.n > 2 && address_of((struct span){ p->host.p + 1, p->host.n - 2 }).family == AF_INET6;
		return v6 ? NULL : "what stands in brackets is no IPv6 address";
	}
	for (size_t i = 0; i < p->host.n; i++)
		if (!memchr(name, p->host.p[i], sizeof name - 1))
			return "its host name holds a character that host names do not have";
	return NULL;
}

static const char *port_problem(struct span port)
{
	unsigned long n = 0;
	for (size_t i = 0; i < port.n && n <= 65535; i++) {
		if (port.p[i] < '0' || port.p[i] > '9')
			return "its port is not a number";
		n = n * 10 + (unsigned long)(port.p[i] - '0');
	}
	return port.n && (n < 1 || n > 65535) ? "its port is not from 1 to 65535" : NULL;
}

/* HOST[:PORT] */
static const char *take_host(struct span s, struct parts *p)
{
	const char *bracket = s.n && *s.p == '[' ? memchr(s.p, ']', s.n) : NULL;
	const char *from = bracket ? bracket : s.p;
	const char *colon = memchr(from, ':', s.n - (size_t)(from - s.p));
	p->host = (struct span){ s.p, colon ? (size_t)(colon - s.p) : s.n };
	if (bracket && bracket + 1 != s.p + p->host.n)
		return "something other than a port follows its address";
	if (colon)
		p->port = (struct span){ colon + 1, s.n - p->host.n - 1 };
	if (colon && !p->port.n && !p->scheme.n) /* http:/host looks like this */
		return "its port is missing";
	const char *problem = host_problem(p);
	return problem ? problem : port_problem(p->port);
}

/* [SCHEME://][USER[:PASSWORD]@]HOST[:PORT][/ and what nobody reads]. Says what is wrong, or NULL. */
static const char *take_apart(const char *url, struct parts *p)
{
	*p = (struct parts){ .scheme = scheme_of(url) };
	const char *s = url;
	if (p->scheme.n && !scheme_known(p->scheme))
		return "its scheme is none of http, https, socks4, socks4a, socks5, socks5h";
	s += p->scheme.n ? p->scheme.n + 3 : 0;
	struct span rest = { s, strcspn(s, "/?#") };
	if (strchr(s + rest.n, '@'))
		return "there is a /, ? or # in the user or password: write it as %2F, %3F or %23";
	const char *at = memrchr(rest.p, '@', rest.n);
	if (!at)
		return take_host(rest, p);
	struct span login = { rest.p, (size_t)(at - rest.p) };
	p->has_user = true;
	p->has_password = memchr(login.p, ':', login.n);
	const char *problem = login_problem(login);
	return problem ? problem : take_host((struct span){ at + 1, rest.n - login.n - 1 }, p);
}

bool proxy_valid(const struct proxy *p, struct err *e)
{
	struct parts parts;
	const char *problem = p->url ? take_apart(p->url, &parts) : NULL;
	if (problem)
		return err_set(e, ERR_CONF, "proxy", "%s holds no proxy's address: %s", p->source, problem);
	return true;
}

bool proxy_mask(struct buf *out, const char *url)
{
	struct parts p;
	if (take_apart(url, &p))
		return buf_adds(out, "***");
	bool ok = (!p.scheme.n || (buf_addspan(out, p.scheme) && buf_adds(out, "://")));
	if (p.has_user)
		ok = ok && buf_adds(out, p.has_password ? "***:***@" : "***@");
	ok = ok && buf_addspan(out, p.host);
	return ok && (!p.port.n || (buf_addc(out, ':') && buf_addspan(out, p.port)));
}

void proxy_failed(const struct proxy *p, int status, struct err *e)
{
	struct buf shown;
	char why[sizeof e->text];
	buf_init(&shown, 512);
	if (!p->url || !proxy_mask(&shown, p->url) ||
	    shown.n > 120) { /* a longer name would leave no room for the reason */
		buf_reset(&shown);
		buf_adds(&shown, "that is set");
	}
	const char *source = p->source ? p->source : "environment";
	memcpy(why, e->text, sizeof why);
	if (status == PROXY_WANTS_LOGIN)
		err_set(e, ERR_CONNECT, "proxy", "the proxy %s (%s) wants a%s user and password: it answered 407", shown.p,
		        source, strchr(shown.p, '@') ? "nother" : "");
	else if (status)
		err_set(e, ERR_CONNECT, "proxy", "the proxy %s (%s) does not connect: it answered %d", shown.p, source, status);
	else
		err_set(e, e->code, "proxy", "by way of the proxy %s (%s): %s", shown.p, source, why);
	buf_clear(&shown);
}
