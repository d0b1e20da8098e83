/* What Markdown and HTML have in common: which parts a report has, and what stands in them. */
#include "cli/check.h"
#include "cli/report.h"
#include "cli/status.h"

#include "core/clock.h"

#include <stdarg.h>
#include <stdio.h>

static void say(struct buf *b, const struct report_form *f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(struct buf *b, const struct report_form *f, const char *fmt, ...)
{
	char own[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(own, sizeof own, fmt, ap);
	va_end(ap);
	f->paragraph(b, own);
}

static void stages(struct buf *b, const struct report *r, const struct report_form *f)
{
	unsigned n = 0;
	const struct snapshot *s = r->end;
	for (unsigned i = 0; i < s->nrows; i++)
		n += report_of_interest(&s->rows[i]);
	f->heading(b, "Stages at the end");
	say(b, f, "%u of %u are not ok.", n, s->nrows);
	if (!n)
		return;
	f->table(b, (const char *const[]){ "state", "stage", "kind", "why", NULL });
	for (unsigned i = 0; i < s->nrows; i++) {
		const struct row *row = &s->rows[i];
		const char *cells[] = { health_name(row->health), row->name, row->kind->id, row->reason };
		if (report_of_interest(row))
			f->row(b, cells, 4, health_name(row->health));
	}
	f->table_end(b);
}

/* What the end's clocks say: deadlines, and where there may be one that nobody knows. */
static void losses(struct buf *b, const struct report *r, const struct report_form *f)
{
	unsigned n = 0;
	const struct snapshot *s = r->end;
	for (unsigned i = 0; i < s->nrows; i++)
		n += loss_at_risk(&s->rows[i].loss);
	if (!n)
		return;
	f->heading(b, "Until something is lost");
	f->table(b, (const char *const[]){ "stage", "in", "what", "by", NULL });
	for (unsigned i = 0; i < s->nrows; i++) {
		const struct row *row = &s->rows[i];
		char in[LOSS_IN];
		struct buf when;
		if (!loss_at_risk(&row->loss))
			continue;
		buf_init(&when, 512);
		loss_in(&row->loss, s->at, in);
		loss_when(&row->loss, s->at, &when);
		if (row->loss.where)
			buf_addf(&when, " (%s)", row->loss.where);
		const char *cells[] = { row->name, in, when.p ? when.p : "", row->loss.basis ? row->loss.basis : "" };
		f->row(b, cells, 4, health_name(row->health));
		buf_clear(&when);
	}
	f->table_end(b);
}

static void alarms(struct buf *b, const struct report *r, const struct report_form *f)
{
	const struct snapshot *s = r->end;
	if (!s->nalarms)
		return;
	f->heading(b, "Alarms at the end");
	f->table(b, (const char *const[]){ "state", "alarm", "since", "reason", NULL });
	for (unsigned i = 0; i < s->nalarms; i++) {
		const struct alarm *a = &s->alarms[i];
		char since[CLOCK_RFC3339_SIZE] = "-";
		if (a->since)
			clock_rfc3339(a->since, since);
		const char *cells[] = { alarm_state_name(a->state), a->name, since, a->reason };
		f->row(b, cells, 4,
		       a->state == ALARM_STATE_ALARM ? health_name(HEALTH_ALARM)
		       : a->state == ALARM_STATE_OK  ? health_name(HEALTH_OK)
		                                     : health_name(HEALTH_UNKNOWN));
	}
	f->table_end(b);
}

static void events(struct buf *b, const struct report *r, const struct report_form *f, const char *title, bool noted)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->events->n; i++)
		n += report_noted(&r->events->v[i]) == noted;
	if (!n && noted)
		return;
	f->heading(b, title);
	if (!n) {
		f->paragraph(b, "None was seen.");
		return;
	}
	f->table(b, (const char *const[]){ "when (UTC)", "kind", "of", "what", "by", "source", NULL });
	for (unsigned i = r->events->n; i-- > 0;) {
		const struct event *v = &r->events->v[i];
		char when[80];
		report_when(v, when);
		const char *cells[] = { when, event_kind_name(v->kind), v->subject, v->text, v->by, v->source };
		if (report_noted(v) == noted)
			f->row(b, cells, 6, NULL);
	}
	f->table_end(b);
}

static void limits(struct buf *b, const struct report *r, const struct report_form *f)
{
	char at[CLOCK_RFC3339_SIZE];
	clock_rfc3339(r->end->at, at);
	f->heading(b, "What this rests on");
	say(b, f, "The end is as %s at %s.", r->end->phase == PHASE_PAST ? "the history knows it" : "AWS was polled", at);
	say(b, f, "Figures are from %s. A gap is a period without a point, whatever the reason.",
	    r->offline ? "the history alone" : "the history and, for what it lacks, CloudWatch");
	f->paragraph(b, "A change between two looks has both their times. Times are not causes.");
	if (r->events->more)
		say(b, f, "There are more events than the newest %u.", r->events->n);
	if (r->left_out)
		say(b, f, "%u more stages in trouble have no figures here.", r->left_out);
	for (unsigned i = 0; i < status_problems(r->end); i++) {
		char line[1024];
		status_problem_line(status_problem(r->end, i), line);
		f->paragraph(b, line);
	}
	if (r->end->events_note)
		f->paragraph(b, r->end->events_note);
}

void report_parts(struct buf *b, const struct report *r, const struct report_form *f)
{
	say(b, f, "Made by sluice at %s.", r->made);
	events(b, r, f, "Notes", true);
	stages(b, r, f);
	losses(b, r, f);
	alarms(b, r, f);
	events(b, r, f, "What happened", false);
	if (r->ncharts)
		f->heading(b, "Figures");
	f->figures(b, r);
	limits(b, r, f);
}
