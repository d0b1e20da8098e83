#include "aws/http/resolve.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 5

/* Shared by the asker and the thread that asks; whoever leaves last frees it. */
struct question {
	char *name;
	struct resolved found;
	int rc;
	atomic_bool answered;
	atomic_int holders;
};

static void let_go(struct question *q)
{
	if (atomic_fetch_sub(&q->holders, 1) > 1)
		return;
	free(q->name);
	free(q);
}

static void keep(struct resolved *r, const struct sockaddr *a, size_t n)
{
	if (r->n < RESOLVE_MOST && n <= sizeof r->a[0])
		memcpy(&r->a[r->n], a, n);
	r->n += r->n <= RESOLVE_MOST;
}

static void *ask(void *arg)
{
	struct question *q = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	q->rc = getaddrinfo(q->name, NULL, &hints, &list);
	for (const struct addrinfo *i = q->rc ? NULL : list; i; i = i->ai_next)
		keep(&q->found, i->ai_addr, i->ai_addrlen);
	if (!q->rc)
		freeaddrinfo(list);
	atomic_store(&q->answered, true);
	let_go(q);
	return NULL;
}

/* RFC 6761: nobody need be asked, and a resolver that says otherwise is wrong. */
static void of_localhost(struct resolved *out)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	keep(out, (struct sockaddr *)&four, sizeof four);
	keep(out, (struct sockaddr *)&six, sizeof six);
}

static bool start(struct question *q)
{
	pthread_t thread;
	if (thread_start(&thread, ask, q) != 0) {
		let_go(q);
		return false;
	}
	pthread_detach(thread);
	return true;
}

bool resolve_name(const struct fetch *f, const char *name, int wait_ms, struct resolved *out, struct err *e)
{
	int64_t until = clock_mono_ms() + wait_ms;
	*out = (struct resolved){ 0 };
	if (strcmp(name, "localhost") == 0) {
		of_localhost(out);
		return true;
	}
	struct question *q = xcalloc(1, sizeof *q);
	q->name = xstrdup(name);
	atomic_init(&q->holders, 2);
	bool asked = start(q), ok = asked;
	while (ok && !atomic_load(&q->answered) && clock_mono_ms() < until)
		ok = fetch_sleep(f, LOOK_MS, e);
	if (!asked)
		err_set(e, ERR_INTERNAL, "resolver", "no thread for it");
	else if (ok && !atomic_load(&q->answered))
		ok = err_set(e, ERR_TIMEOUT, "resolver", "the name %.100s was not resolved in time", name);
	else if (ok && (q->rc || !q->found.n))
		ok = err_set(e, ERR_DNS, "resolver", "%.100s: %s", name, q->rc ? gai_strerror(q->rc) : "no address");
	if (ok)
		*out = q->found;
	let_go(q);
	return ok;
}
