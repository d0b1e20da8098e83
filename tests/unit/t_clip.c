#include "tui/clip.h"

#include "core/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf encoded(enum clip_via via, struct span text)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_true(clip_encode(&b, via, text));
	return b;
}

static void test_each_way(void **state)
{
	(void)state;
	struct buf b = encoded(CLIP_PLAIN, SPAN("orders"));
	assert_string_equal(b.p, "\x1b]52;c;b3JkZXJz\a");
	buf_clear(&b);
	b = encoded(CLIP_TMUX, SPAN("orders"));
	assert_string_equal(b.p, "\x1b]52;c;b3JkZXJz\a\x1bPtmux;\x1b\x1b]52;c;b3JkZXJz\a\x1b\\");
	buf_clear(&b);
	b = encoded(CLIP_SCREEN, SPAN("orders"));
	assert_string_equal(b.p, "\x1bP\x1b]52;c;b3JkZXJz\a\x1b\\");
	buf_clear(&b);
	buf_init(&b, 1 << 20);
	assert_false(clip_encode(&b, CLIP_NONE, SPAN("orders")));
	assert_int_equal(b.n, 0);
	buf_clear(&b);
}

/* screen's strings end at 256 bytes: what it is given in pieces is the whole when their wrapping is taken off. */
static void test_pieces_for_screen_make_the_whole(void **state)
{
	(void)state;
	char text[5000];
	struct buf whole, joined;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + i % 26);
	struct buf b = encoded(CLIP_SCREEN, (struct span){ text, sizeof text });
	whole = encoded(CLIP_PLAIN, (struct span){ text, sizeof text });
	buf_init(&joined, 1 << 20);
	for (const char *p = b.p; p < b.p + b.n;) {
		assert_int_equal(strncmp(p, "\x1bP", 2), 0);
		const char *end = memmem(p, (size_t)(b.p + b.n - p), "\x1b\\", 2);
		assert_true(end && end - p < 256);
		buf_add(&joined, p + 2, (size_t)(end - p - 2));
		p = end + 2;
	}
	assert_int_equal(joined.n, whole.n);
	assert_memory_equal(joined.p, whole.p, whole.n);
	buf_clear(&b);
	buf_clear(&whole);
	buf_clear(&joined);
}

static void test_too_much_is_cut_at_a_line(void **state)
{
	(void)state;
	size_t n = CLIP_MOST + 100;
	char *text = malloc(n);
	memset(text, 'x', n);
	text[CLIP_MOST - 7] = '\n';
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_false(clip_encode(&b, CLIP_PLAIN, (struct span){ text, n }));
	struct span fit = clip_fit((struct span){ text, n });
	assert_int_equal(fit.n, CLIP_MOST - 6);
	assert_true(clip_encode(&b, CLIP_TMUX, fit));
	assert_int_equal(clip_fit((struct span){ text, 100 }).n, 100);
	buf_clear(&b);
	free(text);
}

static void test_which_terminals(void **state)
{
	(void)state;
	static const struct {
		const char *term, *tmux, *sty;
		enum clip_via via;
	} cases[] = {
		{ "xterm-256color", NULL, NULL, CLIP_PLAIN },
		{ "screen-256color", "/tmp/t,1,0", NULL, CLIP_TMUX },
		{ "screen", "", "123.pts", CLIP_SCREEN },
		{ "linux", NULL, NULL, CLIP_NONE },
		{ "dumb", NULL, NULL, CLIP_NONE },
		{ NULL, NULL, NULL, CLIP_NONE },
		{ "vt220", NULL, NULL, CLIP_NONE },
		{ "vte-256color", NULL, NULL, CLIP_PLAIN },
		{ "alacritty", NULL, NULL, CLIP_PLAIN },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(clip_via(cases[i].term, cases[i].tmux, cases[i].sty), cases[i].via);
}

int main(void)
{
	hash_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_way),
		cmocka_unit_test(test_pieces_for_screen_make_the_whole),
		cmocka_unit_test(test_too_much_is_cut_at_a_line),
		cmocka_unit_test(test_which_terminals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
