/* What happened, newest first: a table to read down, and one event in full. */
#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"
#include "tui/action.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- lines: events that pass the filter; index into the snapshot's */

static const struct event *event_at(const struct view *v, unsigned line)
{
	return &v->snap->events[v->events.line[line]];
}

static uint64_t add_text(uint64_t h, const char *s)
{
	for (; s && *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

/* An event does not change, so what it says is what it is. */
static uint64_t line_id(const void *ctx, unsigned line)
{
	const struct event *e = event_at(ctx, line);
	uint64_t h = add_text(add_text(14695981039346656037u ^ (uint64_t)e->at_most, e->subject), e->text);
	return h ? h : 1;
}

static struct list_lines lines_of(const struct view *v)
{
	return (struct list_lines){ .n = v->snap ? v->events.n : 0, .id = line_id, .ctx = v };
}

static bool holds(const char *text, const char *word, size_t n)
{
	for (; text && strlen(text) >= n; text++)
		if (strncasecmp(text, word, n) == 0)
			return true;
	return false;
}

static bool has_word(const struct event *e, const char *word, size_t n)
{
	return holds(event_kind_name(e->kind), word, n) || holds(e->service, word, n) || holds(e->subject, word, n) ||
	       holds(e->text, word, n) || holds(e->by, word, n) || holds(e->source, word, n);
}

/* Every word must hold; !word must not. */
static bool passes(const struct event *e, const char *filter)
{
	for (const char *p = filter; *p;) {
		size_t n = strcspn(p, " ");
		bool not = *p == '!' && n > 1;
		if (n && has_word(e, p + not, n - not ) == not )
			return false;
		p += n + (p[n] == ' ');
	}
	return true;
}

static void sync_events(struct view *v)
{
	struct events_view *s = &v->events;
	s->n = 0;
	if (!v->snap)
		return;
	s->line = xreallocarray(s->line, v->snap->nevents + 1u, sizeof *s->line);
	for (unsigned i = 0; i < v->snap->nevents; i++)
		if (passes(&v->snap->events[i], s->filter))
			s->line[s->n++] = i;
	struct list_lines lines = lines_of(v);
	list_sync(&s->list, &lines);
}

/* ---- words */

static const char *who(const struct event *e)
{
	return e->by ? who_word(e->by) : "";
}

static enum style event_style(const struct event *e)
{
	if (e->kind == EVENT_INCIDENT)
		return STYLE_STRONG;
	const char *to = e->kind == EVENT_ALARM ? strstr(e->text, "-> ") : NULL;
	to = to ? to + 3 : e->text;
	return e->kind == EVENT_ALARM && strncmp(to, "ALARM", 5) == 0 ? STYLE_ALARM : STYLE_NORMAL;
}

/* ---- the table */

enum column { C_WHEN, C_KIND, C_SUBJECT, C_TEXT, C_BY, C_SOURCE, C_COUNT };
static const struct list_column columns[C_COUNT] = {
	[C_WHEN] = { "WHEN", 13, 20, 26, 0, false }, [C_TEXT] = { "WHAT", 12, 40, 200, 1, false },
	[C_SUBJECT] = { "OF", 8, 18, 32, 2, false }, [C_KIND] = { "KIND", 8, 8, 8, 3, false },
	[C_BY] = { "BY", 8, 16, 28, 4, false },      [C_SOURCE] = { "SAYS", 16, 28, 36, 5, false },
};

static void draw_cell(struct view *v, int y, int x, int width, enum column col, const struct event *e)
{
	struct canvas *c = &v->canvas;
	char when[WHEN_SIZE];
	switch (col) {
	case C_WHEN:
		when_between(v->time_style, e->at, e->at_most, v->now, when);
		draw_str(c, y, x, width, STYLE_NORMAL, when);
		break;
	case C_KIND: draw_str(c, y, x, width, event_style(e), event_kind_name(e->kind)); break;
	case C_SUBJECT: draw_name(c, y, x, width, STYLE_NORMAL, e->subject); break;
	case C_BY: draw_name(c, y, x, width, STYLE_NORMAL, who(e)); break;
	case C_SOURCE: draw_sentence(c, y, x, width, STYLE_FAINT, e->source); break;
	default: draw_sentence(c, y, x, width, event_style(e), e->text); break;
	}
}

/* A column in which no event has a word gives its room to the others. */
static void fit(const struct view *v, uint8_t width[C_COUNT])
{
	struct list_column fitted[C_COUNT];
	bool anybody = false;
	memcpy(fitted, columns, sizeof fitted);
	for (unsigned i = 0; i < v->events.n; i++)
		anybody = anybody || *who(event_at(v, i));
	list_fit(fitted, anybody ? C_COUNT : C_BY, (unsigned)v->canvas.cols - GUTTER, width);
}

static void draw_line(struct view *v, int y, const uint8_t *width, unsigned line)
{
	struct canvas *c = &v->canvas;
	int x = GUTTER;
	for (unsigned i = 0; i < C_COUNT; i++) {
		if (!width[i])
			continue;
		draw_cell(v, y, x, width[i], (enum column)i, event_at(v, line));
		x += width[i] + 1;
	}
	if (line != v->events.list.line)
		return;
	draw_str(c, y, 0, 1, STYLE_STRONG, v->level > GLYPH_ASCII ? "\xE2\x96\xB6" : ">");
	draw_style(c, y, 0, c->cols, STYLE_REVERSE);
	c->cursor_y = y;
}

static void draw_title(struct view *v, int y)
{
	char title[200];
	const struct events_view *s = &v->events;
	int n = snprintf(title, sizeof title, "EVENTS");
	if (s->filter[0])
		snprintf(title + n, sizeof title - (size_t)n, "  /%.60s  %u of %u", s->filter, s->n,
		         v->snap ? v->snap->nevents : 0);
	draw_rule(&v->canvas, y, 0, v->canvas.cols, v->level > GLYPH_ASCII, title, "newest first");
}

static void draw_head(struct view *v, int y, const uint8_t *width)
{
	int x = GUTTER;
	for (unsigned i = 0; i < C_COUNT; i++) {
		if (!width[i])
			continue;
		draw_str(&v->canvas, y, x, width[i], STYLE_FAINT, columns[i].title);
		x += width[i] + 1;
	}
}

static void draw_events(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	struct events_view *s = &v->events;
	uint8_t width[C_COUNT] = { 0 };
	const char *lacks = v->snap ? v->snap->events_note : NULL;
	int foot = lacks ? 1 : 0;
	fit(v, width);
	draw_title(v, y);
	draw_head(v, y + 1, width);
	unsigned room = h > 2 + foot ? (unsigned)(h - 2 - foot) : 0;
	list_scroll(&s->list, s->n, room);
	for (unsigned i = 0; i < room && s->list.top + i < s->n; i++)
		draw_line(v, y + 2 + (int)i, width, s->list.top + i);
	if (s->n == 0)
		draw_str(c, y + 2, GUTTER, c->cols - GUTTER, STYLE_FAINT,
		         s->filter[0] ? "nothing matches the filter" : "nothing has changed since sluice began to look");
	if (lacks) {
		draw_str(c, y + h - 1, 1, 2, STYLE_UNKNOWN, health_mark(HEALTH_UNKNOWN));
		draw_sentence(c, y + h - 1, GUTTER, c->cols - GUTTER, STYLE_FAINT, lacks);
	}
}

static void move_events(struct view *v, enum move m)
{
	struct list_lines lines = lines_of(v);
	list_move(&v->events.list, &lines, m);
}

const struct screen screen_events = { .name = "events", .sync = sync_events, .draw = draw_events, .move = move_events };

/* ---- one event, whole */

static int draw_wrapped(struct canvas *c, int y, int h, int x, const char *label, const char *text)
{
	draw_str(c, y, x, 11, STYLE_FAINT, label);
	int rows = draw_words(c, y, h, x + 12, c->cols - x - 12, STYLE_NORMAL, text);
	return rows ? rows : 1;
}

static void draw_event(struct view *v, int y, int h)
{
	const struct events_view *s = &v->events;
	const struct event *e = s->n && s->list.line < s->n ? event_at(v, s->list.line) : NULL;
	char at[CLOCK_RFC3339_SIZE], most[CLOCK_RFC3339_SIZE], when[96];
	draw_rule(&v->canvas, y, 0, v->canvas.cols, v->level > GLYPH_ASCII, "EVENT", NULL);
	if (!e) {
		draw_str(&v->canvas, y + 1, GUTTER, v->canvas.cols - GUTTER, STYLE_NORMAL,
		         "it is not there any more; q goes back");
		return;
	}
	clock_rfc3339(e->at, at);
	clock_rfc3339(e->at_most, most);
	snprintf(when, sizeof when, e->at == e->at_most ? "%s" : "between %s and %s", at, most);
	const struct {
		const char *label, *text;
	} lines[] = { { "when", when },
		          { "kind", event_kind_name(e->kind) },
		          { "service", e->service },
		          { "of", e->subject },
		          { "arn", e->arn },
		          { "what", e->text },
		          { "by", e->by ? e->by : "not known" },
		          { "says", e->source } };
	int row = 2;
	for (size_t i = 0; i < sizeof lines / sizeof *lines && row < h; i++)
		if (lines[i].text && *lines[i].text)
			row += draw_wrapped(&v->canvas, y + row, h - row, GUTTER, lines[i].label, lines[i].text);
}

const struct screen screen_event = { .name = "event", .draw = draw_event, .move = move_events };

/* ---- actions */

void act_events(struct view *v)
{
	if (view_screen(v) == SCREEN_EVENTS)
		return;
	while (v->depth > 1)
		view_pop(v);
	view_push(v, SCREEN_EVENTS);
}

void act_event(struct view *v)
{
	if (v->events.n)
		view_push(v, SCREEN_EVENT);
	else
		view_note(v, "nothing to open here");
}

static void filter_changed(struct view *v)
{
	snprintf(v->events.filter, sizeof v->events.filter, "%s", v->prompt.text);
	sync_events(v);
}

static void filter_kept(struct view *v)
{
	(void)v;
}

static void filter_cancelled(struct view *v)
{
	snprintf(v->events.filter, sizeof v->events.filter, "%s", v->prompt.before);
	sync_events(v);
}

static const struct prompt_kind filter_kind = {
	.label = "/", .changed = filter_changed, .accepted = filter_kept, .cancelled = filter_cancelled
};

void act_event_filter(struct view *v)
{
	prompt_open(v, &filter_kind, v->events.filter);
}
