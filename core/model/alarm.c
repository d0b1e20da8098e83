/* What is said of an alarm, in words: the same on the screen and in text. */
#include "core/model/alarm.h"

#include "core/metric.h"
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *alarm_kind_name(enum alarm_kind k)
{
	static const char *const names[] = { "metric", "math", "anomaly band", "PromQL", "log", "composite" };
	return names[k];
}

static struct alarm_target target_copy(struct arena *mem, const struct alarm_target *t)
{
	struct alarm_target c = *t;
	c.arn = arena_strdup(mem, t->arn);
	c.name = arena_strdup(mem, t->name);
	c.protocols = arena_strdup(mem, t->protocols);
	c.missing = arena_strdup(mem, t->missing);
	c.why = arena_strdup(mem, t->why);
	return c;
}

struct alarm alarm_copy(struct arena *mem, const struct alarm *a)
{
	struct alarm c = *a;
	const char **texts[] = { &c.name,       &c.arn,        &c.description, &c.reason,   &c.metric,
		                     &c.comparison, &c.evaluation, &c.held_back,   &c.missing,  &c.stat,
		                     &c.unit,       &c.owner,      &c.runbook,     &c.local.why };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = arena_strdup(mem, *texts[i]);
	struct alarm_target *told = arena_array(mem, a->ntold, sizeof *told);
	for (unsigned i = 0; i < a->ntold; i++)
		told[i] = target_copy(mem, &a->told[i]);
	c.told = told;
	return c;
}

static void __attribute__((format(printf, 2, 3))) append(char out[ALARM_WORDS], const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(out + n, ALARM_WORDS - n, fmt, ap);
	va_end(ap);
}

/* ---- who is told */

/* "lambda", "autoscaling" ...: an ARN's third field. */
static void service_of(const char *arn, char out[24])
{
	const char *p = arn;
	for (unsigned colons = 0; p && colons < 2; colons++) {
		p = strchr(p, ':');
		p = p ? p + 1 : NULL;
	}
	snprintf(out, 24, "%.*s", p ? (int)strcspn(p, ":") : 6, p ? p : "action");
}

static enum alarm_heard topic_words(const struct alarm_target *t, char out[ALARM_WORDS])
{
	if (t->missing) {
		append(out, "%s", t->missing);
		return HEARD_NOBODY;
	}
	if (!t->known) {
		append(out, "subscriptions ? (%s)", t->why ? t->why : "not read");
		return HEARD_UNKNOWN;
	}
	append(out, "%u confirmed", t->confirmed);
	if (t->protocols)
		append(out, " (%s)", t->protocols);
	if (t->pending)
		append(out, ", %u pending", t->pending);
	return t->confirmed ? HEARD_SOMEBODY : HEARD_NOBODY;
}

static enum alarm_heard target_words(const struct alarm_target *t, char out[ALARM_WORDS])
{
	char service[24];
	service_of(t->arn, service);
	append(out, "%s %.100s", service, t->name);
	if (!t->topic && !t->missing)
		return HEARD_SOMEBODY;
	append(out, ": ");
	return topic_words(t, out);
}

enum alarm_heard alarm_target_words(const struct alarm_target *t, char out[ALARM_WORDS])
{
	out[0] = '\0';
	return target_words(t, out);
}

static bool for_alarm(const struct alarm_target *t)
{
	return strcmp(t->when, "ALARM") == 0;
}

enum alarm_heard alarm_heard_words(const struct alarm *a, char out[ALARM_WORDS])
{
	enum alarm_heard best = HEARD_NOBODY;
	bool unknown = false;
	out[0] = '\0';
	for (unsigned i = 0; i < a->ntold && a->actions_enabled && !a->held_back; i++) {
		if (!for_alarm(&a->told[i]))
			continue;
		append(out, "%s", out[0] ? "; " : "");
		enum alarm_heard h = target_words(&a->told[i], out);
		unknown = unknown || h == HEARD_UNKNOWN;
		best = h == HEARD_SOMEBODY ? h : best;
	}
	if (!a->actions_enabled)
		append(out, "its actions are off");
	else if (a->held_back)
		append(out, "its actions are held back (%.60s)", a->held_back);
	else if (!out[0])
		append(out, "no action for ALARM");
	return best == HEARD_NOBODY && unknown ? HEARD_UNKNOWN : best;
}

/* ---- what it judges */

static void threshold_words(const struct alarm *a, char out[ALARM_WORDS])
{
	char limit[32];
	text_exact(a->threshold, limit);
	if (limit[0] && a->comparison && a->comparison[0])
		append(out, " %s %s", a->comparison, limit);
}

void alarm_rule_words(const struct alarm *a, char out[ALARM_WORDS])
{
	struct metric_id id = { 0 };
	char period[TEXT_NUM];
	out[0] = '\0';
	if (a->kind == ALARM_METRIC && a->metric && metric_parse(&id, a->metric, NULL)) {
		append(out, "%.80s", id.name);
		append(out, a->stat ? " %.20s" : "%s", a->stat ? a->stat : "");
		metric_clear(&id);
	} else {
		append(out, "%s: %.120s", alarm_kind_name(a->kind), a->metric ? a->metric : "?");
	}
	threshold_words(a, out);
	text_duration(a->period, period);
	if (a->n)
		append(out, ", %u of %u", a->m, a->n);
	if (a->n && a->period)
		append(out, " x %s", period);
	if (a->n)
		append(out, ", missing = %.20s", a->missing ? a->missing : "missing");
}

/* ---- what sluice makes of it */

static void points_words(const struct alarm *a, char out[ALARM_WORDS])
{
	const struct alarm_local *l = &a->local;
	if (!l->real) {
		append(out, "no datapoint");
		if (l->state != ALARM_STATE_INSUFFICIENT)
			append(out, ", missing = %.20s", a->missing ? a->missing : "missing");
		return;
	}
	append(out, "%u of %u point%s", l->breaching, l->real, l->real == 1 ? "" : "s");
	threshold_words(a, out);
	if (l->real < a->n)
		append(out, ", %u missing", a->n - l->real);
}

void alarm_local_words(const struct alarm *a, char out[ALARM_WORDS])
{
	const struct alarm_local *l = &a->local;
	out[0] = '\0';
	if (l->why)
		append(out, "not evaluated here: %.120s", l->why);
	if (l->state == ALARM_STATE_UNKNOWN)
		return;
	append(out, l->kept ? "would stay %s: " : "would be %s now: ", alarm_state_name(l->state));
	points_words(a, out);
	if (l->approximate)
		append(out, "; approximate: %.80s", l->approximate);
	if (l->by_range)
		append(out, "; hangs on how far back CloudWatch looks, which it does not say");
	if (l->by_reading)
		append(out, "; AWS's guide can be read both ways here");
}
