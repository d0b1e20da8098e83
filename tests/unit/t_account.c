/* Profile, region, endpoints and keys out of the environment and AWS's files. */
#include "aws/account.h"
#include "aws/profile.h"
#include "core/hash.h"
#include "core/ini.h"
#include "core/json.h"
#include "core/mem.h"

#include <dirent.h>
#include <ftw.h>
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

extern char **environ;

/* ---- a home of our own, and an environment without AWS in it */

static char home[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st, (void)kind, (void)f;
	return remove(path);
}

static void forget_environment(void)
{
	for (bool again = true; again;) {
		again = false;
		for (char **v = environ; *v; v++) {
			if (strncmp(*v, "AWS_", 4) != 0)
				continue;
			char *name = xstrndup(*v, strcspn(*v, "="));
			unsetenv(name);
			free(name);
			again = true;
			break;
		}
	}
}

static int set_up(void **state)
{
	(void)state;
	snprintf(home, sizeof home, "/tmp/sluice-home-XXXXXX");
	if (!mkdtemp(home))
		return -1;
	forget_environment();
	char dir[80];
	snprintf(dir, sizeof dir, "%s/.aws", home);
	mkdir(dir, 0700);
	return setenv("HOME", home, 1);
}

static int tear_down(void **state)
{
	(void)state;
	forget_environment();
	return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/.aws/%s", home, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

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
	if (code == ERR_NOCRED)
		assert_null(a->access_key.value);
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

static void env_keys(void)
{
	setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secretenv", 1);
}

/* ---- keys */

static void test_environment_keys(void **state)
{
	(void)state;
	env_keys();
	setenv("AWS_SESSION_TOKEN", "token", 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	struct account *a = load(ERR_OK);
	is(&a->access_key, "AKIDENV", "AWS_ACCESS_KEY_ID");
	is(&a->secret_key, "secretenv", "AWS_SECRET_ACCESS_KEY");
	is(&a->session_token, "token", "AWS_SESSION_TOKEN");
	is(&a->region, "eu-west-1", "AWS_REGION");
	is(&a->profile, NULL, NULL);
	is(&a->endpoint_url, NULL, NULL);
	account_free(a);
	account_free(NULL);
}

static const char two_profiles[] =
    "[default]\nregion = us-east-1\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = sd\n"
    "[profile ops]\nregion=eu-north-1\naws_access_key_id=AKIDOPS\naws_secret_access_key=so\n"
    "aws_session_token = to\n[profile \"my team\"]\nregion = eu-west-3\n";

static void test_profiles(void **state)
{
	(void)state;
	put_file("config", two_profiles);
	struct account *a = load(ERR_OK);
	is(&a->access_key, "AKIDDEFAULT", "~/.aws/config [default]");
	is(&a->region, "us-east-1", "~/.aws/config [default]");
	account_free(a);
	setenv("AWS_PROFILE", "ops", 1);
	a = load(ERR_OK);
	is(&a->profile, "ops", "AWS_PROFILE");
	is(&a->access_key, "AKIDOPS", "~/.aws/config [profile ops]");
	is(&a->session_token, "to", "~/.aws/config [profile ops]");
	is(&a->region, "eu-north-1", "~/.aws/config [profile ops]");
	account_free(a);
	env_keys(); /* AWS_PROFILE alone does not push the environment's keys aside */
	a = load(ERR_OK);
	is(&a->access_key, "AKIDENV", "AWS_ACCESS_KEY_ID");
	is(&a->session_token, NULL, NULL);
	is(&a->region, "eu-north-1", "~/.aws/config [profile ops]");
	account_free(a);
	unsetenv("AWS_PROFILE"); /* a profile that was asked for does */
	a = load_in((struct account_in){ .profile = "ops", .profile_from = "config.ini:3" }, ERR_OK);
	is(&a->profile, "ops", "config.ini:3");
	is(&a->access_key, "AKIDOPS", "~/.aws/config [profile ops]");
	account_free(a);
	setenv("AWS_DEFAULT_PROFILE", "ops", 1);
	a = load(ERR_OK);
	is(&a->profile, "ops", "AWS_DEFAULT_PROFILE");
	account_free(a);
}

static void test_credentials_file_wins(void **state)
{
	(void)state;
	put_file("config",
	         "[default]\naws_access_key_id=FROMCONFIG\naws_secret_access_key=x\nregion=eu-west-1\noutput=json\n");
	put_file(
	    "credentials",
	    "# mine\n[default]\nAWS_ACCESS_KEY_ID = FROMCRED\nAWS_Secret_Access_Key = y\n\n[other]\naws_access_key_id=O\n");
	struct account *a = load(ERR_OK);
	is(&a->access_key, "FROMCRED", "~/.aws/credentials [default]");
	is(&a->secret_key, "y", "~/.aws/credentials [default]");
	is(&a->region, "eu-west-1", "~/.aws/config [default]");
	account_free(a);
	put_file("credentials", "[default]\nregion=eu-west-2\n"); /* values of the same profile: this file's win */
	a = load(ERR_OK);
	is(&a->access_key, "FROMCONFIG", "~/.aws/config [default]");
	is(&a->region, "eu-west-2", "~/.aws/credentials [default]");
	account_free(a);
}

static void test_sections(void **state)
{
	(void)state;
	setenv("AWS_REGION", "eu-west-1", 1);
	put_file("config",
	         "[default]\naws_access_key_id=BARE\naws_secret_access_key=x\n[profile default]\naws_access_key_id=FULL\n"
	         "aws_secret_access_key=y\n[ops]\naws_access_key_id=NOPREFIX\n");
	struct account *a = load(ERR_OK);
	is(&a->access_key, "FULL", "~/.aws/config [default]"); /* [profile default] hides [default] */
	account_free(a);
	problem((struct account_in){ .profile = "ops" }, ERR_CONF, "--profile",
	        "\"ops\" is neither in"); /* a prefix is required */
	put_file("credentials", "[profile odd]\naws_access_key_id=X\n");
	problem((struct account_in){ .profile = "odd" }, ERR_CONF, "--profile",
	        "\"odd\" is neither in"); /* none is allowed */
	put_file("config", "[profile some-thing:long/the_one%only.foo@bar+]\naws_access_key_id=K\naws_secret_access_key=S\n"
	                   "[profile two]\naws_access_key_id=A\n[profile two]\naws_secret_access_key=B ; a "
	                   "comment\naws_access_key_id=C\n");
	a = load_in((struct account_in){ .profile = "some-thing:long/the_one%only.foo@bar+" }, ERR_OK);
	assert_string_equal(a->access_key.value, "K");
	account_free(a);
	a = load_in((struct account_in){ .profile = "two" }, ERR_OK); /* two sections of one name are one */
	assert_string_equal(a->access_key.value, "C");
	assert_string_equal(a->secret_key.value, "B");
	account_free(a);
}

static void test_blank_is_unset(void **state)
{
	(void)state;
	setenv("AWS_ACCESS_KEY_ID", " ", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "", 1);
	setenv("AWS_REGION", "", 1);
	setenv("AWS_PROFILE", "\t", 1);
	put_file("config", two_profiles);
	struct account *a = load(ERR_OK);
	is(&a->access_key, "AKIDDEFAULT", "~/.aws/config [default]");
	is(&a->region, "us-east-1", "~/.aws/config [default]");
	account_free(a);
}

static void test_files_elsewhere(void **state)
{
	(void)state;
	char path[128];
	put_file("my config", two_profiles);
	put_file("my keys", "[default]\naws_access_key_id=K\naws_secret_access_key=S\n");
	setenv("AWS_CONFIG_FILE", "~/.aws/my config", 1);
	snprintf(path, sizeof path, "%s/.aws/my keys", home);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	struct account *a = load(ERR_OK);
	is(&a->access_key, "K", "~/.aws/my keys [default]");
	is(&a->region, "us-east-1", "~/.aws/my config [default]");
	account_free(a);
	setenv("AWS_CONFIG_FILE", "/nowhere/config", 1); /* as AWS's tools: no file is no setting */
	a = load_in((struct account_in){ .region = "eu-west-1" }, ERR_OK);
	account_free(a);
}

static void test_no_credentials(void **state)
{
	(void)state;
	struct account_in in = { .region = "eu-west-1" };
	problem(in, ERR_NOCRED, "credentials", "AWS_ACCESS_KEY_ID is not set and there is no profile in");
	put_file("config", "[default]\nregion=eu-west-1\n[profile ops]\nregion=eu-west-1\n");
	problem(in, ERR_NOCRED, "credentials", "the profile \"default\" has no aws_access_key_id");
	in.profile = "ops";
	problem(in, ERR_NOCRED, "credentials", "the profile \"ops\" has no aws_access_key_id");
	in.profile = NULL;
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	problem(in, ERR_NOCRED, "environment", "AWS_SECRET_ACCESS_KEY is missing beside AWS_ACCESS_KEY_ID");
	unsetenv("AWS_ACCESS_KEY_ID");
	put_file("credentials", "[default]\naws_secret_access_key=S\n");
	problem(in, ERR_NOCRED, "/.aws/credentials", "aws_access_key_id is missing beside aws_secret_access_key");
}

static void test_mangled_keys(void **state)
{
	(void)state;
	struct account_in in = { .region = "eu-west-1" };
	env_keys();
	setenv("AWS_SESSION_TOKEN", "to\r\nX-Evil: 1", 1);
	problem(in, ERR_NOCRED, "environment", "session token holds a character");
	unsetenv("AWS_SESSION_TOKEN");
	setenv("AWS_SECRET_ACCESS_KEY", "se cret", 1);
	problem(in, ERR_NOCRED, "environment", "secret key holds a character");
	setenv("AWS_SECRET_ACCESS_KEY", "s\xc3\xa4", 1);
	problem(in, ERR_NOCRED, "environment", "secret key holds a character");
}

static void test_other_providers_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *lines, *name;
	} settings[] = {
		{ "role_arn = arn:aws:iam::1:role/r\nsource_profile = base\naws_access_key_id=K\naws_secret_access_key=S\n",
		  "role_arn" },
		{ "sso_session = corp\naws_access_key_id=K\naws_secret_access_key=S\n", "sso_session" },
		{ "sso_start_url = https://x\n", "sso_start_url" },
		{ "credential_process = /bin/keys --password hunter2\naws_access_key_id=K\naws_secret_access_key=S\n",
		  "credential_process" },
		{ "web_identity_token_file = /t\n", "web_identity_token_file" },
		{ "login_session = arn:x\n", "login_session" },
	};
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		char text[512];
		struct account_in in = { .region = "eu-west-1", .profile = "p" };
		snprintf(text, sizeof text, "[profile p]\n%s", settings[i].lines);
		put_file("config", text);
		problem(in, ERR_NOCRED, "~/.aws/config [profile p]", settings[i].name);
		struct account *a = load_in(in, ERR_NOCRED);
		assert_int_equal(a->nunsupported, 1);
		assert_string_equal(a->unsupported[0].name, settings[i].name);
		assert_null(strstr(a->unsupported[0].value, "hunter2"));
		assert_null(a->access_key.value); /* never the next provider's instead */
		account_free(a);
		env_keys(); /* but what comes earlier in the chain wins */
		setenv("AWS_PROFILE", "p", 1);
		in.profile = NULL;
		a = load_in(in, ERR_OK);
		is(&a->access_key, "AKIDENV", "AWS_ACCESS_KEY_ID");
		account_free(a);
		forget_environment();
	}
	put_file("credentials", "[p]\naws_access_key_id=K\naws_secret_access_key=S\n");
	put_file("config", "[profile p]\ncredential_process = x\n");
	account_free(load_in((struct account_in){ .region = "eu-west-1", .profile = "p" },
	                     ERR_OK)); /* keys in the credentials file first */
}

static void test_providers_of_the_environment(void **state)
{
	(void)state;
	static const char *const names[] = { "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		                                 "AWS_CONTAINER_CREDENTIALS_FULL_URI" };
	struct account_in in = { .region = "eu-west-1" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		setenv(names[i], "/x", 1);
		problem(in, ERR_NOCRED, "environment", names[i]);
		forget_environment();
	}
	put_file("config", two_profiles);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x", 1); /* at the very end of the chain */
	account_free(load_in(in, ERR_OK));
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/x", 1); /* before a profile's keys */
	problem(in, ERR_NOCRED, "environment", "AWS_WEB_IDENTITY_TOKEN_FILE");
	in.profile = "ops"; /* a profile that was asked for */
	account_free(load_in(in, ERR_OK));
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
	static const char *const bad[] = { "eu-west-1.evil.example",
		                               "eu west",
		                               "eu-west-1/",
		                               "-eu",
		                               "eu-",
		                               "a@b",
		                               "\xc3\xa4",
		                               "x:1",
		                               "a234567890123456789012345678901234567890" };
	env_keys();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		problem((struct account_in){ .region = bad[i], .region_from = "config.ini:7" }, ERR_USAGE, "config.ini:7",
		        "not a region's name");
		struct account *a = load_in((struct account_in){ .region = bad[i] }, ERR_USAGE);
		struct buf url;
		buf_init(&url, 100);
		assert_null(a->region.value);
		assert_false(account_endpoint(a, &(struct service){ .host = "sqs", .env = "SQS" }, &url));
		buf_clear(&url);
		account_free(a);
	}
	account_free(load_in((struct account_in){ .region = "a23456789012345678901234567890123456789" }, ERR_OK));
}

static void test_partitions(void **state)
{
	(void)state;
	static const struct {
		const char *region, *partition, *suffix;
	} known[] = {
		{ "eu-west-1", "aws", "amazonaws.com" },
		{ "cn-north-1", "aws-cn", "amazonaws.com.cn" },
		{ "us-gov-west-1", "aws-us-gov", "amazonaws.com" },
		{ "eusc-de-east-1", "aws-eusc", "amazonaws.eu" },
		{ "us-iso-east-1", "aws-iso", "c2s.ic.gov" },
		{ "us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov" },
		{ "eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk" },
		{ "us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov" },
		{ "zz-new-1", "aws", "amazonaws.com" },
		{ NULL, "aws", "amazonaws.com" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char partition[16], suffix[32];
		account_partition(known[i].region, partition, suffix);
		assert_string_equal(partition, known[i].partition);
		assert_string_equal(suffix, known[i].suffix);
	}
}

/* ---- endpoints */

static const struct service cloudwatch = { .host = "monitoring", .env = "CLOUDWATCH" },
                            sqs = { .host = "sqs", .env = "SQS" };

static void endpoints(const struct account *a, const char *of_cloudwatch, const char *of_sqs)
{
	struct buf url;
	buf_init(&url, 200);
	assert_true(account_endpoint(a, &cloudwatch, &url));
	assert_string_equal(url.p, of_cloudwatch);
	buf_reset(&url);
	assert_true(account_endpoint(a, &sqs, &url));
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

static void test_variants_are_refused(void **state)
{
	(void)state;
	env_keys();
	setenv("AWS_REGION", "us-gov-west-1", 1);
	setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
	problem((struct account_in){ .profile = NULL }, ERR_CONF, "AWS_USE_FIPS_ENDPOINT", "ordinary endpoints only");
	setenv("AWS_USE_FIPS_ENDPOINT", "false", 1);
	put_file("config", "[default]\nuse_fips_endpoint = true\n");
	account_free(load(ERR_OK));
	put_file("config", "[default]\nuse_dualstack_endpoint = TRUE\n");
	problem((struct account_in){ .profile = NULL }, ERR_CONF, "~/.aws/config [default]", "use_dualstack_endpoint");
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
	struct account *a = account_load(&in, &e); /* neither region nor keys */
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
	is(&a->access_key, "K", "--demo");
	is(&a->secret_key, "S", "--demo");
	is(&a->session_token, NULL, NULL);
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

/* ---- AWS's own cases of the chain, where they are at hand: what is served must be what AWS's SDKs serve, and what needs a
 * provider that is missing here must be refused, never answered from further down the chain. */

static struct json *case_json(const char *dir, const char *name)
{
	struct buf text;
	char path[600];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	struct json *doc = ini_read_file(path, &text, NULL) ? json_parse(buf_span(&text), NULL) : NULL;
	buf_clear(&text);
	return doc;
}

/* 1: served as AWS does, 0: refused, -1: wrong. */
static int chain_case(const char *dir)
{
	struct json *env = case_json(dir, "env.json"), *want = case_json(dir, "test-case.json");
	char under[600];
	assert_non_null(env);
	assert_non_null(want);
	forget_environment();
	for (const struct json *v = json_first(env); v; v = json_next(v))
		setenv(json_key(v), json_str(v), 1);
	snprintf(under, sizeof under, "%s/fs%s", dir, json_get_str(env, "HOME") ? json_get_str(env, "HOME") : "/home");
	setenv("HOME", under, 1);
	struct err e = { 0 };
	struct account_in in = { .region = "us-east-1" };
	struct account *a = account_load(&in, &e);
	const struct json *ok = json_get(json_get(want, "result"), "Ok");
	const char *key = json_get_str(ok, "access_key_id"), *secret = json_get_str(ok, "secret_access_key");
	bool same =
	    e.code == ERR_OK && key && strcmp(key, a->access_key.value) == 0 && strcmp(secret, a->secret_key.value) == 0;
	int verdict = e.code == ERR_OK ? (same ? 1 : -1) : 0;
	account_free(a);
	json_free(env);
	json_free(want);
	return verdict;
}

static void test_chain_of_the_sdks(void **state)
{
	(void)state;
	static const char *const below[] = { "data/", "" };
	const char *shared = getenv("SLUICE_SHARED");
	char root[200];
	unsigned served = 0, refused = 0;
	DIR *d = NULL;
	for (unsigned i = 0; i < 2 && !d; i++) {
		snprintf(root, sizeof root, "%s/%saws-config/default-credential-provider-chain", shared ? shared : "../shared",
		         below[i]);
		d = opendir(root);
	}
	if (!d) {
		print_message("SKIP: AWS's credential chain cases are not at hand\n");
		skip();
	}
	for (struct dirent *f; (f = readdir(d));) {
		char dir[500];
		snprintf(dir, sizeof dir, "%s/%s", root, f->d_name);
		if (f->d_name[0] == '.')
			continue;
		int verdict = chain_case(dir);
		if (verdict < 0)
			fail_msg("%s", f->d_name);
		served += verdict == 1;
		refused += verdict == 0;
	}
	closedir(d);
	print_message("%u cases served as AWS's SDKs do, %u refused\n", served, refused);
	assert_int_equal(served, 6);
	assert_true(refused >= 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_environment_keys),
		TEST(test_profiles),
		TEST(test_credentials_file_wins),
		TEST(test_sections),
		TEST(test_blank_is_unset),
		TEST(test_files_elsewhere),
		TEST(test_no_credentials),
		TEST(test_mangled_keys),
		TEST(test_other_providers_are_named),
		TEST(test_providers_of_the_environment),
		TEST(test_region_order),
		TEST(test_region_names),
		TEST(test_partitions),
		TEST(test_endpoint_order),
		TEST(test_bad_endpoints),
		TEST(test_variants_are_refused),
		TEST(test_ca_bundle),
		TEST(test_bad_files),
		TEST(test_first_problem),
		TEST(test_static),
		TEST(test_sources_fit),
		TEST(test_chain_of_the_sdks),
	};
	return hash_init() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
