#include "cache/db.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 250
#define CHECKPOINT_FRAMES 256
#define FRAME_BYTES 4120 /* a page and its head */
#define VALUE_MAX (64 << 20)

static const char *const statements[] = {
#define X(id, sql) sql,
	DB_STATEMENTS(X)
#undef X
};

/* The file is not trusted: no trigger, no view and no function of a foreign schema runs. */
static void harden(sqlite3 *sql)
{
	sqlite3_db_config(sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(sql, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(sql, SQLITE_LIMIT_LENGTH, VALUE_MAX);
}

int db_open(struct db *d, const char *path, bool write)
{
	*d = (struct db){ 0 };
	int flags = (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int rc = sqlite3_open_v2(path, &d->sql, flags, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(d->sql, 1);
		sqlite3_busy_timeout(d->sql, BUSY_MS);
		harden(d->sql);
		rc = db_exec(d, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4000");
	}
	if (rc)
		db_close(d, false);
	return rc;
}

/* ---- the log */

/* As SQLite's own hook does it, and remembers how long the log is. */
static int logged(void *ctx, sqlite3 *sql, const char *name, int frames)
{
	struct db *d = ctx;
	d->frames = frames;
	if (frames >= CHECKPOINT_FRAMES)
		sqlite3_wal_checkpoint_v2(sql, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

/* What somebody left there, by its size: the log itself may be shorter than its file. */
static int frames_left(const char *path)
{
	struct stat st;
	char name[4200];
	int n = snprintf(name, sizeof name, "%s-wal", path);
	if (n < 0 || (size_t)n >= sizeof name || stat(name, &st) < 0)
		return 0;
	int64_t frames = st.st_size / FRAME_BYTES;
	return frames < INT32_MAX ? (int)frames : INT32_MAX;
}

bool db_log_room(struct db *d, int most)
{
	if (d->frames <= most)
		return true;
	sqlite3_busy_timeout(d->sql, 0);
	int rc = sqlite3_wal_checkpoint_v2(d->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(d->sql, BUSY_MS);
	if (rc == SQLITE_OK)
		d->frames = 0;
	return rc == SQLITE_OK;
}

/* The log stays near 1 MiB, so that opening after a crash reads little; freed pages are not zeroed if that costs a write.
 * No auto_vacuum: to be able to give pages back would cost every tick a sixth more bytes written. */
int db_tune(struct db *d)
{
	int rc =
	    db_exec(d, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = WAL;"
	               "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304; PRAGMA secure_delete = FAST");
	d->frames = frames_left(sqlite3_db_filename(d->sql, "main"));
	sqlite3_wal_hook(d->sql, logged, d);
	return rc;
}

void db_rest(struct db *d)
{
	sqlite3_db_release_memory(d->sql);
}

void db_close(struct db *d, bool damaged)
{
	for (unsigned i = 0; i < DB_STATEMENT_COUNT; i++)
		sqlite3_finalize(d->statement[i]);
	if (damaged && d->sql)
		sqlite3_db_config(d->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(d->sql);
	*d = (struct db){ 0 };
}

int db_exec(struct db *d, const char *sql)
{
	return sqlite3_exec(d->sql, sql, NULL, NULL, NULL);
}

int db_migrate(struct db *d, const char *schema, int n)
{
	char *mark = xasprintf("\n-- migration %d\n", n);
	const char *from = strstr(schema, mark), *to = from ? strstr(from + 1, "\n-- migration ") : NULL;
	size_t len = !from ? 0 : to ? (size_t)(to - from) : strlen(from);
	char *sql = xasprintf("BEGIN IMMEDIATE; %.*s; PRAGMA user_version = %d; COMMIT", (int)len, from ? from : "", n);
	int rc = db_exec(d, sql);
	if (rc)
		db_exec(d, "ROLLBACK");
	free(sql);
	free(mark);
	return (rc & 255) == SQLITE_ERROR ? SQLITE_CORRUPT : rc; /* a table is in the way, or one is missing */
}

int db_pragma(struct db *d, const char *sql, int64_t *v)
{
	sqlite3_stmt *st = NULL;
	*v = 0;
	int rc = sqlite3_prepare_v2(d->sql, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	if (rc == SQLITE_ROW) {
		*v = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc;
}

int db_prepare(struct db *d, enum db_statement s, sqlite3_stmt **out)
{
	sqlite3_stmt **st = &d->statement[s];
	*out = *st;
	if (*st) {
		sqlite3_reset(*st);
		return SQLITE_OK;
	}
	int rc = sqlite3_prepare_v3(d->sql, statements[s], -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	*out = *st;
	return rc == SQLITE_ERROR ? SQLITE_CORRUPT : rc;
}

int db_step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int start(struct db *d, enum db_statement s, unsigned nargs, const int64_t *args, sqlite3_stmt **st)
{
	int rc = db_prepare(d, s, st);
	for (unsigned i = 0; i < nargs && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(*st, (int)i + 1, args[i]);
	return rc;
}

int db_run(struct db *d, enum db_statement s, unsigned nargs, const int64_t *args)
{
	sqlite3_stmt *st;
	int rc = start(d, s, nargs, args, &st);
	if (rc)
		return rc;
	do
		rc = db_step(st);
	while (rc == SQLITE_ROW);
	sqlite3_reset(st);
	return rc;
}

int db_number(struct db *d, enum db_statement s, unsigned nargs, const int64_t *args, int64_t none, int64_t *v)
{
	sqlite3_stmt *st;
	*v = none;
	int rc = start(d, s, nargs, args, &st);
	if (rc)
		return rc;
	rc = db_step(st);
	if (rc == SQLITE_ROW) {
		if (sqlite3_column_type(st, 0) != SQLITE_NULL)
			*v = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_reset(st);
	return rc;
}

int db_put_blob(struct db *d, enum db_statement s, int64_t id, const char *p, size_t n)
{
	sqlite3_stmt *st;
	int rc = start(d, s, 1, &id, &st);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(st, 2, p, n, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = db_step(st);
	sqlite3_reset(st);
	return rc;
}

bool db_damaged(int rc)
{
	return (rc & 255) == SQLITE_CORRUPT || (rc & 255) == SQLITE_NOTADB;
}

bool db_err(int rc, const char *path, struct err *e)
{
	if (rc == DB_HELD)
		return err_set(
		    e, ERR_DB, "cache",
		    "%s: another program has been reading it for so long that its log is full; points wait in memory", path);
	switch (rc & 255) {
	case SQLITE_OK: return true;
	case SQLITE_FULL: return err_set(e, ERR_DISK, "cache", "%s: no space left", path);
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM: return err_set(e, ERR_DISK, "cache", "%s: %s", path, sqlite3_errstr(rc));
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return err_set(e, ERR_DB, "cache", "%s: another program keeps it locked", path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return err_set(e, ERR_DB, "cache", "%s: the file is damaged", path);
	default: return err_set(e, ERR_DB, "cache", "%s: %s", path, sqlite3_errstr(rc));
	}
}
