#include "cache/rice.h"

#include <endian.h>
#include <string.h>

/* A unary part this long announces 64 plain bits instead. */
#define ESCAPE 20

static unsigned width(uint64_t u)
{
	return u ? 64 - (unsigned)__builtin_clzll(u) : 0;
}

static uint64_t low_bits(uint64_t v, unsigned n)
{
	return n < 64 ? v & ((UINT64_C(1) << n) - 1) : v;
}

static uint64_t cost(const uint64_t *u, size_t n, unsigned k, bool repeats)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t x = u[i];
		if (repeats) {
			bits++;
			if (!x--)
				continue;
		}
		uint64_t high = x >> k;
		bits += high < ESCAPE ? high + 1 + k : ESCAPE + 64;
	}
	return bits;
}

static void try_around(struct rice *best, const uint64_t *u, size_t n, unsigned guess, bool repeats)
{
	unsigned from = guess > 2 ? guess - 2 : 0;
	for (unsigned k = from; k <= guess + 1 && k < 64; k++) {
		uint64_t bits = cost(u, n, k, repeats);
		if (bits < best->bits)
			*best = (struct rice){ k, repeats, bits };
	}
}

/* The mean width, not the mean: one number far out must not choose k for all the others. */
struct rice rice_plan(const uint64_t *u, size_t n)
{
	struct rice best = { 0, false, UINT64_MAX };
	uint64_t sum = 0;
	size_t zeros = 0;
	for (size_t i = 0; i < n; i++) {
		sum += width(u[i]);
		zeros += !u[i];
	}
	try_around(&best, u, n, n ? (unsigned)(sum / n) : 0, false);
	if (zeros && zeros < n)
		try_around(&best, u, n, (unsigned)(sum / (n - zeros)), true);
	return best;
}

struct bit_out {
	struct buf *b;
	uint64_t held;
	unsigned n; /* bits held, < 64 */
};

static void put_bits(struct bit_out *o, uint64_t v, unsigned n)
{
	o->held |= v << o->n;
	if (o->n + n < 64) {
		o->n += n;
		return;
	}
	uint64_t whole = htole64(o->held);
	buf_add(o->b, &whole, sizeof whole);
	o->held = o->n ? v >> (64 - o->n) : 0;
	o->n = o->n + n - 64;
}

static void put_rice(struct bit_out *o, uint64_t x, unsigned k)
{
	uint64_t high = x >> k;
	if (high >= ESCAPE) {
		put_bits(o, low_bits(UINT64_MAX, ESCAPE), ESCAPE);
		put_bits(o, x, 64);
		return;
	}
	put_bits(o, low_bits(UINT64_MAX, (unsigned)high), (unsigned)high + 1);
	put_bits(o, low_bits(x, k), k);
}

void rice_encode(struct buf *out, struct rice plan, const uint64_t *u, size_t n)
{
	struct bit_out o = { out, 0, 0 };
	for (size_t i = 0; i < n; i++) {
		uint64_t x = u[i];
		if (plan.repeats) {
			put_bits(&o, x != 0, 1);
			if (!x--)
				continue;
		}
		put_rice(&o, x, plan.k);
	}
	uint64_t rest = htole64(o.held);
	buf_add(out, &rest, (o.n + 7) / 8);
}

struct bit_in {
	const uint8_t *p, *end;
	uint64_t held;
	unsigned n; /* bits held that are real */
	bool bad;
};

/* At least 56 bits are held afterwards, unless the bytes end before. */
static inline void refill(struct bit_in *in)
{
	if (in->end - in->p >= 8) {
		uint64_t next;
		memcpy(&next, in->p, sizeof next);
		in->held |= le64toh(next) << in->n;
		in->p += (63 - in->n) >> 3;
		in->n |= 56;
		return;
	}
	for (; in->n <= 56 && in->p < in->end; in->n += 8)
		in->held |= (uint64_t)*in->p++ << in->n;
}

static inline uint64_t get_bits(struct bit_in *in, unsigned n) /* n <= 56 */
{
	if (in->n < n) {
		refill(in);
		if (in->n < n) {
			in->bad = true;
			return 0;
		}
	}
	uint64_t v = low_bits(in->held, n);
	in->held >>= n;
	in->n -= n;
	return v;
}

static inline uint64_t get_long(struct bit_in *in, unsigned n) /* n <= 64 */
{
	if (n <= 32)
		return get_bits(in, n);
	uint64_t low = get_bits(in, 32);
	return low | get_bits(in, n - 32) << 32;
}

static inline uint64_t get_rice(struct bit_in *in, unsigned k)
{
	if (in->n <= ESCAPE)
		refill(in);
	unsigned ones = ~in->held ? (unsigned)__builtin_ctzll(~in->held) : 64;
	if (ones >= ESCAPE) {
		get_bits(in, ESCAPE);
		return get_long(in, 64);
	}
	get_bits(in, ones + 1);
	return (uint64_t)ones << k | get_long(in, k);
}

bool rice_decode(struct span body, struct rice plan, uint64_t *u, size_t n)
{
	const uint8_t *p = (const uint8_t *)body.p;
	struct bit_in in = { p, p + body.n, 0, 0, false };
	for (size_t i = 0; i < n && !in.bad; i++) {
		if (plan.repeats && !get_bits(&in, 1))
			u[i] = 0;
		else
			u[i] = get_rice(&in, plan.k) + plan.repeats;
	}
	refill(&in);
	return !in.bad && in.p == in.end && in.n < 8 && !in.held;
}
