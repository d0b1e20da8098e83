#include "cache/ledger.h"

#include "cache/log_file.h"
#include "core/clock.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define SUM_MOST (1u << 20)

static const char schema[] =
#include "ledger.sql.h"
    ;

struct ledger {
	struct log_file f;
};

struct ledger *ledger_open(const char *folder, bool write, struct err *e)
{
	struct ledger *l = xcalloc(1, sizeof *l);
	if (log_file_open(&l->f, folder, "ledger.db", "ledger", schema, VERSION, write, e))
		return l;
	free(l);
	return NULL;
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
	log_file_sum(&b, out);
}

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
	log_file_sum(&b, out);
}

/* ---- the chain of events */

struct chain {
	char last[SHA_HEX];
	int64_t n;
};

static void chain_link(struct chain *c, const struct ledger_event *v)
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

static int chain_read(struct ledger *l, const char *run, struct chain *c)
{
	sqlite3_stmt *st;
	*c = (struct chain){ 0 };
	int rc = log_file_ask(&l->f, &st, "SELECT chain, events FROM run WHERE id = ?1", "t", run);
	if (rc == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(st, 0);
		snprintf(c->last, sizeof c->last, "%s", text ? (const char *)text : "");
		c->n = sqlite3_column_int64(st, 1);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_OK) {
		rc = SQLITE_CORRUPT; /* the run is not there */
	}
	sqlite3_finalize(st);
	return rc;
}

static int chain_add(struct ledger *l, const char *run, struct chain *c, const struct ledger_event *v)
{
	chain_link(c, v);
	return log_file_do(&l->f, "INSERT INTO item_event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "tiiitttt", run, c->n,
	                   (int64_t)v->seq, v->at_ms, v->from, v->to, v->detail, c->last);
}

static int chain_write(struct ledger *l, const char *run, const struct chain *c)
{
	return log_file_do(&l->f, "UPDATE run SET chain = ?2, events = ?3 WHERE id = ?1", "tti", run, c->last, c->n);
}

/* ---- runs */

#define RUN_COLUMNS                                                                                                    \
	"id, account, region, source, source_arn, source_url, dest, dest_url, mode, state, wanted, reason, by_user, "      \
	"host, "                                                                                                           \
	"manifest, rate, tolerance, batch, most, confirmed, expected, unknown, lease_s, call_s, fifo, partial, "           \
	"selection, "                                                                                                      \
	"hidden_until, created, started, ended, sum, verify_s"

bool ledger_run_add(struct ledger *l, const struct replay_run *r, struct err *e)
{
	char sum[SHA_HEX];
	struct chain c = { 0 };
	run_sum(r, sum);
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = log_file_do(
	    &l->f,
	    "INSERT INTO run (" RUN_COLUMNS ", chain, events) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
	    "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, '', "
	    "0)",
	    "tttttttttttttttrriiiitiiiitiiiiti", r->id, r->account, r->region, r->source, r->source_arn, r->source_url,
	    r->dest, r->dest_url, replay_mode_name(r->mode), run_state_name(r->state), NULL, r->reason, r->by, r->host,
	    r->manifest, r->rate, r->tolerance, (int64_t)r->batch, (int64_t)r->limit, (int64_t)r->confirmed,
	    (int64_t)r->expected, replay_unknown_name(r->unknown), (int64_t)r->lease_s, (int64_t)r->call_s,
	    (int64_t)r->fifo, (int64_t)r->partial, r->where, r->hidden_until_ms, r->created_ms, r->started_ms, r->ended_ms,
	    sum, (int64_t)r->verify_s);
	if (rc == SQLITE_OK)
		rc = chain_add(l, r->id, &c,
		               &(struct ledger_event){ 0, clock_wall_ms(), "", run_state_name(r->state), r->source });
	if (rc == SQLITE_OK)
		rc = chain_write(l, r->id, &c);
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
		                 "dest = ?16, partial = ?17, sum = ?18 WHERE id = ?1",
		                 "ttttrriiitiiiiitit", r->id, run_state_name(r->state), r->reason, r->manifest, r->rate,
		                 r->tolerance, (int64_t)r->batch, (int64_t)r->confirmed, (int64_t)r->expected,
		                 replay_unknown_name(r->unknown), (int64_t)r->lease_s, (int64_t)r->call_s, r->hidden_until_ms,
		                 r->started_ms, r->ended_ms, r->dest, (int64_t)r->partial, sum);
	if (rc == SQLITE_OK && strcmp(was, run_state_name(r->state)) != 0) {
		rc = chain_read(l, r->id, &c);
		if (rc == SQLITE_OK)
			rc = chain_add(l, r->id, &c,
			               &(struct ledger_event){ 0, clock_wall_ms(), was, run_state_name(r->state), r->reason });
		if (rc == SQLITE_OK)
			rc = chain_write(l, r->id, &c);
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
	int rc = log_file_ask(&l->f, &st, "SELECT wanted FROM run WHERE id = ?1", "t", run);
	const unsigned char *text = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
	snprintf(word, 32, "%s", text ? (const char *)text : "");
	sqlite3_finalize(st);
	return word[0] != '\0';
}

static const char *text_at(struct arena *mem, sqlite3_stmt *st, int i)
{
	return arena_strdup(mem, (const char *)sqlite3_column_text(st, i));
}

static const char *must_text(struct arena *mem, sqlite3_stmt *st, int i)
{
	const char *s = text_at(mem, st, i);
	return s ? s : "";
}

static unsigned number_at(sqlite3_stmt *st, int i)
{
	int64_t v = sqlite3_column_int64(st, i);
	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (unsigned)v;
}

/* False: a word in it is none of ours, so that it was not written by us. */
static bool read_run(struct arena *mem, sqlite3_stmt *st, struct replay_run *r)
{
	*r = (struct replay_run){ .account = must_text(mem, st, 1),
		                      .region = must_text(mem, st, 2),
		                      .source = must_text(mem, st, 3),
		                      .source_arn = must_text(mem, st, 4),
		                      .source_url = must_text(mem, st, 5),
		                      .dest = must_text(mem, st, 6),
		                      .dest_url = text_at(mem, st, 7),
		                      .wanted = text_at(mem, st, 10),
		                      .reason = text_at(mem, st, 11),
		                      .by = must_text(mem, st, 12),
		                      .host = must_text(mem, st, 13),
		                      .rate = sqlite3_column_double(st, 15),
		                      .tolerance = sqlite3_column_double(st, 16),
		                      .batch = number_at(st, 17),
		                      .limit = number_at(st, 18),
		                      .confirmed = sqlite3_column_int64(st, 19) != 0,
		                      .expected = number_at(st, 20),
		                      .lease_s = number_at(st, 22),
		                      .call_s = number_at(st, 23),
		                      .fifo = sqlite3_column_int64(st, 24) != 0,
		                      .partial = sqlite3_column_int64(st, 25) != 0,
		                      .where = text_at(mem, st, 26),
		                      .hidden_until_ms = sqlite3_column_int64(st, 27),
		                      .created_ms = sqlite3_column_int64(st, 28),
		                      .started_ms = sqlite3_column_int64(st, 29),
		                      .ended_ms = sqlite3_column_int64(st, 30),
		                      .verify_s = number_at(st, 32) };
	snprintf(r->id, sizeof r->id, "%s", must_text(mem, st, 0));
	snprintf(r->manifest, sizeof r->manifest, "%s", must_text(mem, st, 14));
	return replay_mode_named(must_text(mem, st, 8), &r->mode) && run_state_named(must_text(mem, st, 9), &r->state) &&
	       replay_unknown_named(must_text(mem, st, 21), &r->unknown);
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

/* ---- messages */

bool ledger_items_add(struct ledger *l, const char *run, const struct replay_item *items, unsigned n, struct err *e)
{
	char sum[SHA_HEX];
	struct chain c;
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = chain_read(l, run, &c);
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		const struct replay_item *it = &items[i];
		item_sum(run, it, it->state, sum);
		rc = log_file_do(
		    &l->f,
		    "INSERT INTO item VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
		    "?17, ?18, ?19, ?20, ?21, ?22, ?23)",
		    "tittiitttittiiiiiittttt", run, (int64_t)it->seq, it->msg_id, it->handle, it->lease_until_ms, it->sent_ms,
		    it->group_id, it->source_arn, it->body_sha256, (int64_t)it->bytes, it->fp, item_state_name(it->state),
		    (int64_t)it->replay_no, (int64_t)it->rejections, (int64_t)it->resent, it->intent_ms, it->accepted_ms,
		    it->removed_ms, it->out_id, it->code, it->text, it->request_id, sum);
		if (rc == SQLITE_OK)
			rc = chain_add(l, run, &c,
			               &(struct ledger_event){ it->seq, clock_wall_ms(), "", item_state_name(it->state), NULL });
	}
	if (rc == SQLITE_OK)
		rc = chain_write(l, run, &c);
	return log_file_end(&l->f, rc, e);
}

bool ledger_items_drop(struct ledger *l, const char *run, struct err *e)
{
	struct chain c;
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = chain_read(l, run, &c);
	if (rc == SQLITE_OK)
		rc = log_file_do(&l->f, "DELETE FROM item WHERE run_id = ?1", "t", run);
	if (rc == SQLITE_OK)
		rc = chain_add(
		    l, run, &c,
		    &(struct ledger_event){ 0, clock_wall_ms(), "FREEZING", "FREEZING", "the selection is made anew" });
	if (rc == SQLITE_OK)
		rc = chain_write(l, run, &c);
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
	    "?17 "
	    "WHERE run_id = ?1 AND seq = ?2 AND state = ?3",
	    "tittitiiiiiittttt", run, (int64_t)it->seq, item_state_name(from), it->handle, it->lease_until_ms,
	    item_state_name(to), (int64_t)it->replay_no, (int64_t)it->rejections, (int64_t)it->resent, it->intent_ms,
	    it->accepted_ms, it->removed_ms, it->out_id, it->code, it->text, it->request_id, sum);
	return rc == SQLITE_OK && sqlite3_changes(l->f.db.sql) != 1 ? SQLITE_CONSTRAINT : rc;
}

bool ledger_commit(struct ledger *l, const char *run, const struct ledger_change *v, unsigned n, struct err *e)
{
	struct chain c;
	int64_t now = clock_wall_ms();
	if (!log_file_begin(&l->f, e))
		return false;
	int rc = chain_read(l, run, &c);
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		rc = update(l, run, v[i].item, v[i].from, v[i].to);
		if (rc == SQLITE_OK)
			rc = chain_add(l, run, &c,
			               &(struct ledger_event){ v[i].item->seq, now, item_state_name(v[i].from),
			                                       item_state_name(v[i].to), v[i].detail });
		if (rc == SQLITE_CONSTRAINT)
			err_set(e, ERR_DB, "ledger", "message %u of run %s is not %s any more: somebody else changes this run",
			        v[i].item->seq, run, item_state_name(v[i].from));
	}
	if (rc == SQLITE_OK)
		rc = chain_write(l, run, &c);
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
	*it = (struct replay_item){ .seq = number_at(st, 0),
		                        .msg_id = must_text(mem, st, 1),
		                        .handle = text_at(mem, st, 2),
		                        .lease_until_ms = sqlite3_column_int64(st, 3),
		                        .sent_ms = sqlite3_column_int64(st, 4),
		                        .group_id = text_at(mem, st, 5),
		                        .source_arn = text_at(mem, st, 6),
		                        .bytes = number_at(st, 8),
		                        .fp = text_at(mem, st, 9),
		                        .replay_no = number_at(st, 11),
		                        .rejections = number_at(st, 12),
		                        .resent = sqlite3_column_int64(st, 13) != 0,
		                        .intent_ms = sqlite3_column_int64(st, 14),
		                        .accepted_ms = sqlite3_column_int64(st, 15),
		                        .removed_ms = sqlite3_column_int64(st, 16),
		                        .out_id = text_at(mem, st, 17),
		                        .code = text_at(mem, st, 18),
		                        .text = text_at(mem, st, 19),
		                        .request_id = text_at(mem, st, 20) };
	snprintf(it->body_sha256, sizeof it->body_sha256, "%s", must_text(mem, st, 7));
	return item_state_named(must_text(mem, st, 10), &it->state);
}

static bool tampered(struct err *e, const char *run, const char *what)
{
	return err_set(e, ERR_DB, "ledger", "run %s: %s; it was changed by something else than sluice, and is not acted on",
	               run, what);
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
	                 "sum FROM item WHERE run_id = ?1 ORDER BY seq",
	                 "t", run);
	for (; rc == SQLITE_ROW && ok; rc = db_step(st)) {
		MEM_GROW(v, *n, cap);
		struct replay_item *it = &v[*n];
		ok = read_item(mem, st, it);
		item_sum(run, it, it->state, sum);
		ok = ok && it->seq == *n + 1 && strcmp(sum, must_text(mem, st, 21)) == 0;
		++*n;
	}
	sqlite3_finalize(st);
	if (!ok) {
		snprintf(what, sizeof what, "the row of message %u is not what was written", *n);
		tampered(e, run, what);
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
	int rc = chain_read(l, run, &end);
	if (rc)
		return log_file_err(&l->f, rc, e);
	rc = log_file_ask(
	    &l->f, &st, "SELECT seq, at, from_state, to_state, detail, chain FROM item_event WHERE run_id = ?1 ORDER BY n",
	    "t", run);
	for (; rc == SQLITE_ROW && ok; rc = db_step(st)) {
		MEM_GROW(v, *n, cap);
		struct ledger_event *ev = &v[(*n)++];
		*ev = (struct ledger_event){ number_at(st, 0), sqlite3_column_int64(st, 1), must_text(mem, st, 2),
			                         must_text(mem, st, 3), text_at(mem, st, 4) };
		chain_link(&c, ev);
		ok = strcmp(c.last, must_text(mem, st, 5)) == 0;
	}
	sqlite3_finalize(st);
	if (ok && (rc == SQLITE_OK) && (c.n != end.n || strcmp(c.last, end.last) != 0))
		ok = false;
	if (!ok) {
		snprintf(what, sizeof what, "event %u is not what was written, or is missing", *n);
		tampered(e, run, what);
	}
	*out = arena_array(mem, *n, sizeof *v);
	if (*n)
		memcpy(*out, v, *n * sizeof *v);
	free(v);
	return ok && log_file_err(&l->f, rc, e);
}

static bool load_run(struct ledger *l, const char *run, struct arena *mem, struct replay_run *r, struct err *e)
{
	sqlite3_stmt *st;
	char sum[SHA_HEX];
	bool ok = true;
	int rc = log_file_ask(&l->f, &st, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1", "t", run);
	if (rc == SQLITE_ROW) {
		ok = read_run(mem, st, r);
		run_sum(r, sum);
		ok = ok && strcmp(sum, must_text(mem, st, 31)) == 0;
		rc = SQLITE_OK;
	} else if (rc == SQLITE_OK) {
		sqlite3_finalize(st);
		return err_set(e, ERR_NOTFOUND, "ledger", "there is no run %.40s", run);
	}
	sqlite3_finalize(st);
	if (!ok)
		return tampered(e, run, "its row is not what was written");
	return log_file_err(&l->f, rc, e);
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
		return tampered(e, run, what);
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
	bool ok = log_file_err(&l->f, db_exec(&l->f.db, "BEGIN"), e) && load_run(l, run, mem, r, e) &&
	          load_items(l, mem, run, items, n, e) && ledger_events(l, run, mem, &v, &nv, e) &&
	          states_agree(run, *items, *n, v, nv, e);
	log_file_end(&l->f, SQLITE_OK, &ignored);
	return ok;
}

/* ---- across runs */

bool ledger_past(struct ledger *l, const char *msg_id, const char *but, struct ledger_past *p)
{
	sqlite3_stmt *st;
	int rc = log_file_ask(
	    &l->f, &st,
	    "SELECT run_id, state, max(intent, accepted, removed), count(*) OVER () FROM item WHERE msg_id = ?1 "
	    "AND run_id != ?2 AND replay_no > 0 ORDER BY run_id DESC LIMIT 1",
	    "tt", msg_id, but);
	bool found = rc == SQLITE_ROW;
	if (found) {
		const unsigned char *id = sqlite3_column_text(st, 0), *state = sqlite3_column_text(st, 1);
		snprintf(p->run, sizeof p->run, "%s", id ? (const char *)id : "");
		found = item_state_named((const char *)state, &p->state);
		p->at_ms = sqlite3_column_int64(st, 2);
		p->times = number_at(st, 3);
	}
	sqlite3_finalize(st);
	return found;
}

bool ledger_peeked(struct ledger *l, const char *queue_arn, int64_t at_ms, unsigned *sweeps, struct err *e)
{
	sqlite3_stmt *st;
	*sweeps = 1;
	int rc =
	    log_file_do(&l->f,
	                "INSERT INTO peek VALUES (?1, 1, ?2) ON CONFLICT (queue_arn) DO UPDATE SET sweeps = sweeps + 1, "
	                "last = ?2",
	                "ti", queue_arn, at_ms);
	if (!log_file_err(&l->f, rc, e))
		return false;
	rc = log_file_ask(&l->f, &st, "SELECT sweeps FROM peek WHERE queue_arn = ?1", "t", queue_arn);
	if (rc == SQLITE_ROW)
		*sweeps = number_at(st, 0);
	sqlite3_finalize(st);
	return true;
}
