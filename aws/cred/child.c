#include "aws/cred/child.h"

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLICE_MS 50    /* how late its end, or ours, is noticed while its pipes are open */
#define SLICE_END_MS 5 /* ... and when they are closed: it is just ending */

/* ---- words */

void words_clear(struct words *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		hash_wipe(w->v[i], strlen(w->v[i]));
		free(w->v[i]);
	}
	free(w->v);
	*w = (struct words){ 0 };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One word from *p on, into out. Within "..." a backslash shields only itself and the quote. */
static bool take_word(const char **p, struct buf *out)
{
	char quote = '\0';
	const char *s = *p;
	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote ? *s == quote : *s == '"' || *s == '\'') {
			quote = quote ? '\0' : *s;
		} else if (*s == '\\' && (!quote || (quote == '"' && (s[1] == '"' || s[1] == '\\')))) {
			if (!*++s)
				return false;
			buf_addc(out, *s);
		} else {
			buf_addc(out, *s);
		}
	}
	*p = s;
	return !quote;
}

bool words_split(struct words *w, const char *line)
{
	struct buf word;
	unsigned cap = 0;
	bool ok = true;
	*w = (struct words){ 0 };
	buf_init(&word, strlen(line));
	MEM_GROW(w->v, w->n, cap);
	for (const char *p = line; ok;) {
		while (is_blank(*p))
			p++;
		if (!*p)
			break;
		buf_reset(&word);
		ok = take_word(&p, &word);
		w->v[w->n++] = xstrndup(word.p ? word.p : "", word.n);
		MEM_GROW(w->v, w->n, cap);
	}
	w->v[w->n] = NULL;
	if (word.p)
		hash_wipe(word.p, word.n);
	buf_clear(&word);
	if (!ok)
		words_clear(w);
	return ok;
}

/* ---- starting */

struct pipes {
	int out[2], err[2], fail[2]; /* fail: carries errno when the program cannot be started */
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_all(struct pipes *p)
{
	int *all[] = { &p->out[0], &p->out[1], &p->err[0], &p->err[1], &p->fail[0], &p->fail[1] };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		close_end(all[i]);
}

static bool open_pipes(struct pipes *p)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(p->out, O_CLOEXEC) == 0 && pipe2(p->err, O_CLOEXEC) == 0 && pipe2(p->fail, O_CLOEXEC) == 0 &&
	    fcntl(p->out[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(p->err[0], F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(p->fail[0], F_SETFL, O_NONBLOCK) == 0)
		return true;
	int why = errno;
	close_all(p);
	errno = why;
	return false;
}

/* Between fork and exec of a process with threads: nothing but what a signal handler may do. */
static _Noreturn void become(char *const *argv, const struct pipes *p, pid_t parent)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* should we be killed, it does not stay behind */
	if (getppid() != parent)
		_exit(127);
	setsid();
	for (int s = 1; s < NSIG; s++)
		sigaction(s, &plain, NULL); /* an ignored SIGPIPE would pass through exec */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDONLY);
	bool ok = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(p->out[1], STDOUT_FILENO) >= 0 &&
	          dup2(p->err[1], STDERR_FILENO) >= 0;
	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		for (int fd = STDERR_FILENO + 1; fd < 4096; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (ok)
		execvp(argv[0], argv);
	int why = errno;
	ssize_t told = write(p->fail[1], &why, sizeof why);
	_exit(told == (ssize_t)sizeof why ? 127 : 126);
}

/* ---- waiting */

/* Takes what is there; keep: only the end of it is kept, else more than `most` is too much. False when it was. */
static bool drain(int *fd, struct buf *b, bool keep)
{
	char chunk[4096];
	ssize_t n;
	while (*fd >= 0 && (n = read(*fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0)
			break;
		size_t got = (size_t)n, over = b->n + got > b->max ? b->n + got - b->max : 0;
		if (over && !keep)
			return false;
		if (over >= b->n)
			buf_reset(b); /* a chunk is no larger than what is kept */
		else if (over)
			memmove(b->p, b->p + over, b->n -= over);
		buf_add(b, chunk, got);
	}
	close_end(fd);
	return true;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };
	int r = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
	return r == 0 ? info.si_pid == pid : errno != EINTR;
}

static void wait_for(const struct fetch *f, struct pipes *p, pid_t pid, int64_t until, struct child *c, struct err *e)
{
	bool ended = false;
	while (!ended && !c->late && !c->flood && fetch_goes_on(f, e)) {
		struct pollfd fds[] = { { p->out[0], POLLIN, 0 }, { p->err[0], POLLIN, 0 } };
		poll(fds, 2, p->out[0] < 0 && p->err[0] < 0 ? SLICE_END_MS : SLICE_MS);
		ended = has_ended(pid); /* before the last look into its pipes */
		c->flood = !drain(&p->out[0], &c->out, false);
		drain(&p->err[0], &c->err, true);
		c->late = !ended && clock_mono_ms() >= until;
	}
	/* It is not waited for yet, so nobody else can have got its number. */
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &c->status, 0) < 0 && errno == EINTR)
		;
}

bool child_run(const struct fetch *f, char *const *argv, int ms, size_t most, struct child *c, struct err *e)
{
	struct pipes p;
	*c = (struct child){ 0 };
	buf_init(&c->out, most);
	buf_init(&c->err, CHILD_ERR);
	if (!open_pipes(&p))
		return err_set(e, ERR_INTERNAL, "pipe", "%s", strerror(errno));
	pid_t us = getpid(), pid = fork();
	if (pid == 0)
		become(argv, &p, us);
	int why = errno;
	close_end(&p.out[1]);
	close_end(&p.err[1]);
	close_end(&p.fail[1]);
	err_clear(e);
	if (pid < 0) {
		err_set(e, ERR_INTERNAL, "fork", "%s", strerror(why));
	} else {
		wait_for(f, &p, pid, clock_mono_ms() + ms, c, e);
		if (read(p.fail[0], &why, sizeof why) == (ssize_t)sizeof why)
			c->exec_errno = why;
	}
	close_all(&p);
	return e->code == ERR_OK;
}

void child_clear(struct child *c)
{
	struct buf *all[] = { &c->out, &c->err };
	for (size_t i = 0; i < 2; i++) {
		if (all[i]->p)
			hash_wipe(all[i]->p, all[i]->n);
		buf_clear(all[i]);
	}
}
