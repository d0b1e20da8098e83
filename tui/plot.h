/* A chart of one metric of one row: what the answer behind it, the row's alarms and its first-loss clock make of it. */
#ifndef TUI_PLOT_H
#define TUI_PLOT_H

#include "tui/chart.h"
#include "tui/pane.h"

#define LEVELS_MOST 6
struct plotted {
	struct chart chart;
	struct chart_level level[LEVELS_MOST];
	char label[LEVELS_MOST][64];
};

/* ahead: how many seconds of the future may be shown. Borrows h and p itself. */
void plot_make(const struct view *v, const struct row *r, const struct metric_info *m, const struct history_result *h,
               int64_t ahead, struct plotted *p);
/* Title, chart and time axis; and what stands there instead while there is none. */
void plot_draw(struct view *v, struct area a, const struct row *r, const struct metric_info *m, const struct slot *s,
               int64_t ahead, bool selected);

#endif
