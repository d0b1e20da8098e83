#include "cache/tick.h"

#include "core/mem.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define BLOCK 32 /* groups */
#define ROW_MIN 3
#define DIGITS_MAX 4

enum { ONE_SAME, ONE_TIMED, SEVERAL, ROW };
enum { WHOLE, NEGATIVE, DECIMAL, NEAR = 6, RAW = 7 };

/* ---- keys */

static uint32_t key_rest(uint64_t key)
{
	return (uint32_t)key & ((1U << TIME_BITS) - 1);
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
static void radix_sort(struct keyed *p, size_t n)
{
	struct keyed *spare = xreallocarray(NULL, n, sizeof *spare);
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
	free(spare);
}

size_t keyed_sort(struct keyed *p, size_t n)
{
	if (!sorted(p, n))
		radix_sort(p, n);
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

#define MANTISSA 52
#define NEAR_LEAST (1023 - 256) /* the least exponent of the 512 that NEAR can hold */
#define NEAR_BYTES 8
#define RAW_BYTES 9

/* A double that is no short number: the tag's byte has room for five bits of the exponent, so that a positive one of common
 * size takes no more than its eight bytes. */
static uint8_t *write_raw(uint8_t *p, double v)
{
	uint64_t bits, exponent;
	memcpy(&bits, &v, sizeof bits);
	exponent = (bits >> MANTISSA) - NEAR_LEAST; /* the sign makes it large */
	if (exponent < 512) {
		uint64_t rest = (bits & ((UINT64_C(1) << MANTISSA) - 1)) | exponent >> 5 << MANTISSA;
		bits = htole64(rest << 8 | (exponent & 31) << 3 | NEAR);
		memcpy(p, &bits, NEAR_BYTES);
		return p + NEAR_BYTES;
	}
	*p++ = RAW;
	bits = htole64(bits);
	memcpy(p, &bits, sizeof bits);
	return p + sizeof bits;
}

static double read_raw(struct reader *r, unsigned tag)
{
	uint64_t bits = 0;
	struct span s = read_span(r, tag == NEAR ? NEAR_BYTES : RAW_BYTES);
	if (s.n)
		memcpy(&bits, s.p + s.n - sizeof bits, sizeof bits);
	bits = le64toh(bits);
	if (tag == NEAR) {
		uint64_t exponent = NEAR_LEAST + ((bits >> 3 & 31) | bits >> 60 << 5);
		bits = (bits >> 8 & ((UINT64_C(1) << MANTISSA) - 1)) | exponent << MANTISSA;
	}
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

static bool decimal(double size, unsigned digits, uint64_t *m)
{
	*m = (uint64_t)(size * tens[digits] + 0.5);
	return (double)*m / tens[digits] == size;
}

/* Before fewer digits are tried, all are: what fails there, as most averages do, has failed for good. */
uint8_t *value_write(uint8_t *p, double v)
{
	double size = fabs(v);
	if (!(size < 1e11))
		return write_raw(p, v);
	uint64_t m = (uint64_t)size;
	if ((double)m == size)
		return signbit(v) && !m ? write_raw(p, v) : write_varint(p, m << 3 | (signbit(v) ? NEGATIVE : WHOLE));
	if (signbit(v) || !decimal(size, DIGITS_MAX, &m))
		return write_raw(p, v);
	unsigned digits = 1;
	while (!decimal(size, digits, &m))
		digits++;
	return write_varint(p, m << 3 | (DECIMAL + digits - 1));
}

/* Passes n values without making numbers of them. */
static void skip_values(struct reader *r, uint32_t n)
{
	const uint8_t *p = r->p;
	for (; n && p < r->end; n--) {
		unsigned tag = *p & 7;
		if (tag >= NEAR) {
			if (r->end - p < (tag == NEAR ? NEAR_BYTES : RAW_BYTES))
				break;
			p += tag == NEAR ? NEAR_BYTES : RAW_BYTES;
			continue;
		}
		while (*p >= 0x80 && p + 1 < r->end)
			p++;
		p++;
	}
	r->p = p;
	r->bad |= n > 0;
}

double value_read(struct reader *r)
{
	unsigned tag = r->p < r->end ? *r->p & 7 : WHOLE;
	if (tag >= NEAR)
		return read_raw(r, tag);
	double size = (double)(read_varint(r) >> 3);
	if (tag < DECIMAL)
		return tag == NEGATIVE ? -size : size;
	return size / tens[tag - DECIMAL + 1];
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

struct writer {
	struct buf body, blocks; /* groups; the list of blocks */
	const struct keyed *p, *end;
	uint32_t series, time, common;
};

/* Points of p's series. */
static size_t how_many(const struct keyed *p, const struct keyed *end)
{
	const struct keyed *q = p + 1;
	while (q < end && keyed_series(q->key) == keyed_series(p->key))
		q++;
	return (size_t)(q - p);
}

/* How long a row of single points at the current time begins here, at most max. */
static size_t row_of(const struct writer *w, size_t max)
{
	size_t n = 0;
	uint64_t key = w->p->key;
	if (key_rest(key) != w->time)
		return 0;
	while (n < max && w->p + n < w->end && w->p[n].key == key + ((uint64_t)n << TIME_BITS))
		n++;
	/* The last may have a second point behind it. */
	if (n && w->p + n < w->end && keyed_series(w->p[n].key) == keyed_series(w->p[n - 1].key))
		n--;
	return n;
}

static void put_row(struct buf *out, uint64_t head, const struct keyed *p, size_t n)
{
	uint8_t bytes[20 + BLOCK * TICK_VALUE_MAX], *at = write_varint(write_varint(bytes, head), n);
	for (size_t i = 0; i < n; i++)
		at = value_write(at, p[i].v);
	buf_add(out, bytes, (size_t)(at - bytes));
}

static void put_one(struct buf *out, uint64_t head, uint32_t t, double v)
{
	uint8_t bytes[20 + TICK_VALUE_MAX], *at = write_varint(bytes, head);
	if ((head & 3) == ONE_TIMED)
		at = write_varint(at, t);
	at = value_write(at, v);
	buf_add(out, bytes, (size_t)(at - bytes));
}

/* One group; returns how many series it holds. */
static size_t put_group(struct writer *w, size_t max)
{
	uint32_t series = keyed_series(w->p->key), t = key_rest(w->p->key);
	uint64_t head = (uint64_t)(series - w->series) << 2;
	size_t row = row_of(w, max), points = how_many(w->p, w->end);
	w->series = series;
	if (row >= ROW_MIN) {
		put_row(&w->body, head | ROW, w->p, row);
		w->series += (uint32_t)row - 1;
		w->p += row;
		return row;
	}
	if (points > 1) {
		put_varint(&w->body, head | SEVERAL);
		put_several(&w->body, w->p, points);
	} else {
		put_one(&w->body, head | (t == w->time ? ONE_SAME : ONE_TIMED), t, w->p->v);
		w->time = t;
	}
	w->p += points;
	return 1;
}

/* By vote: whatever more than half of the points have wins. */
static uint32_t common_time(const struct keyed *p, size_t n)
{
	uint32_t time = 0;
	size_t votes = 0;
	for (size_t i = 0; i < n; i++) {
		if (votes == 0)
			time = key_rest(p[i].key);
		votes = key_rest(p[i].key) == time ? votes + 1 : votes - 1;
	}
	return time;
}

void tick_encode(struct buf *out, const struct keyed *p, size_t n)
{
	struct writer w = { .p = p, .end = p + n, .common = common_time(p, n) };
	uint32_t nblocks = 0;
	buf_init(&w.body, out->max);
	buf_init(&w.blocks, out->max);
	for (uint32_t first = 0; w.p < w.end; nblocks++) {
		size_t from = w.body.n;
		put_varint(&w.blocks, keyed_series(w.p->key) - first);
		first = keyed_series(w.p->key);
		w.series = first - 1;
		w.time = w.common;
		for (size_t room = BLOCK; room && w.p < w.end;)
			room -= put_group(&w, room);
		put_varint(&w.blocks, w.body.n - from);
	}
	buf_addc(out, VERSION);
	put_varint(out, w.common);
	put_varint(out, nblocks);
	buf_addspan(out, buf_span(&w.blocks));
	buf_addspan(out, buf_span(&w.body));
	buf_clear(&w.blocks);
	buf_clear(&w.body);
}

/* ---- reading */

static void stop(struct tick_cursor *c, bool bad)
{
	c->series = c->row = 0;
	c->chunk = (struct span){ "", 0 };
	c->bad = bad;
	c->block = c->t->nblocks;
	c->r.p = c->r.end;
}

static void start_block(struct tick_cursor *c, uint32_t block)
{
	const struct tick_block *b = &c->t->blocks[block];
	c->block = block;
	c->series = b->series - 1;
	c->time = c->t->time;
	c->r = (struct reader){ c->t->body + b->at, c->t->body + b[1].at, false };
}

static void read_group(struct tick_cursor *c, unsigned form)
{
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
	if (form == ROW) {
		uint64_t n = read_varint(&c->r);
		c->r.bad |= n < 1 || n > BLOCK;
		c->row = (uint32_t)n - 1;
	}
	c->v = value_read(&c->r);
}

static void next_group(struct tick_cursor *c)
{
	uint64_t head = read_varint(&c->r), step = head >> 2;
	if (step == 0 || step >= SERIES_LIMIT - c->series) {
		c->r.bad = true;
		return;
	}
	c->series += (uint32_t)step;
	read_group(c, head & 3);
}

void tick_next(struct tick_cursor *c)
{
	c->chunk.n = 0;
	if (c->row) {
		c->row--;
		c->series++;
		c->v = value_read(&c->r);
	} else {
		if (c->r.p == c->r.end) {
			bool order = c->block + 1 >= c->t->nblocks || c->series < c->t->blocks[c->block + 1].series;
			if (!order || c->block + 1 >= c->t->nblocks) {
				stop(c, c->bad || !order);
				return;
			}
			start_block(c, c->block + 1);
		}
		next_group(c);
	}
	if (c->r.bad || c->series >= SERIES_LIMIT || (!c->chunk.n && !isfinite(c->v)))
		stop(c, true);
}

bool tick_take(const struct tick_cursor *c, struct points *out)
{
	if (c->chunk.n)
		return chunk_decode(c->chunk, c->t->base, out);
	points_put(out, c->t->base + c->time, c->v);
	return true;
}

static bool is_block(const struct tick *t, uint32_t block, uint32_t series)
{
	return block < t->nblocks && (block == 0 || t->blocks[block].series <= series) &&
	       (block + 1 == t->nblocks || series < t->blocks[block + 1].series);
}

static uint32_t find_block(const struct tick *t, uint32_t series)
{
	uint32_t low = 0, high = t->nblocks;
	while (high - low > 1) {
		uint32_t mid = (low + high) / 2;
		if (t->blocks[mid].series <= series)
			low = mid;
		else
			high = mid;
	}
	return low;
}

void tick_seek(const struct tick *t, uint32_t series, struct tick_cursor *c, uint32_t *hint)
{
	if (!is_block(t, *hint, series))
		*hint = find_block(t, series);
	*c = (struct tick_cursor){ .t = t };
	start_block(c, *hint);
	tick_next(c);
	while (c->series && c->series < series) {
		if (c->row > 1 && series - c->series > 1) {
			uint32_t n = series - c->series - 1 < c->row - 1 ? series - c->series - 1 : c->row - 1;
			skip_values(&c->r, n);
			c->row -= n;
			c->series += n;
		}
		tick_next(c);
	}
}

static bool read_blocks(struct tick *t, struct reader *r)
{
	uint64_t series = 0, at = 0;
	t->blocks = xreallocarray(NULL, t->nblocks + 1, sizeof *t->blocks);
	for (uint32_t i = 0; i < t->nblocks; i++) {
		uint64_t step = read_varint(r), n = read_varint(r);
		if (step == 0 || step >= SERIES_LIMIT - series || n == 0 || n > t->n)
			return false;
		series += step;
		t->blocks[i] = (struct tick_block){ (uint32_t)series, (uint32_t)at };
		at += n;
		if (at > t->n)
			return false;
	}
	size_t head = (size_t)(r->p - t->body);
	for (uint32_t i = 0; i < t->nblocks; i++)
		t->blocks[i].at += (uint32_t)head;
	t->blocks[t->nblocks] = (struct tick_block){ SERIES_LIMIT, (uint32_t)t->n };
	return !r->bad && head + at == t->n;
}

bool tick_open(struct tick *t, int64_t id, int64_t base, struct span body)
{
	*t = (struct tick){ .id = id, .base = base, .n = body.n };
	if (body.n < 1 || body.n > INT32_MAX || body.p[0] != VERSION)
		return false;
	t->body = xmalloc(body.n);
	memcpy(t->body, body.p, body.n);
	struct reader r = { t->body + 1, t->body + t->n, false };
	uint64_t time = read_varint(&r), nblocks = read_varint(&r);
	t->time = (uint32_t)time;
	t->nblocks = (uint32_t)nblocks;
	/* A block takes two bytes of the list and one of its own. */
	if (!r.bad && time < CHUNK_SPAN && nblocks > 0 && nblocks <= body.n / 3 && read_blocks(t, &r))
		return true;
	tick_close(t);
	return false;
}

void tick_close(struct tick *t)
{
	free(t->body);
	free(t->blocks);
	*t = (struct tick){ 0 };
}
