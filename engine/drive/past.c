/* What earlier runs know of what is being frozen: what failed for good is POISON at once, what has the business key of something that went well
 * is SKIPPED, unless somebody says otherwise. Both are said before the number is confirmed. */
#include "engine/drive/drive.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "replay/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MOST 200

/* Of the body, what idempotency_path points at: a string, a number or a boolean. */
static const char *business_key(struct drive *d, const struct message *m)
{
	const char *path = d->g->conf->idempotency_path;
	struct span v;
	struct json *doc = path && path_valid(path, strlen(path)) ? json_parse(m->body, NULL) : NULL;
	bool found = doc && path_find(m->body, path, strlen(path), &v) && v.p[0] != '{' && v.p[0] != '[' &&
	             v.n <= KEY_MOST && !span_eq(v, "null");
	json_free(doc);
	return found ? arena_printf(d->mem, "%.*s", (int)v.n, v.p) : NULL;
}

/* A copy that an earlier run sent carries its stamp: it came back. */
static bool came_back(struct drive *d, const struct message *m, char run[RUN_ID])
{
	const struct message_attr *stamp = message_attr(m, STAMP_NAME);
	enum item_state state;
	unsigned seq;
	if (!stamp || stamp->binary || stamp->value.n <= RUN_ID)
		return false;
	snprintf(run, RUN_ID, "%.*s", RUN_ID - 1, stamp->value.p);
	return run_id_valid(run) && sscanf(stamp->value.p + RUN_ID, "%u/", &seq) == 1 &&
	       ledger_copy_of(d->ledger, run, seq, &state);
}

void past_look(struct drive *d, struct entry *en, const struct message *m)
{
	struct ledger_bad bad;
	struct ledger_done done;
	char run[RUN_ID], day[CLOCK_RFC3339_SIZE];
	en->it.key = business_key(d, m);
	if (!d->ledger)
		return;
	if (came_back(d, m, run)) {
		en->bad = arena_printf(d->mem, "run %s sent it, and it came back", run);
	} else if (ledger_bad_before(d->ledger, d->run.source_arn, &en->it, d->run.id, &bad)) {
		en->bad = arena_printf(d->mem, "%s %s in run %s", bad.group ? "all of its cause were" : "it was",
		                       item_state_name(bad.state), bad.run);
	}
	if (en->it.key && ledger_done_before(d->ledger, en->it.key, d->run.id, &done)) {
		clock_rfc3339(done.at_ms / 1000, day);
		en->done = arena_printf(d->mem, "replayed OK on %.10s by %s", day, done.by);
	}
}

/* ---- the same key twice in one run: the first of them goes */

static const struct drive *sorting; /* the engine has one thread */

static int by_key(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	int c = strcmp(sorting->v[x].it.key, sorting->v[y].it.key);
	return c ? c : x < y ? -1 : 1;
}

static void find_doubles(struct drive *d)
{
	unsigned *at = xcalloc(d->n ? d->n : 1, sizeof *at), n = 0;
	for (unsigned i = 0; i < d->n; i++)
		if (d->v[i].it.key)
			at[n++] = i;
	sorting = d;
	qsort(at, n, sizeof *at, by_key);
	for (unsigned i = 1, first = 0; i < n; i++) {
		if (strcmp(d->v[at[i]].it.key, d->v[at[first]].it.key) != 0)
			first = i;
		else if (!d->v[at[i]].done)
			d->v[at[i]].done = arena_printf(d->mem, "message %u of this run has the same key", d->v[at[first]].it.seq);
	}
	free(at);
}

static void leave(struct drive *d, struct entry *en, enum item_event what, const char *code, const char *why)
{
	enum item_state to;
	en->it.code = code;
	en->it.text = why;
	if (!d->plan)
		drive_shift(d, en, what, why);
	else if (item_move(en->it.state, what, &to))
		en->it.state = to;
}

void past_settle(struct drive *d)
{
	const struct replay_request *rq = &d->t->rq.replay;
	bool named = rq->poison_again || d->run.where;
	unsigned bad = 0, done = 0;
	const char *who = NULL;
	find_doubles(d);
	for (unsigned i = 0; i < d->n; i++) {
		struct entry *en = &d->v[i];
		bad += en->bad != NULL;
		done += en->done != NULL;
		who = en->done ? en->done : who;
		if (en->it.state != ITEM_SELECTED)
			continue;
		if (en->bad && !named)
			leave(d, en, MOVE_KNOW_BAD, "KNOWN_BAD", en->bad);
		else if (en->done && !rq->dedupe_send)
			leave(d, en, MOVE_SKIP, "DONE_BEFORE", en->done);
	}
	if (bad)
		drive_warn(d, "%u of these failed for good in an earlier run: %s", bad,
		           named ? "they are sent again"
		                 : "they are left out as POISON; --poison again, or --where, sends them");
	if (done)
		drive_warn(d, "%u of these were replayed before, as their business keys say (%s): %s", done, who,
		           rq->dedupe_send ? "they are sent again" : "they are SKIPPED; --dedupe send sends them");
	if (!d->plan)
		drive_commit(d);
}
