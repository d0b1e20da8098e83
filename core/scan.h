/* A strict JSON scanner over a complete buffer (RFC 8259, UTF-8, no BOM), three uses: the gate before cJSON, the reader of
 * bulk datapoints, and the bound on depth. It allocates nothing. After SCAN_ERROR it stays at the error. */
#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SCAN_DEPTH 64

enum scan_token {
	SCAN_ERROR, SCAN_END, SCAN_OBJECT, SCAN_OBJECT_END, SCAN_ARRAY, SCAN_ARRAY_END, SCAN_KEY, SCAN_STRING, SCAN_NUMBER,
	SCAN_TRUE, SCAN_FALSE, SCAN_NULL
};

struct scan {
	const char *p, *end, *start;
	struct span text;        /* of KEY and STRING: the raw bytes between the quotes; of NUMBER: its digits */
	bool escaped;            /* the KEY or STRING holds a backslash: use scan_string to decode */
	unsigned depth;
	const char *why;         /* after SCAN_ERROR */
	uint64_t kinds;          /* one bit a level: object or array */
	/* private: what may come next; the value of NUMBER is digits x 10^exp10 when `whole` */
	unsigned char state;
	bool whole;
	uint64_t digits;
	int64_t exp10;
};

void scan_init(struct scan *s, struct span json);
enum scan_token scan_next(struct scan *s);
bool scan_skip(struct scan *s);                        /* after KEY, or inside an array: passes one whole value; false on error */
double scan_double(const struct scan *s);              /* of the NUMBER just read; correctly rounded; +-HUGE_VAL on overflow */
bool scan_int(const struct scan *s, int64_t *v);       /* false when the NUMBER is no integer or does not fit */
bool scan_string(const struct scan *s, struct buf *out); /* appends the decoded KEY or STRING; false at out's cap. \u0000 gives a NUL byte */
bool scan_valid(struct span json, struct err *e);      /* whole text: exactly one value. The gate. Fills BADREPLY with offset and reason */
bool scan_valid_most(struct span json, size_t most, struct err *e); /* the same, and LIMIT beyond so many values, however nested */

#endif
