/* What a row's cells say: one text and one number (to sort by) a field, from the readings that stand for its role. */
#ifndef TUI_FIELDS_H
#define TUI_FIELDS_H

#include "core/model/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

#define FIELD_SIZE 24

/* "-": there is no source, or nothing happened that it could tell of. "?": a point is missing, or nobody could read it. */
const char *field_absent(const struct row *r, const struct reading *rd);
/* '~' stands before what is old. old: everything is, the values come from the history alone. What does not fit into `width`
 * cells is rounded until it does. */
void field_text(const struct row *r, enum role role, bool old, int width, char out[FIELD_SIZE]);
void reading_text(const struct row *r, const struct reading *rd, bool old, char out[FIELD_SIZE]); /* of any reading, with its unit */
double field_number(const struct row *r, enum role role);      /* in the unit shown; NAN when there is none */
void field_kind(const struct row *r, char out[FIELD_SIZE]);    /* "sqs dlq" */
const char *unit_short(const struct metric_info *info);        /* "per minute" for sums, "" when the value carries it */
void field_slowed(const struct row *r, char *out, size_t size); /* "polled every 15m: budget", of one that the budget slowed down */
void field_note(const struct row *r, char *out, size_t size);  /* why, and what else is known of one that is fine */

#endif
