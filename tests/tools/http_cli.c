/* For the fault tests: sends the requests that come as lines of JSON on stdin through aws/http/http.c, one after the other on kept
 * connections, and writes a line of JSON for each: how it was classed, and what it cost.
 *   {"url":, "method":, "id": (X-Id), "body": or "size": (of a body of blanks), "once":, "cap":, "total_ms":,
 *    "anew": true forgets all connections first, "ca": the bundle from then on} */
#include "aws/http/http.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BODY_SHOWN 4096

struct outcome {
	unsigned done; /* times told: more than one is a bug */
	enum http_sent sent;
	int status;
	size_t n;
	struct buf body;
	struct err e;
};

static void on_done(void *ctx, enum http_sent sent, const struct http_res *res, const struct err *e)
{
	struct outcome *o = ctx;
	o->done++;
	o->sent = sent;
	o->e = *e;
	if (!res)
		return;
	o->status = res->status;
	o->n = res->body.n;
	if (res->body.n)
		buf_add(&o->body, res->body.p, res->body.n < BODY_SHOWN ? res->body.n : BODY_SHOWN);
}

/* ---- memory: what is resident, and the most that was since peak_reset */

static void peak_reset(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "5", 1) != 1)
		perror("clear_refs");
	close(fd);
}

static int64_t memory_kib(const char *what)
{
	char line[256];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtol(line + strlen(what), NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

/* ---- one request */

static int64_t number(const struct json *j, const char *key)
{
	int64_t v = 0;
	json_int(json_get(j, key), &v);
	return v;
}

static bool flag(const struct json *j, const char *key)
{
	bool v = false;
	json_bool(json_get(j, key), &v);
	return v;
}

static void fill_body(struct http_req *rq, const struct json *j)
{
	const char *body = json_get_str(j, "body");
	if (body)
		buf_adds(&rq->body, body);
	for (int64_t i = number(j, "size"); i > 0; i--)
		buf_addc(&rq->body, ' ');
}

static void send_one(struct http *h, const struct json *j, struct outcome *o)
{
	struct http_req rq;
	const char *method = json_get_str(j, "method"), *id = json_get_str(j, "id");
	http_req_init(&rq);
	rq.method = method ? method : "POST";
	fill_body(&rq, j);
	if (id)
		http_req_header(&rq, "X-Id", id);
	struct http_send s = { .url = json_get_str(j, "url"),
		                   .req = &rq,
		                   .cap = (size_t)number(j, "cap"),
		                   .total_ms = (unsigned)number(j, "total_ms"),
		                   .once = flag(j, "once"),
		                   .done = on_done,
		                   .ctx = o };
	http_submit(h, &s);
	http_req_clear(&rq);
	while (!o->done)
		http_turn(h, 1000);
}

static void print(const struct outcome *o, int64_t ms, int64_t kib)
{
	static const char *const sent[] = {
		[HTTP_NOT_SENT] = "not sent", [HTTP_MAYBE_SENT] = "maybe sent", [HTTP_ANSWERED] = "answered"
	};
	struct buf out;
	struct json_out w;
	buf_init(&out, 64u * BODY_SHOWN);
	json_out_init(&w, &out);
	json_out_object(&w, NULL);
	json_out_str(&w, "sent", sent[o->sent]);
	json_out_int(&w, "status", o->status);
	json_out_int(&w, "n", (int64_t)o->n);
	json_out_span(&w, "body", buf_span(&o->body));
	json_out_str(&w, "code", err_name(o->e.code));
	json_out_str(&w, "text", o->e.text);
	json_out_int(&w, "ms", ms);
	json_out_int(&w, "grew_kib", kib);
	json_out_int(&w, "told", o->done);
	json_out_object_end(&w);
	printf("%s\n", w.ok ? out.p : "{}");
	fflush(stdout);
	buf_clear(&out);
}

static bool renew(struct http **h, const struct json *j)
{
	struct err e = { 0 };
	const char *ca = json_get_str(j, "ca");
	if (*h && !ca && !flag(j, "anew"))
		return true;
	http_free(*h);
	*h = http_new(ca, &e);
	if (!*h)
		print(&(struct outcome){ .e = e }, 0, 0);
	return *h;
}

static void serve(struct http **h, const struct json *j)
{
	struct outcome o = { 0 };
	buf_init(&o.body, BODY_SHOWN);
	if (renew(h, j)) {
		peak_reset();
		int64_t begin = clock_mono_ms(), resident = memory_kib("VmRSS:");
		send_one(*h, j, &o);
		print(&o, clock_mono_ms() - begin, memory_kib("VmHWM:") - resident);
	}
	buf_clear(&o.body);
}

int main(void)
{
	struct http *h = NULL;
	struct err e = { 0 };
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	if (!clock_init() || !hash_init() || !http_global_init(&e))
		return 1;
	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct json *j = json_parse((struct span){ line, (size_t)n }, &e);
		if (j)
			serve(&h, j);
		else
			print(&(struct outcome){ .e = e }, 0, 0);
		json_free(j);
	}
	free(line);
	http_free(h);
	return 0;
}
