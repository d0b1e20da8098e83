/* --check as text: a line of at most 80 columns for each thing judged, for people and build logs, and a summary. */
#include "cli/check.h"

#include "core/text.h"

#define COLUMNS 80
#define STATUS_COLUMNS 10 /* "CRITICAL" and two blanks */
#define NAME_COLUMNS 40
#define INDENT 4

static void visible(struct buf *b, const char *any)
{
	buf_init(b, 65536);
	text_visible(b, span_of(any));
}

static unsigned name_columns(const struct check_result *r)
{
	unsigned widest = 0;
	for (unsigned i = 0; i < r->n; i++) {
		struct buf b;
		visible(&b, r->verdicts[i].name);
		unsigned w = text_width(buf_span(&b));
		widest = w > widest ? w : widest;
		buf_clear(&b);
	}
	return widest < NAME_COLUMNS ? widest : NAME_COLUMNS;
}

/* Reasons start in one column where there is room for that; a long one moves left as far as its name allows, and a long
 * name takes what its reason leaves free. */
static void verdict_line(struct out *o, const struct verdict *v, unsigned column)
{
	struct buf name, why, line;
	unsigned room = COLUMNS - STATUS_COLUMNS - 2;
	visible(&name, v->name);
	buf_init(&why, 65536);
	verdict_reason(v, &why);
	buf_init(&line, 65536);
	unsigned need = text_width(buf_span(&why)), wide = text_width(buf_span(&name));
	unsigned free_cells = need < room ? room - need : 0;
	unsigned cells = wide <= column ? wide : free_cells > column ? free_cells : column;
	text_shorten(&line, buf_span(&name), cells, false);
	unsigned used = text_width(buf_span(&line));
	for (; used < column && used < free_cells; used++)
		buf_addc(&line, ' ');
	buf_adds(&line, need ? "  " : "");
	check_clip(&line, buf_span(&why), room - used);
	out_ownf(o, "%-*s%s\n", STATUS_COLUMNS, verdict_name(v->status), line.p ? line.p : "");
	buf_clear(&name);
	buf_clear(&why);
	buf_clear(&line);
}

/* What -v adds: the whole of it, on as many lines as it takes. */
static void whole_line(struct out *o, struct span s)
{
	while (s.n) {
		unsigned used;
		struct span head = text_clip(s, COLUMNS - INDENT, &used);
		if (!head.n)
			head.n = s.n;
		out_ownf(o, "%*s%.*s\n", INDENT, "", (int)head.n, head.p);
		s = (struct span){ s.p + head.n, s.n - head.n };
	}
}

static void more(struct out *o, const struct verdict *v)
{
	struct buf b;
	visible(&b, v->name);
	buf_adds(&b, ": ");
	verdict_reason(v, &b);
	whole_line(o, buf_span(&b));
	buf_reset(&b);
	verdict_details(v, &b);
	whole_line(o, buf_span(&b));
	buf_clear(&b);
}

void check_summary(struct out *o, const struct check_view *v)
{
	struct buf b;
	buf_init(&b, 400);
	check_counts(v, &b);
	buf_addc(&b, '\n');
	if (v->result->n) {
		check_cost(v->result, &b);
		buf_addc(&b, '\n');
	}
	buf_adds(&b, v->result->defaults ? CHECK_DEFAULTS "\n" : "");
	out_own(o, b.p);
	buf_clear(&b);
}

void check_text(struct out *o, const struct check_view *v)
{
	unsigned column = name_columns(v->result);
	for (unsigned i = 0; i < v->result->n; i++) {
		const struct verdict *one = &v->result->verdicts[v->order[i]];
		verdict_line(o, one, column);
		if (v->verbose > 1 || (v->verbose && check_is_trouble(one)))
			more(o, one);
	}
	check_summary(o, v);
}
