/* A chart of a report as SVG: one path, begun anew behind each gap; what changed as marks on the time axis. */
#include "cli/check.h"
#include "cli/report.h"

#include "core/clock.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 800
#define HEIGHT 160
#define LEFT 70
#define RIGHT 10
#define TOP 10
#define BOTTOM 24

struct frame {
	const struct report *r;
	const struct report_chart *c;
	double top; /* value at the upper edge */
};

static double x_of(const struct frame *f, int64_t t)
{
	return LEFT + (double)(t - f->r->from) / (double)(f->r->to - f->r->from) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct frame *f, double v)
{
	return TOP + (1 - v / f->top) * (HEIGHT - TOP - BOTTOM);
}

/* A point without neighbours is a short stroke: a path of one point would not be seen. */
static void add_line(struct buf *b, const struct frame *f)
{
	const struct history_result *h = &f->c->answer->history;
	bool pen = false;
	buf_adds(b, "<path class=\"line\" d=\"");
	for (unsigned i = 0; i < h->n; i++) {
		int64_t t = h->from + (int64_t)i * h->step;
		if (isnan(h->v[i])) {
			pen = false;
			continue;
		}
		bool lone = !pen && (i + 1 == h->n || isnan(h->v[i + 1]));
		buf_addf(b, "%s%.1f,%.1f", pen ? "L" : "M", x_of(f, t), y_of(f, h->v[i]));
		if (lone)
			buf_adds(b, "h1.5");
		pen = true;
	}
	buf_adds(b, "\"/>\n");
}

static void add_label(struct buf *b, double x, double y, const char *anchor, const char *own)
{
	buf_addf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	check_escape(b, own, html_char);
	buf_adds(b, "</text>\n");
}

static void add_axes(struct buf *b, const struct frame *f)
{
	char text[48], from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
	clock_rfc3339(f->r->from, from);
	clock_rfc3339(f->r->to, to);
	buf_addf(b, "<path class=\"axis\" d=\"M%d,%dV%dH%d\"/>\n", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
	report_value(f->c, f->top, text);
	add_label(b, LEFT - 6, TOP + 8, "end", text);
	add_label(b, LEFT - 6, HEIGHT - BOTTOM, "end", "0");
	add_label(b, LEFT, HEIGHT - 8, "start", from);
	add_label(b, WIDTH - RIGHT, HEIGHT - 8, "end", to);
}

/* Of this stage, and a person's notes: a line where it happened, or the band in which it did. */
static void add_marks(struct buf *b, const struct frame *f)
{
	const struct events_result *l = f->r->events;
	for (unsigned i = 0; i < l->n; i++) {
		const struct event *v = &l->v[i];
		char when[80];
		if (!report_noted(v) &&
		    (strcmp(v->subject, f->c->row->resource) != 0 || strcmp(v->service, f->c->row->kind->id) != 0))
			continue;
		int64_t at = v->at < f->r->from ? f->r->from : v->at, most = v->at_most > f->r->to ? f->r->to : v->at_most;
		double x = x_of(f, at), w = x_of(f, most) - x;
		report_when(v, when);
		buf_addf(b, "<rect class=\"mark\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s ", x, TOP,
		         w < 1 ? 1 : w, HEIGHT - TOP - BOTTOM, when);
		check_escape(b, v->text, html_char);
		buf_adds(b, "</title></rect>\n");
	}
}

static void add_threshold(struct buf *b, const struct frame *f)
{
	if (isnan(f->c->threshold) || f->c->threshold < 0)
		return;
	buf_addf(b, "<path class=\"threshold\" d=\"M%d,%.1fH%d\"><title>an alarm's threshold</title></path>\n", LEFT,
	         y_of(f, f->c->threshold), WIDTH - RIGHT);
}

void report_svg(struct buf *b, const struct report *r, const struct report_chart *c)
{
	struct frame f = { r, c, 1 };
	if (c->most > f.top)
		f.top = c->most;
	if (c->threshold > f.top)
		f.top = c->threshold;
	buf_addf(b, "<svg viewBox=\"0 0 %d %d\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\"><title>", WIDTH, HEIGHT);
	check_escape(b, c->row->name, html_char);
	buf_adds(b, " ");
	check_escape(b, c->reading->info->title, html_char);
	buf_adds(b, "</title>\n");
	add_marks(b, &f);
	add_axes(b, &f);
	add_threshold(b, &f);
	add_line(b, &f);
	buf_adds(b, "</svg>\n");
}
