/* report as Markdown: headings, paragraphs and tables that any renderer takes, and that read well without one. */
#include "cli/check.h"
#include "cli/report.h"

#include "core/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whatever could mean something is escaped: links, emphasis, HTML, a table's bar. */
static const char *markdown_char(char c)
{
	static const char special[] = "\\`*_[]|~#!$";
	static const char *const escaped[] = {
		"\\\\", "\\`", "\\*", "\\_", "\\[", "\\]", "\\|", "\\~", "\\#", "\\!", "\\$"
	};
	const char *at = c ? strchr(special, c) : NULL;
	return at ? escaped[at - special] : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
}

static void heading(struct buf *b, const char *own)
{
	buf_addf(b, "\n## %s\n\n", own);
}

static void paragraph(struct buf *b, const char *any)
{
	check_escape(b, any, markdown_char);
	buf_adds(b, "\n\n");
}

static void table(struct buf *b, const char *const *heads)
{
	unsigned n = 0;
	for (; heads[n]; n++)
		buf_addf(b, "| %s ", heads[n]);
	buf_adds(b, "|\n");
	while (n--)
		buf_adds(b, "|---");
	buf_adds(b, "|\n");
}

static void row(struct buf *b, const char *const *cells, unsigned n, const char *state)
{
	(void)state;
	for (unsigned i = 0; i < n; i++) {
		buf_adds(b, "| ");
		check_escape(b, cells[i] && *cells[i] ? cells[i] : "-", markdown_char);
		buf_addc(b, ' ');
	}
	buf_adds(b, "|\n");
}

static void table_end(struct buf *b)
{
	buf_addc(b, '\n');
}

static void figure(const struct report_chart *c, double v, int64_t at, char out[96])
{
	char text[48], when[CLOCK_RFC3339_SIZE];
	report_value(c, v, text);
	clock_rfc3339(at, when);
	snprintf(out, 96, isnan(v) ? "-" : "%s at %s", text, when);
}

static void figures(struct buf *b, const struct report *r)
{
	if (!r->ncharts)
		return;
	table(b, (const char *const[]){ "stage", "metric", "least", "most", "last", "gaps", NULL });
	for (unsigned i = 0; i < r->ncharts; i++) {
		const struct report_chart *c = &r->charts[i];
		const struct result *a = c->answer;
		char least[96], most[96], last[96], gaps[96];
		figure(c, c->least, c->least_at, least);
		figure(c, c->most, c->most_at, most);
		figure(c, c->last, c->last_at, last);
		snprintf(gaps, sizeof gaps, "%u of %u periods of %u s", c->gaps, c->n, (unsigned)a->history.step);
		const char *cells[] = { c->row->name, c->reading->info->title, least, most, last, gaps };
		if (a->err.code != ERR_OK)
			cells[2] = cells[3] = cells[4] = NULL, cells[5] = a->err.text;
		row(b, cells, 6, NULL);
	}
	table_end(b);
}

void report_md(struct out *o, const struct report *r)
{
	static const struct report_form form = { heading, paragraph, table, row, table_end, figures };
	struct buf *b = &o->b;
	buf_adds(b, "# Report: ");
	check_escape(b, r->title, markdown_char);
	buf_adds(b, "\n\n");
	report_parts(b, r, &form);
}
