/* One answer, line by line: what HTTP's rules and the caps refuse, and what a packed body may be. */
#include "aws/http/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* {"a":1} packed with gzip */
static const char small_gz[] = "\x1f\x8b\x08\0\0\0\0\0\2\3\xab\x56\x4a\x54\xb2\x32\xac\x05\0\xaf\xac\x1b\x56\7\0\0\0";
#define SMALL_N (sizeof small_gz - 1)

/* Feeds a head, "\n" ending each line. */
static bool head(struct reply *r, const char *text)
{
	reply_begin(r, 1000, false);
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		if (!reply_line(r, (struct span){ text, (size_t)(end - text) + 1 }))
			return false;
	return true;
}

static void test_heads(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
	} heads[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ERR_OK },
		{ "HTTP/1.0 200\r\n\r\n", ERR_OK },
		{ "HTTP/1.1 200 OK\nContent-Length: 5\ncontent-length: 5\n\n", ERR_OK },
		{ "HTTP/1.1 103 Early\nContent-Length: 7\n\nHTTP/1.1 200 OK\nContent-Length: 5\n\n", ERR_OK },
		{ "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\nContent-Length: 5\n\n", ERR_OK }, /* the latter a trailer */
		{ "HTTP/1.1 200 OK\nContent-Encoding: identity\n\n", ERR_OK },
		{ "HTTP/1.1 204 No Content\nContent-Length: 0\n\n", ERR_OK },
		{ "HTTP/2 200\n", ERR_BADREPLY },
		{ "HTTP/1.1 20 OK\n", ERR_BADREPLY },
		{ "HTTP/1.1 2000 OK\n", ERR_BADREPLY },
		{ "HTTP/1.1 101 Switching\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Length: 5, 5\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Length: +5\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Length: -5\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Length: 0x5\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Length:\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Length: 9223372036854775808\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5\n\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nTransfer-Encoding: chunked, chunked\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Encoding: br\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Encoding: gzip, gzip\n", ERR_BADREPLY },
		{ "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Encoding: gzip\n", ERR_BADREPLY },
		{ "HTTP/1.1 204 No Content\nContent-Length: 5\n\n", ERR_BADREPLY },
	};
	struct reply r;
	(void)state;
	reply_init(&r);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		bool good = head(&r, heads[i].text);
		if (r.code != heads[i].code || good != (r.code == ERR_OK) || (r.why != NULL) == good)
			fail_msg("%s: %d %s", heads[i].text, r.code, r.why ? r.why : "");
	}
	reply_clear(&r);
}

static void test_only_the_last_heads_headers(void **state)
{
	struct reply r;
	(void)state;
	reply_init(&r);
	assert_true(head(&r, "HTTP/1.1 103 Early\nX: 1\n\nHTTP/1.1 404 No\nY:  2 \nno colon\n\nX-Trailer: 3\n"));
	assert_true(reply_whole(&r));
	assert_int_equal(r.status, 404);
	assert_int_equal(r.nhead, 1);
	assert_string_equal(r.head[0].name, "Y");
	assert_string_equal(r.head[0].value, "2");
	reply_clear(&r);
}

static void test_cut_heads(void **state)
{
	static const char *const cut[] = { "", "HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\nA: b\n", "HTTP/1.1 103 Early\n\n" };
	struct reply r;
	(void)state;
	reply_init(&r);
	for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
		assert_true(head(&r, cut[i]));
		assert_false(reply_whole(&r));
		assert_int_equal(r.code, ERR_BADREPLY);
	}
	reply_clear(&r);
}

static void test_sized(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} heads[] = {
		{ "HTTP/1.1 200 OK\n\n", false },
		{ "HTTP/1.1 200 OK\nContent-Length: 2\n\n", true },
		{ "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", true },
	};
	struct reply r;
	(void)state;
	reply_init(&r);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		assert_true(head(&r, heads[i].text));
		r.sized = true;
		assert_true(reply_data(&r, "{}", 2));
		assert_int_equal(reply_whole(&r), heads[i].good);
	}
	reply_clear(&r);
}

static void test_caps(void **state)
{
	struct reply r;
	char line[2048];
	(void)state;
	reply_init(&r);
	head(&r, "HTTP/1.1 200 OK\n");
	for (unsigned i = 0; i < 256; i++)
		assert_true(reply_line(&r, SPAN("A: b\r\n")));
	assert_false(reply_line(&r, SPAN("A: b\r\n")));
	assert_int_equal(r.code, ERR_LIMIT);

	memset(line, 'x', sizeof line);
	memcpy(line, "A: ", 3);
	head(&r, "HTTP/1.1 200 OK\n");
	for (unsigned i = 0; i < 32; i++)
		assert_true(reply_line(&r, (struct span){ line, sizeof line }));
	assert_false(reply_line(&r, (struct span){ line, sizeof line }));
	assert_int_equal(r.code, ERR_LIMIT);

	reply_begin(&r, 1000, false);
	for (unsigned i = 0; i < 20; i++)
		assert_true(reply_line(&r, SPAN("HTTP/1.1 100 Continue\r\n")));
	assert_false(reply_line(&r, SPAN("HTTP/1.1 100 Continue\r\n")));
	assert_int_equal(r.code, ERR_LIMIT);

	head(&r, "HTTP/1.1 200 OK\n\n");
	assert_true(reply_data(&r, line, 1000));
	assert_false(reply_data(&r, line, 1));
	assert_int_equal(r.code, ERR_LIMIT);
	reply_clear(&r);
}

/* In pieces of every size, one reply for all: a damaged one leaves nothing behind. */
static void test_packed(void **state)
{
	struct reply r;
	(void)state;
	reply_init(&r);
	for (size_t step = 1; step <= SMALL_N; step++) {
		for (size_t n = 0; n <= SMALL_N; n++) {
			assert_true(head(&r, "HTTP/1.1 200 OK\nContent-Encoding: GZIP\n\n"));
			for (size_t i = 0; i < n; i += step)
				assert_true(reply_data(&r, small_gz + i, n - i < step ? n - i : step));
			assert_int_equal(reply_whole(&r), n == 0 || n == SMALL_N);
			if (n == SMALL_N)
				assert_string_equal(r.body.p, "{\"a\":1}");
		}
		assert_false(reply_data(&r, "x", 1)); /* behind the end */
		assert_int_equal(r.code, ERR_BADREPLY);
	}
	reply_clear(&r);
}

static void test_damaged(void **state)
{
	struct reply r;
	char bad[SMALL_N];
	unsigned refused = 0;
	(void)state;
	reply_init(&r);
	for (size_t bit = 0; bit < 8 * SMALL_N; bit++) {
		memcpy(bad, small_gz, SMALL_N);
		bad[bit / 8] = (char)(bad[bit / 8] ^ 1 << bit % 8);
		assert_true(head(&r, "HTTP/1.1 200 OK\nContent-Encoding: gzip\n\n"));
		bool good = reply_data(&r, bad, SMALL_N) && reply_whole(&r);
		refused += !good;
		if (good) /* a bit of gzip's head that says nothing about the content */
			assert_string_equal(r.body.p, "{\"a\":1}");
	}
	assert_in_range(refused, 8 * SMALL_N - 64, 8 * SMALL_N - 1);
	reply_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),     cmocka_unit_test(test_only_the_last_heads_headers),
		cmocka_unit_test(test_cut_heads), cmocka_unit_test(test_caps),
		cmocka_unit_test(test_sized),     cmocka_unit_test(test_packed),
		cmocka_unit_test(test_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
