#include "core/thread.h"

#include "core/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#define STACK_BYTES (32 * 1024)

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };

struct begin {
	void *(*run)(void *);
	void *arg;
};

/* A sanitizer has one already, and takes it down itself. */
static void stack_for_handlers(void)
{
	static _Thread_local char bytes[STACK_BYTES];
	stack_t there, stack = { .ss_sp = bytes, .ss_size = sizeof bytes };
	if (sigaltstack(NULL, &there) == 0 && there.ss_flags & SS_DISABLE)
		sigaltstack(&stack, NULL);
}

static void *begin(void *arg)
{
	struct begin b = *(struct begin *)arg;
	free(arg);
	stack_for_handlers();
	return b.run(b.arg);
}

int thread_start(pthread_t *t, void *(*run)(void *), void *arg)
{
	struct begin *b = xmalloc(sizeof *b);
	sigset_t all, old;
	*b = (struct begin){ run, arg };
	sigfillset(&all);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int failed = pthread_create(t, NULL, begin, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed)
		free(b);
	return failed;
}
