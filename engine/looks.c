/* What things were like, look by look: in memory the newest look at each, in the file one row as long as it does not change. */
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "engine/changes.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS                                                                                                       \
	(10 * 60 *                                                                                                         \
	 1000) /* a row that stays the same is written anew so often: after a crash its end is early by that much */

static int by_subject(const void *a, const void *b)
{
	return strcmp(((const struct look *)a)->subject, ((const struct look *)b)->subject);
}

struct look *looks_find(struct engine *g, const char *subject)
{
	struct look key = { .subject = (char *)subject };
	struct look **found = tfind(&key, &g->changes->tree, by_subject);
	return found ? *found : NULL;
}

static struct look *look_new(struct changes *c, const char *subject)
{
	struct look *l = xcalloc(1, sizeof *l);
	l->subject = xstrdup(subject);
	l->body = xstrdup("");
	tsearch(l, &c->tree, by_subject);
	MEM_GROW(c->v, c->n, c->cap);
	c->v[c->n++] = l;
	return l;
}

static void nothing(void *p)
{
	(void)p;
}

static void forget(struct changes *c)
{
	tdestroy(c->tree, nothing);
	for (unsigned i = 0; i < c->n; i++) {
		free(c->v[i]->subject);
		free(c->v[i]->body);
		free(c->v[i]);
	}
	free(c->v);
	c->tree = NULL;
	c->v = NULL;
	c->n = c->cap = 0;
}

struct changes *changes_new(void)
{
	return xcalloc(1, sizeof(struct changes));
}

void changes_free(struct changes *c)
{
	if (!c)
		return;
	forget(c);
	trail_drop(c);
	free(c->put);
	free(c->states);
	arena_clear(&c->put_mem);
	arena_clear(&c->state_mem);
	events_clear(&c->list);
	events_clear(&c->memory);
	free(c);
}

/* Ascending within a subject: the last row is the newest. */
static void load(void *ctx, const struct state *s)
{
	struct engine *g = ctx;
	struct look *l = looks_find(g, s->subject);
	l = l ? l : look_new(g->changes, s->subject);
	free(l->body);
	l->body = xstrdup(s->body);
	l->first = s->first;
	l->last = l->stored = s->last;
}

void looks_account(struct engine *g)
{
	struct changes *c = g->changes;
	char target[TARGET_KEY];
	struct err e = { 0 };
	target_key(&g->target, target);
	if (!g->target.account[0] || strcmp(target, c->target) == 0)
		return;
	forget(c);
	memcpy(c->target, target, sizeof c->target);
	if (g->cache && !cache_states(g->cache, target, load, g, &e))
		log_warn(LOG_ENGINE, "what things were like is not known: %s", e.text);
}

/* Wall time when the round began: what it saw may be as old as that. */
static int64_t round_wall(const struct engine *g)
{
	return clock_wall() - (clock_mono_ms() - g->round.begun_ms + 999) / 1000;
}

/* For the file: the row as it stands. */
static void queue(struct changes *c, struct look *l)
{
	MEM_GROW(c->states, c->nstates, c->cstates);
	c->states[c->nstates++] = (struct state){ .subject = arena_strdup(&c->state_mem, l->subject),
		                                      .first = l->first,
		                                      .last = l->last,
		                                      .body = arena_strdup(&c->state_mem, l->body) };
	l->stored = l->last;
}

char *looks_at(struct engine *g, const char *subject, const char *body, int64_t *since)
{
	struct look *l = looks_find(g, subject);
	char *before = NULL;
	if (l && strcmp(l->body, body) == 0) {
		l->last = round_wall(g);
	} else {
		before = l ? xstrdup(l->body) : NULL;
		*since = l ? l->last : 0;
		if (l && l->stored != l->last)
			queue(g->changes, l); /* how long it was so, as near as it is known */
		l = l ? l : look_new(g->changes, subject);
		free(l->body);
		*l =
		    (struct look){ .subject = l->subject, .body = xstrdup(body), .first = clock_wall(), .last = round_wall(g) };
	}
	l->round = g->round.number;
	return before;
}

void looks_gone(struct engine *g, const char *prefix,
                void (*gone)(struct engine *g, const struct look *l, int64_t since))
{
	struct changes *c = g->changes;
	size_t len = strlen(prefix);
	for (unsigned i = 0; i < c->n; i++) {
		struct look *l = c->v[i];
		int64_t since;
		if (l->round == g->round.number || !l->body[0] || strncmp(l->subject, prefix, len) != 0)
			continue;
		char *before = looks_at(g, l->subject, "", &since);
		free(before);
		gone(g, l, since);
	}
}

void looks_flush(struct engine *g, bool all)
{
	struct changes *c = g->changes;
	struct err e = { 0 };
	all = all || clock_mono_ms() - c->flushed_ms >= FLUSH_MS;
	for (unsigned i = 0; i < c->n; i++)
		if (!c->v[i]->stored || (all && c->v[i]->stored != c->v[i]->last))
			queue(c, c->v[i]);
	if (all)
		c->flushed_ms = clock_mono_ms();
	if (g->cache && !cache_put_states(g->cache, c->target, c->states, c->nstates, &e))
		log_warn(LOG_ENGINE, "what things were like is not kept: %s", e.text);
	c->nstates = 0;
	arena_clear(&c->state_mem);
}

/* ---- what differs, in words */

enum form { AS_TEXT, AS_DURATION, AS_HOURS, AS_MEGABYTES, AS_DIGEST };

/* How a fact's key says its unit. */
static const struct {
	const char *end;
	enum form form;
} forms[] = { { "_s", AS_DURATION }, { "_h", AS_HOURS }, { "_mb", AS_MEGABYTES }, { "_sha256", AS_DIGEST } };

static enum form form_of(const char *key, size_t *label)
{
	const char *end = strrchr(key, '_');
	*label = strlen(key);
	for (size_t i = 0; end && i < sizeof forms / sizeof *forms; i++)
		if (strcmp(end, forms[i].end) == 0) {
			*label = (size_t)(end - key);
			return forms[i].form;
		}
	return AS_TEXT;
}

static void add_number(struct buf *b, enum form form, long long n)
{
	char text[TEXT_NUM];
	text_duration(n, text);
	if (form == AS_DURATION)
		buf_adds(b, text);
	else
		buf_addf(b, "%lld %s", n, form == AS_HOURS ? "h" : "MB");
}

/* A number with its unit; an ARN by its last part. */
static void add_value(struct buf *b, enum form form, const char *value)
{
	char *end;
	const char *colon = value ? strrchr(value, ':') : NULL;
	long long n = strtoll(value ? value : "", &end, 10);
	if (!value)
		buf_adds(b, "none");
	else if (*value && !*end && n >= 0 && form != AS_TEXT && form != AS_DIGEST)
		add_number(b, form, n);
	else if (form == AS_DIGEST)
		buf_addf(b, "%.8s", value);
	else
		buf_adds(b, colon && colon[1] && strncmp(value, "arn:", 4) == 0 ? colon + 1 : value);
}

static bool add_difference(struct buf *b, const char *key, const char *old, const char *now)
{
	/* The first is told by the event's instant, the others name the thing itself. */
	static const char *const silent[] = { "last_modified", "arn", "from", "to" };
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
		if (strcmp(key, silent[i]) == 0)
			return false;
	if (old == now || (old && now && strcmp(old, now) == 0))
		return false;
	size_t n;
	enum form form = form_of(key, &n);
	if (b->n)
		buf_adds(b, ", ");
	for (size_t i = 0; i < n; i++)
		buf_addc(b, key[i] == '_' ? ' ' : key[i]);
	buf_addc(b, ' ');
	add_value(b, form, old);
	buf_adds(b, " -> ");
	add_value(b, form, now);
	return true;
}

bool facts_differ(const struct json *old, const struct json *now, struct buf *out)
{
	bool any = false;
	for (const struct json *m = json_first(now); m; m = json_next(m))
		any |= add_difference(out, json_key(m), json_get_str(old, json_key(m)), json_str(m));
	for (const struct json *m = json_first(old); m; m = json_next(m))
		if (!json_get(now, json_key(m)))
			any |= add_difference(out, json_key(m), json_str(m), NULL);
	return any;
}
