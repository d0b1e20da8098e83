/* The connection: opened the way the history needs it, every statement prepared once, every failure a SQLite result code
 * (extended), SQLITE_OK when there is none. A statement that cannot be prepared in a file of our version means that the file
 * is damaged: SQLITE_CORRUPT. */
#ifndef CACHE_DB_H
#define CACHE_DB_H

#include "core/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  X(ID, sql) */
#define DB_STATEMENTS(X)                                                                                               \
	X(BEGIN_READ, "BEGIN")                                                                                             \
	X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                                                  \
	X(COMMIT, "COMMIT")                                                                                                \
	X(ROLLBACK, "ROLLBACK")                                                                                            \
	X(DATA_VERSION, "PRAGMA data_version")                                                                             \
	X(SERIES_FIND, "SELECT id FROM series WHERE hash = ?1 AND target = ?2 AND metric = ?3 AND step = ?4")              \
	X(SERIES_GET, "SELECT target, metric, step FROM series WHERE id = ?1")                                             \
	X(SERIES_ADD, "INSERT OR IGNORE INTO series VALUES (?1, ?2, ?3, ?4, ?5)")                                          \
	X(SERIES_LAST, "SELECT max(id) FROM series")                                                                       \
	X(TICK_ADD, "INSERT INTO tick VALUES (?1, ?2)")                                                                    \
	X(TICK_FIRST, "SELECT min(id) FROM tick")                                                                          \
	X(TICK_LAST, "SELECT max(id) FROM tick WHERE id BETWEEN ?1 AND ?2")                                                \
	X(TICK_ALL, "SELECT id, body FROM tick ORDER BY id")                                                               \
	X(TICK_ROWS, "SELECT count(*) FROM tick")                                                                          \
	X(TICK_BYTES, "SELECT sum(length(body)) FROM tick")                                                                \
	X(TICK_DROP, "DELETE FROM tick WHERE id BETWEEN ?1 AND ?2")                                                        \
	X(CHUNK_GET, "SELECT body FROM chunk WHERE id = ?1")                                                               \
	X(CHUNK_PUT, "REPLACE INTO chunk VALUES (?1, ?2)")                                                                 \
	X(CHUNK_NEXT, "SELECT min(id) FROM chunk WHERE id >= ?1")                                                          \
	X(CHUNK_LAST, "SELECT max(id) FROM chunk WHERE id BETWEEN ?1 AND ?2")                                              \
	X(CHUNK_DROP, "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id < ?1 ORDER BY id LIMIT ?2)")           \
	X(CHUNK_DELETE, "DELETE FROM chunk WHERE id = ?1")                                                                 \
	X(COARSE_GET, "SELECT body FROM coarse WHERE id = ?1")                                                             \
	X(COARSE_PUT, "REPLACE INTO coarse VALUES (?1, ?2)")                                                               \
	X(COARSE_NEXT, "SELECT min(id) FROM coarse WHERE id BETWEEN ?1 AND ?2")                                            \
	X(COARSE_DELETE, "DELETE FROM coarse WHERE id = ?1")                                                               \
	X(COARSE_DROP, "DELETE FROM coarse WHERE id IN "                                                                   \
	               "(SELECT id FROM coarse WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3)")                          \
	X(REVISION_ADD, "INSERT INTO revision VALUES (?1, ?2)")                                                            \
	X(REVISION_LAST, "SELECT max(id) FROM revision WHERE id BETWEEN ?1 AND ?2")                                        \
	X(REVISION_BYTES, "SELECT sum(length(body)) FROM revision WHERE id BETWEEN ?1 AND ?2")                             \
	X(REVISION_SOME, "SELECT id, body FROM revision WHERE id BETWEEN ?1 AND ?2 ORDER BY id")                           \
	X(REVISION_DROP, "DELETE FROM revision WHERE id IN (SELECT id FROM revision WHERE id < ?1 ORDER BY id LIMIT ?2)")  \
	X(PAGE_COUNT, "PRAGMA page_count")                                                                                 \
	X(FREELIST, "PRAGMA freelist_count")                                                                               \
	X(USER_VERSION, "PRAGMA user_version")                                                                             \
	X(FOLD_GET, "SELECT done, span, upto, next FROM fold WHERE id = 1")                                                \
	X(FOLD_PUT, "REPLACE INTO fold VALUES (1, ?1, ?2, ?3, ?4)")                                                        \
	X(TEXT_GET, "SELECT value FROM text WHERE target = ?1 AND name = ?2")                                              \
	X(TEXT_PUT, "REPLACE INTO text VALUES (?1, ?2, ?3)")                                                               \
	X(EVENT_ADD, "INSERT OR IGNORE INTO event VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")            \
	X(EVENT_RANGE, "SELECT at, at_most, kind, service, subject, arn, text, who, source FROM event WHERE target = ?1 "  \
	               "AND at_most >= ?2 AND at <= ?3 ORDER BY at_most DESC, id DESC LIMIT ?4")                           \
	X(EVENT_DROP, "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at_most < ?1 ORDER BY at_most LIMIT ?2)") \
	X(EVENT_NTH, "SELECT at_most FROM event ORDER BY at_most DESC LIMIT 1 OFFSET ?1")                                  \
	X(STATE_PUT, "INSERT INTO state VALUES (NULL, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (target, subject, first) "           \
	             "DO UPDATE SET last = excluded.last, body = excluded.body")                                           \
	X(STATE_ALL, "SELECT subject, first, last, body FROM state WHERE target = ?1 ORDER BY subject, first")             \
	X(STATE_DROP, "DELETE FROM state WHERE id IN (SELECT id FROM state WHERE last < ?1 ORDER BY last LIMIT ?2)")       \
	X(STATE_NTH, "SELECT last FROM state ORDER BY last DESC LIMIT 1 OFFSET ?1")
enum db_statement {
#define X(id, sql) DB_##id,
	DB_STATEMENTS(X)
#undef X
	DB_STATEMENT_COUNT
};

struct db {
	sqlite3 *sql; /* NULL: closed */
	sqlite3_stmt *statement[DB_STATEMENT_COUNT];
	int frames;   /* pages in the log after the last commit, at most */
	int version;  /* of the schema */
};

int db_open(struct db *d, const char *path, bool write);
int db_tune(struct db *d); /* for writing; the first that changes the file */
/* Pages the log may hold: while fewer, everything is written; then nothing but ticks; then not even these. Together with what
 * one transaction can add that stays below 8 MiB. The log cannot be begun anew while somebody reads from it. */
#define DB_LOG_CALM 400
#define DB_LOG_FULL 700
/* At most that many pages are in the log; tries to empty it when there are more, without waiting for anybody. */
bool db_log_room(struct db *d, int most);
#define DB_HELD SQLITE_BUSY_TIMEOUT /* what is returned where it is not: somebody has been reading for too long */
void db_rest(struct db *d); /* lets go of the pages it holds in memory, at most 4 MB */
void db_close(struct db *d, bool damaged); /* damaged: the file and its log stay as they are */
int db_exec(struct db *d, const char *sql);
/* Brings the file to version n, in one transaction: what stands in schema below the line "-- migration n". */
int db_migrate(struct db *d, const char *schema, int n);
int db_pragma(struct db *d, const char *sql, int64_t *v); /* the first column of the first row; 0 when there is none */

/* A reset statement with what has been bound still in it. */
int db_prepare(struct db *d, enum db_statement s, sqlite3_stmt **out);
int db_step(sqlite3_stmt *st); /* SQLITE_ROW, SQLITE_OK at the end, or the failure */
int db_run(struct db *d, enum db_statement s, unsigned nargs, const int64_t *args); /* to its end */
/* The first column; none when there is no row or it is NULL. */
int db_number(struct db *d, enum db_statement s, unsigned nargs, const int64_t *args, int64_t none, int64_t *v);
int db_put_blob(struct db *d, enum db_statement s, int64_t id, const char *p, size_t n);

bool db_damaged(int rc);
bool db_err(int rc, const char *path, struct err *e); /* fills e and returns false; true when rc is SQLITE_OK */

#endif
