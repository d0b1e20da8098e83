/* The list of what happened: what is appended, what the file has, joined for whoever shows it. */
#include "core/log.h"
#include "core/mem.h"
#include "engine/changes.h"

#include <stdlib.h>
#include <string.h>

#define READ (3 * EVENTS_SHOWN) /* before calls and looks are joined */
#define MEMORY 1000             /* kept where there is no file */

void events_clear(struct events *l)
{
	arena_clear(&l->mem);
	free(l->v);
	*l = (struct events){ 0 };
}

struct event event_copy(struct arena *a, const struct event *v)
{
	struct event k = *v;
	k.service = arena_strdup(a, v->service ? v->service : "");
	k.subject = arena_strdup(a, v->subject ? v->subject : "");
	k.arn = arena_strdup(a, v->arn);
	k.text = arena_strdup(a, v->text ? v->text : "");
	k.by = arena_strdup(a, v->by);
	k.source = arena_strdup(a, v->source ? v->source : "");
	return k;
}

static void keep(struct events *l, const struct event *v)
{
	l->v = xreallocarray(l->v, l->n + 1u, sizeof *l->v);
	l->v[l->n++] = event_copy(&l->mem, v);
}

static void take(void *ctx, const struct event *v)
{
	keep(ctx, v);
}

void events_add(struct engine *g, const struct event *v, const char *key)
{
	struct changes *c = g->changes;
	if (!g->cache) {
		if (c->memory.n < MEMORY)
			keep(&c->memory, v);
		return;
	}
	MEM_GROW(c->put, c->nput, c->cput);
	struct event_put *p = &c->put[c->nput++];
	p->event = event_copy(&c->put_mem, v);
	p->key = arena_strdup(&c->put_mem, key);
}

/* What waits goes in as soon as it is known whose it is. */
static void write_out(struct engine *g)
{
	struct changes *c = g->changes;
	struct err e = { 0 };
	if (!g->cache || !c->target[0] || !c->nput)
		return;
	if (!cache_put_events(g->cache, c->target, c->put, c->nput, &e))
		log_warn(LOG_ENGINE, "events not kept: %s", e.text);
	c->nput = 0;
	arena_clear(&c->put_mem);
}

void events_read(struct engine *g, int64_t from, int64_t to, unsigned most, struct events *out)
{
	struct changes *c = g->changes;
	struct err e = { 0 };
	*out = (struct events){ 0 };
	if (g->cache && c->target[0] && !cache_events(g->cache, c->target, from, to, most, take, out, &e))
		log_warn(LOG_ENGINE, "events not read: %s", e.text);
	for (unsigned i = c->memory.n; !g->cache && i-- > 0;)
		if (c->memory.v[i].at_most >= from && c->memory.v[i].at <= to && out->n < most)
			keep(out, &c->memory.v[i]);
	out->n = events_join(out->v, out->n, &out->mem);
}

void events_flush(struct engine *g)
{
	struct events *l = &g->changes->list;
	write_out(g);
	events_clear(l);
	events_read(g, 0, INT64_MAX, READ, l);
	l->n = l->n < EVENTS_SHOWN ? l->n : EVENTS_SHOWN;
	g->dirty = true;
}

/* "OK -> ALARM: why"; without the arrow when nobody saw what it was before. */
void events_alarm(struct engine *g, const struct alarm *a, enum alarm_state from, int64_t at, int64_t at_most,
                  const char *source)
{
	const char *to = alarm_state_name(a->state), *why = a->reason && *a->reason ? a->reason : NULL;
	char *before = from == ALARM_STATE_UNKNOWN ? xstrdup("") : xasprintf("%s -> ", alarm_state_name(from));
	char *text = xasprintf("%s%s%s%s", before, to, why ? ": " : "", why ? why : "");
	char *key = xasprintf("alarm:%s:%lld:%s", a->name, (long long)at, to);
	events_add(g,
	           &(struct event){ .at = at,
	                            .at_most = at_most,
	                            .kind = EVENT_ALARM,
	                            .service = "cloudwatch",
	                            .subject = a->name,
	                            .arn = a->arn,
	                            .text = text,
	                            .source = source },
	           key);
	free(key);
	free(text);
	free(before);
}

void events_moments(struct engine *g, const struct alarm *a, const struct alarm_moment *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct alarm then = *a;
		then.state = v[i].to;
		then.reason = v[i].reason;
		if (v[i].to != ALARM_STATE_UNKNOWN && v[i].at > 0)
			events_alarm(g, &then, v[i].from, v[i].at, v[i].at, "cloudwatch:DescribeAlarmHistory");
	}
	if (n)
		events_flush(g);
}
