#include "cache/events.h"

#include "cache/keep_events.h"
#include "cache/work.h"
#include "core/mem.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_SCHEMA 4 /* from which on a file has these tables */

/* Binds numbers and texts in the statement's order. */
struct binder {
	sqlite3_stmt *st;
	int at, rc;
};

static void bind_text(struct binder *b, const char *s, size_t most)
{
	size_t n = s ? strlen(s) : 0;
	if (n > most) /* at the beginning of a character */
		for (n = most; n && ((unsigned char)s[n] & 0xC0) == 0x80;)
			n--;
	b->at++;
	if (b->rc == SQLITE_OK)
		b->rc =
		    s ? sqlite3_bind_text64(b->st, b->at, s, n, SQLITE_STATIC, SQLITE_UTF8) : sqlite3_bind_null(b->st, b->at);
}

static void bind_int(struct binder *b, int64_t v)
{
	b->at++;
	if (b->rc == SQLITE_OK)
		b->rc = sqlite3_bind_int64(b->st, b->at, v);
}

static struct binder binder_of(struct db *d, enum db_statement s)
{
	struct binder b = { 0 };
	b.rc = db_prepare(d, s, &b.st);
	return b;
}

static int run(struct binder *b)
{
	int rc = b->rc ? b->rc : db_step(b->st);
	if (b->st)
		sqlite3_reset(b->st);
	return rc;
}

/* All rows or none. */
static int within(struct db *d, int (*one)(struct db *d, const void *v, unsigned i, const char *target), const void *v,
                  unsigned n, const char *target)
{
	int rc = db_run(d, DB_BEGIN_WRITE, 0, NULL);
	if (rc)
		return rc;
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++)
		rc = one(d, v, i, target);
	if (rc == SQLITE_OK)
		rc = db_run(d, DB_COMMIT, 0, NULL);
	if (rc)
		db_run(d, DB_ROLLBACK, 0, NULL);
	return rc;
}

/* ---- events */

static int put_event(struct db *d, const void *all, unsigned i, const char *target)
{
	const struct event_put *p = (const struct event_put *)all + i;
	const struct event *v = &p->event;
	struct binder b = binder_of(d, DB_EVENT_ADD);
	bind_text(&b, target, EVENT_TEXT_MOST);
	bind_text(&b, p->key, EVENT_TEXT_MOST);
	bind_int(&b, v->at);
	bind_int(&b, v->at_most);
	bind_text(&b, event_kind_name(v->kind), EVENT_TEXT_MOST);
	bind_text(&b, v->service ? v->service : "", EVENT_TEXT_MOST);
	bind_text(&b, v->subject ? v->subject : "", EVENT_TEXT_MOST);
	bind_text(&b, v->arn, EVENT_TEXT_MOST);
	bind_text(&b, v->text ? v->text : "", EVENT_TEXT_MOST);
	bind_text(&b, v->by, EVENT_TEXT_MOST);
	bind_text(&b, v->source ? v->source : "", EVENT_TEXT_MOST);
	return run(&b);
}

struct puts {
	const char *target;
	const void *v;
	unsigned n;
};

static int put_events(struct db *d, void *ctx)
{
	const struct puts *p = ctx;
	return within(d, put_event, p->v, p->n, p->target);
}

bool cache_put_events(struct cache *c, const char *target, const struct event_put *v, unsigned n, struct err *e)
{
	struct puts p = { target, v, n };
	return n == 0 || cache_work(c, true, put_events, &p, e);
}

bool cache_add_event(struct cache *c, const char *target, const struct event_put *v, struct err *e)
{
	struct puts p = { target, v, 1 };
	return cache_is_writer(c) ? cache_work(c, true, put_events, &p, e) : cache_beside(c, put_events, &p, e);
}

struct range {
	const char *target;
	int64_t from, to;
	unsigned most;
	cache_event *each;
	void *ctx;
	bool begun; /* what was handed over is not handed over again */
};

static const char *column(sqlite3_stmt *st, int i)
{
	return (const char *)sqlite3_column_text(st, i);
}

static const char *column_or(sqlite3_stmt *st, int i)
{
	const char *s = column(st, i);
	return s ? s : "";
}

/* A word that this version does not know is something that happened all the same. */
static enum event_kind kind_of(const char *word)
{
	for (int k = 0; word && k < EVENT_KIND_COUNT; k++)
		if (strcmp(event_kind_name((enum event_kind)k), word) == 0)
			return (enum event_kind)k;
	return EVENT_CALL;
}

static int read_events(struct db *d, void *ctx)
{
	struct range *r = ctx;
	if (d->version < EVENTS_SCHEMA || r->begun)
		return SQLITE_OK;
	struct binder b = binder_of(d, DB_EVENT_RANGE);
	bind_text(&b, r->target, EVENT_TEXT_MOST);
	bind_int(&b, r->from);
	bind_int(&b, r->to);
	bind_int(&b, r->most);
	int rc = b.rc;
	while (rc == SQLITE_OK && (rc = db_step(b.st)) == SQLITE_ROW) {
		r->begun = true;
		r->each(r->ctx, &(struct event){ .at = sqlite3_column_int64(b.st, 0),
		                                 .at_most = sqlite3_column_int64(b.st, 1),
		                                 .kind = kind_of(column(b.st, 2)),
		                                 .service = column_or(b.st, 3),
		                                 .subject = column_or(b.st, 4),
		                                 .arn = column(b.st, 5),
		                                 .text = column_or(b.st, 6),
		                                 .by = column(b.st, 7),
		                                 .source = column_or(b.st, 8) });
		rc = SQLITE_OK;
	}
	if (b.st)
		sqlite3_reset(b.st);
	return rc;
}

bool cache_events(struct cache *c, const char *target, int64_t from, int64_t to, unsigned most, cache_event *each,
                  void *ctx, struct err *e)
{
	struct range r = { target, from, to, most, each, ctx, false };
	return cache_work(c, false, read_events, &r, e);
}

/* ---- states */

static int put_state(struct db *d, const void *all, unsigned i, const char *target)
{
	const struct state *v = (const struct state *)all + i;
	if (strlen(v->body) > STATE_BODY_MOST)
		return SQLITE_OK;
	struct binder b = binder_of(d, DB_STATE_PUT);
	bind_text(&b, target, EVENT_TEXT_MOST);
	bind_text(&b, v->subject, EVENT_TEXT_MOST);
	bind_int(&b, v->first);
	bind_int(&b, v->last);
	bind_text(&b, v->body, STATE_BODY_MOST);
	return run(&b);
}

static int put_states(struct db *d, void *ctx)
{
	const struct puts *p = ctx;
	return within(d, put_state, p->v, p->n, p->target);
}

bool cache_put_states(struct cache *c, const char *target, const struct state *v, unsigned n, struct err *e)
{
	struct puts p = { target, v, n };
	return n == 0 || cache_work(c, true, put_states, &p, e);
}

struct all_states {
	const char *target;
	cache_state *each;
	void *ctx;
	bool begun;
};

static int read_states(struct db *d, void *ctx)
{
	struct all_states *a = ctx;
	if (d->version < EVENTS_SCHEMA || a->begun)
		return SQLITE_OK;
	struct binder b = binder_of(d, DB_STATE_ALL);
	bind_text(&b, a->target, EVENT_TEXT_MOST);
	int rc = b.rc;
	while (rc == SQLITE_OK && (rc = db_step(b.st)) == SQLITE_ROW) {
		a->begun = true;
		a->each(a->ctx, &(struct state){ .subject = column_or(b.st, 0),
		                                 .first = sqlite3_column_int64(b.st, 1),
		                                 .last = sqlite3_column_int64(b.st, 2),
		                                 .body = column_or(b.st, 3) });
		rc = SQLITE_OK;
	}
	if (b.st)
		sqlite3_reset(b.st);
	return rc;
}

bool cache_states(struct cache *c, const char *target, cache_state *each, void *ctx, struct err *e)
{
	struct all_states a = { target, each, ctx, false };
	return cache_work(c, false, read_states, &a, e);
}

/* ---- within limits */

/* Rows at most: what is older than the nth newest goes. Looked at now and then: to find it means to walk so many rows. */
static int drop_beyond(struct db *d, enum db_statement nth, int64_t most, int64_t *before)
{
	int64_t at = 0;
	int rc = db_number(d, nth, 1, &most, INT64_MIN, &at);
	if (rc == SQLITE_OK && at > *before)
		*before = at;
	return rc;
}

int events_keep(struct db *d, int64_t now, int64_t retention, int64_t bytes, bool whole)
{
	static const struct {
		enum db_statement nth, drop;
		int64_t row; /* bytes of one with its share of the indexes, by and large */
	} tables[] = { { DB_EVENT_NTH, DB_EVENT_DROP, 500 }, { DB_STATE_NTH, DB_STATE_DROP, 1000 } };
	int rc = SQLITE_OK;
	for (unsigned i = 0; i < 2 && rc == SQLITE_OK; i++) {
		int64_t before = retention && now ? now - retention : INT64_MIN;
		int64_t most = bytes / EVENTS_SHARE / tables[i].row;
		if (!bytes || most > EVENTS_MOST)
			most = EVENTS_MOST;
		if (whole)
			rc = drop_beyond(d, tables[i].nth, most, &before);
		if (rc == SQLITE_OK && before > INT64_MIN)
			rc = db_run(d, tables[i].drop, 2, (const int64_t[]){ before, EVENTS_STEP });
	}
	return rc;
}
