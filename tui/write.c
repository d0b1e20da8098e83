#include "tui/write.h"

#include "core/text.h"
#include "tui/action.h"
#include "tui/keys.h"
#include "tui/lease.h"
#include "tui/pane.h"
#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>

const struct write writes[] = {
#define X(id, key, needs, op, sure, help) { #id, key, needs, op, sure, help, write_##id },
	WRITES(X)
#undef X
};
const unsigned nwrites = sizeof writes / sizeof *writes;

bool menu_open(const struct view *v)
{
	return v->menu.open || v->menu.question[0];
}

void act_write(struct view *v)
{
	if (view_acts(v))
		v->menu.open = true;
}

/* ---- a small write is confirmed with y, in production with the target's name */

static void go(struct view *v)
{
	char why[160];
	const struct write *w = &writes[v->menu.chosen];
	v->menu.question[0] = '\0';
	if (!lease_allows(v, w->needs, why, sizeof why)) /* it may have run out meanwhile */
		view_note(v, "%s: nothing was sent", why);
	else if (v->menu.go)
		v->menu.go(v);
}

static void name_typed(struct view *v)
{
	snprintf(v->menu.typed, sizeof v->menu.typed, "%s", v->prompt.text);
	if (v->options->target_name && strcmp(v->prompt.text, v->options->target_name) == 0)
		go(v);
	else
		view_note(v, "that is not the target's name: nothing was sent");
	v->menu.question[0] = '\0';
}

static void unasked(struct view *v)
{
	v->menu.question[0] = '\0';
	view_note(v, "not confirmed: nothing was sent");
}

static void nothing(struct view *v)
{
	(void)v;
}

static const struct prompt_kind name_kind = {
	.label = "PRODUCTION, type the target's name: ", .changed = nothing, .accepted = name_typed, .cancelled = unasked
};

void write_sure(struct view *v)
{
	if (v->options->production)
		prompt_open(v, &name_kind, "");
}

void write_choose(struct view *v, unsigned i)
{
	char why[160];
	const struct write *w = &writes[i];
	v->menu.open = false;
	v->menu.chosen = i;
	v->menu.typed[0] = v->menu.question[0] = '\0';
	if (!lease_allows(v, w->needs, why, sizeof why)) {
		view_note(v, "%s", why);
		return;
	}
	if (w->ask(v) && w->sure == SURE_YES)
		write_sure(v);
}

void menu_key(struct view *v, uint32_t key)
{
	char name[KEY_NAME_SIZE];
	v->note[0] = '\0';
	if (v->menu.question[0]) {
		if (key == key_list("y", 0))
			go(v);
		else
			unasked(v);
		return;
	}
	v->menu.open = false;
	for (unsigned i = 0; i < nwrites; i++)
		if (key == key_list(writes[i].key, 0)) {
			write_choose(v, i);
			return;
		}
	if (key != K_ESC)
		view_note(v, "x %s is no write", key_text(key, name));
}

void menu_draw(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	char why[160], mode[32];
	if (v->menu.question[0]) {
		struct area a = { y + h - 2, 0, 2, c->cols };
		draw_fmt(c, a.y + 1, 0, a.w, STYLE_NORMAL, "%*s", a.w, "");
		pane_title(v, &a, "REALLY?", v->prompt.open ? "" : "y does it, any other key does not");
		draw_sentence(c, a.y + 1, 2, a.w - 2, STYLE_STRONG, v->menu.question);
		return;
	}
	int lines = (int)nwrites < h - 1 ? (int)nwrites : h - 1;
	struct area a = { y + h - lines - 1, 0, lines + 1, c->cols };
	snprintf(mode, sizeof mode, "mode %s", lease_mode_name(lease_mode(v)));
	for (int i = 0; i <= lines; i++)
		draw_fmt(c, a.y + i, 0, a.w, STYLE_NORMAL, "%*s", a.w, "");
	pane_title(v, &a, "WRITES  a letter chooses, Esc leaves", mode);
	for (int i = 0; i < lines; i++) {
		const struct write *w = &writes[i];
		bool may = lease_allows(v, w->needs, why, sizeof why);
		int row = a.y + 1 + i;
		draw_fmt(c, row, 1, 4, may ? STYLE_STRONG : STYLE_FAINT, "x %s", w->key);
		draw_str(c, row, 6, 42, may ? STYLE_NORMAL : STYLE_FAINT, w->help);
		draw_str(c, row, 49, 8, STYLE_FAINT, lease_mode_name(w->needs));
		draw_sentence(c, row, 58, c->cols - 58, STYLE_FAINT, may ? w->op : why);
	}
}
