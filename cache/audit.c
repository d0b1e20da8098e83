#include "cache/audit.h"

#include "cache/log_file.h"
#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

static const char schema[] =
#include "audit.sql.h"
    ;

struct audit {
	struct log_file f;
	bool held;
	int rc; /* while held: of the first line that failed */
};

#define COLUMNS                                                                                                        \
	"n, at, os_user, host, ssh_from, account, profile, mode, action, target, outcome, run_id, detail, prev, sum"

struct audit *audit_open(const char *folder, bool write, struct err *e)
{
	struct audit *a = xcalloc(1, sizeof *a);
	if (log_file_open(&a->f, folder, "audit.db", "audit", schema, VERSION, write, e))
		return a;
	free(a);
	return NULL;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	log_file_close(&a->f);
	free(a);
}

static void line_sum(const struct audit_line *v, const char *prev, char out[65])
{
	struct buf b;
	const char *const texts[] = { prev,    v->user,   v->host,   v->ssh_from, v->account, v->profile,
		                          v->mode, v->action, v->target, v->outcome,  v->run,     v->detail };
	buf_init(&b, 1u << 20);
	log_file_number(&b, v->n);
	log_file_number(&b, v->at_ms);
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		log_file_part(&b, texts[i]);
	log_file_sum(&b, out);
}

static int newest(struct audit *a, int64_t *n, char sum[65])
{
	sqlite3_stmt *st;
	*n = 0;
	sum[0] = '\0';
	int rc = log_file_find(&a->f, &st, "SELECT n, sum FROM audit ORDER BY n DESC LIMIT 1", "");
	if (rc == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(st, 1);
		*n = sqlite3_column_int64(st, 0);
		snprintf(sum, 65, "%s", text ? (const char *)text : "");
		rc = SQLITE_OK;
	}
	log_file_done(st);
	return rc;
}

bool audit_add(struct audit *a, const struct audit_who *who, const char *action, const char *target,
               const char *outcome, const char *run, const char *detail, struct err *e)
{
	char prev[65], sum[65];
	struct audit_line v = { .at_ms = clock_wall_ms(),
		                    .user = who->user,
		                    .host = who->host,
		                    .ssh_from = who->ssh_from,
		                    .account = who->account,
		                    .profile = who->profile,
		                    .mode = who->mode,
		                    .action = action,
		                    .target = target,
		                    .outcome = outcome,
		                    .run = run,
		                    .detail = detail };
	if (!a->held && !log_file_begin(&a->f, e))
		return false;
	int rc = newest(a, &v.n, prev);
	v.n++;
	line_sum(&v, prev, sum);
	if (rc == SQLITE_OK)
		rc = log_file_do(&a->f,
		                 "INSERT INTO audit (" COLUMNS
		                 ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
		                 "iittttttttttttt", v.n, v.at_ms, v.user, v.host, v.ssh_from, v.account, v.profile, v.mode,
		                 action, target, outcome, run, detail, prev, sum);
	if (!a->held)
		return log_file_end(&a->f, rc, e);
	a->rc = a->rc ? a->rc : rc;
	return log_file_err(&a->f, rc, e);
}

bool audit_hold(struct audit *a, struct err *e)
{
	a->rc = SQLITE_OK;
	a->held = log_file_begin(&a->f, e);
	return a->held;
}

bool audit_sync(struct audit *a, struct err *e)
{
	a->held = false;
	return log_file_end(&a->f, a->rc, e);
}

static const char *text_at(struct arena *mem, sqlite3_stmt *st, int i)
{
	return arena_strdup(mem, (const char *)sqlite3_column_text(st, i));
}

static void read_line(struct arena *mem, sqlite3_stmt *st, struct audit_line *v, const char **prev)
{
	*v = (struct audit_line){ .n = sqlite3_column_int64(st, 0),
		                      .at_ms = sqlite3_column_int64(st, 1),
		                      .user = text_at(mem, st, 2),
		                      .host = text_at(mem, st, 3),
		                      .ssh_from = text_at(mem, st, 4),
		                      .account = text_at(mem, st, 5),
		                      .profile = text_at(mem, st, 6),
		                      .mode = text_at(mem, st, 7),
		                      .action = text_at(mem, st, 8),
		                      .target = text_at(mem, st, 9),
		                      .outcome = text_at(mem, st, 10),
		                      .run = text_at(mem, st, 11),
		                      .detail = text_at(mem, st, 12),
		                      .sum = text_at(mem, st, 14) };
	*prev = text_at(mem, st, 13);
}

bool audit_read(struct audit *a, const char *run, struct arena *mem, struct audit_line **out, unsigned *n,
                struct err *e)
{
	sqlite3_stmt *st;
	struct audit_line *v = NULL;
	const char *prev;
	unsigned cap = 0;
	*n = 0;
	int rc =
	    log_file_ask(&a->f, &st, "SELECT " COLUMNS " FROM audit WHERE ?1 IS NULL OR run_id = ?1 ORDER BY n", "t", run);
	for (; rc == SQLITE_ROW; rc = db_step(st)) {
		MEM_GROW(v, *n, cap);
		read_line(mem, st, &v[(*n)++], &prev);
	}
	sqlite3_finalize(st);
	*out = arena_array(mem, *n, sizeof *v);
	if (*n)
		memcpy(*out, v, *n * sizeof *v);
	free(v);
	return log_file_err(&a->f, rc, e);
}

bool audit_verify(struct audit *a, unsigned *n, char last[65], struct err *e)
{
	sqlite3_stmt *st;
	bool ok = true;
	*n = 0;
	last[0] = '\0';
	int rc = log_file_ask(&a->f, &st, "SELECT " COLUMNS " FROM audit ORDER BY n", "");
	for (; rc == SQLITE_ROW && ok; rc = db_step(st)) {
		struct arena mem;
		struct audit_line v;
		const char *prev;
		char sum[65];
		arena_init(&mem);
		read_line(&mem, st, &v, &prev);
		line_sum(&v, prev ? prev : "", sum);
		ok = v.n == (int64_t)*n + 1 && prev && strcmp(prev, last) == 0 && v.sum && strcmp(sum, v.sum) == 0;
		snprintf(last, 65, "%s", sum);
		++*n;
		arena_clear(&mem);
	}
	sqlite3_finalize(st);
	if (!ok)
		return err_set(e, ERR_DB, "audit", "line %u is not what was written, or the one before it is missing", *n);
	return log_file_err(&a->f, rc, e);
}
