/* status as text: aligned for eyes on a terminal; on a pipe one tab-separated line per thing, numbers exact. */
#include "cli/status.h"

#include "core/clock.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>

static const enum role shown[] = { ROLE_IN, ROLE_OUT, ROLE_ERROR, ROLE_LATENCY, ROLE_BACKLOG, ROLE_AGE };
#define NSHOWN (sizeof shown / sizeof shown[0])

static void time_span(double seconds, char out[40])
{
	char number[TEXT_NUM];
	if (seconds >= 1) {
		text_duration((int64_t)seconds, number);
		snprintf(out, 40, "%s", number);
	} else {
		text_number(seconds * 1000, number);
		snprintf(out, 40, "%sms", number);
	}
}

static void short_value(double v, enum unit unit, char out[40])
{
	char number[TEXT_NUM];
	switch (unit) {
	case UNIT_SECONDS: time_span(v, out); return;
	case UNIT_MILLISECONDS: time_span(v / 1000, out); return;
	case UNIT_PERCENT: text_percent(v, number); break;
	default: text_number(v, number); break;
	}
	snprintf(out, 40, "%s%s", number, unit == UNIT_PERCENT ? "%" : unit == UNIT_BYTES ? "B" : "");
}

/* A terminal gets short numbers, a pipe what reads back as the same number; both get ~ on what is old, so that no script takes
 * an old value for a current one without noticing. */
static void add_value(struct table *t, const struct reading *m, bool tty)
{
	char text[40] = "", cell[48];
	bool none = !m || isnan(m->value);
	if (none)
		snprintf(text, sizeof text, "%s", tty ? "-" : "");
	else if (tty)
		short_value(m->value, m->info->unit, text);
	else
		text_exact(m->value, text);
	snprintf(cell, sizeof cell, "%s%s", text, !none && m->stale ? "~" : "");
	table_add(t, cell);
}

static void add_values(struct table *t, const struct row *r, bool tty)
{
	for (unsigned i = 0; i < NSHOWN; i++)
		add_value(t, r->by_role[shown[i]], tty);
}

/* For a script: seconds, "7200..259200" between bounds, "<=" and ">=" where one is known, "??" unknown, nothing where nothing is
 * at risk. */
static void add_loss(struct table *t, const struct loss *l, int64_t now)
{
	char cell[64] = "";
	long long low = (long long)(l->low - now), high = (long long)(l->high - now);
	switch (l->state) {
	case LOSS_EXACT: snprintf(cell, sizeof cell, "%lld", low); break;
	case LOSS_BETWEEN: snprintf(cell, sizeof cell, "%lld..%lld", low, high); break;
	case LOSS_AT_MOST: snprintf(cell, sizeof cell, "<=%lld", high); break;
	case LOSS_AT_LEAST: snprintf(cell, sizeof cell, ">=%lld", low); break;
	case LOSS_UNKNOWN: snprintf(cell, sizeof cell, "??"); break;
	default: break;
	}
	table_add(t, cell);
}

static void eye_row(struct table *t, const struct snapshot *s, const struct pipeline *p, const struct row *r)
{
	char in[LOSS_IN];
	loss_in(&r->loss, s->at, in);
	table_add(t, health_mark(r->health));
	table_add(t, p->name);
	table_add(t, r->name);
	table_add(t, r->kind->id);
	add_values(t, r, true);
	table_add(t, in);
	table_add(t, r->reason);
}

static void pipe_row(struct table *t, const struct snapshot *s, const struct pipeline *p, const struct row *r)
{
	table_add(t, "stage");
	table_add(t, p->name);
	table_add(t, r->name);
	table_add(t, r->kind->id);
	table_add(t, r->resource);
	table_add(t, health_name(r->health));
	add_values(t, r, false);
	table_add(t, r->reason);
	add_loss(t, &r->loss, s->at);
}

static void stages(struct out *o, const struct snapshot *s, const struct pipeline *only)
{
	static const char *const heads[] = { "",      "PIPELINE", "STAGE",   "KIND", "IN",      "OUT",
		                                 "ERROR", "LATENCY",  "BACKLOG", "AGE",  "LOSS IN", "" };
	struct table t;
	table_init(&t, o->tty ? 4 + NSHOWN + 2 : 6 + NSHOWN + 2, 0x7f0);
	for (unsigned i = 0; o->tty && i < sizeof heads / sizeof heads[0]; i++)
		table_add(&t, heads[i]);
	for (unsigned i = 0; i < s->npipelines; i++) {
		const struct pipeline *p = &s->pipelines[i];
		for (uint32_t k = p->first; k < p->first + p->n && (!only || only == p); k++)
			(o->tty ? eye_row : pipe_row)(&t, s, p, &s->rows[k]);
	}
	table_print(&t, o);
}

static const char *alarm_mark(enum alarm_state state)
{
	static const enum health as[] = { [ALARM_STATE_UNKNOWN] = HEALTH_UNKNOWN,
		                              [ALARM_STATE_OK] = HEALTH_OK,
		                              [ALARM_STATE_ALARM] = HEALTH_ALARM,
		                              [ALARM_STATE_INSUFFICIENT] = HEALTH_WARN };
	return health_mark(as[state]);
}

static void alarm_rule(const struct alarm *a, char rule[64])
{
	char threshold[32];
	text_exact(a->threshold, threshold);
	snprintf(rule, 64, "%s%s%s", a->comparison ? a->comparison : "", *threshold ? " " : "", threshold);
}

/* An alarm that is well needs no reason to be read. */
static void eye_alarm(struct table *t, const struct alarm *a, int64_t now)
{
	char age[TEXT_NUM] = "", rule[64];
	if (a->since > 0)
		text_duration(now - a->since, age);
	alarm_rule(a, rule);
	table_add(t, alarm_mark(a->state));
	table_add(t, a->name);
	table_add(t, alarm_state_name(a->state));
	table_add(t, age);
	table_add(t, a->metric);
	table_add(t, rule);
	table_add(t, a->state == ALARM_STATE_OK ? "" : a->reason);
}

static void pipe_alarm(struct table *t, const struct alarm *a)
{
	char since[CLOCK_RFC3339_SIZE] = "", rule[64];
	if (a->since > 0)
		clock_rfc3339(a->since, since);
	alarm_rule(a, rule);
	table_add(t, "alarm");
	table_add(t, a->name);
	table_add(t, alarm_state_name(a->state));
	table_add(t, since);
	table_add(t, a->metric);
	table_add(t, rule);
	table_add(t, a->reason);
}

static void alarms(struct out *o, const struct snapshot *s)
{
	struct table t;
	table_init(&t, 7, 1U << 3);
	if (o->tty && s->nalarms)
		out_own(o, "\nALARMS\n");
	for (unsigned i = 0; i < s->nalarms; i++)
		if (o->tty)
			eye_alarm(&t, &s->alarms[i], s->at);
		else
			pipe_alarm(&t, &s->alarms[i]);
	table_print(&t, o);
}

static void problem_lines(struct out *o, const struct snapshot *s)
{
	unsigned n = status_problems(s);
	if (n)
		out_own(o, "\nPROBLEMS\n");
	for (unsigned i = 0; i < n; i++) {
		char line[1024];
		status_problem_line(status_problem(s, i), line);
		out_ownf(o, "%s%s\n", health_mark(HEALTH_UNKNOWN), line);
	}
}

static void problem_rows(struct out *o, const struct snapshot *s)
{
	struct table t;
	table_init(&t, 5, 0);
	for (unsigned i = 0; i < status_problems(s); i++) {
		const struct api_health *a = status_problem(s, i);
		table_add(&t, "problem");
		table_add(&t, a->op);
		table_add(&t, err_check_code(a->last.code));
		table_add(&t, a->last.text);
		table_add(&t, a->last.action);
	}
	table_print(&t, o);
}

/* Two figures: how long ago AWS was asked, and how far what it said reaches. */
static void add_ages(struct out *o, const struct snapshot *s)
{
	char clock[16], hm[16], age[TEXT_NUM];
	clock_hms(s->at, clock);
	out_ownf(o, "  %s", clock);
	if (s->polled_at > 0) {
		text_duration(s->at > s->polled_at ? s->at - s->polled_at : 0, age);
		out_ownf(o, "  polled %s ago", age);
	} else {
		out_own(o, "  not polled");
	}
	if (s->data_to > 0) {
		clock_hm(s->data_to, hm);
		out_ownf(o, ", data to %s\n", hm);
	} else {
		out_own(o, ", no data yet\n");
	}
}

static void eye_head(struct out *o, const struct snapshot *s)
{
	const struct target *t = &s->target;
	out_text(o, *t->account ? t->account : "account unknown");
	out_own(o, "  ");
	out_text(o, *t->region ? t->region : "no region");
	out_own(o, *t->profile ? "  profile " : "");
	out_text(o, t->profile);
	out_own(o, *t->endpoint ? "  at " : "");
	out_text(o, t->endpoint);
	add_ages(o, s);
}

static void pipe_head(struct out *o, const struct snapshot *s)
{
	char at[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE] = "", polled[CLOCK_RFC3339_SIZE] = "";
	struct table t;
	clock_rfc3339(s->at, at);
	if (s->data_to > 0)
		clock_rfc3339(s->data_to, to);
	if (s->polled_at > 0)
		clock_rfc3339(s->polled_at, polled);
	table_init(&t, 7, 0);
	table_add(&t, "target");
	table_add(&t, s->target.account);
	table_add(&t, s->target.region);
	table_add(&t, s->target.profile);
	table_add(&t, at);
	table_add(&t, to);
	table_add(&t, polled);
	table_print(&t, o);
}

/* What this poll cost, and what it comes to. */
static void eye_cost(struct out *o, const struct snapshot *s)
{
	out_ownf(o, "\n%u metrics asked, an estimated $%.4f", s->cost.metrics, s->cost.usd);
	if (!isnan(s->cost.today_usd))
		out_ownf(o, "; $%.2f today", s->cost.today_usd);
	if (!isnan(s->cost.usd_per_day))
		out_ownf(o, "; the console would spend $%.2f a day", s->cost.usd_per_day);
	if (s->cost.budget > 0)
		out_ownf(o, " of $%.2f", s->cost.budget);
	out_own(o, "\n");
}

static void pipe_cost(struct out *o, const struct snapshot *s)
{
	struct table t;
	char cell[32];
	table_init(&t, 6, 0);
	table_add(&t, "cost");
	snprintf(cell, sizeof cell, "%u", s->cost.metrics);
	table_add(&t, cell);
	const double usd[] = { s->cost.usd, s->cost.today_usd, s->cost.usd_per_day, s->cost.budget };
	for (unsigned i = 0; i < sizeof usd / sizeof *usd; i++) {
		text_exact(round(usd[i] * 1e6) / 1e6, cell);
		table_add(&t, cell);
	}
	table_print(&t, o);
}

void status_text(struct out *o, const struct snapshot *s, const struct pipeline *only)
{
	(o->tty ? eye_head : pipe_head)(o, s);
	stages(o, s, only);
	alarms(o, s);
	(o->tty ? problem_lines : problem_rows)(o, s);
	(o->tty ? eye_cost : pipe_cost)(o, s);
}
