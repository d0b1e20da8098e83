/* Instants, and who did something, in words. Pure. */
#ifndef TUI_WORDS_H
#define TUI_WORDS_H

#include <stdint.h>

/* T goes round them. LOCAL is this machine's zone; AGE is how far from now. */
enum time_style { TIMES_UTC, TIMES_LOCAL, TIMES_AGE, TIMES_COUNT };

#define WHEN_SIZE 48
void when_hm(enum time_style ts, int64_t t, int64_t now, char out[WHEN_SIZE]);   /* 21:05Z, 22:05, "6h09m ago", "in 17h50m" */
void when_text(enum time_style ts, int64_t t, int64_t now, char out[WHEN_SIZE]); /* the same, with its day where that is more than 24 h away */
void when_between(enum time_style ts, int64_t a, int64_t b, int64_t now, char out[WHEN_SIZE]); /* "20:51..20:58Z" */

/* Who did it, in short: "data-deploy/ci-4711" of an assumed role's ARN, "alice" of a user's; what is no ARN as it is. Into `by`. */
const char *who_word(const char *by);

#endif
