/* CloudWatch: alarm mute rules with a schedule at(...). A muted alarm's state moves on; its actions do not run. (AWS runs them when the window
 * ends with the alarm still in that state; that is left out.) */
#include "core/clock.h"
#include "core/mem.h"
#include "sim/sim_alarm.h"
#include "sim/sim_cw.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MOST 2000
#define TARGETS_MOST 100

static bool bad(struct sim_fail *f, const char *key, const char *why)
{
	return sim_fail(f, WHY_INVALID_VALUE, "%s %s", key, why);
}

static void mute_free(struct sim_mute *m)
{
	free(m->name);
	free(m->why);
	for (unsigned i = 0; i < m->ntargets; i++)
		free(m->targets[i]);
	free(m->targets);
	*m = (struct sim_mute){ 0 };
}

void mutes_clear(struct world *w)
{
	for (unsigned i = 0; i < w->nmutes; i++)
		mute_free(&w->mutes[i]);
	free(w->mutes);
}

static struct sim_mute *find(const struct world *w, const char *name)
{
	for (unsigned i = 0; i < w->nmutes; i++)
		if (strcmp(w->mutes[i].name, name) == 0)
			return &w->mutes[i];
	return NULL;
}

static bool targets(const struct sim_mute *m, const char *alarm)
{
	for (unsigned i = 0; i < m->ntargets; i++)
		if (strcmp(m->targets[i], alarm) == 0)
			return true;
	return false;
}

bool alarm_muted(const struct world *w, const char *alarm)
{
	for (unsigned i = 0; i < w->nmutes; i++)
		if (targets(&w->mutes[i], alarm) && w->now_ms >= w->mutes[i].from_ms && w->now_ms < w->mutes[i].to_ms)
			return true;
	return false;
}

/* PT90M, PT1H, P1D; 0: it is none that is taken. */
static int64_t duration_s(const char *text)
{
	unsigned n;
	char unit;
	int64_t s = 0;
	if (sscanf(text, "P%u%c", &n, &unit) == 2 && unit == 'D')
		s = (int64_t)n * 86400;
	else if (sscanf(text, "PT%u%c", &n, &unit) == 2 && (unit == 'M' || unit == 'H'))
		s = (int64_t)n * (unit == 'H' ? 3600 : 60);
	return s >= 60 && s <= 15 * 86400 ? s : 0;
}

/* at(2026-11-23T03:14) in UTC, and how long. */
static bool read_window(const struct sim_req *rq, struct sim_mute *m, struct sim_fail *f)
{
	const struct json *rule = json_get(rq->args, "Rule"), *schedule = json_get(rule, "Schedule");
	const char *at, *takes;
	char text[32];
	if (!schedule)
		return bad(f, "Rule", "is required");
	if (!arg_need(rq, schedule, "Expression", &at, f) || !arg_need(rq, schedule, "Duration", &takes, f))
		return false;
	snprintf(text, sizeof text, "%.16s:00Z", strncmp(at, "at(", 3) == 0 ? at + 3 : "");
	if (strlen(at) != 20 || at[19] != ')' || !clock_parse_rfc3339(text, strlen(text), &m->from_ms))
		return bad(f, "Expression", "is not at(yyyy-MM-ddThh:mm)");
	m->to_ms = m->from_ms + duration_s(takes) * 1000;
	return m->to_ms > m->from_ms || bad(f, "Duration", "must be PT1M to P15D");
}

static bool read_targets(const struct sim_req *rq, struct sim_mute *m, struct sim_fail *f)
{
	const struct json *names = json_get(json_get(rq->args, "MuteTargets"), "AlarmNames");
	unsigned cap = 0;
	for (const struct json *a = json_first(names); a && m->ntargets <= TARGETS_MOST; a = json_next(a)) {
		MEM_GROW(m->targets, m->ntargets, cap);
		m->targets[m->ntargets++] = xstrdup(json_str(a) ? json_str(a) : "");
	}
	return (m->ntargets && m->ntargets <= TARGETS_MOST) || bad(f, "MuteTargets", "must have 1 to 100 AlarmNames");
}

bool cw_put_mute(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name, *why = NULL;
	struct sim_mute m = { 0 };
	(void)o;
	if (!arg_need(rq, rq->args, "Name", &name, f) || !arg_str(rq, rq->args, "Description", &why, f))
		return false;
	if (strlen(name) > 255)
		return bad(f, "Name", "is too long");
	if (!read_window(rq, &m, f) || !read_targets(rq, &m, f)) {
		mute_free(&m);
		return false;
	}
	struct sim_mute *old = find(w, name);
	if (!old && w->nmutes == RULES_MOST) {
		mute_free(&m);
		return sim_fail(f, WHY_INVALID_VALUE, "The account has reached its limit of mute rules.");
	}
	if (!old) {
		MEM_GROW(w->mutes, w->nmutes, w->capmutes);
		old = &w->mutes[w->nmutes++];
	} else {
		mute_free(old);
	}
	*old = m;
	old->name = xstrdup(name);
	old->why = why ? xstrdup(why) : NULL;
	return true;
}

bool cw_delete_mute(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name;
	(void)o;
	if (!arg_need(rq, rq->args, "AlarmMuteRuleName", &name, f))
		return false;
	struct sim_mute *m = find(w, name);
	if (!m)
		return true;
	mute_free(m);
	w->nmutes--;
	memmove(m, m + 1, (size_t)(w->mutes + w->nmutes - m) * sizeof *m);
	return true;
}

static const char *status_of(const struct world *w, const struct sim_mute *m)
{
	return w->now_ms < m->from_ms ? "SCHEDULED" : w->now_ms < m->to_ms ? "ACTIVE" : "EXPIRED";
}

static void tell_arn(const struct world *w, const struct sim_mute *m, struct wr *o)
{
	char arn[400];
	snprintf(arn, sizeof arn, "arn:%s:cloudwatch:%s:" SIM_ACCOUNT ":alarm-mute-rule:%s", w->partition, w->region,
	         m->name);
	wr_str(o, "AlarmMuteRuleArn", arn);
}

bool cw_list_mutes(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *alarm = NULL;
	if (!arg_str(rq, rq->args, "AlarmName", &alarm, f))
		return false;
	wr_list(o, "AlarmMuteRuleSummaries", NULL);
	for (unsigned i = 0; i < w->nmutes; i++) {
		if (alarm && !targets(&w->mutes[i], alarm))
			continue;
		wr_object(o, NULL);
		tell_arn(w, &w->mutes[i], o);
		wr_str(o, "Status", status_of(w, &w->mutes[i]));
		wr_str(o, "MuteType", "ONE_TIME");
		wr_object_end(o);
	}
	wr_list_end(o);
	return true;
}

bool cw_get_mute(struct world *w, struct sim_req *rq, struct wr *o, struct sim_fail *f)
{
	const char *name;
	char at[CLOCK_RFC3339_SIZE], text[48];
	if (!arg_need(rq, rq->args, "AlarmMuteRuleName", &name, f))
		return false;
	const struct sim_mute *m = find(w, name);
	if (!m)
		return sim_fail(f, WHY_NOT_FOUND, "There is no mute rule %.255s", name);
	wr_str(o, "Name", m->name);
	tell_arn(w, m, o);
	wr_str(o, "Description", m->why);
	wr_object(o, "Rule");
	wr_object(o, "Schedule");
	clock_rfc3339(m->from_ms / 1000, at);
	snprintf(text, sizeof text, "at(%.16s)", at);
	wr_str(o, "Expression", text);
	snprintf(text, sizeof text, "PT%dM", (int)((m->to_ms - m->from_ms) / 60000));
	wr_str(o, "Duration", text);
	wr_str(o, "Timezone", "UTC");
	wr_object_end(o);
	wr_object_end(o);
	wr_object(o, "MuteTargets");
	wr_list(o, "AlarmNames", NULL);
	for (unsigned i = 0; i < m->ntargets; i++)
		wr_str(o, NULL, m->targets[i]);
	wr_list_end(o);
	wr_object_end(o);
	wr_str(o, "Status", status_of(w, m));
	wr_str(o, "MuteType", "ONE_TIME");
	return true;
}
