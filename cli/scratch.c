/* The demo's folder. */
#include "cli/cli.h"

#include "core/file.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	remove(path);
	return 0;
}

static void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* In a session of its own, so that Ctrl-C and a hangup of the terminal pass it by, and holding nothing of its parent's. */
static void __attribute__((noreturn)) keep_watch(const char *path, int pipe_end)
{
	char c;
	setsid();
	if (dup2(pipe_end, STDIN_FILENO) < 0)
		_exit(1);
	close_range(1, ~0U, 0);
	while (read(STDIN_FILENO, &c, 1) < 0 && errno == EINTR)
		;
	remove_tree(path);
	_exit(0);
}

static bool watch(struct cli_scratch *s)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		keep_watch(s->path, ends[0]);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return false;
	}
	s->pid = pid;
	s->pipe = ends[1];
	return true;
}

static bool make(struct cli_scratch *s, struct err *e)
{
	if (!mkdtemp(s->path))
		return err_set(e, ERR_DISK, s->path, "%s", strerror(errno));
	if (watch(s))
		return true;
	err_set(e, ERR_DISK, s->path, "%s", strerror(errno));
	remove_tree(s->path);
	return false;
}

/* No signal comes between the folder and its watcher; the watcher keeps them blocked, it has only one thing to wait for. */
bool cli_scratch_open(struct cli_scratch *s, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	sigset_t all, was;
	*s = (struct cli_scratch){ 0 };
	tmp = tmp && tmp[0] == '/' ? tmp : "/tmp";
	if (!file_folder_there(tmp, e)) /* whoever may rename our folder there decides what is written and removed */
		return false;
	s->path = xasprintf("%s/sluice-demo-XXXXXX", tmp);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &was);
	bool ok = make(s, e);
	sigprocmask(SIG_SETMASK, &was, NULL);
	if (ok)
		return true;
	free(s->path);
	s->path = NULL;
	return false;
}

void cli_scratch_close(struct cli_scratch *s)
{
	if (!s->path)
		return;
	close(s->pipe);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(s->path);
	s->path = NULL;
}
