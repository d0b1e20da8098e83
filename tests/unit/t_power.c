/* Loss of power and a failing disk under the ledger and the audit log: at every sync the current goes, with several
 * damages each time; at every write, truncation and sync the disk fails, once and for good, in three ways. Afterwards both files are whole,
 * everything that was acknowledged is in them, and nothing that was not asked for; no call was made whose intent is not there, nothing
 * deleted that is not ACCEPTED there; and the work can be finished. A part of the points; all of them with SLUICE_LONG. */
#include "cache/audit.h"
#include "cache/ledger.h"
#include "power_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define RUN "01ARYZ6S410000000000000000"
#define ITEMS 30
#define BATCH 3
#define STAGES 6 /* of a batch: leased, intended, accepted, removed, verified; 0: selected */

static const enum item_state states[STAGES] = { ITEM_SELECTED, ITEM_LEASED,  ITEM_INTENT,
	                                            ITEM_ACCEPTED, ITEM_REMOVED, ITEM_VERIFIED };
static const struct audit_who who = { .user = "me", .host = "here", .mode = "operate" };

static char top[64], folder[80], copy[80];

/* What a run has been told is on the disk, what it has asked for, and what it has done in the world. */
struct life {
	struct ledger *ledger;
	struct audit *audit;
	struct err err;
	bool added, adding;                  /* the run's row */
	bool filled, filling;                /* its messages */
	unsigned stage[ITEMS], asked[ITEMS]; /* acknowledged, and under way */
	unsigned lines, asked_lines;         /* of the audit log */
	bool called[ITEMS], deleted[ITEMS];
};

static int begin(void **state)
{
	(void)state;
	snprintf(top, sizeof top, "%s/t_power.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(top))
		return -1;
	snprintf(folder, sizeof folder, "%s/run", top);
	snprintf(copy, sizeof copy, "%s/copy", top);
	return mkdir(folder, 0700) || mkdir(copy, 0700);
}

static void empty_out(const char *where)
{
	static const char *const names[] = { "ledger.db", "audit.db" }, *const ends[] = { "", "-wal", "-shm", "-journal" };
	char path[200];
	for (unsigned i = 0; i < 2; i++)
		for (unsigned j = 0; j < 4; j++) {
			snprintf(path, sizeof path, "%s/%s%s", where, names[i], ends[j]);
			unlink(path);
		}
}

static int end(void **state)
{
	(void)state;
	empty_out(folder);
	empty_out(copy);
	return rmdir(folder) || rmdir(copy) || rmdir(top);
}

static bool long_run(void)
{
	return getenv("SLUICE_LONG") != NULL;
}

/* ---- the work, in the order that keeps the promise; false: the disk failed, and nothing more is done */

static bool announce(struct life *l, const char *action)
{
	l->asked_lines = l->lines + 1;
	bool ok = audit_add(l->audit, &who, action, "arn:q", "announced", RUN, NULL, &l->err);
	l->lines += ok;
	return ok;
}

static bool to_stage(struct life *l, unsigned from, unsigned stage)
{
	struct ledger_change c[BATCH];
	struct replay_item it[BATCH];
	char id[BATCH][16];
	for (unsigned i = 0; i < BATCH; i++) {
		snprintf(id[i], sizeof id[i], "m%u", from + i);
		it[i] =
		    (struct replay_item){ .seq = from + i + 1, .msg_id = id[i], .handle = "h", .fp = "f", .intent_ms = stage };
		c[i] = (struct ledger_change){ &it[i], states[stage - 1], states[stage], "as it should" };
		l->asked[from + i] = stage;
	}
	if (!ledger_commit(l->ledger, RUN, c, BATCH, &l->err))
		return false;
	for (unsigned i = 0; i < BATCH; i++)
		l->stage[from + i] = stage;
	return true;
}

static bool work_on(struct life *l, unsigned from)
{
	for (unsigned stage = l->stage[from] + 1; stage < STAGES; stage++) {
		bool call = states[stage] == ITEM_INTENT, remove = states[stage] == ITEM_REMOVED;
		if (call && !announce(l, "lambda:Invoke"))
			return false;
		if (remove) {
			if (!announce(l, "sqs:DeleteMessageBatch"))
				return false;
			for (unsigned i = 0; i < BATCH; i++)
				l->deleted[from + i] = true;
		}
		if (!to_stage(l, from, stage))
			return false;
		for (unsigned i = 0; call && i < BATCH; i++)
			l->called[from + i] = true;
	}
	return true;
}

static struct replay_run a_run(void)
{
	return (struct replay_run){ .id = RUN,
		                        .account = "1",
		                        .region = "r",
		                        .source = "sqs:q",
		                        .source_arn = "arn:q",
		                        .source_url = "http://q",
		                        .dest = "arn:f",
		                        .by = "me",
		                        .host = "here",
		                        .rate = 2.5,
		                        .batch = BATCH,
		                        .state = RUN_RUNNING };
}

static bool add_run(struct life *l)
{
	struct replay_run r = a_run();
	l->adding = true;
	l->added = l->added || ledger_run_add(l->ledger, &r, &l->err);
	return l->added;
}

static bool add_items(struct life *l)
{
	struct replay_item it[ITEMS];
	char id[ITEMS][16];
	for (unsigned i = 0; i < ITEMS; i++) {
		snprintf(id[i], sizeof id[i], "m%u", i);
		it[i] = (struct replay_item){ .seq = i + 1, .msg_id = id[i], .handle = "h", .fp = "f" };
	}
	l->filling = true;
	l->filled = l->filled || ledger_items_add(l->ledger, RUN, it, ITEMS, &l->err);
	return l->filled;
}

static bool live(struct life *l)
{
	l->audit = audit_open(folder, true, &l->err);
	l->ledger = l->audit ? ledger_open(folder, true, &l->err) : NULL;
	bool ok = l->ledger && add_run(l) && add_items(l);
	for (unsigned i = 0; ok && i < ITEMS; i += BATCH)
		ok = work_on(l, i);
	return ok;
}

static void leave(struct life *l)
{
	ledger_close(l->ledger);
	audit_close(l->audit);
	l->ledger = NULL;
	l->audit = NULL;
}

/* ---- what is found afterwards */

static char wrong[300]; /* the first thing */
#define WRONG(...)                                                                                                     \
	do {                                                                                                               \
		if (!wrong[0])                                                                                                 \
			snprintf(wrong, sizeof wrong, __VA_ARGS__);                                                                \
	} while (0)

static unsigned stage_of(enum item_state s)
{
	for (unsigned i = 0; i < STAGES; i++)
		if (states[i] == s)
			return i;
	WRONG("state %s was never written", item_state_name(s));
	return 0;
}

static void check_item(const struct life *l, unsigned i, unsigned found)
{
	if (found != l->stage[i] && found != l->asked[i])
		WRONG("message %u is %s; %s was acknowledged, %s asked for", i + 1, item_state_name(states[found]),
		      item_state_name(states[l->stage[i]]), item_state_name(states[l->asked[i]]));
	if (l->called[i] && found < 2)
		WRONG("message %u was sent, and its intent is not on the disk", i + 1);
	if (l->deleted[i] && found < 3)
		WRONG("message %u was deleted, and the disk does not say it was accepted", i + 1);
}

static bool load(const char *where, struct arena *mem, struct replay_item **v, unsigned *n, struct err *e)
{
	struct replay_run r;
	struct ledger *ledger = ledger_open(where, true, e);
	if (!ledger) {
		WRONG("the ledger does not open: %s", e->text);
		return false;
	}
	bool ok = ledger_load(ledger, RUN, mem, &r, v, n, e);
	if (!ok && e->code != ERR_NOTFOUND)
		WRONG("the run does not load: %s", e->text);
	ledger_close(ledger);
	return ok;
}

/* Fills *now with what is there. */
static void check_ledger(const struct life *l, const char *where, struct life *now)
{
	struct err e = { 0 };
	struct arena mem;
	struct replay_item *v = NULL;
	unsigned n = 0, further = 0;
	arena_init(&mem);
	now->added = load(where, &mem, &v, &n, &e);
	if (now->added ? !l->adding : l->added)
		WRONG(now->added ? "a run nobody asked for" : "the run is not there");
	now->filled = n == ITEMS;
	if (n ? n != ITEMS || !l->filling : l->filled)
		WRONG("%u messages are there", n);
	for (unsigned i = 0; i < n && i < ITEMS; i++) {
		now->stage[i] = now->asked[i] = stage_of(v[i].state);
		check_item(l, i, now->stage[i]);
		further += now->stage[i] != l->stage[i];
	}
	if (further % BATCH != 0 || further > BATCH)
		WRONG("%u of %d changes of one transaction are there", further, BATCH);
	arena_clear(&mem);
}

static void check_audit(const struct life *l, const char *where, struct life *now)
{
	struct err e = { 0 };
	char last[65];
	struct audit *audit = audit_open(where, true, &e);
	if (!audit || !audit_verify(audit, &now->lines, last, &e))
		WRONG("the audit log: %s", e.text);
	if (now->lines < l->lines || now->lines > l->asked_lines)
		WRONG("%u lines; %u were acknowledged, %u asked for", now->lines, l->lines, l->asked_lines);
	audit_close(audit);
}

static struct life check(const struct life *l, const char *where)
{
	struct life now = { 0 };
	check_audit(l, where, &now);
	check_ledger(l, where, &now);
	memcpy(now.called, l->called, sizeof now.called);
	memcpy(now.deleted, l->deleted, sizeof now.deleted);
	now.adding = now.added;
	now.filling = now.filled;
	now.asked_lines = now.lines;
	return now;
}

/* ---- power */

struct losses {
	struct life *life;
	unsigned damages, points, looks, wrong;
	bool found_out; /* it is meant to go wrong */
};

static void lose_here(void *ctx)
{
	struct losses *at = ctx;
	at->points++;
	for (unsigned i = 0; i < at->damages; i++, at->looks++) {
		empty_out(copy);
		power_copy(copy);
		check(at->life, copy);
		at->wrong += wrong[0] != '\0';
		if (!at->found_out && wrong[0])
			fprintf(stderr, "sync %u, damage %u: %s\n", at->points, i, wrong);
		wrong[0] = '\0';
	}
}

static struct losses lose_everywhere(unsigned damages, bool deaf)
{
	struct life l = { 0 };
	struct losses at = { .life = &l, .damages = damages, .found_out = deaf };
	power.folder = folder;
	power.no_disk = true;
	power.deaf = deaf;
	power.at_sync = lose_here;
	power.ctx = &at;
	power.lost = power.kept = 0;
	power_install(20261128);
	if (!live(&l))
		fail_msg("%s", l.err.text);
	leave(&l);
	power_uninstall();
	power.at_sync = NULL;
	power.deaf = false;
	check(&l, folder);
	assert_string_equal(wrong, "");
	empty_out(folder);
	at.life = NULL;
	return at;
}

static void the_current_goes(void **state)
{
	(void)state;
	struct losses at = lose_everywhere(long_run() ? 100 : 3, false);
	print_message("power: %u syncs x %u damages: %u disks looked at, %u unsynced writes lost, %u kept; %u wrong\n",
	              at.points, at.damages, at.looks, power.lost, power.kept, at.wrong);
	assert_int_equal(at.wrong, 0);
	assert_true(at.points > 80 && power.lost > 300 && power.kept > 300);
}

/* The same look finds out a disk, or a program, that does not wait for what it wrote. */
static void what_is_not_synced_is_missed(void **state)
{
	(void)state;
	struct losses at = lose_everywhere(2, true);
	assert_true(at.wrong > at.looks / 2);
}

/* ---- a disk that fails */

static const char *const words[] = { "I/O error", "no space left", "no space left" };

/* True when the failure was reached. */
static bool one_failure(unsigned at, enum power_kind kind, bool for_good, unsigned *stopped)
{
	struct life l = { 0 };
	power.acts = power.hits = 0;
	power.fail_at = at;
	power.kind = kind;
	power.for_good = for_good;
	bool ok = live(&l);
	leave(&l);
	bool reached = power.hits > 0;
	*stopped += !ok;
	if (!ok && (!l.err.text[0] || strchr(l.err.text, '\n') || !strstr(l.err.text, ".db: ")))
		fail_msg("act %u, %s: '%s' is no clear line", at, words[kind], l.err.text);
	power.fail_at = 0;
	power_forget();
	struct life now = check(&l, folder);
	if (wrong[0])
		fail_msg("act %u, %s: %s", at, words[kind], wrong);
	if (!live(&now)) /* the space is there again */
		fail_msg("act %u, %s: it does not go on afterwards: %s", at, words[kind], now.err.text);
	leave(&now);
	check(&now, folder);
	assert_string_equal(wrong, "");
	power_forget();
	empty_out(folder);
	return reached;
}

static void the_disk_fails(void **state)
{
	(void)state;
	struct life l = { 0 };
	unsigned tried = 0, reached = 0, stopped = 0, step = long_run() ? 1 : 41;
	power.folder = folder;
	power.no_disk = true;
	power.acts = power.fail_at = 0;
	power_install(7);
	assert_true(live(&l));
	leave(&l);
	power_forget();
	empty_out(folder);
	unsigned acts = power.acts;
	for (unsigned kind = POWER_EIO; kind <= POWER_SHORT; kind++)
		for (unsigned good = 0; good < 2; good++)
			for (unsigned at = 1 + (kind * 2 + good) % step; at <= acts; at += step, tried++)
				reached += one_failure(at, (enum power_kind)kind, good, &stopped);
	power_uninstall();
	print_message(
	    "disk: %u writes, truncations and syncs, each failing in 3 ways, once and for good: %u tried, %u reached, %u "
	    "stopped the work; 0 wrong, all finished afterwards\n",
	    acts, tried, reached, stopped);
	assert_true(reached > tried * 9 / 10 && stopped > reached / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_current_goes),
		cmocka_unit_test(what_is_not_synced_is_missed),
		cmocka_unit_test(the_disk_fails),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
