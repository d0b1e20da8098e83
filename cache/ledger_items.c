/* The ledger's messages: their rows, the changes of their states, and what is believed of them when they are read. */
#include "cache/ledger_inside.h"

#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void item_sum(const char *run, const struct replay_item *it, enum item_state state, char out[SHA_HEX])
{
	struct buf b;
	buf_init(&b, SUM_MOST);
	const char *const texts[] = { run,          it->msg_id,     it->handle,
		                          it->group_id, it->source_arn, it->body_sha256,
		                          it->fp,       it->out_id,     item_state_name(state),
		                          it->code,     it->text,       it->request_id };
	const int64_t numbers[] = { it->seq,        it->lease_until_ms, it->sent_ms,   it->bytes,       it->replay_no,
		                        it->rejections, it->resent,         it->intent_ms, it->accepted_ms, it->removed_ms };
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		log_file_part(&b, texts[i]);
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
		log_file_number(&b, numbers[i]);
	if (it->place || it->key) { /* what the second schema added */
		log_file_part(&b, it->place);
		log_file_part(&b, it->key);
	}
	log_file_sum(&b, out);
}

/* ---- messages */

int ledger_put_item(struct ledger *l, const char *run, const struct replay_item *it)
{
	char sum[SHA_HEX];
	item_sum(run, it, it->state, sum);
	return log_file_do(
	    &l->f,
	    "INSERT INTO item VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
	    "?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
	    "tittiitttittiiiiiittttttt", run, (int64_t)it->seq, it->msg_id, it->handle, it->lease_until_ms, it->sent_ms,
	    it->group_id, it->source_arn, it->body_sha256, (int64_t)it->bytes, it->fp, item_state_name(it->state),
	    (int64_t)it->replay_no, (int64_t)it->rejections, (int64_t)it->resent, it->intent_ms, it->accepted_ms,
	    it->removed_ms, it->out_id, it->code, it->text, it->request_id, sum, it->place, it->key);
}

bool ledger_items_add(struct ledger *l, const char *run, const struct replay_item *items, unsigned n, struct err *e)
{
	struct chain c;
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = ledger_chain_read(l, run, &c);
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		const struct replay_item *it = &items[i];
		rc = ledger_put_item(l, run, it);
		if (rc == SQLITE_OK)
			rc = ledger_chain_add(
			    l, run, &c, &(struct ledger_event){ it->seq, clock_wall_ms(), "", item_state_name(it->state), NULL });
	}
	if (rc == SQLITE_OK)
		rc = ledger_chain_write(l, run, &c);
	return log_file_end(&l->f, rc, e);
}

bool ledger_items_drop(struct ledger *l, const char *run, struct err *e)
{
	struct chain c;
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = ledger_chain_read(l, run, &c);
	if (rc == SQLITE_OK)
		rc = log_file_do(&l->f, "DELETE FROM item WHERE run_id = ?1", "t", run);
	if (rc == SQLITE_OK)
		rc = ledger_chain_add(
		    l, run, &c,
		    &(struct ledger_event){ 0, clock_wall_ms(), "FREEZING", "FREEZING", "the selection is made anew" });
	if (rc == SQLITE_OK)
		rc = ledger_chain_write(l, run, &c);
	return log_file_end(&l->f, rc, e);
}

/* Every column that may change, from one state to another; the message must be in the first. */
static int update(struct ledger *l, const char *run, const struct replay_item *it, enum item_state from,
                  enum item_state to)
{
	char sum[SHA_HEX];
	item_sum(run, it, to, sum);
	int rc = log_file_do(
	    &l->f,
	    "UPDATE item SET handle = ?4, lease_until = ?5, state = ?6, replay_no = ?7, rejections = ?8, resent = ?9, "
	    "intent = ?10, accepted = ?11, removed = ?12, out_id = ?13, code = ?14, text = ?15, request_id = ?16, sum = "
	    "?17, place = ?18, bkey = ?19 WHERE run_id = ?1 AND seq = ?2 AND state = ?3",
	    "tittitiiiiiittttttt", run, (int64_t)it->seq, item_state_name(from), it->handle, it->lease_until_ms,
	    item_state_name(to), (int64_t)it->replay_no, (int64_t)it->rejections, (int64_t)it->resent, it->intent_ms,
	    it->accepted_ms, it->removed_ms, it->out_id, it->code, it->text, it->request_id, sum, it->place, it->key);
	return rc == SQLITE_OK && sqlite3_changes(l->f.db.sql) != 1 ? SQLITE_CONSTRAINT : rc;
}

int ledger_change_all(struct ledger *l, const char *run, const struct ledger_change *v, unsigned n, struct err *e)
{
	struct chain c;
	int64_t now = clock_wall_ms();
	int rc = ledger_chain_read(l, run, &c);
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		rc = update(l, run, v[i].item, v[i].from, v[i].to);
		if (rc == SQLITE_OK)
			rc = ledger_chain_add(l, run, &c,
			                      &(struct ledger_event){ v[i].item->seq, now, item_state_name(v[i].from),
			                                              item_state_name(v[i].to), v[i].detail });
		if (rc == SQLITE_CONSTRAINT)
			err_set(e, ERR_DB, "ledger", "message %u of run %s is not %s any more: somebody else changes this run",
			        v[i].item->seq, run, item_state_name(v[i].from));
	}
	return rc == SQLITE_OK ? ledger_chain_write(l, run, &c) : rc;
}

bool ledger_commit(struct ledger *l, const char *run, const struct ledger_change *v, unsigned n, struct err *e)
{
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = ledger_change_all(l, run, v, n, e);
	return log_file_end(&l->f, rc, rc == SQLITE_CONSTRAINT ? NULL : e);
}

bool ledger_touch(struct ledger *l, const char *run, const struct replay_item *const *items, unsigned n, struct err *e)
{
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = SQLITE_OK;
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++)
		rc = update(l, run, items[i], items[i]->state, items[i]->state);
	return log_file_end(&l->f, rc, e);
}

static bool read_item(struct arena *mem, sqlite3_stmt *st, struct replay_item *it)
{
	*it = (struct replay_item){ .seq = ledger_number(st, 0),
		                        .msg_id = ledger_must_text(mem, st, 1),
		                        .handle = ledger_text(mem, st, 2),
		                        .lease_until_ms = sqlite3_column_int64(st, 3),
		                        .sent_ms = sqlite3_column_int64(st, 4),
		                        .group_id = ledger_text(mem, st, 5),
		                        .source_arn = ledger_text(mem, st, 6),
		                        .bytes = ledger_number(st, 8),
		                        .fp = ledger_text(mem, st, 9),
		                        .replay_no = ledger_number(st, 11),
		                        .rejections = ledger_number(st, 12),
		                        .resent = sqlite3_column_int64(st, 13) != 0,
		                        .intent_ms = sqlite3_column_int64(st, 14),
		                        .accepted_ms = sqlite3_column_int64(st, 15),
		                        .removed_ms = sqlite3_column_int64(st, 16),
		                        .out_id = ledger_text(mem, st, 17),
		                        .code = ledger_text(mem, st, 18),
		                        .text = ledger_text(mem, st, 19),
		                        .request_id = ledger_text(mem, st, 20),
		                        .place = ledger_text(mem, st, 22),
		                        .key = ledger_text(mem, st, 23) };
	snprintf(it->body_sha256, sizeof it->body_sha256, "%s", ledger_must_text(mem, st, 7));
	return item_state_named(ledger_must_text(mem, st, 10), &it->state);
}

static bool load_items(struct ledger *l, struct arena *mem, const char *run, struct replay_item **items, unsigned *n,
                       struct err *e)
{
	sqlite3_stmt *st;
	char sum[SHA_HEX], what[64];
	unsigned cap = 0;
	struct replay_item *v = NULL;
	bool ok = true;
	*n = 0;
	int rc =
	    log_file_ask(&l->f, &st,
	                 "SELECT seq, msg_id, handle, lease_until, sent, group_id, source_arn, body_sha256, bytes, fp, "
	                 "state, replay_no, rejections, resent, intent, accepted, removed, out_id, code, text, request_id, "
	                 "sum, place, bkey FROM item WHERE run_id = ?1 ORDER BY seq",
	                 "t", run);
	for (; rc == SQLITE_ROW && ok; rc = db_step(st)) {
		MEM_GROW(v, *n, cap);
		struct replay_item *it = &v[*n];
		ok = read_item(mem, st, it);
		item_sum(run, it, it->state, sum);
		ok = ok && it->seq == *n + 1 && strcmp(sum, ledger_must_text(mem, st, 21)) == 0;
		++*n;
	}
	sqlite3_finalize(st);
	if (!ok) {
		snprintf(what, sizeof what, "the row of message %u is not what was written", *n);
		ledger_tampered(e, run, what);
	}
	*items = arena_array(mem, *n, sizeof *v);
	if (*n)
		memcpy(*items, v, *n * sizeof *v);
	free(v);
	return ok && log_file_err(&l->f, rc, e);
}

bool ledger_events(struct ledger *l, const char *run, struct arena *mem, struct ledger_event **out, unsigned *n,
                   struct err *e)
{
	sqlite3_stmt *st;
	struct chain c = { 0 }, end;
	unsigned cap = 0;
	char what[96];
	struct ledger_event *v = NULL;
	bool ok = true;
	*n = 0;
	int rc = ledger_chain_read(l, run, &end);
	if (rc)
		return log_file_err(&l->f, rc, e);
	rc = log_file_ask(
	    &l->f, &st, "SELECT seq, at, from_state, to_state, detail, chain FROM item_event WHERE run_id = ?1 ORDER BY n",
	    "t", run);
	for (; rc == SQLITE_ROW && ok; rc = db_step(st)) {
		MEM_GROW(v, *n, cap);
		struct ledger_event *ev = &v[(*n)++];
		*ev = (struct ledger_event){ ledger_number(st, 0), sqlite3_column_int64(st, 1), ledger_must_text(mem, st, 2),
			                         ledger_must_text(mem, st, 3), ledger_text(mem, st, 4) };
		ledger_chain_link(&c, ev);
		ok = strcmp(c.last, ledger_must_text(mem, st, 5)) == 0;
	}
	sqlite3_finalize(st);
	if (ok && (rc == SQLITE_OK) && (c.n != end.n || strcmp(c.last, end.last) != 0))
		ok = false;
	if (!ok) {
		snprintf(what, sizeof what, "event %u is not what was written, or is missing", *n);
		ledger_tampered(e, run, what);
	}
	*out = arena_array(mem, *n, sizeof *v);
	if (*n)
		memcpy(*out, v, *n * sizeof *v);
	free(v);
	return ok && log_file_err(&l->f, rc, e);
}

/* Each message's state must be the last that the chain tells of it: a row that was put back to an older, once valid form is found. */
static bool states_agree(const char *run, const struct replay_item *items, unsigned n, const struct ledger_event *v,
                         unsigned nv, struct err *e)
{
	char what[96];
	const char **last = xcalloc(n + 1u, sizeof *last);
	bool ok = true;
	unsigned at = 0;
	for (unsigned i = 0; i < nv; i++) {
		if (v[i].seq == 0 && v[i].detail && strcmp(v[i].from, "FREEZING") == 0 && strcmp(v[i].to, "FREEZING") == 0)
			memset(last, 0, (n + 1u) * sizeof *last);
		if (v[i].seq && v[i].seq <= n)
			last[v[i].seq] = v[i].to;
	}
	for (unsigned i = 0; i < n && ok; i++) {
		at = i + 1;
		ok = last[at] && strcmp(last[at], item_state_name(items[i].state)) == 0;
	}
	free(last);
	if (!ok) {
		snprintf(what, sizeof what, "the state of message %u is not the one its events tell of", at);
		return ledger_tampered(e, run, what);
	}
	return true;
}

bool ledger_load(struct ledger *l, const char *run, struct arena *mem, struct replay_run *r, struct replay_item **items,
                 unsigned *n, struct err *e)
{
	struct ledger_event *v;
	unsigned nv;
	struct err ignored;
	*items = NULL;
	*n = 0;
	/* One look: a driver may be writing. */
	bool ok = log_file_err(&l->f, db_exec(&l->f.db, "BEGIN"), e) && ledger_load_run(l, run, mem, r, e) &&
	          load_items(l, mem, run, items, n, e) && ledger_events(l, run, mem, &v, &nv, e) &&
	          states_agree(run, *items, *n, v, nv, e);
	log_file_end(&l->f, SQLITE_OK, &ignored);
	return ok;
}
