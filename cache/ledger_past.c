/* The ledger across runs: what earlier ones made of a message. */
#include "cache/ledger_inside.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

bool ledger_past(struct ledger *l, const char *msg_id, const char *but, struct ledger_past *p)
{
	sqlite3_stmt *st;
	int rc = log_file_find(
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
		p->times = ledger_number(st, 3);
	}
	log_file_done(st);
	return found;
}

static bool bad_row(struct ledger *l, struct ledger_bad *b, const char *sql, const char *one, const char *two,
                    const char *but)
{
	sqlite3_stmt *st;
	int rc = log_file_ask(&l->f, &st, sql, "ttt", one, but, two);
	const unsigned char *run = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
	bool found = run && item_state_named((const char *)sqlite3_column_text(st, 1), &b->state);
	snprintf(b->run, sizeof b->run, "%s", run ? (const char *)run : "");
	sqlite3_finalize(st);
	return found && (b->state == ITEM_POISON || b->state == ITEM_BOUNCED);
}

bool ledger_bad_before(struct ledger *l, const char *source_arn, const struct replay_item *it, const char *but,
                       struct ledger_bad *b)
{
	*b = (struct ledger_bad){ 0 };
	if (bad_row(l, b,
	            "SELECT run_id, state FROM item WHERE msg_id = ?1 AND run_id != ?2 AND ?3 IS NULL AND replay_no > 0 "
	            "ORDER BY run_id DESC LIMIT 1",
	            it->msg_id, NULL, but))
		return true;
	if (bad_row(l, b,
	            "SELECT i.run_id, i.state FROM item i JOIN run r ON r.id = i.run_id WHERE i.body_sha256 = ?1 AND "
	            "i.run_id != ?2 AND r.source_arn = ?3 AND i.replay_no > 0 ORDER BY i.run_id DESC LIMIT 1",
	            it->body_sha256, source_arn, but))
		return true;
	b->group = true;
	return it->fp &&
	       bad_row(
	           l, b,
	           "SELECT i.run_id, min(i.state) FROM item i JOIN run r ON r.id = i.run_id WHERE i.fp = ?1 AND "
	           "i.run_id != ?2 AND r.source_arn = ?3 AND i.replay_no > 0 GROUP BY i.run_id HAVING count(*) >= 2 AND "
	           "sum(i.state NOT IN ('POISON', 'BOUNCED')) = 0 AND i.run_id = (SELECT max(j.run_id) FROM item j WHERE "
	           "j.fp = ?1 AND j.run_id != ?2 AND j.replay_no > 0)",
	           it->fp, source_arn, but);
}

bool ledger_copy_of(struct ledger *l, const char *run, unsigned seq, enum item_state *state)
{
	sqlite3_stmt *st;
	int rc = log_file_ask(&l->f, &st, "SELECT state FROM item WHERE run_id = ?1 AND seq = ?2", "ti", run, (int64_t)seq);
	bool found = rc == SQLITE_ROW && item_state_named((const char *)sqlite3_column_text(st, 0), state);
	sqlite3_finalize(st);
	return found;
}

bool ledger_done_before(struct ledger *l, const char *key, const char *but, struct ledger_done *d)
{
	sqlite3_stmt *st;
	int rc =
	    log_file_ask(&l->f, &st,
	                 "SELECT i.run_id, r.by_user, max(i.accepted, i.removed) FROM item i JOIN run r ON r.id = i.run_id "
	                 "WHERE i.bkey = ?1 AND i.run_id != ?2 AND i.state = 'VERIFIED' ORDER BY i.run_id DESC LIMIT 1",
	                 "tt", key, but);
	bool found = rc == SQLITE_ROW;
	if (found) {
		const unsigned char *run = sqlite3_column_text(st, 0), *by = sqlite3_column_text(st, 1);
		snprintf(d->run, sizeof d->run, "%s", run ? (const char *)run : "");
		snprintf(d->by, sizeof d->by, "%s", by ? (const char *)by : "");
		d->at_ms = sqlite3_column_int64(st, 2);
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
		*sweeps = ledger_number(st, 0);
	sqlite3_finalize(st);
	return true;
}

/* ---- time that was bought */

bool ledger_bought(struct ledger *l, const char *arn, int64_t *was_s)
{
	sqlite3_stmt *st;
	int rc = log_file_ask(&l->f, &st, "SELECT was FROM bought WHERE arn = ?1", "t", arn);
	*was_s = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return rc == SQLITE_ROW;
}

bool ledger_buy(struct ledger *l, const char *arn, int64_t was_s, int64_t now_s, const char *by, struct err *e)
{
	int rc =
	    log_file_do(&l->f,
	                "INSERT INTO bought VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (arn) DO UPDATE SET now = ?3, at = "
	                "?4, by_user = ?5",
	                "tiiit", arn, was_s, now_s, clock_wall_ms(), by);
	return log_file_err(&l->f, rc, e);
}

bool ledger_buy_undone(struct ledger *l, const char *arn, struct err *e)
{
	return log_file_err(&l->f, log_file_do(&l->f, "DELETE FROM bought WHERE arn = ?1", "t", arn), e);
}
