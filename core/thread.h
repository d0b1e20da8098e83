/* How every thread is started: signals are other threads' business, but not the faults, which come to the thread that made them and must
 * reach the handler that gives the terminal back; and for that handler it has a stack of its own, so that even an overflow of the thread's
 * stack is told. (Of the main thread, whoever installs the handlers sees to it.) */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <sys/types.h>

/* As pthread_create: 0, or the errno of why not. */
int thread_start(pthread_t *t, void *(*run)(void *), void *arg);

#endif
