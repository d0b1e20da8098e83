#include "tui/chart.h"

#include "core/clock.h"
#include "core/text.h"
#include "tui/glyph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 2048 /* of dots; a terminal wider than half of that gets a narrower chart */
#define NONE INT16_MIN

/* ---- numbers with their unit ---- */

static void seconds_label(double v, char out[16])
{
	char n[TEXT_NUM];
	if (fabs(v) < 60 && v != floor(v)) {
		text_number(v, n);
		snprintf(out, 16, "%.12ss", n);
	} else {
		text_duration(llround(v), n);
		snprintf(out, 16, "%s", n);
	}
}

void chart_label(double v, enum unit unit, char out[16])
{
	char n[TEXT_NUM];
	if (!isfinite(v)) {
		snprintf(out, 16, "-");
		return;
	}
	if (unit == UNIT_SECONDS || (unit == UNIT_MILLISECONDS && fabs(v) >= 1000)) {
		seconds_label(unit == UNIT_SECONDS ? v : v / 1000, out);
		return;
	}
	bool tiny = unit == UNIT_MILLISECONDS && fabs(v) < 0.095 && v != 0;
	if (unit == UNIT_PERCENT)
		text_percent(v, n);
	else
		text_number(tiny ? v * 1000 : v, n);
	static const char *const suffixes[] = { [UNIT_PERCENT] = "%", [UNIT_MILLISECONDS] = "ms", [UNIT_BYTES] = "B" };
	const char *suffix = tiny ? "us" : suffixes[unit] ? suffixes[unit] : "";
	snprintf(out, 16, "%.12s%s", n, suffix);
}

/* Halves of these are short too: the middle of the axis is labelled. */
static double round_number(double most)
{
	static const double steps[] = { 1, 2, 3, 4, 5, 6, 8, 10 };
	double power = pow(10, floor(log10(most)));
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (most <= steps[i] * power * (1 + 1e-9))
			return steps[i] * power;
	return 10 * power;
}

static double round_seconds(double most)
{
	static const double steps[] = { 1,    2,    4,     10,    20,    60,    120,    240,    600,    1200,
		                            3600, 7200, 14400, 21600, 43200, 86400, 172800, 345600, 691200, 1209600 };
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (most <= steps[i])
			return steps[i];
	return ceil(most / 1209600) * 1209600;
}

double chart_top(double most, enum unit unit)
{
	if (!(most > 0) || !isfinite(most))
		return 1;
	if (unit == UNIT_SECONDS && most >= 1)
		return round_seconds(most);
	if (unit == UNIT_MILLISECONDS && most > 1000)
		return round_seconds(most / 1000) * 1000;
	if (unit == UNIT_PERCENT && most > 80 && most <= 100)
		return 100;
	return round_number(most);
}

/* ---- the plot as dots ---- */

struct plot {
	const struct chart *ch;
	int cells, rows;    /* of text */
	int dots_x, dots_y; /* in all */
	double bottom, top;
	int16_t low[COLUMNS_MAX], high[COLUMNS_MAX]; /* by dot column; NONE: nothing there */
	int16_t ahead[COLUMNS_MAX];                  /* the forecast's dot; NONE */
};

static int dot_x(const struct plot *p, int64_t t)
{
	int64_t span = p->ch->to - p->ch->from;
	int x = (int)((t - p->ch->from) * p->dots_x / span);
	return x < 0 ? 0 : x >= p->dots_x ? p->dots_x - 1 : x;
}

static int dot_y(const struct plot *p, double v)
{
	double part = (v - p->bottom) / (p->top - p->bottom);
	int y = (int)lround(part * (p->dots_y - 1));
	return y < 0 ? 0 : y >= p->dots_y ? p->dots_y - 1 : y;
}

static void mark(struct plot *p, int x, int y0, int y1)
{
	int low = y0 < y1 ? y0 : y1, high = y0 < y1 ? y1 : y0;
	if (p->low[x] == NONE || low < p->low[x])
		p->low[x] = (int16_t)low;
	if (p->high[x] == NONE || high > p->high[x])
		p->high[x] = (int16_t)high;
}

static int64_t middle(const struct chart *ch, unsigned i)
{
	return ch->from + (int64_t)i * ch->step + ch->step / 2;
}

/* From one point to its neighbour in time; each column covers what the line climbs within it, so that it has no holes. */
static void join(struct plot *p, unsigned i)
{
	const struct chart *ch = p->ch;
	int x0 = dot_x(p, middle(ch, i)), x1 = dot_x(p, middle(ch, i + 1));
	int y0 = dot_y(p, ch->v[i]), y1 = dot_y(p, ch->v[i + 1]), before = y0;
	if (x0 == x1)
		mark(p, x0, y0, y1);
	for (int x = x0 + 1; x <= x1; x++) {
		int y = y0 + (int)lround((double)(y1 - y0) * (x - x0) / (x1 - x0));
		int start = y == before ? y : y > before ? before + 1 : before - 1;
		mark(p, x, start, y);
		before = y;
	}
}

static void plot_line(struct plot *p)
{
	const struct chart *ch = p->ch;
	for (unsigned i = 0; i < ch->n; i++) {
		if (!isfinite(ch->v[i]))
			continue;
		int x = dot_x(p, middle(ch, i)), y = dot_y(p, ch->v[i]);
		mark(p, x, y, y);
		if (i + 1 < ch->n && isfinite(ch->v[i + 1]))
			join(p, i);
	}
}

/* A bar covers its point's whole period; the tallest of several in one column wins. Zero is a line, not nothing. */
static void plot_bars(struct plot *p)
{
	const struct chart *ch = p->ch;
	for (unsigned i = 0; i < ch->n; i++) {
		if (!isfinite(ch->v[i]))
			continue;
		int64_t t = ch->from + (int64_t)i * ch->step;
		int first = dot_x(p, t), last = dot_x(p, t + ch->step - 1);
		int high = (int)lround((ch->v[i] - p->bottom) / (p->top - p->bottom) * p->dots_y);
		for (int x = first; x <= last; x++)
			mark(p, x, 0, high > p->dots_y ? p->dots_y - 1 : high > 0 ? high - 1 : 0);
	}
}

/* Every other dot column, so that it reads as what has not happened. */
static void plot_forecast(struct plot *p)
{
	const struct chart_forecast *f = &p->ch->forecast;
	if (!f->from || f->to <= f->from)
		return;
	int first = dot_x(p, f->from), last = dot_x(p, f->to);
	int64_t span = p->ch->to - p->ch->from;
	for (int x = first; x <= last; x++) {
		int64_t t = p->ch->from + span * x / p->dots_x;
		if (p->low[x] == NONE && (x % 2 == 0 || p->dots_x == p->cells))
			p->ahead[x] = (int16_t)dot_y(p, f->at + f->slope * (double)(t - f->from));
	}
}

static void plot_scale(struct plot *p)
{
	const struct chart *ch = p->ch;
	double most = 0, least = 0;
	for (unsigned i = 0; i < ch->n; i++) {
		most = isfinite(ch->v[i]) && ch->v[i] > most ? ch->v[i] : most;
		least = isfinite(ch->v[i]) && ch->v[i] < least ? ch->v[i] : least;
	}
	for (unsigned i = 0; i < ch->nlevels; i++)
		most = ch->levels[i].at > most ? ch->levels[i].at : most;
	const struct chart_forecast *f = &ch->forecast;
	double end = f->from ? f->at + f->slope * (double)(f->to - f->from) : 0;
	most = end > most ? end : most;
	p->top = chart_top(most, ch->unit);
	p->bottom = least < 0 ? -chart_top(-least, ch->unit) : 0;
}

static bool plot_init(struct plot *p, const struct chart *ch, int cells, int rows, unsigned level)
{
	*p = (struct plot){ .ch = ch, .cells = cells, .rows = rows };
	p->dots_x = cells * (level == GLYPH_BRAILLE ? 2 : 1);
	p->dots_y = rows * (level == GLYPH_BRAILLE ? 4 : level == GLYPH_BLOCK ? 8 : 1);
	for (int x = 0; x < p->dots_x; x++)
		p->low[x] = p->high[x] = p->ahead[x] = NONE;
	plot_scale(p);
	return ch->to > ch->from && ch->step > 0;
}

/* ---- dots to glyphs ---- */

static unsigned braille_bits(const struct plot *p, int cell, int row)
{
	static const uint8_t bit[2][4] = { { 0x40, 0x04, 0x02, 0x01 },
		                               { 0x80, 0x20, 0x10, 0x08 } }; /* from the bottom up */
	unsigned bits = 0;
	for (int dx = 0; dx < 2; dx++) {
		int x = cell * 2 + dx;
		for (int dy = 0; dy < 4 && p->low[x] != NONE; dy++) {
			int y = row * 4 + dy;
			if (y >= p->low[x] && y <= p->high[x])
				bits |= bit[dx][dy];
		}
		int ahead = p->ahead[x] - row * 4;
		if (p->ahead[x] != NONE && ahead >= 0 && ahead < 4)
			bits |= bit[dx][ahead];
	}
	return bits;
}

static uint32_t glyph_at(const struct plot *p, unsigned level, int cell, int row)
{
	if (level == GLYPH_BRAILLE) {
		unsigned bits = braille_bits(p, cell, row);
		return bits ? 0x2800 + bits : ' ';
	}
	int low = p->low[cell], high = p->high[cell];
	if (low == NONE)
		return p->ahead[cell] != NONE && p->ahead[cell] / (level == GLYPH_BLOCK ? 8 : 1) == row ? '.' : ' ';
	if (level == GLYPH_BLOCK) {
		int eighths = high - row * 8 + 1;
		return eighths <= 0 ? ' ' : eighths >= 8 ? 0x2588 : (uint32_t)(0x2580 + eighths);
	}
	if (row < low || row > high)
		return ' ';
	return row > low && row < high ? '|' : '*';
}

static void draw_plot(struct canvas *c, int y, int x, const struct plot *p, unsigned level)
{
	for (int row = 0; row < p->rows; row++)
		for (int cell = 0; cell < p->cells; cell++) {
			char s[4];
			uint32_t glyph = glyph_at(p, level, cell, row);
			if (glyph != ' ')
				draw_text(c, y + p->rows - 1 - row, x + cell, 1, STYLE_NORMAL,
				          (struct span){ s, text_encode(glyph, s) });
		}
}

/* Dashed, where nothing else stands; its label at the left, where the past is. */
static void draw_level(struct canvas *c, int y, int x, const struct plot *p, unsigned level,
                       const struct chart_level *l)
{
	int per = p->dots_y / p->rows, row = dot_y(p, l->at) / per, at = y + p->rows - 1 - row;
	if (!isfinite(l->at) || l->at < p->bottom || l->at > p->top)
		return;
	for (int cell = 0; cell < p->cells; cell += 2)
		if (glyph_at(p, level, cell, row) == ' ')
			draw_str(c, at, x + cell, 1, STYLE_FAINT, level ? "\xE2\x95\x8C" : "-");
	int cells = l->label ? (int)text_width(span_of(l->label)) : 0;
	bool room = cells > 0 && cells + 4 < p->cells;
	for (int cell = 1; room && cell < cells + 3; cell++)
		room = glyph_at(p, level, cell, row) == ' ';
	if (room)
		draw_fmt(c, at, x + 1, cells + 2, STYLE_FAINT, " %s ", l->label);
}

/* "loss 21:05Z ^" below the line's end, or what lies beyond the right edge. */
static void draw_end(struct canvas *c, int y, int x, const struct plot *p, unsigned level)
{
	const struct chart *ch = p->ch;
	const struct chart_forecast *f = &ch->forecast;
	char when[WHEN_SIZE], text[WHEN_SIZE + 40];
	if (!f->from || !f->word)
		return;
	when_text(ch->times, f->to, ch->now, when);
	if (f->ends)
		snprintf(text, sizeof text, "%s %s %s", f->word, when, level ? "\xE2\x96\xB2" : "^");
	else
		snprintf(text, sizeof text, "%s beyond %s", f->word, level ? "\xE2\x96\xB6" : ">");
	int cells = (int)text_width(span_of(text)), at = (int)((f->to - ch->from) * p->cells / (ch->to - ch->from));
	int row = p->rows - 1 - dot_y(p, f->at + f->slope * (double)(f->to - f->from)) * p->rows / p->dots_y + 1;
	at = (at < p->cells ? at : p->cells - 1) - cells + 1;
	if (at >= 0 && row < p->rows)
		draw_str(c, y + row, x + at, cells, STYLE_NORMAL, text);
}

static void draw_cursor(struct canvas *c, int y, int x, const struct plot *p, unsigned level)
{
	const struct chart *ch = p->ch;
	if (ch->cursor < ch->from || ch->cursor >= ch->to)
		return;
	int at = (int)((ch->cursor - ch->from) * p->cells / (ch->to - ch->from));
	for (int row = 0; row < p->rows; row++) {
		if (glyph_at(p, level, at, p->rows - 1 - row) == ' ')
			draw_str(c, y + row, x + at, 1, STYLE_FAINT, level ? "\xE2\x94\x82" : "|");
		draw_style(c, y + row, x + at, 1, STYLE_REVERSE);
	}
}

/* ---- axes ---- */

static void draw_scale(struct canvas *c, int y, int x, const struct plot *p, unsigned level)
{
	char s[16];
	for (int row = 0; row < p->rows; row++) {
		double v = row == 0 ? p->top : row == p->rows - 1 ? p->bottom : (p->top + p->bottom) / 2;
		bool labelled = row == 0 || row == p->rows - 1 || (p->rows >= 5 && row == p->rows / 2);
		chart_label(v, p->ch->unit, s);
		if (labelled)
			draw_right(c, y + row, x, CHART_LABEL - 1, STYLE_NORMAL, s);
		draw_str(c, y + row, x + CHART_LABEL - 1, 1, STYLE_FAINT, level ? "\xE2\x94\x82" : "|");
	}
}

static void time_mark(const struct chart *ch, int64_t t, bool days, char out[WHEN_SIZE])
{
	if (days && ch->times != TIMES_AGE) { /* the day alone, which that instant begins */
		char full[CLOCK_RFC3339_SIZE];
		clock_rfc3339(t, full);
		snprintf(out, WHEN_SIZE, "^%.5s", full + 5);
		return;
	}
	char hm[WHEN_SIZE], age[TEXT_NUM];
	when_hm(ch->times, t, ch->now, hm);
	if (ch->times == TIMES_AGE) {
		text_duration_brief(t > ch->now ? t - ch->now : ch->now - t, age);
		snprintf(hm, sizeof hm, "%c%.10s", t > ch->now ? '+' : '-', age);
	}
	snprintf(out, WHEN_SIZE, "^%.6s", hm);
}

/* Each mark points at the instant that it names. */
static void draw_times(struct canvas *c, int y, int x, const struct plot *p)
{
	static const int64_t every[] = { 60,   120,   300,   600,   900,   1800,   3600,
		                             7200, 10800, 21600, 43200, 86400, 172800, 604800 };
	const int label = 7, apart = 11;
	const struct chart *ch = p->ch;
	int64_t span = ch->to - ch->from, step = every[0];
	for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
		step = every[i];
		if (step * p->cells / span >= apart)
			break;
	}
	bool now = ch->now > ch->from && ch->now < ch->to && ch->forecast.from;
	int here = now ? (int)((ch->now - ch->from) * p->cells / span) : -label;
	for (int64_t t = (ch->from + step - 1) / step * step; t < ch->to; t += step) {
		int at = (int)((t - ch->from) * p->cells / span);
		char text[WHEN_SIZE];
		time_mark(ch, t, step >= 86400, text);
		if (at + label <= p->cells && (at + label < here || at > here + 4))
			draw_str(c, y, x + at, label, STYLE_FAINT, text);
	}
	if (now)
		draw_str(c, y, x + here, here + 4 <= p->cells ? 4 : 1, STYLE_STRONG, "^now");
}

void chart_draw(struct canvas *c, int y, int x, int h, int w, unsigned level, const struct chart *ch)
{
	static struct plot p; /* large, and drawing is one thread's */
	int cells = w - CHART_LABEL, rows = h - 1;
	if (rows < 2 || cells < 8)
		return;
	if (cells > COLUMNS_MAX / 2)
		cells = COLUMNS_MAX / 2;
	if (rows > 3 && rows % 2 == 0)
		rows--, y++; /* an odd number has a middle to label */
	if (!plot_init(&p, ch, cells, rows, level))
		return;
	if (level == GLYPH_BLOCK)
		plot_bars(&p);
	else
		plot_line(&p);
	plot_forecast(&p);
	draw_scale(c, y, x, &p, level);
	for (unsigned i = 0; i < ch->nlevels; i++)
		draw_level(c, y, x + CHART_LABEL, &p, level, &ch->levels[i]);
	draw_plot(c, y, x + CHART_LABEL, &p, level);
	draw_end(c, y, x + CHART_LABEL, &p, level);
	draw_cursor(c, y, x + CHART_LABEL, &p, level);
	draw_times(c, y + rows, x + CHART_LABEL, &p);
}

int64_t chart_cell_seconds(const struct chart *ch, int w)
{
	int cells = w - CHART_LABEL;
	int64_t each = cells > 0 ? (ch->to - ch->from) / cells : ch->step;
	return each > ch->step ? each : ch->step;
}

double chart_at(const struct chart *ch, int64_t t)
{
	if (t < ch->from || ch->step == 0 || (uint64_t)(t - ch->from) / ch->step >= ch->n)
		return NAN;
	return ch->v[(t - ch->from) / ch->step];
}

/* ---- sparklines ---- */

void spark_text(const uint8_t *v, unsigned n, unsigned cells, unsigned level, char out[SPARK_BYTES])
{
	static const char ascii[] = "_-:=+*%#@";
	unsigned first = cells < n ? n - cells : 0, at = 0;
	for (unsigned i = first; i < n && at + 3 < SPARK_BYTES; i++) {
		bool gap = v[i] > 8;
		uint32_t glyph = gap ? 0xB7 : v[i] ? 0x2580 + v[i] : '_';
		if (level == GLYPH_ASCII)
			glyph = gap ? '.' : (uint32_t)ascii[v[i]];
		at += text_encode(glyph, out + at);
	}
	out[at] = '\0';
}
