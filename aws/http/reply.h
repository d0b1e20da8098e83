/* One HTTP answer as it comes in: its head, held to HTTP's rules (RFC 9112) where a breach could be taken for a good answer,
 * and its body, unpacked (gzip alone; nothing else is asked for). Pure: no I/O, no curl. Curl reads lengths and chunks by
 * itself, but leniently, and calls a packed body that was cut whole: what is refused here, it would let pass. */
#ifndef AWS_REPLY_H
#define AWS_REPLY_H

#include "aws/op.h"

#include <stdbool.h>
#include <stdint.h>
#define ZLIB_CONST /* next_in only reads */
#include <zlib.h>

enum reply_coding { REPLY_PLAIN, REPLY_GZIP };

struct reply {
	struct http_header *head; /* owned; not the trailer's */
	unsigned nhead, chead;
	struct buf body;    /* unpacked; its max is the cap */
	enum err_code code; /* ERR_OK, or what the first breach was: */
	const char *why;    /* in words, static */
	int status;
	/* inside */
	size_t head_bytes;
	unsigned ninterim;
	int64_t length; /* Content-Length; -1: none */
	bool sized, begun, chunked, head_ended;
	enum reply_coding coding;
	z_stream unpack;
	bool unpack_ready, packed_any, packed_all;
};

void reply_init(struct reply *r);
/* Before each answer; memory is kept. sized: a body that only the end of the line ends is refused. Over TLS a cut looks the same,
 * since curl does not tell whether the other side said goodbye. */
void reply_begin(struct reply *r, size_t cap, bool sized);
/* A line of a head or trailer with its line end, or a piece of the body as it came. false: the answer is to be given up. */
bool reply_line(struct reply *r, struct span line);
bool reply_data(struct reply *r, const char *p, size_t n);
bool reply_whole(struct reply *r); /* once the transfer ended well: did the answer, too? */
void reply_trim(struct reply *r);  /* between answers: gives back what an unusual one took */
void reply_clear(struct reply *r); /* frees all */

#endif
