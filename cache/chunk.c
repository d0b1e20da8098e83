#include "cache/chunk.h"

#include "cache/rice.h"
#include "cache/varint.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES_EVEN, TIMES_GAPS, TIMES_EACH };
enum { VALUES_CONSTANT, VALUES_OFFSET, VALUES_DELTA };
enum { SCALE_MAX = 9, SCALE_BITS = 10 };

#define EXACT 9007199254740992.0 /* 2^53 */

static const double tens[SCALE_MAX + 1] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };

/* ---- points */

static void points_append(struct points *ps, int64_t t, double v)
{
	MEM_GROW(ps->p, ps->n, ps->cap);
	ps->p[ps->n++] = (struct sample){ t, v };
}

void points_put(struct points *ps, int64_t t, double v)
{
	if (ps->n == 0 || ps->p[ps->n - 1].t < t) {
		points_append(ps, t, v);
		return;
	}
	size_t low = 0, high = ps->n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (ps->p[mid].t < t)
			low = mid + 1;
		else
			high = mid;
	}
	if (ps->p[low].t != t) {
		points_append(ps, t, v);
		memmove(ps->p + low + 1, ps->p + low, (ps->n - 1 - low) * sizeof *ps->p);
	}
	ps->p[low] = (struct sample){ t, v };
}

void points_clear(struct points *ps)
{
	free(ps->p);
	*ps = (struct points){ 0 };
}

/* ---- times */

struct grid {
	uint32_t step;
	size_t gaps; /* distances longer than a step */
	unsigned mode;
};

static uint32_t divisor(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t r = a % b;
		a = b;
		b = r;
	}
	return a;
}

static struct grid grid_of(const struct sample *p, size_t n)
{
	struct grid g = { 0, 0, TIMES_EVEN };
	for (size_t i = 1; i < n; i++) {
		uint32_t d = (uint32_t)(p[i].t - p[i - 1].t);
		if (d != g.step)
			g.step = divisor(d, g.step);
	}
	for (size_t i = 1; i < n; i++)
		g.gaps += p[i].t - p[i - 1].t != g.step;
	if (g.gaps)
		g.mode = 2 * g.gaps + 1 < n - 1 ? TIMES_GAPS : TIMES_EACH;
	return g;
}

static void put_times(struct buf *out, const struct sample *p, size_t n, struct grid g)
{
	if (g.mode == TIMES_GAPS)
		put_varint(out, g.gaps);
	size_t run = 0;
	for (size_t i = 1; i < n && g.mode != TIMES_EVEN; i++) {
		uint64_t steps = (uint64_t)(p[i].t - p[i - 1].t) / g.step;
		run++;
		if (g.mode == TIMES_EACH) {
			put_varint(out, steps - 1);
		} else if (steps > 1) {
			put_varint(out, run - 1);
			put_varint(out, steps - 2);
			run = 0;
		}
	}
}

struct clock_in {
	uint64_t t, step, left; /* left: points before the next gap, or UINT64_MAX */
	uint64_t gap, gaps;
	unsigned mode;
};

static void next_gap(struct clock_in *c, struct reader *r)
{
	c->left = UINT64_MAX;
	if (!c->gaps)
		return;
	c->gaps--;
	c->left = read_varint(r);
	c->gap = read_varint(r);
}

/* Steps to the next point, at least 1. */
static uint64_t next_distance(struct clock_in *c, struct reader *r)
{
	if (c->mode == TIMES_EACH) {
		uint64_t each = read_varint(r);
		return each < CHUNK_SPAN ? each + 1 : CHUNK_SPAN;
	}
	if (c->left--)
		return 1;
	uint64_t steps = c->gap < CHUNK_SPAN ? c->gap + 2 : CHUNK_SPAN;
	next_gap(c, r);
	return steps;
}

/* Every time is checked against the span, so that no later sum can overflow. */
static bool read_times(struct reader *r, unsigned mode, int64_t base, struct sample *p, size_t n)
{
	struct clock_in c = { .t = read_varint(r), .mode = mode };
	if (n > 1)
		c.step = read_varint(r);
	if (mode == TIMES_GAPS) {
		c.gaps = read_varint(r);
		next_gap(&c, r);
	}
	if (c.t >= CHUNK_SPAN || c.step >= CHUNK_SPAN || (n > 1 && !c.step))
		return false;
	p[0].t = base + (int64_t)c.t;
	if (mode == TIMES_EVEN) {
		for (size_t i = 1; i < n; i++)
			p[i].t = p[i - 1].t + (int64_t)c.step;
		return !r->bad && p[n - 1].t < base + CHUNK_SPAN;
	}
	for (size_t i = 1; i < n; i++) {
		c.t += c.step * next_distance(&c, r);
		if (c.t >= CHUNK_SPAN)
			return false;
		p[i].t = base + (int64_t)c.t;
	}
	return !r->bad && c.gaps == 0;
}

/* ---- values as integers */

static bool same(double a, double b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

/* v * 10^scale as an integer that gives back v exactly: m / 10^scale is correctly rounded, so every decimal of up to 15
 * digits does. -0 does not: its bits differ. */
static inline bool scaled(double v, unsigned scale, int64_t *m)
{
	double x = scale ? v * tens[scale] : v;
	if (!(fabs(x) < EXACT))
		return false;
	*m = (int64_t)(scale ? x + (x < 0 ? -0.5 : 0.5) : x);
	return same(scale ? (double)*m / tens[scale] : (double)*m, v);
}

static bool all_scaled(const struct sample *p, size_t n, unsigned scale, int64_t *m)
{
	for (size_t i = 0; i < n; i++)
		if (!scaled(p[i].v, scale, &m[i]))
			return false;
	return true;
}

static unsigned scale_of(const struct sample *p, size_t n, int64_t *m)
{
	unsigned scale = 0;
	for (size_t i = 0; i < n; i++)
		while (!scaled(p[i].v, scale, &m[i]))
			if (++scale > SCALE_MAX)
				return SCALE_BITS;
	return scale == 0 || all_scaled(p, n, scale, m) ? scale : SCALE_BITS;
}

/* The bits, ordered as the numbers are: magnitude without the zeros that all share at the end, negative ones from -1 down. */
static unsigned as_bits(const struct sample *p, size_t n, int64_t *m)
{
	uint64_t any = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;
		memcpy(&bits, &p[i].v, sizeof bits);
		any |= bits & INT64_MAX;
	}
	unsigned shift = any ? (unsigned)__builtin_ctzll(any) : 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;
		memcpy(&bits, &p[i].v, sizeof bits);
		int64_t size = (int64_t)((bits & INT64_MAX) >> shift);
		m[i] = bits >> 63 ? -1 - size : size;
	}
	return shift;
}

static double of_bits(int64_t m, unsigned shift)
{
	uint64_t bits = (uint64_t)(m < 0 ? -1 - m : m) << shift;
	bits = (bits & INT64_MAX) | (m < 0 ? UINT64_C(1) << 63 : 0);
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

/* ---- values as bytes */

struct residue {
	unsigned mode;
	int64_t first;
	uint64_t *u;
	size_t n;
	struct rice plan;
};

/* u holds room for 2n: differences to the least, then differences to the one before. Sums wrap; so do they back. */
static struct residue residue_of(const int64_t *m, size_t n, uint64_t *u)
{
	int64_t least = m[0], most = m[0];
	for (size_t i = 1; i < n; i++) {
		least = m[i] < least ? m[i] : least;
		most = m[i] > most ? m[i] : most;
	}
	if (least == most)
		return (struct residue){ .mode = VALUES_CONSTANT, .first = least };
	uint64_t *delta = u + n;
	for (size_t i = 0; i < n; i++)
		u[i] = (uint64_t)m[i] - (uint64_t)least;
	for (size_t i = 1; i < n; i++)
		delta[i - 1] = zigzag((int64_t)((uint64_t)m[i] - (uint64_t)m[i - 1]));
	struct residue offset = { VALUES_OFFSET, least, u, n, rice_plan(u, n) };
	struct residue change = { VALUES_DELTA, m[0], delta, n - 1, rice_plan(delta, n - 1) };
	return change.plan.bits < offset.plan.bits ? change : offset;
}

void chunk_encode(struct buf *out, int64_t base, const struct sample *p, size_t n)
{
	int64_t *m = xreallocarray(NULL, n, sizeof *m);
	uint64_t *u = xreallocarray(NULL, n, 2 * sizeof *u);
	unsigned scale = scale_of(p, n, m), shift = 0;
	if (scale == SCALE_BITS)
		shift = as_bits(p, n, m);
	struct residue res = residue_of(m, n, u);
	struct grid g = grid_of(p, n);

	buf_addc(out, (char)(g.mode | res.mode << 2 | scale << 4));
	put_varint(out, n - 1);
	put_varint(out, (uint64_t)(p[0].t - base));
	if (n > 1)
		put_varint(out, g.step);
	put_times(out, p, n, g);
	if (scale == SCALE_BITS)
		buf_addc(out, (char)shift);
	put_varint(out, zigzag(res.first));
	if (res.mode != VALUES_CONSTANT) {
		buf_addc(out, (char)(res.plan.k | (res.plan.repeats ? 64U : 0)));
		rice_encode(out, res.plan, res.u, res.n);
	}
	free(u);
	free(m);
}

static bool read_residues(struct reader *r, unsigned mode, uint64_t *u, size_t n)
{
	if (mode == VALUES_CONSTANT) {
		memset(u, 0, n * sizeof *u);
		return !r->bad && r->p == r->end;
	}
	uint64_t byte = read_byte(r);
	struct rice plan = { byte & 63, byte & 64, 0 };
	struct span rest = read_span(r, (uint64_t)(r->end - r->p));
	u[0] = 0;
	bool delta = mode == VALUES_DELTA;
	return !r->bad && byte < 128 && rice_decode(rest, plan, u + delta, n - delta);
}

/* From residues to integers, in place. */
static void restore(uint64_t *u, size_t n, uint64_t first, unsigned mode)
{
	uint64_t m = first;
	if (mode != VALUES_DELTA)
		for (size_t i = 0; i < n; i++)
			u[i] += first;
	else
		for (size_t i = 0; i < n; i++)
			u[i] = m += (uint64_t)unzigzag(u[i]);
}

/* An integer over a power of ten is finite whatever it is; bits need not be. */
static bool as_numbers(const uint64_t *u, size_t n, unsigned scale, unsigned shift, struct sample *p)
{
	bool finite = true;
	if (scale == 0)
		for (size_t i = 0; i < n; i++)
			p[i].v = (double)(int64_t)u[i];
	else if (scale != SCALE_BITS)
		for (size_t i = 0; i < n; i++)
			p[i].v = (double)(int64_t)u[i] / tens[scale];
	else
		for (size_t i = 0; i < n; i++) {
			p[i].v = of_bits((int64_t)u[i], shift);
			finite &= isfinite(p[i].v) != 0;
		}
	return finite;
}

static bool read_values(struct reader *r, unsigned mode, unsigned scale, struct sample *p, size_t n)
{
	uint64_t shift = scale == SCALE_BITS ? read_byte(r) : 0;
	uint64_t first = (uint64_t)unzigzag(read_varint(r));
	if (shift > 63)
		return false;
	uint64_t small[256], *u = n > 256 ? xreallocarray(NULL, n, sizeof *u) : small;
	bool ok = read_residues(r, mode, u, n);
	if (ok) {
		restore(u, n, first, mode);
		ok = as_numbers(u, n, scale, (unsigned)shift, p);
	}
	if (u != small)
		free(u);
	return ok;
}

/* Straight into out's memory when the points belong at its end, as they nearly always do. */
static struct sample *room(struct points *out, size_t n)
{
	if (out->cap - out->n < n) {
		out->cap = out->n + n > 2 * out->cap ? out->n + n : 2 * out->cap;
		out->p = xreallocarray(out->p, out->cap, sizeof *out->p);
	}
	return out->p + out->n;
}

bool chunk_decode(struct span body, int64_t base, struct points *out)
{
	struct reader r = reader_of(body);
	unsigned head = (unsigned)read_byte(&r);
	unsigned times = head & 3, values = head >> 2 & 3, scale = head >> 4;
	uint64_t n = read_varint(&r);
	if (r.bad || times > TIMES_EACH || values > VALUES_DELTA || scale > SCALE_BITS || n >= CHUNK_SPAN)
		return false;
	n++;
	struct sample *p = room(out, n);
	if (!read_times(&r, times, base, p, n) || !read_values(&r, values, scale, p, n))
		return false;
	if (out->n == 0 || out->p[out->n - 1].t < p[0].t) {
		out->n += n;
		return true;
	}
	struct points mine = { 0 };
	for (size_t i = 0; i < n; i++)
		points_append(&mine, p[i].t, p[i].v);
	for (size_t i = 0; i < n; i++)
		points_put(out, mine.p[i].t, mine.p[i].v);
	points_clear(&mine);
	return true;
}
