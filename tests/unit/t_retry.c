/* Whether and when a failed call goes again: every kind of fault, every attempt, the quota to its end, the shape of the jitter. */
#include "aws/retry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int64_t decide(struct retry_quota *q, enum fault fault, bool safe, unsigned attempt, unsigned most)
{
	int spent = -7;
	struct retry_case r = {
		.fault = fault, .safe = safe, .attempt = attempt, .most = most, .chance = 0.5, .asked_ms = -1
	};
	int before = q->left;
	int64_t wait = retry_decide(q, &r, &spent);
	assert_int_equal(before - q->left, wait < 0 ? 0 : spent);
	assert_true((wait < 0) == (spent == -7));
	return wait;
}

static void test_who_goes_again(void **state)
{
	(void)state;
	static const bool passing[] = {
		[FAULT_FINAL] = false,  [FAULT_TRANSIENT] = true, [FAULT_THROTTLED] = true,
		[FAULT_CROWDED] = true, [FAULT_SKEWED] = false,
	};
	for (unsigned fault = 0; fault < sizeof passing / sizeof *passing; fault++)
		for (unsigned safe = 0; safe < 2; safe++)
			for (unsigned most = 1; most <= 5; most++)
				for (unsigned attempt = 1; attempt <= 6; attempt++) {
					struct retry_quota q;
					retry_quota_init(&q);
					bool again = decide(&q, (enum fault)fault, safe, attempt, most) >= 0;
					assert_int_equal(again, passing[fault] && safe && attempt < most);
				}
}

static void test_quota(void **state)
{
	(void)state;
	struct retry_quota q;
	unsigned n = 0;
	retry_quota_init(&q);
	while (decide(&q, FAULT_THROTTLED, true, 1, 3) >= 0)
		n++;
	assert_int_equal(n, 100);
	assert_int_equal(q.left, 0);
	for (unsigned i = 0; i < 4; i++)
		retry_quota_earn(&q, 0); /* a plain success earns 1 */
	assert_true(decide(&q, FAULT_THROTTLED, true, 1, 3) < 0);
	retry_quota_earn(&q, 0);
	assert_true(decide(&q, FAULT_THROTTLED, true, 1, 3) >= 0);
	retry_quota_earn(&q, 14); /* a success after a retry gives back what that took */
	assert_true(decide(&q, FAULT_TRANSIENT, true, 2, 3) >= 0);
	assert_int_equal(q.left, 0);
	retry_quota_init(&q);
	for (n = 0; decide(&q, FAULT_TRANSIENT, true, 1, 3) >= 0; n++)
		;
	assert_int_equal(n, 500 / 14);
	assert_true(decide(&q, FAULT_THROTTLED, true, 1, 3) >= 0); /* what is left pays for the cheaper kind */
	retry_quota_init(&q);
	retry_quota_earn(&q, 14);
	assert_int_equal(q.left, 500); /* it never holds more */
}

static void test_delay(void **state)
{
	(void)state;
	static const double throttled[] = { 1000, 2000, 4000, 8000, 16000, 20000, 20000 };
	static const double transient[] = { 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000 };
	for (unsigned i = 0; i < 7; i++) {
		assert_true(retry_delay_ms(FAULT_THROTTLED, i + 1, 1) == throttled[i]);
		assert_true(retry_delay_ms(FAULT_CROWDED, i + 1, 0.25) == throttled[i] / 4);
	}
	for (unsigned i = 0; i < 11; i++)
		assert_true(retry_delay_ms(FAULT_TRANSIENT, i + 1, 1) == transient[i]);
	assert_true(retry_delay_ms(FAULT_TRANSIENT, 5, 0) == 0);
	assert_true(retry_delay_ms(FAULT_TRANSIENT, 4000000000u, 1) == 20000);
}

static void test_waits_as_asked(void **state)
{
	(void)state;
	static const struct {
		double asked;
		int64_t wait;
	} cases[] = {
		{ -1, 500 }, { 0, 500 }, { 400, 500 }, { 501, 501 }, { 5500, 5500 }, { 5501, 5500 }, { 1e300, 5500 }
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct retry_quota q;
		int spent;
		retry_quota_init(&q);
		struct retry_case r = {
			.fault = FAULT_THROTTLED, .safe = true, .attempt = 1, .most = 3, .chance = 0.5, .asked_ms = cases[i].asked
		};
		assert_int_equal(retry_decide(&q, &r, &spent), cases[i].wait);
	}
}

/* Twenty bins of 10,000 draws. 43.8 is what chi-square of 19 degrees of freedom passes once in a thousand. The seeds are fixed. */
static void test_full_jitter(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct chance c;
		unsigned bins[20] = { 0 };
		double chi = 0;
		chance_init(&c, seed * 0x9e3779b97f4a7c15u);
		for (unsigned i = 0; i < 10000; i++) {
			double t = retry_delay_ms(FAULT_THROTTLED, 1 + i % 8, chance_unit(&c)) /
			           retry_delay_ms(FAULT_THROTTLED, 1 + i % 8, 1);
			assert_true(t >= 0 && t < 1);
			bins[(unsigned)(t * 20)]++;
		}
		for (unsigned i = 0; i < 20; i++) {
			assert_in_range(bins[i], 400, 600); /* uniform within 20 % */
			chi += (bins[i] - 500.0) * (bins[i] - 500.0) / 500;
		}
		assert_true(chi < 43.8);
	}
	struct chance zero;
	chance_init(&zero, 0);
	assert_true(chance_draw(&zero) != chance_draw(&zero));
}

/* A bare 429 throttles, but may be a proxy's: only AWS's own word says that nothing was done. */
static const struct op op_any = { .name = "Any", .iam = "test:Any" };

static void test_faults(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		enum fault fault;
	} cases[] = {
		{ 400, "{\"__type\":\"Throttling\"}", FAULT_THROTTLED },
		{ 429, "{\"__type\":\"TooManyRequestsException\"}", FAULT_THROTTLED },
		{ 429, "{\"__type\":\"NeverHeardOf\"}", FAULT_CROWDED },
		{ 429, "{\"__type\":\"ConcurrentModificationException\"}", FAULT_CROWDED },
		{ 429, "<html>slow down</html>", FAULT_CROWDED },
		{ 509, "", FAULT_CROWDED },
		{ 503, "{\"__type\":\"SlowDown\"}", FAULT_THROTTLED },
		{ 503, "", FAULT_TRANSIENT },
		{ 408, "", FAULT_TRANSIENT },
		{ 400, "{\"__type\":\"RequestTimeout\"}", FAULT_TRANSIENT },
		{ 403, "{\"__type\":\"RequestExpired\"}", FAULT_SKEWED },
		{ 403, "{\"__type\":\"AccessDenied\"}", FAULT_FINAL },
		{ 501, "", FAULT_FINAL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_res res = { .status = cases[i].status, .body = span_of(cases[i].body) };
		struct err e;
		assert_int_equal(classify(&op_any, &res, &e), cases[i].fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_goes_again), cmocka_unit_test(test_quota),       cmocka_unit_test(test_delay),
		cmocka_unit_test(test_waits_as_asked), cmocka_unit_test(test_full_jitter), cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
