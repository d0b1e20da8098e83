/* Bytes: spans, the capped buffer, and the arena. */
#include "core/buf.h"

#include "core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void spans(void **state)
{
	(void)state;
	assert_int_equal(span_of(NULL).n, 0);
	assert_int_equal(span_of("abc").n, 3);
	assert_int_equal(SPAN("a\0b").n, 3);
	assert_true(span_eq(SPAN("abc"), "abc"));
	assert_false(span_eq(SPAN("abc"), "abcd"));
	assert_false(span_eq(SPAN("abcd"), "abc"));
	assert_false(span_eq(SPAN("a\0c"), "a"));
	assert_true(span_eq((struct span){ NULL, 0 }, ""));
	assert_true(span_eq_nocase(SPAN("X-Amz-Date"), "x-amz-DATE"));
	assert_false(span_eq_nocase(SPAN("x[y"), "x{y")); /* letters only */
	assert_false(span_eq_nocase(SPAN("\xc4"), "\xe4"));
	assert_true(span_eq(span_trim(SPAN(" \t a b \t")), "a b"));
	assert_true(span_eq(span_trim(SPAN(" \t ")), ""));
	assert_true(span_eq(span_trim(SPAN("\na\n")), "\na\n"));
	assert_int_equal(span_trim((struct span){ NULL, 0 }).n, 0);
}

static void grows_to_its_cap(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	assert_int_equal(buf_span(&b).n, 0);
	assert_non_null(buf_span(&b).p);
	assert_true(buf_adds(&b, "12345"));
	assert_true(buf_addc(&b, '6'));
	assert_true(buf_addspan(&b, SPAN("78")));
	assert_true(buf_addf(&b, "%d", 90));
	assert_string_equal(b.p, "1234567890");
	assert_false(buf_full(&b));
	assert_true(buf_add(&b, "", 0));
	assert_false(buf_addc(&b, 'x'));
	assert_true(buf_full(&b));
	assert_string_equal(b.p, "1234567890");
	buf_reset(&b);
	assert_false(buf_full(&b));
	assert_string_equal(b.p, "");
	buf_clear(&b);
	assert_null(b.p);
	assert_int_equal(b.max, 10);
}

/* Once full it stays full and whole, even for what would fit: half a text must not look like a whole one. */
static void full_is_sticky(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 4);
	assert_true(buf_adds(&b, "ab"));
	assert_false(buf_adds(&b, "cde"));
	assert_false(buf_adds(&b, "c"));
	assert_false(buf_addf(&b, "%s", "c"));
	assert_false(buf_add(&b, NULL, 0));
	assert_string_equal(b.p, "ab");
	buf_clear(&b);
	buf_init(&b, 4);
	assert_false(buf_addf(&b, "%s", "12345"));
	assert_null(b.p);
	assert_false(buf_add(&b, "x", SIZE_MAX));
	buf_clear(&b);
	buf_init(&b, 0);
	assert_true(buf_adds(&b, ""));
	assert_false(buf_adds(&b, "x"));
	buf_clear(&b);
}

static void holds_any_byte(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 100000);
	for (unsigned i = 0; i < 70000; i++)
		assert_true(buf_addc(&b, (char)(i % 256)));
	for (unsigned i = 0; i < 70000; i++)
		assert_int_equal((unsigned char)b.p[i], i % 256);
	assert_int_equal(b.p[b.n], 0);
	assert_true(b.cap <= 100001);
	buf_clear(&b);
}

static void steals(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	buf_adds(&b, "abc");
	char *s = buf_steal(&b);
	assert_string_equal(s, "abc");
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.max, 10);
	free(s);
	s = buf_steal(&b);
	assert_string_equal(s, "");
	free(s);
}

/* ---- the arena ---- */

static void arena_gives(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a);
	assert_int_equal(a.bytes, 0);
	assert_null(arena_array(&a, 0, 8));
	assert_null(arena_strdup(&a, NULL));
	assert_null(arena_strndup(&a, NULL, 3));
	assert_string_equal(arena_strdup(&a, "abc"), "abc");
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_printf(&a, "%s/%d", "x", 7), "x/7");
	assert_non_null(arena_alloc(&a, 0));
	uint64_t *v = arena_array(&a, 1000, sizeof *v);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(v[i], 0);
	arena_clear(&a);
	assert_null(a.head);
	assert_int_equal(a.bytes, 0);
	arena_clear(&a);
}

/* Blocks of every size: aligned, zeroed, and none overlaps another. */
static void arena_blocks_are_apart(void **state)
{
	(void)state;
	enum { COUNT = 2000 };
	static struct {
		unsigned char *p;
		size_t n;
	} got[COUNT];
	struct arena a;
	arena_init(&a);
	uint64_t x = 88172645463325252u;
	size_t total = 0;
	for (unsigned i = 0; i < COUNT; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		got[i].n = i % 500 == 499 ? 300000 : (size_t)(x % 300);
		got[i].p = arena_alloc(&a, got[i].n);
		assert_int_equal((uintptr_t)got[i].p % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < got[i].n; k++)
			assert_true(got[i].p[k] == 0);
		memset(got[i].p, (int)(i % 255 + 1), got[i].n);
		total += got[i].n;
	}
	for (unsigned i = 0; i < COUNT; i++)
		for (size_t k = 0; k < got[i].n; k++)
			assert_true(got[i].p[k] == i % 255 + 1);
	assert_true(a.bytes >= total && a.bytes < 3 * total);
	arena_clear(&a);
}

/* Freed memory cannot be looked at, so the memory that is kept is: after a reset nothing of the secret is in it. */
static void secrets(void **state)
{
	(void)state;
	struct buf b;
	buf_init_secret(&b, 1000);
	assert_true(buf_adds(&b, "the secret"));
	for (unsigned i = 0; i < 90; i++) /* grows several times, its content with it */
		assert_true(buf_adds(&b, "0123456789"));
	assert_int_equal(b.n, 910);
	assert_memory_equal(b.p, "the secret0123456789", 20);
	assert_false(buf_adds(
	    &b, "much too much much too much much too much much too much much too much much too much much too much"));
	assert_true(buf_full(&b));
	size_t cap = b.cap;
	buf_reset(&b);
	for (size_t i = 0; i < cap; i++)
		assert_int_equal(b.p[i], 0);
	buf_clear(&b);
	assert_true(b.secret && !b.p && b.max == 1000);
	assert_true(buf_adds(&b, "again"));
	char *room = buf_room(&b, 3);
	assert_non_null(room);
	assert_string_equal(b.p + 8, ""); /* ends where it would end */
	memcpy(room, "xyz", 3);
	b.n += 3;
	assert_string_equal(b.p, "againxyz");
	assert_null(buf_room(&b, 1000));
	assert_true(buf_full(&b));
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets),          cmocka_unit_test(spans),
		cmocka_unit_test(grows_to_its_cap), cmocka_unit_test(full_is_sticky),
		cmocka_unit_test(holds_any_byte),   cmocka_unit_test(steals),
		cmocka_unit_test(arena_gives),      cmocka_unit_test(arena_blocks_are_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
