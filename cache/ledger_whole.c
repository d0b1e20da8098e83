/* A run taken out of a ledger and put into another. */
#include "cache/ledger_inside.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- the whole of a run */

bool ledger_whole(struct ledger *l, const char *run, struct arena *mem, struct ledger_whole *w, struct err *e)
{
	return ledger_load(l, run, mem, &w->run, &w->items, &w->nitems, e) &&
	       ledger_events(l, run, mem, &w->events, &w->nevents, e);
}

static int forget(struct ledger *l, const char *run)
{
	static const char *const from[] = { "DELETE FROM item_event WHERE run_id = ?1",
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
