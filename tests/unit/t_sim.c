/* The embedded AWS as a server: starting, stopping, waiting answers side by side, the child that dies with its parent. */
#include "core/clock.h"
#include "core/hash.h"
#include "sim/sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int dial(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = { .tv_sec = 10 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	close(fd);
	return -1;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One answer: head and as much body as Content-Length says. */
static void hear(int fd, char *out, size_t size)
{
	size_t n = 0;
	for (;;) {
		out[n] = '\0';
		char *body = strstr(out, "\r\n\r\n"), *length = strstr(out, "Content-Length: ");
		if (body && length && strlen(body + 4) >= strtoul(length + 16, NULL, 10))
			return;
		ssize_t got = n + 1 < size ? recv(fd, out + n, size - n - 1, 0) : 0;
		if (got <= 0)
			fail_msg("the server fell silent after: %s", out);
		n += (size_t)got;
	}
}

#define UNSIGNED_GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

static struct sim *start(const struct sim_options *o)
{
	struct err e = { 0 };
	struct sim *s = sim_start(o, &e);
	if (!s)
		fail_msg("%s", e.text);
	return s;
}

static void starts_and_stops(void **state)
{
	(void)state;
	char text[4096];
	struct sim *a = start(&(struct sim_options){ .scenario = "empty" });
	struct sim *b = start(&(struct sim_options){ .access_key = "AKIDEXAMPLE", .secret_key = "s3cret" });
	assert_int_not_equal(sim_port(a), sim_port(b));
	assert_int_equal(strlen(sim_access_key(a)), 20);
	assert_int_equal(strlen(sim_secret_key(a)), 40);
	assert_string_equal(sim_access_key(b), "AKIDEXAMPLE");
	assert_string_equal(sim_secret_key(b), "s3cret");
	int fd = dial(sim_port(a));
	assert_true(fd >= 0);
	for (unsigned i = 0; i < 3; i++) { /* kept alive */
		say(fd, UNSIGNED_GET);
		hear(fd, text, sizeof text);
		assert_memory_equal(text, "HTTP/1.1 403 ", 13);
		assert_non_null(strstr(text, "Missing Authentication Token"));
	}
	unsigned port = sim_port(a);
	sim_stop(a); /* with a connection open */
	close(fd);
	assert_int_equal(dial(port), -1);
	sim_stop(b);
	sim_stop(NULL);
}

static void refused_options(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct sim *s = start(&(struct sim_options){ .scenario = "empty" });
	assert_null(sim_start(&(struct sim_options){ .scenario = "no-such" }, &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "calm, dlq-growth, poison-shard"));
	assert_null(sim_start(&(struct sim_options){ .port = sim_port(s) }, &e));
	assert_int_equal(e.code, ERR_CONNECT);
	assert_null(sim_start(&(struct sim_options){ .port = 70000 }, &e));
	assert_int_equal(e.code, ERR_USAGE);
	sim_stop(s);
}

static void scenarios_are_named(void **state)
{
	(void)state;
	unsigned n;
	const struct sim_scenario *s = sim_scenarios(&n);
	static const char *const wanted[] = { "calm",
		                                  "dlq-growth",
		                                  "poison-shard",
		                                  "bad-deploy",
		                                  "throttled-consumer",
		                                  "silent-producer",
		                                  "expired-token",
		                                  "slow-network",
		                                  "denied",
		                                  "throttled",
		                                  "poor",
		                                  "empty" };
	assert_int_equal(n, sizeof wanted / sizeof *wanted);
	for (unsigned i = 0; i < n; i++) {
		assert_string_equal(s[i].name, wanted[i]);
		assert_true(strlen(s[i].help) > 10);
	}
}

static void only_on_loopback(void **state)
{
	(void)state;
	struct sim *s = start(&(struct sim_options){ .scenario = "empty" });
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons((uint16_t)sim_port(s)) };
	any.sin_addr.s_addr = htonl(0x7f000002); /* 127.0.0.2: ours too, had it bound every address */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&any, sizeof any), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	sim_stop(s);
}

static void slow_answers_wait_side_by_side(void **state)
{
	(void)state;
	enum { N = 15 };
	int fd[N];
	char text[4096];
	struct sim *s = start(&(struct sim_options){ .scenario = "empty", .latency_ms = 200 });
	int64_t begun = clock_mono_ms();
	for (unsigned i = 0; i < N; i++) {
		fd[i] = dial(sim_port(s));
		say(fd[i], UNSIGNED_GET);
	}
	for (unsigned i = 0; i < N; i++) {
		hear(fd[i], text, sizeof text);
		assert_memory_equal(text, "HTTP/1.1 403 ", 13);
		close(fd[i]);
	}
	int64_t took = clock_mono_ms() - begun;
	assert_true(took >= 200);
	assert_true(took < N * 200 / 2); /* one after another would be 3 s */
	sim_stop(s);
}

/* The very last one that waits must come too: nothing else wakes the server then. */
static void a_lone_slow_answer(void **state)
{
	(void)state;
	char text[4096];
	struct sim *s = start(&(struct sim_options){ .scenario = "empty", .latency_ms = 30 });
	int fd = dial(sim_port(s));
	for (unsigned i = 0; i < 5; i++) {
		say(fd, UNSIGNED_GET);
		hear(fd, text, sizeof text);
		poll(NULL, 0, 20);
	}
	close(fd);
	sim_stop(s);
}

static void stopped_while_answers_wait(void **state)
{
	(void)state;
	struct sim *s = start(&(struct sim_options){ .scenario = "empty", .latency_ms = 60000 });
	int fd = dial(sim_port(s));
	say(fd, UNSIGNED_GET);
	struct pollfd wait = { fd, POLLIN, 0 };
	assert_int_equal(poll(&wait, 1, 100), 0);
	int64_t begun = clock_mono_ms();
	sim_stop(s);
	assert_true(clock_mono_ms() - begun < 5000);
	close(fd);
}

static void too_large_a_body(void **state)
{
	(void)state;
	enum { CHUNK = 1 << 20 };
	char text[4096];
	struct sim *s = start(&(struct sim_options){ .scenario = "empty" });
	char *zeros = calloc(1, CHUNK);
	int fd = dial(sim_port(s));
	say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 17825792\r\n\r\n"); /* 17 MiB */
	for (unsigned i = 0; i < 17; i++)
		for (size_t n = 0; n < CHUNK;) {
			ssize_t put = send(fd, zeros + n, CHUNK - n, MSG_NOSIGNAL);
			assert_true(put > 0);
			n += (size_t)put;
		}
	hear(fd, text, sizeof text);
	assert_memory_equal(text, "HTTP/1.1 413 ", 13);
	close(fd);
	free(zeros);
	sim_stop(s);
}

static void garbage_on_the_line(void **state)
{
	(void)state;
	static const char *const lines[] = { "\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
		                                 "GET /%zz?%=& HTTP/1.1\r\nHost: x\r\n\r\n",
		                                 "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12" };
	char text[4096];
	struct sim *s = start(&(struct sim_options){ .scenario = "empty" });
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		int fd = dial(sim_port(s));
		say(fd, lines[i]);
		close(fd);
	}
	int fd = dial(sim_port(s));
	say(fd, UNSIGNED_GET);
	hear(fd, text, sizeof text);
	assert_memory_equal(text, "HTTP/1.1 403 ", 13);
	close(fd);
	sim_stop(s);
}

/* The tests' door is there only when it was asked for: --demo has none. */
static void the_control_path(void **state)
{
	(void)state;
	for (unsigned open = 0; open < 2; open++) {
		char text[4096];
		struct sim *s = start(&(struct sim_options){ .scenario = "empty", .open = open });
		int fd = dial(sim_port(s));
		say(fd, "GET /_sluice/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
		hear(fd, text, sizeof text);
		assert_memory_equal(text, open ? "HTTP/1.1 200 " : "HTTP/1.1 403 ", 13);
		assert_non_null(strstr(text, open ? "{\"faults\":[]" : "Missing Authentication Token"));
		say(fd, "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"
		        "Content-Length: 0\r\n\r\n");
		hear(fd, text, sizeof text);
		assert_memory_equal(text, open ? "HTTP/1.1 200 " : "HTTP/1.1 403 ", 13);
		assert_true(open || strstr(text, "Missing Authentication Token"));
		close(fd);
		sim_stop(s);
	}
}

static void faults_from_the_start(void **state)
{
	(void)state;
	struct err e = { 0 };
	const char *const good[] = { "sqs:*=throttle", "*=delay:1" }, *const bad[] = { "sqs:*=throttle", "sqs:*=no-such" };
	sim_stop(start(&(struct sim_options){ .scenario = "empty", .faults = good, .nfaults = 2 }));
	assert_null(sim_start(&(struct sim_options){ .scenario = "empty", .faults = bad, .nfaults = 2 }, &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "no-such"));
}

/* ---- the child */

static bool gone(int pid)
{
	for (unsigned i = 0; i < 200; i++) {
		char path[64], line[256] = "";
		snprintf(path, sizeof path, "/proc/%d/stat", pid);
		FILE *f = fopen(path, "r");
		if (!f)
			return true;
		char *end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
		fclose(f);
		if (end && end[2] == 'Z')
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

static void child_serves(void **state)
{
	(void)state;
	struct sim_child child;
	struct err e = { 0 };
	char text[4096];
	assert_true(sim_fork(&(struct sim_options){ .scenario = "calm" }, &child, &e));
	assert_true(child.pid > 0 && child.port > 0);
	assert_int_equal(strlen(child.access_key), 20);
	assert_int_equal(strlen(child.secret_key), 40);
	assert_int_equal(getpgid(child.pid), child.pid); /* Ctrl-C at the terminal is not for it */
	for (int fd = 0; fd < 3; fd++) {
		char path[64], target[64] = "";
		snprintf(path, sizeof path, "/proc/%d/fd/%d", child.pid, fd);
		assert_true(readlink(path, target, sizeof target - 1) > 0);
		assert_string_equal(target, "/dev/null");
	}
	int fd = dial(child.port);
	say(fd, UNSIGNED_GET);
	hear(fd, text, sizeof text);
	close(fd);
	kill(child.pid, SIGTERM);
	assert_true(gone(child.pid));
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
}

static void child_dies_with_its_parent(void **state)
{
	(void)state;
	int ends[2];
	struct sim_child child = { 0 };
	assert_int_equal(pipe(ends), 0);
	pid_t parent = fork();
	if (parent == 0) {
		struct err e = { 0 };
		bool ok = sim_fork(&(struct sim_options){ .scenario = "empty" }, &child, &e);
		if (!ok || write(ends[1], &child, sizeof child) != (ssize_t)sizeof child)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &child, sizeof child), sizeof child);
	close(ends[0]);
	int fd = dial(child.port);
	assert_true(fd >= 0);
	close(fd);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_true(gone(child.pid));
}

static void child_that_cannot(void **state)
{
	(void)state;
	struct sim_child child;
	struct err e = { 0 };
	assert_false(sim_fork(&(struct sim_options){ .scenario = "no-such" }, &child, &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "no-such"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* it was not left behind */
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(child_serves), /* children first: no thread exists yet */
		cmocka_unit_test(child_dies_with_its_parent),
		cmocka_unit_test(child_that_cannot),
		cmocka_unit_test(starts_and_stops),
		cmocka_unit_test(refused_options),
		cmocka_unit_test(scenarios_are_named),
		cmocka_unit_test(only_on_loopback),
		cmocka_unit_test(slow_answers_wait_side_by_side),
		cmocka_unit_test(a_lone_slow_answer),
		cmocka_unit_test(stopped_while_answers_wait),
		cmocka_unit_test(too_large_a_body),
		cmocka_unit_test(garbage_on_the_line),
		cmocka_unit_test(the_control_path),
		cmocka_unit_test(faults_from_the_start),
	};
	return clock_init() && hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
