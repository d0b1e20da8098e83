#include "core/mailbox.h"

void ring_init(struct ring *r)
{
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
}

bool ring_put(struct ring *r, void *item)
{
	unsigned head = atomic_load_explicit(&r->head, memory_order_relaxed);
	unsigned tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	if (head - tail == RING_SIZE)
		return false;
	r->slot[head % RING_SIZE] = item;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

void *ring_take(struct ring *r)
{
	unsigned tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	unsigned head = atomic_load_explicit(&r->head, memory_order_acquire);
	if (head == tail)
		return NULL;
	void *item = r->slot[tail % RING_SIZE];
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return item;
}

void latest_init(struct latest *l)
{
	atomic_init(&l->value, NULL);
}

void *latest_put(struct latest *l, void *item)
{
	return atomic_exchange_explicit(&l->value, item, memory_order_acq_rel);
}

void *latest_take(struct latest *l)
{
	return atomic_exchange_explicit(&l->value, NULL, memory_order_acq_rel);
}
