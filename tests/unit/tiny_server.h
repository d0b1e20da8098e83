/* A small HTTP server for tests: one thread, many connections, answers made by a function. Loopback only. */
#ifndef TESTS_TINY_SERVER_H
#define TESTS_TINY_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TINY_CONNECTIONS 64
#define TINY_REQUEST (256 * 1024)

struct tiny_reply {
	const char *raw; /* the whole answer, status line and all; NULL: none */
	size_t n;        /* 0: strlen(raw) */
	bool close;      /* after it */
	bool silent;     /* never answer, keep the connection */
};

struct tiny_connection {
	int fd;
	char *in;
	size_t n;
};

struct tiny {
	int fd, stop[2];
	unsigned port;
	pthread_t thread;
	void (*answer)(struct tiny *t, const char *request, struct tiny_reply *r);
	void *ctx;
	atomic_uint connections, requests;
	struct tiny_connection c[TINY_CONNECTIONS];
};

static inline void tiny_drop(struct tiny_connection *c)
{
	close(c->fd);
	free(c->in);
	*c = (struct tiny_connection){ .fd = -1 };
}

/* Length of the complete request at the front, 0 when it is not complete. */
static inline size_t tiny_request_length(const char *in, size_t n)
{
	const char *end = memmem(in, n, "\r\n\r\n", 4);
	if (!end)
		return 0;
	const char *length = strcasestr(in, "\r\nContent-Length:");
	size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0, head = (size_t)(end - in) + 4;
	return n >= head + body ? head + body : 0;
}

static inline bool tiny_serve(struct tiny *t, struct tiny_connection *c)
{
	ssize_t got = read(c->fd, c->in + c->n, TINY_REQUEST - c->n - 1);
	if (got <= 0)
		return false;
	c->n += (size_t)got;
	c->in[c->n] = '\0';
	for (size_t n; (n = tiny_request_length(c->in, c->n));) {
		char *request = strndup(c->in, n);
		struct tiny_reply r = { 0 };
		memmove(c->in, c->in + n, c->n - n + 1);
		c->n -= n;
		t->answer(t, request, &r);
		atomic_fetch_add(&t->requests, 1);
		free(request);
		if (r.silent)
			continue;
		size_t size = r.n ? r.n : r.raw ? strlen(r.raw) : 0;
		for (size_t at = 0; at < size;) {
			ssize_t w = send(c->fd, r.raw + at, size - at, MSG_NOSIGNAL);
			if (w <= 0)
				return false;
			at += (size_t)w;
		}
		if (r.close)
			return false;
	}
	return true;
}

static inline void tiny_accept(struct tiny *t)
{
	int fd = accept(t->fd, NULL, NULL);
	for (unsigned i = 0; fd >= 0 && i < TINY_CONNECTIONS; i++) {
		if (t->c[i].fd >= 0)
			continue;
		t->c[i] = (struct tiny_connection){ fd, malloc(TINY_REQUEST), 0 };
		atomic_fetch_add(&t->connections, 1);
		return;
	}
	if (fd >= 0)
		close(fd);
}

static inline void *tiny_run(void *ctx)
{
	struct tiny *t = ctx;
	for (;;) {
		struct pollfd p[TINY_CONNECTIONS + 2] = { { t->stop[0], POLLIN, 0 }, { t->fd, POLLIN, 0 } };
		for (unsigned i = 0; i < TINY_CONNECTIONS; i++)
			p[i + 2] = (struct pollfd){ t->c[i].fd, POLLIN, 0 };
		if (poll(p, TINY_CONNECTIONS + 2, -1) < 0)
			continue;
		if (p[0].revents)
			return NULL;
		for (unsigned i = 0; i < TINY_CONNECTIONS; i++)
			if (p[i + 2].revents && t->c[i].fd >= 0 && !tiny_serve(t, &t->c[i]))
				tiny_drop(&t->c[i]);
		if (p[1].revents)
			tiny_accept(t);
	}
}

static inline void tiny_start(struct tiny *t, void (*answer)(struct tiny *, const char *, struct tiny_reply *),
                              void *ctx)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	memset(t, 0, sizeof *t);
	t->answer = answer;
	t->ctx = ctx;
	for (unsigned i = 0; i < TINY_CONNECTIONS; i++)
		t->c[i].fd = -1;
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || bind(t->fd, (struct sockaddr *)&at, sizeof at) || listen(t->fd, 64) ||
	    getsockname(t->fd, (struct sockaddr *)&at, &n) || pipe(t->stop)) {
		perror("tiny_start");
		exit(1);
	}
	t->port = ntohs(at.sin_port);
	pthread_create(&t->thread, NULL, tiny_run, t);
}

static inline void tiny_stop(struct tiny *t)
{
	close(t->stop[1]);
	pthread_join(t->thread, NULL);
	for (unsigned i = 0; i < TINY_CONNECTIONS; i++)
		if (t->c[i].fd >= 0)
			tiny_drop(&t->c[i]);
	close(t->fd);
	close(t->stop[0]);
}

#endif
