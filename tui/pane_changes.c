/* What changed: the newest events, oldest of them on top, each as exactly in time as its source knows it. */
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

/* Events do not change: what one says is what it is. */
static uint64_t event_id(const void *ctx, unsigned line)
{
	const struct view *v = ctx;
	const struct event *e = &v->snap->events[v->snap->nevents - 1 - line];
	uint64_t h = 14695981039346656037u ^ (uint64_t)e->at ^ (uint64_t)e->kind << 56;
	for (const char *p = e->subject; p && *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	for (const char *p = e->text; p && *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h ? h : 1;
}

struct list_lines changes_lines(const struct view *v)
{
	return (struct list_lines){ .n = v->snap ? v->snap->nevents : 0, .id = event_id, .ctx = v };
}

enum column { C_WHEN, C_SERVICE, C_SUBJECT, C_TEXT, C_BY, C_SOURCE, C_COUNT };
static const struct list_column columns[C_COUNT] = {
	[C_WHEN] = { "", 6, 6, 26, 0, false },      [C_TEXT] = { "", 16, 32, 160, 1, false },
	[C_SUBJECT] = { "", 10, 16, 32, 2, false }, [C_SERVICE] = { "", 7, 8, 10, 3, false },
	[C_BY] = { "", 8, 16, 24, 4, false },       [C_SOURCE] = { "", 16, 28, 36, 5, false },
};

/* Where there is little room the session's name alone; all of it stands on the event's own screen. */
static void by_text(const struct view *v, const struct event *e, char *out, size_t size)
{
	const char *who = e->by ? who_word(e->by) : "", *slash = v->canvas.cols < 100 ? strrchr(who, '/') : NULL;
	snprintf(out, size, "%s%s", e->by ? "by " : "", slash ? slash + 1 : who);
}

static void cell_text(const struct view *v, const struct event *e, enum column col, char *out, size_t size)
{
	char when[WHEN_SIZE];
	switch (col) {
	case C_WHEN:
		when_between(v->time_style, e->at, e->at_most, v->now, when);
		snprintf(out, size, "%s", when);
		break;
	case C_SERVICE:
		snprintf(out, size, "%s",
		         e->service && e->service[0] && e->kind != EVENT_ALARM ? e->service : event_kind_name(e->kind));
		break;
	case C_SUBJECT: snprintf(out, size, "%s", e->subject ? e->subject : ""); break;
	case C_BY: by_text(v, e, out, size); break;
	case C_SOURCE: snprintf(out, size, "%s", e->source ? e->source : ""); break;
	default: snprintf(out, size, "%s", e->text ? e->text : ""); break;
	}
}

/* Each column is as wide as the lines in sight need, where there is room. */
static void fit(const struct view *v, unsigned first, unsigned n, int cells, uint8_t width[C_COUNT])
{
	struct list_column fitted[C_COUNT];
	memcpy(fitted, columns, sizeof fitted);
	for (unsigned col = 0; col < C_COUNT; col++) {
		size_t longest = 0;
		for (unsigned i = 0; i < n; i++) {
			char text[256];
			cell_text(v, &v->snap->events[v->snap->nevents - 1 - first - i], (enum column)col, text, sizeof text);
			longest = strlen(text) > longest ? strlen(text) : longest;
		}
		struct list_column *f = &fitted[col];
		f->max = longest < f->max ? (uint8_t)longest : f->max;
		f->min = f->max < f->min ? f->max : f->min;
		f->want = col == C_WHEN ? f->max : f->max < f->want ? f->max : f->want;
		if (col == C_WHEN)
			f->min = f->max;
		if (longest == 0) /* nobody is known: no column */
			f->rank = UINT8_MAX;
	}
	list_fit(fitted, C_COUNT, (unsigned)cells, width);
}

static void draw_event(struct view *v, const struct area *a, int y, const uint8_t *width, const struct event *e)
{
	struct canvas *c = &v->canvas;
	int x = a->x + 1;
	for (unsigned i = 0; i < C_COUNT; i++) {
		char text[512];
		if (!width[i])
			continue;
		cell_text(v, e, (enum column)i, text, sizeof text);
		enum style style = i == C_SOURCE ? STYLE_FAINT : STYLE_NORMAL;
		if (i == C_SUBJECT)
			draw_name(c, y, x, width[i], style, text);
		else
			draw_sentence(c, y, x, width[i], style, text);
		x += width[i] + 1;
	}
}

void changes_draw(struct view *v, struct area a)
{
	struct list *l = &v->overview.changes;
	const struct snapshot *s = v->snap;
	unsigned n = s ? s->nevents : 0, room = a.h > 1 ? (unsigned)a.h - 1 : 0;
	bool focused = v->overview.focus == PANE_CHANGES;
	char note[64] = "nothing known";
	uint8_t width[C_COUNT] = { 0 };
	static const char *const zones[TIMES_COUNT] = { "UTC", "local time", "ages" };
	if (n)
		snprintf(note, sizeof note, "%u, %s%s", n, zones[v->time_style], s->events_note ? ", by whom: ?" : "");
	pane_title(v, &a, "WHAT CHANGED", note);
	list_scroll(l, n, room);
	if (!focused) /* the newest */
		l->top = n > room ? n - room : 0;
	unsigned seen = n - l->top < room ? n - l->top : room;
	fit(v, l->top, seen, a.w - 2, width);
	for (unsigned i = 0; i < seen; i++) {
		int y = a.y + 1 + (int)i;
		draw_event(v, &a, y, width, &s->events[n - 1 - l->top - i]);
		if (focused && l->top + i == l->line)
			pane_select(v, &a, y);
	}
}
