#include "cache/peek.h"

#include "cache/log_file.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1

static const char schema[] =
#include "peek.sql.h"
    ;

struct peeks {
	struct log_file f;
};

struct peeks *peek_open(const char *folder, bool write, struct err *e)
{
	struct peeks *p = xcalloc(1, sizeof *p);
	if (log_file_open(&p->f, folder, "peeks.db", "peeks", schema, VERSION, write, e)) {
		db_exec(&p->f.db, "PRAGMA synchronous = NORMAL"); /* what a power cut takes of it is seen again */
		return p;
	}
	free(p);
	return NULL;
}

void peek_close(struct peeks *p)
{
	if (!p)
		return;
	log_file_close(&p->f);
	free(p);
}

/* ---- writing */

static bool was_whole(struct peeks *p, const char *queue_arn)
{
	sqlite3_stmt *st;
	int rc = log_file_ask(&p->f, &st, "SELECT 1 FROM sweep WHERE queue_arn = ?1 AND whole", "t", queue_arn);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW;
}

static int begin_anew(struct peeks *p, const char *queue_arn, int64_t at_ms, bool whole)
{
	int rc = log_file_do(&p->f, "DELETE FROM seen WHERE queue_arn = ?1", "t", queue_arn);
	if (rc)
		return rc;
	return log_file_do(&p->f, "INSERT OR REPLACE INTO sweep VALUES (?1, ?2, ?3, 0, ?2)", "tii", queue_arn, at_ms,
	                   (int64_t)whole);
}

static int add(struct peeks *p, const char *queue_arn, const struct peeked *v)
{
	return log_file_do(&p->f, "INSERT OR REPLACE INTO seen VALUES (?1, ?2, ?3, ?4, ?5)", "ttiit", queue_arn, v->id,
	                   v->sent_ms, v->arrived_ms, v->stream);
}

bool peek_save(struct peeks *p, const char *queue_arn, int64_t at_ms, bool whole, const struct peeked *v, unsigned n,
               struct err *e)
{
	int rc = SQLITE_OK;
	if (!log_file_begin(&p->f, e))
		return false;
	if (whole || !was_whole(p, queue_arn))
		rc = begin_anew(p, queue_arn, at_ms, whole);
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++)
		rc = add(p, queue_arn, &v[i]);
	return log_file_end(&p->f, rc, e);
}

bool peek_removed(struct peeks *p, const char *queue_arn, const char *const *ids, unsigned n, struct err *e)
{
	int rc = SQLITE_OK;
	if (!log_file_begin(&p->f, e))
		return false;
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++)
		rc = log_file_do(&p->f, "DELETE FROM seen WHERE queue_arn = ?1 AND msg_id = ?2", "tt", queue_arn, ids[i]);
	if (rc == SQLITE_OK)
		rc = log_file_do(&p->f, "UPDATE sweep SET removed = removed + ?2 WHERE queue_arn = ?1", "ti", queue_arn,
		                 (int64_t)n);
	return log_file_end(&p->f, rc, e);
}

bool peek_prove(struct peeks *p, const char *queue_arn, int64_t until_ms, struct err *e)
{
	int rc =
	    log_file_do(&p->f, "UPDATE sweep SET proved = max(proved, ?2) WHERE queue_arn = ?1", "ti", queue_arn, until_ms);
	return log_file_err(&p->f, rc, e);
}

/* ---- reading */

static const char *text_at(struct arena *mem, sqlite3_stmt *st, int column)
{
	return arena_strdup(mem, (const char *)sqlite3_column_text(st, column));
}

static int read_sweep(struct peeks *p, const char *queue_arn, struct peek_sum *out)
{
	sqlite3_stmt *st;
	int rc =
	    log_file_ask(&p->f, &st, "SELECT at, whole, removed, proved FROM sweep WHERE queue_arn = ?1", "t", queue_arn);
	if (rc == SQLITE_ROW) {
		out->at_ms = sqlite3_column_int64(st, 0);
		out->whole = sqlite3_column_int(st, 1) != 0;
		out->removed = (unsigned)sqlite3_column_int64(st, 2);
		out->proved_ms = sqlite3_column_int64(st, 3);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int read_seen(struct peeks *p, const char *queue_arn, int64_t since_ms, struct peek_sum *out)
{
	sqlite3_stmt *st;
	int rc = log_file_ask(&p->f, &st,
	                      "SELECT count(*), coalesce(min(nullif(sent, 0)), 0), count(nullif(sent, 0)), "
	                      "count(nullif(arrived, 0)) FROM seen WHERE queue_arn = ?1 AND (sent = 0 OR sent > ?2)",
	                      "ti", queue_arn, since_ms);
	if (rc == SQLITE_ROW) {
		out->n = (unsigned)sqlite3_column_int64(st, 0);
		out->first_ms = sqlite3_column_int64(st, 1);
		out->dated = out->n == (unsigned)sqlite3_column_int64(st, 2);
		out->npointers = (unsigned)sqlite3_column_int64(st, 3);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int read_streams(struct peeks *p, const char *queue_arn, int64_t since_ms, struct arena *mem,
                        struct peek_sum *out)
{
	sqlite3_stmt *st;
	unsigned cap =
	    out->npointers < 64 ? out->npointers : 64; /* on-failure queues are one stream's, or a few streams' */
	out->streams = arena_array(mem, cap, sizeof *out->streams);
	int rc = log_file_ask(&p->f, &st,
	                      "SELECT stream, min(arrived) FROM seen WHERE queue_arn = ?1 AND arrived != 0 AND (sent = 0 "
	                      "OR sent > ?2) GROUP BY stream ORDER BY 2",
	                      "ti", queue_arn, since_ms);
	while (rc == SQLITE_ROW && out->nstreams < cap) {
		out->streams[out->nstreams++] = (struct peek_stream){ text_at(mem, st, 0), sqlite3_column_int64(st, 1) };
		rc = db_step(st);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

bool peek_sum(struct peeks *p, const char *queue_arn, int64_t since_ms, struct arena *mem, struct peek_sum *out,
              struct err *e)
{
	struct err ignored;
	*out = (struct peek_sum){ 0 };
	int rc = db_exec(&p->f.db, "BEGIN"); /* one instant of what others write */
	if (rc == SQLITE_OK)
		rc = read_sweep(p, queue_arn, out);
	if (rc == SQLITE_OK && out->at_ms)
		rc = read_seen(p, queue_arn, since_ms, out);
	if (rc == SQLITE_OK && out->npointers)
		rc = read_streams(p, queue_arn, since_ms, mem, out);
	log_file_end(&p->f, SQLITE_OK, &ignored);
	return log_file_err(&p->f, rc, e);
}
