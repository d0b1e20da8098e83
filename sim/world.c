#include "sim/world.h"

#include "core/mem.h"
#include "sim/sim_life.h"
#include "sim/sim_version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void write_id(uint64_t a, uint64_t b, char out[37])
{
	snprintf(out, 37, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
	         (unsigned)(a & 0xfff), (unsigned)(b >> 48 & 0xfff), (unsigned long long)(b & 0xffffffffffff));
}

void world_uuid(struct world *w, char out[37])
{
	uint64_t a = world_random(w);
	write_id(a, world_random(w), out);
}

void world_stable_id(const struct world *w, uint64_t key, uint64_t number, char out[37])
{
	uint64_t a = mix(mix(w->seed ^ key) + number);
	write_id(a, mix(a), out);
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
	lambda_code_clear(&fn->code);
	versions_free(fn);
	life_free(fn);
	free(fn->async.on_failure);
	free(fn->async.on_success);
	free(fn);
}

void world_mapping_free(struct sim_mapping *m)
{
	free(m->uuid);
	free(m->source_arn);
	free(m->function);
	free(m->qualifier);
	free(m->starting_position);
	free(m->on_failure);
	free(m);
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

void world_put_dims(struct world *w, const char *ns, const char *name, const struct sim_dim *dims, unsigned ndims,
                    const char *unit, int64_t minute, const struct sim_set *set)
{
	struct sim_metric *m = metrics_get(&w->metrics, ns, name, dims, ndims, true);
	m->unit = unit;
	metric_add_set(m, minute, set);
}
