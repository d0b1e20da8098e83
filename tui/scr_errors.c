/* A function's errors by shape, from its log: how many, since when, since which release, and of the selected one what it says, of which
 * requests, and where its failures end. */
#include "core/text.h"
#include "tui/action.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_S 120 /* the log is read again after that */
#define SPAN_LEAST 3600

static const struct errors_result *answer_of(const struct view *v)
{
	const struct result *r = v->errors.answer;
	return r && v->errors.answered_row == v->errors.row && r->err.code == ERR_OK ? &r->errors : NULL;
}

/* A shape has no number: its text is what stays. */
static uint64_t group_id(const void *ctx, unsigned line)
{
	const struct errors_result *r = ctx;
	uint64_t h = 14695981039346656037u; /* FNV-1a; 0 would be a heading */
	for (const char *p = r->groups[line].shape; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h ? h : 1;
}

static struct list_lines group_lines(const struct view *v)
{
	const struct errors_result *r = answer_of(v);
	return (struct list_lines){ .n = r ? r->n : 0, .id = group_id, .ctx = r };
}

/* ---- the question */

static int64_t span_of_range(const struct view *v)
{
	int64_t s = view_ranges[v->detail.range].seconds;
	return s > SPAN_LEAST ? s : SPAN_LEAST;
}

static bool wants(const struct view *v)
{
	const struct errors_view *e = &v->errors;
	if (view_screen(v) != SCREEN_ERRORS || !e->row || !v->snap || v->snap->phase != PHASE_LIVE)
		return false;
	if (e->asked_row != e->row || e->span != span_of_range(v))
		return true;
	return !e->pending && v->now - e->asked_at >= AGAIN_S && !v->frozen;
}

bool errors_question(struct view *v, struct errors_request *rq)
{
	if (v->errors.unanswered >= 2 || !wants(v))
		return false;
	*rq = (struct errors_request){ .row = v->errors.row, .from = v->now - span_of_range(v), .to = v->now };
	return true;
}

void errors_asked(struct view *v, uint64_t id)
{
	struct errors_view *e = &v->errors;
	e->asked_row = e->row;
	e->span = span_of_range(v);
	e->asked_at = v->now;
	e->pending = id;
	e->unanswered++;
}

void errors_answer(struct view *v, struct result *r)
{
	struct errors_view *e = &v->errors;
	if (e->unanswered)
		e->unanswered--;
	if (!e->pending || e->pending != r->id) {
		result_free(r); /* nobody waits for it any more */
		return;
	}
	e->pending = 0;
	result_free(e->answer);
	e->answer = r;
	e->answered_row = e->asked_row;
	struct list_lines lines = group_lines(v);
	list_sync(&e->list, &lines);
}

bool errors_waiting(const struct view *v)
{
	return view_screen(v) == SCREEN_ERRORS && (v->errors.pending || wants(v));
}

/* ---- drawing */

enum column { C_LINES, C_FIRST, C_LAST, C_RELEASE, C_SHAPE, C_COUNT };
static const struct list_column columns[C_COUNT] = {
	[C_LINES] = { "LINES", 6, 6, 6, 0, true },      [C_LAST] = { "LAST", 6, 6, 13, 2, false },
	[C_SHAPE] = { "ERROR", 16, 40, 250, 1, false }, [C_RELEASE] = { "RELEASE", 7, 9, 12, 3, false },
	[C_FIRST] = { "FIRST", 6, 6, 13, 4, false },
};

/* "v42": that of the first; "v41>v42" when the newest is another's. */
static void release_text(const struct error_group *g, char *out, size_t size)
{
	const char *first = g->release ? g->release : "?", *last = g->newest_release ? g->newest_release : "?";
	const char *mark = *first >= '0' && *first <= '9' ? "v" : "";
	if (strcmp(first, last) == 0)
		snprintf(out, size, "%s%.11s", mark, first);
	else
		snprintf(out, size, "%s%.5s>%.6s", mark, first, last);
}

static void draw_cell(struct view *v, int y, int x, int width, enum column col, const struct error_group *g)
{
	struct canvas *c = &v->canvas;
	char text[WHEN_SIZE];
	switch (col) {
	case C_LINES:
		text_number(g->count, text);
		draw_right(c, y, x, width, STYLE_NORMAL, text);
		break;
	case C_FIRST:
	case C_LAST:
		(width > 6 ? when_text : when_hm)(v->time_style, col == C_FIRST ? g->first : g->last, v->now, text);
		draw_str(c, y, x, width, STYLE_NORMAL, text);
		break;
	case C_RELEASE:
		release_text(g, text, sizeof text);
		draw_name(c, y, x, width, STYLE_NORMAL, text);
		break;
	default: draw_sentence(c, y, x, width, STYLE_NORMAL, g->shape); break;
	}
}

static void draw_line(struct view *v, int y, const struct area *at, const uint8_t *width, const struct error_group *g)
{
	int x = at->x + GUTTER;
	for (unsigned i = 0; i < C_COUNT; i++) {
		if (!width[i])
			continue;
		if (g)
			draw_cell(v, y, x, width[i], (enum column)i, g);
		else if (columns[i].right)
			draw_right(&v->canvas, y, x, width[i], STYLE_FAINT, columns[i].title);
		else
			draw_str(&v->canvas, y, x, width[i], STYLE_FAINT, columns[i].title);
		x += width[i] + 1;
	}
}

static void draw_list(struct view *v, const struct area *at, const struct errors_result *r)
{
	struct list *l = &v->errors.list;
	uint8_t width[C_COUNT];
	list_fit(columns, C_COUNT, (unsigned)(at->w - GUTTER), width);
	draw_line(v, at->y, at, width, NULL);
	list_scroll(l, r->n, (unsigned)at->h - 1);
	for (int i = 0; i < at->h - 1 && l->top + (unsigned)i < r->n; i++) {
		unsigned line = l->top + (unsigned)i;
		draw_line(v, at->y + 1 + i, at, width, &r->groups[line]);
		if (line == l->line)
			pane_select(v, at, at->y + 1 + i);
	}
}

static int say(struct view *v, const struct area *at, int y, const char *label, const char *text)
{
	if (!text || !text[0] || y >= at->y + at->h)
		return y;
	draw_str(&v->canvas, y, at->x + 1, 10, STYLE_FAINT, label);
	draw_sentence(&v->canvas, y, at->x + 12, at->w - 12, STYLE_NORMAL, text);
	return y + 1;
}

static void ids_text(const char *const *ids, unsigned n, char *out, size_t size)
{
	size_t at = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < n && at + 70 < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%.63s", i ? "  " : "", ids[i]);
}

/* Messages by id are what the log names; which of them lie in the queue only receiving could tell, and that has effects. */
static void draw_one(struct view *v, const struct area *at, const struct errors_result *r, const struct error_group *g)
{
	char text[400];
	int y = at->y;
	draw_rule(&v->canvas, y++, at->x, at->w, v->level > GLYPH_ASCII, g->type[0] ? g->type : "ERROR", "newest");
	y = say(v, at, y, "says", g->sample);
	y = say(v, at, y, "shape", g->shape);
	ids_text(g->requests, g->nrequests, text, sizeof text);
	y = say(v, at, y, "requests", g->nrequests ? text : "not named in these lines");
	ids_text(g->messages, g->nmessages, text, sizeof text);
	y = say(v, at, y, "messages", g->nmessages ? text : "not named in these lines");
	if (r->dead_letters) {
		snprintf(text, sizeof text, "%.100s; which of its messages are these is not known without receiving them",
		         r->dead_letters);
		y = say(v, at, y, "end in", text);
	}
	say(v, at, y, "stream", g->stream);
}

static void draw_problem(struct view *v, const struct area *at)
{
	struct canvas *c = &v->canvas;
	const struct errors_view *e = &v->errors;
	const struct result *r = e->answer && e->answered_row == e->row ? e->answer : NULL;
	if (!r || r->err.code == ERR_OK) {
		draw_str(c, at->y, at->x + GUTTER, at->w, STYLE_FAINT, r ? "no line looks like an error" : "asking...");
		return;
	}
	if (r->err.action[0])
		draw_fmt(c, at->y, at->x + 1, at->w, STYLE_UNKNOWN, "?? %s: what it logs is not known; allow %s",
		         err_name(r->err.code), r->err.action);
	else
		draw_fmt(c, at->y, at->x + 1, at->w, STYLE_UNKNOWN, "?? %s: what it logs is not known; %s",
		         err_name(r->err.code), err_hint(r->err.code));
	draw_words(c, at->y + 1, at->h - 1, at->x + GUTTER, at->w - GUTTER, STYLE_NORMAL, r->err.text);
}

static void head_text(const struct view *v, const struct errors_result *r, char *out, size_t size)
{
	char from[WHEN_SIZE], span[TEXT_NUM];
	text_duration(span_of_range(v), span);
	if (!r) {
		snprintf(out, size, "%s", span);
		return;
	}
	when_text(v->time_style, r->read_from, v->now, from);
	snprintf(out, size, "%s%s%s, %u shape%s%s", r->more ? "only from " : "", r->more ? from : span,
	         r->more ? " on" : "", r->n, r->n == 1 ? "" : "s", v->errors.pending ? ", asking..." : "");
}

static void draw_errors(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	const struct row *row = view_row(v, v->errors.row);
	const struct errors_result *r = answer_of(v);
	char note[100], title[120];
	head_text(v, r, note, sizeof note);
	snprintf(title, sizeof title, "ERRORS  %.100s", r ? r->log_group : row ? row->resource : "?");
	draw_rule(c, y, 0, c->cols, v->level > GLYPH_ASCII, title, note);
	struct area body = { y + 1, 0, h - 1, c->cols };
	if (!r || !r->n) {
		draw_problem(v, &body);
		return;
	}
	int one = h >= 16 ? 8 : h >= 10 ? 4 : 0;
	draw_list(v, &(struct area){ body.y, 0, body.h - one, c->cols }, r);
	if (one && v->errors.list.line < r->n)
		draw_one(v, &(struct area){ body.y + body.h - one, 0, one, c->cols }, r, &r->groups[v->errors.list.line]);
}

static void move_errors(struct view *v, enum move m)
{
	struct list_lines lines = group_lines(v);
	list_move(&v->errors.list, &lines, m);
}

static const char *title_errors(const struct view *v)
{
	const struct row *r = view_row(v, v->errors.row);
	return r ? r->name : "?";
}

const struct screen screen_errors = {
	.name = "errors", .title = title_errors, .draw = draw_errors, .move = move_errors
};

/* ---- the key */

static bool is_function(const struct row *r)
{
	return strcmp(r->kind->id, "lambda") == 0;
}

/* The function that takes from this row. */
static const struct row *consumer(const struct snapshot *s, uint32_t row)
{
	for (unsigned i = 0; i < s->nlinks; i++)
		if (s->links[i].from == row && is_function(&s->rows[s->links[i].to]))
			return &s->rows[s->links[i].to];
	return NULL;
}

/* The row's own function; of a queue or stream the one that takes from it; of a dead-letter queue the one whose failures it holds. */
static const struct row *function_of(const struct snapshot *s, const struct row *r)
{
	uint32_t at = (uint32_t)(r - s->rows);
	const struct row *f = is_function(r) ? r : consumer(s, at);
	for (unsigned i = 0; !f && i < s->nlinks; i++)
		if (s->links[i].to == at)
			f = is_function(&s->rows[s->links[i].from]) ? &s->rows[s->links[i].from] : consumer(s, s->links[i].from);
	return f;
}

void act_errors(struct view *v)
{
	enum screen_id on = view_screen(v);
	const struct row *r = view_row(v, on == SCREEN_DETAIL   ? v->detail.row
	                                  : on == SCREEN_ALARMS ? alarms_row(v)
	                                                        : v->overview.rows.id);
	const struct row *f = r ? function_of(v->snap, r) : NULL;
	if (!f) {
		view_note(v, "no function here: only functions write a log");
		return;
	}
	if (v->errors.row != f->id)
		v->errors.list = (struct list){ 0 };
	v->errors.row = f->id;
	view_push(v, SCREEN_ERRORS);
}
