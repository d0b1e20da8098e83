/* A run taken out of a ledger and put into another; and the edits, which go with it. */
#include "cache/ledger_inside.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- edits */

static void edit_sum(const char *run, const struct ledger_edit *v, char out[SHA_HEX])
{
	struct buf b;
	buf_init(&b, 8u << 20);
	const char *const texts[] = { run, v->by, v->original, v->body, v->how };
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		log_file_part(&b, texts[i]);
	log_file_number(&b, v->seq);
	log_file_number(&b, v->n);
	log_file_number(&b, v->at_ms);
	log_file_sum(&b, out);
}

static int put_edit(struct ledger *l, const char *run, const struct ledger_edit *v)
{
	char sum[SHA_HEX];
	edit_sum(run, v, sum);
	return log_file_do(&l->f, "INSERT INTO item_edit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", "tiiittttt", run,
	                   (int64_t)v->seq, (int64_t)v->n, v->at_ms, v->by, v->original, v->body, v->how, sum);
}

bool ledger_edits(struct ledger *l, const char *run, struct arena *mem, struct ledger_edit **out, unsigned *n,
                  struct err *e)
{
	sqlite3_stmt *st;
	unsigned cap = 0;
	struct ledger_edit *v = NULL;
	char sum[SHA_HEX];
	bool ok = true;
	*n = 0;
	int rc = log_file_ask(&l->f, &st,
	                      "SELECT seq, n, at, by_user, original, body, how, sum FROM item_edit WHERE run_id = ?1 ORDER "
	                      "BY seq, n",
	                      "t", run);
	for (; rc == SQLITE_ROW && ok; rc = db_step(st)) {
		MEM_GROW(v, *n, cap);
		v[*n] = (struct ledger_edit){ .seq = ledger_number(st, 0),
			                          .n = ledger_number(st, 1),
			                          .at_ms = sqlite3_column_int64(st, 2),
			                          .by = ledger_must_text(mem, st, 3),
			                          .original = ledger_must_text(mem, st, 4),
			                          .body = ledger_must_text(mem, st, 5),
			                          .how = ledger_must_text(mem, st, 6) };
		edit_sum(run, &v[*n], sum);
		ok = strcmp(sum, ledger_must_text(mem, st, 7)) == 0;
		++*n;
	}
	sqlite3_finalize(st);
	*out = arena_array(mem, *n, sizeof *v);
	if (*n)
		memcpy(*out, v, *n * sizeof *v);
	free(v);
	if (!ok)
		return ledger_tampered(e, run, "an edit is not what was written");
	return log_file_err(&l->f, rc, e);
}

/* ---- the whole of a run */

bool ledger_whole(struct ledger *l, const char *run, struct arena *mem, struct ledger_whole *w, struct err *e)
{
	return ledger_load(l, run, mem, &w->run, &w->items, &w->nitems, e) &&
	       ledger_events(l, run, mem, &w->events, &w->nevents, e) &&
	       ledger_edits(l, run, mem, &w->edits, &w->nedits, e);
}

static int forget(struct ledger *l, const char *run)
{
	static const char *const from[] = { "DELETE FROM item_edit WHERE run_id = ?1",
		                                "DELETE FROM item_event WHERE run_id = ?1",
		                                "DELETE FROM item WHERE run_id = ?1", "DELETE FROM run WHERE id = ?1" };
	int rc = SQLITE_OK;
	for (unsigned i = 0; i < sizeof from / sizeof *from && rc == SQLITE_OK; i++)
		rc = log_file_do(&l->f, from[i], "t", run);
	return rc;
}

bool ledger_put_whole(struct ledger *l, const struct ledger_whole *w, struct err *e)
{
	struct chain c = { 0 };
	const char *run = w->run.id;
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = forget(l, run);
	if (rc == SQLITE_OK)
		rc = ledger_put_run(l, &w->run);
	for (unsigned i = 0; i < w->nitems && rc == SQLITE_OK; i++)
		rc = ledger_put_item(l, run, &w->items[i]);
	for (unsigned i = 0; i < w->nevents && rc == SQLITE_OK; i++)
		rc = ledger_chain_add(l, run, &c, &w->events[i]);
	for (unsigned i = 0; i < w->nedits && rc == SQLITE_OK; i++)
		rc = put_edit(l, run, &w->edits[i]);
	if (rc == SQLITE_OK)
		rc = ledger_chain_write(l, run, &c);
	return log_file_end(&l->f, rc, e);
}

bool ledger_continues(const struct ledger_whole *a, const struct ledger_whole *b)
{
	struct chain of_a = { 0 }, of_b = { 0 };
	for (unsigned i = 0; i < a->nevents; i++)
		ledger_chain_link(&of_a, &a->events[i]);
	for (unsigned i = 0; i < a->nevents && i < b->nevents; i++)
		ledger_chain_link(&of_b, &b->events[i]);
	return of_a.n == of_b.n && strcmp(of_a.last, of_b.last) == 0;
}

bool ledger_close_whole(struct ledger *l, struct err *e)
{
	bool ok = log_file_err(&l->f, db_exec(&l->f.db, "PRAGMA journal_mode = DELETE"), e);
	ledger_close(l);
	return ok;
}
