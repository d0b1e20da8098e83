/* Variable-length integers, seven bits a byte, least first; and a reader that cannot leave its bytes: past the end or past
 * 64 bits it turns bad, stays bad and gives zeros. */
#ifndef CACHE_VARINT_H
#define CACHE_VARINT_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct reader reader_of(struct span s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	return (struct reader){ p, p + s.n, false };
}

static inline uint64_t read_byte(struct reader *r)
{
	if (r->p == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->p++;
}

static inline uint64_t read_varint(struct reader *r)
{
	uint64_t v = read_byte(r);
	if (v < 0x80)
		return v;
	v &= 0x7f;
	for (unsigned shift = 7; shift < 64; shift += 7) {
		uint64_t byte = read_byte(r);
		v |= (byte & 0x7f) << shift;
		if (byte < 0x80) {
			if (shift == 63 && byte > 1)
				break;
			return v;
		}
	}
	r->bad = true;
	r->p = r->end;
	return 0;
}

/* A borrowed part of the bytes, n long. */
static inline struct span read_span(struct reader *r, uint64_t n)
{
	if (n > (uint64_t)(r->end - r->p)) {
		r->bad = true;
		r->p = r->end;
		return (struct span){ "", 0 };
	}
	struct span s = { (const char *)r->p, (size_t)n };
	r->p += n;
	return s;
}

/* At most 10 bytes at p; returns what follows them. */
static inline uint8_t *write_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static inline void put_varint(struct buf *b, uint64_t v)
{
	uint8_t bytes[10], *end = write_varint(bytes, v);
	buf_add(b, bytes, (size_t)(end - bytes));
}

static inline uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

#endif
