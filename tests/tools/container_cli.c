/* For tests: which hosts a container's URI may name, judged by the provider itself and not by a copy of its rules. A line of JSON
 * in, one out. The network is cut off: the resolver answers what the line says (one list of addresses a question, the last one
 * again and again; after "slow_ms"), a connection is noted and refused, and the pause before another attempt ends the fetch. */
#include "aws/cred/cred.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_NS 50000000L
#define MOST 64

/* Shared with the resolver's threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct json *answers;
static unsigned lookups, connections;
static int64_t slow_ms;
static char connected[MOST][80];
static atomic_bool stop;

/* ---- what the libraries meet in place of the network */

static struct addrinfo *address(const char *text, struct addrinfo *next)
{
	struct addrinfo *i = xcalloc(1, sizeof *i);
	struct sockaddr_storage *a = xcalloc(1, sizeof *a);
	bool six = strchr(text, ':');
	a->ss_family = six ? AF_INET6 : AF_INET;
	void *raw = six ? (void *)&((struct sockaddr_in6 *)(void *)a)->sin6_addr
	                : (void *)&((struct sockaddr_in *)(void *)a)->sin_addr;
	if (inet_pton(a->ss_family, text, raw) != 1)
		abort();
	i->ai_family = a->ss_family;
	i->ai_socktype = SOCK_STREAM;
	i->ai_protocol = IPPROTO_TCP;
	i->ai_addr = (struct sockaddr *)a;
	i->ai_addrlen = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	i->ai_next = next;
	return i;
}

static struct addrinfo *reversed(struct addrinfo *list)
{
	struct addrinfo *out = NULL;
	for (struct addrinfo *next; list; list = next) {
		next = list->ai_next;
		list->ai_next = out;
		out = list;
	}
	return out;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	(void)name, (void)hints;
	*list = NULL;
	pthread_mutex_lock(&lock);
	const struct json *set = json_first(answers);
	for (unsigned i = 0; i < lookups && json_next(set); i++)
		set = json_next(set);
	lookups++;
	for (const struct json *a = json_first(set); a; a = json_next(a))
		*list = address(json_str(a), *list);
	struct timespec wait = { .tv_sec = slow_ms / 1000, .tv_nsec = slow_ms % 1000 * 1000000 };
	pthread_mutex_unlock(&lock);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
	*list = reversed(*list);
	for (struct addrinfo *i = *list; i && service; i = i->ai_next)
		((struct sockaddr_in *)(void *)i->ai_addr)->sin_port =
		    htons((uint16_t)strtoul(service, NULL, 10)); /* IPv6's is there too */
	return *list ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	for (struct addrinfo *next; list; list = next) {
		next = list->ai_next;
		free(list->ai_addr);
		free(list);
	}
}

int connect(int fd, const struct sockaddr *a, socklen_t n)
{
	char text[64] = "?";
	(void)fd, (void)n;
	const void *raw = a->sa_family == AF_INET6
	                      ? (const void *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr
	                      : (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr;
	inet_ntop(a->sa_family, raw, text, sizeof text);
	pthread_mutex_lock(&lock);
	if (connections < MOST)
		snprintf(connected[connections++], sizeof connected[0], "%s %u", text,
		         ntohs(((const struct sockaddr_in *)(const void *)a)->sin_port));
	pthread_mutex_unlock(&lock);
	errno = ECONNREFUSED;
	return -1;
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
	if (t->tv_sec || t->tv_nsec >= PAUSE_NS) {
		atomic_store(&stop, true);
		return 0;
	}
	return clock_nanosleep(CLOCK_MONOTONIC, 0, t, left);
}

/* ---- one line */

static void judge(const struct account *a, const struct json *line)
{
	struct err e = { 0 };
	struct keys k = { 0 };
	struct buf b;
	struct json_out o;
	bool relative = false;
	answers = json_get(line, "answers");
	lookups = connections = 0;
	slow_ms = 0;
	json_int(json_get(line, "slow_ms"), &slow_ms);
	atomic_store(&stop, false);
	json_bool(json_get(line, "relative"), &relative);
	struct cred_source s = { .from = CRED_CONTAINER, .relative = relative };
	s.uri = xasprintf("%s%s", relative ? "http://169.254.170.2" : "", json_get_str(line, "uri"));
	struct fetch f = { .account = a, .stop = &stop, .deadline_ms = clock_mono_ms() + 20000 };
	int64_t begun = clock_mono_ms();
	cred_fetch(&f, &s, &k, &e);
	fetch_end(&f);
	buf_init(&b, 1u << 20);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "error", err_name(e.code));
	json_out_str(&o, "text", e.text);
	json_out_int(&o, "ms", clock_mono_ms() - begun);
	json_out_int(&o, "lookups", lookups);
	json_out_array(&o, "connected");
	for (unsigned i = 0; i < connections; i++)
		json_out_str(&o, NULL, connected[i]);
	json_out_array_end(&o);
	json_out_object_end(&o);
	puts(b.p);
	buf_clear(&b);
	free(s.uri);
	keys_clear(&k);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	struct err e = { 0 };
	if (!clock_init() || !hash_init() || !http_global_init(&e))
		return 1;
	struct account *a = account_load(&(struct account_in){ .profile = NULL }, NULL);
	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct json *j = json_parse((struct span){ line, (size_t)n }, &e);
		if (!j)
			return 1;
		judge(a, j);
		json_free(j);
	}
	free(line);
	account_free(a);
	return 0;
}
