/* What happened, and what things were like: two tables beside the points, under the same one writer, retention and cap. Texts are
 * raw: whoever shows them filters them. Readers of a file whose schema has no such tables find nothing. */
#ifndef CACHE_EVENTS_H
#define CACHE_EVENTS_H

#include "cache/cache.h"
#include "core/model/event.h"

#define EVENT_TEXT_MOST 4096 /* bytes of one text: longer ones are cut at a character */
#define STATE_BODY_MOST 65536 /* one that is longer is not kept */

/* An event and what it is known by: the same key again, in the same target, is the same event told again and changes nothing.
 * A reader's is dropped. */
struct event_put {
	struct event event;
	const char *key;
};
bool cache_put_events(struct cache *c, const char *target, const struct event_put *v, unsigned n, struct err *e);
/* The same for one that must not be lost because another process is the writer (a person's note): it goes in through a connection
 * of its own, beside the writer, who touches these tables only in short transactions. */
bool cache_add_event(struct cache *c, const char *target, const struct event_put *v, struct err *e);

/* Events that may have happened in [from, to], the newest first (by at_most, then as they were put), `most` of them; the strings
 * are valid during the call. kind, source and text are never NULL. */
typedef void cache_event(void *ctx, const struct event *v);
bool cache_events(struct cache *c, const char *target, int64_t from, int64_t to, unsigned most, cache_event *each, void *ctx,
                  struct err *e);

/* What `subject` was like at every look from first to last. Put again with the same first it replaces: last moves on. */
struct state {
	const char *subject;
	int64_t first, last;
	const char *body; /* "": it was not there */
};
bool cache_put_states(struct cache *c, const char *target, const struct state *v, unsigned n, struct err *e);
/* All of them, by subject and then first; the strings are valid during the call. */
typedef void cache_state(void *ctx, const struct state *v);
bool cache_states(struct cache *c, const char *target, cache_state *each, void *ctx, struct err *e);

#endif
