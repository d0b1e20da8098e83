/* The engine's birth and death: what it was told, the account it works for, the history, the connection. */
#include "aws/cred/region.h"
#include "aws/sign.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/alarm_requests.h"
#include "engine/changes.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POLL_DEFAULT 60

/* Each poll frees a snapshot and makes another: that memory is to serve again. By default glibc gives large pieces back at once, and
 * every page of the next ones has to be asked for and cleared anew (a tenth of a poll's time was spent so). */
static void keep_freed_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
#endif
}

bool engine_global_init(struct err *e)
{
	keep_freed_memory();
	if (!hash_init())
		return err_set(e, ERR_INTERNAL, "OpenSSL", "its digests are not available");
	return http_global_init(e);
}

/* "http://host:1" for all services, or "SQS=http://host:1,CLOUDWATCH=..." where only some go elsewhere: the screen shows it, and
 * histories of different endpoints are kept apart. */
static void name_endpoint(const struct account *a, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", a->endpoint_url.value ? a->endpoint_url.value : "");
	for (unsigned i = 0; i < a->nservice_endpoints && n < size; i++)
		if (a->service_endpoints[i].url.value)
			n += (size_t)snprintf(out + n, size - n, "%s%s=%s", n ? "," : "", a->service_endpoints[i].service_env,
			                      a->service_endpoints[i].url.value);
}

static bool lacks_region(const struct engine *g)
{
	return g->account_err.code == ERR_USAGE && strcmp(g->account_err.where, "region") == 0;
}

static void fall_back(const char **value, const char **from, const char *configured)
{
	if (*value || !configured)
		return;
	*value = configured;
	*from = "configuration";
}

static void load_real(struct engine *g, const struct engine_options *o)
{
	const struct conf_target *t = o->target;
	char region[40];
	struct account_in in = { o->profile, o->region, o->endpoint_url, "--profile", "--region", "--endpoint-url" };
	if (t) {
		fall_back(&in.profile, &in.profile_from, t->profile);
		fall_back(&in.region, &in.region_from, t->region);
		fall_back(&in.endpoint_url, &in.endpoint_from, t->endpoint_url);
	}
	g->account = account_load(&in, &g->account_err);
	if (!lacks_region(g) || !cred_region(g->account, region))
		return;
	in.region = region;
	in.region_from = "EC2 metadata service";
	account_free(g->account);
	g->account = account_load(&in, &g->account_err);
}

static void load_account(struct engine *g, const struct engine_options *o)
{
	if (o->demo)
		g->account = account_static("eu-west-1", o->demo_endpoint, o->demo_access_key, o->demo_secret_key, "--demo");
	else
		load_real(g, o);
	const struct account *a = g->account;
	g->cred = cred_new(a);
	if (o->ask_code)
		cred_on_ask(g->cred, o->ask_code, NULL);
	snprintf(g->target.partition, sizeof g->target.partition, "%s", a->partition);
	snprintf(g->target.region, sizeof g->target.region, "%s", a->region.value ? a->region.value : "");
	snprintf(g->target.profile, sizeof g->target.profile, "%s", a->profile.value ? a->profile.value : "");
	name_endpoint(a, g->target.endpoint, sizeof g->target.endpoint);
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
	g->o.state_path = arena_strdup(&g->strings, o->state_path);
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
	g->focus_wait_ms = INT64_MAX;
	g->usd_per_day = NAN;
	g->jitter = (uint64_t)clock_wall_ms() ^ (uint64_t)getpid() << 32;
	g->jitter = g->jitter ? g->jitter : 1;
	g->changes = changes_new();
	g->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	latest_init(&g->snapshot);
	ring_init(&g->asked);
	ring_init(&g->answered);
	load_account(g, o);
	return g;
}

/* What a first frame needs; a check does without the history, whose opening it would pay for. */
void engine_prepare(struct engine *g, bool history, bool offline)
{
	if (g->prepared)
		return;
	g->prepared = true;
	if (history)
		store_open(g);
	if (history && g->cache)
		store_recall_account(g, offline);
	inventory_init(g);
	if (g->cache)
		store_load(g);
	looks_account(g);
	if (g->changes->target[0])
		events_flush(g);
}

static void wake_engine(void *ctx)
{
	engine_wake(ctx);
}

/* A command that cannot get keys says so once, before anything else. The console shows it and goes on trying. */
static bool has_keys(struct engine *g)
{
	struct sign_keys keys;
	uint64_t generation;
	if (g->threaded) {
		cred_on_ask(g->cred, NULL, NULL); /* the screen asks */
		cred_threaded(g->cred, wake_engine, g);
		return true;
	}
	cred_turn(g->cred);
	return cred_keys(g->cred, &keys, &generation, &g->account_err) == CRED_READY;
}

/* Keys, trust store, TLS and connections: only when something is to be asked. */
bool engine_connect(struct engine *g)
{
	if (g->aws || g->closing || g->account_err.code != ERR_OK || !has_keys(g))
		return g->aws != NULL;
	g->http = http_new(g->account->ca_bundle.value, &g->account_err);
	if (!g->http)
		return false;
	atomic_store(&g->wakeable, g->http);
	g->aws = aws_new(g->http, g->account, g->cred);
	return true;
}

void engine_disconnect(struct engine *g)
{
	g->closing = true;
	aws_free(g->aws);
	g->aws = NULL;
	sign_forget(); /* on the thread that signed */
	discover_relate(g);
}

void engine_reopen(struct engine *g)
{
	if (!g->closing || g->threaded)
		return;
	atomic_store(&g->wakeable, NULL);
	http_free(g->http);
	g->http = NULL;
	g->closing = false;
}

void engine_wake(struct engine *g)
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
		engine_wake(g);
		pthread_join(g->thread, NULL);
	}
	if (g->aws)
		engine_disconnect(g);
	cred_free(g->cred); /* its thread may still wake http */
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
	engine_collect(g);
	if (g->changes->target[0])
		looks_flush(g, true);
	store_close(g);
	changes_free(g->changes);
	poll_free(g);
	free(g->extra);
	describe_alarms_out_clear(&g->alarms);
	told_free(g);
	alarm_code_forget(g);
	error_logs_free(g);
	inventory_free(g);
	conf_free(g->own_conf);
	account_free(g->account);
	late_free(&g->late);
	arena_clear(&g->strings);
	close(g->event_fd);
	free(g);
}
