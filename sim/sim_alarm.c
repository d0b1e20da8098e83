#include "sim/sim_alarm.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RANGE_EXTRA 2 /* periods read beyond N; the real surplus is not published */
#define HISTORY_DAYS 30
#define HISTORY_MAX 20000

const char *const sim_state_names[3] = { "OK", "ALARM", "INSUFFICIENT_DATA" };
const char *const sim_missing_names[4] = { "missing", "ignore", "breaching", "notBreaching" };
const char *const sim_compare_names[4] = { "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
	                                       "LessThanOrEqualToThreshold" };

/* ---- the judgement */

struct tally {
	unsigned real, breaching, oldest_breach;
	bool newer_good;
};

/* Counts the newest n real points (all of them when there are fewer). oldest_breach: how many periods old, from 1. */
static struct tally count_newest(const enum point *pt, unsigned npt, unsigned n)
{
	struct tally t = { 0 };
	bool good = false;
	for (unsigned age = 1; age <= npt && t.real < n; age++) {
		enum point p = pt[npt - age];
		if (p == POINT_MISSING)
			continue;
		t.real++;
		if (p == POINT_BREACHING) {
			t.breaching++;
			t.oldest_breach = age;
			t.newer_good = good;
		} else {
			good = true;
		}
	}
	return t;
}

/* Fewer real points than N, and the fillers count neither way: the real points decide where they can. */
static enum sim_state judge_short(const struct tally *t, unsigned m, enum sim_missing missing, enum sim_state current)
{
	if (t->breaching >= m)
		return STATE_ALARM;
	bool only_breaching = t->breaching == t->real;
	if (missing == MISSING_IGNORE)
		return only_breaching ? current : STATE_OK;
	if (t->real < m && t->breaching && t->oldest_breach >= m && !t->newer_good)
		return STATE_ALARM; /* the premature-alarm rule: old enough to be meant */
	return only_breaching ? current : STATE_OK;
}

enum sim_state alarm_judge(const enum point *pt, unsigned npt, unsigned n, unsigned m, enum sim_missing missing,
                           enum sim_state current)
{
	struct tally t = count_newest(pt, npt, n);
	if (t.real >= n)
		return t.breaching >= m ? STATE_ALARM : STATE_OK;
	if (missing == MISSING_BREACHING)
		return t.breaching + (n - t.real) >= m ? STATE_ALARM : STATE_OK;
	if (missing == MISSING_NOT_BREACHING)
		return t.breaching >= m ? STATE_ALARM : STATE_OK;
	if (t.real == 0)
		return missing == MISSING_IGNORE ? current : STATE_INSUFFICIENT;
	return judge_short(&t, m, missing, current);
}

static bool breaches(const struct sim_alarm *a, double v)
{
	switch (a->compare) {
	case COMPARE_GE: return v >= a->threshold;
	case COMPARE_GT: return v > a->threshold;
	case COMPARE_LT: return v < a->threshold;
	default: return v <= a->threshold;
	}
}

/* ---- the account's alarms */

void alarm_free(struct sim_alarm *a)
{
	char *texts[] = { a->name, a->description, a->ns,     a->metric,     a->stat,
		              a->unit, a->low_samples, a->reason, a->reason_data };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	for (unsigned i = 0; i < a->ndims; i++) {
		free((char *)a->dims[i].name);
		free((char *)a->dims[i].value);
	}
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < ALARM_ACTIONS; k++)
			free(a->actions[i][k]);
	tags_free(a->tags, a->ntags);
	free(a);
}

void alarm_event_free(struct alarm_event *e)
{
	free(e->alarm);
	free(e->summary);
	free(e->data);
}

static void remember(struct world *w, const struct sim_alarm *a, enum event_kind kind, char *summary, char *data)
{
	int64_t oldest = w->now_ms - (int64_t)HISTORY_DAYS * 86400000;
	unsigned gone = 0;
	while (gone < w->nevents && (w->events[gone].at_ms < oldest || w->nevents - gone >= HISTORY_MAX))
		alarm_event_free(&w->events[gone++]);
	if (gone)
		memmove(w->events, w->events + gone, (w->nevents - gone) * sizeof *w->events);
	w->nevents -= gone;
	MEM_GROW(w->events, w->nevents, w->capevents);
	w->events[w->nevents++] = (struct alarm_event){ xstrdup(a->name), kind, w->now_ms, summary, data };
}

void alarm_add(struct world *w, struct sim_alarm *a)
{
	bool found;
	unsigned at = world_find((void *const *)w->alarms, w->nalarms, a->name, &found);
	a->configured_ms = w->now_ms;
	if (found) {
		struct sim_alarm *old = w->alarms[at];
		a->state = old->state;
		a->reason = old->reason;
		a->reason_data = old->reason_data;
		a->updated_ms = old->updated_ms;
		a->since_ms = old->since_ms;
		old->reason = old->reason_data = NULL;
		tags_free(a->tags, a->ntags); /* tags of a request count only when it makes the alarm */
		a->tags = old->tags;
		a->ntags = old->ntags;
		a->captags = old->captags;
		old->tags = NULL;
		old->ntags = 0;
		alarm_free(old);
		w->alarms[at] = a;
	} else {
		a->state = STATE_INSUFFICIENT;
		a->reason = xstrdup("Unchecked: Initial alarm creation");
		a->updated_ms = a->since_ms = w->now_ms;
		WORLD_INSERT(w->alarms, w->nalarms, w->capalarms, at, a);
	}
	remember(w, a, EVENT_CONFIGURED, xasprintf("Alarm \"%s\" %s", a->name, found ? "updated" : "created"),
	         alarm_configuration_data(w, a, found ? "Update" : "Create"));
}

void alarm_delete(struct world *w, struct sim_alarm *a)
{
	bool found;
	unsigned at = world_find((void *const *)w->alarms, w->nalarms, a->name, &found);
	remember(w, a, EVENT_CONFIGURED, xasprintf("Alarm \"%s\" deleted", a->name),
	         alarm_configuration_data(w, a, "Delete"));
	WORLD_REMOVE(w->alarms, w->nalarms, at);
	alarm_free(a);
}

static void act(struct world *w, const struct sim_alarm *a, enum sim_state before)
{
	bool done;
	bool acts = a->actions_enabled && !alarm_muted(w, a->name);
	for (unsigned i = 0; acts && i < ALARM_ACTIONS && a->actions[a->state][i]; i++) {
		const char *action = a->actions[a->state][i];
		char *data = alarm_perform(w, a, before, action, &done);
		remember(w, a, EVENT_ACTION,
		         xasprintf("%s %s", done ? "Successfully executed action" : "Failed to execute action", action), data);
	}
}

void alarm_set_state(struct world *w, struct sim_alarm *a, enum sim_state s, const char *reason, const char *data)
{
	bool moved = s != a->state;
	char *event = moved ? alarm_transition_data(a, s, reason, data) : NULL;
	if (moved)
		remember(w, a, EVENT_STATE,
		         xasprintf("Alarm updated from %s to %s", sim_state_names[a->state], sim_state_names[s]), event);
	free(a->reason);
	free(a->reason_data);
	a->reason = xstrdup(reason);
	a->reason_data = data ? xstrdup(data) : NULL;
	a->updated_ms = w->now_ms;
	if (!moved)
		return;
	enum sim_state before = a->state;
	a->state = s;
	a->since_ms = w->now_ms;
	act(w, a, before);
}

/* ---- evaluation */

#define RANGE_MAX 1500

struct window {
	unsigned npt;
	enum point pt[RANGE_MAX];
	double v[RANGE_MAX];
};

static void read_window(struct world *w, const struct sim_alarm *a, int64_t end, struct window *win)
{
	struct sim_stat stat;
	int64_t step = a->period / 60;
	const struct sim_metric *m = metrics_get(&w->metrics, a->ns, a->metric, a->dims, a->ndims, false);
	bool known = m && stat_parse(a->stat, &stat) && (!a->unit || strcmp(a->unit, m->unit) == 0);
	win->npt = (unsigned)a->n + RANGE_EXTRA;
	for (unsigned i = 0; i < win->npt; i++) {
		int64_t to = end - (int64_t)(win->npt - 1 - i) * step;
		if (!known || !metric_stat(m, to - step, to, &stat, &win->v[i]))
			win->pt[i] = POINT_MISSING;
		else
			win->pt[i] = breaches(a, win->v[i]) ? POINT_BREACHING : POINT_GOOD;
	}
}

static const char *const relation[] = { "greater than or equal to", "greater than", "less than",
	                                    "less than or equal to" };

static void add_points(const struct sim_alarm *a, const struct window *win, int64_t end, struct buf *b)
{
	int64_t step = a->period / 60;
	unsigned told = 0;
	for (unsigned age = 1; age <= win->npt && told < a->n; age++) {
		if (win->pt[win->npt - age] == POINT_MISSING)
			continue;
		time_t t = (time_t)((end - (int64_t)age * step) * 60);
		struct tm tm;
		char when[32];
		gmtime_r(&t, &tm);
		snprintf(when, sizeof when, "%02d/%02d/%02d %02d:%02d:%02d", tm.tm_mday % 100, (tm.tm_mon + 1) % 100,
		         tm.tm_year % 100, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
		buf_addf(b, "%s%.12g (%s)", told++ ? ", " : "", win->v[win->npt - age], when);
	}
}

static unsigned count(const struct window *win, unsigned n, enum point what, unsigned *real)
{
	unsigned found = 0;
	*real = 0;
	for (unsigned age = 1; age <= win->npt && *real < n; age++) {
		*real += win->pt[win->npt - age] != POINT_MISSING;
		found += win->pt[win->npt - age] == what;
	}
	return found;
}

static char *reason_without_points(const struct sim_alarm *a, enum sim_state s)
{
	int n = (int)a->n;
	if (s == STATE_INSUFFICIENT)
		return xasprintf("Insufficient Data: %d datapoint%s unknown.", n, n == 1 ? " was" : "s were");
	return xasprintf(
	    "Threshold Crossed: no datapoints were received for %d period%s and %d missing datapoint%s treated as "
	    "[%s].",
	    n, n == 1 ? "" : "s", n, n == 1 ? " was" : "s were", s == STATE_ALARM ? "Breaching" : "NonBreaching");
}

static char *reason_text(const struct sim_alarm *a, const struct window *win, int64_t end, enum sim_state s)
{
	struct buf b;
	bool alarm = s == STATE_ALARM;
	int needed = alarm ? (int)a->m : 1;
	unsigned real, hits = count(win, (unsigned)a->n, alarm ? POINT_BREACHING : POINT_GOOD, &real);
	if (s == STATE_INSUFFICIENT || real == 0)
		return reason_without_points(a, s);
	buf_init(&b, 1000);
	buf_addf(&b, "Threshold Crossed: %u out of the last %u datapoint%s [", hits, real, real == 1 ? "" : "s");
	add_points(a, win, end, &b);
	buf_addf(&b, "] %s%s %s the threshold (%.12g) (minimum %d datapoint%s for %s transition).",
	         hits == 1 ? "was" : "were", alarm ? "" : " not", relation[a->compare], a->threshold, needed,
	         needed == 1 ? "" : "s", alarm ? "OK -> ALARM" : "ALARM -> OK");
	return buf_steal(&b);
}

static void tell_evaluated(struct json_out *o, struct world *w, const struct sim_alarm *a, const struct window *win,
                           int64_t end)
{
	char when[40];
	int64_t step = a->period / 60;
	unsigned told = 0;
	const struct sim_metric *m = metrics_get(&w->metrics, a->ns, a->metric, a->dims, a->ndims, false);
	json_out_array(o, "evaluatedDatapoints");
	for (unsigned age = 1; age <= win->npt && told < a->n && told < 10; age++) {
		struct sim_set set;
		int64_t from = end - (int64_t)age * step;
		if (win->pt[win->npt - age] == POINT_MISSING || !m || !metric_set_of(m, from, from + step, &set))
			continue;
		told++;
		alarm_stamp(from * 60000, when);
		json_out_object(o, NULL);
		json_out_str(o, "timestamp", when);
		json_out_num(o, "sampleCount", set.count);
		json_out_num(o, "value", win->v[win->npt - age]);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

static char *reason_json(struct world *w, const struct sim_alarm *a, const struct window *win, int64_t end)
{
	struct buf b;
	struct json_out o;
	char when[40];
	alarm_stamp(w->now_ms, when);
	buf_init(&b, 4000);
	json_out_init(&o, &b);
	json_out_object(&o, NULL);
	json_out_str(&o, "version", "1.0");
	json_out_str(&o, "queryDate", when);
	alarm_stamp((end - a->n * (a->period / 60)) * 60000, when);
	json_out_str(&o, "startDate", when);
	json_out_str(&o, "statistic", a->stat);
	json_out_int(&o, "period", a->period);
	json_out_array(&o, "recentDatapoints");
	for (unsigned i = win->npt > 20 ? win->npt - 20 : 0; i < win->npt; i++)
		if (win->pt[i] != POINT_MISSING)
			json_out_num(&o, NULL, win->v[i]);
	json_out_array_end(&o);
	json_out_num(&o, "threshold", a->threshold);
	tell_evaluated(&o, w, a, win, end);
	json_out_object_end(&o);
	return buf_steal(&b);
}

static void evaluate(struct world *w, struct sim_alarm *a, int64_t end)
{
	struct window win;
	read_window(w, a, end, &win);
	enum sim_state s = alarm_judge(win.pt, win.npt, (unsigned)a->n, (unsigned)a->m, a->missing, a->state);
	if (s == a->state)
		return;
	char *reason = reason_text(a, &win, end, s), *data = reason_json(w, a, &win, end);
	alarm_set_state(w, a, s, reason, data);
	free(reason);
	free(data);
}

void alarms_minute(struct world *w, int64_t minute)
{
	for (unsigned i = 0; i < w->nalarms; i++)
		if (w->alarms[i]->n + RANGE_EXTRA <= RANGE_MAX)
			evaluate(w, w->alarms[i], minute + 1);
}
