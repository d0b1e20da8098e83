#include "tui/pane.h"

#include "tui/glyph.h"

void pane_select(struct view *v, const struct area *a, int y)
{
	struct canvas *c = &v->canvas;
	draw_str(c, y, a->x, 1, STYLE_STRONG, v->level > GLYPH_ASCII ? "\xE2\x96\xB6" : ">");
	draw_style(c, y, a->x, a->w, STYLE_REVERSE);
	c->cursor_y = y;
	c->cursor_x = a->x;
}

void pane_title(struct view *v, const struct area *a, const char *title, const char *note)
{
	draw_rule(&v->canvas, a->y, a->x, a->w, v->level > GLYPH_ASCII, title, note);
}
