/* SSO: what is asked and read, and the file of the token, which others write too. */
#include "aws/cred/token_file.h"
#include "aws/op_sso.h"
#include "aws/wire.h"
#include "core/clock.h"
#include "core/mem.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- requests and answers */

static void requests(void **state)
{
	(void)state;
	struct http_req rq;
	struct err e = { 0 };
	http_req_init(&rq);
	assert_true(
	    op_get_role_credentials.build(&(struct get_role_credentials){ "to/ken", "123456789012", "My Role" }, &rq, &e));
	wire_frame(&op_get_role_credentials, &rq);
	assert_string_equal(rq.method, "GET");
	assert_string_equal(rq.path.p, "/federation/credentials");
	assert_string_equal(rq.query.p, "account_id=123456789012&role_name=My%20Role");
	assert_int_equal(rq.nheaders, 1);
	assert_string_equal(rq.headers[0].name, "x-amz-sso_bearer_token");
	assert_string_equal(rq.headers[0].value, "to/ken");
	http_req_clear(&rq);
	assert_true(op_create_token.build(&(struct create_token){ "id", "se\"cret", "refresh" }, &rq, &e));
	wire_frame(&op_create_token, &rq);
	assert_string_equal(rq.method, "POST");
	assert_string_equal(rq.path.p, "/token");
	assert_string_equal(rq.body.p,
	                    "{\"clientId\":\"id\",\"clientSecret\":\"se\\\"cret\",\"grantType\":\"refresh_token\","
	                    "\"refreshToken\":\"refresh\"}");
	assert_string_equal(rq.headers[0].value, "application/json");
	http_req_clear(&rq);
	assert_true(op_get_role_credentials.open && op_create_token.open);
}

static bool read_answer(const struct op *op, const char *body, void *out)
{
	struct err e = { 0 };
	bool ok = op->read(&(struct http_res){ .status = 200, .body = span_of(body) }, out, &e);
	assert_true(ok || e.code == ERR_BADREPLY);
	assert_null(strstr(e.text, "S3CRET"));
	return ok;
}

static void answers(void **state)
{
	(void)state;
	struct keys k = { 0 };
	struct created_token t = { 0 };
	assert_true(
	    read_answer(&op_get_role_credentials,
	                "{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S\",\"sessionToken\":\"T\","
	                "\"expiration\":1767319445123}}",
	                &k));
	assert_string_equal(k.session_token, "T");
	assert_int_equal(k.expires, 1767319445);
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"<html/>",
		"{\"roleCredentials\":null}",
		"{\"roleCredentials\":{\"accessKeyId\":\"A\"}}",
		"{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S3CRET\",\"sessionToken\":\"T\",\"expiration\":1}",
		"{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S3CRET\",\"expiration\":1767319445123}}",
		"{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S3CRET\",\"sessionToken\":\"T\"}}",
		("{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S3CRET\",\"sessionToken\":\"T\","
		 "\"expiration\":\"2026-01-02T03:04:05Z\"}}"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (read_answer(&op_get_role_credentials, bad[i], &k))
			fail_msg("%s", bad[i]);
	keys_clear(&k);
	assert_true(
	    read_answer(&op_create_token, "{\"accessToken\":\"a\",\"expiresIn\":3600,\"tokenType\":\"Bearer\"}", &t));
	assert_null(t.refresh_token);
	assert_true(read_answer(&op_create_token, "{\"accessToken\":\"a2\",\"expiresIn\":60,\"refreshToken\":\"r2\"}", &t));
	assert_string_equal(t.access_token, "a2");
	assert_string_equal(t.refresh_token, "r2");
	assert_int_equal(t.expires_in, 60);
	static const char *const bad_tokens[] = { "{}", "{\"accessToken\":\"S3CRET\"}", "{\"expiresIn\":60}",
		                                      "{\"accessToken\":\"S3CRET\",\"expiresIn\":0}",
		                                      "{\"accessToken\":\"S3CRET\",\"expiresIn\":\"soon\"}" };
	for (size_t i = 0; i < sizeof bad_tokens / sizeof *bad_tokens; i++)
		assert_false(read_answer(&op_create_token, bad_tokens[i], &t));
	created_token_clear(&t);
}

/* ---- the file */

static void times(void **state)
{
	(void)state;
	int64_t t;
	assert_true(token_file_time("2026-01-02T03:04:05Z", &t));
	assert_int_equal(t, 1767323045);
	assert_true(token_file_time("2026-01-02T03:04:05UTC", &t));
	assert_int_equal(t, 1767323045);
	assert_true(token_file_time("2026-01-02T04:04:05+01:00", &t));
	assert_int_equal(t, 1767323045);
	static const char *const bad[] = { NULL,
		                               "",
		                               "UTC",
		                               "Z",
		                               "2026-01-02",
		                               "soon",
		                               "2026-01-02T03:04:05 UTC",
		                               "2026-01-02T03:04:05",
		                               "2026-01-02T03:04:05UTCZ" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(token_file_time(bad[i], &t));
}

static void merges(const char *old, const char *news, const char *expected)
{
	struct buf out;
	buf_init(&out, 4096);
	assert_true(token_file_merge(&out, span_of(old), span_of(news)) == (expected != NULL));
	if (expected)
		assert_string_equal(out.p, expected);
	buf_clear(&out);
}

static void merging(void **state)
{
	(void)state;
	merges("{}", "{\"a\":\"1\"}", "{\"a\":\"1\"}");
	merges("{\"a\":\"0\"}", "{\"a\":\"1\"}", "{\"a\":\"1\"}");
	merges(" {\n \"x\" : [1, {\"a\":2}],\n\"a\" :\"0\" , \"y\":1e400,\"z\":\"\\u0061\"} ", "{\"a\":\"1\",\"b\":\"2\"}",
	       "{\"a\":\"1\",\"b\":\"2\",\"x\":[1, {\"a\":2}],\"y\":1e400,\"z\":\"\\u0061\"}");
	merges("{\"\\u0061\":\"0\",\"q\\\"\":null}", "{\"a\":\"1\"}",
	       "{\"a\":\"1\",\"q\\\"\":null}"); /* the same name, escaped */
	merges("[]", "{\"a\":\"1\"}", NULL);
	merges("{\"x\":1", "{\"a\":\"1\"}", NULL);
	merges("{\"x\":1}", "{}", NULL);
	merges("{\"x\":1}", "[1]", NULL);
}

static char folder[] = "/tmp/sluice-token-XXXXXX";
static char path[64];

static void put(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static unsigned files_in_folder(void)
{
	unsigned n = 0;
	DIR *d = opendir(folder);
	for (struct dirent *i; (i = readdir(d));)
		n += i->d_name[0] != '.';
	closedir(d);
	return n;
}

static void writing(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct stat st;
	put("old");
	chmod(path, 0644);
	assert_true(token_file_write(path, SPAN("{\"a\":1}"), &e));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 7);
	assert_int_equal(files_in_folder(), 1);
	assert_false(token_file_write("/does/not/exist/x.json", SPAN("{}"), &e));
	assert_int_equal(e.code, ERR_DISK);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0); /* no file can take its place */
	assert_false(token_file_write(path, SPAN("{}"), &e));
	assert_int_equal(files_in_folder(), 1);
	rmdir(path);
}

static void *finish_writing(void *arg)
{
	(void)arg;
	usleep(30000);
	put("{\"accessToken\":\"whole\"}");
	return NULL;
}

static void reading(void **state)
{
	(void)state;
	struct fetch f = { .deadline_ms = clock_mono_ms() + 20000 };
	struct err e = { 0 };
	struct buf raw;
	pthread_t other;
	unlink(path);
	assert_null(token_file_read(&f, path, NULL, &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	put("{\"accessToken\":\"S3CRET");
	assert_null(token_file_read(&f, path, NULL, &e));
	assert_int_equal(e.code, ERR_BADREPLY);
	assert_null(strstr(e.text, "S3CRET"));
	put("[]");
	assert_null(token_file_read(&f, path, NULL, &e));
	put("{\"accessToken\":\"wh");
	pthread_create(&other, NULL, finish_writing, NULL);
	struct json *doc = token_file_read(&f, path, &raw, &e); /* torn, then whole */
	pthread_join(other, NULL);
	assert_non_null(doc);
	assert_int_equal(e.code, ERR_OK);
	assert_string_equal(json_get_str(doc, "accessToken"), "whole");
	assert_string_equal(raw.p, "{\"accessToken\":\"whole\"}");
	json_free(doc);
	buf_clear(&raw);
	unlink(path);
}

static void commands(void **state)
{
	(void)state;
	struct err e;
	assert_false(token_file_login("w", "the login has expired", "aws sso login --sso-session", "my-sso", &e));
	assert_int_equal(e.code, ERR_AUTH);
	assert_string_equal(e.text, "the login has expired; run: aws sso login --sso-session my-sso");
	token_file_login("w", "x", "aws login --profile", "my team; rm", &e);
	assert_string_equal(e.text, "x; run: aws login --profile 'my team; rm'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests), cmocka_unit_test(answers), cmocka_unit_test(times),    cmocka_unit_test(merging),
		cmocka_unit_test(writing),  cmocka_unit_test(reading), cmocka_unit_test(commands),
	};
	if (!clock_init() || !mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/token.json", folder);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
