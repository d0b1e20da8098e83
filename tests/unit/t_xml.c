/* The XML reader: what it hands over, and what it refuses. */
#include "aws/xml.h"
#include "core/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct heard {
	struct buf text;
	unsigned enough; /* stop after so many; 0 = never */
	unsigned n;
};

static bool hear(void *ctx, const char *path, struct span value)
{
	struct heard *h = ctx;
	buf_addf(&h->text, "%s=%.*s|", path, (int)value.n, value.p);
	return !h->enough || ++h->n < h->enough;
}

static bool read_text(struct span text, unsigned enough, struct heard *h, struct err *e)
{
	*h = (struct heard){ .enough = enough };
	buf_init(&h->text, 1 << 20);
	err_clear(e);
	return xml_read(text, hear, h, e);
}

static void expect(const char *xml, const char *heard)
{
	struct heard h;
	struct err e;
	if (!read_text(span_of(xml), 0, &h, &e))
		fail_msg("%s: %s", xml, e.text);
	assert_string_equal(h.text.p, heard);
	buf_clear(&h.text);
}

static void refuse(struct span xml)
{
	struct heard h;
	struct err e;
	assert_false(read_text(xml, 0, &h, &e));
	assert_int_equal(e.code, ERR_BADREPLY);
	assert_true(e.text[0]);
	buf_clear(&h.text);
}

static void test_paths_and_values(void **state)
{
	(void)state;
	expect("<a/>", "a=|");
	expect("<a>x</a>", "a=x|");
	expect("<a><b>1</b><b>2</b></a>", "a/b=1|a/b=2|a=|");
	expect("<?xml version=\"1.0\"?>\n<a xmlns=\"http://x/\">\n  <b> y </b>\n</a>\n", "a/b= y |a=|");
	expect("<n:a xmlns:n=\"u\"><n:b>1</n:b></n:a>", "a/b=1|a=|");
	expect("<a>&lt;&amp;&#x41;<![CDATA[<z>]]></a>", "a=<&A<z>|");
	expect("<a><b>&#xe4;</b></a>", "a/b=\xc3\xa4|a=|");
	expect("<a>between<b/>elements</a>", "a/b=|a=|"); /* a container has no value of its own */
	expect("<a><b/><b></b></a>", "a/b=|a/b=|a=|");
}

static void test_stops_when_told(void **state)
{
	(void)state;
	struct heard h;
	struct err e;
	assert_true(read_text(SPAN("<a><b>1</b><b>2</b><c/></a"), 1, &h, &e)); /* what follows is not looked at */
	assert_string_equal(h.text.p, "a/b=1|");
	buf_clear(&h.text);
	assert_true(read_text(SPAN("<a><b/><b>2</b></a>"), 1, &h, &e));
	assert_string_equal(h.text.p, "a/b=|");
	buf_clear(&h.text);
}

static void test_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"{}",
		"<a>",
		"<a></b>",
		"<a><b></a></b>",
		"<a>&nope;</a>",
		"<a/><b/>",
		"<a>\x01</a>",
		"<a>\xff</a>",
		"<a b=1/>",
		"<!DOCTYPE a><a/>",
		"<!DOCTYPE a [<!ENTITY x \"boom\">]><a>&x;</a>",
		"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
		"<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a/>",
		"<!DOCTYPE a [<!ENTITY a0 \"x\"><!ENTITY a1 \"&a0;&a0;&a0;&a0;\"><!ENTITY a2 \"&a1;&a1;&a1;\">]><a>&a2;</a>",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuse(span_of(bad[i]));
	refuse((struct span){ NULL, 0 });
	refuse((struct span){ "<a>\0</a>", 8 });
}

static void nest(struct buf *b, unsigned depth)
{
	buf_init(b, 1 << 20);
	for (unsigned i = 0; i < depth; i++)
		buf_adds(b, "<d>");
	for (unsigned i = 0; i < depth; i++)
		buf_adds(b, "</d>");
}

static void test_depth(void **state)
{
	(void)state;
	struct buf b;
	struct heard h;
	struct err e;
	nest(&b, XML_DEPTH);
	assert_true(read_text(buf_span(&b), 0, &h, &e));
	buf_clear(&h.text);
	buf_clear(&b);
	nest(&b, XML_DEPTH + 1);
	refuse(buf_span(&b));
	buf_clear(&b);
	nest(&b, 20000);
	refuse(buf_span(&b));
	buf_clear(&b);
	buf_init(&b, 1 << 20); /* stopped in the start of an element that is also its end */
	for (unsigned i = 0; i < XML_DEPTH; i++)
		buf_adds(&b, "<d>");
	buf_adds(&b, "<e/>");
	refuse(buf_span(&b));
	buf_clear(&b);
}

static void test_sizes(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 8 << 20);
	buf_adds(&b, "<");
	for (unsigned i = 0; i < 5000; i++)
		buf_addc(&b, 'n');
	buf_adds(&b, "/>");
	refuse(buf_span(&b));
	buf_reset(&b);
	buf_adds(&b, "<a>");
	for (unsigned i = 0; i < (2u << 20) / 16; i++)
		buf_adds(&b, "0123456789abcdef");
	buf_adds(&b, "</a>");
	refuse(buf_span(&b));
	buf_clear(&b);
}

static const char answer[] =
    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
    "<Code>ExpiredToken</Code><Message>The &quot;token&quot; expired</Message></Error>"
    "<RequestId>r-1</RequestId></ErrorResponse>";

static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof answer - 1; n++) {
		char *copy = malloc(n ? n : 1); /* its own size, so that a sanitizer sees any step beyond */
		memcpy(copy, answer, n);
		refuse((struct span){ copy, n });
		free(copy);
	}
	expect("<E><Error><Code>X</Code></Error></E>", "E/Error/Code=X|E/Error=|E=|");
}

static void test_bits_flipped(void **state)
{
	(void)state;
	char copy[sizeof answer];
	for (size_t bit = 0; bit < 8 * (sizeof answer - 1); bit++) {
		struct heard h;
		struct err e;
		memcpy(copy, answer, sizeof answer);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		bool ok = read_text((struct span){ copy, sizeof answer - 1 }, 0, &h, &e);
		assert_true(ok == (e.code == ERR_OK));
		buf_clear(&h.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_and_values),
		cmocka_unit_test(test_stops_when_told),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_bits_flipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
