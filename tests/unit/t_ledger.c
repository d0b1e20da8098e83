/* The ledger and the audit log: what was written is there, whole, after reopening; what is not allowed changes nothing; what was edited is
 * found. */
#include "cache/audit.h"
#include "cache/ledger.h"
#include "core/clock.h"
#include "core/hash.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN "01ARYZ6S410000000000000000"

static char folder[64];

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/t_ledger.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	static const char *const names[] = { "ledger.db", "ledger.db-wal", "ledger.db-shm",
		                                 "audit.db",  "audit.db-wal",  "audit.db-shm" };
	char path[128];
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
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
		                        .tolerance = 0.05,
		                        .batch = 3,
		                        .expected = 2,
		                        .confirmed = true,
		                        .unknown = UNKNOWN_RESEND,
		                        .lease_s = 60,
		                        .created_ms = 5 };
}

static struct ledger *opened(void)
{
	struct err e = { 0 };
	struct ledger *l = ledger_open(folder, true, &e);
	if (!l)
		fail_msg("%s", e.text);
	return l;
}

static struct ledger *with_items(struct replay_item items[2])
{
	struct err e = { 0 };
	struct replay_run r = a_run();
	struct ledger *l = opened();
	items[0] = (struct replay_item){ .seq = 1, .msg_id = "a", .handle = "h", .fp = "f" };
	items[1] = (struct replay_item){ .seq = 2, .msg_id = "b" };
	assert_true(ledger_run_add(l, &r, &e));
	assert_true(ledger_items_add(l, RUN, items, 2, &e));
	return l;
}

static void what_was_written_is_there(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct replay_item in[2], *items;
	struct replay_run r;
	struct arena mem;
	unsigned n;
	struct ledger *l = with_items(in);
	in[0].replay_no = 1;
	const struct ledger_change change = { &in[0], ITEM_SELECTED, ITEM_LEASED, "why" };
	assert_true(ledger_commit(l, RUN, &change, 1, &e));
	ledger_close(l);
	l = ledger_open(folder, false, &e);
	arena_init(&mem);
	assert_true(ledger_load(l, RUN, &mem, &r, &items, &n, &e));
	assert_int_equal(n, 2);
	assert_int_equal(items[0].state, ITEM_LEASED);
	assert_string_equal(items[0].handle, "h");
	assert_null(items[1].handle);
	assert_int_equal(r.unknown, UNKNOWN_RESEND);
	assert_true(r.confirmed && r.expected == 2 && r.batch == 3 && r.rate > 2.4 && r.rate < 2.6);
	struct ledger_event *v;
	assert_true(ledger_events(l, RUN, &mem, &v, &n, &e));
	assert_int_equal(n, 4);
	assert_string_equal(v[3].detail, "why");
	assert_false(ledger_load(l, "01ARYZ6S410000000000000001", &mem, &r, &items, &n, &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	arena_clear(&mem);
	ledger_close(l);
}

/* All or nothing: one message that is not where it should be, and none is moved. */
static void a_stale_change_changes_nothing(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct replay_item in[2], *items;
	struct replay_run r;
	struct arena mem;
	unsigned n;
	struct ledger *l = with_items(in);
	const struct ledger_change changes[] = { { &in[0], ITEM_SELECTED, ITEM_LEASED, NULL },
		                                     { &in[1], ITEM_INTENT, ITEM_ACCEPTED, NULL } };
	assert_false(ledger_commit(l, RUN, changes, 2, &e));
	assert_int_equal(e.code, ERR_DB);
	arena_init(&mem);
	assert_true(ledger_load(l, RUN, &mem, &r, &items, &n, &e));
	assert_int_equal(items[0].state, ITEM_SELECTED);
	arena_clear(&mem);
	ledger_close(l);
}

static void steering(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct replay_item in[2];
	char word[32];
	struct ledger *l = with_items(in), *other = opened();
	assert_false(ledger_wanted(l, RUN, word));
	assert_true(ledger_want(other, RUN, "pause", &e));
	assert_true(ledger_wanted(l, RUN, word));
	assert_string_equal(word, "pause");
	struct replay_run r = a_run();
	r.state = RUN_PAUSED;
	assert_true(ledger_run_save(l, &r, &e)); /* does not take the wish away */
	assert_true(ledger_wanted(l, RUN, word));
	assert_false(ledger_want(other, "nobody", "pause", &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	ledger_close(other);
	ledger_close(l);
}

static void nobody_else_may_read_it(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct stat st;
	char path[128];
	assert_null(ledger_open(folder, false, &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	ledger_close(opened());
	snprintf(path, sizeof path, "%s/ledger.db", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void edit(const char *name, const char *sql)
{
	sqlite3 *db;
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Every column of a message and of the run, one after the other. */
static void every_edit_is_found(void **state)
{
	(void)state;
	static const char *const sets[] = {
		"item SET msg_id = 'x'",       "item SET handle = 'x'",     "item SET lease_until = 1",
		"item SET sent = 1",           "item SET group_id = 'x'",   "item SET source_arn = 'x'",
		"item SET body_sha256 = 'x'",  "item SET bytes = 1",        "item SET fp = 'x'",
		"item SET state = 'GONE'",     "item SET replay_no = 9",    "item SET rejections = 9",
		"item SET resent = 1",         "item SET intent = 1",       "item SET accepted = 1",
		"item SET removed = 1",        "item SET out_id = 'x'",     "item SET code = 'x'",
		"item SET text = 'x'",         "item SET request_id = 'x'", "item SET sum = 'x'",
		"item_event SET seq = 9",      "item_event SET at = 1",     "item_event SET to_state = 'GONE'",
		"item_event SET detail = 'x'", "run SET account = 'x'",     "run SET region = 'x'",
		"run SET source_url = 'x'",    "run SET dest = 'x'",        "run SET mode = 'redrive'",
		"run SET state = 'DONE'",      "run SET manifest = 'x'",    "run SET batch = 9",
		"run SET confirmed = 0",       "run SET expected = 9",      "run SET unknown = 'hold'",
		"run SET lease_s = 9",         "run SET verify_s = 9",      "run SET chain = 'x'",
		"run SET events = 9",          "run SET origin = 'x'",      "run SET fence = 9",
		"run SET handed = 9",          "run SET task = 'x'",        "run SET task_rate = 9",
		"run SET moved = 9",           "run SET to_move = 9",       "item SET place = 'x'",
		"item SET bkey = 'x'",
	};
	for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++) {
		struct err e = { 0 };
		struct replay_item in[2], *items;
		struct replay_run r;
		struct arena mem;
		unsigned n;
		char sql[200];
		ledger_close(with_items(in));
		bool item = strncmp(sets[i], "item SET", 8) == 0, event = strncmp(sets[i], "item_event", 10) == 0;
		snprintf(sql, sizeof sql, "UPDATE %s%s", sets[i], item ? " WHERE seq = 1" : event ? " WHERE n = 2" : "");
		edit("ledger.db", sql);
		struct ledger *l = opened();
		arena_init(&mem);
		if (ledger_load(l, RUN, &mem, &r, &items, &n, &e) || e.code != ERR_DB)
			fail_msg("not found: %s", sql);
		arena_clear(&mem);
		ledger_close(l);
		end(NULL);
		mkdir(folder, 0700);
	}
}

static void the_audit_log(void **state)
{
	(void)state;
	static const char *const edits[] = { "UPDATE audit SET at = 1 WHERE n = 2",
		                                 "UPDATE audit SET os_user = 'x' WHERE n = 2",
		                                 "UPDATE audit SET action = 'x' WHERE n = 2",
		                                 "UPDATE audit SET outcome = 'x' WHERE n = 2",
		                                 "UPDATE audit SET target = 'x' WHERE n = 2",
		                                 "UPDATE audit SET detail = 'x' WHERE n = 2",
		                                 "UPDATE audit SET run_id = 'x' WHERE n = 2",
		                                 "UPDATE audit SET sum = 'x' WHERE n = 2",
		                                 "UPDATE audit SET prev = 'x' WHERE n = 2",
		                                 "DELETE FROM audit WHERE n = 1",
		                                 "DELETE FROM audit WHERE n = 2" };
	const struct audit_who who = { "me", "here", NULL, "1", NULL, "operate" };
	for (unsigned i = 0; i < sizeof edits / sizeof *edits; i++) {
		struct err e = { 0 };
		char last[65];
		unsigned n;
		struct audit *a = audit_open(folder, true, &e);
		for (unsigned k = 0; k < 3; k++)
			assert_true(audit_add(a, &who, "sqs:DeleteMessageBatch", "arn", "announced", NULL, "10", &e));
		assert_true(audit_verify(a, &n, last, &e));
		assert_int_equal(n, 3);
		assert_int_equal(strlen(last), 64);
		audit_close(a);
		edit("audit.db", edits[i]);
		a = audit_open(folder, false, &e);
		if (audit_verify(a, &n, last, &e))
			fail_msg("not found: %s", edits[i]);
		audit_close(a);
		end(NULL);
		mkdir(folder, 0700);
	}
}

int main(void)
{
	hash_init();
	clock_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_there, begin, end),
		cmocka_unit_test_setup_teardown(a_stale_change_changes_nothing, begin, end),
		cmocka_unit_test_setup_teardown(steering, begin, end),
		cmocka_unit_test_setup_teardown(nobody_else_may_read_it, begin, end),
		cmocka_unit_test_setup_teardown(every_edit_is_found, begin, end),
		cmocka_unit_test_setup_teardown(the_audit_log, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
