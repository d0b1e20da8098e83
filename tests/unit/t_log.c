/* The log: off until opened, levels, one filtered line a call, no secrets, safe files, many threads. */
#include "core/log.h"

#include "core/clock.h"
#include "core/text.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], file[96];

static int make_folder(void **state)
{
	(void)state;
	setenv("SLUICE_NOW", "2026-11-23T03:14:42.007Z", 1);
	if (!clock_init())
		return -1;
	snprintf(folder, sizeof folder, "/tmp/t_log.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/log", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}

static int close_log(void **state)
{
	(void)state;
	log_close();
	unlink(file);
	return 0;
}

/* The whole file; the caller frees. */
static char *read_log(void)
{
	FILE *f = fopen(file, "r");
	assert_non_null(f);
	char *text = calloc(1, 1 << 20);
	assert_non_null(text);
	assert_in_range(fread(text, 1, (1 << 20) - 1, f), 0, (1 << 20) - 2);
	fclose(f);
	return text;
}

static void check_log(const char *want)
{
	char *text = read_log();
	assert_string_equal(text, want);
	free(text);
}

static void off_until_opened(void **state)
{
	(void)state;
	assert_false(log_wants(LOG_HTTP, LOG_ERROR));
	log_error(LOG_HTTP, "nowhere");
	assert_true(log_open(file, "http=debug,engine=warn", NULL));
	assert_true(log_wants(LOG_HTTP, LOG_DEBUG));
	assert_true(log_wants(LOG_ENGINE, LOG_ERROR) && log_wants(LOG_ENGINE, LOG_WARN));
	assert_false(log_wants(LOG_ENGINE, LOG_INFO));
	assert_false(log_wants(LOG_AWS, LOG_ERROR));
	assert_false(log_wants(LOG_HTTP, LOG_OFF));
	log_debug(LOG_HTTP, "one %d", 1);
	log_warn(LOG_ENGINE, "two");
	log_info(LOG_ENGINE, "not this");
	log_error(LOG_AWS, "nor this");
	log_close();
	assert_false(log_wants(LOG_HTTP, LOG_ERROR));
	log_error(LOG_HTTP, "nor after the end");
	check_log("2026-11-23T03:14:42.007Z http debug one 1\n2026-11-23T03:14:42.007Z engine warn two\n");
	struct stat st;
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void appends(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(log_open(file, "info", NULL));
		log_info(LOG_CORE, "run %d", i);
		log_close();
	}
	check_log("2026-11-23T03:14:42.007Z core info run 0\n2026-11-23T03:14:42.007Z core info run 1\n");
}

static void specs(void **state)
{
	(void)state;
	static const char *const good[] = { "debug", "off", "http=debug", "info,http=off", " http = debug , cli=warn " };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(log_open(file, good[i], NULL));
	assert_true(log_open(file, "info,http=off", NULL)); /* later items win */
	assert_true(log_wants(LOG_AWS, LOG_INFO) && !log_wants(LOG_HTTP, LOG_ERROR));
	static const char *const bad[] = {
		"", "verbose", "http", "http=", "=debug", "web=debug", "http=debug,", ",", "http=debug;aws=debug", "DEBUG"
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = { 0 };
		assert_false(log_open(file, bad[i], &e));
		assert_int_equal(e.code, ERR_USAGE);
	}
	assert_false(log_open(file, NULL, NULL));
	assert_true(log_wants(LOG_AWS, LOG_INFO)); /* a failed attempt leaves the log that there was */
}

static void files(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_false(log_open("/tmp/t_log.none/none/log", "info", &e));
	assert_int_equal(e.code, ERR_DISK);
	assert_false(log_open(folder, "info", &e));
	assert_false(log_open("/dev/null", "info", &e)); /* never a device: a terminal is one */
	char link[112];
	snprintf(link, sizeof link, "%s.link", file);
	assert_int_equal(symlink(file, link), 0);
	assert_false(log_open(link, "info", &e));
	assert_int_equal(access(file, F_OK), -1);
	unlink(link);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_false(log_open(file, "info", &e));
	unlink(file);
	assert_false(log_wants(LOG_CORE, LOG_ERROR));
}

/* Every byte and every C0 and C1 code point: nothing of it reaches the file as it is. */
static void filtered(void **state)
{
	(void)state;
	assert_true(log_open(file, "info", NULL));
	log_info(LOG_AWS, "a\nb\x1b[2J\xff%s", "\xe2\x80\xae");
	for (int c = 1; c < 256; c++)
		log_info(LOG_AWS, "byte %c, as UTF-8 %c%c", c, 0xC0 | c >> 6, 0x80 | (c & 0x3F));
	char *text = read_log();
	assert_non_null(strstr(text, " aws info a<U+000A>b<U+001B>[2J<0xFF><U+202E>\n"));
	unsigned lines = 0;
	for (const char *p = text; *p; lines++) {
		const char *nl = strchr(p, '\n');
		assert_non_null(nl);
		for (uint32_t cp; p < nl;) {
			unsigned len = text_decode(p, (size_t)(nl - p), &cp);
			assert_true(len > 0 && text_is_safe(cp));
			p += len;
		}
		p = nl + 1;
	}
	assert_int_equal(lines, 256);
	free(text);
}

static void no_secrets(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} t[] = {
		{ "GET /?X-Amz-Signature=abc123&x=1", "GET /?X-Amz-Signature=***&x=1" },
		{ "AWS4-HMAC-SHA256 Credential=AKID/x, Signature=deadbeef",
		  "AWS4-HMAC-SHA256 Credential=AKID/x, Signature=***" },
		{ "x-amz-security-token: FQoG/x+y== next", "x-amz-security-token: *** next" },
		{ "X-Amz-Security-Token=FQoG%2F&b", "X-Amz-Security-Token=***&b" },
		{ "Authorization: Bearer abc def", "Authorization: ***" },
		{ "{\"SecretAccessKey\" : \"s3cret\",\"SessionToken\":\"t\"}",
		  "{\"SecretAccessKey\" : \"***\",\"SessionToken\":\"***\"}" },
		{ "<SecretAccessKey>s3cret</SecretAccessKey>", "<SecretAccessKey>***</SecretAccessKey>" },
		{ "aws_secret_access_key = wJalr", "aws_secret_access_key = ***" },
		{ "AWS_SESSION_TOKEN=abc", "AWS_SESSION_TOKEN=***" },
		{ "SignedHeaders=host;x-amz-date;x-amz-security-token, SignatureDoesNotMatch",
		  "SignedHeaders=host;x-amz-date;x-amz-security-token, SignatureDoesNotMatch" },
		{ "set AWS_SECRET_ACCESS_KEY or --profile", "set AWS_SECRET_ACCESS_KEY or --profile" },
		{ "Signature=", "Signature=" },
	};
	assert_true(log_open(file, "info", NULL));
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char want[256];
		snprintf(want, sizeof want, "2026-11-23T03:14:42.007Z http info %s\n", t[i].want);
		assert_int_equal(truncate(file, 0), 0);
		log_info(LOG_HTTP, "%s", t[i].in);
		check_log(want);
	}
}

/* Text made of secrets' names, as long as a line can get: the mask grows it, and nothing may be written outside. */
static void long_lines(void **state)
{
	(void)state;
	static char text[8192];
	for (size_t n = 0; n + 12 < sizeof text; n += 12)
		memcpy(text + n, "Signature=x ", 13);
	assert_true(log_open(file, "info", NULL));
	log_info(LOG_HTTP, "%s", text);
	memset(text, '\x01', sizeof text - 1);
	log_info(LOG_HTTP, "%s", text);
	char *out = read_log();
	char *nl = strchr(out, '\n');
	assert_non_null(nl);
	assert_in_range(nl - out, 2000, 2100);
	assert_null(strstr(out, "=x"));
	assert_string_equal(out + strlen(out) - 9, "<U+0001>\n"); /* cut between marks */
	free(out);
}

static void last_lines(void **state)
{
	(void)state;
	assert_true(log_open(file, "info", NULL));
	for (int i = 0; i < LOG_RECENT + 10; i++)
		log_info(LOG_TUI, "line %d", i);
	char wide[600] = "";
	for (int i = 0; i < 190; i++)
		memcpy(wide + 3 * i, "\xe4\xbd\xa0", 4);
	log_info(LOG_TUI, "%s", wide);
	struct buf b;
	buf_init(&b, 1 << 20);
	log_recent(&b);
	unsigned lines = 0;
	for (const char *p = b.p; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, LOG_RECENT);
	assert_non_null(strstr(b.p, " line 73\n"));
	assert_non_null(strstr(b.p, " line 11\n"));
	assert_null(strstr(b.p, " line 10\n"));
	assert_string_equal(b.p + b.n - 4, "\xe4\xbd\xa0\n"); /* cut between characters */
	buf_clear(&b);
}

static void *writer(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_info(LOG_SIM, "thread %d line %d %s", *(int *)arg, i, "........................................");
	return NULL;
}

static void threads(void **state)
{
	(void)state;
	assert_true(log_open(file, "info", NULL));
	pthread_t t[4];
	int id[4] = { 0, 1, 2, 3 };
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, writer, &id[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	char *text = read_log();
	unsigned lines = 0;
	for (char *p = text, *nl; (nl = strchr(p, '\n')); p = nl + 1, lines++) {
		assert_memory_equal(p, "2026-11-23T03:14:42.007Z sim info thread ", 41);
		assert_memory_equal(nl - 5, ".....", 5);
	}
	assert_int_equal(lines, 2000);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(off_until_opened, close_log),
		cmocka_unit_test_teardown(appends, close_log),
		cmocka_unit_test_teardown(specs, close_log),
		cmocka_unit_test_teardown(files, close_log),
		cmocka_unit_test_teardown(filtered, close_log),
		cmocka_unit_test_teardown(no_secrets, close_log),
		cmocka_unit_test_teardown(long_lines, close_log),
		cmocka_unit_test_teardown(last_lines, close_log),
		cmocka_unit_test_teardown(threads, close_log),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
