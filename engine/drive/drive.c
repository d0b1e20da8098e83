/* REQUEST_REPLAY_START, _RESUME and _PLAN: the phases of a drive. It is prepared, frozen, confirmed, worked on, closed; each phase is a
 * function that is called each turn until it is over. */
#include "engine/drive/source.h"
#include "engine/drive/watch.h"

#include "core/log.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void drive_warn(struct drive *d, const char *fmt, ...)
{
	struct replay_result *r = d->r;
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	const char **longer = arena_array(d->mem, r->nwarnings + 1u, sizeof *longer);
	if (r->nwarnings)
		memcpy(longer, r->warnings, r->nwarnings * sizeof *longer);
	longer[r->nwarnings++] = arena_strdup(d->mem, text);
	r->warnings = longer;
}

void drive_end(struct drive *d, enum run_state as, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	if (d->ending)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	d->ending = true;
	d->ends_as = as;
	d->run.reason = arena_strdup(d->mem, text);
}

void drive_fail(struct drive *d, const struct err *e)
{
	d->t->result->err = *e;
	if (e->code == ERR_GATE)
		drive_note(d, "replay", d->run.source_arn, "denied", e->text);
	/* A run that is there already, and was not touched yet, stays what it is: perhaps another drives it. */
	bool untouched = d->resumed && (d->phase == PHASE_PREPARE || d->phase == PHASE_GUARD);
	drive_end(d, d->resumed ? d->run.state : RUN_REFUSED, "%s: %s", e->where, e->text);
	d->phase = untouched ? PHASE_OVER : d->run.id[0] || d->sweep.others_n || d->n ? PHASE_CLOSE : PHASE_OVER;
}

/* ---- beginning */

static bool open_logs(struct drive *d, struct err *e)
{
	if (!d->g->o.state_path)
		return err_set(e, ERR_CONF, "replay", "neither XDG_STATE_HOME nor HOME says where the ledger goes");
	d->audit = audit_open(d->g->o.state_path, true, e);
	d->ledger = d->audit ? ledger_open(d->g->o.state_path, true, e) : NULL;
	return d->ledger != NULL;
}

/* What the run is about, before its source has been looked at: for the refusals of the gate. */
static const struct op *run_op(const struct drive *d)
{
	return d->run.mode == REPLAY_REDRIVE ? &op_send_message_batch
	       : d->run.mode == REPLAY_MOVE  ? &op_start_message_move_task
	                                     : &op_invoke_sync;
}

static bool may_send(struct drive *d, struct result *r, const struct consent *c, const char *what)
{
	bool move = d->run.mode == REPLAY_MOVE;
	const struct op *op = d->run.mode == REPLAY_REDRIVE && d->run.fifo ? &op_send_message_batch_fifo : run_op(d),
	                *also = move ? &op_cancel_message_move_task : &op_delete_message_batch;
	const struct gate_act send = { MODE_OPERATE, op, what, true, drive_count(d) },
	                      remove = { MODE_OPERATE, also, what, true, drive_count(d) };
	struct consent same = *c;
	return gate_open(d->g->o.target, c, &send, &d->send, r) &&
	       ((!d->src->deletes && !move) || gate_open(d->g->o.target, &same, &remove, &d->remove, r));
}

static struct drive *drive_new(struct engine *g, struct task *t)
{
	struct drive *d = xcalloc(1, sizeof *d);
	t->work = d;
	d->g = g;
	d->t = t;
	d->r = &t->result->replay;
	arena_init(&d->r->mem);
	d->mem = &d->r->mem;
	d->lock = -1;
	d->ends_as = RUN_PAUSED;
	d->plan = t->rq.kind == REQUEST_REPLAY_PLAN || (t->rq.kind == REQUEST_REPLAY_START && t->rq.dry_run);
	d->run.mode = t->rq.replay.move_task ? REPLAY_MOVE : t->rq.replay.redrive ? REPLAY_REDRIVE : REPLAY_INVOKE;
	d->r->seconds = (double)NAN;
	found_init(&d->found);
	found_init(&d->sources);
	arena_init(&d->mappings.mem);
	return d;
}

/* The newest unfinished, else the newest; its id in t's arena. NULL and e: there is none. */
static const char *which_run(struct drive *d, struct err *e)
{
	struct replay_run *runs;
	unsigned n;
	if (d->t->rq.replay.run)
		return run_id_valid(d->t->rq.replay.run)
		           ? d->t->rq.replay.run
		           : (err_set(e, ERR_USAGE, "RUN", "is the id of no run: '%.40s'", d->t->rq.replay.run), NULL);
	if (!ledger_runs(d->ledger, d->mem, &runs, &n, e))
		return NULL;
	for (unsigned i = 0; i < n; i++)
		if (run_unfinished(runs[i].state))
			return runs[i].id;
	if (n)
		return runs[0].id;
	err_set(e, ERR_NOTFOUND, "replay", "there is no run yet");
	return NULL;
}

/* Its row and messages as they are in the ledger, and that they are what was frozen. */
static bool load(struct drive *d, struct err *e)
{
	struct replay_item *items;
	char sum[SHA_HEX];
	const char *id = which_run(d, e);
	unsigned n = 0;
	if (!id || !ledger_load(d->ledger, id, d->mem, &d->run, &items, &n, e))
		return false;
	manifest_hash(items, n, sum);
	if (d->run.manifest[0] && strcmp(sum, d->run.manifest) != 0)
		return err_set(e, ERR_DB, "ledger",
		               "run %s: its messages are not those that were frozen: some were added, removed or changed", id);
	d->n = n;
	d->cap = n ? n : 1;
	d->v = xcalloc(d->cap, sizeof *d->v);
	for (unsigned i = 0; i < d->n; i++)
		d->v[i] = (struct entry){ .it = items[i] };
	return true;
}

static unsigned unknowns(const struct drive *d)
{
	unsigned n = 0;
	for (unsigned i = 0; i < d->n; i++)
		n += d->v[i].it.state == ITEM_UNKNOWN;
	return n;
}

/* Has the run anything left to do? What is not asked for again stays as it ended. */
static bool goes_on(const struct drive *d)
{
	const struct replay_request *rq = &d->t->rq.replay;
	return run_unfinished(d->run.state) ||
	       (d->run.state == RUN_DONE && rq->unknown_said && rq->unknown == UNKNOWN_RESEND && unknowns(d));
}

static bool begin_resume(struct drive *d, struct err *e)
{
	const struct replay_request *rq = &d->t->rq.replay;
	d->resumed = true;
	if (!load(d, e) || !resume_names(d, e))
		return false;
	d->patience_ms = d->run.hidden_until_ms;
	if (d->run.state == RUN_HANDED)
		return err_set(e, ERR_GATE, "replay", "run %s was %s; `replay adopt` of that file takes it back", d->run.id,
		               d->run.reason ? d->run.reason : "handed over");
	if (!goes_on(d)) {
		d->phase = PHASE_OVER;
		return true;
	}
	d->run.unknown = rq->unknown_said ? rq->unknown : d->run.unknown;
	d->run.rate = rq->rate > 0 ? rq->rate : d->run.rate;
	d->r->queue_arn = d->run.source_arn;
	return true;
}

static bool may_read(struct drive *d)
{
	return !d->src->may_read || d->src->may_read(d);
}

static void note_denied(struct drive *d, const struct err *why)
{
	struct err e;
	if (d->g->o.state_path && (d->audit = audit_open(d->g->o.state_path, true, &e)))
		drive_note(d, "replay", d->t->rq.replay.source, "denied", why->text);
}

/* Before its source has been looked at: may this process do such a thing at all? */
static struct gate_act first_act(const struct drive *d)
{
	return d->plan ? (struct gate_act){ MODE_INSPECT, &op_receive_message, "replay", false, 0 }
	               : (struct gate_act){ MODE_OPERATE, run_op(d), "replay", false, 0 };
}

static bool begin(struct engine *g, struct task *t)
{
	struct drive *d = drive_new(g, t);
	struct err *e = &t->result->err;
	bool resume = t->rq.kind == REQUEST_REPLAY_RESUME || (t->rq.kind == REQUEST_REPLAY_START && t->rq.replay.run);
	struct gate_act act = first_act(d);
	audited_who(g, t->rq.consent.mode, &d->who);
	if (!resume && !prepare_names(d, e))
		return false;
	if (!gate_may(g->o.target, &t->rq.consent, &act, e)) {
		note_denied(d, e);
		return false;
	}
	if (!open_logs(d, e) || (resume && !begin_resume(d, e)) || !may_read(d))
		return false;
	if (d->phase != PHASE_OVER && !engine_connect(g)) {
		*e = g->account_err;
		return false;
	}
	return true;
}

/* ---- the freeze */

static bool new_run(struct drive *d)
{
	const struct consent *c = &d->t->rq.consent;
	uint8_t noise[10];
	struct err e = { 0 };
	if (!hash_random(noise, sizeof noise))
		memcpy(noise, d->run.source_arn, sizeof noise);
	run_id_make(now_ms(), noise, d->run.id);
	d->run.state = RUN_FREEZING;
	d->run.by = arena_strdup(d->mem, d->who.user);
	d->run.host = arena_strdup(d->mem, d->who.host);
	d->run.created_ms = now_ms();
	d->run.confirmed = c->count_said;
	d->run.expected = c->count_said ? c->count : 0;
	if (!ledger_run_add(d->ledger, &d->run, &e)) {
		d->run.id[0] = '\0';
		drive_fail(d, &e);
		return false;
	}
	if (d->t->rq.replay.begun)
		d->t->rq.replay.begun(d->t->rq.replay.ctx, d->run.id);
	return true;
}

bool give_back(struct drive *d, bool all)
{
	return (d->src->give_back ? d->src->give_back : drive_let_go)(d, all);
}

static void prepare_phase(struct drive *d)
{
	struct err e = { 0 };
	if (!d->watch && (!prepare_step(d) || d->phase != PHASE_PREPARE))
		return;
	if (!watch_prepare(d))
		return;
	if (!drive_lock(d, &e) || !guard_begin(d, &e))
		drive_fail(d, &e);
	else
		d->phase = PHASE_GUARD;
}

/* Nobody else replays this source, or it ends here. */
static void guard_phase(struct drive *d)
{
	struct err e = { 0 };
	if (!guard_take(d) || d->phase != PHASE_GUARD)
		return;
	if (d->src->leases && !ledger_peeked(d->ledger, d->run.source_arn, now_ms(), &d->r->sweeps, &e)) {
		drive_fail(d, &e);
		return;
	}
	pace_init(&d->pace, d->run.rate);
	if (d->resumed) {
		if (d->t->rq.replay.begun)
			d->t->rq.replay.begun(d->t->rq.replay.ctx, d->run.id);
		ledger_want(d->ledger, d->run.id, NULL, &e);
		d->phase = PHASE_RECOVER;
		return;
	}
	if (!d->plan && !new_run(d))
		return;
	d->phase = PHASE_FREEZE;
	d->src->begin(d);
}

static void freeze_phase(struct drive *d)
{
	int64_t wake = 0;
	keep_held(d, &wake);
	if (!d->src->step(d) || d->phase != PHASE_FREEZE)
		return;
	if (d->ending) {
		d->phase = d->asking && !d->answered ? PHASE_FREEZE : PHASE_CLOSE;
		return;
	}
	if (!give_back(d, false) || (d->src->frozen && !d->src->frozen(d)))
		return;
	if (d->sweep.damaged)
		drive_warn(d, "%u messages came damaged (their MD5 does not fit) and were left where they are",
		           d->sweep.damaged);
	past_settle(d);
	d->phase = d->plan ? PHASE_CLOSE : PHASE_CONFIRM;
}

/* ---- the confirmation */

static void refuse(struct drive *d)
{
	drive_note(d, "replay", d->run.source_arn, "denied", d->t->result->err.text);
	drive_end(d, RUN_REFUSED, "%s", d->t->result->err.text);
	d->phase = PHASE_CLOSE;
}

/* What was frozen waits for a person: it is given back meanwhile. */
static void await_person(struct drive *d)
{
	d->run.state = RUN_FROZEN;
	drive_save(d);
	drive_end(d, RUN_FROZEN, "waits for %u to be confirmed", drive_count(d));
	d->phase = PHASE_CLOSE;
}

static void start_work(struct drive *d)
{
	d->run.state = RUN_RUNNING;
	d->run.reason = NULL;
	d->run.confirmed = true;
	d->run.expected = drive_count(d);
	d->run.started_ms = d->run.started_ms ? d->run.started_ms : now_ms();
	d->run.ended_ms = 0;
	if (!drive_save(d)) {
		d->phase = PHASE_CLOSE;
		return;
	}
	drive_note(d, "replay", d->run.source_arn, "announced", d->resumed ? "resumed" : "confirmed and started");
	for (unsigned i = 0; i < d->n; i++)
		if (d->v[i].msg && d->v[i].it.state == ITEM_SELECTED)
			drive_shift(d, &d->v[i], MOVE_LEASE, NULL);
	drive_commit(d);
	d->phase = PHASE_WORK;
}

static char *question(const struct drive *d)
{
	static const char function[] = ":function:"; /* behind it stand the name and the alias */
	const char *aliased = strstr(d->run.dest, function);
	const char *name = aliased ? aliased + sizeof function - 2 : strrchr(d->run.dest, ':');
	const char *to = *d->run.dest ? d->run.dest : "that each of them names";
	to = name ? name + 1 : to;
	unsigned n = drive_count(d);
	if (d->run.mode == REPLAY_MOVE)
		return xasprintf("let SQS move about %u message%s of %s back to %s, step by step to %g a second", n,
		                 n == 1 ? "" : "s", d->run.source, name ? name + 1 : "where each came from", d->run.rate);
	return xasprintf("replay %u message%s of %s %s %s at most %g a second", n, n == 1 ? "" : "s", d->run.source,
	                 d->run.mode == REPLAY_INVOKE ? "through function" : "back into queue", to, d->run.rate);
}

static void confirm_phase(struct drive *d)
{
	struct consent c = d->t->rq.consent;
	struct replay_item *items = xcalloc(d->n ? d->n : 1, sizeof *items);
	for (unsigned i = 0; i < d->n; i++)
		items[i] = d->v[i].it;
	manifest_hash(items, d->n, d->run.manifest);
	free(items);
	if (d->run.confirmed) { /* as it was said, or as it is in the ledger */
		c.count_said = true;
		c.count = d->run.expected;
	}
	if (drive_count(d) == 0 && !c.count_said)
		c = (struct consent){ .mode = c.mode, .count_said = true };
	struct err lost;
	if (watch_refuses(d, &lost)) {
		drive_fail(d, &lost);
		return;
	}
	char *what = question(d);
	bool open = may_send(d, d->t->result, &c, what);
	free(what);
	if (open)
		start_work(d);
	else if (d->t->result->ask == GATE_ASK_COUNT)
		await_person(d);
	else
		refuse(d);
}

/* ---- going on */

static void refreeze(struct drive *d)
{
	struct err e = { 0 };
	if (!ledger_items_drop(d->ledger, d->run.id, &e)) {
		drive_fail(d, &e);
		return;
	}
	d->n = d->nindex = d->first = 0;
	d->run.state = RUN_FREEZING;
	d->phase = PHASE_FREEZE;
	d->src->begin(d);
}

static void recover_phase(struct drive *d)
{
	if (!recover_step(d))
		return;
	if (d->ending)
		d->phase = PHASE_CLOSE;
	else if (d->run.state == RUN_FREEZING || !d->run.manifest[0])
		refreeze(d); /* also where it was paused before it was whole */
	else
		d->phase = PHASE_CONFIRM;
}

/* ---- the end */

static bool all_ended(const struct drive *d)
{
	for (unsigned i = 0; i < d->n; i++)
		if (!item_ended(d->v[i].it.state))
			return false;
	return true;
}

static void skip_rest(struct drive *d)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->v[i].it.state == ITEM_SELECTED)
			drive_shift(d, &d->v[i], MOVE_SKIP, "the run was stopped");
	drive_commit(d);
}

static bool closing(struct drive *d)
{
	return d->sweep.flying || watch_flying(d) || (d->beat.on && !d->beat.answered) || !give_back(d, true);
}

/* What SQS moved by itself is never verified: DONE~ is the most it can be. What was not whole when it ended is never done, however little
 * of it there is. */
static enum run_state end_state(const struct drive *d)
{
	enum run_state s = d->ending ? d->ends_as : RUN_DONE;
	if (d->run.mode == REPLAY_MOVE)
		return s == RUN_DONE ? RUN_ROUGH : s;
	bool frozen = d->run.manifest[0] != '\0', over = all_ended(d);
	if (s == RUN_DONE && !over)
		return RUN_PAUSED;
	return s == RUN_PAUSED && frozen && !d->broken && over ? RUN_DONE : s;
}

static void close_phase(struct drive *d)
{
	if (closing(d) || !guard_leave(d, &d->t->wake_ms))
		return;
	d->phase = PHASE_OVER;
	if (!d->run.id[0])
		return;
	d->run.hidden_until_ms = d->patience_ms; /* every receive of this life has its answer, but for these */
	if (d->ending && d->ends_as == RUN_STOPPED)
		skip_rest(d);
	d->run.state = end_state(d);
	if (!run_unfinished(d->run.state))
		d->run.ended_ms = now_ms();
	if (d->run.state == RUN_DONE || d->run.state == RUN_ROUGH)
		d->run.reason = NULL;
	drive_save(d);
	drive_note(d, "replay", d->run.source_arn, "success", run_state_name(d->run.state));
}

static void work_phase(struct drive *d)
{
	(d->src->work ? d->src->work : work_step)(d);
}

static void (*const phases[])(struct drive *) = {
	[PHASE_PREPARE] = prepare_phase, [PHASE_GUARD] = guard_phase,     [PHASE_FREEZE] = freeze_phase,
	[PHASE_CONFIRM] = confirm_phase, [PHASE_RECOVER] = recover_phase, [PHASE_WORK] = work_phase,
	[PHASE_CLOSE] = close_phase,
};

static void finish(struct drive *d)
{
	tell_items(d);
	drive_unlock(d);
	d->t->done = true;
}

void replay_step(struct engine *g, struct task *t)
{
	if (!t->work && !begin(g, t)) {
		t->done = true;
		return;
	}
	struct drive *d = t->work;
	if (t->ending)
		drive_end(d, RUN_PAUSED, "ended by a signal, or by -t");
	if (g->closing && d->phase != PHASE_OVER) { /* hard: what is in the ledger is what a resume goes by */
		hear_flights(d);
		drive_commit(d);
		finish(d);
		return;
	}
	int64_t renewal = 0;
	guard_turn(d, &renewal);
	for (enum phase_of was = PHASE_OVER; d->phase != PHASE_OVER && d->phase != was;) {
		was = d->phase;
		t->wake_ms = 0;
		phases[was](d);
	}
	if (renewal)
		t->wake_ms = wake_sooner(t->wake_ms, renewal);
	if (d->phase == PHASE_OVER)
		finish(d);
}

void replay_abandon(struct task *t)
{
	struct drive *d = t->work;
	if (!d)
		return;
	for (unsigned i = 0; i < d->n; i++)
		drop_message(&d->v[i]);
	for (unsigned i = 0; i < FLIGHTS; i++) {
		buf_clear(&d->flights[i].payload);
		buf_clear(&d->flights[i].out.body);
	}
	d->sweep.flying = false;
	sweep_clear(d);
	watch_free(d);
	if (d->src && d->src->clear)
		d->src->clear(d);
	guard_clear(d);
	drive_unlock(d);
	peeks_free(d);
	ledger_close(d->ledger);
	audit_close(d->audit);
	found_clear(&d->found);
	found_clear(&d->sources);
	arena_clear(&d->mappings.mem);
	free(d->mappings.v);
	free(d->queue_name);
	free(d->to_name);
	free(d->index);
	free(d->changes);
	free(d->v);
	free(d);
	t->work = NULL;
}
