/* CloudTrail's calls and the differences between sluice's own looks, where they tell of the same change: one event, with the call's
 * instant and who made it. Pure. */
#include "engine/changes.h"

#include <stdlib.h>
#include <string.h>

#define APART 2 /* seconds: two clocks, and one of them tells whole seconds */

/* Which calls can bring such a change about: the event's kind, what its text holds (NULL: anything), and how their names begin. */
static const struct {
	enum event_kind kind;
	const char *service, *text, *calls[6];
} causes[] = {
	{ EVENT_CONFIG, "sqs", NULL, { "SetQueueAttributes", "CreateQueue", "DeleteQueue" } },
	{ EVENT_CONFIG,
	  "kinesis",
	  NULL,
	  { "IncreaseStream", "DecreaseStream", "UpdateStream", "UpdateShard", "EnableEnhanced", "DisableEnhanced" } },
	{ EVENT_CONFIG,
	  "kinesis",
	  NULL,
	  { "StartStream", "StopStream", "RegisterStream", "DeregisterStream", "DeleteStream" } },
	{ EVENT_CONFIG, "kinesis", NULL, { "SplitShard", "MergeShards", "CreateStream" } },
	{ EVENT_CONFIG, "lambda", NULL, { "UpdateFunctionConfiguration", "CreateFunction", "DeleteFunction" } },
	{ EVENT_CONFIG,
	  "cloudwatch",
	  NULL,
	  { "PutMetricAlarm", "PutCompositeAlarm", "EnableAlarm", "DisableAlarm", "DeleteAlarms" } },
	{ EVENT_RELEASE, "lambda", "alias ", { "CreateAlias", "UpdateAlias", "DeleteAlias" } },
	{ EVENT_RELEASE, "lambda", "version ", { "PublishVersion", "UpdateFunctionCode", "CreateFunction" } },
	{ EVENT_RELEASE, "lambda", "code ", { "UpdateFunctionCode" } },
	{ EVENT_MAPPING,
	  "lambda",
	  NULL,
	  { "CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping" } },
	{ EVENT_ALARM, "cloudwatch", NULL, { "SetAlarmState" } },
};

static bool names(const struct event *v, const struct event *call, size_t cause)
{
	if (causes[cause].kind != v->kind || strcmp(causes[cause].service, v->service) != 0)
		return false;
	if (causes[cause].text && !strstr(v->text, causes[cause].text))
		return false;
	for (unsigned i = 0; i < 6 && causes[cause].calls[i]; i++)
		if (strncmp(call->text, causes[cause].calls[i], strlen(causes[cause].calls[i])) == 0)
			return true;
	return false;
}

static bool may_be(const struct event *v, const struct event *call)
{
	if (call->kind != EVENT_CALL || strcmp(call->service, v->service) != 0 || strcmp(call->subject, v->subject) != 0 ||
	    call->at < v->at - APART || call->at > v->at_most + APART)
		return false;
	for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
		if (names(v, call, i))
			return true;
	return false;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Of several calls that may have done it the caller is known when all are his, and the instant lies between them. */
static void take_calls(struct event *v, struct event *all, unsigned n, bool *told)
{
	const struct event *some = NULL;
	bool one_caller = true;
	int64_t first = INT64_MAX, last = INT64_MIN;
	for (unsigned i = 0; i < n; i++) {
		if (!may_be(v, &all[i]))
			continue;
		one_caller = one_caller && (!some || same_text(some->by, all[i].by));
		some = &all[i];
		first = all[i].at < first ? all[i].at : first;
		last = all[i].at > last ? all[i].at : last;
	}
	if (!some || !one_caller)
		return;
	v->by = some->by;
	v->at = first;
	v->at_most = last;
	v->source = some->source;
	for (unsigned i = 0; i < n; i++)
		told[i] |= may_be(v, &all[i]);
}

/* The state an alarm moved to, as events_alarm() writes it: behind the last arrow, up to a colon. */
static bool same_move(const struct event *a, const struct event *b)
{
	if (a->kind != EVENT_ALARM || b->kind != EVENT_ALARM || strcmp(a->subject, b->subject) != 0 ||
	    a->at > b->at_most + APART || b->at > a->at_most + APART)
		return false;
	const char *x = strstr(a->text, "-> "), *y = strstr(b->text, "-> ");
	x = x ? x + 3 : a->text;
	y = y ? y + 3 : b->text;
	size_t n = strcspn(x, ":");
	return strcspn(y, ":") == n && strncmp(x, y, n) == 0;
}

/* The one that says more stays, with the narrower time. */
static void take_move(struct event *all, unsigned n, unsigned i, bool *told)
{
	for (unsigned j = 0; j < n; j++) {
		struct event *a = &all[i], *b = &all[j];
		if (j == i || told[j] || told[i] || !same_move(a, b))
			continue;
		bool arrow = strstr(a->text, " -> ") != NULL, other = strstr(b->text, " -> ") != NULL;
		if (other && !arrow)
			continue; /* b will take a */
		if (b->at_most - b->at < a->at_most - a->at) {
			a->at = b->at;
			a->at_most = b->at_most;
		}
		a->by = a->by ? a->by : b->by;
		told[j] = true;
	}
}

static int newest_first(const void *x, const void *y)
{
	const struct event *a = x, *b = y;
	if (a->at_most != b->at_most)
		return a->at_most < b->at_most ? 1 : -1;
	return a->at < b->at ? 1 : a->at > b->at ? -1 : 0;
}

unsigned events_join(struct event *v, unsigned n, struct arena *mem)
{
	bool *told = arena_array(mem, n, sizeof *told);
	unsigned left = 0;
	for (unsigned i = 0; i < n; i++)
		if (v[i].kind != EVENT_CALL && !v[i].by)
			take_calls(&v[i], v, n, told);
	for (unsigned i = 0; i < n; i++)
		if (v[i].kind == EVENT_ALARM && !told[i])
			take_move(v, n, i, told);
	for (unsigned i = 0; i < n; i++)
		if (!told[i])
			v[left++] = v[i];
	if (left > 1)
		qsort(v, left, sizeof *v, newest_first);
	return left;
}
