#include "cache/tick.h"

#include "core/mem.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define MARK_EVERY 16
#define TIME_BITS 13 /* CHUNK_SPAN fits */
#define DIGITS_MAX 4

enum { ONE_SAME, ONE_TIMED, SEVERAL };
enum { WHOLE, NEGATIVE, DECIMAL, RAW = 7 };

_Static_assert(CHUNK_SPAN <= 1 << TIME_BITS, "a time within a span fits its bits");

/* ---- keys */

uint64_t keyed_key(uint32_t series, int64_t t)
{
	uint64_t span = (uint64_t)t / CHUNK_SPAN, rest = (uint64_t)t % CHUNK_SPAN;
	return span << (SERIES_BITS + TIME_BITS) | (uint64_t)series << TIME_BITS | rest;
}

uint32_t keyed_series(uint64_t key)
{
	return (uint32_t)(key >> TIME_BITS) & (SERIES_LIMIT - 1);
}

int64_t keyed_span(uint64_t key)
{
	return (int64_t)(key >> (SERIES_BITS + TIME_BITS));
}

static uint32_t key_rest(uint64_t key)
{
	return (uint32_t)key & ((1U << TIME_BITS) - 1);
}

int64_t keyed_time(uint64_t key)
{
	return keyed_span(key) * CHUNK_SPAN + key_rest(key);
}

static bool sorted(const struct keyed *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i - 1].key > p[i].key)
			return false;
	return true;
}

static void sort_by_byte(const struct keyed *from, struct keyed *to, size_t n, unsigned shift)
{
	size_t start[257] = { 0 };
	for (size_t i = 0; i < n; i++)
		start[(from[i].key >> shift & 255) + 1]++;
	for (unsigned b = 0; b < 256; b++)
		start[b + 1] += start[b];
	for (size_t i = 0; i < n; i++)
		to[start[from[i].key >> shift & 255]++] = from[i];
}

/* Byte by byte, as each pass keeps the order of the one before; bytes that are equal in all keys are passed over. */
static void radix_sort(struct keyed *p, struct keyed *spare, size_t n)
{
	uint64_t varies = 0;
	for (size_t i = 1; i < n; i++)
		varies |= p[i].key ^ p[0].key;
	struct keyed *from = p, *to = spare;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		if (!(varies >> shift & 255))
			continue;
		sort_by_byte(from, to, n, shift);
		struct keyed *swap = from;
		from = to;
		to = swap;
	}
	if (from != p)
		memcpy(p, from, n * sizeof *p);
}

size_t keyed_sort(struct keyed *p, struct keyed *spare, size_t n)
{
	if (!sorted(p, n))
		radix_sort(p, spare, n);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (kept && p[kept - 1].key == p[i].key)
			kept--;
		p[kept++] = p[i];
	}
	return kept;
}

/* ---- single values */

static const double tens[DIGITS_MAX + 1] = { 1, 1e1, 1e2, 1e3, 1e4 };

static void put_raw(struct buf *out, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	bits = htole64(bits);
	put_varint(out, RAW);
	buf_add(out, &bits, sizeof bits);
}

static void put_value(struct buf *out, double v)
{
	double size = fabs(v);
	for (unsigned digits = 0; digits <= DIGITS_MAX && size < 1e11; digits++) {
		uint64_t m = (uint64_t)(size * tens[digits] + 0.5);
		if ((double)m / tens[digits] != size)
			continue;
		if (!signbit(v))
			put_varint(out, m << 3 | (digits ? DECIMAL + digits - 1 : WHOLE));
		else if (digits == 0 && m)
			put_varint(out, m << 3 | NEGATIVE);
		else
			break;
		return;
	}
	put_raw(out, v);
}

static double read_value(struct reader *r)
{
	uint64_t x = read_varint(r);
	unsigned tag = x & 7;
	double size = (double)(x >> 3);
	if (tag == RAW) {
		struct span s = read_span(r, 8);
		uint64_t bits = 0;
		memcpy(&bits, s.p, s.n);
		bits = le64toh(bits);
		memcpy(&size, &bits, sizeof size);
		return size;
	}
	if (tag > DECIMAL + DIGITS_MAX - 1)
		r->bad = true;
	if (tag == NEGATIVE)
		return -size;
	return tag == WHOLE || r->bad ? size : size / tens[tag - DECIMAL + 1];
}

/* ---- writing */

static void put_several(struct buf *out, const struct keyed *p, size_t n)
{
	int64_t base = keyed_span(p->key) * CHUNK_SPAN;
	struct points ps = { 0 };
	for (size_t i = 0; i < n; i++)
		points_put(&ps, keyed_time(p[i].key), p[i].v);
	struct buf chunk;
	buf_init(&chunk, out->max);
	chunk_encode(&chunk, base, ps.p, ps.n);
	put_varint(out, chunk.n);
	buf_addspan(out, buf_span(&chunk));
	buf_clear(&chunk);
	points_clear(&ps);
}

void tick_encode(struct buf *out, const struct keyed *p, size_t n)
{
	uint32_t series = 0, time = 0;
	buf_addc(out, VERSION);
	for (size_t i = 0, next; i < n; i = next) {
		uint32_t s = keyed_series(p[i].key);
		for (next = i + 1; next < n && keyed_series(p[next].key) == s;)
			next++;
		uint64_t group = (uint64_t)(s - series) << 2;
		series = s;
		if (next - i > 1) {
			put_varint(out, group | SEVERAL);
			put_several(out, p + i, next - i);
			continue;
		}
		uint32_t t = key_rest(p[i].key);
		put_varint(out, group | (t == time ? ONE_SAME : ONE_TIMED));
		if (t != time)
			put_varint(out, t);
		time = t;
		put_value(out, p[i].v);
	}
}

/* ---- reading */

static void stop(struct tick_cursor *c, bool bad)
{
	c->series = 0;
	c->chunk = (struct span){ "", 0 };
	c->bad = bad;
	c->r.p = c->r.end;
}

static void read_group(struct tick_cursor *c, unsigned form)
{
	c->chunk = (struct span){ "", 0 };
	if (form == SEVERAL) {
		c->chunk = read_span(&c->r, read_varint(&c->r));
		c->r.bad |= c->chunk.n == 0;
		return;
	}
	if (form == ONE_TIMED) {
		uint64_t t = read_varint(&c->r);
		c->r.bad |= t >= CHUNK_SPAN;
		c->time = (uint32_t)t;
	}
	c->v = read_value(&c->r);
}

void tick_next(struct tick_cursor *c)
{
	if (c->r.p == c->r.end) {
		stop(c, c->bad);
		return;
	}
	uint64_t group = read_varint(&c->r);
	uint64_t step = group >> 2;
	unsigned form = group & 3;
	if (form > SEVERAL || !step || step >= SERIES_LIMIT - c->series) {
		stop(c, true);
		return;
	}
	c->series += (uint32_t)step;
	read_group(c, form);
	if (c->r.bad || (!c->chunk.n && !isfinite(c->v)))
		stop(c, true);
}

bool tick_take(const struct tick_cursor *c, struct points *out)
{
	if (c->chunk.n)
		return chunk_decode(c->chunk, c->base, out);
	points_put(out, c->base + c->time, c->v);
	return true;
}

static void start_at(const struct tick *t, struct tick_mark m, struct tick_cursor *c)
{
	*c = (struct tick_cursor){ .base = t->base, .series = m.before, .time = m.time };
	c->r = (struct reader){ t->body + m.at, t->body + t->n, false };
}

void tick_seek(const struct tick *t, uint32_t series, struct tick_cursor *c)
{
	size_t low = 0, high = t->nmarks;
	while (high - low > 1) {
		size_t mid = (low + high) / 2;
		if (t->marks[mid].before < series)
			low = mid;
		else
			high = mid;
	}
	start_at(t, t->marks[low], c);
	do
		tick_next(c);
	while (c->series && c->series < series);
}

bool tick_open(struct tick *t, int64_t id, int64_t base, struct span body)
{
	*t = (struct tick){ .id = id, .base = base, .n = body.n };
	if (body.n < 1 || body.n > UINT32_MAX || body.p[0] != VERSION)
		return false;
	t->body = xmalloc(body.n);
	memcpy(t->body, body.p, body.n);
	struct tick_cursor c;
	start_at(t, (struct tick_mark){ 0, 1, 0 }, &c);
	size_t cap = 0;
	for (size_t groups = 0;; groups++) {
		struct tick_mark m = { c.series, (uint32_t)(c.r.p - t->body), c.time };
		tick_next(&c);
		if (!c.series)
			break;
		if (groups % MARK_EVERY)
			continue;
		MEM_GROW(t->marks, t->nmarks, cap);
		t->marks[t->nmarks++] = m;
	}
	if (!c.bad && t->nmarks)
		return true;
	tick_close(t);
	return false;
}

void tick_close(struct tick *t)
{
	free(t->body);
	free(t->marks);
	*t = (struct tick){ 0 };
}
