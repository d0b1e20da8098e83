/* Errors: the table of codes, and the one line a person reads. */
#include "core/err.h"

#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void table(void **state)
{
	(void)state;
	static const char *const checks[] = { "UNREACHABLE", "TIMEOUT",  "ERROR",   "AUTH",      "DENIED",
		                                  "THROTTLED",   "BADREPLY", "PARTIAL", "BAD_CONFIG" };
	for (int c = ERR_OK; c < ERR_COUNT; c++) {
		enum err_code code = (enum err_code)c;
		assert_true(err_name(code)[0]);
		assert_non_null(err_hint(code));
		if (code == ERR_OK) {
			assert_int_equal(err_exit(code), 0);
			assert_string_equal(err_check_code(code), "");
			continue;
		}
		assert_in_range(err_exit(code), 1, 3);
		bool known = false;
		for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
			known = known || strcmp(err_check_code(code), checks[i]) == 0;
		assert_true(known);
		for (int other = ERR_OK; other < c; other++)
			assert_string_not_equal(err_name(code), err_name((enum err_code)other));
	}
	/* what is wrong with the request or the rights does not get better by repeating it */
	static const enum err_code final[] = { ERR_AUTH,    ERR_NOCRED,   ERR_DENIED, ERR_NOTFOUND,
		                                   ERR_REFUSED, ERR_BADREPLY, ERR_CONF,   ERR_USAGE };
	for (size_t i = 0; i < sizeof final / sizeof *final; i++)
		assert_false(err_retryable(final[i]));
	static const enum err_code passing[] = { ERR_DNS, ERR_CONNECT, ERR_TIMEOUT, ERR_HTTP, ERR_THROTTLED };
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		assert_true(err_retryable(passing[i]));
	assert_int_equal(err_exit(ERR_CONF), 2);
	assert_int_equal(err_exit(ERR_USAGE), 2);
	assert_int_equal(err_exit(ERR_GATE), 3);
}

static void sets(void **state)
{
	(void)state;
	struct err e;
	memset(&e, 0xA5, sizeof e);
	assert_false(err_set(&e, ERR_HTTP, "sqs:ListQueues", "status %d", 503));
	assert_int_equal(e.code, ERR_HTTP);
	assert_int_equal(e.http, 0);
	assert_string_equal(e.where, "sqs:ListQueues");
	assert_string_equal(e.text, "status 503");
	assert_string_equal(e.action, "");
	assert_string_equal(e.request_id, "");
	char big[1000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	assert_false(err_set(&e, ERR_DB, big, "%s", big));
	assert_int_equal(strlen(e.where), sizeof e.where - 1);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	assert_false(err_set(&e, ERR_DB, NULL, "x"));
	assert_string_equal(e.where, "");
	assert_false(err_set(NULL, ERR_DB, "x", "y"));
	err_clear(&e);
	assert_int_equal(e.code, ERR_OK);
	err_clear(NULL);
}

static void lines(void **state)
{
	(void)state;
	struct err e;
	char out[512];
	err_set(&e, ERR_CONNECT, "https://x", "refused");
	err_line(&e, out, sizeof out);
	assert_string_equal(out, "sluice: https://x: refused; check the endpoint, the network and the proxy");
	err_set(&e, ERR_TIMEOUT, "", "%s", "");
	err_line(&e, out, sizeof out);
	assert_string_equal(out, "sluice: timeout; try again; the service or the line is slow");
	err_set(&e, ERR_DENIED, "sqs:ListQueues", "no");
	strncpy(e.action, "sqs:ListQueues", sizeof e.action - 1);
	err_line(&e, out, sizeof out);
	assert_string_equal(out, "sluice: sqs:ListQueues: no; allow it: "
	                         "{\"Effect\":\"Allow\",\"Action\":\"sqs:ListQueues\",\"Resource\":\"*\"}");
	err_set(&e, ERR_CANCELLED, "x", "stopped");
	err_line(&e, out, sizeof out);
	assert_string_equal(out, "sluice: x: stopped");
}

static void statements_can_be_pasted(void **state)
{
	(void)state;
	struct err e;
	char out[ERR_STATEMENT];
	err_set(&e, ERR_CONNECT, "x", "y");
	assert_string_equal(err_statement(&e, out), "");
	err_set(&e, ERR_DENIED, "x", "y");
	strncpy(e.action, "sqs:GetQueueAttributes", sizeof e.action - 1);
	strncpy(e.resource, "arn:aws:sqs:eu-west-1:123456789012:orders", sizeof e.resource - 1);
	assert_string_equal(err_statement(&e, out), "{\"Effect\":\"Allow\",\"Action\":\"sqs:GetQueueAttributes\","
	                                            "\"Resource\":\"arn:aws:sqs:eu-west-1:123456789012:orders\"}");
	strncpy(e.resource, "arn:aws:sqs:\",\"Action\":\"*",
	        sizeof e.resource - 1); /* nothing but itself gets into a policy */
	assert_string_equal(err_statement(&e, out),
	                    "{\"Effect\":\"Allow\",\"Action\":\"sqs:GetQueueAttributes\",\"Resource\":\"*\"}");
}

/* Remote bytes in any field: one line, safe characters only, at every size of the caller's array. */
static void lines_are_filtered(void **state)
{
	(void)state;
	struct err e;
	char out[1500];
	err_set(&e, ERR_DENIED, "a\x1b[2J", "b\n\xff\xe2\x80\xae%s", "\r");
	strncpy(e.action, "c\x07", sizeof e.action - 1);
	err_line(&e, out, sizeof out);
	assert_string_equal(out, "sluice: a<U+001B>[2J: b<U+000A><0xFF><U+202E><U+000D>; allow it: c<U+0007>");
	for (unsigned c = 1; c < 256; c++) {
		memset(e.text, (int)c, sizeof e.text - 1);
		memset(e.where, (int)c, sizeof e.where - 1);
		memset(e.action, (int)c, sizeof e.action - 1);
		err_line(&e, out, sizeof out);
		for (size_t i = 0, n = strlen(out); i < n;) {
			uint32_t cp;
			unsigned len = text_decode(out + i, n - i, &cp);
			assert_true(len > 0 && text_is_safe(cp));
			i += len;
		}
	}
	for (unsigned long size = 1; size < 40; size++) {
		memset(out, 'x', sizeof out);
		err_line(&e, out, size);
		assert_true(strlen(out) < size);
	}
}

static void secrets_are_masked(void **state)
{
	(void)state;
	static const char secret[] = "FwoGZXIvYXdzEBYaDFake";
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "", "" },
		{ "nothing here", "nothing here" },
		{ "FwoGZXIvYXdzEBYaDFake", "***" },
		{ "x-amz-security-token:FwoGZXIvYXdzEBYaDFake;FwoGZXIvYXdzEBYaDFake.", "x-amz-security-token:***;***." },
		{ "cut: FwoGZXIv", "cut: ***" },
		{ "cut: FwoGZXI", "cut: FwoGZXI" },
		{ "FwoGZXIvother FwoGFwoGZXIvYXdzEBYaDFakeFwoG", "FwoGZXIvother FwoG***FwoG" },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct err e = { 0 };
		err_set(&e, ERR_AUTH, "x", "%s", t[i].text);
		err_mask(&e, secret);
		assert_string_equal(e.text, t[i].want);
		err_set(&e, ERR_AUTH, "x", "%s", t[i].text);
		err_mask(&e, NULL);
		err_mask(&e, "");
		err_mask(&e, "here");
		assert_string_equal(e.text, t[i].text);
	}
	struct err e = { 0 }; /* cut by the text's own end */
	err_set(&e, ERR_AUTH, "x", "%*s%s", (int)sizeof e.text - 11, "", secret);
	err_mask(&e, secret);
	assert_string_equal(e.text + sizeof e.text - 11, "***");
}

static void logins_are_masked(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "no proxy 'http://me:pass@[broken' at all", "no proxy 'http://***@[broken' at all" },
		{ "http://me:p@ss/w@host:1/ and https://you@host/x@y", "http://***@host:1/ and https://***@y" },
		{ "http://host/ mail me@host", "http://host/ mail me@host" },
		{ "a://bcd@", "a://***@" },
		{ "://", "://" },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct err e = { 0 };
		err_set(&e, ERR_CONNECT, "x", "%s", t[i].text);
		err_mask_logins(&e);
		assert_string_equal(e.text, t[i].want);
	}
}

static void places(void **state)
{
	(void)state;
	struct err e = { 0 };
	char path[101];
	memset(path, 'p', 100);
	path[100] = '\0';
	assert_false(err_at(NULL, path, 3));
	assert_false(err_at(&e, "/a/b", 0));
	assert_string_equal(e.where, "/a/b");
	err_at(&e, "/a/b", 12);
	assert_string_equal(e.where, "/a/b:12");
	err_at(&e, path, 4294967295u);
	assert_int_equal(strlen(e.where), sizeof e.where - 1);
	assert_true(e.where[0] == '~' && strcmp(strrchr(e.where, 'p'), "p:4294967295") == 0);
}

static void hides(void **state)
{
	(void)state;
	struct err e;
	err_set(&e, ERR_REFUSED, "sts:AssumeRole", "Value 'tOpSecret' at 'externalId' (tOpSecret) failed");
	err_hide(&e, NULL);
	err_hide(&e, "");
	err_hide(&e, "absent");
	assert_string_equal(e.text, "Value 'tOpSecret' at 'externalId' (tOpSecret) failed");
	err_hide(&e, "tOpSecret");
	assert_string_equal(e.text, "Value '***' at 'externalId' (***) failed");
	/* what the end of the text cut off is no less of a secret */
	err_set(&e, ERR_REFUSED, "x", "%0*d abcdefghijklmnop", (int)sizeof e.text - 9, 0);
	assert_string_equal(e.text + sizeof e.text - 9, " abcdefg");
	err_hide(&e, "abcdefghijklmnop");
	assert_string_equal(e.text + sizeof e.text - 9, " ***");
	err_set(&e, ERR_REFUSED, "x", "it ends by itself in abcdefg");
	err_hide(&e, "abcdefghijklmnop");
	assert_string_equal(e.text, "it ends by itself in abcdefg");
	/* a secret shorter than its mask cannot push the text over its end */
	char many[sizeof e.text];
	memset(many, 'x', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	err_set(&e, ERR_REFUSED, "x", "%s", many);
	err_hide(&e, "x");
	assert_true(strlen(e.text) < sizeof e.text);
	assert_null(strchr(e.text, 'x'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_masked),
		cmocka_unit_test(logins_are_masked),
		cmocka_unit_test(places),
		cmocka_unit_test(table),
		cmocka_unit_test(hides),
		cmocka_unit_test(sets),
		cmocka_unit_test(lines),
		cmocka_unit_test(statements_can_be_pasted),
		cmocka_unit_test(lines_are_filtered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
