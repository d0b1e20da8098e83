/* REQUEST_NOTE: a person's note among the events. It stays here: nothing is asked of AWS but, once, whose account this is. */
#include "core/mem.h"
#include "core/text.h"
#include "engine/changes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTE_MOST 1000 /* characters' bytes: a note, not a document */

static bool fits(const char *text, struct err *e)
{
	size_t n = strlen(text);
	uint32_t cp;
	unsigned len;
	if (n == 0 || n > NOTE_MOST)
		return err_set(e, ERR_USAGE, "note", "a note has 1 to %d bytes", NOTE_MOST);
	for (size_t i = 0; i < n; i += len)
		if (!(len = text_decode(text + i, n - i, &cp)) || !text_is_safe(cp))
			return err_set(e, ERR_USAGE, "note", "a note is one line of plain text");
	return true;
}

/* Who types here, as far as this machine knows; another's word for it is not at hand. */
static const char *writer(void)
{
	const char *user = getenv("USER");
	return user && *user ? user : NULL;
}

static void write_note(struct engine *g, struct task *t)
{
	const struct note_request *n = &t->rq.note;
	static unsigned nth;
	int64_t now = clock_wall();
	char *key = xasprintf("note:%" PRId64 ":%ld:%u", clock_wall_ms(), (long)getpid(), nth++);
	struct event_put p = { .key = key,
		                   .event = { .at = now,
		                              .at_most = now,
		                              .kind = n->incident ? EVENT_INCIDENT : EVENT_NOTE,
		                              .service = "",
		                              .subject = "",
		                              .text = n->text,
		                              .by = writer(),
		                              .source = "sluice" } };
	t->result->note.at = now;
	cache_add_event(g->cache, g->changes->target, &p, &t->result->err);
	events_flush(g);
	free(key);
}

bool history_known(struct engine *g, struct task *t)
{
	struct err *e = &t->result->err;
	looks_account(g);
	t->done = true;
	if (!g->cache && g->cache_err.code != ERR_OK) {
		*e = g->cache_err;
	} else if (!g->cache) {
		err_set(e, ERR_DB, "history", "there is none");
	} else if (g->changes->target[0]) {
		return true;
	} else if (g->account_err.code != ERR_OK) {
		*e = g->account_err;
	} else if (t->state++ == 0) {
		t->done = false;
		task_need(g, t, NEED_IDENTITY);
	} else {
		*e = g->identity_err;
		if (e->code == ERR_OK)
			err_set(e, ERR_NOTFOUND, "history", "whose account this is could not be found out");
	}
	return false;
}

void note_step(struct engine *g, struct task *t)
{
	t->done = true;
	if (fits(t->rq.note.text, &t->result->err) && history_known(g, t))
		write_note(g, t);
}

void events_step(struct engine *g, struct task *t)
{
	const struct events_request *rq = &t->rq.events;
	struct events_result *r = &t->result->events;
	struct events l;
	if (!history_known(g, t))
		return;
	events_read(g, rq->from, rq->to, rq->most + 1, &l);
	*r = (struct events_result){ .mem = l.mem, .v = l.v, .n = l.n, .more = l.n > rq->most };
	r->n = r->more ? rq->most : r->n;
}
