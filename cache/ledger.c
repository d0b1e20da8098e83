/* The ledger's file, its runs, and the chain of their events. Its messages are ledger_items.c's. */
#include "cache/ledger_inside.h"

#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 2

static const char schema[] =
#include "ledger.sql.h"
    ;

struct ledger *ledger_open_named(const char *folder, const char *name, bool write, struct err *e)
{
	struct ledger *l = xcalloc(1, sizeof *l);
	if (log_file_open(&l->f, folder, name, "ledger", schema, VERSION, write, e))
		return l;
	free(l);
	return NULL;
}

struct ledger *ledger_open(const char *folder, bool write, struct err *e)
{
	return ledger_open_named(folder, "ledger.db", write, e);
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	log_file_close(&l->f);
	free(l);
}

const char *ledger_path(const struct ledger *l)
{
	return l->f.path;
}

/* ---- digests */

/* What the second schema added is part of the digest where it is used: what the first one wrote stays as it is. */
static void sum_later_run(struct buf *b, const struct replay_run *r)
{
	const char *const texts[] = { r->origin, r->task };
	const int64_t numbers[] = { r->fence, r->handed_ms, r->task_rate, r->moved, r->to_move };
	bool used = false;
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		used = used || texts[i];
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
		used = used || numbers[i];
	for (unsigned i = 0; used && i < sizeof texts / sizeof *texts; i++)
		log_file_part(b, texts[i]);
	for (unsigned i = 0; used && i < sizeof numbers / sizeof *numbers; i++)
		log_file_number(b, numbers[i]);
}

static void run_sum(const struct replay_run *r, char out[SHA_HEX])
{
	struct buf b;
	buf_init(&b, SUM_MOST);
	const char *const texts[] = { r->id,
		                          r->account,
		                          r->region,
		                          r->source,
		                          r->source_arn,
		                          r->source_url,
		                          r->dest,
		                          r->dest_url,
		                          replay_mode_name(r->mode),
		                          run_state_name(r->state),
		                          r->manifest,
		                          r->where,
		                          replay_unknown_name(r->unknown) };
	const int64_t numbers[] = { r->batch,  r->limit, r->confirmed, r->expected,   r->lease_s,
		                        r->call_s, r->fifo,  r->partial,   r->created_ms, r->verify_s };
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		log_file_part(&b, texts[i]);
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
		log_file_number(&b, numbers[i]);
	sum_later_run(&b, r);
	log_file_sum(&b, out);
}

/* ---- the chain of events */

void ledger_chain_link(struct chain *c, const struct ledger_event *v)
{
	struct buf b;
	buf_init(&b, SUM_MOST);
	log_file_part(&b, c->last);
	log_file_number(&b, ++c->n);
	log_file_number(&b, v->seq);
	log_file_number(&b, v->at_ms);
	log_file_part(&b, v->from);
	log_file_part(&b, v->to);
	log_file_part(&b, v->detail);
	log_file_sum(&b, c->last);
}

int ledger_chain_read(struct ledger *l, const char *run, struct chain *c)
{
	sqlite3_stmt *st;
	*c = (struct chain){ 0 };
	int rc = log_file_find(&l->f, &st, "SELECT chain, events FROM run WHERE id = ?1", "t", run);
	if (rc == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(st, 0);
		snprintf(c->last, sizeof c->last, "%s", text ? (const char *)text : "");
		c->n = sqlite3_column_int64(st, 1);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_OK) {
		rc = SQLITE_CORRUPT; /* the run is not there */
	}
	log_file_done(st);
	return rc;
}

int ledger_chain_add(struct ledger *l, const char *run, struct chain *c, const struct ledger_event *v)
{
	ledger_chain_link(c, v);
	return log_file_do(&l->f, "INSERT INTO item_event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "tiiitttt", run, c->n,
	                   (int64_t)v->seq, v->at_ms, v->from, v->to, v->detail, c->last);
}

int ledger_chain_write(struct ledger *l, const char *run, const struct chain *c)
{
	return log_file_do(&l->f, "UPDATE run SET chain = ?2, events = ?3 WHERE id = ?1", "tti", run, c->last, c->n);
}

/* ---- runs */

#define RUN_COLUMNS                                                                                                    \
	"id, account, region, source, source_arn, source_url, dest, dest_url, mode, state, wanted, reason, by_user, "      \
	"host, "                                                                                                           \
	"manifest, rate, tolerance, batch, most, confirmed, expected, unknown, lease_s, call_s, fifo, partial, "           \
	"selection, "                                                                                                      \
	"hidden_until, created, started, ended, sum, verify_s, origin, fence, handed, task, task_rate, moved, to_move"

int ledger_put_run(struct ledger *l, const struct replay_run *r)
{
	char sum[SHA_HEX];
	run_sum(r, sum);
	return log_file_do(
	    &l->f,
	    "INSERT INTO run (" RUN_COLUMNS ", chain, events) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
	    "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, "
	    "?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, '', 0)",
	    "tttttttttttttttrriiiitiiiitiiiititiitiii", r->id, r->account, r->region, r->source, r->source_arn,
	    r->source_url, r->dest, r->dest_url, replay_mode_name(r->mode), run_state_name(r->state), NULL, r->reason,
	    r->by, r->host, r->manifest, r->rate, r->tolerance, (int64_t)r->batch, (int64_t)r->limit, (int64_t)r->confirmed,
	    (int64_t)r->expected, replay_unknown_name(r->unknown), (int64_t)r->lease_s, (int64_t)r->call_s,
	    (int64_t)r->fifo, (int64_t)r->partial, r->where, r->hidden_until_ms, r->created_ms, r->started_ms, r->ended_ms,
	    sum, (int64_t)r->verify_s, r->origin, r->fence, r->handed_ms, r->task, (int64_t)r->task_rate, r->moved,
	    r->to_move);
}

bool ledger_run_add(struct ledger *l, const struct replay_run *r, struct err *e)
{
	struct chain c = { 0 };
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = ledger_put_run(l, r);
	if (rc == SQLITE_OK)
		rc = ledger_chain_add(l, r->id, &c,
		                      &(struct ledger_event){ 0, clock_wall_ms(), "", run_state_name(r->state), r->source });
	if (rc == SQLITE_OK)
		rc = ledger_chain_write(l, r->id, &c);
	return log_file_end(&l->f, rc, e);
}

static int state_of(struct ledger *l, const char *run, char out[32])
{
	sqlite3_stmt *st;
	int rc = log_file_ask(&l->f, &st, "SELECT state FROM run WHERE id = ?1", "t", run);
	const unsigned char *text = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
	snprintf(out, 32, "%s", text ? (const char *)text : "");
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_OK ? SQLITE_CORRUPT : rc;
}

bool ledger_run_save(struct ledger *l, const struct replay_run *r, struct err *e)
{
	char sum[SHA_HEX], was[32];
	struct chain c;
	run_sum(r, sum);
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = state_of(l, r->id, was);
	if (rc == SQLITE_OK)
		rc = log_file_do(&l->f,
		                 "UPDATE run SET state = ?2, reason = ?3, manifest = ?4, rate = ?5, tolerance = ?6, batch = "
		                 "?7, confirmed = ?8, "
		                 "expected = ?9, unknown = ?10, lease_s = ?11, call_s = ?12, hidden_until = ?13, started = "
		                 "?14, ended = ?15, "
		                 "dest = ?16, partial = ?17, sum = ?18, origin = ?19, fence = ?20, handed = ?21, task = ?22, "
		                 "task_rate = ?23, moved = ?24, to_move = ?25 WHERE id = ?1",
		                 "ttttrriiitiiiiitittiitiii", r->id, run_state_name(r->state), r->reason, r->manifest, r->rate,
		                 r->tolerance, (int64_t)r->batch, (int64_t)r->confirmed, (int64_t)r->expected,
		                 replay_unknown_name(r->unknown), (int64_t)r->lease_s, (int64_t)r->call_s, r->hidden_until_ms,
		                 r->started_ms, r->ended_ms, r->dest, (int64_t)r->partial, sum, r->origin, r->fence,
		                 r->handed_ms, r->task, (int64_t)r->task_rate, r->moved, r->to_move);
	if (rc == SQLITE_OK && strcmp(was, run_state_name(r->state)) != 0) {
		rc = ledger_chain_read(l, r->id, &c);
		if (rc == SQLITE_OK)
			rc = ledger_chain_add(
			    l, r->id, &c, &(struct ledger_event){ 0, clock_wall_ms(), was, run_state_name(r->state), r->reason });
		if (rc == SQLITE_OK)
			rc = ledger_chain_write(l, r->id, &c);
	}
	return log_file_end(&l->f, rc, e);
}

bool ledger_want(struct ledger *l, const char *run, const char *word, struct err *e)
{
	int rc = log_file_do(&l->f, "UPDATE run SET wanted = ?2 WHERE id = ?1", "tt", run, word);
	if (!log_file_err(&l->f, rc, e))
		return false;
	return sqlite3_changes(l->f.db.sql) == 1 || err_set(e, ERR_NOTFOUND, "ledger", "there is no run %s", run);
}

bool ledger_wanted(struct ledger *l, const char *run, char word[32])
{
	sqlite3_stmt *st;
	int rc = log_file_find(&l->f, &st, "SELECT wanted FROM run WHERE id = ?1", "t", run);
	const unsigned char *text = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
	snprintf(word, 32, "%s", text ? (const char *)text : "");
	log_file_done(st);
	return word[0] != '\0';
}

const char *ledger_text(struct arena *mem, sqlite3_stmt *st, int i)
{
	return arena_strdup(mem, (const char *)sqlite3_column_text(st, i));
}

const char *ledger_must_text(struct arena *mem, sqlite3_stmt *st, int i)
{
	const char *s = ledger_text(mem, st, i);
	return s ? s : "";
}

unsigned ledger_number(sqlite3_stmt *st, int i)
{
	int64_t v = sqlite3_column_int64(st, i);
	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (unsigned)v;
}

/* False: a word in it is none of ours, so that it was not written by us. */
static bool read_run(struct arena *mem, sqlite3_stmt *st, struct replay_run *r)
{
	*r = (struct replay_run){ .account = ledger_must_text(mem, st, 1),
		                      .region = ledger_must_text(mem, st, 2),
		                      .source = ledger_must_text(mem, st, 3),
		                      .source_arn = ledger_must_text(mem, st, 4),
		                      .source_url = ledger_must_text(mem, st, 5),
		                      .dest = ledger_must_text(mem, st, 6),
		                      .dest_url = ledger_text(mem, st, 7),
		                      .wanted = ledger_text(mem, st, 10),
		                      .reason = ledger_text(mem, st, 11),
		                      .by = ledger_must_text(mem, st, 12),
		                      .host = ledger_must_text(mem, st, 13),
		                      .rate = sqlite3_column_double(st, 15),
		                      .tolerance = sqlite3_column_double(st, 16),
		                      .batch = ledger_number(st, 17),
		                      .limit = ledger_number(st, 18),
		                      .confirmed = sqlite3_column_int64(st, 19) != 0,
		                      .expected = ledger_number(st, 20),
		                      .lease_s = ledger_number(st, 22),
		                      .call_s = ledger_number(st, 23),
		                      .fifo = sqlite3_column_int64(st, 24) != 0,
		                      .partial = sqlite3_column_int64(st, 25) != 0,
		                      .where = ledger_text(mem, st, 26),
		                      .hidden_until_ms = sqlite3_column_int64(st, 27),
		                      .created_ms = sqlite3_column_int64(st, 28),
		                      .started_ms = sqlite3_column_int64(st, 29),
		                      .ended_ms = sqlite3_column_int64(st, 30),
		                      .verify_s = ledger_number(st, 32),
		                      .origin = ledger_text(mem, st, 33),
		                      .fence = sqlite3_column_int64(st, 34),
		                      .handed_ms = sqlite3_column_int64(st, 35),
		                      .task = ledger_text(mem, st, 36),
		                      .task_rate = ledger_number(st, 37),
		                      .moved = sqlite3_column_int64(st, 38),
		                      .to_move = sqlite3_column_int64(st, 39) };
	snprintf(r->id, sizeof r->id, "%s", ledger_must_text(mem, st, 0));
	snprintf(r->manifest, sizeof r->manifest, "%s", ledger_must_text(mem, st, 14));
	return replay_mode_named(ledger_must_text(mem, st, 8), &r->mode) &&
	       run_state_named(ledger_must_text(mem, st, 9), &r->state) &&
	       replay_unknown_named(ledger_must_text(mem, st, 21), &r->unknown);
}

bool ledger_runs(struct ledger *l, struct arena *mem, struct replay_run **runs, unsigned *n, struct err *e)
{
	sqlite3_stmt *st;
	unsigned cap = 0;
	struct replay_run *v = NULL;
	*n = 0;
	int rc = log_file_ask(&l->f, &st, "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC", "");
	for (; rc == SQLITE_ROW; rc = db_step(st)) {
		MEM_GROW(v, *n, cap);
		read_run(mem, st, &v[(*n)++]);
	}
	sqlite3_finalize(st);
	*runs = arena_array(mem, *n, sizeof *v);
	if (*n)
		memcpy(*runs, v, *n * sizeof *v);
	free(v);
	return log_file_err(&l->f, rc, e);
}

bool ledger_tampered(struct err *e, const char *run, const char *what)
{
	return err_set(e, ERR_DB, "ledger", "run %s: %s; it was changed by something else than sluice, and is not acted on",
	               run, what);
}

bool ledger_load_run(struct ledger *l, const char *run, struct arena *mem, struct replay_run *r, struct err *e)
{
	sqlite3_stmt *st;
	char sum[SHA_HEX];
	bool ok = true;
	int rc = log_file_ask(&l->f, &st, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1", "t", run);
	if (rc == SQLITE_ROW) {
		ok = read_run(mem, st, r);
		run_sum(r, sum);
		ok = ok && strcmp(sum, ledger_must_text(mem, st, 31)) == 0;
		rc = SQLITE_OK;
	} else if (rc == SQLITE_OK) {
		sqlite3_finalize(st);
		return err_set(e, ERR_NOTFOUND, "ledger", "there is no run %.40s", run);
	}
	sqlite3_finalize(st);
	if (!ok)
		return ledger_tampered(e, run, "its row is not what was written");
	return log_file_err(&l->f, rc, e);
}
