/* Who hands records to whom in one pipeline: chains from the sources on, what leaves them below, the rate on each edge and what
 * is held back at each node. A double line loses ground (more comes in than goes out), a dashed one is not configured, only
 * likely, or leads back. */
#include "core/text.h"
#include "tui/fields.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/pane.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ITEMS_MOST 160 /* of one pipeline; what is beyond is said */
#define ROWS_MOST 400
#define LINES_MOST 64
#define NAME_MOST 28
#define AGAIN 60 /* seconds: an oldest item younger than this is no backlog worth a cell */

struct item {
	int line, x;
	uint32_t row;
	const struct row_link *in; /* NULL: a chain begins here */
	bool branch, note;         /* below its chain; note: no node, what the node above holds back */
};
struct flow {
	const struct view *v;
	const struct pipeline *p;
	const struct row_link *link; /* of this pipeline */
	unsigned nlinks;
	int w;
	bool ascii;
	size_t prefix; /* bytes that all names begin with and that are left out */
	struct item item[ITEMS_MOST];
	unsigned n, left_out;
	int end[LINES_MOST]; /* cells used of each line */
	int lines;
	bool seen[ROWS_MOST];
};

/* ---- what a node and an edge say */

static double fresh(const struct row *r, enum role role)
{
	const struct reading *rd = r->by_role[role];
	return rd && !rd->stale ? field_number(r, role) : NAN;
}

static double held_back(const struct row *r)
{
	double in = fresh(r, ROLE_IN), out = fresh(r, ROLE_OUT);
	return isfinite(in) && isfinite(out) && in - out > 0.02 * in && in - out >= 0.05 ? in - out : 0;
}

static void held_text(const struct row *r, char out[TEXT_NUM + 1])
{
	double backlog = field_number(r, ROLE_BACKLOG), age = field_number(r, ROLE_AGE);
	char n[TEXT_NUM] = "";
	const struct reading *rd = r->by_role[ROLE_BACKLOG];
	if (backlog > 0) {
		text_number(backlog, n);
	} else if (!isfinite(backlog) && age >= AGAIN && r->health >= HEALTH_WARN) {
		text_duration(llround(age), n);
		rd = r->by_role[ROLE_AGE];
	}
	snprintf(out, TEXT_NUM + 1, "%s%s", n[0] && rd && rd->stale ? "~" : "", n);
}

static const struct row *row_of(const struct flow *f, uint32_t row)
{
	return &f->v->snap->rows[row];
}

static int name_cells(const struct flow *f, const struct row *r)
{
	char name[128];
	int cells = (int)text_width(span_of(text_visible_to(name, sizeof name, r->name + f->prefix)));
	return cells < NAME_MOST ? cells : NAME_MOST;
}

static bool marked(const struct row *r)
{
	return r->health >= HEALTH_STALE;
}

static int node_cells(const struct flow *f, const struct row *r)
{
	char held[TEXT_NUM + 1];
	held_text(r, held);
	int mark = marked(r) ? 1 + (int)strcspn(health_mark(r->health), " ") : 0;
	return name_cells(f, r) + mark + (held[0] ? 1 + (int)strlen(held) : 0);
}

/* "--412-->" */
static void edge_text(const struct flow *f, const struct row_link *l, char *out, size_t size)
{
	static const char *const lines[2][3] = { { "\xE2\x94\x80", "\xE2\x95\x90", "\xE2\x95\x8C" }, { "-", "=", "." } };
	char n[TEXT_NUM] = "";
	bool loses = strcmp(l->kind, "mapping") == 0 && held_back(row_of(f, l->from)) > 0;
	const char *line = lines[f->ascii][l->inferred || l->back ? 2 : loses ? 1 : 0];
	if (isfinite(l->rate))
		text_number(l->rate, n);
	snprintf(out, size, "%s%s%s%s%s%s", line, line, n, line, line, f->ascii ? ">" : "\xE2\x96\xB6");
}

static int edge_cells(const struct flow *f, const struct row_link *l)
{
	char text[64];
	edge_text(f, l, text, sizeof text);
	return (int)text_width(span_of(text));
}

/* ---- placing */

static struct item *put(struct flow *f, int line, int x, uint32_t row, const struct row_link *in)
{
	if (f->n == ITEMS_MOST || line >= LINES_MOST) {
		f->left_out++;
		return NULL;
	}
	struct item *it = &f->item[f->n++];
	*it = (struct item){ .line = line, .x = x, .row = row, .in = in };
	f->seen[row - f->p->first] = true;
	f->lines = line + 1 > f->lines ? line + 1 : f->lines;
	return it;
}

static bool seen(const struct flow *f, uint32_t row)
{
	return f->seen[row - f->p->first];
}

static bool is_main(const struct row_link *l)
{
	return strcmp(l->kind, "mapping") == 0 && !l->back;
}

/* Where most goes on. */
static const struct row_link *next_of(const struct flow *f, uint32_t row)
{
	const struct row_link *best = NULL;
	for (unsigned i = 0; i < f->nlinks; i++) {
		const struct row_link *l = &f->link[i];
		if (l->from == row && is_main(l) && !seen(f, l->to) && (!best || l->rate > best->rate || isnan(best->rate)))
			best = l;
	}
	return best;
}

/* The first line below `line` that is free from x on. */
static int free_line(const struct flow *f, int line, int x)
{
	do
		line++;
	while (line < LINES_MOST && f->end[line] > x);
	return line;
}

static void put_branch(struct flow *f, const struct item *of, const struct row_link *l)
{
	int cells = 2 + (l ? edge_cells(f, l) + node_cells(f, row_of(f, l->to)) : 20);
	int x = of->x + cells > f->w && f->w > cells ? f->w - cells : of->x;
	int line = free_line(f, of->line, x);
	struct item *it = put(f, line, x, l ? l->to : of->row, l);
	if (!it)
		return;
	it->branch = true;
	it->note = !l;
	f->end[line] = x + cells + 1;
}

/* What leaves the chain between its items [first, f->n) and the ones placed after them. */
static void put_branches(struct flow *f, unsigned first)
{
	unsigned last = f->n;
	for (unsigned i = first; i < last; i++) {
		const struct item of = f->item[i];
		bool source = false;
		for (unsigned k = 0; k < f->nlinks; k++) {
			const struct row_link *l = &f->link[k];
			bool chained = i + 1 < last && f->item[i + 1].in == l;
			source = source || (l->from == of.row && is_main(l));
			if (l->from == of.row && !chained && !(is_main(l) && !seen(f, l->to)))
				put_branch(f, &of, l);
		}
		if (source && held_back(row_of(f, of.row)) > 0)
			put_branch(f, &of, NULL);
	}
}

static bool begins(const struct flow *f, uint32_t row)
{
	for (unsigned i = 0; i < f->nlinks; i++)
		if (f->link[i].to == row && !f->link[i].back)
			return false;
	return true;
}

static bool leads_on(const struct flow *f, uint32_t row)
{
	for (unsigned i = 0; i < f->nlinks; i++)
		if (f->link[i].from == row)
			return true;
	return false;
}

static void put_chain(struct flow *f, uint32_t row)
{
	int line = f->lines, x = 1;
	unsigned first = f->n;
	if (!put(f, line, x, row, NULL))
		return;
	x += node_cells(f, row_of(f, row));
	for (const struct row_link *l; (l = next_of(f, row)); row = l->to) {
		int cells = 2 + edge_cells(f, l) + node_cells(f, row_of(f, l->to));
		if (x + cells > f->w) {
			put_branches(f, first);
			first = f->n;
			line = f->lines;
			x = 3;
		}
		struct item *it = put(f, line, x + 1, l->to, l);
		if (!it)
			return;
		x += cells;
	}
	put_branches(f, first);
}

/* What nothing relates to the others stands one beside another. */
static void put_single(struct flow *f, uint32_t row, int *line, int *x)
{
	int cells = node_cells(f, row_of(f, row));
	if (*line < 0 || *x + cells > f->w) {
		*line = f->lines;
		*x = 1;
	}
	put(f, *line, *x, row, NULL);
	*x += cells + 3;
}

static void place(struct flow *f)
{
	uint32_t first = f->p->first, end = first + f->p->n;
	int line = -1, x = 0;
	f->n = f->left_out = 0;
	f->lines = 0;
	memset(f->end, 0, sizeof f->end);
	memset(f->seen, 0, sizeof f->seen);
	for (uint32_t i = first; i < end; i++)
		if (!seen(f, i) && begins(f, i) && leads_on(f, i))
			put_chain(f, i);
	for (uint32_t i = first; i < end; i++) { /* of a cycle, and what a branch led to */
		bool again = seen(f, i) && next_of(f, i);
		if (again || (!seen(f, i) && leads_on(f, i)))
			put_chain(f, i);
	}
	for (uint32_t i = first; i < end; i++)
		if (!seen(f, i))
			put_single(f, i, &line, &x);
}

static size_t common_prefix(const struct snapshot *s, const struct pipeline *p)
{
	size_t n = 0;
	const char *first = s->rows[p->first].name;
	for (size_t i = 0; first[i] == '-' || first[i] == '_' || first[i] == '.' || (first[i] > ' ' && first[i] < 0x7F);
	     i++) {
		for (uint32_t r = p->first; r < p->first + p->n; r++)
			if (s->rows[r].name[i] != first[i] || s->rows[r].name[i + 1] == '\0')
				return n;
		if (strchr("-_.", first[i]))
			n = i + 1;
	}
	return n;
}

/* ---- the pipeline of the selected row */

static const struct pipeline *shown_pipeline(const struct view *v)
{
	const struct snapshot *s = v->snap;
	const struct overview *o = &v->overview;
	if (!s || o->rows.line >= o->nlines || o->line[o->rows.line] & HEADING)
		return NULL;
	uint32_t p = s->rows[o->line[o->rows.line]].pipeline;
	return p < s->npipelines ? &s->pipelines[p] : NULL;
}

/* The links are in the order of their sources, and so are the rows of a pipeline: a slice of one array. */
static bool slice(struct flow *f)
{
	const struct snapshot *s = f->v->snap;
	unsigned lo = 0, hi = s->nlinks;
	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		if (s->links[mid].from < f->p->first)
			lo = mid + 1;
		else
			hi = mid;
	}
	f->link = s->links + lo;
	f->nlinks = 0;
	while (lo + f->nlinks < s->nlinks && s->links[lo + f->nlinks].from < f->p->first + f->p->n) {
		if (f->link[f->nlinks].to - f->p->first >= f->p->n)
			return false; /* it leaves the pipeline: not drawn half */
		f->nlinks++;
	}
	return f->nlinks > 0;
}

static bool flow_make(struct flow *f, const struct view *v, int w)
{
	f->v = v;
	f->p = shown_pipeline(v);
	f->w = w;
	f->ascii = v->level == GLYPH_ASCII;
	if (!f->p || f->p->n > ROWS_MOST || !slice(f))
		return false;
	f->prefix = 0;
	place(f);
	if (f->lines > 2) {
		f->prefix = common_prefix(v->snap, f->p);
		place(f);
	}
	return true;
}

static struct flow drawn; /* large, and drawing is one thread's */

int flow_want(const struct view *v, int most)
{
	if (!flow_make(&drawn, v, v->canvas.cols))
		return 0;
	return drawn.lines + 1 < most ? drawn.lines + 1 : most;
}

/* ---- drawing */

static int draw_node(struct view *v, const struct flow *f, int y, int x, const struct item *it)
{
	struct canvas *c = &v->canvas;
	const struct row *r = row_of(f, it->row);
	char held[TEXT_NUM + 1];
	enum style style = style_of(r->health);
	bool selected = r->id == v->overview.rows.id;
	int at = x;
	at += draw_name(c, y, at, NAME_MOST, selected ? STYLE_STRONG : style, r->name + f->prefix);
	if (selected)
		draw_style(c, y, x, at - x, STYLE_REVERSE);
	if (marked(r))
		at += 1 + draw_fmt(c, y, at + 1, 2, style, "%.*s", (int)strcspn(health_mark(r->health), " "),
		                   health_mark(r->health));
	held_text(r, held);
	if (held[0])
		at += 1 + draw_str(c, y, at + 1, TEXT_NUM, held[0] == '~' ? STYLE_STALE : STYLE_NORMAL, held);
	return at;
}

static void draw_item(struct view *v, const struct flow *f, const struct area *a, const struct item *it)
{
	struct canvas *c = &v->canvas;
	int y = a->y + 1 + it->line, x = a->x + it->x;
	if (it->branch)
		x += draw_str(c, y, x, 2, STYLE_FAINT, f->ascii ? "`" : "\xE2\x94\x94");
	if (it->note) {
		char n[TEXT_NUM];
		text_number(held_back(row_of(f, it->row)), n);
		draw_fmt(c, y, x + 1, a->w, STYLE_WARN, "holds back %s/s", n);
		return;
	}
	if (it->in) {
		char edge[64];
		edge_text(f, it->in, edge, sizeof edge);
		x += draw_str(c, y, x, a->w, STYLE_NORMAL, edge) + 1;
	}
	draw_node(v, f, y, x, it);
}

void flow_pane(struct view *v, struct area a)
{
	struct flow *f = &drawn;
	char title[200], note[80];
	if (!flow_make(f, v, a.w))
		return;
	snprintf(title, sizeof title, "FLOW  %.100s", f->p->name ? f->p->name : "");
	int hidden = f->lines - (a.h - 1);
	if (hidden > 0 || f->left_out)
		snprintf(note, sizeof note, "a second, newest minute; %d more line%s: 2", hidden > 0 ? hidden : 1,
		         hidden > 1 ? "s" : "");
	else
		snprintf(note, sizeof note, "a second, newest minute; %s loses ground", f->ascii ? "=" : "\xE2\x95\x90");
	pane_title(v, &a, title, note);
	for (unsigned i = 0; i < f->n; i++)
		if (f->item[i].line < a.h - 1)
			draw_item(v, f, &a, &f->item[i]);
}
