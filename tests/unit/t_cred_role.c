/* The keys of a role: what is asked of STS, what is read from it, and the names of sessions. */
#include "aws/cred/assume.h"
#include "aws/wire.h"
#include "core/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void asks(const struct op *op, const struct assume_role *in, const char *body)
{
	struct http_req rq;
	struct err e = { 0 };
	http_req_init(&rq);
	assert_true(op->build(in, &rq, &e));
	wire_frame(op, &rq);
	assert_string_equal(rq.body.p, body);
	http_req_clear(&rq);
}

static void requests(void **state)
{
	(void)state;
	const char *role = "arn:aws:iam::123456789012:role/a";
	asks(&op_assume_role, &(struct assume_role){ .role_arn = role, .session_name = "ops@x" },
	     "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fa"
	     "&RoleSessionName=ops%40x");
	asks(&op_assume_role,
	     &(struct assume_role){ .role_arn = role,
	                            .session_name = "s-1",
	                            .external_id = "a b",
	                            .serial = "arn:aws:iam::1:mfa/me",
	                            .code = "123456",
	                            .duration_s = 900 },
	     "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fa&RoleSessionName=s-1"
	     "&DurationSeconds=900&ExternalId=a%20b&SerialNumber=arn%3Aaws%3Aiam%3A%3A1%3Amfa%2Fme&TokenCode=123456");
	asks(&op_assume_role_with_web_identity,
	     &(struct assume_role){ .role_arn = role, .session_name = "s-1", .token = "ey.J+/=" },
	     "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fa"
	     "&RoleSessionName=s-1&WebIdentityToken=ey.J%2B%2F%3D");
	assert_true(op_assume_role_with_web_identity.open);
	assert_false(op_assume_role.open);
}

#define KEYS                                                                                                           \
	"<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>se/cret+1</SecretAccessKey><SessionToken>tok"       \
	"==</SessionToken><Expiration>2026-01-02T04:04:05Z</Expiration></Credentials>"
#define USER(arn) "<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>" arn "</Arn></AssumedRoleUser>"
#define ANSWER(op, inner)                                                                                              \
	"<" op "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" op "Result>" inner "</" op "Result>"       \
	"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></" op "Response>"

static bool reads(const struct op *op, const char *body, struct keys *k)
{
	struct err e = { 0 };
	*k = (struct keys){ 0 };
	bool ok = op->read(&(struct http_res){ .status = 200, .body = span_of(body) }, k, &e);
	assert_true(ok == (e.code == ERR_OK));
	assert_true(ok || e.code == ERR_BADREPLY);
	assert_null(strstr(e.text, "cret"));
	return ok;
}

static void answers(void **state)
{
	(void)state;
	struct keys k;
	assert_true(
	    reads(&op_assume_role, ANSWER("AssumeRole", USER("arn:aws-cn:sts::123456789012:assumed-role/a/s") KEYS), &k));
	assert_string_equal(k.access_key, "ASIA1");
	assert_string_equal(k.secret_key, "se/cret+1");
	assert_string_equal(k.session_token, "tok==");
	assert_string_equal(k.account, "123456789012");
	assert_int_equal(k.expires, 1767326645);
	keys_clear(&k);
	assert_true(
	    reads(&op_assume_role_with_web_identity, ANSWER("AssumeRoleWithWebIdentity", KEYS USER("strange")), &k));
	assert_string_equal(k.access_key, "ASIA1");
	assert_null(k.account); /* not said, not guessed */
	keys_clear(&k);
	static const char *const bad[] = {
		"",
		"<html/>",
		"{\"AccessKeyId\":\"ASIA1\"}",
		ANSWER("AssumeRole", ""),
		ANSWER("AssumeRoleWithWebIdentity", KEYS), /* the answer to another question */
		ANSWER("AssumeRole", "<Credentials><AccessKeyId>ASIA1</AccessKeyId></Credentials>"),
		ANSWER("AssumeRole", "<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>se/cret</SecretAccessKey>"
		                     "<SessionToken>t</SessionToken><Expiration>soon</Expiration></Credentials>"),
		ANSWER("AssumeRole", "<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>se/cret</SecretAccessKey>"
		                     "<SessionToken>t</SessionToken></Credentials>"), /* keys of a role do end */
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (reads(&op_assume_role, bad[i], &k))
			fail_msg("accepted: %s", bad[i]);
		keys_clear(&k);
	}
}

static void accounts(void **state)
{
	(void)state;
	static const struct {
		const char *body, *account;
	} arns[] = {
		{ ANSWER("AssumeRole", USER("arn:aws:sts::123456789012:assumed-role/a:b/s") KEYS), "123456789012" },
		{ ANSWER("AssumeRole", USER("arn:aws:sts::12345678901:assumed-role/a/s") KEYS), NULL },
		{ ANSWER("AssumeRole", USER("arn:aws:sts::123456789012") KEYS), NULL },
		{ ANSWER("AssumeRole", USER("arn:aws:sts") KEYS), NULL },
		{ ANSWER("AssumeRole", USER("") KEYS), NULL },
	};
	for (size_t i = 0; i < sizeof arns / sizeof *arns; i++) {
		struct keys k;
		assert_true(reads(&op_assume_role, arns[i].body, &k));
		assert_true(arns[i].account ? k.account && strcmp(k.account, arns[i].account) == 0 : !k.account);
		keys_clear(&k);
	}
}

static void session_names(void **state)
{
	(void)state;
	struct cred_source s = { .from = CRED_ROLE };
	struct err e;
	char name[ASSUME_SESSION];
	assert_true(assume_session(&s, name, &e));
	assert_true(strncmp(name, "sluice-", 7) == 0);
	assert_true(llabs(atoll(name + 7) - clock_wall()) < 60);
	static const struct {
		const char *name;
		bool ok;
	} names[] = {
		{ "ab", true },
		{ "a", false },
		{ "", false },
		{ "_+=,.@-", true },
		{ "a b", false },
		{ "a/b", false },
		{ "a:b", false },
		{ "a\nb", false },
		{ "\xc3\xa4", false },
		{ "my_session", true },
		{ "x;DROP", false },
		{ "1234567890123456789012345678901234567890123456789012345678901234", true },
		{ "12345678901234567890123456789012345678901234567890123456789012345", false },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		s.session_name = (char *)(uintptr_t)names[i].name;
		if (assume_session(&s, name, &e) != names[i].ok)
			fail_msg("\"%s\"", names[i].name);
		if (names[i].ok)
			assert_string_equal(name, names[i].name);
		else
			assert_int_equal(e.code, ERR_CONF);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(answers),
		cmocka_unit_test(accounts),
		cmocka_unit_test(session_names),
	};
	return clock_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
