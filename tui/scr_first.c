/* The first contact: what is there, what watching it would cost, and what is to be watched. Nothing has been paid for yet. A key chooses,
 * the engine says what the choice comes to, and only y begins. */
#include "core/text.h"
#include "tui/action.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/view.h"

#include <stdio.h>
#include <string.h>

#define UNCONNECTED "discovered" /* the engine's last pipeline: what is connected to nothing */

static const struct first_contact *contact(const struct view *v)
{
	return v->snap ? v->snap->first : NULL;
}

/* ---- the list of pipelines */

static bool unconnected(const struct pipeline *p)
{
	return strcmp(p->name, UNCONNECTED) == 0;
}

/* By its first row: it stays selected when others come. */
static uint64_t line_id(const void *ctx, unsigned line)
{
	const struct snapshot *s = ((const struct view *)ctx)->snap;
	const struct pipeline *p = &s->pipelines[line];
	return p->n == 0 || unconnected(p) ? 0 : s->rows[p->first].id;
}

static struct list_lines lines_of(const struct view *v)
{
	return (struct list_lines){ .n = v->snap ? v->snap->npipelines : 0, .id = line_id, .ctx = v };
}

static void sync_first(struct view *v)
{
	struct list_lines lines = lines_of(v);
	bool there = view_screen(v) == SCREEN_FIRST;
	if (contact(v))
		list_sync(&v->first.pipelines, &lines);
	if (contact(v) && v->depth == 1 && !there)
		view_push(v, SCREEN_FIRST);
	else if (!contact(v) && v->depth > 1 && v->stack[1] == SCREEN_FIRST)
		v->depth = 1;
}

static void move_first(struct view *v, enum move m)
{
	struct list_lines lines = lines_of(v);
	list_move(&v->first.pipelines, &lines, m);
}

/* ---- words */

/* "46 resources, 250 metrics: $0.72 a day, $0.0025 at once, each asked every 5m" */
static void cost_words(const struct first_cost *c, double budget, char *out, size_t size)
{
	char every[TEXT_NUM];
	text_duration(c->every, every);
	int n = snprintf(out, size, "%u resource%s, %u metrics: $%.2f a day, $%.4f at once, each asked every %s",
	                 c->resources, c->resources == 1 ? "" : "s", c->metrics, c->usd_per_day, c->fill_usd, every);
	if (c->slowed && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, " to stay within $%.2f", budget);
}

static void found_words(const struct snapshot *s, char *out, size_t size)
{
	size_t n = 0;
	unsigned firing = 0;
	for (unsigned k = 0; k < s->nkinds; k++) {
		unsigned count = 0;
		for (unsigned i = 0; i < s->nrows; i++)
			count += s->rows[i].kind == s->kinds[k];
		if (count && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s %u  ", s->kinds[k]->id, count);
	}
	for (unsigned i = 0; i < s->nalarms; i++)
		firing += s->alarms[i].state == ALARM_STATE_ALARM;
	if (n < size && s->alarms_current)
		snprintf(out + n, size - n, "alarms %u, in ALARM %u", s->nalarms, firing);
	else if (n < size)
		snprintf(out + n, size - n, "alarms ?");
}

/* The calls that failed: what they tell is missing in all that stands here. "" when there are none. */
static void unread_words(const struct snapshot *s, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < s->napis; i++) {
		const struct err *e = &s->apis[i].last;
		if (e->code == ERR_OK || s->apis[i].aside || n >= size)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s %s", n ? ", " : "not read: ", s->apis[i].op, err_name(e->code));
	}
}

static void choice_words(const struct first *f, char *out, size_t size)
{
	static const char *const what[] = { [FIRST_EVERYTHING] = "everything",
		                                [FIRST_TAG] = "the tag ",
		                                [FIRST_PREFIX] = "names that begin with ",
		                                [FIRST_PIPELINE] = "the pipeline " };
	char text[FILTER_SIZE];
	snprintf(out, size, "%s%s", what[f->choice], text_visible_to(text, sizeof text, f->text));
}

/* ---- drawing */

static void draw_pipeline(struct view *v, int y, unsigned i, bool selected)
{
	struct canvas *c = &v->canvas;
	const struct pipeline *p = &v->snap->pipelines[i];
	const struct first_cost *cost = &contact(v)->pipelines[i];
	int right = c->cols - 30;
	bool none = unconnected(p);
	draw_name(c, y, GUTTER, right - GUTTER - 1, none ? STYLE_FAINT : STYLE_NORMAL,
	          none ? "(connected to nothing)" : p->name);
	draw_fmt(c, y, right, 30, none ? STYLE_FAINT : STYLE_NORMAL, "%9u %9u %9.2f", cost->resources, cost->metrics,
	         cost->usd_per_day);
	if (selected) {
		draw_str(c, y, 0, 1, STYLE_STRONG, ">");
		draw_style(c, y, 0, c->cols, STYLE_REVERSE);
	}
}

static void draw_list(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	struct list *l = &v->first.pipelines;
	unsigned n = v->snap->npipelines, page = h > 1 ? (unsigned)h - 1 : 0;
	draw_str(c, y, GUTTER, c->cols, STYLE_FAINT, "PIPELINE");
	draw_fmt(c, y, c->cols - 30, 30, STYLE_FAINT, "%9s %9s %9s", "RESOURCES", "METRICS", "USD/DAY");
	list_scroll(l, n, page);
	for (unsigned i = 0; i < page && l->top + i < n; i++)
		draw_pipeline(v, y + 1 + (int)i, l->top + i, l->id && l->top + i == l->line);
}

static void draw_choice(struct view *v, int y)
{
	struct canvas *c = &v->canvas;
	const struct first *f = &v->first;
	char what[FILTER_SIZE + 32], cost[192];
	draw_rule(c, y, 0, c->cols, v->level > GLYPH_ASCII, f->chosen ? "WATCH THIS?" : "WATCH WHAT?", NULL);
	if (!f->chosen) {
		draw_sentence(c, y + 1, 0, c->cols, STYLE_NORMAL,
		              "a everything   p the selected pipeline   t one tag   / one name prefix");
		draw_sentence(c, y + 2, 0, c->cols, STYLE_FAINT, "what the choice would cost is said before it counts");
		return;
	}
	choice_words(f, what, sizeof what);
	draw_sentence(c, y + 1, 0, c->cols, STYLE_STRONG, what);
	cost_words(&f->cost, v->snap->cost.budget, cost, sizeof cost);
	draw_sentence(c, y + 2, 0, c->cols, STYLE_NORMAL, f->known ? cost : "asking...");
	if (f->known)
		draw_sentence(c, y + 3, 0, c->cols, STYLE_STRONG,
		              "y save this in the configuration and begin   Esc another choice");
}

#define HEAD 3
#define CHOICE 4

static void draw_first(struct view *v, int y, int h)
{
	struct canvas *c = &v->canvas;
	char words[256];
	if (!contact(v))
		return;
	unread_words(v->snap, words, sizeof words);
	int head = h >= HEAD + CHOICE + 3 ? HEAD + (words[0] != '\0') : 1;
	if (words[0]) {
		draw_str(c, y + head - 1, 0, 2, STYLE_UNKNOWN, head > 1 ? health_mark(HEALTH_UNKNOWN) : NULL);
		draw_sentence(c, y + head - 1, 3, c->cols - 3, STYLE_UNKNOWN, head > 1 ? words : NULL);
	}
	draw_sentence(c, y, 0, c->cols, STYLE_STRONG, "FIRST CONTACT: nothing has been paid for yet; what was found:");
	found_words(v->snap, words, sizeof words);
	draw_sentence(c, y + 1, 2, c->cols - 2, STYLE_NORMAL, head > 1 ? words : NULL);
	cost_words(&contact(v)->all, v->snap->cost.budget, words, sizeof words);
	draw_sentence(c, y + 2, 2, c->cols - 2, STYLE_NORMAL, head > 1 ? words : NULL);
	draw_list(v, y + head, h - head - CHOICE);
	draw_choice(v, y + h - CHOICE);
}

const struct screen screen_first = {
	.name = "first contact", .sync = sync_first, .draw = draw_first, .move = move_first
};

/* ---- choosing */

static void choose(struct view *v, enum first_choice choice, const char *text)
{
	struct first *f = &v->first;
	f->choice = choice;
	snprintf(f->text, sizeof f->text, "%s", text);
	f->chosen = f->ask = true;
	f->known = false;
}

void first_answer(struct view *v, const struct result *r)
{
	struct first *f = &v->first;
	char line[sizeof r->err.where + sizeof r->err.text + 8], text[256];
	if (r->id != f->pending)
		return;
	f->pending = 0;
	f->known = r->err.code == ERR_OK;
	f->cost = r->first.cost;
	if (f->known)
		return;
	f->chosen = false;
	snprintf(line, sizeof line, "%s%s%s", r->err.where, r->err.where[0] ? ": " : "", r->err.text);
	view_note(v, "%.120s", text_visible_to(text, sizeof text, line));
}

bool first_leave(struct view *v)
{
	bool had = v->first.chosen;
	v->first.chosen = v->first.ask = v->first.keep = false;
	v->first.pending = 0;
	return had;
}

void act_first_all(struct view *v)
{
	choose(v, FIRST_EVERYTHING, "");
}

void act_first_pipeline(struct view *v)
{
	const struct list *l = &v->first.pipelines;
	if (l->id && v->snap && l->line < v->snap->npipelines)
		choose(v, FIRST_PIPELINE, v->snap->pipelines[l->line].name);
	else
		view_note(v, "no pipeline was found: choose everything, a tag or a prefix");
}

void act_first_keep(struct view *v)
{
	if (v->first.chosen && v->first.known)
		v->first.keep = true;
	else
		view_note(v, v->first.chosen ? "its cost is not known yet" : "choose first: a, p, t or /");
}

static void nothing(struct view *v)
{
	(void)v;
}

static void tag_accepted(struct view *v)
{
	if (v->prompt.text[0])
		choose(v, FIRST_TAG, v->prompt.text);
}

static void prefix_accepted(struct view *v)
{
	if (v->prompt.text[0])
		choose(v, FIRST_PREFIX, v->prompt.text);
}

static const struct prompt_kind tag_kind = {
	.label = "tag KEY=VALUE: ", .changed = nothing, .accepted = tag_accepted, .cancelled = nothing
};
static const struct prompt_kind prefix_kind = {
	.label = "names begin with: ", .changed = nothing, .accepted = prefix_accepted, .cancelled = nothing
};

static void type(struct view *v, const struct prompt_kind *kind)
{
	v->prompt.open = true;
	v->prompt.kind = kind;
	v->prompt.text[0] = '\0';
}

void act_first_tag(struct view *v)
{
	type(v, &tag_kind);
}

void act_first_prefix(struct view *v)
{
	type(v, &prefix_kind);
}
