/* REQUEST_REPLAY_ITEM: an operator keeps one message of a run out for now, leaves it for good, or lets it go again. The ledger alone; while
 * nobody drives the run. */
#include "engine/drive/drive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *word, *done;
	enum item_event what;
} words[] = {
	{ "hold", "held by its operator", MOVE_HOLD },
	{ "skip", "left out by its operator", MOVE_SKIP },
	{ "release", "released by its operator", MOVE_RELEASE },
};

/* By its number in the run, or its id. */
static struct replay_item *find(const struct replay_result *r, const char *name)
{
	char *end;
	unsigned long seq = strtoul(name, &end, 10);
	for (unsigned i = 0; i < r->nitems; i++)
		if (strcmp(r->items[i].msg_id, name) == 0 || (!*end && *name && r->items[i].seq == seq))
			return &r->items[i];
	return NULL;
}

static bool change(struct ledger *l, struct replay_result *r, struct replay_item *it, unsigned word, struct err *e)
{
	enum item_state to;
	if (!item_move(it->state, words[word].what, &to))
		return err_set(e, ERR_USAGE, "replay", "message %u is %s: it cannot be %s", it->seq, item_state_name(it->state),
		               words[word].done);
	const struct ledger_change c = { it, it->state, to, words[word].done };
	if (words[word].what != MOVE_RELEASE) {
		it->code = "OPERATOR";
		it->text = words[word].done;
	} else {
		it->code = it->text = NULL;
	}
	if (!ledger_commit(l, r->run.id, &c, 1, e))
		return false;
	it->state = to;
	replay_count(r->items, r->nitems, &r->counts);
	if (r->run.state != RUN_DONE || to != ITEM_SELECTED)
		return true;
	r->run.state = RUN_PAUSED; /* there is something to go on with */
	r->run.reason = words[word].done;
	r->run.ended_ms = 0;
	return ledger_run_save(l, &r->run, e);
}

static void item(struct engine *g, struct task *t, struct ledger *l, unsigned word)
{
	struct replay_result *r = &t->result->replay;
	struct err *e = &t->result->err;
	struct audited who = { 0 };
	const char *id = replay_which(l, t->rq.replay.run, &r->mem, e);
	int fd = -1;
	if (!id || !ledger_load(l, id, &r->mem, &r->run, &r->items, &r->nitems, e) || !replay_keep_away(g, &r->run, &fd, e))
		return;
	/* Once more, now that nobody changes it. */
	bool ok = ledger_load(l, id, &r->mem, &r->run, &r->items, &r->nitems, e);
	struct replay_item *it = ok ? find(r, t->rq.replay.item) : NULL;
	if (ok && !it)
		err_set(e, ERR_USAGE, "MESSAGE", "run %s has no message '%.80s'", id, t->rq.replay.item);
	if (ok && !run_unfinished(r->run.state) && r->run.state != RUN_DONE)
		ok = err_set(e, ERR_USAGE, "replay", "run %s is %s", id, run_state_name(r->run.state));
	struct audit *a = ok && it ? audit_open(g->o.state_path, true, e) : NULL;
	if (a) {
		audited_who(g, t->rq.consent.mode, &who);
		if (audit_add(a, &who.who, "replay:Item", it->msg_id, "announced", id, words[word].word, e))
			r->has_run = change(l, r, it, word, e);
	}
	audit_close(a);
	close(fd);
}

void replay_item_step(struct engine *g, struct task *t)
{
	const struct gate_act act = { MODE_OPERATE, &op_invoke_sync, "decide about a message", false, 0 };
	struct err *e = &t->result->err;
	unsigned word = 0;
	t->done = true;
	while (word < 2 && strcmp(words[word].word, t->rq.replay.word) != 0)
		word++;
	struct ledger *l = gate_may(g->o.target, &t->rq.consent, &act, e) ? replay_ledger(g, t, true) : NULL;
	if (l)
		item(g, t, l, word);
	ledger_close(l);
}
