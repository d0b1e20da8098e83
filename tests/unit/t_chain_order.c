/* The order of AWS's credential chain, and what is refused in it. */
#include "aws/cred/chain.h"
#include "aws_home.h"
#include "core/hash.h"

static struct cred_source *plan(const char *profile, bool asked, enum cred_from from)
{
	struct err e = { .code = ERR_INTERNAL };
	struct cred_source *s = chain_plan(profile, asked, &e);
	if (!s || e.code != ERR_OK)
		fail_msg("%s: %s: %s", err_name(e.code), e.where, e.text);
	assert_int_equal(s->from, from);
	return s;
}

static void keys(const char *profile, bool asked, const char *access_key, const char *token, const char *where)
{
	struct cred_source *s = plan(profile, asked, CRED_STATIC);
	assert_string_equal(s->keys.access_key, access_key);
	assert_true(token ? strcmp(s->keys.session_token, token) == 0 : !s->keys.session_token);
	assert_string_equal(s->where, where);
	cred_source_free(s);
}

/* The problem's line; each is one line with what to do. */
static void problem(const char *profile, enum err_code code, const char *where, const char *part)
{
	struct err e = { 0 };
	assert_null(chain_plan(profile, true, &e));
	if (e.code != code || !strstr(e.where, where) || !strstr(e.text, part))
		fail_msg("%s: %s: %s", err_name(e.code), e.where, e.text);
}

static const char two_profiles[] =
    "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = sd\n"
    "[profile ops]\naws_access_key_id=AKIDOPS\naws_secret_access_key=so\naws_session_token = to\n";

static void test_environment_and_profiles(void **state)
{
	(void)state;
	put_file("config", two_profiles);
	keys("default", false, "AKIDDEFAULT", NULL, "~/.aws/config [default]");
	keys("ops", false, "AKIDOPS", "to", "~/.aws/config [profile ops]");
	env_keys(); /* AWS_PROFILE alone does not push the environment's keys aside */
	keys("ops", false, "AKIDENV", NULL, "environment");
	keys("ops", true, "AKIDOPS", "to", "~/.aws/config [profile ops]"); /* a profile that was asked for does */
	setenv("AWS_SECURITY_TOKEN", "old", 1);
	keys("default", false, "AKIDENV", "old", "environment");
	setenv("AWS_SESSION_TOKEN", "new", 1);
	keys("default", false, "AKIDENV", "new", "environment");
	cred_source_free(NULL);
}

static void test_of_two_files(void **state)
{
	(void)state;
	put_file("config",
	         "[default]\naws_access_key_id=FROMCONFIG\naws_secret_access_key=x\naws_account_id=123456789012\n");
	put_file("credentials", "# mine\n[default]\nAWS_ACCESS_KEY_ID = FROMCRED\nAWS_Secret_Access_Key = y\n");
	keys("default", false, "FROMCRED", NULL, "~/.aws/credentials [default]");
	put_file("credentials", "[default]\nregion=eu-west-2\n");
	struct cred_source *s = plan("default", false, CRED_STATIC);
	assert_string_equal(s->keys.access_key, "FROMCONFIG");
	assert_string_equal(s->keys.account, "123456789012");
	cred_source_free(s);
}

static void test_sections(void **state)
{
	(void)state;
	put_file("config",
	         "[default]\naws_access_key_id=BARE\naws_secret_access_key=x\n[profile default]\naws_access_key_id=FULL\n"
	         "aws_secret_access_key=y\n[profile some-thing:long/the_one%only.foo@bar+]\naws_access_key_id=K\n"
	         "aws_secret_access_key=S\n[profile two]\naws_access_key_id=A\n[profile two]\n"
	         "aws_secret_access_key=B ; a comment\naws_access_key_id=C\n");
	keys("default", false, "FULL", NULL, "~/.aws/config [default]"); /* [profile default] hides [default] */
	struct cred_source *s = plan("some-thing:long/the_one%only.foo@bar+", true, CRED_STATIC);
	assert_string_equal(s->keys.access_key, "K");
	cred_source_free(s);
	s = plan("two", true, CRED_STATIC); /* two sections of one name are one */
	assert_string_equal(s->keys.access_key, "C");
	assert_string_equal(s->keys.secret_key, "B");
	cred_source_free(s);
}

static void test_blank_is_unset(void **state)
{
	(void)state;
	setenv("AWS_ACCESS_KEY_ID", " ", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "", 1);
	put_file("config", two_profiles);
	keys("default", false, "AKIDDEFAULT", NULL, "~/.aws/config [default]");
}

static void test_nothing(void **state)
{
	(void)state;
	struct err e;
	assert_null(chain_plan("default", false, &e));
	assert_int_equal(e.code, ERR_NOCRED);
	assert_non_null(strstr(e.text, "AWS_ACCESS_KEY_ID is not set and there is no profile in"));
	put_file("config", "[profile ops]\nregion=eu-west-1\n");
	problem("ops", ERR_NOCRED, "credentials", "the profile \"ops\" has no credentials");
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	assert_null(chain_plan("ops", false, &e));
	assert_string_equal(e.where, "environment");
	assert_string_equal(e.text, "AWS_SECRET_ACCESS_KEY is missing beside AWS_ACCESS_KEY_ID");
	put_file("credentials", "[default]\naws_secret_access_key=S\n");
	problem("default", ERR_NOCRED, "~/.aws/credentials [default]",
	        "aws_access_key_id is missing beside aws_secret_access_key");
	put_file("config", "[default]\nregion = x\n\nnonsense\n");
	problem("default", ERR_CONF, "config:4", "=");
}

static void test_how_long_a_role_is_wanted(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		unsigned seconds;
	} cases[] = { { "900", 900 }, { "43200", 43200 }, { "899", 0 }, { "43201", 0 }, { "an hour", 0 }, { "-900", 0 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[300];
		snprintf(text, sizeof text,
		         "[profile r]\nrole_arn=arn:aws:iam::1:role/r\ncredential_source=EcsContainer\nduration_seconds=%s\n",
		         cases[i].value);
		put_file("config", text);
		setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", 1);
		if (!cases[i].seconds) {
			problem("r", ERR_CONF, "~/.aws/config [profile r]", "900 to 43200");
			continue;
		}
		struct cred_source *s = plan("r", true, CRED_ROLE);
		assert_int_equal(s->duration_s, cases[i].seconds);
		cred_source_free(s);
	}
}

static void test_mangled_keys(void **state)
{
	(void)state;
	struct err e;
	static const struct {
		const char *name, *value, *part;
	} bad[] = {
		{ "AWS_SESSION_TOKEN", "to\r\nX-Evil: 1", "the session token holds a character" },
		{ "AWS_SECRET_ACCESS_KEY", "se cret", "the secret key holds a character" },
		{ "AWS_SECRET_ACCESS_KEY", "s\xc3\xa4", "the secret key holds a character" },
		{ "AWS_ACCESS_KEY_ID", "A\tB", "the access key holds a character" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		forget_environment();
		env_keys();
		setenv(bad[i].name, bad[i].value, 1);
		assert_null(chain_plan("default", false, &e));
		assert_int_equal(e.code, ERR_NOCRED);
		assert_non_null(strstr(e.text, bad[i].part));
		assert_null(strstr(e.text, bad[i].value));
	}
}

static void test_order(void **state)
{
	(void)state;
	static const struct {
		const char *lines;
		enum cred_from from;
	} order[] = {
		/* each beats what stands in the same profile behind it */
		{ "role_arn=arn:aws:iam::1:role/r\ncredential_source=EcsContainer\nsso_session=s\naws_access_key_id=K\n"
		  "aws_secret_access_key=S\n",
		  CRED_ROLE },
		{ "role_arn=arn:aws:iam::1:role/r\nweb_identity_token_file=/t\nsso_start_url=https://x\n", CRED_WEB },
		{ "sso_session=corp\nsso_account_id=1\nsso_role_name=r\nlogin_session=arn:x\naws_access_key_id=K\n"
		  "aws_secret_access_key=S\n",
		  CRED_SSO },
		{ "sso_start_url=https://x\nsso_region=eu-west-1\nsso_account_id=1\nsso_role_name=r\n", CRED_SSO },
		{ "login_session=arn:x\ncredential_process=/bin/keys\naws_access_key_id=K\naws_secret_access_key=S\n",
		  CRED_LOGIN },
		{ "credential_process=/bin/keys --password hunter2\naws_access_key_id=K\naws_secret_access_key=S\n",
		  CRED_PROCESS },
		{ "aws_access_key_id=K\naws_secret_access_key=S\n", CRED_STATIC },
		{ "region=eu-west-1\n", CRED_CONTAINER },
	};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		char text[512];
		snprintf(text, sizeof text,
		         "[profile p]\n%s[sso-session corp]\nsso_region=eu-west-1\nsso_start_url=https://corp\n",
		         order[i].lines);
		put_file("config", text);
		setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", 1); /* at the very end of the chain */
		cred_source_free(plan("p", true, order[i].from));
		env_keys(); /* and at its beginning */
		keys("p", false, "AKIDENV", NULL, "environment");
		forget_environment();
	}
	put_file("config", "[profile p]\ncredential_process=/bin/keys\n");
	put_file("credentials", "[p]\naws_access_key_id=K\naws_secret_access_key=S\n");
	keys("p", true, "K", NULL, "~/.aws/credentials [p]"); /* that file's keys come before the process */
}

static void test_web_identity_of_the_environment(void **state)
{
	(void)state;
	put_file("config", two_profiles);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/t", 1); /* before a profile's keys */
	struct err e;
	assert_null(chain_plan("default", false, &e));
	assert_int_equal(e.code, ERR_CONF);
	setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
	setenv("AWS_ROLE_SESSION_NAME", "me", 1);
	struct cred_source *s = plan("default", false, CRED_WEB);
	assert_string_equal(s->role_arn, "arn:aws:iam::1:role/r");
	assert_string_equal(s->session_name, "me");
	assert_string_equal(s->file, "/t");
	cred_source_free(s);
	keys("ops", true, "AKIDOPS", "to", "~/.aws/config [profile ops]"); /* a profile that was asked for */
}

static void test_the_instance_is_last(void **state)
{
	(void)state;
	struct err e;
	unsetenv("AWS_EC2_METADATA_DISABLED");
	struct cred_source *s = plan("default", false, CRED_IMDS);
	assert_string_equal(s->uri, "http://169.254.169.254");
	assert_int_equal(s->timeout_s, 1);
	assert_int_equal(s->attempts, 1);
	cred_source_free(s);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:99/", 1);
	setenv("AWS_METADATA_SERVICE_TIMEOUT", "5", 1);
	s = plan("default", false, CRED_IMDS);
	assert_string_equal(s->uri, "http://127.0.0.1:99");
	assert_int_equal(s->timeout_s, 5);
	cred_source_free(s);
	unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	put_file("config", "[default]\nec2_metadata_service_endpoint_mode = IPv6\n");
	s = plan("default", false, CRED_IMDS);
	assert_string_equal(s->uri, "http://[fd00:ec2::254]");
	cred_source_free(s);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "5", 1);
	assert_null(chain_plan("default", false, &e));
	assert_int_equal(e.code, ERR_CONF);
}

/* SHA-1 and SHA-256 of the names, as AWS's own tools name their files. */
static void test_files_of_tokens(void **state)
{
	(void)state;
	put_file("config",
	         "[profile a]\nsso_session=my-sso\nsso_account_id=1\nsso_role_name=r\n[sso-session my-sso]\nsso_region=x\n"
	         "sso_start_url=https://y\n[profile b]\nsso_start_url=https://example.awsapps.com/start\nsso_region=x\n"
	         "sso_account_id=1\nsso_role_name=r\n");
	struct cred_source *s = plan("a", true, CRED_SSO);
	assert_non_null(strstr(s->file, "/.aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json"));
	assert_string_equal(s->sso_region, "x");
	assert_string_equal(s->sso_start_url, "https://y");
	cred_source_free(s);
	s = plan("b", true, CRED_SSO);
	assert_non_null(strstr(s->file, "/.aws/sso/cache/e8be5486177c5b5392bd9aa76563515b29358e6e.json"));
	cred_source_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_environment_and_profiles),
		TEST(test_of_two_files),
		TEST(test_sections),
		TEST(test_blank_is_unset),
		TEST(test_nothing),
		TEST(test_how_long_a_role_is_wanted),
		TEST(test_mangled_keys),
		TEST(test_order),
		TEST(test_web_identity_of_the_environment),
		TEST(test_the_instance_is_last),
		TEST(test_files_of_tokens),
	};
	return hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
