#include "aws/http/uri.h"

#include "core/buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

#define REFUSE(why, text) ((why) = (text), false)

/* RFC 3986's characters; a fragment is for readers, not for services. */
static bool written_well(const char *text, const char **why)
{
	static const char allowed[] = LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._~:/?[]@!$&'()*+,;=%";
	if (strchr(text, '#'))
		return REFUSE(*why, "it has a fragment");
	return strspn(text, allowed) == strlen(text) || REFUSE(*why, "it holds a character that no URI has");
}

static bool scheme(const char **p, struct uri *u, const char **why)
{
	size_t n = strcspn(*p, ":");
	u->tls = span_eq_nocase((struct span){ *p, n }, "https");
	if (!u->tls && !span_eq_nocase((struct span){ *p, n }, "http"))
		return REFUSE(*why, "it is no http(s)://HOST...");
	if (strncmp(*p + n, "://", 3) != 0)
		return REFUSE(*why, "it names no host");
	*p += n + 3;
	return true;
}

static bool port(struct span s, struct uri *u, const char **why)
{
	unsigned v = 0;
	u->port = u->tls ? 443 : 80;
	if (!s.n)
		return true;
	u->port_given = true;
	for (size_t i = 1; i < s.n && i < 7; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return REFUSE(*why, "its port is no number");
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	if (s.n < 2 || s.n > 6 || s.p[1] == '0' || v > 65535)
		return REFUSE(*why, "its port is none from 1 to 65535");
	u->port = v;
	return true;
}

/* Some readers take 127.1, 0x7f.1 or 2130706433 for an address: whatever ends in a number is one, or nothing. */
static bool ends_in_number(const char *host)
{
	const char *last = strrchr(host, '.');
	last = last ? last + 1 : host;
	if (last[0] == '0' && last[1] == 'x')
		return strspn(last + 2, DIGITS "abcdef") == strlen(last + 2);
	return strspn(last, DIGITS) == strlen(last);
}

static bool name(const char *host, const char **why)
{
	if (strspn(host, LETTERS DIGITS "-._") != strlen(host))
		return REFUSE(*why, "its host holds a character that no host's name has");
	for (const char *p = host;; p++) {
		size_t n = strcspn(p, ".");
		if (n == 0)
			return REFUSE(*why, p[0] || p == host ? "its host has an empty part" : "its host ends in a dot");
		if (n > 63)
			return REFUSE(*why, "a part of its host is too long");
		p += n;
		if (!*p)
			return true;
	}
}

static bool host_v6(struct span s, struct uri *u, const char **why)
{
	struct in6_addr a;
	char text[64];
	if (s.n < 2 || s.n - 2 >= sizeof text || s.p[s.n - 1] != ']')
		return REFUSE(*why, "its host is no IPv6 address");
	memcpy(text, s.p + 1, s.n - 2);
	text[s.n - 2] = '\0';
	if (strchr(text, '%'))
		return REFUSE(*why, "its host has a zone");
	if (inet_pton(AF_INET6, text, &a) != 1 || !inet_ntop(AF_INET6, &a, u->host, sizeof u->host))
		return REFUSE(*why, "its host is no IPv6 address");
	u->address = u->v6 = true;
	return true;
}

static bool host(struct span s, struct uri *u, const char **why)
{
	struct in_addr a;
	if (!s.n)
		return REFUSE(*why, "it names no host");
	if (s.p[0] == '[')
		return host_v6(s, u, why);
	if (s.n >= sizeof u->host)
		return REFUSE(*why, "its host is too long");
	for (size_t i = 0; i < s.n; i++)
		u->host[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] - 'A' + 'a' : s.p[i]);
	u->host[s.n] = '\0';
	if (!name(u->host, why))
		return false;
	if (!ends_in_number(u->host))
		return true;
	if (inet_pton(AF_INET, u->host, &a) != 1)
		return REFUSE(*why, "its host is a number, but no IPv4 address as four decimal numbers");
	u->address = true;
	return true;
}

bool uri_parse(const char *text, struct uri *u, const char **why)
{
	*u = (struct uri){ .path = "" };
	if (!written_well(text, why) || !scheme(&text, u, why))
		return false;
	struct span all = { text, strcspn(text, "/?") };
	u->path = text + all.n;
	if (memchr(all.p, '@', all.n))
		return REFUSE(*why, "it names a user before the host");
	size_t n = all.n && all.p[0] == '[' ? strcspn(all.p, "]") + 1 : strcspn(all.p, ":/?");
	n = n < all.n ? n : all.n;
	if (n < all.n && all.p[n] != ':')
		return REFUSE(*why, "something stands behind its IPv6 address");
	return host((struct span){ all.p, n }, u, why) && port((struct span){ all.p + n, all.n - n }, u, why);
}

bool uri_address(const struct uri *u, struct sockaddr_storage *out)
{
	*out = (struct sockaddr_storage){ .ss_family = u->v6 ? AF_INET6 : AF_INET };
	if (u->v6)
		return inet_pton(AF_INET6, u->host, &((struct sockaddr_in6 *)(void *)out)->sin6_addr) == 1;
	return u->address && inet_pton(AF_INET, u->host, &((struct sockaddr_in *)(void *)out)->sin_addr) == 1;
}

static bool trusted4(const struct in_addr *a)
{
	uint32_t v = ntohl(a->s_addr);
	return v >> 24 == 127 || v == 0xa9feaa02 || v == 0xa9feaa17;
}

static bool trusted6(const struct in6_addr *a)
{
	static const uint8_t eks[16] = { 0xfd, 0, 0x0e, 0xc2, [15] = 0x23 };
	return IN6_IS_ADDR_LOOPBACK(a) || memcmp(a, eks, sizeof eks) == 0;
}

bool uri_address_trusted(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return trusted4(&((const struct sockaddr_in *)(const void *)a)->sin_addr);
	return a->sa_family == AF_INET6 && trusted6(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}
