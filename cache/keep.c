#include "cache/keep.h"

#include "cache/revise.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROW_COST 40    /* what a row costs besides its points, in points */
#define DROP_ROWS 4000 /* a step, some 1 MB */
#define ROOM_ROWS 1000
#define PAGE 4096
#define COARSE_BYTES_MAX (64 << 10)
#define LEVEL_BITS 56

/* ---- ids */

static int64_t coarse_id(enum coarse_level l, int64_t span, uint32_t series)
{
	return (int64_t)l << LEVEL_BITS | span << SERIES_BITS | series;
}

static int64_t id_span(int64_t id)
{
	return (id & ((INT64_C(1) << LEVEL_BITS) - 1)) >> SERIES_BITS;
}

static uint32_t id_series(int64_t id)
{
	return (uint32_t)id & (SERIES_LIMIT - 1);
}

void keep_forget(struct keep *k)
{
	free(k->how);
	k->how = NULL;
	k->nhow = 0;
}

/* ---- how a series combines */

static int read_how(struct db *d, uint32_t series, uint8_t *how)
{
	sqlite3_stmt *st;
	int64_t id = series;
	int rc = db_prepare(d, DB_SERIES_GET, &st);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 1, id);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	const char *metric = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 1) : NULL;
	*how = (uint8_t)combine_of(metric ? metric : "");
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int keep_combine(struct keep *k, struct db *d, uint32_t series, enum combine *how)
{
	if (series >= k->nhow) {
		uint32_t n = k->nhow ? k->nhow : 64;
		while (n <= series)
			n *= 2;
		k->how = xreallocarray(k->how, n, 1);
		memset(k->how + k->nhow, COMBINE_UNKNOWN, n - k->nhow);
		k->nhow = n;
	}
	int rc = k->how[series] == COMBINE_UNKNOWN ? read_how(d, series, &k->how[series]) : SQLITE_OK;
	*how = (enum combine)k->how[series];
	return rc;
}

/* ---- coarse rows */

static int read_coarse(struct db *d, enum coarse_level l, int64_t id, struct coarse *out, bool *found)
{
	sqlite3_stmt *st;
	int rc = db_prepare(d, DB_COARSE_GET, &st);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 1, id);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	*found = rc == SQLITE_ROW;
	if (*found) {
		const char *p = sqlite3_column_blob(st, 0);
		struct span body = { p ? p : "", (size_t)sqlite3_column_bytes(st, 0) };
		rc = coarse_decode(body, l, id_span(id) * coarse_span(l), out) ? SQLITE_OK : SQLITE_CORRUPT;
	}
	sqlite3_reset(st);
	return rc;
}

/* Into the row of that level; all of one span. */
static int put_coarse(struct db *d, enum coarse_level l, uint32_t series, const struct coarse *more)
{
	struct coarse all = { 0 };
	struct buf body;
	bool found;
	if (!more->n)
		return SQLITE_OK;
	int64_t span = more->p[0].t / coarse_span(l), id = coarse_id(l, span, series);
	buf_init(&body, COARSE_BYTES_MAX);
	int rc = read_coarse(d, l, id, &all, &found);
	coarse_merge(&all, more);
	if (rc == SQLITE_OK && coarse_encode(&body, l, span * coarse_span(l), &all))
		rc = db_put_blob(d, DB_COARSE_PUT, id, body.p, body.n);
	buf_clear(&body);
	coarse_clear(&all);
	return rc;
}

int keep_read(struct db *d, enum coarse_level l, uint32_t series, int64_t from, int64_t to, struct coarse *out)
{
	int64_t last = (to - 1) / coarse_span(l);
	int rc = SQLITE_OK;
	for (int64_t span = from / coarse_span(l); span <= last && rc == SQLITE_OK; span++) {
		bool found;
		rc = read_coarse(d, l, coarse_id(l, span, series), out, &found);
		if (found || rc)
			continue;
		int64_t range[2] = { coarse_id(l, span + 1, 0), coarse_id(l, last + 1, 0) - 1 }, next;
		rc = db_number(d, DB_COARSE_NEXT, 2, range, range[1] + 1, &next);
		span = id_span(next) - 1;
	}
	return rc;
}

/* ---- rolling up */

static int fine_into(struct keep *k, struct db *d, int64_t id, struct coarse *out, size_t *n)
{
	struct points ps = { 0 };
	enum combine how;
	bool found;
	int rc = chunk_read(d, id >> SERIES_BITS, id_series(id), &ps, &found);
	if (rc == SQLITE_OK)
		rc = keep_combine(k, d, id_series(id), &how);
	for (size_t i = 0; i < ps.n && rc == SQLITE_OK; i++)
		coarse_fold(out, how, coarse_step(COARSE_5MIN), ps.p[i].t, ps.p[i].v, 1);
	*n = ps.n;
	points_clear(&ps);
	return rc;
}

static int coarse_into(struct keep *k, struct db *d, int64_t id, struct coarse *out, size_t *n)
{
	struct coarse finer = { 0 };
	enum combine how;
	bool found;
	int rc = read_coarse(d, COARSE_5MIN, id, &finer, &found);
	if (rc == SQLITE_OK)
		rc = keep_combine(k, d, id_series(id), &how);
	for (size_t i = 0; i < finer.n && rc == SQLITE_OK; i++)
		coarse_fold(out, how, coarse_step(COARSE_HOUR), finer.p[i].t, finer.p[i].v, finer.p[i].n);
	*n = finer.n;
	coarse_clear(&finer);
	return rc;
}

/* One row becomes part of a coarser one. */
static int roll_row(struct keep *k, struct db *d, enum coarse_level to, int64_t id, int64_t *points)
{
	struct coarse c = { 0 };
	size_t n = 0;
	int rc = to == COARSE_5MIN ? fine_into(k, d, id, &c, &n) : coarse_into(k, d, id, &c, &n);
	if (rc == SQLITE_OK)
		rc = put_coarse(d, to, id_series(id), &c);
	if (rc == SQLITE_OK)
		rc = db_run(d, to == COARSE_5MIN ? DB_CHUNK_DELETE : DB_COARSE_DELETE, 1, &id);
	/* In a damaged tree a row can be met and yet not be found again: rolling it up would never end. */
	if (rc == SQLITE_OK && sqlite3_changes(d->sql) != 1)
		rc = SQLITE_CORRUPT;
	*points -= (int64_t)n + ROW_COST;
	coarse_clear(&c);
	return rc;
}

/* The oldest row of the form that becomes `to`. */
static int oldest_below(struct db *d, enum coarse_level to, int64_t *id)
{
	int64_t range[2] = { 0, coarse_id(COARSE_5MIN + 1, 0, 0) - 1 };
	if (to == COARSE_5MIN)
		return db_number(d, DB_CHUNK_NEXT, 1, range, -1, id);
	return db_number(d, DB_COARSE_NEXT, 2, range, -1, id);
}

/* Rows that end at `before` or earlier; *done false when points ran out. */
static int roll(struct keep *k, struct db *d, enum coarse_level to, int64_t before, int64_t *points, bool *done)
{
	int64_t length = to == COARSE_5MIN ? CHUNK_SPAN : coarse_span(COARSE_5MIN), id;
	*done = false;
	while (*points > 0) {
		int rc = oldest_below(d, to, &id);
		if (rc || id < 0 || (id_span(id) + 1) * length > before) {
			*done = true;
			return rc;
		}
		rc = roll_row(k, d, to, id, points);
		if (rc)
			return rc;
	}
	return SQLITE_OK;
}

/* ---- forgetting */

static int drop_old(struct ticks *ts, struct db *d, int64_t before, bool *more)
{
	int64_t span = before / CHUNK_SPAN, first;
	int64_t fine[2] = { tick_id(span, 0), DROP_ROWS };
	int rc = db_number(d, DB_TICK_FIRST, 0, NULL, INT64_MAX, &first);
	if (rc == SQLITE_OK && first < fine[0] && !ts->loaded) /* dropping counts them */
		rc = ticks_load(ts, d);
	if (rc == SQLITE_OK && first < fine[0])
		rc = ticks_drop(ts, d, 0, fine[0] - 1);
	if (rc == SQLITE_OK)
		rc = db_run(d, DB_CHUNK_DROP, 2, fine);
	*more |= rc == SQLITE_OK && sqlite3_changes(d->sql) == DROP_ROWS;
	for (enum coarse_level l = COARSE_5MIN; l < COARSE_LEVELS && rc == SQLITE_OK; l++) {
		int64_t range[3] = { coarse_id(l, 0, 0), coarse_id(l, before / coarse_span(l), 0), DROP_ROWS };
		rc = db_run(d, DB_COARSE_DROP, 3, range);
		*more |= rc == SQLITE_OK && sqlite3_changes(d->sql) == DROP_ROWS;
	}
	return rc;
}

/* The coarsest is the oldest. */
static int drop_oldest(struct db *d, int64_t rows, bool *freed)
{
	int rc = SQLITE_OK;
	*freed = false;
	for (int l = COARSE_LEVELS - 1; l >= 0 && rc == SQLITE_OK && !*freed; l--) {
		int64_t range[3] = { coarse_id((enum coarse_level)l, 0, 0), coarse_id((enum coarse_level)(l + 1), 0, 0), rows };
		rc = db_run(d, DB_COARSE_DROP, 3, range);
		*freed = rc == SQLITE_OK && sqlite3_changes(d->sql) > 0;
	}
	int64_t fine[2] = { INT64_MAX, rows };
	if (rc == SQLITE_OK && !*freed) {
		rc = db_run(d, DB_CHUNK_DROP, 2, fine);
		*freed = rc == SQLITE_OK && sqlite3_changes(d->sql) > 0;
	}
	if (rc == SQLITE_OK && !*freed) {
		rc = revise_drop(d, KEYED_T_MAX, rows);
		*freed = rc == SQLITE_OK && sqlite3_changes(d->sql) > 0;
	}
	return rc;
}

/* What is said of points that are no longer fine, or gone, goes with them. */
static int drop_revisions(struct db *d, bool *more)
{
	int64_t zero = 0, chunk, tick;
	int rc = db_number(d, DB_CHUNK_NEXT, 1, &zero, INT64_MAX, &chunk);
	if (rc == SQLITE_OK)
		rc = db_number(d, DB_TICK_FIRST, 0, NULL, INT64_MAX, &tick);
	int64_t first = chunk < tick ? chunk : tick;
	if (rc == SQLITE_OK && first != INT64_MAX)
		rc = revise_drop(d, (first >> SERIES_BITS) * CHUNK_SPAN, DROP_ROWS);
	*more |= rc == SQLITE_OK && first != INT64_MAX && sqlite3_changes(d->sql) == DROP_ROWS;
	return rc;
}

int keep_make_room(struct db *d, bool *freed)
{
	return drop_oldest(d, ROOM_ROWS, freed);
}

/* ---- the cap */

static int pages_used(struct db *d, int64_t *used, int64_t *free_pages)
{
	int rc = db_number(d, DB_PAGE_COUNT, 0, NULL, 0, used);
	if (rc == SQLITE_OK)
		rc = db_number(d, DB_FREELIST, 0, NULL, 0, free_pages);
	*used -= *free_pages;
	return rc;
}

int keep_cap(const struct keep *k, struct db *d)
{
	char sql[64];
	int64_t most = k->bytes ? k->bytes / PAGE : INT32_MAX, v;
	sqlite3_snprintf(sizeof sql, sql, "PRAGMA max_page_count = %lld", (long long)(most < 1 ? 1 : most));
	return db_pragma(d, sql, &v);
}

bool keep_at_cap(const struct keep *k, struct db *d)
{
	int64_t used, free_pages;
	return k->bytes && pages_used(d, &used, &free_pages) == SQLITE_OK && used + 1024 > k->bytes / PAGE;
}

/* A sixteenth is left for what the next polls bring. */
static bool too_large(const struct keep *k, int64_t used)
{
	return k->bytes && used * PAGE > k->bytes - k->bytes / 16;
}

static int shrink_content(struct keep *k, struct db *d, int64_t now, int64_t points, bool *more)
{
	int64_t used, free_pages, begin = points, before = now > KEEP_FINE_LEAST ? now - KEEP_FINE_LEAST : 0;
	bool done, freed;
	int rc = pages_used(d, &used, &free_pages);
	if (rc || !too_large(k, used))
		return rc;
	*more = true;
	for (enum coarse_level l = COARSE_5MIN; l < COARSE_LEVELS && points == begin; l++) {
		rc = roll(k, d, l, before, &points, &done);
		if (rc)
			return rc;
	}
	if (points != begin)
		return SQLITE_OK;
	rc = drop_oldest(d, DROP_ROWS, &freed);
	*more = freed;
	return rc;
}

int keep_step(struct keep *k, struct ticks *ts, struct db *d, int64_t now, int64_t points, bool *more)
{
	int rc = SQLITE_OK;
	*more = false;
	if (now > 0 && k->retention && now > k->retention)
		rc = drop_old(ts, d, now - k->retention, more);
	for (enum coarse_level l = COARSE_5MIN; l < COARSE_LEVELS && rc == SQLITE_OK && points > 0; l++) {
		bool done = true;
		if (now > 0 && k->after[l] && now > k->after[l])
			rc = roll(k, d, l, now - k->after[l], &points, &done);
		*more |= !done;
	}
	if (rc == SQLITE_OK && points > 0)
		rc = shrink_content(k, d, now, points, more);
	return rc == SQLITE_OK ? drop_revisions(d, more) : rc;
}

/* ---- what there is */

static void earlier(int64_t *t, int64_t other)
{
	if (other >= 0 && (*t < 0 || other < *t))
		*t = other;
}

/* A coarse span is long: the first point of all its rows is looked for. */
static int oldest_coarse(struct db *d, enum coarse_level l, int64_t *t)
{
	int64_t range[2] = { coarse_id(l, 0, 0), coarse_id((enum coarse_level)(l + 1), 0, 0) - 1 }, id, span = -1;
	struct coarse c = { 0 };
	int rc = SQLITE_OK;
	while (rc == SQLITE_OK) {
		bool found;
		rc = db_number(d, DB_COARSE_NEXT, 2, range, -1, &id);
		if (rc || id < 0 || (span >= 0 && id_span(id) != span))
			break;
		span = id_span(id);
		c.n = 0;
		rc = read_coarse(d, l, id, &c, &found);
		if (c.n)
			earlier(t, c.p[0].t);
		range[0] = id + 1;
	}
	coarse_clear(&c);
	return rc;
}

int keep_oldest(struct db *d, int64_t *t)
{
	int64_t id, none = -1, zero = 0;
	*t = -1;
	int rc = db_number(d, DB_CHUNK_NEXT, 1, &zero, none, &id);
	if (rc == SQLITE_OK && id >= 0)
		earlier(t, (id >> SERIES_BITS) * CHUNK_SPAN);
	if (rc == SQLITE_OK)
		rc = db_number(d, DB_TICK_FIRST, 0, NULL, none, &id);
	if (rc == SQLITE_OK && id >= 0)
		earlier(t, (id >> SERIES_BITS) * CHUNK_SPAN);
	for (enum coarse_level l = COARSE_5MIN; l < COARSE_LEVELS && rc == SQLITE_OK && d->version >= 2; l++)
		rc = oldest_coarse(d, l, t);
	return rc;
}
