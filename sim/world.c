#include "sim/world.h"

#include "core/clock.h"
#include "core/mem.h"
#include "sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define KEEP_MINUTES (15 * 24 * 60) /* as long as CloudWatch keeps points of one minute */

/* ---- numbers */

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint64_t world_random(struct world *w)
{
	return mix(w->noise++);
}

double world_noise(const struct world *w, unsigned key, int64_t minute)
{
	return (double)(mix(mix(w->seed + key) ^ (uint64_t)minute) >> 11) / 9007199254740992.0;
}

void world_uuid(struct world *w, char out[37])
{
	uint64_t a = world_random(w), b = world_random(w);
	snprintf(out, 37, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
	         (unsigned)(a & 0xfff), (unsigned)(b >> 48 & 0xfff), (unsigned long long)(b & 0xffffffffffff));
}

/* ---- names */

unsigned world_find(void *const *v, unsigned n, const char *name, bool *found)
{
	unsigned lo = 0, hi = n;
	*found = false;
	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		int c = strcmp(*(char *const *)v[mid], name);
		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

#define FIND(v, n, name)                                                                                               \
	bool found;                                                                                                        \
	unsigned at = world_find((void *const *)(v), (n), (name), &found);                                                 \
	return found ? (v)[at] : NULL

struct sim_queue *world_queue(const struct world *w, const char *name)
{
	FIND(w->queues, w->nqueues, name);
}

struct sim_stream *world_stream(const struct world *w, const char *name)
{
	FIND(w->streams, w->nstreams, name);
}

struct sim_function *world_function(const struct world *w, const char *name)
{
	FIND(w->functions, w->nfunctions, name);
}

struct sim_alarm *world_alarm(const struct world *w, const char *name)
{
	FIND(w->alarms, w->nalarms, name);
}

void world_arn(const struct world *w, const char *service, const char *resource, char *out, size_t size)
{
	snprintf(out, size, "arn:%s:%s:%s:" SIM_ACCOUNT ":%s", w->partition, service, w->region, resource);
}

const char *world_arn_name(const char *arn)
{
	const char *colon = strrchr(arn, ':'), *slash = strrchr(arn, '/');
	const char *at = colon && slash && slash > colon ? slash : colon;
	return at ? at + 1 : arn;
}

/* ---- functions and mappings */

void world_function_add(struct world *w, struct sim_function *fn)
{
	bool found;
	unsigned at = world_find((void *const *)w->functions, w->nfunctions, fn->name, &found);
	WORLD_INSERT(w->functions, w->nfunctions, w->capfunctions, at, fn);
}

void world_mapping_add(struct world *w, struct sim_mapping *m)
{
	bool found;
	unsigned at = world_find((void *const *)w->mappings, w->nmappings, m->uuid, &found);
	WORLD_INSERT(w->mappings, w->nmappings, w->capmappings, at, m);
}

void world_function_free(struct sim_function *fn)
{
	char *texts[] = { fn->name,         fn->runtime, fn->role,   fn->handler,  fn->description,
		              fn->package_type, fn->arch,    fn->sha256, fn->revision, fn->dlq_arn };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	free(fn);
}

void world_mapping_free(struct sim_mapping *m)
{
	free(m->uuid);
	free(m->source_arn);
	free(m->function);
	free(m->starting_position);
	free(m->on_failure);
	free(m);
}

/* A minute holds the count, the errors and the times of its invocations. Failures come evenly: of 100 invocations of a
 * function that fails 7 percent, exactly 7. */
bool world_invoke(struct world *w, struct sim_function *fn, double *duration_ms)
{
	uint64_t n = fn->invocations++;
	bool failed = (n + 1) * fn->fail_percent / 100 > n * fn->fail_percent / 100;
	*duration_ms = 20 + (double)(world_random(w) % 8000) / 100;
	const struct {
		const char *name, *unit;
		double v;
	} put[] = {
		{ "Invocations", "Count", 1 },
		{ "Errors", "Count", failed },
		{ "Throttles", "Count", 0 },
		{ "Duration", "Milliseconds", *duration_ms },
		{ "ConcurrentExecutions", "Count", 1 },
	};
	for (size_t i = 0; i < sizeof put / sizeof *put; i++) {
		world_put(w, "AWS/Lambda", put[i].name, "FunctionName", fn->name, put[i].unit, w->minute, put[i].v, 1);
		world_put(w, "AWS/Lambda", put[i].name, NULL, NULL, put[i].unit, w->minute, put[i].v, 1);
	}
	return failed;
}

/* ---- metrics */

static struct sim_metric *metric_of(struct world *w, const char *ns, const char *name, const char *dim,
                                    const char *value, const char *unit)
{
	struct sim_dim d = { dim, value };
	struct sim_metric *m = metrics_get(&w->metrics, ns, name, &d, dim != NULL, true);
	m->unit = unit;
	return m;
}

void world_put(struct world *w, const char *ns, const char *name, const char *dim, const char *value, const char *unit,
               int64_t minute, double v, double count)
{
	metric_add(metric_of(w, ns, name, dim, value, unit), minute, v, count);
}

void world_put_set(struct world *w, const char *ns, const char *name, const char *dim, const char *value,
                   const char *unit, int64_t minute, const struct sim_set *set)
{
	metric_add_set(metric_of(w, ns, name, dim, value, unit), minute, set);
}

static void forget_old_points(struct world *w)
{
	if (w->minute % 60 == 0)
		for (unsigned i = 0; i < w->metrics.n; i++)
			metric_forget(w->metrics.all[i], w->minute - KEEP_MINUTES);
}

/* ---- time */

void world_run_to(struct world *w, int64_t minute)
{
	for (; w->minute < minute; w->minute++) {
		w->now_ms = (w->minute + 1) * MINUTE_MS;
		queues_settle(w, w->now_ms);
		scenario_minute(w, w->minute);
		queues_minute(w, w->minute);
		streams_minute(w);
		alarms_minute(w, w->minute);
		forget_old_points(w);
	}
}

void world_advance(struct world *w)
{
	int64_t elapsed = clock_wall_ms() - w->real0_ms;
	int64_t now = w->sim0_ms + (int64_t)((double)elapsed * w->speed);
	if (now < w->now_ms)
		now = w->now_ms; /* a clock set back stands still here */
	world_run_to(w, now / MINUTE_MS);
	w->now_ms = now;
	queues_settle(w, now);
}

static void set_partition(struct world *w, const char *region)
{
	const char *p = strncmp(region, "cn-", 3) == 0       ? "aws-cn"
	                : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov"
	                                                     : "aws";
	snprintf(w->partition, sizeof w->partition, "%s", p);
	snprintf(w->region, sizeof w->region, "%s", region);
}

struct world *world_new(const struct scenario *s, const char *region, double speed)
{
	struct world *w = xcalloc(1, sizeof *w);
	set_partition(w, region);
	w->scenario = s;
	w->seed = scenario_seed(s);
	w->noise = w->seed;
	w->speed = speed > 0 ? speed : 1;
	w->real0_ms = w->sim0_ms = clock_wall_ms();
	w->minute0 = w->sim0_ms / MINUTE_MS;
	w->minute = w->minute0;
	w->now_ms = w->sim0_ms;
	metrics_init(&w->metrics);
	scenario_start(w);
	world_advance(w);
	return w;
}

void world_free(struct world *w)
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
	free(w->queues);
	free(w->streams);
	free(w->functions);
	free(w->mappings);
	free(w->alarms);
	free(w->events);
	metrics_clear(&w->metrics);
	free(w);
}
