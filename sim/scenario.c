#include "sim/scenario.h"

#include "core/mem.h"
#include "sim/sim_invoke.h"
#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000

static const struct scenario scenarios[] = {
	{ .name = "calm",
	  .help = "a healthy orders pipeline",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .day = 0.2 },
	{ .name = "dlq-growth",
	  .help = "a dead-letter queue that fills, the oldest messages near expiry",
	  .furnished = true,
	  .history = 1860,
	  .tide = 0.04,
	  .dead_letters = 1742 },
	{ .name = "poison-shard",
	  .help = "one batch holds a shard for hours, the error rate over its threshold",
	  .furnished = true,
	  .history = 1860,
	  .tide = 0.01,
	  .released = 376,
	  .poisoned = 369,
	  .slowing = 49,
	  .slow = 36,
	  .fixed = 2,
	  .dead_letters = 1742,
	  .enhanced = true },
	{ .name = "bad-deploy",
	  .help = "a release of minutes ago raises errors at once",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .released = 22,
	  .pool = true },
	{ .name = "throttled-consumer",
	  .help = "a consumer at its reserved concurrency: throttles, and a queue that grows",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .reserved = 95 },
	{ .name = "silent-producer",
	  .help = "nothing is written any more, and nothing fails",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .silent = 25 },
	{ .name = "expired-token",
	  .help = "calm, but the keys expire after the first calls",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .faults = { "*=expired-token,after=5" } },
	{ .name = "slow-network",
	  .help = "calm, but every answer is late by up to 5 seconds, and some by a minute",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .faults = { "*=slow:5000,seed=5", "*=delay:60000,p=0.02,seed=6" } },
	{ .name = "denied",
	  .help = "calm, but this identity may not list the streams",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .faults = { "kinesis:ListStreams=denied" } },
	{ .name = "throttled",
	  .help = "calm, but CloudWatch refuses every read of metrics",
	  .furnished = true,
	  .history = 1440,
	  .tide = 0.04,
	  .faults = { "cloudwatch:GetMetricData=throttle" } },
	{ .name = "poor",
	  .help = "poison-shard to who may read no logs, no CloudTrail, no subscriptions; no shard metrics",
	  .as = "poison-shard",
	  .furnished = true,
	  .history = 1860,
	  .tide = 0.01,
	  .released = 376,
	  .poisoned = 369,
	  .slowing = 49,
	  .slow = 36,
	  .fixed = 2,
	  .dead_letters = 1742,
	  .faults = { "logs:*=denied", "cloudtrail:*=denied", "sns:*=denied" } },
	{ .name = "empty", .help = "an account with nothing in it" },
};
#define NSCENARIOS (sizeof scenarios / sizeof *scenarios)

bool scenario_at(unsigned i, const char **name, const char **help)
{
	if (i >= NSCENARIOS)
		return false;
	*name = scenarios[i].name;
	*help = scenarios[i].help;
	return true;
}

const struct scenario *scenario_find(const char *name)
{
	for (unsigned i = 0; i < NSCENARIOS; i++)
		if (strcmp(scenarios[i].name, name ? name : "calm") == 0)
			return &scenarios[i];
	return NULL;
}

uint64_t scenario_seed(const struct scenario *s)
{
	uint64_t h = 0xcbf29ce484222325;
	for (const char *p = s->as ? s->as : s->name; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	return h;
}

bool scenario_since(const struct world *w, int64_t minutes_ago, int64_t minute)
{
	return minutes_ago && minute >= w->minute0 - minutes_ago;
}

/* ---- what the code cannot take */

const struct sim_defect *scenario_defects(const struct world *w, unsigned *n)
{
	static const struct sim_defect defects[] = {
		{ "orders-enrich", 42, 0, SHAPE_MEMORY, strikes_huge_record, 0 },
		{ "orders-loader", 1, 17, SHAPE_BAD_DATE, strikes_zero_date, 0 },
		{ "orders-loader", 1, 0, SHAPE_TIMEOUT, strikes_many_items, 0 },
		{ "orders-enrich", 42, 0, SHAPE_POOL, NULL, 38 }, /* the last: in one scenario only */
	};
	*n = w->scenario->furnished ? sizeof defects / sizeof *defects - !w->scenario->pool : 0;
	return defects;
}

/* ---- dead letters */

int64_t letters_by(const struct world *w, int64_t minute)
{
	int64_t span = w->scenario->dead_letters, begin = w->minute0 - span;
	return !span || minute <= begin ? 0 : (minute - begin) * SCENARIO_DLQ_NOW / span;
}

/* Of every 1,291, 1,022 have a date of zeros; of the others, one of 38 nothing that could be seen. */
struct sim_letter letter_of(const struct world *w, int64_t number)
{
	struct sim_letter l = { .shape = SHAPE_TIMEOUT };
	int64_t zeros = (number + 1) * 1022 / SCENARIO_DLQ_NOW, others = number - zeros;
	unsigned long long order = 10000000 + (unsigned long long)(world_noise(w, 31, number) * 90000000);
	unsigned pick = (unsigned)(world_noise(w, 32, number) * 900);
	if (zeros > number * 1022 / SCENARIO_DLQ_NOW)
		l.shape = SHAPE_BAD_DATE;
	else if (others % 38 == 37)
		l.shape = SHAPE_SLOW_DOWN;
	world_stable_id(w, 0x1e77e5, (uint64_t)number, l.id);
	l.body = l.shape == SHAPE_BAD_DATE
	             ? xasprintf("{\"order_id\":%llu,\"created\":\"0000-00-00 00:00:00\",\"amount\":%u.90,"
	                         "\"currency\":\"EUR\"}",
	                         order, 5 + pick % 90)
	             : xasprintf("{\"order_id\":%llu,\"created\":\"2026-11-20 07:12:31\",\"items\":%u,"
	                         "\"currency\":\"EUR\"}",
	                         order, l.shape == SHAPE_TIMEOUT ? 1900 + pick : 1 + pick % 9);
	return l;
}

/* ---- the start */

void scenario_start(struct world *w)
{
	for (unsigned i = 0; i < 4 && w->scenario->faults[i]; i++)
		fault_switch(&w->faults, w->scenario->faults[i], NULL);
	if (!w->scenario->furnished)
		return;
	w->minute = w->minute0 - w->scenario->history;
	w->now_ms = w->minute * MINUTE_MS;
	furnish(w);
}

void scenario_minute(struct world *w, int64_t minute)
{
	if (!w->scenario->furnished)
		return;
	furnish_minute(w, minute);
	law_minute(w, minute);
}
