#include "tui/view.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "tui/action.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/keys.h"
#include "tui/lease.h"
#include "tui/news.h"
#include "tui/palette.h"
#include "tui/prompt.h"
#include "tui/replay.h"
#include "tui/write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void view_init(struct view *v, const struct tui_options *o, bool utf8, unsigned level)
{
	*v = (struct view){ .options = o, .utf8 = utf8, .level = level, .now = clock_wall() };
	v->mono = clock_mono_ms() / 1000 + 1;
	v->level_most = utf8 ? GLYPH_BRAILLE : GLYPH_ASCII;
	v->detail.range = 2;
	v->bell_off = o->quiet;
	v->title_off = o->untitled;
	canvas_init(&v->canvas, utf8);
	view_push(v, SCREEN_OVERVIEW);
}

void view_clear(struct view *v)
{
	for (unsigned i = 0; i < CHARTS_MAX; i++)
		result_free(v->detail.slot[i].answer);
	result_free(v->shards.answer);
	result_free(v->alarms.answer);
	replay_clear(v);
	result_free(v->errors.answer);
	free(v->overview.line);
	free(v->events.line);
	free(v->by_id);
	snapshot_free(v->snap);
	snapshot_free(v->held);
	buf_clear(&v->copied);
	canvas_clear(&v->canvas);
}

static void sync(struct view *v)
{
	for (unsigned i = 0; i < SCREEN_COUNT; i++)
		if (screen_get((enum screen_id)i)->sync)
			screen_get((enum screen_id)i)->sync(v);
}

static int by_id(const void *a, const void *b)
{
	const struct row_place *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

/* Nearly always: then the index serves again. */
static bool same_rows(const struct snapshot *a, const struct snapshot *b)
{
	bool same = a && a->nrows == b->nrows;
	for (uint32_t i = 0; same && i < b->nrows; i++)
		same = a->rows[i].id == b->rows[i].id;
	return same;
}

static void drop(struct view *v, struct snapshot *s)
{
	engine_give_back(v->options->engine, s);
}

static void index_rows(struct view *v)
{
	v->by_id = xreallocarray(v->by_id, v->snap->nrows + 1u, sizeof *v->by_id);
	for (uint32_t i = 0; i < v->snap->nrows; i++)
		v->by_id[i] = (struct row_place){ v->snap->rows[i].id, i };
	if (v->snap->nrows > 1)
		qsort(v->by_id, v->snap->nrows, sizeof *v->by_id, by_id);
}

static void show(struct view *v, struct snapshot *s)
{
	bool same = same_rows(v->snap, s);
	drop(v, v->snap);
	v->snap = s;
	if (!same)
		index_rows(v);
	problems_sync(v);
	sync(v);
	if (palette_open(v)) /* its lines are the old snapshot's */
		palette_fill(v);
}

static void tell_news(struct view *v, const struct snapshot *s)
{
	const char *who;
	char name[100];
	unsigned n = news_alarms(v->held ? v->held : v->snap, s, &who);
	if (!n)
		return;
	v->bell = !v->bell_off;
	view_note(v, "!! new: %.80s%s", text_visible_to(name, sizeof name, who), n > 1 ? " and more" : "");
}

/* What is frozen, or of the past, stays as it is while live snapshots go on coming. */
void view_snapshot(struct view *v, struct snapshot *s)
{
	tell_news(v, s);
	if (!v->frozen && !v->past) {
		show(v, s);
	} else {
		drop(v, v->held);
		v->held = s;
	}
	lease_check(v);
}

static void show_held(struct view *v)
{
	struct snapshot *s = v->held;
	v->held = NULL;
	if (s)
		show(v, s);
}

void act_freeze(struct view *v)
{
	if (v->past) {
		view_note(v, "the past moves no more; t goes back to now");
		return;
	}
	v->frozen = !v->frozen;
	if (!v->frozen)
		show_held(v);
	view_note(v, v->frozen ? "frozen: what stands here stays; Z goes on" : "live again");
}

void view_past(struct view *v, struct snapshot *s)
{
	if (!v->past && !v->held) {
		v->held = v->snap;
		v->snap = NULL;
	}
	v->frozen = false;
	v->past = v->now = s->at;
	alarms_forget(v); /* what was asked of one was its present */
	show(v, s);
}

void view_back_to_live(struct view *v)
{
	v->past = 0;
	v->now = clock_wall();
	alarms_forget(v);
	show_held(v);
}

bool view_acts(struct view *v)
{
	if (v->past)
		view_note(v, "nothing acts in the past; t goes back to now");
	return !v->past;
}

void act_times(struct view *v)
{
	static const char *const names[TIMES_COUNT] = { "UTC", "local time", "ages" };
	v->time_style = (v->time_style + 1) % TIMES_COUNT;
	view_note(v, "times as %s", names[v->time_style]);
}

void view_note(struct view *v, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(v->note, sizeof v->note, fmt, ap);
	va_end(ap);
}

const struct row *view_row(const struct view *v, uint64_t id)
{
	struct row_place key = { id, 0 };
	const struct row_place *at =
	    v->snap && v->snap->nrows ? bsearch(&key, v->by_id, v->snap->nrows, sizeof *v->by_id, by_id) : NULL;
	return at ? &v->snap->rows[at->row] : NULL;
}

uint64_t view_focus(const struct view *v)
{
	for (unsigned i = v->depth; i-- > 0;)
		if (v->stack[i] == SCREEN_DETAIL)
			return v->detail.row;
	return v->overview.rows.id;
}

/* ---- which screen ---- */

enum screen_id view_screen(const struct view *v)
{
	return v->stack[v->depth - 1];
}

void view_push(struct view *v, enum screen_id id)
{
	if (v->depth < VIEW_DEPTH)
		v->stack[v->depth++] = id;
	sync(v);
}

void view_pop(struct view *v)
{
	if (v->depth > 1)
		v->depth--;
	sync(v);
}

/* ---- keys ---- */

/* What is done everywhere is done over the menu too. */
static bool passes_menu(uint32_t key)
{
	const struct action *a = action_find(key, IN_PROMPT);
	return a && a->where & IN_SCREENS;
}

void view_key(struct view *v, uint32_t key)
{
	char name[KEY_NAME_SIZE];
	if (menu_open(v) && !v->prompt.open && !passes_menu(key)) {
		menu_key(v, key);
		return;
	}
	const struct action *a = action_find(key, v->prompt.open ? IN_PROMPT : 1u << view_screen(v));
	v->keyed = true;
	v->note[0] = '\0';
	if (a)
		a->run(v);
	else if (v->prompt.open)
		prompt_type(v, key);
	else
		view_note(v, "%s does nothing here; ? shows the keys", key_text(key, name));
	if (!a || a->run != act_interrupt)
		v->interrupted = false;
}

static void move(struct view *v, enum move m)
{
	const struct screen *s = screen_get(view_screen(v));
	if (s->move)
		s->move(v, m);
}

void act_down(struct view *v)
{
	move(v, MOVE_DOWN);
}

void act_up(struct view *v)
{
	move(v, MOVE_UP);
}

void act_first(struct view *v)
{
	move(v, MOVE_FIRST);
}

void act_last(struct view *v)
{
	move(v, MOVE_LAST);
}

void act_half_down(struct view *v)
{
	move(v, MOVE_HALF_DOWN);
}

void act_half_up(struct view *v)
{
	move(v, MOVE_HALF_UP);
}

void act_page_down(struct view *v)
{
	move(v, MOVE_PAGE_DOWN);
}

void act_page_up(struct view *v)
{
	move(v, MOVE_PAGE_UP);
}

void act_back(struct view *v)
{
	if (view_screen(v) == SCREEN_FIRST) /* there is nothing behind it yet */
		v->quit = !first_leave(v);
	else if (v->depth > 1)
		view_pop(v);
	else
		v->quit = replay_may_leave(v);
}

void act_leave(struct view *v)
{
	if (view_screen(v) == SCREEN_FIRST)
		first_leave(v);
	else if (v->overview.zoomed && view_screen(v) != SCREEN_DETAIL && view_screen(v) != SCREEN_HELP)
		v->overview.zoomed = false;
	else if (v->depth > 1)
		view_pop(v);
	else
		overview_filter(v, "");
}

void act_help(struct view *v)
{
	if (view_screen(v) == SCREEN_HELP)
		view_pop(v);
	else
		view_push(v, SCREEN_HELP);
}

void act_refresh(struct view *v)
{
	v->refresh = true;
	view_note(v, "asking AWS...");
}

void act_glyphs(struct view *v)
{
	static const char *const names[] = { "ASCII", "blocks", "braille" };
	if (v->level_most == GLYPH_ASCII) {
		view_note(v, "only ASCII: the locale is not UTF-8");
		return;
	}
	v->level = v->level == 0 ? v->level_most : v->level - 1;
	view_note(v, "drawn in %s", names[v->level]);
}

void act_redraw(struct view *v)
{
	v->redraw = true;
}

void act_suspend(struct view *v)
{
	v->suspend = true;
}

void act_interrupt(struct view *v)
{
	if (v->interrupted)
		v->quit = true;
	v->interrupted = true;
	if (v->prompt.open)
		act_prompt_cancel(v);
	v->menu.open = false;
	v->menu.question[0] = '\0';
	view_note(v, "Ctrl-C again quits");
}

/* ---- drawing ---- */

void view_draw(struct view *v)
{
	struct canvas *c = &v->canvas;
	canvas_blank(c);
	c->ascii = v->level == GLYPH_ASCII;
	if (c->rows < LEAST_ROWS || c->cols < LEAST_COLS) {
		draw_fmt(c, 0, 0, c->cols, STYLE_NORMAL, "sluice: 80x24 wanted, %dx%d needed", LEAST_COLS, LEAST_ROWS);
		return;
	}
	int h = c->rows - FRAME_TOP - FRAME_BOTTOM;
	screen_get(view_screen(v))->draw(v, FRAME_TOP, h);
	if (palette_open(v))
		palette_draw(v, FRAME_TOP, h);
	if (menu_open(v))
		menu_draw(v, FRAME_TOP, h);
	frame_header(v);
	frame_footer(v);
}
