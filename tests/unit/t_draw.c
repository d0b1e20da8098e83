/* The screens without a terminal: a snapshot in, cells out. */
#include "tui/action.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/keys.h"
#include "tui/prompt.h"
#include "tui/view.h"

#include "core/mem.h"
#include "core/model/relation.h"
#include "core/text.h"
#include "tests/unit/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct tui_options options = { .target_name = "prod" };
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

static const char *line(int y)
{
	static char out[2048];
	const char *p = draw();
	while (y-- > 0)
		p = strchr(p, '\n') + 1;
	snprintf(out, sizeof out, "%.*s", (int)strcspn(p, "\n"), p);
	return out;
}

static void open_view(int rows, int cols, bool utf8, struct snapshot *s)
{
	view_clear(&v);
	view_init(&v, &options, utf8, utf8 ? GLYPH_BRAILLE : GLYPH_ASCII);
	v.now = PICTURE_NOW;
	canvas_size(&v.canvas, rows, cols);
	if (s)
		view_snapshot(&v, s);
}

static void picture_worse(struct snapshot *s, unsigned row)
{
	struct row *r = (struct row *)(uintptr_t)&s->rows[row];
	s->count[r->health]--;
	s->count[r->health = HEALTH_ALARM]++;
}

static void press(const char *keys)
{
	uint32_t key;
	for (unsigned i = 0; (key = key_list(keys, i)) != K_NONE; i++)
		view_key(&v, key);
}

static bool shows(const char *text)
{
	return strstr(draw(), text) != NULL;
}

/* ---- cells */

static void test_text_stays_in_its_field(void **state)
{
	(void)state;
	struct canvas c;
	canvas_init(&c, true);
	canvas_size(&c, 3, 20);
	assert_int_equal(draw_str(&c, 1, 15, 10, STYLE_NORMAL, "longer than that"), 5);
	assert_int_equal(draw_str(&c, -1, 0, 10, STYLE_NORMAL, "x") + draw_str(&c, 3, 0, 10, STYLE_NORMAL, "x"), 0);
	assert_int_equal(draw_str(&c, 0, -1, 10, STYLE_NORMAL, "x") + draw_str(&c, 0, 20, 10, STYLE_NORMAL, "x"), 0);
	assert_int_equal(draw_str(&c, 0, 19, 1, STYLE_NORMAL, "漢"), 0); /* half of it does not exist */
	assert_int_equal(draw_str(&c, 0, 0, 5, STYLE_NORMAL, "漢字漢"), 4);
	draw_str(&c, 0, 1, 1, STYLE_NORMAL, "x"); /* the other half of what it hits goes too */
	draw_right(&c, 2, 0, 6, STYLE_NORMAL, "1,291");
	draw_right(&c, 2, 8, 3, STYLE_NORMAL, "1,291");
	draw_name(&c, 2, 12, 8, STYLE_NORMAL, "orders-enrich-fail");
	struct buf b;
	buf_init(&b, 4096);
	canvas_text(&c, &b);
	assert_string_equal(b.p, " x字\n               longe\n 1,291  ### orde…ail\n");
	buf_clear(&b);
	canvas_clear(&c);
}

static void test_without_utf8_nothing_but_ascii(void **state)
{
	(void)state;
	struct canvas c;
	canvas_init(&c, false);
	canvas_size(&c, 1, 20);
	assert_int_equal(draw_str(&c, 0, 0, 20, STYLE_NORMAL, "aé漢e\xCC\x81z"), 6);
	struct buf b;
	buf_init(&b, 4096);
	canvas_text(&c, &b);
	assert_string_equal(b.p, "a????z\n");
	buf_clear(&b);
	canvas_clear(&c);
}

/* Marks without end on one letter, and what the cell cannot hold, take no more than their cell. */
static void test_flood_of_marks_takes_one_cell(void **state)
{
	(void)state;
	struct canvas c;
	char flood[2 + 2 * 600 + 2] = "a";
	for (int i = 0; i < 600; i++)
		memcpy(flood + 1 + 2 * i, "\xCC\x81", 2);
	memcpy(flood + 1 + 2 * 600, "b", 2);
	canvas_init(&c, true);
	canvas_size(&c, 1, 4);
	assert_int_equal(draw_str(&c, 0, 0, 4, STYLE_NORMAL, flood), 2);
	assert_true(cell_bytes(&c.cell[0]) <= CELL_BYTES && c.cell[0].s[0] == 'a' && c.cell[1].s[0] == 'b');
	canvas_clear(&c);
}

/* ---- screens */

static void test_overview_80x24_ascii(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	assert_string_equal(draw(), "prod 123456789012 eu-west-1   stages !!2 !1 ??2 ~1 ok1 RO data 1m 03:14:42Z +4s\n"
	                            "--------------------------------------------------------------------------------\n"
	                            "!! orders-ingest  oldest 6h09m, growing 1.00 s/s\n"
	                            "!! orders-enrich  error rate 7.8 % > 5 %, 3 of 3 points                  +5 more\n"
	                            "-- STAGES  orders --------------------------------------------------------------\n"
	                            "    STAGE           KIND      IN/s  OUT/s  ERR% BACKLOG OLDEST  LOSS IN LAST 8m\n"
	                            ">!! orders-ingest   kinesis    412    361     -       -  6h09m        - ###@@@@@\n"
	                            " !! orders-enrich   lambda     361    333   7.8       -      -        - ###@@@@@\n"
	                            "    orders-load     sqs        361    360     -     214    14s        - ###@@@@@\n"
	                            " ~  orders-loader   lambda    ~360   ~359  ~0.2       -      -        - ###@@@@@\n"
	                            " !  orders-load-dlq sqs dlq    0.4      0     -   1,291  3d02h        - ###@@@@@\n"
	                            " ?? orders-curate   lambda       ?      ?     ?       -      -        - ........\n"
	                            "-- ALARMS --------------------- 2 not ok, 3 in all, worst first, for how long --\n"
	                            " !! HighErrorRate   orders-enrich        ErrorRate > 5             ALARM     33m\n"
	                            " ?? CurateHeartbeat orders-curate        RunCompleted < 1          no data   44m\n"
	                            "    AnyOfThem                            ALARM(HighEr~teHeartbeat) ok      1d00h\n"
	                            "\n\n\n\n\n\n"
	                            "--------------------------------------------------------------------------------\n"
	                            "Enter open  Tab pane  n problem  2 flow  e errors  / filter  ? help  q quit\n");
}

/* Everything that a snapshot may hold. */
static void test_overview_rich(void **state)
{
	(void)state;
	open_view(24, 80, false, picture_rich());
	assert_string_equal(line(2), "!  DATA LOSS  first message expires 05:14Z .. 01:15Z+1, in 2h..22h  orders-load-");
	assert_string_equal(line(3), "!! orders-ingest  oldest 6h09m, growing 1.00 s/s                         +5 more");
	assert_non_null(strstr(line(6), "6h09m   17h50m"));
	assert_non_null(strstr(line(10), "3d02h  2h..22h"));
	assert_true(shows("-- WHAT CHANGED ------------------------------------------------------ 3, UTC --\n"
	                  " 20:51..20:58Z lambda orders-enrich alias live v41 -> v42\n"
	                  " 21:05Z        lambda orders-enrich UpdateAlias           by dev\n"
	                  " 02:41Z        alarm  HighErrorRate OK -> ALARM\n"));
	open_view(40, 120, false, picture_rich());
	assert_non_null(strstr(line(0), "$0.55/day"));
	assert_string_equal(line(3), "!! DATA LOSS  17h50m  first record expires 21:05Z     orders-ingest shard 3: age "
	                             "6h09m, growing 1.00 s/s, retention 24h");
	assert_true(shows("\n ingest !! 6h09m ==361==> enrich !!\n ` holds back 51/s\n"
	                  " load 214 --360--> loader ~\n"));
	assert_true(shows("DlqAge          orders-load-dlq      Approximate~ge > 1d00h   3d02h ALARM     33m"));
	press("f");
	assert_non_null(strstr(line(0), "  orders  "));
	assert_true(shows("\n `----> load-dlq ! 1,291\n curate ??\n"));
	press("T T");
	assert_true(shows(" 33m ago"));
}

/* On one pipeline's screen its own alarms stand, and how many there are beside them. */
static void test_alarms_of_one_pipeline(void **state)
{
	(void)state;
	open_view(24, 80, false, picture_rich());
	assert_true(shows("2 not ok, 3 in all"));
	press("f");
	assert_true(shows("1 not ok, 1 on this pipeline, 2 others: 3 --\n !! DlqAge "));
	assert_false(shows("CurateHeartbeat"));
	press("3");
	assert_true(shows("CurateHeartbeat"));
	struct snapshot *s = picture();
	open_view(24, 80, false, s);
	press("f");
	assert_true(shows("none watches this pipeline, 3 others: 3"));
}

static void test_what_the_budget_has_slowed_down_says_so(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	struct row *rows = (struct row *)(uintptr_t)s->rows;
	rows[2].slowed = rows[0].slowed = true;
	rows[2].every = rows[0].every = 900;
	open_view(40, 200, false, s);
	assert_true(shows("polled every 15m: budget"));
	assert_true(shows("1.00 s/s; polled every 15m: budget"));
	open_view(24, 80, false, picture());
	assert_false(shows("budget"));
}

/* The account stands in row 1 at every size, and so do the counts. */
static void test_row_1_at_every_width(void **state)
{
	(void)state;
	for (int cols = LEAST_COLS; cols <= 220; cols++) {
		open_view(24, cols, cols % 2, picture());
		const char *top = line(0);
		assert_true(strstr(top, "123456789012 eu-west-1") && strstr(top, "!!2"));
		assert_true(cols < 60 || strstr(top, "03:14:42Z"));
		assert_true(cols < 66 || strstr(top, "RO") || strstr(top, "READ-ONLY"));
	}
}

/* What could not be asked is told beside the stages, and is no stage. */
static void test_failed_calls_are_counted(void **state)
{
	(void)state;
	open_view(60, 200, false, picture());
	assert_non_null(strstr(line(0), "??1 UNKNOWN  ~1 STALE  ok 1  ??1 call failed  of 6 stages"));
	assert_true(
	    shows("?? lambda:ListFunctions  denied, allow lambda:ListFunctions: User: arn:aws:iam::123456789012:user/ops"));
}

/* Old alarms are not ok, and none read is not none there. */
static void test_alarms_that_were_not_read(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	s->alarms_current = false;
	s->alarms_at = PICTURE_NOW - 600;
	open_view(24, 80, false, s);
	assert_non_null(strstr(line(12), "3 as read 10m ago: not read since"));
	assert_non_null(strstr(line(13), "?? HighErrorRate"));
	assert_non_null(strstr(line(15), "~  AnyOfThem"));
}

static void test_endpoint_and_production_are_marked(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	snprintf(s->target.endpoint, sizeof s->target.endpoint, "http://127.0.0.1:4566");
	open_view(24, 80, false, s);
	assert_non_null(strstr(line(0), "ENDPOINT"));
	canvas_size(&v.canvas, 24, 120);
	assert_non_null(strstr(line(0), "ENDPOINT 127.0.0.1:4566"));
	static const struct tui_options live = { .target_name = "main", .production = true };
	v.options = &live;
	assert_non_null(strstr(line(0), "PROD"));
	for (int x = 0; x < 120; x++)
		assert_true(v.canvas.cell[x].style & STYLE_REVERSE);
	static const struct tui_options demo = { .target_name = "demo", .demo = "calm" };
	v.options = &demo;
	assert_non_null(strstr(line(0), "DEMO calm"));
	assert_null(strstr(line(0), "ENDPOINT"));
}

static void test_one_cause_is_said_once(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	struct api_health *apis = arena_array(&s->mem, 3, sizeof *apis);
	static const char *const ops[] = { "credentials", "sqs:ListQueues", "lambda:ListFunctions" };
	for (unsigned i = 0; i < 3; i++) {
		apis[i].op = ops[i];
		err_set(&apis[i].last, ERR_AUTH, ops[i], "nobody is logged in; run: aws sso login --sso-session corp");
	}
	s->apis = apis;
	s->napis = 3;
	s->nalarms = 0;
	for (unsigned i = 0; i < s->nrows; i++)
		((struct row *)(uintptr_t)&s->rows[i])->health = HEALTH_OK;
	open_view(24, 80, false, s);
	assert_true(shows("?? credentials  nobody is logged in; run: aws sso login --sso-session corp\n"));
	assert_false(shows("ListQueues"));
}

static void test_plain_http_is_marked(void **state)
{
	(void)state;
	static const struct {
		const char *url, *shows;
	} cases[] = {
		{ "http://10.0.0.7:4566", "PLAIN HTTP 10.0.0.7:4566" },
		{ "http://127.0.0.1.evil.example", "PLAIN HTTP 127.0.0.1.evil.example" },
		{ "http://localhost:4566", "ENDPOINT localhost:4566" },
		{ "http://127.0.0.1", "ENDPOINT 127.0.0.1" },
		{ "http://localhost.evil.example", "PLAIN HTTP localhost.evil.example" },
		{ "SQS=http://emulator:1", "PLAIN HTTP SQS=http://emulator:1" },
		{ "https://vpce.example", "ENDPOINT vpce.example" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct snapshot *s = picture();
		snprintf(s->target.endpoint, sizeof s->target.endpoint, "%s", cases[i].url);
		open_view(24, 200, true, s);
		if (!strstr(line(0), cases[i].shows))
			fail_msg("%s: %s", cases[i].url, line(0));
	}
}

static void test_keys_that_end_soon_are_in_row_1(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	s->credential = (struct credential){ .state = CREDENTIAL_READY, .expires = PICTURE_NOW + 3601 };
	open_view(24, 80, true, s);
	assert_null(strstr(line(0), "keys"));
	v.now += 60;
	assert_non_null(strstr(line(0), "keys 59m"));
	v.now += 4000;
	assert_non_null(strstr(line(0), "keys 0s"));
	s->credential = (struct credential){ .state = CREDENTIAL_FAILED };
	assert_non_null(strstr(line(0), "NO KEYS"));
	s->credential = (struct credential){ .state = CREDENTIAL_READY }; /* keys without an end */
	assert_null(strstr(line(0), "keys"));
}

static void test_an_mfa_code_is_typed_unseen(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	open_view(24, 80, true, s);
	press("A");
	assert_false(v.prompt.open);
	assert_true(shows("no MFA code is wanted"));
	s->credential = (struct credential){ .state = CREDENTIAL_WANTS_CODE, .mfa_serial = "arn:aws:iam::1:mfa/me" };
	assert_non_null(strstr(line(0), "A: MFA CODE"));
	press("A 9 8 7 6 5");
	assert_true(shows("MFA code: *****"));
	assert_false(shows("98765"));
	press("Enter");
	assert_true(shows("a code is six digits; nothing was sent"));
	assert_string_equal(v.code, "");
	press("A 1 2 3 4 5 6 Esc");
	assert_string_equal(v.code, "");
	assert_string_equal(v.prompt.text, "");
	press("A 1 2 3 4 5 6 Enter");
	assert_string_equal(v.code, "123456"); /* tui.c hands it over and wipes it */
	assert_string_equal(v.prompt.text, "");
	memset(v.code, 0, sizeof v.code);
	s->credential =
	    (struct credential){ .state = CREDENTIAL_READY, .expires = v.now + 600, .mfa_serial = "arn:aws:iam::1:mfa/me" };
	press("A"); /* before the end is better than after it */
	assert_true(v.prompt.open);
	press("Esc");
	s->credential.expires += 86400;
	press("A");
	assert_false(v.prompt.open);
	press("/ o r d");
	assert_true(shows("/ord")); /* the other prompt is as it was */
	press("Esc");
}

static void test_first_frame_needs_no_snapshot(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		open_view(24 + i * 18, 80 + i * 60, i > 0, NULL);
		assert_true(shows("asking AWS..."));
		assert_false(shows("ok"));
		press("Enter Tab n N s S ] [ c Left Right r V ? j G");
		draw();
	}
}

/* What comes from the history alone is marked, each value of it. */
static void test_cached_values_are_marked(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	s->phase = PHASE_CACHED;
	open_view(24, 80, false, s);
	assert_non_null(strstr(line(6), "~412   ~361     -       - ~6h09m"));
	assert_non_null(strstr(line(8), "~361   ~360     -    ~214   ~14s"));
	press("Enter");
	assert_true(shows("~24720"));
}

static void test_missing_point_is_not_idle(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	struct reading *rd = (struct reading *)(uintptr_t)s->rows[2].by_role[ROLE_BACKLOG];
	rd->value = NAN; /* a queue's depth is always there to be read */
	open_view(24, 80, false, s);
	assert_non_null(strstr(line(8), "361    360     -       ?    14s"));
}

static void test_small_and_too_small(void **state)
{
	(void)state;
	open_view(12, 40, false, picture());
	assert_string_equal(line(0), "123456789012 eu-west-1 !!2 !1 ??2 ~1 ok1");
	assert_string_equal(line(5), ">!! orders~ngest       -  6h09m        -");
	static const char message[] = "sluice: 80x24 wanted, 40x12 needed";
	for (int rows = 1; rows < 14; rows++)
		for (int cols = 1; cols < 44; cols++) {
			open_view(rows, cols, rows % 2, picture());
			bool small = rows < LEAST_ROWS || cols < LEAST_COLS;
			size_t seen = cols < 34 ? (size_t)cols : 34;
			seen -= message[seen - 1] == ' ';
			assert_int_equal(strncmp(line(0), message, seen) == 0, small);
			press("Enter");
			draw();
			press("?");
			draw();
		}
}

/* A refresh that turns the rows round leaves the selected one selected. */
static void test_selection_is_by_identity(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	press("j j j j");
	assert_int_equal(line(10)[0], '>');
	struct snapshot *s = picture();
	struct row *rows = (struct row *)(uintptr_t)s->rows;
	struct row first = rows[0];
	rows[0] = rows[4];
	rows[4] = first;
	view_snapshot(&v, s);
	assert_non_null(strstr(line(6), "> ! orders-load-dlq") ? "" : strstr(line(6), ">!  orders-load-dlq"));
	press("Enter");
	assert_true(shows("SQS queue (dead letters)  orders-load-dlq  warning"));
}

static void test_problems_one_after_another(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	static const int forward[] = { 7, 10, 11, 6, 7 };
	for (size_t i = 0; i < sizeof forward / sizeof *forward; i++) {
		press("n");
		assert_int_equal(line(forward[i])[0], '>');
	}
	press("N");
	assert_int_equal(line(6)[0], '>');
}

static void test_filter(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	press("/ l o a d Space ! d l q");
	assert_true(shows("/load !dlq  2 of 6"));
	assert_string_equal(line(23), "/load !dlq   2 of 6   Enter keep  Esc cancel");
	press("Enter");
	assert_false(shows("orders-curate   lambda"));
	assert_true(shows("orders-loader") && shows("orders-load "));
	press("/ Ctrl-U x x");
	assert_true(shows("nothing matches the filter"));
	press("Esc");
	assert_true(shows("/load !dlq  2 of 6"));
	press("Esc");
	assert_true(shows("orders-curate   lambda"));
	press("/ A L A R M Enter");
	assert_true(shows("2 of 6"));
	press("/ Ctrl-U s q s Backspace Backspace Enter");
	assert_string_equal(v.overview.filter, "s");
}

static void test_filter_by_column(void **state)
{
	(void)state;
	static const struct {
		const char *filter;
		unsigned rows;
	} cases[] = {
		{ "kind:sqs", 2 },
		{ "!kind:sqs", 4 },
		{ "state:alarm", 2 },
		{ "backlog:>1k", 1 },
		{ "backlog:-", 4 },
		{ "err:>5%", 1 },
		{ "oldest:>6h", 2 },
		{ "in:<1", 1 },
		{ "loss:<12h", 1 },
		{ "!loss:-", 2 },
		{ "stage:load kind:lambda", 1 },
		{ "pipeline:orders", 6 },
		{ "note:dead-letter", 1 },
		{ "backlog:", 6 },
		{ "backlog:>", 2 },
		{ "nosuch:thing", 0 },
		{ "KIND:SQS", 2 },
		{ "backlog:1291", 1 },
	};
	open_view(24, 80, false, picture_rich());
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		overview_filter(&v, cases[i].filter);
		if (v.overview.shown != cases[i].rows)
			fail_msg("%s: %u rows", cases[i].filter, v.overview.shown);
	}
}

static void test_marks_and_pins(void **state)
{
	(void)state;
	open_view(24, 80, false, picture_rich());
	press("Space Space");
	assert_non_null(strstr(line(8), ">   orders-load     sqs"));
	assert_int_equal(line(6)[3], '*');
	assert_int_equal(line(7)[3], '*');
	press("j j *"); /* the dead-letter queue */
	assert_true(shows("pinned on top"));
	assert_non_null(strstr(line(6), "orders-load-dlq"));
	view_snapshot(&v, picture_rich());
	assert_non_null(strstr(line(6), "orders-load-dlq"));
	press("*");
	assert_non_null(strstr(line(10), "orders-load-dlq"));
	press("y");
	assert_true(v.copy);
	assert_non_null(strstr(v.copied.p, "| orders-enrich | lambda | alarm | 361 | 333 | 7.8 | - | - | - |"));
	assert_null(strstr(v.copied.p, "| orders-load |")); /* the marked ones alone */
	press(": u n m Enter");
	press("y");
	assert_non_null(strstr(v.copied.p, "| orders-load |"));
}

static void type(const char *text)
{
	for (; *text; text++)
		view_key(&v, (uint32_t)(unsigned char)*text);
}

static void test_commands(void **state)
{
	(void)state;
	open_view(24, 80, false, picture_rich());
	type(":so");
	press("Tab");
	assert_string_equal(v.prompt.text, "sort ");
	type("ba");
	press("Tab Enter");
	assert_int_equal(v.overview.sort, SORT_BACKLOG);
	type(":open orders-l");
	press("Tab");
	assert_string_equal(v.prompt.text, "open orders-load");
	assert_true(shows("orders-load orders-loader orders-load"));
	type("-");
	press("Tab Enter");
	assert_int_equal(view_screen(&v), SCREEN_DETAIL);
	type(":range 14d");
	press("Enter");
	assert_int_equal(v.detail.range, 6);
	type(":nonsense");
	press("Enter");
	assert_true(shows("no such command: nonsense; Tab lists them"));
	type(":range 7d");
	press("Enter");
	assert_true(shows("usage: range LENGTH"));
	type(":");
	press("Up Up Up");
	assert_string_equal(v.prompt.text, "range 14d");
	press("Down Down Down");
	assert_string_equal(v.prompt.text, "");
	press("Esc");
	type(":pi"); /* of one command alone */
	press("Enter");
	assert_int_equal(view_screen(&v), SCREEN_PIPELINE);
	type(":quit");
	press("Enter");
	assert_true(v.quit);
}

static void test_palette(void **state)
{
	(void)state;
	open_view(24, 80, false, picture_rich());
	press("Ctrl-P");
	type("ldlq");
	assert_true(shows("orders-load-dlq  sqs dlq, warning") && shows("find: ldlq"));
	press("Enter");
	assert_int_equal(view_screen(&v), SCREEN_DETAIL);
	assert_true(view_row(&v, v.detail.row)->dlq);
	press("q Ctrl-P");
	type("heartbeat");
	press("Enter");
	assert_int_equal(v.overview.focus, PANE_ALARMS);
	assert_string_equal(v.snap->alarms[v.overview.alarms.line].name, "CurateHeartbeat");
	press("Ctrl-P");
	type("zzzz");
	assert_true(shows("0 match"));
	press("Enter");
	assert_true(shows("nothing matches"));
	press("Ctrl-P");
	type("UTC");
	press("Enter");
	assert_int_equal(v.time_style, TIMES_LOCAL);
	press("Ctrl-P");
	type("orders");
	press("Down Down");
	struct snapshot *s = picture();
	s->nrows = 1;
	s->pipelines = NULL;
	s->npipelines = 0;
	view_snapshot(&v, s); /* its lines were of the old one */
	press("Enter");
	draw();
	open_view(12, 40, false, picture_rich());
	press("Ctrl-P");
	draw();
	press("Esc");
}

/* What is copied was filtered, and is no markup of somebody else's. */
static void test_copy(void **state)
{
	(void)state;
	struct snapshot *s = picture_rich();
	struct row *r = (struct row *)(uintptr_t)&s->rows[0];
	r->name = "evil\x1b]52;c;eA==\a|x`y`<b>";
	open_view(24, 80, true, s);
	press("y");
	assert_non_null(strstr(v.copied.p, "| evil\\<U+001B>]52;c;eA==\\<U+0007>\\|x\\`y\\`\\<b> |"));
	assert_null(strchr(v.copied.p, '\x1b'));
	assert_non_null(
	    strstr(v.copied.p, "**sluice**, prod 123456789012 eu-west-1, 2026-11-23T03:14:42Z, data to 03:13Z\n"));
	assert_non_null(strstr(v.copied.p, "- ! DATA LOSS"));
	press("Tab y");
	assert_non_null(strstr(v.copied.p, "| DlqAge | ALARM | 2026-11-23T02:41:42Z | AWS/SQS/"));
	press("Tab y");
	assert_non_null(strstr(v.copied.p, "| 2026-11-22T20:51:00Z to 2026-11-22T20:58:00Z | lambda | orders-enrich | "
	                                   "alias live v41 -> v42 | - | lambda:ListAliases |"));
	press("Tab j j Enter y");
	assert_non_null(strstr(v.copied.p, "**orders-load**"));
	assert_non_null(strstr(v.copied.p, "| Messages visible | 214 | 2026-11-23T03:14:38Z |"));
	press("Y");
	assert_string_equal(v.copied.p, "sluice history sqs:orders-load visible --since 3h --region eu-west-1");
	r = (struct row *)(uintptr_t)&s->rows[2];
	r->resource = "it's; rm -rf $HOME";
	press("Y");
	assert_string_equal(v.copied.p,
	                    "sluice history 'sqs:it'\\''s; rm -rf $HOME' visible --since 3h --region eu-west-1");
	r->resource = "a\nb";
	v.copy = false;
	press("Y");
	assert_false(v.copy);
	assert_true(shows("cannot be typed"));
	press("q Y");
	assert_string_equal(v.copied.p, "sluice status --region eu-west-1");
}

/* Only what was fine before, and known, is news. */
static void test_news_ring(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	assert_false(v.bell); /* the first picture */
	view_snapshot(&v, picture());
	assert_false(v.bell);
	struct snapshot *s = picture();
	((struct alarm *)(uintptr_t)s->alarms)[1].state = ALARM_STATE_ALARM;
	view_snapshot(&v, s);
	assert_true(v.bell && shows("!! new: CurateHeartbeat"));
	v.bell = false;
	s = picture();
	((struct alarm *)(uintptr_t)s->alarms)[1].state = ALARM_STATE_ALARM;
	picture_worse(s, 2);
	view_snapshot(&v, s);
	assert_true(v.bell && shows("!! new: orders-load"));
	v.bell = false;
	s = picture();
	s->alarms_current = false;
	view_snapshot(&v, s);
	view_snapshot(&v, picture()); /* they could not be read for a while: nothing is known to be new */
	assert_false(v.bell);
	press("Z");
	s = picture();
	picture_worse(s, 4);
	view_snapshot(&v, s); /* a frozen screen still rings */
	assert_true(v.bell && strstr(line(0), "FROZEN"));
	assert_non_null(strstr(line(10), " !  orders-load-dlq"));
	press("Z");
	assert_non_null(strstr(line(10), " !! orders-load-dlq"));
	v.bell = false;
	type(":bell off");
	press("Enter");
	view_snapshot(&v, picture());
	s = picture();
	picture_worse(s, 4);
	view_snapshot(&v, s);
	assert_false(v.bell);
}

static void test_sorting(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	press("s s s s s s"); /* by backlog */
	assert_true(shows("by BACKLOG, most first"));
	assert_non_null(strstr(line(6), "orders-load-dlq"));
	assert_non_null(strstr(line(7), "orders-load "));
	press("S");
	assert_non_null(strstr(line(6), "orders-load "));
	assert_non_null(strstr(line(7), "orders-load-dlq")); /* what has none stays last */
	press("s s s");
	assert_non_null(strstr(line(6), "orders-ingest"));
	press("S");
	assert_true(shows("flow order"));
}

static void test_several_pipelines_have_headings(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	struct pipeline *p = arena_array(&s->mem, 2, sizeof *p);
	p[0] = (struct pipeline){ "orders", HEALTH_ALARM, 0, 4 };
	p[1] = (struct pipeline){ "billing", HEALTH_UNKNOWN, 4, 2 };
	s->pipelines = p;
	s->npipelines = 2;
	((struct row *)(uintptr_t)s->rows)[4].pipeline = ((struct row *)(uintptr_t)s->rows)[5].pipeline = 1;
	open_view(24, 80, false, s);
	assert_string_equal(line(6), " !! orders alarm, 4 stages");
	assert_string_equal(line(11), " ?? billing unknown, 2 stages");
	press("G k k");
	assert_int_equal(line(10)[0], '>'); /* over the heading */
}

static void test_ten_thousand_rows(void **state)
{
	(void)state;
	struct snapshot *s = picture();
	struct row *rows = arena_array(&s->mem, 10000, sizeof *rows);
	for (unsigned i = 0; i < 10000; i++) {
		rows[i] = s->rows[i % 6];
		rows[i].id = i + 1;
		rows[i].name = arena_printf(&s->mem, "stage-%05u", i);
	}
	s->rows = rows;
	s->nrows = 10000;
	open_view(60, 200, true, s);
	press("G");
	assert_true(shows("stage-09999"));
	assert_false(shows("stage-00002"));
	press("PgUp PgUp Ctrl-U g / 0 0 4 2 Enter");
	assert_true(shows("stage-00042") && shows("11 of 10000")); /* and 00420 to 00429 */
}

/* ---- detail and its questions */

static struct result *answer(uint64_t id, unsigned n, double value)
{
	struct result *r = xcalloc(1, sizeof *r);
	r->kind = REQUEST_HISTORY;
	r->id = id;
	r->history.step = 60;
	r->history.to = PICTURE_NOW / 60 * 60 + 60;
	r->history.from = r->history.to - (int64_t)n * 60;
	r->history.n = n;
	r->history.v = xcalloc(n, sizeof(double));
	r->history.polled = true;
	for (unsigned i = 0; i < n; i++)
		r->history.v[i] = i == n / 2 ? NAN : value;
	return r;
}

static unsigned ask_all(uint64_t *id)
{
	struct history_request rq;
	unsigned n = 0;
	draw();
	for (struct slot *s; (s = view_question(&v, &rq)); n++) {
		assert_true(rq.row == v.detail.row && rq.from == PICTURE_NOW - view_ranges[v.detail.range].seconds);
		view_asked(&v, s, ++*id);
	}
	return n;
}

static void test_a_chart_is_asked_for_once(void **state)
{
	(void)state;
	uint64_t id = 0;
	open_view(24, 80, false, picture());
	assert_int_equal(ask_all(&id), 0);
	press("j Enter");
	assert_true(shows("asking..."));
	assert_true(view_waiting(&v));
	assert_int_equal(ask_all(&id), 1);
	assert_int_equal(ask_all(&id), 0);
	view_answer(&v, answer(1, 180, 21660));
	assert_false(view_waiting(&v));
	assert_false(shows("asking"));
	assert_true(shows("30.0k|") && shows("^03:00Z"));
	view_snapshot(&v, picture()); /* no poll between: nothing new to ask */
	assert_int_equal(ask_all(&id), 0);
	struct snapshot *s = picture();
	s->polled_at += 60;
	view_snapshot(&v, s);
	assert_int_equal(ask_all(&id), 1);
	assert_true(shows("asking...") && shows("30.0k|")); /* the last answer stays meanwhile */
	press("]");
	assert_int_equal(ask_all(&id), 1);
	view_answer(&v, answer(2, 180, 999)); /* overtaken by the longer range */
	assert_true(shows("30.0k|"));
	view_answer(&v, answer(3, 720, 999));
	assert_true(shows("1,000|"));
}

static void test_the_history_answers_first(void **state)
{
	(void)state;
	struct history_request rq;
	struct snapshot *s = picture();
	s->phase = PHASE_CACHED;
	s->polled_at = 0;
	open_view(24, 80, false, s);
	press("j Enter");
	draw();
	struct slot *slot = view_question(&v, &rq);
	assert_true(slot && rq.offline);
	view_asked(&v, slot, 1);
	view_answer(&v, answer(1, 180, 21660));
	assert_true(shows("30.0k|"));
	view_snapshot(&v, picture());
	slot = view_question(&v, &rq);
	assert_true(slot && !rq.offline);
}

/* What is old is coarser: the chart keeps one scale, and a gap stays a gap. */
static void test_a_rolled_up_past_keeps_its_scale(void **state)
{
	(void)state;
	uint64_t id = 0;
	open_view(24, 80, false, picture());
	press("Enter");
	ask_all(&id);
	struct result *r = answer(1, 60, 0);
	struct history_result *h = &r->history;
	free(h->v);
	h->nparts = 2;
	h->parts = xcalloc(2, sizeof *h->parts);
	h->parts[0] = (struct history_part){ h->to - 3600, h->to - 1800, 300, 6, "sum" };
	h->parts[1] = (struct history_part){ h->to - 1800, h->to, 60, 30, NULL };
	h->from = h->to - 3600;
	h->n = 36;
	h->info = *v.snap->rows[0].readings[0].info;
	h->info.key = xstrdup("records");
	h->v = xcalloc(36, sizeof(double));
	for (unsigned i = 0; i < 36; i++)
		h->v[i] = i == 2 ? NAN : i < 6 ? 5 * 600 : 600;
	view_answer(&v, r);
	assert_int_equal(h->n, 60);
	for (unsigned i = 0; i < 60; i++)
		if (i >= 10 && i < 15)
			assert_true(isnan(h->v[i]));
		else
			assert_true(h->v[i] == 600);
	assert_true(shows("sum of each 5m"));
}

/* The facts stand there, in their order; nothing is a verdict. */
static void test_why(void **state)
{
	(void)state;
	struct snapshot *s = picture_rich();
	struct row_link *l = (struct row_link *)(uintptr_t)&s->links[0];
	l->state = "Disabled";
	l->reason = "USER_INITIATED";
	l->retries = -1;
	l->record_age_s = UNSAID;
	open_view(40, 120, false, s);
	press("Enter");
	assert_true(shows("-- WHY ---"));
	assert_true(shows(
	    "\n data loss in 17h50m: first record expires 21:05Z; age 6h09m, growing 1.00 s/s, retention 24h\n"
	    " mapping orders-ingest -> orders-enrich is Disabled: USER_INITIATED, retries for ever, failures to nowhere\n"
	    " before: 21:05Z  orders-enrich  UpdateAlias by dev  (cloudtrail:LookupEvents)\n"
	    " before: 20:51..20:58Z  orders-enrich  alias live v41 -> v42  (lambda:ListAliases)\n"));
	assert_null(strstr(draw(), "because"));
	press("q G k Enter"); /* the dead-letter queue and its alarm */
	assert_true(shows("alarm DlqAge ALARM since 02:41Z: Threshold Crossed"));
}

static struct result *shards_result(uint64_t id, bool enhanced)
{
	struct result *r = xcalloc(1, sizeof *r);
	r->kind = REQUEST_SHARDS;
	r->id = id;
	struct shards_result *s = &r->shards;
	arena_init(&s->mem);
	s->n = 3;
	s->v = arena_array(&s->mem, 3, sizeof *s->v);
	s->enhanced = enhanced;
	for (unsigned i = 0; i < 3; i++)
		s->v[i] = (struct shard){ .id = i == 0   ? "shardId-000000000000"
			                            : i == 1 ? "shardId-000000000001"
			                                     : "shardId-000000000003",
			                      .closed = i == 0,
			                      .from = i * 25,
			                      .to = i * 25 + 25,
			                      .in = enhanced ? 51 : NAN,
			                      .out = enhanced && i == 1 ? 51
			                             : enhanced         ? 0
			                                                : NAN,
			                      .age = !enhanced ? NAN
			                             : i == 2  ? 22140
			                                       : 0.4 };
	return r;
}

/* With figures the worst is first; without them state and range are all that is known, and all that stands there. */
static void test_shards(void **state)
{
	(void)state;
	struct shards_request rq;
	open_view(24, 80, false, picture_rich());
	assert_false(shards_question(&v, &rq));
	press("Enter");
	assert_true(shards_question(&v, &rq) && rq.row == v.detail.row);
	shards_asked(&v, 7);
	assert_false(shards_question(&v, &rq));
	assert_true(shards_waiting(&v));
	view_answer(&v, shards_result(7, false));
	assert_false(shards_waiting(&v));
	assert_true(shows("-- SHARDS  2 open, 1 closed ------- share of keys; enhanced monitoring is off --"));
	assert_true(shows("    000 closed                001 open 25.0..50.0%      003 open 50.0..75.0%\n"));
	struct snapshot *s = picture_rich();
	s->polled_at += 60;
	view_snapshot(&v, s);
	assert_true(shards_question(&v, &rq));
	shards_asked(&v, 8);
	view_answer(&v, shards_result(8, true));
	assert_true(shows(" !! 003 51/0  6h09m           001 51/51  0s             000 closed\n"));
	press("q j Enter"); /* a function has none */
	assert_false(shards_question(&v, &rq) || shows("SHARDS"));
}

static void test_a_refused_question_says_why(void **state)
{
	(void)state;
	uint64_t id = 0;
	open_view(24, 80, false, picture());
	press("Enter");
	ask_all(&id);
	struct result *r = xcalloc(1, sizeof *r);
	r->kind = REQUEST_HISTORY;
	r->id = 1;
	err_set(&r->err, ERR_THROTTLED, "cloudwatch:GetMetricData", "Rate exceeded\x1b[2J");
	view_answer(&v, r);
	assert_true(shows("?? throttled") && shows("Rate exceeded<U+001B>[2J") && shows("wait, or poll less"));
}

static void test_cursor_reads_points(void **state)
{
	(void)state;
	uint64_t id = 0;
	open_view(24, 80, false, picture());
	press("j Enter c");
	assert_int_equal(v.detail.cursor, 0); /* nothing to stand on yet */
	press("Down Down Up Up");
	ask_all(&id);
	view_answer(&v, answer(1, 20, 21660));
	press("c");
	assert_true(shows("03:14Z  21.7k"));
	press("Left Left");
	assert_true(shows("03:12Z  21.7k"));
	press("Left Left Left Left Left Left Left");
	assert_true(shows("03:05Z  no datapoint"));
	press("Right");
	assert_true(shows("03:06Z  21.7k"));
	press("c");
	assert_false(shows("03:06Z"));
}

static void test_charts_grow_in_number_not_in_size(void **state)
{
	(void)state;
	static const int sizes[][3] = { { 12, 40, 1 }, { 24, 80, 1 }, { 40, 120, 3 }, { 60, 200, 4 } };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint64_t id = 0;
		open_view(sizes[i][0], sizes[i][1], true, picture());
		press("Enter");
		assert_int_equal(ask_all(&id), sizes[i][2]);
	}
}

static void test_row_that_is_gone(void **state)
{
	(void)state;
	uint64_t id = 0;
	open_view(24, 80, false, picture());
	press("Enter");
	struct snapshot *s = picture();
	s->rows++;
	s->nrows--;
	view_snapshot(&v, s);
	assert_true(shows("not there any more"));
	assert_int_equal(ask_all(&id), 0);
	press("[ ] c Left j G q");
	assert_true(shows("STAGES"));
}

/* ---- keys */

static void test_leaving(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	press("Esc h");
	assert_false(v.quit);
	press("Enter ? q Esc");
	assert_int_equal(view_screen(&v), SCREEN_OVERVIEW);
	press("Ctrl-C");
	assert_false(v.quit);
	assert_true(shows("Ctrl-C again quits"));
	press("j Ctrl-C");
	assert_false(v.quit);
	press("Ctrl-C");
	assert_true(v.quit);
	open_view(24, 80, false, picture());
	press("/ q Ctrl-C");
	assert_false(v.prompt.open);
	press("q");
	assert_true(v.quit);
}

static void test_unbound_key_is_named(void **state)
{
	(void)state;
	open_view(24, 80, false, picture());
	press("X");
	assert_string_equal(line(23), "X does nothing here; ? shows the keys");
	press("j");
	assert_non_null(strstr(line(23), "q quit"));
}

static void test_help_lists_every_action(void **state)
{
	(void)state;
	open_view(60, 200, false, picture());
	press("?");
	draw();
	for (unsigned i = 0; i < nactions; i++)
		assert_non_null(strstr(shown.p, actions[i].help));
	open_view(24, 80, false, picture());
	press("?");
	for (unsigned i = 0; i < nactions; i++) {
		bool seen = !(actions[i].where & (IN(OVERVIEW) | IN_PROMPT));
		press("g");
		for (int page = 0; page < 4 && !seen; page++) {
			seen = shows(actions[i].help);
			press("Ctrl-D");
		}
		assert_true(seen);
	}
	assert_true(shows("stale: too old to trust"));
}

static void test_glyph_levels(void **state)
{
	(void)state;
	open_view(24, 80, true, picture());
	press("V V");
	for (const char *p = draw(); *p; p++)
		assert_true((unsigned char)*p < 0x80);
	press("V");
	assert_int_equal(v.level, GLYPH_BRAILLE);
	open_view(24, 80, false, picture());
	press("V");
	assert_int_equal(v.level, GLYPH_ASCII);
}

/* ---- hostile text: every field that comes from outside, every byte, every size, nothing raw comes through */

static char *hostile(struct snapshot *s, const char *around, const char *evil, size_t n)
{
	char *p = arena_alloc(&s->mem, strlen(around) + n + 8);
	size_t len = strlen(around);
	memcpy(p, around, len);
	memcpy(p + len, evil, n);
	memcpy(p + len + n, "tail", 5);
	return p;
}

static void poison_target(struct snapshot *s, const char *bad)
{
	snprintf(s->target.account, sizeof s->target.account, "%s", bad);
	snprintf(s->target.region, sizeof s->target.region, "%s", bad);
	snprintf(s->target.profile, sizeof s->target.profile, "%s", bad);
	snprintf(s->target.endpoint, sizeof s->target.endpoint, "https://%s", bad);
	s->cache_note = bad;
}

static struct snapshot *poisoned(const char *evil, size_t n)
{
	struct snapshot *s = picture();
	char *bad = hostile(s, "x", evil, n);
	struct row *rows = (struct row *)(uintptr_t)s->rows;
	struct fact *facts = arena_array(&s->mem, 2, sizeof *facts);
	facts[0] = (struct fact){ "runtime", bad };
	facts[1] = (struct fact){ bad, bad };
	for (unsigned i = 0; i < s->nrows; i++) {
		rows[i].name = rows[i].resource = rows[i].reason = rows[i].arn = rows[i].fed_by = rows[i].feeds = bad;
		rows[i].facts = facts;
		rows[i].nfacts = 2;
	}
	struct metric_info *info = arena_alloc(&s->mem, sizeof *info);
	*info = picture_queue[0];
	info->title = info->name = info->stat = bad;
	((struct reading *)(uintptr_t)rows[0].readings)[0].info = info;
	((struct pipeline *)(uintptr_t)s->pipelines)[0].name = bad;
	for (unsigned i = 0; i < s->nalarms; i++) {
		struct alarm *a = (struct alarm *)(uintptr_t)&s->alarms[i];
		a->name = a->metric = a->reason = a->description = a->comparison = bad;
	}
	struct api_health *api = (struct api_health *)(uintptr_t)&s->apis[0];
	api->op = bad;
	snprintf(api->last.text, sizeof api->last.text, "%s", bad);
	snprintf(api->last.action, sizeof api->last.action, "%s", bad);
	poison_target(s, bad);
	return s;
}

static void check_cells(bool utf8)
{
	for (int y = 0; y < v.canvas.rows; y++) {
		int cells = 0;
		for (int x = 0; x < v.canvas.cols; x++) {
			const struct cell *at = &v.canvas.cell[y * v.canvas.cols + x];
			unsigned bytes = cell_bytes(at), len;
			cells += at->width;
			for (unsigned i = 0; i < bytes; i += len) {
				uint32_t cp = 0;
				len = text_decode(at->s + i, bytes - i, &cp);
				assert_true(len > 0 && text_is_safe(cp) && (utf8 || cp < 0x7F));
			}
		}
		assert_int_equal(cells, v.canvas.cols);
	}
}

static void check_everywhere(const char *evil, size_t n)
{
	static const int sizes[][2] = { { 12, 40 }, { 24, 80 }, { 40, 120 }, { 60, 200 } };
	for (unsigned i = 0; i < 8; i++) {
		uint64_t id = 0;
		open_view(sizes[i / 2][0], sizes[i / 2][1], i % 2, poisoned(evil, n));
		draw();
		check_cells(i % 2);
		press("/ x Enter Enter");
		ask_all(&id);
		struct result *r = answer(1, 30, 5);
		r->history.hint = xstrdup("evil\x1b]0;x\x07");
		for (unsigned k = 0; k < 30; k++)
			r->history.v[k] = NAN;
		view_answer(&v, r);
		draw();
		check_cells(i % 2);
		press("?");
		draw();
		check_cells(i % 2);
	}
}

static void test_every_byte_in_every_field(void **state)
{
	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		char evil = (char)byte;
		check_everywhere(&evil, 1);
	}
}

static void test_sequences_in_every_field(void **state)
{
	(void)state;
	static const char *const evil[] = {
		"\x1b[2J\x1b[H",
		"\x1b]52;c;ZWNobw==\x07",
		"\x1bP+q544e\x1b\\",
		"\xC2\x9B"
		"31m",
		"\xE2\x80\xAE"
		"abc",
		"\xE2\x81\xA6",
		"\xF3\xA0\x80\x81",
		"\xE2\x80\x8B",
		"\xEF\xBB\xBF",
		"\xED\xA0\x80",
		"\xF4\x90\x80\x80",
		"\xC0\xAF",
		"\xE2\x80\xA8",
		"a\xCC\x81\xCC\x81\xCC\x81",
		"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
		"漢字漢字漢字漢字漢字",
		"\b\b\b\b\r\n\t\v\f",
		"\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA",
	};
	for (size_t i = 0; i < sizeof evil / sizeof *evil; i++)
		check_everywhere(evil[i], strlen(evil[i]));
}

static int finish(void **state)
{
	(void)state;
	view_clear(&v);
	buf_clear(&shown);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_stays_in_its_field),
		cmocka_unit_test(test_without_utf8_nothing_but_ascii),
		cmocka_unit_test(test_flood_of_marks_takes_one_cell),
		cmocka_unit_test(test_overview_80x24_ascii),
		cmocka_unit_test(test_overview_rich),
		cmocka_unit_test(test_alarms_of_one_pipeline),
		cmocka_unit_test(test_what_the_budget_has_slowed_down_says_so),
		cmocka_unit_test(test_row_1_at_every_width),
		cmocka_unit_test(test_failed_calls_are_counted),
		cmocka_unit_test(test_alarms_that_were_not_read),
		cmocka_unit_test(test_endpoint_and_production_are_marked),
		cmocka_unit_test(test_one_cause_is_said_once),
		cmocka_unit_test(test_plain_http_is_marked),
		cmocka_unit_test(test_keys_that_end_soon_are_in_row_1),
		cmocka_unit_test(test_an_mfa_code_is_typed_unseen),
		cmocka_unit_test(test_first_frame_needs_no_snapshot),
		cmocka_unit_test(test_cached_values_are_marked),
		cmocka_unit_test(test_missing_point_is_not_idle),
		cmocka_unit_test(test_small_and_too_small),
		cmocka_unit_test(test_selection_is_by_identity),
		cmocka_unit_test(test_problems_one_after_another),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_by_column),
		cmocka_unit_test(test_marks_and_pins),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_palette),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_news_ring),
		cmocka_unit_test(test_sorting),
		cmocka_unit_test(test_several_pipelines_have_headings),
		cmocka_unit_test(test_ten_thousand_rows),
		cmocka_unit_test(test_a_chart_is_asked_for_once),
		cmocka_unit_test(test_the_history_answers_first),
		cmocka_unit_test(test_a_rolled_up_past_keeps_its_scale),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_shards),
		cmocka_unit_test(test_a_refused_question_says_why),
		cmocka_unit_test(test_cursor_reads_points),
		cmocka_unit_test(test_charts_grow_in_number_not_in_size),
		cmocka_unit_test(test_row_that_is_gone),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_unbound_key_is_named),
		cmocka_unit_test(test_help_lists_every_action),
		cmocka_unit_test(test_glyph_levels),
		cmocka_unit_test(test_every_byte_in_every_field),
		cmocka_unit_test(test_sequences_in_every_field),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
