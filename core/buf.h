/* Bytes. struct span borrows (never frees, may hold NUL, is not terminated); struct buf owns and has a cap from birth.
 * After any add that returned false the buf is unchanged and buf_full() stays true. b.p is NUL-terminated once non-NULL. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct span { const char *p; size_t n; };
struct buf { char *p; size_t n, cap, max; bool full, secret; };

#define SPAN(lit) ((struct span){ (lit), sizeof(lit) - 1 })
struct span span_of(const char *s);                  /* NULL gives an empty span */
bool span_eq(struct span a, const char *s);
bool span_eq_nocase(struct span a, const char *s);   /* ASCII only, whatever the locale */
struct span span_trim(struct span a);                /* blanks and tabs at both ends */

void buf_init(struct buf *b, size_t max);            /* max excludes the NUL */
void buf_init_secret(struct buf *b, size_t max);     /* the same; no byte of it stays behind in freed memory */
void buf_clear(struct buf *b);                       /* frees; the cap stays */
void buf_reset(struct buf *b);                       /* n = 0, memory kept */
char *buf_room(struct buf *b, size_t n);             /* behind the last byte, room for n more: fill it, then raise b->n; or NULL */
bool buf_add(struct buf *b, const void *p, size_t n);
bool buf_adds(struct buf *b, const char *s);
bool buf_addspan(struct buf *b, struct span s);
bool buf_addc(struct buf *b, char c);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_full(const struct buf *b);
struct span buf_span(const struct buf *b);
void buf_fit(struct buf *b);                         /* gives back the room that is not used: it is whole */
char *buf_steal(struct buf *b);                      /* the owned, NUL-terminated bytes; b is empty afterwards */

#endif
