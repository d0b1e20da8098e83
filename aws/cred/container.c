/* The keys of a container's role (ECS, EKS Pod Identity, and whatever local helper speaks their way). Over plain http only this
 * machine and AWS's three addresses are asked, judged by address: a name is resolved once, every address of it is judged, and
 * the request goes to one of those that were. */
#include "aws/cred/cred.h"
#include "aws/cred/metadata.h"
#include "aws/http/resolve.h"
#include "aws/http/uri.h"
#include "core/hash.h"
#include "core/ini.h"
#include "core/log.h"
#include "core/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECS_HOST "169.254.170.2"
#define TRIES 3
#define PAUSE_MS 1000
#define WAIT_MS 2000
#define TRUSTED "this machine, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]"

struct visit {
	struct fetch *f;
	const char *where; /* the setting that named the URI */
	struct uri uri;
	char *token; /* the Authorization header's value, or NULL */
	bool final;  /* it failed in a way that asking again cannot mend */
};

/* ---- where to */

static bool judge(struct visit *v, const struct cred_source *s, struct err *e)
{
	const char *why;
	struct sockaddr_storage a;
	const struct uri *u = &v->uri;
	v->final = true;
	if (!uri_parse(s->uri, &v->uri, &why))
		return err_set(e, ERR_CONF, v->where, "no URI to ask for credentials: %s", why);
	if (s->relative && (u->tls || u->port_given || strcmp(u->host, ECS_HOST) != 0))
		return err_set(e, ERR_CONF, v->where, "no path: it must begin with \"/\"");
	if (!u->tls && uri_address(u, &a) && !uri_address_trusted((struct sockaddr *)&a))
		return err_set(e, ERR_CONF, v->where, "%.100s is asked for keys by https alone; by http, only " TRUSTED,
		               u->host);
	v->final = false;
	return true;
}

/* Of a name, by http: all of its addresses, or none. */
static bool addresses(struct visit *v, struct resolved *to, struct err *e)
{
	if (!resolve_name(v->f, v->uri.host, WAIT_MS, to, e))
		return false;
	bool trusted = to->n <= RESOLVE_MOST;
	for (unsigned i = 0; i < to->n && trusted; i++)
		trusted = uri_address_trusted((struct sockaddr *)&to->a[i]);
	v->final = !trusted;
	return trusted ||
	       err_set(e, ERR_CONF, v->where,
	               "%.100s is no name of this machine, and is asked for keys by https alone; by http, only " TRUSTED,
	               v->uri.host);
}

/* ---- the token */

static bool token_of_file(struct visit *v, const char *path, struct err *e)
{
	struct buf text;
	struct err why;
	bool ok = ini_read_file(path, &text, &why);
	if (ok && text.n && memchr(text.p, '\0', text.n))
		ok = err_set(&why, ERR_CONF, path, "holds a NUL byte");
	if (ok)
		v->token = xstrndup(text.n ? text.p : "", text.n);
	else
		err_set(e, ERR_NOCRED, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "%.120s: %.100s", path, why.text);
	if (text.p)
		hash_wipe(text.p, text.n);
	buf_clear(&text);
	return ok;
}

/* As a header it must be one line: AWS's tools refuse a newline at its end too. */
static bool read_token(struct visit *v, const struct cred_source *s, struct err *e)
{
	const char *where = s->file ? "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" : "AWS_CONTAINER_AUTHORIZATION_TOKEN";
	if (s->file && !token_of_file(v, s->file, e))
		return false;
	if (!s->file)
		keys_put(&v->token, s->token);
	if (!v->token)
		return true;
	if (!*v->token)
		return err_set(e, ERR_NOCRED, where, "the token is empty");
	for (const char *p = v->token; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(e, ERR_NOCRED, where, "the token holds %s, which no header can",
			               *p == '\n' || *p == '\r' ? "a line break" : "a control character");
	return true;
}

/* ---- one answer */

static bool refused(struct visit *v, const struct fetched *got, struct err *e)
{
	char said[METADATA_SAID];
	int status = got->status;
	metadata_said(buf_span(&got->body), said);
	v->final = status < 500 && status != 429 && status != 408;
	enum err_code code = status == 401 || status == 403 ? ERR_AUTH
	                     : status == 429                ? ERR_THROTTLED
	                     : status >= 500                ? ERR_HTTP
	                     : status >= 400                ? ERR_NOCRED
	                                                    : ERR_BADREPLY;
	return err_set(e, code, v->where, "%.60s: HTTP %d%s%.150s", v->uri.host, status, *said ? ": " : "", said);
}

static void fill(const struct visit *v, const char *host, struct http_req *rq)
{
	http_req_init(rq);
	rq->method = "GET";
	http_req_header(rq, "Accept", "application/json");
	http_req_header(rq, "User-Agent", "sluice/" SLUICE_VERSION);
	http_req_header(rq, "Host", host);
	if (v->token)
		http_req_header(rq, "Authorization", v->token);
}

/* at: the host as it stands in the URL, an address in brackets if it needs them. reached: the request may have left. */
static bool ask(struct visit *v, const char *at, struct keys *out, bool *reached, struct err *e)
{
	const struct uri *u = &v->uri;
	struct fetched got;
	struct http_req rq;
	char port[16] = "";
	if (u->port != (u->tls ? 443u : 80u))
		snprintf(port, sizeof port, ":%u", u->port);
	char *url = xasprintf("%s://%s%s%s%s", u->tls ? "https" : "http", at, port, *u->path == '/' ? "" : "/", u->path);
	char *host = xasprintf("%s%s%s%s", u->v6 ? "[" : "", u->host, u->v6 ? "]" : "", port);
	fill(v, host, &rq);
	bool ok = fetch_http(
	    v->f,
	    &(struct fetch_get){
	        .url = url, .req = &rq, .connect_ms = WAIT_MS, .total_ms = WAIT_MS, .direct = true, .cap = METADATA_CAP },
	    &got, e);
	*reached = ok || got.sent != HTTP_NOT_SENT;
	log_debug(LOG_AWS, "credentials from %s: HTTP %d%s%s", host, got.status, ok ? "" : ": ", ok ? "" : e->text);
	if (ok)
		ok = got.status == 200 ? metadata_keys(buf_span(&got.body), v->where, out, e) : refused(v, &got, e);
	else
		v->final = e->code != ERR_CONNECT && e->code != ERR_TIMEOUT && e->code != ERR_DNS;
	fetched_clear(&got);
	http_req_wipe(&rq);
	free(host);
	free(url);
	return ok;
}

static bool ask_addresses(struct visit *v, struct keys *out, struct err *e)
{
	struct resolved to;
	bool ok = false, reached = false;
	if (!addresses(v, &to, e))
		return false;
	for (unsigned i = 0; i < to.n && !ok && !reached; i++) {
		char text[INET6_ADDRSTRLEN], at[INET6_ADDRSTRLEN + 2];
		bool six = to.a[i].ss_family == AF_INET6;
		const void *raw = six ? (void *)&((struct sockaddr_in6 *)(void *)&to.a[i])->sin6_addr
		                      : (void *)&((struct sockaddr_in *)(void *)&to.a[i])->sin_addr;
		inet_ntop(to.a[i].ss_family, raw, text, sizeof text);
		snprintf(at, sizeof at, six ? "[%s]" : "%s", text);
		ok = ask(v, at, out, &reached, e);
	}
	return ok;
}

static bool ask_host(struct visit *v, struct keys *out, struct err *e)
{
	char at[URI_HOST + 2];
	bool reached;
	if (!v->uri.tls && !v->uri.address)
		return ask_addresses(v, out, e);
	snprintf(at, sizeof at, v->uri.v6 ? "[%s]" : "%s", v->uri.host);
	return ask(v, at, out, &reached, e);
}

bool cred_from_container(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	struct visit v = { .f = f };
	v.where = s->relative ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
	bool ok = judge(&v, s, e) && read_token(&v, s, e);
	for (unsigned i = 0; ok; i++) {
		ok = ask_host(&v, out, e);
		if (ok || v.final || i + 1 == TRIES || e->code == ERR_CANCELLED || !fetch_sleep(f, PAUSE_MS, e))
			break;
		ok = true;
	}
	if (!ok && strcmp(e->where, "http") == 0)
		snprintf(e->where, sizeof e->where, "%s", v.where);
	keys_put(&v.token, NULL);
	return ok;
}
