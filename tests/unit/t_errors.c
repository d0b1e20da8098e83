/* Log lines into shapes of errors: the forms that Lambda's runtimes and loggers write, and the grouping. */
#include "core/mem.h"
#include "pipeline/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQ "11111111-2222-3333-4444-555555555555"
#define MSG "99999999-aaaa-bbbb-cccc-dddddddddddd"

static struct error_line line_of(const char *text)
{
	struct error_line l;
	error_line_read(span_of(text), &l);
	return l;
}

static void is(const char *text, const char *type, const char *says, const char *place, const char *request)
{
	struct error_line l = line_of(text);
	if (l.what != LINE_ERROR || strcmp(l.type, type) != 0 || strcmp(l.text, says) != 0 || strcmp(l.place, place) != 0 ||
	    strcmp(l.request, request) != 0)
		fail_msg("%s\n-> %d type '%s' text '%s' place '%s' request '%s'", text, l.what, l.type, l.text, l.place,
		         l.request);
}

static void python(void **state)
{
	(void)state;
	is("[ERROR] KeyError: 'user_id'\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 12, in "
	   "handler\n    x\n"
	   "  File \"/var/task/lib/deep.py\", line 3, in get\n    y\n",
	   "KeyError", "'user_id'", "app.py in handler", "");
	is("[ERROR]\t2026-11-23T02:41:00.000Z\t" REQ
	   "\tcould not load it\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 9, in load\n"
	   "    raise X\nValueError: bad date\n",
	   "ValueError", "bad date", "app.py in load", REQ);
	is("[ERROR]\t2026-11-23T02:41:00.000Z\t" REQ "\torder 17 refused", "", "order 17 refused", "", REQ);
	is("Traceback (most recent call last):\n  File \"/opt/python/x.py\", line 1, in "
	   "f\nbotocore.exceptions.ClientError: An error occurred\n",
	   "botocore.exceptions.ClientError", "An error occurred", "x.py in f", "");
}

static void node(void **state)
{
	(void)state;
	is("2026-11-23T02:41:00.000Z\t" REQ "\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":\"x is "
	   "not a function\",\"stack\":[\"TypeError: x is not a function\","
	   "\"    at parse (/var/task/index.js:4:9)\"]}",
	   "TypeError", "x is not a function", "index.js in parse", REQ);
	is("2026-11-23T02:41:00.000Z\t" REQ "\tERROR\tTypeError: x is not a function\n    at Object.<anonymous> "
	   "(/var/task/node_modules/a/b.js:1:1)\n    at run (/var/task/index.js:7:2)",
	   "TypeError", "x is not a function", "index.js in run", REQ);
	assert_int_equal(line_of("2026-11-23T02:41:00.000Z\t" REQ "\tINFO\tno Error: here").what, LINE_OTHER);
}

static void runtime(void **state)
{
	(void)state;
	is("2026-11-23T02:41:00.000Z " REQ " Task timed out after 3.00 seconds\n\n", "Task timed out", "after 3.00 seconds",
	   "", REQ);
	is("RequestId: " REQ " Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n", "Runtime.ExitError",
	   "Runtime exited with error: signal: killed", "", REQ);
	is("{\"time\":\"t\",\"type\":\"platform.report\",\"record\":{\"requestId\":\"" REQ "\",\"status\":\"timeout\"}}",
	   "Task timed out", "", "", REQ);
	struct error_line l = line_of("START RequestId: " REQ " Version: 42\n");
	assert_int_equal(l.what, LINE_START);
	assert_string_equal(l.request, REQ);
	assert_string_equal(l.version, "42");
	l = line_of("{\"type\":\"platform.start\",\"record\":{\"requestId\":\"" REQ "\",\"version\":\"$LATEST\"}}");
	assert_int_equal(l.what, LINE_START);
	assert_string_equal(l.version, "$LATEST");
	assert_int_equal(
	    line_of("{\"type\":\"platform.report\",\"record\":{\"requestId\":\"x\",\"status\":\"success\"}}").what,
	    LINE_OTHER);
	assert_int_equal(line_of("END RequestId: " REQ).what, LINE_OTHER);
	assert_int_equal(line_of("REPORT RequestId: " REQ "\tStatus: error\tError Type: Runtime.ExitError").what,
	                 LINE_OTHER); /* said by a line of its own */
}

static void json_and_others(void **state)
{
	(void)state;
	is("{\"timestamp\":\"t\",\"level\":\"ERROR\",\"message\":\"failed\",\"requestId\":\"" REQ
	   "\",\"errorType\":\"KeyError\",\"errorMessage\":\"'a'\","
	   "\"stackTrace\":[\"  File \\\"/var/task/h.py\\\", line 1, in f\\n\"]}",
	   "KeyError", "'a'", "h.py in f", REQ);
	is("{\"level\":\"error\",\"msg\":\"no such order\",\"aws_request_id\":\"" REQ "\"}", "", "no such order", "", REQ);
	is("{\"errorMessage\":\"bad\",\"errorType\":\"errorString\"}", "errorString", "bad", "", "");
	is("{\"level\":\"ERROR\",\"message\":{\"errorType\":\"E\",\"errorMessage\":\"m\"},\"requestId\":\"" REQ "\"}", "E",
	   "m", "", REQ);
	is("java.lang.NullPointerException: no order\n\tat com.example.Handler.handle(Handler.java:12)\n",
	   "java.lang.NullPointerException", "no order", "com.example.Handler.handle", "");
	is("panic: runtime error: index out of range", "panic", "runtime error: index out of range", "", "");
	static const char *const fine[] = { "",
		                                "hello",
		                                "{\"level\":\"INFO\",\"message\":\"no error\"}",
		                                "{not json",
		                                "Errors: 0",
		                                "[INFO]\tt\tall fine",
		                                "https://example.com/Error: x",
		                                "{\"errorCount\":0}",
		                                "[]" };
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (line_of(fine[i]).what != LINE_OTHER)
			fail_msg("'%s' is no error", fine[i]);
	assert_string_equal(line_of("[INFO]\t2026-11-23T02:41:00.000Z\t" REQ "\tmessage " MSG " of orders").message, MSG);
	assert_string_equal(line_of("{\"level\":\"ERROR\",\"msg\":\"x\",\"messageId\":\"" MSG "\"}").message, MSG);
}

static void normal(const char *text, const char *wanted)
{
	struct buf b;
	buf_init(&b, 4096);
	error_normalise(text, &b);
	if (strcmp(b.p ? b.p : "", wanted) != 0)
		fail_msg("%s\n-> %s\nnot %s", text, b.p, wanted);
	buf_clear(&b);
}

static void shapes(void **state)
{
	(void)state;
	normal("order 17 of customer 9931 failed", "order # of customer # failed");
	normal("key 'a b' and \"c\" are bad", "key '*' and '*' are bad");
	normal("couldn't do it, isn't it", "couldn't do it, isn't it");
	normal("request " REQ " failed  twice", "request <id> failed twice");
	normal("at 2026-11-23T02:41:00.123Z from 10.0.0.17:8080", "at <id> from <n>");
	normal("s3 bucket deadbeef01 took 2.5 s", "<n> bucket <id> took <n> s");
	normal("", "");
	normal("unclosed 'quote", "unclosed 'quote");
}

static void masks(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	error_mask(
	    "bad order {\"card\": {\"n\": 1}} of 'x'; 'a quote of more than forty characters is not a name any more' {open",
	    &b);
	assert_string_equal(b.p, "bad order {...} of 'x'; '...' {...}");
	buf_clear(&b);
}

/* ---- many */

static void add(struct errors *e, const char *stream, const char *id, int64_t at, const char *text)
{
	errors_add(e, stream, id, at * 1000, span_of(text));
}

static void groups(void **state)
{
	(void)state;
	struct arena mem;
	struct errors *e = errors_new();
	unsigned n;
	arena_init(&mem);
	add(e, "2026/11/23/[41]aa", "1", 100, "[ERROR] KeyError: 'a'");
	add(e, "2026/11/23/[42]bb", "2", 300, "[ERROR] KeyError: 'b'");
	add(e, "2026/11/23/[42]bb", "2", 300, "[ERROR] KeyError: 'b'"); /* a page told it again */
	add(e, "s", "3", 200, "2026-11-23T02:41:00.000Z " REQ " Task timed out after 3.00 seconds");
	add(e, "s", "4", 201, "hello");
	struct error_open open[4];
	assert_int_equal(errors_open(e, open, 4), 2);
	errors_add_context(e, "2026/11/23/[42]bb", 299000, span_of("START RequestId: " REQ " Version: 43"));
	errors_add_context(e, "2026/11/23/[42]bb", 299500,
	                   span_of("[INFO]\t2026-11-23T02:41:00.000Z\t" REQ "\tmessage " MSG));
	errors_add_context(e, "2026/11/23/[42]bb", 299600, span_of("[ERROR] KeyError: 'c'")); /* context counts nothing */
	struct error_group *g = errors_groups(e, &mem, &n);
	assert_int_equal(n, 2);
	assert_string_equal(g[0].shape, "KeyError: '*'");
	assert_int_equal(g[0].count, 2);
	assert_true(g[0].first == 100 && g[0].last == 300);
	assert_string_equal(g[0].release, "41");
	assert_string_equal(g[0].newest_release, "43"); /* the START line knows better than the stream's name */
	assert_string_equal(g[0].sample, "KeyError: 'b'");
	assert_int_equal(g[0].nrequests, 1);
	assert_string_equal(g[0].requests[0], REQ);
	assert_string_equal(g[0].messages[0], MSG);
	assert_string_equal(g[1].shape, "Task timed out after <n> seconds");
	assert_null(g[1].release);
	assert_int_equal(g[1].requests_in_all, 1);
	errors_free(e);
	e = errors_new();
	errors_groups(e, &mem, &n);
	assert_int_equal(n, 0);
	errors_free(e);
	errors_free(NULL);
	arena_clear(&mem);
}

/* A stream whose newer START belongs to another request lends nothing to what came before. */
static void whose(void **state)
{
	(void)state;
	struct arena mem;
	struct errors *e = errors_new();
	unsigned n;
	arena_init(&mem);
	add(e, "s", NULL, 100, "[ERROR] KeyError: 'a'");
	errors_add_context(e, "s", 101000, span_of("START RequestId: " REQ " Version: 1"));
	errors_add_context(e, "t", 99000, span_of("START RequestId: " REQ " Version: 1"));
	struct error_group *g = errors_groups(e, &mem, &n);
	assert_int_equal(n, 1);
	assert_int_equal(g[0].nrequests, 0);
	assert_null(g[0].release);
	errors_free(e);
	arena_clear(&mem);
}

/* Nothing that a log may hold breaks the reading: pieces of lines, bytes at random. */
static void anything(void **state)
{
	(void)state;
	static const char *const pieces[] = { "[ERROR]",
		                                  "\t",
		                                  "{",
		                                  "}",
		                                  "\"",
		                                  "'",
		                                  "Error",
		                                  ": ",
		                                  "Traceback (most recent call last)",
		                                  "\n",
		                                  "File \"",
		                                  "\", line 1, in ",
		                                  REQ,
		                                  "Task timed out after ",
		                                  "RequestId: ",
		                                  " Error: ",
		                                  "START RequestId: ",
		                                  "Version: ",
		                                  "at ",
		                                  "(",
		                                  "message ",
		                                  "\xff",
		                                  "\xc3",
		                                  "{\"level\":\"ERROR\"" };
	uint64_t seed = 88172645463325252u;
	struct errors *e = errors_new();
	struct arena mem;
	unsigned n;
	for (unsigned i = 0; i < 20000; i++) {
		char text[1024] = "";
		size_t at = 0;
		for (unsigned k = 0; k < 1 + i % 9; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			at += (size_t)snprintf(text + at, sizeof text - at, "%s", pieces[seed % (sizeof pieces / sizeof *pieces)]);
		}
		char *exact = xstrndup(text, at); /* a reader beyond the end is seen by the sanitizers */
		errors_add(e, "s", NULL, i, (struct span){ exact, at });
		free(exact);
	}
	arena_init(&mem);
	errors_groups(e, &mem, &n);
	assert_true(n > 0);
	arena_clear(&mem);
	errors_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(python),          cmocka_unit_test(node),   cmocka_unit_test(runtime),
		cmocka_unit_test(json_and_others), cmocka_unit_test(shapes), cmocka_unit_test(masks),
		cmocka_unit_test(groups),          cmocka_unit_test(whose),  cmocka_unit_test(anything),
	};
	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
