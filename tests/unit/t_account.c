/* Profile, region, endpoints, trust store and retries out of the environment and AWS's files. */
#include "aws/account.h"
#include "aws/profile.h"
#include "aws_home.h"
#include "core/hash.h"

static struct account *load_in(struct account_in in, enum err_code code)
{
	struct err e = { .code = ERR_INTERNAL };
	struct account *a = account_load(&in, &e);
	assert_non_null(a);
	if (e.code != code)
		fail_msg("%s instead of %s: %s: %s", err_name(e.code), err_name(code), e.where, e.text);
	return a;
}

static struct account *load(enum err_code code)
{
	return load_in((struct account_in){ .profile = NULL }, code);
}

/* The problem's line; each is one line with what to do. */
static void problem(struct account_in in, enum err_code code, const char *where, const char *part)
{
	struct err e = { 0 };
	struct account *a = account_load(&in, &e);
	assert_int_equal(e.code, code);
	if (!strstr(e.where, where) || !strstr(e.text, part))
		fail_msg("%s: %s", e.where, e.text);
	account_free(a);
	account_free(account_load(&in, NULL)); /* nobody need listen */
}

static void is(const struct sourced *s, const char *value, const char *source)
{
	if (!value) {
		assert_null(s->value);
		return;
	}
	assert_non_null(s->value);
	assert_string_equal(s->value, value);
	assert_string_equal(s->source, source);
}

/* ---- profiles */

static const char two_profiles[] =
    "[default]\nregion = us-east-1\n[profile ops]\nregion=eu-north-1\n[profile \"my team\"]\nregion = eu-west-3\n";

static void test_profiles(void **state)
{
	(void)state;
	put_file("config", two_profiles);
	struct account *a = load(ERR_OK);
	is(&a->profile, NULL, NULL);
	is(&a->region, "us-east-1", "~/.aws/config [default]");
	assert_false(a->profile_asked);
	account_free(a);
	setenv("AWS_DEFAULT_PROFILE", "ops", 1);
	a = load(ERR_OK);
	is(&a->profile, "ops", "AWS_DEFAULT_PROFILE");
	account_free(a);
	setenv("AWS_PROFILE", "ops", 1);
	a = load(ERR_OK);
	is(&a->profile, "ops", "AWS_PROFILE");
	is(&a->region, "eu-north-1", "~/.aws/config [profile ops]");
	assert_false(a->profile_asked);
	account_free(a);
	unsetenv("AWS_PROFILE");
	a = load_in((struct account_in){ .profile = "my team", .profile_from = "config.ini:3" }, ERR_OK);
	is(&a->profile, "my team", "config.ini:3");
	is(&a->region, "eu-west-3", "~/.aws/config [profile my team]");
	assert_true(a->profile_asked);
	account_free(a);
	account_free(NULL);
}

static void test_sections(void **state)
{
	(void)state;
	put_file("config", "[ops]\nregion=eu-west-1\n");
	problem((struct account_in){ .profile = "ops" }, ERR_CONF, "--profile",
	        "\"ops\" is neither in"); /* a prefix is required */
	put_file("credentials", "[profile odd]\naws_access_key_id=X\n");
	problem((struct account_in){ .profile = "odd" }, ERR_CONF, "--profile",
	        "\"odd\" is neither in"); /* none is allowed */
}

static void test_credentials_file_wins(void **state)
{
	(void)state;
	put_file("config", "[default]\nregion=eu-west-1\n");
	put_file("credentials", "[default]\nregion=eu-west-2\n"); /* values of the same profile: this file's win */
	struct account *a = load(ERR_OK);
	is(&a->region, "eu-west-2", "~/.aws/credentials [default]");
	account_free(a);
}

static void test_files_elsewhere(void **state)
{
	(void)state;
	put_file("my config", two_profiles);
	setenv("AWS_CONFIG_FILE", "~/.aws/my config", 1);
	struct account *a = load(ERR_OK);
	is(&a->region, "us-east-1", "~/.aws/my config [default]");
	assert_non_null(strstr(a->config_file, "/.aws/my config"));
	account_free(a);
	setenv("AWS_CONFIG_FILE", "/nowhere/config", 1); /* as AWS's tools: no file is no setting */
	a = load_in((struct account_in){ .region = "eu-west-1" }, ERR_OK);
	account_free(a);
}

static void test_attempts(void **state)
{
	(void)state;
	put_file("config", "[default]\nregion=eu-west-1\nmax_attempts = 5\n");
	struct account *a = load(ERR_OK);
	is(&a->max_attempts, "5", "~/.aws/config [default]");
	assert_int_equal(a->attempts, 5);
	account_free(a);
	setenv("AWS_MAX_ATTEMPTS", "1", 1);
	a = load(ERR_OK);
	is(&a->max_attempts, "1", "AWS_MAX_ATTEMPTS");
	assert_int_equal(a->attempts, 1);
	account_free(a);
	setenv("AWS_MAX_ATTEMPTS", "400", 1); /* a cap of ours: nobody waits that long */
	a = load(ERR_OK);
	assert_int_equal(a->attempts, 10);
	account_free(a);
	static const char *const bad[] = { "0", "-1", "three", "2x" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		setenv("AWS_MAX_ATTEMPTS", bad[i], 1);
		problem((struct account_in){ .profile = NULL }, ERR_CONF, "AWS_MAX_ATTEMPTS", "is not a number from 1 on");
	}
}

static void test_another_region(void **state)
{
	(void)state;
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ENDPOINT_URL_STS", "http://sts:1", 1);
	setenv("AWS_CA_BUNDLE", "/env.pem", 1);
	struct account *a = load(ERR_OK), *b = account_in_region(a, "cn-north-1");
	struct buf url;
	buf_init(&url, 200);
	assert_true(account_endpoint(b, &(struct service){ .host = "portal.sso", .env = "SSO" }, &url, NULL));
	assert_string_equal(url.p, "https://portal.sso.cn-north-1.amazonaws.com.cn");
	buf_reset(&url);
	assert_true(account_endpoint(b, &(struct service){ .host = "sts", .env = "STS" }, &url, NULL));
	assert_string_equal(url.p, "http://sts:1");
	assert_string_equal(b->ca_bundle.value, "/env.pem");
	assert_int_equal(b->attempts, a->attempts);
	buf_clear(&url);
	account_free(a);
	account_free(b);
}

/* ---- region and partition */

static void test_region_order(void **state)
{
	(void)state;
	env_keys();
	problem((struct account_in){ .profile = NULL }, ERR_USAGE, "region", "--region, AWS_REGION");
	put_file("config", two_profiles);
	struct account *a = load(ERR_OK);
	is(&a->region, "us-east-1", "~/.aws/config [default]");
	account_free(a);
	setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
	a = load(ERR_OK);
	is(&a->region, "eu-west-2", "AWS_DEFAULT_REGION");
	account_free(a);
	setenv("AWS_REGION", "eu-west-3", 1);
	a = load(ERR_OK);
	is(&a->region, "eu-west-3", "AWS_REGION");
	account_free(a);
	a = load_in((struct account_in){ .region = "cn-north-1" }, ERR_OK);
	is(&a->region, "cn-north-1", "--region");
	assert_string_equal(a->partition, "aws-cn");
	account_free(a);
}

static void test_region_names(void **state)
{
	(void)state;
	static const char *const bad[] = { "eu-west-1.evil.example", "eu west", "-eu", "a@b" }; /* the rest: t_endpoint.c */
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		problem((struct account_in){ .region = bad[i], .region_from = "config.ini:7" }, ERR_USAGE, "config.ini:7",
		        "not a region's name");
		struct account *a = load_in((struct account_in){ .region = bad[i] }, ERR_USAGE);
		struct buf url;
		buf_init(&url, 100);
		assert_null(a->region.value);
		assert_false(account_endpoint(a, &(struct service){ .host = "sqs", .env = "SQS" }, &url, NULL));
		buf_clear(&url);
		account_free(a);
	}
	account_free(load_in((struct account_in){ .region = "a23456789012345678901234567890123456789" }, ERR_OK));
}

/* ---- endpoints */

static const struct service cloudwatch = { .host = "monitoring", .env = "CLOUDWATCH" },
                            sqs = { .host = "sqs", .env = "SQS" };

static void endpoints(const struct account *a, const char *of_cloudwatch, const char *of_sqs)
{
	struct buf url;
	buf_init(&url, 200);
	assert_true(account_endpoint(a, &cloudwatch, &url, NULL));
	assert_string_equal(url.p, of_cloudwatch);
	buf_reset(&url);
	assert_true(account_endpoint(a, &sqs, &url, NULL));
	assert_string_equal(url.p, of_sqs);
	buf_clear(&url);
}

#define SERVICES                                                                                                       \
	"services = local\nendpoint_url = http://profile:1\n[services local]\ncloudwatch =\n  endpoint_url = "             \
	"http://block:2/\n"

static void test_endpoint_order(void **state)
{
	(void)state;
	env_keys();
	setenv("AWS_REGION", "cn-north-1", 1);
	struct account *a = load(ERR_OK);
	endpoints(a, "https://monitoring.cn-north-1.amazonaws.com.cn", "https://sqs.cn-north-1.amazonaws.com.cn");
	account_free(a);
	put_file("config", "[default]\n" SERVICES);
	a = load(ERR_OK);
	endpoints(a, "http://block:2", "http://profile:1");
	is(&a->endpoint_url, "http://profile:1", "~/.aws/config [default]");
	account_free(a);
	setenv("AWS_ENDPOINT_URL", "https://all:3/", 1); /* beats even a services block */
	a = load(ERR_OK);
	endpoints(a, "https://all:3", "https://all:3");
	is(&a->endpoint_url, "https://all:3", "AWS_ENDPOINT_URL");
	account_free(a);
	setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://[::1]:4", 1);
	a = load(ERR_OK);
	endpoints(a, "http://[::1]:4", "https://all:3");
	account_free(a);
	unsetenv("AWS_ENDPOINT_URL");
	a = load(ERR_OK);
	endpoints(a, "http://[::1]:4", "http://profile:1");
	account_free(a);
	a = load_in((struct account_in){ .endpoint_url = "http://given:5" }, ERR_OK);
	endpoints(a, "http://given:5", "http://given:5");
	is(&a->endpoint_url, "http://given:5", "--endpoint-url");
	account_free(a);
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True", 1);
	a = load(ERR_OK);
	endpoints(a, "https://monitoring.cn-north-1.amazonaws.com.cn", "https://sqs.cn-north-1.amazonaws.com.cn");
	account_free(a);
	a = load_in((struct account_in){ .endpoint_url = "http://given:5" }, ERR_OK); /* what was given by hand stays */
	endpoints(a, "http://given:5", "http://given:5");
	account_free(a);
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false", 1);
	put_file("config", "[default]\nignore_configured_endpoint_urls=true\n" SERVICES);
	a = load(ERR_OK); /* the environment's word on it wins */
	endpoints(a, "http://[::1]:4", "http://profile:1");
	account_free(a);
}

static void test_bad_endpoints(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"localhost:4566", "ftp://h",    "http://",    "https://h/path", "http://user:pw@h",
		"http://h?q",     "http://h#f", "http://h h", "http://h\n",     "file:///etc/passwd",
		"http://:80",     "https:///",  "HTTP://h"
	};
	env_keys();
	setenv("AWS_REGION", "eu-west-1", 1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		problem((struct account_in){ .endpoint_url = bad[i] }, ERR_CONF, "--endpoint-url", "is no endpoint");
		setenv("AWS_ENDPOINT_URL_SQS", bad[i], 1);
		problem((struct account_in){ .profile = NULL }, ERR_CONF, "AWS_ENDPOINT_URL_SQS", "is no endpoint");
		unsetenv("AWS_ENDPOINT_URL_SQS");
	}
}

static void test_variants(void **state)
{
	(void)state;
	setenv("AWS_REGION", "us-gov-west-1", 1);
	setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
	struct account *a = load(ERR_OK);
	endpoints(a, "https://monitoring.us-gov-west-1.amazonaws.com", "https://sqs.us-gov-west-1.amazonaws.com");
	is(&a->fips, "true", "AWS_USE_FIPS_ENDPOINT");
	account_free(a);
	setenv("AWS_REGION", "us-east-1", 1);
	put_file("config", "[default]\nuse_dualstack_endpoint = TRUE\n");
	a = load(ERR_OK);
	endpoints(a, "https://monitoring-fips.us-east-1.api.aws", "https://sqs-fips.us-east-1.api.aws");
	account_free(a);
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1",
	       1); /* other hosts than asked for would be a quiet breach of somebody's rules */
	struct buf url;
	struct err e;
	buf_init(&url, 200);
	a = load(ERR_OK);
	assert_false(account_endpoint(a, &sqs, &url, &e));
	assert_int_equal(e.code, ERR_CONF);
	account_free(a);
	buf_clear(&url);
	setenv("AWS_USE_FIPS_ENDPOINT", "yes", 1);
	problem((struct account_in){ .profile = NULL }, ERR_CONF, "AWS_USE_FIPS_ENDPOINT", "true or false is wanted");
	unsetenv("AWS_USE_FIPS_ENDPOINT");
	setenv("AWS_STS_REGIONAL_ENDPOINTS", "sometimes", 1);
	problem((struct account_in){ .profile = NULL }, ERR_CONF, "AWS_STS_REGIONAL_ENDPOINTS", "regional or legacy");
}

/* ---- the rest */

static void test_ca_bundle(void **state)
{
	(void)state;
	env_keys();
	put_file("config", "[default]\nregion=eu-west-1\nca_bundle=/profile.pem\n");
	struct account *a = load(ERR_OK);
	is(&a->ca_bundle, "/profile.pem", "~/.aws/config [default]");
	account_free(a);
	setenv("AWS_CA_BUNDLE", "/env.pem", 1);
	a = load(ERR_OK);
	is(&a->ca_bundle, "/env.pem", "AWS_CA_BUNDLE");
	account_free(a);
}

static void test_bad_files(void **state)
{
	(void)state;
	env_keys();
	setenv("AWS_REGION", "eu-west-1", 1);
	put_file("config", "[default]\nregion = x\n\nnonsense\n");
	problem((struct account_in){ .profile = NULL }, ERR_CONF, "config:4", "=");
	put_file("config", "");
	put_file("credentials", "[default\n");
	problem((struct account_in){ .profile = NULL }, ERR_CONF, "credentials:1", "]");
	put_file("credentials", "");
	setenv("AWS_CONFIG_FILE", home, 1); /* a folder */
	problem((struct account_in){ .profile = NULL }, ERR_CONF, home, "not a regular file");
	forget_environment();
	problem((struct account_in){ .profile = "nope" }, ERR_CONF, "--profile",
	        "\"nope\" is neither in"); /* the first problem of three */
}

static void test_first_problem(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct account_in in = { .profile = NULL };
	struct account *a = account_load(&in, &e); /* no region */
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(a->partition, "aws");
	char line[400];
	err_line(&e, line, sizeof line);
	assert_null(strchr(line, '\n'));
	account_free(a);
}

static void test_static(void **state)
{
	(void)state;
	env_keys();
	setenv("AWS_ENDPOINT_URL", "http://elsewhere", 1);
	struct account *a = account_static("eu-west-1", "http://127.0.0.1:4566", "K", "S", "--demo");
	endpoints(a, "http://127.0.0.1:4566", "http://127.0.0.1:4566");
	assert_string_equal(a->fixed->access_key, "K");
	assert_string_equal(a->fixed->secret_key, "S");
	assert_null(a->fixed->session_token);
	account_free(a);
}

static void test_sources_fit(void **state)
{
	(void)state;
	char name[200], text[600];
	memset(name, 'n', 150);
	name[150] = '\0';
	snprintf(text, sizeof text, "[profile %s]\nregion=eu-west-1\naws_access_key_id=K\naws_secret_access_key=S\n", name);
	put_file("config", text);
	struct account *a = load_in((struct account_in){ .profile = name, .profile_from = text }, ERR_OK);
	assert_true(strlen(a->region.source) < sizeof a->region.source);
	assert_string_equal(a->profile.value, name);
	account_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_profiles),       TEST(test_credentials_file_wins),
		TEST(test_sections),       TEST(test_files_elsewhere),
		TEST(test_attempts),       TEST(test_another_region),
		TEST(test_region_order),   TEST(test_region_names),
		TEST(test_bad_endpoints),  TEST(test_variants),
		TEST(test_endpoint_order), TEST(test_ca_bundle),
		TEST(test_bad_files),      TEST(test_first_problem),
		TEST(test_static),         TEST(test_sources_fit),
	};
	return hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
