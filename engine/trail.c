/* CloudTrail: who did it. Its calls may be many, and are asked for last and slowly; what they tell is taken when the round knows what
 * exists. And what is said of those who may not be asked. */
#include "aws/op_cloudtrail.h"
#include "aws/op_release.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DENIED_MS (3600 * 1000) /* until what is not allowed is asked again */
#define BROKEN_MS (600 * 1000)  /* ... what does not work: an emulator may not know the operation */
#define TRAIL_FIRST (24 * 3600) /* seconds that a first look goes back */
#define TRAIL_LATE (20 * 60)    /* it delivers some minutes late: so much is read again */
#define TRAIL_PAGES 10          /* of 50 events, two calls a second */
#define TRAIL_PAGES_ONCE 2      /* of a command that somebody waits for */
#define TRAIL_TEXT "trail"

/* ---- what is optional: a failure of it is no problem of the rest */

bool optional_op(const struct op *op)
{
	return op == &op_lookup_events || op == &op_list_aliases || op == &op_list_versions;
}

static struct optional *optional_of(const struct engine *g, const struct op *op)
{
	return &g->changes->optional[op == &op_lookup_events];
}

bool optional_allowed(const struct engine *g, const struct op *op)
{
	const struct optional *o = optional_of(g, op);
	int64_t rest = o->err.code == ERR_DENIED ? DENIED_MS : BROKEN_MS;
	return !g->closing && (g->cache || g->threaded) && (!o->op || clock_mono_ms() - o->at_ms >= rest);
}

void optional_failed(struct engine *g, const struct op *op, const struct err *e)
{
	struct optional *o = optional_of(g, op);
	if (e->code == ERR_CANCELLED || e->code == ERR_THROTTLED || err_shared(e->code))
		return; /* it says nothing of this operation */
	if (!o->op)
		log_warn(LOG_ENGINE, "%s: %s", op->iam, e->text);
	*o = (struct optional){ .op = op, .at_ms = clock_mono_ms(), .err = *e };
}

void optional_works(struct engine *g, const struct op *op)
{
	optional_of(g, op)->op = NULL;
}

char *optional_note(const struct engine *g)
{
	static const char *const lacks[] = { "releases are not told", "who did it is not told" };
	struct buf b;
	buf_init(&b, 1024);
	for (unsigned i = 0; i < 2; i++) {
		const struct optional *o = &g->changes->optional[i];
		if (o->op)
			buf_addf(&b, "%s%s: %s%s%s%s", b.n ? "; " : "", lacks[i], o->err.code == ERR_DENIED ? "allow " : "",
			         o->op->iam, o->err.code == ERR_DENIED ? "" : " ",
			         o->err.code == ERR_DENIED ? "" : err_name(o->err.code));
	}
	return b.n ? buf_steal(&b) : NULL;
}

/* ---- CloudTrail */

struct trail {
	struct engine *g;
	struct lookup_events_in in;
	struct lookup_events_out out;
	char *token;
	unsigned pages, most;
	bool whole; /* up to in.end, or as far as pages go */
};

static void trail_free(struct trail *a)
{
	if (!a)
		return;
	lookup_events_out_clear(&a->out);
	free(a->token);
	free(a);
}

void trail_drop(struct changes *c)
{
	trail_free(c->trail);
	c->trail = NULL;
}

static bool is_alarm(const struct engine *g, const char *name)
{
	for (unsigned i = 0; i < g->alarms.n; i++)
		if (strcmp(g->alarms.alarms[i].name, name) == 0)
			return true;
	return false;
}

/* Something of ours, changed: what was refused changed nothing, and tags and policies are nobody's incident here. */
static bool concerns_us(struct engine *g, const struct trail_event *v)
{
	static const char *const idle[] = { "Tag",     "Untag",     "Invoke", "AddPermission", "RemovePermission",
		                                "AddTags", "RemoveTags" };
	for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
		if (strncmp(v->name, idle[i], strlen(idle[i])) == 0)
			return false;
	if (v->error || !v->resource)
		return false;
	if (strcmp(v->service, "cloudwatch") == 0)
		return is_alarm(g, v->resource);
	const struct kind *k = kind_find(v->service);
	return k && inventory_res(g, k, v->resource, false);
}

static void take_call(struct engine *g, const struct trail_event *v)
{
	if (!concerns_us(g, v))
		return;
	const struct kind *k = kind_find(v->service);
	const struct res *r = k ? inventory_res(g, k, v->resource, false) : NULL;
	char *key = xasprintf("trail:%s", v->id);
	char *text = v->detail ? xasprintf("%s %s", v->name, v->detail) : xstrdup(v->name);
	events_add(g,
	           &(struct event){ .at = v->at,
	                            .at_most = v->at,
	                            .kind = EVENT_CALL,
	                            .service = v->service,
	                            .subject = v->resource,
	                            .arn = r ? r->arn : NULL,
	                            .text = text,
	                            .by = v->by,
	                            .source = op_lookup_events.iam },
	           key);
	free(text);
	free(key);
}

static void on_trail(void *ctx, const struct op *op, void *in, void *out, const struct err *e);

static void ask_page(struct trail *a)
{
	round_expect(a->g);
	aws_call_as(a->g->aws, CALL_HIDDEN, &op_lookup_events, &a->in, &a->out, on_trail, a);
}

static void remember_trail(struct engine *g, int64_t until)
{
	char text[24];
	struct err e = { 0 };
	g->changes->trail_to = until;
	snprintf(text, sizeof text, "%" PRId64, until);
	if (g->cache && g->changes->target[0] && !cache_put_text(g->cache, g->changes->target, TRAIL_TEXT, text, &e))
		log_warn(LOG_ENGINE, "not kept: %s", e.text);
}

static void on_trail(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	(void)in, (void)out;
	struct trail *a = ctx;
	struct engine *g = a->g;
	if (e->code != ERR_OK)
		optional_failed(g, op, e);
	else
		optional_works(g, op);
	if (e->code == ERR_OK && a->out.token && ++a->pages < a->most && !g->closing) {
		free(a->token);
		a->in.token = a->token = a->out.token;
		a->out.token = NULL;
		ask_page(a);
	} else {
		a->whole = e->code == ERR_OK;
		g->changes->trail = a;
	}
	round_arrived(g);
}

void trail_take(struct engine *g)
{
	struct trail *a = g->changes->trail;
	for (unsigned i = 0; a && i < a->out.n; i++)
		take_call(g, &a->out.events[i]);
	if (a && a->whole)
		remember_trail(g, a->in.end);
	trail_drop(g->changes);
}

static void recall_trail(struct engine *g)
{
	char *text = g->cache && g->changes->target[0] && !g->changes->trail_to
	                 ? cache_get_text(g->cache, g->changes->target, TRAIL_TEXT)
	                 : NULL;
	if (text)
		g->changes->trail_to = strtoll(text, NULL, 10);
	free(text);
}

void trail_begin(struct engine *g)
{
	struct changes *c = g->changes;
	int64_t now = clock_wall();
	if (!(g->round.needs & NEED_CHANGES) || !optional_allowed(g, &op_lookup_events))
		return;
	trail_drop(c);
	looks_account(g);
	recall_trail(g);
	struct trail *a = xcalloc(1, sizeof *a);
	a->g = g;
	a->most = g->threaded ? TRAIL_PAGES : TRAIL_PAGES_ONCE;
	int64_t from = c->trail_to ? c->trail_to - TRAIL_LATE : 0, first = now - TRAIL_FIRST;
	a->in = (struct lookup_events_in){ .start = from > first && from < now ? from : first, .end = now };
	ask_page(a);
}
