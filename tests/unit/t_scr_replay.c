/* The replay screens and what guards them: the lease of writing, the menu of writes, the questions that are asked; and the screens, cell for
 * cell, in tests/screens/replay (SLUICE_SCREENS=write writes them anew: read the difference before committing it). */
#include "tui/action.h"
#include "tui/glyph.h"
#include "tui/keys.h"
#include "tui/lease.h"
#include "tui/replay.h"
#include "tui/view.h"
#include "tui/write.h"

#include "core/mem.h"
#include "tests/unit/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define RUN "01KAQV3H5M8Z2X4C6V8B0NRJ42"
#define MS(s) ((int64_t)(PICTURE_NOW + (s)) * 1000)

static struct tui_options options = { .target_name = "lab", .grant = MODE_ADMIN };
static struct view v;
static struct buf shown;

static const char *draw(void)
{
	view_draw(&v);
	buf_clear(&shown);
	buf_init(&shown, 1 << 22);
	canvas_text(&v.canvas, &shown);
	return shown.p ? shown.p : "";
}

static void open_view(int rows, int cols, bool utf8)
{
	view_clear(&v);
	view_init(&v, &options, utf8, utf8 ? GLYPH_BRAILLE : GLYPH_ASCII);
	v.now = PICTURE_NOW;
	v.mono = 1000;
	canvas_size(&v.canvas, rows, cols);
	struct snapshot *s = picture_rich();
	((struct row *)(uintptr_t)&s->rows[2])->feeds = "lambda:orders-loader";
	view_snapshot(&v, s);
	v.overview.rows.id = v.snap->rows[4].id;
}

static void keys(const char *names)
{
	uint32_t key;
	for (unsigned i = 0; (key = key_list(names, i)) != K_NONE; i++)
		view_key(&v, key);
}

static void plain(void)
{
	options = (struct tui_options){ .target_name = "lab", .grant = MODE_ADMIN };
}

/* What the console would send now; false: nothing. */
static bool asked(struct request *rq, uint64_t id)
{
	if (!replay_question(&v, rq))
		return false;
	replay_asked(&v, rq, id);
	return true;
}

static bool asks_for(enum request_kind kind)
{
	struct request rq;
	bool found = false;
	while (asked(&rq, 7))
		found = found || rq.kind == kind;
	return found;
}

/* ---- the lease */

static void test_observe_at_first(void **state)
{
	struct request rq;
	(void)state;
	plain();
	open_view(24, 80, false);
	assert_int_equal(lease_mode(&v), MODE_OBSERVE);
	keys("4 p x r");
	assert_non_null(strstr(v.note, "W opens writing first"));
	while (asked(&rq, 1))
		assert_int_equal(rq.kind, REQUEST_REPLAY_LIST);
	keys("p");
	assert_non_null(strstr(v.note, "I allows inspecting first"));
	assert_false(asks_for(REQUEST_REPLAY_PLAN));
	keys("I p");
	assert_int_equal(lease_mode(&v), MODE_INSPECT);
	assert_true(asks_for(REQUEST_REPLAY_PLAN));
}

static void test_countdown(void **state)
{
	char words[16];
	(void)state;
	plain();
	open_view(24, 80, false);
	keys("W");
	assert_int_equal(lease_left(&v), LEASE_S);
	static const struct {
		int64_t after;
		const char *words;
	} at[] = { { 0, "WRITES 15m" },  { 1, "WRITES 14m" },   { 60, "WRITES 14m" }, { 61, "WRITES 13m" },
		       { 840, "WRITES 1m" }, { 841, "WRITES 59s" }, { 899, "WRITES 1s" }, { 900, "" } };
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		v.mono = 1000 + at[i].after;
		lease_words(&v, words);
		assert_string_equal(words, at[i].words);
		if (at[i].words[0])
			assert_non_null(strstr(draw(), at[i].words)); /* row 1, at 80 columns */
		lease_check(&v);
	}
	assert_int_equal(lease_mode(&v), MODE_OBSERVE);
	assert_non_null(strstr(v.note, "closed again"));
	v.mono = 1001; /* nothing opens it again by itself */
	assert_int_equal(lease_left(&v), 0);
	keys("W W");
	assert_int_equal(lease_mode(&v), MODE_OBSERVE);
}

static void test_bound_to_the_account(void **state)
{
	(void)state;
	plain();
	open_view(24, 80, false);
	keys("I W");
	struct consent c = lease_consent(&v, NULL, false);
	assert_string_equal(c.account, "123456789012");
	struct snapshot *s = picture();
	snprintf(s->target.account, sizeof s->target.account, "999999999999");
	view_snapshot(&v, s);
	assert_int_equal(lease_mode(&v), MODE_OBSERVE);
	assert_non_null(strstr(v.note, "account has changed"));
	assert_int_equal(lease_consent(&v, NULL, true).mode, MODE_OBSERVE);
	view_snapshot(&v, picture()); /* and it stays closed */
	assert_int_equal(lease_mode(&v), MODE_OBSERVE);
}

static void test_grant_is_the_ceiling(void **state)
{
	(void)state;
	static const enum conf_mode grants[] = { MODE_OBSERVE, MODE_INSPECT, MODE_OPERATE, MODE_ADMIN };
	for (unsigned i = 0; i < 4; i++) {
		plain();
		options.grant = grants[i];
		open_view(24, 80, false);
		keys("I");
		assert_int_equal(lease_mode(&v), i >= 1 ? MODE_INSPECT : MODE_OBSERVE);
		keys("W");
		assert_int_equal(lease_mode(&v), i >= 2 ? grants[i] : i == 1 ? MODE_INSPECT : MODE_OBSERVE);
	}
}

static void test_unknown_account_opens_nothing(void **state)
{
	(void)state;
	plain();
	open_view(24, 80, false);
	v.snap->target.account[0] = '\0';
	keys("I W");
	assert_int_equal(lease_mode(&v), MODE_OBSERVE);
	assert_non_null(strstr(v.note, "not known"));
}

static void test_production_wants_its_name(void **state)
{
	(void)state;
	plain();
	options.production = true;
	open_view(24, 80, false);
	keys("W Enter");
	assert_int_equal(lease_left(&v), 0);
	keys("W y Enter");
	assert_int_equal(lease_left(&v), 0);
	keys("W l a b Enter");
	assert_int_equal(lease_left(&v), LEASE_S);
	assert_non_null(strstr(draw(), "WRITES 15m"));
	assert_non_null(strstr(draw(), "123456789012"));
}

static void test_nothing_acts_in_the_past_or_frozen(void **state)
{
	char why[160];
	(void)state;
	plain();
	open_view(24, 80, false);
	keys("W 4 Z x r");
	assert_non_null(strstr(v.note, "frozen"));
	assert_false(asks_for(REQUEST_REPLAY_START));
	keys("Z");
	view_past(&v, picture());
	assert_false(lease_allows(&v, MODE_OPERATE, why, sizeof why));
	assert_non_null(strstr(why, "past"));
	keys("x");
	assert_false(menu_open(&v));
	assert_false(asks_for(REQUEST_REPLAY_START));
}

/* ---- the table of writes */

static void test_every_write(void **state)
{
	char seen[128] = "";
	(void)state;
	for (unsigned i = 0; i < nwrites; i++) {
		const struct write *w = &writes[i];
		plain();
		open_view(40, 120, false);
		assert_int_equal(strlen(w->key), 1);
		assert_null(strchr(seen, w->key[0])); /* a letter is one write's */
		seen[strlen(seen)] = w->key[0];
		assert_true(w->needs >= MODE_OPERATE);
		assert_non_null(strchr(w->op, ':'));
		assert_true(strlen(w->help) <= 27); /* the help screen's column */
		keys("4 x");
		assert_non_null(strstr(draw(), w->help));
		assert_non_null(strstr(shown.p, "W opens writing first"));
		view_key(&v, (unsigned char)w->key[0]);
		assert_false(menu_open(&v) || v.prompt.open || v.replay.act.wanted);
		keys("?");
		canvas_size(&v.canvas, 60, 200);
		assert_non_null(strstr(draw(), w->help));
	}
}

static struct result *list_of(const struct replay_run *run)
{
	struct result *r = xcalloc(1, sizeof *r);
	r->kind = REQUEST_REPLAY_LIST;
	arena_init(&r->replay.mem);
	struct replay_run *runs = arena_array(&r->replay.mem, 2, sizeof *runs);
	runs[0] = *run;
	runs[1] = *run;
	snprintf(runs[1].id, sizeof runs[1].id, "01KAQT0000000000000000QW7T");
	runs[1].state = RUN_DONE;
	runs[1].reason = NULL;
	runs[1].created_ms = MS(-90000);
	r->replay.runs = runs;
	r->replay.nruns = 2;
	return r;
}

static const struct replay_run a_run = { .id = RUN,
	                                     .account = "123456789012",
	                                     .region = "eu-west-1",
	                                     .source = "sqs:orders-load-dlq",
	                                     .source_arn = "arn:aws:sqs:eu-west-1:123456789012:orders-load-dlq",
	                                     .dest = "arn:aws:lambda:eu-west-1:123456789012:function:orders-loader",
	                                     .mode = REPLAY_INVOKE,
	                                     .state = RUN_RUNNING,
	                                     .by = "ops",
	                                     .host = "bastion-2",
	                                     .manifest = "ab",
	                                     .rate = 20,
	                                     .tolerance = 0.05,
	                                     .batch = 10,
	                                     .confirmed = true,
	                                     .expected = 1284,
	                                     .lease_s = 360,
	                                     .created_ms = MS(-50),
	                                     .started_ms = MS(-46) };

/* Enter confirms nothing: neither y's question nor a number. */
static void test_enter_confirms_nothing(void **state)
{
	struct request rq;
	(void)state;
	plain();
	open_view(24, 80, false);
	keys("W 4");
	while (asked(&rq, 1)) {
	}
	assert_true(replay_answer(&v, list_of(&a_run)));
	keys("x c");
	assert_true(menu_open(&v));
	keys("Enter");
	assert_false(menu_open(&v) || asks_for(REQUEST_REPLAY_RESUME));
	keys("x c n");
	assert_false(asks_for(REQUEST_REPLAY_RESUME));
	keys("x c y");
	assert_true(replay_question(&v, &rq));
	assert_int_equal(rq.kind, REQUEST_REPLAY_RESUME);
	assert_string_equal(rq.replay.run, RUN);
	assert_int_equal(rq.consent.mode, MODE_ADMIN);
	assert_string_equal(rq.consent.account, "123456789012");
}

static struct result *frozen(uint64_t id)
{
	struct result *r = xcalloc(1, sizeof *r);
	r->kind = REQUEST_REPLAY_START;
	r->id = id;
	arena_init(&r->replay.mem);
	r->replay.has_run = true;
	r->replay.run = a_run;
	r->replay.run.state = RUN_FROZEN;
	r->ask = GATE_ASK_COUNT;
	r->question =
	    xstrdup("replay 1284 messages of sqs:orders-load-dlq through function orders-loader at most 20 a second");
	r->name = xstrdup("1284");
	err_set(&r->err, ERR_GATE, "lambda:InvokeFunction", "not confirmed: nothing was sent");
	return r;
}

static void begin_start(void)
{
	struct request rq;
	plain();
	open_view(24, 80, false);
	keys("W 4 x r");
	assert_true(replay_question(&v, &rq));
	assert_int_equal(rq.kind, REQUEST_REPLAY_START);
	assert_string_equal(rq.replay.through, "orders-loader");
	assert_null(rq.consent.typed);
	replay_asked(&v, &rq, 5);
	assert_true(replay_answer(&v, frozen(5)));
}

static void test_the_number_is_typed(void **state)
{
	struct request rq;
	static const char *const wrong[] = { "Enter", "y Enter", "1 2 8 Enter", "1 2 8 4 5 Enter", "1 2 8 4 Esc" };
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		begin_start();
		assert_true(v.prompt.open);
		keys(wrong[i]);
		assert_false(asks_for(REQUEST_REPLAY_START));
	}
	begin_start();
	v.mono += LEASE_S; /* it took too long: the lease is over */
	keys("1 2 8 4 Enter");
	assert_false(asks_for(REQUEST_REPLAY_START));
	begin_start();
	keys("1 2 8 4 Enter");
	assert_true(replay_question(&v, &rq));
	assert_int_equal(rq.kind, REQUEST_REPLAY_START);
	assert_string_equal(rq.replay.run, RUN);
	assert_string_equal(rq.consent.typed, "1284");
}

/* Who has gone elsewhere meanwhile is not asked: keys that are meant for something else must not answer. */
static void test_no_question_over_other_work(void **state)
{
	struct request rq;
	(void)state;
	plain();
	open_view(24, 80, false);
	keys("W 4 x r");
	assert_true(asked(&rq, 5));
	keys("1");
	assert_true(replay_answer(&v, frozen(5)));
	assert_false(v.prompt.open);
	assert_non_null(strstr(v.note, "waits for its number"));
}

static void test_leaving_is_said_first(void **state)
{
	struct request rq;
	(void)state;
	begin_start();
	keys("1 2 8 4 Enter");
	assert_true(asked(&rq, 6));
	keys("1 q");
	assert_false(v.quit);
	assert_non_null(strstr(v.note, "q again"));
	keys("q");
	assert_true(v.quit);
}

/* ---- the screens */

static struct result *plan(void)
{
	static const char *const warnings[] = {
		"the source queue still receives messages: replayed and new ones interleave",
		"the credentials expire in 42m, before the run would end",
	};
	struct result *r = xcalloc(1, sizeof *r);
	r->kind = REQUEST_REPLAY_PLAN;
	arena_init(&r->replay.mem);
	struct replay_result *p = &r->replay;
	p->run = a_run;
	p->run.id[0] = '\0';
	p->nitems = 1291;
	p->seconds = 1291 / 20.0;
	p->sweeps = 2;
	p->warnings = arena_array(&p->mem, 2, sizeof *p->warnings);
	memcpy(p->warnings, warnings, sizeof warnings);
	p->nwarnings = 2;
	p->groups = arena_array(&p->mem, 3, sizeof *p->groups);
	p->groups[0] = (struct replay_group){
		"a1", "JSON {currency,order_id,shipped_at}", 1022, MS(-262800), MS(-3600), MS(82800), "m-51c0", 0, 0, 0
	};
	p->groups[1] = (struct replay_group){
		"b2", "Task timed out after 60.00 seconds", 262, MS(-97200), MS(-7200), MS(248400), "m-9e02", 12, 0, 0
	};
	p->groups[2] = (struct replay_group){ "c3", "not JSON: \x1b[2Jbroken", 7, 0, 0, 0, "m-77a4", 0, 0, 0 };
	p->ngroups = 3;
	return r;
}

enum moment { RUNNING, CRASHED, PAUSED_FIFO, ENDED };

static struct result *run_at(enum moment m)
{
	static char ids[40][40];
	struct result *r = xcalloc(1, sizeof *r);
	r->kind = REQUEST_REPLAY_SHOW;
	arena_init(&r->replay.mem);
	struct replay_result *p = &r->replay;
	p->has_run = true;
	p->run = a_run;
	p->driven = m == RUNNING;
	p->nitems = 40;
	p->items = arena_array(&p->mem, 40, sizeof *p->items);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(ids[i], sizeof ids[i], "5f1c0a7e-0000-4000-8000-0000000000%02u", i);
		p->items[i] = (struct replay_item){
			.seq = i + 1, .msg_id = ids[i], .sent_ms = MS(-262800 + 60 * (int)i), .state = ITEM_SELECTED
		};
		struct replay_item *it = &p->items[i];
		if (i < 24 || m == ENDED) {
			it->state = ITEM_VERIFIED;
			it->intent_ms = MS(-14 + (int)i / 2);
		} else if (i < 34 && m != PAUSED_FIFO) {
			it->state = ITEM_INTENT;
			it->intent_ms = MS(0);
		}
	}
	p->items[4].state = ITEM_POISON;
	p->items[4].rejections = 2;
	p->items[4].code = "InvalidTimestamp";
	p->items[4].text = "invalid timestamp \"0000-00-00\"";
	p->items[9].resent = true;
	if (m == PAUSED_FIFO || m == ENDED)
		p->items[11].state = ITEM_UNKNOWN;
	if (m == PAUSED_FIFO) {
		p->run.fifo = true;
		p->run.state = RUN_PAUSED;
		p->run.reason =
		    "2 of 26 results failed: with 95 % confidence more than 5 % would; look at what fails, then resume";
		p->items[30].state = ITEM_HELD;
		p->items[30].code = "BLOCKED";
		p->items[30].text = "an earlier message of its group failed";
	}
	p->run.state = m == ENDED ? RUN_DONE : p->run.state;
	replay_count(p->items, p->nitems, &p->counts);
	return r;
}

static void to_groups(void)
{
	struct request rq;
	keys("I 4 p");
	while (asked(&rq, 3)) {
	}
	replay_answer(&v, plan());
	replay_answer(&v, list_of(&a_run));
	keys("j");
	v.note[0] = '\0';
}

static void to_confirm(void)
{
	struct request rq;
	to_groups();
	keys("W x r");
	while (asked(&rq, 5)) {
	}
	replay_answer(&v, frozen(5));
}

static void to_run(enum moment m)
{
	struct request rq;
	keys("W 4");
	while (asked(&rq, 3)) {
	}
	replay_answer(&v, list_of(&a_run));
	keys("Enter");
	while (asked(&rq, 4)) {
	}
	struct result *r = run_at(m);
	r->id = 4;
	replay_answer(&v, r);
	v.note[0] = '\0';
}

static void to_observe(void)
{
	keys("4");
}
static void to_running(void)
{
	to_run(RUNNING);
}
static void to_crashed(void)
{
	to_run(CRASHED);
}
static void to_paused(void)
{
	to_run(PAUSED_FIFO);
}
static void to_ended(void)
{
	to_run(ENDED);
}
static void to_menu(void)
{
	keys("4 x");
}

static const struct {
	const char *name;
	void (*go)(void);
	bool everywhere;
} screens[] = { { "groups", to_groups, true },    { "confirm", to_confirm, true }, { "run", to_running, true },
	            { "crashed", to_crashed, true },  { "paused", to_paused, true },   { "ended", to_ended, false },
	            { "observe", to_observe, false }, { "menu", to_menu, false } };

static void compare(const char *path, const char *drawn)
{
	const char *mode = getenv("SLUICE_SCREENS");
	char was[65536];
	FILE *f;
	if (mode && strcmp(mode, "write") == 0) {
		assert_non_null(f = fopen(path, "w"));
		fputs(drawn, f);
		fclose(f);
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("no expected screen %s", path);
	was[fread(was, 1, sizeof was - 1, f)] = '\0';
	fclose(f);
	if (strcmp(was, drawn) != 0)
		fail_msg("%s\n%s", path, drawn);
}

static void test_screens(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 }, { 60, 200 } };
	(void)state;
	plain();
	options.target_name = "lab";
	for (size_t i = 0; i < sizeof screens / sizeof *screens; i++)
		for (unsigned s = 0; s < 3; s++)
			for (unsigned utf8 = 0; utf8 < 2; utf8++) {
				char path[128];
				if (!screens[i].everywhere && (s || utf8))
					continue;
				open_view(sizes[s][0], sizes[s][1], utf8);
				screens[i].go();
				snprintf(path, sizeof path, "tests/screens/replay/%s-%dx%d%s.txt", screens[i].name, sizes[s][1],
				         sizes[s][0], utf8 ? "" : "-ascii");
				compare(path, draw());
			}
}

/* Whatever stands there, however small the screen. */
static void test_every_size(void **state)
{
	(void)state;
	plain();
	for (size_t i = 0; i < sizeof screens / sizeof *screens; i++)
		for (int rows = 12; rows < 30; rows++)
			for (int cols = 40; cols < 90; cols += 7) {
				open_view(rows, cols, false);
				screens[i].go();
				keys("j j k G g Ctrl-D Ctrl-U");
				draw();
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_observe_at_first),
		cmocka_unit_test(test_countdown),
		cmocka_unit_test(test_bound_to_the_account),
		cmocka_unit_test(test_grant_is_the_ceiling),
		cmocka_unit_test(test_unknown_account_opens_nothing),
		cmocka_unit_test(test_production_wants_its_name),
		cmocka_unit_test(test_nothing_acts_in_the_past_or_frozen),
		cmocka_unit_test(test_every_write),
		cmocka_unit_test(test_enter_confirms_nothing),
		cmocka_unit_test(test_the_number_is_typed),
		cmocka_unit_test(test_no_question_over_other_work),
		cmocka_unit_test(test_leaving_is_said_first),
		cmocka_unit_test(test_screens),
		cmocka_unit_test(test_every_size),
	};
	int failed = cmocka_run_group_tests_name("scr_replay", tests, NULL, NULL);
	view_clear(&v);
	buf_clear(&shown);
	return failed;
}
