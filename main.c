/* Picks the console, a command or the embedded AWS and starts it; nothing else. */
#include "cli/cli.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/engine.h"
#include "sim/sim.h"
#include "tui/tui.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(TUI_COLOR_AUTO == 0 && TUI_COLOR_ALWAYS == 1 && TUI_COLOR_NEVER == 2, "cli counts colours the same way");

/* Under a sanitizer the leak checker must be able to look at its own process. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A standard stream that was closed gets a descriptor that cannot be used in its direction: no other file takes its number
 * (a history database on descriptor 1 would be printed into), and writing to it still fails. */
static void hold_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(2);
}

/* No core file and no debugger of the same user sees the keys; nothing is made that others can read. */
static void harden(void)
{
	umask(077);
	hold_streams();
	if (SANITIZED)
		return;
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

struct run {
	struct cli cli;
	struct conf *conf;
	const struct conf_target *target;
	struct sim_child sim;
	struct cli_scratch scratch; /* --demo: what it keeps goes with it */
	char *cache, *state, *endpoint;
};

static const char *scenario_names[64], *scenario_helps[64];

static void list_scenarios(void)
{
	unsigned n;
	const struct sim_scenario *s = sim_scenarios(&n);
	for (unsigned i = 0; i < n && i < 63; i++) {
		scenario_names[i] = s[i].name;
		scenario_helps[i] = s[i].help;
	}
}

static int run_sim(const struct cli *c)
{
	const char *key = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
	bool given = key && *key && secret && *secret;
	return sim_main(&(struct sim_options){ .port = c->sim.port,
	                                       .scenario = c->sim.scenario,
	                                       .access_key = given ? key : NULL,
	                                       .secret_key = given ? secret : NULL,
	                                       .region = c->sim.region,
	                                       .speed = c->sim.speed,
	                                       .latency_ms = c->sim.latency_ms,
	                                       .faults = c->sim.faults,
	                                       .nfaults = c->sim.nfaults });
}

/* Forks, so it comes before libraries that start threads. */
static bool start_demo(struct run *r, struct err *e)
{
	struct sim_options o = { .scenario = r->cli.demo };
	r->conf = conf_parse("--demo", span_of(""), e);
	if (!r->conf || !sim_fork(&o, &r->sim, e) || !cli_scratch_open(&r->scratch, e))
		return false;
	r->cache = xasprintf("%s/history.db", r->scratch.path);
	r->state = xstrdup(r->scratch.path);
	r->endpoint = xasprintf("http://127.0.0.1:%u", r->sim.port);
	return true;
}

static bool start_real(struct run *r, struct err *e)
{
	r->conf = conf_load(r->cli.config, e);
	if (!r->conf)
		return false;
	r->cli.conf = r->conf;
	r->target = cli_target(&r->cli, r->conf);
	r->cache = r->cli.cache ? xstrdup(r->cli.cache) : conf_default_cache();
	r->state = conf_default_state();
	return true;
}

static struct engine *start_engine(struct run *r, struct err *e)
{
	const struct cli *c = &r->cli;
	struct engine_options o = {
		.conf = r->conf, .cache_path = r->cache, .state_path = r->state, .deadline_s = c->deadline_s
	};
	if (c->demo) {
		o.demo = true;
		o.demo_endpoint = r->endpoint;
		o.demo_access_key = r->sim.access_key;
		o.demo_secret_key = r->sim.secret_key;
	} else {
		o.target = r->target;
		o.profile = c->profile;
		o.region = c->region;
		o.endpoint_url = c->endpoint_url;
		o.ask_code = cli_ask_code;
	}
	return engine_global_init(e) ? engine_new(&o, e) : NULL;
}

/* The target's grant, and no more than --mode says. */
static enum conf_mode most(const struct run *r)
{
	enum conf_mode grant = r->target ? r->target->grant : MODE_ADMIN;
	return r->cli.mode_said && r->cli.mode < grant ? r->cli.mode : grant;
}

static int run_console(const struct run *r, struct engine *g, struct err *e)
{
	if (!engine_start(g, e))
		return cli_fail(&r->cli, e);
	return tui_run(&(struct tui_options){ .engine = g,
	                                      .demo = r->cli.demo,
	                                      .color = (enum tui_color)r->cli.color,
	                                      .target_name = r->cli.demo ? "demo"
	                                                     : r->target ? r->target->name
	                                                                 : NULL,
	                                      .quiet = !r->conf->bell,
	                                      .untitled = !r->conf->title,
	                                      .production = r->target && r->target->production,
	                                      .grant = most(r) });
}

static int run_engine(struct run *r)
{
	struct err e = { 0 };
	struct engine *g = NULL;
	int status;
	bool ready = cli_log(&r->cli, &e) && (r->cli.demo ? start_demo : start_real)(r, &e);
	if (ready)
		g = start_engine(r, &e);
	cli_note_files(&r->cli);
	if (!g)
		status = cli_run_without(&r->cli, &e);
	else
		status = r->cli.what == CLI_CONSOLE ? run_console(r, g, &e) : cli_run(&r->cli, g);
	engine_free(g);
	conf_free(r->conf);
	cli_scratch_close(&r->scratch);
	free(r->cache);
	free(r->state);
	free(r->endpoint);
	log_close();
	return status;
}

static int run_what(struct run *r)
{
	const struct cli *c = &r->cli;
	struct err e = { 0 };
	if (c->what == CLI_EXIT)
		return c->status;
	if (!clock_init())
		err_set(&e, ERR_USAGE, "SLUICE_NOW", "is not an RFC 3339 time, or SLUICE_SPEED not a whole number up to 10000");
	else if (c->what == CLI_SIM)
		return run_sim(c);
	else if (c->what == CLI_COMMAND)
		return cli_command_needs_engine(c->command) ? run_engine(r) : cli_run(c, NULL);
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return run_engine(r);
	else
		err_set(&e, ERR_USAGE, "terminal",
		        "the console needs one on standard input and output; use sluice status or --check");
	return cli_fail(c, &e);
}

int main(int argc, char **argv)
{
	static struct run run;
	harden();
	if (getauxval(AT_SECURE)) {
		fputs("sluice: refused to start: it must not run set-user-ID or with file capabilities\n", stderr);
		return 3;
	}
	signal(SIGPIPE, SIG_IGN); /* a reader that has gone, or a connection that broke, is seen where it is written to */
	signal(SIGCHLD, SIG_DFL); /* whoever started us may have it ignored; then nobody could tell how a child ended */
	list_scenarios();
	cli_parse(&run.cli, argc, argv, scenario_names, scenario_helps);
	int status = run_what(&run);
	cli_clear(&run.cli);
	return status;
}
