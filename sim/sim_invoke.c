#include "sim/sim_invoke.h"

#include "sim/scenario.h"
#include "sim/sim_log.h"
#include "sim/sim_version.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what versions cannot take */

bool strikes_zero_date(struct span p)
{
	return p.n && memmem(p.p, p.n, "0000-00-00", 10) != NULL;
}

/* An order of a thousand items and more, in a payload or in a body within one. */
bool strikes_many_items(struct span p)
{
	const char *at = p.p, *end = p.p + p.n;
	while (at < end && (at = memmem(at, (size_t)(end - at), "items", 5))) {
		at += 5;
		unsigned gap = 0, n = 0;
		while (at < end && (*at < '0' || *at > '9') && gap++ < 6)
			at++;
		for (; at < end && *at >= '0' && *at <= '9' && n < 100000; at++)
			n = n * 10 + (unsigned)(*at - '0');
		if (n >= 1000)
			return true;
	}
	return false;
}

/* A record of more than half a megabyte, in base64. */
bool strikes_huge_record(struct span p)
{
	const char *at = p.p, *end = p.p + p.n;
	while (at < end && (at = memmem(at, (size_t)(end - at), "\"data\"", 6))) {
		const char *open = memchr(at + 6, '"', (size_t)(end - at - 6));
		const char *close = open ? memchr(open + 1, '"', (size_t)(end - open - 1)) : NULL;
		if (!close)
			return false;
		if (close - open > 650000)
			return true;
		at = close;
	}
	return false;
}

static bool concerns(const struct sim_defect *d, const struct sim_function *fn, unsigned version)
{
	return strcmp(d->function, fn->name) == 0 && version >= d->from && (!d->to || version <= d->to);
}

static const struct sim_defect *defect_of(const struct world *w, const struct sim_function *fn, unsigned version,
                                          struct span payload)
{
	unsigned n, runs = version ? version : version_running(fn, NULL);
	const struct sim_defect *all = scenario_defects(w, &n);
	for (unsigned i = 0; i < n; i++)
		if (concerns(&all[i], fn, runs) && (!all[i].strikes || all[i].strikes(payload)))
			return &all[i];
	return NULL;
}

enum sim_shape sim_defect_of(const struct world *w, const struct sim_function *fn, unsigned version,
                             struct span payload)
{
	const struct sim_defect *d = defect_of(w, fn, version, payload);
	return d && !d->percent ? d->shape : SHAPE_NONE;
}

/* ---- running it */

static bool by_turns(uint64_t n, unsigned percent)
{
	return (n + 1) * percent / 100 > n * percent / 100;
}

static enum sim_shape outcome(const struct world *w, struct sim_function *fn, const struct sim_call *call)
{
	uint64_t n = fn->invocations++;
	const struct sim_defect *d = defect_of(w, fn, call->version, call->payload);
	if (call->failure.shape != SHAPE_NONE)
		return call->failure.shape; /* the caller knows better */
	if (d && (!d->percent || by_turns(n, d->percent)))
		return d->shape;
	return by_turns(n, fn->fail_percent) ? SHAPE_SIMULATED : SHAPE_NONE;
}

static void count(struct world *w, const struct sim_function *fn, bool failed, double ms)
{
	const struct {
		const char *name, *unit;
		double v;
	} put[] = {
		{ "Invocations", "Count", 1 },      { "Errors", "Count", failed },          { "Throttles", "Count", 0 },
		{ "Duration", "Milliseconds", ms }, { "ConcurrentExecutions", "Count", 1 },
	};
	for (size_t i = 0; i < sizeof put / sizeof *put; i++) {
		world_put(w, "AWS/Lambda", put[i].name, "FunctionName", fn->name, put[i].unit, w->minute, put[i].v, 1);
		world_put(w, "AWS/Lambda", put[i].name, NULL, NULL, put[i].unit, w->minute, put[i].v, 1);
	}
}

bool sim_invoke(struct world *w, struct sim_function *fn, struct sim_call *call)
{
	enum sim_shape shape = outcome(w, fn, call);
	call->ms = 20 + (double)(world_random(w) % 8000) / 100;
	call->ms = shape == SHAPE_NONE ? call->ms : life_ms(fn, shape, call->ms);
	call->failure.shape = shape;
	if (call->id)
		snprintf(call->request, sizeof call->request, "%s", call->id);
	else
		world_uuid(w, call->request);
	count(w, fn, shape != SHAPE_NONE, call->ms);
	struct sim_run run = { .fn = fn,
		                   .version = call->version,
		                   .start_ms = w->now_ms,
		                   .ms = call->ms,
		                   .failure = shape == SHAPE_NONE ? NULL : &call->failure };
	memcpy(run.id, call->request, sizeof run.id);
	life_stream(w, fn, call->version, w->minute, 0, run.stream);
	log_run(w, &run);
	return shape != SHAPE_NONE;
}
