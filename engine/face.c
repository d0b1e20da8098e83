/* The console's side: the engine's thread, and what the faces' thread hands over and takes. */
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"
#include "engine/inside.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICE 10

/* No credentials, no region, no trust store: the history can still be looked at, and the screen says why there is no more. */
static void without_aws(struct engine *g)
{
	if (!g->live) {
		g->live = true;
		judge_all(g);
		g->dirty = true;
	}
	engine_work(g);
	engine_publish(g, true);
	usleep(5 * PUBLISH_MS * 1000);
}

#define DRAIN_MS 60000

static bool drains(struct engine *g)
{
	bool any = false;
	for (struct task *t = g->tasks; t; t = t->next)
		if (!t->done && task_drains(t))
			any = t->ending = true;
	return any;
}

/* A replay ends in its own time: what it has sent is waited for, what it holds is given back, and it stays PAUSED. One that is not there
 * by then is what a resume is for. */
static void drain(struct engine *g)
{
	int64_t until = clock_mono_ms() + DRAIN_MS;
	while (g->aws && drains(g) && clock_mono_ms() < until)
		engine_turn(g, WAIT_MOST_MS);
}

static void *engine_main(void *arg)
{
	struct engine *g = arg;
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE); /* Linux: of this thread alone */
	engine_prepare(g, true, false);
	first_begin(g);
	g->dirty = true;
	engine_publish(g, true); /* the first frame: the history, before any network */
	while (!atomic_load(&g->stop)) {
		if (!engine_connect(g)) {
			without_aws(g);
			continue;
		}
		engine_turn(g, WAIT_MOST_MS);
	}
	drain(g);
	return NULL;
}

bool engine_start(struct engine *g, struct err *e)
{
	g->threaded = true;
	atomic_store(&g->key_ms, clock_mono_ms());
	int failed = thread_start(&g->thread, engine_main, g);
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

void engine_give_back(struct engine *g, struct snapshot *s)
{
	if (!g || !s) {
		snapshot_free(s);
		return;
	}
	s->next = atomic_load(&g->returned);
	while (!atomic_compare_exchange_weak(&g->returned, &s->next, s))
		;
}

bool engine_refresh(struct engine *g)
{
	bool waiting = atomic_exchange(&g->refresh, true);
	engine_wake(g);
	return !waiting;
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
	engine_wake(g);
	return id;
}

struct result *engine_answer(struct engine *g)
{
	struct result *r = ring_take(&g->answered);
	if (r) /* there is room again: one that found the ring full is offered now */
		engine_wake(g);
	return r;
}
