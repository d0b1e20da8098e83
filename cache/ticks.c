#include "cache/ticks.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

void ticks_unload(struct ticks *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		tick_close(&ts->v[i]);
	free(ts->v);
	ts->v = NULL;
	ts->n = ts->cap = 0;
	ts->loaded = false;
}

void ticks_forget(struct ticks *ts)
{
	ticks_unload(ts);
	ts->counted = false;
}

size_t ticks_at(const struct ticks *ts, int64_t id)
{
	size_t low = 0, high = ts->n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (ts->v[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool insert(struct ticks *ts, int64_t id, struct span body)
{
	struct tick t;
	if (id < 0 || id >= KEYED_T_MAX / CHUNK_SPAN << SERIES_BITS)
		return false;
	if (!tick_open(&t, id, (id >> SERIES_BITS) * CHUNK_SPAN, body))
		return false;
	MEM_GROW(ts->v, ts->n, ts->cap);
	size_t at = ticks_at(ts, id);
	memmove(ts->v + at + 1, ts->v + at, (ts->n - at) * sizeof *ts->v);
	ts->v[at] = t;
	ts->n++;
	return true;
}

int ticks_load(struct ticks *ts, struct db *d)
{
	sqlite3_stmt *st;
	ticks_unload(ts);
	int rc = db_prepare(d, DB_TICK_ALL, &st);
	if (rc)
		return rc;
	while ((rc = db_step(st)) == SQLITE_ROW) {
		const char *p = sqlite3_column_blob(st, 1);
		struct span body = { p ? p : "", (size_t)sqlite3_column_bytes(st, 1) };
		if (!insert(ts, sqlite3_column_int64(st, 0), body)) {
			rc = SQLITE_CORRUPT;
			break;
		}
	}
	sqlite3_reset(st);
	ts->loaded = rc == SQLITE_OK;
	if (rc)
		ticks_unload(ts);
	return rc;
}

int ticks_refresh(struct ticks *ts, struct db *d)
{
	int64_t version;
	int rc = db_number(d, DB_DATA_VERSION, 0, NULL, 0, &version);
	if (rc || (ts->loaded && version == ts->version))
		return rc;
	ts->version = version;
	return ticks_load(ts, d);
}

int ticks_count(struct ticks *ts, struct db *d)
{
	if (ts->counted)
		return SQLITE_OK;
	int rc = db_number(d, DB_TICK_ROWS, 0, NULL, 0, &ts->rows);
	if (rc == SQLITE_OK)
		rc = db_number(d, DB_TICK_BYTES, 0, NULL, 0, &ts->bytes);
	ts->counted = rc == SQLITE_OK;
	return rc;
}

int ticks_add(struct ticks *ts, struct db *d, int64_t span, struct span body)
{
	int64_t range[2] = { tick_id(span, 0), tick_id(span, TICK_NUMBER_MAX) }, last;
	int rc = db_number(d, DB_TICK_LAST, 2, range, range[0] - 1, &last);
	if (rc)
		return rc;
	if (last == range[1])
		return SQLITE_FULL;
	rc = db_put_blob(d, DB_TICK_ADD, last + 1, body.p, body.n);
	if (rc)
		return rc;
	ts->rows++;
	ts->bytes += (int64_t)body.n;
	if (ts->loaded && !insert(ts, last + 1, body))
		return SQLITE_INTERNAL;
	return SQLITE_OK;
}

int ticks_drop(struct ticks *ts, struct db *d, int64_t from, int64_t to)
{
	int64_t range[2] = { from, to };
	int rc = db_run(d, DB_TICK_DROP, 2, range);
	if (rc)
		return rc;
	size_t a = ticks_at(ts, from), b = ticks_at(ts, to + 1);
	/* In a damaged tree a row can be read and yet not be found again: folding it would never end. */
	if (ts->loaded && (size_t)sqlite3_changes(d->sql) != b - a)
		return SQLITE_CORRUPT;
	for (size_t i = a; i < b; i++) {
		ts->rows--;
		ts->bytes -= (int64_t)ts->v[i].n;
		tick_close(&ts->v[i]);
	}
	if (b > a)
		memmove(ts->v + a, ts->v + b, (ts->n - b) * sizeof *ts->v);
	ts->n -= b - a;
	return SQLITE_OK;
}
