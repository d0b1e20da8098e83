/* Which rows a filter lets through. Pure. */
#ifndef TUI_FILTER_H
#define TUI_FILTER_H

#include "core/model/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* Words, all of which must hold: TEXT anywhere in name, resource, kind, state or pipeline; COLUMN:TEXT, COLUMN:>N, COLUMN:<N
 * with N as 30 1.5k 2M 7% 90s 6h 3d, COLUMN:- for no value; !WORD for what must not hold. Upper and lower case are one. */
bool filter_matches(const struct snapshot *s, const struct row *r, const char *filter, int64_t now);
bool text_holds(const char *text, const char *word, size_t n); /* n bytes of word are somewhere in text, in any case */

#endif
