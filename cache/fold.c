#include "cache/fold.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* What a series and a span cost besides their points. */
#define SERIES_COST 8
#define SPAN_COST 200
#define CHUNK_BYTES_MAX (1 << 20)
#define SPAN_MAX (KEYED_T_MAX / CHUNK_SPAN)

static bool sane(const struct fold *f)
{
	return f->done >= 0 && f->span >= -1 && f->span < SPAN_MAX && (f->span < 0 || f->upto >> SERIES_BITS == f->span) &&
	       f->next < SERIES_LIMIT;
}

int fold_load(struct fold *f, struct db *d)
{
	sqlite3_stmt *st;
	if (f->loaded)
		return SQLITE_OK;
	int rc = db_prepare(d, DB_FOLD_GET, &st);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	if (rc == SQLITE_OK)
		return SQLITE_CORRUPT; /* the row is there since the file is */
	if (rc == SQLITE_ROW) {
		f->done = sqlite3_column_int64(st, 0);
		f->span = sqlite3_column_int64(st, 1);
		f->upto = sqlite3_column_int64(st, 2);
		f->next = (uint32_t)sqlite3_column_int64(st, 3);
		f->loaded = sane(f);
		rc = f->loaded ? SQLITE_OK : SQLITE_CORRUPT;
	}
	sqlite3_reset(st);
	return rc;
}

static int save(const struct fold *f, struct db *d)
{
	int64_t row[] = { f->done, f->span, f->upto, f->next };
	return db_run(d, DB_FOLD_PUT, 4, row);
}

int64_t fold_ended(const struct fold *f)
{
	return f->newest > FOLD_GRACE ? (f->newest - FOLD_GRACE) / CHUNK_SPAN : 0;
}

static bool crowded(const struct ticks *ts)
{
	return ts->bytes > TICKS_BYTES || ts->rows > TICKS_ROWS;
}

/* `done` far ahead comes from a clock or a service that was: it must not keep folding away until time has caught up. */
static bool due(const struct fold *f)
{
	int64_t ended = fold_ended(f);
	return f->newest && (ended > f->done || f->done > ended + 24);
}

bool fold_due(const struct fold *f, const struct ticks *ts)
{
	return f->span >= 0 || due(f) || crowded(ts);
}

/* ---- chunks */

static int read_body(struct db *d, int64_t id, sqlite3_stmt **st, struct span *body)
{
	*body = (struct span){ "", 0 };
	int rc = db_prepare(d, DB_CHUNK_GET, st);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(*st, 1, id);
	if (rc == SQLITE_OK)
		rc = db_step(*st);
	if (rc == SQLITE_ROW) {
		const char *p = sqlite3_column_blob(*st, 0);
		*body = (struct span){ p ? p : "", (size_t)sqlite3_column_bytes(*st, 0) };
	}
	return rc;
}

int chunk_read(struct db *d, int64_t span, uint32_t series, struct points *out, bool *found)
{
	sqlite3_stmt *st;
	struct span body;
	int rc = read_body(d, tick_id(span, series), &st, &body);
	*found = rc == SQLITE_ROW;
	if (*found)
		rc = chunk_decode(body, span * CHUNK_SPAN, out) ? SQLITE_OK : SQLITE_CORRUPT;
	sqlite3_reset(st);
	return rc;
}

/* What was stored the same way already is not written again. */
static int write_chunk(struct db *d, int64_t id, struct buf *b, bool fresh)
{
	sqlite3_stmt *st;
	struct span old;
	if (!fresh) {
		int rc = read_body(d, id, &st, &old);
		bool equal = rc == SQLITE_ROW && old.n == b->n && memcmp(old.p, b->p, b->n) == 0;
		sqlite3_reset(st);
		if (equal || (rc && rc != SQLITE_ROW))
			return equal ? SQLITE_OK : rc;
	}
	return db_put_blob(d, DB_CHUNK_PUT, id, b->p, b->n);
}

/* ---- one span */

struct merge {
	struct tick_cursor *at;
	size_t n;
	int64_t span;
	bool fresh; /* the span has no chunks yet from here on */
	struct points points;
	struct buf body;
};

static uint32_t least(const struct merge *m)
{
	uint32_t s = UINT32_MAX;
	for (size_t i = 0; i < m->n; i++)
		if (m->at[i].series && m->at[i].series < s)
			s = m->at[i].series;
	return s;
}

static int start_merge(struct merge *m, const struct fold *f, struct ticks *ts, struct db *d)
{
	size_t from = ticks_at(ts, tick_id(f->span, 0)), to = ticks_at(ts, f->upto + 1);
	*m = (struct merge){ .span = f->span, .n = to - from };
	m->at = xcalloc(m->n, sizeof *m->at);
	buf_init(&m->body, CHUNK_BYTES_MAX);
	uint32_t hint = 0;
	for (size_t i = 0; i < m->n; i++)
		tick_seek(&ts->v[from + i], f->next, &m->at[i], &hint);
	int64_t range[2] = { tick_id(f->span, f->next), tick_id(f->span, TICK_NUMBER_MAX) }, last;
	int rc = db_number(d, DB_CHUNK_LAST, 2, range, -1, &last);
	m->fresh = last < 0;
	return rc;
}

static void end_merge(struct merge *m)
{
	free(m->at);
	points_clear(&m->points);
	buf_clear(&m->body);
}

/* Ticks in their order over the chunk: the later value of a time stays. */
static int merge_series(struct merge *m, struct db *d, uint32_t series)
{
	bool found;
	m->points.n = 0;
	buf_reset(&m->body);
	int rc = m->fresh ? SQLITE_OK : chunk_read(d, m->span, series, &m->points, &found);
	for (size_t i = 0; i < m->n && rc == SQLITE_OK; i++) {
		struct tick_cursor *c = &m->at[i];
		if (c->series != series)
			continue;
		if (!tick_take(c, &m->points))
			rc = SQLITE_CORRUPT;
		tick_next(c);
	}
	if (rc)
		return rc;
	chunk_encode(&m->body, m->span * CHUNK_SPAN, m->points.p, m->points.n);
	return write_chunk(d, tick_id(m->span, series), &m->body, m->fresh);
}

static int work(struct fold *f, struct ticks *ts, struct db *d, int64_t *points)
{
	struct merge m;
	int rc = start_merge(&m, f, ts, d);
	uint32_t series = least(&m);
	for (; rc == SQLITE_OK && series != UINT32_MAX && *points > 0; series = least(&m)) {
		rc = merge_series(&m, d, series);
		*points -= (int64_t)m.points.n + SERIES_COST;
	}
	end_merge(&m);
	if (rc)
		return rc;
	f->next = series == UINT32_MAX ? 0 : series;
	if (f->next)
		return SQLITE_OK;
	rc = ticks_drop(ts, d, tick_id(f->span, 0), f->upto);
	f->span = -1;
	return rc;
}

/* ---- steps */

/* The oldest span that has ticks; f->span stays -1 when there is none below limit. */
static int pick(struct fold *f, struct db *d, int64_t limit)
{
	int64_t first;
	int rc = db_number(d, DB_TICK_FIRST, 0, NULL, -1, &first);
	if (rc || first < 0 || first >> SERIES_BITS >= limit)
		return rc;
	int64_t span = first >> SERIES_BITS;
	int64_t range[2] = { tick_id(span, 0), tick_id(span, TICK_NUMBER_MAX) };
	rc = db_number(d, DB_TICK_LAST, 2, range, first, &f->upto);
	f->span = span;
	f->next = 0;
	return rc;
}

int fold_step(struct fold *f, struct ticks *ts, struct db *d, int64_t limit, int64_t points, bool *more)
{
	int rc = ts->loaded ? SQLITE_OK : ticks_load(ts, d);
	*more = true;
	while (rc == SQLITE_OK && points > 0) {
		if (f->span < 0)
			rc = pick(f, d, limit);
		if (rc == SQLITE_OK && f->span < 0) {
			*more = false;
			break;
		}
		points -= SPAN_COST;
		if (rc == SQLITE_OK)
			rc = work(f, ts, d, &points);
	}
	return rc ? rc : save(f, d);
}

int fold_due_step(struct fold *f, struct ticks *ts, struct db *d, int64_t points)
{
	bool more, by_time = due(f), full = crowded(ts);
	int rc = fold_step(f, ts, d, full ? INT64_MAX : by_time ? fold_ended(f) : 0, points, &more);
	if (rc || more || !by_time)
		return rc;
	f->done = fold_ended(f);
	return save(f, d);
}
