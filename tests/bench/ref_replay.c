/* sluice itself with its ledger and audit log taken out: what `make bench` holds a replay against (R1). The same sender, the same calls,
 * nothing written down: these functions stand in the place of cache/ledger*.c and cache/audit.c. */
#include "cache/audit.h"
#include "cache/ledger.h"
#include "core/mem.h"

#include <stdlib.h>

#include "../../main.c" /* the program, whole */

struct ledger { int unused; };
struct audit { int unused; };

static struct ledger the_ledger;
static struct audit the_audit;

struct ledger *ledger_open(const char *folder, bool write, struct err *e) { (void)folder, (void)write, (void)e; return &the_ledger; }
void ledger_close(struct ledger *l) { (void)l; }
const char *ledger_path(const struct ledger *l) { (void)l; return ""; }
bool ledger_run_add(struct ledger *l, const struct replay_run *r, struct err *e) { (void)l, (void)r, (void)e; return true; }
bool ledger_run_save(struct ledger *l, const struct replay_run *r, struct err *e) { (void)l, (void)r, (void)e; return true; }
bool ledger_want(struct ledger *l, const char *run, const char *word, struct err *e) { (void)l, (void)run, (void)word, (void)e; return true; }
bool ledger_wanted(struct ledger *l, const char *run, char word[32]) { (void)l, (void)run; word[0] = '\0'; return false; }
bool ledger_items_add(struct ledger *l, const char *run, const struct replay_item *items, unsigned n, struct err *e)
{
	(void)l, (void)run, (void)items, (void)n, (void)e;
	return true;
}
bool ledger_items_drop(struct ledger *l, const char *run, struct err *e) { (void)l, (void)run, (void)e; return true; }
bool ledger_commit(struct ledger *l, const char *run, const struct ledger_change *c, unsigned n, struct err *e)
{
	(void)l, (void)run, (void)c, (void)n, (void)e;
	return true;
}
bool ledger_touch(struct ledger *l, const char *run, const struct replay_item *const *items, unsigned n, struct err *e)
{
	(void)l, (void)run, (void)items, (void)n, (void)e;
	return true;
}
bool ledger_past(struct ledger *l, const char *msg_id, const char *but, struct ledger_past *p)
{
	(void)l, (void)msg_id, (void)but, (void)p;
	return false;
}
bool ledger_peeked(struct ledger *l, const char *queue_arn, int64_t at_ms, unsigned *sweeps, struct err *e)
{
	(void)l, (void)queue_arn, (void)at_ms, (void)e;
	*sweeps = 1;
	return true;
}

struct audit *audit_open(const char *folder, bool write, struct err *e) { (void)folder, (void)write, (void)e; return &the_audit; }
void audit_close(struct audit *a) { (void)a; }
bool audit_add(struct audit *a, const struct audit_who *who, const char *action, const char *target, const char *outcome, const char *run,
               const char *detail, struct err *e)
{
	(void)a, (void)who, (void)action, (void)target, (void)outcome, (void)run, (void)detail, (void)e;
	return true;
}
bool audit_hold(struct audit *a, struct err *e) { (void)a, (void)e; return true; }
bool audit_sync(struct audit *a, struct err *e) { (void)a, (void)e; return true; }
bool ledger_bought(struct ledger *l, const char *arn, int64_t *was_s) { (void)l, (void)arn, (void)was_s; return false; }
bool ledger_runs(struct ledger *l, struct arena *mem, struct replay_run **runs, unsigned *n, struct err *e)
{
	(void)l, (void)mem, (void)e;
	*runs = NULL;
	*n = 0;
	return true;
}
