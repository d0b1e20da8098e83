/* Runs a program of the user's choosing and waits for it: no shell, a session of its own (no way to our terminal), /dev/null to
 * read from, nothing of ours open in it. However it ends, its whole process group has ended when this returns; what made a
 * session of its own (a daemon) is its own master. */
#ifndef AWS_CHILD_H
#define AWS_CHILD_H

#include "aws/cred/fetch.h"

/* A command line as Python's shlex splits it, which is what AWS's tools do: blanks part words, "..." and '...' hold them
 * together, a backslash takes the next character as it is. No variables, no globbing, no tilde, no comments. */
struct words {
	char **v; /* NULL at the end */
	unsigned n;
};
bool words_split(struct words *w, const char *line); /* false (and empty) when a quote or a backslash stays open */
void words_clear(struct words *w);                   /* wipes: a command line may hold secrets */

struct child {
	struct buf out;   /* what it wrote; wiped by child_clear */
	struct buf err;   /* the last CHILD_ERR bytes of what it complained */
	bool flood;       /* it wrote more than `most` and was ended */
	bool late;        /* it took longer than `ms` and was ended */
	int exec_errno;   /* not 0: it could not be started */
	int status;       /* as waitpid tells */
};
#define CHILD_ERR 4096

/* False (TIMEOUT, CANCELLED, INTERNAL) when f may not go on or nothing can be started at all; else all is in c. c is to be
 * cleared in any case. */
bool child_run(const struct fetch *f, char *const *argv, int ms, size_t most, struct child *c, struct err *e);
void child_clear(struct child *c);

#endif
