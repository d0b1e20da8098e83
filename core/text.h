/* Text for people: the one filter between AWS's text and every outlet, display width, and short numbers.
 *
 * The filter: text_visible() turns any bytes into printable UTF-8. What must never reach an outlet raw (C0, DEL, C1,
 * surrogates, the bidi controls, U+2028/9, zero-width and tag characters, noncharacters, unassigned code points) becomes <U+202E>; a
 * combining mark that opens the text, which would settle on the neighbouring field, likewise; a
 * byte that is not UTF-8 becomes <0xFF>, one mark per bad byte; a literal "<U+" or "<0x" has its '<' written as <U+003C>,
 * so text_unescape(text_visible(x)) = x for every x. No locale is consulted: the same on a pipe and on a terminal. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Decodes one code point at s (n > 0 bytes). Returns its length, or 0 when s[0] does not start a well-formed sequence
 * (overlong, surrogate, > U+10FFFF, cut short): then skip one byte. */
unsigned text_decode(const char *s, size_t n, uint32_t *cp);
unsigned text_encode(uint32_t cp, char out[4]);
bool text_is_safe(uint32_t cp);                            /* may it be written as it is? */

bool text_visible(struct buf *out, struct span in);        /* appends; false when out's cap was reached */
bool text_unescape(struct buf *out, struct span in);
/* For short fields: filters into a caller's array, clips at a mark's border, always NUL-terminated. Returns out. */
char *text_visible_to(char *out, size_t size, const char *in);

/* Display width in cells of already visible UTF-8 (wide and combining characters counted by utf8proc, not by the locale). */
unsigned text_width(struct span s);
/* The longest prefix of at most `cells` cells, whole grapheme clusters only; *used gets its width. */
struct span text_clip(struct span s, unsigned cells, unsigned *used);
/* s in at most `cells` cells: kept whole, or head + '~' or U+2026 + tail so that both ends of a long name stay readable. */
void text_shorten(struct buf *out, struct span s, unsigned cells, bool unicode);

#define TEXT_NUM 16
void text_number(double v, char out[TEXT_NUM]);            /* at most 6 cells: 0.4 12.3 412 1,291 21.6k 2.0M; NAN "-" */
void text_exact(double v, char out[32]);                   /* shortest text that reads back as the same double; NAN "" */
void text_duration(int64_t seconds, char out[TEXT_NUM]);   /* 0s 14s 44m 6h09m 3d02h 21d; negative gets '-' */
void text_brief(double v, char out[TEXT_NUM]);             /* at most 5 cells: 0 <.001 .004 412 1k 22k 2M 3G 1e30 -5k; NAN "-" */
void text_duration_brief(int64_t seconds, char out[TEXT_NUM]); /* at most 5 cells, one unit: 14s 44m 23h 21d 12ky */
void text_percent(double v, char out[TEXT_NUM]);           /* 7.8 0.1 100; NAN "-" */

#endif
