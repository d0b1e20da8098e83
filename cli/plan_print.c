/* How a plan, and what became of it, is told. */
#include "cli/alarm_code.h"

#include <math.h>
#include <stdio.h>

static const char *const words[] = {
	[PLAN_SAME] = "same", [PLAN_CREATE] = "create", [PLAN_CHANGE] = "change", [PLAN_REFUSED] = "refused"
};
static const char marks[] = { [PLAN_SAME] = '=', [PLAN_CREATE] = '+', [PLAN_CHANGE] = '~', [PLAN_REFUSED] = '!' };

static void usd_text(double usd, char out[32])
{
	snprintf(out, 32, "?");
	if (!isnan(usd))
		snprintf(out, 32, "$%.2f", usd);
}

/* A default that nobody wrote is said to be one. */
static void side(struct out *o, const char *value, bool fallback)
{
	out_text(o, value ? value : "-");
	if (fallback)
		out_own(o, " (default)");
}

/* ---- for the eye */

static void eye_step(struct out *o, const struct plan_step *s)
{
	char usd[32];
	usd_text(s->usd, usd);
	out_ownf(o, "%c ", marks[s->what]);
	out_text(o, s->name);
	out_ownf(o, "  (%s, %s a month)\n", s->kind, usd);
	for (unsigned i = 0; i < s->nchanges; i++) {
		const struct plan_change *ch = &s->changes[i];
		out_own(o, "    ");
		out_text(o, ch->path);
		out_own(o, s->what == PLAN_CREATE ? " = " : ": ");
		if (s->what != PLAN_CREATE) {
			side(o, ch->from, ch->fallback_from);
			out_own(o, " -> ");
		}
		side(o, ch->to, ch->fallback_to);
		out_own(o, "\n");
	}
}

static void eye_more(struct out *o, const char *what, const char *text)
{
	if (!text)
		return;
	out_ownf(o, "    %s", what);
	out_text(o, text);
	out_own(o, "\n");
}

static void eye_total(struct out *o, const struct alarm_plan *p, bool drift)
{
	double more = p->usd - p->usd_before;
	out_ownf(o, "%s: %u to create, %u to change, %u the same, %u refused. About $%.2f a month",
	         drift ? "Drift" : "Plan", p->create, p->change, p->same, p->refused, p->usd);
	if (fabs(more) >= 0.005)
		out_ownf(o, " ($%.2f %s)", fabs(more), more > 0 ? "more" : "less");
	out_own(o, ".\n");
}

static void eye(struct out *o, const struct alarm_plan *p, bool drift)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct plan_step *s = &p->steps[i];
		if (s->what == PLAN_SAME && !s->nnotes)
			continue;
		eye_step(o, s);
		eye_more(o, "refused: ", s->what == PLAN_REFUSED ? s->why : NULL);
		eye_more(o, "kept: ", s->kept);
		for (unsigned k = 0; k < s->nnotes; k++)
			eye_more(o, "note: ", s->notes[k]);
	}
	eye_total(o, p, drift);
}

/* ---- for a pipe: a thing a line, its first column saying what it is */

static void row(struct table *t, const char *what, const char *name, const char *a, const char *b, const char *c)
{
	table_add(t, what);
	table_add(t, name);
	table_add(t, a ? a : "");
	table_add(t, b ? b : "");
	table_add(t, c ? c : "");
}

static void pipe_step(struct table *t, const struct plan_step *s)
{
	char usd[32];
	snprintf(usd, sizeof usd, "%.2f", s->usd);
	row(t, words[s->what], s->name, s->kind, isnan(s->usd) ? "" : usd, s->why);
	for (unsigned i = 0; i < s->nchanges; i++)
		row(t, "setting", s->name, s->changes[i].path, s->changes[i].from, s->changes[i].to);
	if (s->kept)
		row(t, "kept", s->name, s->kept, NULL, NULL);
	for (unsigned i = 0; i < s->nnotes; i++)
		row(t, "note", s->name, s->notes[i], NULL, NULL);
}

void plan_text(struct out *o, const struct alarm_code_result *r, bool drift)
{
	struct table t;
	if (o->tty) {
		eye(o, &r->plan, drift);
		return;
	}
	table_init(&t, 5, 0);
	for (unsigned i = 0; i < r->plan.n; i++)
		pipe_step(&t, &r->plan.steps[i]);
	table_print(&t, o);
}

void plan_outcomes_text(struct out *o, const struct alarm_code_result *r)
{
	struct table t;
	table_init(&t, 3, 0);
	for (unsigned i = 0; i < r->plan.n; i++) {
		const struct plan_step *s = &r->plan.steps[i];
		if (s->what != PLAN_CREATE && s->what != PLAN_CHANGE)
			continue;
		table_add(&t, plan_outcome_name(s->outcome));
		table_add(&t, s->name);
		table_add(&t, s->why ? s->why : "");
	}
	table_print(&t, o);
}

/* ---- JSON */

/* The value as the value that it is. */
static void value(struct json_out *j, const char *key, const char *text)
{
	struct json *v = text ? json_parse(span_of(text), NULL) : NULL;
	json_out_node(j, key, v);
	json_free(v);
}

static void json_step(struct json_out *j, const struct plan_step *s, bool applied)
{
	json_out_object(j, NULL);
	json_out_str(j, "name", s->name);
	json_out_str(j, "kind", s->kind);
	json_out_str(j, "what", words[s->what]);
	json_out_array(j, "changes");
	for (unsigned i = 0; i < s->nchanges; i++) {
		json_out_object(j, NULL);
		json_out_str(j, "path", s->changes[i].path);
		value(j, "from", s->changes[i].from);
		value(j, "to", s->changes[i].to);
		json_out_object_end(j);
	}
	json_out_array_end(j);
	json_out_str(j, "why", s->why);
	json_out_str(j, "kept", s->kept);
	json_out_array(j, "notes");
	for (unsigned i = 0; i < s->nnotes; i++)
		json_out_str(j, NULL, s->notes[i]);
	json_out_array_end(j);
	json_out_num(j, "usd_month", s->usd);
	json_out_num(j, "usd_month_before", s->usd_before);
	if (applied)
		json_out_str(j, "outcome",
		             s->what == PLAN_CREATE || s->what == PLAN_CHANGE ? plan_outcome_name(s->outcome) : NULL);
	json_out_object_end(j);
}

void plan_json(struct out *o, const struct alarm_code_result *r, bool applied)
{
	struct json_out j;
	const struct alarm_plan *p = &r->plan;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "owner", p->owner);
	json_out_array(&j, "alarms");
	for (unsigned i = 0; i < p->n; i++)
		json_step(&j, &p->steps[i], applied);
	json_out_array_end(&j);
	json_out_int(&j, "create", p->create);
	json_out_int(&j, "change", p->change);
	json_out_int(&j, "same", p->same);
	json_out_int(&j, "refused", p->refused);
	if (applied) {
		json_out_int(&j, "applied", p->applied);
		json_out_int(&j, "failed", p->failed);
		json_out_int(&j, "unknown", p->unknown);
	}
	json_out_num(&j, "usd_month", p->usd);
	json_out_num(&j, "usd_month_before", p->usd_before);
	json_out_object_end(&j);
	out_own(o, "\n");
}
