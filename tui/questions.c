/* The questions behind the charts. Each slot is one metric of the open row; it is asked when it comes on the screen, when the
 * range changes and after each poll. The engine answers when it can; meanwhile the last answer stays. */
#include "tui/view.h"

#include <stdio.h>
#include <string.h>

#define UNANSWERED_MOST (2 * CHARTS_MAX) /* keys pressed faster than answers come must not fill the engine's ring */

const struct range view_ranges[] = {
	{ 15 * 60, "15m" }, { 3600, "1h" }, { 3 * 3600, "3h" }, { 12 * 3600, "12h" }, { 86400, "1d" },
};
const unsigned view_nranges = sizeof view_ranges / sizeof *view_ranges;

static void slot_reset(struct slot *s)
{
	result_free(s->answer);
	*s = (struct slot){ 0 };
}

struct slot *view_slot(struct view *v, const char *metric)
{
	struct detail *d = &v->detail;
	struct slot *unused = NULL;
	for (unsigned i = 0; i < CHARTS_MAX; i++) {
		struct slot *s = &d->slot[i];
		if (s->shown_row == d->row && strcmp(s->metric, metric) == 0)
			return s;
		if (!s->wanted && (!unused || unused->metric[0]))
			unused = s;
	}
	if (!unused)
		return NULL;
	slot_reset(unused);
	unused->shown_row = d->row;
	snprintf(unused->metric, sizeof unused->metric, "%s", metric);
	return unused;
}

static bool wants(const struct view *v, const struct slot *s)
{
	if (!s->wanted || !v->snap)
		return false;
	if (!s->asked || s->range != view_ranges[v->detail.range].seconds)
		return true;
	return !s->pending && s->polled_at != v->snap->polled_at;
}

struct slot *view_question(struct view *v, struct history_request *rq)
{
	if (view_screen(v) != SCREEN_DETAIL || v->detail.unanswered >= UNANSWERED_MOST)
		return NULL;
	for (unsigned i = 0; i < CHARTS_MAX; i++) {
		struct slot *s = &v->detail.slot[i];
		if (!wants(v, s))
			continue;
		*rq =
		    (struct history_request){ .row = s->shown_row,
			                          .metric = s->metric,
			                          .from = v->now - view_ranges[v->detail.range].seconds,
			                          .offline =
			                              v->snap->phase !=
			                              PHASE_LIVE /* what the history knows at once, before anyone has answered */ };
		return s;
	}
	return NULL;
}

void view_asked(struct view *v, struct slot *s, uint64_t id)
{
	s->asked = true;
	s->pending = id;
	s->range = view_ranges[v->detail.range].seconds;
	s->polled_at = v->snap->polled_at;
	v->detail.unanswered++;
}

void view_answer(struct view *v, struct result *r)
{
	if (r->kind == REQUEST_ALARM) {
		alarms_answer(v, r);
		return;
	}
	if (r->kind != REQUEST_HISTORY) {
		result_free(r);
		return;
	}
	if (v->detail.unanswered)
		v->detail.unanswered--;
	for (unsigned i = 0; i < CHARTS_MAX; i++) {
		struct slot *s = &v->detail.slot[i];
		if (s->pending != r->id || !r->id)
			continue;
		s->pending = 0;
		result_free(s->answer);
		s->answer = r;
		return;
	}
	result_free(r); /* nobody waits for it any more */
}

bool view_waiting(const struct view *v)
{
	bool open = alarms_waiting(v);
	for (unsigned i = 0; i < CHARTS_MAX; i++) {
		const struct slot *s = &v->detail.slot[i];
		open = open || (s->wanted && s->pending) || (view_screen(v) == SCREEN_DETAIL && wants(v, s));
	}
	return open;
}
