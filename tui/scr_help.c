/* Help, made from the action table: it cannot say what the keys do not do. */
#include "tui/action.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/write.h"

#include <stdio.h>
#include <string.h>

#define COLUMN 40 /* cells of one */
#define KEYS 11

/* What the marks mean, from the one table of them. */
static const char *const marks[HEALTH_COUNT] = {
	[HEALTH_ALARM] = "alarm",
	[HEALTH_WARN] = "warning",
	[HEALTH_UNKNOWN] = "unknown: no data, refused",
	[HEALTH_STALE] = "stale: too old to trust",
	[HEALTH_OK] = "ok: fresh and fine",
	[HEALTH_IDLE] = "idle: nothing happens",
};

struct entry {
	const char *left, *right;
	enum style style;
};

/* "x r" */
static const char *write_keys(unsigned i)
{
	static char text[8][8];
	snprintf(text[i % 8], sizeof *text, "x %s", writes[i].key);
	return text[i % 8];
}

static unsigned under(const struct view *v)
{
	return v->depth > 1 ? 1u << v->stack[v->depth - 2] : 0;
}

/* The text as lines, the keys of all screens or only of those in `where`; returns how many. out may be NULL to count. */
static unsigned entries(const struct view *v, unsigned where, struct entry *out)
{
	unsigned n = 0;
#define ADD(...)                                                                                                       \
	do {                                                                                                               \
		if (out)                                                                                                       \
			out[n] = (struct entry){ __VA_ARGS__ };                                                                    \
		n++;                                                                                                           \
	} while (0)
	for (int g = 0; g < GROUP_COUNT; g++) {
		bool titled = false;
		for (unsigned i = 0; i < nactions; i++) {
			const struct action *a = &actions[i];
			if (a->group != (enum action_group)g || !(a->where & where))
				continue;
			if (!titled)
				ADD(action_group_title(a->group), NULL, STYLE_STRONG);
			titled = true;
			ADD(a->keys, a->help, a->where & (under(v) | IN_PROMPT) ? STYLE_NORMAL : STYLE_FAINT);
		}
	}
	ADD("WRITES, AFTER W", NULL, STYLE_STRONG);
	for (unsigned i = 0; i < nwrites; i++)
		ADD(write_keys(i), writes[i].help, STYLE_NORMAL);
	ADD("MARKS", NULL, STYLE_STRONG);
	for (int h = HEALTH_COUNT - 1; h >= 0; h--)
		ADD(health_mark((enum health)h), marks[h], style_of((enum health)h));
#undef ADD
	return n;
}

static uint64_t line_id(const void *ctx, unsigned line)
{
	(void)ctx;
	return line + 1u;
}

#define ENTRIES_MAX 128

struct page {
	struct entry all[ENTRIES_MAX];
	unsigned n, cols, high, rows; /* high: of a column; rows: seen at once */
	bool whole;                   /* the keys of all screens */
};

/* Everything when it fits, else the keys of the screen that help was asked on. */
static void page_of(const struct view *v, int h, struct page *p)
{
	p->cols = (unsigned)(v->canvas.cols / COLUMN);
	p->rows = (unsigned)h - 1;
	p->n = entries(v, UINT32_MAX, NULL);
	p->whole = p->n <= p->cols * p->rows;
	unsigned where = p->whole ? UINT32_MAX : under(v) | IN_PROMPT;
	p->n = entries(v, where, NULL) <= ENTRIES_MAX ? entries(v, where, p->all) : 0;
	p->high = (p->n + p->cols - 1) / p->cols;
}

static void draw_entry(struct canvas *c, int y, int x, const struct entry *e)
{
	if (!e->right) {
		draw_str(c, y, x, COLUMN - 1, e->style, e->left);
		return;
	}
	draw_str(c, y, x + 1, KEYS - 1, e->style, e->left);
	draw_str(c, y, x + 1 + KEYS, COLUMN - KEYS - 2, e->style, e->right);
}

static void draw_help(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	struct page p;
	char title[64];
	page_of(v, h, &p);
	unsigned most = p.high > p.rows ? p.high - p.rows : 0;
	if (v->help.top > most)
		v->help.top = most;
	v->help.page = p.rows;
	snprintf(title, sizeof title, "HELP  %s", v->depth > 1 ? screen_get(v->stack[v->depth - 2])->name : "");
	draw_rule(c, y, 0, c->cols, v->level > GLYPH_ASCII, title,
	          most      ? "j k scroll"
	          : p.whole ? "keys of other screens are faint"
	                    : "keys of this screen");
	for (unsigned i = 0; i < p.n; i++) {
		unsigned row = i % p.high;
		if (row >= v->help.top && row < v->help.top + p.rows)
			draw_entry(c, y + 1 + (int)(row - v->help.top), (int)(i / p.high) * COLUMN, &p.all[i]);
	}
}

/* There is nothing to select: moving scrolls. */
static void move_help(struct view *v, enum move m)
{
	struct list *l = &v->help;
	unsigned n = entries(v, UINT32_MAX, NULL);
	struct list_lines lines = { .n = n, .id = line_id };
	l->line = l->top;
	list_move(l, &lines, m);
	l->top = l->line;
}

const struct screen screen_help = { .name = "help", .draw = draw_help, .move = move_help };
