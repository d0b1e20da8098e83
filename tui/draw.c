#include "tui/draw.h"

#include "core/mem.h"
#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH_MAX 8192
#define INPUT_MAX                                                                                                      \
	4096 /* of one text: wider than any terminal, so that a huge alarm reason costs no more than a short one */

void canvas_init(struct canvas *c, bool utf8)
{
	*c = (struct canvas){ .utf8 = utf8 };
	buf_init(&c->scratch, SCRATCH_MAX);
}

void canvas_blank(struct canvas *c)
{
	const struct cell blank = { .s = " ", .width = 1 };
	for (size_t i = 0; i < (size_t)c->rows * (size_t)c->cols; i++)
		c->cell[i] = blank;
	c->cursor_on = false;
	c->cursor_y = c->cursor_x = 0;
}

void canvas_size(struct canvas *c, int rows, int cols)
{
	c->rows = rows > 0 ? rows : 0;
	c->cols = cols > 0 ? cols : 0;
	c->cell = xreallocarray(c->cell, (size_t)c->rows * (size_t)c->cols, sizeof *c->cell);
	canvas_blank(c);
}

void canvas_clear(struct canvas *c)
{
	free(c->cell);
	buf_clear(&c->scratch);
	*c = (struct canvas){ 0 };
}

unsigned cell_bytes(const struct cell *cell)
{
	return (unsigned)strnlen(cell->s, CELL_BYTES);
}

void canvas_text(const struct canvas *c, struct buf *out)
{
	for (int y = 0; y < c->rows; y++) {
		const struct cell *row = c->cell + (size_t)y * (size_t)c->cols;
		int last = c->cols;
		while (last > 0 && row[last - 1].s[0] == ' ' && row[last - 1].s[1] == '\0')
			last--;
		for (int x = 0; x < last; x++)
			buf_add(out, row[x].s, cell_bytes(&row[x]));
		buf_addc(out, '\n');
	}
}

/* ---- writing cells ---- */

static struct cell *cell_at(struct canvas *c, int y, int x)
{
	return c->cell + (size_t)y * (size_t)c->cols + (size_t)x;
}

/* Overwriting half of a wide cluster would leave the other half behind. */
static void unpair(struct canvas *c, int y, int x)
{
	const struct cell blank = { .s = " ", .width = 1 };
	struct cell *at = cell_at(c, y, x);
	if (at->s[0] == '\0' && x > 0)
		at[-1] = blank;
	if (at->width == 2 && x + 1 < c->cols)
		at[1] = blank;
	*at = blank;
}

static void put(struct canvas *c, int y, int x, unsigned style, struct span cluster, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		unpair(c, y, x + (int)i);
	struct cell *at = cell_at(c, y, x);
	*at = (struct cell){ .width = (uint8_t)width, .style = (uint8_t)style };
	size_t n = 0;
	while (n < cluster.n) {
		uint32_t cp;
		unsigned len = text_decode(cluster.p + n, cluster.n - n, &cp);
		if (len == 0 || n + len > CELL_BYTES)
			break;
		n += len;
	}
	memcpy(at->s, cluster.p, n);
	if (width == 2)
		at[1] = (struct cell){ .width = 0, .style = (uint8_t)style };
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7F;
}

/* The next grapheme cluster of already visible text, at most two cells wide. */
static struct span next_cluster(struct span s, unsigned *width)
{
	*width = 1;
	if (is_plain(s.p[0]) && (s.n == 1 || is_plain(s.p[1])))
		return (struct span){ s.p, 1 };
	for (unsigned cells = 1; cells <= 2; cells++) {
		struct span cluster = text_clip(s, cells, width);
		if (cluster.n && *width)
			return cluster;
	}
	*width = 0; /* nothing that takes a cell, or wider than two */
	uint32_t cp;
	unsigned len = text_decode(s.p, s.n, &cp);
	return (struct span){ s.p, len ? len : 1 };
}

static struct span filtered(struct canvas *c, struct span text)
{
	if (text.n > INPUT_MAX)
		text.n = INPUT_MAX;
	buf_reset(&c->scratch);
	text_visible(&c->scratch, text);
	return buf_span(&c->scratch);
}

static int draw_visible(struct canvas *c, int y, int x, int width, unsigned style, struct span s)
{
	int used = 0;
	while (s.n) {
		unsigned w;
		struct span cluster = next_cluster(s, &w);
		if (used + (int)w > width)
			break;
		if (w && !c->utf8 && !(cluster.n == 1 && is_plain(cluster.p[0])))
			for (unsigned i = 0; i < w; i++)
				put(c, y, x + used + (int)i, style, SPAN("?"), 1);
		else if (w)
			put(c, y, x + used, style, cluster, w);
		used += (int)w;
		s = (struct span){ s.p + cluster.n, s.n - cluster.n };
	}
	return used;
}

/* Clips the field to the canvas; false when nothing of it lies inside. */
static bool inside(const struct canvas *c, int y, int x, int *width)
{
	if (y < 0 || y >= c->rows || x < 0 || x >= c->cols)
		return false;
	if (*width > c->cols - x)
		*width = c->cols - x;
	return *width > 0;
}

int draw_text(struct canvas *c, int y, int x, int width, unsigned style, struct span text)
{
	if (!inside(c, y, x, &width) || !text.n)
		return 0;
	return draw_visible(c, y, x, width, style, filtered(c, text));
}

int draw_str(struct canvas *c, int y, int x, int width, unsigned style, const char *s)
{
	return draw_text(c, y, x, width, style, span_of(s));
}

int draw_fmt(struct canvas *c, int y, int x, int width, unsigned style, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	return draw_str(c, y, x, width, style, line);
}

void draw_right(struct canvas *c, int y, int x, int width, unsigned style, const char *s)
{
	int cells = (int)text_width(filtered(c, span_of(s)));
	if (cells <= width) {
		draw_str(c, y, x + width - cells, cells, style, s);
		return;
	}
	for (int i = 0; i < width; i++)
		draw_str(c, y, x + i, 1, style, "#");
}

int draw_name(struct canvas *c, int y, int x, int width, unsigned style, const char *s)
{
	struct span full = filtered(c, span_of(s));
	if (width <= 0 || (int)text_width(full) <= width)
		return draw_str(c, y, x, width, style, s);
	struct buf out;
	buf_init(&out, SCRATCH_MAX);
	text_shorten(&out, full, (unsigned)width, c->utf8 && !c->ascii);
	int used = inside(c, y, x, &width) ? draw_visible(c, y, x, width, style, buf_span(&out)) : 0;
	buf_clear(&out);
	return used;
}

int draw_sentence(struct canvas *c, int y, int x, int width, unsigned style, const char *s)
{
	if ((int)text_width(filtered(c, span_of(s))) <= width)
		return draw_str(c, y, x, width, style, s);
	int used = draw_str(c, y, x, width - 1, style, s);
	return used + draw_str(c, y, x + used, 1, STYLE_FAINT, ">");
}

void draw_style(struct canvas *c, int y, int x, int width, unsigned style)
{
	if (!inside(c, y, x, &width))
		return;
	for (int i = 0; i < width; i++)
		cell_at(c, y, x + i)->style |= (uint8_t)style;
}

void draw_rule(struct canvas *c, int y, int x, int width, bool blocks, const char *title, const char *note)
{
	const char *dash = blocks ? "\xE2\x94\x80" : "-";
	for (int i = 0; i < width; i++)
		draw_str(c, y, x + i, 1, STYLE_FAINT, dash);
	int at = 3, end = width - 3;
	if (title && title[0] && width > 8) {
		draw_str(c, y, x + at - 1, 1, STYLE_FAINT, " ");
		at += draw_sentence(c, y, x + at, width - 8, STYLE_STRONG, title);
		draw_str(c, y, x + at++, 1, STYLE_FAINT, " ");
	}
	int cells = note ? (int)text_width(filtered(c, span_of(note))) : 0;
	if (cells && end - cells - 1 > at) {
		draw_fmt(c, y, x + end - cells - 1, cells + 2, STYLE_FAINT, " %s ", note);
	}
}

int draw_words(struct canvas *c, int y, int h, int x, int width, unsigned style, const char *text)
{
	struct buf b;
	int row = 0;
	buf_init(&b, 1 << 16);
	text_visible(&b, span_of(text));
	struct span rest = buf_span(&b);
	while (rest.n && row < h && width > 0) {
		unsigned used;
		struct span part = text_clip(rest, (unsigned)width, &used);
		size_t n = part.n;
		while (part.n < rest.n && n && part.p[n - 1] != ' ')
			n--;
		n = part.n == rest.n || n == 0 ? part.n : n;
		draw_text(c, y + row++, x, width, style, (struct span){ rest.p, n });
		rest = span_trim((struct span){ rest.p + n, rest.n - n });
		if (n == 0)
			break;
	}
	buf_clear(&b);
	return row;
}
