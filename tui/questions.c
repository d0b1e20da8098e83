/* The questions behind the charts. Each slot is one metric of the open row; it is asked when it comes on the screen, when the
 * range changes and after each poll. The engine answers when it can; meanwhile the last answer stays. */
#include "core/mem.h"
#include "tui/alarms.h"
#include "tui/past.h"
#include "tui/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNANSWERED_MOST (2 * CHARTS_MAX) /* keys pressed faster than answers come must not fill the engine's ring */

const struct range view_ranges[] = {
	{ 15 * 60, "15m" }, { 3600, "1h" },      { 3 * 3600, "3h" },    { 12 * 3600, "12h" },
	{ 86400, "1d" },    { 3 * 86400, "3d" }, { 14 * 86400, "14d" },
};
const unsigned view_nranges = sizeof view_ranges / sizeof *view_ranges;

static void slot_reset(struct slot *s)
{
	result_free(s->answer);
	*s = (struct slot){ 0 };
}

static bool is(const struct slot *s, uint64_t row, const char *metric)
{
	return s->shown_row == row && strcmp(s->metric, metric) == 0;
}

void view_slots_keep(struct view *v, uint64_t row, const char *const *metrics, unsigned n)
{
	for (unsigned k = 0; k < CHARTS_MAX; k++) {
		struct slot *s = &v->detail.slot[k];
		s->wanted = false;
		for (unsigned i = 0; i < n; i++)
			s->wanted = s->wanted || is(s, row, metrics[i]);
	}
}

struct slot *view_slot(struct view *v, uint64_t row, const char *metric, struct wish wish)
{
	if (v->past) { /* nothing after it, and nobody is asked for it */
		wish.end = wish.end && wish.end < v->past ? wish.end : v->past;
		wish.offline = true;
	}
	struct slot *found = NULL;
	for (unsigned i = 0; i < CHARTS_MAX; i++) {
		struct slot *s = &v->detail.slot[i];
		if (is(s, row, metric)) {
			found = s;
			break;
		}
		if (!s->wanted && (!found || found->metric[0]))
			found = s;
	}
	if (!found)
		return NULL;
	if (!is(found, row, metric)) {
		slot_reset(found);
		found->shown_row = row;
		snprintf(found->metric, sizeof found->metric, "%s", metric);
	}
	found->wanted = true;
	found->wish = wish;
	return found;
}

static bool same_wish(const struct wish *a, const struct wish *b)
{
	return a->range == b->range && a->end == b->end && a->offline == b->offline;
}

static bool wants(const struct view *v, const struct slot *s)
{
	if (!s->wanted || !v->snap)
		return false;
	if (!s->asked || !same_wish(&s->wish, &s->asked_for))
		return true;
	return !s->pending && !s->wish.end && s->polled_at != v->snap->polled_at;
}

struct slot *view_question(struct view *v, struct history_request *rq)
{
	if (view_screen(v) == SCREEN_HELP || v->detail.unanswered >= UNANSWERED_MOST)
		return NULL;
	for (unsigned i = 0; i < CHARTS_MAX; i++) {
		struct slot *s = &v->detail.slot[i];
		if (!wants(v, s))
			continue;
		bool live = v->snap->phase == PHASE_LIVE; /* before anyone has answered: what the history knows at once */
		*rq = (struct history_request){ .row = s->shown_row,
			                            .metric = s->metric,
			                            .from = (s->wish.end ? s->wish.end : v->now) - s->wish.range,
			                            .to = s->wish.end,
			                            .offline = s->wish.offline || !live };
		return s;
	}
	return NULL;
}

void view_asked(struct view *v, struct slot *s, uint64_t id)
{
	s->asked = true;
	s->pending = id;
	s->asked_for = s->wish;
	s->polled_at = v->snap->polled_at;
	v->detail.unanswered++;
}

/* A chart has one grid: that of the newest part. A coarse point covers its whole period there; what it sums is spread over it, so
 * that the line stays on one scale. */
static void flatten(struct history_result *h)
{
	double *flat;
	unsigned n = 0, at = 0, from = 0;
	if (h->nparts < 2)
		return;
	for (unsigned i = 0; i < h->nparts; i++)
		n += h->parts[i].n * (h->parts[i].step / h->step);
	flat = xreallocarray(NULL, n + 1u, sizeof *flat);
	for (unsigned i = 0; i < h->nparts; i++) {
		const struct history_part *p = &h->parts[i];
		unsigned times = p->step / h->step;
		double by = metric_is_sum(&h->info) ? 1.0 / times : 1;
		for (unsigned k = 0; k < p->n; k++)
			for (unsigned j = 0; j < times; j++)
				flat[at++] = h->v[from + k] * by;
		from += p->n;
	}
	free(h->v);
	h->v = flat;
	h->n = n;
}

/* What leaves nothing to be kept. */
static void told(struct view *v, struct result *r)
{
	if (r->kind == REQUEST_MUTE)
		mute_answer(v, r);
	else if (r->kind == REQUEST_PAST)
		past_arrived(v, r);
	else if (r->kind == REQUEST_NOTE)
		view_note(v, "%.100s", r->err.code == ERR_OK ? "noted" : r->err.text);
}

void view_answer(struct view *v, struct result *r)
{
	if (r->kind == REQUEST_SHARDS) {
		shards_answer(v, r);
		return;
	}
	if (replay_answer(v, r))
		return;
	if (r->kind == REQUEST_FIRST)
		first_answer(v, r);
	if (r->kind == REQUEST_ERRORS) {
		errors_answer(v, r);
		return;
	}
	if (r->kind == REQUEST_ALARM) {
		alarms_answer(v, r);
		return;
	}
	if (r->kind != REQUEST_HISTORY) {
		told(v, r);
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
		if (r->err.code == ERR_OK)
			flatten(&r->history);
		result_free(s->answer);
		s->answer = r;
		return;
	}
	result_free(r); /* nobody waits for it any more */
}

bool view_waiting(const struct view *v)
{
	bool open = alarms_waiting(v) || errors_waiting(v) || shards_waiting(v);
	for (unsigned i = 0; i < CHARTS_MAX; i++) {
		const struct slot *s = &v->detail.slot[i];
		open = open || (s->wanted && s->pending) || (view_screen(v) != SCREEN_HELP && wants(v, s));
	}
	return open;
}
