/* Memory that is freed at once: a request's, a snapshot's. One owner; hand the whole arena over, never a part. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena { struct arena_block *head; size_t bytes; };

void arena_init(struct arena *a);
void arena_clear(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);             /* zeroed, aligned for any type; never NULL */
void *arena_array(struct arena *a, size_t n, size_t size);/* zeroed; NULL only when n == 0 */
char *arena_strdup(struct arena *a, const char *s);       /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
