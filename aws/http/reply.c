#include "aws/http/reply.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 256
#define HEAD_BYTES_MAX (64u << 10) /* trailer included */
#define INTERIM_MAX 20
#define KEEP_BYTES (16u << 10) /* what a body may keep between answers */
#define TRUST_BYTES (1u << 20) /* of a length that was announced so much is believed before it comes */
#define PIECE 16384            /* bytes unpacked at a time */

static bool broken(struct reply *r, enum err_code code, const char *why)
{
	if (r->code == ERR_OK) {
		r->code = code;
		r->why = why;
	}
	return false;
}

/* ---- the head */

static void drop_head(struct reply *r)
{
	for (unsigned i = 0; i < r->nhead; i++) {
		free(r->head[i].name);
		free(r->head[i].value);
	}
	r->nhead = 0;
	r->head_bytes = 0;
	r->status = 0;
	r->length = -1;
	r->chunked = r->head_ended = false;
	r->coding = REPLY_PLAIN;
}

/* What came before was an interim answer: its headers are not this one's. */
static bool status_line(struct reply *r, struct span line)
{
	drop_head(r);
	r->begun = true;
	if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || line.p[8] != ' ' || (line.n > 12 && line.p[12] != ' '))
		return broken(r, ERR_BADREPLY, "the answer is not HTTP/1.1");
	for (unsigned i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return broken(r, ERR_BADREPLY, "the answer has no status");
		r->status = 10 * r->status + (line.p[i] - '0');
	}
	if (r->status == 101)
		return broken(r, ERR_BADREPLY, "the answer wants to speak another protocol");
	if (r->status < 200 && ++r->ninterim > INTERIM_MAX)
		return broken(r, ERR_LIMIT, "too many interim answers");
	return true;
}

/* Digits alone, and the same each time it is said: whoever reads it differently would see the answer end elsewhere. */
static bool content_length(struct reply *r, struct span value)
{
	int64_t n = 0;
	bool good = value.n && value.n <= 18;
	for (size_t i = 0; i < value.n && good; i++) {
		good = value.p[i] >= '0' && value.p[i] <= '9';
		n = 10 * n + (value.p[i] - '0');
	}
	if (!good || (r->length >= 0 && r->length != n))
		return broken(r, ERR_BADREPLY, "the answer's Content-Length makes no sense");
	r->length = n;
	return true;
}

static bool transfer_encoding(struct reply *r, struct span value)
{
	if (r->chunked || !span_eq_nocase(value, "chunked"))
		return broken(r, ERR_BADREPLY, "the answer's Transfer-Encoding makes no sense");
	return r->chunked = true;
}

static bool content_encoding(struct reply *r, struct span value)
{
	if (value.n == 0 || span_eq_nocase(value, "identity"))
		return true;
	if (r->coding != REPLY_PLAIN || !(span_eq_nocase(value, "gzip") || span_eq_nocase(value, "x-gzip")))
		return broken(r, ERR_BADREPLY, "the answer is packed in a way that was not asked for");
	r->coding = REPLY_GZIP;
	return true;
}

static bool header(struct reply *r, struct span line)
{
	const char *colon = memchr(line.p, ':', line.n);
	if (!colon)
		return true;
	struct span name = { line.p, (size_t)(colon - line.p) };
	struct span value = span_trim((struct span){ colon + 1, line.n - name.n - 1 });
	if (r->nhead == HEADERS_MAX)
		return broken(r, ERR_LIMIT, "the answer's headers are too large");
	if ((span_eq_nocase(name, "Content-Length") && !content_length(r, value)) ||
	    (span_eq_nocase(name, "Transfer-Encoding") && !transfer_encoding(r, value)) ||
	    (span_eq_nocase(name, "Content-Encoding") && !content_encoding(r, value)))
		return false;
	MEM_GROW(r->head, r->nhead, r->chead);
	r->head[r->nhead++] = (struct http_header){ xstrndup(name.p, name.n), xstrndup(value.p, value.n) };
	return true;
}

static bool end_of_head(struct reply *r)
{
	r->head_ended = true;
	if (r->chunked && r->length >= 0)
		return broken(r, ERR_BADREPLY, "the answer gives its length in two ways");
	if (r->status == 204 && (r->chunked || r->length > 0))
		return broken(r, ERR_BADREPLY, "an answer without content has a body");
	if (r->status >= 200 && r->length > 0 && (uint64_t)r->length <= r->body.max)
		buf_room(&r->body, r->length < TRUST_BYTES ? (size_t)r->length : TRUST_BYTES);
	return true;
}

bool reply_line(struct reply *r, struct span line)
{
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (line.n >= 5 && memcmp(line.p, "HTTP/", 5) == 0)
		return status_line(r, line);
	r->head_bytes += line.n;
	if (r->head_bytes > HEAD_BYTES_MAX)
		return broken(r, ERR_LIMIT, "the answer's headers are too large");
	if (r->head_ended) /* a trailer: nothing that AWS says stands there */
		return true;
	return line.n ? header(r, line) : end_of_head(r);
}

/* ---- the body */

static bool add(struct reply *r, const void *p, size_t n)
{
	return buf_add(&r->body, p, n) || broken(r, ERR_LIMIT, "the answer is larger than its cap");
}

static bool unpack_begin(struct reply *r)
{
	r->packed_any = true;
	if (r->unpack_ready)
		return inflateReset(&r->unpack) == Z_OK || broken(r, ERR_INTERNAL, "zlib");
	r->unpack_ready = inflateInit2(&r->unpack, 16 + MAX_WBITS) == Z_OK; /* 16: gzip's head and sum, nothing else */
	return r->unpack_ready || broken(r, ERR_INTERNAL, "zlib");
}

static bool unpack(struct reply *r, const char *p, size_t n)
{
	unsigned char piece[PIECE];
	if (!r->packed_any && !unpack_begin(r))
		return false;
	r->unpack.next_in = (const Bytef *)p;
	r->unpack.avail_in = (uInt)n;
	do {
		if (r->packed_all)
			return broken(r, ERR_BADREPLY, "more follows behind the packed answer's end");
		r->unpack.next_out = piece;
		r->unpack.avail_out = sizeof piece;
		int rc = inflate(&r->unpack, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return broken(r, ERR_BADREPLY, "the packed answer is damaged");
		if (!add(r, piece, sizeof piece - r->unpack.avail_out))
			return false;
		r->packed_all = rc == Z_STREAM_END;
	} while (r->unpack.avail_in || (r->unpack.avail_out == 0 && !r->packed_all));
	return true;
}

bool reply_data(struct reply *r, const char *p, size_t n)
{
	return n == 0 || (r->coding == REPLY_GZIP ? unpack(r, p, n) : add(r, p, n));
}

bool reply_whole(struct reply *r)
{
	/* Curl takes a line that closes within the headers, or behind an interim answer, for the end of a good one. */
	if (!r->head_ended || r->status < 200)
		return broken(r, ERR_BADREPLY, "the answer ended within its headers");
	if (r->sized && r->body.n && !r->chunked && r->length < 0)
		return broken(r, ERR_BADREPLY, "the answer gives no length: whether it is whole cannot be known");
	if (r->packed_any && !r->packed_all)
		return broken(r, ERR_BADREPLY, "the packed answer was cut short");
	return r->code == ERR_OK;
}

/* ---- life */

void reply_init(struct reply *r)
{
	*r = (struct reply){ .length = -1 };
	buf_init_secret(&r->body, 0); /* credentials come this way, too */
}

void reply_begin(struct reply *r, size_t cap, bool sized)
{
	drop_head(r);
	r->sized = sized;
	buf_reset(&r->body);
	r->body.max = cap;
	r->code = ERR_OK;
	r->why = NULL;
	r->ninterim = 0;
	r->begun = r->packed_any = r->packed_all = false;
}

void reply_trim(struct reply *r)
{
	drop_head(r);
	if (r->body.cap > KEEP_BYTES)
		buf_clear(&r->body);
	else
		buf_reset(&r->body);
}

void reply_clear(struct reply *r)
{
	drop_head(r);
	free(r->head);
	buf_clear(&r->body);
	if (r->unpack_ready)
		inflateEnd(&r->unpack);
	r->unpack_ready = false;
}
