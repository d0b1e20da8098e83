#include "tui/theme.h"

#include "tui/draw.h"

#include <stdlib.h>

/* Colours as 256-, 16- and 8-colour terminals number them; -1 is the terminal's own foreground. Without colour a role keeps
 * its attribute, and every state has a mark and a word beside it anyhow. */
static const struct look {
	short many, bright, few;
	attr_t with_color, without;
} looks[STYLE_COUNT] = {
	[STYLE_NORMAL] = { -1, -1, -1, A_NORMAL, A_NORMAL },      [STYLE_STRONG] = { -1, -1, -1, A_BOLD, A_BOLD },
	[STYLE_FAINT] = { 245, 8, -1, A_NORMAL, A_NORMAL },       [STYLE_ALARM] = { 203, 9, COLOR_RED, A_BOLD, A_BOLD },
	[STYLE_WARN] = { 214, 11, COLOR_YELLOW, A_BOLD, A_BOLD }, [STYLE_UNKNOWN] = { 245, 8, -1, A_NORMAL, A_DIM },
	[STYLE_STALE] = { 245, 8, -1, A_NORMAL, A_DIM },
};

static bool colored;

static short number(const struct look *l)
{
	return COLORS >= 256 ? l->many : COLORS >= 16 ? l->bright : l->few;
}

static bool wanted(enum tui_color color)
{
	const char *no = getenv("NO_COLOR");
	return color == TUI_COLOR_ALWAYS || (color == TUI_COLOR_AUTO && !(no && no[0]));
}

void theme_init(enum tui_color color)
{
	colored = wanted(color) && has_colors() && start_color() == OK && COLORS >= 8;
	if (!colored)
		return;
	short background = use_default_colors() == OK ? -1 : COLOR_BLACK;
	for (short i = 0; i < STYLE_COUNT; i++) {
		short n = number(&looks[i]);
		if (n >= 0)
			init_pair((short)(i + 1), n, background);
	}
}

void theme_look(unsigned style, attr_t *attrs, short *pair)
{
	unsigned role = style & ~STYLE_REVERSE;
	const struct look *l = &looks[role < STYLE_COUNT ? role : STYLE_NORMAL];
	bool own = colored && number(l) >= 0;
	*pair = own ? (short)(l - looks + 1) : 0;
	*attrs = own ? l->with_color : l->without;
	if (colored && !own && number(l) < 0 && l->few < 0 && l->many >= 0)
		*attrs = A_DIM; /* eight colours have no grey */
	if (style & STYLE_REVERSE)
		*attrs |= A_REVERSE;
}
