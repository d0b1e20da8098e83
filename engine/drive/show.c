/* Requests that the ledger and the audit log answer alone: show, list, pause, stop, audit. */
#include "engine/drive/drive.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static const char *newest(const struct replay_run *runs, unsigned n, bool unfinished)
{
	for (unsigned i = 0; i < n; i++)
		if (!unfinished || run_unfinished(runs[i].state))
			return runs[i].id;
	return NULL;
}

const char *replay_which(struct ledger *l, const char *named, struct arena *mem, struct err *e)
{
	struct replay_run *runs;
	unsigned n;
	if (named)
		return run_id_valid(named) ? named
		                           : (err_set(e, ERR_USAGE, "RUN", "is the id of no run: '%.40s'", named), NULL);
	if (!ledger_runs(l, mem, &runs, &n, e))
		return NULL;
	const char *id = newest(runs, n, true);
	id = id ? id : newest(runs, n, false);
	if (!id)
		err_set(e, ERR_NOTFOUND, "replay", "there is no run yet");
	return id;
}

struct ledger *replay_ledger(struct engine *g, struct task *t, bool write)
{
	struct err *e = &t->result->err;
	arena_init(&t->result->replay.mem);
	if (!g->o.state_path) {
		err_set(e, ERR_CONF, "replay", "neither XDG_STATE_HOME nor HOME says where the ledger is");
		return NULL;
	}
	struct ledger *l = ledger_open(g->o.state_path, write, e);
	if (!l && e->code == ERR_NOTFOUND)
		err_set(e, ERR_NOTFOUND, "replay", "there is no run yet");
	return l;
}

/* As a resume would look at it: rows, chain and manifest. */
static bool load(struct ledger *l, const char *id, struct replay_result *r, struct err *e)
{
	char sum[SHA_HEX];
	if (!ledger_load(l, id, &r->mem, &r->run, &r->items, &r->nitems, e))
		return false;
	manifest_hash(r->items, r->nitems, sum);
	replay_count(r->items, r->nitems, &r->counts);
	r->has_run = true;
	return !r->run.manifest[0] || strcmp(sum, r->run.manifest) == 0 ||
	       err_set(e, ERR_DB, "ledger",
	               "run %s: its messages are not those that were frozen: some were added, removed or changed", id);
}

void replay_show_step(struct engine *g, struct task *t)
{
	struct replay_result *r = &t->result->replay;
	struct ledger *l = replay_ledger(g, t, false);
	t->done = true;
	if (!l)
		return;
	const char *id = replay_which(l, t->rq.replay.run, &r->mem, &t->result->err);
	if (id && load(l, id, r, &t->result->err)) {
		r->driven = replay_driven(g, &r->run);
		r->function_arn = r->run.mode == REPLAY_INVOKE ? r->run.dest : NULL;
		r->queue_arn = r->run.source_arn;
	}
	ledger_close(l);
}

void replay_list_step(struct engine *g, struct task *t)
{
	struct replay_result *r = &t->result->replay;
	struct ledger *l = replay_ledger(g, t, false);
	t->done = true;
	if (!l && t->result->err.code == ERR_NOTFOUND)
		err_clear(&t->result->err); /* none is an answer */
	else if (l)
		ledger_runs(l, &r->mem, &r->runs, &r->nruns, &t->result->err);
	ledger_close(l);
}

/* Nobody drives it: it is stopped here and now. */
static bool stop_at_rest(struct ledger *l, struct replay_result *r, struct err *e)
{
	struct ledger_change *v = xcalloc(r->nitems ? 2 * r->nitems : 1, sizeof *v);
	unsigned n = 0;
	for (unsigned i = 0; i < r->nitems; i++) {
		enum item_state to;
		struct replay_item *it = &r->items[i];
		if (!item_move(it->state, MOVE_SKIP, &to) &&
		    !(it->state == ITEM_INTENT && item_move(it->state, MOVE_DOUBT, &to)))
			continue;
		v[n++] = (struct ledger_change){ it, it->state, to, "the run was stopped" };
		it->state = to;
	}
	r->run.state = RUN_STOPPED;
	r->run.reason = "stopped by its operator";
	r->run.ended_ms = now_ms();
	bool ok = ledger_commit(l, r->run.id, v, n, e) && ledger_run_save(l, &r->run, e);
	free(v);
	replay_count(r->items, r->nitems, &r->counts);
	return ok;
}

void replay_steer_step(struct engine *g, struct task *t)
{
	struct replay_result *r = &t->result->replay;
	struct err *e = &t->result->err;
	struct ledger *l = replay_ledger(g, t, true);
	const char *word = t->rq.replay.word;
	t->done = true;
	if (!l)
		return;
	const char *id = replay_which(l, t->rq.replay.run, &r->mem, e);
	if (id && load(l, id, r, e)) {
		r->driven = replay_driven(g, &r->run);
		if (!run_unfinished(r->run.state))
			err_set(e, ERR_USAGE, "replay", "run %s is %s already", id, run_state_name(r->run.state));
		else if (r->driven)
			ledger_want(l, id, word, e);
		else if (strcmp(word, "stop") == 0)
			stop_at_rest(l, r, e);
	}
	ledger_close(l);
}

/* ---- the audit log */

static void read_lines(struct audit *a, struct task *t)
{
	struct audit_result *r = &t->result->audit;
	struct audit_line *v;
	if (!audit_read(a, t->rq.audit.run, &r->mem, &v, &r->n, &t->result->err))
		return;
	r->v = arena_array(&r->mem, r->n, sizeof *r->v);
	for (unsigned i = 0; i < r->n; i++)
		r->v[i] = (struct audit_entry){ v[i].n,       v[i].at_ms,   v[i].user,   v[i].host,   v[i].ssh_from,
			                            v[i].account, v[i].profile, v[i].mode,   v[i].action, v[i].target,
			                            v[i].outcome, v[i].run,     v[i].detail, v[i].sum };
}

void audit_step(struct engine *g, struct task *t)
{
	struct audit_result *r = &t->result->audit;
	struct err *e = &t->result->err;
	arena_init(&r->mem);
	t->done = true;
	if (!g->o.state_path) {
		err_set(e, ERR_CONF, "audit", "neither XDG_STATE_HOME nor HOME says where it is");
		return;
	}
	struct audit *a = audit_open(g->o.state_path, false, e);
	if (!a && e->code == ERR_NOTFOUND)
		err_clear(e); /* nothing was done yet */
	else if (a && t->rq.audit.verify)
		audit_verify(a, &r->n, r->last, e);
	else if (a)
		read_lines(a, t);
	audit_close(a);
}
