#include "sim/sim_inflate.h"

#include <stdint.h>
#include <string.h>

#define CODE_BITS 15
#define LITERALS 288
#define DISTANCES 30

struct bits {
	const unsigned char *p, *end;
	uint32_t hold;
	unsigned n;
	bool dry;
};
/* A canonical Huffman code: how many codes of each length, and the symbols in code order. */
struct code {
	uint16_t count[CODE_BITS + 1], symbol[LITERALS];
};

static unsigned take(struct bits *b, unsigned n)
{
	while (b->n < n) {
		if (b->p == b->end) {
			b->dry = true;
			return 0;
		}
		b->hold |= (uint32_t)*b->p++ << b->n;
		b->n += 8;
	}
	unsigned v = b->hold & ((1u << n) - 1);
	b->hold >>= n;
	b->n -= n;
	return v;
}

static bool code_make(struct code *c, const uint8_t *length, unsigned n)
{
	uint16_t at[CODE_BITS + 2] = { 0 };
	int left = 1;
	memset(c->count, 0, sizeof c->count);
	for (unsigned i = 0; i < n; i++)
		c->count[length[i]]++;
	for (unsigned len = 1; len <= CODE_BITS; len++) {
		left = 2 * left - c->count[len];
		if (left < 0)
			return false; /* more codes than fit */
		at[len + 1] = (uint16_t)(at[len] + c->count[len]);
	}
	for (unsigned i = 0; i < n; i++)
		if (length[i])
			c->symbol[at[length[i]]++] = (uint16_t)i;
	return true;
}

static int decode(struct bits *b, const struct code *c)
{
	int code = 0, first = 0, index = 0;
	for (unsigned len = 1; len <= CODE_BITS && !b->dry; len++) {
		code |= (int)take(b, 1);
		int count = c->count[len];
		if (code - count < first)
			return c->symbol[index + code - first];
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return -1;
}

static bool copy_back(struct buf *out, size_t start, unsigned distance, unsigned length)
{
	if (distance > out->n - start)
		return false;
	while (length--)
		if (!buf_addc(out, out->p[out->n - distance]))
			return false;
	return true;
}

static bool codes(struct bits *b, const struct code *lit, const struct code *dist, struct buf *out, size_t start)
{
	static const uint16_t len_base[] = { 3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
		                                 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
	static const uint8_t len_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
		                                 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
	static const uint16_t dist_base[] = { 1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
		                                  33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
		                                  1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
	for (;;) {
		int s = decode(b, lit);
		if (s < 0 || s > 285)
			return false;
		if (s == 256)
			return true;
		if (s < 256) {
			if (!buf_addc(out, (char)s))
				return false;
			continue;
		}
		unsigned length = len_base[s - 257] + take(b, len_extra[s - 257]);
		int d = decode(b, dist);
		if (d < 0 || d >= DISTANCES)
			return false;
		unsigned distance = dist_base[d] + take(b, d < 2 ? 0 : (unsigned)d / 2 - 1);
		if (b->dry || !copy_back(out, start, distance, length))
			return false;
	}
}

static bool stored_block(struct bits *b, struct buf *out)
{
	b->hold = 0;
	b->n = 0;
	if (b->end - b->p < 4)
		return false;
	size_t n = b->p[0] | (size_t)b->p[1] << 8, not = b->p[2] | (size_t)b->p[3] << 8;
	b->p += 4;
	if (n != (~not &0xffff) || (size_t)(b->end - b->p) < n || !buf_add(out, b->p, n))
		return false;
	b->p += n;
	return true;
}

static bool fixed_block(struct bits *b, struct buf *out, size_t start)
{
	uint8_t length[LITERALS];
	struct code lit, dist;
	for (unsigned i = 0; i < LITERALS; i++)
		length[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	code_make(&lit, length, LITERALS);
	memset(length, 5, DISTANCES);
	code_make(&dist, length, DISTANCES);
	return codes(b, &lit, &dist, out, start);
}

static bool read_lengths(struct bits *b, const struct code *c, uint8_t *length, unsigned total)
{
	for (unsigned i = 0; i < total;) {
		int s = decode(b, c);
		if (s < 0 || (s == 16 && i == 0))
			return false;
		if (s < 16) {
			length[i++] = (uint8_t)s;
			continue;
		}
		uint8_t value = s == 16 ? length[i - 1] : 0;
		unsigned n = s == 16 ? 3 + take(b, 2) : s == 17 ? 3 + take(b, 3) : 11 + take(b, 7);
		if (b->dry || i + n > total)
			return false;
		memset(length + i, value, n);
		i += n;
	}
	return true;
}

static bool dynamic_block(struct bits *b, struct buf *out, size_t start)
{
	static const uint8_t order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t length[LITERALS + 32] = { 0 }, small[19] = { 0 };
	struct code c, lit, dist;
	unsigned nlit = take(b, 5) + 257, ndist = take(b, 5) + 1, nsmall = take(b, 4) + 4;
	if (nlit > 286 || ndist > DISTANCES)
		return false;
	for (unsigned i = 0; i < nsmall; i++)
		small[order[i]] = (uint8_t)take(b, 3);
	if (!code_make(&c, small, 19) || !read_lengths(b, &c, length, nlit + ndist))
		return false;
	return length[256] && code_make(&lit, length, nlit) && code_make(&dist, length + nlit, ndist) &&
	       codes(b, &lit, &dist, out, start);
}

static bool inflate(struct bits *b, struct buf *out)
{
	size_t start = out->n;
	for (bool last = false; !last;) {
		last = take(b, 1);
		unsigned kind = take(b, 2);
		bool ok = !b->dry && (kind == 0   ? stored_block(b, out)
		                      : kind == 1 ? fixed_block(b, out, start)
		                                  : kind == 2 && dynamic_block(b, out, start));
		if (!ok)
			return false;
	}
	return true;
}

static uint32_t crc32_of(const char *p, size_t n)
{
	uint32_t table[256], crc = ~0u;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		table[i] = c;
	}
	for (size_t i = 0; i < n; i++)
		crc = table[(crc ^ (unsigned char)p[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static bool skip_text(struct bits *b)
{
	const unsigned char *nul = memchr(b->p, 0, (size_t)(b->end - b->p));
	b->p = nul ? nul + 1 : b->end;
	return nul != NULL;
}

static bool gzip_header(struct bits *b)
{
	if (b->end - b->p < 18 || b->p[0] != 0x1f || b->p[1] != 0x8b || b->p[2] != 8)
		return false;
	unsigned flags = b->p[3];
	b->p += 10;
	if (flags & 4) {
		size_t n = b->p[0] | (size_t)b->p[1] << 8;
		if ((size_t)(b->end - b->p) < n + 2)
			return false;
		b->p += n + 2;
	}
	if ((flags & 8 && !skip_text(b)) || (flags & 16 && !skip_text(b)))
		return false;
	b->p += flags & 2 ? 2 : 0;
	return b->p < b->end;
}

static uint32_t le32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool sim_gunzip(struct span in, struct buf *out)
{
	struct bits b = { .p = (const unsigned char *)in.p, .end = (const unsigned char *)in.p + in.n };
	size_t start = out->n;
	if (!gzip_header(&b) || !inflate(&b, out))
		return false;
	b.p -= b.n / 8; /* whole bytes read ahead */
	if (b.end - b.p != 8)
		return false;
	return le32(b.p) == crc32_of(out->p + start, out->n - start) && le32(b.p + 4) == (uint32_t)(out->n - start);
}
