/* Whom alarms tell, and who keeps them: the subscriptions of the topics they name, the tags they carry. Asked beside the rounds, a
 * few at a time and those in ALARM first; an answer is kept for minutes (subscriptions) or an hour (tags), each a little
 * longer or shorter than the next so that they do not fall due together. What was not read is unknown, and says why. */
#include "core/mem.h"
#include "engine/inside.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_MS (5 * 60 * 1000)
#define TAGS_MS (60 * 60 * 1000)
#define AT_ONCE_TOPICS 50 /* asked for at one time at the most */
#define AT_ONCE_TAGS 20   /* of a thousand alarms' tags those in ALARM are read now, the last within the hour */

struct asked { /* of a topic or of an alarm's tags, by ARN */
	struct asked *next;
	struct engine *g;
	char *arn;
	bool topic, asking, known, missing;
	struct err err; /* of the newest answer, when it was not good */
	int64_t at, next_ms;
	struct list_subscriptions_in subs_in;
	struct list_subscriptions_out subs_out, subs; /* what comes, what is known */
	struct alarm_tags_in tags_in;
	struct alarm_tags_out tags_out, tags;
};

struct told {
	void *tree; /* by topic and ARN */
	struct asked *all;
	unsigned waiting;
};

static int by_arn(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;
	return x->topic != y->topic ? x->topic - y->topic : strcmp(x->arn, y->arn);
}

static struct asked *find(const struct engine *g, const char *arn, bool topic)
{
	struct asked key = { .arn = (char *)arn, .topic = topic };
	struct asked **found = g->told && arn ? tfind(&key, &g->told->tree, by_arn) : NULL;
	return found ? *found : NULL;
}

static struct asked *find_or_add(struct engine *g, const char *arn, bool topic)
{
	struct asked *e = find(g, arn, topic);
	if (e)
		return e;
	if (!g->told)
		g->told = xcalloc(1, sizeof *g->told);
	e = xcalloc(1, sizeof *e);
	*e = (struct asked){ .next = g->told->all, .g = g, .arn = xstrdup(arn), .topic = topic };
	g->told->all = e;
	tsearch(e, &g->told->tree, by_arn);
	return e;
}

static void nothing(void *node)
{
	(void)node;
}

void told_free(struct engine *g)
{
	if (!g->told)
		return;
	tdestroy(g->told->tree, nothing);
	for (struct asked *e = g->told->all, *next; e; e = next) {
		next = e->next;
		list_subscriptions_out_clear(&e->subs);
		list_subscriptions_out_clear(&e->subs_out);
		alarm_tags_out_clear(&e->tags);
		alarm_tags_out_clear(&e->tags_out);
		free(e->subs_in.page.token);
		free(e->arn);
		free(e);
	}
	free(g->told);
	g->told = NULL;
}

/* ---- asking */

/* From 7/8 to 9/8 of the time, by the ARN. */
static int64_t spread(const char *arn, int64_t ms)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (const char *p = arn; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return ms * 7 / 8 + (int64_t)(h % 1024) * ms / 4096;
}

static void answered(struct asked *e, const struct err *err)
{
	e->asking = false;
	e->g->told->waiting--;
	e->err = *err;
	e->missing = e->topic && err->code == ERR_NOTFOUND;
	if (err->code == ERR_OK) {
		e->known = true;
		e->at = clock_wall();
	} else if (e->missing || err->code == ERR_DENIED) {
		e->known = false; /* what was true once may not be any more */
	}
	e->g->dirty = true;
}

static void on_subscriptions(void *ctx, const struct op *op, void *in, void *out, const struct err *err)
{
	(void)op, (void)in, (void)out;
	struct asked *e = ctx;
	if (err->code == ERR_OK) {
		list_subscriptions_out_clear(&e->subs);
		e->subs = e->subs_out;
		e->subs_out = (struct list_subscriptions_out){ 0 };
	}
	list_subscriptions_out_clear(&e->subs_out);
	free(e->subs_in.page.token);
	e->subs_in.page.token = NULL;
	answered(e, err);
}

static void on_tags(void *ctx, const struct op *op, void *in, void *out, const struct err *err)
{
	(void)op, (void)in, (void)out;
	struct asked *e = ctx;
	if (err->code == ERR_OK) {
		alarm_tags_out_clear(&e->tags);
		e->tags = e->tags_out;
		e->tags_out = (struct alarm_tags_out){ 0 };
	}
	alarm_tags_out_clear(&e->tags_out);
	answered(e, err);
}

/* True when it was asked for now. */
static bool ask(struct engine *g, struct asked *e, enum call_class class)
{
	int64_t now = clock_mono_ms();
	if (e->asking || (e->next_ms && now < e->next_ms))
		return false;
	e->asking = true;
	e->next_ms = now + spread(e->arn, e->topic ? TOPIC_MS : TAGS_MS);
	g->told->waiting++;
	if (e->topic) {
		e->subs_in.topic = e->arn;
		aws_call_as(g->aws, class, &op_list_subscriptions, &e->subs_in, &e->subs_out, on_subscriptions, e);
	} else {
		e->tags_in.arn = e->arn;
		aws_call_as(g->aws, class, &op_list_alarm_tags, &e->tags_in, &e->tags_out, on_tags, e);
	}
	return true;
}

/* The nth field of an ARN, from 0. */
static struct span field(const char *arn, unsigned nth)
{
	const char *p = arn;
	for (unsigned i = 0; p && i < nth; i++) {
		p = strchr(p, ':');
		p = p ? p + 1 : NULL;
	}
	return p ? (struct span){ p, strcspn(p, ":") } : (struct span){ "", 0 };
}

static bool same_field(const char *a, const char *b, unsigned nth)
{
	struct span x = field(a, nth), y = field(b, nth);
	return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

enum { ARN_REGION = 3, ARN_ACCOUNT = 4 };

/* Another account's topics say nothing to us; another region's are reached by no alarm. */
static bool ours(const struct alarm *a, const struct alarm_target *t)
{
	return t->topic && a->arn && same_field(a->arn, t->arn, ARN_REGION) && same_field(a->arn, t->arn, ARN_ACCOUNT);
}

static void ask_about(struct engine *g, const struct alarm *a, enum call_class class, unsigned *topics, unsigned *tags)
{
	for (unsigned i = 0; i < a->ntold && *topics; i++)
		if (ours(a, &a->told[i]))
			*topics -= ask(g, find_or_add(g, a->told[i].arn, true), class);
	if (*tags && a->arn)
		*tags -= ask(g, find_or_add(g, a->arn, false), class);
}

static unsigned urgency(const struct alarm *a)
{
	return a->state == ALARM_STATE_ALARM ? 0 : a->state == ALARM_STATE_OK ? 2 : 1;
}

void told_begin(struct engine *g, const char *alarm, enum call_class class)
{
	unsigned topics = AT_ONCE_TOPICS, tags = AT_ONCE_TAGS;
	if (!engine_connect(g))
		return;
	for (unsigned u = 0; u < 3; u++)
		for (unsigned i = 0; i < g->alarms.n; i++) {
			const struct alarm *a = &g->alarms.alarms[i];
			if (urgency(a) == u && (!alarm || strcmp(alarm, a->name) == 0))
				ask_about(g, a, class, &topics, &tags);
		}
}

bool told_waiting(const struct engine *g, const struct alarm *a)
{
	if (!g->told || !a)
		return g->told && g->told->waiting;
	const struct asked *e = find(g, a->arn, false);
	bool asking = e && e->asking;
	for (unsigned i = 0; i < a->ntold; i++) {
		e = find(g, a->told[i].arn, true);
		asking = asking || (e && e->asking);
	}
	return asking;
}

/* ---- telling */

static const char *protocols(struct arena *mem, const struct list_subscriptions_out *s)
{
	const char *all = NULL;
	for (unsigned i = 0; i < s->nprotocols; i++)
		all = all ? arena_printf(mem, "%s, %s", all, s->protocol[i]) : arena_strdup(mem, s->protocol[i]);
	return all;
}

static const char *why_unknown(struct arena *mem, const struct asked *e)
{
	if (!e || e->err.code == ERR_OK)
		return NULL;
	return e->err.action[0] ? arena_printf(mem, "%s: allow %s", err_name(e->err.code), e->err.action)
	                        : arena_strdup(mem, err_name(e->err.code));
}

static void fill_topic(const struct engine *g, struct arena *mem, const struct alarm *a, struct alarm_target *t)
{
	const struct asked *e = find(g, t->arn, true);
	if (a->arn && !same_field(a->arn, t->arn, ARN_REGION))
		t->missing = "in another region: no alarm reaches it";
	else if (!ours(a, t))
		t->why = "in another account";
	else if (e && e->missing)
		t->missing = "no such topic";
	else if (e && e->known) {
		t->known = true;
		t->at = e->at;
		t->confirmed = e->subs.confirmed;
		t->pending = e->subs.pending;
		t->protocols = protocols(mem, &e->subs);
	} else
		t->why = why_unknown(mem, e);
}

void told_fill(const struct engine *g, struct arena *mem, struct alarm *a)
{
	struct alarm_target *told = arena_array(mem, a->ntold, sizeof *told);
	const struct asked *e = find(g, a->arn, false);
	for (unsigned i = 0; i < a->ntold; i++) {
		told[i] = a->told[i];
		if (told[i].topic)
			fill_topic(g, mem, a, &told[i]);
	}
	a->told = told;
	a->tagged = e && e->known;
	if (!a->tagged)
		return;
	a->manager = e->tags.manager;
	a->owner = arena_strdup(mem, e->tags.owner);
	if (e->tags.runbook)
		a->runbook = arena_strdup(mem, e->tags.runbook);
}
