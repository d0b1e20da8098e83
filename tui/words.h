/* Instants and deadlines in words. Pure. */
#ifndef TUI_WORDS_H
#define TUI_WORDS_H

#include "core/model/event.h"
#include "core/model/loss.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* T goes round them. LOCAL is this machine's zone; AGE is how far from now. */
enum time_style { TIMES_UTC, TIMES_LOCAL, TIMES_AGE, TIMES_COUNT };

#define WHEN_SIZE 48
void when_hm(enum time_style ts, int64_t t, int64_t now, char out[WHEN_SIZE]);   /* 21:05Z, 22:05, "6h09m ago", "in 17h50m" */
void when_text(enum time_style ts, int64_t t, int64_t now, char out[WHEN_SIZE]); /* the same, with its day where that is more than 24 h away */
void when_between(enum time_style ts, int64_t a, int64_t b, int64_t now, char out[WHEN_SIZE]); /* "20:51..20:58Z" */

#define LOSS_CELL 12
/* At most 8 cells: 17h50m, 2h..3d, <=3d, >=2h, now, ??, and "-" where nothing is at risk or no clock runs. */
void loss_cell(const struct loss *l, int64_t now, char out[LOSS_CELL]);
/* The clock runs, or may run: it stands on row 3. */
bool loss_runs(const struct loss *l);
int64_t loss_soonest(const struct loss *l);  /* to order by: the earliest that cannot be ruled out; INT64_MAX: nothing tells */
/* "DATA LOSS in 17h50m: first record of shard 3 expires 21:05Z; age 6h09m, growing 1.00 s/s, retention 24h" */
void loss_sentence(const struct loss *l, enum time_style ts, int64_t now, char *out, size_t size);

#endif
