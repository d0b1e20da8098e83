#include "cache/points.h"

#include "cache/keep_events.h"
#include "core/clock.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define TICK_BYTES_MAX (32 << 20)
/* Points a commit folds, some 10 ms; four times that when too many ticks wait: more than a flush can add. */
#define FOLD_POINTS (INT64_C(64) << 10)
#define IDLE_MAX 10    /* commits without a read, until the copy of the ticks is let go */
#define HELD_MOST 5    /* commits: what lasts no longer is not worth a word */
#define COUNT_EVERY 64 /* steps, until the rows of events and states are counted again */
#define DAY 86400

/* ---- pending */

static void drop_oldest(struct pending *p)
{
	size_t n = PENDING_MAX / 8;
	memmove(p->v, p->v + n, (p->n - n) * sizeof *p->v);
	p->n -= n;
	p->lost += n;
}

void pending_add(struct pending *p, uint32_t series, int64_t t, double v)
{
	if (p->n == PENDING_MAX)
		drop_oldest(p);
	MEM_GROW(p->v, p->n, p->cap);
	p->v[p->n++] = (struct keyed){ keyed_key(series, t), v };
}

static void pending_clear(struct pending *p)
{
	free(p->v);
	*p = (struct pending){ 0 };
}

void store_forget(struct store *s)
{
	ticks_forget(&s->ticks);
	keep_forget(&s->keep);
	revise_forget(&s->revise);
	s->fold = (struct fold){ .span = -1, .newest = s->fold.newest };
}

void store_clear(struct store *s)
{
	store_forget(s);
	names_clear(&s->names);
	pending_clear(&s->pending);
	revise_clear(&s->revise);
}

/* ---- writing */

static int write_ticks(struct store *s, const struct keyed *p, size_t n)
{
	struct buf body;
	int rc = SQLITE_OK;
	buf_init(&body, TICK_BYTES_MAX);
	for (size_t i = 0, next; i < n && rc == SQLITE_OK; i = next) {
		int64_t span = keyed_span(p[i].key);
		for (next = i + 1; next < n && keyed_span(p[next].key) == span;)
			next++;
		buf_reset(&body);
		tick_encode(&body, p + i, next - i);
		rc = ticks_add(&s->ticks, &s->db, span, buf_span(&body));
	}
	buf_clear(&body);
	return rc;
}

/* Sorting and dropping what was overtaken changes nothing of what is pending, so it is done in place: it must still be there
 * when the disk is full. */
static void tidy(struct store *s)
{
	struct pending *p = &s->pending;
	int64_t reason = clock_wall() + DAY;
	for (size_t i = 0; i < p->n; i++)
		if (keyed_time(p->v[i].key) > s->fold.newest)
			s->fold.newest = keyed_time(p->v[i].key);
	if (s->fold.newest > reason)
		s->fold.newest = reason;
	p->n = keyed_sort(p->v, p->n);
}

static int write_translated(struct store *s)
{
	struct keyed *v = xreallocarray(NULL, s->pending.n, sizeof *v);
	size_t n = 0;
	for (size_t i = 0; i < s->pending.n; i++) {
		struct keyed k = s->pending.v[i];
		uint32_t file = names_file(&s->names, &s->db, keyed_series(k.key));
		if (file)
			v[n++] = (struct keyed){ keyed_key(file, keyed_time(k.key)), k.v };
	}
	int rc = write_ticks(s, v, keyed_sort(v, n));
	free(v);
	return rc;
}

static int write_pending(struct store *s)
{
	tidy(s);
	return s->names.differ ? write_translated(s) : write_ticks(s, s->pending.v, s->pending.n);
}

static int write_revisions(struct store *s)
{
	const struct revisions *p = &s->revise.pending;
	size_t n = 0;
	if (!p->n)
		return SQLITE_OK;
	struct revision *v = xreallocarray(NULL, p->n, sizeof *v);
	for (size_t i = 0; i < p->n; i++) {
		v[n] = p->v[i];
		v[n].series = names_file(&s->names, &s->db, p->v[i].series);
		n += v[n].series != 0;
	}
	revise_sort(v, n);
	int rc = revise_write(&s->revise, &s->db, v, n, p->lost, s->keep.bytes);
	free(v);
	return rc;
}

static int load_state(struct store *s)
{
	int rc = fold_load(&s->fold, &s->db);
	return rc ? rc : ticks_count(&s->ticks, &s->db);
}

static int write_all(struct store *s)
{
	int rc = load_state(s);
	if (rc == SQLITE_OK)
		rc = names_store(&s->names, &s->db);
	if (rc == SQLITE_OK)
		rc = write_pending(s);
	if (rc == SQLITE_OK)
		rc = write_revisions(s);
	/* Folding waits while somebody's reading keeps the log from being begun anew, and when there is much to write as it is. */
	bool calm = s->db.frames <= DB_LOG_CALM && s->pending.n <= PENDING_FLUSH;
	if (rc == SQLITE_OK && calm && fold_due(&s->fold, &s->ticks))
		rc = fold_due_step(&s->fold, &s->ticks, &s->db, s->ticks.bytes > TICKS_BYTES ? 4 * FOLD_POINTS : FOLD_POINTS);
	return rc;
}

/* A transaction around one step: all or nothing, in the file and in what is known of it. */
static int transact(struct store *s, int (*step)(struct store *s))
{
	int rc = db_run(&s->db, DB_BEGIN_WRITE, 0, NULL);
	if (rc)
		return rc;
	rc = step(s);
	if (rc == SQLITE_OK)
		rc = db_run(&s->db, DB_COMMIT, 0, NULL);
	if (rc == SQLITE_OK)
		return SQLITE_OK;
	db_run(&s->db, DB_ROLLBACK, 0, NULL);
	store_forget(s);
	return rc;
}

bool store_has_work(struct store *s)
{
	return s->pending.n || s->revise.pending.n || s->names.unstored || !s->fold.loaded || fold_due(&s->fold, &s->ticks);
}

/* The log must not grow without an end while somebody reads. */
static bool log_full(struct store *s)
{
	return !db_log_room(&s->db, DB_LOG_CALM) && s->db.frames > DB_LOG_FULL;
}

/* Whether the points have to wait in memory. */
static bool held(struct store *s)
{
	bool full = log_full(s) && !s->last;
	s->held = full ? s->held + 1 : 0;
	return full;
}

int store_commit(struct store *s)
{
	if (held(s))
		return s->held > HELD_MOST ? DB_HELD : SQLITE_OK;
	int rc = store_has_work(s) ? transact(s, write_all) : SQLITE_OK;
	if (rc)
		return rc;
	names_stored(&s->names);
	if (s->pending.cap > 2 * PENDING_FLUSH)
		pending_clear(&s->pending);
	s->pending.n = s->pending.lost = 0;
	s->revise.pending.n = 0;
	s->revise.pending.lost = false;
	if (s->idle++ >= IDLE_MAX && s->fold.span < 0) {
		ticks_unload(&s->ticks);
		db_rest(&s->db);
		s->idle = 0;
	}
	return SQLITE_OK;
}

static int fold_some(struct store *s)
{
	int rc = load_state(s);
	return rc ? rc : fold_step(&s->fold, &s->ticks, &s->db, s->limit, 4 * FOLD_POINTS, &s->more);
}

/* Transaction by transaction, so that the log stays short. */
static int fold_below(struct store *s, int64_t limit)
{
	int rc = store_commit(s);
	s->limit = limit;
	for (s->more = true; rc == SQLITE_OK && s->more;)
		rc = log_full(s) ? DB_HELD : transact(s, fold_some);
	return rc;
}

int store_fold_all(struct store *s)
{
	return fold_below(s, INT64_MAX);
}

/* ---- within limits */

/* A clock that is far ahead must not cost the history: nothing is older than the newest point makes it, but for a day. */
static int64_t reasonable(const struct store *s)
{
	int64_t most = s->fold.newest ? s->fold.newest + DAY : 0;
	return s->now < most ? s->now : most;
}

static int keep_some(struct store *s)
{
	int rc = load_state(s);
	if (rc == SQLITE_OK)
		rc = keep_step(&s->keep, &s->ticks, &s->db, reasonable(s), FOLD_POINTS, &s->more);
	bool whole = s->keeps++ % COUNT_EVERY == 0;
	return rc ? rc : events_keep(&s->db, reasonable(s), s->keep.retention, s->keep.bytes, whole);
}

int store_keep(struct store *s)
{
	s->more = false;
	return db_log_room(&s->db, DB_LOG_CALM) ? transact(s, keep_some) : SQLITE_OK;
}

static int room_some(struct store *s)
{
	int rc = keep_make_room(&s->db, &s->more);
	return rc == SQLITE_OK && !s->more ? SQLITE_FULL : rc;
}

int store_make_room(struct store *s)
{
	return keep_at_cap(&s->keep, &s->db) ? transact(s, room_some) : SQLITE_FULL;
}

/* ---- reading */

/* Where there is none, it goes on at the next span that has any: a stray point of the year 9999 makes no long way. */
static int read_chunks(struct db *d, uint32_t series, int64_t first, int64_t last, struct points *out)
{
	for (int64_t span = first; span <= last; span++) {
		bool found;
		int rc = chunk_read(d, span, series, out, &found);
		if (found && rc == SQLITE_OK)
			continue;
		int64_t from = tick_id(span + 1, 0), next = 0;
		if (rc == SQLITE_OK)
			rc = db_number(d, DB_CHUNK_NEXT, 1, &from, INT64_MAX, &next);
		if (rc)
			return rc;
		if (next < from)
			return SQLITE_CORRUPT;
		span = (next >> SERIES_BITS) - 1;
	}
	return SQLITE_OK;
}

static int read_ticks(struct ticks *ts, uint32_t series, int64_t first, int64_t last, struct points *out)
{
	uint32_t hint = 0;
	for (size_t i = ticks_at(ts, tick_id(first, 0)); i < ts->n && ts->v[i].id >> SERIES_BITS <= last; i++) {
		struct tick_cursor c;
		tick_seek(&ts->v[i], series, &c, &hint);
		if (c.bad || (c.series == series && !tick_take(&c, out)))
			return SQLITE_CORRUPT;
	}
	return SQLITE_OK;
}

static int read_file(struct store *s, bool writer, uint32_t series, int64_t first, int64_t last, struct points *out)
{
	int rc = SQLITE_OK;
	if (!writer)
		rc = ticks_refresh(&s->ticks, &s->db);
	else if (!s->ticks.loaded)
		rc = ticks_load(&s->ticks, &s->db);
	if (rc == SQLITE_OK)
		rc = read_chunks(&s->db, series, first, last, out);
	return rc ? rc : read_ticks(&s->ticks, series, first, last, out);
}

static void read_pending(const struct pending *p, uint32_t series, int64_t first, int64_t last, struct points *out)
{
	for (size_t i = 0; i < p->n; i++) {
		int64_t span = keyed_span(p->v[i].key);
		if (keyed_series(p->v[i].key) == series && span >= first && span <= last)
			points_put(out, keyed_time(p->v[i].key), p->v[i].v);
	}
}

/* What reading consists of, between the begin and the end of its transaction. */
struct reading {
	bool writer;
	uint32_t id; /* the caller's */
	enum coarse_level level;
	int64_t from, to, end;
	struct points *fine;
	struct coarse *coarse;
	struct revisions *revised;
};

static int reading_run(struct store *s, struct reading *r, int (*read)(struct store *, struct reading *, uint32_t))
{
	int rc = db_run(&s->db, DB_BEGIN_READ, 0, NULL);
	if (rc)
		return rc;
	uint32_t series = names_file(&s->names, &s->db, r->id);
	s->idle = 0;
	if (series)
		rc = read(s, r, series);
	if (db_run(&s->db, DB_COMMIT, 0, NULL))
		db_run(&s->db, DB_ROLLBACK, 0, NULL);
	if (rc)
		ticks_forget(&s->ticks);
	return rc;
}

static int read_fine(struct store *s, struct reading *r, uint32_t series)
{
	return read_file(s, r->writer, series, r->from / CHUNK_SPAN, (r->to - 1) / CHUNK_SPAN, r->fine);
}

int store_read(struct store *s, bool writer, uint32_t id, int64_t from, int64_t to, struct points *out)
{
	struct reading r = { .writer = writer, .id = id, .from = from, .to = to, .fine = out };
	int rc = reading_run(s, &r, read_fine);
	if (rc == SQLITE_OK)
		read_pending(&s->pending, id, from / CHUNK_SPAN, (to - 1) / CHUNK_SPAN, out);
	return rc;
}

/* ---- reading coarse points */

static int read_levels(struct store *s, struct reading *r, enum combine how, uint32_t series)
{
	int rc = SQLITE_OK;
	for (int l = (int)r->level; l >= 0 && rc == SQLITE_OK && s->db.version >= 2; l--) {
		struct coarse stored = { 0 }, here = { 0 };
		rc = keep_read(&s->db, (enum coarse_level)l, series, r->from, r->to, &stored);
		for (size_t i = 0; i < stored.n; i++)
			coarse_fold(&here, how, coarse_step(r->level), stored.p[i].t, stored.p[i].v, stored.p[i].n);
		coarse_merge(r->coarse, &here);
		coarse_clear(&stored);
		coarse_clear(&here);
	}
	return rc;
}

static int read_coarsely(struct store *s, struct reading *r, uint32_t series)
{
	enum combine how;
	struct coarse here = { 0 };
	int rc = keep_combine(&s->keep, &s->db, series, &how);
	if (rc == SQLITE_OK)
		rc = read_levels(s, r, how, series);
	if (rc == SQLITE_OK)
		rc = read_fine(s, r, series);
	if (rc == SQLITE_OK)
		read_pending(&s->pending, r->id, r->from / CHUNK_SPAN, (r->to - 1) / CHUNK_SPAN, r->fine);
	for (size_t i = 0; i < r->fine->n && rc == SQLITE_OK; i++)
		coarse_fold(&here, how, coarse_step(r->level), r->fine->p[i].t, r->fine->p[i].v, 1);
	coarse_merge(r->coarse, &here);
	coarse_clear(&here);
	return rc;
}

int store_read_coarse(struct store *s, bool writer, uint32_t id, enum coarse_level l, int64_t from, int64_t to,
                      struct coarse *out)
{
	struct points fine = { 0 };
	struct reading r = { .writer = writer, .id = id, .level = l, .from = from, .to = to, .fine = &fine, .coarse = out };
	int rc = reading_run(s, &r, read_coarsely);
	points_clear(&fine);
	return rc;
}

static int find_end(struct store *s, struct reading *r, uint32_t series)
{
	struct coarse stored = { 0 };
	int rc = s->db.version >= 2 ? keep_read(&s->db, r->level, series, r->from, r->to, &stored) : SQLITE_OK;
	for (size_t i = 0; i < stored.n && rc == SQLITE_OK; i++)
		if (stored.p[i].t < r->to)
			r->end = stored.p[i].t + coarse_step(r->level);
	coarse_clear(&stored);
	return rc;
}

int store_coarse_end(struct store *s, uint32_t id, enum coarse_level l, int64_t from, int64_t to, int64_t *end)
{
	struct reading r = { .id = id, .level = l, .from = from, .to = to };
	int rc = reading_run(s, &r, find_end);
	*end = rc ? 0 : r.end;
	return rc;
}

/* ---- reading what had changed */

static int read_revised(struct store *s, struct reading *r, uint32_t series)
{
	return s->db.version < 3 ? SQLITE_OK : revise_read(&s->db, series, r->from, r->to, r->revised);
}

int store_read_revisions(struct store *s, uint32_t id, int64_t from, int64_t to, struct revisions *out)
{
	struct reading r = { .id = id, .from = from, .to = to, .revised = out };
	const struct revisions *p = &s->revise.pending;
	int rc = reading_run(s, &r, read_revised);
	for (size_t i = 0; i < out->n; i++)
		out->v[i].series = id;
	for (size_t i = 0; i < p->n && rc == SQLITE_OK; i++) {
		if (p->v[i].series != id || p->v[i].t < from || p->v[i].t >= to)
			continue;
		MEM_GROW(out->v, out->n, out->cap);
		out->v[out->n++] = p->v[i];
	}
	out->lost = out->lost || p->lost;
	revise_sort(out->v, out->n);
	return rc;
}
