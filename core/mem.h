/* Small allocations that cannot fail to their callers: out of memory runs the hook (the console restores the terminal
 * there), prints one line and exits 70. Large, remote-sized ones are capped first (buf.h). Any thread. */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void mem_on_oom(void (*hook)(void)); /* set once, before threads */

/* Room for one more element in a growing array: MEM_GROW(v, n, cap) */
#define MEM_GROW(v, n, cap)                                                      \
	do {                                                                         \
		if ((n) == (cap)) {                                                      \
			(cap) = (cap) ? (cap) * 2 : 8;                                       \
			(v) = xreallocarray((v), (size_t)(cap), sizeof *(v));                \
		}                                                                        \
	} while (0)

#endif
