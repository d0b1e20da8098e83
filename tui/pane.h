/* The panes that screens are made of. Each draws into the area it is given, its title line included, and costs nothing for what
 * lies outside it. */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include "tui/view.h"

struct area {
	int y, x, h, w;
};

/* A selected line: its mark before it, reversed, and the cursor on it for who reads with the fingers. */
void pane_select(struct view *v, const struct area *a, int y);
void pane_title(struct view *v, const struct area *a, const char *title, const char *note);

/* pane_stages.c: the rows that pass the filter, as a table, and which those are. */
struct list_lines stages_lines(const struct view *v);
void stages_sync(struct view *v);
void stages_draw(struct view *v, struct area a);

const struct row *overview_only(const struct view *v);  /* scr_list.c: a row of the one pipeline that is shown; NULL: all are */
bool overview_marked(const struct view *v, uint64_t id);

/* pane_flow.c: who hands records to whom in the pipeline of the selected row. */
int flow_want(const struct view *v, int most);       /* rows it could fill; 0: nothing to draw */
void flow_pane(struct view *v, struct area a);

/* pane_changes.c: what happened, the newest last. */
struct list_lines changes_lines(const struct view *v);
void changes_draw(struct view *v, struct area a);

/* pane_why.c: the facts near a row's trouble. */
int why_want(const struct view *v, const struct row *r); /* rows it could fill; 0: nothing is known */
void why_pane(struct view *v, struct area a, const struct row *r);

/* pane_shards.c: those of the open stream. */
int shards_want(const struct view *v);
void shards_pane(struct view *v, struct area a);

/* pane_chart.c: one chart of the selected row. */
int chart_want(const struct view *v);                /* rows it is worth; 0: there is nothing to show */
void chart_pane(struct view *v, struct area a);

#endif
