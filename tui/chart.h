/* Lines over time, and sparklines. Pure. A gap in the data is a gap in the line, never zero; points are placed by their
 * time, not by their number. */
#ifndef TUI_CHART_H
#define TUI_CHART_H

#include "core/model/kind.h"
#include "tui/draw.h"
#include "tui/words.h"

#include <stdint.h>

struct chart_level {     /* a dashed line across: a threshold, a retention */
	double at;
	const char *label;   /* "retention 24h"; NULL: none */
};
struct chart_forecast {  /* dotted, from the last point on */
	int64_t from, to;    /* from 0: none */
	double at, slope;    /* the value at `from`, and its growth a second */
	bool ends;           /* at `to` the level is reached: an arrow and the instant stand there */
	const char *word;    /* "loss" */
};
struct chart {
	int64_t from, to;    /* of the axis, seconds */
	uint32_t step;       /* of the points */
	unsigned n;          /* points: from, from + step, ... */
	const double *v;     /* NAN: no point */
	enum unit unit;
	int64_t cursor;      /* a line down the chart at this time; 0 = none */
	const struct chart_level *levels;
	unsigned nlevels;    /* all are in sight: the scale reaches them */
	struct chart_forecast forecast;
	int64_t now;         /* for ages on the time axis, and the mark where the future begins */
	enum time_style times;
};

#define CHART_LABEL 7    /* cells left of the plot: "6h09m" "12.3kB" and the axis itself */
/* h rows in all, the time axis included; at least 3 rows and CHART_LABEL + 8 cells, else nothing is drawn. level: glyph.h */
void chart_draw(struct canvas *c, int y, int x, int h, int w, unsigned level, const struct chart *ch);
/* How much time a column of a chart w cells wide covers, but never less than a point's: what one cursor step is. */
int64_t chart_cell_seconds(const struct chart *ch, int w);
double chart_at(const struct chart *ch, int64_t t);     /* the point whose period holds t; NAN when there is none */

double chart_top(double most, enum unit unit);          /* a round number of the unit at or above most */
void chart_label(double v, enum unit unit, char out[16]); /* with its unit: 6h09m 120ms 7.8% 1.2MB 412 */

/* values 0..8 of the row's own maximum, 255 = gap; the newest `cells` of n. Levels above ASCII draw blocks. */
#define SPARK_BYTES (48 * 3 + 1)
void spark_text(const uint8_t *v, unsigned n, unsigned cells, unsigned level, char out[SPARK_BYTES]);

#endif
