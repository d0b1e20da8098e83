/* What the replay screens know and ask for. The engine does it all; here are its answers, and the next question. */
#ifndef TUI_REPLAY_H
#define TUI_REPLAY_H

#include "tui/view.h"

/* The next request, for tui.c to send; its text stays the view's. */
bool replay_question(struct view *v, struct request *rq);
void replay_asked(struct view *v, const struct request *rq, uint64_t id);
bool replay_answer(struct view *v, struct result *r); /* takes r when it is one of these: true */
void replay_clear(struct view *v);
/* Quitting while a replay runs here pauses it: said once, then done. */
bool replay_may_leave(struct view *v);

/* What is known of the queue without receiving anything. */
struct replay_queue {
	const struct row *row;      /* NULL: no queue is meant */
	const char *through;        /* the function that reads the queue it is the dead-letter queue of; NULL: not known */
	bool fifo;
};
void replay_queue_of(const struct view *v, struct replay_queue *q);

const struct replay_result *replay_plan(const struct view *v);  /* of the queue under the eyes; NULL */
const struct replay_result *replay_shown(const struct view *v); /* the open run; NULL */
const struct replay_run *replay_runs(const struct view *v, unsigned *n);
bool replay_is_driven(const struct view *v, const struct replay_result *r); /* here or by another process */
void replay_open_run(struct view *v, const char *id);
/* What the list of the replay screen has selected: a group, a run, or neither. */
const struct replay_group *replay_group_selected(const struct view *v);
const struct replay_run *replay_run_selected(const struct view *v);
struct list_lines replay_lines(const struct view *v);
/* Of the open run, the messages that are not done: the i-th one. */
unsigned replay_left(const struct replay_result *r);
/* run_panes.c: the rate over time; what its destination says meanwhile */
struct area; /* pane.h */
void run_rate_pane(struct view *v, struct area a, const struct replay_result *r);
void run_downstream_pane(struct view *v, struct area a, const struct replay_result *r);
const struct replay_item *replay_left_at(const struct replay_result *r, unsigned i);

#endif
