/* core/mailbox.c: one thread against a model, then two threads (run under ThreadSanitizer by `make tsan`). */
#include "core/mailbox.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS 100000

static void *item(uintptr_t n)
{
	return (void *)n;
}

static void ring_like_a_queue(void **state)
{
	(void)state;
	struct ring r;
	uintptr_t put = 0, taken = 0;
	uint64_t x = 5;
	ring_init(&r);
	assert_null(ring_take(&r));
	for (unsigned i = 0; i < 100000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		bool fill = i / 200 % 2; /* long phases that fill it and empty it */
		if ((x >> 33) % 4 < (fill ? 3u : 1u)) {
			bool room = put - taken < RING_SIZE;
			assert_int_equal(ring_put(&r, item(put + 1)), room);
			put += room;
		} else {
			void *got = ring_take(&r);
			assert_ptr_equal(got, put > taken ? item(taken + 1) : NULL);
			taken += got != NULL;
		}
	}
	assert_true(put > 1000);
}

static void ring_holds_what_it_says(void **state)
{
	(void)state;
	struct ring r;
	ring_init(&r);
	for (uintptr_t i = 1; i <= RING_SIZE; i++)
		assert_true(ring_put(&r, item(i)));
	assert_false(ring_put(&r, item(99)));
	assert_ptr_equal(ring_take(&r), item(1));
	assert_true(ring_put(&r, item(100)));
	for (uintptr_t i = 2; i <= RING_SIZE; i++)
		assert_ptr_equal(ring_take(&r), item(i));
	assert_ptr_equal(ring_take(&r), item(100));
	assert_null(ring_take(&r));
}

/* The counters run over once every four thousand million items. */
static void ring_counters_wrap(void **state)
{
	(void)state;
	struct ring r;
	ring_init(&r);
	atomic_store(&r.head, UINT_MAX - 10);
	atomic_store(&r.tail, UINT_MAX - 10);
	for (uintptr_t i = 1; i <= RING_SIZE; i++)
		assert_true(ring_put(&r, item(i)));
	assert_false(ring_put(&r, item(99)));
	for (uintptr_t i = 1; i <= RING_SIZE; i++)
		assert_ptr_equal(ring_take(&r), item(i));
	assert_null(ring_take(&r));
}

static void *writer(void *ring)
{
	for (uintptr_t i = 1; i <= ITEMS; i++) {
		uintptr_t *box = malloc(sizeof *box);
		if (!box)
			abort();
		*box = i;
		while (!ring_put(ring, box))
			sched_yield();
	}
	return NULL;
}

static void ring_between_threads(void **state)
{
	(void)state;
	struct ring r;
	pthread_t t;
	ring_init(&r);
	assert_int_equal(pthread_create(&t, NULL, writer, &r), 0);
	for (uintptr_t want = 1; want <= ITEMS;) {
		uintptr_t *box = ring_take(&r);
		if (!box) {
			sched_yield();
			continue;
		}
		assert_int_equal(*box, want++);
		free(box);
	}
	pthread_join(t, NULL);
	assert_null(ring_take(&r));
}

static void latest_keeps_one(void **state)
{
	(void)state;
	struct latest l;
	latest_init(&l);
	assert_null(latest_take(&l));
	assert_null(latest_put(&l, item(1)));
	assert_ptr_equal(latest_put(&l, item(2)), item(1));
	assert_ptr_equal(latest_take(&l), item(2));
	assert_null(latest_take(&l));
	assert_null(latest_put(&l, item(3)));
	assert_ptr_equal(latest_take(&l), item(3));
}

static void *publisher(void *latest)
{
	uintptr_t unclaimed = 0;
	for (uintptr_t i = 1; i <= ITEMS; i++) {
		uintptr_t *box = malloc(sizeof *box);
		if (!box)
			abort();
		*box = i;
		uintptr_t *old = latest_put(latest, box);
		unclaimed += old != NULL;
		free(old);
	}
	return item(unclaimed);
}

/* Each value is freed once, by its taker or by the publisher; values only get newer; the last one arrives. */
static void latest_between_threads(void **state)
{
	(void)state;
	struct latest l;
	pthread_t t;
	void *unclaimed;
	uintptr_t last = 0, taken = 0;
	latest_init(&l);
	assert_int_equal(pthread_create(&t, NULL, publisher, &l), 0);
	while (last < ITEMS) {
		uintptr_t *box = latest_take(&l);
		if (!box) {
			sched_yield();
			continue;
		}
		assert_true(*box > last);
		last = *box;
		taken++;
		free(box);
	}
	pthread_join(t, &unclaimed);
	assert_int_equal(taken + (uintptr_t)unclaimed, ITEMS);
	assert_null(latest_take(&l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_like_a_queue),  cmocka_unit_test(ring_holds_what_it_says),
		cmocka_unit_test(ring_counters_wrap), cmocka_unit_test(ring_between_threads),
		cmocka_unit_test(latest_keeps_one),   cmocka_unit_test(latest_between_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
