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
	looks_account(g);
	cache_add_event(g->cache, g->changes->target, &p, &t->result->err);
	events_flush(g);
	free(key);
}

void note_step(struct engine *g, struct task *t)
{
	struct err *e = &t->result->err;
	t->done = true;
	if (!fits(t->rq.note.text, e))
		return;
	if (!g->cache) {
		if (g->cache_err.code != ERR_OK)
			*e = g->cache_err;
		else
			err_set(e, ERR_DB, "note", "there is no history to keep it in");
		return;
	}
	if (g->target.account[0]) {
		write_note(g, t);
	} else if (g->account_err.code != ERR_OK) {
		*e = g->account_err;
	} else if (t->state++ == 0) {
		t->done = false;
		task_need(g, t, NEED_IDENTITY);
	} else {
		*e = g->identity_err;
		if (e->code == ERR_OK)
			err_set(e, ERR_NOTFOUND, "note", "whose account this is could not be found out");
	}
}
