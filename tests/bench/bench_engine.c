/* The whole engine on its own thread: polls what discovery finds, keeps it in a history file, publishes snapshots that this
 * thread takes as the console does. The endpoint and the keys come from the environment.
 *   bench_engine ROUNDS FILE METRICS   prints CPU milliseconds a poll and how many metrics were asked for; the first is
 * over when so many have been, a further one when most of them have, and the poll has finished. */
#include "core/conf.h"
#include "engine/engine.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double cpu_ms(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static unsigned peak_kb(void)
{
	char text[128];
	unsigned kb = 0;
	FILE *f = fopen("/proc/self/status", "re");
	while (f != NULL && fgets(text, sizeof text, f) != NULL && sscanf(text, "VmHWM: %u", &kb) != 1)
		;
	if (f != NULL)
		fclose(f);
	return kb;
}

/* Takes snapshots until one tells of a poll that finished at `since` or later, and of so many metrics. Another round that began
 * just before swallows a refresh: it is asked for again while nothing has come of it. */
static bool wait_polled(struct engine *g, int64_t since, unsigned least, unsigned *metrics)
{
	struct pollfd p = { .fd = engine_fd(g), .events = POLLIN };
	unsigned had = *metrics;
	int64_t asked = time(NULL);
	for (int64_t end = asked + 180; time(NULL) < end;) {
		poll(&p, 1, 1000);
		struct snapshot *s = engine_take(g);
		bool there = s != NULL && s->settled && s->polled_at >= since && s->cost.metrics >= least;
		if (s != NULL)
			*metrics = s->cost.metrics;
		snapshot_free(s);
		if (there)
			return true;
		if (had && *metrics == had && time(NULL) >= asked + 7) {
			asked = time(NULL);
			engine_refresh(g);
		}
	}
	return false;
}

/* A refresh that comes within five seconds of the last is not obeyed, and polled_at counts seconds: a round begins with a
 * fresh one. */
static int64_t next_second(void)
{
	struct timespec t;
	usleep(5200000);
	clock_gettime(CLOCK_REALTIME, &t);
	usleep((useconds_t)((1000000000 - t.tv_nsec) / 1000 + 2000));
	return t.tv_sec + 1;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	unsigned metrics = 0;
	if (argc < 4 || !engine_global_init(&e))
		return 2;
	unsigned whole = (unsigned)strtoul(argv[3], NULL, 10);
	struct conf *conf =
	    conf_parse("bench", span_of("[sluice]\nbudget_usd_per_day = 0\n[watch]\neverything = yes\n"), &e);
	struct engine *g = engine_new(&(struct engine_options){ .conf = conf, .cache_path = argv[2], .poll_s = 3600 }, &e);
	bool ok = g != NULL && engine_start(g, &e) && wait_polled(g, 1, whole, &metrics);
	unsigned before_metrics = metrics;
	printf("filled %.3f\n", cpu_ms());
	fflush(stdout); /* who reads along counts what each round asks */
	for (long round = 0, rounds = strtol(argv[1], NULL, 10); ok && round < rounds; round++) {
		int64_t since = next_second();
		before_metrics = metrics;
		double before = cpu_ms();
		ok = engine_refresh(g) && wait_polled(g, since, before_metrics + whole, &metrics);
		printf("%s %.3f\n", round ? "round" : "first", cpu_ms() - before);
		fflush(stdout);
	}
	printf("metrics %u\npeak %u\n", metrics - before_metrics, peak_kb());
	if (!ok)
		fprintf(stderr, "%s %s\n", e.where, e.text);
	engine_free(g);
	conf_free(conf);
	return ok ? 0 : 1;
}
