#include "sim/sim.h"

#include "core/hash.h"
#include "core/mem.h"
#include "sim/motion.h"
#include "sim/scenario.h"
#include "sim/sim_grant.h"
#include "sim/sim_http.h"
#include "sim/world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct sim {
	struct world *world;
	struct sim_server *server;
	char access_key[32], secret_key[64], region[40];
	struct sim_key key;
};

/* ---- the key pair */

static void make_keys(struct sim *s)
{
	memcpy(s->access_key, "AKIA", 4);
	sim_random_text(s->access_key + 4, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	sim_random_text(s->secret_key, 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

static bool set_keys(struct sim *s, const struct sim_options *o, struct err *e)
{
	if (!o->access_key || !o->secret_key) {
		make_keys(s);
	} else {
		if (strlen(o->access_key) >= sizeof s->access_key || strlen(o->secret_key) >= sizeof s->secret_key)
			return err_set(e, ERR_USAGE, "sim", "the key pair is too long");
		strncpy(s->access_key, o->access_key, sizeof s->access_key - 1);
		strncpy(s->secret_key, o->secret_key, sizeof s->secret_key - 1);
	}
	s->key = (struct sim_key){ s->access_key, s->secret_key, s->region, NULL };
	return true;
}

/* ---- scenarios */

#define SCENARIOS 32

const struct sim_scenario *sim_scenarios(unsigned *n)
{
	static struct sim_scenario all[SCENARIOS];
	*n = 0;
	while (*n < SCENARIOS && scenario_at(*n, &all[*n].name, &all[*n].help))
		++*n;
	return all;
}

static bool known_scenario(const char *name, struct err *e)
{
	char names[320] = "";
	unsigned n;
	if (scenario_find(name))
		return true;
	const struct sim_scenario *s = sim_scenarios(&n);
	for (unsigned i = 0, at = 0; i < n && at < sizeof names; i++)
		at += (unsigned)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", s[i].name);
	return err_set(e, ERR_USAGE, "sim", "no scenario \"%s\": there are %s", name, names);
}

/* ---- start and stop */

static bool switch_faults(struct world *w, const struct sim_options *o, struct err *e)
{
	for (unsigned i = 0; i < o->nfaults; i++)
		if (!fault_switch(&w->faults, o->faults[i], e))
			return false;
	return true;
}

struct sim *sim_start(const struct sim_options *o, struct err *e)
{
	const char *region = o->region && *o->region ? o->region : "eu-west-1";
	if (!known_scenario(o->scenario, e))
		return NULL;
	if (o->port > 65535 || strlen(region) >= sizeof((struct sim *)0)->region) {
		err_set(e, ERR_USAGE, "sim", "no such port or region");
		return NULL;
	}
	struct sim *s = xcalloc(1, sizeof *s);
	snprintf(s->region, sizeof s->region, "%s", region);
	if (set_keys(s, o, e)) {
		s->world = motion_start(scenario_find(o->scenario), region, o->speed);
		s->world->open = o->open;
	}
	if (s->world && switch_faults(s->world, o, e))
		s->server = sim_server_start(o->port, s->world, &s->key, o->latency_ms, e);
	if (s->server)
		return s;
	if (s->world)
		motion_end(s->world);
	free(s);
	return NULL;
}

void sim_stop(struct sim *s)
{
	if (!s)
		return;
	sim_server_stop(s->server);
	motion_end(s->world);
	hash_wipe(s->secret_key, sizeof s->secret_key);
	free(s);
}

unsigned sim_port(const struct sim *s)
{
	return sim_server_port(s->server);
}

const char *sim_access_key(const struct sim *s)
{
	return s->access_key;
}

const char *sim_secret_key(const struct sim *s)
{
	return s->secret_key;
}

/* ---- in the foreground */

static void block_endings(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL); /* before the server's thread, which inherits it */
}

static void announce(const struct sim *s, const struct sim_options *o, bool made_up)
{
	printf("listening on http://127.0.0.1:%u\nregion %s\nscenario %s\n", sim_port(s), s->region,
	       o->scenario ? o->scenario : "calm");
	if (made_up)
		printf("AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", s->access_key, s->secret_key);
	printf("export AWS_ENDPOINT_URL=http://127.0.0.1:%u AWS_DEFAULT_REGION=%s\n", sim_port(s), s->region);
	fflush(stdout);
}

static int list_faults(void)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	fault_list(&b);
	bool told = fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
	buf_clear(&b);
	return told ? 0 : 1;
}

int sim_main(const struct sim_options *options)
{
	struct sim_options o = *options;
	sigset_t endings;
	struct err e;
	int sig;
	o.open = true;
	for (unsigned i = 0; i < o.nfaults; i++)
		if (strcmp(o.faults[i], "list") == 0)
			return list_faults();
	if (!o.access_key || !o.secret_key) {
		o.access_key = getenv("AWS_ACCESS_KEY_ID");
		o.secret_key = getenv("AWS_SECRET_ACCESS_KEY");
	}
	bool made_up = !o.access_key || !*o.access_key || !o.secret_key || !*o.secret_key;
	if (made_up)
		o.access_key = o.secret_key = NULL;
	block_endings(&endings);
	struct sim *s = sim_start(&o, &e);
	if (!s) {
		char line[512];
		err_line(&e, line, sizeof line);
		fprintf(stderr, "%s\n", line);
		return err_exit(e.code);
	}
	announce(s, &o, made_up);
	while (sigwait(&endings, &sig) != 0)
		;
	sim_stop(s);
	return 0;
}

/* ---- as a child that dies with its parent */

struct hello {
	bool ok;
	struct err err;
	struct sim_child child;
};

/* Returns the descriptor that stays open, at 3 or above whatever the parent had closed. */
static int shut_the_rest(int said)
{
	int keep = fcntl(said, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd); /* the terminal is the console's alone */
	if (keep > 3)
		close_range(3, (unsigned)keep - 1, 0);
	close_range((unsigned)keep + 1, ~0u, 0);
	return keep;
}

static _Noreturn void serve_as_child(const struct sim_options *o, pid_t parent, int out)
{
	sigset_t endings;
	struct hello hello = { 0 };
	int sig;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* the parent was gone before the line above */
	setpgid(0, 0);
	out = shut_the_rest(out);
	block_endings(&endings);
	struct sim *s = sim_start(o, &hello.err);
	hello.ok = s != NULL;
	if (s) {
		hello.child.port = sim_port(s);
		memcpy(hello.child.access_key, s->access_key, sizeof s->access_key);
		memcpy(hello.child.secret_key, s->secret_key, sizeof s->secret_key);
	}
	bool told = write(out, &hello, sizeof hello) == (ssize_t)sizeof hello;
	close(out);
	while (s && told && sigwait(&endings, &sig) != 0)
		;
	_exit(0);
}

static bool hear(int in, struct hello *hello)
{
	size_t got = 0;
	while (got < sizeof *hello) {
		ssize_t n = read(in, (char *)hello + got, sizeof *hello - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

bool sim_fork(const struct sim_options *o, struct sim_child *child, struct err *e)
{
	int ends[2];
	struct hello hello;
	pid_t parent = getpid();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, ERR_INTERNAL, "sim", "%s", strerror(errno));
	fflush(NULL); /* or the child would write it again */
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		serve_as_child(o, parent, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(e, ERR_INTERNAL, "sim", "%s", strerror(errno));
	}
	bool heard = hear(ends[0], &hello);
	close(ends[0]);
	if (!heard || !hello.ok) {
		waitpid(pid, NULL, 0);
		if (heard && e)
			*e = hello.err;
		return heard ? false : err_set(e, ERR_INTERNAL, "sim", "the embedded AWS did not start");
	}
	*child = hello.child;
	child->pid = (int)pid;
	hash_wipe(&hello, sizeof hello);
	return true;
}
