/* The engine as a whole against the embedded AWS: one call from request to result, the console's thread and its hand-over. */
#include "core/clock.h"
#include "core/mem.h"
#include "engine/engine.h"
#include "sim/sim.h"

#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct conf *conf;

struct setup {
	struct sim *sim;
	struct engine *g;
	char endpoint[64], dir[64], cache[128];
};

static struct setup begin_with(const struct conf *config, const char *scenario, bool cache)
{
	struct setup s = { 0 };
	struct err e = { 0 };
	const struct sim_options so = { .scenario = scenario };
	s.sim = sim_start(&so, &e);
	if (!s.sim)
		fail_msg("sim: %s", e.text);
	snprintf(s.endpoint, sizeof s.endpoint, "http://127.0.0.1:%u", sim_port(s.sim));
	snprintf(s.dir, sizeof s.dir, "/tmp/t_engine.XXXXXX");
	assert_non_null(mkdtemp(s.dir));
	snprintf(s.cache, sizeof s.cache, "%s/history.db", s.dir);
	const struct engine_options eo = { .conf = config,
		                               .demo = true,
		                               .demo_endpoint = s.endpoint,
		                               .cache_path = cache ? s.cache : NULL,
		                               .demo_access_key = sim_access_key(s.sim),
		                               .demo_secret_key = sim_secret_key(s.sim) };
	s.g = engine_new(&eo, &e);
	assert_non_null(s.g);
	return s;
}

static struct setup begin(const char *scenario, bool cache)
{
	return begin_with(conf, scenario, cache);
}

static void end(struct setup *s)
{
	char command[160];
	engine_free(s->g);
	sim_stop(s->sim);
	static const char *const suffix[] = { "", "-wal", "-shm", ".lock" };
	for (unsigned i = 0; i < 4; i++) {
		snprintf(command, sizeof command, "%s%s", s->cache, suffix[i]);
		unlink(command);
	}
	rmdir(s->dir);
}

static const struct row *row_of(const struct snapshot *s, const char *name)
{
	for (unsigned i = 0; i < s->nrows; i++)
		if (strcmp(s->rows[i].name, name) == 0)
			return &s->rows[i];
	fail_msg("no row %s among %u", name, s->nrows);
	return NULL;
}

static void status(void **state)
{
	(void)state;
	struct setup s = begin("dlq-growth", true);
	struct result *r = engine_call(s.g, &(struct request){ .kind = REQUEST_STATUS });
	assert_int_equal(r->err.code, ERR_OK);
	assert_string_equal(r->status->target.account, "123456789012");
	assert_true(r->status->settled);
	const struct row *dlq = row_of(r->status, "orders-load-dlq");
	assert_true(dlq->dlq);
	assert_int_equal(dlq->health, HEALTH_ALARM);
	assert_true(dlq->by_role[ROLE_BACKLOG]->value > 0);
	assert_int_equal(row_of(r->status, "orders-loader")->health, HEALTH_OK);
	assert_true(r->status->nalarms > 0);
	assert_int_equal(r->status->alarms[0].state, ALARM_STATE_ALARM);
	result_free(r);
	end(&s);
}

static enum verdict_status checked(const char *scenario, const char **code)
{
	struct setup s = begin(scenario, false);
	struct result *r = engine_call(s.g, &(struct request){ .kind = REQUEST_CHECK, .check = { .delay_s = -1 } });
	assert_int_equal(r->err.code, ERR_OK);
	enum verdict_status st = r->check.status;
	*code = NULL;
	for (unsigned i = 0; i < r->check.n; i++)
		if (r->check.verdicts[i].status == VERDICT_UNKNOWN)
			*code = r->check.verdicts[i].code;
	assert_true(r->check.defaults);
	result_free(r);
	end(&s);
	return st;
}

static void default_checks(void **state)
{
	(void)state;
	const char *code;
	assert_int_equal(checked("calm", &code), VERDICT_OK);
	assert_int_equal(checked("dlq-growth", &code), VERDICT_CRITICAL);
	assert_int_equal(checked("poison-shard", &code), VERDICT_CRITICAL);
	assert_int_equal(checked("denied", &code), VERDICT_UNKNOWN);
	assert_string_equal(code, "DENIED");
	assert_int_equal(checked("throttled", &code), VERDICT_UNKNOWN);
	assert_string_equal(code, "THROTTLED");
	assert_int_equal(checked("empty", &code), VERDICT_UNKNOWN); /* the wrong region must not look green */
	assert_string_equal(code, "NO_DATA");
}

/* A check named in the configuration, on what the service says right now: one verdict. */
static enum verdict_status configured(const char *scenario, const char *text, char *reason, size_t size)
{
	struct err e = { 0 };
	struct conf *config = conf_parse("test", span_of(text), &e);
	if (!config)
		fail_msg("%s: %s", e.where, e.text);
	struct setup s = begin_with(config, scenario, false);
	struct result *r = engine_call(s.g, &(struct request){ .kind = REQUEST_CHECK, .check = { .delay_s = -1 } });
	assert_int_equal(r->check.n, 1);
	enum verdict_status st = r->check.verdicts[0].status;
	snprintf(reason, size, "%s %s", r->check.verdicts[0].code ? r->check.verdicts[0].code : "",
	         r->check.verdicts[0].reason);
	result_free(r);
	end(&s);
	conf_free(config);
	return st;
}

#define DLQ                                                                                                            \
	"[pipeline \"o\"]\n[stage \"o/d\"]\nresource = sqs:orders-load-dlq\n[check \"dlq\"]\nstage = o/d\nno_data = ok\n"

static void configured_checks(void **state)
{
	(void)state;
	char why[256];
	assert_int_equal(configured("dlq-growth", DLQ "metric = visible\ncritical = 10\n", why, sizeof why),
	                 VERDICT_CRITICAL);
	assert_int_equal(configured("calm", DLQ "metric = visible\ncritical = 10\n", why, sizeof why), VERDICT_OK);
	/* a window of more periods than a series usually holds */
	assert_int_equal(
	    configured("dlq-growth", DLQ "metric = age\ncritical = 0\nwindow = 6h\nmin_samples = 340\n", why, sizeof why),
	    VERDICT_CRITICAL);
}

/* The configuration names the queue alone; its dead-letter queue is found and judged all the same. */
static void dead_letters_of_a_configured_queue(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct conf *config =
	    conf_parse("test", SPAN("[pipeline \"o\"]\n[stage \"o/l\"]\nresource = sqs:orders-load\n"), &e);
	struct setup s = begin_with(config, "dlq-growth", false);
	struct request rq = { .kind = REQUEST_CHECK, .check = { .dlq = true, .delay_s = -1 } };
	struct result *r = engine_call(s.g, &rq);
	assert_int_equal(r->check.status, VERDICT_CRITICAL);
	result_free(r);
	end(&s);
	conf_free(config);
}

/* Too late is not done: what came is given, and that it is not all. */
static void deadline(void **state)
{
	(void)state;
	struct err e = { 0 };
	const struct engine_options o = { .conf = conf,
		                              .demo = true,
		                              .demo_endpoint = "http://127.0.0.1:9",
		                              .demo_access_key = "a",
		                              .demo_secret_key = "b",
		                              .deadline_s = 1 };
	int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* accepts, never answers */
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	assert_int_equal(bind(silent, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(silent, 64), 0);
	assert_int_equal(getsockname(silent, (struct sockaddr *)&in, &len), 0);
	char endpoint[64];
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
	struct engine_options there = o;
	there.demo_endpoint = endpoint;
	for (enum request_kind k = REQUEST_STATUS; k <= REQUEST_DOCTOR; k++) {
		struct engine *g = engine_new(&there, &e);
		struct request rq = { .kind = k };
		if (k == REQUEST_HISTORY)
			rq.history = (struct history_request){ .metric = "A/B:Sum", .from = clock_wall() - 600 };
		if (k == REQUEST_CHECK)
			rq.check.delay_s = -1;
		struct result *r = engine_call(g, &rq);
		if (k == REQUEST_CHECK)
			assert_int_equal(r->check.status, VERDICT_UNKNOWN);
		else
			assert_int_equal(r->err.code, ERR_TIMEOUT);
		if (k == REQUEST_STATUS)
			assert_false(r->status->settled);
		result_free(r);
		engine_free(g);
	}
	close(silent);
}

static struct result *history(struct setup *s, const char *resource, const char *metric, bool offline)
{
	struct request rq = {
		.kind = REQUEST_HISTORY,
		.history = { .resource = resource, .metric = metric, .from = clock_wall() - 3600, .offline = offline }
	};
	return engine_call(s->g, &rq);
}

static unsigned points(const struct result *r)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->history.n; i++)
		n += isnan(r->history.v[i]) ? 0u : 1u;
	return n;
}

static void history_then_offline(void **state)
{
	(void)state;
	struct setup s = begin("calm", true);
	struct result *r = history(&s, "orders-enrich", "invocations", false);
	assert_int_equal(r->err.code, ERR_OK);
	assert_int_equal(r->history.poll_error.code, ERR_OK);
	assert_true(r->history.polled);
	assert_int_equal(r->history.step, 60);
	unsigned n = points(r);
	assert_true(n >= 55);
	result_free(r);
	r = history(&s, "orders-enrich", "invocations", true);
	assert_int_equal(r->err.code, ERR_OK);
	assert_int_equal(points(r), n);
	result_free(r);
	end(&s);
}

/* What the service says only of now has its past in CloudWatch. */
static void past_of_a_direct_reading(void **state)
{
	(void)state;
	struct setup s = begin("dlq-growth", true);
	struct result *r = history(&s, "orders-load-dlq", "visible", false);
	assert_int_equal(r->err.code, ERR_OK);
	assert_true(points(r) >= 55);
	assert_true(r->history.v[r->history.n - 1] >= 1291); /* the reading itself is the newest */
	assert_non_null(strstr(r->history.metric, "direct:sqs/visible"));
	result_free(r);
	end(&s);
}

static void unknown_names(void **state)
{
	(void)state;
	struct setup s = begin("calm", false);
	struct result *r = history(&s, "nobody", "invocations", false);
	assert_int_equal(r->err.code, ERR_NOTFOUND);
	result_free(r);
	r = history(&s, "orders-enrich", "nothing", false);
	assert_int_equal(r->err.code, ERR_USAGE);
	result_free(r);
	r = history(&s, NULL, "No/Such{A=b}:Sum", false);
	assert_int_equal(r->err.code, ERR_OK);
	assert_int_equal(points(r), 0);
	assert_non_null(r->history.hint);
	result_free(r);
	end(&s);
}

static void wait_for(struct engine *g)
{
	struct pollfd p = { .fd = engine_fd(g), .events = POLLIN };
	assert_true(poll(&p, 1, 10000) == 1);
}

static struct snapshot *settled(struct engine *g)
{
	for (unsigned i = 0; i < 200; i++) {
		wait_for(g);
		struct snapshot *snap = engine_take(g);
		if (snap && snap->settled)
			return snap;
		snapshot_free(snap);
	}
	fail_msg("never settled");
	return NULL;
}

static struct result *answer(struct engine *g, uint64_t id)
{
	for (unsigned i = 0; i < 200; i++) {
		struct result *r = engine_answer(g);
		if (r && r->id == id)
			return r;
		result_free(r);
		wait_for(g);
		engine_give_back(g, engine_take(g)); /* freed by the engine, at the latest with it */
	}
	fail_msg("no answer");
	return NULL;
}

static void console(void **state)
{
	(void)state;
	struct setup s = begin("poison-shard", true);
	struct err e = { 0 };
	assert_true(engine_start(s.g, &e));
	struct snapshot *snap = settled(s.g);
	const struct row *row = row_of(snap, "orders-ingest");
	assert_int_equal(row->health, HEALTH_ALARM);
	struct request rq = { .kind = REQUEST_HISTORY,
		                  .history = { .row = row->id, .metric = "age", .from = clock_wall() - 3600 } };
	uint64_t id = engine_ask(s.g, &rq);
	assert_true(id != 0);
	struct result *r = answer(s.g, id);
	assert_int_equal(r->err.code, ERR_OK);
	assert_true(points(r) >= 50);
	result_free(r);
	snapshot_free(snap);
	end(&s);
}

/* Which shard is held, from figures of each; and nothing but the list where enhanced monitoring is off. */
static void shards(void **state)
{
	(void)state;
	struct setup s = begin("poison-shard", true);
	struct err e = { 0 };
	assert_true(engine_start(s.g, &e));
	struct snapshot *snap = settled(s.g);
	struct request rq = { .kind = REQUEST_SHARDS, .shards = { row_of(snap, "orders-ingest")->id } };
	struct result *r = answer(s.g, engine_ask(s.g, &rq));
	assert_int_equal(r->err.code, ERR_OK);
	assert_int_equal(r->shards.n, 8);
	assert_true(r->shards.enhanced);
	assert_int_equal(r->shards.metrics_err.code, ERR_OK);
	double share = 0;
	for (unsigned i = 0; i < 8; i++) {
		const struct shard *sh = &r->shards.v[i];
		share += sh->to - sh->from;
		assert_false(sh->closed);
		assert_true(sh->in > 0);
		assert_int_equal(sh->age > 3600, strcmp(sh->id, "shardId-000000000003") == 0);
		assert_int_equal(sh->out > 0, strcmp(sh->id, "shardId-000000000003") != 0);
	}
	assert_true(share > 99.9 && share < 100.1);
	result_free(r);
	rq.shards.row = row_of(snap, "orders-load")->id;
	r = answer(s.g, engine_ask(s.g, &rq));
	assert_int_equal(r->err.code, ERR_USAGE);
	result_free(r);
	rq.shards.row = 1;
	r = answer(s.g, engine_ask(s.g, &rq));
	assert_int_equal(r->err.code, ERR_NOTFOUND);
	result_free(r);
	snapshot_free(snap);
	end(&s);
}

/* The edges between stages that are shown, each once, with what its mapping says and a rate where one reading is that edge's. */
static void links(void **state)
{
	(void)state;
	struct setup s = begin("poison-shard", true);
	struct err e = { 0 };
	assert_true(engine_start(s.g, &e));
	struct snapshot *snap = settled(s.g);
	unsigned mappings = 0, dead = 0;
	for (unsigned i = 0; i < snap->nlinks; i++) {
		const struct row_link *l = &snap->links[i];
		assert_true(l->from < snap->nrows && l->to < snap->nrows && l->from != l->to);
		assert_true(i == 0 || l[-1].from < l->from || (l[-1].from == l->from && l[-1].to < l->to));
		if (strcmp(l->kind, "mapping") == 0) {
			mappings++;
			assert_string_equal(l->state, "Enabled");
		} else {
			dead += strcmp(l->kind, "dlq") == 0;
			assert_null(l->state);
		}
		if (strcmp(snap->rows[l->from].name, "orders-ingest") == 0) {
			assert_string_equal(snap->rows[l->to].name, "orders-enrich");
			assert_int_equal(l->retries, -1);
			assert_true(l->rate > 300 && l->rate < 500);
			assert_non_null(strstr(l->on_failure, "orders-enrich-fail"));
		}
	}
	assert_int_equal(mappings, 2);
	assert_true(dead >= 1);
	snapshot_free(snap);
	end(&s);
}

/* More questions than the ring holds are refused visibly, and none of those taken is lost. */
static void full_ring(void **state)
{
	(void)state;
	struct setup s = begin("calm", false);
	struct request rq = { .kind = REQUEST_HISTORY,
		                  .history = { .resource = "nobody", .metric = "age", .from = clock_wall() - 600 } };
	unsigned taken = 0;
	while (taken < 1000 && engine_ask(s.g, &rq))
		taken++;
	assert_true(taken > 0 && taken < 1000);
	end(&s);
}

static int prepare(void **state)
{
	(void)state;
	struct err e;
	conf = conf_parse("none", SPAN(""), &e);
	return conf && clock_init() && engine_global_init(&e) ? 0 : -1;
}

static int finish(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

/* What was allowed for one account does nothing in another. */
static void test_consent_is_for_an_account(void **state)
{
	static const struct {
		const char *account;
		bool refused;
	} cases[] = { { "999999999999", true }, { "123456789012", false }, { NULL, false } };
	(void)state;
	struct setup s = begin("poison-shard", false);
	struct request rq = { .kind = REQUEST_STATUS };
	result_free(engine_call(s.g, &rq)); /* whose it is is known now */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rq = (struct request){ .kind = REQUEST_PUT_METRIC,
			                   .consent = { .mode = MODE_OPERATE, .person = true, .account = cases[i].account },
			                   .put_metric = { .ns = "Test", .name = "n", .value = "1" } };
		struct result *r = engine_call(s.g, &rq);
		assert_int_equal(r->err.code, ERR_GATE);
		assert_int_equal(r->ask, cases[i].refused ? GATE_ASK_NOTHING : GATE_ASK_YES);
		assert_true(!cases[i].refused || strstr(r->err.text, "999999999999"));
		result_free(r);
	}
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consent_is_for_an_account),
		cmocka_unit_test(status),
		cmocka_unit_test(default_checks),
		cmocka_unit_test(history_then_offline),
		cmocka_unit_test(configured_checks),
		cmocka_unit_test(dead_letters_of_a_configured_queue),
		cmocka_unit_test(deadline),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(past_of_a_direct_reading),
		cmocka_unit_test(console),
		cmocka_unit_test(shards),
		cmocka_unit_test(links),
		cmocka_unit_test(full_ring),
	};
	return cmocka_run_group_tests(tests, prepare, finish);
}
