/* Rice coding of unsigned numbers: the high part in unary, the low k bits plain, an escape for what is far out. With
 * `repeats` a leading bit says zero or not, which pays when most numbers are zero and the rest are large. Pure. */
#ifndef CACHE_RICE_H
#define CACHE_RICE_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rice {
	unsigned k; /* 0..63 */
	bool repeats;
	uint64_t bits; /* what it costs, about */
};

struct rice rice_plan(const uint64_t *u, size_t n); /* the cheapest parameters, nearly */
void rice_encode(struct buf *out, struct rice plan, const uint64_t *u, size_t n);
/* The whole of body must be n numbers and the padding of the last byte; false otherwise. */
bool rice_decode(struct span body, struct rice plan, uint64_t *u, size_t n);

#endif
