/* How far a batch of a stream's records has come, in a line that the ledger keeps: which of its records have their outcome, and what it was.
 * The records are handed on in their order, so that a place says it all. Pure. */
#ifndef REPLAY_PROGRESS_H
#define REPLAY_PROGRESS_H

#include "core/model/record.h"

#define PROGRESS_POISON 16 /* records of a batch that are given up before the batch is */
#define PROGRESS_TEXT (40 + (PROGRESS_POISON + 1) * (SEQUENCE_MOST + 1))

struct progress {
	unsigned done;                /* records from the first on that have their outcome */
	unsigned gone;                /* of these: had expired, were never sent */
	char upto[SEQUENCE_MOST + 1]; /* the last of them; "" when done is 0 */
	unsigned npoison;             /* of these: given up */
	char poison[PROGRESS_POISON][SEQUENCE_MOST + 1];
};
/* "12/0@4960...82!4960...77": 12 have theirs, none had expired, up to ...82, and ...77 was given up. */
void progress_write(const struct progress *p, char out[PROGRESS_TEXT]);
bool progress_read(const char *text, struct progress *p); /* NULL: nothing was done yet; false: no such line */

#endif
