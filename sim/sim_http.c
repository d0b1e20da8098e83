#include "sim/sim_http.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "sim/sim_control.h"
#include "sim/sim_line.h"
#include "sim/sim_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BODY_MAX (16u << 20)
#define CONNECTIONS 1000
#define IDLE_SECONDS 120

enum stage { RECEIVING, HELD, READY };
/* What becomes of an exchange when its time has come: asked again (a long poll), answered, or its line goes on
 * (by libmicrohttpd, or around it). */
enum then { THEN_SERVE, THEN_SEND, THEN_GO_ON, THEN_TRICKLE };

struct exchange {
	struct MHD_Connection *conn;
	enum stage stage;
	char *uri, *path; /* path and query point into one copy */
	struct buf body;
	bool too_large;
	struct sim_req rq;
	struct sim_answer answer;
	int64_t first_ms, due_ms;
	enum then then;
	struct exchange *next; /* of those that wait */
	struct sim_sending sending;
	size_t trickled;
	struct sim_server *server;
};

struct sim_server {
	struct MHD_Daemon *mhd;
	struct world *world;
	struct sim_key key;
	unsigned latency_ms, port;
	bool stopping;
	int stop_fd;
	pthread_t thread;
	struct exchange *waiting;
};

/* ---- one exchange */

/* Called first, with the only copy of the request line that is not decoded; what it returns travels with the request. */
static void *exchange_new(void *ctx, const char *uri, struct MHD_Connection *conn)
{
	struct exchange *x = xcalloc(1, sizeof *x);
	char *mark;
	x->server = ctx;
	x->conn = conn;
	x->uri = xstrdup(uri);
	buf_init(&x->body, BODY_MAX);
	x->rq.answer = &x->answer;
	mark = strchr(x->uri, '?');
	x->rq.path = x->uri;
	x->rq.query = mark ? mark + 1 : "";
	if (mark)
		*mark = '\0';
	return x;
}

static void exchange_done(void *ctx, struct MHD_Connection *conn, void **req, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *req;
	(void)ctx, (void)conn, (void)why;
	if (!x)
		return;
	buf_clear(&x->body);
	buf_clear(&x->answer.body);
	free(x->uri);
	free(x);
	*req = NULL;
}

static enum MHD_Result add_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct sim_req *rq = ctx;
	(void)kind;
	if (rq->nheader == SIM_HEADERS)
		return MHD_NO;
	rq->header[rq->nheader++] = (struct sim_header){ name, value ? value : "" };
	return MHD_YES;
}

static void hold(struct sim_server *s, struct exchange *x, int64_t ms, enum then then)
{
	x->then = then;
	x->due_ms = clock_mono_ms() + ms;
	x->next = s->waiting;
	s->waiting = x;
}

/* Called by libmicrohttpd, in the middle of a body. */
static bool pause_line(void *ctx, int64_t ms)
{
	struct exchange *x = ctx;
	if (x->server->stopping)
		return false;
	hold(x->server, x, ms, THEN_GO_ON);
	MHD_suspend_connection(x->conn);
	return true;
}

static enum MHD_Result send_answer(struct exchange *x)
{
	x->sending = (struct sim_sending){ .conn = x->conn, .answer = &x->answer, .pause = pause_line, .ctx = x };
	return sim_line_send(&x->sending);
}

/* Works the request out. True when the answer may go now. */
static bool serve(struct sim_server *s, struct exchange *x)
{
	x->answer = (struct sim_answer){ .status = 200 };
	x->rq.waited_ms = clock_mono_ms() - x->first_ms;
	x->stage = HELD;
	if (x->too_large)
		sim_wire_too_large(s->world, &x->rq);
	else if (!sim_control_serve(s->world, &x->rq))
		sim_wire_serve(s->world, &s->key, &x->rq);
	if (x->rq.hold_ms) {
		hold(s, x, x->rq.hold_ms, THEN_SERVE);
		return false;
	}
	if (x->answer.line == LINE_TRICKLE) {
		sim_line_flatten(&x->answer);
		hold(s, x, x->answer.line_n, THEN_TRICKLE);
		return false;
	}
	int64_t slow = s->latency_ms > x->rq.waited_ms ? s->latency_ms - x->rq.waited_ms : 0;
	if (slow + x->answer.delay_ms > 0) {
		hold(s, x, slow + x->answer.delay_ms, THEN_SEND);
		return false;
	}
	x->stage = READY;
	return true;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *conn, const char *url, const char *method,
                                  const char *version, const char *data, size_t *n, void **req)
{
	struct sim_server *s = ctx;
	struct exchange *x = *req;
	(void)url, (void)version;
	if (!x->rq.method) {
		x->rq.method = method;
		if (MHD_get_connection_values(conn, MHD_HEADER_KIND, add_header, &x->rq) < 0)
			return MHD_NO;
		return MHD_YES; /* the body follows */
	}
	if (*n) {
		x->too_large = !buf_add(&x->body, data, *n) || x->too_large;
		*n = 0;
		return MHD_YES;
	}
	if (x->stage == READY)
		return send_answer(x);
	x->rq.body = buf_span(&x->body);
	x->first_ms = clock_mono_ms();
	if (serve(s, x))
		return send_answer(x);
	MHD_suspend_connection(conn);
	return MHD_YES;
}

/* ---- the loop */

/* Its time has come. True when the connection is libmicrohttpd's again. */
static bool goes_on(struct sim_server *s, struct exchange *x)
{
	if (x->then == THEN_SERVE)
		return serve(s, x);
	if (x->then != THEN_TRICKLE || !sim_line_trickle(x->conn, &x->answer, &x->trickled))
		return true;
	hold(s, x, x->answer.line_n, THEN_TRICKLE);
	return false;
}

/* Releases what is due; returns the milliseconds to the next one, -1 when nothing waits. After a release that is 0: only
 * MHD_run takes a resumed connection up, and MHD_get_timeout does not know of it. */
static int64_t release_due(struct sim_server *s)
{
	int64_t now = clock_mono_ms(), next = -1;
	bool released = false;
	struct exchange *list = s->waiting;
	s->waiting = NULL;
	while (list) {
		struct exchange *x = list;
		list = x->next;
		if (x->due_ms > now) {
			x->next = s->waiting;
			s->waiting = x;
		} else if (goes_on(s, x)) {
			x->stage = READY;
			MHD_resume_connection(x->conn);
			released = true;
		}
	}
	for (const struct exchange *x = s->waiting; x; x = x->next)
		if (next < 0 || x->due_ms - now < next)
			next = x->due_ms > now ? x->due_ms - now : 0;
	return released ? 0 : next;
}

static int timeout_ms(struct sim_server *s)
{
	MHD_UNSIGNED_LONG_LONG mhd;
	int64_t ms = release_due(s);
	if (MHD_get_timeout(s->mhd, &mhd) == MHD_YES && (ms < 0 || (int64_t)mhd < ms))
		ms = (int64_t)mhd;
	return ms < 0 ? -1 : ms > 60000 ? 60000 : (int)ms;
}

static void *loop(void *ctx)
{
	struct sim_server *s = ctx;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[2] = { { info->epoll_fd, POLLIN, 0 }, { s->stop_fd, POLLIN, 0 } };
	while (!fds[1].revents) {
		if (poll(fds, 2, timeout_ms(s)) < 0 && errno != EINTR)
			break;
		MHD_run(s->mhd);
	}
	/* A suspended connection must not be one when the server stops. */
	s->stopping = true;
	for (struct exchange *x = s->waiting; x; x = x->next) {
		x->answer.status = 503;
		x->stage = READY;
		MHD_resume_connection(x->conn);
	}
	MHD_run(s->mhd);
	return NULL;
}

static size_t keep_encoded(void *ctx, struct MHD_Connection *conn, char *s)
{
	(void)ctx, (void)conn;
	return strlen(s);
}

static bool listen_on(struct sim_server *s, unsigned port, struct err *e)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	errno = 0;
	s->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, (uint16_t)port, NULL, NULL, on_request, s,
	                          MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_URI_LOG_CALLBACK, exchange_new,
	                          s, MHD_OPTION_NOTIFY_COMPLETED, exchange_done, s, MHD_OPTION_UNESCAPE_CALLBACK,
	                          keep_encoded, s, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
	                          IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(128 * 1024), MHD_OPTION_END);
	if (!s->mhd)
		return err_set(e, ERR_CONNECT, "sim", "cannot listen on 127.0.0.1:%u: %s", port, strerror(errno));
	s->port = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_BIND_PORT)->port;
	return true;
}

struct sim_server *sim_server_start(unsigned port, struct world *w, const struct sim_key *key, unsigned latency_ms,
                                    struct err *e)
{
	struct sim_server *s = xcalloc(1, sizeof *s);
	s->world = w;
	s->key = *key;
	s->latency_ms = latency_ms;
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (s->stop_fd < 0) {
		err_set(e, ERR_INTERNAL, "sim", "%s", strerror(errno));
	} else if (listen_on(s, port, e)) {
		if (thread_start(&s->thread, loop, s) == 0)
			return s;
		err_set(e, ERR_INTERNAL, "sim", "no thread");
		MHD_stop_daemon(s->mhd);
	}
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	free(s);
	return NULL;
}

unsigned sim_server_port(const struct sim_server *s)
{
	return s->port;
}

void sim_server_stop(struct sim_server *s)
{
	uint64_t one = 1;
	if (write(s->stop_fd, &one, sizeof one) == sizeof one)
		pthread_join(s->thread, NULL);
	MHD_stop_daemon(s->mhd);
	close(s->stop_fd);
	free(s);
}
