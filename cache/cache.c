#include "cache/cache.h"

#include "cache/file.h"
#include "cache/points.h"
#include "cache/readers.h"
#include "cache/work.h"
#include "core/log.h"
#include "core/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA_VERSION 4
/* One process sets aside so many files, then it takes the disk for broken and does without history. */
#define ASIDE_MAX 5
/* A reader waits so long for the writer to make the file. */
#define CREATE_TRIES 25
#define ROOM_TRIES 16
#define BESIDE_MS 3000 /* the writer's transactions take milliseconds */
#define CREATE_PAUSE_NS 10000000

static const char schema[] =
#include "schema.sql.h"
    ;

struct cache {
	char *path; /* absolute */
	int lock;   /* -1: a reader */
	struct file_id lock_id, file_id, wal_id;
	pid_t holder; /* of the lock when it is not ours; 0 unknown */
	unsigned asides;
	bool peeks; /* opened by cache_peek */
	struct store store;
	char note[640];
};

static void __attribute__((format(printf, 2, 3))) tell(struct cache *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->note, sizeof c->note, fmt, ap);
	va_end(ap);
	log_info(LOG_CACHE, "%s", c->note);
}

/* ---- schema */

enum opened { OPENED, DAMAGED, EMPTY, FAILED };

static enum opened failed(struct cache *c, int rc, struct err *e)
{
	db_err(rc, c->path, e);
	return db_damaged(rc) ? DAMAGED : FAILED;
}

/* Not even its log is played into it: that is for the sluice that wrote it. */
static enum opened newer(struct cache *c, long version, struct err *e)
{
	db_close(&c->store.db, true);
	err_set(e, ERR_DB, "cache", "%s: written by a newer sluice (schema %ld, this one knows %d); it is left as it is",
	        c->path, version, SCHEMA_VERSION);
	return FAILED;
}

/* A file without our tables is somebody else's, and stays as it is; with some of them it is ours and damaged. */
static enum opened examine(struct cache *c, int64_t *version, struct err *e)
{
	struct db *d = &c->store.db;
	int64_t tables = 0, ours = 0;
	int rc = db_pragma(d, "PRAGMA user_version", version);
	if (rc == SQLITE_OK)
		rc = db_pragma(d, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'", &tables);
	if (rc == SQLITE_OK)
		rc = db_pragma(
		    d, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('chunk', 'tick', 'fold')", &ours);
	if (rc)
		return failed(c, rc, e);
	if (!tables && *version == 0)
		return EMPTY;
	if (!ours && tables) {
		err_set(e, ERR_DB, "cache", "%s: is a database of another program", c->path);
		return FAILED;
	}
	if (*version > SCHEMA_VERSION)
		return newer(c, (long)*version, e);
	d->version = (int)*version;
	return *version < 1 || ours < 3 ? failed(c, SQLITE_CORRUPT, e) : OPENED;
}

/* ---- opening */

static enum opened open_to_write(struct cache *c, struct err *e)
{
	int64_t version = 0;
	long seen = file_version(c->path); /* before SQLite touches anything */
	if (seen > SCHEMA_VERSION)
		return newer(c, seen, e);
	int rc = db_open(&c->store.db, c->path, true);
	if (rc)
		return failed(c, rc, e);
	enum opened o = examine(c, &version, e);
	if (o != OPENED && o != EMPTY)
		return o;
	/* The file may be written, so it is its header that says it may not. */
	rc = sqlite3_db_readonly(c->store.db.sql, "main") ? SQLITE_CORRUPT : db_tune(&c->store.db);
	for (int n = (int)version + 1; n <= SCHEMA_VERSION && rc == SQLITE_OK; n++)
		rc = db_migrate(&c->store.db, schema, n);
	c->store.db.version = SCHEMA_VERSION;
	if (rc == SQLITE_OK)
		rc = keep_cap(&c->store.keep, &c->store.db);
	if (rc == SQLITE_OK)
		rc = names_rebind(&c->store.names, &c->store.db, true);
	return rc ? failed(c, rc, e) : OPENED;
}

static enum opened open_to_read(struct cache *c, struct err *e)
{
	enum opened o = FAILED;
	for (unsigned i = 0; i < (c->peeks ? 1 : CREATE_TRIES); i++) {
		int64_t version;
		int rc = db_open(&c->store.db, c->path, false);
		o = rc ? failed(c, rc, e) : examine(c, &version, e);
		if (o == OPENED)
			return names_rebind(&c->store.names, &c->store.db, false) ? FAILED : OPENED;
		db_close(&c->store.db, false);
		if (o != EMPTY && (rc & 255) != SQLITE_CANTOPEN)
			return o;
		nanosleep(&(struct timespec){ 0, CREATE_PAUSE_NS }, NULL);
	}
	if (o == EMPTY)
		err_set(e, ERR_DB, "cache", "%s: the history is not there yet", c->path);
	return FAILED;
}

/* The damaged file keeps its bytes under another name; a new one takes its place. */
static bool set_aside(struct cache *c, struct err *e)
{
	db_close(&c->store.db, true);
	store_forget(&c->store);
	if (c->asides++ == ASIDE_MAX)
		return err_set(e, ERR_DB, "cache", "%s: was damaged %d times; is the disk failing?", c->path, ASIDE_MAX);
	char *name = file_aside(c->path, e);
	if (!name)
		return false;
	tell(c, "the history was damaged; it is kept as %s and a new one was begun", name);
	free(name);
	return file_create(c->path, e);
}

static bool open_file(struct cache *c, struct err *e)
{
	if (c->lock < 0)
		return open_to_read(c, e) == OPENED;
	if (!file_create(c->path, e))
		return false;
	enum opened o = open_to_write(c, e);
	if (o == DAMAGED && set_aside(c, e)) {
		if (e)
			err_clear(e);
		o = open_to_write(c, e);
	}
	return o == OPENED;
}

static void detach(struct cache *c, bool unlock)
{
	db_close(&c->store.db, false);
	store_forget(&c->store);
	if (unlock && c->lock >= 0) {
		close(c->lock);
		c->lock = -1;
	}
}

static void tell_reader(struct cache *c, enum file_lock lock, const struct err *why)
{
	if (lock == FILE_UNLOCKED)
		tell(c, "read-only: %s", why->text);
	else if (c->holder)
		tell(c, "read-only: process %ld writes this history", (long)c->holder);
	else
		tell(c, "read-only: another process writes this history");
}

static struct file_id beside(const struct cache *c, const char *suffix)
{
	char *name = xasprintf("%s%s", c->path, suffix);
	struct file_id id = file_id_of(name);
	free(name);
	return id;
}

static bool attach(struct cache *c, struct err *e)
{
	struct err why = { 0 };
	if (!file_vet(c->path, e))
		return false;
	if (c->lock < 0) {
		enum file_lock lock = file_lock(c->path, &c->lock, &c->lock_id, &c->holder, &why);
		if (lock != FILE_LOCKED)
			tell_reader(c, lock, &why);
		if (lock == FILE_UNLOCKED && !file_id_of(c->path).ino) {
			if (e)
				*e = why;
			return false;
		}
	}
	if (!open_file(c, e)) {
		detach(c, true);
		return false;
	}
	c->file_id = file_id_of(c->path);
	c->wal_id = beside(c, "-wal");
	return true;
}

struct cache *cache_open(const char *path, struct err *e)
{
	struct cache *c = xcalloc(1, sizeof *c);
	c->lock = -1;
	c->store.fold.span = c->store.revise.span = -1;
	c->path = file_path(path, e);
	if (c->path && attach(c, e))
		return c;
	free(c->path);
	store_clear(&c->store);
	free(c);
	return NULL;
}

struct cache *cache_peek(const char *path, struct err *e)
{
	struct cache *c = xcalloc(1, sizeof *c);
	c->lock = -1;
	c->peeks = true;
	c->path = xstrdup(path);
	if (access(path, F_OK) == 0 && file_vet(path, e) && open_to_read(c, e) == OPENED)
		return c;
	db_close(&c->store.db, false);
	store_clear(&c->store);
	free(c->path);
	free(c);
	return NULL;
}

/* ---- staying open */

static bool moved(const struct cache *c)
{
	return !file_same(c->file_id, file_id_of(c->path)) || (c->lock >= 0 && !file_same(c->lock_id, beside(c, ".lock")));
}

/* SQLite leaves the log of a file that is gone where it is; it would be played into the file that stands there now. */
static void detach_moved(struct cache *c)
{
	bool stale = c->lock >= 0 && c->wal_id.ino && !file_same(c->file_id, file_id_of(c->path));
	detach(c, true);
	if (stale && file_same(c->wal_id, beside(c, "-wal")))
		file_remove_log(c->path);
}

/* A reader becomes the writer when the writer has gone. */
static bool promoted(struct cache *c)
{
	pid_t holder = 0;
	if (c->lock >= 0 || file_lock(c->path, &c->lock, &c->lock_id, &holder, NULL) != FILE_LOCKED)
		return false;
	tell(c, "the process that wrote this history has gone; this one writes it now");
	return true;
}

/* A reader's: the writer is another sluice, which has brought the file to its own schema. */
static bool migrated(struct cache *c)
{
	int64_t version;
	return c->lock < 0 && db_number(&c->store.db, DB_USER_VERSION, 0, NULL, 0, &version) == SQLITE_OK &&
	       version != c->store.db.version;
}

/* Once a poll: is it still the file we opened? */
static bool follow(struct cache *c, struct err *e)
{
	if (c->store.db.sql && moved(c)) {
		detach_moved(c);
		tell(c, "the history file was removed or replaced; it was opened anew");
	} else if (c->store.db.sql && (migrated(c) || promoted(c))) {
		detach(c, false);
	}
	return c->store.db.sql || attach(c, e);
}

/* Whether it is worth doing once more what failed with rc. */
static bool recover(struct cache *c, int rc)
{
	if (c->lock < 0)
		return false;
	if (db_damaged(rc))
		return set_aside(c, NULL) && attach(c, NULL);
	if (rc != SQLITE_CONSTRAINT && rc != SQLITE_READONLY_DBMOVED)
		return false;
	detach_moved(c);
	return attach(c, NULL) && c->lock >= 0;
}

static bool write_step(struct cache *c, int (*step)(struct store *s), struct err *e)
{
	if (!follow(c, e))
		return false;
	if (c->lock < 0)
		return true;
	int rc = step(&c->store);
	if (rc && recover(c, rc))
		rc = step(&c->store);
	/* At the cap: the oldest makes room for the newest. */
	for (unsigned i = 0; i < ROOM_TRIES && (rc & 255) == SQLITE_FULL && store_make_room(&c->store) == SQLITE_OK; i++)
		rc = step(&c->store);
	c->wal_id = beside(c, "-wal");
	if (rc && c->store.pending.lost)
		tell(c, "the history cannot be written; %zu points were dropped", c->store.pending.lost);
	if (rc)
		log_warn(LOG_CACHE, "%s: %s", c->path, sqlite3_errstr(rc));
	return db_err(rc, c->path, e);
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	c->store.last = true;
	if (c->lock >= 0 && c->store.db.sql && (c->store.pending.n || !moved(c)))
		write_step(c, store_commit, NULL);
	detach_moved(c);
	store_clear(&c->store);
	free(c->path);
	free(c);
}

bool cache_is_writer(const struct cache *c)
{
	return c->lock >= 0;
}

const char *cache_note(const struct cache *c)
{
	return c->note[0] ? c->note : NULL;
}

/* ---- points */

uint32_t cache_series(struct cache *c, const char *target, const char *metric, uint32_t step)
{
	struct store *s = &c->store;
	uint32_t id = 0;
	int rc = names_find(&s->names, &s->db, c->lock >= 0, target, metric, step, &id);
	if (rc && recover(c, rc))
		names_find(&s->names, &s->db, c->lock >= 0, target, metric, step, &id);
	return id;
}

void cache_add(struct cache *c, uint32_t series, int64_t t, double v)
{
	struct pending *p = &c->store.pending;
	struct names *ns = &c->store.names;
	if (c->lock < 0 || t < 0 || t >= KEYED_T_MAX || !isfinite(v))
		return;
	if (!names_known(ns, series) && !names_adopt(ns, &c->store.db, series))
		return;
	pending_add(p, series, t, v);
	if (p->n % PENDING_FLUSH == 0)
		write_step(c, store_commit, NULL);
}

bool cache_commit(struct cache *c, struct err *e)
{
	return write_step(c, store_commit, e);
}

bool cache_fold(struct cache *c, struct err *e)
{
	return write_step(c, store_fold_all, e);
}

void cache_limit(struct cache *c, const struct cache_limits *l)
{
	struct keep *k = &c->store.keep;
	k->retention = l->retention;
	k->after[COARSE_5MIN] = l->fine_age;
	k->after[COARSE_HOUR] = l->coarse_age;
	k->bytes = l->bytes;
	if (c->lock >= 0 && c->store.db.sql)
		keep_cap(k, &c->store.db);
}

bool cache_keep(struct cache *c, int64_t now, bool *more, struct err *e)
{
	c->store.now = now;
	c->store.more = false;
	bool ok = write_step(c, store_keep, e);
	if (more)
		*more = ok && c->store.more;
	return ok;
}

bool cache_read(struct cache *c, uint32_t series, int64_t from, int64_t to, cache_point *point, void *ctx,
                struct err *e)
{
	struct points ps = { 0 };
	if (from < 0)
		from = 0;
	if (to > KEYED_T_MAX)
		to = KEYED_T_MAX;
	if (from >= to)
		return true;
	if (!c->store.db.sql && !attach(c, e))
		return false;
	int rc = store_read(&c->store, c->lock >= 0, series, from, to, &ps);
	if (rc && recover(c, rc)) {
		ps.n = 0;
		rc = store_read(&c->store, c->lock >= 0, series, from, to, &ps);
	}
	for (size_t i = 0; i < ps.n && rc == SQLITE_OK; i++)
		if (ps.p[i].t >= from && ps.p[i].t < to)
			point(ctx, ps.p[i].t, ps.p[i].v);
	points_clear(&ps);
	return db_err(rc, c->path, e);
}

struct store *cache_store(struct cache *c, struct err *e)
{
	return c->store.db.sql || attach(c, e) ? &c->store : NULL;
}

bool cache_read_failed(struct cache *c, int rc)
{
	return rc && recover(c, rc);
}

const char *cache_path(const struct cache *c)
{
	return c->path;
}

/* ---- what doctor shows */

static int64_t file_bytes(const struct cache *c, const char *suffix)
{
	struct stat st;
	char *name = xasprintf("%s%s", c->path, suffix);
	int64_t n = stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
	free(name);
	return n;
}

bool cache_facts(struct cache *c, struct cache_facts *f, struct err *e)
{
	struct db *d = &c->store.db;
	int64_t pages = 0;
	*f = (struct cache_facts){ .oldest = -1, .cap = c->store.keep.bytes };
	if (!d->sql && !attach(c, e))
		return false;
	int rc = db_number(d, DB_FREELIST, 0, NULL, 0, &pages);
	if (rc == SQLITE_OK)
		rc = keep_oldest(d, &f->oldest);
	f->bytes = file_bytes(c, "");
	f->log = file_bytes(c, "-wal");
	f->unused = pages * 4096;
	f->schema = d->version;
	return db_err(rc, c->path, e);
}

/* ---- work of other files */

bool cache_work(struct cache *c, bool write, cache_step *step, void *ctx, struct err *e)
{
	struct db *d = &c->store.db;
	if (write && c->lock < 0)
		return true;
	if (!d->sql && !attach(c, e))
		return false;
	int rc = write && !db_log_room(d, DB_LOG_FULL) ? DB_HELD : step(d, ctx);
	if (rc && recover(c, rc))
		rc = step(d, ctx);
	for (unsigned i = 0; i < ROOM_TRIES && (rc & 255) == SQLITE_FULL && store_make_room(&c->store) == SQLITE_OK; i++)
		rc = step(d, ctx);
	if (write)
		c->wal_id = beside(c, "-wal");
	return db_err(rc, c->path, e);
}

bool cache_beside(struct cache *c, cache_step *step, void *ctx, struct err *e)
{
	struct db d = { 0 };
	int64_t version = 0;
	int rc = db_open(&d, c->path, true);
	if (rc == SQLITE_OK)
		rc = db_pragma(&d, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK && version != SCHEMA_VERSION) {
		db_close(&d, false);
		return err_set(e, ERR_DB, "cache",
		               "%s: its schema is %ld, this sluice writes %d; the sluice that has it open does", c->path,
		               (long)version, SCHEMA_VERSION);
	}
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(d.sql, BESIDE_MS);
		rc = step(&d, ctx);
	}
	db_close(&d, false);
	return db_err(rc, c->path, e);
}
