/* For the tests of AWS's credential chain: decides and fetches as the program does, with a recorded conversation in place of the
 * network. This file is the network: it defines all of aws/http/http.h, so the library's own is not linked.
 *   chain_cli TRAFFIC.json    environment and files as they are; prints one line of JSON */
#include "aws/cred/cred.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/ini.h"
#include "core/json.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the recording */

struct exchange {
	const char *method, *uri;
	int64_t connection;
	int status;
	struct buf body;
};

static struct exchange recorded[32];
static unsigned nrecorded, asked, repeated, strange;
static char first_strange[512];

static struct exchange *by_connection(int64_t id)
{
	for (unsigned i = nrecorded; i-- > 0;)
		if (recorded[i].connection == id)
			return &recorded[i];
	return NULL;
}

static void note_data(struct exchange *x, const struct json *data)
{
	const struct json *bytes = json_get(data, "data");
	const char *text = json_get_str(bytes, "Utf8"), *base64 = json_get_str(bytes, "Base64"),
	           *direction = json_get_str(data, "direction");
	if (!x || !direction || strcmp(direction, "Response") != 0)
		return;
	if (text)
		buf_adds(&x->body, text);
	else
		hash_unbase64(&x->body, span_of(base64));
}

static void note_event(const struct json *event)
{
	const struct json *action = json_get(event, "action"), *request = json_get(json_get(action, "Request"), "request"),
	                  *response = json_get(json_get(json_get(action, "Response"), "response"), "Ok");
	int64_t id = -1, status;
	json_int(json_get(event, "connection_id"), &id);
	if (request && nrecorded < 32) {
		recorded[nrecorded] =
		    (struct exchange){ json_get_str(request, "method"), json_get_str(request, "uri"), id, 0, { 0 } };
		buf_init(&recorded[nrecorded++].body, 1 << 20);
	} else if (response && by_connection(id) && json_int(json_get(response, "status"), &status)) {
		by_connection(id)->status = (int)status;
	}
	note_data(by_connection(id), json_get(action, "Data"));
}

/* The next exchange, when it is the one that is asked; else the last one once more (a retry); else NULL. */
static const struct exchange *find(const char *method, const char *url)
{
	unsigned candidates[] = { asked, asked - 1 };
	for (unsigned i = 0; i < 2; i++) {
		const struct exchange *x = candidates[i] < nrecorded ? &recorded[candidates[i]] : NULL;
		if (!x || strcmp(x->method, method) != 0 || strcmp(x->uri, url) != 0)
			continue;
		asked += i == 0;
		repeated += i == 1;
		return x;
	}
	if (!strange++)
		snprintf(first_strange, sizeof first_strange, "%s %s", method, url);
	return NULL;
}

/* ---- aws/http/http.h */

struct sent {
	uint64_t id;
	char *url;
	const char *method;
	http_done *done;
	void *ctx;
};

struct http {
	struct sent sent[8];
	unsigned n;
	uint64_t last;
};

bool http_global_init(struct err *e)
{
	(void)e;
	return true;
}

struct http *http_new(const char *ca_bundle, struct err *e)
{
	(void)ca_bundle, (void)e;
	return xcalloc(1, sizeof(struct http));
}

static struct sent take(struct http *h, unsigned i)
{
	struct sent s = h->sent[i];
	h->sent[i] = h->sent[--h->n];
	return s;
}

static void lost(const struct sent *s, enum err_code code)
{
	struct err e;
	err_set(&e, code, "replay", "nothing of the kind was recorded");
	s->done(s->ctx, HTTP_NOT_SENT, NULL, &e);
	free(s->url);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->n) {
		struct sent s = take(h, 0);
		lost(&s, ERR_CANCELLED);
	}
	free(h);
}

uint64_t http_submit(struct http *h, const struct http_send *s)
{
	if (h->n == 8)
		abort();
	h->sent[h->n++] = (struct sent){ ++h->last, xstrdup(s->url), s->req->method, s->done, s->ctx };
	return h->last;
}

void http_cancel(struct http *h, uint64_t id)
{
	for (unsigned i = 0; i < h->n; i++) {
		if (h->sent[i].id != id)
			continue;
		struct sent s = take(h, i);
		lost(&s, ERR_CANCELLED);
		return;
	}
}

unsigned http_busy(const struct http *h)
{
	return h->n;
}

void http_turn(struct http *h, int timeout_ms)
{
	(void)timeout_ms;
	if (!h->n)
		return;
	struct sent s = take(h, 0);
	const struct exchange *x = find(s.method, s.url);
	if (!x) {
		lost(&s, ERR_REFUSED);
		return;
	}
	struct http_res res = { .status = x->status, .body = buf_span(&x->body) };
	s.done(s.ctx, HTTP_ANSWERED, &res, NULL);
	free(s.url);
}

void http_wakeup(struct http *h)
{
	(void)h;
}

/* ---- */

static void report(struct cred *c)
{
	struct sign_keys k;
	struct cred_info i;
	struct err e = { 0 };
	struct buf text;
	struct json_out o;
	uint64_t generation;
	cred_turn(c);
	enum cred_state state = cred_keys(c, &k, &generation, &e);
	cred_look(c, &i);
	buf_init(&text, 1 << 16);
	json_out_init(&o, &text);
	json_out_object(&o, NULL);
	if (state == CRED_READY) {
		json_out_str(&o, "access_key_id", k.access_key);
		json_out_str(&o, "secret_access_key", k.secret_key);
		json_out_str(&o, "session_token", k.session_token);
		json_out_str(&o, "account_id", i.account);
		json_out_int(&o, "expiry", i.expires);
	} else {
		json_out_str(&o, "error", err_name(e.code));
		json_out_str(&o, "where", e.where);
		json_out_str(&o, "text", e.text);
	}
	json_out_int(&o, "asked", asked);
	json_out_int(&o, "recorded", nrecorded);
	json_out_int(&o, "repeated", repeated);
	json_out_str(&o, "strange", strange ? first_strange : NULL);
	json_out_object_end(&o);
	puts(text.p);
	buf_clear(&text);
}

int main(int argc, char **argv)
{
	struct buf text;
	struct err e = { 0 };
	if (argc != 2 || !clock_init() || !hash_init() || !ini_read_file(argv[1], &text, &e))
		return 2;
	struct json *doc = json_parse(buf_span(&text), &e);
	for (const struct json *event = json_first(json_get(doc, "events")); event; event = json_next(event))
		note_event(event);
	struct account *a = account_load(&(struct account_in){ 0 }, NULL);
	struct cred *c = cred_new(a);
	report(c);
	cred_free(c);
	account_free(a);
	for (unsigned i = 0; i < nrecorded; i++)
		buf_clear(&recorded[i].body);
	json_free(doc);
	buf_clear(&text);
	return doc ? 0 : 2;
}
