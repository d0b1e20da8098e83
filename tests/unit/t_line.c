/* The line before a gate: who goes first, and who is let go when the service throttles. */
#include "aws/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct one {
	struct queued queued;
	unsigned n;
};

static struct one *of(struct queued *q)
{
	return (struct one *)q;
}

static void test_calls(void **state)
{
	(void)state;
	struct calls l;
	struct one m[5];
	calls_init(&l);
	for (unsigned i = 0; i < 5; i++) {
		m[i].n = i;
		calls_add(&l, &m[i].queued);
	}
	calls_drop(&l, &m[4].queued); /* the last */
	calls_drop(&l, &m[0].queued); /* the first */
	calls_drop(&l, &m[2].queued);
	calls_push(&l, &m[4].queued);
	calls_add(&l, &m[0].queued);
	static const unsigned want[] = { 4, 1, 3, 0 };
	unsigned n = 0;
	for (struct queued *q = l.head; q; q = q->next)
		assert_int_equal(of(q)->n, want[n++]);
	assert_int_equal(n, 4);
	for (unsigned i = 0; i < 4; i++)
		calls_drop(&l, &m[want[i]].queued);
	assert_null(l.head);
	calls_push(&l, &m[2].queued);
	calls_add(&l, &m[3].queued);
	assert_int_equal(of(l.head->next)->n, 3);
}

/* Fills a line with so many of each class; m[i].n = class * 100 + its place in it. */
static void fill(struct line *l, struct one *m, const unsigned count[CALL_CLASSES])
{
	for (unsigned c = 0; c < CALL_CLASSES; c++)
		for (unsigned i = 0; i < count[c]; i++) {
			m->n = c * 100 + i;
			calls_add(&l->waiting[c], &m->queued);
			m++;
		}
}

static unsigned left(const struct line *l, unsigned class)
{
	unsigned n = 0;
	for (struct queued *q = l->waiting[class].head; q; q = q->next)
		assert_int_equal(of(q)->n, class * 100 + n++); /* those before go on waiting in their order */
	return n;
}

static void test_shed(void **state)
{
	(void)state;
	static const struct {
		double rate;
		unsigned wait[CALL_CLASSES], keep[CALL_CLASSES];
	} cases[] = {
		{ 5, { 9, 9, 9, 9, 9 }, { 9, 9, 9, 9, 9 } },       /* 150 can be sent in time: nobody goes */
		{ 1, { 5, 5, 5, 5, 10 }, { 5, 5, 5, 5, 10 } },     /* just so */
		{ 1, { 5, 5, 5, 5, 20 }, { 5, 5, 5, 5, 10 } },     /* first what nobody sees, and of it the last */
		{ 1, { 5, 10, 10, 50, 50 }, { 5, 10, 10, 5, 0 } }, /* then history */
		{ 1, { 0, 20, 30, 50, 50 }, { 0, 20, 10, 0, 0 } }, /* then discovery */
		{ 1, { 0, 90, 1, 1, 1 }, { 0, 30, 0, 0, 0 } },     /* then what is looked at */
		{ 0.5, { 50, 20, 0, 0, 3 }, { 50, 0, 0, 0, 0 } },  /* an act never */
		{ 0.5, { 0, 0, 0, 0, 1 }, { 0, 0, 0, 0, 1 } },     { 0.5, { 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0 } },
	};
	for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct line l;
		struct one m[256];
		struct calls out;
		unsigned gone = 0, before = 0;
		line_init(&l, 50, 0);
		assert_null(line_first(&l));
		l.gate.rate = cases[k].rate;
		fill(&l, m, cases[k].wait);
		calls_init(&out);
		line_shed(&l, &out);
		for (struct queued *q = out.head; q; q = q->next, gone++) {
			assert_true(of(q)->n >= before); /* in their order */
			before = of(q)->n;
		}
		unsigned stayed = 0, all = 0;
		for (unsigned i = 0; i < CALL_CLASSES; i++) {
			assert_int_equal(left(&l, i), cases[k].keep[i]);
			stayed += cases[k].keep[i];
			all += cases[k].wait[i];
		}
		assert_int_equal(gone + stayed, all);
		assert_int_equal(line_first(&l) == NULL, stayed == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls), cmocka_unit_test(test_shed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
