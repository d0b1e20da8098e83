/* Loaded into sluice by test_broken.py: when the key Ctrl-] is read, the program breaks in the way that BREAK names. A way that ends in "-thread"
 * breaks on another thread than the terminal's, at its next poll. */
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __stack_chk_fail(void);

static atomic_bool starved, on_thread;

void *malloc(size_t n)
{
	return atomic_load(&starved) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return atomic_load(&starved) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return atomic_load(&starved) ? NULL : __libc_realloc(p, n);
}

static int deeper(volatile char *above)
{
	volatile char here[4096];
	memset((void *)here, above[0] + 1, sizeof here);
	return deeper(here) + here[17];
}

static void twice(void)
{
	void *volatile p = malloc(24), *volatile q = p;
	free(p);
	free(q);
}

/* What stands before a block is what writing over the end of the one before it spoils. Only our own block's: another thread that walks into
 * a spoilt one would fall over by itself, before malloc sees it. */
static void over_the_end(void)
{
	size_t *volatile block = malloc(2000);
	block[-1] = 0x4141414141414141;
	free(block);
}

static void in_curses(void)
{
	int (*refresh)(void *) = (int (*)(void *))dlsym(RTLD_DEFAULT, "wnoutrefresh");
	refresh((void *)8);
}

static void fall(const char *way, size_t n)
{
	static const struct {
		const char *name;
		void (*how)(void);
	} ways[] = { { "abort", abort },
		         { "smashed", __stack_chk_fail },
		         { "twice", twice },
		         { "heap", over_the_end },
		         { "curses", in_curses } };
	if (n == 8 && memcmp(way, "overflow", n) == 0)
		exit(deeper("x"));
	if (n == 6 && memcmp(way, "assert", n) == 0)
		__assert_fail("it holds", "break.c", 1, "fall");
	if (n == 7 && memcmp(way, "starved", n) == 0)
		atomic_store(&starved, 1);
	if (n == 4 && memcmp(way, "null", n) == 0)
		*(volatile int *)0 = 1;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (strlen(ways[i].name) == n && memcmp(ways[i].name, way, n) == 0)
			ways[i].how();
}

ssize_t read(int fd, void *to, size_t n)
{
	ssize_t got = syscall(SYS_read, fd, to, n);
	const char *way = getenv("BREAK"), *other = way ? strstr(way, "-thread") : NULL;
	if (fd != STDIN_FILENO || got <= 0 || !memchr(to, 0x1d, (size_t)got) || !way)
		return got;
	if (other)
		atomic_store(&on_thread, 1);
	else
		fall(way, strlen(way));
	return got;
}

int poll(struct pollfd *fds, nfds_t n, int wait)
{
	if (syscall(SYS_gettid) != getpid() && atomic_exchange(&on_thread, 0)) {
		const char *way = getenv("BREAK");
		fall(way, (size_t)(strstr(way, "-thread") - way));
	}
	return (int)syscall(SYS_poll, fds, n, wait);
}
