#include "cache/log_file.h"

#include "cache/file.h"
#include "core/hash.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS 10000 /* others write rarely and little: whoever waits longer has somebody stuck before it */

bool log_file_err(const struct log_file *f, int rc, struct err *e)
{
	if (rc == SQLITE_OK)
		return true;
	db_err(rc, f->path, e);
	if (e) {
		err_set(e, e->code, f->what, "%s: %s", f->path,
		        db_damaged(rc)              ? "the file is damaged; nothing in it is believed"
		        : (rc & 255) == SQLITE_FULL ? "no space left"
		        : (rc & 255) == SQLITE_BUSY ? "another program keeps it locked"
		                                    : sqlite3_errstr(rc));
	}
	return false;
}

static int count(struct log_file *f, const char *sql, int64_t *v)
{
	return db_pragma(&f->db, sql, v);
}

static bool ready(struct log_file *f, const char *schema, int version, bool write, struct err *e)
{
	int64_t has = 0, tables = 0;
	int rc = count(f, "PRAGMA user_version", &has);
	if (rc == SQLITE_OK)
		rc = count(f, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'", &tables);
	if (rc)
		return log_file_err(f, rc, e);
	if (has > version)
		return err_set(e, ERR_DB, f->what,
		               "%s: written by a newer sluice (schema %d, this one knows %d); it is left as it is", f->path,
		               (int)has, version);
	if (has == 0 && tables)
		return err_set(e, ERR_DB, f->what, "%s: is a database of another program", f->path);
	if (!write && (has == 0 || has == version)) /* an older one is brought forward, whoever opens it */
		return has > 0 || err_set(e, ERR_NOTFOUND, f->what, "%s: there is nothing in it yet", f->path);
	rc = db_exec(&f->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
	for (int n = (int)has + 1; n <= version && rc == SQLITE_OK; n++)
		rc = db_migrate(&f->db, schema, n);
	if (rc && count(f, "PRAGMA user_version", &has) == SQLITE_OK && has == version)
		rc = SQLITE_OK; /* another process made it at the same moment */
	return log_file_err(f, rc, e);
}

static bool prepare_path(struct log_file *f, bool write, struct err *e)
{
	if (!file_vet(f->path, e))
		return false;
	if (!write && !file_id_of(f->path).ino)
		return err_set(e, ERR_NOTFOUND, f->what, "%s: there is none yet", f->path);
	return !write || file_create(f->path, e);
}

bool log_file_open(struct log_file *f, const char *folder, const char *name, const char *what, const char *schema,
                   int version, bool write, struct err *e)
{
	*f = (struct log_file){ .what = what };
	char *path = xasprintf("%s/%s", folder, name);
	f->path = file_path(path, e);
	free(path);
	bool ok = f->path && prepare_path(f, write, e);
	if (ok) {
		/* Also to read: a log that a crash left must be played in, and that writes. */
		int rc = db_open(&f->db, f->path, true);
		ok = log_file_err(f, rc, e);
	}
	if (ok) {
		sqlite3_busy_timeout(f->db.sql, BUSY_MS);
		ok = ready(f, schema, version, write, e);
	}
	if (!ok)
		log_file_close(f);
	return ok;
}

void log_file_close(struct log_file *f)
{
	for (unsigned i = 0; i < LOG_FILE_KEPT; i++)
		sqlite3_finalize(f->kept[i].st);
	if (f->db.sql)
		db_close(&f->db, false);
	free(f->path);
	*f = (struct log_file){ 0 };
}

static int bind(sqlite3_stmt *st, const char *types, va_list ap)
{
	int rc = SQLITE_OK;
	for (int i = 1; types[i - 1] && rc == SQLITE_OK; i++) {
		const char *text;
		switch (types[i - 1]) {
		case 't':
			text = va_arg(ap, const char *);
			rc = text ? sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(st, i);
			break;
		case 'r': rc = sqlite3_bind_double(st, i, va_arg(ap, double)); break;
		default: rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t)); break;
		}
	}
	return rc;
}

static int ask(struct log_file *f, sqlite3_stmt **st, const char *sql, const char *types, va_list ap)
{
	*st = NULL;
	int rc = sqlite3_prepare_v2(f->db.sql, sql, -1, st, NULL);
	if (rc)
		return rc == SQLITE_ERROR ? SQLITE_CORRUPT : rc;
	rc = bind(*st, types, ap);
	return rc ? rc : db_step(*st);
}

int log_file_ask(struct log_file *f, sqlite3_stmt **st, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	int rc = ask(f, st, sql, types, ap);
	va_end(ap);
	return rc;
}

/* NULL: there is no room for another. */
static sqlite3_stmt **kept(struct log_file *f, const char *sql)
{
	for (unsigned i = 0; i < LOG_FILE_KEPT; i++) {
		if (f->kept[i].sql && f->kept[i].sql != sql)
			continue;
		f->kept[i].sql = sql;
		return &f->kept[i].st;
	}
	return NULL;
}

/* Prepared, bound, one step taken; *own is the caller's to finalise. */
static int find(struct log_file *f, sqlite3_stmt **st, sqlite3_stmt **own, const char *sql, const char *types,
                va_list ap)
{
	sqlite3_stmt **room = kept(f, sql);
	*own = NULL;
	room = room ? room : own;
	int rc = *room ? SQLITE_OK : sqlite3_prepare_v3(f->db.sql, sql, -1, SQLITE_PREPARE_PERSISTENT, room, NULL);
	*st = *room;
	if (rc)
		return rc == SQLITE_ERROR ? SQLITE_CORRUPT : rc;
	rc = bind(*st, types, ap);
	return rc ? rc : db_step(*st);
}

int log_file_find(struct log_file *f, sqlite3_stmt **st, const char *sql, const char *types, ...)
{
	sqlite3_stmt *own;
	va_list ap;
	va_start(ap, types);
	int rc = find(f, st, &own, sql, types, ap);
	va_end(ap);
	if (!own)
		return rc;
	sqlite3_finalize(own); /* more literals than there is room for */
	*st = NULL;
	return SQLITE_INTERNAL;
}

void log_file_done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

int log_file_do(struct log_file *f, const char *sql, const char *types, ...)
{
	sqlite3_stmt *st, *own;
	va_list ap;
	va_start(ap, types);
	int rc = find(f, &st, &own, sql, types, ap);
	va_end(ap);
	while (rc == SQLITE_ROW)
		rc = db_step(st);
	log_file_done(st);
	sqlite3_finalize(own);
	return rc;
}

bool log_file_begin(struct log_file *f, struct err *e)
{
	return log_file_err(f, log_file_do(f, "BEGIN IMMEDIATE", ""), e);
}

bool log_file_end(struct log_file *f, int rc, struct err *e)
{
	if (rc == SQLITE_OK)
		rc = log_file_do(f, "COMMIT", "");
	if (rc && !sqlite3_get_autocommit(f->db.sql))
		db_exec(&f->db, "ROLLBACK");
	return log_file_err(f, rc, e);
}

void log_file_part(struct buf *b, const char *text)
{
	if (text)
		buf_addf(b, "%zu:%s", strlen(text), text);
	else
		buf_adds(b, "-:");
}

void log_file_number(struct buf *b, int64_t n)
{
	buf_addf(b, "%" PRId64 ";", n);
}

void log_file_sum(struct buf *b, char out[65])
{
	uint8_t digest[HASH_SHA256];
	hash_sha256(b->p ? b->p : "", b->n, digest);
	hash_hex(digest, sizeof digest, out);
	buf_clear(b);
}
