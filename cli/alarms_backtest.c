/* alarms backtest: what an alarm's rule would have done. */
#include "cli/alarm_code.h"

#include "core/clock.h"
#include "core/text.h"

#include <stdio.h>

#define DAY 86400
#define MOST (15 * DAY) /* CloudWatch keeps datapoints of a minute so long */
#define DEFAULT (14 * DAY)

static double per_day(unsigned n, int64_t from, int64_t to)
{
	return to > from ? n * (double)DAY / (double)(to - from) : 0;
}

static void json_count(struct json_out *j, const char *key, const struct backtest_count *b,
                       const struct backtest_result *r)
{
	json_out_object(j, key);
	json_out_num(j, "threshold", b->threshold);
	json_out_int(j, "m", b->m);
	json_out_int(j, "n", b->n);
	json_out_int(j, "fires", b->fires);
	json_out_int(j, "transitions", b->transitions);
	json_out_num(j, "transitions_per_day", per_day(b->transitions, r->from, r->to));
	json_out_int(j, "alarm_seconds", b->alarm_s);
	json_out_int(j, "longest_seconds", b->longest_s);
	json_out_int(j, "insufficient_seconds", b->insufficient_s);
	json_out_bool(j, "unsure", b->unsure);
	json_out_object_end(j);
}

static void print_json(struct out *o, const struct alarm_result *a)
{
	const struct backtest_result *r = &a->backtest;
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_str(&j, "name", a->alarm.name);
	json_out_time(&j, "from", r->from);
	json_out_time(&j, "to", r->to);
	json_out_int(&j, "step", r->step);
	json_out_str(&j, "approximate", a->alarm.local.approximate);
	json_count(&j, "final", &r->final, r);
	if (r->has_seen) {
		json_count(&j, "as_seen", &r->seen, r);
		json_out_int(&j, "held", r->held);
		json_out_int(&j, "revised", r->revised);
		json_out_bool(&j, "as_seen_whole", r->seen_whole);
	} else {
		json_out_null(&j, "as_seen");
	}
	if (r->incidents) {
		json_out_int(&j, "incidents", r->incidents);
		json_out_int(&j, "real_fires", r->final.real);
	}
	json_out_object(&j, "cloudwatch");
	json_out_int(&j, "fires", r->their_fires);
	json_out_int(&j, "compared_seconds", r->compared_s);
	json_out_int(&j, "agreed_seconds", r->agreed_s);
	json_out_object_end(&j);
	json_out_array(&j, "sweep");
	for (unsigned i = 0; i < r->nsweep; i++)
		json_count(&j, NULL, &r->sweep[i], r);
	json_out_array_end(&j);
	json_out_int(&j, "metrics", a->metrics);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void row(struct table *t, const char *what, const struct backtest_count *b, const struct backtest_result *r)
{
	char cell[64], duration[TEXT_NUM];
	text_exact(b->threshold, cell);
	table_add(t, what);
	table_add(t, cell);
	snprintf(cell, sizeof cell, "%u/%u", b->m, b->n);
	table_add(t, cell);
	snprintf(cell, sizeof cell, "%u", b->fires);
	table_add(t, cell);
	text_duration(b->alarm_s, duration);
	table_add(t, duration);
	text_duration(b->longest_s, duration);
	table_add(t, duration);
	snprintf(cell, sizeof cell, "%.1f", per_day(b->transitions, r->from, r->to));
	table_add(t, cell);
}

static void print_text(struct out *o, const struct alarm_result *a)
{
	static const char *const heads[] = { "", "THRESHOLD", "M/N", "FIRES", "IN ALARM", "LONGEST", "CHANGES/DAY" };
	const struct backtest_result *r = &a->backtest;
	struct table t;
	table_init(&t, 7, 0x7eu);
	for (unsigned i = 0; o->tty && i < 7; i++)
		table_add(&t, heads[i]);
	row(&t, "final", &r->final, r);
	if (r->has_seen)
		row(&t, "as seen", &r->seen, r);
	for (unsigned i = 1; i < r->nsweep; i++) /* the first is the rule itself */
		row(&t, "if", &r->sweep[i], r);
	table_print(&t, o);
}

static void say(const struct alarm_result *a)
{
	const struct backtest_result *r = &a->backtest;
	char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE], line[400];
	clock_rfc3339(r->from, from);
	clock_rfc3339(r->to, to);
	snprintf(line, sizeof line, "%s to %s, %u metrics asked for", from, to, a->metrics);
	cli_note("span", line);
	if (r->compared_s) {
		snprintf(line, sizeof line,
		         "the same state in %.1f %% of the time that its history covers; it tells of %u fires",
		         100.0 * (double)r->agreed_s / (double)r->compared_s, r->their_fires);
		cli_note("CloudWatch", line);
	}
	if (r->incidents) {
		snprintf(line, sizeof line, "%u of %u fires lie near one of %u noted incidents", r->final.real, r->final.fires,
		         r->incidents);
		cli_note("incidents", line);
	}
	if (r->has_seen) {
		snprintf(line, sizeof line, "the history holds %u datapoints, and %u were another when it first had them%s",
		         r->held, r->revised, r->seen_whole ? "" : ", and it did not keep all such changes");
		cli_note("as seen", line);
	}
	if (r->final.insufficient_s) {
		text_duration(r->final.insufficient_s, from);
		snprintf(line, sizeof line, "%s in INSUFFICIENT_DATA", from);
		cli_note("no datapoints", line);
	}
	if (r->final.unsure)
		cli_note("unsure", "some of it hangs on how far back CloudWatch looks, which it does not say");
	if (a->alarm.local.approximate)
		cli_note("approximate", a->alarm.local.approximate);
}

static int refused(const struct cli *c, const struct alarm_result *a)
{
	struct err e = a->points_err;
	if (e.code == ERR_OK)
		err_set(&e, ERR_CONF, a->alarm.name, "not evaluated here: %s",
		        a->alarm.local.why ? a->alarm.local.why : "it has no datapoints that are known");
	cli_fail(c, &e);
	return 1;
}

int alarms_backtest(const struct cli *c, struct engine *g)
{
	int64_t now = clock_wall(), from = now - DEFAULT;
	struct err e;
	if (c->args->since)
		cli_time(c->args->since, now, &from);
	if (from >= now || now - from > MOST) {
		err_set(&e, ERR_USAGE, "--since", "from now back to 15 days: so long CloudWatch keeps datapoints of a minute");
		return cli_fail(c, &e);
	}
	struct request rq = { .kind = REQUEST_ALARM,
		                  .alarm = { .name = c->argv[1], .backtest_from = from, .history_from = from } };
	struct result *r = engine_call(g, &rq);
	int status;
	struct out o;
	if (r->err.code != ERR_OK) {
		status = cli_fail(c, &r->err);
	} else if (!r->alarm.backtest.done) {
		status = refused(c, &r->alarm);
	} else {
		out_init(&o);
		(cli_is_json(c) ? print_json : print_text)(&o, &r->alarm);
		status = out_end(&o, c, 0);
		if (!cli_is_json(c) && status == 0)
			say(&r->alarm);
	}
	result_free(r);
	return status;
}
