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

/* What n numbers of w bits cost at k, about: half of them fill the top of their width's range, half the bottom. */
static uint64_t cost(uint64_t n, unsigned w, unsigned k)
{
	if (w <= k)
		return n * (1 + k);
	unsigned over = w - k; /* the high part is 2^(over - 1) .. 2^over - 1 */
	if (over > 5)
		return n * (ESCAPE + 64);
	uint64_t high = (UINT64_C(3) << over >> 2) + (over == 1);
	return n * (high + 1 + k);
}

struct widths {
	uint32_t of[65];
	unsigned least, most;
};

static struct widths count_widths(const uint64_t *u, size_t n, bool less_one)
{
	struct widths w = { .least = 64 };
	for (size_t i = 0; i < n; i++) {
		if (less_one && !u[i])
			continue;
		unsigned bits = width(u[i] - less_one);
		w.of[bits]++;
		w.least = bits < w.least ? bits : w.least;
		w.most = bits > w.most ? bits : w.most;
	}
	return w;
}

static void try_widths(struct rice *best, const struct widths *w, uint64_t flags, bool repeats)
{
	unsigned most = w->most < 63 ? w->most : 63;
	for (unsigned k = w->least < most ? w->least : most; k <= most; k++) {
		uint64_t bits = flags;
		for (unsigned i = w->least; i <= w->most && bits < best->bits; i++)
			if (w->of[i])
				bits += cost(w->of[i], i, k);
		if (bits < best->bits)
			*best = (struct rice){ k, repeats, bits };
	}
}

struct rice rice_plan(const uint64_t *u, size_t n)
{
	struct rice best = { 0, false, UINT64_MAX };
	struct widths w = count_widths(u, n, false);
	uint32_t zeros = w.of[0];
	try_widths(&best, &w, 0, false);
	/* Fewer zeros than that cannot pay for a bit before each number. */
	if (zeros * 4 >= n && zeros < n) {
		w = count_widths(u, n, true);
		try_widths(&best, &w, n, true);
	}
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
	for (; in->n < 56 && in->p < in->end; in->n += 8)
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
	refill(in);
	unsigned ones = ~in->held ? (unsigned)__builtin_ctzll(~in->held) : 64;
	if (ones >= ESCAPE) {
		get_bits(in, ESCAPE);
		return get_long(in, 64);
	}
	unsigned n = ones + 1 + k;
	if (n <= in->n) { /* the whole number is held */
		uint64_t low = low_bits(in->held >> (ones + 1), k);
		in->held >>= n;
		in->n -= n;
		return (uint64_t)ones << k | low;
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
