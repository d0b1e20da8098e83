/* report: what happened in a range of time, gathered; its forms are in report_*.c. */
#include "cli/args.h"
#include "cli/report.h"
#include "cli/status.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define EVENTS_MOST 2000
#define ROWS_MOST 12 /* that get charts */
#define CHARTS_MOST 36
#define NOW_IS 120 /* seconds: an end so near is now */

bool report_noted(const struct event *v)
{
	return v->kind == EVENT_NOTE || v->kind == EVENT_INCIDENT;
}

bool report_of_interest(const struct row *r)
{
	return r->health != HEALTH_OK && r->health != HEALTH_IDLE;
}

void report_when(const struct event *v, char out[80])
{
	char a[CLOCK_RFC3339_SIZE], b[CLOCK_RFC3339_SIZE];
	clock_rfc3339(v->at, a);
	clock_rfc3339(v->at_most, b);
	snprintf(out, 80, v->at == v->at_most ? "%s" : "%s .. %s", a, b);
}

static void title(struct report *r)
{
	char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
	const struct target *t = &r->end->target;
	clock_rfc3339(r->from, from);
	clock_rfc3339(r->to, to);
	clock_rfc3339(r->generated, r->made);
	r->title = xasprintf("%s %s, %s to %s", t->account[0] ? t->account : "account unknown", t->region, from, to);
}

void report_value(const struct report_chart *c, double v, char out[48])
{
	char text[TEXT_NUM];
	const struct metric_info *m = c->reading->info;
	if (isnan(v)) {
		snprintf(out, 48, "-");
	} else if (m->unit == UNIT_SECONDS || (m->unit == UNIT_MILLISECONDS && v >= 60000)) {
		text_duration((int64_t)(m->unit == UNIT_SECONDS ? v : v / 1000), text);
		snprintf(out, 48, "%s", text);
	} else {
		text_number(v, text);
		snprintf(out, 48, "%s%s", text,
		         m->unit == UNIT_PERCENT        ? " %"
		         : m->unit == UNIT_MILLISECONDS ? " ms"
		         : m->unit == UNIT_BYTES        ? " B"
		                                        : "");
	}
}

/* ---- charts */

static bool mentioned(const struct report *r, const struct row *row)
{
	for (unsigned i = 0; i < r->events->n; i++)
		if (strcmp(r->events->v[i].subject, row->resource) == 0 && strcmp(r->events->v[i].service, row->kind->id) == 0)
			return true;
	return false;
}

static void measure(struct report_chart *c)
{
	const struct history_result *h = &c->answer->history;
	c->least = c->most = c->last = NAN;
	for (unsigned i = 0; i < h->n; i++) {
		int64_t t = h->from + (int64_t)i * h->step;
		double v = h->v[i];
		c->n++;
		if (isnan(v)) {
			c->gaps++;
			continue;
		}
		if (isnan(c->least) || v < c->least) {
			c->least = v;
			c->least_at = t;
		}
		if (isnan(c->most) || v > c->most) {
			c->most = v;
			c->most_at = t;
		}
		c->last = v;
		c->last_at = t;
	}
}

static double threshold_of(const struct report *r, const char *metric)
{
	for (unsigned i = 0; metric && i < r->end->nalarms; i++)
		if (r->end->alarms[i].metric && strcmp(r->end->alarms[i].metric, metric) == 0)
			return r->end->alarms[i].threshold;
	return NAN;
}

static void add_chart(struct report *r, struct engine *g, const struct row *row, const struct reading *rd)
{
	if (!rd || r->ncharts == CHARTS_MOST)
		return;
	struct request rq = { .kind = REQUEST_HISTORY,
		                  .history = { .row = row->id,
		                               .metric = rd->info->key,
		                               .from = r->from,
		                               .to = r->open_end ? 0 : r->to, /* what is still filling is no gap */
		                               .offline = r->offline } };
	struct report_chart *c = &r->charts[r->ncharts++];
	*c = (struct report_chart){ .row = row, .reading = rd, .answer = engine_call(g, &rq), .threshold = NAN };
	measure(c);
	if (c->answer->err.code == ERR_OK)
		c->threshold = threshold_of(r, c->answer->history.metric);
}

static void add_charts(struct report *r, struct engine *g)
{
	static const enum role roles[] = { ROLE_AGE, ROLE_ERROR, ROLE_BACKLOG, ROLE_IN };
	unsigned rows = 0;
	r->charts = xcalloc(CHARTS_MOST, sizeof *r->charts);
	for (unsigned i = 0; i < r->end->nrows; i++) {
		const struct row *row = &r->end->rows[i];
		if (!(row->health >= HEALTH_WARN) && !mentioned(r, row))
			continue;
		if (rows++ >= ROWS_MOST) {
			r->left_out++;
			continue;
		}
		for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
			add_chart(r, g, row, row->by_role[roles[k]]);
	}
}

/* ---- the whole */

static bool range(const struct cli *c, struct report *r, struct err *e)
{
	const struct cli_args *a = c->args;
	r->generated = clock_wall();
	r->to = r->generated;
	r->open_end = !a->until;
	if (a->until)
		cli_time(a->until, r->generated, &r->to);
	r->from = r->to - DAY;
	if (a->since)
		cli_time(a->since, r->to, &r->from);
	if (r->to > r->generated)
		return err_set(e, ERR_USAGE, "--until", "is not over yet");
	r->offline = a->offline || r->generated - r->to > NOW_IS;
	return (r->from > 0 && r->from < r->to) || err_set(e, ERR_USAGE, "--since", "is not before the end");
}

static int print(const struct cli *c, const struct report *r)
{
	struct out o;
	out_init(&o);
	if (cli_is_json(c))
		report_json(&o, r);
	else
		(c->format && strcmp(c->format, "html") == 0 ? report_html : report_md)(&o, r);
	int status = out_end(&o, c, 0);
	if (status == 0 && r->trouble && r->trouble->code != ERR_OK) {
		cli_say_err(r->trouble);
		status = 1;
	}
	return status;
}

/* What AWS says now where the end is now; otherwise, or when nobody answers, what is known of that instant. */
static struct result *the_end(struct engine *g, const struct report *r, struct err *trouble)
{
	if (!r->offline) {
		struct result *s = engine_call(g, &(struct request){ .kind = REQUEST_STATUS });
		const struct api_health *problem = s->status ? status_problem(s->status, 0) : NULL;
		*trouble = s->err.code != ERR_OK || !problem ? s->err : problem->last;
		if (s->status && s->status->polled_at)
			return s;
		result_free(s);
	}
	return engine_call(g, &(struct request){ .kind = REQUEST_PAST, .past = { r->to } });
}

int cmd_report(const struct cli *c, struct engine *g)
{
	struct report r = { 0 };
	struct err e = { 0 }, trouble = { 0 };
	if (!range(c, &r, &e))
		return cli_fail(c, &e);
	struct result *end = the_end(g, &r, &trouble);
	struct request events = { .kind = REQUEST_EVENTS, .events = { r.from, r.to, EVENTS_MOST } };
	struct result *told = engine_call(g, &events);
	r.end = end->kind == REQUEST_STATUS ? end->status : end->past;
	r.events = &told->events;
	r.trouble = &trouble;
	int status;
	if (!r.end || told->err.code != ERR_OK) {
		status = cli_fail(c, trouble.code != ERR_OK ? &trouble : r.end ? &told->err : &end->err);
	} else {
		r.offline = r.offline || end->kind != REQUEST_STATUS;
		add_charts(&r, g);
		title(&r);
		status = print(c, &r);
	}
	for (unsigned i = 0; i < r.ncharts; i++)
		result_free((struct result *)r.charts[i].answer);
	free(r.charts);
	free(r.title);
	result_free(told);
	result_free(end);
	return status;
}
