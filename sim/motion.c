#include "sim/motion.h"

#include "core/clock.h"
#include "core/mem.h"
#include "sim/scenario.h"
#include "sim/sim_alarm.h"
#include "sim/sim_bucket.h"
#include "sim/sim_grant.h"
#include "sim/sim_log.h"
#include "sim/sim_queue.h"
#include "sim/sim_stream.h"
#include "sim/sim_topic.h"
#include "sim/sim_trail.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define KEEP_MINUTES (15 * 24 * 60) /* as long as CloudWatch keeps points of one minute */

static void forget_old_points(struct world *w)
{
	if (w->minute % 60 == 0)
		for (unsigned i = 0; i < w->metrics.n; i++)
			metric_forget(w->metrics.all[i], w->minute - KEEP_MINUTES);
}

void motion_run_to(struct world *w, int64_t minute)
{
	for (; w->minute < minute; w->minute++) {
		w->now_ms = (w->minute + 1) * MINUTE_MS;
		queues_settle(w, w->now_ms);
		sqs_moves_settle(w, w->now_ms);
		scenario_minute(w, w->minute);
		queues_minute(w, w->minute);
		streams_minute(w);
		alarms_minute(w, w->minute);
		forget_old_points(w);
	}
}

void motion_catch_up(struct world *w)
{
	int64_t elapsed = clock_wall_ms() - w->real0_ms;
	int64_t now = w->sim0_ms + (int64_t)((double)elapsed * w->speed);
	if (now < w->now_ms)
		now = w->now_ms; /* a clock set back stands still here */
	motion_run_to(w, now / MINUTE_MS);
	w->now_ms = now;
	queues_settle(w, now);
	sqs_moves_settle(w, now);
}

static void set_partition(struct world *w, const char *region)
{
	const char *p = strncmp(region, "cn-", 3) == 0       ? "aws-cn"
	                : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov"
	                                                     : "aws";
	snprintf(w->partition, sizeof w->partition, "%s", p);
	snprintf(w->region, sizeof w->region, "%s", region);
}

struct world *motion_start(const struct scenario *s, const char *region, double speed)
{
	struct world *w = xcalloc(1, sizeof *w);
	set_partition(w, region);
	w->scenario = s;
	w->seed = w->noise = scenario_seed(s);
	w->speed = speed > 0 ? speed : 1;
	w->real0_ms = w->sim0_ms = w->now_ms = clock_wall_ms();
	w->minute0 = w->minute = w->sim0_ms / MINUTE_MS;
	metrics_init(&w->metrics);
	scenario_start(w);
	motion_catch_up(w);
	return w;
}

void motion_end(struct world *w)
{
	for (unsigned i = 0; i < w->nqueues; i++)
		queue_free(w->queues[i]);
	for (unsigned i = 0; i < w->nstreams; i++)
		stream_free(w->streams[i]);
	for (unsigned i = 0; i < w->nfunctions; i++)
		world_function_free(w->functions[i]);
	for (unsigned i = 0; i < w->nmappings; i++)
		world_mapping_free(w->mappings[i]);
	for (unsigned i = 0; i < w->nalarms; i++)
		alarm_free(w->alarms[i]);
	for (unsigned i = 0; i < w->nevents; i++)
		alarm_event_free(&w->events[i]);
	mutes_clear(w);
	free(w->queues);
	free(w->streams);
	free(w->functions);
	free(w->mappings);
	free(w->alarms);
	free(w->events);
	sqs_moves_free(w);
	lambda_events_free(w);
	grants_free(w);
	trail_free(w);
	topics_free(w);
	buckets_free(w);
	logs_free(w);
	metrics_clear(&w->metrics);
	free(w);
}
