/* Hand-over between exactly two threads, without a lock. What is handed over belongs to the receiver from then on. */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A fixed ring of pointers, one writer thread, one reader thread. */
#define RING_SIZE 64
struct ring { _Atomic(unsigned) head, tail; void *slot[RING_SIZE]; };
void ring_init(struct ring *r);
bool ring_put(struct ring *r, void *item);   /* writer only; false when full: the item stays the caller's */
void *ring_take(struct ring *r);             /* reader only; NULL when empty */

/* The newest value only. */
struct latest { _Atomic(void *) value; };
void latest_init(struct latest *l);
void *latest_put(struct latest *l, void *item); /* returns the unclaimed older value (now the caller's to free), or NULL */
void *latest_take(struct latest *l);            /* NULL when nothing new */

#endif
