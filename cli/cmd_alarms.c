/* alarms list, show, history: what CloudWatch says of its alarms, what sluice makes of their datapoints, and who would really be told. */
#include "cli/alarm.h"
#include "cli/alarm_code.h"
#include "cli/args.h"
#include "cli/out.h"
#include "cli/status.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MOMENTS 10
#define HISTORY_DAYS 7
#define KEPT_DAYS 30 /* by CloudWatch */
#define DAY 86400

static const char *mark_of(enum alarm_state s)
{
	static const enum health as[] = { HEALTH_UNKNOWN, HEALTH_OK, HEALTH_ALARM, HEALTH_UNKNOWN };
	return health_mark(as[s]);
}

static void since_text(const struct alarm *a, int64_t now, char out[TEXT_NUM])
{
	snprintf(out, TEXT_NUM, "-");
	if (a->since > 0)
		text_duration(now > a->since ? now - a->since : 0, out);
}

/* ---- list */

static void eye_alarm(struct table *t, const struct alarm *a, int64_t now)
{
	char age[TEXT_NUM], rule[ALARM_WORDS], told[ALARM_WORDS];
	since_text(a, now, age);
	alarm_rule_words(a, rule);
	alarm_heard_words(a, told);
	table_add(t, mark_of(a->state));
	table_add(t, a->name);
	table_add(t, alarm_state_name(a->state));
	table_add(t, age);
	table_add(t, rule);
	table_add(t, told);
}

static void pipe_alarm(struct table *t, const struct alarm *a)
{
	static const char *const verdicts[] = { "unknown", "nobody", "somebody" };
	char since[CLOCK_RFC3339_SIZE] = "", rule[ALARM_WORDS], told[ALARM_WORDS];
	if (a->since > 0)
		clock_rfc3339(a->since, since);
	alarm_rule_words(a, rule);
	enum alarm_heard heard = alarm_heard_words(a, told);
	table_add(t, a->name);
	table_add(t, alarm_state_name(a->state));
	table_add(t, since);
	table_add(t, a->metric);
	table_add(t, rule);
	table_add(t, verdicts[heard]);
	table_add(t, told);
	table_add(t, a->reason);
}

static void list_text(struct out *o, const struct snapshot *s)
{
	static const char *const heads[] = { "", "ALARM", "STATE", "FOR", "RULE", "TOLD" };
	struct table t;
	table_init(&t, o->tty ? 6 : 8, o->tty ? 1U << 3 : 0);
	for (unsigned i = 0; o->tty && i < sizeof heads / sizeof *heads; i++)
		table_add(&t, heads[i]);
	for (unsigned i = 0; i < s->nalarms; i++)
		if (o->tty)
			eye_alarm(&t, &s->alarms[i], s->at);
		else
			pipe_alarm(&t, &s->alarms[i]);
	table_print(&t, o);
}

static void list_json(struct out *o, const struct snapshot *s)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_time(&j, "generated", s->at);
	json_out_str(&j, "region", s->target.region);
	json_out_array(&j, "alarms");
	for (unsigned i = 0; i < s->nalarms; i++) {
		json_out_object(&j, NULL);
		alarm_json(&j, &s->alarms[i]);
		json_out_object_end(&j);
	}
	json_out_array_end(&j);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void cause(const void *snapshot, unsigned i, struct buf *out)
{
	char line[1024];
	status_problem_line(status_problem(snapshot, i), line);
	buf_adds(out, line);
}

static int list(const struct cli *c, struct engine *g)
{
	struct result *r = engine_call(g, &(struct request){ .kind = REQUEST_ALARMS });
	if (r->err.code != ERR_OK || !r->status) {
		int status = cli_fail(c, &r->err);
		result_free(r);
		return status;
	}
	struct out o;
	out_init(&o);
	(cli_is_json(c) ? list_json : list_text)(&o, r->status);
	int status = out_end(&o, c, 0);
	if (status <= 1) /* whom they tell is unknown then, and said so; the list is whole */
		cli_say_causes(status_problems(r->status), CAUSES, cause, r->status);
	result_free(r);
	return status;
}

/* ---- show */

static void row(struct table *t, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	table_add(t, key);
	table_add(t, value);
}

static void told_rows(struct table *t, const struct alarm *a)
{
	char words[ALARM_WORDS], key[40];
	alarm_heard_words(a, words);
	row(t, "told in ALARM", words);
	for (unsigned i = 0; i < a->ntold; i++) {
		alarm_target_words(&a->told[i], words);
		snprintf(key, sizeof key, "on %s", a->told[i].when);
		row(t, key, words);
	}
	row(t, "actions", a->actions_enabled ? "on" : "off");
}

static void moment_words(const struct alarm_moment *m, char *out, size_t size)
{
	const char *why = m->points ? m->points : m->reason;
	if (m->to)
		snprintf(out, size, "%s -> %s%s%.200s", alarm_state_name(m->from), alarm_state_name(m->to), why ? "  " : "",
		         why ? why : "");
	else
		snprintf(out, size, "%.255s%s%.200s", m->summary ? m->summary : "", why ? ": " : "", why ? why : "");
}

static void moment_row(struct table *t, const struct alarm_moment *m)
{
	char at[CLOCK_RFC3339_SIZE], words[512];
	clock_rfc3339(m->at, at);
	moment_words(m, words, sizeof words);
	row(t, at, words);
}

static void windows_text(const struct alarm_result *r, char out[ALARM_WORDS])
{
	size_t n = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < r->nwindows && n < ALARM_WORDS - 40; i++) {
		char value[32];
		text_exact(r->windows[i], value);
		n += (size_t)snprintf(out + n, ALARM_WORDS - n, "%s%s", i ? " " : "", value[0] ? value : "-");
	}
}

static void keeper_rows(struct table *t, const struct alarm *a)
{
	row(t, "description", a->description);
	row(t, "runbook", a->runbook);
	row(t, "owner", a->owner ? a->owner : a->tagged ? "no tag names one" : "?");
	row(t, "kept by", a->tagged ? alarm_manager_name(a->manager) : "?");
}

static void show_text(struct out *o, const struct alarm_result *r)
{
	const struct alarm *a = &r->alarm;
	char since[CLOCK_RFC3339_SIZE] = "", words[ALARM_WORDS], age[TEXT_NUM], state[120];
	struct table t;
	table_init(&t, 2, 0);
	if (a->since > 0)
		clock_rfc3339(a->since, since);
	since_text(a, r->at, age);
	snprintf(state, sizeof state, "%s for %s%s%s", alarm_state_name(a->state), age, *since ? ", since " : "", since);
	row(&t, "alarm", a->name);
	row(&t, "state", state);
	row(&t, "reason", a->reason);
	alarm_local_words(a, words);
	row(&t, "sluice", words);
	if (r->points_err.code != ERR_OK)
		row(&t, "sluice", "not evaluated here: its datapoints could not be read");
	windows_text(r, words);
	row(&t, "datapoints", words);
	alarm_rule_words(a, words);
	row(&t, "rule", words);
	row(&t, "metric", a->metric);
	row(&t, "evaluation", a->evaluation);
	keeper_rows(&t, a);
	told_rows(&t, a);
	for (unsigned i = 0; i < r->nhistory; i++)
		moment_row(&t, &r->history[i]);
	table_print(&t, o);
}

static void json_windows(struct json_out *j, const struct alarm_result *r)
{
	json_out_object(j, "datapoints");
	json_out_time(j, "end", r->windows_end);
	json_out_int(j, "period", r->alarm.period);
	json_out_array(j, "values");
	for (unsigned i = 0; i < r->nwindows; i++)
		json_out_num(j, NULL, r->windows[i]);
	json_out_array_end(j);
	json_out_object_end(j);
}

static void show_json(struct out *o, const struct alarm_result *r)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_time(&j, "generated", r->at);
	alarm_json(&j, &r->alarm);
	if (r->nwindows)
		json_windows(&j, r);
	alarm_history_json(&j, r->history, r->nhistory, r->history_more);
	json_out_int(&j, "metrics", r->metrics);
	json_out_object_end(&j);
	out_own(o, "\n");
}

/* ---- history */

static void history_text(struct out *o, const struct alarm_result *r)
{
	struct table t;
	table_init(&t, 3, 0);
	for (unsigned i = 0; i < r->nhistory; i++) {
		const struct alarm_moment *m = &r->history[i];
		char at[CLOCK_RFC3339_SIZE], words[512];
		clock_rfc3339(m->at, at);
		moment_words(m, words, sizeof words);
		table_add(&t, at);
		table_add(&t, m->type);
		table_add(&t, words);
	}
	table_print(&t, o);
}

static void history_json(struct out *o, const struct alarm_result *r)
{
	struct json_out j;
	json_out_init(&j, &o->b);
	json_out_object(&j, NULL);
	json_out_int(&j, "version", 1);
	json_out_time(&j, "generated", r->at);
	json_out_str(&j, "name", r->alarm.name);
	alarm_history_json(&j, r->history, r->nhistory, r->history_more);
	json_out_object_end(&j);
	out_own(o, "\n");
}

static void say_part(const char *about, const struct err *e)
{
	char line[1024];
	if (e->code == ERR_OK)
		return;
	err_line(e, line, sizeof line);
	cli_note(about, strncmp(line, "sluice: ", 8) == 0 ? line + 8 : line);
}

static int print_history(const struct cli *c, const struct alarm_result *r)
{
	if (r->history_err.code != ERR_OK)
		return cli_fail(c, &r->history_err);
	struct out o;
	out_init(&o);
	(cli_is_json(c) ? history_json : history_text)(&o, r);
	return out_end(&o, c, 0);
}

/* What could not be read beside the alarm itself is said; the rest is told. */
static int print_one(const struct cli *c, const struct alarm_result *r)
{
	struct out o;
	out_init(&o);
	(cli_is_json(c) ? show_json : show_text)(&o, r);
	int status = out_end(&o, c, 0);
	if (status == 0) {
		say_part("history", &r->history_err);
		say_part("datapoints", &r->points_err);
	}
	return status;
}

static int one(const struct cli *c, struct engine *g, bool history)
{
	int64_t now = clock_wall(), from = now - (history ? HISTORY_DAYS : 1) * DAY;
	if (c->args->since)
		cli_time(c->args->since, now, &from);
	struct request rq = { .kind = REQUEST_ALARM,
		                  .alarm = { .name = c->argv[1],
		                             .history_from = from > 0 ? from : 1,
		                             .history_most = history ? 0 : SHOWN_MOMENTS,
		                             .history_only = history } };
	struct result *r = engine_call(g, &rq);
	int status = r->err.code != ERR_OK ? cli_fail(c, &r->err) : (history ? print_history : print_one)(c, &r->alarm);
	if (status == 0 && history && from < now - KEPT_DAYS * DAY)
		cli_say("note: CloudWatch keeps the history of alarms for 30 days");
	result_free(r);
	return status;
}

static int show(const struct cli *c, struct engine *g)
{
	return one(c, g, false);
}

static int history(const struct cli *c, struct engine *g)
{
	return one(c, g, true);
}

static const struct cli_verb verbs[] = {
	{ "list", NULL, 0, 0, list },
	{ "show", "an alarm's name", 1, 1, show },
	{ "history", "an alarm's name", 1, 1, history },
	{ "backtest", "an alarm's name", 1, 1, alarms_backtest },
	{ "init", "a pipeline's or a resource's name", 1, 1, alarms_init },
	{ "export", NULL, 0, 100, alarms_export },
	{ "plan", "an alarm file", 1, 1, alarms_plan },
	{ "drift", "an alarm file", 1, 1, alarms_drift },
	{ "apply", "an alarm file", 1, 1, alarms_apply },
	{ "enable", "an alarm's name", 1, 1, alarms_enable },
	{ "disable", "an alarm's name", 1, 1, alarms_disable },
	{ "set-state", "an alarm's name and a state (OK, ALARM, INSUFFICIENT_DATA), then maybe why", 2, 3,
	  alarms_set_state },
	{ "delete", "an alarm's name", 1, 1, alarms_delete },
	{ "mute", "an alarm's name", 1, 1, alarms_mute },
	{ "unmute", "an alarm's name", 1, 1, alarms_unmute },
};

int cmd_alarms(const struct cli *c, struct engine *g)
{
	return cli_verbs(c, g, verbs, sizeof verbs / sizeof *verbs, "test ack");
}
