/* The engine's life and its turn: requests in, timers, network, rounds, snapshots and answers out. */
#include "engine/engine.h"

#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/inside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POLL_DEFAULT 60
#define DISCOVERY_MS (5 * 60 * 1000)
#define PUBLISH_MS 100
#define PATIENCE_MS 2000
#define NICE 10
#define WAIT_MOST_MS 30000

/* ---- birth and death */

bool engine_global_init(struct err *e)
{
	if (!hash_init())
		return err_set(e, ERR_INTERNAL, "OpenSSL", "its digests are not available");
	return http_global_init(e);
}

static void load_account(struct engine *g, const struct engine_options *o)
{
	if (o->demo) {
		g->account = account_static("eu-west-1", o->demo_endpoint, o->demo_access_key, o->demo_secret_key, "--demo");
	} else {
		const struct conf_target *t = o->target;
		struct account_in in = { o->profile, o->region, o->endpoint_url, "--profile", "--region", "--endpoint-url" };
		if (t && !in.profile && t->profile)
			in.profile = t->profile, in.profile_from = "configuration";
		if (t && !in.region && t->region)
			in.region = t->region, in.region_from = "configuration";
		if (t && !in.endpoint_url && t->endpoint_url)
			in.endpoint_url = t->endpoint_url, in.endpoint_from = "configuration";
		g->account = account_load(&in, &g->account_err);
	}
	const struct account *a = g->account;
	snprintf(g->target.partition, sizeof g->target.partition, "%s", a->partition);
	snprintf(g->target.region, sizeof g->target.region, "%s", a->region.value ? a->region.value : "");
	snprintf(g->target.profile, sizeof g->target.profile, "%s", a->profile.value ? a->profile.value : "");
	snprintf(g->target.endpoint, sizeof g->target.endpoint, "%s", a->endpoint_url.value ? a->endpoint_url.value : "");
}

/* "FILE:LINE", the end of a long path rather than its beginning. */
static void line_of(const struct conf *c, unsigned line, char *out, size_t size)
{
	char number[16];
	const char *path = c->path ? c->path : "configuration";
	int n = snprintf(number, sizeof number, ":%u", line);
	size_t room = size - 1 - (size_t)n, len = strlen(path);
	snprintf(out, size, "%s%s", len > room ? path + len - room : path, number);
}

static bool kinds_known(const struct conf *c, struct err *e)
{
	char where[sizeof e->where];
	for (unsigned i = 0; i < c->nstages; i++) {
		if (kind_find(c->stages[i].kind))
			continue;
		line_of(c, c->stages[i].line, where, sizeof where);
		return err_set(e, ERR_CONF, where, "resource: this version knows no kind \"%.40s\"", c->stages[i].kind);
	}
	return true;
}

/* The options are borrowed only while engine_new runs. */
static void own_options(struct engine *g, const struct engine_options *o)
{
	arena_init(&g->strings);
	g->o = *o;
	g->o.profile = arena_strdup(&g->strings, o->profile);
	g->o.region = arena_strdup(&g->strings, o->region);
	g->o.endpoint_url = arena_strdup(&g->strings, o->endpoint_url);
	g->o.cache_path = arena_strdup(&g->strings, o->cache_path);
	g->o.demo_endpoint = arena_strdup(&g->strings, o->demo_endpoint);
	g->o.demo_access_key = g->o.demo_secret_key = NULL;
	g->o.poll_s = o->poll_s ? o->poll_s : POLL_DEFAULT;
}

struct engine *engine_new(const struct engine_options *o, struct err *e)
{
	if (!kinds_known(o->conf, e))
		return NULL;
	struct engine *g = xcalloc(1, sizeof *g);
	own_options(g, o);
	g->conf = o->conf;
	g->lookback = LOOKBACK;
	g->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	latest_init(&g->snapshot);
	ring_init(&g->asked);
	ring_init(&g->answered);
	load_account(g, o);
	return g;
}

/* What a first frame needs; a check does without the history, whose opening it would pay for. */
static void prepare(struct engine *g, bool history)
{
	if (g->prepared)
		return;
	g->prepared = true;
	if (history)
		store_open(g);
	if (history && g->cache)
		store_recall_account(g);
	inventory_init(g);
	if (g->cache)
		store_load(g);
}

/* Trust store, TLS and connections: only when something is to be asked. */
bool engine_connect(struct engine *g)
{
	if (g->aws || g->closing || g->account_err.code != ERR_OK)
		return g->aws != NULL;
	g->http = http_new(g->account->ca_bundle.value, &g->account_err);
	if (!g->http)
		return false;
	atomic_store(&g->wakeable, g->http);
	g->aws = aws_new(g->http, g->account);
	return true;
}

static void disconnect_aws(struct engine *g)
{
	g->closing = true;
	aws_free(g->aws);
	g->aws = NULL;
	discover_relate(g);
}

static void wake(struct engine *g)
{
	struct http *h = atomic_load(&g->wakeable);
	if (h)
		http_wakeup(h);
}

void engine_free(struct engine *g)
{
	if (!g)
		return;
	if (g->threaded) {
		atomic_store(&g->stop, true);
		wake(g);
		pthread_join(g->thread, NULL);
	}
	if (g->aws)
		disconnect_aws(g);
	http_free(g->http);
	for (struct task *t = g->tasks, *next; t; t = next) {
		next = t->next;
		task_free(t);
	}
	for (struct task *t; (t = ring_take(&g->asked));)
		task_free(t);
	for (struct result *r; (r = ring_take(&g->answered));)
		result_free(r);
	snapshot_free(latest_take(&g->snapshot));
	store_close(g);
	poll_free(g);
	free(g->extra);
	describe_alarms_out_clear(&g->alarms);
	inventory_free(g);
	account_free(g->account);
	arena_clear(&g->strings);
	close(g->event_fd);
	free(g);
}

/* ---- the turn */

static void signal_faces(struct engine *g)
{
	uint64_t one = 1;
	if (write(g->event_fd, &one, sizeof one) < 0)
		log_debug(LOG_ENGINE, "event pending already");
}

static void publish(struct engine *g, bool now)
{
	int64_t ms = clock_mono_ms();
	if (!g->threaded || !g->dirty || (!now && ms - g->published_ms < PUBLISH_MS))
		return;
	if (g->round.active &&
	    ms - g->round.begun_ms > PATIENCE_MS) { /* one slow service must not hide what the others said */
		g->live = true;
		judge_all(g);
	}
	g->dirty = false;
	g->published_ms = ms;
	snapshot_free(latest_put(&g->snapshot, snap_build(g)));
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

/* The console's timers: a poll each minute, discovery every five. */
static void timers(struct engine *g)
{
	int64_t now = clock_mono_ms();
	bool refresh = atomic_exchange(&g->refresh, false);
	if (!refresh && now < g->next_poll_ms)
		return;
	g->wanted |= NEED_ALARMS | NEED_METRICS | NEED_DIRECT;
	g->next_poll_ms = now + (int64_t)g->o.poll_s * 1000;
	if (now >= g->next_discovery_ms || !g->live) {
		g->wanted |= NEED_ALL;
		g->next_discovery_ms = now + DISCOVERY_MS;
	}
}

static int wait_ms(struct engine *g, int most)
{
	int tick = g->aws ? aws_tick(g->aws) : -1;
	int64_t wait = tick >= 0 && tick < most ? tick : most;
	if (g->threaded && !g->round.active && g->next_poll_ms - clock_mono_ms() < wait)
		wait = g->next_poll_ms - clock_mono_ms();
	if (g->threaded && g->dirty && wait > PUBLISH_MS)
		wait = PUBLISH_MS;
	if (g->threaded && !g->live && g->round.active && wait > PATIENCE_MS) {
		wait = PATIENCE_MS;
		g->dirty = true; /* so that the turn after it shows what is there */
	}
	return wait < 0 ? 0 : (int)wait;
}

static void begin_round(struct engine *g)
{
	unsigned needs = g->wanted;
	if (!needs || g->round.active)
		return;
	g->wanted = 0;
	if (engine_connect(g)) {
		round_begin(g, needs, g->lookback);
		return;
	}
	for (struct task *t = g->tasks; t; t = t->next) /* nothing can be asked: they end with account_err */
		t->waits_for = 0;
}

static void engine_turn(struct engine *g, int most_ms)
{
	take_requests(g);
	run_tasks(g);
	begin_round(g);
	round_step(g);
	if (g->http)
		http_turn(g->http, wait_ms(g, most_ms));
	round_step(g);
	run_tasks(g);
	publish(g, false);
}

/* ---- commands: the caller's thread is the engine's */

static void end_calls(struct engine *g)
{
	if (g->aws)
		disconnect_aws(g);
	round_step(g);
	for (struct task *t = g->tasks; t; t = t->next)
		t->waits_for = 0;
}

struct result *engine_call(struct engine *g, const struct request *rq)
{
	struct task *t = task_new(rq, ++g->next_id);
	int64_t deadline = clock_mono_ms() + (int64_t)(g->o.deadline_s ? g->o.deadline_s : 60) * 1000;
	prepare(g, rq->kind != REQUEST_CHECK);
	g->tasks = t;
	while (!t->done) {
		int64_t left = deadline - clock_mono_ms();
		if (left <= 0)
			break;
		engine_turn(g, left < WAIT_MOST_MS ? (int)left : WAIT_MOST_MS);
	}
	if (!t->done) { /* too late: what was asked ends as cancelled, what is known is told */
		end_calls(g);
		run_tasks(g);
	}
	struct result *r = t->result;
	if (!t->done && r->err.code == ERR_OK)
		err_set(&r->err, ERR_TIMEOUT, "sluice", "no complete answer in time");
	t->result = NULL;
	g->tasks = NULL;
	task_free(t);
	return r;
}

/* ---- the console: a thread of its own */

/* No credentials, no region, no trust store: the history can still be looked at, and the screen says why there is no more. */
static void without_aws(struct engine *g)
{
	if (!g->live) {
		g->live = true;
		judge_all(g);
		g->dirty = true;
	}
	take_requests(g);
	run_tasks(g);
	publish(g, true);
	usleep(5 * PUBLISH_MS * 1000);
}

static void *engine_main(void *arg)
{
	struct engine *g = arg;
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE); /* Linux: of this thread alone */
	prepare(g, true);
	g->dirty = true;
	publish(g, true); /* the first frame: the history, before any network */
	while (!atomic_load(&g->stop)) {
		if (!engine_connect(g)) {
			without_aws(g);
			continue;
		}
		timers(g);
		engine_turn(g, WAIT_MOST_MS);
	}
	return NULL;
}

bool engine_start(struct engine *g, struct err *e)
{
	sigset_t all, old;
	sigfillset(&all);
	g->threaded = true;
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int failed = pthread_create(&g->thread, NULL, engine_main, g);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!failed)
		return true;
	g->threaded = false;
	return err_set(e, ERR_INTERNAL, "engine", "no thread: %s", strerror(failed));
}

int engine_fd(const struct engine *g)
{
	return g->event_fd;
}

struct snapshot *engine_take(struct engine *g)
{
	uint64_t count;
	if (read(g->event_fd, &count, sizeof count) < 0)
		return latest_take(&g->snapshot); /* nothing was signalled; a value may still wait */
	return latest_take(&g->snapshot);
}

bool engine_refresh(struct engine *g)
{
	atomic_store(&g->refresh, true);
	wake(g);
	return true;
}

uint64_t engine_ask(struct engine *g, const struct request *rq)
{
	struct task *t = task_new(rq, ++g->next_id);
	uint64_t id = t->result->id;
	t->asked = true;
	if (!ring_put(&g->asked, t)) {
		task_free(t);
		return 0;
	}
	wake(g);
	return id;
}

struct result *engine_answer(struct engine *g)
{
	return ring_take(&g->answered);
}
