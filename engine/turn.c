/* The engine's turn: requests, timers, network, rounds, snapshots, answers; and engine_call, which turns it on the caller's
 * thread until one result is there. */
#include "core/log.h"
#include "engine/inside.h"

#include <unistd.h>

#define DISCOVERY_MS (5 * 60 * 1000)
#define PATIENCE_MS 2000
#define REFRESH_LEAST_MS 5000
#define CALL_WAIT_MS 1000 /* after so long an interrupt is seen that came just before the wait */

static void signal_faces(struct engine *g)
{
	uint64_t one = 1;
	if (write(g->event_fd, &one, sizeof one) < 0)
		log_debug(LOG_ENGINE, "event pending already");
}

void engine_collect(struct engine *g)
{
	for (struct snapshot *s = atomic_exchange(&g->returned, NULL), *next; s; s = next) {
		next = s->next;
		snapshot_free(s);
	}
}

void engine_publish(struct engine *g, bool now)
{
	int64_t ms = clock_mono_ms();
	if (!g->threaded || !g->dirty || (!now && ms - g->published_ms < g->publish_every_ms))
		return;
	/* One slow service must not hide what the others said. */
	if (g->round.active && ms - g->round.begun_ms > PATIENCE_MS && ms - g->judged_ms > PATIENCE_MS) {
		g->judged_ms = ms;
		g->live = true;
		judge_all(g);
	}
	g->dirty = false;
	g->published_ms = ms;
	engine_collect(g);
	snapshot_free(latest_put(&g->snapshot, snap_build(g)));
	/* A large account's snapshot costs more: it may take a tenth of the time, no more. */
	int64_t cost = 10 * (clock_mono_ms() - ms);
	g->publish_every_ms = cost > PUBLISH_MS ? cost : PUBLISH_MS;
	signal_faces(g);
}

static void take_requests(struct engine *g)
{
	for (struct task *t; (t = ring_take(&g->asked));) {
		t->next = g->tasks;
		g->tasks = t;
	}
}

/* An answer that finds the ring full stays a task and is offered again next turn. */
static bool deliver(struct engine *g, struct task *t)
{
	if (!t->asked || !ring_put(&g->answered, t->result))
		return false;
	t->result = NULL;
	signal_faces(g);
	return true;
}

static void run_tasks(struct engine *g)
{
	for (struct task **at = &g->tasks; *at;) {
		struct task *t = *at;
		task_run(g, t);
		if (t->done && deliver(g, t)) {
			*at = t->next;
			task_free(t);
			continue;
		}
		at = &t->next;
	}
}

void engine_work(struct engine *g)
{
	take_requests(g);
	run_tasks(g);
}

/* Keys that have come back: whatever failed for want of them is asked again at once. */
static void notice_keys(struct engine *g, int64_t now)
{
	struct sign_keys keys;
	uint64_t generation;
	enum cred_state state = cred_keys(g->cred, &keys, &generation, NULL);
	if (state == CRED_READY && g->cred_lacked) {
		g->next_poll_ms = g->next_discovery_ms = now;
		g->cred_lacked = false;
		g->dirty = true;
	} else if (state != CRED_READY && state != CRED_FETCHING) {
		g->dirty = g->dirty || !g->cred_lacked;
		g->cred_lacked = true;
	}
}

/* A row that was selected just now is asked for by itself, when it is not fresh. */
static void notice_selection(struct engine *g, int64_t now)
{
	if (!turns_focus(g, now, &g->focus_wait_ms) || (g->wanted & NEED_METRICS))
		return;
	g->wanted |= NEED_METRICS | NEED_DIRECT;
	g->turns = TURNS_FOCUS;
}

/* The console's timers: a poll each minute, discovery every five. */
static void timers(struct engine *g)
{
	int64_t now = clock_mono_ms();
	notice_keys(g, now);
	bool refresh =
	    atomic_exchange(&g->refresh, false) && now - g->round.begun_ms > REFRESH_LEAST_MS; /* each poll is billed */
	if (!g->threaded)
		return;
	if (atomic_exchange(&g->awake, false)) /* what had become old while nobody was there is asked at once */
		g->next_poll_ms = now;
	if (!refresh && now < g->next_poll_ms) {
		notice_selection(g, now);
		return;
	}
	g->focus_wait_ms = INT64_MAX;
	g->wanted |= NEED_ALARMS | NEED_METRICS | NEED_DIRECT;
	g->turns = refresh ? TURNS_ALL : g->turns == TURNS_ALL ? TURNS_ALL : TURNS_DUE;
	g->next_poll_ms = now + (int64_t)g->o.poll_s * 1000;
	if (now >= g->next_discovery_ms || !g->live) {
		g->wanted |= NEED_ALL | NEED_CHANGES;
		g->next_discovery_ms = now + sched_jitter(&g->jitter, DISCOVERY_MS);
	}
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The console has things of its own to be in time for: the next poll, a snapshot that waits, a first look after some patience. */
static int64_t console_wait(struct engine *g, int64_t most)
{
	if (!g->round.active)
		most = least(least(most, g->focus_wait_ms), g->next_poll_ms - clock_mono_ms());
	if (g->dirty)
		most = least(most, g->publish_every_ms);
	if (!g->live && g->round.active && most > PATIENCE_MS) {
		most = PATIENCE_MS;
		g->dirty = true; /* so that the turn after it shows what is there */
	}
	return most;
}

/* The tick has just brought what calls have failed for want of. */
static bool keys_are_back(const struct engine *g)
{
	struct sign_keys keys;
	uint64_t generation;
	return g->threaded && g->cred_lacked && cred_keys(g->cred, &keys, &generation, NULL) == CRED_READY;
}

/* Milliseconds until the first task wants to be run again. */
static int64_t tasks_wait(const struct engine *g)
{
	int64_t wait = WAIT_MOST_MS;
	for (const struct task *t = g->tasks; t; t = t->next)
		if (!t->done && t->wake_ms)
			wait = least(wait, t->wake_ms - clock_mono_ms());
		else if (t->done && !g->threaded) /* the command has what it asked for */
			return 0;
	return wait;
}

static int wait_ms(struct engine *g, int most)
{
	int tick = g->aws ? aws_tick(g->aws) : -1;
	if (keys_are_back(g))
		return 0;
	if (g->round.active && g->round.pending == 0)
		return 0;
	int64_t wait = least(tick >= 0 ? least(tick, most) : most, tasks_wait(g));
	if (g->threaded)
		wait = console_wait(g, wait);
	return wait < 0 ? 0 : (int)wait;
}

static void begin_round(struct engine *g)
{
	unsigned needs = g->first == FIRST_OVER ? g->wanted : g->wanted & ~(unsigned)NEED_POLL;
	if (!needs || g->round.active)
		return;
	enum round_turns turns = g->turns;
	g->wanted = 0;
	g->turns = TURNS_DUE;
	if (engine_connect(g)) {
		round_begin(g, needs, g->lookback, turns);
		return;
	}
	for (struct task *t = g->tasks; t; t = t->next) /* nothing can be asked: they end with account_err */
		t->waits_for = 0;
}

void engine_turn(struct engine *g, int most_ms)
{
	timers(g);
	engine_work(g);
	begin_round(g);
	round_step(g);
	if (g->http)
		http_turn(g->http, wait_ms(g, most_ms));
	round_step(g);
	run_tasks(g);
	engine_publish(g, false);
}

/* ---- commands: the caller's thread is the engine's */

static void end_calls(struct engine *g)
{
	if (g->aws)
		engine_disconnect(g);
	round_step(g);
	for (struct task *t = g->tasks; t; t = t->next)
		t->waits_for = 0;
}

#define PLAN_DEADLINE_S (10 * 60)      /* the tags of a thousand alarms take two minutes */
#define REPLAY_DEADLINE_S (30 * 86400) /* a replay takes what it takes, an apply too */

static unsigned deadline_of(const struct engine *g, const struct request *rq)
{
	if (rq->kind == REQUEST_CHECK && rq->check.deadline_s)
		return rq->check.deadline_s;
	bool replay = rq->kind >= REQUEST_REPLAY_PLAN && rq->kind <= REQUEST_REPLAY_RESUME;
	if (g->o.deadline_s)
		return g->o.deadline_s;
	if (rq->kind == REQUEST_ALARM_PLAN || rq->kind == REQUEST_ALARM_EXPORT)
		return PLAN_DEADLINE_S;
	return replay || rq->kind == REQUEST_ALARM_APPLY ? REPLAY_DEADLINE_S : 60;
}

void engine_interrupt(struct engine *g)
{
	atomic_store(&g->stop, true);
}

/* Opening the history costs: what neither shows nor keeps it does without. */
static bool reads_history(const struct request *rq)
{
	enum request_kind kind = rq->kind;
	return (kind == REQUEST_ALARM && rq->alarm.backtest_from) || kind == REQUEST_STATUS || kind == REQUEST_HISTORY ||
	       kind == REQUEST_DOCTOR || kind == REQUEST_NOTE || kind == REQUEST_PAST || kind == REQUEST_EVENTS;
}

struct result *engine_call(struct engine *g, const struct request *rq)
{
	struct task *t = task_new(rq, ++g->next_id);
	int64_t deadline = clock_mono_ms() + (int64_t)deadline_of(g, rq) * 1000;
	cred_deadline(g->cred, deadline);
	engine_reopen(g);
	engine_prepare(g, reads_history(rq), (rq->kind == REQUEST_HISTORY && rq->history.offline));
	g->tasks = t;
	while (!t->done) {
		int64_t left = deadline - clock_mono_ms();
		if (left <= 0 || atomic_load(&g->stop)) {
			if (!task_drains(t))
				break;
			t->ending = true; /* in its own time: what is in flight is waited for */
			left = CALL_WAIT_MS;
		}
		engine_turn(g, left < CALL_WAIT_MS ? (int)left : CALL_WAIT_MS);
	}
	bool late = !t->done;
	if (late) { /* what was asked ends as cancelled, what is known is told */
		end_calls(g);
		run_tasks(g);
	}
	struct result *r = t->result;
	if (late && !task_tells_itself(t) && r->err.code == ERR_OK)
		err_set(&r->err, ERR_TIMEOUT, "AWS", "no complete answer within %u s (-t)", deadline_of(g, rq));
	t->result = NULL;
	g->tasks = NULL;
	task_free(t);
	return r;
}
