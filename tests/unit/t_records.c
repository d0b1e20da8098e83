/* JSON lines as records: which lines are any, their keys, and how they fall into calls. */
#include "aws/op_kinesis.h"
#include "core/mem.h"
#include "engine/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct put_records_result read_text(struct span text, const char *key)
{
	struct put_records_result r = { 0 };
	arena_init(&r.mem);
	records_read(&(struct put_records_request){ .stream = "s", .text = text, .key = key }, &r);
	return r;
}

static void clear(struct put_records_result *r)
{
	arena_clear(&r->mem);
	free(r->items);
}

static void one(const char *line, const char *key, const char *code)
{
	struct put_records_result r = read_text(span_of(line), NULL);
	assert_int_equal(r.n, 1);
	const struct put_item *it = &r.items[0];
	assert_true(span_eq(it->data, line)); /* byte for byte */
	assert_int_equal(it->status, code ? PUT_FAILED : PUT_PLANNED);
	assert_int_equal(r.failed, code ? 1 : 0);
	if (code)
		assert_string_equal(it->code, code);
	else
		assert_string_equal(it->key, key);
	assert_int_equal(code != NULL, it->message != NULL);
	clear(&r);
}

static void keys(void **state)
{
	(void)state;
	one("{\"user_id\":\"u1\"}", "u1", NULL);
	one("{\"a\":{\"user_id\":\"inner\"},\"user_id\":\"outer\",\"z\":[1,{\"user_id\":2}]}", "outer", NULL);
	one("{\"user_id\":\"first\",\"user_id\":\"last\"}", "last", NULL);
	one("{\"user_id\":\"first\",\"user_id\":null}", "default", NULL);
	one(" {\"user\\u005fid\" : \"\\u00e9\\ud83d\\ude00\" } \t\r", "\xc3\xa9\xf0\x9f\x98\x80", NULL);
	one("{\"user_id\":7}", "7", NULL);
	one("{\"user_id\":-1.50e3}", "-1.50e3", NULL);
	one("{\"user_id\":12345678901234567890123}", "12345678901234567890123", NULL);
	one("{\"user_id\":\"\"}", "default", NULL);
	one("{\"user_id\":true}", "default", NULL);
	one("{\"user_id\":{\"user_id\":1}}", "default", NULL);
	one("{\"User_ID\":\"x\"}", "default", NULL);
	one("{}", "default", NULL);
	one("[\"user_id\"]", "default", NULL);
	one("\"user_id\"", "default", NULL);
	one("12", "default", NULL);
	one("{\"user_id\":\"a\\u0000b\"}", NULL, "BAD_KEY");
	char line[2000], key[1100] = "";
	for (unsigned n = 255; n <= 257; n++) { /* characters, not bytes */
		key[0] = '\0';
		for (unsigned i = 0; i < n; i++)
			memcpy(key + 2 * i, "\xc3\xa9", 3);
		snprintf(line, sizeof line, "{\"user_id\":\"%s\"}", key);
		one(line, key, n <= 256 ? NULL : "BAD_KEY");
	}
}

static void no_records(void **state)
{
	(void)state;
	static const char *const bad[] = { "nope",        "{",    "{\"a\":1}}", "{'a':1}",         "{\"a\":01}",
		                               "{\"a\":1} 2", "\xff", "\"\x80\"",   "\xef\xbb\xbf{}",  "{\"a\":\"\t\"}",
		                               "NaN",         "[1,]", "{\"a\":1,}", "{\"a\":\"\\x\"}", "tru" };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		one(bad[i], NULL, "NOT_JSON");
	struct put_records_result r =
	    read_text(SPAN("{\"a\":1}\n\n \t\r\nnope\n2\n\n\"x\\u0000\"\r\n{\"b\":\0}\n[3]"), "k");
	static const unsigned at[] = { 1, 4, 5, 7, 8, 9 };
	static const bool good[] = { true, false, true, true, false, true };
	assert_int_equal(r.n, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(r.items[i].line, at[i]);
		assert_int_equal(r.items[i].status, good[i] ? PUT_PLANNED : PUT_FAILED);
		if (good[i])
			assert_string_equal(r.items[i].key, "k");
	}
	assert_true(span_eq(r.items[3].data, "\"x\\u0000\"\r")); /* the line feed alone is not part of it */
	clear(&r);
	r = read_text(SPAN("\n\n \n"), NULL);
	assert_int_equal(r.n, 0);
	clear(&r);
}

/* n lines of so many bytes with their key "default" */
static struct span lines_of(unsigned n, size_t size)
{
	size_t line = size - 7;
	char *text = xmalloc(n * (line + 1)), *p = text;
	for (unsigned i = 0; i < n; i++, p += line + 1) {
		memset(p, 'x', line);
		p[0] = p[line - 1] = '"';
		p[line] = '\n';
	}
	return (struct span){ text, n * (line + 1) };
}

static void falls_into(unsigned n, size_t size, const unsigned *want)
{
	struct span text = lines_of(n, size);
	struct put_records_result r = read_text(text, NULL);
	unsigned next = 0, place = 0, places[PUT_RECORDS_MOST], got;
	assert_int_equal(r.failed, 0);
	while ((got = records_batch(&r, &next, places, PUT_RECORDS_MOST))) {
		assert_int_equal(got, *want++);
		for (unsigned i = 0; i < got; i++)
			assert_int_equal(places[i], place++);
	}
	assert_int_equal(*want, 0);
	assert_int_equal(place, n); /* each once, in order */
	clear(&r);
	free((char *)(uintptr_t)text.p);
}

static void batches(void **state)
{
	(void)state;
	falls_into(1, 100, (const unsigned[]){ 1, 0 });
	falls_into(500, 100, (const unsigned[]){ 500, 0 });
	falls_into(501, 100, (const unsigned[]){ 500, 1, 0 });
	falls_into(1203, 10, (const unsigned[]){ 500, 500, 203, 0 });
	falls_into(11, PUT_RECORD_BYTES, (const unsigned[]){ 5, 5, 1, 0 });
	falls_into(3, PUT_RECORD_BYTES + 1, (const unsigned[]){ 1, 1, 1, 0 });
	falls_into(2, PUT_RECORD_RAISED, (const unsigned[]){ 1, 1, 0 });
	struct span big = lines_of(1, PUT_RECORD_RAISED + 1);
	struct put_records_result r = read_text(big, NULL);
	assert_string_equal(r.items[0].code, "TOO_LARGE");
	clear(&r);
	free((char *)(uintptr_t)big.p);
	/* what has an outcome already is passed over */
	r = read_text(SPAN("1\nbad\n3\nbad\n5\n"), NULL);
	unsigned next = 0, places[PUT_RECORDS_MOST];
	assert_int_equal(records_batch(&r, &next, places, PUT_RECORDS_MOST), 3);
	assert_int_equal(places[1], 2);
	assert_int_equal(places[2], 4);
	assert_int_equal(records_batch(&r, &next, places, PUT_RECORDS_MOST), 0);
	clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keys), cmocka_unit_test(no_records),
		                                cmocka_unit_test(batches) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
