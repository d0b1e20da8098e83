/* The console's loop: waits for the terminal, the engine, a signal or the next second; takes all there is; draws once. */
#include "tui/tui.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "tui/alarms.h"
#include "tui/keys.h"
#include "tui/lease.h"
#include "tui/replay.h"
#include "tui/restore.h"
#include "tui/script.h"
#include "tui/term.h"
#include "tui/view.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEYS_MOST 1000 /* a wake-up: a paste must not keep the screen from being drawn */
#define SECOND_MS 1000
#define HISTORY_MS 5 /* what the history knows is there by then, and saves painting an empty frame first */

struct console {
	const struct tui_options *o;
	struct view v;
	struct script *script;
	bool dirty, hung_up, keyed;
	int64_t second;  /* when it was drawn last */
	char title[128]; /* the window's, once it was set */
	int status;
	char why[256]; /* said once the terminal is back */
};

static void resize(struct console *c)
{
	int rows, cols;
	term_size(&rows, &cols);
	if (rows != c->v.canvas.rows || cols != c->v.canvas.cols)
		canvas_size(&c->v.canvas, rows, cols);
	c->dirty = true;
}

static void take_signals(struct console *c)
{
	unsigned what = term_signals();
	if (what & TERM_STOP)
		c->v.suspend = true;
	else if (what & TERM_CONTINUED)
		term_resume();
	if (what)
		resize(c);
}

/* A script's keys count, the terminal's are read and dropped then. */
static void take_keys(struct console *c)
{
	uint32_t key = K_NONE;
	unsigned n = 0;
	while (n < KEYS_MOST && (key = term_key()) != K_NONE) {
		n++;
		if (!c->script)
			view_key(&c->v, key);
	}
	c->dirty = c->dirty || n > 0;
	c->keyed = c->keyed || n > 0;
	if (n == 0 && term_gone())
		c->hung_up = true;
}

static void take_engine(struct console *c)
{
	struct snapshot *s = engine_take(c->o->engine);
	if (s) {
		view_snapshot(&c->v, s);
		c->dirty = true;
	}
	for (struct result *r; (r = engine_answer(c->o->engine));) {
		view_answer(&c->v, r);
		c->dirty = true;
	}
}

static void hand_over_code(struct console *c)
{
	struct request rq = { .kind = REQUEST_CODE };
	memcpy(rq.code.code, c->v.code, sizeof rq.code.code);
	memset(c->v.code, 0, sizeof c->v.code);
	if (!engine_ask(c->o->engine, &rq))
		view_note(&c->v, "the engine has too much to do already; try again");
	memset(&rq, 0, sizeof rq);
}

static void hand_over_note(struct console *c)
{
	struct request rq = { .kind = REQUEST_NOTE, .note = { c->v.note_wish, c->v.note_incident } };
	if (!engine_ask(c->o->engine, &rq))
		view_note(&c->v, "the engine has too much to do already; try again");
	c->v.note_wish[0] = '\0';
}

static void ask_past(struct console *c)
{
	struct request rq = { .kind = REQUEST_PAST, .past = { c->v.past_wish } };
	c->v.past_asked = engine_ask(c->o->engine, &rq);
	if (!c->v.past_asked)
		view_note(&c->v, "the engine has too much to do already; try again");
	c->v.past_wish = 0;
}

static void hand_over_copy(struct console *c)
{
	char why[100];
	term_copy(buf_span(&c->v.copied), why, sizeof why);
	view_note(&c->v, "%s", why);
	c->v.copy = false;
}

/* Once something is in alarm the window says so, and then what becomes of it. */
static void set_title(struct console *c)
{
	const struct view *v = &c->v;
	char title[128], name[64];
	const struct snapshot *s = v->snap;
	unsigned n = s && s->phase == PHASE_LIVE ? s->count[HEALTH_ALARM] : 0;
	if (v->past || v->title_off || (!n && !c->title[0]))
		return;
	const char *where = c->o->target_name ? c->o->target_name : s ? s->target.profile : "";
	text_visible_to(name, sizeof name, where);
	if (n)
		snprintf(title, sizeof title, "!!%u sluice %s", n, name);
	else
		snprintf(title, sizeof title, "sluice %s", name);
	if (strcmp(title, c->title) != 0)
		term_title(title);
	snprintf(c->title, sizeof c->title, "%s", title);
}

static void choose(struct console *c)
{
	struct first *f = &c->v.first;
	struct request rq = { .kind = REQUEST_FIRST, .dry_run = !f->keep, .first = { f->choice, f->text } };
	f->pending = engine_ask(c->o->engine, &rq);
	if (!f->pending)
		view_note(&c->v, "the engine has too much to do already; try again");
	f->ask = f->keep = false;
}

/* What keys have asked for and only the outside can do. */
static void grant_wishes(struct console *c)
{
	struct view *v = &c->v;
	if (v->note_wish[0])
		hand_over_note(c);
	if (v->past_wish)
		ask_past(c);
	if (v->refresh && !engine_refresh(c->o->engine))
		view_note(v, "the engine has too much to do already; try again");
	if (v->code[0])
		hand_over_code(c);
	if (v->copy)
		hand_over_copy(c);
	if (v->bell)
		term_bell();
	set_title(c);
	if (v->first.ask || v->first.keep)
		choose(c);
	if (v->suspend) {
		term_suspend();
		c->title[0] = '\0'; /* the shell had its own meanwhile */
		resize(c);
	}
	if (v->redraw)
		term_forget();
	v->refresh = v->suspend = v->redraw = v->bell = false;
}

static void ask(struct console *c)
{
	struct request rq = { .kind = REQUEST_HISTORY };
	for (struct slot *s; (s = view_question(&c->v, &rq.history));) {
		uint64_t id = engine_ask(c->o->engine, &rq);
		if (!id)
			return; /* the ring is full: next second */
		view_asked(&c->v, s, id);
	}
}

static void ask_shards(struct console *c)
{
	struct request rq = { .kind = REQUEST_SHARDS };
	uint64_t id;
	if (shards_question(&c->v, &rq.shards) && (id = engine_ask(c->o->engine, &rq)))
		shards_asked(&c->v, id);
}

/* Who is looked at is asked for first, and whoever presses keys is there. */
static void attend(struct console *c)
{
	engine_attend(c->o->engine, view_focus(&c->v), c->keyed);
	c->keyed = false;
}

static void ask_more(struct console *c)
{
	struct request rq = { .kind = REQUEST_ALARM };
	uint64_t id;
	if (alarms_question(&c->v, &rq.alarm) && (id = engine_ask(c->o->engine, &rq)))
		alarms_asked(&c->v, id);
	rq = (struct request){ .kind = REQUEST_ERRORS };
	if (errors_question(&c->v, &rq.errors) && (id = engine_ask(c->o->engine, &rq)))
		errors_asked(&c->v, id);
	if (mute_question(&c->v, &rq))
		c->v.mute.pending = engine_ask(c->o->engine, &rq);
}

static void ask_replay(struct console *c)
{
	struct request rq;
	uint64_t id;
	while (replay_question(&c->v, &rq) && (id = engine_ask(c->o->engine, &rq)))
		replay_asked(&c->v, &rq, id);
}

static void draw(struct console *c)
{
	if (!c->dirty || !term_writable())
		return;
	view_draw(&c->v);
	term_paint(&c->v.canvas);
	c->dirty = false;
}

static void step_script(struct console *c)
{
	if (!c->script || c->dirty)
		return;
	enum script_state s = script_step(c->script, &c->v, clock_mono_ms(), c->why, sizeof c->why);
	c->dirty = s == SCRIPT_GO;
	if (s == SCRIPT_FAILED)
		c->status = 1;
	if (s == SCRIPT_FAILED || s == SCRIPT_END)
		c->v.quit = true;
}

static void sleep_until_something(struct console *c)
{
	enum { TTY, ENGINE, SIGNALS, OUT };
	struct pollfd fds[] = {
		[TTY] = { .fd = STDIN_FILENO, .events = POLLIN },
		[ENGINE] = { .fd = engine_fd(c->o->engine), .events = POLLIN },
		[SIGNALS] = { .fd = term_signal_fd(), .events = POLLIN },
		[OUT] = { .fd = c->dirty && !term_writable() ? STDOUT_FILENO : -1, .events = POLLOUT },
	};
	bool at_once = c->script && c->dirty && fds[OUT].fd < 0;
	int wait = at_once ? 0 : (int)(SECOND_MS - clock_wall_ms() % SECOND_MS);
	if (poll(fds, sizeof fds / sizeof *fds, wait) < 0)
		return; /* a signal: its byte is in the pipe */
	if (fds[TTY].revents)
		take_keys(c);
	if (fds[SIGNALS].revents)
		take_signals(c);
}

static void await_history(struct console *c)
{
	struct pollfd engine = { .fd = engine_fd(c->o->engine), .events = POLLIN };
	poll(&engine, 1, HISTORY_MS);
}

static void run(struct console *c)
{
	resize(c);
	await_history(c);
	while (!c->v.quit && !c->hung_up) {
		int64_t now = clock_wall();
		c->dirty = c->dirty || now != c->second;
		c->second = now;
		c->v.now = c->v.past ? c->v.past : now;
		c->v.mono = clock_mono_ms() / 1000 + 1;
		lease_check(&c->v);
		take_engine(c);
		grant_wishes(c);
		attend(c);
		draw(c);
		ask(c);
		ask_shards(c);
		ask_more(c);
		ask_replay(c);
		step_script(c);
		if (!c->v.quit)
			sleep_until_something(c);
	}
	if (c->hung_up)
		c->status = 1;
}

int tui_run(const struct tui_options *o)
{
	struct console c = { .o = o };
	const char *script = getenv("SLUICE_SCRIPT");
	if (script && script[0] && !(c.script = script_open(script, c.why, sizeof c.why))) {
		fprintf(stderr, "sluice: %s\n", c.why);
		return 2;
	}
	if (!term_open(o->color, c.why, sizeof c.why)) {
		fprintf(stderr, "sluice: %s\n", c.why);
		script_free(c.script);
		return 2;
	}
	mem_on_oom(restore_now);
	view_init(&c.v, o, term_utf8(), term_level());
	run(&c);
	bool replays = c.v.replay.drive_pending != 0;
	view_clear(&c.v);
	term_close();
	if (replays)
		fprintf(stderr, "sluice: waiting for what the replay has sent; `sluice replay resume` goes on with it\n");
	mem_on_oom(NULL);
	script_free(c.script);
	if (c.why[0])
		fprintf(stderr, "sluice: %s\n", c.why);
	return c.status;
}
