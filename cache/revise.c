#include "cache/revise.h"

#include "cache/tick.h"
#include "cache/ticks.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define FLAG_LOST 1
#define SHARE 2048
#define BODY_MAX (4 << 20)

void revise_forget(struct revise *r)
{
	r->span = -1;
	r->bytes = 0;
	r->full = false;
}

void revise_clear(struct revise *r)
{
	free(r->pending.v);
	*r = (struct revise){ .span = -1 };
}

void revise_add(struct revise *r, const struct revision *one)
{
	struct revisions *p = &r->pending;
	if (p->n == REVISIONS_MAX) {
		p->lost = true;
		return;
	}
	MEM_GROW(p->v, p->n, p->cap);
	p->v[p->n++] = *one;
}

static int64_t span_at(const struct revision *r)
{
	return r->t / CHUNK_SPAN;
}

static int order(const void *a, const void *b)
{
	const struct revision *x = a, *y = b;
	if (span_at(x) != span_at(y))
		return span_at(x) < span_at(y) ? -1 : 1;
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	if (x->t != y->t)
		return x->t < y->t ? -1 : 1;
	return (x->seen > y->seen) - (x->seen < y->seen);
}

void revise_sort(struct revision *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof *v, order);
}

/* ---- the body */

void revise_encode(struct buf *out, const struct revision *v, size_t n, bool lost)
{
	uint8_t bytes[4 * 10 + TICK_VALUE_MAX];
	uint32_t series = 0;
	int64_t seen = n ? v->seen : 0;
	buf_addc(out, VERSION);
	buf_addc(out, lost ? FLAG_LOST : 0);
	put_varint(out, (uint64_t)seen);
	for (size_t i = 0; i < n; i++) {
		bool gap = isnan(v[i].old);
		uint8_t *at = write_varint(bytes, (uint64_t)(v[i].series - series) << 1 | gap);
		at = write_varint(at, (uint64_t)(v[i].t % CHUNK_SPAN));
		at = write_varint(at, zigzag(v[i].seen - seen));
		at = write_varint(at, v[i].since > 0 && v[i].since <= v[i].seen ? (uint64_t)(v[i].seen - v[i].since) + 1 : 0);
		if (!gap)
			at = value_write(at, v[i].old);
		buf_add(out, bytes, (size_t)(at - bytes));
		series = v[i].series;
	}
}

/* False at the end, or when it is damaged. */
static bool next(struct reader *r, int64_t base, int64_t seen, struct revision *v)
{
	if (r->p == r->end || r->bad)
		return false;
	uint64_t head = read_varint(r), at = read_varint(r);
	int64_t off = unzigzag(read_varint(r));
	uint64_t known = read_varint(r);
	uint64_t series = v->series + (head >> 1);
	bool sane = at < CHUNK_SPAN && series < SERIES_LIMIT && off > -KEYED_T_MAX && off < KEYED_T_MAX &&
	            known <= (uint64_t)KEYED_T_MAX;
	r->bad = r->bad || !sane;
	if (r->bad)
		return false;
	v->series = (uint32_t)series;
	v->t = base + (int64_t)at;
	v->seen = seen + off;
	v->since = known ? v->seen - (int64_t)(known - 1) : 0;
	v->old = head & 1 ? NAN : value_read(r);
	r->bad = r->bad || isinf(v->old);
	return !r->bad;
}

static bool begin(struct span body, struct reader *r, int64_t *seen, bool *lost)
{
	*r = reader_of(body);
	bool ours = read_byte(r) == VERSION;
	*lost = read_byte(r) & FLAG_LOST;
	uint64_t at = read_varint(r);
	*seen = (int64_t)at;
	return ours && !r->bad && at < (uint64_t)KEYED_T_MAX;
}

bool revise_decode(struct span body, int64_t base, struct revisions *out)
{
	struct reader r;
	int64_t seen;
	bool lost;
	struct revision v = { 0 };
	if (!begin(body, &r, &seen, &lost))
		return false;
	out->lost = out->lost || lost;
	while (next(&r, base, seen, &v)) {
		MEM_GROW(out->v, out->n, out->cap);
		out->v[out->n++] = v;
	}
	return !r.bad;
}

/* ---- rows */

static int64_t room_of(int64_t most)
{
	int64_t share = most / SHARE;
	return most == 0 || share > REVISE_SPAN_MOST ? REVISE_SPAN_MOST
	       : share < REVISE_SPAN_LEAST           ? REVISE_SPAN_LEAST
	                                             : share;
}

static int count(struct revise *r, struct db *d, int64_t span)
{
	int64_t range[2] = { tick_id(span, 0), tick_id(span, TICK_NUMBER_MAX) };
	if (r->span == span)
		return SQLITE_OK;
	int rc = db_number(d, DB_REVISION_BYTES, 2, range, 0, &r->bytes);
	r->full = false;
	r->span = rc ? -1 : span;
	return rc;
}

static int put(struct revise *r, struct db *d, int64_t span, const struct buf *body)
{
	int64_t range[2] = { tick_id(span, 0), tick_id(span, TICK_NUMBER_MAX) }, last;
	int rc = db_number(d, DB_REVISION_LAST, 2, range, range[0] - 1, &last);
	if (rc == SQLITE_OK && last < range[1])
		rc = db_put_blob(d, DB_REVISION_ADD, last + 1, body->p, body->n);
	if (rc == SQLITE_OK)
		r->bytes += (int64_t)body->n;
	return rc;
}

/* Those of one span in one row; when they do not fit, a mark that they are missing. */
static int write_span(struct revise *r, struct db *d, const struct revision *v, size_t n, bool lost, int64_t room)
{
	struct buf body;
	int64_t span = span_at(v);
	int rc = count(r, d, span);
	if (rc)
		return rc;
	buf_init(&body, BODY_MAX);
	revise_encode(&body, v, n, lost);
	if (buf_full(&body) || r->bytes + (int64_t)body.n > room) {
		buf_reset(&body);
		body.full = false;
		revise_encode(&body, v, 0, true);
		rc = r->full ? SQLITE_OK : put(r, d, span, &body);
		r->full = rc == SQLITE_OK;
	} else {
		rc = put(r, d, span, &body);
	}
	buf_clear(&body);
	return rc;
}

int revise_write(struct revise *r, struct db *d, const struct revision *v, size_t n, bool lost, int64_t most)
{
	int rc = SQLITE_OK;
	for (size_t i = 0, end; i < n && rc == SQLITE_OK; i = end) {
		for (end = i + 1; end < n && span_at(&v[end]) == span_at(&v[i]);)
			end++;
		rc = write_span(r, d, v + i, end - i, lost, room_of(most));
	}
	return rc;
}

static int read_row(struct span body, int64_t span, uint32_t series, int64_t from, int64_t to, struct revisions *out)
{
	struct reader r;
	int64_t seen;
	bool lost;
	struct revision v = { 0 };
	if (!begin(body, &r, &seen, &lost))
		return SQLITE_CORRUPT;
	out->lost = out->lost || lost;
	while (next(&r, span * CHUNK_SPAN, seen, &v)) {
		if (v.series > series)
			break;
		if (v.series != series || v.t < from || v.t >= to)
			continue;
		MEM_GROW(out->v, out->n, out->cap);
		out->v[out->n++] = v;
	}
	return r.bad ? SQLITE_CORRUPT : SQLITE_OK;
}

int revise_read(struct db *d, uint32_t series, int64_t from, int64_t to, struct revisions *out)
{
	sqlite3_stmt *st;
	int rc = db_prepare(d, DB_REVISION_SOME, &st);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 1, tick_id(from / CHUNK_SPAN, 0));
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 2, tick_id((to - 1) / CHUNK_SPAN, TICK_NUMBER_MAX));
	while (rc == SQLITE_OK && (rc = db_step(st)) == SQLITE_ROW) {
		const char *p = sqlite3_column_blob(st, 1);
		struct span body = { p ? p : "", (size_t)sqlite3_column_bytes(st, 1) };
		rc = read_row(body, sqlite3_column_int64(st, 0) >> SERIES_BITS, series, from, to, out);
	}
	sqlite3_reset(st);
	return rc;
}

int revise_drop(struct db *d, int64_t before, int64_t rows)
{
	int64_t args[2] = { tick_id(before / CHUNK_SPAN, 0), rows };
	return db_run(d, DB_REVISION_DROP, 2, args);
}
