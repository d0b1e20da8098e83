#include "sim/sim_line.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static ssize_t feed(void *ctx, uint64_t at, char *out, size_t max)
{
	struct sim_sending *s = ctx;
	const struct sim_answer *a = s->answer;
	if (at >= s->end)
		return s->broken ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	if (a->line == LINE_DRIP && !s->waited) {
		s->waited = true;
		return s->pause(s->ctx, a->line_n) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
	}
	size_t n = s->end - (size_t)at;
	n = n < s->step ? n : s->step;
	n = n < max ? n : max;
	memcpy(out, a->body.p + at, n);
	s->waited = false;
	return (ssize_t)n;
}

static struct MHD_Response *whole(struct sim_answer *a)
{
	size_t n = a->body.n;
	char *body = n ? buf_steal(&a->body) : xstrdup("");
	struct MHD_Response *r = MHD_create_response_from_buffer(n, body, MHD_RESPMEM_MUST_FREE);
	if (!r)
		free(body);
	return r;
}

/* Content-Length is the size given; MHD_SIZE_UNKNOWN makes it chunks, unless short_length() forbids them. */
static struct MHD_Response *broken(struct sim_sending *s)
{
	const struct sim_answer *a = s->answer;
	uint64_t size = a->body.n;
	s->end = s->step = a->body.n;
	if (a->line == LINE_HALF) {
		s->broken = true;
		s->end = a->line_n < 0 ? s->end / 2 : (size_t)a->line_n < s->end ? (size_t)a->line_n : s->end;
	} else if (a->line == LINE_LENGTH) {
		s->broken = a->line_n > 0;
		size = a->line_n > 0 ? size + (uint64_t)a->line_n : MHD_SIZE_UNKNOWN; /* short_length() says one */
	} else if (a->line == LINE_CHUNKED) {
		s->step = (size_t)a->line_n;
		size = MHD_SIZE_UNKNOWN;
	} else {
		s->step = 1;
	}
	return MHD_create_response_from_callback(size, 16384, feed, s, NULL);
}

static void short_length(struct MHD_Response *r, const struct sim_answer *a)
{
	char text[24];
	int64_t n = (int64_t)a->body.n + a->line_n;
	snprintf(text, sizeof text, "%lld", (long long)(n > 0 ? n : 0));
	MHD_set_response_options(r, MHD_RF_INSANITY_HEADER_CONTENT_LENGTH | MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	MHD_add_response_header(r, "Content-Length", text);
}

/* Dissolving a connection is a reset at once; closing it, as libmicrohttpd does, would say goodbye first. */
static void make_reset(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	if (info && connect(info->connect_fd, &nobody, sizeof nobody) != 0)
		shutdown(info->connect_fd, SHUT_RDWR);
}

void sim_line_flatten(struct sim_answer *a)
{
	struct buf all;
	buf_init(&all, a->body.max + 65536);
	buf_addf(&all, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n", a->status,
	         MHD_get_reason_phrase_for((unsigned)a->status), a->body.n);
	if (a->type)
		buf_addf(&all, "Content-Type: %s\r\n", a->type);
	for (unsigned i = 0; i < a->nextra; i++)
		buf_addf(&all, "%s: %s\r\n", a->extra[i].name, a->extra[i].value);
	buf_adds(&all, "\r\n");
	buf_addspan(&all, buf_span(&a->body));
	buf_clear(&a->body);
	a->body = all;
}

bool sim_line_trickle(struct MHD_Connection *conn, const struct sim_answer *a, size_t *sent)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info || *sent >= a->body.n || send(info->connect_fd, a->body.p + *sent, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return false;
	return ++*sent < a->body.n;
}

enum MHD_Result sim_line_send(struct sim_sending *s)
{
	struct sim_answer *a = s->answer;
	if (a->line == LINE_RESET)
		make_reset(s->conn);
	if (a->line == LINE_RESET || a->line == LINE_LOST || a->line == LINE_TRICKLE)
		return MHD_NO;
	struct MHD_Response *r = a->line == LINE_WHOLE ? whole(a) : broken(s);
	if (!r)
		return MHD_NO;
	if (a->type)
		MHD_add_response_header(r, "Content-Type", a->type);
	for (unsigned i = 0; i < a->nextra; i++)
		MHD_add_response_header(r, a->extra[i].name, a->extra[i].value);
	if (a->line == LINE_LENGTH && a->line_n <= 0)
		short_length(r, a);
	enum MHD_Result sent = MHD_queue_response(s->conn, (unsigned)a->status, r);
	MHD_destroy_response(r);
	return sent;
}
