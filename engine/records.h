/* JSON lines as records of a stream: which line is one, what its partition key is, and how many go into one call. Pure. */
#ifndef ENGINE_RECORDS_H
#define ENGINE_RECORDS_H

#include "engine/engine.h"

/* Fills r->items from the lines of rq->text, in their order; r->mem holds the keys. A line that cannot be sent is PUT_FAILED with
 * code and message, the others are PUT_PLANNED. A line ends at its line feed, which is not part of it; one of blanks only is none. */
void records_read(const struct put_records_request *rq, struct put_records_result *r);

/* The next call's records: places in r->items of PUT_PLANNED ones from *next on, at most `most` and as many bytes as one call takes.
 * A record above what every stream takes goes alone, lest its refusal be the others'. Returns how many; 0 = there are no more. */
unsigned records_batch(const struct put_records_result *r, unsigned *next, unsigned *places, unsigned most);

#endif
