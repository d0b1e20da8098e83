/* report as one HTML file that needs nothing else: no script, no link, no picture but its own SVG; it forbids itself to load any. */
#include "cli/check.h"
#include "cli/report.h"

#include <stdio.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\"/>\n<style>\n"
    "body{font:14px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\n"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.25rem .5rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}\n"
    ".alarm{color:#b00020;font-weight:600}.warn{color:#8a6d00;font-weight:600}.unknown,.stale{color:#666;font-style:"
    "italic}\n"
    "svg{width:100%;height:auto;margin:.25rem 0 1rem}svg text{font:10px sans-serif;fill:#555}\n"
    ".line{fill:none;stroke:#1f5fa8;stroke-width:1.5;stroke-linecap:round}.axis{fill:none;stroke:#999}\n"
    ".threshold{fill:none;stroke:#b00020;stroke-dasharray:4 3}.mark{fill:#e0a000;opacity:.35}\n</style>\n<title>";

const char *html_char(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

static void add(struct buf *b, const char *any)
{
	check_escape(b, any ? any : "", html_char);
}

static void heading(struct buf *b, const char *own)
{
	buf_addf(b, "<h2>%s</h2>\n", own);
}

static void paragraph(struct buf *b, const char *any)
{
	buf_adds(b, "<p>");
	add(b, any);
	buf_adds(b, "</p>\n");
}

static void table(struct buf *b, const char *const *heads)
{
	buf_adds(b, "<table><thead><tr>");
	for (; *heads; heads++)
		buf_addf(b, "<th>%s</th>", *heads);
	buf_adds(b, "</tr></thead><tbody>\n");
}

/* The first cell wears the state's colour. */
static void row(struct buf *b, const char *const *cells, unsigned n, const char *state)
{
	buf_adds(b, "<tr>");
	for (unsigned i = 0; i < n; i++) {
		buf_addf(b, i == 0 && state ? "<td class=\"%s\">" : "<td>", state);
		add(b, cells[i] && *cells[i] ? cells[i] : "-");
		buf_adds(b, "</td>");
	}
	buf_adds(b, "</tr>\n");
}

static void table_end(struct buf *b)
{
	buf_adds(b, "</tbody></table>\n");
}

static void figure(struct buf *b, const struct report *r, const struct report_chart *c)
{
	char least[48], most[48], last[48], line[256];
	report_value(c, c->least, least);
	report_value(c, c->most, most);
	report_value(c, c->last, last);
	buf_adds(b, "<h3>");
	add(b, c->row->name);
	buf_adds(b, ": ");
	add(b, c->reading->info->title);
	buf_adds(b, "</h3>\n");
	if (c->answer->err.code != ERR_OK) {
		paragraph(b, c->answer->err.text);
		return;
	}
	snprintf(line, sizeof line, "least %s, most %s, last %s; %u of %u periods of %u s have no point", least, most, last,
	         c->gaps, c->n, (unsigned)c->answer->history.step);
	paragraph(b, line);
	report_svg(b, r, c);
}

static void figures(struct buf *b, const struct report *r)
{
	for (unsigned i = 0; i < r->ncharts; i++)
		figure(b, r, &r->charts[i]);
}

void report_html(struct out *o, const struct report *r)
{
	static const struct report_form form = { heading, paragraph, table, row, table_end, figures };
	struct buf *b = &o->b;
	buf_adds(b, head);
	add(b, r->title);
	buf_adds(b, "</title></head>\n<body>\n<h1>");
	add(b, r->title);
	buf_adds(b, "</h1>\n");
	report_parts(b, r, &form);
	buf_adds(b, "</body></html>\n");
}
