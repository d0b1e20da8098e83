#include "tui/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t ids[20000];

static uint64_t id_at(const void *ctx, unsigned line)
{
	return ((const uint64_t *)ctx)[line];
}

static struct list_lines lines(unsigned n)
{
	return (struct list_lines){ .n = n, .id = id_at, .ctx = ids };
}

static void set(unsigned n, const uint64_t *v)
{
	memcpy(ids, v, n * sizeof *v);
}

static void test_first_sync_selects_the_first_row(void **state)
{
	(void)state;
	struct list l = { 0 };
	set(3, (uint64_t[]){ 0, 11, 12 });
	struct list_lines ls = lines(3);
	list_sync(&l, &ls);
	assert_int_equal(l.line, 1);
	assert_int_equal(l.id, 11);
}

/* A refresh that moves rows takes the selection with it, and keeps it at its place on the screen. */
static void test_selection_follows_its_row(void **state)
{
	(void)state;
	struct list l = { 0 };
	for (unsigned i = 0; i < 100; i++)
		ids[i] = i + 1;
	struct list_lines ls = lines(100);
	list_sync(&l, &ls);
	list_select(&l, &ls, 50);
	list_scroll(&l, 100, 10);
	unsigned on_screen = l.line - l.top;
	memmove(ids + 7, ids, 100 * sizeof *ids);
	for (unsigned i = 0; i < 7; i++)
		ids[i] = 1000 + i;
	ls.n = 107;
	list_sync(&l, &ls);
	list_scroll(&l, 107, 10);
	assert_int_equal(l.id, 51);
	assert_int_equal(l.line, 57);
	assert_int_equal(l.line - l.top, on_screen);
	memmove(ids, ids + 30, 77 * sizeof *ids);
	ls.n = 77;
	list_sync(&l, &ls);
	assert_int_equal(l.id, 51);
	assert_int_equal(l.line, 27);
}

static void test_gone_row_leaves_its_neighbour(void **state)
{
	(void)state;
	struct list l = { 0 };
	set(4, (uint64_t[]){ 1, 2, 3, 4 });
	struct list_lines ls = lines(4);
	list_sync(&l, &ls);
	list_select(&l, &ls, 2);
	set(3, (uint64_t[]){ 1, 2, 4 });
	ls.n = 3;
	list_sync(&l, &ls);
	assert_int_equal(l.id, 4);
	set(1, (uint64_t[]){ 1 });
	ls.n = 1;
	list_sync(&l, &ls);
	assert_int_equal(l.id, 1);
	ls.n = 0;
	list_sync(&l, &ls);
	assert_int_equal(l.id, 0);
}

static void test_headings_are_passed_over(void **state)
{
	(void)state;
	struct list l = { 0 };
	set(7, (uint64_t[]){ 0, 1, 2, 0, 3, 4, 0 });
	struct list_lines ls = lines(7);
	list_sync(&l, &ls);
	list_scroll(&l, 7, 7);
	static const struct {
		enum move m;
		uint64_t id;
	} walk[] = { { MOVE_DOWN, 2 },      { MOVE_DOWN, 3 },    { MOVE_UP, 2 },        { MOVE_UP, 1 },
		         { MOVE_UP, 1 },        { MOVE_LAST, 4 },    { MOVE_DOWN, 4 },      { MOVE_FIRST, 1 },
		         { MOVE_HALF_DOWN, 3 }, { MOVE_HALF_UP, 1 }, { MOVE_PAGE_DOWN, 4 }, { MOVE_PAGE_UP, 1 } };
	for (size_t i = 0; i < sizeof walk / sizeof *walk; i++) {
		list_move(&l, &ls, walk[i].m);
		assert_int_equal(l.id, walk[i].id);
	}
}

static void test_nothing_but_headings(void **state)
{
	(void)state;
	struct list l = { 0 };
	set(2, (uint64_t[]){ 0, 0 });
	struct list_lines ls = lines(2);
	list_sync(&l, &ls);
	for (int m = MOVE_DOWN; m <= MOVE_LAST; m++)
		list_move(&l, &ls, (enum move)m);
	assert_int_equal(l.id, 0);
}

static void test_selected_line_is_always_visible(void **state)
{
	(void)state;
	struct list l = { 0 };
	srand(3);
	for (int round = 0; round < 20000; round++) {
		unsigned n = (unsigned)(rand() % 60), page = (unsigned)(rand() % 15);
		for (unsigned i = 0; i < n; i++)
			ids[i] = rand() % 6 ? (uint64_t)(rand() % 90) + 1 : 0;
		struct list_lines ls = lines(n);
		list_sync(&l, &ls);
		list_scroll(&l, n, page);
		list_move(&l, &ls, (enum move)(rand() % 8));
		list_scroll(&l, n, page);
		assert_true(n == 0 || l.line < n);
		if (l.id && page)
			assert_true(l.line >= l.top && l.line < l.top + page && l.id == ids[l.line]);
		assert_true(n <= page || page == 0 || l.top + page <= n);
	}
}

/* ---- columns */

static const struct list_column columns[] = {
	{ "NAME", 10, 15, 30, 0, false }, { "A", 5, 5, 5, 1, true },         { "B", 5, 5, 5, 3, true },
	{ "SPARK", 8, 24, 48, 4, false }, { "NOTE", 20, 40, 200, 5, false }, { "C", 6, 8, 8, 2, false },
};
#define NCOLUMNS (sizeof columns / sizeof *columns)

static void test_columns_by_rank(void **state)
{
	(void)state;
	uint8_t w[NCOLUMNS];
	assert_int_equal(list_fit(columns, NCOLUMNS, 4, w), 0);
	assert_int_equal(list_fit(columns, NCOLUMNS, 12, w), 12);
	assert_int_equal(w[0], 12);
	list_fit(columns, NCOLUMNS, 21, w);
	assert_true(w[0] == 15 && w[1] == 5 && !w[2] && !w[5]);
	assert_int_equal(list_fit(columns, NCOLUMNS, 76, w), 76);
	assert_true(w[0] == 15 + 15 && w[1] == 5 && w[5] == 8 && w[2] == 5 && w[3] == 24 &&
	            !w[4]); /* what is left widens the first */
	list_fit(columns, NCOLUMNS, 196, w);
	assert_true(w[0] == 30 && w[3] == 48 && w[4] == 196 - 30 - 5 - 8 - 5 - 48 - 5);
}

static void test_columns_never_exceed_the_room(void **state)
{
	(void)state;
	uint8_t w[NCOLUMNS];
	for (unsigned cells = 0; cells < 600; cells++) {
		unsigned sum = 0;
		unsigned used = list_fit(columns, NCOLUMNS, cells, w);
		for (size_t i = 0; i < NCOLUMNS; i++) {
			sum += w[i] ? w[i] + (sum ? 1u : 0u) : 0;
			assert_true(w[i] == 0 || (w[i] >= columns[i].min && w[i] <= columns[i].max));
		}
		assert_int_equal(sum, used);
		assert_true(used <= cells);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_sync_selects_the_first_row),
		cmocka_unit_test(test_selection_follows_its_row),
		cmocka_unit_test(test_gone_row_leaves_its_neighbour),
		cmocka_unit_test(test_headings_are_passed_over),
		cmocka_unit_test(test_nothing_but_headings),
		cmocka_unit_test(test_selected_line_is_always_visible),
		cmocka_unit_test(test_columns_by_rank),
		cmocka_unit_test(test_columns_never_exceed_the_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
