/* Private to cli/: what a report says, and its three forms. Facts only; texts are raw, each form filters and escapes them. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/out.h"
#include "engine/engine.h"

struct report_chart {
	const struct row *row;
	const struct reading *reading;
	const struct result *answer; /* of its REQUEST_HISTORY */
	/* of its points */
	unsigned n, gaps;            /* periods, and how many of them have no point */
	double least, most, last;    /* NAN: no point at all */
	int64_t least_at, most_at, last_at;
	double threshold;            /* of an alarm on this metric; NAN: none */
};
struct report {
	int64_t from, to, generated;
	const struct snapshot *end;       /* how it was at `to` */
	const struct events_result *events;
	struct report_chart *charts;
	unsigned ncharts, left_out;       /* left_out: rows in trouble that got no chart */
	bool offline, open_end;           /* open_end: `to` is now */
	char *title, made[32];
	const struct err *trouble;        /* why AWS could not be asked; NULL or OK: it was, or was not to be */
};

bool report_noted(const struct event *v);              /* a person's */
bool report_of_interest(const struct row *r);          /* not ok, nor idle */
void report_when(const struct event *v, char out[80]); /* one instant, or two with ".." between */
/* "1,291 messages" and the like: a value of the chart in its unit. */
void report_value(const struct report_chart *c, double v, char out[48]);

void report_md(struct out *o, const struct report *r);
void report_html(struct out *o, const struct report *r);
void report_json(struct out *o, const struct report *r);
/* svg.c: one chart, its line broken where there is no point. Appends XML: visible and escaped. */
void report_svg(struct buf *b, const struct report *r, const struct report_chart *c);

const char *html_char(char c); /* what stands for a byte in HTML and SVG (check_escape) */

/* What Markdown and HTML each do in their own way. `own`, heads: sluice's own words, as they are; any, cells: raw. */
struct report_form {
	void (*heading)(struct buf *b, const char *own);
	void (*paragraph)(struct buf *b, const char *any);
	void (*table)(struct buf *b, const char *const *heads); /* ends with NULL */
	void (*row)(struct buf *b, const char *const *cells, unsigned n, const char *state); /* state: a health's name, or NULL */
	void (*table_end)(struct buf *b);
	void (*figures)(struct buf *b, const struct report *r);
};
void report_parts(struct buf *b, const struct report *r, const struct report_form *f);

#endif
