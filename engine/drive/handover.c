/* A run goes on elsewhere: `export` writes it whole into one file and marks the ledger's own copy HANDED, `adopt` takes it out of such a file. So
 * that never two go on with it: the mark is on the disk before the file is, a file that does not carry it is adopted only by who says
 * that nobody drives the run, and each adoption is one fence further. */
#include "engine/drive/drive.h"

#include "cache/file.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT_MOST (1ul << 30)

/* ---- the file */

/* FOLDER and NAME of a path; both the caller's. */
static void split_path(const char *path, char **folder, const char **name)
{
	const char *slash = strrchr(path, '/');
	*folder = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	*name = slash ? slash + 1 : path;
}

static bool file_digest(const char *path, char out[SHA_HEX], struct err *e)
{
	struct buf all;
	bool ok = file_read(path, FILE_ANY, EXPORT_MOST, &all, NULL, e);
	if (ok)
		body_hash(all.p ? all.p : "", all.n, out);
	buf_clear(&all);
	return ok;
}

static bool write_file(const char *path, const struct ledger_whole *w, struct err *e)
{
	char *folder;
	const char *name;
	if (file_id_of(path).ino)
		return err_set(e, ERR_USAGE, "export", "%s is there already: it is not written over", path);
	split_path(path, &folder, &name);
	struct ledger *out = ledger_open_named(folder, name, true, e);
	bool ok = out && ledger_put_whole(out, w, e);
	free(folder);
	if (!out)
		return false;
	if (!ledger_close_whole(out, e) || !ok) {
		unlink(path);
		file_remove_log(path);
		return false;
	}
	return true;
}

/* ---- export */

/* As it is to be gone on with: whatever it was doing when its driver ended, nobody does it now. */
static enum run_state at_rest(const struct replay_run *r)
{
	if (r->state == RUN_HANDED || run_unfinished(r->state))
		return r->confirmed && r->manifest[0] ? RUN_PAUSED : r->manifest[0] ? RUN_FROZEN : RUN_FREEZING;
	return r->state;
}

static bool mark(struct ledger *l, struct ledger_whole *w, const char *path, struct arena *mem, struct err *e)
{
	char text[CLOCK_RFC3339_SIZE];
	const char *id = w->run.id;
	clock_rfc3339(now_ms() / 1000, text);
	w->run.state = RUN_HANDED;
	w->run.handed_ms = w->run.handed_ms ? w->run.handed_ms : now_ms();
	w->run.reason = arena_printf(mem, "handed over on %s, in %s: it goes on where it is adopted", text, path);
	return ledger_run_save(l, &w->run, e) && ledger_whole(l, arena_strdup(mem, id), mem, w, e);
}

static bool may_export(const struct replay_request *rq, const struct replay_run *r, struct err *e)
{
	if (rq->copy || r->state == RUN_HANDED || run_unfinished(r->state))
		return true;
	return err_set(e, ERR_USAGE, "export", "run %s is %s: there is nothing to hand over; --copy writes a copy", r->id,
	               run_state_name(r->state));
}

static void audit_line(const struct engine *g, const struct task *t, const char *action, const struct replay_run *r,
                       const char *detail, struct err *e)
{
	struct audited who = { 0 };
	struct audit *a = audit_open(g->o.state_path, true, e);
	if (!a)
		return;
	audited_who(g, t->rq.consent.mode, &who);
	audit_add(a, &who.who, action, r->source_arn, "announced", r->id, detail, e);
	audit_close(a);
}

static bool export(struct engine *g, struct task *t, struct ledger *l, struct ledger_whole *w, struct err *e)
{
	const struct replay_request *rq = &t->rq.replay;
	struct replay_result *r = &t->result->replay;
	char sum[SHA_HEX];
	audit_line(g, t, rq->copy ? "replay:Copy" : "replay:Export", &w->run, rq->file, e);
	if (e->code != ERR_OK || (!rq->copy && !mark(l, w, rq->file, &r->mem, e)))
		return false;
	r->run = w->run;
	w->run.state = at_rest(&w->run);
	w->run.reason = NULL;
	if (rq->copy)
		w->run.handed_ms = 0;
	if (!write_file(rq->file, w, e) || !file_digest(rq->file, sum, e))
		return false;
	r->file = arena_strdup(&r->mem, rq->file);
	r->file_sha = arena_strdup(&r->mem, sum);
	return true;
}

static void tell(struct replay_result *r, const struct ledger_whole *w)
{
	r->has_run = true;
	r->run = w->run;
	r->items = w->items;
	r->nitems = w->nitems;
	r->queue_arn = w->run.source_arn;
	replay_count(r->items, r->nitems, &r->counts);
}

void replay_export_step(struct engine *g, struct task *t)
{
	struct replay_result *r = &t->result->replay;
	struct err *e = &t->result->err;
	struct ledger *l = replay_ledger(g, t, true);
	struct ledger_whole w;
	int fd = -1;
	t->done = true;
	if (!l)
		return;
	const char *id = replay_which(l, t->rq.replay.run, &r->mem, e);
	bool ok = id && ledger_whole(l, id, &r->mem, &w, e) && may_export(&t->rq.replay, &w.run, e) &&
	          (t->rq.replay.copy || replay_keep_away(g, &w.run, &fd, e));
	/* Once more, now that nobody changes it. */
	if (ok && ledger_whole(l, id, &r->mem, &w, e)) {
		tell(r, &w);
		export(g, t, l, &w, e);
	}
	if (fd >= 0)
		close(fd);
	ledger_close(l);
}

/* ---- adopt */

struct adopting {
	struct caller_identity identity;
	struct err err;
	bool answered;
	struct ledger_whole w;
	char sum[SHA_HEX];
};

static const char *only_run(struct ledger *l, const char *named, struct arena *mem, struct err *e)
{
	struct replay_run *runs;
	unsigned n;
	if (named)
		return replay_which(l, named, mem, e);
	if (!ledger_runs(l, mem, &runs, &n, e))
		return NULL;
	if (n == 1)
		return runs[0].id;
	err_set(e, ERR_USAGE, "adopt", "the file holds %u runs: say which, `replay adopt FILE RUN`", n);
	return NULL;
}

static bool read_file(struct task *t, struct adopting *a)
{
	const struct replay_request *rq = &t->rq.replay;
	struct replay_result *r = &t->result->replay;
	struct err *e = &t->result->err;
	char *folder, manifest[SHA_HEX];
	const char *name;
	if (!file_id_of(rq->file).ino)
		return err_set(e, ERR_USAGE, "adopt", "%s: there is no such file", rq->file);
	if (!file_digest(rq->file, a->sum, e))
		return false;
	split_path(rq->file, &folder, &name);
	struct ledger *l = ledger_open_named(folder, name, false, e);
	free(folder);
	if (!l)
		return false;
	const char *id = only_run(l, rq->run, &r->mem, e);
	bool ok = id && ledger_whole(l, id, &r->mem, &a->w, e);
	ledger_close(l);
	if (!ok)
		return false;
	manifest_hash(a->w.items, a->w.nitems, manifest);
	tell(r, &a->w);
	return !a->w.run.manifest[0] || strcmp(manifest, a->w.run.manifest) == 0 ||
	       err_set(e, ERR_DB, "adopt", "%s: the messages are not those that were frozen", rq->file);
}

/* By whom it is driven now: the file says it, or a person does. */
static bool is_free(const struct replay_request *rq, const struct replay_run *r, struct err *e)
{
	if (!run_unfinished(r->state))
		return err_set(e, ERR_USAGE, "adopt", "run %s is %s: there is nothing to go on with", r->id,
		               run_state_name(r->state));
	if (r->handed_ms || rq->driver_gone)
		return true;
	return err_set(e, ERR_GATE, "adopt",
	               "the file does not say that run %s was handed over: %s on %s may drive it still. `replay export` "
	               "there does it; "
	               "--driver-gone says that you know it has ended",
	               r->id, r->by, r->host);
}

static void on_identity(void *ctx, const struct op *op, void *in, void *out, const struct err *e)
{
	struct adopting *a = ctx;
	(void)op, (void)in, (void)out;
	a->err = *e;
	a->answered = true;
}

static bool adopt_begin(struct engine *g, struct task *t)
{
	struct err *e = &t->result->err;
	const struct gate_act act = { MODE_OPERATE, &op_invoke_sync, "adopt a run", false, 0 };
	struct adopting *a = t->work = arena_alloc(&t->mem, sizeof *a);
	arena_init(&t->result->replay.mem);
	if (!g->o.state_path)
		return err_set(e, ERR_CONF, "replay", "neither XDG_STATE_HOME nor HOME says where the ledger is");
	if (!gate_may(g->o.target, &t->rq.consent, &act, e) || !read_file(t, a) || !is_free(&t->rq.replay, &a->w.run, e))
		return false;
	if (!engine_connect(g)) {
		*e = g->account_err;
		return false;
	}
	if (strcmp(g->target.region, a->w.run.region) != 0)
		return err_set(e, ERR_USAGE, "adopt", "run %s is of region %s, not of %s", a->w.run.id, a->w.run.region,
		               g->target.region);
	aws_call(g->aws, &op_get_caller_identity, NULL, &a->identity, on_identity, a);
	return true;
}

static bool same_account(const struct adopting *a, struct err *e)
{
	const struct replay_run *r = &a->w.run;
	if (a->err.code != ERR_OK) {
		*e = a->err;
		return false;
	}
	return strcmp(a->identity.account, r->account) == 0 ||
	       err_set(e, ERR_USAGE, "adopt", "run %s is of account %s, these credentials are of %s", r->id, r->account,
	               a->identity.account);
}

/* What is in the ledger of this run already must have been handed over, and the file be that or what became of it since. */
static bool may_replace(struct ledger *l, struct arena *mem, const struct ledger_whole *w, struct err *e)
{
	struct ledger_whole mine;
	struct err none = { 0 };
	if (!ledger_whole(l, w->run.id, mem, &mine, &none)) {
		if (none.code != ERR_NOTFOUND)
			*e = none;
		return none.code == ERR_NOTFOUND;
	}
	if (mine.run.state != RUN_HANDED)
		return err_set(e, ERR_GATE, "adopt", "run %s is in this ledger already, and is %s", w->run.id,
		               run_state_name(mine.run.state));
	return (w->run.fence >= mine.run.fence && ledger_continues(&mine, w)) ||
	       err_set(e, ERR_GATE, "adopt", "the file is older than what this ledger has of run %s", w->run.id);
}

/* What was about to be sent may have been: its outcome is unknown. */
static bool doubt(struct ledger *l, struct ledger_whole *w, struct err *e)
{
	struct ledger_change *v = xcalloc(w->nitems ? w->nitems : 1, sizeof *v);
	unsigned n = 0;
	for (unsigned i = 0; i < w->nitems; i++) {
		struct replay_item *it = &w->items[i];
		enum item_state to;
		if (it->state != ITEM_INTENT || !item_move(it->state, MOVE_DOUBT, &to))
			continue;
		it->code = "INTERRUPTED";
		it->text = "it may have been sent before the run was handed over";
		v[n++] = (struct ledger_change){ it, it->state, to, it->text };
		it->state = to;
	}
	bool ok = n == 0 || ledger_commit(l, w->run.id, v, n, e);
	free(v);
	return ok;
}

static bool take(struct engine *g, struct task *t, struct adopting *a, struct ledger *l, struct err *e)
{
	struct replay_result *r = &t->result->replay;
	struct audited who = { 0 };
	struct ledger_whole *w = &a->w;
	enum run_state state = w->run.state;
	audited_who(g, t->rq.consent.mode, &who);
	audit_line(g, t, "replay:Adopt", &w->run, t->rq.replay.file, e);
	w->run.fence++;
	w->run.handed_ms = 0;
	w->run.state = RUN_HANDED; /* until it is whole here */
	w->run.host = arena_strdup(&r->mem, who.host);
	w->run.reason = arena_printf(&r->mem, "adopted by %s on %s", who.user, who.host);
	if (e->code != ERR_OK || !ledger_put_whole(l, w, e) || !doubt(l, w, e))
		return false;
	w->run.state = state;
	if (!ledger_run_save(l, &w->run, e))
		return false;
	tell(r, w);
	r->file = arena_strdup(&r->mem, t->rq.replay.file);
	r->file_sha = arena_strdup(&r->mem, a->sum);
	return true;
}

void replay_adopt_step(struct engine *g, struct task *t)
{
	struct err *e = &t->result->err;
	int fd = -1;
	if (t->state++ == 0) {
		t->done = !adopt_begin(g, t);
		return;
	}
	struct adopting *a = t->work;
	if (!a->answered)
		return;
	t->done = true;
	snprintf(g->target.account, sizeof g->target.account, "%s", a->identity.account);
	struct ledger *l = same_account(a, e) ? ledger_open(g->o.state_path, true, e) : NULL;
	if (l && replay_keep_away(g, &a->w.run, &fd, e) && may_replace(l, &t->result->replay.mem, &a->w, e))
		take(g, t, a, l, e);
	if (fd >= 0)
		close(fd);
	ledger_close(l);
}
