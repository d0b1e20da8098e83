/* How a batch that fails is narrowed down to what fails, in order and by halves, as a stream's mapping with BisectBatchOnFunctionError does
 * it: what failed alone often enough is given up, and the rest goes on behind it. Pure. */
#ifndef REPLAY_BISECT_H
#define REPLAY_BISECT_H

#include <stdbool.h>

struct bisect {
	unsigned at, end; /* records before `at` have their outcome; `end`: how many there are */
	unsigned upto;    /* what lies from `at` on before this has failed together; 0: nothing has */
	unsigned tries;   /* failures of the record at `at`, alone */
};

/* How many go next, from `at` on; at most `most`. 0: every record has its outcome. */
unsigned bisect_next(const struct bisect *b, unsigned most);
/* Those were accepted: all of a try, or of a partial answer what lies before the lowest that failed. */
void bisect_accept(struct bisect *b, unsigned n);
/* A try of n, from `at` on, failed. True: it was one record, for the last time: it is given up, and `at` has moved on. */
bool bisect_fail(struct bisect *b, unsigned n, unsigned tries_most);

#endif
