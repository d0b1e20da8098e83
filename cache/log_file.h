/* What the ledger and the audit log have in common: a SQLite file in sluice's state folder, whose every commit is on the disk. Errors name
 * the file and what it is ("ledger"). */
#ifndef CACHE_LOG_FILE_H
#define CACHE_LOG_FILE_H

#include "cache/db.h"

#define LOG_FILE_KEPT 48
struct log_file {
	struct db db;
	struct { const char *sql; sqlite3_stmt *st; } kept[LOG_FILE_KEPT]; /* what log_file_do has prepared */
	char *path;
	const char *what;    /* static: ledger, audit */
};

/* schema: numbered migrations, as in cache/schema.sql. False and e: ERR_NOTFOUND when it is to be read and not there. */
bool log_file_open(struct log_file *f, const char *folder, const char *name, const char *what, const char *schema, int version,
                   bool write, struct err *e);
void log_file_close(struct log_file *f);
bool log_file_err(const struct log_file *f, int rc, struct err *e); /* true when rc is SQLITE_OK */

/* One statement: prepared, bound by letters (t text or NULL, i int64_t, r double), first step taken. *st is finalised by the caller
 * (sqlite3_finalize), whatever came. SQLITE_ROW, SQLITE_OK at the end, or the failure. */
int log_file_ask(struct log_file *f, sqlite3_stmt **st, const char *sql, const char *types, ...);
/* The same of a literal, by whose address the prepared statement is found again; log_file_done instead of sqlite3_finalize, before the next. */
int log_file_find(struct log_file *f, sqlite3_stmt **st, const char *sql, const char *types, ...);
void log_file_done(sqlite3_stmt *st);
/* The same to its end, for what gives no rows. sql: such a literal, too. */
int log_file_do(struct log_file *f, const char *sql, const char *types, ...);
bool log_file_begin(struct log_file *f, struct err *e);
/* COMMIT when rc is SQLITE_OK, else ROLLBACK; true when it is on the disk. */
bool log_file_end(struct log_file *f, int rc, struct err *e);

/* SHA-256 over parts, each with its length before it; NULL is a part of its own kind. Lower hex. */
#include "core/buf.h"
void log_file_part(struct buf *b, const char *text);
void log_file_number(struct buf *b, int64_t n);
void log_file_sum(struct buf *b, char out[65]); /* clears b */

#endif
