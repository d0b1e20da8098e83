#include "tui/palette.h"

#include "core/text.h"
#include "tui/action.h"
#include "tui/alarms.h"
#include "tui/command.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/keys.h"
#include "tui/lease.h"
#include "tui/match.h"
#include "tui/pane.h"
#include "tui/prompt.h"
#include "tui/write.h"

#include <stdio.h>
#include <string.h>

#define LINES_MOST 14

/* ---- what there is */

/* The best PALETTE_MOST stay, the best first; equal ones in the order they came. */
static void consider(struct palette *p, enum palette_what what, uint32_t index, int score)
{
	unsigned at = p->n;
	if (score < 0)
		return;
	p->total++;
	while (at > 0 && p->item[at - 1].score < score)
		at--;
	if (at == PALETTE_MOST)
		return;
	p->n += p->n < PALETTE_MOST;
	memmove(&p->item[at + 1], &p->item[at], (p->n - 1 - at) * sizeof *p->item);
	p->item[at] = (struct palette_item){ what, index, score };
}

static bool offered(const struct view *v, const struct action *a)
{
	return a->where & (1u << view_screen(v)) && a->group != GROUP_PROMPT && a->group != GROUP_MOVE &&
	       a->run != act_palette && a->run != act_command;
}

void palette_fill(struct view *v)
{
	struct palette *p = &v->palette;
	const char *typed = v->prompt.text;
	const struct snapshot *s = v->snap;
	p->n = p->total = p->at = 0;
	for (uint32_t i = 0; s && i < s->nrows; i++)
		consider(p, PALETTE_ROW, i, match_score(typed, s->rows[i].name));
	for (uint32_t i = 0; s && i < s->nalarms; i++)
		consider(p, PALETTE_ALARM, i, match_score(typed, s->alarms[i].name));
	for (uint32_t i = 0; i < nactions; i++)
		if (offered(v, &actions[i]))
			consider(p, PALETTE_ACTION, i, match_score(typed, actions[i].help));
	for (uint32_t i = 0; i < nwrites; i++)
		consider(p, PALETTE_WRITE, i, match_score(typed, writes[i].help));
	for (uint32_t i = 0; i < ncommands; i++)
		if (!commands[i].args[0])
			consider(p, PALETTE_COMMAND, i, match_score(typed, commands[i].help));
}

/* ---- going there */

static void to_alarm(struct view *v, uint32_t index)
{
	act_go_overview(v);
	struct list_lines lines = alarms_lines(v);
	v->overview.focus = PANE_ALARMS;
	list_select(&v->overview.alarms, &lines, index);
}

static void accepted(struct view *v)
{
	const struct palette *p = &v->palette;
	if (p->at >= p->n) {
		view_note(v, "nothing matches");
		return;
	}
	struct palette_item it = p->item[p->at];
	switch (it.what) {
	case PALETTE_ROW:
		detail_show(v, v->snap->rows[it.index].id);
		if (view_screen(v) != SCREEN_DETAIL)
			view_push(v, SCREEN_DETAIL);
		break;
	case PALETTE_ALARM: to_alarm(v, it.index); break;
	case PALETTE_ACTION: actions[it.index].run(v); break;
	case PALETTE_COMMAND: commands[it.index].run(v, ""); break;
	case PALETTE_WRITE: write_choose(v, it.index); break;
	}
}

static void cancelled(struct view *v)
{
	v->prompt.text[0] = '\0';
}

static void move(struct view *v, int direction)
{
	struct palette *p = &v->palette;
	if (direction > 0 && p->at + 1 < p->n)
		p->at++;
	else if (direction < 0 && p->at > 0)
		p->at--;
}

static const struct prompt_kind palette_kind = {
	.label = "find: ", .changed = palette_fill, .accepted = accepted, .cancelled = cancelled, .move = move
};

void act_palette(struct view *v)
{
	prompt_open(v, &palette_kind, "");
	palette_fill(v);
}

bool palette_open(const struct view *v)
{
	return v->prompt.open && v->prompt.kind == &palette_kind;
}

/* ---- drawing */

static void draw_row_item(struct view *v, const struct area *a, int y, uint32_t index)
{
	struct canvas *c = &v->canvas;
	const struct row *r = &v->snap->rows[index];
	char kind[FIELD_SIZE];
	int name = a->w / 2;
	field_kind(r, kind);
	draw_str(c, y, a->x + 1, 2, style_of(r->health), health_mark(r->health));
	int x = a->x + GUTTER + draw_name(c, y, a->x + GUTTER, name, style_of(r->health), r->name) + 2;
	draw_fmt(c, y, x, a->w - x - 1, STYLE_FAINT, "%s, %s", kind, health_name(r->health));
}

static void draw_alarm_item(struct view *v, const struct area *a, int y, uint32_t index)
{
	struct canvas *c = &v->canvas;
	const struct alarm *alarm = &v->snap->alarms[index];
	int x = a->x + GUTTER + draw_name(c, y, a->x + GUTTER, a->w / 2, STYLE_NORMAL, alarm->name) + 2;
	draw_fmt(c, y, x, a->w - x - 1, STYLE_FAINT, "alarm, %s", alarm_state_name(alarm->state));
}

static void draw_item(struct view *v, const struct area *a, int y, const struct palette_item *it)
{
	struct canvas *c = &v->canvas;
	char key[KEY_NAME_SIZE];
	switch (it->what) {
	case PALETTE_ROW: draw_row_item(v, a, y, it->index); break;
	case PALETTE_ALARM: draw_alarm_item(v, a, y, it->index); break;
	case PALETTE_ACTION:
		draw_fmt(c, y, a->x + GUTTER, a->w - GUTTER, STYLE_NORMAL, "%s  (%s)", actions[it->index].help,
		         key_text(key_list(actions[it->index].keys, 0), key));
		break;
	case PALETTE_COMMAND:
		draw_fmt(c, y, a->x + GUTTER, a->w - GUTTER, STYLE_NORMAL, "%s  (:%s)", commands[it->index].help,
		         commands[it->index].name);
		break;
	case PALETTE_WRITE:
		draw_fmt(c, y, a->x + GUTTER, a->w - GUTTER, STYLE_NORMAL, "%s  (x %s, mode %s)", writes[it->index].help,
		         writes[it->index].key, lease_mode_name(writes[it->index].needs));
		break;
	}
}

void palette_draw(struct view *v, int y, int h)
{
	const struct palette *p = &v->palette;
	int lines = h - 2 < LINES_MOST ? h - 2 : LINES_MOST;
	lines = (int)p->n < lines ? (int)p->n : lines;
	lines = lines > 0 ? lines : 1;
	struct area a = { y + h - lines - 1, 0, lines + 1, v->canvas.cols };
	char note[64];
	int first = (int)p->at < lines ? 0 : (int)p->at - lines + 1;
	for (int i = 0; i < a.h; i++)
		draw_fmt(&v->canvas, a.y + i, 0, a.w, STYLE_NORMAL, "%*s", a.w, "");
	snprintf(note, sizeof note, "%u match, Up Down choose", p->total);
	pane_title(v, &a, "FIND  stages, alarms, what can be done here", note);
	for (int i = 0; i < lines && first + i < (int)p->n; i++) {
		draw_item(v, &a, a.y + 1 + i, &p->item[first + i]);
		if (first + i == (int)p->at)
			draw_style(&v->canvas, a.y + 1 + i, 0, a.w, STYLE_REVERSE);
	}
}
