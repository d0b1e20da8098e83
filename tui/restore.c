#include "tui/restore.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)
#define STALLED_MS 500 /* a terminal that takes no bytes for this long must not keep the process from ending */

static char bytes[RESTORE_BYTES];
static size_t nbytes;
static struct termios modes;
static atomic_bool is_up, ending;
static char handler_stack[STACK_BYTES];

static const struct {
	int number;
	const char *line;
} fatal[] = {
#define X(name) { SIG##name, "sluice: ended by SIG" #name "\n" },
	FATAL_SIGNALS(X)
#undef X
};

#define NFATAL (sizeof fatal / sizeof *fatal)

static struct sigaction before[NFATAL];

/* A handler must not see half of the new bytes. */
void restore_prepare(const struct termios *m, const char *b, size_t n)
{
	sigset_t set, was;
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &was);
	modes = *m;
	nbytes = n < sizeof bytes ? n : sizeof bytes;
	memcpy(bytes, b, nbytes);
	sigprocmask(SIG_SETMASK, &was, NULL);
}

void restore_up(bool up)
{
	atomic_store(&is_up, up);
}

static void write_all(int fd, const char *p, size_t n)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	while (n > 0 && poll(&ready, 1, STALLED_MS) > 0 && ready.revents & POLLOUT) {
		ssize_t wrote = write(fd, p, n);
		if (wrote <= 0)
			return;
		p += wrote;
		n -= (size_t)wrote;
	}
}

void restore_now(void)
{
	if (!atomic_exchange(&is_up, false))
		return;
	write_all(STDOUT_FILENO, bytes, nbytes);
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

/* The default action gives the exit status its parent expects; returning from here would not. */
static void on_fatal(int number)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigaction(number, &dfl, NULL);
	if (!atomic_exchange(&ending, true)) {
		restore_now();
		for (size_t i = 0; i < NFATAL; i++)
			if (fatal[i].number == number)
				write_all(STDERR_FILENO, fatal[i].line, strlen(fatal[i].line));
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
}

void restore_arm(void)
{
	stack_t stack = { .ss_sp = handler_stack, .ss_size = sizeof handler_stack };
	sigaltstack(&stack, NULL);
	struct sigaction sa = { .sa_handler = on_fatal, .sa_flags = SA_ONSTACK };
	for (size_t i = 0; i < NFATAL; i++) {
		sigaction(fatal[i].number, NULL, &before[i]);
		if (fatal[i].number != SIGHUP || before[i].sa_handler != SIG_IGN)
			sigaction(fatal[i].number, &sa, NULL);
	}
}

void restore_disarm(void)
{
	for (size_t i = 0; i < NFATAL; i++)
		sigaction(fatal[i].number, &before[i], NULL);
	stack_t none = { .ss_flags = SS_DISABLE };
	sigaltstack(&none, NULL);
}
