/* The document with keys that EC2's and the containers' services hand out. */
#include "aws/cred/metadata.h"
#include "core/hash.h"
#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS "\"AccessKeyId\":\"ASIATEST\",\"SecretAccessKey\":\"the/secret\",\"Token\":\"the+token\""
#define UNTIL "\"Expiration\":\"2026-01-02T03:04:05Z\""

static void test_keys(void **state)
{
	(void)state;
	static const struct {
		const char *text, *account;
		int64_t expires;
	} all[] = {
		{ "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\"," KEYS "," UNTIL "}", NULL, 1767323045 },
		{ "{" KEYS "," UNTIL ",\"AccountId\":\"123456789012\",\"RoleArn\":\"arn:aws:iam::1:role/x\"}", "123456789012",
		  1767323045 },
		{ "{" KEYS ",\"Expiration\":\"2026-01-02T05:04:05+02:00\",\"AccountId\":\"12345\"}", NULL, 1767323045 },
		{ "{" KEYS ",\"Expiration\":\"2026-01-02T03:04:05.999Z\",\"AccountId\":123456789012}", NULL, 1767323045 },
		{ "{" KEYS "," UNTIL ",\"Code\":null,\"message\":null,\"more\":[{}]}", NULL, 1767323045 },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct keys k = { 0 };
		struct err e = { 0 };
		if (!metadata_keys(span_of(all[i].text), "here", &k, &e))
			fail_msg("%s: %s", all[i].text, e.text);
		assert_string_equal(k.access_key, "ASIATEST");
		assert_string_equal(k.secret_key, "the/secret");
		assert_string_equal(k.session_token, "the+token");
		assert_int_equal(k.expires, all[i].expires);
		assert_true(all[i].account ? k.account && strcmp(k.account, all[i].account) == 0 : !k.account);
		keys_clear(&k);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err_code code;
		const char *part;
	} all[] = {
		{ "", ERR_BADREPLY, "no JSON" },
		{ "<html>", ERR_BADREPLY, "no JSON" },
		{ "[]", ERR_BADREPLY, "AccessKeyId" },
		{ "{}", ERR_BADREPLY, "AccessKeyId" },
		{ "{" KEYS "}", ERR_BADREPLY, "Expiration" },
		{ "{" KEYS ",\"Expiration\":\"soon\"}", ERR_BADREPLY, "soon" },
		{ "{" KEYS ",\"Expiration\":1767323045}", ERR_BADREPLY, "Expiration" },
		{ "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"the/secret\"," UNTIL "}", ERR_BADREPLY, "Token" },
		{ "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\",\"Token\":\"t\"," UNTIL "}", ERR_BADREPLY,
		  "SecretAccessKey" },
		{ "{" KEYS "," UNTIL ",\"Token\":\"another\"}", ERR_BADREPLY, "twice" },
		{ "{\"Code\":\"Failed\"," KEYS "," UNTIL "}", ERR_AUTH, "Failed" },
		{ "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot\"}", ERR_AUTH,
		  "AssumeRoleUnauthorizedAccess: EC2 cannot" },
		{ "{\"code\":\"NoRole\",\"message\":\"none\"}", ERR_AUTH, "NoRole: none" },
		{ "{\"message\":\"none\"}", ERR_AUTH, "none" },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct keys k = { 0 };
		struct err e = { 0 };
		assert_false(metadata_keys(span_of(all[i].text), "here", &k, &e));
		if (e.code != all[i].code || !strstr(e.text, all[i].part) || strcmp(e.where, "here") != 0)
			fail_msg("%s: %s: %s", all[i].text, err_name(e.code), e.text);
		assert_null(strstr(e.text, "the/secret"));
		keys_clear(&k);
	}
}

static void test_said(void **state)
{
	(void)state;
	char out[METADATA_SAID];
	metadata_said(SPAN("{\"code\":\"A\",\"message\":\"b\"}"), out);
	assert_string_equal(out, "A: b");
	metadata_said(SPAN("<html>"), out);
	assert_string_equal(out, "");
	metadata_said(SPAN("{\"Code\":\"Success\",\"Message\":\"x\"}"), out);
	assert_string_equal(out, "");
	char *long_one = xasprintf("{\"code\":\"%0300d\",\"message\":\"%0300d\"}", 0, 0);
	metadata_said(span_of(long_one), out);
	assert_int_equal(strlen(out), 60 + 2 + 130);
	free(long_one);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_said),
	};
	return hash_init() ? cmocka_run_group_tests(all, NULL, NULL) : 1;
}
