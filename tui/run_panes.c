/* A run's rate over time, by the ledger's own instants, and what its destination says meanwhile. */
#include "core/mem.h"
#include "core/text.h"
#include "tui/chart.h"
#include "tui/fields.h"
#include "tui/pane.h"
#include "tui/replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MOST 600
#define NAMES 3

/* ---- the rate */

static void span_of_run(const struct view *v, const struct replay_result *r, int64_t *from, int64_t *to)
{
	*from = *to = 0;
	for (unsigned i = 0; i < r->nitems; i++) {
		int64_t t = r->items[i].intent_ms / 1000;
		if (!t)
			continue;
		*from = *from && *from < t ? *from : t;
		*to = *to > t ? *to : t;
	}
	if (replay_is_driven(v, r) && v->now > *to)
		*to = v->now;
}

/* What is sent a second time counts when it was sent last: the ledger's row has only that. */
static void draw_line(struct view *v, const struct area *a, const struct replay_result *r, int64_t from, int64_t to)
{
	int64_t step = (to - from) / POINTS_MOST + 1, least = 10;
	unsigned n = (unsigned)((to - from) / step) + 1;
	struct chart_level limit = { r->run.rate, "at most" };
	double *rate = xcalloc(n, sizeof *rate);
	for (unsigned i = 0; i < r->nitems; i++) {
		int64_t at = r->items[i].intent_ms / 1000 - from;
		if (r->items[i].intent_ms && at / step < (int64_t)n)
			rate[at / step] += 1.0 / (double)step;
	}
	struct chart c = { .from = from,
		               .to = to + step > from + least ? to + step : from + least,
		               .step = (uint32_t)step,
		               .n = n,
		               .v = rate,
		               .unit = UNIT_COUNT,
		               .levels = &limit,
		               .nlevels = r->run.rate > 0,
		               .now = v->now,
		               .times = v->time_style };
	chart_draw(&v->canvas, a->y + 1, a->x, a->h - 1, a->w, v->level, &c);
	free(rate);
}

void run_rate_pane(struct view *v, struct area a, const struct replay_result *r)
{
	char note[64];
	int64_t from, to;
	span_of_run(v, r, &from, &to);
	snprintf(note, sizeof note, "at most %g, by the ledger", r->run.rate);
	pane_title(v, &a, "RATE  messages/s", note);
	if (from)
		draw_line(v, &a, r, from, to);
	else
		draw_sentence(&v->canvas, a.y + 1, 2, a.w - 2, STYLE_FAINT, "nothing has been sent");
}

/* ---- downstream */

/* The function or queue that it goes to; NULL: none of the rows is. A function's name stands before its alias. */
static const struct row *destination(const struct view *v, const struct replay_run *run)
{
	const char *name = replay_dest_name(run->dest), *kind = run->mode == REPLAY_INVOKE ? "lambda" : "sqs";
	size_t n = strcspn(name, ":");
	for (unsigned i = 0; v->snap && i < v->snap->nrows; i++) {
		const struct row *r = &v->snap->rows[i];
		if (strcmp(r->kind->id, kind) == 0 && strlen(r->resource) == n && strncmp(r->resource, name, n) == 0)
			return r;
	}
	return NULL;
}

/* Each reading that there is: no source, no cell. */
static void readings_line(const struct row *r, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < r->nreadings && n < size; i++) {
		char value[FIELD_SIZE];
		bool idle = isnan(r->readings[i].value) && strcmp(field_absent(r, &r->readings[i]), "-") == 0;
		if (idle)
			continue;
		reading_text(r, &r->readings[i], false, value);
		n += (size_t)snprintf(out + n, size - n, "%s%s %s", n ? "   " : "", r->readings[i].info->title, value);
	}
}

/* Those that went off since it began, whoever's fault that is. */
static unsigned alarms_since(const struct view *v, const struct replay_run *run, char *names, size_t size)
{
	unsigned n = 0;
	size_t at = 0;
	names[0] = '\0';
	for (unsigned i = 0; v->snap && i < v->snap->nalarms; i++) {
		const struct alarm *a = &v->snap->alarms[i];
		if (a->state != ALARM_STATE_ALARM || !run->started_ms || a->since * 1000 < run->started_ms)
			continue;
		if (n++ < NAMES && at < size)
			at += (size_t)snprintf(names + at, size - at, "%s%.60s", at ? ", " : ": ", a->name);
	}
	return n;
}

void run_downstream_pane(struct view *v, struct area a, const struct replay_result *r)
{
	struct canvas *c = &v->canvas;
	const struct row *row = destination(v, &r->run);
	char line[900], names[256], title[128];
	snprintf(title, sizeof title, "DOWNSTREAM  %.100s", replay_dest_name(r->run.dest));
	pane_title(v, &a, title, row ? "as it was polled" : "not among the stages");
	if (row)
		readings_line(row, line, sizeof line);
	else
		snprintf(line, sizeof line, "? it is not polled here: what it does is not known");
	bool known = row && line[0];
	if (row && !known)
		snprintf(line, sizeof line, "? nothing of it has been read");
	draw_sentence(c, a.y + 1, 1, a.w - 1, known ? STYLE_NORMAL : STYLE_UNKNOWN, line);
	unsigned n = alarms_since(v, &r->run, names, sizeof names);
	snprintf(line, sizeof line, "alarms that went off since the start: %u%s", n, names);
	draw_sentence(c, a.y + 2, 1, a.w - 1, n ? STYLE_WARN : STYLE_NORMAL, line);
}
